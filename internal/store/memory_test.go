package store_test

import (
	"context"
	"testing"
	"time"

	"landmark/internal/landmark"
	"landmark/internal/pgtest"
	"landmark/internal/store"
)

// A request is given what another read at its version of the data, never what was
// read at an older one, and within a transaction always what stands.
func TestReadingsAreSharedPerVersion(t *testing.T) {
	t.Parallel()
	pool := pgtest.DB(t)
	st := store.New(pool)
	ind := planWith(t, st).Projects[0].Indicators[0]
	state := func(ctx context.Context, st *store.Store) landmark.State {
		t.Helper()
		r, err := st.Record(ctx, "small-2023", time.Time{}, sentAt, shanghai)
		if err != nil {
			t.Fatal(err)
		}
		return r.Report(ind.ID, may).State
	}
	before := store.SeenAt(t.Context(), version(t, pool))
	if got := state(before, st); got != "" {
		t.Fatalf("before anything was sent the report is %q", got)
	}
	sent := submit(t, st, ind.ID, "5", "", sentAt)
	if got := state(before, st); got != "" {
		t.Errorf("a request of the same version reads %q: nothing was shared", got)
	}
	if got := state(t.Context(), st); got != landmark.StateSubmitted {
		t.Errorf("a request that knows no version reads %q", got)
	}
	after := store.SeenAt(t.Context(), version(t, pool))
	if got := state(after, st); got != landmark.StateSubmitted {
		t.Errorf("a request that began after the write reads %q", got)
	}
	if got := state(before, st); got != landmark.StateSubmitted {
		t.Errorf("a request of an older version reads %q, want the newer that is there", got)
	}
	err := st.Tx(after, func(st *store.Store) error {
		if _, err := st.Move(after, []store.Seen{{ReportID: sent.ReportID}}, landmark.StateApproved, "", 0, reviewer, sentAt); err != nil {
			return err
		}
		if got := state(after, st); got != landmark.StateApproved {
			t.Errorf("a transaction reads %q of what it wrote", got)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := state(store.SeenAt(t.Context(), version(t, pool)), st); got != landmark.StateApproved {
		t.Errorf("after the transaction %q is read", got)
	}
	elsewhere := version(t, pool)
	elsewhere.Place = "another database"
	if got := state(store.SeenAt(t.Context(), elsewhere), st); got != landmark.StateApproved {
		t.Errorf("of another database %q is read", got)
	}
}

// Requests of one version share one record, whenever each of them is.
func TestSharedRecordHasItsOwnMoment(t *testing.T) {
	t.Parallel()
	pool := pgtest.DB(t)
	st := store.New(pool)
	planWith(t, st)
	ctx := store.SeenAt(t.Context(), version(t, pool))
	for _, at := range []time.Time{sentAt, sentAt.AddDate(0, 1, 0)} {
		r, err := st.Record(ctx, "", time.Time{}, at, shanghai)
		if err != nil {
			t.Fatal(err)
		}
		if want := landmark.DateOf(at); r.Today() != want {
			t.Errorf("today is %v, want %v", r.Today(), want)
		}
	}
}
