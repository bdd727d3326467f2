package server

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"

	"landmark/internal/auth"
	"landmark/internal/landmark"
	"landmark/internal/reporting"
	"landmark/internal/sheet"
	"landmark/web/view"
)

// sheetBody bounds the upload of a month form's sheet: what the reader takes, and
// room for the form around it.
const sheetBody = 4<<20 + 64<<10

// exportReports handles GET /export/reports.xlsx: a department's month form as a
// sheet to fill in, with what is filled in so far.
func (s *Server) exportReports(w http.ResponseWriter, r *http.Request) error {
	q, err := s.asked(r)
	if err != nil {
		return err
	}
	if q.month.IsZero() {
		if q.month, err = s.monthToFill(r, q); err != nil {
			return err
		}
	}
	a := reportAsked{plan: q.plan, month: q.month, asOf: q.asOf}
	if name := r.URL.Query().Get("department"); name != "" {
		if a.department, err = s.store.FindDepartment(r.Context(), name); err != nil {
			return err
		}
	}
	form, err := s.filledForm(r, a)
	if err != nil {
		return err
	}
	if len(form.Rows) == 0 {
		return landmark.Errorf(landmark.NotFound, "department", "%s没有牵头的指标,没有报送表格", form.Department.Name)
	}
	var file bytes.Buffer
	if err := sheet.WriteMonthForm(&file, monthForm(form)); err != nil {
		return err
	}
	s.download(w, workbookType, fmt.Sprintf("%s-%s.xlsx", form.Department.Slug, form.Month), file.Bytes())
	return nil
}

// filledForm is savedForm for a file: it tells no reminders.
func (s *Server) filledForm(r *http.Request, a reportAsked) (reporting.Form, error) {
	u := auth.VisitFrom(r.Context()).User
	form, err := s.reporting.Filled(r.Context(), u, a.input(), s.now())
	if err != nil || a.asOf.IsZero() {
		return form, err
	}
	rec, err := s.store.Record(r.Context(), a.plan, a.asOf, s.now(), s.zone)
	if err != nil {
		return form, err
	}
	return formAsOf(form, visibleTo(u, rec)), nil
}

// monthForm is a form as its sheet has it. The versions of drafts tell a sheet
// that others have overtaken.
func monthForm(f reporting.Form) sheet.MonthForm {
	m := sheet.MonthForm{Plan: f.Record.Plan, Department: f.Department, Month: f.Month, Due: f.Due}
	for _, row := range f.Rows {
		line := sheet.FormIndicator{Indicator: row.Indicator, Owed: row.Owed, Last: row.Last, Revision: row.Version,
			Value: row.Fields.Value, Step: row.Fields.Step, Note: row.Fields.Note, Reason: row.Fields.Reason}
		if row.Fields.NoChange && row.Last != nil { // a sheet has no such box: the value stands there
			line.Step = row.Last.Step
			if row.Last.Amount.Valid {
				line.Value = landmark.Entered(row.Last.Amount.Decimal)
			}
		}
		m.Indicators = append(m.Indicators, line)
	}
	for _, t := range f.Tasks {
		if t.Lead {
			m.Tasks = append(m.Tasks, sheet.FormTask{Task: t.Task, State: t.Stands, Note: t.Note, Revision: t.Version})
		}
	}
	return m
}

// takeSheet handles POST /reports/{month}/sheet: a month form that was filled in
// on its sheet goes the way of the form on the page.
func (s *Server) takeSheet(w http.ResponseWriter, r *http.Request) error {
	a, err := s.reportAsked(r)
	if err != nil {
		return err
	}
	u := auth.VisitFrom(r.Context()).User
	if d := a.department.ID; !u.CanReport(u.DepartmentID) || d != 0 && d != u.DepartmentID {
		return landmark.Errorf(landmark.Forbidden, "", "表格由本部门的填报员上传")
	}
	up, err := readSheet(r)
	if err != nil {
		return err
	}
	if up.file == nil {
		return s.refuseSheet(w, r, a, []view.Fault{{Field: "sheet-file", Message: "请选择填好的表格(.xlsx)"}})
	}
	form, err := s.filledForm(r, a)
	if err != nil {
		return err
	}
	filled, err := sheet.ReadMonthForm(bytes.NewReader(up.file), monthForm(form))
	if broken, ok := errors.AsType[sheet.Faults](err); ok {
		return s.refuseSheet(w, r, a, sheetFaults(broken))
	}
	if err != nil {
		return err
	}
	typed := reportForm{in: sheetInput(a, filled), submit: up.submit}
	typed.in.Key = up.key
	take := s.reporting.Save
	if up.submit {
		take = s.reporting.Submit
	}
	v := auth.VisitFrom(r.Context())
	receipt, err := take(r.Context(), v.Actor(), v.User, typed.in, s.now())
	if check, ok := errors.AsType[*reporting.CheckError](err); ok {
		pointAt(check.Findings, filled)
	}
	if err != nil {
		return s.refuseReport(w, r, a, typed, err)
	}
	said := receiptSays(receipt)
	if !receipt.Submitted {
		said = "表格已读入草稿,请核对后提交"
	}
	return s.redirect(w, r, a.path(), said)
}

