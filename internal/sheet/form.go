package sheet

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"landmark/internal/landmark"
)

// MonthForm is a department's form for a month, as it goes out on a sheet and as
// an uploaded one is held against.
type MonthForm struct {
	Plan       *landmark.Plan
	Department landmark.Department
	Month      landmark.Month
	Due        landmark.Date
	Indicators []FormIndicator
	Tasks      []FormTask
}

// FormIndicator is one indicator's line of the form with what is filled in so far.
type FormIndicator struct {
	Indicator *landmark.Indicator
	Owed      bool            // a value is due this month
	Last      *landmark.Value // the newest approved one before, nil if none
	Revision  int             // of what this line is filled from, whatever counts it
	Value     string          // as typed
	Step      string
	Note      string
	Reason    string
}

// FormTask is one task's line of the form.
type FormTask struct {
	Task     landmark.Task
	State    landmark.TaskState // as it stands
	Note     string             // typed so far
	Revision int                // as of an indicator
}

// FilledForm is what came back on a sheet, as typed: it goes through the same
// checks as the form in the browser, and the cells say where to point.
type FilledForm struct {
	Rows  []FilledRow
	Tasks []FilledTask
	Stale []string // codes of indicators and tasks that have moved on since the sheet was made
}

// FilledRow is one indicator's line as filled in.
type FilledRow struct {
	Indicator                              *landmark.Indicator
	Revision                               int // of the report the sheet was made from
	Value, Step, Note, Reason              string
	ValueCell, StepCell, NoteCell, WhyCell string // F7
}

// Empty says whether nothing was filled in.
func (r FilledRow) Empty() bool {
	return r.Value == "" && r.Step == "" && r.Note == "" && r.Reason == ""
}

// FilledTask is one task's line as filled in; an empty state leaves it as it is.
type FilledTask struct {
	Code, Note          string
	Revision            int // of what the sheet was made from
	State               landmark.TaskState
	StateCell, NoteCell string // 重点任务!D4
}

// The sheets of a form. The last one is hidden: it says what the form is for.
const (
	formSheet  = "填报"
	taskSheet  = "重点任务"
	stampSheet = "landmark"
	formMark   = "landmark-month-form-1"
)

// Columns of the sheet of indicators and of the sheet of tasks.
const (
	formCode = iota
	formName
	formUnit
	formTarget
	formLast
	formValue
	formStep
	formNote
	formReason
	formColumns

	taskCode  = 0
	taskText  = 1
	taskNow   = 2
	taskState = 3
	taskNote  = 4
)

// stamp lists what a form was made from; its checksum tells a sheet whose hidden
// part was tampered with or mixed from two months.
func (m MonthForm) stamp() [][]string {
	rows := [][]string{{formMark}, {"plan", m.Plan.Slug}, {"department", m.Department.Slug}, {"month", m.Month.String()}}
	for _, i := range m.Indicators {
		rows = append(rows, []string{"indicator", i.Indicator.Code, strconv.Itoa(i.Revision)})
	}
	for _, t := range m.Tasks {
		rows = append(rows, []string{"task", t.Task.Code, strconv.Itoa(t.Revision)})
	}
	return append(rows, []string{"stamp", checksum(rows)})
}

