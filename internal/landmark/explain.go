package landmark

import (
	"fmt"
	"strings"

	"github.com/shopspring/decimal"
)

// explain is the light in one sentence: value, target, what was due by then and
// by which yardstick, the gap in points, the rule.
func (a *Assessment) explain(p *Plan, owed, begun bool) string {
	var b strings.Builder
	ind := a.Indicator
	switch {
	case ind.Kind == KindUnknown:
		fmt.Fprintf(&b, "%s,指标性质尚未确定,暂不判定(年度目标%s)", a.known(), a.spacedTarget())
	case !owed && a.Computed == Done:
		fmt.Fprintf(&b, "%s,已达到年度目标 %s,判为已完成(%s)", a.said(), a.targetText(), a.whyNotOwed(p))
	case !owed:
		fmt.Fprintf(&b, "%s,本月未到期,%s%s(年度目标%s)", a.whyNotOwed(p), a.known(), a.broken(), a.spacedTarget())
	case a.Value == nil && !begun:
		fmt.Fprintf(&b, "%s尚未结束,本月未到期,%s(年度目标%s)", a.Month.Short(), a.known(), a.spacedTarget())
	case a.Value == nil:
		fmt.Fprintf(&b, "应报%s数据,尚无核定值,判为未报送", a.Month.Short())
		if a.Last != nil {
			fmt.Fprintf(&b, ";此前%s", a.saidOf(a.Last))
		}
		fmt.Fprintf(&b, "(年度目标%s)", a.spacedTarget())
	case ind.Kind == Qualitative:
		a.explainStep(&b)
	case !a.Value.Amount.Valid:
		fmt.Fprintf(&b, "%s,暂不判定(年度目标%s)", a.said(), a.spacedTarget())
	case !a.Target.Amount.Valid:
		fmt.Fprintf(&b, "%s,目标为%s,没有可比的数字,暂不判定", a.said(), a.targetText())
	case ind.Kind == Hold:
		a.explainHold(&b)
	default:
		a.explainProgress(&b)
	}
	if a.Override != nil {
		fmt.Fprintf(&b, ";市府办改判为%s(理由:%s),有效期至%s",
			a.Light.Chinese(), strings.TrimRight(a.Override.Reason, "。.;； "), a.Override.Until.Chinese())
	}
	b.WriteString("。")
	return b.String()
}

func (a *Assessment) explainStep(b *strings.Builder) {
	ind := a.Indicator
	if _, ok := ind.Step(a.Value.Step); !ok {
		fmt.Fprintf(b, "%s,目标为%s,这一步不在本指标的步骤里,暂不判定", a.said(), a.targetText())
		return
	}
	names := make([]string, len(ind.Steps))
	for i, s := range ind.Steps {
		names[i] = s.Name
	}
	fmt.Fprintf(b, "%s,目标为%s,判为%s(定性指标按所处步骤判定,共%d步:%s)",
		a.said(), a.targetText(), a.Computed.Chinese(), len(names), strings.Join(names, "、"))
}

// broken says of what is to be held and was not, though nothing is owed yet.
func (a *Assessment) broken() string {
	if a.Indicator.Kind != Hold || a.Met || !a.Distance.Valid {
		return ""
	}
	return fmt.Sprintf(",%s %s,已跌破", a.beyond(), a.difference(a.Distance.Decimal.Abs()))
}

// beyond is the wrong side of what is to be held.
func (a *Assessment) beyond() string {
	if a.Indicator.Direction == Down {
		return "高于目标"
	}
	return "低于目标"
}

func (a *Assessment) explainHold(b *strings.Builder) {
	bound := "不低于"
	if a.Indicator.Direction == Down {
		bound = "不高于"
	}
	fmt.Fprintf(b, "%s,应保持%s %s,", a.said(), bound, a.targetText())
	switch {
	case a.Computed == Done:
		b.WriteString("年底守住,判为已完成")
	case a.Met:
		b.WriteString("目前守住,判为正常")
	default:
		fmt.Fprintf(b, "%s %s,判为严重滞后", a.beyond(), a.difference(a.Distance.Decimal.Abs()))
	}
	b.WriteString("(保持类指标按是否守住目标判定,不看序时)")
}

