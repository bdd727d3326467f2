package torture

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"landmark/internal/pgtest"
)

// timings are how long answers took.
type timings struct {
	mu  sync.Mutex
	all []time.Duration
}

func (l *timings) add(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, d)
}

// at is the time that a share of the answers kept to.
func (l *timings) at(share float64) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.all) == 0 {
		return 0
	}
	slices.Sort(l.all)
	return l.all[min(len(l.all)-1, int(share*float64(len(l.all))))].Round(time.Millisecond)
}

// goroutines reads how many the program has.
func goroutines(t *testing.T, s *served) int {
	t.Helper()
	res, err := http.Get("http://" + s.metrics + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^go_goroutines (\d+)`).FindSubmatch(b)
	if m == nil {
		t.Fatalf("/metrics has no go_goroutines: %.200s", b)
	}
	n, err := strconv.Atoi(string(m[1]))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// memory reads how much the program holds, in KiB.
func memory(t testing.TB, s *served) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(b)
	if m == nil {
		t.Fatalf("no VmRSS in %s", b)
	}
	n, err := strconv.Atoi(string(m[1]))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// up waits for /readyz.
func (s *served) up(t testing.TB) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		res, err := http.Get("http://" + s.listen + "/readyz")
		if err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("not ready after a minute:\n%s", s.tail(20))
		}
	}
}

// signedIn is a client that has signed in, to share its cookies with others.
func signedIn(t *testing.T, s *served, name string) *client {
	t.Helper()
	c := newClient(t, s, name, 1)
	c.signIn(t.Context())
	if len(c.jar) == 0 {
		t.Fatalf("%s could not sign in", name)
	}
	return c
}

// P17: a table that everything needs is locked. Each request ends soon with an
// honest 503, the process itself stays lively, and all is well right after.
func TestLockedTable(t *testing.T) {
	p := prepare(t, pgtest.URL(t))
	s := serve(t, binary(t, false), "DATABASE_URL="+p.url)
	s.up(t)
	cookies := signedIn(t, s, "office1").jar
	get := func(ctx context.Context, path string) (int, time.Duration, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.listen+path, nil)
		if err != nil {
			return 0, 0, err
		}
		for name, value := range cookies {
			r.AddCookie(&http.Cookie{Name: name, Value: value})
		}
		began := time.Now()
		res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 30 * time.Second}).Do(r)
		if err != nil {
			return 0, time.Since(began), err
		}
		defer res.Body.Close()
		_, err = io.Copy(io.Discard, res.Body)
		return res.StatusCode, time.Since(began), err
	}
	// Enough at once to fill the pool: each of its connections has goroutines of its own.
	var warm sync.WaitGroup
	for i := range 40 {
		warm.Go(func() {
			if status, _, err := get(t.Context(), "/?n="+strconv.Itoa(i)); err != nil || status != http.StatusOK {
				t.Errorf("before: %d, %v", status, err)
			}
		})
	}
	warm.Wait()
	time.Sleep(time.Second)
	base := goroutines(t, s)

	conn, err := pgx.Connect(t.Context(), p.url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "LOCK TABLE session, report IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	ctx, release := context.WithCancel(t.Context())
	var waits, lives timings
	var all sync.WaitGroup
	var answered, other atomic.Int64
	for range 200 {
		all.Go(func() {
			for ctx.Err() == nil {
				status, took, err := get(context.WithoutCancel(ctx), "/")
				if ctx.Err() != nil {
					return // it may have met the release
				}
				waits.add(took)
				if answered.Add(1); err != nil || status != http.StatusServiceUnavailable {
					other.Add(1)
					t.Logf("under the lock: %d, %v after %s", status, err, took)
				}
			}
		})
	}
	all.Go(func() {
		for ctx.Err() == nil {
			status, took, err := get(context.WithoutCancel(ctx), "/healthz")
			if err != nil || status != http.StatusOK {
				t.Errorf("/healthz under the lock: %d, %v", status, err)
			}
			lives.add(took)
			time.Sleep(20 * time.Millisecond)
		}
	})
	time.Sleep(time.Duration(size(5, 20)) * time.Second)
	release()
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	released := time.Now()
	for {
		status, _, err := get(t.Context(), "/")
		if err == nil && status == http.StatusOK {
			break
		}
		if time.Since(released) > 20*time.Second {
			t.Fatalf("not well 20 s after the release: %d, %v", status, err)
		}
	}
	well := time.Since(released)
	all.Wait()
	if n := answered.Load(); n < 200 || other.Load() > 0 {
		t.Errorf("%d answers under the lock, %d of them no 503", n, other.Load())
	}
	after := 0
	for range 50 { // what is on its way ends
		if after = goroutines(t, s); after <= base+5 {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if after > base+5 {
		t.Errorf("%d goroutines before, %d afterwards", base, after)
	}
	if slowest := waits.at(1); slowest > time.Duration(size(10, 3))*time.Second { // a busy machine adds to the three seconds promised
		t.Errorf("a request waited %s under the lock", slowest)
	}
	if limit := time.Duration(size(1000, 100)) * time.Millisecond; lives.at(0.99) > limit {
		t.Errorf("/healthz p99 %s under the lock, want %s", lives.at(0.99), limit)
	}
	if limit := time.Duration(size(5, 2)) * time.Second; well > limit {
		t.Errorf("well %s after the release, want %s", well, limit)
	}
	t.Logf("P17 pool exhausted | %d answers of 503 | p50 %s, slowest %s | /healthz p99 %s | well %s after the release | %d goroutines, before %d",
		answered.Load(), waits.at(0.5), waits.at(1), lives.at(0.99), well.Round(time.Millisecond), after, base)
}

// endless is a body that says nothing of its length and goes on for 2 GB.
type endless struct {
	head []byte
	left int64
	sent *atomic.Int64
}

func (e *endless) Read(b []byte) (n int, err error) {
	if len(e.head) > 0 {
		n = copy(b, e.head)
		e.head = e.head[n:]
		return n, nil
	}
	if e.left <= 0 {
		return 0, io.EOF
	}
	n = int(min(int64(len(b)), e.left))
	clear(b[:n])
	e.left -= int64(n)
	e.sent.Add(int64(n))
	return n, nil
}

// P19: bodies without end are cut off at the limit, in bounded memory, and leave
// nothing behind.
func TestBigBodies(t *testing.T) {
	p := prepare(t, pgtest.URL(t))
	tmp := t.TempDir()
	s := serve(t, binary(t, false), "DATABASE_URL="+p.url, "TMPDIR="+tmp)
	s.up(t)
	cookies := signedIn(t, s, "reporter1").jar
	month := p.month.String()
	// As many at once as the program takes, so that what they hold is seen.
	upload := func(path, field string, sent *atomic.Int64) (int, error) {
		const boundary = "b0undary"
		head := "--" + boundary + "\r\nContent-Disposition: form-data; name=\"" + field + "\"; filename=\"a.pdf\"\r\nContent-Type: application/pdf\r\n\r\n%PDF-1.7\n"
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.listen+path, &endless{head: []byte(head), left: 2 << 30, sent: sent})
		if err != nil {
			return 0, err
		}
		r.Header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
		r.Header.Set("Origin", "http://"+s.listen)
		for name, value := range cookies {
			r.AddCookie(&http.Cookie{Name: name, Value: value})
		}
		res, err := (&http.Client{Timeout: 5 * time.Minute, Transport: &http.Transport{DisableKeepAlives: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(r)
		if err != nil {
			return 0, nil // the connection was closed on it: cut off as well
		}
		defer res.Body.Close()
		_, err = io.Copy(io.Discard, res.Body)
		return res.StatusCode, err
	}
	before := memory(t, s)
	var highest, most atomic.Int64
	ctx, stop := context.WithCancel(t.Context())
	var watch sync.WaitGroup
	watch.Go(func() {
		for ctx.Err() == nil {
			highest.Store(max(highest.Load(), int64(memory(t, s))))
			time.Sleep(20 * time.Millisecond)
		}
	})
	uploads := size(10, 100)
	places := make(chan struct{}, 10)
	var all sync.WaitGroup
	for i := range uploads {
		all.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			path, field := "/reports/"+month, "evidence[1.1]"
			if i%3 == 0 {
				path, field = "/login", "name"
			}
			var sent atomic.Int64
			status, err := upload(path, field, &sent)
			if status >= 200 && status < 400 || status >= 500 && status != http.StatusServiceUnavailable {
				t.Errorf("2 GB to %s: status %d, %v", path, status, err)
			}
			most.Store(max(most.Load(), sent.Load()))
		})
	}
	all.Wait()
	stop()
	watch.Wait()
	grown := (int(highest.Load()) - before) / 1024
	if limit := int64(256 << 20); most.Load() > limit {
		t.Errorf("%d MiB of one body were taken in", most.Load()>>20)
	}
	var left []string
	err := filepath.WalkDir(tmp, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			left = append(left, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(left) > 0 {
		t.Errorf("files left behind: %v", left)
	}
	if res, err := http.Get("http://" + s.listen + "/readyz"); err != nil || res.StatusCode != http.StatusOK {
		t.Errorf("afterwards /readyz: %v, %v", res, err)
	}
	if limit := size(256, 64); grown > limit {
		t.Errorf("memory grew by %d MiB, want %d at most", grown, limit)
	}
	t.Logf("P19 big bodies | %d uploads of 2 GB | %d MiB sent at most before the cut | memory %d MiB before, grown by %d MiB | %d files left",
		uploads, most.Load()>>20, before/1024, grown, len(left))
}

// P4: each form is sent up to twenty times under its key, at once and one after
// another, and some answers are lost on the way. Each key has one effect and one
// answer; with another body it is refused.
func TestRepeatedKeys(t *testing.T) {
	p := prepare(t, pgtest.URL(t))
	s := serve(t, binary(t, false), "DATABASE_URL="+p.url)
	s.up(t)
	const senders = 20
	each := size(50, 1000)
	var keys, requests, lost, later, other atomic.Int64
	clients := make([]*client, senders)
	for i := range clients {
		clients[i] = newClient(t, s, fmt.Sprintf("reporter%d", i+1), i+1)
		clients[i].signIn(t.Context())
	}
	var all sync.WaitGroup
	for _, c := range clients {
		all.Go(func() {
			for n := range each {
				form := url.Values{"key": {rand.Text()}, "action": {"submit"}}
				for i := 1; i <= 2; i++ {
					code := fmt.Sprintf("%d.%d", c.number, i)
					form.Set("value["+code+"]", strconv.Itoa(1000+n))
					form.Set("reason["+code+"]", fmt.Sprintf("第%d次核对", n))
					form.Set("revision["+code+"]", strconv.Itoa(n)) // of the draft: one more with each form
				}
				send := func(ctx context.Context, form url.Values) (int, string, error) {
					one := &client{t: t, base: c.base, http: c.http, jar: maps.Clone(c.jar), from: c.from}
					requests.Add(1)
					res, _, err := one.do(ctx, http.MethodPost, "/reports/"+p.month.String(), "application/x-www-form-urlencoded", []byte(form.Encode()))
					if err != nil {
						return 0, "", err
					}
					return res.StatusCode, res.Header.Get("Location"), nil
				}
				insist := func(form url.Values) (status int, location string, err error) {
					for { // 503 says: try again, with the same key
						if status, location, err = send(t.Context(), form); status != http.StatusServiceUnavailable {
							return status, location, err
						}
						later.Add(1)
					}
				}
				if n%3 == 0 { // the answer is lost
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(n%7)*time.Millisecond)
					if _, _, err := send(ctx, form); err != nil {
						lost.Add(1)
					}
					cancel()
				}
				copies := 1 + (c.number+n*7)%20
				answers := make([]string, copies)
				var together sync.WaitGroup
				for i := range copies {
					one := func() {
						status, location, err := insist(form)
						answers[i] = fmt.Sprint(status, " ", location, " ", err)
					}
					if n%2 == 0 {
						together.Go(one)
					} else {
						one()
					}
				}
				together.Wait()
				for _, a := range answers {
					if a != answers[0] || !strings.HasPrefix(a, "303 ") {
						t.Errorf("%s, form %d: answers %q and %q", c.name, n, answers[0], a)
					}
				}
				keys.Add(1)
				if n%10 == 0 {
					form.Set(fmt.Sprintf("value[%d.1]", c.number), "777")
					if status, _, err := insist(form); err != nil || status != http.StatusUnprocessableEntity {
						t.Errorf("%s, form %d: the same key with another body: %d, %v", c.name, n, status, err)
					}
					other.Add(1)
				}
			}
		})
	}
	all.Wait()
	var rows, kept, wrong int
	if err := p.pool.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM report_revision), (SELECT count(*) FROM submission_key),
		(SELECT count(*) FROM report_revision WHERE amount = 777)`).Scan(&rows, &kept, &wrong); err != nil {
		t.Fatal(err)
	}
	want := senders * each
	if rows != 2*want || kept != want || wrong != 0 {
		t.Errorf("%d keys made %d revisions (want %d), %d keys kept, %d revisions of another body", want, rows, 2*want, kept, wrong)
	}
	t.Logf("P4 repeated keys | %d rounds | %d lost | %d doubled | %d requests, %d answers lost on the way, %d told to come again | %d of %d other bodies refused",
		keys.Load(), max(0, 2*want-rows), max(0, rows-2*want), requests.Load(), lost.Load(), later.Load(), other.Load(), other.Load())
}
