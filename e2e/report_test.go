package e2e

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// typeIn types into a field as a person does, over what it holds.
func typeIn(t *testing.T, ctx context.Context, selector, text string) {
	t.Helper()
	do(t, ctx, chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`(e => { e.focus(); e.select() })(document.querySelector(%q))`, selector)))
	if utf8.RuneCountInString(text) == len(text) && len(text) < 40 {
		do(t, ctx, chromedp.SendKeys(selector, text))
		return
	}
	// As an input method or the clipboard gives it: in one piece.
	if _, err := chromedp.Call(ctx, input.InsertText, input.InsertTextParams{Text: text}); err != nil {
		t.Fatal(err)
	}
}

// judged waits until the page has said how what was typed would be judged.
func judged(t *testing.T, ctx context.Context, id string) {
	t.Helper()
	do(t, ctx, chromedp.WaitReady("#"+id+"-live .status"))
}

// holds fails the test unless an element holds a text.
func holds(t *testing.T, ctx context.Context, selector, want string) {
	t.Helper()
	if got := get(t, ctx, chromedp.Text(selector)); !strings.Contains(got, want) {
		t.Errorf("%s says %q, want %q", selector, got, want)
	}
}

const (
	saveButton   = `.actions button[value="save"]`
	submitButton = `.actions button[value="submit"]`
)

// A month's way from the reporter's phone through the office and back.
func TestMonthInTheBrowser(t *testing.T) {
	t.Parallel()
	base := startServer(t).URL
	const form = "/reports/2023-09"

	// On the phone: what is missing is said, then all is filled in and sent.
	reporter := as(t, base, "reporter-renshe")
	phone(t, reporter)
	open(t, reporter, base+"/reports", http.StatusOK)
	holds(t, reporter, ".notice", "催报9月数据")
	if got := press(t, reporter, submitButton); got != http.StatusUnprocessableEntity {
		t.Fatalf("an empty form: %d, want 422", got)
	}
	if got := get(t, reporter, chromedp.Evaluate[string](`document.activeElement.className`)); got != "errsum" {
		t.Errorf("the focus is on %q, want the summary", got)
	}
	axe(t, reporter)
	fits(t, reporter)
	shot(t, reporter, "report-refused-phone")
	do(t, reporter, chromedp.Click(`.errsum a[href="#i7-1"]`))
	typeIn(t, reporter, "#i7-1", "36")
	judged(t, reporter, "i7-1")
	typeIn(t, reporter, "#i7-2", "41.5")
	do(t, reporter, chromedp.Click(`#i7-3-row input[type="checkbox"]`))
	judged(t, reporter, "i7-2")
	judged(t, reporter, "i7-3")
	if got := get(t, reporter, chromedp.Value("#i7-3")); got != "78" {
		t.Errorf("无变化 put %q into the field, want 78", got)
	}
	holds(t, reporter, "#sum", "已填 3/3 项")
	for _, id := range get(t, reporter, chromedp.Evaluate[[]string](`[...document.querySelectorAll('.field__warn:not([hidden]) textarea')].map(e => '#' + e.id)`)) {
		typeIn(t, reporter, id, "评定安排在四季度")
	}
	shot(t, reporter, "report-filled-phone")
	if got := press(t, reporter, submitButton); got != http.StatusOK {
		t.Fatalf("submit: %d\n%s", got, words(t, reporter))
	}
	holds(t, reporter, ".flash", "已提交3项指标")
	fits(t, reporter)

	// The office returns one with a reason, and approves the others.
	office := as(t, base, "office")
	open(t, office, base+"/review", http.StatusOK)
	do(t, office, chromedp.Evaluate[chromedp.Void](`document.querySelector('#renshe').open = true`))
	do(t, office, chromedp.Evaluate[chromedp.Void](`document.querySelectorAll('#renshe input[type=checkbox]').forEach((e, i) => { e.checked = i === 1 })`))
	if got := press(t, office, `#renshe button[value="return"]`); got != http.StatusUnprocessableEntity {
		t.Fatalf("a return without a reason: %d, want 422", got)
	}
	holds(t, office, "#reason-renshe-e", "请写明为什么退回")
	axe(t, office)
	typeIn(t, office, "#reason-renshe", "与学子码后台的数不一致,请核对")
	if got := press(t, office, `#renshe button[value="return"]`); got != http.StatusOK {
		t.Fatalf("return: %d", got)
	}
	holds(t, office, ".flash", "已退回 1 项")
	do(t, office, chromedp.Evaluate[chromedp.Void](`document.querySelector('#renshe').open = true`))
	if got := press(t, office, `#renshe button[value="approve"]`); got != http.StatusOK {
		t.Fatalf("approve: %d", got)
	}
	holds(t, office, ".flash", "已通过 2 项")

	// The reporter puts it right; then asks to correct an approved one.
	open(t, reporter, base+form, http.StatusOK)
	holds(t, reporter, "#i7-2-row .frow__state", "与学子码后台的数不一致")
	typeIn(t, reporter, "#i7-2", "42.1")
	if got := press(t, reporter, submitButton); got != http.StatusOK {
		t.Fatalf("submit again: %d\n%s", got, words(t, reporter))
	}
	if got := press(t, reporter, `#i7-1-row a.btn`); got != http.StatusOK {
		t.Fatalf("更正: %d", got)
	}
	typeIn(t, reporter, "#i7-1", "35")
	do(t, reporter, chromedp.WaitVisible("#i7-1-reason"))
	typeIn(t, reporter, "#i7-1-reason", "一家企业尚在公示,不应计入")
	if got := press(t, reporter, submitButton); got != http.StatusOK {
		t.Fatalf("correct: %d\n%s", got, words(t, reporter))
	}
	holds(t, reporter, ".flash", "更正")
	open(t, office, base+"/indicators/7.1?month=2023-09", http.StatusOK)
	open(t, office, base+"/review", http.StatusOK)
	do(t, office, chromedp.Evaluate[chromedp.Void](`document.querySelector('#renshe').open = true`))
	holds(t, office, "#renshe", "原核定值 36")
	if got := press(t, office, `#renshe button[value="approve"]`); got != http.StatusOK {
		t.Fatalf("approve the correction: %d", got)
	}
	open(t, office, base+form+"?department=renshe", http.StatusOK)
	if got := strings.Join(texts(t, office, ".frow__shown"), " "); got != "35 42.1 78" {
		t.Errorf("the month reads %q, want 35 42.1 78", got)
	}
}

