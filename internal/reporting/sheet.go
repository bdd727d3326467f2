package reporting

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"landmark/internal/landmark"
	"landmark/internal/store"
)

// sheet is a department's form for a month while it is worked on: what is saved,
// what was typed over it, and what stands.
type sheet struct {
	record     *landmark.Record
	department landmark.Department
	month      landmark.Month
	mine       bool // the user fills in the department's indicators
	userID     int64
	rows       []*row
	tasks      []*taskRow

	stages      []stage            // whose day was changed
	dayFindings []landmark.Finding // days typed that cannot be
}

// row is one indicator of the form.
type row struct {
	ind      *landmark.Indicator
	draft    store.Draft
	files    []store.EvidenceFile // with the draft
	sent     []store.EvidenceFile // with the newest revision
	report   landmark.Report
	approved *landmark.Value
	saved    Fields // as the form showed them
	now      Fields // with what was typed
	typed    Typed
	keep     []store.EvidenceFile // of files, less those taken away
	apart    bool                 // the draft is left alone
}

// taskRow is one task of the form, of a project the department leads or supports.
type taskRow struct {
	project *landmark.Project
	task    landmark.Task
	lead    bool // the department leads the project: it sets states
	draft   store.TaskDraft
	state   landmark.TaskState // where the task stands
	saved   taskFields
	now     taskFields
	typed   TaskTyped
	inForm  bool
}

type taskFields struct {
	State landmark.TaskState
	Note  string
}

// open lays what was typed over what is saved. It asks whether the user may write
// what was typed.
func open(r *landmark.Record, d store.Drafts, u landmark.User, in FormInput) (*sheet, error) {
	f, err := newSheet(r, u.DepartmentID, in.Month)
	if err != nil {
		return nil, err
	}
	f.mine, f.userID = u.CanReport(in.DepartmentID), u.ID
	f.tasks = slices.DeleteFunc(f.tasks, func(t *taskRow) bool { return !u.CanNote(t.project) })
	if err := f.may(u, in); err != nil {
		return nil, err
	}
	f.saved(d)
	f.lay(in)
	return f, f.days(u, in)
}

// days takes in the days typed for stages of scenarios.
func (f *sheet) days(u landmark.User, in FormInput) error {
	for _, t := range in.Milestones {
		v := stage{code: t.Scenario, step: t.Step, withdraw: t.On == ""}
		if err := v.find(f.record, u); err != nil {
			return err
		}
		wrong := ""
		if !v.withdraw {
			day, err := landmark.ParseDate(t.On)
			if v.on = day; err != nil {
				wrong = fmt.Sprintf("%s%s的%s", landmark.Quoted(v.scenario.Name), v.step, landmark.MessageOf(err))
			} else if err := v.check(f.record); err != nil {
				wrong = landmark.MessageOf(err)
			}
		}
		switch {
		case wrong != "":
			f.dayFindings = append(f.dayFindings, landmark.Finding{Code: t.Scenario, Rule: "milestone", Message: wrong,
				Field: fmt.Sprintf("milestone_%d", slices.Index(landmark.MilestoneSteps, t.Step)+1)})
		case !v.said():
			f.stages = append(f.stages, v)
		}
	}
	return nil
}

// reach adds the days of scenarios to the changes, with their history, and says
// how many there are.
func (f *sheet) reach(c *store.Changes, by landmark.Actor, now time.Time) int {
	var entries []landmark.HistoryEntry
	for _, v := range f.stages {
		entries = append(entries, v.write(c, f.record, by, now))
	}
	c.AddHistory(entries...)
	return len(entries)
}

// newSheet is the empty form of a department: its indicators, its tasks and those
// it supports.
func newSheet(r *landmark.Record, departmentID int64, m landmark.Month) (*sheet, error) {
	if m < r.Plan.FirstMonth() || m > r.Plan.LastMonth() {
		return nil, landmark.Errorf(landmark.NotFound, "month", "%s不在方案的报送月份里(%s至%s)", m.Chinese(), r.Plan.FirstMonth().Chinese(), r.Plan.LastMonth().Chinese())
	}
	f := &sheet{record: r, month: m, department: landmark.Department{ID: departmentID}}
	for _, p := range r.Plan.Projects {
		lead := p.Lead.ID == departmentID
		supports := slices.ContainsFunc(p.Cooperating, func(c landmark.Cooperation) bool {
			if c.Department.ID == departmentID {
				f.department = c.Department
			}
			return c.Department.ID == departmentID
		})
		if lead {
			f.department = p.Lead
			for _, ind := range p.Indicators {
				f.rows = append(f.rows, &row{ind: ind})
			}
		}
		if !lead && !supports {
			continue
		}
		for _, t := range p.Tasks {
			if !t.Lead {
				f.tasks = append(f.tasks, &taskRow{project: p, task: t, lead: lead})
			}
		}
	}
	return f, nil
}

