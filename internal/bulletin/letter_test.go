package bulletin

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"landmark/internal/landmark"
	"landmark/internal/pgtest"
	"landmark/internal/reporting"
	"landmark/internal/store"
)

// oneLetter is September's one letter, with its input.
func oneLetter(t *testing.T, change func(*Input)) (Letter, Input) {
	t.Helper()
	in := september(t)
	in.Texts, in.Letterhead, in.Number = map[string]string{}, in.letterhead(), 4
	change(&in)
	letters := Letters(in)
	if len(letters) != 1 {
		t.Fatalf("%d letters, want one", len(letters))
	}
	return letters[0], in
}

func TestLetterText(t *testing.T) {
	t.Parallel()
	l, in := oneLetter(t, func(in *Input) {
		in.Letterhead.LetterNumber, in.Letterhead.Contact = "桐政办函〔{{year}}〕{{number}}号", "张三，0573-88000000"
		in.Texts["request"], in.Texts["copies"], in.Texts["gone"] = "请于10月20日前补报{{missing}}项。", "市纪委市监委。", "哪儿也不是"
	})
	var got []string
	for _, p := range l.Paragraphs() {
		got = append(got, p.Text)
	}
	want := []string{"桐乡市人民政府办公室", "桐政办函〔2023〕4号", "关于催报2023年9月份共同富裕标志性成果\n进展数据的函", "民政局：",
		"按照桐乡市2023年共同富裕十大标志性成果月报安排，2023年9月份数据应于2023年10月5日前报送。截至2023年10月15日10时00分，你单位应报7项，已报6项，尚有1项未报：",
		"1．评选星级社区服务综合体", "请于10月20日前补报1项。", "桐乡市人民政府办公室", "2023年10月15日", "（联系人：张三，0573-88000000）", "抄送：市纪委市监委。"}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("the letter reads\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if faults := CheckLetter(l, in); len(faults) != 0 {
		t.Errorf("faults %v", faults)
	}
	if len(l.Unused) != 1 || l.Unused[0] != "gone" {
		t.Errorf("unused %v", l.Unused)
	}
	plain, _ := oneLetter(t, func(*Input) {})
	if _, ok := plain.Block("issue"); ok {
		t.Error("a letter without a form of number has a number")
	}
}

// Each thing that may not go out is found, with the block it stands in.
func TestCheckLetter(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		key, text string
		kind      FaultKind
	}{
		"no addressee":         {"addressee", "", PartMissing},
		"somebody else":        {"addressee", "教育局：", DepartmentMissing},
		"indicator not named":  {"missing.1", "", IndicatorMissing},
		"figure typed":         {"body", "你单位尚有3项未报。", TypedFigure},
		"reference to nothing": {"request", "请补报{{nothing}}项。", UnknownReference},
		"no signature":         {"sign", " ", PartMissing},
		"no date":              {"date", "", PartMissing},
		"no number":            {"issue", "", PartMissing},
	} {
		l, in := oneLetter(t, func(in *Input) {
			in.Letterhead.LetterNumber = "桐政办函〔{{year}}〕{{number}}号"
			in.Texts[c.key] = c.text
		})
		found := false
		for _, f := range CheckLetter(l, in) {
			found = found || f.Kind == c.kind && f.Block == c.key
		}
		if !found {
			t.Errorf("%s: %v, want a fault of kind %s in %s", name, CheckLetter(l, in), c.kind, c.key)
		}
	}
	// A figure that is no longer the data's, however it came there.
	l, in := oneLetter(t, func(*Input) {})
	l.Figures["missing"] = "2"
	for i := range l.Blocks {
		l.Blocks[i].Text = resolve(l.Blocks[i].Template, l.Figures)
	}
	if faults := CheckLetter(l, in); len(faults) < 2 || faults[0].Kind != FigureDiffers {
		t.Errorf("a figure changed: faults %v", faults)
	}
	l.Department.ID = indicator(t, in.Board.Record, "10.1").Project.Lead.ID
	if faults := CheckLetter(l, in); len(faults) != 1 || faults[0].Kind != DepartmentMissing {
		t.Errorf("to a department that owes nothing: faults %v", faults)
	}
}

