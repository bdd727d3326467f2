package landmark

import (
	"time"

	"github.com/shopspring/decimal"
)

// Record is everything the pages of one plan are made from, exactly as it
// stood at a moment. Slices by indicator are ascending by month.
type Record struct {
	Plan *Plan
	AsOf time.Time // the moment it shows
	Zone *time.Location

	Values     map[int64][]Value      // by indicator: what stood approved, the newest revision of each month
	Reports    map[int64][]Report     // by indicator: where each month's report stood on its way
	Overrides  map[int64][]Override   // by indicator
	Updates    map[int64][]TaskUpdate // by task, ascending by time
	Milestones map[int64][]Milestone  // by scenario, ascending by time
	Periods    map[Month][]PeriodSet  // as the office set them, ascending by time; without any the default holds
	Extensions []Extension
	Chases     []Chase
}

// Value is an approved value of an indicator for a month.
type Value struct {
	Month        Month
	Amount       decimal.NullDecimal
	Step         string // qualitative: the step's name
	Note         string
	Reason       string // why a soft check was set aside, or why it was corrected
	Revision     int    // of the report, from 1
	Corrections  int    // how many approved values of the month it replaced
	Previous     decimal.NullDecimal
	PreviousStep string
	ReportedBy   string
	ReportedAt   time.Time
	ApprovedBy   string
	ApprovedAt   time.Time
}

// Override is a light set by the office for a span of months.
type Override struct {
	ID          int64
	IndicatorID int64
	From, Until Month // both included
	Light       Light
	Reason      string
	RecordedBy  string
	RecordedAt  time.Time
	Withdrawn   bool
}

// TaskState is where a key task stands.
type TaskState string

// The states of a task.
const (
	TaskNotStarted TaskState = "not_started" // 未启动
	TaskUnderway   TaskState = "underway"    // 推进中
	TaskDone       TaskState = "done"        // 已完成
)

// TaskStates are all of them in order.
var TaskStates = []TaskState{TaskNotStarted, TaskUnderway, TaskDone}

// Chinese is the state on pages.
func (s TaskState) Chinese() string {
	switch s {
	case TaskUnderway:
		return "推进中"
	case TaskDone:
		return "已完成"
	default:
		return "未启动"
	}
}

// TaskUpdate is what a department said of a task: a state, a note or both.
// Cooperating departments add notes only.
type TaskUpdate struct {
	TaskID       int64
	Month        Month
	State        TaskState // empty: a note only
	Note         string
	DepartmentID int64
	Department   string
	RecordedBy   string
	RecordedAt   time.Time
}

// MilestoneSteps are the stages of a showcase scenario, in order.
var MilestoneSteps = []string{"选址", "建设", "验收", "开放"}

// Milestone is a stage of a scenario reached.
type Milestone struct {
	ScenarioID int64
	Step       string // one of MilestoneSteps
	ReachedOn  Date
	Withdrawn  bool
	RecordedBy string
	RecordedAt time.Time
}

// Period is the calendar of one month's report. A day counts to its end.
type Period struct {
	Month Month
	Opens Date // first day reports are taken, by default the month's last day
	Due   Date // by default the 5th of the next month; later is late
	Grace Date // by default two days more; still accepted by anyone
	Lock  Date // by default the 15th; afterwards corrections only
}

// DefaultPeriod is the calendar of a month for which nobody set another.
func DefaultPeriod(m Month) Period {
	next := (m + 1).FirstDay()
	return Period{Month: m, Opens: m.LastDay(), Due: next.AddDays(4), Grace: next.AddDays(6), Lock: next.AddDays(14)}
}

// PeriodSet is a month's calendar as the office set it at a moment.
type PeriodSet struct {
	Period
	RecordedAt time.Time
}

// Extension gives one department more time for one month.
type Extension struct {
	DepartmentID int64
	Month        Month
	Due          Date
	Reason       string
	RecordedAt   time.Time
}

// Chase is a reminder the office sent to a department about a month (催报).
type Chase struct {
	DepartmentID int64
	Month        Month
	By           string
	At           time.Time
}

// Period is the month's calendar.
func (r *Record) Period(m Month) Period {
	if sets := r.Periods[m]; len(sets) > 0 {
		return sets[len(sets)-1].Period
	}
	return DefaultPeriod(m)
}

