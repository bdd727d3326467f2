package bulletin

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/shopspring/decimal"
)

var referenceForm = regexp.MustCompile(`\{\{\s*([a-z0-9][a-z0-9._-]*)\s*\}\}`)

// resolve puts figures in the place of their names. An unknown name stays as
// typed, for the check to find.
func resolve(template string, figures map[string]string) string {
	return referenceForm.ReplaceAllStringFunc(template, func(ref string) string {
		if text, ok := figures[referenceForm.FindStringSubmatch(ref)[1]]; ok {
			return text
		}
		return ref
	})
}

// references are the names a template calls, in order.
func references(template string) []string {
	var out []string
	for _, m := range referenceForm.FindAllStringSubmatch(template, -1) {
		out = append(out, m[1])
	}
	return out
}

// typed is what a person wrote in a template, each figure's name cut out and
// marked so that what stands on either side of it does not run together.
func typed(template string) string {
	return referenceForm.ReplaceAllString(template, "\x00")
}

// tidy makes typed text comparable: line ends, no control characters, no blanks
// at the ends.
func tidy(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = strings.Map(func(r rune) rune {
		if r == '\n' {
			return r
		}
		if unicode.IsControl(r) || r == unicode.ReplacementChar || r == '\uFEFF' {
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}

// measure tells figures apart that could have the same digits.
type measure string

const (
	percent measure = "%"
	permill measure = "‰"
	points  measure = "点"
	count   measure = "" // any unit of things
)

// number is a figure found in text.
type number struct {
	text    string // as written, with its unit
	amount  decimal.Decimal
	measure measure
}

var (
	numberForm = regexp.MustCompile(`[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?`)
	// What makes a number no figure: a date, an hour, an ordinal, a span of time
	// after it; 第 or the year's bracket of a document number before it.
	notFigureAfter = regexp.MustCompile(`^\s*(?:年|个?月|日|号|时|点前|点整|点钟|分钟|小时|个?季度|天|周|届|期|楼|版|条|〕)`)
	notFigureUpTo  = regexp.MustCompile(`(?:第|〔|[0-9]-)\s*$`)
	// Numbering: 1. at the start of a line or sentence, or (1) anywhere.
	numbering      = regexp.MustCompile(`(?m)(?:^|[；;。：:])\s*[0-9]{1,2}(?:[、．]|\.\s*\p{Han})|[(（][0-9]{1,2}[)）]`)
	chinesePercent = regexp.MustCompile(`百分之[零〇一二三四五六七八九十百点]+`)
	chinesePoints  = regexp.MustCompile(`[零〇一二三四五六七八九十百点]+个百分点`)
	// Full-width forms count as what they stand for.
	narrow = strings.NewReplacer("０", "0", "１", "1", "２", "2", "３", "3", "４", "4", "５", "5", "６", "6", "７", "7", "８", "8", "９", "9", "．", ".", "％", "%", "−", "-")
)

// figuresIn finds what looks like a figure of an indicator in typed text: a
// percentage, points, a number with a unit the plan counts in, a number standing
// alone, any number of three digits or more. Dates, ordinals and numbering are
// none, nor is a small number of something no indicator counts (3轮).
func figuresIn(text string, units []string) []number {
	text = numbering.ReplaceAllString(narrow.Replace(text), "\x00")
	var out []number
	for _, at := range numberForm.FindAllStringIndex(text, -1) {
		before, digits, after := text[:at[0]], text[at[0]:at[1]], text[at[1]:]
		if notFigureUpTo.MatchString(before) {
			continue
		}
		amount, err := decimal.NewFromString(strings.ReplaceAll(digits, ",", ""))
		if err != nil {
			continue
		}
		n := number{text: digits, amount: amount}
		rest := strings.TrimLeft(after, " ")
		take := func(prefix string) bool {
			if !strings.HasPrefix(rest, prefix) {
				return false
			}
			n.text += prefix
			rest = rest[len(prefix):]
			return true
		}
		switch {
		case take("万"):
			n.amount = amount.Shift(4)
		case take("亿"):
			n.amount = amount.Shift(8)
		}
		scaled := n.text != digits
		switch {
		case take("%"):
			n.measure = percent
		case take("‰"):
			n.measure = permill
		case take("个百分点"), take("百分点"):
			n.measure = points
		default:
			if !scaled && notFigureAfter.MatchString(after) {
				continue
			}
			known := scaled
			for _, u := range units {
				if take(u) {
					known = true
					break
				}
			}
			alone := rest == "" || !startsWithLetter(rest)
			long := len(strings.ReplaceAll(digits, ",", "")) >= 3
			if !known && !alone && !long {
				continue
			}
		}
		out = append(out, n)
	}
	for _, form := range []*regexp.Regexp{chinesePercent, chinesePoints} {
		for _, words := range form.FindAllString(text, -1) {
			out = append(out, number{text: words, amount: decimal.NewFromInt(-1), measure: percent}) // matches nothing
		}
	}
	return out
}

func startsWithLetter(s string) bool {
	for _, r := range s {
		return unicode.IsLetter(r)
	}
	return false
}
