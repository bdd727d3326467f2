package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/shopspring/decimal"

	"landmark/internal/landmark"
)

// thePlan finds the plan a page is about: $1 is its slug, or empty for the
// newest; $2 the moment shown, before which it must have been there.
const thePlan = `(SELECT id FROM plan WHERE (slug = $1 OR $1 = '') AND created_at <= $2 ORDER BY year DESC, id DESC LIMIT 1)`

// Record reads a plan and all that pages say of it, exactly as it stood at
// asOf; the zero time is now, and now says when that is. An empty slug is the
// newest plan. All statements go in one round trip and see one state of the
// database. It returns a NotFound error if there is no such plan.
func (s *Store) Record(ctx context.Context, slug string, asOf, now time.Time, zone *time.Location) (*landmark.Record, error) {
	r := &landmark.Record{
		AsOf: asOf, Zone: zone,
		Values:     map[int64][]landmark.Value{},
		Reports:    map[int64][]landmark.Report{},
		Overrides:  map[int64][]landmark.Override{},
		Updates:    map[int64][]landmark.TaskUpdate{},
		Milestones: map[int64][]landmark.Milestone{},
		Periods:    map[landmark.Month]landmark.Period{},
	}
	if asOf.IsZero() {
		r.AsOf = now
	}
	err := s.snapshot(ctx, func(s *Store) error {
		b := &pgx.Batch{}
		l := &loader{record: r, batch: b, slug: slug, at: moment(asOf), projects: map[int64]*landmark.Project{}, indicators: map[int64]*landmark.Indicator{}}
		l.queuePlan()
		l.queueSettings()
		l.queueReports()
		l.queueOffice()
		if err := s.db.SendBatch(ctx, b).Close(); err != nil {
			return err
		}
		return nil
	})
	if err != nil {
		return nil, wrap(err, "read plan %q", slug)
	}
	if r.Plan == nil {
		return nil, fmt.Errorf("read plan %q: %w", slug, landmark.Errorf(landmark.NotFound, "plan", "没有这个年度方案"))
	}
	return r, nil
}

// snapshot runs f so that all it reads is of one moment.
func (s *Store) snapshot(ctx context.Context, f func(*Store) error) error {
	begin, ok := s.db.(interface {
		BeginTx(ctx context.Context, o pgx.TxOptions) (pgx.Tx, error)
	})
	if !ok { // in a transaction of the caller's: its own isolation holds
		return f(s)
	}
	return pgx.BeginTxFunc(ctx, begin, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		return f(New(tx))
	})
}

// loader queues the statements of a record and takes their rows in.
type loader struct {
	record     *landmark.Record
	batch      *pgx.Batch
	slug       string
	at         pgtype.Timestamptz
	projects   map[int64]*landmark.Project
	indicators map[int64]*landmark.Indicator
}

// each queues a statement that takes slug and moment, and hands its rows on.
func each[T any](l *loader, sql string, take func(T)) {
	l.batch.Queue(sql, l.slug, l.at).Query(func(rows pgx.Rows) error {
		all, err := pgx.CollectRows(rows, pgx.RowToStructByName[T])
		if err != nil {
			return err
		}
		for _, row := range all {
			take(row)
		}
		return nil
	})
}

