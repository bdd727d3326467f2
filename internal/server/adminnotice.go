package server

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"landmark/internal/landmark"
	"landmark/internal/notify"
	"landmark/internal/store"
	"landmark/web/view"
)

// deliveryPage is how many deliveries stand on one page.
const deliveryPage = 50

// showUpkeepNotices handles GET /admin/notices: what went out, and how.
func (s *Server) showUpkeepNotices(w http.ResponseWriter, r *http.Request) error {
	return s.answerUpkeepNotices(w, r, http.StatusOK, view.Typed{})
}

func (s *Server) answerUpkeepNotices(w http.ResponseWriter, r *http.Request, status int, typed view.Typed) error {
	query := r.URL.Query()
	f := store.DeliveryFilter{State: query.Get("state"), Channel: query.Get("channel"), Kind: landmark.NoticeKind(query.Get("kind"))}
	if slug := query.Get("department"); slug != "" {
		d, err := s.store.FindDepartment(r.Context(), slug)
		if err != nil {
			return err
		}
		f.DepartmentID = d.ID
	}
	if text := query.Get("before"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 1 {
			return problem(http.StatusBadRequest, "地址里的 before 要是一条记录的编号")
		}
		f.Before = n
	}
	if f.State != "" && !slices.Contains(store.DeliveryStates, f.State) || f.Kind != "" && !slices.Contains(landmark.NoticeKinds, f.Kind) ||
		f.Channel != "" && !slices.Contains([]string{store.ChannelMail, store.ChannelDingTalk, store.ChannelWeCom}, f.Channel) {
		return problem(http.StatusBadRequest, "没有这样的筛选条件")
	}
	list, err := s.store.Deliveries(r.Context(), f, deliveryPage+1)
	if err != nil {
		return err
	}
	in := view.UpkeepNotices{Older: len(list) > deliveryPage, Mail: s.mail, Zone: s.zone, Typed: typed}
	list = list[:min(len(list), deliveryPage)]
	ids := make([]int64, len(list))
	for i, d := range list {
		ids[i] = d.ID
	}
	tries, err := s.store.Attempts(r.Context(), ids)
	if err != nil {
		return err
	}
	for _, d := range list {
		row := view.UpkeepDelivery{ID: d.ID, Notice: d.Notice, Channel: d.Channel, Recipient: d.Recipient, State: d.State, LastError: d.LastError, At: d.CreatedAt}
		if d.Robot.ID != 0 {
			row.Recipient = d.Robot.Name
		}
		for _, a := range tries[d.ID] {
			row.Tries = append(row.Tries, view.UpkeepTry{Began: a.StartedAt, Ended: a.EndedAt, Error: a.Error})
		}
		in.List = append(in.List, row)
	}
	counts, err := s.store.WorkCounts(r.Context())
	if err != nil {
		return err
	}
	in.Counts = counts.Deliveries
	robots, err := s.store.Robots(r.Context())
	if err != nil {
		return err
	}
	in.Robots = len(robots)
	if in.Departments, err = s.store.Departments(r.Context()); err != nil {
		return err
	}
	_, page, err := s.upkeep(r)
	if err != nil {
		return err
	}
	return s.render(w, r, status, view.Upkeeping(view.NewUpkeepNoticesPage(page, in)))
}

// resendNotice handles POST /admin/notices: what failed goes out again.
func (s *Server) resendNotice(w http.ResponseWriter, r *http.Request) error {
	t := typedIn(r)
	number, err := strconv.ParseInt(t.text("delivery"), 10, 64)
	if t.Form != "resend" || err != nil || number < 1 {
		return unknownForm()
	}
	by, u := doer(r)
	if err := s.planning.Resend(r.Context(), by, u, number, s.now()); err != nil {
		status, err := t.refused(err)
		if err != nil {
			return err
		}
		return s.answerUpkeepNotices(w, r, status, t.Typed)
	}
	return s.redirect(w, r, t.withPlan("/admin/notices"), "已安排重发")
}

// showUpkeepRobots handles GET /admin/robots.
func (s *Server) showUpkeepRobots(w http.ResponseWriter, r *http.Request) error {
	return s.answerUpkeepRobots(w, r, http.StatusOK, view.Typed{})
}

func (s *Server) answerUpkeepRobots(w http.ResponseWriter, r *http.Request, status int, typed view.Typed) error {
	robots, err := s.store.Robots(r.Context())
	if err != nil {
		return err
	}
	list := make([]view.UpkeepRobot, len(robots))
	for i, v := range robots {
		list[i] = view.UpkeepRobot{ID: v.ID, Name: v.Name, Kind: v.Kind, URL: v.URL, Signed: v.Secret != "", Department: v.Department, By: v.RecordedBy, At: v.RecordedAt}
	}
	departments, err := s.store.Departments(r.Context())
	if err != nil {
		return err
	}
	_, page, err := s.upkeep(r)
	if err != nil {
		return err
	}
	return s.render(w, r, status, view.Upkeeping(view.NewUpkeepRobotsPage(page, s.zone, list, departments, typed)))
}

// keepRobots handles POST /admin/robots: one more, or one less.
func (s *Server) keepRobots(w http.ResponseWriter, r *http.Request) error {
	t := typedIn(r)
	by, u := doer(r)
	here := t.withPlan("/admin/robots")
	switch t.Form {
	case "remove":
		number, err := strconv.ParseInt(t.text("robot"), 10, 64)
		if err != nil || number < 1 {
			return unknownForm()
		}
		if err := s.planning.RemoveRobot(r.Context(), by, u, number, s.now()); err != nil {
			return err
		}
		return s.redirect(w, r, here, "机器人已删除")
	case "add":
		robot := store.Robot{Name: t.text("name"), Kind: t.text("kind"), URL: t.text("url"), Secret: t.text("secret")}
		err := s.robots.Check(notify.Robot{Kind: robot.Kind, URL: robot.URL, Secret: robot.Secret})
		if slug := t.text("department"); err == nil && slug != "" {
			robot.Department, err = s.store.FindDepartment(r.Context(), slug)
			if landmark.KindOf(err) == landmark.NotFound {
				err = landmark.Errorf(landmark.Invalid, "department", "没有这个部门,请在列出的里选一个")
			}
		}
		if err == nil {
			err = s.planning.AddRobot(r.Context(), by, u, robot, s.now())
		}
		if err == nil {
			return s.redirect(w, r, here, "机器人已添加")
		}
		status, err := t.refused(err)
		if err != nil {
			return err
		}
		return s.answerUpkeepRobots(w, r, status, t.Typed)
	default:
		return unknownForm()
	}
}

// keepEmail handles POST /account/email: where the visitor's notices go by mail.
func (s *Server) keepEmail(w http.ResponseWriter, r *http.Request) error {
	email := strings.TrimSpace(r.PostFormValue("email"))
	by, u := doer(r)
	if err := s.auth.SetEmail(r.Context(), by, u.Name, email); err != nil {
		fs, err := faults(err)
		if err != nil {
			return err
		}
		return s.answerAccountMail(w, r, http.StatusUnprocessableEntity, fs, email)
	}
	return s.redirect(w, r, "/account", "邮箱已保存")
}
