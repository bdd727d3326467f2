package view

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"

	"landmark/internal/landmark"
)

// LoginPage is the door.
type LoginPage struct {
	Page
	Projects []string // of the newest plan, as a welcome
	Name     string   // as typed
	Next     string   // where to after signing in
	Fault    string   // one sentence; empty at the first visit
	Doors    []DemoDoor
	Code     bool   // the password was right: the code is asked
	Provider string // name of who else may say who somebody is; empty: nobody
}

// providerHref leads off to the provider, and in the end where the visitor wanted.
func providerHref(p LoginPage) string {
	return "/login/provider?" + url.Values{"next": {p.Next}}.Encode()
}

// DemoDoor lets a visitor of the demo in as one of its accounts.
type DemoDoor struct{ Account, Label string }

// NewDoors puts a door for each demo account: office and readers first, then
// department by department, who fills in before who signs.
func NewDoors(users []landmark.User) []DemoDoor {
	rank := map[landmark.Role]int{landmark.RoleOffice: -2, landmark.RoleViewer: -1, landmark.RoleReporter: 0, landmark.RoleLeader: 1}
	users = slices.Clone(users)
	slices.SortStableFunc(users, func(x, y landmark.User) int {
		return cmp.Or(
			cmp.Compare(min(rank[x.Role], 0), min(rank[y.Role], 0)),
			cmp.Compare(x.Department.Sort, y.Department.Sort),
			cmp.Compare(x.DepartmentID, y.DepartmentID),
			cmp.Compare(rank[x.Role], rank[y.Role]))
	})
	var doors []DemoDoor
	for _, u := range users {
		label := u.Role.Chinese()
		if u.Department.Name != "" {
			label = u.Department.Name + " · " + label
		}
		doors = append(doors, DemoDoor{Account: u.Name, Label: label})
	}
	return doors
}

// AccountPage is a person's own account.
type AccountPage struct {
	Page
	Faults   []Fault
	Sessions []SessionRow
	Rules    string // what a password must be, in words
	Outworn  bool   // the present one is too old and must be changed first

	FactorOn, FactorPossible bool // the second factor

	Email string // as stored or typed
	Mail  bool   // notices go out by mail
}

// refused is the heading of what has to be put right.
func (p AccountPage) refused() string {
	if FaultOf(p.Faults, "email") != "" {
		return "邮箱没有保存,请改正下面的内容"
	}
	return "密码没有改,请改正下面的内容"
}

// frame is the page around the form, whose title tells of a mistake first.
func (p AccountPage) frame() Page {
	frame := p.Page
	frame.Title = titled(frame.Title, len(p.Faults) > 0)
	return frame
}

// FactorPage is a person's own second factor.
type FactorPage struct {
	Page
	Possible bool       // it could be turned on
	Required bool       // it has to be, before anything else
	Since    *time.Time // when it was turned on; nil: it is off
	Left     int        // recovery codes
	Secret   string     // of an authenticator that waits for its first code
	Address  string     // the same for its camera
	QR       QR         // that address, drawn
	Codes    []string   // recovery codes just made, shown this once
	Next     string     // where to go on; empty: nowhere in particular
	Form     string     // the one that was refused
	Faults   []Fault    // of it
}

// QR is a code for cameras: dark squares on a light ground, Size in a row, as an
// SVG path.
type QR struct {
	Size int
	Path string
}

// box is the drawing's view box, with the light margin cameras need.
func (q QR) box() string {
	side := itoa(q.Size + 8)
	return "-4 -4 " + side + " " + side
}

func (p FactorPage) frame() Page {
	frame := p.Page
	frame.Title = titled(frame.Title, len(p.Faults) > 0)
	return frame
}

// fault is the sentence beside a field of one of the page's forms.
func (p FactorPage) fault(form, field string) string {
	if form != p.Form {
		return ""
	}
	return FaultOf(p.Faults, field)
}

// summary are the faults with the ids of their fields.
func (p FactorPage) summary() []Fault {
	var out []Fault
	for _, f := range p.Faults {
		if f.Field != "" {
			f.Field = fieldID(p.Form, f.Field)
		}
		out = append(out, f)
	}
	return out
}

