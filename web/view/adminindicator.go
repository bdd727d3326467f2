package view

import (
	"fmt"
	"strings"

	"landmark/internal/landmark"
)

// NewUpkeepIndicatorsPage is GET /admin/indicators: what the office says of each
// indicator. It takes kind, state and department in its address.
func NewUpkeepIndicatorsPage(page Page, r *landmark.Record) UpkeepPage {
	p := newUpkeep(page, "指标")
	p.Sub = "性质由人填写、由牵头单位确认,不从数字猜。点编号进去修改。"
	kind, state, department := page.Query.Get("kind"), page.Query.Get("state"), page.Query.Get("department")
	kinds := append(kindOptions("全部性质"), Option{Value: "unknown", Text: landmark.KindUnknown.Chinese()})
	states := []Option{{Value: "", Text: "全部"}, {Value: "open", Text: "待确认"}, {Value: "confirmed", Text: "已确认"}, {Value: "revised", Text: "调过目标"}, {Value: "curve", Text: "有计划曲线"}, {Value: "override", Text: "改判中"}}
	f := Typed{}.form(UpkeepForm{ID: "f", Fields: []UpkeepField{
		{Name: "kind", Label: "性质", Kind: "select", Options: kinds, Value: kind},
		{Name: "state", Label: "情况", Kind: "select", Options: states, Value: state},
		{Name: "department", Label: "牵头单位", Kind: "select", Options: departmentOptions("全部单位", r.Plan.LeadDepartments()), Value: department},
	}})
	p.Filters = &UpkeepFilters{What: "指标", Fields: f.Fields}
	if kind+state+department != "" {
		p.Filters.All = p.at("/admin/indicators")
	}
	t := &UpkeepTable{Caption: "指标", Head: []string{"指标", "牵头单位", "性质", "方向", "单位", "报送频次", "目标", "计划曲线", "确认"}, Empty: "没有符合条件的指标。"}
	for _, ind := range r.Plan.Indicators() {
		target, curve := ind.TargetIn(page.Month), ind.CurveIn(page.Month)
		overridden := r.Assess(ind, page.Month).Override != nil
		switch {
		case kind == "unknown" && ind.Kind != landmark.KindUnknown, kind != "" && kind != "unknown" && string(ind.Kind) != kind,
			department != "" && ind.Project.Lead.Slug != department,
			state == "open" && ind.Confirmed, state == "confirmed" && !ind.Confirmed, state == "revised" && len(ind.Targets) < 2,
			state == "curve" && len(curve.Points) == 0, state == "override" && !overridden:
			continue
		}
		name := UpkeepCell{Star: ind.Key, Text: ind.Code + " " + ind.Name, Href: p.at("/admin/indicators/" + ind.Code)}
		goal := UpkeepCell{Text: target.Text}
		if target.Basis != "" {
			goal.Sub = target.From.Chinese() + "起," + target.Basis
		}
		planned := "按月均匀"
		if len(curve.Points) > 0 {
			planned = fmt.Sprintf("%d个月有计划值", len(curve.Points))
		} else if ind.Kind == landmark.Hold || ind.Kind == landmark.Qualitative || ind.Kind == landmark.KindUnknown {
			planned = "—"
		}
		confirmed := UpkeepCell{Text: "已确认"}
		switch {
		case ind.Kind == landmark.KindUnknown:
			confirmed = UpkeepCell{Flag: "性质待定"}
		case !ind.Confirmed:
			confirmed = UpkeepCell{Flag: "待确认"}
		}
		if overridden {
			confirmed.Sub = "改判中"
		}
		t.Rows = append(t.Rows, UpkeepRow{Cells: []UpkeepCell{name, {Text: ind.Project.Lead.Name}, {Text: ind.Kind.Chinese()}, {Text: directionText(ind)}, {Text: dash(ind.Unit)},
			{Text: ind.Measured.Chinese()}, goal, {Text: planned}, confirmed}})
	}
	p.Sections = []UpkeepSection{{ID: "list", Title: "指标", Note: fmt.Sprintf("%d项", len(t.Rows)), Table: t}}
	return p
}

func directionText(ind *landmark.Indicator) string {
	if ind.Kind == landmark.Qualitative {
		return "—"
	}
	return ind.Direction.Chinese()
}

func dash(s string) string {
	if s == "" {
		return "—"
	}
	return s
}

// maxSteps is how many steps the form of a qualitative indicator has room for.
const maxSteps = 8

