package store_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"landmark/internal/landmark"
	"landmark/internal/pgtest"
	"landmark/internal/store"
)

// What a store keeps of a plan must not outlive a change made by anybody, however
// it was written: after each of these the store that kept the plan reads the same
// as one that never saw it.
func TestKeptOutlineSeesEveryChange(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	pool := pgtest.DB(t)
	kept := store.New(pool)
	if err := kept.InsertPlan(ctx, smallPlan(), landmark.Actor{Name: "命令行"}, importedAt); err != nil {
		t.Fatal(err)
	}
	const indicator = "(SELECT min(id) FROM indicator)"
	changes := map[string]string{
		"plan":                 `UPDATE plan SET title = title || '(修订)'`,
		"project":              `UPDATE project SET name = name || '(修订)'`,
		"department":           `UPDATE department SET name = name || '(新)'`,
		"cooperation":          `UPDATE cooperation SET printed = printed || '(新)'`,
		"indicator":            `UPDATE indicator SET name = name || '(新)'`,
		"task":                 `UPDATE task SET text = text || '(新)'`,
		"scenario":             `UPDATE scenario SET name = name || '(新)'`,
		"period":               `INSERT INTO period (plan_id, month, opens_on, due_on, grace_on, lock_on, recorded_by, recorded_at) SELECT id, '2023-06-01', '2023-06-30', '2023-07-09', '2023-07-11', '2023-07-20', '办', now() FROM plan`,
		"extension":            `INSERT INTO extension (plan_id, department_id, month, due_on, reason, recorded_by, recorded_at) SELECT p.id, d.id, '2023-06-01', '2023-07-12', '汛期', '办', now() FROM plan p, (SELECT min(id) AS id FROM department) d`,
		"light_rule":           `INSERT INTO light_rule (plan_id, from_month, tolerance, red_line, recorded_by, recorded_at) SELECT id, '2023-07-01', 7, 17, '办', now() FROM plan`,
		"indicator_nature":     `INSERT INTO indicator_nature (indicator_id, kind, direction, unit, decimals, measured, confirmed, recorded_by, recorded_at) VALUES (` + indicator + `, 'level', 'down', '天', 3, 'annual', true, '办', now())`,
		"indicator_baseline":   `INSERT INTO indicator_baseline (indicator_id, text, amount, recorded_by, recorded_at) VALUES (` + indicator + `, '8', 8, '办', now())`,
		"indicator_target":     `INSERT INTO indicator_target (indicator_id, from_month, amount, text, recorded_by, recorded_at) VALUES (` + indicator + `, '2023-07-01', 77, '77', '办', now())`,
		"indicator_curve":      `INSERT INTO indicator_curve (indicator_id, from_month, points, recorded_by, recorded_at) VALUES (` + indicator + `, '2023-07-01', '[{"month": "2023-10", "amount": "5"}]', '办', now())`,
		"indicator_definition": `INSERT INTO indicator_definition (indicator_id, from_month, text, recorded_by, recorded_at) VALUES (` + indicator + `, '2023-07-01', '口径', '办', now())`,
		"indicator_relation":   `INSERT INTO indicator_relation (indicator_id, not_above_id) SELECT max(id), min(id) FROM indicator`,
	}
	now := time.Date(2023, 7, 4, 9, 0, 0, 0, time.UTC)
	read := func(st *store.Store) *landmark.Record {
		t.Helper()
		r, err := st.Record(ctx, "", time.Time{}, now, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	before := read(kept)
	for _, table := range slices.Sorted(maps.Keys(changes)) {
		tag, err := pool.Exec(ctx, changes[table])
		if err != nil || tag.RowsAffected() == 0 {
			t.Fatalf("%s: changed %d rows, error %v", table, tag.RowsAffected(), err)
		}
		got, want := read(kept), read(store.New(pool))
		if diff := cmp.Diff(want, got, compared...); diff != "" {
			t.Errorf("after a change of %s (-new +kept):\n%s", table, diff)
		}
		if cmp.Equal(before, got, compared...) {
			t.Errorf("the change of %s cannot be seen in the record: it tests nothing", table)
		}
		before = got
	}

	// Every table that a plan's outline is read from has its triggers, and is above.
	rows, err := pool.Query(ctx, `SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgfoid = 'advance_edition'::regproc GROUP BY 1 ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	watched, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range watched {
		if changes[table] == "" {
			t.Errorf("table %s is watched and no change of it is tried", table)
		}
	}
	if len(watched) != len(changes) {
		t.Errorf("%d tables are watched, changes of %d are tried", len(watched), len(changes))
	}
}

// A plan that comes to be the newest is what the empty name means from then on.
func TestKeptOutlineGivesWayToNewerPlan(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	st := store.New(pgtest.DB(t))
	for _, year := range []int{2023, 2024} {
		p := smallPlan()
		p.Slug, p.Year, p.BaselineYear = fmt.Sprintf("plan-%d", year), year, year-1
		if err := st.InsertPlan(ctx, p, landmark.Actor{Name: "命令行"}, importedAt); err != nil {
			t.Fatal(err)
		}
		r, err := st.Record(ctx, "", time.Time{}, importedAt, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		if r.Plan.Year != year {
			t.Errorf("the newest plan is of %d, want %d", r.Plan.Year, year)
		}
	}
}

var compared = []cmp.Option{cmp.Comparer(func(a, b *time.Location) bool { return a.String() == b.String() })}
