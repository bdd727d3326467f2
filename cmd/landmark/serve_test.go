package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"landmark/internal/pgtest"
)

// running is the program serving, in this process.
type running struct {
	base   string
	log    *output
	stop   context.CancelFunc
	status chan int
}

// output can be read while it is written, and tells when a text has come.
type output struct {
	mu   sync.Mutex
	b    bytes.Buffer
	more chan struct{}
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.more)
	o.more = make(chan struct{})
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// wait gives what stands behind text on its line, as soon as it is there.
func (o *output) wait(t *testing.T, ended <-chan int, text string) string {
	t.Helper()
	for {
		o.mu.Lock()
		all, more := o.b.String(), o.more
		o.mu.Unlock()
		if _, rest, ok := strings.Cut(all, text); ok && strings.Contains(rest, "\n") {
			line, _, _ := strings.Cut(rest, "\n")
			return line
		}
		select {
		case <-more:
		case status := <-ended:
			t.Fatalf("ended with status %d without saying %q:\n%s", status, text, all)
		case <-time.After(time.Minute):
			t.Fatalf("never said %q:\n%s", text, all)
		}
	}
}

// startServing runs landmark serve with flags until the test ends.
func startServing(t *testing.T, flags ...string) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	out := &output{more: make(chan struct{})}
	r := &running{log: &output{more: make(chan struct{})}, stop: cancel, status: make(chan int, 1)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.status <- run(ctx, append([]string{"serve", "--listen", "127.0.0.1:0"}, flags...), strings.NewReader(""), out, r.log)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		if t.Failed() {
			t.Logf("the program's log:\n%s", r.log)
		}
	})
	r.base = "http" + out.wait(t, r.status, "listening on http")
	return r
}

// get is the answer to a request; it follows no redirect.
func (r *running) get(t *testing.T, path string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.base+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(b)
}

// The program starts before its database, says so, answers every page with 503
// and is ready by itself soon after the database is (P15).
func TestStartsWithoutDatabase(t *testing.T) {
	t.Parallel()
	cluster := pgtest.NewCluster(t)
	began := time.Now()
	r := startServing(t, "--database-url", cluster.URL("postgres"))
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it listened only after %s", took)
	}
	if said := r.log.wait(t, r.status, "waiting: "); !strings.Contains(said, "(DATABASE_URL) does not answer") || !strings.Contains(said, "refused") || strings.Contains(said, "geheim") {
		t.Errorf("it said %q, want where it waits and why, without the password", said)
	}
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 503, "/": 503, "/login": 503, "/reports/2023-09": 503, "/api/v1/indicators": 503, "/nowhere": 503} {
		res, body := r.get(t, path)
		if res.StatusCode != want {
			t.Errorf("GET %s: status %d, want %d", path, res.StatusCode, want)
		}
		page := want == 503 && path != "/readyz"
		if page && (res.Header.Get("Retry-After") == "" || !strings.Contains(body, "数据库还没有答复")) {
			t.Errorf("GET %s: Retry-After %q, %.300q; want a time and the reason in Chinese", path, res.Header.Get("Retry-After"), body)
		}
	}

	// As long as it takes for the program to have asked a few times more.
	away := 3
	if os.Getenv("FULL") == "1" {
		away = 60
	}
	for range away {
		<-time.After(awaitEvery)
		if res, _ := r.get(t, "/readyz"); res.StatusCode != 503 {
			t.Fatalf("ready without a database: %d", res.StatusCode)
		}
	}
	_, address, _ := strings.Cut(r.base, "//")
	if status, _, stderr := call(t, "", "", "healthcheck", "--listen", address); status != 0 {
		t.Errorf("healthcheck without a database: status %d, %q; want 0: nothing is mended by starting anew", status, stderr)
	}
	if status, _, stderr := call(t, "", "", "healthcheck", "--ready", "--listen", address); status != 1 || !strings.Contains(stderr, "not ready: 503") {
		t.Errorf("healthcheck --ready without a database: status %d, %q; want 1", status, stderr)
	}
	cluster.Start(t)
	up := time.Now()
	for {
		if res, _ := r.get(t, "/readyz"); res.StatusCode == 200 {
			break
		}
		if time.Since(up) > time.Minute {
			t.Fatalf("never ready:\n%s", r.log)
		}
		<-time.After(20 * time.Millisecond)
	}
	took := time.Since(up)
	t.Logf("P15 start without a database | 1 round of %d s | ready %s after it came", away, took.Round(10*time.Millisecond))
	if took > 5*time.Second {
		t.Errorf("ready %s after the database, want 5 s", took)
	}
	if res, body := r.get(t, "/login"); res.StatusCode != 200 || !strings.Contains(body, "password") {
		t.Errorf("GET /login: status %d, %.300q; want the form", res.StatusCode, body)
	}
	if n := strings.Count(r.log.String(), "waiting: "); n != 1+away/60 {
		t.Errorf("it said %d times that it waits, want once a minute:\n%s", n, r.log)
	}
	r.stop()
	if status := <-r.status; status != 0 {
		t.Errorf("stopped with status %d, want 0:\n%s", status, r.log)
	}
}