func (l *loader) queuePlan() {
	each(l, `
		SELECT id, slug, title, city, year, baseline_year, published_on, columns, demo
		FROM plan WHERE id = `+thePlan, func(row planRow) {
		l.record.Plan = &landmark.Plan{
			ID: row.ID, Slug: row.Slug, Title: row.Title, City: row.City, Year: row.Year, BaselineYear: row.BaselineYear,
			Published: dateDay(row.PublishedOn), Columns: row.Columns, Demo: row.Demo,
		}
	})
	each(l, `
		SELECT j.id, j.number, j.name, j.lead_printed, j.tasks_text, j.scenarios_text, j.cooperating_text,
			d.id AS department_id, d.slug, d.name AS department_name, d.sort, d.collective, d.sign_off_required
		FROM project j JOIN department d ON d.id = j.lead_department_id
		WHERE j.plan_id = `+thePlan+`
		ORDER BY j.number`, func(row projectRow) {
		p := &landmark.Project{
			ID: row.ID, Number: row.Number, Name: row.Name, LeadPrinted: row.LeadPrinted,
			Lead: landmark.Department{ID: row.DepartmentID, Slug: row.Slug, Name: row.DepartmentName, Sort: row.Sort,
				Collective: row.Collective, SignOffRequired: row.SignOffRequired},
			TasksText: row.TasksText, ScenariosText: row.ScenariosText, CooperatingText: row.CooperatingText,
		}
		l.projects[p.ID] = p
		l.record.Plan.Projects = append(l.record.Plan.Projects, p)
	})
	each(l, `
		SELECT c.project_id, c.printed, d.id AS department_id, d.slug, d.name, d.sort, d.collective, d.sign_off_required
		FROM project j JOIN cooperation c ON c.project_id = j.id JOIN department d ON d.id = c.department_id
		WHERE j.plan_id = `+thePlan+`
		ORDER BY c.project_id, c.position`, func(row cooperationRow) {
		p := l.projects[row.ProjectID]
		p.Cooperating = append(p.Cooperating, landmark.Cooperation{Printed: row.Printed, Department: landmark.Department{
			ID: row.DepartmentID, Slug: row.Slug, Name: row.Name, Sort: row.Sort, Collective: row.Collective, SignOffRequired: row.SignOffRequired}})
	})
	// The newest nature recorded by the moment holds for every month.
	each(l, `
		SELECT i.id, i.project_id, i.position, i.code, i.printed, i.name, i.key,
			coalesce(b.text, i.baseline_text) AS baseline_text, CASE WHEN b.text IS NULL THEN i.baseline ELSE b.amount END AS baseline,
			n.kind, n.direction, n.unit, n.decimals, n.measured, n.steps, n.confirmed
		FROM project j
		JOIN indicator i ON i.project_id = j.id
		JOIN LATERAL (SELECT * FROM indicator_nature WHERE indicator_id = i.id AND recorded_at <= $2 ORDER BY id DESC LIMIT 1) n ON true
		LEFT JOIN LATERAL (SELECT text, amount FROM indicator_baseline WHERE indicator_id = i.id AND recorded_at <= $2 ORDER BY id DESC LIMIT 1) b ON true
		WHERE j.plan_id = `+thePlan+`
		ORDER BY j.number, i.position`, func(row indicatorRow) {
		p := l.projects[row.ProjectID]
		ind := &landmark.Indicator{
			ID: row.ID, Project: p, Code: row.Code, Position: row.Position, Printed: row.Printed, Name: row.Name, Key: row.Key,
			Kind: landmark.Kind(row.Kind), Direction: landmark.Direction(row.Direction), Unit: row.Unit, Decimals: row.Decimals,
			Measured: landmark.Frequency(row.Measured), Confirmed: row.Confirmed, BaselineText: row.BaselineText, Baseline: row.Baseline,
		}
		for _, s := range row.Steps {
			ind.Steps = append(ind.Steps, landmark.Step{Name: s.Name, Meaning: s.Meaning})
		}
		l.indicators[ind.ID] = ind
		p.Indicators = append(p.Indicators, ind)
	})
	type relationRow struct{ Lower, Upper string }
	each(l, `
		SELECT a.code AS lower, b.code AS upper
		FROM project j
		JOIN indicator a ON a.project_id = j.id
		JOIN indicator_relation r ON r.indicator_id = a.id
		JOIN indicator b ON b.id = r.not_above_id
		WHERE j.plan_id = `+thePlan+` AND $2::timestamptz IS NOT NULL
		ORDER BY a.id, b.id`, func(row relationRow) {
		l.record.Plan.Relations = append(l.record.Plan.Relations, landmark.Relation{Lower: row.Lower, Upper: row.Upper})
	})
	type taskRow struct {
		ID        int64
		ProjectID int64
		Number    int
		Code      string
		Text      string
		Lead      bool
	}
	each(l, `
		SELECT t.id, t.project_id, t.number, t.code, t.text, t.lead
		FROM project j JOIN task t ON t.project_id = j.id
		WHERE j.plan_id = `+thePlan+`
		ORDER BY t.project_id, t.position`, func(row taskRow) {
		p := l.projects[row.ProjectID]
		p.Tasks = append(p.Tasks, landmark.Task{ID: row.ID, Number: row.Number, Code: row.Code, Text: row.Text, Lead: row.Lead})
	})
	type scenarioRow struct {
		ID        int64
		ProjectID int64
		Code      string
		Name      string
	}
	each(l, `
		SELECT c.id, c.project_id, c.code, c.name
		FROM project j JOIN scenario c ON c.project_id = j.id
		WHERE j.plan_id = `+thePlan+`
		ORDER BY c.project_id, c.position`, func(row scenarioRow) {
		p := l.projects[row.ProjectID]
		p.Scenarios = append(p.Scenarios, landmark.Scenario{ID: row.ID, Code: row.Code, Name: row.Name})
	})
}

