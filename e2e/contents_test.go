package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"landmark/internal/sheet"
	"landmark/seeds"
)

// published is the city's table as published: what the pages must hold.
func published(t *testing.T) *sheet.Table {
	t.Helper()
	table, err := sheet.ReadTable(bytes.NewReader(seeds.Table))
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// bare is a text without blanks, which a page may break and join as it likes.
func bare(text string) string { return strings.Join(strings.Fields(text), "") }

func TestOverviewHoldsThePlan(t *testing.T) {
	t.Parallel()
	table := published(t)
	base := demo(t)
	ctx := as(t, base, "office")
	open(t, ctx, base+"/", http.StatusOK)
	var projects, indicators, keys []string
	for _, p := range table.Projects {
		projects = append(projects, p.Name)
		for _, ind := range p.Indicators {
			name, key := strings.CutPrefix(ind.Printed, "★")
			name = withoutUnit(name)
			indicators = append(indicators, name)
			if key {
				keys = append(keys, name)
			}
		}
	}
	if len(projects) != 10 || len(indicators) != 30 || len(keys) != 9 {
		t.Fatalf("the table has %d projects, %d indicators, %d of them ★", len(projects), len(indicators), len(keys))
	}
	same(t, "projects", texts(t, ctx, ".grid .c-proj__name"), projects)
	same(t, "indicators", marked(t, ctx, ".grid .c-name a"), indicators)
	same(t, "★ strip", texts(t, ctx, ".starcell__name"), keys)
	if got := len(texts(t, ctx, ".grid .c-name .star")); got != 9 {
		t.Errorf("%d stars in the grid, want 9", got)
	}
	open(t, ctx, base+"/key", http.StatusOK)
	got := texts(t, ctx, ".keyrow__name")
	slices.Sort(got)
	slices.Sort(keys)
	same(t, "★ page", got, keys)
}

// withoutUnit takes a closing unit off a printed name.
func withoutUnit(name string) string {
	if i := strings.LastIndex(name, "("); i > 0 && strings.HasSuffix(name, ")") {
		return name[:i]
	}
	return name
}

// marked are the words of elements without what is said of a star.
func marked(t *testing.T, ctx context.Context, selector string) []string {
	t.Helper()
	found := texts(t, ctx, selector)
	for i := range found {
		found[i] = strings.TrimSpace(strings.TrimPrefix(found[i], "★关键指标"))
	}
	return found
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			t.Errorf("%s: %q is not there", what, want[i])
		case i >= len(want):
			t.Errorf("%s: %q is there, but not in the table", what, got[i])
		case bare(got[i]) != bare(want[i]):
			t.Errorf("%s: number %d is %q, want %q", what, i+1, got[i], want[i])
		}
	}
}

func TestTasksScenariosDepartmentsOfTheTable(t *testing.T) {
	t.Parallel()
	table := published(t)
	base := demo(t)
	ctx := as(t, base, "viewer")
	tasks, scenarios := 0, 0
	var allTasks, allScenarios []string
	cooperating := map[string]bool{}
	for _, p := range table.Projects {
		var want, leads, places, departments []string
		for _, piece := range sheet.SplitTasks(p.Tasks) {
			if piece.Lead {
				leads = append(leads, piece.Text)
				continue
			}
			want = append(want, piece.Text)
		}
		for _, piece := range sheet.SplitScenarios(p.Scenarios) {
			places = append(places, piece.Text)
		}
		for _, piece := range sheet.SplitDepartments(p.Cooperating) {
			departments = append(departments, piece.Text)
			cooperating[piece.Text] = true
		}
		tasks += len(want)
		scenarios += len(places)
		allTasks, allScenarios = append(allTasks, want...), append(allScenarios, places...)

		open(t, ctx, base+"/projects/"+strconv.Itoa(p.Number), http.StatusOK)
		what := fmt.Sprintf("project %d, ", p.Number)
		same(t, what+"tasks", fullTasks(t, ctx), want)
		same(t, what+"lead sentence", texts(t, ctx, ".task-lead"), leads)
		same(t, what+"scenarios", texts(t, ctx, ".scene h3"), places)
		same(t, what+"departments", texts(t, ctx, ".chip:not(.chip--lead) a"), departments)
		same(t, what+"lead department", texts(t, ctx, ".chip--lead a"), []string{p.Lead})
	}
	if tasks != 38 || scenarios != 17 {
		t.Errorf("the table has %d tasks and %d scenarios, want 38 and 17", tasks, scenarios)
	}
	open(t, ctx, base+"/tasks", http.StatusOK)
	same(t, "tasks", fullTasks(t, ctx), allTasks)
	if got := texts(t, ctx, ".task-lead"); len(got) != 1 || !strings.HasPrefix(got[0], "实施综合交通十大工程") {
		t.Errorf("lead sentences %q, want project 10's", got)
	}
	open(t, ctx, base+"/scenarios", http.StatusOK)
	same(t, "scenarios", texts(t, ctx, ".scene h3"), allScenarios)
	open(t, ctx, base+"/departments", http.StatusOK)
	page := words(t, ctx)
	for name := range cooperating {
		if !strings.Contains(page, name) {
			t.Errorf("the departments lack %s", name)
		}
	}
}

