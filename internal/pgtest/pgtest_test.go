package pgtest_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"landmark/internal/pgtest"
	"landmark/migrations"
)

func TestDBIsMigratedAndOwn(t *testing.T) {
	t.Parallel()
	a, b := pgtest.DB(t), pgtest.DB(t)
	if _, err := a.Exec(t.Context(), "CREATE TABLE mine (i int)"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		db   *pgxpool.Pool
		want bool
	}{{"the one with the table", a, true}, {"the other", b, false}} {
		var there bool
		if err := c.db.QueryRow(t.Context(), "SELECT to_regclass('mine') IS NOT NULL").Scan(&there); err != nil {
			t.Fatal(err)
		}
		if there != c.want {
			t.Errorf("%s: table there = %v, want %v", c.name, there, c.want)
		}
		var version int
		if err := c.db.QueryRow(t.Context(), "SELECT max(version) FROM schema_marker").Scan(&version); err != nil {
			t.Fatal(err)
		}
		if want := migrations.Newest(); version != want {
			t.Errorf("%s: at schema %d, want %d", c.name, version, want)
		}
	}
}

func TestURLIsDropped(t *testing.T) {
	t.Parallel()
	var url string
	t.Run("use", func(t *testing.T) {
		url = pgtest.URL(t)
		conn, err := pgx.Connect(t.Context(), url) // left open on purpose
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	if conn, err := pgx.Connect(t.Context(), url); err == nil {
		conn.Close(t.Context())
		t.Errorf("the database of an ended test is still there")
	}
}

func TestTxIsRolledBack(t *testing.T) {
	t.Parallel()
	count := func(t *testing.T, tx pgx.Tx) (n int) {
		t.Helper()
		if err := tx.QueryRow(t.Context(), "SELECT count(*) FROM schema_marker WHERE version < 0").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	t.Run("write", func(t *testing.T) {
		tx := pgtest.Tx(t)
		if _, err := tx.Exec(t.Context(), "INSERT INTO schema_marker (version) VALUES (-1)"); err != nil {
			t.Fatal(err)
		}
		if n := count(t, tx); n != 1 {
			t.Errorf("inside: got %d rows, want 1", n)
		}
	})
	t.Run("read", func(t *testing.T) {
		if n := count(t, pgtest.Tx(t)); n != 0 {
			t.Errorf("afterwards: got %d rows, want 0", n)
		}
	})
}

// TestLeftovers kills a test process that holds a database, and expects the
// next one to drop it.
func TestLeftovers(t *testing.T) {
	if os.Getenv("PGTEST_KILLED") != "" {
		url := pgtest.URL(t)
		os.Stdout.WriteString("made " + url + "\n")
		p, err := os.FindProcess(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		p.Kill()
		select {}
	}
	url := killed(t)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatalf("the killed test's database should still be there: %v", err)
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	killed(t)
	if conn, err := pgx.Connect(t.Context(), url); err == nil {
		conn.Close(t.Context())
		t.Error("a killed test's database outlived the next process")
	}
}

func killed(t *testing.T) (url string) {
	t.Helper()
	pgtest.Tx(t) // so that this process keeps the server alive
	cmd := exec.Command(os.Args[0], "-test.run=^TestLeftovers$")
	cmd.Env = append(os.Environ(), "PGTEST_KILLED=1")
	out, err := cmd.Output()
	if err == nil {
		t.Fatal("the process was not killed")
	}
	_, url, ok := strings.Cut(string(out), "made ")
	if !ok {
		t.Fatalf("no database made: %s", out)
	}
	return strings.TrimSpace(url)
}

func BenchmarkURL(b *testing.B) {
	for b.Loop() {
		pgtest.URL(b)
	}
}
