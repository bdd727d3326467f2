package torture

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"landmark/internal/localpg"
)

// BenchmarkSpeed measures what one page's rate does not tell: two programs on one
// database while figures are approved, the wait at a steady rate, pages that are not
// kept, the form, the start and the memory. Rates come from wrk, ratios from nginx
// sending the same bytes in the same run. It needs the demo's figures, prints a
// table, and asserts nothing but that no page was stale.
func BenchmarkSpeed(b *testing.B) {
	for _, program := range []string{"wrk", "nginx"} {
		if _, err := exec.LookPath(program); err != nil {
			b.Fatalf("%v: tools/setup bench installs it", err)
		}
	}
	dir, err := os.MkdirTemp("/var/tmp", "landmark-speed-")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			b.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		b.Fatal(err)
	}
	pg, err := localpg.Start(b.Context(), filepath.Join(dir, "data"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := pg.Close(); err != nil {
			b.Error(err)
		}
	})
	program := binary(b, false)
	begin := func(env ...string) *served {
		s := serve(b, program, append([]string{"DATABASE_URL=" + pg.URL(), "LOG_LEVEL=info", "--demo"}, env...)...)
		s.up(b)
		return s
	}
	one := begin()
	two, unkept := begin(), begin("PAGE_CACHE_MIB=0")
	enter := func(s *served, account string) *client {
		c := newClient(b, s, account, 1)
		res, _, err := c.do(b.Context(), http.MethodPost, "/login/demo", "application/x-www-form-urlencoded", []byte(url.Values{"account": {account}}.Encode()))
		if err != nil || res.StatusCode != http.StatusSeeOther {
			b.Fatalf("enter as %s: %v, %v", account, res, err)
		}
		return c
	}
	office, reporter := enter(one, "office"), enter(one, "reporter-minzheng")
	front := mirror(b, dir, office)

	fmt.Fprintf(os.Stderr, "\n%-58s %10s %10s %10s\n", "what, medians of three", "landmark", "nginx", "ratio")
	row := func(what string, ours, theirs func() float64) {
		var x, y []float64
		for range 3 {
			x = append(x, ours())
			if theirs != nil {
				y = append(y, theirs())
			}
		}
		slices.Sort(x)
		slices.Sort(y)
		if theirs == nil {
			fmt.Fprintf(os.Stderr, "%-58s %10.0f\n", what, x[1])
			return
		}
		fmt.Fprintf(os.Stderr, "%-58s %10.0f %10.0f %10.3f\n", what, x[1], y[1], x[1]/y[1])
	}
	nginx := func() float64 { return rate(b, front, office, 64) }
	row("overview, one program, 64 connections, requests/s", func() float64 { return rate(b, "http://"+one.listen+"/", office, 64) }, nginx)

	approved, stale := approve(b, one, two, office, func() {
		row("overview, two programs, an approval each second, 64", func() float64 {
			var sum [2]float64
			var all sync.WaitGroup
			for i, s := range []*served{one, two} {
				all.Go(func() { sum[i] = rate(b, "http://"+s.listen+"/", office, 32) })
			}
			all.Wait()
			return sum[0] + sum[1]
		}, nginx)
	})
	fmt.Fprintf(os.Stderr, "  %d approvals meanwhile, each looked up at once on both: %d stale pages\n", approved, stale)
	if stale > 0 {
		b.Errorf("%d stale pages", stale)
	}
	row("overview made for every request, 64", func() float64 { return rate(b, "http://"+unkept.listen+"/", office, 64) }, nginx)
	row("a reporter's form, 16 connections, requests/s", func() float64 { return rate(b, "http://"+one.listen+"/reports/2023-09", reporter, 16) }, nil)

	wait := steady(b, office, 500, 20*time.Second)
	fmt.Fprintf(os.Stderr, "overview at a steady 500/s for 20 s: p50 %s, p99 %s, longest %s\n", wait[len(wait)/2], wait[len(wait)*99/100], wait[len(wait)-1])

	fmt.Fprintf(os.Stderr, "resident after all this: %d and %d MiB, of which 64 may be kept pages\n", resident(b, one), resident(b, two))
	two.stop(os.Interrupt)
	var starts []time.Duration
	for range 5 {
		began := time.Now()
		two.start()
		for {
			if res, err := http.Get("http://" + two.listen + "/login"); err == nil {
				_ = res.Body.Close()
				if res.StatusCode == http.StatusOK {
					break
				}
			}
			time.Sleep(2 * time.Millisecond)
		}
		starts = append(starts, time.Since(began))
		two.stop(os.Interrupt)
	}
	slices.Sort(starts)
	fmt.Fprintf(os.Stderr, "from the start to the first page, the database up: %s\n", starts[2].Round(time.Millisecond))
}

var perSecond = regexp.MustCompile(`Requests/sec:\s+([0-9.]+)`)

