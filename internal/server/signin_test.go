package server_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"landmark/internal/auth"
	"landmark/internal/landmark"
	"landmark/internal/server"
	"landmark/internal/store"
)

const secret = "秋天的 银杏叶 真黄"

func TestSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.member("zhou", secret, landmark.RoleViewer)
	b := w.browser()
	res := b.get("/key?month=2023-09")
	if want := "/login?next=%2Fkey%3Fmonth%3D2023-09"; res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != want {
		t.Fatalf("signed out: %d to %q, want 303 to %q", res.StatusCode, res.Header.Get("Location"), want)
	}
	page := bodyOf(t, b.get(res.Header.Get("Location")))
	if !strings.Contains(page, `name="next" value="/key?month=2023-09"`) {
		t.Error("the sign-in page forgets where the visitor wanted to go")
	}
	res = b.post("/login", "name", "zhou", "password", "not the password", "next", "/key?month=2023-09")
	wrong := bodyOf(t, res)
	if res.StatusCode != http.StatusUnprocessableEntity || len(b.jar) != 0 {
		t.Errorf("wrong password: %d, cookies %v", res.StatusCode, b.jar)
	}
	if !strings.Contains(wrong, `value="zhou"`) || strings.Contains(wrong, "not the password") {
		t.Error("the refused form must keep the name and not the password")
	}
	res = b.post("/login", "name", "Zhou ", "password", secret, "next", "/key?month=2023-09")
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/key?month=2023-09" {
		t.Fatalf("right password: %d to %q", res.StatusCode, res.Header.Get("Location"))
	}
	if res := b.get("/key?month=2023-09"); res.StatusCode != http.StatusOK {
		t.Errorf("signed in: %d", res.StatusCode)
	}
	if log := w.log.String(); strings.Contains(log, secret) || strings.Contains(log, "not the password") || strings.Contains(log, b.jar["landmark"]) {
		t.Error("a password or token stands in the log")
	}
}

// Whether an account exists shows in nothing but the name itself.
func TestSignInSaysNothingAboutNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.member("zhou", secret, landmark.RoleViewer)
	w.member("gone", secret, landmark.RoleViewer)
	w.account("nopassword", landmark.RoleViewer, "")
	if err := w.auth.SetDisabled(t.Context(), operator, "gone", true); err != nil {
		t.Fatal(err)
	}
	pages := map[string]string{}
	for _, name := range []string{"zhou", "nobody", "gone", "nopassword", "a'; DROP TABLE account; --", "卫健局"} {
		password := "not the password"
		if name == "gone" {
			password = secret
		}
		if name == "nopassword" {
			password = store.NoPassword
		}
		res := w.browser().post("/login", "name", name, "password", password)
		if res.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d, want 422", name, res.StatusCode)
		}
		pages[name] = textOf(t, bodyOf(t, res), "form")
	}
	for name, page := range pages {
		if page != pages["zhou"] {
			t.Errorf("the answer for %s differs from that for an account that exists:\n%s\n%s", name, page, pages["zhou"])
		}
	}
}

func TestSignInThrottle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.member("zhou", secret, landmark.RoleViewer)
	thief := w.browser()
	thief.address = "203.0.113.9:1"
	for i := range 5 {
		if res := thief.post("/login", "name", "zhou", "password", "guess number one"); res.StatusCode != http.StatusUnprocessableEntity {
			t.Fatalf("guess %d: %d, want 422", i+1, res.StatusCode)
		}
	}
	for _, password := range []string{"guess number six", secret} { // not even the right one
		res := thief.post("/login", "name", "ZHOU", "password", password)
		if res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") == "" {
			t.Errorf("beyond five: %d, Retry-After %q", res.StatusCode, res.Header.Get("Retry-After"))
		}
	}
	if res := w.browser().post("/login", "name", "zhou", "password", secret); res.StatusCode != http.StatusSeeOther {
		t.Errorf("the owner from elsewhere: %d, want 303", res.StatusCode)
	}
	w.clock.add(15*time.Minute + time.Second)
	if res := thief.post("/login", "name", "zhou", "password", secret); res.StatusCode != http.StatusSeeOther {
		t.Errorf("after the window: %d, want 303", res.StatusCode)
	}
}

func TestSignInThrottlePerAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *server.Config) {
		c.SignIn = store.SignInLimits{Window: 15 * time.Minute, PerAccount: 5, PerAddress: 8}
	})
	b := w.browser()
	for i := range 8 {
		if res := b.post("/login", "name", fmt.Sprintf("name%d", i), "password", "guess"); res.StatusCode != http.StatusUnprocessableEntity {
			t.Fatalf("name %d: %d, want 422", i, res.StatusCode)
		}
	}
	if res := b.post("/login", "name", "another", "password", "guess"); res.StatusCode != http.StatusTooManyRequests {
		t.Errorf("ninth name: %d, want 429", res.StatusCode)
	}
}

