package landmark

import (
	"strings"
	"testing"
)

func TestReminders(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, asOf string
		sent       bool   // all that 民政局 owes came in
		extension  string // of 民政局
		period     *Period
		want       NoticeKind // for 民政局 and September, empty: none
	}{
		{name: "not open yet", asOf: "2023-09-29 10:00:00"},
		{name: "open, before the hour", asOf: "2023-09-30 08:59:59"},
		{name: "open", asOf: "2023-09-30 09:00:00", want: NoticeOpen},
		{name: "three days before", asOf: "2023-10-02 23:59:59", want: NoticeOpen},
		{name: "two days before, before the hour", asOf: "2023-10-03 00:00:00"},
		{name: "two days before", asOf: "2023-10-03 09:00:00", want: NoticeDue},
		{name: "the day it is due", asOf: "2023-10-05 23:59:59", want: NoticeDue},
		{name: "the day late", asOf: "2023-10-06 09:00:00", want: NoticeLate},
		{name: "the day it is locked", asOf: "2023-10-15 23:00:00", want: NoticeLate},
		{name: "locked", asOf: "2023-10-16 09:00:00"},
		{name: "sent, two days before", asOf: "2023-10-03 09:00:00", sent: true},
		{name: "sent, late", asOf: "2023-10-06 09:00:00", sent: true},
		{name: "extended", asOf: "2023-10-06 09:00:00", extension: "2023-10-12", want: NoticeOpen},
		{name: "extended, two days before", asOf: "2023-10-10 09:00:00", extension: "2023-10-12", want: NoticeDue},
		{name: "extended beyond the lock, late", asOf: "2023-10-21 09:00:00", extension: "2023-10-20", want: NoticeLate},
		{name: "extended beyond the lock, over", asOf: "2023-10-22 09:00:00", extension: "2023-10-20"},
		{name: "the office moved the dates", asOf: "2023-10-07 09:00:00", want: NoticeDue,
			period: &Period{Month: MonthOf(2023, 9), Opens: Date{2023, 10, 1}, Due: Date{2023, 10, 9}, Grace: Date{2023, 10, 11}, Lock: Date{2023, 10, 20}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := tongxiang(t)
			r := recordOf(p, Date{2023, 10, 1})
			r.AsOf = at(t, test.asOf)
			var d Department
			for _, lead := range p.LeadDepartments() {
				if lead.Name == "民政局" {
					d = lead
				}
			}
			for _, ind := range p.Indicators() {
				if test.sent && ind.Project.Lead.ID == d.ID {
					r.Reports[ind.ID] = []Report{{Month: MonthOf(2023, 9), State: StateSubmitted, FirstSubmittedAt: at(t, "2023-09-30 10:00:00")}}
				}
			}
			if test.extension != "" {
				r.Extensions = []Extension{{DepartmentID: d.ID, Month: MonthOf(2023, 9), Due: day(t, test.extension), RecordedAt: at(t, "2023-10-01 09:00:00")}}
			}
			if test.period != nil {
				r.Periods = map[Month][]PeriodSet{test.period.Month: {{*test.period, at(t, "2023-10-01 08:00:00")}}}
			}
			var got []Notice
			for _, n := range r.Reminders() {
				if n.Department.ID == d.ID && n.Month == MonthOf(2023, 9) {
					got = append(got, n)
				}
			}
			switch {
			case test.want == "" && len(got) > 0:
				t.Errorf("reminded of %s: %s", got[0].Kind, got[0].Title)
			case test.want != "" && (len(got) != 1 || got[0].Kind != test.want):
				t.Errorf("got %v, want one %s", got, test.want)
			case test.want != "" && (got[0].Audience != ForDepartment || !strings.Contains(got[0].Title, "9月") || got[0].Cause != ""):
				t.Errorf("the reminder reads %+v", got[0])
			}
		})
	}
}

// A reminder names what is owed and counts all of it.
func TestReminderNamesWhatIsOwed(t *testing.T) {
	t.Parallel()
	p := tongxiang(t)
	r := recordOf(p, Date{2023, 10, 1})
	r.AsOf = at(t, "2023-10-03 09:00:00")
	for _, n := range r.Reminders() {
		if n.Department.Name != "民政局" || n.Month != MonthOf(2023, 9) {
			continue
		}
		// 4.1–4.4 and 9.1–9.3: seven, of which five are named.
		for _, want := range []string{"还有7项没有报:4.1 ", "、9.1 ", "等。"} {
			if !strings.Contains(n.Body, want) {
				t.Errorf("%q does not say %q", n.Body, want)
			}
		}
		if strings.Contains(n.Body, "9.2") {
			t.Errorf("%q names more than five", n.Body)
		}
		return
	}
	t.Error("民政局 was not reminded")
}

func TestHears(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		role       Role
		department int64
		want       [3]bool // of department 7's: department, leader, office
	}{
		{RoleOffice, 0, [3]bool{false, false, true}},
		{RoleReporter, 7, [3]bool{true, false, false}},
		{RoleLeader, 7, [3]bool{true, true, false}},
		{RoleReporter, 8, [3]bool{false, false, false}},
		{RoleLeader, 8, [3]bool{false, false, false}},
		{RoleViewer, 7, [3]bool{false, false, false}},
	} {
		u := User{ID: 1, Role: test.role, DepartmentID: test.department}
		if got := [3]bool{u.Hears(ForDepartment, 7), u.Hears(ForLeader, 7), u.Hears(ForOffice, 7)}; got != test.want {
			t.Errorf("%s of %d hears %v, want %v", test.role, test.department, got, test.want)
		}
	}
}
