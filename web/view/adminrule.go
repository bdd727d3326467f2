package view

import (
	"fmt"

	"landmark/internal/landmark"
)

// UpkeepRules is what the page of light rules is made from.
type UpkeepRules struct {
	Record *landmark.Record
	Past   []landmark.HistoryEntry
	Typed  Typed
}

// NewUpkeepRulesPage is GET /admin/rules, and the answer to a rule that cannot be
// previewed.
func NewUpkeepRulesPage(page Page, in UpkeepRules) UpkeepPage {
	r := in.Record
	p := newUpkeep(page, "判定规则")
	p.Sub = "落后几个百分点算滞后、几个算严重滞后。规则从某个月起生效,以前各月不变。"
	t := &UpkeepTable{Caption: "现行规则", Head: []string{"生效", "容差", "红线", "怎么判"}}
	for i := len(r.Plan.Rules) - 1; i >= 0; i-- {
		v := r.Plan.Rules[i]
		t.Rows = append(t.Rows, UpkeepRow{Cells: cells(v.From.Chinese()+"起", itoa(v.Tolerance)+"点", itoa(v.RedLine)+"点",
			fmt.Sprintf("落后不超过%d点为正常,超过%d点为严重滞后", v.Tolerance, v.RedLine))})
	}
	now := r.Plan.Rule(page.Month)
	form := in.Typed.form(UpkeepForm{ID: "rule", Get: true, Action: "/admin/rules/preview", Submit: "预览", Note: "先看会改变哪些状态,再决定是不是采用。",
		Fields: []UpkeepField{
			{Name: "tolerance", Label: "容差(百分点)", Kind: "number", Value: itoa(now.Tolerance), Hint: "落后在容差以内为正常,0到99"},
			{Name: "red_line", Label: "红线(百分点)", Kind: "number", Value: itoa(now.RedLine), Hint: "落后超过红线为严重滞后,最多100"},
			{Name: "from", Label: "从哪个月起", Kind: "select", Options: monthOptions(r.Plan.FirstMonth(), r.Plan.LastMonth()), Value: max(effect(r), r.Plan.FirstMonth()).String()},
		}})
	form.Hidden = []pair{{"plan", r.Plan.Slug}}
	p.Sections = []UpkeepSection{
		{ID: "rules", Title: "规则", Table: t},
		{ID: "rule", Title: "调整规则", Forms: []UpkeepForm{form}, Table: pastTable("规则的改动", "导入方案以后没有改过。", r.Zone, in.Past, acted("rule.set"))},
	}
	in.Typed.shown(&p)
	return p
}

// UpkeepPreview is what the preview of a rule is made from.
type UpkeepPreview struct {
	Record  *landmark.Record
	Rule    landmark.LightRule
	Changes []landmark.LightChange
	Issued  map[landmark.Month]bool // whose bulletin has gone out
	Typed   Typed
}

// NewUpkeepPreviewPage is GET /admin/rules/preview, and the answer to a rule that
// was not adopted.
func NewUpkeepPreviewPage(page Page, in UpkeepPreview) UpkeepPage {
	p := newUpkeep(page, "预览判定规则")
	p.Crumbs = append(p.Crumbs, Link{"判定规则", p.at("/admin/rules")})
	old := in.Record.Plan.Rule(in.Rule.From)
	p.Sub = fmt.Sprintf("%s起容差%d点、红线%d点,原来是容差%d点、红线%d点。", in.Rule.From.Chinese(), in.Rule.Tolerance, in.Rule.RedLine, old.Tolerance, old.RedLine)
	t := &UpkeepTable{Caption: "会改变的状态", Head: []string{"指标", "月份", "现在", "改成", "牵头单位"}, Empty: "没有一个状态会改变。"}
	issued := 0
	for _, c := range in.Changes {
		month := UpkeepCell{Text: c.Month.Chinese()}
		if in.Issued[c.Month] {
			month.Sub = "通报已印发"
			issued++
		}
		t.Rows = append(t.Rows, UpkeepRow{Cells: []UpkeepCell{{Star: c.Indicator.Key, Text: c.Indicator.Code + " " + c.Indicator.Name, Href: p.at("/indicators/"+c.Indicator.Code, "month", c.Month.String())},
			month, {Light: &c.From}, {Light: &c.To}, {Text: c.Indicator.Project.Lead.Name}}})
	}
	note := "采用以后各页立即按新规则判定。"
	if issued > 0 {
		note += fmt.Sprintf("其中%d个在通报已经印发的月份,通报的文字不变,页面上的状态会变。", issued)
	}
	form := in.Typed.form(UpkeepForm{ID: "adopt", Action: p.to("/admin/rules"), Submit: "采用这个规则", Note: note,
		Hidden: []pair{{"from", in.Rule.From.String()}, {"tolerance", itoa(in.Rule.Tolerance)}, {"red_line", itoa(in.Rule.RedLine)}, {"expected", itoa(len(in.Changes))}},
		Fields: []UpkeepField{{Name: "reason", Label: "理由", Kind: "area", Hint: "为什么调整,最多500字"}}})
	p.Sections = []UpkeepSection{
		{ID: "changes", Title: "会改变的状态", Note: fmt.Sprintf("%d个", len(in.Changes)), Table: t},
		{ID: "adopt", Title: "采用", Forms: []UpkeepForm{form}},
	}
	in.Typed.shown(&p)
	return p
}
