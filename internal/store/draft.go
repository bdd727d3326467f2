package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"landmark/internal/landmark"
)

// Draft is what a department has typed for an indicator's month, as typed. The
// zero Version is a draft nobody saved yet.
type Draft struct {
	IndicatorID int64
	Month       landmark.Month
	Version     int // counts saves
	Value       string
	Step        string
	Note        string
	Reason      string
	NoChange    bool
	Open        bool // it holds something not sent
	SavedBy     string
	SavedByID   int64 // account, 0 if none
	SavedAt     time.Time
}

// TaskDraft is what a department has typed about a task and not yet sent.
type TaskDraft struct {
	TaskID       int64
	DepartmentID int64
	Month        landmark.Month
	Version      int
	State        landmark.TaskState
	Note         string
	Open         bool
	SavedBy      string
	SavedAt      time.Time
}

// Drafts are a month's drafts of some indicators and tasks, with the files that
// lie with them.
type Drafts struct {
	Indicators map[int64]Draft
	Tasks      map[int64]TaskDraft
	Evidence   map[int64][]EvidenceFile // by indicator, with the draft
	Sent       map[int64][]EvidenceFile // by indicator, with the newest revision
}

// Drafts reads the drafts of a department's form: those of the indicators, and
// what the department typed about the tasks. With lock nobody else can save them
// until the transaction ends.
func (s *Store) Drafts(ctx context.Context, departmentID int64, m landmark.Month, indicators, tasks []int64, lock bool) (Drafts, error) {
	b := &pgx.Batch{}
	d := queueDrafts(b, departmentID, m, indicators, tasks, lock)
	return d, wrap(s.db.SendBatch(ctx, b).Close(), "read drafts of department %d for %s", departmentID, m)
}

// queueDrafts queues what Drafts reads; the maps are filled when b is sent.
func queueDrafts(b *pgx.Batch, departmentID int64, m landmark.Month, indicators, tasks []int64, lock bool) Drafts {
	d := Drafts{Indicators: map[int64]Draft{}, Tasks: map[int64]TaskDraft{}, Evidence: map[int64][]EvidenceFile{}, Sent: map[int64][]EvidenceFile{}}
	suffix := ""
	if lock {
		suffix = " FOR UPDATE" // in order of the key, so that two forms cannot wait for each other
	}
	type draftRow struct {
		IndicatorID int64
		Version     int
		ValueText   string
		Step        string
		Note        string
		Reason      string
		NoChange    bool
		Open        bool
		SavedBy     string
		SavedByID   int64
		SavedAt     time.Time
	}
	collect(b, `
		SELECT indicator_id, version, value_text, step, note, reason, no_change, open, saved_by, coalesce(account_id, 0) AS saved_by_id, saved_at
		FROM report_draft WHERE indicator_id = ANY($1) AND month = $2
		ORDER BY indicator_id`+suffix, []any{indicators, monthDate(m)}, func(r draftRow) {
		d.Indicators[r.IndicatorID] = Draft{r.IndicatorID, m, r.Version, r.ValueText, r.Step, r.Note, r.Reason, r.NoChange, r.Open, r.SavedBy, r.SavedByID, r.SavedAt}
	})
	type taskRow struct {
		TaskID  int64
		Version int
		State   string
		Note    string
		Open    bool
		SavedBy string
		SavedAt time.Time
	}
	collect(b, `
		SELECT task_id, version, state, note, open, saved_by, saved_at
		FROM task_draft WHERE task_id = ANY($1) AND department_id = $2 AND month = $3
		ORDER BY task_id`+suffix, []any{tasks, departmentID, monthDate(m)}, func(r taskRow) {
		d.Tasks[r.TaskID] = TaskDraft{r.TaskID, departmentID, m, r.Version, landmark.TaskState(r.State), r.Note, r.Open, r.SavedBy, r.SavedAt}
	})
	type fileRow struct {
		IndicatorID int64
		Sent        bool
		evidenceRow
	}
	collect(b, `
		SELECT x.indicator_id, false AS sent, `+evidenceColumns+`
		FROM draft_evidence x JOIN evidence e ON e.id = x.evidence_id
		WHERE x.indicator_id = ANY($1) AND x.month = $2
		UNION ALL
		SELECT r.indicator_id, true AS sent, `+evidenceColumns+`
		FROM report r
		JOIN report_revision n ON n.report_id = r.id AND n.revision = r.revision
		JOIN revision_evidence x ON x.report_revision_id = n.id
		JOIN evidence e ON e.id = x.evidence_id
		WHERE r.indicator_id = ANY($1) AND r.month = $2
		ORDER BY indicator_id, id`, []any{indicators, monthDate(m)}, func(r fileRow) {
		files := d.Evidence
		if r.Sent {
			files = d.Sent
		}
		files[r.IndicatorID] = append(files[r.IndicatorID], r.file())
	})
	return d
}

