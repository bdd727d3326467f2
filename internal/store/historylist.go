package store

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"

	"landmark/internal/landmark"
)

// HistoryFilter narrows the history. Zero values do not narrow.
type HistoryFilter struct {
	PlanID       int64 // entries of this plan, and those of none
	Person       string
	DepartmentID int64
	IndicatorID  int64
	ProjectID    int64
	Month        landmark.Month
	Act          string
	Before       int64     // entries older than this one
	AsOf         time.Time // entries there were at that moment
}

// HistoryLine is an entry with its seal in the chain, empty until it has one.
type HistoryLine struct {
	landmark.HistoryEntry
	Hash string // hexadecimal
}

// narrowed is the condition of each part of the history: what belongs to a plan,
// what to none. Each part is read backwards by its index until there are enough.
const narrowed = `
		AND ($2 = '' OR h.actor = $2 OR h.account_id = (SELECT id FROM account WHERE name = $2))
		AND ($3::bigint IS NULL OR h.department_id = $3)
		AND ($4::bigint IS NULL OR h.indicator_id = $4)
		AND ($5::bigint IS NULL OR h.project_id = $5)
		AND ($6::date IS NULL OR h.month = $6)
		AND ($7 = '' OR h.act = $7)
		AND ($8::bigint IS NULL OR h.id < $8)
		AND h.recorded_at <= $9
		ORDER BY h.id DESC
		LIMIT $10`

// History reads up to limit entries, newest first.
func (s *Store) History(ctx context.Context, f HistoryFilter, limit int) ([]HistoryLine, error) {
	rows, err := s.db.Query(ctx, `
		SELECT `+historyColumns+`, c.hash AS seal
		FROM (
			(SELECT * FROM history h WHERE $1::bigint IS NULL `+narrowed+`)
			UNION ALL
			(SELECT * FROM history h WHERE h.plan_id = $1 `+narrowed+`)
			UNION ALL
			(SELECT * FROM history h WHERE $1::bigint IS NOT NULL AND h.plan_id IS NULL `+narrowed+`)
		) h
		LEFT JOIN history_seal c ON c.history_id = h.id
		ORDER BY h.id DESC
		LIMIT $10`,
		id(f.PlanID), f.Person, id(f.DepartmentID), id(f.IndicatorID), id(f.ProjectID), monthDate(f.Month), f.Act, id(f.Before), moment(f.AsOf), limit)
	if err != nil {
		return nil, wrap(err, "read history")
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[struct {
		historyRow
		Seal []byte
	}])
	if err != nil {
		return nil, wrap(err, "read history")
	}
	lines := make([]HistoryLine, len(found))
	for i, r := range found {
		lines[i] = HistoryLine{HistoryEntry: r.entry(), Hash: hex.EncodeToString(r.Seal)}
	}
	return lines, nil
}

func (h historyRow) entry() landmark.HistoryEntry {
	number := func(n *int64) int64 {
		if n == nil {
			return 0
		}
		return *n
	}
	raw := func(s *string) json.RawMessage {
		if s == nil {
			return nil
		}
		return json.RawMessage(*s)
	}
	return landmark.HistoryEntry{
		ID: h.ID, At: h.RecordedAt, Act: h.Act, Object: h.Object, Month: dateMonth(h.Month), Before: raw(h.Before), After: raw(h.After), Reason: h.Reason,
		Actor:  landmark.Actor{AccountID: number(h.AccountID), Name: h.Actor, Role: landmark.Role(h.Role), Address: h.Address, RequestID: h.RequestID},
		PlanID: number(h.PlanID), ProjectID: number(h.ProjectID), DepartmentID: number(h.DepartmentID), IndicatorID: number(h.IndicatorID),
	}
}
