package server_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"landmark/internal/landmark"
)

// asOfPages are the data pages and exports, to which a month is added.
var asOfPages = []string{"/", "/key", "/projects/3", "/projects/4", "/projects/6", "/indicators/3.2", "/indicators/4.1", "/indicators/6.1",
	"/matrix", "/departments", "/departments/minzheng", "/tasks", "/scenarios", "/screen", "/export/indicators.csv", "/api/v1/indicators"}

// without takes everything out of page that stands from one text to the next other.
func without(page, from, to string) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(page, from)
		out.WriteString(before)
		if !found {
			return out.String()
		}
		_, page, _ = strings.Cut(rest, to)
	}
}

// dataOf leaves out of a page what differs from its as-of twin without being data:
// the banner, the line for paper, the clock on the wall, and addresses that carry
// the moment along.
func dataOf(page string) string {
	for _, part := range [][2]string{{`<p class="asof"`, `</p>`}, {`<div class="print-head">`, `</div>`}, {`<p class="sheet__print`, `</p>`},
		{`name="back" value="`, `"`}, {`本屏更新于 <time`, `</time>`}, {`<input type="hidden" name="as_of"`, `>`}} {
		page = without(page, part[0], part[1])
	}
	if strings.Contains(page, "as_of=") {
		page = asOfQuery.ReplaceAllStringFunc(page, func(q string) string {
			if strings.HasSuffix(q, "&amp;") {
				return q[:strings.Index(q, "as_of")]
			}
			return ""
		})
	}
	return strings.ReplaceAll(strings.Join(strings.Fields(page), " "), "> <", "><")
}

var asOfQuery = regexp.MustCompile(`(\?|&amp;)as_of=[^"&#]*(&amp;)?`)

// A whole demo year is played; at many moments every page is kept as it was. In
// the end each page of each moment, asked for as of then, is the same.
func TestAsOfShowsWhatWasShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	type shot struct {
		at   time.Time
		path string
		page string
	}
	var shots []shot
	read := func(b *browser, path string) string {
		res := b.get(path)
		if res.StatusCode != http.StatusOK {
			t.Fatalf("GET %s = %d", path, res.StatusCode)
		}
		return dataOf(bodyOf(t, res))
	}
	acts, last := 0, time.Time{}
	keep := func(next time.Time) error {
		acts++
		at := next.Add(-time.Second)
		if !last.Before(at) { // what was just done is not past yet
			return nil
		}
		last = next
		if acts%4 != 0 || at.Before(start.AddDate(0, -4, 1)) {
			return nil
		}
		w.clock.add(at.Sub(w.clock.Now()))
		b := w.enter("viewer")
		for i, path := range asOfPages {
			month := "2023-0" + fmt.Sprint(5+(acts/4+i)%5) // months reported, under way and to come
			shots = append(shots, shot{at, path + "?month=" + month, read(b, path+"?month="+month)})
		}
		return nil
	}
	w.fillDemo(keep)
	w.clock.add(start.Sub(w.clock.Now()))
	if len(shots) < 10*len(asOfPages) {
		t.Fatalf("only %d pages were kept", len(shots))
	}
	b, differs := w.enter("viewer"), 0
	for _, s := range shots {
		now := read(b, s.path+"&as_of="+s.at.Format("2006-01-02T15:04:05"))
		if now != s.page {
			t.Errorf("%s as of %s is not what was shown then (-then +now):\n%s", s.path, s.at, cmp.Diff(strings.Split(s.page, ">"), strings.Split(now, ">")))
			if differs++; differs == 3 {
				break
			}
		}
	}
	// The last page kept and today's are not all alike, or nothing was tested.
	changed := 0
	for _, s := range shots[len(shots)/2:] {
		if read(b, s.path) != s.page {
			changed++
		}
	}
	if changed == 0 {
		t.Error("no page has changed since it was kept")
	}
}

// A moment with an offset is understood with its plus escaped or not.
func TestAsOfWithAnOffset(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("viewer", landmark.RoleViewer, "")
	b := w.enter("viewer")
	for _, moment := range []string{"2023-10-10T09:30:00%2B08:00", "2023-10-10T09:30:00+08:00", "2023-10-10T09:30+08:00", "2023-10-10T01:30:00Z", "2023-10-10T09:30"} {
		res := b.get("/?month=2023-09&as_of=" + moment)
		if page := bodyOf(t, res); res.StatusCode != http.StatusOK || !strings.Contains(page, `class="asof" role="note">您在查看 <time datetime="2023-10-10T09:30`) {
			t.Errorf("as_of=%s: %d", moment, res.StatusCode)
		}
	}
	for _, moment := range []string{"2023-10-10 08:00", "2023-10-10T09:30 0800", "2023-13-10T09:30+08:00"} {
		if res := b.get("/?as_of=" + strings.ReplaceAll(moment, " ", "%20")); res.StatusCode != http.StatusBadRequest {
			t.Errorf("as_of=%s: %d, want 400", moment, res.StatusCode)
		}
	}
}
