package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"landmark/internal/landmark"
)

// Session is one browser's time signed in.
type Session struct {
	TokenHash string
	AccountID int64
	Data      []byte
	Address   string
	Agent     string
	CreatedAt time.Time
	ExpiresAt time.Time
}

// Version names a state of the data: two reads that see the same version see the
// same data, and a later read never a smaller count. It leaves out what no page
// that is kept shows, see migrations/000017.
type Version struct {
	Place  string // which database, and since when it runs: elsewhere the count says nothing
	Writes int64  // transactions that changed the data
}

// Visitor is who a session belongs to, and what that person may do at this moment.
type Visitor struct {
	Session Session
	Account Account
}

// Visitors reads the sessions with these hashes that were not ended, and the
// version of the data, all in one statement. Whether a session has expired is for
// the caller to say.
func (s *Store) Visitors(ctx context.Context, tokenHashes []string) (Version, map[string]Visitor, error) {
	rows, err := s.db.Query(ctx, `
		SELECT v.place, v.writes,
			coalesce(s.token_hash, '') AS token_hash, s.data, s.created_at AS session_created_at, s.expires_at, `+userColumns+`
		FROM (
			SELECT concat(extract(epoch FROM pg_postmaster_start_time()), '/', 'data_version'::regclass::oid) AS place, sum(writes)::bigint AS writes
			FROM data_version
		) v
		LEFT JOIN session s ON s.token_hash = ANY($1) AND s.revoked_at IS NULL
		LEFT JOIN account a ON a.id = s.account_id
		LEFT JOIN department d ON d.id = a.department_id`, tokenHashes)
	if err != nil {
		return Version{}, nil, wrap(err, "read %d sessions", len(tokenHashes))
	}
	type row struct {
		Place            string
		Writes           int64
		TokenHash        string
		Data             []byte
		SessionCreatedAt pgtype.Timestamptz
		ExpiresAt        pgtype.Timestamptz
		userRow
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[row])
	if err != nil {
		return Version{}, nil, wrap(err, "read %d sessions", len(tokenHashes))
	}
	visitors := make(map[string]Visitor, len(found))
	for _, r := range found {
		if r.TokenHash == "" { // none of them lives: the version stands alone
			continue
		}
		a := r.account()
		visitors[r.TokenHash] = Visitor{Account: a, Session: Session{TokenHash: r.TokenHash, AccountID: a.User.ID, Data: r.Data,
			CreatedAt: r.SessionCreatedAt.Time, ExpiresAt: r.ExpiresAt.Time}}
	}
	if len(found) == 0 {
		return Version{}, nil, fmt.Errorf("read %d sessions: no version", len(tokenHashes))
	}
	return Version{found[0].Place, found[0].Writes}, visitors, nil
}

// SaveSession stores a session or what changed in it. One that was ended stays
// ended, whatever a request still under way has to save.
func (s *Store) SaveSession(ctx context.Context, v Session) error {
	_, err := s.db.Exec(ctx, `
		INSERT INTO session (token_hash, account_id, data, address, agent, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (token_hash) DO UPDATE
		SET account_id = excluded.account_id, data = excluded.data, expires_at = excluded.expires_at
		WHERE session.revoked_at IS NULL`,
		v.TokenHash, id(v.AccountID), v.Data, v.Address, v.Agent, v.CreatedAt, v.ExpiresAt)
	return wrap(err, "save session")
}

// ExtendSessions moves the ends of living sessions, by hash, and never back.
func (s *Store) ExtendSessions(ctx context.Context, ends map[string]time.Time) error {
	// In one order everywhere, so that two programs do not wait for each other's rows.
	hashes := slices.Sorted(maps.Keys(ends))
	times := make([]time.Time, len(hashes))
	for i, h := range hashes {
		times[i] = ends[h]
	}
	_, err := s.db.Exec(ctx, `
		UPDATE session
		SET expires_at = u.until
		FROM (
			SELECT s.token_hash, u.until
			FROM unnest($1::text[], $2::timestamptz[]) AS u (token_hash, until)
			JOIN session s ON s.token_hash = u.token_hash
			WHERE s.revoked_at IS NULL AND s.expires_at < u.until
			ORDER BY s.token_hash
			FOR UPDATE OF s
		) u
		WHERE session.token_hash = u.token_hash`, hashes, times)
	return wrap(err, "extend %d sessions", len(ends))
}

// EndSession ends one session for good. One that does not exist is no error.
func (s *Store) EndSession(ctx context.Context, tokenHash string, at time.Time) error {
	_, err := s.db.Exec(ctx, `
		UPDATE session
		SET revoked_at = $2
		WHERE token_hash = $1 AND revoked_at IS NULL`, tokenHash, at)
	return wrap(err, "end session")
}

// EndSessionOf ends the session of an account whose hash begins with prefix,
// which is how the account's page names it. The error is NotFound.
func (s *Store) EndSessionOf(ctx context.Context, accountID int64, prefix string, at time.Time) error {
	tag, err := s.db.Exec(ctx, `
		UPDATE session
		SET revoked_at = $3
		WHERE account_id = $1 AND starts_with(token_hash, $2) AND revoked_at IS NULL`, accountID, prefix, at)
	if err != nil {
		return wrap(err, "end session of account %d", accountID)
	}
	if tag.RowsAffected() == 0 {
		return wrap(landmark.Errorf(landmark.NotFound, "", "这个登录已经结束了"), "end session of account %d", accountID)
	}
	return nil
}

// EndSessions ends all sessions of an account but the newest keep of them and
// the one with hash except. It returns how many it ended.
func (s *Store) EndSessions(ctx context.Context, accountID int64, keep int, except string, at time.Time) (int, error) {
	tag, err := s.db.Exec(ctx, `
		UPDATE session
		SET revoked_at = $4
		WHERE token_hash IN (
			SELECT token_hash
			FROM session
			WHERE account_id = $1 AND revoked_at IS NULL AND expires_at > $4 AND token_hash <> $3
			ORDER BY created_at DESC, token_hash
			OFFSET $2
		) AND revoked_at IS NULL`, accountID, keep, except, at)
	if err != nil {
		return 0, wrap(err, "end sessions of account %d", accountID)
	}
	return int(tag.RowsAffected()), nil
}

// Sessions lists an account's living sessions, newest first.
func (s *Store) Sessions(ctx context.Context, accountID int64, now time.Time) ([]Session, error) {
	rows, err := s.db.Query(ctx, `
		SELECT token_hash, account_id, data, address, agent, created_at, expires_at
		FROM session
		WHERE account_id = $1 AND revoked_at IS NULL AND expires_at > $2
		ORDER BY created_at DESC, token_hash`, accountID, now)
	if err != nil {
		return nil, wrap(err, "list sessions of account %d", accountID)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[Session])
	return found, wrap(err, "list sessions of account %d", accountID)
}

// SweepSignIns removes sessions that ended and failures that happened before a
// moment long enough ago that no request from then can be under way.
func (s *Store) SweepSignIns(ctx context.Context, before time.Time) error {
	b := &pgx.Batch{}
	cut := pgtype.Timestamptz{Time: before, Valid: true}
	b.Queue(`DELETE FROM session WHERE expires_at < $1`, cut)
	b.Queue(`DELETE FROM sign_in_failure WHERE at < $1`, cut)
	b.Queue(`DELETE FROM provider_sign_in WHERE at < $1`, cut)
	return wrap(s.db.SendBatch(ctx, b).Close(), "sweep sign-ins")
}
