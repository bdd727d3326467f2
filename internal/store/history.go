package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"landmark/internal/landmark"
)

// AddHistory adds lines to the history, in order. Call it in the transaction of
// the change it tells of, so that neither stands without the other.
func (s *Store) AddHistory(ctx context.Context, entries ...landmark.HistoryEntry) error {
	var c Changes
	c.AddHistory(entries...)
	return s.Apply(ctx, &c)
}

// AddHistory adds lines to the history, in order, with the changes they tell of.
func (c *Changes) AddHistory(entries ...landmark.HistoryEntry) {
	if len(entries) == 0 {
		return
	}
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
	c.queue(len(entries), `
		INSERT INTO history (recorded_at, account_id, actor, role, address, request_id, act,
			plan_id, project_id, department_id, indicator_id, month, object, before, after, reason)
		SELECT * FROM unnest($1::timestamptz[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
			$8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::date[], $13::text[], $14::json[], $15::json[], $16::text[])`,
		args[0], args[1], args[2], args[3], args[4], args[5], args[6], args[7], args[8], args[9], args[10], args[11], args[12], args[13], args[14], reasons)
}

// historyRow is a history line as stored, in the order its hash takes it in.
type historyRow struct {
	ID           int64
	RecordedAt   time.Time
	AccountID    *int64
	Actor        string
	Role         string
	Address      string
	RequestID    string
	Act          string
	PlanID       *int64
	ProjectID    *int64
	DepartmentID *int64
	IndicatorID  *int64
	Month        pgtype.Date
	Object       string
	Before       *string
	After        *string
	Reason       string
}

const historyColumns = `h.id, h.recorded_at, h.account_id, h.actor, h.role, h.address, h.request_id, h.act,
	h.plan_id, h.project_id, h.department_id, h.indicator_id, h.month, h.object, h.before::text AS before, h.after::text AS after, h.reason`

// sealAlgorithm names how hash makes its sum, so that another can follow.
const sealAlgorithm = "sha256"

// hash chains the line to the one before: SHA-256 over the previous hash and
// every column, each with its length, so that no two lines give the same bytes.
func (h historyRow) hash(previous []byte) []byte {
	sum := sha256.New()
	put := func(b []byte) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(b)))
		sum.Write(n[:])
		sum.Write(b)
	}
	text := func(s string) { put([]byte(s)) }
	number := func(n *int64) {
		if n == nil {
			text("")
			return
		}
		text(strconv.FormatInt(*n, 10))
	}
	optional := func(s *string) {
		if s == nil {
			text("")
			return
		}
		text("=" + *s)
	}
	put(previous)
	number(&h.ID)
	text(strconv.FormatInt(h.RecordedAt.UnixMicro(), 10))
	number(h.AccountID)
	for _, s := range []string{h.Actor, h.Role, h.Address, h.RequestID, h.Act} {
		text(s)
	}
	for _, n := range []*int64{h.PlanID, h.ProjectID, h.DepartmentID, h.IndicatorID} {
		number(n)
	}
	text(dateMonth(h.Month).String())
	text(h.Object)
	optional(h.Before)
	optional(h.After)
	text(h.Reason)
	return sum.Sum(nil)
}

// sealLock keeps sealers of several programs apart.
const sealLock = 7_202_305

// Seal takes up to limit new history lines into the chain, in the order of
// their ids among those committed, and says how many. Only one sealer works at
// a time; another finds nothing to do.
func (s *Store) Seal(ctx context.Context, limit int, now time.Time) (sealed int, err error) {
	err = s.Tx(ctx, func(s *Store) error {
		var mine bool
		if err := s.db.QueryRow(ctx, `SELECT pg_try_advisory_xact_lock($1)`, sealLock).Scan(&mine); err != nil || !mine {
			return wrap(err, "lock the history's chain")
		}
		head, err := s.HistoryHead(ctx)
		if err != nil {
			return err
		}
		rows, err := s.db.Query(ctx, `
			SELECT `+historyColumns+`
			FROM history_pending p JOIN history h ON h.id = p.history_id
			ORDER BY h.id
			LIMIT $1`, limit)
		if err != nil {
			return wrap(err, "read history to seal")
		}
		lines, err := pgx.CollectRows(rows, pgx.RowToStructByName[historyRow])
		if err != nil {
			return wrap(err, "read history to seal")
		}
		if len(lines) == 0 {
			return nil
		}
		ids, seqs := make([]int64, len(lines)), make([]int64, len(lines))
		previous, hashes := make([][]byte, len(lines)), make([][]byte, len(lines))
		for i, line := range lines {
			previous[i] = head.Hash
			head.Seq, head.Hash = head.Seq+1, line.hash(head.Hash)
			ids[i], seqs[i], hashes[i] = line.ID, head.Seq, head.Hash
		}
		if _, err := s.db.Exec(ctx, `
			INSERT INTO history_seal (seq, history_id, algorithm, previous, hash, sealed_at)
			SELECT seq, history_id, $5, previous, hash, $6
			FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bytea[]) AS t (seq, history_id, previous, hash)`,
			seqs, ids, previous, hashes, sealAlgorithm, now); err != nil {
			return wrap(err, "seal %d history lines", len(lines))
		}
		if _, err := s.db.Exec(ctx, `DELETE FROM history_pending WHERE history_id = ANY($1)`, ids); err != nil {
			return wrap(err, "seal %d history lines", len(lines))
		}
		sealed = len(lines)
		return nil
	})
	return sealed, err
}

// HistoryHead is the end of the chain; Seq is 0 before anything was sealed.
type HistoryHead struct {
	Seq      int64
	Hash     []byte
	SealedAt time.Time
}

