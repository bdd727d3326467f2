package e2e

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"landmark/internal/auth"
	"landmark/internal/landmark"
	"landmark/internal/pgtest"
	web "landmark/internal/server"
	"landmark/internal/sheet"
	"landmark/internal/store"
	"landmark/seeds"
)

// yearPatience bounds what one tab does in a whole year.
const yearPatience = 8 * time.Minute

// yearPassword is everybody's.
const yearPassword = "mulberry silk 57"

// year is the program in this process, on a database and a clock of the test's
// own: the real program's clock cannot be set. Everything else is as it is served.
type year struct {
	t     *testing.T
	base  string
	store *store.Store
	plan  *landmark.Plan
	tabs  map[string]context.Context // by account

	mu  sync.Mutex
	now time.Time

	asked []string // code and month of values a reason was asked for
	shots []yearShot
}

// yearShot is an address as it was shown at a moment.
type yearShot struct {
	at         time.Time
	path, text string
}

// clock is the moment the program works at; it stands still until it is moved.
func (y *year) clock() time.Time {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.now
}

func (y *year) set(at time.Time) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if at.Before(y.now) {
		y.t.Fatalf("the clock would go back from %s to %s", y.now, at)
	}
	y.now = at
}

// newYear serves the seed plan to the office, a viewer and the reporters of all
// lead departments, who sign in with passwords.
func newYear(t *testing.T) *year {
	t.Helper()
	ctx := t.Context()
	y := &year{t: t, plan: yearPlan(t), tabs: map[string]context.Context{}, now: yearAt(5, 31, 9, 0)}
	db, err := store.Open(ctx, pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	y.store = store.New(db)
	operator := landmark.Actor{Name: "命令行"}
	if err := y.store.InsertPlan(ctx, y.plan, operator, y.clock()); err != nil {
		t.Fatal(err)
	}
	accounts, err := auth.New(auth.Config{Store: y.store, Now: y.clock, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	people := []auth.NewAccount{{Name: "office", DisplayName: "审核员乙", Role: landmark.RoleOffice}, {Name: "viewer", DisplayName: "分管领导", Role: landmark.RoleViewer}}
	for _, d := range yearDepartments {
		department, err := y.store.FindDepartment(ctx, d.slug)
		if err != nil {
			t.Fatal(err)
		}
		people = append(people, auth.NewAccount{Name: d.slug, DisplayName: d.name + "填报员", Role: landmark.RoleReporter, Department: department})
	}
	for _, p := range people {
		p.Password = yearPassword
		if _, err := accounts.Add(ctx, operator, p); err != nil {
			t.Fatal(err)
		}
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	y.base = "http://" + ln.Addr().String()
	// The deadline is not what is tried here, and other tests keep the machine busy.
	srv, err := web.New(web.Config{Store: y.store, Now: y.clock, Zone: city, BaseURL: y.base, Deadline: time.Minute, Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError}))})
	if err != nil {
		t.Fatal(err)
	}
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- srv.Run(serving, ln) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the server did not end cleanly: %v", err)
		}
	})
	for _, p := range people {
		y.tabs[p.Name] = tabFor(t, yearPatience)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the clock stands at %s", y.now)
		}
	})
	return y
}

func yearPlan(t *testing.T) *landmark.Plan {
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

// visit opens an address as somebody, who signs in where the session has run out.
func (y *year) visit(account, path string) context.Context {
	y.t.Helper()
	ctx := y.tabs[account]
	open(y.t, ctx, y.base+path, http.StatusOK)
	if !get(y.t, ctx, chromedp.Evaluate[bool](`location.pathname === "/login"`)) {
		return ctx
	}
	fill(y.t, ctx, ".login__form", map[string]string{"name": account, "password": yearPassword})
	if got := press(y.t, ctx, `.login__form button`); got != http.StatusOK {
		y.t.Fatalf("%s signs in: %d\n%s", account, got, words(y.t, ctx))
	}
	if got := get(y.t, ctx, chromedp.Evaluate[string](`location.pathname + location.search`)); got != path {
		y.t.Fatalf("%s signed in for %s and is at %s: %s", account, path, got, words(y.t, ctx))
	}
	return ctx
}

// fill puts texts into the fields of a form, by name, as if they had been typed.
// A box is ticked whatever the text.
func fill(t *testing.T, ctx context.Context, form string, fields map[string]string) {
	t.Helper()
	in, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	do(t, ctx, chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`{
		const form = document.querySelector(%q);
		for (const [name, text] of Object.entries(%s)) {
			const e = form.elements[name];
			if (!e) throw new Error("no field " + name + " in " + location);
			e.closest("details")?.setAttribute("open", "");
			if (e.type === "checkbox") {
				if (!e.checked) e.click();
				continue;
			}
			e.value = text;
			if (e.value !== text) throw new Error("the field " + name + " does not take " + text);
			e.dispatchEvent(new Event("input", {bubbles: true}));
		}
	}`, form, in)))
}

