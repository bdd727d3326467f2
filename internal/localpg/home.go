package localpg

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// maxSock is how long the socket's folder may be: a socket address has 104
// bytes on macOS and 108 on Linux, of which "/.s.PGSQL.5432" takes 14.
const maxSock = 104 - 1 - len("/.s.PGSQL.5432")

// fallbackParent is where data goes that PostgreSQL's user could not reach.
const fallbackParent = "/var/lib"

// home is the folder of one private PostgreSQL and the user it runs as.
type home struct {
	dir string              // absolute, symbolic links resolved
	as  *syscall.Credential // nil: ourselves
}

func (h *home) data() string { return filepath.Join(h.dir, "data") }
func (h *home) sock() string { return filepath.Join(h.dir, "sock") }
func (h *home) keep() string { return filepath.Join(h.dir, "keep") }
func (h *home) log() string  { return filepath.Join(h.dir, "postgres.log") }

// openHome makes dir if it is missing and finds out whom the server runs as.
// PostgreSQL refuses to run as root. For root it therefore runs as the owner
// of the folder or, where that is root too, as the user postgres or nobody;
// and when that user cannot enter the folder (one under /root, say), a folder
// under /var/lib takes its place.
func openHome(dir string) (*home, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("DATA_DIR %s: %w", dir, err)
	}
	h := &home{dir: abs}
	if os.Geteuid() == 0 {
		return h, h.settleAsRoot()
	}
	return h, h.settle()
}

func (h *home) settle() error {
	// Others may pass through new parents, as with mkdir -p; not into the folder.
	if err := os.MkdirAll(filepath.Dir(h.dir), 0o755); err != nil {
		return h.explain(err)
	}
	if err := os.Mkdir(h.dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return h.explain(err)
	}
	if st, err := os.Stat(h.dir); err != nil {
		return h.explain(err)
	} else if !st.IsDir() {
		return h.explain(syscall.ENOTDIR)
	}
	resolved, err := filepath.EvalSymlinks(h.dir)
	if err != nil {
		return h.explain(err)
	}
	h.dir = resolved
	if err := unix.Access(h.dir, unix.W_OK|unix.X_OK); err != nil {
		return h.explain(err)
	}
	if len(h.sock()) > maxSock {
		return fmt.Errorf("DATA_DIR %s is too long for a Unix socket (%d bytes, at most %d): set DATA_DIR to a shorter path",
			h.dir, len(h.dir), maxSock-len("/sock"))
	}
	if strings.Contains(h.dir, ",") { // divides the hosts of a connection string, and nothing can quote it
		return fmt.Errorf("DATA_DIR %s has a comma in it, which a PostgreSQL address cannot have: set DATA_DIR to another path", h.dir)
	}
	return nil
}

func (h *home) settleAsRoot() error {
	asked := h.dir
	fallback := filepath.Join(fallbackParent, fmt.Sprintf("landmark-%x", sha256.Sum256([]byte(asked)))[:len("landmark-")+12])
	// Once data is there it stays there, should the folder become reachable later.
	if !exists(filepath.Join(asked, "data")) && exists(filepath.Join(fallback, "data")) {
		return h.fallBack(asked, fallback)
	}
	if err := h.settle(); err != nil {
		return err
	}
	if err := h.adopt(); err != nil {
		return err
	}
	if h.canEnter() {
		return nil
	}
	return h.fallBack(asked, fallback)
}

func (h *home) fallBack(asked, fallback string) error {
	h.dir = fallback
	if err := h.settle(); err != nil {
		return err
	}
	if err := h.adopt(); err != nil {
		return err
	}
	if !h.canEnter() {
		return fmt.Errorf("uid %d, which runs PostgreSQL for root, can enter neither %s nor %s: set DATA_DIR to a folder it can enter, e.g. /srv/landmark",
			h.as.Uid, asked, fallback)
	}
	if _, said := announced.LoadOrStore(asked, true); !said {
		slog.Info("PostgreSQL's user cannot enter DATA_DIR, using another folder", "data_dir", asked, "instead", fallback)
	}
	return nil
}

// announced holds the folders whose fallback has been logged.
var announced sync.Map

// adopt chooses the server's user for a folder that root works in.
func (h *home) adopt() error {
	st, err := os.Lstat(h.dir)
	if err != nil {
		return h.explain(err)
	}
	if owner := st.Sys().(*syscall.Stat_t); owner.Uid != 0 {
		h.as = &syscall.Credential{Uid: owner.Uid, Gid: owner.Gid}
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err1 != nil || err2 != nil || uid == 0 {
			continue
		}
		h.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		return h.explain(h.own(h.dir))
	}
	return errors.New("PostgreSQL does not run as root and there is no user postgres or nobody to run it as: add one, run as an ordinary user, or set DATABASE_URL")
}

func (h *home) canEnter() bool {
	cmd := exec.Command("/bin/sh", "-c", `cd "$1"`, "sh", h.dir)
	h.command(cmd).Dir = "/"
	return cmd.Run() == nil
}

