package server

import (
	"net/http"
	"strings"
	"testing"
)

func TestRouteWithoutARightDoesNotRegister(t *testing.T) {
	t.Parallel()
	handle := func(http.ResponseWriter, *http.Request) error { return nil }
	for name, rt := range map[string]route{
		"no right":      {method: http.MethodGet, pattern: "/x", handle: handle},
		"unknown right": {method: http.MethodGet, pattern: "/x", right: "everything", handle: handle},
		"no handler":    {method: http.MethodGet, pattern: "/x", right: RightRead},
	} {
		s := &Server{}
		if _, err := s.build([]route{rt}); err == nil || !strings.Contains(err.Error(), "/x") {
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
