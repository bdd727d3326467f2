package view

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"landmark/internal/landmark"
)

// The made-up plan of these tests: ten projects and thirty indicators shaped like
// a real table, with reports from May on in which every light occurs.

var shanghai = time.FixedZone("CST", 8*3600)

func num(s string) decimal.NullDecimal {
	if s == "" {
		return decimal.NullDecimal{}
	}
	return decimal.NewNullDecimal(decimal.RequireFromString(s))
}

type madeIndicator struct {
	printed, name  string
	key            bool
	kind           landmark.Kind
	unit           string
	decimals       int
	measured       landmark.Frequency
	base, baseText string
	goal, goalText string
	values         string // May to September, blanks for missing months
}

const (
	mo, ev, qu, an = landmark.Monthly, landmark.OnEvent, landmark.Quarterly, landmark.Annual
)

var madeProjects = []struct {
	name, slug, lead string
	tasks            string
	scenarios        string
	indicators       []madeIndicator
}{
	{"桐享 优育", "weijian", "卫健局", "1.倡导新型婚育文化,全面宣传“桐享优育”工作成效;2.争取出台家庭育儿支持政策;3.推进儿童健康指导中心建设。", "儿童健康指导中心", []madeIndicator{
		{"★每千人托位数", "每千人托位数", true, landmark.Level, "个/千人", 2, qu, "3.21", "3.21", "3.8", "3.8", "_ 3.5 _ _ 3.66"},
		{"★人口出生率", "人口出生率", true, landmark.Qualitative, "‰", 2, an, "5.48", "5.48‰", "", "降幅趋缓", "_ _ _ _ _"},
	}},
	{"桐享 优学", "jiaoyu", "教育局", "1.完成春澜(暂名)幼儿园新建工程等3个项目;2.新增学位4590个;3.继续推进心理健康示范校创建活动。4.培育“新优质学校”3所。", "桐乡北港小学", []madeIndicator{
		{"持续新增学位(个)", "持续新增学位", false, landmark.Flow, "个", 0, ev, "7320", "7320", "4590", "4590", "0 0 0 0 3690"},
		{"新增心理健康示范学校(所)", "新增心理健康示范学校", false, landmark.Flow, "所", 0, ev, "6", "6", "10", "10", "2 3 4 4 6"},
		{"培育“新优质学校”(所)", "培育嘉兴市义务教育“新优质学校”", false, landmark.Flow, "所", 0, ev, "3", "3", "3", "3", "0 1 1 2 3"},
	}},
	{"桐享 健康", "weijian", "卫健局", "1.开展结直肠癌筛查;2.开展流感疫苗免费接种服务;3.保障重点药品和设备供给。", "第一人民医院CCU中心", []madeIndicator{
		{"结直肠癌筛查(人)", "结直肠癌筛查", false, landmark.Flow, "人", 0, mo, "41152", "41152", "20000", "20000", "9100 12000 15011 _ 21864"},
		{"流感疫苗接种(万人)", "流感疫苗接种", false, landmark.Flow, "万人", 2, mo, "2", "2", "2", "2", "0 0 0.1 0.3 0.62"},
		{"新冠疫情重点药品和重点抢救设备供给", "新冠疫情重点药品和重点抢救设备供给", false, landmark.Qualitative, "", 0, mo, "", "/", "", "到位", "推进中 推进中 推进中 基本到位 基本到位"},
	}},
	{"桐享 康养", "minzheng", "民政局", "1.完善“互联网+”养老上门服务点单、结算、评价功能,对接“96345”实现24小时在线服务,配备应急智能救援照护设备,为重点人群提供个性化照护服务。依托数字化手段,全面落实居家社区探访制度,特殊困难老年人每月至少探访一次;2.推进全域化。出台基本养老服务清单,深化“机构跟着老人走”行动。加快形成智慧养老的新模式,提高养老服务效能。3.推进品牌化。优化“e桐养”智慧养老服务平台。编制地方标准,打造示范性社区老年食堂。", "老年食堂2号店", []madeIndicator{
		{"★每万名老人拥有持证护理员(人)", "每万名老人拥有持证护理员", true, landmark.Level, "人/万名老人", 2, mo, "25", "25", "25.5", "25.5", "25.17 25.22 25.25 25.28 25.31"},
		{"助餐配送餐村(社区)覆盖人次(万人)", "助餐配送餐村(社区)覆盖人次", false, landmark.Flow, "万人次", 1, mo, "42", "42", "46.5", "46.5", "18.9 23 27.5 31.8 36.2"},
		{"新增示范性社区老年食堂(个)", "新增示范性社区老年食堂", false, landmark.Flow, "个", 0, ev, "1", "1", "2", "2", "0 1 1 1 2"},
		{"实现高龄津贴发放(元)", "实现高龄津贴发放", false, landmark.Level, "元/人·月", 0, ev, "50", "50", "60", "60", "50 50 60 60 60"},
	}},
	{"强村 富民", "nongye", "农业农村局", "迭代升级“飞地抱团”,推动“共富体”建设,创新村庄经营增收模式。", "数字时尚星城", []madeIndicator{
		{"集体经济年收入30万元以上行政村占比(%)", "集体经济年收入30万元以上且经营性收入15万元以上行政村占比", false, landmark.Hold, "%", 2, an, "100", "100", "100", "100", "_ _ _ _ _"},
		{"集体经济年经营性收入50万元以上行政村占比(%)", "集体经济年经营性收入50万元以上行政村占比", false, landmark.Hold, "%", 2, mo, "100", "100", "100", "100", "100 100 99 100 98.5"},
	}},
	{"共同富裕现代化基本单元", "jianshe", "建设局", "1.推进未来社区全域落地;2.推进城乡风貌整治提升;3.提高场景覆盖面;4.公园绿地服务半径覆盖率达到87.6%;5.筹集保障性租赁住房5600套(间)。", "庆丰未来社区睦邻站|杨家门未来社区邻里中心", []madeIndicator{
		{"★未来社区建成数量(个)", "未来社区建成数量", true, landmark.Cumulative, "个", 0, ev, "0", "0", "3", "3", "0 0 1 1 2"},
		{"★城乡风貌样板区建成数量(个)", "城乡风貌样板区建成数量", true, landmark.Flow, "个", 0, ev, "1", "1", "2", "2", "0 0 0 0 0"},
		{"★城乡社区“一老一小”服务场景建成数量(个)", "城乡社区“一老一小”服务场景建成数量", true, landmark.Flow, "个", 0, ev, "8", "8", "10", "10", "3 5 7 9 10"},
		{"县级以上城市公园绿地服务半径覆盖率(%)", "县级以上城市公园绿地服务半径覆盖率", false, landmark.Level, "%", 2, an, "85.71", "85.71", "87.6", "87.6", "_ _ _ _ _"},
		{"保障性租赁住房供给筹集套数", "保障性租赁住房供给筹集套数", false, landmark.Flow, "套(间)", 0, mo, "10428", "10428", "5600", "5600", "1800 2500 3300 3900 4310"},
	}},
	{"高校毕业生高质量就业创业服务体系", "renshe", "人社局", "1.制定“就业灯塔企业”标准;2.统一赋予“学子码”;3.建立见习(实践)基地。", "华友钴业、巨石集团等高校毕业生就业灯塔企业|桐乡产教融合学院", []madeIndicator{
		{"累计评定高校毕业生就业灯塔企业数(家)", "累计评定高校毕业生就业灯塔企业数", false, landmark.Cumulative, "家", 0, ev, "10", "10", "50", "50", "18 20 25 31 _"},
		{"桐乡籍大学生“学子码”覆盖率(%)", "桐乡籍大学生“学子码”覆盖率", false, landmark.Level, "%", 2, mo, "20", "20", "50", "50", "26 30 34 38 _"},
		{"累计建立大学生就业见习(实践)基地(个)", "累计建立大学生就业见习(实践)基地", false, landmark.Cumulative, "个", 0, mo, "75", "75", "80", "80", "76 77 78 79 _"},
	}},
	{"浙江有礼·风雅桐行", "xuanchuan", "宣传部", "1.推进五大基本路径建设;2.统筹推进“三大创建”;3.形成“一镇一品”的桐乡模式。", "桃园村新时代文明实践站", []madeIndicator{
		{"★全域文明创建推进度(%)", "全域文明创建推进度", true, landmark.Flow, "%", 1, mo, "100", "100", "100", "100", "40 50 60 68 78"},
		{"★文明好习惯养成率(%)", "文明好习惯养成率", true, landmark.Level, "%", 2, an, "83", "83", "87", "87", "_ _ _ _ _"},
		{"有礼示范单元建设(个)", "有礼示范单元建设", false, landmark.Flow, "个", 0, mo, "", "/", "100", "100", "30 41 55 63 76"},
	}},
	{"桐享 社区", "minzheng", "民政局", "1.制定社区规划;2.出台建设实施方案;3.开展评定工作。", "濮院油车桥村|梧桐振东社区", []madeIndicator{
		{"评选一批具有示范性的四星级、五星级社区服务综合体", "评选一批具有示范性的四星级、五星级社区服务综合体", false, landmark.Flow, "个", 0, ev, "5", "5", "30", "30", "5 9 13 18 21"},
		{"打造市级标杆性示范点", "打造市级标杆性示范点", false, landmark.KindUnknown, "个", 0, ev, "1", "1", "5", "5", "0 1 1 2 2"},
		{"评选星级社区服务综合体(个)", "评选星级社区服务综合体", false, landmark.Flow, "个", 0, ev, "10", "10", "110", "110", "20 35 48 55 66"},
	}},
	{"交通强市", "jiaotong", "交通运输局", "实施综合交通十大工程,建设人民满意交通新标杆。|1.轨道交通网络化。2.高速公路全域化。3.干线公路快速化。", "斜百线百富段", []madeIndicator{
		{"★城乡公交一体化率", "城乡公交一体化率", true, landmark.Hold, "%", 2, an, "100", "100%", "100", "100%", "_ _ _ _ _"},
		{"农村公路优良中等路率", "农村公路优良中等路率", false, landmark.Level, "%", 2, an, "82.80", "82.80%", "85", "85%", "_ _ _ _ _"},
	}},
}

