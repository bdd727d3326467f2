package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"landmark/internal/landmark"
	"landmark/internal/store"
)

// The sentences of a refused code.
var (
	ErrCode    = landmark.Errorf(landmark.Invalid, "code", "验证码不对,或者已经用过;请等验证器换出下一个再输入")
	ErrNoHalf  = landmark.Errorf(landmark.NotFound, "", "验证码输入得太晚了,请重新登录")
	errSealed  = landmark.Errorf(landmark.Invalid, "code", "验证器暂时不能核对,请用恢复码,或请市府办重置两步验证")
	errNoKey   = landmark.Errorf(landmark.Conflict, "", "系统还没有设定保存验证器密钥的钥匙,请联系管理员设定SECRET_KEY")
	errCodeOff = landmark.Errorf(landmark.Conflict, "", "两步验证没有开启")
)

// codesPerAccount is how many codes of an account may be wrong in the window of
// the limits, from whatever addresses. Who tries them has the password already;
// six digits would give way to many addresses. Recovery codes stay open.
const codesPerAccount = 20

// HalfSignedIn says whether the visitor gave the right password and owes a code.
func (a *Auth) HalfSignedIn(ctx context.Context) bool { return VisitFrom(ctx).half.account != "" }

// SignInCode ends a sign-in whose password was right, by the authenticator's code
// or a recovery code. The error is ErrCode, ErrNoHalf, ErrThrottled, another
// Invalid for code, or internal.
func (a *Auth) SignInCode(ctx context.Context, code string) (landmark.User, error) {
	v := VisitFrom(ctx)
	if v.half.account == "" {
		return landmark.User{}, fmt.Errorf("sign in by code: %w", ErrNoHalf)
	}
	account, err := a.store.Account(ctx, v.half.account)
	if err != nil {
		return landmark.User{}, err
	}
	// What has changed since the password was right begins it all anew.
	if u := account.User; u.Disabled || !u.SecondFactor || account.ChangedAt.UnixMicro() != v.half.stamp {
		return landmark.User{}, fmt.Errorf("sign in by code: %w", ErrNoHalf)
	}
	may, err := a.store.TrySignIn(ctx, account.User.Name, v.Address, a.limits, a.now())
	if err != nil {
		return landmark.User{}, err
	}
	if !may {
		a.log.WarnContext(ctx, "sign-in throttled", "name", account.User.Name, "address", v.Address, "request", v.RequestID)
		return landmark.User{}, fmt.Errorf("sign in by code: %w", ErrThrottled)
	}
	actor := landmark.ActorOf(account.User, v.Address, v.RequestID)
	if err := a.takeCode(ctx, actor, account.User, code); err != nil {
		if errors.Is(err, ErrCode) {
			a.log.WarnContext(ctx, "sign-in code refused", "name", account.User.Name, "address", v.Address, "request", v.RequestID)
		}
		return landmark.User{}, err
	}
	if err := a.store.SignedIn(ctx, account.User.Name, v.Address); err != nil {
		return landmark.User{}, err
	}
	account.User.MustChange = account.User.MustChange || a.sessions.outworn(account, a.now())
	return account.User, a.begin(ctx, account)
}

// takeCode takes a code of the authenticator or a recovery code, each of which
// counts once. The error is Invalid for code, or internal.
func (a *Auth) takeCode(ctx context.Context, actor landmark.Actor, u landmark.User, typed string) error {
	code := bareCode(typed)
	if !isAuthenticatorCode(code) {
		return a.takeRecoveryCode(ctx, actor, u, code)
	}
	const everywhere = "" // no visitor has this address
	counter := u.Name + "/code"
	may, err := a.store.TrySignIn(ctx, counter, everywhere, store.SignInLimits{Window: a.limits.Window, PerAccount: codesPerAccount, PerAddress: math.MaxInt32}, a.now())
	if err != nil {
		return err
	}
	if !may {
		return landmark.Errorf(landmark.Invalid, "code", "这个账号输错的验证码太多了,请15分钟后再试,或者用恢复码")
	}
	f, err := a.store.SecondFactor(ctx, u.ID)
	if err != nil {
		return err
	}
	secret, err := a.open(ctx, u, f.Secret)
	if err != nil {
		return err
	}
	step, ok := secret.match(code, a.world(), f.Step)
	if ok {
		if ok, err = a.store.TakeCode(ctx, u.ID, step); err != nil {
			return err
		}
	}
	if !ok {
		return fmt.Errorf("take code: %w", ErrCode)
	}
	return a.store.SignedIn(ctx, counter, everywhere)
}

