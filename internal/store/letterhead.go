package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"landmark/internal/landmark"
)

// Letterhead reads what a plan's papers carry: what was saved last for it; before
// that, what was saved last for another plan of the same city, or the default.
func (s *Store) Letterhead(ctx context.Context, plan *landmark.Plan) (landmark.Letterhead, error) {
	rows, err := s.db.Query(ctx, `
		SELECT CASE WHEN h.plan_id = $1 THEN h.version ELSE 0 END AS version, h.org, h.sign, h.bulletin_number, h.letter_number,
			h.bulletin_used, h.letter_used, h.used_year, h.addressee, h.copies, h.printer, h.contact, h.saved_by, h.saved_at
		FROM letterhead h JOIN plan p ON p.id = h.plan_id
		WHERE h.plan_id = $1 OR p.city = $2
		ORDER BY h.plan_id = $1 DESC, h.saved_at DESC, h.version DESC
		LIMIT 1`, plan.ID, plan.City)
	if err != nil {
		return landmark.Letterhead{}, wrap(err, "read letterhead of plan %d", plan.ID)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[landmark.Letterhead])
	if err != nil {
		return landmark.Letterhead{}, wrap(err, "read letterhead of plan %d", plan.ID)
	}
	if len(all) == 0 {
		return landmark.DefaultLetterhead(plan.City), nil
	}
	return all[0], nil
}

// SaveLetterhead adds what holds for a plan's papers from now on. It returns a
// Conflict error unless h.Version is the newest one's: of two people changing
// it, the second is told.
func (s *Store) SaveLetterhead(ctx context.Context, planID int64, h landmark.Letterhead, by landmark.Actor, now time.Time) error {
	tag, err := s.db.Exec(ctx, `
		INSERT INTO letterhead (plan_id, version, org, sign, bulletin_number, letter_number, bulletin_used, letter_used, used_year,
			addressee, copies, printer, contact, account_id, saved_by, saved_at)
		SELECT $1::bigint, $2::int + 1, $3, $4, $5, $6, $7::int, $8::int, $9::int, $10, $11, $12, $13, $14::bigint, $15, $16::timestamptz
		WHERE $2 = (SELECT coalesce(max(version), 0) FROM letterhead WHERE plan_id = $1)
		ON CONFLICT DO NOTHING`,
		planID, h.Version, h.Org, h.Sign, h.BulletinNumber, h.LetterNumber, h.BulletinUsed, h.LetterUsed, h.UsedYear,
		h.Addressee, h.Copies, h.Printer, h.Contact, id(by.AccountID), by.Name, now)
	if err != nil {
		return wrap(err, "save letterhead of plan %d", planID)
	}
	if tag.RowsAffected() != 1 {
		return wrap(landmark.Errorf(landmark.Conflict, "", "发文设置刚被别人改动过,请对照现在的内容再保存"), "save letterhead of plan %d at version %d", planID, h.Version)
	}
	return nil
}
