// Package internal holds no code, only the rules between the packages.
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
	"testing/fstest"
)

const module = "landmark"

// mayImport lists for every package which others of ours it may use. A package
// that is not in it fails the test: a new one needs a place in this list.
var mayImport = map[string][]string{
	"internal/landmark": {},
	"internal/localpg":  {},
	"internal/clamd":    {}, // an outside system's protocol
	"migrations":        {},
	"seeds":             {},
	"web/static":        {},
	"internal/store":    {"internal/landmark"},
	"internal/sheet":    {"internal/landmark"},
	"internal/reporting": {
		"internal/landmark", "internal/store", "internal/sheet",
	},
	"internal/planning": {
		"internal/landmark", "internal/store",
	},
	"internal/demo": {
		"internal/landmark", "internal/store", "internal/planning", "internal/reporting",
	},
	"internal/bulletin": {
		"internal/landmark", "internal/store", "internal/sheet",
	},
	"internal/auth": {
		"internal/landmark", "internal/store", "internal/sheet",
	},
	// What leaves the house: knows messages, not whom they are for.
	"internal/notify": {"internal/landmark"},
	"internal/jobs": {
		"internal/notify",
		"internal/landmark", "internal/store", "internal/sheet", "internal/reporting", "internal/bulletin", "internal/auth",
	},
	"web/view": {"internal/landmark", "web/static"},
	"internal/server": {
		"internal/landmark", "internal/store", "internal/sheet", "internal/reporting", "internal/planning", "internal/bulletin", "internal/auth",
		"internal/notify", "web/view", "web/static",
	},
	"cmd/landmark": {
		"internal/landmark", "internal/store", "internal/sheet", "internal/reporting", "internal/planning", "internal/bulletin", "internal/auth", "internal/demo",
		"internal/jobs", "internal/notify", "internal/server", "internal/tracing", "internal/localpg", "internal/clamd", "web/view", "web/static", "migrations", "seeds",
	},
	"internal/tracing": {},
	"internal/pgtest":  {"internal/localpg", "migrations"},
	"internal/torture": {}, // tests alone
}

// notFor lists what a package must not use of the standard library and of
// others; a trailing slash means everything below.
var notFor = map[string][]string{
	// Pure: what it knows of the world comes as arguments.
	"internal/landmark": {"context", "database/", "embed", "io/fs", "log", "log/", "math", "math/rand", "math/rand/v2", "net", "net/", "os", "os/", "github.com/jackc/", "github.com/a-h/"},
	// Shows what it is given.
	"web/view": {"database/", "log", "log/", "net", "net/http", "net/http/", "os", "os/", "github.com/jackc/", "github.com/go-chi/"},
}

// onlyIn lists who may use what nobody else may.
var onlyIn = []struct {
	path  string
	where []string
}{
	{"database/", []string{"internal/store", "migrations", "internal/pgtest"}},
	// localpg asks its server whether it is up; jobs and cmd pass the pool on.
	{"github.com/jackc/", []string{"internal/store", "migrations", "internal/pgtest", "internal/localpg", "internal/jobs", "cmd/landmark"}},
	{"math/rand", nil}, // what can be guessed is no secret
	{"math/rand/v2", nil},
	{"testing", []string{"internal/pgtest"}},
	{"testing/", nil},
	{"net/http/httptest", nil},
	{"github.com/google/go-cmp/", nil},
	{module + "/internal/pgtest", nil},
}

// sqlIn lists who may hold SQL.
var sqlIn = []string{"internal/store", "migrations", "internal/pgtest", "internal/localpg"}

// floatsIn lists the files of internal/landmark that may use floating point,
// with the reason. Amounts never do.
var floatsIn = map[string]string{}

