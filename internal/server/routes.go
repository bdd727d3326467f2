package server

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/klauspost/compress/gzhttp"

	"landmark/internal/auth"

	"landmark/internal/store"
)

// handler answers a request or says why not. It has written nothing when it
// returns an error: one function, fail, answers those.
type handler func(w http.ResponseWriter, r *http.Request) error

// route is one address and method with all that is decided about it.
type route struct {
	method, pattern string
	right           Right
	handle          handler

	kept    keeping       // whether its page is kept for those who ask after
	many    []string      // parameters that may come more than once
	body    int64         // bytes a body may have, by default 64 KiB
	timeout time.Duration // for the work, by default the server's deadline
	costly  bool          // makes or reads a whole file: few at a time
	// lost answers a write that could not be taken for reasons that pass (nobody is
	// signed in any more, the database is away), so that what was typed is not lost.
	lost func(w http.ResponseWriter, r *http.Request, status int, message string) error
}

const defaultBody = 64 << 10

// providerTime is for asking the provider of sign-ins: what it is, who it is, its keys.
const providerTime = 20 * time.Second

// routes are all of them. A resource's handlers stand in its own file.
func (s *Server) routes() []route {
	const get, post = http.MethodGet, http.MethodPost
	all := []route{
		// For programs.
		{method: get, pattern: "/healthz", right: RightOpen, handle: s.healthz},
		{method: get, pattern: "/readyz", right: RightOpen, handle: s.readyz},
		{method: get, pattern: "/static/*", right: RightOpen, handle: s.static},

		// Reading the plan.
		{method: get, pattern: "/", right: RightRead, handle: s.showOverview, kept: keptDay},
		{method: get, pattern: "/key", right: RightRead, handle: s.showKey, kept: keptDay},
		{method: get, pattern: "/projects/{number}", right: RightRead, handle: s.showProject, kept: keptDay},
		{method: get, pattern: "/indicators/{code}", right: RightRead, handle: s.showIndicator, kept: keptDay},
		{method: get, pattern: "/matrix", right: RightRead, handle: s.showMatrix, kept: keptDay},
		{method: get, pattern: "/departments", right: RightRead, handle: s.showDepartments, kept: keptDay},
		{method: get, pattern: "/departments/{slug}", right: RightRead, handle: s.showDepartment, kept: keptDay},
		{method: get, pattern: "/tasks", right: RightRead, handle: s.showTasks, kept: keptDay},
		{method: get, pattern: "/scenarios", right: RightRead, handle: s.showScenarios, kept: keptDay},
		{method: get, pattern: "/search", right: RightRead, handle: s.showSearch, kept: keptDay},
		{method: get, pattern: "/screen", right: RightRead, handle: s.showScreen, kept: keptMinute},
		{method: get, pattern: "/history", right: RightMember, handle: s.showHistory},

		// A department's month.
		{method: get, pattern: "/reports", right: RightForm, handle: s.showReports},
		{method: get, pattern: "/reports/{month}", right: RightForm, handle: s.showReport},
		{method: post, pattern: "/reports/{month}", right: RightForm, handle: s.takeReport, body: reportBody, timeout: uploadTime, lost: s.showLost},
		{method: post, pattern: "/reports/{month}/sheet", right: RightForm, handle: s.takeSheet, body: sheetBody, timeout: time.Minute, costly: true},
		{method: post, pattern: "/reports/{month}/preview", right: RightForm, handle: s.previewReport, body: reportTexts},
		{method: get, pattern: "/evidence/{id}", right: RightForm, handle: s.exportEvidence},

		// What the program tells people by itself.
		{method: get, pattern: "/notices", right: RightMember, handle: s.showNotices},
		{method: post, pattern: "/notices", right: RightMember, handle: s.seeNotices},

		// Deciding about it.
		{method: get, pattern: "/review", right: RightOffice, handle: s.showReview},
		{method: post, pattern: "/review", right: RightOffice, handle: s.review, many: []string{"report"}},
		{method: post, pattern: "/review/chase", right: RightOffice, handle: s.chase, many: []string{"department"}},
		{method: get, pattern: "/signoff", right: RightLead, handle: s.showSignOff},
		{method: post, pattern: "/signoff", right: RightLead, handle: s.signOff, many: []string{"report"}},

		// Upkeep by the office.
		{method: get, pattern: "/admin", right: RightOffice, handle: s.showUpkeep},
		{method: get, pattern: "/admin/indicators", right: RightOffice, handle: s.showUpkeepIndicators},
		{method: get, pattern: "/admin/indicators/{code}", right: RightOffice, handle: s.showUpkeepIndicator},
		{method: post, pattern: "/admin/indicators/{code}", right: RightOffice, handle: s.keepIndicator},
		{method: get, pattern: "/admin/periods", right: RightOffice, handle: s.showUpkeepPeriods},
		{method: post, pattern: "/admin/periods", right: RightOffice, handle: s.keepPeriods},
		{method: get, pattern: "/admin/rules", right: RightOffice, handle: s.showUpkeepRules},
		{method: get, pattern: "/admin/rules/preview", right: RightOffice, handle: s.previewRule},
		{method: post, pattern: "/admin/rules", right: RightOffice, handle: s.adoptRule},
		{method: get, pattern: "/admin/plans", right: RightOffice, handle: s.showUpkeepPlans},
		{method: post, pattern: "/admin/plans", right: RightOffice, handle: s.copyPlan},
		{method: get, pattern: "/admin/users", right: RightOffice, handle: s.showUpkeepUsers},
		{method: post, pattern: "/admin/users", right: RightOffice, handle: s.addUser},
		{method: get, pattern: "/admin/users/{name}", right: RightOffice, handle: s.showUpkeepUser},
		{method: post, pattern: "/admin/users/{name}", right: RightOffice, handle: s.keepUser},
		{method: get, pattern: "/admin/departments", right: RightOffice, handle: s.showUpkeepDepartments},
		{method: post, pattern: "/admin/departments", right: RightOffice, handle: s.keepDepartments},
		{method: get, pattern: "/admin/letterhead", right: RightOffice, handle: s.showLetterhead},
		{method: post, pattern: "/admin/letterhead", right: RightOffice, handle: s.keepLetterhead},

		{method: get, pattern: "/admin/notices", right: RightOffice, handle: s.showUpkeepNotices},
		{method: post, pattern: "/admin/notices", right: RightOffice, handle: s.resendNotice},
		{method: get, pattern: "/admin/robots", right: RightOffice, handle: s.showUpkeepRobots},
		{method: post, pattern: "/admin/robots", right: RightOffice, handle: s.keepRobots},

		// The bulletin.
		{method: get, pattern: "/bulletins", right: RightRead, handle: s.showBulletins},
		{method: get, pattern: "/bulletins/{month}", right: RightRead, handle: s.showBulletin},
		{method: post, pattern: "/bulletins/{month}", right: RightOffice, handle: s.writeBulletin, body: bulletinBody},
		{method: get, pattern: "/bulletins/{month}/file", right: RightRead, handle: s.exportBulletin, costly: true},
		{method: get, pattern: "/bulletins/{month}/letters/{department}", right: RightOffice, handle: s.showLetter},
		{method: post, pattern: "/bulletins/{month}/letters/{department}", right: RightOffice, handle: s.writeLetter, body: bulletinBody},
		{method: get, pattern: "/bulletins/{month}/letters/{department}/file", right: RightOffice, handle: s.exportLetter, costly: true},

		// Its data for other programs.
		{method: get, pattern: "/export/indicators.csv", right: RightRead, handle: s.exportIndicators, costly: true},
		{method: get, pattern: "/export/indicators.xlsx", right: RightRead, handle: s.exportIndicatorsWorkbook, costly: true},
		{method: get, pattern: "/export/reports.xlsx", right: RightForm, handle: s.exportReports, costly: true},
		{method: get, pattern: "/export/matrix.txt", right: RightRead, handle: s.exportMatrix, costly: true},
		{method: get, pattern: "/export/matrix.xlsx", right: RightRead, handle: s.exportWorkbook, costly: true},
		{method: get, pattern: "/api/v1/indicators", right: RightRead, handle: s.apiIndicators},
		{method: get, pattern: "/api/v1/openapi.json", right: RightPublic, handle: s.openAPI},

		// Signing in.
		{method: get, pattern: "/login", right: RightPublic, handle: s.showLogin},
		{method: post, pattern: "/login", right: RightPublic, handle: s.login},
		{method: get, pattern: "/login/code", right: RightPublic, handle: s.showLoginCode},
		{method: post, pattern: "/login/code", right: RightPublic, handle: s.loginCode},
		{method: get, pattern: "/login/provider", right: RightPublic, handle: s.loginProvider, timeout: providerTime},
		{method: get, pattern: providerCallback, right: RightPublic, handle: s.loginFromProvider, timeout: providerTime},
		{method: post, pattern: "/logout", right: RightPublic, handle: s.logout},
		{method: post, pattern: "/theme", right: RightPublic, handle: s.theme},
		{method: get, pattern: "/account", right: RightOwn, handle: s.showAccount},
		{method: post, pattern: "/account/password", right: RightOwn, handle: s.changePassword},
		{method: get, pattern: "/account/factor", right: RightOwn, handle: s.showFactor},
		{method: post, pattern: "/account/factor", right: RightOwn, handle: s.keepFactor},
		{method: post, pattern: "/account/email", right: RightOwn, handle: s.keepEmail},
		{method: post, pattern: "/account/sessions/end", right: RightOwn, handle: s.endSession},
	}
	if s.demo {
		all = append(all, route{method: post, pattern: "/login/demo", right: RightPublic, handle: s.loginDemo})
	}
	if !s.metricsElsewhere {
		all = append(all, route{method: get, pattern: "/metrics", right: RightOpen, handle: s.showMetrics})
	}
	return all
}