// collect queues a statement and hands its rows on.
func collect[T any](b *pgx.Batch, sql string, args []any, take func(T)) {
	b.Queue(sql, args...).Query(func(rows pgx.Rows) error {
		defer rows.Close()
		for rows.Next() {
			row, err := pgx.RowToStructByName[T](rows)
			if err != nil {
				return err
			}
			take(row)
		}
		return rows.Err()
	})
}

// SaveDrafts writes drafts of one month over the versions they name, all or none:
// each Version is the one it was made from, 0 for none, and becomes one more. It
// is refused with ErrStale if somebody saved one meanwhile.
func (c *Changes) SaveDrafts(m landmark.Month, list []Draft, by landmark.Actor, at time.Time) {
	if len(list) == 0 {
		return
	}
	n := len(list)
	indicators, versions := make([]int64, n), make([]int32, n)
	values, steps, notes, reasons := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	noChange, open := make([]bool, n), make([]bool, n)
	for i, d := range list {
		indicators[i], versions[i], values[i], steps[i] = d.IndicatorID, int32(d.Version)+1, d.Value, d.Step
		notes[i], reasons[i], noChange[i], open[i] = d.Note, d.Reason, d.NoChange, d.Open
	}
	c.queue(n, `
		INSERT INTO report_draft AS d (indicator_id, month, version, value_text, step, note, reason, no_change, open, account_id, saved_by, saved_at)
		SELECT indicator_id, $9, version, value_text, step, note, reason, no_change, open, $10, $11, $12
		FROM unnest($1::bigint[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::boolean[], $8::boolean[])
			AS t (indicator_id, version, value_text, step, note, reason, no_change, open)
		ORDER BY indicator_id
		ON CONFLICT (indicator_id, month) DO UPDATE
		SET version = excluded.version, value_text = excluded.value_text, step = excluded.step, note = excluded.note, reason = excluded.reason,
			no_change = excluded.no_change, open = excluded.open, account_id = excluded.account_id, saved_by = excluded.saved_by, saved_at = excluded.saved_at
		WHERE d.version + 1 = excluded.version`,
		indicators, versions, values, steps, notes, reasons, noChange, open, monthDate(m), id(by.AccountID), by.Name, at)
}

