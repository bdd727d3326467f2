package auth

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

// The examples of RFC 6238, appendix B, in six digits.
func TestCodesOfTheStandard(t *testing.T) {
	t.Parallel()
	s := secret("12345678901234567890")
	for at, want := range map[int64]string{
		59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
	} {
		if got := s.code(stepOf(time.Unix(at, 0))); got != want {
			t.Errorf("at %d: %s, want %s", at, got, want)
		}
	}
}

// A code holds in its own step and the ones beside it, whatever zone the clock
// is in, and never again once a step from there on was taken.
func TestMatch(t *testing.T) {
	t.Parallel()
	s := newSecret()
	at := time.Unix(1_700_000_010, 0)
	step := stepOf(at)
	for _, c := range []struct {
		step, after int64
		want        bool
	}{
		{step, 0, true}, {step - 1, 0, true}, {step + 1, 0, true},
		{step - 2, 0, false}, {step + 2, 0, false},
		{step, step, false}, {step - 1, step, false}, {step + 1, step, true},
	} {
		for _, zone := range []*time.Location{time.UTC, time.FixedZone("CST", 8*3600), time.FixedZone("EST", -5*3600)} {
			got, ok := s.match(s.code(c.step), at.In(zone), c.after)
			if ok != c.want || ok && got != c.step {
				t.Errorf("code of step %+d after %+d in %v: %t, want %t", c.step-step, c.after-step, zone, ok, c.want)
			}
		}
	}
	for _, wrong := range []string{"", "12345", "1234567", "abcdef"} {
		if _, ok := s.match(wrong, at, 0); ok {
			t.Errorf("%q is taken", wrong)
		}
	}
}

func TestSecretAsTyped(t *testing.T) {
	t.Parallel()
	s := secret("12345678901234567890")
	if got, want := s.typed(), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"; got != want {
		t.Errorf("typed %q, want %q", got, want)
	}
	u, err := url.Parse(s.address("标志性成果 看板", "zhou.min"))
	if err != nil {
		t.Fatal(err)
	}
	if u.Scheme != "otpauth" || u.Host != "totp" || u.Path != "/标志性成果 看板:zhou.min" ||
		u.Query().Get("secret") != "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" || u.Query().Get("issuer") != "标志性成果 看板" || strings.Contains(u.String(), "+") {
		t.Errorf("address %s", u)
	}
}

func TestBareCode(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"123456": "123456", " 123 456 ": "123456", "123-456": "123456", "１２３４５６": "123456",
		"BCDF-ghjk-mnpq-2345": "bcdfghjkmnpq2345", "ｂcdf ghjk　mnpq 2345": "bcdfghjkmnpq2345",
	} {
		if got := bareCode(typed); got != want {
			t.Errorf("%q: %q, want %q", typed, got, want)
		}
	}
	for code, want := range map[string]bool{"123456": true, "12345": false, "12345a": false, "": false, "1234567": false} {
		if got := isAuthenticatorCode(code); got != want {
			t.Errorf("isAuthenticatorCode(%q) = %t", code, got)
		}
	}
}

// What is sealed opens for the same account and key alone, and never looks the
// same twice.
func TestSeal(t *testing.T) {
	t.Parallel()
	one, err := newSealer([]byte(NewKey()))
	if err != nil {
		t.Fatal(err)
	}
	other, err := newSealer([]byte(NewKey()))
	if err != nil {
		t.Fatal(err)
	}
	s := newSecret()
	sealed := one.seal(s, 7)
	if got, err := one.open(sealed, 7); err != nil || string(got) != string(s) {
		t.Errorf("open: %x, %v, want %x", got, err, s)
	}
	if strings.Contains(string(sealed), string(s)) || string(one.seal(s, 7)) == string(sealed) {
		t.Error("it is not sealed, or sealed the same twice")
	}
	if _, err := one.open(sealed, 8); err == nil {
		t.Error("it opens for another account")
	}
	if _, err := other.open(sealed, 7); err == nil {
		t.Error("it opens with another key")
	}
	for _, broken := range [][]byte{nil, sealed[:5], sealed[:len(sealed)-1], append([]byte("x"), sealed...)} {
		if _, err := one.open(broken, 7); err == nil {
			t.Errorf("%x opens", broken)
		}
	}
	if _, err := newSealer([]byte("short")); err == nil {
		t.Error("a short key is taken")
	}
}
