package server

import (
	"context"
	"sync"
	"time"
)

// What costs much, making a file or reading one, is done for one person once at
// a time and for all together twice.
const (
	gatePlaces = 2
	// gateWait is how long a request waits for its turn before it is refused: a
	// double click is served, a loop is not.
	gateWait = 2 * time.Second
)

// gate lets few in at a time.
type gate struct {
	places chan struct{}
	wait   time.Duration

	mu    sync.Mutex
	seats map[int64]*seat // of those who are in or wait
}

// seat is one person's turn.
type seat struct {
	taken chan struct{}
	users int // requests that hold or want it
}

func newGate(places int, wait time.Duration) *gate {
	return &gate{places: make(chan struct{}, places), wait: wait, seats: map[int64]*seat{}}
}

// enter waits for a person's turn and for a place. Call leave after the work; it
// is nil where neither came in time.
func (g *gate) enter(ctx context.Context, person int64) (leave func()) {
	ctx, cancel := context.WithTimeout(ctx, g.wait)
	defer cancel()
	g.mu.Lock()
	s := g.seats[person]
	if s == nil {
		s = &seat{taken: make(chan struct{}, 1)}
		g.seats[person] = s
	}
	s.users++
	g.mu.Unlock()
	rise := func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if s.users--; s.users == 0 {
			delete(g.seats, person)
		}
	}
	select {
	case s.taken <- struct{}{}:
	case <-ctx.Done():
		rise()
		return nil
	}
	select {
	case g.places <- struct{}{}:
		return func() { <-g.places; <-s.taken; rise() }
	case <-ctx.Done():
		<-s.taken
		rise()
		return nil
	}
}
