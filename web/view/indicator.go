package view

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"landmark/internal/landmark"
)

// Link is an address with its words.
type Link struct{ Text, Href string }

// IndicatorPage is GET /indicators/{code}.
type IndicatorPage struct {
	Page
	A          landmark.Assessment
	Record     *landmark.Record
	Project    Link
	Prev, Next *Link // neighbours in the table's order

	Facts    []Fact
	Readings []Reading
	Override *OverrideNote
	Outlook  *OutlookNote // nil: nothing can be foretold, or nothing need be

	Trend *Trend     // nil for indicators without numbers
	Steps []StepMark // qualitative
	Rows  []MonthRow // newest first

	RateHead string // 完成率 or 距目标
	Yard     string // 序时应达

	Scheduled bool   // the light goes by a schedule, so the table has its columns
	Columns   string // how many the table of months has

	Curve       []CurveRow
	CurveBasis  string
	Targets     []TargetRow // more than the printed one
	Definitions []DefinitionRow
	Yardstick   string // how the light is found, in a sentence or two
	HistoryHref string
}

// Fact is a term with its meaning; Dim stands after it in grey.
type Fact struct{ Term, Text, Dim string }

// Reading is one of the figures at the head of the page.
type Reading struct {
	Name, Text, Unit string
	Class            string // is-late, is-bad
	Words            bool   // set smaller: it is no number
	Light            bool   // the light stands here
}

// OverrideNote is the office's own judgement beside the computed one.
type OverrideNote struct {
	Light, Computed landmark.Light
	Reason          string
	Span            string // 2023年9月至2023年10月
	By              string
}

// OutlookNote is what to expect of the year's end.
type OutlookNote struct {
	Sentence string
	Method   string // how it is worked out
}

// StepMark is a step of a qualitative indicator's list.
type StepMark struct {
	Name    string
	Meaning string
	Now     bool
	Aim     bool
}

// MonthRow is a month of the table beside the chart.
type MonthRow struct {
	Month     landmark.Month
	Now       bool
	A         landmark.Assessment
	Value     string // "—" where none is approved
	Note      string
	Was       string // the value a correction replaced
	Delta     string
	Rate      string
	Expected  string
	Gap       string
	Reported  Done
	Approved  Done
	Revision  string
	Revised   bool
	Revisions string // what was corrected and why, under the row
	Underway  string // 已提交,待核定; only for those who may know
}

// Done is who did something and when.
type Done struct {
	By string
	At time.Time
}

// CurveRow is a month of the plan curve.
type CurveRow struct {
	Month, Planned, Value string
	Now                   bool
}

// TargetRow is a target with the months it holds for.
type TargetRow struct{ From, Text, Basis, By string }

// DefinitionRow is a version of the scope.
type DefinitionRow struct{ From, Text, By string }

