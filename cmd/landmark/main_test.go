package main

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"landmark/internal/auth"
	"landmark/internal/pgtest"
	"landmark/internal/store"
	"landmark/seeds"
)

// call runs the program on a database of the test's own.
func call(t *testing.T, url, stdin string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	if url != "" {
		args = append(args, "--database-url", url)
	}
	var out, errs bytes.Buffer
	status = run(t.Context(), args, strings.NewReader(stdin), &out, &errs)
	return status, out.String(), errs.String()
}

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPlanComesBackByteForByte(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	table, details := write(t, "plan.txt", string(seeds.Table)), write(t, "plan.csv", string(seeds.Details))
	if status, _, stderr := call(t, url, "", "plan", "import", table, "--details", details, "--slug", "tongxiang-2023",
		"--title", seeds.Title, "--published", "2023-05-31"); status != 0 {
		t.Fatalf("import: status %d, %s", status, stderr)
	}
	status, stdout, stderr := call(t, url, "", "plan", "export", "--format", "text")
	if status != 0 || stdout != string(seeds.Table) {
		t.Errorf("export: status %d, %s; %d bytes, want the table's %d", status, stderr, len(stdout), len(seeds.Table))
	}
	if status, _, stderr := call(t, url, "", "plan", "import", table, "--slug", "tongxiang-2023"); status != 1 || strings.Count(stderr, "\n") != 1 {
		t.Errorf("import again: status %d, %q; want 1 and one line", status, stderr)
	}
	for _, args := range [][]string{{"--title", "别的标题"}, {"--published", "2023-07-01"}} {
		status, _, stderr := call(t, url, "", append([]string{"plan", "import", table, "--slug", "tongxiang-2023", "--update"}, args...)...)
		if status != 1 || !strings.Contains(stderr, "leave --title and --published out") {
			t.Errorf("update with %s: status %d, %q; want 1 and that it is kept", args, status, stderr)
		}
	}
	if status, stdout, stderr := call(t, url, "", "plan", "import", table, "--slug", "tongxiang-2023", "--update",
		"--published", "2023-05-31"); status != 0 || !strings.Contains(stdout, seeds.Title) {
		t.Errorf("update: status %d, %q %q; want the title there is", status, stdout, stderr)
	}
	for _, c := range []struct{ details, says string }{
		{string(seeds.Details), "nothing to update"},
		{strings.Replace(string(seeds.Details), "4.2,flow,up,万人次,2,monthly,,yes,,", "4.2,flow,up,万人次,2,monthly,,yes,2023-06=20;2023-12=46.5,", 1), "changes: 1\n"},
		{string(seeds.Details), "changes: 1\n"}, // the curve is taken away again
		{string(seeds.Details), "nothing to update"},
	} {
		status, stdout, stderr := call(t, url, "", "plan", "import", table, "--details", write(t, "plan.csv", c.details), "--slug", "tongxiang-2023", "--update")
		if status != 0 || !strings.Contains(stdout, c.says) {
			t.Errorf("update: status %d, %q %q; want %q", status, stdout, stderr, c.says)
		}
		_, written, _ := call(t, url, "", "plan", "export", "--format", "details")
		if curve := strings.Contains(written, "2023-12=46.5"); curve != strings.Contains(c.details, "2023-12=46.5") {
			t.Errorf("after an update that says %q, the curve is there: %t", c.says, curve)
		}
	}
	if status, _, stderr := call(t, url, "", "plan", "import", table); status != 1 || !strings.Contains(stderr, "there already as the plan tongxiang-2023") {
		t.Errorf("the same table under no name: status %d, %q", status, stderr)
	}
	if status, stdout, stderr := call(t, url, "", "plan", "import", table, "--slug", "second"); status != 0 || !strings.Contains(stdout, "pages show second from now on") {
		t.Errorf("the same table under another name: status %d, %q %q", status, stdout, stderr)
	}
	if status, stdout, _ := call(t, url, "", "plan", "list"); status != 0 || !strings.Contains(stdout, "tongxiang-2023") || !strings.Contains(stdout, "30") {
		t.Errorf("list: status %d, %q", status, stdout)
	}
}

func TestBrokenPlanChangesNothing(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	broken := strings.Replace(string(seeds.Table), "★人口出生率 | 5.48‰ | 降幅趋缓 |", "★人口出生率 | 5.48‰ |", 1)
	broken = strings.Replace(broken, "培育嘉兴市义务教育“新优质学校”(所) | 3 | 3 |", " | 3 | 3 |", 1)
	status, _, stderr := call(t, url, "", "plan", "import", write(t, "plan.txt", broken))
	if status != 1 || !strings.Contains(stderr, "第3行") || !strings.Contains(stderr, "第6行") {
		t.Errorf("status %d, %q; want 1 and both faults by line", status, stderr)
	}
	if _, stdout, _ := call(t, url, "", "plan", "list"); strings.Count(stdout, "\n") != 1 {
		t.Errorf("a broken table left %q", stdout)
	}
}

