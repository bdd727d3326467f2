package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"landmark/internal/landmark"
	"landmark/internal/localpg"
	"landmark/internal/store"
	"landmark/internal/tracing"
	"landmark/migrations"
)

const (
	// reach is how long a database may take to answer before it counts as absent.
	reach = 10 * time.Second
	// glance is the same where it is asked again and again.
	glance = 3 * time.Second
	// oldest is the first major version of PostgreSQL the program is made for.
	oldest = 15
)

// awayError is a database that does not answer yet, see [store.Away].
type awayError struct{ error }

func (e awayError) Unwrap() error { return e.error }

// database is an open database at the newest schema.
type database struct {
	url     string // of the server itself, not of a pooler
	pool    *pgxpool.Pool
	pair    *store.Pair // of a server
	store   *store.Store
	release []func() error // in order of opening
}

// locate finds the database: DATABASE_URL, else the private one, which it
// starts. exclusive makes this program the only server on DATA_DIR.
func (p *program) locate(ctx context.Context, exclusive bool) (*database, error) {
	d := &database{url: cmp.Or(p.DatabaseDirect, p.DatabaseURL)}
	if p.DatabaseDirect != "" && p.DatabaseURL == "" {
		return d, usageError{errors.New("DATABASE_URL_DIRECT names the server behind the pooler of DATABASE_URL: set both, or DATABASE_URL alone")}
	}
	if d.url != "" {
		for _, a := range []struct{ name, url string }{{"DATABASE_URL", p.DatabaseURL}, {"DATABASE_URL_DIRECT", p.DatabaseDirect}} {
			if err := p.checkWire(ctx, a.url, a.name); err != nil {
				return d, err
			}
		}
		within := reach
		if exclusive { // serving: the doors open meanwhile
			within = glance
		}
		return d, p.reachable(ctx, d, within)
	}
	if exclusive {
		release, err := localpg.Own(p.DataDir)
		if err != nil {
			return nil, err
		}
		d.release = append(d.release, func() error { release(); return nil })
	}
	local, err := localpg.Start(ctx, p.DataDir)
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	d.release = append(d.release, local.Close)
	d.url = local.URL()
	return d, nil
}

// reachable asks the server, and the pooler in front of it.
func (p *program) reachable(ctx context.Context, d *database, within time.Duration) error {
	if p.DatabaseDirect == "" {
		return answers(ctx, d.url, "DATABASE_URL", within)
	}
	if err := answers(ctx, d.url, "DATABASE_URL_DIRECT", within); err != nil {
		return err
	}
	return answers(ctx, p.DatabaseURL, "DATABASE_URL", within)
}

// checkWire refuses an address on another machine where somebody on the way could
// pose as the database: encryption that checks no certificate, and encryption that
// gives way to none. A wire that is plain in so many words is the operator's choice,
// for a network that holds nobody else; the log says so at every start.
func (p *program) checkWire(ctx context.Context, dsn, name string) error {
	if dsn == "" {
		return nil
	}
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil // who connects says it without the password
	}
	type wire struct{ plain, checked, unchecked bool }
	hosts := map[string]*wire{}
	add := func(host string, t *tls.Config) {
		if network, _ := pgconn.NetworkAddress(host, cfg.Port); network == "unix" || loopback(host) {
			return
		}
		w := hosts[host]
		if w == nil {
			w = &wire{}
			hosts[host] = w
		}
		w.plain = w.plain || t == nil
		w.checked = w.checked || t != nil && !t.InsecureSkipVerify
		w.unchecked = w.unchecked || t != nil && t.InsecureSkipVerify // verify-ca too: any certificate of that authority would do
	}
	add(cfg.Host, cfg.TLSConfig)
	for _, f := range cfg.Fallbacks {
		add(f.Host, f.TLSConfig)
	}
	for _, host := range slices.Sorted(maps.Keys(hosts)) {
		switch w := hosts[host]; {
		case w.unchecked || w.plain && w.checked:
			return usageError{fmt.Errorf("%s leads to %s without checking that it is the database: add sslmode=verify-full, with sslrootcert=FILE for your own authority; sslmode=disable is for a network that holds nobody else", name, host)}
		case w.plain:
			p.log.WarnContext(ctx, "the connection to the database is not encrypted: sslmode=verify-full encrypts and checks it", "setting", name, "host", host)
		}
	}
	return nil
}

