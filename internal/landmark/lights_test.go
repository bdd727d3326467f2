package landmark

import (
	"encoding/csv"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
)

var shanghai = time.FixedZone("Asia/Shanghai", 8*60*60)

// tongxiang is the city's plan, from its own table and the file that says what
// the table does not. Every call gives a plan of its own to change.
func tongxiang(t testing.TB) *Plan {
	t.Helper()
	table, err := os.ReadFile("../../seeds/tongxiang-2023.txt")
	if err != nil {
		t.Fatal(err)
	}
	details := map[string][]string{}
	for _, row := range readCSV(t, "../../seeds/tongxiang-2023.csv") {
		details[row["code"]] = []string{row["kind"], row["unit"], row["decimals"], row["measured"], row["steps"]}
	}
	p := &Plan{
		Slug: "tongxiang-2023", Title: "桐乡市2023年共同富裕十大标志性成果", City: "桐乡市", Year: 2023, BaselineYear: 2022,
		Published: Date{2023, 5, 31}, Rules: []LightRule{DefaultRule(MonthOf(2023, 5))},
		Relations: []Relation{{Lower: "5.2", Upper: "5.1"}, {Lower: "9.1", Upper: "9.3"}},
	}
	leads := map[string]int64{}
	for _, line := range strings.Split(strings.TrimRight(string(table), "\n"), "\n")[1:] {
		cells := strings.Split(strings.TrimSuffix(line, " |"), " | ")
		if len(cells) > 3 {
			if leads[cells[2]] == 0 {
				leads[cells[2]] = int64(len(leads) + 1)
			}
			p.Projects = append(p.Projects, &Project{
				Number: len(p.Projects) + 1, Name: cells[1], Lead: Department{ID: leads[cells[2]], Name: cells[2]},
			})
			cells = cells[3:6]
		}
		project := p.Projects[len(p.Projects)-1]
		position := len(project.Indicators) + 1
		code := strconv.Itoa(project.Number) + "." + strconv.Itoa(position)
		d, ok := details[code]
		if !ok {
			t.Fatalf("no details for indicator %s", code)
		}
		ind := &Indicator{
			ID: int64(len(p.Indicators()) + 1), Project: project, Code: code, Position: position, Printed: cells[0],
			Kind: Kind(d[0]), Direction: Up, Unit: d[1], Measured: Frequency(d[3]),
			BaselineText: cells[1], Baseline: PrintedNumber(cells[1]),
			Targets: []Target{{From: MonthOf(2023, 1), Text: cells[2], Amount: PrintedNumber(cells[2])}},
		}
		ind.Name, _, ind.Key = SplitName(cells[0])
		if ind.Decimals, err = strconv.Atoi(d[2]); err != nil {
			t.Fatal(err)
		}
		if ind.Steps, err = ParseSteps(d[4]); err != nil {
			t.Fatal(err)
		}
		project.Indicators = append(project.Indicators, ind)
	}
	if n := len(p.Indicators()); n != 30 {
		t.Fatalf("the table has %d indicators, want 30", n)
	}
	return p
}

// recordOf is an empty record of a plan as it stands on a day.
func recordOf(p *Plan, day Date) *Record {
	return &Record{
		Plan: p, AsOf: day.Time(shanghai).Add(9 * time.Hour), Zone: shanghai,
		Values: map[int64][]Value{}, Reports: map[int64][]Report{}, Overrides: map[int64][]Override{}, Periods: map[Month][]PeriodSet{},
	}
}

func readCSV(t testing.TB, name string) []map[string]string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]string
	for _, row := range rows[1:] {
		m := map[string]string{}
		for i, cell := range row {
			m[rows[0][i]] = cell
		}
		out = append(out, m)
	}
	return out
}

