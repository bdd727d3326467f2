package server

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"landmark/internal/landmark"
)

func TestVisibleTo(t *testing.T) {
	t.Parallel()
	month := landmark.MonthOf(2023, 9)
	at := time.Date(2023, 10, 4, 9, 0, 0, 0, time.UTC)
	amount := func(n int64) decimal.NullDecimal { return decimal.NewNullDecimal(decimal.NewFromInt(n)) }
	ind := &landmark.Indicator{ID: 7}
	plan := &landmark.Plan{Projects: []*landmark.Project{{Lead: landmark.Department{ID: 1}, Indicators: []*landmark.Indicator{ind}}}}
	report := func(state landmark.State) landmark.Report {
		return landmark.Report{ID: 3, IndicatorID: 7, Month: month, State: state, Revision: 2, Amount: amount(99), Note: "内部说明", Reason: "原因",
			ReturnedFor: "口径不对", SubmittedBy: "填报员", SubmittedAt: at.Add(time.Hour), FirstSubmittedAt: at, StateAt: at.Add(2 * time.Hour), StateBy: "审核员"}
	}
	value := landmark.Value{Month: month, Amount: amount(50), Note: "已核定的说明", Revision: 1, ReportedBy: "填报员", ReportedAt: at, ApprovedBy: "审核员", ApprovedAt: at.Add(30 * time.Minute)}
	received := landmark.Report{ID: 3, IndicatorID: 7, Month: month, State: landmark.StateSubmitted, Revision: 1,
		SubmittedBy: "填报员", SubmittedAt: at, FirstSubmittedAt: at, StateAt: at}
	stands := landmark.Report{ID: 3, IndicatorID: 7, Month: month, State: landmark.StateApproved, Revision: 1, Amount: amount(50), Note: "已核定的说明",
		SubmittedBy: "填报员", SubmittedAt: at, FirstSubmittedAt: at, StateAt: at.Add(30 * time.Minute), StateBy: "审核员"}
	people := map[string]struct {
		user landmark.User
		all  bool
	}{
		"visitor":    {landmark.User{}, false},
		"viewer":     {landmark.User{ID: 1, Role: landmark.RoleViewer}, false},
		"helper":     {landmark.User{ID: 1, Role: landmark.RoleViewer, DepartmentID: 1}, false},
		"reporter B": {landmark.User{ID: 1, Role: landmark.RoleReporter, DepartmentID: 2}, false},
		"leader B":   {landmark.User{ID: 1, Role: landmark.RoleLeader, DepartmentID: 2}, false},
		"reporter A": {landmark.User{ID: 1, Role: landmark.RoleReporter, DepartmentID: 1}, true},
		"leader A":   {landmark.User{ID: 1, Role: landmark.RoleLeader, DepartmentID: 1}, true},
		"office":     {landmark.User{ID: 1, Role: landmark.RoleOffice}, true},
	}
	for name, c := range map[string]struct {
		state    landmark.State
		approved bool
		outside  landmark.Report
	}{
		"submitted":                 {landmark.StateSubmitted, false, received},
		"signed":                    {landmark.StateSigned, false, received},
		"returned":                  {landmark.StateReturned, false, received},
		"correction submitted":      {landmark.StateSubmitted, true, stands},
		"correction returned":       {landmark.StateReturned, true, stands},
		"approved, as it was given": {landmark.StateApproved, true, report(landmark.StateApproved)},
	} {
		rec := &landmark.Record{Plan: plan, Reports: map[int64][]landmark.Report{7: {report(c.state)}}, Values: map[int64][]landmark.Value{}}
		if c.approved {
			rec.Values[7] = []landmark.Value{value}
		}
		for who, p := range people {
			want := c.outside
			if p.all {
				want = report(c.state)
			}
			got := visibleTo(p.user, rec)
			if diff := cmp.Diff([]landmark.Report{want}, got.Reports[7], cmp.Comparer(func(a, b decimal.Decimal) bool { return a.Equal(b) })); diff != "" {
				t.Errorf("%s for %s (-want +got):\n%s", name, who, diff)
			}
			if diff := cmp.Diff(report(c.state), rec.Reports[7][0], cmp.Comparer(func(a, b decimal.Decimal) bool { return a.Equal(b) })); diff != "" {
				t.Errorf("%s for %s changed the record itself:\n%s", name, who, diff)
			}
		}
	}
}
