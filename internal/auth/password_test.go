package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
	"github.com/google/go-cmp/cmp"

	"landmark/internal/landmark"
	"landmark/internal/pgtest"
	"landmark/internal/store"
)

func TestCheckPassword(t *testing.T) {
	t.Parallel()
	u := landmark.User{Name: "zhou.min", DisplayName: "周敏", Department: landmark.Department{Slug: "minzheng", Name: "民政局"}}
	for password, want := range map[string]string{
		"correct horse battery":              "",
		"秋天的银杏叶子真黄啊":                         "",
		"  spaces  count  ":                  "",
		strings.Repeat("长密码的 abc", 25):       "", // 200
		strings.Repeat("x1y2z3w4", 16):       "", // 128
		"ninechars":                          "至少要10个字",
		"九个字的密码还不够长":                         "", // ten
		"八个字的密码不够":                           "至少要10个字",
		strings.Repeat("长密码的 abc", 25) + "!": "最多200个字",
		"my zhou.min account":                "账号名",
		"ZHOU.MIN is my name":                "账号名",
		"周敏的密码一二三四五":                         "账号名",
		"in minzheng we trust":               "账号名",
		"tongxiang forever":                  "账号名",
		"2023 txjf kanban":                   "账号名",
		"aZhou likes plums":                  "账号名",
		"mind the minutes":                   "账号名", // min of zhou.min
		"weijian has a table":                "账号名", // another department's
		"landmark kanban":                    "账号名",
		"共同富裕一定能实现呀":                         "账号名",
		"1234567890":                         "太常见",
		"Password123456":                     "太常见",
		"p@ssw0rd123456":                     "太常见",
		"1qaz2wsx3edc":                       "太常见",
		"woaini1314520":                      "太常见",
		"aaaaaaaaaaaaaaaa":                   "太常见",
		"啊啊啊啊啊啊啊啊啊啊啊":                        "太常见",
		"12121212121212":                     "太常见",
		"with\x00a control":                  "不能用的字符",
		"bad \xff encoding":                  "不能用的字符",
	} {
		err := CheckPassword(password, u, ProfileASVS, "weijian")
		if got := landmark.MessageOf(err); want == "" && err != nil || !strings.Contains(got, want) {
			t.Errorf("%q (%d characters): %v, want %q", password, utf8.RuneCountInString(password), err, want)
		}
		if err != nil && landmark.KindOf(err) != landmark.Invalid {
			t.Errorf("%q: %v is not Invalid", password, err)
		}
	}
}

func TestBarredListIsForThisPolicy(t *testing.T) {
	t.Parallel()
	if n := len(barred()); n < 10_000 {
		t.Errorf("%d barred passwords, want 10,000 at least", n)
	}
	for p := range barred() {
		if utf8.RuneCountInString(p) < MinPassword || p != strings.ToLower(p) {
			t.Errorf("barred %q is too short to be chosen, or not in lower case", p)
		}
	}
}

func TestGeneratePassword(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 1000 {
		p := GeneratePassword()
		if len(p) != 19 || strings.Count(p, "-") != 3 || seen[p] {
			t.Fatalf("generated %q", p)
		}
		if err := CheckPassword(p, landmark.User{Name: "zhou"}, ProfileASVS); err != nil {
			t.Errorf("generated %q is refused: %v", p, err)
		}
		seen[p] = true
	}
}

func TestHasher(t *testing.T) {
	t.Parallel()
	h := newHasher(strong)
	ctx := t.Context()
	hash, err := h.hash(ctx, "秋天的 银杏叶 真黄")
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatalf("hash %q, %v", hash, err)
	}
	older, err := argon2id.CreateHash("secret", &argon2id.Params{Memory: 8192, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		password, hash  string
		right, outdated bool
	}{
		{"秋天的 银杏叶 真黄", hash, true, false},
		{"秋天的 银杏叶 真黄 ", hash, false, false},
		{"secret", older, true, true},
		{"Secret", older, false, true},
		{"anything", "", false, false},
		{"!", store.NoPassword, false, false},
	} {
		right, outdated, err := h.check(ctx, c.password, c.hash)
		if err != nil || right != c.right || outdated != c.outdated {
			t.Errorf("check(%q, %.20q) = %t, %t, %v, want %t, %t", c.password, c.hash, right, outdated, err, c.right, c.outdated)
		}
	}
	if _, _, err := h.check(ctx, "x", "not a hash"); err == nil {
		t.Error("a broken hash is no error")
	}
}

// No more than four passwords are hashed at a time, and who waits gives up with
// their request.
func TestHasherIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &hasher{slots: make(chan struct{}, 4)}
		for range 4 {
			if err := h.acquire(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		waited := make(chan error)
		go func() { waited <- h.acquire(ctx) }()
		synctest.Wait()
		cancel()
		if err := <-waited; !errors.Is(err, context.Canceled) {
			t.Errorf("a fifth = %v, want to give up with its request", err)
		}
	})
}

// A name that is unknown, one that is shut, one without a password and one with
// another password each cost one comparison, of the same price.
func TestEverySignInCostsTheSame(t *testing.T) {
	t.Parallel()
	now := time.Date(2023, 10, 12, 9, 30, 0, 0, time.UTC)
	st := store.New(pgtest.DB(t))
	a, err := New(Config{Store: st, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	operator := landmark.Actor{Name: "operator"}
	for _, name := range []string{"there", "gone"} {
		if _, err := a.Add(t.Context(), operator, NewAccount{Name: name, Role: landmark.RoleViewer, Password: "秋天的 银杏叶 真黄"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.SetDisabled(t.Context(), operator, "gone", true); err != nil {
		t.Fatal(err)
	}
	if _, err := st.InsertAccount(t.Context(), store.Account{User: landmark.User{Name: "without", DisplayName: "w", Role: landmark.RoleViewer}, Hash: store.NoPassword}, now); err != nil {
		t.Fatal(err)
	}
	var compared []string
	a.hasher.compare = func(password, hash string) (bool, *argon2id.Params, error) {
		right, params, err := argon2id.CheckHash(password, hash)
		compared = append(compared, fmt.Sprintf("%+v", *params))
		return right, params, err
	}
	want := []string{fmt.Sprintf("%+v", strong)}
	for _, name := range []string{"there", "gone", "without", "nobody", "不是账号"} {
		compared = nil
		if _, _, err := a.SignIn(t.Context(), name, "not the password"); !errors.Is(err, ErrSignIn) {
			t.Errorf("%s: %v, want ErrSignIn", name, err)
		}
		if diff := cmp.Diff(want, compared); diff != "" {
			t.Errorf("%s: comparisons (-want +got):\n%s", name, diff)
		}
	}
}

// The stricter profile asks for three kinds of characters and keeps all else.
func TestCheckPasswordDengbao(t *testing.T) {
	t.Parallel()
	u := landmark.User{Name: "zhou.min", DisplayName: "周敏"}
	for password, want := range map[string]string{
		"correct horse battery":  "三类",
		"correcthorsebattery2":   "三类",
		"秋天的银杏叶子真黄啊":             "三类",
		"CORRECT HORSE 2":        "",
		"Correct horse battery":  "",
		"correct horse 2":        "",
		"秋天的银杏叶 Leaf":            "",
		"P@ssw0rd123456":         "太常见",
		"Zhou.Min is my name 2!": "账号名",
		"Ab3!":                   "至少要10个字",
	} {
		got := landmark.MessageOf(CheckPassword(password, u, ProfileDengbao))
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%q: %q, want %q", password, got, want)
		}
	}
}
