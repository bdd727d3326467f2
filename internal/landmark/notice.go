package landmark

import (
	"fmt"
	"strings"
	"time"
)

// NoticeKind is what a notice tells of.
type NoticeKind string

// The kinds of notices. The first four ask for a report that is still owed.
const (
	NoticeOpen      NoticeKind = "open"      // a month may be reported
	NoticeDue       NoticeKind = "due"       // two days before the due date
	NoticeLate      NoticeKind = "late"      // the due date has passed
	NoticeChase     NoticeKind = "chase"     // 催报 by the office
	NoticeSubmitted NoticeKind = "submitted" // for who decides next
	NoticeSigned    NoticeKind = "signed"    // for the office
	NoticeApproved  NoticeKind = "approved"
	NoticeReturned  NoticeKind = "returned"
)

// NoticeKinds are all of them, in the order of a month.
var NoticeKinds = []NoticeKind{NoticeOpen, NoticeDue, NoticeLate, NoticeChase, NoticeSubmitted, NoticeSigned, NoticeApproved, NoticeReturned}

// Chinese is the kind on pages.
func (k NoticeKind) Chinese() string {
	switch k {
	case NoticeOpen:
		return "开放报送"
	case NoticeDue:
		return "临近截止"
	case NoticeLate:
		return "逾期未报"
	case NoticeChase:
		return "催报"
	case NoticeSubmitted:
		return "提交"
	case NoticeSigned:
		return "签核"
	case NoticeApproved:
		return "核定"
	case NoticeReturned:
		return "退回"
	default:
		return string(k)
	}
}

// Asks says whether the notice asks for a report: it has no point any more once
// all that is owed has come in.
func (k NoticeKind) Asks() bool {
	return k == NoticeOpen || k == NoticeDue || k == NoticeLate || k == NoticeChase
}

// Audience is whom a notice is for.
type Audience string

// The audiences. The first two are people of the notice's department.
const (
	ForDepartment Audience = "department" // who reports and who signs
	ForLeader     Audience = "leader"     // who signs
	ForOffice     Audience = "office"
)

// Notice is something the program tells people by itself.
type Notice struct {
	ID         int64
	PlanID     int64
	Plan       string // slug
	Month      Month
	Department Department // it is about
	Audience   Audience
	Kind       NoticeKind
	Cause      string // tells notices of one kind and month apart; empty: there is one only
	Title      string
	Body       string
	Path       string // page to go on from, without the plan
	At         time.Time
	Seen       bool // by who reads it
}

// Href is the notice's page with its plan.
func (n Notice) Href() string {
	sep := "?"
	if strings.Contains(n.Path, "?") {
		sep = "&"
	}
	return n.Path + sep + "plan=" + n.Plan // a slug has nothing to escape
}

// Hears says whether a notice for an audience about a department is for the user.
func (u User) Hears(a Audience, departmentID int64) bool {
	switch a {
	case ForOffice:
		return u.Role == RoleOffice
	case ForLeader:
		return u.Role == RoleLeader && u.DepartmentID == departmentID
	default:
		return (u.Role == RoleReporter || u.Role == RoleLeader) && u.DepartmentID == departmentID
	}
}

const (
	// RemindHour is the hour of the day, in the city, before which nobody is
	// reminded of anything.
	RemindHour = 9
	// remindBefore is how many days before the due date a reminder goes out.
	remindBefore = 2
)

// Reminders are the reminders that departments ought to have had by the
// record's moment, each about what is still owed then: that a month is open,
// that it is due in two days or less, that it is late. A month asks from the
// day it opens to the day it is locked; a department that has sent all it owes
// is asked for nothing. They come again as long as they hold: whoever sends
// them sends each once.
func (r *Record) Reminders() []Notice {
	if r.AsOf.In(r.Zone).Hour() < RemindHour {
		return nil
	}
	var out []Notice
	today := r.Today()
	for _, m := range r.Plan.Months() {
		p := r.Period(m)
		if today.Compare(p.Opens) < 0 {
			continue
		}
		for _, d := range r.Plan.LeadDepartments() {
			due := r.DueFor(d.ID, m)
			if today.Compare(p.Lock) > 0 && today.Compare(due.AddDays(1)) > 0 {
				continue
			}
			owed := r.Owed(d.ID, m)
			if len(owed) == 0 {
				continue
			}
			n := Notice{PlanID: r.Plan.ID, Plan: r.Plan.Slug, Month: m, Department: d, Audience: ForDepartment, Path: "/reports/" + m.String(), At: r.AsOf}
			names := fmt.Sprintf("还有%d项没有报:%s。", len(owed), nameSome(owed))
			switch {
			case today.Compare(due) > 0:
				n.Kind, n.Title = NoticeLate, fmt.Sprintf("%s%s报送已逾期", d.Name, m.Short())
				n.Body = fmt.Sprintf("%s截止,%s请尽快补报,%s之后报送锁定。", due.Short(), names, p.Lock.Short())
				if today.Compare(p.Lock) >= 0 {
					n.Body = fmt.Sprintf("%s截止,%s请尽快补报。", due.Short(), names)
				}
			case today.Compare(due.AddDays(-remindBefore)) >= 0:
				n.Kind, n.Title = NoticeDue, fmt.Sprintf("%s%s报送%s截止", d.Name, m.Short(), due.Short())
				n.Body = names + "请在截止日前提交。"
			default:
				n.Kind, n.Title = NoticeOpen, fmt.Sprintf("%s%s报送已开放", d.Name, m.Short())
				n.Body = fmt.Sprintf("本月应报%d项,%s截止。", len(owed), due.Short())
			}
			out = append(out, n)
		}
	}
	return out
}

// Owed are the indicators of a department that owe a report of month m and have
// none yet.
func (r *Record) Owed(departmentID int64, m Month) []*Indicator {
	var out []*Indicator
	for _, project := range r.Plan.Led(departmentID) {
		for _, ind := range project.Indicators {
			if _, sent := r.FirstSubmitted(ind, m); !sent && r.Plan.Owes(ind, m) {
				out = append(out, ind)
			}
		}
	}
	return out
}

// nameSome names a few indicators: a message to a group is short.
func nameSome(list []*Indicator) string {
	const most = 5
	var names []string
	for _, ind := range list[:min(len(list), most)] {
		names = append(names, ind.Code+" "+ind.Name)
	}
	say := strings.Join(names, "、")
	if len(list) > most {
		say += "等"
	}
	return say
}