// String is the head as people note it down: 128:1f3a….
func (h HistoryHead) String() string { return fmt.Sprintf("%d:%x", h.Seq, h.Hash) }

// HistoryHead reads the end of the chain.
func (s *Store) HistoryHead(ctx context.Context) (HistoryHead, error) {
	var h HistoryHead
	err := s.db.QueryRow(ctx, `SELECT seq, hash, sealed_at FROM history_seal ORDER BY seq DESC LIMIT 1`).Scan(&h.Seq, &h.Hash, &h.SealedAt)
	if errors.Is(err, pgx.ErrNoRows) {
		return HistoryHead{Hash: []byte{}}, nil
	}
	return h, wrap(err, "read the history's head")
}

// ChainFault is where the history and its chain first disagree.
type ChainFault struct {
	Seq       int64 // 0 where a line has no seal at all
	HistoryID int64
	What      string
}

func (f ChainFault) Error() string {
	if f.Seq == 0 {
		return fmt.Sprintf("history line %d: %s", f.HistoryID, f.What)
	}
	return fmt.Sprintf("seal %d (history line %d): %s", f.Seq, f.HistoryID, f.What)
}

// VerifyHistory walks the whole chain and returns its head and how many lines
// still wait for the sealer. The error is a ChainFault that names the first bad
// line where a line was edited, removed, put in between, moved or left out.
// Cutting off the end shows only against an earlier head: pass it as noted.
func (s *Store) VerifyHistory(ctx context.Context, noted ...HistoryHead) (head HistoryHead, waiting int, err error) {
	err = s.snapshot(ctx, func(s *Store) error {
		head, waiting, err = s.verifyHistory(ctx, noted)
		return err
	})
	return head, waiting, err
}

func (s *Store) verifyHistory(ctx context.Context, noted []HistoryHead) (head HistoryHead, waiting int, err error) {
	head.Hash = []byte{}
	type sealRow struct {
		historyRow
		Seq       int64
		HistoryID int64
		Algorithm string
		Previous  []byte
		Hash      []byte
		SealedAt  time.Time
		Missing   bool
	}
	rows, err := s.db.Query(ctx, `
		SELECT s.seq, s.history_id, s.algorithm, s.previous, s.hash, s.sealed_at, h.id IS NULL AS missing,
			coalesce(h.id, 0) AS id, coalesce(h.recorded_at, s.sealed_at) AS recorded_at, h.account_id, coalesce(h.actor, '') AS actor,
			coalesce(h.role, '') AS role, coalesce(h.address, '') AS address, coalesce(h.request_id, '') AS request_id, coalesce(h.act, '') AS act,
			h.plan_id, h.project_id, h.department_id, h.indicator_id, h.month, coalesce(h.object, '') AS object,
			h.before::text AS before, h.after::text AS after, coalesce(h.reason, '') AS reason
		FROM history_seal s LEFT JOIN history h ON h.id = s.history_id
		ORDER BY s.seq`)
	if err != nil {
		return head, 0, wrap(err, "read the history's chain")
	}
	defer rows.Close()
	open := map[int64][]byte{}
	for _, n := range noted {
		open[n.Seq] = n.Hash
	}
	for rows.Next() {
		r, err := pgx.RowToStructByName[sealRow](rows)
		if err != nil {
			return head, 0, wrap(err, "read the history's chain")
		}
		fault := func(what string) error { return ChainFault{Seq: r.Seq, HistoryID: r.HistoryID, What: what} }
		switch {
		case r.Seq != head.Seq+1:
			return head, 0, ChainFault{Seq: head.Seq + 1, HistoryID: r.HistoryID, What: "the seal is missing"}
		case r.Algorithm != sealAlgorithm:
			return head, 0, fault("the seal names an unknown algorithm " + r.Algorithm)
		case !bytes.Equal(r.Previous, head.Hash):
			return head, 0, fault("the seal does not follow the one before it")
		case r.Missing:
			return head, 0, fault("the line was removed")
		case !bytes.Equal(r.Hash, r.historyRow.hash(r.Previous)):
			return head, 0, fault("the line was edited")
		}
		head = HistoryHead{Seq: r.Seq, Hash: r.Hash, SealedAt: r.SealedAt}
		if want, ok := open[r.Seq]; ok && !bytes.Equal(want, r.Hash) {
			return head, 0, fault("the chain is not the one whose head was noted")
		}
		delete(open, r.Seq)
	}
	if err := rows.Err(); err != nil {
		return head, 0, wrap(err, "read the history's chain")
	}
	for seq := range open {
		if seq > head.Seq {
			return head, 0, ChainFault{Seq: seq, What: fmt.Sprintf("the chain ends at %d, its end was cut off", head.Seq)}
		}
	}
	var unsealed int64
	err = s.db.QueryRow(ctx, `
		SELECT coalesce(min(h.id), 0)
		FROM history h
		WHERE NOT EXISTS (SELECT FROM history_seal s WHERE s.history_id = h.id) AND NOT EXISTS (SELECT FROM history_pending p WHERE p.history_id = h.id)`).Scan(&unsealed)
	if err != nil {
		return head, 0, wrap(err, "look for unsealed history")
	}
	if unsealed != 0 {
		return head, 0, ChainFault{HistoryID: unsealed, What: "the line was put in beside the chain"}
	}
	if err := s.db.QueryRow(ctx, `SELECT count(*) FROM history_pending`).Scan(&waiting); err != nil {
		return head, 0, wrap(err, "count history to seal")
	}
	return head, waiting, nil
}

func rawJSON(m json.RawMessage) any {
	if len(m) == 0 {
		return nil
	}
	return string(m)
}
