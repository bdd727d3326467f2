package reporting

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"landmark/internal/landmark"
	"landmark/internal/store"
)

// What the database takes of a text, in characters.
const (
	maxValue  = 200
	maxStep   = 100
	maxNote   = 4000
	maxReason = 2000
)

// FormInput is a month's form as it came in. What it does not name stays as it is.
type FormInput struct {
	Plan         string // slug; empty: the newest
	Month        landmark.Month
	DepartmentID int64  // 0: the user's own
	Key          string // one per rendered form; a repeat has one effect. Empty: none
	Indicators   map[string]Typed
	Tasks        map[string]TaskTyped
	Milestones   []MilestoneTyped
}

// Typed is what was typed for one indicator. A nil field was not in the form.
type Typed struct {
	Version  int  // of the draft the form was filled from, 0 if there was none
	Blind    bool // the form does not say which that was: only the user's own draft may go
	Value    *string
	Step     *string
	Note     *string
	Reason   *string
	NoChange *bool
	Files    []Upload
	Remove   []int64 // files to take away from the draft
}

// TaskTyped is what was typed for one task. A nil field was not in the form.
type TaskTyped struct {
	Version *int // of the draft the form was filled from; nil: whichever is newest
	State   *string
	Note    *string
}

// MilestoneTyped is a stage of a scenario whose day was changed.
type MilestoneTyped struct {
	Scenario string // code
	Step     string // one of landmark.MilestoneSteps
	On       string // as typed; empty takes the stage back
}

// Fields are the texts of one indicator's row.
type Fields struct {
	Value, Step, Note, Reason string
	NoChange                  bool
}

func (f Fields) blank() bool {
	return strings.TrimSpace(f.Value) == "" && strings.TrimSpace(f.Step) == "" && !f.NoChange
}

// Receipt is what a form led to. The same form sent again has the same receipt.
type Receipt struct {
	DepartmentID int64          `json:"department_id"`
	Month        landmark.Month `json:"month"`
	Submitted    bool           `json:"submitted"` // else saved only
	Sent         []string       `json:"sent"`      // codes of indicators that went to review
	Corrections  []string       `json:"corrections,omitempty"`
	Tasks        []string       `json:"tasks,omitempty"`
	Milestones   int            `json:"milestones,omitempty"` // stages whose day was recorded or taken back
	Versions     map[string]int `json:"versions"`             // of the drafts afterwards, by code of indicator or task
	At           time.Time      `json:"at"`
	Replayed     bool           `json:"-"` // this very form had been taken before
}

// CheckError is a form that cannot be submitted like this. What was typed is
// kept in the draft, unless a finding says that it cannot be.
type CheckError struct {
	Findings []landmark.Finding // those in the way
	Versions map[string]int     // of the drafts, for the form to be shown again
}

func (e *CheckError) Error() string { return landmark.MessageOf(e.Unwrap()) }

// Unwrap is the domain error that says it in one sentence.
func (e *CheckError) Unwrap() error {
	return landmark.Errorf(landmark.Invalid, "", "还不能提交,有%d处需要改正:%s", len(e.Findings), e.Findings[0].Message)
}

// KeptError is a form that cannot be sent at all, whatever it says: its month is
// not open, or it changes nothing. What was typed is kept in the draft.
type KeptError struct{ Err error }

func (e *KeptError) Error() string { return landmark.MessageOf(e.Err) }

// Unwrap is the domain error that says it in one sentence.
func (e *KeptError) Unwrap() error { return e.Err }

// StaleError is a form filled from an older state than the one saved meanwhile by
// somebody else. Nothing of the form was taken.
type StaleError struct {
	Rows  []StaleRow
	Tasks []StaleTask
}

// StaleRow holds both versions of an indicator's row.
type StaleRow struct {
	Code         string
	Version      int // theirs: send it along to overwrite what they saved
	Theirs, Mine Fields
	SavedBy      string
	SavedAt      time.Time
}

// StaleTask holds both versions of a task's row.
type StaleTask struct {
	Code                string
	Version             int
	TheirState, MyState landmark.TaskState
	TheirNote, MyNote   string
	SavedBy             string
	SavedAt             time.Time
}

func (e *StaleError) Error() string { return landmark.MessageOf(e.Unwrap()) }

// Unwrap is the domain error that says it in one sentence.
func (e *StaleError) Unwrap() error {
	who := ""
	if len(e.Rows) > 0 {
		who = e.Rows[0].SavedBy
	} else if len(e.Tasks) > 0 {
		who = e.Tasks[0].SavedBy
	}
	return landmark.Errorf(landmark.Conflict, "", "%s在您之后保存过%d处,这次没有覆盖,请比对两边的内容再保存", who, len(e.Rows)+len(e.Tasks))
}

// NewKey makes the key of a rendered form.
func NewKey() string { return rand.Text() }

