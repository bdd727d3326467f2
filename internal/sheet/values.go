package sheet

import (
	"io"
	"regexp"
	"strings"

	"github.com/shopspring/decimal"
	"golang.org/x/text/width"
)

// ValueRow is one reported value in a list, by indicator code. Whether the plan
// has the indicator, whose it is and what its kind allows is checked where
// values are reported, with Line to say where a refused one stands.
type ValueRow struct {
	Line   int
	Code   string
	Value  string              // as typed
	Amount decimal.NullDecimal // the number in Value
	Step   string              // qualitative
	Note   string
	Reason string
}

var valueCols = []string{"code", "value", "step", "note", "reason"}

// ReadValues reads reported values from CSV with the columns code, value, step,
// note and reason; the last three may be missing. A row that says nothing but its
// code is passed over: not reported is not zero. All faults are listed ([Faults]).
func ReadValues(r io.Reader) ([]ValueRow, error) {
	l, faults, err := readList(r, valueCols[:2], valueCols[2:])
	if err != nil {
		return nil, err
	}
	if l == nil {
		return nil, faults.orNil()
	}
	return valueRows(l, faults)
}

func valueRows(l *list, faults Faults) ([]ValueRow, error) {
	var out []ValueRow
	seen := map[string]int{}
	for _, row := range l.rows {
		v := ValueRow{Line: row.line}
		var at, valueAt, stepAt int
		v.Code, at = l.cell(row, "code")
		v.Value, valueAt = l.cell(row, "value")
		v.Step, stepAt = l.cell(row, "step")
		v.Note, _ = l.cell(row, "note")
		v.Reason, _ = l.cell(row, "reason")
		for _, text := range []*string{&v.Code, &v.Value, &v.Step, &v.Note, &v.Reason} {
			*text = unquote(*text)
		}
		first, twice := seen[v.Code]
		switch {
		case v.Code == "":
			faults.add(row.line, at, "指标编号是空的")
		case !codeForm.MatchString(v.Code):
			faults.add(row.line, at, "指标编号应是“4.1”的样子,现在是%s", quote(v.Code))
		case twice:
			faults.add(row.line, at, "指标%s在第%d行已有", v.Code, first)
		default:
			seen[v.Code] = row.line
		}
		if v.Value != "" {
			amount, ok := parseAmount(v.Value)
			if !ok {
				faults.add(row.line, valueAt, "应是数字,现在是%s", quote(v.Value))
			}
			v.Amount = amount
		}
		if strings.ContainsAny(v.Step, "\n\t") {
			faults.add(row.line, stepAt, "步骤不能换行")
		}
		switch {
		case v.Value == "" && v.Step == "" && (v.Note != "" || v.Reason != ""):
			faults.add(row.line, valueAt, "有说明而没有数值或步骤")
		case v.Value != "" || v.Step != "":
			out = append(out, v)
		}
	}
	if len(out) == 0 && len(faults) == 0 {
		faults.add(0, 0, "文件里没有一行填了数值或步骤")
	}
	if err := faults.orNil(); err != nil {
		return nil, err
	}
	return out, nil
}

var amountForm = regexp.MustCompile(`^([+-]?)([0-9]{1,3}(?:,[0-9]{3}){1,5}|[0-9]{1,18})(\.[0-9]{1,9})?[%‰]?$`)

// parseAmount reads a figure as people type it: full-width digits, thousands set
// apart, a closing % or ‰. Anything else, 1E5 and 3.2万 included, is no number.
func parseAmount(text string) (decimal.NullDecimal, bool) {
	text = strings.ReplaceAll(width.Narrow.String(strings.TrimSpace(text)), "−", "-")
	f := amountForm.FindStringSubmatch(text)
	if f == nil {
		return decimal.NullDecimal{}, false
	}
	d, err := decimal.NewFromString(f[1] + strings.ReplaceAll(f[2], ",", "") + f[3])
	if err != nil {
		return decimal.NullDecimal{}, false
	}
	return decimal.NewNullDecimal(d), true
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