// NewIndicatorPage judges the indicator for the page's month and lays it out.
func NewIndicatorPage(page Page, r *landmark.Record, ind *landmark.Indicator) IndicatorPage {
	m := page.Month
	a := r.Assess(ind, m)
	page.Title, page.Body = ind.Name, "page-indicator"
	p := IndicatorPage{
		Page: page, A: a, Record: r,
		Project:   Link{fmt.Sprintf("%d %s", ind.Project.Number, ind.Project.Name), page.ProjectHref(ind.Project)},
		Facts:     indicatorFacts(r, a),
		Readings:  indicatorReadings(a),
		Yard:      yardstick(a),
		RateHead:  rateHead(ind),
		Yardstick: yardstickText(a),
	}
	if page.User.CanSeeUnapproved(ind.Project.Lead.ID) {
		p.HistoryHref = page.To("/history", "indicator", ind.Code, "month", "")
	}
	columns := 7
	if p.RateHead != "" {
		columns++
	}
	if p.Scheduled = a.Schedule.Present(); p.Scheduled {
		columns += 2
	}
	p.Columns = itoa(columns)
	p.Prev, p.Next = neighbours(page, r.Plan, ind)
	if o := a.Override; o != nil {
		span := o.From.Chinese()
		if o.Until != o.From {
			span += "至" + o.Until.Chinese()
		}
		p.Override = &OverrideNote{Light: o.Light, Computed: a.Computed, Reason: o.Reason, Span: span,
			By: o.RecordedBy + "," + Day(o.RecordedAt.In(r.Zone))}
	}
	outlook, foretold := r.Outlook(ind, m)
	if foretold {
		p.Outlook = &OutlookNote{Sentence: outlook.Text, Method: outlook.Method()}
	}
	if s, ok := newTrendSeries(r, a); ok {
		if foretold {
			s.outlook = &trendOutlook{outlook.Low, outlook.Expected, outlook.High}
		}
		p.Trend = newTrend(s)
	}
	if ind.Kind == landmark.Qualitative {
		p.Steps = stepMarks(a)
	}
	p.Rows = monthRows(r, a, page.User)
	if curve := ind.CurveIn(m); len(curve.Points) > 0 {
		p.CurveBasis = curve.Basis
		for _, point := range curve.Points {
			row := CurveRow{Month: point.Month.Short(), Planned: Number(point.Amount), Value: "—", Now: point.Month == m}
			if v, ok := r.Value(ind.ID, point.Month); ok && point.Month <= m {
				row.Value = ValueText(&v)
			}
			p.Curve = append(p.Curve, row)
		}
	}
	if len(ind.Targets) > 1 {
		for i, t := range ind.Targets {
			row := TargetRow{From: t.From.Chinese() + "起", Text: t.Text, Basis: t.Basis, By: t.RecordedBy}
			if i == 0 {
				row.From, row.Basis = "方案原定", "年度方案"
			} else if !t.BasisOn.IsZero() {
				row.Basis += "(" + t.BasisOn.Chinese() + ")"
			}
			p.Targets = append(p.Targets, row)
		}
	}
	for _, d := range ind.Definitions {
		p.Definitions = append(p.Definitions, DefinitionRow{d.From.Chinese() + "起", d.Text, d.RecordedBy})
	}
	return p
}

// neighbours are the indicators before and after in the table.
func neighbours(page Page, plan *landmark.Plan, ind *landmark.Indicator) (prev, next *Link) {
	all := plan.Indicators()
	i := slices.IndexFunc(all, func(x *landmark.Indicator) bool { return x.ID == ind.ID })
	if i > 0 {
		prev = &Link{all[i-1].Name, page.IndicatorHref(all[i-1])}
	}
	if i >= 0 && i+1 < len(all) {
		next = &Link{all[i+1].Name, page.IndicatorHref(all[i+1])}
	}
	return prev, next
}

func indicatorFacts(r *landmark.Record, a landmark.Assessment) []Fact {
	ind := a.Indicator
	kind := Fact{"性质", ind.Kind.Chinese(), "(牵头单位已确认)"}
	switch {
	case ind.Kind == landmark.KindUnknown:
		kind.Dim = "(请牵头单位确定)"
	case !ind.Confirmed:
		kind.Dim = "(待牵头单位确认)"
	}
	base := Fact{"基数", baselineText(ind), fmt.Sprintf("(%d年实际值)", r.Plan.BaselineYear)}
	goal := Fact{"目标", TargetText(a.Target), fmt.Sprintf("(%d年)", r.Plan.Year)}
	if len(ind.Targets) > 1 && a.Target.Basis != "" {
		goal.Dim = fmt.Sprintf("(%s起调整,原为%s)", a.Target.From.Chinese(), ind.Targets[0].Text)
	}
	facts := []Fact{kind, base, goal}
	if ind.Kind != landmark.Qualitative {
		facts = append(facts, Fact{Term: "方向", Text: ind.Direction.Chinese()})
	}
	facts = append(facts, Fact{Term: "牵头", Text: ind.Project.Lead.Name}, Fact{Term: "报送", Text: ind.Measured.Chinese()})
	if d := ind.DefinitionIn(a.Month); d.Text != "" {
		facts = append(facts, Fact{Term: "口径", Text: d.Text})
	}
	return facts
}

