package landmark

import (
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
)

func TestPlain(t *testing.T) {
	t.Parallel()
	amount := func(s string) decimal.NullDecimal {
		if s == "" {
			return decimal.NullDecimal{}
		}
		return decimal.NewNullDecimal(decimal.RequireFromString(s))
	}
	september, august := MonthOf(2023, 9), MonthOf(2023, 8)
	for _, c := range []struct {
		name               string
		kind               Kind
		direction          Direction
		unit, base, target string
		value, step        string
		month              Month // of the value
		want               string
	}{
		{"flow behind", Flow, Up, "人", "41152", "20000", "13820", "", september, "累计 13,820 人,离目标 20,000 人还差 6,180 人,比应达进度慢 5.9 个百分点。"},
		{"flow ahead of its year", Flow, Up, "个", "8", "10", "10", "", september, "累计 10 个,已达到目标 10 个。"},
		{"flow in percent", Flow, Up, "%", "100", "100", "78", "", september, "累计 78%,离目标 100%还差 22 个百分点,比应达进度快 3.0 个百分点。"},
		{"level goes up", Level, Up, "人/万名老人", "25", "25.5", "25.31", "", september, "从上年的 25 人升到 25.31 人,离目标 25.5 人还差 0.19 人,比应达进度慢 13.0 个百分点。"},
		{"level lost ground", Level, Up, "%", "83", "87", "82.5", "", september, "从上年的 83%降到 82.5%,离目标 87%还差 4.5 个百分点,比应达进度慢 87.5 个百分点。"},
		{"level without baseline", Level, Up, "%", "", "50", "40", "", september, "现为 40%,离目标 50%还差 10 个百分点,比应达进度快 5.0 个百分点。"},
		{"level that is to fall", Level, Down, "‰", "5", "4", "4.2", "", september, "从上年的 5‰降到 4.2‰,离目标 4‰还差 0.2 个千分点,比应达进度快 5.0 个百分点。"},
		{"hold kept", Hold, Up, "%", "100", "100", "100", "", september, "现为 100%,守住了 100%。"},
		{"hold broken", Hold, Up, "%", "100", "100", "98.5", "", september, "现为 98.5%,没有守住 100%。"},
		{"ceiling broken", Hold, Down, "起", "3", "3", "5", "", september, "现为 5 起,没有守住 3 起。"},
		{"step", Qualitative, Up, "", "", "", "", "推进中", september, "现处“推进中”,年度目标是“到位”。"},
		{"missing with a last value", Flow, Up, "家", "10", "50", "31", "", august, "9月数据未报;8月为 31 家,年度目标 50 家。"},
		{"missing", Flow, Up, "套(间)", "10", "5600", "", "", september, "9月数据未报,今年还没有核定值;年度目标 5,600 套。"},
		{"kind not known", KindUnknown, Up, "个", "1", "5", "2", "", september, "现为 2 个,年度目标 5 个;指标性质待确定,暂不判定。"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			target := Target{From: MonthOf(2023, 1), Amount: amount(c.target), Text: c.target}
			if c.target == "" {
				target.Text = "到位"
			}
			ind := &Indicator{ID: 1, Code: "1.1", Kind: c.kind, Direction: c.direction, Unit: c.unit, Decimals: 2, Measured: Monthly, Baseline: amount(c.base), Targets: []Target{target},
				Steps: []Step{{Name: "推进中", Meaning: Behind}, {Name: "到位", Meaning: Done}}}
			plan := &Plan{Year: 2023, Published: Date{Year: 2023, Month: 5, Day: 31}}
			r := &Record{Plan: plan, Zone: time.UTC, AsOf: Date{Year: 2023, Month: 10, Day: 12}.Time(time.UTC), Values: map[int64][]Value{}}
			if c.value+c.step != "" {
				r.Values[1] = []Value{{Month: c.month, Amount: amount(c.value), Step: c.step}}
			}
			if got := r.Assess(ind, september).Plain(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestPlainBeforeItIsDue(t *testing.T) {
	t.Parallel()
	ind := &Indicator{ID: 1, Kind: Level, Unit: "%", Measured: Annual, Targets: []Target{{Amount: decimal.NewNullDecimal(decimal.RequireFromString("87")), Text: "87"}}}
	plan := &Plan{Year: 2023, Published: Date{Year: 2023, Month: 5, Day: 31}}
	r := &Record{Plan: plan, Zone: time.UTC, AsOf: Date{Year: 2023, Month: 10, Day: 12}.Time(time.UTC)}
	if got, want := r.Assess(ind, MonthOf(2023, 9)).Plain(), "按年度核算,12月末才有数;年度目标 87%。"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestPlainInTheWordsOfTheCase(t *testing.T) {
	t.Parallel()
	tests := []struct{ code, known, given, month, want string }{
		{"3.1", "06=8999", "", "06", "累计 8,999 人,离目标 20,000 人还差 11,001 人,比应达进度慢 5.01 个百分点。"},
		{"3.1", "", "today=2023-09-20", "09", "9月还没到报送的时候;年度目标 20,000 人。"},
		{"3.1", "08=12000", "today=2023-09-20", "09", "截至8月底累计 12,000 人,离目标 20,000 人还差 8,000 人。"},
		{"4.1", "06=25.20", "", "08", "截至6月底从上年的 25 人升到 25.20 人,离目标 25.5 人还差 0.3 人。"},
		{"8.2", "", "kind=unknown", "12", "今年还没有核定值;年度目标 87%。"},
		{"1.2", "12=5.20", "kind=level", "12", "现为 5.20‰,年度目标是“降幅趋缓”,没有可比的数字,暂不判定。"},
		{"1.2", "", "", "12", "12月数据未报,今年还没有核定值;年度目标“降幅趋缓”。"},
		{"3.3", "08=推进中", "", "09", "9月数据未报;8月为“推进中”,年度目标“到位”。"},
		{"6.5", "09=4480", "direction=down", "09", "累计 4,480 套,全年限额 5,600 套,比序时多用 5.0 个百分点。"},
		{"6.5", "12=6000", "direction=down", "12", "累计 6,000 套,超出全年限额 400 套,比序时多用 7.1 个百分点。"},
		{"6.5", "12=5600", "direction=down", "12", "累计 5,600 套,全年限额 5,600 套。"},
	}
	for _, test := range tests {
		p := tongxiang(t)
		r := recordOf(p, Date{2024, 1, 31})
		ind, err := p.Indicator(test.code)
		if err != nil {
			t.Fatal(err)
		}
		given(t, r, ind, test.given)
		if m, text, ok := strings.Cut(test.known, "="); ok {
			put(t, r, ind, month(t, "2023-"+m), text)
		}
		if got := r.Assess(ind, month(t, "2023-"+test.month)).Plain(); got != test.want {
			t.Errorf("%s in %s\n got %s\nwant %s", test.code, test.month, got, test.want)
		}
	}
}

func TestPlainOfAnOverriddenMissingReport(t *testing.T) {
	t.Parallel()
	ind := &Indicator{ID: 1, Kind: Flow, Unit: "个", Measured: Monthly, Targets: []Target{{Amount: decimal.NewNullDecimal(decimal.RequireFromString("10")), Text: "10"}}}
	plan := &Plan{Year: 2023, Published: Date{Year: 2023, Month: 5, Day: 31}}
	september := MonthOf(2023, 9)
	r := &Record{Plan: plan, Zone: time.UTC, AsOf: Date{Year: 2023, Month: 10, Day: 12}.Time(time.UTC),
		Overrides: map[int64][]Override{1: {{From: september, Until: september, Light: OnTrack, Reason: "已电话核实"}}}}
	if got, want := r.Assess(ind, september).Plain(), "9月数据未报,今年还没有核定值;年度目标 10 个。"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