func month(t testing.TB, s string) Month {
	t.Helper()
	m, err := ParseMonth(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func day(t testing.TB, s string) Date {
	t.Helper()
	d, err := ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// put adds an approved value, keeping months ascending.
func put(t testing.TB, r *Record, ind *Indicator, m Month, text string) {
	t.Helper()
	v := Value{Month: m, Revision: 1}
	if ind.Kind == Qualitative {
		v.Step = text
	} else {
		v.Amount = PrintedNumber(text)
		if !v.Amount.Valid {
			t.Fatalf("%q is no amount", text)
		}
	}
	r.Values[ind.ID] = append(r.Values[ind.ID], v)
}

// given changes plan and record as a row of lights.csv asks.
func given(t testing.TB, r *Record, ind *Indicator, what string) {
	t.Helper()
	for part := range strings.SplitSeq(what, ";") {
		key, value, _ := strings.Cut(part, "=")
		f := strings.SplitN(value, ":", 3)
		switch key {
		case "":
		case "today":
			r.AsOf = day(t, value).Time(shanghai)
		case "kind":
			ind.Kind = Kind(strings.TrimPrefix(value, "unknown"))
		case "measured":
			ind.Measured = Frequency(value)
		case "direction":
			ind.Direction = Direction(value)
		case "baseline":
			ind.BaselineText, ind.Baseline = value, PrintedNumber(value)
		case "printed":
			ind.Targets[0].Text, ind.Targets[0].Amount = value, PrintedNumber(value)
		case "target":
			ind.Targets = append(ind.Targets, Target{From: month(t, f[0]), Amount: PrintedNumber(f[1]), Text: f[1], Basis: "桐政发〔2023〕12号"})
		case "rule":
			tolerance, redLine := PrintedNumber(f[1]), PrintedNumber(f[2])
			r.Plan.Rules = append(r.Plan.Rules, LightRule{
				From: month(t, f[0]), Tolerance: int(tolerance.Decimal.IntPart()), RedLine: int(redLine.Decimal.IntPart()),
			})
		case "curve":
			points, err := ParseCurve(strings.NewReplacer(">", "=", ",", ";").Replace(f[1]))
			if err != nil {
				t.Fatal(err)
			}
			ind.Curves = append(ind.Curves, Curve{From: month(t, f[0]), Points: points})
		case "override", "withdrawn":
			from, until, _ := strings.Cut(f[0], "..")
			r.Overrides[ind.ID] = append(r.Overrides[ind.ID], Override{
				IndicatorID: ind.ID, From: month(t, from), Until: month(t, until), Light: Light(f[1]), Reason: f[2], Withdrawn: key == "withdrawn",
			})
		default:
			t.Fatalf("lights.csv asks for %q", part)
		}
	}
}

// TestLights holds figures and sentences worked out from the rules by hand, at
// least three months for every indicator of the table.
func TestLights(t *testing.T) {
	t.Parallel()
	rows := readCSV(t, "testdata/lights.csv")
	months := map[string]int{}
	for i, row := range rows {
		months[row["code"]]++
		t.Run(row["code"]+"/"+row["month"]+"/"+strconv.Itoa(i+2), func(t *testing.T) {
			t.Parallel()
			p := tongxiang(t)
			r := recordOf(p, Date{2024, 1, 31})
			ind, err := p.Indicator(row["code"])
			if err != nil {
				t.Fatal(err)
			}
			given(t, r, ind, row["given"])
			if row["known"] != "" {
				for known := range strings.SplitSeq(row["known"], ";") {
					m, text, _ := strings.Cut(known, "=")
					put(t, r, ind, month(t, m), text)
				}
			}
			m := month(t, row["month"])
			if row["value"] != "" {
				put(t, r, ind, m, row["value"])
			}
			a := r.Assess(ind, m)
			if got := rate(a.Completion); got != row["completion"] {
				t.Errorf("completion %q, want %q", got, row["completion"])
			}
			if want := row["expected"]; a.Expected.Valid != (want != "") || want != "" && !a.Expected.Decimal.Equal(decimal.RequireFromString(want)) {
				t.Errorf("expected value %v %s, want %q", a.Expected.Valid, a.Expected.Decimal, want)
			}
			if got := rate(a.Gap); got != row["gap"] {
				t.Errorf("gap %q, want %q", got, row["gap"])
			}
			if string(a.Light) != row["light"] {
				t.Errorf("light %q, want %q", a.Light, row["light"])
			}
			if a.Override == nil && a.Computed != a.Light {
				t.Errorf("computed light %q, shown %q", a.Computed, a.Light)
			}
			if a.Explanation() != row["explanation"] {
				t.Errorf("sentence\n got %s\nwant %s", a.Explanation(), row["explanation"])
			}
		})
	}
	for _, ind := range tongxiang(t).Indicators() {
		if months[ind.Code] < 3 {
			t.Errorf("indicator %s has %d rows, want 3", ind.Code, months[ind.Code])
		}
	}
}

func rate(x Ratio) string {
	if !x.Present() {
		return ""
	}
	return x.Percent(1).StringFixed(1)
}

// TestExampleSentence is the sentence the rules themselves print.
func TestExampleSentence(t *testing.T) {
	t.Parallel()
	p := tongxiang(t)
	r := recordOf(p, Date{2023, 10, 12})
	ind, err := p.Indicator("3.1")
	if err != nil {
		t.Fatal(err)
	}
	put(t, r, ind, MonthOf(2023, 9), "13820")
	want := "截至9月底累计 13,820 人,完成率 69.1%,序时应达 75.0%,落后 5.9 个百分点,判为滞后(目标 20,000 人;规则自2023年5月起:容差5点,红线20点)。"
	if got := r.Assess(ind, MonthOf(2023, 9)).Explanation(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
