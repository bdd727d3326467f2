//go:build ha

package torture

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/shopspring/decimal"

	"landmark/internal/localpg"
	"landmark/internal/store"

	"log/slog"
)

// profile is what deploy/ha describes, on loopback: etcd, two data nodes with
// Patroni, HAProxy, PgBouncer and two programs. The files of deploy/ha are used as
// they are but for addresses, folders and passwords.
type profile struct {
	t    *testing.T
	dir  string
	as   *syscall.Credential // PostgreSQL and PgBouncer do not run as root
	bin  string              // PostgreSQL's programs
	etcd string

	nodes    []*dataNode
	programs []*served
	web      string // HAProxy's address for people
	primary  string // … for the primary, as the schema's owner
	standby  string
	pooled   string // PgBouncer's, as the programs' role
	stats    string // HAProxy's socket
}

// dataNode is one PostgreSQL with its Patroni.
type dataNode struct {
	name       string
	pg, rest   string // addresses
	link       *link  // what the other node reaches it by
	data, conf string
	patroni    *exec.Cmd
}

// link passes bytes on to an address until it is stopped, as a line does that was
// cut without a word: nothing arrives and nothing is closed.
type link struct {
	ln net.Listener
	to string

	mu      sync.Mutex
	open    *sync.Cond
	stopped bool
}

func newLink(t *testing.T, to string) *link {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &link{ln: ln, to: to}
	l.open = sync.NewCond(&l.mu)
	t.Cleanup(func() { l.set(false); _ = ln.Close() })
	go func() {
		for {
			in, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				out, err := net.Dial("tcp", to)
				if err != nil {
					_ = in.Close()
					return
				}
				go l.pass(in, out)
				l.pass(out, in)
			}()
		}
	}()
	return l
}

func (l *link) pass(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		l.mu.Lock()
		for l.stopped {
			l.open.Wait()
		}
		l.mu.Unlock()
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (l *link) set(stopped bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopped = stopped
	l.open.Broadcast()
}

func port(address string) string {
	_, p, err := net.SplitHostPort(address)
	if err != nil {
		panic(err)
	}
	return p
}

// file writes a file of deploy/ha with things of this machine in the place of the
// example's. Each must be there, so that the files cannot change unnoticed.
func (h *profile) file(name, as string, instead ...string) string {
	h.t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "deploy", "ha", name))
	if err != nil {
		h.t.Fatal(err)
	}
	for i := 0; i < len(instead); i += 2 {
		if !bytes.Contains(b, []byte(instead[i])) {
			h.t.Fatalf("deploy/ha/%s says nothing of %q", name, instead[i])
		}
	}
	return h.put(as, strings.NewReplacer(instead...).Replace(string(b)))
}

