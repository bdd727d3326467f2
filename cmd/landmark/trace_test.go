package main

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"landmark/internal/pgtest"
)

// receiver is an OpenTelemetry collector.
type receiver struct {
	*httptest.Server
	mu    sync.Mutex
	spans []*trace.Span
	about string // what the program says of itself
}

func receive(t *testing.T) *receiver {
	t.Helper()
	c := &receiver{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.Path != "/collector/v1/traces" {
			t.Errorf("the collector was asked for %s %s", r.Method, r.URL.Path)
		}
		body := io.Reader(r.Body)
		if r.Header.Get("Content-Encoding") == "gzip" {
			z, err := gzip.NewReader(body)
			if err != nil {
				t.Error(err)
				return
			}
			body = z
		}
		var b bytes.Buffer
		var m collector.ExportTraceServiceRequest
		if _, err := b.ReadFrom(body); err != nil {
			t.Error(err)
		}
		if err := proto.Unmarshal(b.Bytes(), &m); err != nil {
			t.Error(err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, of := range m.ResourceSpans {
			c.about = of.Resource.String()
			for _, scope := range of.ScopeSpans {
				c.spans = append(c.spans, scope.Spans...)
			}
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(c.Close)
	return c
}

// A collector that is named is told of each request by its route, and of what it
// asked the database; of nothing that people type or carry, and of nothing that
// nobody asked for.
func TestTraces(t *testing.T) {
	t.Parallel()
	c := receive(t)
	r := startServing(t, "--demo", "--database-url", pgtest.URL(t), "--otlp-endpoint", c.URL+"/collector", "--trusted-proxies", "127.0.0.1")
	p := enter(t, r, "office")
	if a := p.get("/indicators/4.1?month=2023-09"); a.status != http.StatusOK {
		t.Fatalf("the page: %d", a.status)
	}
	p.get("/readyz")
	kind, body := monthForm(t, enter(t, r, "reporter-renshe").get(monthPath).body, "说明不外传")
	q := enter(t, r, "reporter-renshe")
	if a := q.do(http.MethodPost, monthPath, kind, body); a.status != http.StatusSeeOther {
		t.Fatalf("save: %d", a.status)
	}
	// A gateway's own trace goes on in ours.
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.base+"/login", nil)
	if err != nil {
		t.Fatal(err)
	}
	const theirs = "0af7651916cd43dd8448eb211c80319c"
	req.Header.Set("Traceparent", "00-"+theirs+"-b7ad6b7169203331-01")
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	r.stop()
	if status := <-r.status; status != 0 {
		t.Fatalf("stopped with status %d", status)
	}

	c.mu.Lock()
	defer c.mu.Unlock()
	if !strings.Contains(c.about, "landmark") {
		t.Errorf("the program calls itself %s", c.about)
	}
	byTrace := map[string][]*trace.Span{}
	named := map[string]*trace.Span{}
	for _, s := range c.spans {
		byTrace[string(s.TraceId)] = append(byTrace[string(s.TraceId)], s)
		named[s.Name] = s
	}
	page := named["GET /indicators/{code}"]
	if page == nil || page.Kind != trace.Span_SPAN_KIND_SERVER {
		t.Fatalf("no span of the page among %v", c.spans)
	}
	if said := page.String(); !strings.Contains(said, "landmark.request") || !strings.Contains(said, "landmark.user") || !strings.Contains(said, "http.route") {
		t.Errorf("the page's span lacks request, user or route: %s", said)
	}
	selects := 0
	for _, s := range byTrace[string(page.TraceId)] {
		if s.Kind == trace.Span_SPAN_KIND_CLIENT && strings.Contains(s.String(), "SELECT") {
			selects++
		}
	}
	if selects == 0 {
		t.Errorf("the page's trace has no statement: %v", byTrace[string(page.TraceId)])
	}
	if login := named["GET /login"]; login == nil || hex.EncodeToString(login.TraceId) != theirs {
		t.Errorf("the gateway's trace does not go on: %v", login)
	}
	if named["POST /reports/{month}"] == nil {
		t.Error("no span of the form")
	}
	for _, s := range c.spans {
		said := s.String()
		if strings.Contains(said, "readyz") {
			t.Errorf("a probe is traced: %s", said)
		}
		if len(s.ParentSpanId) == 0 && s.Kind != trace.Span_SPAN_KIND_SERVER {
			t.Errorf("a trace begins without a request: %s", said)
		}
		for _, secret := range []string{"说明不外传", "geheim", "landmark="} {
			if strings.Contains(said, secret) {
				t.Errorf("%q leaves the house: %s", secret, said)
			}
		}
	}
}

// A collector that is away is nobody's trouble but the operator's.
func TestTracesWithoutCollector(t *testing.T) {
	t.Parallel()
	r := startServing(t, "--demo", "--database-url", pgtest.URL(t), "--otlp-endpoint", "http://127.0.0.1:1")
	if a := enter(t, r, "office").get("/"); a.status != http.StatusOK {
		t.Errorf("the page: %d", a.status)
	}
	r.stop()
	if status := <-r.status; status != 0 {
		t.Errorf("stopped with status %d, want 0", status)
	}
	for _, wrong := range []string{"127.0.0.1:4318", "ftp://x", "http://"} {
		if status, _, stderr := call(t, "", "", "serve", "--listen", "127.0.0.1:0", "--database-url", "postgres://127.0.0.1:1/x", "--otlp-endpoint", wrong); status != 2 || !strings.Contains(stderr, "OTEL_EXPORTER_OTLP_ENDPOINT") {
			t.Errorf("%q: status %d, %q; want 2 and the setting's name", wrong, status, stderr)
		}
	}
}
