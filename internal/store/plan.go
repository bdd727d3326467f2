package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/shopspring/decimal"

	"landmark/internal/landmark"
)

// PlanHead is a plan without its table, for lists and selectors.
type PlanHead struct {
	ID          int64
	Slug, Title string
	Year        int
	Demo        bool
	Projects    int
	Indicators  int
}

// Plans lists all plans, newest year first.
func (s *Store) Plans(ctx context.Context) ([]PlanHead, error) {
	rows, err := s.db.Query(ctx, `
		SELECT p.id, p.slug, p.title, p.year, p.demo,
			(SELECT count(*) FROM project j WHERE j.plan_id = p.id) AS projects,
			(SELECT count(*) FROM project j JOIN indicator i ON i.project_id = j.id WHERE j.plan_id = p.id) AS indicators
		FROM plan p
		ORDER BY p.year DESC, p.id DESC`)
	if err != nil {
		return nil, wrap(err, "list plans")
	}
	heads, err := pgx.CollectRows(rows, pgx.RowToStructByName[PlanHead])
	return heads, wrap(err, "list plans")
}

// PlanName is a plan in a selector.
type PlanName struct {
	Slug  string
	Title string
}

// PlanNames lists the newest plans, at most so many.
func (s *Store) PlanNames(ctx context.Context, limit int) ([]PlanName, error) {
	type key struct{ newestPlans int }
	return remember(ctx, s, key{limit}, listWeight, func() ([]PlanName, error) {
		rows, err := s.db.Query(ctx, `SELECT slug, title FROM plan ORDER BY year DESC, id DESC LIMIT $1`, limit)
		if err != nil {
			return nil, wrap(err, "list the newest plans")
		}
		names, err := pgx.CollectRows(rows, pgx.RowToStructByName[PlanName])
		return names, wrap(err, "list the newest plans")
	})
}

// InsertPlan stores a whole plan with its departments, in one transaction with
// its history line. It returns a Conflict error if the slug is taken.
func (s *Store) InsertPlan(ctx context.Context, p *landmark.Plan, by landmark.Actor, at time.Time) error {
	return s.Tx(ctx, func(s *Store) error {
		err := s.db.QueryRow(ctx, `
			INSERT INTO plan (slug, title, city, year, baseline_year, published_on, columns, demo, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
			RETURNING id`,
			p.Slug, p.Title, p.City, p.Year, p.BaselineYear, dayDate(p.Published), p.Columns, p.Demo, at).Scan(&p.ID)
		if err != nil {
			return wrap(err, "insert plan %s", p.Slug)
		}
		departments, err := s.ensureDepartments(ctx, p)
		if err != nil {
			return err
		}
		if err := s.insertProjects(ctx, p, departments); err != nil {
			return err
		}
		if err := s.insertIndicators(ctx, p, by, at); err != nil {
			return err
		}
		after, err := json.Marshal(map[string]any{"slug": p.Slug, "title": p.Title, "projects": len(p.Projects), "indicators": len(p.Indicators())})
		if err != nil {
			return fmt.Errorf("describe plan %s: %w", p.Slug, err)
		}
		return s.AddHistory(ctx, landmark.HistoryEntry{At: at, Actor: by, Act: "plan.import", PlanID: p.ID, Object: p.Title, After: after})
	})
}

// ensureDepartments makes the departments a plan names that are not there yet,
// and gives the id of each printed name.
func (s *Store) ensureDepartments(ctx context.Context, p *landmark.Plan) (map[string]int64, error) {
	b := &pgx.Batch{}
	ensure := func(d landmark.Department, printed string) {
		b.Queue(`
			INSERT INTO department (slug, name, sort, collective, sign_off_required)
			SELECT $1, $2, $3, $4, $5
			WHERE NOT EXISTS (SELECT FROM department WHERE name = $2) AND NOT EXISTS (SELECT FROM department_alias WHERE printed = $2)`,
			d.Slug, d.Name, d.Sort, d.Collective, d.SignOffRequired)
		if printed != d.Name {
			b.Queue(`
				INSERT INTO department_alias (printed, department_id)
				SELECT $1, id FROM department WHERE name = $2
				ON CONFLICT (printed) DO NOTHING`, printed, d.Name)
		}
	}
	for _, project := range p.Projects {
		ensure(project.Lead, project.Lead.Name)
		for _, c := range project.Cooperating {
			ensure(c.Department, c.Printed)
		}
	}
	if err := s.db.SendBatch(ctx, b).Close(); err != nil {
		return nil, wrap(err, "insert departments of plan %s", p.Slug)
	}
	rows, err := s.db.Query(ctx, `
		SELECT name, id FROM department
		UNION ALL
		SELECT printed, department_id FROM department_alias`)
	if err != nil {
		return nil, wrap(err, "read departments")
	}
	ids := map[string]int64{}
	var name string
	var n int64
	_, err = pgx.ForEachRow(rows, []any{&name, &n}, func() error { ids[name] = n; return nil })
	return ids, wrap(err, "read departments")
}

