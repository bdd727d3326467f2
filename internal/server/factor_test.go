package server_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"landmark/internal/auth"
	"landmark/internal/landmark"
	"landmark/internal/server"
	"landmark/internal/store"
)

const sealKey = "a key for tests, of thirty-two bytes at least"

func withKey(c *server.Config) { c.Key = []byte(sealKey) }

// authenticator is what people have on their phone, written a second time.
type authenticator struct {
	secret []byte
	clock  *clock
}

func (a authenticator) code() string { return a.codeAt(a.clock.Now()) }

func (a authenticator) codeAt(at time.Time) string {
	h := hmac.New(sha1.New, a.secret)
	_ = binary.Write(h, binary.BigEndian, at.Unix()/30)
	sum := h.Sum(nil)
	n := binary.BigEndian.Uint32(sum[sum[19]&15:]) & 0x7fffffff
	return fmt.Sprintf("%06d", n%1000000)
}

func (a authenticator) wrong() string {
	if a.code() == "000000" {
		return "111111"
	}
	return "000000"
}

var (
	shownSecret = regexp.MustCompile(`class="secret">([A-Z2-7 ]+)<`)
	shownCodes  = regexp.MustCompile(`class="codes__one">([a-z2-9-]+)<`)
)

// signIn is a browser that gave name and password.
func (w *world) signIn(name, password string) (*browser, *http.Response) {
	b := w.browser()
	return b, b.post("/login", "name", name, "password", password, "next", "/key")
}

// enrol gets a second factor in the browser of somebody signed in.
func (w *world) enrol(b *browser, password string) (authenticator, []string) {
	w.t.Helper()
	if res := b.post("/account/factor", "action", "begin", "password", password); res.StatusCode != http.StatusSeeOther {
		w.t.Fatalf("begin: %d\n%s", res.StatusCode, bodyOf(w.t, res))
	}
	page := bodyOf(w.t, b.get("/account/factor"))
	m := shownSecret.FindStringSubmatch(page)
	if m == nil || !strings.Contains(page, `class="qr__ink"`) {
		w.t.Fatalf("the page shows no secret, or no code for the camera:\n%s", page)
	}
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ReplaceAll(m[1], " ", ""))
	if err != nil {
		w.t.Fatal(err)
	}
	a := authenticator{secret, w.clock}
	res := b.post("/account/factor", "action", "confirm", "code", a.code())
	page = bodyOf(w.t, res)
	if res.StatusCode != http.StatusOK {
		w.t.Fatalf("confirm: %d\n%s", res.StatusCode, page)
	}
	var codes []string
	for _, m := range shownCodes.FindAllStringSubmatch(page, -1) {
		codes = append(codes, m[1])
	}
	if len(codes) != 10 {
		w.t.Fatalf("%d recovery codes, want 10", len(codes))
	}
	return a, codes
}

// acts is what the history says of accounts, oldest first.
func (w *world) acts() string {
	w.t.Helper()
	lines, err := w.st.History(w.t.Context(), store.HistoryFilter{}, 100)
	if err != nil {
		w.t.Fatal(err)
	}
	var acts []string
	for _, l := range slices.Backward(lines) {
		if strings.HasPrefix(l.Act, "account.") {
			acts = append(acts, l.Act)
		}
	}
	return strings.Join(acts, " ")
}

