package view

import (
	"fmt"
	"strings"

	"landmark/internal/landmark"
)

// KeyPage is the ★ summary: one sheet of paper for leadership.
type KeyPage struct {
	Page
	Lead    KeyLead
	Groups  []KeyGroup
	Without string // projects that have no ★
	Sub     string // month, schedule, newest data
	Density string // class that keeps the sheet on one page of paper
}

// KeyLead are the parts of the summary in one sentence.
type KeyLead struct {
	All, Fine, Done, Ask, Later int
	Parts                       string // what is to be asked about, by light
}

// KeyGroup is 需要过问, 按计划推进 or 未到期.
type KeyGroup struct {
	ID, Title string
	Rows      []KeyRow
}

// KeyRow is a key indicator with its plain sentence.
type KeyRow struct {
	A       landmark.Assessment
	Say     string
	Outlook string // where the year will end, empty if that cannot be told or is settled
	Bullet  Bullet
}

// NewKey sorts the key indicators into what needs asking about and what goes
// its way.
func NewKey(p Page, b landmark.Board) KeyPage {
	p.Body = "page-key"
	k := KeyPage{Page: p}
	trouble := KeyGroup{ID: "h-ask", Title: "需要过问"}
	fine := KeyGroup{ID: "h-fine", Title: "按计划推进"}
	later := KeyGroup{ID: "h-later", Title: "未到期"}
	for _, a := range landmark.TroubleFirst(b.Key()) {
		row := KeyRow{A: a, Say: a.Plain(), Bullet: NewBullet(a, true, true)}
		if o, ok := b.Record.Outlook(a.Indicator, b.Month); ok {
			row.Outlook = o.Brief()
		}
		if late := overdue(b.Record, b.Record.DueFor(a.Indicator.Project.Lead.ID, b.Month)); late != "" && a.Light == landmark.Unreported {
			row.Say += late + "。"
		}
		if a.Override != nil {
			row.Say += fmt.Sprintf("按规则为%s,市府办改判为%s:%s。", a.Computed.Chinese(), a.Light.Chinese(), clipped(a.Override.Reason, 40))
		}
		switch {
		case a.Light.Trouble() || a.Computed.Trouble(): // an override does not hide trouble
			trouble.Rows = append(trouble.Rows, row)
		case a.Light.Judged():
			fine.Rows = append(fine.Rows, row)
		default:
			later.Rows = append(later.Rows, row)
		}
	}
	k.Groups = []KeyGroup{trouble}
	for _, g := range []KeyGroup{fine, later} {
		if len(g.Rows) > 0 {
			k.Groups = append(k.Groups, g)
		}
	}
	k.Sub = fmt.Sprintf("截至%s · 序时进度 %s%%", b.Month.Chinese(), Percent(landmark.Fraction(int64(b.Month.Number()), 12), 0))
	if at := newestApproval(b.Record, b.Month); !at.IsZero() {
		k.Sub += " · 数据更新于 " + Clock(at.In(b.Record.Zone))
	}
	k.Lead = keyLead(trouble.Rows, fine.Rows, later.Rows)
	k.Without = withoutStar(b)
	k.Density = density(k.Groups)
	return k
}

// density chooses the print's size by the height the rows will take, so that nine
// indicators stay on one A4 page. Figures are of the print style sheet.
func density(groups []KeyGroup) string {
	for _, d := range []struct {
		class             string
		say, outlook      int     // half characters to a line
		line, small, pads float64 // millimetres: of a line of each, around a row
		room              float64 // millimetres between head and foot
	}{
		{"", 30, 78, 6, 4.6, 8.4, 206},
		{"sheet--dense", 33, 78, 5.1, 4.4, 5.4, 210},
		{"sheet--tight", 37, 78, 4.4, 3.9, 3.2, 230},
	} {
		height := 10 * float64(len(groups))
		for _, g := range groups {
			for _, row := range g.Rows {
				lines := max(2, linesOf(row.Say, d.say)) // name and department take two
				height += float64(lines)*d.line + float64(linesOf(row.Outlook, d.outlook))*d.small + d.pads
			}
		}
		if height <= d.room {
			return d.class
		}
	}
	return "sheet--packed"
}

func linesOf(s string, perLine int) int { return (widthOf(s) + perLine - 1) / perLine }

// widthOf is a text's width in half characters.
func widthOf(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r >= 0x2e80 {
			n++
		}
	}
	return n
}

func keyLead(ask, fine, later []KeyRow) KeyLead {
	lead := KeyLead{All: len(ask) + len(fine) + len(later), Fine: len(fine), Ask: len(ask), Later: len(later)}
	for _, row := range fine {
		if row.A.Light == landmark.Done {
			lead.Done++
		}
	}
	asked := landmark.Counts{}
	for _, row := range ask {
		asked[row.A.Light]++
	}
	var parts []string
	for _, l := range landmark.Lights {
		switch n := asked[l]; {
		case n > 0 && l.Trouble():
			parts = append(parts, fmt.Sprintf("%d 项%s", n, l.Chinese()))
		case n > 0:
			parts = append(parts, fmt.Sprintf("%d 项改判为%s", n, l.Chinese()))
		}
	}
	lead.Parts = strings.Join(parts, ",")
	return lead
}

// withoutStar says what the sheet leaves out: the projects without a ★, and how
// their indicators stand.
func withoutStar(b landmark.Board) string {
	var names []string
	c := landmark.Counts{}
	for _, pb := range b.Projects {
		key := false
		for _, a := range pb.Assessments {
			key = key || a.Indicator.Key
		}
		if key {
			continue
		}
		names = append(names, fmt.Sprintf("%d %s", pb.Project.Number, pb.Project.Name))
		for l, n := range pb.Counts {
			c[l] += n
		}
	}
	if len(names) == 0 {
		return ""
	}
	var parts []string
	for _, l := range landmark.Lights {
		if c[l] > 0 {
			parts = append(parts, fmt.Sprintf("%s %d 项", l.Chinese(), c[l]))
		}
	}
	return fmt.Sprintf("本页只列★指标。%d 个项目没有★指标(%s),它们的 %d 项指标:%s,详见总览。",
		len(names), strings.Join(names, "、"), c.Total(), strings.Join(parts, ","))
}

func keyDone(l KeyLead) string {
	if l.Done == 0 {
		return ""
	}
	return fmt.Sprintf(",其中 %d 项已完成", l.Done)
}

func keyParts(l KeyLead) string {
	if l.Parts == "" {
		return ""
	}
	return ":" + l.Parts
}

func keyLater(l KeyLead) string {
	if l.Later == 0 {
		return ""
	}
	return fmt.Sprintf(";%d 项未到期", l.Later)
}

// clipped cuts a long text; the indicator's page has it whole.
func clipped(s string, most int) string {
	s = strings.TrimRight(s, "。.")
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}
