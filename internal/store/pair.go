package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Addresses say where the databases are.
type Addresses struct {
	URL string // the primary, perhaps through a pooler
	// Pooled says that URL leads to a pooler that gives a connection to a client for
	// one transaction only: nothing may be left in the session, no settings and no
	// prepared statements.
	Pooled bool
	// Clock is this machine's, by default [time.Now].
	Clock   func() time.Time
	Standby string          // a standby that may be read while the primary is away; "" for none
	Tracer  pgx.QueryTracer // is told of every statement; nil for nobody
}

// CheckPooled says what is wrong with the role that works through a pooler: what
// other connections set for themselves it must have from the start.
func CheckPooled(ctx context.Context, url string) error {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return errors.New("DATABASE_URL cannot be read: write it as postgres://user:password@host:5432/database")
	}
	cfg.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return fmt.Errorf("connect through the pooler (DATABASE_URL): %w", err)
	}
	defer conn.Close(ctx)
	var role string
	var limited, may, tooMuch bool
	err = conn.QueryRow(ctx, `
		SELECT current_user::text,
			current_setting('statement_timeout') <> '0' AND current_setting('lock_timeout') <> '0' AND current_setting('idle_in_transaction_session_timeout') <> '0',
			has_table_privilege('report', 'INSERT'), has_table_privilege('history', 'DELETE')`).Scan(&role, &limited, &may, &tooMuch)
	switch {
	case err != nil:
		return fmt.Errorf("ask through the pooler (DATABASE_URL): %w", err)
	case !may:
		return fmt.Errorf("through the pooler (DATABASE_URL) we are %s, who may not write: GRANT %s TO %s", role, appRole, role)
	case tooMuch:
		return fmt.Errorf("through the pooler (DATABASE_URL) we are %s, who may change what is append-only: sign in there as a role that owns nothing and is a member of %s", role, appRole)
	case !limited:
		return fmt.Errorf("through the pooler (DATABASE_URL) we are %s, whose statements have no time limits: ALTER ROLE %s SET statement_timeout = '5s', the same with lock_timeout = '2s' and idle_in_transaction_session_timeout = '10s'", role, role)
	}
	return nil
}

// Pair is the primary and, where there is one, its standby. It knows whether the
// primary answers, see Watch; requests that [OnStandby] marks read the standby.
type Pair struct {
	primary *pgxpool.Pool
	standby *pgxpool.Pool // nil for none
	log     *slog.Logger
	machine func() time.Time

	mu    sync.Mutex
	state State
	ahead time.Duration   // the primary's clock is of ours
	here  context.Context // ends when the primary goes away
	gone  context.CancelCauseFunc

	stop    context.CancelFunc // nil before Watch
	stopped chan struct{}
}

// State is what the databases can do at the moment.
type State struct {
	Away     bool      // the primary does not answer
	ReadOnly bool      // the standby answers in its place
	DataAt   time.Time // of the newest change the standby knows
}

// ErrAway is why work ends while the primary does not answer.
var ErrAway = errors.New("the primary database does not answer")

const (
	lookEvery  = 500 * time.Millisecond
	lookWithin = 800 * time.Millisecond
	// misses is how many looks in a row must time out before the primary counts as
	// away: one slow answer is none. A refused connection counts at once.
	misses = 2
)

// OpenPair connects to the databases; neither has to answer yet.
func OpenPair(ctx context.Context, a Addresses, log *slog.Logger) (*Pair, error) {
	p := &Pair{log: log, machine: a.Clock}
	if p.machine == nil {
		p.machine = time.Now
	}
	var err error
	if p.primary, err = openPool(ctx, a.URL, a.Pooled, false, a.Tracer); err != nil {
		return nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	if a.Standby != "" {
		if p.standby, err = openPool(ctx, a.Standby, false, true, a.Tracer); err != nil {
			p.primary.Close()
			return nil, fmt.Errorf("DATABASE_URL_READ: %w", err)
		}
	}
	p.here, p.gone = context.WithCancelCause(context.Background())
	return p, nil
}

// Watch begins to look whether the primary answers, until Close. Before that it
// counts as being there. The clocks have been compared when Watch returns, if it
// is there.
func (p *Pair) Watch() {
	ctx, stop := context.WithCancel(context.Background())
	p.stop, p.stopped = stop, make(chan struct{})
	conn, err := p.ask(ctx, nil)
	if err != nil {
		conn = nil // the next look says why
	}
	go func() {
		defer close(p.stopped)
		p.look(ctx, conn)
	}()
}

// Now is the moment that all programs on one database go by, whatever their
// machines think of it: what is late is late for everybody at once.
func (p *Pair) Now() time.Time { return p.machine().Add(p.Ahead()) }

// Ahead is how far the primary's clock is ahead of this machine's.
func (p *Pair) Ahead() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ahead
}

const (
	// Clocks that differ by less are taken for the same: asking takes its time too.
	sameClock = 500 * time.Millisecond
	// wrongClock is where an operator should hear of it.
	wrongClock = 5 * time.Second
)

// compare takes in what the primary's clock showed at some moment between two of
// this machine's.
func (p *Pair) compare(before, theirs, after time.Time) {
	took := after.Sub(before)
	ahead := theirs.Sub(before) - took/2
	p.mu.Lock()
	was := p.ahead
	if (ahead - was).Abs() > sameClock+took/2 {
		if p.ahead = ahead; ahead.Abs() < sameClock {
			p.ahead = 0
		}
	}
	is := p.ahead
	p.mu.Unlock()
	if is != was && is.Abs() > wrongClock {
		p.log.Warn("this machine's clock is wrong, or the database's is: the database's counts, set both by NTP", "database_ahead", is.Round(time.Millisecond).String())
	}
}

