package view

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"landmark/internal/landmark"
)

func TestSplitTaskLosesNothing(t *testing.T) {
	t.Parallel()
	for _, p := range madePlan().Projects {
		for _, task := range p.Tasks {
			head, first, rest := splitTask(task.Text)
			if head+first+rest != task.Text {
				t.Errorf("task %s: got %q, want %q", task.Code, head+first+rest, task.Text)
			}
		}
	}
	head, first, rest := splitTask("2.推进全域化。出台清单。" + strings.Repeat("加快形成新模式,", 12))
	if head != "2.推进全域化。" || first != "出台清单。" || rest == "" {
		t.Errorf("got head %q, first %q, rest %q", head, first, rest)
	}
	if _, first, rest := splitTask(strings.Repeat("长", 200)); rest != "" || first == "" {
		t.Errorf("a single long sentence was cut: %q", rest)
	}
}

func TestTasksAreNarrowedByTheAddress(t *testing.T) {
	t.Parallel()
	r := madeRecord()
	all := 0
	for _, p := range r.Plan.Projects {
		for _, task := range p.Tasks {
			if !task.Lead {
				all++
			}
		}
	}
	for _, c := range []struct {
		query string
		want  int
	}{
		{"", all},
		{"project=4", 3},
		{"project=4&state=done", 1},
		{"state=underway", 1},
		{"state=changed", 1},
		{"department=minzheng", 6},
		{"department=民政局", 6},
		{"department=caizheng", all},
		{"project=99", 0},
	} {
		page := madePage(r, 9, "/tasks")
		q, err := url.ParseQuery(c.query)
		if err != nil {
			t.Fatal(err)
		}
		page.Query = q
		got := 0
		for _, g := range NewTasksPage(page, r).Groups {
			got += len(g.Tasks)
		}
		if got != c.want {
			t.Errorf("tasks?%s: got %d, want %d", c.query, got, c.want)
		}
	}
}

func TestTaskStandsAsItWasInItsMonth(t *testing.T) {
	t.Parallel()
	r := madeRecord()
	project := r.Plan.Projects[3]
	july := NewTaskItem(r, project, project.Tasks[0], landmark.MonthOf(2023, 7))
	if july.State != landmark.TaskNotStarted || july.Note != nil {
		t.Errorf("in July: state %s, note %v, want not started and none", july.State, july.Note)
	}
	august := NewTaskItem(r, project, project.Tasks[0], landmark.MonthOf(2023, 8))
	if august.State != landmark.TaskDone || len(august.Changes) == 0 {
		t.Errorf("in August: state %s, changes %v, want done and said so", august.State, august.Changes)
	}
	scene := NewScenarioItem(r, project, project.Scenarios[0], landmark.MonthOf(2023, 7))
	if scene.Open || scene.Stage != "建设" {
		t.Errorf("scenario in July: open %v, stage %q, want 建设", scene.Open, scene.Stage)
	}
}

func TestMatrixKeepsTheWording(t *testing.T) {
	t.Parallel()
	r := madeRecord()
	html := render(t, Matrix(NewMatrixPage(madePage(r, 9, "/matrix"), r.Plan)))
	for _, ind := range r.Plan.Indicators() {
		for _, cell := range []string{strings.TrimPrefix(ind.Printed, "★"), ">" + ind.BaselineText + "<", ">" + ind.TargetIn(landmark.MonthOf(2023, 9)).Text} {
			if !strings.Contains(html, cell) {
				t.Errorf("%s: %q is not in the matrix", ind.Code, cell)
			}
		}
	}
	if n := strings.Count(html, `>★</span>`); n != 9 {
		t.Errorf("got %d ★, want 9", n)
	}
	if n := strings.Count(html, "<tbody>"); n != 10 {
		t.Errorf("got %d projects, want 10", n)
	}
	if !strings.Contains(html, "26000") || !strings.Contains(html, "起,原20000") {
		t.Error("a revised target does not stand in the table with the printed one beside it")
	}
}

