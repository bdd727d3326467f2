package view

import (
	"strings"

	"landmark/internal/landmark"
)

// UpkeepDepartment is a department in the list.
type UpkeepDepartment struct {
	landmark.Department
	Aliases []string
}

// NewUpkeepDepartmentsPage is GET /admin/departments and the answer to a refused
// form of it.
func NewUpkeepDepartmentsPage(page Page, r *landmark.Record, list []UpkeepDepartment, typed Typed) UpkeepPage {
	p := newUpkeep(page, "部门")
	p.Sub = "要签核的部门,填报以后先由负责人签核,再到市府办。"
	t := &UpkeepTable{Caption: "部门", Head: []string{"部门", "代码", "牵头", "也印作", "签核"}}
	for _, d := range list {
		var led []string
		for _, project := range r.Plan.Led(d.ID) {
			led = append(led, itoa(project.Number)+" "+project.Name)
		}
		sign := UpkeepCell{Text: "不要签核"}
		button := UpkeepForm{ID: "sign_off", Action: p.to("/admin/departments"), Submit: "改为要签核", Title: d.Name, Hidden: []pair{{"slug", d.Slug}, {"required", "1"}}}
		if d.SignOffRequired {
			sign.Text = "要签核"
			button.Submit, button.Hidden[1].Value = "改为不要签核", "0"
		}
		if len(led) > 0 {
			sign.Button = &button
		} else {
			sign.Text = "—"
		}
		t.Rows = append(t.Rows, UpkeepRow{Cells: []UpkeepCell{{Text: d.Name, Href: p.at("/departments/" + d.Slug)}, {Text: d.Slug}, {Text: dash(strings.Join(led, ";"))}, {Text: dash(strings.Join(d.Aliases, "、"))}, sign}})
	}
	form := typed.form(UpkeepForm{ID: "add", Action: p.to("/admin/departments"), Submit: "新增部门", Fields: []UpkeepField{
		{Name: "name", Label: "名称", Hint: "例如 文旅局,最多40字"},
		{Name: "slug", Label: "代码", Hint: "用在网址里:小写字母、数字和横线,例如 wenlv"},
		{Name: "collective", Label: "是统称(例如 各镇街道)", Kind: "check"},
		{Name: "sign_off", Label: "要负责人签核", Kind: "check"},
	}})
	all, aliases := make([]landmark.Department, len(list)), []Option{{Value: "", Text: "请选择"}}
	for i, d := range list {
		all[i] = d.Department
		for _, printed := range d.Aliases {
			aliases = append(aliases, Option{Value: printed, Text: printed + "(" + d.Name + ")"})
		}
	}
	names := []UpkeepForm{typed.form(UpkeepForm{ID: "alias", Action: p.to("/admin/departments"), Submit: "加别名", Fields: []UpkeepField{
		{Name: "department", Label: "部门", Kind: "select", Options: departmentOptions("请选择", all)},
		{Name: "printed", Label: "也印作", Hint: "总表里的另一种写法,例如 桐城委(桐城集团)"},
	}})}
	if len(aliases) > 1 {
		names = append(names, typed.form(UpkeepForm{ID: "unalias", Action: p.to("/admin/departments"), Title: "去掉别名", Submit: "去掉", Danger: true,
			Note:   "已经导入的方案不变。",
			Fields: []UpkeepField{{Name: "alias", Label: "去掉哪一个", Kind: "select", Options: aliases}}}))
	}
	p.Sections = []UpkeepSection{
		{ID: "departments", Title: "部门", Note: itoa(len(list)) + "个", Table: t},
		{ID: "add", Title: "新增部门", Forms: []UpkeepForm{form}},
		{ID: "alias", Title: "别名", Text: "导入总表时按名称或别名认部门;没有别名的写法会当成新部门。", Forms: names},
	}
	typed.shown(&p)
	return p
}
