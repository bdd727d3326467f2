package landmark

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
)

// found is a finding in short: + stands for an excuse accepted, ? for one asked.
func found(fs []Finding) []string {
	var out []string
	for _, f := range fs {
		mark := ""
		if f.Soft {
			mark = map[bool]string{true: "+", false: "?"}[f.Excused]
		}
		out = append(out, f.Field+" "+f.Rule+mark+" "+f.Message)
	}
	return out
}

func TestCheckReport(t *testing.T) {
	t.Parallel()
	september := MonthOf(2023, 9)
	type form struct {
		text, step, reason string
		noChange           bool
	}
	tests := []struct {
		name, code, known, given string
		month                    Month
		form                     form
		others                   map[string]string
		want                     []string
	}{
		{name: "fine", code: "3.1", known: "2023-08=13000", form: form{text: "15,100 人"}},
		{name: "zero is a value", code: "2.1", given: "curve=2023-01:2023-10>4590", form: form{text: "0"}},
		{name: "missing flow", code: "4.2", form: form{}, want: []string{
			"value missing 请填写“助餐配送餐村(社区)覆盖人次”9月累计值"}},
		{name: "blank is missing", code: "7.2", form: form{text: " \u3000"}, want: []string{
			"value missing 请填写“桐乡籍大学生‘学子码’覆盖率”9月值"}},
		{name: "missing step", code: "3.3", form: form{step: " "}, want: []string{
			"step missing 请选择“新冠疫情重点药品和重点抢救设备供给”9月所处步骤"}},
		{name: "nothing owed", code: "8.2", form: form{}},
		{name: "nothing owed, step", code: "1.2", form: form{}},
		{name: "words", code: "9.2", form: form{text: "三"}, want: []string{
			"value number “打造市级标杆性示范点”要填阿拉伯数字,例如 3"}},
		{name: "decimals", code: "9.2", form: form{text: "3.5"}, want: []string{
			"value number “打造市级标杆性示范点”只能填整数,例如 3"}},
		{name: "negative flow", code: "9.2", form: form{text: "-3"}, want: []string{
			"value negative “打造市级标杆性示范点”不能是负数"}},
		{name: "negative level", code: "4.1", form: form{text: "-3"}, want: []string{
			"value negative “每万名老人拥有持证护理员”不能是负数"}},
		{name: "negative growth in per mille", code: "1.2", given: "kind=level", month: MonthOf(2023, 12), form: form{text: "-0.31"}, want: []string{
			"reason jump? “人口出生率”12月值只有2022年的十分之一或更少(5.48 → −0.31),请核对单位和小数点;数值属实请写明原因"}},
		{name: "share beyond 100", code: "7.2", form: form{text: "100.01"}, want: []string{
			"value range “桐乡籍大学生‘学子码’覆盖率”是百分比,应在0到100之间"}},
		{name: "share below 0", code: "5.1", month: MonthOf(2023, 12), form: form{text: "-1"}, want: []string{
			"value negative “集体经济年收入30万元以上且经营性收入15万元以上行政村占比”不能是负数"}},
		{name: "yearly share beyond 100", code: "8.1", known: "2023-08=80", form: form{text: "101"}},
		{name: "share aimed beyond 100", code: "7.2", given: "target=2023-06:105", known: "2023-08=101", form: form{text: "104"}},
		{name: "below baseline", code: "7.1", form: form{text: "9"}, want: []string{
			"value baseline “累计评定高校毕业生就业灯塔企业数”是历年累计数,不能少于2022年的 10 家;只填当年新增请改填总数"}},
		{name: "unknown step", code: "3.3", form: form{step: "部分到位"}, want: []string{
			"step step “新冠疫情重点药品和重点抢救设备供给”没有“部分到位”这一步,请从列出的步骤中选择"}},
		{name: "number for a step", code: "3.3", form: form{text: "3"}, want: []string{
			"value step “新冠疫情重点药品和重点抢救设备供给”是定性指标,请选择所处步骤,数字写在情况说明里"}},
		{name: "step for a number", code: "9.2", form: form{step: "到位"}, want: []string{
			"step step “打造市级标杆性示范点”不是定性指标,请填数值"}},
		{name: "no change", code: "9.2", known: "2023-08=4", form: form{noChange: true}},
		{name: "no change and the same typed", code: "9.2", known: "2023-08=4", form: form{noChange: true, text: "4.0"}},
		{name: "no change and another typed", code: "9.2", known: "2023-08=4", form: form{noChange: true, text: "5"}, want: []string{
			"value no_change “打造市级标杆性示范点”选了“无变化”,又填了与8月不同的内容,请只留一样"}},
		{name: "no change of nothing", code: "9.2", known: "2022-12=1", form: form{noChange: true}, want: []string{
			"value no_change “打造市级标杆性示范点”今年还没有报过数,不能选“无变化”,请填写9月累计值"}},
		{name: "no change of a step", code: "3.3", known: "2023-08=推进中", form: form{noChange: true}},
		{name: "no change turns behind", code: "9.2", known: "2023-08=3", given: "rule=2023-01:10:20;rule=2023-09:5:20", form: form{noChange: true}, want: []string{
			"reason turns_behind? “打造市级标杆性示范点”按此数将判为滞后,比应达进度慢 15.0 个百分点;数值属实请写明原因"}},
		{name: "fall", code: "9.3", known: "2023-08=90", form: form{text: "86"}, want: []string{
			"reason fall? “评选星级社区服务综合体”9月累计比8月少 4 个(90 → 86),累计数一般不会减少;数值属实请写明原因"}},
		{name: "fall with a reason", code: "9.3", known: "2023-08=90", form: form{text: "86", reason: "4个复核未过"}, want: []string{
			"reason fall+ “评选星级社区服务综合体”9月累计比8月少 4 个(90 → 86),累计数一般不会减少"}},
		{name: "a level may fall", code: "7.2", known: "2023-08=45", form: form{text: "44"}},
		{name: "marks are no reason", code: "9.3", known: "2023-08=90", form: form{text: "86", reason: "。。!!无 "}, want: []string{
			"reason fall? “评选星级社区服务综合体”9月累计比8月少 4 个(90 → 86),累计数一般不会减少;数值属实请写明原因"}},
		{name: "jump", code: "3.1", known: "2023-08=1500", form: form{text: "15001"}, want: []string{
			"reason jump? “结直肠癌筛查”9月值是8月的十倍以上(1,500 → 15,001),请核对单位和小数点;数值属实请写明原因"}},
		{name: "ten times is no jump", code: "3.1", known: "2023-08=1500", form: form{text: "15000"}},
		{name: "from nothing is no jump", code: "3.1", known: "2023-08=0", form: form{text: "15000"}},
		{name: "a level's slip of the point", code: "7.2", known: "2023-08=45.2", form: form{text: "4.52"}, want: []string{
			"reason jump? “桐乡籍大学生‘学子码’覆盖率”9月值只有8月的十分之一或更少(45.2 → 4.52),请核对单位和小数点;数值属实请写明原因",
			"reason turns_behind? “桐乡籍大学生‘学子码’覆盖率”按此数将判为严重滞后,比应达进度慢 126.6 个百分点;数值属实请写明原因"}},
		{name: "beyond twice the target", code: "9.2", known: "2023-08=4", form: form{text: "11"}, want: []string{
			"reason far_beyond? “打造市级标杆性示范点”9月值 11 个超过目标 5 个的两倍,请核对单位和小数点;数值属实请写明原因"}},
		{name: "twice the target", code: "9.2", known: "2023-08=4", form: form{text: "10"}},
		{name: "turns critical", code: "3.1", known: "2023-08=12000", form: form{text: "10999"}, want: []string{
			"reason fall? “结直肠癌筛查”9月累计比8月少 1,001 人(12,000 → 10,999),累计数一般不会减少;数值属实请写明原因",
			"reason turns_behind? “结直肠癌筛查”按此数将判为严重滞后,比应达进度慢 20.01 个百分点;数值属实请写明原因"}},
		{name: "stays behind", code: "3.1", known: "2023-08=12000", form: form{text: "13820"}},
		{name: "from behind to critical", code: "3.1", known: "2023-08=10600", form: form{text: "10900"}, want: []string{
			"reason turns_behind? “结直肠癌筛查”按此数将判为严重滞后,比应达进度慢 20.5 个百分点;数值属实请写明原因"}},
		{name: "first value behind", code: "2.2", month: MonthOf(2023, 5), form: form{text: "3"}, want: []string{
			"reason turns_behind? “新增心理健康示范学校”按此数将判为滞后,比应达进度慢 11.7 个百分点;数值属实请写明原因"}},
		{name: "step behind", code: "3.3", known: "2023-08=到位", form: form{step: "未启动"}, want: []string{
			"reason turns_behind? “新冠疫情重点药品和重点抢救设备供给”处在“未启动”,将判为滞后;数值属实请写明原因"}},
		{name: "step lost but on track", code: "3.3", known: "2023-08=到位", form: form{step: "基本到位"}},
		{name: "hold broken", code: "10.1", month: MonthOf(2023, 12), form: form{text: "99.5%"}, want: []string{
			"reason hold_broken? “城乡公交一体化率”12月值 99.5%,低于应保持的 100%;数值属实请写明原因"}},
		{name: "hold kept", code: "10.1", month: MonthOf(2023, 12), form: form{text: "100%"}},
		{name: "hold reported early", code: "10.1", form: form{text: "99.5%"}},
		{name: "part above whole, both typed, at the part", code: "9.1", known: "2023-08=22", form: form{text: "30"}, others: map[string]string{"9.3": "29"}, want: []string{
			"reason relation? “评选一批具有示范性的四星级、五星级社区服务综合体”的 30 个大于“评选星级社区服务综合体”的 29 个,前者应包含在后者之内;数值属实请写明原因"}},
		{name: "part above whole, both typed, not at the whole", code: "9.3", known: "2023-08=80", form: form{text: "85"}, others: map[string]string{"9.1": "90"}},
		{name: "whole below the part reported", code: "5.1", month: MonthOf(2023, 12), known: "5.2:2023-12=100", form: form{text: "99"}, want: []string{
			"reason relation? “集体经济年收入30万元以上且经营性收入15万元以上行政村占比”的 99%小于“集体经济年经营性收入50万元以上行政村占比”的 100%,后者应包含在前者之内;数值属实请写明原因",
			"reason hold_broken? “集体经济年收入30万元以上且经营性收入15万元以上行政村占比”12月值 99%,低于应保持的 100%;数值属实请写明原因"}},
		{name: "relation to what cannot be read", code: "9.1", known: "2023-08=22", form: form{text: "30"}, others: map[string]string{"9.3": "许多"}},
		{name: "allowance exceeded", code: "9.2", given: "direction=down;printed=0", known: "2023-08=0", form: form{text: "1"}, want: []string{
			"reason turns_behind? “打造市级标杆性示范点”按此数将判为严重滞后,已超出全年限额;数值属实请写明原因"}},
		{name: "no kind", code: "9.2", given: "kind=unknown", form: form{text: "3"}},
		{name: "target in words", code: "1.2", given: "kind=level", month: MonthOf(2023, 12), form: form{text: "5.3"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := tongxiang(t)
			r := recordOf(p, Date{2023, 10, 3})
			ind, err := p.Indicator(test.code)
			if err != nil {
				t.Fatal(err)
			}
			given(t, r, ind, test.given)
			if test.known != "" {
				of, known := ind, test.known
				if code, rest, ok := strings.Cut(known, ":"); ok {
					if of, err = p.Indicator(code); err != nil {
						t.Fatal(err)
					}
					known = rest
				}
				m, text, _ := strings.Cut(known, "=")
				put(t, r, of, month(t, m), text)
			}
			in := CheckInput{
				Record: r, Indicator: ind, Month: september, Text: test.form.text, Step: test.form.step, Reason: test.form.reason,
				NoChange: test.form.noChange, Others: test.others,
			}
			if test.month != 0 {
				in.Month = test.month
			}
			if diff := cmp.Diff(test.want, found(CheckReport(in))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestEarlierOnTheWay: what was submitted last month and is not yet approved
// counts for this month's form; what was returned does not.
func TestEarlierOnTheWay(t *testing.T) {
	t.Parallel()
	p := tongxiang(t)
	r := recordOf(p, Date{2023, 10, 3})
	ind, err := p.Indicator("9.2")
	if err != nil {
		t.Fatal(err)
	}
	put(t, r, ind, MonthOf(2023, 7), "2")
	report := Report{Month: MonthOf(2023, 8), State: StateSubmitted, Amount: PrintedNumber("4")}
	for state, want := range map[State]string{StateSubmitted: "4", StateSigned: "4", StateReturned: "2", StateDraft: "2", StateNone: "2"} {
		report.State = state
		r.Reports[ind.ID] = []Report{report}
		v, ok := CheckInput{Record: r, Indicator: ind, Month: MonthOf(2023, 9), NoChange: true}.FilledIn()
		if !ok || v.Month != MonthOf(2023, 9) || v.Amount.Decimal.String() != want {
			t.Errorf("unchanged after %s: %v %s, want %s", state, ok, v.Amount.Decimal, want)
		}
	}
	// This month's own report is not an earlier one.
	r.Reports[ind.ID] = []Report{{Month: MonthOf(2023, 9), State: StateSubmitted, Amount: PrintedNumber("5")}}
	if v, ok := r.Earlier(ind, MonthOf(2023, 9)); !ok || v.Amount.Decimal.String() != "2" {
		t.Errorf("earlier is %v %s", ok, v.Amount.Decimal)
	}
}

func TestInWords(t *testing.T) {
	t.Parallel()
	for reason, want := range map[string]bool{
		"复核": true, "4个": true, "ok": true, "据实 ": true,
		"": false, "无": false, "。。。": false, "12": false, "无。": false, "  \n": false, "—— !": false,
	} {
		if got := InWords(reason); got != want {
			t.Errorf("InWords(%q) = %v", reason, got)
		}
	}
}

func TestWindow(t *testing.T) {
	t.Parallel()
	september := MonthOf(2023, 9)
	tests := []struct {
		today, due, lock, extension string
		month                       Month
		want                        Window
		grace                       bool
	}{
		{today: "2023-09-29", want: NotOpen},
		{today: "2023-09-30", want: Open},
		{today: "2023-10-05", want: Open},
		{today: "2023-10-06", want: Late, grace: true},
		{today: "2023-10-07", want: Late, grace: true},
		{today: "2023-10-08", want: Late},
		{today: "2023-10-15", want: Late},
		{today: "2023-10-16", want: Locked},
		{today: "2023-10-10", due: "2023-10-10", want: Open}, // moved past the National Day week
		{today: "2023-10-11", due: "2023-10-10", want: Late},
		{today: "2023-10-08", extension: "2023-10-20", want: Open},
		{today: "2023-10-20", extension: "2023-10-20", want: Open},
		{today: "2023-10-21", extension: "2023-10-20", want: Locked},
		{today: "2023-10-06", extension: "2023-10-01", want: Late, grace: true}, // shortens nothing
		{today: "2023-10-31", lock: "2023-10-31", want: Late},
		{today: "2023-05-10", month: MonthOf(2023, 4), want: NotOpen}, // before the plan
		{today: "2024-02-10", month: MonthOf(2024, 1), want: NotOpen}, // after its year
	}
	for _, test := range tests {
		r := recordOf(tongxiang(t), day(t, test.today))
		period := DefaultPeriod(september)
		if test.due != "" {
			period.Due = day(t, test.due)
		}
		if test.lock != "" {
			period.Lock = day(t, test.lock)
		}
		r.Periods[september] = []PeriodSet{{Period: period}}
		if test.extension != "" {
			r.Extensions = []Extension{{DepartmentID: 3, Month: september, Due: day(t, test.extension)}, {DepartmentID: 4, Month: september, Due: Date{2023, 12, 31}}}
		}
		m := september
		if test.month != 0 {
			m = test.month
		}
		got := r.Window(3, m)
		if got != test.want || got.Accepts() != (test.want == Open || test.want == Late) || r.InGrace(3, m) != test.grace {
			t.Errorf("%+v: window %s, grace %v", test, got, r.InGrace(3, m))
		}
	}
}

func FuzzCheckReport(f *testing.F) {
	f.Add(uint64(1), "13820", "", "", false, "5")
	f.Add(uint64(2), "-1e5", "到位", "原因", true, "")
	f.Add(uint64(3), "", "未启动", "。", false, "NaN")
	f.Fuzz(func(t *testing.T, seed uint64, text, step, reason string, noChange bool, other string) {
		rng := rand.New(rand.NewPCG(seed, 7))
		r, ind := anyRecord(rng)
		second := &Indicator{ID: 2, Code: "1.2", Name: "部分", Kind: Flow, Targets: []Target{{Amount: decimal.NewNullDecimal(anyAmount(rng))}}}
		r.Plan.Projects[0].Indicators = append(r.Plan.Projects[0].Indicators, second)
		r.Plan.Relations = []Relation{{"1.2", "1.1"}, {"1.1", "1.2"}, {"1.1", "9.9"}}
		m := MonthOf(2023, 1+rng.IntN(12))
		if rng.IntN(2) == 0 {
			r.Values[1] = []Value{anyValue(rng, ind, m-1)}
		}
		in := CheckInput{Record: r, Indicator: ind, Month: m, Text: text, Step: step, Reason: reason, NoChange: noChange, Others: map[string]string{"1.2": other}}
		fs := CheckReport(in)
		_, filled := in.FilledIn()
		for _, finding := range fs {
			if finding.Code != "1.1" || finding.Message == "" || !strings.Contains(finding.Message, "“指标”") || strings.Contains(finding.Message, "%!") {
				t.Fatalf("%+v", finding)
			}
			if finding.Excused != (finding.Soft && InWords(reason)) || finding.Soft != (finding.Field == "reason") {
				t.Fatalf("%+v", finding)
			}
			if finding.Soft && !filled {
				t.Fatalf("a doubt about nothing: %+v", finding)
			}
		}
		if !filled && len(fs) == 0 && r.Plan.Owes(ind, m) {
			t.Fatal("a month that is owed was left out unnoticed")
		}
	})
}
