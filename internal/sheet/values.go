package sheet

import (
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"landmark/internal/landmark"
)

// ValueRow is one reported value in a list. Whose indicator it is, whether its
// month is open and what else the rules ask is checked where values are reported,
// with Line to say where a refused one stands.
type ValueRow struct {
	Line      int
	Indicator *landmark.Indicator
	Value     string              // as typed
	Amount    decimal.NullDecimal // the number in Value
	Step      string              // qualitative: one of the indicator's steps
	Note      string
	Reason    string
}

var valueCols = []string{"code", "value", "step", "note", "reason"}

// ReadValues reads reported values of a plan's indicators from CSV with the
// columns code, value, step, note and reason; the last three may be missing. A
// row that says nothing but its code is passed over: not reported is not zero.
// All faults are listed ([Faults]); the rows that are whole come along, to be
// held against further rules before any of it is told.
func ReadValues(r io.Reader, plan *landmark.Plan) ([]ValueRow, error) {
	l, faults, err := readList(r, valueCols[:2], valueCols[2:])
	if err != nil {
		return nil, err
	}
	if l == nil {
		return nil, faults.orNil()
	}
	return valueRows(l, faults, plan)
}

// ReadValuesXLSX reads the same columns from a workbook's first visible sheet;
// faults name cells.
func ReadValuesXLSX(r io.Reader, plan *landmark.Plan) ([]ValueRow, error) {
	b, err := openWorkbook(r)
	if err != nil {
		return nil, err
	}
	for _, s := range b.sheets {
		if s.hidden {
			continue
		}
		rows, err := b.rows(s)
		if err != nil {
			return nil, err
		}
		var faults Faults
		plain := make([]listRow, len(rows))
		for i, row := range rows {
			plain[i].line = row.line
			for k, cell := range row.cells {
				if why := notPlain(cell); why != "" {
					faults.add(row.line, k+1, "%s", why)
				}
				plain[i].cells = append(plain[i].cells, cell.text)
			}
		}
		l, more := newList(plain, valueCols[:2], valueCols[2:])
		faults = append(faults, more...)
		if l == nil {
			return nil, faults.orNil()
		}
		out, err := valueRows(l, faults, plan)
		return out, named(err)
	}
	return nil, Faults{{Message: "文件里没有工作表"}}
}

// notPlain says why a cell cannot be taken as what a person typed, empty where it
// can.
func notPlain(cell workCell) string {
	switch {
	case cell.formula:
		return "是公式,请改成数值或文字"
	case cell.date:
		return "是日期,请改成数值或文字"
	case cell.percent:
		return "是百分比格式,请改成常规格式再填,例如 82.8"
	default:
		return ""
	}
}

func valueRows(l *list, faults Faults, plan *landmark.Plan) ([]ValueRow, error) {
	var out []ValueRow
	seen := map[string]int{}
	for _, row := range l.rows {
		v := ValueRow{Line: row.line}
		code, codeAt := l.cell(row, "code")
		var valueAt, stepAt, noteAt, reasonAt int
		v.Value, valueAt = l.cell(row, "value")
		v.Step, stepAt = l.cell(row, "step")
		v.Note, noteAt = l.cell(row, "note")
		v.Reason, reasonAt = l.cell(row, "reason")
		for _, text := range []*string{&code, &v.Value, &v.Step, &v.Note, &v.Reason} {
			*text = unquote(*text)
		}
		first, twice := seen[code]
		switch {
		case code == "":
			faults.add(row.line, codeAt, "指标编号是空的")
			continue
		case twice:
			faults.add(row.line, codeAt, "指标%s在第%d行已有", code, first)
			continue
		}
		seen[code] = row.line
		var err error
		if v.Indicator, err = plan.Indicator(code); err != nil {
			faults.add(row.line, codeAt, "%s", message(err))
			continue
		}
		if v.Value == "" && v.Step == "" {
			if v.Note != "" || v.Reason != "" {
				faults.add(row.line, valueAt, "有说明而没有数值或步骤")
			}
			continue
		}
		faults.check(v, place{row.line, valueAt}, place{row.line, stepAt}, place{row.line, noteAt}, place{row.line, reasonAt})
		if amount, err := landmark.ParseAmount(v.Value, v.Indicator); err == nil {
			v.Amount = decimal.NewNullDecimal(amount)
		}
		out = append(out, v)
	}
	if len(out) == 0 && len(faults) == 0 {
		faults.add(0, 0, "文件里没有一行填了数值或步骤")
	}
	out = slices.DeleteFunc(out, func(v ValueRow) bool {
		return slices.ContainsFunc(faults, func(f Fault) bool { return f.Line == v.Line })
	})
	return out, faults.orNil()
}

// place is where a cell stands.
type place struct{ line, column int }

// maxNoteRunes bounds a note or a reason.
const maxNoteRunes = 2000

// check says what is wrong with a value as such, whatever file it came in.
func (fs *Faults) check(v ValueRow, value, step, note, reason place) {
	ind := v.Indicator
	if v.Value != "" {
		if _, err := landmark.ParseAmount(v.Value, ind); err != nil {
			fs.add(value.line, value.column, "%s", message(err))
		}
	}
	_, known := ind.Step(v.Step)
	switch {
	case ind.Kind == landmark.Qualitative && v.Step == "":
		fs.add(step.line, step.column, "%s是定性指标,要填步骤:%s", landmark.Quoted(ind.Name), strings.Join(stepNames(ind), "、"))
	case ind.Kind != landmark.Qualitative && v.Step != "":
		fs.add(step.line, step.column, "%s不是定性指标,没有步骤", landmark.Quoted(ind.Name))
	case v.Step != "" && !known:
		fs.add(step.line, step.column, "没有%s这个步骤,%s的步骤是:%s", quote(v.Step), landmark.Quoted(ind.Name), strings.Join(stepNames(ind), "、"))
	}
	for _, c := range []struct {
		text string
		at   place
	}{{v.Note, note}, {v.Reason, reason}} {
		if n := utf8.RuneCountInString(c.text); n > maxNoteRunes {
			fs.add(c.at.line, c.at.column, "有%d字,最多%d字", n, maxNoteRunes)
		}
	}
}

func stepNames(ind *landmark.Indicator) []string {
	names := make([]string, len(ind.Steps))
	for i, s := range ind.Steps {
		names[i] = s.Name
	}
	return names
}

// formulaMarks begin what a spreadsheet runs. The full-width ones count too: some
// programs narrow them on the way in.
const formulaMarks = "=+-@\t\r\n＝＋－＠"

var plainNumber = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)

// neutral keeps a spreadsheet from running text as a formula, by a quote before
// it. Numbers, negative ones included, stay numbers.
func neutral(text string) string {
	if plainNumber.MatchString(text) {
		return text
	}
	lead := strings.TrimLeft(text, " \u00a0\u3000")
	if lead != "" && strings.ContainsRune(formulaMarks, []rune(lead)[0]) {
		return "'" + text
	}
	return text
}

// unquote takes off the quote that neutral put before a cell.
func unquote(text string) string {
	if rest, ok := strings.CutPrefix(text, "'"); ok && neutral(rest) == text {
		return rest
	}
	return text
}
