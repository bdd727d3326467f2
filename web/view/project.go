package view

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"landmark/internal/landmark"
)

// ProjectPage is GET /projects/{number}.
type ProjectPage struct {
	Page
	Project    *landmark.Project
	Prev, Next *Link
	Chips      []DepartmentChip

	Counts    []LightCount // lights that occur, trouble first
	TasksLine string       // 1/3 完成
	SceneLine string       // 1/1 开放
	Report    string       // 已核定
	ReportSub string

	Schedule string // 75.0, the even share of the year
	PlanX    string // its place on the shared axis
	ShowGoal bool   // the word 目标 does not collide with it
	Rows     []ProjectRow

	Lead      string // sentence before the tasks
	Tasks     []TaskItem
	TasksDone int
	Scenarios []ScenarioItem

	Events    []Event // newest first
	EventsAll int
	MoreHref  string
}

// DepartmentChip is a department's part in a project.
type DepartmentChip struct {
	Text, Href string
	Lead       bool
}

// LightCount is how many indicators show a light.
type LightCount struct {
	Light landmark.Light
	Count int
}

// ProjectRow is an indicator of the table.
type ProjectRow struct {
	A        landmark.Assessment
	Bullet   Bullet
	Spark    Spark
	Baseline string
	Sub      string // 时点水平,越高越好
	Outlook  string // where the year will end, empty if that cannot be told or is settled
	Reported *Done
	Approved *Done
	Revision string
}

// Event is something that happened to a project.
type Event struct {
	At   time.Time
	Mark string // pass, send, back, done or empty
	Who  string
	What string
}

// shownEvents is how many the page lists; the history has all.
const shownEvents = 10

// NewProjectPage lays a project of a judged month out.
func NewProjectPage(page Page, board landmark.Board, project *landmark.Project) ProjectPage {
	r, m := board.Record, board.Month
	page.Title, page.Body, page.Wide = project.Label(), "page-project", true
	share := landmark.Fraction(int64(m.Number()), 12)
	plan, _ := wideScale.clip(share.Percent(4))
	p := ProjectPage{
		Page: page, Project: project, Schedule: Percent(share, 0), PlanX: pc(wideScale.place(plan)), ShowGoal: m.Number() < 11,
	}
	if page.User.CanSeeUnapproved(project.Lead.ID) {
		p.MoreHref = page.To("/history", "project", itoa(project.Number), "month", "")
	}
	all := r.Plan.Projects
	if i := slices.Index(all, project); i >= 0 {
		if i > 0 {
			p.Prev = &Link{fmt.Sprintf("%d %s", all[i-1].Number, all[i-1].Name), page.ProjectHref(all[i-1])}
		}
		if i+1 < len(all) {
			p.Next = &Link{fmt.Sprintf("%d %s", all[i+1].Number, all[i+1].Name), page.ProjectHref(all[i+1])}
		}
	}
	p.Chips = append(p.Chips, DepartmentChip{project.Lead.Name, page.To("/departments/" + project.Lead.Slug), true})
	for _, c := range project.Cooperating {
		p.Chips = append(p.Chips, DepartmentChip{c.Printed, page.To("/departments/" + c.Department.Slug), false})
	}
	for _, pb := range board.Projects {
		if pb.Project != project {
			continue
		}
		for _, l := range landmark.Lights {
			if n := pb.Counts[l]; n > 0 {
				p.Counts = append(p.Counts, LightCount{l, n})
			}
		}
		for _, a := range pb.Assessments {
			p.Rows = append(p.Rows, projectRow(r, a))
		}
	}
	p.Report, p.ReportSub, _ = reportText(r, m, project)
	tasks := 0
	for _, t := range project.Tasks {
		if t.Lead {
			p.Lead = t.Text
			continue
		}
		item := NewTaskItem(r, project, t, m)
		tasks++
		if item.State == landmark.TaskDone {
			p.TasksDone++
		}
		p.Tasks = append(p.Tasks, item)
	}
	opened := 0
	for _, s := range project.Scenarios {
		item := NewScenarioItem(r, project, s, m)
		if item.Open {
			opened++
		}
		p.Scenarios = append(p.Scenarios, item)
	}
	p.TasksLine = fmt.Sprintf("%d/%d 完成", p.TasksDone, tasks)
	p.SceneLine = fmt.Sprintf("%d/%d 开放", opened, len(project.Scenarios))
	p.Events = projectEvents(r, project, page.User)
	p.EventsAll = len(p.Events)
	p.Events = p.Events[:min(len(p.Events), shownEvents)]
	return p
}

