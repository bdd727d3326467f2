package bulletin

import (
	"fmt"
	"slices"
	"strconv"

	"landmark/internal/landmark"
)

// discipline is how one lead department kept a month's dates, counted in
// indicators.
type discipline struct {
	Department landmark.Department
	Due        int      // 应报
	Received   int      // 实报: sent in by the moment shown, late ones too
	Late       int      // 迟报: sent in after the due day
	Missing    []string // 漏报: names of indicators never sent in
	Pending    []string // sent in, not yet approved
}

// disciplineOf is the month's reporting discipline by lead department.
func disciplineOf(r *landmark.Record, m landmark.Month) []discipline {
	var out []discipline
	for _, dept := range r.Plan.LeadDepartments() {
		d := discipline{Department: dept}
		due := r.DueFor(dept.ID, m)
		for _, p := range r.Plan.Led(dept.ID) {
			for _, ind := range p.Indicators {
				if !r.Plan.Owes(ind, m) {
					continue
				}
				d.Due++
				_, approved := r.Value(ind.ID, m)
				sent := slices.IndexFunc(r.Reports[ind.ID], func(rep landmark.Report) bool {
					return rep.Month == m && !rep.FirstSubmittedAt.IsZero()
				})
				if sent < 0 && !approved {
					d.Missing = append(d.Missing, ind.Name)
					continue
				}
				d.Received++
				if !approved {
					d.Pending = append(d.Pending, ind.Name)
				}
				if sent >= 0 && landmark.DateOf(r.Reports[ind.ID][sent].FirstSubmittedAt.In(r.Zone)).Compare(due) > 0 {
					d.Late++
				}
			}
		}
		out = append(out, d)
	}
	return out
}

func disciplineFigures(f map[string]string, all []discipline) {
	var due, received, late, missing, pending int
	var lateNames, missingNames, pendingNames []string
	for _, d := range all {
		due, received, late = due+d.Due, received+d.Received, late+d.Late
		missing, pending = missing+len(d.Missing), pending+len(d.Pending)
		if d.Late > 0 {
			lateNames = append(lateNames, fmt.Sprintf("%s（%d项）", d.Department.Name, d.Late))
		}
		if len(d.Missing) > 0 {
			missingNames = append(missingNames, fmt.Sprintf("%s（%s）", d.Department.Name, listed(d.Missing)))
		}
		if len(d.Pending) > 0 {
			pendingNames = append(pendingNames, fmt.Sprintf("%s（%s）", d.Department.Name, listed(d.Pending)))
		}
	}
	f["due"], f["received"], f["late"] = strconv.Itoa(due), strconv.Itoa(received), strconv.Itoa(late)
	f["on_time"], f["missing"], f["pending"] = strconv.Itoa(received-late), strconv.Itoa(missing), strconv.Itoa(pending)
	f["late.departments"], f["missing.departments"], f["pending.departments"] = listed(lateNames), listed(missingNames), listed(pendingNames)
}
