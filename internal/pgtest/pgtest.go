// Package pgtest gives tests real databases, migrated and empty.
//
// All test processes of a user share one private PostgreSQL, which lives in
// memory where that is possible and stops with the last of them. A database
// takes some 40 ms to make, a transaction less than one.
package pgtest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"landmark/internal/localpg"
	"landmark/migrations"
)

// DB returns a pool on a database of the test's own. It is dropped when the
// test ends.
func DB(t testing.TB) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(context.Background(), URL(t))
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	t.Cleanup(func() {
		closed := make(chan struct{})
		go func() { pool.Close(); close(closed) }()
		select {
		case <-closed:
		case <-time.After(10 * time.Second): // else the whole run hangs here
			t.Error("pgtest: the test ended with a connection of its pool still in use")
		}
	})
	return pool
}

// URL returns the connection string of a database of the test's own. It is
// dropped when the test ends, whoever is still connected.
func URL(t testing.TB) string {
	t.Helper()
	p, err := process()
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	name, err := p.clone(context.Background())
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	t.Cleanup(func() {
		if _, err := p.admin.Exec(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("pgtest: %v", err)
		}
	})
	return p.url(name)
}

// Tx returns a transaction that is rolled back when the test ends. Its
// database is shared by the tests of a package: two that insert the same
// unique key wait for each other. It is one connection, so one goroutine.
func Tx(t testing.TB) pgx.Tx {
	t.Helper()
	pool, err := shared()
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	tx, err := pool.Begin(context.Background())
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	t.Cleanup(func() {
		if err := tx.Rollback(context.Background()); err != nil && err != pgx.ErrTxClosed {
			t.Errorf("pgtest: %v", err)
		}
	})
	return tx
}

// shared is the pool of Tx. The next process drops its database.
var shared = sync.OnceValues(func() (*pgxpool.Pool, error) {
	p, err := process()
	if err != nil {
		return nil, err
	}
	name, err := p.clone(context.Background())
	if err != nil {
		return nil, err
	}
	config, err := pgxpool.ParseConfig(p.url(name))
	if err != nil {
		return nil, err
	}
	config.MaxConns = 32 // parallel tests hold one each
	return pgxpool.NewWithConfig(context.Background(), config)
})

// tests is what one test process holds until it ends.
type tests struct {
	server *localpg.Server
	life   *pgx.Conn     // its number in the server stands in our databases' names, its locks guard our template
	admin  *pgxpool.Pool // makes and drops databases

	template string
}

const (
	buildLock    = 7201 // one process at a time makes templates and drops leftovers
	templateLock = 7202 // shared by all processes that copy a template
)

var process = sync.OnceValues(func() (*tests, error) {
	ctx := context.Background()
	parent := os.TempDir()
	if st, err := os.Stat("/dev/shm"); err == nil && st.IsDir() { // in memory: 40 ms instead of a second
		parent = "/dev/shm"
	}
	server, err := localpg.Start(ctx, filepath.Join(parent, fmt.Sprintf("landmark-test-%d", os.Getuid())),
		// Nothing here outlives the tests, so nothing has to reach a disk.
		"fsync=off", "synchronous_commit=off", "full_page_writes=off",
		"wal_level=minimal", "max_wal_senders=0", "max_wal_size=2GB",
		"autovacuum=off", "max_connections=300")
	if err != nil {
		return nil, err
	}
	p := &tests{server: server}
	if p.life, err = pgx.Connect(ctx, server.URL()); err != nil {
		return nil, err
	}
	if p.admin, err = pgxpool.New(ctx, server.URL()); err != nil {
		return nil, err
	}
	return p, p.prepare(ctx)
})

// prepare drops what killed tests have left and makes the template where it
// is missing.
func (p *tests) prepare(ctx context.Context) error {
	template, err := templateName()
	if err != nil {
		return err
	}
	p.template = template
	if _, err := p.life.Exec(ctx, "SELECT pg_advisory_lock($1)", buildLock); err != nil {
		return err
	}
	if _, err := p.life.Exec(ctx, "SELECT pg_advisory_lock_shared($1, hashtext($2))", templateLock, template); err != nil {
		return err
	}
	if err := p.dropLeftovers(ctx); err != nil {
		return err
	}
	var made bool
	err = p.life.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1 AND NOT datallowconn)", template).Scan(&made)
	if err != nil {
		return err
	}
	if !made {
		if err := p.makeTemplate(ctx); err != nil {
			return err
		}
	}
	_, err = p.life.Exec(ctx, "SELECT pg_advisory_unlock($1)", buildLock)
	return err
}

func (p *tests) makeTemplate(ctx context.Context) error {
	if err := p.dropTemplates(ctx); err != nil {
		return err
	}
	if _, err := p.admin.Exec(ctx, "CREATE DATABASE "+p.template); err != nil {
		return err
	}
	if err := migrations.Up(ctx, p.url(p.template)); err != nil {
		return err
	}
	// One connection to it would stop every copy.
	_, err := p.admin.Exec(ctx, "ALTER DATABASE "+p.template+" ALLOW_CONNECTIONS false")
	return err
}

// dropLeftovers drops the databases of processes that have ended: they would
// fill the memory for as long as the folder is there.
func (p *tests) dropLeftovers(ctx context.Context) error {
	return p.drop(ctx, `
		SELECT datname
		FROM pg_database
		WHERE datname ~ '^t_[0-9]+_'
		AND split_part(datname, '_', 2)::int NOT IN (SELECT pid FROM pg_stat_activity)`)
}

// dropTemplates drops the templates no process copies, half-made ones among them.
func (p *tests) dropTemplates(ctx context.Context) error {
	return p.drop(ctx, `
		SELECT datname
		FROM pg_database d
		WHERE datname ~ '^tmpl_'
		AND (datname = $1 OR NOT EXISTS (
			SELECT FROM pg_locks
			WHERE locktype = 'advisory' AND classid = $2 AND objid::bigint = hashtext(d.datname)::bigint & 4294967295
		))`, p.template, templateLock)
}

func (p *tests) drop(ctx context.Context, query string, args ...any) error {
	rows, err := p.admin.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, err := p.admin.Exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			return err
		}
	}
	return nil
}

// clone makes a copy of the template.
func (p *tests) clone(ctx context.Context) (name string, err error) {
	name = fmt.Sprintf("t_%d_%s", p.life.PgConn().PID(), strings.ToLower(rand.Text()[:12]))
	_, err = p.admin.Exec(ctx, "CREATE DATABASE "+name+" TEMPLATE "+p.template+" STRATEGY FILE_COPY")
	return name, err
}

// url is the connection string of a database of the shared server.
func (p *tests) url(database string) string {
	u, err := url.Parse(p.server.URL())
	if err != nil {
		panic(err) // localpg made it
	}
	u.Path = "/" + database
	return u.String()
}

// templateName follows from the migrations' text: an edited one makes a new
// template.
func templateName() (string, error) {
	h := sha256.New()
	err := fs.WalkDir(migrations.FS, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := migrations.FS.ReadFile(path)
		fmt.Fprintf(h, "%s %d\n%s", path, len(b), b)
		return err
	})
	return fmt.Sprintf("tmpl_%x", h.Sum(nil)[:8]), err
}
