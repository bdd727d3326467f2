package server

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"landmark/internal/auth"
	"landmark/internal/landmark"
	"landmark/internal/reporting"
	"landmark/internal/store"
	"landmark/web/view"
)

// decision is what somebody decided about reports.
type decision struct {
	action string // approve, sign or return
	list   []store.Seen
	reason string
}

// parseDecision reads the form of /review and /signoff. seen[ID] is the revision
// the page showed; without it the newest is meant.
func parseDecision(form url.Values, positive string) (decision, error) {
	d := decision{action: form.Get("action"), reason: form.Get("reason")}
	if d.action != positive && d.action != "return" {
		return d, problem(http.StatusBadRequest, "只能通过或退回")
	}
	for _, text := range form["report"] {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil || id < 1 {
			return d, problem(http.StatusBadRequest, "报表的编号写得不对")
		}
		seen := store.Seen{ReportID: id}
		if text := form.Get("seen[" + text + "]"); text != "" {
			if seen.Revision, err = revision(text); err != nil {
				return d, err
			}
		}
		d.list = append(d.list, seen)
	}
	return d, nil
}

// showReview handles GET /review.
func (s *Server) showReview(w http.ResponseWriter, r *http.Request) error {
	p, err := s.queue(r, decision{})
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, view.Review(p))
}

// review handles POST /review.
func (s *Server) review(w http.ResponseWriter, r *http.Request) error {
	d, err := parseDecision(r.PostForm, "approve")
	if err != nil {
		return err
	}
	v := auth.VisitFrom(r.Context())
	var moved []store.Moved
	if d.action == "approve" {
		moved, err = s.reporting.Approve(r.Context(), v.Actor(), v.User, d.list, s.now())
	} else {
		moved, err = s.reporting.Return(r.Context(), v.Actor(), v.User, d.list, d.reason, s.now())
	}
	return s.decided(w, r, d, len(moved), err)
}

// decided answers a decision.
func (s *Server) decided(w http.ResponseWriter, r *http.Request, d decision, moved int, err error) error {
	if landmark.KindOf(err) == landmark.Conflict {
		done, doneErr := s.decidedBefore(r, d)
		if doneErr != nil {
			return doneErr
		}
		if done {
			err, moved = nil, len(d.list)
		}
	}
	switch kind := landmark.KindOf(err); {
	case err == nil:
		say := map[string]string{"approve": "已通过 %d 项", "sign": "已签核 %d 项", "return": "已退回 %d 项"}[d.action]
		return s.redirect(w, r, withQuery(r.URL.Path, decisionAsked(r)), fmt.Sprintf(say, moved))
	case kind != landmark.Invalid && kind != landmark.Conflict:
		return err
	default:
		p, pageErr := s.queue(r, d)
		if pageErr != nil {
			return pageErr
		}
		p.FaultTitle = "错误:这次没有改动"
		status := http.StatusConflict
		fault := view.Fault{Message: landmark.MessageOf(err)}
		if kind == landmark.Invalid {
			status = http.StatusUnprocessableEntity
			for _, cards := range [][]view.ReviewCard{p.Cards, p.Unsigned} {
				for i := range cards {
					if cards[i].Reason == "" && !cards[i].Open {
						continue
					}
					if d.action == "return" && slices.ContainsFunc(cards[i].Rows, func(row view.ReviewRow) bool { return row.Checked }) {
						fault.Field, cards[i].Fault = "reason-"+cards[i].Department.Slug, fault.Message
					}
				}
			}
		}
		p.Faults = []view.Fault{fault}
		return s.render(w, r, status, view.Review(p))
	}
}

// decidedBefore says whether the same person has decided just this already: the
// same form sent twice has one effect and one answer.
func (s *Server) decidedBefore(r *http.Request, d decision) (bool, error) {
	to := map[string]landmark.State{"approve": landmark.StateApproved, "sign": landmark.StateSigned, "return": landmark.StateReturned}[d.action]
	heads, err := s.store.Heads(r.Context(), d.list)
	if err != nil {
		return false, err
	}
	by := auth.VisitFrom(r.Context()).Actor().Name
	revisions := map[int64]int{}
	for _, v := range d.list {
		revisions[v.ReportID] = v.Revision
	}
	for _, h := range heads {
		if h.State != to || h.StateBy != by || revisions[h.ReportID] != h.Revision {
			return false, nil
		}
	}
	return len(heads) > 0 && len(heads) == len(revisions), nil
}

// decisionAsked are the plan and month of the queue, in the address or, as a
// program may send them, in the form.
func decisionAsked(r *http.Request) url.Values {
	out := url.Values{}
	for _, name := range []string{"plan", "month"} {
		for _, v := range []string{r.PostForm.Get(name), r.URL.Query().Get(name)} {
			if v != "" {
				out.Set(name, v)
			}
		}
	}
	return out
}

