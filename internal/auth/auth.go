// Package auth says who somebody is: passwords, signing in and how often it
// may be tried, and the sessions that remember it. What a person may do is the
// domain's business.
package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"

	"landmark/internal/landmark"
	"landmark/internal/store"
)

// Config is what an Auth works with.
type Config struct {
	Store *store.Store
	Now   func() time.Time
	Log   *slog.Logger

	Secure   bool          // cookies over https only
	Demo     bool          // demo accounts may be entered without a password
	Idle     time.Duration // a session ends when unused so long, by default 30 minutes
	Absolute time.Duration // a session ends at this age, by default 12 hours
	// MaxSessions is how many sessions one account may have; signing in once
	// more ends the oldest. 0 is no limit.
	MaxSessions int
	Limits      store.SignInLimits // by default 5 per account and address, 50 per address, in 15 minutes

	// Passwords are the rules for them, by default ProfileASVS.
	Passwords Profile
	// Hashing is what a password's hash costs, by default what ASVS asks for. Tests
	// that sign in hundreds of times take less.
	Hashing argon2id.Params
	// Key seals authenticators' secrets. Without it nobody can get a second factor.
	Key []byte
	// RequireTOTP keeps an office account out of everything until it has one.
	RequireTOTP bool
	// World is the time authenticators go by, by default Now: the demo's clock is
	// not theirs.
	World func() time.Time
	// Provider may be signed in through. Without an Issuer there is none.
	Provider ProviderConfig
	// Pair is what Store works on, where the primary may go away. It may be nil.
	Pair *store.Pair
}

// Auth signs people in and out and keeps their passwords.
type Auth struct {
	store       *store.Store
	now, world  func() time.Time
	log         *slog.Logger
	demo        bool
	maxSessions int
	limits      store.SignInLimits
	passwords   Profile
	hasher      *hasher
	sessions    *sessions
	sealer      *sealer   // nil without a key
	provider    *provider // nil without one
}

// Limits of signing in and of sessions.
const (
	sessionIdle     = 30 * time.Minute
	sessionAge      = 12 * time.Hour
	tryWindow       = 15 * time.Minute
	triesPerAccount = 5  // of one account from one address, in the window
	triesPerAddress = 50 // whatever the account
	// GivenLife is how long a password that somebody else gave may wait to be used.
	GivenLife = 24 * time.Hour
)

// New makes an Auth.
func New(c Config) (*Auth, error) {
	if c.Store == nil || c.Now == nil || c.Log == nil {
		return nil, errors.New("auth: Store, Now and Log are needed")
	}
	if c.Idle == 0 {
		c.Idle = sessionIdle
	}
	if c.Absolute == 0 {
		c.Absolute = sessionAge
	}
	if c.Limits == (store.SignInLimits{}) {
		c.Limits = store.SignInLimits{Window: tryWindow, PerAccount: triesPerAccount, PerAddress: triesPerAddress}
	}
	if c.World == nil {
		c.World = c.Now
	}
	switch c.Passwords {
	case "":
		c.Passwords = ProfileASVS
	case ProfileASVS, ProfileDengbao:
	default:
		return nil, fmt.Errorf("auth: no password profile %q", c.Passwords)
	}
	if c.Hashing == (argon2id.Params{}) {
		c.Hashing = strong
	}
	var err error
	var seal *sealer
	switch {
	case len(c.Key) > 0:
		if seal, err = newSealer(c.Key); err != nil {
			return nil, err
		}
	case c.RequireTOTP:
		return nil, errors.New("auth: a second factor cannot be required without a key to seal its secrets")
	}
	var p *provider
	if c.Provider.Issuer != "" {
		if p, err = newProvider(c.Provider); err != nil {
			return nil, err
		}
	}
	return &Auth{
		provider: p,
		store:    c.Store, now: c.Now, world: c.World, sealer: seal, log: c.Log, demo: c.Demo, maxSessions: c.MaxSessions, limits: c.Limits,
		passwords: c.Passwords, hasher: newHasher(c.Hashing), sessions: newSessions(c),
	}, nil
}

// The sentences of a refused sign-in. A wrong name and a wrong password get the
// same one, so that nobody learns which accounts there are.
var (
	ErrSignIn    = landmark.Errorf(landmark.Invalid, "", "账号或密码不对")
	errGiven     = landmark.Errorf(landmark.Invalid, "", "这个初始密码超过%d小时没有使用,已经失效。请联系市府办重新生成", int(GivenLife.Hours()))
	ErrThrottled = landmark.Errorf(landmark.Forbidden, "", "试的次数太多了,请15分钟后再试")
)

