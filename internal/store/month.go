package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"landmark/internal/landmark"
)

// Chase adds a reminder to a department about a month, unless one was sent after
// since; of several at once one is sent. Call it in a transaction.
func (s *Store) Chase(ctx context.Context, planID, departmentID int64, m landmark.Month, since time.Time, by landmark.Actor, at time.Time) (sent bool, err error) {
	var c Changes
	c.wait("chase", planID, departmentID, m)
	c.batch.Queue(`
		INSERT INTO chase (plan_id, department_id, month, recorded_by, recorded_at)
		SELECT $1, $2, $3, $4, $5
		WHERE NOT EXISTS (SELECT FROM chase WHERE plan_id = $1 AND department_id = $2 AND month = $3 AND recorded_at > $6)`,
		planID, departmentID, monthDate(m), by.Name, at, since).Exec(func(tag pgconn.CommandTag) error {
		sent = tag.RowsAffected() == 1
		return nil
	})
	return sent, wrap(s.Apply(ctx, &c), "chase department %d for %s", departmentID, m)
}

// InsertPeriod adds a month's calendar, which holds from now on.
func (s *Store) InsertPeriod(ctx context.Context, planID int64, p landmark.Period, reason string, by landmark.Actor, at time.Time) error {
	_, err := s.db.Exec(ctx, `
		INSERT INTO period (plan_id, month, opens_on, due_on, grace_on, lock_on, reason, recorded_by, recorded_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		planID, monthDate(p.Month), dayDate(p.Opens), dayDate(p.Due), dayDate(p.Grace), dayDate(p.Lock), reason, by.Name, at)
	return wrap(err, "set period %s", p.Month)
}

// InsertExtension gives a department more time for a month.
func (s *Store) InsertExtension(ctx context.Context, planID int64, e landmark.Extension, by landmark.Actor, at time.Time) error {
	_, err := s.db.Exec(ctx, `
		INSERT INTO extension (plan_id, department_id, month, due_on, reason, recorded_by, recorded_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		planID, e.DepartmentID, monthDate(e.Month), dayDate(e.Due), e.Reason, by.Name, at)
	return wrap(err, "extend %s for department %d", e.Month, e.DepartmentID)
}

// InsertOverride adds a light set by the office.
func (s *Store) InsertOverride(ctx context.Context, indicatorID int64, o landmark.Override, by landmark.Actor, at time.Time) error {
	_, err := s.db.Exec(ctx, `
		INSERT INTO light_override (indicator_id, from_month, until_month, light, reason, account_id, recorded_by, recorded_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		indicatorID, monthDate(o.From), monthDate(o.Until), string(o.Light), o.Reason, id(by.AccountID), by.Name, at)
	return wrap(err, "override indicator %d", indicatorID)
}

// WithdrawOverride ends an override. It returns a Conflict error if it has been
// withdrawn already.
func (s *Store) WithdrawOverride(ctx context.Context, indicatorID int64, o landmark.Override, reason string, by landmark.Actor, at time.Time) error {
	if reason == "" {
		reason = "撤销改判"
	}
	_, err := s.db.Exec(ctx, `
		INSERT INTO light_override (indicator_id, from_month, until_month, light, reason, withdraws_id, account_id, recorded_by, recorded_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		indicatorID, monthDate(o.From), monthDate(o.Until), string(o.Light), reason, o.ID, id(by.AccountID), by.Name, at)
	return wrap(err, "withdraw override %d", o.ID)
}

// AddTaskUpdates adds what was said of tasks.
func (c *Changes) AddTaskUpdates(list []landmark.TaskUpdate, by landmark.Actor, at time.Time) {
	n := len(list)
	tasks, months, departments := make([]int64, n), make([]pgtype.Date, n), make([]int64, n)
	states, notes := make([]string, n), make([]string, n)
	for i, u := range list {
		tasks[i], months[i], departments[i], states[i], notes[i] = u.TaskID, monthDate(u.Month), u.DepartmentID, string(u.State), u.Note
	}
	c.queue(n, `
		INSERT INTO task_update (task_id, month, state, note, department_id, account_id, recorded_by, recorded_at)
		SELECT task_id, month, state, note, department_id, $6, $7, $8
		FROM unnest($1::bigint[], $2::date[], $3::text[], $4::text[], $5::bigint[]) AS t (task_id, month, state, note, department_id)`,
		tasks, months, states, notes, departments, id(by.AccountID), by.Name, at)
}

// Milestone is a stage of a scenario reached on a day, or taken back.
type Milestone struct {
	ScenarioID int64
	Step       string
	On         landmark.Date
	Withdrawn  bool
	Stood      landmark.Date // the day that stood before; zero: none did
}

// AddMilestone adds a stage a scenario reached, or takes one back. The changes are
// refused with ErrStale if another day stands by now than the one seen.
func (c *Changes) AddMilestone(m Milestone, by landmark.Actor, at time.Time) {
	c.wait("milestone", m.ScenarioID)
	c.queue(1, `
		INSERT INTO milestone (scenario_id, step, reached_on, withdrawn, account_id, recorded_by, recorded_at)
		SELECT $1, $2, $3, $4, $5, $6, $7
		WHERE $8::date IS NOT DISTINCT FROM (
			SELECT CASE WHEN NOT withdrawn THEN reached_on END FROM milestone WHERE scenario_id = $1 AND step = $2 ORDER BY id DESC LIMIT 1)`,
		m.ScenarioID, m.Step, dayDate(m.On), m.Withdrawn, id(by.AccountID), by.Name, at, dayDate(m.Stood))
}