// queue is the page of what waits. With a decision that was refused, what was
// ticked and typed stands in it again.
func (s *Server) queue(r *http.Request, d decision) (view.ReviewPage, error) {
	plain := *r
	plain.URL = &url.URL{Path: r.URL.Path, RawQuery: decisionAsked(r).Encode()}
	q, err := s.asked(&plain)
	if err != nil {
		return view.ReviewPage{}, err
	}
	u := auth.VisitFrom(r.Context()).User
	month := q.month
	if month.IsZero() {
		rec, err := s.store.Record(r.Context(), q.plan, time.Time{}, s.now(), s.zone)
		if err != nil {
			return view.ReviewPage{}, err
		}
		month = reviewMonth(rec)
	}
	queue, err := s.reporting.Queue(r.Context(), u, q.plan, month, s.now())
	if err != nil {
		return view.ReviewPage{}, err
	}
	page, err := s.page(r, queue.Record, month, "审核 "+month.Chinese()+"报送")
	if err != nil {
		return view.ReviewPage{}, err
	}
	if r.Method == http.MethodPost {
		page.Path, page.Query = r.URL.Path, decisionAsked(r)
	}
	return reviewModel(page, queue, u, d), nil
}

// reviewMonth is the newest month open for reports: the one that is coming in.
func reviewMonth(r *landmark.Record) landmark.Month {
	month := r.Plan.FirstMonth()
	for _, m := range r.Plan.Months() {
		if r.Period(m).Opens.Compare(r.Today()) <= 0 {
			month = m
		}
	}
	return month
}

// reviewModel lays the queue out.
func reviewModel(page view.Page, q reporting.Queue, u landmark.User, d decision) view.ReviewPage {
	page.Body, page.Wide = "page-review", true
	p := view.ReviewPage{Page: page, Heading: "审核 " + q.Month.Chinese() + "报送", Empty: "没有等待审核的报送。", Chase: []view.Field{
		{Name: "plan", Value: q.Record.Plan.Slug}, {Name: "month", Value: q.Month.String()}}}
	p.Action = withQuery("/review", decisionQuery(page, q.Month))
	p.Sub = fmt.Sprintf("%d 个牵头部门 · 截止 %s 24:00", len(q.Record.Plan.LeadDepartments()), q.Record.Period(q.Month).Due.Short())
	button, value := "审核通过", "approve"
	if !u.CanReview() {
		p.SignOff, p.Heading, p.Title = true, "签核 "+q.Month.Chinese()+"报送", "签核 "+q.Month.Chinese()+"报送"
		p.Action, p.Empty = withQuery("/signoff", decisionQuery(page, q.Month)), "没有等待签核的报送。"
		p.Sub = u.Department.Name + "负责人签核后,报送才到市府办审核"
		if !signs(q.Record, u.DepartmentID) {
			p.Sub = u.Department.Name + "没有启用负责人签核:填报员提交后由市府办直接审核"
		}
		button, value = "签核通过", "sign"
	}
	for i, department := range q.Waiting {
		card := reviewCard(q, department, d)
		card.Approve, card.Value = button, value
		card.Open = card.Open || i == 0
		for _, row := range card.Rows {
			if !row.Own {
				p.All = append(p.All, row.ReviewSeen)
			}
		}
		p.Cards = append(p.Cards, card)
	}
	for _, department := range q.Unsigned {
		p.Unsigned = append(p.Unsigned, reviewCard(q, department, d))
	}
	for _, e := range q.Elsewhere {
		p.Elsewhere = append(p.Elsewhere, view.Link{Text: fmt.Sprintf("%s %d 项", e.Month.Short(), e.Count), Href: page.With("month", e.Month.String())})
	}
	owed := 0
	for _, v := range q.Missing {
		owed += len(v.Owed)
		p.Missing = append(p.Missing, missRow(q, v))
	}
	p.MissNote = fmt.Sprintf("%d 个部门,%d 项", len(q.Missing), owed)
	for _, v := range q.Passed {
		p.Passed = append(p.Passed, view.PassRow{Department: v.Department, Sub: fmt.Sprintf("%s · %s", projectNumbers(v.Projects), view.Day(v.At.In(q.Record.Zone)))})
	}
	if !p.SignOff {
		p.Bar = []view.DepartmentCount{{Key: "none", Icon: "none", Text: "未报齐", Count: len(q.Missing)},
			{Key: "wait", Icon: "half", Text: "待审核", Count: len(q.Waiting)}, {Key: "pass", Icon: "done", Text: "已通过", Count: len(q.Passed)}}
		if n := len(q.Unsigned); n > 0 {
			p.Bar = slices.Insert(p.Bar, 1, view.DepartmentCount{Key: "wait", Icon: "half", Text: "待签核", Count: n})
		}
		if idle := owesNothing(q.Record, q.Month); len(idle) > 0 {
			p.Sub += fmt.Sprintf(" · %s本月不用报", strings.Join(idle, "、"))
		}
	}
	return p
}

