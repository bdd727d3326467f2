package torture

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"landmark/internal/localpg"
	"landmark/internal/pgtest"
)

// P21: the disk with the data is full for some seconds. Nothing acknowledged is
// lost, nobody sees a 500, and all goes on by itself when there is room again.
// Only root mounts a disk; for others a trigger that says what a full disk says
// stands in for it, but not in the full size.
func TestFullDisk(t *testing.T) {
	if os.Geteuid() != 0 && !full() {
		t.Log("not root: no disk of its own can be mounted, a trigger stands in for it")
		noRoom(t)
		return
	}
	dir, err := os.MkdirTemp("/var/tmp", "landmark-full-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=260m,mode=755"); err != nil {
		if full() {
			t.Fatalf("mount a disk of 260 MB: %v; run as root", err)
		}
		t.Logf("mount a disk of 260 MB: %v; a trigger stands in for it", err)
		noRoom(t)
		return
	}
	t.Cleanup(func() {
		for range 100 { // until PostgreSQL has left it
			if err = syscall.Unmount(dir, 0); err == nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
		t.Errorf("unmount %s: %v", dir, err)
	})
	pg, err := localpg.Start(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pg.Close(); err != nil {
			t.Error(err)
		}
	})
	p := prepare(t, pg.URL())
	s := serve(t, binary(t, false), "DATA_DIR="+dir, "DATABASE_URL=")
	s.up(t)
	stop := load(t, p, s, 0)
	rounds := size(1, 5)
	var longest time.Duration
	for range rounds {
		time.Sleep(2 * time.Second)
		filler := filepath.Join(dir, "filler")
		fill(t, filler)
		time.Sleep(time.Duration(size(4, 10)) * time.Second)
		for began := time.Now(); s.refusals.Load() == 0 && time.Since(began) < 30*time.Second; { // a busy machine needs longer to find out
			time.Sleep(100 * time.Millisecond)
		}
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
		freed := time.Now()
		for {
			res, err := http.Get("http://" + s.listen + "/readyz")
			if err == nil {
				_ = res.Body.Close()
				if res.StatusCode == http.StatusOK {
					break
				}
			}
			if time.Since(freed) > 30*time.Second {
				t.Fatalf("not ready 30 s after there is room again: %v, %v", res, err)
			}
			time.Sleep(20 * time.Millisecond)
		}
		longest = max(longest, time.Since(freed))
	}
	time.Sleep(2 * time.Second)
	history, decided := stop()
	lost, doubled := check(t, p, history, decided)
	t.Logf("P21 full disk | %d rounds | %d lost | %d doubled | %d forms had to wait | ready %s after there was room", rounds, lost, doubled, waited(t, history), longest.Round(time.Millisecond))
}

// fill writes until nothing more fits.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for size := 1 << 20; size > 0; {
		n, err := f.Write(make([]byte, size))
		switch {
		case errors.Is(err, syscall.ENOSPC), err == io.ErrShortWrite, err == nil && n < size:
			size /= 16
		case err != nil:
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil && !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
}

// noRoom tries the same answer of the database where no disk can be made: every
// write of a report ends as on a full disk, by a trigger.
func noRoom(t *testing.T) {
	t.Helper()
	p := prepare(t, pgtest.URL(t))
	s := serve(t, binary(t, false), "DATABASE_URL="+p.url)
	s.up(t)
	stop := load(t, p, s, 0)
	time.Sleep(2 * time.Second)
	run := func(sql string) {
		t.Helper()
		if _, err := p.pool.Exec(t.Context(), "RESET ROLE; "+sql); err != nil {
			t.Fatal(err)
		}
	}
	run(`CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$;
		CREATE TRIGGER no_room BEFORE INSERT ON report_revision FOR EACH STATEMENT EXECUTE FUNCTION no_room()`)
	time.Sleep(3 * time.Second)
	run(`DROP TRIGGER no_room ON report_revision`)
	time.Sleep(2 * time.Second)
	history, decided := stop()
	lost, doubled := check(t, p, history, decided)
	t.Logf("P21 no room for reports | 1 round of 3 s | %d lost | %d doubled | %d forms had to wait", lost, doubled, waited(t, history))
}

// waited counts the forms that were not taken at the first try.
func waited(t *testing.T, history []sent) (n int) {
	t.Helper()
	for _, s := range history {
		if s.tries > 1 {
			n++
		}
	}
	if n == 0 {
		t.Error("every form was taken at once: the disk was never full")
	}
	return n
}