// open opens an account's sealed secret.
func (a *Auth) open(ctx context.Context, u landmark.User, sealed []byte) (secret, error) {
	err := errors.New("there is no key")
	if a.sealer != nil {
		var plain []byte
		if plain, err = a.sealer.open(sealed, u.ID); err == nil {
			return plain, nil
		}
	}
	a.log.ErrorContext(ctx, "authenticator's secret cannot be opened: check SECRET_KEY", "account", u.Name, "error", err)
	return nil, errSealed
}

func (a *Auth) takeRecoveryCode(ctx context.Context, actor landmark.Actor, u landmark.User, code string) error {
	return a.store.Tx(ctx, func(s *store.Store) error {
		ok, err := s.TakeRecoveryCode(ctx, u.ID, recoveryHash(code))
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("take recovery code: %w", ErrCode)
		}
		f, err := s.SecondFactor(ctx, u.ID)
		if err != nil {
			return err
		}
		line := accountLine(actor, "account.recovery", u, a.now())
		if line.After, err = json.Marshal(map[string]int{"left": f.Codes}); err != nil {
			return fmt.Errorf("describe recovery: %w", err)
		}
		return s.AddHistory(ctx, line)
	})
}

// Factor is the visitor's own second factor.
type Factor struct {
	Possible bool      // there is a key, and the account has a password
	Since    time.Time // zero: it is off
	Left     int       // recovery codes

	Secret  string // of an authenticator that waits for its first code, in groups of four; empty: none does
	Address string // the same as otpauth://
}

// Factor tells about the visitor's own second factor. issuer is what their
// authenticator will call this program.
func (a *Auth) Factor(ctx context.Context, issuer string) (Factor, error) {
	u := VisitFrom(ctx).User
	account, err := a.store.Account(ctx, u.Name)
	if err != nil {
		return Factor{}, err
	}
	f, err := a.store.SecondFactor(ctx, u.ID)
	if err != nil {
		return Factor{}, err
	}
	out := Factor{Possible: a.sealer != nil && account.Hash != store.NoPassword, Since: f.Since, Left: f.Codes}
	if !f.Since.IsZero() || len(f.Secret) == 0 {
		return out, nil
	}
	// One that does not open is of no use any more: a new one can be had.
	if secret, err := a.open(ctx, u, f.Secret); err == nil {
		out.Secret, out.Address = secret.typed(), secret.address(issuer, u.Name)
	}
	return out, nil
}

// BeginFactor gives the visitor a secret for their authenticator, which counts
// from its first code on. The error is Invalid for password, or Conflict.
func (a *Auth) BeginFactor(ctx context.Context, password string) error {
	if a.sealer == nil {
		return fmt.Errorf("begin second factor: %w", errNoKey)
	}
	account, err := a.confirm(ctx, "password", "密码不对", password)
	if err != nil {
		return err
	}
	if err := a.store.SignedIn(ctx, account.User.Name, VisitFrom(ctx).Address); err != nil {
		return err
	}
	return a.store.SetPendingSecret(ctx, account.User.ID, a.sealer.seal(newSecret(), account.User.ID))
}

