// Package migrations holds the schema as numbered SQL files and applies them.
//
// Files are called 000012_add_report_note.up.sql and .down.sql, numbered
// without gaps. Each is sent as one message, which PostgreSQL runs as one
// transaction, so there is no BEGIN or COMMIT in them. The last statement of
// every up file records the file's own number,
//
//	INSERT INTO schema_marker (version) VALUES (12);
//
// and its down file takes that back, before or after its changes:
//
//	DELETE FROM schema_marker WHERE version = 12;
//
// So the newest row of schema_marker says what has really been applied, also
// when the program was killed in the middle. CREATE INDEX CONCURRENTLY cannot
// share a transaction with its marker and is therefore not available.
package migrations

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/golang-migrate/migrate/v4"
	"github.com/golang-migrate/migrate/v4/database"
	pgxmigrate "github.com/golang-migrate/migrate/v4/database/pgx/v5"
	"github.com/golang-migrate/migrate/v4/source/iofs"
	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// FS holds the SQL files.
//
//go:embed *.sql
var FS embed.FS

const (
	// lockTimeout ends one wait for a lock. A change of a table that waits for
	// its lock makes every later reader of that table wait behind it, so it
	// gives up soon and tries again. It also bounds the wait for the advisory
	// lock that golang-migrate takes, which its own LockTimeout does not.
	lockTimeout = 2 * time.Second
	// patience is how long such attempts go on altogether.
	patience = 2 * time.Minute
)

// ErrNewer is wrapped by the error of Up and Down on a database that a newer
// program has migrated.
var ErrNewer = errors.New("the database belongs to a newer version of landmark")

// Newest is the number of the last migration this program knows.
func Newest() int { return newest(FS) }

func newest(files fs.FS) int {
	names, err := fs.Glob(files, "*.up.sql")
	if err != nil || len(names) == 0 {
		return 0
	}
	number, _, _ := strings.Cut(names[len(names)-1], "_") // Glob sorts
	n, err := strconv.Atoi(number)
	if err != nil {
		return 0
	}
	return n
}

// Up brings the database at url to the newest version. Several programs may
// call it at once: one works and the others wait. An interrupted run, of this
// or an earlier start, is healed first.
func Up(ctx context.Context, url string) error {
	if version, dirty, err := Version(ctx, url); err != nil {
		return err
	} else if version == Newest() && !dirty { // most starts: no lock is waited for
		return nil
	}
	return run(ctx, url, FS, func(m *migrate.Migrate) error {
		if err := m.Up(); !errors.Is(err, migrate.ErrNoChange) {
			return err
		}
		return nil
	})
}

// Down takes the newest applied migration back, with the data it held. It is
// meant for development: an installation rolls forward.
func Down(ctx context.Context, url string) error {
	return run(ctx, url, FS, func(m *migrate.Migrate) error {
		if err := m.Steps(-1); !errors.Is(err, fs.ErrNotExist) { // nothing is applied
			return err
		}
		return nil
	})
}

// Version is the version the database at url is at: 0 without any. dirty says
// that a migration is under way or was interrupted.
func Version(ctx context.Context, url string) (version int, dirty bool, err error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return 0, false, fmt.Errorf("read the schema version: %w", oneLine{err})
	}
	defer conn.Close(ctx)
	err = conn.QueryRow(ctx, "SELECT version, dirty FROM schema_migrations").Scan(&version, &dirty)
	var pg *pgconn.PgError
	switch {
	case errors.Is(err, pgx.ErrNoRows), errors.As(err, &pg) && pg.Code == pgerrcode.UndefinedTable:
		return 0, false, nil
	case err != nil:
		return 0, false, fmt.Errorf("read the schema version: %w", err)
	}
	return max(version, 0), dirty, nil // -1: killed while taking back the first
}

