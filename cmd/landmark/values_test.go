package main

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"landmark/internal/pgtest"
	"landmark/seeds"
)

// exported reads values export by code and column.
func exported(t *testing.T, url string, args ...string) map[string]map[string]string {
	t.Helper()
	status, stdout, stderr := call(t, url, "", append([]string{"values", "export"}, args...)...)
	if status != 0 {
		t.Fatalf("export %v: status %d, %s", args, status, stderr)
	}
	lines, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(stdout, "\ufeff"))).ReadAll()
	if err != nil || len(lines) != 31 {
		t.Fatalf("export %v: %d lines, %v", args, len(lines), err)
	}
	out := map[string]map[string]string{}
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, name := range lines[0] {
			row[name] = line[i]
		}
		out[row["code"]] = row
	}
	return out
}

func withPlan(t *testing.T) string {
	t.Helper()
	url := pgtest.URL(t)
	table, details := write(t, "plan.txt", string(seeds.Table)), write(t, "plan.csv", string(seeds.Details))
	if status, _, stderr := call(t, url, "", "plan", "import", table, "--details", details, "--slug", "tongxiang-2023", "--published", "2023-05-31"); status != 0 {
		t.Fatalf("plan import: status %d, %s", status, stderr)
	}
	return url
}

func TestValuesInAndOut(t *testing.T) {
	t.Parallel()
	url := withPlan(t)
	// September 2023 is locked by the machine's clock: every row says why it comes now.
	list := "code,value,step,note,reason\n3.1,\"13,820\",,截至9月,年底前补录\n4.1,25.18,,,年底前补录\n3.3,,推进中,,年底前补录\n4.2,,,,\n"
	if status, stdout, stderr := call(t, url, list, "values", "import", "-", "--month", "2023-09", "--by", "张三"); status != 0 || !strings.Contains(stdout, "submitted 3 values of 2023-09 by 张三") {
		t.Fatalf("import: status %d, %q, %q", status, stdout, stderr)
	}
	rows := exported(t, url, "--month", "2023-09")
	if got := rows["3.1"]; got["value"] != "" || got["report_state"] != "submitted" {
		t.Errorf("3.1 submitted: %v", got)
	}
	before := time.Now().Format(time.RFC3339Nano)
	// The same again with approval: what is new is taken, and all of it approved.
	list = strings.Replace(list, "13,820", "13,830", 1)
	if status, _, stderr := call(t, url, "", "user", "add", "li", "--role", "office", "--name", "李四"); status != 0 {
		t.Fatal(stderr)
	}
	file := write(t, "values.csv", list)
	if status, stdout, stderr := call(t, url, "", "values", "import", file, "--month", "2023-09", "--by", "li", "--approve"); status != 0 || !strings.Contains(stdout, "submitted and approved 3 values of 2023-09 by 李四\n") {
		t.Fatalf("import with approval: status %d, %q, %q", status, stdout, stderr)
	}
	if got := exported(t, url, "--month", "2023-09")["3.1"]; got["value"] != "13830" || got["value_month"] != "2023-09" || got["light"] == "" {
		t.Errorf("3.1 approved: %v", got)
	}
	if got := exported(t, url, "--month", "2023-09", "--as-of", before)["3.1"]; got["value"] != "" || got["report_state"] != "submitted" {
		t.Errorf("3.1 as of before its approval: %v", got)
	}
	if status, _, stderr := call(t, url, "", "values", "import", file, "--month", "2023-09", "--by", "li"); status != 1 || strings.Count(stderr, "\n") != 1 {
		t.Errorf("nothing new: status %d, %q; want 1 and one line", status, stderr)
	}
	out := filepath.Join(t.TempDir(), "out.csv")
	if status, _, stderr := call(t, url, "", "values", "export", "--month", "2023-09", "-o", out); status != 0 {
		t.Fatal(stderr)
	}
	_, stdout, _ := call(t, url, "", "values", "export", "--month", "2023-09")
	if b, err := os.ReadFile(out); err != nil || string(b) != stdout {
		t.Errorf("-o differs from standard output (%v)", err)
	}
	if status, stdout, _ := call(t, url, "", "db", "verify"); status != 0 || !strings.Contains(stdout, "history is whole") {
		t.Errorf("db verify: %d %q", status, stdout)
	}
}

