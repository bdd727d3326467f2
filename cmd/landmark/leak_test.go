package main

import (
	"net/http"
	"testing"

	"go.uber.org/goleak"

	"landmark/internal/pgtest"
)

// A program that served, with timed work, mail to send, traces and a standby to
// look at, leaves nothing running behind when it stops (P29). It is no parallel
// test: what others run would be in the way.
func TestNothingIsLeftRunning(t *testing.T) {
	url := pgtest.URL(t)
	c := receive(t)
	before := goleak.IgnoreCurrent()
	r := startServing(t, "--demo", "--database-url", url, "--database-url-read", url, "--otlp-endpoint", c.URL+"/collector", "--metrics-listen", "127.0.0.1:0")
	p := enter(t, r, "office")
	for _, path := range []string{"/", "/review", "/export/indicators.csv", "/bulletins"} {
		if a := p.get(path); a.status != http.StatusOK {
			t.Errorf("GET %s: %d", path, a.status)
		}
	}
	r.stop()
	if status := <-r.status; status != 0 {
		t.Fatalf("stopped with status %d, want 0", status)
	}
	p.http.CloseIdleConnections()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	c.CloseClientConnections()
	// scs makes a store in memory before it is given ours, and its sweeper cannot be
	// stopped without a race: one goroutine, which sleeps as long as the process lives.
	sweeper := goleak.IgnoreTopFunction("github.com/alexedwards/scs/v2/memstore.(*MemStore).startCleanup")
	if err := goleak.Find(before, sweeper); err != nil {
		t.Errorf("P29: %v", err)
	}
	t.Log("P29 what is left running after a stop | 1 round | 0 leaks")
}