// send fills in a department's month and submits it. Where a check asks for a
// reason, the department gives it and submits again. It says what was taken.
func (y *year) send(ctx context.Context, month string, fields map[string]string) (flash string) {
	y.t.Helper()
	fill(y.t, ctx, "#report", fields)
	status := press(y.t, ctx, submitButton)
	if status == http.StatusUnprocessableEntity {
		answers := map[string]string{}
		for _, name := range get(y.t, ctx, chromedp.Evaluate[[]string](`[...document.querySelectorAll(".field__warn:not([hidden]) .field--error textarea")].map(e => e.name)`)) {
			code := strings.TrimSuffix(strings.TrimPrefix(name, "reason["), "]")
			y.asked = append(y.asked, code+" "+month)
			answers[name] = cmp.Or(yearReasons[code], yearFallback)
		}
		if len(answers) == 0 {
			y.t.Fatalf("%s is refused, and no reason is asked for:\n%s", month, words(y.t, ctx))
		}
		fill(y.t, ctx, "#report", answers)
		status = press(y.t, ctx, submitButton)
	}
	if status != http.StatusOK {
		y.t.Fatalf("%s is not taken: %d\n%s", month, status, words(y.t, ctx))
	}
	return get(y.t, ctx, chromedp.Text(".flash"))
}

// valueField is the name and text of the field that holds a value as typed.
func valueField(code, typed string) (name, text string) {
	switch {
	case typed == "=":
		return "nochange[" + code + "]", "1"
	case code == "1.2" || code == "3.3":
		return "step[" + code + "]", typed
	default:
		return "value[" + code + "]", typed
	}
}

// report is a department's month: all that is due, the words beside it, how a
// task got on.
func (y *year) report(department, month string) {
	y.t.Helper()
	ctx := y.visit(department, "/reports/"+month)
	fields, list := map[string]string{}, due(department, month)
	for _, e := range list {
		name, text := valueField(e.code, firstSent(e))
		fields[name] = text
		if note := yearNotes[e.code+" "+month]; note != "" {
			fields["note["+e.code+"]"] = note
		}
	}
	want := fmt.Sprintf("已提交%d项指标", len(list))
	if task, ok := yearTasks[department+" "+month]; ok {
		if task[1] != "" {
			fields["task_state["+task[0]+"]"] = task[1]
		}
		fields["task_note["+task[0]+"]"] = task[2]
		if len(list) == 0 {
			want = "1项任务的进展已登记"
		}
	}
	if flash := y.send(ctx, month, fields); !strings.Contains(flash, want) {
		y.t.Fatalf("%s sends %s and reads %q, want %s", department, month, flash, want)
	}
}

// mend sends a returned value again.
func (y *year) mend(department, month, code, value, reason string) {
	y.t.Helper()
	ctx := y.visit(department, "/reports/"+month)
	holds(y.t, ctx, "#"+shownID("i", code)+"-row .frow__state", reason)
	name, text := valueField(code, value)
	if flash := y.send(ctx, month, map[string]string{name: text}); !strings.Contains(flash, "已提交1项指标") {
		y.t.Fatalf("%s sends %s of %s again and reads %q", department, code, month, flash)
	}
}

// review opens the office's queue of a month with a department's card unfolded.
func (y *year) review(month, department string) context.Context {
	y.t.Helper()
	ctx := y.visit("office", "/review?month="+month)
	y.unfold(ctx, department)
	return ctx
}

func (y *year) unfold(ctx context.Context, department string) {
	y.t.Helper()
	if department != "" {
		do(y.t, ctx, chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`document.getElementById(%q).open = true`, department)))
	}
}

