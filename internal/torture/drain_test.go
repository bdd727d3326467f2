package torture

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"landmark/internal/pgtest"
)

// balancer passes requests on to whichever of the programs is ready, as the one
// in front of an installation does: it asks /readyz and never sends twice.
type balancer struct {
	server *httptest.Server
	ready  []atomic.Bool
	next   atomic.Uint64
	failed atomic.Int64 // requests without a program's own answer, or with a 5xx
	mu     sync.Mutex
	why    []string
}

const probeEvery = 100 * time.Millisecond

func balance(t *testing.T, programs ...*served) *balancer {
	t.Helper()
	b := &balancer{ready: make([]atomic.Bool, len(programs))}
	proxies := make([]*httputil.ReverseProxy, len(programs))
	done := make(chan struct{})
	var probes sync.WaitGroup
	for i, p := range programs {
		target := &url.URL{Scheme: "http", Host: p.listen}
		proxies[i] = &httputil.ReverseProxy{
			Rewrite: func(r *httputil.ProxyRequest) {
				r.SetURL(target)
				r.Out.Host = r.In.Host
				r.Out.Header["X-Forwarded-For"] = r.In.Header["X-Forwarded-For"]
				r.SetXForwarded()
			},
			Transport: &http.Transport{MaxIdleConnsPerHost: 100},
			ModifyResponse: func(res *http.Response) error {
				if res.StatusCode >= 500 {
					b.fail(res.Request.Method + " " + res.Request.URL.Path + ": " + res.Status)
				}
				return nil
			},
			ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
				if r.Context().Err() == nil { // else the client left, at the end of the load
					b.fail(r.Method + " " + r.URL.Path + ": " + err.Error())
				}
				w.WriteHeader(http.StatusBadGateway)
			},
		}
		probes.Go(func() {
			probe := &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
			for {
				res, err := probe.Get(target.String() + "/readyz")
				b.ready[i].Store(err == nil && res.StatusCode == http.StatusOK)
				if err == nil {
					_ = res.Body.Close()
				}
				select {
				case <-done:
					return
				case <-time.After(probeEvery):
				}
			}
		})
	}
	b.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		first := int(b.next.Add(1)) // others ask for theirs meanwhile
		for k := range proxies {
			if i := (first + k) % len(proxies); b.ready[i].Load() {
				proxies[i].ServeHTTP(w, r)
				return
			}
		}
		b.fail(r.Method + " " + r.URL.Path + ": nobody is ready")
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(func() { b.server.Close(); close(done); probes.Wait() })
	return b
}

func (b *balancer) fail(why string) {
	b.failed.Add(1)
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.why) < 10 {
		b.why = append(b.why, why)
	}
}

func (b *balancer) wait(t *testing.T, i int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !b.ready[i].Load(); time.Sleep(probeEvery / 2) {
		if time.Now().After(deadline) {
			t.Fatalf("program %d is not ready after a minute", i)
		}
	}
}

// P12: one of two programs after the other is told to stop, under load. Nobody
// behind the balancer sees a failed request, and the program ends soon and well.
func TestDrains(t *testing.T) {
	p := prepare(t, pgtest.URL(t))
	built := binary(t, false)
	programs := []*served{
		serve(t, built, "DATABASE_URL="+p.url, "DRAIN_WAIT=2s"),
		serve(t, built, "DATABASE_URL="+p.url, "DRAIN_WAIT=2s"),
	}
	b := balance(t, programs...)
	b.wait(t, 0)
	b.wait(t, 1)
	front, err := url.Parse(b.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	stop := load(t, p, &served{t: t, listen: front.Host}, 500*time.Millisecond)
	b.failed.Store(0) // from here on
	before := make([]int, len(programs))
	for i, s := range programs {
		before[i] = len(s.tail(1 << 20))
	}
	rounds := size(20, 200)
	var slowest time.Duration
	for round := range rounds {
		time.Sleep(time.Duration(size(300, 1000)) * time.Millisecond)
		at := round % len(programs)
		began := time.Now()
		if status := programs[at].stop(syscall.SIGTERM); status != 0 {
			t.Errorf("round %d: the program ended with status %d", round, status)
		}
		slowest = max(slowest, time.Since(began))
		b.ready[at].Store(false)
		programs[at].start()
		b.wait(t, at)
	}
	history, decided := stop()
	lost, doubled := check(t, p, history, decided)
	if n := b.failed.Load(); n > 0 {
		t.Errorf("%d failed requests:\n%s", n, strings.Join(b.why, "\n"))
	}
	for _, h := range history {
		if h.tries > 1 {
			t.Errorf("reporter %d, value %d took %d tries", h.reporter, h.value, h.tries)
		}
	}
	if slowest > 30*time.Second {
		t.Errorf("the slowest end took %s, want 30 s at most", slowest)
	}
	for i, s := range programs {
		if log := s.tail(1 << 20)[before[i]:]; strings.Contains(log, "panic") || strings.Contains(log, "level=ERROR") {
			t.Errorf("the log of program %d tells of errors:\n%s", i, log[:min(len(log), 2000)])
		}
	}
	t.Logf("P12 SIGTERM drains | %d rounds | %d lost | %d doubled | longest gap %s | %d failed requests | slowest end %s", rounds, lost, doubled, longestGap(history), b.failed.Load(), slowest.Round(time.Millisecond))
}
