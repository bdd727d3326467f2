// Package reporting is the month's workflow: departments fill in and submit,
// leaders sign off, the office approves or returns, and approved values are
// corrected. Each operation is one transaction with its history lines, asks
// whether the user may, and takes the time as an argument.
package reporting

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"landmark/internal/landmark"
	"landmark/internal/store"
)

// Service runs the workflow.
type Service struct {
	store *store.Store
	zone  *time.Location
}

// New makes a service.
func New(st *store.Store, zone *time.Location) *Service { return &Service{store: st, zone: zone} }

// said is a value as the history tells of it.
type said struct {
	Value    string `json:"value,omitempty"`
	Step     string `json:"step,omitempty"`
	State    string `json:"state,omitempty"`
	Revision int    `json:"revision,omitempty"`
}

func describe(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("describe %T: %v", v, err)) // our own plain structs
	}
	return b
}

func text(d decimal.NullDecimal) string {
	if !d.Valid {
		return ""
	}
	return d.Decimal.String()
}

// submit sends entries that were checked, with their history lines. st is in a
// transaction.
func submit(ctx context.Context, st *store.Store, r *landmark.Record, by landmark.Actor, list []store.Submission, now time.Time) ([]store.Submitted, error) {
	sent, err := st.Submit(ctx, list, by, now)
	if err != nil {
		return nil, err
	}
	indicators := map[int64]*landmark.Indicator{}
	for _, ind := range r.Plan.Indicators() {
		indicators[ind.ID] = ind
	}
	submissions := map[int64]store.Submission{}
	for _, v := range list {
		submissions[v.IndicatorID] = v
	}
	entries := make([]landmark.HistoryEntry, len(sent))
	for i, v := range sent {
		ind, in := indicators[v.IndicatorID], submissions[v.IndicatorID]
		e := landmark.HistoryEntry{
			At: now, Actor: by, Act: "report.submit", PlanID: r.Plan.ID, ProjectID: ind.Project.ID, DepartmentID: ind.Project.Lead.ID,
			IndicatorID: ind.ID, Month: v.Month, Object: ind.Code + " " + ind.Name, Reason: in.Reason,
			After: describe(said{Value: text(in.Amount), Step: in.Step, State: string(landmark.StateSubmitted), Revision: v.Revision}),
		}
		if v.Correction {
			e.Act = "report.correct"
		}
		if old, ok := r.Value(ind.ID, v.Month); ok {
			e.Before = describe(said{Value: text(old.Amount), Step: old.Step, State: string(landmark.StateApproved), Revision: old.Revision})
		}
		entries[i] = e
	}
	return sent, st.AddHistory(ctx, entries...)
}

// move changes states with their history lines. st is in a transaction.
func move(ctx context.Context, st *store.Store, by landmark.Actor, list []store.Seen, to landmark.State, act, reason string, now time.Time) ([]store.Moved, error) {
	moved, err := st.Move(ctx, list, to, reason, by, now)
	if err != nil {
		return nil, err
	}
	entries := make([]landmark.HistoryEntry, len(moved))
	for i, v := range moved {
		entries[i] = landmark.HistoryEntry{
			At: now, Actor: by, Act: act, PlanID: v.PlanID, ProjectID: v.ProjectID, DepartmentID: v.DepartmentID, IndicatorID: v.IndicatorID,
			Month: v.Month, Object: v.Code + " " + v.Name, Reason: reason,
			After: describe(said{Value: text(v.Amount), Step: v.Step, State: string(to), Revision: v.Revision}),
		}
		if v.Previous.Valid || v.PreviousStep != "" {
			entries[i].Before = describe(said{Value: text(v.Previous), Step: v.PreviousStep, State: string(landmark.StateApproved)})
		}
	}
	return moved, st.AddHistory(ctx, entries...)
}

// Approve makes reports the figures of record, all or none. A person may not
// approve what they submitted themselves.
func (s *Service) Approve(ctx context.Context, by landmark.Actor, u landmark.User, list []store.Seen, now time.Time) ([]store.Moved, error) {
	return s.decide(ctx, u.CanReview(), by, list, landmark.StateApproved, "report.approve", "", now)
}

