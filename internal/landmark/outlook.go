package landmark

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/shopspring/decimal"
)

// Outlook is where an indicator will stand at the end of the year if it goes on
// as it has, with a range that holds the outcome about four times in five.
//
// The method is the random walk with drift of R. Hyndman and G. Athanasopoulos,
// Forecasting: Principles and Practice (3rd ed., OTexts, §5.2 and §5.5): every
// month adds a mean increment (the drift) and chance. With increments Δy over
// months, σ² their variance about the mean, h months to go and the drift measured
// over w months, the expectation is y + h·drift and its error has the variance
// σ²·(h + h²/w): the chance of the months to come and the uncertainty of the drift
// itself. As σ² is estimated from few increments, the range takes Student's t with
// one degree of freedom less than there are increments.
//
// Three things are fitted to this use. The drift is that of the last three
// months, as the sentence says, so that a change of pace shows; σ² is taken from
// all increments of the year, the year's start (zero, or the baseline) included.
// With a plan curve, increments are measured against what was planned for the
// same months: the drift is the share of the plan delivered, and half the variance goes
// with the planned work, half with the calendar. And figures are whole units, so
// σ² is at least the variance of rounding.
//
// How often the range holds is measured by BenchmarkOutlookCalibration.
type Outlook struct {
	Indicator *Indicator
	Last      Value               // what it starts from
	Left      int                 // months from there to the year's end
	Span      int                 // months the pace was measured over
	FromStart bool                // the span begins with the year
	Curved    bool                // the pace is relative to the plan curve
	Pace      decimal.Decimal     // mean change a month over the span
	Delivered Ratio               // with a curve: the share of the plan delivered
	Expected  decimal.Decimal     // at the year's end
	Low, High decimal.Decimal     // the range
	Target    decimal.Decimal     // as it holds at the month looked from
	Needed    decimal.NullDecimal // change a month from here to reach the target; absent where it is reached
	Text      string              // the sentence

	whole decimal.Decimal // with a curve: what it plans for the whole year
}

const (
	outlookValues = 3 // values of this year at least
	outlookWindow = 3 // months the pace is measured over
	// A plan of which less than this share was due so far says nothing of its pace.
	outlookPlanned = "0.1"
)

// studentT holds the 90 % quantile of Student's t, which bounds the middle 80 %, by
// degrees of freedom from 1, in thousandths. Twelve increments are a year's most.
var studentT = [...]int64{3078, 1886, 1638, 1533, 1476, 1440, 1415, 1397, 1383, 1372, 1363, 1356}

// spot is what an indicator stood at some months into the year.
type spot struct {
	months int
	value  *big.Rat
}

// Outlook looks to the year's end from what is known at month m. False where
// nothing can be said: hold and qualitative indicators, words as target, fewer
// than three values, the year's last month, or a plan that has hardly begun.
func (r *Record) Outlook(ind *Indicator, m Month) (Outlook, bool) {
	target := ind.TargetIn(m).Amount
	if ind.Kind != Flow && ind.Kind != Cumulative && ind.Kind != Level || !target.Valid {
		return Outlook{}, false
	}
	o := Outlook{Indicator: ind, Target: target.Decimal}
	spots := r.spots(ind, m)
	reported := len(spots)
	if spots[0].months == 0 {
		reported--
	}
	if reported < outlookValues {
		return Outlook{}, false
	}
	o.Left = 12 - spots[len(spots)-1].months
	o.Last, _ = r.Value(ind.ID, r.Plan.LastMonth()-Month(o.Left))
	if o.Left == 0 {
		return Outlook{}, false
	}
	way, ok := o.way(r.Plan, m, spots)
	if !ok {
		return Outlook{}, false
	}
	o.extrapolate(spots, way)
	o.need()
	o.Text = o.sentence()
	return o, true
}

