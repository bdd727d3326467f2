package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/shopspring/decimal"

	"landmark/internal/landmark"
)

// Record reads a plan and all that pages say of it, exactly as it stood at
// asOf; the zero time is now, and now says when that is. An empty slug is the
// newest plan. All of it is of one state of the database. It returns a NotFound
// error if there is no such plan.
func (s *Store) Record(ctx context.Context, slug string, asOf, now time.Time, zone *time.Location) (*landmark.Record, error) {
	if !asOf.IsZero() {
		return s.readRecord(ctx, slug, asOf, now, zone)
	}
	type key struct{ record string }
	kept, err := remember(ctx, s, key{slug}, recordWeight, func() (*landmark.Record, error) {
		return s.readRecord(ctx, slug, asOf, now, zone)
	})
	if err != nil {
		return nil, err
	}
	r := *kept
	r.AsOf, r.Zone = now, zone
	return &r, nil
}

func (s *Store) readRecord(ctx context.Context, slug string, asOf, now time.Time, zone *time.Location) (*landmark.Record, error) {
	if asOf.IsZero() {
		if r, err := s.recordAtOnce(ctx, slug, now, zone); r != nil || err != nil {
			return r, wrap(err, "read plan %q", slug)
		}
	}
	var r *landmark.Record
	err := s.snapshot(ctx, func(s *Store) (err error) {
		if !asOf.IsZero() {
			r, err = s.recordAsOf(ctx, slug, asOf, zone)
			return err
		}
		b := &pgx.Batch{}
		reading := s.queueRecord(b, slug, 0, now, zone)
		if err := s.db.SendBatch(ctx, b).Close(); err != nil {
			return err
		}
		r, _, err = reading.done(ctx, s)
		return err
	})
	if err != nil {
		return nil, wrap(err, "read plan %q", slug)
	}
	return r, nil
}

// recordAtOnce reads a plan whose outline is kept in one round trip: the beginning
// and the end of the snapshot travel with what it reads. It gives nil where the
// outline is not kept or no longer holds, or where the caller's transaction is the
// snapshot.
func (s *Store) recordAtOnce(ctx context.Context, slug string, now time.Time, zone *time.Location) (*landmark.Record, error) {
	if _, ok := s.db.(beginner); !ok || s.outlines.get(slug) == nil {
		return nil, nil
	}
	b := &pgx.Batch{}
	b.Queue("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
	reading := s.queueRecord(b, slug, 0, now, zone)
	b.Queue("COMMIT")
	if err := s.db.SendBatch(ctx, b).Close(); err != nil {
		return nil, err // a connection in the middle of a transaction is not used again
	}
	if !reading.held() {
		return nil, nil
	}
	return reading.record, nil
}

// recordAsOf reads everything anew: of the past nothing is kept.
func (s *Store) recordAsOf(ctx context.Context, slug string, asOf time.Time, zone *time.Location) (*landmark.Record, error) {
	o, err := s.readOutline(ctx, slug, moment(asOf))
	if err != nil {
		return nil, err
	}
	r := o.record(asOf, zone)
	b := &pgx.Batch{}
	l := &loader{record: r, batch: b, at: moment(asOf)}
	l.queueLive(o, 0)
	return r, s.db.SendBatch(ctx, b).Close()
}

// recordReading is a record on its way: its statements are queued on a batch
// that somebody else sends.
type recordReading struct {
	slug         string
	departmentID int64
	now          time.Time
	zone         *time.Location
	guess        *outline         // what the statements were made for; nil if nothing is kept yet
	record       *landmark.Record // of guess
	id, edition  int64            // of the plan as it is
}

// queueRecord queues the statements that read a plan as it is: what is kept of it
// is asked whether it still holds, and what moves is read. With a department only
// what its form needs is read of the latter.
func (s *Store) queueRecord(b *pgx.Batch, slug string, departmentID int64, now time.Time, zone *time.Location) *recordReading {
	q := &recordReading{slug: slug, departmentID: departmentID, now: now, zone: zone, guess: s.outlines.get(slug)}
	b.Queue(`
		SELECT p.id, coalesce(e.edition, 0)
		FROM plan p LEFT JOIN plan_edition e ON e.plan_id = p.id
		WHERE p.id = (`+planBy(slug)+`)`, slug, moment(time.Time{})).QueryRow(func(row pgx.Row) error {
		err := row.Scan(&q.id, &q.edition)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil // done says so
		}
		return err
	})
	if q.guess != nil {
		q.record = q.guess.record(now, zone)
		l := &loader{record: q.record, batch: b, at: moment(time.Time{})}
		l.queueLive(q.guess, departmentID)
	}
	return q
}

