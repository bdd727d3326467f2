// Package localpg runs Landmark's private PostgreSQL, for when no
// DATABASE_URL names another one.
//
// A server belongs to a folder, not to a process. Whoever calls Start on the
// folder first starts the server, later callers join it, and it stops when the
// last of them has ended, however that one ended. If it dies itself, whoever
// holds it starts it again. It listens on a Unix socket inside the folder and
// nowhere else.
//
// The folder holds:
//
//	data/                     the cluster
//	sock/                     the socket
//	keep                      a pipe; the server lives while anyone holds its write end
//	lock, holders, owner      files for flock: one starter, the living holders, the one program of Own
//	postgres.log, .1          what the server said this time and last time
package localpg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sys/unix"
)

const (
	// account owns the cluster and everything in it. There is no password: the
	// socket's folder can be entered by one user only.
	account = "landmark"
	// database is the one URL leads to.
	database = "landmark"

	startLimit = 5 * time.Minute  // crash recovery of a large database takes a while
	stopLimit  = 60 * time.Second // a fast shutdown writes one checkpoint
	tick       = 20 * time.Millisecond
	watchTick  = 500 * time.Millisecond // between two looks at whether the server lives
)

// Server is one process's hold on the private PostgreSQL of a folder.
type Server struct {
	home     *home
	settings []string
	holders  int // shared flock on the file holders

	mu   sync.Mutex
	keep int // write end of the pipe, as a bare descriptor: no finalizer may close it early

	closing sync.Once
	closed  chan struct{}
	err     error
}

// URL is the connection string of the database landmark. It stays the same for
// as long as the folder is in its place.
func (s *Server) URL() string { return s.home.url(database) }

// Close lets go of the server. The last holder to do so waits until it has
// stopped, so that a program that exits afterwards (and takes its container
// with it) leaves a cleanly closed database.
func (s *Server) Close() error {
	s.closing.Do(func() {
		close(s.closed)
		s.mu.Lock() // a revival under way ends first
		defer s.mu.Unlock()
		s.err = unix.Close(s.keep)
		if unix.Flock(s.holders, unix.LOCK_EX|unix.LOCK_NB) == nil {
			for deadline := time.Now().Add(stopLimit); running(s.home.data()); time.Sleep(tick) {
				if time.Now().After(deadline) {
					s.err = errors.Join(s.err, fmt.Errorf("the private PostgreSQL in %s did not stop within %s", s.home.dir, stopLimit))
					break
				}
			}
		}
		s.err = errors.Join(s.err, unix.Close(s.holders))
	})
	return s.err
}

// guard looks after the server until Close: one that was killed, by the system
// short of memory perhaps, is started again, by whichever holder comes first.
func (s *Server) guard() {
	for {
		select {
		case <-s.closed:
			return
		case <-time.After(watchTick):
		}
		// Without data there is nothing to bring back, and an empty cluster in
		// its place would be worse than an error.
		if running(s.home.data()) || !exists(filepath.Join(s.home.data(), "PG_VERSION")) {
			continue
		}
		if err := s.revive(); err != nil {
			slog.Error("the private PostgreSQL died and does not start again", "data_dir", s.home.dir, "err", err)
		}
	}
}

func (s *Server) revive() error {
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	unlock, err := s.home.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.closed:
		return nil
	default:
	}
	keep, err := s.home.join(ctx)
	if err != nil {
		if keep, err = s.home.start(ctx, s.settings); err != nil {
			return err
		}
		slog.Warn("the private PostgreSQL died and was started again", "data_dir", s.home.dir)
	}
	old := s.keep
	s.keep = keep
	return unix.Close(old)
}