// clocks are the functions of package time that know what time it is.
var clocks = []string{"Now", "Since", "Until", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick", "Sleep"}

// noClockIn lists who gets times as arguments only.
var noClockIn = []string{"internal/landmark", "web/view"}

// emptyNames say nothing of what a package is about.
var emptyNames = []string{"util", "utils", "common", "model", "models", "helper", "helpers", "service", "services"}

var (
	sql = regexp.MustCompile(`(?s)\bSELECT\b.+\bFROM\b|\bINSERT\s+INTO\b|\bUPDATE\s+\S+\s+SET\b|\bDELETE\s+FROM\b|\b(CREATE|ALTER|DROP)\s+(TABLE|INDEX|ROLE|DATABASE)\b`)

	handlerAttribute = regexp.MustCompile(`\son[a-z]+\s*=`)
	styleAttribute   = regexp.MustCompile(`\sstyle\s*=`)
	scriptTag        = regexp.MustCompile(`<script\b[^>]*>`)
	styleTag         = regexp.MustCompile(`<style\b`)
)

func TestRules(t *testing.T) {
	t.Parallel()
	for _, fault := range faults(t, os.DirFS("..")) {
		t.Error(fault)
	}
}

// faults checks all files of the main module.
func faults(t *testing.T, root fs.FS) (found []string) {
	t.Helper()
	read := 0
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			base := d.Name()
			if name != "." && (strings.HasPrefix(base, ".") || slices.Contains([]string{"bin", "var", "e2e", "node_modules", "testdata"}, base)) {
				return fs.SkipDir
			}
			return nil
		}
		if ext := path.Ext(name); ext != ".go" && ext != ".templ" {
			return nil
		}
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		read++
		if path.Ext(name) == ".templ" {
			found = append(found, templFaults(name, string(text))...)
			return nil
		}
		more, err := goFaults(name, text)
		found = append(found, more...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if read == 0 {
		t.Fatal("no files read")
	}
	return found
}

func goFaults(name string, text []byte) (found []string, err error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, text, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	fault := func(pos token.Pos, format string, args ...any) {
		found = append(found, fmt.Sprintf("%s:%d: %s", name, files.Position(pos).Line, fmt.Sprintf(format, args...)))
	}
	pkg := path.Dir(name)
	test := strings.HasSuffix(name, "_test.go")
	allowed, known := mayImport[pkg]
	if !known && pkg != "internal" {
		fault(file.Package, "package %s has no place in mayImport", pkg)
	}
	if slices.Contains(emptyNames, strings.TrimSuffix(file.Name.Name, "_test")) {
		fault(file.Package, "package name %s says nothing", file.Name.Name)
	}
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return found, err
		}
		if ours, ok := strings.CutPrefix(imported, module+"/"); ok && ours != pkg {
			if strings.HasPrefix(ours, "cmd/") || ours == "internal/server" && pkg != "cmd/landmark" {
				fault(spec.Pos(), "nobody imports %s", ours)
			} else if !test && !slices.Contains(allowed, ours) {
				fault(spec.Pos(), "%s may not import %s", pkg, ours)
			}
		}
		if test {
			continue
		}
		for _, rule := range onlyIn {
			if matches(imported, rule.path) && !slices.Contains(rule.where, pkg) {
				fault(spec.Pos(), "%s may not import %s", pkg, imported)
			}
		}
		for _, not := range notFor[pkg] {
			if matches(imported, not) {
				fault(spec.Pos(), "%s may not import %s", pkg, imported)
			}
		}
	}
	if test {
		return found, nil
	}
	_, floats := floatsIn[path.Base(name)]
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.BasicLit:
			if n.Kind == token.STRING && !slices.Contains(sqlIn, pkg) && sql.MatchString(n.Value) {
				fault(n.Pos(), "SQL outside internal/store")
			}
			if n.Kind == token.FLOAT && pkg == "internal/landmark" && !floats {
				fault(n.Pos(), "floating point in %s", pkg)
			}
		case *ast.Ident:
			if slices.Contains([]string{"float32", "float64", "Float64", "InexactFloat64", "NewFromFloat", "NewFromFloat32", "ParseFloat"}, n.Name) &&
				pkg == "internal/landmark" && !floats {
				fault(n.Pos(), "floating point in %s", pkg)
			}
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains(clocks, n.Sel.Name) && slices.Contains(noClockIn, pkg) {
				fault(n.Pos(), "time.%s in %s: times are arguments", n.Sel.Name, pkg)
			}
		}
		return true
	})
	return found, nil
}

// matches says whether an import path is rule, or below it if rule ends in a slash.
func matches(imported, rule string) bool {
	return imported == rule || strings.HasSuffix(rule, "/") && strings.HasPrefix(imported, rule)
}

// templFaults finds what the Content-Security-Policy forbids, and raw HTML.
func templFaults(name, text string) (found []string) {
	number := 0
	for line := range strings.Lines(text) {
		number++
		fault := func(what string) { found = append(found, fmt.Sprintf("%s:%d: %s", name, number, what)) }
		if handlerAttribute.MatchString(line) {
			fault("on… attribute: scripts are files")
		}
		if styleAttribute.MatchString(line) || styleTag.MatchString(line) {
			fault("inline style: styles are files, sizes are SVG attributes")
		}
		for _, tag := range scriptTag.FindAllString(line, -1) {
			if !strings.Contains(tag, " src=") {
				fault("inline script: scripts are files")
			}
		}
		if strings.Contains(line, "templ.Raw") {
			fault("templ.Raw switches escaping off")
		}
	}
	return found
}