// fullTasks are the tasks' texts, with the part that is folded away.
func fullTasks(t *testing.T, ctx context.Context) []string {
	t.Helper()
	return get(t, ctx, chromedp.Evaluate[[]string](`[...document.querySelectorAll('.task')].map(li => [...li.querySelectorAll('.task__text')].map(p => p.textContent).join(''))`))
}

func TestMatrixIsTheTable(t *testing.T) {
	t.Parallel()
	table := published(t)
	base := demo(t)
	ctx := as(t, base, "viewer")
	open(t, ctx, base+"/matrix", http.StatusOK)
	page := bare(words(t, ctx))
	for _, p := range table.Projects {
		for _, cell := range []string{p.Name, p.Lead, p.Tasks, p.Scenarios, p.Cooperating} {
			if !strings.Contains(page, bare(cell)) {
				t.Errorf("project %d: the matrix lacks %q", p.Number, cell)
			}
		}
		for _, ind := range p.Indicators {
			for _, cell := range []string{strings.TrimPrefix(ind.Printed, "★"), ind.Baseline, ind.Target} {
				if !strings.Contains(page, bare(cell)) {
					t.Errorf("project %d: the matrix lacks %q", p.Number, cell)
				}
			}
		}
	}
}

func TestOverviewSorts(t *testing.T) {
	t.Parallel()
	base := demo(t)
	ctx := as(t, base, "viewer")
	open(t, ctx, base+"/", http.StatusOK)
	numbers := func() string { return strings.Join(texts(t, ctx, ".grid .c-proj__no"), " ") }
	if got := numbers(); got != "1 2 3 4 5 6 7 8 9 10" {
		t.Errorf("by number: %s", got)
	}
	press(t, ctx, ".sorts a[href*='sort=trouble']")
	if got := texts(t, ctx, ".grid tbody:nth-of-type(1) .c-st"); len(got) == 0 || got[0] != "严重滞后" {
		t.Errorf("trouble first: the first project's lights are %q", got)
	}
	if got := texts(t, ctx, ".grid tbody:last-of-type .c-st"); slices.Contains(got, "严重滞后") || slices.Contains(got, "滞后") {
		t.Errorf("trouble first: the last project's lights are %q", got)
	}
	press(t, ctx, ".sorts a[href*='sort=dept']")
	leads := slices.Compact(texts(t, ctx, ".grid .c-proj__lead"))
	if len(leads) != 8 {
		t.Errorf("by department: %q, want each of eight together", leads)
	}
	press(t, ctx, ".tally__head a[href*='status=critical']")
	if got := texts(t, ctx, ".grid .c-st"); len(got) != 2 || got[0] != "严重滞后" || got[1] != "严重滞后" {
		t.Errorf("critical only: %q", got)
	}
}

