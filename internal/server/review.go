package server

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"landmark/internal/auth"
	"landmark/internal/landmark"
	"landmark/internal/reporting"
	"landmark/internal/store"
	"landmark/web/view"
)

// maxDecisions is how many reports one form may decide on.
const maxDecisions = 500

// showReview handles GET /review.
func (s *Server) showReview(w http.ResponseWriter, r *http.Request) error {
	return s.reviewPage(w, r, http.StatusOK, false, view.ReviewPage{}, r.URL.Query())
}

// showSignOff handles GET /signoff.
func (s *Server) showSignOff(w http.ResponseWriter, r *http.Request) error {
	return s.reviewPage(w, r, http.StatusOK, true, view.ReviewPage{}, r.URL.Query())
}

// review handles POST /review: approve or return the reports chosen.
func (s *Server) review(w http.ResponseWriter, r *http.Request) error {
	return s.decide(w, r, false, "approve")
}

// signOff handles POST /signoff: sign or return the reports chosen.
func (s *Server) signOff(w http.ResponseWriter, r *http.Request) error {
	return s.decide(w, r, true, "sign")
}

func (s *Server) decide(w http.ResponseWriter, r *http.Request, leader bool, yes string) error {
	v := auth.VisitFrom(r.Context())
	list, err := seenReports(r.PostForm)
	if err != nil {
		return err
	}
	var moved []store.Moved
	did := ""
	switch action, now := r.PostForm.Get("action"), s.now(); {
	case action == "return":
		did = "退回"
		moved, err = s.reporting.Return(r.Context(), v.Actor(), v.User, list, r.PostForm.Get("reason"), now)
	case action == yes && leader:
		did = "签核"
		moved, err = s.reporting.SignOff(r.Context(), v.Actor(), v.User, list, now)
	case action == yes:
		did = "通过"
		moved, err = s.reporting.Approve(r.Context(), v.Actor(), v.User, list, now)
	default:
		return problem(http.StatusBadRequest, "不明白要通过还是退回,请用页面上的按钮")
	}
	if e, ok := errors.AsType[*landmark.Error](err); ok && (e.Kind == landmark.Invalid || e.Kind == landmark.Conflict) {
		status := http.StatusUnprocessableEntity
		if e.Kind == landmark.Conflict {
			status = http.StatusConflict
		}
		of := r.PostForm.Get("department")
		fault := view.Fault{Field: e.Field, Message: e.Message}
		p := view.ReviewPage{Title2: "没有改动,请看下面的原因", Reason: r.PostForm.Get("reason"), Of: of}
		if e.Field == "reason" && of != "" {
			p.Faults = []view.Fault{{Field: "reason", Message: e.Message}}
		} else {
			fault.Field = ""
			p.Faults = []view.Fault{fault}
		}
		return s.reviewPage(w, r, status, leader, p, r.PostForm)
	}
	if err != nil {
		return err
	}
	to := "/review"
	if leader {
		to = "/signoff"
	}
	return s.redirect(w, r, backTo(to, r.PostForm), fmt.Sprintf("已%s %d 项", did, len(moved)))
}