// SaveTaskDrafts writes what a department typed about tasks, as SaveDrafts does.
func (c *Changes) SaveTaskDrafts(departmentID int64, m landmark.Month, list []TaskDraft, by landmark.Actor, at time.Time) {
	if len(list) == 0 {
		return
	}
	n := len(list)
	tasks, versions, states, notes, open := make([]int64, n), make([]int32, n), make([]string, n), make([]string, n), make([]bool, n)
	for i, d := range list {
		tasks[i], versions[i], states[i], notes[i], open[i] = d.TaskID, int32(d.Version)+1, string(d.State), d.Note, d.Open
	}
	c.queue(n, `
		INSERT INTO task_draft AS d (task_id, department_id, month, version, state, note, open, saved_by, saved_at)
		SELECT task_id, $6, $7, version, state, note, open, $8, $9
		FROM unnest($1::bigint[], $2::int[], $3::text[], $4::text[], $5::boolean[]) AS t (task_id, version, state, note, open)
		ORDER BY task_id
		ON CONFLICT (task_id, department_id, month) DO UPDATE
		SET version = excluded.version, state = excluded.state, note = excluded.note, open = excluded.open, saved_by = excluded.saved_by, saved_at = excluded.saved_at
		WHERE d.version + 1 = excluded.version`,
		tasks, versions, states, notes, open, departmentID, monthDate(m), by.Name, at)
}

// DraftFile is a file that lies with a draft.
type DraftFile struct{ IndicatorID, EvidenceID int64 }

// ChangeDraftFiles puts files with a month's drafts and takes others away. What
// was sent with a revision stays with it.
func (c *Changes) ChangeDraftFiles(m landmark.Month, add, remove []DraftFile) {
	queue := func(sql string, list []DraftFile) {
		if len(list) == 0 {
			return
		}
		indicators, files := make([]int64, len(list)), make([]int64, len(list))
		for i, v := range list {
			indicators[i], files[i] = v.IndicatorID, v.EvidenceID
		}
		c.queue(anyNumber, sql, indicators, files, monthDate(m))
	}
	queue(`
		DELETE FROM draft_evidence d USING unnest($1::bigint[], $2::bigint[]) AS t (indicator_id, evidence_id)
		WHERE d.indicator_id = t.indicator_id AND d.evidence_id = t.evidence_id AND d.month = $3`, remove)
	queue(`
		INSERT INTO draft_evidence (indicator_id, evidence_id, month)
		SELECT indicator_id, evidence_id, $3::date FROM unnest($1::bigint[], $2::bigint[]) AS t (indicator_id, evidence_id)
		ON CONFLICT DO NOTHING`, add)
}

// Keyed is what a form's key was used for before.
type Keyed struct {
	Fresh   bool   // for nothing that had an effect: go on
	Answer  string // of the first time
	Refusal string // fresh, but refused before: what [Changes.RefuseKey] kept
}

// noBody stands for the body of a key whose form was refused: it may come again
// with another.
var noBody [32]byte

// FormOpening is what a form needs to be worked on.
type FormOpening struct {
	Plan         string // slug; empty: the newest
	Month        landmark.Month
	DepartmentID int64
	AccountID    int64
	Key          string // of the form, see Keyed; empty: none
	Body         [32]byte
}

// OpenForm begins the work on a form, in a transaction: it takes the form's key
// for the account's own, and reads the department's part of the record and its
// drafts, which nobody else can save until the transaction ends.
//
// Of the same form sent many times, also at once, only the first key is fresh; the
// others wait for it and get its answer. It returns an Invalid error if the key
// came with another body, and a NotFound error if there is no such plan.
func (s *Store) OpenForm(ctx context.Context, in FormOpening, now time.Time, zone *time.Location) (k Keyed, r *landmark.Record, d Drafts, err error) {
	b := &pgx.Batch{}
	first := in.Body[:]
	k.Fresh = true
	if in.Key != "" {
		b.Queue(`
			INSERT INTO submission_key AS k (account_id, key, body_sha256, answer, created_at)
			VALUES ($1, $2, $3, '', $4)
			ON CONFLICT (account_id, key) DO UPDATE SET replays = k.replays + 1
			RETURNING xmax = 0, body_sha256, answer`, in.AccountID, in.Key, in.Body[:], now).QueryRow(func(row pgx.Row) error {
			return row.Scan(&k.Fresh, &first, &k.Answer)
		})
	}
	reading := s.queueRecord(b, in.Plan, in.DepartmentID, now, zone)
	if reading.guess != nil {
		indicators, tasks := reading.guess.form(in.DepartmentID)
		d = queueDrafts(b, in.DepartmentID, in.Month, indicators, tasks, true)
	}
	if err := s.db.SendBatch(ctx, b).Close(); err != nil {
		return k, nil, d, wrap(err, "open the form of department %d for %s", in.DepartmentID, in.Month)
	}
	if !k.Fresh && string(first) == string(noBody[:]) {
		k = Keyed{Fresh: true, Refusal: k.Answer}
	} else if string(first) != string(in.Body[:]) {
		return k, nil, d, landmark.Errorf(landmark.Invalid, "key", "这张表已经提交过,内容和这次不同,请刷新页面后再改")
	}
	if !k.Fresh {
		return k, nil, d, nil
	}
	r, o, err := reading.done(ctx, s)
	if err != nil {
		return k, nil, d, wrap(err, "open the form of department %d for %s", in.DepartmentID, in.Month)
	}
	if !reading.held() {
		indicators, tasks := o.form(in.DepartmentID)
		d, err = s.Drafts(ctx, in.DepartmentID, in.Month, indicators, tasks, true)
	}
	return k, r, d, err
}

