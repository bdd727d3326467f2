package torture

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"landmark/internal/pgtest"
)

// P18: a thousand connections that send their headers, then their bodies, by the
// byte, or read their answers so, do not keep people from working.
func TestSlowClients(t *testing.T) {
	p := prepare(t, pgtest.URL(t))
	s := serve(t, binary(t, false), "DATABASE_URL="+p.url)
	s.up(t)
	cookies := signedIn(t, s, "office1").jar
	cookie := ""
	for name, value := range cookies {
		cookie += name + "=" + value + "; "
	}
	const slow = 1000
	modes := []struct {
		name string
		head string // sent at once
		drip string // then this again and again, a second apart
		read bool   // and the answer is read by the byte
	}{
		{name: "headers", head: "GET /login HTTP/1.1\r\nHost: " + s.listen + "\r\n", drip: "X-A: b\r\n"},
		{name: "bodies", head: "POST /login HTTP/1.1\r\nHost: " + s.listen + "\r\nOrigin: http://" + s.listen + "\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 60000\r\n\r\n", drip: "a"},
		{name: "reading", head: "GET / HTTP/1.1\r\nHost: " + s.listen + "\r\nCookie: " + cookie + "\r\nAccept-Encoding: identity\r\n\r\n", read: true},
	}
	for _, mode := range modes {
		done := make(chan struct{})
		var opened, cut atomic.Int64
		var attack sync.WaitGroup
		for i := range slow {
			attack.Go(func() {
				select { // over a second, as an attack builds up
				case <-done:
					return
				case <-time.After(time.Duration(i) * time.Millisecond):
				}
				c, err := net.DialTimeout("tcp", s.listen, 10*time.Second)
				if err != nil {
					return
				}
				defer c.Close()
				if mode.read { // a small window: most of the answer waits in the program
					_ = c.(*net.TCPConn).SetReadBuffer(2048)
				}
				opened.Add(1)
				if _, err := io.WriteString(c, mode.head); err != nil {
					return
				}
				one := make([]byte, 1)
				for {
					select {
					case <-done:
						return
					case <-time.After(time.Second):
					}
					if mode.read {
						_, err = c.Read(one)
					} else {
						_, err = io.WriteString(c, mode.drip)
					}
					if err != nil {
						cut.Add(1)
						return
					}
				}
			})
		}
		var waits timings
		var people sync.WaitGroup
		var failed atomic.Int64
		// Fifty people at work: each looks at a page about every second.
		for range 50 {
			people.Go(func() {
				client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{}}
				defer client.CloseIdleConnections()
				for {
					r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.listen+"/", nil)
					if err != nil {
						t.Error(err)
						return
					}
					for name, value := range cookies {
						r.AddCookie(&http.Cookie{Name: name, Value: value})
					}
					began := time.Now()
					res, err := client.Do(r)
					if err == nil {
						_, err = io.Copy(io.Discard, res.Body)
						_ = res.Body.Close()
					}
					waits.add(time.Since(began))
					if err != nil || res.StatusCode != http.StatusOK {
						failed.Add(1)
						t.Logf("%s: a page failed: %v", mode.name, err)
					}
					select {
					case <-done:
						return
					case <-time.After(time.Second):
					}
				}
			})
		}
		time.Sleep(time.Duration(size(7, 60)) * time.Second)
		close(done)
		people.Wait()
		attack.Wait()
		if n := failed.Load(); n > 0 {
			t.Errorf("%s: %d pages failed", mode.name, n)
		}
		if opened.Load() < slow*9/10 {
			t.Errorf("%s: only %d slow connections were opened: nothing is shown", mode.name, opened.Load())
		}
		if p99 := waits.at(0.99); p99 > time.Duration(size(2000, 500))*time.Millisecond { // a busy machine adds to the promise
			t.Errorf("%s: p99 of people's pages %s", mode.name, p99)
		}
		t.Logf("P18 slow %s | %d connections | %d failed | p50 %s, p99 %s of %d pages | %d cut off meanwhile", mode.name, opened.Load(), failed.Load(),
			waits.at(0.5), waits.at(0.99), len(waits.all), cut.Load())
	}
	if res, err := http.Get(fmt.Sprintf("http://%s/readyz", s.listen)); err != nil || res.StatusCode != http.StatusOK {
		t.Errorf("afterwards /readyz: %v, %v", res, err)
	}
}