func TestUsers(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	status, stdout, stderr := call(t, url, "", "user", "add", "zhang", "--role", "office", "--name", "张三")
	if status != 0 || !strings.Contains(stdout, "password, to be changed at first sign-in: ") {
		t.Fatalf("add: status %d, %q, %q", status, stdout, stderr)
	}
	if status, _, stderr := call(t, url, "", "user", "add", "zhang", "--role", "office"); status != 1 || strings.Count(stderr, "\n") != 1 {
		t.Errorf("add twice: status %d, %q; want 1 and one line", status, stderr)
	}
	if status, stdout, _ := call(t, url, "correct horse battery staple\n", "user", "add", "li", "--role", "viewer"); status != 0 || strings.Contains(stdout, "horse") {
		t.Errorf("add with a password: status %d, %q; the password must not be repeated", status, stdout)
	}
	if status, _, _ := call(t, url, "", "user", "add", "wang", "--role", "reporter"); status != 2 {
		t.Errorf("reporter without a department: status %d, want 2", status)
	}
	if status, _, stderr := call(t, url, "", "user", "add", "wang", "--role", "reporter", "--department", "没有这个局"); status != 1 || strings.Count(stderr, "\n") != 1 {
		t.Errorf("unknown department: status %d, %q; want 1 and one line", status, stderr)
	}
	if status, stdout, stderr := call(t, url, "", "user", "reset-factor", "zhang"); status != 0 || !strings.Contains(stdout, "second factor off") {
		t.Errorf("reset second factor: status %d, %q, %q", status, stdout, stderr)
	}
	if status, _, stderr := call(t, url, "", "user", "reset-factor", "nobody"); status != 1 || strings.Count(stderr, "\n") != 1 {
		t.Errorf("reset the second factor of nobody: status %d, %q; want 1 and one line", status, stderr)
	}
	link := func(act, name, subject string) []string {
		return []string{"user", act, name, "--issuer", "https://login.example.cn", "--subject", subject}
	}
	for _, c := range []struct {
		args   []string
		status int
	}{
		{link("link", "zhang", "person-7"), 0}, {link("link", "li", "person-7"), 1}, {link("link", "nobody", "person-8"), 1},
		{link("unlink", "li", "person-7"), 1}, {link("unlink", "zhang", "person-7"), 0}, {link("unlink", "zhang", "person-7"), 1},
		{[]string{"user", "link", "zhang", "--subject", "person-7"}, 2},
	} {
		if status, _, stderr := call(t, url, "", c.args...); status != c.status || status == 1 && strings.Count(stderr, "\n") != 1 {
			t.Errorf("%v: status %d, %q; want %d", c.args, status, stderr, c.status)
		}
	}
	if status, _, stderr := call(t, url, "", "user", "disable", "zhang"); status != 0 {
		t.Errorf("disable: status %d, %q", status, stderr)
	}
	if _, stdout, _ := call(t, url, "", "user", "list"); !strings.Contains(stdout, "disabled") || !strings.Contains(stdout, "张三") {
		t.Errorf("list: %q", stdout)
	}
}

