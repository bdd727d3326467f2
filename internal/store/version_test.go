package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"landmark/internal/landmark"
	"landmark/internal/pgtest"
	"landmark/internal/store"
)

// uncounted are the tables whose writes leave the version as it was, each with
// the reason. TestKeptPagesReadOnlyWhatIsCounted in package server holds the pages
// to it.
var uncounted = map[string]string{
	"data_version":      "the count itself",
	"plan_edition":      "a count of the same writes",
	"schema_marker":     "the migrator's",
	"schema_migrations": "the migrator's",
	"session":           "read with every request",
	"sign_in_failure":   "no page shows it",
	"submission_key":    "no page shows it",
	"history":           "its list is not kept; every page would end with each sign-in",
	"history_seal":      "its list is not kept",
	"history_pending":   "its list is not kept",
	"report_draft":      "forms are not kept",
	"task_draft":        "forms are not kept",
	"draft_evidence":    "forms are not kept",
	"bulletin_draft":    "bulletins are not kept",
	"account_identity":  "pages of upkeep are not kept",
	"provider_sign_in":  "no page shows it",
	"password_history":  "no page shows it",
	"robot":             "pages of upkeep are not kept",
	"delivery":          "pages of upkeep are not kept",
	"delivery_attempt":  "pages of upkeep are not kept",
}

