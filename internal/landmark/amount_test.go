package landmark

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
)

func TestParseAmount(t *testing.T) {
	t.Parallel()
	people := &Indicator{Name: "结直肠癌筛查", Unit: "人"}
	tenThousand := &Indicator{Name: "助餐配送餐村(社区)覆盖人次", Unit: "万人次", Decimals: 2}
	rate := &Indicator{Name: "“学子码”覆盖率", Unit: "%", Decimals: 2}
	homes := &Indicator{Name: "保障性租赁住房供给筹集套数", Unit: "套(间)"}
	permille := &Indicator{Name: "人口出生率", Unit: "‰", Decimals: 2}
	nurses := &Indicator{Name: "每万名老人拥有持证护理员", Unit: "人/万名老人", Decimals: 2}
	bare := &Indicator{Name: "打造市级标杆性示范点"}
	tests := []struct {
		ind        *Indicator
		text, want string // the amount, or else the error
	}{
		{people, "13820", "13820"},
		{people, " 13,820 ", "13820"},
		{people, "13 820", "13820"},
		{people, "13,820人", "13820"},
		{people, "+13820 人", "13820"},
		{people, "-5", "-5"},
		{people, "\u22125", "-5"},
		{people, "\uff0d\uff15", "-5"},
		{people, "\uff11\uff13\uff0c\uff18\uff12\uff10", "13820"},
		{rate, "\uff13\uff18\uff0e\uff16\uff05", "38.6"},
		{homes, "4200套\uff08间\uff09", "4200"},
		{people, "-5", "-5"},
		{people, "000120", "120"},
		{people, "0", "0"},
		{people, "-0", "0"},
		{people, "120.00", "120"},
		{people, "\ufeff1\u3000200\u00a0", "1200"},
		{people, "999999999999999", "999999999999999"},
		{tenThousand, "32.4", "32.4"},
		{tenThousand, "32.40", "32.40"},
		{tenThousand, "32.4万人次", "32.4"},
		{tenThousand, "32.4万", "32.4"},
		{tenThousand, ".5", "0.5"},
		{tenThousand, "1,234.50", "1234.50"},
		{rate, "38.6%", "38.6"},
		{rate, "38.6%", "38.6"},
		{rate, "38.6 %", "38.6"},
		{homes, "4200套", "4200"},
		{homes, "4200套(间)", "4200"},
		{permille, "5.2‰", "5.2"},
		{nurses, "25.31人", "25.31"},
		{nurses, "25.31 人/万名老人", "25.31"},
		{bare, "3", "3"},
		{bare, "3%", "3"},

		{bare, "", "“打造市级标杆性示范点”还没有填数值"},
		{bare, " \u3000\u200b", "“打造市级标杆性示范点”还没有填数值"},
		{bare, "三", "“打造市级标杆性示范点”要填阿拉伯数字,例如 3"},
		{bare, "NaN", "“打造市级标杆性示范点”要填阿拉伯数字,例如 3"},
		{bare, "-Inf", "“打造市级标杆性示范点”要填阿拉伯数字,例如 3"},
		{bare, "-", "“打造市级标杆性示范点”要填阿拉伯数字,例如 3"},
		{bare, "٣", "“打造市级标杆性示范点”要填阿拉伯数字,例如 3"},
		{bare, "无变化", "“打造市级标杆性示范点”要填阿拉伯数字,例如 3"},
		{rate, "1e308", "“‘学子码’覆盖率”不能用科学计数法,请把数字写全,例如 3.25"},
		{rate, "1E-3", "“‘学子码’覆盖率”不能用科学计数法,请把数字写全,例如 3.25"},
		{rate, "5‰", "“‘学子码’覆盖率”的单位是%,不要填成‰"},
		{people, "69.1%", "“结直肠癌筛查”的单位是人,不要填成%"},
		{people, "2万", "“结直肠癌筛查”只填数字,不要带“万”,例如 3"},
		{people, "2万人", "“结直肠癌筛查”只填数字,不要带“万人”,例如 3"},
		{people, "约200", "“结直肠癌筛查”要填阿拉伯数字,例如 3"},
		{people, "0x1F", "“结直肠癌筛查”只填数字,不要带“x1F”,例如 3"},
		{people, "1/2", "“结直肠癌筛查”只填数字,不要带“/2”,例如 3"},
		{people, "--5", "“结直肠癌筛查”要填阿拉伯数字,例如 3"},
		{people, "13,82", "“结直肠癌筛查”的逗号或空格放错了位置,请写成 13,820 或 13820 的样子"},
		{people, "1,3820", "“结直肠癌筛查”的逗号或空格放错了位置,请写成 13,820 或 13820 的样子"},
		{people, "1,382 000", "“结直肠癌筛查”的逗号或空格放错了位置,请写成 13,820 或 13820 的样子"},
		{people, ",382", "“结直肠癌筛查”的逗号或空格放错了位置,请写成 13,820 或 13820 的样子"},
		{tenThousand, "0,325", "“助餐配送餐村(社区)覆盖人次”的逗号或空格放错了位置,请写成 13,820 或 13820 的样子"},
		{tenThousand, "3.1,2", "“助餐配送餐村(社区)覆盖人次”的逗号或空格放错了位置,请写成 13,820 或 13820 的样子"},
		{tenThousand, "3.1.2", "“助餐配送餐村(社区)覆盖人次”有多个小数点,请核对"},
		{tenThousand, "3.", "“助餐配送餐村(社区)覆盖人次”小数点后没有数字,请补全或去掉小数点"},
		{tenThousand, "3.125", "“助餐配送餐村(社区)覆盖人次”小数点后最多2位,例如 3.25"},
		{people, "3.5", "“结直肠癌筛查”只能填整数,例如 3"},
		{people, "1000000000000000", "“结直肠癌筛查”数字太大,小数点前最多15位"},
		{people, strings.Repeat("9", 400), "“结直肠癌筛查”填的内容太长,只填数字,例如 3"},
	}
	for _, test := range tests {
		got, err := ParseAmount(test.text, test.ind)
		if err != nil {
			if KindOf(err) != Invalid || MessageOf(err) != test.want {
				t.Errorf("ParseAmount(%q, %s): %v, want %s", test.text, test.ind.Unit, err, test.want)
			}
			continue
		}
		if Entered(got) != test.want {
			t.Errorf("ParseAmount(%q, %s) = %s, want %s", test.text, test.ind.Unit, Entered(got), test.want)
		}
	}
}

