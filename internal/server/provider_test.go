package server_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc/oidctest"

	"landmark/internal/auth"
	"landmark/internal/landmark"
	"landmark/internal/server"
)

// identityProvider signs what it is told to: a provider that may lie.
type identityProvider struct {
	*httptest.Server
	key *rsa.PrivateKey

	mu     sync.Mutex
	codes  map[string]url.Values // what was asked for at the front, by code
	claims map[string]any        // what differs from an honest token; nil removes a claim
	sign   func(claims string) string
	reuse  bool // codes may be used again, which no provider should allow
	down   bool
}

func newProvider(t *testing.T) *identityProvider {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &identityProvider{key: key, codes: map[string]url.Values{}}
	p.sign = func(claims string) string { return oidctest.SignIDToken(p.key, "one", "RS256", claims) }
	known := &oidctest.Server{PublicKeys: []oidctest.PublicKey{{PublicKey: key.Public(), KeyID: "one", Algorithm: "RS256"}}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", p.token)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if p.isDown() {
			http.Error(w, "away", http.StatusBadGateway)
			return
		}
		known.ServeHTTP(w, r)
	})
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	known.SetIssuer(p.URL)
	return p
}

func (p *identityProvider) isDown() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.down
}

func (p *identityProvider) config(c *server.Config) {
	c.Provider = auth.ProviderConfig{Issuer: p.URL, ClientID: "landmark", ClientSecret: "geheim", Name: "桐乡认证"}
}

// admit is the front of the provider: somebody has signed in there. It gives the
// way back.
func (p *identityProvider) admit(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	for name, want := range map[string]string{"client_id": "landmark", "response_type": "code", "scope": "openid", "code_challenge_method": "S256",
		"redirect_uri": "http://127.0.0.1:8080/login/provider/callback"} {
		if q.Get(name) != want {
			t.Errorf("the way there has %s=%q, want %q", name, q.Get(name), want)
		}
	}
	for _, name := range []string{"state", "nonce", "code_challenge"} {
		if len(q.Get(name)) < 43 { // 256 bits
			t.Errorf("the way there has %s=%q: too short", name, q.Get(name))
		}
	}
	code := rand.Text()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.codes[code] = q
	return "/login/provider/callback?" + url.Values{"code": {code}, "state": {q.Get("state")}}.Encode()
}