// decide presses a button of the queue and expects to be told so.
func (y *year) decide(ctx context.Context, button, want string) {
	y.t.Helper()
	if got := press(y.t, ctx, button); got != http.StatusOK {
		y.t.Fatalf("%s: %d\n%s", button, got, words(y.t, ctx))
	}
	if flash := get(y.t, ctx, chromedp.Text(".flash")); !strings.Contains(flash, want) {
		y.t.Fatalf("%s leads to %q, want %s", button, flash, want)
	}
}

// giveBack returns one value of a department's card with a reason.
func (y *year) giveBack(month, department, code, reason string) {
	y.t.Helper()
	ctx := y.review(month, department)
	ind, err := y.plan.Indicator(code)
	if err != nil {
		y.t.Fatal(err)
	}
	ticked := get(y.t, ctx, chromedp.Evaluate[int](fmt.Sprintf(`{
		let n = 0;
		for (const label of document.querySelectorAll("#%s .rv-pick")) {
			const box = label.querySelector("input"), meant = label.textContent.trim().endsWith(%q);
			if (box.checked !== meant) box.click();
			if (meant) n++;
		}
		n
	}`, department, ind.Name)))
	if ticked != 1 {
		y.t.Fatalf("%s of %s stands %d times in the queue\n%s", code, month, ticked, words(y.t, ctx))
	}
	fill(y.t, ctx, "#"+department+" form", map[string]string{"reason": reason})
	y.decide(ctx, "#"+department+` button[value="return"]`, "已退回 1 项")
}

// approve approves n values of a month: all at once, or the only card's.
func (y *year) approve(month string, n int) {
	y.t.Helper()
	cards := get(y.t, y.review(month, ""), chromedp.Evaluate[[]string](`[...document.querySelectorAll(".sub-card")].map(e => e.id)`))
	ctx, button := y.tabs["office"], `.decide--all button`
	if len(cards) == 1 {
		y.unfold(ctx, cards[0])
		button = "#" + cards[0] + ` button[value="approve"]`
	}
	y.decide(ctx, button, fmt.Sprintf("已通过 %d 项", n))
	if left := get(y.t, ctx, chromedp.Evaluate[int](`document.querySelectorAll(".sub-card").length`)); left != 0 {
		y.t.Fatalf("%s: %d departments are still in the queue", month, left)
	}
}

// read gets addresses within a page of the viewer's.
func (y *year) read(paths ...string) []string {
	y.t.Helper()
	ctx := y.visit("viewer", "/account")
	in, err := json.Marshal(paths)
	if err != nil {
		y.t.Fatal(err)
	}
	return get(y.t, ctx, chromedp.Evaluate[[]string](fmt.Sprintf(`Promise.all(%s.map(async path => {
		const answer = await fetch(path);
		if (answer.status !== 200 || answer.redirected) throw new Error(path + " answers " + answer.status + " at " + answer.url);
		return answer.text();
	}))`, in), chromedp.EvalAwaitPromise))
}

// keep keeps addresses as they are now.
func (y *year) keep(paths ...string) {
	y.t.Helper()
	for i, text := range y.read(paths...) {
		y.shots = append(y.shots, yearShot{y.clock(), paths[i], text})
	}
}

// figures is /export/indicators.csv of a month, by code and column.
func (y *year) figures(month string) map[string]map[string]string {
	y.t.Helper()
	text := y.read("/export/indicators.csv?month=" + month)[0]
	lines, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff"))).ReadAll()
	if err != nil {
		y.t.Fatal(err)
	}
	out := map[string]map[string]string{}
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, column := range lines[0] {
			row[column] = line[i]
		}
		out[row["code"]] = row
	}
	return out
}

