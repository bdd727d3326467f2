package e2e

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// becomes waits until an expression in the page is true, for as long as limit.
func becomes(t *testing.T, ctx context.Context, limit time.Duration, expression string) time.Duration {
	t.Helper()
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](expression))
		if ok && err == nil {
			return time.Since(began)
		}
		if ctx.Err() != nil {
			t.Fatalf("e2e: not within %s: %s", limit, expression)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// The key / leads to the search from any page; on a phone there is a link. The
// results are marked.
func TestSearchByKey(t *testing.T) {
	t.Parallel()
	base := demo(t)
	ctx := as(t, base, "viewer")
	open(t, ctx, base+"/key?month=2023-08", 200)
	// As a keyboard sends it: one event whose text the page can keep from being typed.
	for _, key := range []input.DispatchKeyEventParams{
		{Type: input.DispatchKeyEventTypeKeyDown, Key: "/", Text: "/"},
		{Type: input.DispatchKeyEventTypeKeyUp, Key: "/"},
	} {
		if _, err := chromedp.Call(ctx, input.DispatchKeyEvent, key); err != nil {
			t.Fatal(err)
		}
	}
	if got := get(t, ctx, chromedp.Evaluate[string](`document.activeElement.id`)); got != "find" {
		t.Fatalf("after / the focus is on %q", got)
	}
	do(t, ctx, chromedp.KeyEvent("lnst"), chromedp.KeyEvent(kb.Enter))
	becomes(t, ctx, 10*time.Second, `location.pathname === "/search" && document.readyState === "complete"`)
	if got := get(t, ctx, chromedp.Evaluate[string](`(document.querySelector(".hit mark")?.textContent ?? "") + location.search`)); !strings.HasPrefix(got, "老年食堂") || !strings.Contains(got, "month=2023-08") {
		t.Errorf("found %q", got)
	}
	// Typing a / into a field types it.
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.getElementById("find").value = ""`), chromedp.SendKeys("#find", "1/2"))
	if got := get(t, ctx, chromedp.Evaluate[string](`document.getElementById("find").value`)); got != "1/2" {
		t.Errorf("typed %q, want 1/2", got)
	}
	axe(t, ctx)
	phone(t, ctx)
	open(t, ctx, base+"/key", 200)
	do(t, ctx, chromedp.Click(".find-link", chromedp.NodeVisible))
	becomes(t, ctx, 10*time.Second, `location.pathname === "/search" && document.readyState === "complete"`)
	fits(t, ctx)
	axe(t, ctx)
	shot(t, ctx, "search-phone")
}

// An approval shows on the wall within five seconds; when the server is away the
// last good page stays and says since when, and it goes on when the server is back.
func TestWallRenewsItself(t *testing.T) {
	t.Parallel()
	s, err := launch(t.Context(), "--demo")
	if err != nil {
		t.Fatalf("e2e: %v", err)
	}
	running := s
	t.Cleanup(func() {
		if err := running.stop(); err != nil {
			t.Errorf("e2e: %v", err)
		}
	})
	ctx, _ := quietTab(t, patience) // a request to a server that is away is a complaint
	carry(t, ctx, s.URL, session(t, s.URL, "viewer"))
	do(t, ctx, chromedp.EmulateViewport(1920, 1080))
	open(t, ctx, s.URL+"/screen", 200)
	if get(t, ctx, chromedp.Evaluate[bool](`document.querySelector(".wall").textContent.includes("47.35")`)) {
		t.Fatal("the wall shows a value nobody has reported yet")
	}
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	values := exec.CommandContext(t.Context(), path, "values", "import", "-", "--month", "2023-09", "--by", "张三", "--approve")
	values.Env = append(os.Environ(), "DATA_DIR="+s.Dir, "DATABASE_URL=")
	values.Stdin = strings.NewReader("code,value,step,note,reason\n7.2,47.35,,,按名单核对\n")
	if out, err := values.CombinedOutput(); err != nil {
		t.Fatalf("approve: %v\n%s", err, out)
	}
	took := becomes(t, ctx, 10*time.Second, `document.querySelector(".wall").textContent.includes("47.35")`)
	if took > 5*time.Second {
		t.Errorf("the approval showed after %s", took)
	}
	axe(t, ctx)

	s.kill()
	becomes(t, ctx, 30*time.Second, `!document.querySelector(".wall__away").hidden`)
	said := get(t, ctx, chromedp.Text(".wall__away"))
	if !strings.Contains(said, "与服务器失去联系,画面停在 10月12日 09:3") {
		t.Errorf("the wall says %q", said)
	}
	if !get(t, ctx, chromedp.Evaluate[bool](`document.querySelector(".wall").textContent.includes("47.35")`)) {
		t.Error("the last good page is gone")
	}
	axe(t, ctx)
	shot(t, ctx, "wall-away")
	again, err := launch(t.Context(), "--demo", "--listen", strings.TrimPrefix(s.URL, "http://"), "DATA_DIR="+s.Dir)
	if err != nil {
		t.Fatalf("e2e: start again: %v", err)
	}
	if err := os.RemoveAll(again.Dir); err != nil { // it works in the first one's
		t.Fatal(err)
	}
	again.Dir, running = s.Dir, again
	becomes(t, ctx, 30*time.Second, `document.querySelector(".wall__away").hidden`)
}

// Without script the browser asks for the wall again itself.
func TestWallWithoutScript(t *testing.T) {
	t.Parallel()
	base := demo(t)
	ctx := as(t, base, "viewer")
	open(t, ctx, base+"/screen", 200)
	got := get(t, ctx, chromedp.Evaluate[string](`document.querySelector("noscript").textContent`))
	if !strings.Contains(got, `http-equiv="refresh" content="5"`) {
		t.Errorf("noscript holds %q", got)
	}
	// Asked again it costs an empty answer.
	const ask = `fetch("/screen", {cache: "no-store"}).then(async a => (await fetch("/screen", {cache: "no-store", headers: {"If-None-Match": a.headers.get("Etag")}})).status)`
	status := get(t, ctx, chromedp.Evaluate[int](ask, chromedp.EvalAwaitPromise))
	if status == 200 { // the minute may have passed between the two
		status = get(t, ctx, chromedp.Evaluate[int](ask, chromedp.EvalAwaitPromise))
	}
	if status != 304 {
		t.Errorf("asked again: %d, want 304", status)
	}
}

// The month form's sheet is there to be downloaded and an upload that is no
// workbook is refused beside the field.
func TestMonthSheetOnTheForm(t *testing.T) {
	t.Parallel()
	base := demo(t)
	ctx := as(t, base, "reporter-jiaotong")
	open(t, ctx, base+"/reports/2023-10", 200)
	do(t, ctx, chromedp.Click(".sheet-form summary", chromedp.NodeVisible), chromedp.WaitVisible("#sheet-file"))
	href := get(t, ctx, chromedp.Evaluate[string](`document.querySelector(".sheet-form__get a").getAttribute("href")`))
	size := get(t, ctx, chromedp.Evaluate[string](fmt.Sprintf(`fetch(%q).then(async r => r.status + " " + ((await r.arrayBuffer()).byteLength > 5000))`, href), chromedp.EvalAwaitPromise))
	if size != "200 true" {
		t.Errorf("%s: %s", href, size)
	}
	file := t.TempDir() + "/x.xlsx"
	if err := os.WriteFile(file, []byte("no workbook"), 0o644); err != nil {
		t.Fatal(err)
	}
	do(t, ctx, chromedp.SetUploadFiles("#sheet-file", []string{file}), chromedp.Click(".sheet-form button[value=save]"), chromedp.WaitVisible(".errsum"))
	if got := get(t, ctx, chromedp.Text(".errsum")); !strings.Contains(got, "不是 .xlsx 文件") {
		t.Errorf("refused with %q", got)
	}
	axe(t, ctx)
	shot(t, ctx, "sheet-refused")
	phone(t, ctx)
	fits(t, ctx)
}

// The office sets its letterhead, writes September's bulletin and issues it: what
// is refused stays on the form, what went out stays as it was.
func TestBulletinInTheBrowser(t *testing.T) {
	t.Parallel()
	base := startServer(t).URL
	ctx := as(t, base, "office")
	open(t, ctx, base+"/bulletins", 200)
	if got := press(t, ctx, `.page-head a[href^="/admin/letterhead"]`); got != 200 {
		t.Fatalf("the letterhead: %d", got)
	}
	turnedDown(t, ctx, "letterhead", "bulletin_number", "发文字号由机关代字、年份、顺序号组成", "bulletin_number", "桐政办通9号", "copies", "市委办公室")
	inspect(t, ctx, "letterhead-refused")
	taken(t, ctx, "letterhead", "发文设置已保存", "bulletin_number", "桐政办通〔2023〕{n}号", "bulletin_used", "8", "copies", "市委办公室，市人大常委会办公室",
		"letter_number", "桐政办函〔2023〕{n}号", "contact", "张三，电话0573-88000000")
	says(t, ctx, "桐政办通〔2023〕9号", "桐政办函〔2023〕1号", "抄送 市委办公室，市人大常委会办公室")
	told(t, ctx, base, "act=letterhead.set", "发文设置", "桐政办通")

	ctx = as(t, base, "office") // a tab has its time
	// The draft: faults lead to their fields, a refused form keeps what was typed.
	open(t, ctx, base+"/bulletins/2023-09", 200)
	says(t, ctx, "桐政办通〔2023〕9号", "抄送：市委办公室，市人大常委会办公室。", "措施待补充")
	do(t, ctx, chromedp.Click(".faults a", chromedp.NodeVisible))
	if got := get(t, ctx, chromedp.Evaluate[bool](`(e => !!e && e.getBoundingClientRect().top >= 0 && e.getBoundingClientRect().bottom <= innerHeight)(document.querySelector(location.hash.replace(/\./g, "\\.")))`)); !got {
		t.Error("the first fault does not lead to its field")
	}
	unfold(t, ctx)
	put(t, ctx, `[name="text[overall.extra]"]`, "滞后的有9项。")
	if got := press(t, ctx, `.bul button[value=issue]`); got != 422 {
		t.Fatalf("issued with faults: %d, want 422", got)
	}
	says(t, ctx, "自查有", "手写数字")
	if got := held(t, ctx, `[name="text[overall.extra]"]`); got != "滞后的有9项。" {
		t.Errorf("the refused form holds %q", got)
	}
	inspect(t, ctx, "bulletin-refused")
	unfold(t, ctx)
	put(t, ctx, `[name="text[overall.extra]"]`, "请各牵头单位抓紧。")
	if got := press(t, ctx, `.bul button[value=save]`); got != 200 {
		t.Fatalf("saved: %d, want 200", got)
	}
	holds(t, ctx, ".flash", "草稿已保存")

	// Somebody else's save in the meantime: both versions stand on the form.
	other := as(t, base, "office")
	open(t, other, base+"/bulletins/2023-09", 200)
	unfold(t, other)
	unfold(t, ctx)
	put(t, ctx, `[name="text[next.extra]"]`, "甲写的")
	if got := press(t, ctx, `.bul button[value=save]`); got != 200 {
		t.Fatalf("saved: %d, want 200", got)
	}
	put(t, other, `[name="text[next.extra]"]`, "乙写的")
	if got := press(t, other, `.bul button[value=save]`); got != 409 {
		t.Fatalf("saved over another's: %d, want 409", got)
	}
	says(t, other, "刚被别人改动过", "刚才别人保存的是:甲写的")
	if got := held(t, other, `[name="text[next.extra]"]`); got != "乙写的" {
		t.Errorf("the refused form holds %q", got)
	}
	inspect(t, other, "bulletin-conflict")

	// Every reason and next step written, it goes out.
	ctx = as(t, base, "office")
	open(t, ctx, base+"/bulletins/2023-09", 200)
	unfold(t, ctx)
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`for (const e of document.querySelectorAll(".bul textarea")) e.value = e.value.replace("原因待补充", "前期手续较多").replace("措施待补充", "由牵头单位倒排计划加快推进")`))
	if got := press(t, ctx, `.bul button[value=issue]`); got != 200 {
		t.Fatalf("issued: %d\n%s", got, words(t, ctx))
	}
	holds(t, ctx, ".flash", "2023年9月的通报已印发")
	says(t, ctx, "桐政办通〔2023〕9号", "请各牵头单位抓紧。", "SHA-256")
	if get(t, ctx, chromedp.Evaluate[bool](`!!document.querySelector("textarea")`)) {
		t.Error("the issue can be edited")
	}
	inspect(t, ctx, "bulletin-issued")
	name, file := download(t, ctx, ".page-head a[download]")
	if name != "bulletin-2023-09.docx" || len(file) < 5000 || !strings.Contains(words(t, ctx), fmt.Sprintf("%x", sha256.Sum256(file))) {
		t.Errorf("%s of %d bytes is not the file whose hash the page names", name, len(file))
	}
	printed(t, ctx)
	if got := get(t, ctx, chromedp.Evaluate[string](`[".app-head", ".page-head", ".app-foot", "#h-doc"].filter(s => { const e = document.querySelector(s); return e && getComputedStyle(e).display !== "none" }).join()`)); got != "" {
		t.Errorf("on paper there are also %s", got)
	}
	sheets := pdf(t, get(t, ctx, chromedp.PrintToPDF(chromedp.PDFPreferCSSPageSize())))
	if len(sheets) < 3 || len(sheets) > 6 || sheets[0][0] > sheets[0][1] || sheets[len(sheets)-1][0] < sheets[len(sheets)-1][1] {
		t.Errorf("printed on %v, want upright sheets and then turned ones", sheets)
	}
	told(t, ctx, base, "act=bulletin.issue", "印发通报")
	reading := as(t, base, "viewer")
	open(t, reading, base+"/bulletins", 200)
	says(t, reading, "桐政办通〔2023〕9号")
	saysNot(t, reading, "发文设置", "编写")
}

// A chase letter: refused, saved, issued once; the department is reminded.
func TestLetterInTheBrowser(t *testing.T) {
	t.Parallel()
	base := startServer(t).URL
	ctx := as(t, base, "office")
	open(t, ctx, base+"/bulletins/2023-09", 200)
	if got := press(t, ctx, `.letters a`); got != 200 {
		t.Fatalf("the letter: %d", got)
	}
	says(t, ctx, "催人社局报2023年9月数据的函", "可以印发", "学子码")
	put(t, ctx, `[name="text[missing.1]"]`, "")
	put(t, ctx, `[name="text[request]"]`, "请补报9项。")
	if got := press(t, ctx, `.bul button[value=issue]`); got != 422 {
		t.Fatalf("issued with faults: %d, want 422", got)
	}
	says(t, ctx, "手写数字", "没有写明")
	if got := held(t, ctx, `[name="text[request]"]`); got != "请补报9项。" {
		t.Errorf("the refused form holds %q", got)
	}
	inspect(t, ctx, "letter-refused")
	put(t, ctx, `[name="text[missing.1]"]`, "{{missing.1}}")
	put(t, ctx, `[name="text[request]"]`, "请于10月16日前补报{{missing}}项。")
	if got := press(t, ctx, `.bul button[value=save]`); got != 200 {
		t.Fatalf("saved: %d, want 200", got)
	}
	holds(t, ctx, ".flash", "草稿已保存")
	says(t, ctx, "请于10月16日前补报3项。")
	if got := press(t, ctx, `.bul button[value=issue]`); got != 200 {
		t.Fatalf("issued: %d, want 200", got)
	}
	holds(t, ctx, ".flash", "催办函已印发")
	inspect(t, ctx, "letter-issued")
	if name, file := download(t, ctx, ".page-head a[download]"); name != "letter-2023-09-renshe.docx" || len(file) < 3000 {
		t.Errorf("the file is %s of %d bytes", name, len(file))
	}
	told(t, ctx, base, "act=letter.issue", "印发催办函")
	open(t, ctx, base+"/departments/renshe", 200)
	says(t, ctx, "催报9月数据")
	reporter := as(t, base, "reporter-renshe")
	open(t, reporter, base+"/", 200)
	says(t, reporter, "催报")
}
