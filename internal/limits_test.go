package internal

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// limitName is how a constant is called that bounds what people or programs may do.
var limitName = regexp.MustCompile(`^(max|min|most|Max|Min)[A-Z]`)

// notPeoples are constants called like limits that bound nothing from outside.
var notPeoples = map[string]string{
	"internal/auth.maxAsking":      "statements under way, inside",
	"internal/auth.MinKey":         "the operator's own",
	"internal/clamd.maxAnswer":     "of a scanner",
	"internal/server.maxStored":    "of the compression's format",
	"internal/store.maxOutlines":   "kept in memory, inside",
	"internal/landmark.maxQuoted":  "how much a message repeats",
	"internal/landmark.maxSlugLen": "of names made by the program",
	"internal/sheet.maxRowHeight":  "a spreadsheet's own",
}

// The limits that docs/limits.md promises are those of the code, and no limit of the
// code is left out of it.
func TestLimits(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/limits.md")
	if err != nil {
		t.Fatal(err)
	}
	have := constants(t, os.DirFS(".."))
	listed := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 5 || !strings.Contains(cells[3], "`") {
			continue
		}
		name, said := strings.Trim(cells[3], " `"), strings.TrimSpace(cells[2])
		if listed[name] {
			t.Errorf("%s stands twice", name)
		}
		listed[name] = true
		got, there := have[name]
		want, err := quantity(said)
		switch {
		case err != nil:
			t.Errorf("%s: %v", name, err)
		case !there:
			t.Errorf("there is no constant %s", name)
		case got != want:
			t.Errorf("%s is %d in the code, %d (%s) in docs/limits.md", name, got, want, said)
		}
	}
	if len(listed) < 40 {
		t.Errorf("only %d limits are listed", len(listed))
	}
	for name := range have {
		_, base, _ := strings.Cut(path.Base(name), ".")
		if limitName.MatchString(base) && !listed[name] && notPeoples[name] == "" {
			t.Errorf("%s is a limit that docs/limits.md does not name", name)
		}
	}
	for name, why := range notPeoples {
		if _, there := have[name]; !there {
			t.Errorf("there is no constant %s (%s)", name, why)
		}
	}
}

var units = map[string]int64{"": 1, "KiB": 1 << 10, "MiB": 1 << 20, "s": int64(time.Second), "min": int64(time.Minute), "h": int64(time.Hour), "days": 24 * int64(time.Hour)}

// quantity reads 4 MiB, 15 min, 5,000 or 4 MiB + 64 KiB.
func quantity(said string) (sum int64, err error) {
	for term := range strings.SplitSeq(said, "+") {
		number, unit, _ := strings.Cut(strings.TrimSpace(term), " ")
		factor, known := units[unit]
		if !known {
			return 0, fmt.Errorf("no unit %q in %q", unit, said)
		}
		whole, fraction, _ := strings.Cut(strings.ReplaceAll(number, ",", ""), ".")
		n, err := strconv.ParseInt(whole+fraction, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%q is no quantity: %w", said, err)
		}
		for range fraction {
			factor /= 10
		}
		sum += n * factor
	}
	return sum, nil
}

// constants are the whole-number constants of our packages by path and name, also
// those within functions.
func constants(t *testing.T, root fs.FS) map[string]int64 {
	t.Helper()
	exprs := map[string]ast.Expr{}
	err := fs.WalkDir(root, "internal", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		src, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, src, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			g, ok := decl.(*ast.GenDecl)
			if !ok || g.Tok != token.CONST {
				continue
			}
			for _, spec := range g.Specs {
				v, ok := spec.(*ast.ValueSpec)
				if !ok || len(v.Values) != len(v.Names) {
					continue
				}
				for i, n := range v.Names {
					exprs[path.Dir(name)+"."+n.Name] = v.Values[i]
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int64{}
	for name, e := range exprs {
		pkg := name[:strings.LastIndex(name, ".")]
		if v, ok := evaluate(e, pkg, exprs); ok {
			out[name] = v
		}
	}
	return out
}

// evaluate works out a constant of numbers, of durations and of the package's own
// constants.
func evaluate(e ast.Expr, pkg string, exprs map[string]ast.Expr) (int64, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		n, err := strconv.ParseInt(strings.ReplaceAll(e.Value, "_", ""), 0, 64)
		return n, e.Kind == token.INT && err == nil
	case *ast.ParenExpr:
		return evaluate(e.X, pkg, exprs)
	case *ast.Ident:
		of, known := exprs[pkg+"."+e.Name]
		if !known {
			return 0, false
		}
		return evaluate(of, pkg, exprs)
	case *ast.SelectorExpr:
		if x, ok := e.X.(*ast.Ident); !ok || x.Name != "time" {
			return 0, false
		}
		names := []string{"Nanosecond", "Microsecond", "Millisecond", "Second", "Minute", "Hour"}
		sizes := []time.Duration{time.Nanosecond, time.Microsecond, time.Millisecond, time.Second, time.Minute, time.Hour}
		i := slices.Index(names, e.Sel.Name)
		if i < 0 {
			return 0, false
		}
		return int64(sizes[i]), true
	case *ast.BinaryExpr:
		a, okA := evaluate(e.X, pkg, exprs)
		b, okB := evaluate(e.Y, pkg, exprs)
		if !okA || !okB {
			return 0, false
		}
		switch e.Op {
		case token.ADD:
			return a + b, true
		case token.SUB:
			return a - b, true
		case token.MUL:
			return a * b, true
		case token.SHL:
			return a << b, true
		}
	}
	return 0, false
}
