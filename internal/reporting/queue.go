package reporting

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"landmark/internal/landmark"
	"landmark/internal/store"
)

// Queue is what waits to be decided, and who has still to send.
type Queue struct {
	Record    *landmark.Record
	Month     landmark.Month
	Waiting   []QueueDepartment // ready for the user to decide, earliest sent first
	Unsigned  []QueueDepartment // for the office: sent, and waiting for their leader
	Elsewhere []MonthCount      // what waits for other months
	Missing   []QueueMissing
	Passed    []QueuePassed
}

// QueueDepartment is what one department sent for the month.
type QueueDepartment struct {
	Department landmark.Department
	Projects   []*landmark.Project
	SentAt     time.Time // the newest
	SentBy     string
	Items      []QueueItem
	Attention  int // items with something to look at
}

// QueueItem is one report that waits.
type QueueItem struct {
	Indicator *landmark.Indicator
	Report    landmark.Report
	Before    *landmark.Value     // the newest value of the year before the month
	Change    decimal.NullDecimal // since Before
	Unchanged int                 // months in a row with this very value, this one included
	Approved  *landmark.Value     // the approved value that a correction would replace
	Would     landmark.Assessment // the judgement if it is approved
	NoChange  bool
	Findings  []string // soft checks set aside with the report's reason
	Evidence  []store.EvidenceFile
	Own       bool // the user submitted it, so somebody else must decide
}

// MonthCount is how many reports of a month wait.
type MonthCount struct {
	Month landmark.Month
	Count int
}

// QueueMissing is a department that has not sent all it owes.
type QueueMissing struct {
	Department landmark.Department
	Projects   []*landmark.Project
	Discipline landmark.Discipline
	Owed       []*landmark.Indicator // not sent yet
	Due        landmark.Date
	LateDays   int // 0 while in time
	Chases     []landmark.Chase
	LastMonth  time.Time // when the month before was first sent, zero if it was not
}

// QueuePassed is a department all of whose reports for the month are approved.
type QueuePassed struct {
	Department landmark.Department
	Projects   []*landmark.Project
	At         time.Time // of the last approval
}

// Queue reads what waits for the user: all departments for the office; for a
// leader the own department, where it asks for a signature.
func (s *Service) Queue(ctx context.Context, u landmark.User, planSlug string, m landmark.Month, now time.Time) (Queue, error) {
	leader := u.CanSignOff(u.DepartmentID)
	if !u.CanReview() && !leader {
		return Queue{}, landmark.Errorf(landmark.Forbidden, "", "只有市府办可以审核,部门负责人可以签核")
	}
	r, err := s.store.Record(ctx, planSlug, time.Time{}, now, s.zone)
	if err != nil {
		return Queue{}, err
	}
	if m < r.Plan.FirstMonth() || m > r.Plan.LastMonth() {
		return Queue{}, landmark.Errorf(landmark.NotFound, "month", "%s不在方案的报送月份里", m.Chinese())
	}
	sent, err := s.store.Waiting(ctx, r.Plan.ID)
	if err != nil {
		return Queue{}, err
	}
	q := Queue{Record: r, Month: m}
	elsewhere := map[landmark.Month]int{}
	for _, d := range r.Plan.LeadDepartments() {
		if leader && d.ID != u.DepartmentID {
			continue
		}
		projects := r.Plan.Led(d.ID)
		ready, unsigned := QueueDepartment{Department: d, Projects: projects}, QueueDepartment{Department: d, Projects: projects}
		for _, p := range projects {
			for _, ind := range p.Indicators {
				for _, report := range r.Reports[ind.ID] {
					to := &ready
					switch {
					case report.State == landmark.StateSubmitted && d.SignOffRequired && !leader:
						to = &unsigned
					case report.State == landmark.StateSubmitted && leader && !d.SignOffRequired, report.State == landmark.StateSigned && leader:
						continue
					case report.State != landmark.StateSubmitted && report.State != landmark.StateSigned:
						continue
					}
					if report.Month != m {
						elsewhere[report.Month]++
						continue
					}
					to.add(q.item(ind, report, sent[report.ID], u))
				}
			}
		}
		if len(ready.Items) > 0 {
			q.Waiting = append(q.Waiting, ready)
		}
		if len(unsigned.Items) > 0 {
			q.Unsigned = append(q.Unsigned, unsigned)
		}
		q.judge(d, projects)
	}
	byTime := func(a, b QueueDepartment) int { return a.SentAt.Compare(b.SentAt) }
	slices.SortStableFunc(q.Waiting, byTime)
	slices.SortStableFunc(q.Unsigned, byTime)
	for month, n := range elsewhere {
		q.Elsewhere = append(q.Elsewhere, MonthCount{month, n})
	}
	slices.SortFunc(q.Elsewhere, func(a, b MonthCount) int { return cmp.Compare(a.Month, b.Month) })
	return q, nil
}