func TestReturnsShowOnlyToThoseWhoMayKnow(t *testing.T) {
	t.Parallel()
	r := madeRecord()
	ind := mustIndicator(r.Plan, "2.1")
	office := madePage(r, 9, "/indicators/2.1")
	viewer := office
	viewer.User = landmark.User{ID: 9, Role: landmark.RoleViewer, DisplayName: "查阅员"}
	other := office
	other.User = landmark.User{ID: 8, Role: landmark.RoleReporter, DepartmentID: 999}
	board := r.Board(landmark.MonthOf(2023, 9))
	for _, c := range []struct {
		name string
		page Page
		want bool
	}{{"office", office, true}, {"viewer", viewer, false}, {"another department", other, false}} {
		for what, html := range map[string]string{
			"indicator": render(t, Indicator(NewIndicatorPage(c.page, r, ind))),
			"project":   render(t, Project(NewProjectPage(c.page, board, ind.Project))),
		} {
			if got := strings.Contains(html, "请附验收单"); got != c.want {
				t.Errorf("%s, %s page: reason for the return shown = %v, want %v", c.name, what, got, c.want)
			}
		}
	}
}

func TestIndicatorPageTellsACorrection(t *testing.T) {
	t.Parallel()
	r := madeRecord()
	html := render(t, Indicator(NewIndicatorPage(madePage(r, 9, "/indicators/4.1"), r, mustIndicator(r.Plan, "4.1"))))
	for _, want := range []string{"原核定 25.20 → 现为 25.17", "原报与证书清单不符", "第2版", "已修订", "落后 13.0 个百分点"} {
		if !strings.Contains(html, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	html = render(t, Indicator(NewIndicatorPage(madePage(r, 9, "/indicators/6.2"), r, mustIndicator(r.Plan, "6.2"))))
	for _, want := range []string{"市府办改判为滞后", "按规则为严重滞后", "验收已排期", "2023年9月至2023年10月"} {
		if !strings.Contains(html, want) {
			t.Errorf("the overridden indicator does not say %q", want)
		}
	}
}

func TestWallShowsEveryIndicator(t *testing.T) {
	t.Parallel()
	r := madeRecord()
	html := render(t, Screen(NewScreenPage(madePage(r, 9, "/screen"), r.Board(landmark.MonthOf(2023, 9)))))
	if n := strings.Count(html, `class="w-ind"`); n != 30 {
		t.Errorf("got %d indicators, want 30", n)
	}
	for _, want := range []string{"数据更新于 10月6日 15:05", "演示数据", "人社局"} {
		if !strings.Contains(html, want) {
			t.Errorf("the wall does not say %q", want)
		}
	}
	if n := strings.Count(html, "<script"); n != 1 || !strings.Contains(html, "/static/screen.") {
		t.Errorf("the wall loads %d scripts, want only the one that renews it", n)
	}
}

func TestPlainJSON(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ raw, want string }{
		{``, ""},
		{`null`, ""},
		{`"滞后"`, "滞后"},
		{`{"value":"25.310","state":"approved","revision":1}`, "版次 1;状态 已核定;值 25.310"},
		{`{"value":12345678901234567890.10}`, "值 12345678901234567890.10"},
		{`{"note":"","step":"到位"}`, "步骤 到位"},
		{`["a",true]`, "a、是"},
		{`{broken`, "{broken"},
	} {
		if got := plainJSON(json.RawMessage(c.raw)); got != c.want {
			t.Errorf("%s: got %q, want %q", c.raw, got, c.want)
		}
	}
}

func TestHistoryPagesAreLinked(t *testing.T) {
	t.Parallel()
	r := madeRecord()
	page := madePage(r, 9, "/history")
	page.Query = url.Values{"act": {"report.approve"}, "before": {"40"}}
	p := NewHistoryPage(page, shanghai, madeHistory(), true, Chain{})
	if p.Older != "/history?act=report.approve&before=1" || p.Newer != "/history?act=report.approve" {
		t.Errorf("got older %q and newer %q", p.Older, p.Newer)
	}
	if p.Entries[1].ChainHash != "9f2c4ab01d" || p.Entries[0].ChainHash != "" {
		t.Errorf("got hashes %q and %q", p.Entries[1].ChainHash, p.Entries[0].ChainHash)
	}
}