// play does the whole script, act by act in the order of time.
func (y *year) play() {
	type act struct {
		at time.Time
		do func()
	}
	var acts []act
	add := func(at time.Time, do func()) { acts = append(acts, act{at, do}) }
	for i, month := range yearMonths {
		all, later, returned := 0, 0, 0
		for j, d := range yearDepartments {
			list := due(d.slug, month)
			if len(list) > 0 && list[0].typed == "-" || len(list) == 0 && yearTasks[d.slug+" "+month] == [3]string{} {
				continue
			}
			day := sentOn(d.slug, month)
			if day < 8 {
				all += len(list)
			} else {
				later += len(list)
			}
			add(yearIn(month, day, 9, 5+5*j), func() { y.report(d.slug, month) })
		}
		for _, r := range yearReturns {
			if r.month != month {
				continue
			}
			returned++
			add(yearIn(month, 8, 9, 30), func() { y.giveBack(month, r.department, r.code, r.reason) })
			again := yearAgain[r.code+" "+month]
			if again == "" {
				again = yearStands(r.code, month)
			}
			add(yearIn(month, 9, 10, 20), func() { y.mend(r.department, month, r.code, again, r.reason) })
		}
		add(yearIn(month, 8, 9, 25), func() {
			y.keep("/?month="+month, "/export/indicators.csv?month="+month)
			for code, row := range y.figures(month) { // what waits for review is nothing yet to who reads
				if row["value_month"] == month {
					y.t.Errorf("%s reads %s for %s before the office has approved it", code, row["value"], month)
				}
			}
		})
		add(yearIn(month, 8, 9, 40), func() { y.approve(month, all-returned) })
		if later+returned > 0 {
			add(yearIn(month, 13, 15, 0), func() { y.approve(month, later+returned) })
		}
		pages := []string{"/", "/key", "/matrix", "/departments", "/indicators/3.1", "/indicators/6.5", "/indicators/7.2", "/projects/3", "/projects/6", "/projects/8",
			"/export/indicators.csv", "/export/matrix.txt"}
		for k := range pages {
			pages[k] += "?month=" + month
		}
		if i > 0 { // corrected since, and judged by the target of its own month
			pages = append(pages, "/?month="+yearMonths[i-1], "/export/indicators.csv?month="+yearMonths[i-1])
		}
		if i+1 < len(yearMonths) { // under way: revised later from just then on
			for _, path := range []string{"/", "/matrix", "/export/indicators.csv", "/export/matrix.txt"} {
				pages = append(pages, path+"?month="+yearMonths[i+1])
			}
		}
		add(yearIn(month, 16, 9, 0), func() { y.keep(pages...) })
	}
	for _, c := range yearCorrections {
		add(c.asked, func() { y.correct(c.department, c.month, c.code, c.old, c.new, c.reason) })
		add(c.decided, func() {
			if c.returned != "" {
				y.giveBack(c.month, c.department, c.code, c.returned)
			} else {
				y.approve(c.month, 1)
			}
		})
	}
	// July is still missing the day after it was due: the office says so.
	add(yearIn("2023-07", 6, 10, 0), func() { y.chase("2023-07", "renshe", "人社局") })
	add(yearRevision.at, func() { y.revise() })
	slices.SortStableFunc(acts, func(a, b act) int { return a.at.Compare(b.at) })
	for _, a := range acts {
		y.set(a.at)
		a.do()
	}
}

// yearStands is what stands for an indicator and month in the end.
func yearStands(code, month string) string {
	for _, e := range yearEntries() {
		if e.code == code && e.month == month {
			return e.value
		}
	}
	panic("no entry " + code + " " + month)
}

// correct asks for a correction of an approved value, which stands meanwhile.
func (y *year) correct(department, month, code, old, value, reason string) {
	y.t.Helper()
	ctx := y.visit(department, "/reports/"+month)
	row := "#" + shownID("i", code) + "-row"
	if got := press(y.t, ctx, row+" a.btn"); got != http.StatusOK {
		y.t.Fatalf("更正 of %s %s: %d", code, month, got)
	}
	flash := y.send(ctx, month, map[string]string{"value[" + code + "]": value, "reason[" + code + "]": reason})
	if !strings.Contains(flash, "已提交1项更正或补报,核定前原值不变") {
		y.t.Fatalf("the correction of %s %s leads to %q", code, month, flash)
	}
	if got := y.figures(month)[code]["value"]; got != old {
		y.t.Errorf("%s of %s reads %s while its correction waits, want %s", code, month, got, old)
	}
}

// chase reminds a department from the queue.
func (y *year) chase(month, department, name string) {
	y.t.Helper()
	ctx := y.review(month, "")
	if got := texts(y.t, ctx, ".miss h3"); !slices.Equal(got, []string{name}) {
		y.t.Fatalf("missing for %s: %v, want %s", month, got, name)
	}
	y.decide(ctx, fmt.Sprintf(`.miss button[value=%q]`, department), "催报")
}

