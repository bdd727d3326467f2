package sheet_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"landmark/internal/sheet"
)

func TestSplitTasks(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, cell string
		want       []sheet.TaskPiece
	}{
		{"none", " ", nil},
		{"unnumbered", "迭代升级“飞地抱团”。", []sheet.TaskPiece{{Text: "迭代升级“飞地抱团”。"}}},
		{"numbered", "1.甲;2.乙。3.丙", []sheet.TaskPiece{{Number: 1, Text: "1.甲;"}, {Number: 2, Text: "2.乙。"}, {Number: 3, Text: "3.丙"}}},
		{"lead sentence", "总领一句。1.甲。2.乙。", []sheet.TaskPiece{{Text: "总领一句。", Lead: true}, {Number: 1, Text: "1.甲。"}, {Number: 2, Text: "2.乙。"}}},
		{"blank between", "1.甲; 2.乙", []sheet.TaskPiece{{Number: 1, Text: "1.甲; "}, {Number: 2, Text: "2.乙"}}},
		{"blank without mark", "1.甲 2.乙", []sheet.TaskPiece{{Number: 1, Text: "1.甲 "}, {Number: 2, Text: "2.乙"}}},
		{"a figure after a blank", "1.提高到 2.5倍;2.乙", []sheet.TaskPiece{{Number: 1, Text: "1.提高到 2.5倍;"}, {Number: 2, Text: "2.乙"}}},
		{"figures inside", "1.形成“1+N”布局,达到82.80,把“15分钟圈”延伸;2.新增学位4590个,共2.3万", []sheet.TaskPiece{
			{Number: 1, Text: "1.形成“1+N”布局,达到82.80,把“15分钟圈”延伸;"}, {Number: 2, Text: "2.新增学位4590个,共2.3万"}}},
		{"only the next number", "1.甲;3.乙;2.丙", []sheet.TaskPiece{{Number: 1, Text: "1.甲;3.乙;"}, {Number: 2, Text: "2.丙"}}},
		{"a year after the number", "1.甲;2.2023年底建成", []sheet.TaskPiece{{Number: 1, Text: "1.甲;"}, {Number: 2, Text: "2.2023年底建成"}}},
		{"full width", "1．甲；2．乙", []sheet.TaskPiece{{Number: 1, Text: "1．甲；"}, {Number: 2, Text: "2．乙"}}},
		{"ten", "1.a;2.b;3.c;4.d;5.e;6.f;7.g;8.h;9.i;10.j", []sheet.TaskPiece{
			{Number: 1, Text: "1.a;"}, {Number: 2, Text: "2.b;"}, {Number: 3, Text: "3.c;"}, {Number: 4, Text: "4.d;"}, {Number: 5, Text: "5.e;"},
			{Number: 6, Text: "6.f;"}, {Number: 7, Text: "7.g;"}, {Number: 8, Text: "8.h;"}, {Number: 9, Text: "9.i;"}, {Number: 10, Text: "10.j"}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, sheet.SplitTasks(test.cell)); diff != "" {
				t.Errorf("SplitTasks(%q) (-want +got):\n%s", test.cell, diff)
			}
		})
	}
}

func texts(pieces []sheet.Piece) []string {
	var out []string
	for _, p := range pieces {
		out = append(out, p.Text)
	}
	return out
}

func TestSplitScenarios(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string][]string{
		"/":            nil,
		"甲村":           {"甲村"},
		"甲村、乙村":        {"甲村", "乙村"},
		"甲(一、二)、乙":     {"甲(一、二)", "乙"},
		"“一、老”、乙（丙、丁)": {"“一、老”", "乙（丙、丁)"},
		"甲(一、乙":        {"甲(一", "乙"}, // a bracket never closed is no bracket
		"华友钴业、巨石集团等高校毕业生就业灯塔企业、桐乡产教融合学院、高校毕业生就业创业银行": {"华友钴业、巨石集团等高校毕业生就业灯塔企业", "桐乡产教融合学院", "高校毕业生就业创业银行"},
		"甲、乙等企业、丙、丁等园区": {"甲、乙等企业", "丙、丁等园区"},
		"甲村、桐乡高等职业学校":   {"甲村", "桐乡高等职业学校"},
		"甲村、一等奖广场、乙":    {"甲村、一等奖广场", "乙"}, // known limit: a person can reword it
		"甲村、三A等级景区":     {"甲村", "三A等级景区"},
		"甲、乙等":          {"甲、乙等"},
	} {
		if diff := cmp.Diff(want, texts(sheet.SplitScenarios(cell))); diff != "" {
			t.Errorf("SplitScenarios(%q) (-want +got):\n%s", cell, diff)
		}
	}
}

func TestSplitDepartments(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string][]string{
		"/":    nil,
		"各镇街道": {"各镇街道"},
		"教育局、桐城委(桐城集团),各镇街道":     {"教育局", "桐城委(桐城集团)", "各镇街道"},
		"综合行政执法局、桐城委(桐城集团)，各镇街道": {"综合行政执法局", "桐城委(桐城集团)", "各镇街道"},
		"洲泉镇、开发区(高桥街道)、濮院镇":      {"洲泉镇", "开发区(高桥街道)", "濮院镇"},
		"开发区(甲,乙)、丙":             {"开发区(甲,乙)", "丙"},
		"甲、":                     {"甲", ""},
	} {
		if diff := cmp.Diff(want, texts(sheet.SplitDepartments(cell))); diff != "" {
			t.Errorf("SplitDepartments(%q) (-want +got):\n%s", cell, diff)
		}
	}
}

// TestSplitHostile: brackets by the million take no longer than other text.
func TestSplitHostile(t *testing.T) {
	t.Parallel()
	const n = 1 << 20
	for _, cell := range []string{
		strings.Repeat("(", n) + strings.Repeat(")", n), strings.Repeat("(", n) + strings.Repeat("]", n), strings.Repeat("([", n) + strings.Repeat(")", n),
	} {
		begun := time.Now()
		if got := joined(sheet.SplitDepartments(cell)); got != cell {
			t.Error("a cell of brackets is not restored")
		}
		if took := time.Since(begun); took > 20*time.Second {
			t.Errorf("took %s", took)
		}
	}
}

func FuzzSplit(f *testing.F) {
	f.Add("总领。1.甲;2.乙(丙、丁)。 3.“戊")
	f.Add("华友钴业、巨石集团等高校毕业生就业灯塔企业、桐乡产教融合学院,各镇街道")
	f.Fuzz(func(t *testing.T, cell string) {
		tasks := ""
		for i, p := range sheet.SplitTasks(cell) {
			tasks += p.Text
			if p.Lead && i > 0 {
				t.Errorf("%q: a lead sentence in place %d", cell, i)
			}
		}
		if tasks != "" && tasks != cell {
			t.Errorf("tasks joined are %q, want %q", tasks, cell)
		}
		for _, pieces := range [][]sheet.Piece{sheet.SplitScenarios(cell), sheet.SplitDepartments(cell)} {
			if got := joined(pieces); pieces != nil && got != cell {
				t.Errorf("pieces joined are %q, want %q", got, cell)
			}
		}
	})
}
