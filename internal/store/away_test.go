package store_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"landmark/internal/pgtest"
	"landmark/internal/store"
)

func TestAway(t *testing.T) {
	t.Parallel()
	conn, err := pgx.Connect(t.Context(), pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, dead := conn.Exec(t.Context(), "SELECT 1")
	_, refused := pgx.Connect(t.Context(), "postgres://a@127.0.0.1:1/a?sslmode=prefer")
	code := func(c string) error { return fmt.Errorf("do: %w", &pgconn.PgError{Code: c}) }
	for name, c := range map[string]struct {
		err               error
		unavailable, away bool
	}{
		"none":                        {nil, false, false},
		"a fault of ours":             {code("42P01"), false, false},
		"a dead connection":           {fmt.Errorf("do: %w", dead), true, true},
		"nobody listens":              {refused, true, true},
		"the time is over":            {fmt.Errorf("do: %w", context.DeadlineExceeded), true, true},
		"the visitor left":            {context.Canceled, false, false},
		"the primary is away":         {fmt.Errorf("do: %w", store.ErrAway), true, true},
		"starting":                    {code("57P03"), true, true},
		"too many connections":        {code("53300"), true, true},
		"the pooler has no server":    {code("08P01"), true, true},
		"read only":                   {code("25006"), true, false},
		"wrong password":              {code("28P01"), false, false},
		"one address says no":         {errors.Join(refused, code("28P01")), true, false},
		"an unknown certificate":      {errors.Join(refused, &tls.CertificateVerificationError{}), true, false},
		"a lock was not to be had":    {code("55P03"), true, false},
		"the server's own time limit": {code("57014"), true, false},
	} {
		if got := store.Unavailable(c.err); got != c.unavailable {
			t.Errorf("%s: Unavailable %v, want %v (%v)", name, got, c.unavailable, c.err)
		}
		if got := store.Away(c.err); got != c.away {
			t.Errorf("%s: Away %v, want %v (%v)", name, got, c.away, c.err)
		}
	}
	if !store.RefusesWrites(code("25006")) || store.RefusesWrites(code("57014")) {
		t.Error("RefusesWrites")
	}
}
