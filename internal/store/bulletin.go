package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"landmark/internal/landmark"
)

// BulletinDraft is what the office has written into a month's bulletin.
type BulletinDraft struct {
	Version int // counts saves; 0 when nobody has written anything
	Texts   map[string]string
	SavedBy string
	SavedAt time.Time
}

// BulletinIssue is an issued bulletin, without its file.
type BulletinIssue struct {
	ID       int64
	Month    landmark.Month
	Year     int // of IssuedOn
	Number   int
	Printed  string // the number as it stands in the text
	IssuedOn landmark.Date
	AsOf     time.Time
	Title    string
	Content  json.RawMessage // empty in a list
	SHA256   []byte
	IssuedBy string
	IssuedAt time.Time
}

// BulletinDraft reads the office's texts for a month's bulletin; version 0 if
// there are none.
func (s *Store) BulletinDraft(ctx context.Context, planID int64, m landmark.Month) (BulletinDraft, error) {
	rows, err := s.db.Query(ctx, `
		SELECT version, texts, saved_by, saved_at
		FROM bulletin_draft
		WHERE plan_id = $1 AND month = $2`, planID, monthDate(m))
	if err != nil {
		return BulletinDraft{}, wrap(err, "read bulletin draft %s", m)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[BulletinDraft])
	if err != nil {
		return BulletinDraft{}, wrap(err, "read bulletin draft %s", m)
	}
	if len(all) == 0 {
		return BulletinDraft{Texts: map[string]string{}}, nil
	}
	return all[0], nil
}

// SaveBulletinDraft replaces the office's texts for a month and returns the new
// version. It returns a Conflict error unless the draft is still at version: of
// two people editing, the second is told.
func (s *Store) SaveBulletinDraft(ctx context.Context, planID int64, m landmark.Month, version int, texts map[string]string, by landmark.Actor, now time.Time) (int, error) {
	if texts == nil {
		texts = map[string]string{}
	}
	write := `
		UPDATE bulletin_draft
		SET version = version + 1, texts = $4, account_id = $5, saved_by = $6, saved_at = $7
		WHERE plan_id = $1 AND month = $2 AND version = $3`
	if version == 0 {
		write = `
			INSERT INTO bulletin_draft (plan_id, month, version, texts, account_id, saved_by, saved_at)
			VALUES ($1, $2, $3 + 1, $4, $5, $6, $7)
			ON CONFLICT DO NOTHING`
	}
	tag, err := s.db.Exec(ctx, write, planID, monthDate(m), version, texts, id(by.AccountID), by.Name, now)
	if err != nil {
		return 0, wrap(err, "save bulletin draft %s", m)
	}
	if tag.RowsAffected() != 1 {
		return 0, wrap(ErrStale, "save bulletin draft %s at version %d", m, version)
	}
	return version + 1, nil
}

// bulletinLock is the first half of the advisory lock that keeps two people from
// issuing at once; the second is the city.
const bulletinLock = 7_202_306

// LockBulletins waits until nobody else issues a paper of the city: its plans
// share their numbers. It holds to the end of the transaction.
func (s *Store) LockBulletins(ctx context.Context, city string) error {
	_, err := s.db.Exec(ctx, `SELECT pg_advisory_xact_lock($1, hashtext($2))`, bulletinLock, city)
	return wrap(err, "lock the bulletins of %s", city)
}

const bulletinColumns = `id, month, year, number, issued_on, as_of, title, sha256, issued_by, issued_at,
	coalesce((SELECT b->>'text' FROM json_array_elements(content->'blocks') b WHERE b->>'key' = 'issue'), '') AS printed`

type bulletinRow struct {
	ID       int64
	Month    pgtype.Date
	Year     int
	Number   int
	Printed  string
	IssuedOn pgtype.Date
	AsOf     time.Time
	Title    string
	SHA256   []byte `db:"sha256"`
	IssuedBy string
	IssuedAt time.Time
	Content  *string
}

func (row bulletinRow) issue() BulletinIssue {
	b := BulletinIssue{
		ID: row.ID, Month: dateMonth(row.Month), Year: row.Year, Number: row.Number, Printed: row.Printed, IssuedOn: dateDay(row.IssuedOn), AsOf: row.AsOf, Title: row.Title,
		SHA256: row.SHA256, IssuedBy: row.IssuedBy, IssuedAt: row.IssuedAt,
	}
	if row.Content != nil {
		b.Content = json.RawMessage(*row.Content)
	}
	return b
}

