package server

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"landmark/internal/auth"
	"landmark/internal/landmark"
	"landmark/internal/reporting"
	"landmark/internal/store"
	"landmark/web/view"
)

// showReports handles GET /reports: on to the month asked for, else to the one to
// be filled in.
func (s *Server) showReports(w http.ResponseWriter, r *http.Request) error {
	q, err := s.asked(r)
	if err != nil {
		return err
	}
	month := q.month
	if month.IsZero() {
		if month, err = s.monthToFill(r, q); err != nil {
			return err
		}
	}
	query := shown(r.URL.Query())
	query.Del("month")
	return s.redirect(w, r, withQuery("/reports/"+month.String(), query), s.flash(r))
}

// monthToFill is the newest month that is open, or was.
func (s *Server) monthToFill(r *http.Request, q question) (landmark.Month, error) {
	rec, err := s.store.Record(r.Context(), q.plan, q.asOf, s.now(), s.zone)
	if err != nil {
		return 0, err
	}
	month := rec.Plan.FirstMonth()
	for _, m := range rec.Plan.Months() {
		if rec.Period(m).Opens.Compare(rec.Today()) <= 0 {
			month = m
		}
	}
	return month, nil
}

func withQuery(path string, query url.Values) string {
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}

// reportAsked is whose form of which month a request is about.
type reportAsked struct {
	plan       string
	month      landmark.Month
	department landmark.Department // zero: the visitor's own
	correct    []string            // codes of approved values opened for correction
	asOf       time.Time
}

func (s *Server) reportAsked(r *http.Request) (reportAsked, error) {
	query := r.URL.Query()
	query.Del("month")
	plain := *r
	plain.URL = &url.URL{Path: r.URL.Path, RawQuery: query.Encode()}
	q, err := s.asked(&plain)
	if err != nil {
		return reportAsked{}, err
	}
	a := reportAsked{plan: q.plan, asOf: q.asOf}
	if a.month, err = landmark.ParseMonth(chi.URLParam(r, "month")); err != nil {
		return a, problem(http.StatusNotFound, landmark.MessageOf(err))
	}
	if name := query.Get("department"); name != "" {
		if a.department, err = s.store.FindDepartment(r.Context(), name); err != nil {
			return a, err
		}
	}
	if text := query.Get("correct"); text != "" {
		a.correct = strings.Split(text, ",")
	}
	return a, nil
}

// input is an empty form for what was asked.
func (a reportAsked) input() reporting.FormInput {
	return reporting.FormInput{Plan: a.plan, Month: a.month, DepartmentID: a.department.ID}
}

// path is where the form stands.
func (a reportAsked) path(pairs ...string) string {
	q := url.Values{}
	if a.plan != "" {
		q.Set("plan", a.plan)
	}
	if a.department.ID != 0 {
		q.Set("department", a.department.Slug)
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return withQuery("/reports/"+a.month.String(), q)
}

// showReport handles GET /reports/{month}.
func (s *Server) showReport(w http.ResponseWriter, r *http.Request) error {
	a, err := s.reportAsked(r)
	if err != nil {
		return err
	}
	u := auth.VisitFrom(r.Context()).User
	if a.department.ID == 0 && u.Role == landmark.RoleOffice {
		return s.listReports(w, r, a)
	}
	form, err := s.savedForm(r, a)
	if err != nil {
		return err
	}
	p, err := s.reportPage(r, a, form, nil)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, view.Report(p))
}

// savedForm reads the form as it is saved, or as it stood at an earlier moment.
func (s *Server) savedForm(r *http.Request, a reportAsked) (reporting.Form, error) {
	u := auth.VisitFrom(r.Context()).User
	form, err := s.reporting.Form(r.Context(), u, a.input(), s.now())
	if err != nil || a.asOf.IsZero() {
		return form, err
	}
	rec, err := s.store.Record(r.Context(), a.plan, a.asOf, s.now(), s.zone)
	if err != nil {
		return form, err
	}
	return formAsOf(form, visibleTo(u, rec)), nil
}

