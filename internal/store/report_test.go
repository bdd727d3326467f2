package store_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"landmark/internal/landmark"
	"landmark/internal/pgtest"
	"landmark/internal/store"
)

var (
	reporter = landmark.Actor{Name: "填报员甲", Role: landmark.RoleReporter}
	reviewer = landmark.Actor{Name: "审核员乙", Role: landmark.RoleOffice}
	may      = landmark.MonthOf(2023, 5)
	sentAt   = time.Date(2023, 6, 4, 9, 0, 0, 0, shanghai)
)

func planWith(t *testing.T, st *store.Store) *landmark.Plan {
	t.Helper()
	p := smallPlan()
	if err := st.InsertPlan(t.Context(), p, landmark.Actor{Name: "命令行"}, importedAt); err != nil {
		t.Fatal(err)
	}
	return p
}

func submit(t *testing.T, st *store.Store, indicator int64, value, reason string, at time.Time) store.Submitted {
	t.Helper()
	r, err := st.Record(t.Context(), "small-2023", time.Time{}, at, shanghai)
	if err != nil {
		t.Fatal(err)
	}
	was := r.Report(indicator, may)
	out, err := st.Submit(t.Context(), []store.Submission{{IndicatorID: indicator, Month: may, Amount: amount(value), Reason: reason, Revision: was.Revision, State: was.State}}, reporter, at)
	if err != nil {
		t.Fatal(err)
	}
	return out[0]
}

// A value is approved, corrected and approved again: each moment still shows
// what stood then.
func TestLifeOfAReport(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	st := store.New(pgtest.Tx(t))
	ind := planWith(t, st).Projects[0].Indicators[0]

	first := submit(t, st, ind.ID, "5", "", sentAt)
	if first.Revision != 1 || first.Correction {
		t.Errorf("first submission = %+v, want revision 1, no correction", first)
	}
	if _, err := st.Move(ctx, []store.Seen{{ReportID: first.ReportID}}, landmark.StateApproved, "", 0, reviewer, sentAt.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	second := submit(t, st, ind.ID, "4", "数错了一个", sentAt.Add(2*time.Hour))
	if second.Revision != 2 || !second.Correction {
		t.Errorf("second submission = %+v, want revision 2, a correction", second)
	}
	moved, err := st.Move(ctx, []store.Seen{{second.ReportID, 2}}, landmark.StateApproved, "", 0, reviewer, sentAt.Add(3*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if got := moved[0].Previous; !got.Valid || got.Decimal.String() != "5" {
		t.Errorf("value before the correction = %v, want 5", got)
	}
	for _, c := range []struct {
		after       time.Duration
		value       string
		state       landmark.State
		corrections int
	}{
		{0, "", landmark.StateSubmitted, 0},
		{time.Hour, "5", landmark.StateApproved, 0},
		{2 * time.Hour, "5", landmark.StateSubmitted, 0},
		{3 * time.Hour, "4", landmark.StateApproved, 1},
	} {
		r, err := st.Record(ctx, "small-2023", sentAt.Add(c.after), importedAt, shanghai)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		v, ok := r.Value(ind.ID, may)
		if ok {
			got = v.Amount.Decimal.String()
		}
		if got != c.value || v.Corrections != c.corrections || r.Report(ind.ID, may).State != c.state {
			t.Errorf("after %v: value %q, %d corrections, %s; want %q, %d, %s", c.after, got, v.Corrections, r.Report(ind.ID, may).State, c.value, c.corrections, c.state)
		}
	}
}

// Only the drawn arrows can be gone.
func TestMoveFromEachState(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		signOff bool
		path    []landmark.State // from submitted
		to      landmark.State
		ok      bool
	}{
		{"approve", false, nil, landmark.StateApproved, true},
		{"approve unsigned", true, nil, landmark.StateApproved, false},
		{"sign", true, nil, landmark.StateSigned, true},
		{"sign where nobody asks", false, nil, landmark.StateSigned, false},
		{"approve signed", true, []landmark.State{landmark.StateSigned}, landmark.StateApproved, true},
		{"return", false, nil, landmark.StateReturned, true},
		{"return signed", true, []landmark.State{landmark.StateSigned}, landmark.StateReturned, true},
		{"return approved", false, []landmark.State{landmark.StateApproved}, landmark.StateReturned, false},
		{"approve returned", false, []landmark.State{landmark.StateReturned}, landmark.StateApproved, false},
		{"approve approved", false, []landmark.State{landmark.StateApproved}, landmark.StateApproved, false},
		{"sign returned", true, []landmark.State{landmark.StateReturned}, landmark.StateSigned, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			st := store.New(pgtest.Tx(t))
			p := planWith(t, st)
			if err := st.RequireSignOff(ctx, p.Projects[0].Lead.ID, c.signOff); err != nil {
				t.Fatal(err)
			}
			sent := submit(t, st, p.Projects[0].Indicators[0].ID, "5", "", sentAt)
			move := func(to landmark.State) error {
				_, err := st.Move(ctx, []store.Seen{{ReportID: sent.ReportID}}, to, "理由", 0, reviewer, sentAt)
				return err
			}
			for _, s := range c.path {
				if err := move(s); err != nil {
					t.Fatal(err)
				}
			}
			err := move(c.to)
			if c.ok && err != nil || !c.ok && landmark.KindOf(err) != landmark.Conflict {
				t.Errorf("move to %s: error = %v", c.to, err)
			}
		})
	}
}

// Of two reviewers who decide at once, exactly one succeeds, each round.
func TestTwoReviewers(t *testing.T) {
	t.Parallel()
	st := store.New(pgtest.DB(t))
	ind := planWith(t, st).Projects[0].Indicators[0]
	for round := range 50 {
		sent := submit(t, st, ind.ID, "5", "再次更正", sentAt.Add(time.Duration(round)*time.Minute))
		var both sync.WaitGroup
		errs := make([]error, 2)
		for i, to := range []landmark.State{landmark.StateApproved, landmark.StateReturned} {
			both.Go(func() {
				_, errs[i] = st.Move(context.Background(), []store.Seen{{ReportID: sent.ReportID}}, to, "理由", 0, reviewer, sentAt)
			})
		}
		both.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("round %d: approve error %v, return error %v; want exactly one", round, errs[0], errs[1])
		}
	}
}