// UpkeepIndicator is what an indicator's upkeep page is made from.
type UpkeepIndicator struct {
	Record    *landmark.Record
	Indicator *landmark.Indicator
	Mark      string                  // goes along with each form, see planning.Mark
	Past      []landmark.HistoryEntry // of the indicator, newest first
	Typed     Typed
}

// NewUpkeepIndicatorPage is GET /admin/indicators/{code} and the answer to a
// refused form of it.
func NewUpkeepIndicatorPage(page Page, in UpkeepIndicator) UpkeepPage {
	r, ind := in.Record, in.Indicator
	p := newUpkeep(page, ind.Code+" "+ind.Name)
	p.Sub = fmt.Sprintf("%d %s · 牵头 %s", ind.Project.Number, ind.Project.Name, ind.Project.Lead.Name)
	p.Crumbs = append(p.Crumbs, Link{"指标", p.at("/admin/indicators")})
	p.Links = []Link{{"指标页", p.at("/indicators/" + ind.Code)}, {"变更记录", p.at("/history", "indicator", ind.Code)}}
	confirmed := "还没有确认"
	if ind.Confirmed {
		confirmed = "已确认"
	}
	target := ind.TargetIn(page.Month)
	p.Facts = []Fact{{Term: "性质", Text: ind.Kind.Chinese()}, {Term: "确认", Text: confirmed}, {Term: "方向", Text: directionText(ind)}, {Term: "单位", Text: dash(ind.Unit)},
		{Term: "报送", Text: ind.Measured.Chinese()}, {Term: "上年实际", Text: ind.BaselineText}, {Term: "目标", Text: target.Text}}

	action := p.to("/admin/indicators/" + ind.Code)
	form := func(f UpkeepForm) []UpkeepForm {
		f.Action = action
		f.Hidden = append(f.Hidden, pair{"seen", in.Mark})
		return []UpkeepForm{in.Typed.form(f)}
	}
	first, last := landmark.MonthOf(r.Plan.Year, 1), r.Plan.LastMonth()
	from := func(hint string) UpkeepField {
		return UpkeepField{Name: "from", Label: "从哪个月起", Kind: "select", Options: monthOptions(first, last), Value: effect(r).String(), Hint: hint}
	}
	p.Sections = []UpkeepSection{
		{ID: "nature", Title: "指标性质", Jump: true, Forms: form(natureForm(ind)),
			Table: pastTable("性质的改动", "导入方案以后没有改过。", r.Zone, in.Past, acted("indicator.nature"))},
		{ID: "target", Title: "目标调整", Jump: true, Forms: form(targetForm(ind, from)), Table: targetTable(r, ind)},
	}
	if ind.Kind == landmark.Flow || ind.Kind == landmark.Cumulative || ind.Kind == landmark.Level {
		p.Sections = append(p.Sections, UpkeepSection{ID: "curve", Title: "计划曲线", Jump: true, Forms: form(curveForm(r, ind, from)), Table: curveTable(r, ind)})
	}
	p.Sections = append(p.Sections,
		UpkeepSection{ID: "definition", Title: "口径", Jump: true, Table: definitionTable(r, ind), Forms: form(UpkeepForm{ID: "definition", Submit: "保存口径", Fields: []UpkeepField{
			{Name: "definition", Label: "统计口径", Kind: "area", Value: ind.DefinitionIn(last).Text, Hint: "统计什么、不统计什么、数据从哪里来,最多4000字"},
			from("以前各月仍按原来的口径显示"),
		}})})
	owed, until := r.Plan.FirstMonth(), page.Month
	lights := []Option{{Value: "", Text: "请选择"}}
	for _, l := range []landmark.Light{landmark.OnTrack, landmark.Behind, landmark.Critical, landmark.Done} {
		lights = append(lights, Option{Value: string(l), Text: l.Chinese()})
	}
	override := UpkeepSection{ID: "override", Title: "改判", Jump: true, Table: overrideTable(r, ind), Forms: form(UpkeepForm{ID: "override", Submit: "改判", Note: "系统算出的状态仍显示在旁边。到期以后自动恢复。", Fields: []UpkeepField{
		{Name: "light", Label: "改判为", Kind: "select", Options: lights},
		{Name: "from", Label: "从哪个月", Kind: "select", Options: monthOptions(owed, last), Value: until.String()},
		{Name: "until", Label: "到哪个月为止", Kind: "select", Options: monthOptions(owed, last), Value: until.String()},
		{Name: "reason", Label: "理由", Kind: "area", Hint: "会和状态一起显示给所有人,最多500字"},
	}})}
	active := []Option{{Value: "", Text: "请选择"}}
	for _, o := range r.Overrides[ind.ID] {
		if !o.Withdrawn {
			active = append(active, Option{Value: i64(o.ID), Text: span(o) + " " + o.Light.Chinese()})
		}
	}
	if len(active) > 1 {
		override.Forms = append(override.Forms, form(UpkeepForm{ID: "withdraw", Title: "撤销改判", Submit: "撤销", Danger: true, Fields: []UpkeepField{
			{Name: "override", Label: "撤销哪一条", Kind: "select", Options: active},
			{Name: "reason", Label: "撤销的理由", Optional: true},
		}})...)
	}
	p.Sections = append(p.Sections, override)
	in.Typed.shown(&p)
	return p
}

