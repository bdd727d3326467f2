package main

import (
	"bytes"
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/html"

	"landmark/internal/pgtest"
)

// person is somebody's browser.
type person struct {
	t    *testing.T
	base string
	http *http.Client
}

// answer is what a browser got.
type answer struct {
	status int
	header http.Header
	body   string
	took   time.Duration
}

func (p *person) do(method, path, kind string, body []byte) answer {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 30*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, p.base+path, bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Origin", p.base)
	r.Header.Set("Content-Type", kind)
	began := time.Now()
	res, err := p.http.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(b), time.Since(began)}
}

func (p *person) get(path string) answer { p.t.Helper(); return p.do(http.MethodGet, path, "", nil) }

// until asks again until the answer is as wanted, which must be soon.
func (p *person) until(what, path string, good func(answer) bool) {
	p.t.Helper()
	began := time.Now()
	for {
		a := p.get(path)
		if good(a) {
			p.t.Logf("%s after %s", what, time.Since(began).Round(10*time.Millisecond))
			return
		}
		if time.Since(began) > 10*time.Second {
			p.t.Fatalf("not %s after 10 s: %s answers %d, %.300q", what, path, a.status, a.body)
		}
		<-time.After(50 * time.Millisecond)
	}
}

// enter signs in with one of the demo's accounts.
func enter(t *testing.T, r *running, account string) *person {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	p := &person{t: t, base: r.base, http: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	form := url.Values{"account": {account}}.Encode()
	if a := p.do(http.MethodPost, "/login/demo", "application/x-www-form-urlencoded", []byte(form)); a.status != http.StatusSeeOther {
		t.Fatalf("sign in as %s: %d, %.300q", account, a.status, a.body)
	}
	return p
}

// monthForm is the month's form with a figure and a note typed in.
func monthForm(t *testing.T, page, note string) (kind string, body []byte) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	put := func(name, value string) {
		if err := w.WriteField(name, value); err != nil {
			t.Fatal(err)
		}
	}
	typed := false
	for n := range root.Descendants() {
		if n.Type != html.ElementNode || n.Data != "input" && n.Data != "textarea" {
			continue
		}
		at := map[string]string{}
		for _, a := range n.Attr {
			at[a.Key] = a.Val
		}
		name := at["name"]
		switch {
		case name == "key" && b.Len() == 0, strings.HasPrefix(name, "revision["):
			put(name, at["value"])
		case strings.HasPrefix(name, "note["):
			put(name, note)
			typed = true
		}
	}
	put("action", "save")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if !typed {
		t.Fatalf("there is no form to type in: %.500q", page)
	}
	return w.FormDataContentType(), b.Bytes()
}

const monthPath = "/reports/2023-09"

