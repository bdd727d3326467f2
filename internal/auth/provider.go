package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"landmark/internal/landmark"
	"landmark/internal/store"
)

// ProviderConfig is an OpenID Connect provider people may sign in through.
type ProviderConfig struct {
	Issuer       string // exactly as the provider spells it
	ClientID     string
	ClientSecret string
	Name         string // as people know it, by default 统一认证
	Redirect     string // our address the provider sends people back to
}

// provider is it at work. What it says of itself is asked for when it is first
// needed, so that it may be away when we start.
type provider struct {
	ProviderConfig
	client *http.Client

	mu       sync.Mutex
	verifier *oidc.IDTokenVerifier // nil until it was asked
	oauth    oauth2.Config
}

// providerTimeout is how long one question to the provider may take.
const providerTimeout = 5 * time.Second

func newProvider(c ProviderConfig) (*provider, error) {
	u, err := url.Parse(c.Issuer)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("auth: provider %q is no address", c.Issuer)
	case c.ClientID == "" || c.Redirect == "":
		return nil, errors.New("auth: a provider needs ClientID and Redirect")
	}
	if c.Name == "" {
		c.Name = "统一认证"
	}
	return &provider{ProviderConfig: c, client: &http.Client{Timeout: providerTimeout}}, nil
}

// discovered is what the provider says of itself.
func (p *provider) discovered(ctx context.Context) (*oidc.IDTokenVerifier, oauth2.Config, error) {
	p.mu.Lock()
	verifier, conf := p.verifier, p.oauth
	p.mu.Unlock()
	if verifier != nil {
		return verifier, conf, nil
	}
	found, err := oidc.NewProvider(oidc.ClientContext(ctx, p.client), p.Issuer) // several at once ask several times
	if err != nil {
		return nil, oauth2.Config{}, fmt.Errorf("ask provider %s: %w", p.Issuer, err)
	}
	verifier = found.Verifier(&oidc.Config{ClientID: p.ClientID})
	conf = oauth2.Config{ClientID: p.ClientID, ClientSecret: p.ClientSecret, Endpoint: found.Endpoint(), RedirectURL: p.Redirect, Scopes: []string{oidc.ScopeOpenID}}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.verifier, p.oauth = verifier, conf
	return verifier, conf, nil
}

// ProviderError is why signing in through the provider came to nothing, in words
// for people. Err, if there is one, is for the log.
type ProviderError struct {
	Reason  ProviderReason
	Message string
	Err     error
}

// Error says what the log needs.
func (e *ProviderError) Error() string {
	if e.Err == nil {
		return "provider: " + e.Message
	}
	return "provider: " + e.Err.Error()
}

// Unwrap gives the cause.
func (e *ProviderError) Unwrap() error { return e.Err }

// ProviderReason is what kind of thing went wrong.
type ProviderReason int

// The reasons.
const (
	ProviderLost    ProviderReason = iota + 1 // the way back does not belong to a way there of this browser
	ProviderAway                              // it does not answer
	ProviderRefused                           // it said no, or said something that cannot be believed
	ProviderUnknown                           // nobody here is linked to whom it named
)

// ProviderName is what people call the provider, empty if there is none.
func (a *Auth) ProviderName() string {
	if a.provider == nil {
		return ""
	}
	return a.provider.Name
}

// ProviderIssuer is the provider's own name, empty if there is none.
func (a *Auth) ProviderIssuer() string {
	if a.provider == nil {
		return ""
	}
	return a.provider.Issuer
}

// providerLife is how long signing in at the provider may take.
const providerLife = 10 * time.Minute

// trip is one way to the provider and back. The browser keeps it in a cookie; the
// values that must come back are computed from its token, so nothing is stored
// here for somebody who never comes back.
type trip struct {
	token string
	began time.Time
	next  string
}

func (t trip) cookie() string {
	return t.token + "." + strconv.FormatInt(t.began.Unix(), 10) + "." + base64.RawURLEncoding.EncodeToString([]byte(t.next))
}

func parseTrip(cookie string) (trip, bool) {
	parts := strings.Split(cookie, ".")
	if len(parts) != 3 || len(parts[0]) < len(rand.Text()) {
		return trip{}, false
	}
	began, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return trip{}, false
	}
	next, err := base64.RawURLEncoding.DecodeString(parts[2])
	return trip{parts[0], time.Unix(began, 0), string(next)}, err == nil
}

