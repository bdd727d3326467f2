package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"landmark/internal/landmark"
)

// AddTarget adds a target that holds from its month on.
func (s *Store) AddTarget(ctx context.Context, indicatorID int64, t landmark.Target, by landmark.Actor, at time.Time) error {
	return s.one(ctx, "add target", func(b *pgx.Batch) error { queueTarget(b, indicatorID, t, by, at); return nil })
}

// AddNature adds what kind of figure an indicator is, for all months.
func (s *Store) AddNature(ctx context.Context, ind *landmark.Indicator, reason string, by landmark.Actor, at time.Time) error {
	return s.one(ctx, "add nature", func(b *pgx.Batch) error { return queueNature(b, ind, reason, by, at) })
}

// AddCurve adds a plan curve that holds from its month on.
func (s *Store) AddCurve(ctx context.Context, indicatorID int64, c landmark.Curve, by landmark.Actor, at time.Time) error {
	return s.one(ctx, "add curve", func(b *pgx.Batch) error { return queueCurve(b, indicatorID, c, by, at) })
}

// AddDefinition adds a statistical scope that holds from its month on.
func (s *Store) AddDefinition(ctx context.Context, indicatorID int64, d landmark.Definition, by landmark.Actor, at time.Time) error {
	return s.one(ctx, "add definition", func(b *pgx.Batch) error { queueDefinition(b, indicatorID, d, by, at); return nil })
}

// AddRule adds a light rule that holds from its month on.
func (s *Store) AddRule(ctx context.Context, planID int64, r landmark.LightRule, reason string, by landmark.Actor, at time.Time) error {
	return s.one(ctx, "add light rule", func(b *pgx.Batch) error { queueRule(b, planID, r, reason, by, at); return nil })
}

// one sends the one statement that queue puts in the batch.
func (s *Store) one(ctx context.Context, op string, queue func(*pgx.Batch) error) error {
	b := &pgx.Batch{}
	if err := queue(b); err != nil {
		return wrap(err, "%s", op)
	}
	return wrap(s.db.SendBatch(ctx, b).Close(), "%s", op)
}

// LockPlan keeps other upkeep of the plan waiting until the transaction ends,
// so that what was checked still holds when it is written.
func (s *Store) LockPlan(ctx context.Context, planID int64) error {
	var id int64
	return wrap(s.db.QueryRow(ctx, `SELECT id FROM plan WHERE id = $1 FOR UPDATE`, planID).Scan(&id), "lock plan %d", planID)
}

// InsertDepartment adds a department and sets its ID. It returns an Invalid
// error if the name or slug is taken.
func (s *Store) InsertDepartment(ctx context.Context, d *landmark.Department) error {
	err := s.db.QueryRow(ctx, `
		INSERT INTO department (slug, name, sort, collective, sign_off_required)
		VALUES ($1, $2, coalesce((SELECT max(sort) FROM department), 0) + 1, $3, $4)
		RETURNING id, sort`,
		d.Slug, d.Name, d.Collective, d.SignOffRequired).Scan(&d.ID, &d.Sort)
	return wrap(err, "insert department %s", d.Slug)
}

// RequireSignOff sets whether a department's leader signs its reports first. It
// returns a NotFound error without such a department.
func (s *Store) RequireSignOff(ctx context.Context, departmentID int64, required bool) error {
	var id int64
	err := s.db.QueryRow(ctx, `UPDATE department SET sign_off_required = $2 WHERE id = $1 RETURNING id`, departmentID, required).Scan(&id)
	return wrap(err, "set sign-off of department %d", departmentID)
}

// InsertAlias adds another name a department is printed under. It returns an
// Invalid error if some department has it already.
func (s *Store) InsertAlias(ctx context.Context, departmentID int64, printed string) error {
	var id int64
	err := s.db.QueryRow(ctx, `INSERT INTO department_alias (printed, department_id) VALUES ($1, $2) RETURNING department_id`, printed, departmentID).Scan(&id)
	return wrap(err, "insert alias of department %d", departmentID)
}

// DeleteAlias takes away a printed name and gives the department it led to. It
// returns a NotFound error without such a name.
func (s *Store) DeleteAlias(ctx context.Context, printed string) (landmark.Department, error) {
	rows, err := s.db.Query(ctx, `
		DELETE FROM department_alias a USING department d
		WHERE a.printed = $1 AND d.id = a.department_id
		RETURNING d.id, d.slug, d.name, d.sort, d.collective, d.sign_off_required`, printed)
	if err != nil {
		return landmark.Department{}, wrap(err, "delete alias %q", printed)
	}
	d, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[landmark.Department])
	return d, wrap(err, "delete alias %q", printed)
}

// MarkDemo says that a plan holds made-up reports.
func (s *Store) MarkDemo(ctx context.Context, planID int64) error {
	var id int64
	return wrap(s.db.QueryRow(ctx, `UPDATE plan SET demo = true WHERE id = $1 RETURNING id`, planID).Scan(&id), "mark plan %d as demo", planID)
}

// Holdings are what tells a demo database from a real one.
type Holdings struct {
	Plans       int
	Demo        bool // some plan holds made-up reports
	RealReports bool // some plan that is not a demo has reports or drafts
	Accounts    int
	LastAct     time.Time // zero without any history
}

// Holdings looks at what the database holds.
func (s *Store) Holdings(ctx context.Context) (Holdings, error) {
	var h Holdings
	var last *time.Time
	err := s.db.QueryRow(ctx, `
		SELECT (SELECT count(*) FROM plan),
			EXISTS (SELECT FROM plan WHERE demo),
			EXISTS (SELECT FROM plan p JOIN project j ON j.plan_id = p.id JOIN indicator i ON i.project_id = j.id
				WHERE NOT p.demo AND (EXISTS (SELECT FROM report r WHERE r.indicator_id = i.id) OR EXISTS (SELECT FROM report_draft d WHERE d.indicator_id = i.id))),
			(SELECT count(*) FROM account),
			(SELECT recorded_at FROM history ORDER BY id DESC LIMIT 1)`).
		Scan(&h.Plans, &h.Demo, &h.RealReports, &h.Accounts, &last)
	if last != nil {
		h.LastAct = *last
	}
	return h, wrap(err, "look at what the database holds")
}
