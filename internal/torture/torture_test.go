// Package torture runs the real program under load and does it harm: kills it,
// stops its database, sends every form again. A history of what each client was
// told is then held against the database (reliability: docs/reliability.md).
//
// The sizes fit into make test; FULL=1 (make torture) runs the long ones.
package torture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/net/html"

	"landmark/internal/auth"
	"landmark/internal/landmark"
	"landmark/internal/localpg"
	"landmark/internal/pgtest"
	"landmark/internal/sheet"
	"landmark/internal/store"
	"landmark/migrations"

	"log/slog"
)

const (
	reporters = 50
	reviewers = 5
	password  = "Zwolf-Boxkampfer-jagen-12"
)

func full() bool { return os.Getenv("FULL") == "1" }

// size is n in CI and m in the full run.
func size(n, m int) int {
	if full() {
		return m
	}
	return n
}

// binary is the program, built once, with the race detector if race is set.
func binary(t testing.TB, race bool) string {
	t.Helper()
	build := plainly
	if race {
		build = watched
	}
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

var (
	plainly = sync.OnceValues(func() (string, error) { return built("landmark") })
	watched = sync.OnceValues(func() (string, error) { return built("landmark-race", "-race") })
	bin     string // where they lie; made and removed by TestMain
)

func built(name string, flags ...string) (string, error) {
	out := filepath.Join(bin, name)
	args := append(append([]string{"build"}, flags...), "-o", out, "landmark/cmd/landmark")
	if b, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, b)
	}
	return out, nil
}

