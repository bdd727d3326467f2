package sheet_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	"github.com/xuri/excelize/v2"

	"landmark/internal/landmark"
	"landmark/internal/sheet"
)

// said is a value row without what it points to.
type said struct {
	Line                            int
	Code, Value, Step, Note, Reason string
	Amount                          decimal.NullDecimal
}

func told(rows []sheet.ValueRow) []said {
	var out []said
	for _, v := range rows {
		out = append(out, said{v.Line, v.Indicator.Code, v.Value, v.Step, v.Note, v.Reason, v.Amount})
	}
	return out
}

func TestReadValues(t *testing.T) {
	t.Parallel()
	got, err := sheet.ReadValues(strings.NewReader("\ufeffcode,value,step,note,reason\r\n"+
		"3.1,\"13,820\",,\"两行\n说明\",\r\n"+
		"3.2,０．００,,,核实过\r\n"+
		"3.3,,推进中,'=不是公式,\r\n"+
		"4.1,,,,\r\n"+
		"10.2,82.80%,,,\r\n"+
		"7.2,-1.5,,,\r\n"), seedPlan(t))
	if err != nil {
		t.Fatal(err)
	}
	amount := func(s string) decimal.NullDecimal { return decimal.NewNullDecimal(dec(s)) }
	want := []said{
		{Line: 2, Code: "3.1", Value: "13,820", Amount: amount("13820"), Note: "两行\n说明"},
		{Line: 4, Code: "3.2", Value: "０．００", Amount: amount("0.00"), Reason: "核实过"},
		{Line: 5, Code: "3.3", Step: "推进中", Note: "=不是公式"},
		{Line: 7, Code: "10.2", Value: "82.80%", Amount: amount("82.80")},
		{Line: 8, Code: "7.2", Value: "-1.5", Amount: amount("-1.5")},
	}
	if diff := cmp.Diff(want, told(got)); diff != "" {
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
			"99.9,5,,,\n" +
			"3.1,五,,,\n" +
			"3.1,5,,,\n" +
			"3.2,1.234,,,\n" +
			"3.3,到位,,,\n" +
			"1.2,,变好,,\n" +
			"4.1,25.1,推进中,,\n" +
			"4.2,,,只有说明,\n", []string{
			"第2行第1列:指标编号是空的",
			"第3行第1列:方案里没有编号为“99.9”的指标",
			"第4行第2列:“结直肠癌筛查”要填阿拉伯数字,例如 3",
			"第5行第1列:指标3.1在第4行已有",
			"第6行第2列:“流感疫苗接种”小数点后最多2位,例如 3.25",
			"第7行第2列:“新冠疫情重点药品和重点抢救设备供给”要填阿拉伯数字,例如 3",
			"第7行第3列:“新冠疫情重点药品和重点抢救设备供给”是定性指标,要填步骤:未启动、推进中、基本到位、到位",
			"第8行第3列:没有“变好”这个步骤,“人口出生率”的步骤是:待核算、未趋缓、趋缓",
			"第9行第3列:“每万名老人拥有持证护理员”不是定性指标,没有步骤",
			"第10行第2列:有说明而没有数值或步骤"}},
		{"long note", "code,value,note\n3.1,1," + strings.Repeat("长", 2001) + "\n", []string{"第2行第3列:有2001字,最多2000字"}},
		{"too many rows", "code,value\n" + strings.Repeat("3.1,1\n", 5001), []string{"超过5000行"}},
		{"control characters", "code,value,step,note,reason\n3.1,1,,a\x00b,\n", []string{"第2行第4列:有不可见的控制字符"}},
	}
	plan := seedPlan(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := sheet.ReadValues(strings.NewReader(test.text), plan)
			wantFaults(t, err, test.want...)
		})
	}
}

func TestReadValuesXLSX(t *testing.T) {
	t.Parallel()
	values := func(rows ...[]any) []byte {
		f := excelize.NewFile()
		defer f.Close()
		for i, row := range rows {
			for k, v := range row {
				cell, err := excelize.CoordinatesToCellName(k+1, i+1)
				if err != nil {
					t.Fatal(err)
				}
				if s, ok := v.(string); ok && strings.HasPrefix(s, "=") {
					err = f.SetCellFormula("Sheet1", cell, s)
				} else {
					err = f.SetCellValue("Sheet1", cell, v)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		var out bytes.Buffer
		if err := f.Write(&out); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	head := []any{"code", "value", "step", "note", "reason"}
	got, err := sheet.ReadValuesXLSX(bytes.NewReader(values(head, []any{"3.1", 13820, nil, "说明"}, nil, []any{4.1, 25.31})), seedPlan(t))
	if err != nil {
		t.Fatal(err)
	}
	want := []said{
		{Line: 2, Code: "3.1", Value: "13820", Amount: decimal.NewNullDecimal(dec("13820")), Note: "说明"},
		{Line: 4, Code: "4.1", Value: "25.31", Amount: decimal.NewNullDecimal(dec("25.31"))},
	}
	if diff := cmp.Diff(want, told(got)); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	_, err = sheet.ReadValuesXLSX(bytes.NewReader(values(head, []any{"3.1", "=1+1"}, []any{"4.1", "二十五"})), seedPlan(t))
	wantFaults(t, err, "单元格B2:是公式,请改成数值或文字", "单元格B3:“每万名老人拥有持证护理员”要填阿拉伯数字,例如 3.25")
}

func FuzzReadValues(f *testing.F) {
	f.Add("code,value,step,note,reason\n3.1,\"13,820\",,x,y\n")
	plan := seedPlan(f)
	f.Fuzz(func(t *testing.T, text string) {
		values, err := sheet.ReadValues(strings.NewReader(text), plan)
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