// formAsOf is a form to read, as it stood at an earlier moment: what had been sent
// and approved. Drafts are of the present.
func formAsOf(f reporting.Form, r *landmark.Record) reporting.Form {
	out := reporting.Form{Record: r, Department: f.Department, Month: f.Month, Period: r.Period(f.Month),
		Due: r.DueFor(f.Department.ID, f.Month), Window: r.Window(f.Department.ID, f.Month)}
	for _, row := range f.Rows {
		ind, err := r.Plan.Indicator(row.Indicator.Code)
		if err != nil {
			continue // the plan did not have it then
		}
		then := reporting.FormRow{Indicator: ind, Owed: r.Plan.Owes(ind, f.Month), Report: r.Report(ind.ID, f.Month), History: r.Values[ind.ID]}
		if v, ok := r.Value(ind.ID, f.Month); ok {
			then.Approved = &v
		}
		if last, ok := r.Earlier(ind, f.Month); ok {
			then.Last = &last
		}
		if then.Report.ID != 0 {
			p := then.Report
			then.Fields = reporting.Fields{Step: p.Step, Note: p.Note, Reason: p.Reason}
			if p.Amount.Valid {
				then.Fields.Value = landmark.Entered(p.Amount.Decimal)
			}
			would := r.With(ind, landmark.Value{Month: f.Month, Amount: p.Amount, Step: p.Step, Note: p.Note, Reason: p.Reason})
			then.Would = &would
		}
		out.Rows = append(out.Rows, then)
	}
	for _, t := range f.Tasks {
		if project, task, err := r.Plan.Task(t.Task.Code); err == nil {
			out.Tasks = append(out.Tasks, reporting.FormTask{Project: project, Task: task, Lead: t.Lead, Stands: r.TaskStateIn(task.ID, f.Month)})
		}
	}
	for _, v := range f.Scenarios {
		if project, scenario, err := r.Plan.Scenario(v.Scenario.Code); err == nil {
			out.Scenarios = append(out.Scenarios, reporting.FormScenario{Project: project, Scenario: scenario, Reached: r.Reached(scenario.ID, f.Month)})
		}
	}
	return out
}

// takeReport handles POST /reports/{month}: a month form to save or to submit.
func (s *Server) takeReport(w http.ResponseWriter, r *http.Request) error {
	form, free, err := s.readReport(w, r)
	defer free()
	ctx, cancel := context.WithTimeout(r.Context(), s.deadline) // reading may have taken minutes
	defer cancel()
	r = r.WithContext(ctx)
	a, askErr := s.reportAsked(r)
	if askErr != nil {
		return askErr
	}
	if err != nil {
		if landmark.KindOf(err) == landmark.Invalid { // a file too large: the form is shown again
			return s.refuseReport(w, r, a, form, err)
		}
		return err
	}
	in := a.input()
	in.Key, in.Indicators, in.Tasks, in.Milestones = form.in.Key, form.in.Indicators, form.in.Tasks, form.in.Milestones
	form.in = in
	v := auth.VisitFrom(r.Context())
	take := s.reporting.Save
	if form.submit {
		take = s.reporting.Submit
	}
	receipt, err := take(r.Context(), v.Actor(), v.User, form.in, s.now())
	if err != nil {
		return s.refuseReport(w, r, a, form, err)
	}
	return s.redirect(w, r, a.path(), receiptSays(receipt))
}

// receiptSays tells what a form led to.
func receiptSays(receipt reporting.Receipt) string {
	var parts []string
	if n := len(receipt.Sent) - len(receipt.Corrections); n > 0 {
		parts = append(parts, fmt.Sprintf("已提交%d项指标", n))
	}
	if n := len(receipt.Corrections); n > 0 {
		parts = append(parts, fmt.Sprintf("已提交%d项更正或补报,核定前原值不变", n))
	}
	if n := len(receipt.Tasks); n > 0 {
		parts = append(parts, fmt.Sprintf("%d项任务的进展已登记", n))
	}
	if n := receipt.Milestones; n > 0 {
		parts = append(parts, fmt.Sprintf("%d处场景阶段已登记", n))
	}
	if !receipt.Submitted {
		parts = append([]string{"草稿已保存"}, parts...)
	}
	return strings.Join(parts, ",")
}

// milestoneField is the id of a stage's field.
func milestoneField(scenario string, stage int) string { return fmt.Sprintf("s%s-%d", scenario, stage) }

// refuseReport shows a form that was not taken again, as it was typed.
func (s *Server) refuseReport(w http.ResponseWriter, r *http.Request, a reportAsked, form reportForm, err error) error {
	var check *reporting.CheckError
	var stale *reporting.StaleError
	switch {
	case errors.As(err, &check):
		var faults []view.Fault
		for _, f := range check.Findings {
			faults = append(faults, view.Fault{Field: findingField(f), Message: f.Message})
			if f.Rule == reporting.RuleVirus {
				v := auth.VisitFrom(r.Context())
				s.log.WarnContext(r.Context(), "virus in evidence", "request", v.RequestID, "user", v.User.ID, "address", v.Address, "indicator", f.Code, "message", f.Message)
			}
		}
		if check.Versions == nil { // nothing was kept
			return s.answerTyped(w, r, a, form, faults, nil)
		}
		return s.answerReport(w, r, a, form, faults)
	case errors.As(err, &stale):
		return s.answerTyped(w, r, a, form, nil, stale)
	case landmark.KindOf(err) == landmark.Invalid:
		fs, internal := faults(err)
		if internal != nil {
			return internal
		}
		for i := range fs {
			if !strings.HasPrefix(fs[i].Field, "i") {
				fs[i].Field = "" // of the form as a whole
			}
		}
		if _, kept := errors.AsType[*reporting.KeptError](err); kept {
			return s.answerReport(w, r, a, form, fs)
		}
		return s.answerTyped(w, r, a, form, fs, nil)
	default:
		return err
	}
}