func FuzzParseAmount(f *testing.F) {
	for _, s := range []string{"", "0", "13,820", "-5.25", "1e308", "NaN", "38.6%", "1.2.3", "٣", "１２", "\ufeff3", "2万人", "0,1", "% d"} {
		f.Add(s, 2, "%")
		f.Add(s, 0, "万人")
	}
	f.Fuzz(func(t *testing.T, text string, decimals int, unit string) {
		ind := &Indicator{Name: "100%达标", Unit: unit, Decimals: max(0, decimals%7)}
		d, err := ParseAmount(text, ind)
		if err != nil {
			if KindOf(err) != Invalid || MessageOf(err) == "" || strings.Contains(MessageOf(err), "%!") {
				t.Fatalf("ParseAmount(%q): %#v", text, err)
			}
			return
		}
		if int(-d.Exponent()) > ind.Decimals || d.Abs().Cmp(decimal.New(1, maxWhole)) >= 0 {
			t.Fatalf("ParseAmount(%q) = %s with %d decimals", text, d, ind.Decimals)
		}
		for _, printed := range []string{Entered(d), Grouped(Entered(d))} {
			again, err := ParseAmount(printed, ind)
			if err != nil || !again.Equal(d) {
				t.Fatalf("ParseAmount(%q) = %s, again from %q: %s, %v", text, d, printed, again, err)
			}
		}
	})
}

func TestPrintedNumber(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"7320": "7320", "3.21": "3.21", "5.48‰": "5.48", "82.80%": "82.80", "100%": "100", " 85% ": "85", "-1.5": "-1.5", "+2": "2",
		"１００％": "100", "13,820": "13820", "0": "0",
		"/": "", "": "", "降幅趋缓": "", "到位": "", "约3": "", "2万": "", "1,23": "", "1e5": "", "3-5": "", "%": "", "1234567890123456": "",
	} {
		got := PrintedNumber(text)
		if printed := Entered(got.Decimal); got.Valid != (want != "") || got.Valid && printed != want {
			t.Errorf("PrintedNumber(%q) = %v %s, want %q", text, got.Valid, printed, want)
		}
	}
}

