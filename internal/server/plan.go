package server

import (
	"net/http"

	"github.com/go-chi/chi/v5"

	"landmark/internal/landmark"
	"landmark/web/view"
)

// showOverview handles GET /.
func (s *Server) showOverview(w http.ResponseWriter, r *http.Request) error {
	filter := landmark.NoLight
	if text := r.URL.Query().Get("status"); text != "" {
		var err error
		if filter, err = landmark.ParseLight(text); err != nil {
			return problem(http.StatusBadRequest, landmark.MessageOf(err))
		}
	}
	order := r.URL.Query().Get("sort")
	switch order {
	case "", "no", "trouble", "dept":
	default:
		return problem(http.StatusBadRequest, "排序只有按序号、问题在前和按部门三种")
	}
	p, board, err := s.board(r, "总览")
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, view.Overview(view.NewOverview(p, board, order, filter)))
}

// showKey handles GET /key.
func (s *Server) showKey(w http.ResponseWriter, r *http.Request) error {
	p, board, err := s.board(r, "关键指标")
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, view.Key(view.NewKey(p, board)))
}

// showIndicator handles GET /indicators/{code}.
func (s *Server) showIndicator(w http.ResponseWriter, r *http.Request) error {
	rec, month, err := s.record(r)
	if err != nil {
		return err
	}
	ind, err := rec.Plan.Indicator(chi.URLParam(r, "code"))
	if err != nil {
		return err
	}
	p, err := s.page(r, rec, month, ind.Name)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, view.Indicator(view.NewIndicatorPage(p, rec, ind)))
}
