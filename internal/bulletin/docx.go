package bulletin

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Measures of GB/T 9704-2012, in twentieths of a point unless said otherwise.
const (
	pageWide, pageHigh = 11906, 16838 // A4
	marginTop          = 2098         // 37 mm
	marginBottom       = 1984         // 35 mm
	marginLeft         = 1587         // 28 mm
	marginRight        = 1474         // 26 mm
	orgDown            = 1984         // red head 35 mm below the top of the text
	footerUp           = 1400         // page number 7 mm below the text
	footerTurned       = 880
	textWide           = pageWide - marginLeft - marginRight

	// A letter: its head 30 mm below the paper's edge, red lines of 170 mm under the
	// head and 20 mm above the paper's foot.
	letterTop  = 1701
	letterFoot = 1134
	letterLine = -397 // as far beyond the text at each side

	// 版记 is in 4号: a character is 280 wide.
	imprintChar = 2 * 140

	lineHigh = 560 // 28 pt: 22 lines a page
	// 3号 is 16 pt, 28 of which are wider than the 156 mm of a line; a quarter of
	// a point less between characters makes exactly 28.
	tighter   = -5
	lineChars = 28
	heldLines = 8 // of a paragraph held to what follows
)

// Sizes in half points: 2号 22 pt, 3号 16 pt, 4号 14 pt.
const (
	sizeTitle  = 44
	sizeBody   = 32
	sizeFooter = 28
	sizeCell   = 21
)

// The faces as the standard and the offices' machines name them. None is
// shipped: a machine without one takes what its own settings put in its place.
const (
	faceTitle = "方正小标宋简体"
	faceBody  = "仿宋_GB2312"
	faceHead  = "黑体"
	faceSub   = "楷体_GB2312"
	faceSong  = "宋体"
	faceLatin = "Times New Roman"
)

const (
	nsMain = `xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"`
	nsRel  = `xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"`
	opened = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
)

// write packs the parts. The order and the time are fixed, so that the same
// document gives the same bytes; the list of types comes first.
func (d document) write(w io.Writer) error {
	z := zip.NewWriter(w)
	for _, part := range []struct{ name, text string }{
		{"[Content_Types].xml", contentTypes},
		{"_rels/.rels", packageRels},
		{"word/document.xml", d.xml()},
		{"word/_rels/document.xml.rels", documentRels},
		{"word/styles.xml", styles()},
		{"word/settings.xml", settings},
		{"word/fontTable.xml", fontTable()},
		{"word/footer1.xml", d.number("right")},
		{"word/footer2.xml", d.number("left")},
		{"word/footer3.xml", d.third()},
		{"word/footer4.xml", d.imprint()},
		{"docProps/core.xml", opened + `<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>` + escape(d.title) + `</dc:title></cp:coreProperties>`},
	} {
		f, err := z.CreateHeader(&zip.FileHeader{Name: part.name, Method: zip.Deflate, Modified: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)})
		if err != nil {
			return fmt.Errorf("pack %s: %w", part.name, err)
		}
		if _, err := io.WriteString(f, part.text); err != nil {
			return fmt.Errorf("pack %s: %w", part.name, err)
		}
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("pack document: %w", err)
	}
	return nil
}

// escape makes text fit for XML; what XML cannot hold becomes U+FFFD.
func escape(s string) string {
	var b bytes.Buffer
	xml.EscapeText(&b, []byte(s)) //nolint:errcheck // a buffer takes everything
	return b.String()
}

func (d document) xml() string {
	var b strings.Builder
	b.WriteString(opened + `<w:document ` + nsMain + ` ` + nsRel + `><w:body>` + "\n")
	text, imprint := d.parts()
	if d.table == nil { // of one piece: a letter, whose 版记 has no lines
		text, imprint = d.paragraphs, nil
	}
	for i, p := range text {
		var before, after Style
		if i > 0 {
			before = text[i-1].Style
		}
		if i+1 < len(text) {
			after = text[i+1].Style
		}
		b.WriteString(paragraphXML(p, before, after))
	}
	if d.table == nil {
		kind := upright
		if d.letter() {
			kind = letterPages
		}
		b.WriteString(sectionXML(kind))
	} else {
		b.WriteString(sectionEnd(upright))
		b.WriteString(d.table.xml())
		if len(imprint) == 0 {
			b.WriteString(endLine("") + sectionXML(turned))
		} else {
			b.WriteString(sectionEnd(turned) + endLine("") + sectionXML(back))
		}
	}
	b.WriteString(`</w:body></w:document>`)
	return b.String()
}

