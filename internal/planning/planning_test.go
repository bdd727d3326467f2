package planning_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"landmark/internal/landmark"
	"landmark/internal/pgtest"
	"landmark/internal/planning"
	"landmark/internal/reporting"
	"landmark/internal/store"
)

var (
	shanghai = time.FixedZone("CST", 8*3600)
	imported = time.Date(2023, 5, 31, 9, 0, 0, 0, shanghai)
	now      = time.Date(2023, 10, 12, 9, 30, 0, 0, shanghai)
)

const slug = "small-2023"

func month(n int) landmark.Month { return landmark.MonthOf(2023, n) }

func day(year, m, d int) landmark.Date { return landmark.Date{Year: year, Month: m, Day: d} }

// desk is the office's desk: a plan of five indicators, one of each kind but
// cumulative and one without a kind.
type desk struct {
	db     store.DB
	st     *store.Store
	plan   *planning.Service
	office landmark.User
}

func newDesk(t testing.TB, db store.DB) *desk {
	t.Helper()
	w := &desk{db: db, st: store.New(db)}
	w.plan = planning.New(w.st, shanghai)
	if err := w.st.InsertPlan(t.Context(), smallPlan(), landmark.Actor{Name: "命令行"}, imported); err != nil {
		t.Fatal(err)
	}
	w.office = landmark.User{Name: "office", DisplayName: "审核员乙", Role: landmark.RoleOffice}
	var err error
	if w.office.ID, err = w.st.InsertAccount(t.Context(), store.Account{User: w.office, Hash: store.NoPassword}, imported); err != nil {
		t.Fatal(err)
	}
	return w
}

func smallPlan() *landmark.Plan {
	p := &landmark.Plan{
		Slug: slug, Title: "小城2023年方案", City: "小城", Year: 2023, BaselineYear: 2022, Published: day(2023, 5, 31),
		Columns: []string{"序号", "2022年实际值", "2023年目标值"}, Rules: []landmark.LightRule{landmark.DefaultRule(month(5))},
		Relations: []landmark.Relation{{Lower: "1.1", Upper: "1.2"}},
	}
	lead := landmark.Department{Slug: "minzheng", Name: "民政局", Sort: 1}
	other := landmark.Department{Slug: "tongchengwei", Name: "桐城委", Sort: 2}
	project := &landmark.Project{Number: 1, Name: "康养", Lead: lead, LeadPrinted: "民政局", Cooperating: []landmark.Cooperation{{Department: other, Printed: "桐城委(桐城集团)"}},
		Tasks: []landmark.Task{{Number: 1, Code: "1-1", Text: "1.做一件事。"}}, Scenarios: []landmark.Scenario{{Code: "1-1", Name: "2号店"}}}
	add := func(name, unit, baseline, target string, kind landmark.Kind, decimals int) *landmark.Indicator {
		ind := &landmark.Indicator{Project: project, Position: len(project.Indicators) + 1, Printed: name, Name: name, Kind: kind, Direction: landmark.Up, Unit: unit, Decimals: decimals,
			Measured: landmark.Monthly, Confirmed: true, BaselineText: baseline, Baseline: landmark.PrintedNumber(baseline),
			Targets: []landmark.Target{{From: month(1), Amount: landmark.PrintedNumber(target), Text: target}}}
		ind.Code = "1." + string(rune('0'+ind.Position))
		project.Indicators = append(project.Indicators, ind)
		return ind
	}
	add("食堂", "个", "10", "20", landmark.Flow, 0)
	add("护理员", "人/万名老人", "25", "25.5", landmark.Level, 2)
	add("村占比", "%", "100", "100", landmark.Hold, 1)
	add("供给", "", "/", "到位", landmark.Qualitative, 0).Steps = []landmark.Step{
		{Name: "未启动", Meaning: landmark.Behind}, {Name: "推进中", Meaning: landmark.OnTrack}, {Name: "到位", Meaning: landmark.Done}}
	add("覆盖率", "‰", "/", "5.5‰", landmark.KindUnknown, 1).Confirmed = false
	p.Projects = []*landmark.Project{project}
	return p
}

func (w *desk) by() landmark.Actor { return landmark.ActorOf(w.office, "127.0.0.1", "test") }

