package view

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"landmark/internal/landmark"
)

func overviewOf(r *landmark.Record, month int, sort string, filter landmark.Light) OverviewPage {
	return NewOverview(madePage(r, month, "/"), r.Board(landmark.MonthOf(2023, month)), sort, filter)
}

// elements are those of a rendered page that satisfy a test.
func elements(t *testing.T, page string, want func(*html.Node) bool) []*html.Node {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var out []*html.Node
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode && want(n) {
			out = append(out, n)
		}
	}
	return out
}

func TestOverviewCountsEveryIndicatorOnce(t *testing.T) {
	t.Parallel()
	for _, r := range []*landmark.Record{madeRecord(), emptyRecord(madePlan())} {
		for month := 5; month <= 12; month++ {
			o := overviewOf(r, month, "", landmark.NoLight)
			judged := 0
			for _, c := range o.Columns {
				judged += c.Count
				if c.Light == landmark.Critical || c.Light == landmark.Behind {
					if len(c.Indicators) != c.Count {
						t.Errorf("%d月: %d %s, %d named", month, c.Count, c.Light.Chinese(), len(c.Indicators))
					}
				}
			}
			rest := o.Board.Counts[landmark.NotDue] + o.Board.Counts[landmark.NoLight]
			if judged+rest != 30 {
				t.Errorf("%d月: %d in the columns and %d beside them, want 30", month, judged, rest)
			}
			if (o.Rest == "") != (rest == 0) {
				t.Errorf("%d月: %d left out, said: %q", month, rest, o.Rest)
			}
			rows := 0
			for _, g := range o.Groups {
				rows += len(g.Rows)
			}
			if rows != 30 {
				t.Errorf("%d月: %d rows, want 30", month, rows)
			}
		}
	}
	if got, want := overviewOf(madeRecord(), 9, "", landmark.NoLight).Rest, "以上 23 项;另有6 项年度指标未到期,1 项性质待定、暂不判定,共 30 项。"; got != want {
		t.Errorf("left out: %q, want %q", got, want)
	}
}

func TestOverviewSorts(t *testing.T) {
	t.Parallel()
	r := madeRecord()
	order := func(sort string) []int {
		var out []int
		for _, g := range overviewOf(r, 9, sort, landmark.NoLight).Groups {
			out = append(out, g.Project.Number)
		}
		return out
	}
	if diff := cmp.Diff([]int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, order("no")); diff != "" {
		t.Error(diff)
	}
	// Departments in the order of the plan, 卫健局 and 民政局 with two projects each.
	for i, p := range r.Plan.Projects {
		p.Lead.Sort = i
		if p.Lead.Slug == "weijian" {
			p.Lead.Sort = -1
		}
	}
	if diff := cmp.Diff([]int{1, 3, 2, 4, 5, 6, 7, 8, 9, 10}, order("dept")); diff != "" {
		t.Error(diff)
	}
	trouble := overviewOf(r, 9, "trouble", landmark.NoLight).Groups
	for i, g := range trouble {
		if i > 0 && lightOf(r, trouble[i-1].Project).Severity() < lightOf(r, g.Project).Severity() {
			t.Errorf("project %d stands after %d", g.Project.Number, trouble[i-1].Project.Number)
		}
		if !slices.IsSortedFunc(g.Rows, func(x, y GridRow) int { return y.A.Light.Severity() - x.A.Light.Severity() }) {
			t.Errorf("project %d: its rows are not sorted", g.Project.Number)
		}
	}
}

func lightOf(r *landmark.Record, p *landmark.Project) landmark.Light {
	return r.Board(landmark.MonthOf(2023, 9)).Projects[p.Number-1].Light
}

func TestOverviewFilters(t *testing.T) {
	t.Parallel()
	r := madeRecord()
	counts := r.Board(landmark.MonthOf(2023, 9)).Counts
	for _, l := range landmark.Lights {
		if l == landmark.NoLight {
			continue
		}
		rows := 0
		for _, g := range overviewOf(r, 9, "", l).Groups {
			for _, row := range g.Rows {
				rows++
				if row.A.Light != l {
					t.Errorf("only %s: %s is %s", l.Chinese(), row.A.Indicator.Code, row.A.Light.Chinese())
				}
			}
		}
		if rows != counts[l] {
			t.Errorf("only %s: %d rows, want %d", l.Chinese(), rows, counts[l])
		}
	}
}

