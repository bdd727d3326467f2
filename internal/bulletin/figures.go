package bulletin

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"landmark/internal/landmark"
)

// lightNames are the groups an indicator can be in, under the names figures are
// called by. They add up to the total.
var lightNames = []struct {
	light landmark.Light
	name  string
}{
	{landmark.Done, "done"},
	{landmark.OnTrack, "on_track"},
	{landmark.Behind, "behind"},
	{landmark.Critical, "critical"},
	{landmark.Unreported, "unreported"},
	{landmark.NotDue, "not_due"},
	{landmark.NoLight, "unjudged"},
}

// figures are all figures a bulletin of the month can call, by name. Every one
// is text as printed: half-width digits without grouping, with its unit.
func figures(in Input) map[string]string {
	board, record := in.Board, in.Board.Record
	plan, m := record.Plan, board.Month
	f := map[string]string{
		"plan":        plan.Title,
		"city":        plan.City,
		"plan_year":   strconv.Itoa(plan.Year),
		"year":        strconv.Itoa(in.Date.Year),
		"number":      strconv.Itoa(in.Number),
		"date":        in.Date.Chinese(),
		"month":       m.Chinese(),
		"month_short": m.Short(),
		"as_of":       asOfText(record),
		"tolerance":   strconv.Itoa(plan.Rule(m).Tolerance),
		"red_line":    strconv.Itoa(plan.Rule(m).RedLine),
	}
	if in.Previous != nil {
		f["previous.month"] = in.Previous.Issue.Month.Chinese()
		f["previous.number"] = fmt.Sprintf("〔%d〕%d", in.Previous.Issue.Year, in.Previous.Issue.Number)
	}
	all := board.Assessments()
	group(f, "", all)
	group(f, "key.", board.Key())
	var overridden []string
	for _, a := range all {
		indicatorFigures(f, record, a)
		if a.Override != nil {
			overridden = append(overridden, fmt.Sprintf("%s（%s改判为%s：%s）", a.Indicator.Name, a.Computed.Chinese(), a.Light.Chinese(), a.Override.Reason))
		}
	}
	f["overridden"], f["overridden.names"] = strconv.Itoa(len(overridden)), listed(overridden)
	disciplineFigures(f, record, m)
	corrections := Corrections(in)
	f["corrections"] = strconv.Itoa(len(corrections))
	for _, c := range corrections {
		f[c.figure()] = c.Text
	}
	return f
}

// group writes the counts, shares and names of a set of indicators.
func group(f map[string]string, prefix string, as []landmark.Assessment) {
	counts := landmark.Count(as)
	f[prefix+"total"] = strconv.Itoa(counts.Total())
	f[prefix+"judged"] = strconv.Itoa(counts.Judged())
	f[prefix+"lagging"] = strconv.Itoa(counts[landmark.Behind] + counts[landmark.Critical])
	var parts []int
	var judged []string
	for _, l := range lightNames {
		f[prefix+l.name] = strconv.Itoa(counts[l.light])
		f[prefix+l.name+".names"] = names(as, l.light)
		if l.light.Judged() {
			parts, judged = append(parts, counts[l.light]), append(judged, l.name)
		}
	}
	for i, share := range landmark.Shares(parts) {
		f[prefix+judged[i]+".share"] = share.StringFixed(1) + "%"
	}
}

// names lists indicators of a light with their lead department, worst first.
func names(as []landmark.Assessment, l landmark.Light) string {
	var out []string
	for _, a := range landmark.TroubleFirst(as) {
		if a.Light == l {
			out = append(out, fmt.Sprintf("%s（%s）", a.Indicator.Name, a.Indicator.Project.Lead.Name))
		}
	}
	return listed(out)
}

// none stands where there is nothing to list or to say.
const none = "无"

func listed(s []string) string {
	if len(s) == 0 {
		return none
	}
	return strings.Join(s, "、")
}

func indicatorFigures(f map[string]string, r *landmark.Record, a landmark.Assessment) {
	ind := a.Indicator
	set := func(name, text string) {
		if text != "" {
			f[ind.Code+"."+name] = text
		}
	}
	set("name", ind.Name)
	set("lead", ind.Project.Lead.Name)
	set("project", ind.Project.Name)
	set("baseline", baselineText(ind))
	set("target", targetText(a))
	set("light", lightText(a))
	set("value", valueText(a, a.Shown()))
	set("value_month", monthText(a.ValueMonth()))
	set("rate", percentText(a.Completion))
	set("progress", percentText(a.Progress))
	set("schedule", percentText(a.Schedule))
	if a.Expected.Valid {
		set("expected", withUnit(ind, a.Expected.Decimal))
	}
	if a.Gap.Present() {
		gap := a.Gap
		if gap.Sign() < 0 {
			gap = gap.Neg()
		}
		set("gap", gap.Percent(1).StringFixed(1)+"个百分点")
	}
	if left, ok := leftOf(a); ok {
		set("left", withUnit(ind, left))
	}
	set("reason", reasonText(r, a))
	if a.Override != nil {
		set("override", fmt.Sprintf("%s（市府办%s改判：%s）", a.Light.Chinese(), landmark.DateOf(a.Override.RecordedAt.In(r.Zone)).Short(), a.Override.Reason))
	}
}

// leftOf is how far the value shown is from the target, nothing once reached.
func leftOf(a landmark.Assessment) (decimal.Decimal, bool) {
	v := a.Shown()
	if v == nil || !v.Amount.Valid || !a.Target.Amount.Valid {
		return decimal.Decimal{}, false
	}
	left := a.Target.Amount.Decimal.Sub(v.Amount.Decimal)
	if a.Indicator.Direction == landmark.Down {
		left = left.Neg()
	}
	return decimal.Max(left, decimal.Zero), true
}