func (d document) letter() bool {
	return slices.ContainsFunc(d.paragraphs, func(p Paragraph) bool { return p.Style == StyleLetterhead })
}

// third is what footer3 is for: the 版记, or the red line at the foot of a
// letter's first page, which has no number.
func (d document) third() string {
	if !d.letter() {
		return d.imprint()
	}
	return fmt.Sprintf(opened+`<w:ftr `+nsMain+`><w:p><w:pPr><w:pStyle w:val="Footer"/><w:pBdr><w:bottom w:val="thinThickSmallGap" w:sz="24" w:space="1" w:color="FF0000"/></w:pBdr>`+
		`<w:ind w:left="%d" w:right="%d"/></w:pPr></w:p></w:ftr>`, letterLine, letterLine)
}

// parts are the paragraphs of the text and those of the 版记.
func (d document) parts() (text, imprint []Paragraph) {
	i := slices.IndexFunc(d.paragraphs, func(p Paragraph) bool { return p.Style.Imprint() })
	if i < 0 {
		return d.paragraphs, nil
	}
	return d.paragraphs[:i], d.paragraphs[i:]
}

// endLine is a line too low to be seen: a table may not end a section.
func endLine(props string) string {
	return `<w:p><w:pPr><w:pStyle w:val="SectionEnd"/>` + props + `</w:pPr></w:p>` + "\n"
}

func sectionEnd(s section) string { return endLine(sectionXML(s)) }

var styleIDs = map[Style]string{
	StyleOrg: "Org", StyleLetterhead: "Letterhead", StyleIssue: "IssueLine", StyleLetterIssue: "LetterIssue", StyleTitle: "Title", StyleAddressee: "Addressee", StyleBody: "Normal", StyleHeading: "Heading1",
	StyleSubheading: "Heading2", StyleAttachment: "Attachment", StyleSign: "Sign", StyleDate: "SignDate", StyleNote: "Note", StyleCopies: "Copies", StylePrinter: "Printer",
}

// paragraphXML sets one paragraph. Signature and attachment keep the distance
// the standard asks for from what stands before, and the signature never stands
// on a page without text. A long paragraph is not held to it: LibreOffice would move
// the whole of it to the next page, and there is text enough beside the signature.
func paragraphXML(p Paragraph, before, after Style) string {
	extra := ""
	if (after == StyleSign || after == StyleAttachment) && width(p.Text) <= heldLines*lineChars*2 {
		extra = `<w:keepNext/>`
	}
	switch p.Style {
	case StyleAttachment:
		if before != StyleAttachment {
			extra += fmt.Sprintf(`<w:spacing w:before="%d"/>`, lineHigh)
		}
	case StyleCopies:
		extra += fmt.Sprintf(`<w:spacing w:before="%d"/>`, lineHigh)
	case StyleSign:
		extra += fmt.Sprintf(`<w:spacing w:before="%d"/>`, 2*lineHigh)
	}
	runs := `<w:r>`
	if p.Style == StyleOrg || p.Style == StyleLetterhead {
		runs += fmt.Sprintf(`<w:rPr><w:sz w:val="%d"/><w:szCs w:val="%d"/></w:rPr>`, orgSize(p.Text), orgSize(p.Text))
	}
	for i, line := range strings.Split(p.Text, "\n") {
		if i > 0 {
			runs += `<w:br/>`
		}
		runs += `<w:t xml:space="preserve">` + escape(line) + `</w:t>`
	}
	return `<w:p><w:pPr><w:pStyle w:val="` + styleIDs[p.Style] + `"/>` + extra + `</w:pPr>` + runs + `</w:r></w:p>` + "\n"
}

// orgSize is the red head's size in half points: as large as its name allows on
// one line, at most 62 pt, so that no office has to set it.
func orgSize(text string) int {
	const line = (pageWide - marginLeft - marginRight) / 10 * 19 / 20 // half points, a little air beside it
	return max(min(line*2/max(width(text), 1), 124), 32)
}

// section is a kind of pages.
type section int

const (
	upright section = iota
	turned          // the annex: its binding edge is at the top
	back            // the 版记 alone, on the back of a sheet, where no number stands
	letterPages
)

