package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/a-h/templ"

	"landmark/internal/landmark"
)

// Typed is a form that was refused: which of the page's forms it was, what was
// typed, and what is wrong with it. The zero value is a page nobody has sent.
type Typed struct {
	Form   string // the form's ID
	Values map[string]string
	Faults []Fault // by the field's name, as the domain has it
}

// UpkeepPage is one of the office's pages under /admin: sections, each with a
// form, what was said so far, or both.
type UpkeepPage struct {
	Page
	Heading  string
	Sub      string
	Crumbs   []Link // from the overview of upkeep to the page above
	Links    []Link // related pages
	Facts    []Fact
	Refused  string // heading of the error summary
	Faults   []Fault
	Filters  *UpkeepFilters
	Secret   *UpkeepSecret
	Sections []UpkeepSection
}

// UpkeepSecret is a generated password, shown this once.
type UpkeepSecret struct{ Account, Password string }

// UpkeepFilters narrow a list.
type UpkeepFilters struct {
	What   string
	Fields []UpkeepField
	All    string // address of the whole list; empty: it is whole
}

// UpkeepSection is a part of a page.
type UpkeepSection struct {
	ID, Title, Note string
	Text            string // a sentence of its own
	Forms           []UpkeepForm
	Table           *UpkeepTable
	Jump            bool // listed at the head of a long page
}

// UpkeepForm is one form. What it does goes along as action.
type UpkeepForm struct {
	ID     string
	Action string // where it goes
	Get    bool   // it asks and changes nothing
	Title  string
	Hidden []pair
	Fields []UpkeepField
	Submit string
	Note   string // what sending it means
	Danger bool   // not the page's main deed
}

// UpkeepField is a field with its label, hint and error.
type UpkeepField struct {
	ID, Name, Label, Hint string
	Kind                  string // "", number, date, select, area, check, static
	Value, Error          string
	Options               []Option
	Narrow                bool // many stand in a row
	Optional              bool
}

// UpkeepTable is a list.
type UpkeepTable struct {
	Caption string
	Head    []string
	Rows    []UpkeepRow
	Empty   string // said where there are no rows
}

// UpkeepRow is a line of it.
type UpkeepRow struct {
	Cells []UpkeepCell
	Dim   bool // no longer holds
}

// UpkeepCell is words, perhaps a link.
type UpkeepCell struct {
	Text, Sub, Href string
	Flag            string // a word that asks for attention
	Star            bool
	Light           *landmark.Light
	Button          *UpkeepForm
}

func cells(texts ...string) []UpkeepCell {
	out := make([]UpkeepCell, len(texts))
	for i, t := range texts {
		out[i] = UpkeepCell{Text: t}
	}
	return out
}

// form gives a form's fields their ids, and where it is the one that was refused
// what was typed into it and what is wrong.
func (t Typed) form(f UpkeepForm) UpkeepForm {
	for i := range f.Fields {
		field := &f.Fields[i]
		field.ID = fieldID(f.ID, field.Name)
		if t.Form == f.ID {
			if v, ok := t.Values[field.Name]; ok || field.Kind == "check" {
				field.Value = v
			}
			field.Error = FaultOf(t.Faults, field.Name)
		}
		if field.Kind == "select" {
			field.Options = options(field.Value, field.Options)
		}
	}
	return f
}

func fieldID(form, name string) string {
	return form + "-" + strings.NewReplacer("[", "-", "]", "").Replace(name)
}

// shown adds the faults of the refused form to the page, each with the id of its
// field where the form has such a field.
func (t Typed) shown(p *UpkeepPage) {
	if t.Form == "" {
		return
	}
	p.Refused = "没有保存,请改正下面的内容"
	for _, f := range t.Faults {
		out := Fault{Message: f.Message}
		for _, s := range p.Sections {
			for _, form := range s.Forms {
				for _, field := range form.Fields {
					if form.ID == t.Form && field.Name == f.Field {
						out.Field = field.ID
					}
				}
			}
		}
		p.Faults = append(p.Faults, out)
	}
}

// newUpkeep makes a page below the overview of upkeep. Its addresses name the
// plan: another may become the newest while somebody types.
func newUpkeep(page Page, title string) UpkeepPage {
	page.Title, page.Body, page.Months = title, "page-upkeep", nil
	p := UpkeepPage{Page: page, Heading: title}
	if page.Path != "/admin" {
		p.Crumbs = []Link{{"管理", p.at("/admin")}}
	}
	return p
}

// at is another upkeep page of the same plan.
func (p UpkeepPage) at(path string, pairs ...string) string {
	if p.Plan != nil && len(p.Plans) > 1 {
		pairs = append([]string{"plan", p.Plan.Slug}, pairs...)
	}
	return p.link(path, nil, pairs)
}

// to is where a form of the page goes: always with its plan.
func (p UpkeepPage) to(path string) string {
	if p.Plan == nil {
		return path
	}
	return p.link(path, nil, []string{"plan", p.Plan.Slug})
}

