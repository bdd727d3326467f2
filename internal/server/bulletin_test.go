package server_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"landmark/internal/bulletin"
	"landmark/internal/landmark"
	"landmark/internal/reporting"
	"landmark/internal/store"
)

// report puts approved values of September into the world.
func (w *world) report(amounts map[string]string, reason string) {
	w.t.Helper()
	ctx, now := w.t.Context(), w.clock.Now()
	var list []reporting.ValueInput
	for code, amount := range amounts {
		list = append(list, reporting.ValueInput{Code: code, Value: amount, Reason: reason})
	}
	work := reporting.New(w.st, shanghai)
	sent, err := work.Import(ctx, landmark.Actor{Name: "填报员"}, "", landmark.MonthOf(2023, 9), list, false, now)
	if err != nil {
		w.t.Fatal(err)
	}
	var seen []store.Seen
	for _, s := range sent {
		seen = append(seen, store.Seen{ReportID: s.ReportID, Revision: s.Revision})
	}
	if _, err := work.Approve(ctx, landmark.Actor{Name: "办公室"}, landmark.User{Role: landmark.RoleOffice}, seen, now); err != nil {
		w.t.Fatal(err)
	}
}

var versionField = regexp.MustCompile(`name="version" value="([0-9]+)"`)

func TestBulletinFromDraftToIssue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("office", landmark.RoleOffice, "")
	w.account("viewer", landmark.RoleViewer, "")
	w.report(map[string]string{"3.1": "13820", "8.3": "80", "2.1": "4590"}, "暑期筛查放缓")
	office, viewer := w.enter("office"), w.enter("viewer")
	const address = "/bulletins/2023-09"

	page := bodyOf(t, office.get(address))
	for _, want := range []string{"累计13820人,完成率69.1%", "暑期筛查放缓", "措施待补充", "应报23项", "民政局催办函"} {
		if !strings.Contains(strings.ReplaceAll(page, "，", ","), want) {
			t.Errorf("the draft lacks %q", want)
		}
	}
	if res := viewer.get(address); res.StatusCode != http.StatusNotFound {
		t.Errorf("a viewer asks for a draft: %d, want 404", res.StatusCode)
	}
	if res := office.post(address, "action", "issue", "version", "0", "text[overall.extra]", "滞后的有9项。"); res.StatusCode != http.StatusUnprocessableEntity {
		t.Fatalf("issue with faults: %d, want 422", res.StatusCode)
	} else if page := bodyOf(t, res); !strings.Contains(page, "手写数字") || !strings.Contains(page, "滞后的有9项。") || versionField.FindStringSubmatch(page)[1] != "1" {
		t.Error("the refused form lacks the fault, the text or the new version")
	}
	if res := office.post(address, "action", "save", "version", "0", "text[overall.extra]", "我的另一稿"); res.StatusCode != http.StatusConflict {
		t.Fatalf("save over somebody else's: %d, want 409", res.StatusCode)
	} else if page := bodyOf(t, res); !strings.Contains(page, "我的另一稿") || !strings.Contains(page, "滞后的有9项。") {
		t.Error("the refused form lacks one of the two versions")
	}
	if res := office.post(address, "action", "save", "version", "1", "text[overall.extra]", strings.Repeat("长", 4001)); res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a text too long: %d, want 422", res.StatusCode)
	}
	res := office.post(address, "action", "issue", "version", "1", "text[overall.extra]", "<b>请</b>重视。",
		"text[lagging.3.1.reason]", "肠镜预约排期较长。", "text[lagging.3.1.next]", "年底前完成剩余{{3.1.left}}。")
	if res.StatusCode != http.StatusSeeOther {
		t.Fatalf("issue: %d, want 303\n%s", res.StatusCode, bodyOf(t, res))
	}

	// What everybody sees is what went out, whatever comes after.
	w.report(map[string]string{"3.1": "15000"}, "核实后更正")
	frozen := bodyOf(t, viewer.get(address))
	for _, want := range []string{"&lt;b&gt;请&lt;/b&gt;重视。", "13820人", "年底前完成剩余6180人。", "〔2023〕1号", "SHA-256"} {
		if !strings.Contains(frozen, want) {
			t.Errorf("the issue lacks %q", want)
		}
	}
	if strings.Contains(frozen, "<textarea") || strings.Contains(frozen, "15000") {
		t.Error("the issue can be edited or has moved with the data")
	}
	file := []byte(bodyOf(t, viewer.get(address+"/file")))
	if _, err := zip.NewReader(bytes.NewReader(file), int64(len(file))); err != nil {
		t.Errorf("the file: %v", err)
	}
	if sum := fmt.Sprintf("%x", sha256.Sum256(file)); !strings.Contains(frozen, sum) {
		t.Error("the page names another hash than the file's")
	}
	if res := office.post(address, "action", "issue", "version", "2"); res.StatusCode != http.StatusConflict {
		t.Errorf("issue again: %d, want 409", res.StatusCode)
	}
	if res := viewer.get(address + "?as_of=2023-10-12T09:00"); res.StatusCode != http.StatusNotFound {
		t.Errorf("before it was issued: %d, want 404", res.StatusCode)
	}
	list := bodyOf(t, viewer.get("/bulletins"))
	if !strings.Contains(list, "关于2023年9月份共同富裕标志性成果进展情况的通报") || strings.Contains(list, "编写8月份") {
		t.Error("the list lacks the issue or offers a viewer to write one")
	}
	next, err := bulletin.New(w.st, shanghai).Draft(t.Context(), "", landmark.MonthOf(2023, 10), w.clock.Now())
	if err != nil || !strings.Contains(next.Text(), "由13820人更正为15000人") {
		t.Errorf("the next draft does not tell of the correction (%v)", err)
	}
}

