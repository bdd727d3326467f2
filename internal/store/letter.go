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

// LetterIssue is a chase letter as it went out, without its file.
type LetterIssue struct {
	DepartmentID int64
	Month        landmark.Month
	Year         int // of IssuedOn
	Number       int // 0: it has none
	IssuedOn     landmark.Date
	Title        string
	Content      json.RawMessage // empty in a list
	SHA256       []byte
	IssuedBy     string
	IssuedAt     time.Time
}

// LetterDraft reads the office's texts for a chase letter; version 0 if there
// are none.
func (s *Store) LetterDraft(ctx context.Context, planID, departmentID int64, m landmark.Month) (BulletinDraft, error) {
	rows, err := s.db.Query(ctx, `
		SELECT version, texts, saved_by, saved_at
		FROM letter_draft
		WHERE plan_id = $1 AND department_id = $2 AND month = $3`, planID, departmentID, monthDate(m))
	if err != nil {
		return BulletinDraft{}, wrap(err, "read draft of a letter to department %d for %s", departmentID, m)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[BulletinDraft])
	if err != nil {
		return BulletinDraft{}, wrap(err, "read draft of a letter to department %d for %s", departmentID, m)
	}
	if len(all) == 0 {
		return BulletinDraft{Texts: map[string]string{}}, nil
	}
	return all[0], nil
}

// SaveLetterDraft replaces the office's texts for a chase letter and returns the
// new version. It returns a Conflict error unless the draft is still at version.
func (s *Store) SaveLetterDraft(ctx context.Context, planID, departmentID int64, m landmark.Month, version int, texts map[string]string, by landmark.Actor, now time.Time) (int, error) {
	if texts == nil {
		texts = map[string]string{}
	}
	write := `
		UPDATE letter_draft
		SET version = version + 1, texts = $5, account_id = $6, saved_by = $7, saved_at = $8
		WHERE plan_id = $1 AND department_id = $2 AND month = $3 AND version = $4`
	if version == 0 {
		write = `
			INSERT INTO letter_draft (plan_id, department_id, month, version, texts, account_id, saved_by, saved_at)
			VALUES ($1, $2, $3, $4 + 1, $5, $6, $7, $8)
			ON CONFLICT DO NOTHING`
	}
	tag, err := s.db.Exec(ctx, write, planID, departmentID, monthDate(m), version, texts, id(by.AccountID), by.Name, now)
	if err != nil {
		return 0, wrap(err, "save draft of a letter to department %d for %s", departmentID, m)
	}
	if tag.RowsAffected() != 1 {
		return 0, wrap(ErrStale, "save draft of a letter to department %d for %s at version %d", departmentID, m, version)
	}
	return version + 1, nil
}

const letterColumns = `department_id, month, year, coalesce(number, 0) AS number, issued_on, title, sha256, issued_by, issued_at`

type letterRow struct {
	DepartmentID int64
	Month        pgtype.Date
	Year, Number int
	IssuedOn     pgtype.Date
	Title        string
	SHA256       []byte `db:"sha256"`
	IssuedBy     string
	IssuedAt     time.Time
	Content      *string
}

func (row letterRow) issue() LetterIssue {
	l := LetterIssue{
		DepartmentID: row.DepartmentID, Month: dateMonth(row.Month), Year: row.Year, Number: row.Number, IssuedOn: dateDay(row.IssuedOn), Title: row.Title,
		SHA256: row.SHA256, IssuedBy: row.IssuedBy, IssuedAt: row.IssuedAt,
	}
	if row.Content != nil {
		l.Content = json.RawMessage(*row.Content)
	}
	return l
}

// LetterIssues are the chase letters of a month that went out, in that order,
// without their content.
func (s *Store) LetterIssues(ctx context.Context, planID int64, m landmark.Month) ([]LetterIssue, error) {
	rows, err := s.db.Query(ctx, `
		SELECT `+letterColumns+`, NULL AS content
		FROM letter_issue
		WHERE plan_id = $1 AND month = $2
		ORDER BY id`, planID, monthDate(m))
	if err != nil {
		return nil, wrap(err, "read letters of %s", m)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[letterRow])
	if err != nil {
		return nil, wrap(err, "read letters of %s", m)
	}
	out := make([]LetterIssue, len(all))
	for i, row := range all {
		out[i] = row.issue()
	}
	return out, nil
}

// LetterIssue reads a chase letter that went out. The error is NotFound where
// none did.
func (s *Store) LetterIssue(ctx context.Context, planID, departmentID int64, m landmark.Month) (LetterIssue, error) {
	rows, err := s.db.Query(ctx, `
		SELECT `+letterColumns+`, content::text AS content
		FROM letter_issue
		WHERE plan_id = $1 AND department_id = $2 AND month = $3`, planID, departmentID, monthDate(m))
	if err != nil {
		return LetterIssue{}, wrap(err, "read letter to department %d for %s", departmentID, m)
	}
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[letterRow])
	if err != nil {
		return LetterIssue{}, wrap(err, "read letter to department %d for %s", departmentID, m)
	}
	return row.issue(), nil
}

// LetterFile reads the file of a chase letter, as it went out.
func (s *Store) LetterFile(ctx context.Context, planID, departmentID int64, m landmark.Month) ([]byte, error) {
	var file []byte
	err := s.db.QueryRow(ctx, `
		SELECT file
		FROM letter_issue
		WHERE plan_id = $1 AND department_id = $2 AND month = $3`, planID, departmentID, monthDate(m)).Scan(&file)
	return file, wrap(err, "read file of the letter to department %d for %s", departmentID, m)
}

// NextLetterNumber is the number a city's next chase letter of a year gets, as
// with bulletins.
func (s *Store) NextLetterNumber(ctx context.Context, city string, year, used int) (int, error) {
	var n int
	err := s.db.QueryRow(ctx, `
		SELECT greatest(coalesce(max(l.number), 0), $3::int) + 1
		FROM letter_issue l JOIN plan p ON p.id = l.plan_id
		WHERE p.city = $1 AND l.year = $2`, city, year, used).Scan(&n)
	return n, wrap(err, "number a letter of %d", year)
}

// InsertLetter freezes a chase letter with its file. The error is Conflict if the
// department has one for the month or the number is taken.
func (s *Store) InsertLetter(ctx context.Context, planID int64, l LetterIssue, file []byte, by landmark.Actor) error {
	tag, err := s.db.Exec(ctx, `
		INSERT INTO letter_issue (plan_id, month, department_id, year, number, issued_on, title, content, file, sha256, account_id, issued_by, issued_at)
		VALUES ($1, $2, $3, $4, nullif($5::int, 0), $6, $7, $8, $9, $10, $11, $12, $13)`,
		planID, monthDate(l.Month), l.DepartmentID, l.Year, l.Number, dayDate(l.IssuedOn), l.Title, rawJSON(l.Content), file, l.SHA256,
		id(by.AccountID), l.IssuedBy, l.IssuedAt)
	if err != nil {
		return wrap(err, "issue letter to department %d for %s", l.DepartmentID, l.Month)
	}
	if tag.RowsAffected() != 1 {
		return fmt.Errorf("issue letter to department %d for %s: wrote %d rows", l.DepartmentID, l.Month, tag.RowsAffected())
	}
	return nil
}
