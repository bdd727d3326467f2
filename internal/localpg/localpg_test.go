package localpg

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// The test binary is also the other program of these tests: with HOLD it holds
// the server of that folder, with OWN the folder, until it is told to end.
func TestMain(m *testing.M) {
	switch {
	case os.Getenv("HOLD") != "":
		s, err := Start(context.Background(), os.Getenv("HOLD"), strings.Fields(os.Getenv("SETTINGS"))...)
		report(err)
		io.Copy(io.Discard, os.Stdin)
		report(s.Close())
	case os.Getenv("OWN") != "":
		release, err := Own(os.Getenv("OWN"))
		report(err)
		io.Copy(io.Discard, os.Stdin)
		release()
	default:
		os.Exit(m.Run())
	}
}

func report(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("ok")
}

// program is a running copy of the test binary.
type program struct {
	cmd   *exec.Cmd
	stdin io.Closer
	lines *bufio.Scanner
}

func begin(t *testing.T, env ...string) *program {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), env...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &program{cmd, stdin, bufio.NewScanner(stdout)}
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			p.kill()
		}
	})
	return p
}

func (p *program) says() string {
	p.lines.Scan()
	return p.lines.Text()
}

// ready waits until the program has what it holds.
func (p *program) ready(t *testing.T) {
	t.Helper()
	if got := p.says(); got != "ok" {
		t.Fatalf("program said %q, want ok", got)
	}
}

func (p *program) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

func (p *program) end(t *testing.T) {
	t.Helper()
	p.stdin.Close()
	if got := p.says(); got != "ok" && got != "" {
		t.Errorf("program ended with %q", got)
	}
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("program ended with %v", err)
	}
}

// folder makes a DATA_DIR that PostgreSQL's user can reach, which root's
// t.TempDir is not.
func folder(t *testing.T) string {
	t.Helper()
	base := os.TempDir()
	if st, err := os.Stat("/dev/shm"); err == nil && st.IsDir() { // a dozen clusters are made: spare the disk
		base = "/dev/shm"
	}
	parent, err := os.MkdirTemp(base, "localpg-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(parent, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		waitStopped(t, filepath.Join(parent, "var"))
		if err := os.RemoveAll(parent); err != nil {
			t.Error(err)
		}
	})
	return filepath.Join(parent, "var")
}

func waitStopped(t *testing.T, dir string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); running(filepath.Join(dir, "data")); time.Sleep(tick) {
		if time.Now().After(deadline) {
			t.Fatalf("a server still runs on %s", dir)
		}
	}
}

// quick spares a test that is not about durability the waiting for the disk.
const quick = "fsync=off"