// madePlan is the plan alone, as it stands when nothing was reported.
func madePlan() *landmark.Plan {
	plan := &landmark.Plan{
		ID: 1, Slug: "tongxiang-2023", Title: "桐乡市2023年共同富裕十大标志性成果", City: "桐乡市", Year: 2023, BaselineYear: 2022,
		Published: landmark.Date{Year: 2023, Month: 5, Day: 31}, Demo: true,
		Columns: []string{"序号", "标志性成果", "牵头单位", "指标名称", "2022年实际值", "2023年目标值", "重点任务", "拟打造的重点场景", "配合单位"},
	}
	plan.Rules = []landmark.LightRule{landmark.DefaultRule(plan.FirstMonth())}
	leads := map[string]int64{}
	id := int64(0)
	next := func() int64 { id++; return id }
	for i, made := range madeProjects {
		if leads[made.slug] == 0 {
			leads[made.slug] = int64(len(leads) + 1)
		}
		p := &landmark.Project{
			ID: next(), Number: i + 1, Name: made.name,
			Lead:      landmark.Department{ID: leads[made.slug], Slug: made.slug, Name: made.lead},
			TasksText: strings.ReplaceAll(made.tasks, "|", ""), ScenariosText: strings.ReplaceAll(made.scenarios, "|", "、"),
			CooperatingText: "财政局、各镇街道",
			Cooperating: []landmark.Cooperation{
				{Department: landmark.Department{ID: 101, Slug: "caizheng", Name: "财政局"}, Printed: "财政局"},
				{Department: landmark.Department{ID: 102, Slug: "zhenjie", Name: "各镇街道", Collective: true}, Printed: "各镇街道"},
			},
		}
		sentence, rest, led := strings.Cut(made.tasks, "|")
		if led {
			p.Tasks = append(p.Tasks, landmark.Task{ID: next(), Code: fmt.Sprintf("%d-0", i+1), Text: sentence, Lead: true})
		} else {
			rest = made.tasks
		}
		number := 0
		for rest != "" {
			cut := len(rest)
			if k := strings.Index(rest, fmt.Sprintf("%d.", number+2)); k > 0 {
				cut = k
			}
			number++
			printed := number
			if !strings.HasPrefix(rest, "1.") && number == 1 {
				printed = 0
			}
			p.Tasks = append(p.Tasks, landmark.Task{ID: next(), Number: printed, Code: fmt.Sprintf("%d-%d", i+1, number), Text: rest[:cut]})
			rest = rest[cut:]
		}
		for k, name := range strings.Split(made.scenarios, "|") {
			p.Scenarios = append(p.Scenarios, landmark.Scenario{ID: next(), Code: fmt.Sprintf("%d-%d", i+1, k+1), Name: name})
		}
		for k, in := range made.indicators {
			ind := &landmark.Indicator{
				ID: next(), Project: p, Code: fmt.Sprintf("%d.%d", i+1, k+1), Position: k + 1, Printed: in.printed, Name: in.name, Key: in.key,
				Kind: in.kind, Direction: landmark.Up, Unit: in.unit, Decimals: in.decimals, Measured: in.measured,
				Confirmed: k == 0, BaselineText: in.baseText, Baseline: num(in.base),
				Targets: []landmark.Target{{From: landmark.MonthOf(2023, 1), Amount: num(in.goal), Text: in.goalText}},
			}
			if in.kind == landmark.Qualitative {
				ind.Steps = []landmark.Step{{Name: "未启动", Meaning: landmark.Behind}, {Name: "推进中", Meaning: landmark.Behind}, {Name: "基本到位", Meaning: landmark.OnTrack}, {Name: in.goalText, Meaning: landmark.Done}}
			}
			p.Indicators = append(p.Indicators, ind)
		}
		plan.Projects = append(plan.Projects, p)
	}
	return plan
}