// may asks whether the user may write what was typed.
func (f *sheet) may(u landmark.User, in FormInput) error {
	if !f.mine && len(f.tasks) == 0 {
		return landmark.Errorf(landmark.Forbidden, "", "您的账号不能填报,请用部门填报员的账号")
	}
	for _, code := range sortedKeys(in.Indicators) {
		ind, err := f.record.Plan.Indicator(code)
		if err != nil {
			return err
		}
		switch {
		case u.CanReport(ind.Project.Lead.ID):
		case u.CanSignOff(ind.Project.Lead.ID):
			return landmark.Errorf(landmark.Forbidden, "value", "部门负责人只签核,不填数;%s请由%s的填报员填报", code, ind.Project.Lead.Name)
		default:
			return landmark.Errorf(landmark.Forbidden, "value", "%s不是您部门牵头的指标,只能由%s填报", code, ind.Project.Lead.Name)
		}
	}
	for _, code := range sortedKeys(in.Tasks) {
		project, task, err := f.record.Plan.Task(code)
		if err != nil {
			return err
		}
		if err := mayTask(u, project, task, in.Tasks[code].State != nil && *in.Tasks[code].State != ""); err != nil {
			return err
		}
	}
	return nil
}

// mayTask asks whether the user may say something of a task, or set its state.
func mayTask(u landmark.User, project *landmark.Project, task landmark.Task, state bool) error {
	switch {
	case !u.CanNote(project):
		return landmark.Errorf(landmark.Forbidden, "task_note", "任务%s不是您部门牵头或配合的", task.Code)
	case task.Lead:
		return landmark.Errorf(landmark.Invalid, "task_note", "%s是任务的总起句,不用填进展", task.Code)
	case state && !u.CanReport(project.Lead.ID):
		return landmark.Errorf(landmark.Forbidden, "task_state", "任务%s的状态由牵头单位填写,配合单位只能补充进展", task.Code)
	}
	return nil
}

// load reads what is saved.
func (f *sheet) load(ctx context.Context, st *store.Store, lock bool) error {
	var indicators, tasks []int64
	for _, r := range f.rows {
		indicators = append(indicators, r.ind.ID)
	}
	for _, t := range f.tasks {
		tasks = append(tasks, t.task.ID)
	}
	d, err := st.Drafts(ctx, f.department.ID, f.month, indicators, tasks, lock)
	if err != nil {
		return err
	}
	f.saved(d)
	return nil
}

// saved takes in what was read.
func (f *sheet) saved(d store.Drafts) {
	for _, r := range f.rows {
		r.draft, r.files, r.sent = d.Indicators[r.ind.ID], d.Evidence[r.ind.ID], d.Sent[r.ind.ID]
		r.report = f.record.Report(r.ind.ID, f.month)
		if v, ok := f.record.Value(r.ind.ID, f.month); ok {
			r.approved = &v
		}
		r.saved = r.shown()
		r.now, r.keep = r.saved, r.files
	}
	for _, t := range f.tasks {
		t.draft = d.Tasks[t.task.ID]
		t.state = f.record.TaskStateIn(t.task.ID, f.month)
		t.saved = taskFields{}
		if t.lead {
			t.saved.State = t.state
		}
		if t.draft.Open {
			t.saved = taskFields{t.draft.State, t.draft.Note}
		}
		t.now = t.saved
	}
}