func projectRow(r *landmark.Record, a landmark.Assessment) ProjectRow {
	ind := a.Indicator
	row := ProjectRow{A: a, Bullet: NewBullet(a, false, true), Spark: NewSpark(r, a), Baseline: baselineText(ind), Sub: ind.Kind.Chinese()}
	if ind.Kind.Numeric() && ind.Kind != landmark.KindUnknown {
		row.Sub += "," + ind.Direction.Chinese()
	}
	if !ind.Confirmed && ind.Kind != landmark.KindUnknown {
		row.Sub += ",待确认"
	}
	if o, ok := r.Outlook(ind, a.Month); ok {
		row.Outlook = o.Brief()
	}
	if v := a.Shown(); v != nil {
		row.Reported = &Done{ind.Project.Lead.Name, v.ReportedAt.In(r.Zone)}
		row.Approved = &Done{"市府办", v.ApprovedAt.In(r.Zone)}
		row.Revision = fmt.Sprintf("第%d版", v.Revision)
	}
	return row
}

// projectEvents are the reports, approvals, returns, corrections, task updates and
// milestones of a project, newest first. Returns show to those who may see what
// is on its way.
func projectEvents(r *landmark.Record, p *landmark.Project, viewer landmark.User) []Event {
	type key struct {
		month landmark.Month
		by    string
		day   landmark.Date
	}
	type bundle struct {
		at time.Time
		n  int
	}
	sent, passed := map[key]bundle{}, map[key]bundle{}
	add := func(to map[key]bundle, m landmark.Month, by string, at time.Time) {
		at = at.In(r.Zone)
		k := key{m, by, landmark.DateOf(at)}
		b := to[k]
		if b.n++; at.After(b.at) {
			b.at = at
		}
		to[k] = b
	}
	var out []Event
	for _, ind := range p.Indicators {
		for _, v := range r.Values[ind.ID] {
			add(passed, v.Month, v.ApprovedBy, v.ApprovedAt)
			if v.Corrections > 0 {
				was := ValueText(&landmark.Value{Amount: v.Previous, Step: v.PreviousStep})
				out = append(out, Event{v.ReportedAt.In(r.Zone), "send", p.Lead.Name, fmt.Sprintf("更正%s%s:%s → %s", v.Month.Short(), landmark.Quoted(ind.Name), was, ValueText(&v))})
				continue
			}
			add(sent, v.Month, v.ReportedBy, v.ReportedAt)
		}
		if !viewer.CanSeeUnapproved(p.Lead.ID) {
			continue
		}
		for _, report := range r.Reports[ind.ID] {
			if report.State == landmark.StateReturned {
				out = append(out, Event{report.StateAt.In(r.Zone), "back", "市府办", fmt.Sprintf("退回%s%s:%s", report.Month.Short(), landmark.Quoted(ind.Name), report.ReturnedFor)})
			}
		}
	}
	for k, b := range sent {
		out = append(out, Event{b.at, "send", p.Lead.Name, fmt.Sprintf("报送%s数据,%d项", k.month.Short(), b.n)})
	}
	for k, b := range passed {
		out = append(out, Event{b.at, "pass", "市府办", fmt.Sprintf("核定%s数据,%d项", k.month.Short(), b.n)})
	}
	for _, t := range p.Tasks {
		for _, u := range r.Updates[t.ID] {
			e := Event{At: u.RecordedAt.In(r.Zone), Who: u.Department, What: taskName(t) + "报进展"}
			switch {
			case u.State == landmark.TaskDone:
				e.Mark, e.What = "done", taskName(t)+"报完成"
			case u.State != "" && u.Note == "":
				e.What = taskName(t) + "报" + u.State.Chinese()
			}
			out = append(out, e)
		}
	}
	for _, s := range p.Scenarios {
		for _, v := range r.Milestones[s.ID] {
			e := Event{At: v.RecordedAt.In(r.Zone), Mark: "done", Who: p.Lead.Name, What: fmt.Sprintf("场景“%s”%s(%s)", s.Name, v.Step, v.ReachedOn.Short())}
			if v.Withdrawn {
				e.Mark, e.What = "back", fmt.Sprintf("撤回场景“%s”的%s", s.Name, v.Step)
			}
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(x, y Event) int {
		if c := y.At.Compare(x.At); c != 0 {
			return c
		}
		return cmp.Compare(x.What, y.What)
	})
	return out
}

func taskName(t landmark.Task) string {
	if t.Number == 0 {
		return "重点任务"
	}
	return fmt.Sprintf("任务%d", t.Number)
}
