package landmark

import "time"

// Discipline is how a department kept a month's dates (报送纪律): another matter
// than progress. Due = Received + Missing + Awaited; Late is part of Received.
type Discipline struct {
	Department Department
	Month      Month
	Due        int // 应报: indicators that owe a value
	Received   int // 实报: submitted at least once
	Late       int // 迟报: first submitted after the due date, once and for ever
	Missing    int // 漏报: due date passed and never submitted
	Awaited    int // not submitted, but still in time

	LateIndicators    []*Indicator
	MissingIndicators []*Indicator
}

// Complete says whether all that is owed has come in.
func (d Discipline) Complete() bool { return d.Received == d.Due }

// Discipline is how a department kept the dates of month m.
func (r *Record) Discipline(department Department, m Month) Discipline {
	d := Discipline{Department: department, Month: m}
	overdue := r.Today().Compare(r.MissingAfter(department.ID, m)) > 0
	for _, project := range r.Plan.Led(department.ID) {
		for _, ind := range project.Indicators {
			if !r.Plan.Owes(ind, m) {
				continue
			}
			d.Due++
			at, submitted := r.FirstSubmitted(ind, m)
			switch {
			case submitted:
				d.Received++
				if r.LateAt(department.ID, m, at) {
					d.Late++
					d.LateIndicators = append(d.LateIndicators, ind)
				}
			case overdue:
				d.Missing++
				d.MissingIndicators = append(d.MissingIndicators, ind)
			default:
				d.Awaited++
			}
		}
	}
	return d
}

// Disciplines are those of all lead departments for month m, in the plan's order.
func (r *Record) Disciplines(m Month) []Discipline {
	var out []Discipline
	for _, department := range r.Plan.LeadDepartments() {
		out = append(out, r.Discipline(department, m))
	}
	return out
}

// AddDisciplines adds disciplines up, of several departments, several months or both. The
// sum carries the department and the month where all have the same.
func AddDisciplines(ds []Discipline) Discipline {
	var sum Discipline
	for i, d := range ds {
		if i == 0 {
			sum.Department, sum.Month = d.Department, d.Month
		}
		if d.Department.ID != sum.Department.ID {
			sum.Department = Department{}
		}
		if d.Month != sum.Month {
			sum.Month = 0
		}
		sum.Due += d.Due
		sum.Received += d.Received
		sum.Late += d.Late
		sum.Missing += d.Missing
		sum.Awaited += d.Awaited
		sum.LateIndicators = append(sum.LateIndicators, d.LateIndicators...)
		sum.MissingIndicators = append(sum.MissingIndicators, d.MissingIndicators...)
	}
	return sum
}

// FirstSubmitted is when an indicator's report of month m was submitted for the
// first time, as far as the record shows. A value that was taken over without a
// report counts from when it was reported.
func (r *Record) FirstSubmitted(ind *Indicator, m Month) (time.Time, bool) {
	for _, report := range r.Reports[ind.ID] {
		if report.Month == m && !report.FirstSubmittedAt.IsZero() {
			return report.FirstSubmittedAt, true
		}
	}
	if v, ok := r.Value(ind.ID, m); ok {
		return v.ReportedAt, true
	}
	return time.Time{}, false
}

// LateAt says whether a report submitted at a moment was late, once and for ever:
// only the dates set and the extensions granted by then count. A date moved
// afterwards makes no late report punctual and no punctual one late.
func (r *Record) LateAt(departmentID int64, m Month, at time.Time) bool {
	due := r.extended(departmentID, m, r.periodAt(m, at).Due, at)
	return DateOf(at.In(r.Zone)).Compare(due) > 0
}
