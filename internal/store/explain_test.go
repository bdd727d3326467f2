package store_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"landmark/internal/pgtest"
)

// growing are the tables that grow with plans, months, people or visits. What
// reads one must find its rows by an index, or it gets slower by the year.
var growing = []string{
	"plan", "project", "cooperation", "indicator", "indicator_nature", "indicator_baseline", "indicator_target", "indicator_curve",
	"indicator_definition", "indicator_relation", "light_rule", "task", "scenario", "plan_edition", "period", "extension",
	"report", "report_revision", "report_event", "approved_value", "report_draft", "task_draft", "task_update", "milestone", "light_override",
	"evidence", "draft_evidence", "revision_evidence", "submission_key", "notice", "notice_seen", "delivery", "delivery_attempt", "chase", "chase_seen", "history", "history_seal",
	"session", "sign_in_failure", "bulletin_issue", "bulletin_draft",
}

// whole are statements that read a growing table from end to end, and why they may.
var whole = map[string]string{
	"Plans":         "the list of plans names every plan",
	"Holdings":      "asked once, when the program starts",
	"verifyHistory": "db verify checks every line",
	"Deliveries":    "the office narrows its log by anything",
	"ReportCounts":  "monitoring counts every report by its state, once a minute",
	"WorkCounts":    "monitoring counts every delivery by its state",
	"Restore":       "whether a table is empty, of a database that should be",
}

// varied are parts of statements that are put together as the program runs, each
// as one of the forms it may take.
var varied = map[string][]string{
	"suffix":       {"", " FOR UPDATE"},
	"where":        {"plan_id = $1 AND month = $2", "id = (SELECT max(id) FROM bulletin_issue WHERE plan_id = $1)", "plan_id = $1"},
	"quoteName(…)": {"light_override"},
	"planBy(…)":    {"SELECT id FROM plan WHERE slug = $1 AND created_at <= $2", "SELECT id FROM plan WHERE $1 = '' AND created_at <= $2 ORDER BY year DESC, id DESC LIMIT 1"},
}

// Every statement of the package is planned as the database plans it for any
// arguments, with scans of whole tables forbidden where there is another way. A
// statement that scans one all the same has no index to go by.
func TestStatementsGoByAnIndex(t *testing.T) {
	t.Parallel()
	statements := statementsOf(t, ".")
	if len(statements) < 80 {
		t.Fatalf("found only %d statements in the package: the test reads it wrongly", len(statements))
	}
	conn, err := pgx.Connect(t.Context(), pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), `SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_hashjoin = off;
		SET enable_mergejoin = off; SET enable_material = off; SET enable_memoize = off`); err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, s := range statements {
		faults := planFaults(t, conn, s)
		if _, ok := whole[s.function]; ok {
			used[s.function] = used[s.function] || len(faults) > 0
			continue
		}
		for _, fault := range faults {
			t.Errorf("%s: %s in\n%s", s.function, fault, s.sql)
		}
	}
	for function, why := range whole {
		if !used[function] {
			t.Errorf("%s no longer reads a whole table (%s): take it off the list", function, why)
		}
	}
}

type statement struct{ function, sql string }

var verb = regexp.MustCompile(`^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b`)

