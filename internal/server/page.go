package server

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/a-h/templ"

	"landmark/internal/auth"
	"landmark/internal/landmark"
	"landmark/internal/store"
	"landmark/web/view"
)

// pages are buffers that pages are made in.
var pages = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// render writes a page once it is whole: a component that fails leaves no half
// of one behind.
func (s *Server) render(w http.ResponseWriter, r *http.Request, status int, c templ.Component) error {
	page := pages.Get().(*bytes.Buffer)
	defer pages.Put(page)
	page.Reset()
	if err := c.Render(r.Context(), page); err != nil {
		return fmt.Errorf("render: %w", err)
	}
	if flash, err := r.Cookie(s.flashCookie()); err == nil && flash.Value != "" {
		s.setCookie(w, s.flashCookie(), "", -1) // said once
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(page.Bytes()) // the visitor has gone: nobody to tell
	return nil
}

// redirect answers a write that succeeded. flash is said on the next page.
func (s *Server) redirect(w http.ResponseWriter, r *http.Request, to, flash string) error {
	if flash != "" {
		s.setCookie(w, s.flashCookie(), base64.RawURLEncoding.EncodeToString([]byte(flash)), 60)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// Cookies besides the session's. The flash is not kept in the session: saving
// that could fail after what it tells of has been done.
func (s *Server) flashCookie() string { return s.cookieName("landmark-said") }
func (s *Server) themeCookie() string { return s.cookieName("landmark-theme") }

func (s *Server) cookieName(name string) string {
	if s.secure() {
		return "__Host-" + name
	}
	return name
}

func (s *Server) setCookie(w http.ResponseWriter, name, value string, seconds int) {
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: seconds, HttpOnly: true, Secure: s.secure(), SameSite: http.SameSiteLaxMode})
}

// themeOf is the theme the visitor chose: light, dark, or "" for the system's.
func (s *Server) themeOf(r *http.Request) string {
	if c, err := r.Cookie(s.themeCookie()); err == nil && (c.Value == "light" || c.Value == "dark") {
		return c.Value
	}
	return ""
}

func (s *Server) flash(r *http.Request) string {
	c, err := r.Cookie(s.flashCookie())
	if err != nil {
		return ""
	}
	b, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil || len(b) > 1000 {
		return ""
	}
	return strings.ToValidUTF8(string(b), "")
}

// question is what a page was asked to show.
type question struct {
	plan  string         // slug; empty: the newest
	month landmark.Month // zero: the newest month that is due
	asOf  time.Time      // zero: now
}

// asked reads ?plan=, ?month= and ?as_of= of any page.
func (s *Server) asked(r *http.Request) (question, error) {
	query := r.URL.Query()
	q := question{plan: query.Get("plan")}
	if text := query.Get("month"); text != "" {
		m, err := landmark.ParseMonth(text)
		if err != nil {
			return question{}, problem(http.StatusBadRequest, landmark.MessageOf(err))
		}
		q.month = m
	}
	if text := query.Get("as_of"); text != "" {
		at, err := s.parseMoment(text)
		if err != nil {
			return question{}, err
		}
		q.asOf = at
	}
	return q, nil
}

// parseMoment reads a moment as people write it in the city's zone, to the
// minute or second, or as RFC 3339 with a zone of its own.
func (s *Server) parseMoment(text string) (time.Time, error) {
	// The plus of an offset arrives as a space where it was not escaped.
	if day, clock, ok := strings.Cut(text, "T"); ok {
		text = day + "T" + strings.Replace(clock, " ", "+", 1)
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02T15:04Z07:00", time.RFC3339} {
		at, err := time.ParseInLocation(layout, text, s.zone)
		if err != nil {
			continue
		}
		if at.After(s.now()) {
			return time.Time{}, problem(http.StatusBadRequest, "只能查看过去的样子,不能查看将来的时间")
		}
		return at, nil
	}
	return time.Time{}, problem(http.StatusBadRequest, "时间要写成“2023-10-12T09:30”的样子")
}

// record reads what a page was asked for, as far as the visitor may see it.
func (s *Server) record(r *http.Request) (*landmark.Record, landmark.Month, error) {
	q, err := s.asked(r)
	if err != nil {
		return nil, 0, err
	}
	rec, err := s.store.Record(r.Context(), q.plan, q.asOf, s.now(), s.zone)
	if err != nil {
		return nil, 0, err
	}
	month := q.month
	if month.IsZero() {
		month = rec.NewestDue()
	}
	// Months of the year before the plan was published owe nothing, and say so.
	if first, last := landmark.MonthOf(rec.Plan.Year, 1), rec.Plan.LastMonth(); month < first || month > last {
		return nil, 0, landmark.Errorf(landmark.NotFound, "month", "这个方案没有%s,只有%s到%s", month.Chinese(), first.Chinese(), last.Chinese())
	}
	return visibleTo(auth.VisitFrom(r.Context()).User, rec), month, nil
}

// bare is what every page shows that needs nothing from the database.
func (s *Server) bare(r *http.Request, title string) view.Page {
	v := auth.VisitFrom(r.Context())
	p := view.Page{
		Title: title, Home: s.base.Scheme + "://" + s.base.Host, Path: r.URL.Path, Query: shown(r.URL.Query()),
		User: v.User, CanChase: v.User.CanReview(), Demo: s.demo, PrintedAt: s.now().In(s.zone), Flash: s.flash(r), RequestID: v.RequestID,
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		// The answer to a form stands at an address that cannot be asked for:
		// links to "this page" lead to the one the form stood on.
		p.Path, p.Query = "/", nil
		if from, err := url.Parse(localPath(r.Referer(), r.Host)); err == nil {
			p.Path, p.Query = from.Path, shown(from.Query())
		}
	}
	if state, readOnly := store.ReadsStandby(r.Context()); readOnly {
		at := state.DataAt.In(s.zone)
		p.ReadOnly = &at
	}
	p.Theme = s.themeOf(r)
	if many := forManyFrom(r.Context()); many != nil {
		p.Blanks = many.blanks
	}
	if v.User.SignedIn() && !v.User.MustChange && !v.MustEnrol {
		p.Nav = s.nav(r, p)
		p.Hears = rules[RightMember].may(v.User)
	}
	return p
}

// shown are the parameters links of a page keep. A form's own are not among
// them: they must not travel in an address.
func shown(q url.Values) url.Values {
	kept := url.Values{}
	for k, vs := range q {
		if k != "next" && len(vs) == 1 {
			kept[k] = vs
		}
	}
	return kept
}

// nav is the main navigation as far as the visitor may go.
func (s *Server) nav(r *http.Request, p view.Page) []view.NavItem {
	u := auth.VisitFrom(r.Context()).User
	var items []view.NavItem
	for _, n := range s.menu() {
		if !rules[n.right].may(u) {
			continue
		}
		below := n.below
		if below == "" {
			below = n.path + "/"
		}
		items = append(items, view.NavItem{Label: n.label, Href: p.To(n.path), Star: n.star,
			Current: r.URL.Path == n.path, Here: strings.HasPrefix(r.URL.Path, below) && n.path != "/"})
	}
	return items
}

// menuItem is an entry of the main navigation.
type menuItem struct {
	label, path string
	below       string // addresses that belong to it, by default those under path
	star        bool
	right       Right
}

// menu is the main navigation, each entry with the right of its route.
func (s *Server) menu() []menuItem {
	return []menuItem{
		{label: "总览", path: "/", right: RightRead},
		{label: "关键指标", path: "/key", star: true, right: RightRead},
		{label: "项目", path: "/projects/1", below: "/projects/", right: RightRead},
		{label: "任务", path: "/tasks", right: RightRead},
		{label: "场景", path: "/scenarios", right: RightRead},
		{label: "部门", path: "/departments", right: RightRead},
		{label: "部门报送", path: "/reports", right: RightForm},
		{label: "签核", path: "/signoff", right: RightLead},
		{label: "审核", path: "/review", right: RightOffice},
		{label: "总表", path: "/matrix", right: RightRead},
		{label: "通报", path: "/bulletins", right: RightRead},
		{label: "记录", path: "/history", right: RightMember},
		{label: "管理", path: "/admin", right: RightOffice},
		{label: "大屏", path: "/screen", right: RightRead},
	}
}

// maxPlanChoices is how many plans the selector offers, newest first; the page's
// own is always among them.
const maxPlanChoices = 30

// page is what a page of a plan shows around its content.
func (s *Server) page(r *http.Request, rec *landmark.Record, month landmark.Month, title string) (view.Page, error) {
	p := s.bare(r, title)
	p.Plan, p.Month, p.Rule = rec.Plan, month, rec.Plan.Rule(month)
	p.Nav = waitingIn(p.Nav, rec, p.User)
	p.Demo = p.Demo || rec.Plan.Demo
	if !rec.AsOf.IsZero() && r.URL.Query().Get("as_of") != "" {
		at := rec.AsOf.In(s.zone)
		p.AsOf = &at
	}
	if month < rec.Plan.FirstMonth() {
		p.Months = append(p.Months, view.MonthChoice{Month: month, Note: "公布前"})
	}
	for _, m := range rec.Plan.Months() {
		choice := view.MonthChoice{Month: m}
		if rec.Period(m).Due.Compare(rec.Today()) >= 0 {
			choice.Note = "未到期"
		}
		p.Months = append(p.Months, choice)
	}
	plans, err := s.store.PlanNames(r.Context(), maxPlanChoices)
	if err != nil {
		return view.Page{}, err
	}
	if err := s.tell(r, &p); err != nil {
		return view.Page{}, err
	}
	listed := false
	for _, h := range plans {
		p.Plans = append(p.Plans, view.PlanChoice{Slug: h.Slug, Label: h.Title})
		listed = listed || h.Slug == rec.Plan.Slug
	}
	if !listed {
		p.Plans = append(p.Plans, view.PlanChoice{Slug: rec.Plan.Slug, Label: rec.Plan.Title})
	}
	return p, nil
}

// tell fills in what waits for the visitor; on a page made for many it is left blank.
func (s *Server) tell(r *http.Request, p *view.Page) (err error) {
	if many := forManyFrom(r.Context()); many != nil {
		many.plan = p.Plan.ID
		return nil
	}
	if p.Reminders, err = s.reminders(r, p.Plan.ID, p.User); err == nil && p.Hears {
		p.Unseen, err = s.store.UnseenNotices(r.Context(), p.User)
	}
	return err
}

// board is a page's whole month, judged, with what stands around it.
func (s *Server) board(r *http.Request, title string) (view.Page, landmark.Board, error) {
	rec, month, err := s.record(r)
	if err != nil {
		return view.Page{}, landmark.Board{}, err
	}
	p, err := s.page(r, rec, month, title)
	return p, rec.Board(month), err
}

// localPath is the path and query of an address of ours, "/" for any other. A
// browser reads \ as / and skips control characters, so neither may be there.
func localPath(address, host string) string {
	u, err := url.Parse(address)
	if err != nil || strings.ContainsRune(address, '\\') || strings.ContainsFunc(address, unicode.IsControl) {
		return "/"
	}
	if u.Host != "" && u.Host != host || u.Host == "" && u.Scheme != "" || u.User != nil {
		return "/"
	}
	if !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(u.Path, "//") {
		return "/"
	}
	if u.Path == "/login" || strings.HasPrefix(u.Path, "/login/") || u.Path == "/logout" || u.Path == "/theme" { // these lead nowhere
		return "/"
	}
	return (&url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery}).String()
}

