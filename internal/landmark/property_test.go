package landmark

import (
	"cmp"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
)

// The properties below hold for whatever a plan and its record may contain. The
// random numbers are seeded: a failure comes back.

const rounds = 4000

// anyAmount is a figure of any size and sign, often one of the awkward ones.
func anyAmount(rng *rand.Rand) decimal.Decimal {
	switch rng.IntN(6) {
	case 0:
		return decimal.Zero
	case 1:
		return decimal.New(int64(rng.IntN(5)-2), 0)
	case 2:
		return decimal.New(100, 0)
	case 3:
		return decimal.New(rng.Int64N(2_000_000)-200_000, -3)
	case 4:
		return decimal.New(rng.Int64N(999_999_999_999_999), -rng.Int32N(7))
	default:
		return decimal.New(rng.Int64N(20_000), 0)
	}
}

func maybeAmount(rng *rand.Rand) decimal.NullDecimal {
	if rng.IntN(5) == 0 {
		return decimal.NullDecimal{}
	}
	return decimal.NewNullDecimal(anyAmount(rng))
}

func pick[T any](rng *rand.Rand, of ...T) T { return of[rng.IntN(len(of))] }

// anyRecord is a plan of one indicator with any kind, target, curve and rule.
func anyRecord(rng *rand.Rand) (*Record, *Indicator) {
	january := MonthOf(2023, 1)
	ind := &Indicator{
		ID: 1, Code: "1.1", Name: "指标", Unit: pick(rng, "", "个", "%", "‰", "元/人·月"), Decimals: rng.IntN(4),
		Kind: pick(rng, KindUnknown, Flow, Cumulative, Level, Hold, Qualitative), Direction: pick(rng, Up, Down),
		Measured: pick(rng, Frequencies...), Baseline: maybeAmount(rng),
		Targets: []Target{{From: january, Amount: maybeAmount(rng), Text: "到位"}},
		Steps:   []Step{{"未启动", Behind}, {"推进中", OnTrack}, {"到位", Done}},
	}
	if rng.IntN(4) == 0 {
		ind.Targets = append(ind.Targets, Target{From: january + Month(rng.IntN(12)), Amount: maybeAmount(rng), Text: "尽力"})
	}
	if rng.IntN(3) == 0 {
		c := Curve{From: january + Month(rng.IntN(12))}
		for m := january; m < january+12; m++ {
			if rng.IntN(3) == 0 {
				c.Points = append(c.Points, CurvePoint{m, anyAmount(rng)})
			}
		}
		ind.Curves = []Curve{c}
	}
	tolerance := rng.IntN(20)
	p := &Plan{
		Year: 2023, BaselineYear: 2022, Published: Date{2023, 1 + rng.IntN(12), 1 + rng.IntN(28)},
		Rules:    []LightRule{{From: january, Tolerance: tolerance, RedLine: tolerance + 1 + rng.IntN(30)}},
		Projects: []*Project{{Number: 1, Indicators: []*Indicator{ind}}},
	}
	ind.Project = p.Projects[0]
	return recordOf(p, Date{2023, 1 + rng.IntN(12), 1 + rng.IntN(28)}), ind
}

// anyValue is what a department may have reported for a month.
func anyValue(rng *rand.Rand, ind *Indicator, m Month) Value {
	v := Value{Month: m, Amount: maybeAmount(rng)}
	if ind.Kind == Qualitative || rng.IntN(10) == 0 {
		v.Step = pick(rng, "未启动", "推进中", "到位", "没有这一步")
	}
	return v
}

func TestAssessNeverFails(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 1))
	for range rounds {
		r, ind := anyRecord(rng)
		for m := MonthOf(2023, 1); m <= MonthOf(2023, 12); m++ {
			if rng.IntN(2) == 0 {
				r.Values[1] = append(r.Values[1], anyValue(rng, ind, m))
			}
		}
		if rng.IntN(5) == 0 {
			r.Overrides[1] = []Override{{From: MonthOf(2023, 1+rng.IntN(12)), Until: MonthOf(2023, 12), Light: OnTrack, Reason: "理由。"}}
		}
		m := MonthOf(2022, 11) + Month(rng.IntN(16))
		a := r.Assess(ind, m)
		if e := a.Explanation(); !strings.HasSuffix(e, "。") || strings.Count(e, "。") != 1 {
			t.Fatalf("not one sentence: %s", e)
		}
		for _, bad := range []string{",,", "%!", "<nil>", "  ", "“”", "。)", ",。", "--", "()", "-0"} {
			if strings.Contains(a.Explanation(), bad) {
				t.Fatalf("%q in %s", bad, a.Explanation())
			}
		}
		if a.Plain() == "" || a.Shown() != nil && a.ValueMonth() > m {
			t.Fatalf("value of %s in %s", a.ValueMonth(), m)
		}
		a.ShownProgress()
		a.BaselineProgress()
		if ind.Kind == KindUnknown && a.Computed != NoLight {
			t.Fatalf("light %q without a kind", a.Computed)
		}
		if a.Gap.Present() && a.Value == nil {
			t.Fatal("a gap without a value")
		}
	}
}

