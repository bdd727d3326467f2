package bulletin

import (
	"fmt"
	"slices"
	"strings"

	"landmark/internal/landmark"
)

// What stands where the office has still to write.
const (
	reasonPending = "原因待补充"
	nextPending   = "措施待补充"
)

// aheadNamed is how many indicators ahead of schedule are described one by one.
const aheadNamed = 5

// drafter writes the blocks of a month in reading order.
type drafter struct {
	in       Input
	blocks   []Block
	section  Section
	headings int // numbered 一、 so far
	subs     int // numbered (一) since the last heading
	items    int // numbered 1. since the last heading or subheading
}

var chineseDigits = []string{"零", "一", "二", "三", "四", "五", "六", "七", "八", "九", "十"}

func (d *drafter) add(b Block) {
	b.Section = d.section
	d.blocks = append(d.blocks, b)
}

func (d *drafter) heading(section Section, key, label, text string) {
	d.section, d.subs, d.items = section, 0, 0
	d.headings++
	d.add(Block{Key: key, Label: label, Style: StyleHeading, Prefix: chineseDigits[d.headings] + "、", Template: text})
}

func (d *drafter) subheading(key, label, text string) {
	d.items = 0
	d.subs++
	d.add(Block{Key: key, Label: label, Style: StyleSubheading, Prefix: "（" + chineseDigits[d.subs] + "）", Template: text})
}

func (d *drafter) body(key, label, text string) {
	d.add(Block{Key: key, Label: label, Style: StyleBody, Template: text})
}

// item is a numbered paragraph about an indicator.
func (d *drafter) item(key, label, code, text string) {
	d.items++
	d.add(Block{Key: key, Label: label, Style: StyleBody, Code: code, Prefix: fmt.Sprintf("%d．", d.items), Template: text})
}

func (d *drafter) write() {
	d.section = SectionHead
	head := d.in.letterhead()
	d.add(Block{Key: "org", Label: "发文机关", Style: StyleOrg, Template: head.Org})
	d.add(Block{Key: "issue", Label: "发文字号", Style: StyleIssue, Template: head.BulletinNumber})
	d.add(Block{Key: "title", Label: "标题（换行只用于断行）", Style: StyleTitle, Template: "关于{{month}}份共同富裕标志性成果\n进展情况的通报"})
	d.add(Block{Key: "addressee", Label: "主送机关", Style: StyleAddressee, Template: head.Addressee})
	d.body("intro", "引言", "现将{{plan}}截至{{month_short}}底的进展情况通报如下。")
	d.overall()
	d.good()
	d.lagging()
	d.discipline()
	d.next()
	d.corrections()
	d.section = SectionFoot
	d.add(Block{Key: "attachment", Label: "附件说明", Style: StyleAttachment, Template: "附件：{{month}}份标志性成果指标进展情况表"})
	d.add(Block{Key: "sign", Label: "署名", Style: StyleSign, Template: head.Sign})
	d.add(Block{Key: "date", Label: "成文日期", Style: StyleDate, Template: "{{date}}"})
	copies := ""
	if head.Copies != "" {
		copies = head.Copies + "。"
	}
	d.add(Block{Key: "copies", Label: "抄送机关", Style: StyleCopies, Lead: "抄送：", Template: copies})
	d.add(Block{Key: "printer", Label: "印发机关和印发日期（各一行）", Style: StylePrinter, Template: head.Printer + "\n{{date}}印发"})
}

