package view

import (
	"fmt"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
)

// shape makes a series of whole or decimal figures; an empty string is a missing
// month. values[0] is the end of the year before.
func shape(now int, values, expected [13]string, targets ...string) trendSeries {
	s := trendSeries{
		id: "trend", name: "指标", year: 2023, baseYear: 2022, now: now, decimals: 2, yardstick: "序时应达",
		figure: func(d decimal.Decimal) string { return d.String() },
	}
	for n := range values {
		if values[n] != "" {
			s.values[n] = decimal.NewNullDecimal(decimal.RequireFromString(values[n]))
		}
		if expected[n] != "" {
			s.expected[n] = decimal.NewNullDecimal(decimal.RequireFromString(expected[n]))
		}
	}
	for i, t := range targets {
		from := 0
		if i > 0 {
			from = 5 + i
		}
		s.targets = append(s.targets, trendTarget{from, decimal.RequireFromString(t)})
	}
	if v, due := s.values[now], s.expected[now]; v.Valid && due.Valid && v.Decimal.LessThan(due.Decimal) {
		s.behind, s.late = true, true
	}
	return s
}

// even is the schedule from base to target.
func even(base, target string) [13]string {
	b, t := decimal.RequireFromString(base), decimal.RequireFromString(target)
	var out [13]string
	for n := range out {
		out[n] = b.Add(t.Sub(b).Mul(decimal.NewFromInt(int64(n))).DivRound(decimal.NewFromInt(12), 4)).String()
	}
	return out
}

func shapes() map[string]trendSeries {
	none := [13]string{}
	out := map[string]trendSeries{
		"rising":        shape(9, [13]string{"25", "25.02", "25.03", "25.09", "25.14", "25.17", "25.22", "25.25", "25.28", "25.31"}, even("25", "25.5"), "25.5"),
		"flat":          shape(9, [13]string{"100", "", "", "", "", "100", "100", "100", "100", "100"}, none, "100"),
		"at target":     shape(9, [13]string{"50", "", "", "", "", "50", "50", "60", "60", "60"}, even("50", "60"), "60"),
		"above target":  shape(9, [13]string{"", "", "", "", "", "9000", "12000", "16500", "21864", "31000"}, even("0", "20000"), "20000"),
		"single point":  shape(6, [13]string{"", "", "", "", "", "", "3"}, even("0", "10"), "10"),
		"only December": shape(12, [13]string{"85.71", "", "", "", "", "", "", "", "", "", "", "", "87.6"}, even("85.71", "87.6"), "87.6"),
		"no value":      shape(9, [13]string{}, even("0", "4590"), "4590"),
		"no aim":        shape(9, [13]string{"", "", "", "", "", "1", "2"}, none),
		"nothing":       shape(9, none, none),
		"negative":      shape(9, [13]string{"-3", "", "", "", "", "-2.5", "-2.8", "", "-1", "-1.2"}, even("-3", "1"), "1"),
		"large":         shape(9, [13]string{"", "", "", "", "", "1200000000", "1300000000", "1900000000"}, even("0", "4100000000"), "4100000000"),
		"gaps":          shape(9, [13]string{"", "", "", "", "", "5", "", "7", "", "9"}, even("0", "20"), "20"),
		"target moved":  shape(9, [13]string{"", "", "", "", "", "2000", "2500", "2600", "2700", "2800"}, even("0", "4590"), "4590", "5000", "4000"),
		"all zero":      shape(9, [13]string{"", "", "", "", "", "0", "0", "0", "0", "0"}, even("0", "5"), "5"),
		"zero target":   shape(9, [13]string{"0", "", "", "", "", "0"}, even("0", "0"), "0"),
	}
	revised := out["rising"]
	revised.revised[5], revised.revised[6], revised.revised[9] = true, true, true
	revised.outlook = &trendOutlook{decimal.RequireFromString("25.36"), decimal.RequireFromString("25.40"), decimal.RequireFromString("25.44")}
	out["revised with outlook"] = revised
	beyond := out["above target"]
	beyond.outlook = &trendOutlook{decimal.NewFromInt(19500), decimal.NewFromInt(20000), decimal.NewFromInt(44000)}
	out["outlook at target"] = beyond
	mild := out["rising"]
	mild.late = false
	out["within tolerance"] = mild
	percent := out["flat"]
	percent.percent = true
	out["flat at 100%"] = percent
	return out
}

