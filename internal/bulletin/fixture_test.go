package bulletin

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"landmark/internal/landmark"
	"landmark/internal/sheet"
	"landmark/seeds"
)

var shanghai = time.FixedZone("CST", 8*3600)

func moment(month, day, hour int) time.Time {
	return time.Date(2023, time.Month(month), day, hour, 0, 0, 0, shanghai)
}

// record is the published plan with made-up reports for a few months, in which
// every light occurs, one department is late and one misses a report.
func record(t testing.TB, asOf time.Time) *landmark.Record {
	t.Helper()
	table, err := sheet.ReadTable(bytes.NewReader(seeds.Table))
	if err != nil {
		t.Fatal(err)
	}
	details, err := sheet.ReadDetails(bytes.NewReader(seeds.Details))
	if err != nil {
		t.Fatal(err)
	}
	published, err := landmark.ParseDate(seeds.Published)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := sheet.BuildPlan(table, details, sheet.Options{Title: seeds.Title, Slug: seeds.Slug, City: seeds.City, Published: published})
	if err != nil {
		t.Fatal(err)
	}
	departments := map[string]int64{}
	for i, p := range plan.Projects {
		p.ID = int64(i + 1)
		if departments[p.Lead.Name] == 0 {
			departments[p.Lead.Name] = int64(len(departments) + 1)
		}
		p.Lead.ID = departments[p.Lead.Name]
	}
	for i, ind := range plan.Indicators() {
		ind.ID = int64(i + 1)
	}
	r := &landmark.Record{
		Plan: plan, AsOf: asOf, Zone: shanghai,
		Values: map[int64][]landmark.Value{}, Reports: map[int64][]landmark.Report{}, Overrides: map[int64][]landmark.Override{},
		Updates: map[int64][]landmark.TaskUpdate{}, Milestones: map[int64][]landmark.Milestone{}, Periods: map[landmark.Month][]landmark.PeriodSet{},
	}
	for code, amounts := range map[string][2]string{
		"1.1": {"", "3.7"}, "2.1": {"3000", "4590"}, "2.2": {"5", "10"}, "2.3": {"1", "2"}, "3.1": {"11800", "13820"}, "3.2": {"0.9", "1.1"},
		"4.1": {"", "25.3"}, "4.2": {"30", "38.2"}, "4.3": {"1", "2"}, "4.4": {"60", "60"}, "6.1": {"1", "2"}, "6.2": {"1", "2"}, "6.3": {"5", "8"},
		"6.5": {"2800", "3150"}, "7.1": {"25", "39"}, "7.2": {"35", "44.5"}, "7.3": {"78", "79"}, "8.1": {"60", "74"}, "8.3": {"55", "80"},
		"9.1": {"12", "12"}, "9.2": {"2", "4"},
	} {
		approve(t, r, code, landmark.MonthOf(2023, 8), amounts[0], moment(9, 4, 10), "")
		approve(t, r, code, landmark.MonthOf(2023, 9), amounts[1], moment(10, 4, 10), "")
	}
	step(t, r, "3.3", landmark.MonthOf(2023, 9), "推进中")
	give(t, r, "3.1", landmark.MonthOf(2023, 8), "肠镜预约排期较长。")
	give(t, r, "9.1", landmark.MonthOf(2023, 9), "四星级评定集中在第四季度开展")
	// 6.5 came on the 7th.
	late := indicator(t, r, "6.5")
	for i := range r.Reports[late.ID] {
		if r.Reports[late.ID][i].Month == landmark.MonthOf(2023, 9) {
			r.Reports[late.ID][i].FirstSubmittedAt = moment(10, 7, 9)
		}
	}
	return r
}

func indicator(t testing.TB, r *landmark.Record, code string) *landmark.Indicator {
	t.Helper()
	ind, err := r.Plan.Indicator(code)
	if err != nil {
		t.Fatal(err)
	}
	return ind
}

// approve adds an approved value, replacing the month's if there is one.
func approve(t testing.TB, r *landmark.Record, code string, m landmark.Month, amount string, at time.Time, reason string) {
	t.Helper()
	if amount == "" || at.After(r.AsOf) {
		return
	}
	ind := indicator(t, r, code)
	v := landmark.Value{Month: m, Amount: decimal.NewNullDecimal(decimal.RequireFromString(amount)), Reason: reason, Revision: 1, ApprovedAt: at}
	for i, old := range r.Values[ind.ID] {
		if old.Month == m {
			v.Revision, v.Corrections, v.Previous = old.Revision+1, old.Corrections+1, old.Amount
			r.Values[ind.ID][i] = v
			return
		}
	}
	r.Values[ind.ID] = append(r.Values[ind.ID], v)
	r.Reports[ind.ID] = append(r.Reports[ind.ID], landmark.Report{IndicatorID: ind.ID, Month: m, State: landmark.StateApproved, Revision: 1, FirstSubmittedAt: at})
}

func step(t testing.TB, r *landmark.Record, code string, m landmark.Month, name string) {
	t.Helper()
	ind := indicator(t, r, code)
	r.Values[ind.ID] = append(r.Values[ind.ID], landmark.Value{Month: m, Step: name, Revision: 1, ApprovedAt: moment(10, 4, 10)})
}

// give sets the reason of a month's value.
func give(t testing.TB, r *landmark.Record, code string, m landmark.Month, reason string) {
	t.Helper()
	ind := indicator(t, r, code)
	for i := range r.Values[ind.ID] {
		if r.Values[ind.ID][i].Month == m {
			r.Values[ind.ID][i].Reason = reason
			return
		}
	}
	if r.AsOf.After(m.LastDay().Time(shanghai).AddDate(0, 0, 6)) {
		t.Fatalf("%s has no value for %s", code, m)
	}
}

// september is the input of September's bulletin, the second of the year, with
// reasons and next steps filled in.
func september(t testing.TB) Input {
	t.Helper()
	r, before := record(t, moment(10, 15, 10)), record(t, moment(9, 15, 10))
	previous := Draft(Input{Board: before.Board(landmark.MonthOf(2023, 8)), Number: 1, Date: landmark.Date{Year: 2023, Month: 9, Day: 15}})
	in := Input{
		Board: r.Board(landmark.MonthOf(2023, 9)), Number: 2, Date: landmark.Date{Year: 2023, Month: 10, Day: 15},
		Previous: &previous,
		Texts:    map[string]string{},
		History:  "128:" + strings.Repeat("0f", 32),
	}
	for _, b := range Draft(in).Blocks {
		switch {
		case b.Code == "" || !b.Joined:
		case b.Lead == "原因：" && b.Template == reasonPending+"。":
			in.Texts[b.Key] = "项目前期手续办理时间较长。"
		case b.Lead == "下一步：":
			in.Texts[b.Key] = "由{{" + b.Code + ".lead}}逐月倒排计划，年底前完成剩余{{" + b.Code + ".left}}。"
		}
	}
	return in
}