// The file an office takes away says of every indicator what the export says, line
// by line, as both come out of the program.
func TestBulletinFileAgreesWithTheExport(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fillDemo()
	office := w.enter("office")
	export, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(bodyOf(t, office.get("/export/indicators.csv?month=2023-09")), "\ufeff"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := map[string]int{}
	for i, name := range export[0] {
		column[name] = i
	}
	var annex [][]string
	for _, row := range tableRows(t, bodyOf(t, office.get("/bulletins/2023-09/file"))) {
		if code := regexp.MustCompile(`^[0-9]+\.[0-9]+$`); len(row) == 11 && code.MatchString(row[0]) {
			annex = append(annex, row)
		}
	}
	if len(annex) != 30 || len(export) != 31 {
		t.Fatalf("the annex has %d rows, the export %d, want 30 and its head", len(annex), len(export))
	}
	bare := strings.NewReplacer("%", "", "‰", "", "+", "", "−", "-", "—", "", "★", "")
	same := func(a, b string) bool {
		x, errX := decimal.NewFromString(a)
		y, errY := decimal.NewFromString(b)
		return a == b || errX == nil && errY == nil && x.Equal(y)
	}
	values := 0
	for i, row := range annex {
		of := export[i+1]
		for at, name := range map[int]string{0: "code", 1: "project_name", 3: "lead", 5: "target", 6: "value", 7: "completion_pct", 8: "schedule_pct", 9: "gap_points"} {
			said, _, _ := strings.Cut(row[at], "（") // the month of a value that is older
			if want := strings.TrimPrefix(of[column[name]], "'"); !same(bare.Replace(said), want) {
				t.Errorf("%s %s: the file says %q, the export %q", row[0], name, row[at], want)
			}
		}
		if !strings.Contains(row[2], of[column["name"]]) {
			t.Errorf("%s: the file says %q, the export %q", row[0], row[2], of[column["name"]])
		}
		if want := landmark.Light(of[column["light"]]).Chinese(); !strings.HasPrefix(row[10], want) {
			t.Errorf("%s: the file says %q, the export %q", row[0], row[10], want)
		}
		if of[column["value"]] != "" {
			values++
		}
	}
	if values < 20 {
		t.Errorf("only %d indicators have a value: little is compared", values)
	}
}

// tableRows are the texts of the cells of all tables of a .docx file, by row.
func tableRows(t *testing.T, file string) (rows [][]string) {
	t.Helper()
	archive, err := zip.NewReader(strings.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	part, err := archive.Open("word/document.xml")
	if err != nil {
		t.Fatal(err)
	}
	decoder := xml.NewDecoder(part)
	for inText := false; ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return rows
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			switch e.Name.Local {
			case "tr":
				rows = append(rows, nil)
			case "tc":
				rows[len(rows)-1] = append(rows[len(rows)-1], "")
			case "t":
				inText = true
			}
		case xml.EndElement:
			inText = inText && e.Name.Local != "t"
		case xml.CharData:
			if n := len(rows); inText && n > 0 && len(rows[n-1]) > 0 {
				rows[n-1][len(rows[n-1])-1] += string(e)
			}
		}
	}
}

