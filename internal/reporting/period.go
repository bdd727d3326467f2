package reporting

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"landmark/internal/landmark"
	"landmark/internal/store"
)

// chaseAgain is how soon a second reminder is taken for the same one: the button
// pressed twice, or by two at once.
const chaseAgain = time.Minute

// Chased is who was reminded of a month.
type Chased struct {
	Sent    []landmark.Department
	Already []landmark.Department // reminded a moment ago, by this person or another
}

// Chase reminds departments of a month (催报), all of those named or none. One that
// was reminded a moment ago is not reminded again.
func (s *Service) Chase(ctx context.Context, by landmark.Actor, u landmark.User, planSlug string, departments []string, m landmark.Month, now time.Time) (out Chased, err error) {
	if !u.CanReview() {
		return out, landmark.Errorf(landmark.Forbidden, "", "只有市府办可以催报")
	}
	if len(departments) == 0 {
		return out, landmark.Errorf(landmark.Invalid, "department", "请选择要催报的部门")
	}
	err = s.tx(ctx, func(st *store.Store) error {
		out = Chased{}
		r, err := st.Record(ctx, planSlug, time.Time{}, now, s.zone)
		if err != nil {
			return err
		}
		var named []landmark.Department
		for _, name := range departments {
			d, err := lead(ctx, st, r, name, m)
			if err != nil {
				return err
			}
			switch discipline := r.Discipline(d, m); {
			case discipline.Complete():
				return landmark.Errorf(landmark.Conflict, "department", "%s%s应报的已经报齐,不用催报", d.Name, m.Chinese())
			case r.Window(d.ID, m) == landmark.NotOpen:
				return landmark.Errorf(landmark.Invalid, "month", "%s还没有开放报送,不用催报", m.Chinese())
			}
			named = append(named, d)
		}
		// In one order, so that two who chase the same do not wait for each other.
		slices.SortFunc(named, func(a, b landmark.Department) int { return cmp.Compare(a.ID, b.ID) })
		var entries []landmark.HistoryEntry
		var notices []landmark.Notice
		for _, d := range slices.CompactFunc(named, func(a, b landmark.Department) bool { return a.ID == b.ID }) {
			sent, err := st.Chase(ctx, r.Plan.ID, d.ID, m, now.Add(-chaseAgain), by, now)
			if err != nil {
				return err
			}
			if !sent {
				out.Already = append(out.Already, d)
				continue
			}
			out.Sent = append(out.Sent, d)
			notices = append(notices, chaseNotice(r, d, m, by, now))
			entries = append(entries, landmark.HistoryEntry{At: now, Actor: by, Act: "chase.send", PlanID: r.Plan.ID, DepartmentID: d.ID, Month: m, Object: d.Name})
		}
		if len(entries) == 0 {
			return nil
		}
		if _, err := st.InsertNotices(ctx, notices, now); err != nil {
			return err
		}
		return st.AddHistory(ctx, entries...)
	})
	return out, err
}

// SetPeriod sets a month's calendar, for everyone.
func (s *Service) SetPeriod(ctx context.Context, by landmark.Actor, u landmark.User, planSlug string, p landmark.Period, reason string, now time.Time) error {
	return s.MovePeriod(ctx, by, u, planSlug, landmark.Period{}, p, reason, now)
}

