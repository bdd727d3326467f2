package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
	"github.com/go-chi/chi/v5"

	"landmark/internal/auth"
	"landmark/internal/landmark"
	"landmark/internal/store"
)

// Routes are all there are, for the tests from outside.
func (s *Server) Routes() chi.Routes { return s.router }

func TestRouteWithoutARightDoesNotRegister(t *testing.T) {
	t.Parallel()
	handle := func(http.ResponseWriter, *http.Request) error { return nil }
	for name, rt := range map[string]route{
		"no right":      {method: http.MethodGet, pattern: "/x", handle: handle},
		"unknown right": {method: http.MethodGet, pattern: "/x", right: "everything", handle: handle},
		"no handler":    {method: http.MethodGet, pattern: "/x", right: RightRead},
	} {
		s := &Server{}
		if _, _, err := s.build([]route{rt}); err == nil || !strings.Contains(err.Error(), "/x") {
			t.Errorf("%s: error = %v, want one that names the route", name, err)
		}
	}
}

func TestLocalPath(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"":                               "/",
		"/":                              "/",
		"/key?month=2023-09":             "/key?month=2023-09",
		"/indicators/4.1#x":              "/indicators/4.1",
		"http://h/matrix?plan=a":         "/matrix?plan=a",
		"http://other/matrix":            "/",
		"//other/matrix":                 "/",
		"///other":                       "/",
		"/\\other":                       "/",
		"\\\\other":                      "/",
		"/\t/other":                      "/",
		"javascript:alert(1)":            "/",
		"http:other":                     "/",
		"http://h@other/":                "/",
		"http://user@h/":                 "/",
		"relative":                       "/",
		"/login?next=/key":               "/",
		"/logout":                        "/",
		"http://h//other/":               "/",
		"/departments/%2F%2Fother":       "/departments/%2F%2Fother",
		"/%2Fother":                      "/",
		"/review?next=https://other.cn/": "/review?next=https://other.cn/",
	} {
		if got := localPath(address, "h"); got != want {
			t.Errorf("localPath(%q) = %q, want %q", address, got, want)
		}
	}
}

// Whatever a handler does, the answer is a page without a word of how it came
// about, and the log has the words.
func TestHandlersThatFail(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s := &Server{log: slog.New(slog.NewJSONHandler(&log, nil)), metrics: newMetrics(), now: time.Now, zone: time.UTC,
		base: &url.URL{Scheme: "http", Host: "h"}, deadline: time.Second}
	var err error
	if s.auth, err = auth.New(auth.Config{Store: store.New(nil), Now: time.Now, Log: s.log}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		handle handler
		status int
		logged string
	}{
		"panic":       {func(http.ResponseWriter, *http.Request) error { panic("SELECT secret FROM account") }, 500, "goroutine"},
		"plain error": {func(http.ResponseWriter, *http.Request) error { return errors.New("read /etc/secret: SELECT") }, 500, "/etc/secret"},
		"kind": {func(http.ResponseWriter, *http.Request) error {
			return fmt.Errorf("find SELECT: %w", landmark.Errorf(landmark.NotFound, "", "没有这一项"))
		}, 404, "SELECT"},
		"conflict": {func(http.ResponseWriter, *http.Request) error {
			return landmark.Errorf(landmark.Conflict, "", "刚改过")
		}, 409, "刚改过"},
		"template": {func(w http.ResponseWriter, r *http.Request) error {
			return s.render(w, r, http.StatusOK, templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
				_, _ = io.WriteString(w, "half a page")
				return errors.New("SELECT in a template")
			}))
		}, 500, "SELECT in a template"},
	} {
		_, router, err := s.build([]route{{method: http.MethodGet, pattern: "/x", right: RightOpen, handle: c.handle}})
		if err != nil {
			t.Fatal(err)
		}
		log.Reset()
		w := httptest.NewRecorder()
		router.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/x", nil))
		page := w.Body.String()
		if w.Code != c.status || !strings.Contains(log.String(), c.logged) {
			t.Errorf("%s: %d, want %d; log:\n%s", name, w.Code, c.status, &log)
		}
		for _, leak := range []string{"SELECT", "/etc", "goroutine", "half a page", ".go"} {
			if strings.Contains(page, leak) {
				t.Errorf("%s: the page shows %q:\n%s", name, leak, page)
			}
		}
		if id := w.Header().Get("X-Request-Id"); !strings.Contains(page, id) || !strings.Contains(log.String(), id) {
			t.Errorf("%s: request %s is not on the page and in the log", name, id)
		}
	}
}