func TestSecondFactor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withKey)
	w.member("zhou", secret, landmark.RoleOffice)
	b, res := w.signIn("zhou", secret)
	if res.Header.Get("Location") != "/key" {
		t.Fatalf("without a second factor sign-in leads to %q", res.Header.Get("Location"))
	}
	elsewhere, _ := w.signIn("zhou", secret)
	if res := b.post("/account/factor", "action", "begin", "password", "not mine at all"); res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("begin with a wrong password: %d, want 422", res.StatusCode)
	}
	a, codes := w.enrol(b, secret)
	if res := b.get("/account"); res.StatusCode != http.StatusOK {
		t.Errorf("the session that turned it on: %d", res.StatusCode)
	}
	if res := elsewhere.get("/account"); res.StatusCode != http.StatusSeeOther {
		t.Errorf("another session: %d, want signed out", res.StatusCode)
	}
	if page := bodyOf(t, b.get("/account/factor")); strings.Contains(page, codes[0]) || shownSecret.MatchString(page) {
		t.Error("secret or recovery codes are shown a second time")
	}
	// Neither stands in the database, in clear or in base32.
	var n int
	err := w.db.QueryRow(t.Context(), `SELECT count(*) FROM account WHERE position($1 in totp_secret) > 0 OR account::text LIKE '%' || $2 || '%' OR account::text LIKE '%' || $3 || '%'`,
		a.secret, codes[0], strings.ReplaceAll(codes[0], "-", "")).Scan(&n)
	if err != nil || n != 0 {
		t.Errorf("secret or recovery code stands in the database: %d rows, %v", n, err)
	}

	// The code that turned it on does not sign in; the next one does.
	c, res := w.signIn("zhou", secret)
	if want := "/login/code?next=%2Fkey"; res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != want {
		t.Fatalf("password alone leads to %q, want %q", res.Header.Get("Location"), want)
	}
	if res := c.get("/key"); res.StatusCode != http.StatusSeeOther || !strings.HasPrefix(res.Header.Get("Location"), "/login?") {
		t.Errorf("a page between password and code: %d to %q", res.StatusCode, res.Header.Get("Location"))
	}
	if page := bodyOf(t, c.get("/login/code?next=%2Fkey")); !strings.Contains(page, `name="code"`) || !strings.Contains(page, `value="/key"`) {
		t.Error("the page does not ask for the code, or forgets where to")
	}
	if res := c.post("/login/code", "code", a.code(), "next", "/key"); res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a code used before: %d, want 422", res.StatusCode)
	}
	w.clock.add(30 * time.Second)
	half := c.jar["landmark"]
	if res := c.post("/login/code", "code", a.code()[:3]+" "+a.code()[3:], "next", "/key"); res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/key" {
		t.Fatalf("right code: %d to %q\n%s", res.StatusCode, res.Header.Get("Location"), bodyOf(t, res))
	}
	if c.jar["landmark"] == half {
		t.Error("the token is the same after the code")
	}
	if res := c.get("/key"); res.StatusCode != http.StatusOK {
		t.Errorf("signed in: %d", res.StatusCode)
	}

	// A recovery code does once.
	w.clock.add(time.Second)
	for i, want := range []int{http.StatusSeeOther, http.StatusUnprocessableEntity} {
		d, _ := w.signIn("zhou", secret)
		if res := d.post("/login/code", "code", strings.ToUpper(codes[3]), "next", "/key"); res.StatusCode != want {
			t.Errorf("recovery code, time %d: %d, want %d", i+1, res.StatusCode, want)
		}
	}
	if page := bodyOf(t, c.get("/account/factor")); !strings.Contains(page, "还剩9个") {
		t.Error("the page does not say that nine recovery codes are left")
	}

	// New ones make the old ones void, and need password and code.
	w.clock.add(30 * time.Second)
	if res := c.post("/account/factor", "action", "codes", "password", secret, "code", a.wrong()); res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("new recovery codes with a wrong code: %d", res.StatusCode)
	}
	res = c.post("/account/factor", "action", "codes", "password", secret, "code", a.code())
	fresh := shownCodes.FindStringSubmatch(bodyOf(t, res))
	if res.StatusCode != http.StatusOK || fresh == nil {
		t.Fatalf("new recovery codes: %d", res.StatusCode)
	}
	d, _ := w.signIn("zhou", secret)
	if res := d.post("/login/code", "code", codes[5]); res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("an old recovery code: %d, want 422", res.StatusCode)
	}

	// Off again: not with one of the two alone.
	for _, form := range [][2]string{{"not mine at all", fresh[1]}, {secret, a.wrong()}} {
		if res := c.post("/account/factor", "action", "disable", "password", form[0], "code", form[1]); res.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("turn off with %q: %d, want 422", form, res.StatusCode)
		}
	}
	if res := c.post("/account/factor", "action", "disable", "password", secret, "code", fresh[1]); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("turn off: %d\n%s", res.StatusCode, bodyOf(t, res))
	}
	if _, res := w.signIn("zhou", secret); res.Header.Get("Location") != "/key" {
		t.Errorf("after turning it off sign-in leads to %q", res.Header.Get("Location"))
	}
	want := "account.add account.factor_on account.recovery account.recovery_new account.recovery account.factor_off"
	if got := w.acts(); got != want {
		t.Errorf("history %q, want %q", got, want)
	}
	for _, s := range append(codes, a.code(), shownForm(a.secret)) {
		if strings.Contains(w.log.String(), s) {
			t.Errorf("%q stands in the log", s)
		}
	}
}

