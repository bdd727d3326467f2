package landmark

import (
	"time"

	"github.com/shopspring/decimal"
)

// Plan is one year's table of projects (年度方案).
type Plan struct {
	ID           int64
	Slug         string // in addresses, unique: "tongxiang-2023"
	Title        string // 桐乡市2023年共同富裕十大标志性成果
	City         string // 桐乡市
	Year         int    // the year of the targets
	BaselineYear int
	Published    Date     // see FirstMonth
	Columns      []string // the table's header as printed, in order
	Demo         bool     // holds made-up reports (演示数据)
	Projects     []*Project
	Rules        []LightRule // ascending From; never empty
	Relations    []Relation
}

// Relation says that one indicator's value must not exceed another's of the same
// plan, because it counts part of it. Both are codes.
type Relation struct{ Lower, Upper string }

// FirstMonth is the first month for which reports are owed: that of publication,
// and January for a plan that was out before its year began.
func (p *Plan) FirstMonth() Month { return max(p.Published.InMonth(), MonthOf(p.Year, 1)) }

// LastMonth is December of the plan's year.
func (p *Plan) LastMonth() Month { return MonthOf(p.Year, 12) }

// Months are the months for which reports are owed, in order.
func (p *Plan) Months() []Month {
	var out []Month
	for m := p.FirstMonth(); m <= p.LastMonth(); m++ {
		out = append(out, m)
	}
	return out
}

// Rule is the light rule that holds in a month.
func (p *Plan) Rule(m Month) LightRule {
	rule := DefaultRule(p.FirstMonth())
	for _, r := range p.Rules {
		if r.From <= m {
			rule = r
		}
	}
	return rule
}

// Indicators are all indicators in the table's order.
func (p *Plan) Indicators() []*Indicator {
	var out []*Indicator
	for _, project := range p.Projects {
		out = append(out, project.Indicators...)
	}
	return out
}

// Indicator finds an indicator by code ("4.1"). The error is NotFound.
func (p *Plan) Indicator(code string) (*Indicator, error) {
	for _, project := range p.Projects {
		for _, ind := range project.Indicators {
			if ind.Code == code {
				return ind, nil
			}
		}
	}
	return nil, Errorf(NotFound, "code", "方案里没有编号为“%s”的指标", code)
}

// Project finds a project by number. The error is NotFound.
func (p *Plan) Project(number int) (*Project, error) {
	for _, project := range p.Projects {
		if project.Number == number {
			return project, nil
		}
	}
	return nil, Errorf(NotFound, "number", "方案里没有第%d个项目", number)
}

// LeadDepartments are the departments that lead a project, each once, in the
// order of their first project.
func (p *Plan) LeadDepartments() []Department {
	var out []Department
	seen := map[int64]bool{}
	for _, project := range p.Projects {
		if !seen[project.Lead.ID] {
			seen[project.Lead.ID] = true
			out = append(out, project.Lead)
		}
	}
	return out
}

// Led are the projects a department leads.
func (p *Plan) Led(departmentID int64) []*Project {
	var out []*Project
	for _, project := range p.Projects {
		if project.Lead.ID == departmentID {
			out = append(out, project)
		}
	}
	return out
}

// Department is a government department, a town, or a collective of them.
type Department struct {
	ID              int64
	Slug            string // "minzheng"
	Name            string // 民政局
	Sort            int    // protocol order
	Collective      bool   // 各镇街道: all towns and subdistricts together
	SignOffRequired bool   // its leader signs before a report reaches the office
}

// Project is one landmark achievement (标志性成果).
type Project struct {
	ID          int64
	Number      int
	Name        string
	Lead        Department
	LeadPrinted string // the lead department as printed in the table
	Cooperating []Cooperation
	Indicators  []*Indicator
	Tasks       []Task
	Scenarios   []Scenario

	// The table's cells as printed, every character kept.
	TasksText, ScenariosText, CooperatingText string
}

// Label is the number and name: 4 桐享 康养 is written with its number apart.
func (p *Project) Label() string { return p.Name }

// Cooperation is a cooperating department (配合单位) under the name printed in
// this project: 桐城委 and 桐城委(桐城集团) are one department.
type Cooperation struct {
	Department Department
	Printed    string
}

// Task is a key task (重点任务).
type Task struct {
	ID     int64
	Number int    // as printed, 0 for an unnumbered task or a lead sentence
	Code   string // project and position, "4-2"; a lead sentence has "10-0"
	Text   string // as printed, with its number and closing mark
	Lead   bool   // a sentence that stands before the numbered tasks and is none itself
}

// Scenario is a showcase scenario (重点场景).
type Scenario struct {
	ID   int64
	Code string // project and position, "4-1"
	Name string
}

// Kind is what a reported value means (指标性质). It is entered by a person.
type Kind string

// The kinds of indicators. KindUnknown shows values and gets no light.
const (
	KindUnknown Kind = ""
	Flow        Kind = "flow"        // 当年累计: the total since 1 January
	Cumulative  Kind = "cumulative"  // 历年累计: the total to date, earlier years included
	Level       Kind = "level"       // 时点水平: the state on the last day
	Hold        Kind = "hold"        // 保持: the state on the last day must not break the target
	Qualitative Kind = "qualitative" // 定性: one step of the indicator's own list
)

// Kinds are all kinds a person can choose.
var Kinds = []Kind{Flow, Cumulative, Level, Hold, Qualitative}

