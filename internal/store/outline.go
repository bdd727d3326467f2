package store

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/shopspring/decimal"

	"landmark/internal/landmark"
)

// outline is what of a plan seldom changes: the table as printed and what the
// office set. The database counts its changes, see migrations/000010, and a kept
// outline serves only while that count is the same. Nothing of it is ever altered:
// many requests read it at once.
type outline struct {
	edition    int64
	plan       *landmark.Plan
	periods    map[landmark.Month][]landmark.PeriodSet
	extensions []landmark.Extension
	indicators map[int64]*landmark.Indicator

	indicatorIDs, taskIDs, scenarioIDs []int64
}

// record is an empty record of the outline.
func (o *outline) record(at time.Time, zone *time.Location) *landmark.Record {
	return &landmark.Record{
		Plan: o.plan, AsOf: at, Zone: zone, Periods: maps.Clone(o.periods), Extensions: slices.Clone(o.extensions),
		Values:     map[int64][]landmark.Value{},
		Reports:    map[int64][]landmark.Report{},
		Overrides:  map[int64][]landmark.Override{},
		Updates:    map[int64][]landmark.TaskUpdate{},
		Milestones: map[int64][]landmark.Milestone{},
	}
}

// count fills the lists of ids.
func (o *outline) count() {
	for _, p := range o.plan.Projects {
		for _, ind := range p.Indicators {
			o.indicatorIDs = append(o.indicatorIDs, ind.ID)
		}
		for _, t := range p.Tasks {
			o.taskIDs = append(o.taskIDs, t.ID)
		}
		for _, c := range p.Scenarios {
			o.scenarioIDs = append(o.scenarioIDs, c.ID)
		}
	}
}

