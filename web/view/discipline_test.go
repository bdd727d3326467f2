package view

import (
	"testing"

	"landmark/internal/landmark"
)

// The table adds up in both directions, and every department's page says the same.
func TestDisciplineAddsUp(t *testing.T) {
	t.Parallel()
	r := madeRecord()
	m := landmark.MonthOf(2023, 9)
	page := madePage(r, 9, "/departments")
	table := newDisciplineTable(page, r, m)
	if table == nil || len(table.Months) != 5 || len(table.Rows) != len(r.Plan.LeadDepartments()) {
		t.Fatalf("table %+v", table)
	}
	var due, received, late, missing int
	for _, row := range table.Rows {
		months := disciplineMonths(page, r, row.Department, m)
		for i, d := range row.Months {
			if d.Due != d.Received+d.Missing+d.Awaited || d.Late > d.Received {
				t.Errorf("%s %s: %+v", row.Department.Name, table.Months[i], d)
			}
			own := months[len(months)-1-i].D
			if own.Due != d.Due || own.Received != d.Received || own.Late != d.Late || own.Missing != d.Missing || own.Month != table.Months[i] {
				t.Errorf("%s %s: its page says %+v, the list %+v", row.Department.Name, table.Months[i], own, d)
			}
			due, received, late, missing = due+d.Due, received+d.Received, late+d.Late, missing+d.Missing
		}
	}
	if s := table.Sum.All; s.Due != due || s.Received != received || s.Late != late || s.Missing != missing || due == 0 || missing == 0 {
		t.Errorf("sum %+v, want %d %d %d %d", s, due, received, late, missing)
	}
	if newDisciplineTable(page, r, landmark.MonthOf(2023, 4)) != nil {
		t.Error("a table for a month before the plan")
	}
}