// shown is what an indicator's fields show: the draft, else what was sent. The
// reason for a correction is written anew.
func (r *row) shown() Fields {
	var f Fields
	switch {
	case r.draft.Version > 0:
		f = Fields{r.draft.Value, r.draft.Step, r.draft.Note, r.draft.Reason, r.draft.NoChange}
	case r.report.ID != 0:
		f = Fields{Step: r.report.Step, Note: r.report.Note, Reason: r.report.Reason}
		if r.report.Amount.Valid {
			f.Value = landmark.Entered(r.report.Amount.Decimal)
		}
	}
	if r.report.State == landmark.StateApproved && !r.draft.Open {
		f.Reason = ""
	}
	// The form has one of the two fields. What is left of the other, from before the
	// office said what kind the indicator is, nobody could empty.
	if r.ind.Kind == landmark.Qualitative {
		f.Value = ""
	} else {
		f.Step = ""
	}
	return f
}

// lay puts what was typed over what is saved.
func (f *sheet) lay(in FormInput) {
	set := func(to *string, from *string) {
		if from != nil {
			*to = *from
		}
	}
	for _, r := range f.rows {
		t, ok := in.Indicators[r.ind.Code]
		if !ok {
			continue
		}
		r.typed = t
		set(&r.now.Value, t.Value)
		set(&r.now.Step, t.Step)
		set(&r.now.Note, t.Note)
		set(&r.now.Reason, t.Reason)
		if t.NoChange != nil {
			r.now.NoChange = *t.NoChange
		}
		r.keep = slices.DeleteFunc(slices.Clone(r.files), func(e store.EvidenceFile) bool { return slices.Contains(t.Remove, e.ID) })
		// A file sent twice, as after a refusal, is kept once.
		r.typed.Files = slices.DeleteFunc(slices.Clone(t.Files), func(u Upload) bool {
			return slices.ContainsFunc(r.keep, func(e store.EvidenceFile) bool { return u.is(e) })
		})
	}
	for _, t := range f.tasks {
		v, ok := in.Tasks[t.task.Code]
		if !ok {
			continue
		}
		t.typed, t.inForm = v, true
		if v.State != nil && t.lead && *v.State != "" {
			t.now.State = landmark.TaskState(*v.State)
		}
		set(&t.now.Note, v.Note)
		if !t.draft.Open && !t.says(f) {
			t.now = t.saved // the same form again: said already
		}
	}
}

// changed says whether something was typed that is not saved yet.
func (r *row) changed() bool {
	return r.now != r.saved || len(r.keep) != len(r.files) || len(r.typed.Files) > 0
}

func (t *taskRow) changed() bool { return t.now != t.saved }

// outdated says whether somebody saved the row since the form was filled.
func (r *row) outdated(userID int64) bool {
	if r.typed.Blind {
		return r.draft.Version > 0 && r.draft.SavedByID != userID
	}
	return r.typed.Version != r.draft.Version
}

// resume takes a form that was refused before for what it is: filled from what it
// saved itself at that time.
func (f *sheet) resume(before string) error {
	if before == "" {
		return nil
	}
	var last refusal
	if err := json.Unmarshal([]byte(before), &last); err != nil {
		return fmt.Errorf("read what a refused form left: %w", err)
	}
	for _, r := range f.rows {
		if code := r.ind.Code; !r.typed.Blind && r.typed.Version == last.From[code] {
			r.typed.Version = last.To[code]
		}
	}
	for _, t := range f.tasks {
		if code := t.task.Code; t.typed.Version != nil && *t.typed.Version == last.From[code] {
			to := last.To[code]
			t.typed.Version = &to
		}
	}
	return nil
}

// filledFrom are the versions the form was filled from, by code.
func (f *sheet) filledFrom() map[string]int {
	out := map[string]int{}
	for _, r := range f.rows {
		out[r.ind.Code] = r.typed.Version
	}
	for _, t := range f.tasks {
		if t.typed.Version != nil {
			out[t.task.Code] = *t.typed.Version
		}
	}
	return out
}

// stale finds the rows that somebody else saved since the form was filled, and
// that would be overwritten. Saving the same again overwrites nothing.
func (f *sheet) stale() error {
	var e StaleError
	for _, r := range f.rows {
		if r.changed() && r.outdated(f.userID) {
			e.Rows = append(e.Rows, StaleRow{Code: r.ind.Code, Version: r.draft.Version, Theirs: r.saved, Mine: r.now, SavedBy: r.draft.SavedBy, SavedAt: r.draft.SavedAt})
		}
	}
	for _, t := range f.tasks {
		if t.inForm && t.changed() && t.typed.Version != nil && *t.typed.Version != t.draft.Version {
			e.Tasks = append(e.Tasks, StaleTask{Code: t.task.Code, Version: t.draft.Version, TheirState: t.saved.State, MyState: t.now.State,
				TheirNote: t.saved.Note, MyNote: t.now.Note, SavedBy: t.draft.SavedBy, SavedAt: t.draft.SavedAt})
		}
	}
	if len(e.Rows)+len(e.Tasks) == 0 {
		return nil
	}
	return &e
}

