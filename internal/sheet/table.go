package sheet

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of a table. They are far above any real plan and keep a hostile file
// from costing more than a moment.
const (
	maxFileBytes  = 4 << 20
	maxProjects   = 500
	maxTableLines = 5000
	maxNameRunes  = 200
)

// Table is the office's table as printed: every cell's text, nothing read into
// it. [BuildPlan] makes a plan of it.
type Table struct {
	Columns      []string // the nine headings as printed
	BaselineYear int      // of 2022年实际值
	Year         int      // of 2023年目标值
	Projects     []TableProject
}

// TableProject is one project's block of the table.
type TableProject struct {
	Line        int // where it begins, for messages; 0 if it came from no file
	Number      int
	Name        string
	Lead        string
	Indicators  []TableIndicator // never empty
	Tasks       string
	Scenarios   string
	Cooperating string
}

// TableIndicator is one line's indicator.
type TableIndicator struct {
	Line     int
	Printed  string // ★每千人托位数
	Baseline string // 3.21, /, 5.48‰
	Target   string // 3.8, 降幅趋缓
}

// The columns by position.
const (
	colNumber = iota
	colName
	colLead
	colIndicator
	colBaseline
	colTarget
	colTasks
	colScenarios
	colCooperating
	columnCount
)

// columnForms are the headings a table of this form may have.
var columnForms = [columnCount]struct {
	form  *regexp.Regexp
	shown string
}{
	{regexp.MustCompile(`^序号$`), "序号"},
	{regexp.MustCompile(`^标志性成果$`), "标志性成果"},
	{regexp.MustCompile(`^牵头单位$`), "牵头单位"},
	{regexp.MustCompile(`^指标名称$`), "指标名称"},
	{regexp.MustCompile(`^([0-9]{4})年实际值$`), "××××年实际值"},
	{regexp.MustCompile(`^([0-9]{4})年目标值$`), "××××年目标值"},
	{regexp.MustCompile(`^重点任务$`), "重点任务"},
	{regexp.MustCompile(`^(拟打造的)?重点场景$`), "拟打造的重点场景"},
	{regexp.MustCompile(`^配合单位$`), "配合单位"},
}

// ReadTable reads the office's text table: a heading line, then for each project
// a line of nine cells and one line of three (name, baseline, target) for each
// further indicator. Cells are parted by " | " and every line ends in " |",
// which is how a line that was cut off is noticed.
//
// A table with any fault is refused whole; the error is [Faults] and lists all
// of them. A byte order mark, CRLF line ends and blank lines at the end are
// taken as how the file was saved, not as part of the table: they are read over
// and [WriteTable] does not bring them back.
func ReadTable(r io.Reader) (*Table, error) {
	lines, err := readLines(r)
	if err != nil {
		return nil, err
	}
	p := tableReader{table: &Table{}}
	for i, line := range lines {
		p.line(i+1, line)
	}
	return p.finish()
}

// readLines reads a bounded text file into lines without their ends.
func readLines(r io.Reader) ([]string, error) {
	text, err := readText(r)
	if err != nil {
		return nil, err
	}
	if faults := utf8Only(text, "UTF-8"); len(faults) > 0 {
		return nil, faults
	}
	text = bytes.TrimRight(text, "\r\n")
	if len(text) == 0 {
		return nil, Faults{{Message: "文件是空的"}}
	}
	if n := bytes.Count(text, []byte("\n")) + 1; n > maxTableLines {
		return nil, Faults{{Message: fmt.Sprintf("文件有%d行,最多%d行", n, maxTableLines)}}
	}
	lines := strings.Split(string(text), "\n")
	for i := range lines {
		lines[i] = strings.TrimSuffix(lines[i], "\r")
	}
	return lines, nil
}

// readText reads a bounded file and takes off a byte order mark.
func readText(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read file: %w", err)
	}
	if len(text) > maxFileBytes {
		return nil, Faults{{Message: fmt.Sprintf("文件超过%d MB", maxFileBytes>>20)}}
	}
	return bytes.TrimPrefix(text, []byte("\ufeff")), nil
}

// utf8Only refuses a file saved otherwise, in one sentence: every line of it would
// say the same. as is how the saving program calls it.
func utf8Only(text []byte, as string) Faults {
	for n, line := range bytes.Split(text, []byte("\n")) {
		if !utf8.Valid(line) {
			var faults Faults
			faults.add(n+1, 0, "不是 UTF-8 编码的文字(可能是 GBK 或 GB18030),请把整个文件另存为“%s”再导入", as)
			return faults
		}
	}
	return nil
}

// tableReader takes a table line by line, whichever file the cells come from.
type tableReader struct {
	table  *Table
	faults Faults
	began  bool // a project's line was seen, be it a faulty one
	broken bool // the running project's line was faulty: its indicators are only checked
	last   int  // number of the last project as printed
	count  int  // projects so far, faulty ones too
	seen   map[string]int
}