// Return sends reports back to their departments with a reason, all or none.
func (s *Service) Return(ctx context.Context, by landmark.Actor, u landmark.User, list []store.Seen, reason string, now time.Time) ([]store.Moved, error) {
	if reason == "" {
		return nil, landmark.Errorf(landmark.Invalid, "reason", "请写明为什么退回,部门会照着修改")
	}
	if len([]rune(reason)) > 500 {
		return nil, landmark.Errorf(landmark.Invalid, "reason", "退回的理由最多500个字")
	}
	return s.decide(ctx, u.CanReview(), by, list, landmark.StateReturned, "report.return", reason, now)
}

func (s *Service) decide(ctx context.Context, may bool, by landmark.Actor, list []store.Seen, to landmark.State, act, reason string, now time.Time) (moved []store.Moved, err error) {
	if !may {
		return nil, landmark.Errorf(landmark.Forbidden, "", "只有市府办可以审核")
	}
	if len(list) == 0 {
		return nil, landmark.Errorf(landmark.Invalid, "report", "请先勾选要处理的指标")
	}
	err = s.store.Tx(ctx, func(st *store.Store) error {
		moved, err = move(ctx, st, by, list, to, act, reason, now)
		return err
	})
	return moved, err
}

// Take sends submissions that the caller has checked, as the command line and
// the demo do. It is not for a person's form: see Submit.
func (s *Service) Take(ctx context.Context, by landmark.Actor, planSlug string, list []store.Submission, now time.Time) (sent []store.Submitted, err error) {
	err = s.store.Tx(ctx, func(st *store.Store) error {
		r, err := st.Record(ctx, planSlug, time.Time{}, now, s.zone)
		if err != nil {
			return err
		}
		sent, err = submit(ctx, st, r, by, list, now)
		return err
	})
	return sent, err
}

// Chase reminds a department of a month (催报).
func (s *Service) Chase(ctx context.Context, by landmark.Actor, u landmark.User, planSlug, department string, m landmark.Month, now time.Time) error {
	if !u.CanReview() {
		return landmark.Errorf(landmark.Forbidden, "", "只有市府办可以催报")
	}
	return s.store.Tx(ctx, func(st *store.Store) error {
		r, err := st.Record(ctx, planSlug, time.Time{}, now, s.zone)
		if err != nil {
			return err
		}
		d, err := st.FindDepartment(ctx, department)
		if err != nil {
			return err
		}
		if len(r.Plan.Led(d.ID)) == 0 {
			return landmark.Errorf(landmark.Invalid, "department", "%s在这个方案里没有牵头的项目,不用催报", d.Name)
		}
		if m < r.Plan.FirstMonth() || m > r.Plan.LastMonth() {
			return landmark.Errorf(landmark.Invalid, "month", "%s不在方案的报送月份里", m.Chinese())
		}
		if err := st.InsertChase(ctx, r.Plan.ID, d.ID, m, by, now); err != nil {
			return err
		}
		return st.AddHistory(ctx, landmark.HistoryEntry{At: now, Actor: by, Act: "chase.send", PlanID: r.Plan.ID, DepartmentID: d.ID, Month: m, Object: d.Name})
	})
}

// SetPeriod sets a month's calendar, for everyone.
func (s *Service) SetPeriod(ctx context.Context, by landmark.Actor, u landmark.User, planSlug string, p landmark.Period, reason string, now time.Time) error {
	if !u.CanEditPlan() {
		return landmark.Errorf(landmark.Forbidden, "", "只有市府办可以改动报送日期")
	}
	for _, c := range []struct {
		field         string
		before, after landmark.Date
		say           string
	}{
		{"due", p.Opens, p.Due, "截止日不能早于开放日"},
		{"grace", p.Due, p.Grace, "宽限日不能早于截止日"},
		{"lock", p.Grace, p.Lock, "锁定日不能早于宽限日"},
	} {
		if c.after.Compare(c.before) < 0 {
			return landmark.Errorf(landmark.Invalid, c.field, "%s", c.say)
		}
	}
	if reason == "" {
		return landmark.Errorf(landmark.Invalid, "reason", "请写明为什么调整日期,例如“国庆假期顺延”")
	}
	return s.store.Tx(ctx, func(st *store.Store) error {
		r, err := st.Record(ctx, planSlug, time.Time{}, now, s.zone)
		if err != nil {
			return err
		}
		if p.Month < r.Plan.FirstMonth() || p.Month > r.Plan.LastMonth() {
			return landmark.Errorf(landmark.Invalid, "month", "%s不在方案的报送月份里", p.Month.Chinese())
		}
		if err := st.InsertPeriod(ctx, r.Plan.ID, p, reason, by, now); err != nil {
			return err
		}
		return st.AddHistory(ctx, landmark.HistoryEntry{At: now, Actor: by, Act: "period.set", PlanID: r.Plan.ID, Month: p.Month, Object: p.Month.Chinese() + "报送日期",
			Before: describe(dates(r.Period(p.Month))), After: describe(dates(p)), Reason: reason})
	})
}