// While the primary is away pages come from the standby and say so; what cannot be
// saved is refused soon and given back. Nothing that was acknowledged is lost (P16).
func TestStandbyIsReadWhileThePrimaryIsAway(t *testing.T) {
	t.Parallel()
	primary := pgtest.NewCluster(t)
	primary.Start(t)
	standby := primary.Standby(t)
	r := startServing(t, "--demo", "--database-url", primary.URL("postgres"), "--database-url-read", standby.URL("postgres"))
	p := enter(t, r, "reporter-renshe")
	before := p.get(monthPath)
	if before.status != 200 || strings.Contains(before.body, "只读") {
		t.Fatalf("the form with both servers: %d, %.300q", before.status, before.body)
	}
	kind, body := monthForm(t, before.body, "停电前写的说明")
	if a := p.do(http.MethodPost, monthPath, kind, body); a.status != http.StatusSeeOther {
		t.Fatalf("save with both servers: %d, %.500q", a.status, a.body)
	}
	kind, body = monthForm(t, p.get(monthPath).body, "停电时写的说明")
	primary.CaughtUp(t, standby)

	primary.Stop(t, "immediate")
	p.until("read only", "/", func(a answer) bool { return a.status == 200 && strings.Contains(a.body, "只读") })
	for _, path := range []string{"/", "/key", "/matrix", "/departments", "/history", "/account", monthPath, "/search?q=养老"} {
		a := p.get(path)
		if a.status != 200 || !strings.Contains(a.body, "只读") || !strings.Contains(a.body, "数据截至") {
			t.Errorf("GET %s without the primary: %d, %.300q; want the page and the banner", path, a.status, a.body)
		}
	}
	if a := p.get(monthPath); !strings.Contains(a.body, "停电前写的说明") {
		t.Error("what was saved before is not on the page")
	}
	if a := p.get("/readyz"); a.status != 200 || !strings.Contains(a.body, "read-only") {
		t.Errorf("/readyz: %d %q, want 200 and read-only", a.status, a.body)
	}
	a := p.do(http.MethodPost, monthPath, kind, body)
	if a.status != 503 || !strings.Contains(a.body, "停电时写的说明") || a.header.Get("Retry-After") == "" || a.took > 3*time.Second {
		t.Errorf("saving without the primary: %d after %s, Retry-After %q, %.300q; want 503 within 3 s with the text", a.status, a.took, a.header.Get("Retry-After"), a.body)
	}
	login := url.Values{"account": {"office"}}.Encode()
	if a := p.do(http.MethodPost, "/login/demo", "application/x-www-form-urlencoded", []byte(login)); a.status != 503 {
		t.Errorf("signing in without the primary: %d, want 503", a.status)
	}

	primary.Start(t)
	p.until("back", "/", func(a answer) bool { return a.status == 200 && !strings.Contains(a.body, "只读") })
	if a := p.do(http.MethodPost, monthPath, kind, body); a.status != http.StatusSeeOther {
		t.Errorf("sending the same form again: %d, %.500q; want it taken", a.status, a.body)
	}
	if a := p.get(monthPath); !strings.Contains(a.body, "停电时写的说明") {
		t.Error("what was sent again is not on the page")
	}

	// A primary that hangs is worse than one that is gone: what waits for it must end.
	primary.Signal(t, syscall.SIGSTOP)
	defer primary.Signal(t, syscall.SIGCONT)
	kind, body = monthForm(t, before.body, "死机时写的说明")
	a = p.do(http.MethodPost, monthPath, kind, body)
	if a.status != 503 || !strings.Contains(a.body, "死机时写的说明") || a.took > 3*time.Second {
		t.Errorf("saving while the primary hangs: %d after %s, %.300q; want 503 within 3 s with the text", a.status, a.took, a.body)
	}
	p.until("read only", "/", func(a answer) bool { return a.status == 200 && strings.Contains(a.body, "只读") })
	primary.Signal(t, syscall.SIGCONT)
	p.until("back", "/", func(a answer) bool { return a.status == 200 && !strings.Contains(a.body, "只读") })
	t.Logf("P16 primary away, standby read | 2 rounds | 0 lost | a form that hung answered after %s", a.took.Round(10*time.Millisecond))
	r.stop()
	if status := <-r.status; status != 0 {
		t.Errorf("stopped with status %d, want 0:\n%s", status, r.log)
	}
}

// Without a standby every page answers 503 soon, and what was typed is given back.
func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	primary := pgtest.NewCluster(t)
	primary.Start(t)
	r := startServing(t, "--demo", "--database-url", primary.URL("postgres"))
	p := enter(t, r, "reporter-renshe")
	kind, body := monthForm(t, p.get(monthPath).body, "停电时写的说明")
	for round, stop := range []func(){
		func() { primary.Stop(t, "immediate") },
		func() { primary.Signal(t, syscall.SIGSTOP) },
	} {
		stop()
		for range 4 { // while it is being found out, and after
			a := p.do(http.MethodPost, monthPath, kind, body)
			if a.status != 503 || !strings.Contains(a.body, "停电时写的说明") || a.took > 3*time.Second {
				t.Errorf("saving: %d after %s, %.300q; want 503 within 3 s with the text", a.status, a.took, a.body)
			}
			if a := p.get("/"); a.status != 503 || a.took > 3*time.Second {
				t.Errorf("GET /: %d after %s, want 503 within 3 s", a.status, a.took)
			}
			if a := p.get("/healthz"); a.status != 200 || a.took > 100*time.Millisecond {
				t.Errorf("/healthz: %d after %s", a.status, a.took)
			}
		}
		if round == 0 {
			primary.Start(t)
		} else {
			primary.Signal(t, syscall.SIGCONT)
		}
		p.until("back", "/", func(a answer) bool { return a.status == 200 })
	}
	if a := p.do(http.MethodPost, monthPath, kind, body); a.status != http.StatusSeeOther {
		t.Errorf("sending the same form again: %d, %.500q; want it taken", a.status, a.body)
	}
}