// Save keeps what was typed as a draft, and records the days of scenarios. It asks no more of it than that it can be
// kept. It returns a *StaleError if somebody saved meanwhile, and a *CheckError
// for what cannot be kept: a text too long, a file of a wrong kind, a day that is
// none.
func (s *Service) Save(ctx context.Context, by landmark.Actor, u landmark.User, in FormInput, now time.Time) (Receipt, error) {
	return s.take(ctx, by, u, in, false, now)
}

// Submit keeps what was typed and sends the department's month to review: every
// indicator whose row says something new, and what was said of tasks. All that
// is owed must be filled in. It returns a *CheckError where a check stands in the
// way, and then keeps the draft; and a *StaleError as Save does.
func (s *Service) Submit(ctx context.Context, by landmark.Actor, u landmark.User, in FormInput, now time.Time) (Receipt, error) {
	return s.take(ctx, by, u, in, true, now)
}

func (s *Service) take(ctx context.Context, by landmark.Actor, u landmark.User, in FormInput, submit bool, now time.Time) (Receipt, error) {
	if n := utf8.RuneCountInString(in.Key); in.Key != "" && (n < 16 || n > 64 || !utf8.ValidString(in.Key) || strings.ContainsRune(in.Key, 0)) {
		return Receipt{}, landmark.Errorf(landmark.Invalid, "key", "表单的编号不对,请刷新页面后再试")
	}
	in = in.clean()
	if findings := in.unkeepable(); len(findings) > 0 {
		return Receipt{}, &CheckError{Findings: findings}
	}
	if findings, err := s.scan(ctx, in); err != nil {
		return Receipt{}, err
	} else if len(findings) > 0 {
		return Receipt{}, &CheckError{Findings: findings}
	}
	body := in.body(submit)
	// Taken anew where somebody else came first between reading and writing.
	for attempt := 1; ; attempt++ {
		receipt, err := s.takeOnce(ctx, by, u, in, body, submit, now)
		if attempt == attempts || !errors.Is(err, store.ErrStale) {
			return receipt, err
		}
	}
}

// takeOnce is one transaction of two round trips: what the form is held against
// comes in the first, all that it changes goes in the second.
func (s *Service) takeOnce(ctx context.Context, by landmark.Actor, u landmark.User, in FormInput, body [32]byte, submit bool, now time.Time) (receipt Receipt, err error) {
	if in.DepartmentID == 0 {
		in.DepartmentID = u.DepartmentID
	}
	if u.DepartmentID == 0 || in.DepartmentID != u.DepartmentID {
		return Receipt{}, landmark.Errorf(landmark.Forbidden, "department", "只能填报自己部门的报表")
	}
	var refused error
	err = s.tx(ctx, func(st *store.Store) error {
		refused = nil
		opening := store.FormOpening{Plan: in.Plan, Month: in.Month, DepartmentID: in.DepartmentID, AccountID: u.ID, Key: in.Key, Body: body}
		k, r, drafts, err := st.OpenForm(ctx, opening, now, s.zone)
		switch {
		case err != nil:
			return err
		case !k.Fresh:
			if err := json.Unmarshal([]byte(k.Answer), &receipt); err != nil {
				return fmt.Errorf("read the answer to a form sent before: %w", err)
			}
			receipt.Replayed = true
			return nil
		}
		f, err := open(r, drafts, u, in)
		if err != nil {
			return err
		}
		filled := f.filledFrom()
		if err := f.resume(k.Refusal); err != nil {
			return err
		}
		if stale := f.stale(); stale != nil {
			return stale
		}
		batch := batch{findings: f.dayFindings}
		if submit {
			batch = f.batch()
		}
		var changes store.Changes
		if err := f.keep(ctx, st, &changes, by, batch, now); err != nil {
			return err
		}
		if batch.blocked() {
			// The draft stays, the key is free again for the form put right.
			if refused = error(&KeptError{batch.refusal}); len(batch.findings) > 0 {
				refused = &CheckError{Findings: batch.findings, Versions: f.versions()}
			}
			if in.Key != "" {
				changes.RefuseKey(opening, string(describe(refusal{filled, f.versions()})))
			}
			return st.Apply(ctx, &changes)
		}
		receipt = Receipt{DepartmentID: f.department.ID, Month: in.Month, Submitted: submit, Sent: []string{}, At: now}
		if submit {
			if err := f.send(&changes, by, batch, &receipt, now); err != nil {
				return err
			}
		}
		receipt.Milestones = f.reach(&changes, by, now)
		receipt.Versions = f.versions()
		if in.Key != "" {
			changes.AnswerKey(opening, string(describe(receipt)))
		}
		return st.Apply(ctx, &changes)
	})
	switch {
	case err != nil:
		return Receipt{}, err
	case refused != nil:
		return Receipt{}, refused
	}
	return receipt, nil
}

// refusal is what a form put right, sent with the key of the refused one, is to
// know: by code of indicator or task, the version the form was filled from and
// the one it saved when it was refused.
type refusal struct {
	From map[string]int `json:"from"`
	To   map[string]int `json:"to"`
}

