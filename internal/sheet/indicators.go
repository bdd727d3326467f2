package sheet

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/shopspring/decimal"
	"github.com/xuri/excelize/v2"

	"landmark/internal/landmark"
)

// IndicatorRow is one indicator of a month as lists and the API give it. What is
// absent is nil: null in JSON, an empty cell in CSV, never zero.
type IndicatorRow struct {
	Project     int     `json:"project"`
	ProjectName string  `json:"project_name"`
	Code        string  `json:"code"`
	Name        string  `json:"name"`
	Key         bool    `json:"key"`
	Lead        string  `json:"lead"`
	Kind        *string `json:"kind"` // nil until a person says
	Direction   string  `json:"direction"`
	Unit        *string `json:"unit"`
	// Baseline, Target and Value are numbers or, where they are words, text: the
	// aim 降幅趋缓, the step 推进中.
	Baseline *Figure `json:"baseline"`
	Target   *Figure `json:"target"`
	Value    *Figure `json:"value"`
	// ValueMonth is the month Value was reported for; an earlier one where the
	// month's own is missing or not owed.
	ValueMonth    *string      `json:"value_month"`
	CompletionPct *json.Number `json:"completion_pct"`
	SchedulePct   *json.Number `json:"schedule_pct"`
	Expected      *json.Number `json:"expected"`
	GapPoints     *json.Number `json:"gap_points"`
	Light         *string      `json:"light"` // what pages show, the override included; nil if it cannot be judged
	// Override is the office's reason for setting the light otherwise than by the
	// rule.
	Override    *string `json:"override"`
	Explanation string  `json:"explanation"`
	ReportState *string `json:"report_state"` // of this month's report, nil if there is none
	Revision    *int    `json:"revision"`     // of this month's report
	ApprovedAt  *string `json:"approved_at"`  // of Value
	// ComputedLight is what the rule says, which is Light unless the office set it
	// otherwise.
	ComputedLight *string `json:"computed_light"`
}

// indicatorCols are the columns in the order promised; more come at the end.
var indicatorCols = []string{
	"project", "project_name", "code", "name", "key", "lead", "kind", "direction", "unit",
	"baseline", "target", "value", "value_month", "completion_pct", "schedule_pct", "expected", "gap_points",
	"light", "override", "explanation", "report_state", "revision", "approved_at",
	"computed_light",
}

// Figure is a number with the digits it was entered with, or words.
type Figure struct {
	Text    string
	Numeric bool
}

