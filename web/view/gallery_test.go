package view

import (
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
	"golang.org/x/net/html"

	"landmark/internal/landmark"
)

// sharedPages are overview, key, sign-in, account and error pages in every state
// they have, by name.
func sharedPages() map[string]templ.Component {
	full, empty := madeRecord(), emptyRecord(madePlan())
	out := map[string]templ.Component{}
	overview := func(name string, r *landmark.Record, month int, sort string, filter landmark.Light, change func(*Page)) {
		p := madePage(r, month, "/")
		p.Title, p.CanChase = "总览", true
		if change != nil {
			change(&p)
		}
		out["overview"+name] = Overview(NewOverview(p, r.Board(landmark.MonthOf(2023, month)), sort, filter))
	}
	none := landmark.NoLight
	overview("", full, 9, "", none, nil)
	overview("-trouble", full, 9, "trouble", none, nil)
	overview("-dept", full, 9, "dept", none, nil)
	for _, l := range landmark.Lights {
		if l != none {
			overview("-only-"+string(l), full, 9, "no", l, func(p *Page) { p.Query.Set("status", string(l)) })
		}
	}
	for _, month := range []int{5, 10, 12} {
		overview("-"+itoa(month), full, month, "", none, nil)
	}
	overview("-empty", empty, 9, "", none, nil)
	overview("-empty-critical", empty, 9, "", landmark.Critical, nil)
	overview("-viewer", full, 9, "", none, func(p *Page) {
		p.User = landmark.User{ID: 2, Name: "viewer", DisplayName: "查阅员", Role: landmark.RoleViewer}
		p.CanChase = false
	})
	overview("-as-of", full, 9, "", none, func(p *Page) {
		p.Query.Set("as_of", "2023-10-06T09:30")
		at := time.Date(2023, 10, 6, 9, 30, 0, 0, shanghai)
		p.AsOf, p.Theme, p.Flash = &at, "dark", "已催报民政局"
		p.Plans = []PlanChoice{{Slug: "tongxiang-2023", Label: "桐乡市2023年共同富裕十大标志性成果"}, {Slug: "tongxiang-2024", Label: "桐乡市2024年共同富裕十大标志性成果"}}
	})

	key := func(name string, r *landmark.Record, month int) {
		p := madePage(r, month, "/key")
		p.Title = "关键指标"
		out["key"+name] = Key(NewKey(p, r.Board(landmark.MonthOf(2023, month))))
	}
	key("", full, 9)
	key("-worst", worstRecord(), 9)
	key("-5", full, 5)
	key("-12", full, 12)
	key("-empty", empty, 9)

	door := Page{Title: "登录", Path: "/login", Demo: true, Plan: full.Plan}
	var names []string
	for _, p := range full.Plan.Projects {
		names = append(names, p.Name)
	}
	doors := []DemoDoor{{"office", "市府办"}, {"viewer", "查阅"}, {"reporter-minzheng", "民政局 · 填报员"}, {"leader-minzheng", "民政局 · 部门负责人"}}
	out["login"] = Login(LoginPage{Page: door, Projects: names, Next: "/key?month=2023-08", Doors: doors})
	out["login-refused"] = Login(LoginPage{Page: door, Projects: names, Name: `"<office>`, Next: "/", Fault: "账号或密码不对。"})
	out["login-throttled"] = Login(LoginPage{Page: door, Projects: names, Name: "office", Next: "/", Fault: "输错的次数太多,请15分钟后再试。"})
	out["login-no-plan"] = Login(LoginPage{Page: Page{Title: "登录", Path: "/login", Theme: "dark"}, Next: "/"})

	mine := madePage(full, 9, "/account")
	mine.Title, mine.Plan, mine.Months = "我的账号", nil, nil
	edge := "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/118.0.0.0 Safari/537.36 Edg/118.0.2088.46"
	here := SessionRow{ID: "a1", Address: "10.1.2.3", Agent: edge, Since: full.AsOf.Add(-time.Hour), Current: true}
	there := SessionRow{ID: "b2", Address: "10.1.2.9", Agent: "Mozilla/5.0 (X11; Linux x86_64; rv:118.0) Gecko/20100101 Firefox/118.0", Since: full.AsOf.Add(-40 * time.Hour)}
	rules := "至少10个字。"
	out["account"] = Account(AccountPage{Page: mine, Sessions: []SessionRow{here, there}, Rules: rules})
	out["account-alone"] = Account(AccountPage{Page: mine, Sessions: []SessionRow{here}, Rules: rules})
	out["account-refused"] = Account(AccountPage{Page: mine, Sessions: []SessionRow{here}, Rules: rules, Faults: []Fault{{"old", "原密码不对"}, {"again", "两遍新密码不一样"}, {"", "请稍后再试"}}})
	forced := mine
	forced.Nav, forced.User = nil, landmark.User{ID: 3, Name: "reporter-minzheng", DisplayName: "填报员甲", Role: landmark.RoleReporter, DepartmentID: 4, Department: landmark.Department{ID: 4, Name: "民政局"}, MustChange: true}
	out["account-forced"] = Account(AccountPage{Page: forced, Sessions: []SessionRow{here}, Rules: rules})

	wrong := Page{Path: "/nowhere", RequestID: "Q7KX2M", User: mine.User, Nav: mine.Nav, Demo: true, PrintedAt: full.AsOf}
	for _, status := range errorStatuses {
		out["error-"+itoa(status)] = Error(NewError(wrong, status, ""))
	}
	out["error-message"] = Error(NewError(wrong, 409, "民政局9月的表刚被填报员甲改过"))
	wrong.User, wrong.Nav = landmark.User{}, nil
	out["error-signed-out"] = Error(NewError(wrong, 404, ""))
	return out
}

