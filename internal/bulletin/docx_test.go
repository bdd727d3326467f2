package bulletin

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

func docx(t testing.TB, write func(io.Writer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func part(t testing.TB, file []byte, name string) string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	if z.File[0].Name != "[Content_Types].xml" {
		t.Errorf("the archive begins with %s, want [Content_Types].xml", z.File[0].Name)
	}
	f, err := z.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func wellFormed(t testing.TB, name, text string) {
	t.Helper()
	for d := xml.NewDecoder(strings.NewReader(text)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
}

func TestDOCXGolden(t *testing.T) {
	t.Parallel()
	b := Draft(september(t))
	file := docx(t, b.WriteDOCX)
	if again := docx(t, Draft(september(t)).WriteDOCX); !bytes.Equal(file, again) {
		t.Error("the same bulletin gave other bytes")
	}
	for _, name := range []string{"[Content_Types].xml", "_rels/.rels", "word/document.xml", "word/_rels/document.xml.rels", "word/styles.xml", "word/settings.xml",
		"word/fontTable.xml", "word/footer1.xml", "word/footer2.xml", "docProps/core.xml"} {
		wellFormed(t, name, part(t, file, name))
	}
	for _, name := range []string{"document", "styles"} {
		got, golden := part(t, file, "word/"+name+".xml"), filepath.Join("testdata", name+".xml")
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s differs (-want +got):\n%s", golden, diff)
		}
	}
}

// pdf has LibreOffice set a file and gives the PDF's path.
func pdf(t *testing.T, file []byte) string {
	t.Helper()
	dir := t.TempDir()
	in := filepath.Join(dir, "a.docx")
	if err := os.WriteFile(in, file, 0o644); err != nil {
		t.Fatal(err)
	}
	fonts, err := filepath.Abs("testdata/fonts.conf")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("soffice", "-env:UserInstallation=file://"+filepath.Join(dir, "profile"), "--headless", "--convert-to", "pdf", "--outdir", dir, in)
	cmd.Env = append(os.Environ(), "FONTCONFIG_FILE="+fonts, "HOME="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("soffice (apt-get install libreoffice-writer-nogui fonts-noto-cjk): %v\n%s", err, out)
	}
	return filepath.Join(dir, "a.pdf")
}

func pdftotext(t *testing.T, file string, options ...string) string {
	t.Helper()
	out, err := exec.Command("pdftotext", append(options, file, "-")...).Output()
	if err != nil {
		t.Fatalf("pdftotext (apt-get install poppler-utils): %v", err)
	}
	return string(out)
}

// checkNumber looks for — 1 —, of whose spaces pdftotext makes nothing.
func checkNumber(t *testing.T, page string, n int) {
	t.Helper()
	if want := "—" + strconv.Itoa(n) + "—"; !strings.Contains(strings.ReplaceAll(page, " ", ""), want) {
		t.Errorf("page %d lacks its number", n)
	}
}

// A page holds 22 lines of 28 characters between the standard's margins.
func TestPageAsTheStandardAsks(t *testing.T) {
	t.Parallel()
	d := document{title: "版面", paragraphs: []Paragraph{{Style: StyleBody, Text: strings.Repeat("桐", 2*22*28+100)}}}
	text := pdftotext(t, pdf(t, docx(t, d.write)), "-layout")
	pages := strings.Split(strings.TrimSuffix(text, "\f"), "\f")
	if len(pages) != 3 {
		t.Fatalf("got %d pages, want 3", len(pages))
	}
	for i, page := range pages[:2] {
		lines := 0
		for _, line := range strings.Split(page, "\n") {
			n := strings.Count(line, "桐")
			if n == 0 {
				continue
			}
			lines++
			want := 28
			if i == 0 && lines == 1 {
				want = 26
			}
			if n != want {
				t.Errorf("page %d line %d has %d characters, want %d", i+1, lines, n, want)
			}
		}
		if lines != 22 {
			t.Errorf("page %d has %d lines, want 22", i+1, lines)
		}
		checkNumber(t, page, i+1)
	}
	box := regexp.MustCompile(`<word xMin="([0-9.]+)" yMin="([0-9.]+)" xMax="([0-9.]+)" yMax="([0-9.]+)">(桐+|—[0-9]+—|—)</word>`)
	const mm = 72 / 25.4
	near := func(what, got string, want float64) {
		t.Helper()
		f, err := strconv.ParseFloat(got, 64)
		if err != nil {
			t.Fatal(err)
		}
		if f < want-6 || f > want+6 { // a face's box stands a little off its ink
			t.Errorf("%s at %.1f pt, want %.1f", what, f, want)
		}
	}
	var words [][]string
	layout := pdftotext(t, pdf(t, docx(t, d.write)), "-bbox")
	for _, page := range strings.Split(layout, "<page ")[1:3] {
		found := box.FindAllStringSubmatch(page, -1)
		if len(found) < 23 {
			t.Fatalf("found %d words on a page, want its lines and number", len(found))
		}
		words = append(words, found[1], found[len(found)-1])
	}
	near("left edge", words[0][1], 28*mm)
	near("right edge", words[0][3], (210-26)*mm)
	near("odd number's right edge", words[1][3], (210-26)*mm-14)
	if x, err := strconv.ParseFloat(words[3][1], 64); err != nil || x > 200 {
		t.Errorf("even page's number ends the line at %v (%v), want it at the left", x, err)
	}
}

// What a reader sees of a whole bulletin.
func TestBulletinOpensInLibreOffice(t *testing.T) {
	t.Parallel()
	in := september(t)
	in.Letterhead = in.letterhead()
	in.Letterhead.Copies = "市委办公室，市人大常委会办公室，市政协办公室，市纪委市监委，市人民法院，市人民检察院"
	b := Draft(in)
	file := pdf(t, docx(t, b.WriteDOCX))
	text := pdftotext(t, file, "-layout")
	pages := strings.Split(strings.TrimSuffix(text, "\f"), "\f")
	flat := strings.Join(strings.Fields(text), "")
	for _, p := range b.Paragraphs() {
		// A paragraph over two pages has a page number within.
		if want := []rune(strings.Join(strings.Fields(p.Text), "")); !strings.Contains(flat, string(want[:min(len(want), 12)])) {
			t.Errorf("the file lacks %q", string(want))
		}
	}
	// 版记 stands alone on the back of the last sheet, without a number, and ends
	// where the text's area does.
	last := len(pages) - 1
	if flat := strings.Join(strings.Fields(pages[last]), ""); !strings.HasPrefix(flat, "抄送：市委办公室") || !strings.HasSuffix(flat, "桐乡市人民政府办公室2023年10月15日印发") {
		t.Errorf("the last page holds %q, want the 版记 alone", flat)
	}
	layout := pdftotext(t, file, "-bbox")
	words := regexp.MustCompile(`yMin="([0-9.]+)" xMax="[0-9.]+" yMax="([0-9.]+)">`).FindAllStringSubmatch(layout[strings.LastIndex(layout, "<page "):], -1)
	const foot = (297 - 35) * 72 / 25.4
	if low, err := strconv.ParseFloat(words[len(words)-1][2], 64); err != nil || low < foot-20 || low > foot {
		t.Errorf("the 版记 ends at %.1f pt (%v), want just above %.1f", low, err, foot)
	}
	if top, err := strconv.ParseFloat(words[0][1], 64); err != nil || top < foot-5*28 {
		t.Errorf("the 版记 begins at %.1f pt (%v), want four lines at most", top, err)
	}
	heads := 0
	for i, page := range pages[:last] {
		checkNumber(t, page, i+1)
		if strings.Contains(page, "牵头单位") && strings.Contains(page, "标志性成果") && strings.Contains(page, "编号") {
			heads++
		}
	}
	if heads < 2 {
		t.Errorf("the annex's head stands on %d pages, want every page of it", heads)
	}
	if !strings.Contains(flat, in.History) {
		t.Error("the file lacks the end of the history's chain")
	}
	for _, row := range b.Annex.Rows {
		if !strings.Contains(text, row.Code) {
			t.Errorf("the annex lacks %s", row.Code)
		}
	}
}

func TestLetterOpensInLibreOffice(t *testing.T) {
	t.Parallel()
	letters := Letters(september(t))
	text := pdftotext(t, pdf(t, docx(t, letters[0].WriteDOCX)), "-layout")
	if strings.Count(text, "\f") != 1 || !strings.Contains(text, "评选星级社区服务综合体") {
		t.Errorf("want one page that names the indicator, got:\n%s", text)
	}
}

func FuzzDOCX(f *testing.F) {
	f.Add("滞后{{behind}}项<&>\"'\x00\x1b]]>", "a\nb")
	f.Add("{{", "}}{{x}}\ufffe\xff")
	f.Fuzz(func(t *testing.T, text, title string) {
		figuresIn(text, []string{"项", "人"})
		text = resolve(tidy(text), map[string]string{"behind": title})
		d := document{title: title, paragraphs: []Paragraph{{Style: StyleOrg, Text: title}, {Style: StyleTitle, Text: text}, {Style: StyleBody, Text: text}},
			table: &table{title: title, head: []string{text}, rows: [][]string{{text}}, widths: []int{100}}}
		file := docx(t, d.write)
		for _, name := range []string{"word/document.xml", "docProps/core.xml"} {
			wellFormed(t, name, part(t, file, name))
		}
	})
}