// Guesses at once are counted as exactly as one after the other.
func TestSignInThrottleUnderConcurrency(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	got := map[int]int{}
	for range 20 {
		wg.Go(func() {
			res := w.browser().post("/login", "name", "zhou", "password", "guess")
			mu.Lock()
			defer mu.Unlock()
			got[res.StatusCode]++
		})
	}
	wg.Wait()
	if got[http.StatusUnprocessableEntity] != 5 || got[http.StatusTooManyRequests] != 15 {
		t.Errorf("20 guesses at once: %v, want 5 looked at and 15 not", got)
	}
}

func TestSessionCookie(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]string{
		"http://127.0.0.1:8080":       "landmark=TOKEN; Path=/; HttpOnly; SameSite=Lax",
		"https://landmark.example.cn": "__Host-landmark=TOKEN; Path=/; HttpOnly; Secure; SameSite=Lax",
	} {
		w := newWorld(t, func(c *server.Config) { c.BaseURL = base })
		w.account("office", landmark.RoleOffice, "")
		res := w.browser().post("/login/demo", "account", "office")
		set := res.Header.Get("Set-Cookie")
		token, _, _ := strings.Cut(set[strings.Index(set, "=")+1:], ";")
		if got := strings.Replace(set, token, "TOKEN", 1); got != want {
			t.Errorf("%s: cookie %q, want %q", base, got, want)
		}
		if len(token) < 43 { // 256 bits
			t.Errorf("%s: a token of %d characters", base, len(token))
		}
		var n int
		if err := w.db.QueryRow(t.Context(), "SELECT count(*) FROM session s WHERE position($1 in s::text) > 0", token).Scan(&n); err != nil || n != 0 {
			t.Errorf("%s: the token stands in the database in %d rows, %v", base, n, err)
		}
	}
}

func TestSignInRenewsTheToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("office", landmark.RoleOffice, "")
	w.account("viewer", landmark.RoleViewer, "")
	b := w.enter("viewer")
	old := *b
	old.jar = map[string]string{"landmark": b.jar["landmark"]}
	b.post("/login/demo", "account", "office")
	if b.jar["landmark"] == old.jar["landmark"] {
		t.Error("the token is the same after signing in again")
	}
	if res := old.get("/"); res.StatusCode != http.StatusSeeOther {
		t.Errorf("the old token still opens: %d", res.StatusCode)
	}
	// A token the visitor brings along is not taken up.
	b = w.browser()
	b.jar["landmark"] = "chosen-by-somebody-else"
	b.post("/login/demo", "account", "office")
	if b.jar["landmark"] == "chosen-by-somebody-else" {
		t.Error("a token of the visitor's choice was taken")
	}
}

func TestSessionEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("office", landmark.RoleOffice, "")
	open := func(b *browser) bool { return b.get("/account").StatusCode == http.StatusOK }

	idle := w.enter("office")
	w.clock.add(30*time.Minute - time.Second)
	if !open(idle) {
		t.Error("ended before 30 minutes unused")
	}
	w.clock.add(30 * time.Minute)
	if open(idle) {
		t.Error("open after 30 minutes unused")
	}

	busy := w.enter("office")
	for range 35 { // 11 h 40 min
		w.clock.add(20 * time.Minute)
		if !open(busy) {
			t.Fatal("ended while in use")
		}
	}
	w.clock.add(21 * time.Minute)
	if open(busy) {
		t.Error("open after 12 hours")
	}
}

// Reading pages writes the session no more than once a minute.
func TestSessionIsNotWrittenWithEveryPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("office", landmark.RoleOffice, "")
	b := w.enter("office")
	version := func() (v string) {
		if err := w.db.QueryRow(t.Context(), "SELECT xmin::text FROM session WHERE revoked_at IS NULL").Scan(&v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	before := version()
	for range 10 {
		w.clock.add(5 * time.Second)
		if res := b.get("/account"); len(res.Cookies()) != 0 {
			t.Errorf("a read page sets cookies: %v", res.Cookies())
		}
	}
	if version() != before {
		t.Error("ten pages within a minute wrote the session")
	}
	w.clock.add(time.Minute)
	b.get("/account")
	for range 500 { // no page waits for it
		if version() != before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("the session was not extended after a minute")
}

func TestAtMostThreeSessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *server.Config) { c.MaxSessions = 3 })
	w.account("office", landmark.RoleOffice, "")
	var bs []*browser
	for range 4 {
		w.clock.add(time.Second)
		bs = append(bs, w.enter("office"))
	}
	for i, b := range bs {
		want := http.StatusOK
		if i == 0 {
			want = http.StatusSeeOther
		}
		if res := b.get("/account"); res.StatusCode != want {
			t.Errorf("session %d of four: %d, want %d", i+1, res.StatusCode, want)
		}
	}
}

func TestEndAnotherSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("office", landmark.RoleOffice, "")
	w.account("viewer", landmark.RoleViewer, "")
	here, there, other := w.enter("office"), w.enter("office"), w.enter("viewer")
	name := func(b *browser) string { // of b's other session, from its page
		page := bodyOf(t, b.get("/account"))
		_, rest, ok := strings.Cut(page, `name="session" value="`)
		if !ok {
			t.Fatal("the account's page names no other session")
		}
		value, _, _ := strings.Cut(rest, `"`)
		return value
	}
	theirs := name(here)
	if res := other.post("/account/sessions/end", "session", theirs); res.StatusCode != http.StatusNotFound {
		t.Errorf("somebody else's session: %d, want 404", res.StatusCode)
	}
	if res := there.get("/account"); res.StatusCode != http.StatusOK {
		t.Fatalf("it ended all the same: %d", res.StatusCode)
	}
	if res := here.post("/account/sessions/end", "session", theirs); res.StatusCode != http.StatusSeeOther {
		t.Errorf("one's own: %d, want 303", res.StatusCode)
	}
	if res := there.get("/account"); res.StatusCode != http.StatusSeeOther {
		t.Errorf("ended session: %d, want 303 to sign in", res.StatusCode)
	}
	third := w.enter("office")
	if res := here.post("/account/sessions/end", "others", "1"); res.StatusCode != http.StatusSeeOther {
		t.Errorf("all others: %d", res.StatusCode)
	}
	if res := third.get("/account"); res.StatusCode != http.StatusSeeOther {
		t.Errorf("another session after all others ended: %d", res.StatusCode)
	}
	if res := here.get("/account"); res.StatusCode != http.StatusOK {
		t.Errorf("this session after all others ended: %d", res.StatusCode)
	}
}

func TestChangePassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.member("zhou", secret, landmark.RoleViewer)
	enter := func(password string) *browser {
		b := w.browser()
		if res := b.post("/login", "name", "zhou", "password", password); res.StatusCode != http.StatusSeeOther {
			t.Fatalf("sign in with %q: %d", password, res.StatusCode)
		}
		return b
	}
	here, there := enter(secret), enter(secret)
	for name, form := range map[string][3]string{
		"old":   {"not the old one", "梧桐树下的 那间老邮局", "梧桐树下的 那间老邮局"},
		"again": {secret, "梧桐树下的 那间老邮局", "梧桐树下的 那个老邮筒"},
		"new":   {secret, "kurz!", "kurz!"},
	} {
		before := w.fingerprint("account")["account"]
		res := here.post("/account/password", "old", form[0], "new", form[1], "again", form[2])
		page := bodyOf(t, res)
		if res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(page, `id="`+name+`-e"`) {
			t.Errorf("wrong %s: %d, or no sentence beside the field", name, res.StatusCode)
		}
		if strings.Contains(page, form[1]) {
			t.Errorf("wrong %s: the page repeats a password", name)
		}
		if w.fingerprint("account")["account"] != before {
			t.Errorf("wrong %s: the account changed", name)
		}
	}
	const next = "梧桐树下的 那间老邮局"
	if res := here.post("/account/password", "old", secret, "new", next, "again", next); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("change: %d\n%s", res.StatusCode, bodyOf(t, res))
	}
	if res := here.get("/account"); res.StatusCode != http.StatusOK || !strings.Contains(bodyOf(t, res), "密码已修改") {
		t.Errorf("the session that changed it: %d, or nothing said", res.StatusCode)
	}
	if strings.Contains(bodyOf(t, here.get("/account")), "密码已修改") {
		t.Error("it is said twice")
	}
	if res := there.get("/account"); res.StatusCode != http.StatusSeeOther {
		t.Errorf("the other session: %d, want signed out", res.StatusCode)
	}
	if res := w.browser().post("/login", "name", "zhou", "password", secret); res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("the old password: %d, want 422", res.StatusCode)
	}
	enter(next)
	var lines int
	if err := w.db.QueryRow(t.Context(), "SELECT count(*) FROM history WHERE act = 'account.password' AND actor = 'zhou'").Scan(&lines); err != nil || lines != 1 {
		t.Errorf("history lines %d, %v, want 1", lines, err)
	}
}

func TestGeneratedPasswordMustBeChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	generated, err := w.auth.Add(t.Context(), operator, auth.NewAccount{Name: "new", Role: landmark.RoleOffice})
	if err != nil || generated == "" {
		t.Fatalf("Add: %q, %v", generated, err)
	}
	b := w.browser()
	res := b.post("/login", "name", "new", "password", generated, "next", "/key")
	if want := "/account?next=%2Fkey"; res.Header.Get("Location") != want {
		t.Errorf("first sign-in leads to %q, want %q", res.Header.Get("Location"), want)
	}
	if res := b.get("/"); res.StatusCode != http.StatusSeeOther || !strings.HasPrefix(res.Header.Get("Location"), "/account") {
		t.Errorf("a page before the change: %d to %q", res.StatusCode, res.Header.Get("Location"))
	}
	b.header.Set("Referer", "http://127.0.0.1:8080/account?next=%2Fkey")
	if res := b.post("/account/password", "old", generated, "new", secret, "again", secret); res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/key" {
		t.Fatalf("change: %d to %q\n%s", res.StatusCode, res.Header.Get("Location"), bodyOf(t, res))
	}
	if res := b.get("/"); res.StatusCode != http.StatusOK {
		t.Errorf("a page after the change: %d", res.StatusCode)
	}
}

func TestLogout(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("office", landmark.RoleOffice, "")
	b := w.enter("office")
	token := b.jar["landmark"]
	res := b.post("/logout")
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/login" || res.Header.Get("Clear-Site-Data") == "" {
		t.Errorf("logout: %d to %q, Clear-Site-Data %q", res.StatusCode, res.Header.Get("Location"), res.Header.Get("Clear-Site-Data"))
	}
	if _, kept := b.jar["landmark"]; kept {
		t.Error("the cookie is still there")
	}
	b.jar["landmark"] = token
	if res := b.get("/"); res.StatusCode != http.StatusSeeOther {
		t.Errorf("the token after logout: %d", res.StatusCode)
	}
}

// A request under way when its session is ended, or its account shut, must not
// bring the session back: neither by touching it nor by saving it, at whichever
// of two servers over one database it arrives.
func TestEndedSessionStaysEnded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := w.twin()
	w.account("office", landmark.RoleOffice, "")
	rounds := 200
	if os.Getenv("FULL") == "1" {
		rounds = 1000
	}
	revived := 0
	for round := range rounds {
		b := w.enter("office")
		token := b.jar["landmark"]
		w.clock.add(2 * time.Minute) // so that every visit extends the session
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				at, target := w.srv, "/account"
				if i%2 == 1 {
					at = other
				}
				if i == 0 {
					target = "/login"
				}
				w.serve(t.Context(), at, http.MethodGet, target, token)
			})
		}
		wg.Go(func() { w.serve(t.Context(), other, http.MethodPost, "/logout", token) })
		wg.Wait()
		for name, at := range map[string]*server.Server{"one": w.srv, "two": other} {
			if status := w.serve(t.Context(), at, http.MethodGet, "/account", token); status != http.StatusSeeOther {
				revived++
				t.Errorf("round %d: the session answers %d at server %s after logout", round, status, name)
			}
		}
	}
	var living int
	if err := w.db.QueryRow(t.Context(), "SELECT count(*) FROM session WHERE revoked_at IS NULL").Scan(&living); err != nil {
		t.Fatal(err)
	}
	t.Logf("P26 logouts with requests under way at two servers | %d rounds | %d sessions answered again | %d rows without a tombstone", rounds, revived, living)
	if revived > 0 || living > 0 {
		t.Errorf("%d of %d sessions came back, %d live in the database", revived, rounds, living)
	}
}

