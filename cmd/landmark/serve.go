package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"landmark/internal/auth"
	"landmark/internal/clamd"
	"landmark/internal/demo"
	"landmark/internal/landmark"
	"landmark/internal/reporting"
	"landmark/internal/server"
	"landmark/internal/store"
	"landmark/internal/tracing"
	"landmark/migrations"
)

type serveCmd struct {
	Demo           bool          `help:"Made-up reports, one account per role, a clock of its own; on loopback only."`
	Listen         string        `env:"LISTEN" default:"127.0.0.1:8080" placeholder:"ADDR" help:"Address and port to listen on (${default})."`
	BaseURL        string        `name:"base-url" env:"BASE_URL" placeholder:"URL" help:"The address people type; https:// makes cookies secure."`
	MetricsListen  string        `name:"metrics-listen" env:"METRICS_LISTEN" placeholder:"ADDR" help:"Serve /metrics there instead of on loopback requests."`
	TrustedProxies []string      `name:"trusted-proxies" env:"TRUSTED_PROXIES" placeholder:"CIDR" help:"Proxies whose X-Forwarded-For is believed."`
	PageCacheMiB   int           `name:"page-cache-mib" env:"PAGE_CACHE_MIB" default:"64" help:"Memory for finished pages, in MiB; 0 keeps none."`
	DrainWait      time.Duration `name:"drain-wait" env:"DRAIN_WAIT" default:"0s" help:"From not ready to the last connection when stopping; two probe intervals of a balancer, where there is one."`
	DatabaseRead   string        `name:"database-url-read" env:"DATABASE_URL_READ" placeholder:"URL" help:"A standby that answers, for reading alone, while the database is away."`
	FailFast       bool          `name:"fail-fast" env:"FAIL_FAST" help:"Exit when the database does not answer at the start, instead of waiting for it."`
	SecretKeyFile  string        `name:"secret-key-file" env:"SECRET_KEY_FILE" placeholder:"FILE" help:"Holds the key that seals authenticators' secrets, 32 bytes or more (or the key itself in SECRET_KEY); with a private PostgreSQL one is made in DATA_DIR."`
	RequireTOTP    string        `name:"require-totp" env:"REQUIRE_TOTP" enum:",office" default:"" help:"office: an office account must get a second factor before anything else."`
	OIDCIssuer     string        `name:"oidc-issuer" env:"OIDC_ISSUER" placeholder:"URL" help:"OpenID Connect provider people may sign in through, spelled exactly as it spells itself."`
	OIDCClientID   string        `name:"oidc-client-id" env:"OIDC_CLIENT_ID" placeholder:"ID" help:"What the provider calls this program; its way back is BASE_URL/login/provider/callback."`
	OIDCSecretFile string        `name:"oidc-client-secret-file" env:"OIDC_CLIENT_SECRET_FILE" placeholder:"FILE" help:"Holds the secret shared with the provider (or the secret itself in OIDC_CLIENT_SECRET)."`
	OIDCName       string        `name:"oidc-name" env:"OIDC_NAME" default:"统一认证" placeholder:"NAME" help:"What people call the provider (${default})."`
	Clamd          string        `name:"clamd" env:"CLAMD" placeholder:"ADDR" help:"clamd that looks for viruses in evidence before it is taken: path of its socket, or host:port."`
	outletSettings
	Collector string `name:"otlp-endpoint" env:"OTEL_EXPORTER_OTLP_ENDPOINT" placeholder:"URL" help:"OpenTelemetry collector that traces of requests and statements go to (OTLP over HTTP); without it nothing is traced."`
	DemoNow   string `name:"demo-now" env:"DEMO_NOW" placeholder:"TIME" help:"Moment the demo's clock starts at, like 2023-10-12T09:30."`
}

const (
	// sealEvery is how often new history lines are taken into the chain.
	sealEvery = time.Second
	// awaitEvery is how often a database that was away at the start is asked again.
	awaitEvery = time.Second
)

