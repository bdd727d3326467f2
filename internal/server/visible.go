package server

import (
	"github.com/shopspring/decimal"

	"landmark/internal/landmark"
)

// visibleTo is the record as far as u may see it. What was approved is for
// everybody. Of what is on its way, readers know that it was received and when,
// which is how a department keeps its dates; what it says is for the department
// itself and the office.
func visibleTo(u landmark.User, r *landmark.Record) *landmark.Record {
	if u.Role == landmark.RoleOffice {
		return r
	}
	shown := *r
	shown.Reports = map[int64][]landmark.Report{}
	for _, p := range r.Plan.Projects {
		for _, ind := range p.Indicators {
			reports := r.Reports[ind.ID]
			if u.CanSeeUnapproved(p.Lead.ID) || len(reports) == 0 {
				if len(reports) > 0 {
					shown.Reports[ind.ID] = reports
				}
				continue
			}
			for _, report := range reports {
				value, approved := r.Value(ind.ID, report.Month)
				shown.Reports[ind.ID] = append(shown.Reports[ind.ID], outside(report, value, approved))
			}
		}
	}
	return &shown
}

// outside is a report as readers see it.
func outside(v landmark.Report, value landmark.Value, approved bool) landmark.Report {
	if v.State == landmark.StateApproved {
		return v
	}
	if approved { // a correction is on its way; what stands is what is seen
		return landmark.Report{ID: v.ID, IndicatorID: v.IndicatorID, Month: v.Month, State: landmark.StateApproved,
			Revision: value.Revision, Amount: value.Amount, Step: value.Step, Note: value.Note, Reason: value.Reason,
			SubmittedBy: value.ReportedBy, SubmittedAt: value.ReportedAt, FirstSubmittedAt: v.FirstSubmittedAt,
			StateAt: value.ApprovedAt, StateBy: value.ApprovedBy}
	}
	v.State = landmark.StateSubmitted
	v.Amount, v.Step, v.Note, v.Reason, v.ReturnedFor, v.StateBy = decimal.NullDecimal{}, "", "", "", "", ""
	v.StateAt, v.SubmittedAt, v.Revision = v.FirstSubmittedAt, v.FirstSubmittedAt, 1
	return v
}