// revise is the target's revision.
func (y *year) revise() {
	y.t.Helper()
	r := yearRevision
	ctx := y.visit("office", "/admin/indicators/"+r.code)
	fill(y.t, ctx, "#form-target", map[string]string{"target": r.new, "from": r.from, "basis": r.basis, "basis_on": r.on})
	y.decide(ctx, "#form-target button", "目标已调整")
}

// A scripted year: eight departments fill in eight months in the browser, some
// late, one not at all once; the office returns, approves, takes and refuses
// corrections and revises a target. In the end the overview, the indicators'
// pages, the export and the history tell the same figures, the script's, and
// every page kept on the way is the same as of then.
func TestYear(t *testing.T) {
	t.Parallel()
	y := newYear(t)
	y.play()
	y.set(yearAt(13, 20, 10, 0))
	slices.Sort(y.asked)
	if want := slices.Sorted(slices.Values(yearAsked)); !slices.Equal(y.asked, want) {
		t.Errorf("reasons were asked for\n%q, want\n%q", y.asked, want)
	}
	y.compareShots()
	y.compareFigures()
	y.compareHistory()
	y.compareDiscipline()
}

// What differs between a page and its as-of twin without being data: the banner,
// the line for paper, and addresses that carry the moment along.
var (
	asOfBanner = regexp.MustCompile(`(?s)<p class="asof".*?</p>`)
	printLine  = regexp.MustCompile(`(?s)<div class="print-head">.*?</div>|<p class="sheet__print.*?</p>`)
	backField  = regexp.MustCompile(`name="back" value="[^"]*"`)
	asOfQuery  = regexp.MustCompile(`(\?|&amp;)as_of=[^"&#]*(&amp;)?`)
	asOfField  = regexp.MustCompile(`<input type="hidden" name="as_of"[^>]*>`)
	blanks     = regexp.MustCompile(`\s+`)
)

func dataOf(page string) string {
	for _, r := range []*regexp.Regexp{asOfBanner, printLine, backField, asOfField} {
		page = r.ReplaceAllString(page, "")
	}
	page = asOfQuery.ReplaceAllStringFunc(page, func(q string) string {
		if strings.HasSuffix(q, "&amp;") {
			return q[:strings.Index(q, "as_of")]
		}
		return ""
	})
	return strings.ReplaceAll(blanks.ReplaceAllString(page, " "), "> <", "><")
}

// compareShots asks for every address kept as of when it was kept.
func (y *year) compareShots() {
	y.t.Helper()
	changed := map[string]bool{}
	for rest := y.shots; len(rest) > 0; {
		at, n := rest[0].at, 1
		for n < len(rest) && rest[n].at.Equal(at) {
			n++
		}
		var shots []yearShot
		shots, rest = rest[:n], rest[n:]
		var then, today []string
		for _, s := range shots {
			then = append(then, s.path+"&as_of="+url.QueryEscape(at.Format("2006-01-02T15:04:05")))
			today = append(today, s.path)
		}
		now := y.read(today...)
		for i, text := range y.read(then...) {
			if want, got := shots[i].text, text; strings.Contains(shots[i].path, "/export/") && got != want || dataOf(got) != dataOf(want) {
				y.t.Errorf("%s as of %s is not what was shown then:\n%s", shots[i].path, at, firstDifference(dataOf(want), dataOf(got)))
			}
			path, month, _ := strings.Cut(shots[i].path, "?month=")
			if path == "/export/matrix.txt" && text != yearTable(month, at) {
				y.t.Errorf("%s as of %s is not the office's table", shots[i].path, at)
			}
			changed[path] = changed[path] || dataOf(now[i]) != dataOf(shots[i].text)
		}
	}
	// As of now they are not all what they were, or nothing was tested.
	for path, ok := range changed {
		if !ok {
			y.t.Errorf("%s is the same now as whenever it was kept", path)
		}
	}
}

// yearTable is the office's table as of a moment: the one brought in, but for the
// target revised.
func yearTable(month string, at time.Time) string {
	if at.Before(yearRevision.at) || month < yearRevision.from {
		return string(seeds.Table)
	}
	return strings.Replace(string(seeds.Table), "| 10428 | "+yearRevision.old+" |", "| 10428 | "+yearRevision.new+" |", 1)
}

