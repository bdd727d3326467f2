//go:build ha

package torture

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"landmark/internal/pgtest"
)

// TestRemindersOnce is P23: of two programs one after the other is killed around
// the time of reminding. Each department is told once of each month.
func TestRemindersOnce(t *testing.T) {
	p := prepare(t, pgtest.URL(t))
	built := binary(t, false)
	// Nobody is reminded in the night: the city lies where it is noon.
	zone := "TZ_NAME=" + noon(time.Now())
	programs := []*served{serve(t, built, "DATABASE_URL="+p.url, zone), serve(t, built, "DATABASE_URL="+p.url, zone)}
	owner, err := pgx.Connect(t.Context(), p.url)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close(t.Context())
	count := func(sql string) (n int) {
		t.Helper()
		if err := owner.QueryRow(t.Context(), sql).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	const told = `SELECT count(*) FROM notice WHERE kind = 'open'`
	rounds := size(3, 50)
	var slowest time.Duration
	lost, doubled := 0, 0
	for round := range rounds {
		// A new hour, in which nobody has been told yet.
		for _, sql := range []string{"DELETE FROM river_job WHERE kind = 'remind'", "DELETE FROM notice"} {
			if _, err := owner.Exec(t.Context(), sql); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		for range 2 {
			s := programs[rand.IntN(len(programs))]
			s.stop(syscall.SIGKILL)
			s.start()
			time.Sleep(rand.N(1500 * time.Millisecond))
		}
		for count(told) < reporters && time.Since(began) < 4*time.Minute { // a job of a killed program is taken up after two
			time.Sleep(100 * time.Millisecond)
		}
		slowest = max(slowest, time.Since(began))
		time.Sleep(2 * time.Second) // whoever else would tell has told
		all, departments := count(told), count(`SELECT count(DISTINCT department_id) FROM notice WHERE kind = 'open'`)
		if departments != reporters || all != departments {
			t.Errorf("round %d: %d reminders to %d departments, want one to each of %d", round, all, departments, reporters)
		}
		lost, doubled = lost+reporters-departments, doubled+all-departments
	}
	t.Logf("P23 reminders, a program killed twice each time | %d rounds | %d lost | %d doubled | told after %.1f s", rounds, lost, doubled, slowest.Seconds())
}

// noon is a zone in which it is about noon.
func noon(now time.Time) string {
	switch east := 12 - now.UTC().Hour(); {
	case east > 0:
		return fmt.Sprintf("Etc/GMT-%d", east) // POSIX counts to the west
	case east < 0:
		return fmt.Sprintf("Etc/GMT+%d", -east)
	default:
		return "UTC"
	}
}
