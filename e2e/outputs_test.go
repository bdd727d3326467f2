package e2e

import (
	"context"
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
