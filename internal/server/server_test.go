package server_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/net/html"

	"landmark/internal/auth"
	"landmark/internal/demo"
	"landmark/internal/landmark"
	"landmark/internal/pgtest"
	"landmark/internal/server"
	"landmark/internal/sheet"
	"landmark/internal/store"
	"landmark/seeds"
)

var shanghai = time.FixedZone("CST", 8*3600)

// start is when every test begins.
var start = time.Date(2023, 10, 12, 9, 30, 0, 0, shanghai)

// clock stands still until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// logged is a log that can be read while it is written.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// world is a server on a database of its own that holds the seed plan.
type world struct {
	t       *testing.T
	address string
	db      *pgxpool.Pool
	st      *store.Store
	auth    *auth.Auth // as the command line has it
	srv     *server.Server
	clock   *clock
	log     *logged
	cfg     server.Config
}

// owner is a connection as the database's owner, who may do anything.
func (w *world) owner() *pgx.Conn {
	w.t.Helper()
	c, err := pgx.Connect(w.t.Context(), w.address)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}

var operator = landmark.Actor{Name: "命令行"}

// quick are password hashes that cost next to nothing. What the program's own cost is
// tested where they are made.
var quick = argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// newWorld makes one; the database is worked with as the program does, as the
// role that may not change what is append-only.
func newWorld(t *testing.T, change ...func(*server.Config)) *world {
	t.Helper()
	ctx := t.Context()
	address := pgtest.URL(t)
	db, err := store.Open(ctx, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	w := &world{t: t, db: db, address: address, st: store.New(db), clock: &clock{now: start}, log: &logged{}}
	// The deadline is tried where it is named: a busy machine may take longer over a password.
	w.cfg = server.Config{Store: w.st, Now: w.clock.Now, Zone: shanghai, Demo: true, Deadline: 30 * time.Second, Hashing: quick,
		Log: slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	for _, f := range change {
		f(&w.cfg)
	}
	if w.srv, err = server.New(w.cfg); err != nil {
		t.Fatal(err)
	}
	if w.auth, err = auth.New(auth.Config{Store: w.st, Now: w.clock.Now, Log: slog.New(slog.DiscardHandler), Hashing: w.cfg.Hashing}); err != nil {
		t.Fatal(err)
	}
	if err := w.st.InsertPlan(ctx, seedPlan(t), operator, start.AddDate(0, -4, 0)); err != nil {
		t.Fatal(err)
	}
	return w
}

func seedPlan(t testing.TB) *landmark.Plan {
	t.Helper()
	table, err := sheet.ReadTable(bytes.NewReader(seeds.Table))
	if err != nil {
		t.Fatal(err)
	}
	details, err := sheet.ReadDetails(bytes.NewReader(seeds.Details))
	if err != nil {
		t.Fatal(err)
	}
	departments, err := sheet.ReadDepartments(bytes.NewReader(seeds.Departments))
	if err != nil {
		t.Fatal(err)
	}
	published, err := landmark.ParseDate(seeds.Published)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := sheet.BuildPlan(table, details, sheet.Options{Title: seeds.Title, Slug: seeds.Slug, City: seeds.City, Published: published, Departments: departments})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// fillDemo plays the demo's year, with its accounts. watch is called before each act.
func (w *world) fillDemo(watch ...func(next time.Time) error) {
	w.t.Helper()
	users := map[string]landmark.User{}
	for _, a := range demo.Accounts() {
		users[a.Name] = w.account(a.Name, a.Role, a.Department)
	}
	if err := demo.Fill(w.t.Context(), w.st, "tongxiang-2023", users, shanghai, watch...); err != nil {
		w.t.Fatal(err)
	}
}

// account adds one of the demo's accounts, which is entered without a password.
func (w *world) account(name string, role landmark.Role, department string) landmark.User {
	w.t.Helper()
	u := landmark.User{Name: name, DisplayName: name, Role: role}
	if department != "" {
		d, err := w.st.FindDepartment(w.t.Context(), department)
		if err != nil {
			w.t.Fatal(err)
		}
		u.DepartmentID = d.ID
	}
	id, err := w.st.InsertAccount(w.t.Context(), store.Account{User: u, Hash: store.NoPassword, Demo: true}, start)
	if err != nil {
		w.t.Fatal(err)
	}
	u.ID = id
	return u
}

// member adds an account that signs in with a password.
func (w *world) member(name, password string, role landmark.Role) {
	w.t.Helper()
	if _, err := w.auth.Add(w.t.Context(), operator, auth.NewAccount{Name: name, Role: role, Password: password}); err != nil {
		w.t.Fatal(err)
	}
}

// browser keeps cookies and sends what a browser sends.
type browser struct {
	w       *world
	jar     map[string]string
	address string
	header  http.Header // sent as well
}

func (w *world) browser() *browser {
	return &browser{w: w, jar: map[string]string{}, address: "192.0.2.7:40000", header: http.Header{}}
}

// enter signs in as one of the demo's accounts.
func (w *world) enter(name string) *browser {
	w.t.Helper()
	b := w.browser()
	if res := b.post("/login/demo", "account", name); res.StatusCode != http.StatusSeeOther {
		w.t.Fatalf("enter as %s: %d", name, res.StatusCode)
	}
	return b
}

func (b *browser) get(target string) *http.Response { return b.send(http.MethodGet, target, "") }

// post sends a form; names and values alternate.
func (b *browser) post(target string, pairs ...string) *http.Response {
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return b.send(http.MethodPost, target, form.Encode())
}

func (b *browser) send(method, target, body string) *http.Response {
	r := b.request(b.w.t.Context(), method, target, body)
	rec := httptest.NewRecorder()
	b.w.srv.Handler().ServeHTTP(rec, r)
	res := rec.Result()
	b.keep(res)
	return res
}

func (b *browser) request(ctx context.Context, method, target, body string) *http.Request {
	r := httptest.NewRequestWithContext(ctx, method, "http://127.0.0.1:8080"+target, strings.NewReader(body))
	r.RemoteAddr = b.address
	if method != http.MethodGet && method != http.MethodHead {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", "http://127.0.0.1:8080")
	}
	for name, vs := range b.header {
		if len(vs) == 0 {
			r.Header.Del(name)
		} else {
			r.Header[name] = vs
		}
	}
	for name, value := range b.jar {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	return r
}

func (b *browser) keep(res *http.Response) {
	for _, c := range res.Cookies() {
		if c.MaxAge < 0 {
			delete(b.jar, c.Name)
		} else {
			b.jar[c.Name] = c.Value
		}
	}
}

func bodyOf(t *testing.T, res *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// textOf is the text of the first element with a tag, empty if there is none.
func textOf(t *testing.T, page, tag string) string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == tag {
			var b strings.Builder
			for d := range n.Descendants() {
				if d.Type == html.TextNode {
					b.WriteString(d.Data)
				}
			}
			return strings.TrimSpace(b.String())
		}
	}
	return ""
}

func TestOverviewOfTheSeedPlan(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("office", landmark.RoleOffice, "")
	b := w.enter("office")
	res := b.get("/")
	page := bodyOf(t, res)
	if res.StatusCode != http.StatusOK {
		t.Fatalf("GET / = %d\n%s", res.StatusCode, page)
	}
	for _, p := range []string{"桐享 优育", "交通强市", "每千人托位数"} {
		if !strings.Contains(page, p) {
			t.Errorf("the overview does not show %s", p)
		}
	}
	if res := b.get("/export/matrix.txt"); bodyOf(t, res) != string(seeds.Table) {
		t.Error("/export/matrix.txt is not the source, byte for byte")
	}
}

func TestTrustedProxyOnly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		proxies []netip.Prefix
		peer    string
		header  map[string]string
		want    string
	}{
		{"direct", nil, "192.0.2.7:1", nil, "192.0.2.7"},
		{"forged without proxies", nil, "192.0.2.7:1", map[string]string{"X-Forwarded-For": "10.9.9.9", "X-Real-Ip": "10.9.9.9", "True-Client-Ip": "10.9.9.9"}, "192.0.2.7"},
		{"proxy", []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24")}, "10.0.0.5:1", map[string]string{"X-Forwarded-For": "203.0.113.8"}, "203.0.113.8"},
		{"forged through the proxy", []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24")}, "10.0.0.5:1", map[string]string{"X-Forwarded-For": "9.9.9.9, 203.0.113.8", "X-Real-Ip": "9.9.9.9"}, "203.0.113.8"},
		{"past the proxy", []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24")}, "192.0.2.7:1", map[string]string{"X-Forwarded-For": "203.0.113.8"}, "192.0.2.7"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(cfg *server.Config) { cfg.TrustedProxies = c.proxies })
			b := w.browser()
			b.address = c.peer
			for k, v := range c.header {
				b.header.Set(k, v)
			}
			b.get("/login")
			if want := `"address":"` + c.want + `"`; !strings.Contains(w.log.String(), want) {
				t.Errorf("log has no %s:\n%s", want, w.log)
			}
		})
	}
}
