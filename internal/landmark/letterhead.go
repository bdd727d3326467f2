package landmark

import (
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Letterhead is what the office's papers carry beside their text (发文设置): a
// bulletin and a chase letter are drafted with the one that holds then, and keep
// it once they are issued.
type Letterhead struct {
	Version int    // counts saves for the plan; 0 before any
	Org     string // 发文机关标志, the red head
	Sign    string // 署名
	// BulletinNumber and LetterNumber are forms of 发文字号, in which {{year}} and
	// {{number}} stand for the year of issue and the number within it. A letter
	// without a form goes out without a number.
	BulletinNumber, LetterNumber string
	// BulletinUsed and LetterUsed are the numbers of UsedYear that went out by
	// other ways before: the next is at least one more.
	BulletinUsed, LetterUsed, UsedYear int
	Addressee                          string // 主送机关 of a bulletin
	Copies                             string // 抄送机关; empty: none
	Printer                            string // 印发机关
	Contact                            string // 附注 of a letter: whom to ask; empty: none
	SavedBy                            string
	SavedAt                            time.Time
}

// DefaultLetterhead is what a city's office has before it says otherwise.
func DefaultLetterhead(city string) Letterhead {
	office := city + "人民政府办公室"
	return Letterhead{Org: office, Sign: office, Printer: office, BulletinNumber: "共富通报〔{{year}}〕{{number}}号", Addressee: "各镇街道，各牵头单位、配合单位："}
}

// UsedIn are the highest numbers of bulletins and letters taken by other ways in
// a year.
func (h Letterhead) UsedIn(year int) (bulletins, letters int) {
	if h.UsedYear != year {
		return 0, 0
	}
	return h.BulletinUsed, h.LetterUsed
}

var (
	yearInNumber   = regexp.MustCompile(`[〔\[［(（]\s*(?:[0-9]{4}|\{+\s*(?:year|年|年份)\s*\}+)\s*[〕\]］)）]`)
	serialInNumber = regexp.MustCompile(`\{+\s*(?:number|n|N|号|序号)\s*\}+`)
	numberForm     = regexp.MustCompile(`^[^{}〔〕0-9]+〔\{\{year\}\}〕\{\{number\}\}号$`)
)

// Tidied is the letterhead with its texts as they are kept: no blanks around, no
// line ends, and the number's form with its two places marked, however the
// brackets were typed (桐政办通[2023]{n}号).
func (h Letterhead) Tidied() Letterhead {
	for _, text := range []*string{&h.Org, &h.Sign, &h.BulletinNumber, &h.LetterNumber, &h.Addressee, &h.Copies, &h.Printer, &h.Contact} {
		*text = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(*text, ""), func(r rune) bool { return unicode.IsControl(r) }), "")
		*text = strings.TrimSpace(*text)
	}
	for _, form := range []*string{&h.BulletinNumber, &h.LetterNumber} {
		*form = yearInNumber.ReplaceAllLiteralString(*form, "〔{{year}}〕")
		*form = serialInNumber.ReplaceAllLiteralString(*form, "{{number}}")
	}
	h.Copies = strings.TrimRight(strings.TrimPrefix(strings.TrimPrefix(h.Copies, "抄送："), "抄送:"), "。.")
	if h.Addressee != "" {
		h.Addressee = strings.TrimRight(h.Addressee, "：:") + "："
	}
	return h
}

// Check says what is wrong with a tidied letterhead.
func (h Letterhead) Check() error {
	for _, c := range []struct {
		field, name, text string
		most              int
		needed            bool
	}{
		{"org", "发文机关标志", h.Org, 40, true},
		{"sign", "署名", h.Sign, 40, true},
		{"bulletin_number", "通报的发文字号", h.BulletinNumber, 40, true},
		{"letter_number", "催办函的发文字号", h.LetterNumber, 40, false},
		{"addressee", "主送机关", h.Addressee, 300, true},
		{"copies", "抄送机关", h.Copies, 500, false},
		{"printer", "印发机关", h.Printer, 25, true},
		{"contact", "联系人", h.Contact, 80, false},
	} {
		number := strings.HasSuffix(c.field, "_number")
		switch {
		case c.needed && strings.TrimSuffix(c.text, "：") == "":
			return Errorf(Invalid, c.field, "请填写%s", c.name)
		case utf8.RuneCountInString(c.text) > c.most:
			return Errorf(Invalid, c.field, "%s最多%d个字", c.name, c.most)
		case number && c.text != "" && !numberForm.MatchString(c.text):
			return Errorf(Invalid, c.field, "发文字号由机关代字、年份、顺序号组成,请写成 桐政办通〔{{year}}〕{{number}}号 的样子")
		case !number && strings.ContainsAny(c.text, "{}"):
			return Errorf(Invalid, c.field, "%s里不能有花括号", c.name)
		}
	}
	if h.LetterNumber != "" && h.LetterNumber == h.BulletinNumber {
		return Errorf(Invalid, "letter_number", "催办函和通报各自编号,机关代字不能相同")
	}
	for _, c := range []struct {
		field string
		n     int
	}{{"bulletin_used", h.BulletinUsed}, {"letter_used", h.LetterUsed}} {
		if c.n < 0 || c.n > 9999 {
			return Errorf(Invalid, c.field, "已用到的号是0到9999的整数")
		}
	}
	return nil
}