func TestOverviewNamesMissingDepartments(t *testing.T) {
	t.Parallel()
	r := madeRecord()
	september := landmark.MonthOf(2023, 9)
	lead := r.Plan.Projects[6].Lead
	missing := func() []TallyDepartment {
		for _, c := range overviewOf(r, 9, "", landmark.NoLight).Columns {
			if c.Light == landmark.Unreported {
				return c.Departments
			}
		}
		return nil
	}
	want := []TallyDepartment{{Department: lead, Note: "3 项,末次 9月4日"}}
	if diff := cmp.Diff(want, missing()); diff != "" {
		t.Error(diff)
	}
	r.Extensions = []landmark.Extension{{DepartmentID: lead.ID, Month: september, Due: landmark.Date{Year: 2023, Month: 10, Day: 10}}}
	r.Chases = []landmark.Chase{{DepartmentID: lead.ID, Month: september}, {DepartmentID: lead.ID, Month: september - 1}}
	sent := mustIndicator(r.Plan, "7.1")
	r.Reports[sent.ID] = append(r.Reports[sent.ID], landmark.Report{IndicatorID: sent.ID, Month: september, State: landmark.StateSubmitted, FirstSubmittedAt: r.AsOf})
	want = []TallyDepartment{{Department: lead, Note: "2 项,末次 9月4日,延至10月10日", Chased: "已催 1 次"}, {Department: lead, Note: "1 项已报,待审核", Waiting: true}}
	if diff := cmp.Diff(want, missing()); diff != "" {
		t.Error(diff)
	}
}

func TestOnlyTheOfficeChases(t *testing.T) {
	t.Parallel()
	r := madeRecord()
	chases := func(change func(*Page)) []*html.Node {
		p := madePage(r, 9, "/")
		change(&p)
		page := render(t, Overview(NewOverview(p, r.Board(p.Month), "", landmark.NoLight)))
		return elements(t, page, func(n *html.Node) bool { return attr(n, "action") == "/review/chase" })
	}
	if n := len(chases(func(*Page) {})); n != 0 {
		t.Errorf("a reader is offered %d chases", n)
	}
	if n := len(chases(func(p *Page) { p.CanChase, p.AsOf = true, &r.AsOf })); n != 0 {
		t.Errorf("%d chases of a moment that has passed", n)
	}
	forms := chases(func(p *Page) { p.CanChase = true })
	if len(forms) != 1 {
		t.Fatalf("%d chases, want one", len(forms))
	}
	sent := map[string]string{}
	for n := range forms[0].Descendants() {
		if name := attr(n, "name"); name != "" {
			sent[name] = attr(n, "value")
		}
	}
	if diff := cmp.Diff(map[string]string{"plan": "tongxiang-2023", "month": "2023-09", "department": "renshe"}, sent); diff != "" {
		t.Error(diff)
	}
}

func TestOverviewSaysWhatIsDueWhen(t *testing.T) {
	t.Parallel()
	o := overviewOf(emptyRecord(madePlan()), 9, "", landmark.NoLight)
	var got []string
	for _, d := range o.Dues {
		var codes []string
		for _, ind := range d.Indicators {
			codes = append(codes, ind.Code)
		}
		got = append(got, fmt.Sprintf("%s %s %d %s", d.Month, d.Day, d.Count, strings.Join(codes, " ")))
	}
	want := []string{"9月 10月5日 24 1.1", "10月 11月5日 23 ", "11月 12月5日 23 ", "12月 次年1月5日 30 1.1 1.2 5.1 6.4 8.2 10.1 10.2"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if o.Monthly != 23 || o.Due != "9月应报 24 项,10月5日截止;下一期10月应报 23 项,11月5日截止。" {
		t.Errorf("%d every month; %s", o.Monthly, o.Due)
	}
}

// A plan of years ago is overdue by a date, not by a thousand days.
func TestOverdueIsCountedInDaysForAMonth(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		month int
		now   time.Time
		want  string
	}{
		{9, time.Date(2023, 10, 5, 23, 0, 0, 0, shanghai), "10月5日截止"},
		{9, time.Date(2023, 10, 6, 0, 0, 0, 0, shanghai), "逾期 1 天"},
		{9, time.Date(2023, 11, 5, 9, 0, 0, 0, shanghai), "逾期 31 天"},
		{9, time.Date(2023, 11, 6, 9, 0, 0, 0, shanghai), "2023年10月5日已截止"},
		{12, time.Date(2023, 12, 31, 9, 0, 0, 0, shanghai), "次年1月5日截止"},
		{12, time.Date(2026, 11, 24, 9, 0, 0, 0, shanghai), "2024年1月5日已截止"},
	} {
		r := emptyRecord(madePlan())
		r.AsOf = c.now
		if got := overdueText(r, r.Board(landmark.MonthOf(2023, c.month))); got != c.want {
			t.Errorf("%d月 on %s: got %q, want %q", c.month, c.now.Format(time.DateOnly), got, c.want)
		}
	}
}