// Run serves until it is told to stop.
func (c serveCmd) Run(ctx context.Context, p *program) (err error) {
	proxies, err := c.check()
	if err != nil {
		return err
	}
	ln, err := listen(c.Listen) // before any database is touched: a port in use changes nothing
	if err != nil {
		return err
	}
	defer func() {
		if cerr := ln.Close(); cerr != nil && !errors.Is(cerr, net.ErrClosed) {
			err = errors.Join(err, cerr)
		}
	}()
	base := c.BaseURL
	if base == "" {
		base = "http://" + ln.Addr().String()
	}
	d, why := p.locate(ctx, true)
	_, away := errors.AsType[awayError](why)
	if why != nil && (!away || c.FailFast) {
		return why
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	tracing, stopTracing, err := c.trace(ctx, p, proxies)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopTracing()) }()
	if err := d.pairUp(ctx, p, c.DatabaseRead, tracing); err != nil {
		return err
	}
	key, err := c.secretKey(p)
	if err != nil {
		return err
	}
	provider, err := c.provider()
	if err != nil {
		return err
	}
	mailer, robots, err := c.outlets()
	if err != nil {
		return err
	}
	if c.PageCacheMiB < 0 || c.PageCacheMiB > 1<<14 {
		return fmt.Errorf("PAGE_CACHE_MIB %d: write a number from 0 to %d", c.PageCacheMiB, 1<<14)
	}
	var scanner reporting.Scanner
	if c.Clamd != "" {
		if scanner, err = clamd.New(c.Clamd); err != nil {
			return usageError{fmt.Errorf("CLAMD: %w: write it like /run/clamav/clamd.ctl or 127.0.0.1:3310", err)}
		}
	}
	pages := c.PageCacheMiB << 20
	if pages == 0 {
		pages = -1
	}
	var trace func(http.Handler) http.Handler
	if tracing != nil {
		trace = tracing.Requests
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(200) // the heap is small beside the pages kept; half the collections for 20 MiB
	}
	clock := &clock{now: time.Now}
	srv, err := server.New(server.Config{
		Store: d.store, Pair: d.pair, Now: clock.Now, Zone: p.zone, Log: p.log, BaseURL: base, Demo: c.Demo, TrustedProxies: proxies,
		MetricsElsewhere: c.MetricsListen != "", DrainWait: c.DrainWait, PageCache: pages, Waiting: away, Trace: trace,
		Robots: robots, Mail: mailer != nil && !c.Demo, Scanner: scanner,
		Key: key, RequireTOTP: c.RequireTOTP != "", Passwords: auth.Profile(p.Passwords), World: time.Now, Provider: provider,
		Ready: func(ctx context.Context) error {
			v, dirty, err := migrations.Version(ctx, d.url)
			if err != nil {
				return err
			}
			if dirty || v < migrations.Newest() {
				return fmt.Errorf("the schema is at version %d, the program needs %d", v, migrations.Newest())
			}
			return nil
		},
	})
	if err != nil {
		return err
	}
	if c.MetricsListen != "" {
		stopMetrics, err := serveMetrics(c.MetricsListen, srv.MetricsHandler())
		if err != nil {
			return err
		}
		defer stopMetrics()
	}
	if !away {
		stop, err := c.begin(ctx, p, d, clock, base)
		if err != nil {
			return err
		}
		defer stop()
		fmt.Fprintf(p.stdout, "listening on http://%s\n", ln.Addr())
		return srv.Run(ctx, ln)
	}
	fmt.Fprintf(p.stdout, "listening on http://%s\n", ln.Addr())
	serving, end := context.WithCancel(ctx)
	waited := make(chan func() error, 1)
	go func() {
		stop, waitErr := c.await(serving, p, d, clock, base, why)
		if waitErr != nil {
			waited <- func() error { return waitErr }
			end()
			return
		}
		srv.Open()
		p.log.InfoContext(ctx, "the database answers: ready")
		waited <- func() error { stop(); return nil }
	}()
	err = srv.Run(serving, ln)
	end()
	return errors.Join((<-waited)(), err)
}

