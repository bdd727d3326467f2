package store

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/puddle/v2"
)

// Unavailable says whether an error means that the database cannot answer for
// now, rather than that something is wrong: trying again later may succeed.
func Unavailable(err error) bool {
	if err == nil {
		return false
	}
	if errors.Is(err, context.DeadlineExceeded) || pgconn.Timeout(err) {
		return true
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok || errors.Is(err, puddle.ErrClosedPool) {
		return true
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch pg.Code {
		case "57014", "55P03", "25006": // cancelled by a time limit, lock not available, read-only
			return true
		}
		// 08 connection, 53 out of resources, 57P the server is stopping or starting
		return strings.HasPrefix(pg.Code, "08") || strings.HasPrefix(pg.Code, "53") || strings.HasPrefix(pg.Code, "57P")
	}
	_, network := errors.AsType[net.Error](err)
	return network || errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
}

// Retryable says whether the database gave a transaction up for the sake of
// another one, or for a plan that a migration overtook: nothing of it stands, and
// the same again may succeed at once. An outcome that is unknown is none of these.
func Retryable(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return false
	}
	switch pg.Code {
	case "40001", "40P01": // serialization failure, deadlock
		return true
	case "0A000": // by routine, for the text may be in any language
		return pg.Routine == "RevalidateCachedQuery"
	}
	return false
}
