package server

import (
	"net/http"
	"time"

	"landmark/internal/landmark"
	"landmark/internal/planning"
	"landmark/internal/store"
	"landmark/web/view"
)

// showUpkeepRules handles GET /admin/rules.
func (s *Server) showUpkeepRules(w http.ResponseWriter, r *http.Request) error {
	return s.answerUpkeepRules(w, r, http.StatusOK, view.Typed{})
}

func (s *Server) answerUpkeepRules(w http.ResponseWriter, r *http.Request, status int, typed view.Typed) error {
	rec, page, err := s.upkeep(r)
	if err != nil {
		return err
	}
	past, err := s.past(r, store.HistoryFilter{PlanID: rec.Plan.ID, Act: "rule.set"})
	if err != nil {
		return err
	}
	page.Path = "/admin/rules" // also where a preview was refused
	return s.render(w, r, status, view.Upkeeping(view.NewUpkeepRulesPage(page, view.UpkeepRules{Record: rec, Past: past, Typed: typed})))
}

// rule reads a rule from a form or an address.
func (t *typing) rule() landmark.LightRule {
	return landmark.LightRule{From: t.month("from", "请选择生效月份"), Tolerance: t.whole("tolerance", "容差要填整数,例如 5"), RedLine: t.whole("red_line", "红线要填整数,例如 20")}
}

// previewRule handles GET /admin/rules/preview: which lights a rule would turn.
func (s *Server) previewRule(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	t := &typing{Typed: view.Typed{Form: "rule", Values: map[string]string{}}, planSlug: query.Get("plan")}
	for name := range query {
		t.Values[name] = query.Get(name)
	}
	rule := t.rule()
	rec, _, err := s.upkeep(r)
	if err != nil {
		return err
	}
	if len(t.Faults) == 0 {
		if err := planning.CheckPoints(rec.Plan, rule); err != nil {
			if _, err := t.refused(err); err != nil {
				return err
			}
		}
	}
	if len(t.Faults) > 0 {
		return s.answerUpkeepRules(w, r, http.StatusUnprocessableEntity, t.Typed)
	}
	return s.answerPreview(w, r, http.StatusOK, rule, view.Typed{})
}

func (s *Server) answerPreview(w http.ResponseWriter, r *http.Request, status int, rule landmark.LightRule, typed view.Typed) error {
	rec, page, err := s.upkeep(r)
	if err != nil {
		return err
	}
	in := view.UpkeepPreview{Record: rec, Rule: rule, Changes: rec.PreviewRule(rule), Issued: map[landmark.Month]bool{}, Typed: typed}
	issued, err := s.bulletins.List(r.Context(), rec.Plan.ID, time.Time{})
	if err != nil {
		return err
	}
	for _, b := range issued {
		in.Issued[b.Issue.Month] = true
	}
	return s.render(w, r, status, view.Upkeeping(view.NewUpkeepPreviewPage(page, in)))
}

// adoptRule handles POST /admin/rules: a rule whose preview was looked at.
func (s *Server) adoptRule(w http.ResponseWriter, r *http.Request) error {
	t := typedIn(r)
	if t.Form != "adopt" {
		return unknownForm()
	}
	rule, expected := t.rule(), t.whole("expected", "请先预览再采用")
	if len(t.Faults) > 0 { // nobody types these here
		return problem(http.StatusBadRequest, t.Faults[0].Message)
	}
	by, u := doer(r)
	err := s.planning.SetRule(r.Context(), by, u, t.planSlug, rule, t.text("reason"), expected, s.now())
	if err == nil {
		return s.redirect(w, r, t.withPlan("/admin/rules"), "判定规则已采用")
	}
	e := domainError(err)
	status, err := t.refused(err)
	switch {
	case err != nil:
		return err
	case e.Kind == landmark.Invalid && e.Field != "reason":
		return problem(http.StatusBadRequest, e.Message)
	}
	return s.answerPreview(w, r, status, rule, t.Typed)
}
