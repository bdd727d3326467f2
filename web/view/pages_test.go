package view

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"landmark/internal/landmark"
)

// madePages are all pages of this file's subjects in many states, by name.
func madePages() map[string]templ.Component {
	full, empty := madeRecord(), emptyRecord(madePlan())
	out := map[string]templ.Component{}
	for _, ind := range full.Plan.Indicators() {
		out["indicator-"+ind.Code] = Indicator(NewIndicatorPage(madePage(full, 9, "/indicators/"+ind.Code), full, ind))
	}
	for _, month := range []int{5, 7, 8, 12} {
		for _, code := range []string{"2.1", "3.1", "3.3", "4.1", "5.1", "6.2"} {
			out["indicator-"+code+"-"+itoa(month)] = Indicator(NewIndicatorPage(madePage(full, month, "/indicators/"+code), full, mustIndicator(full.Plan, code)))
		}
	}
	for _, code := range []string{"1.2", "4.1", "5.1", "9.2"} {
		out["indicator-"+code+"-empty"] = Indicator(NewIndicatorPage(madePage(empty, 9, "/indicators/"+code), empty, mustIndicator(empty.Plan, code)))
	}
	viewer := madePage(full, 8, "/indicators/2.1")
	viewer.User = landmark.User{ID: 2, Name: "viewer", DisplayName: "查阅员", Role: landmark.RoleViewer}
	out["indicator-viewer"] = Indicator(NewIndicatorPage(viewer, full, mustIndicator(full.Plan, "2.1")))
	for _, r := range []struct {
		name   string
		record *landmark.Record
	}{{"", full}, {"-empty", empty}} {
		for _, project := range r.record.Plan.Projects {
			path := "/projects/" + itoa(project.Number)
			out["project-"+itoa(project.Number)+r.name] = Project(NewProjectPage(madePage(r.record, 9, path), r.record.Board(landmark.MonthOf(2023, 9)), project))
		}
		board := r.record.Board(landmark.MonthOf(2023, 9))
		out["matrix"+r.name] = Matrix(NewMatrixPage(madePage(r.record, 9, "/matrix"), r.record.Plan))
		out["screen"+r.name] = Screen(NewScreenPage(madePage(r.record, 9, "/screen"), board))
		out["departments"+r.name] = Departments(NewDepartmentsPage(madePage(r.record, 9, "/departments"), board))
		for _, d := range r.record.Plan.Departments() {
			out["department-"+d.Slug+r.name] = Department(NewDepartmentPage(madePage(r.record, 9, "/departments/"+d.Slug), board, d))
		}
		out["tasks"+r.name] = Tasks(NewTasksPage(madePage(r.record, 9, "/tasks"), r.record))
		out["scenarios"+r.name] = Scenarios(NewScenariosPage(madePage(r.record, 9, "/scenarios"), r.record))
	}
	for _, asked := range []string{"", "老年", "mzj", "4.", "没有的"} {
		found, err := full.Plan.Search(asked)
		if err != nil {
			panic(err)
		}
		out["search-"+asked] = Search(NewSearchPage(madePage(full, 9, "/search"), full.Board(landmark.MonthOf(2023, 9)), asked, found))
	}
	for name, page := range madeBulletins(full) {
		out[name] = page
	}
	out["history"] = History(NewHistoryPage(madePage(full, 9, "/history"), shanghai, madeHistory(), true, Chain{Seq: 31, Hash: "9f2c4ab01d3e77aa", SealedAt: full.AsOf}))
	out["history-empty"] = History(NewHistoryPage(madePage(empty, 9, "/history"), shanghai, nil, false, Chain{}))
	for _, filter := range []url.Values{{"project": {"4"}}, {"department": {"caizheng"}, "state": {"done"}}, {"state": {"changed"}}, {"project": {"99"}}, {"state": {"开放"}}} {
		tasks, scenarios := madePage(full, 9, "/tasks"), madePage(full, 9, "/scenarios")
		tasks.Query, scenarios.Query = filter, filter
		out["tasks-"+filter.Encode()] = Tasks(NewTasksPage(tasks, full))
		out["scenarios-"+filter.Encode()] = Scenarios(NewScenariosPage(scenarios, full))
	}
	return out
}

