package server

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"landmark/internal/store"
)

// A page put together again, compressed or not, is the page with its texts, for
// pieces and texts of every length, none included.
func TestCutPage(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	text := func(n int) string {
		var b strings.Builder
		for b.Len() < n {
			b.WriteString([]string{"<td>", "指标", "13820", "进展", string(rune('a' + r.IntN(26)))}[r.IntN(5)])
		}
		return b.String()
	}
	marks := []string{"landmarkAAAA", "landmarkBBBB", "landmarkCCCC"}
	tags := map[string]bool{}
	for i := range 60 {
		var made, want strings.Builder
		texts := []string{text(r.IntN(30)), "", text(r.IntN(200_000) * (i % 2))}
		for range r.IntN(8) {
			piece, which := text(r.IntN(3000)), r.IntN(3)
			made.WriteString(piece + marks[which])
			want.WriteString(piece + texts[which])
		}
		last := text(r.IntN(100_000))
		page, err := cut([]byte(made.String()+last), marks)
		if err != nil {
			t.Fatal(err)
		}
		want.WriteString(last)
		if got := page.plain(nil, texts); string(got) != want.String() {
			t.Fatalf("round %d: %d bytes, want %d", i, len(got), want.Len())
		}
		z, err := gzip.NewReader(bytes.NewReader(page.gzipped(nil, texts)))
		if err != nil {
			t.Fatal(err)
		}
		z.Multistream(false) // one member is all a browser reads
		got, err := io.ReadAll(z)
		if err != nil || string(got) != want.String() {
			t.Fatalf("round %d: gzip gives %d bytes, want %d: %v", i, len(got), want.Len(), err)
		}
		tags[page.tag(texts, false)] = true
		tags[page.tag(texts, true)] = true
	}
	if len(tags) != 120 {
		t.Errorf("60 pages, plain and compressed, have %d tags", len(tags))
	}
}

func TestCRCShift(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 2, 3, 8, 255, 256, 65537, 1_000_003} {
		a, b := []byte("的进展"), bytes.Repeat([]byte{7}, n)
		s := newCRCShift(n)
		if got, want := s.apply(crc32.ChecksumIEEE(a))^crc32.ChecksumIEEE(b), crc32.ChecksumIEEE(append(a, b...)); got != want {
			t.Errorf("%d bytes: %08x, want %08x", n, got, want)
		}
	}
}

type size int

func (s size) size() int { return int(s) }

// However many ask for one page, it is made once; who asks with a newer version
// does not get what was begun for an older one.
func TestPageIsMadeOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newPageCache(1 << 20)
		old, newer := store.Version{Place: "a", Writes: 1}, store.Version{Place: "a", Writes: 2}
		key := pageKey{path: "/"}
		begin := make(chan struct{})
		var mu sync.Mutex
		madeOld, madeNew := 0, 0
		var wg sync.WaitGroup
		ask := func(v store.Version, count *int, made, least size) {
			wg.Go(func() {
				got, err := c.get(t.Context(), key, v, func() (kept, error) {
					mu.Lock()
					*count++
					mu.Unlock()
					<-begin
					return made, nil
				})
				if err != nil || got.(size) < least {
					t.Errorf("got %v, %v, want %d at least", got, err, least)
				}
			})
		}
		for range 50 {
			ask(old, &madeOld, 1, 1)
		}
		synctest.Wait()
		for range 50 {
			ask(newer, &madeNew, 2, 2)
		}
		synctest.Wait()
		ask(old, &madeOld, 1, 1) // its check was slow: what is newer does as well
		close(begin)
		wg.Wait()
		if madeOld != 1 || madeNew != 1 {
			t.Errorf("made %d and %d times, want once each", madeOld, madeNew)
		}
		got, err := c.get(t.Context(), key, newer, func() (kept, error) { return nil, errors.New("made again") })
		if err != nil || got.(size) != 2 {
			t.Errorf("kept: %v, %v; what was made for the old version must not stand in its place", got, err)
		}
		// Another place: its counts say nothing here.
		got, err = c.get(t.Context(), key, store.Version{Place: "b", Writes: 1}, func() (kept, error) { return size(3), nil })
		if err != nil || got.(size) != 3 {
			t.Errorf("another database: %v, %v", got, err)
		}
	})
}

// Errors and what is not to be kept go to all who wait, and the next makes it
// anew; who leaves waits no longer; after a panic nobody waits for ever.
func TestPageThatCannotBeMade(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newPageCache(1 << 20)
		v := store.Version{Place: "a", Writes: 1}
		failed := errors.New("no")
		begin := make(chan struct{})
		errs := make(chan error, 3)
		for i, f := range []func() (kept, error){
			func() (kept, error) { <-begin; return nil, failed },
			func() (kept, error) { return size(1), nil },
		} {
			go func() { _, err := c.get(t.Context(), pageKey{}, v, f); errs <- err }()
			synctest.Wait()
			if i == 1 {
				ctx, cancel := context.WithCancel(t.Context())
				go func() { _, err := c.get(ctx, pageKey{}, v, f); errs <- err }()
				synctest.Wait()
				cancel()
				if err := <-errs; !errors.Is(err, context.Canceled) {
					t.Errorf("who left: %v", err)
				}
			}
		}
		close(begin)
		for range 2 {
			if err := <-errs; !errors.Is(err, failed) {
				t.Errorf("got %v", err)
			}
		}
		func() {
			defer func() { _ = recover() }()
			_, _ = c.get(t.Context(), pageKey{}, v, func() (kept, error) { panic("broken") })
		}()
		if got, err := c.get(t.Context(), pageKey{}, v, func() (kept, error) { return size(7), nil }); err != nil || got.(size) != 7 {
			t.Errorf("after a panic: %v, %v", got, err)
		}
	})
}

func TestPageCacheKeepsToItsBudget(t *testing.T) {
	t.Parallel()
	const budget = 100_000
	c := newPageCache(budget)
	v := store.Version{Place: "a", Writes: 1}
	made := 0
	get := func(path string, n int) {
		t.Helper()
		if _, err := c.get(t.Context(), pageKey{path: path}, v, func() (kept, error) { made++; return size(n), nil }); err != nil {
			t.Fatal(err)
		}
		if c.bytes() > budget {
			t.Fatalf("%d bytes are kept", c.bytes())
		}
	}
	get("/", 1000)
	for i := range 1000 {
		get(fmt.Sprintf("/search?q=%d", i), 1000+i)
		get("/", 1000) // in use, so it stays
	}
	if made != 1001 {
		t.Errorf("made %d times, want 1001: what is used most was thrown out", made)
	}
	get("/search?q=0", 1000)
	if made != 1002 {
		t.Error("what was not used for long is still there")
	}
	get("/huge", budget+1)
	get("/", 1000)
	if made != 1003 {
		t.Error("what does not fit threw out what does")
	}
	v.Writes++
	get("/new", 10)
	if c.bytes() > 10+len("/new")+entryOverhead {
		t.Errorf("%d bytes after a new version: the old is still there", c.bytes())
	}
}

func TestAcceptsGzip(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]bool{
		"": false, "gzip": true, "gzip, deflate, br, zstd": true, "br": false, "gzip;q=0": false, "gzip; q=0.000, br": false, "gzip;q=0.5": true,
		"*": true, "*;q=0": false, "*, gzip;q=0": false, "GZIP": true, "identity": false, "x-gzip": true, "gzip;q=0.001": true,
	} {
		if got := acceptsGzip(header); got != want {
			t.Errorf("Accept-Encoding %q: %v, want %v", header, got, want)
		}
	}
}
