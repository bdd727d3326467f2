package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"landmark/internal/pgtest"
)

// The rights of the two roles that are not the owner, table by table: a table
// added without thought of them fails here.
func TestGrants(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	pool := pgtest.DB(t)
	type right struct {
		Table string
		App   string
		Read  string
	}
	rows, err := pool.Query(ctx, `
		SELECT c.relname AS table,
			concat_ws(' ', CASE WHEN has_table_privilege('landmark_app', c.oid, 'SELECT') THEN 'select' END,
				CASE WHEN has_table_privilege('landmark_app', c.oid, 'INSERT') THEN 'insert' END,
				CASE WHEN has_table_privilege('landmark_app', c.oid, 'UPDATE') THEN 'update' END,
				CASE WHEN has_table_privilege('landmark_app', c.oid, 'DELETE') THEN 'delete' END,
				CASE WHEN has_table_privilege('landmark_app', c.oid, 'TRUNCATE,REFERENCES,TRIGGER') THEN 'more' END) AS app,
			concat_ws(' ', CASE WHEN has_table_privilege('landmark_read', c.oid, 'SELECT') THEN 'select' END,
				CASE WHEN has_table_privilege('landmark_read', c.oid, 'INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER') THEN 'more' END) AS read
		FROM pg_class c
		WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
		ORDER BY c.relname`)
	if err != nil {
		t.Fatal(err)
	}
	rights, err := pgx.CollectRows(rows, pgx.RowToStructByName[right])
	if err != nil {
		t.Fatal(err)
	}
	// What is not listed here is append-only for the program and open to read.
	app := map[string]string{
		"account": "select insert update", "department": "select insert update", "plan": "select insert update", "project": "select insert update",
		"indicator": "select insert update", "report": "select insert update", "bulletin_draft": "select insert update", "letter_draft": "select insert update", "plan_edition": "select insert update",
		"department_alias": "select insert delete", "draft_evidence": "select insert delete", "history_pending": "select insert delete",
		"sign_in_failure": "select insert delete", "session": "select insert update delete", "report_draft": "select insert update delete",
		"task_draft": "select insert update delete", "submission_key": "select insert update delete",
		"account_identity": "select insert delete", "password_history": "select insert delete", "provider_sign_in": "select insert delete",
		"schema_marker": "select", "schema_migrations": "select", "data_version": "select update",
		"river_job": "select insert update delete", "river_leader": "select insert update delete", "river_queue": "select insert update delete",
		"river_notification": "select insert update delete",
	}
	read := map[string]string{"account": "", "session": "", "sign_in_failure": "", "evidence": "", "account_identity": "", "password_history": "", "provider_sign_in": "", "robot": "", "delivery": ""}
	want := make([]right, len(rights))
	for i, r := range rights {
		want[i] = right{Table: r.Table, App: "select insert", Read: "select"}
		if v, ok := app[r.Table]; ok {
			want[i].App = v
		}
		if v, ok := read[r.Table]; ok {
			want[i].Read = v
		}
	}
	if diff := cmp.Diff(want, rights); diff != "" {
		t.Errorf("rights (-want +got):\n%s", diff)
	}
	for _, role := range []string{"landmark_app", "landmark_read"} {
		for _, sql := range []string{"CREATE TABLE public.extra (a int)", "DROP TABLE public.history", "ALTER TABLE public.history DISABLE TRIGGER ALL",
			"CREATE ROLE intruder", "COPY public.plan FROM PROGRAM 'true'", "SET session_replication_role = replica"} {
			tx, err := pool.Begin(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tx.Exec(ctx, "SET ROLE "+role); err != nil {
				t.Fatal(err)
			}
			if _, err := tx.Exec(ctx, sql); err == nil {
				t.Errorf("%s may %s", role, sql)
			}
			if err := tx.Rollback(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
}
