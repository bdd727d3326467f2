package static_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"landmark/web/static"
)

func get(t *testing.T, url, encoding string) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	r.Header.Set("Accept-Encoding", encoding)
	w := httptest.NewRecorder()
	static.Handler().ServeHTTP(w, r)
	return w.Result()
}

func address(t *testing.T, name string) string {
	t.Helper()
	url, err := static.URL(name)
	if err != nil {
		t.Fatal(err)
	}
	return url
}

func TestNoSuchFile(t *testing.T) {
	t.Parallel()
	if url, err := static.URL("missing.css"); err == nil {
		t.Errorf("URL of a file that is not there = %q", url)
	}
}

func TestHashedAndImmutable(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^/static/app\.[0-9a-f]{12}\.css$`)
	if url := address(t, "app.css"); !form.MatchString(url) {
		t.Errorf("URL(app.css) = %q, want %s", url, form)
	}
	for name, kind := range map[string]string{"app.css": "text/css", "favicon.svg": "image/svg+xml", "app.js": "text/javascript"} {
		res := get(t, address(t, name), "")
		if res.StatusCode != http.StatusOK || !strings.HasPrefix(res.Header.Get("Content-Type"), kind) {
			t.Errorf("%s: %d %s, want 200 %s", name, res.StatusCode, res.Header.Get("Content-Type"), kind)
		}
		if got := res.Header.Get("Cache-Control"); !strings.Contains(got, "immutable") {
			t.Errorf("%s: Cache-Control %q, want immutable", name, got)
		}
	}
}

func TestCompressedIsTheSame(t *testing.T) {
	t.Parallel()
	plain, err := io.ReadAll(get(t, address(t, "app.css"), "").Body)
	if err != nil {
		t.Fatal(err)
	}
	res := get(t, address(t, "app.css"), "gzip, br")
	if got := res.Header.Get("Content-Encoding"); got != "gzip" {
		t.Fatalf("Content-Encoding %q, want gzip", got)
	}
	z, err := gzip.NewReader(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	unpacked, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	if string(unpacked) != string(plain) {
		t.Error("the compressed style sheet differs from the plain one")
	}
	if !strings.Contains(string(plain), "@layer reset, tokens") {
		t.Error("the bundle does not begin with the tokens' layer order")
	}
}

func TestUnknownIsNotFound(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"/static/", "/static/app.css", "/static/static.go", "/static/../go.mod", "/static/app.000000000000.css"} {
		if res := get(t, url, ""); res.StatusCode != http.StatusNotFound {
			t.Errorf("GET %s = %d, want 404", url, res.StatusCode)
		}
	}
}
