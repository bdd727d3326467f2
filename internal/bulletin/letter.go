package bulletin

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"landmark/internal/landmark"
)

// Letter is a chase letter (催办函) to a department that has not reported.
type Letter struct {
	Department landmark.Department `json:"-"` // kept beside, in columns of its own
	Month      landmark.Month      `json:"-"`
	Missing    int                 `json:"missing"` // how many indicators
	Blocks     []Block             `json:"blocks"`
	Figures    map[string]string   `json:"figures"`
	Unused     []string            `json:"-"` // keys of texts for which there is no block any more
}

// Letters drafts one chase letter for each lead department that owes reports
// for the board's month, in the plan's order. Texts by block key take the place
// of the draft's own, as in a bulletin; Number is the letter's, of no use where
// letters have none.
func Letters(in Input) []Letter {
	var out []Letter
	for _, d := range in.Board.Record.Disciplines(in.Board.Month) {
		if d.Missing > 0 {
			out = append(out, draftLetter(in, d))
		}
	}
	return out
}

func draftLetter(in Input, d landmark.Discipline) Letter {
	r, m := in.Board.Record, in.Board.Month
	head := in.letterhead()
	chased := 0
	for _, c := range r.Chases {
		if c.DepartmentID == d.Department.ID && c.Month == m {
			chased++
		}
	}
	l := Letter{Department: d.Department, Month: m, Missing: d.Missing, Figures: map[string]string{
		"city": r.Plan.City, "plan": r.Plan.Title, "month": m.Chinese(), "month_short": m.Short(), "department": d.Department.Name,
		"due": strconv.Itoa(d.Due), "received": strconv.Itoa(d.Received), "missing": strconv.Itoa(d.Missing),
		"due_on": r.MissingAfter(d.Department.ID, m).Chinese(), "lock_on": r.Period(m).Lock.Chinese(), "date": in.Date.Chinese(), "as_of": asOfText(r), "chased": strconv.Itoa(chased),
	}}
	add := func(key, label string, style Style, prefix, text string) {
		l.Blocks = append(l.Blocks, Block{Key: key, Label: label, Style: style, Prefix: prefix, Template: text, Section: SectionHead})
	}
	add("org", "发文机关", StyleLetterhead, "", head.Org)
	if head.LetterNumber != "" {
		l.Figures["year"], l.Figures["number"] = strconv.Itoa(in.Date.Year), strconv.Itoa(in.Number)
		add("issue", "发文字号", StyleLetterIssue, "", head.LetterNumber)
	}
	add("title", "标题（换行只用于断行）", StyleTitle, "", "关于催报{{month}}份共同富裕标志性成果\n进展数据的函")
	add("addressee", "主送机关", StyleAddressee, "", "{{department}}：")
	add("body", "正文", StyleBody, "", "按照{{plan}}月报安排，{{month}}份数据应于{{due_on}}前报送。截至{{as_of}}，你单位应报{{due}}项，已报{{received}}项，尚有{{missing}}项未报：")
	for i, ind := range d.MissingIndicators {
		figure := fmt.Sprintf("missing.%d", i+1)
		l.Figures[figure] = ind.Name
		add(figure, "未报指标", StyleBody, fmt.Sprintf("%d．", i+1), "{{"+figure+"}}")
	}
	request := "请抓紧补报；{{lock_on}}锁定后只能以更正方式办理。"
	if r.Today().Compare(r.Period(m).Lock) > 0 {
		request = "本月数据已于{{lock_on}}锁定，请按更正程序补报并说明原因。"
	}
	if chased > 0 {
		request = "此前已催报{{chased}}次。" + request
	}
	add("request", "要求", StyleBody, "", request)
	add("extra", "补充段落", StyleBody, "", "")
	add("sign", "署名", StyleSign, "", head.Sign)
	add("date", "成文日期", StyleDate, "", "{{date}}")
	note := ""
	if head.Contact != "" {
		note = "（联系人：" + head.Contact + "）"
	}
	add("note", "附注", StyleNote, "", note)
	add("copies", "抄送机关", StyleCopies, "", "")
	l.Blocks[len(l.Blocks)-1].Lead = "抄送："
	l.Blocks, l.Unused = written(l.Blocks, in.Texts, l.Figures)
	return l
}

// CheckLetter compares a letter with the data it is to tell of and lists every
// fault. None means that it may be issued.
func CheckLetter(l Letter, in Input) []Fault {
	in.Texts = nil
	c := &checker{b: Bulletin{Blocks: l.Blocks, Figures: l.Figures}, in: in}
	disciplines := in.Board.Record.Disciplines(in.Board.Month)
	i := slices.IndexFunc(disciplines, func(d landmark.Discipline) bool { return d.Department.ID == l.Department.ID })
	if i < 0 || disciplines[i].Missing == 0 {
		c.add(DepartmentMissing, "", "%s没有漏报，不用催办", l.Department.Name)
		return c.faults
	}
	d := disciplines[i]
	c.data = draftLetter(in, d).Figures
	c.needs("org", "title", "addressee", "body", "sign", "date")
	c.figures()
	c.texts()
	if block, ok := c.b.Block("issue"); ok && strings.TrimSpace(block.Text) == "" {
		c.add(PartMissing, "issue", "“%s”不能为空", block.Label)
	}
	if !c.names("addressee", d.Department.Name, in.Board.Record.Plan.LeadDepartments()) {
		c.add(DepartmentMissing, "addressee", "主送机关里没有%s", d.Department.Name)
	}
	var text strings.Builder
	for _, p := range l.Paragraphs() {
		if p.Style == StyleBody {
			text.WriteString(p.Text + "\n")
		}
	}
	for i, ind := range d.MissingIndicators {
		if !strings.Contains(text.String(), ind.Name) {
			c.add(IndicatorMissing, fmt.Sprintf("missing.%d", i+1), "未报的 %s %s没有写明", ind.Code, ind.Name)
		}
	}
	return c.faults
}

// Block finds a block by key.
func (l Letter) Block(key string) (Block, bool) { return Bulletin{Blocks: l.Blocks}.Block(key) }

// Paragraphs are the letter as printed.
func (l Letter) Paragraphs() []Paragraph { return Bulletin{Blocks: l.Blocks}.Paragraphs() }

// Title is the letter's title in one line.
func (l Letter) Title() string { return Bulletin{Blocks: l.Blocks}.Title() }

// Number is the letter's number as printed, empty if it has none.
func (l Letter) Number() string {
	block, _ := l.Block("issue")
	return block.Text
}

// WriteDOCX writes the letter as a file in the layout GB/T 9704-2012 has for
// letters. The same letter gives the same bytes.
func (l Letter) WriteDOCX(w io.Writer) error {
	return document{title: l.Title(), paragraphs: l.Paragraphs()}.write(w)
}
