package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"landmark/internal/landmark"
	"landmark/internal/reporting"
)

// The limits of a month form. Files are kept on disk while they come in and read
// into memory only when all are there, those of maxUploads forms at a time.
const (
	reportBody  = 60 << 20 // a whole form with its files
	reportTexts = 1 << 20  // without them
	maxUploads  = 3
	uploadTime  = 3 * time.Minute // for a form to come in over a slow line
)

// reportForm is a month form as it came in.
type reportForm struct {
	in     reporting.FormInput
	submit bool
	files  bool // files were chosen
}

// milestoneName is a stage's part of its field's name: the stage is its place in
// landmark.MilestoneSteps, from 1.
func milestoneName(scenario string, stage int) string { return fmt.Sprintf("[%s:%d]", scenario, stage) }

// reportMany are the fields that may come more than once: files, and the buttons
// that take one away.
var reportMany = regexp.MustCompile(`^(evidence|remove)\[`)

var fieldName = regexp.MustCompile(`^([a-z_]+)\[([0-9][0-9.:-]{0,19})\]$`)

// readReport reads a month form with its files. Temporary files are gone when it
// returns; free gives the place in memory back and must be called.
func (s *Server) readReport(w http.ResponseWriter, r *http.Request) (form reportForm, free func(), err error) {
	free = func() {}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "multipart/form-data" {
		if err := r.ParseForm(); err != nil {
			return form, free, unreadable(err)
		}
		form, err = parseReport(r.PostForm)
		return form, free, err
	}
	// The server's limits on a connection are for pages, not for files.
	c := http.NewResponseController(w)
	until := time.Now().Add(uploadTime) // of the connection, so the machine's clock
	for _, set := range []func(time.Time) error{c.SetReadDeadline, c.SetWriteDeadline} {
		if err := set(until); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return form, free, fmt.Errorf("give an upload time: %w", err)
		}
	}
	if err := r.ParseMultipartForm(reportTexts); err != nil {
		return form, free, unreadable(err)
	}
	defer func() {
		if e := r.MultipartForm.RemoveAll(); e != nil && err == nil {
			err = fmt.Errorf("remove uploaded files: %w", e)
		}
	}()
	if form, err = parseReport(r.MultipartForm.Value); err != nil {
		return form, free, err
	}
	free, err = s.readFiles(r.Context(), &form, r.MultipartForm.File)
	return form, free, err
}

// unreadable is why a form's body could not be read.
func unreadable(err error) error {
	if tooLarge(err) || errors.Is(err, multipart.ErrMessageTooLarge) {
		return problem(http.StatusRequestEntityTooLarge, "这张表连同佐证材料超过了60 MB,没有收下。请回到上一页,少选几个文件分次上传。")
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w (%w)", problem(http.StatusBadRequest, "上传中断了,没有收下。请回到上一页再试。"), err)
	}
	return fmt.Errorf("%w (%w)", problem(http.StatusBadRequest, "表单的内容读不出来"), err)
}

// readFiles reads the chosen files into memory, once there is a place.
func (s *Server) readFiles(ctx context.Context, form *reportForm, files map[string][]*multipart.FileHeader) (free func(), err error) {
	free = func() {}
	var chosen int
	for name, list := range files {
		field, code, ok := cutField(name)
		if !ok || field != "evidence" || strings.Contains(code, "-") {
			continue
		}
		for _, f := range list {
			if f.Filename == "" && f.Size == 0 {
				continue // the field was left empty
			}
			if f.Size > reporting.MaxFile {
				return free, landmark.Errorf(landmark.Invalid, "i"+strings.ReplaceAll(code, ".", "-")+"-file", "文件“%s”超过20 MB,请压缩或分开上传", short(f.Filename))
			}
			chosen++
		}
	}
	if chosen == 0 {
		return free, nil
	}
	form.files = true
	select {
	case s.uploads <- struct{}{}:
		free = func() { <-s.uploads }
	case <-ctx.Done():
		return free, problem(http.StatusServiceUnavailable, "同时上传的人太多,请稍等片刻再试")
	}
	for name, list := range files {
		field, code, ok := cutField(name)
		if !ok || field != "evidence" || strings.Contains(code, "-") {
			continue
		}
		t := form.in.Indicators[code]
		for _, f := range list {
			if f.Filename == "" && f.Size == 0 {
				continue
			}
			content, err := content(f)
			if err != nil {
				return free, err
			}
			t.Files = append(t.Files, reporting.Upload{Name: f.Filename, Content: content})
		}
		if len(t.Files) > 0 {
			form.in.Indicators[code] = t
		}
	}
	return free, nil
}

