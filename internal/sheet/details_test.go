package sheet_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"landmark/internal/landmark"
	"landmark/internal/sheet"
)

const detailsHead = "code,kind,direction,unit,decimals,measured,steps,confirmed,curve\n"

func TestReadDetailsFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		want       []string
	}{
		{"empty", "", []string{"文件是空的"}},
		{"columns", "code,kind,direction,unit,decimals,measured,steps,remark,code\n4.1,flow\n", []string{
			"第1行:缺少列“confirmed”", "第1行:缺少列“curve”",
			"第1行第8列:不认识的列“remark”,可用的列:code、kind、direction、unit、decimals、measured、steps、confirmed、curve、not_above",
			"第1行第9列:列“code”写了两次"}},
		{"cells", detailsHead +
			",flow,,,,,,,\n" +
			"4,flow,,,,,,,\n" +
			"4.1,累计,sideways,个,7,weekly,,maybe,\n" +
			"4.1,flow,,,,,,,\n" +
			"4.2,flow,up,个,0,monthly,甲|乙,yes,2023-13=4\n" +
			"4.3,qualitative,up,,0,monthly,甲,yes,\n" +
			"4.4,,up,,0,monthly,,yes,2023-03=5;2023-02=6\n" +
			"4.5,hold,up,,0,monthly,,yes,2023-03=5\n", []string{
			"第2行第1列:指标编号是空的",
			"第3行第1列:指标编号应是“4.1”的样子,现在是“4”",
			"第4行第2列:性质应是 flow、cumulative、level、hold、qualitative 之一,现在是“累计”",
			"第4行第3列:方向应是 up、down 之一,现在是“sideways”",
			"第4行第5列:小数位数应是0到6,现在是“7”",
			"第4行第6列:报送频率应是 monthly、on_event、quarterly、annual 之一,现在是“weekly”",
			"第4行第8列:应写 yes 或 no,现在是“maybe”",
			"第5行第1列:指标4.1在第4行已有",
			"第6行第7列:只有定性指标(qualitative)才有步骤",
			"第6行第9列:计划曲线应写成“2023-03=20;2023-06=40”的样子,看不懂“2023-13=4”",
			"第7行第7列:定性指标至少要有两个步骤,写成“未启动|推进中=on_track|到位=done”的样子",
			"第8行第8列:没有填性质,不能算已确认",
			"第8行第9列:计划曲线的月份应从早到晚,2023年2月放错了或写了两次",
			"第9行第9列:保持指标没有计划曲线"}},
		{"steps", detailsHead +
			"1.1,qualitative,,,,,甲=red|乙=done,,\n" +
			"1.2,qualitative,,,,,甲=done|乙,,\n" +
			"1.3,qualitative,,,,,甲|乙=behind,,\n" +
			"1.4,qualitative,,,,,甲|甲,,\n" +
			"1.5,qualitative,,,,,甲||乙,,\n", []string{
			"第2行第7列:步骤“甲”的状态应是 done、on_track、behind 之一,现在是“red”",
			"第3行第7列:步骤“甲”:只有最后一步是 done,最后一步只能是 done",
			"第4行第7列:步骤“乙”:只有最后一步是 done,最后一步只能是 done",
			"第5行第7列:步骤“甲”写了两次",
			"第6行第7列:第2个步骤没有名称"}},
		{"relation", strings.TrimSpace(detailsHead) + ",not_above\n4.1,,,,,,,,,4.1\n", []string{"第2行第10列:应是另一个指标的编号,现在是“4.1”"}},
		{"quotes", detailsHead + "4.1,\"flow,,\n", []string{"第2行:引号没有成对,或引号前后多了字符"}},
		{"not UTF-8", detailsHead + "\xd6\xd0\n\xd6\xd0\n", []string{"第2行:不是 UTF-8 编码的文字(可能是 GBK 或 GB18030),请把整个文件另存为“CSV UTF-8”再导入"}},
		{"beyond the heading", detailsHead + "4.1,flow,,,,,,,,多\n", []string{"第2行第10列:超出表头的列“多”"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := sheet.ReadDetails(strings.NewReader(test.text))
			wantFaults(t, err, test.want...)
		})
	}
}

