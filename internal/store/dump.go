package store

import (
	"archive/zip"
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// A dump is a zip file: one entry a table in PostgreSQL's text COPY format, then
// manifest.json with the schema's version, and each table's columns, number of
// rows and SHA-256. The manifest is the last entry, so that a file cut off in the
// middle has none.

// dumpFormat is the version of the file's form.
const dumpFormat = 1

// notDumped are tables that belong to one installation: who is signed in, jobs
// under way, the migrator's own, and counts that triggers keep.
var notDumped = []string{"schema_migrations", "schema_marker", "session", "sign_in_failure", "provider_sign_in", "plan_edition", "data_version",
	"river_job", "river_leader", "river_queue", "river_notification"}

// Manifest is what a dump says of itself.
type Manifest struct {
	Format  int             `json:"format"`
	Schema  int             `json:"schema"`
	At      time.Time       `json:"at"`
	History string          `json:"history"` // head of the chain: 128:1f3a…
	Tables  []TableManifest `json:"tables"`
}

// TableManifest is one table of a dump.
type TableManifest struct {
	Name    string   `json:"name"`
	Columns []string `json:"columns"`
	Rows    int64    `json:"rows"`
	SHA256  string   `json:"sha256"`
}

// Rows is how many rows the dump holds in all.
func (m Manifest) Rows() int64 {
	var n int64
	for _, t := range m.Tables {
		n += t.Rows
	}
	return n
}

// Dump writes the whole database as of one moment to w, evidence files included.
func Dump(ctx context.Context, pool *pgxpool.Pool, schema int, now time.Time, w io.Writer) (Manifest, error) {
	m := Manifest{Format: dumpFormat, Schema: schema, At: now}
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return m, wrap(err, "dump")
	}
	defer conn.Release()
	z := zip.NewWriter(w)
	err = pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0"); err != nil {
			return wrap(err, "dump")
		}
		tables, err := tablesInOrder(ctx, tx)
		if err != nil {
			return err
		}
		for i := range tables {
			if err := dumpTable(ctx, tx, z, &tables[i]); err != nil {
				return err
			}
		}
		m.Tables = tables
		head, err := New(tx).HistoryHead(ctx)
		if err != nil {
			return err
		}
		m.History = head.String()
		return nil
	})
	if err != nil {
		return m, err
	}
	part, err := z.Create("manifest.json")
	if err != nil {
		return m, fmt.Errorf("dump manifest: %w", err)
	}
	e := json.NewEncoder(part)
	e.SetIndent("", " ")
	if err := errors.Join(e.Encode(m), z.Close()); err != nil {
		return m, fmt.Errorf("dump manifest: %w", err)
	}
	return m, nil
}

// summed passes bytes on, summing them and counting lines.
type summed struct {
	w     io.Writer
	sum   hash.Hash
	lines int64
}

func (s *summed) Write(p []byte) (int, error) {
	s.sum.Write(p)
	for _, b := range p {
		if b == '\n' { // COPY writes one row a line and escapes line ends in values
			s.lines++
		}
	}
	return s.w.Write(p)
}

func dumpTable(ctx context.Context, tx pgx.Tx, z *zip.Writer, t *TableManifest) error {
	part, err := z.Create(t.Name + ".copy")
	if err != nil {
		return fmt.Errorf("dump %s: %w", t.Name, err)
	}
	s := &summed{w: part, sum: sha256.New()}
	tag, err := tx.Conn().PgConn().CopyTo(ctx, s, fmt.Sprintf("COPY %s (%s) TO STDOUT", quoteName(t.Name), quoteNames(t.Columns)))
	if err != nil {
		return wrap(err, "dump %s", t.Name)
	}
	t.Rows, t.SHA256 = tag.RowsAffected(), hex.EncodeToString(s.sum.Sum(nil))
	if s.lines != t.Rows {
		return fmt.Errorf("dump %s: wrote %d lines for %d rows", t.Name, s.lines, t.Rows)
	}
	return nil
}

// tablesInOrder are the tables with their columns, each after those it refers
// to. Tables that refer to themselves stand in the order of their ids.
func tablesInOrder(ctx context.Context, tx pgx.Tx) ([]TableManifest, error) {
	rows, err := tx.Query(ctx, `
		SELECT c.relname AS name,
			array(SELECT attname::text FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum) AS columns,
			array(SELECT DISTINCT r.relname::text FROM pg_constraint k JOIN pg_class r ON r.oid = k.confrelid
				WHERE k.conrelid = c.oid AND k.contype = 'f' AND k.confrelid <> c.oid) AS refers
		FROM pg_class c
		WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND NOT c.relname = ANY($1)
		ORDER BY c.relname`, notDumped)
	if err != nil {
		return nil, wrap(err, "list tables")
	}
	type tableRow struct {
		Name    string
		Columns []string
		Refers  []string
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[tableRow])
	if err != nil {
		return nil, wrap(err, "list tables")
	}
	var out []TableManifest
	placed := map[string]bool{}
	for len(out) < len(all) {
		before := len(out)
		for _, t := range all {
			ready := !placed[t.Name]
			for _, r := range t.Refers {
				ready = ready && (placed[r] || slices.Contains(notDumped, r))
			}
			if ready {
				placed[t.Name] = true
				out = append(out, TableManifest{Name: t.Name, Columns: t.Columns})
			}
		}
		if len(out) == before {
			return nil, errors.New("list tables: they refer to one another in a circle")
		}
	}
	return out, nil
}

