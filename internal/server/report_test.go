package server_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"landmark/internal/landmark"
	"landmark/internal/reporting"
	"landmark/internal/server"
)

// reportWorld has a reporter and a leader of each of two departments, and moves
// the clock to the day September opens for them.
func reportWorld(t *testing.T, change ...func(*server.Config)) *world {
	t.Helper()
	w := newWorld(t, change...)
	w.account("office", landmark.RoleOffice, "")
	w.account("viewer", landmark.RoleViewer, "")
	w.account("reporter", landmark.RoleReporter, "minzheng")
	w.account("colleague", landmark.RoleReporter, "minzheng")
	w.account("leader", landmark.RoleLeader, "minzheng")
	w.account("other", landmark.RoleReporter, "jiaoyu")
	w.clock.mu.Lock()
	w.clock.now = time.Date(2023, 10, 4, 9, 0, 0, 0, shanghai)
	w.clock.mu.Unlock()
	return w
}

const september = "/reports/2023-09"

// minzheng is an ordinary September of the department, with reasons where a light
// turns to trouble.
func minzheng(key string) []string {
	return []string{"key", key, "action", "submit",
		"value[4.1]", "25.31", "revision[4.1]", "0", "reason[4.1]", "证书10月集中核发",
		"value[4.2]", "36.2", "revision[4.2]", "0",
		"value[4.3]", "2", "revision[4.3]", "0",
		"value[4.4]", "60", "revision[4.4]", "0",
		"value[9.1]", "23", "revision[9.1]", "0",
		"value[9.2]", "4", "revision[9.2]", "0",
		"value[9.3]", "90", "revision[9.3]", "0"}
}

// with changes fields of a form; an empty value takes one away.
func with(pairs []string, changes ...string) []string {
	var out []string
	for i := 0; i < len(pairs); i += 2 {
		value := pairs[i+1]
		for j := 0; j < len(changes); j += 2 {
			if changes[j] == pairs[i] {
				value = changes[j+1]
			}
		}
		if value != "" {
			out = append(out, pairs[i], value)
		}
	}
	for j := 0; j < len(changes); j += 2 {
		known := false
		for i := 0; i < len(pairs); i += 2 {
			known = known || pairs[i] == changes[j]
		}
		if !known {
			out = append(out, changes[j], changes[j+1])
		}
	}
	return out
}