// spots are the values known at month m, ascending, before them where the year
// began: zero for a flow, the baseline for the others. Never empty.
func (r *Record) spots(ind *Indicator, m Month) []spot {
	var out []spot
	if ind.Kind == Flow || ind.Baseline.Valid {
		out = append(out, spot{0, ind.base().Rat()})
	}
	january := MonthOf(r.Plan.Year, 1)
	for month := january; month <= min(m, r.Plan.LastMonth()); month++ {
		if v, ok := r.Value(ind.ID, month); ok && v.Amount.Valid {
			out = append(out, spot{int(month-january) + 1, v.Amount.Decimal.Rat()})
		}
	}
	if len(out) == 0 {
		out = append(out, spot{0, new(big.Rat)})
	}
	return out
}

// way is how far the year's work is planned to be at the end of each month, from
// 0 to 12: month by month, or along the plan curve. It sets where the pace is
// measured from.
func (o *Outlook) way(p *Plan, m Month, spots []spot) ([13]*big.Rat, bool) {
	var way [13]*big.Rat
	last := spots[len(spots)-1].months
	if curve := o.Indicator.CurveIn(m); len(curve.Points) > 0 {
		base := o.Indicator.base()
		whole := curve.at(p.LastMonth(), base).Sub(base)
		for i := range way {
			planned := curve.at(MonthOf(p.Year, 1)+Month(i)-1, base).Sub(base)
			if whole.IsZero() {
				break
			}
			way[i] = new(big.Rat).Mul(big.NewRat(12, 1), new(big.Rat).Quo(planned.Rat(), whole.Rat()))
		}
		// A plan that is over says nothing of the months after it.
		if !whole.IsZero() && way[12].Cmp(way[last]) > 0 {
			o.Curved, o.Span, o.FromStart, o.whole = true, last-spots[0].months, spots[0].months == 0, whole
			due := new(big.Rat).Sub(way[last], way[spots[0].months])
			enough, _ := new(big.Rat).SetString(outlookPlanned)
			return way, due.Cmp(enough.Mul(enough, big.NewRat(12, 1))) >= 0
		}
	}
	for i := range way {
		way[i] = big.NewRat(int64(i), 1)
	}
	from := spots[0].months
	for _, s := range spots {
		if s.months <= last-outlookWindow {
			from = s.months
		}
	}
	o.Span, o.FromStart = last-from, from == 0
	return way, true
}

// extrapolate works out expectation and range. Everything is exact but the one
// square root.
func (o *Outlook) extrapolate(spots []spot, way [13]*big.Rat) {
	ind := o.Indicator
	first, last := spots[0], spots[len(spots)-1]
	from := first
	for _, s := range spots {
		if s.months == last.months-o.Span {
			from = s
		}
	}
	sub := func(a, b *big.Rat) *big.Rat { return new(big.Rat).Sub(a, b) }
	mul := func(a, b *big.Rat) *big.Rat { return new(big.Rat).Mul(a, b) }
	quo := func(a, b *big.Rat) *big.Rat { return new(big.Rat).Quo(a, b) }
	// chance is how much of the variance falls between two months.
	chance := func(a, b int) *big.Rat {
		months := big.NewRat(int64(b-a), 1)
		planned := sub(way[b], way[a])
		return mul(big.NewRat(1, 2), months.Add(months, planned.Abs(planned)))
	}

	mean := quo(sub(last.value, first.value), sub(way[last.months], way[first.months]))
	variance := new(big.Rat)
	for i := 1; i < len(spots); i++ {
		a, b := spots[i-1], spots[i]
		off := sub(sub(b.value, a.value), mul(mean, sub(way[b.months], way[a.months])))
		variance.Add(variance, quo(mul(off, off), chance(a.months, b.months)))
	}
	freedom := len(spots) - 2 // increments less one
	variance.Quo(variance, big.NewRat(int64(freedom), 1))
	unit := decimal.New(1, int32(-ind.Decimals)).Rat()
	if rounding := quo(mul(unit, unit), big.NewRat(6, 1)); variance.Cmp(rounding) < 0 {
		variance = rounding
	}

	drift := quo(sub(last.value, from.value), sub(way[last.months], way[from.months]))
	ahead := sub(way[12], way[last.months])
	expected := new(big.Rat).Add(last.value, mul(drift, ahead))
	reach := quo(ahead, sub(way[last.months], way[from.months]))
	spread := new(big.Rat).Add(chance(last.months, 12), mul(mul(reach, reach), chance(from.months, last.months)))
	half := mul(squareRoot(mul(variance, spread)), big.NewRat(studentT[min(freedom, len(studentT))-1], 1000))

	o.Pace = ratDecimal(quo(sub(last.value, from.value), big.NewRat(int64(o.Span), 1)), int32(ind.Decimals)+1)
	o.Expected = o.bounded(expected)
	o.Low = o.bounded(sub(expected, half))
	o.High = o.bounded(expected.Add(expected, half))
	if o.Curved {
		o.Delivered = Ratio{quo(mul(drift, big.NewRat(12, 1)), o.whole.Rat())}
	}
}

