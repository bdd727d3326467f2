package landmark

import "time"

// Role is what an account is for.
type Role string

// The roles. A reporter and a leader belong to one department.
const (
	RoleOffice   Role = "office"   // edits the plan, reviews, issues bulletins, manages users
	RoleReporter Role = "reporter" // fills in its department's month
	RoleLeader   Role = "leader"   // signs its department's month off
	RoleViewer   Role = "viewer"   // leadership and cooperating departments: reads
)

// Roles are all of them.
var Roles = []Role{RoleOffice, RoleReporter, RoleLeader, RoleViewer}

// Chinese is the role on pages.
func (r Role) Chinese() string {
	switch r {
	case RoleOffice:
		return "市府办"
	case RoleReporter:
		return "填报员"
	case RoleLeader:
		return "部门负责人"
	default:
		return "查阅"
	}
}

// NeedsDepartment says whether the role belongs to one department.
func (r Role) NeedsDepartment() bool { return r == RoleReporter || r == RoleLeader }

// User is an account. The zero User is a visitor who has not signed in.
type User struct {
	ID           int64
	Name         string // for signing in
	DisplayName  string
	Role         Role
	DepartmentID int64 // a viewer may have one too: a cooperating department
	Department   Department
	Email        string // where notices go by mail; empty: nowhere
	MustChange   bool   // the password was generated and must be changed first
	SecondFactor bool   // signing in by password asks for a code as well
	Disabled     bool
	CreatedAt    time.Time
}

// SignedIn says whether there is a user at all.
func (u User) SignedIn() bool { return u.ID != 0 }

// CanReport says whether u fills in a department's month.
func (u User) CanReport(departmentID int64) bool {
	return u.Role == RoleReporter && departmentID != 0 && u.DepartmentID == departmentID
}

// CanSignOff says whether u signs a department's month off.
func (u User) CanSignOff(departmentID int64) bool {
	return u.Role == RoleLeader && departmentID != 0 && u.DepartmentID == departmentID
}

// CanReview says whether u approves and returns reports.
func (u User) CanReview() bool { return u.Role == RoleOffice }

// CanEditPlan says whether u changes plan, periods, rules, overrides and users.
func (u User) CanEditPlan() bool { return u.Role == RoleOffice }

// CanIssue says whether u edits and issues bulletins and chase letters.
func (u User) CanIssue() bool { return u.Role == RoleOffice }

// CanSeeUnapproved says whether u sees what a department has on the way.
func (u User) CanSeeUnapproved(departmentID int64) bool {
	return u.Role == RoleOffice || u.CanReport(departmentID) || u.CanSignOff(departmentID)
}

// CanNote says whether u adds progress notes to a task of project: its lead's
// reporter, or someone of a cooperating department.
func (u User) CanNote(p *Project) bool {
	if u.DepartmentID == 0 {
		return false
	}
	if u.CanReport(p.Lead.ID) {
		return true
	}
	for _, c := range p.Cooperating {
		if c.Department.ID == u.DepartmentID {
			return true
		}
	}
	return false
}
