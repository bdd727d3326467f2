package view

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"landmark/internal/landmark"
)

// Amounts stay decimals up to here. The floats in this file are places on the
// drawing, in pixels or months, and never figures that are printed.

// Trend is the drawing of an indicator's year: the approved values, the path
// they should have followed, the target, and the outlook to the year's end.
// Text keeps its size at any width, so x is in percent and y in pixels; the
// lines are stretched apart from it, with x in months.
type Trend struct {
	ID          string // first part of the ids in the drawing
	Title, Desc string
	Caption     string // what the lines are

	Ticks  []TrendTick
	Months []TrendMonth

	Plan  string      // points of the schedule or the plan curve; empty if none
	Lines []string    // points of the approved values, one line per run of months
	Goals []TrendRule // the target, in steps where it was revised
	Miss  *TrendMiss  // the distance between due and reached in the month shown
	Dots  []TrendDot
	Band  string // points of the range expected at the year's end
	Fore  string // points of the way there

	Wide, Narrow []TrendText // direct labels, set for a wide and for a narrow page
}

// TrendTick is a line of the grid with its figure.
type TrendTick struct {
	Y, TextY string
	Text     string
	Goal     bool // the target's own figure: no grid line, since its own line is there
}

// TrendMonth is a label of the axis of months.
type TrendMonth struct {
	X     string
	Text  string // 9
	After string // 月, left out where there is no room
	Now   bool
}

// TrendRule is a straight piece of the target line.
type TrendRule struct{ X1, X2, Y1, Y2 string }

// TrendMiss joins the value due with the value reached.
type TrendMiss struct {
	X, Y1, Y2 string
	Late      bool // the light says so; otherwise within tolerance
}

// TrendDot is one value.
type TrendDot struct {
	X, Y, R string
	Class   string
	Label   string // 5月 25.17,已修订
}

// TrendText is a direct label.
type TrendText struct {
	X      string // percent
	DX     string // pixels aside
	Y      string
	Anchor string // start, middle or end
	Class  string
	Text   string

	box func(width float64) box
}

// trendSeries is what a drawing is made from. Place 0 is the end of the year
// before, 1 to 12 are the months.
type trendSeries struct {
	id, name  string
	year      int // of the targets
	baseYear  int
	now       int // the month shown
	percent   bool
	decimals  int
	fromZero  bool // a total of the year: the axis begins at nothing
	values    [13]decimal.NullDecimal
	revised   [13]bool
	expected  [13]decimal.NullDecimal
	yardstick string // 序时应达
	targets   []trendTarget
	behind    bool // the value shown lies short of what is due
	late      bool // and the light says so
	lowBetter bool // a ceiling or an allowance
	outlook   *trendOutlook
	figure    func(decimal.Decimal) string
}

// trendTarget holds from the place on.
type trendTarget struct {
	from   int
	amount decimal.Decimal
}

// trendOutlook is the range expected at the year's end.
type trendOutlook struct{ low, mid, high decimal.Decimal }

// newTrendSeries gathers what is drawn for a month. It is false for indicators
// without numbers: there is nothing to draw.
func newTrendSeries(r *landmark.Record, a landmark.Assessment) (trendSeries, bool) {
	ind, m := a.Indicator, a.Month
	s := trendSeries{
		id: "trend", name: ind.Name, year: r.Plan.Year, baseYear: r.Plan.BaselineYear,
		now: m.Number(), percent: strings.HasPrefix(ind.Unit, "%"), decimals: ind.Decimals,
		fromZero: ind.Kind == landmark.Flow, lowBetter: ind.Direction == landmark.Down,
		yardstick: yardstick(a), figure: func(d decimal.Decimal) string { return trendFigure(ind, d) },
	}
	if !ind.Kind.Numeric() {
		return s, false
	}
	// A flow restarts each year: last year's total is no point of this year's line.
	if ind.Kind != landmark.Flow {
		s.values[0] = ind.Baseline
	}
	january := landmark.MonthOf(r.Plan.Year, 1)
	for n := 1; n <= 12; n++ {
		month := january + landmark.Month(n-1)
		if v, ok := r.Value(ind.ID, month); ok && month <= m {
			s.values[n], s.revised[n] = v.Amount, v.Corrections > 0
		}
		judged := r.Assess(ind, month)
		s.expected[n] = judged.Expected
		if t := judged.Target.Amount; t.Valid {
			if k := len(s.targets); k == 0 || !s.targets[k-1].amount.Equal(t.Decimal) {
				from := n
				if k == 0 {
					from = 0
				}
				s.targets = append(s.targets, trendTarget{from, t.Decimal})
			}
		}
	}
	if s.expected[1].Valid {
		s.expected[0] = decimal.NewNullDecimal(decimal.Zero)
		if ind.Kind != landmark.Flow && ind.Baseline.Valid {
			s.expected[0] = ind.Baseline
		}
		// A curve that came with the plan is the path from January on: before the
		// plan nothing was owed, and a dip in May would only puzzle.
		first := r.Plan.FirstMonth()
		if points := ind.CurveIn(first).Points; len(points) > 0 {
			planned := s.expected[0].Decimal
			for month := january; month < first; month++ {
				for _, point := range points {
					if point.Month <= month {
						planned = point.Amount
					}
				}
				s.expected[month.Number()] = decimal.NewNullDecimal(planned)
			}
		}
	}
	s.behind = a.Gap.Present() && a.Gap.Sign() < 0 && a.Value != nil && a.Value.Month == m
	s.late = a.Value != nil && a.Value.Month == m && a.Computed.Trouble()
	return s, true
}

