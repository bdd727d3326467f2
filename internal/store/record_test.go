package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"landmark/internal/landmark"
	"landmark/internal/pgtest"
	"landmark/internal/store"
)

var shanghai = time.FixedZone("CST", 8*3600)

func amount(s string) decimal.NullDecimal {
	return decimal.NewNullDecimal(decimal.RequireFromString(s))
}

// smallPlan has two projects, a relation, a curve and a qualitative indicator.
func smallPlan() *landmark.Plan {
	jan := landmark.MonthOf(2023, 1)
	lead := landmark.Department{Slug: "minzheng", Name: "民政局", Sort: 1}
	helper := landmark.Department{Slug: "tongchengwei", Name: "桐城委", Sort: 2}
	p := &landmark.Plan{
		Slug: "small-2023", Title: "小方案", City: "桐乡市", Year: 2023, BaselineYear: 2022,
		Published: landmark.Date{Year: 2023, Month: 5, Day: 31},
		Columns:   []string{"序号", "标志性成果"},
		Rules:     []landmark.LightRule{landmark.DefaultRule(landmark.MonthOf(2023, 5))},
		Relations: []landmark.Relation{{Lower: "1.1", Upper: "1.2"}},
	}
	p.Projects = []*landmark.Project{{
		Number: 1, Name: "桐享 康养", Lead: lead, LeadPrinted: "民政局",
		Cooperating: []landmark.Cooperation{{Department: helper, Printed: "桐城委(桐城集团)"}},
		Tasks:       []landmark.Task{{Code: "1-0", Text: "总起。", Lead: true}, {Number: 1, Code: "1-1", Text: "1.做一件事。"}},
		Scenarios:   []landmark.Scenario{{Code: "1-1", Name: "2号店"}},
		TasksText:   "总起。1.做一件事。", ScenariosText: "2号店", CooperatingText: "桐城委(桐城集团)",
		Indicators: []*landmark.Indicator{
			{Code: "1.1", Position: 1, Printed: "★食堂(个)", Name: "食堂", Key: true, Kind: landmark.Flow, Direction: landmark.Up, Unit: "个",
				Measured: landmark.Monthly, Confirmed: true, BaselineText: "1", Baseline: amount("1"),
				Targets: []landmark.Target{{From: jan, Amount: amount("20"), Text: "20"}},
				Curves:  []landmark.Curve{{From: jan, Points: []landmark.CurvePoint{{Month: landmark.MonthOf(2023, 10), Amount: decimal.RequireFromString("18.50")}}}}},
			{Code: "1.2", Position: 2, Printed: "供给", Name: "供给", Kind: landmark.Qualitative, Direction: landmark.Up,
				Measured: landmark.Monthly, BaselineText: "/",
				Steps:   []landmark.Step{{Name: "未启动", Meaning: landmark.Behind}, {Name: "到位", Meaning: landmark.Done}},
				Targets: []landmark.Target{{From: jan, Text: "到位"}}},
		},
	}}
	for _, ind := range p.Projects[0].Indicators {
		ind.Project = p.Projects[0]
	}
	return p
}

var importedAt = time.Date(2023, 5, 31, 9, 0, 0, 0, shanghai)

func TestRecordGivesBackThePlan(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	st := store.New(pgtest.Tx(t))
	want := smallPlan()
	if err := st.InsertPlan(ctx, want, landmark.Actor{Name: "命令行"}, importedAt); err != nil {
		t.Fatal(err)
	}
	r, err := st.Record(ctx, "small-2023", time.Time{}, importedAt, shanghai)
	if err != nil {
		t.Fatal(err)
	}
	ignore := cmp.FilterPath(func(p cmp.Path) bool {
		switch p.Last().String() {
		case ".ID", ".RecordedAt", ".RecordedBy", ".Project":
			return true
		}
		return false
	}, cmp.Ignore())
	if diff := cmp.Diff(want, r.Plan, ignore, cmp.Comparer(func(a, b decimal.Decimal) bool { return a.Equal(b) })); diff != "" {
		t.Errorf("plan read back differs (-want +got):\n%s", diff)
	}
	if got := r.Plan.Projects[0].Indicators[0].Project; got != r.Plan.Projects[0] {
		t.Error("an indicator does not point back to its project")
	}
}

func TestRecordBeforeThePlanWasThere(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	st := store.New(pgtest.Tx(t))
	if err := st.InsertPlan(ctx, smallPlan(), landmark.Actor{Name: "命令行"}, importedAt); err != nil {
		t.Fatal(err)
	}
	_, err := st.Record(ctx, "small-2023", importedAt.Add(-time.Second), importedAt, shanghai)
	if landmark.KindOf(err) != landmark.NotFound {
		t.Errorf("Record before the import: error = %v, want NotFound", err)
	}
}

func TestInsertPlanTwiceIsRefusedWhole(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	pool := pgtest.DB(t)
	st := store.New(pool)
	if err := st.InsertPlan(ctx, smallPlan(), landmark.Actor{Name: "命令行"}, importedAt); err != nil {
		t.Fatal(err)
	}
	before := countRows(t, pool)
	err := st.InsertPlan(ctx, smallPlan(), landmark.Actor{Name: "命令行"}, importedAt)
	if landmark.KindOf(err) != landmark.Conflict {
		t.Errorf("second InsertPlan: error = %v, want Conflict", err)
	}
	if diff := cmp.Diff(before, countRows(t, pool)); diff != "" {
		t.Errorf("the refused plan left rows (-before +after):\n%s", diff)
	}
}

