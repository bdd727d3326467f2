package reporting_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"landmark/internal/landmark"
	"landmark/internal/reporting"
	"landmark/internal/store"
)

func (w *town) form(t testing.TB, name string, in reporting.FormInput, at time.Time) reporting.Form {
	t.Helper()
	_, u := w.who(name)
	in.Plan, in.Month = slug, june
	f, err := w.work.Form(t.Context(), u, in, at)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func rowOf(t testing.TB, f reporting.Form, code string) reporting.FormRow {
	t.Helper()
	for _, r := range f.Rows {
		if r.Indicator.Code == code {
			return r
		}
	}
	t.Fatalf("the form has no row %s", code)
	return reporting.FormRow{}
}

func rules(fs []landmark.Finding) []string {
	var out []string
	for _, f := range fs {
		out = append(out, f.Code+" "+f.Field+" "+f.Rule)
	}
	return out
}

// What cannot be submitted is refused with a sentence beside each field, and what
// was typed is kept, letter by letter.
func TestRefusedFormIsKept(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		typed map[string]reporting.Typed
		want  []string
	}{
		{"nothing", map[string]reporting.Typed{}, []string{"1.1 value missing", "1.2 value missing", "1.3 step missing"}},
		{"one of three", map[string]reporting.Typed{"1.1": {Value: ptr("12")}}, []string{"1.2 value missing", "1.3 step missing"}},
		{"words and decimals", map[string]reporting.Typed{"1.1": {Value: ptr("十二")}, "1.2": {Value: ptr("110.5")}, "1.3": {Step: ptr("推进中")}},
			[]string{"1.1 value number", "1.2 value number"}},
		{"negative", map[string]reporting.Typed{"1.1": {Value: ptr("-1")}, "1.2": {Value: ptr("110")}, "1.3": {Step: ptr("推进中")}}, []string{"1.1 value negative"}},
		{"no such step", map[string]reporting.Typed{"1.1": {Value: ptr("12")}, "1.2": {Value: ptr("110")}, "1.3": {Step: ptr("飞跃")}}, []string{"1.3 step step"}},
		{"behind without a reason", map[string]reporting.Typed{"1.1": {Value: ptr("7")}, "1.2": {Value: ptr("110")}, "1.3": {Step: ptr("推进中")}}, []string{"1.1 reason turns_behind"}},
		{"no change of nothing", map[string]reporting.Typed{"1.1": {NoChange: ptr(true)}, "1.2": {Value: ptr("110")}, "1.3": {Step: ptr("推进中")}}, []string{"1.1 value no_change"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := inTx(t)
			by, u := w.who("jia")
			in := reporting.FormInput{Plan: slug, Month: june, Key: reporting.NewKey(), Indicators: c.typed}
			_, err := w.work.Submit(t.Context(), by, u, in, july4)
			check, ok := errors.AsType[*reporting.CheckError](err)
			if !ok {
				t.Fatalf("error = %v, want a CheckError", err)
			}
			if diff := cmp.Diff(c.want, rules(check.Findings)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if n := w.rows(t)["report"]; n != 0 || len(w.acts(t)) != 0 {
				t.Errorf("%d reports and acts %v, want none", n, w.acts(t))
			}
			form := w.form(t, "jia", reporting.FormInput{}, july4)
			for code, typed := range c.typed {
				row := rowOf(t, form, code)
				if typed.Value != nil && row.Fields.Value != *typed.Value || typed.Step != nil && row.Fields.Step != *typed.Step || row.Version != check.Versions[code] || !row.Open {
					t.Errorf("%s kept as %+v at version %d", code, row.Fields, row.Version)
				}
			}
			// Put right, the form goes through with the very same key.
			right := juneForm()
			right.Key = in.Key
			for code, typed := range right.Indicators {
				typed.Version, typed.NoChange = check.Versions[code], ptr(false)
				right.Indicators[code] = typed
			}
			w.submit(t, "jia", right, july4)
		})
	}
}

func TestSoftCheckWithAReason(t *testing.T) {
	t.Parallel()
	w := inTx(t)
	in := juneForm()
	in.Indicators["1.1"] = reporting.Typed{Value: ptr("7"), Reason: ptr("下半年集中建设")}
	w.submit(t, "jia", in, july4)
	_, office := w.who("office")
	q, err := w.work.Queue(t.Context(), office, slug, june, july4)
	if err != nil {
		t.Fatal(err)
	}
	item := q.Waiting[0].Items[0]
	if len(item.Findings) != 1 || !strings.Contains(item.Findings[0], "滞后") || item.Report.Reason != "下半年集中建设" || item.Would.Light != landmark.Behind || q.Waiting[0].Attention != 1 {
		t.Errorf("the reviewer sees %+v", item)
	}
}

// 无变化 sends the last value of the year, also one that still waits.
func TestNoChange(t *testing.T) {
	t.Parallel()
	w := inTx(t)
	w.submit(t, "jia", juneForm(), july4)
	july := june + 1
	in := reporting.FormInput{Plan: slug, Month: july, Indicators: map[string]reporting.Typed{
		"1.1": {NoChange: ptr(true), Reason: ptr("本月没有验收")}, "1.2": {Value: ptr("120")}, "1.3": {NoChange: ptr(true)}}}
	w.submit(t, "jia", in, july4.AddDate(0, 1, 0))
	ind, _ := w.plan.Indicator("1.1")
	got := w.record(t, july4.AddDate(0, 1, 0)).Report(ind.ID, july)
	if got.Amount.Decimal.String() != "12" {
		t.Errorf("no change sent %v, want 12", got.Amount)
	}
	steps, _ := w.plan.Indicator("1.3")
	if got := w.record(t, july4.AddDate(0, 1, 0)).Report(steps.ID, july); got.Step != "推进中" {
		t.Errorf("no change sent step %q, want 推进中", got.Step)
	}
}

// What is not owed may be left out, and may be filled in.
func TestNotOwed(t *testing.T) {
	t.Parallel()
	w := inTx(t)
	in := juneForm()
	in.Indicators["1.4"] = reporting.Typed{Value: ptr("8"), Reason: ptr("年中核算")}
	if got := w.submit(t, "jia", in, july4).Sent; !slices.Contains(got, "1.4") {
		t.Errorf("sent %v, want 1.4 among them", got)
	}
}

func TestWindow(t *testing.T) {
	t.Parallel()
	day := func(m, d int) time.Time { return time.Date(2023, time.Month(m), d, 23, 59, 0, 0, shanghai) }
	for _, c := range []struct {
		name   string
		at     time.Time
		reason string
		ok     bool
	}{
		{"before the last day", day(6, 29), "", false},
		{"on the last day", day(6, 30), "", true},
		{"late", day(7, 9), "", true},
		{"last day before the lock", day(7, 15), "", true},
		{"locked", day(7, 16), "", false},
		{"locked, with a reason", day(7, 16), "经办人休假漏报", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := inTx(t)
			by, u := w.who("jia")
			in := juneForm()
			for code, typed := range in.Indicators {
				typed.Reason = &c.reason
				in.Indicators[code] = typed
			}
			receipt, err := w.work.Submit(t.Context(), by, u, in, c.at)
			if c.ok != (err == nil) || !c.ok && landmark.KindOf(err) != landmark.Invalid {
				t.Fatalf("error = %v", err)
			}
			if locked := c.name == "locked, with a reason"; c.ok && locked != (len(receipt.Corrections) == 3) {
				t.Errorf("corrections = %v", receipt.Corrections)
			}
			if !c.ok && rowOf(t, w.form(t, "jia", reporting.FormInput{}, c.at), "1.1").Fields.Value != "12" {
				t.Error("what was typed is lost")
			}
		})
	}
}

