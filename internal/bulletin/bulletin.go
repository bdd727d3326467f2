package bulletin

import (
	"maps"
	"slices"
	"strings"
	"time"

	"landmark/internal/landmark"
)

// Input is all a bulletin is made from.
type Input struct {
	Board    landmark.Board
	Number   int               // in the year of Date: the one it has or would get
	Date     landmark.Date     // of issue, or the day it is drafted
	Previous *Bulletin         // the issue before, nil for the first
	Texts    map[string]string // the office's own templates by block key
	// Letterhead is what the office has set for its papers; the zero value is the
	// city's default.
	Letterhead landmark.Letterhead
	// History is the end of the history's chain, as 128:1f3a…; empty before
	// anything was sealed. It is printed, so that paper witnesses the history.
	History string
}

// letterhead is the one to draft with.
func (in Input) letterhead() landmark.Letterhead {
	if in.Letterhead.Org == "" {
		return landmark.DefaultLetterhead(in.Board.Record.Plan.City)
	}
	return in.Letterhead
}

// Issue identifies an issued bulletin.
type Issue struct {
	Year   int // of Date; numbers begin anew each year
	Number int
	Month  landmark.Month
	Date   landmark.Date
	AsOf   time.Time
}

// Bulletin is one month's bulletin, drafted or frozen.
type Bulletin struct {
	Issue   Issue             `json:"-"`       // kept beside, in columns of its own
	Blocks  []Block           `json:"blocks"`  // in reading order
	Figures map[string]string `json:"figures"` // by name
	Annex   Annex             `json:"annex"`
	// Values are the approved values it rests on, by month and indicator code, so
	// that the next issue can say what was corrected.
	Values map[string]map[string]string `json:"values"`
	// Unused are the keys of texts for which the month has no block any more, as
	// when an indicator has caught up. They are not printed.
	Unused []string `json:"-"`
}

// Style is how a block is set.
type Style string

// The styles of GB/T 9704-2012 that a bulletin uses.
const (
	StyleOrg        Style = "org"        // 发文机关标志
	StyleLetterhead Style = "letterhead" // 发文机关标志 of a letter
	StyleIssue      Style = "issue"      // 发文字号
	// StyleLetterIssue is 发文字号 of a letter.
	StyleLetterIssue Style = "letterissue"
	StyleTitle       Style = "title"      // 标题; a newline only breaks the line
	StyleAddressee   Style = "addressee"  // 主送机关
	StyleBody        Style = "body"       // 正文
	StyleHeading     Style = "heading"    // 一、
	StyleSubheading  Style = "subheading" // (一)
	StyleAttachment  Style = "attachment" // 附件说明
	StyleSign        Style = "sign"       // 发文机关署名
	StyleDate        Style = "date"       // 成文日期
	StyleNote        Style = "note"       // 附注
	StyleCopies      Style = "copies"     // 抄送机关, in the 版记
	StylePrinter     Style = "printer"    // 印发机关 and, after a newline, 印发日期
)

// Imprint says whether a style is one of the 版记, which stands at the foot of
// the last page, after the annex.
func (s Style) Imprint() bool { return s == StyleCopies || s == StylePrinter }

// Section is the part of the bulletin a block belongs to.
type Section string

// The sections in order. Corrections is left out where there are none.
const (
	SectionHead        Section = "head"
	SectionOverall     Section = "overall"
	SectionGood        Section = "good"
	SectionLagging     Section = "lagging"
	SectionDiscipline  Section = "discipline"
	SectionNext        Section = "next"
	SectionCorrections Section = "corrections"
	SectionFoot        Section = "foot"
)

// Block is a piece of text. An empty one is not printed.
type Block struct {
	Key      string  `json:"key"`
	Label    string  `json:"label"` // for whoever edits it
	Section  Section `json:"section"`
	Style    Style   `json:"style"`
	Code     string  `json:"code,omitempty"`   // of the indicator it is about
	Prefix   string  `json:"prefix,omitempty"` // numbering, not editable: 三、
	Lead     string  `json:"lead,omitempty"`   // fixed words before the text: 原因:
	Joined   bool    `json:"joined,omitempty"` // goes on in the paragraph of the block before
	Template string  `json:"template"`
	Text     string  `json:"text"`             // the template with its figures
	Edited   bool    `json:"edited,omitempty"` // the office's words, not the draft's
}

