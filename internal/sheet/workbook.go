package sheet

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/shopspring/decimal"
	"github.com/xuri/excelize/v2"
)

// Limits of an uploaded workbook. The packed file is bounded by maxFileBytes.
const (
	maxUnpackedBytes   = 8 << 20 // of the parts that are read, counted while unpacking
	maxZipEntries      = 2000
	maxWorkbookRows    = 5000
	maxEmptyRows       = 20_000 // rows of a sheet in all, those without anything included
	maxWorkbookColumns = 64
	maxWorkbookRunes   = 20000 // of one cell
	maxSharedStrings   = 50_000
)

// workbook is an .xlsx somebody handed in, read with our own few lines rather
// than a library: only the parts needed are unpacked, cells come as a stream,
// and what the file claims of itself (sizes, dimensions, counts) is never
// believed. Formulas are not run, only noticed.
type workbook struct {
	parts   map[string]*zip.File
	left    int64 // bytes that may still be unpacked
	sheets  []workSheet
	strings []string
	formats []cellFormat // by style index
}

type workSheet struct {
	name   string
	hidden bool
	part   string
}

type cellFormat struct{ percent, date bool }

// workCell is one cell. Numbers are plain decimals with at most the 15 digits a
// spreadsheet has.
type workCell struct {
	text    string
	number  bool
	percent bool // shown as a percentage: 85% is stored as 0.85
	date    bool
	formula bool
}

type workRow struct {
	line  int
	cells []workCell // from column A; shorter than the sheet where the rest is empty
}

// cell is the cell in column i, an empty one beyond the row's end.
func (r workRow) cell(i int) workCell {
	if i < len(r.cells) {
		return r.cells[i]
	}
	return workCell{}
}

var errTooBig = errors.New("unpacked parts are too big")

