package server

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/a-h/templ"
	"github.com/klauspost/compress/gzhttp"

	"landmark/internal/auth"
	"landmark/internal/landmark"
	"landmark/internal/store"
	"landmark/web/view"
)

// keeping says how exactly a route's page goes by the clock, where its bytes are
// kept for those who ask after. A page that is kept reads nothing but what the
// data's version counts, and shows of its visitor nothing but role, department,
// theme and what [view.Blanks] leaves out.
type keeping int

// How pages are kept.
const (
	notKept    keeping = iota
	keptDay            // lights and due dates change with the day
	keptMinute         // it shows the time
)

// marks stand in pages for what is filled in. They cannot be guessed, so nothing
// anybody typed is taken for one.
type marks struct{ view.Blanks }

func newMarks() marks {
	mark := func() string { return "landmark" + rand.Text() }
	return marks{view.Blanks{Name: mark(), Unseen: mark(), Reminders: mark(), Printed: mark()}}
}

// list is the marks in the order of a visitor's texts.
func (m marks) list() []string { return []string{m.Name, m.Unseen, m.Reminders, m.Printed} }

// forMany is a page being made that is kept: a handler finds it in the context.
type forMany struct {
	blanks *view.Blanks
	plan   int64 // filled in by page: whose chases are shown
}

type forManyKey struct{}

func forManyFrom(ctx context.Context) *forMany {
	m, _ := ctx.Value(forManyKey{}).(*forMany)
	return m
}

// keep answers with a kept page, made first if it has to be.
func (s *Server) keep(w http.ResponseWriter, r *http.Request, rt route) error {
	ctx := r.Context()
	v := auth.VisitFrom(ctx)
	_, standby := store.ReadsStandby(ctx) // its pages say so, and its versions are others
	said, _ := r.Cookie(s.flashCookie())  // is said once, on a page made for it
	if rt.kept == notKept || s.pages == nil || v.Version == (store.Version{}) || standby || said != nil && said.Value != "" {
		return rt.handle(w, r)
	}
	now := s.now().In(s.zone)
	key := keyOf(r, rt.kept, v, s.themeOf(r), now)
	made, err := s.pages.get(ctx, key, v.Version, func() (kept, error) { return s.makePage(r, rt) })
	if err != nil {
		return err
	}
	page, ok := made.(*cutPage)
	if !ok {
		return rt.handle(w, r)
	}
	texts, err := s.fill(r, v, page, now)
	if err != nil {
		return err
	}
	s.metrics.sent.Inc()
	if !acceptsGzip(r.Header.Get("Accept-Encoding")) {
		w.Header().Set(gzhttp.HeaderNoCompression, "1") // taken out by the layer that would compress
	}
	page.answer(w, r, texts, write)
	return nil
}

// sharing lets a request that only reads go by what others read at the same version
// of the data.
func (s *Server) sharing(r *http.Request) *http.Request {
	v := auth.VisitFrom(r.Context()).Version
	if s.pages == nil || v == (store.Version{}) || r.Method != http.MethodGet && r.Method != http.MethodHead {
		return r
	}
	return r.WithContext(store.SeenAt(r.Context(), v))
}

// makePage has a route's handler make its page for everybody of the visitor's role
// and department. It gives nil for what is no page to keep.
func (s *Server) makePage(r *http.Request, rt route) (kept, error) {
	s.metrics.pages.WithLabelValues("made").Inc()
	// The others wait for it too: it is made to the end though the first may leave.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), s.deadline)
	defer cancel()
	u := auth.VisitFrom(ctx).User
	many := &forMany{blanks: &s.marks.Blanks}
	ctx = context.WithValue(ctx, forManyKey{}, many)
	ctx = auth.WithVisit(ctx, &auth.Visit{User: landmark.User{ID: -1, DisplayName: s.marks.Name, Role: u.Role, DepartmentID: u.DepartmentID, Department: u.Department}})
	of := r.WithContext(ctx)
	of.Header = http.Header{}
	if theme := s.themeOf(r); theme != "" {
		of.AddCookie(&http.Cookie{Name: s.themeCookie(), Value: theme})
	}
	c := &captured{header: http.Header{}, status: http.StatusOK}
	if err := rt.handle(c, of); err != nil {
		return nil, err
	}
	if c.status != http.StatusOK || len(c.header["Set-Cookie"]) > 0 || c.header.Get("Content-Type") != htmlType {
		return nil, nil
	}
	page, err := cut(c.body.Bytes(), s.marks.list())
	if err != nil {
		return nil, err
	}
	page.cacheControl, page.plan = c.header.Get("Cache-Control"), many.plan
	return page, nil
}

const htmlType = "text/html; charset=utf-8"

// captured is an answer held back.
type captured struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (c *captured) Header() http.Header         { return c.header }
func (c *captured) WriteHeader(status int)      { c.status = status }
func (c *captured) Write(p []byte) (int, error) { return c.body.Write(p) }

