package view

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"landmark/internal/landmark"
)

// OverviewPage is the first page: the month's trouble, the ★ strip, the ten
// projects.
type OverviewPage struct {
	Page
	Board    landmark.Board
	Axis     TimeAxis
	Schedule string // share of the year gone, in percent
	Sub      string // month, size, newest data
	Due      string // what is due of the month and when
	Dues     []DueRow
	Monthly  int // indicators owed every month
	Columns  []TallyColumn
	Rest     string // what the counts leave out
	Stars    []StarCell
	Sort     string
	Filter   landmark.Light
	Groups   []GridGroup
}

// DueRow is a month still to come with what it owes beyond the monthly reports.
type DueRow struct {
	Month      string
	Day        string // last day in time
	Count      int    // indicators owed
	Indicators []*landmark.Indicator
}

// TallyColumn is one light's count; trouble lists its indicators by name.
type TallyColumn struct {
	Light       landmark.Light
	Count       int
	Note        string
	Indicators  []landmark.Assessment
	Departments []TallyDepartment
}

// TallyDepartment is a department whose month is not all in.
type TallyDepartment struct {
	Department landmark.Department
	Note       string
	Chased     string
	Waiting    bool // sent, and with the office
}

// StarCell is a key indicator in the strip.
type StarCell struct {
	A      landmark.Assessment
	Bullet Bullet
}

// GridGroup is a project with its rows.
type GridGroup struct {
	Project   *landmark.Project
	Rows      []GridRow
	TasksDone int
	Tasks     int
	Opened    int
	Report    string
	ReportSub string
	Bad       bool
}

// GridRow is an indicator in the grid.
type GridRow struct {
	A      landmark.Assessment
	Bullet Bullet
}

// NewOverview lays a month out. sort is no, trouble or dept; filter shows one
// light only.
func NewOverview(p Page, b landmark.Board, sort string, filter landmark.Light) OverviewPage {
	r := b.Record
	p.Body, p.Wide = "page-overview", true
	o := OverviewPage{Page: p, Board: b, Axis: NewTimeAxis(b.Month), Sort: sort, Filter: filter}
	o.Schedule = Percent(landmark.Fraction(int64(b.Month.Number()), 12), 0)
	o.Sub = fmt.Sprintf("截至%s · %d 个项目,%d 项指标", b.Month.Chinese(), len(b.Projects), b.Counts.Total())
	if at := newestApproval(r, b.Month); !at.IsZero() {
		o.Sub += " · 数据更新于 " + Clock(at.In(r.Zone))
	}
	o.Due = dueText(r, b)
	o.Dues, o.Monthly = dueRows(r, b.Month)
	o.tally(r, b)
	for _, a := range b.Key() {
		o.Stars = append(o.Stars, StarCell{A: a, Bullet: NewBullet(a, true, false)})
	}
	projects := slices.Clone(b.Projects)
	switch sort {
	case "trouble":
		slices.SortStableFunc(projects, func(x, y landmark.ProjectBoard) int { return cmp.Compare(worstOf(y), worstOf(x)) })
	case "dept":
		slices.SortStableFunc(projects, func(x, y landmark.ProjectBoard) int { return cmp.Compare(x.Project.Lead.Sort, y.Project.Lead.Sort) })
	default:
		o.Sort = "no"
	}
	for _, pb := range projects {
		if g := newGroup(r, b.Month, pb, sort, filter); len(g.Rows) > 0 {
			o.Groups = append(o.Groups, g)
		}
	}
	return o
}

// worstOf orders projects by their light, then by how many are in trouble.
func worstOf(pb landmark.ProjectBoard) int {
	n := pb.Light.Severity() * 1000
	for _, a := range pb.Assessments {
		if a.Light.Trouble() {
			n += a.Light.Severity()
		}
	}
	return n
}

func newestApproval(r *landmark.Record, m landmark.Month) time.Time {
	var newest time.Time
	for _, vs := range r.Values {
		for _, v := range vs {
			if v.Month <= m && v.ApprovedAt.After(newest) {
				newest = v.ApprovedAt
			}
		}
	}
	return newest
}

// owedIn counts the indicators that owe a value for m.
func owedIn(p *landmark.Plan, m landmark.Month) int {
	n := 0
	for _, ind := range p.Indicators() {
		if p.Owes(ind, m) {
			n++
		}
	}
	return n
}

// dueText says what is due when: of the month shown, and of the next one.
func dueText(r *landmark.Record, b landmark.Board) string {
	text := ""
	if n := owedIn(r.Plan, b.Month); n > 0 {
		text = fmt.Sprintf("%s应报 %d 项,%s截止", b.Month.Short(), n, dayFrom(r.Period(b.Month).Due, b.Month))
	} else {
		text = fmt.Sprintf("%s没有应报的指标", b.Month.Short())
	}
	if next := b.Month + 1; next <= r.Plan.LastMonth() {
		if n := owedIn(r.Plan, next); n > 0 {
			text += fmt.Sprintf(";下一期%s应报 %d 项,%s截止", next.Short(), n, dayFrom(r.Period(next).Due, next))
		}
	}
	return text + "。"
}

