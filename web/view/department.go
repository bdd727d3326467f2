package view

import (
	"fmt"
	"slices"

	"landmark/internal/landmark"
)

// DepartmentsPage is GET /departments: who leads and supports what, and how each
// department's month came in.
type DepartmentsPage struct {
	Page
	Leading    []DepartmentRow
	Supporting []DepartmentRow
	Discipline *DisciplineTable // nil before a report was owed
	Sub        string
}

// DepartmentRow is a department in the list.
type DepartmentRow struct {
	Department landmark.Department
	Href       string
	Leads      []Link
	Supports   []Link
	Counts     []LightCount // of the indicators it leads
	Indicators int
	TasksDone  int
	Tasks      int
	Reports    []ReportState // one for each project it leads
	Chased     int           // reminders for the month shown
	Printed    []string      // other names in the table
}

// ReportState is how a project's month came in.
type ReportState struct {
	Project Link
	Text    string
	Sub     string
	Bad     bool
}

// NewDepartmentsPage lists the departments of a judged month.
func NewDepartmentsPage(page Page, board landmark.Board) DepartmentsPage {
	page.Title, page.Body, page.Wide = "部门", "page-departments", true
	p := DepartmentsPage{Page: page}
	leads := len(board.Record.Plan.LeadDepartments())
	for i, d := range board.Record.Plan.Departments() {
		row := newDepartmentRow(page, board, d)
		if i < leads {
			p.Leading = append(p.Leading, row)
		} else {
			p.Supporting = append(p.Supporting, row)
		}
	}
	p.Discipline = newDisciplineTable(page, board.Record, board.Month)
	p.Sub = fmt.Sprintf("%d 个牵头单位,%d 个只配合的单位", len(p.Leading), len(p.Supporting))
	return p
}

func newDepartmentRow(page Page, board landmark.Board, d landmark.Department) DepartmentRow {
	r, m := board.Record, board.Month
	row := DepartmentRow{Department: d, Href: page.To("/departments/" + d.Slug)}
	counts := landmark.Counts{}
	for _, pb := range board.Projects {
		project := Link{fmt.Sprintf("%d %s", pb.Project.Number, pb.Project.Name), page.ProjectHref(pb.Project)}
		if pb.Project.Lead.ID == d.ID {
			row.Leads = append(row.Leads, project)
			for l, n := range pb.Counts {
				counts[l] += n
			}
			for _, t := range pb.Project.Tasks {
				if t.Lead {
					continue
				}
				row.Tasks++
				if r.TaskStateIn(t.ID, m) == landmark.TaskDone {
					row.TasksDone++
				}
			}
			state := ReportState{Project: project}
			state.Text, state.Sub, state.Bad = reportText(r, m, pb.Project)
			row.Reports = append(row.Reports, state)
		}
		for _, c := range pb.Project.Cooperating {
			if c.Department.ID != d.ID {
				continue
			}
			row.Supports = append(row.Supports, project)
			if c.Printed != d.Name && !slices.Contains(row.Printed, c.Printed) {
				row.Printed = append(row.Printed, c.Printed)
			}
		}
	}
	row.Indicators = counts.Total()
	for _, l := range landmark.Lights {
		if counts[l] > 0 {
			row.Counts = append(row.Counts, LightCount{l, counts[l]})
		}
	}
	for _, c := range r.Chases {
		if c.DepartmentID == d.ID && c.Month == m {
			row.Chased++
		}
	}
	return row
}

// DepartmentPage is GET /departments/{slug}.
type DepartmentPage struct {
	Page
	Row      DepartmentRow
	Groups   []DepartmentGroup
	Supports []SupportRow
	Due      string // 9月报送截止10月5日
	Notes    []DepartmentNote
	Chases   []Event
	Months   []DisciplineMonth // how it kept its dates; empty if it reports nothing
	TasksAt  string            // the task page, narrowed to this department
	Prev     *Link
	Next     *Link
}

// DepartmentGroup is a project it leads.
type DepartmentGroup struct {
	Project *landmark.Project
	Link    Link
	Report  ReportState
	Rows    []ProjectRow
}

// SupportRow is a project it supports.
type SupportRow struct {
	Project *landmark.Project
	Link    Link
	Lead    string
	Light   landmark.Light
	Tasks   int
}

// DepartmentNote is what it said of a task.
type DepartmentNote struct {
	Task Link
	Note Note
}

// shownNotes is how many notes a department's page lists.
const shownNotes = 12

// NewDepartmentPage lays a department of a judged month out.
func NewDepartmentPage(page Page, board landmark.Board, d landmark.Department) DepartmentPage {
	r, m := board.Record, board.Month
	page.Title, page.Body, page.Wide = d.Name, "page-departments", true
	p := DepartmentPage{Page: page, Row: newDepartmentRow(page, board, d), TasksAt: page.To("/tasks", "department", d.Slug)}
	all := r.Plan.Departments()
	if i := slices.IndexFunc(all, func(x landmark.Department) bool { return x.ID == d.ID }); i >= 0 {
		if i > 0 {
			p.Prev = &Link{all[i-1].Name, page.To("/departments/" + all[i-1].Slug)}
		}
		if i+1 < len(all) {
			p.Next = &Link{all[i+1].Name, page.To("/departments/" + all[i+1].Slug)}
		}
	}
	for _, pb := range board.Projects {
		project := pb.Project
		link := Link{fmt.Sprintf("%d %s", project.Number, project.Name), page.ProjectHref(project)}
		if project.Lead.ID == d.ID {
			group := DepartmentGroup{Project: project, Link: link}
			for _, a := range pb.Assessments {
				group.Rows = append(group.Rows, projectRow(r, a))
			}
			group.Report.Text, group.Report.Sub, group.Report.Bad = reportText(r, m, project)
			p.Groups = append(p.Groups, group)
		}
		for _, c := range project.Cooperating {
			if c.Department.ID == d.ID {
				tasks := 0
				for _, t := range project.Tasks {
					if !t.Lead {
						tasks++
					}
				}
				p.Supports = append(p.Supports, SupportRow{project, link, project.Lead.Name, pb.Light, tasks})
			}
		}
		for _, t := range project.Tasks {
			for _, u := range r.Updates[t.ID] {
				if u.DepartmentID == d.ID && u.Note != "" && u.Month <= m {
					p.Notes = append(p.Notes, DepartmentNote{
						Task: Link{fmt.Sprintf("%s · %s", project.Name, taskName(t)), page.ProjectHref(project) + "#task-" + t.Code},
						Note: Note{u.Note, u.RecordedBy, u.RecordedAt.In(r.Zone), u.Month}})
				}
			}
		}
	}
	slices.SortStableFunc(p.Notes, func(x, y DepartmentNote) int { return y.Note.At.Compare(x.Note.At) })
	p.Notes = p.Notes[:min(len(p.Notes), shownNotes)]
	p.Months = disciplineMonths(page, r, d, m)
	if len(p.Groups) > 0 {
		due := r.DueFor(d.ID, m)
		p.Due = fmt.Sprintf("%s报送%s截止", m.Short(), dayFrom(due, m))
		if due != r.Period(m).Due {
			p.Due += "(已延期)"
		}
	}
	for _, c := range r.Chases {
		if c.DepartmentID == d.ID && c.Month <= m {
			p.Chases = append(p.Chases, Event{At: c.At.In(r.Zone), Mark: "back", Who: c.By, What: "催报" + c.Month.Short() + "数据"})
		}
	}
	slices.SortStableFunc(p.Chases, func(x, y Event) int { return y.At.Compare(x.At) })
	return p
}