// traceDrain is how long the last traces may take to be sent.
const traceDrain = 3 * time.Second

// trace begins to trace where a collector is named; otherwise it gives nil.
func (c serveCmd) trace(ctx context.Context, p *program, proxies []netip.Prefix) (t *tracing.Tracing, stop func() error, err error) {
	if c.Collector == "" {
		return nil, func() error { return nil }, nil
	}
	if t, err = tracing.Start(ctx, tracing.Config{Endpoint: c.Collector, Version: version, Log: p.log, Trusted: proxies}); err != nil {
		return nil, nil, usageError{err}
	}
	return t, func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), traceDrain)
		defer cancel()
		return t.Stop(ctx)
	}, nil
}

// await begins as soon as the database answers. It says at once and every minute
// what it waits for. An error is something that waiting does not mend.
func (c serveCmd) await(ctx context.Context, p *program, d *database, clock *clock, base string, why error) (stop func(), err error) {
	var said time.Time
	tick := time.NewTicker(awaitEvery)
	defer tick.Stop()
	for {
		if time.Since(said) > time.Minute {
			p.log.WarnContext(ctx, "waiting: "+why.Error())
			said = time.Now()
		}
		select {
		case <-ctx.Done():
			return func() {}, nil
		case <-tick.C:
		}
		if err = p.reachable(ctx, d, glance); err == nil {
			stop, err = c.begin(ctx, p, d, clock, base)
		}
		switch _, away := errors.AsType[awayError](err); {
		case err == nil:
			return stop, nil
		case ctx.Err() != nil: // told to stop: that is no fault
			return func() {}, nil
		case !away && !store.Away(err):
			return nil, err
		}
		why = err
	}
}

// begin does what needs a database that answers: the schema, the seed plan or the
// demo, the clock, and the work beside the requests, which goes on until stop.
func (c serveCmd) begin(ctx context.Context, p *program, d *database, clock *clock, base string) (stop func(), err error) {
	if err := migrations.Up(ctx, d.url); err != nil {
		return nil, err
	}
	if p.DatabaseDirect != "" {
		if err := store.CheckPooled(ctx, p.DatabaseURL); err != nil {
			return nil, err
		}
	}
	now, err := c.prepare(ctx, p, d)
	if err != nil {
		return nil, err
	}
	clock.set(now)
	stopWork, err := c.work(ctx, p, d, now, base)
	if err != nil {
		return nil, err
	}
	d.pair.Watch()
	stopSealing := c.seal(context.WithoutCancel(ctx), p, d, now)
	return func() { stopWork(); stopSealing() }, nil
}

// clock is the machine's until the database says which one to go by.
type clock struct {
	mu  sync.RWMutex
	now func() time.Time
}

// Now is the present moment.
func (c *clock) Now() time.Time {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.now()
}

func (c *clock) set(now func() time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
}

// check refuses settings that cannot be right, before anything is opened.
func (c serveCmd) check() ([]netip.Prefix, error) {
	var proxies []netip.Prefix
	for _, s := range c.TrustedProxies {
		prefix, err := netip.ParsePrefix(s)
		if err != nil {
			addr, err := netip.ParseAddr(s)
			if err != nil {
				return nil, usageError{fmt.Errorf("TRUSTED_PROXIES holds %q: write addresses or networks like 10.0.0.0/8", s)}
			}
			prefix = netip.PrefixFrom(addr, addr.BitLen())
		}
		proxies = append(proxies, prefix)
	}
	if c.BaseURL != "" {
		if u, err := url.Parse(c.BaseURL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, usageError{fmt.Errorf("BASE_URL %q is not an address: write it like https://kanban.example.gov.cn", c.BaseURL)}
		}
	}
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return nil, usageError{fmt.Errorf("LISTEN %q is not an address with a port: write it like 127.0.0.1:8080", c.Listen)}
	}
	if c.Demo && !loopback(host) {
		return nil, usageError{fmt.Errorf("--demo lets anybody in, so it listens on loopback only, not on %q: use 127.0.0.1:8080", c.Listen)}
	}
	if c.DemoNow != "" && !c.Demo {
		return nil, usageError{errors.New("DEMO_NOW sets the demo's clock: use it with --demo, or unset it; a real clock cannot be set")}
	}
	return proxies, nil
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

