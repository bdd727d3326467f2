package server_test

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/google/go-cmp/cmp"

	"landmark/internal/landmark"
	"landmark/internal/reporting"
)

// rightsRow is a line of testdata/rights.csv.
type rightsRow struct {
	method, pattern, path, form string
	want                        map[string]int // status by principal
}

func readRights(t *testing.T) (principals []string, rows []rightsRow) {
	t.Helper()
	f, err := os.Open("testdata/rights.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	in := csv.NewReader(f)
	in.Comment = '#'
	lines, err := in.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	const fixed = 4
	principals = lines[0][fixed:]
	for _, line := range lines[1:] {
		row := rightsRow{method: line[0], pattern: line[1], path: line[2], form: line[3], want: map[string]int{}}
		for i, p := range principals {
			if row.want[p], err = strconv.Atoi(line[fixed+i]); err != nil {
				t.Fatalf("%s %s for %s: %v", row.method, row.path, p, err)
			}
		}
		rows = append(rows, row)
	}
	return principals, rows
}

func TestEveryRouteStandsInTheRights(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, rows := readRights(t)
	listed := map[string]bool{}
	for _, row := range rows {
		listed[row.method+" "+row.pattern] = true
	}
	there := map[string]bool{}
	err := chi.Walk(w.srv.Routes(), func(method, pattern string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		there[method+" "+pattern] = true
		if !listed[method+" "+pattern] {
			t.Errorf("%s %s is not in testdata/rights.csv", method, pattern)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	paths := map[string]map[string]bool{}
	for _, row := range rows {
		name := row.method + " " + row.pattern
		if paths[name] == nil {
			paths[name] = map[string]bool{}
		}
		paths[name][row.path] = true
	}
	for name, of := range paths {
		if strings.Contains(name, "{") && len(of) < 2 {
			t.Errorf("%s names an object and is asked for one only: add one that is not there, or another's", name)
		}
	}
	for name := range listed {
		if !there[name] {
			t.Errorf("%s is in testdata/rights.csv and nowhere else", name)
		}
	}
}

func TestRights(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("viewer", landmark.RoleViewer, "")
	w.account("reporter_a", landmark.RoleReporter, "minzheng")
	w.account("leader_a", landmark.RoleLeader, "minzheng")
	w.account("reporter_b", landmark.RoleReporter, "jiaoyu")
	w.account("office", landmark.RoleOffice, "")
	w.account("disabled", landmark.RoleOffice, "")
	w.account("must_change", landmark.RoleOffice, "")
	principals, rows := readRights(t)
	objects := w.objects()
	for i, p := range principals {
		browsers := make([]*browser, len(rows)) // each with a session of its own: some rows end theirs
		for j := range rows {
			b := w.browser()
			b.address = fmt.Sprintf("192.0.2.%d:%d", i+1, 10000+j) // one's throttle is not another's
			if p != "visitor" {
				if res := b.post("/login/demo", "account", p); res.StatusCode != http.StatusSeeOther {
					t.Fatalf("enter as %s: %d", p, res.StatusCode)
				}
			}
			browsers[j] = b
		}
		switch p { // while signed in: the next request must know
		case "disabled":
			w.set("UPDATE account SET disabled_at = now() WHERE name = $1", p)
		case "must_change":
			w.set("UPDATE account SET must_change = true WHERE name = $1", p)
		}
		before := w.fingerprint()
		for j, row := range rows {
			b := browsers[j]
			res := b.send(row.method, objects.Replace(row.path), objects.Replace(row.form))
			if res.StatusCode != row.want[p] {
				t.Errorf("%s: %s %s %s = %d, want %d", p, row.method, row.path, row.form, res.StatusCode, row.want[p])
			}
			switch location := res.Header.Get("Location"); {
			case row.want["visitor"] == http.StatusSeeOther && (p == "visitor" || p == "disabled") && row.pattern != "/logout" && row.pattern != "/theme":
				if !strings.HasPrefix(location, "/login?next=") {
					t.Errorf("%s: %s %s leads to %q, want to sign in", p, row.method, row.path, location)
				}
			case p == "must_change" && row.want["office"] == http.StatusOK && res.StatusCode == http.StatusSeeOther:
				if !strings.HasPrefix(location, "/account?next=") {
					t.Errorf("%s: %s %s leads to %q, want to the account", p, row.method, row.path, location)
				}
			}
			// None of these requests succeeds in changing anything.
			after := w.fingerprint()
			if diff := cmp.Diff(before, after); diff != "" {
				t.Errorf("%s: %s %s changed the database (-before +after):\n%s", p, row.method, row.path, diff)
			}
			before = after
		}
	}
}

// noObjects puts numbers of nothing into the rows' places.
var noObjects = strings.NewReplacer("{file}", "999999", "{a}", "999999", "{b}", "999999")

// objects puts real numbers into the rows' places: {file} is a file of A's, {a} and
// {b} are reports of A and B that wait for review.
func (w *world) objects() *strings.Replacer {
	w.t.Helper()
	send := func(who, code, value string) {
		w.t.Helper()
		res := w.enter(who).upload(september, []string{"key", reporting.NewKey(), "action", "save", "value[" + code + "]", value, "revision[" + code + "]", "0"},
			"evidence["+code+"]", "清单.pdf", "%PDF-1.7 清单")
		if res.StatusCode != http.StatusSeeOther {
			w.t.Fatalf("%s saves %s: %d\n%s", who, code, res.StatusCode, bodyOf(w.t, res))
		}
	}
	send("reporter_a", "4.2", "36.2")
	var file int64
	if err := w.db.QueryRow(w.t.Context(), "SELECT max(id) FROM evidence").Scan(&file); err != nil {
		w.t.Fatal(err)
	}
	ids := map[string]int64{}
	for who, code := range map[string]string{"reporter_a": "4.3", "reporter_b": "2.2"} {
		u, err := w.st.Account(w.t.Context(), who)
		if err != nil {
			w.t.Fatal(err)
		}
		w.sent(u.User, map[string]string{code: "2"})
		ids[who] = w.reportOf(code).ID
	}
	return strings.NewReplacer("{file}", fmt.Sprint(file), "{a}", fmt.Sprint(ids["reporter_a"]), "{b}", fmt.Sprint(ids["reporter_b"]))
}

// set changes the database behind the program's back.
func (w *world) set(sql string, args ...any) {
	w.t.Helper()
	tag, err := w.db.Exec(w.t.Context(), sql, args...)
	if err != nil {
		w.t.Fatal(err)
	}
	if tag.RowsAffected() == 0 {
		w.t.Fatalf("%s %v changed no row", sql, args)
	}
}

// fingerprint is the content of some tables, by default of every one but the
// sessions' and the throttle's, which every visit may change.
func (w *world) fingerprint(tables ...string) map[string]string {
	w.t.Helper()
	rows, err := w.db.Query(w.t.Context(), `
		SELECT tablename FROM pg_tables
		WHERE schemaname = 'public' AND tablename NOT IN ('session', 'sign_in_failure') AND (tablename = ANY($1) OR $1 IS NULL)`, tables)
	if err != nil {
		w.t.Fatal(err)
	}
	var parts []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			w.t.Fatal(err)
		}
		parts = append(parts, fmt.Sprintf("SELECT '%s', coalesce(md5(string_agg(t::text, '' ORDER BY t::text)), '') FROM %s t", name, name))
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
	prints := map[string]string{}
	rows, err = w.db.Query(w.t.Context(), strings.Join(parts, " UNION ALL "))
	if err != nil {
		w.t.Fatal(err)
	}
	for rows.Next() {
		var name, print string
		if err := rows.Scan(&name, &print); err != nil {
			w.t.Fatal(err)
		}
		prints[name] = print
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
	return prints
}