// The plot lies between these heights; the months stand below it.
const (
	trendTop, trendBottom = 25.0, 275.0
	trendFloor            = 300.0
	trendTextSize         = 13.0
	trendSmallText        = 12.0
)

// newTrend lays a series out.
func newTrend(s trendSeries) *Trend {
	scale := newTrendScale(s)
	t := &Trend{ID: s.id, Title: fmt.Sprintf("%s,%d年逐月值", s.name, s.year), Desc: s.describe(), Caption: s.caption()}
	t.Ticks = scale.ticks(s)
	for n := 0; n <= 12; n++ {
		month := TrendMonth{X: percent(place(n)), Text: strconv.Itoa(n), After: "月", Now: n == s.now}
		if n == 0 {
			month.Text, month.After = strconv.Itoa(s.baseYear), "年底"
		}
		t.Months = append(t.Months, month)
	}

	for _, run := range runs(s.expected, scale) {
		t.Plan = pointList(run) // every month has one or none has
	}
	for _, run := range runs(s.values, scale) {
		if len(run) > 1 { // a lone value is its dot
			t.Lines = append(t.Lines, pointList(run))
		}
	}
	for i, goal := range s.targets {
		until := 12
		if i+1 < len(s.targets) {
			until = s.targets[i+1].from
			next := scale.y(s.targets[i+1].amount)
			t.Goals = append(t.Goals, TrendRule{percent(place(until)), percent(place(until)), px(scale.y(goal.amount)), px(next)})
		}
		y := px(scale.y(goal.amount))
		t.Goals = append(t.Goals, TrendRule{percent(place(goal.from)), percent(place(until)), y, y})
	}
	last := s.last()
	if v, due := s.values[s.now], s.expected[s.now]; s.behind && v.Valid && due.Valid {
		t.Miss = &TrendMiss{percent(place(s.now)), px(scale.y(due.Decimal)), px(scale.y(v.Decimal)), s.late}
	}
	for n, v := range s.values {
		if !v.Valid {
			continue
		}
		dot := TrendDot{X: percent(place(n)), Y: px(scale.y(v.Decimal)), R: "3.5", Class: "tc-pt", Label: fmt.Sprintf("%d月 %s", n, s.figure(v.Decimal))}
		switch {
		case n == 0:
			dot.R, dot.Class, dot.Label = "4", "tc-base", fmt.Sprintf("%d年实际值 %s", s.baseYear, s.figure(v.Decimal))
		case s.revised[n]:
			dot.Class, dot.Label = "tc-pt is-rev", dot.Label+",已修订"
		case n == last && s.late:
			dot.R, dot.Class = "4.5", "tc-pt is-last"
		}
		t.Dots = append(t.Dots, dot)
	}
	if o := s.outlook; o != nil && last > 0 && last < 12 {
		from := fmt.Sprintf("%d,%s", last, px(scale.y(s.values[last].Decimal)))
		t.Band = fmt.Sprintf("%s 12,%s 12,%s", from, px(scale.y(o.high)), px(scale.y(o.low)))
		t.Fore = fmt.Sprintf("%s 12,%s", from, px(scale.y(o.mid)))
	}
	// The widths a page can give the plot, from a small phone to the widest page.
	t.Wide = s.label(scale, true, 480, 700, 1000, 1280)
	t.Narrow = s.label(scale, false, 240, 320, 480, 640)
	return t
}