// derive computes one of the values from the token; none tells another.
func (t trip) derive(what string) string {
	h := hmac.New(sha256.New, []byte(t.token))
	h.Write([]byte(what))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

func (t trip) state() string    { return t.derive("state") }
func (t trip) nonce() string    { return t.derive("nonce") }
func (t trip) verifier() string { return t.derive("verifier") } // 43 characters, as PKCE wants

// BeginProvider gives the provider's address to go to, and what the browser has
// to keep meanwhile. next is where it leads in the end. The error is NotFound
// without a provider, or a [ProviderError].
func (a *Auth) BeginProvider(ctx context.Context, next string) (address, cookie string, err error) {
	p := a.provider
	if p == nil {
		return "", "", landmark.Errorf(landmark.NotFound, "", "没有设定统一认证")
	}
	_, conf, err := p.discovered(ctx)
	if err != nil {
		return "", "", p.away(err)
	}
	t := trip{token: rand.Text() + rand.Text(), began: a.world(), next: next}
	return conf.AuthCodeURL(t.state(), oidc.Nonce(t.nonce()), oauth2.S256ChallengeOption(t.verifier())), t.cookie(), nil
}

func (p *provider) away(err error) error {
	return &ProviderError{ProviderAway, p.Name + "暂时连不上,请稍后再试,或者用账号和密码登录", err}
}

func (p *provider) refused(err error) error {
	return &ProviderError{ProviderRefused, p.Name + "给出的身份核对不上,没有登录。请再试一次;要是还不行,请告诉管理员", err}
}

var plainWord = regexp.MustCompile(`^[a-z_]{1,60}$`)

// SignInProvider begins a session for whom the provider has sent back with the
// parameters of answer, if this browser set out with cookie and the account is
// linked. It returns where to go on. The error is NotFound without a provider, a
// [ProviderError], ErrThrottled or internal.
func (a *Auth) SignInProvider(ctx context.Context, cookie string, answer url.Values) (next string, err error) {
	p, v := a.provider, VisitFrom(ctx)
	if p == nil {
		return "", landmark.Errorf(landmark.NotFound, "", "没有设定统一认证")
	}
	t, ok := parseTrip(cookie)
	age := a.world().Sub(t.began)
	if !ok || age < 0 || age > providerLife || subtle.ConstantTimeCompare([]byte(t.state()), []byte(answer.Get("state"))) != 1 {
		return "", &ProviderError{ProviderLost, "这次登录没有接上:可能隔得太久、退回了上一页,或者换了浏览器。请重新点“用" + p.Name + "登录”", nil}
	}
	if said := answer.Get("error"); said != "" {
		message := "您在" + p.Name + "那里没有完成登录"
		if said != "access_denied" {
			if !plainWord.MatchString(said) {
				said = "未知"
			}
			message = p.Name + "没有让您登录(" + said + "),请稍后再试,或者用账号和密码登录"
		}
		return "", &ProviderError{ProviderRefused, message, errors.New("it answered " + strconv.Quote(clip(answer.Get("error"), 60)))}
	}
	if iss := answer.Get("iss"); iss != "" && iss != p.Issuer { // RFC 9207: another provider's answer
		return "", p.refused(fmt.Errorf("the answer names issuer %q", clip(iss, 200)))
	}
	// Each answer costs the provider a question: nobody sends many.
	const counter = "/provider" // no account has this name
	may, err := a.store.TrySignIn(ctx, counter, v.Address, store.SignInLimits{Window: a.limits.Window, PerAccount: math.MaxInt32, PerAddress: a.limits.PerAddress}, a.now())
	if err != nil {
		return "", err
	}
	if !may {
		return "", fmt.Errorf("sign in by provider: %w", ErrThrottled)
	}
	subject, err := p.subject(ctx, t, answer.Get("code"))
	if err != nil {
		return "", err
	}
	account, err := a.store.AccountByIdentity(ctx, p.Issuer, subject)
	if err != nil && landmark.KindOf(err) != landmark.NotFound {
		return "", err
	}
	if err != nil || account.User.Disabled {
		a.log.WarnContext(ctx, "sign-in by provider refused", "subject", subject, "address", v.Address, "request", v.RequestID)
		return "", &ProviderError{ProviderUnknown, "您在" + p.Name + "的身份还没有关联到这里的账号,或者账号已经停用。请把这个编号告诉市府办:" + clip(subject, 255), nil}
	}
	sum := sha256.Sum256([]byte(t.state()))
	fresh, err := a.store.TakeProviderSignIn(ctx, hex.EncodeToString(sum[:]), a.now())
	if err != nil {
		return "", err
	}
	if !fresh {
		return "", &ProviderError{ProviderLost, "这次登录已经用过了,请重新点“用" + p.Name + "登录”", nil}
	}
	if err := a.store.SignedIn(ctx, counter, v.Address); err != nil {
		return "", err
	}
	return t.next, a.beginBy(ctx, account, true)
}

// subject exchanges the provider's code for its word on who it is, and checks it.
func (p *provider) subject(ctx context.Context, t trip, code string) (string, error) {
	verifier, conf, err := p.discovered(ctx)
	if err != nil {
		return "", p.away(err)
	}
	token, err := conf.Exchange(oidc.ClientContext(ctx, p.client), code, oauth2.VerifierOption(t.verifier()))
	if err != nil {
		if _, said := errors.AsType[*oauth2.RetrieveError](err); said {
			return "", p.refused(err)
		}
		return "", p.away(err)
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return "", p.refused(errors.New("no ID token"))
	}
	id, err := verifier.Verify(ctx, raw)
	if err != nil {
		return "", p.refused(err)
	}
	var claims struct {
		Azp string `json:"azp"`
	}
	if err := id.Claims(&claims); err != nil {
		return "", p.refused(err)
	}
	switch {
	case subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(t.nonce())) != 1: // the library leaves this to us
		return "", p.refused(errors.New("the ID token has another nonce"))
	case claims.Azp != "" && claims.Azp != p.ClientID, claims.Azp == "" && len(id.Audience) > 1:
		return "", p.refused(fmt.Errorf("the ID token was given to %q", claims.Azp))
	case id.Subject == "":
		return "", p.refused(errors.New("the ID token names nobody"))
	}
	return id.Subject, nil
}

