package e2e

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// visit is a page as somebody sees it.
type visit struct {
	path, account string
	status        int
}

func visits() []visit {
	var all []visit
	see := func(account string, status int, paths ...string) {
		for _, path := range paths {
			if v := (visit{path, account, status}); !slices.Contains(all, v) {
				all = append(all, v)
			}
		}
	}
	see("office", http.StatusOK,
		"/", "/?month=2023-05", "/?month=2023-10", "/?sort=trouble&as_of=2023-09-12T09:30", "/?status=critical",
		"/key", "/matrix", "/departments", "/departments/minzheng", "/departments/caizheng", "/tasks", "/tasks?state=done", "/scenarios",
		"/screen", "/search?q=养老", "/search?q=nothing", "/history", "/history?indicator=4.1", "/account", "/bulletins", "/bulletins/2023-08",
		// Each kind of indicator, and each light.
		"/indicators/1.1", "/indicators/1.2", "/indicators/3.2", "/indicators/3.3", "/indicators/4.1", "/indicators/5.1",
		"/indicators/6.1", "/indicators/7.2", "/indicators/9.2", "/indicators/2.1?month=2023-09")
	see("office", http.StatusOK, "/reports", "/reports?month=2023-09", "/review", "/review?month=2023-09")
	see("office", http.StatusOK, "/admin", "/admin/indicators", "/admin/indicators/4.1", "/admin/indicators/3.3", "/admin/periods", "/admin/rules",
		"/admin/plans", "/admin/users", "/admin/users/viewer", "/admin/departments", "/admin/letterhead", "/bulletins/2023-09/letters/renshe")
	see("reporter-renshe", http.StatusOK, "/", "/reports", "/reports/2023-09")
	see("reporter-weijian", http.StatusOK, "/reports/2023-09", "/reports/2023-10")
	see("leader-minzheng", http.StatusOK, "/signoff", "/history")
	see("reporter-renshe", http.StatusForbidden, "/review")
	for n := range 10 {
		see("office", http.StatusOK, "/projects/"+strconv.Itoa(n+1))
	}
	see("office", http.StatusOK, "/review", "/review?month=2023-08", "/reports/2023-09", "/reports/2023-09?department=minzheng", "/reports/2023-09?department=renshe&as_of=2023-09-20T09:00")
	see("reporter-minzheng", http.StatusOK, "/reports/2023-09", "/reports/2023-09?correct=4.1", "/reports/2023-10")
	see("reporter-weijian", http.StatusOK, "/reports/2023-10")
	see("leader-minzheng", http.StatusOK, "/signoff", "/reports/2023-09")
	see("reporter-minzheng", http.StatusForbidden, "/review", "/reports/2023-09?department=jiaoyu")
	see("viewer", http.StatusOK, "/", "/indicators/2.1", "/projects/7", "/departments/renshe")
	see("viewer", http.StatusForbidden, "/history")
	see("office", http.StatusNotFound, "/nowhere", "/indicators/99.9")
	see("office", http.StatusBadRequest, "/?month=2023-13")
	see("", http.StatusOK, "/login")
	see("", http.StatusNotFound, "/nowhere")
	return all
}

// TestPages inspects every page. A page that complains on the console or asks another host fails, too:
// see tab.
func TestPages(t *testing.T) {
	t.Parallel()
	base := demo(t)
	for _, v := range visits() {
		name := v.account + strings.ReplaceAll(v.path, "/", "_")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := as(t, base, v.account)
			open(t, ctx, base+v.path, v.status)
			inspect(t, ctx, name)
		})
	}
}

// inspect looks at the page of a tab in both themes, on an office screen and on
// a phone: nothing that axe finds, no words on other words, nothing to scroll
// sideways. The tab is left as an office screen.
func inspect(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	unfold(t, ctx)
	for _, screen := range []string{"desktop", "phone"} {
		if screen == "phone" {
			phone(t, ctx)
		}
		theme(t, ctx, "light")
		for _, fault := range violations(t, ctx, everything) {
			t.Errorf("%s, %s: axe: %s", name, screen, fault)
		}
		theme(t, ctx, "dark")
		for _, fault := range violations(t, ctx, colours) {
			t.Errorf("%s, %s, dark: axe: %s", name, screen, fault)
		}
		for _, fault := range get(t, ctx, chromedp.Evaluate[[]string](crowded)) {
			t.Errorf("%s, %s: %s", name, screen, fault)
		}
		fits(t, ctx)
		shot(t, ctx, name+"-"+screen)
	}
	theme(t, ctx, "light")
	desktop(t, ctx)
}
