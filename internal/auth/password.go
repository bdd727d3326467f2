package auth

import (
	"bufio"
	"context"
	"crypto/rand"
	_ "embed" // the barred passwords
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"

	"landmark/internal/landmark"
	"landmark/internal/store"
)

//go:generate go run barred_gen.go

// Passwords are measured in characters.
const (
	MinPassword = 10
	MaxPassword = 200
)

// Profile is a set of rules for passwords.
type Profile string

const (
	// ProfileASVS asks for length and bars what is easily guessed. It has no rule of
	// composition and no forced change by time: both make people choose worse ones.
	ProfileASVS Profile = "asvs"
	// ProfileDengbao adds what an assessment by GB/T 22239 (等保) looks for:
	// composition, age and history.
	ProfileDengbao Profile = "dengbao"
)

// What ProfileDengbao adds.
const (
	PasswordKinds   = 3                   // of capitals, small letters, digits and all else, at least
	PasswordAge     = 90 * 24 * time.Hour // then it must be changed
	PasswordHistory = 5                   // the present one and those before it: none may come back
)

// kinds is how many of the four kinds of characters a password has.
func kinds(password string) int {
	var upper, lower, digit, other int
	for _, r := range password {
		switch {
		case r >= 'A' && r <= 'Z':
			upper = 1
		case r >= 'a' && r <= 'z':
			lower = 1
		case r >= '0' && r <= '9':
			digit = 1
		default:
			other = 1
		}
	}
	return upper + lower + digit + other
}

//go:embed barred.txt
var barredText string

// barred holds common passwords that are long enough to be chosen here, in
// lower case and without disguise.
var barred = sync.OnceValue(func() map[string]bool {
	m := map[string]bool{}
	lines := bufio.NewScanner(strings.NewReader(barredText))
	for lines.Scan() {
		if line := lines.Text(); line != "" && line[0] != '#' {
			m[plain(line)] = true
		}
	}
	return m
})

// ownWords are guessed first by those who know whose program this is.
var ownWords = []string{"landmark", "biaozhixing", "tongxiang", "gongtongfuyu", "gongfu", "txjf", "shifuban", "标志性成果", "桐乡", "共同富裕", "市府办"}

// CheckPassword says whether u may choose a password; barred are further words it
// must not hold. The error is Invalid for field new.
func CheckPassword(password string, u landmark.User, profile Profile, barredWords ...string) error {
	refuse := func(format string, args ...any) error {
		return landmark.Errorf(landmark.Invalid, "new", format, args...)
	}
	n := utf8.RuneCountInString(password)
	switch {
	case !utf8.ValidString(password) || strings.ContainsFunc(password, unicode.IsControl):
		return refuse("密码里有不能用的字符")
	case n < MinPassword:
		return refuse("密码至少要%d个字,现在只有%d个", MinPassword, n)
	case n > MaxPassword:
		return refuse("密码最多%d个字", MaxPassword)
	}
	lower := strings.ToLower(password)
	names := append([]string{u.Name, u.DisplayName, u.Department.Slug, u.Department.Name}, strings.FieldsFunc(u.Name, func(r rune) bool { return strings.ContainsRune("._-", r) })...)
	for _, w := range slices.Concat(names, ownWords, barredWords) {
		if w = strings.ToLower(w); longEnough(w) && strings.Contains(lower, w) {
			return refuse("密码里不要有账号名或其中一段、姓名、部门名、部门代号或本系统的名称")
		}
	}
	if profile == ProfileDengbao && kinds(password) < PasswordKinds {
		return refuse("密码要有大写字母、小写字母、数字、其他字符(符号或汉字)这四类中的至少三类")
	}
	different := map[rune]bool{}
	for _, r := range lower {
		different[r] = true
	}
	if len(different) < 4 || barred()[plain(lower)] {
		return refuse("这个密码太常见,容易被猜中,请换一个")
	}
	return nil
}

// longEnough says whether a word is worth looking for in a password: three
// letters or more, or two Chinese characters.
func longEnough(w string) bool {
	n := utf8.RuneCountInString(w)
	return n >= 3 || n == 2 && len(w) == 6
}

// plain takes back the usual disguises: p@ssw0rd is password. Digits that are
// meant as such change with them, so both sides of a comparison must be plain.
var plain = strings.NewReplacer("@", "a", "0", "o", "3", "e", "$", "s", "!", "i").Replace

// GeneratePassword makes a password of 16 characters in groups that can be
// read out: no vowels, and no characters that look alike. It has 77 bits.
func GeneratePassword() string {
	const letters = "bcdfghjkmnpqrstvwxz23456789"
	var b strings.Builder
	for b.Len() < 19 {
		if b.Len()%5 == 4 {
			b.WriteByte('-')
		}
		var one [1]byte
		_, _ = rand.Read(one[:])                // never fails
		if int(one[0]) < 256-256%len(letters) { // else some letters would come more often
			b.WriteByte(letters[int(one[0])%len(letters)])
		}
	}
	return b.String()
}

// strong are the parameters of new hashes, ASVS's. They are fixed: the library's own
// follow the number of cores.
var strong = argon2id.Params{Memory: 19456, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// hasher hashes at most four passwords at a time, each of which takes 19 MiB.
type hasher struct {
	parameters argon2id.Params // of new hashes
	slots      chan struct{}
	dummy      string // compared with where there is no account
	compare    func(password, hash string) (right bool, params *argon2id.Params, err error)
}

func newHasher(p argon2id.Params) *hasher {
	// No password is known to give it, and none that did would open anything.
	salt, key := make([]byte, p.SaltLength), make([]byte, p.KeyLength)
	_, _ = rand.Read(salt) // never fails
	_, _ = rand.Read(key)
	dummy := fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", p.Memory, p.Iterations, p.Parallelism,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key))
	return &hasher{parameters: p, slots: make(chan struct{}, 4), dummy: dummy, compare: argon2id.CheckHash}
}

func (h *hasher) acquire(ctx context.Context) error {
	select {
	case h.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait to hash a password: %w", ctx.Err())
	}
}

func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	if err := h.acquire(ctx); err != nil {
		return "", err
	}
	defer func() { <-h.slots }()
	hash, err := argon2id.CreateHash(password, &h.parameters)
	if err != nil {
		return "", fmt.Errorf("hash a password: %w", err)
	}
	return hash, nil
}

// check compares a password with a hash, taking as long where the hash is
// missing or matches nothing. outdated asks for a new hash of the same.
func (h *hasher) check(ctx context.Context, password, hash string) (right, outdated bool, err error) {
	if err := h.acquire(ctx); err != nil {
		return false, false, err
	}
	defer func() { <-h.slots }()
	nobody := hash == "" || hash == store.NoPassword
	if nobody {
		hash = h.dummy
	}
	right, params, err := h.compare(password, hash)
	if err != nil {
		return false, false, fmt.Errorf("check a password: %w", err)
	}
	return right && !nobody, *params != h.parameters, nil
}