// told is what waits for one person, as it stands in pages.
type told struct{ unseen, reminders string }

func (t *told) size() int { return len(t.unseen) + len(t.reminders) }

// textsOf are the parts of that which need no database.
func textsOf(v *auth.Visit, now time.Time) []string {
	return []string{templ.EscapeString(v.User.DisplayName), "", "", templ.EscapeString(view.Moment(now))}
}

// fill puts the parts that do into the texts of a page.
func (t *told) fill(texts []string) { texts[1], texts[2] = t.unseen, t.reminders }

// toldKey is where they are kept.
func toldKey(r *http.Request, v *auth.Visit, page *cutPage) pageKey {
	key := pageKey{path: "told", account: v.User.ID, plan: page.plan, role: string(v.User.Role), department: v.User.DepartmentID}
	if r.URL.RawQuery != "" {
		key.query = r.URL.Query().Get("plan")
	}
	return key
}

// fill is what a page says to its visitor alone, in the order of marks.list.
func (s *Server) fill(r *http.Request, v *auth.Visit, page *cutPage, now time.Time) ([]string, error) {
	texts := textsOf(v, now)
	if !rules[RightMember].may(v.User) {
		return texts, nil
	}
	made, err := s.pages.get(r.Context(), toldKey(r, v, page), v.Version, func() (kept, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), s.deadline)
		defer cancel()
		unseen, err := s.store.UnseenNotices(ctx, v.User)
		if err != nil {
			return nil, err
		}
		list, err := s.reminders(r.WithContext(ctx), page.plan, v.User)
		if err != nil {
			return nil, err
		}
		var a, b bytes.Buffer
		if err := view.Unseen(unseen).Render(ctx, &a); err != nil {
			return nil, fmt.Errorf("render: %w", err)
		}
		if err := view.Reminders(list).Render(ctx, &b); err != nil {
			return nil, fmt.Errorf("render: %w", err)
		}
		return &told{a.String(), b.String()}, nil
	})
	if err != nil {
		return nil, err
	}
	made.(*told).fill(texts)
	return texts, nil
}

// keyOf is where a route's page is kept for a visitor.
func keyOf(r *http.Request, how keeping, v *auth.Visit, theme string, now time.Time) pageKey {
	key := pageKey{path: r.URL.EscapedPath(), query: r.URL.RawQuery, role: string(v.User.Role), department: v.User.DepartmentID, theme: theme,
		day: landmark.DateOf(now)}
	if how == keptMinute {
		key.minute = 1 + now.Hour()*60 + now.Minute()
	}
	return key
}

// bodies are buffers for answers put together from pieces.
var bodies = sync.Pool{New: func() any { return new([]byte) }}

// answer sends the page with what is filled in, or says that the asker has it. It
// gives the status and how many bytes the body has.
func (c *cutPage) answer(w http.ResponseWriter, r *http.Request, texts []string, write func(http.ResponseWriter, *http.Request, []byte)) (status, sent int) {
	h := w.Header()
	gzip := acceptsGzip(r.Header.Get("Accept-Encoding"))
	tag := c.tag(texts, gzip)
	h["Etag"] = []string{tag}
	if c.cacheControl != "" {
		h.Set("Cache-Control", c.cacheControl)
	}
	if has(r.Header.Get("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return http.StatusNotModified, 0
	}
	h["Content-Type"] = htmlTypes
	buffer := bodies.Get().(*[]byte)
	defer bodies.Put(buffer)
	if gzip {
		h["Content-Encoding"] = gzipEncoding
		*buffer = c.gzipped((*buffer)[:0], texts)
	} else {
		*buffer = c.plain((*buffer)[:0], texts)
	}
	body := *buffer
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	write(w, r, body)
	return http.StatusOK, len(body)
}

// write sends a body to any writer.
func write(w http.ResponseWriter, _ *http.Request, body []byte) {
	_, _ = w.Write(body) // the visitor has gone: nobody to tell
}

// Header values that are never changed.
var (
	htmlTypes    = []string{htmlType}
	gzipEncoding = []string{"gzip"}
	varies       = []string{"Accept-Encoding", "Cookie"} // as the layers that compress and know sessions say
)

// acceptsGzip reads Accept-Encoding: named, or any, and not with quality 0.
func acceptsGzip(header string) bool {
	accepted := false
	for part := range strings.SplitSeq(header, ",") {
		name, quality, _ := strings.Cut(strings.TrimSpace(part), ";")
		q := strings.ReplaceAll(strings.ToLower(quality), " ", "")
		no := strings.HasPrefix(q, "q=0") && strings.Trim(q[len("q=0"):], ".0") == ""
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "gzip", "x-gzip":
			return !no
		case "*":
			accepted = !no
		}
	}
	return accepted
}

// has reads If-None-Match, which compares without regard to W/.
func has(header, tag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		part = strings.TrimSpace(part)
		if part == "*" || strings.TrimPrefix(part, "W/") == tag {
			return true
		}
	}
	return false
}