// findingField is the id of the field a finding belongs to.
func findingField(f landmark.Finding) string {
	if strings.HasPrefix(f.Field, "task_") {
		id := "t" + f.Code
		if f.Field == "task_note" {
			id += "-note"
		}
		return id
	}
	if stage, ok := strings.CutPrefix(f.Field, "milestone_"); ok {
		return "s" + f.Code + "-" + stage
	}
	id := fieldID(f.Code)
	switch f.Field {
	case "reason", "note":
		return id + "-" + f.Field
	case "evidence":
		return id + "-file"
	default:
		return id
	}
}

func fieldID(code string) string { return "i" + strings.ReplaceAll(code, ".", "-") }

// answerReport shows the form as it is saved now, with faults. Days of scenarios
// have no draft: they stay as typed.
func (s *Server) answerReport(w http.ResponseWriter, r *http.Request, a reportAsked, typed reportForm, faults []view.Fault) error {
	form, err := s.savedForm(r, a)
	if err != nil {
		return err
	}
	p, err := s.reportPage(r, a, form, faults)
	if err != nil {
		return err
	}
	if !typed.submit { // the rest is kept all the same
		p.FaultTitle = fmt.Sprintf("有 %d 处没有保存", len(faults))
	}
	p.Groups = withMilestones(p.Groups, typed.in.Milestones)
	return s.render(w, r, http.StatusUnprocessableEntity, view.Report(p))
}

// answerTyped shows the form with what was typed in it, of which nothing was
// saved: with faults, or beside what somebody else saved meanwhile.
func (s *Server) answerTyped(w http.ResponseWriter, r *http.Request, a reportAsked, typed reportForm, faults []view.Fault, stale *reporting.StaleError) error {
	in := a.input()
	in.Indicators, in.Tasks = map[string]reporting.Typed{}, typed.in.Tasks
	for code, t := range typed.in.Indicators {
		t.Files = nil
		in.Indicators[code] = t
	}
	form, err := s.reporting.Form(r.Context(), auth.VisitFrom(r.Context()).User, in, s.now())
	if err != nil {
		return err
	}
	for i, row := range form.Rows {
		if t, ok := in.Indicators[row.Indicator.Code]; ok {
			form.Rows[i].Version, form.Rows[i].Open = t.Version, true
		}
	}
	for i, task := range form.Tasks {
		if t, ok := in.Tasks[task.Task.Code]; ok && t.Version != nil {
			form.Tasks[i].Version = *t.Version
		}
	}
	p, err := s.reportPage(r, a, form, faults)
	if err != nil {
		return err
	}
	if typed.files {
		p.Notices = append(p.Notices, "刚才选的佐证文件没有保留,请重新选择。")
	}
	if len(faults) > 0 {
		p.FaultTitle = fmt.Sprintf("没有保存,有 %d 处需要改正", len(faults))
	}
	p.Groups = withMilestones(p.Groups, typed.in.Milestones)
	status := http.StatusUnprocessableEntity
	if stale != nil {
		status = http.StatusConflict
		s.compare(&p, a, stale)
	}
	return s.render(w, r, status, view.Report(p))
}

// withMilestones puts the days typed into the page.
func withMilestones(groups []view.ReportGroup, typed []reporting.MilestoneTyped) []view.ReportGroup {
	for _, g := range groups {
		for _, scenario := range g.Scenarios {
			for i := range scenario.Stages {
				for _, m := range typed {
					if milestoneName(m.Scenario, slices.Index(landmark.MilestoneSteps, m.Step)+1) == scenario.Stages[i].Name {
						scenario.Stages[i].Value = m.On
					}
				}
			}
		}
	}
	return groups
}

// compare sets both versions side by side.
func (s *Server) compare(p *view.ReportPage, a reportAsked, stale *reporting.StaleError) {
	p.Stale = &view.StaleNote{Say: landmark.MessageOf(stale), Drop: a.path()}
	rows, tasks := map[string]reporting.StaleRow{}, map[string]reporting.StaleTask{}
	for _, v := range stale.Rows {
		rows[v.Code] = v
	}
	for _, v := range stale.Tasks {
		tasks[v.Code] = v
	}
	for gi := range p.Groups {
		g := &p.Groups[gi]
		for i := range g.Rows {
			if v, ok := rows[g.Rows[i].Indicator.Code]; ok {
				g.Rows[i].Version, g.Rows[i].Edit = v.Version, true
				g.Rows[i].Differences = differences(v)
			}
		}
		for i := range g.Tasks {
			v, ok := tasks[g.Tasks[i].Item.Task.Code]
			if !ok {
				continue
			}
			g.TasksOpen = true
			g.Tasks[i].Version = v.Version
			if v.TheirState != v.MyState {
				g.Tasks[i].Differences = append(g.Tasks[i].Differences, view.Difference{Field: "state", Label: "状态", Mine: v.MyState.Chinese(), Theirs: v.TheirState.Chinese()})
			}
			if v.TheirNote != v.MyNote {
				g.Tasks[i].Differences = append(g.Tasks[i].Differences, view.Difference{Field: "note", Label: "进展", Mine: v.MyNote, Theirs: v.TheirNote})
			}
		}
	}
}

