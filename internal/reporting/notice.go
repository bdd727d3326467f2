package reporting

import (
	"context"
	"fmt"
	"strings"
	"time"

	"landmark/internal/landmark"
	"landmark/internal/store"
)

// Remind tells departments what they owe and have not been told yet: that a
// month is open, due soon, late. It may be called at any time and as often as one
// likes: each of these is told once. It returns how many were told now.
func (s *Service) Remind(ctx context.Context, now time.Time) (told int, err error) {
	plans, err := s.store.Plans(ctx)
	if err != nil {
		return 0, err
	}
	for _, p := range plans {
		err := s.tx(ctx, func(st *store.Store) error {
			r, err := st.Record(ctx, p.Slug, time.Time{}, now, s.zone)
			if err != nil {
				return err
			}
			// What is owed is read and told in one transaction.
			list := r.Reminders()
			if len(list) == 0 {
				return nil
			}
			n, err := st.InsertNotices(ctx, list, now)
			told += n
			return err
		})
		if err != nil {
			return told, fmt.Errorf("remind of plan %s: %w", p.Slug, err)
		}
	}
	return told, nil
}

// submittedNotice tells who decides next that a department has sent its month.
func submittedNotice(r *landmark.Record, d landmark.Department, m landmark.Month, sent []store.Submission, by landmark.Actor) landmark.Notice {
	n := landmark.Notice{PlanID: r.Plan.ID, Month: m, Department: d, Kind: landmark.NoticeSubmitted,
		Cause: fmt.Sprintf("indicator/%d/%d", sent[0].IndicatorID, sent[0].Revision+1), Audience: landmark.ForOffice, Path: "/review?month=" + m.String(),
		Title: fmt.Sprintf("%s提交了%s报送", d.Name, m.Short())}
	next := "等待市府办审核"
	if d.SignOffRequired {
		n.Audience, n.Path, next = landmark.ForLeader, "/signoff?month="+m.String(), "等待负责人签核"
	}
	corrections := 0
	for _, v := range sent {
		if v.Correction {
			corrections++
		}
	}
	n.Body = fmt.Sprintf("%s提交了%d项,%s。", by.Name, len(sent), next)
	if corrections > 0 {
		n.Body = fmt.Sprintf("%s提交了%d项(其中更正%d项),%s。", by.Name, len(sent), corrections, next)
	}
	return n
}

// decidedNotices tell of a decision about reports: the department, or after a
// signature the office. One for each department and month.
func decidedNotices(moved []store.Moved, to landmark.State, reason string, by landmark.Actor) []landmark.Notice {
	type key struct {
		plan, department int64
		month            landmark.Month
	}
	groups, order := map[key][]store.Moved{}, []key{}
	for _, v := range moved {
		k := key{v.PlanID, v.DepartmentID, v.Month}
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], v)
	}
	var out []landmark.Notice
	for _, k := range order {
		list := groups[k]
		n := landmark.Notice{PlanID: k.plan, Month: k.month, Department: landmark.Department{ID: k.department}, Audience: landmark.ForDepartment,
			Cause: fmt.Sprintf("report/%d/%d", list[0].ReportID, list[0].Revision), Path: "/reports/" + k.month.String()}
		switch to {
		case landmark.StateApproved:
			n.Kind, n.Title = landmark.NoticeApproved, fmt.Sprintf("%s报送已核定", k.month.Short())
			n.Body = fmt.Sprintf("%s核定了%d项:%s。", by.Name, len(list), nameMoved(list))
		case landmark.StateReturned:
			n.Kind, n.Title = landmark.NoticeReturned, fmt.Sprintf("%s报送退回%d项", k.month.Short(), len(list))
			n.Body = fmt.Sprintf("%s退回了%s,理由:%s", by.Name, nameMoved(list), reason)
		case landmark.StateSigned:
			n.Kind, n.Audience, n.Path = landmark.NoticeSigned, landmark.ForOffice, "/review?month="+k.month.String()
			n.Title = fmt.Sprintf("%s签核了%s报送", list[0].Department, k.month.Short())
			n.Body = fmt.Sprintf("%s签核了%d项,等待市府办审核。", by.Name, len(list))
		default:
			continue
		}
		out = append(out, n)
	}
	return out
}

func nameMoved(list []store.Moved) string {
	const most = 5
	var names []string
	for _, v := range list[:min(len(list), most)] {
		names = append(names, v.Code+" "+v.Name)
	}
	say := strings.Join(names, "、")
	if len(list) > most {
		say += fmt.Sprintf("等%d项", len(list))
	}
	return say
}

// chaseNotice carries a chase to where the department reads its mail.
func chaseNotice(r *landmark.Record, d landmark.Department, m landmark.Month, by landmark.Actor, now time.Time) landmark.Notice {
	owed := len(r.Owed(d.ID, m))
	return landmark.Notice{PlanID: r.Plan.ID, Month: m, Department: d, Audience: landmark.ForDepartment, Kind: landmark.NoticeChase,
		Cause: "chase/" + now.UTC().Format(time.RFC3339Nano), Path: "/reports/" + m.String(),
		Title: fmt.Sprintf("市府办催报%s%s数据", d.Name, m.Short()),
		Body:  fmt.Sprintf("%s催报%s数据:还有%d项没有报,%s截止。", by.Name, m.Short(), owed, r.DueFor(d.ID, m).Short())}
}
