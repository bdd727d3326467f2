package landmark

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mozillazg/go-pinyin"
)

// Found is one thing of a plan that a search came upon: a project, an
// indicator, a task, a scenario or a department. One of the pointers is set;
// tasks and scenarios come with their project.
type Found struct {
	Project    *Project
	Indicator  *Indicator
	Task       *Task
	Scenario   *Scenario
	Department *Department

	Text  string // what was looked through: a name, a task's whole text
	Marks []Mark // the parts of Text that were asked for, in order and apart
	Code  bool   // the code itself was asked for
}

// Mark is a part of a text, in bytes.
type Mark struct{ From, To int }

// FoundAll is what a search came upon, each list with the best first.
type FoundAll struct {
	Projects, Indicators, Tasks, Scenarios, Departments []Found
}

// Count is how many there are.
func (f FoundAll) Count() int {
	return len(f.Projects) + len(f.Indicators) + len(f.Tasks) + len(f.Scenarios) + len(f.Departments)
}

// Bounds of a search: more is nothing a person types.
const (
	MaxSearchRunes = 60
	maxSearchWords = 8
)

// Search looks for words, apart by spaces, all of which must be met. A word is
// met by
//   - the text, where spaces, quotes and ★, and large, small and wide letters
//     make no difference; a number only by the whole number;
//   - the code: 4.1, 4-2, a project's number, and 4. for all indicators of one;
//   - pinyin, of each character its initial or the whole: mzj, minzheng. In the
//     long texts of tasks, where two letters fit anywhere, from four letters on.
//
// The project's name and the lead department's meet words as well, as long as
// one word is met by the thing itself.
func (p *Plan) Search(asked string) (FoundAll, error) {
	if utf8.RuneCountInString(asked) > MaxSearchRunes {
		return FoundAll{}, Errorf(Invalid, "q", "搜索的内容最多%d个字", MaxSearchRunes)
	}
	var words []word
	for _, w := range strings.Fields(asked) {
		if folded := fold(w); len(folded.runes) > 0 {
			words = append(words, newWord(folded.runes))
		}
	}
	if len(words) > maxSearchWords {
		return FoundAll{}, Errorf(Invalid, "q", "一次最多搜索%d个词", maxSearchWords)
	}
	var out FoundAll
	if len(words) == 0 {
		return out, nil
	}
	ranks := map[string]int{}
	var seen []Department
	for _, project := range p.Projects {
		around := []string{project.Name, project.Lead.Name}
		take := func(to *[]Found, f Found, code string, long bool) {
			if rank, ok := f.match(words, code, around, long); ok {
				ranks[f.id()] = rank
				*to = append(*to, f)
			}
		}
		take(&out.Projects, Found{Project: project, Text: project.Name}, strconv.Itoa(project.Number), false)
		for _, ind := range project.Indicators {
			take(&out.Indicators, Found{Project: project, Indicator: ind, Text: ind.Name}, ind.Code, false)
		}
		for i, t := range project.Tasks {
			take(&out.Tasks, Found{Project: project, Task: &project.Tasks[i], Text: t.Text}, t.Code, true)
		}
		for i, s := range project.Scenarios {
			take(&out.Scenarios, Found{Project: project, Scenario: &project.Scenarios[i], Text: s.Name}, s.Code, false)
		}
	}
	for _, named := range p.departmentNames() {
		if slices.ContainsFunc(seen, func(d Department) bool { return d.ID == named.Department.ID }) {
			continue
		}
		f := Found{Department: &named.Department, Text: named.Printed}
		if rank, ok := f.match(words, named.Department.Slug, nil, false); ok {
			seen = append(seen, named.Department)
			ranks[f.id()] = rank
			out.Departments = append(out.Departments, f)
		}
	}
	for _, list := range []*[]Found{&out.Projects, &out.Indicators, &out.Tasks, &out.Scenarios, &out.Departments} {
		slices.SortStableFunc(*list, func(a, b Found) int { return cmp.Compare(ranks[a.id()], ranks[b.id()]) })
	}
	return out, nil
}

// Departments are all departments of the plan, those that lead first, each once.
func (p *Plan) Departments() []Department {
	out := p.LeadDepartments()
	for _, project := range p.Projects {
		for _, c := range project.Cooperating {
			if !slices.ContainsFunc(out, func(d Department) bool { return d.ID == c.Department.ID }) {
				out = append(out, c.Department)
			}
		}
	}
	return out
}

// departmentNames are the plan's departments under their own names, and then
// under those printed otherwise.
func (p *Plan) departmentNames() []Cooperation {
	var out []Cooperation
	for _, d := range p.Departments() {
		out = append(out, Cooperation{d, d.Name})
	}
	for _, project := range p.Projects {
		for _, c := range project.Cooperating {
			if c.Printed != c.Department.Name {
				out = append(out, c)
			}
		}
	}
	return out
}

// id tells the things of a plan apart.
func (f Found) id() string {
	switch {
	case f.Indicator != nil:
		return "i" + f.Indicator.Code
	case f.Task != nil:
		return "t" + f.Task.Code
	case f.Scenario != nil:
		return "s" + f.Scenario.Code
	case f.Department != nil:
		return "d" + f.Department.Slug + f.Department.Name
	default:
		return "p" + strconv.Itoa(f.Project.Number)
	}
}

