package view

import (
	"fmt"
	"math"
	"unicode"
)

// trendLabel is a label that looks for a free place: the first of its spots that
// touches no other label at any width, and of those the one least in the way.
type trendLabel struct {
	text  string
	class string
	small bool
	spots []labelSpot
}

// labelSpot is one place a label may take.
type labelSpot struct {
	at     float64 // along the months, in percent
	dx, y  float64 // pixels
	anchor string
}

// box is a rectangle in pixels.
type box struct{ left, top, right, bottom float64 }

func (b box) touches(o box) bool {
	return b.left < o.right && o.left < b.right && b.top < o.bottom && o.top < b.bottom
}

// label sets the direct labels for a range of widths. What finds no place is left
// out: the figures stand in the table and in the description too.
func (s trendSeries) label(scale trendScale, wide bool, widths ...float64) []TrendText {
	var placed []TrendText
	drawn := s.drawing(scale)
	for _, l := range s.labels(scale, wide) {
		best, cost := TrendText{}, math.Inf(1)
		for i, spot := range l.spots {
			text := l.put(spot, wide)
			c, free := drawn.cost(text, placed, wide, widths)
			// An earlier spot is the better one where both are as free.
			if c += float64(i) / 10; free && c < cost {
				best, cost = text, c
			}
		}
		if !math.IsInf(cost, 1) {
			placed = append(placed, best)
		}
	}
	return placed
}

func (l trendLabel) put(spot labelSpot, wide bool) TrendText {
	size := trendTextSize
	if !wide || l.small {
		size = trendSmallText
	}
	textWidth := textWidth(l.text, size)
	at := spot.at
	return TrendText{
		X: percent(at), DX: px(spot.dx), Y: px(spot.y), Anchor: spot.anchor, Class: l.class, Text: l.text,
		box: func(width float64) box {
			left := at/100*width + spot.dx
			switch spot.anchor {
			case "middle":
				left -= textWidth / 2
			case "end":
				left -= textWidth
			}
			return box{left, spot.y - 0.9*size, left + textWidth, spot.y + 0.25*size}
		},
	}
}

// drawing is what labels should not hide: dots and lines, as they lie on the plot.
type drawing struct {
	dots  []spot
	lines []drawnLine
}

// drawnLine is a line and how much it matters.
type drawnLine struct {
	weight float64
	runs   [][]spot
}

func (s trendSeries) drawing(scale trendScale) drawing {
	d := drawing{lines: []drawnLine{{3, runs(s.values, scale)}, {1, runs(s.expected, scale)}}}
	for n, v := range s.values {
		if v.Valid {
			d.dots = append(d.dots, spot{float64(n), scale.y(v.Decimal)})
		}
	}
	if last := s.last(); s.outlook != nil && last > 0 {
		from := spot{float64(last), scale.y(s.values[last].Decimal)}
		d.lines = append(d.lines, drawnLine{1, [][]spot{{from, {12, scale.y(s.outlook.mid)}}}})
	}
	for i, goal := range s.targets {
		until := 12
		if i+1 < len(s.targets) {
			until = s.targets[i+1].from
		}
		y := scale.y(goal.amount)
		d.lines = append(d.lines, drawnLine{4, [][]spot{{{float64(goal.from), y}, {float64(until), y}}}})
	}
	return d
}

// cost says how much of the drawing a label would hide, and whether it may stand
// there at all: within the plot and clear of the labels already set.
func (d drawing) cost(text TrendText, placed []TrendText, wide bool, widths []float64) (float64, bool) {
	cost := 0.0
	for _, width := range widths {
		b := text.box(width)
		right := width + 14
		if wide {
			right = width + 132
		}
		if b.left < -2 || b.right > right || b.top < 0 || b.bottom > trendFloor+5 {
			return 0, false
		}
		for _, p := range placed {
			if b.touches(p.box(width)) {
				return 0, false
			}
		}
		for _, dot := range d.dots {
			x := dot.x / 12 * width
			if b.touches(box{x - 5, dot.y - 5, x + 5, dot.y + 5}) {
				cost += 12
			}
		}
		for _, line := range d.lines {
			cost += line.weight * crossings(b, line.runs, width)
		}
	}
	return cost, true
}

// crossings counts how much of a line lies under a box, in steps of a tenth of a
// month.
func crossings(b box, lines [][]spot, width float64) float64 {
	hits := 0
	for _, line := range lines {
		for i := 1; i < len(line); i++ {
			from, to := line[i-1], line[i]
			if from.x/12*width >= b.right || to.x/12*width <= b.left || min(from.y, to.y) >= b.bottom || max(from.y, to.y) <= b.top {
				continue
			}
			steps := max(int((to.x-from.x)*10), 1)
			for k := 0; k <= steps; k++ {
				share := float64(k) / float64(steps)
				x := (from.x + (to.x-from.x)*share) / 12 * width
				y := from.y + (to.y-from.y)*share
				if b.left < x && x < b.right && b.top < y && y < b.bottom {
					hits++
				}
			}
		}
	}
	return float64(hits) * 0.2
}