// Close ends the looking, waits for what uses a connection, and closes the pools.
func (p *Pair) Close() {
	if p.stop != nil {
		p.stop()
		<-p.stopped
	}
	p.gone(nil)
	p.primary.Close()
	if p.standby != nil {
		p.standby.Close()
	}
}

// State is what the databases can do now.
func (p *Pair) State() State {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state
}

// While is ctx until the primary goes away: what waits for a server that has
// stopped answering waits no longer. The cause is then ErrAway.
func (p *Pair) While(ctx context.Context) (context.Context, context.CancelFunc) {
	p.mu.Lock()
	here := p.here
	p.mu.Unlock()
	ctx, cancel := context.WithCancelCause(ctx)
	unhook := context.AfterFunc(here, func() { cancel(context.Cause(here)) })
	return ctx, func() { unhook(); cancel(nil) }
}

type standbyKey struct{}

// OnStandby marks a request to be served from the standby, as of state.
func OnStandby(ctx context.Context, state State) context.Context {
	return context.WithValue(ctx, standbyKey{}, state)
}

// ReadsStandby says whether a request is served from the standby, where nothing
// can be written, and from which state.
func ReadsStandby(ctx context.Context) (State, bool) {
	state, ok := ctx.Value(standbyKey{}).(State)
	return state, ok
}

// of is the pool a request works on.
func (p *Pair) of(ctx context.Context) *pgxpool.Pool {
	if _, ok := ReadsStandby(ctx); ok && p.standby != nil {
		return p.standby
	}
	return p.primary
}

// Begin implements [DB].
func (p *Pair) Begin(ctx context.Context) (pgx.Tx, error) { return p.of(ctx).Begin(ctx) }

// BeginTx begins a transaction with options.
func (p *Pair) BeginTx(ctx context.Context, o pgx.TxOptions) (pgx.Tx, error) {
	return p.of(ctx).BeginTx(ctx, o)
}

// Exec implements [DB].
func (p *Pair) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	return p.of(ctx).Exec(ctx, sql, args...)
}

// Query implements [DB].
func (p *Pair) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	return p.of(ctx).Query(ctx, sql, args...)
}

// QueryRow implements [DB].
func (p *Pair) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	return p.of(ctx).QueryRow(ctx, sql, args...)
}

// SendBatch implements [DB].
func (p *Pair) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	return p.of(ctx).SendBatch(ctx, b)
}

// Primary is the pool of the primary.
func (p *Pair) Primary() *pgxpool.Pool { return p.primary }

// look asks the primary all the time, on a connection of its own: a pool that is
// used up says nothing of the server.
func (p *Pair) look(ctx context.Context, conn *pgx.Conn) {
	defer func() {
		if conn != nil {
			p.drop(conn)
		}
	}()
	missed := 0
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		var err error
		if conn, err = p.ask(ctx, conn); err != nil && ctx.Err() == nil {
			// What the connection died of may be over: only a new one tells.
			if missed++; !errors.Is(err, context.DeadlineExceeded) {
				if conn, err = p.ask(ctx, nil); err != nil && !errors.Is(err, context.DeadlineExceeded) {
					missed = misses
				}
			}
		}
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			missed = 0
			p.set(ctx, State{}, nil)
		case missed >= misses:
			p.set(ctx, p.fallBack(ctx), err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// ask asks whether a server answers and takes writes. The connection is nil after
// an error.
func (p *Pair) ask(ctx context.Context, conn *pgx.Conn) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	if conn == nil {
		var err error
		if conn, err = pgx.ConnectConfig(ctx, p.primary.Config().ConnConfig); err != nil {
			return nil, err
		}
	}
	var follows bool
	var theirs time.Time
	before := p.machine()
	err := conn.QueryRow(ctx, "SELECT pg_is_in_recovery(), clock_timestamp()").Scan(&follows, &theirs)
	if err == nil && follows {
		err = errors.New("it is a standby")
	}
	if err == nil {
		p.compare(before, theirs, p.machine())
	}
	if err != nil {
		p.drop(conn)
		return nil, err
	}
	return conn, nil
}

// drop closes a connection without waiting for a server that does not answer.
func (p *Pair) drop(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), lookWithin)
	defer cancel()
	_ = conn.Close(ctx) // it is of no more use either way
}

// fallBack asks the standby.
func (p *Pair) fallBack(ctx context.Context) State {
	if p.standby == nil {
		return State{Away: true}
	}
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	var at time.Time
	// A standby that has replayed nothing since its start knows what was written
	// before the checkpoint it started from.
	err := p.standby.QueryRow(ctx, `
		SELECT coalesce(pg_last_xact_replay_timestamp(), (SELECT checkpoint_time FROM pg_control_checkpoint()))`).Scan(&at)
	return State{Away: true, ReadOnly: err == nil, DataAt: at}
}

// set takes a new state in and tells those who wait.
func (p *Pair) set(ctx context.Context, state State, why error) {
	p.mu.Lock()
	was := p.state
	p.state = state
	gone := p.gone
	if was.Away && !state.Away {
		p.here, p.gone = context.WithCancelCause(context.Background())
	}
	p.mu.Unlock()
	switch {
	case state.Away && !was.Away:
		gone(ErrAway)
		p.log.ErrorContext(ctx, "the primary database is away", "error", why, "read_only", state.ReadOnly)
	case state.Away && state.ReadOnly != was.ReadOnly:
		p.log.WarnContext(ctx, "the primary database is still away", "read_only", state.ReadOnly)
	case was.Away && !state.Away:
		p.primary.Reset() // what is left in it leads to a server that is gone
		p.log.InfoContext(ctx, "the primary database answers again")
	}
}
