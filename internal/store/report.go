package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/shopspring/decimal"

	"landmark/internal/landmark"
)

// Submission is one indicator's month as it leaves draft.
type Submission struct {
	IndicatorID int64
	Month       landmark.Month
	Amount      decimal.NullDecimal
	Step        string
	Note        string
	Reason      string
	NoChange    bool
	Correction  bool     // asked for by the calendar; of an approved value it always is one
	Findings    []string // soft checks set aside, as sentences
	Evidence    []int64  // files that go with it

	// Revision and State are the report as it was when the submission was
	// checked; both zero if there was none.
	Revision int
	State    landmark.State
}

// Submitted is what became of a submission.
type Submitted struct {
	ReportID    int64
	IndicatorID int64
	Month       landmark.Month
	Revision    int
	Correction  bool // asks to replace an approved value
	RevisionID  int64
}

// Submit adds a revision to each report, making those not there yet, and puts
// them in state submitted, all or none. A report with an approved value becomes a
// correction, which needs a reason. It returns a Conflict error if a report is
// no longer where it was when the submission was checked. Submissions must name
// each indicator and month once.
func (s *Store) Submit(ctx context.Context, list []Submission, by landmark.Actor, at time.Time) ([]Submitted, error) {
	var c Changes
	var sent []Submitted
	c.submit(list, by, at, &sent)
	return sent, s.Apply(ctx, &c)
}

// Submit sends reports as [Store.Submit] does.
func (c *Changes) Submit(list []Submission, by landmark.Actor, at time.Time) {
	if len(list) > 0 {
		c.submit(list, by, at, new([]Submitted))
	}
}

func (c *Changes) submit(list []Submission, by landmark.Actor, at time.Time, sent *[]Submitted) {
	n := len(list)
	indicators, months, amounts := make([]int64, n), make([]pgtype.Date, n), make([]decimal.NullDecimal, n)
	steps, notes, reasons, noChange, findings := make([]string, n), make([]string, n), make([]string, n), make([]bool, n), make([]string, n)
	corrections, revisions, states := make([]bool, n), make([]int32, n), make([]string, n)
	for i, v := range list {
		indicators[i], months[i], amounts[i] = v.IndicatorID, monthDate(v.Month), v.Amount
		steps[i], notes[i], reasons[i], noChange[i] = v.Step, v.Note, v.Reason, v.NoChange
		findings[i] = strings.Join(v.Findings, "\n") // unnest flattens arrays of arrays
		corrections[i], revisions[i], states[i] = v.Correction, int32(v.Revision), string(v.State)
	}
	type row struct {
		ReportID    int64
		IndicatorID int64
		Month       pgtype.Date
		Revision    int
		Correction  bool
		RevisionID  int64
	}
	c.batch.Queue(`
		WITH input AS (
			SELECT * FROM unnest($1::bigint[], $2::date[], $3::numeric[], $4::text[], $5::text[], $6::text[], $7::boolean[], $8::text[],
				$12::boolean[], $13::int[], $14::text[])
				AS t (indicator_id, month, amount, step, note, reason, no_change, findings, correction, revision, state)
		), head AS (
			INSERT INTO report AS r (indicator_id, month, state, revision, state_at)
			SELECT indicator_id, month, 'submitted', revision + 1, $9 FROM input
			ORDER BY indicator_id, month
			ON CONFLICT (indicator_id, month) DO UPDATE
			SET state = 'submitted', revision = excluded.revision, state_at = $9
			WHERE r.revision + 1 = excluded.revision
				AND r.state = (SELECT i.state FROM input i WHERE i.indicator_id = r.indicator_id AND i.month = r.month)
			RETURNING r.id, r.indicator_id, r.month, r.revision, r.approved_revision IS NOT NULL AS correction
		), sent AS (
			INSERT INTO report_revision (report_id, revision, amount, step, note, reason, no_change, correction, findings, account_id, submitted_by, submitted_at)
			SELECT h.id, h.revision, i.amount, i.step, i.note, i.reason, i.no_change, h.correction OR i.correction,
				CASE WHEN i.findings = '' THEN '{}' ELSE string_to_array(i.findings, E'\n') END, $10, $11, $9
			FROM head h JOIN input i ON i.indicator_id = h.indicator_id AND i.month = h.month
			RETURNING id, report_id, revision, correction
		), told AS (
			INSERT INTO report_event (report_id, revision, state, account_id, recorded_by, recorded_at)
			SELECT report_id, revision, 'submitted', $10, $11, $9 FROM sent
		)
		SELECT h.id AS report_id, h.indicator_id, h.month, h.revision, s.correction, s.id AS revision_id
		FROM head h JOIN sent s ON s.report_id = h.id`,
		indicators, months, amounts, steps, notes, reasons, noChange, findings, at, id(by.AccountID), by.Name, corrections, revisions, states).Query(func(rows pgx.Rows) (err error) {
		*sent, err = pgx.CollectRows(rows, func(c pgx.CollectableRow) (Submitted, error) {
			r, err := pgx.RowToStructByName[row](c)
			return Submitted{r.ReportID, r.IndicatorID, dateMonth(r.Month), r.Revision, r.Correction, r.RevisionID}, err
		})
		if err == nil && len(*sent) != n {
			return fmt.Errorf("submit %d reports, took %d: %w", n, len(*sent), ErrStale)
		}
		return err
	})
	c.linkEvidence(list)
}

