package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"landmark/internal/landmark"
	"landmark/internal/pgtest"
	"landmark/internal/store"
)

// A base backup and the archived log bring the database back to the second before
// a mistake, as docs/operations.md says: the same rows, the same sums, the
// history's chain whole (P20).
func TestRestoredToTheMomentBeforeAMistake(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	server := pgtest.NewCluster(t)
	archive := server.Folder(t, "archive")
	server.Configure(t, "wal_level = replica", "archive_mode = on", "archive_command = 'test ! -f \""+archive+"/%f\" && cp \"%p\" \""+archive+"/%f\"'")
	server.Start(t)
	url := server.URL("postgres")
	r := startServing(t, "--demo", "--database-url", url)
	r.stop()
	if status := <-r.status; status != 0 {
		t.Fatalf("serve --demo: status %d", status)
	}

	backup := server.BaseBackup(t, nil)
	pool, err := store.Open(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	st := store.New(pool)
	const after = 500
	for i := range after { // each in a transaction of its own, as people's work is
		if err := st.AddHistory(ctx, landmark.HistoryEntry{At: time.Now(), Actor: operator, Act: "probe.line", Object: fmt.Sprintf("第%d行", i+1)}); err != nil {
			t.Fatal(err)
		}
	}
	for n := 1; n > 0; {
		if n, err = st.Seal(ctx, 1000, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	good := filepath.Join(t.TempDir(), "good.dump")
	if status, _, stderr := call(t, url, "", "db", "dump", good); status != 0 {
		t.Fatalf("dump: status %d, %s", status, stderr)
	}

	owner, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close(ctx)
	var before time.Time
	if err := owner.QueryRow(ctx, "SELECT clock_timestamp()").Scan(&before); err != nil {
		t.Fatal(err)
	}
	// The mistake of somebody who may do anything. Its commit is a second later.
	var zeroed int64
	for _, sql := range []string{"SELECT pg_sleep(1)", "SET session_replication_role = replica", "UPDATE report_revision SET amount = 0 WHERE amount IS NOT NULL", "DELETE FROM history WHERE id % 2 = 0"} {
		tag, err := owner.Exec(ctx, sql)
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		zeroed += tag.RowsAffected()
	}
	if zeroed < after/2 {
		t.Fatalf("the mistake changed %d rows only: nothing is tested", zeroed)
	}
	var file string
	if err := owner.QueryRow(ctx, "SELECT pg_walfile_name(pg_switch_wal())").Scan(&file); err != nil {
		t.Fatal(err)
	}
	for done := false; !done; {
		if err := owner.QueryRow(ctx, "SELECT coalesce(last_archived_wal >= $1, false) FROM pg_stat_archiver", file).Scan(&done); err != nil {
			t.Fatal(err)
		}
	}
	server.Stop(t, "immediate") // the machine is given up; only backup and archive are left

	began := time.Now()
	backup.RecoverTo(t, archive, before)
	backup.Start(t)
	restored := backup.URL("postgres")
	again, err := pgx.Connect(ctx, restored)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close(ctx)
	for follows := true; follows; {
		if err := again.QueryRow(ctx, "SELECT pg_is_in_recovery()").Scan(&follows); err != nil {
			t.Fatal(err)
		}
		if time.Since(began) > time.Minute {
			t.Fatal("not restored after a minute")
		}
	}
	took := time.Since(began)

	var rows int
	if err := again.QueryRow(ctx, "SELECT count(*) FROM history WHERE act = 'probe.line'").Scan(&rows); err != nil {
		t.Fatal(err)
	}
	if rows != after {
		t.Errorf("%d of the %d rows written after the backup are there", rows, after)
	}
	if status, stdout, stderr := call(t, restored, "", "db", "verify"); status != 0 || !strings.Contains(stdout, "history is whole") {
		t.Errorf("db verify: status %d, %q %q", status, stdout, stderr)
	}
	is := filepath.Join(t.TempDir(), "restored.dump")
	if status, _, stderr := call(t, restored, "", "db", "dump", is); status != 0 {
		t.Fatalf("dump the restored database: status %d, %s", status, stderr)
	}
	if want, got := sums(t, good), sums(t, is); want != got {
		t.Errorf("the restored database holds\n%s\nwant\n%s", got, want)
	}
	// It is the program's own again: it can be worked on.
	if status, _, stderr := call(t, restored, "", "user", "add", "neu", "--role", "viewer"); status != 0 {
		t.Errorf("user add after restoring: status %d, %s", status, stderr)
	}
	t.Logf("P20 restored to the second before | %d rows after the backup, all there | %d changed by mistake, none left | %s", rows, zeroed, took.Round(10*time.Millisecond))
	if took > time.Minute {
		t.Errorf("restoring took %s, want a minute at most", took)
	}
}