// statementsOf finds the SQL in a package's functions: each string expression that
// begins with a verb, put together from literals, constants and varied parts.
func statementsOf(t *testing.T, dir string) []statement {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	constants := map[string]ast.Expr{}
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			if v, ok := n.(*ast.ValueSpec); ok {
				for i, name := range v.Names {
					if i < len(v.Values) {
						constants[name.Name] = v.Values[i]
					}
				}
			}
			return true
		})
	}
	var out []statement
	var fold func(e ast.Expr) ([]string, bool)
	fold = func(e ast.Expr) ([]string, bool) {
		switch e := e.(type) {
		case *ast.BasicLit:
			if e.Kind != token.STRING {
				return nil, false
			}
			text, err := strconv.Unquote(e.Value)
			return []string{text}, err == nil
		case *ast.ParenExpr:
			return fold(e.X)
		case *ast.BinaryExpr:
			left, ok := fold(e.X)
			right, ok2 := fold(e.Y)
			var all []string
			for _, l := range left {
				for _, r := range right {
					all = append(all, l+r)
				}
			}
			return all, ok && ok2
		case *ast.Ident:
			if v, ok := varied[e.Name]; ok {
				return v, true
			}
			if c, ok := constants[e.Name]; ok {
				return fold(c)
			}
		case *ast.CallExpr:
			if f, ok := e.Fun.(*ast.Ident); ok {
				v, ok := varied[f.Name+"(…)"]
				return v, ok
			}
		}
		return nil, false
	}
	for _, file := range files {
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				e, ok := n.(ast.Expr)
				if !ok {
					return true
				}
				switch e.(type) {
				case *ast.BinaryExpr, *ast.BasicLit:
				default:
					return true
				}
				first := e
				for {
					b, ok := first.(*ast.BinaryExpr)
					if !ok {
						break
					}
					first = b.X
				}
				lit, ok := first.(*ast.BasicLit)
				if !ok || lit.Kind != token.STRING {
					return true
				}
				text, err := strconv.Unquote(lit.Value)
				if err != nil || !verb.MatchString(text) {
					return true
				}
				all, ok := fold(e)
				if !ok {
					t.Errorf("%s: a statement has a part the test cannot put together; add it to varied:\n%s", f.Name.Name, text)
				}
				for _, sql := range all {
					out = append(out, statement{f.Name.Name, sql})
				}
				return false
			})
		}
	}
	return out
}

// planFaults says which growing tables a statement reads without an index.
func planFaults(t *testing.T, conn *pgx.Conn, s statement) []string {
	t.Helper()
	ctx := t.Context()
	if _, err := conn.Exec(ctx, "PREPARE asked AS "+s.sql); err != nil {
		t.Errorf("%s: %v in\n%s", s.function, err, s.sql)
		return nil
	}
	defer func() {
		if _, err := conn.Exec(ctx, "DEALLOCATE asked"); err != nil {
			t.Error(err)
		}
	}()
	var n int
	if err := conn.QueryRow(ctx, "SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = 'asked'").Scan(&n); err != nil {
		t.Fatal(err)
	}
	call := "EXECUTE asked"
	if n > 0 {
		call += "(" + strings.TrimSuffix(strings.Repeat("NULL,", n), ",") + ")"
	}
	var text string
	if err := conn.QueryRow(ctx, "EXPLAIN (FORMAT JSON) "+call, pgx.QueryExecModeSimpleProtocol).Scan(&text); err != nil {
		t.Errorf("%s: %v in\n%s", s.function, err, s.sql)
		return nil
	}
	var explained []struct{ Plan planNode }
	if err := json.Unmarshal([]byte(text), &explained); err != nil {
		t.Fatal(err)
	}
	var faults []string
	explained[0].Plan.walk(false, &faults)
	return faults
}

type planNode struct {
	Type     string     `json:"Node Type"`
	Relation string     `json:"Relation Name"`
	Index    string     `json:"Index Name"`
	Cond     string     `json:"Index Cond"`
	Plans    []planNode `json:"Plans"`
}

// walk collects faults; limited says that a limit above stops the reading early.
func (p planNode) walk(limited bool, faults *[]string) {
	limited = limited || p.Type == "Limit"
	if slices.Contains([]string{"Sort", "Aggregate", "Hash", "WindowAgg"}, p.Type) {
		limited = false // these want all rows first
	}
	if slices.Contains(growing, p.Relation) {
		switch {
		case p.Type == "Seq Scan":
			*faults = append(*faults, "a scan of the whole of "+p.Relation)
		case strings.HasPrefix(p.Type, "Index") && p.Cond == "" && !limited:
			*faults = append(*faults, fmt.Sprintf("the whole of %s by index %s", p.Relation, p.Index))
		}
	}
	for _, c := range p.Plans {
		c.walk(limited, faults)
	}
}