func (a *Assessment) explainProgress(b *strings.Builder) {
	ind := a.Indicator
	allowance := ind.Kind == Flow && ind.Direction == Down
	b.WriteString(a.said())
	a.explainRate(b, allowance)
	a.explainSchedule(b, allowance)
	switch {
	case a.Computed == Done && allowance:
		b.WriteString(",全年未超限额")
	case a.Computed == Done:
		b.WriteString(",已达到年度目标")
	}
	target := "目标"
	if allowance {
		target = "全年限额"
	}
	fmt.Fprintf(b, ",判为%s(%s %s;规则自%s起:容差%d点,红线%d点)",
		a.Computed.Chinese(), target, a.targetText(), a.Rule.From.Chinese(), a.Rule.Tolerance, a.Rule.RedLine)
}

// explainRate says how far the value is on its way.
func (a *Assessment) explainRate(b *strings.Builder, allowance bool) {
	ind := a.Indicator
	share := "完成率"
	if allowance {
		share = "占全年限额"
	}
	if a.Completion.Present() && (ind.Kind == Flow || ind.Kind == Cumulative) {
		fmt.Fprintf(b, ",%s %s%%", share, percent(a.Completion, 100))
	}
	if ind.Kind == Cumulative && a.Completion.Present() {
		b.WriteString("(含历年)")
	}
	if ind.Kind == Level {
		a.explainDistance(b)
	}
	switch {
	case ind.Kind == Flow:
	case ind.fromBaseline(a.Target.Amount.Decimal):
		fmt.Fprintf(b, ",今年进度 %s%%", percent(a.Progress, 100))
	case ind.Kind == Level && a.Met: // v/t says nothing more
	case ind.Kind == Level && ind.Direction != Down && a.Target.Amount.Decimal.IsPositive():
		fmt.Fprintf(b, ",相当于目标的 %s%%", percent(a.Progress, 100))
	case ind.Kind == Level:
		fmt.Fprintf(b, ",进度 %s%%", percent(a.Progress, 100))
	}
}

// explainDistance says how far a level is from its target, in the unit or in
// percentage points.
func (a *Assessment) explainDistance(b *strings.Builder) {
	distance := a.Distance.Decimal
	beyond := "高出目标"
	if a.Indicator.Direction == Down {
		beyond = "低于目标"
	}
	switch {
	case !a.Met:
		fmt.Fprintf(b, ",距目标还差 %s", a.difference(distance.Abs()))
	case !distance.IsZero():
		fmt.Fprintf(b, ",%s %s", beyond, a.difference(distance.Abs()))
	}
}

// explainSchedule says what was due by then, by which yardstick, and the gap.
func (a *Assessment) explainSchedule(b *strings.Builder, allowance bool) {
	ind := a.Indicator
	yardstick, due, ahead, behind := "序时", "应达", "超前", "落后"
	if a.Curved {
		yardstick = "按计划曲线"
	}
	if allowance {
		due, ahead, behind = "不应超过", "少用", "多用"
	}
	fmt.Fprintf(b, ",%s%s %s%%", yardstick, due, percent(a.Schedule))
	// The amount is said where it is not plain from the rate, and only if it is
	// that rate: with the baseline at the target the two part.
	if expected := a.Expected.Decimal; (ind.Kind != Flow || a.Curved) && a.sameShare(expected) {
		fmt.Fprintf(b, "(即 %s)", a.computed(expected))
	}
	marks := []int64{0, int64(a.Rule.Tolerance), int64(a.Rule.RedLine)}
	switch {
	case !a.Gap.Present():
		b.WriteString(",已超出全年限额")
	case a.Gap.Sign() < 0:
		fmt.Fprintf(b, ",%s %s 个百分点", behind, percent(a.Gap.Neg(), marks...))
	case a.Gap.Sign() > 0:
		fmt.Fprintf(b, ",%s %s 个百分点", ahead, percent(a.Gap, marks...))
	case allowance:
		b.WriteString(",与序时持平")
	default:
		b.WriteString(",与应达进度持平")
	}
}

// sameShare says whether the expected value is the share of the way the schedule
// speaks of. Expected values are kept to six decimals, hence the allowance.
func (a *Assessment) sameShare(expected decimal.Decimal) bool {
	apart := a.Indicator.progress(expected, a.Target.Amount.Decimal).Sub(a.Schedule)
	return apart.Present() && apart.Percent(1).IsZero()
}