// factorAgain says what a secret that is there already means.
func factorAgain(p FactorPage) string {
	if p.Secret == "" {
		return "先输入密码,生成一个只属于您的密钥。"
	}
	return "密钥已经生成,见下面;要换一个,再输入一次密码。"
}

func titled(title string, fault bool) string {
	if fault {
		return "错误:" + title
	}
	return title
}

// Fault is a mistake in a form: the sentence stands in the summary and beside
// the field.
type Fault struct{ Field, Message string }

// SessionRow is one place the person is signed in at.
type SessionRow struct {
	ID      string
	Address string
	Agent   string // the browser's own words
	Since   time.Time
	Current bool
}

// agentText names the browser and the system of a User-Agent header, as far as
// one can tell: enough to know one's own office computer again.
func agentText(header string) string {
	// The order matters: most browsers also claim to be the later ones.
	browser := firstIn(header, "MicroMessenger", "微信", "DingTalk", "钉钉", "QQBrowser", "QQ浏览器", "360SE", "360浏览器", "360EE", "360浏览器",
		"Edg", "Edge", "Firefox", "Firefox", "Chrome", "Chrome", "Safari", "Safari")
	system := firstIn(header, "HarmonyOS", "鸿蒙", "Android", "安卓", "iPhone", "iPhone", "iPad", "iPad", "Windows", "Windows", "Mac OS X", "macOS", "Linux", "Linux")
	switch {
	case browser == "" && system == "":
		return "不明"
	case browser == "":
		return system
	case system == "":
		return browser
	default:
		return browser + " · " + system
	}
}

// firstIn is the name of the first mark that stands in s; marks and names
// alternate.
func firstIn(s string, pairs ...string) string {
	for i := 0; i+1 < len(pairs); i += 2 {
		if strings.Contains(s, pairs[i]) {
			return pairs[i+1]
		}
	}
	return ""
}

// FaultOf is the sentence beside a field, empty if there is none.
func FaultOf(faults []Fault, field string) string {
	for _, f := range faults {
		if f.Field == field {
			return f.Message
		}
	}
	return ""
}

// ErrorPage says what went wrong and what to do.
type ErrorPage struct {
	Page
	Status  int
	Heading string
	Say     string
	Back    string // where to go on; empty: the overview
}

// NewError words an error page. message is the domain's own sentence, if there is
// one for people.
func NewError(p Page, status int, message string) ErrorPage {
	e := ErrorPage{Page: p, Status: status}
	switch status {
	case 400:
		e.Heading, e.Say = "地址或内容写得不对", "请检查网址里的月份、时间或编号,或者从总览重新进入。"
	case 403:
		e.Heading, e.Say = "没有权限", "您的账号不能看这一页或做这件事。如果工作需要,请联系市府办开通。"
	case 404:
		e.Heading, e.Say = "没有这一页", "网址可能抄错了,或者内容已经移走。请从总览进入。"
	case 405:
		e.Heading, e.Say = "不能这样打开", "这个地址只接受表单提交,请回到上一页再试。"
	case 409:
		e.Heading, e.Say = "刚被别人改动过", "您看到的内容已经变了,请刷新后再操作。"
	case 413:
		e.Heading, e.Say = "内容太大", "提交的内容超过了上限,请减小文件后再试。"
	case 422:
		e.Heading, e.Say = "有内容要改正", "请回到上一页,按提示改正后再提交。"
	case 429:
		e.Heading, e.Say = "操作太频繁", "请过一会儿再试。"
	case 503:
		e.Heading, e.Say = "暂时不能用", "系统正在恢复,数据没有丢。请过一分钟刷新这一页。"
	default:
		e.Heading, e.Say = "系统出错了", "错误已经记录。请过一会儿再试;如果还不行,请把下面的编号告诉市府办。"
	}
	if message != "" {
		e.Say = message
	}
	p.Title = e.Heading
	e.Page = p
	e.Body = "page-error"
	return e
}

func roleLine(u landmark.User) string {
	if u.Department.Name != "" {
		return u.Department.Name + " · " + u.Role.Chinese()
	}
	return u.Role.Chinese()
}

func backOf(p ErrorPage) string {
	if p.Back != "" {
		return p.Back
	}
	return "/"
}
