package server_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"landmark/internal/landmark"
	"landmark/internal/reporting"
	"landmark/internal/server"
	"landmark/internal/store"
)

// keptPages are addresses whose pages are kept.
var keptPages = []string{"/", "/?sort=trouble", "/?month=2023-06", "/?status=behind", "/?as_of=2023-08-01T12:00", "/key", "/projects/2", "/projects/3?month=2023-09",
	"/indicators/3.1", "/indicators/2.1?month=2023-09", "/matrix", "/departments", "/departments/minzheng", "/tasks", "/tasks?department=weijian", "/scenarios", "/search?q=%E6%89%98%E4%BD%8D", "/screen"}

// at sends a browser's requests to another server over the same database.
func (b *browser) at(srv *server.Server) *browser {
	w := *b.w
	w.srv = srv
	there := *b
	there.w = &w
	return &there
}

// unkept is a server on the same database that makes every page for its visitor.
func (w *world) unkept() *server.Server {
	w.t.Helper()
	cfg := w.cfg
	cfg.PageCache = -1
	srv, err := server.New(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	return srv
}

func unzipped(t *testing.T, res *http.Response) string {
	t.Helper()
	if got := res.Header.Get("Content-Encoding"); got != "gzip" {
		t.Fatalf("Content-Encoding %q", got)
	}
	z, err := gzip.NewReader(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	z.Multistream(false)
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Whoever asks, a kept page is the one that would have been made for them, byte
// for byte, in each encoding and theme.
func TestKeptPageIsTheOneMade(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	office := w.account("office", landmark.RoleOffice, "")
	w.set(`UPDATE account SET display_name = '<b>张三</b> & "李四"' WHERE name = 'office'`)
	w.account("office2", landmark.RoleOffice, "")
	reporter := w.account("reporter", landmark.RoleReporter, "weijian")
	w.account("colleague", landmark.RoleReporter, "weijian")
	w.account("leader", landmark.RoleLeader, "minzheng")
	w.account("viewer", landmark.RoleViewer, "")
	w.account("guest", landmark.RoleViewer, "jiaotong")
	w.report(map[string]string{"2.1": "4590", "8.3": "80"}, "暑期筛查放缓")
	w.sent(reporter, map[string]string{"3.1": "13820"})
	work := reporting.New(w.st, shanghai)
	for _, name := range []string{"卫健局", "民政局"} {
		if _, err := work.Chase(t.Context(), landmark.ActorOf(office, "", ""), office, "", []string{name}, landmark.MonthOf(2023, 9), w.clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	unkept := w.unkept()
	names := []string{"office", "office2", "reporter", "colleague", "leader", "viewer", "guest"}
	pages := map[string]string{}
	for _, name := range names {
		b := w.enter(name)
		for i, address := range keptPages {
			if theme := []string{"", "light", "dark"}[i%3]; theme != "" {
				b.jar["landmark-theme"] = theme
			} else {
				delete(b.jar, "landmark-theme")
			}
			want := wantStatus(t, b.at(unkept).get(address), http.StatusOK)
			if pages[address] != "" && name != "office2" && address != "/screen" && pages[address] == want {
				t.Errorf("%s: the page is the same for %s as for the one before: the test compares nothing", address, name)
			}
			pages[address] = want
			for range 2 {
				res := b.get(address)
				if diff := cmp.Diff(want, wantStatus(t, res, http.StatusOK)); diff != "" {
					t.Fatalf("%s as %s (-made +kept):\n%s", address, name, diff)
				}
				if address != "/screen" && res.Header.Get("Cache-Control") != "no-store" {
					t.Errorf("%s: Cache-Control %q", address, res.Header.Get("Cache-Control"))
				}
				tag := res.Header.Get("Etag")
				b.header.Set("Accept-Encoding", "gzip, deflate, br, zstd")
				res = b.get(address)
				if got := unzipped(t, res); got != want {
					t.Fatalf("%s as %s, gzip: %d bytes, want %d", address, name, len(got), len(want))
				}
				zipped := res.Header.Get("Etag")
				if vary := strings.Join(res.Header.Values("Vary"), ","); !strings.Contains(vary, "Cookie") || !strings.Contains(vary, "Accept-Encoding") {
					t.Errorf("%s: Vary %q", address, vary)
				}
				if tag == "" || zipped == tag || strings.HasPrefix(tag, "W/") {
					t.Errorf("%s: tags %s and %s", address, tag, zipped)
				}
				for sent, status := range map[string]int{zipped: 304, `"x", W/` + zipped: 304, tag: 200, `"x"`: 200} {
					b.header.Set("If-None-Match", sent)
					if res := b.get(address); res.StatusCode != status || status == 304 && bodyOf(t, res) != "" {
						t.Errorf("%s, If-None-Match %s: %d, want %d", address, sent, res.StatusCode, status)
					}
				}
				b.header = http.Header{}
			}
			if res := b.send(http.MethodHead, address, ""); res.StatusCode != http.StatusOK {
				t.Errorf("HEAD %s: %d", address, res.StatusCode)
			}
		}
	}
	if !strings.Contains(pages["/"], "guest") {
		t.Error("the page does not name its visitor")
	}
	b := w.enter("leader")
	if page := bodyOf(t, b.get("/")); !strings.Contains(page, "催报9月数据") {
		t.Error("a leader does not see the office's chase")
	}
	// What was said once is on the page made for it, and not on the next.
	b = w.enter("viewer")
	b.jar["landmark-said"] = "5bey6YCa6L-H" // 已通过
	if page := bodyOf(t, b.get("/")); !strings.Contains(page, "已通过") {
		t.Error("the flash is lost")
	}
	if page := bodyOf(t, b.get("/")); strings.Contains(page, "已通过") {
		t.Error("the flash is said again")
	}
}

// Two of one role share a page: it is made once, however many ask.
func TestPageIsMadeForMany(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var browsers []*browser
	for i := range 6 {
		name := fmt.Sprintf("viewer%d", i)
		w.account(name, landmark.RoleViewer, "")
		browsers = append(browsers, w.enter(name))
	}
	var wg sync.WaitGroup
	for _, b := range browsers {
		for range 5 {
			wg.Go(func() {
				rec := httptest.NewRecorder()
				w.srv.Handler().ServeHTTP(rec, b.request(t.Context(), http.MethodGet, "/", ""))
				if rec.Code != http.StatusOK {
					t.Errorf("GET / = %d", rec.Code)
				}
			})
		}
	}
	wg.Wait()
	rec := httptest.NewRecorder()
	w.srv.MetricsHandler().ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody))
	for _, want := range []string{`landmark_pages_total{what="made"} 1`, `landmark_pages_total{what="sent"} 30`} {
		if !strings.Contains(rec.Body.String(), want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
}

// What one server is told of, the other shows with the next request.
func TestKeptPagesFollowEveryChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	office := w.account("office", landmark.RoleOffice, "")
	reporter := w.account("reporter", landmark.RoleReporter, "weijian")
	w.account("viewer", landmark.RoleViewer, "")
	other, unkept := w.twin(), w.unkept()
	work := reporting.New(w.st, shanghai)
	by := landmark.ActorOf(office, "", "")
	viewer, clerk := w.enter("viewer"), w.enter("reporter")
	september := landmark.MonthOf(2023, 9)
	var ids map[string]int64
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	steps := []struct {
		name string
		who  *browser
		page string
		do   func()
		show string // not on the page before, and there afterwards
	}{
		{"a submission", viewer, "/?month=2023-09", func() { ids = w.sent(reporter, map[string]string{"3.1": "13820"}) }, "项已报,待审核"},
		{"a return", clerk, "/indicators/3.1?month=2023-09", func() {
			_, err := work.Return(t.Context(), by, office, []store.Seen{{ReportID: ids["3.1"], Revision: 1}}, "请核对口径", w.clock.Now())
			do(err)
		}, "请核对口径"},
		{"an approval", viewer, "/indicators/3.1?month=2023-09", func() {
			w.sent(reporter, map[string]string{"3.1": "13821"})
			_, err := work.Approve(t.Context(), by, office, []store.Seen{{ReportID: ids["3.1"], Revision: 2}}, w.clock.Now())
			do(err)
		}, "13821"},
		{"an override", viewer, "/indicators/3.1?month=2023-09", func() {
			ind, err := w.record().Plan.Indicator("3.1")
			do(err)
			do(work.Override(t.Context(), by, office, "", ind.Code, landmark.Override{IndicatorID: ind.ID, From: september, Until: september, Light: landmark.Done, Reason: "市长办公会定"}, w.clock.Now()))
		}, "市长办公会定"},
		{"a department renamed", viewer, "/departments", func() { w.set(`UPDATE department SET name = '卫生健康委员会' WHERE slug = 'weijian'`) }, "卫生健康委员会"},
		{"a plan renamed behind the program's back", viewer, "/", func() { w.set(`UPDATE plan SET title = title || '(修订)'`) }, "(修订)"},
		{"a chase", clerk, "/", func() {
			_, err := work.Chase(t.Context(), by, office, "", []string{"卫生健康委员会"}, september, w.clock.Now())
			do(err)
		}, "催报9月数据"},
		{"a visitor renamed", viewer, "/key", func() { w.set(`UPDATE account SET display_name = '王五' WHERE name = 'viewer'`) }, "王五"},
		{"a visitor given another role", viewer, "/", func() { w.set(`UPDATE account SET role = 'office' WHERE name = 'viewer'`) }, `href="/review"`},
	}
	for _, step := range steps {
		var before string
		for _, srv := range []*server.Server{w.srv, other} {
			before = wantStatus(t, step.who.at(srv).get(step.page), http.StatusOK)
			if strings.Contains(before, step.show) {
				t.Fatalf("%s: %q is there before", step.name, step.show)
			}
		}
		step.do()
		want := wantStatus(t, step.who.at(unkept).get(step.page), http.StatusOK)
		for i, srv := range []*server.Server{other, w.srv} {
			page := wantStatus(t, step.who.at(srv).get(step.page), http.StatusOK)
			if !strings.Contains(page, step.show) || page != want {
				t.Errorf("%s: server %d does not show %q at once, or not the page that is made now", step.name, i, step.show)
			}
		}
	}
	// A day passes and nothing is written: what was not due yet is.
	before := wantStatus(t, viewer.get("/?month=2023-10"), http.StatusOK)
	w.clock.add(30 * 24 * time.Hour)
	viewer = w.enter("viewer")
	if after := wantStatus(t, viewer.get("/?month=2023-10"), http.StatusOK); after == before || after != bodyOf(t, viewer.at(unkept).get("/?month=2023-10")) {
		t.Error("the page of a month ago is still shown")
	}
	w.set(`UPDATE account SET disabled_at = now() WHERE name = 'viewer'`)
	if res := viewer.at(other).get("/"); res.StatusCode != http.StatusSeeOther {
		t.Errorf("an account that was shut reads on: %d", res.StatusCode)
	}
}

// Kept pages read nothing that the data's version does not count: they are made
// by a program that may not look there.
func TestKeptPagesReadOnlyWhatIsCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner := w.owner()
	_, err := owner.Exec(t.Context(), `
		DO $$
		DECLARE t text;
		BEGIN
			FOR t IN SELECT tablename FROM pg_tables p WHERE schemaname = 'public'
				AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = p.tablename::regclass AND tgfoid = 'count_write'::regproc)
				AND tablename NOT IN ('session', 'data_version', 'plan_edition') -- of the check itself, and a count of the same
			LOOP
				EXECUTE format('REVOKE ALL ON %I FROM landmark_app', t);
			END LOOP;
		END $$`)
	if err != nil {
		t.Fatal(err)
	}
	for name, role := range map[string]landmark.Role{"office": landmark.RoleOffice, "reporter": landmark.RoleReporter, "viewer": landmark.RoleViewer} {
		department := ""
		if role == landmark.RoleReporter {
			department = "weijian"
		}
		w.account(name, role, department)
		b := w.enter(name)
		for _, address := range keptPages {
			if res := b.get(address); res.StatusCode != http.StatusOK {
				t.Errorf("%s as %s: %d; it reads what is not counted\n%s", address, name, res.StatusCode, w.log)
			}
		}
		if res := b.get("/history"); role != landmark.RoleViewer && res.StatusCode == http.StatusOK {
			t.Error("the history can be read: the test forbids nothing")
		}
	}
}

// Whatever is written while others read, at either of two servers: a page asked for
// after the answer shows it.
func TestNoPageIsStale(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("viewer", landmark.RoleViewer, "")
	viewer := w.enter("viewer")
	other := w.twin()
	codes := []string{"2.1", "3.1", "8.3"}
	const writers = 3
	var writing, reading sync.WaitGroup
	stop := make(chan struct{})
	var mu sync.Mutex
	newest := make([]int, writers) // what each writer has had answered
	ends := time.Now().Add(5 * time.Second)
	for i := range writers {
		writing.Go(func() {
			for n := 1; time.Now().Before(ends); n++ {
				_, err := w.db.Exec(t.Context(), `UPDATE indicator SET name = $2 WHERE code = $1`, codes[i], fmt.Sprintf("指标%d第%06d稿", i, n))
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				newest[i] = n
				mu.Unlock()
			}
		})
	}
	var read, changed int
	for i := range 6 {
		reading.Go(func() {
			srv := []*server.Server{w.srv, other}[i%2]
			last := ""
			for round := i; ; round++ {
				select {
				case <-stop:
					return
				default:
				}
				j := round % writers
				mu.Lock()
				least := newest[j]
				mu.Unlock()
				rec := httptest.NewRecorder()
				srv.Handler().ServeHTTP(rec, viewer.request(t.Context(), http.MethodGet, "/indicators/"+codes[j], ""))
				if rec.Code != http.StatusOK {
					t.Errorf("GET /indicators/%s = %d", codes[j], rec.Code)
					return
				}
				page := rec.Body.String()
				mu.Lock()
				read++
				if page != last {
					changed++
				}
				mu.Unlock()
				last = page
				at, shown := strings.Index(page, fmt.Sprintf("指标%d第", j)), 0
				if at >= 0 {
					_, _ = fmt.Sscanf(page[at+len("指标0第"):], "%d", &shown)
				}
				if shown < least {
					t.Errorf("the page shows draft %d of indicator %s, though %d was answered before it was asked for", shown, codes[j], least)
					return
				}
			}
		})
	}
	writing.Wait()
	close(stop)
	reading.Wait()
	if read < 10 || changed < 10 {
		t.Errorf("%d pages read, %d unlike the one before: too few to tell", read, changed)
	}
	t.Logf("%v writes, %d pages read, %d unlike the one before", newest, read, changed)
}

// An overview comes within what a slow line can carry: the page, and all a first
// visit loads with it. Only the style sheet is waited for.
func TestFirstVisitIsSmall(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("office", landmark.RoleOffice, "")
	w.report(map[string]string{"2.1": "4590", "8.3": "80", "3.1": "13820"}, "暑期筛查放缓")
	b := w.enter("office")
	b.header.Set("Accept-Encoding", "gzip, deflate, br, zstd")
	res := b.get("/")
	size := func(res *http.Response) (string, int) {
		body := bodyOf(t, res)
		if res.StatusCode != http.StatusOK {
			t.Fatalf("%d", res.StatusCode)
		}
		var head bytes.Buffer
		if err := res.Header.Write(&head); err != nil {
			t.Fatal(err)
		}
		return body, len(body) + head.Len()
	}
	page, whole := size(res)
	if whole > 20<<10 {
		t.Errorf("the page takes %d bytes, want 20 KB at most", whole)
	}
	z, err := gzip.NewReader(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(string(text), "</head>")
	total := whole
	for _, line := range strings.Split(head, "<")[1:] {
		var address string
		for _, attribute := range []string{`href="`, `src="`} {
			if _, after, ok := strings.Cut(line, attribute); ok {
				address, _, _ = strings.Cut(after, `"`)
			}
		}
		if address == "" {
			continue
		}
		_, n := size(b.get(address))
		t.Logf("%s: %d bytes", address, n)
		total += n
		if strings.HasPrefix(line, "script") && !strings.Contains(line, "defer") {
			t.Errorf("%s holds the page up", address)
		}
	}
	if n := strings.Count(head, "stylesheet"); n != 1 {
		t.Errorf("%d style sheets", n)
	}
	t.Logf("page %d bytes, all %d", whole, total)
	if total > 45<<10 {
		t.Errorf("a first visit takes %d bytes, want 45 KB at most", total)
	}
}

// Requests of one version of the data share what they read of it: no page, for
// nobody, alters that, and pages put together from it are those put together from
// the database.
func TestSharedReadingsAreNotAltered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fillDemo()
	names := []string{"viewer", "leader-minzheng", "reporter-minzheng", "office"}
	browsers := map[string]*browser{}
	for _, name := range names {
		browsers[name] = w.enter(name)
	}
	browsers["reporter-minzheng"].get("/reports/2023-09") // a chase is seen, which is a write
	v, _, err := w.st.Visitors(t.Context(), []string{"nobody"})
	if err != nil {
		t.Fatal(err)
	}
	now := w.clock.Now()
	read := func(ctx context.Context) *landmark.Record {
		t.Helper()
		r, err := w.st.Record(ctx, "", time.Time{}, now, shanghai)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	shared := read(store.SeenAt(t.Context(), v))
	_, rows := readRights(t)
	asked := 0
	for _, name := range names {
		b := browsers[name]
		for _, row := range rows {
			if row.method != http.MethodGet || strings.Contains(row.path, "{") {
				continue
			}
			if res := b.get(row.path); res.StatusCode == http.StatusOK {
				asked++
			}
		}
	}
	if asked < 100 {
		t.Errorf("only %d pages answered: the test asks for nothing", asked)
	}
	if again := read(store.SeenAt(t.Context(), v)); !reflect.DeepEqual(again.Values, shared.Values) || len(again.Values) == 0 {
		t.Error("the record is another than before")
	}
	if fresh := read(t.Context()); !reflect.DeepEqual(shared, fresh) {
		t.Error("the record that is shared is not what the database says")
	}
	after, _, err := w.st.Visitors(t.Context(), []string{"nobody"})
	if err != nil {
		t.Fatal(err)
	}
	if after != v {
		t.Errorf("pages that were read have written: version %d, then %d", v.Writes, after.Writes)
	}
}
