package view

import (
	"strings"

	"github.com/shopspring/decimal"

	"landmark/internal/landmark"
)

// ReportPage is GET /reports/{month}: a department's month in one form, to fill in
// or to read.
type ReportPage struct {
	Page
	Department landmark.Department
	Sub        string // 项目 4 桐享 康养,共 4 项指标
	Due        string // 10月10日 24:00
	DueNote    string // 还剩 1 天
	State      string // where the whole form stands
	StateIcon  string
	StateNote  string
	Steps      []FormStep
	Notices    []string // reminders from the office and the like
	FaultTitle string
	Faults     []Fault
	Action     string // where the form goes
	Live       string // where what is typed is judged without saving it
	Draft      string // name under which a browser keeps what is typed
	Key        string // of this rendering
	Fill       bool   // the visitor fills in the department's indicators
	Say        bool   // the visitor says something of tasks
	Groups     []ReportGroup
	Sum        ReportSum
	Stale      *StaleNote // somebody saved meanwhile: both versions are shown
	Other      string     // office: back to the list of departments

	Sheet       string // the form as a workbook, empty if it has no indicators
	SheetAction string // where a filled one goes; empty: the visitor sends none
	SheetKey    string
	SheetOpen   bool // one was refused just now
}

// FormStep is a stage of the month: 填报, 提交, 签核, 审核, 入库.
type FormStep struct {
	Name string
	Now  bool
}

// StaleNote says who saved meanwhile, and how to drop one's own version.
type StaleNote struct {
	Say  string
	Drop string // address of the form as saved
}

// ReportSum is the line of the bar that stays in sight.
type ReportSum struct{ Filled, All, Errors, Warnings int }

// ReportGroup is a project's part of the form.
type ReportGroup struct {
	Project   *landmark.Project
	Lead      bool // the department leads it; else it supports it
	Rows      []ReportRow
	Tasks     []ReportTask
	TasksOpen bool // unfolded
	Scenarios []ReportScenario
	SceneOpen bool
}

// ReportRow is an indicator's part of the form.
type ReportRow struct {
	ID        string // of its field: i4-1
	Indicator *landmark.Indicator
	Hint      string // kind, target, what is due
	Prev      string // the last value of the year
	PrevLabel string // 8月值
	History   string // this year's values in one line
	Label     string // 9月累计值
	Version   int
	State     string // 已退回; empty: nothing sent yet
	StateIcon string
	StateMark string
	StateNote string // who and when, or why it came back
	Standing  string // the approved value while another is on its way

	Edit     bool   // fields are shown; else only what they hold
	Correct  string // address that opens an approved value for correction
	Shown    string // the value where no fields are
	Value    string
	Step     string
	Steps    []Option
	Note     string
	Reason   string
	NoChange bool
	Keep     string // 无变化(同8月 25.28); empty: there is nothing to keep
	Last     string // the amount that 无变化 stands for, as typed

	A           *landmark.Assessment // as if what the fields hold were approved
	Bullet      Bullet
	Warnings    []string
	ReasonLabel string // set: a reason is asked for and stands with the warnings
	ValueFault  string
	NoteFault   string
	ReasonFault string
	FileFault   string
	Files       []ReportFile
	Sent        []ReportFile // with what was sent, where the form cannot change them
	Differences []Difference // both versions, where somebody saved meanwhile
}

// Open says whether the fold with note and evidence stands open.
func (r ReportRow) Open() bool {
	return r.Note != "" || len(r.Files) > 0 || r.NoteFault != "" || r.FileFault != "" || r.Reason != "" && r.ReasonLabel == ""
}

// Mark is the row's class: an error before a warning.
func (r ReportRow) Mark() string {
	switch {
	case r.ValueFault != "" || r.NoteFault != "" || r.ReasonFault != "" || r.FileFault != "" || len(r.Differences) > 0:
		return "is-error"
	case len(r.Warnings) > 0:
		return "is-warn"
	default:
		return ""
	}
}