func (w *world) record() *landmark.Record {
	w.t.Helper()
	r, err := w.st.Record(w.t.Context(), "", time.Time{}, w.clock.Now(), shanghai)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// reportOf is where an indicator's September stands.
func (w *world) reportOf(code string) landmark.Report {
	w.t.Helper()
	r := w.record()
	ind, err := r.Plan.Indicator(code)
	if err != nil {
		w.t.Fatal(err)
	}
	return r.Report(ind.ID, landmark.MonthOf(2023, 9))
}

var keyField = regexp.MustCompile(`name="key" value="([A-Z2-7]+)"`)

// keyOf is the key of a rendered form.
func keyOf(t *testing.T, page string) string {
	t.Helper()
	m := keyField.FindStringSubmatch(page)
	if m == nil {
		t.Fatal("the form has no key")
	}
	return m[1]
}

func wantStatus(t *testing.T, res *http.Response, want int) string {
	t.Helper()
	page := bodyOf(t, res)
	if res.StatusCode != want {
		t.Fatalf("status %d, want %d: %s %s", res.StatusCode, want, textOf(t, page, "h1"), textOf(t, page, "main"))
	}
	return page
}

func TestReportIsSubmittedOnce(t *testing.T) {
	t.Parallel()
	w := reportWorld(t)
	b := w.enter("reporter")
	key := keyOf(t, wantStatus(t, b.get(september), http.StatusOK))
	var wg sync.WaitGroup
	const times = 20
	answers := make([]int, times)
	for i := range times {
		wg.Go(func() {
			form := url.Values{}
			for j, pairs := 0, minzheng(key); j < len(pairs); j += 2 {
				form.Set(pairs[j], pairs[j+1])
			}
			rec := httptest.NewRecorder()
			w.srv.Handler().ServeHTTP(rec, b.request(t.Context(), http.MethodPost, september, form.Encode()))
			answers[i] = rec.Code
		})
	}
	wg.Wait()
	for i, got := range answers {
		if got != http.StatusSeeOther {
			t.Errorf("time %d: %d, want 303", i+1, got)
		}
	}
	if got := w.reportOf("4.1"); got.State != landmark.StateSubmitted || got.Revision != 1 {
		t.Errorf("4.1 is %s at revision %d, want submitted at 1", got.State, got.Revision)
	}
	page := wantStatus(t, b.post(september, with(minzheng(key), "value[4.2]", "37")...), http.StatusUnprocessableEntity)
	if !strings.Contains(page, "已经提交过") || !strings.Contains(page, `value="37"`) {
		t.Error("another form under the same key is not refused with what was typed")
	}
}

func TestReportRefusedKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	w := reportWorld(t)
	b := w.enter("reporter")
	res := b.post(september, with(minzheng(reporting.NewKey()), "value[4.2]", "", "value[9.2]", "三", "note[4.1]", "见<附件>", "reason[4.1]", "")...)
	page := wantStatus(t, res, http.StatusUnprocessableEntity)
	summary := page[strings.Index(page, `class="errsum"`):]
	summary = summary[:strings.Index(summary, "</ul>")]
	for _, want := range []string{`href="#i4-2"`, `href="#i9-2"`, `href="#i4-1-reason"`} {
		if !strings.Contains(summary, want) {
			t.Errorf("the summary has no link %s:\n%s", want, summary)
		}
	}
	for _, want := range []string{`value="三"`, "见&lt;附件&gt;", `id="i4-2-e"`, `id="i9-2-e"`, `id="i4-1-reason-e"`, `value="36.2"`} {
		if want == `value="36.2"` {
			if strings.Contains(page, want) {
				t.Error("the emptied field holds a value")
			}
		} else if !strings.Contains(page, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	if got := w.reportOf("4.3").State; got != landmark.StateNone {
		t.Errorf("4.3 is %s, want nothing sent", got)
	}
	// Put right, the same page goes through.
	wantStatus(t, b.post(september, with(minzheng(keyOf(t, page)), "revision[4.1]", "1", "revision[4.3]", "1", "revision[4.4]", "1",
		"revision[9.1]", "1", "revision[9.2]", "1", "revision[9.3]", "1", "reason[4.1]", "证书10月集中核发")...), http.StatusSeeOther)
	if got := w.reportOf("4.2").State; got != landmark.StateSubmitted {
		t.Errorf("4.2 is %s, want submitted", got)
	}
}

func TestReportDraftIsNotValidated(t *testing.T) {
	t.Parallel()
	w := reportWorld(t)
	b := w.enter("reporter")
	wantStatus(t, b.post(september, "key", reporting.NewKey(), "action", "save", "value[4.2]", "大约三十", "revision[4.2]", "0", "task_note[4-1]", "写了一半", "revision[4-1]", "0"), http.StatusSeeOther)
	page := wantStatus(t, b.get(september), http.StatusOK)
	for _, want := range []string{"大约三十", "写了一半", "草稿已保存"} {
		if !strings.Contains(page, want) {
			t.Errorf("the form does not show %s", want)
		}
	}
	if page := wantStatus(t, w.enter("office").get(september+"?department=minzheng"), http.StatusOK); strings.Contains(page, `<form id="report"`) {
		t.Error("the office can fill in")
	}
}

func TestReportStale(t *testing.T) {
	t.Parallel()
	w := reportWorld(t)
	one, two := w.enter("reporter"), w.enter("colleague")
	wantStatus(t, one.post(september, "action", "save", "value[4.2]", "36.2", "note[4.2]", "甲写的", "revision[4.2]", "0"), http.StatusSeeOther)
	page := wantStatus(t, two.post(september, "action", "save", "value[4.2]", "36.5", "note[4.2]", "乙写的", "revision[4.2]", "0", "value[4.3]", "2", "revision[4.3]", "0"), http.StatusConflict)
	for _, want := range []string{"36.2", "甲写的", "36.5", "乙写的", "reporter", `name="pick_value[4.2]"`, `name="revision[4.2]" value="1"`, `value="2"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not show %s", want)
		}
	}
	if page := wantStatus(t, one.get(september), http.StatusOK); strings.Contains(page, "乙写的") {
		t.Error("the stale form was taken")
	}
	// By field: my value, their note.
	wantStatus(t, two.post(september, "key", keyOf(t, page), "action", "save", "value[4.2]", "36.5", "note[4.2]", "乙写的", "revision[4.2]", "1",
		"pick_value[4.2]", "mine", "pick_note[4.2]", "theirs"), http.StatusSeeOther)
	page = wantStatus(t, one.get(september), http.StatusOK)
	if !strings.Contains(page, `value="36.5"`) || !strings.Contains(page, "甲写的") || strings.Contains(page, "乙写的") {
		t.Error("the merge is not value of one and note of the other")
	}
}

// A script that posts again and again, with the key of one form or with none, and
// never says what it was filled from: each answer is about what it sent.
func TestReportFromAScript(t *testing.T) {
	t.Parallel()
	w := reportWorld(t)
	b := w.enter("reporter")
	form := minzheng("")
	for i := len(form) - 2; i >= 0; i -= 2 {
		if strings.HasPrefix(form[i], "revision[") {
			form = append(form[:i], form[i+2:]...)
		}
	}
	key := keyOf(t, wantStatus(t, b.get(september), http.StatusOK))
	for _, key := range []string{"", key} {
		for wrong, says := range map[string]string{"abc": "要填阿拉伯数字", "36.234": "小数点后最多2位", "-1": "不能是负数"} {
			page := wantStatus(t, b.post(september, with(form, "key", key, "value[4.2]", wrong)...), http.StatusUnprocessableEntity)
			if !strings.Contains(page, says) || !strings.Contains(page, "还不能提交") {
				t.Errorf("4.2 = %q: the page does not say %q", wrong, says)
			}
		}
	}
	if page := wantStatus(t, w.enter("colleague").post(september, with(form, "action", "save", "value[4.2]", "36.2")...), http.StatusConflict); !strings.Contains(page, "36.2") {
		t.Error("what the colleague typed is lost")
	}
	wantStatus(t, b.post(september, with(form, "key", key, "task_state[4-1]", "已完成", "value[4.2]", "36.2")...), http.StatusSeeOther)
	r := w.record()
	_, task, err := r.Plan.Task("4-1")
	if err != nil {
		t.Fatal(err)
	}
	if got := r.TaskStateIn(task.ID, landmark.MonthOf(2023, 9)); got != landmark.TaskDone {
		t.Errorf("task 4-1 is %s, want done", got)
	}
	page := wantStatus(t, b.post(september, "action", "save", "note[4.1]", strings.Repeat("长", 4001)), http.StatusUnprocessableEntity)
	if !strings.Contains(page, "没有保存,有 1 处需要改正") || !strings.Contains(page, "指标4.1的情况说明有4001字,最多4000字") {
		t.Error("a draft that cannot be kept is not called so")
	}
	if page := wantStatus(t, w.enter("leader").post(september, "value[4.1]", "25.4"), http.StatusForbidden); !strings.Contains(page, "部门负责人只签核,不填数") {
		t.Error("the leader is not told why")
	}
}

// A month that is not open yet takes a draft and no report, and the page that says
// so goes on from that draft.
func TestReportBeforeTheMonthOpens(t *testing.T) {
	t.Parallel()
	w := reportWorld(t)
	b := w.enter("reporter")
	const october = "/reports/2023-10"
	page := wantStatus(t, b.post(october, "key", keyOf(t, wantStatus(t, b.get(october), http.StatusOK)), "action", "submit", "value[4.2]", "40", "revision[4.2]", "0"),
		http.StatusUnprocessableEntity)
	for _, want := range []string{"还不能提交", "2023年10月31日才开放,内容已存为草稿", `name="revision[4.2]" value="1"`, `value="40"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if strings.Contains(page, "没有保存") {
		t.Error("the page says that nothing was saved")
	}
	wantStatus(t, b.post(october, "key", keyOf(t, page), "action", "save", "value[4.2]", "41", "revision[4.2]", "1"), http.StatusSeeOther)
}

func TestReportOfOthers(t *testing.T) {
	t.Parallel()
	w := reportWorld(t)
	wantStatus(t, w.enter("reporter").post(september, "action", "save", "value[4.2]", "31.4159", "revision[4.2]", "0"), http.StatusSeeOther)
	for who, want := range map[string]int{"viewer": 403, "other": 403, "leader": 200, "office": 200} {
		b := w.enter(who)
		page := wantStatus(t, b.get(september+"?department=minzheng"), want)
		if want != http.StatusOK && strings.Contains(page, "31.4159") {
			t.Errorf("%s sees the draft of others", who)
		}
		for _, path := range []string{september, september + "?department=minzheng"} {
			if got := b.post(path, "action", "save", "value[4.2]", "99", "revision[4.2]", "1").StatusCode; got != http.StatusForbidden {
				t.Errorf("%s: POST %s = %d, want 403", who, path, got)
			}
		}
	}
	if page := wantStatus(t, w.enter("reporter").get(september), http.StatusOK); !strings.Contains(page, "31.4159") {
		t.Error("somebody else changed the draft")
	}
}

func TestReportExtraFieldsChangeNothing(t *testing.T) {
	t.Parallel()
	w := reportWorld(t)
	b := w.enter("reporter")
	extra := []string{"state[4.2]", "approved", "approved_by", "me", "department_id", "1", "account_id[4.2]", "1", "revision[7-9]", "3", "light[4.2]", "done", "correction[4.2]", "1", "plan", "x", "milestone[99-1:9]", "x"}
	res := b.post(september, append(minzheng(reporting.NewKey()), extra...)...)
	if res.StatusCode != http.StatusSeeOther && res.StatusCode != http.StatusNotFound && res.StatusCode != http.StatusForbidden {
		t.Fatalf("status %d", res.StatusCode)
	}
	if res.StatusCode == http.StatusSeeOther {
		if got := w.reportOf("4.2"); got.State != landmark.StateSubmitted || got.Correction {
			t.Errorf("4.2 is %s, correction %t", got.State, got.Correction)
		}
	} else if got := w.reportOf("4.2"); got.State != landmark.StateNone {
		t.Errorf("4.2 is %s after a refusal", got.State)
	}
	for name, form := range map[string]string{
		"value twice": "value[4.2]=1&value[4.2]=2&revision[4.2]=0", "key twice": "key=a&key=b", "revision in words": "value[4.2]=1&revision[4.2]=x",
		"other action": "action=approve&value[4.2]=1", "NUL": "value[4.2]=1%00",
	} {
		if got := b.send(http.MethodPost, september, form).StatusCode; got != http.StatusBadRequest {
			t.Errorf("%s: %d, want 400", name, got)
		}
	}
}

// upload sends a form with files; texts alternate name and value, files name,
// file name and content.
func (b *browser) upload(target string, texts []string, files ...string) *http.Response {
	b.w.t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	for i := 0; i < len(texts); i += 2 {
		if err := m.WriteField(texts[i], texts[i+1]); err != nil {
			b.w.t.Fatal(err)
		}
	}
	for i := 0; i < len(files); i += 3 {
		part, err := m.CreateFormFile(files[i], files[i+1])
		if err == nil {
			_, err = io.WriteString(part, files[i+2])
		}
		if err != nil {
			b.w.t.Fatal(err)
		}
	}
	if err := m.Close(); err != nil {
		b.w.t.Fatal(err)
	}
	r := b.request(b.w.t.Context(), http.MethodPost, target, body.String())
	r.Header.Set("Content-Type", m.FormDataContentType())
	rec := httptest.NewRecorder()
	b.w.srv.Handler().ServeHTTP(rec, r)
	return rec.Result()
}

func TestEvidence(t *testing.T) {
	t.Parallel()
	w := reportWorld(t)
	b := w.enter("reporter")
	save := func(version int) []string {
		return []string{"key", reporting.NewKey(), "action", "save", "value[4.2]", "36.2", "revision[4.2]", fmt.Sprint(version)}
	}
	wantStatus(t, b.upload(september, save(0), "evidence[4.2]", `..\..\证书 清单.pdf`, "%PDF-1.7 一份材料", "evidence[4.1]", "", ""), http.StatusSeeOther)
	page := wantStatus(t, b.get(september), http.StatusOK)
	m := regexp.MustCompile(`/evidence/(\d+)`).FindStringSubmatch(page)
	if m == nil {
		t.Fatal("the form has no link to the file")
	}
	res := b.get(m[0])
	if got := wantStatus(t, res, http.StatusOK); got != "%PDF-1.7 一份材料" {
		t.Errorf("the file came back as %q", got)
	}
	for name, want := range map[string]string{"Content-Type": "application/pdf", "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox"} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got := res.Header.Get("Content-Disposition"); !strings.HasPrefix(got, "attachment;") || strings.Contains(got, "..") {
		t.Errorf("Content-Disposition: %s", got)
	}
	for who, want := range map[string]int{"office": 200, "leader": 200, "other": 404, "viewer": 403} {
		if got := w.enter(who).get(m[0]).StatusCode; got != want {
			t.Errorf("%s: GET %s = %d, want %d", who, m[0], got, want)
		}
	}
	page = wantStatus(t, b.upload(september, save(1), "evidence[4.2]", "网页.pdf", "<html><script>alert(1)</script>"), http.StatusUnprocessableEntity)
	if !strings.Contains(page, `id="i4-2-file-e"`) || !strings.Contains(page, "重新选择") {
		t.Error("a page that calls itself a PDF is not refused beside its field")
	}
	page = wantStatus(t, b.upload(september, save(1), "evidence[4.2]", "大.pdf", "%PDF-"+strings.Repeat("x", reporting.MaxFile)), http.StatusUnprocessableEntity)
	if !strings.Contains(page, "超过20 MB") || !strings.Contains(page, `value="36.2"`) {
		t.Error("a file too large is not refused with the form as typed")
	}
	big := "%PDF-" + strings.Repeat("x", 16<<20)
	if got := b.upload(september, save(1), "evidence[4.2]", "1.pdf", big, "evidence[4.2]", "2.pdf", big, "evidence[4.2]", "3.pdf", big, "evidence[4.2]", "4.pdf", big).StatusCode; got != http.StatusRequestEntityTooLarge {
		t.Errorf("64 MB of files: %d, want 413", got)
	}
	left, err := os.ReadDir(os.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range left {
		if strings.HasPrefix(f.Name(), "multipart-") {
			t.Errorf("%s is left behind", f.Name())
		}
	}
	// Another department cannot take it away by way of a row of its own, nor by this one.
	w.enter("other").post(september, "key", reporting.NewKey(), "action", "save", "value[2.1]", "4000", "revision[2.1]", "0", "remove[2.1]", m[1])
	wantStatus(t, w.enter("other").post(september, "key", reporting.NewKey(), "action", "save", "revision[4.2]", "1", "remove[4.2]", m[1]), http.StatusForbidden)
	if page := wantStatus(t, b.get(september), http.StatusOK); !strings.Contains(page, m[0]) {
		t.Error("another department took the file away")
	}
	wantStatus(t, b.upload(september, []string{"key", reporting.NewKey(), "revision[4.2]", "1", "value[4.2]", "36.2", "remove[4.2]", m[1]}), http.StatusSeeOther)
	if page := wantStatus(t, b.get(september), http.StatusOK); strings.Contains(page, m[0]) {
		t.Error("the file is still with the draft")
	}
}

// scanned is a scanner for tests: it finds EICAR, and is away while told to be.
type scanned struct{ away atomic.Bool }

func (s *scanned) Scan(_ context.Context, content []byte) (string, error) {
	switch {
	case s.away.Load():
		return "", errors.New("reach clamd: connection refused")
	case bytes.Contains(content, []byte("EICAR")):
		return "Win.Test.EICAR_HDB-1", nil
	}
	return "", nil
}

// A file with a virus is refused beside its field with the form as typed; while no
// scanner answers no file is taken, and forms without files are.
func TestEvidenceIsScanned(t *testing.T) {
	t.Parallel()
	scanner := &scanned{}
	w := reportWorld(t, func(c *server.Config) { c.Scanner = scanner })
	b := w.enter("reporter")
	form := func(version int) []string {
		return []string{"key", reporting.NewKey(), "action", "save", "value[4.2]", "36.2", "note[4.2]", "第一稿", "revision[4.2]", fmt.Sprint(version)}
	}
	before := w.fingerprint()
	page := wantStatus(t, b.upload(september, form(0), "evidence[4.2]", "清单.pdf", "%PDF-1.7 一份", "evidence[4.1]", "表.pdf", "%PDF-1.7 EICAR"), http.StatusUnprocessableEntity)
	for _, want := range []string{`id="i4-1-file-e"`, "文件“表.pdf”查出了病毒(Win.Test.EICAR_HDB-1),没有收下", `value="36.2"`, "第一稿"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page of a refused file does not hold %s", want)
		}
	}
	if !strings.Contains(w.log.String(), `"msg":"virus in evidence"`) {
		t.Error("the log does not tell of the virus")
	}
	scanner.away.Store(true)
	page = wantStatus(t, b.upload(september, form(0), "evidence[4.2]", "清单.pdf", "%PDF-1.7 一份"), http.StatusServiceUnavailable)
	for _, want := range []string{"查不了病毒", "36.2", "第一稿"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page without a scanner does not hold %s", want)
		}
	}
	if strings.Contains(page, "clamd") {
		t.Error("the page names the scanner")
	}
	if diff := cmp.Diff(before, w.fingerprint()); diff != "" {
		t.Errorf("refused files changed the database (-before +after):\n%s", diff)
	}
	wantStatus(t, b.post(september, form(0)...), http.StatusSeeOther)
	scanner.away.Store(false)
	wantStatus(t, b.upload(september, form(1), "evidence[4.2]", "清单.pdf", "%PDF-1.7 一份"), http.StatusSeeOther)
}

func TestReportPreviewSavesNothing(t *testing.T) {
	t.Parallel()
	w := reportWorld(t)
	b := w.enter("reporter")
	page := wantStatus(t, b.post(september+"/preview", "value[4.2]", "36.2", "value[9.3]", "999", "value[9.2]", "三"), http.StatusOK)
	for _, want := range []string{`id="i4-2-live"`, "正常", "要填阿拉伯数字", "超过目标", `data-reason="原因`, "3/7"} {
		if !strings.Contains(page, want) {
			t.Errorf("the preview does not say %s:\n%s", want, page)
		}
	}
	if page := wantStatus(t, b.get(september), http.StatusOK); strings.Contains(page, `value="36.2"`) {
		t.Error("the preview was saved")
	}
}

func TestReportAfterTheSessionEnded(t *testing.T) {
	t.Parallel()
	w := reportWorld(t)
	b := w.enter("reporter")
	session := b.jar["landmark"]
	delete(b.jar, "landmark")
	texts := with(minzheng(reporting.NewKey()), "note[4.1]", "两行\r\n<说明>")
	for name, res := range map[string]*http.Response{"plain": b.post(september, texts...),
		"with files": b.upload(september, texts, "evidence[4.1]", "a.pdf", "%PDF-1")} {
		page := wantStatus(t, res, http.StatusUnauthorized)
		for _, want := range []string{"25.31", "&lt;说明&gt;", "证书10月集中核发", `name="revision[9.3]"`, "在新标签页登录", `action="` + september + `"`} {
			if !strings.Contains(page, want) {
				t.Errorf("%s: the page does not hold %s", name, want)
			}
		}
		if strings.Contains(page, "佐证文件没有保留") != (name == "with files") {
			t.Errorf("%s: wrong word of files", name)
		}
	}
	b.jar["landmark"] = session
	wantStatus(t, b.post(september, texts...), http.StatusSeeOther)
	if got := w.reportOf("4.1"); got.Note != "两行\n<说明>" {
		t.Errorf("note %q", got.Note)
	}
}

func TestReportMilestones(t *testing.T) {
	t.Parallel()
	w := reportWorld(t)
	b := w.enter("reporter")
	page := wantStatus(t, b.get(september), http.StatusOK)
	m := regexp.MustCompile(`name="milestone\[([0-9-]+):1\]"`).FindStringSubmatch(page)
	if m == nil {
		t.Fatal("the form has no scenario")
	}
	field := func(stage int) string { return fmt.Sprintf("milestone[%s:%d]", m[1], stage) }
	was := func(stage int) string { return fmt.Sprintf("milestone_was[%s:%d]", m[1], stage) }
	for range 2 { // a repeat changes nothing
		wantStatus(t, b.post(september, "action", "save", field(1), "2023-09-12", was(1), ""), http.StatusSeeOther)
	}
	if page := wantStatus(t, b.get("/scenarios?month=2023-09"), http.StatusOK); !strings.Contains(page, "9月12日") {
		t.Error("the stage is not shown")
	}
	page = wantStatus(t, b.post(september, "action", "submit", field(2), "2024-09-12", was(2), "", "value[4.2]", "36.2", "revision[4.2]", "0"), http.StatusUnprocessableEntity)
	if !strings.Contains(page, "日期不能晚于今天") {
		t.Error("a day to come is taken")
	}
	// What stands in the way of the form does not lose the day typed beside it, and
	// the day waits with the rest.
	page = wantStatus(t, b.post(september, "action", "submit", field(2), "2023-09-20", was(2), "", "value[4.2]", "三十六", "revision[4.2]", "1"), http.StatusUnprocessableEntity)
	if !strings.Contains(page, `value="2023-09-20"`) {
		t.Error("the day typed is lost")
	}
	if page := wantStatus(t, b.get("/scenarios?month=2023-09"), http.StatusOK); strings.Contains(page, "9月20日") {
		t.Error("the day is recorded though the form was refused")
	}
	if got := w.enter("other").post(september, "action", "save", field(1), "2023-09-01", was(1), "").StatusCode; got != http.StatusForbidden {
		t.Errorf("another department's scenario: %d, want 403", got)
	}
	wantStatus(t, b.post(september, "action", "save", field(1), "", was(1), "2023-09-12"), http.StatusSeeOther)
	if page := wantStatus(t, b.get("/scenarios?month=2023-09"), http.StatusOK); strings.Contains(page, "9月12日") {
		t.Error("the stage was not taken back")
	}
}