// bounded keeps a figure within what the indicator can be: a total does not
// fall, a share ends at 100 %, a count is not negative.
func (o *Outlook) bounded(x *big.Rat) decimal.Decimal {
	ind := o.Indicator
	d := ratDecimal(x, int32(ind.Decimals)+expectedPlaces)
	if ind.isShare() {
		d = decimal.Min(d, hundred)
	}
	if !ind.canBeNegative() {
		d = decimal.Max(d, decimal.Zero)
	}
	if ind.Kind != Level {
		d = decimal.Max(d, o.Last.Amount.Decimal)
	}
	return d.Round(int32(ind.Decimals))
}

// need is what every month left must add for the target.
func (o *Outlook) need() {
	ind := o.Indicator
	lacking := o.Target.Sub(o.Last.Amount.Decimal)
	if ind.Kind == Flow && ind.Direction == Down {
		return
	}
	if ind.Direction == Down {
		lacking = lacking.Neg()
	}
	if !lacking.IsPositive() {
		return
	}
	each := lacking.Div(decimal.New(int64(o.Left), 0)).RoundCeil(int32(ind.Decimals) + 1)
	if ind.Direction == Down {
		each = each.Neg()
	}
	o.Needed = decimal.NewNullDecimal(each)
}

// sentence says it plainly: the pace, where it leads, what the target takes.
func (o *Outlook) sentence() string {
	ind := o.Indicator
	apart := o.Expected.Sub(o.Target)
	more, less := "多", "少"
	if ind.Kind == Level {
		more, less = "高", "低"
	}
	goal := "目标"
	if ind.Kind == Flow && ind.Direction == Down {
		goal = "全年限额"
	}
	to := ",正好是" + goal
	switch apart.Sign() {
	case 1:
		to = fmt.Sprintf(",比%s%s %s", goal, more, ind.Difference(apart))
	case -1:
		to = fmt.Sprintf(",比%s%s %s", goal, less, ind.Difference(apart.Neg()))
	}
	return o.course() + to + o.verdict() + "。"
}

// course is the pace and where it leads, with the range.
func (o *Outlook) course() string {
	ind := o.Indicator
	var b strings.Builder
	span := "近" + counted(o.Span) + "个月"
	if o.FromStart {
		span = "今年以来"
	}
	if o.Curved {
		fmt.Fprintf(&b, "%s完成了计划的 %s%%", span, percent(o.Delivered, 100))
	} else {
		fmt.Fprintf(&b, "%s平均每月%s", span, change(ind, o.Pace))
	}
	fmt.Fprintf(&b, ",照此年底约 %s", ind.Computed(o.Expected))
	if !o.Low.Equal(o.High) {
		low := Grouped(o.Low.String())
		if ind.Unit == "%" || ind.Unit == "‰" {
			low += ind.Unit
		}
		fmt.Fprintf(&b, "(八成可能在 %s 到 %s之间)", low, ind.Computed(o.High))
	}
	return b.String()
}