// SignIn checks a name and password and begins a session, unless a code has to
// come first: then [Auth.SignInCode] takes it. The error is ErrSignIn, ErrThrottled,
// another Invalid or internal. ctx must come from [Auth.Load].
func (a *Auth) SignIn(ctx context.Context, name, password string) (u landmark.User, code bool, err error) {
	v := VisitFrom(ctx)
	now := a.now()
	name = clip(strings.ToLower(strings.TrimSpace(name)), 64)
	may, err := a.store.TrySignIn(ctx, name, v.Address, a.limits, now)
	if err != nil {
		return landmark.User{}, false, err
	}
	if !may {
		a.log.WarnContext(ctx, "sign-in throttled", "name", name, "address", v.Address, "request", v.RequestID)
		return landmark.User{}, false, fmt.Errorf("sign in: %w", ErrThrottled)
	}
	account, err := a.store.Account(ctx, name)
	if err != nil && landmark.KindOf(err) != landmark.NotFound {
		return landmark.User{}, false, err
	}
	right, outdated, err := a.hasher.check(ctx, password, account.Hash) // an unknown name costs as much
	if err != nil {
		return landmark.User{}, false, err
	}
	if !right || account.User.Disabled {
		a.log.WarnContext(ctx, "sign-in refused", "name", name, "address", v.Address, "request", v.RequestID)
		return landmark.User{}, false, fmt.Errorf("sign in: %w", ErrSignIn)
	}
	if account.User.MustChange && now.Sub(account.ChangedAt) > GivenLife {
		a.log.WarnContext(ctx, "sign-in with an expired initial password", "name", name, "address", v.Address, "request", v.RequestID)
		return landmark.User{}, false, fmt.Errorf("sign in: %w", errGiven)
	}
	if outdated {
		hash, err := a.hasher.hash(ctx, password)
		if err != nil {
			return landmark.User{}, false, err
		}
		if err := a.store.Rehash(ctx, account.User.ID, account.Hash, hash); err != nil {
			return landmark.User{}, false, err
		}
	}
	if account.User.SecondFactor { // the attempt still counts, so that codes cannot be tried without end
		return account.User, true, a.sessions.beginHalf(ctx, account)
	}
	if err := a.store.SignedIn(ctx, name, v.Address); err != nil {
		return landmark.User{}, false, err
	}
	account.User.MustChange = account.User.MustChange || a.sessions.outworn(account, now)
	return account.User, false, a.begin(ctx, account)
}

// SignInDemo begins a session for one of the demo's accounts. The error is
// NotFound outside the demo and for every other account.
func (a *Auth) SignInDemo(ctx context.Context, name string) (landmark.User, error) {
	account, err := a.store.Account(ctx, name)
	if err != nil && landmark.KindOf(err) != landmark.NotFound {
		return landmark.User{}, err
	}
	if err != nil || !a.demo || !account.Demo || account.User.Disabled {
		return landmark.User{}, fmt.Errorf("enter the demo: %w", landmark.Errorf(landmark.NotFound, "account", "没有这个演示账号"))
	}
	return account.User, a.begin(ctx, account)
}

// begin begins a session by password.
func (a *Auth) begin(ctx context.Context, account store.Account) error {
	return a.beginBy(ctx, account, false)
}

// beginBy renews the token, so that one known from before is of no use, and ends
// the account's oldest sessions beyond the limit.
func (a *Auth) beginBy(ctx context.Context, account store.Account, provider bool) error {
	now := a.now()
	if a.maxSessions > 0 {
		if _, err := a.store.EndSessions(ctx, account.User.ID, a.maxSessions-1, "", now); err != nil {
			return err
		}
	}
	if err := a.sessions.begin(ctx, account, provider); err != nil {
		return err
	}
	v := VisitFrom(ctx)
	a.log.InfoContext(ctx, "signed in", "account", account.User.Name, "user", account.User.ID, "provider", provider, "address", v.Address, "request", v.RequestID)
	return nil
}

// SignOut ends the session at once, also for requests still under way.
func (a *Auth) SignOut(ctx context.Context) error {
	v := VisitFrom(ctx)
	if v.User.SignedIn() {
		a.log.InfoContext(ctx, "signed out", "account", v.User.Name, "user", v.User.ID, "address", v.Address, "request", v.RequestID)
	}
	return a.sessions.end(ctx)
}