func quoteName(s string) string { return pgx.Identifier{s}.Sanitize() }

func quoteNames(names []string) string {
	out := ""
	for i, n := range names {
		if i > 0 {
			out += ", "
		}
		out += quoteName(n)
	}
	return out
}

// ReadManifest reads and checks what a dump says of itself, without its tables.
func ReadManifest(z *zip.Reader) (Manifest, error) {
	var m Manifest
	f, err := z.Open("manifest.json")
	if err != nil {
		return m, errors.New("this is not a whole dump of landmark: it has no manifest")
	}
	defer f.Close()
	if err := json.NewDecoder(io.LimitReader(f, 1<<20)).Decode(&m); err != nil {
		return m, fmt.Errorf("the dump's manifest cannot be read: %w", err)
	}
	if m.Format != dumpFormat {
		return m, fmt.Errorf("the dump has form %d, this program reads form %d", m.Format, dumpFormat)
	}
	return m, nil
}

// Restore fills an empty database at the dump's schema from z, in one
// transaction: every sum, every count and the history's chain must agree, or
// nothing is kept. conn must be the owner's, for triggers are switched off.
func Restore(ctx context.Context, conn *pgx.Conn, schema int, z *zip.Reader) (Manifest, error) {
	m, err := ReadManifest(z)
	if err != nil {
		return m, err
	}
	if m.Schema != schema {
		return m, fmt.Errorf("the dump has schema %d, this program %d: restore it with the program that wrote it, then upgrade", m.Schema, schema)
	}
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		tables, err := tablesInOrder(ctx, tx)
		if err != nil {
			return err
		}
		if err := sameTables(tables, m.Tables); err != nil {
			return err
		}
		for _, t := range tables {
			var some bool
			if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM "+quoteName(t.Name)+")").Scan(&some); err != nil {
				return wrap(err, "look into %s", t.Name)
			}
			if some {
				return fmt.Errorf("the database is not empty (table %s holds rows): restore into a new DATA_DIR or database", t.Name)
			}
		}
		for _, t := range m.Tables {
			if err := restoreTable(ctx, tx, z, t); err != nil {
				return err
			}
		}
		head, _, err := New(tx).VerifyHistory(ctx)
		if err != nil {
			return err
		}
		if head.String() != m.History {
			return fmt.Errorf("the restored history ends at %s, the dump's at %s", head, m.History)
		}
		return nil
	})
	return m, err
}

func sameTables(have, want []TableManifest) error {
	if len(have) != len(want) {
		return fmt.Errorf("the dump holds %d tables, the database has %d", len(want), len(have))
	}
	for i, t := range want {
		if have[i].Name != t.Name || !slices.Equal(have[i].Columns, t.Columns) {
			return fmt.Errorf("table %s of the dump is not the database's %s", t.Name, have[i].Name)
		}
	}
	return nil
}

func restoreTable(ctx context.Context, tx pgx.Tx, z *zip.Reader, t TableManifest) error {
	f, err := z.Open(t.Name + ".copy")
	if err != nil {
		return fmt.Errorf("the dump lacks table %s: %w", t.Name, err)
	}
	defer f.Close()
	// What copying fires would seal the history anew.
	if _, err := tx.Exec(ctx, "ALTER TABLE "+quoteName(t.Name)+" DISABLE TRIGGER USER"); err != nil {
		return wrap(err, "restore %s", t.Name)
	}
	sum := sha256.New()
	tag, err := tx.Conn().PgConn().CopyFrom(ctx, io.TeeReader(bufio.NewReaderSize(f, 1<<16), sum),
		fmt.Sprintf("COPY %s (%s) FROM STDIN", quoteName(t.Name), quoteNames(t.Columns)))
	if err != nil {
		return wrap(err, "restore %s", t.Name)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != t.SHA256 || tag.RowsAffected() != t.Rows {
		return fmt.Errorf("table %s is damaged in the dump: %d rows, sum %.12s; its manifest says %d, %.12s", t.Name, tag.RowsAffected(), got, t.Rows, t.SHA256)
	}
	if _, err := tx.Exec(ctx, "ALTER TABLE "+quoteName(t.Name)+" ENABLE TRIGGER USER"); err != nil {
		return wrap(err, "restore %s", t.Name)
	}
	if slices.Contains(t.Columns, "id") { // numbers go on where they were
		var sequence *string
		if err := tx.QueryRow(ctx, "SELECT pg_get_serial_sequence($1, 'id')", quoteName(t.Name)).Scan(&sequence); err != nil {
			return wrap(err, "restore %s", t.Name)
		}
		if sequence != nil {
			if _, err := tx.Exec(ctx, "SELECT setval($1::regclass, coalesce((SELECT max(id) FROM "+quoteName(t.Name)+"), 0) + 1, false)", *sequence); err != nil {
				return wrap(err, "restore %s", t.Name)
			}
		}
	}
	return nil
}