// line takes one line of the text form.
func (p *tableReader) line(n int, text string) {
	if strings.TrimSpace(text) == "" {
		p.faults.add(n, 0, "表中间不能有空行")
		return
	}
	cells, closed := splitCells(text)
	if !closed {
		p.faults.add(n, 0, "行末缺少“ |”,这一行可能没有写完")
	}
	p.row(n, cells)
}

// splitCells parts a line at its bars and says whether the closing one is there.
func splitCells(text string) (cells []string, closed bool) {
	text = strings.TrimRightFunc(text, unicode.IsSpace)
	for {
		if text == "|" { // an empty cell closes the line
			return append(cells, ""), true
		}
		if rest, empty := strings.CutPrefix(text, "| "); empty {
			cells, text = append(cells, ""), rest
			continue
		}
		cell, rest, found := strings.Cut(text, " | ")
		if !found {
			cell, closed = strings.CutSuffix(text, " |")
			return append(cells, cell), closed
		}
		cells, text = append(cells, cell), rest
	}
}

// row takes one line's cells.
func (p *tableReader) row(n int, cells []string) {
	switch {
	case p.table.Columns == nil:
		p.header(n, cells)
	case len(cells) == columnCount:
		p.project(n, cells)
	case len(cells) == colTarget-colIndicator+1:
		p.indicator(n, cells)
	default:
		p.faults.add(n, 0, "有%d格;项目的第一行应有%d格,其余指标行应有3格(指标名称、实际值、目标值)", len(cells), columnCount)
		if !p.began || isNumber(cells[0]) {
			p.began, p.broken = true, true
			p.skipNumber(cells[0])
		}
	}
}

func (p *tableReader) header(n int, cells []string) {
	p.table.Columns = cells
	for i, want := range columnForms {
		if i >= len(cells) {
			p.faults.add(n, i+1, "缺少“%s”列", want.shown)
			continue
		}
		f := want.form.FindStringSubmatch(cells[i])
		switch {
		case f == nil:
			p.faults.add(n, i+1, "不认识的列%s,这一列应为“%s”", quote(cells[i]), want.shown)
		case i == colBaseline:
			p.table.BaselineYear, _ = strconv.Atoi(f[1])
		case i == colTarget:
			p.table.Year, _ = strconv.Atoi(f[1])
		}
	}
	for i := columnCount; i < len(cells); i++ {
		p.faults.add(n, i+1, "多出的列%s", quote(cells[i]))
	}
	t := p.table
	if t.Year != 0 && (t.Year < 1990 || t.Year > 2200) {
		p.faults.add(n, colTarget+1, "目标年份%d不像是年份", t.Year)
	} else if t.Year != 0 && t.BaselineYear != 0 && t.BaselineYear >= t.Year {
		p.faults.add(n, colBaseline+1, "实际值的年份%d应早于目标值的年份%d", t.BaselineYear, t.Year)
	}
}

func (p *tableReader) project(n int, cells []string) {
	p.began, p.broken, p.seen = true, false, map[string]int{}
	for i, cell := range cells {
		p.cell(n, i, cell)
	}
	number, err := strconv.Atoi(cells[colNumber])
	switch {
	case strings.TrimSpace(cells[colNumber]) == "": // said already
	case err != nil || strconv.Itoa(number) != cells[colNumber] || number < 1:
		p.faults.add(n, 1, "序号应是1、2、3这样的数,现在是%s", quote(cells[colNumber]))
	case number == p.count+1 || number == p.last+1: // going on after a gap is not a fault of its own
	case number <= p.last:
		p.faults.add(n, 1, "序号%d重复或次序颠倒,前一个项目是%d", number, p.last)
	default:
		p.faults.add(n, 1, "序号%d不连续,这里应是%d", number, p.count+1)
	}
	p.skipNumber(cells[colNumber])
	if len(p.table.Projects) == maxProjects {
		p.faults.add(n, 0, "项目超过%d个", maxProjects)
	}
	p.splits(n, cells)
	p.table.Projects = append(p.table.Projects, TableProject{
		Line: n, Number: number, Name: cells[colName], Lead: cells[colLead],
		Tasks: cells[colTasks], Scenarios: cells[colScenarios], Cooperating: cells[colCooperating],
	})
	p.addIndicator(n, cells[colIndicator:colTarget+1])
}

