package sheet_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"landmark/internal/landmark"
	"landmark/internal/sheet"
)

func TestReadValues(t *testing.T) {
	t.Parallel()
	got, err := sheet.ReadValues(strings.NewReader("\ufeffcode,value,step,note,reason\r\n" +
		"3.1,\"13,820\",,\"两行\n说明\",\r\n" +
		"3.2,０．００,,,核实过\r\n" +
		"3.3,,推进中,'=不是公式,\r\n" +
		"4.1,,,,\r\n" +
		"10.2,82.80%,,,\r\n" +
		"7.2,-1.5,,,\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	amount := func(s string) decimal.NullDecimal { return decimal.NewNullDecimal(dec(s)) }
	want := []sheet.ValueRow{
		{Line: 2, Code: "3.1", Value: "13,820", Amount: amount("13820"), Note: "两行\n说明"},
		{Line: 4, Code: "3.2", Value: "０．００", Amount: amount("0.00"), Reason: "核实过"},
		{Line: 5, Code: "3.3", Step: "推进中", Note: "=不是公式"},
		{Line: 7, Code: "10.2", Value: "82.80%", Amount: amount("82.80")},
		{Line: 8, Code: "7.2", Value: "-1.5", Amount: amount("-1.5")},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}

func TestReadValuesFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		want       []string
	}{
		{"empty", "", []string{"文件是空的"}},
		{"nothing filled in", "code,value\n3.1,\n", []string{"文件里没有一行填了数值或步骤"}},
		{"columns", "code,数值\n", []string{"第1行:缺少列“value”", "第1行第2列:不认识的列“数值”,可用的列:code、value、step、note、reason"}},
		{"rows", "code,value,step,note,reason\n" +
			",5,,,\n" +
			"三点一,5,,,\n" +
			"3.1,五,,,\n" +
			"3.1,5,,,\n" +
			"3.2,1E5,,,\n" +
			"3.3,\"1,38\",,,\n" +
			"3.4,3.2万,,,\n" +
			"3.5,,,只有说明,\n", []string{
			"第2行第1列:指标编号是空的",
			"第3行第1列:指标编号应是“4.1”的样子,现在是“三点一”",
			"第4行第2列:应是数字,现在是“五”",
			"第5行第1列:指标3.1在第4行已有",
			"第6行第2列:应是数字,现在是“1E5”",
			"第7行第2列:应是数字,现在是“1,38”",
			"第8行第2列:应是数字,现在是“3.2万”",
			"第9行第2列:有说明而没有数值或步骤"}},
		{"too many rows", "code,value\n" + strings.Repeat("3.1,1\n", 5001), []string{"超过5000行"}},
		{"control characters", "code,value,step,note,reason\n3.1,1,,a\x00b,\n", []string{"第2行第4列:有不可见的控制字符"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := sheet.ReadValues(strings.NewReader(test.text))
			wantFaults(t, err, test.want...)
		})
	}
}

func FuzzReadValues(f *testing.F) {
	f.Add("code,value,step,note,reason\n3.1,\"13,820\",,x,y\n")
	f.Fuzz(func(t *testing.T, text string) {
		values, err := sheet.ReadValues(strings.NewReader(text))
		if err != nil && landmark.KindOf(err) != landmark.Invalid {
			t.Fatalf("error %v is not Invalid", err)
		}
		for _, v := range values {
			if v.Amount.Valid != (v.Value != "") || v.Value == "" && v.Step == "" {
				t.Errorf("row %+v", v)
			}
		}
	})
}