// answers tells a database that does not answer from one that does, without
// ever printing a password.
func answers(ctx context.Context, dsn, name string, within time.Duration) error {
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		return fmt.Errorf("%s cannot be read: write it as postgres://user:password@host:5432/database", name)
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	c, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		where := cfg.Host
		if u, parseErr := url.Parse(dsn); parseErr == nil && u.Host != "" {
			where = u.Host
		}
		if store.Away(err) {
			return awayError{fmt.Errorf("the database at %s (%s) does not answer: check that it runs and can be reached from here: %s", where, name, lastCause(err))}
		}
		return fmt.Errorf("the database at %s (%s) does not let us in: check the name, password and database in the address: %s", where, name, lastCause(err))
	}
	number, _, _ := strings.Cut(c.PgConn().ParameterStatus("server_version"), ".")
	if major, err := strconv.Atoi(number); err == nil && major < oldest {
		return errors.Join(fmt.Errorf("the database (%s) is PostgreSQL %d: version %d or newer is needed", name, major, oldest), c.Close(ctx))
	}
	return c.Close(ctx)
}

// lastCause is the innermost error: the outer ones repeat the whole address.
func lastCause(err error) string {
	for {
		switch e := err.(type) {
		case interface{ Unwrap() error }:
			if e.Unwrap() == nil {
				return err.Error()
			}
			err = e.Unwrap()
		case interface{ Unwrap() []error }:
			list := e.Unwrap()
			if len(list) == 0 {
				return err.Error()
			}
			err = list[len(list)-1]
		default:
			return err.Error()
		}
	}
}

// open locates the database, brings its schema up and connects.
func (p *program) open(ctx context.Context) (*database, error) {
	d, err := p.locate(ctx, false)
	if err != nil {
		return nil, err
	}
	if err := migrations.Up(ctx, d.url); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	if err := d.connect(ctx); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// connect makes the pool. No connection is needed for that.
func (d *database) connect(ctx context.Context) (err error) {
	if d.pool, err = store.Open(ctx, d.url); err != nil {
		return err
	}
	d.release = append(d.release, func() error { d.pool.Close(); return nil })
	d.store = store.New(d.pool)
	return nil
}

// pairUp connects a server to the database and its standby, if there is one.
func (d *database) pairUp(ctx context.Context, p *program, standby string, t *tracing.Tracing) (err error) {
	if err := p.checkWire(ctx, standby, "DATABASE_URL_READ"); err != nil {
		return err
	}
	a := store.Addresses{URL: d.url, Standby: standby}
	if t != nil {
		a.Tracer = t.Statements()
	}
	if p.DatabaseDirect != "" {
		a.URL, a.Pooled = p.DatabaseURL, true
	}
	d.pair, err = store.OpenPair(ctx, a, p.log)
	if err != nil {
		return err
	}
	d.release = append(d.release, func() error { d.pair.Close(); return nil })
	d.pool, d.store = d.pair.Primary(), store.New(d.pair)
	return nil
}

// Close lets go of everything in the opposite order of opening.
func (d *database) Close() error {
	var errs []error
	for i := len(d.release) - 1; i >= 0; i-- {
		errs = append(errs, d.release[i]())
	}
	d.release = nil
	return errors.Join(errs...)
}

// withStore runs f on an open database and closes it whatever happens.
func (p *program) withStore(ctx context.Context, f func(*store.Store) error) (err error) {
	d, err := p.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	return f(d.store)
}

// operator is who acts when a command is run.
var operator = landmark.Actor{Name: "命令行"}

type migrateCmd struct {
	Up      migrateUp      `cmd:"" help:"Bring the schema to the newest version."`
	Down    migrateDown    `cmd:"" help:"Take the newest version back, with the data it held; for development."`
	Version migrateVersion `cmd:"" help:"Print the schema's version and the newest this program knows."`
}

type migrateUp struct{}

// Run brings the schema up.
func (migrateUp) Run(ctx context.Context, p *program) (err error) {
	d, err := p.locate(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if err := migrations.Up(ctx, d.url); err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "schema is at version %d\n", migrations.Newest())
	return err
}

type migrateDown struct{}

// Run takes the newest migration back.
func (migrateDown) Run(ctx context.Context, p *program) (err error) {
	d, err := p.locate(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if err := migrations.Down(ctx, d.url); err != nil {
		return err
	}
	v, _, err := migrations.Version(ctx, d.url)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "schema is at version %d\n", v)
	return err
}

type migrateVersion struct{}

// Run prints versions.
func (migrateVersion) Run(ctx context.Context, p *program) (err error) {
	d, err := p.locate(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	v, dirty, err := migrations.Version(ctx, d.url)
	if err != nil {
		return err
	}
	note := ""
	if dirty {
		note = ", interrupted: landmark migrate up mends it"
	}
	_, err = fmt.Fprintf(p.stdout, "schema %d%s, program %d\n", v, note, migrations.Newest())
	return err
}