// Link ties an account to who its owner is for a provider. The error is NotFound
// or Invalid for issuer or subject.
func (a *Auth) Link(ctx context.Context, by landmark.Actor, name, issuer, subject string) error {
	account, err := a.store.Account(ctx, name)
	if err != nil {
		return err
	}
	issuer, subject = strings.TrimSpace(issuer), strings.TrimSpace(subject)
	u, err := url.Parse(issuer)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || utf8.RuneCountInString(issuer) > 500:
		return landmark.Errorf(landmark.Invalid, "issuer", "签发者要写成https://开头的地址,和统一认证给出的一字不差")
	case subject == "" || utf8.RuneCountInString(subject) > 255 || !utf8.ValidString(subject) || strings.ContainsRune(subject, 0):
		return landmark.Errorf(landmark.Invalid, "subject", "编号要有1到255个字")
	}
	now := a.now()
	return a.store.Tx(ctx, func(s *store.Store) error {
		if err := s.InsertIdentity(ctx, account.User.ID, store.Identity{Issuer: issuer, Subject: subject, LinkedAt: now}); err != nil {
			return err
		}
		line, err := identityLine(by, "account.link", account.User, issuer, subject, now)
		if err != nil {
			return err
		}
		return s.AddHistory(ctx, line)
	})
}

// Unlink takes that back; all sessions of the account end. The error is NotFound.
func (a *Auth) Unlink(ctx context.Context, by landmark.Actor, name, issuer, subject string) error {
	account, err := a.store.Account(ctx, name)
	if err != nil {
		return err
	}
	now := a.now()
	return a.store.Tx(ctx, func(s *store.Store) error {
		if err := s.DeleteIdentity(ctx, account.User.ID, issuer, subject); err != nil {
			return err
		}
		except := ""
		if by.AccountID == account.User.ID {
			except = VisitFrom(ctx).tokenHash
		}
		if _, err := s.EndSessions(ctx, account.User.ID, 0, except, now); err != nil {
			return err
		}
		line, err := identityLine(by, "account.unlink", account.User, issuer, subject, now)
		if err != nil {
			return err
		}
		return s.AddHistory(ctx, line)
	})
}

func identityLine(by landmark.Actor, act string, u landmark.User, issuer, subject string, at time.Time) (landmark.HistoryEntry, error) {
	line := accountLine(by, act, u, at)
	said, err := json.Marshal(map[string]string{"issuer": issuer, "subject": subject})
	if err != nil {
		return landmark.HistoryEntry{}, fmt.Errorf("describe identity: %w", err)
	}
	if act == "account.link" {
		line.After = said
	} else {
		line.Before = said
	}
	return line, nil
}