func (s *Store) insertProjects(ctx context.Context, p *landmark.Plan, departments map[string]int64) error {
	b := &pgx.Batch{}
	for _, project := range p.Projects {
		b.Queue(`
			INSERT INTO project (plan_id, number, name, lead_department_id, lead_printed, tasks_text, scenarios_text, cooperating_text)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			RETURNING id`,
			p.ID, project.Number, project.Name, departments[project.Lead.Name], project.LeadPrinted,
			project.TasksText, project.ScenariosText, project.CooperatingText).
			QueryRow(func(row pgx.Row) error { return row.Scan(&project.ID) })
	}
	if err := s.db.SendBatch(ctx, b).Close(); err != nil {
		return wrap(err, "insert projects of plan %s", p.Slug)
	}
	b = &pgx.Batch{}
	for _, project := range p.Projects {
		project.Lead.ID = departments[project.Lead.Name]
		for i, c := range project.Cooperating {
			project.Cooperating[i].Department.ID = departments[c.Printed]
			b.Queue(`INSERT INTO cooperation (project_id, position, department_id, printed) VALUES ($1, $2, $3, $4)`,
				project.ID, i+1, departments[c.Printed], c.Printed)
		}
		position := 0
		for _, t := range project.Tasks {
			if !t.Lead {
				position++
			}
			b.Queue(`INSERT INTO task (project_id, position, number, code, text, lead) VALUES ($1, $2, $3, $4, $5, $6)`,
				project.ID, positionOf(t, position), t.Number, t.Code, t.Text, t.Lead)
		}
		for i, sc := range project.Scenarios {
			b.Queue(`INSERT INTO scenario (project_id, position, code, name) VALUES ($1, $2, $3, $4)`, project.ID, i+1, sc.Code, sc.Name)
		}
	}
	return wrap(s.db.SendBatch(ctx, b).Close(), "insert tasks and scenarios of plan %s", p.Slug)
}

// positionOf puts a lead sentence before the numbered tasks.
func positionOf(t landmark.Task, position int) int {
	if t.Lead {
		return 0
	}
	return position
}

func (s *Store) insertIndicators(ctx context.Context, p *landmark.Plan, by landmark.Actor, at time.Time) error {
	b := &pgx.Batch{}
	for _, project := range p.Projects {
		for _, ind := range project.Indicators {
			b.Queue(`
				INSERT INTO indicator (project_id, position, code, printed, name, key, baseline_text, baseline)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
				RETURNING id`,
				project.ID, ind.Position, ind.Code, ind.Printed, ind.Name, ind.Key, ind.BaselineText, ind.Baseline).
				QueryRow(func(row pgx.Row) error { return row.Scan(&ind.ID) })
		}
	}
	if err := s.db.SendBatch(ctx, b).Close(); err != nil {
		return wrap(err, "insert indicators of plan %s", p.Slug)
	}
	b = &pgx.Batch{}
	for _, ind := range p.Indicators() {
		if err := queueNature(b, ind, "", by, at); err != nil {
			return err
		}
		for _, t := range ind.Targets {
			queueTarget(b, ind.ID, t, by, at)
		}
		for _, c := range ind.Curves {
			if err := queueCurve(b, ind.ID, c, by, at); err != nil {
				return err
			}
		}
		for _, d := range ind.Definitions {
			queueDefinition(b, ind.ID, d, by, at)
		}
	}
	for _, rel := range p.Relations {
		lower, err := p.Indicator(rel.Lower)
		if err != nil {
			return fmt.Errorf("relation %s: %w", rel.Lower, err)
		}
		upper, err := p.Indicator(rel.Upper)
		if err != nil {
			return fmt.Errorf("relation %s: %w", rel.Upper, err)
		}
		b.Queue(`INSERT INTO indicator_relation (indicator_id, not_above_id) VALUES ($1, $2)`, lower.ID, upper.ID)
	}
	for _, r := range p.Rules {
		queueRule(b, p.ID, r, "", by, at)
	}
	return wrap(s.db.SendBatch(ctx, b).Close(), "insert natures and targets of plan %s", p.Slug)
}