func FuzzPrintedNumber(f *testing.F) {
	for _, s := range []string{"7320", "5.48‰", "82.80%", "/", "降幅趋缓", "-1,234.5", "1e9"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n := PrintedNumber(text)
		if !n.Valid {
			return
		}
		if again := PrintedNumber(Entered(n.Decimal)); !again.Valid || !again.Decimal.Equal(n.Decimal) {
			t.Fatalf("PrintedNumber(%q) = %s, again %v", text, n.Decimal, again)
		}
	})
}

func TestSplitName(t *testing.T) {
	t.Parallel()
	tests := []struct {
		printed, name, unit string
		key                 bool
	}{
		{"★每千人托位数", "每千人托位数", "", true},
		{"持续新增学位(个)", "持续新增学位", "个", false},
		{"★未来社区建成数量(个)", "未来社区建成数量", "个", true},
		{"助餐配送餐村(社区)覆盖人次(万人)", "助餐配送餐村(社区)覆盖人次", "万人", false},
		{"累计建立大学生就业见习(实践)基地(个)", "累计建立大学生就业见习(实践)基地", "个", false},
		{"县级以上城市公园绿地服务半径覆盖率(%)", "县级以上城市公园绿地服务半径覆盖率", "%", false},
		{"实现高龄津贴发放(元)", "实现高龄津贴发放", "元", false},
		{"保障房筹集(套(间))", "保障房筹集", "套(间)", false},
		{"新建步道（公里）", "新建步道", "公里", false},
		{"高龄津贴(元/人·月)", "高龄津贴", "元/人·月", false},
		{"覆盖村(社区)", "覆盖村(社区)", "", false},
		{"就业见习(实践)", "就业见习(实践)", "", false},
		{"评选星级社区服务综合体", "评选星级社区服务综合体", "", false},
		{"(个)", "(个)", "", false},
		{"★", "", "", true},
		{"数量)(个)", "数量)(个)", "", false},
		{"数量(个", "数量(个", "", false},
	}
	for _, test := range tests {
		name, unit, key := SplitName(test.printed)
		if name != test.name || unit != test.unit || key != test.key {
			t.Errorf("SplitName(%q) = %q, %q, %v, want %q, %q, %v", test.printed, name, unit, key, test.name, test.unit, test.key)
		}
	}
}

func FuzzSplitName(f *testing.F) {
	for _, s := range []string{"★未来社区建成数量(个)", "村(社区)", "套(间)", "（％）", ")(", "★ ★"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, printed string) {
		name, unit, key := SplitName(printed)
		if key != strings.HasPrefix(strings.TrimSpace(printed), "★") || !strings.Contains(printed, name) {
			t.Fatalf("SplitName(%q) = %q, %q, %v", printed, name, unit, key)
		}
		if unit != "" && (name == "" || strings.ContainsAny(unit, "\n ")) {
			t.Fatalf("SplitName(%q) has unit %q", printed, unit)
		}
	})
}

func TestParseSteps(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text string
		want []Step
		err  string
	}{
		{text: ""},
		{text: "未启动|推进中=behind|基本到位|到位=done", want: []Step{{"未启动", Behind}, {"推进中", Behind}, {"基本到位", OnTrack}, {"到位", Done}}},
		{text: " 待核算=on_track | 未趋缓=behind|趋缓", want: []Step{{"待核算", OnTrack}, {"未趋缓", Behind}, {"趋缓", Done}}},
		{text: "到位", want: []Step{{"到位", Done}}},
		{text: "甲=red|乙", err: "步骤“甲”的状态应是 done、on_track、behind 之一,现在是“red”"},
		{text: "甲=|乙", err: "步骤“甲”的状态应是 done、on_track、behind 之一,现在是“”"},
		{text: "甲=done|乙", err: "步骤“甲”:只有最后一步是 done,最后一步只能是 done"},
		{text: "甲|乙=behind", err: "步骤“乙”:只有最后一步是 done,最后一步只能是 done"},
		{text: "甲|甲", err: "步骤“甲”写了两次"},
		{text: "甲||乙", err: "第2个步骤没有名称"},
		{text: "甲\n乙|丙", err: "步骤“甲 乙”里不能换行"},
		{text: strings.Repeat("长", 31) + "|乙", err: "步骤“" + strings.Repeat("长", 30) + "…”超过30字"},
	}
	for _, test := range tests {
		got, err := ParseSteps(test.text)
		if diff := cmp.Diff(test.want, got); diff != "" || MessageOf(err) != test.err {
			t.Errorf("ParseSteps(%q): %v, want %q\n%s", test.text, err, test.err, diff)
		}
	}
}

