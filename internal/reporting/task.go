package reporting

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"landmark/internal/landmark"
	"landmark/internal/store"
)

// TaskSaid is what somebody says of a task: a state, a note or both.
type TaskSaid struct {
	Code  string // 4-2
	State landmark.TaskState
	Note  string
}

// UpdateTasks takes what a department says of tasks for a month. The lead
// department sets states; a cooperating one adds notes.
func (s *Service) UpdateTasks(ctx context.Context, by landmark.Actor, u landmark.User, planSlug string, m landmark.Month, list []TaskSaid, now time.Time) error {
	return s.tx(ctx, func(st *store.Store) error {
		r, err := st.Record(ctx, planSlug, time.Time{}, now, s.zone)
		if err != nil {
			return err
		}
		if err := taskMonth(r, m); err != nil {
			return err
		}
		for i, in := range list {
			project, task, err := r.Plan.Task(in.Code)
			if err != nil {
				return err
			}
			if err := mayTask(u, project, task, in.State != ""); err != nil {
				return err
			}
			list[i].Note = strings.TrimSpace(cleanText(in.Note))
			switch {
			case in.State != "" && !slices.Contains(landmark.TaskStates, in.State):
				return landmark.Errorf(landmark.Invalid, "task_state", "任务%s的状态只能是未启动、推进中或已完成", in.Code)
			case in.State == "" && list[i].Note == "":
				return landmark.Errorf(landmark.Invalid, "task_note", "请填写任务%s的进展或状态", in.Code)
			case utf8.RuneCountInString(list[i].Note) > maxNote:
				return landmark.Errorf(landmark.Invalid, "task_note", "任务%s的进展最多%d个字", in.Code, maxNote)
			}
		}
		var changes store.Changes
		entries, err := sayTasks(&changes, r, by, u.DepartmentID, m, list, now)
		if err != nil {
			return err
		}
		changes.AddHistory(entries...)
		return st.Apply(ctx, &changes)
	})
}

// taskMonth asks whether tasks are still, or already, reported on for a month.
func taskMonth(r *landmark.Record, m landmark.Month) error {
	switch {
	case m < r.Plan.FirstMonth() || m > r.Plan.LastMonth():
		return landmark.Errorf(landmark.Invalid, "month", "%s不在方案的报送月份里", m.Chinese())
	case r.Today().Compare(m.FirstDay()) < 0:
		return landmark.Errorf(landmark.Invalid, "month", "%s还没有开始,任务进展到当月再填", m.Chinese())
	case r.Today().Compare(r.Period(m).Lock) > 0:
		return landmark.Errorf(landmark.Invalid, "month", "%s已经锁定,任务的新进展请填在之后的月份", m.Chinese())
	}
	return nil
}

// sayTasks adds what was said of tasks and gives back its history lines for the
// caller to add. Whether the user may was asked before.
func sayTasks(c *store.Changes, r *landmark.Record, by landmark.Actor, departmentID int64, m landmark.Month, list []TaskSaid, now time.Time) ([]landmark.HistoryEntry, error) {
	var updates []landmark.TaskUpdate
	var entries []landmark.HistoryEntry
	for _, in := range list {
		project, task, err := r.Plan.Task(in.Code)
		if err != nil {
			return nil, err
		}
		updates = append(updates, landmark.TaskUpdate{TaskID: task.ID, Month: m, State: in.State, Note: in.Note, DepartmentID: departmentID})
		entries = append(entries, landmark.HistoryEntry{At: now, Actor: by, Act: "task.update", PlanID: r.Plan.ID, ProjectID: project.ID,
			DepartmentID: departmentID, Month: m, Object: "任务 " + in.Code, Before: describe(map[string]string{"state": r.TaskStateIn(task.ID, m).Chinese()}),
			After: describe(map[string]string{"state": stateWord(in.State), "note": in.Note})})
	}
	c.AddTaskUpdates(updates, by, now)
	return entries, nil
}

func stateWord(s landmark.TaskState) string {
	if s == "" {
		return ""
	}
	return s.Chinese()
}

// Reach records that a scenario reached a stage on a day.
func (s *Service) Reach(ctx context.Context, by landmark.Actor, u landmark.User, planSlug, code, step string, on landmark.Date, now time.Time) error {
	return s.milestone(ctx, by, u, planSlug, code, step, on, false, now)
}

