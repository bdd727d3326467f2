package sheet_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/shopspring/decimal"
	"github.com/xuri/excelize/v2"

	"landmark/internal/landmark"
	"landmark/internal/sheet"
)

// septemberForm is the form of a department for September 2023.
func septemberForm(t testing.TB, department string) sheet.MonthForm {
	t.Helper()
	sep := landmark.MonthOf(2023, 9)
	m := sheet.MonthForm{Plan: seedPlan(t), Month: sep, Due: landmark.Date{Year: 2023, Month: 10, Day: 10}}
	for _, p := range m.Plan.Projects {
		if p.Lead.Name != department {
			continue
		}
		m.Department = p.Lead
		for _, ind := range p.Indicators {
			line := sheet.FormIndicator{Indicator: ind, Owed: m.Plan.Owes(ind, sep)}
			if ind.Code == "4.1" {
				line.Last = &landmark.Value{Month: sep - 1, Amount: decimal.NewNullDecimal(dec("25.28"))}
				line.Revision, line.Value, line.Note = 2, "25.31", "=9月新增26名"
			}
			m.Indicators = append(m.Indicators, line)
		}
		for _, task := range p.Tasks {
			if !task.Lead {
				m.Tasks = append(m.Tasks, sheet.FormTask{Task: task, State: landmark.TaskUnderway})
			}
		}
	}
	return m
}

func formFile(t testing.TB, m sheet.MonthForm) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := sheet.WriteMonthForm(&out, m); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// fill types into cells.
func fill(sheetName string, cells map[string]any) func(f *excelize.File) error {
	return func(f *excelize.File) error {
		for cell, v := range cells {
			if err := f.SetCellValue(sheetName, cell, v); err != nil {
				return err
			}
		}
		return nil
	}
}

func both(edits ...func(f *excelize.File) error) func(f *excelize.File) error {
	return func(f *excelize.File) error {
		for _, edit := range edits {
			if err := edit(f); err != nil {
				return err
			}
		}
		return nil
	}
}

// minzheng is what a reporter of 民政局 types: 4.2 to 4.4, 9.1, two tasks.
var minzheng = both(
	fill("填报", map[string]any{"F5": 36.2, "F6": 2, "F7": "６０", "F8": "21个", "H8": "第一行\n第二行", "I10": "核减2个,已核实"}),
	fill("重点任务", map[string]any{"D4": "已完成", "E5": "养老驿站选址14处"}))

func TestMonthFormRoundTrip(t *testing.T) {
	t.Parallel()
	form := septemberForm(t, "民政局")
	saved, err := os.ReadFile("testdata/form-libreoffice.xlsx")
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string][]byte{"excelize": edited(t, formFile(t, form), minzheng), "LibreOffice": saved} {
		got, err := sheet.ReadMonthForm(bytes.NewReader(file), form)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		type row struct{ Code, Value, Step, Note, Reason, Cell string }
		var rows []row
		for _, r := range got.Rows {
			rows = append(rows, row{r.Indicator.Code, r.Value, r.Step, r.Note, r.Reason, r.ValueCell})
			if want := map[bool]int{true: 2}[r.Indicator.Code == "4.1"]; r.Revision != want {
				t.Errorf("%s: %s revision %d, want %d", name, r.Indicator.Code, r.Revision, want)
			}
		}
		want := []row{
			{"4.1", "25.31", "", "=9月新增26名", "", "F4"}, {"4.2", "36.2", "", "", "", "F5"}, {"4.3", "2", "", "", "", "F6"}, {"4.4", "６０", "", "", "", "F7"},
			{"9.1", "21个", "", "第一行\n第二行", "", "F8"}, {"9.2", "", "", "", "", "F9"}, {"9.3", "", "", "", "核减2个,已核实", "F10"},
		}
		if diff := cmp.Diff(want, rows); diff != "" {
			t.Errorf("%s: rows (-want +got):\n%s", name, diff)
		}
		if !got.Rows[5].Empty() || got.Rows[6].Empty() || len(got.Stale) != 0 {
			t.Errorf("%s: rows %+v, stale %v", name, got.Rows[5:], got.Stale)
		}
		wantTasks := []sheet.FilledTask{
			{Code: "4-1", State: landmark.TaskDone, StateCell: "重点任务!D4"}, {Code: "4-2", Note: "养老驿站选址14处"}, {Code: "4-3"}, {Code: "9-1"}, {Code: "9-2"}, {Code: "9-3"},
		}
		if diff := cmp.Diff(wantTasks, got.Tasks, cmpopts.IgnoreFields(sheet.FilledTask{}, "NoteCell"), cmp.FilterPath(func(p cmp.Path) bool {
			return p.Last().String() == ".StateCell"
		}, cmp.Comparer(func(a, b string) bool { return a == b || a == "" || b == "" }))); diff != "" {
			t.Errorf("%s: tasks (-want +got):\n%s", name, diff)
		}
	}
}

