package reporting

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"landmark/internal/landmark"
	"landmark/internal/store"
)

// Override sets an indicator's light for a span of months; the computed light
// stays beside it. Months that are overridden already are a Conflict.
func (s *Service) Override(ctx context.Context, by landmark.Actor, u landmark.User, planSlug, code string, o landmark.Override, now time.Time) error {
	if !u.CanEditPlan() {
		return landmark.Errorf(landmark.Forbidden, "", "只有市府办可以改判")
	}
	o.Reason = strings.TrimSpace(cleanText(o.Reason))
	switch {
	case o.Light != landmark.Critical && o.Light != landmark.Behind && o.Light != landmark.OnTrack && o.Light != landmark.Done:
		return landmark.Errorf(landmark.Invalid, "light", "只能改判为严重滞后、滞后、正常或已完成")
	case o.Reason == "":
		return landmark.Errorf(landmark.Invalid, "reason", "请写明改判的理由,它会和原判定一起显示")
	case utf8.RuneCountInString(o.Reason) > maxSaid:
		return landmark.Errorf(landmark.Invalid, "reason", "改判的理由最多%d个字", maxSaid)
	case o.Until < o.From:
		return landmark.Errorf(landmark.Invalid, "until", "改判的到期月份不能早于起始月份")
	}
	return s.tx(ctx, func(st *store.Store) error {
		r, err := st.Record(ctx, planSlug, time.Time{}, now, s.zone)
		if err != nil {
			return err
		}
		ind, err := r.Plan.Indicator(code)
		if err != nil {
			return err
		}
		if err := st.LockPlan(ctx, r.Plan.ID); err != nil {
			return err
		}
		if r, err = st.Record(ctx, planSlug, time.Time{}, now, s.zone); err != nil { // as it is under the lock
			return err
		}
		if o.From < r.Plan.FirstMonth() || o.Until > r.Plan.LastMonth() {
			return landmark.Errorf(landmark.Invalid, "until", "改判的月份要在方案的报送月份里")
		}
		for _, old := range r.Overrides[ind.ID] {
			if !old.Withdrawn && old.From <= o.Until && o.From <= old.Until {
				return landmark.Errorf(landmark.Conflict, "from", "%s至%s已经改判为%s,要改请先撤销那一条", old.From.Chinese(), old.Until.Chinese(), old.Light.Chinese())
			}
		}
		if err := st.InsertOverride(ctx, ind.ID, o, by, now); err != nil {
			return err
		}
		a := r.Assess(ind, o.From)
		return st.AddHistory(ctx, landmark.HistoryEntry{At: now, Actor: by, Act: "override.set", PlanID: r.Plan.ID, ProjectID: ind.Project.ID,
			DepartmentID: ind.Project.Lead.ID, IndicatorID: ind.ID, Month: o.From, Object: ind.Code + " " + ind.Name, Reason: o.Reason,
			Before: describe(a.Computed.Chinese()), After: describe(map[string]string{"light": o.Light.Chinese(), "until": o.Until.String()})})
	})
}

// WithdrawOverride ends an override before its time.
func (s *Service) WithdrawOverride(ctx context.Context, by landmark.Actor, u landmark.User, planSlug string, overrideID int64, reason string, now time.Time) error {
	if !u.CanEditPlan() {
		return landmark.Errorf(landmark.Forbidden, "", "只有市府办可以撤销改判")
	}
	reason = strings.TrimSpace(cleanText(reason))
	if utf8.RuneCountInString(reason) > maxSaid {
		return landmark.Errorf(landmark.Invalid, "reason", "撤销的理由最多%d个字", maxSaid)
	}
	return s.tx(ctx, func(st *store.Store) error {
		r, err := st.Record(ctx, planSlug, time.Time{}, now, s.zone)
		if err != nil {
			return err
		}
		for _, ind := range r.Plan.Indicators() {
			for _, o := range r.Overrides[ind.ID] {
				if o.ID != overrideID {
					continue
				}
				if err := st.WithdrawOverride(ctx, ind.ID, o, reason, by, now); err != nil {
					return err
				}
				return st.AddHistory(ctx, landmark.HistoryEntry{At: now, Actor: by, Act: "override.withdraw", PlanID: r.Plan.ID, ProjectID: ind.Project.ID,
					DepartmentID: ind.Project.Lead.ID, IndicatorID: ind.ID, Month: o.From, Object: ind.Code + " " + ind.Name, Reason: reason,
					Before: describe(o.Light.Chinese())})
			}
		}
		return landmark.Errorf(landmark.NotFound, "", "没有这条改判")
	})
}
