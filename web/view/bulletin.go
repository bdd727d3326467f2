package view

import (
	"fmt"
	"strings"
	"time"

	"landmark/internal/landmark"
)

// BulletinsPage lists a plan's bulletins by month.
type BulletinsPage struct {
	Page
	Rows     []BulletinRow
	CanIssue bool
	Settings string // address of the letterhead's page, empty for who may not change it
}

// BulletinRow is one month.
type BulletinRow struct {
	Month  landmark.Month
	Issued *BulletinStamp // nil: not issued
	State  string         // of a month not issued: 待印发, 未到期
	Href   string         // empty where there is nothing to see
	File   string
}

// BulletinStamp is what an issue carries.
type BulletinStamp struct {
	Number   string // 共富通报〔2023〕2号
	Title    string
	By       string
	At, AsOf time.Time
	Hash     string // of the file, hexadecimal
}

// BulletinPage is one month's bulletin: frozen, or the office's draft.
type BulletinPage struct {
	Page
	Heading    string
	Above      *Link // the page a letter belongs to
	Issued     *BulletinStamp
	Paragraphs []DocParagraph
	Annex      DocTable       // without a head: none
	Imprint    []DocParagraph // 版记, after the annex
	File       string
	Letters    []DocLetter
	Editor     *BulletinEditor // nil where nothing can be edited
}

// DocParagraph is a paragraph of an official document as printed.
type DocParagraph struct {
	Style string // org, letterhead, issue, title, addressee, body, heading, subheading, attachment, sign, date, note, copies, printer
	Lines []string
}

// DocTable is its annex.
type DocTable struct {
	Note  string // under it; empty: none
	Title string
	Head  []string
	Rows  []DocRow
}

// DocRow is a row of the annex.
type DocRow struct {
	Light landmark.Light
	Cells []string
}

// DocLetter leads to a chase letter.
type DocLetter struct {
	Department string
	Missing    int // how many indicators, now
	Href       string
	Issued     string // when it went out, empty: not yet
}

// BulletinEditor is the form around a draft.
type BulletinEditor struct {
	Action   string // where the form goes
	Version  int
	SavedBy  string
	SavedAt  time.Time
	Refused  string  // why the last press of a button had no effect
	Fine     string  // what the self-check has found in order
	Warning  string  // what issuing means
	Faults   []Fault // of the self-check; the field is the block's
	Sections []BulletinSection
	Figures  []DocFigure
	Unused   []string
}

// BulletinSection is a part of the draft with its blocks.
type BulletinSection struct {
	Name   string
	Open   bool
	Blocks []BulletinBlock
}

// BulletinBlock is one text to edit.
type BulletinBlock struct {
	Key      string
	Label    string
	Before   string // what stands fixed before it: 一、 or 原因:
	Template string // as typed
	Text     string // as printed
	Edited   bool
	Other    string // what somebody else saved in the meantime
	Faults   []string
}

// Field is the id of the block's field.
func (b BulletinBlock) Field() string { return "t-" + b.Key }

// Rows is how high the field is.
func (b BulletinBlock) Rows() string {
	n := 0
	for _, r := range b.Template {
		if r == '\n' {
			n += 44
		}
		n++
	}
	return itoa(min(1+n/44, 8))
}

// Bound says whether the text has figures in it.
func (b BulletinBlock) Bound() bool { return b.Text != b.Template }

// DocFigure is a figure a text can call.
type DocFigure struct{ Name, Text string }

// NewBulletinPage words the heading.
func NewBulletinPage(p Page, b BulletinPage) BulletinPage {
	b.Page = p
	b.Body = "page-bulletin"
	b.Heading = p.Month.Chinese() + "通报"
	return b
}

// NewLetterPage words the heading of a chase letter.
func NewLetterPage(p Page, to landmark.Department, b BulletinPage) BulletinPage {
	b.Page = p
	b.Body = "page-bulletin"
	b.Heading = "催" + to.Name + "报" + p.Month.Chinese() + "数据的函"
	b.Above = &Link{p.Month.Chinese() + "通报", p.To("/bulletins/"+p.Month.String(), "month", "")}
	return b
}

// Sub is the line under the heading.
func (p BulletinPage) Sub() string {
	if p.Issued != nil && p.Issued.Number == "" {
		return fmt.Sprintf("%s%s印发", Moment(p.Issued.At), p.Issued.By)
	}
	if p.Issued != nil {
		return fmt.Sprintf("%s · %s%s印发 · 数据截至%s", p.Issued.Number, Moment(p.Issued.At), p.Issued.By, Moment(p.Issued.AsOf))
	}
	if p.Editor != nil && p.Editor.SavedBy != "" {
		return fmt.Sprintf("草稿 · %s %s保存 · 数据随时更新,印发后固定", p.Editor.SavedBy, Clock(p.Editor.SavedAt))
	}
	return "草稿 · 数据随时更新,印发后固定"
}

func joined(s []string) string { return strings.Join(s, ";") }

func (t DocTable) left(i int) bool { return i == 1 || i == 2 }
