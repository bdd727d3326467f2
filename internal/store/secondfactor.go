package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// SecondFactor is what an account has besides its password. Its zero value is
// nothing at all.
type SecondFactor struct {
	Secret []byte    // the authenticator's, sealed
	Since  time.Time // zero while the secret waits for its first code
	Step   int64     // of the last code that was taken
	Codes  int       // recovery codes not used yet
}

// SecondFactor reads an account's. The error is NotFound.
func (s *Store) SecondFactor(ctx context.Context, accountID int64) (SecondFactor, error) {
	rows, err := s.db.Query(ctx, `
		SELECT totp_secret, totp_since, totp_step, cardinality(recovery_codes) AS codes
		FROM account
		WHERE id = $1`, accountID)
	if err != nil {
		return SecondFactor{}, wrap(err, "read second factor of account %d", accountID)
	}
	r, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[struct {
		TotpSecret []byte
		TotpSince  pgtype.Timestamptz
		TotpStep   int64
		Codes      int
	}])
	if err != nil {
		return SecondFactor{}, wrap(err, "read second factor of account %d", accountID)
	}
	return SecondFactor{Secret: r.TotpSecret, Since: r.TotpSince.Time, Step: r.TotpStep, Codes: r.Codes}, nil
}

// SetPendingSecret stores an authenticator's sealed secret, which counts for
// nothing until EnableSecondFactor. The error is Conflict where one counts already.
func (s *Store) SetPendingSecret(ctx context.Context, accountID int64, secret []byte) error {
	return s.changeAccount(ctx, "prepare second factor", accountID, `
		UPDATE account
		SET totp_secret = $2
		WHERE id = $1 AND totp_since IS NULL`, secret)
}

// EnableSecondFactor makes the pending secret count, whose code of a step was
// shown to be known, with hashes of recovery codes. The error is Conflict if it
// counts already or is another secret by now.
func (s *Store) EnableSecondFactor(ctx context.Context, accountID int64, secret []byte, step int64, codes []string, at time.Time) error {
	return s.changeAccount(ctx, "enable second factor", accountID, `
		UPDATE account
		SET totp_since = $5, totp_step = $3, recovery_codes = $4
		WHERE id = $1 AND totp_since IS NULL AND totp_secret = $2`, secret, step, codes, at)
}

// DisableSecondFactor takes secret and recovery codes away. The error is Conflict
// if there are none.
func (s *Store) DisableSecondFactor(ctx context.Context, accountID int64) error {
	return s.changeAccount(ctx, "disable second factor", accountID, `
		UPDATE account
		SET totp_secret = NULL, totp_since = NULL, totp_step = 0, recovery_codes = '{}'
		WHERE id = $1 AND totp_since IS NOT NULL`)
}

// SetRecoveryCodes replaces the hashes of an account's recovery codes. The error
// is Conflict if it has no second factor.
func (s *Store) SetRecoveryCodes(ctx context.Context, accountID int64, codes []string) error {
	return s.changeAccount(ctx, "set recovery codes", accountID, `
		UPDATE account
		SET recovery_codes = $2
		WHERE id = $1 AND totp_since IS NOT NULL`, codes)
}

func (s *Store) changeAccount(ctx context.Context, what string, accountID int64, sql string, args ...any) error {
	tag, err := s.db.Exec(ctx, sql, append([]any{accountID}, args...)...)
	if err != nil {
		return wrap(err, "%s of account %d", what, accountID)
	}
	if tag.RowsAffected() != 1 {
		return wrap(ErrStale, "%s of account %d", what, accountID)
	}
	return nil
}

// TakeCode takes the authenticator's code of a step, and says whether it could
// still be taken: each counts once, and none after a later one, however many
// programs are asked at once.
func (s *Store) TakeCode(ctx context.Context, accountID, step int64) (bool, error) {
	tag, err := s.db.Exec(ctx, `
		UPDATE account
		SET totp_step = $2
		WHERE id = $1 AND totp_since IS NOT NULL AND totp_step < $2`, accountID, step)
	return err == nil && tag.RowsAffected() == 1, wrap(err, "take code of account %d", accountID)
}

// TakeRecoveryCode takes the recovery code with a hash, and says whether there
// was one.
func (s *Store) TakeRecoveryCode(ctx context.Context, accountID int64, hash string) (bool, error) {
	tag, err := s.db.Exec(ctx, `
		UPDATE account
		SET recovery_codes = array_remove(recovery_codes, $2)
		WHERE id = $1 AND totp_since IS NOT NULL AND $2 = ANY (recovery_codes)`, accountID, hash)
	return err == nil && tag.RowsAffected() == 1, wrap(err, "take recovery code of account %d", accountID)
}