func TestValuesFaultsAllAtOnce(t *testing.T) {
	t.Parallel()
	url := withPlan(t)
	list := "code,value,step,note,reason\n" +
		"99.9,1,,,补录\n" + // no such indicator
		"3.1,五,,,补录\n" + // no number
		"7.2,150,,,补录\n" + // beyond 100 %
		"4.1,25.18,,,\n" + // locked, and no reason
		"4.2,30.1,,,补录\n" // right, but nothing is taken
	book := excelize.NewFile()
	for i, line := range strings.Split(strings.TrimSpace(list), "\n") {
		for k, cell := range strings.Split(line, ",") {
			name, err := excelize.CoordinatesToCellName(k+1, i+1)
			if err == nil {
				err = book.SetCellStr("Sheet1", name, cell)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	xlsx := filepath.Join(t.TempDir(), "values.xlsx")
	if err := book.SaveAs(xlsx); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string][]string{
		write(t, "values.csv", list): {"第2行第1列:", "第3行第2列:", "第4行:", "第5行:"},
		xlsx:                         {"单元格A2:", "单元格B3:", "第4行:", "第5行:"},
	} {
		status, _, stderr := call(t, url, "", "values", "import", file, "--month", "2023-09", "--by", "张三")
		for _, s := range append(want, "the 4 faults above") {
			if !strings.Contains(stderr, s) {
				t.Errorf("%s: status %d, no %q in\n%s", filepath.Base(file), status, s, stderr)
			}
		}
		if status != 1 {
			t.Errorf("status %d, want 1", status)
		}
	}
	for code, row := range exported(t, url, "--month", "2023-09") {
		if row["report_state"] != "" {
			t.Errorf("%s was taken: %v", code, row)
		}
	}
	for _, c := range []struct {
		status int
		args   []string
	}{
		{2, []string{"values", "import", xlsx, "--month", "9月", "--by", "张三"}},
		{2, []string{"values", "import", xlsx, "--month", "2023-09", "--by", " "}},
		{2, []string{"values", "import", xlsx, "--month", "2023-09"}},
		{2, []string{"values", "export", "--as-of", "yesterday"}},
		{2, []string{"values", "export", "--as-of", "2999-01-01T00:00"}},
		{1, []string{"values", "import", "/nonexistent.csv", "--month", "2023-09", "--by", "张三"}},
		{1, []string{"values", "import", xlsx, "--month", "2023-09", "--by", "张三", "--plan", "none"}},
		{1, []string{"values", "export", "--month", "2024-01"}},
		{1, []string{"values", "export", "--as-of", "2023-06-01T00:00"}},
	} {
		if status, _, stderr := call(t, url, "", c.args...); status != c.status || c.status == 1 && strings.Count(stderr, "\n") != 1 {
			t.Errorf("%v: status %d, %q; want %d", c.args, status, stderr, c.status)
		}
	}
}

// A file beyond the limit is refused, never taken as far as the limit goes.
func TestImportLimits(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	list := "code,value,step,note,reason\n3.1,13820,,,年底前补录\n" + strings.Repeat("\n", maxImport)
	table := string(seeds.Table) + strings.Repeat("\n", maxImport)
	for name, c := range map[string]struct {
		stdin string
		args  []string
	}{
		"values from standard input": {list, []string{"values", "import", "-", "--month", "2023-09", "--by", "张三"}},
		"values from a file":         {"", []string{"values", "import", write(t, "values.csv", list), "--month", "2023-09", "--by", "张三"}},
		"a plan":                     {table, []string{"plan", "import", "-", "--slug", "long", "--published", "2023-05-31"}},
	} {
		status, _, stderr := call(t, url, c.stdin, c.args...)
		if status != 1 || !strings.Contains(stderr, "is larger than 32 MB") || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: status %d, %q; want 1 and one line that names the limit", name, status, stderr)
		}
	}
}