// build puts the layers around the routes, outermost first. Around all of it stand
// traces, the client's address and what answers kept pages before anything else.
func (s *Server) build(routes []route) (*chi.Mux, http.Handler, error) {
	for _, rt := range routes {
		if err := rt.check(); err != nil {
			return nil, nil, err
		}
	}
	compress, err := gzhttp.NewWrapper(gzhttp.MinSize(1024))
	if err != nil {
		return nil, nil, fmt.Errorf("compression: %w", err)
	}
	r := chi.NewRouter()
	r.Use(
		s.visit,   // the request's id; what inner layers find out, outer ones see
		s.observe, // log and metrics see the final status, also after a panic
		s.headers, // on every answer, error pages too
		func(next http.Handler) http.Handler { return compress(next) }, // outside of all that writes
		s.recover,          // inside of the log, outside of all that may panic
		s.sameOrigin,       // before a session is looked up for a forged write
		middleware.GetHead, // last: it decides which route a HEAD takes
	)
	r.NotFound(s.wrap(route{right: RightPublic, handle: s.notFound}))
	r.MethodNotAllowed(s.wrap(route{right: RightPublic, handle: s.notAllowed}))
	for _, rt := range routes {
		r.Method(rt.method, rt.pattern, s.wrap(rt))
	}
	outer := s.clientIP()(s.express(routes, r)) // the address first: both name the client
	if s.trace != nil {
		outer = s.trace(outer)
	}
	return r, outer, nil
}