func (w *desk) record(t testing.TB) *landmark.Record {
	t.Helper()
	r, err := w.st.Record(t.Context(), slug, time.Time{}, now, shanghai)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (w *desk) indicator(t testing.TB, code string) *landmark.Indicator {
	t.Helper()
	ind, err := w.record(t).Plan.Indicator(code)
	if err != nil {
		t.Fatal(err)
	}
	return ind
}

// approve puts an approved value into a month.
func (w *desk) approve(t testing.TB, code string, m landmark.Month, value, step string) {
	t.Helper()
	at := now
	if opens := m.LastDay().Time(shanghai).Add(9 * time.Hour); opens.After(at) {
		at = opens
	}
	work := reporting.New(w.st, shanghai)
	sent, err := work.Import(t.Context(), landmark.Actor{Name: "填报员甲"}, slug, m, []reporting.ValueInput{{Code: code, Value: value, Step: step, Reason: "已核对"}}, false, at)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := work.Approve(t.Context(), w.by(), w.office, []store.Seen{{ReportID: sent[0].ReportID, Revision: sent[0].Revision}}, at); err != nil {
		t.Fatal(err)
	}
}

// line is the newest of the history.
func (w *desk) line(t testing.TB) landmark.HistoryEntry {
	t.Helper()
	found, err := w.st.History(t.Context(), store.HistoryFilter{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	return found[0].HistoryEntry
}

// written counts what the office ever said, and the history's lines.
func (w *desk) written(t testing.TB) map[string]int {
	t.Helper()
	out := map[string]int{}
	for _, table := range []string{"indicator_nature", "indicator_target", "indicator_curve", "indicator_definition", "light_rule", "plan", "department", "history"} {
		var n int
		if err := w.db.QueryRow(context.Background(), "SELECT count(*) FROM "+pgx.Identifier{table}.Sanitize()).Scan(&n); err != nil {
			t.Fatal(err)
		}
		out[table] = n
	}
	return out
}

// refused checks that an act fails with a kind, a field and a sentence, and
// writes nothing.
func (w *desk) refused(t *testing.T, name string, do func() error, kind landmark.ErrorKind, field, say string) {
	t.Helper()
	before := w.written(t)
	err := do()
	if landmark.KindOf(err) != kind || !strings.Contains(landmark.MessageOf(err), say) || fieldOf(err) != field {
		t.Errorf("%s: error = %v (kind %q, field %q), want %q, field %q, saying %q", name, err, landmark.KindOf(err), fieldOf(err), kind, field, say)
	}
	if diff := cmp.Diff(before, w.written(t)); diff != "" {
		t.Errorf("%s: refused and yet something is written (-before +after):\n%s", name, diff)
	}
}

func fieldOf(err error) string {
	if e, ok := errors.AsType[*landmark.Error](err); ok {
		return e.Field
	}
	return ""
}

func revision(change func(*planning.TargetRevision)) planning.TargetRevision {
	in := planning.TargetRevision{Code: "1.1", Text: "25", From: month(9), Basis: "桐政办发〔2023〕12号", BasisOn: day(2023, 8, 20)}
	if change != nil {
		change(&in)
	}
	return in
}

func TestReviseTarget(t *testing.T) {
	t.Parallel()
	w := newDesk(t, pgtest.Tx(t))
	revise := func(in planning.TargetRevision) error {
		return w.plan.ReviseTarget(t.Context(), w.by(), w.office, slug, in, now)
	}
	seen := planning.Mark(w.indicator(t, "1.1"))
	if err := revise(revision(func(in *planning.TargetRevision) { in.Text, in.Seen = " 25 ", seen })); err != nil {
		t.Fatal(err)
	}
	ind := w.indicator(t, "1.1")
	if got := ind.TargetIn(month(8)).Text + " " + ind.TargetIn(month(9)).Text + " " + ind.TargetIn(month(12)).Text; got != "20 25 25" {
		t.Errorf("targets in August, September and December: %s, want 20 25 25", got)
	}
	e := w.line(t)
	if e.Act != "target.revise" || e.Actor.Name != "审核员乙" || e.Month != month(9) || e.Reason != "桐政办发〔2023〕12号" || e.Object != "1.1 食堂" ||
		!strings.Contains(string(e.Before), `"20"`) || !strings.Contains(string(e.After), `"2023-08-20"`) {
		t.Errorf("history line: %+v, before %s, after %s", e, e.Before, e.After)
	}

	// Sent twice, it has one effect, even though the form is older than it.
	before := w.written(t)
	if err := revise(revision(func(in *planning.TargetRevision) { in.Seen = seen })); err != nil {
		t.Errorf("the same again: %v", err)
	}
	if diff := cmp.Diff(before, w.written(t)); diff != "" {
		t.Errorf("the same again wrote something:\n%s", diff)
	}
	if err := revise(planning.TargetRevision{Code: "1.4", Text: "推进中", From: month(10), Basis: "函", BasisOn: day(2023, 10, 12)}); err != nil {
		t.Errorf("a step as the aim: %v", err)
	}

	for name, c := range map[string]struct {
		change func(*planning.TargetRevision)
		kind   landmark.ErrorKind
		field  string
		say    string
	}{
		"empty":             {func(in *planning.TargetRevision) { in.Text = " " }, landmark.Invalid, "target", "请填写新的目标值"},
		"too long":          {func(in *planning.TargetRevision) { in.Text = strings.Repeat("9", 101) }, landmark.Invalid, "target", "最多100个字"},
		"words":             {func(in *planning.TargetRevision) { in.Text = "很多" }, landmark.Invalid, "target", "“食堂”的目标要填数字"},
		"exponent":          {func(in *planning.TargetRevision) { in.Text = "1e9" }, landmark.Invalid, "target", "要填数字"},
		"a tag":             {func(in *planning.TargetRevision) { in.Text = "<script>" }, landmark.Invalid, "target", "要填数字"},
		"negative":          {func(in *planning.TargetRevision) { in.Text = "-3" }, landmark.Invalid, "target", "不能是负数"},
		"huge":              {func(in *planning.TargetRevision) { in.Text = strings.Repeat("9", 16) }, landmark.Invalid, "target", "要填数字"},
		"fine":              {func(in *planning.TargetRevision) { in.Text = "1.1234567" }, landmark.Invalid, "target", "要填数字"},
		"wrong unit":        {func(in *planning.TargetRevision) { in.Text = "30%" }, landmark.Invalid, "target", "单位是个"},
		"above 100%":        {func(in *planning.TargetRevision) { in.Code, in.Text = "1.3", "101" }, landmark.Invalid, "target", "0到100"},
		"no step":           {func(in *planning.TargetRevision) { in.Code, in.Text = "1.4", "完工" }, landmark.Invalid, "target", "一个步骤"},
		"no document":       {func(in *planning.TargetRevision) { in.Basis = "" }, landmark.Invalid, "basis", "文号"},
		"long document":     {func(in *planning.TargetRevision) { in.Basis = strings.Repeat("长", 201) }, landmark.Invalid, "basis", "最多200个字"},
		"no date":           {func(in *planning.TargetRevision) { in.BasisOn = landmark.Date{} }, landmark.Invalid, "basis_on", "请填写文件日期"},
		"tomorrow":          {func(in *planning.TargetRevision) { in.BasisOn = day(2023, 10, 13) }, landmark.Invalid, "basis_on", "不能晚于今天"},
		"long ago":          {func(in *planning.TargetRevision) { in.BasisOn = day(2013, 10, 13) }, landmark.Invalid, "basis_on", "早于2022年"},
		"another year":      {func(in *planning.TargetRevision) { in.From = month(13) }, landmark.Invalid, "from", "2023年1月到12月"},
		"no such indicator": {func(in *planning.TargetRevision) { in.Code = "9.9" }, landmark.NotFound, "code", "9.9"},
		"changed meanwhile": {func(in *planning.TargetRevision) { in.Text, in.Seen = "26", seen }, landmark.Conflict, "", "刚被别人改动过"},
	} {
		w.refused(t, name, func() error { return revise(revision(c.change)) }, c.kind, c.field, c.say)
	}
}

func TestSetNature(t *testing.T) {
	t.Parallel()
	w := newDesk(t, pgtest.Tx(t))
	w.approve(t, "1.2", month(9), "25.17", "")
	w.approve(t, "1.4", month(9), "", "推进中")
	set := func(in planning.Nature) error {
		return w.plan.SetNature(t.Context(), w.by(), w.office, slug, in, now)
	}
	good := planning.Nature{Code: "1.5", Kind: landmark.Level, Direction: landmark.Down, Unit: " ‰ ", Decimals: 2, Measured: landmark.Quarterly, Confirmed: true, Reason: "卫健局函"}
	if err := set(good); err != nil {
		t.Fatal(err)
	}
	ind := w.indicator(t, "1.5")
	if ind.Kind != landmark.Level || ind.Direction != landmark.Down || ind.Unit != "‰" || ind.Decimals != 2 || ind.Measured != landmark.Quarterly || !ind.Confirmed {
		t.Errorf("nature: %+v", ind)
	}
	if e := w.line(t); e.Act != "indicator.nature" || e.Reason != "卫健局函" || !strings.Contains(string(e.Before), "性质待定") || !strings.Contains(string(e.After), "时点水平") {
		t.Errorf("history line: %+v, before %s, after %s", e, e.Before, e.After)
	}
	steps := []landmark.Step{{Name: "未启动", Meaning: landmark.Behind}, {Name: "到位", Meaning: landmark.Done}}
	level := planning.Nature{Code: "1.2", Kind: landmark.Level, Direction: landmark.Up, Unit: "人/万名老人", Decimals: 2, Measured: landmark.Monthly}
	for name, c := range map[string]struct {
		change func(*planning.Nature)
		kind   landmark.ErrorKind
		field  string
		say    string
	}{
		"no kind":           {func(in *planning.Nature) { in.Kind = "" }, landmark.Invalid, "kind", "指标性质"},
		"made-up kind":      {func(in *planning.Nature) { in.Kind = "<script>" }, landmark.Invalid, "kind", "指标性质"},
		"frequency":         {func(in *planning.Nature) { in.Measured = "daily" }, landmark.Invalid, "measured", "报送频次"},
		"direction":         {func(in *planning.Nature) { in.Direction = "left" }, landmark.Invalid, "direction", "方向"},
		"decimals":          {func(in *planning.Nature) { in.Decimals = 7 }, landmark.Invalid, "decimals", "0到6"},
		"long unit":         {func(in *planning.Nature) { in.Unit = strings.Repeat("个", 21) }, landmark.Invalid, "unit", "最多20个字"},
		"long reason":       {func(in *planning.Nature) { in.Reason = strings.Repeat("长", 501) }, landmark.Invalid, "reason", "最多500个字"},
		"too few steps":     {func(in *planning.Nature) { in.Code, in.Kind, in.Steps = "1.4", landmark.Qualitative, steps[:1] }, landmark.Invalid, "steps", "至少要有两个步骤"},
		"steps of a number": {func(in *planning.Nature) { in.Steps = steps }, landmark.Invalid, "steps", "只有定性指标"},
		"number to steps":   {func(in *planning.Nature) { in.Kind, in.Steps = landmark.Qualitative, steps }, landmark.Conflict, "kind", "2023年9月已有核定值"},
		"steps to number":   {func(in *planning.Nature) { in.Code = "1.4" }, landmark.Conflict, "kind", "2023年9月已有核定值"},
		"fewer decimals":    {func(in *planning.Nature) { in.Decimals = 1 }, landmark.Conflict, "decimals", "25.17"},
		"a step in use":     {func(in *planning.Nature) { in.Code, in.Kind, in.Steps = "1.4", landmark.Qualitative, steps }, landmark.Conflict, "steps", "推进中"},
		"changed meanwhile": {func(in *planning.Nature) { in.Seen = "another" }, landmark.Conflict, "", "刚被别人改动过"},
	} {
		in := level
		c.change(&in)
		w.refused(t, name, func() error { return set(in) }, c.kind, c.field, c.say)
	}
}

func TestSetCurve(t *testing.T) {
	t.Parallel()
	w := newDesk(t, pgtest.Tx(t))
	set := func(in planning.CurvePlan) error {
		return w.plan.SetCurve(t.Context(), w.by(), w.office, slug, in, now)
	}
	points := []landmark.CurvePoint{{Month: month(6), Amount: decimal.NewFromInt(2)}, {Month: month(9), Amount: decimal.NewFromInt(15)}}
	if err := set(planning.CurvePlan{Code: "1.1", From: month(9), Points: points, Basis: "年度工作计划"}); err != nil {
		t.Fatal(err)
	}
	ind := w.indicator(t, "1.1")
	if got := len(ind.CurveIn(month(8)).Points); got != 0 {
		t.Errorf("August has %d points, want none", got)
	}
	if got := landmark.FormatCurve(ind.CurveIn(month(9)).Points); got != "2023-06=2;2023-09=15" {
		t.Errorf("September goes by %q", got)
	}
	if e := w.line(t); e.Act != "curve.set" || !strings.Contains(string(e.After), "9月15") {
		t.Errorf("history line: %+v, after %s", e, e.After)
	}
	if err := set(planning.CurvePlan{Code: "1.1", From: month(11)}); err != nil {
		t.Fatal(err)
	}
	if got := len(w.indicator(t, "1.1").CurveIn(month(12)).Points); got != 0 {
		t.Errorf("December has %d points, want equal months again", got)
	}
	point := func(m landmark.Month, n string) []landmark.CurvePoint {
		return []landmark.CurvePoint{{Month: m, Amount: decimal.RequireFromString(n)}}
	}
	for name, c := range map[string]struct {
		in    planning.CurvePlan
		field string
		say   string
	}{
		"hold":         {planning.CurvePlan{Code: "1.3", From: month(9), Points: point(month(9), "1")}, "curve", "保持类指标不用计划曲线"},
		"steps":        {planning.CurvePlan{Code: "1.4", From: month(9), Points: point(month(9), "1")}, "curve", "定性类指标不用计划曲线"},
		"no kind":      {planning.CurvePlan{Code: "1.5", From: month(9), Points: point(month(9), "1")}, "curve", "性质待定类指标不用计划曲线"},
		"long basis":   {planning.CurvePlan{Code: "1.1", From: month(9), Basis: strings.Repeat("长", 201)}, "basis", "最多200个字"},
		"another year": {planning.CurvePlan{Code: "1.1", From: month(0)}, "from", "2023年1月到12月"},
		"outside":      {planning.CurvePlan{Code: "1.1", From: month(9), Points: point(month(13), "1")}, "curve", "2024年1月不在2023年"},
		"backwards":    {planning.CurvePlan{Code: "1.1", From: month(9), Points: []landmark.CurvePoint{points[1], points[0]}}, "curve", "从前到后"},
		"negative":     {planning.CurvePlan{Code: "1.1", From: month(9), Points: point(month(9), "-1")}, "point[2023-09]", "不能是负数"},
		"huge":         {planning.CurvePlan{Code: "1.1", From: month(9), Points: point(month(9), "1e15")}, "point[2023-09]", "最多15位"},
	} {
		w.refused(t, name, func() error { return set(c.in) }, landmark.Invalid, c.field, c.say)
	}
}

func TestDefine(t *testing.T) {
	t.Parallel()
	w := newDesk(t, pgtest.Tx(t))
	define := func(in planning.Scope) error {
		return w.plan.Define(t.Context(), w.by(), w.office, slug, in, now)
	}
	if err := define(planning.Scope{Code: "1.1", From: month(6), Text: "含村级。\r\n不含学校。\x07"}); err != nil {
		t.Fatal(err)
	}
	if err := define(planning.Scope{Code: "1.1", From: month(9), Text: "只算市级。"}); err != nil {
		t.Fatal(err)
	}
	ind := w.indicator(t, "1.1")
	if got := []string{ind.DefinitionIn(month(5)).Text, ind.DefinitionIn(month(8)).Text, ind.DefinitionIn(month(9)).Text}; !cmp.Equal(got, []string{"", "含村级。\n不含学校。", "只算市级。"}) {
		t.Errorf("scopes of May, August and September: %q", got)
	}
	if e := w.line(t); e.Act != "definition.set" || !strings.Contains(string(e.Before), "含村级") {
		t.Errorf("history line: %+v, before %s", e, e.Before)
	}
	w.refused(t, "empty", func() error { return define(planning.Scope{Code: "1.1", From: month(9), Text: " \n"}) }, landmark.Invalid, "definition", "请写明统计口径")
	w.refused(t, "long", func() error {
		return define(planning.Scope{Code: "1.1", From: month(9), Text: strings.Repeat("长", 4001)})
	}, landmark.Invalid, "definition", "最多4000个字")
	w.refused(t, "another year", func() error { return define(planning.Scope{Code: "1.1", From: month(13), Text: "口径"}) }, landmark.Invalid, "from", "2023年1月到12月")
	w.refused(t, "changed meanwhile", func() error {
		return define(planning.Scope{Code: "1.1", From: month(9), Text: "口径", Seen: "another"})
	}, landmark.Conflict, "", "刚被别人改动过")
}

func TestSetRule(t *testing.T) {
	t.Parallel()
	w := newDesk(t, pgtest.Tx(t))
	w.approve(t, "1.1", month(9), "13", "") // 65%, due 75%: 10 points behind
	set := func(rule landmark.LightRule, reason string, expected int) error {
		return w.plan.SetRule(t.Context(), w.by(), w.office, slug, rule, reason, expected, now)
	}
	rule := landmark.LightRule{From: month(9), Tolerance: 12, RedLine: 30}
	changes := w.record(t).PreviewRule(rule)
	if len(changes) != 1 || changes[0].From != landmark.Behind || changes[0].To != landmark.OnTrack || changes[0].Month != month(9) {
		t.Fatalf("preview: %+v, want 1.1 in September from behind to on track", changes)
	}
	w.refused(t, "another preview", func() error { return set(rule, "年底收紧", 2) }, landmark.Conflict, "", "会改变1个状态")
	if err := set(rule, "年底收紧", 1); err != nil {
		t.Fatal(err)
	}
	ind := w.indicator(t, "1.1")
	if got := w.record(t).Assess(ind, month(9)).Light; got != landmark.OnTrack {
		t.Errorf("light = %s, want on track", got)
	}
	if got := w.record(t).Plan.Rule(month(8)); got != landmark.DefaultRule(month(5)) {
		t.Errorf("August's rule changed: %+v", got)
	}
	if e := w.line(t); e.Act != "rule.set" || e.Reason != "年底收紧" || e.Month != month(9) || !strings.Contains(string(e.After), "12") {
		t.Errorf("history line: %+v, after %s", e, e.After)
	}
	before := w.written(t)
	if err := set(rule, "年底收紧", 1); err != nil {
		t.Errorf("the same again: %v", err)
	}
	if diff := cmp.Diff(before, w.written(t)); diff != "" {
		t.Errorf("the same again wrote something:\n%s", diff)
	}
	for name, c := range map[string]struct {
		rule       landmark.LightRule
		reason     string
		field, say string
	}{
		"negative":       {landmark.LightRule{From: month(9), Tolerance: -1, RedLine: 20}, "理由", "tolerance", "0到99"},
		"huge tolerance": {landmark.LightRule{From: month(9), Tolerance: 1e9, RedLine: 20}, "理由", "tolerance", "0到99"},
		"equal":          {landmark.LightRule{From: month(9), Tolerance: 20, RedLine: 20}, "理由", "red_line", "大于容差点数"},
		"huge red line":  {landmark.LightRule{From: month(9), Tolerance: 5, RedLine: 101}, "理由", "red_line", "最多100"},
		"before it":      {landmark.LightRule{From: month(4), Tolerance: 5, RedLine: 20}, "理由", "from", "2023年5月到2023年12月"},
		"after it":       {landmark.LightRule{From: month(13), Tolerance: 5, RedLine: 20}, "理由", "from", "2023年5月到2023年12月"},
		"no reason":      {landmark.LightRule{From: month(10), Tolerance: 5, RedLine: 20}, " \n", "reason", "请写明为什么"},
		"long reason":    {landmark.LightRule{From: month(10), Tolerance: 5, RedLine: 20}, strings.Repeat("长", 501), "reason", "最多500个字"},
	} {
		w.refused(t, name, func() error { return set(c.rule, c.reason, 0) }, landmark.Invalid, c.field, c.say)
	}
}

func TestCopy(t *testing.T) {
	t.Parallel()
	w := newDesk(t, pgtest.Tx(t))
	w.approve(t, "1.1", month(12), "22", "")
	w.approve(t, "1.4", month(12), "", "推进中")
	if err := w.plan.ReviseTarget(t.Context(), w.by(), w.office, slug, revision(nil), now); err != nil {
		t.Fatal(err)
	}
	good := planning.NextPlan{From: slug, Slug: "small-2024", Title: " 小城2024年方案 ", Published: day(2024, 4, 30)}
	copyPlan := func(change func(*planning.NextPlan)) error {
		in := good
		if change != nil {
			change(&in)
		}
		return w.plan.Copy(t.Context(), w.by(), w.office, in, now)
	}
	for name, c := range map[string]struct {
		change func(*planning.NextPlan)
		kind   landmark.ErrorKind
		field  string
		say    string
	}{
		"no title":   {func(in *planning.NextPlan) { in.Title = " " }, landmark.Invalid, "title", "标题"},
		"long title": {func(in *planning.NextPlan) { in.Title = strings.Repeat("长", 101) }, landmark.Invalid, "title", "最多100个字"},
		"no slug":    {func(in *planning.NextPlan) { in.Slug = "" }, landmark.Invalid, "slug", "方案代号"},
		"a bad slug": {func(in *planning.NextPlan) { in.Slug = "<script>" }, landmark.Invalid, "slug", "方案代号"},
		"this year":  {func(in *planning.NextPlan) { in.Published = day(2023, 12, 31) }, landmark.Invalid, "published", "2024年内"},
		"no plan":    {func(in *planning.NextPlan) { in.From = "nowhere" }, landmark.NotFound, "plan", "没有这个年度方案"},
	} {
		w.refused(t, name, func() error { return copyPlan(c.change) }, c.kind, c.field, c.say)
	}
	if err := copyPlan(nil); err != nil {
		t.Fatal(err)
	}
	r, err := w.st.Record(t.Context(), "small-2024", time.Time{}, now, shanghai)
	if err != nil {
		t.Fatal(err)
	}
	p := r.Plan
	if p.Title != "小城2024年方案" || p.Year != 2024 || p.BaselineYear != 2023 || p.FirstMonth() != landmark.MonthOf(2024, 4) || p.Rule(p.FirstMonth()).Tolerance != 5 {
		t.Errorf("plan: %+v", p)
	}
	if diff := cmp.Diff([]string{"序号", "2023年实际值", "2024年目标值"}, p.Columns); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
	project := p.Projects[0]
	if len(project.Tasks) != 1 || len(project.Scenarios) != 1 || project.Lead.Slug != "minzheng" || project.Cooperating[0].Printed != "桐城委(桐城集团)" || len(p.Relations) != 1 {
		t.Errorf("project: %+v", project)
	}
	var got []string
	for _, ind := range p.Indicators() {
		got = append(got, ind.Code+" "+ind.BaselineText+"→"+ind.Targets[0].Text)
		if ind.Confirmed {
			t.Errorf("%s is confirmed without anybody having done so", ind.Code)
		}
		if len(ind.Targets) != 1 || ind.Targets[0].From != landmark.MonthOf(2024, 1) {
			t.Errorf("%s has the targets %+v", ind.Code, ind.Targets)
		}
	}
	// The December value is the baseline; the revised target is the one to be revised.
	if diff := cmp.Diff([]string{"1.1 22→25", "1.2 /→25.5", "1.3 /→100", "1.4 推进中→到位", "1.5 /→5.5‰"}, got); diff != "" {
		t.Errorf("indicators (-want +got):\n%s", diff)
	}
	if len(r.Values) != 0 || len(r.Reports) != 0 {
		t.Error("the new plan has values")
	}
	if old := w.record(t).Plan; old.Year != 2023 || len(old.Indicators()) != 5 {
		t.Errorf("the old plan changed: %+v", old)
	}
	err = copyPlan(nil)
	if landmark.KindOf(err) != landmark.Conflict || fieldOf(err) != "slug" {
		t.Errorf("a taken slug: error = %v, want Conflict of slug", err)
	}
}

func TestDepartments(t *testing.T) {
	t.Parallel()
	w := newDesk(t, pgtest.Tx(t))
	add := func(name, code string) error {
		return w.plan.AddDepartment(t.Context(), w.by(), w.office, landmark.Department{Name: name, Slug: code}, now)
	}
	if err := add(" 文旅局 ", "wenlv"); err != nil {
		t.Fatal(err)
	}
	if d, err := w.st.FindDepartment(t.Context(), "文旅局"); err != nil || d.Slug != "wenlv" || d.Sort != 3 {
		t.Errorf("found %+v, %v", d, err)
	}
	if e := w.line(t); e.Act != "department.add" || e.Object != "文旅局" {
		t.Errorf("history line: %+v", e)
	}
	for name, c := range map[string]struct{ name, slug, field, say string }{
		"no name":           {" ", "x", "name", "部门名称"},
		"long name":         {strings.Repeat("局", 41), "x", "name", "最多40个字"},
		"bad code":          {"教育局", "Jiao Yu", "slug", "部门代码"},
		"taken name":        {"文旅局", "x", "name", "已经是文旅局"},
		"taken code":        {"教育局", "wenlv", "slug", "已经是文旅局"},
		"another's printed": {"桐城委(桐城集团)", "x", "name", "已经是桐城委"},
	} {
		w.refused(t, name, func() error { return add(c.name, c.slug) }, landmark.Invalid, c.field, c.say)
	}

	require := func(on bool) error {
		return w.plan.RequireSignOff(t.Context(), w.by(), w.office, "minzheng", on, now)
	}
	for _, on := range []bool{true, false} {
		if err := require(on); err != nil {
			t.Fatal(err)
		}
		if d, err := w.st.FindDepartment(t.Context(), "minzheng"); err != nil || d.SignOffRequired != on {
			t.Errorf("sign-off = %v, %v, want %v", d.SignOffRequired, err, on)
		}
	}
	before := w.written(t)
	if err := require(false); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(before, w.written(t)); diff != "" {
		t.Errorf("the same again wrote something:\n%s", diff)
	}
	w.refused(t, "nowhere", func() error {
		return w.plan.RequireSignOff(t.Context(), w.by(), w.office, "nowhere", true, now)
	}, landmark.NotFound, "", "没有找到")
}

// A printed name leads to its department, as a table to come will ask for it.
func TestAliases(t *testing.T) {
	t.Parallel()
	w := newDesk(t, pgtest.Tx(t))
	alias := func(slug, printed string) error {
		return w.plan.AddAlias(t.Context(), w.by(), w.office, slug, printed, now)
	}
	if err := alias("minzheng", " 民政局(社工部) "); err != nil {
		t.Fatal(err)
	}
	if d, err := w.st.FindDepartment(t.Context(), "民政局(社工部)"); err != nil || d.Slug != "minzheng" {
		t.Errorf("the printed name leads to %q, %v", d.Slug, err)
	}
	before := w.written(t)
	if err := alias("minzheng", "民政局(社工部)"); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(before, w.written(t)); diff != "" {
		t.Errorf("the same again wrote something:\n%s", diff)
	}
	for name, c := range map[string]struct{ slug, printed, field, say string }{
		"nothing":    {"minzheng", " ", "printed", "另外印作的名称"},
		"long":       {"minzheng", strings.Repeat("局", 41), "printed", "最多40个字"},
		"its name":   {"minzheng", "民政局", "printed", "已经是民政局"},
		"another's":  {"桐城委", "民政局(社工部)", "printed", "已经是民政局"},
		"a name":     {"minzheng", "桐城委", "printed", "已经是桐城委"},
		"no such":    {"nowhere", "某局", "department", "没有这个部门"},
		"no address": {"", "某局", "department", "没有这个部门"},
	} {
		w.refused(t, name, func() error { return alias(c.slug, c.printed) }, landmark.Invalid, c.field, c.say)
	}
	if err := w.plan.RemoveAlias(t.Context(), w.by(), w.office, "民政局(社工部)", now); err != nil {
		t.Fatal(err)
	}
	if _, err := w.st.FindDepartment(t.Context(), "民政局(社工部)"); landmark.KindOf(err) != landmark.NotFound {
		t.Errorf("the name taken away still leads somewhere: %v", err)
	}
	w.refused(t, "again", func() error {
		return w.plan.RemoveAlias(t.Context(), w.by(), w.office, "民政局(社工部)", now)
	}, landmark.Invalid, "alias", "请选择")
}

// Nobody but the office keeps a plan up.
func TestOnlyTheOffice(t *testing.T) {
	t.Parallel()
	w := newDesk(t, pgtest.Tx(t))
	ctx := t.Context()
	d, err := w.st.FindDepartment(ctx, "minzheng")
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range []landmark.User{
		{}, {ID: 8, Role: landmark.RoleViewer}, {ID: 9, Role: landmark.RoleReporter, DepartmentID: d.ID}, {ID: 10, Role: landmark.RoleLeader, DepartmentID: d.ID},
	} {
		by := landmark.ActorOf(u, "127.0.0.1", "test")
		for name, do := range map[string]func() error{
			"target": func() error { return w.plan.ReviseTarget(ctx, by, u, slug, revision(nil), now) },
			"nature": func() error { return w.plan.SetNature(ctx, by, u, slug, planning.Nature{Code: "1.1"}, now) },
			"curve": func() error {
				return w.plan.SetCurve(ctx, by, u, slug, planning.CurvePlan{Code: "1.1", From: month(9)}, now)
			},
			"definition": func() error {
				return w.plan.Define(ctx, by, u, slug, planning.Scope{Code: "1.1", From: month(9), Text: "口径"}, now)
			},
			"rule": func() error {
				return w.plan.SetRule(ctx, by, u, slug, landmark.LightRule{From: month(9), Tolerance: 6, RedLine: 20}, "理由", 0, now)
			},
			"copy": func() error {
				return w.plan.Copy(ctx, by, u, planning.NextPlan{From: slug, Slug: "x", Title: "x", Published: day(2024, 1, 1)}, now)
			},
			"department": func() error {
				return w.plan.AddDepartment(ctx, by, u, landmark.Department{Name: "文旅局", Slug: "wenlv"}, now)
			},
			"sign-off": func() error { return w.plan.RequireSignOff(ctx, by, u, "minzheng", true, now) },
			"alias":    func() error { return w.plan.AddAlias(ctx, by, u, "minzheng", "某局", now) },
			"unalias":  func() error { return w.plan.RemoveAlias(ctx, by, u, "桐城委(桐城集团)", now) },
		} {
			w.refused(t, name+" by "+string(u.Role), do, landmark.Forbidden, "", "只有市府办")
		}
	}
}

// Two people who looked at the same indicator cannot both change it.
func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	w := newDesk(t, pgtest.DB(t))
	seen := planning.Mark(w.indicator(t, "1.1"))
	errs := make([]error, 8)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			in := revision(func(in *planning.TargetRevision) { in.Text, in.Seen = string(rune('1'+i))+"0", seen })
			errs[i] = w.plan.ReviseTarget(context.Background(), w.by(), w.office, slug, in, now)
		})
	}
	wg.Wait()
	won := 0
	for i, err := range errs {
		switch {
		case err == nil:
			won++
		case landmark.KindOf(err) != landmark.Conflict:
			t.Errorf("revision %d: error = %v, want Conflict", i, err)
		}
	}
	if n := w.written(t)["indicator_target"]; won != 1 || n != 6 {
		t.Errorf("%d revisions succeeded and there are %d targets, want 1 and 6", won, n)
	}
}