func differences(v reporting.StaleRow) []view.Difference {
	var out []view.Difference
	add := func(field, label, mine, theirs string) {
		if mine != theirs {
			out = append(out, view.Difference{Field: field, Label: label, Mine: mine, Theirs: theirs})
		}
	}
	add("value", "数值", v.Mine.Value, v.Theirs.Value)
	add("step", "步骤", v.Mine.Step, v.Theirs.Step)
	add("note", "情况说明", v.Mine.Note, v.Theirs.Note)
	add("reason", "原因", v.Mine.Reason, v.Theirs.Reason)
	ticked := map[bool]string{true: "无变化", false: "未选无变化"}
	add("nochange", "无变化", ticked[v.Mine.NoChange], ticked[v.Theirs.NoChange])
	return out
}

// previewReport handles POST /reports/{month}/preview: how what is typed would be
// judged. Nothing is saved.
func (s *Server) previewReport(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return unreadable(err)
	}
	typed, err := parseReport(r.PostForm)
	if err != nil {
		return err
	}
	a, err := s.reportAsked(r)
	if err != nil {
		return err
	}
	u := auth.VisitFrom(r.Context()).User
	in := a.input()
	in.Indicators, in.Tasks = typed.in.Indicators, nil
	form, err := s.reporting.Form(r.Context(), u, in, s.now())
	if err != nil {
		return err
	}
	if !form.Mine {
		return landmark.Errorf(landmark.Forbidden, "", "您的账号不能填报")
	}
	for i, row := range form.Rows {
		if _, ok := in.Indicators[row.Indicator.Code]; ok {
			form.Rows[i].Open = true
		}
	}
	return s.render(w, r, http.StatusOK, view.ReportLive(reportModel(view.Page{}, a, form, u, nil)))
}

// showLost answers a month form that could not be taken for a reason that passes.
func (s *Server) showLost(w http.ResponseWriter, r *http.Request, status int, message string) error {
	fields, files, err := lostFields(r)
	if err != nil {
		return err
	}
	p := view.LostPage{Page: s.bare(r, "还没有保存"), Heading: "这次没有保存,您填的内容都在下面", Action: r.URL.RequestURI(), Files: files, Say: []string{message + "。"}}
	if status == http.StatusUnauthorized {
		p.Nav = nil
		p.Heading = "登录已经过期,您填的内容都在下面"
		p.Say = []string{"请先在新标签页里登录,再回到这一页重新发送,内容不用重填。"}
		p.SignIn = "/login?next=" + url.QueryEscape("/account")
	} else {
		p.Say = append(p.Say, "请不要关闭这一页,过一会儿再重新发送。")
	}
	for _, f := range fields {
		if f.name == "action" {
			continue
		}
		field := view.LostField{Name: f.name, Value: f.value, Label: lostLabel(f.name)}
		field.Hidden = field.Label == "" || f.value == ""
		p.Fields = append(p.Fields, field)
	}
	return s.render(w, r, status, view.Lost(p))
}

// lostLabel names a field a person types in, without asking the database.
func lostLabel(name string) string {
	field, code, ok := cutField(name)
	if !ok {
		return ""
	}
	switch field {
	case "value":
		return "指标 " + code + " 数值"
	case "step":
		return "指标 " + code + " 步骤"
	case "note":
		return "指标 " + code + " 情况说明"
	case "reason":
		return "指标 " + code + " 原因"
	case "task_note":
		return "任务 " + code + " 进展"
	default:
		return ""
	}
}

// exportEvidence handles GET /evidence/{id}: a file to download, never to be shown
// as a page of ours.
func (s *Server) exportEvidence(w http.ResponseWriter, r *http.Request) error {
	id, err := strconv.ParseInt(chi.URLParam(r, "id"), 10, 64)
	if err != nil || id < 1 {
		return problem(http.StatusNotFound, "没有这个文件")
	}
	file, content, err := s.reporting.Evidence(r.Context(), auth.VisitFrom(r.Context()).User, id)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", file.MediaType)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": file.Name}))
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(content)))
	_, _ = w.Write(content) // the visitor has gone: nobody to tell
	return nil
}