// BulletinIssues are the bulletins of a plan issued by asOf, newest first,
// without their content. The zero time is now.
func (s *Store) BulletinIssues(ctx context.Context, planID int64, asOf time.Time) ([]BulletinIssue, error) {
	rows, err := s.db.Query(ctx, `
		SELECT `+bulletinColumns+`, NULL AS content
		FROM bulletin_issue
		WHERE plan_id = $1 AND issued_at <= $2
		ORDER BY id DESC`, planID, moment(asOf))
	if err != nil {
		return nil, wrap(err, "read bulletins of plan %d", planID)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[bulletinRow])
	if err != nil {
		return nil, wrap(err, "read bulletins of plan %d", planID)
	}
	out := make([]BulletinIssue, len(all))
	for i, row := range all {
		out[i] = row.issue()
	}
	return out, nil
}

// BulletinIssue reads a month's issued bulletin. The error is NotFound where it
// is not issued yet.
func (s *Store) BulletinIssue(ctx context.Context, planID int64, m landmark.Month) (BulletinIssue, error) {
	return s.oneBulletin(ctx, m.String(), `plan_id = $1 AND month = $2`, planID, monthDate(m))
}

// LastBulletinIssue reads the bulletin issued last. The error is NotFound before
// the first.
func (s *Store) LastBulletinIssue(ctx context.Context, planID int64) (BulletinIssue, error) {
	return s.oneBulletin(ctx, "last", `id = (SELECT max(id) FROM bulletin_issue WHERE plan_id = $1)`, planID)
}

func (s *Store) oneBulletin(ctx context.Context, what, where string, args ...any) (BulletinIssue, error) {
	rows, err := s.db.Query(ctx, `SELECT `+bulletinColumns+`, content::text AS content FROM bulletin_issue WHERE `+where, args...)
	if err != nil {
		return BulletinIssue{}, wrap(err, "read bulletin %s", what)
	}
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[bulletinRow])
	if err != nil {
		return BulletinIssue{}, wrap(err, "read bulletin %s", what)
	}
	return row.issue(), nil
}

// BulletinFile reads the file of a month's issued bulletin, as it went out.
func (s *Store) BulletinFile(ctx context.Context, planID int64, m landmark.Month) ([]byte, error) {
	var file []byte
	err := s.db.QueryRow(ctx, `SELECT file FROM bulletin_issue WHERE plan_id = $1 AND month = $2`, planID, monthDate(m)).Scan(&file)
	return file, wrap(err, "read bulletin file %s", m)
}

// NextBulletinNumber is the number a city's next bulletin of a year gets: one
// more than the highest issued under any of its plans, and than used. December's
// goes out in January, when the next plan's may follow.
func (s *Store) NextBulletinNumber(ctx context.Context, city string, year, used int) (int, error) {
	var n int
	err := s.db.QueryRow(ctx, `
		SELECT greatest(coalesce(max(b.number), 0), $3::int) + 1
		FROM bulletin_issue b JOIN plan p ON p.id = b.plan_id
		WHERE p.city = $1 AND b.year = $2`, city, year, used).Scan(&n)
	return n, wrap(err, "number a bulletin of %d", year)
}

// InsertBulletin freezes a bulletin with its file. The error is Conflict if the
// month has one or the number is taken.
func (s *Store) InsertBulletin(ctx context.Context, planID int64, b BulletinIssue, file []byte, by landmark.Actor) error {
	tag, err := s.db.Exec(ctx, `
		INSERT INTO bulletin_issue (plan_id, month, year, number, issued_on, as_of, title, content, file, sha256, account_id, issued_by, issued_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		planID, monthDate(b.Month), b.Year, b.Number, dayDate(b.IssuedOn), b.AsOf, b.Title, rawJSON(b.Content), file, b.SHA256,
		id(by.AccountID), b.IssuedBy, b.IssuedAt)
	if err != nil {
		return wrap(err, "issue bulletin %s", b.Month)
	}
	if tag.RowsAffected() != 1 {
		return fmt.Errorf("issue bulletin %s: wrote %d rows", b.Month, tag.RowsAffected())
	}
	return nil
}