// firstDifference is where two texts part.
func firstDifference(a, b string) string {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	clip := func(s string) string { return strings.ToValidUTF8(s[max(0, n-200):min(len(s), n+200)], "") }
	return fmt.Sprintf("then: …%s…\nnow:  …%s…", clip(a), clip(b))
}

// compareFigures holds the export, the overview and the indicators' pages of
// every month against the script.
func (y *year) compareFigures() {
	t := y.t
	t.Helper()
	last := map[string]yearEntry{} // the newest value so far, by code
	for _, month := range yearMonths {
		figures := y.figures(month)
		if len(figures) != len(yearSheet) {
			t.Fatalf("the export of %s has %d indicators, want %d", month, len(figures), len(yearSheet))
		}
		lights := map[string]int{}
		for _, e := range yearEntries() {
			if e.month != month {
				continue
			}
			if e.value != "" {
				last[e.code] = e
			}
			row, want := figures[e.code], last[e.code]
			if row["value"] != want.value || row["value_month"] != want.month {
				t.Errorf("the export of %s: %s reads %s of %s, want %s of %s", month, e.code, row["value"], row["value_month"], want.value, want.month)
			}
			if e.typed == "-" && row["light"] != string(landmark.Unreported) {
				t.Errorf("the export of %s: %s was not reported and is %s", month, e.code, row["light"])
			}
			if want := yearTarget(month); e.code == yearRevision.code && row["target"] != want {
				t.Errorf("the export of %s: target of %s is %s, want %s", month, e.code, row["target"], want)
			}
			lights[landmark.Light(row["light"]).Chinese()]++
		}
		y.compareOverview(month, figures, lights)
	}
	for _, row := range yearSheet {
		y.compareIndicator(row.code)
	}
}

// yearTarget is what the revised indicator aims at in a month.
func yearTarget(month string) string {
	if month < yearRevision.from {
		return yearRevision.old
	}
	return yearRevision.new
}

// ungrouped takes an amount as pages print it back to plain digits.
func ungrouped(s string) string {
	return strings.NewReplacer(",", "", "\u00a0", "", "\u2009", "", "−", "-").Replace(strings.TrimSpace(s))
}

// compareOverview holds the overview of a month against the export.
func (y *year) compareOverview(month string, figures map[string]map[string]string, lights map[string]int) {
	t := y.t
	t.Helper()
	ctx := y.visit("viewer", "/?month="+month)
	type line struct{ Code, Value, Month, Light, Target string }
	lines := get(t, ctx, chromedp.Evaluate[[]line](`[...document.querySelectorAll(".grid tbody tr")].map(tr => {
		const value = tr.querySelector(".c-val"), stale = value.querySelector(".stale")?.textContent ?? "";
		return {
			Code: new URL(tr.querySelector(".c-name a").href).pathname.split("/").pop(),
			Value: value.textContent.slice(stale.length).trim(), Month: stale,
			Light: tr.querySelector(".c-st").textContent.trim(), Target: tr.querySelector(".c-goal").textContent.trim(),
		};
	})`))
	if len(lines) != len(figures) {
		t.Fatalf("the overview of %s has %d indicators, the export %d", month, len(lines), len(figures))
	}
	for _, l := range lines {
		row := figures[l.Code]
		want := line{l.Code, cmp.Or(row["value"], "—"), "", landmark.Light(row["light"]).Chinese(), row["target"]}
		if row["value"] != "" && row["value_month"] != month {
			m, err := landmark.ParseMonth(row["value_month"])
			if err != nil {
				t.Fatal(err)
			}
			want.Month = m.Short()
		}
		l.Value, l.Target = ungrouped(l.Value), ungrouped(l.Target)
		if l != want {
			t.Errorf("the overview of %s says %+v, the export %+v", month, l, want)
		}
	}
	type tally struct {
		Light string
		Count int
	}
	sum := 0
	for _, c := range get(t, ctx, chromedp.Evaluate[[]tally](`[...document.querySelectorAll(".tally__col")].map(c => (
		{Light: c.querySelector(".tally__l").textContent, Count: Number(c.querySelector(".tally__n").textContent)}))`)) {
		sum += c.Count
		if lights[c.Light] != c.Count {
			t.Errorf("the overview of %s counts %d %s, the export has %d", month, c.Count, c.Light, lights[c.Light])
		}
	}
	if rest := lights[landmark.NotDue.Chinese()]; sum != len(figures) && sum+rest != len(figures) {
		t.Errorf("the overview of %s counts %d indicators and %d not due, want %d", month, sum, rest, len(figures))
	}
}