// linkEvidence lays the files of submissions to the revisions just made.
func (c *Changes) linkEvidence(list []Submission) {
	var indicators, evidence []int64
	var months []pgtype.Date
	for _, v := range list {
		for _, e := range v.Evidence {
			indicators, months, evidence = append(indicators, v.IndicatorID), append(months, monthDate(v.Month)), append(evidence, e)
		}
	}
	if len(evidence) == 0 {
		return
	}
	c.queue(len(evidence), `
		INSERT INTO revision_evidence (report_revision_id, evidence_id)
		SELECT n.id, t.evidence_id
		FROM unnest($1::bigint[], $2::date[], $3::bigint[]) AS t (indicator_id, month, evidence_id)
		JOIN report r ON r.indicator_id = t.indicator_id AND r.month = t.month
		JOIN report_revision n ON n.report_id = r.id AND n.revision = r.revision`, indicators, months, evidence)
}

// Seen is a report at the revision a person decided on.
type Seen struct {
	ReportID int64
	Revision int // 0: whichever is newest
}

// Moved is a report after a change of state.
type Moved struct {
	ReportID     int64
	IndicatorID  int64
	ProjectID    int64
	DepartmentID int64
	Department   string
	PlanID       int64
	Code         string
	Name         string
	Month        landmark.Month
	Revision     int
	Amount       decimal.NullDecimal
	Step         string
	Previous     decimal.NullDecimal // the value that stood approved before
	PreviousStep string
	Correction   bool
	SubmittedBy  string
}

// Move changes the state of reports, all or none, in one statement that checks
// what it changes: each must still be at the revision seen, in a state from
// which the new one can be reached, and must not have been submitted by the same
// account when it is approved. It returns a Conflict error otherwise. Approving
// also adds the approved value.
//
//   - signed: from submitted, where the department's leader signs;
//   - approved: from signed, or from submitted where no signature is asked;
//   - returned: from submitted or signed.
//
// With departmentID only reports of a department that asks for its leader's
// signature are moved: it is the leader who acts. Otherwise it is the office.
func (s *Store) Move(ctx context.Context, list []Seen, to landmark.State, reason string, departmentID int64, by landmark.Actor, at time.Time) ([]Moved, error) {
	ids, revisions := make([]int64, len(list)), make([]int32, len(list))
	for i, v := range list {
		ids[i], revisions[i] = v.ReportID, int32(v.Revision)
	}
	rows, err := s.db.Query(ctx, `
		WITH input AS (
			SELECT * FROM unnest($1::bigint[], $2::int[]) AS t (id, revision)
		), before AS (
			SELECT v.report_id, v.amount, v.step
			FROM approved_value v JOIN report r ON r.id = v.report_id AND r.approved_revision = v.revision
			WHERE v.report_id = ANY($1)
		), moved AS (
			UPDATE report r
			SET state = $3, state_at = $6, approved_revision = CASE WHEN $3 = 'approved' THEN r.revision ELSE r.approved_revision END
			FROM input x, indicator i, project j, department d, report_revision n
			WHERE r.id = x.id AND (x.revision = 0 OR r.revision = x.revision)
				AND i.id = r.indicator_id AND j.id = i.project_id AND d.id = j.lead_department_id
				AND n.report_id = r.id AND n.revision = r.revision
				AND ($8::bigint IS NULL OR d.id = $8 AND d.sign_off_required)
				AND CASE $3
					WHEN 'signed' THEN r.state = 'submitted' AND d.sign_off_required AND (n.account_id <> $5) IS NOT FALSE
					WHEN 'approved' THEN (r.state = 'signed' OR r.state = 'submitted' AND NOT d.sign_off_required) AND (n.account_id <> $5) IS NOT FALSE
					WHEN 'returned' THEN r.state IN ('submitted', 'signed')
					ELSE false END
			RETURNING r.id AS report_id, r.indicator_id, j.id AS project_id, d.id AS department_id, d.name AS department, j.plan_id, i.code, i.name, r.month, r.revision,
				n.amount, n.step, n.note, n.reason, n.correction, n.submitted_by, n.submitted_at
		), told AS (
			INSERT INTO report_event (report_id, revision, state, reason, account_id, recorded_by, recorded_at)
			SELECT report_id, revision, $3, $4, $5, $7, $6 FROM moved
		), approved AS (
			INSERT INTO approved_value (indicator_id, month, report_id, revision, amount, step, note, reason, reported_by, reported_at, approved_by, approved_at)
			SELECT indicator_id, month, report_id, revision, amount, step, note, reason, submitted_by, submitted_at, $7, $6
			FROM moved
			WHERE $3 = 'approved'
		)
		SELECT m.report_id, m.indicator_id, m.project_id, m.department_id, m.department, m.plan_id, m.code, m.name, m.month, m.revision, m.amount, m.step,
			b.amount AS previous, coalesce(b.step, '') AS previous_step, m.correction, m.submitted_by
		FROM moved m LEFT JOIN before b ON b.report_id = m.report_id
		ORDER BY m.report_id`,
		ids, revisions, string(to), reason, id(by.AccountID), at, by.Name, id(departmentID))
	if err != nil {
		return nil, wrap(err, "move %d reports to %s", len(list), to)
	}
	type row struct {
		ReportID     int64
		IndicatorID  int64
		ProjectID    int64
		DepartmentID int64
		Department   string
		PlanID       int64
		Code         string
		Name         string
		Month        pgtype.Date
		Revision     int
		Amount       decimal.NullDecimal
		Step         string
		Previous     decimal.NullDecimal
		PreviousStep string
		Correction   bool
		SubmittedBy  string
	}
	out, err := pgx.CollectRows(rows, func(c pgx.CollectableRow) (Moved, error) {
		r, err := pgx.RowToStructByName[row](c)
		return Moved{r.ReportID, r.IndicatorID, r.ProjectID, r.DepartmentID, r.Department, r.PlanID, r.Code, r.Name, dateMonth(r.Month), r.Revision,
			r.Amount, r.Step, r.Previous, r.PreviousStep, r.Correction, r.SubmittedBy}, err
	})
	if err != nil {
		return nil, wrap(err, "move %d reports to %s", len(list), to)
	}
	if len(out) != len(list) {
		return nil, fmt.Errorf("move %d reports to %s, moved %d: %w", len(list), to, len(out),
			landmark.Errorf(landmark.Conflict, "", "选中的%d项里有%d项已被别人处理或有新的修改,这次都没有改动,请刷新后再操作", len(list), len(list)-len(out)))
	}
	return out, nil
}

