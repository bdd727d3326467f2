package sheet

import (
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"landmark/internal/landmark"
)

// Detail is what a person says of an indicator and the table does not.
type Detail struct {
	Line      int
	Kind      landmark.Kind
	Direction landmark.Direction
	Unit      string // empty: the one in the printed name
	Decimals  int    // -1: as many as the printed figures have
	Measured  landmark.Frequency
	Steps     []landmark.Step
	Confirmed bool
	Curve     []landmark.CurvePoint
	NotAbove  string // code of an indicator this one's value should not exceed
}

// Details are a details file by indicator code.
type Details map[string]Detail

var (
	codeForm    = regexp.MustCompile(`^[1-9][0-9]*\.[1-9][0-9]*$`)
	detailsCols = []string{"code", "kind", "direction", "unit", "decimals", "measured", "steps", "confirmed", "curve", "not_above"}
)

// maxDecimals is how many decimals an indicator can have.
const maxDecimals = 6

// ReadDetails reads the details of a plan's indicators from CSV: one row each,
// with the columns code, kind, direction, unit, decimals, measured, steps,
// confirmed, curve and, where wanted, not_above. All faults are listed
// ([Faults]); whether the plan has such codes is for [BuildPlan] to see.
func ReadDetails(r io.Reader) (Details, error) {
	l, faults, err := readList(r, detailsCols[:9], detailsCols[9:])
	if err != nil {
		return nil, err
	}
	if l == nil {
		return nil, faults.orNil()
	}
	out := Details{}
	for _, row := range l.rows {
		fault := func(at int, err error) {
			if err != nil {
				faults.add(row.line, at, "%s", message(err))
			}
		}
		code, at := l.cell(row, "code")
		first, twice := out[code]
		switch {
		case code == "":
			faults.add(row.line, at, "指标编号是空的")
			continue
		case !codeForm.MatchString(code):
			faults.add(row.line, at, "指标编号应是“4.1”的样子,现在是%s", quote(code))
		case twice:
			faults.add(row.line, at, "指标%s在第%d行已有", code, first.Line)
		}
		d := Detail{Line: row.line}
		text, at := l.cell(row, "kind")
		d.Kind, err = oneOf(text, landmark.KindUnknown, "性质", landmark.Kinds)
		fault(at, err)
		text, at = l.cell(row, "direction")
		d.Direction, err = oneOf(text, landmark.Up, "方向", []landmark.Direction{landmark.Up, landmark.Down})
		fault(at, err)
		text, at = l.cell(row, "unit")
		d.Unit = unquote(text)
		if strings.ContainsAny(d.Unit, "\n\t") || len([]rune(d.Unit)) > 20 {
			faults.add(row.line, at, "计量单位最多20字,不能换行")
		}
		text, at = l.cell(row, "decimals")
		d.Decimals, err = parseDecimals(text)
		fault(at, err)
		text, at = l.cell(row, "measured")
		d.Measured, err = oneOf(text, landmark.Monthly, "报送频率", landmark.Frequencies)
		fault(at, err)
		text, at = l.cell(row, "steps")
		d.Steps, err = landmark.ParseSteps(unquote(text))
		fault(at, err)
		switch {
		case err != nil:
		case d.Kind == landmark.Qualitative && len(d.Steps) < 2:
			faults.add(row.line, at, "定性指标至少要有两个步骤,写成“未启动|推进中=on_track|到位=done”的样子")
		case d.Kind != landmark.Qualitative && len(d.Steps) > 0:
			faults.add(row.line, at, "只有定性指标(qualitative)才有步骤")
		}
		text, at = l.cell(row, "confirmed")
		d.Confirmed, err = parseYes(text, false)
		fault(at, err)
		if d.Confirmed && d.Kind == landmark.KindUnknown {
			faults.add(row.line, at, "没有填性质,不能算已确认")
		}
		text, at = l.cell(row, "curve")
		d.Curve, err = landmark.ParseCurve(text)
		fault(at, err)
		if len(d.Curve) > 0 && (d.Kind == landmark.Hold || d.Kind == landmark.Qualitative) {
			faults.add(row.line, at, "%s指标没有计划曲线", d.Kind.Chinese())
		}
		d.NotAbove, at = l.cell(row, "not_above")
		if d.NotAbove != "" && (!codeForm.MatchString(d.NotAbove) || d.NotAbove == code) {
			faults.add(row.line, at, "应是另一个指标的编号,现在是%s", quote(d.NotAbove))
		}
		if !twice {
			out[code] = d
		}
	}
	return out, faults.orNil()
}

// message is what a person is told of an error from reading one cell.
func message(err error) string {
	if m := landmark.MessageOf(err); m != "" {
		return m
	}
	return err.Error()
}

// oneOf reads one of a few codes; an empty cell means otherwise.
func oneOf[T ~string](text string, otherwise T, what string, all []T) (T, error) {
	if text == "" {
		return otherwise, nil
	}
	if slices.Contains(all, T(text)) {
		return T(text), nil
	}
	names := make([]string, len(all))
	for i, v := range all {
		names[i] = string(v)
	}
	return otherwise, fmt.Errorf("%s应是 %s 之一,现在是%s", what, strings.Join(names, "、"), quote(text))
}

// parseDecimals reads how many decimals an indicator has; -1 for an empty cell.
func parseDecimals(text string) (int, error) {
	if text == "" {
		return -1, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > maxDecimals {
		return -1, fmt.Errorf("小数位数应是0到%d,现在是%s", maxDecimals, quote(text))
	}
	return n, nil
}

// WriteDetails writes the details of a plan so that [ReadDetails] and
// [BuildPlan] give the same indicators again. Of several curves it writes the
// one that holds at the year's end.
func WriteDetails(w io.Writer, p *landmark.Plan) error {
	out, err := newCSVWriter(w)
	if err != nil {
		return err
	}
	notAbove := map[string]string{}
	for _, r := range p.Relations {
		notAbove[r.Lower] = r.Upper
	}
	rows := [][]string{detailsCols}
	for _, ind := range p.Indicators() {
		rows = append(rows, []string{
			ind.Code, string(ind.Kind), string(ind.Direction), neutral(ind.Unit), strconv.Itoa(ind.Decimals), string(ind.Measured),
			neutral(landmark.FormatSteps(ind.Steps)), yesNo(ind.Confirmed), landmark.FormatCurve(ind.CurveIn(p.LastMonth()).Points), notAbove[ind.Code],
		})
	}
	if err := out.WriteAll(rows); err != nil {
		return fmt.Errorf("write details: %w", err)
	}
	return nil
}

// codes are a details file's codes in the file's order.
func (d Details) codes() []string {
	return slices.SortedFunc(maps.Keys(d), func(a, b string) int { return d[a].Line - d[b].Line })
}