func TestMain(m *testing.M) {
	var err error
	if bin, err = os.MkdirTemp("", "landmark-torture-bin-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status := m.Run()
	if err := os.RemoveAll(bin); err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

// place is a database with a plan of fifty departments, each leading a project
// of two indicators, whose last month is open.
type place struct {
	url   string
	month landmark.Month
	pool  interface {
		store.DB
		Close()
	}
	st *store.Store
}

func prepare(t *testing.T, url string) *place {
	t.Helper()
	ctx := t.Context()
	if err := migrations.Up(ctx, url); err != nil {
		t.Fatal(err)
	}
	pool, err := store.Open(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().In(zone)
	p := &place{url: url, pool: pool, st: store.New(pool), month: landmark.DateOf(now).InMonth() - 1}
	year := p.month.Year()
	var table, details strings.Builder
	fmt.Fprintf(&table, "序号 | 标志性成果 | 牵头单位 | 指标名称 | %d年实际值 | %d年目标值 | 重点任务 | 拟打造的重点场景 | 配合单位 |\n", year-1, year)
	details.WriteString("code,kind,direction,unit,decimals,measured,steps,confirmed,curve\n")
	for i := 1; i <= reporters; i++ {
		fmt.Fprintf(&table, "%d | 成果%d | 第%d局 | 甲(个) | 1 | 1000000 | 做好第%d件事。 | 场景%d | 各镇街道 |\n乙(个) | 1 | 1000000 |\n", i, i, i, i, i)
		fmt.Fprintf(&details, "%d.1,flow,up,个,0,monthly,,yes,\n%d.2,flow,up,个,0,monthly,,yes,\n", i, i)
	}
	read, err := sheet.ReadTable(strings.NewReader(table.String()))
	if err != nil {
		t.Fatal(err)
	}
	told, err := sheet.ReadDetails(strings.NewReader(details.String()))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := sheet.BuildPlan(read, told, sheet.Options{Title: "重压方案", Slug: "torture", Published: landmark.Date{Year: year, Month: 1, Day: 5}})
	if err != nil {
		t.Fatal(err)
	}
	operator := landmark.Actor{Name: "命令行"}
	if err := p.st.InsertPlan(ctx, plan, operator, now.AddDate(0, -6, 0)); err != nil {
		t.Fatal(err)
	}
	today := landmark.DateOf(now)
	if err := p.st.InsertPeriod(ctx, plan.ID, landmark.Period{Month: p.month, Opens: p.month.LastDay(), Due: today.AddDays(5), Grace: today.AddDays(6), Lock: today.AddDays(7)},
		"重压", operator, now); err != nil {
		t.Fatal(err)
	}
	a, err := auth.New(auth.Config{Store: p.st, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	// The first account's password is checked and hashed; the others have the same.
	var hash string
	add := func(name string, role landmark.Role, d landmark.Department) {
		t.Helper()
		if hash == "" {
			if _, err := a.Add(ctx, operator, auth.NewAccount{Name: name, Role: role, Department: d, Password: password}); err != nil {
				t.Fatal(err)
			}
			if err := p.pool.QueryRow(ctx, "SELECT password_hash FROM account WHERE name = $1", name).Scan(&hash); err != nil {
				t.Fatal(err)
			}
			return
		}
		u := landmark.User{Name: name, DisplayName: name, Role: role, DepartmentID: d.ID, Department: d}
		if _, err := p.st.InsertAccount(ctx, store.Account{User: u, Hash: hash, ChangedAt: now}, now); err != nil {
			t.Fatal(err)
		}
	}
	for i := 1; i <= reporters; i++ {
		d, err := p.st.FindDepartment(ctx, fmt.Sprintf("第%d局", i))
		if err != nil {
			t.Fatal(err)
		}
		add(fmt.Sprintf("reporter%d", i), landmark.RoleReporter, d)
	}
	for i := 1; i <= reviewers; i++ {
		add(fmt.Sprintf("office%d", i), landmark.RoleOffice, landmark.Department{})
	}
	return p
}

// served is the program, which can be killed and started again.
type served struct {
	t       testing.TB
	binary  string
	listen  string
	env     []string
	metrics string // where it tells its metrics
	log     *os.File
	mu      sync.Mutex
	cmd     *exec.Cmd

	refusals, taken atomic.Int64 // forms given back to clients, and acknowledged
}

// serve starts the program with an environment, and with what begins with -- as
// its flags.
func serve(t testing.TB, binary string, env ...string) *served {
	t.Helper()
	s := notYet(t, binary, env...)
	s.start()
	return s
}

// notYet is a program that has its address and has not been started.
func notYet(t testing.TB, binary string, env ...string) *served {
	t.Helper()
	s := &served{t: t, binary: binary, listen: freePort(t), metrics: freePort(t), env: env}
	var err error
	if s.log, err = os.Create(filepath.Join(t.TempDir(), "server.log")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.stop(syscall.SIGTERM)
		if t.Failed() {
			t.Logf("the end of the server's log:\n%s", s.tail(40))
		}
	})
	return s
}

func freePort(t testing.TB) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

func (s *served) start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	flags, env := []string{"serve"}, []string{}
	for _, v := range s.env {
		if strings.HasPrefix(v, "--") {
			flags = append(flags, v)
		} else {
			env = append(env, v)
		}
	}
	s.cmd = exec.Command(s.binary, flags...)
	s.cmd.Env = append(append(os.Environ(), "LISTEN="+s.listen, "METRICS_LISTEN="+s.metrics, "TRUSTED_PROXIES=127.0.0.1", "LOG_LEVEL=warn"), env...)
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
}

// stop sends a signal and waits for the end; it gives the exit status.
func (s *served) stop(sig os.Signal) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return 0
	}
	_ = s.cmd.Process.Signal(sig) // gone already: Wait says so
	err := s.cmd.Wait()
	s.cmd = nil
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		return e.ExitCode()
	}
	return 0
}