// compareIndicator holds an indicator's own page, which has its whole year,
// against the script.
func (y *year) compareIndicator(code string) {
	t := y.t
	t.Helper()
	ctx := y.visit("viewer", "/indicators/"+code+"?month=2023-12")
	type line struct{ Month, Value, Was string }
	got := map[string]line{}
	for _, l := range get(t, ctx, chromedp.Evaluate[[]line](`[...document.querySelectorAll(".tbl--month tbody tr:not(.rev-note)")].map(tr => (
		{Month: tr.querySelector("th").textContent.trim(), Value: tr.querySelector(".mo-val b").textContent, Was: tr.querySelector(".mo-val del")?.lastChild.textContent ?? ""}))`)) {
		l.Value, l.Was = ungrouped(l.Value), ungrouped(l.Was)
		got[l.Month] = l
	}
	for _, e := range yearEntries() {
		if e.code != code {
			continue
		}
		m, err := landmark.ParseMonth(e.month)
		if err != nil {
			t.Fatal(err)
		}
		want := line{m.Short(), cmp.Or(e.value, "—"), ""}
		for _, c := range yearCorrections {
			if c.code == code && c.month == e.month && c.returned == "" {
				want.Was = c.old
			}
		}
		if got[want.Month] != want {
			t.Errorf("the page of %s says %+v, want %+v", code, got[want.Month], want)
		}
	}
	if code != yearRevision.code {
		return
	}
	if got := strings.Join(texts(t, ctx, `section[aria-labelledby="h-targets"] tbody tr`), "\n"); !strings.Contains(got, yearRevision.basis) || !strings.Contains(got, "2023年10月") {
		t.Errorf("the page of %s tells the target's revision as %q", code, got)
	}
}

// yearLine is a line of the history page.
type yearLine struct{ Actor, Act, Object, Month, Before, After, Reason string }

// history reads the history page by page, newest first.
func (y *year) history(query string) (all []yearLine) {
	y.t.Helper()
	path := "/history?" + query
	for path != "" {
		ctx := y.visit("office", path)
		all = append(all, get(y.t, ctx, chromedp.Evaluate[[]yearLine](`[...document.querySelectorAll(".tbl--hist tbody tr")].map(tr => {
			const text = (cell, part) => (part ? cell.querySelector(part)?.lastChild : cell.firstChild)?.textContent.trim() ?? "", c = tr.cells;
			return {Actor: text(c[1]), Act: text(c[2]), Object: text(c[3]), Month: text(c[3], ".sub"), Before: text(c[4], "del"), After: text(c[4], "ins"), Reason: text(c[5])};
		})`))...)
		path = get(y.t, ctx, chromedp.Evaluate[string](`{ const a = document.querySelector(".pager a[rel=next]"); a ? a.pathname + a.search : "" }`))
	}
	return all
}

var toldValue = regexp.MustCompile(`(?:^|;)(?:值|步骤) ([^;]+)`)