// Two tabs, a double click, the back button, a session that ends, no script:
// nothing typed is lost.
func TestNothingTypedIsLost(t *testing.T) {
	t.Parallel()
	base := startServer(t).URL
	form := base + "/reports/2023-10"

	t.Run("two tabs", func(t *testing.T) {
		one, two := as(t, base, "reporter-weijian"), as(t, base, "reporter-weijian")
		open(t, one, form, http.StatusOK)
		open(t, two, form, http.StatusOK)
		typeIn(t, one, "#i3-1", "15100")
		if got := press(t, one, saveButton); got != http.StatusOK {
			t.Fatalf("save in the first tab: %d", got)
		}
		typeIn(t, two, "#i3-1", "15200")
		if got := press(t, two, saveButton); got != http.StatusConflict {
			t.Fatalf("save in the second tab: %d, want 409", got)
		}
		holds(t, two, "#i3-1-differ", "15100")
		holds(t, two, "#i3-1-differ", "15200")
		axe(t, two)
		shot(t, two, "report-stale")
		if got := press(t, two, saveButton); got != http.StatusOK { // mine, as chosen beforehand
			t.Fatalf("save one's own version: %d", got)
		}
		if got := get(t, two, chromedp.Value("#i3-1")); got != "15200" {
			t.Errorf("the field holds %q, want 15200", got)
		}
	})
	t.Run("double click and back", func(t *testing.T) {
		ctx := as(t, base, "reporter-jianshe")
		open(t, ctx, form, http.StatusOK)
		typeIn(t, ctx, "#i6-5", "4800")
		if res, err := chromedp.RunResponse(ctx, chromedp.DoubleClick(saveButton)); err != nil || res.Status != http.StatusOK {
			t.Fatalf("double click: %v %v", res, err)
		}
		do(t, ctx, chromedp.WaitReady(".flash"))
		do(t, ctx, chromedp.NavigateBack())
		if got := get(t, ctx, chromedp.Value("#i6-5")); got != "4800" {
			t.Errorf("after the back button the field holds %q, want 4800", got)
		}
	})
	t.Run("session ended", func(t *testing.T) {
		ctx := as(t, base, "reporter-jiaoyu")
		open(t, ctx, form, http.StatusOK)
		typeIn(t, ctx, "#i2-1", "4600")
		do(t, ctx, chromedp.WaitReady("#i2-1-live .status"))
		if _, err := chromedp.Call(ctx, network.ClearBrowserCookies, cdp.Empty{}); err != nil {
			t.Fatal(err)
		}
		typeIn(t, ctx, "#i2-2", "7")
		do(t, ctx, chromedp.WaitVisible(".form-page > .notice[role=status] a")) // the script noticed
		if got := press(t, ctx, saveButton); got != http.StatusUnauthorized {
			t.Fatalf("save without a session: %d, want 401", got)
		}
		if got := strings.Join(get(t, ctx, chromedp.Evaluate[[]string](`[...document.querySelectorAll('.lost textarea')].map(e => e.value)`)), " "); !strings.Contains(got, "4600") || !strings.Contains(got, "7") {
			t.Errorf("the page holds %q", got)
		}
		axe(t, ctx)
		shot(t, ctx, "report-signed-out")
		carry(t, ctx, base, session(t, base, "reporter-jiaoyu"))
		// A fresh form offers what this browser kept; the page itself can be sent again.
		again := get(t, ctx, chromedp.Evaluate[string](`location.href`))
		if got := press(t, ctx, saveButton); got != http.StatusOK {
			t.Fatalf("send again from %s: %d", again, got)
		}
		if got := get(t, ctx, chromedp.Value("#i2-1")); got != "4600" {
			t.Errorf("the field holds %q, want 4600", got)
		}
		typeIn(t, ctx, "#i2-1", "4700")
		open(t, ctx, form, http.StatusOK)
		do(t, ctx, chromedp.Click(".form-page > .notice[role=status] button"))
		if got := get(t, ctx, chromedp.Value("#i2-1")); got != "4700" {
			t.Errorf("the browser gave back %q, want 4700", got)
		}
	})
	t.Run("without script", func(t *testing.T) {
		ctx := as(t, base, "reporter-xuanchuan")
		if _, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
			t.Fatal(err)
		}
		open(t, ctx, form, http.StatusOK)
		do(t, ctx, chromedp.SendKeys("#i8-1", "90"), chromedp.Click(`#i8-3-row input[type="checkbox"]`))
		if got := press(t, ctx, saveButton); got != http.StatusOK {
			t.Fatalf("save: %d", got)
		}
		holds(t, ctx, "#i8-1-live", "正常")
		if got := press(t, ctx, submitButton); got != http.StatusUnprocessableEntity {
			t.Fatalf("submit before the month opens: %d, want 422", got)
		}
		holds(t, ctx, ".errsum", "10月31日")
		if got := fmt.Sprint(get(t, ctx, chromedp.Value("#i8-1"))); got != "90" {
			t.Errorf("the field holds %q, want 90", got)
		}
	})
}