func listen(addr string) (net.Listener, error) {
	ln, err := net.Listen("tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("another program listens on %s: stop it, or choose another address with LISTEN or --listen", addr)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("not allowed to listen on %s: choose a port above 1023 with LISTEN or --listen", addr)
	case err != nil:
		return nil, fmt.Errorf("cannot listen on %s: check LISTEN: %s", addr, lastCause(err))
	}
	return ln, nil
}

// prepare puts the seed plan into an empty database, and the demo into a demo's;
// it refuses to mix the two. It gives the clock.
func (c serveCmd) prepare(ctx context.Context, p *program, d *database) (func() time.Time, error) {
	st := d.store
	h, err := st.Holdings(ctx)
	if err != nil {
		return nil, err
	}
	if !c.Demo {
		if h.Demo {
			return nil, errors.New("this database holds demo data: run landmark serve --demo, or set another DATA_DIR or DATABASE_URL for real work")
		}
		if h.Plans == 0 {
			if err := insertSeed(ctx, st, time.Now()); err != nil {
				// Another program that started at the same moment was first: that will do.
				if now, again := st.Holdings(ctx); landmark.KindOf(err) != landmark.Conflict || again != nil || now.Plans == 0 {
					return nil, err
				}
			}
		}
		if h.Accounts == 0 {
			fmt.Fprintln(p.stdout, "nobody can sign in yet; add the first account with: landmark user add NAME --role office")
		}
		return d.pair.Now, nil
	}
	if h.RealReports {
		return nil, errors.New("this database holds real reports: the demo does not touch it; set another DATA_DIR or DATABASE_URL")
	}
	start := demo.Start
	if c.DemoNow != "" {
		start = c.DemoNow
	}
	from, err := parseMoment(start, p.zone)
	if err != nil {
		return nil, usageError{fmt.Errorf("DEMO_NOW %q is not a moment: write it like 2023-10-12T09:30", start)}
	}
	if !h.Demo {
		if err := fillDemo(ctx, st, h.Plans == 0, p.zone); err != nil {
			return nil, err
		}
	}
	if h.LastAct.After(from) { // time never runs backwards in the demo's own data
		from = h.LastAct.Add(time.Second)
	}
	began := time.Now()
	return func() time.Time { return from.Add(time.Since(began)) }, nil
}

// parseMoment reads a local moment of the zone, or one with its own offset.
func parseMoment(s string, zone *time.Location) (time.Time, error) {
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02 15:04"} {
		if t, err := time.ParseInLocation(layout, s, zone); err == nil {
			return t, nil
		}
	}
	return time.Parse(time.RFC3339, s)
}

func insertSeed(ctx context.Context, st *store.Store, at time.Time) error {
	plan, err := seedPlan()
	if err != nil {
		return err
	}
	return st.InsertPlan(ctx, plan, operator, at)
}