func TestMonthSelector(t *testing.T) {
	t.Parallel()
	base := demo(t)
	ctx := as(t, base, "viewer")
	open(t, ctx, base+"/?sort=trouble", http.StatusOK)
	do(t, ctx, chromedp.SetValue("#period-month", "2023-06"))
	press(t, ctx, ".period button")
	if got := texts(t, ctx, ".page-head__sub"); len(got) == 0 || !strings.Contains(got[0], "截至2023年6月") {
		t.Errorf("the overview says %q", got)
	}
	if got := get(t, ctx, chromedp.Location()); !strings.Contains(got, "month=2023-06") || !strings.Contains(got, "sort=trouble") {
		t.Errorf("at %s, want June, still sorted", got)
	}
	press(t, ctx, ".grid .c-name a[href*='/indicators/3.1']")
	if got := texts(t, ctx, ".readout__k"); len(got) == 0 || got[0] != "6月值" {
		t.Errorf("the indicator's page begins with %q, want June's value", got)
	}
}

func TestAsOfBanner(t *testing.T) {
	t.Parallel()
	base := demo(t)
	ctx := as(t, base, "viewer")
	open(t, ctx, base+"/?as_of=2023-09-12T09:30", http.StatusOK)
	if got := texts(t, ctx, ".asof time"); len(got) != 1 || bare(got[0]) != "2023年9月12日09:30" {
		t.Errorf("the banner says %q", got)
	}
	if got := texts(t, ctx, ".page-head__sub"); len(got) == 0 || !strings.Contains(got[0], "截至2023年8月") {
		t.Errorf("in September August is the newest month due: %q", got)
	}
	press(t, ctx, ".grid .c-name a[href*='/indicators/4.1']")
	if got := texts(t, ctx, ".asof"); len(got) != 1 {
		t.Error("the moment is lost on the way to an indicator")
	}
	press(t, ctx, ".asof a")
	if got := texts(t, ctx, ".asof"); len(got) != 0 {
		t.Errorf("back to now the banner still says %q", got)
	}
}

func TestOverrideStandsBesideTheComputedLight(t *testing.T) {
	t.Parallel()
	base := demo(t)
	ctx := as(t, base, "viewer")
	open(t, ctx, base+"/indicators/3.2", http.StatusOK)
	if got := texts(t, ctx, ".readout .status"); len(got) != 2 || got[0] != "正常" || got[1] != "严重滞后" {
		t.Errorf("lights %q, want the office's and the computed one", got)
	}
	if got := texts(t, ctx, ".callout"); len(got) != 1 || !strings.Contains(got[0], "市府办改判为正常") || !strings.Contains(got[0], "理由:") {
		t.Errorf("the office's reason: %q", got)
	}
	open(t, ctx, base+"/", http.StatusOK)
	if got := texts(t, ctx, ".grid tr:has(a[href$='/indicators/3.2']) .c-st"); len(got) != 1 || !strings.Contains(got[0], "改判") {
		t.Errorf("on the overview: %q", got)
	}
}

func TestCorrectionIsShown(t *testing.T) {
	t.Parallel()
	base := demo(t)
	ctx := as(t, base, "viewer")
	open(t, ctx, base+"/indicators/4.1", http.StatusOK)
	if got := texts(t, ctx, ".tbl--month del"); len(got) != 1 || !strings.Contains(got[0], "25.2") {
		t.Errorf("struck out %q, want June's first value", got)
	}
	if got := texts(t, ctx, ".rev-note"); !slices.ContainsFunc(got, func(s string) bool {
		return strings.Contains(s, "6月已更正1次") && strings.Contains(s, "25.18") && strings.Contains(s, "原因:")
	}) {
		t.Errorf("notes %q, want what was corrected and why", got)
	}
}

