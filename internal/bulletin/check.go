package bulletin

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"landmark/internal/landmark"
)

// FaultKind names what is wrong with a bulletin.
type FaultKind string

// The faults that keep a bulletin from being issued.
const (
	FigureDiffers     FaultKind = "figure_differs"     // a figure is not the data's
	GroupSum          FaultKind = "group_sum"          // groups do not add up to the total
	ShareSum          FaultKind = "share_sum"          // shares do not add up to 100.0
	IndicatorMissing  FaultKind = "indicator_missing"  // a lagging or unreported indicator is not named
	DepartmentMissing FaultKind = "department_missing" // a late or missing department is not named
	CorrectionMissing FaultKind = "correction_missing" // what was corrected since the last issue is not listed
	UnknownReference  FaultKind = "unknown_reference"  // a template calls a figure there is none of
	TypedFigure       FaultKind = "typed_figure"       // a figure typed by hand
	ReasonMissing     FaultKind = "reason_missing"
	NextMissing       FaultKind = "next_missing"
	AnnexDiffers      FaultKind = "annex_differs" // the annex is not the data's
	PartMissing       FaultKind = "part_missing"  // title, addressees, … left empty
	MonthNotOver      FaultKind = "month_not_over"
)

// Chinese is the fault's name on pages.
func (k FaultKind) Chinese() string {
	switch k {
	case FigureDiffers:
		return "数据不符"
	case GroupSum:
		return "分组不等于总数"
	case ShareSum:
		return "占比之和不是100.0%"
	case IndicatorMissing:
		return "指标漏列"
	case DepartmentMissing:
		return "单位漏列"
	case CorrectionMissing:
		return "更正漏列"
	case UnknownReference:
		return "引用无效"
	case TypedFigure:
		return "手写数字"
	case ReasonMissing:
		return "原因待补充"
	case NextMissing:
		return "措施待补充"
	case AnnexDiffers:
		return "附表不符"
	case PartMissing:
		return "必备内容缺失"
	default:
		return "月份未结束"
	}
}

// Fault is one thing to put right before issue.
type Fault struct {
	Kind    FaultKind
	Block   string // key of the block it is in, empty for the whole
	Message string // one sentence in Chinese
}

// Check compares a bulletin with the data it is to tell of and lists every
// fault, in reading order. None means that it may be issued.
func Check(b Bulletin, in Input) []Fault {
	c := &checker{b: b, in: in, data: figures(in)}
	c.parts()
	c.figures()
	c.texts()
	c.groups()
	c.shares()
	c.indicators()
	c.departments()
	c.correctionList()
	c.annex()
	return c.faults
}

type checker struct {
	b      Bulletin
	in     Input
	data   map[string]string
	faults []Fault
}

func (c *checker) add(kind FaultKind, block, format string, args ...any) {
	c.faults = append(c.faults, Fault{kind, block, fmt.Sprintf(format, args...)})
}

func (c *checker) parts() {
	if m := c.in.Board.Month; c.in.Board.Record.Today().Compare(m.LastDay()) <= 0 {
		c.add(MonthNotOver, "", "%s还没有结束，不能印发", m.Chinese())
	}
	c.needs("org", "issue", "title", "addressee", "overall", "sign", "date", "printer")
}

// needs: no block of these keys is empty.
func (c *checker) needs(keys ...string) {
	for _, key := range keys {
		if block, ok := c.b.Block(key); !ok || strings.TrimSpace(block.Text) == "" {
			c.add(PartMissing, key, "“%s”不能为空", cmp.Or(block.Label, key))
		}
	}
}

// figures: every bound figure is the data's, and every text is its template
// with these figures.
func (c *checker) figures() {
	all := maps.Clone(c.data)
	maps.Copy(all, c.b.Figures)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if got, want := c.b.Figures[name], c.data[name]; got != want {
			c.add(FigureDiffers, "", "数据项 %s 写的是“%s”，数据是“%s”", name, got, want)
		}
	}
	for _, block := range c.b.Blocks {
		if want := resolve(block.Template, c.data); block.Text != want {
			c.add(FigureDiffers, block.Key, "“%s”写的是“%s”，按数据应为“%s”", block.Label, block.Text, want)
		}
	}
}