// run does work on the database at url, again and again while locks are in
// its way or an interrupted run has to be healed first.
func run(ctx context.Context, url string, files fs.FS, work func(*migrate.Migrate) error) error {
	if version, dirty, err := Version(ctx, url); err != nil {
		return err
	} else if last := newest(files); version > last && !dirty {
		return fmt.Errorf("%w: it is at schema %d, this program knows up to %d; start the newer program, or restore a backup made before it",
			ErrNewer, version, last)
	}
	for deadline := time.Now().Add(patience); ; {
		err := attempt(url, files, work)
		var interrupted migrate.ErrDirty
		if err == nil || !blocked(err) && !errors.As(err, &interrupted) || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("migrate: %w", context.Cause(ctx))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func attempt(url string, files fs.FS, work func(*migrate.Migrate) error) (err error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	for name, value := range map[string]string{
		"application_name":  "landmark migrate",
		"lock_timeout":      strconv.Itoa(int(lockTimeout.Milliseconds())),
		"statement_timeout": "0", // a role's limit is meant for requests
		// Without this the server would finish the file of a program killed
		// meanwhile, and the next start wait for it.
		"client_connection_check_interval": "1000",
	} {
		config.RuntimeParams[name] = value
	}
	source, err := iofs.New(files, ".")
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	db := stdlib.OpenDB(*config) // its own: the driver closes it
	driver, err := pgxmigrate.WithInstance(db, &pgxmigrate.Config{})
	if err != nil {
		return errors.Join(fmt.Errorf("migrate: %w", oneLine{cause(err)}), source.Close(), db.Close())
	}
	m, err := migrate.NewWithInstance("iofs", source, "pgx5", driver)
	if err != nil {
		return errors.Join(fmt.Errorf("migrate: %w", err), source.Close(), db.Close())
	}
	defer func() {
		sourceErr, databaseErr := m.Close()
		err = errors.Join(err, sourceErr, databaseErr)
	}()
	m.LockTimeout = 2 * lockTimeout // the server's own limit comes first
	if err := heal(url, driver); err != nil {
		return fmt.Errorf("migrate: %w", cause(err))
	}
	if err := work(m); err != nil {
		return fmt.Errorf("migrate: %w", cause(err))
	}
	return nil
}

// heal sets the version that golang-migrate noted to the one schema_marker
// tells, when a run was interrupted between the two.
//
// It works under golang-migrate's own lock, held by the session that runs the
// files: while a killed program's last file still runs in the server, its
// session has the lock, and nobody judges too early.
func heal(url string, driver database.Driver) (err error) {
	if err := driver.Lock(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, driver.Unlock()) }()
	noted, dirty, err := driver.Version()
	if err != nil || !dirty {
		return err
	}
	applied, err := marker(url)
	if err != nil {
		return err
	}
	// Going up to N leaves N applied or N-1, going down to N leaves N or N+1.
	if d := applied - max(noted, 0); d < -1 || d > 1 {
		return fmt.Errorf("migration %d was interrupted, but schema_marker says %d: restore a backup", noted, applied)
	}
	to := applied
	if applied == 0 {
		to = database.NilVersion
	}
	if err := driver.SetVersion(to, false); err != nil {
		return err
	}
	slog.Warn("healed an interrupted migration", "noted", noted, "applied", applied)
	return nil
}

// marker is the newest version whose changes are in the database, 0 for none.
func marker(url string) (version int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return 0, err
	}
	defer conn.Close(ctx)
	err = conn.QueryRow(ctx, "SELECT coalesce(max(version), 0) FROM schema_marker").Scan(&version)
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == pgerrcode.UndefinedTable {
		return 0, nil // interrupted before the first was applied
	}
	return version, err
}

// blocked says that a lock was not to be had in time.
func blocked(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == pgerrcode.LockNotAvailable || errors.Is(err, migrate.ErrLockTimeout)
}

// cause makes the server's error visible to errors.As: golang-migrate's error
// type says it in words only.
func cause(err error) error {
	var value database.Error
	var pointer *database.Error
	switch {
	case errors.As(err, &pointer):
		return fmt.Errorf("%s: %w", pointer.Err, pointer.OrigErr)
	case errors.As(err, &value):
		return fmt.Errorf("line %d: %w", value.Line, value.OrigErr)
	}
	return err
}

// oneLine is an error on a single line. pgx tells of each address it tried on
// a line of its own.
type oneLine struct{ error }

func (e oneLine) Error() string { return strings.Join(strings.Fields(e.error.Error()), " ") }
func (e oneLine) Unwrap() error { return e.error }