// Two tabs: the second, older one is shown both versions; what the other saved
// stays until the person decides.
func TestTwoTabs(t *testing.T) {
	t.Parallel()
	w := inTx(t)
	by, u := w.who("jia")
	save := func(version int, value, note string) (reporting.Receipt, error) {
		return w.work.Save(t.Context(), by, u, reporting.FormInput{Plan: slug, Month: june, Indicators: map[string]reporting.Typed{
			"1.1": {Version: version, Value: &value, Note: &note}, "1.2": {Value: ptr("")}},
			Tasks: map[string]reporting.TaskTyped{"1-1": {Version: &version, Note: &note}}}, july4)
	}
	if _, err := save(0, "12", "第一页"); err != nil {
		t.Fatal(err)
	}
	if _, err := save(0, "12", "第一页"); err != nil {
		t.Errorf("the very same again: %v", err)
	}
	_, err := save(0, "13", "第二页")
	stale, ok := errors.AsType[*reporting.StaleError](err)
	if !ok || landmark.KindOf(err) != landmark.Conflict {
		t.Fatalf("error = %v, want a StaleError", err)
	}
	want := []reporting.StaleRow{{Code: "1.1", Version: 1, Theirs: reporting.Fields{Value: "12", Note: "第一页"}, Mine: reporting.Fields{Value: "13", Note: "第二页"}, SavedBy: "填报员甲", SavedAt: july4}}
	if diff := cmp.Diff(want, stale.Rows); diff != "" {
		t.Errorf("both versions (-want +got):\n%s", diff)
	}
	if len(stale.Tasks) != 1 || stale.Tasks[0].TheirNote != "第一页" || stale.Tasks[0].MyNote != "第二页" {
		t.Errorf("both versions of the task: %+v", stale.Tasks)
	}
	if got := rowOf(t, w.form(t, "jia", reporting.FormInput{}, july4), "1.1").Fields.Value; got != "12" {
		t.Errorf("saved value = %q, want 12", got)
	}
	if _, err := save(stale.Rows[0].Version, "13", "第二页"); err != nil {
		t.Errorf("going on: %v", err)
	}
}