// pastRow is a line of the history as a page of upkeep shows it.
func pastRow(zone *time.Location, e landmark.HistoryEntry) UpkeepRow {
	said := plainJSON(e.After)
	if before := plainJSON(e.Before); before != "" {
		said = before + " → " + said
	}
	return UpkeepRow{Cells: []UpkeepCell{{Text: said, Sub: e.Reason}, {Text: e.Actor.Name, Sub: Moment(e.At.In(zone))}}}
}

func pastTable(caption, empty string, zone *time.Location, past []landmark.HistoryEntry, keep func(landmark.HistoryEntry) bool) *UpkeepTable {
	t := &UpkeepTable{Caption: caption, Head: []string{"改动", "谁,何时"}, Empty: empty}
	for _, e := range past {
		if keep(e) {
			t.Rows = append(t.Rows, pastRow(zone, e))
		}
	}
	return t
}

func acted(act string) func(landmark.HistoryEntry) bool {
	return func(e landmark.HistoryEntry) bool { return e.Act == act }
}

// by is who recorded something and when.
func by(zone *time.Location, who string, at time.Time) UpkeepCell {
	if who == "" {
		return UpkeepCell{}
	}
	return UpkeepCell{Text: who, Sub: Moment(at.In(zone))}
}

// monthOptions are the months first to last.
func monthOptions(first, last landmark.Month) []Option {
	var out []Option
	for m := first; m <= last; m++ {
		out = append(out, Option{Value: m.String(), Text: m.Chinese()})
	}
	return out
}

func kindOptions(unknown string) []Option {
	out := []Option{{Value: "", Text: unknown}}
	for _, k := range landmark.Kinds {
		out = append(out, Option{Value: string(k), Text: k.Chinese()})
	}
	return out
}

func frequencyOptions() []Option {
	var out []Option
	for _, f := range landmark.Frequencies {
		out = append(out, Option{Value: string(f), Text: f.Chinese()})
	}
	return out
}

func departmentOptions(none string, all []landmark.Department) []Option {
	out := []Option{{Value: "", Text: none}}
	for _, d := range all {
		out = append(out, Option{Value: d.Slug, Text: d.Name})
	}
	return out
}

// Upkeep is what the overview of upkeep needs to know.
type Upkeep struct {
	Plans       int
	Users       []landmark.User
	Departments []landmark.Department
	Number      string // the number the next bulletin would get
}

