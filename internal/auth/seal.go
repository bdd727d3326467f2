package auth

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
)

// MinKey is how many bytes a key must have at least. It may be any text.
const MinKey = 32

// sealer keeps secrets out of the database's reach: there they are sealed with
// a key the database does not hold.
type sealer struct{ aead cipher.AEAD }

func newSealer(key []byte) (*sealer, error) {
	if len(key) < MinKey {
		return nil, fmt.Errorf("auth: the key has %d bytes, it needs %d", len(key), MinKey)
	}
	derived, err := hkdf.Key(sha256.New, key, nil, "landmark authenticator secrets", 32)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return nil, fmt.Errorf("make cipher: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("make cipher: %w", err)
	}
	return &sealer{aead}, nil
}

var errKey = errors.New("sealed with another key, or for another account")

// seal closes s for one account: a row copied to another account does not open.
func (s *sealer) seal(plain []byte, accountID int64) []byte {
	return s.aead.Seal(nil, nil, plain, sealedFor(accountID))
}

func (s *sealer) open(sealed []byte, accountID int64) ([]byte, error) {
	plain, err := s.aead.Open(nil, nil, sealed, sealedFor(accountID))
	if err != nil {
		return nil, errKey
	}
	return plain, nil
}

func sealedFor(accountID int64) []byte { return []byte("account " + strconv.FormatInt(accountID, 10)) }

// NewKey makes a key to be kept in a file.
func NewKey() string { return rand.Text() + rand.Text() }