func (d *drafter) overall() {
	d.heading(SectionOverall, "overall.heading", "小标题", "总体情况")
	counts := d.in.Board.Counts
	groups := func(prefix string, counts landmark.Counts, all bool) string {
		var out []string
		for _, l := range lightNames {
			if all || counts[l.light] > 0 {
				out = append(out, fmt.Sprintf("%s{{%s%s}}项", l.light.Chinese(), prefix, l.name))
			}
		}
		return strings.Join(out, "，")
	}
	text := "截至{{month_short}}底，全部{{total}}项指标中，" + groups("", counts, false) + "。"
	if counts.Judged() > 0 {
		var shares []string
		for _, l := range lightNames {
			if l.light.Judged() && counts[l.light] > 0 {
				shares = append(shares, fmt.Sprintf("%s占{{%s.share}}", l.light.Chinese(), l.name))
			}
		}
		out := ""
		if counts[landmark.NotDue] > 0 {
			out += "未到期{{not_due}}项"
		}
		if counts[landmark.NoLight] > 0 {
			if out != "" {
				out += "、"
			}
			out += "未判定{{unjudged}}项"
		}
		if out != "" {
			out = "扣除" + out + "，"
		}
		text += out + "纳入本月评价的{{judged}}项中，" + strings.Join(shares, "，") + "。"
	}
	d.body("overall", "总体情况", text)
	if key := d.in.Board.Key(); len(key) > 0 {
		d.body("overall.key", "重点指标", "其中带★的重点指标{{key.total}}项："+groups("key.", landmark.Count(key), false)+"。")
	}
	if counts[landmark.Unreported] > 0 {
		d.body("overall.unreported", "未报送的指标", "未报送的指标为：{{unreported.names}}。")
	}
	if slices.ContainsFunc(d.in.Board.Assessments(), func(a landmark.Assessment) bool { return a.Override != nil }) {
		d.body("overall.overridden", "改判的指标", "其中经市府办改判的有{{overridden}}项：{{overridden.names}}。")
	}
	d.body("overall.rule", "判定规则", "以上为截至{{as_of}}的核定数据。落后应达进度{{tolerance}}个百分点以内为正常，超过{{red_line}}个百分点为严重滞后，其间为滞后。")
	d.body("overall.extra", "补充段落", "")
}

func (d *drafter) good() {
	d.heading(SectionGood, "good.heading", "小标题", "进展较好的指标")
	if d.in.Board.Counts[landmark.Done] > 0 {
		d.body("good.done", "已完成的指标", "已完成年度目标的有{{done}}项：{{done.names}}。")
	}
	ahead := aheadOf(d.in.Board)
	if len(ahead) > 0 {
		d.body("good.ahead", "进度较快的指标", "进度较快的指标有：")
		for _, a := range ahead {
			d.item("good."+a.Indicator.Code, "进度较快："+a.Indicator.Name, a.Indicator.Code, aheadTemplate(a))
		}
	}
	if d.in.Board.Counts[landmark.Done] == 0 && len(ahead) == 0 {
		d.body("good.none", "进展较好的指标", "本月没有已完成或超过应达进度的指标。")
	}
	d.body("good.extra", "补充段落", "")
}

// aheadOf are the indicators on track furthest ahead of schedule, best first.
func aheadOf(b landmark.Board) []landmark.Assessment {
	var out []landmark.Assessment
	all := landmark.TroubleFirst(b.Assessments())
	for i := len(all) - 1; i >= 0 && len(out) < aheadNamed; i-- {
		if a := all[i]; a.Light == landmark.OnTrack && a.Value != nil && a.Gap.Present() && a.Gap.Sign() > 0 {
			out = append(out, a)
		}
	}
	return out
}

// ref is a figure of an indicator as a template calls it.
func ref(a landmark.Assessment, name string) string {
	return "{{" + a.Indicator.Code + "." + name + "}}"
}

func aheadTemplate(a landmark.Assessment) string {
	return standing(a) + "，超前" + ref(a, "gap") + "。"
}

// standing is name, lead, target, value, rate and schedule, as far as the kind
// of indicator has them.
func standing(a landmark.Assessment) string {
	ind := a.Indicator
	s := ref(a, "name") + "（牵头单位：" + ref(a, "lead") + "）。年度目标" + ref(a, "target")
	if a.Shown() == nil {
		return s + "，今年尚无核定值"
	}
	s += "，截至" + ref(a, "value_month") + "底"
	switch ind.Kind {
	case landmark.Flow, landmark.Cumulative:
		s += "累计" + ref(a, "value")
	case landmark.Qualitative:
		s += "处于" + ref(a, "value")
	default:
		s += "为" + ref(a, "value")
	}
	if a.Completion.Present() {
		s += "，完成率" + ref(a, "rate")
		if ind.Kind == landmark.Cumulative {
			s += "（含历年），今年进度" + ref(a, "progress")
		}
	} else if a.Progress.Present() {
		s += "，进度" + ref(a, "progress")
	}
	if a.Schedule.Present() {
		yardstick := "序时应达"
		if a.Curved {
			yardstick = "按计划应达"
		}
		s += "，" + yardstick + ref(a, "schedule")
	}
	return s
}

