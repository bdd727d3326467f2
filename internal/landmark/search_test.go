package landmark

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// searched is a plan small enough to know by heart.
func searched() *Plan {
	minzheng, jiaoyu := Department{ID: 1, Slug: "minzheng", Name: "民政局"}, Department{ID: 2, Slug: "jiaoyu", Name: "教育局"}
	tong := Department{ID: 3, Slug: "tongchengwei", Name: "桐城委"}
	plan := &Plan{Projects: []*Project{
		{Number: 2, Name: "桐享 优学", Lead: jiaoyu,
			Indicators:  []*Indicator{{Code: "2.1", Name: "持续新增学位"}},
			Tasks:       []Task{{Code: "2-2", Number: 2, Text: "2.新增学位4590个,其中新增幼儿园学位1350个。"}},
			Scenarios:   []Scenario{{Code: "2-1", Name: "桐乡北港小学"}},
			Cooperating: []Cooperation{{tong, "桐城委(桐城集团)"}, {minzheng, "民政局"}}},
		{Number: 4, Name: "桐享 康养", Lead: minzheng,
			Indicators: []*Indicator{{Code: "4.1", Name: "每万名老人拥有持证护理员"}, {Code: "4.3", Name: "新增示范性社区老年食堂"}},
			Tasks:      []Task{{Code: "4-1", Number: 1, Text: "1.对接“96345”,重点抢救设备ECMO;"}},
			Scenarios:  []Scenario{{Code: "4-1", Name: "老年食堂2号店"}}},
		{Number: 6, Name: "基本单元", Lead: jiaoyu, Indicators: []*Indicator{{Code: "6.3", Name: "城乡社区“一老一小”服务场景建成数量"}}},
	}}
	for _, p := range plan.Projects {
		for _, ind := range p.Indicators {
			ind.Project = p
		}
	}
	return plan
}

// told is what was found in one line each, the marked parts in brackets.
func told(f FoundAll) []string {
	var out []string
	for _, x := range slices.Concat(f.Projects, f.Indicators, f.Tasks, f.Scenarios, f.Departments) {
		var b strings.Builder
		at := 0
		for _, m := range x.Marks {
			b.WriteString(x.Text[at:m.From] + "[" + x.Text[m.From:m.To] + "]")
			at = m.To
		}
		text := b.String() + x.Text[at:]
		if x.Code {
			text = "#" + text
		}
		out = append(out, text)
	}
	return out
}

func TestSearch(t *testing.T) {
	t.Parallel()
	for asked, want := range map[string][]string{
		"":         nil,
		" ★“” ":    nil,
		"老年食堂":     {"新增示范性社区[老年食堂]", "[老年食堂]2号店"},
		"桐享优学":     {"[桐享 优学]"},
		"一老一小":     {"城乡社区“[一老一小]”服务场景建成数量"},
		"“一老一小”":   {"城乡社区“[一老一小]”服务场景建成数量"},
		"新增 老年":    {"[新增]示范性社区[老年]食堂"},
		"民政局 食堂":   {"新增示范性社区老年[食堂]", "老年[食堂]2号店"},
		"民政局":      {"[民政局]"},
		"教育局 民政局":  nil,
		"4.1":      {"#每万名老人拥有持证护理员"},
		"４．１":      {"#每万名老人拥有持证护理员"},
		"4.":       {"#每万名老人拥有持证护理员", "#新增示范性社区老年食堂"},
		"4":        {"#桐享 康养"},
		"4-1":      {"#1.对接“96345”,重点抢救设备ECMO;", "#老年食堂2号店"},
		"4590":     {"2.新增学位[4590]个,其中新增幼儿园学位1350个。"},
		"459":      nil,
		"ecmo":     {"1.对接“96345”,重点抢救设备[ECMO];"},
		"ＥＣＭＯ":     {"1.对接“96345”,重点抢救设备[ECMO];"},
		"mzj":      {"[民政局]"},
		"minzheng": {"#[民政]局"},
		"minz":     {"[民政]局"},
		"lnst":     {"新增示范性社区[老年食堂]", "[老年食堂]2号店"},
		"laonst":   {"新增示范性社区[老年食堂]", "[老年食堂]2号店"},
		"xxq":      nil,
		"桐城集团":     {"桐城委([桐城集团])"},
		"桐城委":      {"[桐城委]"},
		"新增":       {"[新增]示范性社区老年食堂", "持续[新增]学位", "2.[新增]学位4590个,其中[新增]幼儿园学位1350个。"},
		"没有的":      nil,
	} {
		got, err := searched().Search(asked)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, told(got)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", asked, diff)
		}
		if got.Count() != len(want) {
			t.Errorf("%q: count %d, want %d", asked, got.Count(), len(want))
		}
	}
	for _, asked := range []string{strings.Repeat("长", 61), "a b c d e f g h i"} {
		if _, err := searched().Search(asked); KindOf(err) != Invalid {
			t.Errorf("%q: %v, want Invalid", asked, err)
		}
	}
}

func FuzzSearch(f *testing.F) {
	for _, asked := range []string{"老年", "mzj", "4.1", "\xff", "“", "aaaa zzzz", "nv lv"} {
		f.Add(asked)
	}
	plan := searched()
	f.Fuzz(func(t *testing.T, asked string) {
		got, err := plan.Search(asked)
		if err != nil {
			return
		}
		for _, x := range slices.Concat(got.Projects, got.Indicators, got.Tasks, got.Scenarios, got.Departments) {
			at := 0
			for _, m := range x.Marks {
				if m.From < at || m.To <= m.From || m.To > len(x.Text) {
					t.Fatalf("%q in %q: mark %v after %d", asked, x.Text, m, at)
				}
				at = m.To
			}
		}
	})
}