// done gives the record and its outline after the batch was sent. Where what was
// kept no longer holds, it reads what the plan is now.
func (q *recordReading) done(ctx context.Context, s *Store) (*landmark.Record, *outline, error) {
	switch {
	case q.id == 0:
		return nil, nil, errNoPlan
	case q.held():
		return q.record, q.guess, nil
	}
	o, err := s.readOutline(ctx, q.slug, moment(time.Time{}))
	if err != nil {
		return nil, nil, err
	}
	s.outlines.put(q.slug, o)
	r := o.record(q.now, q.zone)
	b := &pgx.Batch{}
	l := &loader{record: r, batch: b, at: moment(time.Time{})}
	l.queueLive(o, q.departmentID)
	return r, o, s.db.SendBatch(ctx, b).Close()
}

// held says, after the batch was sent, whether what was kept still holds.
func (q *recordReading) held() bool {
	return q.guess != nil && q.guess.plan.ID == q.id && q.guess.edition == q.edition
}

var errNoPlan = landmark.Errorf(landmark.NotFound, "plan", "没有这个年度方案")

// beginner is a database that can begin a transaction with options: a transaction
// cannot.
type beginner interface {
	BeginTx(ctx context.Context, o pgx.TxOptions) (pgx.Tx, error)
}

// snapshot runs f so that all it reads is of one moment.
func (s *Store) snapshot(ctx context.Context, f func(*Store) error) error {
	begin, ok := s.db.(beginner)
	if !ok { // in a transaction of the caller's: its own isolation holds
		return f(s)
	}
	return pgx.BeginTxFunc(ctx, begin, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		return f(s.on(tx))
	})
}

// loader queues the statements that read what moves, and takes their rows in.
type loader struct {
	record *landmark.Record
	batch  *pgx.Batch
	at     pgtype.Timestamptz
}

// queueLive reads what departments reported and the office decided. With a
// department only what its form needs.
func (l *loader) queueLive(o *outline, departmentID int64) {
	if departmentID != 0 {
		indicators, tasks := o.form(departmentID)
		l.queueReports(o.compared(indicators))
		l.queueUpdates(tasks)
		if scenarios := o.scenarios(departmentID); len(scenarios) > 0 {
			l.queueMilestones(scenarios)
		}
		return
	}
	l.queueReports(o.indicatorIDs)
	l.queueUpdates(o.taskIDs)
	l.queueMilestones(o.scenarioIDs)
	l.queueOffice(o)
}