// The letterhead's form: kept, refused beside its field, refused to the second of
// two, shown in the draft's page with its 版记 after the annex.
func TestLetterheadForm(t *testing.T) {
	t.Parallel()
	w, b := office(t)
	w.report(map[string]string{"3.1": "13820"}, "筛查进度放缓")
	for name, c := range map[string]struct{ field, value, say string }{
		"no head":        {"org", " ", "请填写发文机关标志"},
		"number":         {"bulletin_number", "桐政办通12号", "发文字号由机关代字、年份、顺序号组成"},
		"used":           {"bulletin_used", "八", "已用到的号请写整数"},
		"braces":         {"copies", "{{total}}", "抄送机关里不能有花括号"},
		"letters number": {"letter_number", "共富通报〔{{year}}〕{{number}}号", "机关代字不能相同"},
	} {
		w.refused(name, http.StatusUnprocessableEntity, "letterhead-"+c.field, c.say, func() *http.Response { return b.fill("/admin/letterhead", "letterhead", c.field, c.value) })
	}
	other := w.enter("office")
	action, stale := formOf(t, bodyOf(t, other.get("/admin/letterhead")), "letterhead")
	b.done(b.fill("/admin/letterhead", "letterhead", "org", "桐乡市人民政府办公室文件", "bulletin_number", "桐政办通〔2023〕{n}号", "bulletin_used", "7", "copies", "市委办公室<br>"), "发文设置已保存")
	w.refused("second of two", http.StatusConflict, "", "刚被别人改动过", func() *http.Response { return other.send(http.MethodPost, action, stale.Encode()) })
	page := bodyOf(t, b.get("/admin/letterhead"))
	for _, want := range []string{"桐政办通〔2023〕8号", "通报文号 共富通报", "市委办公室&lt;br&gt;"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	draft := bodyOf(t, b.get("/bulletins/2023-09"))
	for _, want := range []string{`<p class="doc__org">桐乡市人民政府办公室文件</p>`, `<p class="doc__issue">桐政办通〔2023〕8号</p>`} {
		if !strings.Contains(draft, want) {
			t.Errorf("the draft lacks %q", want)
		}
	}
	if annex, imprint := strings.Index(draft, `class="tbl tbl--annex"`), strings.Index(draft, `<p class="doc__copies">抄送：市委办公室&lt;br&gt;。</p>`); annex < 0 || imprint < annex {
		t.Errorf("the annex stands at %d, the 版记 at %d", annex, imprint)
	}
	if !strings.Contains(bodyOf(t, b.get("/bulletins")), "/admin/letterhead") || strings.Contains(bodyOf(t, w.enter("viewer").get("/bulletins")), "/admin/letterhead") {
		t.Error("the list leads not the office, or also a viewer, to the letterhead")
	}
}

// A chase letter is edited on its page, issued once, and seen by the department as
// a reminder.
func TestLetterPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("office", landmark.RoleOffice, "")
	w.account("reporter", landmark.RoleReporter, "民政局")
	w.report(map[string]string{"3.1": "13820"}, "肠镜预约排期较长。")
	office := w.enter("office")
	const address = "/bulletins/2023-09/letters/minzheng"
	list := bodyOf(t, office.get("/bulletins/2023-09"))
	if !strings.Contains(list, `href="`+address) {
		t.Fatal("the bulletin's page does not lead to the letter")
	}
	page := bodyOf(t, office.get(address))
	for _, want := range []string{"催民政局报2023年9月数据的函", "可以印发", "{{missing}}", "同时记一次催报"} {
		if !strings.Contains(page, want) {
			t.Errorf("the draft lacks %q", want)
		}
	}
	if res := office.get(address + "/file"); !strings.Contains(res.Header.Get("Content-Disposition"), "draft") {
		t.Errorf("the draft's file: %d %q", res.StatusCode, res.Header.Get("Content-Disposition"))
	}
	if res := office.post(address, "action", "issue", "version", "0", "text[request]", "尚有9项<b>"); res.StatusCode != http.StatusUnprocessableEntity {
		t.Fatalf("issue with a typed figure: %d, want 422", res.StatusCode)
	} else if page := bodyOf(t, res); !strings.Contains(page, "手写数字") || !strings.Contains(page, "尚有9项&lt;b&gt;") || versionField.FindStringSubmatch(page)[1] != "1" {
		t.Error("the refused form lacks the fault, the text or the new version")
	}
	if res := office.post(address, "action", "save", "version", "0", "text[request]", "我的稿子"); res.StatusCode != http.StatusConflict {
		t.Errorf("save over another's: %d, want 409", res.StatusCode)
	} else if page := bodyOf(t, res); !strings.Contains(page, "我的稿子") || !strings.Contains(page, "尚有9项&lt;b&gt;") {
		t.Error("the refused form lacks one of the two versions")
	}
	if res := office.post(address, "action", "save", "version", "1", "text[request]", strings.Repeat("长", 4001)); res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a text too long: %d, want 422", res.StatusCode)
	}
	if res := office.post(address, "action", "send", "version", "1"); res.StatusCode != http.StatusBadRequest {
		t.Errorf("an unknown action: %d, want 400", res.StatusCode)
	}
	office.done(office.post(address, "action", "save", "version", "1", "text[request]", "请{{missing}}项一并补报。"), "草稿已保存")
	office.done(office.post(address, "action", "issue", "version", "2"), "催办函已印发")
	if res := office.post(address, "action", "issue", "version", "2"); res.StatusCode != http.StatusConflict {
		t.Errorf("issue again: %d, want 409", res.StatusCode)
	}
	frozen := bodyOf(t, office.get(address))
	file := []byte(bodyOf(t, office.get(address+"/file")))
	if strings.Contains(frozen, "<textarea") || !strings.Contains(frozen, "项一并补报。") || !strings.Contains(frozen, fmt.Sprintf("%x", sha256.Sum256(file))) {
		t.Error("the letter can be edited, lacks its text, or names another hash than its file's")
	}
	if got, want := strings.Count(bodyOf(t, office.get("/bulletins/2023-09")), "待印发"), strings.Count(list, "待印发")-1; got != want {
		t.Errorf("%d letters wait to be issued, want %d", got, want)
	}
	if page := bodyOf(t, w.enter("reporter").get("/")); !strings.Contains(page, "催报") {
		t.Error("the department is not reminded")
	}
}
