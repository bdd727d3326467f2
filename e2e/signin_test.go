package e2e

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"landmark/seeds"
)

// These tests run a server as an office does: no demo, the machine's clock, no
// report in the database, accounts from the command line.

// command runs another landmark command on the server's data.
func (s *server) command(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatalf("e2e: %v", err)
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Env = append(os.Environ(), "DATA_DIR="+s.Dir, "DATABASE_URL=")
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("e2e: landmark %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

const password = "一叶落知天下秋梧桐-1"

// enter signs in by the form.
func enter(t *testing.T, ctx context.Context, name, password string) int {
	t.Helper()
	do(t, ctx, chromedp.SetValue("#name", name), chromedp.SetValue("#password", password))
	return press(t, ctx, ".login__form button[type=submit]")
}

func address(t *testing.T, ctx context.Context) string {
	t.Helper()
	return get(t, ctx, chromedp.Location())
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	s := startPlain(t)
	s.command(t, password+"\n", "user", "add", "chen", "--role", "office", "--name", "陈某")

	t.Run("there and back", func(t *testing.T) {
		ctx := tab(t)
		open(t, ctx, s.URL+"/indicators/4.1?month=2023-09", http.StatusOK)
		if got := address(t, ctx); !strings.HasPrefix(got, s.URL+"/login?next=") {
			t.Fatalf("a visitor lands at %s, want the sign-in page", got)
		}
		if got := texts(t, ctx, ".demo-doors"); len(got) > 0 {
			t.Errorf("a real server offers %q", got)
		}
		if status := enter(t, ctx, "chen", "wrong password"); status != http.StatusUnprocessableEntity {
			t.Errorf("a wrong password: status %d", status)
		}
		if got := texts(t, ctx, "[role=alert]"); len(got) != 1 || got[0] == "" {
			t.Errorf("a wrong password is answered with %q", got)
		}
		if got := get(t, ctx, chromedp.Value("#name")); got != "chen" {
			t.Errorf("the name typed is %q afterwards", got)
		}
		if got := get(t, ctx, chromedp.Value("#password")); got != "" {
			t.Errorf("the password comes back: %q", got)
		}
		axe(t, ctx)
		if status := enter(t, ctx, "chen", password); status != http.StatusOK {
			t.Errorf("the right password: status %d", status)
		}
		if got := address(t, ctx); got != s.URL+"/indicators/4.1?month=2023-09" {
			t.Errorf("after signing in at %s, want the page asked for", got)
		}
		press(t, ctx, ".app-who__out")
		if got := address(t, ctx); got != s.URL+"/login" {
			t.Errorf("after signing out at %s", got)
		}
		// Nor does the browser keep on show what it showed before.
		do(t, ctx, chromedp.Evaluate[chromedp.Void](`history.back()`))
		becomes(t, ctx, 30*time.Second, `document.readyState === 'complete' && location.pathname === '/login' && location.search.startsWith('?next=')`)
		open(t, ctx, s.URL+"/", http.StatusOK)
		if got := address(t, ctx); !strings.HasPrefix(got, s.URL+"/login") {
			t.Errorf("signed out, the overview opens at %s", got)
		}
		open(t, ctx, s.URL+"/login?next=https://example.org/", http.StatusOK)
		enter(t, ctx, "chen", password)
		if got := address(t, ctx); got != s.URL+"/" {
			t.Errorf("a foreign way back leads to %s", got)
		}
	})

	t.Run("a generated password is changed first", func(t *testing.T) {
		said := s.command(t, "", "user", "add", "tu", "--role", "viewer")
		generated := regexp.MustCompile(`: (\S+)\s*$`).FindStringSubmatch(said)
		if generated == nil {
			t.Fatalf("no password in %q", said)
		}
		ctx := tab(t)
		open(t, ctx, s.URL+"/key", http.StatusOK)
		enter(t, ctx, "tu", generated[1])
		if got := address(t, ctx); !strings.HasPrefix(got, s.URL+"/account") {
			t.Fatalf("signed in with a generated password at %s, want the account", got)
		}
		axe(t, ctx)
		open(t, ctx, s.URL+"/matrix", http.StatusOK)
		if got := address(t, ctx); !strings.HasPrefix(got, s.URL+"/account") {
			t.Errorf("with a generated password the table opens at %s", got)
		}
		change := func(old, fresh, again string) int {
			do(t, ctx, chromedp.SetValue("#old", old), chromedp.SetValue("#new", fresh), chromedp.SetValue("#again", again))
			return press(t, ctx, "form[action='/account/password'] button")
		}
		if status := change(generated[1], "春眠不觉晓处处闻啼鸟", "春眠不觉晓"); status != http.StatusUnprocessableEntity {
			t.Errorf("two different passwords: status %d", status)
		}
		if got := texts(t, ctx, ".errsum a"); len(got) != 1 {
			t.Errorf("two different passwords: summary %q", got)
		}
		axe(t, ctx)
		change(generated[1], "春眠不觉晓处处闻啼鸟", "春眠不觉晓处处闻啼鸟")
		if got := texts(t, ctx, ".flash"); len(got) != 1 || !strings.Contains(got[0], "密码已修改") {
			t.Errorf("the change is answered with %q", got)
		}
		open(t, ctx, s.URL+"/matrix", http.StatusOK)
		if got := address(t, ctx); got != s.URL+"/matrix" {
			t.Errorf("with a password of one's own the table opens at %s", got)
		}
	})

	t.Run("too many tries", func(t *testing.T) {
		ctx := tab(t)
		open(t, ctx, s.URL+"/login", http.StatusOK)
		status := http.StatusUnprocessableEntity
		for range 30 {
			if status = enter(t, ctx, "nobody", "some password"); status != http.StatusUnprocessableEntity {
				break
			}
		}
		if status != http.StatusTooManyRequests {
			t.Errorf("after many tries: status %d, want %d", status, http.StatusTooManyRequests)
		}
		if got := texts(t, ctx, "[role=alert]"); len(got) != 1 || !strings.Contains(got[0], "试的次数太多") {
			t.Errorf("after many tries: %q", got)
		}
		axe(t, ctx)
	})
}

func TestWorksWithoutScript(t *testing.T) {
	t.Parallel()
	s := startPlain(t)
	s.command(t, password+"\n", "user", "add", "chen", "--role", "office", "--name", "陈某")
	ctx := tab(t)
	if _, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	open(t, ctx, s.URL+"/", http.StatusOK)
	enter(t, ctx, "chen", password)
	if got := address(t, ctx); got != s.URL+"/" {
		t.Fatalf("signed in at %s", got)
	}
	do(t, ctx, chromedp.SetValue("#period-month", "2023-09"))
	press(t, ctx, ".period button")
	if got := texts(t, ctx, ".page-head__sub"); len(got) == 0 || !strings.Contains(got[0], "截至2023年9月") {
		t.Errorf("the month chosen: %q", got)
	}
	press(t, ctx, ".theme button[value=dark]")
	if got := texts(t, ctx, "html[data-theme=dark] .theme button[aria-pressed=true]"); len(got) != 1 || got[0] != "深色" {
		t.Errorf("dark: pressed %q", got)
	}
	if got := address(t, ctx); !strings.Contains(got, "month=2023-09") {
		t.Errorf("after the change of theme at %s, want the same month", got)
	}
	press(t, ctx, ".theme button[value='']")
	if got := texts(t, ctx, "html:not([data-theme=dark]) .theme button[aria-pressed=true]"); len(got) != 1 || got[0] != "跟随系统" {
		t.Errorf("as the system: pressed %q", got)
	}
	press(t, ctx, ".grid .c-name a[href*='/indicators/4.2']")
	press(t, ctx, ".app-who__out")
	if got := address(t, ctx); got != s.URL+"/login" {
		t.Errorf("signed out at %s", got)
	}
}

// TestWithoutReports reads a plan of years ago that nobody has reported for.
func TestWithoutReports(t *testing.T) {
	t.Parallel()
	s := startPlain(t)
	s.command(t, password+"\n", "user", "add", "chen", "--role", "office", "--name", "陈某")
	ctx := tab(t)
	open(t, ctx, s.URL+"/", http.StatusOK)
	enter(t, ctx, "chen", password)
	for _, path := range []string{"/", "/?month=2023-06", "/key", "/indicators/4.1", "/indicators/1.2", "/projects/4", "/departments", "/departments/minzheng",
		"/tasks", "/scenarios", "/screen", "/history", "/matrix", "/bulletins", "/reports"} {
		desktop(t, ctx)
		open(t, ctx, s.URL+path, http.StatusOK)
		page := words(t, ctx)
		if m := regexp.MustCompile(`\d{3,} ?天`).FindString(page); m != "" {
			t.Errorf("%s: %s", path, m)
		}
		if strings.Contains(page, "演示") || strings.Contains(page, "NaN") || strings.Contains(page, "0001年") {
			t.Errorf("%s: demo tag, NaN or a date that is none", path)
		}
		// A heading is followed by something.
		if got := texts(t, ctx, "section:not(:has(:is(table, li, p, dl, form, svg, a))) > h2"); len(got) > 0 && path != "/screen" {
			t.Errorf("%s: nothing stands under %q", path, got)
		}
		unfold(t, ctx)
		axe(t, ctx)
		roomy(t, ctx)
		phone(t, ctx)
		roomy(t, ctx)
		fits(t, ctx)
		shot(t, ctx, "plain"+strings.ReplaceAll(path, "/", "_"))
	}
	desktop(t, ctx)
	open(t, ctx, s.URL+"/?month=2023-06", http.StatusOK)
	if got := texts(t, ctx, ".tally__col[data-s=none] li"); len(got) == 0 || !strings.HasPrefix(got[0], "卫健局") {
		t.Errorf("nobody is named: %q", got)
	}
	if got := texts(t, ctx, ".page-head__sub"); len(got) < 2 || !strings.Contains(got[1], "6月应报 23 项,7月5日截止") {
		t.Errorf("what is due when: %q", got)
	}
	if got := texts(t, ctx, ".tally__rest"); len(got) != 1 || !strings.Contains(got[0], "7 项年度指标未到期") {
		t.Errorf("what is not due: %q", got)
	}
}

// TestTwoPlans loads next year's table beside this one.
func TestTwoPlans(t *testing.T) {
	t.Parallel()
	s := startPlain(t)
	s.command(t, password+"\n", "user", "add", "chen", "--role", "viewer", "--name", "陈某")
	next := strings.NewReplacer("2022年实际值", "2023年实际值", "2023年目标值", "2024年目标值").Replace(string(seeds.Table))
	file := filepath.Join(t.TempDir(), "tongxiang-2024.txt")
	if err := os.WriteFile(file, []byte(next), 0o600); err != nil {
		t.Fatal(err)
	}
	s.command(t, "", "plan", "import", file, "--slug", "tongxiang-2024", "--title", "桐乡市2024年共同富裕十大标志性成果", "--published", "2024-03-01")
	ctx := tab(t)
	open(t, ctx, s.URL+"/", http.StatusOK)
	enter(t, ctx, "chen", password)
	if got := texts(t, ctx, "h1"); len(got) != 1 || got[0] != "2024年总览" {
		t.Errorf("the newest plan: %q", got)
	}
	if got := texts(t, ctx, "#period-plan option"); len(got) != 2 {
		t.Errorf("plans to choose from: %q", got)
	}
	unfold(t, ctx)
	axe(t, ctx)
	roomy(t, ctx)
	do(t, ctx, chromedp.SetValue("#period-plan", "tongxiang-2023"))
	press(t, ctx, "form:has(#period-plan) button")
	if got := texts(t, ctx, "h1"); len(got) != 1 || got[0] != "2023年总览" {
		t.Errorf("the plan chosen: %q", got)
	}
	press(t, ctx, ".app-nav a[href*='/tasks']")
	if got := address(t, ctx); !strings.Contains(got, "plan=tongxiang-2023") {
		t.Errorf("the plan is lost on the way to %s", got)
	}
	phone(t, ctx)
	open(t, ctx, s.URL+"/", http.StatusOK)
	roomy(t, ctx)
	fits(t, ctx)
}