// Annex is the table of all indicators.
type Annex struct {
	Title string     `json:"title"`
	Head  []string   `json:"head"`
	Rows  []AnnexRow `json:"rows"`
	Note  string     `json:"note,omitempty"` // under the table
}

// AnnexRow is one indicator.
type AnnexRow struct {
	Code  string         `json:"code"`
	Light landmark.Light `json:"light"`
	Cells []string       `json:"cells"`
}

// Draft makes a month's bulletin.
func Draft(in Input) Bulletin {
	b := Bulletin{
		Issue:   Issue{Year: in.Date.Year, Number: in.Number, Month: in.Board.Month, Date: in.Date, AsOf: in.Board.Record.AsOf},
		Figures: figures(in),
		Annex:   annex(in),
		Values:  values(in.Board),
	}
	d := &drafter{in: in}
	d.write()
	b.Blocks, b.Unused = written(d.blocks, in.Texts, b.Figures)
	return b
}

// written are the blocks with the office's own templates in the place of theirs
// and with their text, and the keys of texts no block has.
func written(blocks []Block, texts, figures map[string]string) (out []Block, unused []string) {
	left := maps.Clone(texts)
	for _, block := range blocks {
		if text, ok := texts[block.Key]; ok {
			delete(left, block.Key)
			if text = tidy(text); text != block.Template {
				block.Template, block.Edited = text, true
			}
		}
		block.Text = resolve(block.Template, figures)
		out = append(out, block)
	}
	return out, slices.Sorted(maps.Keys(left))
}

// Title is the bulletin's title in one line.
func (b Bulletin) Title() string {
	block, _ := b.Block("title")
	return strings.ReplaceAll(block.Text, "\n", "")
}

// Block finds a block by key.
func (b Bulletin) Block(key string) (Block, bool) {
	for _, block := range b.Blocks {
		if block.Key == key {
			return block, true
		}
	}
	return Block{}, false
}

// Paragraph is a line of the finished bulletin, to its end mark.
type Paragraph struct {
	Style   Style
	Section Section
	Text    string // a newline only in a title, a break within it, and between 印发机关 and 印发日期
}

// Paragraphs are the bulletin without its annex, as printed. Those of the 版记
// come last and are printed after the annex.
func (b Bulletin) Paragraphs() []Paragraph {
	var out []Paragraph
	open := false // the last paragraph can be joined
	for _, block := range b.Blocks {
		text := strings.TrimSpace(block.Text)
		if text == "" {
			open = open && block.Joined
			continue
		}
		text = block.Lead + text
		if block.Style == StyleTitle || block.Style == StylePrinter {
			out = append(out, Paragraph{block.Style, block.Section, text})
			open = false
			continue
		}
		for i, line := range strings.Split(text, "\n") {
			line = strings.TrimSpace(line)
			switch {
			case line == "":
				continue
			case i == 0 && block.Joined && open:
				out[len(out)-1].Text += line
				continue
			case i == 0:
				line = block.Prefix + line
			}
			out = append(out, Paragraph{block.Style, block.Section, line})
		}
		open = true
	}
	return out
}

// Text is the whole bulletin as plain text, the annex with tabs.
func (b Bulletin) Text() string {
	var s strings.Builder
	var imprint []string
	for _, p := range b.Paragraphs() {
		if p.Style.Imprint() {
			imprint = append(imprint, strings.ReplaceAll(p.Text, "\n", "\t"))
			continue
		}
		s.WriteString(strings.ReplaceAll(p.Text, "\n", ""))
		s.WriteByte('\n')
	}
	s.WriteString("\n" + b.Annex.Title + "\n" + strings.Join(b.Annex.Head, "\t") + "\n")
	for _, row := range b.Annex.Rows {
		s.WriteString(strings.Join(row.Cells, "\t") + "\n")
	}
	if b.Annex.Note != "" {
		s.WriteString(b.Annex.Note + "\n")
	}
	if len(imprint) > 0 {
		s.WriteString("\n" + strings.Join(imprint, "\n") + "\n")
	}
	return s.String()
}