// Stopped before the database came, the program ends well.
func TestStoppedWhileWaiting(t *testing.T) {
	t.Parallel()
	cluster := pgtest.NewCluster(t) // never started
	r := startServing(t, "--database-url", cluster.URL("postgres"))
	r.log.wait(t, r.status, "waiting: ")
	r.stop()
	if status := <-r.status; status != 0 {
		t.Errorf("status %d, want 0:\n%s", status, r.log)
	}
}

// A database that answers and says no, an address that cannot be right and
// --fail-fast end the program at once with one line.
func TestDoesNotWaitForWhatIsWrong(t *testing.T) {
	t.Parallel()
	up, away := pgtest.NewCluster(t), pgtest.NewCluster(t)
	up.Start(t)
	for name, c := range map[string]struct {
		args []string
		say  string
	}{
		"wrong password":   {[]string{"serve", "--database-url", strings.Replace(up.URL("postgres"), "geheim", "verkehrt", 1)}, "password authentication failed"},
		"unknown database": {[]string{"serve", "--database-url", up.URL("nowhere")}, `"nowhere" does not exist`},
		"unreadable":       {[]string{"serve", "--database-url", "mysql://x"}, "postgres://"},
		"told not to wait": {[]string{"serve", "--fail-fast", "--database-url", away.URL("postgres")}, "does not answer"},
		"migrate":          {[]string{"migrate", "up", "--database-url", away.URL("postgres")}, "does not answer"},
		"plan list":        {[]string{"plan", "list", "--database-url", away.URL("postgres")}, "does not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			args := c.args
			if args[0] == "serve" {
				args = append(args, "--listen", "127.0.0.1:0")
			}
			status, _, stderr := call(t, "", "", args...)
			if status != 1 || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, c.say) || strings.Contains(stderr, "verkehrt") || strings.Contains(stderr, "geheim") {
				t.Errorf("status %d, %q; want 1 and one line with %q and no password", status, stderr, c.say)
			}
		})
	}
}

// Behind a pooler nothing can be set for a session: a role that lacks what other
// connections set for themselves is refused with what to do.
func TestRoleBehindAPooler(t *testing.T) {
	t.Parallel()
	cluster := pgtest.NewCluster(t)
	cluster.Start(t)
	owner := cluster.URL("postgres")
	if status, _, stderr := call(t, owner, "", "migrate", "up"); status != 0 {
		t.Fatalf("migrate: %s", stderr)
	}
	conn, err := pgx.Connect(t.Context(), owner)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	limits := func(role string) string {
		return fmt.Sprintf("ALTER ROLE %[1]s SET statement_timeout = '5s'; ALTER ROLE %[1]s SET lock_timeout = '2s'; ALTER ROLE %[1]s SET idle_in_transaction_session_timeout = '10s';", role)
	}
	if _, err := conn.Exec(t.Context(), `
		CREATE ROLE stranger LOGIN PASSWORD 'geheim'; `+limits("stranger")+`
		CREATE ROLE endless LOGIN PASSWORD 'geheim' IN ROLE landmark_app;
		CREATE ROLE web LOGIN PASSWORD 'geheim' IN ROLE landmark_app; `+limits("web")); err != nil {
		t.Fatal(err)
	}
	as := func(role string) string { return strings.Replace(owner, "postgres:geheim", role+":geheim", 1) }
	for role, say := range map[string]string{
		"stranger": "GRANT landmark_app TO stranger",
		"endless":  "ALTER ROLE endless SET statement_timeout",
		"postgres": "append-only",
	} {
		status, _, stderr := call(t, as(role), "", "serve", "--listen", "127.0.0.1:0", "--database-url-direct", owner)
		if status != 1 || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, say) {
			t.Errorf("as %s: status %d, %q; want 1 and one line with %q", role, status, stderr, say)
		}
	}
	r := startServing(t, "--database-url", as("web"), "--database-url-direct", owner)
	if res, _ := r.get(t, "/readyz"); res.StatusCode != 200 {
		t.Errorf("as web: /readyz %d", res.StatusCode)
	}
	if status, _, stderr := call(t, "", "", "plan", "list", "--database-url-direct", owner); status != 2 || !strings.Contains(stderr, "set both") {
		t.Errorf("the direct address alone: status %d, %q; want 2", status, stderr)
	}
}

// Programs that start at once on an empty database get along: one loads the plan.
func TestStartTogether(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	const programs = 4
	status := make(chan int, programs)
	logs := make([]stopAt, programs)
	for i := range programs {
		ctx, cancel := context.WithCancel(t.Context())
		logs[i].stop = cancel
		go func() {
			status <- run(ctx, []string{"serve", "--listen", "127.0.0.1:0", "--database-url", url}, strings.NewReader(""), &logs[i], &logs[i])
		}()
	}
	failed := false
	for range programs {
		failed = <-status != 0 || failed
	}
	for i := range logs {
		if failed {
			t.Errorf("program %d: %s", i, logs[i].String())
		}
	}
	if _, stdout, _ := call(t, url, "", "plan", "list"); strings.Count(stdout, "tongxiang-2023") != 1 {
		t.Errorf("the plans are %q, want one", stdout)
	}
}