func TestMonthFormSteps(t *testing.T) {
	t.Parallel()
	form := septemberForm(t, "卫健局")
	file := edited(t, formFile(t, form), fill("填报", map[string]any{"G8": "推进中"}))
	got, err := sheet.ReadMonthForm(bytes.NewReader(file), form)
	if err != nil {
		t.Fatal(err)
	}
	if r := got.Rows[4]; r.Indicator.Code != "3.3" || r.Step != "推进中" || r.StepCell != "G8" {
		t.Errorf("3.3: got %+v", r)
	}
}

// TestMonthFormPercent: a cell turned into a percentage is what it shows.
func TestMonthFormPercent(t *testing.T) {
	t.Parallel()
	form := septemberForm(t, "人社局") // 7.2 in F5 is a percentage, 7.1 in F4 is not
	percent := func(cell string, v float64) func(f *excelize.File) error {
		return func(f *excelize.File) error {
			style, err := f.NewStyle(&excelize.Style{NumFmt: 10})
			if err != nil {
				return err
			}
			if err := f.SetCellStyle("填报", cell, cell, style); err != nil {
				return err
			}
			return f.SetCellValue("填报", cell, v)
		}
	}
	got, err := sheet.ReadMonthForm(bytes.NewReader(edited(t, formFile(t, form), percent("F5", 0.425))), form)
	if err != nil {
		t.Fatal(err)
	}
	if r := got.Rows[1]; r.Value != "42.5" {
		t.Errorf("7.2: got %q, want 42.5", r.Value)
	}
	_, err = sheet.ReadMonthForm(bytes.NewReader(edited(t, formFile(t, form), percent("F4", 0.425))), form)
	wantFaults(t, err, "单元格F4:是百分比格式,请改成常规格式再填,例如 82.8")
}

func TestMonthFormStale(t *testing.T) {
	t.Parallel()
	form := septemberForm(t, "民政局")
	file := edited(t, formFile(t, form), minzheng)
	form.Indicators[1].Revision = 3
	got, err := sheet.ReadMonthForm(bytes.NewReader(file), form)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"4.2"}, got.Stale); diff != "" {
		t.Errorf("stale (-want +got):\n%s", diff)
	}
	if got.Rows[1].Value != "36.2" {
		t.Errorf("what was typed is lost: %+v", got.Rows[1])
	}
}

