package view

import (
	"strings"

	"github.com/shopspring/decimal"

	"landmark/internal/landmark"
)

// Spark is a year in 120×30: twelve months wide, so that the empty right end is
// the time left.
type Spark struct {
	Mark  string
	Label string
	Plan  string   // points of the path that was due
	Goal  string   // y of the target
	Lines []string // runs of months without a gap, as points
	Lone  [][2]string
	DotX  string
	DotY  string
	Empty bool
}

const (
	sparkLeft, sparkRight = 2, 118
	sparkTop, sparkBottom = 4, 26
	sparkMonths           = 12
)

// NewSpark draws the approved values up to the assessment's month.
func NewSpark(r *landmark.Record, a landmark.Assessment) Spark {
	s := Spark{Mark: mark(a.Light)}
	ind := a.Indicator
	if !ind.Kind.Numeric() || !a.Target.Amount.Valid {
		s.Empty = true
		return s
	}
	start := decimal.Zero
	if ind.Kind != landmark.Flow && ind.Baseline.Valid {
		start = ind.Baseline.Decimal
	}
	goal := a.Target.Amount.Decimal
	low, high := decimal.Min(start, goal), decimal.Max(start, goal)
	values := map[int]decimal.Decimal{}
	for _, v := range r.Values[ind.ID] {
		if v.Month <= a.Month && v.Month.Year() == a.Month.Year() && v.Amount.Valid {
			values[v.Month.Number()] = v.Amount.Decimal
			low, high = decimal.Min(low, v.Amount.Decimal), decimal.Max(high, v.Amount.Decimal)
		}
	}
	if low.Equal(high) {
		high = high.Add(decimal.NewFromInt(1))
	}
	x := func(month int) string {
		return decimal.NewFromInt(int64(month)*(sparkRight-sparkLeft)).DivRound(decimal.NewFromInt(sparkMonths), 1).Add(decimal.NewFromInt(sparkLeft)).String()
	}
	y := func(v decimal.Decimal) string {
		up := v.Sub(low).Mul(decimal.NewFromInt(sparkBottom-sparkTop)).DivRound(high.Sub(low), 1)
		return decimal.NewFromInt(sparkBottom).Sub(up).String()
	}
	s.Goal = y(goal)
	if ind.Kind != landmark.Hold {
		s.Plan = x(0) + "," + y(start) + " " + x(12) + "," + y(goal)
	}
	var run []string
	var label []string
	flush := func(last int) {
		switch {
		case len(run) > 1:
			s.Lines = append(s.Lines, strings.Join(run, " "))
		case len(run) == 1:
			s.Lone = append(s.Lone, [2]string{x(last), y(values[last])})
		}
		run = nil
	}
	lastMonth := 0
	for m := 1; m <= sparkMonths; m++ {
		v, ok := values[m]
		if !ok {
			flush(lastMonth)
			continue
		}
		run = append(run, x(m)+","+y(v))
		label = append(label, itoa(m)+"月"+Number(v))
		lastMonth = m
	}
	flush(lastMonth)
	if lastMonth == 0 {
		s.Label = "今年还没有核定值,目标" + Number(goal)
		return s
	}
	s.DotX, s.DotY = x(lastMonth), y(values[lastMonth])
	s.Label = label[0]
	if len(label) > 1 {
		s.Label += "," + label[len(label)-1]
	}
	s.Label += ",目标" + Number(goal)
	return s
}