// Head is where a report stands and what decides who may move it on.
type Head struct {
	ReportID        int64
	PlanID          int64
	DepartmentID    int64
	Department      string
	SignOffRequired bool
	Code            string
	Name            string
	Month           landmark.Month
	State           landmark.State
	StateBy         string
	StateAt         time.Time
	Revision        int
	AccountID       int64 // who submitted the newest revision, 0 for the command line
}

// Heads reads where reports stand now; those that are not there are left out.
func (s *Store) Heads(ctx context.Context, list []Seen) ([]Head, error) {
	ids := make([]int64, len(list))
	for i, v := range list {
		ids[i] = v.ReportID
	}
	type row struct {
		ReportID        int64
		PlanID          int64
		DepartmentID    int64
		Department      string
		SignOffRequired bool
		Code            string
		Name            string
		Month           pgtype.Date
		State           string
		StateBy         string
		StateAt         time.Time
		Revision        int
		AccountID       pgtype.Int8
	}
	rows, err := s.db.Query(ctx, `
		SELECT r.id AS report_id, j.plan_id, d.id AS department_id, d.name AS department, d.sign_off_required, i.code, i.name, r.month,
			r.state, e.recorded_by AS state_by, r.state_at, r.revision, n.account_id
		FROM report r
		JOIN indicator i ON i.id = r.indicator_id
		JOIN project j ON j.id = i.project_id
		JOIN department d ON d.id = j.lead_department_id
		JOIN report_revision n ON n.report_id = r.id AND n.revision = r.revision
		JOIN LATERAL (SELECT recorded_by FROM report_event WHERE report_id = r.id ORDER BY id DESC LIMIT 1) e ON true
		WHERE r.id = ANY($1)
		ORDER BY r.id`, ids)
	if err != nil {
		return nil, wrap(err, "read %d reports", len(ids))
	}
	out, err := pgx.CollectRows(rows, func(c pgx.CollectableRow) (Head, error) {
		r, err := pgx.RowToStructByName[row](c)
		return Head{r.ReportID, r.PlanID, r.DepartmentID, r.Department, r.SignOffRequired, r.Code, r.Name, dateMonth(r.Month),
			landmark.State(r.State), r.StateBy, r.StateAt, r.Revision, r.AccountID.Int64}, err
	})
	return out, wrap(err, "read %d reports", len(ids))
}
