package landmark

import (
	"encoding/csv"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// P22: what a deadline makes of a moment depends on the city's zone alone, wherever
// the program runs and whatever zone the moment is written in. testdata/deadlines.csv
// has been worked out from a calendar; the test runs itself with other zones in TZ.
func TestDeadlines(t *testing.T) {
	const marker = "LANDMARK_DEADLINES"
	f, err := os.Open("testdata/deadlines.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	in := csv.NewReader(f)
	in.Comment = '#'
	rows, err := in.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	rows = rows[1:] // below their titles
	if len(rows) < 40 {
		t.Fatalf("%d cases, want 40", len(rows))
	}
	city, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		beijing, month, want, late, newest := row[0], row[1], row[2], row[3], row[4]
		at, err := time.ParseInLocation("2006-01-02 15:04:05.999", beijing, city)
		if err != nil {
			t.Fatal(err)
		}
		m, err := ParseMonth(month)
		if err != nil {
			t.Fatal(err)
		}
		for _, zone := range []*time.Location{city, time.UTC, newYork, time.Local} {
			lead := Department{ID: 1, Slug: "minzheng", Name: "民政局"}
			ind := &Indicator{ID: 1, Code: "1.1", Kind: Flow, Measured: Monthly}
			project := &Project{Number: 1, Lead: lead, Indicators: []*Indicator{ind}}
			ind.Project = project
			plan := &Plan{ID: 1, Slug: "x", Year: m.Year(), Published: Date{Year: m.Year(), Month: 1, Day: 2}, Projects: []*Project{project}}
			r := &Record{Plan: plan, AsOf: at.In(zone), Zone: city}
			got := fmt.Sprint(r.Window(lead.ID, m).Chinese(), " ", r.LateAt(lead.ID, m, at.In(zone)), " ", r.NewestDue())
			if wanted := want + " " + late + " " + newest; got != wanted {
				t.Errorf("%s in Beijing, written in %s, for %s: %s, want %s", beijing, zone, month, got, wanted)
			}
		}
	}
	if os.Getenv(marker) != "" {
		return
	}
	for _, zone := range []string{"UTC", "America/New_York", "Asia/Shanghai"} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestDeadlines$", "-test.v")
		cmd.Env = append(os.Environ(), marker+"=1", "TZ="+zone)
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "--- PASS: TestDeadlines") {
			t.Errorf("with TZ=%s: %v\n%s", zone, err, out)
		}
	}
	t.Logf("P22 deadlines | %d cases in 4 zones, the program in 3 | 0 different", len(rows))
}