// fillDemo loads the seed plan as of its publication, the demo's accounts and
// its reports, all or nothing.
func fillDemo(ctx context.Context, st *store.Store, seed bool, zone *time.Location) error {
	plan, err := seedPlan()
	if err != nil {
		return err
	}
	return st.Tx(ctx, func(st *store.Store) error {
		at := plan.Published.Time(zone).Add(9 * time.Hour)
		if seed {
			if err := st.InsertPlan(ctx, plan, operator, at); err != nil {
				return err
			}
		}
		users := map[string]landmark.User{}
		for _, a := range demo.Accounts() {
			u := landmark.User{Name: a.Name, DisplayName: a.DisplayName, Role: a.Role}
			if a.Department != "" {
				d, err := st.FindDepartment(ctx, a.Department)
				if err != nil {
					return err
				}
				u.Department, u.DepartmentID = d, d.ID
			}
			if u.ID, err = st.InsertAccount(ctx, store.Account{User: u, Hash: store.NoPassword, Demo: true}, at); err != nil {
				return err
			}
			users[a.Name] = u
		}
		return demo.Fill(ctx, st, plan.Slug, users, zone)
	})
}

// seal takes new history lines into the chain until stopped, and notes the
// chain's head once a day, in the log and beside the data.
func (c serveCmd) seal(ctx context.Context, p *program, d *database, now func() time.Time) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(sealEvery)
		defer tick.Stop()
		noted := ""
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			for {
				if d.pair.State().Away {
					break // it has been said
				}
				n, err := d.store.Seal(ctx, 500, now())
				if err != nil && ctx.Err() == nil {
					p.log.ErrorContext(ctx, "seal history", "error", err)
				}
				if err != nil || n == 0 {
					break
				}
			}
			if day := time.Now().In(p.zone).Format(time.DateOnly); day != noted && ctx.Err() == nil && !d.pair.State().Away {
				if err := p.noteHead(ctx, d.store, day); err != nil {
					p.log.ErrorContext(ctx, "note the history's head", "error", err)
					continue
				}
				noted = day
			}
		}
	}()
	return func() { cancel(); <-done }
}

// noteHead writes the chain's head outside the database, where a shorter chain
// can be told from a whole one (landmark db verify --head).
func (p *program) noteHead(ctx context.Context, st *store.Store, day string) error {
	head, err := st.HistoryHead(ctx)
	if err != nil || head.Seq == 0 {
		return err
	}
	p.log.InfoContext(ctx, "history head", "day", day, "head", head.String())
	if p.DatabaseURL != "" {
		return nil // the log is the place outside the database
	}
	f, err := os.OpenFile(filepath.Join(p.DataDir, "history-heads.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open history-heads.log: %w", err)
	}
	_, err = fmt.Fprintln(f, day, head)
	return errors.Join(err, f.Close())
}

// serveMetrics answers on an address of its own until stopped.
func serveMetrics(addr string, h http.Handler) (stop func(), err error) {
	ln, err := listen(addr)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", h)
	hs := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 30 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = hs.Serve(ln) // it ends with Close below, and its error says so
	}()
	return func() { _ = hs.Close(); <-done }, nil
}

type healthcheckCmd struct {
	Listen string `env:"LISTEN" default:"127.0.0.1:8080" help:"Where the server listens."`
	Ready  bool   `help:"Ask /readyz in place of /healthz: is the database there, is the schema current."`
}

// Run asks /healthz, as a container's health check does: a program whose database
// is away waits for it and is not to be started anew.
func (c healthcheckCmd) Run(ctx context.Context) error {
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return usageError{fmt.Errorf("LISTEN %q is not an address with a port", c.Listen)}
	}
	if addr, err := netip.ParseAddr(host); host == "" || err == nil && addr.IsUnspecified() {
		host = "127.0.0.1"
	}
	path, is := "/healthz", "well"
	if c.Ready {
		path, is = "/readyz", "ready"
	}
	ctx, cancel := context.WithTimeout(ctx, 4*time.Second) // before whoever asked gives up
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+path, nil)
	if err != nil {
		return fmt.Errorf("ask %s: %w", path, err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("the server at %s does not answer: %s", c.Listen, lastCause(err))
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the server at %s is not %s: %s", c.Listen, is, res.Status)
	}
	return nil
}