func shownForm(secret []byte) string { return base32.StdEncoding.EncodeToString(secret) }

// A code counts once, however often and at however many servers it is shown at
// once; so does a recovery code.
func TestCodeCountsOnceOnTwoServers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withKey)
	other := w.twin()
	w.member("zhou", secret, landmark.RoleOffice)
	b, _ := w.signIn("zhou", secret)
	a, codes := w.enrol(b, secret)
	for i, code := range []func() string{a.code, func() string { return codes[0] }, a.code, func() string { return codes[1] }} {
		w.clock.add(30 * time.Second)
		var halves []*browser
		for j := range 4 {
			h := w.browser()
			h.address = fmt.Sprintf("198.51.100.%d:1", 10*i+j)
			h.post("/login", "name", "zhou", "password", secret)
			halves = append(halves, h)
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		in := 0
		for j, h := range halves {
			at := w.srv
			if j%2 == 1 {
				at = other
			}
			r := h.request(t.Context(), http.MethodPost, "/login/code", "code="+code())
			wg.Go(func() {
				rec := httptest.NewRecorder()
				at.Handler().ServeHTTP(rec, r)
				mu.Lock()
				defer mu.Unlock()
				if rec.Code == http.StatusSeeOther {
					in++
				}
			})
		}
		wg.Wait()
		if in != 1 {
			t.Errorf("round %d: one code let %d in", i, in)
		}
	}
}

// Codes share the password's counters, and an account takes twenty wrong ones
// from all addresses together; recovery codes stay open to the owner.
func TestCodesCannotBeTried(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withKey)
	w.member("zhou", secret, landmark.RoleOffice)
	b, _ := w.signIn("zhou", secret)
	a, codes := w.enrol(b, secret)
	w.clock.add(30 * time.Second)
	thief, _ := w.signIn("zhou", secret) // one of five
	for i := range 4 {
		if res := thief.post("/login/code", "code", a.wrong()); res.StatusCode != http.StatusUnprocessableEntity {
			t.Fatalf("wrong code %d: %d, want 422", i+1, res.StatusCode)
		}
	}
	if res := thief.post("/login/code", "code", a.code()); res.StatusCode != http.StatusTooManyRequests {
		t.Errorf("the sixth try, with the right code: %d, want 429", res.StatusCode)
	}
	if res := thief.post("/login", "name", "zhou", "password", secret); res.StatusCode != http.StatusTooManyRequests {
		t.Errorf("the password once more does not clear the count: %d, want 429", res.StatusCode)
	}
	for i := range 4 { // from elsewhere: sixteen more
		h := w.browser()
		h.address = fmt.Sprintf("198.51.100.%d:1", i)
		h.post("/login", "name", "zhou", "password", secret)
		for range 4 {
			h.post("/login/code", "code", a.wrong())
		}
	}
	owner := w.browser()
	owner.address = "198.51.100.200:1"
	owner.post("/login", "name", "zhou", "password", secret)
	if res := owner.post("/login/code", "code", a.code()); res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(bodyOf(t, res), "恢复码") {
		t.Errorf("the right code after twenty wrong ones from everywhere: %d", res.StatusCode)
	}
	if res := owner.post("/login/code", "code", codes[0]); res.StatusCode != http.StatusSeeOther {
		t.Errorf("a recovery code: %d, want 303", res.StatusCode)
	}
	w.clock.add(16 * time.Minute)
	h, _ := w.signIn("zhou", secret)
	if res := h.post("/login/code", "code", a.code()); res.StatusCode != http.StatusSeeOther {
		t.Errorf("after the window: %d, want 303", res.StatusCode)
	}
}