func dates(p landmark.Period) map[string]string {
	return map[string]string{"opens": p.Opens.String(), "due": p.Due.String(), "grace": p.Grace.String(), "lock": p.Lock.String()}
}

// Override sets an indicator's light for a span of months; the computed light
// stays beside it.
func (s *Service) Override(ctx context.Context, by landmark.Actor, u landmark.User, planSlug, code string, o landmark.Override, now time.Time) error {
	if !u.CanEditPlan() {
		return landmark.Errorf(landmark.Forbidden, "", "只有市府办可以改判")
	}
	switch {
	case o.Light != landmark.Critical && o.Light != landmark.Behind && o.Light != landmark.OnTrack && o.Light != landmark.Done:
		return landmark.Errorf(landmark.Invalid, "light", "只能改判为严重滞后、滞后、正常或已完成")
	case o.Reason == "":
		return landmark.Errorf(landmark.Invalid, "reason", "请写明改判的理由,它会和原判定一起显示")
	case o.Until < o.From:
		return landmark.Errorf(landmark.Invalid, "until", "改判的到期月份不能早于起始月份")
	}
	return s.store.Tx(ctx, func(st *store.Store) error {
		r, err := st.Record(ctx, planSlug, time.Time{}, now, s.zone)
		if err != nil {
			return err
		}
		ind, err := r.Plan.Indicator(code)
		if err != nil {
			return err
		}
		if o.From < r.Plan.FirstMonth() || o.Until > r.Plan.LastMonth() {
			return landmark.Errorf(landmark.Invalid, "until", "改判的月份要在方案的报送月份里")
		}
		if err := st.InsertOverride(ctx, ind.ID, o, by, now); err != nil {
			return err
		}
		a := r.Assess(ind, o.From)
		return st.AddHistory(ctx, landmark.HistoryEntry{At: now, Actor: by, Act: "override.set", PlanID: r.Plan.ID, ProjectID: ind.Project.ID,
			DepartmentID: ind.Project.Lead.ID, IndicatorID: ind.ID, Month: o.From, Object: ind.Code + " " + ind.Name, Reason: o.Reason,
			Before: describe(a.Computed.Chinese()), After: describe(map[string]string{"light": o.Light.Chinese(), "until": o.Until.String()})})
	})
}

// WithdrawOverride ends an override before its time.
func (s *Service) WithdrawOverride(ctx context.Context, by landmark.Actor, u landmark.User, planSlug string, overrideID int64, reason string, now time.Time) error {
	if !u.CanEditPlan() {
		return landmark.Errorf(landmark.Forbidden, "", "只有市府办可以撤销改判")
	}
	return s.store.Tx(ctx, func(st *store.Store) error {
		r, err := st.Record(ctx, planSlug, time.Time{}, now, s.zone)
		if err != nil {
			return err
		}
		for _, ind := range r.Plan.Indicators() {
			for _, o := range r.Overrides[ind.ID] {
				if o.ID != overrideID {
					continue
				}
				if err := st.WithdrawOverride(ctx, ind.ID, o, reason, by, now); err != nil {
					return err
				}
				return st.AddHistory(ctx, landmark.HistoryEntry{At: now, Actor: by, Act: "override.withdraw", PlanID: r.Plan.ID, ProjectID: ind.Project.ID,
					DepartmentID: ind.Project.Lead.ID, IndicatorID: ind.ID, Month: o.From, Object: ind.Code + " " + ind.Name, Reason: reason,
					Before: describe(o.Light.Chinese())})
			}
		}
		return landmark.Errorf(landmark.NotFound, "", "没有这条改判")
	})
}