func (s *served) tail(lines int) string {
	b, err := os.ReadFile(s.log.Name())
	if err != nil {
		return err.Error()
	}
	all := strings.Split(string(b), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// outcome is what a client was told about a form.
type outcome int

const (
	unknown outcome = iota
	accepted
	refused
)

// sent is one form of the clients' history.
type sent struct {
	reporter int
	value    int // the same for both indicators, never used twice by a reporter
	tries    int
	outcome  outcome
	answer   string // Location of a 303
	asked    time.Time
	done     time.Time // when it was acknowledged
}

// client is one person's browser.
type client struct {
	t      testing.TB
	base   string
	name   string
	number int
	http   *http.Client
	jar    map[string]string
	from   string
	// Forms that were given back for want of a database, and taken, of all clients
	// together.
	refusals, taken *atomic.Int64
}

func newClient(t testing.TB, s *served, name string, number int) *client {
	return &client{t: t, base: "http://" + s.listen, name: name, number: number, from: fmt.Sprintf("10.1.%d.%d", len(name), number), jar: map[string]string{}, refusals: &s.refusals, taken: &s.taken,
		http: &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DisableKeepAlives: false, MaxIdleConns: 2},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// do sends a request and reads the whole answer. An error means that nobody can
// say what became of it.
func (c *client) do(ctx context.Context, method, path, kind string, body []byte) (*http.Response, []byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	r.Header.Set("Origin", c.base)
	r.Header.Set("X-Forwarded-For", c.from)
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	for name, value := range c.jar {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	res, err := c.http.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	for _, k := range res.Cookies() {
		if k.MaxAge < 0 {
			delete(c.jar, k.Name)
		} else {
			c.jar[k.Name] = k.Value
		}
	}
	return res, b, err
}

// again calls f until it says that it is done, over the program's deaths.
func again(ctx context.Context, f func() bool) {
	for !f() && ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (c *client) signIn(ctx context.Context) {
	again(ctx, func() bool {
		body := url.Values{"name": {c.name}, "password": {password}}.Encode()
		res, _, err := c.do(ctx, http.MethodPost, "/login", "application/x-www-form-urlencoded", []byte(body))
		return err == nil && res.StatusCode == http.StatusSeeOther
	})
}

// fields are the named inputs of the first form with a field of that name.
func fields(page []byte, having string) url.Values {
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		return nil
	}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode || n.Data != "form" {
			continue
		}
		v := url.Values{}
		for d := range n.Descendants() {
			if d.Type == html.ElementNode && d.Data == "input" {
				attr := map[string]string{}
				for _, a := range d.Attr {
					attr[a.Key] = a.Val
				}
				if attr["type"] == "file" || attr["name"] == "" {
					continue
				}
				v.Add(attr["name"], attr["value"])
			}
		}
		if v.Has(having) {
			return v
		}
	}
	return nil
}

// report fills in and sends one form after another until ctx ends, each one until
// it has an answer, and keeps the history.
func (c *client) report(ctx, finish context.Context, m landmark.Month, think time.Duration, history *[]sent) {
	path := "/reports/" + m.String()
	for value := 1000; ctx.Err() == nil; value++ {
		if think > 0 {
			select {
			case <-ctx.Done():
				return
			case <-time.After(think/2 + rand.N(think)):
			}
		}
		var form url.Values
		again(ctx, func() bool {
			// Approved values are opened for correction; the rest is open anyway.
			res, page, err := c.do(ctx, http.MethodGet, fmt.Sprintf("%s?correct=%d.1,%d.2", path, c.number, c.number), "", nil)
			if err != nil || res.StatusCode != http.StatusOK {
				return false
			}
			form = fields(page, fmt.Sprintf("revision[%d.1]", c.number)) // not the form for a sheet
			return form != nil
		})
		if form == nil {
			return
		}
		var body bytes.Buffer
		w := multipart.NewWriter(&body)
		put := func(name, text string) {
			if err := w.WriteField(name, text); err != nil {
				c.t.Error(err)
			}
		}
		for i := 1; i <= 2; i++ {
			code := fmt.Sprintf("%d.%d", c.number, i)
			put("value["+code+"]", strconv.Itoa(value))
			put("reason["+code+"]", fmt.Sprintf("压力测试中的更正,第%d次", value)) // each correction needs its own
			put("revision["+code+"]", form.Get("revision["+code+"]"))
		}
		put("key", form.Get("key"))
		put("action", "submit")
		if err := w.Close(); err != nil {
			c.t.Error(err)
		}
		s := sent{reporter: c.number, value: value, asked: time.Now()}
		again(finish, func() bool { // with the same key, until somebody says what became of it
			s.tries++
			res, page, err := c.do(finish, http.MethodPost, path, w.FormDataContentType(), body.Bytes())
			switch {
			case err != nil:
				s.answer = err.Error()
				return false
			case res.StatusCode >= 500:
				c.refusals.Add(1)
				if res.StatusCode != http.StatusServiceUnavailable {
					c.t.Errorf("%s, value %d: %d %s; what passes is 503", c.name, value, res.StatusCode, said(page))
				}
				s.answer = fmt.Sprintf("%d %s", res.StatusCode, said(page))
				return false
			case res.StatusCode == http.StatusSeeOther:
				c.taken.Add(1)
				s.outcome, s.answer, s.done = accepted, res.Header.Get("Location"), time.Now()
			default:
				s.outcome, s.answer = refused, fmt.Sprintf("%d %s", res.StatusCode, said(page))
			}
			return true
		})
		if s.outcome == accepted && rand.IntN(4) == 0 { // and once more, as a double click does
			if res, _, err := c.do(finish, http.MethodPost, path, w.FormDataContentType(), body.Bytes()); err == nil && res.StatusCode < 500 &&
				(res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != s.answer) {
				c.t.Errorf("%s: the same form again was answered %d %s, first %s", c.name, res.StatusCode, res.Header.Get("Location"), s.answer)
			}
		}
		*history = append(*history, s)
	}
}

// said is the sentence of an error summary, for messages.
func said(page []byte) string {
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		return ""
	}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && (n.Data == "h1" || n.Data == "title") && n.FirstChild != nil {
			return n.FirstChild.Data
		}
	}
	return ""
}

// review approves and returns what waits until ctx ends.
func (c *client) review(ctx context.Context, m landmark.Month, think time.Duration, decided *atomic.Int64) {
	for ctx.Err() == nil {
		res, page, err := c.do(ctx, http.MethodGet, "/review?month="+m.String(), "", nil)
		if err != nil || res.StatusCode != http.StatusOK {
			time.Sleep(20 * time.Millisecond)
			continue
		}
		form := fields(page, "report")
		if form == nil {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		pick := url.Values{"action": {"approve"}, "month": {m.String()}, "plan": {"torture"}}
		ids := form["report"]
		for range 1 + rand.IntN(4) {
			id := ids[rand.IntN(len(ids))]
			if !strings.Contains(strings.Join(pick["report"], ","), id) {
				pick.Add("report", id)
			}
		}
		if rand.IntN(3) == 0 {
			pick.Set("action", "return")
			pick.Set("reason", "请核对后重报")
		}
		res, _, err = c.do(ctx, http.MethodPost, "/review", "application/x-www-form-urlencoded", []byte(pick.Encode()))
		if err == nil && res.StatusCode == http.StatusSeeOther {
			decided.Add(1)
		}
		select {
		case <-ctx.Done():
		case <-time.After(think / 3):
		}
	}
}

// load runs reporters and reviewers until stop is called and every form has its
// answer. Between two forms a reporter thinks for about so long.
func load(t *testing.T, p *place, s *served, think time.Duration) (stop func() (history []sent, decided int64)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	finish, give := context.WithCancel(context.WithoutCancel(t.Context()))
	var all sync.WaitGroup
	histories := make([][]sent, reporters+1)
	var decided atomic.Int64
	// Everybody is signed in before any harm is done: a sign-in that dies half-way
	// counts as a try, and a few of those shut the door for a quarter of an hour.
	var door sync.WaitGroup
	places := make(chan struct{}, 4) // as many as the program checks passwords at once
	clients := make([]*client, reporters+reviewers)
	for i := range clients {
		name, number := fmt.Sprintf("reporter%d", i+1), i+1
		if i >= reporters {
			name, number = fmt.Sprintf("office%d", i+1-reporters), i+1-reporters
		}
		clients[i] = newClient(t, s, name, number)
		door.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			clients[i].signIn(ctx)
		})
	}
	door.Wait()
	for i, c := range clients {
		if i < reporters {
			all.Go(func() { c.report(ctx, finish, p.month, think, &histories[c.number]) })
		} else {
			all.Go(func() { c.review(ctx, p.month, think, &decided) })
		}
	}
	return func() ([]sent, int64) {
		cancel()
		late := time.AfterFunc(30*time.Second, give) // whoever has no answer by then, never gets one
		all.Wait()
		late.Stop()
		give()
		var out []sent
		for _, h := range histories {
			out = append(out, h...)
		}
		return out, decided.Load()
	}
}

