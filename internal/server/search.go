package server

import (
	"net/http"

	"landmark/internal/landmark"
	"landmark/web/view"
)

// showSearch handles GET /search.
func (s *Server) showSearch(w http.ResponseWriter, r *http.Request) error {
	p, board, err := s.board(r, "搜索")
	if err != nil {
		return err
	}
	asked := r.URL.Query().Get("q")
	found, err := board.Record.Plan.Search(asked)
	page := view.NewSearchPage(p, board, asked, found)
	if landmark.KindOf(err) == landmark.Invalid {
		page.Fault, page.Title = landmark.MessageOf(err), "搜索" // not with the whole of what was asked
		return s.render(w, r, http.StatusUnprocessableEntity, view.Search(page))
	}
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, view.Search(page))
}