// texts: references that exist, no figures typed by hand, nothing left to fill in.
func (c *checker) texts() {
	words := c.ownWords()
	known := units(c.in.Board.Record.Plan)
	for _, block := range c.b.Blocks {
		for _, name := range references(block.Template) {
			if _, ok := c.data[name]; !ok {
				c.add(UnknownReference, block.Key, "“%s”引用了不存在的数据项 {{%s}}", block.Label, name)
			}
		}
		plain := typed(block.Template)
		if strings.Contains(plain, "{{") || strings.Contains(plain, "}}") {
			c.add(UnknownReference, block.Key, "“%s”里的双花括号没有写对，应写成 {{数据项}} 的样子", block.Label)
		}
		if block.Style == StyleNote { // a telephone number
			plain = ""
		}
		for _, n := range figuresIn(words.Replace(plain), known) {
			if !c.isDatum(n, block.Code) {
				c.add(TypedFigure, block.Key, "“%s”里的“%s”是手写的数字%s", block.Label, n.text, c.advice(n, block.Code))
			}
		}
		switch {
		case strings.HasSuffix(block.Key, ".reason") && pending(block.Text, reasonPending):
			c.add(ReasonMissing, block.Key, "%s %s，没有写原因", block.Code, strings.TrimPrefix(block.Label, block.Lead))
		case strings.HasSuffix(block.Key, ".next") && pending(block.Text, nextPending):
			c.add(NextMissing, block.Key, "%s %s，没有写下一步措施", block.Code, strings.TrimPrefix(block.Label, block.Lead))
		case strings.Contains(block.Text, "待补充"):
			c.add(PartMissing, block.Key, "“%s”里还有“待补充”", block.Label)
		}
	}
}

func pending(text, words string) bool {
	return strings.Trim(text, " 。\n") == "" || strings.Contains(text, words)
}