// dueRows are the months from m to the year's end that owe something, and how
// many indicators owe a report in all of them.
func dueRows(r *landmark.Record, m landmark.Month) ([]DueRow, int) {
	monthly := 0
	for _, ind := range r.Plan.Indicators() {
		if everyMonth(ind) {
			monthly++
		}
	}
	var out []DueRow
	for ; m <= r.Plan.LastMonth(); m++ {
		due := r.Period(m).Due
		row := DueRow{Month: m.Short(), Day: dayFrom(due, m), Count: owedIn(r.Plan, m)}
		for _, ind := range r.Plan.Indicators() {
			if r.Plan.Owes(ind, m) && !everyMonth(ind) {
				row.Indicators = append(row.Indicators, ind)
			}
		}
		if row.Count > 0 {
			out = append(out, row)
		}
	}
	return out, monthly
}

func everyMonth(ind *landmark.Indicator) bool {
	return ind.Measured != landmark.Quarterly && ind.Measured != landmark.Annual
}

func (o *OverviewPage) tally(r *landmark.Record, b landmark.Board) {
	all := landmark.TroubleFirst(b.Assessments())
	for _, l := range []landmark.Light{landmark.Critical, landmark.Behind, landmark.Unreported, landmark.OnTrack, landmark.Done} {
		c := TallyColumn{Light: l, Count: b.Counts[l]}
		switch l {
		case landmark.Critical, landmark.Behind:
			if c.Count > 0 {
				c.Note = "较应达,百分点"
			}
			for _, a := range all {
				if a.Light == l {
					c.Indicators = append(c.Indicators, a)
				}
			}
		case landmark.Unreported:
			c.Departments = unreportedBy(r, b)
			c.Note = overdueText(r, b)
		}
		o.Columns = append(o.Columns, c)
	}
	o.Rest = leftOut(b)
}

// leftOut says which indicators the lights above do not count.
func leftOut(b landmark.Board) string {
	annual, other := 0, 0
	for _, a := range b.Assessments() {
		if a.Light == landmark.NotDue {
			if a.Indicator.Measured == landmark.Annual {
				annual++
			} else {
				other++
			}
		}
	}
	text := ""
	if annual > 0 {
		text = fmt.Sprintf("%d 项年度指标未到期", annual)
	}
	if other > 0 {
		if text != "" {
			text += ","
		}
		text += fmt.Sprintf("%d 项本月未到期", other)
	}
	if n := b.Counts[landmark.NoLight]; n > 0 {
		if text != "" {
			text += ","
		}
		text += fmt.Sprintf("%d 项性质待定、暂不判定", n)
	}
	if text == "" {
		return ""
	}
	return fmt.Sprintf("以上 %d 项;另有%s,共 %d 项。", b.Counts.Judged(), text, b.Counts.Total())
}

func overdueText(r *landmark.Record, b landmark.Board) string {
	due := r.Period(b.Month).Due
	if b.Counts[landmark.Unreported] == 0 {
		return ""
	}
	if text := overdue(r, due); text != "" {
		return text
	}
	return dayFrom(due, b.Month) + "截止"
}

// monthOfDays is how long days are counted; after that the date says more.
const monthOfDays = 31

// overdue says how long ago a due date was: 逾期 2 天, and of one long gone only
// the date. Empty while there is time.
func overdue(r *landmark.Record, due landmark.Date) string {
	switch days := overdueDays(r, due); {
	case days == 0:
		return ""
	case days <= monthOfDays:
		return fmt.Sprintf("逾期 %d 天", days)
	default:
		return due.Chinese() + "已截止"
	}
}

// dayFrom is a day as seen from a month, with its year where that is the next.
func dayFrom(d landmark.Date, m landmark.Month) string {
	if d.Year > m.Year() {
		return "次年" + d.Short()
	}
	return d.Short()
}

// overdueDays are the days gone since due, zero while there is time.
func overdueDays(r *landmark.Record, due landmark.Date) int {
	return max(0, daysBetween(due, r.Today()))
}

func daysBetween(from, to landmark.Date) int {
	return int(to.Time(time.UTC).Sub(from.Time(time.UTC)).Hours() / 24)
}