func sectionXML(s section) string {
	wide, high, orient, begins := pageWide, pageHigh, "", "nextPage"
	odd, even, first, differs := "rId4", "rId5", "", ""
	top, right, bottom, left, foot := marginTop, marginRight, marginBottom, marginLeft, footerUp
	switch s {
	case turned:
		wide, high, orient = pageHigh, pageWide, ` w:orient="landscape"`
		top, right, bottom, left, foot = marginLeft, marginTop, marginRight, marginBottom, footerTurned
	case back:
		begins, odd, even, foot = "evenPage", "rId6", "rId7", marginBottom
	case letterPages:
		top, foot = letterTop, letterFoot
		first, differs = `<w:footerReference w:type="first" r:id="rId6"/>`, `<w:titlePg/>`
	case upright:
	}
	return fmt.Sprintf(`<w:sectPr><w:footerReference w:type="default" r:id="%s"/><w:footerReference w:type="even" r:id="%s"/>%s<w:type w:val="%s"/>`+
		`<w:pgSz w:w="%d" w:h="%d"%s/><w:pgMar w:top="%d" w:right="%d" w:bottom="%d" w:left="%d" w:header="851" w:footer="%d" w:gutter="0"/>%s</w:sectPr>`,
		odd, even, first, begins, wide, high, orient, top, right, bottom, left, foot, differs)
}

// imprint is the 版记, for the foot of its section's page: only there does every
// program end it where the text's area ends. Thick lines are above its first part
// and below the last, a thin one between.
func (d document) imprint() string {
	_, parts := d.parts()
	if len(parts) == 0 || d.table == nil {
		return opened + `<w:ftr ` + nsMain + `><w:p><w:pPr><w:pStyle w:val="Footer"/></w:pPr></w:p></w:ftr>`
	}
	var b strings.Builder
	fmt.Fprintf(&b, opened+`<w:ftr `+nsMain+`><w:tbl><w:tblPr><w:tblW w:w="%d" w:type="dxa"/><w:tblBorders><w:top w:val="single" w:sz="8" w:space="0" w:color="000000"/><w:bottom w:val="single" w:sz="8" w:space="0" w:color="000000"/>`+
		`<w:insideH w:val="single" w:sz="6" w:space="0" w:color="000000"/></w:tblBorders><w:tblLayout w:type="fixed"/>`+
		`<w:tblCellMar><w:left w:w="0" w:type="dxa"/><w:right w:w="0" w:type="dxa"/></w:tblCellMar></w:tblPr><w:tblGrid><w:gridCol w:w="%d"/></w:tblGrid>`+"\n", textWide, textWide)
	for _, p := range parts {
		fmt.Fprintf(&b, `<w:tr><w:trPr><w:cantSplit/></w:trPr><w:tc><w:tcPr><w:tcW w:w="%d" w:type="dxa"/></w:tcPr><w:p><w:pPr><w:pStyle w:val="%s"/></w:pPr><w:r>`, textWide, styleIDs[p.Style])
		for i, line := range strings.Split(p.Text, "\n") {
			if i > 0 {
				b.WriteString(`<w:tab/>`)
			}
			b.WriteString(`<w:t xml:space="preserve">` + escape(line) + `</w:t>`)
		}
		b.WriteString("</w:r></w:p></w:tc></w:tr>\n")
	}
	b.WriteString("</w:tbl>\n" + endLine("") + `</w:ftr>`)
	return b.String()
}