// ownWords takes out of a text the names that have digits of their own: they are
// the plan's words, not figures.
func (c *checker) ownWords() *strings.Replacer {
	var words []string
	plan := c.in.Board.Record.Plan
	add := func(s string) {
		if s = strings.TrimSpace(s); strings.ContainsAny(s, "0123456789") {
			words = append(words, s)
		}
	}
	add(plan.Title)
	for _, p := range plan.Projects {
		add(p.Name)
		for _, ind := range p.Indicators {
			add(ind.Printed)
			add(ind.Name)
		}
		for _, s := range p.Scenarios {
			add(s.Name)
		}
	}
	slices.SortFunc(words, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, w := range words {
		pairs = append(pairs, w, "\x00")
	}
	return strings.NewReplacer(pairs...)
}

// isDatum: in a block about an indicator a typed number may stand if it equals a
// figure of that indicator. Anywhere else figures are bound.
func (c *checker) isDatum(n number, code string) bool { return code != "" && c.equal(n, code) != "" }

// equal finds the name of a figure of an indicator that a number equals.
func (c *checker) equal(n number, code string) string {
	for _, name := range []string{"value", "target", "baseline", "rate", "progress", "schedule", "gap", "left", "expected"} {
		for _, f := range figuresIn(c.data[code+"."+name], units(c.in.Board.Record.Plan)) {
			if f.measure == n.measure && f.amount.Equal(n.amount) {
				return code + "." + name
			}
		}
	}
	return ""
}

// advice says what to write in the place of a typed figure.
func (c *checker) advice(n number, code string) string {
	if code != "" {
		return "，与该指标的数据都不相符；如不是指标数据，请改用汉字数字"
	}
	var same []string
	for _, l := range lightNames {
		for _, name := range []string{l.name, l.name + ".share"} {
			if fs := figuresIn(c.data[name], nil); len(fs) == 1 && fs[0].measure == n.measure && fs[0].amount.Equal(n.amount) {
				same = append(same, "{{"+name+"}}")
			}
		}
	}
	for _, ind := range c.in.Board.Record.Plan.Indicators() {
		if name := c.equal(n, ind.Code); name != "" {
			same = append(same, "{{"+name+"}}")
		}
	}
	if len(same) == 0 {
		return "，数据中没有这个数；请改用数据项，如不是指标数据请改用汉字数字"
	}
	return "，请改用数据项，例如 " + strings.Join(same[:min(len(same), 3)], "、")
}

// groups: the counts add up, among themselves, with the annex, and in the text
// as the office left it.
func (c *checker) groups() {
	rows := map[landmark.Light]int{}
	for _, row := range c.b.Annex.Rows {
		rows[row.Light]++
	}
	sum := 0
	for _, l := range lightNames {
		n := c.figure(l.name)
		sum += n
		if n != rows[l.light] {
			c.add(GroupSum, "", "%s写%d项，附表里是%d项", l.light.Chinese(), n, rows[l.light])
		}
	}
	total := c.figure("total")
	if sum != total {
		c.add(GroupSum, "overall", "各组相加是%d项，总数写%d项", sum, total)
	}
	if total != len(c.b.Annex.Rows) {
		c.add(GroupSum, "", "总数写%d项，附表里是%d项", total, len(c.b.Annex.Rows))
	}
	if judged := c.figure("judged"); judged != total-c.figure("not_due")-c.figure("unjudged") {
		c.add(GroupSum, "overall", "纳入评价写%d项，应为总数减去未到期和未判定的%d项", judged, total-c.figure("not_due")-c.figure("unjudged"))
	}
	if due := c.figure("due"); due != c.figure("received")+c.figure("missing")+c.figure("awaited") || c.figure("received") != c.figure("on_time")+c.figure("late") {
		c.add(GroupSum, "discipline", "应报%d项不等于按时、迟报、漏报之和", due)
	}
	for _, part := range []struct{ key, prefix string }{{"overall", ""}, {"overall.key", "key."}} {
		key, prefix := part.key, part.prefix
		block, ok := c.b.Block(key)
		if !ok || strings.TrimSpace(block.Template) == "" {
			continue
		}
		named := references(block.Template)
		for _, l := range lightNames {
			if c.figure(prefix+l.name) > 0 && !slices.Contains(named, prefix+l.name) {
				c.add(GroupSum, key, "“%s”没有写%s的{{%s}}项，各组加起来不等于总数", block.Label, l.light.Chinese(), prefix+l.name)
			}
		}
	}
}

func (c *checker) figure(name string) int {
	n, err := strconv.Atoi(c.b.Figures[name])
	if err != nil {
		return -1
	}
	return n
}

// shares: all of them add to 100.0, those printed side by side too.
func (c *checker) shares() {
	for _, prefix := range []string{"", "key."} {
		sum, any := decimal.Zero, c.figure(prefix+"judged") > 0
		for _, l := range lightNames {
			if l.light.Judged() {
				share, err := decimal.NewFromString(strings.TrimSuffix(c.b.Figures[prefix+l.name+".share"], "%"))
				if err == nil {
					sum = sum.Add(share)
				}
			}
		}
		if any && !sum.Equal(decimal.NewFromInt(100)) {
			c.add(ShareSum, "overall", "占比相加是%s%%，不是100.0%%", sum.StringFixed(1))
		}
	}
	block, ok := c.b.Block("overall")
	if !ok {
		return
	}
	sum, printed := decimal.Zero, 0
	for _, name := range references(block.Template) {
		if strings.HasSuffix(name, ".share") && !strings.HasPrefix(name, "key.") {
			if share, err := decimal.NewFromString(strings.TrimSuffix(c.b.Figures[name], "%")); err == nil {
				sum, printed = sum.Add(share), printed+1
			}
		}
	}
	if printed > 1 && !sum.Equal(decimal.NewFromInt(100)) {
		c.add(ShareSum, "overall", "“%s”并列的占比相加是%s%%，不是100.0%%", block.Label, sum.StringFixed(1))
	}
}

// indicators: every lagging indicator has a paragraph with what must be said of
// it, every unreported one is named.
func (c *checker) indicators() {
	var lagging, overall []string
	for _, p := range c.b.Paragraphs() {
		switch p.Section {
		case SectionLagging:
			lagging = append(lagging, p.Text)
		case SectionOverall, SectionDiscipline:
			overall = append(overall, p.Text)
		}
	}
	for _, a := range c.in.Board.Assessments() {
		ind := a.Indicator
		key := "lagging." + ind.Code
		switch a.Light {
		case landmark.Critical, landmark.Behind:
			i := slices.IndexFunc(lagging, func(s string) bool {
				return strings.Contains(s, ind.Name) && strings.Contains(s, ind.Project.Lead.Name)
			})
			if i < 0 {
				c.add(IndicatorMissing, key, "%s的 %s %s（%s）没有写明", a.Light.Chinese(), ind.Code, ind.Name, ind.Project.Lead.Name)
				continue
			}
			say := map[string]string{"target": "目标", "value": "完成值"}
			if a.Completion.Present() {
				say["rate"] = "完成率"
			}
			if a.Gap.Present() && a.Gap.Sign() < 0 {
				say["gap"] = "差距"
			}
			for _, name := range []string{"target", "value", "rate", "gap"} {
				if text := c.data[ind.Code+"."+name]; say[name] != "" && text != "" && !strings.Contains(lagging[i], text) {
					c.add(IndicatorMissing, key, "%s %s没有写明%s（%s）", ind.Code, ind.Name, say[name], text)
				}
			}
		case landmark.Unreported:
			if !slices.ContainsFunc(overall, func(s string) bool { return strings.Contains(s, ind.Name) }) {
				c.add(IndicatorMissing, "overall.unreported", "未报送的 %s %s（%s）没有写明", ind.Code, ind.Name, ind.Project.Lead.Name)
			}
		}
	}
}

// departments: every department that is late or missing is named where it is
// reproached for that.
func (c *checker) departments() {
	every := c.in.Board.Record.Plan.LeadDepartments()
	for _, d := range c.in.Board.Record.Disciplines(c.in.Board.Month) {
		name := d.Department.Name
		if d.Late > 0 && !c.names("discipline.late", name, every) {
			c.add(DepartmentMissing, "discipline.late", "迟报的%s没有点名", name)
		}
		if d.Missing > 0 && !c.names("discipline.missing", name, every) {
			c.add(DepartmentMissing, "discipline.missing", "漏报的%s没有点名", name)
		}
	}
}

// names says whether a block names a department; 建设局 within 住房建设局 does not
// count.
func (c *checker) names(key, name string, every []landmark.Department) bool {
	block, _ := c.b.Block(key)
	text := block.Text
	for _, other := range every {
		if other.Name != name && strings.Contains(other.Name, name) {
			text = strings.ReplaceAll(text, other.Name, "\x00")
		}
	}
	return strings.Contains(text, name)
}

func (c *checker) correctionList() {
	var text strings.Builder
	for _, p := range c.b.Paragraphs() {
		if p.Section == SectionCorrections {
			text.WriteString(p.Text)
		}
	}
	for _, k := range Corrections(c.in) {
		if !strings.Contains(text.String(), k.Text) {
			c.add(CorrectionMissing, k.figure(), "没有列出更正：%s", k.Text)
		}
	}
}

func (c *checker) annex() {
	want := annex(c.in)
	if got := c.b.Annex.Note; got != want.Note {
		c.add(AnnexDiffers, "", "附表下面的记录校验值写的是“%s”，应为“%s”", got, want.Note)
	}
	if got := c.b.Annex; got.Title != want.Title || !slices.Equal(got.Head, want.Head) {
		c.add(AnnexDiffers, "", "附表的标题或表头与数据不符")
	}
	rows := map[string]AnnexRow{}
	for _, row := range c.b.Annex.Rows {
		rows[row.Code] = row
	}
	for _, w := range want.Rows {
		got, ok := rows[w.Code]
		delete(rows, w.Code)
		switch {
		case !ok:
			c.add(AnnexDiffers, "", "附表缺少 %s %s", w.Code, w.Cells[2])
		case got.Light != w.Light || len(got.Cells) != len(w.Cells):
			c.add(AnnexDiffers, "", "附表里 %s 的状态与数据不符", w.Code)
		default:
			for i := range w.Cells {
				if got.Cells[i] != w.Cells[i] {
					c.add(AnnexDiffers, "", "附表里 %s 的“%s”写的是“%s”，数据是“%s”", w.Code, want.Head[i], got.Cells[i], w.Cells[i])
				}
			}
		}
	}
	for _, code := range slices.Sorted(maps.Keys(rows)) {
		c.add(AnnexDiffers, "", "附表多出 %s", code)
	}
}
