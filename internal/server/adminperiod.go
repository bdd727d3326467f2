package server

import (
	"net/http"
	"strings"

	"landmark/internal/landmark"
	"landmark/internal/store"
	"landmark/web/view"
)

// showUpkeepPeriods handles GET /admin/periods, with edit the month whose dates
// the form shows.
func (s *Server) showUpkeepPeriods(w http.ResponseWriter, r *http.Request) error {
	return s.answerUpkeepPeriods(w, r, http.StatusOK, view.Typed{})
}

func (s *Server) answerUpkeepPeriods(w http.ResponseWriter, r *http.Request, status int, typed view.Typed) error {
	rec, page, err := s.upkeep(r)
	if err != nil {
		return err
	}
	edit := min(page.Month+1, rec.Plan.LastMonth())
	text := r.URL.Query().Get("edit")
	if typed.Form == "period" {
		text = typed.Values["month"]
	}
	if text != "" {
		if edit, err = landmark.ParseMonth(text); err != nil {
			return problem(http.StatusBadRequest, landmark.MessageOf(err))
		}
	}
	if first, last := rec.Plan.FirstMonth(), rec.Plan.LastMonth(); edit < first || edit > last {
		return landmark.Errorf(landmark.NotFound, "month", "这个方案没有%s的报送,只有%s到%s", edit.Chinese(), first.Chinese(), last.Chinese())
	}
	in := view.UpkeepPeriods{Record: rec, Edit: edit, Typed: typed}
	for _, act := range []string{"period.set", "extension.grant"} {
		past, err := s.past(r, store.HistoryFilter{PlanID: rec.Plan.ID, Act: act})
		if err != nil {
			return err
		}
		in.Past = append(in.Past, past...)
	}
	return s.render(w, r, status, view.Upkeeping(view.NewUpkeepPeriodsPage(page, in)))
}

// keepPeriods handles POST /admin/periods: a month's dates, or more time for one
// department.
func (s *Server) keepPeriods(w http.ResponseWriter, r *http.Request) error {
	t := typedIn(r)
	var err error
	said := "报送日期已保存"
	switch t.Form {
	case "period":
		err = s.movePeriod(r, t)
	case "extension":
		said = "已延期"
		err = s.extend(r, t)
	default:
		return unknownForm()
	}
	if err != nil {
		status, err := t.refused(err)
		if err != nil {
			return err
		}
		return s.answerUpkeepPeriods(w, r, status, t.Typed)
	}
	if len(t.Faults) > 0 {
		return s.answerUpkeepPeriods(w, r, http.StatusUnprocessableEntity, t.Typed)
	}
	return s.redirect(w, r, t.withPlan("/admin/periods"), said)
}

func (s *Server) movePeriod(r *http.Request, t *typing) error {
	m, err := landmark.ParseMonth(t.text("month"))
	if err != nil { // not typed, but part of the form
		return problem(http.StatusBadRequest, landmark.MessageOf(err))
	}
	p := landmark.Period{Month: m, Opens: t.date("opens", "请填写开放日"), Due: t.date("due", "请填写截止日"), Grace: t.date("grace", "请填写宽限日"), Lock: t.date("lock", "请填写锁定日")}
	seen, err := parsePeriod(m, t.text("seen"))
	if err != nil {
		return err
	}
	if t.text("reason") == "" {
		t.fault("reason", "请写明为什么调整日期,例如“国庆假期顺延”")
	}
	if len(t.Faults) > 0 {
		return nil
	}
	by, u := doer(r)
	return s.reporting.MovePeriod(r.Context(), by, u, t.planSlug, seen, p, t.text("reason"), s.now())
}

// parsePeriod reads what view.PeriodText wrote; nothing is the zero period.
func parsePeriod(m landmark.Month, text string) (landmark.Period, error) {
	p := landmark.Period{Month: m}
	if text == "" {
		return landmark.Period{}, nil
	}
	days := []*landmark.Date{&p.Opens, &p.Due, &p.Grace, &p.Lock}
	parts := strings.Fields(text)
	if len(parts) != len(days) {
		return p, problem(http.StatusBadRequest, "表单里没有原来的日期,请重新打开这一页")
	}
	for i, part := range parts {
		d, err := landmark.ParseDate(part)
		if err != nil {
			return p, problem(http.StatusBadRequest, "表单里没有原来的日期,请重新打开这一页")
		}
		*days[i] = d
	}
	return p, nil
}

func (s *Server) extend(r *http.Request, t *typing) error {
	m, due := t.month("month", "请选择月份"), t.date("due", "请填写延到哪一天")
	if t.text("department") == "" {
		t.fault("department", "请选择部门")
	}
	if len(t.Faults) > 0 {
		return nil
	}
	by, u := doer(r)
	return s.reporting.Extend(r.Context(), by, u, t.planSlug, t.text("department"), m, due, t.text("reason"), s.now())
}
