package demo_test

import (
	"bytes"
	"testing"
	"time"

	"landmark/internal/demo"
	"landmark/internal/landmark"
	"landmark/internal/pgtest"
	"landmark/internal/sheet"
	"landmark/internal/store"
	"landmark/seeds"
)

var shanghai = time.FixedZone("CST", 8*3600)

// filled is the seed plan with the demo's story, read at the demo's start.
func filled(t *testing.T) (*store.Store, *landmark.Record) {
	t.Helper()
	ctx := t.Context()
	table, err := sheet.ReadTable(bytes.NewReader(seeds.Table))
	if err != nil {
		t.Fatal(err)
	}
	details, err := sheet.ReadDetails(bytes.NewReader(seeds.Details))
	if err != nil {
		t.Fatal(err)
	}
	departments, err := sheet.ReadDepartments(bytes.NewReader(seeds.Departments))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := sheet.BuildPlan(table, details, sheet.Options{Title: seeds.Title, Slug: seeds.Slug,
		Published: landmark.Date{Year: 2023, Month: 5, Day: 31}, Departments: departments})
	if err != nil {
		t.Fatal(err)
	}
	st := store.New(pgtest.DB(t))
	at := time.Date(2023, 5, 31, 9, 0, 0, 0, shanghai)
	if err := st.InsertPlan(ctx, plan, landmark.Actor{Name: "命令行"}, at); err != nil {
		t.Fatal(err)
	}
	users := map[string]landmark.User{}
	for _, a := range demo.Accounts() {
		u := landmark.User{Name: a.Name, DisplayName: a.DisplayName, Role: a.Role}
		if a.Department != "" {
			if u.Department, err = st.FindDepartment(ctx, a.Department); err != nil {
				t.Fatal(err)
			}
			u.DepartmentID = u.Department.ID
		}
		if u.ID, err = st.InsertAccount(ctx, store.Account{User: u, Hash: store.NoPassword, Demo: true}, at); err != nil {
			t.Fatal(err)
		}
		users[a.Name] = u
	}
	if err := demo.Fill(ctx, st, seeds.Slug, users, shanghai); err != nil {
		t.Fatal(err)
	}
	r, err := st.Record(ctx, seeds.Slug, time.Time{}, time.Date(2023, 10, 12, 9, 30, 0, 0, shanghai), shanghai)
	if err != nil {
		t.Fatal(err)
	}
	return st, r
}

func TestStory(t *testing.T) {
	t.Parallel()
	st, r := filled(t)
	september := landmark.MonthOf(2023, 9)
	if got := r.NewestDue(); got != september {
		t.Errorf("newest month due = %s, want %s", got, september)
	}
	b := r.Board(september)
	if got := b.Counts.Total(); got != 30 {
		t.Errorf("%d indicators, want 30", got)
	}
	for _, l := range []landmark.Light{landmark.Critical, landmark.Behind, landmark.Unreported, landmark.OnTrack, landmark.Done, landmark.NotDue} {
		if b.Counts[l] == 0 {
			t.Errorf("no indicator is %s in September", l)
		}
	}
	var overridden, corrected, late, missing, stale int
	for _, a := range b.Assessments() {
		if a.Override != nil && a.Light != a.Computed {
			overridden++
		}
		if a.Light == landmark.Unreported && a.Last != nil {
			stale++
		}
	}
	for _, ind := range r.Plan.Indicators() {
		for _, v := range r.Values[ind.ID] {
			if v.Corrections > 0 {
				corrected++
			}
		}
	}
	for _, d := range r.Disciplines(september) {
		if d.Due > 0 && d.Late == d.Due {
			late++
		}
		if d.Due > 0 && d.Missing == d.Due {
			missing++
		}
	}
	if overridden == 0 || corrected == 0 || late != 1 || missing != 1 || stale == 0 || len(r.Chases) == 0 {
		t.Errorf("%d overridden, %d corrected, %d with an old value only, %d chased, want some of each; %d departments late and %d missing, want one of each", overridden, corrected, stale, len(r.Chases), late, missing)
	}
	ind, err := r.Plan.Indicator("3.1")
	if err != nil {
		t.Fatal(err)
	}
	want := "截至9月底累计 13,820 人,完成率 69.1%,序时应达 75.0%,落后 5.9 个百分点,判为滞后(目标 20,000 人;规则自2023年5月起:容差5点,红线20点)。"
	if got := r.Assess(ind, september).Explanation(); got != want {
		t.Errorf("3.1 explains itself as\n%s, want\n%s", got, want)
	}
	if _, err := st.Seal(t.Context(), 10000, r.AsOf); err != nil {
		t.Fatal(err)
	}
	if head, _, err := st.VerifyHistory(t.Context()); err != nil || head.Seq < 200 {
		t.Errorf("history head %v, error %v; want a whole chain of some hundred lines", head, err)
	}
}

// Nobody is told anything that happened later: at each moment of the story the
// record holds only what was said by then.
func TestNothingFromTheFuture(t *testing.T) {
	t.Parallel()
	st, _ := filled(t)
	at := time.Date(2023, 8, 21, 23, 0, 0, 0, shanghai)
	r, err := st.Record(t.Context(), seeds.Slug, at, at, shanghai)
	if err != nil {
		t.Fatal(err)
	}
	for _, ind := range r.Plan.Indicators() {
		for _, v := range r.Values[ind.ID] {
			if v.ApprovedAt.After(at) || v.Month > landmark.MonthOf(2023, 7) {
				t.Errorf("%s shows %s approved at %s on %s", ind.Code, v.Month, v.ApprovedAt, at)
			}
		}
	}
	ind, err := r.Plan.Indicator("4.1")
	if err != nil {
		t.Fatal(err)
	}
	// The correction of June was sent that day and approved the next.
	if v, _ := r.Value(ind.ID, landmark.MonthOf(2023, 6)); v.Amount.Decimal.String() != "25.2" {
		t.Errorf("4.1 for June = %s before its correction was approved, want 25.2", v.Amount.Decimal)
	}
	if got := r.Report(ind.ID, landmark.MonthOf(2023, 6)); got.State != landmark.StateSubmitted || !got.Correction {
		t.Errorf("4.1 for June is %+v, want a correction on its way", got)
	}
}
