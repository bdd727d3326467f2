package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"log/slog"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"landmark/internal/auth"
	"landmark/internal/landmark"
	"landmark/internal/reporting"
	"landmark/internal/store"
	"landmark/web/view"
)

// httpError is a refusal of the server's own, with the sentence people read.
type httpError struct {
	status  int
	message string
}

func (e *httpError) Error() string { return e.message }

func problem(status int, message string) error { return &httpError{status, message} }

// errWaiting answers everybody until the database has been there once.
var errWaiting = problem(http.StatusServiceUnavailable, "系统正在启动,数据库还没有答复,请稍等片刻再试")

// errBusy answers who asks for another file while theirs, or others', are made.
var errBusy = problem(http.StatusTooManyRequests, "正在导出或导入的文件已经不少,请等上一个完成,过几秒再试")

func tooLarge(err error) bool {
	_, ok := errors.AsType[*http.MaxBytesError](err)
	return ok
}

// answerTo is the status and the sentence for an error. An error without a kind
// is internal, and nothing of it is shown.
func answerTo(err error) (int, string) {
	if e, ok := errors.AsType[*httpError](err); ok {
		return e.status, e.message
	}
	switch landmark.KindOf(err) {
	case landmark.NotFound:
		return http.StatusNotFound, landmark.MessageOf(err)
	case landmark.Invalid:
		return http.StatusUnprocessableEntity, landmark.MessageOf(err)
	case landmark.Conflict:
		return http.StatusConflict, landmark.MessageOf(err)
	case landmark.Forbidden:
		return http.StatusForbidden, landmark.MessageOf(err)
	}
	switch {
	case tooLarge(err):
		return http.StatusRequestEntityTooLarge, "发送的内容太大了,没有收下"
	case errors.Is(err, reporting.ErrScan):
		return http.StatusServiceUnavailable, "附件现在查不了病毒,带附件的表单暂时不能收。文字可以先不带附件保存,附件请过一会儿再传"
	case store.RefusesWrites(err):
		return http.StatusServiceUnavailable, "主数据库暂时没有答复,现在只能查看,不能保存和提交。请稍等片刻再试"
	case store.Unavailable(err):
		return http.StatusServiceUnavailable, "数据库暂时没有答复,请稍等片刻再试"
	default:
		return http.StatusInternalServerError, "系统出了差错,已经记录下来。请稍后再试;要是还不行,请把下面的编号告诉管理员。"
	}
}

// statusGone is logged for a visitor who did not wait for the answer.
const statusGone = 499

// fail answers a request that cannot be served. Nothing else writes an error
// page, and an error is logged here and nowhere before.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	s.failKeeping(w, r, err, nil)
}

// failKeeping is fail for a write that should not lose what was typed: where the
// reason may pass, lost writes the answer.
func (s *Server) failKeeping(w http.ResponseWriter, r *http.Request, err error, lost func(http.ResponseWriter, *http.Request, int, string) error) {
	v := auth.VisitFrom(r.Context())
	if cause := context.Cause(r.Context()); errors.Is(cause, store.ErrAway) {
		err = fmt.Errorf("%w: %w", cause, err)
	}
	if errors.Is(err, context.Canceled) && !errors.Is(err, store.ErrAway) && errors.Is(r.Context().Err(), context.Canceled) {
		w.WriteHeader(statusGone)
		return
	}
	status, message := answerTo(err)
	level := slog.LevelInfo
	switch {
	case status >= http.StatusInternalServerError:
		level = slog.LevelError
	case status == http.StatusForbidden:
		level = slog.LevelWarn
	}
	s.log.LogAttrs(r.Context(), level, "refused", slog.String("request", v.RequestID), slog.Int64("user", v.User.ID),
		slog.String("address", v.Address), slog.Int("status", status), slog.String("error", err.Error()))

	h := w.Header()
	for _, name := range []string{"Content-Disposition", "Content-Length", "Content-Encoding", "Etag", "Last-Modified"} {
		h.Del(name) // of the answer that failed
	}
	h.Set("Cache-Control", "no-store")
	if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
		h.Set("Retry-After", "5")
	}
	if isAPI(r) {
		s.answerJSON(w, r, status, apiError{Status: status, Message: message, Request: v.RequestID})
		return
	}
	if lost != nil && (status == http.StatusUnauthorized || status >= http.StatusInternalServerError) {
		lostErr := lost(w, r.WithContext(context.WithoutCancel(r.Context())), status, message) // its time may be what ran out
		if lostErr == nil {
			return
		}
		s.log.LogAttrs(r.Context(), slog.LevelWarn, "what was typed could not be given back", slog.String("request", v.RequestID), slog.String("error", lostErr.Error()))
	}
	s.answerError(w, r, status, message)
}

// apiError is an error as programs read it.
type apiError struct {
	Status  int    `json:"status"`
	Message string `json:"message"`
	Request string `json:"request"`
}

func (s *Server) answerJSON(w http.ResponseWriter, r *http.Request, status int, body any) {
	b, err := json.Marshal(body)
	if err != nil {
		s.log.ErrorContext(r.Context(), "encode an answer", "request", auth.VisitFrom(r.Context()).RequestID, "error", err)
		status, b = http.StatusInternalServerError, []byte("{}")
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n')) // the visitor has gone: nobody to tell
}

// answerError writes an error page. It looks nothing up: the database may be
// what failed.
func (s *Server) answerError(w http.ResponseWriter, r *http.Request, status int, message string) {
	p := s.bare(r, "")
	if status == http.StatusUnauthorized || !p.User.SignedIn() {
		p.Nav = nil
	}
	// Its time may be what ran out: the page is still given.
	kept := r.WithContext(context.WithoutCancel(r.Context()))
	if err := s.render(w, kept, status, view.Error(view.NewError(p, status, message))); err != nil {
		s.log.ErrorContext(r.Context(), "render an error page", "request", p.RequestID, "error", err)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(status)
		_, _ = w.Write(lastResort(status, message, p.RequestID)) // the visitor has gone: nobody to tell
	}
}

// lastResort is an error page that needs nothing that could fail.
func lastResort(status int, message, requestID string) []byte {
	return fmt.Appendf(nil, `<!DOCTYPE html><html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">`+
		`<title>%d</title></head><body><main><h1>%d</h1><p>%s</p><p>编号 %s</p><p><a href="/">回到总览</a></p></main></body></html>`,
		status, status, html.EscapeString(message), html.EscapeString(requestID))
}

// notFound answers every address there is no route for.
func (s *Server) notFound(http.ResponseWriter, *http.Request) error {
	return problem(http.StatusNotFound, "没有这个页面。请检查网址,或者从首页进入。")
}

// notAllowed answers a method an address does not have.
func (s *Server) notAllowed(w http.ResponseWriter, r *http.Request) error {
	var allowed []string
	for _, m := range []string{http.MethodGet, http.MethodPost} {
		if s.router.Match(chi.NewRouteContext(), m, r.URL.Path) {
			allowed = append(allowed, m)
		}
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	return problem(http.StatusMethodNotAllowed, "这个地址不能这样使用。")
}

func isAPI(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/api/") }
