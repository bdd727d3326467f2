package sheet

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"landmark/internal/landmark"
)

// Fault is one thing wrong with a file, in a sentence for the person who has to
// put it right.
type Fault struct {
	Line    int    // from 1, 0 where the file as a whole is meant
	Column  int    // from 1, 0 where the whole line is meant
	Cell    string // the cell's name in a spreadsheet (D7), empty in text files
	Message string // Chinese, one line
}

// String is the fault in one line: 第3行第5列:….
func (f Fault) String() string {
	switch {
	case f.Cell != "":
		return fmt.Sprintf("单元格%s:%s", f.Cell, f.Message)
	case f.Line == 0:
		return f.Message
	case f.Column == 0:
		return fmt.Sprintf("第%d行:%s", f.Line, f.Message)
	default:
		return fmt.Sprintf("第%d行第%d列:%s", f.Line, f.Column, f.Message)
	}
}

// Faults are all the faults of a refused file, ordered by line and column. As an
// error it is of kind Invalid.
type Faults []Fault

// Error lists the faults, one a line.
func (fs Faults) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives the faults as the domain's error, so that its kind is known.
func (fs Faults) Unwrap() error {
	return landmark.Errorf(landmark.Invalid, "file", "%s", fs.Error())
}

// add notes a fault; line and column count from 1, 0 where neither is meant.
func (fs *Faults) add(line, column int, format string, args ...any) {
	*fs = append(*fs, Fault{Line: line, Column: column, Message: oneLine(fmt.Sprintf(format, args...))})
}

// orNil is the faults in order as an error, nil where there are none.
func (fs Faults) orNil() error {
	if len(fs) == 0 {
		return nil
	}
	return fs.sorted()
}

func (fs Faults) sorted() Faults {
	slices.SortStableFunc(fs, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return fs
}

// named are the faults of a worksheet: those with line and column name the cell,
// behind a prefix where the sheet must be told too.
func (fs Faults) named(prefix string) Faults {
	out := slices.Clone(fs)
	for i, f := range out {
		if f.Line > 0 && f.Column > 0 {
			out[i].Cell = prefix + cellName(f.Column-1, f.Line)
		}
	}
	return out
}

// oneLine keeps a message on its line whatever was quoted in it.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if isControl(r) {
			return '�'
		}
		return r
	}, s)
}

// quote shortens text from a file for a message.
func quote(s string) string {
	const most = 30
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return "“" + s + "”"
}