// versions are the drafts' versions by code.
func (f *sheet) versions() map[string]int {
	out := map[string]int{}
	for _, r := range f.rows {
		out[r.ind.Code] = r.draft.Version
	}
	for _, t := range f.tasks {
		out[t.task.Code] = t.draft.Version
	}
	return out
}

// maxFiles is how many files one indicator's month may carry.
const maxFiles = 10

// keep adds the drafts to the changes: what was typed stays open unless the batch
// takes it. Files are written at once.
func (f *sheet) keep(ctx context.Context, st *store.Store, c *store.Changes, by landmark.Actor, b batch, now time.Time) error {
	var drafts []store.Draft
	var history []landmark.HistoryEntry
	var add, remove []store.DraftFile
	for _, r := range f.rows {
		if r.apart {
			continue
		}
		taken := b.takes(r)
		if taken {
			// What 无变化 stood for is kept as the figure it was, for it may move later.
			r.now = Fields{Value: b.values[r.ind.ID].text(), Step: b.values[r.ind.ID].Step, Note: r.now.Note, Reason: r.now.Reason}
		}
		if !r.changed() && (!taken || !r.draft.Open) {
			continue
		}
		drafts = append(drafts, store.Draft{IndicatorID: r.ind.ID, Month: f.month, Version: r.draft.Version, Value: r.now.Value, Step: r.now.Step,
			Note: r.now.Note, Reason: r.now.Reason, NoChange: r.now.NoChange, Open: !taken})
		r.draft.Version++
		if n := len(r.keep) + len(r.typed.Files); n > maxFiles {
			return &CheckError{Findings: []landmark.Finding{{Code: r.ind.Code, Field: "evidence", Rule: "file",
				Message: fmt.Sprintf("%s的佐证材料最多%d个文件,现在有%d个", landmark.Quoted(r.ind.Name), maxFiles, n)}}}
		}
		for _, id := range r.typed.Remove {
			remove = append(remove, store.DraftFile{IndicatorID: r.ind.ID, EvidenceID: id})
		}
		for _, u := range r.typed.Files {
			file := store.EvidenceFile{DepartmentID: f.department.ID, Name: u.name(), MediaType: u.mediaType(), Size: len(u.Content)}
			id, err := st.InsertEvidence(ctx, file, u.Content, by, now)
			if err != nil {
				return err
			}
			file.ID = id
			r.keep = append(slices.Clone(r.keep), file)
			add = append(add, store.DraftFile{IndicatorID: r.ind.ID, EvidenceID: id})
			history = append(history, landmark.HistoryEntry{At: now, Actor: by, Act: "evidence.upload", PlanID: f.record.Plan.ID, ProjectID: r.ind.Project.ID,
				DepartmentID: f.department.ID, IndicatorID: r.ind.ID, Month: f.month, Object: file.Name,
				After: describe(map[string]any{"id": id, "name": file.Name, "type": file.MediaType, "bytes": file.Size, "sha256": fmt.Sprintf("%x", u.sum())})})
		}
	}
	var tasks []store.TaskDraft
	for _, t := range f.tasks {
		taken := b.takesTask(t)
		if !t.changed() && (!taken || !t.draft.Open) {
			continue
		}
		tasks = append(tasks, store.TaskDraft{TaskID: t.task.ID, Version: t.draft.Version, State: t.now.State, Note: t.now.Note, Open: !taken})
		t.draft.Version++
	}
	c.SaveDrafts(f.month, drafts, by, now)
	c.SaveTaskDrafts(f.department.ID, f.month, tasks, by, now)
	c.ChangeDraftFiles(f.month, add, remove)
	c.AddHistory(history...)
	return nil
}

// batch is what a form sends to review.
type batch struct {
	findings []landmark.Finding // in the way; nothing is sent then
	rows     []*row
	values   map[int64]value
	soft     map[int64][]string // set aside with a reason
	correct  map[int64]bool
	tasks    []*taskRow
	settled  map[int64]bool // rows that say what is on its way or approved already
	noChange map[int64]bool
	refusal  error // the form cannot be sent at all, whatever it says
}

