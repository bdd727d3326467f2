// Package e2e tries Landmark in a real browser: a headless Chromium, started
// once, in which every test has tabs with cookies of their own.
package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience bounds everything one tab does.
const patience = 2 * time.Minute

func TestMain(m *testing.M) {
	code := m.Run()
	for _, end := range []func() error{endBrowser, endServers} {
		if err := end(); err != nil {
			fmt.Fprintln(os.Stderr, "e2e:", err)
			code = 1
		}
	}
	os.Exit(code)
}

// endBrowser is replaced by browser.
var endBrowser = func() error { return nil }

// browser starts Chromium.
var browser = sync.OnceValues(func() (context.Context, error) {
	path, err := chromium()
	if err != nil {
		return nil, err
	}
	profile, err := os.MkdirTemp("", "landmark-e2e-chromium-")
	if err != nil {
		return nil, err
	}
	ctx, freeAllocator := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.NoSandbox, // refuses root, and many containers refuse it; it shows our own pages only
		chromedp.UserDataDir(profile),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-gpu", true),
		chromedp.Flag("lang", "zh-CN"),
		chromedp.Env("LC_ALL=C.UTF-8"), // without a locale it cannot open files with Chinese names
	)...)
	ctx, free := chromedp.NewContext(ctx)
	endBrowser = func() error {
		// Chromium may write into its profile for a moment after it has answered.
		err := chromedp.Cancel(ctx)
		free()
		freeAllocator()
		if errors.Is(err, context.Canceled) {
			err = nil
		}
		return errors.Join(err, os.RemoveAll(profile))
	}
	return ctx, chromedp.Do(ctx)
})

func chromium() (string, error) {
	if path := os.Getenv("CHROME"); path != "" {
		return path, nil
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("no Chromium found: install it (Debian: apt-get install chromium), or set CHROME to its path")
}

// tab opens an empty page with cookies of its own. What the page complains of
// on the console, a breach of its Content-Security-Policy above all, fails the
// test when it ends.
func tab(t *testing.T) context.Context {
	t.Helper()
	return tabFor(t, patience)
}

// tabFor is tab for a test that takes longer.
func tabFor(t *testing.T, patience time.Duration) context.Context {
	t.Helper()
	ctx, complaints := quietTab(t, patience)
	t.Cleanup(func() {
		for _, line := range complaints() {
			t.Errorf("the page complained: %s", line)
		}
	})
	return ctx
}

// quietTab is tab for a test that expects complaints.
func quietTab(t *testing.T, patience time.Duration) (ctx context.Context, complaints func() []string) {
	t.Helper()
	parent, err := browser()
	if err != nil {
		t.Fatalf("e2e: %v", err)
	}
	var mu sync.Mutex
	var heard []string
	ctx, cancel := chromedp.NewContext(parent, chromedp.WithNewBrowserContext(), chromedp.WithListener(func(event any) {
		if line := complaint(event); line != "" {
			mu.Lock()
			defer mu.Unlock()
			heard = append(heard, line)
		}
	}))
	t.Cleanup(cancel)
	// The first run binds the tab to its context, so it has no time limit.
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("e2e: open a tab: %v", err)
	}
	ctx, cancel = context.WithTimeout(ctx, patience)
	t.Cleanup(cancel)
	desktop(t, ctx)
	theme(t, ctx, "light")
	return ctx, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string(nil), heard...)
	}
}

// complaint is what an event of a page complains of, if it does.
func complaint(event any) string {
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Level != log.EntryLevelError && e.Entry.Source != log.EntrySourceSecurity {
			return ""
		}
		// A form that is refused and a page that may not be seen answer with
		// such a status on purpose. A missing style or script does not.
		if e.Entry.Source == log.EntrySourceNetwork && strings.Contains(e.Entry.Text, "status of 4") && !strings.Contains(e.Entry.URL, "/static/") {
			return ""
		}
		return fmt.Sprintf("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL)
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
		return "exception: " + text
	case *runtime.EventConsoleAPICalled:
		if e.Type != runtime.ConsoleAPICalledTypeError && e.Type != runtime.ConsoleAPICalledTypeAssert {
			return ""
		}
		var args []string
		for _, arg := range e.Args {
			args = append(args, string(arg.Value)+arg.Description)
		}
		return "console: " + strings.Join(args, " ")
	}
	return ""
}