func start(t *testing.T, dir string, settings ...string) *Server {
	t.Helper()
	s, err := Start(t.Context(), dir, settings...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// ask returns the one text that a query gives.
func ask(t *testing.T, s *Server, query string) string {
	t.Helper()
	text, err := query1(s.URL(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return text
}

func query1(url, query string) (text string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	err = conn.QueryRow(ctx, query, pgx.QueryExecModeSimpleProtocol).Scan(&text)
	return text, err
}

func do(t *testing.T, s *Server, statement string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func killServer(t *testing.T, dir string) {
	t.Helper()
	pid, err := strconv.Atoi(firstLine(pidFile(filepath.Join(dir, "data"))))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

func TestStart(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	s := start(t, dir)
	for query, want := range map[string]string{
		"SELECT current_database()":                    "landmark",
		"SHOW listen_addresses":                        "",
		"SHOW fsync":                                   "on",
		"SHOW synchronous_commit":                      "on",
		"SHOW full_page_writes":                        "on",
		"SHOW data_checksums":                          "on",
		"SHOW server_encoding":                         "UTF8",
		"SHOW timezone":                                "UTC",
		"SELECT (upper('é') = 'É')::text":              "true", // letters are known
		"SELECT ('B' < 'a' COLLATE \"default\")::text": "true", // and ordered by bytes
	} {
		if got := ask(t, s, query); got != want {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
	}
	for path, want := range map[string]fs.FileMode{dir: 0o700, filepath.Join(dir, "sock"): 0o700, filepath.Join(dir, "data"): 0o700} {
		st, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := st.Mode().Perm(); got != want {
			t.Errorf("%s: mode %v, want %v", path, got, want)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if running(filepath.Join(dir, "data")) {
		t.Error("the server still runs after the last Close")
	}
	if err := s.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	s := start(t, folder(t), quick, "work_mem=7MB")
	if got := ask(t, s, "SHOW work_mem"); got != "7MB" {
		t.Errorf("work_mem = %s, want 7MB", got)
	}
}

func TestSurroundingsDoNotMatter(t *testing.T) {
	for name, value := range map[string]string{
		"PGPORT": "1", "PGHOST": "nowhere.invalid", "PGUSER": "nobody", "PGDATABASE": "none", "PGSSLMODE": "require",
		"PGDATA": "/nowhere", "LC_ALL": "zh_CN.GB18030", "LANG": "xx", "LC_MESSAGES": "de_DE",
	} {
		t.Setenv(name, value)
	}
	s := start(t, folder(t), quick)
	if got := ask(t, s, "SELECT current_database()"); got != "landmark" {
		t.Errorf("connected to %s", got)
	}
}

func TestStrangePath(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(folder(t), `a b+c&d=e"f" 数据'%20`)
	s := start(t, dir, quick)
	if got := ask(t, s, "SELECT current_database()"); got != "landmark" {
		t.Errorf("connected to %s", got)
	}
	if err := s.Close(); err != nil { // before folder looks for a server in the folder above
		t.Fatal(err)
	}
}

func TestSymbolicLink(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	s := start(t, dir, quick)
	link := filepath.Join(filepath.Dir(dir), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	if other := start(t, link, quick); other.URL() != s.URL() {
		t.Errorf("through the link: got %s, want the same server %s", other.URL(), s.URL())
	}
}

// TestShared ends holders in all ways: the server is there while one is left.
func TestShared(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	first := begin(t, "HOLD="+dir, "SETTINGS="+quick)
	first.ready(t)
	s := start(t, dir)
	began := ask(t, s, "SELECT pg_postmaster_start_time()::text")
	first.kill()
	third := begin(t, "HOLD="+dir)
	third.ready(t)
	third.end(t)
	if got := ask(t, s, "SELECT pg_postmaster_start_time()::text"); got != began {
		t.Errorf("the server was restarted: began %s, then %s", began, got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if running(filepath.Join(dir, "data")) {
		t.Error("the server runs without a holder")
	}
	killed := begin(t, "HOLD="+dir)
	killed.ready(t)
	killed.kill()
	waitStopped(t, dir)
}

// TestNewHolderOfStoppingServer takes and drops the server in turn, so that
// many starts fall into the moment in which it stops.
func TestNewHolderOfStoppingServer(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	for range 8 {
		p := begin(t, "HOLD="+dir, "SETTINGS="+quick)
		p.ready(t)
		p.kill()
		s := start(t, dir, quick)
		ask(t, s, "SELECT pg_sleep(0.1)::text || 'awake'") // a joined dying server would cut this off
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRacingStarters(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	var programs []*program
	for range 6 {
		programs = append(programs, begin(t, "HOLD="+dir, "SETTINGS="+quick))
	}
	for _, p := range programs {
		p.ready(t)
	}
	left, err := filepath.Glob(filepath.Join(dir, "initdb-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
	s := start(t, dir)
	ask(t, s, "SELECT current_database()")
	for _, p := range programs {
		p.kill()
	}
	ask(t, s, "SELECT current_database()")
}

// TestKillEverything kills the program and PostgreSQL at once, in the middle
// of commits: what was committed is there.
func TestKillEverything(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	s := start(t, dir)
	do(t, s, "CREATE TABLE promise (i int PRIMARY KEY)")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	committed := 0
	for round := range 3 {
		p := begin(t, "HOLD="+dir)
		p.ready(t)
		h := &home{dir: dir}
		conn, err := pgx.Connect(t.Context(), h.url(database))
		if err != nil {
			t.Fatal(err)
		}
		stop := time.After(time.Duration(100+50*round) * time.Millisecond)
		for killed := false; !killed; {
			select {
			case <-stop:
				killServer(t, dir)
				p.kill()
				killed = true
			default:
				if _, err := conn.Exec(t.Context(), "INSERT INTO promise VALUES ($1)", committed+1); err != nil {
					t.Fatal(err)
				}
				committed++
			}
		}
		conn.Close(t.Context())
		s := start(t, dir)
		if got := ask(t, s, "SELECT count(*)::text FROM promise"); got != strconv.Itoa(committed) {
			t.Fatalf("round %d: got %s rows, want %d", round, got, committed)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if committed == 0 {
		t.Error("nothing was committed: the test shows nothing")
	}
}

// TestServerKilledAlone leaves a holder with a dead server. A new Start makes
// a new one, which the old holder's end must not stop.
func TestServerKilledAlone(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	old := begin(t, "HOLD="+dir, "SETTINGS="+quick)
	old.ready(t)
	killServer(t, dir)
	s := start(t, dir, quick)
	old.kill()
	ask(t, s, "SELECT pg_sleep(0.3)::text || 'awake'") // a wrong signal would arrive meanwhile
}

// TestRevived kills the server under its holders: they bring it back with what
// was committed, and it still ends with the last of them.
func TestRevived(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	s := start(t, dir)
	other := begin(t, "HOLD="+dir)
	other.ready(t)
	do(t, s, "CREATE TABLE kept AS SELECT 1 AS i")
	for range 2 {
		killServer(t, dir)
		back := func() bool {
			got, err := query1(s.URL(), "SELECT i::text FROM kept")
			return err == nil && got == "1"
		}
		for deadline := time.Now().Add(20 * time.Second); !back(); time.Sleep(tick) {
			if time.Now().After(deadline) {
				t.Fatal("the server did not come back")
			}
		}
	}
	other.kill()
	ask(t, s, "SELECT pg_sleep(0.3)::text || 'awake'")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if running(filepath.Join(dir, "data")) {
		t.Error("the server outlived its last holder")
	}
}

// TestStaleLockFile writes lock files as crashes leave them.
func TestStaleLockFile(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	s := start(t, dir, quick)
	do(t, s, "CREATE TABLE kept AS SELECT 1 AS i")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	h, err := openHome(dir)
	if err != nil {
		t.Fatal(err)
	}
	sleeper := h.command(exec.Command("sleep", "1000")) // the server's user: PostgreSQL would take it for a server
	if err := sleeper.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sleeper.Process.Kill(); sleeper.Wait() })
	zombie := h.command(exec.Command("true"))
	if err := zombie.Start(); err != nil { // not waited for until the end
		t.Fatal(err)
	}
	t.Cleanup(func() { zombie.Wait() })
	foreign := func(pid int) string {
		return fmt.Sprintf("%d\n%s\n1700000000\n5432\n%s\n\n  5432001         0\nready   \n", pid, h.data(), h.sock())
	}
	for name, text := range map[string]string{
		"recycled number": foreign(sleeper.Process.Pid),
		"zombie":          foreign(zombie.Process.Pid),
		"our own number":  foreign(os.Getpid()),
		"nobody":          foreign(1 << 22),
		"empty":           "",
		"half":            "12",
		"nonsense":        "what\n",
	} {
		for path, text := range map[string]string{pidFile(h.data()): text, filepath.Join(h.sock(), ".s.PGSQL.5432.lock"): text, filepath.Join(h.sock(), ".s.PGSQL.5432"): ""} {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := h.own(path); err != nil {
				t.Fatal(err)
			}
		}
		s, err := Start(t.Context(), dir, quick)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := ask(t, s, "SELECT i::text FROM kept"); got != "1" {
			t.Errorf("%s: got %s", name, got)
		}
		if err := s.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := sleeper.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("the process with the recycled number was hurt: %v", err)
	}
}

// TestHalfInitdb kills the program while the cluster is made.
func TestHalfInitdb(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	p := begin(t, "HOLD="+dir, "SETTINGS="+quick)
	half := func() bool {
		match, err := filepath.Glob(filepath.Join(dir, "initdb-*", "data", "PG_VERSION"))
		return err == nil && len(match) > 0
	}
	for deadline := time.Now().Add(20 * time.Second); !half(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("no initdb seen")
		}
	}
	p.kill()
	if exists(filepath.Join(dir, "data")) {
		t.Fatal("a half cluster is in place")
	}
	s := start(t, dir, quick)
	ask(t, s, "SELECT current_database()")
}

func TestOtherVersionIsRefused(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	s := start(t, dir, quick)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	version := filepath.Join(dir, "data", "PG_VERSION")
	made, err := os.ReadFile(version)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(version, []byte("9\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	before := fingerprint(t, filepath.Join(dir, "data"))
	_, err = Start(t.Context(), dir)
	wantLine(t, err, "was made by PostgreSQL 9", "install postgresql-9", "nothing was changed")
	if after := fingerprint(t, filepath.Join(dir, "data")); after != before {
		t.Error("the refused data was changed")
	}
	if err := os.WriteFile(version, made, 0o600); err != nil {
		t.Fatal(err)
	}
	ask(t, start(t, dir, quick), "SELECT current_database()")
}

func TestForeignDataIsRefused(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	photos := filepath.Join(dir, "data", "photos")
	if err := os.MkdirAll(photos, 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), dir)
	wantLine(t, err, "is not a PostgreSQL cluster", "move it away")
	if !exists(photos) {
		t.Error("the folder's content is gone")
	}
}

// TestDamagedDataIsRefused gives PostgreSQL a cluster it cannot start.
func TestDamagedDataIsRefused(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	if err := start(t, dir, quick).Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "data", "global", "pg_control")); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), dir)
	wantLine(t, err, "did not start", "pg_control", "postgres.log")
	waitStopped(t, dir)
}

func TestOwn(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	p := begin(t, "OWN="+dir)
	p.ready(t)
	_, err := Own(dir)
	wantLine(t, err, fmt.Sprintf("process %d", p.cmd.Process.Pid), "already serves", "stop it first")
	s := start(t, dir, quick) // other commands may come beside it
	ask(t, s, "SELECT current_database()")
	p.kill()
	release, err := Own(dir)
	if err != nil {
		t.Fatalf("after the owner was killed: %v", err)
	}
	if _, err := Own(dir); err == nil {
		t.Error("owned twice by one process")
	}
	release()
	release()
	again, err := Own(dir)
	if err != nil {
		t.Fatalf("after release: %v", err)
	}
	again()
}

func TestUnusableFolder(t *testing.T) {
	t.Parallel()
	base := folder(t)
	if err := os.MkdirAll(base, 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(base, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		dir  string
		want []string
	}{
		{file, []string{"cannot use DATA_DIR", "is a file"}},
		{filepath.Join(file, "below"), []string{"cannot use DATA_DIR", "is a file"}},
		{filepath.Join(base, strings.Repeat("long", 30)), []string{"too long for a Unix socket", "shorter path"}},
		{filepath.Join(base, "a,b"), []string{"has a comma", "another path"}},
		{"/proc/landmark", []string{"cannot use DATA_DIR /proc/landmark", "set DATA_DIR"}},
	}
	if os.Geteuid() != 0 {
		closed := filepath.Join(base, "closed")
		if err := os.Mkdir(closed, 0o555); err != nil {
			t.Fatal(err)
		}
		me, err := user.Current()
		if err != nil {
			t.Fatal(err)
		}
		cases = append(cases, []struct {
			dir  string
			want []string
		}{
			{closed, []string{"cannot use DATA_DIR", "permission denied", "belongs to " + me.Username}},
			{filepath.Join(closed, "below"), []string{"cannot use DATA_DIR", "permission denied"}},
			{"/root/landmark", []string{"cannot use DATA_DIR", "permission denied"}},
		}...)
	}
	for _, c := range cases {
		_, err := Start(t.Context(), c.dir)
		wantLine(t, err, c.want...)
		_, err = Own(c.dir)
		wantLine(t, err, c.want...)
	}
}

func TestReadOnlyIsExplained(t *testing.T) {
	t.Parallel()
	h := &home{dir: "/media/disc"}
	wantLine(t, h.explain(&fs.PathError{Op: "mkdir", Path: "/media/disc", Err: syscall.EROFS}), "DATA_DIR /media/disc", "read-only", "mount it writable")
	wantLine(t, h.explain(&fs.PathError{Op: "write", Path: "/media/disc/x", Err: syscall.ENOSPC}), "disk is full", "free some space")
}

func TestFind(t *testing.T) {
	t.Setenv("PATH", "/nowhere")
	_, err := find(nil)
	wantLine(t, err, "no PostgreSQL server found", "apt-get install postgresql", "DATABASE_URL")

	t.Setenv("PG_BIN", "/nowhere")
	_, err = find(places)
	wantLine(t, err, "PG_BIN /nowhere", "leave it unset")

	t.Setenv("PG_BIN", "")
	base := t.TempDir()
	fake := func(name, version string) string {
		bin := filepath.Join(base, name, "bin")
		if err := os.MkdirAll(bin, 0o755); err != nil {
			t.Fatal(err)
		}
		for file, text := range map[string]string{"postgres": "#!/bin/sh\necho 'postgres (PostgreSQL) " + version + "'\n", "initdb": "#!/bin/sh\n"} {
			if err := os.WriteFile(filepath.Join(bin, file), []byte(text), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		return bin
	}
	fake("9", "9.6.24")
	newest := fake("18", "18beta1 (Debian 18~beta1-1)")
	fake("15", "15.13 (Debian 15.13-0+deb12u1)")
	broken := fake("20", "20.1")
	if err := os.Remove(filepath.Join(broken, "initdb")); err != nil { // client programs only
		t.Fatal(err)
	}
	found, err := find([]string{filepath.Join(base, "*", "bin")})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != 3 || found[0] != (programs{newest, 18}) || found[1].major != 15 || found[2].major != 9 {
		t.Errorf("found %v, want 18, 15, 9", found)
	}

	// A link on the PATH, as distributions make it: initdb is beside its target.
	path := filepath.Join(base, "path")
	if err := os.Mkdir(path, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(newest, "postgres"), filepath.Join(path, "postgres")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", path+":/bin:/usr/bin")
	found, err = find(nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != 1 || found[0].bin != newest {
		t.Errorf("through the PATH: found %v, want %s", found, newest)
	}
}

// TestParentClosedToOthers uses a folder below one of mode 0700. A user's own
// server is at home there; root's runs as somebody else and moves to /var/lib.
func TestParentClosedToOthers(t *testing.T) {
	t.Parallel()
	parent := filepath.Dir(folder(t))
	if err := os.Chmod(parent, 0o700); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(parent, "var")
	s := start(t, dir, quick)
	do(t, s, "CREATE TABLE kept AS SELECT 1 AS i")
	h, err := openHome(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := dir
	if os.Geteuid() == 0 {
		want = fmt.Sprintf("/var/lib/landmark-%x", sha256.Sum256([]byte(dir)))[:len("/var/lib/landmark-")+12]
		t.Cleanup(func() {
			if err := os.RemoveAll(want); err != nil {
				t.Error(err)
			}
		})
	}
	if h.dir != want {
		t.Fatalf("the server's folder is %s, want %s", h.dir, want)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	// Opening the parent later must not hide the data.
	if err := os.Chmod(parent, 0o755); err != nil {
		t.Fatal(err)
	}
	s = start(t, dir, quick)
	if got := ask(t, s, "SELECT i::text FROM kept"); got != "1" {
		t.Errorf("got %s", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestAsOrdinaryUser runs all the tests again without root's powers, where
// they have been run with them.
func TestAsOrdinaryUser(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		return // that is what this run is
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	uid, err := strconv.ParseUint(nobody.Uid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	gid, err := strconv.ParseUint(nobody.Gid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(folder(t)) // go test's own folder is closed to others
	binary, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(dir, "localpg.test")
	if err := os.WriteFile(copied, binary, 0o755); err != nil {
		t.Fatal(err)
	}
	home := filepath.Join(dir, "home")
	if err := os.Mkdir(home, 0o700); err != nil { // where there is no /dev/shm
		t.Fatal(err)
	}
	if err := os.Chown(home, int(uid), int(gid)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(copied, "-test.timeout=5m")
	cmd.Dir = home
	cmd.Env = append(os.Environ(), "HOME="+home, "TMPDIR="+home)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("as %s: %v\n%s", nobody.Username, err, out)
	}
}

// wantLine checks that err is one line with all these words.
func wantLine(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want one with %q", words)
		return
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("more than one line: %v", err)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("error %q does not say %q", err, word)
		}
	}
}

// fingerprint changes with any file below dir.
func fingerprint(t *testing.T, dir string) string {
	t.Helper()
	sum := sha256.New()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		fmt.Fprintln(sum, path)
		if d.Type().IsRegular() {
			b, err := os.ReadFile(path)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			sum.Write(b)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", sum.Sum(nil))
}
