package auth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"landmark/internal/landmark"
	"landmark/internal/store"
)

// Visit is one request, as far as it matters who makes it. The server puts one
// into the context before anything else, so that the outermost layer, which
// logs, knows in the end what the innermost found out.
type Visit struct {
	RequestID string
	Address   string // of the client, "" if unknown
	Agent     string
	User      landmark.User // the zero User for a visitor
	Outworn   bool          // the password is too old and must be changed, as User.MustChange says
	MustEnrol bool          // the account has to get its second factor before anything else

	// Version is the data's, read together with the session: after the request
	// came. It is zero for a visitor without a session.
	Version store.Version

	tokenHash string // of the session the request came with
	createdAt time.Time
	half      half
	provider  bool // the session was begun through the provider
}

// Actor is the visitor as the history names them.
func (v *Visit) Actor() landmark.Actor { return landmark.ActorOf(v.User, v.Address, v.RequestID) }

// half is a sign-in whose password was right and whose code is still to come.
type half struct {
	account string // empty: there is none
	stamp   int64
}

// halfLife is how long the code may take.
const halfLife = 5 * time.Minute

type visitKey struct{}

// WithVisit puts v into a context.
func WithVisit(ctx context.Context, v *Visit) context.Context {
	return context.WithValue(ctx, visitKey{}, v)
}

// VisitFrom is the context's visit; without one it is an empty one.
func VisitFrom(ctx context.Context) *Visit {
	if v, ok := ctx.Value(visitKey{}).(*Visit); ok {
		return v
	}
	return &Visit{}
}

// Load returns a middleware that finds out who the visitor is. Session, person,
// rights and the data's version are read in one statement, begun after the request
// came and shared with those that came with it: nothing about rights is
// remembered. failed answers where the database cannot be asked.
func (a *Auth) Load(failed func(http.ResponseWriter, *http.Request, error)) func(http.Handler) http.Handler {
	m := *a.sessions.manager // each route fails in its own way
	m.ErrorFunc = failed
	return m.LoadAndSave
}

// CookieName is the name of the session's cookie.
func (a *Auth) CookieName() string { return a.sessions.manager.Cookie.Name }

// Sign is one place a person is signed in at.
type Sign struct {
	Name    string // for EndSession
	Here    bool   // the one asking
	Address string
	Agent   string
	Since   time.Time
	Until   time.Time // unless used again before
}

// sessionNameLength characters of the hash tell an account's sessions apart
// and give nothing away: the token cannot be had from its hash.
const sessionNameLength = 12

// Sessions lists where the visitor is signed in, newest first.
func (a *Auth) Sessions(ctx context.Context) ([]Sign, error) {
	v := VisitFrom(ctx)
	found, err := a.store.Sessions(ctx, v.User.ID, a.now())
	if err != nil {
		return nil, err
	}
	signs := make([]Sign, len(found))
	for i, f := range found {
		signs[i] = Sign{Name: f.TokenHash[:sessionNameLength], Here: f.TokenHash == v.tokenHash,
			Address: f.Address, Agent: f.Agent, Since: f.CreatedAt, Until: f.ExpiresAt}
	}
	return signs, nil
}

// sessions is scs with a store of our own. scs makes tokens and cookies; when a
// session ends is decided here, by our clock: scs's own idle time would write
// with every request, and could bring an ended session back to life.
type sessions struct {
	manager        *scs.SessionManager
	store          *store.Store
	checks         *checks
	now            func() time.Time
	idle, absolute time.Duration
	requireTOTP    bool
	passwords      Profile
}

func newSessions(c Config) *sessions {
	s := &sessions{manager: scs.New(), store: c.Store, checks: newChecks(c), now: c.Now, idle: c.Idle, absolute: c.Absolute, requireTOTP: c.RequireTOTP, passwords: c.Passwords}
	m := s.manager
	m.Store, m.Codec, m.HashTokenInStore = s, codec{}, true
	m.Cookie.Name, m.Cookie.Secure = "landmark", c.Secure
	if c.Secure {
		m.Cookie.Name = "__Host-landmark"
	}
	m.Cookie.HttpOnly, m.Cookie.SameSite, m.Cookie.Path = true, http.SameSiteLaxMode, "/"
	m.Cookie.Persist = false // gone with the browser
	return s
}