// madeRecord is the plan with its made-up reports up to September.
func madeRecord() *landmark.Record {
	plan := madePlan()
	r := emptyRecord(plan)
	for i, made := range madeProjects {
		for k, in := range made.indicators {
			ind := plan.Projects[i].Indicators[k]
			for n, text := range strings.Fields(in.values) {
				if text == "_" {
					continue
				}
				m := landmark.MonthOf(2023, 5+n)
				at := time.Date(2023, time.Month(6+n), 4, 10, 5, 0, 0, shanghai)
				v := landmark.Value{Month: m, Revision: 1, ReportedBy: made.lead + "填报员甲", ReportedAt: at, ApprovedBy: "审核员乙", ApprovedAt: at.Add(53 * time.Hour)}
				if in.kind == landmark.Qualitative {
					v.Step = text
				} else {
					v.Amount = num(text)
				}
				r.Values[ind.ID] = append(r.Values[ind.ID], v)
				r.Reports[ind.ID] = append(r.Reports[ind.ID], landmark.Report{IndicatorID: ind.ID, Month: m, State: landmark.StateApproved, Revision: 1, Amount: v.Amount, Step: v.Step,
					SubmittedBy: v.ReportedBy, SubmittedAt: v.ReportedAt, FirstSubmittedAt: v.ReportedAt, StateAt: v.ApprovedAt, StateBy: v.ApprovedBy})
			}
		}
	}
	correct(r, "4.1", 5, "25.20", "原报与证书清单不符")
	care := mustIndicator(plan, "4.1")
	r.Overrides[mustIndicator(plan, "6.2").ID] = []landmark.Override{{ID: 1, From: landmark.MonthOf(2023, 9), Until: landmark.MonthOf(2023, 10), Light: landmark.Behind, Reason: "验收已排期,十月集中认定", RecordedBy: "审核员乙", RecordedAt: time.Date(2023, 10, 11, 9, 0, 0, 0, shanghai)}}
	care.Definitions = []landmark.Definition{{From: landmark.MonthOf(2023, 5), Text: "持证护理员数÷户籍老年人口×10000", RecordedBy: "审核员乙"}}
	seats := mustIndicator(plan, "2.1")
	seats.Curves = []landmark.Curve{{From: landmark.MonthOf(2023, 5), Basis: "施工计划", Points: []landmark.CurvePoint{
		{Month: landmark.MonthOf(2023, 8), Amount: num("0").Decimal}, {Month: landmark.MonthOf(2023, 9), Amount: num("4000").Decimal}, {Month: landmark.MonthOf(2023, 12), Amount: num("4590").Decimal}}}}
	screening := mustIndicator(plan, "3.1")
	screening.Targets = append(screening.Targets, landmark.Target{From: landmark.MonthOf(2023, 8), Amount: num("26000"), Text: "26000", Basis: "桐政办〔2023〕31号", BasisOn: landmark.Date{Year: 2023, Month: 7, Day: 20}, RecordedBy: "审核员乙"})

	eldercare := plan.Projects[3]
	r.Reports[eldercare.Indicators[1].ID] = append(r.Reports[eldercare.Indicators[1].ID], landmark.Report{IndicatorID: eldercare.Indicators[1].ID, Month: landmark.MonthOf(2023, 10), State: landmark.StateDraft})
	say := func(task int, month int, state landmark.TaskState, note string) {
		t := eldercare.Tasks[task]
		r.Updates[t.ID] = append(r.Updates[t.ID], landmark.TaskUpdate{TaskID: t.ID, Month: landmark.MonthOf(2023, month), State: state, Note: note,
			DepartmentID: eldercare.Lead.ID, Department: eldercare.Lead.Name, RecordedBy: "填报员甲", RecordedAt: time.Date(2023, time.Month(month+1), 4, 9, 40, 0, 0, shanghai)})
	}
	say(0, 8, landmark.TaskDone, "上门服务功能已上线,8月起24小时在线。")
	say(1, 9, landmark.TaskUnderway, "养老驿站选址14处,其中4处在建。")
	scene := eldercare.Scenarios[0]
	for k, step := range landmark.MilestoneSteps {
		r.Milestones[scene.ID] = append(r.Milestones[scene.ID], landmark.Milestone{ScenarioID: scene.ID, Step: step, ReachedOn: landmark.Date{Year: 2023, Month: 6 + k, Day: 25}, RecordedBy: "填报员甲", RecordedAt: time.Date(2023, time.Month(6+k), 25, 10, 0, 0, 0, shanghai)})
	}
	back := plan.Projects[1].Indicators[0]
	for i := range r.Reports[back.ID] {
		if r.Reports[back.ID][i].Month == landmark.MonthOf(2023, 8) {
			r.Reports[back.ID][i].State, r.Reports[back.ID][i].ReturnedFor = landmark.StateReturned, "请附验收单"
		}
	}
	return r
}