// check holds what clients were told against what the database holds.
func check(t *testing.T, p *place, history []sent, decided int64) (lost, doubled int) {
	t.Helper()
	ctx := t.Context()
	type value struct{ reporter, indicator, amount int }
	found := map[value]int{}
	rows, err := p.pool.Query(ctx, `
		SELECT j.number, i.position, n.amount::int
		FROM report_revision n JOIN report r ON r.id = n.report_id JOIN indicator i ON i.id = r.indicator_id JOIN project j ON j.id = i.project_id`)
	if err != nil {
		t.Fatal(err)
	}
	var v value
	if _, err := pgx.ForEachRow(rows, []any{&v.reporter, &v.indicator, &v.amount}, func() error { found[v]++; return nil }); err != nil {
		t.Fatal(err)
	}
	told := map[value]outcome{}
	var ok, no, open int
	why := map[string]int{}
	for _, s := range history {
		a, b := found[value{s.reporter, 1, s.value}], found[value{s.reporter, 2, s.value}]
		if a != b {
			t.Errorf("reporter %d, value %d: half a form is there (%d and %d)", s.reporter, s.value, a, b)
		}
		told[value{s.reporter, 1, s.value}] = s.outcome
		switch {
		case s.outcome == accepted && a == 0:
			lost++
			t.Errorf("reporter %d, value %d: acknowledged and lost", s.reporter, s.value)
		case s.outcome == refused && a != 0:
			t.Errorf("reporter %d, value %d: refused (%s) and there", s.reporter, s.value, s.answer)
		case a > 1:
			doubled++
			t.Errorf("reporter %d, value %d: there %d times after %d tries", s.reporter, s.value, a, s.tries)
		}
		switch s.outcome {
		case accepted:
			ok++
		case refused:
			no++
			why[s.answer]++
		default:
			open++
			t.Errorf("reporter %d, value %d: no answer after %d tries, last %s", s.reporter, s.value, s.tries, s.answer)
		}
	}
	for v := range found {
		if _, asked := told[value{v.reporter, 1, v.amount}]; !asked {
			t.Errorf("%+v is there, and nobody sent it", v)
		}
	}
	one := func(what, sql string) {
		t.Helper()
		var n int
		if err := p.pool.QueryRow(ctx, sql).Scan(&n); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if n != 0 {
			t.Errorf("%s: %d", what, n)
		}
	}
	one("reports whose revisions have a gap", `SELECT count(*) FROM report r WHERE r.revision <> (SELECT count(*) FROM report_revision n WHERE n.report_id = r.id)
		OR r.revision <> (SELECT max(revision) FROM report_revision n WHERE n.report_id = r.id)`)
	one("revisions without just one event of their submission", `SELECT count(*) FROM report_revision n
		WHERE 1 <> (SELECT count(*) FROM report_event e WHERE e.report_id = n.report_id AND e.revision = n.revision AND e.state = 'submitted')`)
	one("revisions approved and returned, or either twice", `SELECT count(*) FROM report_revision n
		WHERE 1 < (SELECT count(*) FROM report_event e WHERE e.report_id = n.report_id AND e.revision = n.revision AND e.state IN ('approved', 'returned'))`)
	one("approvals without just one approved value", `SELECT count(*) FROM report_event e WHERE e.state = 'approved'
		AND 1 <> (SELECT count(*) FROM approved_value v WHERE v.report_id = e.report_id AND v.revision = e.revision)`)
	one("events without just one line of history", `SELECT abs((SELECT count(*) FROM report_event)
		- (SELECT count(*) FROM history WHERE act IN ('report.submit', 'report.correct', 'report.approve', 'report.return', 'report.sign')))`)
	for {
		n, err := p.st.Seal(ctx, 1000, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
	}
	head, waiting, err := p.st.VerifyHistory(ctx)
	if err != nil || waiting != 0 {
		t.Errorf("history: %d waiting, %v", waiting, err)
	}
	t.Logf("%d forms: %d acknowledged, %d refused, %d unknown; %d decisions; %d lost, %d doubled; history of %d lines", len(history), ok, no, open, decided, lost, doubled, head.Seq)
	for answer, n := range why {
		t.Logf("refused %d times: %s", n, answer)
	}
	if ok < reporters {
		t.Errorf("only %d forms were acknowledged: nothing was tested", ok)
	}
	if no > ok {
		t.Errorf("more forms refused than taken: %d and %d", no, ok)
	}
	return lost, doubled
}

// longestGap is the longest time that nobody was told that a form was taken,
// from the first who was to the last.
func longestGap(history []sent) time.Duration {
	var times []time.Time
	for _, s := range history {
		if s.outcome == accepted {
			times = append(times, s.done)
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	var gap time.Duration
	for i := 1; i < len(times); i++ {
		gap = max(gap, times[i].Sub(times[i-1]))
	}
	return gap.Round(10 * time.Millisecond)
}

// P1: the program dies at random moments. P24: the notices of what was submitted go
// out by mail meanwhile, and each is written down as delivered once.
func TestKillsOfTheProgram(t *testing.T) {
	p := prepare(t, pgtest.URL(t))
	mail := takeMail(t)
	if _, err := p.pool.Exec(t.Context(), "UPDATE account SET email = name || '@example.gov.cn' WHERE name = 'office1'"); err != nil {
		t.Fatal(err)
	}
	s := serve(t, binary(t, false), "DATABASE_URL="+p.url, "SMTP_URL="+mail.url(), "SMTP_FROM=kanban@example.gov.cn")
	stop := load(t, p, s, 0)
	kills := size(25, 500)
	if n, err := strconv.Atoi(os.Getenv("KILLS")); err == nil {
		kills = n
	}
	for kill := range kills {
		before := s.taken.Load()
		time.Sleep(time.Duration(600+rand.IntN(900)) * time.Millisecond)
		// Every other time it dies at work, however long a busy machine needs to start it.
		for began := time.Now(); kill%2 == 0 && s.taken.Load() < before+10 && time.Since(began) < 20*time.Second; {
			time.Sleep(10 * time.Millisecond)
		}
		s.stop(syscall.SIGKILL)
		s.start()
	}
	history, decided := stop()
	lost, doubled := check(t, p, history, decided)
	t.Logf("P1 app kills | %d rounds | %d lost | %d doubled | longest gap %s", kills, lost, doubled, longestGap(history))
	delivered(t, p, s, mail, kills)
}

// P2: PostgreSQL is stopped at once, as a crash would, and comes back.
func TestStopsOfTheDatabase(t *testing.T) {
	dir, err := os.MkdirTemp("/var/tmp", "landmark-torture-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	pg, err := localpg.Start(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pg.Close(); err != nil {
			t.Error(err)
		}
	})
	p := prepare(t, pg.URL())
	s := serve(t, binary(t, false), "DATA_DIR="+dir, "DATABASE_URL=")
	stop := load(t, p, s, 0)
	stops := size(5, 50)
	back := make(chan time.Time, stops) // when the server took work again
	for range stops {
		time.Sleep(time.Duration(3000+rand.IntN(2000)) * time.Millisecond)
		b, err := os.ReadFile(filepath.Join(dir, "data", "postmaster.pid"))
		if err != nil {
			continue // it is just starting again
		}
		first, _, _ := strings.Cut(string(b), "\n")
		pid, err := strconv.Atoi(first)
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(pid, syscall.SIGQUIT); err != nil { // what pg_ctl stop -m immediate sends
			t.Fatal(err)
		}
		for syscall.Kill(pid, 0) == nil { // until it has gone, and is nobody's child any more
			time.Sleep(time.Millisecond)
		}
		for gone := time.Now(); !answering(t, pg.URL()); time.Sleep(5 * time.Millisecond) {
			if time.Since(gone) > 2*time.Minute {
				t.Fatal("the database is not back after two minutes")
			}
		}
		back <- time.Now()
	}
	time.Sleep(3 * time.Second)
	history, decided := stop()
	lost, doubled := check(t, p, history, decided)
	close(back)
	var slowest time.Duration
	for at := range back {
		first := time.Hour
		for _, h := range history {
			if h.outcome == accepted && h.done.After(at) {
				first = min(first, h.done.Sub(at))
			}
		}
		slowest = max(slowest, first)
	}
	t.Logf("P2 database stops | %d rounds | %d lost | %d doubled | longest gap %s | first form taken %s after the server was back",
		stops, lost, doubled, longestGap(history), slowest.Round(10*time.Millisecond))
	if slowest > 3*time.Second {
		t.Errorf("the first form was taken %s after the server was back, want 3 s at most", slowest)
	}
}

// answering says whether a database takes a connection and works.
func answering(t *testing.T, url string) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return false
	}
	defer conn.Close(ctx)
	return conn.Ping(ctx) == nil
}