func (d *QueueDepartment) add(item QueueItem) {
	d.Items = append(d.Items, item)
	if item.Report.SubmittedAt.After(d.SentAt) {
		d.SentAt, d.SentBy = item.Report.SubmittedAt, item.Report.SubmittedBy
	}
	if len(item.Findings) > 0 || item.Report.Correction || item.Unchanged > 2 {
		d.Attention++
	}
}

// item is what a reviewer sees of one report.
func (q Queue) item(ind *landmark.Indicator, report landmark.Report, sent store.Sent, u landmark.User) QueueItem {
	v := landmark.Value{Month: report.Month, Amount: report.Amount, Step: report.Step, Note: report.Note, Reason: report.Reason,
		Revision: report.Revision, ReportedBy: report.SubmittedBy, ReportedAt: report.SubmittedAt}
	item := QueueItem{Indicator: ind, Report: report, Would: q.Record.With(ind, v), NoChange: sent.NoChange, Findings: sent.Findings,
		Evidence: sent.Evidence, Own: sent.AccountID != 0 && sent.AccountID == u.ID, Unchanged: 1}
	if before, ok := q.Record.Earlier(ind, report.Month); ok {
		item.Before = &before
		if before.Amount.Valid && v.Amount.Valid {
			item.Change = decimal.NewNullDecimal(v.Amount.Decimal.Sub(before.Amount.Decimal))
		}
	}
	if approved, ok := q.Record.Value(ind.ID, report.Month); ok {
		item.Approved = &approved
	}
	earlier := q.Record.Values[ind.ID]
	for i := len(earlier) - 1; i >= 0; i-- {
		e := earlier[i]
		if e.Month >= report.Month {
			continue
		}
		if e.Month.Year() != report.Month.Year() || e.Step != v.Step || e.Amount.Valid != v.Amount.Valid || e.Amount.Valid && !e.Amount.Decimal.Equal(v.Amount.Decimal) {
			break
		}
		item.Unchanged++
	}
	return item
}

// judge puts a department among those that still owe or those that are through.
func (q *Queue) judge(d landmark.Department, projects []*landmark.Project) {
	r := q.Record
	missing := QueueMissing{Department: d, Projects: projects, Discipline: r.Discipline(d, q.Month), Due: r.MissingAfter(d.ID, q.Month)}
	passed := QueuePassed{Department: d, Projects: projects}
	open := 0
	for _, p := range projects {
		for _, ind := range p.Indicators {
			if first, ok := r.FirstSubmitted(ind, q.Month-1); ok && first.After(missing.LastMonth) {
				missing.LastMonth = first
			}
			report := r.Report(ind.ID, q.Month)
			switch {
			case report.State == landmark.StateApproved:
				if report.StateAt.After(passed.At) {
					passed.At = report.StateAt
				}
			case report.ID != 0:
				open++
			case r.Plan.Owes(ind, q.Month):
				open++
				missing.Owed = append(missing.Owed, ind)
			}
		}
	}
	for _, c := range r.Chases {
		if c.DepartmentID == d.ID && c.Month == q.Month {
			missing.Chases = append(missing.Chases, c)
		}
	}
	for day := missing.Due; day.Compare(r.Today()) < 0; day = day.AddDays(1) {
		missing.LateDays++
	}
	switch {
	case len(missing.Owed) > 0:
		q.Missing = append(q.Missing, missing)
	case open == 0 && !passed.At.IsZero():
		q.Passed = append(q.Passed, passed)
	}
}
