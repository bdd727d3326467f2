package server

import (
	"context"
	"testing"
	"time"
)

// One person has one turn and all together have two places; who leaves makes room
// for who waits, and nothing is kept of who has gone.
func TestGate(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	g := newGate(2, 20*time.Millisecond)
	first := g.enter(ctx, 1)
	if first == nil {
		t.Fatal("the first is not let in")
	}
	if g.enter(ctx, 1) != nil {
		t.Error("the same person is in twice")
	}
	second := g.enter(ctx, 2)
	if second == nil {
		t.Fatal("another person is not let in beside the first")
	}
	if g.enter(ctx, 3) != nil {
		t.Error("a third is in")
	}
	g.wait = time.Minute
	in := make(chan func())
	go func() { in <- g.enter(ctx, 3) }()
	first()
	third := <-in
	if third == nil {
		t.Fatal("who waits is not let in when somebody leaves")
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if g.enter(gone, 4) != nil {
		t.Error("who has gone is let in")
	}
	second()
	third()
	if len(g.seats) != 0 || len(g.places) != 0 {
		t.Errorf("%d seats and %d places are still taken", len(g.seats), len(g.places))
	}
}