// EndSession ends another of the visitor's own sessions, by the short name
// [Auth.Sessions] gives. The error is NotFound.
func (a *Auth) EndSession(ctx context.Context, name string) error {
	if len(name) != sessionNameLength {
		return landmark.Errorf(landmark.NotFound, "session", "这个登录已经结束了")
	}
	return a.store.EndSessionOf(ctx, VisitFrom(ctx).User.ID, name, a.now())
}

// EndOtherSessions ends all of the visitor's sessions but the present one.
func (a *Auth) EndOtherSessions(ctx context.Context) error {
	v := VisitFrom(ctx)
	_, err := a.store.EndSessions(ctx, v.User.ID, 0, v.tokenHash, a.now())
	return err
}

// ChangePassword sets the visitor's own password. The old one is asked for
// again; every other session of the account ends. The error is Invalid with
// field old, new or again.
func (a *Auth) ChangePassword(ctx context.Context, old, password, again string) error {
	v := VisitFrom(ctx)
	now := a.now()
	account, err := a.confirm(ctx, "old", "原密码不对", old)
	if err != nil {
		return err
	}
	if err := a.store.SignedIn(ctx, v.User.Name, v.Address); err != nil {
		return err
	}
	switch {
	case password == old:
		return landmark.Errorf(landmark.Invalid, "new", "新密码要和原密码不同")
	case password != again:
		return landmark.Errorf(landmark.Invalid, "again", "两次输入的新密码不一样")
	}
	if err := a.checkPassword(ctx, password, account); err != nil {
		return err
	}
	hash, err := a.hasher.hash(ctx, password)
	if err != nil {
		return err
	}
	err = a.store.Tx(ctx, func(s *store.Store) error {
		if err := a.replace(ctx, s, account, hash, false, now); err != nil {
			return err
		}
		return s.AddHistory(ctx, accountLine(v.Actor(), "account.password", account.User, now))
	})
	if err != nil {
		return err
	}
	// All sessions have ended, this one too: it goes on under a new token.
	account.ChangedAt = now
	return a.sessions.begin(ctx, account, v.provider)
}

// checkPassword says whether an account may get a password: [CheckPassword] with
// the departments there are, and the passwords it had. The error is Invalid for
// field new.
func (a *Auth) checkPassword(ctx context.Context, password string, account store.Account) error {
	departments, err := a.store.Departments(ctx)
	if err != nil {
		return err
	}
	slugs := make([]string, len(departments))
	for i, d := range departments {
		slugs[i] = d.Slug
	}
	if err := CheckPassword(password, account.User, a.passwords, slugs...); err != nil {
		return err
	}
	if a.passwords != ProfileDengbao || account.Hash == store.NoPassword {
		return nil
	}
	former, err := a.store.FormerPasswords(ctx, account.User.ID, PasswordHistory-1)
	if err != nil {
		return err
	}
	for _, hash := range append(former, account.Hash) {
		same, _, err := a.hasher.check(ctx, password, hash)
		if err != nil {
			return err
		}
		if same {
			return landmark.Errorf(landmark.Invalid, "new", "最近%d个用过的密码不能再用,请换一个", PasswordHistory)
		}
	}
	return nil
}

// replace stores a new hash, and the old one where it is not to come back.
func (a *Auth) replace(ctx context.Context, s *store.Store, account store.Account, hash string, mustChange bool, at time.Time) error {
	if err := s.SetPassword(ctx, account.User.ID, account.Hash, hash, mustChange, "", at); err != nil {
		return err
	}
	if a.passwords != ProfileDengbao || account.Hash == store.NoPassword {
		return nil
	}
	return s.KeepFormerPassword(ctx, account.User.ID, account.Hash, PasswordHistory-1, at)
}

// PasswordRules says what a password must be, before somebody chooses one.
func (a *Auth) PasswordRules() string {
	if a.passwords == ProfileDengbao {
		return fmt.Sprintf("至少%d个字,最多%d个,中文、空格都可以用;大写字母、小写字母、数字、其他字符(符号或汉字)四类至少要有三类。每%d天更换一次,最近%d个用过的不能再用。不要用账号名、姓名、部门名、部门代号、本系统的名称和常见密码。",
			MinPassword, MaxPassword, int(PasswordAge.Hours())/24, PasswordHistory)
	}
	return fmt.Sprintf("至少%d个字,最多%d个,中文、空格都可以用,不要求大小写和符号混排。不要用账号名、姓名、部门名、部门代号、本系统的名称和常见密码。", MinPassword, MaxPassword)
}

