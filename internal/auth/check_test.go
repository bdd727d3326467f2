package auth

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"landmark/internal/landmark"
	"landmark/internal/pgtest"
	"landmark/internal/store"
	"landmark/migrations"
)

// slowly is a database whose answers to sessions' questions can be held back,
// after they were given.
type slowly struct {
	*pgxpool.Pool
	asked atomic.Int64
	given chan struct{} // each answer, once given
	open  chan struct{} // lets one answer through; closed: all
}

func (s *slowly) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if _, ok := args[0].([]string); !ok || len(args) != 1 {
		return s.Pool.Query(ctx, sql, args...)
	}
	s.asked.Add(1)
	rows, err := s.Pool.Query(ctx, sql, args...)
	s.given <- struct{}{}
	<-s.open
	return rows, err
}

var checkedAt = time.Date(2023, 10, 12, 9, 30, 0, 0, time.UTC)

func newChecked(t *testing.T, sessions int) (*checks, *slowly, *store.Store) {
	t.Helper()
	pool := pgtest.DB(t)
	db := &slowly{Pool: pool, given: make(chan struct{}, 1000), open: make(chan struct{})}
	st := store.New(pool)
	number, err := st.InsertAccount(t.Context(), store.Account{User: landmark.User{Name: "reader", DisplayName: "甲", Role: landmark.RoleViewer}, Hash: store.NoPassword}, checkedAt)
	if err != nil {
		t.Fatal(err)
	}
	for i := range sessions {
		err := st.SaveSession(t.Context(), store.Session{TokenHash: fmt.Sprintf("h%d", i), AccountID: number, Data: []byte("{}"), CreatedAt: checkedAt, ExpiresAt: checkedAt.Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
	}
	return newChecks(Config{Store: store.New(db), Log: slog.New(slog.DiscardHandler)}), db, st
}

// waiting waits until n requests have joined the next question.
func (c *checks) waiting(n int) {
	for {
		c.mu.Lock()
		there := c.lanes[0].next != nil && len(c.lanes[0].next.hashes) == n
		c.mu.Unlock()
		if there {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// Requests that come while questions are under way are asked about together.
func TestChecksAreShared(t *testing.T) {
	t.Parallel()
	const sessions = 40
	c, db, _ := newChecked(t, sessions)
	var wg sync.WaitGroup
	ask := func(i int) {
		wg.Go(func() {
			v, ok, version, err := c.visitor(t.Context(), fmt.Sprintf("h%d", i))
			if err != nil || ok != (i < sessions) || ok && v.Account.User.Name != "reader" || version == (store.Version{}) {
				t.Errorf("session %d: %+v %v %v %v", i, v.Account.User, ok, version, err)
			}
		})
	}
	for i := range maxAsking { // each alone, as nobody else is there
		ask(i)
		<-db.given
	}
	for i := maxAsking; i < sessions+5; i++ {
		ask(i)
	}
	c.waiting(sessions + 5 - maxAsking)
	close(db.open)
	wg.Wait()
	if got := db.asked.Load(); got != maxAsking+1 {
		t.Errorf("%d statements, want %d", got, maxAsking+1)
	}
}

// An answer that was given before a request came is not for it, even if it is
// still on its way.
func TestNoCheckIsOlderThanItsRequest(t *testing.T) {
	t.Parallel()
	c, db, st := newChecked(t, 1)
	type answer struct {
		ok      bool
		version store.Version
	}
	ask := func() <-chan answer {
		out := make(chan answer, 1)
		go func() {
			_, ok, version, err := c.visitor(t.Context(), "h0")
			if err != nil {
				t.Error(err)
			}
			out <- answer{ok, version}
		}()
		return out
	}
	first := ask()
	<-db.given
	if err := st.EndSession(t.Context(), "h0", checkedAt); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(t.Context(), "UPDATE account SET display_name = '乙'"); err != nil {
		t.Fatal(err)
	}
	second := ask()
	<-db.given
	third := ask()
	c.waiting(1)
	close(db.open)
	before, after, last := <-first, <-second, <-third
	if !before.ok || after.ok || last.ok {
		t.Errorf("the session lives: %v before, %v and %v after it was ended", before.ok, after.ok, last.ok)
	}
	if after.version.Writes <= before.version.Writes || last.version != after.version {
		t.Errorf("versions %v, %v, %v: the second and third must have the change", before.version, after.version, last.version)
	}
}

// Who leaves does not take the others' answer along, and nobody waits beyond
// their own deadline.
func TestCheckOfOneWhoLeaves(t *testing.T) {
	t.Parallel()
	c, db, _ := newChecked(t, 1)
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() { _, _, _, err := c.visitor(ctx, "h0"); left <- err }()
	<-db.given
	cancel()
	if err := <-left; err == nil {
		t.Error("an answer for somebody who left")
	}
	stays := make(chan error, 1)
	go func() { _, _, _, err := c.visitor(t.Context(), "h0"); stays <- err }()
	close(db.open)
	if err := <-stays; err != nil {
		t.Error(err)
	}
}

// The end of a session in use is moved without its request waiting, counts at
// once, and does not bring an ended session back.
func TestTouch(t *testing.T) {
	t.Parallel()
	c, db, st := newChecked(t, 2)
	close(db.open)
	until := checkedAt.Add(2 * time.Hour)
	if err := st.EndSession(t.Context(), "h1", checkedAt); err != nil {
		t.Fatal(err)
	}
	for _, h := range []string{"h0", "h1"} {
		c.touch(h, until)
	}
	// At once, whether it is stored by now or not.
	if v, ok, _, err := c.visitor(t.Context(), "h0"); err != nil || !ok || !v.Session.ExpiresAt.Equal(until) {
		t.Errorf("the end is %v (%v, %v), want %v", v.Session.ExpiresAt, ok, err, until)
	}
	for {
		c.mu.Lock()
		done := !c.touching
		c.mu.Unlock()
		if done {
			break
		}
		time.Sleep(time.Millisecond)
	}
	_, found, err := st.Visitors(t.Context(), []string{"h0", "h1"})
	if err != nil {
		t.Fatal(err)
	}
	if _, back := found["h1"]; back || !found["h0"].Session.ExpiresAt.Equal(until) {
		t.Errorf("after the touch: %+v", found)
	}
}

// A question that hangs is given up when the primary goes away, and those who
// asked are told that, not that somebody cancelled something.
func TestCheckWhileThePrimaryGoes(t *testing.T) {
	t.Parallel()
	primary := pgtest.NewCluster(t)
	primary.Start(t)
	url := primary.URL("postgres")
	if err := migrations.Up(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	pair, err := store.OpenPair(t.Context(), store.Addresses{URL: url}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pair.Close)
	pair.Watch()
	c := newChecks(Config{Store: store.New(pair), Pair: pair, Log: slog.New(slog.DiscardHandler)})
	if _, _, _, err := c.visitor(t.Context(), "h"); err != nil {
		t.Fatal(err)
	}
	primary.Signal(t, syscall.SIGSTOP)
	_, _, _, err = c.visitor(t.Context(), "h")
	primary.Signal(t, syscall.SIGCONT)
	if !store.Unavailable(err) {
		t.Errorf("the primary hung: error = %v, want one that says it is away", err)
	}
}
