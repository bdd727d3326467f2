package bulletin

import (
	"fmt"
	"io"
	"strconv"

	"landmark/internal/landmark"
)

// Letter is a chase letter (催办函) to a department that has not reported.
type Letter struct {
	Department landmark.Department
	Month      landmark.Month
	Missing    int // how many indicators
	Blocks     []Block
	Figures    map[string]string
}

// Letters drafts one chase letter for each lead department that owes reports
// for the board's month, in the plan's order. Texts by block key take the place
// of the draft's own, as in a bulletin.
func Letters(in Input) []Letter {
	r, m := in.Board.Record, in.Board.Month
	var out []Letter
	for _, d := range r.Disciplines(m) {
		if d.Missing == 0 {
			continue
		}
		due := r.MissingAfter(d.Department.ID, m)
		chased := 0
		for _, c := range r.Chases {
			if c.DepartmentID == d.Department.ID && c.Month == m {
				chased++
			}
		}
		l := Letter{Department: d.Department, Month: m, Missing: d.Missing, Figures: map[string]string{
			"city": r.Plan.City, "plan": r.Plan.Title, "month": m.Chinese(), "month_short": m.Short(), "department": d.Department.Name,
			"due": strconv.Itoa(d.Due), "received": strconv.Itoa(d.Received), "missing": strconv.Itoa(d.Missing),
			"due_on": due.Chinese(), "lock_on": r.Period(m).Lock.Chinese(), "date": in.Date.Chinese(), "as_of": asOfText(r), "chased": strconv.Itoa(chased),
		}}
		add := func(key, label string, style Style, prefix, text string) {
			l.Blocks = append(l.Blocks, Block{Key: key, Label: label, Style: style, Prefix: prefix, Template: text, Section: SectionHead})
		}
		head := in.letterhead()
		add("org", "发文机关", StyleLetterhead, "", head.Org)
		add("title", "标题（换行只用于断行）", StyleTitle, "", "关于催报{{month}}份共同富裕标志性成果\n进展数据的函")
		add("addressee", "主送机关", StyleAddressee, "", "{{department}}：")
		text := "按照{{plan}}月报安排，{{month}}份数据应于{{due_on}}前报送。截至{{as_of}}，你单位应报{{due}}项，已报{{received}}项，尚有{{missing}}项未报："
		add("body", "正文", StyleBody, "", text)
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
		add("sign", "署名", StyleSign, "", head.Sign)
		add("date", "成文日期", StyleDate, "", "{{date}}")
		note := ""
		if head.Contact != "" {
			note = "（联系人：" + head.Contact + "）"
		}
		add("note", "附注", StyleNote, "", note)
		for i := range l.Blocks {
			block := &l.Blocks[i]
			if text, ok := in.Texts[block.Key]; ok {
				block.Template, block.Edited = tidy(text), true
			}
			block.Text = resolve(block.Template, l.Figures)
		}
		out = append(out, l)
	}
	return out
}

// Paragraphs are the letter as printed.
func (l Letter) Paragraphs() []Paragraph { return Bulletin{Blocks: l.Blocks}.Paragraphs() }

// Title is the letter's title in one line.
func (l Letter) Title() string { return Bulletin{Blocks: l.Blocks}.Title() }

// WriteDOCX writes the letter as a file in the layout of GB/T 9704-2012.
func (l Letter) WriteDOCX(w io.Writer) error {
	return document{title: l.Title(), paragraphs: l.Paragraphs()}.write(w)
}