// A letter is saved, refused to the second of two, issued once whoever presses,
// frozen with its file, and chases the department.
func TestLetterFromDraftToIssue(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	st := store.New(pgtest.DB(t))
	filled(t, st)
	s := New(st, shanghai)
	head := landmark.DefaultLetterhead("桐乡市")
	head.LetterNumber, head.LetterUsed = "桐政办函〔2023〕{n}号", 6
	if err := s.SetLetterhead(ctx, office, clerk, "", head, atIssue); err != nil {
		t.Fatal(err)
	}
	save := func(version int, key, text string) (int, error) {
		return s.SaveLetter(ctx, office, clerk, "", month9, "民政局", version, map[string]string{key: text}, atIssue)
	}
	if _, err := save(0, "request", strings.Repeat("长", maxText+1)); landmark.KindOf(err) != landmark.Invalid {
		t.Errorf("a text too long: error = %v, want Invalid", err)
	}
	if _, err := s.SaveLetter(ctx, landmark.User{Role: landmark.RoleReporter}, sender, "", month9, "民政局", 0, nil, atIssue); landmark.KindOf(err) != landmark.Forbidden {
		t.Errorf("saved by a reporter: error = %v, want Forbidden", err)
	}
	if _, _, err := s.IssueLetter(ctx, landmark.User{Role: landmark.RoleReporter}, sender, "", month9, "民政局", 0, atIssue); landmark.KindOf(err) != landmark.Forbidden {
		t.Errorf("issued by a reporter: error = %v, want Forbidden", err)
	}
	if _, err := s.DraftLetter(ctx, "", month9, "交通运输局", atIssue); landmark.KindOf(err) != landmark.NotFound {
		t.Errorf("to a department that owes nothing: error = %v, want NotFound", err)
	}
	version, err := save(0, "request", "尚有8项，请补报。")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := save(0, "request", "另一稿"); landmark.KindOf(err) != landmark.Conflict {
		t.Errorf("saved over another's: error = %v, want Conflict", err)
	}
	if _, faults, err := s.IssueLetter(ctx, office, clerk, "", month9, "民政局", version, atIssue); landmark.KindOf(err) != landmark.Invalid || len(faults) != 1 || faults[0].Kind != TypedFigure {
		t.Errorf("issued with a typed figure: %v, error = %v", faults, err)
	}
	if version, err = save(version, "request", "请于10月18日前补报{{missing}}项。"); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	errs := make(chan error, 4)
	for range cap(errs) {
		wg.Go(func() {
			_, _, err := s.IssueLetter(context.WithoutCancel(ctx), office, clerk, "", month9, "民政局", version, atIssue)
			errs <- err
		})
	}
	wg.Wait()
	close(errs)
	issued := 0
	for err := range errs {
		switch {
		case err == nil:
			issued++
		case landmark.KindOf(err) != landmark.Conflict:
			t.Errorf("error = %v, want Conflict", err)
		}
	}
	r, err := st.Record(ctx, "", time.Time{}, atIssue, shanghai)
	if err != nil {
		t.Fatal(err)
	}
	if issued != 1 || len(r.Chases) != 1 || r.Chases[0].Month != month9 {
		t.Fatalf("%d issued, chases %v, want one of each", issued, r.Chases)
	}
	lines, err := st.History(ctx, store.HistoryFilter{PlanID: r.Plan.ID, DepartmentID: r.Chases[0].DepartmentID, Month: month9}, 50)
	if err != nil {
		t.Fatal(err)
	}
	acts := map[string]int{}
	for _, l := range lines {
		acts[l.Act]++
	}
	if acts["letter.issue"] != 1 || acts["chase.send"] != 1 {
		t.Errorf("history has %v", acts)
	}

	// Frozen: neither the letterhead nor what is reported later touches it.
	before, err := s.IssuedLetter(ctx, r, month9, "民政局")
	if err != nil || before.Number() != "桐政办函〔2023〕7号" {
		t.Fatalf("issued as %q (%v), want number 7", before.Number(), err)
	}
	file, err := s.LetterFile(ctx, r, month9, "民政局")
	if err != nil {
		t.Fatal(err)
	}
	var again bytes.Buffer
	if err := before.WriteDOCX(&again); err != nil || !bytes.Equal(again.Bytes(), file) {
		t.Errorf("the frozen text gives another file (%v)", err)
	}
	head.Version, head.Sign = 1, "桐乡市人民政府办公室督查科"
	if err := s.SetLetterhead(ctx, office, clerk, "", head, atIssue); err != nil {
		t.Fatal(err)
	}
	send(t, st, month9, []reporting.ValueInput{{Code: "9.3", Value: "20", Reason: "补报"}}, moment(10, 16, 9))
	after, err := s.IssuedLetter(ctx, r, month9, "民政局")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, after, cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })); diff != "" {
		t.Errorf("the letter changed after it went out:\n%s", diff)
	}
	if kept, err := s.LetterFile(ctx, r, month9, "民政局"); err != nil || !bytes.Equal(kept, file) {
		t.Errorf("the file changed (%v)", err)
	}
	list, err := s.Letters(ctx, "", month9, moment(10, 17, 9))
	if err != nil || len(list) != 1 || list[0].Issued == nil || list[0].Missing != 0 {
		t.Errorf("the month's letters are %+v (%v)", list, err)
	}
	if _, err := save(version, "request", "再改"); landmark.KindOf(err) != landmark.Conflict {
		t.Errorf("saved after the issue: error = %v, want Conflict", err)
	}
}
