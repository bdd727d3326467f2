package server_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"landmark/internal/auth"
	"landmark/internal/landmark"
	"landmark/internal/server"
)

// By default a password is asked for its length and for what is easily guessed,
// and stays for as long as its owner likes.
func TestPasswordsOfASVS(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.member("zhou", secret, landmark.RoleViewer)
	w.clock.add(10 * 365 * 24 * time.Hour)
	b := w.browser()
	if res := b.post("/login", "name", "zhou", "password", secret); res.Header.Get("Location") != "/" {
		t.Fatalf("after ten years: %d to %q, want the overview", res.StatusCode, res.Header.Get("Location"))
	}
	page := bodyOf(t, b.get("/account"))
	if !strings.Contains(page, "不要求大小写和符号混排") || strings.Contains(page, "用得太久") {
		t.Error("the account's page does not say the rules of this profile")
	}
	change := func(old, next string) int {
		return b.post("/account/password", "old", old, "new", next, "again", next).StatusCode
	}
	const plain = "all small letters will do"
	if got := change(secret, plain); got != http.StatusSeeOther {
		t.Errorf("small letters alone: %d, want 303", got)
	}
	if got := change(plain, secret); got != http.StatusSeeOther {
		t.Errorf("back to the one before: %d, want 303", got)
	}
	if got := change(secret, "my weijian password"); got != http.StatusUnprocessableEntity { // a department's code, not mine
		t.Errorf("a department's code in it: %d, want 422", got)
	}
	var kept int
	if err := w.db.QueryRow(t.Context(), "SELECT count(*) FROM password_history").Scan(&kept); err != nil || kept != 0 {
		t.Errorf("%d former passwords kept (%v), want none", kept, err)
	}
}

// The profile for an assessment adds composition, age and history.
func TestPasswordsOfDengbao(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *server.Config) { c.Passwords = auth.ProfileDengbao })
	w.member("zhou", "Plum tree 0", landmark.RoleViewer)
	b := w.browser()
	b.post("/login", "name", "zhou", "password", "Plum tree 0")
	change := func(old, next string) (int, string) {
		res := b.post("/account/password", "old", old, "new", next, "again", next)
		return res.StatusCode, bodyOf(t, res)
	}
	if status, page := change("Plum tree 0", "all small letters"); status != http.StatusUnprocessableEntity || !strings.Contains(page, "三类") {
		t.Errorf("small letters alone: %d, want 422 that says what is missing", status)
	}
	const last = 5
	name := func(i int) string { return "Plum tree " + string(rune('0'+i)) }
	for i := range last {
		if status, page := change(name(i), name(i+1)); status != http.StatusSeeOther {
			t.Fatalf("change %d: %d\n%s", i+1, status, page)
		}
		if i == last-1 {
			break
		}
		for j := range i + 2 { // all so far, the present one too
			if status, _ := change(name(i+1), name(j)); status != http.StatusUnprocessableEntity {
				t.Errorf("after %d changes back to number %d: %d, want 422", i+1, j, status)
			}
			w.clock.add(time.Minute)
		}
	}
	if status, page := change(name(last), name(1)); status != http.StatusUnprocessableEntity || !strings.Contains(page, "最近5个用过的密码") {
		t.Errorf("the fifth last: %d, want 422 that says why", status)
	}
	if status, _ := change(name(last), name(0)); status != http.StatusSeeOther {
		t.Errorf("the sixth last: %d, want 303", status)
	}
	var kept int
	if err := w.db.QueryRow(t.Context(), "SELECT count(*) FROM password_history").Scan(&kept); err != nil || kept != last-1 {
		t.Errorf("%d former passwords kept (%v), want %d", kept, err, last-1)
	}

	// Age: from the ninety-first day on there is nothing else to do, in a session
	// that is under way as in a new one.
	w.clock.add(90*24*time.Hour - time.Minute)
	if res := b.post("/login", "name", "zhou", "password", name(0)); res.Header.Get("Location") != "/" {
		t.Fatalf("on the ninetieth day: %d to %q, want the overview", res.StatusCode, res.Header.Get("Location"))
	}
	w.clock.add(2 * time.Minute)
	for range 2 {
		if res := b.get("/key"); res.StatusCode != http.StatusSeeOther || !strings.HasPrefix(res.Header.Get("Location"), "/account?next=") {
			t.Errorf("on the ninety-first day: %d to %q, want the account", res.StatusCode, res.Header.Get("Location"))
		}
		if res := b.get("/api/v1/indicators"); res.StatusCode != http.StatusForbidden || !strings.Contains(bodyOf(t, res), "请先更换密码") {
			t.Errorf("the API on the ninety-first day: %d, want 403 that says why", res.StatusCode)
		}
		if page := bodyOf(t, b.get("/account")); !strings.Contains(page, "用得太久") || !strings.Contains(page, "每90天更换一次") {
			t.Error("the account's page does not say why and what the rules are")
		}
		if res := b.post("/login", "name", "zhou", "password", name(0)); res.Header.Get("Location") != "/account?next=%2F" {
			t.Errorf("signing in leads to %q, want the account", res.Header.Get("Location"))
		}
	}
	if status, page := change(name(0), "Plum tree 9"); status != http.StatusSeeOther {
		t.Fatalf("change: %d\n%s", status, page)
	}
	if res := b.get("/key"); res.StatusCode != http.StatusOK {
		t.Errorf("after the change: %d, want 200", res.StatusCode)
	}
}
