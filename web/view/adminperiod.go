package view

import (
	"fmt"

	"landmark/internal/landmark"
)

// UpkeepPeriods is what the page of reporting dates is made from.
type UpkeepPeriods struct {
	Record *landmark.Record
	Edit   landmark.Month          // whose dates the form shows
	Past   []landmark.HistoryEntry // of dates and extensions, newest first
	Typed  Typed
}

// PeriodText is a month's calendar as a form brings it back, and as ParsePeriod
// reads it.
func PeriodText(p landmark.Period) string {
	return fmt.Sprintf("%s %s %s %s", p.Opens, p.Due, p.Grace, p.Lock)
}

// NewUpkeepPeriodsPage is GET /admin/periods and the answer to a refused form of
// it.
func NewUpkeepPeriodsPage(page Page, in UpkeepPeriods) UpkeepPage {
	r := in.Record
	p := newUpkeep(page, "报送日期")
	p.Sub = "截止日以后报的算迟报;宽限日以前谁都能报;锁定以后只能申请更正。"
	t := &UpkeepTable{Caption: "各月的报送日期", Head: []string{"月份", "开放", "截止", "宽限到", "锁定", "情况", "延期"}}
	for _, m := range r.Plan.Months() {
		v := r.Period(m)
		state := "按默认"
		if len(r.Periods[m]) > 0 {
			state = "调整过"
		}
		extended := ""
		for _, d := range r.Plan.LeadDepartments() {
			if due := r.DueFor(d.ID, m); due != v.Due {
				extended += d.Name + "到" + due.Short() + " "
			}
		}
		row := UpkeepRow{Cells: append([]UpkeepCell{{Text: m.Chinese(), Href: p.at("/admin/periods", "edit", m.String()) + "#period"}}, cells(v.Opens.Short(), v.Due.Short(), v.Grace.Short(), v.Lock.Short(), state, dash(extended))...)}
		t.Rows = append(t.Rows, row)
	}
	dates := r.Period(in.Edit)
	date := func(name, label, hint string, d landmark.Date) UpkeepField {
		return UpkeepField{Name: name, Label: label, Kind: "date", Value: d.String(), Hint: hint}
	}
	form := in.Typed.form(UpkeepForm{ID: "period", Action: p.to("/admin/periods"), Submit: "保存" + in.Edit.Short() + "的日期",
		Hidden: []pair{{"month", in.Edit.String()}, {"seen", PeriodText(dates)}},
		Fields: []UpkeepField{
			date("opens", "开放日", "这一天起可以填报", dates.Opens), date("due", "截止日", "当天算按时", dates.Due),
			date("grace", "宽限日", "算迟报,还能报", dates.Grace), date("lock", "锁定日", "以后只能更正", dates.Lock),
			{Name: "reason", Label: "理由", Kind: "area", Hint: "例如 国庆假期顺延,最多500字"},
		}})
	newest := page.Month
	extend := in.Typed.form(UpkeepForm{ID: "extension", Action: p.to("/admin/periods"), Submit: "延期", Fields: []UpkeepField{
		{Name: "department", Label: "部门", Kind: "select", Options: departmentOptions("请选择", r.Plan.LeadDepartments())},
		{Name: "month", Label: "月份", Kind: "select", Options: monthOptions(r.Plan.FirstMonth(), r.Plan.LastMonth()), Value: newest.String()},
		{Name: "due", Label: "延到哪一天", Kind: "date", Hint: "要晚于它现在的截止日"},
		{Name: "reason", Label: "理由", Kind: "area", Hint: "例如 部门系统升级,数据晚两天出"},
	}})
	p.Sections = []UpkeepSection{
		{ID: "months", Title: "各月", Note: "点月份修改", Table: t},
		{ID: "period", Title: in.Edit.Chinese() + "的日期", Forms: []UpkeepForm{form},
			Table: pastTable("日期的改动", "还没有改过日期。", r.Zone, in.Past, func(e landmark.HistoryEntry) bool { return e.Act == "period.set" && e.Month == in.Edit })},
		{ID: "extension", Title: "给一个部门延期", Forms: []UpkeepForm{extend}, Table: extensionTable(r, in.Past)},
	}
	in.Typed.shown(&p)
	return p
}

func extensionTable(r *landmark.Record, past []landmark.HistoryEntry) *UpkeepTable {
	t := pastTable("延期", "还没有给谁延期过。", r.Zone, past, acted("extension.grant"))
	t.Head[0] = "对象和日期"
	i := 0
	for _, e := range past {
		if e.Act == "extension.grant" {
			t.Rows[i].Cells[0].Text = e.Object + ":" + t.Rows[i].Cells[0].Text
			i++
		}
	}
	return t
}
