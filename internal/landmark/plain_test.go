package landmark_test

import (
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"landmark/internal/landmark"
)

func TestPlain(t *testing.T) {
	t.Parallel()
	amount := func(s string) decimal.NullDecimal {
		if s == "" {
			return decimal.NullDecimal{}
		}
		return decimal.NewNullDecimal(decimal.RequireFromString(s))
	}
	september, august := landmark.MonthOf(2023, 9), landmark.MonthOf(2023, 8)
	for _, c := range []struct {
		name               string
		kind               landmark.Kind
		direction          landmark.Direction
		unit, base, target string
		value, step        string
		month              landmark.Month // of the value
		want               string
	}{
		{"flow behind", landmark.Flow, landmark.Up, "人", "41152", "20000", "13820", "", september, "累计 13,820 人,离目标 20,000 人还差 6,180 人,比应达进度慢 5.9 个百分点。"},
		{"flow ahead of its year", landmark.Flow, landmark.Up, "个", "8", "10", "10", "", september, "累计 10 个,已达到目标 10 个。"},
		{"flow in percent", landmark.Flow, landmark.Up, "%", "100", "100", "78", "", september, "累计 78%,离目标 100%还差 22 个百分点,比应达进度快 3.0 个百分点。"},
		{"level goes up", landmark.Level, landmark.Up, "人/万名老人", "25", "25.5", "25.31", "", september, "从上年的 25 人升到 25.31 人,离目标 25.5 人还差 0.19 人,比应达进度慢 13.0 个百分点。"},
		{"level lost ground", landmark.Level, landmark.Up, "%", "83", "87", "82.5", "", september, "从上年的 83%降到 82.5%,离目标 87%还差 4.5 个百分点,比应达进度慢 87.5 个百分点。"},
		{"level without baseline", landmark.Level, landmark.Up, "%", "", "50", "40", "", september, "现为 40%,离目标 50%还差 10 个百分点,比应达进度快 5.0 个百分点。"},
		{"level that is to fall", landmark.Level, landmark.Down, "‰", "5", "4", "4.2", "", september, "从上年的 5‰降到 4.2‰,离目标 4‰还差 0.2 个千分点,比应达进度快 5.0 个百分点。"},
		{"hold kept", landmark.Hold, landmark.Up, "%", "100", "100", "100", "", september, "现为 100%,守住了 100%。"},
		{"hold broken", landmark.Hold, landmark.Up, "%", "100", "100", "98.5", "", september, "现为 98.5%,没有守住 100%。"},
		{"ceiling broken", landmark.Hold, landmark.Down, "起", "3", "3", "5", "", september, "现为 5 起,没有守住 3 起。"},
		{"step", landmark.Qualitative, landmark.Up, "", "", "", "", "推进中", september, "现处“推进中”,年度目标是“到位”。"},
		{"missing with a last value", landmark.Flow, landmark.Up, "家", "10", "50", "31", "", august, "9月数据未报;8月为 31 家,年度目标 50 家。"},
		{"missing", landmark.Flow, landmark.Up, "套(间)", "10", "5600", "", "", september, "9月数据未报,今年还没有核定值;年度目标 5,600 套。"},
		{"kind not known", landmark.KindUnknown, landmark.Up, "个", "1", "5", "2", "", september, "现为 2 个,年度目标 5 个;指标性质待确定,暂不判定。"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			target := landmark.Target{From: landmark.MonthOf(2023, 1), Amount: amount(c.target), Text: c.target}
			if c.target == "" {
				target.Text = "到位"
			}
			ind := &landmark.Indicator{ID: 1, Code: "1.1", Kind: c.kind, Direction: c.direction, Unit: c.unit, Decimals: 2, Measured: landmark.Monthly, Baseline: amount(c.base), Targets: []landmark.Target{target},
				Steps: []landmark.Step{{Name: "推进中", Meaning: landmark.Behind}, {Name: "到位", Meaning: landmark.Done}}}
			plan := &landmark.Plan{Year: 2023, Published: landmark.Date{Year: 2023, Month: 5, Day: 31}}
			r := &landmark.Record{Plan: plan, Zone: time.UTC, AsOf: landmark.Date{Year: 2023, Month: 10, Day: 12}.Time(time.UTC), Values: map[int64][]landmark.Value{}}
			if c.value+c.step != "" {
				r.Values[1] = []landmark.Value{{Month: c.month, Amount: amount(c.value), Step: c.step}}
			}
			if got := r.Assess(ind, september).Plain(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestPlainBeforeItIsDue(t *testing.T) {
	t.Parallel()
	ind := &landmark.Indicator{ID: 1, Kind: landmark.Level, Unit: "%", Measured: landmark.Annual, Targets: []landmark.Target{{Amount: decimal.NewNullDecimal(decimal.RequireFromString("87")), Text: "87"}}}
	plan := &landmark.Plan{Year: 2023, Published: landmark.Date{Year: 2023, Month: 5, Day: 31}}
	r := &landmark.Record{Plan: plan, Zone: time.UTC, AsOf: landmark.Date{Year: 2023, Month: 10, Day: 12}.Time(time.UTC)}
	if got, want := r.Assess(ind, landmark.MonthOf(2023, 9)).Plain(), "按年度核算,12月末才有数;年度目标 87%。"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