func FuzzParseSteps(f *testing.F) {
	for _, s := range []string{"", "未启动|推进中=behind|基本到位|到位=done", "甲=done", "a=b=c|", "|", "甲\n|乙"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		steps, err := ParseSteps(text)
		if err != nil {
			if KindOf(err) != Invalid {
				t.Fatalf("ParseSteps(%q): %v", text, err)
			}
			return
		}
		again, err := ParseSteps(FormatSteps(steps))
		if diff := cmp.Diff(steps, again); diff != "" || err != nil {
			t.Fatalf("ParseSteps(%q) does not come back: %v\n%s", text, err, diff)
		}
		if n := len(steps); n > 0 && steps[n-1].Meaning != Done {
			t.Fatalf("ParseSteps(%q) ends in %s", text, steps[n-1].Meaning)
		}
	})
}

func TestParseCurve(t *testing.T) {
	t.Parallel()
	march, june := MonthOf(2023, 3), MonthOf(2023, 6)
	tests := []struct {
		text string
		want []CurvePoint
		err  string
	}{
		{text: " ; "},
		{text: "2023-03=20;2023-06=40.50", want: []CurvePoint{{march, decimal.New(20, 0)}, {june, decimal.New(4050, -2)}}},
		{text: "２０２３－０３＝２０；2023-06 = 40.50;", want: []CurvePoint{{march, decimal.New(20, 0)}, {june, decimal.New(4050, -2)}}},
		{text: "2023-06=40;2023-03=20", err: "计划曲线的月份应从早到晚,2023年3月放错了或写了两次"},
		{text: "2023-06=40;2023-06=50", err: "计划曲线的月份应从早到晚,2023年6月放错了或写了两次"},
		{text: "2023-13=4", err: "计划曲线应写成“2023-03=20;2023-06=40”的样子,看不懂“2023-13=4”"},
		{text: "2023-03", err: "计划曲线应写成“2023-03=20;2023-06=40”的样子,看不懂“2023-03”"},
		{text: "2023-03=二十", err: "2023年3月的计划值应是数字,现在是“二十”"},
		{text: "2023-03=20%", err: "2023年3月的计划值应是数字,现在是“20%”"},
	}
	for _, test := range tests {
		got, err := ParseCurve(test.text)
		if diff := cmp.Diff(test.want, got); diff != "" || MessageOf(err) != test.err {
			t.Errorf("ParseCurve(%q): %v, want %q\n%s", test.text, err, test.err, diff)
		}
	}
}

func FuzzParseCurve(f *testing.F) {
	for _, s := range []string{"", "2023-03=20;2023-06=40.50", "2023-03=-1", "2023-03==", "0000-01=1", ";;"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		points, err := ParseCurve(text)
		if err != nil {
			if KindOf(err) != Invalid {
				t.Fatalf("ParseCurve(%q): %v", text, err)
			}
			return
		}
		printed := FormatCurve(points)
		again, err := ParseCurve(printed)
		if err != nil || FormatCurve(again) != printed || len(again) != len(points) {
			t.Fatalf("ParseCurve(%q) = %s, again %v, %v", text, printed, again, err)
		}
	})
}

func TestParseSlug(t *testing.T) {
	t.Parallel()
	for text, ok := range map[string]bool{
		"tongxiang-2023": true, " weijian ": true, "a": true, strings.Repeat("a", 40): true,
		"": false, "Weijian": false, "a--b": false, "-a": false, "a-": false, "卫健": false, "a b": false, "../x": false, strings.Repeat("a", 41): false,
	} {
		got, err := ParseSlug(text)
		if ok != (err == nil) || ok && got != strings.TrimSpace(text) || !ok && KindOf(err) != Invalid {
			t.Errorf("ParseSlug(%q) = %q, %v", text, got, err)
		}
	}
}

func FuzzParseSlug(f *testing.F) {
	for _, s := range []string{"tongxiang-2023", "a--b", " x ", "卫健"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		slug, err := ParseSlug(text)
		if err != nil {
			return
		}
		if again, err := ParseSlug(slug); err != nil || again != slug || strings.ContainsAny(slug, "/ .?#%") {
			t.Fatalf("ParseSlug(%q) = %q, again %q, %v", text, slug, again, err)
		}
	})
}
