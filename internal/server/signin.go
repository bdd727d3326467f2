package server

import (
	"errors"
	"net/http"
	"net/url"

	"landmark/internal/auth"
	"landmark/internal/landmark"
	"landmark/web/view"
)

// showLogin handles GET /login.
func (s *Server) showLogin(w http.ResponseWriter, r *http.Request) error {
	next := localPath(r.URL.Query().Get("next"), r.Host)
	if auth.VisitFrom(r.Context()).User.SignedIn() {
		return s.redirect(w, r, next, "")
	}
	return s.answerLogin(w, r, http.StatusOK, view.LoginPage{Next: next})
}

// answerLogin shows the sign-in page with what was typed and why it was refused.
func (s *Server) answerLogin(w http.ResponseWriter, r *http.Request, status int, l view.LoginPage) error {
	l.Page, l.Provider = s.bare(r, "登录"), s.auth.ProviderName()
	rec, err := s.store.Record(r.Context(), "", s.now(), s.now(), s.zone)
	switch {
	case landmark.KindOf(err) == landmark.NotFound: // no plan yet: the door opens all the same
	case err != nil:
		return err
	default:
		l.Plan, l.Demo = rec.Plan, l.Demo || rec.Plan.Demo
		for _, p := range rec.Plan.Projects {
			l.Projects = append(l.Projects, p.Name)
		}
	}
	if s.demo {
		if l.Doors, err = s.doors(r); err != nil {
			return err
		}
	}
	return s.render(w, r, status, view.Login(l))
}

// doors are the demo's accounts, to be entered by a button each.
func (s *Server) doors(r *http.Request) ([]view.DemoDoor, error) {
	accounts, err := s.store.Accounts(r.Context())
	if err != nil {
		return nil, err
	}
	var users []landmark.User
	for _, a := range accounts {
		if a.Demo && !a.User.Disabled {
			users = append(users, a.User)
		}
	}
	return view.NewDoors(users), nil
}

// login handles POST /login.
func (s *Server) login(w http.ResponseWriter, r *http.Request) error {
	name, next := r.PostFormValue("name"), localPath(r.PostFormValue("next"), r.Host)
	u, code, err := s.auth.SignIn(r.Context(), name, r.PostFormValue("password"))
	switch {
	case errors.Is(err, auth.ErrThrottled):
		w.Header().Set("Retry-After", "900")
		return s.answerLogin(w, r, http.StatusTooManyRequests, view.LoginPage{Name: short(name), Next: next, Fault: landmark.MessageOf(err)})
	case landmark.KindOf(err) == landmark.Invalid:
		return s.answerLogin(w, r, http.StatusUnprocessableEntity, view.LoginPage{Name: short(name), Next: next, Fault: landmark.MessageOf(err)})
	case err != nil:
		return err
	case code:
		return s.redirect(w, r, "/login/code?next="+url.QueryEscape(next), "")
	}
	return s.welcome(w, r, u, next)
}

// showLoginCode handles GET /login/code, between password and code.
func (s *Server) showLoginCode(w http.ResponseWriter, r *http.Request) error {
	next := localPath(r.URL.Query().Get("next"), r.Host)
	if !s.auth.HalfSignedIn(r.Context()) { // it took too long, or the address was opened by itself
		return s.redirect(w, r, "/login?next="+url.QueryEscape(next), "")
	}
	return s.answerLogin(w, r, http.StatusOK, view.LoginPage{Code: true, Next: next})
}

// loginCode handles POST /login/code.
func (s *Server) loginCode(w http.ResponseWriter, r *http.Request) error {
	next := localPath(r.PostFormValue("next"), r.Host)
	u, err := s.auth.SignInCode(r.Context(), r.PostFormValue("code"))
	switch {
	case errors.Is(err, auth.ErrNoHalf):
		return s.answerLogin(w, r, http.StatusUnprocessableEntity, view.LoginPage{Next: next, Fault: landmark.MessageOf(err)})
	case errors.Is(err, auth.ErrThrottled):
		w.Header().Set("Retry-After", "900")
		return s.answerLogin(w, r, http.StatusTooManyRequests, view.LoginPage{Code: true, Next: next, Fault: landmark.MessageOf(err)})
	case landmark.KindOf(err) == landmark.Invalid:
		return s.answerLogin(w, r, http.StatusUnprocessableEntity, view.LoginPage{Code: true, Next: next, Fault: landmark.MessageOf(err)})
	case err != nil:
		return err
	}
	return s.welcome(w, r, u, next)
}

