package localpg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// places are where PostgreSQL's programs are kept: Debian, Red Hat, Homebrew
// on both kinds of Mac, Postgres.app.
var places = []string{
	"/usr/lib/postgresql/*/bin",
	"/usr/pgsql-*/bin",
	"/opt/homebrew/opt/postgresql@*/bin",
	"/usr/local/opt/postgresql@*/bin",
	"/Applications/Postgres.app/Contents/Versions/*/bin",
}

// programs is one installed PostgreSQL.
type programs struct {
	bin   string // folder of initdb and postgres
	major int
}

// find lists the installed versions, newest first. PG_BIN names one and hides
// the others.
func find(places []string) ([]programs, error) {
	if bin := os.Getenv("PG_BIN"); bin != "" {
		p, err := inspect(bin)
		if err != nil {
			return nil, fmt.Errorf("PG_BIN %s holds no PostgreSQL server (%w): set it to the folder of initdb and postgres, or leave it unset", bin, err)
		}
		return []programs{p}, nil
	}
	var bins []string
	for _, place := range places {
		match, err := filepath.Glob(place)
		if err != nil {
			return nil, err
		}
		bins = append(bins, match...)
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil { // often a link: initdb is beside its target
			bins = append(bins, filepath.Dir(path))
		}
	}
	var found []programs
	for _, bin := range bins {
		if p, err := inspect(bin); err == nil {
			found = append(found, p)
		}
	}
	if len(found) == 0 {
		return nil, errors.New("no PostgreSQL server found: install it (Debian: apt-get install postgresql; macOS: brew install postgresql@17), set PG_BIN to its folder, or set DATABASE_URL to use another server")
	}
	slices.SortStableFunc(found, func(a, b programs) int { return b.major - a.major })
	return found, nil
}

// Programs is the folder of the newest installed PostgreSQL's programs.
func Programs() (bin string, err error) {
	found, err := find(places)
	if err != nil {
		return "", err
	}
	return found[0].bin, nil
}

// inspect asks the programs in bin for their version.
func inspect(bin string) (programs, error) {
	bin, err := filepath.Abs(bin)
	if err != nil {
		return programs{}, err
	}
	if _, err := os.Stat(filepath.Join(bin, "initdb")); err != nil {
		return programs{}, err
	}
	out, err := exec.Command(filepath.Join(bin, "postgres"), "--version").Output()
	if err != nil {
		return programs{}, err
	}
	words := strings.Fields(string(out)) // postgres (PostgreSQL) 15.13 (Debian …)
	if len(words) < 3 {
		return programs{}, fmt.Errorf("unknown version %q", oneLine(out))
	}
	number := words[2]
	if end := strings.IndexFunc(number, func(r rune) bool { return r < '0' || r > '9' }); end >= 0 { // 15.13, 18beta1
		number = number[:end]
	}
	major, err := strconv.Atoi(number)
	if err != nil {
		return programs{}, fmt.Errorf("unknown version %q", oneLine(out))
	}
	return programs{bin, major}, nil
}

