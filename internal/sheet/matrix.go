package sheet

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"landmark/internal/landmark"
)

// Paper is what a sheet is set up to be printed on, always landscape.
type Paper int

// The papers, by the numbers spreadsheets give them.
const (
	A4 Paper = 9
	A3 Paper = 8
)

// matrixSheet is the name of the sheet the matrix stands on.
const matrixSheet = "总表"

// matrixWidths are the columns' widths in characters of the standard font; a
// Chinese one takes two.
var matrixWidths = [columnCount]float64{5, 13, 10, 27, 11, 11, 72, 24, 26}

const (
	matrixHead   = 2    // the line of the headings, below the title
	lineHeight   = 13.5 // points a line of 10 pt text takes
	maxRowHeight = 409  // what a spreadsheet allows
)

// WriteMatrixXLSX writes a plan's table, with the targets of month m, as a workbook as the city knows it: nine
// columns, a project's cells merged over its indicators, the wording untouched,
// set up to be printed landscape with the headings on every page.
// [ReadTableXLSX] reads it back.
func WriteMatrixXLSX(w io.Writer, p *landmark.Plan, m landmark.Month, paper Paper) (err error) {
	f := excelize.NewFile()
	defer func() {
		if e := f.Close(); err == nil && e != nil {
			err = fmt.Errorf("close matrix: %w", e)
		}
	}()
	x := &book{f: f, sheet: matrixSheet}
	x.do(f.SetSheetName("Sheet1", matrixSheet))
	x.properties(p.Title, p.City)
	border := x.border()
	font := func(size float64, family string) *excelize.Font { return &excelize.Font{Family: family, Size: size} }
	title := x.style(&excelize.Style{Font: font(20, "方正小标宋简体"), Alignment: &excelize.Alignment{Horizontal: "center", Vertical: "center", WrapText: true}})
	head := x.style(&excelize.Style{Font: font(10, "黑体"), Border: border, Alignment: &excelize.Alignment{Horizontal: "center", Vertical: "center", WrapText: true}})
	middle := x.style(&excelize.Style{Font: font(10, "宋体"), Border: border, Alignment: &excelize.Alignment{Horizontal: "center", Vertical: "center", WrapText: true}})
	left := x.style(&excelize.Style{Font: font(10, "宋体"), Border: border, Alignment: &excelize.Alignment{Vertical: "center", WrapText: true}})

	for i, width := range matrixWidths {
		x.width(i, width)
	}
	x.text(0, 1, p.Title, title)
	x.do(f.MergeCell(matrixSheet, "A1", cellName(columnCount-1, 1)))
	x.do(f.SetRowHeight(matrixSheet, 1, 36))
	t := FromPlan(p, m)
	for i, heading := range t.Columns {
		x.text(i, matrixHead, heading, head)
	}
	x.do(f.SetRowHeight(matrixSheet, matrixHead, 30))

	page := newPage(paper, matrixWidths[:])
	used := 36 + 30.0 // title and headings
	line := matrixHead
	for _, project := range t.Projects {
		begin := line + 1
		whole := []struct {
			column int
			text   string
			style  int
		}{
			{colNumber, fmt.Sprint(project.Number), middle}, {colName, project.Name, middle}, {colLead, project.Lead, middle},
			{colTasks, project.Tasks, left}, {colScenarios, project.Scenarios, left}, {colCooperating, project.Cooperating, left},
		}
		heights := make([]float64, len(project.Indicators))
		for i, ind := range project.Indicators {
			line++
			heights[i] = textHeight(ind.Printed, matrixWidths[colIndicator])
			x.text(colIndicator, line, ind.Printed, left)
			x.printed(colBaseline, line, ind.Baseline, middle)
			x.printed(colTarget, line, ind.Target, middle)
			for _, c := range whole {
				x.do(f.SetCellStyle(matrixSheet, cellName(c.column, line), cellName(c.column, line), c.style))
			}
		}
		for _, c := range whole {
			x.printed(c.column, begin, c.text, c.style)
			if line > begin {
				x.do(f.MergeCell(matrixSheet, cellName(c.column, begin), cellName(c.column, line)))
			}
			stretch(heights, textHeight(c.text, matrixWidths[c.column]))
		}
		block := 0.0
		for i, height := range heights {
			height = min(height, maxRowHeight)
			block += height
			x.do(f.SetRowHeight(matrixSheet, begin+i, height))
		}
		if used += block; used > page.height && begin > matrixHead+1 { // a project is not torn apart
			x.do(f.InsertPageBreak(matrixSheet, cellName(0, begin)))
			used = 30 + block
		}
	}
	x.printSetup(page, matrixHead, columnCount-1, line)
	x.do(f.SetPanes(matrixSheet, &excelize.Panes{Freeze: true, YSplit: matrixHead, TopLeftCell: cellName(0, matrixHead+1), ActivePane: "bottomLeft"}))
	if x.err != nil {
		return fmt.Errorf("write matrix of %s: %w", p.Slug, x.err)
	}
	if err := f.Write(w); err != nil {
		return fmt.Errorf("write matrix of %s: %w", p.Slug, err)
	}
	return nil
}