// owesNothing are the lead departments none of whose indicators is due in a month,
// so that the counts of departments add up.
func owesNothing(r *landmark.Record, m landmark.Month) []string {
	var names []string
	for _, d := range r.Plan.LeadDepartments() {
		owes := slices.ContainsFunc(r.Plan.Led(d.ID), func(p *landmark.Project) bool {
			return slices.ContainsFunc(p.Indicators, func(ind *landmark.Indicator) bool { return r.Plan.Owes(ind, m) })
		})
		if !owes {
			names = append(names, d.Name)
		}
	}
	return names
}

func signs(r *landmark.Record, departmentID int64) bool {
	for _, d := range r.Plan.LeadDepartments() {
		if d.ID == departmentID {
			return d.SignOffRequired
		}
	}
	return false
}

func decisionQuery(p view.Page, m landmark.Month) url.Values {
	q := url.Values{"month": {m.String()}}
	if plan := p.Query.Get("plan"); plan != "" {
		q.Set("plan", plan)
	}
	return q
}

// projectNumbers is 项目 4、9.
func projectNumbers(list []*landmark.Project) string {
	var parts []string
	for _, p := range list {
		parts = append(parts, strconv.Itoa(p.Number))
	}
	return "项目 " + strings.Join(parts, "、")
}

// reviewCard lays out what one department sent.
func reviewCard(q reporting.Queue, department reporting.QueueDepartment, d decision) view.ReviewCard {
	c := view.ReviewCard{Department: department.Department, Flags: department.Attention,
		Meta: fmt.Sprintf("%s · %d 项 · %s %s报", projectNumbers(department.Projects), len(department.Items), view.Clock(department.SentAt.In(q.Record.Zone)), department.SentBy)}
	for _, item := range department.Items {
		row := view.NewReviewRow(item.Would, item.Before, item.Change)
		row.ReviewSeen = view.ReviewSeen{ID: strconv.FormatInt(item.Report.ID, 10), Revision: strconv.Itoa(item.Report.Revision)}
		row.Note, row.Own = item.Report.Note, item.Own
		row.Checked = !item.Own
		if d.action != "" {
			row.Checked = slices.ContainsFunc(d.list, func(v store.Seen) bool { return v.ReportID == item.Report.ID })
			if row.Checked {
				c.Open, c.Reason = true, d.reason
			}
		}
		row.Flags = reviewFlags(item)
		for _, e := range item.Evidence {
			row.Files = append(row.Files, reportFile(e))
		}
		c.Rows = append(c.Rows, row)
	}
	return c
}

// reviewFlags are what a reviewer should look at.
func reviewFlags(item reporting.QueueItem) []string {
	var out []string
	if item.Approved != nil {
		out = append(out, "更正:原核定值 "+view.ValueText(item.Approved))
	} else if item.Report.Correction {
		out = append(out, "锁定后补报")
	}
	out = append(out, item.Findings...)
	if item.Report.Reason != "" {
		out = append(out, "部门说明原因:"+item.Report.Reason)
	}
	if item.Unchanged > 1 {
		out = append(out, fmt.Sprintf("连续 %d 个月未变", item.Unchanged))
	}
	if item.Own {
		out = append(out, "您自己提交的,要由别人审核")
	}
	return out
}

func missRow(q reporting.Queue, v reporting.QueueMissing) view.MissRow {
	row := view.MissRow{Department: v.Department, Sub: fmt.Sprintf("%s · %d 项", projectNumbers(v.Projects), len(v.Owed)), Late: v.Due.Short() + "截止"}
	if !v.LastMonth.IsZero() {
		row.Sub += fmt.Sprintf(" · %s报于 %s", (q.Month - 1).Short(), view.Day(v.LastMonth.In(q.Record.Zone)))
	}
	if v.LateDays > 0 {
		row.Late = fmt.Sprintf("逾期 %d 天", v.LateDays)
	}
	if n := len(v.Chases); n > 0 {
		row.Chased = fmt.Sprintf("已催 %d 次", n)
	}
	return row
}

// chase handles POST /review/chase: a reminder to one department or several. One
// sent a moment ago is not sent again.
func (s *Server) chase(w http.ResponseWriter, r *http.Request) error {
	m, err := landmark.ParseMonth(r.PostFormValue("month"))
	if err != nil {
		return err
	}
	v := auth.VisitFrom(r.Context())
	chased, err := s.reporting.Chase(r.Context(), v.Actor(), v.User, r.PostFormValue("plan"), r.PostForm["department"], m, s.now())
	if err != nil {
		return err
	}
	names := func(list []landmark.Department) string {
		var out []string
		for _, d := range list {
			out = append(out, d.Name)
		}
		return strings.Join(out, "、")
	}
	var said []string
	if len(chased.Sent) > 0 {
		said = append(said, "已催报"+names(chased.Sent))
	}
	if len(chased.Already) > 0 {
		said = append(said, names(chased.Already)+"一分钟内已经催报过,没有重复发送")
	}
	back := localPath(r.Referer(), r.Host)
	if r.Referer() == "" {
		back = "/review?month=" + m.String()
	}
	return s.redirect(w, r, back, strings.Join(said, ";"))
}
