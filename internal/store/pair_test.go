package store_test

import (
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"landmark/internal/pgtest"
	"landmark/internal/store"
)

// Two programs on machines whose clocks are twenty minutes apart go by the same
// moment, the database's, so that a form is late at both of them or at neither
// (P22). Their operators hear of it.
func TestOneClock(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	pairs := map[time.Duration]*store.Pair{}
	for _, wrong := range []time.Duration{-10 * time.Minute, 0, 10 * time.Minute} {
		var log said
		pair, err := store.OpenPair(t.Context(), store.Addresses{URL: url, Clock: func() time.Time { return time.Now().Add(wrong) }}, slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(pair.Close)
		pair.Watch()
		pairs[wrong] = pair
		if warned := strings.Contains(log.String(), "clock is wrong"); warned != (wrong != 0) {
			t.Errorf("a clock that is %s wrong: the log says %q", wrong, log.String())
		}
	}
	for wrong, pair := range pairs {
		if off := time.Until(pair.Now()).Abs(); off > 5*time.Second { // a slow answer adds to the half second
			t.Errorf("a machine whose clock is %s wrong goes by a moment %s from the others'", wrong, off)
		}
		if got := -pair.Ahead(); (got - wrong).Abs() > 5*time.Second {
			t.Errorf("a clock that is %s wrong is said to be %s wrong", wrong, got)
		}
	}
	if got := pairs[0].Ahead(); got.Abs() > 5*time.Second {
		t.Errorf("a right clock is moved by %s", got)
	}
}

// said is a log that can be read while it is written.
type said struct {
	mu sync.Mutex
	b  strings.Builder
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