// NewUpkeepPage is GET /admin: where everything is, and what needs attention.
func NewUpkeepPage(page Page, r *landmark.Record, in Upkeep) UpkeepPage {
	p := newUpkeep(page, "管理")
	p.Sub = "方案、指标、报送日期、判定规则、账号、部门和发文设置都在这里维护,每次改动都记入变更记录。"
	unknown, unconfirmed, curves, revised := 0, 0, 0, 0
	var todo []UpkeepRow
	for _, ind := range r.Plan.Indicators() {
		switch {
		case ind.Kind == landmark.KindUnknown:
			unknown++
			todo = append(todo, UpkeepRow{Cells: []UpkeepCell{{Text: ind.Code + " " + ind.Name, Href: p.at("/admin/indicators/" + ind.Code)}, {Text: ind.Project.Lead.Name}, {Text: "没有性质,只显示数值,不判定状态", Flag: "性质待定"}}})
		case !ind.Confirmed:
			unconfirmed++
			todo = append(todo, UpkeepRow{Cells: []UpkeepCell{{Text: ind.Code + " " + ind.Name, Href: p.at("/admin/indicators/" + ind.Code)}, {Text: ind.Project.Lead.Name}, {Text: "按“" + ind.Kind.Chinese() + "”判定,牵头单位还没有确认", Flag: "待确认"}}})
		}
		if len(ind.CurveIn(page.Month).Points) > 0 {
			curves++
		}
		if len(ind.Targets) > 1 {
			revised++
		}
	}
	reporters, leaders, active := map[int64]bool{}, map[int64]bool{}, 0
	for _, u := range in.Users {
		if u.Disabled {
			continue
		}
		active++
		reporters[u.DepartmentID] = reporters[u.DepartmentID] || u.Role == landmark.RoleReporter
		leaders[u.DepartmentID] = leaders[u.DepartmentID] || u.Role == landmark.RoleLeader
	}
	for _, d := range r.Plan.LeadDepartments() {
		if !reporters[d.ID] {
			todo = append(todo, UpkeepRow{Cells: []UpkeepCell{{Text: d.Name, Href: p.at("/admin/users", "department", d.Slug)}, {Text: d.Name}, {Text: "没有填报员账号,报不了数", Flag: "缺账号"}}})
		}
		if d.SignOffRequired && !leaders[d.ID] {
			todo = append(todo, UpkeepRow{Cells: []UpkeepCell{{Text: d.Name, Href: p.at("/admin/users", "department", d.Slug)}, {Text: d.Name}, {Text: "要负责人签核,但没有负责人账号", Flag: "缺账号"}}})
		}
	}
	signing := 0
	for _, d := range in.Departments {
		if d.SignOffRequired {
			signing++
		}
	}
	rule := r.Plan.Rule(page.Month)
	due := r.Period(page.Month + 1).Due
	p.Sections = []UpkeepSection{
		{ID: "all", Title: "维护什么", Table: &UpkeepTable{Caption: "各项维护页面", Head: []string{"页面", "现在", "能做什么"}, Rows: []UpkeepRow{
			{Cells: []UpkeepCell{{Text: "指标", Href: p.at("/admin/indicators")}, {Text: fmt.Sprintf("%d项,%d项待确认,%d项性质待定", len(r.Plan.Indicators()), unconfirmed, unknown)}, {Text: fmt.Sprintf("确认性质、调整目标(已调%d项)、计划曲线(%d项)、口径、改判", revised, curves)}}},
			{Cells: []UpkeepCell{{Text: "报送日期", Href: p.at("/admin/periods")}, {Text: fmt.Sprintf("%s的截止日%s", (page.Month + 1).Short(), due.Chinese())}, {Text: "各月的开放、截止、宽限、锁定;单个部门延期"}}},
			{Cells: []UpkeepCell{{Text: "判定规则", Href: p.at("/admin/rules")}, {Text: fmt.Sprintf("容差%d点,红线%d点", rule.Tolerance, rule.RedLine)}, {Text: "先预览会改变哪些状态,再采用"}}},
			{Cells: []UpkeepCell{{Text: "年度方案", Href: p.at("/admin/plans")}, {Text: fmt.Sprintf("%d个", in.Plans)}, {Text: "复制成下一年的方案"}}},
			{Cells: []UpkeepCell{{Text: "账号", Href: p.at("/admin/users")}, {Text: fmt.Sprintf("%d个在用,共%d个", active, len(in.Users))}, {Text: "新增、改角色和部门、重置密码、停用"}}},
			{Cells: []UpkeepCell{{Text: "部门", Href: p.at("/admin/departments")}, {Text: fmt.Sprintf("%d个,%d个要签核", len(in.Departments), signing)}, {Text: "新增、是否要负责人签核"}}},
			{Cells: []UpkeepCell{{Text: "通知发送", Href: p.at("/admin/notices")}, {Text: "邮件和群消息的发送记录"}, {Text: "看送到没有,重发;添加钉钉、企业微信群机器人"}}},
			{Cells: []UpkeepCell{{Text: "发文设置", Href: p.at("/admin/letterhead")}, {Text: in.Number}, {Text: "通报和催办函的发文机关、文号、主送、抄送、印发机关"}}},
		}}},
		{ID: "todo", Title: "要处理的", Note: fmt.Sprintf("%d件", len(todo)), Table: &UpkeepTable{Caption: "要处理的", Head: []string{"对象", "牵头单位", "情况"}, Rows: todo, Empty: "没有要处理的:指标性质都已确认,牵头单位都有账号。"}},
	}
	return p
}

// jumps lead to the sections of a long page.
func (p UpkeepPage) jumps() []Link {
	var out []Link
	for _, s := range p.Sections {
		if s.Jump {
			out = append(out, Link{s.Title, "#" + s.ID})
		}
	}
	return out
}

func (f UpkeepForm) method() string {
	if f.Get {
		return "get"
	}
	return "post"
}

func (f UpkeepForm) name(section string) string {
	if f.Title != "" {
		return f.Title
	}
	return section
}

// fieldGroup is a run of fields that stand one under the other, or narrow ones
// side by side.
type fieldGroup struct {
	narrow, pairs bool // pairs: a word and what it means
	fields        []UpkeepField
}

func (f UpkeepForm) groups() []fieldGroup {
	var out []fieldGroup
	for _, field := range f.Fields {
		if n := len(out); n == 0 || out[n-1].narrow != field.Narrow {
			out = append(out, fieldGroup{narrow: field.Narrow})
		}
		g := &out[len(out)-1]
		g.pairs = g.pairs || field.Narrow && field.Kind == "select"
		g.fields = append(g.fields, field)
	}
	return out
}

// used says whether something stands in the group.
func (g fieldGroup) used() bool {
	for _, f := range g.fields {
		if f.Kind != "select" && f.Value != "" || f.Error != "" {
			return true
		}
	}
	return false
}

// attributes tell what describes a field and whether it is wrong.
func (f UpkeepField) attributes() templ.Attributes {
	a, about := templ.Attributes{}, []string{}
	if f.Error != "" {
		a["aria-invalid"] = "true"
		about = append(about, f.ID+"-e")
	}
	if f.Hint != "" {
		about = append(about, f.ID+"-h")
	}
	if len(about) > 0 {
		a["aria-describedby"] = strings.Join(about, " ")
	}
	return a
}

func (t *UpkeepTable) head(i int) string {
	if i < len(t.Head) {
		return t.Head[i]
	}
	return ""
}
