package server

import (
	"net/http"

	"landmark/internal/landmark"
	"landmark/web/view"
)

// showUpkeepDepartments handles GET /admin/departments.
func (s *Server) showUpkeepDepartments(w http.ResponseWriter, r *http.Request) error {
	return s.answerUpkeepDepartments(w, r, http.StatusOK, view.Typed{})
}

func (s *Server) answerUpkeepDepartments(w http.ResponseWriter, r *http.Request, status int, typed view.Typed) error {
	rec, page, err := s.upkeep(r)
	if err != nil {
		return err
	}
	names, err := s.store.DepartmentNames(r.Context())
	if err != nil {
		return err
	}
	list := make([]view.UpkeepDepartment, len(names))
	for i, d := range names {
		list[i] = view.UpkeepDepartment{Department: d.Department, Aliases: d.Aliases}
	}
	return s.render(w, r, status, view.Upkeeping(view.NewUpkeepDepartmentsPage(page, rec, list, typed)))
}

// keepDepartments handles POST /admin/departments: a new department, the other
// names it is printed under, or whether its leader signs.
func (s *Server) keepDepartments(w http.ResponseWriter, r *http.Request) error {
	t := typedIn(r)
	by, u := doer(r)
	switch t.Form {
	case "sign_off":
		required := t.text("required")
		if required != "0" && required != "1" {
			return problem(http.StatusBadRequest, "只能选要签核或不要签核")
		}
		if err := s.planning.RequireSignOff(r.Context(), by, u, t.text("slug"), required == "1", s.now()); err != nil {
			return err
		}
		return s.redirect(w, r, t.withPlan("/admin/departments"), "签核已改")
	case "add":
		d := landmark.Department{Name: t.text("name"), Slug: t.text("slug"), Collective: t.text("collective") == "1", SignOffRequired: t.text("sign_off") == "1"}
		return s.keptDepartment(w, r, t, s.planning.AddDepartment(r.Context(), by, u, d, s.now()), "部门已新增")
	case "alias":
		return s.keptDepartment(w, r, t, s.planning.AddAlias(r.Context(), by, u, t.text("department"), t.text("printed"), s.now()), "别名已加")
	case "unalias":
		return s.keptDepartment(w, r, t, s.planning.RemoveAlias(r.Context(), by, u, t.text("alias"), s.now()), "别名已去掉")
	default:
		return unknownForm()
	}
}

// keptDepartment answers a form that was taken, or refused with err.
func (s *Server) keptDepartment(w http.ResponseWriter, r *http.Request, t *typing, err error, said string) error {
	if err == nil {
		return s.redirect(w, r, t.withPlan("/admin/departments"), said)
	}
	status, err := t.refused(err)
	if err != nil {
		return err
	}
	return s.answerUpkeepDepartments(w, r, status, t.Typed)
}
