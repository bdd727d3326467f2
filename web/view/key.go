package view

import (
	"fmt"
	"strings"

	"landmark/internal/landmark"
)

// KeyPage is the ★ summary: one sheet of paper for leadership.
type KeyPage struct {
	Page
	Lead    string // the summary in one sentence
	Groups  []KeyGroup
	Without string // projects that have no ★
	Sub     string // month, schedule, newest data
}

// KeyGroup is 需要过问, 按计划推进 or 未到期.
type KeyGroup struct {
	ID, Title string
	Rows      []KeyRow
}

// KeyRow is a key indicator with its plain sentence.
type KeyRow struct {
	A      landmark.Assessment
	Say    string
	Bullet Bullet
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
		if a.Override != nil {
			row.Say += fmt.Sprintf("按规则为%s,市府办改判为%s:%s。", a.Computed.Chinese(), a.Light.Chinese(), a.Override.Reason)
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
	k.Lead = keyLead(b, len(trouble.Rows), len(fine.Rows), len(later.Rows))
	k.Without = withoutStar(b)
	return k
}

func keyLead(b landmark.Board, ask, fine, later int) string {
	text := fmt.Sprintf("截至%s底,%d 项★指标中 %d 项需要过问,%d 项按计划推进", b.Month.Short(), ask+fine+later, ask, fine)
	if later > 0 {
		text += fmt.Sprintf(",%d 项未到期、还没有数", later)
	}
	return text + "。"
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