// queueSettings reads what the office dated: of several rows for one month, the
// newest recorded by the moment holds.
func (l *loader) queueSettings() {
	each(l, `
		SELECT DISTINCT ON (t.indicator_id, t.from_month) t.indicator_id, t.from_month, t.amount, t.text, t.basis, t.basis_on, t.recorded_by, t.recorded_at
		FROM project j JOIN indicator i ON i.project_id = j.id JOIN indicator_target t ON t.indicator_id = i.id
		WHERE j.plan_id = `+thePlan+` AND t.recorded_at <= $2
		ORDER BY t.indicator_id, t.from_month, t.id DESC`, func(row targetRow) {
		ind := l.indicators[row.IndicatorID]
		ind.Targets = append(ind.Targets, landmark.Target{From: dateMonth(row.FromMonth), Amount: row.Amount, Text: row.Text,
			Basis: row.Basis, BasisOn: dateDay(row.BasisOn), RecordedBy: row.RecordedBy, RecordedAt: row.RecordedAt})
	})
	each(l, `
		SELECT DISTINCT ON (c.indicator_id, c.from_month) c.indicator_id, c.from_month, c.points, c.basis, c.recorded_by, c.recorded_at
		FROM project j JOIN indicator i ON i.project_id = j.id JOIN indicator_curve c ON c.indicator_id = i.id
		WHERE j.plan_id = `+thePlan+` AND c.recorded_at <= $2
		ORDER BY c.indicator_id, c.from_month, c.id DESC`, func(row curveRow) {
		curve := landmark.Curve{From: dateMonth(row.FromMonth), Basis: row.Basis, RecordedBy: row.RecordedBy, RecordedAt: row.RecordedAt}
		for _, p := range row.Points {
			month, err := landmark.ParseMonth(p.Month)
			amount, err2 := decimal.NewFromString(p.Amount)
			if err == nil && err2 == nil { // written by queueCurve, so both hold
				curve.Points = append(curve.Points, landmark.CurvePoint{Month: month, Amount: amount})
			}
		}
		ind := l.indicators[row.IndicatorID]
		ind.Curves = append(ind.Curves, curve)
	})
	each(l, `
		SELECT DISTINCT ON (f.indicator_id, f.from_month) f.indicator_id, f.from_month, f.text, f.recorded_by, f.recorded_at
		FROM project j JOIN indicator i ON i.project_id = j.id JOIN indicator_definition f ON f.indicator_id = i.id
		WHERE j.plan_id = `+thePlan+` AND f.recorded_at <= $2
		ORDER BY f.indicator_id, f.from_month, f.id DESC`, func(row definitionRow) {
		ind := l.indicators[row.IndicatorID]
		ind.Definitions = append(ind.Definitions, landmark.Definition{From: dateMonth(row.FromMonth), Text: row.Text,
			RecordedBy: row.RecordedBy, RecordedAt: row.RecordedAt})
	})
	type ruleRow struct {
		FromMonth pgtype.Date
		Tolerance int
		RedLine   int
	}
	each(l, `
		SELECT DISTINCT ON (from_month) from_month, tolerance, red_line
		FROM light_rule
		WHERE plan_id = `+thePlan+` AND recorded_at <= $2
		ORDER BY from_month, id DESC`, func(row ruleRow) {
		l.record.Plan.Rules = append(l.record.Plan.Rules, landmark.LightRule{From: dateMonth(row.FromMonth), Tolerance: row.Tolerance, RedLine: row.RedLine})
	})
}