func checksum(rows [][]string) string {
	h := sha256.New()
	for _, row := range rows {
		fmt.Fprintf(h, "%s\n", strings.Join(row, "\t"))
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// WriteMonthForm writes a department's form as a workbook to fill in: cells for
// input are open and checked as one types, all others locked. [ReadMonthForm]
// reads it back, whichever program saved it.
func WriteMonthForm(w io.Writer, m MonthForm) (err error) {
	f := excelize.NewFile()
	defer func() {
		if e := f.Close(); err == nil && e != nil {
			err = fmt.Errorf("close month form: %w", e)
		}
	}()
	x := &book{f: f, sheet: formSheet}
	x.do(f.SetSheetName("Sheet1", formSheet))
	title := fmt.Sprintf("%s %s报送", m.Department.Name, m.Month.Chinese())
	x.properties(title, m.Plan.City)
	s := x.formStyles()
	x.indicatorSheet(m, title, s)
	if len(m.Tasks) > 0 {
		x.taskSheet(m, s)
	}
	x.sheet = stampSheet
	_, err = f.NewSheet(stampSheet)
	x.do(err)
	for i, row := range m.stamp() {
		for k, text := range row {
			x.do(f.SetCellStr(stampSheet, cellName(k, i+1), text))
		}
	}
	x.protect()
	x.do(f.SetSheetVisible(stampSheet, false, true))
	f.SetActiveSheet(0)
	if x.err != nil {
		return fmt.Errorf("write month form of %s: %w", m.Department.Slug, x.err)
	}
	if err := f.Write(w); err != nil {
		return fmt.Errorf("write month form of %s: %w", m.Department.Slug, err)
	}
	return nil
}

type formStyles struct {
	title, hint, head, locked, grey, input int
	number, figure                         []int // to fill in and to read, by decimals
}

func (x *book) formStyles() formStyles {
	border := x.border()
	wrap := &excelize.Alignment{Vertical: "center", WrapText: true}
	open := &excelize.Protection{Locked: false}
	yellow := excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"FFF9DB"}}
	font := func(size float64, family string) *excelize.Font { return &excelize.Font{Family: family, Size: size} }
	one := func(s excelize.Style) int { return x.style(&s) }
	out := formStyles{
		title:  one(excelize.Style{Font: font(16, "黑体"), Alignment: &excelize.Alignment{Vertical: "center"}}),
		hint:   one(excelize.Style{Font: font(10, "宋体"), Alignment: wrap}),
		head:   one(excelize.Style{Font: font(10, "黑体"), Border: border, Alignment: &excelize.Alignment{Horizontal: "center", Vertical: "center", WrapText: true}}),
		locked: one(excelize.Style{Font: font(10, "宋体"), Border: border, Alignment: wrap}),
		grey:   one(excelize.Style{Border: border, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"E7E6E6"}}}),
	}
	const text = 49 // the format of text: what is typed stays as typed
	out.input = one(excelize.Style{Font: font(10, "宋体"), Border: border, Fill: yellow, Alignment: wrap, Protection: open, NumFmt: text})
	for decimals := range maxDecimals + 1 {
		format := "0"
		if decimals > 0 {
			format += "." + strings.Repeat("0", decimals)
		}
		right := &excelize.Alignment{Horizontal: "right", Vertical: "center"}
		out.number = append(out.number, x.style(&excelize.Style{Font: font(11, "Arial"), Border: border, Fill: yellow, Protection: open, CustomNumFmt: &format, Alignment: right}))
		out.figure = append(out.figure, x.style(&excelize.Style{Font: font(10, "Arial"), Border: border, CustomNumFmt: &format, Alignment: right}))
	}
	return out
}

const formHead = 3 // the line of the headings

func (x *book) indicatorSheet(m MonthForm, title string, s formStyles) {
	widths := []float64{6, 34, 11, 11, 18, 13, 13, 40, 30}
	for i, width := range widths {
		x.width(i, width)
	}
	x.text(0, 1, title, s.title)
	x.text(0, 2, fmt.Sprintf("截止%s。只填黄色的格子;数值是截至%s底的数,不是填表当天的数;没有变化的照填上次的数,不用报的留空。填好后在填报页面上传。",
		m.Due.Chinese(), m.Month.Short()), s.hint)
	x.do(x.f.MergeCell(formSheet, "A2", cellName(formColumns-1, 2)))
	x.do(x.f.SetRowHeight(formSheet, 2, 32))
	for i, heading := range []string{"编号", "指标", "单位", fmt.Sprintf("%d年目标", m.Plan.Year), "上次核定值", m.Month.Short() + "值", "步骤", "情况说明", "特殊情况的理由"} {
		x.text(i, formHead, heading, s.head)
	}
	x.do(x.f.SetRowHeight(formSheet, 1, 30))
	x.do(x.f.SetRowHeight(formSheet, formHead, 24))
	line := formHead
	for _, i := range m.Indicators {
		line++
		ind := i.Indicator
		name := ind.Name
		if ind.Key {
			name = "★" + name
		}
		if !i.Owed {
			name += "(本月不用报)"
		}
		x.text(formCode, line, ind.Code, s.locked)
		x.text(formName, line, name, s.locked)
		x.text(formUnit, line, ind.Unit, s.locked)
		x.text(formTarget, line, ind.TargetIn(m.Month).Text, s.locked)
		x.text(formLast, line, lastSaid(i.Last), s.locked)
		x.valueCell(line, i, s)
		if ind.Kind == landmark.Qualitative {
			x.text(formStep, line, i.Step, s.input)
			x.choice(formStep, line, stepNames(ind), "请从列表里选一个步骤")
		} else {
			x.text(formStep, line, "", s.grey)
		}
		x.text(formNote, line, i.Note, s.input)
		x.text(formReason, line, i.Reason, s.input)
		height := max(textHeight(name, widths[formName]), textHeight(i.Note, widths[formNote]), textHeight(i.Reason, widths[formReason]), 24)
		x.do(x.f.SetRowHeight(formSheet, line, min(height, maxRowHeight)))
	}
	x.printSetup(newPage(A4, widths), formHead, formColumns-1, line)
	x.do(x.f.SetPanes(formSheet, &excelize.Panes{Freeze: true, XSplit: 2, YSplit: formHead, TopLeftCell: cellName(2, formHead+1), ActivePane: "bottomRight"}))
	x.protect()
}

