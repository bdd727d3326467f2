package server

import (
	"context"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"landmark/internal/auth"
	"landmark/web/static"
)

// healthz handles GET /healthz: the process lives.
func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) error {
	writeText(w, http.StatusOK, "ok\n")
	return nil
}

// readyz handles GET /readyz: the database answers, the schema is current, and
// the server is not on its way out.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	if s.draining.Load() {
		writeText(w, http.StatusServiceUnavailable, "draining\n")
		return nil
	}
	if s.waiting.Load() {
		writeText(w, http.StatusServiceUnavailable, "waiting for the database\n")
		return nil
	}
	if s.pair != nil {
		switch state := s.pair.State(); {
		case state.ReadOnly: // pages can be read: stay in the balancer
			writeText(w, http.StatusOK, "read-only: the primary database is away, the standby is read\n")
			return nil
		case state.Away:
			writeText(w, http.StatusServiceUnavailable, "the database does not answer\n")
			return nil
		}
	}
	if err := s.store.Ping(ctx); err != nil {
		s.log.WarnContext(ctx, "not ready", "error", err)
		writeText(w, http.StatusServiceUnavailable, "the database does not answer\n")
		return nil
	}
	if err := s.ready(ctx); err != nil {
		s.log.WarnContext(ctx, "not ready", "error", err)
		writeText(w, http.StatusServiceUnavailable, "the schema is not current\n")
		return nil
	}
	writeText(w, http.StatusOK, "ready\n")
	return nil
}

func writeText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // the asker has gone: nobody to tell
}

// static handles GET /static/*.
func (s *Server) static(w http.ResponseWriter, r *http.Request) error {
	if !static.Has(r.URL.Path) {
		return s.notFound(w, r)
	}
	static.Handler().ServeHTTP(w, r)
	return nil
}

// metrics are what the server counts of itself, in a registry of its own.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	pages    *prometheus.CounterVec
	sent     prometheus.Counter // of pages: those sent
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "landmark_http_requests_total", Help: "Requests answered, by route.",
		}, []string{"method", "route", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "landmark_http_request_duration_seconds", Help: "Time to answer, by route.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5},
		}, []string{"method", "route"}),
	}
	m.pages = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "landmark_pages_total", Help: "Pages that are kept: made anew, and sent.",
	}, []string{"what"})
	m.sent = m.pages.WithLabelValues("sent")
	m.registry.MustRegister(m.requests, m.duration, m.pages, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) watchPages(c *pageCache) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "landmark_page_cache_bytes", Help: "Size of the finished pages kept.",
	}, func() float64 { return float64(c.bytes()) }))
}

func (m *metrics) observe(method, pattern string, status int, took time.Duration) {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost:
	default: // a client can make methods up
		method = "other"
	}
	m.requests.WithLabelValues(method, pattern, strconv.Itoa(status)).Inc()
	m.duration.WithLabelValues(method, pattern).Observe(took.Seconds())
}

// MetricsHandler serves the metrics to whoever asks: for a listener that only
// the monitoring can reach.
func (s *Server) MetricsHandler() http.Handler {
	return promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{})
}

// showMetrics handles GET /metrics, for programs on this machine alone. What a
// proxy on this machine passes on comes from elsewhere.
func (s *Server) showMetrics(w http.ResponseWriter, r *http.Request) error {
	address, err := netip.ParseAddr(auth.VisitFrom(r.Context()).Address)
	passedOn := false
	for _, name := range []string{"X-Forwarded-For", "Forwarded", "X-Real-Ip", "Via"} {
		passedOn = passedOn || r.Header.Get(name) != ""
	}
	if err != nil || !address.IsLoopback() || passedOn {
		return s.notFound(w, r)
	}
	s.MetricsHandler().ServeHTTP(w, r)
	return nil
}