// MovePeriod is SetPeriod for somebody who looked at the month's calendar before:
// it returns a Conflict error if it is no longer the one seen.
func (s *Service) MovePeriod(ctx context.Context, by landmark.Actor, u landmark.User, planSlug string, seen, p landmark.Period, reason string, now time.Time) error {
	if !u.CanEditPlan() {
		return landmark.Errorf(landmark.Forbidden, "", "只有市府办可以改动报送日期")
	}
	for _, c := range []struct {
		field         string
		before, after landmark.Date
		say           string
	}{
		{"due", p.Opens, p.Due, "截止日不能早于开放日"},
		{"grace", p.Due, p.Grace, "宽限日不能早于截止日"},
		{"lock", p.Grace, p.Lock, "锁定日不能早于宽限日"},
	} {
		if c.after.Compare(c.before) < 0 {
			return landmark.Errorf(landmark.Invalid, c.field, "%s", c.say)
		}
	}
	switch {
	case p.Opens.Compare(p.Month.FirstDay()) < 0:
		return landmark.Errorf(landmark.Invalid, "opens", "开放日不能早于%s1日", p.Month.Chinese())
	case p.Lock.Compare((p.Month + 13).FirstDay()) >= 0:
		return landmark.Errorf(landmark.Invalid, "lock", "锁定日离%s太远了,请核对年份", p.Month.Chinese())
	}
	reason, err := given(reason, "请写明为什么调整日期,例如“国庆假期顺延”")
	if err != nil {
		return err
	}
	return s.tx(ctx, func(st *store.Store) error {
		r, err := st.Record(ctx, planSlug, time.Time{}, now, s.zone)
		if err != nil {
			return err
		}
		if err := st.LockPlan(ctx, r.Plan.ID); err != nil {
			return err
		}
		if r, err = st.Record(ctx, planSlug, time.Time{}, now, s.zone); err != nil { // as it is under the lock
			return err
		}
		if p.Month < r.Plan.FirstMonth() || p.Month > r.Plan.LastMonth() {
			return landmark.Errorf(landmark.Invalid, "month", "%s不在方案的报送月份里", p.Month.Chinese())
		}
		switch {
		case len(r.Periods[p.Month]) > 0 && r.Period(p.Month) == p:
			return nil // a form sent twice has one effect
		case seen != landmark.Period{} && seen != r.Period(p.Month):
			return landmark.Errorf(landmark.Conflict, "", "%s的报送日期刚被别人改动过,请对照现在的日期,核对后再提交", p.Month.Chinese())
		}
		if err := st.InsertPeriod(ctx, r.Plan.ID, p, reason, by, now); err != nil {
			return err
		}
		return st.AddHistory(ctx, landmark.HistoryEntry{At: now, Actor: by, Act: "period.set", PlanID: r.Plan.ID, Month: p.Month, Object: p.Month.Chinese() + "报送日期",
			Before: describe(dates(r.Period(p.Month))), After: describe(dates(p)), Reason: reason})
	})
}

func dates(p landmark.Period) map[string]string {
	return map[string]string{"opens": p.Opens.String(), "due": p.Due.String(), "grace": p.Grace.String(), "lock": p.Lock.String()}
}

// Extend gives one department more time for a month, by exception. Later than the
// month's due date and any extension before.
func (s *Service) Extend(ctx context.Context, by landmark.Actor, u landmark.User, planSlug, department string, m landmark.Month, due landmark.Date, reason string, now time.Time) error {
	if !u.CanEditPlan() {
		return landmark.Errorf(landmark.Forbidden, "", "只有市府办可以延期")
	}
	if due.Compare((m + 13).FirstDay()) >= 0 {
		return landmark.Errorf(landmark.Invalid, "due", "延期离%s太远了,请核对年份", m.Chinese())
	}
	reason, err := given(reason, "请写明为什么延期,例如“部门系统升级,数据晚两天出”")
	if err != nil {
		return err
	}
	return s.tx(ctx, func(st *store.Store) error {
		r, err := st.Record(ctx, planSlug, time.Time{}, now, s.zone)
		if err != nil {
			return err
		}
		d, err := lead(ctx, st, r, department, m)
		if err != nil {
			return err
		}
		before := r.DueFor(d.ID, m)
		if due.Compare(before) <= 0 {
			return landmark.Errorf(landmark.Invalid, "due", "%s原来的截止日是%s,延期要晚于这一天", d.Name, before.Chinese())
		}
		if err := st.InsertExtension(ctx, r.Plan.ID, landmark.Extension{DepartmentID: d.ID, Month: m, Due: due, Reason: reason}, by, now); err != nil {
			return err
		}
		return st.AddHistory(ctx, landmark.HistoryEntry{At: now, Actor: by, Act: "extension.grant", PlanID: r.Plan.ID, DepartmentID: d.ID, Month: m,
			Object: fmt.Sprintf("%s%s报送", d.Name, m.Chinese()), Reason: reason,
			Before: describe(map[string]string{"due": before.String()}), After: describe(map[string]string{"due": due.String()})})
	})
}

// lead finds a department that owes reports for a month of the plan.
func lead(ctx context.Context, st *store.Store, r *landmark.Record, department string, m landmark.Month) (landmark.Department, error) {
	d, err := st.FindDepartment(ctx, department)
	switch {
	case err != nil:
		return d, err
	case len(r.Plan.Led(d.ID)) == 0:
		return d, landmark.Errorf(landmark.Invalid, "department", "%s在这个方案里没有牵头的项目", d.Name)
	case m < r.Plan.FirstMonth() || m > r.Plan.LastMonth():
		return d, landmark.Errorf(landmark.Invalid, "month", "%s不在方案的报送月份里", m.Chinese())
	}
	return d, nil
}

// given is a reason of the office's, which must be given.
func given(reason, ask string) (string, error) {
	reason = strings.TrimSpace(cleanText(reason))
	switch n := utf8.RuneCountInString(reason); {
	case n == 0:
		return "", landmark.Errorf(landmark.Invalid, "reason", "%s", ask)
	case n > maxSaid:
		return "", landmark.Errorf(landmark.Invalid, "reason", "理由最多%d个字,现在有%d个", maxSaid, n)
	}
	return reason, nil
}
