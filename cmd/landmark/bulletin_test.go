package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"landmark/internal/pgtest"
	"landmark/seeds"
)

func TestBulletinCommands(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	table, details := write(t, "plan.txt", string(seeds.Table)), write(t, "plan.csv", string(seeds.Details))
	if status, _, stderr := call(t, url, "", "plan", "import", table, "--details", details, "--title", seeds.Title, "--published", "2023-05-31"); status != 0 {
		t.Fatalf("import: status %d, %s", status, stderr)
	}
	file := func(name string) string { return filepath.Join(t.TempDir(), name) }
	for _, wrong := range [][]string{
		{"bulletin", "draft", "--month", "September"},
		{"bulletin", "draft"},
		{"bulletin", "draft", "--month", "2023-09", "--set", "no text"},
		{"bulletin", "draft", "--month", "2023-09", "--set", "no.such.block=text"},
	} {
		if status, _, stderr := call(t, url, "", wrong...); status != 2 {
			t.Errorf("%v: status %d, %q; want 2", wrong, status, stderr)
		}
	}
	for _, refused := range [][]string{
		{"bulletin", "export", "--month", "2023-09", "-o", file("a.docx")},
		{"bulletin", "draft", "--month", "2024-01"},
	} {
		if status, _, stderr := call(t, url, "", refused...); status != 1 || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%v: status %d, %q; want 1 and one line", refused, status, stderr)
		}
	}

	status, stdout, stderr := call(t, url, "", "bulletin", "draft", "--month", "2023-09", "--set", "overall.extra=滞后5项,请重视。")
	if status != 0 || !strings.Contains(stdout, "关于2023年9月份共同富裕标志性成果进展情况的通报") || !strings.Contains(stderr, "手写数字") || !strings.Contains(stderr, "[overall.extra]") {
		t.Errorf("draft: status %d, %q, %q", status, stdout, stderr)
	}
	if status, _, stderr := call(t, url, "", "bulletin", "issue", "--month", "2023-09"); status != 1 || !strings.Contains(stderr, "手写数字") {
		t.Errorf("issue with a fault: status %d, %q; want 1 and the fault", status, stderr)
	}
	if status, _, stderr := call(t, url, "", "bulletin", "draft", "--month", "2023-09", "--set", "overall.extra=未报送{{unreported}}项,请重视。", "-o", file("d.docx")); status != 0 || strings.Contains(stderr, "手写数字") {
		t.Errorf("draft mended: status %d, %q", status, stderr)
	}
	first, second := file("1.docx"), file("2.docx")
	if status, stdout, stderr := call(t, url, "", "bulletin", "issue", "--month", "2023-09", "-o", first); status != 0 || !strings.Contains(stdout, "1号") || !strings.Contains(stdout, "sha256") {
		t.Fatalf("issue: status %d, %q, %q", status, stdout, stderr)
	}
	if status, _, stderr := call(t, url, "", "bulletin", "export", "--month", "2023-09", "-o", second); status != 0 {
		t.Fatalf("export: status %d, %q", status, stderr)
	}
	a, err := os.ReadFile(first)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(second); err != nil || !bytes.Equal(a, b) || !bytes.HasPrefix(a, []byte("PK")) {
		t.Errorf("the file written twice differs (%v)", err)
	}
	for _, again := range []string{"issue", "draft"} {
		if status, _, stderr := call(t, url, "", "bulletin", again, "--month", "2023-09"); status != 1 || !strings.Contains(stderr, "已经印发") {
			t.Errorf("%s again: status %d, %q; want 1", again, status, stderr)
		}
	}
}
