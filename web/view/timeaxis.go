package view

import (
	"landmark/internal/landmark"
)

// TimeAxis is the year as a line, the elapsed part heavy.
type TimeAxis struct {
	Label string
	Now   string
	Ticks []axisTick
	Names []axisName
}

type axisTick struct {
	X       string
	Quarter bool
}

type axisName struct {
	X      string
	Number string
	Now    bool
}

// NewTimeAxis is the axis at the end of month m.
func NewTimeAxis(m landmark.Month) TimeAxis {
	share := landmark.Fraction(int64(m.Number()), 12)
	twelfths := func(n, of int64) string {
		return pc((parts(n) * 100 * wholePercent).over(of))
	}
	a := TimeAxis{
		Label: itoa(m.Year()) + "年时间轴:已过" + itoa(m.Number()) + "个月,序时进度" + Percent(share, 1) + "%",
		Now:   twelfths(int64(m.Number()), 12),
	}
	for i := int64(0); i <= 12; i++ {
		a.Ticks = append(a.Ticks, axisTick{X: twelfths(i, 12), Quarter: i%3 == 0})
	}
	for i := int64(1); i <= 12; i++ {
		a.Names = append(a.Names, axisName{X: twelfths(2*i-1, 24), Number: itoa(int(i)), Now: int(i) == m.Number()})
	}
	return a
}
