package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"landmark/internal/landmark"
	"landmark/internal/pgtest"
	"landmark/internal/server"
	"landmark/internal/store"
)

func TestHeadersOnEveryAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *server.Config) { c.BaseURL = "https://landmark.example.cn" })
	w.account("office", landmark.RoleOffice, "")
	_, rows := readRights(t)
	rows = append(rows,
		rightsRow{method: http.MethodGet, path: "/no/such/page"},
		rightsRow{method: http.MethodGet, path: "/.git/config"},
		rightsRow{method: http.MethodGet, path: "/debug/pprof/"},
		rightsRow{method: http.MethodGet, path: "/static/"},
		rightsRow{method: http.MethodPost, path: "/key"},
		rightsRow{method: http.MethodTrace, path: "/"},
		rightsRow{method: http.MethodGet, path: "/?month=9"},
		rightsRow{method: http.MethodHead, path: "/key"},
	)
	for _, signedIn := range []bool{false, true} {
		for _, row := range rows {
			b := w.browser()
			if signedIn {
				b = w.enter("office")
			}
			res := b.send(row.method, row.path, row.form)
			for name, want := range map[string]string{
				"Content-Security-Policy":      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'",
				"X-Content-Type-Options":       "nosniff",
				"Referrer-Policy":              "same-origin",
				"Cross-Origin-Opener-Policy":   "same-origin",
				"Cross-Origin-Resource-Policy": "same-origin",
				"Strict-Transport-Security":    "max-age=31536000; includeSubDomains",
				"Cache-Control":                "no-store",
			} {
				if name == "Cache-Control" && row.pattern == "/screen" && res.StatusCode == http.StatusOK {
					want = "private, no-cache" // a wall asks every few seconds, and is answered 304
				}
				if got := res.Header.Get(name); !strings.HasPrefix(got, want) {
					t.Errorf("%s %s: %s = %q, want %q", row.method, row.path, name, got, want)
				}
			}
			if res.Header.Get("X-Request-Id") == "" || res.Header.Get("Permissions-Policy") == "" {
				t.Errorf("%s %s: no X-Request-Id or Permissions-Policy", row.method, row.path)
			}
			if res.StatusCode >= 500 {
				t.Errorf("%s %s = %d", row.method, row.path, res.StatusCode)
			}
		}
	}
}

func TestStrangeAddresses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("office", landmark.RoleOffice, "")
	b := w.enter("office")
	for _, c := range []struct {
		method, path string
		want         int
	}{
		{http.MethodTrace, "/", 405},
		{http.MethodPut, "/", 405},
		{http.MethodPost, "/key", 405},
		{http.MethodGet, "/logout", 405},
		{http.MethodHead, "/key", 200},
		{http.MethodGet, "/static/", 404},
		{http.MethodGet, "/static/../go.mod", 404},
		{http.MethodGet, "/.git/config", 404},
		{http.MethodGet, "/debug/pprof/", 404},
		{http.MethodGet, "/indicators/4.1%00", 404},
		{http.MethodGet, "/indicators/%ff", 404},
		{http.MethodGet, "/?month=2023-9", 400},
		{http.MethodGet, "/?month=2023-13", 400},
		{http.MethodGet, "/?month=2022-09", 404},
		{http.MethodGet, "/?month=2023-04", 200}, // before the plan was published: nothing is owed
		{http.MethodGet, "/?month=2022-12", 404},
		{http.MethodGet, "/?month=2023-12", 200},
		{http.MethodGet, "/?plan=none", 404},
		{http.MethodGet, "/?plan=%00", 400},
		{http.MethodGet, "/?plan=%ff", 400},
		{http.MethodGet, "/?plan=%zz", 400},
		{http.MethodGet, "/?plan=a;b", 400},
		{http.MethodGet, "/?month=2023-09&month=2023-08", 400},
		{http.MethodGet, "/?as_of=2023-10-12T09:30", 200},
		{http.MethodGet, "/?as_of=2023-10-12T01:30:00Z", 200},
		{http.MethodGet, "/?as_of=2023-10-12T09:30:01", 400}, // the future
		{http.MethodGet, "/?as_of=yesterday", 400},
		{http.MethodGet, "/?as_of=2023-01-01T00:00", 404}, // before there was a plan
		{http.MethodGet, "/?sort=upwards", 400},
		{http.MethodGet, "/?status=purple", 400},
		{http.MethodGet, "/?status=behind&sort=trouble", 200},
	} {
		res := b.send(c.method, c.path, "")
		page := bodyOf(t, res)
		if res.StatusCode != c.want {
			t.Errorf("%s %s = %d, want %d", c.method, c.path, res.StatusCode, c.want)
		}
		if c.want >= 400 {
			plainError(t, c.method+" "+c.path, page)
		}
		if c.want == 405 && res.Header.Get("Allow") == "" {
			t.Errorf("%s %s: no Allow", c.method, c.path)
		}
	}
}

