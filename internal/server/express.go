package server

import (
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5/middleware"

	"landmark/internal/auth"
)

// express answers what is asked most, a kept page by somebody who may see it,
// before the layers for everything else are set up. It asks the database who the
// visitor is as they do, and whatever is out of the ordinary (nobody signed in, a
// page not made yet, something to be said once, a database that is away) it hands
// on to next, with the database's answer, so that no request asks twice.
func (s *Server) express(routes []route, next http.Handler) http.Handler {
	if s.pages == nil {
		return next
	}
	paths := newKeptPaths(routes)
	always := s.fixedHeaders()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rt := paths.of(r)
		if rt == nil || s.draining.Load() || s.waiting.Load() || s.pair != nil && s.pair.State().Away {
			next.ServeHTTP(w, r)
			return
		}
		c, ok := s.readCookies(r)
		if !ok || c.session == "" || c.said {
			next.ServeHTTP(w, r)
			return
		}
		defer func() { // further in, recover has done it
			if p := recover(); p != nil {
				v := &auth.Visit{RequestID: requestID(r), Address: middleware.GetClientIP(r.Context())}
				s.setHeaders(w.Header())
				w.Header().Set("X-Request-Id", v.RequestID)
				s.panicked(w, r.WithContext(auth.WithVisit(r.Context(), v)), p)
			}
		}()
		began := time.Now() // for a duration, so the machine's clock
		answer := s.auth.Ask(r.Context(), c.session)
		if s.pair != nil && s.pair.State().Away { // it went while we asked: the standby may be asked instead
			next.ServeHTTP(w, r)
			return
		}
		v := auth.Visit{}
		if !answer.Fill(&v) || !plainly(&v, rt.right) {
			next.ServeHTTP(w, r.WithContext(auth.WithAnswer(r.Context(), answer)))
			return
		}
		now := s.now().In(s.zone)
		page, texts := s.kept(r, rt.kept, &v, c.theme, now)
		if page == nil {
			next.ServeHTTP(w, r.WithContext(auth.WithAnswer(r.Context(), answer)))
			return
		}
		v.RequestID, v.Address = requestID(r), middleware.GetClientIP(r.Context())
		h := w.Header()
		for _, f := range always {
			h[f.name] = f.values
		}
		h["X-Request-Id"] = []string{v.RequestID}
		h["Vary"] = varies
		s.metrics.sent.Inc()
		status, sent := page.answer(w, r, texts, writeWhole)
		s.note(r, &v, rt.pattern, status, sent, time.Since(began))
	})
}

// plainly says that nothing stands between the visitor and a page with a right.
func plainly(v *auth.Visit, right Right) bool {
	return v.User.SignedIn() && !v.User.MustChange && !v.MustEnrol && rules[right].may(v.User)
}

// kept finds a kept page and what it says to its visitor alone; nil unless both
// are there.
func (s *Server) kept(r *http.Request, how keeping, v *auth.Visit, theme string, now time.Time) (*cutPage, []string) {
	page, _ := s.pages.peek(keyOf(r, how, v, theme, now), v.Version).(*cutPage)
	if page == nil {
		return nil, nil
	}
	texts := textsOf(v, now)
	if rules[RightMember].may(v.User) {
		t, _ := s.pages.peek(toldKey(r, v, page), v.Version).(*told)
		if t == nil {
			return nil, nil
		}
		t.fill(texts)
	}
	return page, texts
}

// field is a header as it goes out. Its values are shared and never changed.
type field struct {
	name   string
	values []string
}

// fixedHeaders are what the layer headers sets, made once.
func (s *Server) fixedHeaders() []field {
	h := http.Header{}
	s.setHeaders(h)
	var out []field
	for name, values := range h {
		out = append(out, field{name, values[:len(values):len(values)]}) // who adds to them gets a copy
	}
	return out
}

// keptPaths finds the routes whose pages are kept by their addresses.
type keptPaths struct {
	whole map[string]*route
	below map[string]*route // by what stands before the one parameter at the end
}

func newKeptPaths(routes []route) keptPaths {
	k := keptPaths{map[string]*route{}, map[string]*route{}}
	for i := range routes {
		rt := &routes[i]
		if rt.kept == notKept || rt.method != http.MethodGet {
			continue
		}
		switch at := strings.IndexByte(rt.pattern, '{'); {
		case at < 0:
			k.whole[rt.pattern] = rt
		case strings.IndexByte(rt.pattern, '}') == len(rt.pattern)-1:
			k.below[rt.pattern[:at]] = rt
		}
	}
	return k
}

// of is the kept route a request is for, nil if there is none. Addresses with
// escaped parts are left to the router.
func (k keptPaths) of(r *http.Request) *route {
	if r.Method != http.MethodGet || r.URL.RawPath != "" {
		return nil
	}
	path := r.URL.Path
	if rt := k.whole[path]; rt != nil {
		return rt
	}
	at := strings.LastIndexByte(path, '/') + 1
	if at == len(path) {
		return nil
	}
	return k.below[path[:at]]
}

// cookies are those that decide about a kept page.
type cookies struct {
	session, theme string
	said           bool // something is to be said once
}

// readCookies reads them as [http.Request.Cookie] would, and false where that is
// not plain to see: quoted values, a name that comes twice.
func (s *Server) readCookies(r *http.Request) (c cookies, plain bool) {
	lines := r.Header["Cookie"]
	if len(lines) != 1 {
		return c, len(lines) == 0
	}
	session, theme, said := s.auth.CookieName(), s.themeCookie(), s.flashCookie()
	for part := range strings.SplitSeq(lines[0], ";") {
		name, value, _ := strings.Cut(strings.Trim(part, " \t"), "=")
		switch name {
		case session, theme, said:
		default:
			continue
		}
		if strings.ContainsAny(value, "\"\\, ") {
			return c, false
		}
		switch {
		case name == said:
			c.said = c.said || value != ""
		case name == session && c.session == "":
			c.session = value
		case name == theme && c.theme == "":
			if c.theme = value; value != "light" && value != "dark" {
				return c, false
			}
		default:
			return c, false
		}
	}
	return c, true
}