func TestLateAndMissingDepartments(t *testing.T) {
	t.Parallel()
	base := demo(t)
	ctx := as(t, base, "office")
	open(t, ctx, base+"/", http.StatusOK)
	got := texts(t, ctx, ".tally__col[data-s='none'] li")
	if len(got) != 2 || !strings.HasPrefix(got[0], "人社局 3 项") || !strings.Contains(got[0], "已催 1 次") || !strings.HasPrefix(got[1], "教育局 3 项已报,待审核") {
		t.Errorf("not in: %q, want who is missing, then who waits", got)
	}
	if got := texts(t, ctx, ".grid tbody[data-p='7'] .c-rep"); len(got) != 1 || !strings.Contains(got[0], "9月未报") {
		t.Errorf("project 7: %q", got)
	}
	if got := texts(t, ctx, ".grid tbody[data-p='6'] .c-rep"); len(got) != 1 || !strings.Contains(got[0], "迟报") {
		t.Errorf("project 6: %q", got)
	}
}

// TestPaper prints pages as the office does and counts the sheets.
func TestPaper(t *testing.T) {
	t.Parallel()
	base := demo(t)
	for _, c := range []struct {
		path        string
		least, most int
		wide        bool
	}{
		{"/key", 1, 1, false},
		{"/key?month=2023-06", 1, 1, false},
		{"/indicators/4.1", 1, 1, false},
		{"/indicators/3.2", 1, 1, false},
		{"/indicators/1.2", 1, 1, false},
		{"/indicators/4.2?month=2023-12", 1, 1, false},
		{"/indicators/9.2?month=2023-12", 1, 1, false},
		{"/", 1, 2, true},
		{"/matrix", 2, 2, true},
		{"/projects/4", 1, 2, true},
		{"/projects/6", 1, 2, true},
		{"/projects/10", 1, 2, true},
	} {
		t.Run(strings.ReplaceAll(c.path, "/", "_"), func(t *testing.T) {
			t.Parallel()
			ctx := as(t, base, "office")
			open(t, ctx, base+c.path, http.StatusOK)
			sheets := pdf(t, get(t, ctx, chromedp.PrintToPDF(chromedp.PDFPreferCSSPageSize())))
			if len(sheets) < c.least || len(sheets) > c.most {
				t.Errorf("%d sheets, want %d to %d", len(sheets), c.least, c.most)
			}
			for i, s := range sheets {
				if long, short := max(s[0], s[1]), min(s[0], s[1]); long < 841 || long > 843 || short < 594 || short > 596 {
					t.Errorf("sheet %d is %.0f × %.0f points, want A4", i+1, s[0], s[1])
				}
				if wide := s[0] > s[1]; wide != c.wide {
					t.Errorf("sheet %d: landscape %v, want %v", i+1, wide, c.wide)
				}
			}
		})
	}
}

// The worst month there can be, every ★ set to 严重滞后 for a reason of a hundred
// characters, still stands on one sheet, and every reason is on it.
func TestKeyOfABadMonth(t *testing.T) {
	t.Parallel()
	base := startServer(t).URL
	ctx := as(t, base, "office")
	open(t, ctx, base+"/key?month=2023-09", http.StatusOK)
	codes := get(t, ctx, chromedp.Evaluate[[]string](`[...new Set([...document.querySelectorAll('main a[href*="/indicators/"]')].map(a => a.pathname.split('/').pop()))]`))
	if len(codes) != 9 {
		t.Fatalf("the page leads to %q, want the nine ★", codes)
	}
	reason := strings.Repeat("主体工程因土地指标和资金到位推迟,", 6)
	for i, code := range codes {
		open(t, ctx, base+"/admin/indicators/"+code, http.StatusOK)
		taken(t, ctx, "override", "已改判", "light", "critical", "from", "2023-09", "until", "2023-09", "reason", fmt.Sprintf("第%d件:%s", i+1, reason))
	}
	open(t, ctx, base+"/key?month=2023-09", http.StatusOK)
	page := words(t, ctx)
	for i := range codes {
		if want := fmt.Sprintf("第%d件", i+1); !strings.Contains(page, want) {
			t.Errorf("the page lacks the reason %q", want)
		}
	}
	sheets := pdf(t, get(t, ctx, chromedp.PrintToPDF(chromedp.PDFPreferCSSPageSize())))
	if len(sheets) != 1 {
		t.Errorf("%d sheets, want one", len(sheets))
	}
	inspect(t, ctx, "key-bad-month")
}
