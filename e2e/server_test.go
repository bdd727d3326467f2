package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// program builds landmark, once for all tests.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "landmark-e2e-bin-")
	if err != nil {
		return "", err
	}
	atEnd(func() error { return os.RemoveAll(dir) })
	path := filepath.Join(dir, "landmark")
	build := exec.Command("go", "build", "-o", path, "./cmd/landmark")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build landmark: %w\n%s", err, out)
	}
	return path, nil
})

var (
	ends   []func() error
	endsMu sync.Mutex
)

// atEnd runs f when all tests have ended.
func atEnd(f func() error) {
	endsMu.Lock()
	defer endsMu.Unlock()
	ends = append(ends, f)
}

func endServers() (err error) {
	endsMu.Lock()
	defer endsMu.Unlock()
	for i := len(ends) - 1; i >= 0; i-- {
		err = errors.Join(err, ends[i]())
	}
	return err
}

// server is a running landmark.
type server struct {
	URL string // http://127.0.0.1:PORT
	Dir string // its DATA_DIR

	cmd   *exec.Cmd
	out   *output
	ended chan struct{} // closed when it has ended, with err
	err   error
}

// startServer starts `landmark serve --demo` on a free port with a database of
// its own, and ends it with the test. args are further arguments; those of the
// form NAME=VALUE go into its environment.
func startServer(t *testing.T, args ...string) *server {
	t.Helper()
	return startAny(t, append([]string{"--demo"}, args...))
}

// startPlain starts `landmark serve` in the same way: no demo, no account yet.
func startPlain(t *testing.T, args ...string) *server {
	t.Helper()
	return startAny(t, args)
}

func startAny(t *testing.T, args []string) *server {
	t.Helper()
	s, err := launch(t.Context(), args...)
	if err != nil {
		t.Fatalf("e2e: %v", err)
	}
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Errorf("e2e: %v", err)
		}
	})
	return s
}

// demo is one demo server for all tests that only read.
func demo(t *testing.T) string {
	t.Helper()
	s, err := sharedDemo()
	if err != nil {
		t.Fatalf("e2e: %v", err)
	}
	return s.URL
}

var sharedDemo = sync.OnceValues(func() (*server, error) {
	s, err := launch(context.Background(), "--demo")
	if err == nil {
		atEnd(s.stop)
	}
	return s, err
})

// setting is an argument for the environment.
var setting = regexp.MustCompile(`^[A-Z_]+=`)

func launch(ctx context.Context, args ...string) (*server, error) {
	path, err := program()
	if err != nil {
		return nil, err
	}
	dir, err := dataDir()
	if err != nil {
		return nil, err
	}
	var flags, env []string
	for _, arg := range args {
		if setting.MatchString(arg) {
			env = append(env, arg)
		} else {
			flags = append(flags, arg)
		}
	}
	s := &server{Dir: dir, out: &output{address: make(chan string, 1)}, ended: make(chan struct{})}
	s.cmd = exec.Command(path, append([]string{"serve", "--listen", "127.0.0.1:0"}, flags...)...)
	s.cmd.Env = append(append(os.Environ(), "DATA_DIR="+dir, "DATABASE_URL="), env...)
	s.cmd.Stdout, s.cmd.Stderr = s.out, s.out
	if err := s.cmd.Start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	go func() {
		s.err = s.cmd.Wait()
		close(s.ended)
	}()
	if err := s.ready(ctx); err != nil {
		s.kill()
		return nil, errors.Join(fmt.Errorf("%w; it said:\n%s", err, s.out), os.RemoveAll(dir))
	}
	return s, nil
}

// dataDir is a new folder, in memory where that is possible, which the user
// that runs PostgreSQL for root can reach.
func dataDir() (string, error) {
	parent := os.TempDir()
	if st, err := os.Stat("/dev/shm"); err == nil && st.IsDir() {
		parent = "/dev/shm"
	}
	return os.MkdirTemp(parent, "landmark-e2e-")
}

// ready waits until the server has said where it listens and is ready.
func (s *server) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case s.URL = <-s.out.address:
	case <-s.ended:
		return fmt.Errorf("landmark ended: %v", s.err)
	case <-ctx.Done():
		return errors.New("landmark does not say where it listens")
	}
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/readyz", nil)
		if err != nil {
			return err
		}
		if res, err := http.DefaultClient.Do(req); err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return errors.New("landmark does not become ready")
		case <-s.ended:
			return fmt.Errorf("landmark ended: %v", s.err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// stop ends the server as an administrator would, and expects a clean end.
func (s *server) stop() error {
	defer os.RemoveAll(s.Dir)
	select {
	case <-s.ended:
		return fmt.Errorf("landmark ended before its time: %v; it said:\n%s", s.err, s.out)
	default:
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-s.ended:
	case <-time.After(time.Minute):
		s.kill()
		return fmt.Errorf("landmark did not end within a minute; it said:\n%s", s.out)
	}
	if s.err != nil {
		return fmt.Errorf("landmark did not end cleanly: %w; it said:\n%s", s.err, s.out)
	}
	return nil
}

// kill ends the server at once, with no chance to clean up.
func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	<-s.ended
}

// output collects what a server prints and finds the address in it.
type output struct {
	mu      sync.Mutex
	text    strings.Builder
	address chan string
	found   bool
}

var listening = regexp.MustCompile(`listening on (http://[^\s"]+)\s`)

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(b)
	if !o.found {
		if m := listening.FindStringSubmatch(o.text.String()); m != nil {
			o.found = true
			o.address <- m[1]
		}
	}
	return len(b), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
