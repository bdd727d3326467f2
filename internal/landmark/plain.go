package landmark

import (
	"fmt"
	"strings"
)

// Plain is what leadership reads: where an indicator stands in one short
// sentence, without the arithmetic of [Assessment.Explanation].
func (a Assessment) Plain() string {
	ind := a.Indicator
	v := a.Shown()
	switch {
	case a.Light == Unreported && v == nil:
		return fmt.Sprintf("%s数据未报,今年还没有核定值;年度目标 %s。", a.Month.Short(), a.targetText())
	case a.Light == Unreported:
		return fmt.Sprintf("%s数据未报;%s为 %s,年度目标 %s。", a.Month.Short(), v.Month.Short(), a.plainValue(v), a.targetText())
	case v == nil && ind.Measured == Annual:
		return fmt.Sprintf("按年度核算,12月末才有数;年度目标 %s。", a.targetText())
	case v == nil:
		return fmt.Sprintf("本月不用报送;年度目标 %s。", a.targetText())
	case ind.Kind == Qualitative:
		return fmt.Sprintf("现处“%s”,年度目标是%s。", v.Step, a.targetText())
	case !a.Target.Amount.Valid || !v.Amount.Valid || ind.Kind == KindUnknown:
		return fmt.Sprintf("现为 %s,年度目标 %s,指标性质待确定,暂不判定。", a.plainValue(v), a.targetText())
	}
	return a.plainNumber(v)
}

func (a Assessment) plainNumber(v *Value) string {
	ind := a.Indicator
	var b strings.Builder
	if a.Stale() {
		fmt.Fprintf(&b, "%s", v.Month.Short())
	}
	left := a.Target.Amount.Decimal.Sub(v.Amount.Decimal)
	switch ind.Kind {
	case Hold:
		fmt.Fprintf(&b, "现为 %s,", a.plainValue(v))
		if met := ind.Direction == Down && left.Sign() >= 0 || ind.Direction != Down && left.Sign() <= 0; met {
			fmt.Fprintf(&b, "守住了 %s。", a.targetText())
		} else {
			fmt.Fprintf(&b, "跌破了 %s。", a.targetText())
		}
		return b.String()
	case Flow, Cumulative:
		fmt.Fprintf(&b, "累计 %s", a.plainValue(v))
	default:
		if ind.Baseline.Valid && !ind.Baseline.Decimal.Equal(v.Amount.Decimal) {
			fmt.Fprintf(&b, "从去年的 %s 到 %s", a.amount(ind.Baseline.Decimal), a.plainValue(v))
		} else {
			fmt.Fprintf(&b, "现为 %s", a.plainValue(v))
		}
	}
	short := left.IsPositive()
	if ind.Direction == Down {
		short = left.IsNegative()
	}
	switch {
	case ind.Kind == Flow && ind.Direction == Down:
		fmt.Fprintf(&b, ",全年限额 %s", a.targetText())
	case short:
		fmt.Fprintf(&b, ",离目标 %s 还差 %s", a.targetText(), a.difference(left.Abs()))
	default:
		fmt.Fprintf(&b, ",已达到目标 %s", a.targetText())
	}
	switch {
	case !a.Gap.Present() || a.Light == Done || a.Light == NotDue:
	case a.Gap.Sign() < 0:
		fmt.Fprintf(&b, ",比应达进度慢 %s 个百分点", a.Gap.Neg().Percent(1).StringFixed(1))
	case a.Gap.Sign() > 0:
		fmt.Fprintf(&b, ",比应达进度快 %s 个百分点", a.Gap.Percent(1).StringFixed(1))
	default:
		b.WriteString(",与应达进度持平")
	}
	b.WriteString("。")
	return b.String()
}

func (a Assessment) plainValue(v *Value) string {
	if v.Step != "" {
		return "“" + v.Step + "”"
	}
	return a.amount(v.Amount.Decimal)
}
