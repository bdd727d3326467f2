package landmark

import (
	"math/rand/v2"
	"testing"
	"time"
)

func at(t testing.TB, text string) time.Time {
	t.Helper()
	moment, err := time.ParseInLocation("2006-01-02 15:04:05", text, shanghai)
	if err != nil {
		t.Fatal(err)
	}
	return moment
}

func TestDiscipline(t *testing.T) {
	t.Parallel()
	september := MonthOf(2023, 9)
	tests := []struct {
		name, asOf, extension, granted string
		moved                          []string          // due days set, each with the moment
		submitted                      map[string]string // by indicator: when first
		due, received, late            int
		missing, awaited               int
	}{
		// 民政局 owes 4.1 (quarter end), 4.2–4.4 and 9.1–9.3 in September.
		{name: "in time so far", asOf: "2023-10-05 23:59:59", submitted: map[string]string{"4.1": "2023-10-01 08:00:00"}, due: 7, received: 1, awaited: 6},
		{name: "the day after", asOf: "2023-10-06 00:00:00", submitted: map[string]string{"4.1": "2023-10-01 08:00:00"}, due: 7, received: 1, missing: 6},
		{name: "the last second and the next", asOf: "2023-10-12 09:30:00", submitted: map[string]string{"4.1": "2023-10-05 23:59:59", "4.2": "2023-10-06 00:00:00"},
			due: 7, received: 2, late: 1, missing: 5},
		{name: "after the lock", asOf: "2023-11-01 09:30:00", submitted: map[string]string{"4.1": "2023-10-20 10:00:00"}, due: 7, received: 1, late: 1, missing: 6},
		{name: "extended", asOf: "2023-10-12 09:30:00", extension: "2023-10-12", granted: "2023-10-04 09:00:00", submitted: map[string]string{"4.1": "2023-10-08 10:00:00"},
			due: 7, received: 1, awaited: 6},
		{name: "extended too late for what was late", asOf: "2023-10-12 09:30:00", extension: "2023-10-12", granted: "2023-10-09 09:00:00",
			submitted: map[string]string{"4.1": "2023-10-08 10:00:00", "4.2": "2023-10-10 10:00:00"}, due: 7, received: 2, late: 1, awaited: 5},
		{name: "the date moved on afterwards", asOf: "2023-10-12 09:30:00", moved: []string{"2023-10-10", "2023-10-09 09:00:00"},
			submitted: map[string]string{"4.1": "2023-10-06 00:00:00", "4.2": "2023-10-09 09:00:00"}, due: 7, received: 2, late: 1, missing: 5},
		{name: "the date moved back afterwards", asOf: "2023-10-12 09:30:00", moved: []string{"2023-10-02", "2023-10-08 09:00:00"},
			submitted: map[string]string{"4.1": "2023-10-05 23:59:59", "4.2": "2023-10-08 10:00:00"}, due: 7, received: 2, late: 1, missing: 5},
		{name: "moved twice, back in the end", asOf: "2023-10-12 09:30:00", moved: []string{"2023-10-10", "2023-10-01 09:00:00", "2023-10-03", "2023-10-08 09:00:00"},
			submitted: map[string]string{"4.1": "2023-10-07 08:00:00", "4.2": "2023-10-08 08:59:59", "4.3": "2023-10-08 09:00:00"}, due: 7, received: 3, late: 1, missing: 4},
		{name: "moved on before the lock", asOf: "2023-10-15 09:30:00", moved: []string{"2023-10-15", "2023-10-14 09:00:00"},
			submitted: map[string]string{"4.1": "2023-10-15 10:00:00"}, due: 7, received: 1, awaited: 6},
		{name: "moved on after the lock: missing stays", asOf: "2023-10-17 09:30:00", moved: []string{"2023-10-20", "2023-10-16 00:00:00"},
			submitted: map[string]string{"4.1": "2023-10-05 10:00:00"}, due: 7, received: 1, missing: 6},
		{name: "the lock itself moved in time", asOf: "2023-10-20 09:30:00", moved: []string{"2023-10-18", "2023-10-15 23:59:59", "2023-10-22", "2023-10-19 09:00:00"},
			due: 7, awaited: 7},
		{name: "extended after the lock, by exception", asOf: "2023-10-17 09:30:00", moved: []string{"2023-10-20", "2023-10-16 00:00:00"},
			extension: "2023-10-19", granted: "2023-10-16 10:00:00", due: 7, awaited: 7},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := tongxiang(t)
			r := recordOf(p, Date{2023, 10, 1})
			r.AsOf = at(t, test.asOf)
			var department Department
			for _, d := range p.LeadDepartments() {
				if d.Name == "民政局" {
					department = d
				}
			}
			for code, when := range test.submitted {
				ind, err := p.Indicator(code)
				if err != nil {
					t.Fatal(err)
				}
				// Returned and submitted again later: the first time counts.
				r.Reports[ind.ID] = []Report{{Month: september, State: StateSubmitted, FirstSubmittedAt: at(t, when), SubmittedAt: at(t, when).AddDate(0, 0, 30)}}
			}
			if test.extension != "" {
				r.Extensions = []Extension{{DepartmentID: department.ID, Month: september, Due: day(t, test.extension), RecordedAt: at(t, test.granted)}}
			}
			for i := 0; i < len(test.moved); i += 2 {
				due := day(t, test.moved[i])
				r.Periods[september] = append(r.Periods[september], PeriodSet{RecordedAt: at(t, test.moved[i+1]),
					Period: Period{Month: september, Opens: Date{2023, 9, 30}, Due: due, Grace: due.AddDays(1), Lock: due.AddDays(2)}})
			}
			d := r.Discipline(department, september)
			if d.Due != test.due || d.Received != test.received || d.Late != test.late || d.Missing != test.missing || d.Awaited != test.awaited {
				t.Errorf("due %d received %d late %d missing %d awaited %d", d.Due, d.Received, d.Late, d.Missing, d.Awaited)
			}
			if len(d.LateIndicators) != d.Late || len(d.MissingIndicators) != d.Missing || d.Complete() {
				t.Errorf("late %d, missing %d indicators named", len(d.LateIndicators), len(d.MissingIndicators))
			}
			// A draft is no report.
			if len(d.MissingIndicators) > 0 {
				ind := d.MissingIndicators[0]
				r.Reports[ind.ID] = []Report{{Month: september, State: StateDraft}}
				if again := r.Discipline(department, september); again.Missing != d.Missing {
					t.Errorf("a draft counts as a report: %d missing, %d before", again.Missing, d.Missing)
				}
			}
		})
	}
}

