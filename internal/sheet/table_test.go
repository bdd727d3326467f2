package sheet_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"landmark/internal/landmark"
	"landmark/internal/sheet"
)

const (
	head  = "序号 | 标志性成果 | 牵头单位 | 指标名称 | 2022年实际值 | 2023年目标值 | 重点任务 | 拟打造的重点场景 | 配合单位 |"
	first = "1 | 桐享 优育 | 卫健局 | ★托位数 | 3.21 | 3.8 | 1.甲;2.乙。 | 丙 | 丁、戊 |"
	more  = "出生率 | 5.48‰ | 降幅趋缓 |"
)

func lines(l ...string) string { return strings.Join(l, "\n") }

func TestReadTable(t *testing.T) {
	t.Parallel()
	want := &sheet.Table{
		Columns:      []string{"序号", "标志性成果", "牵头单位", "指标名称", "2022年实际值", "2023年目标值", "重点任务", "拟打造的重点场景", "配合单位"},
		BaselineYear: 2022, Year: 2023,
		Projects: []sheet.TableProject{{
			Line: 2, Number: 1, Name: "桐享 优育", Lead: "卫健局", Tasks: "1.甲;2.乙。", Scenarios: "丙", Cooperating: "丁、戊",
			Indicators: []sheet.TableIndicator{
				{Line: 2, Printed: "★托位数", Baseline: "3.21", Target: "3.8"}, {Line: 3, Printed: "出生率", Baseline: "5.48‰", Target: "降幅趋缓"},
			},
		}},
	}
	plain := lines(head, first, more)
	for name, text := range map[string]string{
		"as published":           plain,
		"byte order mark":        "\ufeff" + plain,
		"CRLF":                   strings.ReplaceAll(plain, "\n", "\r\n"),
		"line end after last":    plain + "\n",
		"blank lines at the end": plain + "\r\n\r\n",
		"blanks after the bar":   strings.ReplaceAll(plain, "|\n", "|  \n"),
	} {
		got, err := sheet.ReadTable(strings.NewReader(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		var out bytes.Buffer
		if err := sheet.WriteTable(&out, got); err != nil || out.String() != plain {
			t.Errorf("%s: written as %q (%v), want %q", name, out.String(), err, plain)
		}
	}
}

func TestReadTableFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		want       []string
	}{
		{"empty", "", []string{"文件是空的"}},
		{"only a heading", head, []string{"第1行:表里只有表头,没有项目"}},
		{"unknown and missing columns", lines("序号 | 标志性成果 | 责任单位 | 指标名称 | 去年 | 2023年目标值 | 重点任务 | 重点场景 |", first), []string{
			"第1行第3列:不认识的列“责任单位”,这一列应为“牵头单位”",
			"第1行第5列:不认识的列“去年”,这一列应为“××××年实际值”",
			"第1行第9列:缺少“配合单位”列"}},
		{"a column too many", lines(head+" 备注 |", first), []string{"第1行第10列:多出的列“备注”"}},
		{"years the wrong way round", lines(strings.Replace(head, "2022", "2024", 1), first), []string{
			"第1行第5列:实际值的年份2024应早于目标值的年份2023"}},
		{"indicator before any project", lines(head, more, first), []string{"第2行:指标行前面没有项目"}},
		{"wrong number of cells", lines(head, first, "出生率 | 5.48‰ |", "多 | 1 | 2 | 3 |"), []string{
			"第3行:有2格;项目的第一行应有9格,其余指标行应有3格(指标名称、实际值、目标值)",
			"第4行:有4格;项目的第一行应有9格,其余指标行应有3格(指标名称、实际值、目标值)"}},
		{"a broken project hides nothing after it", lines(head, "1 | 甲 | 乙 |"+" 丙 |", more, strings.Replace(first, "1 ", "2 ", 1)), []string{
			"第2行:有4格;项目的第一行应有9格,其余指标行应有3格(指标名称、实际值、目标值)"}},
		{"numbers", lines(head, first, strings.Replace(first, "1 ", "1 ", 1), strings.Replace(first, "1 ", "4 ", 1), strings.Replace(first, "1 ", "一 ", 1)), []string{
			"第3行第1列:序号1重复或次序颠倒,前一个项目是1",
			"第4行第1列:序号4不连续,这里应是3",
			"第5行第1列:序号应是1、2、3这样的数,现在是“一”"}},
		{"a project left out", lines(head, first, strings.Replace(first, "1 ", "3 ", 1), strings.Replace(first, "1 ", "4 ", 1)), []string{
			"第3行第1列:序号3不连续,这里应是2"}},
		{"blank cells", lines(head, "1 |   | 卫健局 | ★ | | 3.8 | 1.甲 | | 丁 |", "| 1 | 2 |"), []string{
			"第2行第2列:“标志性成果”是空的",
			"第2行第4列:“指标名称”是空的",
			"第2行第5列:“2022年实际值”是空的,没有的请写“/”",
			"第2行第8列:“拟打造的重点场景”是空的,没有的请写“/”",
			"第3行第4列:“指标名称”是空的"}},
		{"lists with holes", lines(head, "1 | 甲 | 乙 | 丙 | 1 | 2 | 丁 | 戊、、己 | 财政局、财政局, |"), []string{
			"第2行第8列:第2个场景是空的(两个分隔符连在一起,或在开头、结尾)",
			"第2行第9列:单位“财政局”写了两次",
			"第2行第9列:第3个单位是空的(两个分隔符连在一起,或在开头、结尾)"}},
		{"cut off", lines(head, first, "出生率 | 5.48‰ | 降幅"), []string{"第3行:行末缺少“ |”,这一行可能没有写完"}},
		{"blank line", lines(head, "", first), []string{"第2行:表中间不能有空行"}},
		{"indicator twice", lines(head, first, "★托位数 | 1 | 2 |"), []string{"第3行第4列:指标“★托位数”与第2行重复"}},
		{"control characters", lines(head, strings.Replace(first, "优育", "优\x00育", 1), "a\rb | 1 | 2 |"), []string{
			"第2行第2列:“标志性成果”里有不可见的控制字符", "第3行第4列:“指标名称”里有不可见的控制字符"}},
		{"not UTF-8", lines(head, first, "\xb3\xf6\xc9\xfa | 1 | 2 |"), []string{
			"第3行:不是 UTF-8 编码的文字(可能是 GBK 或 GB18030),请把整个文件另存为“UTF-8”再导入"}},
		{"a whole table in GB18030", lines("\xd0\xf2\xba\xc5 | \xb1\xea\xd6\xbe", "1 | \xb3\xf6\xc9\xfa | 2 |", "\xb3\xf6\xc9\xfa | 1 | 2 |"), []string{
			"第1行:不是 UTF-8 编码的文字(可能是 GBK 或 GB18030),请把整个文件另存为“UTF-8”再导入"}},
		{"a heading that is not UTF-8", lines("\xd0\xf2\xba\xc5 |", first), []string{
			"第1行:不是 UTF-8 编码的文字(可能是 GBK 或 GB18030),请把整个文件另存为“UTF-8”再导入"}},
		{"long name", lines(head, strings.Replace(first, "桐享", strings.Repeat("长", 201), 1)), []string{"第2行第2列:“标志性成果”超过200字"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			table, err := sheet.ReadTable(strings.NewReader(test.text))
			if table != nil {
				t.Error("a table came back beside the faults")
			}
			wantFaults(t, err, test.want...)
		})
	}
}

