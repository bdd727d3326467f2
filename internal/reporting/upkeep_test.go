package reporting_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"landmark/internal/landmark"
)

// Months that are overridden already are not overridden once more, by nobody and
// not by two at once.
func TestOverridesDoNotOverlap(t *testing.T) {
	t.Parallel()
	w := inDB(t)
	by, u := w.who("office")
	set := func(from, until landmark.Month, light landmark.Light) error {
		return w.work.Override(context.Background(), by, u, slug, "1.1", landmark.Override{From: from, Until: until, Light: light, Reason: "另有安排"}, july4)
	}
	errs := make([]error, 6)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = set(june, june+1, landmark.OnTrack) })
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		switch {
		case err == nil:
			won++
		case landmark.KindOf(err) != landmark.Conflict || !strings.Contains(landmark.MessageOf(err), "2023年6月至2023年7月已经改判为正常"):
			t.Errorf("error = %v, want Conflict", err)
		}
	}
	if n := w.rows(t)["light_override"]; won != 1 || n != 1 {
		t.Errorf("%d of 6 succeeded and left %d overrides, want 1 and 1", won, n)
	}
	if err := set(june+2, june+2, landmark.Behind); err != nil {
		t.Errorf("the month after: %v", err)
	}
	ind, _ := w.plan.Indicator("1.1")
	if err := w.work.WithdrawOverride(t.Context(), by, u, slug, w.record(t, july4).Overrides[ind.ID][0].ID, "", july4); err != nil {
		t.Fatal(err)
	}
	if err := set(june, june, landmark.Critical); err != nil {
		t.Errorf("after it was withdrawn: %v", err)
	}
}

// A month's dates are moved from what was seen, once.
func TestMovePeriod(t *testing.T) {
	t.Parallel()
	w := inTx(t)
	ctx := t.Context()
	by, u := w.who("office")
	seen := landmark.DefaultPeriod(june)
	next := seen
	next.Due, next.Grace = landmark.Date{Year: 2023, Month: 7, Day: 8}, landmark.Date{Year: 2023, Month: 7, Day: 10}
	for range 2 { // sent twice, it has one effect
		if err := w.work.MovePeriod(ctx, by, u, slug, seen, next, "系统切换", july4); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.rows(t)["period"]; n != 1 {
		t.Errorf("%d calendars, want 1", n)
	}
	later := next
	later.Lock = landmark.Date{Year: 2023, Month: 7, Day: 20}
	if err := w.work.MovePeriod(ctx, by, u, slug, seen, later, "系统切换", july4); landmark.KindOf(err) != landmark.Conflict || !strings.Contains(landmark.MessageOf(err), "刚被别人改动过") {
		t.Errorf("from dates that no longer hold: error = %v, want Conflict", err)
	}
	if err := w.work.MovePeriod(ctx, by, u, slug, next, later, "系统切换", july4); err != nil {
		t.Errorf("from those that hold: %v", err)
	}
	early, far := next, next
	early.Opens = landmark.Date{Year: 2023, Month: 5, Day: 31}
	far.Lock = landmark.Date{Year: 2033, Month: 7, Day: 15}
	for p, say := range map[landmark.Period]string{early: "不能早于2023年6月1日", far: "核对年份"} {
		if err := w.work.MovePeriod(ctx, by, u, slug, landmark.Period{}, p, "理由", july4); landmark.KindOf(err) != landmark.Invalid || !strings.Contains(landmark.MessageOf(err), say) {
			t.Errorf("error = %v, want Invalid saying %q", err, say)
		}
	}
	if err := w.work.Extend(ctx, by, u, slug, "minzheng", june, landmark.Date{Year: 2033, Month: 7, Day: 15}, "理由", july4); landmark.KindOf(err) != landmark.Invalid || !strings.Contains(landmark.MessageOf(err), "核对年份") {
		t.Errorf("extended for ten years: error = %v, want Invalid", err)
	}
}