// own gives path to the server's user. Links are not followed: the folder may
// belong to somebody with less power than us.
func (h *home) own(path string) error {
	if h.as == nil {
		return nil
	}
	return os.Lchown(path, int(h.as.Uid), int(h.as.Gid))
}

// prepare makes what a server needs beside its data.
func (h *home) prepare() error {
	if err := os.Mkdir(h.sock(), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return h.explain(err)
	}
	if err := unix.Mkfifo(h.keep(), 0o600); err != nil && !errors.Is(err, fs.ErrExist) {
		return h.explain(err)
	}
	for path, kind := range map[string]fs.FileMode{h.sock(): fs.ModeDir, h.keep(): fs.ModeNamedPipe} {
		st, err := os.Lstat(path)
		if err != nil {
			return h.explain(err)
		}
		if st.Mode().Type() != kind {
			return fmt.Errorf("%s is in the way: move it out of DATA_DIR", path)
		}
		if err := h.own(path); err != nil {
			return h.explain(err)
		}
	}
	return nil
}

// open opens a file of ours in the folder.
func (h *home) open(name string) (int, error) {
	fd, err := unix.Open(filepath.Join(h.dir, name), unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return -1, h.explain(err)
	}
	// So that the folder's owner can go on without root.
	if h.as != nil {
		if err := unix.Fchown(fd, int(h.as.Uid), int(h.as.Gid)); err != nil {
			return -1, errors.Join(h.explain(err), unix.Close(fd))
		}
	}
	return fd, nil
}

// lock waits until no other process starts this server.
func (h *home) lock(ctx context.Context) (unlock func(), err error) {
	fd, err := h.open("lock")
	if err != nil {
		return nil, err
	}
	if err := flock(ctx, fd, unix.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("wait for another program that starts PostgreSQL in %s: %w", h.dir, err), unix.Close(fd))
	}
	return func() { unix.Close(fd) }, nil
}

// flock is flock(2) that gives up when ctx ends.
func flock(ctx context.Context, fd, how int) error {
	for {
		err := unix.Flock(fd, how|unix.LOCK_NB)
		if err == nil || !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			return err
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
}

// newLog begins the server's log and keeps the one before it: it may tell of a crash.
func (h *home) newLog() (*os.File, error) {
	if err := os.Rename(h.log(), h.log()+".1"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, h.explain(err)
	}
	f, err := os.OpenFile(h.log(), os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, h.explain(err)
	}
	if err := h.own(h.log()); err != nil {
		return nil, errors.Join(h.explain(err), f.Close())
	}
	return f, nil
}

// explain says in one line what is wrong with the folder and what to do.
func (h *home) explain(err error) error {
	if err == nil {
		return nil
	}
	advice := "set DATA_DIR to a folder on a local disk that you may write to"
	switch {
	case errors.Is(err, syscall.EROFS):
		advice = "it is on a read-only file system: mount it writable, or set DATA_DIR to another folder"
	case errors.Is(err, fs.ErrPermission):
		if st, e := os.Stat(h.dir); e == nil {
			if owner, e := user.LookupId(strconv.Itoa(int(st.Sys().(*syscall.Stat_t).Uid))); e == nil && os.Geteuid() != 0 {
				advice = "it belongs to " + owner.Username + ": run as that user, or set DATA_DIR to a folder that you may write to"
			}
		}
	case errors.Is(err, syscall.ENOTDIR):
		advice = "a part of that path is a file: set DATA_DIR to a folder"
	case errors.Is(err, syscall.ENOSPC):
		advice = "the disk is full: free some space, or set DATA_DIR to another disk"
	}
	return fmt.Errorf("cannot use DATA_DIR %s (%w): %s", h.dir, err, advice)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// Own makes the calling program the only one of its kind on dir, until it ends
// or calls release. The server takes it; commands that work beside a running
// server do not. The error of a second owner names the first.
func Own(dir string) (release func(), err error) {
	h, err := openHome(dir)
	if err != nil {
		return nil, err
	}
	fd, err := h.open("owner") // a bare descriptor: garbage collection cannot release it
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, errors.Join(h.explain(err), unix.Close(fd))
		}
		who := "another landmark"
		b := make([]byte, 20)
		if n, _ := unix.Pread(fd, b, 0); n > 0 {
			who += " (process " + strings.TrimSpace(string(b[:n])) + ")"
		}
		return nil, errors.Join(fmt.Errorf("%s already serves from DATA_DIR %s: stop it first, or set another DATA_DIR", who, h.dir), unix.Close(fd))
	}
	if err := unix.Ftruncate(fd, 0); err != nil {
		return nil, errors.Join(h.explain(err), unix.Close(fd))
	}
	if _, err := unix.Pwrite(fd, fmt.Appendf(nil, "%d\n", os.Getpid()), 0); err != nil {
		return nil, errors.Join(h.explain(err), unix.Close(fd))
	}
	return sync.OnceFunc(func() { unix.Close(fd) }), nil
}