// lastSaid is the value before with its month: 13,820(8月).
func lastSaid(v *landmark.Value) string {
	switch {
	case v == nil:
		return ""
	case v.Step != "":
		return fmt.Sprintf("%s(%s)", v.Step, v.Month.Short())
	default:
		return fmt.Sprintf("%s(%s)", landmark.Grouped(landmark.Entered(v.Amount.Decimal)), v.Month.Short())
	}
}

// valueCell is open for a number with the indicator's decimals and refuses others
// while typing; the rules proper are asked again after the upload.
func (x *book) valueCell(line int, i FormIndicator, s formStyles) {
	ind := i.Indicator
	style := s.number[min(max(ind.Decimals, 0), maxDecimals)]
	cell := cellName(formValue, line)
	if amount, err := landmark.ParseAmount(i.Value, ind); err == nil && amount.NumDigits() <= 15 {
		x.do(x.f.SetCellDefault(x.sheet, cell, landmark.Entered(amount)))
		x.do(x.f.SetCellStyle(x.sheet, cell, cell, style))
	} else {
		x.text(formValue, line, i.Value, style)
	}
	kind, least, most := excelize.DataValidationTypeDecimal, "-999999999999999", "999999999999999"
	said := fmt.Sprintf("填数字,最多%d位小数", ind.Decimals)
	if ind.Decimals == 0 {
		kind, said = excelize.DataValidationTypeWhole, "填整数"
	}
	if ind.Kind == landmark.Flow || ind.Kind == landmark.Cumulative {
		least = "0"
	}
	if ind.Unit == "%" && ind.Kind != landmark.Flow {
		least, most = "0", "100"
		said += ",0到100,不用写%"
	}
	v := excelize.NewDataValidation(true)
	v.SetSqref(cell)
	x.do(v.SetRange(least, most, kind, excelize.DataValidationOperatorBetween))
	v.SetError(excelize.DataValidationErrorStyleStop, "数值不对", said)
	unit := ind.Unit
	if unit != "" {
		unit = "(" + unit + ")"
	}
	v.SetInput(ind.Code+unit, said)
	x.do(x.f.AddDataValidation(x.sheet, v))
}

// choice gives a cell a list to choose from. A list too long for a sheet's own
// limit is left out: the cell can still be typed into.
func (x *book) choice(column, line int, names []string, said string) {
	joined := strings.Join(names, ",")
	if len(names) == 0 || strings.ContainsRune(strings.Join(names, ""), ',') || utf8.RuneCountInString(joined) > 250 {
		return
	}
	v := excelize.NewDataValidation(true)
	v.SetSqref(cellName(column, line))
	x.do(v.SetDropList(names))
	v.SetError(excelize.DataValidationErrorStyleStop, "没有这一项", said)
	x.do(x.f.AddDataValidation(x.sheet, v))
}

func (x *book) taskSheet(m MonthForm, s formStyles) {
	x.sheet = taskSheet
	_, err := x.f.NewSheet(taskSheet)
	x.do(err)
	widths := []float64{7, 70, 11, 13, 60}
	for i, width := range widths {
		x.width(i, width)
	}
	x.text(0, 1, fmt.Sprintf("%s %s重点任务进展", m.Department.Name, m.Month.Chinese()), s.title)
	x.text(0, 2, "状态有变化的从列表里选,没有变化的留空;进展说明写本月做了什么。", s.hint)
	x.do(x.f.MergeCell(taskSheet, "A2", cellName(len(widths)-1, 2)))
	for i, heading := range []string{"编号", "重点任务", "目前状态", "改为", "进展说明"} {
		x.text(i, formHead, heading, s.head)
	}
	states := make([]string, len(landmark.TaskStates))
	for i, state := range landmark.TaskStates {
		states[i] = state.Chinese()
	}
	x.do(x.f.SetRowHeight(taskSheet, 1, 30))
	x.do(x.f.SetRowHeight(taskSheet, 2, 20))
	x.do(x.f.SetRowHeight(taskSheet, formHead, 24))
	line := formHead
	for _, t := range m.Tasks {
		line++
		x.text(taskCode, line, t.Task.Code, s.locked)
		x.text(taskText, line, t.Task.Text, s.locked)
		x.text(taskNow, line, t.State.Chinese(), s.locked)
		x.text(taskState, line, "", s.input)
		x.choice(taskState, line, states, "请从列表里选:"+strings.Join(states, "、"))
		x.text(taskNote, line, t.Note, s.input)
		x.do(x.f.SetRowHeight(taskSheet, line, min(max(textHeight(t.Task.Text, widths[taskText]), textHeight(t.Note, widths[taskNote])), maxRowHeight)))
	}
	x.printSetup(newPage(A4, widths), formHead, len(widths)-1, line)
	x.do(x.f.SetPanes(taskSheet, &excelize.Panes{Freeze: true, YSplit: formHead, TopLeftCell: cellName(0, formHead+1), ActivePane: "bottomLeft"}))
	x.protect()
}

