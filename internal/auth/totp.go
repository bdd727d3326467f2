package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" // what authenticators compute with (RFC 6238); HMAC does not rest on collisions
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"time"

	"golang.org/x/text/width"
)

// Time-based one-time passwords after RFC 6238 as every authenticator has them:
// SHA-1, six digits, thirty seconds. A code may be one step early or late.
const (
	codeStep   = 30 * time.Second
	codeDigits = 6
	codeSkew   = 1
	secretSize = 20 // bytes, as long as the hash
)

// secret is what an authenticator and we share.
type secret []byte

func newSecret() secret {
	s := make(secret, secretSize)
	_, _ = rand.Read(s) // never fails
	return s
}

// stepOf is the number of a moment's step.
func stepOf(t time.Time) int64 { return t.Unix() / int64(codeStep/time.Second) }

// code is what an authenticator shows in a step.
func (s secret) code(step int64) string {
	h := hmac.New(sha1.New, s)
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], uint64(step)) // no moment is before 1970
	h.Write(counter[:])
	sum := h.Sum(nil)
	at := sum[len(sum)-1] & 0xf
	return fmt.Sprintf("%0*d", codeDigits, (binary.BigEndian.Uint32(sum[at:])&0x7fffffff)%1_000_000)
}

// match finds the step whose code it is, near a moment and after a step.
func (s secret) match(code string, at time.Time, after int64) (step int64, ok bool) {
	middle := stepOf(at)
	for i := middle - codeSkew; i <= middle+codeSkew; i++ {
		if subtle.ConstantTimeCompare([]byte(s.code(i)), []byte(code)) == 1 && i > after {
			step, ok = i, true
		}
	}
	return step, ok
}

var base32Secret = base32.StdEncoding.WithPadding(base32.NoPadding)

// typed is the secret as people type it: letters in groups of four.
func (s secret) typed() string {
	text := base32Secret.EncodeToString(s)
	var groups []string
	for len(text) > 4 {
		groups, text = append(groups, text[:4]), text[4:]
	}
	return strings.Join(append(groups, text), " ")
}

// address is the secret as an authenticator's camera reads it.
func (s secret) address(issuer, account string) string {
	q := url.Values{"secret": {base32Secret.EncodeToString(s)}, "issuer": {issuer}}
	// Some authenticators show a + as such, where it stands for a space.
	return "otpauth://totp/" + url.PathEscape(issuer) + ":" + url.PathEscape(account) + "?" + strings.ReplaceAll(q.Encode(), "+", "%20")
}

// recoveryCodes is how many there are at first. Each has 77 bits, so that a
// plain hash keeps it.
const recoveryCodes = 10

func newRecoveryCodes() (codes, hashes []string) {
	for range recoveryCodes {
		c := GeneratePassword()
		codes, hashes = append(codes, c), append(hashes, recoveryHash(bareCode(c)))
	}
	return codes, hashes
}

func recoveryHash(bare string) string {
	sum := sha256.Sum256([]byte("landmark recovery code " + bare))
	return hex.EncodeToString(sum[:])
}

// bareCode is a code without what people put in between, in the letters it was
// given in: a Chinese keyboard may type digits at full width.
func bareCode(typed string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' || r == '\t' || r == '—' || r == '–' {
			return -1
		}
		return r
	}, strings.ToLower(width.Narrow.String(strings.TrimSpace(typed))))
}

func isAuthenticatorCode(bare string) bool {
	return len(bare) == codeDigits && strings.Trim(bare, "0123456789") == ""
}