func (l *loader) queueReports(indicators []int64) {
	type valueRow struct {
		IndicatorID    int64
		Month          pgtype.Date
		Amount         decimal.NullDecimal
		Step           string
		Note           string
		Reason         string
		Revision       int
		Corrections    int
		PreviousAmount decimal.NullDecimal
		PreviousStep   string
		ReportedBy     string
		ReportedAt     time.Time
		ApprovedBy     string
		ApprovedAt     time.Time
	}
	// Of the values approved for a month by the moment, the newest stands; the
	// ones it replaced are counted, and the last of them is shown beside it.
	collect(l.batch, `
		SELECT DISTINCT ON (v.indicator_id, v.month) v.indicator_id, v.month, v.amount, v.step, v.note, v.reason, v.revision,
			(row_number() OVER w - 1)::int AS corrections,
			lag(v.amount) OVER w AS previous_amount, coalesce(lag(v.step) OVER w, '') AS previous_step,
			v.reported_by, v.reported_at, v.approved_by, v.approved_at
		FROM approved_value v
		WHERE v.indicator_id = ANY($1) AND v.approved_at <= $2
		WINDOW w AS (PARTITION BY v.indicator_id, v.month ORDER BY v.id)
		ORDER BY v.indicator_id, v.month, v.id DESC`, []any{indicators, l.at}, func(row valueRow) {
		l.record.Values[row.IndicatorID] = append(l.record.Values[row.IndicatorID], landmark.Value{
			Month: dateMonth(row.Month), Amount: row.Amount, Step: row.Step, Note: row.Note, Reason: row.Reason, Revision: row.Revision,
			Corrections: row.Corrections, Previous: row.PreviousAmount, PreviousStep: row.PreviousStep,
			ReportedBy: row.ReportedBy, ReportedAt: row.ReportedAt, ApprovedBy: row.ApprovedBy, ApprovedAt: row.ApprovedAt,
		})
	})
	type reportRow struct {
		ID               int64
		IndicatorID      int64
		Month            pgtype.Date
		State            string
		Revision         int
		Correction       bool
		Amount           decimal.NullDecimal
		Step             string
		Note             string
		Reason           string
		ReturnedFor      string
		SubmittedBy      string
		SubmittedAt      time.Time
		FirstSubmittedAt time.Time
		StateAt          time.Time
		StateBy          string
	}
	// Where a report stood at the moment is what its last event by then said.
	collect(l.batch, `
		SELECT r.id, r.indicator_id, r.month, e.state, e.revision, e.correction, e.amount, e.step, e.note, e.reason,
			CASE WHEN e.state = 'returned' THEN e.said ELSE '' END AS returned_for,
			e.submitted_by, e.submitted_at, coalesce(f.submitted_at, e.submitted_at) AS first_submitted_at, e.recorded_at AS state_at, e.recorded_by AS state_by
		FROM report r
		JOIN LATERAL (
			SELECT v.state, v.revision, v.reason AS said, v.recorded_at, v.recorded_by,
				n.correction, n.amount, n.step, n.note, n.reason, n.submitted_by, n.submitted_at
			FROM (SELECT state, revision, reason, recorded_at, recorded_by FROM report_event WHERE report_id = r.id AND recorded_at <= $2 ORDER BY id DESC LIMIT 1) v
			JOIN report_revision n ON n.report_id = r.id AND n.revision = v.revision
			OFFSET 0 -- each OFFSET keeps the planner from reading a whole table for a few reports
		) e ON true
		LEFT JOIN LATERAL (SELECT submitted_at FROM report_revision WHERE e.revision > 1 AND report_id = r.id AND revision = 1 OFFSET 0) f ON true
		WHERE r.indicator_id = ANY($1)
		ORDER BY r.indicator_id, r.month`, []any{indicators, l.at}, func(row reportRow) {
		l.record.Reports[row.IndicatorID] = append(l.record.Reports[row.IndicatorID], landmark.Report{
			ID: row.ID, IndicatorID: row.IndicatorID, Month: dateMonth(row.Month), State: landmark.State(row.State), Revision: row.Revision,
			Correction: row.Correction, Amount: row.Amount, Step: row.Step, Note: row.Note, Reason: row.Reason, ReturnedFor: row.ReturnedFor,
			SubmittedBy: row.SubmittedBy, SubmittedAt: row.SubmittedAt, FirstSubmittedAt: row.FirstSubmittedAt, StateAt: row.StateAt, StateBy: row.StateBy,
		})
	})
}

