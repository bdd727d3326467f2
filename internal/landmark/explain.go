package landmark

import (
	"fmt"
	"strings"

	"github.com/shopspring/decimal"
)

// explain is the light in one sentence: value, target, what was due by then and
// by which yardstick, the gap in points, the rule.
func (a *Assessment) explain(owed, begun bool) string {
	var b strings.Builder
	ind := a.Indicator
	switch {
	case ind.Kind == KindUnknown:
		fmt.Fprintf(&b, "%s,指标性质尚未确定,暂不判定", a.saidOr("尚无核定值"))
	case !owed && a.Value != nil && a.Computed == Done:
		fmt.Fprintf(&b, "%s,已达到年度目标 %s,判为已完成", a.said(), a.targetText())
	case !owed:
		fmt.Fprintf(&b, "%s本月未到期", a.whyNotOwed())
		if a.Value != nil {
			fmt.Fprintf(&b, ",%s", a.said())
		} else {
			b.WriteString(",今年尚无核定值")
		}
		fmt.Fprintf(&b, "(年度目标 %s)", a.targetText())
	case a.Value == nil && !begun:
		fmt.Fprintf(&b, "%s尚未结束,本月未到期", a.Month.Short())
		if a.Last != nil {
			fmt.Fprintf(&b, ",%s", a.saidOf(a.Last))
		}
		fmt.Fprintf(&b, "(年度目标 %s)", a.targetText())
	case a.Value == nil:
		fmt.Fprintf(&b, "应报%s数据,尚无核定值,判为未报送", a.Month.Short())
		if a.Last != nil {
			fmt.Fprintf(&b, ";上次为%s", a.saidOf(a.Last))
		}
		fmt.Fprintf(&b, "(年度目标 %s)", a.targetText())
	case ind.Kind == Qualitative:
		fmt.Fprintf(&b, "%s,目标为%s,判为%s(定性指标按所处步骤判定,共%d步:%s)",
			a.said(), a.targetText(), a.Computed.Chinese(), len(ind.Steps), stepNames(ind.Steps))
	case !a.Target.Amount.Valid || !a.Value.Amount.Valid:
		fmt.Fprintf(&b, "%s,目标为“%s”,没有可比的数字,暂不判定", a.said(), a.Target.Text)
	case ind.Kind == Hold:
		a.explainHold(&b)
	default:
		a.explainProgress(&b)
	}
	if a.Override != nil {
		fmt.Fprintf(&b, ";市府办改判为%s(%s),有效期至%s", a.Light.Chinese(), a.Override.Reason, a.Override.Until.Chinese())
	}
	b.WriteString("。")
	return b.String()
}

func (a *Assessment) explainHold(b *strings.Builder) {
	bound := "不低于"
	if a.Indicator.Direction == Down {
		bound = "不高于"
	}
	fmt.Fprintf(b, "%s,应保持%s %s,", a.said(), bound, a.targetText())
	switch {
	case a.Computed == Done:
		b.WriteString("全年保持,判为已完成")
	case a.Met:
		b.WriteString("保持住,判为正常")
	default:
		fmt.Fprintf(b, "已跌破 %s,判为严重滞后", a.amount(a.Distance.Decimal.Abs()))
	}
	b.WriteString("(保持类指标按是否守住目标判定,不看序时)")
}

func (a *Assessment) explainProgress(b *strings.Builder) {
	ind := a.Indicator
	b.WriteString(a.said())
	switch ind.Kind {
	case Flow:
		if a.Completion.Present() {
			fmt.Fprintf(b, ",完成率 %s%%", a.Completion.Percent(1).StringFixed(1))
		}
	case Cumulative:
		if a.Completion.Present() {
			fmt.Fprintf(b, ",完成率 %s%%(含历年)", a.Completion.Percent(1).StringFixed(1))
		}
		fmt.Fprintf(b, ",今年进度 %s%%", a.Progress.Percent(1).StringFixed(1))
	default:
		fmt.Fprintf(b, ",进度 %s%%", a.Progress.Percent(1).StringFixed(1))
	}
	yardstick := "序时"
	if a.Curved {
		yardstick = "按计划曲线"
	}
	due := "应达"
	if ind.Kind == Flow && ind.Direction == Down {
		due = "不应超过"
	}
	fmt.Fprintf(b, ",%s%s %s%%", yardstick, due, a.Schedule.Percent(1).StringFixed(1))
	if ind.Kind != Flow || a.Curved {
		fmt.Fprintf(b, "(即 %s)", a.amount(a.Expected.Decimal))
	}
	switch {
	case !a.Gap.Present():
		b.WriteString(",已超出全年限额")
	case a.Gap.Sign() < 0:
		fmt.Fprintf(b, ",落后 %s 个百分点", a.Gap.Neg().Percent(1).StringFixed(1))
	case a.Gap.Sign() > 0:
		fmt.Fprintf(b, ",超前 %s 个百分点", a.Gap.Percent(1).StringFixed(1))
	default:
		b.WriteString(",与应达进度持平")
	}
	if a.Computed == Done {
		b.WriteString(",已达到年度目标")
	}
	fmt.Fprintf(b, ",判为%s(目标 %s;规则自%s起:容差%d点,红线%d点)",
		a.Computed.Chinese(), a.targetText(), a.Rule.From.Chinese(), a.Rule.Tolerance, a.Rule.RedLine)
}

func (a *Assessment) whyNotOwed() string {
	switch {
	case a.Indicator.Measured == Annual && a.Month.Number() != 12:
		return "按年度报送,12月末才到期,"
	case a.Indicator.Measured == Quarterly && !a.Month.QuarterEnd():
		return "按季度报送,"
	default:
		return "方案公布前的月份不用报送,"
	}
}

// said is "截至9月底累计 13,820 人".
func (a *Assessment) said() string { return a.saidOf(a.Value) }

func (a *Assessment) saidOr(none string) string {
	if a.Value == nil {
		return none
	}
	return a.said()
}

func (a *Assessment) saidOf(v *Value) string {
	verb := "为"
	if a.Indicator.Kind == Flow || a.Indicator.Kind == Cumulative {
		verb = "累计"
	}
	if a.Indicator.Kind == Qualitative {
		return fmt.Sprintf("截至%s底%s“%s”", v.Month.Short(), verb, v.Step)
	}
	return fmt.Sprintf("截至%s底%s %s", v.Month.Short(), verb, a.amount(v.Amount.Decimal))
}

func (a *Assessment) targetText() string {
	if !a.Target.Amount.Valid {
		return "“" + a.Target.Text + "”"
	}
	return a.amount(a.Target.Amount.Decimal)
}

// amount prints a figure with its unit: 13,820 人, 69.1%.
func (a *Assessment) amount(d decimal.Decimal) string {
	s := Grouped(a.Indicator.print(d))
	switch u := a.Indicator.Unit; {
	case u == "":
		return s
	case strings.HasPrefix(u, "%") || strings.HasPrefix(u, "‰"):
		return s + u
	default:
		return s + " " + u
	}
}

// print gives a figure at least the digits it was entered with, and no more than
// two beyond the indicator's own.
func (ind *Indicator) print(d decimal.Decimal) string {
	return d.Round(int32(ind.Decimals) + 2).String()
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

func stepNames(steps []Step) string {
	names := make([]string, len(steps))
	for i, s := range steps {
		names[i] = s.Name
	}
	return strings.Join(names, "、")
}