// yardstick is what the values are held against.
func yardstick(a landmark.Assessment) string {
	switch {
	case a.Indicator.Kind == landmark.Flow && a.Indicator.Direction == landmark.Down:
		return "序时限额"
	case a.Curved:
		return "计划应达"
	default:
		return "序时应达"
	}
}

// trendFigure prints an amount at the precision it was entered with, and one
// worked out, such as a value due, with at most one digit beyond the indicator's.
func trendFigure(ind *landmark.Indicator, d decimal.Decimal) string {
	return Number(d.Round(int32(ind.Decimals) + 1))
}

// caption says what the lines are.
func (s trendSeries) caption() string {
	text := "实线为核定的月末值,没有核定值的月份断开"
	if s.expected[1].Valid {
		text += ";虚线为" + s.yardstick
	}
	if s.outlook != nil {
		text += ";浅色带为年底预计区间(八成把握)"
	}
	return text + "。"
}

// last is the place of the newest value of the year, 0 if there is none.
func (s trendSeries) last() int {
	for n := 12; n > 0; n-- {
		if s.values[n].Valid {
			return n
		}
	}
	return 0
}

// target is the amount that holds at a place.
func (s trendSeries) target(n int) (decimal.Decimal, bool) {
	amount, ok := decimal.Zero, false
	for _, t := range s.targets {
		if t.from <= n {
			amount, ok = t.amount, true
		}
	}
	return amount, ok
}

// describe is the drawing in words, for those who do not see it.
func (s trendSeries) describe() string {
	var parts []string
	first, last, missing := 0, s.last(), []string{}
	for n := 1; n <= last; n++ {
		switch {
		case s.values[n].Valid && first == 0:
			first = n
		case !s.values[n].Valid && first != 0:
			missing = append(missing, fmt.Sprintf("%d月", n))
		}
	}
	switch {
	case last == 0:
		parts = append(parts, "今年尚无核定值")
	case first == last:
		parts = append(parts, fmt.Sprintf("%d月%s", last, s.figure(s.values[last].Decimal)))
	default:
		verb := "仍为"
		if c := s.values[last].Decimal.Cmp(s.values[first].Decimal); c > 0 {
			verb = "升到"
		} else if c < 0 {
			verb = "降到"
		}
		parts = append(parts, fmt.Sprintf("从%d月%s%s%d月%s", first, s.figure(s.values[first].Decimal), verb, last, s.figure(s.values[last].Decimal)))
	}
	if len(missing) > 0 {
		parts = append(parts, strings.Join(missing, "、")+"没有核定值")
	}
	if due := s.expected[s.now]; due.Valid {
		text := fmt.Sprintf("%d月%s%s", s.now, s.yardstick, s.figure(due.Decimal))
		if v := s.values[s.now]; s.behind && v.Valid {
			text += ",差" + s.figure(due.Decimal.Sub(v.Decimal).Abs())
		}
		parts = append(parts, text)
	}
	if goal, ok := s.target(12); ok {
		parts = append(parts, fmt.Sprintf("%d年目标%s", s.year, s.figure(goal)))
	}
	if s.outlook != nil {
		parts = append(parts, fmt.Sprintf("年底预计%s,在%s至%s之间", s.figure(s.outlook.mid), s.figure(s.outlook.low), s.figure(s.outlook.high)))
	}
	return strings.Join(parts, ";") + "。"
}

// trendScale maps amounts to heights.
type trendScale struct {
	low, high, step decimal.Decimal
	span            float64 // from low to high
}

// newTrendScale cuts the axis to what is drawn, so that a base of 25 and a target
// of 25.5 both stand on it, and rounds it to steps of 1, 2, 2.5 or 5.
func newTrendScale(s trendSeries) trendScale {
	var low, high decimal.Decimal
	seen := false
	take := func(d decimal.Decimal) {
		if !seen {
			low, high, seen = d, d, true
		}
		low, high = decimal.Min(low, d), decimal.Max(high, d)
	}
	if s.fromZero {
		take(decimal.Zero)
	}
	for n := range s.values {
		if s.values[n].Valid {
			take(s.values[n].Decimal)
		}
		if s.expected[n].Valid {
			take(s.expected[n].Decimal)
		}
	}
	for _, t := range s.targets {
		take(t.amount)
	}
	if s.outlook != nil {
		take(s.outlook.low)
		take(s.outlook.high)
	}
	if low.Equal(high) { // nothing but one height: set it off from the edge
		pad := decimal.Max(high.Abs().Shift(-1).Div(decimal.NewFromInt(2)), decimal.New(1, int32(-s.decimals)))
		full := s.percent && high.Equal(decimal.NewFromInt(100))
		low = low.Sub(pad)
		if !full {
			high = high.Add(pad)
		}
	}
	step := decimal.Max(niceStep(high.Sub(low)), finestStep(s.decimals))
	sc := trendScale{low: low.Div(step).Floor().Mul(step), high: high.Div(step).Ceil().Mul(step), step: step}
	sc.span = sc.high.Sub(sc.low).InexactFloat64()
	return sc
}