// ConfirmFactor turns the visitor's second factor on by the first code of their
// authenticator, and returns recovery codes, which are shown nowhere else. Every
// other session of the account ends. The error is Invalid for code, or Conflict.
func (a *Auth) ConfirmFactor(ctx context.Context, code string) (codes []string, err error) {
	v, now := VisitFrom(ctx), a.now()
	f, err := a.store.SecondFactor(ctx, v.User.ID)
	switch {
	case err != nil:
		return nil, err
	case !f.Since.IsZero():
		return nil, landmark.Errorf(landmark.Conflict, "", "两步验证已经开启;恢复码只显示一次,没有记下就请重新生成")
	case len(f.Secret) == 0:
		return nil, landmark.Errorf(landmark.Conflict, "", "请先生成验证器的密钥")
	}
	secret, err := a.open(ctx, v.User, f.Secret)
	if err != nil {
		return nil, err
	}
	step, ok := secret.match(bareCode(code), a.world(), f.Step)
	if !ok {
		return nil, landmark.Errorf(landmark.Invalid, "code", "验证码不对,请核对手机时间,等验证器换出下一个再输入")
	}
	codes, hashes := newRecoveryCodes()
	err = a.store.Tx(ctx, func(s *store.Store) error {
		if err := s.EnableSecondFactor(ctx, v.User.ID, f.Secret, step, hashes, now); err != nil {
			return err
		}
		if _, err := s.EndSessions(ctx, v.User.ID, 0, v.tokenHash, now); err != nil {
			return err
		}
		return s.AddHistory(ctx, accountLine(v.Actor(), "account.factor_on", v.User, now))
	})
	if err != nil {
		return nil, err
	}
	return codes, nil
}

// NewRecoveryCodes replaces the visitor's recovery codes. The error is Invalid
// for password or code, or Conflict.
func (a *Auth) NewRecoveryCodes(ctx context.Context, password, code string) (codes []string, err error) {
	v := VisitFrom(ctx)
	if err := a.confirmBoth(ctx, password, code); err != nil {
		return nil, err
	}
	codes, hashes := newRecoveryCodes()
	err = a.store.Tx(ctx, func(s *store.Store) error {
		if err := s.SetRecoveryCodes(ctx, v.User.ID, hashes); err != nil {
			return err
		}
		return s.AddHistory(ctx, accountLine(v.Actor(), "account.recovery_new", v.User, a.now()))
	})
	if err != nil {
		return nil, err
	}
	return codes, nil
}

// DisableFactor turns the visitor's second factor off. Every other session of the
// account ends. The error is Invalid for password or code, or Conflict.
func (a *Auth) DisableFactor(ctx context.Context, password, code string) error {
	v, now := VisitFrom(ctx), a.now()
	if err := a.confirmBoth(ctx, password, code); err != nil {
		return err
	}
	return a.store.Tx(ctx, func(s *store.Store) error {
		if err := s.DisableSecondFactor(ctx, v.User.ID); err != nil {
			return err
		}
		if _, err := s.EndSessions(ctx, v.User.ID, 0, v.tokenHash, now); err != nil {
			return err
		}
		return s.AddHistory(ctx, accountLine(v.Actor(), "account.factor_off", v.User, now))
	})
}

// confirmBoth asks for the visitor's own password and a code.
func (a *Auth) confirmBoth(ctx context.Context, password, code string) error {
	v := VisitFrom(ctx)
	if !v.User.SecondFactor {
		return fmt.Errorf("confirm: %w", errCodeOff)
	}
	account, err := a.confirm(ctx, "password", "密码不对", password)
	if err != nil {
		return err
	}
	if err := a.takeCode(ctx, v.Actor(), account.User, code); err != nil {
		return err
	}
	return a.store.SignedIn(ctx, account.User.Name, v.Address)
}

// ResetFactor takes an account's second factor away, for somebody who lost
// authenticator and recovery codes. All sessions of the account end. Nobody takes
// their own away like this. The error is NotFound, Invalid or Conflict.
func (a *Auth) ResetFactor(ctx context.Context, by landmark.Actor, name string) error {
	account, err := a.store.Account(ctx, name)
	switch {
	case err != nil:
		return err
	case by.AccountID == account.User.ID && by.AccountID != 0:
		return landmark.Errorf(landmark.Invalid, "name", "自己的两步验证请在“我的账号”里关闭")
	case !account.User.SecondFactor:
		return nil // a form sent twice has one effect
	}
	now := a.now()
	return a.store.Tx(ctx, func(s *store.Store) error {
		if err := s.DisableSecondFactor(ctx, account.User.ID); err != nil {
			return err
		}
		if _, err := s.EndSessions(ctx, account.User.ID, 0, "", now); err != nil {
			return err
		}
		return s.AddHistory(ctx, accountLine(by, "account.factor_reset", account.User, now))
	})
}
