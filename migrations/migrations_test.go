package migrations

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/golang-migrate/migrate/v4"
	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"landmark/internal/localpg"
)

// The test binary is also the migrator that gets killed.
func TestMain(m *testing.M) {
	if url := os.Getenv("MIGRATE"); url != "" {
		fmt.Println("begin")
		if err := run(context.Background(), url, slow(), up); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// server is not pgtest's, which builds on this package.
var server = sync.OnceValues(func() (*localpg.Server, error) {
	parent := os.TempDir()
	if st, err := os.Stat("/dev/shm"); err == nil && st.IsDir() {
		parent = "/dev/shm"
	}
	return localpg.Start(context.Background(), filepath.Join(parent, fmt.Sprintf("landmark-migrations-%d", os.Getuid())),
		"fsync=off", "synchronous_commit=off", "autovacuum=off")
})

// emptyDatabase makes an empty database and returns its address.
func emptyDatabase(t *testing.T) string {
	t.Helper()
	srv, err := server()
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("m_%d_%d", os.Getpid(), rand.Uint32())
	exec1(t, srv.URL(), "CREATE DATABASE "+name)
	t.Cleanup(func() { exec1(t, srv.URL(), "DROP DATABASE "+name+" WITH (FORCE)") })
	u, err := url.Parse(srv.URL())
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

func exec1(t *testing.T, url, sql string) {
	t.Helper()
	ctx := context.Background() // also used when the test's own has ended
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// lines returns what a query of one text column gives.
func lines(t *testing.T, url, sql string) []string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(), sql)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return got
}

func wantVersion(t *testing.T, url string, want int) {
	t.Helper()
	got, dirty, err := Version(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	if got != want || dirty {
		t.Errorf("version %d (dirty %v), want %d", got, dirty, want)
	}
}

func up(m *migrate.Migrate) error {
	if err := m.Up(); !errors.Is(err, migrate.ErrNoChange) {
		return err
	}
	return nil
}

// TestFiles checks what the package comment asks of the files.
func TestFiles(t *testing.T) {
	t.Parallel()
	names, err := fs.Glob(FS, "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	form := regexp.MustCompile(`^(\d{6})_([a-z0-9_]+)\.(up|down)\.sql$`)
	control := regexp.MustCompile(`(?im)^\s*(begin|commit|rollback|start transaction)\s*;`)
	pairs := map[int]map[string]string{} // number → direction → name
	for _, name := range names {
		part := form.FindStringSubmatch(name)
		if part == nil {
			t.Errorf("%s: not called like 000012_add_report_note.up.sql", name)
			continue
		}
		number, err := strconv.Atoi(part[1])
		if err != nil {
			t.Fatal(err)
		}
		if pairs[number] == nil {
			pairs[number] = map[string]string{}
		}
		if other := pairs[number][part[3]]; other != "" {
			t.Errorf("%s and another %s file have one number", name, part[3])
		}
		pairs[number][part[3]] = part[2]
		text, err := FS.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if control.Match(text) {
			t.Errorf("%s: BEGIN or COMMIT would divide the file's transaction", name)
		}
		if regexp.MustCompile(`(?i)\bconcurrently\b`).Match(text) {
			t.Errorf("%s: CONCURRENTLY cannot share a transaction with the marker", name)
		}
		if part[3] == "up" && !strings.HasSuffix(strings.TrimSpace(string(text)), fmt.Sprintf("INSERT INTO schema_marker (version) VALUES (%d);", number)) {
			t.Errorf("%s does not end with its marker, INSERT INTO schema_marker (version) VALUES (%d);", name, number)
		}
		if part[3] == "down" && number > 1 && !strings.Contains(string(text), fmt.Sprintf("DELETE FROM schema_marker WHERE version = %d;", number)) {
			t.Errorf("%s does not take its marker back, DELETE FROM schema_marker WHERE version = %d;", name, number)
		}
	}
	for number := 1; number <= len(pairs); number++ {
		if pairs[number] == nil {
			t.Errorf("number %06d is missing: golang-migrate would never run one added later", number)
		} else if pairs[number]["up"] == "" || pairs[number]["up"] != pairs[number]["down"] {
			t.Errorf("number %06d is not one pair: %v", number, pairs[number])
		}
	}
	if got := Newest(); got != len(pairs) || got == 0 {
		t.Errorf("Newest() = %d, want %d", got, len(pairs))
	}
}

// schema describes the tables, columns, constraints, indexes, functions and triggers.
const schema = `
	SELECT format('column %s.%s %s %s %s', table_name, column_name, data_type, is_nullable, column_default)
	FROM information_schema.columns
	WHERE table_schema = 'public' AND table_name <> 'schema_migrations'
	UNION ALL
	SELECT format('constraint %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
	FROM pg_constraint
	WHERE connamespace = 'public'::regnamespace AND conrelid <> 'schema_migrations'::regclass
	UNION ALL
	SELECT format('index %s', indexdef) FROM pg_indexes
	WHERE schemaname = 'public' AND tablename <> 'schema_migrations'
	UNION ALL
	SELECT format('function %s', pg_get_functiondef(p.oid)) FROM pg_proc p
	WHERE pronamespace = 'public'::regnamespace AND prokind = 'f'
	AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
	UNION ALL
	SELECT format('trigger %s %s', tgrelid::regclass, pg_get_triggerdef(oid)) FROM pg_trigger
	WHERE NOT tgisinternal
	UNION ALL
	SELECT format('type %s', typname) FROM pg_type
	WHERE typnamespace = 'public'::regnamespace AND typtype IN ('e', 'd')
	ORDER BY 1`

// TestUpDownUp takes every migration back, one at a time, and applies all
// again: each step leaves the schema it found.
func TestUpDownUp(t *testing.T) {
	t.Parallel()
	url := emptyDatabase(t)
	if err := Up(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	wantVersion(t, url, Newest())
	before := lines(t, url, schema)
	for version := Newest(); version > 0; version-- {
		wantVersion(t, url, version)
		if err := Down(t.Context(), url); err != nil {
			t.Fatalf("down from %d: %v", version, err)
		}
	}
	wantVersion(t, url, 0)
	if left := lines(t, url, schema); len(left) > 0 {
		t.Errorf("after the last down there is still\n%s", strings.Join(left, "\n"))
	}
	if err := Down(t.Context(), url); err != nil {
		t.Errorf("down from nothing: %v", err)
	}
	if err := Up(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, lines(t, url, schema)); diff != "" {
		t.Errorf("up, down, up leaves another schema (-first +second):\n%s", diff)
	}
	if err := Up(t.Context(), url); err != nil {
		t.Errorf("up with nothing to do: %v", err)
	}
}

func TestNewerDatabaseIsRefused(t *testing.T) {
	t.Parallel()
	url := emptyDatabase(t)
	if err := Up(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	exec1(t, url, "UPDATE schema_migrations SET version = version + 1")
	for name, do := range map[string]func(context.Context, string) error{"Up": Up, "Down": Down} {
		err := do(t.Context(), url)
		if !errors.Is(err, ErrNewer) || !strings.Contains(err.Error(), fmt.Sprintf("at schema %d, this program knows up to %d", Newest()+1, Newest())) {
			t.Errorf("%s: got %v, want a refusal with both versions", name, err)
		}
	}
	wantVersion(t, url, Newest()+1)
}

func TestUnreachableDatabase(t *testing.T) {
	t.Parallel()
	if err := Up(t.Context(), "postgres://nobody@127.0.0.1:1/none"); err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v, want one line", err)
	}
}

// two is a schema of two steps.
func two(second string) fstest.MapFS {
	return fstest.MapFS{
		"000001_begin.up.sql":   {Data: []byte("CREATE TABLE schema_marker (version int PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now()); INSERT INTO schema_marker (version) VALUES (1);")},
		"000001_begin.down.sql": {Data: []byte("DROP TABLE schema_marker;")},
		"000002_more.up.sql":    {Data: []byte(second + "; INSERT INTO schema_marker (version) VALUES (2);")},
		"000002_more.down.sql":  {Data: []byte("DROP TABLE more; DELETE FROM schema_marker WHERE version = 2;")},
	}
}

// TestDirty leaves the database as a kill does at each place, and expects the
// next start to go on from what has really been applied.
func TestDirty(t *testing.T) {
	t.Parallel()
	files := two("CREATE TABLE more (i int)")
	for name, c := range map[string]struct {
		applied int    // steps applied before
		noted   string // what golang-migrate noted
	}{
		"before the first":                      {0, "INSERT INTO schema_migrations VALUES (1, true)"},
		"after the first":                       {1, "UPDATE schema_migrations SET version = 1, dirty = true"},
		"before the second":                     {1, "UPDATE schema_migrations SET version = 2, dirty = true"},
		"after the second":                      {2, "UPDATE schema_migrations SET version = 2, dirty = true"},
		"going down, before the second":         {2, "UPDATE schema_migrations SET version = 1, dirty = true"},
		"going down, before the first":          {1, "UPDATE schema_migrations SET version = -1, dirty = true"},
		"going down, after the first, all gone": {0, "INSERT INTO schema_migrations VALUES (-1, true)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := emptyDatabase(t)
			if err := run(t.Context(), url, files, func(m *migrate.Migrate) error {
				if c.applied == 0 {
					return nil
				}
				return m.Steps(c.applied)
			}); err != nil {
				t.Fatal(err)
			}
			exec1(t, url, c.noted)
			if err := run(t.Context(), url, files, up); err != nil {
				t.Fatal(err)
			}
			wantVersion(t, url, 2)
			if got := lines(t, url, "SELECT version::text FROM schema_marker ORDER BY 1"); !cmp.Equal(got, []string{"1", "2"}) {
				t.Errorf("markers %v, want 1 and 2", got)
			}
			lines(t, url, "SELECT i::text FROM more") // is there
		})
	}
}

// TestDirtyBeyondHealing has a marker that no kill explains.
func TestDirtyBeyondHealing(t *testing.T) {
	t.Parallel()
	url := emptyDatabase(t)
	files := two("CREATE TABLE more (i int)")
	if err := run(t.Context(), url, files, up); err != nil {
		t.Fatal(err)
	}
	exec1(t, url, "UPDATE schema_migrations SET dirty = true; DELETE FROM schema_marker")
	if err := run(t.Context(), url, files, up); err == nil || !strings.Contains(err.Error(), "restore a backup") {
		t.Errorf("got %v, want a refusal", err)
	}
}

// TestFailingFile leaves nothing of the file, and a mended file then applies.
func TestFailingFile(t *testing.T) {
	t.Parallel()
	url := emptyDatabase(t)
	bad := two("CREATE TABLE more (i int); SELECT 1/0")
	for range 2 {
		if err := run(t.Context(), url, bad, up); err == nil || !strings.Contains(err.Error(), "division by zero") {
			t.Fatalf("got %v, want the file's own error each time", err)
		}
	}
	if err := run(t.Context(), url, two("CREATE TABLE more (i int)"), up); err != nil {
		t.Fatal(err)
	}
	wantVersion(t, url, 2)
}

// TestWaitsForLock has a reader in the way of a change, as a long report
// would be: the change gives way, comes again and succeeds.
func TestWaitsForLock(t *testing.T) {
	t.Parallel()
	url := emptyDatabase(t)
	files := two("CREATE TABLE more (i int)")
	files["000003_alter.up.sql"] = &fstest.MapFile{Data: []byte("ALTER TABLE more ADD j int; INSERT INTO schema_marker (version) VALUES (3);")}
	if err := run(t.Context(), url, files, func(m *migrate.Migrate) error { return m.Steps(2) }); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), "BEGIN; SELECT i FROM more"); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- run(t.Context(), url, files, up) }()
	for len(lines(t, url, "SELECT 'dirty' FROM schema_migrations WHERE dirty")) == 0 { // it has begun
		select {
		case err := <-done:
			t.Fatalf("it did not wait: %v", err)
		default:
		}
	}
	for len(lines(t, url, "SELECT 'waits' FROM pg_locks WHERE NOT granted")) == 0 {
	}
	// One wait is short, so readers are not held up behind it.
	for len(lines(t, url, "SELECT 'waits' FROM pg_locks WHERE NOT granted")) > 0 {
	}
	if _, err := conn.Exec(t.Context(), "COMMIT"); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	wantVersion(t, url, 3)
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	url := emptyDatabase(t)
	results := make(chan error)
	const programs = 5
	for range programs {
		go func() { results <- run(t.Context(), url, slow(), up) }()
	}
	for range programs {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	wantVersion(t, url, len(slow())/2)
}

// slow is the program's own schema with steps behind it that take a moment
// and would fail if they were run twice.
func slow() fstest.MapFS {
	files := fstest.MapFS{}
	names, err := fs.Glob(FS, "*.sql")
	if err != nil {
		panic(err)
	}
	for _, name := range names {
		text, err := FS.ReadFile(name)
		if err != nil {
			panic(err)
		}
		files[name] = &fstest.MapFile{Data: text}
	}
	for n := Newest() + 1; n <= Newest()+6; n++ {
		files[fmt.Sprintf("%06d_step.up.sql", n)] = &fstest.MapFile{Data: fmt.Appendf(nil,
			"CREATE TABLE step_%d (i int); SELECT pg_sleep(0.03); INSERT INTO step_%d VALUES (1); INSERT INTO schema_marker (version) VALUES (%d);", n, n, n)}
		files[fmt.Sprintf("%06d_step.down.sql", n)] = &fstest.MapFile{Data: fmt.Appendf(nil,
			"DROP TABLE step_%d; DELETE FROM schema_marker WHERE version = %d;", n, n)}
	}
	return files
}

// TestKilledMigrator kills a migrator at random moments. The next start always
// completes by itself, and nothing is applied twice or half. KILLS sets the
// number of rounds.
func TestKilledMigrator(t *testing.T) {
	t.Parallel()
	rounds := 20
	if os.Getenv("FULL") == "1" {
		rounds = 200
	}
	if s := os.Getenv("KILLS"); s != "" {
		var err error
		if rounds, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	files := slow()
	last := len(files) / 2
	healed, early := 0, 0
	var whole time.Duration // of one that is left alone: how long that is depends on the machine
	for round := -1; round < rounds; round++ {
		url := emptyDatabase(t)
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "MIGRATE="+url)
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		bufio.NewScanner(stdout).Scan() // begins now
		if round < 0 {
			began := time.Now()
			if err := cmd.Wait(); err != nil {
				t.Fatal(err)
			}
			whole = time.Since(began)
			continue
		}
		<-time.After(rand.N(whole))
		if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
		_ = cmd.Wait()    // killed, or done before
		if round%2 == 0 { // else the server finishes what it was sent
			exec1(t, url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'landmark migrate'")
		}
		if version, dirty, err := Version(t.Context(), url); err != nil {
			t.Fatal(err)
		} else if dirty {
			healed++
		} else if version < last {
			early++
		}
		if err := run(t.Context(), url, files, up); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		wantVersion(t, url, last)
		if got := lines(t, url, "SELECT count(*)::text FROM schema_marker"); got[0] != strconv.Itoa(last) {
			t.Errorf("round %d: %s markers, want %d", round, got[0], last)
		}
		for n := Newest() + 1; n <= last; n++ {
			if got := lines(t, url, fmt.Sprintf("SELECT i::text FROM step_%d", n)); !cmp.Equal(got, []string{"1"}) {
				t.Errorf("round %d: step %d left %v, want one row", round, n, got)
			}
		}
	}
	t.Logf("P14 migrator kills | %d rounds | 0 lost | 0 doubled | %d healed, %d killed between steps, %d already done", rounds, healed, early, rounds-healed-early)
	if healed == 0 {
		t.Error("no kill hit a migration: the test shows nothing")
	}
}
