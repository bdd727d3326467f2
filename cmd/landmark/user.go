package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"landmark/internal/auth"
	"landmark/internal/landmark"
	"landmark/internal/store"
)

type userCmd struct {
	Add     userAdd     `cmd:"" help:"Add an account; the password comes from standard input or is generated and printed once."`
	List    userList    `cmd:"" help:"List the accounts."`
	Passwd  userPasswd  `cmd:"" help:"Give an account a new password, read from standard input or generated and printed once."`
	Disable userDisable `cmd:"" help:"Shut an account and end its sessions."`
	Factor  userFactor  `cmd:"" name:"reset-factor" help:"Take away an account's second factor, whose authenticator and recovery codes are lost."`
	Link    userLink    `cmd:"" help:"Let an account sign in through the OpenID Connect provider, as the person with that subject."`
	Unlink  userUnlink  `cmd:"" help:"Take that back, and end the account's sessions."`
}

// withAuth runs f with what signs people in.
func (p *program) withAuth(ctx context.Context, f func(*store.Store, *auth.Auth) error) error {
	return p.withStore(ctx, func(st *store.Store) error {
		now, err := present(ctx, p, st) // the machine's clock would carry a demo's along
		if err != nil {
			return err
		}
		a, err := auth.New(auth.Config{Store: st, Now: func() time.Time { return now }, Log: p.log, Passwords: auth.Profile(p.Passwords)})
		if err != nil {
			return err
		}
		return f(st, a)
	})
}

