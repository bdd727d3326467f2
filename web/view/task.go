package view

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"landmark/internal/landmark"
)

// TaskItem is a key task as it stood at the end of a month.
type TaskItem struct {
	Task    landmark.Task
	Project *landmark.Project
	State   landmark.TaskState

	// The printed text in three parts: a heading such as 2.推进全域化。, the first
	// sentence, and the rest.
	Head, First, Rest string

	Note    *Note    // the lead department's newest
	Others  []Note   // the cooperating departments' newest, one each
	Changes []string // what happened in the month shown
}

// Note is a progress note.
type Note struct {
	Text, By string
	At       time.Time
	Month    landmark.Month
}

// stateMark is a task state's short name in the style sheet.
func stateMark(s landmark.TaskState) string {
	switch s {
	case landmark.TaskDone:
		return "done"
	case landmark.TaskUnderway:
		return "doing"
	default:
		return "todo"
	}
}

// stateIcon is its sign.
func stateIcon(s landmark.TaskState) string {
	switch s {
	case landmark.TaskDone:
		return "done"
	case landmark.TaskUnderway:
		return "half"
	default:
		return "ok"
	}
}

// NewTaskItem gathers what is known of a task by the end of month m.
func NewTaskItem(r *landmark.Record, p *landmark.Project, t landmark.Task, m landmark.Month) TaskItem {
	item := TaskItem{Task: t, Project: p, State: r.TaskStateIn(t.ID, m)}
	item.Head, item.First, item.Rest = splitTask(t.Text)
	others := map[int64]int{}
	state := landmark.TaskNotStarted
	for _, u := range r.Updates[t.ID] {
		if u.Month > m {
			continue
		}
		if u.State != "" {
			if u.Month == m && u.State != state {
				item.Changes = append(item.Changes, state.Chinese()+" → "+u.State.Chinese())
			}
			state = u.State
		}
		if u.Note == "" {
			continue
		}
		note := Note{u.Note, u.Department, u.RecordedAt.In(r.Zone), u.Month}
		if u.Month == m {
			item.Changes = append(item.Changes, u.Department+"报进展")
		}
		switch at, seen := others[u.DepartmentID]; {
		case u.DepartmentID == p.Lead.ID:
			item.Note = &note
		case seen:
			item.Others[at] = note
		default:
			others[u.DepartmentID] = len(item.Others)
			item.Others = append(item.Others, note)
		}
	}
	return item
}

// A task longer than this is folded after its first sentence; an opening as short
// as a heading is one.
const (
	foldTaskAfter = 90
	headingWithin = 14
)

// splitTask cuts a long task after its first sentence. No character is lost: the
// parts make up the text.
func splitTask(text string) (head, first, rest string) {
	first = text
	if cut := afterStop(first); cut < len(first) && utf8.RuneCountInString(first[:cut]) <= headingWithin {
		head, first = first[:cut], first[cut:]
	}
	if utf8.RuneCountInString(text) <= foldTaskAfter {
		return head, first, ""
	}
	cut := afterStop(first)
	return head, first[:cut], first[cut:]
}

// afterStop is the place behind the first full stop.
func afterStop(text string) int {
	if i := strings.Index(text, "。"); i >= 0 {
		return i + len("。")
	}
	return len(text)
}

// TasksPage is GET /tasks.
type TasksPage struct {
	Page
	Groups  []TaskGroup
	Counts  []StateCount
	Summary string // 38 项任务,…
	Filters Filters
}

// TaskGroup is a project's tasks.
type TaskGroup struct {
	Project *landmark.Project
	Lead    string // sentence before the numbered tasks
	Tasks   []TaskItem
	Done    int
	All     int
}

// StateCount is how many stand in a state, with the address that shows only them.
type StateCount struct {
	Text    string
	Count   int
	Mark    string
	Icon    string
	Href    string
	Current bool
}

// Filters are what a list is narrowed to, and what it could be.
type Filters struct {
	Project, Department, State string
	Projects, Departments      []Option
	States                     []Option
	Active                     bool
}

// Option is an entry of a selector.
type Option struct {
	Value, Text string
	Chosen      bool
}

// changedState is the filter for what changed in the month shown.
const changedState = "changed"