func TestOverviewReportColumn(t *testing.T) {
	t.Parallel()
	september := landmark.MonthOf(2023, 9)
	in := time.Date(2023, 10, 4, 9, 0, 0, 0, shanghai)
	late := in.AddDate(0, 0, 3)
	for _, c := range []struct {
		name   string
		today  int // of October
		states []landmark.State
		at     time.Time
		want   string
	}{
		{"nothing yet, in time", 4, nil, in, "待报 10月5日截止 false"},
		{"nothing on the last day", 5, nil, in, "待报 10月5日截止 false"},
		{"nothing the day after", 6, nil, in, "9月未报  true"},
		{"a draft is no report", 6, []landmark.State{landmark.StateDraft}, time.Time{}, "9月未报  true"},
		{"sent", 6, []landmark.State{landmark.StateSubmitted, landmark.StateSubmitted, landmark.StateSigned}, in, "待审核 10月4日报 false"},
		{"sent late", 8, []landmark.State{landmark.StateSubmitted, landmark.StateSubmitted, landmark.StateSubmitted}, late, "待审核 10月7日报 迟报 false"},
		{"one returned", 8, []landmark.State{landmark.StateReturned, landmark.StateApproved, landmark.StateApproved}, in, "退回 1 项 10月4日报 false"},
		{"partly, in time", 5, []landmark.State{landmark.StateApproved}, in, "已报 1/3 10月4日报 false"},
		{"partly, and the rest is missing", 8, []landmark.State{landmark.StateApproved, landmark.StateSubmitted}, in, "已报 2/3 10月4日报 true"},
		{"all", 8, []landmark.State{landmark.StateApproved, landmark.StateApproved, landmark.StateApproved}, in, "已核定 10月4日报 false"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := emptyRecord(madePlan())
			r.AsOf = time.Date(2023, 10, c.today, 12, 0, 0, 0, shanghai)
			project := r.Plan.Projects[6]
			for i, state := range c.states {
				ind := project.Indicators[i]
				r.Reports[ind.ID] = []landmark.Report{{IndicatorID: ind.ID, Month: september, State: state, FirstSubmittedAt: c.at}}
			}
			text, sub, bad := reportText(r, september, project)
			if got := fmt.Sprint(text, " ", sub, " ", bad); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	r := emptyRecord(madePlan())
	if text, _, bad := reportText(r, september, r.Plan.Projects[9]); text != "本月不用报" || bad {
		t.Errorf("a project that owes nothing: %q", text)
	}
}

func TestKeyShowsEveryStarOnce(t *testing.T) {
	t.Parallel()
	for _, r := range []*landmark.Record{madeRecord(), emptyRecord(madePlan()), worstRecord()} {
		for month := 5; month <= 12; month++ {
			k := NewKey(madePage(r, month, "/key"), r.Board(landmark.MonthOf(2023, month)))
			seen := map[string]int{}
			for _, g := range k.Groups {
				for _, row := range g.Rows {
					seen[row.A.Indicator.Code]++
					if trouble := row.A.Light.Trouble() || row.A.Computed.Trouble(); trouble != (g.ID == "h-ask") {
						t.Errorf("%d月: %s, %s, stands under %s", month, row.A.Indicator.Code, row.A.Light.Chinese(), g.Title)
					}
				}
			}
			if len(seen) != 9 || k.Lead.All != 9 || k.Lead.Ask+k.Lead.Fine+k.Lead.Later != 9 {
				t.Errorf("%d月: %d shown, lead %+v", month, len(seen), k.Lead)
			}
		}
	}
}

func TestKeyLead(t *testing.T) {
	t.Parallel()
	r := madeRecord()
	lead := func() string {
		page := render(t, Key(NewKey(madePage(r, 9, "/key"), r.Board(landmark.MonthOf(2023, 9)))))
		return words(elements(t, page, func(n *html.Node) bool { return attr(n, "class") == "sheet__lead" })[0])
	}
	if got, want := lead(), "9 项关键指标,3 项按计划推进,其中 1 项已完成;3 项需要过问:3 项滞后;3 项未到期。"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	// An override to calm does not take the indicator out of what is asked about.
	r.Overrides[mustIndicator(r.Plan, "6.2").ID][0].Light = landmark.OnTrack
	if got, want := lead(), "9 项关键指标,3 项按计划推进,其中 1 项已完成;3 项需要过问:2 项滞后,1 项改判为正常;3 项未到期。"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestKeyKeepsToOneSheet(t *testing.T) {
	t.Parallel()
	r := emptyRecord(madePlan())
	for _, c := range []struct {
		name string
		r    *landmark.Record
		want string
	}{{"empty", r, ""}, {"made", madeRecord(), "sheet--tight"}, {"worst", worstRecord(), "sheet--tight"}} {
		if k := NewKey(madePage(c.r, 9, "/key"), c.r.Board(landmark.MonthOf(2023, 9))); k.Density != c.want {
			t.Errorf("%s: density %q, want %q", c.name, k.Density, c.want)
		}
	}
}

func TestKeyOwnsUpToWhatItLeavesOut(t *testing.T) {
	t.Parallel()
	r := madeRecord()
	got := NewKey(madePage(r, 9, "/key"), r.Board(landmark.MonthOf(2023, 9))).Without
	want := "本页只列★指标。5 个项目没有★指标(2 桐享 优学、3 桐享 健康、5 强村 富民、7 高校毕业生高质量就业创业服务体系、9 桐享 社区),它们的 14 项指标:" +
		"严重滞后 2 项,滞后 3 项,未报送 3 项,正常 3 项,已完成 1 项,未到期 1 项,未判定 1 项,详见总览。"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestPageLinks(t *testing.T) {
	t.Parallel()
	p := Page{Path: "/tasks", Query: url.Values{"plan": {"a b"}, "month": {"2023-08"}, "as_of": {"2023-10-06T09:30"}, "state": {"done"}}}
	for _, c := range []struct{ name, got, want string }{
		{"as it is", p.With(), "/tasks?as_of=2023-10-06T09%3A30&month=2023-08&plan=a+b&state=done"},
		{"changed", p.With("state", "", "month", "2023-09"), "/tasks?as_of=2023-10-06T09%3A30&month=2023-09&plan=a+b"},
		{"another page keeps what it shows", p.To("/key"), "/key?as_of=2023-10-06T09%3A30&month=2023-08&plan=a+b"},
		{"and more", p.To("/tasks", "project", "4"), "/tasks?as_of=2023-10-06T09%3A30&month=2023-08&plan=a+b&project=4"},
		{"nothing to keep", Page{Path: "/"}.With(), "/"},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, c.got, c.want)
		}
	}
	if p.Query.Get("state") != "done" {
		t.Error("a link changed the page's own query")
	}
}

func TestPeriodFormKeepsWhatIsShown(t *testing.T) {
	t.Parallel()
	p := madePage(madeRecord(), 9, "/")
	p.Query = url.Values{"plan": {"tongxiang-2023"}, "month": {"2023-09"}, "sort": {"dept"}, "as_of": {"2023-10-06T09:30"}, "note": {"x"}}
	p.Plans = []PlanChoice{{"tongxiang-2023", "2023"}, {"tongxiang-2024", "2024"}}
	fields := func(label string) map[string]string {
		out := map[string]string{}
		for _, form := range elements(t, render(t, PeriodForm(p)), func(n *html.Node) bool { return attr(n, "aria-label") == label }) {
			for n := range form.Descendants() {
				if name := attr(n, "name"); name != "" {
					out[name] = attr(n, "value")
				}
			}
		}
		return out
	}
	if diff := cmp.Diff(map[string]string{"plan": "tongxiang-2023", "as_of": "2023-10-06T09:30", "sort": "dept", "month": ""}, fields("选择期次")); diff != "" {
		t.Error(diff)
	}
	// Another plan has other months.
	if diff := cmp.Diff(map[string]string{"plan": "", "as_of": "2023-10-06T09:30", "sort": "dept"}, fields("选择年度方案")); diff != "" {
		t.Error(diff)
	}
}

func TestPageWords(t *testing.T) {
	t.Parallel()
	r := madeRecord()
	p := madePage(r, 9, "/")
	p.Title = "总览"
	at := time.Date(2023, 10, 6, 9, 30, 0, 0, shanghai)
	p.AsOf = &at
	brand, sub := p.Brand()
	other := Page{Plan: &landmark.Plan{Year: 2031, Title: "某市2031年实事清单"}}
	name, none := other.Brand()
	minzheng := landmark.User{ID: 3, DisplayName: "填报员甲", Role: landmark.RoleReporter, Department: landmark.Department{Name: "民政局"}}
	for _, c := range []struct{ name, got, want string }{
		{"brand", brand + "|" + sub, "桐乡市共同富裕|十大标志性成果"},
		{"brand of another kind of plan", name + "|" + none, "某市2031年实事清单|"},
		{"print line", p.PrintLine(), "截至2023年9月 · 按2023年10月6日 09:30的数据 · 打印 2023年10月12日 09:30 · 演示数据"},
		{"title", p.FullTitle(), "总览 · 桐乡市2023年共同富裕十大标志性成果"},
		{"title without a plan", Page{Title: "登录"}.FullTitle(), "登录 · 标志性成果进展看板"},
		{"office", p.Who(), "市府办 · 审核员乙"},
		{"department", Page{User: minzheng}.Who(), "民政局 · 填报员甲"},
		{"unit", landmark.UnitHead("人/万名老人"), "人"},
		{"unit with a bracket", landmark.UnitHead("套(间)"), "套"},
		{"simple unit", landmark.UnitHead("万人次"), "万人次"},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, c.got, c.want)
		}
	}
	rule := landmark.LightRule{From: landmark.MonthOf(2023, 7), Tolerance: 3, RedLine: 12}
	if got := ruleText(rule); !strings.Contains(got, "落后3个百分点以内为正常,3至12为滞后,超过12为严重滞后(规则自2023年7月起)") {
		t.Errorf("the foot does not tell the rule in force: %s", got)
	}
}