// listReports is the office's list of departments' forms.
func (s *Server) listReports(w http.ResponseWriter, r *http.Request, a reportAsked) error {
	rec, err := s.store.Record(r.Context(), a.plan, a.asOf, s.now(), s.zone)
	if err != nil {
		return err
	}
	if first, last := rec.Plan.FirstMonth(), rec.Plan.LastMonth(); a.month < first || a.month > last {
		return landmark.Errorf(landmark.NotFound, "month", "这个方案没有%s,只有%s到%s", a.month.Chinese(), first.Chinese(), last.Chinese())
	}
	p, err := s.page(r, rec, a.month, a.month.Chinese()+"部门报送")
	if err != nil {
		return err
	}
	list := view.ReportsPage{Page: p}
	list.Body = "page-reports"
	complete := 0
	for _, d := range rec.Disciplines(a.month) {
		row := view.ReportsRow{Department: d.Department, Discipline: d, Href: p.To("/reports/"+a.month.String(), "department", d.Department.Slug),
			Projects: projectsOf(rec.Plan.Led(d.Department.ID)), Due: rec.DueFor(d.Department.ID, a.month).Short()}
		row.State, row.Icon, row.Mark = departmentState(rec, d)
		if d.Complete() {
			complete++
		}
		list.Rows = append(list.Rows, row)
	}
	list.Sub = fmt.Sprintf("%d 个牵头部门,%d 个已报齐", len(list.Rows), complete)
	return s.render(w, r, http.StatusOK, view.Reports(list))
}

// departmentState is where a department's month stands in a word.
func departmentState(r *landmark.Record, d landmark.Discipline) (text, icon, mark string) {
	states := map[landmark.State]int{}
	for _, p := range r.Plan.Led(d.Department.ID) {
		for _, ind := range p.Indicators {
			states[r.Report(ind.ID, d.Month).State]++
		}
	}
	switch {
	case states[landmark.StateReturned] > 0:
		return fmt.Sprintf("退回 %d 项", states[landmark.StateReturned]), "bad", "todo"
	case states[landmark.StateSubmitted]+states[landmark.StateSigned] > 0:
		return "待审核", "half", "doing"
	case d.Due == 0:
		return "本月不用报", "wait", "todo"
	case d.Complete():
		return "已核定", "done", "done"
	case d.Received > 0:
		return "未报齐", "none", "todo"
	default:
		return "未报送", "none", "todo"
	}
}

func projectsOf(list []*landmark.Project) string {
	var parts []string
	for _, p := range list {
		parts = append(parts, fmt.Sprintf("%d %s", p.Number, p.Name))
	}
	return strings.Join(parts, "、")
}

// reportPage is the page of a form.
func (s *Server) reportPage(r *http.Request, a reportAsked, form reporting.Form, faults []view.Fault) (view.ReportPage, error) {
	title := form.Department.Name + " " + form.Month.Chinese() + "报送"
	if len(faults) > 0 {
		title = "错误:" + title
	}
	page, err := s.page(r, form.Record, form.Month, title)
	if err != nil {
		return view.ReportPage{}, err
	}
	if !a.asOf.IsZero() {
		at := a.asOf.In(s.zone)
		page.AsOf = &at
	}
	if r.Method == http.MethodPost {
		page.Path, page.Query = r.URL.Path, shown(r.URL.Query())
	}
	return reportModel(page, a, form, auth.VisitFrom(r.Context()).User, faults), nil
}

// reportModel lays a form out as its page shows it.
func reportModel(page view.Page, a reportAsked, f reporting.Form, u landmark.User, faults []view.Fault) view.ReportPage {
	page.Body = "page-report"
	p := view.ReportPage{Page: page, Department: f.Department, Faults: faults, Action: a.path(), Key: reporting.NewKey(),
		Live:  strings.Replace(a.path(), "/"+a.month.String(), "/"+a.month.String()+"/preview", 1),
		Draft: fmt.Sprintf("landmark-draft:%d:%s:%s", u.ID, f.Record.Plan.Slug, f.Month), Fill: f.Mine, Say: f.Notes}
	if len(faults) > 0 {
		p.FaultTitle = fmt.Sprintf("还不能提交,有 %d 处需要改正", len(faults))
	}
	if len(f.Rows) > 0 {
		query := url.Values{"month": {f.Month.String()}, "department": {f.Department.Slug}}
		if a.plan != "" {
			query.Set("plan", a.plan)
		}
		if !a.asOf.IsZero() {
			query.Set("as_of", page.Query.Get("as_of"))
		}
		p.Sheet = withQuery("/export/reports.xlsx", query)
	}
	if f.Mine && a.asOf.IsZero() {
		p.SheetAction = strings.Replace(a.path(), "/"+a.month.String(), "/"+a.month.String()+"/sheet", 1)
		p.SheetKey = reporting.NewKey()
	}
	if u.Role == landmark.RoleOffice {
		p.Other = withQuery("/reports/"+f.Month.String(), planQuery(a.plan))
	}
	var led []*landmark.Project
	groups := map[int]*view.ReportGroup{}
	var order []*view.ReportGroup
	group := func(project *landmark.Project) *view.ReportGroup {
		g, ok := groups[project.Number]
		if !ok {
			g = &view.ReportGroup{Project: project, Lead: project.Lead.ID == f.Department.ID}
			groups[project.Number] = g
			order = append(order, g)
			if g.Lead {
				led = append(led, project)
			}
		}
		return g
	}
	for _, row := range f.Rows {
		g := group(row.Indicator.Project)
		v := reportRow(a, f, row, faults)
		g.Rows = append(g.Rows, v)
		count(&p.Sum, row, v)
	}
	for _, t := range f.Tasks {
		g := group(t.Project)
		v := reportTask(f, t, u, faults)
		g.Tasks = append(g.Tasks, v)
		g.TasksOpen = g.TasksOpen || v.Fault != "" || len(f.Rows) == 0
	}
	for _, sc := range f.Scenarios {
		g := group(sc.Project)
		v, bad := reportScenario(f, sc, faults)
		g.Scenarios = append(g.Scenarios, v)
		g.SceneOpen = g.SceneOpen || bad
	}
	slices.SortStableFunc(order, func(x, y *view.ReportGroup) int {
		if x.Lead != y.Lead {
			if x.Lead {
				return -1
			}
			return 1
		}
		return x.Project.Number - y.Project.Number
	})
	for _, g := range order {
		p.Groups = append(p.Groups, *g)
	}
	p.Sub = "补充所配合任务的进展"
	if len(led) > 0 {
		var names []string
		for _, project := range led {
			names = append(names, fmt.Sprintf("项目 %d %s", project.Number, project.Name))
		}
		p.Sub = fmt.Sprintf("%s,共 %d 项指标", strings.Join(names, "、"), len(f.Rows))
	}
	dueOf(&p, f)
	stateOf(&p, f)
	noticesOf(&p, f)
	return p
}