// effect is the month a change is most likely meant to take effect: the one that
// is running, as far as the plan's year has it.
func effect(r *landmark.Record) landmark.Month {
	return min(max(r.Today().InMonth(), landmark.MonthOf(r.Plan.Year, 1)), r.Plan.LastMonth())
}

func span(o landmark.Override) string {
	if o.From == o.Until {
		return o.From.Chinese()
	}
	return o.From.Chinese() + "至" + o.Until.Chinese()
}

func natureForm(ind *landmark.Indicator) UpkeepForm {
	confirmed := ""
	if ind.Confirmed {
		confirmed = "1"
	}
	f := UpkeepForm{ID: "nature", Submit: "保存性质", Note: "性质对这个方案的所有月份有效,改后各月的状态重新判定。", Fields: []UpkeepField{
		{Name: "kind", Label: "性质", Kind: "select", Options: kindOptions("请选择"), Value: string(ind.Kind), Hint: "当年累计从1月1日起算;历年累计含往年;时点水平和保持是月末那天的数;定性按步骤"},
		{Name: "direction", Label: "方向", Kind: "select", Options: []Option{{Value: string(landmark.Up), Text: landmark.Up.Chinese()}, {Value: string(landmark.Down), Text: landmark.Down.Chinese()}}, Value: string(ind.Direction)},
		{Name: "unit", Label: "计量单位", Value: ind.Unit, Hint: "例如 个、万人次、%", Optional: true},
		{Name: "decimals", Label: "小数位数", Kind: "number", Value: itoa(ind.Decimals), Hint: "0到6"},
		{Name: "measured", Label: "报送频次", Kind: "select", Options: frequencyOptions(), Value: string(ind.Measured)},
	}}
	meanings := []Option{{Value: string(landmark.Behind), Text: "算滞后"}, {Value: string(landmark.OnTrack), Text: "算正常"}, {Value: string(landmark.Done), Text: "算已完成"}}
	for i := range maxSteps {
		step, meaning := "", string(landmark.OnTrack)
		if i < len(ind.Steps) {
			step, meaning = ind.Steps[i].Name, string(ind.Steps[i].Meaning)
		}
		n := itoa(i + 1)
		f.Fields = append(f.Fields,
			UpkeepField{Name: "step[" + n + "]", Label: "步骤" + n, Value: step, Narrow: true, Optional: true},
			UpkeepField{Name: "meaning[" + n + "]", Label: "步骤" + n + "的含义", Kind: "select", Options: clone(meanings), Value: meaning, Narrow: true})
	}
	f.Fields = append(f.Fields,
		UpkeepField{Name: "confirmed", Label: "牵头单位已确认", Kind: "check", Value: confirmed},
		UpkeepField{Name: "reason", Label: "理由", Kind: "area", Hint: "谁确认的、依据什么,最多500字", Optional: true})
	return f
}

func clone(o []Option) []Option { return append([]Option(nil), o...) }

func targetForm(ind *landmark.Indicator, from func(string) UpkeepField) UpkeepForm {
	hint := "写文件里的数,例如 25.5"
	target := UpkeepField{Name: "target", Label: "新的目标值", Hint: hint}
	if ind.Kind == landmark.Qualitative {
		target.Kind, target.Hint, target.Options = "select", "", []Option{{Value: "", Text: "请选择步骤"}}
		for _, s := range ind.Steps {
			target.Options = append(target.Options, Option{Value: s.Name, Text: s.Name})
		}
	} else if ind.Unit != "" {
		target.Label += "(" + ind.Unit + ")"
	}
	return UpkeepForm{ID: "target", Submit: "调整目标", Note: "生效以前各月仍按原目标判定。", Fields: []UpkeepField{
		target, from("这个月起按新目标判定"),
		{Name: "basis", Label: "依据文号", Hint: "例如 桐政办发〔2023〕12号"},
		{Name: "basis_on", Label: "文件日期", Kind: "date", Hint: "例如 2023-08-20"},
	}}
}