// twin is a second server on the same database, with connections of its own.
func (w *world) twin() *server.Server {
	w.t.Helper()
	db, err := store.Open(w.t.Context(), w.address)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(db.Close)
	cfg := w.cfg
	cfg.Store = store.New(db)
	srv, err := server.New(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	return srv
}

// serve is one request with a token, without a jar: safe from many goroutines.
func (w *world) serve(ctx context.Context, at *server.Server, method, target, token string) int {
	b := w.browser()
	b.jar["landmark"] = token
	rec := httptest.NewRecorder()
	at.Handler().ServeHTTP(rec, b.request(ctx, method, target, ""))
	return rec.Code
}

// What the office takes away is gone with the next request, at the other server
// too: a role, or the whole account.
func TestRightsWithdrawnHoldAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := w.twin()
	w.account("office", landmark.RoleOffice, "")
	for i := range 20 {
		name := fmt.Sprintf("clerk%d", i)
		w.account(name, landmark.RoleOffice, "")
		token := w.enter(name).jar["landmark"]
		if status := w.serve(t.Context(), other, http.MethodGet, "/review", token); status != http.StatusOK {
			t.Fatalf("%s before: %d", name, status)
		}
		if err := w.auth.Update(t.Context(), operator, name, name, landmark.RoleViewer, landmark.Department{}); err != nil {
			t.Fatal(err)
		}
		if status := w.serve(t.Context(), other, http.MethodGet, "/review", token); status != http.StatusForbidden {
			t.Errorf("%s as a viewer: %d, want 403", name, status)
		}
		if status := w.serve(t.Context(), other, http.MethodGet, "/key", token); status != http.StatusOK {
			t.Errorf("%s reads as a viewer: %d, want 200", name, status)
		}
		if err := w.auth.SetDisabled(t.Context(), operator, name, true); err != nil {
			t.Fatal(err)
		}
		if status := w.serve(t.Context(), other, http.MethodGet, "/key", token); status != http.StatusSeeOther {
			t.Errorf("%s after it was shut: %d, want 303 to sign in", name, status)
		}
	}
}

// Many addresses that guess at one account get five looks each, and its owner
// still comes in from where they are.
func TestGuessingDoesNotLockTheOwnerOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *server.Config) { c.Hashing = argon2id.Params{} }) // guesses cost what they cost
	w.member("zhou", secret, landmark.RoleOffice)
	addresses, guesses := 12, 20
	if os.Getenv("FULL") == "1" {
		addresses, guesses = 200, 50
	}
	other := w.twin()
	var wg sync.WaitGroup
	var mu sync.Mutex
	looked := map[string]int{}
	var slowest time.Duration
	for i := range addresses {
		wg.Go(func() {
			for j := range guesses {
				b := w.browser()
				b.address = fmt.Sprintf("203.0.%d.%d:1", 113+i/100, i%100)
				at := w.srv
				if j%2 == 1 {
					at = other
				}
				rec := httptest.NewRecorder()
				at.Handler().ServeHTTP(rec, b.request(t.Context(), http.MethodPost, "/login", "name=zhou&password=guess+number"))
				mu.Lock()
				switch rec.Code {
				case http.StatusUnprocessableEntity:
					looked[b.address]++
				case http.StatusTooManyRequests, http.StatusServiceUnavailable: // the deadline passed while others were hashed
				default:
					t.Errorf("a guess: %d", rec.Code)
				}
				mu.Unlock()
			}
		})
	}
	stop := make(chan struct{})
	asked := make(chan int)
	go func() { // the balancer's probe, meanwhile
		n := 0
		for {
			select {
			case <-stop:
				asked <- n
				return
			default:
			}
			began := time.Now()
			w.serve(t.Context(), w.srv, http.MethodGet, "/readyz", "")
			slowest = max(slowest, time.Since(began))
			n++
		}
	}()
	wg.Wait()
	close(stop)
	probes := <-asked
	total := 0
	for address, n := range looked {
		total += n
		if n > 5 {
			t.Errorf("%s: %d guesses looked at, want 5 at most", address, n)
		}
	}
	if total == 0 {
		t.Error("no guess was looked at")
	}
	if res := w.browser().post("/login", "name", "zhou", "password", secret); res.StatusCode != http.StatusSeeOther {
		t.Errorf("the owner, from where they always are: %d, want 303", res.StatusCode)
	}
	t.Logf("P25 guesses | %d rounds from %d addresses | %d looked at, %d at most from one address | the owner came in | slowest of %d probes of /readyz %v",
		addresses*guesses, addresses, total, slices.Max(slices.Collect(maps.Values(looked))), probes, slowest)
}

func TestNoDemoDoorOutsideTheDemo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *server.Config) { c.Demo = false })
	w.account("office", landmark.RoleOffice, "")
	b := w.browser()
	if res := b.post("/login/demo", "account", "office"); res.StatusCode != http.StatusNotFound {
		t.Errorf("POST /login/demo = %d, want 404", res.StatusCode)
	}
	if strings.Contains(bodyOf(t, b.get("/login")), "/login/demo") {
		t.Error("the sign-in page has the demo's buttons")
	}
}

// In the demo only its own accounts can be entered without a password.
func TestDemoDoorOpensDemoAccountsOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.member("real", secret, landmark.RoleOffice)
	if res := w.browser().post("/login/demo", "account", "real"); res.StatusCode != http.StatusNotFound {
		t.Errorf("a real account: %d, want 404", res.StatusCode)
	}
}