// scenarios are those of the projects a department leads.
func (o *outline) scenarios(departmentID int64) (ids []int64) {
	for _, p := range o.plan.Led(departmentID) {
		for _, c := range p.Scenarios {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// form are the indicators and tasks of a department's form.
func (o *outline) form(departmentID int64) (indicators, tasks []int64) {
	for _, p := range o.plan.Projects {
		lead := p.Lead.ID == departmentID
		if lead {
			for _, ind := range p.Indicators {
				indicators = append(indicators, ind.ID)
			}
		}
		if lead || slices.ContainsFunc(p.Cooperating, func(c landmark.Cooperation) bool { return c.Department.ID == departmentID }) {
			for _, t := range p.Tasks {
				tasks = append(tasks, t.ID)
			}
		}
	}
	return indicators, tasks
}

// compared adds to indicators those that a figure of theirs is held against.
func (o *outline) compared(indicators []int64) []int64 {
	byCode := map[string]int64{}
	for _, ind := range o.indicators {
		byCode[ind.Code] = ind.ID
	}
	all := indicators
	for _, r := range o.plan.Relations {
		lower, upper := byCode[r.Lower], byCode[r.Upper]
		if !slices.Contains(indicators, lower) && !slices.Contains(indicators, upper) {
			continue
		}
		for _, id := range []int64{lower, upper} {
			if !slices.Contains(all, id) {
				all = append(all, id)
			}
		}
	}
	return all
}

// maxOutlines bounds what is kept: an outline takes about 200 KiB.
const maxOutlines = 128

// outlines keeps the outlines of the plans last read, by the name they were asked for.
type outlines struct {
	mu   sync.Mutex
	kept map[string]*outline
}

func (k *outlines) get(slug string) *outline {
	if k == nil {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.kept[slug]
}

func (k *outlines) put(slug string, o *outline) {
	if k == nil || o.edition == 0 {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, there := k.kept[slug]; !there && len(k.kept) >= maxOutlines {
		for other := range k.kept { // any one makes room
			delete(k.kept, other)
			break
		}
	}
	k.kept[slug] = o
}

// planNamed and planNewest find the plan a page is about: $1 is its slug, empty
// for the newest; $2 the moment shown, before which it must have been there. They
// are two, so that each has its index.
const (
	planNamed  = `SELECT id FROM plan WHERE slug = $1 AND created_at <= $2`
	planNewest = `SELECT id FROM plan WHERE $1 = '' AND created_at <= $2 ORDER BY year DESC, id DESC LIMIT 1`
)

// planBy is the one of them for a slug.
func planBy(slug string) string {
	if slug == "" {
		return planNewest
	}
	return planNamed
}

// outlineReading is an outline whose statements are queued.
type outlineReading struct {
	outline  *outline
	batch    *pgx.Batch
	planID   int64
	at       pgtype.Timestamptz
	projects map[int64]*landmark.Project
}

// readOutline reads a plan's outline as it stood at a moment.
func (s *Store) readOutline(ctx context.Context, slug string, at pgtype.Timestamptz) (*outline, error) {
	var planID int64
	if err := s.db.QueryRow(ctx, planBy(slug), slug, at).Scan(&planID); errors.Is(err, pgx.ErrNoRows) {
		return nil, errNoPlan
	} else if err != nil {
		return nil, err
	}
	q := &outlineReading{batch: &pgx.Batch{}, planID: planID, at: at, projects: map[int64]*landmark.Project{},
		outline: &outline{periods: map[landmark.Month][]landmark.PeriodSet{}, indicators: map[int64]*landmark.Indicator{}}}
	// Each statement of a transaction may see more than the one before. An edition
	// that is the same before and after says that none did; else it is 0, and the
	// outline is not kept.
	var before, after int64
	type editionRow struct{ Edition int64 }
	const edition = `SELECT edition FROM plan_edition WHERE plan_id = $1`
	settings(q, edition, func(r editionRow) { before = r.Edition })
	q.queuePlan()
	q.queueSettings()
	q.queueCalendar()
	settings(q, edition, func(r editionRow) { after = r.Edition })
	if err := s.db.SendBatch(ctx, q.batch).Close(); err != nil {
		return nil, err
	}
	if before == after {
		q.outline.edition = after
	}
	q.outline.count()
	return q.outline, nil
}

// settings queues a statement that takes plan and moment, or the plan alone, and
// hands its rows on.
func settings[T any](q *outlineReading, sql string, take func(T)) {
	args := []any{q.planID, q.at}
	if !strings.Contains(sql, "$2") {
		args = args[:1]
	}
	collect(q.batch, sql, args, take)
}

func (q *outlineReading) queuePlan() {
	l := q.outline
	settings(q, `
		SELECT id, slug, title, city, year, baseline_year, published_on, columns, demo
		FROM plan WHERE id = $1 AND created_at <= $2`, func(row planRow) {
		l.plan = &landmark.Plan{
			ID: row.ID, Slug: row.Slug, Title: row.Title, City: row.City, Year: row.Year, BaselineYear: row.BaselineYear,
			Published: dateDay(row.PublishedOn), Columns: row.Columns, Demo: row.Demo,
		}
	})
	settings(q, `
		SELECT j.id, j.number, j.name, j.lead_printed, j.tasks_text, j.scenarios_text, j.cooperating_text,
			d.id AS department_id, d.slug, d.name AS department_name, d.sort, d.collective, d.sign_off_required
		FROM project j JOIN department d ON d.id = j.lead_department_id
		WHERE j.plan_id = $1
		ORDER BY j.number`, func(row projectRow) {
		p := &landmark.Project{
			ID: row.ID, Number: row.Number, Name: row.Name, LeadPrinted: row.LeadPrinted,
			Lead: landmark.Department{ID: row.DepartmentID, Slug: row.Slug, Name: row.DepartmentName, Sort: row.Sort,
				Collective: row.Collective, SignOffRequired: row.SignOffRequired},
			TasksText: row.TasksText, ScenariosText: row.ScenariosText, CooperatingText: row.CooperatingText,
		}
		q.projects[p.ID] = p
		l.plan.Projects = append(l.plan.Projects, p)
	})
	settings(q, `
		SELECT c.project_id, c.printed, d.id AS department_id, d.slug, d.name, d.sort, d.collective, d.sign_off_required
		FROM project j JOIN cooperation c ON c.project_id = j.id JOIN department d ON d.id = c.department_id
		WHERE j.plan_id = $1
		ORDER BY c.project_id, c.position`, func(row cooperationRow) {
		p := q.projects[row.ProjectID]
		p.Cooperating = append(p.Cooperating, landmark.Cooperation{Printed: row.Printed, Department: landmark.Department{
			ID: row.DepartmentID, Slug: row.Slug, Name: row.Name, Sort: row.Sort, Collective: row.Collective, SignOffRequired: row.SignOffRequired}})
	})
	// The newest nature recorded by the moment holds for every month.
	settings(q, `
		SELECT i.id, i.project_id, i.position, i.code, i.printed, i.name, i.key,
			coalesce(b.text, i.baseline_text) AS baseline_text, CASE WHEN b.text IS NULL THEN i.baseline ELSE b.amount END AS baseline,
			n.kind, n.direction, n.unit, n.decimals, n.measured, n.steps, n.confirmed
		FROM project j
		JOIN indicator i ON i.project_id = j.id
		JOIN LATERAL (SELECT * FROM indicator_nature WHERE indicator_id = i.id AND recorded_at <= $2 ORDER BY id DESC LIMIT 1) n ON true
		LEFT JOIN LATERAL (SELECT text, amount FROM indicator_baseline WHERE indicator_id = i.id AND recorded_at <= $2 ORDER BY id DESC LIMIT 1) b ON true
		WHERE j.plan_id = $1
		ORDER BY j.number, i.position`, func(row indicatorRow) {
		p := q.projects[row.ProjectID]
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
	settings(q, `
		SELECT a.code AS lower, b.code AS upper
		FROM project j
		JOIN indicator a ON a.project_id = j.id
		JOIN indicator_relation r ON r.indicator_id = a.id
		JOIN indicator b ON b.id = r.not_above_id
		WHERE j.plan_id = $1
		ORDER BY a.id, b.id`, func(row relationRow) {
		l.plan.Relations = append(l.plan.Relations, landmark.Relation{Lower: row.Lower, Upper: row.Upper})
	})
	type taskRow struct {
		ID        int64
		ProjectID int64
		Number    int
		Code      string
		Text      string
		Lead      bool
	}
	settings(q, `
		SELECT t.id, t.project_id, t.number, t.code, t.text, t.lead
		FROM project j JOIN task t ON t.project_id = j.id
		WHERE j.plan_id = $1
		ORDER BY t.project_id, t.position`, func(row taskRow) {
		p := q.projects[row.ProjectID]
		p.Tasks = append(p.Tasks, landmark.Task{ID: row.ID, Number: row.Number, Code: row.Code, Text: row.Text, Lead: row.Lead})
	})
	type scenarioRow struct {
		ID        int64
		ProjectID int64
		Code      string
		Name      string
	}
	settings(q, `
		SELECT c.id, c.project_id, c.code, c.name
		FROM project j JOIN scenario c ON c.project_id = j.id
		WHERE j.plan_id = $1
		ORDER BY c.project_id, c.position`, func(row scenarioRow) {
		p := q.projects[row.ProjectID]
		p.Scenarios = append(p.Scenarios, landmark.Scenario{ID: row.ID, Code: row.Code, Name: row.Name})
	})
}

// queueSettings reads what the office dated: of several rows for one month, the
// newest recorded by the moment holds.
func (q *outlineReading) queueSettings() {
	l := q.outline
	settings(q, `
		SELECT DISTINCT ON (t.indicator_id, t.from_month) t.indicator_id, t.from_month, t.amount, t.text, t.basis, t.basis_on, t.recorded_by, t.recorded_at
		FROM project j JOIN indicator i ON i.project_id = j.id JOIN indicator_target t ON t.indicator_id = i.id
		WHERE j.plan_id = $1 AND t.recorded_at <= $2
		ORDER BY t.indicator_id, t.from_month, t.id DESC`, func(row targetRow) {
		ind := l.indicators[row.IndicatorID]
		ind.Targets = append(ind.Targets, landmark.Target{From: dateMonth(row.FromMonth), Amount: row.Amount, Text: row.Text,
			Basis: row.Basis, BasisOn: dateDay(row.BasisOn), RecordedBy: row.RecordedBy, RecordedAt: row.RecordedAt})
	})
	settings(q, `
		SELECT DISTINCT ON (c.indicator_id, c.from_month) c.indicator_id, c.from_month, c.points, c.basis, c.recorded_by, c.recorded_at
		FROM project j JOIN indicator i ON i.project_id = j.id JOIN indicator_curve c ON c.indicator_id = i.id
		WHERE j.plan_id = $1 AND c.recorded_at <= $2
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
	settings(q, `
		SELECT DISTINCT ON (f.indicator_id, f.from_month) f.indicator_id, f.from_month, f.text, f.recorded_by, f.recorded_at
		FROM project j JOIN indicator i ON i.project_id = j.id JOIN indicator_definition f ON f.indicator_id = i.id
		WHERE j.plan_id = $1 AND f.recorded_at <= $2
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
	settings(q, `
		SELECT DISTINCT ON (from_month) from_month, tolerance, red_line
		FROM light_rule
		WHERE plan_id = $1 AND recorded_at <= $2
		ORDER BY from_month, id DESC`, func(row ruleRow) {
		l.plan.Rules = append(l.plan.Rules, landmark.LightRule{From: dateMonth(row.FromMonth), Tolerance: row.Tolerance, RedLine: row.RedLine})
	})
}

// queueCalendar reads when months are open, due and locked, and for whom else.
func (q *outlineReading) queueCalendar() {
	l := q.outline
	type periodRow struct {
		Month      pgtype.Date
		OpensOn    pgtype.Date
		DueOn      pgtype.Date
		GraceOn    pgtype.Date
		LockOn     pgtype.Date
		RecordedAt time.Time
	}
	// All of them: a report is judged by the dates that held when it came.
	settings(q, `
		SELECT month, opens_on, due_on, grace_on, lock_on, recorded_at
		FROM period
		WHERE plan_id = $1 AND recorded_at <= $2
		ORDER BY month, id`, func(row periodRow) {
		m := dateMonth(row.Month)
		l.periods[m] = append(l.periods[m], landmark.PeriodSet{RecordedAt: row.RecordedAt, Period: landmark.Period{
			Month: m, Opens: dateDay(row.OpensOn), Due: dateDay(row.DueOn), Grace: dateDay(row.GraceOn), Lock: dateDay(row.LockOn)}})
	})
	type extensionRow struct {
		DepartmentID int64
		Month        pgtype.Date
		DueOn        pgtype.Date
		Reason       string
		RecordedAt   time.Time
	}
	settings(q, `
		SELECT department_id, month, due_on, reason, recorded_at
		FROM extension
		WHERE plan_id = $1 AND recorded_at <= $2
		ORDER BY id`, func(row extensionRow) {
		l.extensions = append(l.extensions, landmark.Extension{
			DepartmentID: row.DepartmentID, Month: dateMonth(row.Month), Due: dateDay(row.DueOn), Reason: row.Reason, RecordedAt: row.RecordedAt})
	})
}
