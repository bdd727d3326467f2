package landmark

import (
	"fmt"
	"strings"

	"github.com/shopspring/decimal"
)

// Plain is what leadership reads: where an indicator stands in one short
// sentence, without the arithmetic of [Assessment.Explanation].
func (a Assessment) Plain() string {
	ind := a.Indicator
	v := a.Shown()
	switch {
	case a.Computed == Unreported && v == nil:
		return fmt.Sprintf("%s数据未报,今年还没有核定值;年度目标%s。", a.Month.Short(), a.plainGoal())
	case a.Computed == Unreported:
		return fmt.Sprintf("%s数据未报;%s为%s,年度目标%s。", a.Month.Short(), v.Month.Short(), spaced(a.plainValue(v)), a.plainGoal())
	case v == nil && a.Computed == NoLight:
		return fmt.Sprintf("今年还没有核定值;年度目标%s。", a.plainGoal())
	case v == nil && ind.Measured == Annual:
		return fmt.Sprintf("按年度核算,12月末才有数;年度目标%s。", a.plainGoal())
	case v == nil:
		return fmt.Sprintf("%s还没到报送的时候;年度目标%s。", a.Month.Short(), a.plainGoal())
	case ind.Kind == Qualitative:
		return fmt.Sprintf("现处“%s”,年度目标是%s。", v.Step, a.plainTarget())
	case ind.Kind == KindUnknown:
		return fmt.Sprintf("现为%s,年度目标%s;指标性质待确定,暂不判定。", spaced(a.plainValue(v)), a.plainGoal())
	case !a.Target.Amount.Valid || !v.Amount.Valid:
		return fmt.Sprintf("现为%s,年度目标是%s,没有可比的数字,暂不判定。", spaced(a.plainValue(v)), a.plainTarget())
	}
	return a.plainNumber(v)
}

func (a Assessment) plainNumber(v *Value) string {
	ind := a.Indicator
	var b strings.Builder
	if a.Stale() {
		fmt.Fprintf(&b, "截至%s底", v.Month.Short())
	}
	left := a.Target.Amount.Decimal.Sub(v.Amount.Decimal)
	switch ind.Kind {
	case Hold:
		fmt.Fprintf(&b, "现为 %s,", a.plainValue(v))
		if met := ind.Direction == Down && left.Sign() >= 0 || ind.Direction != Down && left.Sign() <= 0; met {
			fmt.Fprintf(&b, "守住了 %s。", a.plainTarget())
		} else {
			fmt.Fprintf(&b, "没有守住 %s。", a.plainTarget())
		}
		return b.String()
	case Flow, Cumulative:
		fmt.Fprintf(&b, "累计 %s", a.plainValue(v))
	default:
		switch was := ind.Baseline; {
		case was.Valid && v.Amount.Decimal.GreaterThan(was.Decimal):
			fmt.Fprintf(&b, "从上年的 %s升到 %s", a.plainAmount(was.Decimal), a.plainValue(v))
		case was.Valid && v.Amount.Decimal.LessThan(was.Decimal):
			fmt.Fprintf(&b, "从上年的 %s降到 %s", a.plainAmount(was.Decimal), a.plainValue(v))
		default:
			fmt.Fprintf(&b, "现为 %s", a.plainValue(v))
		}
	}
	allowance := ind.Kind == Flow && ind.Direction == Down
	short := left.IsPositive()
	if ind.Direction == Down {
		short = left.IsNegative()
	}
	switch {
	case allowance && short:
		fmt.Fprintf(&b, ",超出全年限额 %s", a.plainDistance(left.Abs()))
	case allowance:
		fmt.Fprintf(&b, ",全年限额 %s", a.plainTarget())
	case short:
		fmt.Fprintf(&b, ",离目标 %s还差 %s", a.plainTarget(), a.plainDistance(left.Abs()))
	default:
		fmt.Fprintf(&b, ",已达到目标 %s", a.plainTarget())
	}
	slow, fast := "比应达进度慢", "比应达进度快"
	if allowance {
		slow, fast = "比序时多用", "比序时少用"
	}
	switch {
	case !a.Gap.Present() || a.Light == Done || a.Light == NotDue:
	case a.Gap.Sign() < 0:
		fmt.Fprintf(&b, ",%s %s 个百分点", slow, percent(a.Gap.Neg(), 0, int64(a.Rule.Tolerance), int64(a.Rule.RedLine)))
	case a.Gap.Sign() > 0:
		fmt.Fprintf(&b, ",%s %s 个百分点", fast, percent(a.Gap, 0))
	default:
		b.WriteString(",与应达进度持平")
	}
	b.WriteString("。")
	return b.String()
}

func (a Assessment) plainValue(v *Value) string {
	switch {
	case v.Step != "":
		return "“" + v.Step + "”"
	case !v.Amount.Valid:
		return "“无数值”"
	}
	return a.plainAmount(v.Amount.Decimal)
}

func (a Assessment) plainTarget() string {
	if !a.Target.Amount.Valid {
		return a.targetText()
	}
	return a.plainAmount(a.Target.Amount.Decimal)
}

func (a Assessment) plainGoal() string { return spaced(a.plainTarget()) }

// spaced sets a figure apart from the word before it; words have their quotation
// marks.
func spaced(s string) string {
	if strings.HasPrefix(s, "“") {
		return s
	}
	return " " + s
}

// plainDistance is how much is missing; rates differ by points.
func (a Assessment) plainDistance(d decimal.Decimal) string {
	return a.Indicator.headed().Difference(d)
}

func (a Assessment) plainAmount(d decimal.Decimal) string { return a.Indicator.headed().Amount(d) }

// headed is the indicator with the head of its unit, 人 of 人/万名老人: what it is
// counted by stands in the name.
func (ind *Indicator) headed() *Indicator {
	short := *ind
	short.Unit = UnitHead(ind.Unit)
	return &short
}

// UnitHead is a unit where there is little room: 人 of 人/万名老人, 套 of 套(间).
func UnitHead(unit string) string {
	if i := strings.IndexAny(unit, "/(\uff08"); i > 0 {
		return unit[:i]
	}
	return unit
}