// plainError fails for an error page that shows how the program is made.
func plainError(t *testing.T, what, page string) {
	t.Helper()
	for _, leak := range []string{"goroutine", ".go:", "SQLSTATE", "SELECT", "panic", "/work", "internal/", "pgx", "runtime error", "context deadline", "no rows"} {
		if strings.Contains(page, leak) {
			t.Errorf("%s: the page shows %q:\n%s", what, leak, page)
		}
	}
	if page != "" && textOf(t, page, "h1") == "" {
		t.Errorf("%s: the page has no heading:\n%s", what, page)
	}
}

func TestWritesFromOtherSites(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("office", landmark.RoleOffice, "")
	_, rows := readRights(t)
	for _, row := range rows {
		if row.method == http.MethodGet {
			continue
		}
		for name, c := range map[string]struct {
			header map[string]string
			refuse bool
		}{
			"neither header":      {nil, true},
			"cross-site":          {map[string]string{"Sec-Fetch-Site": "cross-site"}, true},
			"same-site":           {map[string]string{"Sec-Fetch-Site": "same-site"}, true},
			"cross-site, ours":    {map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "http://other.cn"}, true},
			"foreign origin":      {map[string]string{"Origin": "http://other.cn"}, true},
			"other port":          {map[string]string{"Origin": "http://127.0.0.1:9090"}, true},
			"null origin":         {map[string]string{"Origin": "null"}, true},
			"same origin":         {map[string]string{"Origin": "http://127.0.0.1:8080"}, false},
			"same by fetch":       {map[string]string{"Sec-Fetch-Site": "same-origin"}, false},
			"typed by the person": {map[string]string{"Sec-Fetch-Site": "none"}, false},
		} {
			b := w.enter("office")
			b.header["Origin"] = nil
			for k, v := range c.header {
				b.header.Set(k, v)
			}
			before := w.fingerprint("account", "history")
			res := b.send(row.method, row.path, noObjects.Replace(row.form))
			if refused := res.StatusCode == http.StatusForbidden; refused != (c.refuse || row.want["office"] == http.StatusForbidden) {
				t.Errorf("%s %s, %s: %d, want refused %t", row.method, row.path, name, res.StatusCode, c.refuse)
			}
			if c.refuse {
				plainError(t, name, bodyOf(t, res))
				if diff := cmp.Diff(before, w.fingerprint("account", "history")); diff != "" {
					t.Errorf("%s %s, %s: changed the database (-before +after):\n%s", row.method, row.path, name, diff)
				}
				if res := w.serve(t.Context(), w.srv, http.MethodGet, "/account", b.jar["landmark"]); res != http.StatusOK {
					t.Errorf("%s %s, %s: signed out by another site", row.method, row.path, name)
				}
			}
		}
	}
}