// Between password and code nothing may have changed, and not too much time.
func TestHalfASignInEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withKey)
	for name, meanwhile := range map[string]func(string){
		"late":     func(string) { w.clock.add(5*time.Minute + time.Second) },
		"disabled": func(n string) { w.set("UPDATE account SET disabled_at = now() WHERE name = $1", n) },
		"password": func(n string) { // set by the office
			if _, err := w.auth.SetPassword(t.Context(), operator, n, ""); err != nil {
				t.Fatal(err)
			}
		},
		"reset": func(n string) {
			if err := w.auth.ResetFactor(t.Context(), operator, n); err != nil {
				t.Fatal(err)
			}
		},
	} {
		w.clock.add(time.Hour)
		w.member(name, secret, landmark.RoleOffice)
		b, _ := w.signIn(name, secret)
		a, codes := w.enrol(b, secret)
		w.clock.add(30 * time.Second)
		h, _ := w.signIn(name, secret)
		meanwhile(name)
		for _, code := range []string{a.code(), codes[0]} {
			if res := h.post("/login/code", "code", code); res.StatusCode != http.StatusUnprocessableEntity {
				t.Errorf("%s: %d, want 422", name, res.StatusCode)
			}
		}
		if res := h.get("/key"); res.StatusCode != http.StatusSeeOther {
			t.Errorf("%s: a page answers %d", name, res.StatusCode)
		}
		if name == "late" {
			if res := h.get("/login/code"); !strings.HasPrefix(res.Header.Get("Location"), "/login?") {
				t.Errorf("late: /login/code leads to %q", res.Header.Get("Location"))
			}
		}
	}
}

// The office takes away another's, never its own.
func TestResetSecondFactor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withKey)
	w.member("zhou", secret, landmark.RoleOffice)
	w.member("li", secret, landmark.RoleOffice)
	li, _ := w.signIn("li", secret)
	w.enrol(li, secret)
	zhou, _ := w.signIn("zhou", secret)
	w.enrol(zhou, secret)
	if page := bodyOf(t, zhou.get("/admin/users/li")); !strings.Contains(page, "重置两步验证") {
		t.Error("the page of an account with a second factor does not offer to reset it")
	}
	if res := zhou.post("/admin/users/zhou", "action", "factor"); res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("one's own: %d, want 422", res.StatusCode)
	}
	for range 2 { // sent twice it has one effect
		if res := zhou.post("/admin/users/li", "action", "factor"); res.StatusCode != http.StatusSeeOther {
			t.Errorf("another's: %d, want 303", res.StatusCode)
		}
	}
	if res := li.get("/account"); res.StatusCode != http.StatusSeeOther {
		t.Errorf("li's session goes on: %d", res.StatusCode)
	}
	if _, res := w.signIn("li", secret); res.Header.Get("Location") != "/key" {
		t.Errorf("li signs in by password and is led to %q", res.Header.Get("Location"))
	}
	if got := strings.Count(w.acts(), "account.factor_reset"); got != 1 {
		t.Errorf("%d history lines of a reset, want 1", got)
	}
}