// protect locks all but the open cells against slips of the hand. There is no
// password: what comes back is checked whatever was done to it.
func (x *book) protect() {
	x.do(x.f.ProtectSheet(x.sheet, &excelize.SheetProtectionOptions{SelectLockedCells: true, SelectUnlockedCells: true, FormatRows: true, FormatColumns: true}))
}

// ReadMonthForm reads a form that was filled in and holds it against the one the
// department has now. A sheet of another month, department or plan, with formulas
// in open cells or with lines missing is refused ([Faults], naming cells). What
// was typed comes back as typed, for the rules of the form to judge.
func ReadMonthForm(r io.Reader, m MonthForm) (*FilledForm, error) {
	b, err := openWorkbook(r)
	if err != nil {
		return nil, err
	}
	revisions, err := b.formStamp(m)
	if err != nil {
		return nil, err
	}
	out := &FilledForm{}
	var faults Faults
	lines, err := b.lines(formSheet, &faults, formCode)
	if err != nil {
		return nil, err
	}
	for _, i := range m.Indicators {
		code := i.Indicator.Code
		row, ok := lines[code]
		revision, stamped := revisions[code]
		if !ok || !stamped {
			faults.add(0, 0, "“%s”表里缺少指标%s这一行,请重新下载表格", formSheet, code)
			continue
		}
		out.Rows = append(out.Rows, filledRow(row, i.Indicator, revision, &faults))
		if revision != i.Revision {
			out.Stale = append(out.Stale, code)
		}
		delete(lines, code)
	}
	for code, row := range lines {
		faults.add(row.line, formCode+1, "指标%s不在这张表里", quote(code))
	}
	tasks, err := b.filledTasks(m, revisions, out)
	if err != nil {
		return nil, err
	}
	faults = slices.Concat(faults.sorted().named(""), tasks.sorted().named(taskSheet+"!"))
	if len(faults) > 0 {
		return nil, faults
	}
	return out, nil
}

// filledTasks reads the sheet of tasks into out and gives its faults.
func (b *workbook) filledTasks(m MonthForm, revisions map[string]int, out *FilledForm) (Faults, error) {
	if len(m.Tasks) == 0 {
		return nil, nil
	}
	var faults Faults
	lines, err := b.lines(taskSheet, &faults, taskCode)
	if err != nil {
		return nil, err
	}
	for _, t := range m.Tasks {
		row, ok := lines[t.Task.Code]
		revision, stamped := revisions[t.Task.Code]
		if !ok || !stamped {
			faults.add(0, 0, "“%s”表里缺少任务%s这一行,请重新下载表格", taskSheet, t.Task.Code)
			continue
		}
		filled := filledTask(row, t.Task.Code, &faults)
		filled.Revision = revision
		out.Tasks = append(out.Tasks, filled)
		if revision != t.Revision {
			out.Stale = append(out.Stale, t.Task.Code)
		}
	}
	return faults, nil
}