func TestRepeatedFormField(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	res := w.browser().post("/login", "name", "a", "name", "b", "password", "x")
	if res.StatusCode != http.StatusBadRequest {
		t.Errorf("a name twice: %d, want 400", res.StatusCode)
	}
	res = w.browser().post("/login", "name", strings.Repeat("a", 100<<10), "password", "x")
	if res.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a form of 100 KiB: %d, want 413", res.StatusCode)
	}
	plainError(t, "large form", bodyOf(t, res))
}

func TestRequestID(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for sent, kept := range map[string]bool{
		"0123456789abcdef":                 true,
		"short":                            false,
		strings.Repeat("a", 65):            false,
		"abcdefgh\"} {\"level\":\"ERROR\"": false,
	} {
		b := w.browser()
		b.header.Set("X-Request-Id", sent)
		if got := b.get("/healthz").Header.Get("X-Request-Id"); (got == sent) != kept || got == "" {
			t.Errorf("sent %q, got %q, want kept %t", sent, got, kept)
		}
	}
}

// Each line of the log is one JSON object, whatever a request puts into it.
func TestLogLinesCannotBeForged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.get("/a%0A%7B%22level%22:%22ERROR%22%7D")
	b.post("/login", "name", "x\n{\"level\":\"ERROR\",\"msg\":\"forged\"}", "password", "y")
	for line := range strings.Lines(w.log.String()) {
		var v map[string]any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Errorf("%v in line %q", err, line)
		}
		if v["msg"] == "forged" {
			t.Errorf("forged line %q", line)
		}
	}
}

func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("office", landmark.RoleOffice, "")
	b := w.enter("office")
	w.db.Close()
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 503, "/login": 503, "/": 503, "/api/v1/indicators": 503} {
		res := b.get(path)
		page := bodyOf(t, res)
		if res.StatusCode != want {
			t.Errorf("%s without a database: %d, want %d", path, res.StatusCode, want)
		}
		if want == 503 && path != "/readyz" && res.Header.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", path)
		}
		if path == "/login" || path == "/" {
			plainError(t, path, page)
		}
	}

	nobody, err := store.Open(t.Context(), "postgres://nobody@127.0.0.1:1/none?connect_timeout=1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nobody.Close)
	w = newWorld(t, func(c *server.Config) { c.Store = store.New(nobody) })
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 503, "/login": 503} {
		if res := w.browser().get(path); res.StatusCode != want {
			t.Errorf("%s with nobody at the database's address: %d, want %d", path, res.StatusCode, want)
		}
	}
}