// verdict says whether the target is within reach and what it takes.
func (o *Outlook) verdict() string {
	ind := o.Indicator
	down := ind.Direction == Down
	meets := func(d decimal.Decimal) bool { return !down && d.Cmp(o.Target) >= 0 || down && d.Cmp(o.Target) <= 0 }
	worst, best := o.Low, o.High
	if down {
		worst, best = o.High, o.Low
	}
	left := "后" + counted(o.Left) + "个月"
	if o.Left == 1 {
		left = "12月"
	}
	if ind.Kind == Flow && down {
		switch room := o.Target.Sub(o.Last.Amount.Decimal); {
		case room.IsNegative():
			return ",已超出限额"
		case meets(worst):
			return ",可以不超"
		default:
			each := room.Div(decimal.New(int64(o.Left), 0)).RoundFloor(int32(ind.Decimals) + 1)
			return fmt.Sprintf(";要不超限额,%s每月不能超过 %s", left, ind.Computed(each))
		}
	}
	reached := !o.Needed.Valid
	switch {
	case reached && meets(worst):
		return ",目标已达到"
	case reached:
		return ",目标已达到,但可能回落"
	case meets(worst):
		return ",可以达标"
	case meets(o.Expected):
		return ",有望达标"
	}
	hard := ""
	if !meets(best) {
		hard = ",难以达标"
	}
	if o.Curved || o.Left == 1 { // the months left do not weigh the same
		lacking := o.Target.Sub(o.Last.Amount.Decimal)
		return fmt.Sprintf("%s;要达标,%s还需%s", hard, left, change(ind, lacking))
	}
	return fmt.Sprintf("%s;要达标,%s每月需%s", hard, left, change(ind, o.Needed.Decimal))
}

// Brief is the outlook for pages of many indicators, which show the target and
// what is missing beside it: the pace, where the year ends, whether that will do
// and what it takes. Empty where the target is reached already.
func (o Outlook) Brief() string {
	said, takes, _ := strings.Cut(o.verdict(), ";")
	switch {
	case strings.HasPrefix(said, ",目标已达到"):
		return ""
	case said == "":
		said = ",可能不达标"
		if o.Indicator.Kind == Flow && o.Indicator.Direction == Down {
			said = ",可能超出限额"
		}
	}
	if takes != "" {
		takes = ";" + takes
	}
	return o.course() + said + takes + "。"
}

// Method says how the outlook is worked out.
func (o Outlook) Method() string {
	pace := "把近" + counted(o.Span) + "个月的平均进度"
	switch {
	case o.Curved:
		pace = "把今年完成计划的比例按计划曲线"
	case o.FromStart:
		pace = "把今年以来的平均进度"
	}
	return "年底预计是" + pace + "推到12月底;“八成可能”的区间按今年各月增减的波动算,十次里约有八次落在其中。"
}

// change is a step up or down in words.
func change(ind *Indicator, d decimal.Decimal) string {
	switch d.Sign() {
	case 1:
		return "增加 " + ind.Difference(d)
	case -1:
		return "减少 " + ind.Difference(d.Neg())
	default:
		return "没有变化"
	}
}

// counted is a small number as people say it before 个月.
func counted(n int) string {
	return [...]string{"零", "一", "两", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二"}[n]
}

func ratDecimal(x *big.Rat, places int32) decimal.Decimal {
	return Ratio{x}.Percent(places - 2).Shift(-2)
}

// squareRoot is the root of a figure not below zero, to twelve decimals.
func squareRoot(x *big.Rat) *big.Rat {
	const places = 12
	scaled := new(big.Int).Mul(x.Num(), pow10(2*places))
	scaled.Quo(scaled, x.Denom())
	return new(big.Rat).SetFrac(scaled.Sqrt(scaled), pow10(places))
}