// niceStep is the least step of 1, 2, 2.5 or 5 that needs at most five of them.
func niceStep(span decimal.Decimal) decimal.Decimal {
	f := span.InexactFloat64() / 5
	power := int32(math.Floor(math.Log10(f))) - 1
	for {
		for _, lead := range []int64{10, 20, 25, 50} {
			step := decimal.New(lead, power)
			if step.Mul(decimal.NewFromInt(5)).GreaterThanOrEqual(span) {
				return step
			}
		}
		power++
	}
}

// finestStep keeps half a school off the axis.
func finestStep(decimals int) decimal.Decimal {
	if decimals == 0 {
		return decimal.NewFromInt(1)
	}
	return decimal.New(1, int32(-decimals-1))
}

func (sc trendScale) y(d decimal.Decimal) float64 {
	share := d.Sub(sc.low).InexactFloat64() / sc.span
	return trendBottom - share*(trendBottom-trendTop)
}

// ticks are the grid and, in place of the nearest figures, the target in force.
func (sc trendScale) ticks(s trendSeries) []TrendTick {
	var out []TrendTick
	goal, aimed := s.target(s.now)
	text := axisFigure(sc)
	goalText := axisFigure(trendScale{low: sc.low, high: sc.high, step: goal})
	for v := sc.low; v.LessThanOrEqual(sc.high); v = v.Add(sc.step) {
		y := sc.y(v)
		tick := TrendTick{Y: px(y), TextY: px(y + 4), Text: text(v)}
		if aimed && math.Abs(sc.y(goal)-y) < 13 {
			tick.Text = ""
		}
		out = append(out, tick)
	}
	if aimed {
		y := sc.y(goal)
		out = append(out, TrendTick{Y: px(y), TextY: px(y + 4), Text: goalText(goal), Goal: true})
	}
	return out
}

// axisFigure prints figures short enough for the margin, 20000 as 2万, all with
// the decimals of the step.
func axisFigure(sc trendScale) func(decimal.Decimal) string {
	shift, unit := int32(0), ""
	switch most := decimal.Max(sc.high.Abs(), sc.low.Abs()); {
	case most.GreaterThanOrEqual(decimal.New(1, 8)):
		shift, unit = 8, "亿"
	case most.GreaterThanOrEqual(decimal.New(1, 4)):
		shift, unit = 4, "万"
	}
	places := int32(0)
	if _, fraction, ok := strings.Cut(sc.step.Shift(-shift).String(), "."); ok {
		places = int32(len(fraction))
	}
	return func(d decimal.Decimal) string {
		if d.IsZero() {
			return "0"
		}
		return Minus(d.Shift(-shift).StringFixed(places)) + unit
	}
}

// spot is a point of a line: x in months, y in pixels.
type spot struct{ x, y float64 }

// runs are the unbroken stretches of a series: a missing month is a gap.
func runs(values [13]decimal.NullDecimal, scale trendScale) [][]spot {
	var out [][]spot
	open := false
	for n, v := range values {
		if !v.Valid {
			open = false
			continue
		}
		if !open {
			out = append(out, nil)
		}
		open = true
		out[len(out)-1] = append(out[len(out)-1], spot{float64(n), scale.y(v.Decimal)})
	}
	return out
}

func pointList(run []spot) string {
	parts := make([]string, len(run))
	for i, p := range run {
		parts[i] = trim(p.x) + "," + px(p.y)
	}
	return strings.Join(parts, " ")
}

// place is where a month's end lies on the axis, in percent.
func place(n int) float64 { return float64(n) / 12 * 100 }

func percent(x float64) string { return strconv.FormatFloat(x, 'f', 3, 64) + "%" }

func px(y float64) string { return strconv.FormatFloat(y, 'f', 1, 64) }

func trim(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }
