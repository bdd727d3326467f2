package server

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"landmark/internal/auth"
	"landmark/internal/landmark"
	"landmark/internal/store"
	"landmark/web/view"
)

// upkeep reads the plan an upkeep page is about, as it stands: what the office
// keeps up is the present, so a moment in the address is left aside.
func (s *Server) upkeep(r *http.Request) (*landmark.Record, view.Page, error) {
	now := s.now()
	rec, err := s.store.Record(r.Context(), r.URL.Query().Get("plan"), now, now, s.zone)
	if err != nil {
		return nil, view.Page{}, err
	}
	p, err := s.page(r, rec, rec.NewestDue(), "管理")
	if err != nil {
		return nil, view.Page{}, err
	}
	p.AsOf, p.Path = nil, r.URL.Path
	p.Query = shown(r.URL.Query()) // also of a refused form: its address has the plan
	p.Query.Del("as_of")
	p.Query.Del("month")
	return rec, p, nil
}

// typing is a form of an upkeep page being read: what was typed, and what
// cannot even be read.
type typing struct {
	view.Typed
	planSlug string
}

// typedIn reads which form was sent, and all of it.
func typedIn(r *http.Request) *typing {
	t := &typing{Typed: view.Typed{Form: r.PostFormValue("action"), Values: map[string]string{}}, planSlug: r.URL.Query().Get("plan")}
	for name, values := range r.PostForm {
		t.Values[name] = values[0]
	}
	return t
}

func (t *typing) text(name string) string { return strings.TrimSpace(t.Values[name]) }

func (t *typing) fault(name, message string) {
	t.Faults = append(t.Faults, view.Fault{Field: name, Message: message})
}

func (t *typing) month(name, ask string) landmark.Month {
	if t.text(name) == "" {
		t.fault(name, ask)
		return 0
	}
	m, err := landmark.ParseMonth(t.text(name))
	if err != nil {
		t.fault(name, landmark.MessageOf(err))
	}
	return m
}

func (t *typing) date(name, ask string) landmark.Date {
	if t.text(name) == "" {
		t.fault(name, ask)
		return landmark.Date{}
	}
	d, err := landmark.ParseDate(t.text(name))
	if err != nil {
		t.fault(name, landmark.MessageOf(err))
	}
	return d
}

func (t *typing) whole(name, ask string) int {
	n, err := strconv.Atoi(t.text(name))
	if err != nil {
		t.fault(name, ask)
	}
	return n
}

// refused takes in why an act was refused and gives the status of the page that
// shows the form again. An error that is not about the form is given back.
func (t *typing) refused(err error) (int, error) {
	switch landmark.KindOf(err) {
	case landmark.Invalid:
		fs, err := faults(err)
		if err != nil {
			return 0, err
		}
		t.Faults = append(t.Faults, fs...)
		return http.StatusUnprocessableEntity, nil
	case landmark.Conflict:
		e := domainError(err)
		t.fault(e.Field, e.Message)
		return http.StatusConflict, nil
	default:
		return 0, err
	}
}

// domainError is the first of the domain's errors in err's chain, nil if none.
func domainError(err error) *landmark.Error {
	e, _ := errors.AsType[*landmark.Error](err)
	return e
}

// unknownForm answers a form the page does not have.
func unknownForm() error {
	return problem(http.StatusBadRequest, "这一页没有这个表单,请重新打开再试")
}

// doer is who acts, for a service.
func doer(r *http.Request) (landmark.Actor, landmark.User) {
	v := auth.VisitFrom(r.Context())
	return v.Actor(), v.User
}

// past are the newest lines of the history that a page of upkeep shows.
func (s *Server) past(r *http.Request, f store.HistoryFilter) ([]landmark.HistoryEntry, error) {
	lines, err := s.store.History(r.Context(), f, historyPage)
	if err != nil {
		return nil, err
	}
	out := make([]landmark.HistoryEntry, len(lines))
	for i, l := range lines {
		out[i] = l.HistoryEntry
	}
	return out, nil
}

// withPlan is an upkeep address of the plan the form named.
func (t *typing) withPlan(path string) string {
	if t.planSlug == "" {
		return path
	}
	return path + "?plan=" + t.planSlug
}

// showUpkeep handles GET /admin.
func (s *Server) showUpkeep(w http.ResponseWriter, r *http.Request) error {
	rec, page, err := s.upkeep(r)
	if err != nil {
		return err
	}
	in := view.Upkeep{Plans: len(page.Plans)}
	accounts, err := s.store.Accounts(r.Context())
	if err != nil {
		return err
	}
	for _, a := range accounts {
		in.Users = append(in.Users, a.User)
	}
	if in.Departments, err = s.store.Departments(r.Context()); err != nil {
		return err
	}
	next, err := s.bulletins.Letterhead(r.Context(), rec.Plan, s.now())
	if err != nil {
		return err
	}
	in.Number = next.Bulletin
	return s.render(w, r, http.StatusOK, view.Upkeeping(view.NewUpkeepPage(page, rec, in)))
}