// confirm asks the visitor for their own password again: guessing it in
// somebody's open browser is guessing too, and counts. It leaves the count as it
// is, for what else is asked. The error is Invalid with field.
func (a *Auth) confirm(ctx context.Context, field, wrong, password string) (store.Account, error) {
	v := VisitFrom(ctx)
	account, err := a.store.Account(ctx, v.User.Name)
	if err != nil {
		return store.Account{}, err
	}
	may, err := a.store.TrySignIn(ctx, v.User.Name, v.Address, a.limits, a.now())
	if err != nil {
		return store.Account{}, err
	}
	if !may {
		return store.Account{}, landmark.Errorf(landmark.Invalid, field, "%s", landmark.MessageOf(ErrThrottled))
	}
	right, _, err := a.hasher.check(ctx, password, account.Hash)
	switch {
	case err != nil:
		return store.Account{}, err
	case !right:
		return store.Account{}, landmark.Errorf(landmark.Invalid, field, "%s", wrong)
	}
	return account, nil
}

// NewAccount is what an account is made from.
type NewAccount struct {
	Name        string
	DisplayName string // empty: the name
	Role        landmark.Role
	Department  landmark.Department // for reporter and leader; a viewer may have one
	Password    string              // empty: one is generated, to be changed at first sign-in
}

// Add makes an account and returns the password if one was generated. It is
// shown nowhere else. The error is Invalid with the field's name.
func (a *Auth) Add(ctx context.Context, by landmark.Actor, n NewAccount) (generated string, err error) {
	u := landmark.User{Name: n.Name, DisplayName: n.DisplayName, Role: n.Role, DepartmentID: n.Department.ID, Department: n.Department}
	if u.DisplayName == "" {
		u.DisplayName = n.Name
	}
	if err := checkAccount(u); err != nil {
		return "", err
	}
	password := n.Password
	if password == "" {
		generated = GeneratePassword()
		password, u.MustChange = generated, true
	} else if err := a.checkPassword(ctx, password, store.Account{User: u, Hash: store.NoPassword}); err != nil {
		return "", err
	}
	hash, err := a.hasher.hash(ctx, password)
	if err != nil {
		return "", err
	}
	now := a.now()
	return generated, a.store.Tx(ctx, func(s *store.Store) error {
		if u.ID, err = s.InsertAccount(ctx, store.Account{User: u, Hash: hash}, now); err != nil {
			return err
		}
		return s.AddHistory(ctx, accountLine(by, "account.add", u, now))
	})
}

// SetPassword gives an account a password, or a generated one where password
// is empty, which it returns; either must be changed at the next sign-in. All
// sessions of the account end.
func (a *Auth) SetPassword(ctx context.Context, by landmark.Actor, name, password string) (generated string, err error) {
	account, err := a.store.Account(ctx, name)
	switch {
	case err != nil:
		return "", err
	case by.AccountID == account.User.ID && by.AccountID != 0:
		return "", landmark.Errorf(landmark.Invalid, "name", "自己的密码请在“我的账号”里修改")
	}
	if password == "" {
		generated = GeneratePassword()
		password = generated
	} else if err := a.checkPassword(ctx, password, account); err != nil {
		return "", err
	}
	hash, err := a.hasher.hash(ctx, password)
	if err != nil {
		return "", err
	}
	now := a.now()
	return generated, a.store.Tx(ctx, func(s *store.Store) error {
		if err := a.replace(ctx, s, account, hash, true, now); err != nil {
			return err
		}
		return s.AddHistory(ctx, accountLine(by, "account.password", account.User, now))
	})
}