func (l *loader) queueUpdates(tasks []int64) {
	type updateRow struct {
		TaskID       int64
		Month        pgtype.Date
		State        string
		Note         string
		DepartmentID int64
		Department   string
		RecordedBy   string
		RecordedAt   time.Time
	}
	collect(l.batch, `
		SELECT u.task_id, u.month, u.state, u.note, u.department_id, d.name AS department, u.recorded_by, u.recorded_at
		FROM task_update u JOIN department d ON d.id = u.department_id
		WHERE u.task_id = ANY($1) AND u.recorded_at <= $2
		ORDER BY u.task_id, u.id`, []any{tasks, l.at}, func(row updateRow) {
		l.record.Updates[row.TaskID] = append(l.record.Updates[row.TaskID], landmark.TaskUpdate{
			TaskID: row.TaskID, Month: dateMonth(row.Month), State: landmark.TaskState(row.State), Note: row.Note,
			DepartmentID: row.DepartmentID, Department: row.Department, RecordedBy: row.RecordedBy, RecordedAt: row.RecordedAt,
		})
	})
}

func (l *loader) queueMilestones(scenarios []int64) {
	type milestoneRow struct {
		ScenarioID int64
		Step       string
		ReachedOn  pgtype.Date
		Withdrawn  bool
		RecordedBy string
		RecordedAt time.Time
	}
	collect(l.batch, `
		SELECT m.scenario_id, m.step, m.reached_on, m.withdrawn, m.recorded_by, m.recorded_at
		FROM milestone m
		WHERE m.scenario_id = ANY($1) AND m.recorded_at <= $2
		ORDER BY m.scenario_id, m.id`, []any{scenarios, l.at}, func(row milestoneRow) {
		l.record.Milestones[row.ScenarioID] = append(l.record.Milestones[row.ScenarioID], landmark.Milestone{
			ScenarioID: row.ScenarioID, Step: row.Step, ReachedOn: dateDay(row.ReachedOn), Withdrawn: row.Withdrawn,
			RecordedBy: row.RecordedBy, RecordedAt: row.RecordedAt,
		})
	})
}

func (l *loader) queueOffice(o *outline) {
	type overrideRow struct {
		ID          int64
		IndicatorID int64
		FromMonth   pgtype.Date
		UntilMonth  pgtype.Date
		Light       string
		Reason      string
		RecordedBy  string
		RecordedAt  time.Time
		Withdrawn   bool
	}
	collect(l.batch, `
		SELECT o.id, o.indicator_id, o.from_month, o.until_month, o.light, o.reason, o.recorded_by, o.recorded_at,
			EXISTS (SELECT FROM light_override w WHERE w.withdraws_id = o.id AND w.recorded_at <= $2) AS withdrawn
		FROM light_override o
		WHERE o.indicator_id = ANY($1) AND o.recorded_at <= $2 AND o.withdraws_id IS NULL
		ORDER BY o.indicator_id, o.id`, []any{o.indicatorIDs, l.at}, func(row overrideRow) {
		l.record.Overrides[row.IndicatorID] = append(l.record.Overrides[row.IndicatorID], landmark.Override{
			ID: row.ID, IndicatorID: row.IndicatorID, From: dateMonth(row.FromMonth), Until: dateMonth(row.UntilMonth), Light: landmark.Light(row.Light),
			Reason: row.Reason, RecordedBy: row.RecordedBy, RecordedAt: row.RecordedAt, Withdrawn: row.Withdrawn,
		})
	})
	type chaseRow struct {
		DepartmentID int64
		Month        pgtype.Date
		RecordedBy   string
		RecordedAt   time.Time
	}
	collect(l.batch, `
		SELECT department_id, month, recorded_by, recorded_at
		FROM chase
		WHERE plan_id = $1 AND recorded_at <= $2
		ORDER BY id`, []any{o.plan.ID, l.at}, func(row chaseRow) {
		l.record.Chases = append(l.record.Chases, landmark.Chase{DepartmentID: row.DepartmentID, Month: dateMonth(row.Month), By: row.RecordedBy, At: row.RecordedAt})
	})
}
