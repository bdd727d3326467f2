package server

import (
	"net/http"
	"net/url"

	"landmark/internal/landmark"
	"landmark/internal/planning"
	"landmark/web/view"
)

// showUpkeepPlans handles GET /admin/plans.
func (s *Server) showUpkeepPlans(w http.ResponseWriter, r *http.Request) error {
	return s.answerUpkeepPlans(w, r, http.StatusOK, view.Typed{})
}

func (s *Server) answerUpkeepPlans(w http.ResponseWriter, r *http.Request, status int, typed view.Typed) error {
	rec, page, err := s.upkeep(r)
	if err != nil {
		return err
	}
	heads, err := s.store.Plans(r.Context())
	if err != nil {
		return err
	}
	plans := make([]view.UpkeepPlan, len(heads))
	for i, h := range heads {
		plans[i] = view.UpkeepPlan{Slug: h.Slug, Title: h.Title, Year: h.Year, Projects: h.Projects, Indicators: h.Indicators, Demo: h.Demo}
	}
	return s.render(w, r, status, view.Upkeeping(view.NewUpkeepPlansPage(page, rec, plans, typed)))
}

// copyPlan handles POST /admin/plans: the next year's plan from this one.
func (s *Server) copyPlan(w http.ResponseWriter, r *http.Request) error {
	t := typedIn(r)
	if t.Form != "copy" {
		return unknownForm()
	}
	in := planning.NextPlan{From: t.planSlug, Slug: t.text("slug"), Title: t.text("title"), Published: t.date("published", "请填写公布日期")}
	if len(t.Faults) == 0 {
		by, u := doer(r)
		err := s.planning.Copy(r.Context(), by, u, in, s.now())
		if err == nil {
			return s.redirect(w, r, "/admin/plans?plan="+url.QueryEscape(in.Slug), "新方案已建立,请逐项调整目标、确认性质")
		}
		if domainError(err) == nil || landmark.KindOf(err) == landmark.NotFound {
			return err
		}
		status, err := t.refused(err)
		if err != nil {
			return err
		}
		return s.answerUpkeepPlans(w, r, status, t.Typed)
	}
	return s.answerUpkeepPlans(w, r, http.StatusUnprocessableEntity, t.Typed)
}
