package store

import (
	"context"
	"crypto/tls"
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
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrAway) || pgconn.Timeout(err) {
		return true
	}
	// Nothing was sent, as on a connection that broke a moment before: what a
	// rollback answers when the server has just gone.
	if pgconn.SafeToRetry(err) {
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
		return passing(pg.Code)
	}
	_, network := errors.AsType[net.Error](err)
	return network || errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
}

// RefusesWrites says whether a server refused to write because it may only be read.
func RefusesWrites(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pg.Code == "25006"
}

// Away says whether nobody answered a connection attempt, or one that is only
// just starting or stopping: waiting may help. A server that answers and says no
// (password, database, role, TLS) is not away: its address is wrong.
func Away(err error) bool {
	if err == nil {
		return false
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok || strings.Contains(err.Error(), "refused TLS") {
		return false
	}
	// Each address was tried in turn, some with and without TLS: one plain no counts.
	for _, e := range tried(err) {
		if pg, ok := errors.AsType[*pgconn.PgError](e); ok && !passing(pg.Code) {
			return false
		}
	}
	return Unavailable(err) && !errors.Is(err, context.Canceled)
}

// tried are the errors that were joined into one.
func tried(err error) []error {
	switch e := err.(type) {
	case interface{ Unwrap() []error }:
		var all []error
		for _, one := range e.Unwrap() {
			all = append(all, tried(one)...)
		}
		return all
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			return tried(inner)
		}
	}
	return []error{err}
}

// passing are the server's errors that tell of the moment and not of the request:
// 08 connection, 53 out of resources, 57P the server is stopping or starting.
func passing(code string) bool {
	return strings.HasPrefix(code, "08") || strings.HasPrefix(code, "53") || strings.HasPrefix(code, "57P")
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