// TestDisciplineOwed: only what a month owes counts, and nothing before the plan.
func TestDisciplineOwed(t *testing.T) {
	t.Parallel()
	p := tongxiang(t)
	r := recordOf(p, Date{2024, 1, 31})
	for m, want := range map[Month]int{
		MonthOf(2023, 4): 0, MonthOf(2023, 5): 21, MonthOf(2023, 6): 23, MonthOf(2023, 11): 21, MonthOf(2023, 12): 30, MonthOf(2024, 1): 0,
	} {
		sum := AddDisciplines(r.Disciplines(m))
		if sum.Due != want || sum.Missing != want || sum.Month != m || sum.Department.ID != 0 {
			t.Errorf("%s: due %d, missing %d of %s, want %d", m, sum.Due, sum.Missing, sum.Month, want)
		}
	}
}

func TestDisciplinesAddUp(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(8, 8))
	p := tongxiang(t)
	for range 200 {
		r := recordOf(p, Date{2023, 5 + rng.IntN(8), 1 + rng.IntN(28)})
		m := MonthOf(2023, 5+rng.IntN(8))
		received := 0
		for _, ind := range p.Indicators() {
			switch rng.IntN(3) {
			case 0:
				r.Reports[ind.ID] = []Report{{Month: m, FirstSubmittedAt: m.LastDay().AddDays(rng.IntN(12)).Time(shanghai)}}
			case 1:
				r.Values[ind.ID] = []Value{{Month: m, ReportedAt: m.LastDay().AddDays(rng.IntN(12)).Time(shanghai)}}
			default:
				continue
			}
			if p.Owes(ind, m) {
				received++
			}
		}
		sum := AddDisciplines(r.Disciplines(m))
		if sum.Due != sum.Received+sum.Missing+sum.Awaited || sum.Late > sum.Received || sum.Received != received {
			t.Fatalf("%+v", sum)
		}
		if sum.Missing > 0 && sum.Awaited > 0 {
			t.Fatal("without extensions all departments have one due date")
		}
	}
}