// TestMoreIsNeverWorse: as a value grows the light never gets worse where more is
// better, and never better where less is.
func TestMoreIsNeverWorse(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(2, 2))
	judged := 0
	for range rounds {
		r, ind := anyRecord(rng)
		ind.Kind = pick(rng, Flow, Cumulative, Level, Hold)
		m := MonthOf(2023, 1+rng.IntN(12))
		values := make([]decimal.Decimal, 12)
		for i := range values {
			values[i] = anyAmount(rng)
			if target := ind.TargetIn(m).Amount; target.Valid && rng.IntN(2) == 0 { // near the target
				values[i] = target.Decimal.Mul(decimal.New(int64(rng.IntN(150)), -2))
			}
		}
		slices.SortFunc(values, decimal.Decimal.Cmp)
		if ind.Direction == Down {
			slices.Reverse(values)
		}
		before := NoLight
		for i, v := range values {
			r.Values[1] = []Value{{Month: m, Amount: decimal.NewNullDecimal(v)}}
			light := r.Assess(ind, m).Computed
			if light.Judged() {
				judged++
			}
			switch {
			case !r.Plan.Owes(ind, m):
				if light != NotDue && light != Done || before == Done && light != Done {
					t.Fatalf("%s %s %s: %s after %s, nothing owed", ind.Kind, ind.Direction, m, light, before)
				}
			case i > 0 && light.Severity() > before.Severity():
				t.Fatalf("%s %s %s target %v baseline %v: %s is %s, but %s was %s",
					ind.Kind, ind.Direction, m, ind.TargetIn(m).Amount, ind.Baseline, v, light, values[i-1], before)
			}
			before = light
		}
	}
	if judged < rounds {
		t.Fatalf("only %d lights were judged", judged)
	}
}

// TestNoValueIsNeverGreen: without a value for the month that owes one the light
// is unreported whatever is known of earlier months; without any value of this
// year nothing is on track or done, whatever was known before.
func TestNoValueIsNeverGreen(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 3))
	unreported := 0
	for range rounds {
		r, ind := anyRecord(rng)
		m := MonthOf(2023, 1+rng.IntN(12))
		if rng.IntN(2) == 0 {
			r.Values[1] = []Value{anyValue(rng, ind, MonthOf(2022, 12)), anyValue(rng, ind, MonthOf(2022, 9))}
			if l := r.Assess(ind, m).Computed; l == OnTrack || l == Done {
				t.Fatalf("%s in %s with values of last year only", l, m)
			}
		}
		for earlier := MonthOf(2023, 1); earlier < m; earlier++ {
			r.Values[1] = append(r.Values[1], anyValue(rng, ind, earlier))
		}
		l := r.Assess(ind, m).Computed
		if r.Plan.Owes(ind, m) {
			over := r.Today().Compare(m.LastDay()) >= 0
			want := map[bool]Light{true: Unreported, false: NotDue}[over]
			if ind.Kind == KindUnknown {
				want = NoLight
			}
			if l != want {
				t.Fatalf("%s in %s on %s without a value for it, want %s", l, m, r.Today(), want)
			}
			if l == Unreported {
				unreported++
			}
		}
		if later := m + 1; l == Unreported { // a value for later does not change it
			r.Values[1] = append(r.Values[1], anyValue(rng, ind, later))
			if l := r.Assess(ind, m).Computed; l != Unreported {
				t.Fatalf("%s in %s after a value for %s", l, m, later)
			}
		}
	}
	if unreported < 100 {
		t.Fatalf("only %d were unreported", unreported)
	}
}

