package migrations

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// Our files make River's tables exactly as the version of River in go.mod
// expects them: a newer River with another schema fails here.
func TestRiverSchema(t *testing.T) {
	t.Parallel()
	const catalog = `
		SELECT line FROM (
			SELECT format('column %s.%s %s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
				pg_get_expr(d.adbin, d.adrelid)) AS line
			FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
			LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
			WHERE c.relkind = 'r' AND c.relname LIKE 'river\_%' AND c.relname <> 'river_migration'
			UNION ALL
			SELECT format('table %s %s', relname, relpersistence) FROM pg_class WHERE relkind = 'r' AND relname LIKE 'river\_%' AND relname <> 'river_migration'
			UNION ALL
			SELECT format('constraint %s.%s %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint
			WHERE conrelid::regclass::text LIKE 'river\_%' AND conrelid::regclass::text <> 'river_migration'
			UNION ALL
			SELECT format('index %s', indexdef) FROM pg_indexes WHERE tablename LIKE 'river\_%' AND tablename <> 'river_migration'
			UNION ALL
			SELECT format('state %s %s', t.typname, e.enumlabel) FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid
			UNION ALL
			SELECT format('function %s(%s) %s %s', proname, pg_get_function_arguments(oid), provolatile, regexp_replace(prosrc, '\s+|;', '', 'g'))
			FROM pg_proc WHERE proname LIKE 'river\_%'
		) AS all_of_it (line)
		ORDER BY line`

	ours := emptyDatabase(t)
	if err := Up(t.Context(), ours); err != nil {
		t.Fatal(err)
	}
	theirs := emptyDatabase(t)
	pool, err := pgxpool.New(t.Context(), theirs)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	m, err := rivermigrate.New(riverpgxv5.New(pool), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Migrate(t.Context(), rivermigrate.DirectionUp, nil); err != nil {
		t.Fatal(err)
	}
	got, want := lines(t, ours, catalog), lines(t, theirs, catalog)
	if !slices.ContainsFunc(want, func(l string) bool { return strings.HasPrefix(l, "column river_job.") }) {
		t.Fatalf("River's own schema was not read: %q", want)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("River's schema (-River +ours):\n%s", diff)
	}
}