func (d *drafter) lagging() {
	d.heading(SectionLagging, "lagging.heading", "小标题", "滞后的指标")
	found := false
	for _, l := range []landmark.Light{landmark.Critical, landmark.Behind} {
		if d.in.Board.Counts[l] == 0 {
			continue
		}
		found = true
		name := lightName(l)
		d.subheading("lagging."+name, "小标题", l.Chinese()+"（{{"+name+"}}项）")
		for _, a := range landmark.TroubleFirst(d.in.Board.Assessments()) {
			if a.Light == l {
				d.lag(a)
			}
		}
	}
	if !found {
		d.body("lagging.none", "滞后的指标", "本月没有滞后的指标。")
	}
	d.body("lagging.extra", "补充段落", "")
}

func (d *drafter) lag(a landmark.Assessment) {
	ind := a.Indicator
	text := standing(a)
	switch {
	case ind.Kind == landmark.Hold:
		text += "，未保持住，差" + ref(a, "left")
	case a.Gap.Present() && a.Gap.Sign() < 0:
		text += "，落后" + ref(a, "gap")
	}
	if a.Override != nil {
		text += "，" + ref(a, "override")
	}
	key := "lagging." + ind.Code
	d.item(key, ind.Code+" "+ind.Name, ind.Code, text+"。")
	reason := reasonPending
	if reasonText(d.in.Board.Record, a) != "" {
		reason = ref(a, "reason")
	}
	d.add(Block{Key: key + ".reason", Label: "原因：" + ind.Name, Style: StyleBody, Code: ind.Code, Lead: "原因：", Joined: true, Template: reason + "。"})
	d.add(Block{Key: key + ".next", Label: "下一步：" + ind.Name, Style: StyleBody, Code: ind.Code, Lead: "下一步：", Joined: true, Template: nextPending + "。"})
}

func lightName(l landmark.Light) string {
	for _, n := range lightNames {
		if n.light == l {
			return n.name
		}
	}
	return ""
}

func (d *drafter) discipline() {
	d.heading(SectionDiscipline, "discipline.heading", "小标题", "报送情况")
	r, m := d.in.Board.Record, d.in.Board.Month
	sum := landmark.AddDisciplines(r.Disciplines(m))
	text := "本月应报{{due}}项，实报{{received}}项，其中按时{{on_time}}项、迟报{{late}}项；漏报{{missing}}项"
	if sum.Awaited > 0 {
		text += "，未到报送期限{{awaited}}项"
	}
	d.body("discipline", "报送情况", text+"。")
	if sum.Late > 0 {
		d.body("discipline.late", "迟报单位", "迟报的单位：{{late.departments}}。")
	}
	if sum.Missing > 0 {
		d.body("discipline.missing", "漏报单位", "漏报的单位：{{missing.departments}}。")
	}
	if len(pendingOf(r, m)) > 0 {
		d.body("discipline.pending", "已报待核定", "已报送、尚未核定的有{{pending}}项：{{pending.names}}。")
	}
	d.body("discipline.extra", "补充段落", "")
}

func (d *drafter) next() {
	d.heading(SectionNext, "next.heading", "小标题", "下一步工作要求")
	n := 0
	require := func(key, label, text string) {
		n++
		d.add(Block{Key: key, Label: label, Style: StyleBody, Prefix: "（" + chineseDigits[n] + "）", Template: text})
	}
	counts := d.in.Board.Counts
	if counts[landmark.Critical]+counts[landmark.Behind] > 0 {
		require("next.lagging", "对滞后指标", "滞后的{{lagging}}项指标，请牵头单位对照年度目标逐项查找原因、明确措施和时限，抓紧追赶进度。")
	}
	if counts[landmark.Unreported] > 0 {
		require("next.unreported", "对未报送指标", "未报送的{{unreported}}项指标，请牵头单位立即补报，并按时报送以后各月数据。")
	}
	require("next.steady", "总的要求", "进度正常和已完成的指标，请牵头单位巩固成效；各配合单位要主动配合，确保全年目标如期完成。")
	d.body("next.extra", "补充段落", "")
}

func (d *drafter) corrections() {
	all := Corrections(d.in)
	if len(all) == 0 {
		return
	}
	d.heading(SectionCorrections, "corrections.heading", "小标题", "上期通报以来的更正")
	d.body("corrections", "更正说明", "{{previous.month}}份通报印发后，以下{{corrections}}项数据有变化：")
	for _, c := range all {
		d.item(c.figure(), "更正："+c.Indicator.Name, c.Indicator.Code, "{{"+c.figure()+"}}。")
	}
	d.body("corrections.extra", "补充段落", "")
}
