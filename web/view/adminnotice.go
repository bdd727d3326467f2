package view

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"landmark/internal/landmark"
)

// UpkeepNotices is what the log of notices sent out is made from.
type UpkeepNotices struct {
	List        []UpkeepDelivery // newest first
	Older       bool             // more follow
	Counts      map[string]int   // deliveries by state
	Mail        bool             // there is a mail server
	Robots      int
	Departments []landmark.Department
	Zone        *time.Location
	Typed       Typed
}

// UpkeepDelivery is one notice on its way to one recipient.
type UpkeepDelivery struct {
	ID        int64
	Notice    landmark.Notice
	Channel   string // mail, dingtalk, wecom
	Recipient string // a mail address or a robot's name
	State     string
	LastError string
	At        time.Time
	Tries     []UpkeepTry
}

// UpkeepTry is one try of it.
type UpkeepTry struct {
	Began, Ended time.Time // Ended zero: cut off
	Error        string
}

var channelOptions = []Option{{Value: "mail", Text: "邮件"}, {Value: "dingtalk", Text: "钉钉"}, {Value: "wecom", Text: "企业微信"}}

var deliveryStates = []Option{{Value: "pending", Text: "等待发送"}, {Value: "delivered", Text: "已送达"}, {Value: "failed", Text: "没有送达"}, {Value: "dropped", Text: "不再发送"}}

func textOf(list []Option, value string) string {
	for _, o := range list {
		if o.Value == value {
			return o.Text
		}
	}
	return value
}

// shownTries is how many tries of a delivery are listed.
const shownTries = 3

func triesText(zone *time.Location, tries []UpkeepTry) string {
	var out []string
	first := max(0, len(tries)-shownTries)
	for _, t := range tries[first:] {
		say := t.Error
		switch {
		case t.Ended.IsZero():
			say = "中断,不知是否送达"
		case say == "":
			say = "送达"
		}
		out = append(out, Moment(t.Began.In(zone))+" "+say)
	}
	return strings.Join(out, ";")
}

// NewUpkeepNoticesPage is GET /admin/notices. It takes state, channel, department
// and kind in its address.
func NewUpkeepNoticesPage(page Page, in UpkeepNotices) UpkeepPage {
	p := newUpkeep(page, "通知发送")
	p.Sub = "系统发出的邮件和群消息:发给了谁,送到没有,每次尝试的结果。站内通知不受影响。"
	mail := "没有设置(SMTP_URL)"
	if in.Mail {
		mail = "已设置"
	}
	p.Facts = []Fact{{Term: "邮件服务器", Text: mail}, {Term: "群机器人", Text: fmt.Sprintf("%d个", in.Robots)}}
	for _, s := range deliveryStates {
		p.Facts = append(p.Facts, Fact{Term: s.Text, Text: fmt.Sprintf("%d条", in.Counts[s.Value])})
	}
	p.Links = []Link{{"群机器人", p.at("/admin/robots")}, {"账号和邮箱", p.at("/admin/users")}}
	q := page.Query
	kinds := []Option{{Text: "全部事由"}}
	for _, k := range landmark.NoticeKinds {
		kinds = append(kinds, Option{Value: string(k), Text: k.Chinese()})
	}
	f := Typed{}.form(UpkeepForm{ID: "f", Fields: []UpkeepField{
		{Name: "state", Label: "状态", Kind: "select", Options: append([]Option{{Text: "全部"}}, deliveryStates...), Value: q.Get("state")},
		{Name: "channel", Label: "渠道", Kind: "select", Options: append([]Option{{Text: "全部渠道"}}, channelOptions...), Value: q.Get("channel")},
		{Name: "department", Label: "部门", Kind: "select", Options: departmentOptions("全部部门", in.Departments), Value: q.Get("department")},
		{Name: "kind", Label: "事由", Kind: "select", Options: kinds, Value: q.Get("kind")},
	}})
	p.Filters = &UpkeepFilters{What: "发送记录", Fields: f.Fields}
	if q.Get("state")+q.Get("channel")+q.Get("department")+q.Get("kind") != "" {
		p.Filters.All = p.at("/admin/notices")
	}
	t := &UpkeepTable{Caption: "发送记录", Head: []string{"通知", "发给", "状态", "尝试", "生成"}, Empty: "没有符合条件的发送记录。"}
	for _, d := range in.List {
		state := UpkeepCell{Text: textOf(deliveryStates, d.State), Sub: d.LastError}
		if d.State == "failed" {
			state.Text, state.Flag = "", textOf(deliveryStates, d.State)
			state.Button = &UpkeepForm{ID: "resend", Action: p.to("/admin/notices"), Submit: "重发", Title: ":" + d.Notice.Title, Hidden: []pair{{"delivery", i64(d.ID)}}}
		}
		t.Rows = append(t.Rows, UpkeepRow{Dim: d.State == "dropped", Cells: []UpkeepCell{
			{Text: d.Notice.Title, Sub: d.Notice.Kind.Chinese() + " · " + d.Notice.Department.Name},
			{Text: d.Recipient, Sub: textOf(channelOptions, d.Channel)}, state,
			{Text: fmt.Sprintf("%d次", len(d.Tries)), Sub: triesText(in.Zone, d.Tries)}, {Text: Moment(d.At.In(in.Zone))}}})
	}
	if q.Get("before") != "" {
		p.Links = append(p.Links, Link{"最新的记录", p.With("before", "")})
	}
	if in.Older && len(in.List) > 0 {
		p.Links = append(p.Links, Link{"更早的记录", p.With("before", i64(in.List[len(in.List)-1].ID))})
	}
	p.Sections = []UpkeepSection{{ID: "log", Title: "发送记录", Note: fmt.Sprintf("本页%d条", len(t.Rows)), Table: t}}
	in.Typed.shown(&p)
	if in.Typed.Form != "" {
		p.Refused = "没有重发"
	}
	return p
}