// rate is what wrk gets of one address, as c signed in.
func rate(b *testing.B, address string, c *client, connections int) float64 {
	b.Helper()
	var cookies []string
	for name, value := range c.jar {
		cookies = append(cookies, name+"="+value)
	}
	out, err := exec.CommandContext(b.Context(), "wrk", "-t2", "-c"+strconv.Itoa(connections), "-d4s", "-H", "Cookie: "+strings.Join(cookies, "; "), "-H", "Accept-Encoding: gzip", address).CombinedOutput()
	if err != nil || strings.Contains(string(out), "Non-2xx") || strings.Contains(string(out), "Socket errors") {
		b.Fatalf("wrk %s: %v\n%s", address, err, out)
	}
	found := perSecond.FindSubmatch(out)
	if found == nil {
		b.Fatalf("wrk %s said\n%s", address, out)
	}
	n, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// mirror has nginx send the overview's bytes, and gives its address.
func mirror(b *testing.B, dir string, c *client) string {
	b.Helper()
	_, page, err := c.do(b.Context(), http.MethodGet, "/", "", nil)
	if err != nil {
		b.Fatal(err)
	}
	put := func(name string, write func(io.Writer) error) {
		f, err := os.Create(filepath.Join(dir, name))
		if err == nil {
			err = write(f)
		}
		if err == nil {
			err = f.Close()
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	put("overview", func(w io.Writer) error {
		z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
		if err == nil {
			_, err = z.Write(page)
		}
		if err == nil {
			err = z.Close()
		}
		return err
	})
	address := freePort(b)
	put("nginx.conf", func(w io.Writer) error {
		_, err := fmt.Fprintf(w, `daemon off; pid %[1]s/pid; error_log %[1]s/nginx.log; worker_processes auto;
events { worker_connections 1024; }
http {
	access_log off; sendfile on; keepalive_requests 1000000000; open_file_cache max=100;
	client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
	server { listen %[2]s; location / { root %[1]s; default_type "text/html; charset=utf-8"; add_header Content-Encoding gzip; } }
}
`, dir, address)
		return err
	})
	cmd := exec.Command("nginx", "-c", filepath.Join(dir, "nginx.conf"), "-e", filepath.Join(dir, "nginx.log"))
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt) // gone already: Wait says so
		_ = cmd.Wait()
	})
	address = "http://" + address + "/overview"
	for range 100 {
		if res, err := http.Get(address); err == nil {
			_ = res.Body.Close()
			return address
		}
		time.Sleep(20 * time.Millisecond)
	}
	b.Fatal("nginx does not answer")
	return ""
}

// approve has the office correct and approve one figure each second while f runs,
// and asks both programs for its page after each answer.
func approve(b *testing.B, one, two *served, office *client, f func()) (approved, stale int64) {
	b.Helper()
	ctx, stop := context.WithCancel(b.Context())
	var n, old atomic.Int64
	var all sync.WaitGroup
	all.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		there := *office
		there.base = "http://" + two.listen
		for value := 300; ; value++ {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			cmd := exec.Command(one.binary, "values", "import", "-", "--month", "2023-09", "--by", "测速", "--approve")
			cmd.Env = append(os.Environ(), one.env[0])
			cmd.Stdin = strings.NewReader(fmt.Sprintf("code,value,step,note,reason\n4.2,%d.5,,,第%d次测速更正\n", value, value))
			if out, err := cmd.CombinedOutput(); err != nil {
				b.Errorf("approve: %v\n%s", err, out)
				return
			}
			n.Add(1)
			for _, c := range []*client{office, &there} {
				_, page, err := c.do(ctx, http.MethodGet, "/indicators/4.2?month=2023-09", "", nil)
				if ctx.Err() == nil && (err != nil || !strings.Contains(string(page), strconv.Itoa(value)+".5")) {
					old.Add(1)
				}
			}
		}
	})
	f()
	stop()
	all.Wait()
	return n.Load(), old.Load()
}

// steady asks for the overview so many times a second, whether or not the answers
// come, and gives how long each took, counted from when it was due.
func steady(b *testing.B, c *client, perSecond int, lasting time.Duration) []time.Duration {
	b.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}}
	every := time.Second / time.Duration(perSecond)
	took := make([]time.Duration, int(lasting/every))
	var all sync.WaitGroup
	began := time.Now()
	for i := range took {
		due := began.Add(time.Duration(i) * every)
		time.Sleep(time.Until(due))
		all.Go(func() {
			r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, c.base+"/", http.NoBody)
			if err != nil {
				b.Error(err)
				return
			}
			r.Header.Set("Accept-Encoding", "gzip")
			for name, value := range c.jar {
				r.AddCookie(&http.Cookie{Name: name, Value: value})
			}
			res, err := client.Do(r)
			if err == nil {
				_, err = io.Copy(io.Discard, res.Body)
				_ = res.Body.Close()
			}
			if err != nil || res.StatusCode != http.StatusOK {
				b.Errorf("steady: %v, %v", res, err)
			}
			took[i] = time.Since(due)
		})
	}
	all.Wait()
	slices.Sort(took)
	return took
}

// resident is how much memory a program holds, in MiB.
func resident(b *testing.B, s *served) int {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	_, after, _ := strings.Cut(string(status), "VmRSS:")
	kib, err := strconv.Atoi(strings.Fields(after)[0])
	if err != nil {
		b.Fatal(err)
	}
	return kib / 1024
}
