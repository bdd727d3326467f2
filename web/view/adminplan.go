package view

import (
	"strings"

	"landmark/internal/landmark"
)

// UpkeepPlan is a plan in the list.
type UpkeepPlan struct {
	Slug, Title          string
	Year                 int
	Projects, Indicators int
	Demo                 bool
}

// NewUpkeepPlansPage is GET /admin/plans and the answer to a copy that was
// refused.
func NewUpkeepPlansPage(page Page, r *landmark.Record, plans []UpkeepPlan, typed Typed) UpkeepPage {
	p := newUpkeep(page, "年度方案")
	p.Sub = "每年一个方案。新方案可以从上一年的复制,再逐项调整目标、确认性质。"
	t := &UpkeepTable{Caption: "年度方案", Head: []string{"方案", "代号", "年度", "项目", "指标", "数据"}}
	for _, v := range plans {
		demo := UpkeepCell{Text: "正式"}
		if v.Demo {
			demo.Text = "演示数据"
		}
		t.Rows = append(t.Rows, UpkeepRow{Cells: []UpkeepCell{{Text: v.Title, Href: p.link("/admin", nil, []string{"plan", v.Slug})}, {Text: v.Slug}, {Text: itoa(v.Year)}, {Text: itoa(v.Projects)}, {Text: itoa(v.Indicators)}, demo}})
	}
	year, next := itoa(r.Plan.Year), itoa(r.Plan.Year+1)
	form := typed.form(UpkeepForm{ID: "copy", Action: p.to("/admin/plans"), Submit: "复制成" + next + "年方案",
		Note: "项目、任务、场景、部门和指标性质照搬;上年实际取" + year + "年12月的核定值,没有核定的留空;目标先照旧,再按新方案逐项调整;性质要重新确认。复制以后各页默认显示新方案,旧方案仍可选择查看。",
		Fields: []UpkeepField{
			{Name: "title", Label: "标题", Value: strings.ReplaceAll(r.Plan.Title, year, next), Hint: "最多100字"},
			{Name: "slug", Label: "代号", Value: strings.ReplaceAll(r.Plan.Slug, year, next), Hint: "用在网址里:小写字母、数字和横线"},
			{Name: "published", Label: "公布日期", Kind: "date", Hint: next + "年内;这个月起要报送"},
		}})
	p.Sections = []UpkeepSection{
		{ID: "plans", Title: "方案", Note: itoa(len(plans)) + "个", Table: t},
		{ID: "copy", Title: "复制" + r.Plan.Title, Forms: []UpkeepForm{form}},
	}
	typed.shown(&p)
	return p
}