func countRows(t *testing.T, db store.DB) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for _, table := range []string{"plan", "project", "indicator", "indicator_target", "task", "scenario", "department", "history"} {
		var n int
		if err := db.QueryRow(context.Background(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
			t.Fatal(err)
		}
		counts[table] = n
	}
	return counts
}

// What may only be added refuses change, whoever asks: the owner meets the
// trigger, the application's role its missing right.
func TestAppendOnly(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	url := pgtest.URL(t)
	app, err := store.Open(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer app.Close()
	if err := store.New(app).InsertPlan(ctx, smallPlan(), landmark.Actor{Name: "命令行"}, importedAt); err != nil {
		t.Fatal(err)
	}
	var role string
	if err := app.QueryRow(ctx, "SELECT current_user").Scan(&role); err != nil || role != "landmark_app" {
		t.Fatalf("the program works as %q (%v), want landmark_app", role, err)
	}
	for _, table := range []string{"indicator_nature", "indicator_target", "indicator_curve", "indicator_definition", "indicator_baseline", "light_rule", "period", "extension",
		"chase", "report_revision", "report_event", "approved_value", "task_update", "milestone", "light_override", "evidence", "revision_evidence", "history", "history_seal",
		"bulletin_issue", "letterhead", "letter_issue"} {
		var column string
		if err := app.QueryRow(ctx, `SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum = 2`, table).Scan(&column); err != nil {
			t.Fatal(err)
		}
		for _, sql := range []string{
			"UPDATE " + table + " SET " + column + " = " + column,
			"DELETE FROM " + table,
			"TRUNCATE " + table + " CASCADE",
		} {
			if _, err := app.Exec(ctx, sql); err == nil {
				t.Errorf("as landmark_app, %s: no error", sql)
			}
			c, err := app.Acquire(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.Exec(ctx, "RESET ROLE"); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Exec(ctx, sql); err == nil {
				t.Errorf("as the owner, %s: no error", sql)
			}
			if _, err := c.Exec(ctx, "SET ROLE landmark_app"); err != nil {
				t.Fatal(err)
			}
			c.Release()
		}
	}
}

// An update's baseline holds from then on; as of before, a page is what it was.
func TestUpdatedBaselineLeavesThePastAlone(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	st := store.New(pgtest.Tx(t))
	by := landmark.Actor{Name: "命令行"}
	if err := st.InsertPlan(ctx, smallPlan(), by, importedAt); err != nil {
		t.Fatal(err)
	}
	for i, text := range []string{"5.50", "/"} {
		newer := smallPlan()
		newer.Projects[0].Indicators[0].BaselineText = text
		newer.Projects[0].Indicators[0].Baseline = landmark.PrintedNumber(text)
		if n, err := st.UpdatePlan(ctx, newer, by, importedAt.AddDate(0, i+1, 0)); err != nil || n != 1 {
			t.Fatalf("%d changes, %v; want 1", n, err)
		}
	}
	for _, c := range []struct {
		asOf time.Time
		text string
	}{
		{importedAt, "1"},
		{importedAt.AddDate(0, 1, 0), "5.50"},
		{importedAt.AddDate(0, 2, 0), "/"},
		{time.Time{}, "/"},
	} {
		r, err := st.Record(ctx, "small-2023", c.asOf, importedAt.AddDate(0, 3, 0), shanghai)
		if err != nil {
			t.Fatal(err)
		}
		ind, err := r.Plan.Indicator("1.1")
		if err != nil {
			t.Fatal(err)
		}
		if want := landmark.PrintedNumber(c.text); ind.BaselineText != c.text || ind.Baseline.Valid != want.Valid ||
			!ind.Baseline.Decimal.Equal(want.Decimal) {
			t.Errorf("as of %s: baseline %q, %v; want %q", c.asOf, ind.BaselineText, ind.Baseline, c.text)
		}
	}
}

// Figures come back with the digits they were entered with.
func TestFiguresKeepTheirZeros(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	pool, err := store.Open(ctx, pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	st := store.New(pool)
	p := smallPlan()
	ind := p.Projects[0].Indicators[0]
	ind.BaselineText, ind.Baseline = "82.80", amount("82.80")
	ind.Targets[0].Text, ind.Targets[0].Amount = "100", amount("100")
	if err := st.InsertPlan(ctx, p, landmark.Actor{Name: "命令行"}, importedAt); err != nil {
		t.Fatal(err)
	}
	r, err := st.Record(ctx, "small-2023", time.Time{}, importedAt, shanghai)
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.Plan.Indicator("1.1")
	if err != nil {
		t.Fatal(err)
	}
	if s := landmark.Entered(got.Baseline.Decimal); s != "82.80" {
		t.Errorf("baseline came back as %s, want 82.80", s)
	}
	if s := landmark.Entered(got.Targets[0].Amount.Decimal); s != "100" {
		t.Errorf("target came back as %s, want 100", s)
	}
	// Reports are sent as arrays.
	var sent string
	err = pool.QueryRow(ctx, "SELECT array_to_string($1::numeric[], ' ', 'none')", []decimal.NullDecimal{amount("25.30"), {}}).Scan(&sent)
	if err != nil || sent != "25.30 none" {
		t.Errorf("sent as an array: %q, %v; want 25.30 and none", sent, err)
	}
}
