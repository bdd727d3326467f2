package server

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"landmark/internal/landmark"
	"landmark/internal/planning"
	"landmark/internal/store"
	"landmark/web/view"
)

// showUpkeepIndicators handles GET /admin/indicators.
func (s *Server) showUpkeepIndicators(w http.ResponseWriter, r *http.Request) error {
	rec, page, err := s.upkeep(r)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, view.Upkeeping(view.NewUpkeepIndicatorsPage(page, rec)))
}

// showUpkeepIndicator handles GET /admin/indicators/{code}.
func (s *Server) showUpkeepIndicator(w http.ResponseWriter, r *http.Request) error {
	return s.answerUpkeepIndicator(w, r, http.StatusOK, view.Typed{})
}

func (s *Server) answerUpkeepIndicator(w http.ResponseWriter, r *http.Request, status int, typed view.Typed) error {
	rec, page, err := s.upkeep(r)
	if err != nil {
		return err
	}
	code, err := pathParam(r, "code")
	if err != nil {
		return err
	}
	ind, err := rec.Plan.Indicator(code)
	if err != nil {
		return err
	}
	past, err := s.past(r, store.HistoryFilter{PlanID: rec.Plan.ID, IndicatorID: ind.ID, Act: "indicator.nature"})
	if err != nil {
		return err
	}
	in := view.UpkeepIndicator{Record: rec, Indicator: ind, Mark: planning.Mark(ind), Past: past, Typed: typed}
	return s.render(w, r, status, view.Upkeeping(view.NewUpkeepIndicatorPage(page, in)))
}

// keepIndicator handles POST /admin/indicators/{code}: what the office says of
// an indicator, one form at a time.
func (s *Server) keepIndicator(w http.ResponseWriter, r *http.Request) error {
	code, err := pathParam(r, "code")
	if err != nil {
		return err
	}
	t := typedIn(r)
	acts := map[string]struct {
		do   func(*http.Request, *typing, string) error
		said string
	}{
		"nature":     {s.setNature, "指标性质已保存"},
		"target":     {s.reviseTarget, "目标已调整"},
		"curve":      {s.setCurve, "计划曲线已保存"},
		"definition": {s.define, "口径已保存"},
		"override":   {s.override, "已改判"},
		"withdraw":   {s.withdrawOverride, "改判已撤销"},
	}
	act, ok := acts[t.Form]
	if !ok {
		return unknownForm()
	}
	if err := act.do(r, t, code); err != nil {
		status, err := t.refused(err)
		if err != nil {
			return err
		}
		return s.answerUpkeepIndicator(w, r, status, t.Typed)
	}
	if len(t.Faults) > 0 {
		return s.answerUpkeepIndicator(w, r, http.StatusUnprocessableEntity, t.Typed)
	}
	return s.redirect(w, r, t.withPlan("/admin/indicators/"+code), act.said)
}

// setNature and its like do nothing where the form itself has faults: the caller
// looks at those.
func (s *Server) setNature(r *http.Request, t *typing, code string) error {
	in := planning.Nature{Code: code, Kind: landmark.Kind(t.text("kind")), Direction: landmark.Direction(t.text("direction")), Unit: t.text("unit"),
		Decimals: t.whole("decimals", "小数位数要填0到6的整数"), Measured: landmark.Frequency(t.text("measured")), Confirmed: t.text("confirmed") == "1",
		Reason: t.text("reason"), Seen: t.text("seen")}
	in.Steps = t.steps()
	if len(t.Faults) > 0 {
		return nil
	}
	by, u := doer(r)
	return t.atStep(s.planning.SetNature(r.Context(), by, u, t.planSlug, in, s.now()))
}