func content(f *multipart.FileHeader) (b []byte, err error) {
	in, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("open an uploaded file: %w", err)
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	b = make([]byte, f.Size)
	if _, err := io.ReadFull(in, b); err != nil {
		return nil, fmt.Errorf("read an uploaded file: %w", err)
	}
	return b, nil
}

// parseReport reads a month form's texts. What it does not know changes nothing.
func parseReport(values url.Values) (reportForm, error) {
	form := reportForm{in: reporting.FormInput{Indicators: map[string]reporting.Typed{}, Tasks: map[string]reporting.TaskTyped{}}}
	for name, vs := range values {
		for _, v := range append(slices.Clone(vs), name) {
			if !utf8.ValidString(v) || strings.ContainsRune(v, 0) {
				return form, problem(http.StatusBadRequest, "参数里有不能用的字符")
			}
		}
		if len(vs) > 1 && !reportMany.MatchString(name) {
			return form, problem(http.StatusBadRequest, fmt.Sprintf("参数“%s”出现了%d次,只能有一次", short(name), len(vs)))
		}
	}
	switch action := values.Get("action"); action {
	case "submit":
		form.submit = true
	case "save", "":
	default:
		return form, problem(http.StatusBadRequest, "表单只能保存或提交")
	}
	form.in.Key = values.Get("key")
	for name, vs := range values {
		field, code, ok := cutField(name)
		if !ok || len(vs) == 0 {
			continue
		}
		if err := form.take(field, code, vs, values); err != nil {
			return form, err
		}
	}
	// A box that is not ticked is not sent: it belongs to the value or the step.
	for code, t := range form.in.Indicators {
		t.Blind = !values.Has("revision[" + code + "]")
		form.in.Indicators[code] = t
		if t.NoChange == nil && (t.Value != nil || t.Step != nil) {
			no := false
			t.NoChange = &no
			form.in.Indicators[code] = t
		}
	}
	for name := range values {
		if field, code, ok := cutField(name); ok {
			form.pick(field, code, values.Get(name))
		}
	}
	return form, nil
}

// cutField takes value[4.1] apart.
func cutField(name string) (field, code string, ok bool) {
	m := fieldName.FindStringSubmatch(name)
	if m == nil {
		return "", "", false
	}
	return m[1], m[2], true
}

func (f *reportForm) take(field, code string, vs []string, all url.Values) error {
	text := &vs[0]
	if strings.Contains(code, ":") {
		scenario, place, _ := strings.Cut(code, ":")
		n, err := strconv.Atoi(place)
		if field != "milestone" || err != nil || n < 1 || n > len(landmark.MilestoneSteps) {
			return nil
		}
		if was, there := all["milestone_was["+code+"]"]; !there || was[0] != *text {
			f.in.Milestones = append(f.in.Milestones, reporting.MilestoneTyped{Scenario: scenario, Step: landmark.MilestoneSteps[n-1], On: *text})
		}
		return nil
	}
	if strings.Contains(code, "-") {
		t := f.in.Tasks[code]
		switch field {
		case "task_state":
			t.State = taskState(text)
		case "task_note":
			t.Note = text
		case "revision":
			n, err := revision(*text)
			if err != nil {
				return err
			}
			t.Version = &n
		default:
			return nil
		}
		f.in.Tasks[code] = t
		return nil
	}
	t := f.in.Indicators[code]
	switch field {
	case "value":
		t.Value = text
	case "step":
		t.Step = text
	case "note":
		t.Note = text
	case "reason":
		t.Reason = text
	case "nochange":
		yes := *text != "" && *text != "0" && *text != "false"
		t.NoChange = &yes
	case "revision":
		n, err := revision(*text)
		if err != nil {
			return err
		}
		t.Version = n
	case "remove":
		for _, v := range vs {
			id, err := strconv.ParseInt(v, 10, 64)
			if err != nil {
				return problem(http.StatusBadRequest, "要移除的文件编号写得不对")
			}
			t.Remove = append(t.Remove, id)
		}
	default:
		return nil
	}
	f.in.Indicators[code] = t
	return nil
}