// baselineText is the baseline as printed; the sign of its unit stands apart.
func baselineText(ind *landmark.Indicator) string {
	if ind.BaselineText == "/" {
		return "/"
	}
	return TargetText(landmark.Target{Text: ind.BaselineText, Amount: ind.Baseline})
}

func indicatorReadings(a landmark.Assessment) []Reading {
	ind := a.Indicator
	value := Reading{Name: a.Month.Short() + "值", Text: "—"}
	if v := a.Shown(); v != nil {
		value.Name, value.Text, value.Unit = v.Month.Short()+"值", ValueText(v), ind.Unit
		if v.Step != "" {
			value.Words, value.Unit = true, ""
		}
		if a.Stale() {
			value.Name = "最近核定值(" + v.Month.Short() + ")"
		}
	}
	out := []Reading{value, {Name: "状态", Light: true}}
	switch {
	case a.Completion.Present():
		name := "完成率"
		if ind.Kind == landmark.Cumulative {
			name = "完成率(含历年)"
		}
		out = append(out, Reading{Name: name, Text: Percent(a.Completion, 1), Unit: "%"})
	case a.Distance.Valid:
		out = append(out, Reading{Name: "距目标", Text: signed(a.Distance.Decimal), Unit: distanceUnit(ind)})
	}
	if a.Gap.Present() {
		r := Reading{Name: "较" + dueWord(a), Text: PointsFine(a.Gap), Unit: "百分点"}
		if a.Gap.Sign() < 0 && a.Light.Trouble() {
			r.Class = "is-" + mark(a.Light)
		}
		out = append(out, r)
	}
	return out
}

func dueWord(a landmark.Assessment) string {
	if a.Curved {
		return "计划"
	}
	return "序时"
}

// distanceUnit is the unit of a difference: rates differ by percentage points.
func distanceUnit(ind *landmark.Indicator) string {
	if ind.Unit == "%" {
		return "百分点"
	}
	return ind.Unit
}

// signed writes a difference with its sign.
func signed(d decimal.Decimal) string {
	if d.IsPositive() {
		return "+" + d.String()
	}
	return Number(d)
}

func rateHead(ind *landmark.Indicator) string {
	switch ind.Kind {
	case landmark.Flow, landmark.Cumulative:
		return "完成率"
	case landmark.Level, landmark.Hold:
		return "距目标"
	default:
		return ""
	}
}

func stepMarks(a landmark.Assessment) []StepMark {
	var out []StepMark
	now := ""
	if v := a.Shown(); v != nil {
		now = v.Step
	}
	for i, s := range a.Indicator.Steps {
		mark := StepMark{Name: s.Name, Meaning: s.Meaning.Chinese(), Now: s.Name == now, Aim: i == len(a.Indicator.Steps)-1}
		if mark.Aim {
			mark.Meaning = landmark.Done.Chinese()
		}
		out = append(out, mark)
	}
	return out
}

// monthRows are the months owed up to the one shown, and any earlier one with a
// value, newest first.
func monthRows(r *landmark.Record, a landmark.Assessment, viewer landmark.User) []MonthRow {
	ind := a.Indicator
	first := r.Plan.FirstMonth()
	if vs := r.Values[ind.ID]; len(vs) > 0 {
		earliest := slices.MinFunc(vs, func(x, y landmark.Value) int { return cmp.Compare(x.Month, y.Month) }).Month
		first = max(min(first, earliest), landmark.MonthOf(r.Plan.Year, 1))
	}
	reports := map[landmark.Month]landmark.Report{}
	if viewer.CanSeeUnapproved(ind.Project.Lead.ID) {
		for _, report := range r.Reports[ind.ID] {
			reports[report.Month] = report
		}
	}
	var out []MonthRow
	for m := a.Month; m >= first; m-- {
		row := monthRow(r, ind, m)
		row.Now = m == a.Month
		if report := reports[m]; report.State != landmark.StateApproved && report.State != landmark.StateNone {
			row.Underway = report.State.Chinese()
			if report.State == landmark.StateReturned && report.ReturnedFor != "" {
				row.Underway += ":" + report.ReturnedFor
			}
		}
		out = append(out, row)
	}
	return out
}