type stepRow struct {
	Name    string         `json:"name"`
	Meaning landmark.Light `json:"meaning"`
}

func queueNature(b *pgx.Batch, ind *landmark.Indicator, reason string, by landmark.Actor, at time.Time) error {
	steps := make([]stepRow, len(ind.Steps))
	for i, s := range ind.Steps {
		steps[i] = stepRow{s.Name, s.Meaning}
	}
	j, err := json.Marshal(steps)
	if err != nil {
		return fmt.Errorf("steps of %s: %w", ind.Code, err)
	}
	b.Queue(`
		INSERT INTO indicator_nature (indicator_id, kind, direction, unit, decimals, measured, steps, confirmed, reason, recorded_by, recorded_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		ind.ID, string(ind.Kind), string(ind.Direction), ind.Unit, ind.Decimals, string(ind.Measured), string(j), ind.Confirmed, reason, by.Name, at)
	return nil
}

func queueTarget(b *pgx.Batch, indicatorID int64, t landmark.Target, by landmark.Actor, at time.Time) {
	b.Queue(`
		INSERT INTO indicator_target (indicator_id, from_month, amount, text, basis, basis_on, recorded_by, recorded_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		indicatorID, monthDate(t.From), t.Amount, t.Text, t.Basis, dayDate(t.BasisOn), by.Name, at)
}

type pointRow struct {
	Month  string `json:"month"`
	Amount string `json:"amount"`
}

func queueCurve(b *pgx.Batch, indicatorID int64, c landmark.Curve, by landmark.Actor, at time.Time) error {
	points := make([]pointRow, len(c.Points))
	for i, p := range c.Points {
		points[i] = pointRow{p.Month.String(), p.Amount.String()}
	}
	j, err := json.Marshal(points)
	if err != nil {
		return fmt.Errorf("curve of indicator %d: %w", indicatorID, err)
	}
	b.Queue(`
		INSERT INTO indicator_curve (indicator_id, from_month, points, basis, recorded_by, recorded_at)
		VALUES ($1, $2, $3, $4, $5, $6)`,
		indicatorID, monthDate(c.From), string(j), c.Basis, by.Name, at)
	return nil
}

func queueDefinition(b *pgx.Batch, indicatorID int64, d landmark.Definition, by landmark.Actor, at time.Time) {
	b.Queue(`
		INSERT INTO indicator_definition (indicator_id, from_month, text, recorded_by, recorded_at)
		VALUES ($1, $2, $3, $4, $5)`,
		indicatorID, monthDate(d.From), d.Text, by.Name, at)
}

func queueRule(b *pgx.Batch, planID int64, r landmark.LightRule, reason string, by landmark.Actor, at time.Time) {
	b.Queue(`
		INSERT INTO light_rule (plan_id, from_month, tolerance, red_line, reason, recorded_by, recorded_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		planID, monthDate(r.From), r.Tolerance, r.RedLine, reason, by.Name, at)
}

// Departments lists all departments in protocol order.
func (s *Store) Departments(ctx context.Context) ([]landmark.Department, error) {
	rows, err := s.db.Query(ctx, `
		SELECT id, slug, name, sort, collective, sign_off_required
		FROM department
		ORDER BY sort, id`)
	if err != nil {
		return nil, wrap(err, "list departments")
	}
	ds, err := pgx.CollectRows(rows, pgx.RowToStructByName[landmark.Department])
	return ds, wrap(err, "list departments")
}

// FindDepartment finds a department by slug, name or printed alias. The error
// is NotFound.
func (s *Store) FindDepartment(ctx context.Context, name string) (landmark.Department, error) {
	rows, err := s.db.Query(ctx, `
		SELECT id, slug, name, sort, collective, sign_off_required
		FROM department
		WHERE slug = $1 OR name = $1 OR id = (SELECT department_id FROM department_alias WHERE printed = $1)`, name)
	if err != nil {
		return landmark.Department{}, wrap(err, "find department %q", name)
	}
	d, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[landmark.Department])
	return d, wrap(err, "find department %q", name)
}

// planRow and the rows below are what the record is read into.
type planRow struct {
	ID           int64
	Slug         string
	Title        string
	City         string
	Year         int
	BaselineYear int
	PublishedOn  pgtype.Date
	Columns      []string
	Demo         bool
}

type projectRow struct {
	ID              int64
	Number          int
	Name            string
	LeadPrinted     string
	TasksText       string
	ScenariosText   string
	CooperatingText string
	DepartmentID    int64
	Slug            string
	DepartmentName  string
	Sort            int
	Collective      bool
	SignOffRequired bool
}

type cooperationRow struct {
	ProjectID       int64
	Printed         string
	DepartmentID    int64
	Slug            string
	Name            string
	Sort            int
	Collective      bool
	SignOffRequired bool
}

type indicatorRow struct {
	ID           int64
	ProjectID    int64
	Position     int
	Code         string
	Printed      string
	Name         string
	Key          bool
	BaselineText string
	Baseline     decimal.NullDecimal
	Kind         string
	Direction    string
	Unit         string
	Decimals     int
	Measured     string
	Steps        []stepRow
	Confirmed    bool
}

type targetRow struct {
	IndicatorID int64
	FromMonth   pgtype.Date
	Amount      decimal.NullDecimal
	Text        string
	Basis       string
	BasisOn     pgtype.Date
	RecordedBy  string
	RecordedAt  time.Time
}

type curveRow struct {
	IndicatorID int64
	FromMonth   pgtype.Date
	Points      []pointRow
	Basis       string
	RecordedBy  string
	RecordedAt  time.Time
}

type definitionRow struct {
	IndicatorID int64
	FromMonth   pgtype.Date
	Text        string
	RecordedBy  string
	RecordedAt  time.Time
}

// DepartmentNames is a department with the other names it is printed under.
type DepartmentNames struct {
	landmark.Department
	Aliases []string
}

// DepartmentNames lists all departments with their printed aliases.
func (s *Store) DepartmentNames(ctx context.Context) ([]DepartmentNames, error) {
	type row struct {
		ID              int64
		Slug            string
		Name            string
		Sort            int
		Collective      bool
		SignOffRequired bool
		Aliases         []string
	}
	rows, err := s.db.Query(ctx, `
		SELECT d.id, d.slug, d.name, d.sort, d.collective, d.sign_off_required,
			array(SELECT printed FROM department_alias WHERE department_id = d.id ORDER BY printed) AS aliases
		FROM department d
		ORDER BY d.sort, d.id`)
	if err != nil {
		return nil, wrap(err, "list departments with aliases")
	}
	out, err := pgx.CollectRows(rows, func(c pgx.CollectableRow) (DepartmentNames, error) {
		r, err := pgx.RowToStructByName[row](c)
		return DepartmentNames{Department: landmark.Department{ID: r.ID, Slug: r.Slug, Name: r.Name, Sort: r.Sort,
			Collective: r.Collective, SignOffRequired: r.SignOffRequired}, Aliases: r.Aliases}, err
	})
	return out, wrap(err, "list departments with aliases")
}

// UpdatePlan takes over what a newer table and details say of a plan that is
// there: baselines, printed targets, natures and plan curves, as new dated
// versions beside the old, and says how many changed. The table's shape must be
// the same; what differs in projects, names, tasks, scenarios or departments is
// refused with an Invalid error naming the first difference.
func (s *Store) UpdatePlan(ctx context.Context, p *landmark.Plan, by landmark.Actor, at time.Time) (changes int, err error) {
	err = s.Tx(ctx, func(s *Store) error {
		// One updater at a time: both would compare against the same old rows.
		if err := s.db.QueryRow(ctx, `SELECT id FROM plan WHERE slug = $1 FOR UPDATE`, p.Slug).Scan(&p.ID); err != nil {
			return wrap(err, "find plan %s", p.Slug)
		}
		r, err := s.Record(ctx, p.Slug, time.Time{}, at, time.UTC)
		if err != nil {
			return err
		}
		if err := sameShape(r.Plan, p); err != nil {
			return err
		}
		b := &pgx.Batch{}
		var entries []landmark.HistoryEntry
		for _, ind := range p.Indicators() {
			old, err := r.Plan.Indicator(ind.Code)
			if err != nil {
				return err
			}
			ind.ID = old.ID
			note := func(act string, before, after any) error {
				x, err := json.Marshal(before)
				if err != nil {
					return err
				}
				y, err := json.Marshal(after)
				if err != nil {
					return err
				}
				entries = append(entries, landmark.HistoryEntry{At: at, Actor: by, Act: act, PlanID: p.ID, ProjectID: old.Project.ID,
					IndicatorID: old.ID, Object: old.Code + " " + old.Name, Before: x, After: y})
				return nil
			}
			if was, is := natureOf(old), natureOf(ind); ind.Kind != landmark.KindUnknown && !sameJSON(was, is) {
				if err := queueNature(b, ind, "", by, at); err != nil {
					return err
				}
				if err := note("indicator.nature", was, is); err != nil {
					return err
				}
			}
			// A table written out after the office revised a target has the revised one.
			if was, is := old.Targets[0].Text, ind.Targets[0].Text; was != is && is != old.TargetIn(r.Plan.LastMonth()).Text {
				t := ind.Targets[0]
				t.From = old.Targets[0].From
				queueTarget(b, old.ID, t, by, at)
				if err := note("target.import", was, is); err != nil {
					return err
				}
			}
			// Details speak of the curve that holds at the year's end; an empty cell takes
			// it away. Those of months before stay.
			was, is := old.CurveIn(r.Plan.LastMonth()), ind.CurveIn(r.Plan.LastMonth())
			if detailed := ind.Kind != landmark.KindUnknown; detailed && !samePoints(was, is) {
				if len(was.Points) > 0 {
					is.From = was.From
				}
				if err := queueCurve(b, old.ID, is, by, at); err != nil {
					return err
				}
				if err := note("curve.import", was.Points, is.Points); err != nil {
					return err
				}
			}
			if old.BaselineText != ind.BaselineText {
				b.Queue(`INSERT INTO indicator_baseline (indicator_id, text, amount, recorded_by, recorded_at) VALUES ($1, $2, $3, $4, $5)`,
					old.ID, ind.BaselineText, ind.Baseline, by.Name, at)
				if err := note("baseline.import", old.BaselineText, ind.BaselineText); err != nil {
					return err
				}
			}
		}
		if changes = len(entries); changes == 0 {
			return nil
		}
		if err := s.db.SendBatch(ctx, b).Close(); err != nil {
			return wrap(err, "update plan %s", p.Slug)
		}
		return s.AddHistory(ctx, entries...)
	})
	return changes, err
}

func samePoints(a, b landmark.Curve) bool {
	return slices.EqualFunc(a.Points, b.Points, func(a, b landmark.CurvePoint) bool { return a.Month == b.Month && a.Amount.Equal(b.Amount) })
}

type nature struct {
	Kind      landmark.Kind
	Direction landmark.Direction
	Unit      string
	Decimals  int
	Measured  landmark.Frequency
	Steps     []landmark.Step
	Confirmed bool
}

func natureOf(ind *landmark.Indicator) nature {
	return nature{ind.Kind, ind.Direction, ind.Unit, ind.Decimals, ind.Measured, ind.Steps, ind.Confirmed}
}

func sameJSON(a, b any) bool {
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && string(x) == string(y)
}

// sameShape says in which project two tables first differ in what reports hang
// on: names, tasks, scenarios and departments.
func sameShape(old, new *landmark.Plan) error {
	differ := func(number int, what, was, is string) error {
		return landmark.Errorf(landmark.Invalid, "file", "第%d个项目的%s和原方案不同(原为“%s”,现为“%s”),更新只接受基数、目标和指标性质的变化", number, what, was, is)
	}
	if len(old.Projects) != len(new.Projects) {
		return landmark.Errorf(landmark.Invalid, "file", "原方案有%d个项目,文件里有%d个,更新不能增减项目", len(old.Projects), len(new.Projects))
	}
	for i, o := range old.Projects {
		n := new.Projects[i]
		for _, c := range []struct{ what, was, is string }{
			{"序号", fmt.Sprint(o.Number), fmt.Sprint(n.Number)}, {"名称", o.Name, n.Name}, {"牵头单位", o.LeadPrinted, n.LeadPrinted},
			{"重点任务", o.TasksText, n.TasksText}, {"重点场景", o.ScenariosText, n.ScenariosText}, {"配合单位", o.CooperatingText, n.CooperatingText},
			{"指标个数", fmt.Sprint(len(o.Indicators)), fmt.Sprint(len(n.Indicators))},
		} {
			if c.was != c.is {
				return differ(o.Number, c.what, c.was, c.is)
			}
		}
		for k := range o.Indicators {
			if was, is := o.Indicators[k].Printed, n.Indicators[k].Printed; was != is {
				return differ(o.Number, "指标", was, is)
			}
		}
	}
	return nil
}