// loginDemo handles POST /login/demo. Outside of the demo there is no such route.
func (s *Server) loginDemo(w http.ResponseWriter, r *http.Request) error {
	u, err := s.auth.SignInDemo(r.Context(), r.PostFormValue("account"))
	if err != nil {
		return err
	}
	return s.welcome(w, r, u, localPath(r.PostFormValue("next"), r.Host))
}

// welcome brings somebody who has just signed in to where they were going, by
// way of their account if the password must be changed first.
func (s *Server) welcome(w http.ResponseWriter, r *http.Request, u landmark.User, next string) error {
	if u.MustChange {
		next = "/account?next=" + url.QueryEscape(next)
	}
	return s.redirect(w, r, next, "")
}

// logout handles POST /logout. Who is not signed in is where they wanted to be.
func (s *Server) logout(w http.ResponseWriter, r *http.Request) error {
	if err := s.auth.SignOut(r.Context()); err != nil {
		return err
	}
	// The browser forgets what it kept of our pages. Cookies are not named: the
	// theme stays, and the session's own is taken back already.
	w.Header().Set("Clear-Site-Data", `"cache", "storage"`)
	return s.redirect(w, r, "/login", "")
}

// theme handles POST /theme: light, dark, or as the system has it.
func (s *Server) theme(w http.ResponseWriter, r *http.Request) error {
	const year = 365 * 24 * 60 * 60
	switch theme := r.PostFormValue("theme"); theme {
	case "light", "dark":
		s.setCookie(w, s.themeCookie(), theme, year)
	case "":
		s.setCookie(w, s.themeCookie(), "", -1)
	default:
		return landmark.Errorf(landmark.Invalid, "theme", "只有浅色、深色和跟随系统可选")
	}
	return s.redirect(w, r, localPath(r.PostFormValue("back"), r.Host), "")
}

// showAccount handles GET /account.
func (s *Server) showAccount(w http.ResponseWriter, r *http.Request) error {
	return s.answerAccount(w, r, http.StatusOK, nil)
}

func (s *Server) answerAccount(w http.ResponseWriter, r *http.Request, status int, fs []view.Fault) error {
	return s.answerAccountMail(w, r, status, fs, auth.VisitFrom(r.Context()).User.Email)
}

// answerAccountMail shows the account with a mail address as it was typed.
func (s *Server) answerAccountMail(w http.ResponseWriter, r *http.Request, status int, fs []view.Fault, email string) error {
	signs, err := s.auth.Sessions(r.Context())
	if err != nil {
		return err
	}
	a := view.AccountPage{Page: s.bare(r, "我的账号"), Faults: fs, Rules: s.auth.PasswordRules(), Outworn: auth.VisitFrom(r.Context()).Outworn, Email: email, Mail: s.mail}
	factor, err := s.auth.Factor(r.Context(), view.ProductName)
	if err != nil {
		return err
	}
	a.FactorOn, a.FactorPossible = !factor.Since.IsZero(), factor.Possible
	for _, sign := range signs {
		a.Sessions = append(a.Sessions, view.SessionRow{ID: sign.Name, Address: sign.Address, Agent: sign.Agent, Since: sign.Since.In(s.zone), Current: sign.Here})
	}
	return s.render(w, r, status, view.Account(a))
}

// changePassword handles POST /account/password.
func (s *Server) changePassword(w http.ResponseWriter, r *http.Request) error {
	err := s.auth.ChangePassword(r.Context(), r.PostFormValue("old"), r.PostFormValue("new"), r.PostFormValue("again"))
	if err != nil {
		fs, err := faults(err)
		if err != nil {
			return err
		}
		return s.answerAccount(w, r, http.StatusUnprocessableEntity, fs)
	}
	if auth.VisitFrom(r.Context()).User.MustChange { // they were on the way to somewhere
		next := "/"
		if from, err := url.Parse(r.Referer()); err == nil {
			next = localPath(from.Query().Get("next"), r.Host)
		}
		return s.redirect(w, r, next, "密码已修改")
	}
	return s.redirect(w, r, "/account", "密码已修改,其他地方的登录都已退出")
}

// endSession handles POST /account/sessions/end: one session by its name, or
// with others=1 all but this one.
func (s *Server) endSession(w http.ResponseWriter, r *http.Request) error {
	if r.PostFormValue("others") == "1" {
		if err := s.auth.EndOtherSessions(r.Context()); err != nil {
			return err
		}
		return s.redirect(w, r, "/account", "其他地方的登录都已退出")
	}
	if err := s.auth.EndSession(r.Context(), r.PostFormValue("session")); err != nil {
		return err
	}
	return s.redirect(w, r, "/account", "那里的登录已退出")
}
