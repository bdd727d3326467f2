package bulletin

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"landmark/internal/landmark"
	"landmark/internal/sheet"
)

func kinds(faults []Fault) []FaultKind {
	var out []FaultKind
	for _, f := range faults {
		out = append(out, f.Kind)
	}
	return out
}

func TestSoundBulletinHasNoFaults(t *testing.T) {
	t.Parallel()
	in := september(t)
	for _, f := range Check(Draft(in), in) {
		t.Errorf("%s in %q: %s", f.Kind, f.Block, f.Message)
	}
}

// edit puts the office's words in the place of a block's.
func edit(in Input, key string, change func(string) string) Input {
	for _, b := range Draft(in).Blocks {
		if b.Key == key {
			in.Texts[key] = change(b.Template)
		}
	}
	return in
}

func replace(old, new string) func(string) string {
	return func(s string) string { return strings.Replace(s, old, new, 1) }
}

// Each mutation of a sound bulletin is caught under its own name.
func TestMutations(t *testing.T) {
	t.Parallel()
	text := func(key string, change func(string) string) func(*Bulletin, *Input) {
		return func(b *Bulletin, in *Input) { *in = edit(*in, key, change); *b = Draft(*in) }
	}
	tests := map[string]struct {
		mutate func(*Bulletin, *Input)
		want   FaultKind
		says   string
	}{
		"one figure changed":              {func(b *Bulletin, _ *Input) { b.Figures["3.1.value"] = "13821人" }, FigureDiffers, "13821人"},
		"one figure changed in the text":  {func(b *Bulletin, _ *Input) { changeText(b, "lagging.3.1", "13820", "13280") }, FigureDiffers, "13280"},
		"one share changed":               {func(b *Bulletin, _ *Input) { b.Figures["behind.share"] = "26.0%" }, ShareSum, "99.9"},
		"one group total changed":         {func(b *Bulletin, _ *Input) { b.Figures["behind"] = "5" }, GroupSum, "相加是29项"},
		"the total changed":               {func(b *Bulletin, _ *Input) { b.Figures["total"] = "31" }, GroupSum, "31"},
		"the base changed":                {func(b *Bulletin, _ *Input) { b.Figures["judged"] = "24" }, GroupSum, "24"},
		"reports due changed":             {func(b *Bulletin, _ *Input) { b.Figures["due"] = "24" }, GroupSum, "应报24项"},
		"a missing department removed":    {func(b *Bulletin, _ *Input) { changeText(b, "discipline.missing", "民政局", "有关单位") }, DepartmentMissing, "民政局"},
		"a missing department struck out": {text("discipline.missing", replace("{{missing.departments}}", "有关单位")), DepartmentMissing, "民政局"},
		"a late department struck out":    {text("discipline.late", func(string) string { return "" }), DepartmentMissing, "建设局"},
		"a red indicator struck out":      {text("lagging.9.1", func(string) string { return "" }), IndicatorMissing, "9.1"},
		"a lagging indicator's lead": {func(b *Bulletin, in *Input) {
			in.Texts["lagging.3.1.next"] = "抓紧筛查。"
			*in = edit(*in, "lagging.3.1", replace("{{3.1.lead}}", "有关单位"))
			*b = Draft(*in)
		}, IndicatorMissing, "3.1"},
		"a lagging indicator's rate":       {text("lagging.3.1", replace("完成率{{3.1.rate}}，", "")), IndicatorMissing, "完成率"},
		"an unreported indicator":          {text("overall.unreported", func(string) string { return "" }), "", ""}, // named among the missing
		"a group left out of the sentence": {text("overall", replace("滞后{{behind}}项，", "")), GroupSum, "滞后"},
		"a share left out of the sentence": {text("overall", replace("，滞后占{{behind.share}}", "")), ShareSum, "100.0"},
		"a figure typed beside":            {text("overall.extra", func(string) string { return "滞后指标有5项。" }), TypedFigure, "5项"},
		"a percentage typed":               {text("overall.extra", func(string) string { return "完成率达到７２.5％。" }), TypedFigure, "72.5%"},
		"a percentage in words":            {text("overall.extra", func(string) string { return "完成百分之七十。" }), TypedFigure, "百分之七十"},
		"an indicator's figure mistyped":   {text("lagging.3.1.reason", func(string) string { return "仅完成13280人。" }), TypedFigure, "13280人"},
		"a figure in brackets":             {text("lagging.3.1.reason", func(string) string { return "进展慢（13280）。" }), TypedFigure, "13280"},
		"an indicator's figure typed":      {text("lagging.3.1.reason", func(string) string { return "仅完成13820人，占69.1%，目标2万人。" }), "", ""},
		"a count of other things, a date": {text("lagging.3.1.reason", func(string) string {
			return "9月20日前开展3轮宣讲，第2批、3个月内完成；1.先易后难。"
		}), "", ""},
		"digits in an indicator's name": {text("next.extra", func(string) string {
			return "集体经济年收入30万元以上且经营性收入15万元以上行政村占比按年度考核。"
		}), "", ""},
		"an unknown reference":       {text("overall.extra", func(string) string { return "{{3.9.value}}" }), UnknownReference, "3.9.value"},
		"a broken reference":         {text("overall.extra", func(string) string { return "共{{total项" }), UnknownReference, "双花括号"},
		"a reason not given":         {func(b *Bulletin, in *Input) { delete(in.Texts, "lagging.3.2.reason"); *b = Draft(*in) }, ReasonMissing, "流感疫苗"},
		"a next step not given":      {func(b *Bulletin, in *Input) { delete(in.Texts, "lagging.9.1.next"); *b = Draft(*in) }, NextMissing, "综合体"},
		"a reason left empty":        {text("lagging.3.2.reason", func(string) string { return " 。" }), ReasonMissing, "流感疫苗"},
		"no title":                   {text("title", func(string) string { return "" }), PartMissing, "标题"},
		"an annex row gone":          {func(b *Bulletin, _ *Input) { b.Annex.Rows = b.Annex.Rows[1:] }, AnnexDiffers, "1.1"},
		"an annex cell changed":      {func(b *Bulletin, _ *Input) { b.Annex.Rows[5].Cells[6] = "13821" }, AnnexDiffers, "13821"},
		"an annex light changed":     {func(b *Bulletin, _ *Input) { b.Annex.Rows[5].Light = landmark.OnTrack }, GroupSum, "滞后"},
		"another end of the history": {func(b *Bulletin, _ *Input) { b.Annex.Note = strings.Replace(b.Annex.Note, "128:", "127:", 1) }, AnnexDiffers, "127:"},
		"the history's end removed":  {func(b *Bulletin, _ *Input) { b.Annex.Note = "" }, AnnexDiffers, "128:"},
		"a month still running":      {func(_ *Bulletin, in *Input) { in.Board.Record.AsOf = moment(9, 30, 12) }, MonthNotOver, "2023年9月"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := september(t)
			b := Draft(in)
			tt.mutate(&b, &in)
			faults := Check(b, in)
			if tt.want == "" {
				if len(faults) > 0 {
					t.Errorf("got faults %v, want none", faults)
				}
				return
			}
			if !slices.ContainsFunc(faults, func(f Fault) bool { return f.Kind == tt.want && strings.Contains(f.Message, tt.says) }) {
				t.Errorf("got faults %v, want %s that says %q", faults, tt.want, tt.says)
			}
		})
	}
}

