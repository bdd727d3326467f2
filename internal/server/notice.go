package server

import (
	"net/http"
	"strconv"

	"landmark/internal/auth"
	"landmark/web/view"
)

// noticePage is how many notices stand on one page.
const noticePage = 50

// showNotices handles GET /notices: what the visitor was told.
func (s *Server) showNotices(w http.ResponseWriter, r *http.Request) error {
	var before int64
	if text := r.URL.Query().Get("before"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 1 {
			return problem(http.StatusBadRequest, "地址里的 before 要是一条通知的编号")
		}
		before = n
	}
	list, err := s.store.Notices(r.Context(), auth.VisitFrom(r.Context()).User, before, noticePage+1)
	if err != nil {
		return err
	}
	_, page, err := s.upkeep(r)
	if err != nil {
		return err
	}
	older := len(list) > noticePage
	return s.render(w, r, http.StatusOK, view.Notices(view.NewNoticesPage(page, s.zone, list[:min(len(list), noticePage)], older)))
}

// seeNotices handles POST /notices: one notice was seen, or all up to one.
func (s *Server) seeNotices(w http.ResponseWriter, r *http.Request) error {
	name, said := "up_to", "已全部标为看过"
	if r.PostFormValue("notice") != "" {
		name, said = "notice", ""
	}
	number, err := strconv.ParseInt(r.PostFormValue(name), 10, 64)
	if err != nil || number < 1 {
		return problem(http.StatusBadRequest, "没有说是哪一条通知,请回到通知页再试")
	}
	if err := s.store.SeeNotices(r.Context(), auth.VisitFrom(r.Context()).User, number, name == "notice", s.now()); err != nil {
		return err
	}
	return s.redirect(w, r, "/notices", said)
}