// formStamp reads the hidden sheet: what the form is for and the revision each
// line was made from.
func (b *workbook) formStamp(m MonthForm) (map[string]int, error) {
	refuse := func(format string, args ...any) (map[string]int, error) {
		return nil, Faults{{Message: fmt.Sprintf(format, args...)}}
	}
	s, ok := b.sheet(stampSheet)
	if !ok {
		return refuse("不是从填报页面下载的表格,请下载后填写")
	}
	rows, err := b.rows(s)
	if err != nil {
		return nil, err
	}
	var stamped [][]string
	said := map[string]string{}
	revisions := map[string]int{}
	for _, row := range rows {
		var cells []string
		for _, cell := range row.cells {
			cells = append(cells, cell.text)
		}
		switch {
		case len(cells) == 3 && (cells[0] == "indicator" || cells[0] == "task"): // 4.1 and 4-1 do not collide
			n, err := strconv.Atoi(cells[2])
			if err != nil {
				return refuse("表格里的版本标记坏了,请重新下载")
			}
			revisions[cells[1]] = n
		case len(cells) == 2:
			said[cells[0]] = cells[1]
		}
		if cells[0] != "stamp" {
			stamped = append(stamped, cells)
		}
	}
	switch {
	case len(stamped) == 0 || stamped[0][0] != formMark:
		return refuse("不是从填报页面下载的表格,请下载后填写")
	case said["stamp"] != checksum(stamped):
		return refuse("表格里的版本标记坏了,请重新下载")
	case said["plan"] != m.Plan.Slug:
		return refuse("这张表属于另一个方案(%s)", quote(said["plan"]))
	case said["department"] != m.Department.Slug:
		return refuse("这张表属于另一个部门,不是%s的", m.Department.Name)
	case said["month"] != m.Month.String():
		return refuse("这张表是%s的,现在填报的是%s", quote(said["month"]), m.Month.Chinese())
	}
	return revisions, nil
}

// sheet finds a sheet by name.
func (b *workbook) sheet(name string) (workSheet, bool) {
	i := slices.IndexFunc(b.sheets, func(s workSheet) bool { return s.name == name })
	if i < 0 {
		return workSheet{}, false
	}
	return b.sheets[i], true
}

// lines are a sheet's lines below the headings by the code they begin with.
func (b *workbook) lines(name string, faults *Faults, column int) (map[string]workRow, error) {
	s, ok := b.sheet(name)
	if !ok {
		return nil, Faults{{Message: fmt.Sprintf("缺少工作表“%s”,请重新下载表格", name)}}
	}
	rows, err := b.rows(s)
	if err != nil {
		return nil, err
	}
	out := map[string]workRow{}
	for _, row := range rows {
		code := strings.TrimSpace(row.cell(column).text)
		if row.line <= formHead || code == "" {
			continue
		}
		if first, twice := out[code]; twice {
			faults.add(row.line, column+1, "%s在第%d行已有", quote(code), first.line)
		}
		out[code] = row
	}
	return out, nil
}

func filledRow(row workRow, ind *landmark.Indicator, revision int, faults *Faults) FilledRow {
	return FilledRow{
		Indicator: ind, Revision: revision,
		Value: typed(row, formValue, ind.Unit, faults), ValueCell: cellName(formValue, row.line),
		Step: typed(row, formStep, "", faults), StepCell: cellName(formStep, row.line),
		Note: typed(row, formNote, "", faults), NoteCell: cellName(formNote, row.line),
		Reason: typed(row, formReason, "", faults), WhyCell: cellName(formReason, row.line),
	}
}

func filledTask(row workRow, code string, faults *Faults) FilledTask {
	t := FilledTask{
		Code: code, Note: typed(row, taskNote, "", faults),
		StateCell: taskSheet + "!" + cellName(taskState, row.line), NoteCell: taskSheet + "!" + cellName(taskNote, row.line),
	}
	said := typed(row, taskState, "", faults)
	for _, state := range landmark.TaskStates {
		if said == state.Chinese() {
			t.State = state
		}
	}
	if said != "" && t.State == "" {
		faults.add(row.line, taskState+1, "没有%s这种状态,请填未启动、推进中或已完成", quote(said))
	}
	return t
}

// typed is what somebody typed into a cell. Where the unit is %, a cell that a
// spreadsheet turned into a percentage (85% is stored as 0.85) is what it shows.
func typed(row workRow, column int, unit string, faults *Faults) string {
	cell := row.cell(column)
	if cell.percent && unit == "%" && !cell.formula {
		if n := landmark.PrintedNumber(cell.text); n.Valid {
			return n.Decimal.Shift(2).String()
		}
	}
	if why := notPlain(cell); why != "" {
		faults.add(row.line, column+1, "%s", why)
	}
	if strings.ContainsFunc(cell.text, func(r rune) bool { return isControl(r) && !strings.ContainsRune("\n\r\t", r) }) {
		faults.add(row.line, column+1, "有不可见的控制字符")
	}
	if n := utf8.RuneCountInString(cell.text); n > maxNoteRunes {
		faults.add(row.line, column+1, "有%d字,最多%d字", n, maxNoteRunes)
	}
	return strings.TrimSpace(strings.ReplaceAll(cell.text, "\r\n", "\n"))
}