// blocked says whether nothing is sent.
func (b batch) blocked() bool { return len(b.findings) > 0 || b.refusal != nil }

type value struct{ landmark.Value }

func (v value) text() string {
	if !v.Amount.Valid {
		return ""
	}
	return landmark.Entered(v.Amount.Decimal)
}

func (b batch) takes(r *row) bool {
	return !b.blocked() && (slices.Contains(b.rows, r) || b.settled[r.ind.ID])
}

func (b batch) takesTask(t *taskRow) bool { return !b.blocked() && slices.Contains(b.tasks, t) }

// batch checks the form and says what it sends.
func (f *sheet) batch() batch {
	b := batch{findings: slices.Clone(f.dayFindings), values: map[int64]value{}, soft: map[int64][]string{}, correct: map[int64]bool{}, settled: map[int64]bool{}, noChange: map[int64]bool{}}
	window := f.record.Window(f.department.ID, f.month)
	if f.mine && len(f.rows) > 0 {
		if window == landmark.NotOpen {
			b.refusal = f.notOpen("内容已存为草稿")
			return b
		}
		others := map[string]string{}
		for _, r := range f.rows {
			if v, ok := f.check(r, nil).FilledIn(); ok {
				b.values[r.ind.ID] = value{v}
				others[r.ind.Code] = value{v}.text()
			}
		}
		for _, r := range f.rows {
			b.add(f, r, window, others)
		}
	}
	for _, t := range f.tasks {
		if t.says(f) {
			b.tasks = append(b.tasks, t)
		}
	}
	switch {
	case len(b.tasks) > 0:
		b.refusal = taskMonth(f.record, f.month)
	case len(b.rows)+len(b.findings)+len(f.stages) == 0:
		b.refusal = landmark.Errorf(landmark.Invalid, "", "没有需要提交的改动")
	}
	return b
}

// notOpen refuses a month that has not come yet, and says what became of what was
// sent.
func (f *sheet) notOpen(kept string) error {
	return landmark.Errorf(landmark.Invalid, "month", "%s的报送%s才开放,%s", f.month.Chinese(), f.record.Period(f.month).Opens.Chinese(), kept)
}

func (f *sheet) check(r *row, others map[string]string) landmark.CheckInput {
	return landmark.CheckInput{Record: f.record, Indicator: r.ind, Month: f.month, Text: r.now.Value, Step: r.now.Step,
		Note: r.now.Note, Reason: r.now.Reason, NoChange: r.now.NoChange, Others: others}
}

// add decides about one row: nothing to send, in the way, or sent.
func (b *batch) add(f *sheet, r *row, window landmark.Window, others map[string]string) {
	v, filled := b.values[r.ind.ID]
	switch {
	case filled && r.settled(v.Value):
		b.settled[r.ind.ID] = true
		return
	case r.now.blank() && r.report.ID != 0:
		b.findings = append(b.findings, landmark.Finding{Code: r.ind.Code, Field: "value", Rule: landmark.RuleMissing,
			Message: fmt.Sprintf("%s%s已经报过,不能清空;数值有误请改填正确的数", landmark.Quoted(r.ind.Name), f.month.Short())})
		return
	}
	findings := landmark.CheckReport(f.check(r, others))
	if !filled && len(findings) == 0 {
		return // nothing owed, nothing filled in
	}
	if filled {
		if correction, finding := f.correction(r, v.Value, window); correction {
			b.correct[r.ind.ID] = true
			if finding != nil {
				// One sentence is enough where the checks ask for a reason as well.
				findings = slices.DeleteFunc(findings, func(f landmark.Finding) bool { return f.Soft && f.Blocks() })
				findings = append(findings, *finding)
			}
		}
	}
	if blocking := landmark.Blocking(findings); len(blocking) > 0 {
		b.findings = append(b.findings, blocking...)
		return
	}
	for _, finding := range findings {
		b.soft[r.ind.ID] = append(b.soft[r.ind.ID], finding.Message)
	}
	b.noChange[r.ind.ID] = r.now.NoChange
	b.rows = append(b.rows, r)
}

