package server

import (
	"net/http"

	"landmark/internal/auth"
	"landmark/internal/store"
	"landmark/web/view"
)

// showSignOff handles GET /signoff.
func (s *Server) showSignOff(w http.ResponseWriter, r *http.Request) error {
	p, err := s.queue(r, decision{})
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, view.Review(p))
}

// signOff handles POST /signoff.
func (s *Server) signOff(w http.ResponseWriter, r *http.Request) error {
	d, err := parseDecision(r.PostForm, "sign")
	if err != nil {
		return err
	}
	v := auth.VisitFrom(r.Context())
	var moved []store.Moved
	if d.action == "sign" {
		moved, err = s.reporting.SignOff(r.Context(), v.Actor(), v.User, d.list, s.now())
	} else {
		moved, err = s.reporting.Return(r.Context(), v.Actor(), v.User, d.list, d.reason, s.now())
	}
	return s.decided(w, r, d, len(moved), err)
}