// Keys of what a session holds.
const (
	accountKey = "account"  // int64
	stampKey   = "stamp"    // int64: when the password was set, in microseconds
	halfKey    = "half"     // string: the account whose code is still to come
	untilKey   = "until"    // int64: when that is too late, in microseconds
	byKey      = "provider" // bool: the provider, not a password, said who it is
)

// begin gives the visitor a new session that belongs to account.
func (s *sessions) begin(ctx context.Context, account store.Account, provider bool) error {
	if err := s.renew(ctx); err != nil {
		return err
	}
	s.manager.Put(ctx, accountKey, account.User.ID)
	s.manager.Put(ctx, stampKey, account.ChangedAt.UnixMicro())
	s.manager.Put(ctx, byKey, provider)
	return nil
}

// beginHalf gives the visitor a new session that belongs to nobody and remembers
// whose code is still to come.
func (s *sessions) beginHalf(ctx context.Context, account store.Account) error {
	if err := s.renew(ctx); err != nil {
		return err
	}
	s.manager.Put(ctx, halfKey, account.User.Name)
	s.manager.Put(ctx, untilKey, s.now().Add(halfLife).UnixMicro())
	s.manager.Put(ctx, stampKey, account.ChangedAt.UnixMicro())
	return nil
}

// renew makes the session a new and empty one.
func (s *sessions) renew(ctx context.Context) error {
	if err := s.manager.RenewToken(ctx); err != nil {
		return fmt.Errorf("renew session: %w", err)
	}
	VisitFrom(ctx).createdAt = s.now()
	for _, key := range []string{accountKey, stampKey, halfKey, untilKey, byKey} {
		s.manager.Remove(ctx, key)
	}
	return nil
}

func (s *sessions) end(ctx context.Context) error {
	if err := s.manager.Destroy(ctx); err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	return nil
}

// FindCtx implements [scs.CtxStore]. It also fills the context's visit.
func (s *sessions) FindCtx(ctx context.Context, tokenHash string) ([]byte, bool, error) {
	answer, ok := ctx.Value(answerKey{}).(Answer)
	if !ok || answer.tokenHash != tokenHash {
		answer = s.ask(ctx, tokenHash)
	}
	if answer.err != nil || !answer.found {
		return nil, false, answer.err
	}
	_, readOnly := store.ReadsStandby(ctx)
	data, ok := answer.fill(VisitFrom(ctx), readOnly)
	return data, ok, nil
}

// Answer is what the database said about a session, after the request came that it
// was asked for, and for that request alone.
type Answer struct {
	sessions  *sessions
	tokenHash string
	found     bool
	session   store.Session
	account   store.Account
	content   content
	version   store.Version
	err       error
}

func (s *sessions) ask(ctx context.Context, tokenHash string) Answer {
	visitor, found, version, err := s.checks.visitor(ctx, tokenHash)
	a := Answer{sessions: s, tokenHash: tokenHash, found: found && err == nil, session: visitor.Session, account: visitor.Account, version: version, err: err}
	if a.found {
		a.content, a.err = visitor.content, visitor.unread
	}
	return a
}

// Ask asks who a session's token belongs to, together with all that are asking now.
// The layers further in take the answer from the context, see [WithAnswer].
func (a *Auth) Ask(ctx context.Context, token string) Answer {
	hash := sha256.Sum256([]byte(token))
	return a.sessions.ask(ctx, base64.RawURLEncoding.EncodeToString(hash[:])) // as scs names a session in its store
}

type answerKey struct{}

// WithAnswer keeps [Auth.Load] from asking again what was just asked for the same
// request.
func WithAnswer(ctx context.Context, a Answer) context.Context {
	return context.WithValue(ctx, answerKey{}, a)
}

// Fill says in v who the visitor is, and whether that is somebody signed in.
func (a Answer) Fill(v *Visit) bool {
	if a.err != nil || !a.found {
		return false
	}
	_, ok := a.fill(v, false)
	return ok && v.User.SignedIn()
}

