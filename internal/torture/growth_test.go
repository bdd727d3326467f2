package torture

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"landmark/internal/localpg"
)

// BenchmarkGrowth answers whether a page or a save costs more when the same tables
// hold many plans: it asks the program for each of them with the demo's plan alone,
// then with GROWTH copies of it beside it (500 unless told; 15000 make 450,000
// indicators and 5.4 million reports), each a year of reports with their history.
// It prints medians and their ratio, and asserts nothing.
func BenchmarkGrowth(b *testing.B) {
	plans := 500
	if n, err := strconv.Atoi(os.Getenv("GROWTH")); err == nil {
		plans = n
	}
	dir, err := os.MkdirTemp("/var/tmp", "landmark-growth-")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			b.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		b.Fatal(err)
	}
	pg, err := localpg.Start(b.Context(), dir)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := pg.Close(); err != nil {
			b.Error(err)
		}
	})
	program := binary(b, false)
	begin := func() *served {
		s := serve(b, program, "DATABASE_URL="+pg.URL(), "--demo")
		s.up(b)
		return s
	}
	s := begin()
	small := measure(b, s)
	s.stop(os.Interrupt)
	began := time.Now()
	multiply(b, pg.URL(), plans)
	b.Logf("%d plans made in %s", plans, time.Since(began).Round(time.Second))
	large := measure(b, begin())

	var table strings.Builder
	fmt.Fprintf(&table, "\n%-28s %12s %12s %8s\n", "what, one at a time", "one plan", fmt.Sprintf("%d plans", plans+1), "ratio")
	for _, name := range slices.Sorted(maps.Keys(small)) {
		x, y := middle(small[name]), middle(large[name])
		fmt.Fprintf(&table, "%-28s %12s %12s %8.2f\n", name, x, y, float64(y)/float64(x))
	}
	fmt.Fprint(os.Stderr, table.String()) // a log is cut short
}

func middle(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2].Round(10 * time.Microsecond)
}

// measure asks for each page and saves a form, time and again in turn, and gives
// how long each took.
func measure(b *testing.B, s *served) map[string][]time.Duration {
	b.Helper()
	ctx := b.Context()
	enter := func(account string) *client {
		c := newClient(b, s, account, 1)
		res, _, err := c.do(ctx, http.MethodPost, "/login/demo", "application/x-www-form-urlencoded", []byte(url.Values{"account": {account}}.Encode()))
		if err != nil || res.StatusCode != http.StatusSeeOther {
			b.Fatalf("enter as %s: %v, %v", account, res, err)
		}
		return c
	}
	office, reporter := enter("office"), enter("reporter-minzheng")
	took := map[string][]time.Duration{}
	clock := func(name string, want int, do func() (*http.Response, []byte, error)) []byte {
		began := time.Now()
		res, page, err := do()
		if err != nil || res.StatusCode != want {
			b.Fatalf("%s: %v, %v: %s", name, res, err, said(page))
		}
		took[name] = append(took[name], time.Since(began))
		return page
	}
	get := func(c *client, path string) func() (*http.Response, []byte, error) {
		return func() (*http.Response, []byte, error) { return c.do(ctx, http.MethodGet, path, "", nil) }
	}
	const rounds = 40
	for n := range rounds {
		for _, path := range []string{"/", "/key", "/matrix", "/projects/4", "/indicators/4.1", "/departments", "/tasks", "/review", "/history", "/screen"} {
			clock("GET "+path, http.StatusOK, get(office, path+"?n="+strconv.Itoa(n)))
		}
		page := clock("GET /reports/2023-09", http.StatusOK, get(reporter, "/reports/2023-09?correct=4.1,4.2,4.3"))
		form := fields(page, "revision[4.1]")
		form.Set("action", "save")
		form.Set("note[4.1]", fmt.Sprintf("第%d次记录", n))
		clock("POST /reports/2023-09, save", http.StatusSeeOther, func() (*http.Response, []byte, error) {
			return reporter.do(ctx, http.MethodPost, "/reports/2023-09", "application/x-www-form-urlencoded", []byte(form.Encode()))
		})
	}
	return took
}

// stride is above every id of the demo, and so the distance between its copies.
const stride = 100_000