func version(t *testing.T, db store.DB) store.Version {
	t.Helper()
	v, _, err := store.New(db).Visitors(context.Background(), []string{"nobody"})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Whatever writes to a table advances the version, except where a reason is given.
func TestNoWriteLeavesTheVersion(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	pool := pgtest.DB(t)
	rows, err := pool.Query(ctx, `
		SELECT c.relname AS name, (SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attidentity = '' ORDER BY attnum LIMIT 1) AS column
		FROM pg_class c
		WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND c.relname NOT LIKE 'river\_%'
		ORDER BY c.relname`)
	if err != nil {
		t.Fatal(err)
	}
	type table struct{ Name, Column string }
	tables, err := pgx.CollectRows(rows, pgx.RowToStructByName[table])
	if err != nil {
		t.Fatal(err)
	}
	counted := map[string]bool{}
	for _, tab := range tables {
		// A statement that touches no row fires the same triggers.
		for what, sql := range map[string]string{
			"INSERT": "INSERT INTO %[1]s (%[2]s) SELECT %[2]s FROM %[1]s WHERE false", "UPDATE": "UPDATE %[1]s SET %[2]s = %[2]s WHERE false",
			"DELETE": "DELETE FROM %[1]s WHERE false", "TRUNCATE": "TRUNCATE %[1]s CASCADE",
		} {
			if what == "TRUNCATE" && tab.Name == "data_version" {
				continue // without slots nothing can be written
			}
			tx, err := pool.Begin(ctx)
			if err != nil {
				t.Fatal(err)
			}
			before := version(t, tx)
			_, err = tx.Exec(ctx, fmt.Sprintf(sql, pgx.Identifier{tab.Name}.Sanitize(), tab.Column))
			if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Code == "23001" { // append-only
				err = tx.Rollback(ctx)
				if err != nil {
					t.Fatal(err)
				}
				continue
			}
			if err != nil {
				t.Fatalf("%s %s: %v", what, tab.Name, err)
			}
			after := version(t, tx)
			reason, leave := uncounted[tab.Name]
			switch {
			case !leave && after.Writes != before.Writes+1:
				t.Errorf("%s %s: the version goes from %d to %d, want one more", what, tab.Name, before.Writes, after.Writes)
			case leave && what != "TRUNCATE" && after != before: // which takes dependent tables along
				t.Errorf("%s %s: the version changes, though %s", what, tab.Name, reason)
			case !leave:
				counted[tab.Name] = true
			}
			if err := tx.Rollback(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(counted) != len(tables)-len(uncounted) {
		t.Errorf("writes to %d of %d tables were tried", len(counted), len(tables)-len(uncounted))
	}
	for name := range uncounted {
		if !slices.ContainsFunc(tables, func(tab table) bool { return tab.Name == name }) {
			t.Errorf("%s is no table", name)
		}
	}
}

// A transaction counts once, and not at all if it is given up; so does a part of
// one that is rolled back and done again.
func TestVersionCountsTransactions(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	pool := pgtest.DB(t)
	const write = "UPDATE department SET name = name WHERE false"
	begin := func() pgx.Tx {
		t.Helper()
		tx, err := pool.Begin(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return tx
	}
	do := func(tx pgx.Tx, statements ...string) {
		t.Helper()
		for _, sql := range statements {
			if _, err := tx.Exec(ctx, sql); err != nil {
				t.Fatal(err)
			}
		}
	}
	first := version(t, pool)
	tx := begin()
	do(tx, write, write, "UPDATE account SET name = name WHERE false")
	if got := version(t, pool); got != first {
		t.Errorf("before the commit: %v, want %v", got, first)
	}
	if err := tx.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	if got := version(t, pool).Writes - first.Writes; got != 1 {
		t.Errorf("three writes of one transaction count %d", got)
	}
	tx = begin()
	do(tx, write)
	if err := tx.Rollback(ctx); err != nil {
		t.Fatal(err)
	}
	if got := version(t, pool).Writes - first.Writes; got != 1 {
		t.Errorf("a transaction given up counts %d", got-1)
	}
	tx = begin()
	do(tx, "SAVEPOINT a", write, "ROLLBACK TO a", write)
	if err := tx.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	if got := version(t, pool).Writes - first.Writes; got != 2 {
		t.Errorf("a write done again after a savepoint counts %d", got-1)
	}
}

// Writers at the same time neither wait for one another's count nor lose one.
func TestVersionWritersDoNotWait(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	pool := pgtest.DB(t)
	first := version(t, pool)
	const writers = 12
	var begun, ended sync.WaitGroup
	begun.Add(writers)
	for i := range writers {
		ended.Go(func() {
			// A connection of its own, whatever the pool's size.
			c, err := pgx.ConnectConfig(ctx, pool.Config().ConnConfig)
			if err != nil {
				begun.Done()
				t.Error(err)
				return
			}
			defer func() { _ = c.Close(context.WithoutCancel(ctx)) }()
			err = pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
				_, err := tx.Exec(ctx, `INSERT INTO department (slug, name, sort) VALUES ($1, $1, 1)`, fmt.Sprintf("d%d", i))
				begun.Done()
				begun.Wait() // all have written before any commits
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	ended.Wait()
	if got := version(t, pool).Writes - first.Writes; got != writers {
		t.Errorf("%d transactions count %d", writers, got)
	}
}

// A reader that sees the n-th version sees the data of n transactions: never the
// count without the data, nor the data without the count.
func TestVersionIsOfItsData(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	pool := pgtest.DB(t)
	first := version(t, pool)
	const writers, each = 3, 60
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			st := store.New(pool)
			for j := range each {
				name := fmt.Sprintf("d%d-%d", i, j)
				if _, err := st.InsertAccount(ctx, store.Account{User: landmark.User{Name: name, DisplayName: name, Role: landmark.RoleViewer}, Hash: store.NoPassword}, importedAt); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	seen := 0
	for reading := true; reading; seen++ {
		select {
		case <-done:
			reading = false
		default:
		}
		counted, there, err := countBoth(ctx, pool)
		if err != nil {
			t.Fatal(err)
		}
		if counted-first.Writes != there {
			t.Fatalf("version %d with %d accounts", counted-first.Writes, there)
		}
	}
	if got := version(t, pool).Writes - first.Writes; got != writers*each {
		t.Errorf("%d transactions count %d", writers*each, got)
	}
	t.Logf("%d readings of version and data", seen)
}

func countBoth(ctx context.Context, pool *pgxpool.Pool) (counted, there int64, err error) {
	err = pool.QueryRow(ctx, `SELECT (SELECT sum(writes)::bigint FROM data_version), (SELECT count(*) FROM account)`).Scan(&counted, &there)
	return counted, there, err
}
