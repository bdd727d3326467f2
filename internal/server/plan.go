package server

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-chi/chi/v5"

	"landmark/internal/landmark"
	"landmark/web/view"
)

// showOverview handles GET /.
func (s *Server) showOverview(w http.ResponseWriter, r *http.Request) error {
	filter := landmark.NoLight
	if text := r.URL.Query().Get("status"); text != "" {
		var err error
		if filter, err = landmark.ParseLight(text); err != nil {
			return problem(http.StatusBadRequest, landmark.MessageOf(err))
		}
	}
	order := r.URL.Query().Get("sort")
	switch order {
	case "", "no", "trouble", "dept":
	default:
		return problem(http.StatusBadRequest, "排序只有按序号、问题在前和按部门三种")
	}
	p, board, err := s.board(r, "总览")
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, view.Overview(view.NewOverview(p, board, order, filter)))
}

// showKey handles GET /key.
func (s *Server) showKey(w http.ResponseWriter, r *http.Request) error {
	p, board, err := s.board(r, "关键指标")
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, view.Key(view.NewKey(p, board)))
}

// showIndicator handles GET /indicators/{code}.
func (s *Server) showIndicator(w http.ResponseWriter, r *http.Request) error {
	rec, month, err := s.record(r)
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
	p, err := s.page(r, rec, month, ind.Name)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, view.Indicator(view.NewIndicatorPage(p, rec, ind)))
}

// showProject handles GET /projects/{number}.
func (s *Server) showProject(w http.ResponseWriter, r *http.Request) error {
	p, board, err := s.board(r, "项目")
	if err != nil {
		return err
	}
	project, err := projectOf(board.Record.Plan, chi.URLParam(r, "number"))
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, view.Project(view.NewProjectPage(p, board, project)))
}

// showMatrix handles GET /matrix.
func (s *Server) showMatrix(w http.ResponseWriter, r *http.Request) error {
	p, board, err := s.board(r, "总表")
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, view.Matrix(view.NewMatrixPage(p, board.Record.Plan)))
}

// showDepartments handles GET /departments.
func (s *Server) showDepartments(w http.ResponseWriter, r *http.Request) error {
	p, board, err := s.board(r, "部门")
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, view.Departments(view.NewDepartmentsPage(p, board)))
}

// showDepartment handles GET /departments/{slug}. A name does as well.
func (s *Server) showDepartment(w http.ResponseWriter, r *http.Request) error {
	name, err := pathParam(r, "slug")
	if err != nil {
		return err
	}
	d, err := s.store.FindDepartment(r.Context(), name)
	if err != nil {
		return err
	}
	p, board, err := s.board(r, d.Name)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, view.Department(view.NewDepartmentPage(p, board, d)))
}

// showTasks handles GET /tasks.
func (s *Server) showTasks(w http.ResponseWriter, r *http.Request) error {
	p, board, err := s.board(r, "重点任务")
	if err != nil {
		return err
	}
	page := view.NewTasksPage(p, board.Record)
	if err := knownFilters(page.Filters); err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, view.Tasks(page))
}

// showScenarios handles GET /scenarios.
func (s *Server) showScenarios(w http.ResponseWriter, r *http.Request) error {
	p, board, err := s.board(r, "重点场景")
	if err != nil {
		return err
	}
	page := view.NewScenariosPage(p, board.Record)
	if err := knownFilters(page.Filters); err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, view.Scenarios(page))
}

// knownFilters refuses a list narrowed to what there is none of: an empty list
// would read as "nothing to do".
func knownFilters(f view.Filters) error {
	among := func(chosen string, all []view.Option) bool {
		return chosen == "" || slices.ContainsFunc(all, func(o view.Option) bool { return o.Chosen })
	}
	switch {
	case !among(f.Project, f.Projects):
		return landmark.Errorf(landmark.NotFound, "project", "方案里没有编号为“%s”的项目", short(f.Project))
	case !among(f.Department, f.Departments):
		return landmark.Errorf(landmark.NotFound, "department", "方案里没有“%s”这个单位", short(f.Department))
	case !among(f.State, f.States):
		return problem(http.StatusBadRequest, "没有“"+short(f.State)+"”这种状态可选")
	}
	return nil
}

// showScreen handles GET /screen. A wall asks for it every few seconds: it is
// sent again only when something on it has changed, the time it was drawn, to the
// minute, included.
func (s *Server) showScreen(w http.ResponseWriter, r *http.Request) error {
	p, board, err := s.board(r, "大屏")
	if err != nil {
		return err
	}
	p.PrintedAt = p.PrintedAt.Truncate(time.Minute)
	var page bytes.Buffer
	if err := view.Screen(view.NewScreenPage(p, board)).Render(r.Context(), &page); err != nil {
		return fmt.Errorf("render: %w", err)
	}
	// Weak: compression changes the bytes. The page may be kept, for its own
	// visitor, and must be asked about each time.
	tag := fmt.Sprintf(`W/"%x"`, sha256.Sum256(page.Bytes()))
	h := w.Header()
	h.Set("Cache-Control", "private, no-cache")
	h.Set("Etag", tag)
	if strings.Contains(r.Header.Get("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(page.Bytes()) // the visitor has gone: nobody to tell
	return nil
}

// pathParam is a part of the address as text. The router leaves escapes in
// where the address has ones it could not read otherwise.
func pathParam(r *http.Request, name string) (string, error) {
	text := chi.URLParam(r, name)
	if r.URL.RawPath != "" {
		plain, err := url.PathUnescape(text)
		if err != nil {
			return "", problem(http.StatusBadRequest, "网址写得不对")
		}
		text = plain
	}
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return "", problem(http.StatusNotFound, "没有这个页面。请检查网址,或者从首页进入。")
	}
	return text, nil
}