// REQUIRE_TOTP=office: nothing before the second factor, and everything after.
func TestRequiredSecondFactor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withKey, func(c *server.Config) { c.RequireTOTP = true })
	w.member("zhou", secret, landmark.RoleOffice)
	w.member("li", secret, landmark.RoleViewer)
	w.account("office", landmark.RoleOffice, "")
	b, res := w.signIn("zhou", secret)
	if res := b.get(res.Header.Get("Location")); res.Header.Get("Location") != "/account/factor?next=%2Fkey" {
		t.Errorf("a page leads to %q, want to the second factor", res.Header.Get("Location"))
	}
	if res := b.post("/review", "action", "approve"); res.StatusCode != http.StatusForbidden {
		t.Errorf("a write: %d, want 403", res.StatusCode)
	}
	if res := b.get("/api/v1/indicators"); res.StatusCode != http.StatusForbidden {
		t.Errorf("the API: %d, want 403", res.StatusCode)
	}
	if page := bodyOf(t, b.get("/account/factor?next=%2Fkey")); !strings.Contains(page, "才能继续使用") || strings.Contains(page, `href="/review"`) {
		t.Error("the page does not say why, or has a navigation that leads nowhere")
	}
	w.enrol(b, secret)
	if res := b.get("/key"); res.StatusCode != http.StatusOK {
		t.Errorf("after it: %d", res.StatusCode)
	}
	li, _ := w.signIn("li", secret)
	if res := li.get("/key"); res.StatusCode != http.StatusOK {
		t.Errorf("a viewer: %d, want 200", res.StatusCode)
	}
	if res := w.enter("office").get("/key"); res.StatusCode != http.StatusOK {
		t.Errorf("the demo's office: %d, want 200", res.StatusCode)
	}
	cfg := w.cfg
	cfg.Key = nil
	if _, err := server.New(cfg); err == nil {
		t.Error("a second factor is required with no key to seal its secrets")
	}
}

// A lost key locks nobody out who kept their recovery codes.
func TestLostKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withKey)
	w.member("zhou", secret, landmark.RoleOffice)
	b, _ := w.signIn("zhou", secret)
	a, codes := w.enrol(b, secret)
	w.clock.add(30 * time.Second)
	cfg := w.cfg
	cfg.Key = []byte("another key than before, as long as it must be")
	var err error
	if w.srv, err = server.New(cfg); err != nil {
		t.Fatal(err)
	}
	h, _ := w.signIn("zhou", secret)
	if res := h.post("/login/code", "code", a.code()); res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(bodyOf(t, res), "恢复码") {
		t.Errorf("a code with another key: %d", res.StatusCode)
	}
	if res := h.post("/login/code", "code", codes[0]); res.StatusCode != http.StatusSeeOther {
		t.Errorf("a recovery code: %d, want 303", res.StatusCode)
	}
	if !strings.Contains(w.log.String(), "SECRET_KEY") {
		t.Error("the log does not say what to check")
	}
}

// Without a key, and for accounts without a password, there is nothing to turn on.
func TestNoSecondFactorWithoutKeyOrPassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.member("zhou", secret, landmark.RoleOffice)
	b, _ := w.signIn("zhou", secret)
	if page := bodyOf(t, b.get("/account/factor")); strings.Contains(page, "<form method=\"post\" action=\"/account/factor\"") {
		t.Error("the page offers what cannot be done without a key")
	}
	if res := b.post("/account/factor", "action", "begin", "password", secret); res.StatusCode != http.StatusConflict {
		t.Errorf("begin without a key: %d, want 409", res.StatusCode)
	}
	w = newWorld(t, withKey)
	w.account("office", landmark.RoleOffice, "")
	b = w.enter("office")
	if res := b.post("/account/factor", "action", "begin", "password", auth.GeneratePassword()); res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("begin without a password: %d, want 422", res.StatusCode)
	}
	if res := b.post("/account/factor", "action", "nothing"); res.StatusCode != http.StatusBadRequest {
		t.Errorf("an unknown form: %d, want 400", res.StatusCode)
	}
}