func TestMonthFormRefused(t *testing.T) {
	t.Parallel()
	form := septemberForm(t, "民政局")
	file := formFile(t, form)
	with := func(change func(m *sheet.MonthForm)) sheet.MonthForm {
		m := septemberForm(t, "民政局")
		change(&m)
		return m
	}
	tests := []struct {
		name string
		file []byte
		form sheet.MonthForm
		want []string
	}{
		{"month", file, with(func(m *sheet.MonthForm) { m.Month++ }), []string{"这张表是“2023-09”的,现在填报的是2023年10月"}},
		{"department", file, with(func(m *sheet.MonthForm) { m.Department = landmark.Department{Slug: "jiaoyu", Name: "教育局"} }), []string{"这张表属于另一个部门,不是教育局的"}},
		{"plan", file, with(func(m *sheet.MonthForm) { m.Plan.Slug = "tongxiang-2024" }), []string{"这张表属于另一个方案(“tongxiang-2023”)"}},
		{"some workbook", matrix(t, sheet.A4), form, []string{"不是从填报页面下载的表格,请下载后填写"}},
		{"hidden part changed", edited(t, file, fill("landmark", map[string]any{"B4": "2023-10"})), form, []string{"表格里的版本标记坏了,请重新下载"}},
		{"cells", edited(t, file, both(
			func(f *excelize.File) error { return f.SetCellFormula("填报", "F5", "F4+1") },
			fill("填报", map[string]any{"F6": 45170}),
			func(f *excelize.File) error {
				style, err := f.NewStyle(&excelize.Style{NumFmt: 14})
				if err != nil {
					return err
				}
				return f.SetCellStyle("填报", "F6", "F6", style)
			},
			fill("重点任务", map[string]any{"D5": "做完了"}))), form, []string{
			"单元格F5:是公式,请改成数值或文字", "单元格F6:是日期,请改成数值或文字", "单元格重点任务!D5:没有“做完了”这种状态,请填未启动、推进中或已完成"}},
		{"lines", edited(t, file, both(
			fill("填报", map[string]any{"A5": "4.1", "A6": "8.8"}),
			func(f *excelize.File) error { return f.RemoveRow("重点任务", 6) })), form, []string{
			"“填报”表里缺少指标4.2这一行,请重新下载表格", "“填报”表里缺少指标4.3这一行,请重新下载表格",
			"单元格A5:“4.1”在第4行已有", "单元格A6:指标“8.8”不在这张表里", "“重点任务”表里缺少任务4-3这一行,请重新下载表格"}},
		{"sheet gone", edited(t, file, func(f *excelize.File) error { return f.DeleteSheet("重点任务") }), form, []string{"缺少工作表“重点任务”,请重新下载表格"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := sheet.ReadMonthForm(bytes.NewReader(test.file), test.form)
			wantFaults(t, err, test.want...)
		})
	}
}

func TestMonthFormLayout(t *testing.T) {
	t.Parallel()
	f, err := excelize.OpenReader(bytes.NewReader(formFile(t, septemberForm(t, "卫健局"))))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for cell, want := range map[string]string{
		"A1": "卫健局 2023年9月报送", "B4": "★每千人托位数", "B5": "★人口出生率(本月不用报)", "D5": "降幅趋缓", "F3": "9月值", "C7": "万人",
	} {
		if got, err := f.GetCellValue("填报", cell); err != nil || got != want {
			t.Errorf("%s: got %q (%v), want %q", cell, got, err, want)
		}
	}
	rules, err := f.GetDataValidations("填报")
	if err != nil {
		t.Fatal(err)
	}
	lists, numbers := 0, 0
	for _, r := range rules {
		switch r.Type {
		case "list":
			lists++
		case "decimal", "whole":
			numbers++
		}
	}
	if lists != 2 || numbers != 5 {
		t.Errorf("got %d lists and %d number rules, want 2 and 5", lists, numbers)
	}
	if visible, err := f.GetSheetVisible("landmark"); err != nil || visible {
		t.Errorf("the sheet of keys is visible (%v)", err)
	}
	for cell, wantLocked := range map[string]bool{"A4": true, "B4": true, "F4": false, "G4": true, "G5": false, "H4": false, "I4": false} {
		id, err := f.GetCellStyle("填报", cell)
		if err != nil {
			t.Fatal(err)
		}
		style, err := f.GetStyle(id)
		if err != nil {
			t.Fatal(err)
		}
		if locked := style.Protection == nil || style.Protection.Locked; locked != wantLocked {
			t.Errorf("%s: locked is %t", cell, locked)
		}
	}
}

func TestMonthFormInjection(t *testing.T) {
	t.Parallel()
	for _, payload := range injections {
		form := septemberForm(t, "民政局")
		form.Indicators[0].Value, form.Indicators[0].Note, form.Indicators[0].Reason = payload, payload, payload
		form.Indicators[0].Indicator.Name, form.Indicators[0].Indicator.Unit = payload, payload
		form.Tasks[0].Note, form.Tasks[0].Task.Text = payload, payload
		for name, part := range unpacked(t, formFile(t, form)) {
			if bytes.Contains([]byte(part), []byte("<f>")) {
				t.Errorf("%q: %s holds a formula", payload, name)
			}
		}
	}
}