func TestTrendLabelsKeepClear(t *testing.T) {
	t.Parallel()
	for name, s := range shapes() {
		trend := newTrend(s)
		for _, set := range []struct {
			name   string
			texts  []TrendText
			widths []float64
		}{
			{"wide", trend.Wide, []float64{480, 492, 600, 850, 1100, 1276}},
			{"narrow", trend.Narrow, []float64{240, 260, 314, 420, 628}},
		} {
			for _, width := range set.widths {
				for i, a := range set.texts {
					for _, b := range set.texts[:i] {
						if a.box(width).touches(b.box(width)) {
							t.Errorf("%s, %s at %v: %q touches %q", name, set.name, width, a.Text, b.Text)
						}
					}
					if b := a.box(width); b.top < 0 || b.bottom > 306 || b.left < -2 || b.right > width+132 {
						t.Errorf("%s, %s at %v: %q leaves the drawing: %+v", name, set.name, width, a.Text, b)
					}
				}
			}
		}
	}
}

func TestTrendLabelsSayWhatMatters(t *testing.T) {
	t.Parallel()
	for name, s := range shapes() {
		trend := newTrend(s)
		var all []string
		for _, text := range trend.Wide {
			all = append(all, text.Text)
		}
		joined := strings.Join(all, "\n")
		want := []string{}
		if last := s.last(); last > 0 {
			want = append(want, fmt.Sprintf("%d月 %s", last, s.values[last].Decimal))
		}
		if goal, ok := s.target(12); ok {
			want = append(want, "目标 "+goal.String())
		}
		if s.outlook != nil {
			want = append(want, "年底预计 "+s.outlook.mid.String())
		}
		if trend.Miss != nil {
			want = append(want, "差 ")
		}
		for _, w := range want {
			if !strings.Contains(joined, w) {
				t.Errorf("%s: no label %q among\n%s", name, w, joined)
			}
		}
	}
}

func TestTrendDrawsGaps(t *testing.T) {
	t.Parallel()
	trend := newTrend(shapes()["gaps"])
	if len(trend.Lines) != 0 || len(trend.Dots) != 3 {
		t.Errorf("got %d lines and %d dots, want lone dots only: 0 and 3", len(trend.Lines), len(trend.Dots))
	}
	if !strings.Contains(trend.Desc, "6月、8月没有核定值") {
		t.Errorf("description leaves the gaps out: %s", trend.Desc)
	}
	trend = newTrend(shapes()["negative"])
	if len(trend.Lines) != 2 {
		t.Errorf("got %d lines, want 2 with July missing", len(trend.Lines))
	}
}

func TestTrendTicks(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		want []string // without the target's own
		goal string
	}{
		{"rising", []string{"25.0", "25.1", "25.2", "25.3", "25.4", ""}, "25.5"},
		{"above target", []string{"0", "1万", "", "3万", "4万"}, "2万"},
		{"large", []string{"0", "10亿", "20亿", "30亿", "", "50亿"}, "41亿"},
		{"negative", []string{"−3", "−2", "−1", "0", ""}, "1"},
		{"flat at 100%", []string{"95", "96", "97", "98", "99", ""}, "100"},
	}
	for _, test := range tests {
		var got []string
		goal := ""
		for _, tick := range newTrend(shapes()[test.name]).Ticks {
			if tick.Goal {
				goal = tick.Text
			} else {
				got = append(got, tick.Text)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(test.want) || goal != test.goal {
			t.Errorf("%s: ticks %q and goal %q, want %q and %q", test.name, got, goal, test.want, test.goal)
		}
	}
}

func TestTrendStaysInFrame(t *testing.T) {
	t.Parallel()
	for name, s := range shapes() {
		scale := newTrendScale(s)
		for n := range s.values {
			for _, v := range []decimal.NullDecimal{s.values[n], s.expected[n]} {
				if y := scale.y(v.Decimal); v.Valid && (y < trendTop-0.01 || y > trendBottom+0.01) {
					t.Errorf("%s: %s lies at %v, outside the plot", name, v.Decimal, y)
				}
			}
		}
		if k := len(newTrend(s).Ticks); k < 2 || k > 8 {
			t.Errorf("%s: %d ticks", name, k)
		}
	}
}