// UpkeepRobot is a group robot in the list. URL is shown as its host alone.
type UpkeepRobot struct {
	ID         int64
	Name, Kind string
	URL        string
	Signed     bool
	Department landmark.Department
	By         string
	At         time.Time
}

// NewUpkeepRobotsPage is GET /admin/robots and the answer to a refused form of it.
func NewUpkeepRobotsPage(page Page, zone *time.Location, list []UpkeepRobot, departments []landmark.Department, typed Typed) UpkeepPage {
	p := newUpkeep(page, "群机器人")
	p.Crumbs = append(p.Crumbs, Link{"通知发送", p.at("/admin/notices")})
	p.Sub = "部门的机器人收本部门的提醒和审核结果;市府办的机器人收各部门的提交,以及全部部门的催报提醒。"
	t := &UpkeepTable{Caption: "群机器人", Head: []string{"名称", "平台", "归属", "地址", "添加", "操作"}, Empty: "还没有群机器人。"}
	for _, r := range list {
		host := ""
		if u, err := url.Parse(r.URL); err == nil {
			host = u.Host
		}
		kind := UpkeepCell{Text: textOf(channelOptions, r.Kind)}
		if r.Signed {
			kind.Sub = "加签"
		}
		whose := r.Department.Name
		if whose == "" {
			whose = "市府办"
		}
		t.Rows = append(t.Rows, UpkeepRow{Cells: []UpkeepCell{{Text: r.Name}, kind, {Text: whose}, {Text: host + "/…"}, {Text: r.By, Sub: Moment(r.At.In(zone))},
			{Button: &UpkeepForm{ID: "remove", Action: p.to("/admin/robots"), Submit: "删除", Title: ":" + r.Name, Hidden: []pair{{"robot", i64(r.ID)}}}}}})
	}
	form := typed.form(UpkeepForm{ID: "add", Action: p.to("/admin/robots"), Submit: "添加机器人", Note: "地址和密钥保存以后不再显示;要换,请删除后重新添加。",
		Fields: []UpkeepField{
			{Name: "name", Label: "名称", Hint: "例如 民政局工作群"},
			{Name: "kind", Label: "平台", Kind: "select", Options: append([]Option{{Text: "请选择"}}, channelOptions[1:]...)},
			{Name: "department", Label: "归属", Kind: "select", Options: departmentOptions("市府办", departments)},
			{Name: "url", Label: "Webhook 地址", Hint: "从群机器人的设置里完整复制,以 https:// 开头"},
			{Name: "secret", Label: "加签密钥", Hint: "钉钉安全设置选“加签”时的 SEC…", Optional: true},
		}})
	if typed.Form == "add" { // a secret is not sent back into a page
		for i := range form.Fields {
			if form.Fields[i].Name == "secret" {
				form.Fields[i].Value = ""
			}
		}
	}
	p.Sections = []UpkeepSection{
		{ID: "robots", Title: "群机器人", Note: itoa(len(list)) + "个", Table: t},
		{ID: "add", Title: "添加机器人", Forms: []UpkeepForm{form}},
	}
	typed.shown(&p)
	return p
}