// DescribedBy are the ids of what explains the value's field.
func (r ReportRow) DescribedBy() string {
	ids := []string{r.ID + "-h"}
	if r.ValueFault != "" {
		ids = append(ids, r.ID+"-e")
	}
	if len(r.Warnings) > 0 {
		ids = append(ids, r.ID+"-w")
	}
	if r.Indicator.Unit != "" && r.Indicator.Kind.Numeric() {
		ids = append(ids, r.ID+"-u")
	}
	return strings.Join(ids, " ")
}

// Name is the name of one of the row's fields: value[4.1].
func (r ReportRow) Name(field string) string { return field + "[" + r.Indicator.Code + "]" }

// Progress is how far the value goes, in words beside the light.
func (r ReportRow) Progress() string {
	switch {
	case r.A == nil:
		return ""
	case r.A.Completion.Present():
		return "完成率 " + Percent(r.A.Completion, 1) + "%"
	case r.A.Distance.Valid && r.A.Met:
		return "已达目标"
	case r.A.Distance.Valid:
		return "距目标 " + r.Indicator.Difference(r.A.Distance.Decimal.Abs())
	default:
		return ""
	}
}

// ReportFile is a piece of evidence (佐证材料).
type ReportFile struct {
	ID         string
	Name, Size string
	Href       string
}

// Difference is one field in both versions, to choose from.
type Difference struct {
	Field        string // value, note: what the choice is called
	Label        string
	Mine, Theirs string
}

// ReportTask is a key task's part of the form.
type ReportTask struct {
	ID      string // t4-2
	Item    TaskItem
	Lead    bool // the department sets the state
	Say     bool // the visitor may say something of it
	Version int
	States  []Option
	Note    string
	Fault   string

	Differences []Difference
}

// Name is the name of one of the task's fields.
func (t ReportTask) Name(field string) string { return field + "[" + t.Item.Task.Code + "]" }

// ReportScenario is a showcase scenario's part of the form: the day of each stage.
type ReportScenario struct {
	Item   ScenarioItem
	Stages []ReportStage
}

// ReportStage is a stage with the day typed and the day the form was filled from.
type ReportStage struct {
	ID, Name, Label string
	Value, Was      string
	Fault           string
}

// FileSize prints a file's size: 42 KB, 1.3 MB.
func FileSize(bytes int) string {
	const kb, mb = 1 << 10, 1 << 20
	switch {
	case bytes >= mb:
		return decimal.NewFromInt(int64(bytes)).DivRound(decimal.NewFromInt(mb), 1).String() + " MB"
	case bytes >= kb:
		return itoa(bytes/kb) + " KB"
	default:
		return itoa(bytes) + " 字节"
	}
}

// ReportsPage is GET /reports/{month} for the office: every department's form.
type ReportsPage struct {
	Page
	Sub  string
	Rows []ReportsRow
}

// ReportsRow is a department's month in the office's list.
type ReportsRow struct {
	Department landmark.Department
	Href       string
	Projects   string
	Due        string
	Discipline landmark.Discipline
	State      string
	Icon, Mark string
}

// LostPage answers a form that could not be taken, with what was typed in it: it
// can be sent again once its reason is gone.
type LostPage struct {
	Page
	Heading string
	Say     []string
	SignIn  string // where to sign in, in another tab; empty: no need
	Action  string
	Fields  []LostField
	Files   bool // files were in it, which have to be chosen again
}

// LostField is one field as it was sent.
type LostField struct {
	Name, Label, Value string
	Hidden             bool // nothing a person typed
}

// choosing is the page for its selector of months, which leads through /reports.
func (p Page) choosing() Page {
	p.Path = "/reports"
	return p
}

func orDash(s string) string {
	if strings.TrimSpace(s) == "" {
		return "(空)"
	}
	return s
}