// sheetInput is the form that a sheet stands for.
func sheetInput(a reportAsked, filled *sheet.FilledForm) reporting.FormInput {
	in := a.input()
	in.Indicators, in.Tasks = map[string]reporting.Typed{}, map[string]reporting.TaskTyped{}
	no := false
	for _, row := range filled.Rows {
		in.Indicators[row.Indicator.Code] = reporting.Typed{Version: row.Revision, NoChange: &no,
			Value: &row.Value, Step: &row.Step, Note: &row.Note, Reason: &row.Reason}
	}
	for _, t := range filled.Tasks {
		typed := reporting.TaskTyped{Version: &t.Revision, Note: &t.Note}
		if t.State != "" {
			state := string(t.State)
			typed.State = &state
		}
		in.Tasks[t.Code] = typed
	}
	return in
}

// pointAt puts the cell before what the checks say of it.
func pointAt(findings []landmark.Finding, filled *sheet.FilledForm) {
	cells := map[string]string{}
	for _, row := range filled.Rows {
		code := row.Indicator.Code
		cells[code+" value"], cells[code+" step"], cells[code+" note"], cells[code+" reason"] = row.ValueCell, row.StepCell, row.NoteCell, row.WhyCell
	}
	for _, t := range filled.Tasks {
		cells[t.Code+" task_state"], cells[t.Code+" task_note"] = t.StateCell, t.NoteCell
	}
	for i, f := range findings {
		if cell := cells[f.Code+" "+f.Field]; cell != "" {
			findings[i].Message = "单元格" + cell + ":" + f.Message
		}
	}
}

// maxSheetFaults is how many faults of a sheet are listed.
const maxSheetFaults = 50

func sheetFaults(broken sheet.Faults) []view.Fault {
	var out []view.Fault
	for i, f := range broken {
		if i == maxSheetFaults {
			return append(out, view.Fault{Field: "sheet-file", Message: fmt.Sprintf("另有%d处没有列出", len(broken)-i)})
		}
		out = append(out, view.Fault{Field: "sheet-file", Message: f.String()})
	}
	return out
}

// refuseSheet shows the form as it is saved, with why the sheet was not taken.
func (s *Server) refuseSheet(w http.ResponseWriter, r *http.Request, a reportAsked, faults []view.Fault) error {
	form, err := s.savedForm(r, a)
	if err != nil {
		return err
	}
	p, err := s.reportPage(r, a, form, faults)
	if err != nil {
		return err
	}
	p.FaultTitle, p.SheetOpen = fmt.Sprintf("表格没有收下,有 %d 处需要改正;已保存的内容没有变", len(faults)), true
	return s.render(w, r, http.StatusUnprocessableEntity, view.Report(p))
}

// sheetUpload is an uploaded sheet.
type sheetUpload struct {
	file   []byte // nil: none was chosen
	key    string
	submit bool
}

// readSheet reads the upload part by part, so that nothing of it goes to disk.
func readSheet(r *http.Request) (sheetUpload, error) {
	var up sheetUpload
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "multipart/form-data" {
		return up, problem(http.StatusUnsupportedMediaType, "表格要用填报页上的表单上传")
	}
	parts, err := r.MultipartReader()
	if err != nil {
		return up, sheetUnreadable(err)
	}
	seen := map[string]bool{}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return up, nil
		}
		if err != nil {
			return up, sheetUnreadable(err)
		}
		name := part.FormName()
		if seen[name] {
			return up, problem(http.StatusBadRequest, fmt.Sprintf("参数“%s”出现了不止一次,只能有一次", short(name)))
		}
		seen[name] = true
		if name == "sheet" {
			if up.file, err = sheetFile(part); err != nil {
				return up, err
			}
			continue
		}
		const most = 200
		b, err := io.ReadAll(io.LimitReader(part, most))
		if err != nil {
			return up, sheetUnreadable(err)
		}
		switch text := string(b); {
		case name == "key":
			up.key = text
		case name == "action" && text == "submit":
			up.submit = true
		case name == "action" && text != "save":
			return up, problem(http.StatusBadRequest, "表格只能读入草稿或提交")
		}
	}
}

func sheetFile(part *multipart.Part) ([]byte, error) {
	b, err := io.ReadAll(part)
	if err != nil {
		return nil, sheetUnreadable(err)
	}
	if len(b) == 0 && strings.TrimSpace(part.FileName()) == "" {
		return nil, nil // the field was left empty
	}
	return b, nil
}

func sheetUnreadable(err error) error {
	if tooLarge(err) || errors.Is(err, multipart.ErrMessageTooLarge) {
		return problem(http.StatusRequestEntityTooLarge, "表格超过4 MB,没有收下。从填报页下载的表格只有几十KB,请用它来填。")
	}
	return fmt.Errorf("%w (%w)", problem(http.StatusBadRequest, "上传中断了或内容读不出来,没有收下。请回到上一页再试。"), err)
}