// xml is the annex: the word 附件, its title, and the table, whose head row comes
// again on every page and whose rows do not break.
func (t *table) xml() string {
	var b strings.Builder
	b.WriteString(`<w:p><w:pPr><w:pStyle w:val="AnnexMark"/></w:pPr><w:r><w:t>附件</w:t></w:r></w:p>` + "\n")
	b.WriteString(`<w:p><w:pPr><w:pStyle w:val="AnnexTitle"/></w:pPr><w:r><w:t xml:space="preserve">` + escape(t.title) + `</w:t></w:r></w:p>` + "\n")
	text := pageHigh - marginTop - marginBottom
	b.WriteString(fmt.Sprintf(`<w:tbl><w:tblPr><w:tblW w:w="%d" w:type="dxa"/><w:jc w:val="center"/><w:tblBorders>`, text))
	for _, side := range []string{"top", "left", "bottom", "right", "insideH", "insideV"} {
		size := 8
		if strings.HasPrefix(side, "inside") {
			size = 4
		}
		fmt.Fprintf(&b, `<w:%s w:val="single" w:sz="%d" w:space="0" w:color="000000"/>`, side, size)
	}
	b.WriteString(`</w:tblBorders><w:tblLayout w:type="fixed"/><w:tblCellMar><w:top w:w="40" w:type="dxa"/><w:left w:w="57" w:type="dxa"/><w:bottom w:w="40" w:type="dxa"/><w:right w:w="57" w:type="dxa"/></w:tblCellMar></w:tblPr><w:tblGrid>`)
	for _, share := range t.widths {
		fmt.Fprintf(&b, `<w:gridCol w:w="%d"/>`, text*share/100)
	}
	b.WriteString("</w:tblGrid>\n")
	row := func(cells []string, props, style string) {
		b.WriteString(`<w:tr><w:trPr><w:cantSplit/>` + props + `</w:trPr>`)
		for i, cell := range cells {
			s := style
			if s == "Cell" && slices.Contains(t.left, i) {
				s = "CellLeft"
			}
			fmt.Fprintf(&b, `<w:tc><w:tcPr><w:tcW w:w="%d" w:type="dxa"/><w:vAlign w:val="center"/></w:tcPr><w:p><w:pPr><w:pStyle w:val="%s"/></w:pPr><w:r><w:t xml:space="preserve">%s</w:t></w:r></w:p></w:tc>`,
				text*t.widths[i]/100, s, escape(cell))
		}
		b.WriteString("</w:tr>\n")
	}
	row(t.head, `<w:tblHeader/>`, "CellHead")
	for _, cells := range t.rows {
		row(cells, "", "Cell")
	}
	b.WriteString("</w:tbl>\n")
	if t.note != "" {
		b.WriteString(`<w:p><w:pPr><w:pStyle w:val="AnnexNote"/></w:pPr><w:r><w:t xml:space="preserve">` + escape(t.note) + `</w:t></w:r></w:p>` + "\n")
	}
	return b.String()
}

// number is the page number in 4号 宋体, one character from the outer edge, in a
// letter as high as elsewhere.
func (d document) number(side string) string {
	raised := ""
	if d.letter() {
		raised = fmt.Sprintf(`<w:spacing w:after="%d"/>`, footerUp-letterFoot)
	}
	return opened + `<w:ftr ` + nsMain + `><w:p><w:pPr><w:pStyle w:val="Footer"/>` + raised + `<w:ind w:` + side + `Chars="100" w:` + side + `="280"/><w:jc w:val="` + side + `"/></w:pPr>` +
		`<w:r><w:t xml:space="preserve">— </w:t></w:r><w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText xml:space="preserve"> PAGE </w:instrText></w:r>` +
		`<w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>1</w:t></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r><w:r><w:t xml:space="preserve"> —</w:t></w:r></w:p></w:ftr>`
}