func changeText(b *Bulletin, key, old, new string) {
	for i := range b.Blocks {
		if b.Blocks[i].Key == key {
			b.Blocks[i].Text = strings.Replace(b.Blocks[i].Text, old, new, 1)
		}
	}
}

// Figures stay bound: an edited text follows the data.
func TestEditedTextFollowsData(t *testing.T) {
	t.Parallel()
	in := september(t)
	in.Texts["overall.extra"] = "筛查已完成{{3.1.value}}，为目标的{{3.1.rate}}。"
	approve(t, in.Board.Record, "3.1", landmark.MonthOf(2023, 9), "15000", moment(10, 14, 9), "更正")
	in.Board = in.Board.Record.Board(landmark.MonthOf(2023, 9))
	b := Draft(in)
	if block, _ := b.Block("overall.extra"); block.Text != "筛查已完成15000人，为目标的75.0%。" || !block.Edited {
		t.Errorf("got %+v", block)
	}
	if want := []string{"lagging.3.1.next"}; !slices.Equal(b.Unused, want) {
		t.Errorf("3.1 has caught up: unused texts %v, want %v", b.Unused, want)
	}
}

func TestCorrectionsAppearInTheNextIssue(t *testing.T) {
	t.Parallel()
	in := september(t)
	if got := Corrections(in); len(got) != 0 {
		t.Fatalf("nothing was corrected, got %v", got)
	}
	august := landmark.MonthOf(2023, 8)
	approve(t, in.Board.Record, "3.1", august, "11900", moment(9, 20, 9), "重复统计")
	approve(t, in.Board.Record, "9.3", august, "40", moment(9, 21, 9), "")
	approve(t, in.Board.Record, "8.3", august, "56", moment(9, 22, 9), "录错")
	approve(t, in.Board.Record, "8.3", august, "55", moment(9, 23, 9), "原数无误")
	in.Board = in.Board.Record.Board(landmark.MonthOf(2023, 9))
	in.Texts["lagging.3.1.reason"] = "肠镜预约排期较长。" // August's reason is now about its correction
	b := Draft(in)
	want := []string{
		"一、总体情况", "二、进展较好的指标", "三、滞后的指标", "四、报送情况", "五、下一步工作要求", "六、上期通报以来的更正",
	}
	var got []string
	for _, p := range b.Paragraphs() {
		if p.Style == StyleHeading {
			got = append(got, p.Text)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("headings %v, want %v", got, want)
	}
	text := b.Text()
	for _, want := range []string{
		"2023年8月份通报印发后，以下2项数据有变化：",
		"1．结直肠癌筛查（卫健局）2023年8月数据由11800人更正为11900人（重复统计）。",
		"2．评选星级社区服务综合体（民政局）2023年8月数据补报为40个，状态由未报送更正为严重滞后。",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q", want)
		}
	}
	for _, f := range Check(b, in) {
		t.Errorf("%s: %s", f.Kind, f.Message)
	}
	in.Texts["correction.2023-08.3.1"] = "略。"
	if got := kinds(Check(Draft(in), in)); !slices.Equal(got, []FaultKind{CorrectionMissing}) {
		t.Errorf("a correction struck out: faults %v, want correction_missing", got)
	}
}

