package server

import (
	"errors"
	"net/http"

	"landmark/internal/auth"
	"landmark/internal/landmark"
	"landmark/web/view"
)

// providerCallback is where the provider sends people back to.
const providerCallback = "/login/provider/callback"

// providerCookie is kept while somebody is at the provider.
func (s *Server) providerCookie() string { return s.cookieName("landmark-provider") }

// loginProvider handles GET /login/provider: off to the provider. It is a link, as
// the pages' policy lets no form end up at another site.
func (s *Server) loginProvider(w http.ResponseWriter, r *http.Request) error {
	next := localPath(r.URL.Query().Get("next"), r.Host)
	address, cookie, err := s.auth.BeginProvider(r.Context(), next)
	if err != nil {
		return s.answerProvider(w, r, next, err)
	}
	const minutes = 10
	s.setCookie(w, s.providerCookie(), cookie, minutes*60)
	http.Redirect(w, r, address, http.StatusSeeOther)
	return nil
}

// loginFromProvider handles GET /login/provider/callback.
func (s *Server) loginFromProvider(w http.ResponseWriter, r *http.Request) error {
	cookie := ""
	if c, err := r.Cookie(s.providerCookie()); err == nil {
		cookie = c.Value
		s.setCookie(w, s.providerCookie(), "", -1) // it does for one way back
	}
	next, err := s.auth.SignInProvider(r.Context(), cookie, r.URL.Query())
	if err != nil {
		return s.answerProvider(w, r, "/", err)
	}
	return s.redirect(w, r, localPath(next, r.Host), "")
}

// answerProvider shows the sign-in page with why it came to nothing.
func (s *Server) answerProvider(w http.ResponseWriter, r *http.Request, next string, err error) error {
	if errors.Is(err, auth.ErrThrottled) {
		w.Header().Set("Retry-After", "900")
		return s.answerLogin(w, r, http.StatusTooManyRequests, view.LoginPage{Next: next, Fault: landmark.MessageOf(err)})
	}
	e, ok := errors.AsType[*auth.ProviderError](err)
	if !ok {
		return err
	}
	status := http.StatusForbidden
	switch e.Reason {
	case auth.ProviderLost:
		status = http.StatusBadRequest
	case auth.ProviderAway:
		status = http.StatusServiceUnavailable
	}
	v := auth.VisitFrom(r.Context())
	s.log.WarnContext(r.Context(), "sign-in by provider came to nothing", "error", err, "address", v.Address, "request", v.RequestID)
	return s.answerLogin(w, r, status, view.LoginPage{Next: next, Fault: e.Message})
}