// taskState is a state by its name in code or by the one people read.
func taskState(text *string) *string {
	for _, state := range landmark.TaskStates {
		if name := string(state); *text == state.Chinese() {
			return &name
		}
	}
	return text
}

// pick drops what the person gave up for what somebody else had saved meanwhile: a
// field that is not in the form stays as it is.
func (f *reportForm) pick(field, code, choice string) {
	what, picks := strings.CutPrefix(field, "pick_")
	if !picks || choice != "theirs" {
		return
	}
	if t, ok := f.in.Tasks[code]; ok {
		switch what {
		case "state":
			t.State = nil
		case "note":
			t.Note = nil
		}
		f.in.Tasks[code] = t
	}
	if t, ok := f.in.Indicators[code]; ok {
		switch what {
		case "value":
			t.Value = nil
		case "step":
			t.Step = nil
		case "note":
			t.Note = nil
		case "reason":
			t.Reason = nil
		case "nochange":
			t.NoChange = nil
		}
		f.in.Indicators[code] = t
	}
}

func revision(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > 1<<30 {
		return 0, problem(http.StatusBadRequest, "表单里的版本号写得不对,请刷新页面")
	}
	return n, nil
}

// lostFields reads the texts of a month form that cannot be taken, in the order
// they came in, and whether files were in it. Those are not kept.
func lostFields(r *http.Request) (fields []struct{ name, value string }, files bool, err error) {
	add := func(name, value string) {
		if utf8.ValidString(name) && utf8.ValidString(value) && !strings.ContainsRune(value, 0) {
			fields = append(fields, struct{ name, value string }{name, value})
		}
	}
	if r.PostForm != nil && r.MultipartForm == nil { // read before the failure
		for name, vs := range r.PostForm {
			for _, v := range vs {
				add(name, v)
			}
		}
		slices.SortFunc(fields, func(a, b struct{ name, value string }) int { return strings.Compare(a.name, b.name) })
		return fields, false, nil
	}
	if r.MultipartForm != nil {
		for name, vs := range r.MultipartForm.Value {
			for _, v := range vs {
				add(name, v)
			}
		}
		slices.SortFunc(fields, func(a, b struct{ name, value string }) int { return strings.Compare(a.name, b.name) })
		return fields, len(r.MultipartForm.File) > 0, nil
	}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "multipart/form-data" {
		if err := r.ParseForm(); err != nil {
			return nil, false, unreadable(err)
		}
		return lostFields(r)
	}
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, false, unreadable(err)
	}
	left := int64(reportTexts)
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return fields, files, nil
		}
		if err != nil {
			return fields, files, unreadable(err)
		}
		if part.FileName() != "" {
			files = true
			continue // the reader skips its content
		}
		if _, disposition, err := mime.ParseMediaType(part.Header.Get("Content-Disposition")); err == nil {
			if _, file := disposition["filename"]; file {
				continue
			}
		}
		b, err := io.ReadAll(io.LimitReader(part, left+1))
		if err != nil {
			return fields, files, unreadable(err)
		}
		if left -= int64(len(b)); left < 0 {
			return fields, files, problem(http.StatusRequestEntityTooLarge, "表单里的文字太多")
		}
		add(part.FormName(), string(b))
	}
}
