package sheet

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Piece is a part of a printed cell with the mark that parts it from the next.
// Written one after the other, Text and After, the pieces are the cell again.
type Piece struct {
	Text  string
	After string // the separator that follows, empty at the end
}

// TaskPiece is one key task of a cell. The texts, one after the other, are the
// cell again, so blanks between two tasks stay with the one before.
type TaskPiece struct {
	Number int    // as printed, 0 where none is
	Text   string // with its number and closing mark
	Lead   bool   // a sentence before the numbered tasks, none itself
}

// SplitTasks parts a cell of key tasks (重点任务) at its numbers 1. 2. 3. A
// number counts only if it is the next one expected and stands at the beginning,
// after ; or 。 or after a blank, so that 82.80, 1+N or 15分钟 part nothing. A cell
// without numbers is one task; text before the first number is a lead sentence.
func SplitTasks(cell string) []TaskPiece {
	if strings.TrimSpace(cell) == "" {
		return nil
	}
	var out []TaskPiece
	start, number := 0, 0
	for i := range cell {
		if !taskBegins(cell, i, number+1) {
			continue
		}
		if number > 0 || i > start {
			out = append(out, TaskPiece{Number: number, Text: cell[start:i], Lead: number == 0})
		}
		start, number = i, number+1
	}
	return append(out, TaskPiece{Number: number, Text: cell[start:]})
}

// taskBegins says whether task number n begins at byte i.
func taskBegins(cell string, i, n int) bool {
	rest, ok := strings.CutPrefix(cell[i:], strconv.Itoa(n))
	if !ok {
		return false
	}
	dot, size := utf8.DecodeRuneInString(rest)
	if dot != '.' && dot != '．' {
		return false
	}
	next, _ := utf8.DecodeRuneInString(rest[size:])
	before := strings.TrimRightFunc(cell[:i], unicode.IsSpace)
	if before == "" {
		return true
	}
	if last, _ := utf8.DecodeLastRuneInString(before); strings.ContainsRune(";；。!！?？", last) {
		return true
	}
	// After a mere blank, 2.5 is a figure and no second task.
	return len(before) < i && !unicode.IsDigit(next)
}

// SplitScenarios parts a cell of showcase scenarios (重点场景) at 、 outside
// brackets and quotes. An enumeration that ends in 等 and says what its members
// are is one scenario: 华友钴业、巨石集团等高校毕业生就业灯塔企业.
func SplitScenarios(cell string) []Piece {
	parts := splitOutside(cell, "、")
	var out []Piece
	open := 0 // where the running enumeration begins in out
	for _, part := range parts {
		if !endsEnumeration(part.Text) {
			out = append(out, part)
			continue
		}
		var whole strings.Builder
		for _, member := range out[open:] {
			whole.WriteString(member.Text)
			whole.WriteString(member.After)
		}
		whole.WriteString(part.Text)
		out = append(out[:open], Piece{Text: whole.String(), After: part.After})
		open = len(out)
	}
	return out
}

// endsEnumeration says whether a part holds the 等 that ends an enumeration, as
// opposed to the 等 of a word such as 高等学校 or 等级.
func endsEnumeration(part string) bool {
	runes := []rune(part)
	for i, r := range runes {
		if r != '等' || i == 0 || strings.ContainsRune("高中初平均同优相对上下头特劣何不", runes[i-1]) {
			continue
		}
		if i+1 == len(runes) || !strings.ContainsRune("级候待于", runes[i+1]) {
			return true
		}
	}
	return false
}

// SplitDepartments parts a cell of departments (配合单位) at 、 and commas of
// either width outside brackets: 桐城委(桐城集团),各镇街道.
func SplitDepartments(cell string) []Piece { return splitOutside(cell, "、,，") }

// splitOutside parts a cell at any of marks outside brackets and quotes. The
// word for nothing, "/", has no pieces.
func splitOutside(cell, marks string) []Piece {
	if t := strings.TrimSpace(cell); t == "" || nothing(t) {
		return nil
	}
	inside := bracketed(cell)
	var out []Piece
	start := 0
	for i, r := range cell {
		if strings.ContainsRune(marks, r) && !inside[i] {
			end := i + utf8.RuneLen(r)
			out = append(out, Piece{Text: cell[start:i], After: cell[i:end]})
			start = end
		}
	}
	return append(out, Piece{Text: cell[start:]})
}

// nothing says whether a cell's text stands for an empty one.
func nothing(text string) bool {
	switch text {
	case "/", "／", "-", "—", "——", "无":
		return true
	}
	return false
}

// brackets give each bracket its pair's name; both widths are one pair, for
// people mix them.
var brackets = map[rune]struct {
	pair  rune
	opens bool
}{
	'(': {'(', true}, '（': {'(', true}, ')': {'(', false}, '）': {'(', false},
	'[': {'[', true}, '［': {'[', true}, '【': {'[', true}, ']': {'[', false}, '］': {'[', false}, '】': {'[', false},
	'《': {'《', true}, '》': {'《', false}, '〈': {'〈', true}, '〉': {'〈', false},
	'“': {'“', true}, '”': {'“', false}, '‘': {'‘', true}, '’': {'‘', false},
	'「': {'「', true}, '」': {'「', false}, '『': {'『', true}, '』': {'『', false},
}

// bracketed marks the bytes that stand inside a closed pair of brackets. A
// bracket without its partner is an ordinary character, or one slip of the pen
// would swallow the rest of the list.
func bracketed(cell string) []bool {
	depth := make([]int, len(cell)+1) // changes of depth, summed up below
	type opening struct {
		pair rune
		at   int
	}
	var stack []opening
	waiting := map[rune]int{} // open brackets by pair: without one, no search
	for i, r := range cell {
		b, ok := brackets[r]
		switch {
		case !ok:
		case b.opens:
			stack = append(stack, opening{b.pair, i})
			waiting[b.pair]++
		case waiting[b.pair] > 0:
			for {
				last := stack[len(stack)-1]
				stack = stack[:len(stack)-1]
				waiting[last.pair]--
				if last.pair == b.pair {
					depth[last.at]++
					depth[i]--
					break
				}
			}
		}
	}
	inside := make([]bool, len(cell))
	level := 0
	for i := range inside {
		level += depth[i]
		inside[i] = level > 0
	}
	return inside
}