// Chinese is the kind's name on pages.
func (k Kind) Chinese() string {
	switch k {
	case Flow:
		return "当年累计"
	case Cumulative:
		return "历年累计"
	case Level:
		return "时点水平"
	case Hold:
		return "保持"
	case Qualitative:
		return "定性"
	default:
		return "性质待定"
	}
}

// Numeric says whether the reported value is a number.
func (k Kind) Numeric() bool { return k != Qualitative }

// Direction says which way is better.
type Direction string

// Up: more is better. Down: less is better.
const (
	Up   Direction = "up"
	Down Direction = "down"
)

// Chinese is the direction on pages.
func (d Direction) Chinese() string {
	if d == Down {
		return "越低越好"
	}
	return "越高越好"
}

// Frequency is how often an indicator is measured.
type Frequency string

// Monthly and OnEvent owe a report every month, Quarterly at quarter ends,
// Annual in December.
const (
	Monthly   Frequency = "monthly"
	OnEvent   Frequency = "on_event"
	Quarterly Frequency = "quarterly"
	Annual    Frequency = "annual"
)

// Frequencies are all of them.
var Frequencies = []Frequency{Monthly, OnEvent, Quarterly, Annual}

// Chinese is the frequency on pages.
func (f Frequency) Chinese() string {
	switch f {
	case Quarterly:
		return "按季度"
	case Annual:
		return "按年度"
	case OnEvent:
		return "有进展即报"
	default:
		return "按月"
	}
}

// OwedIn says whether an indicator so measured owes a value for month m,
// leaving aside when the plan was published.
func (f Frequency) OwedIn(m Month) bool {
	switch f {
	case Quarterly:
		return m.QuarterEnd()
	case Annual:
		return m.Number() == 12
	default:
		return true
	}
}

// Step is one step of a qualitative indicator's list, in order; the last is
// the aim.
type Step struct {
	Name    string
	Meaning Light // Done, OnTrack or Behind
}

// Indicator is a measured aim of a project (指标).
type Indicator struct {
	ID       int64
	Project  *Project
	Code     string // project number and position, "4.1"
	Position int    // in its project, from 1
	Printed  string // as printed: ★未来社区建成数量(个)
	Name     string // without ★ and a closing unit: 未来社区建成数量
	Key      bool   // ★

	Kind      Kind
	Direction Direction
	Unit      string // 个, 万人次, %; empty if none is known
	Decimals  int    // decimals a value may have
	Measured  Frequency
	Steps     []Step
	Confirmed bool // the lead department has confirmed the kind

	BaselineText string // as printed: "/", "5.48‰", "7320"
	Baseline     decimal.NullDecimal
	Targets      []Target     // ascending From, the printed target first; never empty
	Curves       []Curve      // ascending From
	Definitions  []Definition // ascending From
}

// Target is an indicator's aim for the year, from a month on (目标调整).
type Target struct {
	From       Month               // the printed target holds from January
	Amount     decimal.NullDecimal // absent where the target is words
	Text       string              // as printed: 降幅趋缓, 100%
	Basis      string              // document that revised it; empty for the printed target
	BasisOn    Date
	RecordedAt time.Time
	RecordedBy string
}

// Curve is a planned path through the year, from a month on (计划曲线).
type Curve struct {
	From       Month
	Points     []CurvePoint // ascending; empty: back to equal months
	Basis      string
	RecordedAt time.Time
	RecordedBy string
}

// CurvePoint is the value planned for the end of a month.
type CurvePoint struct {
	Month  Month
	Amount decimal.Decimal
}

// Definition is the statistical scope of an indicator (口径), from a month on.
type Definition struct {
	From       Month
	Text       string
	RecordedAt time.Time
	RecordedBy string
}

// TargetIn is the target that holds in month m.
func (ind *Indicator) TargetIn(m Month) Target {
	t := ind.Targets[0]
	for _, v := range ind.Targets {
		if v.From <= m {
			t = v
		}
	}
	return t
}

// CurveIn is the plan curve that holds in month m; without points there is none.
func (ind *Indicator) CurveIn(m Month) Curve {
	var c Curve
	for _, v := range ind.Curves {
		if v.From <= m {
			c = v
		}
	}
	return c
}

// DefinitionIn is the scope that holds in month m, empty if none was written.
func (ind *Indicator) DefinitionIn(m Month) Definition {
	var d Definition
	for _, v := range ind.Definitions {
		if v.From <= m {
			d = v
		}
	}
	return d
}

// Step finds a step by name.
func (ind *Indicator) Step(name string) (Step, bool) {
	for _, s := range ind.Steps {
		if s.Name == name {
			return s, true
		}
	}
	return Step{}, false
}

// Task finds a task by code ("4-2") with its project. The error is NotFound.
func (p *Plan) Task(code string) (*Project, Task, error) {
	for _, project := range p.Projects {
		for _, t := range project.Tasks {
			if t.Code == code {
				return project, t, nil
			}
		}
	}
	return nil, Task{}, Errorf(NotFound, "task", "方案里没有编号为“%s”的任务", code)
}

// Scenario finds a scenario by code ("4-1") with its project. The error is
// NotFound.
func (p *Plan) Scenario(code string) (*Project, Scenario, error) {
	for _, project := range p.Projects {
		for _, v := range project.Scenarios {
			if v.Code == code {
				return project, v, nil
			}
		}
	}
	return nil, Scenario{}, Errorf(NotFound, "scenario", "方案里没有编号为“%s”的场景", code)
}