func (h *profile) put(name, text string) string {
	h.t.Helper()
	path := filepath.Join(h.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
	if h.as != nil {
		if err := os.Chown(path, int(h.as.Uid), int(h.as.Gid)); err != nil {
			h.t.Fatal(err)
		}
	}
	return path
}

// launch runs a program of the profile until the test ends, or it is killed.
func (h *profile) launch(root bool, name string, args ...string) *exec.Cmd {
	h.t.Helper()
	log, err := os.OpenFile(filepath.Join(h.dir, filepath.Base(name)+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		h.t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = h.dir, log, log
	cmd.Env = append(os.Environ(), "ETCD_UNSUPPORTED_ARCH=", "PGPASSWORD=")
	if !root && h.as != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: h.as}
		cmd.Env = append(cmd.Env, "HOME="+h.dir)
	}
	if err := cmd.Start(); err != nil {
		h.t.Fatalf("%s: %v: tools/setup ha installs it", name, err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	h.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
		if h.t.Failed() {
			b, _ := os.ReadFile(log.Name())
			lines := strings.Split(string(b), "\n")
			h.t.Logf("the end of %s's log:\n%s", filepath.Base(name), strings.Join(lines[max(0, len(lines)-15):], "\n"))
		}
	})
	return cmd
}

// soon waits until something is so.
func (h *profile) soon(what string, within time.Duration, is func() bool) time.Duration {
	h.t.Helper()
	began := time.Now()
	for !is() {
		if time.Since(began) > within {
			h.t.Fatalf("not %s after %s", what, within)
		}
		time.Sleep(50 * time.Millisecond)
	}
	return time.Since(began)
}

var short = &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

func answers(method, address string) bool {
	r, err := http.NewRequest(method, address, nil)
	if err != nil {
		return false
	}
	res, err := short.Do(r)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// leader is the node that holds the key, nil for none.
func (h *profile) leader() *dataNode {
	for _, n := range h.nodes {
		if answers(http.MethodOptions, "http://"+n.rest+"/primary") {
			return n
		}
	}
	return nil
}

// whole says whether a primary is followed by a standby that it waits for.
func (h *profile) whole() bool {
	for _, n := range h.nodes {
		res, err := short.Get("http://" + n.rest + "/cluster")
		if err != nil {
			continue
		}
		var c struct {
			Members []struct{ Role, State string }
		}
		err = json.NewDecoder(res.Body).Decode(&c)
		_ = res.Body.Close()
		if err != nil {
			continue
		}
		leads, follows := false, false
		for _, m := range c.Members {
			leads = leads || m.Role == "leader" && m.State == "running"
			follows = follows || m.Role == "sync_standby" && (m.State == "running" || m.State == "streaming")
		}
		return leads && follows
	}
	return false
}

func (h *profile) startNode(n *dataNode) {
	h.t.Helper()
	n.patroni = h.launch(false, "/usr/bin/patroni", n.conf)
}

// kill ends a node as a power cut does: every process at once.
func (h *profile) kill(n *dataNode) {
	h.t.Helper()
	if err := n.patroni.Process.Kill(); err != nil {
		h.t.Fatal(err)
	}
	h.killServer(n)
}

func (h *profile) killServer(n *dataNode) {
	b, err := os.ReadFile(filepath.Join(n.data, "postmaster.pid"))
	if err != nil {
		return // it does not run
	}
	first, _, _ := strings.Cut(string(b), "\n")
	children, _ := exec.Command("pgrep", "-P", first).Output() // none left is no fault
	for _, text := range append([]string{first}, strings.Fields(string(children))...) {
		pid, err := strconv.Atoi(text)
		if err != nil {
			h.t.Fatal(err)
		}
		args, _ := os.ReadFile("/proc/" + text + "/cmdline")
		if !bytes.Contains(args, []byte("postgres")) {
			continue // the number is somebody else's by now
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			h.t.Fatal(err)
		}
	}
}

func startProfile(t *testing.T, binary string) *profile {
	t.Helper()
	h := &profile{t: t}
	var err error
	if h.bin, err = localpg.Programs(); err != nil {
		t.Fatal(err)
	}
	if h.dir, err = os.MkdirTemp("/var/tmp", "landmark-ha-"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(h.dir); err != nil {
			t.Error(err)
		}
	})
	if os.Geteuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			t.Fatal(err)
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err1, err2, os.Chown(h.dir, int(uid), int(gid))); err != nil {
			t.Fatal(err)
		}
		h.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}

	peer := freePort(t)
	h.etcd = freePort(t)
	conf := h.file("etcd.yml", "etcd.yml", "/var/lib/etcd/landmark", filepath.Join(h.dir, "etcd"),
		"e1=http://10.0.0.21:2380,e2=http://10.0.0.22:2380,e3=http://10.0.0.23:2380", "e1=http://"+peer,
		"10.0.0.21:2379", h.etcd, "10.0.0.21:2380", peer)
	h.launch(false, "etcd", "--config-file", conf)
	h.soon("etcd up", 30*time.Second, func() bool { return answers(http.MethodGet, "http://"+h.etcd+"/health") })

	h.web, h.stats = freePort(t), filepath.Join(h.dir, "admin.sock")
	rw, ro, pooler := freePort(t), freePort(t), freePort(t)
	h.primary = "postgres://landmark:eigentuemer@" + rw + "/landmark?sslmode=disable"
	h.standby = "postgres://landmark:eigentuemer@" + ro + "/landmark?sslmode=disable"
	h.pooled = "postgres://landmark_web:anwendung@" + pooler + "/landmark?sslmode=disable"
	for range 2 {
		h.programs = append(h.programs, notYet(t, binary, "DATABASE_URL="+h.pooled, "DATABASE_URL_DIRECT="+h.primary, "DATABASE_URL_READ="+h.standby, "DRAIN_WAIT=3s"))
	}

	for _, name := range []string{"n1", "n2"} {
		n := &dataNode{name: name, pg: freePort(t), rest: freePort(t), data: filepath.Join(h.dir, name)}
		n.link = newLink(t, n.pg)
		n.conf = h.file("patroni.yml", name+".yml", "name: n1", "name: "+name,
			"listen: 10.0.0.11:8008", "listen: "+n.rest, "connect_address: 10.0.0.11:8008", "connect_address: "+n.rest,
			"listen: 10.0.0.11:5432", "listen: "+n.pg, "connect_address: 10.0.0.11:5432", "connect_address: "+n.link.ln.Addr().String(),
			"10.0.0.21:2379,10.0.0.22:2379,10.0.0.23:2379", h.etcd, "10.0.0.0/24", "127.0.0.1/32",
			"/var/lib/postgresql/15/landmark", n.data, "/usr/lib/postgresql/15/bin", h.bin,
			"/var/lib/postgresql/.pgpass-patroni", filepath.Join(h.dir, "pgpass-"+name),
			"/var/run/postgresql", h.dir)
		h.nodes = append(h.nodes, n)
		t.Cleanup(func() { h.killServer(n) })
	}
	h.startNode(h.nodes[0])
	h.soon("n1 primary", time.Minute, func() bool { return h.leader() == h.nodes[0] })
	h.startNode(h.nodes[1])

	h.launch(true, "/usr/sbin/haproxy", "-db", "-f", h.file("haproxy.cfg", "haproxy.cfg", "/run/haproxy/admin.sock", h.stats,
		"10.0.0.30:80", h.web, "10.0.0.31:8080", h.programs[0].listen, "10.0.0.32:8080", h.programs[1].listen,
		"127.0.0.1:5000", rw, "127.0.0.1:5001", ro,
		"10.0.0.11:5432 check port 8008", h.nodes[0].pg+" check port "+port(h.nodes[0].rest),
		"10.0.0.12:5432 check port 8008", h.nodes[1].pg+" check port "+port(h.nodes[1].rest)))
	h.launch(false, "/usr/sbin/pgbouncer", h.file("pgbouncer.ini", "pgbouncer.ini", "port=5000", "port="+port(rw), "listen_port = 6432", "listen_port = "+port(pooler),
		"/etc/pgbouncer/userlist.txt", h.put("userlist.txt", `"landmark_web" "anwendung"`+"\n")))
	h.soon("whole", time.Minute, h.whole)

	h.soon("reachable through HAProxy", 30*time.Second, func() bool {
		cmd := exec.Command(filepath.Join(h.bin, "psql"), "-XqAt", "-c", "SELECT 1", "postgres://postgres:SUPERUSER-PASSWORD@"+rw+"/postgres?sslmode=disable")
		return cmd.Run() == nil
	})
	roles, err := filepath.Abs(filepath.Join("..", "..", "deploy", "ha", "roles.sql"))
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(filepath.Join(h.bin, "psql"), "-Xq", "-v", "owner_password=eigentuemer", "-v", "web_password=anwendung", "-f", roles,
		"postgres://postgres:SUPERUSER-PASSWORD@"+rw+"/postgres?sslmode=disable").CombinedOutput()
	if err != nil {
		t.Fatalf("roles.sql: %v\n%s", err, out)
	}
	for _, s := range h.programs {
		s.start()
		h.soon("ready", time.Minute, func() bool { return h.ready(s) })
	}
	return h
}

