package server_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"landmark/internal/landmark"
	"landmark/internal/reporting"
)

// monthSheet is the form's workbook as a department downloads it.
func monthSheet(t *testing.T, b *browser) []byte {
	t.Helper()
	res := b.get("/export/reports.xlsx?month=2023-09&department=minzheng")
	file := []byte(wantStatus(t, res, http.StatusOK))
	if kind := res.Header.Get("Content-Disposition"); !strings.Contains(kind, "minzheng-2023-09.xlsx") {
		t.Errorf("Content-Disposition %q", kind)
	}
	return file
}

// filled is a workbook with cells of its first sheet, or of one named before a !,
// filled in: cell and value alternate. A value that begins with = is a formula.
func filled(t *testing.T, file []byte, pairs ...string) []byte {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for i := 0; i < len(pairs); i += 2 {
		sheet, cell, ok := strings.Cut(pairs[i], "!")
		if !ok {
			sheet, cell = "填报", pairs[i]
		}
		if formula, ok := strings.CutPrefix(pairs[i+1], "="); ok {
			err = f.SetCellFormula(sheet, cell, formula)
		} else {
			err = f.SetCellStr(sheet, cell, pairs[i+1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// throughLibreOffice has LibreOffice open and save a workbook.
func throughLibreOffice(t *testing.T, file []byte) []byte {
	t.Helper()
	dir := t.TempDir()
	in := filepath.Join(dir, "form.xlsx")
	if err := os.WriteFile(in, file, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "soffice", "-env:UserInstallation=file://"+filepath.Join(dir, "profile"), "--headless",
		"--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", filepath.Join(dir, "out"), in)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("soffice (apt-get install libreoffice-calc-nogui): %v\n%s", err, out)
	}
	saved, err := os.ReadFile(filepath.Join(dir, "out", "form.xlsx"))
	if err != nil {
		t.Fatal(err)
	}
	return saved
}

// septemberCells are an ordinary month, as in minzheng.
var septemberCells = []string{"F4", "25.31", "I4", "证书10月集中核发", "F5", "36.2", "H5", "=不是公式", "F6", "2", "F7", "60", "F8", "23", "F9", "4", "F10", "90"}

func TestMonthSheetThereAndBack(t *testing.T) {
	t.Parallel()
	w := reportWorld(t)
	b := w.enter("reporter")
	cells := append([]string{}, septemberCells...)
	cells[7] = "本月新增两处"
	file := throughLibreOffice(t, filled(t, monthSheet(t, b), append(cells, "重点任务!D4", "推进中", "重点任务!E4", "已与96345对接")...))
	// Into the draft first: nothing is sent.
	res := b.upload(september+"/sheet", []string{"key", reporting.NewKey(), "action", "save"}, "sheet", "9月.xlsx", string(file))
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != september {
		t.Fatalf("%d to %q: %s", res.StatusCode, res.Header.Get("Location"), textOf(t, bodyOf(t, res), "main"))
	}
	if got := w.reportOf("4.1"); got.State != landmark.StateNone {
		t.Errorf("4.1 is %s after reading into the draft", got.State)
	}
	if page := wantStatus(t, b.get(september), http.StatusOK); !strings.Contains(page, `value="25.31"`) || !strings.Contains(page, "已与96345对接") {
		t.Error("the form does not show what the sheet said")
	}
	// The sheet is overtaken now: by the draft it made itself.
	again := filled(t, file, "F5", "37")
	page := wantStatus(t, b.upload(september+"/sheet", []string{"key", reporting.NewKey(), "action", "submit"}, "sheet", "9月.xlsx", string(again)), http.StatusConflict)
	if !strings.Contains(page, "没有覆盖") || !strings.Contains(page, "37") {
		t.Error("an overtaken sheet is not shown beside what was saved")
	}
	// A fresh one is submitted.
	fresh := throughLibreOffice(t, filled(t, monthSheet(t, b), "F5", "36.5"))
	key := reporting.NewKey()
	for range 2 { // the same upload twice has one effect
		if res := b.upload(september+"/sheet", []string{"key", key, "action", "submit"}, "sheet", "9月.xlsx", string(fresh)); res.StatusCode != http.StatusSeeOther {
			t.Fatalf("submit: %d: %s", res.StatusCode, textOf(t, bodyOf(t, res), "main"))
		}
	}
	if got := w.reportOf("4.2"); got.State != landmark.StateSubmitted || got.Amount.Decimal.String() != "36.5" || got.Note != "本月新增两处" || got.Revision != 1 {
		t.Errorf("4.2 is %+v", got)
	}
	_, task, err := w.record().Plan.Task("4-1")
	if err != nil {
		t.Fatal(err)
	}
	if got := w.record().TaskStateIn(task.ID, landmark.MonthOf(2023, 9)); got != landmark.TaskUnderway {
		t.Errorf("task 4-1 is %s", got)
	}
}

func TestMonthSheetFaultsByCell(t *testing.T) {
	t.Parallel()
	w := reportWorld(t)
	b := w.enter("reporter")
	file := monthSheet(t, b)
	send := func(b *browser, action string, file []byte) *http.Response {
		return b.upload(september+"/sheet", []string{"key", reporting.NewKey(), "action", action}, "sheet", "9月.xlsx", string(file))
	}
	// What the form's rules refuse: by cell, and the draft keeps the rest.
	page := wantStatus(t, send(b, "submit", filled(t, file, append(append([]string{}, septemberCells...), "F5", "三十六", "I4", "", "H5", "")...)), http.StatusUnprocessableEntity)
	for _, s := range []string{"单元格F5:", "单元格I4:", `value="三十六"`, `href="#i4-2"`} {
		if !strings.Contains(page, s) {
			t.Errorf("the page has no %s", s)
		}
	}
	// What no sheet may hold: nothing is taken at all.
	fresh := monthSheet(t, b)
	for name, c := range map[string]struct {
		file []byte
		say  string
	}{
		"formula":           {filled(t, fresh, "F4", "=1+1"), "单元格F4:是公式"},
		"formula in a note": {filled(t, fresh, "H4", "=HYPERLINK(\"http://example.com\")"), "单元格H4:是公式"},
		"task":              {filled(t, fresh, "重点任务!D4", "差不多了"), "单元格重点任务!D4:"},
		"not a workbook":    {[]byte("code,value\n4.1,25"), "不是 .xlsx 文件"},
		"empty":             {nil, "文件是空的"},
		"old format":        {[]byte("\xd0\xcf\x11\xe0 old"), "旧版 .xls"},
		"macros":            {withMacros(t, fresh), "文件里有宏"},
		"bomb":              {bomb(t, fresh, strings.Repeat("<row><c t=\"inlineStr\"><is><t>"+strings.Repeat("x", 15_000)+"</t></is></c></row>", 2800)), "文件解开后超过8 MB"},
		"a million rows":    {bomb(t, fresh, strings.Repeat("<row/>", 1_000_000)), "连空行在内超过20000行"},
	} {
		began := time.Now()
		res := send(b, "submit", c.file)
		took := time.Since(began)
		page := wantStatus(t, res, http.StatusUnprocessableEntity)
		if !strings.Contains(page, c.say) || !strings.Contains(page, "表格没有收下") {
			t.Errorf("%s: the page has no %q", name, c.say)
		}
		// A guard, no measure: not stopped, the bomb takes minutes. Two cores under the
		// race detector have taken 11 s to refuse it.
		if took > 40*time.Second {
			t.Errorf("%s took %s", name, took)
		}
	}
	if res := send(b, "submit", bytes.Repeat([]byte("PK\x03\x04"), 2<<20)); res.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("8 MB: %d, want 413", res.StatusCode)
	}
	if got := w.reportOf("4.1"); got.State != landmark.StateNone {
		t.Errorf("4.1 is %s", got.State)
	}
	if page := wantStatus(t, b.upload(september+"/sheet", []string{"action", "submit"}), http.StatusUnprocessableEntity); !strings.Contains(page, "请选择填好的表格") {
		t.Error("no file chosen: the page does not say so")
	}
	// Somebody else's.
	for who, want := range map[string]int{"other": http.StatusUnprocessableEntity, "leader": http.StatusForbidden, "office": http.StatusForbidden} {
		if res := send(w.enter(who), "submit", fresh); res.StatusCode != want {
			t.Errorf("%s: %d, want %d", who, res.StatusCode, want)
		}
	}
	if res := w.enter("other").upload(september+"/sheet?department=minzheng", []string{"action", "submit"}, "sheet", "9月.xlsx", string(fresh)); res.StatusCode != http.StatusForbidden {
		t.Errorf("another department's form: %d, want 403", res.StatusCode)
	}
	if page := bodyOf(t, w.enter("office").get(september+"?department=minzheng")); !strings.Contains(page, "/export/reports.xlsx?department=minzheng&amp;month=2023-09") || strings.Contains(page, september+"/sheet") {
		t.Error("the office's page does not offer the sheet, or offers to upload one")
	}
}

// withMacros is a workbook with a program in it.
func withMacros(t *testing.T, file []byte) []byte {
	t.Helper()
	in, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, part := range in.File {
		if err := z.Copy(part); err != nil {
			t.Fatal(err)
		}
	}
	to, err := z.Create("xl/vbaProject.bin")
	if err == nil {
		_, err = to.Write([]byte("\xd0\xcf\x11\xe0"))
	}
	if err = errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// bomb is a workbook whose sheet of indicators has been replaced.
func bomb(t *testing.T, file []byte, rows string) []byte {
	t.Helper()
	in, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, part := range in.File {
		if part.Name != "xl/worksheets/sheet1.xml" {
			if err := z.Copy(part); err != nil {
				t.Fatal(err)
			}
			continue
		}
		to, err := z.Create(part.Name)
		if err == nil {
			_, err = fmt.Fprintf(to, `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>%s</sheetData></worksheet>`, rows)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
