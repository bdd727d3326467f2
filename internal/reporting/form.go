package reporting

import (
	"context"
	"time"

	"landmark/internal/landmark"
	"landmark/internal/store"
)

// Form is a department's form for a month as its page shows it.
type Form struct {
	Record     *landmark.Record
	Department landmark.Department
	Month      landmark.Month
	Period     landmark.Period
	Due        landmark.Date // extension included
	Window     landmark.Window
	Mine       bool // the user fills in the indicators
	Notes      bool // the user may say something of tasks
	Rows       []FormRow
	Tasks      []FormTask
	Scenarios  []FormScenario
	Reminders  []store.Reminder // chases not seen before; seen now
}

// FormRow is one indicator of the form.
type FormRow struct {
	Indicator  *landmark.Indicator
	Owed       bool
	Version    int    // of the draft: the form sends it back
	Fields     Fields // what the fields show
	Open       bool   // the draft holds something not sent
	SavedBy    string
	SavedAt    time.Time
	Report     landmark.Report
	Approved   *landmark.Value // what stands, nil if nothing does
	Correction bool            // what is sent now needs a reason as a correction or belated report
	Last       *landmark.Value // the newest value of this year before the month, what 无变化 stands for
	History    []landmark.Value
	Files      []store.EvidenceFile // with the draft
	Sent       []store.EvidenceFile // with what was sent
	Would      *landmark.Assessment // as if what the fields show were approved; nil if they show no value
	Findings   []landmark.Finding   // what the checks say of what the fields show
}

// FormTask is one task of the form.
type FormTask struct {
	Project *landmark.Project
	Task    landmark.Task
	Lead    bool // the department leads the project and sets the state
	Version int
	State   landmark.TaskState // what the fields show
	Note    string
	Stands  landmark.TaskState // where the task stands
	Latest  []landmark.TaskUpdate
}

// FormScenario is one showcase scenario of the department's projects.
type FormScenario struct {
	Project  *landmark.Project
	Scenario landmark.Scenario
	Reached  []landmark.Milestone
}

// Form reads a department's form with what is saved, and in laid over it: leave
// in's Indicators and Tasks empty to see what is saved. It may be seen by the
// department, the office, and for its tasks by a cooperating department.
func (s *Service) Form(ctx context.Context, u landmark.User, in FormInput, now time.Time) (Form, error) {
	if in.DepartmentID == 0 {
		in.DepartmentID = u.DepartmentID
	}
	out, err := s.Filled(ctx, u, in, now)
	if err != nil || u.DepartmentID != in.DepartmentID || u.ID == 0 {
		return out, err
	}
	if out.Reminders, err = s.store.Reminders(ctx, out.Record.Plan.ID, in.DepartmentID, u.ID); err != nil || len(out.Reminders) == 0 {
		return out, err
	}
	if _, readOnly := store.ReadsStandby(ctx); readOnly {
		return out, nil // they stay unseen
	}
	ids := make([]int64, len(out.Reminders))
	for i, v := range out.Reminders {
		ids[i] = v.ID
	}
	return out, s.store.SeeChases(ctx, ids, u.ID, now)
}

// Filled reads a form as Form does, and leaves reminders unseen: for a file,
// which does not show them.
func (s *Service) Filled(ctx context.Context, u landmark.User, in FormInput, now time.Time) (Form, error) {
	if in.DepartmentID == 0 {
		in.DepartmentID = u.DepartmentID
	}
	if in.DepartmentID == 0 {
		return Form{}, landmark.Errorf(landmark.Invalid, "department", "请先选择部门")
	}
	all := u.CanSeeUnapproved(in.DepartmentID)
	if !all && in.DepartmentID != u.DepartmentID {
		return Form{}, landmark.Errorf(landmark.Forbidden, "department", "只能查看自己部门的填报")
	}
	r, err := s.store.Record(ctx, in.Plan, time.Time{}, now, s.zone)
	if err != nil {
		return Form{}, err
	}
	f, err := newSheet(r, in.DepartmentID, in.Month)
	if err != nil {
		return Form{}, err
	}
	if !all {
		f.rows = nil
	}
	if len(f.rows)+len(f.tasks) == 0 {
		return Form{}, landmark.Errorf(landmark.NotFound, "department", "这个部门在方案里没有要填报的内容")
	}
	f.mine = u.CanReport(in.DepartmentID)
	if err := f.load(ctx, s.store, false); err != nil {
		return Form{}, err
	}
	f.lay(in.clean())
	return f.form(u), nil
}

// form is the page's view of a sheet.
func (f *sheet) form(u landmark.User) Form {
	r := f.record
	out := Form{Record: r, Department: f.department, Month: f.month, Period: r.Period(f.month), Due: r.DueFor(f.department.ID, f.month),
		Window: r.Window(f.department.ID, f.month), Mine: f.mine}
	others := map[string]string{}
	for _, row := range f.rows {
		if v, ok := f.check(row, nil).FilledIn(); ok {
			others[row.ind.Code] = value{v}.text()
		}
	}
	for _, row := range f.rows {
		v := FormRow{Indicator: row.ind, Owed: r.Plan.Owes(row.ind, f.month), Version: row.draft.Version, Fields: row.now, Open: row.draft.Open,
			SavedBy: row.draft.SavedBy, SavedAt: row.draft.SavedAt, Report: row.report, Approved: row.approved, History: r.Values[row.ind.ID],
			Correction: row.approved != nil || out.Window == landmark.Locked,
			Files:      row.keep, Sent: row.sent, Findings: landmark.CheckReport(f.check(row, others))}
		if last, ok := r.Earlier(row.ind, f.month); ok {
			v.Last = &last
		}
		if filled, ok := f.check(row, others).FilledIn(); ok {
			a := r.With(row.ind, filled)
			v.Would = &a
		}
		out.Rows = append(out.Rows, v)
	}
	for _, t := range f.tasks {
		out.Notes = out.Notes || u.CanNote(t.project)
		out.Tasks = append(out.Tasks, FormTask{Project: t.project, Task: t.task, Lead: t.lead, Version: t.draft.Version, State: t.now.State, Note: t.now.Note,
			Stands: t.state, Latest: r.Updates[t.task.ID]})
	}
	for _, p := range r.Plan.Led(f.department.ID) {
		for _, c := range p.Scenarios {
			out.Scenarios = append(out.Scenarios, FormScenario{Project: p, Scenario: c, Reached: r.Reached(c.ID, r.Plan.LastMonth())})
		}
	}
	return out
}