// TaskSaid is what somebody says of a task: a state, a note or both.
type TaskSaid struct {
	Code  string // 4-2
	State landmark.TaskState
	Note  string
}

// UpdateTasks takes what a department says of tasks for a month. The lead
// department sets states; a cooperating one adds notes.
func (s *Service) UpdateTasks(ctx context.Context, by landmark.Actor, u landmark.User, planSlug string, m landmark.Month, list []TaskSaid, now time.Time) error {
	return s.store.Tx(ctx, func(st *store.Store) error {
		r, err := st.Record(ctx, planSlug, time.Time{}, now, s.zone)
		if err != nil {
			return err
		}
		return updateTasks(ctx, st, r, by, u, m, list, now)
	})
}

func updateTasks(ctx context.Context, st *store.Store, r *landmark.Record, by landmark.Actor, u landmark.User, m landmark.Month, list []TaskSaid, now time.Time) error {
	var updates []landmark.TaskUpdate
	var entries []landmark.HistoryEntry
	for _, in := range list {
		project, task, err := r.Plan.Task(in.Code)
		if err != nil {
			return err
		}
		if !u.CanNote(project) {
			return landmark.Errorf(landmark.Forbidden, "", "任务%s不是您部门牵头或配合的", in.Code)
		}
		if in.State != "" && !u.CanReport(project.Lead.ID) {
			return landmark.Errorf(landmark.Forbidden, "", "任务%s的状态由牵头单位填写,配合单位只能补充进展", in.Code)
		}
		old := r.TaskStateIn(task.ID, m)
		updates = append(updates, landmark.TaskUpdate{TaskID: task.ID, Month: m, State: in.State, Note: in.Note, DepartmentID: u.DepartmentID})
		entries = append(entries, landmark.HistoryEntry{At: now, Actor: by, Act: "task.update", PlanID: r.Plan.ID, ProjectID: project.ID,
			DepartmentID: u.DepartmentID, Month: m, Object: "任务 " + in.Code, Before: describe(old.Chinese()),
			After: describe(map[string]string{"state": stateWord(in.State), "note": in.Note})})
	}
	if len(updates) == 0 {
		return nil
	}
	if err := st.InsertTaskUpdates(ctx, updates, by, now); err != nil {
		return err
	}
	return st.AddHistory(ctx, entries...)
}

func stateWord(s landmark.TaskState) string {
	if s == "" {
		return ""
	}
	return s.Chinese()
}

// Reach records that a scenario reached a stage on a day.
func (s *Service) Reach(ctx context.Context, by landmark.Actor, u landmark.User, planSlug, code, step string, on landmark.Date, now time.Time) error {
	return s.store.Tx(ctx, func(st *store.Store) error {
		r, err := st.Record(ctx, planSlug, time.Time{}, now, s.zone)
		if err != nil {
			return err
		}
		project, scenario, err := r.Plan.Scenario(code)
		if err != nil {
			return err
		}
		if !u.CanReport(project.Lead.ID) && !u.CanEditPlan() {
			return landmark.Errorf(landmark.Forbidden, "", "场景的进展由牵头单位填写")
		}
		if on.Compare(landmark.DateOf(now.In(s.zone))) > 0 {
			return landmark.Errorf(landmark.Invalid, "reached_on", "日期不能晚于今天")
		}
		known := false
		for _, v := range landmark.MilestoneSteps {
			known = known || v == step
		}
		if !known {
			return landmark.Errorf(landmark.Invalid, "step", "没有“%s”这个阶段", step)
		}
		if err := st.InsertMilestone(ctx, scenario.ID, step, on, by, now); err != nil {
			return err
		}
		return st.AddHistory(ctx, landmark.HistoryEntry{At: now, Actor: by, Act: "milestone.reach", PlanID: r.Plan.ID, ProjectID: project.ID,
			DepartmentID: project.Lead.ID, Month: on.InMonth(), Object: scenario.Name, After: describe(map[string]string{"step": step, "on": on.String()})})
	})
}
