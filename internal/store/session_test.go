package store_test

import (
	"testing"
	"time"

	"landmark/internal/landmark"
	"landmark/internal/pgtest"
	"landmark/internal/store"
)

func TestSessionStaysEnded(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	st := store.New(pgtest.Tx(t))
	now := importedAt
	number, err := st.InsertAccount(ctx, store.Account{User: landmark.User{Name: "tombstone", DisplayName: "甲", Role: landmark.RoleViewer}, Hash: store.NoPassword}, now)
	if err != nil {
		t.Fatal(err)
	}
	v := store.Session{TokenHash: "h1", AccountID: number, Data: []byte("{}"), CreatedAt: now, ExpiresAt: now.Add(time.Hour)}
	save := func() {
		t.Helper()
		if err := st.SaveSession(ctx, v); err != nil {
			t.Fatal(err)
		}
	}
	living := func(at time.Time) bool {
		t.Helper()
		_, found, err := st.Visitors(ctx, []string{"h1", "h2"})
		if err != nil {
			t.Fatal(err)
		}
		v, ok := found["h1"]
		return ok && v.Account.User.ID == number && v.Session.ExpiresAt.After(at)
	}
	save()
	if !living(now) || living(now.Add(time.Hour)) {
		t.Error("a session lives until it expires and not longer")
	}
	if err := st.EndSession(ctx, "h1", now); err != nil {
		t.Fatal(err)
	}
	save()
	if err := st.ExtendSessions(ctx, map[string]time.Time{"h1": now.Add(2 * time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if living(now) {
		t.Error("an ended session came back")
	}
}

func TestSetPasswordOnlyOverTheOldOne(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	st := store.New(pgtest.Tx(t))
	number, err := st.InsertAccount(ctx, store.Account{User: landmark.User{Name: "stale", DisplayName: "甲", Role: landmark.RoleViewer}, Hash: "one"}, importedAt)
	if err != nil {
		t.Fatal(err)
	}
	if err := st.SetPassword(ctx, number, "another", "two", false, "", importedAt); landmark.KindOf(err) != landmark.Conflict {
		t.Errorf("SetPassword over a hash that is gone = %v, want Conflict", err)
	}
	if err := st.SetPassword(ctx, number, "one", "two", true, "", importedAt); err != nil {
		t.Fatal(err)
	}
	if a, err := st.Account(ctx, "stale"); err != nil || a.Hash != "two" || !a.User.MustChange {
		t.Errorf("account %+v, %v", a, err)
	}
	if err := st.Rehash(ctx, number, "one", "three"); err != nil {
		t.Errorf("a rehash that comes late = %v, want no error", err)
	}
	if a, err := st.Account(ctx, "stale"); err != nil || a.Hash != "two" {
		t.Errorf("after a late rehash %+v, %v", a, err)
	}
}

func TestSweepSignIns(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	tx := pgtest.Tx(t)
	st := store.New(tx)
	for i, expires := range []time.Time{importedAt.Add(-time.Hour), importedAt.Add(time.Hour)} {
		v := store.Session{TokenHash: string(rune('a' + i)), Data: []byte("{}"), CreatedAt: importedAt.Add(-2 * time.Hour), ExpiresAt: expires}
		if err := st.SaveSession(ctx, v); err != nil {
			t.Fatal(err)
		}
	}
	if err := st.SweepSignIns(ctx, importedAt); err != nil {
		t.Fatal(err)
	}
	var left int
	if err := tx.QueryRow(ctx, "SELECT count(*) FROM session WHERE token_hash IN ('a', 'b')").Scan(&left); err != nil || left != 1 {
		t.Errorf("%d sessions left, %v, want the one that has not expired", left, err)
	}
}
