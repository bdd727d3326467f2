package server

import (
	"net/http"

	"landmark/internal/auth"
	"landmark/internal/landmark"
	"landmark/web/view"
)

// showUpkeepUsers handles GET /admin/users.
func (s *Server) showUpkeepUsers(w http.ResponseWriter, r *http.Request) error {
	return s.answerUpkeepUsers(w, r, http.StatusOK, view.Typed{}, nil)
}

func (s *Server) answerUpkeepUsers(w http.ResponseWriter, r *http.Request, status int, typed view.Typed, secret *view.UpkeepSecret) error {
	rec, page, err := s.upkeep(r)
	if err != nil {
		return err
	}
	in := view.UpkeepUsers{Typed: typed, Secret: secret, Record: rec}
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
	return s.render(w, r, status, view.Upkeeping(view.NewUpkeepUsersPage(page, in)))
}

// addUser handles POST /admin/users. The answer is the page with the generated
// password and no redirect: it would have to be kept somewhere in between, and it
// is shown this once. Sent again, the name is taken.
func (s *Server) addUser(w http.ResponseWriter, r *http.Request) error {
	t := typedIn(r)
	if t.Form != "add" {
		return unknownForm()
	}
	n := auth.NewAccount{Name: t.text("name"), DisplayName: t.text("display_name"), Role: landmark.Role(t.text("role"))}
	password, err := "", error(nil)
	if n.Department, err = s.chosenDepartment(r, t); err == nil && len(t.Faults) == 0 {
		by, _ := doer(r)
		password, err = s.auth.Add(r.Context(), by, n)
	}
	return s.answerAccountAct(t, err, func(status int) error {
		if status != http.StatusOK {
			return s.answerUpkeepUsers(w, r, status, t.Typed, nil)
		}
		return s.answerUpkeepUsers(w, r, status, view.Typed{}, &view.UpkeepSecret{Account: n.Name, Password: password})
	})
}

// answerAccountAct answers with 200, or the status of what was refused.
func (s *Server) answerAccountAct(t *typing, err error, answer func(status int) error) error {
	status := http.StatusOK
	if err != nil {
		if status, err = t.refused(err); err != nil {
			return err
		}
	} else if len(t.Faults) > 0 {
		status = http.StatusUnprocessableEntity
	}
	return answer(status)
}

// chosenDepartment is the department chosen for an account, the zero one for none.
func (s *Server) chosenDepartment(r *http.Request, t *typing) (landmark.Department, error) {
	if t.text("role") == "" {
		t.fault("role", "请选择角色")
	}
	if t.text("department") == "" {
		return landmark.Department{}, nil
	}
	d, err := s.store.FindDepartment(r.Context(), t.text("department"))
	if landmark.KindOf(err) == landmark.NotFound {
		t.fault("department", "没有这个部门,请在列出的里选一个")
		return d, nil
	}
	return d, err
}

// showUpkeepUser handles GET /admin/users/{name}.
func (s *Server) showUpkeepUser(w http.ResponseWriter, r *http.Request) error {
	return s.answerUpkeepUser(w, r, http.StatusOK, view.Typed{}, nil)
}

func (s *Server) answerUpkeepUser(w http.ResponseWriter, r *http.Request, status int, typed view.Typed, secret *view.UpkeepSecret) error {
	name, err := pathParam(r, "name")
	if err != nil {
		return err
	}
	account, err := s.store.Account(r.Context(), name)
	if err != nil {
		return err
	}
	_, page, err := s.upkeep(r)
	if err != nil {
		return err
	}
	in := view.UpkeepUser{User: account.User, Typed: typed, Secret: secret, Own: account.User.ID == auth.VisitFrom(r.Context()).User.ID,
		Issuer: s.auth.ProviderIssuer(), Zone: s.zone}
	identities, err := s.store.Identities(r.Context(), account.User.ID)
	if err != nil {
		return err
	}
	for _, i := range identities {
		in.Identities = append(in.Identities, view.UserIdentity{Issuer: i.Issuer, Subject: i.Subject, Since: i.LinkedAt})
	}
	if in.Departments, err = s.store.Departments(r.Context()); err != nil {
		return err
	}
	return s.render(w, r, status, view.Upkeeping(view.NewUpkeepUserPage(page, in)))
}

// keepUser handles POST /admin/users/{name}: what an account is, a new password,
// shut or opened. A new password is answered as in addUser.
func (s *Server) keepUser(w http.ResponseWriter, r *http.Request) error {
	name, err := pathParam(r, "name")
	if err != nil {
		return err
	}
	t := typedIn(r)
	by, _ := doer(r)
	said, password := "", ""
	switch t.Form {
	case "update":
		said = "账号已保存"
		var d landmark.Department
		if d, err = s.chosenDepartment(r, t); err == nil && len(t.Faults) == 0 {
			err = s.auth.Update(r.Context(), by, name, t.text("display_name"), landmark.Role(t.text("role")), d)
		}
	case "password":
		password, err = s.auth.SetPassword(r.Context(), by, name, "")
	case "factor":
		said = "两步验证已重置"
		err = s.auth.ResetFactor(r.Context(), by, name)
	case "link":
		said = "统一认证已关联"
		err = s.auth.Link(r.Context(), by, name, t.text("issuer"), t.text("subject"))
	case "unlink":
		said = "关联已取消"
		err = s.auth.Unlink(r.Context(), by, name, t.text("issuer"), t.text("subject"))
	case "email":
		said = "邮箱已保存"
		err = s.auth.SetEmail(r.Context(), by, name, t.text("email"))
	case "disable":
		said = "账号已停用"
		err = s.auth.SetDisabled(r.Context(), by, name, true)
	case "enable":
		said = "账号已启用"
		err = s.auth.SetDisabled(r.Context(), by, name, false)
	default:
		return unknownForm()
	}
	return s.answerAccountAct(t, err, func(status int) error {
		switch {
		case status != http.StatusOK:
			return s.answerUpkeepUser(w, r, status, t.Typed, nil)
		case password != "":
			return s.answerUpkeepUser(w, r, status, view.Typed{}, &view.UpkeepSecret{Account: name, Password: password})
		default:
			return s.redirect(w, r, t.withPlan("/admin/users/"+name), said)
		}
	})
}