// Update sets an account's display name, role and department. Nobody changes
// their own role: the office would lock itself out. The error is Invalid with
// the field's name.
func (a *Auth) Update(ctx context.Context, by landmark.Actor, name, displayName string, role landmark.Role, department landmark.Department) error {
	account, err := a.store.Account(ctx, name)
	if err != nil {
		return err
	}
	old := account.User
	u := old
	u.DisplayName, u.Role, u.DepartmentID, u.Department = displayName, role, department.ID, department
	if err := checkAccount(u); err != nil {
		return err
	}
	switch {
	case u == old:
		return nil
	case by.AccountID == u.ID && role != old.Role:
		return landmark.Errorf(landmark.Invalid, "role", "不能改自己的角色,请让另一个市府办账号来改")
	}
	line := accountLine(by, "account.change", u, a.now())
	for _, side := range []struct {
		said *json.RawMessage
		u    landmark.User
	}{{&line.Before, old}, {&line.After, u}} {
		if *side.said, err = json.Marshal(map[string]string{"name": side.u.DisplayName, "role": side.u.Role.Chinese(), "department": side.u.Department.Name}); err != nil {
			return fmt.Errorf("describe account %q: %w", name, err)
		}
	}
	return a.store.Tx(ctx, func(s *store.Store) error {
		if err := s.UpdateAccount(ctx, u); err != nil {
			return err
		}
		return s.AddHistory(ctx, line)
	})
}

// SetDisabled shuts an account, which ends its sessions, or opens it again.
// Nobody shuts their own.
func (a *Auth) SetDisabled(ctx context.Context, by landmark.Actor, name string, disabled bool) error {
	account, err := a.store.Account(ctx, name)
	switch {
	case err != nil:
		return err
	case account.User.Disabled == disabled:
		return nil // a form sent twice has one effect
	case disabled && by.AccountID == account.User.ID && by.AccountID != 0:
		return landmark.Errorf(landmark.Invalid, "name", "不能停用自己的账号")
	}
	act := "account.enable"
	if disabled {
		act = "account.disable"
	}
	now := a.now()
	return a.store.Tx(ctx, func(s *store.Store) error {
		if err := s.SetDisabled(ctx, account.User.ID, disabled, now); err != nil {
			return err
		}
		return s.AddHistory(ctx, accountLine(by, act, account.User, now))
	})
}

var accountName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

// checkAccount is what the database would refuse, in words and by field.
func checkAccount(u landmark.User) error {
	known := false
	for _, r := range landmark.Roles {
		known = known || u.Role == r
	}
	n := utf8.RuneCountInString(u.DisplayName)
	switch {
	case !accountName.MatchString(u.Name):
		return landmark.Errorf(landmark.Invalid, "name", "账号名用小写字母、数字、点、横线,以字母或数字开头,最多64个字")
	case n < 1 || n > 64 || strings.TrimSpace(u.DisplayName) == "":
		return landmark.Errorf(landmark.Invalid, "display_name", "显示名要有1到64个字")
	case !known:
		return landmark.Errorf(landmark.Invalid, "role", "没有“%s”这个角色,可用的是 office、reporter、leader、viewer", u.Role)
	case u.Role.NeedsDepartment() && u.DepartmentID == 0:
		return landmark.Errorf(landmark.Invalid, "department", "填报员和部门负责人要选定部门")
	case u.Role == landmark.RoleOffice && u.DepartmentID != 0:
		return landmark.Errorf(landmark.Invalid, "department", "市府办账号不选部门")
	}
	return nil
}

func accountLine(by landmark.Actor, act string, u landmark.User, at time.Time) landmark.HistoryEntry {
	return landmark.HistoryEntry{At: at, Actor: by, Act: act, DepartmentID: u.DepartmentID,
		Object: fmt.Sprintf("账号 %s(%s,%s)", u.Name, u.DisplayName, u.Role.Chinese())}
}

// clip cuts s to at most n characters that the database can hold.
func clip(s string, n int) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "�"), "\x00", "�")
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n])
}

var mailAddress = regexp.MustCompile(`^[^@\s\p{Cc}<>",;]+@[^@\s\p{Cc}<>",;]+\.[^@\s\p{Cc}<>",;.]+$`)

// SetEmail sets where an account's notices go by mail; empty is nowhere. The error
// is Invalid with field email.
func (a *Auth) SetEmail(ctx context.Context, by landmark.Actor, name, email string) error {
	email = strings.TrimSpace(email)
	if email != "" && (len(email) > 254 || !utf8.ValidString(email) || !mailAddress.MatchString(email)) {
		return landmark.Errorf(landmark.Invalid, "email", "邮箱写得不对,要像 name@example.gov.cn")
	}
	account, err := a.store.Account(ctx, name)
	if err != nil {
		return err
	}
	if account.User.Email == email {
		return nil // a form sent twice has one effect
	}
	now := a.now()
	return a.store.Tx(ctx, func(s *store.Store) error {
		if err := s.SetEmail(ctx, account.User.ID, email); err != nil {
			return err
		}
		return s.AddHistory(ctx, accountLine(by, "account.email", account.User, now))
	})
}