// worstRecord has the longest sentences that a sheet of nine may have to hold:
// every ★ owed and behind, several with an override whose reason is long.
func worstRecord() *landmark.Record {
	r := madeRecord()
	for i, ind := range r.Plan.Indicators() {
		if !ind.Key || ind.Kind == landmark.Qualitative {
			continue
		}
		ind.Measured = landmark.Monthly
		r.Values[ind.ID] = nil
		if i%3 != 0 {
			r.Values[ind.ID] = []landmark.Value{{Month: landmark.MonthOf(2023, 9), Amount: num("0.01"), ApprovedAt: r.AsOf.Add(-time.Hour)}}
		}
		if i%2 == 0 {
			r.Overrides[ind.ID] = []landmark.Override{{ID: int64(i), From: landmark.MonthOf(2023, 9), Until: landmark.MonthOf(2023, 9), Light: landmark.Behind, Reason: strings.Repeat("验收已排期十月集中认定", 6)}}
		}
	}
	return r
}

var errorStatuses = []int{400, 403, 404, 405, 409, 413, 422, 429, 500, 503}

func TestSharedPagesAreSound(t *testing.T) {
	t.Parallel()
	for name, page := range sharedPages() {
		text := render(t, page)
		leave(t, name, text)
		for _, fault := range append(faults(text), formFaults(t, text)...) {
			t.Errorf("%s: %s", name, fault)
		}
	}
}

// formFaults are fields without a label, forms that lead nowhere and buttons and
// links that say nothing.
func formFaults(t *testing.T, page string) []string {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	labelled := map[string]bool{}
	for n := range doc.Descendants() {
		if n.Data == "label" && words(n) != "" {
			labelled[attr(n, "for")] = true
		}
	}
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		switch n.Data {
		case "input", "select", "textarea":
			if attr(n, "type") != "hidden" && !labelled[attr(n, "id")] && attr(n, "aria-label") == "" {
				out = append(out, n.Data+" "+attr(n, "name")+" has no label")
			}
		case "form":
			if !strings.HasPrefix(attr(n, "action"), "/") {
				out = append(out, "form leads to "+attr(n, "action"))
			}
		case "a", "button", "th", "h1", "h2", "h3", "option":
			if words(n) == "" {
				out = append(out, n.Data+" says nothing: "+attr(n, "href")+attr(n, "value"))
			}
		}
	}
	return out
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// words are the text of an element, as one who listens to the page has it.
func words(n *html.Node) string {
	if label := attr(n, "aria-label"); label != "" {
		return label
	}
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}