// splits checks the cells that hold lists: nothing between two marks is a slip
// of the pen that would otherwise become a department without a name.
func (p *tableReader) splits(n int, cells []string) {
	for _, c := range []struct {
		column int
		split  func(string) []Piece
		what   string
	}{{colScenarios, SplitScenarios, "场景"}, {colCooperating, SplitDepartments, "单位"}} {
		if strings.TrimSpace(cells[c.column]) == "" {
			continue
		}
		seen := map[string]bool{}
		for i, piece := range c.split(cells[c.column]) {
			name := strings.TrimSpace(piece.Text)
			switch {
			case name == "":
				p.faults.add(n, c.column+1, "第%d个%s是空的(两个分隔符连在一起,或在开头、结尾)", i+1, c.what)
			case seen[name]:
				p.faults.add(n, c.column+1, "%s%s写了两次", c.what, quote(name))
			case utf8.RuneCountInString(name) > maxNameRunes:
				p.faults.add(n, c.column+1, "%s%s超过%d字", c.what, quote(name), maxNameRunes)
			}
			seen[name] = true
		}
	}
}

// skipNumber takes a project's number as the last one even where its line is
// faulty, so that one fault is not told again for every project after it.
func (p *tableReader) skipNumber(cell string) {
	p.count++
	if number, err := strconv.Atoi(cell); err == nil && number > 0 && number <= maxProjects {
		p.last = number
	} else {
		p.last++
	}
}

func (p *tableReader) indicator(n int, cells []string) {
	for i, cell := range cells {
		p.cell(n, colIndicator+i, cell)
	}
	if !p.began {
		p.faults.add(n, 0, "指标行前面没有项目")
		return
	}
	p.addIndicator(n, cells)
}

func (p *tableReader) addIndicator(n int, cells []string) {
	name := strings.TrimSpace(cells[0])
	if p.broken {
		return
	}
	if first, twice := p.seen[name]; twice && name != "" {
		p.faults.add(n, colIndicator+1, "指标%s与第%d行重复", quote(name), first)
	}
	p.seen[name] = n
	last := &p.table.Projects[len(p.table.Projects)-1]
	last.Indicators = append(last.Indicators, TableIndicator{Line: n, Printed: cells[0], Baseline: cells[1], Target: cells[2]})
}

// cell checks what every cell must be.
func (p *tableReader) cell(n, column int, text string) {
	heading := columnForms[column].shown
	if column < len(p.table.Columns) {
		heading = p.table.Columns[column]
	}
	long := column == colTasks || column == colScenarios || column == colCooperating
	switch {
	case strings.TrimSpace(strings.Trim(text, "★")) == "":
		p.faults.add(n, column+1, "“%s”是空的%s", heading, blankHint(column))
	case strings.ContainsFunc(text, isControl):
		p.faults.add(n, column+1, "“%s”里有不可见的控制字符", heading)
	case !long && utf8.RuneCountInString(text) > maxNameRunes:
		p.faults.add(n, column+1, "“%s”超过%d字", heading, maxNameRunes)
	}
}

func blankHint(column int) string {
	switch column {
	case colBaseline, colScenarios, colCooperating:
		return ",没有的请写“/”"
	default:
		return ""
	}
}

func (p *tableReader) finish() (*Table, error) {
	if len(p.table.Projects) == 0 && len(p.faults) == 0 {
		p.faults.add(1, 0, "表里只有表头,没有项目")
	}
	if err := p.faults.orNil(); err != nil {
		return nil, err
	}
	return p.table, nil
}

// isControl says whether a character has no place in a cell: it cannot be seen,
// and a line end would tear the cell's line apart.
func isControl(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r == '\ufeff'
}

func isNumber(s string) bool {
	_, err := strconv.Atoi(s)
	return err == nil
}

// WriteTable writes the table in the office's text form: UTF-8 without a mark,
// lines ended by LF and none after the last, as the city publishes it. A cell
// that this form cannot hold is an Invalid error and nothing is written.
func WriteTable(w io.Writer, t *Table) error {
	var b bytes.Buffer
	var faults Faults
	line := 0
	write := func(cells ...string) {
		if line++; line > 1 {
			b.WriteByte('\n')
		}
		for i, cell := range cells {
			if strings.Contains(" "+cell+" ", " | ") || strings.ContainsFunc(cell, isControl) || strings.TrimSpace(cell) == "" {
				faults.add(line, i+1, "%s不能写进文本表:单元格不能为空,不能有换行或“ | ”", quote(cell))
			}
			b.WriteString(cell)
			b.WriteString(" |")
			if i < len(cells)-1 {
				b.WriteByte(' ')
			}
		}
	}
	write(t.Columns...)
	for _, p := range t.Projects {
		for i, ind := range p.Indicators {
			if i > 0 {
				write(ind.Printed, ind.Baseline, ind.Target)
				continue
			}
			write(strconv.Itoa(p.Number), p.Name, p.Lead, ind.Printed, ind.Baseline, ind.Target, p.Tasks, p.Scenarios, p.Cooperating)
		}
	}
	if err := faults.orNil(); err != nil {
		return err
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	return nil
}