// reasonText is the reason the lead department gave for lagging: with the
// month's value, else the newest given while the indicator was lagging, marked
// with its month. A reason for a correction is none.
func reasonText(r *landmark.Record, a landmark.Assessment) string {
	if a.Light != landmark.Behind && a.Light != landmark.Critical {
		return ""
	}
	for m := a.Month; m >= r.Plan.FirstMonth(); m-- {
		v, ok := r.Value(a.Indicator.ID, m)
		if !ok {
			continue
		}
		if l := r.Assess(a.Indicator, m).Light; l != landmark.Behind && l != landmark.Critical {
			return ""
		}
		if v.Corrections > 0 || tidy(v.Reason) == "" {
			continue
		}
		reason := strings.TrimRight(oneLine(v.Reason), "。.;；")
		if m != a.Month {
			reason += "（" + m.Short() + "说明）"
		}
		return reason
	}
	return ""
}

func oneLine(s string) string { return strings.Join(strings.Fields(tidy(s)), " ") }

func asOfText(r *landmark.Record) string {
	t := r.AsOf.In(r.Zone)
	return fmt.Sprintf("%s%d时%02d分", landmark.DateOf(t).Chinese(), t.Hour(), t.Minute())
}

func monthText(m landmark.Month) string {
	if m.IsZero() {
		return ""
	}
	return m.Short()
}

func percentText(r landmark.Ratio) string {
	if !r.Present() {
		return ""
	}
	return r.Percent(1).StringFixed(1) + "%"
}

func baselineText(ind *landmark.Indicator) string {
	if ind.Baseline.Valid {
		return withUnit(ind, ind.Baseline.Decimal)
	}
	return ind.BaselineText
}

func targetText(a landmark.Assessment) string {
	if a.Target.Amount.Valid {
		return withUnit(a.Indicator, a.Target.Amount.Decimal)
	}
	return "“" + a.Target.Text + "”"
}

func valueText(a landmark.Assessment, v *landmark.Value) string {
	switch {
	case v == nil:
		return ""
	case v.Step != "":
		return "“" + v.Step + "”"
	case v.Amount.Valid:
		return withUnit(a.Indicator, v.Amount.Decimal)
	default:
		return ""
	}
}

// lightText is the light, and the computed one beside it where overridden.
func lightText(a landmark.Assessment) string {
	if a.Override != nil && a.Light != a.Computed {
		return fmt.Sprintf("%s（改判，规则判为%s）", a.Light.Chinese(), a.Computed.Chinese())
	}
	return a.Light.Chinese()
}

// withUnit prints a figure and its unit: 13820人, 69.1%.
func withUnit(ind *landmark.Indicator, d decimal.Decimal) string { return digits(ind, d) + ind.Unit }

// digits prints a figure as entered, at most two decimals beyond its own.
func digits(ind *landmark.Indicator, d decimal.Decimal) string {
	return d.Round(int32(ind.Decimals) + 2).String()
}

// annex is the table of all indicators.
func annex(in Input) Annex {
	b := in.Board
	plan := b.Record.Plan
	t := Annex{
		Title: fmt.Sprintf("%s份标志性成果指标进展情况表", b.Month.Chinese()),
		Head: []string{"编号", "标志性成果", "指标名称", "牵头单位", fmt.Sprintf("%d年实际值", plan.BaselineYear), fmt.Sprintf("%d年目标值", plan.Year),
			fmt.Sprintf("截至%s底", b.Month.Short()), "完成率", "序时进度", "较序时（百分点）", "状态"},
	}
	for _, a := range b.Assessments() {
		ind := a.Indicator
		value := "—"
		if v := a.Shown(); v != nil {
			value = v.Step
			if v.Amount.Valid {
				value = digits(ind, v.Amount.Decimal)
			}
			if a.Stale() {
				value += "（" + v.Month.Short() + "）"
			}
		}
		gap := "—"
		if a.Gap.Present() {
			gap = a.Gap.Percent(1).StringFixed(1)
			if strings.HasPrefix(gap, "-") {
				gap = "−" + gap[1:]
			} else if a.Gap.Sign() > 0 {
				gap = "+" + gap
			}
		}
		t.Rows = append(t.Rows, AnnexRow{Code: ind.Code, Light: a.Light, Cells: []string{
			ind.Code, ind.Project.Name, ind.Printed, ind.Project.Lead.Name, ind.BaselineText, a.Target.Text, value,
			orDash(percentText(a.Completion)), orDash(percentText(a.Schedule)), gap, lightText(a),
		}})
	}
	if in.History != "" {
		t.Note = "注：截至" + asOfText(b.Record) + "操作记录的末号和校验值为" + in.History + "，凭此可核查记录此后是否被改动。"
	}
	return t
}

func orDash(s string) string {
	if s == "" {
		return "—"
	}
	return s
}

// units are what the plan counts in, longest first, for finding figures in text.
func units(p *landmark.Plan) []string {
	out := []string{"项", "个", "人次", "人", "名", "家", "所", "套", "间", "元", "公里", "平方米"}
	for _, ind := range p.Indicators() {
		for _, u := range strings.FieldsFunc(ind.Unit, func(r rune) bool { return strings.ContainsRune("/()()·", r) }) {
			if u = strings.TrimPrefix(u, "万"); u != "" && u != "%" && u != "‰" && !slices.Contains(out, u) {
				out = append(out, u)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b string) int { return len(b) - len(a) })
	return out
}
