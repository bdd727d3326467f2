package e2e

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// The helpers of this package must be able to fail: here they meet a good
// page and a bad one.

const goodPage = `<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>样页</title><link rel="stylesheet" href="/static/a.css"><script src="/static/a.js" defer></script></head>
<body><main><h1>样页</h1><p id="visits">0</p><button id="more" type="button">增加</button></main></body></html>`

// badPage has too pale a text, a picture without words, a field without a
// label, an inline script and style that its policy forbids, and is too wide.
const badPage = `<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>坏页</title><link rel="stylesheet" href="/static/a.css"><script>document.title = 'x'</script></head>
<body><main><h1 style="color: red">坏页</h1><p class="pale">看不清</p><p class="wide">宽</p><img src="/static/none.png"><form action="/"><input name="q"></form></main></body></html>`

func pages(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	page := func(path, kind, text string) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.Header().Set("Content-Security-Policy", "default-src 'self'")
			answer := text
			if _, err := r.Cookie("seen"); err == nil {
				answer = strings.Replace(text, `"visits">0<`, `"visits">1<`, 1)
			}
			http.SetCookie(w, &http.Cookie{Name: "seen", Value: "1"})
			w.Write([]byte(answer))
		})
	}
	page("/good", "text/html; charset=utf-8", goodPage)
	page("/bad", "text/html; charset=utf-8", badPage)
	page("/favicon.ico", "image/x-icon", "")
	page("/static/a.css", "text/css", `body { color: #111; background: #fff; font: 1rem sans-serif }
		.pale { color: #ccc } .wide { width: 2000px }
		@media (prefers-color-scheme: dark) { body { color: #eee; background: #111 } }
		@media print { button { display: none } }`)
	page("/static/a.js", "text/javascript", `document.getElementById('more').onclick = () => { document.getElementById('visits').textContent += '+' }`)
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestGoodPage(t *testing.T) {
	t.Parallel()
	url := pages(t)
	for name, wide := range map[string]int{"desktop": 1440, "phone": 390} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := tab(t)
			if name == "phone" {
				phone(t, ctx)
			}
			do(t, ctx, chromedp.Navigate(url+"/good"), chromedp.Click("#more"))
			if got := get(t, ctx, chromedp.Text("#visits")); got != "0+" {
				t.Errorf("after a click: got %q, want 0+", got)
			}
			if got := get(t, ctx, chromedp.Evaluate[int](`innerWidth`)); got != wide {
				t.Errorf("%d wide, want %d", got, wide)
			}
			fits(t, ctx)
			for scheme, want := range map[string]string{"light": "rgb(255, 255, 255)", "dark": "rgb(17, 17, 17)"} {
				theme(t, ctx, scheme)
				if got := get(t, ctx, chromedp.Evaluate[string](`getComputedStyle(document.body).backgroundColor`)); got != want {
					t.Errorf("%s: background %s, want %s", scheme, got, want)
				}
				axe(t, ctx)
				shot(t, ctx, "sample-"+name+"-"+scheme)
			}
			printed(t, ctx)
			if got := get(t, ctx, chromedp.Evaluate[string](`getComputedStyle(document.getElementById('more')).display`)); got != "none" {
				t.Errorf("in print the button is %s", got)
			}
		})
	}
}

func TestTabsHaveTheirOwnCookies(t *testing.T) {
	t.Parallel()
	url := pages(t)
	for range 2 {
		ctx := tab(t)
		for _, want := range []string{"0", "1"} {
			do(t, ctx, chromedp.Navigate(url+"/good"))
			if got := get(t, ctx, chromedp.Text("#visits")); got != want {
				t.Errorf("visit with %s cookies, want %s", got, want)
			}
		}
	}
}

func TestBadPage(t *testing.T) {
	t.Parallel()
	ctx, complaints := quietTab(t, patience)
	phone(t, ctx)
	do(t, ctx, chromedp.Navigate(pages(t)+"/bad"))
	found := strings.Join(violations(t, ctx, everything), "\n")
	for _, rule := range []string{"color-contrast", "image-alt", "label"} {
		if !strings.Contains(found, rule+" (") {
			t.Errorf("axe did not find %s in\n%s", rule, found)
		}
	}
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`setTimeout(() => { throw new Error('planted') }); console.error('said'); new Promise(r => setTimeout(r))`, chromedp.EvalAwaitPromise))
	heard := strings.Join(complaints(), "\n")
	for _, want := range []string{"inline script", "inline style", "none.png", "planted", "said"} {
		if !strings.Contains(heard, want) {
			t.Errorf("no complaint of %q in\n%s", want, heard)
		}
	}
	if wide := get(t, ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth`)); wide < 2000 {
		t.Errorf("the wide page is only %d wide", wide)
	}
}

func TestShot(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("E2E_SHOTS", dir)
	ctx := tab(t)
	do(t, ctx, chromedp.Navigate(pages(t)+"/good"))
	shot(t, ctx, "page")
	png, err := os.ReadFile(dir + "/page.png")
	if err != nil {
		t.Fatal(err)
	}
	if got := http.DetectContentType(png); got != "image/png" {
		t.Errorf("the picture is %s", got)
	}
}