func TestUsageAndRefusals(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // not defer: the parallel cases below outlive this function
		if err := ln.Close(); err != nil {
			t.Error(err)
		}
	})
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "postgres://app:geheim@" + closed.Addr().String() + "/landmark"
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		args   []string
		status int
		say    string
	}{
		{"help", []string{"help"}, 0, ""},
		{"help of a command", []string{"help", "serve"}, 0, ""},
		{"no command", nil, 0, ""},
		{"unknown command", []string{"fly"}, 2, "landmark help"},
		{"unknown flag", []string{"plan", "list", "--fast"}, 2, "landmark help"},
		{"demo for the world", []string{"serve", "--demo", "--listen", "0.0.0.0:0"}, 2, "loopback"},
		{"demo clock without demo", []string{"serve", "--demo-now", "2023-10-12T09:30"}, 2, "--demo"},
		{"port in use", []string{"serve", "--listen", ln.Addr().String(), "--data-dir", filepath.Join(t.TempDir(), "x")}, 1, "another program listens"},
		{"database away", []string{"plan", "list", "--database-url", nobody}, 1, "does not answer"},
		{"database unreadable", []string{"plan", "list", "--database-url", "mysql://x"}, 1, "postgres://"},
		{"zone", []string{"plan", "list", "--tz-name", "Mars/Olympus"}, 2, "time zone"},
		{"second factor without a key", []string{"serve", "--listen", "127.0.0.1:0", "--require-totp", "office", "--database-url", nobody}, 2, "SECRET_KEY_FILE"},
		{"second factor for whom", []string{"serve", "--require-totp", "all"}, 2, "require-totp"},
		{"key too short", []string{"serve", "--listen", "127.0.0.1:0", "--secret-key-file", write(t, "key", "short\n"), "--database-url", nobody}, 2, "it needs 32"},
		{"key missing", []string{"serve", "--listen", "127.0.0.1:0", "--secret-key-file", "/nonexistent", "--database-url", nobody}, 1, "cannot read SECRET_KEY_FILE"},
		{"provider without https", []string{"serve", "--listen", "127.0.0.1:0", "--oidc-issuer", "http://login.example.cn", "--oidc-client-id", "x", "--database-url", nobody}, 2, "https"},
		{"provider without a client", []string{"serve", "--listen", "127.0.0.1:0", "--oidc-issuer", "https://login.example.cn", "--database-url", nobody}, 2, "OIDC_CLIENT_ID"},
		{"file missing", []string{"plan", "import", "/nonexistent.txt"}, 1, "cannot read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			status, stdout, stderr := call(t, "", "", c.args...)
			if status != c.status || !strings.Contains(stderr, c.say) {
				t.Errorf("status %d, %q; want %d and %q", status, stderr, c.status, c.say)
			}
			if strings.Contains(stderr, "geheim") {
				t.Errorf("the password is printed: %q", stderr)
			}
			if c.status == 0 && stdout == "" {
				t.Error("no help was printed")
			}
			if c.status == 1 && strings.Count(stderr, "\n") != 1 {
				t.Errorf("%q is not one line", stderr)
			}
		})
	}
}

// The key beside a private database is made once, for its owner's eyes.
func TestOwnKey(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "secret.key")
	key, err := ownKey(file)
	if err != nil || len(key) < auth.MinKey {
		t.Fatalf("made %d bytes, %v", len(key), err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v, want 0600", info.Mode(), err)
	}
	if again, err := ownKey(file); err != nil || again != key {
		t.Errorf("the next start has another key: %v", err)
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ownKey(file); err == nil || !strings.Contains(err.Error(), "empty") {
		t.Errorf("an empty file: %v", err)
	}
}

// serve --demo fills a database, and neither serves the other's.
func TestServeKeepsDemoAndRealApart(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	serve := func(args ...string) (int, string) {
		ctx, cancel := context.WithCancel(t.Context())
		var out stopAt
		out.stop = cancel
		var errs bytes.Buffer
		status := run(ctx, append([]string{"serve", "--listen", "127.0.0.1:0", "--database-url", url}, args...), strings.NewReader(""), &out, &errs)
		return status, errs.String()
	}
	if status, stderr := serve("--demo"); status != 0 {
		t.Fatalf("serve --demo: status %d, %s", status, stderr)
	}
	if status, stderr := serve("--demo"); status != 0 {
		t.Fatalf("serve --demo again: status %d, %s", status, stderr)
	}
	// A plan and an account that commands add go by the demo's clock, which else
	// would begin at the machine's moment when the demo is served again.
	if status, _, stderr := call(t, url, "", "plan", "import", write(t, "plan.txt", string(seeds.Table)), "--slug", "second"); status != 0 {
		t.Fatalf("plan import: status %d, %s", status, stderr)
	}
	if status, _, stderr := call(t, url, "", "user", "add", "zhang", "--role", "office"); status != 0 {
		t.Fatalf("user add: status %d, %s", status, stderr)
	}
	pool, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	h, err := store.New(pool).Holdings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := time.Date(2023, 10, 13, 0, 0, 0, 0, time.UTC); h.LastAct.After(want) {
		t.Errorf("the demo's last act is at %s, want before %s", h.LastAct, want)
	}
	if status, stderr := serve(); status != 1 || !strings.Contains(stderr, "demo data") {
		t.Errorf("serve on a demo database: status %d, %q", status, stderr)
	}
	if status, stdout, stderr := call(t, url, "", "db", "verify"); status != 0 || !strings.Contains(stdout, "history is whole") {
		t.Errorf("db verify: status %d, %q %q", status, stdout, stderr)
	}
}

// stopAt ends a server as soon as it says that it listens. What it prints and what
// it logs may come at once.
type stopAt struct {
	mu sync.Mutex
	bytes.Buffer
	stop func()
}

func (s *stopAt) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if bytes.Contains(p, []byte("listening on")) {
		s.stop()
	}
	return s.Buffer.Write(p)
}