func TestReadTableLimits(t *testing.T) {
	t.Parallel()
	var projects strings.Builder
	projects.WriteString(head)
	for n := 1; n <= 501; n++ {
		projects.WriteString("\n" + strings.Replace(first, "1 ", fmt.Sprintf("%d ", n), 1))
	}
	for name, test := range map[string]struct{ text, want string }{
		"bytes":    {strings.Repeat("一", 2<<20), "文件超过4 MB"},
		"lines":    {strings.Repeat("\n", 5001) + "x", "文件有5002行,最多5000行"},
		"projects": {projects.String(), "第502行:项目超过500个"},
	} {
		_, err := sheet.ReadTable(strings.NewReader(test.text))
		if err == nil || err.Error() != test.want {
			t.Errorf("%s: got %v, want %s", name, err, test.want)
		}
	}
}

func TestWriteTableRefuses(t *testing.T) {
	t.Parallel()
	for _, cell := range []string{"", " ", "甲 | 乙", "| 甲", "甲 |", "甲\n乙"} {
		table, err := sheet.ReadTable(strings.NewReader(lines(head, first)))
		if err != nil {
			t.Fatal(err)
		}
		table.Projects[0].Indicators[0].Target = cell
		var out bytes.Buffer
		if err := sheet.WriteTable(&out, table); landmark.KindOf(err) != landmark.Invalid || out.Len() > 0 {
			t.Errorf("WriteTable with %q: wrote %d bytes, error %v; want nothing and Invalid", cell, out.Len(), err)
		}
	}
}

// FuzzReadTable: whatever is read can be written and read again as the same, and
// makes a plan that gives back the same table.
func FuzzReadTable(f *testing.F) {
	f.Add(string(seed(f, "tongxiang-2023.txt")))
	f.Add(lines(head, first, more))
	f.Add(lines(head, "1 | a|b | c | |d | 1 | 2 | 3 | 4 | 5 |"))
	f.Add(lines(head, "| | x | |"))
	f.Fuzz(func(t *testing.T, text string) {
		table, err := sheet.ReadTable(strings.NewReader(text))
		if err != nil {
			if landmark.KindOf(err) != landmark.Invalid {
				t.Fatalf("error %v is not Invalid", err)
			}
			return
		}
		plan, err := sheet.BuildPlan(table, nil, sheet.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := sheet.WriteTable(&out, sheet.FromPlan(plan, plan.LastMonth())); err != nil {
			t.Fatal(err)
		}
		again, err := sheet.ReadTable(&out)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(table, again, cmpopts.IgnoreFields(sheet.TableProject{}, "Line"), cmpopts.IgnoreFields(sheet.TableIndicator{}, "Line")); diff != "" {
			t.Errorf("read again (-first +again):\n%s", diff)
		}
	})
}