// styles are the parts of an official document. No docGrid anywhere: LibreOffice
// would set 28 pt lines at 28.95.
func styles() string {
	var b strings.Builder
	b.WriteString(opened + `<w:styles ` + nsMain + `><w:docDefaults><w:rPrDefault><w:rPr>` + face(faceBody) +
		fmt.Sprintf(`<w:spacing w:val="%d"/><w:sz w:val="%d"/><w:szCs w:val="%d"/><w:lang w:val="en-US" w:eastAsia="zh-CN"/></w:rPr></w:rPrDefault>`, tighter, sizeBody, sizeBody) +
		`<w:pPrDefault><w:pPr>` + exactly(lineHigh) + `</w:pPr></w:pPrDefault></w:docDefaults>` + "\n")
	const indent = `<w:ind w:firstLineChars="200" w:firstLine="640"/>`
	add := func(id, name, attributes, based, paragraph, run string) {
		b.WriteString(`<w:style w:type="paragraph" ` + attributes + `w:styleId="` + id + `"><w:name w:val="` + name + `"/>`)
		if based != "" {
			b.WriteString(`<w:basedOn w:val="` + based + `"/>`)
		}
		b.WriteString(`<w:qFormat/><w:pPr>` + paragraph + `</w:pPr>`)
		if run != "" {
			b.WriteString(`<w:rPr>` + run + `</w:rPr>`)
		}
		b.WriteString("</w:style>\n")
	}
	own := `w:customStyle="1" `
	plain := `<w:spacing w:val="0"/>`
	add("Normal", "Normal", `w:default="1" `, "", `<w:widowControl w:val="0"/>`+indent+`<w:jc w:val="both"/>`, "")
	// 35 mm from the top of the text to the red head, two empty lines under it.
	add("Org", "发文机关标志", own, "", fmt.Sprintf(`<w:spacing w:before="%d" w:after="%d" w:line="240" w:lineRule="auto"/><w:jc w:val="center"/>`, orgDown, lineHigh),
		face(faceTitle)+`<w:color w:val="FF0000"/>`+plain)
	add("Letterhead", "信函机关标志", own, "", fmt.Sprintf(`<w:pBdr><w:bottom w:val="thickThinSmallGap" w:sz="24" w:space="11" w:color="FF0000"/></w:pBdr><w:spacing w:line="240" w:lineRule="auto"/><w:ind w:left="%d" w:right="%d"/><w:jc w:val="center"/>`, letterLine, letterLine),
		face(faceTitle)+`<w:color w:val="FF0000"/>`+plain)
	add("LetterIssue", "信函发文字号", own, "", `<w:spacing w:before="140"/><w:jc w:val="right"/>`, plain)
	add("IssueLine", "发文字号", own, "", `<w:pBdr><w:bottom w:val="single" w:sz="18" w:space="11" w:color="FF0000"/></w:pBdr><w:jc w:val="center"/>`, plain)
	add("Title", "Title", "", "", fmt.Sprintf(`<w:keepNext/><w:spacing w:before="%d" w:after="%d" w:line="700" w:lineRule="exact"/><w:jc w:val="center"/>`, 2*lineHigh, lineHigh),
		face(faceTitle)+plain+size(sizeTitle))
	add("Addressee", "主送机关", own, "", `<w:jc w:val="both"/>`, "")
	add("Heading1", "heading 1", "", "Normal", `<w:keepNext/><w:outlineLvl w:val="0"/>`, face(faceHead))
	add("Heading2", "heading 2", "", "Normal", `<w:keepNext/><w:outlineLvl w:val="1"/>`, face(faceSub))
	add("Attachment", "附件说明", own, "Normal", `<w:ind w:leftChars="500" w:left="1600" w:hangingChars="300" w:hanging="960"/><w:jc w:val="left"/>`, "")
	add("Sign", "署名", own, "", `<w:keepNext/><w:ind w:rightChars="200" w:right="640"/><w:jc w:val="right"/>`, "")
	add("SignDate", "成文日期", own, "", `<w:ind w:rightChars="400" w:right="1280"/><w:jc w:val="right"/>`, "")
	add("Note", "附注", own, "Normal", `<w:jc w:val="left"/>`, "")
	// One character's distance at each side; a second line of 抄送 goes on under the
	// first one's names.
	add("Copies", "抄送机关", own, "", fmt.Sprintf(`<w:ind w:left="%d" w:right="%d" w:hanging="%d"/><w:jc w:val="both"/>`, 4*imprintChar, imprintChar, 3*imprintChar), plain+size(sizeFooter))
	add("Printer", "印发机关", own, "", fmt.Sprintf(`<w:tabs><w:tab w:val="right" w:pos="%d"/></w:tabs><w:ind w:left="%d" w:right="%d"/><w:jc w:val="left"/>`, textWide-imprintChar, imprintChar, imprintChar), plain+size(sizeFooter))
	add("AnnexMark", "附件", own, "", ``, face(faceHead))
	add("AnnexTitle", "附件标题", own, "", `<w:keepNext/><w:spacing w:before="140" w:after="280" w:line="560" w:lineRule="exact"/><w:jc w:val="center"/>`, face(faceTitle)+plain+size(sizeTitle-8))
	add("Cell", "表格", own, "", exactly(300)+`<w:jc w:val="center"/>`, plain+size(sizeCell))
	add("CellLeft", "表格左对齐", own, "Cell", `<w:jc w:val="left"/>`, "")
	add("AnnexNote", "表注", own, "Cell", `<w:spacing w:before="100"/><w:jc w:val="left"/>`, "")
	add("CellHead", "表头", own, "Cell", ``, face(faceHead))
	add("SectionEnd", "节末", own, "", exactly(20), size(2))
	add("Footer", "footer", "", "", `<w:spacing w:line="240" w:lineRule="auto"/>`,
		`<w:rFonts w:ascii="`+faceSong+`" w:hAnsi="`+faceSong+`" w:eastAsia="`+faceSong+`" w:cs="`+faceSong+`"/>`+plain+size(sizeFooter))
	b.WriteString(`</w:styles>`)
	return b.String()
}