// MarshalJSON writes a number as a number and words as a string.
func (f Figure) MarshalJSON() ([]byte, error) {
	if f.Numeric {
		return []byte(f.Text), nil
	}
	return json.Marshal(f.Text)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (f *Figure) UnmarshalJSON(text []byte) error {
	var n json.Number
	if text[0] != '"' {
		if err := json.Unmarshal(text, &n); err != nil {
			return fmt.Errorf("figure: %w", err)
		}
		*f = Figure{n.String(), true}
		return nil
	}
	*f = Figure{}
	if err := json.Unmarshal(text, &f.Text); err != nil {
		return fmt.Errorf("figure: %w", err)
	}
	return nil
}

// IndicatorRows are a month's indicators in the table's order.
func IndicatorRows(board landmark.Board) []IndicatorRow {
	var out []IndicatorRow
	for _, a := range board.Assessments() {
		out = append(out, indicatorRow(board.Record, a))
	}
	return out
}

func indicatorRow(r *landmark.Record, a landmark.Assessment) IndicatorRow {
	ind := a.Indicator
	row := IndicatorRow{
		Project: ind.Project.Number, ProjectName: ind.Project.Name,
		Code: ind.Code, Name: ind.Name, Key: ind.Key, Lead: ind.Project.Lead.Name,
		Kind: optional(string(ind.Kind)), Direction: string(ind.Direction), Unit: optional(ind.Unit),
		Baseline: figure(ind.Baseline, ind.BaselineText), Target: figure(a.Target.Amount, a.Target.Text),
		CompletionPct: percent(a.Completion), SchedulePct: percent(a.Schedule), GapPoints: percent(a.Gap),
		Light: optional(string(a.Light)), ComputedLight: optional(string(a.Computed)), Explanation: a.Explanation(),
	}
	if a.Expected.Valid {
		n := json.Number(a.Expected.Decimal.Round(int32(ind.Decimals) + 2).String())
		row.Expected = &n
	}
	if a.Override != nil {
		row.Override = optional(a.Override.Reason)
	}
	if v := a.Shown(); v != nil {
		// A qualitative value is its step; a number beside it is a note.
		if ind.Kind == landmark.Qualitative {
			row.Value = figure(decimal.NullDecimal{}, v.Step)
		} else {
			row.Value = figure(v.Amount, v.Step)
		}
		row.ValueMonth = optional(v.Month.String())
		if !v.ApprovedAt.IsZero() {
			row.ApprovedAt = optional(v.ApprovedAt.In(r.Zone).Format(time.RFC3339))
		}
	}
	for _, report := range r.Reports[ind.ID] {
		if report.Month == a.Month {
			row.ReportState = optional(string(report.State))
			if report.Revision > 0 {
				row.Revision = &report.Revision
			}
		}
	}
	return row
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// figure is a number, else the words printed in its place, else nothing.
func figure(n decimal.NullDecimal, text string) *Figure {
	switch {
	case n.Valid:
		return &Figure{landmark.Entered(n.Decimal), true}
	case text == "" || nothing(text):
		return nil
	default:
		return &Figure{Text: text}
	}
}

// percent is a ratio in percent with one decimal, rounded half up.
func percent(r landmark.Ratio) *json.Number {
	if !r.Present() {
		return nil
	}
	n := json.Number(r.Percent(1).StringFixed(1))
	return &n
}

// WriteIndicatorsCSV writes a month's indicators as CSV that Excel opens as it
// is: UTF-8 with a byte order mark, RFC 4180, nothing in it a formula.
func WriteIndicatorsCSV(w io.Writer, board landmark.Board) error {
	out, err := newCSVWriter(w)
	if err != nil {
		return err
	}
	rows := [][]string{indicatorCols}
	for _, row := range IndicatorRows(board) {
		rows = append(rows, row.cells())
	}
	if err := out.WriteAll(rows); err != nil {
		return fmt.Errorf("write indicators: %w", err)
	}
	return nil
}

// cells are the row in the order of indicatorCols.
func (row IndicatorRow) cells() []string {
	cells := []string{
		fmt.Sprint(row.Project), row.ProjectName, row.Code, row.Name, yesNo(row.Key), row.Lead, or(row.Kind), row.Direction, or(row.Unit),
		or(row.Baseline), or(row.Target), or(row.Value), or(row.ValueMonth),
		or(row.CompletionPct), or(row.SchedulePct), or(row.Expected), or(row.GapPoints),
		or(row.Light), or(row.Override), row.Explanation, or(row.ReportState), or(row.Revision), or(row.ApprovedAt), or(row.ComputedLight),
	}
	for i, cell := range cells {
		cells[i] = neutral(cell)
	}
	return cells
}

// String is the figure as a cell holds it.
func (f Figure) String() string { return f.Text }

// or is what a pointer points to as text, empty where it points nowhere.
func or[T any](p *T) string {
	if p == nil {
		return ""
	}
	return fmt.Sprint(*p)
}

// indicatorHeads are the headings of the workbook, with the columns they show
// and their widths; it is for people and leaves the codes of the CSV out.
var indicatorHeads = []struct {
	heading string
	width   float64
	cell    func(landmark.Assessment, IndicatorRow) string
	number  bool
}{
	{"编号", 6, func(_ landmark.Assessment, r IndicatorRow) string { return r.Code }, false},
	{"标志性成果", 16, func(_ landmark.Assessment, r IndicatorRow) string { return r.ProjectName }, false},
	{"牵头单位", 11, func(_ landmark.Assessment, r IndicatorRow) string { return r.Lead }, false},
	{"指标", 32, func(a landmark.Assessment, r IndicatorRow) string { return starred(a.Indicator) }, false},
	{"性质", 10, func(a landmark.Assessment, _ IndicatorRow) string { return a.Indicator.Kind.Chinese() }, false},
	{"单位", 10, func(_ landmark.Assessment, r IndicatorRow) string { return or(r.Unit) }, false},
	{"基数", 10, func(_ landmark.Assessment, r IndicatorRow) string { return or(r.Baseline) }, true},
	{"目标", 10, func(_ landmark.Assessment, r IndicatorRow) string { return or(r.Target) }, true},
	{"值", 10, func(_ landmark.Assessment, r IndicatorRow) string { return or(r.Value) }, true},
	{"值的月份", 9, func(_ landmark.Assessment, r IndicatorRow) string { return or(r.ValueMonth) }, false},
	{"完成率(%)", 10, func(_ landmark.Assessment, r IndicatorRow) string { return or(r.CompletionPct) }, true},
	{"应达进度(%)", 11, func(_ landmark.Assessment, r IndicatorRow) string { return or(r.SchedulePct) }, true},
	{"应达值", 10, func(_ landmark.Assessment, r IndicatorRow) string { return or(r.Expected) }, true},
	{"差距(百分点)", 12, func(_ landmark.Assessment, r IndicatorRow) string { return or(r.GapPoints) }, true},
	{"状态", 9, func(a landmark.Assessment, _ IndicatorRow) string { return a.Light.Chinese() }, false},
	{"改判理由", 18, func(_ landmark.Assessment, r IndicatorRow) string { return or(r.Override) }, false},
	{"说明", 70, func(_ landmark.Assessment, r IndicatorRow) string { return r.Explanation }, false},
}

func starred(ind *landmark.Indicator) string {
	if ind.Key {
		return "★" + ind.Name
	}
	return ind.Name
}

// WriteIndicatorsXLSX writes a month's indicators as a workbook to read, sort and
// print: headings in Chinese, figures as numbers.
func WriteIndicatorsXLSX(w io.Writer, board landmark.Board) (err error) {
	const sheet, head = "指标", 2
	f := excelize.NewFile()
	defer func() {
		if e := f.Close(); err == nil && e != nil {
			err = fmt.Errorf("close indicators: %w", e)
		}
	}()
	x := &book{f: f, sheet: sheet}
	x.do(f.SetSheetName("Sheet1", sheet))
	plan := board.Record.Plan
	title := fmt.Sprintf("%s(截至%s)", plan.Title, board.Month.Chinese())
	if plan.Demo {
		title += "(演示数据)"
	}
	x.properties(title, plan.City)
	s := x.formStyles()
	x.text(0, 1, title, s.title)
	x.do(f.SetRowHeight(sheet, 1, 30))
	x.do(f.SetRowHeight(sheet, head, 24))
	var widths []float64
	for i, c := range indicatorHeads {
		widths = append(widths, c.width)
		x.width(i, c.width)
		x.text(i, head, c.heading, s.head)
	}
	line := head
	for _, a := range board.Assessments() {
		line++
		row := indicatorRow(board.Record, a)
		height := 20.0
		for i, c := range indicatorHeads {
			text := c.cell(a, row)
			if c.number && plainNumber.MatchString(text) {
				_, fraction, _ := strings.Cut(text, ".")
				x.figure(i, line, text, s.figure[min(len(fraction), maxDecimals)])
			} else {
				x.text(i, line, text, s.locked)
			}
			height = max(height, textHeight(text, c.width))
		}
		x.do(f.SetRowHeight(sheet, line, min(height, maxRowHeight)))
	}
	x.do(f.AutoFilter(sheet, cellName(0, head)+":"+cellName(len(widths)-1, line), nil)) // before the print set-up, for its filter mode is kept apart from that
	x.printSetup(newPage(A3, widths), head, len(widths)-1, line)
	x.do(f.SetPanes(sheet, &excelize.Panes{Freeze: true, YSplit: head, TopLeftCell: cellName(0, head+1), ActivePane: "bottomLeft"}))
	if x.err != nil {
		return fmt.Errorf("write indicators: %w", x.err)
	}
	if err := f.Write(w); err != nil {
		return fmt.Errorf("write indicators: %w", err)
	}
	return nil
}
