package server

import (
	"fmt"
	"net/http"
	"net/url"

	"landmark/internal/auth"
	"landmark/internal/landmark"
)

// Right names who may use a route. Handlers still ask the domain about the
// object at hand: whose department, which state.
type Right string

// The rights.
const (
	RightOpen   Right = "open"   // everybody, and nobody is asked who they are: files, health
	RightPublic Right = "public" // everybody
	RightOwn    Right = "own"    // each signed-in person, about themselves
	RightRead   Right = "read"   // each signed-in person
	RightMember Right = "member" // the office, and who reports or signs for a department
	RightForm   Right = "form"   // the office, and everybody of a department: month forms
	RightLead   Right = "lead"   // who signs for a department
	RightOffice Right = "office" // the office: review, plan, periods, rules, users
)

// rule is what a right comes to.
type rule struct {
	session bool // who asks is looked up
	visitor bool // signing in is not needed
	before  bool // also while a generated password waits to be changed, or a second factor to be had
	may     func(u landmark.User) bool
}

func anyone(landmark.User) bool { return true }

func role(roles ...landmark.Role) func(landmark.User) bool {
	return func(u landmark.User) bool {
		for _, r := range roles {
			if u.Role == r {
				return true
			}
		}
		return false
	}
}

// rules are all rights. testdata/rights.csv says what they come to for every
// route and every kind of person, and a test holds the two together.
var rules = map[Right]rule{
	RightOpen:   {visitor: true, before: true, may: anyone},
	RightPublic: {session: true, visitor: true, before: true, may: anyone},
	RightOwn:    {session: true, before: true, may: anyone},
	RightRead:   {session: true, may: anyone},
	RightMember: {session: true, may: role(landmark.RoleOffice, landmark.RoleReporter, landmark.RoleLeader)},
	RightForm:   {session: true, may: func(u landmark.User) bool { return u.Role == landmark.RoleOffice || u.DepartmentID != 0 }},
	RightLead:   {session: true, may: role(landmark.RoleLeader)},
	RightOffice: {session: true, may: role(landmark.RoleOffice)},
}

// guard lets through who has the route's right. It sends a visitor to sign in,
// somebody with a generated password to change it, and somebody who needs a
// second factor to get one.
func (s *Server) guard(w http.ResponseWriter, r *http.Request, rt route) (bool, error) {
	rule := rules[rt.right]
	v := auth.VisitFrom(r.Context())
	u := v.User
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case !u.SignedIn() && rule.visitor:
		return true, nil
	case !u.SignedIn() && isAPI(r):
		return false, problem(http.StatusUnauthorized, "请先登录")
	case !u.SignedIn() && rt.lost != nil && !reads:
		return false, problem(http.StatusUnauthorized, "登录已经过期")
	case !u.SignedIn():
		next := r.URL.RequestURI()
		if !reads { // the page the form stood on, as far as we know it
			next = localPath(r.Referer(), r.Host)
		}
		http.Redirect(w, r, "/login?next="+url.QueryEscape(next), http.StatusSeeOther)
		return false, nil
	case u.MustChange && !rule.before && (isAPI(r) || !reads):
		if v.Outworn {
			return false, landmark.Errorf(landmark.Forbidden, "", "密码用得太久了,请先更换密码")
		}
		return false, landmark.Errorf(landmark.Forbidden, "", "请先修改初始密码")
	case u.MustChange && !rule.before:
		http.Redirect(w, r, "/account?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
		return false, nil
	case v.MustEnrol && !rule.before && (isAPI(r) || !reads):
		return false, landmark.Errorf(landmark.Forbidden, "", "请先开启两步验证")
	case v.MustEnrol && !rule.before:
		http.Redirect(w, r, "/account/factor?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
		return false, nil
	case !rule.may(u):
		return false, landmark.Errorf(landmark.Forbidden, "", "您的账号(%s)没有这项权限", u.Role.Chinese())
	}
	return true, nil
}

// check says what is wrong with a route's declaration.
func (rt route) check() error {
	if _, ok := rules[rt.right]; !ok {
		return fmt.Errorf("route %s %s declares no right: %q", rt.method, rt.pattern, rt.right)
	}
	if rt.handle == nil {
		return fmt.Errorf("route %s %s has no handler", rt.method, rt.pattern)
	}
	return nil
}