// fill says in v who the visitor is. It gives the session's data, and false if the
// session is over.
func (a Answer) fill(v *Visit, readOnly bool) ([]byte, bool) {
	s := a.sessions
	now, found, account, c := s.now(), a.session, a.account, a.content
	if !found.ExpiresAt.After(now) {
		return nil, false
	}
	if c.Half != "" {
		if now.UnixMicro() < c.Until {
			v.half, v.createdAt = half{c.Half, c.Stamp}, found.CreatedAt
		}
		return found.Data, true // expired it is an empty one
	}
	// A session begun with an older password ends with it, also one that was
	// being made just while the password changed.
	if account.User.Disabled || c.Account != account.User.ID || c.Stamp != account.ChangedAt.UnixMicro() {
		return nil, false
	}
	v.User, v.Version, v.tokenHash, v.createdAt = account.User, a.version, a.tokenHash, found.CreatedAt
	if v.provider = c.Provider; c.Provider {
		v.User.MustChange = false // the password is not theirs to use
	} else {
		v.Outworn = s.outworn(account, now)
		v.User.MustChange = v.User.MustChange || v.Outworn
		v.MustEnrol = s.mustEnrol(account)
	}
	// To the minute is exact enough, and saves a write with every page.
	if until := s.until(now, found.CreatedAt); !readOnly && until.After(found.ExpiresAt.Add(time.Minute)) {
		s.checks.touch(a.tokenHash, until)
	}
	return found.Data, true
}

// CommitCtx implements [scs.CtxStore]. The expiry scs asks for goes by the
// machine's clock and is not used.
func (s *sessions) CommitCtx(ctx context.Context, tokenHash string, data []byte, _ time.Time) error {
	var c content
	if err := json.Unmarshal(data, &c); err != nil {
		return fmt.Errorf("save session: %w", err)
	}
	v, now := VisitFrom(ctx), s.now()
	created := v.createdAt
	if created.IsZero() {
		created = now
	}
	return s.store.SaveSession(ctx, store.Session{TokenHash: tokenHash, AccountID: c.Account, Data: data,
		Address: v.Address, Agent: clip(v.Agent, 300), CreatedAt: created, ExpiresAt: s.until(now, created)})
}

// DeleteCtx implements [scs.CtxStore].
func (s *sessions) DeleteCtx(ctx context.Context, tokenHash string) error {
	return s.store.EndSession(ctx, tokenHash, s.now())
}

// mustEnrol says whether an account has to get its second factor first. The
// demo's accounts are entered without a password.
func (s *sessions) mustEnrol(account store.Account) bool {
	return s.requireTOTP && account.User.Role == landmark.RoleOffice && !account.User.SecondFactor && !account.Demo
}

// outworn says whether an account's password is older than the rules allow. The
// demo's accounts have none.
func (s *sessions) outworn(account store.Account, now time.Time) bool {
	return s.passwords == ProfileDengbao && !account.Demo && now.Sub(account.ChangedAt) > PasswordAge
}

// until is when a session in use now ends if it is not used again.
func (s *sessions) until(now, created time.Time) time.Time {
	idle, absolute := now.Add(s.idle), created.Add(s.absolute)
	if absolute.Before(idle) {
		return absolute
	}
	return idle
}

var errContext = errors.New("auth: sessions need a context")

// Find, Commit and Delete are never called: scs prefers the methods with a
// context.
func (s *sessions) Find(string) ([]byte, bool, error) { return nil, false, errContext }

// Commit is never called.
func (s *sessions) Commit(string, []byte, time.Time) error { return errContext }

// Delete is never called.
func (s *sessions) Delete(string) error { return errContext }

// content is what a session holds, as it is stored.
type content struct {
	Account  int64     `json:"account"`
	Stamp    int64     `json:"stamp"`
	Half     string    `json:"half,omitempty"`
	Until    int64     `json:"until,omitempty"`
	Provider bool      `json:"provider,omitempty"`
	End      time.Time `json:"end"` // scs's own
}

// codec implements [scs.Codec] for content: JSON, so that a session can be
// read in the database.
type codec struct{}

// Encode implements [scs.Codec].
func (codec) Encode(end time.Time, values map[string]any) ([]byte, error) {
	c := content{End: end}
	c.Account, _ = values[accountKey].(int64) // absent before signing in
	c.Stamp, _ = values[stampKey].(int64)
	c.Half, _ = values[halfKey].(string)
	c.Until, _ = values[untilKey].(int64)
	c.Provider, _ = values[byKey].(bool)
	return json.Marshal(c)
}

// Decode implements [scs.Codec].
func (codec) Decode(b []byte) (time.Time, map[string]any, error) {
	var c content
	if err := json.Unmarshal(b, &c); err != nil {
		return time.Time{}, nil, err
	}
	return c.End, map[string]any{accountKey: c.Account, stampKey: c.Stamp, halfKey: c.Half, untilKey: c.Until, byKey: c.Provider}, nil
}