// steps reads the steps of a qualitative indicator, in the order of the form.
func (t *typing) steps() []landmark.Step {
	var parts []string
	last := ""
	for i := 1; ; i++ {
		name := "step[" + strconv.Itoa(i) + "]"
		if _, ok := t.Values[name]; !ok {
			break
		}
		step := t.text(name)
		if step == "" {
			continue
		}
		if strings.ContainsAny(step, "|=") {
			t.fault(name, "步骤的名称里不要有“|”和“=”")
			return nil
		}
		parts = append(parts, step+"="+t.text(fmt.Sprintf("meaning[%d]", i)))
		last = name
	}
	steps, err := landmark.ParseSteps(strings.Join(parts, "|"))
	if err != nil {
		t.fault(last, landmark.MessageOf(err))
	}
	return steps
}

// atStep puts what is wrong with the steps beside the first of them.
func (t *typing) atStep(err error) error {
	if e := domainError(err); e != nil && e.Field == "steps" {
		return landmark.Errorf(e.Kind, "step[1]", "%s", e.Message)
	}
	return err
}

func (s *Server) reviseTarget(r *http.Request, t *typing, code string) error {
	in := planning.TargetRevision{Code: code, Text: t.text("target"), From: t.month("from", "请选择生效月份"), Basis: t.text("basis"),
		BasisOn: t.date("basis_on", "请填写文件日期"), Seen: t.text("seen")}
	if in.Text == "" { // said with the rest, not alone
		t.fault("target", "请填写新的目标值")
	}
	if in.Basis == "" {
		t.fault("basis", "请填写调整依据的文号,例如“桐政办发〔2023〕12号”")
	}
	if len(t.Faults) > 0 {
		return nil
	}
	by, u := doer(r)
	return s.planning.ReviseTarget(r.Context(), by, u, t.planSlug, in, s.now())
}

func (s *Server) setCurve(r *http.Request, t *typing, code string) error {
	in := planning.CurvePlan{Code: code, From: t.month("from", "请选择生效月份"), Basis: t.text("basis"), Seen: t.text("seen")}
	year := in.From.Year()
	for m := landmark.MonthOf(year, 1); m <= landmark.MonthOf(year, 12) && len(t.Faults) == 0; m++ {
		name := "point[" + m.String() + "]"
		text := t.text(name)
		if text == "" {
			continue
		}
		n := landmark.PrintedNumber(text)
		if !n.Valid || strings.ContainsAny(text, "%\uff05‰") {
			t.fault(name, m.Short()+"的计划值只填数字,例如 40")
			continue
		}
		in.Points = append(in.Points, landmark.CurvePoint{Month: m, Amount: n.Decimal})
	}
	if len(t.Faults) > 0 {
		return nil
	}
	by, u := doer(r)
	return s.planning.SetCurve(r.Context(), by, u, t.planSlug, in, s.now())
}

func (s *Server) define(r *http.Request, t *typing, code string) error {
	in := planning.Scope{Code: code, From: t.month("from", "请选择生效月份"), Text: t.text("definition"), Seen: t.text("seen")}
	if len(t.Faults) > 0 {
		return nil
	}
	by, u := doer(r)
	return s.planning.Define(r.Context(), by, u, t.planSlug, in, s.now())
}

func (s *Server) override(r *http.Request, t *typing, code string) error {
	o := landmark.Override{Light: landmark.Light(t.text("light")), From: t.month("from", "请选择起始月份"), Until: t.month("until", "请选择到期月份"), Reason: t.text("reason")}
	if len(t.Faults) > 0 {
		return nil
	}
	by, u := doer(r)
	return s.reporting.Override(r.Context(), by, u, t.planSlug, code, o, s.now())
}

func (s *Server) withdrawOverride(r *http.Request, t *typing, _ string) error {
	id, err := strconv.ParseInt(t.text("override"), 10, 64)
	if err != nil {
		t.fault("override", "请选择要撤销的改判")
		return nil
	}
	by, u := doer(r)
	return s.reporting.WithdrawOverride(r.Context(), by, u, t.planSlug, id, t.text("reason"), s.now())
}