func TestReadDetails(t *testing.T) {
	t.Parallel()
	// Columns in any order, a byte order mark, CRLF, empty rows.
	got, err := sheet.ReadDetails(strings.NewReader("\ufeffkind,code,direction,unit,decimals,measured,steps,confirmed,curve\r\n" +
		"flow,3.1,,人,,,,是,2023-03=20;2023-06=40.50\r\n,,,,,,,,\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := sheet.Details{"3.1": {
		Line: 2, Kind: landmark.Flow, Direction: landmark.Up, Unit: "人", Decimals: -1, Measured: landmark.Monthly, Confirmed: true,
		Curve: []landmark.CurvePoint{
			{Month: landmark.MonthOf(2023, 3), Amount: dec("20")}, {Month: landmark.MonthOf(2023, 6), Amount: dec("40.50")},
		},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("details (-want +got):\n%s", diff)
	}
}

func TestCurveRoundTrip(t *testing.T) {
	t.Parallel()
	plan := seedPlan(t)
	ind, err := plan.Indicator("3.1")
	if err != nil {
		t.Fatal(err)
	}
	ind.Curves = []landmark.Curve{{From: landmark.MonthOf(2023, 1), Points: []landmark.CurvePoint{
		{Month: landmark.MonthOf(2023, 3), Amount: dec("1.50")}, {Month: landmark.MonthOf(2023, 10), Amount: dec("20000")},
	}}}
	var out bytes.Buffer
	if err := sheet.WriteDetails(&out, plan); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "\r\n3.1,flow,up,人,0,monthly,,yes,2023-03=1.50;2023-10=20000,\r\n") {
		t.Errorf("no curve in\n%s", out.String())
	}
	details, err := sheet.ReadDetails(&out)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(ind.Curves[0].Points, details["3.1"].Curve); diff != "" {
		t.Errorf("curve (-want +got):\n%s", diff)
	}
}

func TestReadDepartmentsFaults(t *testing.T) {
	t.Parallel()
	_, err := sheet.ReadDepartments(strings.NewReader("name,slug,sort,collective,aliases\n" +
		"甲局,jia,1,no,甲\n,Yi,x,maybe,\n丙局,jia,3,no,甲局\n"))
	wantFaults(t, err,
		"第3行第1列:单位名称是空的",
		"第3行第2列:简称“Yi”只能用小写字母、数字和“-”",
		"第3行第3列:排序应是整数,现在是“x”",
		"第3行第4列:应写 yes 或 no,现在是“maybe”",
		"第4行第2列:简称“jia”在第2行已有",
		"第4行第5列:名称“甲局”在第2行已有")
}

func TestSlug(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"文广旅体": "wenguanglvti", "开发区(高桥街道)": "kaifaqu-gaoqiaojiedao", "CCU中心": "ccuzhongxin", "()": "",
		"桐乡市2025年民生实事": "tongxiangshi2025nianminshengshishi",
	} {
		if got := sheet.Slug(name); got != want {
			t.Errorf("Slug(%q) = %q, want %q", name, got, want)
		}
	}
}

func FuzzReadDetails(f *testing.F) {
	f.Add(string(seed(f, "tongxiang-2023.csv")))
	f.Add(detailsHead + "4.1,flow,down,个,0,monthly,,yes,2023-03=20;2023-06=40\n")
	f.Fuzz(func(t *testing.T, text string) {
		details, err := sheet.ReadDetails(strings.NewReader(text))
		if err != nil {
			if landmark.KindOf(err) != landmark.Invalid {
				t.Fatalf("error %v is not Invalid", err)
			}
			return
		}
		for code, d := range details {
			if (d.Kind == landmark.Qualitative) != (len(d.Steps) >= 2) {
				t.Errorf("%s: kind %q with %d steps", code, d.Kind, len(d.Steps))
			}
		}
	})
}