// clean brings what browsers send to one form: line ends, and what no text holds.
func (in FormInput) clean() FormInput {
	text := func(s *string) *string {
		if s == nil {
			return nil
		}
		t := cleanText(*s)
		return &t
	}
	indicators, tasks := map[string]Typed{}, map[string]TaskTyped{}
	for code, t := range in.Indicators {
		t.Value, t.Step, t.Note, t.Reason = text(t.Value), text(t.Step), text(t.Note), text(t.Reason)
		indicators[code] = t
	}
	for code, t := range in.Tasks {
		t.State, t.Note = text(t.State), text(t.Note)
		tasks[code] = t
	}
	in.Indicators, in.Tasks, in.Milestones = indicators, tasks, slices.Clone(in.Milestones)
	for i, m := range in.Milestones {
		in.Milestones[i].On = strings.TrimSpace(cleanText(m.On))
	}
	// In one order, so that two forms cannot wait for each other.
	slices.SortFunc(in.Milestones, func(a, b MilestoneTyped) int {
		return cmp.Or(strings.Compare(a.Scenario, b.Scenario), strings.Compare(a.Step, b.Step))
	})
	return in
}

func cleanText(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, s)
}

// unkeepable says what of a form the database cannot hold.
func (in FormInput) unkeepable() []landmark.Finding {
	var out []landmark.Finding
	long := func(code, field, name string, text *string, limit int) {
		if text == nil {
			return
		}
		if n := utf8.RuneCountInString(*text); n > limit {
			out = append(out, landmark.Finding{Code: code, Field: field, Rule: "length", Message: fmt.Sprintf("%s有%d字,最多%d字", name, n, limit)})
		}
	}
	for _, code := range sortedKeys(in.Indicators) {
		t := in.Indicators[code]
		long(code, "value", "指标"+code+"的数值", t.Value, maxValue)
		long(code, "step", "指标"+code+"的步骤", t.Step, maxStep)
		long(code, "note", "指标"+code+"的情况说明", t.Note, maxNote)
		long(code, "reason", "指标"+code+"的原因", t.Reason, maxReason)
		for _, u := range t.Files {
			if err := u.check(); err != nil {
				out = append(out, landmark.Finding{Code: code, Field: "evidence", Rule: "file", Message: landmark.MessageOf(err)})
			}
		}
	}
	for _, code := range sortedKeys(in.Tasks) {
		t := in.Tasks[code]
		long(code, "task_note", "任务"+code+"的进展", t.Note, maxNote)
		if t.State != nil && *t.State != "" && !slices.Contains(landmark.TaskStates, landmark.TaskState(*t.State)) {
			out = append(out, landmark.Finding{Code: code, Field: "task_state", Rule: "state", Message: fmt.Sprintf("任务%s的状态只能是未启动、推进中或已完成", code)})
		}
	}
	return out
}

// ErrScan is a form whose files could not be looked at: none of it was taken.
var ErrScan = errors.New("files could not be scanned")

// scan says which files of a form have something in them that should not be there.
func (s *Service) scan(ctx context.Context, in FormInput) (out []landmark.Finding, err error) {
	if s.scanner == nil {
		return nil, nil
	}
	for _, code := range sortedKeys(in.Indicators) {
		for _, u := range in.Indicators[code].Files {
			found, err := s.scanner.Scan(ctx, u.Content)
			if err != nil {
				return nil, fmt.Errorf("%w: %w", ErrScan, err)
			}
			if found != "" {
				out = append(out, landmark.Finding{Code: code, Field: "evidence", Rule: RuleVirus,
					Message: fmt.Sprintf("文件“%s”查出了病毒(%s),没有收下。请先在自己的电脑上杀毒,或者换一个文件", u.name(), found)})
			}
		}
	}
	return out, nil
}

// RuleVirus names the finding of a file with a virus.
const RuleVirus = "virus"

// sortedKeys are codes in order: 4.2 before 4.10.
func sortedKeys[T any](m map[string]T) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b string) int {
		if c := cmp.Compare(len(a), len(b)); c != 0 {
			return c
		}
		return cmp.Compare(a, b)
	})
	return keys
}

// body is the sum over all that a form says, in one fixed form.
func (in FormInput) body(submit bool) [32]byte {
	type file struct {
		Name string
		Sum  [32]byte
	}
	type row struct {
		Typed
		Files []file
	}
	rows := map[string]row{}
	for code, t := range in.Indicators {
		r := row{Typed: t}
		for _, u := range t.Files {
			r.Files = append(r.Files, file{u.Name, sha256.Sum256(u.Content)})
		}
		r.Typed.Files = nil
		rows[code] = r
	}
	return sha256.Sum256(describe(struct {
		Submit       bool
		Plan         string
		Month        landmark.Month
		DepartmentID int64
		Indicators   map[string]row
		Tasks        map[string]TaskTyped
		Milestones   []MilestoneTyped
	}{submit, in.Plan, in.Month, in.DepartmentID, rows, in.Tasks, in.Milestones}))
}