// textHeight is how high a cell of text must be; spreadsheets do not fit the
// height of merged cells themselves.
func textHeight(text string, width float64) float64 {
	units := 0
	for _, r := range text {
		if r < 0x2000 {
			units++
		} else {
			units += 2
		}
	}
	perLine := max(int(width)-1, 2)
	return float64((units+perLine-1)/perLine)*lineHeight + 6
}

// stretch shares out over rows what a merged cell needs beyond their heights.
func stretch(heights []float64, needed float64) {
	sum := 0.0
	for _, h := range heights {
		sum += h
	}
	for i := range heights {
		heights[i] += max(0, needed-sum) / float64(len(heights))
	}
}

// book writes cells and keeps the first error, so that a sheet reads as what is
// on it.
type book struct {
	f     *excelize.File
	sheet string
	err   error
}

func (x *book) do(err error) {
	if x.err == nil {
		x.err = err
	}
}

func (x *book) style(s *excelize.Style) int {
	id, err := x.f.NewStyle(s)
	x.do(err)
	return id
}

// text writes a cell of text; text that begins like a formula stays text.
func (x *book) text(column, line int, text string, style int) {
	if n := utf8.RuneCountInString(text); n > excelize.TotalCellChars {
		x.do(landmark.Errorf(landmark.Invalid, "", "单元格%s有%d字,表格最多%d字", cellName(column, line), n, excelize.TotalCellChars))
		return
	}
	x.do(x.f.SetCellStr(x.sheet, cellName(column, line), text))
	x.do(x.f.SetCellStyle(x.sheet, cellName(column, line), cellName(column, line), style))
}

// printed writes a printed figure: as a number where the number prints the same,
// so that it can be counted with, else as text (82.80%, 降幅趋缓, /).
func (x *book) printed(column, line int, text string, style int) {
	if n := landmark.PrintedNumber(text); n.Valid && n.Decimal.String() == text && n.Decimal.NumDigits() <= 15 {
		x.figure(column, line, text, style)
		return
	}
	x.text(column, line, text, style)
}

// width sets how wide a column is, in digits of the standard font.
func (x *book) width(column int, width float64) {
	name, err := excelize.ColumnNumberToName(column + 1)
	x.do(err)
	x.do(x.f.SetColWidth(x.sheet, name, name, width))
}

// figure writes a plain number, untouched by binary fractions.
func (x *book) figure(column, line int, text string, style int) {
	x.do(x.f.SetCellDefault(x.sheet, cellName(column, line), text))
	x.do(x.f.SetCellStyle(x.sheet, cellName(column, line), cellName(column, line), style))
}

func (x *book) border() []excelize.Border {
	var out []excelize.Border
	for _, side := range []string{"left", "top", "right", "bottom"} {
		out = append(out, excelize.Border{Type: side, Color: "000000", Style: 1})
	}
	return out
}

// properties names the document; without times, so that the same plan gives the
// same file.
func (x *book) properties(title, creator string) {
	x.do(x.f.SetDocProps(&excelize.DocProperties{Title: title, Creator: creator, Language: "zh-CN", Created: "2000-01-01T00:00:00Z", Modified: "2000-01-01T00:00:00Z"}))
	// Columns are as wide as so many digits of this font: one that every machine
	// has, or has a copy of with the same measures. Cells name their own.
	x.do(x.f.SetDefaultFont("Arial"))
}

// page is how a sheet comes onto paper. Spreadsheets fit it to the page's width
// themselves, which no difference of fonts can upset; the scale they come to is
// worked out here to know where pages end. LibreOffice keeps the breaks set then;
// Excel passes over them in this mode and breaks where the page is full.
type page struct {
	paper  Paper
	scale  uint    // percent
	height float64 // points of the sheet's own that fit on one
}

// Margins in inches.
const (
	marginSide = 0.4
	marginTop  = 0.6
)