// unreportedBy groups what has no approved value by department: not sent, and
// sent but with the office.
func unreportedBy(r *landmark.Record, b landmark.Board) []TallyDepartment {
	var out []TallyDepartment
	for _, d := range r.Plan.LeadDepartments() {
		missing, waiting := 0, 0
		var last time.Time
		for _, a := range b.Assessments() {
			if a.Indicator.Project.Lead.ID != d.ID {
				continue
			}
			for _, v := range r.Values[a.Indicator.ID] {
				if v.ReportedAt.After(last) && v.Month < b.Month {
					last = v.ReportedAt
				}
			}
			if a.Light != landmark.Unreported {
				continue
			}
			switch r.Report(a.Indicator.ID, b.Month).State {
			case landmark.StateSubmitted, landmark.StateSigned:
				waiting++
			default:
				missing++
			}
		}
		since := ""
		if !last.IsZero() {
			since = ",末次 " + Day(last.In(r.Zone))
		}
		if missing > 0 {
			t := TallyDepartment{Department: d, Note: fmt.Sprintf("%d 项%s", missing, since)}
			if due := r.DueFor(d.ID, b.Month); due.Compare(r.Period(b.Month).Due) > 0 {
				t.Note += ",延至" + due.Short()
			}
			n := 0
			for _, c := range r.Chases {
				if c.DepartmentID == d.ID && c.Month == b.Month {
					n++
				}
			}
			if n > 0 {
				t.Chased = fmt.Sprintf("已催 %d 次", n)
			}
			out = append(out, t)
		}
		if waiting > 0 {
			out = append(out, TallyDepartment{Department: d, Note: fmt.Sprintf("%d 项已报,待审核", waiting), Waiting: true})
		}
	}
	slices.SortStableFunc(out, func(x, y TallyDepartment) int { // whom to ask first
		switch {
		case x.Waiting == y.Waiting:
			return 0
		case y.Waiting:
			return -1
		default:
			return 1
		}
	})
	return out
}

func newGroup(r *landmark.Record, m landmark.Month, pb landmark.ProjectBoard, sort string, filter landmark.Light) GridGroup {
	g := GridGroup{Project: pb.Project}
	as := pb.Assessments
	if sort == "trouble" {
		as = landmark.TroubleFirst(as)
	}
	for _, a := range as {
		if filter == landmark.NoLight || a.Light == filter {
			g.Rows = append(g.Rows, GridRow{A: a, Bullet: NewBullet(a, false, true)})
		}
	}
	for _, t := range pb.Project.Tasks {
		if t.Lead {
			continue
		}
		g.Tasks++
		if r.TaskStateIn(t.ID, m) == landmark.TaskDone {
			g.TasksDone++
		}
	}
	for _, s := range pb.Project.Scenarios {
		if r.Opened(s.ID, m) {
			g.Opened++
		}
	}
	g.Report, g.ReportSub, g.Bad = reportText(r, m, pb.Project)
	return g
}

// reportText is how a project's month came in: what is missing before what is
// late, late before what is well.
func reportText(r *landmark.Record, m landmark.Month, p *landmark.Project) (text, sub string, bad bool) {
	owed, approved, waiting, returned := 0, 0, 0, 0
	var first, last time.Time
	for _, ind := range p.Indicators {
		for _, v := range r.Reports[ind.ID] {
			if v.Month < m && v.SubmittedAt.After(last) {
				last = v.SubmittedAt
			}
		}
		if !r.Plan.Owes(ind, m) {
			continue
		}
		owed++
		report := r.Report(ind.ID, m)
		switch report.State {
		case landmark.StateApproved:
			approved++
		case landmark.StateSubmitted, landmark.StateSigned:
			waiting++
		case landmark.StateReturned:
			returned++
		}
		if report.FirstSubmittedAt.After(first) {
			first = report.FirstSubmittedAt
		}
	}
	due := r.MissingAfter(p.Lead.ID, m)
	late := !first.IsZero() && r.LateAt(p.Lead.ID, m, first)
	switch {
	case owed == 0:
		return "本月不用报", "", false
	case approved+waiting+returned == 0:
		if !last.IsZero() {
			sub = "末次 " + Day(last.In(r.Zone))
		}
		if r.Today().Compare(due) > 0 {
			return m.Short() + "未报", sub, true
		}
		return "待报", dayFrom(due, m) + "截止", false
	case returned > 0:
		text = fmt.Sprintf("退回 %d 项", returned)
	case approved+waiting < owed:
		text = fmt.Sprintf("已报 %d/%d", approved+waiting, owed)
		bad = r.Today().Compare(due) > 0
	case waiting > 0:
		text = "待审核"
	default:
		text = "已核定"
	}
	sub = Day(first.In(r.Zone)) + "报"
	if late {
		sub += " 迟报"
	}
	return text, sub, bad
}

// gridKind is a kind's short name in the style sheet.
func gridKind(k landmark.Kind) string {
	switch k {
	case landmark.Flow:
		return "flow"
	case landmark.Hold:
		return "hold"
	case landmark.Qualitative, landmark.KindUnknown:
		return "qual"
	default:
		return "stock"
	}
}
