package server

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"landmark/internal/auth"
)

// clientIP finds the client's address: the connection's, or what a proxy we
// were told to trust says of it. No other header is ever looked at.
func (s *Server) clientIP() func(http.Handler) http.Handler {
	if len(s.proxies) == 0 {
		return middleware.ClientIPFromRemoteAddr
	}
	prefixes := make([]string, len(s.proxies))
	for i, p := range s.proxies {
		prefixes[i] = p.String()
	}
	return middleware.ClientIPFromXFF(prefixes...)
}

var requestIDForm = regexp.MustCompile(`^[A-Za-z0-9._-]{8,64}$`)

// requestID is the id a proxy made, if it looks like one, else a new one.
func requestID(r *http.Request) string {
	if id := r.Header.Get("X-Request-Id"); requestIDForm.MatchString(id) {
		return id
	}
	return rand.Text()[:16]
}

// visit begins the visit.
func (s *Server) visit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := requestID(r)
		w.Header().Set("X-Request-Id", id)
		v := &auth.Visit{RequestID: id, Address: middleware.GetClientIP(r.Context()), Agent: r.UserAgent()}
		next.ServeHTTP(w, r.WithContext(auth.WithVisit(r.Context(), v)))
	})
}

// observe logs and counts every request once, when it is over.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now() // for a duration, so the machine's clock
		ww := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
		defer func() {
			status := ww.Status()
			if status == 0 {
				status = http.StatusOK
			}
			pattern := "none" // never the address: there is no end of those
			if c := chi.RouteContext(r.Context()); c != nil && c.RoutePattern() != "" {
				pattern = c.RoutePattern()
			}
			s.note(r, auth.VisitFrom(r.Context()), pattern, status, ww.BytesWritten(), time.Since(began))
		}()
		next.ServeHTTP(ww, r)
	})
}

// note counts, traces and logs a request that is over.
func (s *Server) note(r *http.Request, v *auth.Visit, pattern string, status, bytes int, took time.Duration) {
	s.metrics.observe(r.Method, pattern, status, took)
	if span := trace.SpanFromContext(r.Context()); span.IsRecording() {
		span.SetName(r.Method + " " + pattern)
		span.SetAttributes(attribute.String("http.route", pattern), attribute.String("landmark.request", v.RequestID), attribute.Int64("landmark.user", v.User.ID))
	}
	level := slog.LevelInfo
	switch pattern {
	case "/healthz", "/readyz", "/metrics", "/static/*":
		level = slog.LevelDebug
	}
	s.log.LogAttrs(r.Context(), level, "request",
		slog.String("request", v.RequestID), slog.String("method", r.Method), slog.String("route", pattern),
		slog.String("path", r.URL.Path), slog.Int("status", status), slog.Int("bytes", bytes),
		slog.Float64("ms", float64(took.Microseconds())/1000), slog.Int64("user", v.User.ID), slog.String("address", v.Address))
}

// contentPolicy lets a page load our own files and nothing else.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"

// headers are what every answer carries.
func (s *Server) headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.setHeaders(w.Header())
		if s.draining.Load() { // who keeps this connection for the next request would find it closed
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Server) setHeaders(h http.Header) {
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	h.Set("Cache-Control", "no-store") // static files set their own
	if s.secure() {
		h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	}
}

// recover turns a panic into an error page.
func (s *Server) recover(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if p := recover(); p != nil {
				s.panicked(w, r, p)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// panicked answers a request whose work panicked. It is called while that is
// recovered from.
func (s *Server) panicked(w http.ResponseWriter, r *http.Request, p any) {
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p) // net/http's own way of hanging up
	}
	s.fail(w, r, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
}

var errNoOrigin = errors.New("neither Origin nor Sec-Fetch-Site")

// sameOrigin refuses writes that come from other sites. The standard library
// lets a request with neither Origin nor Sec-Fetch-Site through; here it is
// refused too: every browser sends one of them, and scripts can.
func (s *Server) sameOrigin(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	if err := protection.AddTrustedOrigin(s.base.Scheme + "://" + s.base.Host); err != nil {
		panic(err) // New has looked at it
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions {
			next.ServeHTTP(w, r)
			return
		}
		err := protection.Check(r)
		if err == nil && r.Header.Get("Origin") == "" && r.Header.Get("Sec-Fetch-Site") == "" {
			err = errNoOrigin
		}
		if err != nil {
			err = fmt.Errorf("%w (%w: origin %q, site %q)", problem(http.StatusForbidden, "这个请求不是从本系统的页面发出的,没有执行。请回到页面上重试。"),
				err, r.Header.Get("Origin"), r.Header.Get("Sec-Fetch-Site"))
			s.fail(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// checkParameters refuses a query or form in which a parameter comes twice that
// means one thing, or that cannot be read as text. It reads a plain form; a
// form with files is read by the handler that expects one.
func checkParameters(r *http.Request, many []string) error {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return problem(http.StatusBadRequest, "网址里的参数写得不对")
	}
	if err := single(query, many); err != nil {
		return err
	}
	if r.Method != http.MethodPost || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return nil
	}
	if err := r.ParseForm(); err != nil {
		if tooLarge(err) {
			return fmt.Errorf("read form: %w", err)
		}
		return problem(http.StatusBadRequest, "表单的内容读不出来")
	}
	return single(r.PostForm, many)
}

func single(values url.Values, many []string) error {
	for name, vs := range values {
		for _, v := range append(slices.Clone(vs), name) {
			if !utf8.ValidString(v) || strings.ContainsRune(v, 0) {
				return problem(http.StatusBadRequest, "参数里有不能用的字符")
			}
		}
		if len(vs) > 1 && !slices.Contains(many, name) {
			return problem(http.StatusBadRequest, fmt.Sprintf("参数“%s”出现了%d次,只能有一次", short(name), len(vs)))
		}
	}
	return nil
}

// short cuts somebody else's text to what can be repeated in a sentence.
func short(s string) string {
	if utf8.RuneCountInString(s) > 40 {
		return string([]rune(s)[:40]) + "…"
	}
	return s
}
