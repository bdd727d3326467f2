package sheet_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"landmark/internal/landmark"
	"landmark/internal/sheet"
)

// matrix is the seed plan as a workbook.
func matrix(t testing.TB, paper sheet.Paper) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := sheet.WriteMatrixXLSX(&out, seedPlan(t), december, paper); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// edited is a workbook with something done to it in a spreadsheet.
func edited(t testing.TB, file []byte, edit func(f *excelize.File) error) []byte {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := edit(f); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestMatrixRoundTrip reads the matrix as written, and as LibreOffice saved it
// again: either way the text table is the published one.
func TestMatrixRoundTrip(t *testing.T) {
	t.Parallel()
	saved, err := os.ReadFile("testdata/matrix-libreoffice.xlsx")
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string][]byte{"A4": matrix(t, sheet.A4), "A3": matrix(t, sheet.A3), "LibreOffice": saved} {
		table, err := sheet.ReadTableXLSX(bytes.NewReader(file))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var text bytes.Buffer
		if err := sheet.WriteTable(&text, table); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(text.Bytes(), seed(t, "tongxiang-2023.txt")) {
			t.Errorf("%s: read back it differs from the source:\n%s", name, text.String())
		}
	}
}

// december of the seed plan's year, whose targets are those of the table.
var december = landmark.MonthOf(2023, 12)

func TestMatrixLayout(t *testing.T) {
	t.Parallel()
	f, err := excelize.OpenReader(bytes.NewReader(matrix(t, sheet.A3)))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	merged, err := f.GetMergeCells("总表")
	if err != nil {
		t.Fatal(err)
	}
	if len(merged) != 1+10*6 {
		t.Errorf("got %d merged cells, want the title and six columns of ten projects", len(merged))
	}
	layout, err := f.GetPageLayout("总表")
	if err != nil {
		t.Fatal(err)
	}
	if *layout.Size != 8 || *layout.Orientation != "landscape" || *layout.FitToWidth != 1 {
		t.Errorf("page layout: size %d, %s", *layout.Size, *layout.Orientation)
	}
	names := map[string]string{}
	for _, n := range f.GetDefinedName() {
		names[n.Name] = n.RefersTo
	}
	if names["_xlnm.Print_Titles"] != "'总表'!$2:$2" || names["_xlnm.Print_Area"] != "'总表'!$A$1:$I$32" {
		t.Errorf("defined names: %v", names)
	}
	for cell, want := range map[string]string{"A1": "桐乡市2023年共同富裕十大标志性成果", "D3": "★每千人托位数", "E4": "5.48‰", "E32": "82.80%", "F10": "到位"} {
		if got, err := f.GetCellValue("总表", cell); err != nil || got != want {
			t.Errorf("%s: got %q (%v), want %q", cell, got, err, want)
		}
	}
	if kind, err := f.GetCellType("总表", "E3"); err != nil || kind == excelize.CellTypeSharedString {
		t.Errorf("a figure is stored as text (%v, %v)", kind, err)
	}
}

// TestMatrixSameFile: the same plan gives the same bytes.
func TestMatrixSameFile(t *testing.T) {
	t.Parallel()
	for range 3 {
		if !bytes.Equal(matrix(t, sheet.A4), matrix(t, sheet.A4)) {
			t.Fatal("two files of one plan differ")
		}
	}
}

func TestMatrixInjection(t *testing.T) {
	t.Parallel()
	for _, payload := range injections {
		plan := seedPlan(t)
		p := plan.Projects[0]
		plan.Title, p.Name, p.LeadPrinted, p.TasksText, p.ScenariosText, p.CooperatingText = payload, payload, payload, payload, payload, payload
		p.Indicators[0].Printed, p.Indicators[0].BaselineText, p.Indicators[0].Targets[0].Text = payload, payload, payload
		var out bytes.Buffer
		if err := sheet.WriteMatrixXLSX(&out, plan, december, sheet.A4); err != nil {
			t.Fatal(err)
		}
		for name, part := range unpacked(t, out.Bytes()) {
			if strings.Contains(part, "<f>") || strings.Contains(part, "<f ") {
				t.Errorf("%q: %s holds a formula", payload, name)
			}
		}
	}
}

// unpacked are a workbook's parts.
func unpacked(t testing.TB, file []byte) map[string]string {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range archive.File {
		part, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if _, err := b.ReadFrom(part); err != nil {
			t.Fatal(err)
		}
		out[f.Name] = b.String()
	}
	return out
}