// A demo's dump restored elsewhere gives the same figures, the same history and
// the same dump; a damaged one and a database in use are refused.
func TestDumpAndRestore(t *testing.T) {
	t.Parallel()
	from, to := pgtest.URL(t), pgtest.URL(t)
	ctx, cancel := context.WithCancel(t.Context())
	out := stopAt{stop: cancel}
	if status := run(ctx, []string{"serve", "--demo", "--listen", "127.0.0.1:0", "--database-url", from}, strings.NewReader(""), &out, &out); status != 0 {
		t.Fatalf("serve --demo: status %d, %s", status, out.String())
	}
	file := filepath.Join(t.TempDir(), "landmark.dump")
	if status, _, stderr := call(t, from, "", "db", "dump", file); status != 0 {
		t.Fatalf("dump: status %d, %s", status, stderr)
	}
	if status, _, stderr := call(t, from, "", "db", "restore", file); status != 1 || !strings.Contains(stderr, "not empty") {
		t.Errorf("restore into a database in use: status %d, %q", status, stderr)
	}
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if status, _, stderr := call(t, to, "", "db", "restore", write(t, "cut.dump", string(whole[:len(whole)/2]))); status != 1 || strings.Count(stderr, "\n") != 1 {
		t.Errorf("restore a dump cut in half: status %d, %q", status, stderr)
	}
	if status, stdout, stderr := call(t, to, "", "db", "restore", file); status != 0 || !strings.Contains(stdout, "restored") {
		t.Fatalf("restore: status %d, %q %q", status, stdout, stderr)
	}
	for _, args := range [][]string{{"db", "verify"}, {"plan", "export"}, {"user", "list"}} {
		_, was, _ := call(t, from, "", args...)
		_, is, stderr := call(t, to, "", args...)
		if was != is || was == "" {
			t.Errorf("%v differs after restoring: %q, was %q (%s)", args, is, was, stderr)
		}
	}
	again := filepath.Join(t.TempDir(), "again.dump")
	if status, _, stderr := call(t, to, "", "db", "dump", again); status != 0 {
		t.Fatalf("dump again: status %d, %s", status, stderr)
	}
	if a, b := sums(t, file), sums(t, again); a != b {
		t.Errorf("the dump of the restored database differs:\n%s\nwas\n%s", b, a)
	}
	// It goes on working: numbers do not collide, the append-only tables refuse.
	if status, _, stderr := call(t, to, "", "user", "add", "neu", "--role", "viewer"); status != 0 {
		t.Errorf("user add after restoring: status %d, %s", status, stderr)
	}
}

// sums are the tables of a dump with their rows and sums.
func sums(t *testing.T, file string) string {
	t.Helper()
	z, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	m, err := store.ReadManifest(&z.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, table := range m.Tables {
		fmt.Fprintf(&b, "%s %d %s\n", table.Name, table.Rows, table.SHA256)
	}
	return b.String()
}

// -o never puts a file in the place of a device, a pipe, a link or a folder.
func TestOutputKeepsWhatIsNoFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pipe, file, link := filepath.Join(dir, "pipe"), filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	p := &program{stdout: io.Discard}
	put := func(w io.Writer) error { _, err := io.WriteString(w, "new"); return err }

	r, err := os.OpenFile(pipe, os.O_RDWR, 0) // a reader, so that writing does not wait
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := p.output(pipe, put); err != nil {
		t.Errorf("to a pipe: %v", err)
	}
	if info, err := os.Lstat(pipe); err != nil || info.Mode().Type() != os.ModeNamedPipe {
		t.Errorf("the pipe has become %v, %v", info.Mode(), err)
	}
	if err := p.output(link, put); err != nil {
		t.Errorf("to a link: %v", err)
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != "new" {
		t.Errorf("behind the link stands %q, %v", b, err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode().Type() != os.ModeSymlink {
		t.Errorf("the link has become %v, %v", info.Mode(), err)
	}
	if err := p.output(dir, put); err == nil || !strings.Contains(err.Error(), "folder") {
		t.Errorf("to a folder: %v", err)
	}
	if _, _, stderr := call(t, "", "", "db", "dump", pipe); !strings.Contains(stderr, "not to a device") {
		t.Errorf("db dump to a pipe: %q", stderr)
	}
}
