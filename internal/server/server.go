// Package server answers requests: routes and who may use them, handlers,
// forms, middleware and error pages. It asks the store and the domain, and
// builds the pages of web/view with what they say.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/go-chi/chi/v5"

	"landmark/internal/auth"
	"landmark/internal/bulletin"
	"landmark/internal/notify"
	"landmark/internal/planning"
	"landmark/internal/reporting"
	"landmark/internal/store"
)

// Config is what a Server works with.
type Config struct {
	Store *store.Store
	Now   func() time.Time // the demo's clock is not the machine's
	Zone  *time.Location   // of the city
	Log   *slog.Logger

	BaseURL        string         // as people type it; https makes cookies secure and sends HSTS
	Demo           bool           // made-up data, and buttons to enter as somebody
	TrustedProxies []netip.Prefix // whose X-Forwarded-For is believed
	// MetricsElsewhere leaves /metrics out: they have their own listener, which
	// serves [Server.MetricsHandler].
	MetricsElsewhere bool

	// Ready says whether the schema is current. It may be nil. The database
	// itself is asked in any case.
	Ready func(context.Context) error

	Idle, Absolute time.Duration      // of sessions, see [auth.Config]
	MaxSessions    int                // of one account, by default 3, in the demo and below zero without limit
	SignIn         store.SignInLimits // see [auth.Config]
	Key            []byte             // see [auth.Config]
	Passwords      auth.Profile       // see [auth.Config]
	Hashing        argon2id.Params    // see [auth.Config]
	RequireTOTP    bool               // see [auth.Config]
	World          func() time.Time   // see [auth.Config]
	// Provider may be signed in through. Without an Issuer there is none. Redirect is
	// set here.
	Provider auth.ProviderConfig
	Robots   *notify.Robots // checks robots' addresses; by default with nothing allowed
	Mail     bool           // there is a mail server for notices
	// Scanner looks for viruses in evidence. It may be nil.
	Scanner   reporting.Scanner
	Deadline  time.Duration // of a request's work, by default defaultDeadline
	DrainWait time.Duration // from "not ready" to the last new connection; 0 is none
	// Pair is what Store works on, where the primary may go away and a standby be
	// read. It may be nil.
	Pair *store.Pair
	// PageCache is how many bytes of finished pages are kept, by default 64 MiB and
	// none below zero.
	PageCache int
	// Trace is a layer around all others that traces requests. It may be nil.
	Trace func(http.Handler) http.Handler
	// Waiting begins with the doors shut, until [Server.Open]: the database is not
	// there yet, so every page answers 503.
	Waiting bool
}

// defaultDeadline lets a request that waits for a database in vain be answered
// within three seconds, with what was typed kept.
const defaultDeadline = 2800 * time.Millisecond

// defaultSessions is how many sessions an account may have.
const defaultSessions = 3

// Server is the web application.
type Server struct {
	store     *store.Store
	planning  *planning.Service
	reporting *reporting.Service
	bulletins *bulletin.Service
	auth      *auth.Auth
	now       func() time.Time
	zone      *time.Location
	log       *slog.Logger
	base      *url.URL
	demo      bool
	proxies   []netip.Prefix
	ready     func(context.Context) error
	pages     *pageCache // nil: none is kept
	marks     marks
	pair      *store.Pair // nil: the database is not watched
	deadline  time.Duration
	drain     time.Duration
	trace     func(http.Handler) http.Handler // nil: requests are not traced

	robots *notify.Robots
	mail   bool // there is a mail server for notices

	uploads          chan struct{} // a place for each form whose files are in memory
	gate             *gate
	metrics          *metrics
	metricsElsewhere bool
	draining         atomic.Bool
	waiting          atomic.Bool
	router           *chi.Mux
	handler          http.Handler // the router and what stands around it
}