// P29, and the load of a busy day: fifty reporters and five reviewers on a program
// with the race detector, for a minute in the full size. No answer is a server's error.
func TestBusyMinute(t *testing.T) {
	p := prepare(t, pgtest.URL(t))
	s := serve(t, binary(t, true), "DATABASE_URL="+p.url)
	stop := load(t, p, s, 5*time.Second) // people type; a loop without a pause would only measure the queue
	time.Sleep(time.Duration(size(25, 60)) * time.Second)
	history, decided := stop()
	lost, doubled := check(t, p, history, decided)
	t.Logf("P29 a busy day with the race detector | 1 round of %d s | %d lost | %d doubled | longest gap %s | races and 5xx are looked for in the log", size(25, 60), lost, doubled, longestGap(history))
	for _, h := range history {
		if h.tries > 1 {
			t.Errorf("reporter %d, value %d took %d tries with nothing broken", h.reporter, h.value, h.tries)
			break
		}
	}
	if status := s.stop(syscall.SIGTERM); status != 0 {
		t.Errorf("the program ended with status %d", status)
	}
	if log := s.tail(1 << 20); strings.Contains(log, "DATA RACE") || strings.Contains(log, "status=5") {
		t.Errorf("the log tells of races or errors:\n%s", log[:min(len(log), 4000)])
	}
}