// Unreach takes a stage back that was recorded by mistake.
func (s *Service) Unreach(ctx context.Context, by landmark.Actor, u landmark.User, planSlug, code, step string, now time.Time) error {
	return s.milestone(ctx, by, u, planSlug, code, step, landmark.Date{}, true, now)
}

func (s *Service) milestone(ctx context.Context, by landmark.Actor, u landmark.User, planSlug, code, step string, on landmark.Date, withdraw bool, now time.Time) error {
	for attempt := 1; ; attempt++ {
		err := s.tx(ctx, func(st *store.Store) error {
			r, err := st.Record(ctx, planSlug, time.Time{}, now, s.zone)
			if err != nil {
				return err
			}
			v := stage{code: code, step: step, on: on, withdraw: withdraw}
			if err := v.find(r, u); err != nil {
				return err
			}
			if err := v.check(r); err != nil {
				return err
			}
			if v.said() {
				if withdraw {
					return landmark.Errorf(landmark.Conflict, "step", "%s还没有登记到“%s”这个阶段", landmark.Quoted(v.scenario.Name), step)
				}
				return nil
			}
			var changes store.Changes
			changes.AddHistory(v.write(&changes, r, by, now))
			return st.Apply(ctx, &changes)
		})
		if attempt == attempts || !errors.Is(err, store.ErrStale) {
			return err
		}
	}
}

// stage is a change of a scenario's stage: reached on a day, or taken back.
type stage struct {
	code, step string
	on         landmark.Date
	withdraw   bool
	project    *landmark.Project
	scenario   landmark.Scenario
	stood      landmark.Date // zero: the stage was not reached
}

// find asks whether there is such a stage and whether the user may change it, and
// looks up what stands.
func (v *stage) find(r *landmark.Record, u landmark.User) (err error) {
	if v.project, v.scenario, err = r.Plan.Scenario(v.code); err != nil {
		return err
	}
	switch {
	case !u.CanReport(v.project.Lead.ID) && !u.CanEditPlan():
		return landmark.Errorf(landmark.Forbidden, "", "场景的进展由牵头单位填写")
	case !slices.Contains(landmark.MilestoneSteps, v.step):
		return landmark.Errorf(landmark.Invalid, "step", "没有“%s”这个阶段", v.step)
	}
	for _, m := range r.Milestones[v.scenario.ID] {
		if m.Step != v.step {
			continue
		}
		if v.stood = m.ReachedOn; m.Withdrawn {
			v.stood = landmark.Date{}
		}
	}
	return nil
}

// check asks whether the day can be.
func (v *stage) check(r *landmark.Record) error {
	switch {
	case v.withdraw:
		return nil
	case v.on.IsZero():
		return landmark.Errorf(landmark.Invalid, "reached_on", "请填写日期")
	case v.on.Compare(r.Today()) > 0:
		return landmark.Errorf(landmark.Invalid, "reached_on", "%s%s的日期不能晚于今天", landmark.Quoted(v.scenario.Name), v.step)
	case v.on.InMonth() < landmark.MonthOf(r.Plan.Year-5, 1):
		return landmark.Errorf(landmark.Invalid, "reached_on", "%s%s的日期太早,请核对年份", landmark.Quoted(v.scenario.Name), v.step)
	}
	return nil
}

// said says whether the stage stands like this already.
func (v *stage) said() bool {
	if v.withdraw {
		return v.stood.IsZero()
	}
	return v.stood == v.on
}

// write adds the change, and gives back its history line.
func (v *stage) write(c *store.Changes, r *landmark.Record, by landmark.Actor, now time.Time) landmark.HistoryEntry {
	e := landmark.HistoryEntry{At: now, Actor: by, Act: "milestone.reach", PlanID: r.Plan.ID, ProjectID: v.project.ID, DepartmentID: v.project.Lead.ID, Object: v.scenario.Name}
	if !v.stood.IsZero() {
		e.Before = describe(map[string]string{"step": v.step, "on": v.stood.String()})
	}
	on := v.on
	if v.withdraw {
		e.Act, on = "milestone.withdraw", v.stood
	}
	e.Month, e.After = on.InMonth(), describe(map[string]string{"step": v.step, "on": on.String()})
	c.AddMilestone(store.Milestone{ScenarioID: v.scenario.ID, Step: v.step, On: on, Withdrawn: v.withdraw, Stood: v.stood}, by, now)
	return e
}