// labels are the labels in the order of their weight, each with its spots in the
// order of preference.
func (s trendSeries) labels(scale trendScale, wide bool) []trendLabel {
	var out []trendLabel
	last := s.last()
	if last > 0 {
		v := s.values[last].Decimal
		out = append(out, trendLabel{
			text: fmt.Sprintf("%d月 %s", last, s.figure(v)), class: "tc-val", spots: around(place(last), scale.y(v)),
		})
	}
	for i := len(s.targets) - 1; i >= 0; i-- {
		out = append(out, s.goalLabel(i, scale))
	}
	if o := s.outlook; o != nil && last > 0 && last < 12 {
		y := scale.y(o.mid)
		if wide { // in the margin, where there is room
			out = append(out, trendLabel{text: "年底预计 " + s.figure(o.mid), class: "tc-end", spots: beside(y)},
				trendLabel{text: s.figure(o.low) + "—" + s.figure(o.high), class: "tc-end is-sub", small: true, spots: beside(y + 17)})
		} else {
			out = append(out, trendLabel{text: "预计 " + s.figure(o.mid), class: "tc-end", spots: before(y)})
		}
	}
	if v, due := s.values[s.now], s.expected[s.now]; s.behind && v.Valid && due.Valid {
		class := "tc-gap"
		if !s.late {
			class = "tc-gap is-mild"
		}
		out = append(out, trendLabel{
			text:  fmt.Sprintf("%s %s,差 %s", s.yardstick, s.figure(due.Decimal), s.figure(due.Decimal.Sub(v.Decimal).Abs())),
			class: class, spots: around(place(s.now), scale.y(due.Decimal)),
		})
	}
	if v := s.values[0]; v.Valid {
		label := trendLabel{text: fmt.Sprintf("%d年实际值 %s", s.baseYear, s.figure(v.Decimal)), class: "tc-baselab"}
		for _, dy := range []float64{18, -10, 34, -26} {
			label.spots = append(label.spots, labelSpot{0, 8, scale.y(v.Decimal) + dy, "start"})
		}
		out = append(out, label)
	}
	for n, revised := range s.revised {
		if revised && s.values[n].Valid {
			label := trendLabel{text: "已修订", class: "tc-rev"}
			for _, dy := range []float64{22, -12, 38, -28} {
				label.spots = append(label.spots, labelSpot{place(n), 0, scale.y(s.values[n].Decimal) + dy, "middle"})
			}
			out = append(out, label)
		}
	}
	yardstick := trendLabel{text: s.yardstick, class: "tc-planlab"}
	for _, n := range []int{4, 3, 5, 2, 6, 8, 10} {
		if due := s.expected[n]; due.Valid {
			y := scale.y(due.Decimal)
			yardstick.spots = append(yardstick.spots,
				labelSpot{place(n), -8, y - 8, "end"}, labelSpot{place(n), 8, y + 18, "start"})
		}
	}
	return append(out, yardstick)
}

// goalLabel names the target in force last, or one that a revision replaced, on
// its piece of the line.
func (s trendSeries) goalLabel(i int, scale trendScale) trendLabel {
	goal, until := s.targets[i], 12
	text := fmt.Sprintf("%d年目标 %s", s.year, s.figure(goal.amount))
	switch {
	case i+1 < len(s.targets):
		until, text = s.targets[i+1].from, "原目标 "+s.figure(goal.amount)
	case i > 0:
		text = fmt.Sprintf("%d月起目标 %s", goal.from, s.figure(goal.amount))
	}
	label := trendLabel{text: text, class: "tc-goallab"}
	y := scale.y(goal.amount)
	for n := goal.from; n < until; n++ {
		label.spots = append(label.spots, labelSpot{place(n), 8, y - 8, "start"}, labelSpot{place(n), 8, y + 18, "start"})
	}
	label.spots = append(label.spots, labelSpot{place(until), -8, y - 8, "end"}, labelSpot{place(until), -8, y + 18, "end"})
	return label
}

// around are the places about a point, the right below first.
func around(at, y float64) []labelSpot {
	var out []labelSpot
	for _, away := range []float64{0, 16, 32} {
		out = append(out,
			labelSpot{at, 10, y + 18 + away, "start"}, labelSpot{at, -10, y - 10 - away, "end"},
			labelSpot{at, 10, y - 10 - away, "start"}, labelSpot{at, -10, y + 18 + away, "end"},
			labelSpot{at, 0, y - 14 - away, "middle"}, labelSpot{at, 0, y + 24 + away, "middle"})
	}
	return append(out, labelSpot{at, 12, y + 4, "start"}, labelSpot{at, -12, y + 4, "end"})
}

// beside are the places in the margin right of the plot.
func beside(y float64) []labelSpot {
	var out []labelSpot
	for _, dy := range []float64{0, -17, 17, 34, -34} {
		out = append(out, labelSpot{100, 10, y + dy, "start"})
	}
	return out
}

// before are the places left of the plot's right edge.
func before(y float64) []labelSpot {
	var out []labelSpot
	for _, dy := range []float64{20, -12, 36, -28, 52, -44} {
		out = append(out, labelSpot{100, 0, y + dy, "end"})
	}
	return out
}

// textWidth is about how wide a text is set: a Chinese character is as wide as
// it is high, a figure a little more than half.
func textWidth(text string, size float64) float64 {
	em := 0.0
	for _, r := range text {
		switch {
		case unicode.Is(unicode.Han, r), r > 0x2000 && r != '−' && r != '—':
			em++
		case r == '—':
			em++
		case r == '.' || r == ' ' || r == ',':
			em += 0.3
		default:
			em += 0.6
		}
	}
	return em*size + 4 // text-autospace adds a little between scripts
}