// count adds a row to the line of the bar.
func count(sum *view.ReportSum, row reporting.FormRow, v view.ReportRow) {
	filled := row.Fields.Value != "" || row.Fields.Step != "" || row.Fields.NoChange
	if row.Owed || filled {
		sum.All++
	}
	if filled {
		sum.Filled++
	}
	for _, fault := range []string{v.ValueFault, v.NoteFault, v.FileFault, v.ReasonFault} {
		if fault != "" {
			sum.Errors++
		}
	}
	if !v.Edit {
		return
	}
	for _, finding := range row.Findings {
		if finding.Soft && !finding.Excused && finding.Message != v.ReasonFault {
			sum.Warnings++
		}
	}
}

func planQuery(plan string) url.Values {
	if plan == "" {
		return nil
	}
	return url.Values{"plan": {plan}}
}

// reportRow lays an indicator's part out.
func reportRow(a reportAsked, f reporting.Form, row reporting.FormRow, faults []view.Fault) view.ReportRow {
	ind, m := row.Indicator, f.Month
	id := fieldID(ind.Code)
	v := view.ReportRow{ID: id, Indicator: ind, Version: row.Version, Hint: rowHint(f.Record, ind, m, row.Owed), Prev: "—", PrevLabel: (m - 1).Short() + "值",
		Label: m.Short() + "值", Value: row.Fields.Value, Step: row.Fields.Step, Note: row.Fields.Note, Reason: row.Fields.Reason, NoChange: row.Fields.NoChange}
	switch ind.Kind {
	case landmark.Flow, landmark.Cumulative:
		v.Label = m.Short() + "累计值"
	case landmark.Qualitative:
		v.Label, v.PrevLabel = m.Short()+"所处步骤", (m - 1).Short()
	}
	if row.Last != nil {
		v.Prev = view.ValueText(row.Last)
		v.PrevLabel = row.Last.Month.Short() + strings.TrimPrefix(v.PrevLabel, (m-1).Short())
		v.Keep = fmt.Sprintf("无变化(同%s)", row.Last.Month.Short())
		if row.Last.Amount.Valid {
			v.Last = landmark.Entered(row.Last.Amount.Decimal)
		}
		if row.Last.Step != "" {
			v.Last = row.Last.Step
		}
	}
	v.History = history(row, m)
	for _, step := range ind.Steps {
		v.Steps = append(v.Steps, view.Option{Value: step.Name, Text: step.Name, Chosen: step.Name == row.Fields.Step})
	}
	settled := row.Report.State == landmark.StateApproved && !row.Open && !slices.Contains(a.correct, ind.Code)
	v.Edit = f.Mine && !settled
	if f.Mine && settled {
		v.Correct = a.path("correct", strings.Join(append(slices.Clone(a.correct), ind.Code), ",")) + "#" + id + "-row"
	}
	v.Shown = shownValue(row)
	sentState(&v, f, row)
	for _, file := range row.Files {
		v.Files = append(v.Files, reportFile(file))
	}
	for _, file := range row.Sent {
		v.Sent = append(v.Sent, reportFile(file))
	}
	if row.Would != nil {
		v.A, v.Bullet = row.Would, view.NewBullet(*row.Would, true, false)
	}
	v.ValueFault, v.ReasonFault = view.FaultOf(faults, id), view.FaultOf(faults, id+"-reason")
	v.NoteFault, v.FileFault = view.FaultOf(faults, id+"-note"), view.FaultOf(faults, id+"-file")
	if !v.Edit {
		return v
	}
	for _, finding := range row.Findings {
		switch {
		case finding.Soft && finding.Message != v.ReasonFault:
			v.Warnings = append(v.Warnings, finding.Message)
		case !finding.Soft && finding.Rule != landmark.RuleMissing && v.ValueFault == "":
			v.ValueFault = finding.Message
		}
	}
	switch {
	case row.Approved != nil:
		v.ReasonLabel = "更正的原因"
	case row.Correction && row.Report.ID == 0 && (row.Fields.Value != "" || row.Fields.Step != "" || row.Fields.NoChange):
		v.ReasonLabel = "补报的原因"
	case len(v.Warnings) > 0 || v.ReasonFault != "":
		v.ReasonLabel = "原因(数值属实时写明)"
	case v.Reason != "":
		v.ReasonLabel = "原因"
	}
	return v
}

