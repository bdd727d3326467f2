package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"landmark/internal/landmark"
)

// NoPassword is the hash of an account nobody signs in to by password.
const NoPassword = "!"

// Account is a user with what signing in needs.
type Account struct {
	User      landmark.User
	Hash      string // argon2id with its parameters, or NoPassword
	ChangedAt time.Time
	Demo      bool // one of the demo's: entered without a password
}

// userColumns are read into a userRow; a is the account, d its department.
const userColumns = `a.id, a.name, a.display_name, a.role, a.department_id, a.must_change, a.demo, a.disabled_at, a.created_at, a.password_hash, a.password_changed_at, a.totp_since, a.email,
	d.slug AS department_slug, d.name AS department_name, d.sort AS department_sort, d.collective AS department_collective, d.sign_off_required AS department_sign_off`

// userRow has nullable columns throughout, as a session may have no account
// and an account no department.
type userRow struct {
	ID                   pgtype.Int8
	Name                 pgtype.Text
	DisplayName          pgtype.Text
	Role                 pgtype.Text
	DepartmentID         pgtype.Int8
	MustChange           pgtype.Bool
	Demo                 pgtype.Bool
	DisabledAt           pgtype.Timestamptz
	CreatedAt            pgtype.Timestamptz
	PasswordHash         pgtype.Text
	PasswordChangedAt    pgtype.Timestamptz
	TotpSince            pgtype.Timestamptz
	Email                pgtype.Text
	DepartmentSlug       pgtype.Text
	DepartmentName       pgtype.Text
	DepartmentSort       pgtype.Int4
	DepartmentCollective pgtype.Bool
	DepartmentSignOff    pgtype.Bool
}

func (r userRow) account() Account {
	return Account{
		User: landmark.User{
			ID: r.ID.Int64, Name: r.Name.String, DisplayName: r.DisplayName.String, Role: landmark.Role(r.Role.String),
			DepartmentID: r.DepartmentID.Int64,
			Department: landmark.Department{ID: r.DepartmentID.Int64, Slug: r.DepartmentSlug.String, Name: r.DepartmentName.String,
				Sort: int(r.DepartmentSort.Int32), Collective: r.DepartmentCollective.Bool, SignOffRequired: r.DepartmentSignOff.Bool},
			MustChange: r.MustChange.Bool, SecondFactor: r.TotpSince.Valid, Email: r.Email.String, Disabled: r.DisabledAt.Valid, CreatedAt: r.CreatedAt.Time,
		},
		Hash: r.PasswordHash.String, ChangedAt: r.PasswordChangedAt.Time, Demo: r.Demo.Bool,
	}
}

// Accounts lists all accounts by role and name.
func (s *Store) Accounts(ctx context.Context) ([]Account, error) {
	rows, err := s.db.Query(ctx, `
		SELECT `+userColumns+`
		FROM account a
		LEFT JOIN department d ON d.id = a.department_id
		ORDER BY array_position(ARRAY['office', 'leader', 'reporter', 'viewer'], a.role), d.sort, a.name`)
	if err != nil {
		return nil, wrap(err, "list accounts")
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[userRow])
	if err != nil {
		return nil, wrap(err, "list accounts")
	}
	accounts := make([]Account, len(found))
	for i, r := range found {
		accounts[i] = r.account()
	}
	return accounts, nil
}

// Account finds an account by the name it signs in with. The error is NotFound.
func (s *Store) Account(ctx context.Context, name string) (Account, error) {
	rows, err := s.db.Query(ctx, `
		SELECT `+userColumns+`
		FROM account a
		LEFT JOIN department d ON d.id = a.department_id
		WHERE a.name = $1`, name)
	if err != nil {
		return Account{}, wrap(err, "find account %q", name)
	}
	r, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[userRow])
	if err != nil {
		err = wrap(err, "find account %q", name)
		if landmark.KindOf(err) == landmark.NotFound {
			return Account{}, fmt.Errorf("find account: %w", landmark.Errorf(landmark.NotFound, "name", "没有叫“%s”的账号", name))
		}
		return Account{}, err
	}
	return r.account(), nil
}

// InsertAccount adds an account and returns its number. Of a.User it takes
// name, display name, role, department and whether the password must be
// changed. It returns an Invalid error for a name that is taken or malformed.
func (s *Store) InsertAccount(ctx context.Context, a Account, at time.Time) (int64, error) {
	var number int64
	err := s.db.QueryRow(ctx, `
		INSERT INTO account (name, display_name, role, department_id, password_hash, must_change, demo, created_at, password_changed_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
		RETURNING id`,
		a.User.Name, a.User.DisplayName, string(a.User.Role), id(a.User.DepartmentID), a.Hash, a.User.MustChange, a.Demo, at).Scan(&number)
	return number, wrap(err, "insert account %q", a.User.Name)
}

// SetPassword replaces a password hash, provided it is still the old one, and
// ends every session of the account but the one with hash except. It returns a
// Conflict error if somebody changed the password meanwhile.
func (s *Store) SetPassword(ctx context.Context, accountID int64, old, hash string, mustChange bool, except string, at time.Time) error {
	tag, err := s.db.Exec(ctx, `
		WITH changed AS (
			UPDATE account
			SET password_hash = $3, must_change = $4, password_changed_at = $6
			WHERE id = $1 AND password_hash = $2
			RETURNING id
		), ended AS (
			UPDATE session
			SET revoked_at = $6
			WHERE account_id IN (SELECT id FROM changed) AND revoked_at IS NULL AND token_hash <> $5
		)
		SELECT id FROM changed`,
		accountID, old, hash, mustChange, except, at)
	if err != nil {
		return wrap(err, "set password of account %d", accountID)
	}
	if tag.RowsAffected() != 1 {
		return wrap(ErrStale, "set password of account %d", accountID)
	}
	return nil
}

