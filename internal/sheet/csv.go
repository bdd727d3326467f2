package sheet

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Limits of a list, whether CSV or a worksheet.
const (
	maxListRows    = 5000
	maxListColumns = 64
	maxCellRunes   = 5000
)

// list is a file of named columns, one record a row.
type list struct {
	columns map[string]int // heading to position
	rows    []listRow
}

type listRow struct {
	line  int
	cells []string
}

// cell is the trimmed text in a named column and where it stands.
func (l *list) cell(r listRow, column string) (text string, at int) {
	i, ok := l.columns[column]
	if !ok {
		return "", 0
	}
	if i >= len(r.cells) {
		return "", i + 1
	}
	return strings.TrimSpace(r.cells[i]), i + 1
}

// readList reads a CSV file whose first line names its columns, in any order.
// Required columns must be there, optional ones may. The faults found so far come
// back beside the list, so that the caller's own can be listed with them; a list
// of nil could not be read at all.
func readList(r io.Reader, required, optional []string) (*list, Faults, error) {
	text, err := readText(r)
	if faults, ok := errors.AsType[Faults](err); ok {
		return nil, faults, nil
	}
	if err != nil {
		return nil, nil, err
	}
	if faults := utf8Only(text, "CSV UTF-8"); len(faults) > 0 {
		return nil, faults, nil
	}
	var faults Faults
	reader := csv.NewReader(strings.NewReader(string(text)))
	reader.FieldsPerRecord = -1
	var rows []listRow
	for {
		cells, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if parse, bad := errors.AsType[*csv.ParseError](err); bad {
			faults.add(parse.StartLine, 0, "引号没有成对,或引号前后多了字符")
			continue
		}
		if err != nil {
			return nil, nil, fmt.Errorf("read csv: %w", err)
		}
		line, _ := reader.FieldPos(0)
		if rows = append(rows, listRow{line, cells}); len(rows) > maxListRows+1 {
			faults.add(0, 0, "超过%d行", maxListRows)
			return nil, faults, nil
		}
	}
	l, more := newList(rows, required, optional)
	return l, append(faults, more...), nil
}

// newList checks the heading and the shape of the rows below it.
func newList(rows []listRow, required, optional []string) (*list, Faults) {
	var faults Faults
	if len(rows) == 0 {
		return nil, Faults{{Message: "文件是空的"}}
	}
	l := &list{columns: map[string]int{}}
	known := map[string]bool{}
	for _, names := range [][]string{required, optional} {
		for _, name := range names {
			known[name] = true
		}
	}
	head := rows[0]
	for i, cell := range head.cells {
		name := strings.TrimSpace(cell)
		_, twice := l.columns[name]
		switch {
		case !known[name]:
			faults.add(head.line, i+1, "不认识的列%s,可用的列:%s", quote(name), strings.Join(append(append([]string{}, required...), optional...), "、"))
		case twice:
			faults.add(head.line, i+1, "列%s写了两次", quote(name))
		default:
			l.columns[name] = i
		}
	}
	for _, name := range required {
		if _, ok := l.columns[name]; !ok {
			faults.add(head.line, 0, "缺少列“%s”", name)
		}
	}
	for _, row := range rows[1:] {
		if strings.TrimSpace(strings.Join(row.cells, "")) == "" {
			continue
		}
		for i, cell := range row.cells {
			switch {
			case i >= len(head.cells) && strings.TrimSpace(cell) != "":
				faults.add(row.line, i+1, "超出表头的列%s", quote(cell))
			case strings.ContainsFunc(cell, func(r rune) bool { return isControl(r) && !strings.ContainsRune("\n\r\t", r) }):
				faults.add(row.line, i+1, "有不可见的控制字符")
			case utf8.RuneCountInString(cell) > maxCellRunes:
				faults.add(row.line, i+1, "超过%d字", maxCellRunes)
			}
		}
		l.rows = append(l.rows, row)
	}
	return l, faults
}

// newCSVWriter writes lists as Excel expects them: RFC 4180 with CRLF. The byte
// order mark is what makes it read UTF-8.
func newCSVWriter(w io.Writer) (*csv.Writer, error) {
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return nil, fmt.Errorf("write csv: %w", err)
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	return out, nil
}