// TestRulesFindFaults plants one fault of each kind, beside what is right.
func TestRulesFindFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file, text string
		want       string // in the one fault; empty: none
	}{
		"allowed import":         {"internal/store/a.go", `package store; import _ "landmark/internal/landmark"`, ""},
		"upward import":          {"internal/store/a.go", `package store; import _ "landmark/internal/reporting"`, "internal/store may not import internal/reporting"},
		"view and store":         {"web/view/a.go", `package view; import _ "landmark/internal/store"`, "web/view may not import internal/store"},
		"server and jobs":        {"internal/server/a.go", `package server; import _ "landmark/internal/jobs"`, "internal/server may not import internal/jobs"},
		"server imported":        {"internal/jobs/a_test.go", `package jobs; import _ "landmark/internal/server"`, "nobody imports internal/server"},
		"server by cmd":          {"cmd/landmark/a.go", `package main; import _ "landmark/internal/server"`, ""},
		"cmd imported":           {"internal/server/a_test.go", `package server; import _ "landmark/cmd/landmark"`, "nobody imports cmd/landmark"},
		"unknown package":        {"internal/extra/a.go", `package extra`, "no place in mayImport"},
		"empty name":             {"internal/store/a.go", `package util`, "says nothing"},
		"numbers to guess":       {"internal/auth/a.go", `package auth; import _ "math/rand/v2"`, "may not import math/rand/v2"},
		"pgtest in a test":       {"internal/store/a_test.go", `package store; import _ "landmark/internal/pgtest"`, ""},
		"testing in code":        {"internal/store/a.go", `package store; import _ "testing"`, "may not import testing"},
		"httptest in code":       {"internal/server/a.go", `package server; import _ "net/http/httptest"`, "may not import net/http/httptest"},
		"http in view":           {"web/view/a.go", `package view; import _ "net/http"`, "may not import net/http"},
		"context in domain":      {"internal/landmark/a.go", `package landmark; import _ "context"`, "may not import context"},
		"pgx in server":          {"internal/server/a.go", `package server; import _ "github.com/jackc/pgx/v5"`, "may not import github.com/jackc/pgx/v5"},
		"pgx in store":           {"internal/store/a.go", `package store; import _ "github.com/jackc/pgx/v5"`, ""},
		"sql in server":          {"internal/server/a.go", "package server; const q = `\nSELECT id\nFROM plan`", "SQL outside"},
		"sql in store":           {"internal/store/a.go", "package store; const q = `SELECT id FROM plan`", ""},
		"prose":                  {"internal/server/a.go", `package server; const s = "select a file from the list"`, ""},
		"clock in domain":        {"internal/landmark/a.go", `package landmark; import "time"; var t = time.Now()`, "times are arguments"},
		"clock in view":          {"web/view/a.go", `package view; import "time"; func f(t time.Time) any { return time.Since(t) }`, "times are arguments"},
		"clock in server":        {"internal/server/a.go", `package server; import "time"; var t = time.Now()`, ""},
		"float in domain":        {"internal/landmark/a.go", `package landmark; var f float64`, "floating point"},
		"float literal":          {"internal/landmark/a.go", `package landmark; var f = 0.5`, "floating point"},
		"float conversion":       {"internal/landmark/a.go", `package landmark; func f(d interface{ InexactFloat64() int }) { d.InexactFloat64() }`, "floating point"},
		"float elsewhere":        {"web/view/a.go", `package view; var f = 0.5`, ""},
		"float in a test":        {"internal/landmark/a_test.go", `package landmark; var f = 0.5`, ""},
		"handler attribute":      {"web/view/a.templ", `<button onclick="x()">`, "on… attribute"},
		"style attribute":        {"web/view/a.templ", `<p style={ x }>`, "inline style"},
		"style tag":              {"web/view/a.templ", `<style>p {}</style>`, "inline style"},
		"inline script":          {"web/view/a.templ", `<script>x()</script>`, "inline script"},
		"script file":            {"web/view/a.templ", `<script src={ x } defer></script>`, ""},
		"raw":                    {"web/view/a.templ", `@templ.Raw(x)`, "templ.Raw"},
		"words that begin so":    {"web/view/a.templ", `<p class="online" data-on="1">once = 1</p>`, ""},
		"the nested test module": {"e2e/a_test.go", `package e2e; import _ "landmark/cmd/landmark"`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := fstest.MapFS{
				"internal/landmark/doc.go": {Data: []byte("package landmark")},
				c.file:                     {Data: []byte(c.text)},
			}
			got := faults(t, root)
			if c.want == "" && len(got) > 0 {
				t.Errorf("got %q, want none", got)
			}
			if c.want != "" && (!strings.Contains(strings.Join(got, "\n"), c.want) || !strings.HasPrefix(got[0], c.file+":1:") && !strings.Contains(c.text, "\n")) {
				t.Errorf("got %q, want one with %q", got, c.want)
			}
		})
	}
}
