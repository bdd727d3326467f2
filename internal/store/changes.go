package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Changes are writes that go to the database together, in the order they were
// added and in one round trip. See [Store.Apply].
type Changes struct{ batch pgx.Batch }

// anyNumber of rows may be touched.
const anyNumber = -1

// queue adds a statement that must touch so many rows: else somebody else came
// first, and the changes are refused with ErrStale.
func (c *Changes) queue(rows int, sql string, args ...any) {
	c.batch.Queue(sql, args...).Exec(func(tag pgconn.CommandTag) error {
		if rows != anyNumber && int(tag.RowsAffected()) != rows {
			return ErrStale
		}
		return nil
	})
}

// wait keeps others who change the same thing waiting until the transaction ends:
// for what is only ever added, so that no row is there to be locked.
func (c *Changes) wait(what string, ids ...any) {
	c.batch.Queue(`SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, fmt.Sprint(append([]any{what, " "}, ids...)...))
}

// Apply writes the changes. Call it in a transaction: the first change refused
// stops those after it, and those before must not stand.
func (s *Store) Apply(ctx context.Context, c *Changes) error {
	if c.batch.Len() == 0 {
		return nil
	}
	return wrap(s.db.SendBatch(ctx, &c.batch).Close(), "apply %d changes", c.batch.Len())
}
