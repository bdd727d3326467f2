package bulletin

import (
	"io"
	"unicode/utf8"
)

// document is what the file writer sets: paragraphs on upright pages, then at
// most one table on pages of its own, turned.
type document struct {
	title      string
	paragraphs []Paragraph
	table      *table
}

type table struct {
	title  string
	head   []string
	rows   [][]string
	widths []int // shares of the text's width, in percent
	left   []int // columns set flush left
	note   string
}

// WriteDOCX writes the bulletin as a file in the layout of GB/T 9704-2012. The
// same bulletin gives the same bytes.
func (b Bulletin) WriteDOCX(w io.Writer) error {
	d := document{title: b.Title(), paragraphs: b.Paragraphs()}
	t := &table{title: b.Annex.Title, head: b.Annex.Head, widths: []int{5, 13, 19, 10, 7, 8, 8, 7, 7, 8, 8}, left: []int{1, 2}, note: b.Annex.Note}
	for _, row := range b.Annex.Rows {
		t.rows = append(t.rows, row.Cells)
	}
	d.table = t
	return d.write(w)
}

// width is how wide text is set, in halves of a Chinese character.
func width(s string) int {
	n := 0
	for _, r := range s {
		if r < utf8.RuneSelf {
			n++
		} else {
			n += 2
		}
	}
	return n
}