// backTo is a page's address for the plan and month of a form.
func backTo(path string, form url.Values) string {
	q := url.Values{}
	for _, k := range []string{"plan", "month"} {
		if v := form.Get(k); v != "" {
			q.Set(k, v)
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// seenReports are the reports a form decides on, each at the revision its page
// showed where the form says so.
func seenReports(form url.Values) ([]store.Seen, error) {
	ids := form["report"]
	if len(ids) > maxDecisions {
		return nil, problem(http.StatusBadRequest, fmt.Sprintf("一次最多处理%d项", maxDecisions))
	}
	list := make([]store.Seen, 0, len(ids))
	for _, text := range ids {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil || id < 1 {
			return nil, problem(http.StatusBadRequest, "报送的编号不对,请刷新页面后再试")
		}
		seen := store.Seen{ReportID: id}
		if text := form.Get("seen[" + text + "]"); text != "" {
			n, err := strconv.ParseInt(text, 10, 32)
			if err != nil || n < 1 {
				return nil, problem(http.StatusBadRequest, "报送的版本不对,请刷新页面后再试")
			}
			seen.Revision = int(n)
		}
		list = append(list, seen)
	}
	return list, nil
}

// chase handles POST /review/chase: remind a department of a month.
func (s *Server) chase(w http.ResponseWriter, r *http.Request) error {
	v := auth.VisitFrom(r.Context())
	m, err := landmark.ParseMonth(r.PostForm.Get("month"))
	if err != nil {
		return problem(http.StatusBadRequest, landmark.MessageOf(err))
	}
	if err := s.reporting.Chase(r.Context(), v.Actor(), v.User, r.PostForm.Get("plan"), r.PostForm.Get("department"), m, s.now()); err != nil {
		return err
	}
	to := localPath(r.Referer(), r.Host) // the overview has the same button
	if r.Referer() == "" {
		to = backTo("/review", r.PostForm)
	}
	return s.redirect(w, r, to, "已催报,对方下次登录会看到")
}

// reviewPage shows the queue of the plan and month asked for; p says what was
// refused.
func (s *Server) reviewPage(w http.ResponseWriter, r *http.Request, status int, leader bool, p view.ReviewPage, asked url.Values) error {
	v := auth.VisitFrom(r.Context())
	rec, err := s.store.Record(r.Context(), asked.Get("plan"), time.Time{}, s.now(), s.zone)
	if err != nil {
		return err
	}
	month := rec.NewestDue()
	if text := asked.Get("month"); text != "" {
		if month, err = landmark.ParseMonth(text); err != nil {
			return problem(http.StatusBadRequest, landmark.MessageOf(err))
		}
	}
	q, err := s.reporting.Queue(r.Context(), v.User, rec.Plan.Slug, month, s.now())
	if err != nil {
		return err
	}
	title := "审核 " + month.Chinese() + "报送"
	if leader {
		title = "签核 " + month.Chinese() + "报送"
	}
	frame, err := s.page(r, q.Record, month, title)
	if err != nil {
		return err
	}
	frame.Body, frame.Wide = "page-review", true
	frame.Path, frame.Query = "/review", url.Values{"plan": {rec.Plan.Slug}, "month": {month.String()}}
	if leader {
		frame.Path = "/signoff"
	}
	p.Page, p.SignOff, p.Heading = frame, leader, title
	p.Sub = fmt.Sprintf("%d 个牵头部门 · %s截止", len(q.Record.Plan.LeadDepartments()), q.Record.Period(month).Due.Short())
	s.fillReview(&p, q)
	return s.render(w, r, status, view.Review(p))
}

// fillReview turns the workflow's queue into the page's.
func (s *Server) fillReview(p *view.ReviewPage, q reporting.Queue) {
	for i, d := range q.Waiting {
		out := view.ReviewDepartment{Department: d.Department, Attention: d.Attention, Open: i == 0 || p.Of == d.Department.Slug,
			Meta: fmt.Sprintf("%s · %d 项 · %s", view.ProjectNumbers(d.Projects), len(d.Items), view.SentLine(d.SentAt, d.SentBy, s.zone))}
		for _, item := range d.Items {
			in := view.ReviewInput{Indicator: item.Indicator, Report: item.Report, Before: item.Before, Approved: item.Approved, Change: item.Change,
				Unchanged: item.Unchanged, NoChange: item.NoChange, Would: item.Would, Findings: item.Findings, Own: item.Own}
			for _, f := range item.Evidence {
				in.Evidence = append(in.Evidence, view.ReviewFile{ID: f.ID, Name: f.Name, Size: view.FileSize(f.Size)})
			}
			out.Items = append(out.Items, view.NewReviewItem(in))
		}
		p.Waiting = append(p.Waiting, out)
	}
	for _, d := range q.Unsigned {
		p.Unsigned = append(p.Unsigned, d.Department.Name)
	}
	for _, e := range q.Elsewhere {
		p.Elsewhere = append(p.Elsewhere, view.ReviewMonth{Month: e.Month, Count: e.Count})
	}
	for _, m := range q.Missing {
		out := view.ReviewMissing{Department: m.Department, Meta: fmt.Sprintf("%s · %d 项", view.ProjectNumbers(m.Projects), len(m.Owed)), Late: m.Due.Short() + "截止"}
		if m.LateDays > 0 {
			out.Late = fmt.Sprintf("逾期 %d 天", m.LateDays)
		}
		if n := len(m.Chases); n > 0 {
			out.Chased = fmt.Sprintf(",已催 %d 次", n)
		}
		p.Missing = append(p.Missing, out)
	}
	for _, d := range q.Passed {
		p.Passed = append(p.Passed, view.ReviewPassed{Department: d.Department,
			Meta: view.ProjectNumbers(d.Projects) + " · " + view.Day(d.At.In(s.zone))})
	}
}