// emptyRecord is a plan nobody has reported on.
func emptyRecord(plan *landmark.Plan) *landmark.Record {
	return &landmark.Record{
		Plan: plan, AsOf: time.Date(2023, 10, 12, 9, 30, 0, 0, shanghai), Zone: shanghai,
		Values: map[int64][]landmark.Value{}, Reports: map[int64][]landmark.Report{}, Overrides: map[int64][]landmark.Override{},
		Updates: map[int64][]landmark.TaskUpdate{}, Milestones: map[int64][]landmark.Milestone{}, Periods: map[landmark.Month][]landmark.PeriodSet{},
	}
}

func correct(r *landmark.Record, code string, month int, was, why string) {
	ind := mustIndicator(r.Plan, code)
	for i := range r.Values[ind.ID] {
		if v := &r.Values[ind.ID][i]; v.Month == landmark.MonthOf(2023, month) {
			v.Previous, v.Corrections, v.Revision, v.Reason = num(was), 1, 2, why
		}
	}
}

func mustIndicator(plan *landmark.Plan, code string) *landmark.Indicator {
	ind, err := plan.Indicator(code)
	if err != nil {
		panic(err)
	}
	return ind
}

// madePage is the frame a server would give.
func madePage(r *landmark.Record, month int, path string) Page {
	return Page{
		Path: path, Query: url.Values{}, Plan: r.Plan, Month: landmark.MonthOf(2023, month), Demo: true,
		User:      landmark.User{ID: 1, Name: "office", DisplayName: "审核员乙", Role: landmark.RoleOffice},
		Nav:       []NavItem{{Label: "总览", Href: "/"}, {Label: "关键指标", Href: "/key", Star: true}, {Label: "项目", Href: "/projects/1", Here: true}, {Label: "总表", Href: "/matrix"}},
		Months:    []MonthChoice{{Month: landmark.MonthOf(2023, 9)}, {Month: landmark.MonthOf(2023, 8)}},
		PrintedAt: r.AsOf, Rule: r.Plan.Rule(landmark.MonthOf(2023, month)),
	}
}

func TestMadePlanHoldsThirtyIndicators(t *testing.T) {
	t.Parallel()
	plan := madePlan()
	if n := len(plan.Indicators()); n != 30 {
		t.Errorf("made plan has %d indicators, want 30", n)
	}
	board := madeRecord().Board(landmark.MonthOf(2023, 9))
	for _, l := range landmark.Lights {
		if board.Counts[l] == 0 {
			t.Errorf("no indicator shows %q in September", l.Chinese())
		}
	}
}