// New makes a server. Every route is checked here: one that declares no right
// is an error.
func New(c Config) (*Server, error) {
	if c.Store == nil || c.Now == nil || c.Zone == nil || c.Log == nil {
		return nil, errors.New("server: Store, Now, Zone and Log are needed")
	}
	if c.BaseURL == "" {
		c.BaseURL = "http://127.0.0.1:8080"
	}
	base, err := url.Parse(c.BaseURL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, fmt.Errorf("BASE_URL %q: write it as https://landmark.example.cn", c.BaseURL)
	}
	if c.Deadline == 0 {
		c.Deadline = defaultDeadline
	}
	switch {
	case c.MaxSessions == 0 && !c.Demo:
		c.MaxSessions = defaultSessions
	case c.MaxSessions < 0:
		c.MaxSessions = 0
	}
	if c.Ready == nil {
		c.Ready = func(context.Context) error { return nil }
	}
	c.Provider.Redirect = base.JoinPath(providerCallback).String()
	a, err := auth.New(auth.Config{Store: c.Store, Now: c.Now, Log: c.Log, Secure: base.Scheme == "https", Demo: c.Demo,
		Idle: c.Idle, Absolute: c.Absolute, MaxSessions: c.MaxSessions, Limits: c.SignIn,
		Provider: c.Provider, Key: c.Key, Passwords: c.Passwords, Hashing: c.Hashing, RequireTOTP: c.RequireTOTP, World: c.World, Pair: c.Pair})
	if err != nil {
		return nil, err
	}
	s := &Server{store: c.Store, planning: planning.New(c.Store, c.Zone), reporting: reporting.New(c.Store, c.Zone), bulletins: bulletin.New(c.Store, c.Zone), auth: a,
		uploads: make(chan struct{}, maxUploads), gate: newGate(gatePlaces, gateWait), now: c.Now, zone: c.Zone, log: c.Log, base: base, demo: c.Demo, proxies: c.TrustedProxies,
		ready: c.Ready, pair: c.Pair, deadline: c.Deadline, drain: c.DrainWait, trace: c.Trace, metrics: newMetrics(), metricsElsewhere: c.MetricsElsewhere}
	s.metrics.registry.MustRegister(&workCounts{store: c.Store, now: c.Now})
	if c.Pair != nil {
		s.metrics.registry.MustRegister(poolUse{c.Pair})
	}
	s.robots, s.mail = c.Robots, c.Mail
	if c.Scanner != nil {
		s.reporting.ScanWith(c.Scanner)
	}
	if s.robots == nil {
		if s.robots, err = notify.NewRobots(nil, time.Now); err != nil {
			return nil, err
		}
	}
	s.waiting.Store(c.Waiting)
	if c.PageCache == 0 {
		c.PageCache = 64 << 20
	}
	if c.PageCache > 0 {
		s.pages, s.marks = newPageCache(c.PageCache), newMarks()
		s.metrics.watchPages(s.pages)
	}
	s.router, s.handler, err = s.build(s.routes())
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Handler answers requests without a listener of its own.
func (s *Server) Handler() http.Handler { return s.handler }

// Open lets visitors in, where [Config.Waiting] kept them out.
func (s *Server) Open() { s.waiting.Store(false) }

func (s *Server) secure() bool { return s.base.Scheme == "https" }

// The limits on a connection. WriteTimeout does not end a handler's work: the
// deadline in its context does.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 15 * time.Second
	writeTimeout      = 30 * time.Second
	idleTimeout       = 60 * time.Second
	maxHeaderBytes    = 16 << 10
	shutdownTimeout   = 20 * time.Second
)

// Run serves on ln until ctx ends, then drains: it stops being ready, waits for
// the balancer to notice, and lets requests under way finish. It returns nil
// after a clean end.
func (s *Server) Run(ctx context.Context, ln net.Listener) error {
	hs := &http.Server{
		Handler:           s.handler,
		ConnContext:       holdable,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- hs.Serve(holdingListener{ln}) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	s.draining.Store(true)
	select {
	case err := <-served:
		return fmt.Errorf("serve: %w", err)
	case <-time.After(s.drain):
	}
	down, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err := hs.Shutdown(down); err != nil {
		return errors.Join(fmt.Errorf("shut down: %w", err), hs.Close())
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}
