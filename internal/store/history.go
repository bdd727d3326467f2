package store

import (
	"context"
	"encoding/json"

	"landmark/internal/landmark"
)

// AddHistory adds lines to the history, in order. Call it in the transaction of
// the change it tells of, so that neither stands without the other.
func (s *Store) AddHistory(ctx context.Context, entries ...landmark.HistoryEntry) error {
	const columns = 15
	args := make([][]any, columns)
	for _, e := range entries {
		row := [columns]any{e.At, id(e.Actor.AccountID), e.Actor.Name, string(e.Actor.Role), e.Actor.Address, e.Actor.RequestID, e.Act,
			id(e.PlanID), id(e.ProjectID), id(e.DepartmentID), id(e.IndicatorID), monthDate(e.Month), e.Object, rawJSON(e.Before), rawJSON(e.After)}
		for i, v := range row {
			args[i] = append(args[i], v)
		}
	}
	reasons := make([]string, len(entries))
	for i, e := range entries {
		reasons[i] = e.Reason
	}
	tag, err := s.db.Exec(ctx, `
		INSERT INTO history (recorded_at, account_id, actor, role, address, request_id, act,
			plan_id, project_id, department_id, indicator_id, month, object, before, after, reason)
		SELECT * FROM unnest($1::timestamptz[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
			$8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::date[], $13::text[], $14::jsonb[], $15::jsonb[], $16::text[])`,
		args[0], args[1], args[2], args[3], args[4], args[5], args[6], args[7], args[8], args[9], args[10], args[11], args[12], args[13], args[14], reasons)
	if err != nil {
		return wrap(err, "add %d history lines", len(entries))
	}
	if int(tag.RowsAffected()) != len(entries) {
		return wrap(errStale, "add %d history lines, wrote %d", len(entries), tag.RowsAffected())
	}
	return nil
}

func rawJSON(m json.RawMessage) any {
	if len(m) == 0 {
		return nil
	}
	return string(m)
}
