package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"landmark/internal/localpg"
)

// Cluster is a PostgreSQL server of the test's own on a port of loopback, for
// what cannot be done to the shared one: stop it, freeze it, copy it, restore it.
// It is not running when it is made.
type Cluster struct {
	Dir  string // data directory
	Port int

	bin    string
	as     *syscall.Credential // PostgreSQL does not run as root
	parent string
}

// secret is the password of the superuser postgres of each cluster.
const secret = "geheim"

// NewCluster makes an empty cluster; the superuser postgres signs in with a
// password. settings are lines of postgresql.conf.
func NewCluster(t testing.TB, settings ...string) *Cluster {
	t.Helper()
	c := newPlace(t)
	password := filepath.Join(c.parent, "password")
	if err := os.WriteFile(password, []byte(secret+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	c.must(t, "initdb", "-D", c.Dir, "-U", "postgres", "-A", "scram-sha-256", "--pwfile="+password, "-E", "UTF8",
		"--locale=C", "--lc-ctype=C.UTF-8", "--data-checksums", "--no-sync", "--no-instructions")
	c.configure(t, append([]string{"wal_log_hints = on", "hot_standby = on", "max_connections = 100"}, settings...)...)
	return c
}

// newPlace makes the folder and picks the port.
func newPlace(t testing.TB) *Cluster {
	t.Helper()
	bin, err := localpg.Programs()
	if err != nil {
		t.Fatal(err)
	}
	c := &Cluster{bin: bin}
	base := os.TempDir()
	if st, err := os.Stat("/dev/shm"); err == nil && st.IsDir() { // in memory: spare the disk
		base = "/dev/shm"
	}
	if c.parent, err = os.MkdirTemp(base, "cluster-"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(c.parent); err != nil {
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
		if err := errors.Join(err1, err2, os.Chown(c.parent, int(uid), int(gid))); err != nil {
			t.Fatal(err)
		}
		c.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	c.Dir = filepath.Join(c.parent, "data")
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c.Port = ln.Addr().(*net.TCPAddr).Port
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	return c
}

// configure adds settings to postgresql.conf, and where the server listens.
func (c *Cluster) configure(t testing.TB, settings ...string) {
	t.Helper()
	text := strings.Join(append([]string{
		"", "listen_addresses = '127.0.0.1'", "port = " + strconv.Itoa(c.Port), "unix_socket_directories = ''", "timezone = 'UTC'", "fsync = off",
	}, settings...), "\n") + "\n"
	f, err := os.OpenFile(filepath.Join(c.Dir, "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

// command is one of PostgreSQL's programs, run as its user.
func (c *Cluster) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(c.bin, name), args...)
	cmd.Dir = c.parent
	cmd.Env = append(os.Environ(), "PGPASSWORD="+secret)
	if c.as != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.as}
	}
	return cmd
}

func (c *Cluster) must(t testing.TB, name string, args ...string) {
	t.Helper()
	out, err := c.command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, bytes.TrimSpace(out))
	}
}

// Start runs the server; it stops when the test ends.
func (c *Cluster) Start(t testing.TB) {
	t.Helper()
	// The server keeps what it inherits: no pipe of ours, or we would wait for its end.
	cmd := c.command("pg_ctl", "start", "-w", "-t", "60", "-s", "-D", c.Dir, "-l", filepath.Join(c.parent, "log"))
	if err := cmd.Run(); err != nil {
		b, _ := os.ReadFile(filepath.Join(c.parent, "log"))
		t.Fatalf("pg_ctl start: %v\n%s", err, b)
	}
	t.Cleanup(func() { _ = c.command("pg_ctl", "stop", "-m", "immediate", "-s", "-D", c.Dir).Run() }) // may have been stopped by the test
}

// Stop ends the server in one of pg_ctl's modes: fast, or immediate as a crash does.
func (c *Cluster) Stop(t testing.TB, mode string) {
	t.Helper()
	c.must(t, "pg_ctl", "stop", "-w", "-s", "-m", mode, "-D", c.Dir)
}

// Signal sends every process of the server a signal: SIGSTOP freezes it as a
// machine that hangs does, SIGCONT goes on.
func (c *Cluster) Signal(t testing.TB, sig syscall.Signal) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(c.Dir, "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(b), "\n")
	postmaster, err := strconv.Atoi(line)
	if err != nil {
		t.Fatal(err)
	}
	pids := []int{postmaster}
	children, err := exec.Command("pgrep", "-P", line).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range strings.Fields(string(children)) {
		pid, err := strconv.Atoi(f)
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Fatal(err)
		}
	}
}

// URL is the connection string of a database for the superuser.
func (c *Cluster) URL(database string) string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword("postgres", secret), Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(c.Port)),
		Path: "/" + database, RawQuery: "sslmode=disable"}
	return u.String()
}

// BaseBackup copies the running server into a new cluster, as it is at the
// backup's end. flags are further ones of pg_basebackup, settings more lines of
// postgresql.conf.
func (c *Cluster) BaseBackup(t testing.TB, flags []string, settings ...string) *Cluster {
	t.Helper()
	to := newPlace(t)
	to.must(t, "pg_basebackup", append([]string{"-D", to.Dir, "-d", c.URL("postgres"), "-X", "stream", "-c", "fast", "--no-sync"}, flags...)...)
	to.configure(t, settings...)
	return to
}

// Folder makes a folder beside the data that the server may write to.
func (c *Cluster) Folder(t testing.TB, name string) string {
	t.Helper()
	dir := filepath.Join(c.parent, name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if c.as != nil {
		if err := os.Chown(dir, int(c.as.Uid), int(c.as.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Configure adds lines to postgresql.conf of a server that does not run.
func (c *Cluster) Configure(t testing.TB, settings ...string) {
	t.Helper()
	c.configure(t, settings...)
}

// RecoverTo lets the next start of a base backup replay archived files up to a
// moment, and then take writes.
func (c *Cluster) RecoverTo(t testing.TB, archive string, moment time.Time) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(c.Dir, "recovery.signal"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	c.configure(t, "restore_command = 'cp \""+archive+"/%f\" \"%p\"'",
		"recovery_target_time = '"+moment.UTC().Format("2006-01-02 15:04:05.999999")+"+00'", "recovery_target_action = 'promote'")
}

// Standby makes and starts a server that follows c.
func (c *Cluster) Standby(t testing.TB) *Cluster {
	t.Helper()
	to := c.BaseBackup(t, []string{"-R"})
	to.Start(t)
	return to
}

// CaughtUp waits until standby has replayed what c had written when it was called.
func (c *Cluster) CaughtUp(t testing.TB, standby *Cluster) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	here, err := pgx.Connect(ctx, c.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer here.Close(context.WithoutCancel(ctx))
	there, err := pgx.Connect(ctx, standby.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer there.Close(context.WithoutCancel(ctx))
	var written string
	if err := here.QueryRow(ctx, "SELECT pg_current_wal_insert_lsn()::text").Scan(&written); err != nil {
		t.Fatal(err)
	}
	for done := false; !done; {
		if err := there.QueryRow(ctx, "SELECT coalesce(pg_last_wal_replay_lsn() >= $1::text::pg_lsn, false)", written).Scan(&done); err != nil {
			t.Fatal(fmt.Errorf("the standby does not follow: %w", err))
		}
	}
}
