package view

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"landmark/internal/landmark"
)

// scale maps a completion rate in percent to a place on the shared axis, in
// percent of the drawing's width.
type scale struct{ from, to int64 }

var (
	wideScale  = scale{-6, 114} // tables: room for a tick before the start
	smallScale = scale{0, 112}  // cells: the start aligns with the text
)

// parts are ten-thousandths of a percent: fine enough for a drawing, and quick.
type parts int64

const wholePercent parts = 10_000

// partsOf are a percentage's, whose further decimals are dropped.
func partsOf(percent decimal.Decimal) parts {
	switch percent.Exponent() {
	case 0:
		return parts(percent.CoefficientInt64()) * wholePercent
	case -4: // as Ratio.Percent(4) gives it
		return parts(percent.CoefficientInt64())
	default:
		return parts(percent.Shift(4).IntPart())
	}
}

// over is p/n, rounded half away from zero.
func (p parts) over(n int64) parts {
	half := parts(n / 2)
	if p < 0 {
		half = -half
	}
	return (p + half) / parts(n)
}

func (s scale) place(percent decimal.Decimal) parts {
	return ((partsOf(percent) - parts(s.from)*wholePercent) * 100).over(s.to - s.from)
}

func (s scale) at(percent int64) string { return pc(s.place(decimal.NewFromInt(percent))) }

// width is the length of a bar from 0 to percent.
func (s scale) width(percent decimal.Decimal) string {
	return pc(s.place(percent) - s.place(decimal.Zero))
}

// pc is a place or a length as SVG and CSS take it, to hundredths.
func pc(p parts) string {
	n := int64(p.over(100))
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	b := append(make([]byte, 0, 12), sign...)
	b = strconv.AppendInt(b, n/100, 10)
	b = append(b, '.', byte('0'+n/10%10), byte('0'+n%10), '%')
	return string(b)
}

// clip keeps a place inside the drawing and says whether it lay beyond.
func (s scale) clip(percent decimal.Decimal) (decimal.Decimal, bool) {
	if high := decimal.NewFromInt(s.to - 2); percent.GreaterThan(high) {
		return high, true
	}
	if low := decimal.NewFromInt(min(s.from+2, 0)); percent.LessThan(low) {
		return low, false
	}
	return percent, false
}

// Bullet is a value against schedule and target on the axis all rows share.
type Bullet struct {
	Mark  string // data-s
	Label string // for those who cannot see it; empty: the facts stand beside it as text
	Small bool
	Kind  landmark.Kind
	Words string // qualitative: no drawing

	TrackX, TrackW string
	Plan           string // schedule line; empty: none
	Goal           string
	Bar            string // width; empty: no value
	BarX           string
	Was            string // width of what stood before the month, pale; empty: not told apart
	Base           string // baseline tick
	BaseOver       bool   // off the scale
	Over           bool   // the value is off the scale
	Dot            string // hold
	Thread         bool
}

// NewBullet lays an assessment out. A bar is a judged value; a value that only
// stands beside unreported or not due is hollow.
func NewBullet(a landmark.Assessment, small, labelled bool) Bullet {
	s := wideScale
	if small {
		s = smallScale
	}
	b := Bullet{Mark: mark(a.Light), Small: small, Kind: a.Indicator.Kind}
	if a.Indicator.Kind == landmark.Qualitative || a.Indicator.Kind == landmark.KindUnknown || !a.Target.Amount.Valid {
		b.Words = qualitativeWords(a)
		return b
	}
	if labelled {
		b.Label = bulletLabel(a)
	}
	zero := decimal.Zero
	b.TrackX, b.TrackW, b.BarX = pc(s.place(zero)), s.width(decimal.NewFromInt(100)), pc(s.place(zero))
	b.Goal = s.at(100)
	if a.Schedule.Present() {
		plan, _ := s.clip(a.Schedule.Percent(4))
		b.Plan = pc(s.place(plan))
	}
	if progress := a.ShownProgress(); progress.Present() {
		p, over := s.clip(progress.Percent(4))
		if a.Indicator.Kind == landmark.Hold {
			b.Thread, b.Dot = true, pc(s.place(p))
		} else {
			b.Over = over
			b.Bar = s.width(decimal.Max(p, zero))
			if !p.IsPositive() {
				b.Bar = "3" // nothing done still shows that there is a value
			}
		}
	}
	if base := a.BaselineProgress(); base.Present() && a.Indicator.Kind != landmark.Hold {
		p, over := s.clip(base.Percent(4))
		b.Base, b.BaseOver = pc(s.place(p)), over
	}
	return b
}

func qualitativeWords(a landmark.Assessment) string {
	switch {
	case a.Indicator.Kind == landmark.KindUnknown:
		return "性质待定"
	case a.Indicator.Kind != landmark.Qualitative:
		return "目标是文字,不画进度"
	}
	if v := a.Shown(); v != nil {
		for i, step := range a.Indicator.Steps {
			if step.Name == v.Step {
				return fmt.Sprintf("定性指标,第%d步,共%d步", i+1, len(a.Indicator.Steps))
			}
		}
	}
	return "定性指标,按步骤判定"
}

func bulletLabel(a landmark.Assessment) string {
	v := a.Shown()
	if v == nil {
		return a.Month.Short() + a.Light.Chinese() + ",今年还没有核定值"
	}
	word := "完成率"
	if a.Indicator.Kind == landmark.Level || a.Indicator.Kind == landmark.Cumulative {
		word = "今年进度"
	}
	var parts []string
	if a.Stale() {
		parts = append(parts, fmt.Sprintf("%s%s;%s值", a.Month.Short(), a.Light.Chinese(), v.Month.Short()))
	}
	if a.Indicator.Kind == landmark.Hold {
		parts = append(parts, "应保持"+TargetText(a.Target)+",现为"+ValueText(v))
	} else {
		parts = append(parts, word+Percent(a.ShownProgress(), 0)+"%")
	}
	if a.Schedule.Present() && !a.Stale() {
		parts = append(parts, "应达"+Percent(a.Schedule, 0)+"%")
	}
	return strings.Join(parts, ",")
}