// How well a thing is met, best first.
const (
	rankCode = iota
	rankStart
	rankWithin
	rankPinyin
)

// match holds words against the thing and what it belongs to. The rank is that
// of the worst word met by the thing itself.
func (f *Found) match(words []word, code string, around []string, long bool) (rank int, ok bool) {
	text := fold(f.Text)
	own := false
	for _, w := range words {
		marks, how, met := w.in(text, long)
		f.Marks = append(f.Marks, marks...)
		switch {
		case w.isCode(code):
			f.Code, own = true, true
		case met:
			own, rank = true, max(rank, how)
		case !slices.ContainsFunc(around, func(s string) bool { _, _, met := w.in(fold(s), false); return met }):
			return 0, false
		}
	}
	f.Marks = apart(f.Marks)
	return rank, own
}

// apart joins marks that touch or overlap.
func apart(marks []Mark) []Mark {
	slices.SortFunc(marks, func(a, b Mark) int { return cmp.Compare(a.From, b.From) })
	var out []Mark
	for _, m := range marks {
		if n := len(out); n > 0 && m.From <= out[n-1].To {
			out[n-1].To = max(out[n-1].To, m.To)
		} else {
			out = append(out, m)
		}
	}
	return out
}

// folded is a text as it is compared, each character with its place in the
// original.
type folded struct {
	runes []rune
	marks []Mark
}

// fold takes out what makes no difference.
func fold(s string) folded {
	var f folded
	for at, r := range s {
		to := at + utf8.RuneLen(r)
		if r == utf8.RuneError {
			to = at + 1
		}
		if r >= '！' && r <= '～' { // wide forms of ASCII
			r -= '！' - '!'
		}
		if unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune(`"'“”‘’《》「」★`, r) {
			continue
		}
		f.runes = append(f.runes, unicode.ToLower(r))
		f.marks = append(f.marks, Mark{at, to})
	}
	return f
}

// word is one word asked for.
type word struct {
	runes   []rune
	number  bool // digits, maybe with a point
	letters bool // a to z: may be pinyin
}

func newWord(runes []rune) word {
	w := word{runes: runes, number: true, letters: len(runes) > 1}
	for _, r := range runes {
		w.number = w.number && (isDigit(r) || r == '.')
		w.letters = w.letters && r >= 'a' && r <= 'z'
	}
	return w
}

// isCode says whether the word is the code, or 4. of 4.1.
func (w word) isCode(code string) bool {
	s := string(w.runes)
	return s == code || w.number && strings.HasSuffix(s, ".") && strings.HasPrefix(code, s)
}

// in finds the word in a text, everywhere it stands.
func (w word) in(text folded, long bool) (marks []Mark, rank int, ok bool) {
	rank = rankWithin
	for i := 0; i+len(w.runes) <= len(text.runes); i++ {
		if slices.Equal(text.runes[i:i+len(w.runes)], w.runes) && w.whole(text.runes, i) {
			if i == 0 {
				rank = rankStart
			}
			marks = append(marks, text.span(i, i+len(w.runes)))
			i += len(w.runes) - 1
		}
	}
	const longAsks = 4
	if len(marks) > 0 || !w.letters || long && len(w.runes) < longAsks {
		return marks, rank, len(marks) > 0
	}
	readings := make([][]string, len(text.runes))
	for i, r := range text.runes {
		readings[i] = spoken(r)
	}
	for i := range readings {
		if n := w.said(readings[i:]); n > 0 {
			marks = append(marks, text.span(i, i+n))
		}
	}
	return marks, rankPinyin, len(marks) > 0
}

// whole says whether a number is not cut out of a longer one.
func (w word) whole(text []rune, at int) bool {
	end := at + len(w.runes)
	return !w.number || !(at > 0 && isDigit(text[at-1])) && !(end < len(text) && isDigit(text[end]))
}

func (f folded) span(from, to int) Mark { return Mark{f.marks[from].From, f.marks[to-1].To} }

// said is how many characters, from the first on, the word spells by initials
// and whole readings; 0 if it does not. The last of several may be begun only.
func (w word) said(readings [][]string) int {
	typed := string(w.runes)
	at := map[int]bool{0: true} // how much of the word can be used up by now
	for n, list := range readings {
		next := map[int]bool{}
		for used := range at {
			for _, reading := range list {
				rest := typed[used:]
				if reading == rest || n > 0 && strings.HasPrefix(reading, rest) {
					return n + 1
				}
				if strings.HasPrefix(rest, reading) {
					next[used+len(reading)] = true
				}
				if rest[0] == reading[0] {
					next[used+1] = true
				}
			}
		}
		if len(next) == 0 {
			return 0
		}
		at = next
	}
	return 0
}

// spoken are the readings of a character, without tones; none for what is not
// Chinese.
func spoken(r rune) []string {
	if !unicode.Is(unicode.Han, r) {
		return nil
	}
	args := pinyin.NewArgs()
	args.Heteronym = true
	readings := pinyin.SinglePinyin(r, args)
	for i, s := range readings {
		readings[i] = strings.ReplaceAll(s, "ü", "v") // as it is typed
	}
	return readings
}