// FormerPasswords are the hashes of an account's last passwords before the present
// one, as far as they were kept, newest first.
func (s *Store) FormerPasswords(ctx context.Context, accountID int64, most int) ([]string, error) {
	rows, err := s.db.Query(ctx, `
		SELECT password_hash
		FROM password_history
		WHERE account_id = $1
		ORDER BY id DESC
		LIMIT $2`, accountID, most)
	if err != nil {
		return nil, wrap(err, "former passwords of account %d", accountID)
	}
	hashes, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return hashes, wrap(err, "former passwords of account %d", accountID)
}

// KeepFormerPassword adds a hash that was just replaced, and forgets all of the
// account's but the newest most.
func (s *Store) KeepFormerPassword(ctx context.Context, accountID int64, hash string, most int, at time.Time) error {
	_, err := s.db.Exec(ctx, `
		INSERT INTO password_history (account_id, password_hash, replaced_at)
		VALUES ($1, $2, $3)`, accountID, hash, at)
	if err != nil {
		return wrap(err, "keep former password of account %d", accountID)
	}
	_, err = s.db.Exec(ctx, `
		DELETE FROM password_history
		WHERE account_id = $1
		AND id NOT IN (SELECT id FROM password_history WHERE account_id = $1 ORDER BY id DESC LIMIT $2)`, accountID, most)
	return wrap(err, "forget former passwords of account %d", accountID)
}

// Rehash replaces a hash by another of the same password, provided it is still
// the old one. Losing that race to a real change is no error.
func (s *Store) Rehash(ctx context.Context, accountID int64, old, hash string) error {
	_, err := s.db.Exec(ctx, `
		UPDATE account
		SET password_hash = $3
		WHERE id = $1 AND password_hash = $2`, accountID, old, hash)
	return wrap(err, "rehash password of account %d", accountID)
}

// SetDisabled shuts an account, ending its sessions in the same statement, or
// opens it again.
func (s *Store) SetDisabled(ctx context.Context, accountID int64, disabled bool, at time.Time) error {
	tag, err := s.db.Exec(ctx, `
		WITH changed AS (
			UPDATE account
			SET disabled_at = CASE WHEN $2 THEN coalesce(disabled_at, $3) END
			WHERE id = $1
			RETURNING id
		), ended AS (
			UPDATE session
			SET revoked_at = $3
			WHERE $2 AND account_id IN (SELECT id FROM changed) AND revoked_at IS NULL
		)
		SELECT id FROM changed`, accountID, disabled, at)
	if err != nil {
		return wrap(err, "disable account %d: %t", accountID, disabled)
	}
	if tag.RowsAffected() != 1 {
		return wrap(pgx.ErrNoRows, "disable account %d: %t", accountID, disabled)
	}
	return nil
}

// UpdateAccount sets an account's display name, role and department. Rights
// are read with every request, so the change holds from the next one on.
func (s *Store) UpdateAccount(ctx context.Context, u landmark.User) error {
	tag, err := s.db.Exec(ctx, `
		UPDATE account
		SET display_name = $2, role = $3, department_id = $4
		WHERE id = $1`, u.ID, u.DisplayName, string(u.Role), id(u.DepartmentID))
	if err != nil {
		return wrap(err, "update account %d", u.ID)
	}
	if tag.RowsAffected() != 1 {
		return wrap(pgx.ErrNoRows, "update account %d", u.ID)
	}
	return nil
}

// SignInLimits say how many failures a window may hold.
type SignInLimits struct {
	Window     time.Duration
	PerAccount int // of one account name from one address
	PerAddress int // from one address, whatever the names
}

// TrySignIn counts an attempt before its password is looked at, and says
// whether it may go on. Attempts from one address come one after the other
// here, so that many at once are counted as exactly as few.
func (s *Store) TrySignIn(ctx context.Context, name, address string, l SignInLimits, at time.Time) (bool, error) {
	const signInLock = 7101
	may := false
	err := s.Tx(ctx, func(s *Store) error {
		if _, err := s.db.Exec(ctx, "SELECT pg_advisory_xact_lock($1, hashtext($2))", signInLock, address); err != nil {
			return err
		}
		tag, err := s.db.Exec(ctx, `
			INSERT INTO sign_in_failure (name, address, at)
			SELECT $1, $2, $3
			WHERE (SELECT count(*) FROM sign_in_failure WHERE name = $1 AND address = $2 AND at > $4 AND at <= $3) < $5
			AND (SELECT count(*) FROM sign_in_failure WHERE address = $2 AND at > $4 AND at <= $3) < $6`,
			name, address, at, at.Add(-l.Window), l.PerAccount, l.PerAddress)
		may = err == nil && tag.RowsAffected() == 1
		return err
	})
	return may, wrap(err, "count sign-in")
}

// SignedIn takes back what TrySignIn counted for a name and address, as the
// password was right after all.
func (s *Store) SignedIn(ctx context.Context, name, address string) error {
	_, err := s.db.Exec(ctx, `DELETE FROM sign_in_failure WHERE name = $1 AND address = $2`, name, address)
	return wrap(err, "forget failed sign-ins")
}