// rowHint is what the value means, what is aimed at and what is due.
func rowHint(r *landmark.Record, ind *landmark.Indicator, m landmark.Month, owed bool) string {
	parts := []string{ind.Kind.Chinese(), "目标 " + view.TargetText(ind.TargetIn(m))}
	if ind.Kind.Numeric() {
		if expected := r.Assess(ind, m).Expected; expected.Valid && ind.Kind != landmark.Hold {
			parts = append(parts, fmt.Sprintf("%s应达 %s", m.Short(), landmark.Grouped(expected.Decimal.Round(int32(ind.Decimals)+1).String())))
		}
	}
	switch {
	case !owed:
		parts = append(parts, ind.Measured.Chinese()+",本月可不填")
	case ind.Kind == landmark.Flow:
		parts = append(parts, fmt.Sprintf("填1月至%s累计数", m.Short()))
	case ind.Kind == landmark.Cumulative:
		parts = append(parts, "填历年累计总数")
	case ind.Kind == landmark.Level || ind.Kind == landmark.Hold:
		parts = append(parts, "填"+m.Short()+"末的数,"+ind.Direction.Chinese())
	}
	return strings.Join(parts, " · ")
}

// history is this year's approved values before the month, in one line.
func history(row reporting.FormRow, m landmark.Month) string {
	var parts []string
	for _, v := range row.History {
		if v.Month < m && v.Month.Year() == m.Year() {
			parts = append(parts, v.Month.Short()+" "+view.ValueText(&v))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "今年:" + strings.Join(parts, " · ")
}

// shownValue is a value where there is no field for it.
func shownValue(row reporting.FormRow) string {
	switch {
	case row.Fields.Step != "":
		return row.Fields.Step
	case row.Fields.Value != "":
		return view.Minus(row.Fields.Value)
	case row.Fields.NoChange && row.Last != nil:
		return view.ValueText(row.Last)
	default:
		return "—"
	}
}

// sentState is where what was sent stands.
func sentState(v *view.ReportRow, f reporting.Form, row reporting.FormRow) {
	p, zone := row.Report, f.Record.Zone
	if p.ID == 0 {
		return
	}
	v.State, v.StateNote = p.State.Chinese(), fmt.Sprintf("%s,%s", p.StateBy, view.Clock(p.StateAt.In(zone)))
	switch p.State {
	case landmark.StateApproved:
		v.StateIcon, v.StateMark = "done", "done"
	case landmark.StateReturned:
		v.StateIcon, v.StateMark = "bad", "todo"
		v.StateNote += ":" + p.ReturnedFor
	default:
		v.StateIcon, v.StateMark = "half", "doing"
		if p.Correction {
			v.State += "更正"
		}
	}
	if row.Approved != nil && p.State != landmark.StateApproved {
		v.Standing = fmt.Sprintf("核定值 %s 不变,直到更正通过", view.ValueText(row.Approved))
	}
}

func reportFile(e store.EvidenceFile) view.ReportFile {
	id := strconv.FormatInt(e.ID, 10)
	return view.ReportFile{ID: id, Name: e.Name, Size: view.FileSize(e.Size), Href: "/evidence/" + id}
}

// reportTask lays a task's part out.
func reportTask(f reporting.Form, t reporting.FormTask, u landmark.User, faults []view.Fault) view.ReportTask {
	v := view.ReportTask{ID: "t" + t.Task.Code, Item: view.NewTaskItem(f.Record, t.Project, t.Task, f.Month), Lead: t.Lead,
		Say: f.Notes && u.CanNote(t.Project), Version: t.Version, Note: t.Note}
	state := t.State
	if state == "" {
		state = t.Stands
	}
	for _, s := range landmark.TaskStates {
		v.States = append(v.States, view.Option{Value: string(s), Text: s.Chinese(), Chosen: s == state})
	}
	v.Fault = view.FaultOf(faults, v.ID+"-note")
	if v.Fault == "" {
		v.Fault = view.FaultOf(faults, v.ID)
	}
	return v
}

// reportScenario lays a scenario's stages out.
func reportScenario(f reporting.Form, sc reporting.FormScenario, faults []view.Fault) (v view.ReportScenario, bad bool) {
	v.Item = view.NewScenarioItem(f.Record, sc.Project, sc.Scenario, f.Month)
	for i, step := range landmark.MilestoneSteps {
		stage := view.ReportStage{ID: milestoneField(sc.Scenario.Code, i+1), Name: milestoneName(sc.Scenario.Code, i+1), Label: step}
		for _, reached := range sc.Reached {
			if reached.Step == step {
				stage.Value = reached.ReachedOn.String()
			}
		}
		stage.Was = stage.Value
		stage.Fault = view.FaultOf(faults, stage.ID)
		bad = bad || stage.Fault != ""
		v.Stages = append(v.Stages, stage)
	}
	return v, bad
}

// dueOf says until when.
func dueOf(p *view.ReportPage, f reporting.Form) {
	p.Due = f.Due.Short() + " 24:00"
	days := 0
	for d := f.Record.Today(); d.Compare(f.Due) < 0; d = d.AddDays(1) {
		days++
	}
	switch f.Window {
	case landmark.NotOpen:
		p.DueNote = f.Period.Opens.Short() + "起可以提交"
	case landmark.Open:
		p.DueNote = fmt.Sprintf("还剩 %d 天", days)
		if days == 0 {
			p.DueNote = "今天截止"
		}
	case landmark.Late:
		p.DueNote = "已逾期,仍可补报"
	default:
		p.DueNote = f.Period.Lock.Short() + "已锁定"
	}
}

// stateOf says where the whole form stands.
func stateOf(p *view.ReportPage, f reporting.Form) {
	var owed, received, approved, returned, unsigned int
	var saved time.Time
	var by string
	open := false
	for _, row := range f.Rows {
		if row.Open {
			open = true
			if row.SavedAt.After(saved) {
				saved, by = row.SavedAt, row.SavedBy
			}
		}
		if row.Report.State == landmark.StateReturned {
			returned++
		}
		if row.Report.State == landmark.StateSubmitted {
			unsigned++
		}
		if !row.Owed {
			continue
		}
		owed++
		switch row.Report.State {
		case landmark.StateNone, landmark.StateReturned:
		case landmark.StateApproved:
			received++
			approved++
		default:
			received++
		}
	}
	now := 0
	switch {
	case len(f.Rows) == 0:
		p.State, p.StateIcon = "配合", "ok"
		return
	case returned > 0:
		p.State, p.StateIcon, p.StateNote = fmt.Sprintf("退回 %d 项", returned), "bad", "改好后重新提交"
	case open:
		p.State, p.StateIcon = "草稿", "half"
		if !saved.IsZero() {
			p.StateNote = fmt.Sprintf("%s %s保存", view.Clock(saved.In(f.Record.Zone)), by)
		}
	case owed > 0 && approved == owed:
		p.State, p.StateIcon, now = "已核定", "done", 9
	case owed > 0 && received == owed:
		p.State, p.StateIcon, now = "待审核", "half", 2
	case received > 0:
		p.State, p.StateIcon, p.StateNote = "未报齐", "half", fmt.Sprintf("已报 %d/%d 项", received, owed)
	case owed == 0:
		p.State, p.StateIcon = "本月不用报", "wait"
	default:
		p.State, p.StateIcon = "未填报", "none"
	}
	names := []string{"填报", "提交", "审核", "入库"}
	if f.Department.SignOffRequired {
		names = []string{"填报", "提交", "签核", "审核", "入库"}
		if now == 2 && unsigned == 0 {
			now = 3
		}
		if now == 2 {
			p.State = "待签核"
		}
	}
	now = min(now, len(names)-1)
	for i, name := range names {
		p.Steps = append(p.Steps, view.FormStep{Name: name, Now: i == now})
	}
}

// noticesOf says what somebody should know before filling in.
func noticesOf(p *view.ReportPage, f reporting.Form) {
	for _, c := range f.Reminders {
		p.Notices = append(p.Notices, fmt.Sprintf("%s于%s催报%s数据。", c.By, view.Clock(c.At.In(f.Record.Zone)), c.Month.Short()))
	}
	if !f.Mine {
		return
	}
	switch f.Window {
	case landmark.NotOpen:
		p.Notices = append(p.Notices, fmt.Sprintf("%s的报送%s开放,现在可以先存草稿。", f.Month.Short(), f.Period.Opens.Short()))
	case landmark.Locked:
		p.Notices = append(p.Notices, "这个月已经锁定:补报和更正都要写明原因,经市府办核定后生效。")
	}
}
