package view

import "landmark/internal/landmark"

// DisciplineTable is how the lead departments kept the dates of their reports,
// month by month: another matter than progress.
type DisciplineTable struct {
	Months []landmark.Month
	Rows   []DisciplineRow
	Sum    DisciplineRow
}

// DisciplineRow is a department's line.
type DisciplineRow struct {
	Department landmark.Department
	Href       string
	Months     []landmark.Discipline // one for each month
	All        landmark.Discipline   // added up
}

// newDisciplineTable covers the months that owed reports up to m; nil before any did.
func newDisciplineTable(page Page, r *landmark.Record, m landmark.Month) *DisciplineTable {
	t := &DisciplineTable{}
	for month := r.Plan.FirstMonth(); month <= m; month++ {
		t.Months = append(t.Months, month)
	}
	if len(t.Months) == 0 {
		return nil
	}
	for _, d := range r.Plan.LeadDepartments() {
		row := DisciplineRow{Department: d, Href: page.To("/departments/"+d.Slug) + "#h-discipline"}
		for _, month := range t.Months {
			row.Months = append(row.Months, r.Discipline(d, month))
		}
		row.All = landmark.AddDisciplines(row.Months)
		t.Rows = append(t.Rows, row)
	}
	for i := range t.Months {
		var column []landmark.Discipline
		for _, row := range t.Rows {
			column = append(column, row.Months[i])
		}
		t.Sum.Months = append(t.Sum.Months, landmark.AddDisciplines(column))
	}
	t.Sum.All = landmark.AddDisciplines(t.Sum.Months)
	return t
}

// DisciplineMonth is a month of one department, with the indicators it is about.
type DisciplineMonth struct {
	D             landmark.Discipline
	Due           landmark.Date // extensions included
	Late, Missing []Link
}

// disciplineMonths are a department's months up to m, newest first.
func disciplineMonths(page Page, r *landmark.Record, d landmark.Department, m landmark.Month) []DisciplineMonth {
	var out []DisciplineMonth
	if len(r.Plan.Led(d.ID)) == 0 {
		return nil
	}
	links := func(list []*landmark.Indicator) []Link {
		var out []Link
		for _, ind := range list {
			out = append(out, Link{ind.Code + " " + ind.Name, page.IndicatorHref(ind)})
		}
		return out
	}
	for month := m; month >= r.Plan.FirstMonth(); month-- {
		kept := r.Discipline(d, month)
		out = append(out, DisciplineMonth{D: kept, Due: r.MissingAfter(d.ID, month), Late: links(kept.LateIndicators), Missing: links(kept.MissingIndicators)})
	}
	return out
}