func TestDeadline(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *server.Config) { c.Deadline = 50 * time.Millisecond })
	w.account("office", landmark.RoleOffice, "")
	lock, err := w.owner().Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Rollback(context.Background()) }()
	if _, err := lock.Exec(t.Context(), "LOCK TABLE account, plan"); err != nil {
		t.Fatal(err)
	}
	res := w.browser().get("/login")
	if res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a locked table: %d, want 503", res.StatusCode)
	}
	page := bodyOf(t, res)
	plainError(t, "deadline", page)
	if !strings.Contains(page, `class="app-foot"`) {
		t.Error("the page of a request whose time ran out is not a page of ours")
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.address = "127.0.0.1:5000"
	b.get("/login")
	b.get("/no/such/page")
	page := bodyOf(t, b.get("/metrics"))
	for _, want := range []string{`landmark_http_requests_total{method="GET",route="/login",status="200"} 1`, `route="none",status="404"} 1`,
		`landmark_deliveries{state="failed"} 0`, "landmark_notices_unrelayed 0"} {
		if !strings.Contains(page, want) {
			t.Errorf("the metrics have no %s", want)
		}
	}
	// Reports by state, the history's chain and its alarm, the pool.
	value := func(name string) string {
		_, rest, _ := strings.Cut("\n"+bodyOf(t, b.get("/metrics")), "\n"+name+" ")
		v, _, _ := strings.Cut(rest, "\n")
		return v
	}
	if got := value("landmark_history_unsealed_lines") + " " + value("landmark_history_sealed_lines"); got != "1 0" {
		t.Errorf("%q lines unsealed and sealed, want 1 and 0: the plan's import", got)
	}
	if _, err := w.st.Seal(t.Context(), 10, start); err != nil {
		t.Fatal(err)
	}
	w.clock.add(90 * time.Second)
	if got := value("landmark_history_sealed_lines") + " " + value("landmark_history_head_age_seconds") + " " + value("landmark_history_unsealed_age_seconds"); got != "1 90 0" {
		t.Errorf("lines sealed, age of the head, of what waits: %q, want 1 90 0", got)
	}
	if err := w.st.AddHistory(t.Context(), landmark.HistoryEntry{At: start, Actor: operator, Act: "probe.line", Object: "x"}); err != nil {
		t.Fatal(err)
	}
	if got := value("landmark_history_unsealed_age_seconds"); got != "90" {
		t.Errorf("a line waits for %q seconds, want 90", got)
	}
	b.header.Set("X-Forwarded-For", "203.0.113.8")
	if res := b.get("/metrics"); res.StatusCode != http.StatusNotFound {
		t.Errorf("through a proxy: %d, want 404", res.StatusCode)
	}
	w = newWorld(t, func(c *server.Config) { c.MetricsElsewhere = true })
	b = w.browser()
	b.address = "127.0.0.1:5000"
	if res := b.get("/metrics"); res.StatusCode != http.StatusNotFound {
		t.Errorf("with a listener elsewhere: %d, want 404", res.StatusCode)
	}

	address := pgtest.URL(t)
	pair, err := store.OpenPair(t.Context(), store.Addresses{URL: address, Standby: address}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pair.Close)
	w = newWorld(t, func(c *server.Config) { c.Pair = pair })
	w.sent(w.account("reporter", landmark.RoleReporter, "minzheng"), map[string]string{"4.1": "25.31", "4.2": "36.2"})
	b = w.browser()
	b.address = "127.0.0.1:5000"
	page = bodyOf(t, b.get("/metrics"))
	for _, want := range []string{`landmark_reports{state="submitted"} 2`, `landmark_reports{state="approved"} 0`,
		`landmark_db_pool_limit{pool="primary"} `, `landmark_db_pool_used{pool="standby"} 0`, `landmark_db_pool_waits_total{pool="primary"} 0`} {
		if !strings.Contains(page, want) {
			t.Errorf("the metrics have no %s", want)
		}
	}
}

func TestNotReadyWithAnOldSchema(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *server.Config) { c.Ready = func(context.Context) error { return errors.New("schema 3 of 7") } })
	if res := w.browser().get("/readyz"); res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("readyz = %d, want 503", res.StatusCode)
	}
}

// A server told to stop says it is not ready, goes on answering, and ends
// without an error once nothing is under way.
func TestDrain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *server.Config) { c.DrainWait = 300 * time.Millisecond })
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.srv.Run(ctx, ln) }()
	status := func(path string) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+ln.Addr().String()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			return 0
		}
		defer res.Body.Close()
		return res.StatusCode
	}
	if got := status("/readyz"); got != http.StatusOK {
		t.Fatalf("readyz = %d, want 200", got)
	}
	stop()
	for status("/readyz") == http.StatusOK { // the very moment after stop
	}
	if got := status("/readyz"); got != http.StatusServiceUnavailable {
		t.Errorf("readyz while draining = %d, want 503", got)
	}
	if got := status("/healthz"); got != http.StatusOK {
		t.Errorf("healthz while draining = %d, want 200", got)
	}
	if err := <-ended; err != nil {
		t.Errorf("Run = %v, want a clean end", err)
	}
	if got := status("/healthz"); got != 0 {
		t.Errorf("healthz after the end = %d, want no answer", got)
	}
}