// settled says whether a value is what is on its way or approved already.
func (r *row) settled(v landmark.Value) bool {
	p := r.report
	same := p.ID != 0 && p.State != landmark.StateReturned && strings.TrimSpace(p.Note) == strings.TrimSpace(r.now.Note) &&
		sameValue(landmark.Value{Amount: p.Amount, Step: p.Step}, v)
	if !same || len(r.typed.Files) > 0 || !sameFiles(r.keep, r.sent) {
		return false
	}
	return p.State == landmark.StateApproved || strings.TrimSpace(p.Reason) == strings.TrimSpace(r.now.Reason)
}

// sameValue says whether two values are the same figure or step.
func sameValue(a, b landmark.Value) bool {
	return a.Step == b.Step && a.Amount.Valid == b.Amount.Valid && (!a.Amount.Valid || a.Amount.Decimal.Equal(b.Amount.Decimal))
}

func sameFiles(a, b []store.EvidenceFile) bool {
	id := func(e store.EvidenceFile) int64 { return e.ID }
	ids := func(list []store.EvidenceFile) []int64 {
		var out []int64
		for _, e := range list {
			out = append(out, id(e))
		}
		slices.Sort(out)
		return out
	}
	return slices.Equal(ids(a), ids(b))
}

// correction says whether what is sent asks by exception: to replace an approved
// value, or after the month was locked. Both need a reason. Another value may be
// corrected for the same reason as the one before; the same value may not, for then
// nothing would tell what the correction is about.
func (f *sheet) correction(r *row, v landmark.Value, window landmark.Window) (bool, *landmark.Finding) {
	reason := strings.TrimSpace(r.now.Reason)
	finding := func(format string) *landmark.Finding {
		return &landmark.Finding{Code: r.ind.Code, Field: "reason", Rule: "correction", Message: fmt.Sprintf(format, landmark.Quoted(r.ind.Name), f.month.Short())}
	}
	switch {
	case r.approved != nil && !landmark.InWords(reason):
		return true, finding("%s%s的值已经核定,改动要写明更正的原因")
	case r.approved != nil && sameValue(*r.approved, v) && reason == strings.TrimSpace(r.approved.Reason):
		return true, finding("%s%s的数值和已核定的一样,原因也和上次一样;要改数值请填新的数,只改说明或佐证材料请写明这次改了什么")
	case r.approved == nil && window == landmark.Locked && !landmark.InWords(reason):
		return true, finding("%s%s已经锁定,补报要写明原因")
	}
	return r.approved != nil || window == landmark.Locked, nil
}

// says reports whether a task's row says something that was not said yet.
func (t *taskRow) says(f *sheet) bool {
	note := strings.TrimSpace(t.now.Note)
	state := t.lead && t.now.State != "" && t.now.State != t.state
	if !state && note == "" {
		return false
	}
	updates := f.record.Updates[t.task.ID]
	for i := len(updates) - 1; i >= 0; i-- {
		if u := updates[i]; u.DepartmentID == f.department.ID && u.Month == f.month {
			return state || strings.TrimSpace(u.Note) != note
		}
	}
	return true
}

// send adds what the batch holds to the changes, with its history.
func (f *sheet) send(c *store.Changes, by landmark.Actor, b batch, receipt *Receipt, now time.Time) error {
	list := f.submissions(b)
	for i, r := range b.rows {
		receipt.Sent = append(receipt.Sent, r.ind.Code)
		if list[i].Correction {
			receipt.Corrections = append(receipt.Corrections, r.ind.Code)
		}
	}
	c.Submit(list, by, now)
	entries := submitLines(f.record, by, list, now)
	if len(list) > 0 {
		c.AddNotices([]landmark.Notice{submittedNotice(f.record, f.department, f.month, list, by)}, now)
	}
	if len(b.tasks) > 0 {
		var said []TaskSaid
		for _, t := range b.tasks {
			v := TaskSaid{Code: t.task.Code, Note: strings.TrimSpace(t.now.Note)}
			if t.lead && t.now.State != t.state {
				v.State = t.now.State
			}
			said = append(said, v)
			receipt.Tasks = append(receipt.Tasks, t.task.Code)
		}
		lines, err := sayTasks(c, f.record, by, f.department.ID, f.month, said, now)
		if err != nil {
			return err
		}
		entries = append(entries, lines...)
	}
	c.AddHistory(entries...)
	return nil
}
