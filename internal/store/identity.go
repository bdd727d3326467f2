package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"landmark/internal/landmark"
)

// Identity is who an account is for an OpenID Connect provider.
type Identity struct {
	Issuer, Subject string
	LinkedAt        time.Time
}

// AccountByIdentity finds the account of an identity. The error is NotFound.
func (s *Store) AccountByIdentity(ctx context.Context, issuer, subject string) (Account, error) {
	rows, err := s.db.Query(ctx, `
		SELECT `+userColumns+`
		FROM account_identity i
		JOIN account a ON a.id = i.account_id
		LEFT JOIN department d ON d.id = a.department_id
		WHERE i.issuer = $1 AND i.subject = $2`, issuer, subject)
	if err != nil {
		return Account{}, wrap(err, "find account by identity")
	}
	r, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[userRow])
	if err != nil {
		return Account{}, wrap(err, "find account by identity")
	}
	return r.account(), nil
}

// Identities lists an account's, oldest first.
func (s *Store) Identities(ctx context.Context, accountID int64) ([]Identity, error) {
	rows, err := s.db.Query(ctx, `
		SELECT issuer, subject, linked_at
		FROM account_identity
		WHERE account_id = $1
		ORDER BY linked_at, issuer, subject`, accountID)
	if err != nil {
		return nil, wrap(err, "list identities of account %d", accountID)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[Identity])
	return found, wrap(err, "list identities of account %d", accountID)
}

// InsertIdentity gives an account an identity. The error is Invalid for one that
// is another's.
func (s *Store) InsertIdentity(ctx context.Context, accountID int64, i Identity) error {
	_, err := s.db.Exec(ctx, `
		INSERT INTO account_identity (issuer, subject, account_id, linked_at)
		VALUES ($1, $2, $3, $4)`, i.Issuer, i.Subject, accountID, i.LinkedAt)
	return wrap(err, "insert identity of account %d", accountID)
}

// DeleteIdentity takes an identity from an account. The error is NotFound.
func (s *Store) DeleteIdentity(ctx context.Context, accountID int64, issuer, subject string) error {
	tag, err := s.db.Exec(ctx, `
		DELETE FROM account_identity
		WHERE account_id = $1 AND issuer = $2 AND subject = $3`, accountID, issuer, subject)
	if err != nil {
		return wrap(err, "delete identity of account %d", accountID)
	}
	if tag.RowsAffected() != 1 {
		return fmt.Errorf("delete identity of account %d: %w", accountID, landmark.Errorf(landmark.NotFound, "subject", "这个账号没有这个关联"))
	}
	return nil
}

// TakeProviderSignIn marks a provider's answer as used, and says whether it was
// not before.
func (s *Store) TakeProviderSignIn(ctx context.Context, stateHash string, at time.Time) (bool, error) {
	tag, err := s.db.Exec(ctx, `
		INSERT INTO provider_sign_in (state_hash, at)
		VALUES ($1, $2)
		ON CONFLICT DO NOTHING`, stateHash, at)
	return err == nil && tag.RowsAffected() == 1, wrap(err, "take provider's answer")
}