func face(name string) string {
	return `<w:rFonts w:ascii="` + faceLatin + `" w:hAnsi="` + faceLatin + `" w:eastAsia="` + name + `" w:cs="` + faceLatin + `"/>`
}

func size(half int) string { return fmt.Sprintf(`<w:sz w:val="%d"/><w:szCs w:val="%d"/>`, half, half) }

func exactly(line int) string {
	return fmt.Sprintf(`<w:spacing w:line="%d" w:lineRule="exact"/>`, line)
}

// fontTable names for each face the free or common ones to use in its place.
func fontTable() string {
	var b strings.Builder
	b.WriteString(opened + `<w:fonts ` + nsMain + `>`)
	for _, f := range [][2]string{
		{faceBody, "仿宋;FangSong;Noto Serif CJK SC"}, {faceTitle, "小标宋体;宋体;Noto Serif CJK SC"},
		{faceHead, "SimHei;Noto Sans CJK SC"}, {faceSub, "楷体;KaiTi;AR PL UKai CN;Noto Serif CJK SC"}, {faceSong, "SimSun;Noto Serif CJK SC"},
	} {
		b.WriteString(`<w:font w:name="` + f[0] + `"><w:altName w:val="` + f[1] + `"/><w:charset w:val="86"/></w:font>`)
	}
	b.WriteString(`</w:fonts>`)
	return b.String()
}

const (
	typeMain     = "application/vnd.openxmlformats-officedocument.wordprocessingml."
	relMain      = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
	contentTypes = opened + `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
		`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>` +
		`<Override PartName="/word/document.xml" ContentType="` + typeMain + `document.main+xml"/><Override PartName="/word/styles.xml" ContentType="` + typeMain + `styles+xml"/>` +
		`<Override PartName="/word/settings.xml" ContentType="` + typeMain + `settings+xml"/><Override PartName="/word/fontTable.xml" ContentType="` + typeMain + `fontTable+xml"/>` +
		`<Override PartName="/word/footer1.xml" ContentType="` + typeMain + `footer+xml"/><Override PartName="/word/footer2.xml" ContentType="` + typeMain + `footer+xml"/>` +
		`<Override PartName="/word/footer3.xml" ContentType="` + typeMain + `footer+xml"/><Override PartName="/word/footer4.xml" ContentType="` + typeMain + `footer+xml"/>` +
		`<Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/></Types>`
	packageRels = opened + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
		`<Relationship Id="rId1" Type="` + relMain + `officeDocument" Target="word/document.xml"/>` +
		`<Relationship Id="rId2" Type="http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties" Target="docProps/core.xml"/></Relationships>`
	documentRels = opened + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
		`<Relationship Id="rId1" Type="` + relMain + `styles" Target="styles.xml"/><Relationship Id="rId2" Type="` + relMain + `settings" Target="settings.xml"/>` +
		`<Relationship Id="rId3" Type="` + relMain + `fontTable" Target="fontTable.xml"/><Relationship Id="rId4" Type="` + relMain + `footer" Target="footer1.xml"/>` +
		`<Relationship Id="rId5" Type="` + relMain + `footer" Target="footer2.xml"/><Relationship Id="rId6" Type="` + relMain + `footer" Target="footer3.xml"/>` +
		`<Relationship Id="rId7" Type="` + relMain + `footer" Target="footer4.xml"/></Relationships>`
	settings = opened + `<w:settings ` + nsMain + `><w:evenAndOddHeaders/><w:characterSpacingControl w:val="compressPunctuation"/>` +
		`<w:compat><w:compatSetting w:name="compatibilityMode" w:uri="http://schemas.microsoft.com/office/word" w:val="15"/></w:compat>` +
		`<w:themeFontLang w:val="en-US" w:eastAsia="zh-CN"/></w:settings>`
)