func render(t *testing.T, c templ.Component) string {
	t.Helper()
	var b bytes.Buffer
	if err := c.Render(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// leave writes a page to the folder LANDMARK_PAGES names, for looking at.
func leave(t *testing.T, name, html string) {
	t.Helper()
	dir := os.Getenv("LANDMARK_PAGES")
	if dir == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(dir, name+".html"), []byte(html), 0o644); err != nil {
		t.Error(err)
	}
}

func TestPagesAreSound(t *testing.T) {
	t.Parallel()
	for name, page := range madePages() {
		html := render(t, page)
		leave(t, name, html)
		for _, fault := range faults(html) {
			t.Errorf("%s: %s", name, fault)
		}
	}
}

// faults reads a page as a browser with little patience would: every element
// closed, one h1, every id once, every reference met, nothing inline.
func faults(html string) []string {
	var out []string
	dec := xml.NewDecoder(strings.NewReader(html))
	dec.Strict, dec.AutoClose, dec.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var open []string
	ids, refs, heads := map[string]bool{}, map[string]string{}, 0
	for {
		token, err := dec.RawToken()
		if err == io.EOF {
			break
		}
		if err != nil {
			return append(out, err.Error())
		}
		switch e := token.(type) {
		case xml.StartElement:
			if e.Name.Local == "h1" {
				heads++
			}
			for _, a := range e.Attr {
				switch {
				case a.Name.Local == "id" && ids[a.Value]:
					out = append(out, "id "+a.Value+" stands twice")
				case a.Name.Local == "id":
					ids[a.Value] = true
				case a.Name.Local == "style" || strings.HasPrefix(a.Name.Local, "on"):
					out = append(out, "inline attribute "+a.Name.Local+" on "+e.Name.Local)
				case a.Name.Local == "aria-labelledby" || a.Name.Local == "aria-describedby" || a.Name.Local == "for":
					for _, id := range strings.Fields(a.Value) {
						refs[id] = a.Name.Local
					}
				}
			}
			if !void[e.Name.Local] {
				open = append(open, e.Name.Local)
			}
		case xml.EndElement:
			if void[e.Name.Local] {
				continue
			}
			if len(open) == 0 || open[len(open)-1] != e.Name.Local {
				return append(out, "</"+e.Name.Local+"> closes nothing of "+strings.Join(open, ">"))
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		out = append(out, "left open: "+strings.Join(open, ">"))
	}
	if heads != 1 {
		out = append(out, "has "+itoa(heads)+" h1")
	}
	for id, by := range refs {
		if !ids[id] {
			out = append(out, by+" points to nothing: "+id)
		}
	}
	for _, bad := range []string{"%!", "NaN", "&lt;nil&gt;", "0001年", "1月1日 00:00"} {
		if strings.Contains(html, bad) {
			out = append(out, "says "+bad)
		}
	}
	return out
}

var void = map[string]bool{"meta": true, "link": true, "input": true, "br": true, "col": true, "hr": true, "img": true}

func madeHistory() []HistoryLine {
	at := time.Date(2023, 10, 11, 7, 20, 0, 0, time.UTC)
	office := landmark.Actor{AccountID: 1, Name: "审核员乙", Role: landmark.RoleOffice, Address: "10.1.2.3"}
	reporter := landmark.Actor{AccountID: 2, Name: "填报员甲", Role: landmark.RoleReporter, Address: "10.1.2.9"}
	return []HistoryLine{
		{landmark.HistoryEntry{ID: 31, At: at, Actor: office, Act: "report.approve", Month: landmark.MonthOf(2023, 9), Object: "4.1 每万名老人拥有持证护理员", Before: json.RawMessage(`{"state":"submitted"}`), After: json.RawMessage(`{"value":"25.310","state":"approved","revision":1}`)}, ""},
		{landmark.HistoryEntry{ID: 30, At: at.Add(-time.Hour), Actor: reporter, Act: "report.correct", Month: landmark.MonthOf(2023, 5), Object: "4.1 每万名老人拥有持证护理员", Before: json.RawMessage(`{"value":"25.20"}`), After: json.RawMessage(`{"value":"25.17"}`), Reason: "原报与证书清单不符"}, "9f2c4ab01d3e77aa"},
		{landmark.HistoryEntry{ID: 1, At: at.Add(-2 * time.Hour), Actor: landmark.Actor{Name: "landmark"}, Act: "plan.import", Object: "方案 <b>", After: json.RawMessage(`"导入"`)}, "11aa22bb33cc44dd"},
	}
}