// Start returns a hold on the private PostgreSQL of dir, making the cluster
// and starting the server where nobody has yet. settings are lines of
// postgresql.conf such as "fsync=off"; a server that already runs keeps its
// own. ctx bounds the start, not the server's life.
//
// Errors are one line that says what to do.
func Start(ctx context.Context, dir string, settings ...string) (*Server, error) {
	h, err := openHome(dir)
	if err != nil {
		return nil, err
	}
	unlock, err := h.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := h.prepare(); err != nil {
		return nil, err
	}
	// Shared, so that Close can tell the last holder. Nobody keeps the
	// exclusive lock, except for the moment in which a last holder stops.
	holders, err := h.open("holders")
	if err != nil {
		return nil, err
	}
	if err := flock(ctx, holders, unix.LOCK_SH); err != nil {
		return nil, errors.Join(h.explain(err), unix.Close(holders))
	}
	s := &Server{home: h, settings: settings, holders: holders, closed: make(chan struct{})}
	if s.keep, err = h.join(ctx); err != nil {
		s.keep, err = h.start(ctx, settings)
	}
	if err != nil {
		return nil, errors.Join(err, unix.Close(holders))
	}
	if err := h.ensureDatabase(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	go s.guard()
	return s, nil
}

// join holds a server that already runs. Any error means there is none to join.
func (h *home) join(ctx context.Context) (int, error) {
	if !running(h.data()) {
		return -1, errors.New("no server")
	}
	keep, err := unix.Open(h.keep(), unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	if err != nil {
		return -1, err // ENXIO: no watcher reads the pipe, the server is stopping
	}
	// The watcher may have seen end of file a moment before we opened the pipe.
	// Only one that reads a byte of ours has not, and so will see our hold.
	if err := heard(ctx, keep); err != nil {
		return -1, errors.Join(err, unix.Close(keep))
	}
	if err := h.accepts(ctx, func() error {
		if !running(h.data()) {
			return errors.New("the server ended")
		}
		return nil
	}); err != nil {
		return -1, errors.Join(err, unix.Close(keep))
	}
	return keep, nil
}

// heard writes a byte into the pipe and waits until it has been read.
func heard(ctx context.Context, keep int) error {
	if _, err := unix.Write(keep, []byte{'.'}); err != nil {
		return err
	}
	for deadline := time.Now().Add(5 * time.Second); ; {
		n, err := unix.IoctlGetInt(keep, unix.TIOCINQ)
		if err != nil || n == 0 {
			return err
		}
		if err := pause(ctx); err != nil {
			return err
		}
		if time.Now().After(deadline) {
			return errors.New("nobody reads the pipe")
		}
	}
}

// start makes the cluster if need be and runs a new server.
func (h *home) start(ctx context.Context, settings []string) (int, error) {
	bin, err := h.initialise(ctx, slices.Contains(settings, "fsync=off"))
	if err != nil {
		return -1, err
	}
	for deadline := time.Now().Add(stopLimit); ; {
		if err := h.clearStale(ctx); err != nil {
			return -1, err
		}
		keep, err := h.launch(ctx, bin, settings)
		// A backend that outlived its killed postmaster still holds the shared
		// memory. It notices within seconds, unless it is busy.
		if err == nil || !strings.Contains(err.Error(), "shared memory block") || time.Now().After(deadline) {
			return keep, err
		}
		if err := pause(ctx); err != nil {
			return -1, err
		}
	}
}

// watch runs the command after its first argument, and beside it a watcher
// that reads the pipe on descriptor 3. At end of file, when the last holder has
// closed its end or died, the watcher asks the server for a fast shutdown.
//
// The watcher is forked twice: the postmaster takes any child of its own that
// dies by a signal for a crashed backend and restarts everything. Before the
// signal it makes sure that the number still means this server.
const watch = `
data=$1; shift
( (
	cat <&3 >/dev/null
	if [ -r /proc/$$/cmdline ]; then args=$(tr '\0' ' ' </proc/$$/cmdline); else args=$(ps -o args= -p $$); fi
	case $args in *"$data"*) kill -INT $$ ;; esac
) >/dev/null 2>&1 & )
exec 3<&-
exec "$@"`

// launch runs postgres and waits until it accepts connections. It returns the
// write end of the pipe that keeps the server alive.
func (h *home) launch(ctx context.Context, bin string, settings []string) (keep int, err error) {
	// Both ends are open before the server is: should we be killed at any
	// later moment, its watcher sees end of file.
	read, err := unix.Open(h.keep(), unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	if err != nil {
		return -1, h.explain(err)
	}
	watched := os.NewFile(uintptr(read), h.keep())
	defer watched.Close()
	keep, err = unix.Open(h.keep(), unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	if err != nil {
		return -1, h.explain(err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, unix.Close(keep))
			keep = -1
		}
	}()
	if err := unix.SetNonblock(read, false); err != nil { // cat is to wait
		return keep, err
	}
	log, err := h.newLog()
	if err != nil {
		return keep, err
	}
	defer log.Close()

	args := []string{"-c", watch, "landmark-postgres", h.data(), filepath.Join(bin, "postgres"), "-D", h.data()}
	for _, setting := range slices.Concat([]string{
		"listen_addresses=",
		"unix_socket_directories=" + quoteList(h.sock()),
		"unix_socket_permissions=0700",
		"timezone=UTC",
		"log_timezone=UTC",
		// What was acknowledged stays, through kill and power cut.
		"fsync=on",
		"full_page_writes=on",
		"synchronous_commit=on",
	}, settings) {
		args = append(args, "-c", setting)
	}
	cmd := h.command(exec.Command("/bin/sh", args...))
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{watched}
	if err := cmd.Start(); err != nil {
		return keep, fmt.Errorf("cannot run PostgreSQL in %s: %w", h.dir, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }() // for the server's whole life: no zombie stays
	err = h.accepts(ctx, func() error {
		select {
		case <-ended:
			return errors.New("it ended at once")
		default:
			return nil
		}
	})
	if err != nil {
		return keep, fmt.Errorf("the private PostgreSQL in %s did not start: %w%s; see %s", h.dir, err, h.lastWords(), h.log())
	}
	return keep, nil
}

// accepts waits until the server takes connections, and gives up when alive
// returns an error.
func (h *home) accepts(ctx context.Context, alive func() error) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, h.url("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		if err := alive(); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return fmt.Errorf("it does not answer (%s): %w", oneLine([]byte(err.Error())), context.Cause(ctx))
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
}

// ensureDatabase makes the database landmark in a new cluster. Only one
// process at a time comes here: the caller holds the lock of the folder.
func (h *home) ensureDatabase(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, h.url("postgres"))
	if err != nil {
		return fmt.Errorf("connect to the private PostgreSQL in %s: %w", h.dir, err)
	}
	defer conn.Close(ctx)
	var there bool
	if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", database).Scan(&there); err != nil {
		return fmt.Errorf("look for the database %s: %w", database, err)
	}
	if there {
		return nil
	}
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+database); err != nil {
		return fmt.Errorf("create the database %s: %w", database, err)
	}
	return nil
}

// url is the connection string of a database of this server. Everything the
// environment (PGPORT, PGUSER, PGSSLMODE) could change is said.
func (h *home) url(database string) string {
	// pgx, like libpq, leaves a + alone, so a space has to be %20.
	host := strings.ReplaceAll(url.QueryEscape(h.sock()), "+", "%20")
	return "postgres:///" + database + "?host=" + host + "&port=5432&user=" + account + "&sslmode=disable"
}

// quoteList quotes the one element of a PostgreSQL list setting: a comma or a
// space in a path would otherwise divide it.
func quoteList(path string) string {
	return `"` + strings.ReplaceAll(path, `"`, `""`) + `"`
}

// command gives cmd the user, folder and environment all our PostgreSQL
// programs run with.
func (h *home) command(cmd *exec.Cmd) *exec.Cmd {
	cmd.Dir = h.dir
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(e string) bool {
		return strings.HasPrefix(e, "PG") || strings.HasPrefix(e, "LC_") || strings.HasPrefix(e, "LANG")
	}), "LC_ALL=C")
	// Its own session: Ctrl-C in a terminal is for the program, which closes
	// its work first and then lets go of the server.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: h.as}
	return cmd
}

// lastWords is what the server complained of, as one line.
func (h *home) lastWords() string {
	b, err := os.ReadFile(h.log())
	if err != nil {
		return ""
	}
	var complaints, all []string
	for line := range strings.Lines(string(b)) {
		all = append(all, line)
		for _, level := range []string{"FATAL:", "PANIC:", "HINT:"} {
			if _, text, ok := strings.Cut(line, level); ok {
				complaints = append(complaints, text)
			}
		}
	}
	if len(complaints) == 0 { // it says some things before it has a log
		complaints = all
	}
	if len(complaints) == 0 {
		return ""
	}
	return ": " + oneLine([]byte(strings.Join(complaints[max(0, len(complaints)-3):], " ")))
}

// oneLine puts a program's output on a single line.
func oneLine(out []byte) string {
	return string(bytes.Join(bytes.Fields(out), []byte{' '}))
}

func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(tick):
		return nil
	}
}