// upAndOut are HAProxy's counters of the people's requests: answered with a 5xx by
// a program or by HAProxy itself, and not answered at all.
func (h *profile) failures() int {
	h.t.Helper()
	c, err := net.Dial("unix", h.stats)
	if err != nil {
		h.t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "show stat\n"); err != nil {
		h.t.Fatal(err)
	}
	b, err := io.ReadAll(c)
	if err != nil {
		h.t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimSpace(strings.TrimPrefix(string(b), "# ")))).ReadAll()
	if err != nil {
		h.t.Fatal(err)
	}
	column := slices.Index(rows[0], "hrsp_5xx")
	for _, r := range rows[1:] {
		if r[0] == "web" && r[1] == "FRONTEND" {
			n, err := strconv.Atoi(r[column])
			if err != nil {
				h.t.Fatal(err)
			}
			return n
		}
	}
	h.t.Fatal("HAProxy counts nothing")
	return 0
}

func (h *profile) ready(s *served) bool {
	return answers(http.MethodGet, "http://"+s.listen+"/readyz")
}

// inBalance says whether HAProxy has seen that both programs are ready: it asks
// every second.
func (h *profile) inBalance() {
	h.t.Helper()
	for _, s := range h.programs {
		h.soon("ready", time.Minute, func() bool { return h.ready(s) })
	}
	time.Sleep(1500 * time.Millisecond)
}

