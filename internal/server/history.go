package server

import (
	"encoding/hex"
	"net/http"
	"strconv"

	"landmark/internal/auth"
	"landmark/internal/landmark"
	"landmark/internal/store"
	"landmark/web/view"
)

// historyPage is how many entries stand on one page.
const historyPage = 100

// showHistory handles GET /history: all of it for the office, their own
// department's for reporters and leaders.
func (s *Server) showHistory(w http.ResponseWriter, r *http.Request) error {
	rec, month, err := s.record(r)
	if err != nil {
		return err
	}
	f, err := s.historyFilter(r, rec)
	if err != nil {
		return err
	}
	if u := auth.VisitFrom(r.Context()).User; u.Role != landmark.RoleOffice {
		if f.DepartmentID != 0 && f.DepartmentID != u.DepartmentID {
			return landmark.Errorf(landmark.Forbidden, "department", "只能查看本部门的记录")
		}
		f.DepartmentID = u.DepartmentID
	}
	found, err := s.store.History(r.Context(), f, historyPage+1)
	if err != nil {
		return err
	}
	head, err := s.store.HistoryHead(r.Context())
	if err != nil {
		return err
	}
	older := len(found) > historyPage
	var lines []view.HistoryLine
	for _, l := range found[:min(len(found), historyPage)] {
		lines = append(lines, view.HistoryLine{HistoryEntry: l.HistoryEntry, Hash: l.Hash})
	}
	p, err := s.page(r, rec, month, "变更记录")
	if err != nil {
		return err
	}
	chain := view.Chain{Seq: head.Seq, Hash: hex.EncodeToString(head.Hash), SealedAt: head.SealedAt}
	return s.render(w, r, http.StatusOK, view.History(view.NewHistoryPage(p, s.zone, lines, older, chain)))
}

// historyFilter reads what the list is narrowed to. What does not exist is not
// found, rather than an empty list.
func (s *Server) historyFilter(r *http.Request, rec *landmark.Record) (store.HistoryFilter, error) {
	query := r.URL.Query()
	f := store.HistoryFilter{PlanID: rec.Plan.ID, Person: query.Get("person"), Act: query.Get("act")}
	if query.Get("as_of") != "" {
		f.AsOf = rec.AsOf
	}
	if text := query.Get("month"); text != "" {
		m, err := landmark.ParseMonth(text)
		if err != nil {
			return f, problem(http.StatusBadRequest, landmark.MessageOf(err))
		}
		f.Month = m
	}
	if name := query.Get("department"); name != "" {
		d, err := s.store.FindDepartment(r.Context(), name)
		if err != nil {
			return f, err
		}
		f.DepartmentID = d.ID
	}
	if code := query.Get("indicator"); code != "" {
		ind, err := rec.Plan.Indicator(code)
		if err != nil {
			return f, err
		}
		f.IndicatorID = ind.ID
	}
	if text := query.Get("project"); text != "" {
		project, err := projectOf(rec.Plan, text)
		if err != nil {
			return f, err
		}
		f.ProjectID = project.ID
	}
	if text := query.Get("before"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 1 {
			return f, problem(http.StatusBadRequest, "翻页的编号写得不对")
		}
		f.Before = n
	}
	return f, nil
}

// projectOf finds a project by its number as an address has it.
func projectOf(plan *landmark.Plan, text string) (*landmark.Project, error) {
	n, err := strconv.Atoi(text)
	if err != nil || strconv.Itoa(n) != text {
		return nil, landmark.Errorf(landmark.NotFound, "project", "项目编号是数字,比如“4”")
	}
	return plan.Project(n)
}