// compareHistory holds what the history says was approved last against the
// script, counts the acts, and checks the chain.
func (y *year) compareHistory() {
	t := y.t
	t.Helper()
	// Sealed as the program does beside the requests.
	for {
		n, err := y.store.Seal(t.Context(), 500, y.clock())
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
	}
	approved, approvals := map[string]string{}, 0
	for _, l := range y.history("act=report.approve") {
		code, _, _ := strings.Cut(l.Object, " ")
		approvals++
		if _, later := approved[code+" "+l.Month]; later {
			continue
		}
		m := toldValue.FindStringSubmatch(l.After)
		if m == nil || l.Actor != "审核员乙" {
			t.Fatalf("the history says %+v", l)
		}
		approved[code+" "+l.Month] = m[1]
	}
	values := 0
	for _, e := range yearEntries() {
		m, err := landmark.ParseMonth(e.month)
		if err != nil {
			t.Fatal(err)
		}
		if got := approved[e.code+" "+m.Chinese()]; got != e.value {
			t.Errorf("the history says that %s of %s was last approved as %q, want %q", e.code, e.month, got, e.value)
		}
		if e.value != "" {
			values++
		}
	}
	agreed, refused := 0, 0
	for _, c := range yearCorrections {
		if c.returned != "" {
			refused++
		} else {
			agreed++
		}
	}
	for act, want := range map[string]int{
		"report.submit": values + len(yearReturns), "report.correct": len(yearCorrections), "report.return": len(yearReturns) + refused,
		"report.sign": 0, "chase.send": 1, "target.revise": 1,
	} {
		if got := len(y.history("act=" + act)); got != want {
			t.Errorf("the history has %d lines of %s, want %d", got, act, want)
		}
	}
	if want := values + agreed; approvals != want {
		t.Errorf("the history has %d approvals, want %d", approvals, want)
	}
	for _, l := range y.history("act=target.revise&indicator=" + yearRevision.code) {
		if !strings.Contains(l.Before, yearRevision.old) || !strings.Contains(l.After, yearRevision.new) || !strings.Contains(l.After+l.Reason, yearRevision.basis) {
			t.Errorf("the history tells the target's revision as %+v", l)
		}
	}
	head, waiting, err := y.store.VerifyHistory(t.Context())
	if err != nil || waiting != 0 || head.Seq == 0 {
		t.Errorf("the chain ends at %d with %d lines waiting: %v", head.Seq, waiting, err)
	}
}

// compareDiscipline holds /departments against the script: due, received, late
// and missing by department and month.
func (y *year) compareDiscipline() {
	t := y.t
	t.Helper()
	type counts struct{ Due, Received, Late, Missing int }
	want := [][]string{}
	total := counts{}
	for _, d := range yearDepartments {
		line, sum := []string{d.name}, counts{}
		for _, month := range yearMonths {
			list, c := due(d.slug, month), counts{}
			for _, e := range list {
				c.Due++
				switch {
				case e.typed == "-":
					c.Missing++
				case isLate(sentOn(d.slug, month)):
					c.Late++
					c.Received++
				default:
					c.Received++
				}
			}
			cell := "—"
			if c.Due > 0 {
				cell = fmt.Sprintf("%d/%d", c.Received, c.Due)
			}
			if c.Late > 0 {
				cell += fmt.Sprintf("迟%d", c.Late)
			}
			if c.Missing > 0 {
				cell += fmt.Sprintf("漏%d", c.Missing)
			}
			line = append(line, cell)
			sum.Due, sum.Received, sum.Late, sum.Missing = sum.Due+c.Due, sum.Received+c.Received, sum.Late+c.Late, sum.Missing+c.Missing
		}
		want = append(want, append(line, fmt.Sprint(sum.Due), fmt.Sprint(sum.Received), fmt.Sprint(sum.Late), fmt.Sprint(sum.Missing)))
		total.Due, total.Received, total.Late, total.Missing = total.Due+sum.Due, total.Received+sum.Received, total.Late+sum.Late, total.Missing+sum.Missing
	}
	ctx := y.visit("viewer", "/departments?month=2023-12")
	got := get(t, ctx, chromedp.Evaluate[[][]string](`[...document.querySelectorAll("table.disc tr:not(:has(th[scope=col]))")].map(tr => [...tr.cells].map(c => {
		const cell = c.cloneNode(true);
		cell.querySelectorAll(".lbl-n, .vh").forEach(e => e.remove());
		return cell.textContent.replace(/\s+/g, "");
	}))`))
	if len(got) != len(want)+1 {
		t.Fatalf("/departments has %d lines, want %d", len(got), len(want)+1)
	}
	for i, line := range want {
		if !slices.Equal(got[i], line) {
			t.Errorf("/departments says\n%q, want\n%q", got[i], line)
		}
	}
	sum := got[len(want)]
	if tail, want := sum[len(sum)-4:], []string{fmt.Sprint(total.Due), fmt.Sprint(total.Received), fmt.Sprint(total.Late), fmt.Sprint(total.Missing)}; !slices.Equal(tail, want) {
		t.Errorf("/departments adds up to %q, want %q", tail, want)
	}
	if total.Late == 0 || total.Missing == 0 {
		t.Error("nothing was late or missing in the script")
	}
}