// NewTasksPage lists the tasks of the plan, narrowed by the address: project (its
// number), department (slug or name, leading or cooperating) and state.
func NewTasksPage(page Page, r *landmark.Record) TasksPage {
	page.Title, page.Body, page.Wide = "重点任务", "page-tasks", true
	p := TasksPage{Page: page, Filters: newFilters(page, r.Plan)}
	p.Filters.States = options(p.Filters.State, []Option{
		{Value: string(landmark.TaskNotStarted), Text: landmark.TaskNotStarted.Chinese()},
		{Value: string(landmark.TaskUnderway), Text: landmark.TaskUnderway.Chinese()},
		{Value: string(landmark.TaskDone), Text: landmark.TaskDone.Chinese()},
		{Value: changedState, Text: page.Month.Short() + "有变化"},
	})
	counts := map[string]int{}
	for _, project := range r.Plan.Projects {
		if !p.Filters.takes(project) {
			continue
		}
		group := TaskGroup{Project: project}
		for _, t := range project.Tasks {
			if t.Lead {
				group.Lead = t.Text
				continue
			}
			item := NewTaskItem(r, project, t, page.Month)
			group.All++
			if item.State == landmark.TaskDone {
				group.Done++
			}
			counts[""]++
			counts[string(item.State)]++
			if len(item.Changes) > 0 {
				counts[changedState]++
			}
			if s := p.Filters.State; s == "" || s == string(item.State) || s == changedState && len(item.Changes) > 0 {
				group.Tasks = append(group.Tasks, item)
			}
		}
		if len(group.Tasks) > 0 {
			p.Groups = append(p.Groups, group)
		}
	}
	p.Counts = append(p.Counts, StateCount{Text: "全部", Count: counts[""], Href: page.With("state", ""), Current: p.Filters.State == ""})
	for _, s := range landmark.TaskStates {
		p.Counts = append(p.Counts, StateCount{s.Chinese(), counts[string(s)], stateMark(s), stateIcon(s), page.With("state", string(s)), p.Filters.State == string(s)})
	}
	p.Counts = append(p.Counts, StateCount{Text: page.Month.Short() + "有变化", Count: counts[changedState], Href: page.With("state", changedState), Current: p.Filters.State == changedState})
	p.Summary = fmt.Sprintf("共 %d 项,完成 %d 项,推进中 %d 项,未启动 %d 项;%s有 %d 项更新。", counts[""], counts[string(landmark.TaskDone)],
		counts[string(landmark.TaskUnderway)], counts[string(landmark.TaskNotStarted)], page.Month.Short(), counts[changedState])
	return p
}

// newFilters reads project, department and state from the page's address.
func newFilters(page Page, plan *landmark.Plan) Filters {
	f := Filters{Project: page.Query.Get("project"), Department: page.Query.Get("department"), State: page.Query.Get("state")}
	f.Active = f.Project != "" || f.Department != "" || f.State != ""
	var projects, departments []Option
	for _, p := range plan.Projects {
		projects = append(projects, Option{Value: itoa(p.Number), Text: fmt.Sprintf("%d %s", p.Number, p.Name)})
	}
	for _, d := range plan.Departments() {
		if f.Department == d.Name {
			f.Department = d.Slug
		}
		departments = append(departments, Option{Value: d.Slug, Text: d.Name})
	}
	f.Projects, f.Departments = options(f.Project, projects), options(f.Department, departments)
	return f
}

// period are the plan, month and moment shown, for a form to pass on.
func (p Page) period() []pair {
	var out []pair
	for _, k := range []string{"plan", "month", "as_of"} {
		if v := p.Query.Get(k); v != "" {
			out = append(out, pair{k, v})
		}
	}
	return out
}

// options marks the chosen one.
func options(chosen string, all []Option) []Option {
	for i := range all {
		all[i].Chosen = all[i].Value == chosen
	}
	return all
}

// takes says whether a project's entries are listed.
func (f Filters) takes(p *landmark.Project) bool {
	if f.Project != "" && f.Project != itoa(p.Number) {
		return false
	}
	if f.Department == "" || p.Lead.Slug == f.Department {
		return true
	}
	for _, c := range p.Cooperating {
		if c.Department.Slug == f.Department {
			return true
		}
	}
	return false
}