func TestSharesAddUp(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(4, 4))
	for range rounds {
		parts := make([]int, rng.IntN(9))
		total := 0
		for i := range parts {
			parts[i] = pick(rng, 0, 1, rng.IntN(8), rng.IntN(100_000), -rng.IntN(3))
			total += max(parts[i], 0)
		}
		want, sum := decimal.Zero, decimal.Zero
		if total > 0 {
			want = decimal.New(100, 0)
		}
		for i, s := range Shares(parts) {
			sum = sum.Add(s)
			if s.Exponent() < -1 || s.IsNegative() || parts[i] <= 0 && !s.IsZero() {
				t.Fatalf("Shares(%v)[%d] = %s", parts, i, s)
			}
			if total > 0 { // each is within a tenth of its exact share
				off := RatioOf(decimal.New(int64(max(parts[i], 0)), 0), decimal.New(int64(total), 0)).Sub(RatioOf(s, decimal.New(100, 0)))
				if off.Cmp(Fraction(1, 1000)) >= 0 || off.Cmp(Fraction(-1, 1000)) <= 0 {
					t.Fatalf("Shares(%v)[%d] = %s is off", parts, i, s)
				}
			}
		}
		if !sum.Equal(want) {
			t.Fatalf("Shares(%v) add to %s", parts, sum)
		}
	}
}

func TestGroupsAddUp(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 5))
	for range 100 {
		p := tongxiang(t)
		r := recordOf(p, Date{2023, 1 + rng.IntN(12), 20})
		for _, ind := range p.Indicators() {
			if rng.IntN(3) > 0 {
				r.Values[ind.ID] = []Value{anyValue(rng, ind, MonthOf(2023, 5+rng.IntN(8)))}
			}
		}
		b := r.Board(MonthOf(2023, 5+rng.IntN(8)))
		sum := Counts{}
		for _, project := range b.Projects {
			if project.Counts.Total() != len(project.Assessments) {
				t.Fatalf("project %d counts %v", project.Project.Number, project.Counts)
			}
			if len(Lights) != 7 || project.Light.Judged() && project.Counts[project.Light] == 0 {
				t.Fatalf("project %d shows %s, which none of it is", project.Project.Number, project.Light)
			}
			for l, n := range project.Counts {
				sum[l] += n
			}
		}
		judged := 0
		for _, l := range Lights {
			if sum[l] != b.Counts[l] {
				t.Fatalf("%s: projects have %d, the board %d", l, sum[l], b.Counts[l])
			}
			if l.Judged() {
				judged += sum[l]
			}
		}
		if b.Counts.Total() != 30 || b.Counts.Judged() != judged || len(b.Assessments()) != 30 || len(b.Key()) != 9 {
			t.Fatalf("board counts %v", b.Counts)
		}
		worst := TroubleFirst(b.Assessments())
		if !slices.IsSortedFunc(worst, func(x, y Assessment) int { return cmp.Compare(y.Light.Severity(), x.Light.Severity()) }) {
			t.Fatal("trouble does not stand first")
		}
	}
}

func TestPercentRoundsHalfUp(t *testing.T) {
	t.Parallel()
	if got := RatioOf(decimal.New(27225, 0), decimal.New(10000, 0)).Percent(1).StringFixed(1); got != "272.3" {
		t.Errorf("272.25 %% prints %s", got)
	}
	rng := rand.New(rand.NewPCG(6, 6))
	for range rounds {
		num, places := decimal.New(rng.Int64N(2_000_000)-1_000_000, 0), rng.Int32N(4)
		den := decimal.New(pick[int64](rng, 1, 2, 4, 5, 8, 16, 125, 1000), 0) // divides evenly
		want := num.DivRound(den, 20).Shift(2).Round(places)
		if got := RatioOf(num, den).Percent(places); !got.Equal(want) {
			t.Fatalf("%s/%s to %d places is %s, want %s", num, den, places, got, want)
		}
		if got := RatioOf(num, den).Of(decimal.New(300, 0), places); !got.Equal(num.DivRound(den, 20).Mul(decimal.New(300, 0)).Round(places)) {
			t.Fatalf("%s/%s of 300 is %s", num, den, got)
		}
	}
	absent := Ratio{}
	if absent.Present() || absent.Sub(Fraction(1, 2)).Present() || absent.Neg().Present() || absent.Sign() != 0 || !absent.Percent(1).IsZero() || !absent.Of(decimal.New(1, 0), 1).IsZero() {
		t.Error("an absent ratio has a figure")
	}
}