func (p *identityProvider) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	asked, ok := p.codes[r.PostFormValue("code")]
	id, secret, basic := r.BasicAuth()
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if !ok || !basic || id != "landmark" || secret != "geheim" || r.PostFormValue("redirect_uri") != asked.Get("redirect_uri") ||
		base64.RawURLEncoding.EncodeToString(sum[:]) != asked.Get("code_challenge") {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"invalid_grant"}`))
		return
	}
	if !p.reuse {
		delete(p.codes, r.PostFormValue("code"))
	}
	now := time.Now()
	claims := map[string]any{"iss": p.URL, "aud": "landmark", "sub": "person-7", "nonce": asked.Get("nonce"),
		"iat": now.Unix(), "exp": now.Add(time.Minute).Unix(), "email": "zhou@example.cn", "email_verified": true}
	maps.Copy(claims, p.claims)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	text, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", "application/json")
	answer := map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": p.sign(string(text))}
	if answer["id_token"] == "" {
		delete(answer, "id_token")
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// set changes what the provider says next.
func (p *identityProvider) set(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

// through signs in at the provider and comes back.
func (b *browser) through(p *identityProvider, next string) *http.Response {
	b.w.t.Helper()
	res := b.get("/login/provider?next=" + url.QueryEscape(next))
	if res.StatusCode != http.StatusSeeOther {
		b.w.t.Fatalf("off to the provider: %d\n%s", res.StatusCode, bodyOf(b.w.t, res))
	}
	return b.get(p.admit(b.w.t, res.Header.Get("Location")))
}

func TestSignInByProvider(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	w := newWorld(t, p.config, withKey, func(c *server.Config) { c.World = time.Now })
	w.member("zhou", secret, landmark.RoleOffice)
	b := w.browser()
	if page := bodyOf(t, b.get("/login?next=%2Fkey")); !strings.Contains(page, "用桐乡认证登录") || !strings.Contains(page, `href="/login/provider?next=%2Fkey"`) {
		t.Error("the sign-in page does not offer the provider")
	}
	// Nobody is let in by mail address or name: only who is linked.
	res := b.through(p, "/key")
	if page := bodyOf(t, res); res.StatusCode != http.StatusForbidden || !strings.Contains(page, "person-7") {
		t.Errorf("an identity without an account: %d", res.StatusCode)
	}
	if res := b.get("/key"); res.StatusCode != http.StatusSeeOther {
		t.Errorf("it is let in all the same: %d", res.StatusCode)
	}
	if err := w.auth.Link(t.Context(), operator, "zhou", p.URL, "person-7"); err != nil {
		t.Fatal(err)
	}
	b = w.browser()
	if res := b.through(p, "/key?month=2023-09"); res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/key?month=2023-09" {
		t.Fatalf("linked: %d to %q\n%s", res.StatusCode, res.Header.Get("Location"), bodyOf(t, res))
	}
	if _, kept := b.jar["landmark-provider"]; kept {
		t.Error("the cookie of the way there is still kept")
	}
	if res := b.get("/review"); res.StatusCode != http.StatusOK {
		t.Errorf("signed in: %d", res.StatusCode)
	}
	// Where to go on stays here, whatever the cookie says.
	for _, next := range []string{"https://evil.example/", "//evil.example/", "/\\evil.example"} {
		b := w.browser()
		res := b.get("/login/provider?next=/key")
		parts := strings.Split(b.jar["landmark-provider"], ".")
		b.jar["landmark-provider"] = parts[0] + "." + parts[1] + "." + base64.RawURLEncoding.EncodeToString([]byte(next))
		if res := b.get(p.admit(t, res.Header.Get("Location"))); res.Header.Get("Location") != "/" {
			t.Errorf("next %q leads to %q", next, res.Header.Get("Location"))
		}
	}
	// A provider that has moved on to another number is another person.
	p.set(func() { p.claims = map[string]any{"sub": "person-8"} })
	if res := w.browser().through(p, "/"); res.StatusCode != http.StatusForbidden {
		t.Errorf("another subject with the same mail address: %d, want 403", res.StatusCode)
	}
	p.set(func() { p.claims = nil })
	if err := w.auth.SetDisabled(t.Context(), operator, "zhou", true); err != nil {
		t.Fatal(err)
	}
	if res := w.browser().through(p, "/"); res.StatusCode != http.StatusForbidden {
		t.Errorf("a disabled account: %d, want 403", res.StatusCode)
	}
	if got, want := w.acts(), "account.add account.link account.disable"; got != want {
		t.Errorf("history %q, want %q", got, want)
	}
}

// Neither a password to change nor a second factor to get stands in the way of
// somebody the provider has answered for.
func TestProviderStandsForPasswordAndCode(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	w := newWorld(t, p.config, withKey, func(c *server.Config) { c.World, c.RequireTOTP = time.Now, true })
	if _, err := w.auth.Add(t.Context(), operator, auth.NewAccount{Name: "zhou", Role: landmark.RoleOffice}); err != nil {
		t.Fatal(err)
	}
	if err := w.auth.Link(t.Context(), operator, "zhou", p.URL, "person-7"); err != nil {
		t.Fatal(err)
	}
	b := w.browser()
	b.through(p, "/")
	if res := b.get("/key"); res.StatusCode != http.StatusOK {
		t.Errorf("a page: %d to %q, want 200", res.StatusCode, res.Header.Get("Location"))
	}
	if err := w.auth.Unlink(t.Context(), operator, "zhou", p.URL, "person-7"); err != nil {
		t.Fatal(err)
	}
	if res := b.get("/key"); res.StatusCode != http.StatusSeeOther {
		t.Errorf("a page after the link was taken away: %d, want signed out", res.StatusCode)
	}
}

func TestProviderThatCannotBeBelieved(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	w := newWorld(t, p.config, withKey, func(c *server.Config) {
		c.World, c.SignIn.Window, c.SignIn.PerAccount, c.SignIn.PerAddress = time.Now, time.Minute, 5, 1000
	})
	w.member("zhou", secret, landmark.RoleOffice)
	if err := w.auth.Link(t.Context(), operator, "zhou", p.URL, "person-7"); err != nil {
		t.Fatal(err)
	}
	honest := p.sign
	forger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	none := func(claims string) string {
		return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + "."
	}
	past := time.Now().Add(-time.Hour).Unix()
	for name, c := range map[string]struct {
		claims map[string]any
		sign   func(string) string
	}{
		"another nonce":          {map[string]any{"nonce": "chosen by somebody else"}, nil},
		"no nonce":               {map[string]any{"nonce": nil}, nil},
		"another audience":       {map[string]any{"aud": "another-program"}, nil},
		"given to another":       {map[string]any{"aud": []string{"landmark", "other"}, "azp": "other"}, nil},
		"two audiences":          {map[string]any{"aud": []string{"landmark", "other"}}, nil},
		"another issuer":         {map[string]any{"iss": "https://evil.example"}, nil},
		"issuer with a slash":    {map[string]any{"iss": p.URL + "/"}, nil},
		"expired":                {map[string]any{"exp": past, "iat": past - 60}, nil},
		"no expiry":              {map[string]any{"exp": nil}, nil},
		"nobody":                 {map[string]any{"sub": nil}, nil},
		"not signed":             {nil, none},
		"signed by another":      {nil, func(c string) string { return oidctest.SignIDToken(forger, "one", "RS256", c) }},
		"another algorithm":      {nil, func(c string) string { return oidctest.SignIDToken([]byte(strings.Repeat("k", 64)), "one", "HS256", c) }},
		"no token at all":        {nil, func(string) string { return "" }},
		"something else instead": {nil, func(string) string { return "not.a.token" }},
	} {
		p.set(func() {
			p.claims, p.sign = c.claims, honest
			if c.sign != nil {
				p.sign = c.sign
			}
		})
		b := w.browser()
		res := b.through(p, "/key")
		page := bodyOf(t, res)
		if res.StatusCode != http.StatusForbidden || !strings.Contains(page, "身份核对不上") {
			t.Errorf("%s: %d, want 403 and a sentence", name, res.StatusCode)
		}
		if res := b.get("/key"); res.StatusCode != http.StatusSeeOther {
			t.Errorf("%s: let in", name)
		}
	}
	p.set(func() { p.claims, p.sign = nil, honest })
	if res := w.browser().through(p, "/key"); res.Header.Get("Location") != "/key" {
		t.Errorf("an honest one after all of them: %d to %q", res.StatusCode, res.Header.Get("Location"))
	}
}

// A way back belongs to one way there, of the same browser, once.
func TestWayBackFromProvider(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.reuse = true // so that it is us who refuse
	world := clock{now: time.Now()}
	w := newWorld(t, p.config, func(c *server.Config) { c.World = world.Now })
	other := w.twin()
	w.member("zhou", secret, landmark.RoleOffice)
	if err := w.auth.Link(t.Context(), operator, "zhou", p.URL, "person-7"); err != nil {
		t.Fatal(err)
	}
	out := func() (b *browser, back string) {
		b = w.browser()
		return b, p.admit(t, b.get("/login/provider?next=/key").Header.Get("Location"))
	}
	refused := func(name string, b *browser, back string, status int) {
		t.Helper()
		res := b.get(back)
		page := bodyOf(t, res)
		if res.StatusCode != status || !strings.Contains(page, `class="errsum"`) || !strings.Contains(page, "用桐乡认证登录") {
			t.Errorf("%s: %d, want %d and a page that says so", name, res.StatusCode, status)
		}
		if res := b.get("/key"); res.StatusCode != http.StatusSeeOther {
			t.Errorf("%s: let in", name)
		}
	}
	_, back := out()
	refused("another browser, without a cookie", w.browser(), back, http.StatusBadRequest)
	b, _ := out()
	refused("another browser, with its own", b, back, http.StatusBadRequest)
	b, back = out()
	refused("another state", b, strings.Replace(back, "state=", "state=x", 1), http.StatusBadRequest)
	b, back = out()
	world.add(11 * time.Minute)
	refused("too late", b, back, http.StatusBadRequest)
	b, back = out()
	b.jar["landmark-provider"] = "short.1.x"
	refused("a broken cookie", b, back, http.StatusBadRequest)
	b, back = out()
	refused("another provider's answer", b, back+"&iss=https%3A%2F%2Fevil.example", http.StatusForbidden)
	b, back = out()
	refused("another code", b, strings.Replace(back, part(back, "code"), "made-up", 1), http.StatusForbidden)
	// A code from another trip fails by PKCE, whatever the provider remembers.
	b, back = out()
	_, foreign := out()
	refused("a code from elsewhere", b, strings.Replace(back, part(back, "code"), part(foreign, "code"), 1), http.StatusForbidden)

	b, back = out()
	res := b.get("/login/provider/callback?error=access_denied&state=" + part(back, "state"))
	if page := bodyOf(t, res); res.StatusCode != http.StatusForbidden || !strings.Contains(page, "没有完成登录") {
		t.Errorf("refused at the provider: %d", res.StatusCode)
	}
	b, back = out()
	res = b.get("/login/provider/callback?error=evil%3Cb%3E&error_description=worse&state=" + part(back, "state"))
	if page := bodyOf(t, res); res.StatusCode != http.StatusForbidden || strings.Contains(page, "evil") || strings.Contains(page, "worse") {
		t.Errorf("an error with markup: %d, or the page repeats it", res.StatusCode)
	}

	// Used once, the same answer and cookie open nothing more, at either server.
	b, back = out()
	cookie := b.jar["landmark-provider"]
	if res := b.get(back); res.Header.Get("Location") != "/key" {
		t.Fatalf("the first time: %d to %q", res.StatusCode, res.Header.Get("Location"))
	}
	thief := w.browser()
	thief.jar["landmark-provider"] = cookie
	refused("the same again", thief, back, http.StatusBadRequest)
	thief.jar["landmark-provider"] = cookie
	rec := httptest.NewRecorder()
	other.Handler().ServeHTTP(rec, thief.request(t.Context(), http.MethodGet, back, ""))
	if rec.Code != http.StatusBadRequest {
		t.Errorf("the same again at the other server: %d, want 400", rec.Code)
	}
}

// part is a parameter of a way back.
func part(back, name string) string {
	_, rest, _ := strings.Cut(back, name+"=")
	value, _, _ := strings.Cut(rest, "&")
	return value
}

// The provider may be away when the program starts and when somebody comes; the
// password's way stays open, and the provider's opens by itself.
func TestProviderAway(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.down = true
	w := newWorld(t, p.config, func(c *server.Config) { c.World = time.Now })
	w.member("zhou", secret, landmark.RoleOffice)
	if err := w.auth.Link(t.Context(), operator, "zhou", p.URL, "person-7"); err != nil {
		t.Fatal(err)
	}
	res := w.browser().get("/login/provider?next=/key")
	page := bodyOf(t, res)
	if res.StatusCode != http.StatusServiceUnavailable || !strings.Contains(page, "暂时连不上") || !strings.Contains(page, `name="password"`) || !strings.Contains(page, `value="/key"`) {
		t.Errorf("away: %d, or no page with the password's way", res.StatusCode)
	}
	if _, res := w.signIn("zhou", secret); res.Header.Get("Location") != "/key" {
		t.Errorf("by password meanwhile: %d", res.StatusCode)
	}
	p.set(func() { p.down = false })
	if res := w.browser().through(p, "/key"); res.Header.Get("Location") != "/key" {
		t.Errorf("back again: %d to %q", res.StatusCode, res.Header.Get("Location"))
	}
}

// The office links and unlinks on the account's page.
func TestLinkOnThePage(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	w := newWorld(t, p.config, func(c *server.Config) { c.World = time.Now })
	w.account("office", landmark.RoleOffice, "")
	w.member("zhou", secret, landmark.RoleViewer)
	w.member("li", secret, landmark.RoleViewer)
	office := w.enter("office")
	if page := bodyOf(t, office.get("/admin/users/zhou")); !strings.Contains(page, `value="`+p.URL+`"`) {
		t.Error("the form does not name the provider")
	}
	for name, form := range map[string][2]string{"no subject": {"", p.URL}, "no address": {"person-7", "not an address"}, "script": {"person-7", "javascript:alert(1)"}, "long": {strings.Repeat("9", 256), p.URL}} {
		if res := office.post("/admin/users/zhou", "action", "link", "subject", form[0], "issuer", form[1]); res.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d, want 422", name, res.StatusCode)
		}
	}
	if res := office.post("/admin/users/zhou", "action", "link", "subject", "person-7", "issuer", p.URL); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("link: %d\n%s", res.StatusCode, bodyOf(t, res))
	}
	for _, name := range []string{"li", "zhou"} {
		if res := office.post("/admin/users/"+name, "action", "link", "subject", "person-7", "issuer", p.URL); res.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("linked to %s as well: %d, want 422", name, res.StatusCode)
		}
	}
	if page := bodyOf(t, office.get("/admin/users/zhou")); !strings.Contains(page, "person-7") {
		t.Error("the page does not show the link")
	}
	if res := w.browser().through(p, "/key"); res.Header.Get("Location") != "/key" {
		t.Errorf("by provider: %d to %q", res.StatusCode, res.Header.Get("Location"))
	}
	if res := office.post("/admin/users/li", "action", "unlink", "subject", "person-7", "issuer", p.URL); res.StatusCode != http.StatusNotFound {
		t.Errorf("unlink from another account: %d, want 404", res.StatusCode)
	}
	if res := office.post("/admin/users/zhou", "action", "unlink", "subject", "person-7", "issuer", p.URL); res.StatusCode != http.StatusSeeOther {
		t.Errorf("unlink: %d", res.StatusCode)
	}
	if res := w.browser().through(p, "/key"); res.StatusCode != http.StatusForbidden {
		t.Errorf("by provider afterwards: %d, want 403", res.StatusCode)
	}
}
