package internal

import (
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var (
	testFunc  = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	testNamed = regexp.MustCompile("`((?:Test|Fuzz)\\w+)(…?)`")
	tableRow  = regexp.MustCompile(`^\| (\d+) \|`)
)

// SECURITY.md has every row of the checklist and every pitfall once, and the tests it
// names exist.
func TestSecurityTable(t *testing.T) {
	t.Parallel()
	root := os.DirFS("..")
	text, err := fs.ReadFile(root, "SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]bool{}
	err = fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (name != "." && strings.HasPrefix(d.Name(), ".") || slices.Contains([]string{"node_modules", "bin", "var"}, d.Name())) {
			return fs.SkipDir
		}
		if !strings.HasSuffix(name, "_test.go") {
			return nil
		}
		src, err := fs.ReadFile(root, name)
		for _, m := range testFunc.FindAllSubmatch(src, -1) {
			tests[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	named := testNamed.FindAllStringSubmatch(string(text), -1)
	if len(named) < 150 {
		t.Errorf("only %d tests are named", len(named))
	}
	for _, m := range named {
		there := tests[m[1]]
		if m[2] != "" { // all that begin so
			for name := range tests {
				there = there || strings.HasPrefix(name, m[1])
			}
		}
		if !there {
			t.Errorf("there is no test %s%s", m[1], m[2])
		}
	}
	for heading, rows := range map[string]int{"## ASVS 5.0.0, row by row\n": 66, "## Known pitfalls of what we build on\n": 36} {
		_, section, found := strings.Cut(string(text), heading)
		if !found {
			t.Errorf("no section %q", heading)
			continue
		}
		section, _, _ = strings.Cut(section, "\n## ")
		next := 1
		for line := range strings.Lines(section) {
			m := tableRow.FindStringSubmatch(line)
			if m == nil {
				continue
			}
			if n, err := strconv.Atoi(m[1]); err != nil || n != next {
				t.Errorf("%s: row %s stands where %d should", strings.TrimSpace(heading), m[1], next)
			}
			if next++; !strings.Contains(line, "`") && !strings.HasSuffix(strings.TrimSpace(line), "| — |") {
				t.Errorf("row %s shows nothing", m[1])
			}
		}
		if next-1 != rows {
			t.Errorf("%s: %d rows, want %d", strings.TrimSpace(heading), next-1, rows)
		}
	}
}