// TestPercentSharpens: one decimal never shows a mark the figure is beside.
func TestPercentSharpens(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		num, den int64
		want     string
	}{
		{5, 100, "5.0"}, {504, 10000, "5.04"}, {496, 10000, "4.96"}, {49999, 1000000, "4.9999"}, {1, 3000, "0.03"}, {-504, 10000, "−5.04"}, {1, 3, "33.3"}, {0, 1, "0.0"},
	} {
		if got := percent(Fraction(test.num, test.den), 0, 5, 20); got != test.want {
			t.Errorf("%d/%d prints %s, want %s", test.num, test.den, got, test.want)
		}
	}
}

func TestWorst(t *testing.T) {
	t.Parallel()
	as := func(lights ...string) []Assessment {
		var out []Assessment
		for _, l := range lights {
			name, key := strings.CutPrefix(l, "*")
			out = append(out, Assessment{Indicator: &Indicator{Key: key}, Light: Light(name)})
		}
		return out
	}
	for _, test := range []struct {
		lights []Assessment
		want   Light
	}{
		{as("*on_track", "critical"), OnTrack},
		{as("*on_track", "*behind", "done"), Behind},
		{as("*not_due", "unreported", "done"), Unreported},
		{as("*not_due", "not_due"), NotDue},
		{as("*done", "*on_track"), OnTrack},
		{as("*unreported", "*critical"), Critical},
		{as("*", "not_due"), NotDue},
		{as("", ""), NoLight},
		{nil, NoLight},
	} {
		if got := Worst(test.lights); got != test.want {
			t.Errorf("Worst(%s) = %q, want %q", fmt.Sprint(Count(test.lights)), got, test.want)
		}
	}
}

func TestPreviewRule(t *testing.T) {
	t.Parallel()
	p := tongxiang(t)
	r := recordOf(p, Date{2023, 10, 12})
	ind, err := p.Indicator("3.1")
	if err != nil {
		t.Fatal(err)
	}
	put(t, r, ind, MonthOf(2023, 8), "12000") // 60.0 against 66.7: behind by 6.7
	put(t, r, ind, MonthOf(2023, 9), "13820") // 69.1 against 75.0: behind by 5.9
	changes := r.PreviewRule(LightRule{From: MonthOf(2023, 9), Tolerance: 6, RedLine: 20})
	if len(changes) != 1 || changes[0].Indicator != ind || changes[0].Month != MonthOf(2023, 9) || changes[0].From != Behind || changes[0].To != OnTrack {
		t.Errorf("preview %+v", changes)
	}
	if len(p.Rules) != 1 {
		t.Error("a preview changed the plan")
	}
}

// Machine words and big numbers round alike, up to where words end.
func TestPercentInWords(t *testing.T) {
	t.Parallel()
	slow := func(x Ratio, places int32) decimal.Decimal {
		scaled := new(big.Rat).Mul(x.r, new(big.Rat).SetInt(pow10(places+2)))
		text := scaled.FloatString(0) // half away from zero, as its documentation says
		n, _ := new(big.Int).SetString(text, 10)
		return decimal.NewFromBigInt(n, -places)
	}
	edges := []int64{0, 1, 2, 3, 7, 25, 1000, 1 << 31, math.MaxInt64 / 2, math.MaxInt64/2 + 1, math.MaxInt64}
	rng := rand.New(rand.NewPCG(7, 7))
	var ratios []Ratio
	for _, n := range edges {
		for _, d := range edges[1:] {
			ratios = append(ratios, Fraction(n, d), Fraction(-n, d))
		}
	}
	for range 3000 {
		ratios = append(ratios, Fraction(rng.Int64N(1<<rng.IntN(62)+1)-rng.Int64N(1<<20), 1+rng.Int64N(1<<rng.IntN(62))))
	}
	quick := 0
	for _, x := range ratios {
		for places := int32(-2); places <= 16; places++ {
			if _, ok := x.quick(places); ok {
				quick++
			}
			if got, want := x.Percent(places), slow(x, places); !got.Equal(want) || got.Exponent() != want.Exponent() {
				t.Fatalf("%s to %d places is %s, want %s", x.r, places, got, want)
			}
		}
	}
	if quick < len(ratios) {
		t.Errorf("only %d of %d figures were worked out in words", quick, len(ratios))
	}
}