func (l *loader) queueReports() {
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
	each(l, `
		SELECT DISTINCT ON (v.indicator_id, v.month) v.indicator_id, v.month, v.amount, v.step, v.note, v.reason, v.revision,
			(row_number() OVER w - 1)::int AS corrections,
			lag(v.amount) OVER w AS previous_amount, coalesce(lag(v.step) OVER w, '') AS previous_step,
			v.reported_by, v.reported_at, v.approved_by, v.approved_at
		FROM project j JOIN indicator i ON i.project_id = j.id JOIN approved_value v ON v.indicator_id = i.id
		WHERE j.plan_id = `+thePlan+` AND v.approved_at <= $2
		WINDOW w AS (PARTITION BY v.indicator_id, v.month ORDER BY v.id)
		ORDER BY v.indicator_id, v.month, v.id DESC`, func(row valueRow) {
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
	each(l, `
		SELECT r.id, r.indicator_id, r.month, e.state, e.revision, e.correction, e.amount, e.step, e.note, e.reason,
			CASE WHEN e.state = 'returned' THEN e.said ELSE '' END AS returned_for,
			e.submitted_by, e.submitted_at, f.submitted_at AS first_submitted_at, e.recorded_at AS state_at, e.recorded_by AS state_by
		FROM project j
		JOIN indicator i ON i.project_id = j.id
		JOIN report r ON r.indicator_id = i.id
		JOIN LATERAL (
			SELECT v.state, v.revision, v.reason AS said, v.recorded_at, v.recorded_by,
				n.correction, n.amount, n.step, n.note, n.reason, n.submitted_by, n.submitted_at
			FROM (SELECT state, revision, reason, recorded_at, recorded_by FROM report_event WHERE report_id = r.id AND recorded_at <= $2 ORDER BY id DESC LIMIT 1) v
			JOIN report_revision n ON n.report_id = r.id AND n.revision = v.revision
			OFFSET 0 -- keeps the planner from seeking the last event anew for each revision
		) e ON true
		JOIN report_revision f ON f.report_id = r.id AND f.revision = 1
		WHERE j.plan_id = `+thePlan+`
		ORDER BY r.indicator_id, r.month`, func(row reportRow) {
		l.record.Reports[row.IndicatorID] = append(l.record.Reports[row.IndicatorID], landmark.Report{
			ID: row.ID, IndicatorID: row.IndicatorID, Month: dateMonth(row.Month), State: landmark.State(row.State), Revision: row.Revision,
			Correction: row.Correction, Amount: row.Amount, Step: row.Step, Note: row.Note, Reason: row.Reason, ReturnedFor: row.ReturnedFor,
			SubmittedBy: row.SubmittedBy, SubmittedAt: row.SubmittedAt, FirstSubmittedAt: row.FirstSubmittedAt, StateAt: row.StateAt, StateBy: row.StateBy,
		})
	})
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
	each(l, `
		SELECT u.task_id, u.month, u.state, u.note, u.department_id, d.name AS department, u.recorded_by, u.recorded_at
		FROM project j JOIN task t ON t.project_id = j.id JOIN task_update u ON u.task_id = t.id JOIN department d ON d.id = u.department_id
		WHERE j.plan_id = `+thePlan+` AND u.recorded_at <= $2
		ORDER BY u.task_id, u.id`, func(row updateRow) {
		l.record.Updates[row.TaskID] = append(l.record.Updates[row.TaskID], landmark.TaskUpdate{
			TaskID: row.TaskID, Month: dateMonth(row.Month), State: landmark.TaskState(row.State), Note: row.Note,
			DepartmentID: row.DepartmentID, Department: row.Department, RecordedBy: row.RecordedBy, RecordedAt: row.RecordedAt,
		})
	})
	type milestoneRow struct {
		ScenarioID int64
		Step       string
		ReachedOn  pgtype.Date
		Withdrawn  bool
		RecordedBy string
		RecordedAt time.Time
	}
	each(l, `
		SELECT m.scenario_id, m.step, m.reached_on, m.withdrawn, m.recorded_by, m.recorded_at
		FROM project j JOIN scenario c ON c.project_id = j.id JOIN milestone m ON m.scenario_id = c.id
		WHERE j.plan_id = `+thePlan+` AND m.recorded_at <= $2
		ORDER BY m.scenario_id, m.id`, func(row milestoneRow) {
		l.record.Milestones[row.ScenarioID] = append(l.record.Milestones[row.ScenarioID], landmark.Milestone{
			ScenarioID: row.ScenarioID, Step: row.Step, ReachedOn: dateDay(row.ReachedOn), Withdrawn: row.Withdrawn,
			RecordedBy: row.RecordedBy, RecordedAt: row.RecordedAt,
		})
	})
}

func (l *loader) queueOffice() {
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
	each(l, `
		SELECT o.id, o.indicator_id, o.from_month, o.until_month, o.light, o.reason, o.recorded_by, o.recorded_at,
			EXISTS (SELECT FROM light_override w WHERE w.withdraws_id = o.id AND w.recorded_at <= $2) AS withdrawn
		FROM project j JOIN indicator i ON i.project_id = j.id JOIN light_override o ON o.indicator_id = i.id
		WHERE j.plan_id = `+thePlan+` AND o.recorded_at <= $2 AND o.withdraws_id IS NULL
		ORDER BY o.indicator_id, o.id`, func(row overrideRow) {
		l.record.Overrides[row.IndicatorID] = append(l.record.Overrides[row.IndicatorID], landmark.Override{
			ID: row.ID, IndicatorID: row.IndicatorID, From: dateMonth(row.FromMonth), Until: dateMonth(row.UntilMonth), Light: landmark.Light(row.Light),
			Reason: row.Reason, RecordedBy: row.RecordedBy, RecordedAt: row.RecordedAt, Withdrawn: row.Withdrawn,
		})
	})
	type periodRow struct {
		Month   pgtype.Date
		OpensOn pgtype.Date
		DueOn   pgtype.Date
		GraceOn pgtype.Date
		LockOn  pgtype.Date
	}
	each(l, `
		SELECT DISTINCT ON (month) month, opens_on, due_on, grace_on, lock_on
		FROM period
		WHERE plan_id = `+thePlan+` AND recorded_at <= $2
		ORDER BY month, id DESC`, func(row periodRow) {
		m := dateMonth(row.Month)
		l.record.Periods[m] = landmark.Period{Month: m, Opens: dateDay(row.OpensOn), Due: dateDay(row.DueOn), Grace: dateDay(row.GraceOn), Lock: dateDay(row.LockOn)}
	})
	type extensionRow struct {
		DepartmentID int64
		Month        pgtype.Date
		DueOn        pgtype.Date
		Reason       string
		RecordedAt   time.Time
	}
	each(l, `
		SELECT department_id, month, due_on, reason, recorded_at
		FROM extension
		WHERE plan_id = `+thePlan+` AND recorded_at <= $2
		ORDER BY id`, func(row extensionRow) {
		l.record.Extensions = append(l.record.Extensions, landmark.Extension{
			DepartmentID: row.DepartmentID, Month: dateMonth(row.Month), Due: dateDay(row.DueOn), Reason: row.Reason, RecordedAt: row.RecordedAt})
	})
	type chaseRow struct {
		DepartmentID int64
		Month        pgtype.Date
		RecordedBy   string
		RecordedAt   time.Time
	}
	each(l, `
		SELECT department_id, month, recorded_by, recorded_at
		FROM chase
		WHERE plan_id = `+thePlan+` AND recorded_at <= $2
		ORDER BY id`, func(row chaseRow) {
		l.record.Chases = append(l.record.Chases, landmark.Chase{DepartmentID: row.DepartmentID, Month: dateMonth(row.Month), By: row.RecordedBy, At: row.RecordedAt})
	})
}