// AnswerKey keeps what the first form with the key led to.
func (c *Changes) AnswerKey(in FormOpening, answer string) {
	c.queue(1, `UPDATE submission_key SET answer = $3, body_sha256 = $4 WHERE account_id = $1 AND key = $2`, in.AccountID, in.Key, answer, in.Body[:])
}

// RefuseKey says that the key's form had no effect, so that the same form put
// right may carry it again, and keeps what that one is to know.
func (c *Changes) RefuseKey(in FormOpening, refusal string) {
	in.Body = noBody
	c.AnswerKey(in, refusal)
}

// Reminder is a chase that somebody of the department has not seen yet.
type Reminder struct {
	ID    int64
	Month landmark.Month
	By    string
	At    time.Time
}

// Reminders are the chases sent to a department about a plan that the account
// has not seen, oldest first.
func (s *Store) Reminders(ctx context.Context, planID, departmentID, accountID int64) ([]Reminder, error) {
	type key struct{ remindersOfPlan, department, account int64 }
	return remember(ctx, s, key{planID, departmentID, accountID}, listWeight, func() ([]Reminder, error) {
		return s.readReminders(ctx, planID, departmentID, accountID)
	})
}

func (s *Store) readReminders(ctx context.Context, planID, departmentID, accountID int64) ([]Reminder, error) {
	rows, err := s.db.Query(ctx, `
		SELECT c.id, c.month, c.recorded_by, c.recorded_at
		FROM chase c
		WHERE c.plan_id = $1 AND c.department_id = $2 AND NOT EXISTS (SELECT FROM chase_seen WHERE chase_id = c.id AND account_id = $3)
		ORDER BY c.id`, planID, departmentID, accountID)
	if err != nil {
		return nil, wrap(err, "read chases of department %d", departmentID)
	}
	type row struct {
		ID         int64
		Month      pgtype.Date
		RecordedBy string
		RecordedAt time.Time
	}
	out, err := pgx.CollectRows(rows, func(c pgx.CollectableRow) (Reminder, error) {
		r, err := pgx.RowToStructByName[row](c)
		return Reminder{r.ID, dateMonth(r.Month), r.RecordedBy, r.RecordedAt}, err
	})
	return out, wrap(err, "read chases of department %d", departmentID)
}

// SeeChases records that an account has seen chases; a second look changes nothing.
func (s *Store) SeeChases(ctx context.Context, chases []int64, accountID int64, at time.Time) error {
	_, err := s.db.Exec(ctx, `
		INSERT INTO chase_seen (chase_id, account_id, seen_at)
		SELECT id, $2, $3 FROM unnest($1::bigint[]) AS t (id)
		ON CONFLICT DO NOTHING`, chases, accountID, at)
	return wrap(err, "see %d chases", len(chases))
}