// do runs steps in a tab.
func do(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatalf("e2e: %v", err)
	}
}

// get runs an action and returns its value.
func get[T any](t *testing.T, ctx context.Context, action chromedp.Action[T]) T {
	t.Helper()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		t.Fatalf("e2e: %v", err)
	}
	return value
}

// desktop gives the tab the size of an office screen.
func desktop(t *testing.T, ctx context.Context) {
	t.Helper()
	do(t, ctx, chromedp.EmulateViewport(1440, 900))
}

// phone gives the tab the size of a phone held upright.
func phone(t *testing.T, ctx context.Context) {
	t.Helper()
	do(t, ctx, chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile))
}

// theme sets what the system prefers, "light" or "dark". Nothing moves: a
// colour would be measured, or a link missed, on its way.
func theme(t *testing.T, ctx context.Context, scheme string) {
	t.Helper()
	media(t, ctx, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
}

// printed shows the tab as on paper.
func printed(t *testing.T, ctx context.Context) {
	t.Helper()
	media(t, ctx, emulation.SetEmulatedMediaParams{Media: "print"})
}

func media(t *testing.T, ctx context.Context, params emulation.SetEmulatedMediaParams) {
	t.Helper()
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, params); err != nil {
		t.Fatalf("e2e: %v", err)
	}
}

// fits fails the test if the page is wider than the tab: a phone would scroll
// sideways.
func fits(t *testing.T, ctx context.Context) {
	t.Helper()
	type size struct{ Page, Tab int }
	got := get(t, ctx, chromedp.Evaluate[size](`({Page: document.documentElement.scrollWidth, Tab: document.documentElement.clientWidth})`))
	if got.Page > got.Tab {
		t.Errorf("the page is %d wide in a tab of %d", got.Page, got.Tab)
	}
}

// axe checks the page for accessibility and fails the test on any violation.
func axe(t *testing.T, ctx context.Context) {
	t.Helper()
	for _, v := range violations(t, ctx, everything) {
		t.Errorf("axe: %s", v)
	}
}

// What axe looks at: every rule for WCAG 2.2 AA and good practice, or those
// alone that a change of colours can break.
const (
	everything = `['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']`
	colours    = `{type: 'rule', values: ['color-contrast', 'link-in-text-block']}`
)

func violations(t *testing.T, ctx context.Context, rules string) (found []string) {
	t.Helper()
	script, err := axeScript()
	if err != nil {
		t.Fatalf("e2e: %v", err)
	}
	type result struct {
		Violations []struct {
			ID, Impact, Help string
			Nodes            []struct {
				Target         []any
				FailureSummary string
			}
		}
		Passes []struct{ ID string }
	}
	// Through the debugger, where the page's policy against scripts does not hold.
	if !get(t, ctx, chromedp.Evaluate[bool](`"axe" in window`)) {
		do(t, ctx, chromedp.Evaluate[chromedp.Void](script))
	}
	got := get(t, ctx, chromedp.Evaluate[result](
		`axe.run(document, {resultTypes: ['violations'], runOnly: `+rules+`})`,
		chromedp.EvalAwaitPromise))
	if len(got.Passes) == 0 {
		t.Fatal("e2e: axe checked nothing")
	}
	for _, v := range got.Violations {
		for _, n := range v.Nodes {
			found = append(found, fmt.Sprintf("%s (%s): %s at %v: %s", v.ID, v.Impact, v.Help, n.Target, strings.Join(strings.Fields(n.FailureSummary), " ")))
		}
	}
	return found
}

// axeScript reads the checker, which `make test` fetches with npm ci.
var axeScript = sync.OnceValues(func() (string, error) {
	b, err := os.ReadFile(filepath.FromSlash("node_modules/axe-core/axe.min.js"))
	if err != nil {
		return "", fmt.Errorf("%w: run npm ci in e2e, or make test", err)
	}
	return string(b), nil
})

// shot writes a picture of the whole page to the folder E2E_SHOTS, if that is set.
func shot(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	dir := os.Getenv("E2E_SHOTS")
	if dir == "" {
		return
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	png := get(t, ctx, chromedp.FullScreenshot(100))
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		t.Fatal(err)
	}
}
