package bulletin

import (
	"fmt"
	"strconv"

	"landmark/internal/landmark"
)

func disciplineFigures(f map[string]string, r *landmark.Record, m landmark.Month) {
	all := r.Disciplines(m)
	var late, missing []string
	for _, d := range all {
		if d.Late > 0 {
			late = append(late, fmt.Sprintf("%s（%s）", d.Department.Name, indicatorNames(d.LateIndicators)))
		}
		if d.Missing > 0 {
			missing = append(missing, fmt.Sprintf("%s（%s）", d.Department.Name, indicatorNames(d.MissingIndicators)))
		}
	}
	sum := landmark.AddDisciplines(all)
	f["due"], f["received"], f["late"] = strconv.Itoa(sum.Due), strconv.Itoa(sum.Received), strconv.Itoa(sum.Late)
	f["on_time"], f["missing"], f["awaited"] = strconv.Itoa(sum.Received-sum.Late), strconv.Itoa(sum.Missing), strconv.Itoa(sum.Awaited)
	f["late.departments"], f["missing.departments"] = listed(late), listed(missing)
	pending := pendingOf(r, m)
	f["pending"], f["pending.names"] = strconv.Itoa(len(pending)), indicatorNames(pending)
}

// pendingOf are the indicators sent in for a month and not approved yet.
func pendingOf(r *landmark.Record, m landmark.Month) []*landmark.Indicator {
	var out []*landmark.Indicator
	for _, ind := range r.Plan.Indicators() {
		_, sent := r.FirstSubmitted(ind, m)
		if _, approved := r.Value(ind.ID, m); sent && !approved && r.Plan.Owes(ind, m) {
			out = append(out, ind)
		}
	}
	return out
}

func indicatorNames(list []*landmark.Indicator) string {
	var names []string
	for _, ind := range list {
		names = append(names, ind.Name)
	}
	return listed(names)
}
