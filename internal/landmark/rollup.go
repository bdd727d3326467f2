package landmark

import (
	"cmp"
	"slices"

	"github.com/shopspring/decimal"
)

// Counts are how many indicators show each light. Never an average.
type Counts map[Light]int

// Count adds assessments up by light.
func Count(as []Assessment) Counts {
	c := Counts{}
	for _, a := range as {
		c[a.Light]++
	}
	return c
}

// Total is how many indicators there are.
func (c Counts) Total() int {
	n := 0
	for _, k := range c {
		n += k
	}
	return n
}

// Judged is how many indicators the light judges: the total without those not
// due or not to be judged. It is the base of every share.
func (c Counts) Judged() int { return c.Total() - c[NotDue] - c[NoLight] }

// Worst is a project's light: the worst among its key indicators, and where
// none of those is judged, the worst among the rest.
func Worst(as []Assessment) Light {
	worst := func(key bool) (Light, bool) {
		light, found := NoLight, false
		for _, a := range as {
			if a.Indicator.Key == key && a.Light.Judged() && (!found || a.Light.Severity() > light.Severity()) {
				light, found = a.Light, true
			}
		}
		return light, found
	}
	if l, ok := worst(true); ok {
		return l
	}
	if l, ok := worst(false); ok {
		return l
	}
	for _, a := range as {
		if a.Light == NotDue {
			return NotDue
		}
	}
	return NoLight
}

// Shares are the parts in percent with one decimal, made to add to 100.0 by the
// largest remainder (Hare–Niemeyer); equal remainders go to the earlier part.
// All are zero where the parts add to zero. Negative parts count as zero.
func Shares(parts []int) []decimal.Decimal {
	const units = 1000 // tenths of a percent
	out := make([]decimal.Decimal, len(parts))
	total := 0
	for _, p := range parts {
		total += max(p, 0)
	}
	if total == 0 {
		return out
	}
	type rest struct{ index, remainder int }
	rests := make([]rest, len(parts))
	tenths := make([]int, len(parts))
	left := units
	for i, p := range parts {
		p = max(p, 0)
		tenths[i] = p * units / total
		rests[i] = rest{i, p * units % total}
		left -= tenths[i]
	}
	slices.SortStableFunc(rests, func(a, b rest) int { return cmp.Compare(b.remainder, a.remainder) })
	for _, r := range rests[:left] {
		tenths[r.index]++
	}
	for i, t := range tenths {
		out[i] = decimal.New(int64(t), -1)
	}
	return out
}

// Board is a whole month of a plan, judged.
type Board struct {
	Record   *Record
	Month    Month
	Projects []ProjectBoard
	Counts   Counts
}

// ProjectBoard is one project of a month.
type ProjectBoard struct {
	Project     *Project
	Light       Light
	Counts      Counts
	Assessments []Assessment
}

// Board judges every indicator of a month.
func (r *Record) Board(m Month) Board {
	b := Board{Record: r, Month: m, Counts: Counts{}}
	for _, p := range r.Plan.Projects {
		pb := ProjectBoard{Project: p}
		for _, ind := range p.Indicators {
			pb.Assessments = append(pb.Assessments, r.Assess(ind, m))
		}
		pb.Counts = Count(pb.Assessments)
		pb.Light = Worst(pb.Assessments)
		for l, n := range pb.Counts {
			b.Counts[l] += n
		}
		b.Projects = append(b.Projects, pb)
	}
	return b
}

// Assessments are all of the month in the table's order.
func (b Board) Assessments() []Assessment {
	var out []Assessment
	for _, p := range b.Projects {
		out = append(out, p.Assessments...)
	}
	return out
}

// Key are the ★ indicators' assessments in the table's order.
func (b Board) Key() []Assessment {
	var out []Assessment
	for _, a := range b.Assessments() {
		if a.Indicator.Key {
			out = append(out, a)
		}
	}
	return out
}

// TroubleFirst orders assessments by light, worst first, then by gap, furthest
// behind first; equals keep the table's order.
func TroubleFirst(as []Assessment) []Assessment {
	out := slices.Clone(as)
	slices.SortStableFunc(out, func(x, y Assessment) int {
		if c := cmp.Compare(y.Light.Severity(), x.Light.Severity()); c != 0 {
			return c
		}
		if x.Gap.Present() && y.Gap.Present() {
			return x.Gap.Cmp(y.Gap)
		}
		return 0
	})
	return out
}