// periodAt is the month's calendar as it was in force at a moment.
func (r *Record) periodAt(m Month, at time.Time) Period {
	p := DefaultPeriod(m)
	for _, set := range r.Periods[m] {
		if set.RecordedAt.After(at) {
			break
		}
		p = set.Period
	}
	return p
}

// lockedPeriod is the calendar by which the month was locked for the first time,
// or will be. Dates moved once a month was locked open it again and leave what it
// was judged by.
func (r *Record) lockedPeriod(m Month) Period {
	p := DefaultPeriod(m)
	for _, set := range r.Periods[m] {
		if DateOf(set.RecordedAt.In(r.Zone)).Compare(p.Lock) > 0 {
			break
		}
		p = set.Period
	}
	return p
}

// DueFor is the day a department's report of a month is due, extension included.
func (r *Record) DueFor(departmentID int64, m Month) Date {
	return r.extended(departmentID, m, r.Period(m).Due, time.Time{})
}

// MissingAfter is the day after which a report that never came is missing: the
// day it is due. Once the month was locked, no other date set for everyone moves
// it, so that what was missing stays so; an extension is granted to one
// department on purpose, and does.
func (r *Record) MissingAfter(departmentID int64, m Month) Date {
	return r.extended(departmentID, m, r.lockedPeriod(m).Due, time.Time{})
}

// extended is a due day with the extensions granted by a moment; the zero time is
// any.
func (r *Record) extended(departmentID int64, m Month, due Date, at time.Time) Date {
	for _, e := range r.Extensions {
		if e.DepartmentID == departmentID && e.Month == m && (at.IsZero() || !e.RecordedAt.After(at)) && e.Due.Compare(due) > 0 {
			due = e.Due
		}
	}
	return due
}

// Today is the day the record shows.
func (r *Record) Today() Date { return DateOf(r.AsOf.In(r.Zone)) }

// NewestDue is the newest month whose due date has passed: the month pages show
// unless told otherwise. Before any, it is the plan's first month.
func (r *Record) NewestDue() Month {
	newest := r.Plan.FirstMonth()
	for _, m := range r.Plan.Months() {
		if r.Period(m).Due.Compare(r.Today()) < 0 {
			newest = m
		}
	}
	return newest
}

// Value is the approved value of an indicator for a month.
func (r *Record) Value(indicatorID int64, m Month) (Value, bool) {
	for _, v := range r.Values[indicatorID] {
		if v.Month == m {
			return v, true
		}
	}
	return Value{}, false
}

// LastValue is the newest approved value of the plan's year up to month m.
func (r *Record) LastValue(indicatorID int64, m Month) (Value, bool) {
	var last Value
	for _, v := range r.Values[indicatorID] {
		if v.Month <= m && v.Month >= MonthOf(r.Plan.Year, 1) && v.Month >= last.Month {
			last = v
		}
	}
	return last, !last.Month.IsZero()
}

// TaskStateIn is where a task stood at the end of month m: its newest state
// said for that month or before.
func (r *Record) TaskStateIn(taskID int64, m Month) TaskState {
	state := TaskNotStarted
	for _, u := range r.Updates[taskID] {
		if u.State != "" && u.Month <= m {
			state = u.State
		}
	}
	return state
}

// Reached are the stages a scenario had reached by the end of month m, in order.
func (r *Record) Reached(scenarioID int64, m Month) []Milestone {
	newest := map[string]Milestone{}
	for _, v := range r.Milestones[scenarioID] {
		newest[v.Step] = v
	}
	var out []Milestone
	for _, step := range MilestoneSteps {
		if v, ok := newest[step]; ok && !v.Withdrawn && v.ReachedOn.InMonth() <= m {
			out = append(out, v)
		}
	}
	return out
}

// Opened says whether a scenario had reached its last stage by the end of month m.
func (r *Record) Opened(scenarioID int64, m Month) bool {
	reached := r.Reached(scenarioID, m)
	return len(reached) > 0 && reached[len(reached)-1].Step == MilestoneSteps[len(MilestoneSteps)-1]
}

// Report is where the month's report of an indicator stands; StateNone if
// nothing was ever sent.
func (r *Record) Report(indicatorID int64, m Month) Report {
	for _, v := range r.Reports[indicatorID] {
		if v.Month == m {
			return v
		}
	}
	return Report{IndicatorID: indicatorID, Month: m}
}