// openWorkbook reads a workbook's frame. What is wrong with the file as such is
// [Faults].
func openWorkbook(r io.Reader) (*workbook, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read workbook: %w", err)
	}
	refuse := func(format string, args ...any) (*workbook, error) {
		return nil, Faults{{Message: fmt.Sprintf(format, args...)}}
	}
	switch {
	case len(text) > maxFileBytes:
		return refuse("文件超过%d MB", maxFileBytes>>20)
	case len(text) == 0:
		return refuse("文件是空的")
	case bytes.HasPrefix(text, []byte("\xd0\xcf\x11\xe0")):
		return refuse("这是旧版 .xls 或设了密码的文件,请另存为不带密码的 .xlsx")
	}
	archive, err := zip.NewReader(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		return refuse("不是 .xlsx 文件,或文件已损坏")
	}
	if len(archive.File) > maxZipEntries {
		return refuse("文件内部有%d个部分,最多%d个", len(archive.File), maxZipEntries)
	}
	b := &workbook{parts: map[string]*zip.File{}, left: maxUnpackedBytes}
	for _, f := range archive.File {
		name := strings.ToLower(strings.ReplaceAll(f.Name, `\`, "/"))
		if strings.Contains(name, "vbaproject") || strings.Contains(name, "macrosheets/") {
			return refuse("文件里有宏,请另存为不带宏的 .xlsx")
		}
		if _, twice := b.parts[name]; twice {
			return refuse("不是 .xlsx 文件,或文件已损坏")
		}
		b.parts[name] = f
	}
	if err := b.frame(); err != nil {
		return nil, b.fault(err)
	}
	return b, nil
}

// fault is what a person is told of a part that could not be read.
func (b *workbook) fault(err error) error {
	if faults, ok := errors.AsType[Faults](err); ok {
		return faults
	}
	if errors.Is(err, errTooBig) {
		return Faults{{Message: fmt.Sprintf("文件解开后超过%d MB", maxUnpackedBytes>>20)}}
	}
	return Faults{{Message: "不是 .xlsx 文件,或文件已损坏"}}
}

// budget reads a part and counts what comes out against what may.
type budget struct {
	io.ReadCloser
	left *int64
}

func (r budget) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if *r.left -= int64(n); *r.left < 0 {
		return 0, errTooBig
	}
	return n, err
}

// walk hands a part's XML tokens to visit, until it says stop. A part that is not
// there has none.
func (b *workbook) walk(name string, visit func(xml.Token) (stop bool, err error)) error {
	f, ok := b.parts[strings.ToLower(name)]
	if !ok {
		return nil
	}
	if b.left < 0 || f.UncompressedSize64 > uint64(b.left) { // what it says itself; what comes out is counted all the same
		return errTooBig
	}
	part, err := f.Open()
	if err != nil {
		return fmt.Errorf("open part: %w", err)
	}
	defer part.Close() // only read from
	decoder := xml.NewDecoder(budget{part, &b.left})
	for depth := 0; ; {
		token, err := decoder.RawToken()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read part: %w", err)
		}
		switch token.(type) {
		case xml.StartElement:
			if depth++; depth > 64 {
				return errors.New("part is nested too deep")
			}
		case xml.EndElement:
			depth--
		}
		if stop, err := visit(token); stop || err != nil {
			return err
		}
	}
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// frame reads which sheets there are, the shared strings and the formats.
func (b *workbook) frame() error {
	if b.parts["xl/workbook.xml"] == nil {
		return Faults{{Message: "不是 .xlsx 文件,或文件已损坏"}}
	}
	targets := map[string]string{}
	err := b.walk("xl/_rels/workbook.xml.rels", func(token xml.Token) (bool, error) {
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "Relationship" {
			target := attribute(e, "Target")
			if !strings.HasPrefix(target, "/") {
				target = "/xl/" + target
			}
			targets[attribute(e, "Id")] = strings.TrimPrefix(path.Clean(target), "/")
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	err = b.walk("xl/workbook.xml", func(token xml.Token) (bool, error) {
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "sheet" {
			id := ""
			for _, a := range e.Attr { // r:id beside sheetId
				if a.Name.Local == "id" && a.Name.Space != "" {
					id = a.Value
				}
			}
			state := attribute(e, "state")
			b.sheets = append(b.sheets, workSheet{attribute(e, "name"), state != "" && state != "visible", targets[id]})
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	if err := b.readStrings(); err != nil {
		return err
	}
	return b.readFormats()
}

func (b *workbook) readStrings() error {
	var text strings.Builder
	inText, phonetic := false, false
	return b.walk("xl/sharedStrings.xml", func(token xml.Token) (bool, error) {
		switch e := token.(type) {
		case xml.StartElement:
			switch e.Name.Local {
			case "si":
				text.Reset()
			case "t":
				inText = true
			case "rPh":
				phonetic = true
			}
		case xml.EndElement:
			switch e.Name.Local {
			case "si":
				if len(b.strings) == maxSharedStrings {
					return false, Faults{{Message: fmt.Sprintf("文件里不同的文字超过%d处,请只留要上传的表", maxSharedStrings)}}
				}
				b.strings = append(b.strings, unescape(text.String()))
			case "t":
				inText = false
			case "rPh":
				phonetic = false
			}
		case xml.CharData:
			if inText && !phonetic {
				text.Write(e)
			}
		}
		return false, nil
	})
}

var escaped = regexp.MustCompile(`_x([0-9A-Fa-f]{4})_`)

// unescape reads the form OOXML gives to characters that XML cannot hold.
func unescape(s string) string {
	if !strings.Contains(s, "_x") {
		return s
	}
	return escaped.ReplaceAllStringFunc(s, func(m string) string {
		n, _ := strconv.ParseUint(m[2:6], 16, 16) // the form is checked
		return string(rune(n))
	})
}

func (b *workbook) readFormats() error {
	custom := map[string]cellFormat{}
	inCells := false
	return b.walk("xl/styles.xml", func(token xml.Token) (bool, error) {
		switch e := token.(type) {
		case xml.StartElement:
			switch {
			case e.Name.Local == "numFmt":
				custom[attribute(e, "numFmtId")] = formatOf(attribute(e, "formatCode"))
			case e.Name.Local == "cellXfs":
				inCells = true
			case e.Name.Local == "xf" && inCells:
				id := attribute(e, "numFmtId")
				format, ok := custom[id]
				if !ok {
					n, _ := strconv.Atoi(id)
					format = cellFormat{percent: n == 9 || n == 10, date: n >= 14 && n <= 22 || n >= 27 && n <= 36 || n >= 45 && n <= 47 || n >= 50 && n <= 58}
				}
				b.formats = append(b.formats, format)
			}
		case xml.EndElement:
			if e.Name.Local == "cellXfs" {
				inCells = false
			}
		}
		return false, nil
	})
}

var quoted = regexp.MustCompile(`"[^"]*"|\\.|\[[^\]]*\]`)

func formatOf(code string) cellFormat {
	code = strings.ToLower(quoted.ReplaceAllString(code, ""))
	if strings.Contains(code, "general") {
		return cellFormat{}
	}
	return cellFormat{percent: strings.Contains(code, "%"), date: strings.ContainsAny(code, "ydhs")}
}

// rows are a sheet's rows that hold anything, in order.
func (b *workbook) rows(s workSheet) ([]workRow, error) {
	if b.parts[strings.ToLower(s.part)] == nil {
		return nil, b.fault(errors.New("no such part"))
	}
	p := rowReader{book: b}
	if err := b.walk(s.part, p.token); err != nil {
		return nil, b.fault(err)
	}
	return p.rows, nil
}

// rowReader takes the tokens of a worksheet.
type rowReader struct {
	book   *workbook
	rows   []workRow
	line   int
	seen   int // rows so far, whatever their numbers
	column int
	kind   string
	cell   workCell
	style  int
	within string // v or t while their text runs
	hush   bool   // inside a phonetic hint
	text   strings.Builder
}

func (p *rowReader) token(token xml.Token) (bool, error) {
	switch e := token.(type) {
	case xml.StartElement:
		return false, p.start(e)
	case xml.CharData:
		if p.within != "" && !p.hush {
			p.text.Write(e)
		}
	case xml.EndElement:
		switch e.Name.Local {
		case "v", "t":
			p.within = ""
		case "rPh":
			p.hush = false
		case "c":
			return false, p.endCell()
		case "sheetData":
			return true, nil
		}
	}
	return false, nil
}

func (p *rowReader) start(e xml.StartElement) error {
	switch e.Name.Local {
	case "row":
		p.line++
		if p.seen++; p.seen > maxEmptyRows {
			return Faults{{Message: fmt.Sprintf("连空行在内超过%d行,请删去空行再上传", maxEmptyRows)}}
		}
		if r, err := strconv.Atoi(attribute(e, "r")); err == nil {
			if r < p.line {
				return errors.New("rows out of order")
			}
			p.line = r
		}
		p.column = -1
	case "c":
		p.column++
		if ref := attribute(e, "r"); ref != "" {
			column, line, err := excelize.CellNameToCoordinates(ref)
			if err != nil || line != p.line || column-1 < p.column {
				return errors.New("cells out of order")
			}
			p.column = column - 1
		}
		p.kind, p.cell = attribute(e, "t"), workCell{}
		p.style, _ = strconv.Atoi(attribute(e, "s"))
		p.text.Reset()
	case "f":
		p.cell.formula = true
	case "v", "t":
		p.within = e.Name.Local
	case "rPh":
		p.hush = true
	}
	return nil
}

func (p *rowReader) endCell() error {
	text, cell := p.text.String(), p.cell
	switch p.kind {
	case "s":
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n >= len(p.book.strings) {
			return errors.New("no such shared string")
		}
		cell.text = p.book.strings[n]
	case "inlineStr", "str", "e", "b", "d":
		cell.text = unescape(text)
	default:
		cell.text, cell.number = number(text)
		if cell.number && p.style >= 0 && p.style < len(p.book.formats) {
			cell.percent, cell.date = p.book.formats[p.style].percent, p.book.formats[p.style].date
		}
	}
	if cell.text == "" && !cell.formula {
		return nil
	}
	name := cellName(p.column, p.line)
	switch {
	case p.line > maxWorkbookRows:
		return Faults{{Message: fmt.Sprintf("超过%d行", maxWorkbookRows)}}
	case p.column >= maxWorkbookColumns:
		return Faults{{Cell: name, Line: p.line, Message: fmt.Sprintf("超过%d列", maxWorkbookColumns)}}
	case len(cell.text) > maxWorkbookRunes*utf8.UTFMax || utf8.RuneCountInString(cell.text) > maxWorkbookRunes:
		return Faults{{Cell: name, Line: p.line, Message: fmt.Sprintf("超过%d字", maxWorkbookRunes)}}
	}
	if n := len(p.rows); n == 0 || p.rows[n-1].line != p.line {
		p.rows = append(p.rows, workRow{line: p.line})
	}
	row := &p.rows[len(p.rows)-1]
	for len(row.cells) < p.column {
		row.cells = append(row.cells, workCell{})
	}
	row.cells = append(row.cells, cell)
	return nil
}

var storedNumber = regexp.MustCompile(`^-?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?$`)

// number is a stored number as a person entered it. Spreadsheets keep binary
// fractions and write 25.31 as 25.309999999999999: 15 digits are what was meant.
func number(text string) (string, bool) {
	text = strings.TrimSpace(text)
	if !storedNumber.MatchString(text) {
		return text, false
	}
	d, err := decimal.NewFromString(text)
	if err != nil {
		return text, false
	}
	if digits := d.NumDigits(); digits > 15 {
		d = d.Round(15 - int32(digits) - d.Exponent())
	}
	return d.String(), true
}

// cellName is a cell's name as spreadsheets show it; column counts from 0.
func cellName(column, line int) string {
	name, err := excelize.CoordinatesToCellName(column+1, line)
	if err != nil { // beyond what a spreadsheet can have
		return fmt.Sprintf("R%dC%d", line, column+1)
	}
	return name
}

// named turns faults by line and column into faults by cell.
func named(err error) error {
	if faults, ok := errors.AsType[Faults](err); ok {
		return faults.named("")
	}
	return err
}