func targetTable(r *landmark.Record, ind *landmark.Indicator) *UpkeepTable {
	t := &UpkeepTable{Caption: "目标的各个版本", Head: []string{"生效", "目标", "依据", "谁,何时"}}
	for i := len(ind.Targets) - 1; i >= 0; i-- {
		v := ind.Targets[i]
		basis := UpkeepCell{Text: "年度方案"}
		if v.Basis != "" {
			basis = UpkeepCell{Text: v.Basis, Sub: v.BasisOn.Chinese()}
		}
		t.Rows = append(t.Rows, UpkeepRow{Cells: []UpkeepCell{{Text: v.From.Chinese() + "起"}, {Text: v.Text}, basis, by(r.Zone, v.RecordedBy, v.RecordedAt)}})
	}
	return t
}

func curveForm(r *landmark.Record, ind *landmark.Indicator, from func(string) UpkeepField) UpkeepForm {
	f := UpkeepForm{ID: "curve", Submit: "保存计划曲线", Note: "全部留空就回到按月均匀推进。没有填的月份沿用前一个计划值。"}
	now := ind.CurveIn(r.Plan.LastMonth())
	for m := landmark.MonthOf(r.Plan.Year, 1); m <= r.Plan.LastMonth(); m++ {
		field := UpkeepField{Name: "point[" + m.String() + "]", Label: m.Short() + "底", Kind: "number", Narrow: true, Optional: true}
		for _, point := range now.Points {
			if point.Month == m {
				field.Value = landmark.Entered(point.Amount)
			}
		}
		f.Fields = append(f.Fields, field)
	}
	f.Fields = append(f.Fields, from("以前各月仍按原来的计划判定"), UpkeepField{Name: "basis", Label: "依据", Hint: "例如 年度工作计划", Optional: true})
	return f
}

func curveTable(r *landmark.Record, ind *landmark.Indicator) *UpkeepTable {
	t := &UpkeepTable{Caption: "计划曲线的各个版本", Head: []string{"生效", "计划值", "依据", "谁,何时"}, Empty: "没有计划曲线,按月均匀推进。"}
	for i := len(ind.Curves) - 1; i >= 0; i-- {
		c := ind.Curves[i]
		var points []string
		for _, point := range c.Points {
			points = append(points, point.Month.Short()+" "+landmark.Entered(point.Amount))
		}
		if len(points) == 0 {
			points = []string{"按月均匀"}
		}
		t.Rows = append(t.Rows, UpkeepRow{Cells: []UpkeepCell{{Text: c.From.Chinese() + "起"}, {Text: strings.Join(points, ";")}, {Text: dash(c.Basis)}, by(r.Zone, c.RecordedBy, c.RecordedAt)}})
	}
	return t
}

func definitionTable(r *landmark.Record, ind *landmark.Indicator) *UpkeepTable {
	t := &UpkeepTable{Caption: "口径的各个版本", Head: []string{"生效", "口径", "谁,何时"}, Empty: "还没有写口径。"}
	for i := len(ind.Definitions) - 1; i >= 0; i-- {
		d := ind.Definitions[i]
		t.Rows = append(t.Rows, UpkeepRow{Cells: []UpkeepCell{{Text: d.From.Chinese() + "起"}, {Text: d.Text}, by(r.Zone, d.RecordedBy, d.RecordedAt)}})
	}
	return t
}

func overrideTable(r *landmark.Record, ind *landmark.Indicator) *UpkeepTable {
	t := &UpkeepTable{Caption: "改判", Head: []string{"月份", "改判为", "系统判定", "理由", "谁,何时"}, Empty: "没有改判过。"}
	list := r.Overrides[ind.ID]
	for i := len(list) - 1; i >= 0; i-- {
		o := list[i]
		state := UpkeepCell{Light: &o.Light}
		if o.Withdrawn {
			state.Sub = "已撤销"
		}
		computed := r.Assess(ind, o.From).Computed
		t.Rows = append(t.Rows, UpkeepRow{Dim: o.Withdrawn, Cells: []UpkeepCell{{Text: span(o)}, state, {Light: &computed}, {Text: o.Reason}, by(r.Zone, o.RecordedBy, o.RecordedAt)}})
	}
	return t
}