func newPage(paper Paper, widths []float64) page {
	wide, high := 841.9, 595.3 // A4 in points
	if paper == A3 {
		wide, high = 1190.6, 841.9
	}
	sum := 0.0
	for _, w := range widths {
		sum += (w*8 + 5) * 0.75 // a digit of 11 pt Arial is 8 pixels
	}
	scale := min(100, (wide-2*marginSide*72)/sum*100)
	return page{paper, uint(scale), (high - 2*marginTop*72) / scale * 100 * 0.98}
}

// printSetup lays a sheet out for paper: landscape, as wide as the page, headings
// on each.
func (x *book) printSetup(p page, headLine, lastColumn, lastLine int) {
	size, landscape := int(p.paper), "landscape"
	wide, high, fit := 1, 0, true
	x.do(x.f.SetPageLayout(x.sheet, &excelize.PageLayoutOptions{Size: &size, Orientation: &landscape, AdjustTo: &p.scale, FitToWidth: &wide, FitToHeight: &high}))
	x.do(x.f.SetSheetProps(x.sheet, &excelize.SheetPropsOptions{FitToPage: &fit}))
	side, top, foot, centred := marginSide, marginTop, 0.3, true
	x.do(x.f.SetPageMargins(x.sheet, &excelize.PageLayoutMarginsOptions{Left: &side, Right: &side, Top: &top, Bottom: &top, Header: &foot, Footer: &foot, Horizontally: &centred}))
	x.do(x.f.SetHeaderFooter(x.sheet, &excelize.HeaderFooterOptions{OddFooter: "&C第 &P 页 共 &N 页"}))
	name := "'" + strings.ReplaceAll(x.sheet, "'", "''") + "'!"
	x.do(x.f.SetDefinedName(&excelize.DefinedName{Name: "_xlnm.Print_Titles", RefersTo: fmt.Sprintf("%s$%d:$%d", name, headLine, headLine), Scope: x.sheet}))
	end, err := excelize.CoordinatesToCellName(lastColumn+1, lastLine, true)
	x.do(err)
	x.do(x.f.SetDefinedName(&excelize.DefinedName{Name: "_xlnm.Print_Area", RefersTo: name + "$A$1:" + end, Scope: x.sheet}))
}

// ReadTableXLSX reads a table from a workbook laid out as [WriteMatrixXLSX]
// writes it, whoever saved it: the first visible sheet that has a line beginning
// with 序号. Lines above that are titles. The same rules hold as for [ReadTable];
// faults name cells. Line breaks inside cells are layout and are taken out;
// formulas are refused, for what they last came to is not what was printed.
func ReadTableXLSX(r io.Reader) (*Table, error) {
	b, err := openWorkbook(r)
	if err != nil {
		return nil, err
	}
	for _, s := range b.sheets {
		if s.hidden {
			continue
		}
		rows, err := b.rows(s)
		if err != nil {
			return nil, err
		}
		for i, row := range rows {
			if strings.TrimSpace(row.cell(0).text) == "序号" {
				return readMatrix(rows[i:])
			}
		}
	}
	return nil, Faults{{Message: "没有找到表头:应有一行以“序号”开头"}}
}

func readMatrix(rows []workRow) (*Table, error) {
	p := tableReader{table: &Table{}}
	for i, row := range rows {
		cells := make([]string, max(columnCount, len(row.cells)))
		for k := range cells {
			cell := row.cell(k)
			switch {
			case cell.formula:
				p.faults.add(row.line, k+1, "是公式,请改成数值或文字")
			case cell.date:
				p.faults.add(row.line, k+1, "是日期,请改成文字")
			}
			cells[k] = matrixText(cell)
		}
		for len(cells) > columnCount && strings.TrimSpace(cells[len(cells)-1]) == "" {
			cells = cells[:len(cells)-1]
		}
		if strings.TrimSpace(strings.Join(cells, "")) == "" {
			continue
		}
		if i > 0 && len(cells) == columnCount && cells[colNumber] == "" {
			for k, cell := range cells {
				if strings.TrimSpace(cell) != "" && (k < colIndicator || k > colTarget) {
					p.faults.add(row.line, k+1, "没有序号的行只能有指标名称、实际值、目标值")
				}
			}
			cells = cells[colIndicator : colTarget+1]
		}
		p.row(row.line, cells)
	}
	t, err := p.finish()
	return t, named(err)
}

// matrixText is a cell as the text table would hold it.
func matrixText(cell workCell) string {
	text := cell.text
	if cell.percent {
		if n := landmark.PrintedNumber(text); n.Valid {
			return n.Decimal.Shift(2).String() + "%"
		}
	}
	if !strings.ContainsAny(text, "\r\n") {
		return text
	}
	return strings.NewReplacer("\r\n", "", "\n", "", "\r", "").Replace(text)
}
