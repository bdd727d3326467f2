// Package tracing tells an OpenTelemetry collector what each request spent its
// time on: the request itself, named by its route, and every statement it sent to
// the database. Values, names and cookies are not told. Without it nothing of this
// is in the way of a request.
package tracing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/exaring/otelpgx"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Config says where to.
type Config struct {
	Endpoint string // of the collector, as in OTEL_EXPORTER_OTLP_ENDPOINT: http://127.0.0.1:4318
	Version  string // of the program
	Log      *slog.Logger
	Trusted  []netip.Prefix // proxies whose traces ours are part of; others' are linked to
}

// Tracing is at work until Stop.
type Tracing struct {
	provider *sdktrace.TracerProvider
	trusted  []netip.Prefix
}

// Start begins to trace. The collector need not be there: what it does not take
// is dropped, and said once a minute.
func Start(ctx context.Context, c Config) (*Tracing, error) {
	u, err := url.Parse(c.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_ENDPOINT %q is not an address: write it like http://127.0.0.1:4318", c.Endpoint)
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(u.JoinPath("v1/traces").String()))
	if err != nil {
		return nil, fmt.Errorf("export traces: %w", err)
	}
	about, err := resource.New(ctx, resource.WithTelemetrySDK(),
		resource.WithAttributes(attribute.String("service.name", "landmark"), attribute.String("service.version", c.Version)),
		resource.WithFromEnv()) // OTEL_SERVICE_NAME has the last word
	if err != nil {
		return nil, fmt.Errorf("describe the program to the collector: %w", err)
	}
	otel.SetErrorHandler(&complaints{log: c.Log})
	return &Tracing{trusted: c.Trusted, provider: sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(about),
		sdktrace.WithSampler(requests{sdktrace.ParentBased(sdktrace.AlwaysSample())}))}, nil
}

// Stop sends what is left, as long as ctx allows.
func (t *Tracing) Stop(ctx context.Context) error {
	if err := t.provider.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("stop tracing: %w", err)
	}
	return nil
}

// Requests traces every request but those of programs that look after this one. A
// layer inside gives the span the name of the route.
func (t *Tracing) Requests(next http.Handler) http.Handler {
	return otelhttp.NewHandler(next, "request", otelhttp.WithTracerProvider(t.provider), otelhttp.WithMeterProvider(noop.NewMeterProvider()),
		otelhttp.WithPropagators(propagation.TraceContext{}),
		otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string { return r.Method }),
		otelhttp.WithPublicEndpointFn(func(r *http.Request) bool { return !t.trusts(r) }),
		otelhttp.WithFilter(func(r *http.Request) bool {
			return r.URL.Path != "/healthz" && r.URL.Path != "/readyz" && r.URL.Path != "/metrics" && !strings.HasPrefix(r.URL.Path, "/static/")
		}))
}

func (t *Tracing) trusts(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	for _, p := range t.trusted {
		if p.Contains(addr.Unmap()) {
			return true
		}
	}
	return false
}

// Statements traces what goes to the database, without the values.
func (t *Tracing) Statements() *otelpgx.Tracer {
	return otelpgx.NewTracer(otelpgx.WithTracerProvider(t.provider), otelpgx.WithMeterProvider(noop.NewMeterProvider()),
		otelpgx.WithDisableConnectionDetailsInAttributes())
}

// requests takes the traces that begin with a request: what works by the clock
// asks the database all the time.
type requests struct{ sdktrace.Sampler }

// ShouldSample implements [sdktrace.Sampler].
func (s requests) ShouldSample(p sdktrace.SamplingParameters) sdktrace.SamplingResult {
	if p.Kind != trace.SpanKindServer && !trace.SpanContextFromContext(p.ParentContext).IsValid() {
		return sdktrace.SamplingResult{Decision: sdktrace.Drop}
	}
	return s.Sampler.ShouldSample(p)
}

// complaints logs what goes wrong, once a minute: a collector that is away is said
// to be with every batch.
type complaints struct {
	log  *slog.Logger
	mu   sync.Mutex
	last time.Time
}

// Handle implements [otel.ErrorHandler].
func (c *complaints) Handle(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.last) < time.Minute {
		return
	}
	c.last = time.Now()
	c.log.Warn("traces are lost: check OTEL_EXPORTER_OTLP_ENDPOINT and the collector there", "error", err)
}