func TestFirstMonthWithoutValues(t *testing.T) {
	t.Parallel()
	r := record(t, moment(6, 15, 9))
	r.Values, r.Reports = map[int64][]landmark.Value{}, map[int64][]landmark.Report{}
	in := Input{Board: r.Board(landmark.MonthOf(2023, 5)), Number: 1, Date: landmark.Date{Year: 2023, Month: 6, Day: 15}}
	b := Draft(in)
	for _, f := range Check(b, in) {
		t.Errorf("%s: %s", f.Kind, f.Message)
	}
	for _, want := range []string{"本月没有滞后的指标。", "本月没有已完成或超过应达进度的指标。", "未报送占100.0%", "漏报的单位：卫健局（"} {
		if !strings.Contains(b.Text(), want) {
			t.Errorf("the text lacks %q:\n%s", want, b.Text())
		}
	}
}

func TestLetters(t *testing.T) {
	t.Parallel()
	in := september(t)
	letters := Letters(in)
	if len(letters) != 1 || letters[0].Department.Name != "民政局" {
		t.Fatalf("got %d letters, want one to 民政局", len(letters))
	}
	var text []string
	for _, p := range letters[0].Paragraphs() {
		text = append(text, p.Text)
	}
	all := strings.Join(text, "\n")
	for _, want := range []string{"民政局：", "应于2023年10月5日前报送", "应报7项，已报6项，尚有1项未报", "1．评选星级社区服务综合体", "2023年10月15日锁定后"} {
		if !strings.Contains(all, want) {
			t.Errorf("the letter lacks %q:\n%s", want, all)
		}
	}
}

// The office's override is told, with the light of the rule beside it.
func TestOverrideIsTold(t *testing.T) {
	t.Parallel()
	in := september(t)
	r := in.Board.Record
	ind := indicator(t, r, "3.2")
	r.Overrides[ind.ID] = []landmark.Override{{From: month9, Until: month9, Light: landmark.OnTrack, Reason: "接种集中在第四季度", RecordedAt: moment(10, 10, 9)}}
	in.Board = r.Board(month9)
	b := Draft(in)
	if want := "其中经市府办改判的有1项：流感疫苗接种（滞后改判为正常：接种集中在第四季度）。"; !strings.Contains(b.Text(), want) {
		t.Errorf("the text lacks %q:\n%s", want, b.Text())
	}
	for _, f := range Check(b, in) {
		t.Errorf("%s: %s", f.Kind, f.Message)
	}
}

// Annex and indicators.csv say the same of every indicator.
func TestAnnexAgreesWithTheExport(t *testing.T) {
	t.Parallel()
	in := september(t)
	var file bytes.Buffer
	if err := sheet.WriteIndicatorsCSV(&file, in.Board); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(file.Bytes(), []byte("\ufeff")))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	b := Draft(in)
	if len(rows)-1 != len(b.Annex.Rows) {
		t.Fatalf("the export has %d rows, the annex %d", len(rows)-1, len(b.Annex.Rows))
	}
	plainly := strings.NewReplacer("%", "", "+", "", "−", "-", "—", "", "‰", "")
	same := func(a, b string) bool {
		if a == b {
			return true
		}
		x, errX := decimal.NewFromString(a)
		y, errY := decimal.NewFromString(b)
		return errX == nil && errY == nil && x.Equal(y)
	}
	for i, row := range b.Annex.Rows {
		export := rows[i+1]
		cells := map[string]string{"code": row.Cells[0], "project_name": row.Cells[1], "lead": row.Cells[3], "target": plainly.Replace(row.Cells[5]), "value": plainly.Replace(row.Cells[6]),
			"completion_pct": plainly.Replace(row.Cells[7]), "schedule_pct": plainly.Replace(row.Cells[8]), "gap_points": plainly.Replace(row.Cells[9]), "light": string(row.Light)}
		for name, cell := range cells {
			if got := strings.TrimPrefix(export[column[name]], "'"); !same(cell, got) {
				t.Errorf("%s %s: the annex has %q, the export %q", row.Code, name, cell, got)
			}
		}
	}
}