// wrap puts around a handler what depends on its route, in this order: how long
// it may take, how much may be sent, who asks, whether they may, whether the
// parameters are sound.
func (s *Server) wrap(rt route) http.HandlerFunc {
	fail := s.fail
	if rt.lost != nil {
		fail = func(w http.ResponseWriter, r *http.Request, err error) { s.failKeeping(w, r, err, rt.lost) }
	}
	var h http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ok, err := s.guard(w, r, rt)
		if err == nil && ok {
			err = checkParameters(r, rt.many)
		}
		if err == nil && ok && rt.costly {
			leave := s.gate.enter(r.Context(), auth.VisitFrom(r.Context()).User.ID)
			if leave == nil {
				fail(w, r, errBusy)
				return
			}
			defer leave()
		}
		if err == nil && ok {
			err = s.keep(w, s.sharing(r), rt)
		}
		if err != nil {
			fail(w, r, err)
		}
	})
	if rules[rt.right].session {
		h = s.auth.Load(fail)(h)
	}
	limit, timeout := rt.body, rt.timeout
	if limit == 0 {
		limit = defaultBody
	}
	if timeout == 0 {
		timeout = s.deadline
	}
	return func(w http.ResponseWriter, r *http.Request) {
		if s.waiting.Load() && rt.right != RightOpen {
			fail(w, r, errWaiting)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), timeout)
		defer cancel()
		if s.pair != nil && rules[rt.right].session {
			switch state := s.pair.State(); {
			case !state.Away:
				var leave context.CancelFunc
				ctx, leave = s.pair.While(ctx)
				defer leave()
			case state.ReadOnly: // what writes is refused by the standby
				ctx = store.OnStandby(ctx, state)
			default:
				fail(w, r, store.ErrAway)
				return
			}
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		h.ServeHTTP(w, r.WithContext(ctx))
	}
}
