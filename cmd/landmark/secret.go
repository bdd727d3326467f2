package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"landmark/internal/auth"
)

// secretFrom reads a secret from a file or the environment. There is no flag for
// one: every account of the machine sees those.
func secretFrom(name, file string) (string, error) {
	value := os.Getenv(name)
	switch {
	case file == "":
		return value, nil
	case value != "":
		return "", usageError{fmt.Errorf("%s and %s_FILE are both set: unset one", name, name)}
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("cannot read %s_FILE %s: check the path and the rights: %s", name, file, lastCause(err))
	}
	return strings.TrimSpace(string(b)), nil
}

// secretKey is the key that seals authenticators' secrets. A private database has
// one beside it, made here; for another database the operator sets it, as every
// program on that database needs the same.
func (c serveCmd) secretKey(p *program) ([]byte, error) {
	key, err := secretFrom("SECRET_KEY", c.SecretKeyFile)
	if err != nil {
		return nil, err
	}
	if key == "" && p.DatabaseURL == "" {
		if key, err = ownKey(filepath.Join(p.DataDir, "secret.key")); err != nil {
			return nil, err
		}
	}
	switch {
	case key == "" && c.RequireTOTP != "":
		return nil, usageError{errors.New("REQUIRE_TOTP needs a key to seal the secrets: set SECRET_KEY_FILE, the same for every program on this database")}
	case key != "" && len(key) < auth.MinKey:
		return nil, usageError{fmt.Errorf("SECRET_KEY has %d bytes, it needs %d: make one with openssl rand -base64 48", len(key), auth.MinKey)}
	}
	return []byte(key), nil
}

// provider is who people may sign in through. It is asked for nothing before
// somebody does.
func (c serveCmd) provider() (auth.ProviderConfig, error) {
	secret, err := secretFrom("OIDC_CLIENT_SECRET", c.OIDCSecretFile)
	if err != nil || c.OIDCIssuer == "" {
		return auth.ProviderConfig{}, err
	}
	u, err := url.Parse(c.OIDCIssuer)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		return auth.ProviderConfig{}, usageError{fmt.Errorf("OIDC_ISSUER %q is not an https address: write it as the provider spells it", c.OIDCIssuer)}
	case c.OIDCClientID == "":
		return auth.ProviderConfig{}, usageError{errors.New("OIDC_ISSUER is set without OIDC_CLIENT_ID: the provider's operator gives it")}
	}
	return auth.ProviderConfig{Issuer: c.OIDCIssuer, ClientID: c.OIDCClientID, ClientSecret: secret, Name: c.OIDCName}, nil
}

// ownKey reads the key in a file, and makes it where there is none.
func ownKey(file string) (string, error) {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		key, err := secretFrom("SECRET_KEY", file)
		if err == nil && key == "" {
			err = fmt.Errorf("%s is empty: put the key back from a backup, or remove the file to have a new one made", file)
		}
		return key, err
	}
	if err != nil {
		return "", fmt.Errorf("cannot make %s: check DATA_DIR and the rights: %s", file, lastCause(err))
	}
	key := auth.NewKey()
	_, err = fmt.Fprintln(f, key)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", errors.Join(fmt.Errorf("write %s: %w", file, err), os.Remove(file))
	}
	return key, nil
}
