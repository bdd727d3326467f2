package sheet_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/shopspring/decimal"

	"landmark/internal/landmark"
	"landmark/internal/sheet"
)

// seed reads a file of the seed plan.
func seed(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile("../../seeds/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// seedPlan builds the seed plan as the program does.
func seedPlan(t testing.TB) *landmark.Plan {
	t.Helper()
	table, err := sheet.ReadTable(bytes.NewReader(seed(t, "tongxiang-2023.txt")))
	if err != nil {
		t.Fatal(err)
	}
	details, err := sheet.ReadDetails(bytes.NewReader(seed(t, "tongxiang-2023.csv")))
	if err != nil {
		t.Fatal(err)
	}
	directory, err := sheet.ReadDepartments(bytes.NewReader(seed(t, "departments.csv")))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := sheet.BuildPlan(table, details, sheet.Options{
		Title: "桐乡市2023年共同富裕十大标志性成果", Slug: "tongxiang-2023",
		Published: landmark.Date{Year: 2023, Month: 5, Day: 31}, Departments: directory,
	})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func TestSeedCounts(t *testing.T) {
	t.Parallel()
	plan := seedPlan(t)
	key, tasks, leadSentences, scenarios, confirmed := 0, 0, 0, 0, 0
	var perProject []int
	leads := map[string]string{}
	for _, p := range plan.Projects {
		n := 0
		leads[p.Lead.Name] = p.Lead.Slug
		for _, task := range p.Tasks {
			if task.Lead {
				leadSentences++
			} else {
				n++
			}
		}
		perProject = append(perProject, n)
		tasks += n
		scenarios += len(p.Scenarios)
	}
	for _, ind := range plan.Indicators() {
		if ind.Key {
			key++
		}
		if ind.Confirmed {
			confirmed++
		}
		if ind.Kind == landmark.KindUnknown {
			t.Errorf("%s has no kind", ind.Code)
		}
	}
	got := []int{len(plan.Projects), len(plan.Indicators()), key, len(leads), tasks, leadSentences, scenarios, confirmed}
	want := []int{10, 30, 9, 8, 38, 1, 17, 24}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("projects, indicators, key, leads, tasks, lead sentences, scenarios, confirmed (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{3, 4, 3, 3, 1, 5, 3, 3, 3, 10}, perProject); diff != "" {
		t.Errorf("tasks by project (-want +got):\n%s", diff)
	}
	wantLeads := map[string]string{
		"卫健局": "weijian", "教育局": "jiaoyu", "民政局": "minzheng", "农业农村局": "nongye",
		"建设局": "jianshe", "人社局": "renshe", "宣传部": "xuanchuan", "交通运输局": "jiaotong",
	}
	if diff := cmp.Diff(wantLeads, leads); diff != "" {
		t.Errorf("leads (-want +got):\n%s", diff)
	}
	if plan.City != "桐乡市" || plan.Year != 2023 || plan.BaselineYear != 2022 || plan.FirstMonth() != landmark.MonthOf(2023, 5) {
		t.Errorf("got city %s, years %d and %d, first month %s", plan.City, plan.BaselineYear, plan.Year, plan.FirstMonth())
	}
	if diff := cmp.Diff([]landmark.Relation{{Lower: "5.2", Upper: "5.1"}, {Lower: "9.1", Upper: "9.3"}}, plan.Relations); diff != "" {
		t.Errorf("relations (-want +got):\n%s", diff)
	}
}

// TestSeedNature holds the reviewed details against the specification's table.
func TestSeedNature(t *testing.T) {
	t.Parallel()
	const want = `
1.1 每千人托位数 ★ level 个/千人 quarterly 3.21 3.8
1.2 人口出生率 ★ qualitative ‰ annual 5.48 -
2.1 持续新增学位 - flow 个 on_event 7320 4590
2.2 新增心理健康示范学校 - flow 所 on_event 6 10
2.3 培育嘉兴市义务教育“新优质学校” - flow 所 on_event 3 3
3.1 结直肠癌筛查 - flow 人 monthly 41152 20000
3.2 流感疫苗接种 - flow 万人 monthly 2 2
3.3 新冠疫情重点药品和重点抢救设备供给 - qualitative - monthly - -
4.1 每万名老人拥有持证护理员 ★ level 人/万名老人 quarterly 25 25.5
4.2 助餐配送餐村(社区)覆盖人次 - flow 万人次 monthly 42 46.5
4.3 新增示范性社区老年食堂 - flow 个 on_event 1 2
4.4 实现高龄津贴发放 - level 元/人·月 on_event 50 60
5.1 集体经济年收入30万元以上且经营性收入15万元以上行政村占比 - hold % annual 100 100
5.2 集体经济年经营性收入50万元以上行政村占比 - hold % annual 100 100
6.1 未来社区建成数量 ★ cumulative 个 on_event 0 3
6.2 城乡风貌样板区建成数量 ★ flow? 个 on_event 1 2
6.3 城乡社区“一老一小”服务场景建成数量 ★ flow? 个 on_event 8 10
6.4 县级以上城市公园绿地服务半径覆盖率 - level % annual 85.71 87.6
6.5 保障性租赁住房供给筹集套数 - flow 套(间) monthly 10428 5600
7.1 累计评定高校毕业生就业灯塔企业数 - cumulative 家 on_event 10 50
7.2 桐乡籍大学生“学子码”覆盖率 - level % monthly 20 50
7.3 累计建立大学生就业见习(实践)基地 - cumulative 个 monthly 75 80
8.1 全域文明创建推进度 ★ flow? % monthly 100 100
8.2 文明好习惯养成率 ★ level % annual 83 87
8.3 有礼示范单元建设 - flow 个 monthly - 100
9.1 评选一批具有示范性的四星级、五星级社区服务综合体 - flow? 个 on_event 5 30
9.2 打造市级标杆性示范点 - flow? 个 on_event 1 5
9.3 评选星级社区服务综合体 - flow? 个 on_event 10 110
10.1 城乡公交一体化率 ★ hold % annual 100 100
10.2 农村公路优良中等路率 - level % annual 82.80 85
`
	dash := func(s string) string {
		if s == "" {
			return "-"
		}
		return s
	}
	number := func(n decimal.NullDecimal) string {
		if !n.Valid {
			return "-"
		}
		return n.Decimal.StringFixed(-n.Decimal.Exponent())
	}
	var got strings.Builder
	got.WriteString("\n")
	for _, ind := range seedPlan(t).Indicators() {
		star, kind := "-", string(ind.Kind)
		if ind.Key {
			star = "★"
		}
		if !ind.Confirmed {
			kind += "?"
		}
		got.WriteString(strings.Join([]string{
			ind.Code, ind.Name, star, kind, dash(ind.Unit), string(ind.Measured), number(ind.Baseline), number(ind.Targets[0].Amount),
		}, " ") + "\n")
		for _, n := range []decimal.NullDecimal{ind.Baseline, ind.Targets[0].Amount} {
			if n.Valid && int(-n.Decimal.Exponent()) > ind.Decimals {
				t.Errorf("%s has %d decimals, too few for %s", ind.Code, ind.Decimals, number(n))
			}
		}
	}
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("indicators (-want +got):\n%s", diff)
	}
}

func TestSeedSteps(t *testing.T) {
	t.Parallel()
	plan := seedPlan(t)
	for code, want := range map[string][]landmark.Step{
		"1.2": {{Name: "待核算", Meaning: landmark.OnTrack}, {Name: "未趋缓", Meaning: landmark.Behind}, {Name: "趋缓", Meaning: landmark.Done}},
		"3.3": {{Name: "未启动", Meaning: landmark.Behind}, {Name: "推进中", Meaning: landmark.OnTrack}, {Name: "基本到位", Meaning: landmark.OnTrack}, {Name: "到位", Meaning: landmark.Done}},
	} {
		ind, err := plan.Indicator(code)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, ind.Steps); diff != "" {
			t.Errorf("steps of %s (-want +got):\n%s", code, diff)
		}
	}
}

// TestSeedPieces says that nothing is lost in splitting: the pieces are the cell.
func TestSeedPieces(t *testing.T) {
	t.Parallel()
	for _, p := range seedPlan(t).Projects {
		tasks := ""
		for _, task := range p.Tasks {
			tasks += task.Text
		}
		if tasks != p.TasksText {
			t.Errorf("project %d: tasks joined are %q, want %q", p.Number, tasks, p.TasksText)
		}
		if got := joined(sheet.SplitScenarios(p.ScenariosText)); got != p.ScenariosText {
			t.Errorf("project %d: scenarios joined are %q, want %q", p.Number, got, p.ScenariosText)
		}
		if got := joined(sheet.SplitDepartments(p.CooperatingText)); got != p.CooperatingText {
			t.Errorf("project %d: departments joined are %q, want %q", p.Number, got, p.CooperatingText)
		}
	}
}

func joined(pieces []sheet.Piece) string {
	var b strings.Builder
	for _, p := range pieces {
		b.WriteString(p.Text + p.After)
	}
	return b.String()
}

// TestSeedDepartments checks that one body under two names is one department,
// and that every department of the table is in the reviewed directory.
func TestSeedDepartments(t *testing.T) {
	t.Parallel()
	directory, err := sheet.ReadDepartments(bytes.NewReader(seed(t, "departments.csv")))
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, e := range directory {
		known[e.Name] = true
	}
	used := map[string]bool{}
	printed := map[string]string{}
	for _, p := range seedPlan(t).Projects {
		used[p.Lead.Name] = true
		for _, c := range p.Cooperating {
			used[c.Department.Name] = true
			printed[c.Printed] = c.Department.Slug
			if c.Department.Collective != (c.Printed == "各镇街道") {
				t.Errorf("%s: collective is %t", c.Printed, c.Department.Collective)
			}
		}
	}
	if diff := cmp.Diff(known, used); diff != "" {
		t.Errorf("directory against table (-directory +table):\n%s", diff)
	}
	for _, name := range []string{"桐城委", "桐城委(桐城集团)"} {
		if printed[name] != "tongchengwei" {
			t.Errorf("%s is department %q, want tongchengwei", name, printed[name])
		}
	}
}

func TestRoundTripByteEqual(t *testing.T) {
	t.Parallel()
	var got bytes.Buffer
	if err := sheet.WriteTable(&got, sheet.FromPlan(seedPlan(t), december)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), seed(t, "tongxiang-2023.txt")) {
		t.Errorf("the written table differs from the source:\n%s", cmp.Diff(string(seed(t, "tongxiang-2023.txt")), got.String()))
	}
}