// faults are the mistakes an error tells of, for the page that shows the form
// again. An error of another kind is given back.
func faults(err error) ([]view.Fault, error) {
	e, ok := errors.AsType[*landmark.Error](err)
	if !ok || e.Kind != landmark.Invalid {
		return nil, err
	}
	return []view.Fault{{Field: e.Field, Message: e.Message}}, nil
}

// waitingIn counts what waits for the visitor, beside the entry that leads there.
func waitingIn(nav []view.NavItem, rec *landmark.Record, u landmark.User) []view.NavItem {
	for i, item := range nav {
		path, _, _ := strings.Cut(item.Href, "?")
		if path != "/review" && path != "/signoff" {
			continue
		}
		departments := map[int64]bool{}
		for _, ind := range rec.Plan.Indicators() {
			lead := ind.Project.Lead
			for _, report := range rec.Reports[ind.ID] {
				ready := report.State == landmark.StateSigned || report.State == landmark.StateSubmitted && !lead.SignOffRequired
				if path == "/signoff" {
					ready = report.State == landmark.StateSubmitted && lead.SignOffRequired && u.CanSignOff(lead.ID)
				}
				if ready {
					departments[lead.ID] = true
				}
			}
		}
		nav[i].Count = len(departments)
	}
	return nav
}

// reminders are the office's chases that the visitor has not seen. The form they
// are about shows them and marks them as seen.
func (s *Server) reminders(r *http.Request, plan int64, u landmark.User) ([]view.Reminder, error) {
	if !u.CanReport(u.DepartmentID) && !u.CanSignOff(u.DepartmentID) || strings.HasPrefix(r.URL.Path, "/reports/") {
		return nil, nil
	}
	list, err := s.store.Reminders(r.Context(), plan, u.DepartmentID, u.ID)
	if err != nil {
		return nil, err
	}
	var out []view.Reminder
	for _, c := range list {
		out = append(out, view.Reminder{Say: fmt.Sprintf("%s于%s催报%s数据。", c.By, view.Clock(c.At.In(s.zone)), c.Month.Short()),
			Href: withQuery("/reports/"+c.Month.String(), planQuery(r.URL.Query().Get("plan")))})
	}
	return out, nil
}