// multiply lays so many copies of the demo's plan beside it, with departments of
// their own and twelve approved months for each indicator.
func multiply(b *testing.B, address string, plans int) {
	b.Helper()
	ctx := context.WithoutCancel(b.Context())
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(ctx)
	run := func(sql string) {
		b.Helper()
		if _, err := conn.Exec(ctx, sql); err != nil {
			b.Fatalf("%v in\n%s", err, sql)
		}
	}
	// A copy as a dump would be loaded: no triggers, no checks between tables.
	run("SET session_replication_role = replica; SET synchronous_commit = off; SET maintenance_work_mem = '1GB'")
	// Columns that hold ids move by the stride, names that must be unique get the copy's number.
	for _, t := range []struct {
		name  string
		ids   []string
		names []string
	}{
		{"department", []string{"id"}, []string{"slug", "name"}},
		{"plan", []string{"id"}, []string{"slug"}},
		{"project", []string{"id", "plan_id", "lead_department_id"}, nil},
		{"cooperation", []string{"project_id", "department_id"}, nil},
		{"indicator", []string{"id", "project_id"}, nil},
		{"indicator_nature", []string{"id", "indicator_id"}, nil},
		{"indicator_target", []string{"id", "indicator_id"}, nil},
		{"indicator_curve", []string{"id", "indicator_id"}, nil},
		{"indicator_definition", []string{"id", "indicator_id"}, nil},
		{"indicator_relation", []string{"indicator_id", "not_above_id"}, nil},
		{"light_rule", []string{"id", "plan_id"}, nil},
		{"task", []string{"id", "project_id"}, nil},
		{"scenario", []string{"id", "project_id"}, nil},
		{"task_update", []string{"id", "task_id", "department_id"}, nil},
		{"milestone", []string{"id", "scenario_id"}, nil},
		{"plan_edition", []string{"plan_id"}, nil},
	} {
		rows, err := conn.Query(ctx, `SELECT column_name FROM information_schema.columns WHERE table_name = $1 AND table_schema = current_schema() ORDER BY ordinal_position`, t.name)
		if err != nil {
			b.Fatal(err)
		}
		columns, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			b.Fatal(err)
		}
		values := make([]string, len(columns))
		for i, c := range columns {
			switch {
			case slices.Contains(t.ids, c):
				values[i] = fmt.Sprintf("x.%s + k * %d", c, stride)
			case slices.Contains(t.names, c):
				values[i] = fmt.Sprintf("x.%s || '-' || k", c)
			case t.name == "plan" && (c == "year" || c == "baseline_year"):
				values[i] = "x." + c + " - 1 - k % 20" // the demo's stays the newest
			default:
				values[i] = "x." + c
			}
		}
		run(fmt.Sprintf("INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM %s x, generate_series(1, %d) k",
			t.name, strings.Join(columns, ", "), strings.Join(values, ", "), t.name, plans))
	}
	// One revision for each month, submitted and approved, with their history.
	copied := fmt.Sprintf(`(SELECT i.id * 12 + m AS id, i.id AS indicator_id, j.id AS project_id, j.plan_id, j.lead_department_id AS department_id, i.code,
		make_date(p.year, m, 1) AS month, make_timestamptz(p.year, m, 28, 9, 0, 0) AS at, m
		FROM indicator i JOIN project j ON j.id = i.project_id JOIN plan p ON p.id = j.plan_id, generate_series(1, 12) m WHERE i.id > %d) c`, stride)
	run("INSERT INTO report (id, indicator_id, month, state, revision, approved_revision, state_at) OVERRIDING SYSTEM VALUE SELECT id, indicator_id, month, 'approved', 1, 1, at FROM " + copied)
	run("INSERT INTO report_revision (id, report_id, revision, amount, submitted_by, submitted_at) OVERRIDING SYSTEM VALUE SELECT id, id, 1, m * 10, '填报员', at FROM " + copied)
	run("INSERT INTO report_event (id, report_id, revision, state, recorded_by, recorded_at) OVERRIDING SYSTEM VALUE SELECT id * 2 + s, id, 1, CASE s WHEN 0 THEN 'submitted' ELSE 'approved' END, '填报员', at FROM " + copied + ", generate_series(0, 1) s")
	run("INSERT INTO approved_value (id, indicator_id, month, report_id, revision, amount, reported_by, reported_at, approved_by, approved_at) OVERRIDING SYSTEM VALUE SELECT id, indicator_id, month, id, 1, m * 10, '填报员', at, '审核员', at FROM " + copied)
	run("INSERT INTO report_draft (indicator_id, month, version, value_text, open, saved_by, saved_at) SELECT indicator_id, month, 1, m * 10, false, '填报员', at FROM " + copied)
	run(`INSERT INTO history (id, recorded_at, actor, role, act, plan_id, project_id, department_id, indicator_id, month, object, after)
		OVERRIDING SYSTEM VALUE SELECT id * 2 + s, at, '填报员', 'reporter', CASE s WHEN 0 THEN 'report.submit' ELSE 'report.approve' END,
		plan_id, project_id, department_id, indicator_id, month, code, '{"value": "10", "state": "submitted", "revision": 1}' FROM ` + copied + ", generate_series(0, 1) s")
	rows, err := conn.Query(ctx, `SELECT format('SELECT setval(pg_get_serial_sequence(%L, ''id''), (SELECT max(id) FROM %I))', table_name, table_name)
		FROM information_schema.columns WHERE table_schema = current_schema() AND column_name = 'id' AND is_identity = 'YES'`)
	if err != nil {
		b.Fatal(err)
	}
	sequences, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		b.Fatal(err)
	}
	for _, sql := range sequences {
		run(sql)
	}
	run("VACUUM (ANALYZE)")
	var reports, history int
	if err := conn.QueryRow(ctx, "SELECT (SELECT count(*) FROM report), (SELECT count(*) FROM history)").Scan(&reports, &history); err != nil {
		b.Fatal(err)
	}
	b.Logf("%d reports, %d lines of history", reports, history)
}