// packed makes a workbook of parts as given, whatever they claim.
func packed(t testing.TB, parts map[string]string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for name, text := range parts {
		part, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestReadTableXLSXFaults(t *testing.T) {
	t.Parallel()
	good := matrix(t, sheet.A4)
	set := func(cell string, value any) func(f *excelize.File) error {
		return func(f *excelize.File) error { return f.SetCellValue("总表", cell, value) }
	}
	tests := []struct {
		name string
		file []byte
		want []string
	}{
		{"blank and unknown", edited(t, good, func(f *excelize.File) error {
			for cell, v := range map[string]any{"C2": "责任单位", "D4": "", "F6": nil, "B5": "  "} {
				if err := f.SetCellValue("总表", cell, v); err != nil {
					return err
				}
			}
			return nil
		}), []string{
			"单元格C2:不认识的列“责任单位”,这一列应为“牵头单位”",
			"单元格D4:“指标名称”是空的",
			"单元格B5:“标志性成果”是空的",
			"单元格F6:“2023年目标值”是空的"}},
		{"formula", edited(t, good, func(f *excelize.File) error { return f.SetCellFormula("总表", "F3", "1+2.8") }), []string{"单元格F3:是公式,请改成数值或文字"}},
		{"date", edited(t, good, set("F3", time.Date(2023, 5, 3, 0, 0, 0, 0, time.UTC))), []string{"单元格F3:是日期,请改成文字"}},
		{"number out of order", edited(t, good, set("A5", 7)), []string{"单元格A5:序号7不连续,这里应是2"}},
		{"no heading", edited(t, good, set("A2", "编号")), []string{"没有找到表头:应有一行以“序号”开头"}},
		{"empty", nil, []string{"文件是空的"}},
		{"text", []byte("序号 | 标志性成果"), []string{"不是 .xlsx 文件,或文件已损坏"}},
		{"old .xls", []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 rest"), []string{"这是旧版 .xls 或设了密码的文件,请另存为不带密码的 .xlsx"}},
		{"another archive", packed(t, map[string]string{"word/document.xml": "<x/>"}), []string{"不是 .xlsx 文件,或文件已损坏"}},
		{"macros", packed(t, map[string]string{"xl/workbook.xml": "<workbook/>", "xl/vbaProject.bin": "x"}), []string{"文件里有宏,请另存为不带宏的 .xlsx"}},
		{"entities", packed(t, map[string]string{"xl/workbook.xml": `<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><workbook><sheets>&b;</sheets></workbook>`}), []string{"不是 .xlsx 文件,或文件已损坏"}},
		{"40 MB", bytes.Repeat([]byte("PK\x03\x04"), 10<<20), []string{"文件超过4 MB"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := sheet.ReadTableXLSX(bytes.NewReader(test.file))
			wantFaults(t, err, test.want...)
		})
	}
}

// workbookOf packs one worksheet's rows.
func workbookOf(t testing.TB, rows string) []byte {
	return packed(t, map[string]string{
		"xl/workbook.xml":            `<workbook xmlns:r="r"><sheets><sheet name="总表" sheetId="1" r:id="rId1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="rId1" Target="worksheets/sheet1.xml"/></Relationships>`,
		"xl/worksheets/sheet1.xml":   `<worksheet><sheetData>` + rows + `</sheetData></worksheet>`,
	})
}

// TestHostileWorkbooks: what makes a spreadsheet library take gigabytes or
// minutes is refused at once and in little memory.
func TestHostileWorkbooks(t *testing.T) {
	var far, million strings.Builder
	for n := 1; n <= 3000; n++ {
		fmt.Fprintf(&far, `<row r="%d"><c r="XFD%d"><v>1</v></c></row>`, n, n)
	}
	for n := 1; n <= 130000; n++ {
		fmt.Fprintf(&million, `<row r="%d"><c r="A%d"><v>1</v></c></row>`, n*8, n*8)
	}
	tests := []struct {
		name string
		file []byte
		want string
	}{
		{"columns at the far end", workbookOf(t, far.String()), "单元格XFD1:超过64列"},
		{"a million rows", workbookOf(t, million.String()), "超过5000行"},
		{"a million empty rows", workbookOf(t, strings.Repeat("<row/>", 1000000)), "连空行在内超过20000行,请删去空行再上传"},
		{"zip bomb", workbookOf(t, `<row><c t="inlineStr"><is><t>`+strings.Repeat("x", 40<<20)+`</t></is></c></row>`), "文件解开后超过8 MB"},
		{"bomb of shared strings", packed(t, map[string]string{
			"xl/workbook.xml": `<workbook/>`, "xl/sharedStrings.xml": `<sst>` + strings.Repeat("<si><t>x</t></si>", 3<<20) + `</sst>`,
		}), "文件解开后超过8 MB"},
		{"too many shared strings", packed(t, map[string]string{
			"xl/workbook.xml": `<workbook/>`, "xl/sharedStrings.xml": `<sst>` + strings.Repeat("<si/>", 1<<20) + `</sst>`,
		}), "文件里不同的文字超过50000处,请只留要上传的表"},
		{"nesting", workbookOf(t, strings.Repeat("<row>", 100000)), "不是 .xlsx 文件,或文件已损坏"},
		{"long cell", workbookOf(t, `<row r="1"><c r="A1" t="inlineStr"><is><t>`+strings.Repeat("长", 20001)+`</t></is></c></row>`), "单元格A1:超过20000字"},
		{"huge exponent", workbookOf(t, `<row r="1"><c r="A1"><v>1E999999999</v></c></row>`), "没有找到表头:应有一行以“序号”开头"},
		{"no such string", workbookOf(t, `<row r="1"><c r="A1" t="s"><v>99</v></c></row>`), "不是 .xlsx 文件,或文件已损坏"},
		{"rows backwards", workbookOf(t, `<row r="9"/><row r="2"/>`), "不是 .xlsx 文件,或文件已损坏"},
	}
	var slowest time.Duration
	for _, test := range tests {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		begun := time.Now()
		_, err := sheet.ReadTableXLSX(bytes.NewReader(test.file))
		took := time.Since(begun)
		slowest = max(slowest, took)
		runtime.ReadMemStats(&after)
		if err == nil || err.Error() != test.want || landmark.KindOf(err) != landmark.Invalid {
			t.Errorf("%s: got %v, want %s", test.name, err, test.want)
		}
		t.Logf("%s: %d KB packed, %d MB allocated, %s", test.name, len(test.file)>>10, (after.TotalAlloc-before.TotalAlloc)>>20, took)
		if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > 200 || took > 20*time.Second {
			t.Errorf("%s: allocated %d MB in %s", test.name, used, took)
		}
	}
	t.Logf("P19 files made to harm | %d rounds | 0 taken | slowest refusal %s", len(tests), slowest.Round(time.Millisecond))
}

// TestNumbersAsMeant: binary fractions and percentages come back as typed.
func TestNumbersAsMeant(t *testing.T) {
	t.Parallel()
	file := edited(t, matrix(t, sheet.A4), func(f *excelize.File) error {
		style, err := f.NewStyle(&excelize.Style{NumFmt: 10})
		if err != nil {
			return err
		}
		for cell, raw := range map[string]string{"E3": "25.309999999999999", "F3": "1.3820000000000001E4", "E32": "0.82799999999999996"} {
			if err := f.SetCellDefault("总表", cell, raw); err != nil {
				return err
			}
		}
		return f.SetCellStyle("总表", "E32", "E32", style)
	})
	table, err := sheet.ReadTableXLSX(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	last := table.Projects[9].Indicators[1]
	if ind := table.Projects[0].Indicators[0]; ind.Baseline != "25.31" || ind.Target != "13820" || last.Baseline != "82.8%" {
		t.Errorf("got %s, %s and %s, want 25.31, 13820 and 82.8%%", ind.Baseline, ind.Target, last.Baseline)
	}
}

func FuzzReadTableXLSX(f *testing.F) {
	f.Add(matrix(f, sheet.A4))
	f.Add(workbookOf(f, `<row r="1"><c r="A1" t="inlineStr"><is><t>序号</t></is></c></row>`))
	f.Fuzz(func(t *testing.T, file []byte) {
		if _, err := sheet.ReadTableXLSX(bytes.NewReader(file)); err != nil && landmark.KindOf(err) != landmark.Invalid {
			t.Fatalf("error %v is not Invalid", err)
		}
	})
}

// FuzzWorksheet gets past the packing and at the cells.
func FuzzWorksheet(f *testing.F) {
	f.Add(`<row r="1"><c r="A1" t="inlineStr"><is><t>序号</t></is></c><c r="C1"><f>1+1</f><v>2</v></c></row><row r="7"><c t="s"><v>0</v></c></row>`)
	f.Fuzz(func(t *testing.T, rows string) {
		if _, err := sheet.ReadTableXLSX(bytes.NewReader(workbookOf(t, rows))); err != nil && landmark.KindOf(err) != landmark.Invalid {
			t.Fatalf("error %v is not Invalid", err)
		}
	})
}