func (a *Assessment) whyNotOwed(p *Plan) string {
	next := p.nextOwed(a.Indicator, a.Month)
	switch {
	case next.IsZero():
		return "方案年度已结束"
	case a.Month < p.FirstMonth():
		return fmt.Sprintf("方案%s公布,此前各月不用报送", p.FirstMonth().Chinese())
	default:
		return fmt.Sprintf("%s报送,%s底到期", a.Indicator.Measured.Chinese(), next.Short())
	}
}

// said is "截至9月底累计 13,820 人".
func (a *Assessment) said() string { return a.saidOf(a.Value) }

// known is the newest value of this year in words.
func (a *Assessment) known() string {
	if a.Shown() == nil {
		return "今年尚无核定值"
	}
	return a.saidOf(a.Shown())
}

func (a *Assessment) saidOf(v *Value) string {
	verb := "为"
	if a.Indicator.Kind == Flow || a.Indicator.Kind == Cumulative {
		verb = "累计"
	}
	switch {
	case v.Step != "":
		return fmt.Sprintf("截至%s底为“%s”", v.Month.Short(), v.Step)
	case !v.Amount.Valid:
		return fmt.Sprintf("截至%s底没有数值", v.Month.Short())
	default:
		return fmt.Sprintf("截至%s底%s %s", v.Month.Short(), verb, a.amount(v.Amount.Decimal))
	}
}

func (a *Assessment) targetText() string {
	if !a.Target.Amount.Valid {
		return Quoted(a.Target.Text)
	}
	return a.amount(a.Target.Amount.Decimal)
}

// spacedTarget is the target as it follows a word.
func (a *Assessment) spacedTarget() string { return spaced(a.targetText()) }

// amount prints a figure somebody entered, with its unit: 13,820 人, 69.10%.
func (a *Assessment) amount(d decimal.Decimal) string { return a.Indicator.Amount(d) }

// computed prints a figure that was worked out, no finer than is of use.
func (a *Assessment) computed(d decimal.Decimal) string { return a.Indicator.Computed(d) }

// difference prints the distance of two values: between rates it is in points.
func (a *Assessment) difference(d decimal.Decimal) string { return a.Indicator.Difference(d) }

// Amount prints a figure somebody entered with the digits it was entered with
// and its unit: 13,820 人, 82.80%.
func (ind *Indicator) Amount(d decimal.Decimal) string { return ind.withUnit(Grouped(Entered(d))) }

// Computed prints a figure that was worked out: at most two decimals more than
// the indicator's own, without trailing zeros.
func (ind *Indicator) Computed(d decimal.Decimal) string {
	return ind.withUnit(Grouped(d.Round(int32(ind.Decimals) + 2).String()))
}

// Difference prints the distance of two values of the indicator; between two
// rates it is in points: 11.4 个百分点.
func (ind *Indicator) Difference(d decimal.Decimal) string {
	s := Grouped(d.Round(int32(ind.Decimals) + 2).String())
	switch ind.Unit {
	case "%":
		return s + " 个百分点"
	case "‰":
		return s + " 个千分点"
	default:
		return ind.withUnit(s)
	}
}

func (ind *Indicator) withUnit(s string) string {
	switch u := ind.Unit; {
	case u == "":
		return s
	case strings.HasPrefix(u, "%") || strings.HasPrefix(u, "‰"):
		return s + u
	default:
		return s + " " + u
	}
}

// percent prints a ratio in percent with one decimal, and with more (at most
// four) where one would show a mark that it does not stand on: 5.04 points are
// beyond a tolerance of 5, and 99.96 % is not all of it.
func percent(x Ratio, marks ...int64) string {
	places := int32(1)
	for ; places < 4; places++ {
		shown := x.Percent(places)
		crossed := false
		for _, mark := range marks {
			onMark := shown.Abs().Equal(decimal.NewFromInt(mark))
			crossed = crossed || onMark && x.Cmp(RatioOf(shown, decimal.NewFromInt(100))) != 0
		}
		if !crossed {
			break
		}
	}
	return strings.Replace(x.Percent(places).StringFixed(places), "-", "−", 1)
}

// Grouped sets thousands apart in a plain decimal string: 13820.5 → 13,820.5.
func Grouped(s string) string {
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "−", s[1:]
	}
	whole, fraction, dotted := strings.Cut(s, ".")
	var b strings.Builder
	b.WriteString(sign)
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(digit)
	}
	if dotted {
		b.WriteByte('.')
		b.WriteString(fraction)
	}
	return b.String()
}