func monthRow(r *landmark.Record, ind *landmark.Indicator, m landmark.Month) MonthRow {
	a := r.Assess(ind, m)
	row := MonthRow{Month: m, A: a, Value: "—", Delta: "—", Rate: "—", Expected: "—", Gap: PointsFine(a.Gap)}
	if a.Expected.Valid {
		row.Expected = trendFigure(ind, a.Expected.Decimal)
	}
	v, ok := r.Value(ind.ID, m)
	if !ok {
		row.Gap = "—" // an earlier value judged again is no news of this month
		return row
	}
	row.Value, row.Note = ValueText(&v), v.Note
	if v.Step != "" && v.Amount.Valid {
		row.Note = joinNote(Number(v.Amount.Decimal)+ind.Unit, v.Note)
	}
	switch {
	case a.Completion.Present():
		row.Rate = Percent(a.Completion, 1) + "%"
	case a.Distance.Valid:
		row.Rate = signed(a.Distance.Decimal)
	}
	if before, ok := r.Value(ind.ID, m-1); ok && m.Number() > 1 && before.Amount.Valid && v.Amount.Valid && v.Step == "" {
		row.Delta = signed(v.Amount.Decimal.Sub(before.Amount.Decimal))
	}
	row.Reported = Done{v.ReportedBy, v.ReportedAt.In(r.Zone)}
	row.Approved = Done{v.ApprovedBy, v.ApprovedAt.In(r.Zone)}
	row.Revision = fmt.Sprintf("第%d版", v.Revision)
	if v.Corrections > 0 {
		row.Revised = true
		row.Was = ValueText(&landmark.Value{Amount: v.Previous, Step: v.PreviousStep})
		row.Revisions = fmt.Sprintf("%s已更正%d次:原核定 %s → 现为 %s", m.Short(), v.Corrections, row.Was, row.Value)
		if v.Reason != "" {
			row.Revisions += ",原因:" + v.Reason
		}
		row.Revisions += "。原来的各版都留在变更记录里。"
	} else if v.Reason != "" {
		row.Note = joinNote(row.Note, "理由:"+v.Reason)
	}
	return row
}

func joinNote(a, b string) string {
	switch {
	case a == "":
		return b
	case b == "":
		return a
	default:
		return strings.TrimRight(a, "。.;；") + ";" + b
	}
}

// yardstickText says how the light of this indicator is found.
func yardstickText(a landmark.Assessment) string {
	ind, rule := a.Indicator, a.Rule
	ruled := fmt.Sprintf("落后不超过%d个百分点为正常,不超过%d个为滞后,再多为严重滞后(规则自%s起)。", rule.Tolerance, rule.RedLine, rule.From.Chinese())
	path := "应达进度按月均匀推进,每月十二分之一;"
	if a.Curved {
		path = "应达进度按计划曲线;"
	}
	switch ind.Kind {
	case landmark.KindUnknown:
		return "这项指标的性质还没有确定,只列数值,不判定状态。请牵头单位确认性质后由市府办录入。"
	case landmark.Hold:
		return "保持类指标只看是否守住目标:守住为正常,跌破为严重滞后,到年底守住为已完成。"
	case landmark.Qualitative:
		return "定性指标按所处步骤判定,到最后一步为已完成。"
	case landmark.Flow:
		if ind.Direction == landmark.Down {
			return "全年限额:当年累计不应超过序时份额;" + ruled
		}
		return "进度是当年累计与年度目标之比;" + path + ruled
	default:
		return fmt.Sprintf("进度是从%d年实际值到目标这段路走了多少;", a.Month.Year()-1) + path + ruled
	}
}
