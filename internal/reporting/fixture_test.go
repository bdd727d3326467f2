package reporting_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"landmark/internal/landmark"
	"landmark/internal/pgtest"
	"landmark/internal/reporting"
	"landmark/internal/store"
)

var (
	shanghai   = time.FixedZone("CST", 8*3600)
	importedAt = time.Date(2023, 5, 31, 9, 0, 0, 0, shanghai)
	june       = landmark.MonthOf(2023, 6)
	july4      = time.Date(2023, 7, 4, 9, 0, 0, 0, shanghai) // June is open
)

const slug = "small-2023"

// town is a database with a small plan and somebody for every part: 民政局 leads
// project 1 (1.1 and 1.2 count, 1.3 goes by steps, 1.4 is measured in December),
// 建设局 leads project 2 and supports project 1.
type town struct {
	db     store.DB
	store  *store.Store
	work   *reporting.Service
	plan   *landmark.Plan
	people map[string]landmark.User
}

func number(s string) decimal.NullDecimal {
	return decimal.NewNullDecimal(decimal.RequireFromString(s))
}

func smallPlan() *landmark.Plan {
	jan := landmark.MonthOf(2023, 1)
	welfare := landmark.Department{Slug: "minzheng", Name: "民政局", Sort: 1}
	building := landmark.Department{Slug: "jianshe", Name: "建设局", Sort: 2}
	p := &landmark.Plan{
		Slug: slug, Title: "小方案", City: "桐乡市", Year: 2023, BaselineYear: 2022, Published: landmark.Date{Year: 2023, Month: 5, Day: 31},
		Columns: []string{"序号", "标志性成果"}, Rules: []landmark.LightRule{landmark.DefaultRule(landmark.MonthOf(2023, 5))},
	}
	count := func(code, name string, target string) *landmark.Indicator {
		return &landmark.Indicator{Code: code, Printed: name, Name: name, Kind: landmark.Flow, Direction: landmark.Up, Unit: "个", Measured: landmark.Monthly,
			Confirmed: true, BaselineText: "10", Baseline: number("10"), Targets: []landmark.Target{{From: jan, Amount: number(target), Text: target}}}
	}
	steps := &landmark.Indicator{Code: "1.3", Printed: "供给", Name: "供给", Kind: landmark.Qualitative, Direction: landmark.Up, Measured: landmark.Monthly, BaselineText: "/",
		Steps:   []landmark.Step{{Name: "未启动", Meaning: landmark.Behind}, {Name: "推进中", Meaning: landmark.OnTrack}, {Name: "到位", Meaning: landmark.Done}},
		Targets: []landmark.Target{{From: jan, Text: "到位"}}}
	yearly := count("1.4", "年度核算", "20")
	yearly.Measured, yearly.Decimals = landmark.Annual, 2
	p.Projects = []*landmark.Project{
		{Number: 1, Name: "康养", Lead: welfare, LeadPrinted: "民政局", Cooperating: []landmark.Cooperation{{Department: building, Printed: "建设局"}},
			Tasks:      []landmark.Task{{Code: "1-0", Text: "总起。", Lead: true}, {Number: 1, Code: "1-1", Text: "1.做一件事。"}, {Number: 2, Code: "1-2", Text: "2.再做一件。"}},
			Scenarios:  []landmark.Scenario{{Code: "1-1", Name: "2号店"}},
			Indicators: []*landmark.Indicator{count("1.1", "食堂", "20"), count("1.2", "床位", "200"), steps, yearly}},
		{Number: 2, Name: "社区", Lead: building, LeadPrinted: "建设局", Tasks: []landmark.Task{{Number: 1, Code: "2-1", Text: "1.建社区。"}},
			Indicators: []*landmark.Indicator{count("2.1", "社区数", "20")}},
	}
	for _, project := range p.Projects {
		for i, ind := range project.Indicators {
			ind.Project, ind.Position = project, i+1
		}
	}
	return p
}