func TestErrorPagesSayWhatToDo(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	for _, status := range errorStatuses {
		e := NewError(Page{RequestID: "Q7KX2M"}, status, "")
		if other, ok := seen[e.Heading]; ok {
			t.Errorf("%d and %d have one heading", status, other)
		}
		seen[e.Heading] = status
		if page := render(t, Error(e)); !strings.Contains(page, "Q7KX2M") || !strings.Contains(page, e.Say) || !strings.Contains(page, "<title>"+e.Heading) {
			t.Errorf("%d: no number, no advice or no title", status)
		}
	}
	if got := NewError(Page{}, 409, "刚被退回").Say; got != "刚被退回" {
		t.Errorf("the domain's own sentence is lost: %q", got)
	}
}

func TestAgentText(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/118.0.0.0 Safari/537.36 Edg/118.0.2088.46": "Edge · Windows",
		"Mozilla/5.0 (X11; Linux x86_64; rv:118.0) Gecko/20100101 Firefox/118.0":                                                            "Firefox · Linux",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 16_6 like Mac OS X) AppleWebKit/605.1.15 MicroMessenger/8.0.42":                                 "微信 · iPhone",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Safari/605.1.15":             "Safari · macOS",
		"curl/8.0": "不明", "": "不明",
	} {
		if got := agentText(header); got != want {
			t.Errorf("%q: got %q, want %q", header, got, want)
		}
	}
}