// phase is one row of the table.
type phase struct {
	promise, what string
	rounds        int
	begin, end    time.Time
	failed        int // requests HAProxy answered or passed on as 5xx
	calm          bool
	limit         time.Duration // of the longest gap; 0 for none
}

// TestHighAvailability is make ha-test: P3, P5, P12 and P13 on the whole profile,
// with one load from the beginning to the end.
func TestHighAvailability(t *testing.T) {
	built := binary(t, false)
	old := previous(t)
	h := startProfile(t, old) // P13 begins with the previous program
	h.inBalance()
	p := prepare(t, h.primary) // the new schema arrives while the previous program serves
	figures(t, h.pooled)

	front := &served{t: t, listen: h.web}
	stop := load(t, p, front, 400*time.Millisecond)
	var phases []*phase
	run := func(ph phase, f func()) {
		t.Logf("%s %s", ph.promise, ph.what)
		before := h.failures()
		ph.begin = time.Now()
		f()
		ph.end = time.Now()
		ph.failed = h.failures() - before
		phases = append(phases, &ph)
	}
	replace := func(s *served, by string) {
		if status := s.stop(syscall.SIGTERM); status != 0 {
			t.Errorf("the program ended with status %d", status)
		}
		s.binary = by
		s.start()
		h.inBalance()
	}

	mixed := time.Duration(size(10, 300)) * time.Second
	run(phase{promise: "P13", what: "rolling upgrade, old and new at once", rounds: 1, calm: true}, func() {
		replace(h.programs[0], built)
		time.Sleep(mixed)
		replace(h.programs[1], built)
	})
	drains := size(4, 200)
	run(phase{promise: "P12", what: "SIGTERM drains behind HAProxy", rounds: drains, calm: true}, func() {
		for i := range drains {
			replace(h.programs[i%2], built)
		}
	})
	switches := size(2, 10)
	run(phase{promise: "P3", what: "switchover", rounds: switches, limit: 5 * time.Second}, func() {
		for range switches {
			from := h.leader()
			to := h.nodes[0]
			if to == from {
				to = h.nodes[1]
			}
			body := fmt.Sprintf(`{"leader": %q, "candidate": %q}`, from.name, to.name)
			res, err := (&http.Client{Timeout: time.Minute}).Post("http://"+from.rest+"/switchover", "application/json", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			said, _ := io.ReadAll(res.Body)
			_ = res.Body.Close()
			if res.StatusCode != http.StatusOK {
				t.Fatalf("switchover: %s: %s", res.Status, said)
			}
			h.soon("switched over", time.Minute, func() bool { return h.leader() == to && h.whole() })
			time.Sleep(2 * time.Second)
		}
	})
	cuts := size(1, 3)
	run(phase{promise: "P5", what: "replays after the link to the standby stopped 8 s and the leader died", rounds: cuts}, func() {
		for range cuts {
			h.lose(func(leader *dataNode) {
				leader.link.set(true)
				time.Sleep(8 * time.Second)
				h.kill(leader)
			})
		}
	})
	kills := size(1, 10)
	run(phase{promise: "P3", what: "the primary's machine dies", rounds: kills, limit: 25 * time.Second}, func() {
		for range kills {
			h.lose(h.kill)
		}
	})
	history, decided := stop()
	for i, s := range h.programs {
		for line := range strings.Lines(s.tail(1 << 20)) {
			if strings.Contains(line, "status=500") || strings.Contains(line, "panic") {
				t.Errorf("program %d: %s", i, line)
			}
		}
	}
	p.pool.Close() // its statements have the limits of requests; the check reads everything
	whole, err := pgxpool.New(t.Context(), h.primary)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(whole.Close)
	p.pool, p.st = whole, store.New(whole)
	lost, doubled := check(t, p, history, decided)
	h.report(phases, history, lost, doubled)
}

// lose kills the leader in the way of f, waits for the other node, and lets the
// old one come back as its standby.
func (h *profile) lose(f func(*dataNode)) {
	h.t.Helper()
	old := h.leader()
	if old == nil {
		h.t.Fatal("nobody leads")
	}
	f(old)
	h.soon("replaced", time.Minute, func() bool { l := h.leader(); return l != nil && l != old })
	old.link.set(false)
	time.Sleep(3 * time.Second) // the load goes on with one server
	h.startNode(old)
	h.soon("whole again", 2*time.Minute, h.whole)
	time.Sleep(2 * time.Second)
}

// report holds each phase to its promise and prints the table.
func (h *profile) report(phases []*phase, history []sent, lost, doubled int) {
	t := h.t
	t.Helper()
	var table strings.Builder
	table.WriteString("promise | rounds | lost | doubled | longest gap | failed requests\n")
	for _, ph := range phases {
		done := []time.Time{ph.begin, ph.end}
		acknowledged, again := 0, 0
		for _, s := range history {
			if s.done.After(ph.begin) && s.done.Before(ph.end) {
				done = append(done, s.done)
				acknowledged++
				if s.tries > 1 {
					again++
				}
			}
		}
		slices.SortFunc(done, time.Time.Compare)
		var gap time.Duration
		for i := 1; i < len(done); i++ {
			gap = max(gap, done[i].Sub(done[i-1]))
		}
		fmt.Fprintf(&table, "%s %s | %d rounds | %d lost | %d doubled | %.1f s | %d failed (%d forms sent again, %d acknowledged)\n",
			ph.promise, ph.what, ph.rounds, lost, doubled, gap.Seconds(), ph.failed, again, acknowledged)
		if acknowledged == 0 {
			t.Errorf("%s %s: nothing was acknowledged, so nothing is shown", ph.promise, ph.what)
		}
		if ph.limit > 0 && gap > ph.limit {
			t.Errorf("%s %s: the longest gap is %s, want %s", ph.promise, ph.what, gap, ph.limit)
		}
		if ph.calm && (ph.failed > 0 || again > 0) {
			t.Errorf("%s %s: %d failed requests, %d forms sent again, want none", ph.promise, ph.what, ph.failed, again)
		}
		if ph.promise == "P5" && again == 0 {
			t.Errorf("P5: no form was sent again, so nothing is shown")
		}
	}
	t.Logf("\n%s", table.String())
}

// previous builds the program as it was at the revision OLD, by default the one
// before the last.
func previous(t *testing.T) string {
	t.Helper()
	revision := os.Getenv("OLD")
	if revision == "" {
		revision = "HEAD~1"
	}
	dir := t.TempDir()
	archive := exec.Command("git", "-c", "safe.directory=*", "archive", revision)
	archive.Dir = filepath.Join("..", "..")
	untar := exec.Command("tar", "-x", "-C", dir)
	pipe, err := archive.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	untar.Stdin = pipe
	if err := errors.Join(untar.Start(), archive.Run(), untar.Wait()); err != nil {
		t.Fatalf("take the revision %s out of git: %v", revision, err)
	}
	out := filepath.Join(dir, "landmark-old")
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", out, "./cmd/landmark")
	cmd.Dir = dir
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", revision, err, b)
	}
	return out
}

// figures keep their digits through the pooler, where statements carry no types of
// their own.
func figures(t *testing.T, address string) {
	t.Helper()
	pair, err := store.OpenPair(t.Context(), store.Addresses{URL: address, Pooled: true}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer pair.Close()
	for _, want := range []string{"82.80", "0.0", "1000"} {
		for range 3 { // on several servers' connections
			var got string
			if err := pair.QueryRow(t.Context(), "SELECT $1::numeric::text", decimal.RequireFromString(want)).Scan(&got); err != nil || got != want {
				t.Errorf("%s through the pooler comes back as %s (%v)", want, got, err)
			}
		}
	}
}