// password reads a line from standard input unless that is a terminal or empty;
// then one is generated.
func (p *program) password() (string, error) {
	if f, ok := p.stdin.(*os.File); ok {
		info, err := f.Stat()
		if err != nil || info.Mode()&os.ModeCharDevice != 0 {
			return "", nil // a terminal, or none at all
		}
	}
	line, err := bufio.NewReader(io.LimitReader(p.stdin, 4096)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the password from standard input: %w", err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// tell prints a generated password, which is shown nowhere else.
func (p *program) tell(did, name, generated string) error {
	if generated == "" {
		_, err := fmt.Fprintf(p.stdout, "%s %s\n", did, name)
		return err
	}
	_, err := fmt.Fprintf(p.stdout, "%s %s; password, to be changed at first sign-in: %s\n", did, name, generated)
	return err
}

type userAdd struct {
	Name       string `arg:"" help:"Name to sign in with: small letters, digits, dots, dashes."`
	Role       string `required:"" enum:"office,reporter,leader,viewer" help:"office, reporter, leader or viewer."`
	Department string `placeholder:"DEPT" help:"Department, by slug or name; needed for reporter and leader."`
	Display    string `name:"name" placeholder:"显示名" help:"Name shown on pages."`
}

// Run adds an account.
func (c userAdd) Run(ctx context.Context, p *program) error {
	role := landmark.Role(c.Role)
	if role.NeedsDepartment() && c.Department == "" {
		return usageError{fmt.Errorf("a %s belongs to a department: name it with --department", c.Role)}
	}
	password, err := p.password()
	if err != nil {
		return err
	}
	return p.withAuth(ctx, func(st *store.Store, a *auth.Auth) error {
		n := auth.NewAccount{Name: c.Name, DisplayName: c.Display, Role: role, Password: password}
		if c.Department != "" {
			if n.Department, err = st.FindDepartment(ctx, c.Department); err != nil {
				if landmark.KindOf(err) == landmark.NotFound {
					return fmt.Errorf("no department %q: use a slug or name from the page /departments", c.Department)
				}
				return err
			}
		}
		if _, err := st.Account(ctx, c.Name); err == nil {
			return fmt.Errorf("an account %q is there already: choose another name, or use landmark user passwd %s", c.Name, c.Name)
		}
		generated, err := a.Add(ctx, operator, n)
		if err != nil {
			return err
		}
		return p.tell("added", c.Name, generated)
	})
}

type userList struct{}

// Run lists the accounts.
func (userList) Run(ctx context.Context, p *program) error {
	return p.withStore(ctx, func(st *store.Store) error {
		accounts, err := st.Accounts(ctx)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "NAME\tROLE\tDEPARTMENT\tSTATE\tDISPLAY NAME")
		for _, a := range accounts {
			state := "active"
			switch {
			case a.User.Disabled:
				state = "disabled"
			case a.Demo:
				state = "demo"
			case a.User.MustChange:
				state = "must change password"
			case a.User.SecondFactor:
				state = "active, second factor"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", a.User.Name, a.User.Role, a.User.Department.Slug, state, a.User.DisplayName)
		}
		return w.Flush()
	})
}

type userPasswd struct {
	Name string `arg:"" help:"The account."`
}

// Run gives an account a new password.
func (c userPasswd) Run(ctx context.Context, p *program) error {
	password, err := p.password()
	if err != nil {
		return err
	}
	return p.withAuth(ctx, func(_ *store.Store, a *auth.Auth) error {
		generated, err := a.SetPassword(ctx, operator, c.Name, password)
		if err != nil {
			return inEnglish(err, landmark.NotFound, "no account %q: landmark user list shows what there is", c.Name)
		}
		return p.tell("password changed for", c.Name, generated)
	})
}

type userDisable struct {
	Name string `arg:"" help:"The account."`
}

// Run shuts an account.
func (c userDisable) Run(ctx context.Context, p *program) error {
	return p.withAuth(ctx, func(_ *store.Store, a *auth.Auth) error {
		if err := a.SetDisabled(ctx, operator, c.Name, true); err != nil {
			return inEnglish(err, landmark.NotFound, "no account %q: landmark user list shows what there is", c.Name)
		}
		return p.tell("disabled", c.Name, "")
	})
}

type userFactor struct {
	Name string `arg:"" help:"The account."`
}

// Run takes an account's second factor away.
func (c userFactor) Run(ctx context.Context, p *program) error {
	return p.withAuth(ctx, func(_ *store.Store, a *auth.Auth) error {
		if err := a.ResetFactor(ctx, operator, c.Name); err != nil {
			return inEnglish(err, landmark.NotFound, "no account %q: landmark user list shows what there is", c.Name)
		}
		return p.tell("second factor off for", c.Name, "")
	})
}

type userLink struct {
	Name    string `arg:"" help:"The account."`
	Issuer  string `env:"OIDC_ISSUER" required:"" placeholder:"URL" help:"The provider, spelled exactly as it spells itself."`
	Subject string `required:"" placeholder:"ID" help:"The provider's own number for the person; no mail address."`
}

// Run ties an account to a person at the provider.
func (c userLink) Run(ctx context.Context, p *program) error {
	return p.withAuth(ctx, func(_ *store.Store, a *auth.Auth) error {
		if err := a.Link(ctx, operator, c.Name, c.Issuer, c.Subject); err != nil {
			err = inEnglish(err, landmark.NotFound, "no account %q: landmark user list shows what there is", c.Name)
			return inEnglish(err, landmark.Invalid, "cannot link %q at %q: it is another account's, or issuer or subject is malformed", c.Subject, c.Issuer)
		}
		return p.tell("linked", c.Name, "")
	})
}

type userUnlink struct {
	Name    string `arg:"" help:"The account."`
	Issuer  string `env:"OIDC_ISSUER" required:"" placeholder:"URL" help:"The provider."`
	Subject string `required:"" placeholder:"ID" help:"The provider's own number for the person."`
}

// Run takes a link back.
func (c userUnlink) Run(ctx context.Context, p *program) error {
	return p.withAuth(ctx, func(_ *store.Store, a *auth.Auth) error {
		if err := a.Unlink(ctx, operator, c.Name, c.Issuer, c.Subject); err != nil {
			return inEnglish(err, landmark.NotFound, "no account %q with this link: its page under 管理 shows what there is", c.Name)
		}
		return p.tell("unlinked", c.Name, "")
	})
}