func TestDoors(t *testing.T) {
	t.Parallel()
	health, school := landmark.Department{ID: 8, Sort: 1, Name: "卫健局"}, landmark.Department{ID: 3, Sort: 2, Name: "教育局"}
	doors := NewDoors([]landmark.User{
		{Name: "leader-jiaoyu", Role: landmark.RoleLeader, DepartmentID: 3, Department: school},
		{Name: "leader-weijian", Role: landmark.RoleLeader, DepartmentID: 8, Department: health},
		{Name: "reporter-weijian", Role: landmark.RoleReporter, DepartmentID: 8, Department: health},
		{Name: "viewer", Role: landmark.RoleViewer},
		{Name: "reporter-jiaoyu", Role: landmark.RoleReporter, DepartmentID: 3, Department: school},
		{Name: "office", Role: landmark.RoleOffice},
	})
	want := []DemoDoor{{"office", "市府办"}, {"viewer", "查阅"}, {"reporter-weijian", "卫健局 · 填报员"}, {"leader-weijian", "卫健局 · 部门负责人"}, {"reporter-jiaoyu", "教育局 · 填报员"}, {"leader-jiaoyu", "教育局 · 部门负责人"}}
	if diff := cmp.Diff(want, doors); diff != "" {
		t.Error(diff)
	}
}

func TestTitleTellsOfMistakesFirst(t *testing.T) {
	t.Parallel()
	for name, page := range sharedPages() {
		if !strings.HasPrefix(name, "login") && !strings.HasPrefix(name, "account") {
			continue
		}
		refused := strings.HasSuffix(name, "-refused") || strings.HasSuffix(name, "-throttled")
		if got := strings.Contains(render(t, page), "<title>错误:"); got != refused {
			t.Errorf("%s: title tells of a mistake: %v, want %v", name, got, refused)
		}
	}
}