// What the database cannot hold is refused with a sentence; odd bytes do no harm.
func TestUnkeepableText(t *testing.T) {
	t.Parallel()
	w := inTx(t)
	by, u := w.who("jia")
	_, err := w.work.Save(t.Context(), by, u, reporting.FormInput{Plan: slug, Month: june, Indicators: map[string]reporting.Typed{
		"1.1": {Note: ptr(strings.Repeat("长", 4001))}, "1.2": {Reason: ptr(strings.Repeat("长", 2001)), Value: ptr(strings.Repeat("9", 201))}},
		Tasks: map[string]reporting.TaskTyped{"1-1": {State: ptr("unheard")}}}, july4)
	check, ok := errors.AsType[*reporting.CheckError](err)
	if !ok {
		t.Fatalf("error = %v, want a CheckError", err)
	}
	if diff := cmp.Diff([]string{"1.1 note length", "1.2 value length", "1.2 reason length", "1-1 task_state state"}, rules(check.Findings)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if _, err := w.work.Save(t.Context(), by, u, reporting.FormInput{Plan: slug, Month: june, Indicators: map[string]reporting.Typed{
		"1.1": {Value: ptr("1\x002\xff"), Note: ptr("一\r\n二")}}}, july4); err != nil {
		t.Fatal(err)
	}
	if got := rowOf(t, w.form(t, "jia", reporting.FormInput{}, july4), "1.1").Fields; got.Value != "12" || got.Note != "一\n二" {
		t.Errorf("kept %+v", got)
	}
	for _, key := range []string{"short", strings.Repeat("k", 65), strings.Repeat("\x00", 20)} {
		if _, err := w.work.Save(t.Context(), by, u, reporting.FormInput{Plan: slug, Month: june, Key: key}, july4); landmark.KindOf(err) != landmark.Invalid {
			t.Errorf("key %q: error = %v, want Invalid", key, err)
		}
	}
}

// Tasks: a form's note is said once, states are the lead department's, and who
// supports a project sees no unapproved figure.
func TestTasksInTheForm(t *testing.T) {
	t.Parallel()
	w := inTx(t)
	in := reporting.FormInput{Plan: slug, Month: june, Tasks: map[string]reporting.TaskTyped{"1-1": {Note: ptr("已派人支援")}},
		Indicators: map[string]reporting.Typed{"2.1": {Value: ptr("11")}}}
	if got := w.submit(t, "builder", in, july4).Tasks; !slices.Equal(got, []string{"1-1"}) {
		t.Errorf("tasks = %v, want 1-1", got)
	}
	by, u := w.who("builder")
	if _, err := w.work.Submit(t.Context(), by, u, in, july4); landmark.KindOf(err) != landmark.Invalid {
		t.Errorf("the same again without a key: error = %v, want Invalid", err)
	}
	form := w.form(t, "builder", reporting.FormInput{}, july4)
	if len(form.Rows) != 1 || form.Rows[0].Indicator.Code != "2.1" {
		t.Errorf("form rows = %d, want 2.1 alone", len(form.Rows))
	}
	for _, task := range form.Tasks {
		if task.Task.Code == "1-1" && (task.Lead || task.Note != "" || len(task.Latest) != 1 || task.Latest[0].Note != "已派人支援") {
			t.Errorf("task 1-1 shows %+v", task)
		}
	}
	_, jia := w.who("jia")
	if _, err := w.work.Form(t.Context(), jia, reporting.FormInput{Plan: slug, Month: june, DepartmentID: u.DepartmentID}, july4); landmark.KindOf(err) != landmark.Forbidden {
		t.Errorf("another department's form: error = %v, want Forbidden", err)
	}
	lead := reporting.FormInput{Plan: slug, Month: june, Tasks: map[string]reporting.TaskTyped{"1-0": {Note: ptr("总起")}}}
	by, u = w.who("jia")
	if _, err := w.work.Save(t.Context(), by, u, lead, july4); landmark.KindOf(err) != landmark.Invalid {
		t.Errorf("a lead sentence: error = %v, want Invalid", err)
	}
}

func zipOf(t testing.TB, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range names {
		f, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte("<x/>")); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func ole(streams ...string) []byte {
	b := []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
	for _, s := range streams {
		b = append(b, make([]byte, 16)...)
		for _, c := range []byte(s) {
			b = append(b, c, 0)
		}
		b = append(b, 0, 0)
	}
	return b
}

// Files are known by what is in them.
func TestEvidenceTypes(t *testing.T) {
	t.Parallel()
	w := inTx(t)
	by, u := w.who("jia")
	big := append([]byte("%PDF-1.7"), make([]byte, reporting.MaxFile)...)
	for _, c := range []struct {
		name      string
		content   []byte
		kept      string // name
		mediaType string // empty: refused
	}{
		{"清单.pdf", []byte("%PDF-1.7"), "清单.pdf", "application/pdf"},
		{"a.png", []byte("\x89PNG\r\n\x1a\n…"), "a.png", "image/png"},
		{"a.jpg", []byte("\xff\xd8\xff\xe0"), "a.jpg", "image/jpeg"},
		{"表.xlsx", zipOf(t, "[Content_Types].xml", "xl/workbook.xml"), "表.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
		{"文.docx", zipOf(t, "[Content_Types].xml", "word/document.xml"), "文.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
		{"片.pptx", zipOf(t, "[Content_Types].xml", "ppt/presentation.xml"), "片.pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
		{"旧.doc", ole("WordDocument"), "旧.doc", "application/msword"},
		{"旧.xls", ole("Workbook"), "旧.xls", "application/vnd.ms-excel"},
		{`C:\tmp\..\清单 "9月".pdf`, []byte("%PDF-1.7"), "清单 9月.pdf", "application/pdf"},
		{"../../etc/passwd\r\n.pdf", []byte("%PDF-1.7"), "passwd.pdf", "application/pdf"},
		{"", []byte("%PDF-1.7"), "未命名", "application/pdf"},
		{strings.Repeat("长", 300) + ".pdf", []byte("%PDF-1.7"), strings.Repeat("长", 196) + ".pdf", "application/pdf"},
		{"宏.xlsx", zipOf(t, "[Content_Types].xml", "xl/workbook.xml", "xl/vbaProject.bin"), "", ""},
		{"宏.xls", ole("Workbook", "_VBA_PROJECT"), "", ""},
		{"密.xlsx", ole("EncryptedPackage"), "", ""},
		{"压缩.docx", zipOf(t, "word/document.xml"), "", ""},
		{"压缩.zip", zipOf(t, "a.txt"), "", ""},
		{"假.pdf", []byte("<html><script>"), "", ""},
		{"程序.pdf", []byte("MZ\x90\x00"), "", ""},
		{"坏.xlsx", []byte("PK\x03\x04…"), "", ""},
		{"空.pdf", nil, "", ""},
		{"大.pdf", big, "", ""},
	} {
		form := w.form(t, "jia", reporting.FormInput{}, july4)
		_, err := w.work.Save(t.Context(), by, u, reporting.FormInput{Plan: slug, Month: june, Indicators: map[string]reporting.Typed{
			"1.1": {Version: version(form, "1.1"), Files: []reporting.Upload{{Name: c.name, Content: c.content}}}}}, july4)
		if c.mediaType == "" {
			check, ok := errors.AsType[*reporting.CheckError](err)
			if !ok || !slices.Equal(rules(check.Findings), []string{"1.1 evidence file"}) {
				t.Errorf("%s: error = %v, want a CheckError", c.name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		row := rowOf(t, w.form(t, "jia", reporting.FormInput{}, july4), "1.1")
		file := row.Files[len(row.Files)-1]
		if file.Name != c.kept || file.MediaType != c.mediaType || file.Size != len(c.content) {
			t.Errorf("%s kept as %q, %s, %d bytes", c.name, file.Name, file.MediaType, file.Size)
		}
		if _, err := w.work.Save(t.Context(), by, u, reporting.FormInput{Plan: slug, Month: june, Indicators: map[string]reporting.Typed{
			"1.1": {Version: row.Version, Remove: []int64{file.ID}}}}, july4); err != nil {
			t.Fatal(err)
		}
	}
	if got := rowOf(t, w.form(t, "jia", reporting.FormInput{}, july4), "1.1").Files; len(got) != 0 {
		t.Errorf("%d files left after taking each away", len(got))
	}
}

// A file goes with what was sent, is kept once, and is for the department and the
// office alone.
func TestEvidenceGoesWithTheReport(t *testing.T) {
	t.Parallel()
	w := inTx(t)
	in := juneForm()
	file := reporting.Upload{Name: "清单.pdf", Content: []byte("%PDF-1.7 清单")}
	in.Indicators["1.1"] = reporting.Typed{Value: ptr("12"), Files: []reporting.Upload{file}}
	receipt := w.submit(t, "jia", in, july4)
	form := w.form(t, "jia", reporting.FormInput{}, july4)
	row := rowOf(t, form, "1.1")
	if len(row.Sent) != 1 || len(row.Files) != 1 || row.Sent[0].ID != row.Files[0].ID {
		t.Fatalf("files %+v, sent %+v", row.Files, row.Sent)
	}
	by, jia := w.who("jia")
	if _, err := w.work.Save(t.Context(), by, jia, reporting.FormInput{Plan: slug, Month: june, Indicators: map[string]reporting.Typed{
		"1.1": {Version: receipt.Versions["1.1"], Files: []reporting.Upload{file}}}}, july4); err != nil {
		t.Fatal(err)
	}
	if n := w.rows(t)["evidence"]; n != 1 {
		t.Errorf("the same file twice makes %d, want 1", n)
	}
	if n := slices.Index(w.acts(t), "evidence.upload"); n < 0 {
		t.Error("the history does not tell of the file")
	}
	id := row.Sent[0].ID
	for name, may := range map[string]bool{"jia": true, "bing": true, "office": true, "builder": false, "buildlead": false, "viewer": false, "nobody": false} {
		_, u := w.who(name)
		_, content, err := w.work.Evidence(t.Context(), u, id)
		if may && (err != nil || !bytes.Equal(content, file.Content)) {
			t.Errorf("%s: error = %v", name, err)
		}
		if !may && (landmark.KindOf(err) != landmark.NotFound || content != nil) {
			t.Errorf("%s: error = %v, want NotFound", name, err)
		}
	}
	if _, _, err := w.work.Evidence(t.Context(), jia, 1<<40); landmark.KindOf(err) != landmark.NotFound {
		t.Errorf("no such file: error = %v, want NotFound", err)
	}
	var files []reporting.Upload
	for range 11 {
		files = append(files, reporting.Upload{Name: reporting.NewKey() + ".pdf", Content: []byte("%PDF-1.7")})
	}
	_, err := w.work.Save(t.Context(), by, jia, reporting.FormInput{Plan: slug, Month: june, Indicators: map[string]reporting.Typed{
		"1.2": {Version: receipt.Versions["1.2"], Files: files}}}, july4)
	if landmark.KindOf(err) != landmark.Invalid || w.rows(t)["evidence"] != 1 {
		t.Errorf("eleven files: error = %v, %d kept", err, w.rows(t)["evidence"])
	}
}

// The form on a fresh database, and who may see it.
func TestFormShows(t *testing.T) {
	t.Parallel()
	w := inTx(t)
	welfare := w.people["jia"].DepartmentID
	f := w.form(t, "jia", reporting.FormInput{}, july4)
	if !f.Mine || len(f.Rows) != 4 || len(f.Tasks) != 2 || len(f.Scenarios) != 1 || f.Window != landmark.Open {
		t.Errorf("form: mine %v, %d rows, %d tasks, %d scenarios, %s", f.Mine, len(f.Rows), len(f.Tasks), len(f.Scenarios), f.Window)
	}
	if rowOf(t, f, "1.4").Owed || !rowOf(t, f, "1.1").Owed {
		t.Error("1.4 is owed in June, or 1.1 is not")
	}
	live := w.form(t, "jia", reporting.FormInput{Indicators: map[string]reporting.Typed{"1.1": {Value: ptr("5")}}}, july4)
	row := rowOf(t, live, "1.1")
	if row.Would == nil || row.Would.Light != landmark.Critical || len(row.Findings) != 1 || w.rows(t)["report_draft"] != 0 {
		t.Errorf("typed and not saved: %+v", row)
	}
	for name, want := range map[string]landmark.ErrorKind{"office": "", "bing": "", "viewer": landmark.Forbidden, "buildlead": landmark.Forbidden, "nobody": landmark.Forbidden} {
		_, u := w.who(name)
		_, err := w.work.Form(t.Context(), u, reporting.FormInput{Plan: slug, Month: june, DepartmentID: welfare}, july4)
		if landmark.KindOf(err) != want || want == "" && err != nil {
			t.Errorf("%s: error = %v, want kind %q", name, err, want)
		}
	}
	if _, err := w.work.Form(t.Context(), w.people["jia"], reporting.FormInput{Plan: slug, Month: june - 2}, july4); landmark.KindOf(err) != landmark.NotFound {
		t.Errorf("a month before the plan: error = %v, want NotFound", err)
	}
}

// A chase is shown at the next visit of each, once, and counted.
func TestChase(t *testing.T) {
	t.Parallel()
	w := inTx(t)
	by, u := w.who("office")
	late := time.Date(2023, 7, 7, 9, 0, 0, 0, shanghai)
	if _, err := w.work.Chase(t.Context(), by, u, slug, []string{"民政局"}, june, late); err != nil {
		t.Fatal(err)
	}
	q, err := w.work.Queue(t.Context(), u, slug, june, late)
	if err != nil {
		t.Fatal(err)
	}
	if len(q.Missing) != 2 || len(q.Missing[0].Chases) != 1 || q.Missing[0].LateDays != 2 || len(q.Missing[0].Owed) != 3 {
		t.Errorf("missing = %+v", q.Missing)
	}
	for _, name := range []string{"jia", "wu", "bing"} {
		if got := w.form(t, name, reporting.FormInput{}, late).Reminders; len(got) != 1 || got[0].By != "审核员乙" || got[0].Month != june {
			t.Errorf("%s is shown %+v", name, got)
		}
		if got := w.form(t, name, reporting.FormInput{}, late).Reminders; len(got) != 0 {
			t.Errorf("%s is shown it again", name)
		}
	}
	w.submit(t, "jia", juneForm(), late)
	if _, err := w.work.Chase(t.Context(), by, u, slug, []string{"minzheng"}, june, late); landmark.KindOf(err) != landmark.Conflict {
		t.Errorf("chasing who has sent all: error = %v, want Conflict", err)
	}
}

// The queue of office and leader.
func TestQueue(t *testing.T) {
	t.Parallel()
	w := inTx(t)
	queue := func(name string) reporting.Queue {
		_, u := w.who(name)
		q, err := w.work.Queue(t.Context(), u, slug, june, july4)
		if err != nil {
			t.Fatal(err)
		}
		return q
	}
	if err := w.store.RequireSignOff(t.Context(), w.people["jia"].DepartmentID, true); err != nil {
		t.Fatal(err)
	}
	w.submit(t, "jia", juneForm(), july4)
	if q := queue("office"); len(q.Waiting) != 0 || len(q.Unsigned) != 1 || len(q.Missing) != 1 {
		t.Errorf("office before the signature: %d waiting, %d unsigned, %d missing", len(q.Waiting), len(q.Unsigned), len(q.Missing))
	}
	if q := queue("bing"); len(q.Waiting) != 1 || len(q.Waiting[0].Items) != 3 {
		t.Errorf("leader: %+v", q.Waiting)
	}
	if q := queue("buildlead"); len(q.Waiting) != 0 {
		t.Errorf("another leader sees %+v", q.Waiting)
	}
	by, u := w.who("bing")
	if _, err := w.work.SignOff(t.Context(), by, u, w.seen(t, "1.1", "1.2", "1.3"), july4); err != nil {
		t.Fatal(err)
	}
	q := queue("office")
	if len(q.Waiting) != 1 || len(q.Unsigned) != 0 || len(queue("bing").Waiting) != 0 {
		t.Errorf("office after the signature: %d waiting, %d unsigned", len(q.Waiting), len(q.Unsigned))
	}
	by, u = w.who("office")
	var all []store.Seen
	for _, item := range q.Waiting[0].Items {
		all = append(all, store.Seen{ReportID: item.Report.ID, Revision: item.Report.Revision})
	}
	if _, err := w.work.Approve(t.Context(), by, u, all, july4); err != nil {
		t.Fatal(err)
	}
	if q := queue("office"); len(q.Waiting) != 0 || len(q.Passed) != 1 || q.Passed[0].Department.Name != "民政局" {
		t.Errorf("office after approving: %+v", q.Passed)
	}
	_, viewer := w.who("viewer")
	if _, err := w.work.Queue(t.Context(), viewer, slug, june, july4); landmark.KindOf(err) != landmark.Forbidden {
		t.Errorf("viewer: error = %v, want Forbidden", err)
	}
}

// A form refused and put right in place, as after going back or from a script,
// is the same form with the same key: what it saved itself does not stand in its
// way. What somebody else saved meanwhile does.
func TestRefusedFormPutRight(t *testing.T) {
	t.Parallel()
	w := inTx(t)
	form := func(value string) reporting.FormInput {
		in := juneForm()
		in.Key = "AAAABBBBCCCCDDDD"
		note := "任务" + value
		in.Indicators["1.1"] = reporting.Typed{Value: &value}
		in.Tasks = map[string]reporting.TaskTyped{"1-1": {Version: ptr(0), Note: &note}}
		return in
	}
	submit := func(name, value string) error {
		by, u := w.who(name)
		_, err := w.work.Submit(t.Context(), by, u, form(value), july4)
		return err
	}
	for _, wrong := range []string{"x", "-1", "x"} {
		if _, ok := errors.AsType[*reporting.CheckError](submit("jia", wrong)); !ok {
			t.Fatalf("%q: error is no CheckError", wrong)
		}
	}
	if err := submit("jia", "12"); err != nil {
		t.Fatalf("put right: %v", err)
	}
	if err := submit("jia", "12"); err != nil {
		t.Errorf("sent again: %v", err)
	}
	if err := submit("jia", "13"); landmark.KindOf(err) != landmark.Invalid {
		t.Errorf("changed after it was taken: %v", err)
	}
}

// What a colleague saved between a refusal and the form put right is not
// overwritten.
func TestRefusedFormOvertaken(t *testing.T) {
	t.Parallel()
	w := inTx(t)
	submit := func(value string) error {
		by, u := w.who("jia")
		in := juneForm()
		in.Key, in.Indicators["1.1"] = "AAAABBBBCCCCDDDD", reporting.Typed{Value: &value}
		_, err := w.work.Submit(t.Context(), by, u, in, july4)
		return err
	}
	if _, ok := errors.AsType[*reporting.CheckError](submit("x")); !ok {
		t.Fatal("no CheckError")
	}
	by, u := w.who("wu")
	colleague := w.form(t, "wu", reporting.FormInput{}, july4)
	if _, err := w.work.Save(t.Context(), by, u, reporting.FormInput{Plan: slug, Month: june, Indicators: map[string]reporting.Typed{
		"1.1": {Version: version(colleague, "1.1"), Value: ptr("14")}}}, july4); err != nil {
		t.Fatal(err)
	}
	if _, ok := errors.AsType[*reporting.StaleError](submit("12")); !ok {
		t.Error("what a colleague saved meanwhile was overwritten")
	}
}

// A script that does not say what its form was filled from may go over its own
// drafts, never over those of somebody else.
func TestFormWithoutVersions(t *testing.T) {
	t.Parallel()
	w := inTx(t)
	save := func(name, value string) error {
		by, u := w.who(name)
		_, err := w.work.Save(t.Context(), by, u, reporting.FormInput{Plan: slug, Month: june, Indicators: map[string]reporting.Typed{
			"1.1": {Blind: true, Value: &value}}}, july4)
		return err
	}
	for _, value := range []string{"12", "13"} {
		if err := save("jia", value); err != nil {
			t.Errorf("own draft: %v", err)
		}
	}
	if _, ok := errors.AsType[*reporting.StaleError](save("wu", "14")); !ok {
		t.Error("a colleague's draft was overwritten")
	}
}

// What was typed for a figure stands in nobody's way once the office has said that
// the indicator goes by steps: the form has no field to empty it.
func TestFieldsOfAnotherKind(t *testing.T) {
	t.Parallel()
	w := inTx(t)
	by, u := w.who("jia")
	wrong := juneForm()
	for code, typed := range wrong.Indicators {
		if typed.Step != nil {
			typed.Value = ptr("5")
		} else {
			typed.Step = ptr("推进中")
		}
		wrong.Indicators[code] = typed
	}
	if _, err := w.work.Submit(t.Context(), by, u, wrong, july4); err == nil {
		t.Fatal("figures for steps were taken")
	}
	form := w.form(t, "jia", reporting.FormInput{}, july4)
	right := juneForm()
	for code, typed := range right.Indicators {
		typed.Version = version(form, code)
		right.Indicators[code] = typed
	}
	if _, err := w.work.Submit(t.Context(), by, u, right, july4); err != nil {
		t.Errorf("put right: %v", err)
	}
}
