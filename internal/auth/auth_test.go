package auth_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"landmark/internal/auth"
	"landmark/internal/landmark"
	"landmark/internal/pgtest"
	"landmark/internal/store"
)

var (
	now      = time.Date(2023, 10, 12, 9, 30, 0, 0, time.UTC)
	operator = landmark.Actor{Name: "命令行"}
)

func newAuth(t *testing.T) (*auth.Auth, *store.Store) {
	t.Helper()
	st := store.New(pgtest.DB(t))
	a, err := auth.New(auth.Config{Store: st, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return a, st
}

func TestAdd(t *testing.T) {
	t.Parallel()
	a, st := newAuth(t)
	ctx := t.Context()
	d := landmark.Department{Slug: "minzheng", Name: "民政局"}
	if err := st.InsertDepartment(ctx, &d); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		account auth.NewAccount
		field   string // refused for; empty: taken
	}{
		{auth.NewAccount{Name: "zhou", Role: landmark.RoleOffice}, ""},
		{auth.NewAccount{Name: "zhou", Role: landmark.RoleViewer}, "name"}, // taken
		{auth.NewAccount{Name: "Zhou", Role: landmark.RoleOffice}, "name"},
		{auth.NewAccount{Name: "", Role: landmark.RoleOffice}, "name"},
		{auth.NewAccount{Name: "li", Role: "king"}, "role"},
		{auth.NewAccount{Name: "li", Role: landmark.RoleReporter}, "department"},
		{auth.NewAccount{Name: "li", Role: landmark.RoleOffice, Department: d}, "department"},
		{auth.NewAccount{Name: "li", Role: landmark.RoleReporter, Department: d, DisplayName: strings.Repeat("长", 65)}, "display_name"},
		{auth.NewAccount{Name: "li", Role: landmark.RoleReporter, Department: d, Password: "short"}, "new"},
		{auth.NewAccount{Name: "li", Role: landmark.RoleReporter, Department: d, Password: "秋天的 银杏叶 真黄"}, ""},
		{auth.NewAccount{Name: "wang", Role: landmark.RoleViewer, Department: d}, ""},
	} {
		generated, err := a.Add(ctx, operator, c.account)
		if c.field == "" {
			if err != nil || (generated == "") != (c.account.Password != "") {
				t.Errorf("Add(%+v) = %q, %v", c.account, generated, err)
				continue
			}
			got, err := st.Account(ctx, c.account.Name)
			if err != nil || got.User.Role != c.account.Role || got.User.DepartmentID != c.account.Department.ID ||
				got.User.MustChange != (c.account.Password == "") || !strings.HasPrefix(got.Hash, "$argon2id$") {
				t.Errorf("account %+v, %v", got, err)
			}
			continue
		}
		if landmark.KindOf(err) != landmark.Invalid || fieldOf(err) != c.field {
			t.Errorf("Add(%+v): %v, want Invalid for %s", c.account, err, c.field)
		}
	}
}

func fieldOf(err error) string {
	for err != nil {
		if e, ok := err.(*landmark.Error); ok {
			return e.Field
		}
		switch u := err.(type) {
		case interface{ Unwrap() error }:
			err = u.Unwrap()
		case interface{ Unwrap() []error }:
			for _, e := range u.Unwrap() {
				if f := fieldOf(e); f != "" {
					return f
				}
			}
			return ""
		default:
			return ""
		}
	}
	return ""
}

// A password hashed with older parameters is hashed anew when its owner signs
// in, and only then.
func TestOldHashIsLifted(t *testing.T) {
	t.Parallel()
	a, st := newAuth(t)
	older, err := argon2id.CreateHash("an old password", &argon2id.Params{Memory: 8192, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32})
	if err != nil {
		t.Fatal(err)
	}
	u := landmark.User{Name: "zhou", DisplayName: "周", Role: landmark.RoleOffice}
	if _, err := st.InsertAccount(t.Context(), store.Account{User: u, Hash: older}, now); err != nil {
		t.Fatal(err)
	}
	hash := func() string {
		got, err := st.Account(t.Context(), "zhou")
		if err != nil {
			t.Fatal(err)
		}
		return got.Hash
	}
	if _, _, err := a.SignIn(signInContext(t, a), "zhou", "wrong"); err == nil || hash() != older {
		t.Errorf("a wrong password: error %v, hash %q", err, hash())
	}
	if _, _, err := a.SignIn(signInContext(t, a), "zhou", "an old password"); err != nil {
		t.Fatal(err)
	}
	lifted := hash()
	if !strings.HasPrefix(lifted, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("hash after signing in %q", lifted)
	}
	if _, _, err := a.SignIn(signInContext(t, a), "zhou", "an old password"); err != nil || hash() != lifted {
		t.Errorf("signing in again: %v, hash %q, want %q", err, hash(), lifted)
	}
}

func TestSetPasswordAndDisable(t *testing.T) {
	t.Parallel()
	a, st := newAuth(t)
	ctx := t.Context()
	if _, err := a.Add(ctx, operator, auth.NewAccount{Name: "zhou", Role: landmark.RoleViewer, Password: "秋天的 银杏叶 真黄"}); err != nil {
		t.Fatal(err)
	}
	generated, err := a.SetPassword(ctx, operator, "zhou", "")
	if err != nil || generated == "" {
		t.Fatalf("SetPassword = %q, %v", generated, err)
	}
	if u, _, err := a.SignIn(signInContext(t, a), "zhou", generated); err != nil || !u.MustChange {
		t.Errorf("sign in with the generated one: %+v, %v", u, err)
	}
	if err := a.SetDisabled(ctx, operator, "zhou", true); err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.SignIn(signInContext(t, a), "zhou", generated); landmark.KindOf(err) != landmark.Invalid {
		t.Errorf("sign in while disabled: %v", err)
	}
	if err := a.SetDisabled(ctx, operator, "zhou", false); err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.SignIn(signInContext(t, a), "zhou", generated); err != nil {
		t.Errorf("sign in after it was opened again: %v", err)
	}
	for _, err := range []error{a.SetDisabled(ctx, operator, "nobody", true), second(a.SetPassword(ctx, operator, "nobody", ""))} {
		if landmark.KindOf(err) != landmark.NotFound {
			t.Errorf("an unknown account: %v, want NotFound", err)
		}
	}
	lines, err := st.History(ctx, store.HistoryFilter{}, 10)
	if err != nil {
		t.Fatal(err)
	}
	var acts []string
	for _, l := range lines {
		acts = append(acts, l.Act)
	}
	if got, want := strings.Join(acts, " "), "account.enable account.disable account.password account.add"; got != want {
		t.Errorf("history %q, want %q", got, want)
	}
}

func second(_ string, err error) error { return err }