func TestDetailsRoundTrip(t *testing.T) {
	t.Parallel()
	plan := seedPlan(t)
	var file bytes.Buffer
	if err := sheet.WriteDetails(&file, plan); err != nil {
		t.Fatal(err)
	}
	details, err := sheet.ReadDetails(&file)
	if err != nil {
		t.Fatal(err)
	}
	directory, err := sheet.ReadDepartments(bytes.NewReader(seed(t, "departments.csv")))
	if err != nil {
		t.Fatal(err)
	}
	again, err := sheet.BuildPlan(sheet.FromPlan(plan, plan.LastMonth()), details, sheet.Options{
		Title: plan.Title, Slug: plan.Slug, Published: plan.Published, Departments: directory,
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(plan, again, cmpopts.IgnoreFields(landmark.Indicator{}, "Project")); diff != "" {
		t.Errorf("plan built again (-first +again):\n%s", diff)
	}
}

// TestAnotherOffice reads a table the program has never seen: other year, titles,
// departments, no details.
func TestAnotherOffice(t *testing.T) {
	t.Parallel()
	const text = "序号 | 标志性成果 | 牵头单位 | 指标名称 | 2024年实际值 | 2025年目标值 | 重点任务 | 重点场景 | 配合单位 |\n" +
		"1 | 城市更新 | 住建局 | ★改造老旧小区(个) | 12 | 15 | 改造15个老旧小区。 | / | / |\n" +
		"PM2.5平均浓度 | 28.5 | 27 |\n" +
		"2 | 农村物流 | 住建局 | 快递进村率 | 97.5% | 全覆盖 | 1.建站。2.通车。 | 一号站 | 交通局,邮政局 |"
	table, err := sheet.ReadTable(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := sheet.BuildPlan(table, nil, sheet.Options{Title: "海宁市2025年民生实事"})
	if err != nil {
		t.Fatal(err)
	}
	if plan.Year != 2025 || plan.BaselineYear != 2024 || plan.City != "海宁市" || plan.Slug != "plan-2025" {
		t.Errorf("got %d, %d, %s, %s", plan.Year, plan.BaselineYear, plan.City, plan.Slug)
	}
	if p := plan.Projects[0]; len(p.Scenarios) != 0 || len(p.Cooperating) != 0 || p.Lead.Slug != "zhujian" {
		t.Errorf("project 1: got %d scenarios, %d departments, lead %s", len(p.Scenarios), len(p.Cooperating), p.Lead.Slug)
	}
	ind, err := plan.Indicator("2.1")
	if err != nil {
		t.Fatal(err)
	}
	if ind.Kind != landmark.KindUnknown || ind.Unit != "%" || ind.Decimals != 1 || ind.Targets[0].Amount.Valid || ind.Targets[0].Text != "全覆盖" {
		t.Errorf("indicator 2.1: got kind %q, unit %q, %d decimals, target %+v", ind.Kind, ind.Unit, ind.Decimals, ind.Targets[0])
	}
	var got bytes.Buffer
	if err := sheet.WriteTable(&got, sheet.FromPlan(plan, plan.LastMonth())); err != nil {
		t.Fatal(err)
	}
	if got.String() != text {
		t.Errorf("written again:\n%s\nwant\n%s", got.String(), text)
	}
}

// TestSlugsApart: names spelled alike get slugs of their own.
func TestSlugsApart(t *testing.T) {
	t.Parallel()
	table, err := sheet.ReadTable(strings.NewReader(lines(head, "1 | 甲 | 建设局 | 乙 | 1 | 2 | 丙 | 丁 | 见涉局、健设部、()、[] |")))
	if err != nil {
		t.Fatal(err)
	}
	known := sheet.Directory{{Department: landmark.Department{Name: "老建设局", Slug: "jianshe", Sort: 7}}}
	plan, err := sheet.BuildPlan(table, nil, sheet.Options{Departments: known})
	if err != nil {
		t.Fatal(err)
	}
	got := []string{plan.Projects[0].Lead.Slug}
	for _, c := range plan.Projects[0].Cooperating {
		got = append(got, c.Department.Slug)
	}
	if diff := cmp.Diff([]string{"jianshe-2", "jianshe-3", "jianshe-4", "department", "department-2"}, got); diff != "" {
		t.Errorf("slugs (-want +got):\n%s", diff)
	}
	if plan.Projects[0].Lead.Sort != 8 {
		t.Errorf("a new department stands at %d, want 8, behind the known", plan.Projects[0].Lead.Sort)
	}
}

func TestBuildPlanRefuses(t *testing.T) {
	t.Parallel()
	table, err := sheet.ReadTable(bytes.NewReader(seed(t, "tongxiang-2023.txt")))
	if err != nil {
		t.Fatal(err)
	}
	details := sheet.Details{
		"4.9": {Line: 2},
		"4.1": {Line: 3, NotAbove: "11.1"},
		"4.2": {Line: 4, Curve: []landmark.CurvePoint{{Month: landmark.MonthOf(2024, 3), Amount: decimal.NewFromInt(1)}}},
	}
	_, err = sheet.BuildPlan(table, details, sheet.Options{})
	wantFaults(t, err,
		"第2行第1列:方案里没有编号为“4.9”的指标",
		"第3行第10列:方案里没有编号为“11.1”的指标",
		"第4行第9列:计划曲线的2024年3月不在方案年度2023年")
	for _, opts := range []sheet.Options{{Slug: "桐乡"}, {Published: landmark.Date{Year: 2024, Month: 1, Day: 3}}} {
		if _, err := sheet.BuildPlan(table, nil, opts); landmark.KindOf(err) != landmark.Invalid {
			t.Errorf("BuildPlan(%+v) error = %v, want Invalid", opts, err)
		}
	}
	same := sheet.Directory{{Department: landmark.Department{Name: "发改局", Slug: "fagai"}, Aliases: []string{"财政局"}}}
	_, err = sheet.BuildPlan(table, nil, sheet.Options{Departments: same})
	if err == nil || !strings.Contains(err.Error(), "第2行第9列:“财政局”与“发改局”是同一个单位") {
		t.Errorf("one department twice: got %v", err)
	}
}

// wantFaults holds an error's lines against those wanted.
func wantFaults(t *testing.T, err error, want ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %q", want)
	}
	if landmark.KindOf(err) != landmark.Invalid {
		t.Errorf("error kind is %q, want invalid", landmark.KindOf(err))
	}
	if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
}

// dec is a decimal written out.
func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }
