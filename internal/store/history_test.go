package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"landmark/internal/landmark"
	"landmark/internal/pgtest"
	"landmark/internal/store"
)

func line(i int) landmark.HistoryEntry {
	return landmark.HistoryEntry{
		At: importedAt.Add(time.Duration(i) * time.Second), Actor: landmark.Actor{Name: "填报员甲", Role: landmark.RoleReporter, Address: "10.0.0.7"},
		Act: "report.submit", Month: landmark.MonthOf(2023, 9), Object: fmt.Sprintf("第%d行", i),
		Before: json.RawMessage(`{"value": "1"}`), After: json.RawMessage(fmt.Sprintf(`{"value": "%d"}`, i)), Reason: "核对后更正",
	}
}

func TestSealAndVerify(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	st := store.New(pgtest.DB(t))
	if head, _, err := st.VerifyHistory(ctx); err != nil || head.Seq != 0 {
		t.Fatalf("empty history: head %v, error %v", head, err)
	}
	for i := range 7 {
		if err := st.AddHistory(ctx, line(i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, waiting, err := st.VerifyHistory(ctx); err != nil || waiting != 7 {
		t.Fatalf("before sealing: %d waiting, error %v; want 7, nil", waiting, err)
	}
	if n, err := st.Seal(ctx, 3, importedAt); err != nil || n != 3 {
		t.Fatalf("Seal(3) = %d, %v", n, err)
	}
	noted, _, err := st.VerifyHistory(ctx)
	if err != nil || noted.Seq != 3 {
		t.Fatalf("after three: head %v, error %v", noted, err)
	}
	if n, err := st.Seal(ctx, 100, importedAt); err != nil || n != 4 {
		t.Fatalf("Seal(100) = %d, %v", n, err)
	}
	head, waiting, err := st.VerifyHistory(ctx, noted)
	if err != nil || head.Seq != 7 || waiting != 0 {
		t.Errorf("after all: head %v, %d waiting, error %v", head, waiting, err)
	}
}

// Writers whose transactions overlap, and two sealers at once: every line is
// sealed once.
func TestSealWhileWriting(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	st := store.New(pgtest.DB(t))
	var writers, sealers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			for i := range 25 {
				if err := st.AddHistory(ctx, line(w*100+i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	stop, cancel := context.WithCancel(ctx)
	for range 2 {
		sealers.Go(func() {
			for stop.Err() == nil {
				if _, err := st.Seal(ctx, 5, importedAt); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	cancel()
	sealers.Wait()
	if _, err := st.Seal(ctx, 1000, importedAt); err != nil {
		t.Fatal(err)
	}
	head, waiting, err := st.VerifyHistory(ctx)
	if err != nil || head.Seq != 100 || waiting != 0 {
		t.Errorf("head %v, %d waiting, error %v; want 100 sealed", head, waiting, err)
	}
}

// Whatever a superuser does to one line or one seal, Verify names a fault. Each
// tampering is taken back by rolling its transaction back.
func TestTamperingIsFound(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	pool := pgtest.DB(t)
	st := store.New(pool)
	const lines = 40
	for i := range lines {
		if err := st.AddHistory(ctx, line(i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := st.Seal(ctx, lines, importedAt); err != nil {
		t.Fatal(err)
	}
	head, err := st.HistoryHead(ctx)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2023))
	rounds := 200
	if os.Getenv("FULL") == "1" {
		rounds = 2000
	}
	for round := range rounds {
		seq := 1 + random.IntN(lines)
		next := 1 + seq%lines
		at := fmt.Sprintf("(SELECT history_id FROM history_seal WHERE seq = %d)", seq)
		other := fmt.Sprintf("(SELECT history_id FROM history_seal WHERE seq = %d)", next)
		const beside = 0 // a line outside the chain has no place in it
		tamperings := []struct {
			sql   string
			first int // place of the first line that is not as it was
		}{
			{"UPDATE history SET object = object || 'x' WHERE id = " + at, seq},
			{"UPDATE history SET recorded_at = recorded_at - interval '1 microsecond' WHERE id = " + at, seq},
			{"UPDATE history SET after = '{\"value\": \"99\"}' WHERE id = " + at, seq},
			{"UPDATE history SET before = NULL WHERE id = " + at, seq},
			{"UPDATE history SET reason = '' WHERE id = " + at, seq},
			{"UPDATE history SET actor = '别人' WHERE id = " + at, seq},
			{"UPDATE history SET month = '2023-08-01' WHERE id = " + at, seq},
			{"DELETE FROM history WHERE id = " + at, seq},
			{fmt.Sprintf("DELETE FROM history_seal WHERE seq = %d", seq), seq},
			{fmt.Sprintf("DELETE FROM history_seal WHERE seq >= %d", seq), lines},
			{fmt.Sprintf("WITH gone AS (DELETE FROM history_seal WHERE seq >= %d RETURNING history_id) DELETE FROM history WHERE id IN (SELECT history_id FROM gone)", seq), lines},
			{"INSERT INTO history (recorded_at, actor, role, act) VALUES (now(), '别人', 'office', 'report.approve'); DELETE FROM history_pending", beside},
			{fmt.Sprintf("UPDATE history_seal SET hash = sha256(hash) WHERE seq = %d", seq), seq},
			{"UPDATE history h SET object = o.object FROM history o WHERE (h.id = " + at + " AND o.id = " + other + ") OR (h.id = " + other + " AND o.id = " + at + ")", min(seq, next)},
		}
		kind := tamperings[round%len(tamperings)]
		tamper(t, pool, kind.sql, head, kind.first)
	}
	t.Logf("P8 tampering | %d rounds | 0 not found | the first bad line named each time", rounds)
}

func tamper(t *testing.T, pool *pgxpool.Pool, sql string, noted store.HistoryHead, first int) {
	t.Helper()
	ctx := t.Context()
	tx, err := pool.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := tx.Rollback(ctx); err != nil {
			t.Error(err)
		}
	}()
	// A superuser switches triggers and foreign keys off.
	if _, err := tx.Exec(ctx, "SET LOCAL session_replication_role = replica; "+sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	_, _, err = store.New(tx).VerifyHistory(ctx, noted)
	if fault, ok := errors.AsType[store.ChainFault](err); !ok || fault.Seq != int64(first) {
		t.Errorf("after %s: VerifyHistory error = %v, want a ChainFault at %d", sql, err, first)
	}
}