// initialise makes the cluster where there is none, and returns the folder of
// the programs that fit it. Data of a version that is not installed is refused
// and never touched.
func (h *home) initialise(ctx context.Context, throwaway bool) (bin string, err error) {
	found, err := find(places)
	if err != nil {
		return "", err
	}
	version, err := os.ReadFile(filepath.Join(h.data(), "PG_VERSION"))
	if err == nil {
		made := strings.TrimSpace(string(version))
		for _, p := range found {
			if strconv.Itoa(p.major) == made {
				return p.bin, nil
			}
		}
		return "", fmt.Errorf("%s was made by PostgreSQL %s, but only version %d is installed: install postgresql-%s, or set another DATA_DIR; nothing was changed",
			h.data(), made, found[0].major, made)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", h.explain(err)
	}
	if exists(h.data()) {
		return "", fmt.Errorf("%s is not a PostgreSQL cluster: move it away, or set another DATA_DIR; nothing was changed", h.data())
	}
	// Made beside its place and renamed: a killed initdb leaves no half cluster,
	// only a folder to be swept away here.
	left, err := filepath.Glob(filepath.Join(h.dir, "initdb-*"))
	if err != nil {
		return "", err
	}
	for _, dir := range left {
		// Best effort: an initdb whose parent was killed may still write there.
		_ = os.RemoveAll(dir)
	}
	tmp, err := os.MkdirTemp(h.dir, "initdb-")
	if err != nil {
		return "", h.explain(err)
	}
	defer os.RemoveAll(tmp)
	if err := h.own(tmp); err != nil {
		return "", h.explain(err)
	}
	args := []string{"-D", filepath.Join(tmp, "data"), "-U", account, "-A", "trust", "-E", "UTF8", "--no-instructions"}
	// Order by bytes, the same on every system, but with letters known: under
	// LC_CTYPE=C pg_trgm sees no Chinese. Exactly this spelling.
	if found[0].major >= 17 {
		args = append(args, "--locale-provider=builtin", "--locale=C.UTF-8")
	} else {
		args = append(args, "--locale=C", "--lc-ctype=C.UTF-8")
	}
	if throwaway {
		args = append(args, "--no-sync")
	} else {
		args = append(args, "--data-checksums")
	}
	cmd := h.command(exec.CommandContext(ctx, filepath.Join(found[0].bin, "initdb"), args...))
	if out, err := cmd.CombinedOutput(); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return "", fmt.Errorf("cannot make a database in %s: %w: %s", h.dir, err, oneLine(out))
	}
	if err := os.Rename(filepath.Join(tmp, "data"), h.data()); err != nil {
		return "", h.explain(err)
	}
	return found[0].bin, nil
}

// clearStale waits for a server that is stopping, then makes the lock files of
// one that was killed harmless.
//
// PostgreSQL takes its lock file for live when any process of its user has the
// number in it, be it a recycled number or a zombie that nobody reaps. It passes
// over the number of its own parent, which will be us, so we put that in. Unlike
// deleting the file this keeps its check for backends that outlived the server.
func (h *home) clearStale(ctx context.Context) error {
	for deadline := time.Now().Add(stopLimit); running(h.data()); {
		if time.Now().After(deadline) {
			return fmt.Errorf("a PostgreSQL that nobody holds still runs on %s: stop process %s", h.data(), firstLine(pidFile(h.data())))
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
	if err := disarm(pidFile(h.data())); err != nil {
		return h.explain(err)
	}
	for _, name := range []string{".s.PGSQL.5432", ".s.PGSQL.5432.lock"} {
		if err := os.Remove(filepath.Join(h.sock(), name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return h.explain(err)
		}
	}
	return nil
}

// disarm puts our number into a pid file that a killed server has left.
func disarm(path string) error {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), path) // in place: keeps owner and mode
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	if len(b) == 0 { // killed before it was written; PostgreSQL would not start
		return os.Remove(path)
	}
	_, rest, _ := bytes.Cut(b, []byte("\n"))
	text := fmt.Appendf(nil, "%d\n%s", os.Getpid(), rest)
	if _, err := f.WriteAt(text, 0); err != nil {
		return err
	}
	return f.Truncate(int64(len(text)))
}

func pidFile(data string) string { return filepath.Join(data, "postmaster.pid") }

// running says whether the process named in the pid file of data is a live
// PostgreSQL on data.
func running(data string) bool {
	pid := firstLine(pidFile(data))
	if pid == "" {
		return false
	}
	args := processArgs(pid)
	return strings.Contains(args, "postgres") && strings.Contains(args, data)
}

func firstLine(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	line, _, _ := bytes.Cut(b, []byte("\n"))
	return string(bytes.TrimSpace(line))
}

// processArgs is a process's command line: empty for a zombie and for none.
func processArgs(pid string) string {
	if _, err := strconv.Atoi(pid); err != nil {
		return ""
	}
	if exists("/proc/self/cmdline") {
		b, err := os.ReadFile("/proc/" + pid + "/cmdline")
		if err != nil {
			return ""
		}
		return string(b)
	}
	out, err := exec.Command("ps", "-o", "args=", "-p", pid).Output()
	if err != nil {
		return ""
	}
	return string(out)
}
