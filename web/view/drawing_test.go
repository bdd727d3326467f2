package view

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"landmark/internal/landmark"
)

// assess judges one indicator whose values are given by month for September.
func assess(kind landmark.Kind, base, target string, values map[int]string) (*landmark.Record, landmark.Assessment) {
	r := emptyRecord(madePlan())
	ind := mustIndicator(r.Plan, "3.1")
	ind.Kind, ind.Baseline, ind.Measured = kind, num(base), landmark.Monthly
	ind.Targets = []landmark.Target{{Amount: num(target), Text: target}}
	for m := 1; m <= 12; m++ {
		if v := values[m]; v != "" {
			r.Values[ind.ID] = append(r.Values[ind.ID], landmark.Value{Month: landmark.MonthOf(2023, m), Amount: num(v)})
		}
	}
	return r, r.Assess(ind, landmark.MonthOf(2023, 9))
}

func TestBullet(t *testing.T) {
	t.Parallel()
	september := func(v string) map[int]string { return map[int]string{9: v} }
	// The wide scale runs from −6 to 114: one percent is 1/120 of the width.
	wide := Bullet{TrackX: "5.00%", TrackW: "83.33%", BarX: "5.00%", Goal: "88.33%", Plan: "67.50%"}
	for _, c := range []struct {
		name   string
		kind   landmark.Kind
		base   string
		target string
		values map[int]string
		want   func(*Bullet)
	}{
		{"on its way", landmark.Flow, "", "200", september("138"), func(b *Bullet) { b.Mark, b.Bar = "late", "57.50%" }},
		{"the quarter of a percent is kept", landmark.Flow, "", "400", september("301"), func(b *Bullet) { b.Mark, b.Bar = "ok", "62.71%" }},
		{"beyond the scale", landmark.Flow, "", "200", september("500"), func(b *Bullet) { b.Mark, b.Bar, b.Over = "done", "93.33%", true }},
		{"nothing yet is no missing value", landmark.Flow, "", "200", september("0"), func(b *Bullet) { b.Mark, b.Bar = "bad", "3" }},
		{"baseline of a flow at its own place", landmark.Flow, "100", "200", september("200"), func(b *Bullet) { b.Mark, b.Bar, b.Base = "done", "83.33%", "46.67%" }},
		{"baseline beyond the scale", landmark.Flow, "412", "200", september("200"), func(b *Bullet) { b.Mark, b.Bar, b.Base, b.BaseOver = "done", "83.33%", "98.33%", true }},
		{"baseline of a level at the start", landmark.Level, "25", "26", september("25.75"), func(b *Bullet) { b.Mark, b.Bar, b.Base = "ok", "62.50%", "5.00%" }},
		{"below the start", landmark.Level, "25", "26", september("20"), func(b *Bullet) { b.Mark, b.Bar, b.Base = "bad", "3", "5.00%" }},
		{"no value", landmark.Flow, "", "200", nil, func(b *Bullet) { b.Mark = "none" }},
		{"last month's value", landmark.Flow, "", "200", map[int]string{8: "100"}, func(b *Bullet) { b.Mark, b.Bar = "none", "41.67%" }},
		{"held", landmark.Hold, "100", "100", september("100"), func(b *Bullet) { b.Mark, b.Plan, b.Thread, b.Dot = "ok", "", true, "88.33%" }},
		{"broken", landmark.Hold, "100", "100", september("97"), func(b *Bullet) { b.Mark, b.Plan, b.Thread, b.Dot = "bad", "", true, "85.83%" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, a := assess(c.kind, c.base, c.target, c.values)
			want := wide
			want.Kind = c.kind
			c.want(&want)
			if diff := cmp.Diff(want, NewBullet(a, false, false)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBulletInWords(t *testing.T) {
	t.Parallel()
	full := madeRecord()
	september := landmark.MonthOf(2023, 9)
	for code, want := range map[string]string{"3.3": "定性指标,第3步,共4步", "1.2": "定性指标,按步骤判定", "9.2": "性质待定"} {
		b := NewBullet(full.Assess(mustIndicator(full.Plan, code), september), true, true)
		if b.Words != want || b.Bar != "" {
			t.Errorf("%s: words %q, bar %q; want %q and none", code, b.Words, b.Bar, want)
		}
	}
	for code, want := range map[string]string{
		"3.2": "完成率31%,应达75%",
		"4.1": "今年进度62%,应达75%",
		"7.1": "9月未报送;8月值,今年进度53%",
		"5.2": "应保持100,现为98.5",
		"8.2": "9月未到期,今年还没有核定值",
	} {
		if got := NewBullet(full.Assess(mustIndicator(full.Plan, code), september), false, true).Label; got != want {
			t.Errorf("%s: label %q, want %q", code, got, want)
		}
	}
}

var coordinate = regexp.MustCompile(`^-?[0-9]+\.[0-9]{2}%$`)

// Whatever is reported, nothing is drawn outside of the cell.
func TestBulletStaysInside(t *testing.T) {
	t.Parallel()
	for _, kind := range []landmark.Kind{landmark.Flow, landmark.Cumulative, landmark.Level, landmark.Hold} {
		for _, base := range []string{"", "0", "-7", "200", "99999"} {
			for _, target := range []string{"0", "200", "-3"} {
				for _, value := range []string{"", "0", "-1000000", "0.0001", "200", "123456789.123456"} {
					_, a := assess(kind, base, target, map[int]string{9: value})
					for _, small := range []bool{false, true} {
						b := NewBullet(a, small, false)
						for _, x := range []string{b.TrackX, b.Goal, b.Plan, b.Bar, b.Base, b.Dot} {
							if x == "" || x == "3" {
								continue
							}
							if !coordinate.MatchString(x) || strings.HasPrefix(x, "-") || len(x) > len("100.00%") {
								t.Errorf("%s from %q to %q at %q: drawn at %s", kind, base, target, value, x)
							}
						}
					}
				}
			}
		}
	}
}

func TestSpark(t *testing.T) {
	t.Parallel()
	// Twelve months over 116, from 2; 22 high, from 26 up.
	r, a := assess(landmark.Flow, "", "120", map[int]string{5: "30", 6: "60", 8: "90"})
	want := Spark{Mark: "none", Label: "5月30,8月90,目标120", Plan: "2,26 118,4", Goal: "4",
		Lines: []string{"50.3,20.5 60,15"}, Lone: [][2]string{{"79.3", "9.5"}}, DotX: "79.3", DotY: "9.5"}
	if diff := cmp.Diff(want, NewSpark(r, a)); diff != "" {
		t.Error(diff)
	}
	r, a = assess(landmark.Hold, "100", "100", map[int]string{9: "100"})
	if s := NewSpark(r, a); s.Plan != "" || s.DotX == "" || s.Empty {
		t.Errorf("a hold has no schedule and a dot: %+v", s)
	}
	r, a = assess(landmark.Level, "25", "26", nil)
	if s := NewSpark(r, a); s.DotX != "" || s.Label != "今年还没有核定值,目标26" {
		t.Errorf("without a value there is no dot: %+v", s)
	}
	full := madeRecord()
	if s := NewSpark(full, full.Assess(mustIndicator(full.Plan, "3.3"), landmark.MonthOf(2023, 9))); !s.Empty {
		t.Error("a qualitative indicator has no drawing")
	}
}

func TestTimeAxis(t *testing.T) {
	t.Parallel()
	for month, now := range map[int]string{1: "8.33%", 9: "75.00%", 12: "100.00%"} {
		a := NewTimeAxis(landmark.MonthOf(2023, month))
		if a.Now != now || len(a.Ticks) != 13 || len(a.Names) != 12 {
			t.Errorf("month %d: now %s, %d ticks, %d names; want %s, 13, 12", month, a.Now, len(a.Ticks), len(a.Names), now)
		}
		if i := slices.IndexFunc(a.Names, func(n axisName) bool { return n.Now }); i != month-1 {
			t.Errorf("month %d: name %d is marked", month, i+1)
		}
	}
	if got, want := NewTimeAxis(landmark.MonthOf(2023, 8)).Label, "2023年时间轴:已过8个月,序时进度66.7%"; got != want {
		t.Errorf("label %q, want %q", got, want)
	}
}