// newTown builds the town in db.
func newTown(t testing.TB, db store.DB) *town {
	t.Helper()
	ctx := context.Background()
	w := &town{db: db, store: store.New(db), plan: smallPlan(), people: map[string]landmark.User{}}
	w.work = reporting.New(w.store, shanghai)
	if err := w.store.InsertPlan(ctx, w.plan, landmark.Actor{Name: "命令行"}, importedAt); err != nil {
		t.Fatal(err)
	}
	r, err := w.store.Record(ctx, slug, time.Time{}, importedAt, shanghai)
	if err != nil {
		t.Fatal(err)
	}
	w.plan = r.Plan
	welfare, building := w.plan.Projects[0].Lead, w.plan.Projects[1].Lead
	for _, u := range []landmark.User{
		{Name: "office", DisplayName: "审核员乙", Role: landmark.RoleOffice},
		{Name: "office2", DisplayName: "审核员丁", Role: landmark.RoleOffice},
		{Name: "viewer", DisplayName: "分管领导", Role: landmark.RoleViewer},
		{Name: "jia", DisplayName: "填报员甲", Role: landmark.RoleReporter, DepartmentID: welfare.ID, Department: welfare},
		{Name: "wu", DisplayName: "填报员戊", Role: landmark.RoleReporter, DepartmentID: welfare.ID, Department: welfare},
		{Name: "bing", DisplayName: "负责人丙", Role: landmark.RoleLeader, DepartmentID: welfare.ID, Department: welfare},
		{Name: "builder", DisplayName: "填报员己", Role: landmark.RoleReporter, DepartmentID: building.ID, Department: building},
		{Name: "buildlead", DisplayName: "负责人庚", Role: landmark.RoleLeader, DepartmentID: building.ID, Department: building},
	} {
		if u.ID, err = w.store.InsertAccount(ctx, store.Account{User: u, Hash: store.NoPassword, ChangedAt: importedAt}, importedAt); err != nil {
			t.Fatal(err)
		}
		w.people[u.Name] = u
	}
	return w
}

// inTx is for one goroutine, and one of its towns for a test: they wait for each
// other, as their plans have the same slug.
func inTx(t testing.TB) *town { return newTown(t, pgtest.Tx(t)) }
func inDB(t testing.TB) *town { return newTown(t, pgtest.DB(t)) }

func (w *town) who(name string) (landmark.Actor, landmark.User) {
	u := w.people[name]
	return landmark.ActorOf(u, "127.0.0.1", "test"), u
}

func ptr[T any](v T) *T { return &v }

// juneForm is 民政局's June filled in: all is on track.
func juneForm() reporting.FormInput {
	return reporting.FormInput{Plan: slug, Month: june, Indicators: map[string]reporting.Typed{
		"1.1": {Value: ptr("12")}, "1.2": {Value: ptr("110")}, "1.3": {Step: ptr("推进中")},
	}}
}

func (w *town) submit(t testing.TB, name string, in reporting.FormInput, at time.Time) reporting.Receipt {
	t.Helper()
	by, u := w.who(name)
	receipt, err := w.work.Submit(context.Background(), by, u, in, at)
	if err != nil {
		t.Fatalf("submit: %v", err)
	}
	return receipt
}

func (w *town) record(t testing.TB, at time.Time) *landmark.Record {
	t.Helper()
	r, err := w.store.Record(context.Background(), slug, time.Time{}, at, shanghai)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (w *town) report(t testing.TB, code string) landmark.Report {
	t.Helper()
	ind, err := w.plan.Indicator(code)
	if err != nil {
		t.Fatal(err)
	}
	return w.record(t, july4).Report(ind.ID, june)
}

// seen are the reports of codes as they stand.
func (w *town) seen(t testing.TB, codes ...string) []store.Seen {
	t.Helper()
	var out []store.Seen
	for _, code := range codes {
		r := w.report(t, code)
		out = append(out, store.Seen{ReportID: r.ID, Revision: r.Revision})
	}
	return out
}

// tables whose rows tell that something happened.
var tables = []string{"report", "report_revision", "report_event", "approved_value", "report_draft", "task_draft", "task_update", "history", "evidence",
	"draft_evidence", "revision_evidence", "submission_key", "chase", "period", "extension", "light_override", "milestone", "notice"}

// rows counts all of them.
func (w *town) rows(t testing.TB) map[string]int {
	t.Helper()
	out := map[string]int{}
	for _, table := range tables {
		var n int
		if err := w.db.QueryRow(context.Background(), "SELECT count(*) FROM "+pgx.Identifier{table}.Sanitize()).Scan(&n); err != nil {
			t.Fatal(err)
		}
		out[table] = n
	}
	return out
}

// acts are the history's acts in order.
func (w *town) acts(t testing.TB) []string {
	t.Helper()
	rows, err := w.db.Query(context.Background(), `SELECT act FROM history WHERE act NOT LIKE 'plan.%' ORDER BY id`)
	if err != nil {
		t.Fatal(err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return out
}
