package store_test

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"

	"landmark/internal/landmark"
	"landmark/internal/pgtest"
	"landmark/internal/store"
)

// What a broken connection answers passes by itself, also where the answer is that
// of the rollback after it.
func TestBrokenConnectionIsUnavailable(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	conn, err := pgx.Connect(ctx, pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	killer, err := pgx.Connect(ctx, conn.Config().ConnString())
	if err != nil {
		t.Fatal(err)
	}
	defer killer.Close(ctx)
	err = store.New(conn).Tx(ctx, func(st *store.Store) error {
		if _, err := killer.Exec(ctx, "SELECT pg_terminate_backend($1)", conn.PgConn().PID()); err != nil {
			t.Fatal(err)
		}
		for {
			if err := st.Ping(ctx); err != nil {
				return err
			}
		}
	})
	if !store.Unavailable(err) {
		t.Errorf("a transaction whose connection broke: %v, want Unavailable", err)
	}
	if err := store.New(conn).Ping(ctx); !store.Unavailable(err) {
		t.Errorf("a connection that broke before: %v, want Unavailable", err)
	}
	for _, err := range []error{nil, errors.New("other"), landmark.Errorf(landmark.Conflict, "", "别人先到")} {
		if store.Unavailable(err) {
			t.Errorf("Unavailable(%v) = true", err)
		}
	}
}
