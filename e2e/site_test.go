package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// What the tests of the site's own pages share.

// sessions are the demo's sign-ins, one per server and account: an account may
// be signed in at few places only, and tests run side by side.
var sessions sync.Map // of server and account to func() (string, error)

// as opens a tab that is signed in to a demo server as one of its accounts; an
// empty account gives a visitor who is not signed in.
func as(t *testing.T, base, account string) context.Context {
	t.Helper()
	ctx := tab(t)
	if account != "" {
		carry(t, ctx, base, session(t, base, account))
	}
	return ctx
}

// session is the cookie of an account of a demo.
func session(t *testing.T, base, account string) string {
	t.Helper()
	signIn, _ := sessions.LoadOrStore(base+" "+account, sync.OnceValues(func() (string, error) {
		req, err := http.NewRequest(http.MethodPost, base+"/login/demo", strings.NewReader(url.Values{"account": {account}}.Encode()))
		if err != nil {
			return "", err
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", base)
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			return "", err
		}
		defer res.Body.Close()
		for _, c := range res.Cookies() {
			if c.Name == "landmark" && res.StatusCode == http.StatusSeeOther {
				return c.Value, nil
			}
		}
		return "", fmt.Errorf("sign in as %s: %s", account, res.Status)
	}))
	value, err := signIn.(func() (string, error))()
	if err != nil {
		t.Fatalf("e2e: %v", err)
	}
	return value
}

// carry gives the tab a session.
func carry(t *testing.T, ctx context.Context, base, value string) {
	t.Helper()
	_, err := chromedp.Call(ctx, network.SetCookie, network.SetCookieParams{Name: "landmark", Value: value, URL: base, HTTPOnly: new(true), SameSite: network.CookieSameSiteLax})
	if err != nil {
		t.Fatalf("e2e: set the session: %v", err)
	}
}

// open shows an address and fails the test unless the server answers with status.
func open(t *testing.T, ctx context.Context, address string, status int) {
	t.Helper()
	res := get(t, ctx, chromedp.NavigateResponse(address))
	if res == nil || int(res.Status) != status {
		t.Fatalf("%s: got %v, want status %d", address, res, status)
	}
}

// press clicks and waits for the page that follows, which it returns the status of.
func press(t *testing.T, ctx context.Context, selector string) int {
	t.Helper()
	res, err := chromedp.RunResponse(ctx, chromedp.Click(selector))
	if err != nil {
		t.Fatalf("e2e: click %s: %v", selector, err)
	}
	return int(res.Status)
}

// unfold opens all that can be folded, so that it is checked too.
func unfold(t *testing.T, ctx context.Context) {
	t.Helper()
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`for (const d of document.querySelectorAll('details')) d.open = true`))
}

// texts are the visible words of all elements a selector finds.
func texts(t *testing.T, ctx context.Context, selector string) []string {
	t.Helper()
	return get(t, ctx, chromedp.Evaluate[[]string](fmt.Sprintf(`[...document.querySelectorAll(%q)].map(e => e.innerText.replace(/\s+/g, ' ').trim())`, selector)))
}

// words is the text of the page, folded parts included, spaces made single.
func words(t *testing.T, ctx context.Context) string {
	t.Helper()
	return get(t, ctx, chromedp.Evaluate[string](`document.querySelector('main').textContent.replace(/\s+/g, ' ')`))
}

// crowded finds words that lie on other words, or reach out of the button or
// table cell they belong to.
const crowded = `(() => {
  const lines = [], found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let n = walk.nextNode(); n; n = walk.nextNode()) {
    const e = n.parentElement;
    if (!n.data.trim() || e.closest('svg, .vh, .skip, option, select, textarea') || !e.checkVisibility({visibilityProperty: true, opacityProperty: true})) continue;
    let hidden = false, seen = {top: -Infinity, left: -Infinity, bottom: Infinity, right: Infinity};
    for (let p = e; p && !hidden; p = p.parentElement) {
      const s = getComputedStyle(p);
      hidden = s.clipPath !== 'none' || s.position === 'fixed' || s.position === 'sticky';
      if (p !== document.body && p !== document.documentElement && s.overflow !== 'visible' && s.display !== 'inline') {
        const c = p.getBoundingClientRect(); // what scrolls inside shows no more than this
        seen = {top: Math.max(seen.top, c.top), left: Math.max(seen.left, c.left), bottom: Math.min(seen.bottom, c.bottom), right: Math.min(seen.right, c.right)};
      }
    }
    if (hidden) continue;
    const range = document.createRange();
    range.selectNodeContents(n);
    const box = e.closest('button, .btn, td, th');
    for (const whole of range.getClientRects()) {
      const r = {top: Math.max(whole.top, seen.top), left: Math.max(whole.left, seen.left), bottom: Math.min(whole.bottom, seen.bottom), right: Math.min(whole.right, seen.right)};
      r.width = r.right - r.left;
      r.height = r.bottom - r.top;
      if (r.width < 2 || r.height < 2) continue;
      lines.push({n, r, text: n.data.trim().slice(0, 30)});
      if (box && getComputedStyle(box).overflowX === 'visible') {
        const b = box.getBoundingClientRect();
        if (getComputedStyle(box).display !== 'inline' && (r.right > b.right + 2 || r.left < b.left - 2)) found.push('out of its ' + box.tagName + '.' + box.className + ': ' + n.data.trim().slice(0, 30));
      }
    }
  }
  lines.sort((a, b) => a.r.top - b.r.top);
  for (let i = 0; i < lines.length; i++) {
    for (let j = i + 1; j < lines.length && lines[j].r.top < lines[i].r.bottom; j++) {
      if (lines[i].n === lines[j].n) continue;
      const a = lines[i].r, b = lines[j].r;
      const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top), wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      if (wide > 3 && high > .5 * Math.min(a.height, b.height)) found.push('“' + lines[i].text + '” lies on “' + lines[j].text + '”');
    }
  }
  return [...new Set(found)].slice(0, 10);
})()`

// roomy fails the test if words lie on each other or reach out of their place.
func roomy(t *testing.T, ctx context.Context) {
	t.Helper()
	for _, fault := range get(t, ctx, chromedp.Evaluate[[]string](crowded)) {
		t.Error(fault)
	}
}

// pdf gives the width and height of each page of a PDF, in points.
func pdf(t *testing.T, file []byte) (sheets [][2]float64) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "page.pdf")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "pdfinfo", "-l", "-1", path).CombinedOutput()
	if err != nil {
		t.Fatalf("e2e: pdfinfo: %v: %s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		var n int
		var wide, high float64
		if _, err := fmt.Sscanf(line, "Page %d size: %f x %f", &n, &wide, &high); err == nil {
			sheets = append(sheets, [2]float64{wide, high})
		}
	}
	return sheets
}
