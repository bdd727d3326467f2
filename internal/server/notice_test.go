package server_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"landmark/internal/landmark"
	"landmark/internal/store"
)

func TestNotices(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("office", landmark.RoleOffice, "")
	reporter := w.account("reporter-minzheng", landmark.RoleReporter, "minzheng")
	w.account("leader-minzheng", landmark.RoleLeader, "minzheng")
	w.account("reporter-jiaoyu", landmark.RoleReporter, "jiaoyu")
	ids := w.sent(reporter, map[string]string{"4.1": "25.31", "4.2": "36.2"})
	office := w.enter("office")
	id := func(code string) string { return strconv.FormatInt(ids[code], 10) }
	if res := office.post("/review", "action", "approve", "report", id("4.1"), "department", "minzheng", "month", "2023-09"); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("approve: %d", res.StatusCode)
	}
	w.clock.add(60e9)
	if res := office.post("/review", "action", "return", "report", id("4.2"), "department", "minzheng", "month", "2023-09", "reason", "口径<不>对"); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("return: %d", res.StatusCode)
	}

	// Who reports and who signs in the department are told; nobody else is.
	for _, name := range []string{"reporter-minzheng", "leader-minzheng"} {
		page := bodyOf(t, w.enter(name).get("/notices"))
		for _, want := range []string{"9月报送已核定", "9月报送退回1项", "理由:口径&lt;不&gt;对", "2条没有看过", `href="/reports/2023-09?plan=tongxiang-2023"`} {
			if !strings.Contains(page, want) {
				t.Errorf("%s is not told %q", name, want)
			}
		}
		if strings.Index(page, "退回1项") > strings.Index(page, "已核定") {
			t.Errorf("%s: the newest does not stand first", name)
		}
	}
	for _, name := range []string{"reporter-jiaoyu", "office"} {
		if page := bodyOf(t, w.enter(name).get("/notices")); !strings.Contains(page, "还没有通知") {
			t.Errorf("%s is told of another department's report", name)
		}
	}

	// Seen one by one, then all, by one person alone.
	b := w.enter("reporter-minzheng")
	notices, err := w.st.Notices(t.Context(), reporter, 0, 10)
	if err != nil || len(notices) != 2 {
		t.Fatalf("notices %v, error %v", notices, err)
	}
	if res := b.post("/notices", "notice", strconv.FormatInt(notices[1].ID, 10)); res.StatusCode != http.StatusSeeOther {
		t.Errorf("see one: %d", res.StatusCode)
	}
	if page := bodyOf(t, b.get("/")); !strings.Contains(page, `<span class="count">1<span class="vh">条没有看过`) {
		t.Error("the head of the page does not count one notice")
	}
	if res := b.post("/notices", "up_to", strconv.FormatInt(notices[0].ID, 10)); res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/notices" {
		t.Errorf("see all: %d", res.StatusCode)
	}
	if page := bodyOf(t, b.get("/notices")); !strings.Contains(page, "都看过了") || strings.Contains(page, "未读") {
		t.Error("something is not seen after all were marked")
	}
	if page := bodyOf(t, w.enter("leader-minzheng").get("/notices")); !strings.Contains(page, "2条没有看过") {
		t.Error("what the reporter has seen counts for the leader")
	}
	// Another department's notice cannot be marked.
	w.enter("reporter-jiaoyu").post("/notices", "notice", strconv.FormatInt(notices[0].ID, 10))
	var seen int
	if err := w.db.QueryRow(t.Context(), "SELECT count(*) FROM notice_seen").Scan(&seen); err != nil || seen != 2 {
		t.Errorf("%d marks, error %v, want the reporter's 2", seen, err)
	}
}

// failedDelivery leaves a notice to a robot that could not be delivered.
func (w *world) failedDelivery(at time.Time) store.Delivery {
	w.t.Helper()
	ctx := w.t.Context()
	if _, err := w.st.RelayNotices(ctx, true, true, at); err != nil {
		w.t.Fatal(err)
	}
	list, err := w.st.Deliveries(ctx, store.DeliveryFilter{}, 10)
	if err != nil || len(list) == 0 {
		w.t.Fatalf("%d deliveries, error %v", len(list), err)
	}
	for i, fault := range []string{"机器人暂时不收(503)", "机器人没有收下(310000):sign <not> match"} {
		a, err := w.st.BeginAttempt(ctx, list[0].ID, at.Add(time.Duration(i)*time.Minute))
		if err != nil {
			w.t.Fatal(err)
		}
		if err := w.st.EndAttempt(ctx, a, list[0].ID, fault, i == 1, at.Add(time.Duration(i)*time.Minute+time.Second)); err != nil {
			w.t.Fatal(err)
		}
	}
	return list[0]
}

// The office adds a robot, sees in the log what it could not be told, and has it
// told again. Nobody is shown the robot's address.
func TestRobotsAndLogOfNotices(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("office", landmark.RoleOffice, "")
	reporter := w.account("reporter-minzheng", landmark.RoleReporter, "minzheng")
	b := w.enter("office")
	const address = "https://oapi.dingtalk.com/robot/send?access_token=verysecret"
	for _, c := range []struct {
		name  string
		pairs []string
		want  string
	}{
		{"no kind", []string{"name", "民政群", "url", address}, "请选择钉钉或企业微信"},
		{"plain http", []string{"name", "民政群", "kind", "dingtalk", "url", "http://oapi.dingtalk.com/robot/send?access_token=x"}, "要以 https:// 开头"},
		{"inside the house", []string{"name", "民政群", "kind", "wecom", "url", "https://10.1.2.3/cgi-bin/webhook/send?key=x"}, "不能填内部网络的地址"},
		{"this machine", []string{"name", "民政群", "kind", "wecom", "url", "https://[::1]/send?key=x"}, "不能填内部网络的地址"},
		{"metadata", []string{"name", "民政群", "kind", "wecom", "url", "https://169.254.169.254/?key=x"}, "不能填内部网络的地址"},
		{"mapped", []string{"name", "民政群", "kind", "wecom", "url", "https://[::ffff:127.0.0.1]/?key=x"}, "不能填内部网络的地址"},
		{"user in it", []string{"name", "民政群", "kind", "wecom", "url", "https://a:b@qyapi.weixin.qq.com/?key=x"}, "机器人地址写得不对"},
		{"no token", []string{"name", "民政群", "kind", "dingtalk", "url", "https://oapi.dingtalk.com/robot/send"}, "access_token"},
		{"no name", []string{"name", " ", "kind", "dingtalk", "url", address}, "请给机器人起个名称"},
		{"no such department", []string{"name", "群", "kind", "dingtalk", "url", address, "department", "nowhere"}, "没有这个部门"},
	} {
		res := b.post("/admin/robots", append([]string{"action", "add", "secret", "SECabc"}, c.pairs...)...)
		page := bodyOf(t, res)
		if res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(page, c.want) && !strings.Contains(page, "企业微信机器人没有加签密钥") {
			t.Errorf("%s: %d, the page does not say %q", c.name, res.StatusCode, c.want)
		}
		if strings.Contains(page, "SECabc") {
			t.Errorf("%s: the secret comes back in the page", c.name)
		}
	}
	add := []string{"action", "add", "name", "民政群", "kind", "dingtalk", "url", address, "secret", "SECabc", "department", "minzheng"}
	if res := b.post("/admin/robots", add...); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("add a robot: %d", res.StatusCode)
	}
	if res := b.post("/admin/robots", add...); res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("add it again: %d, want 422", res.StatusCode)
	}
	ids := w.sent(reporter, map[string]string{"4.1": "25.31"})
	b.post("/review", "action", "approve", "report", strconv.FormatInt(ids["4.1"], 10), "department", "minzheng", "month", "2023-09")
	d := w.failedDelivery(w.clock.Now())

	page := bodyOf(t, b.get("/admin/notices?state=failed&channel=dingtalk&department=minzheng&kind=approved"))
	for _, want := range []string{"9月报送已核定", "民政群", "没有送达", "sign &lt;not&gt; match", "机器人暂时不收(503)", "2次", "没有设置(SMTP_URL)", `name="delivery" value="` + strconv.FormatInt(d.ID, 10)} {
		if !strings.Contains(page, want) {
			t.Errorf("the log does not show %q", want)
		}
	}
	for _, filter := range []string{"state=delivered", "channel=mail", "department=jiaoyu", "kind=late", "before=" + strconv.FormatInt(d.ID, 10)} {
		if page := bodyOf(t, b.get("/admin/notices?"+filter)); !strings.Contains(page, "没有符合条件的发送记录") {
			t.Errorf("the log is not narrowed by %s", filter)
		}
	}
	robots := bodyOf(t, b.get("/admin/robots"))
	for _, page := range []string{page, robots, bodyOf(t, b.get("/history"))} {
		if strings.Contains(page, "verysecret") || strings.Contains(page, "SECabc") {
			t.Error("a page shows the robot's address or secret")
		}
	}
	if !strings.Contains(robots, "oapi.dingtalk.com/…") || !strings.Contains(robots, "加签") {
		t.Error("the list does not say where the robot is")
	}

	if res := b.post("/admin/notices", "action", "resend", "delivery", strconv.FormatInt(d.ID, 10)); res.StatusCode != http.StatusSeeOther {
		t.Errorf("resend: %d", res.StatusCode)
	}
	if res := b.post("/admin/notices", "action", "resend", "delivery", strconv.FormatInt(d.ID, 10)); res.StatusCode != http.StatusConflict {
		t.Errorf("resend again: %d, want 409", res.StatusCode)
	}
	if due, err := w.st.UnqueuedDeliveries(t.Context(), 10); err != nil || len(due) != 1 || due[0].Round != 2 {
		t.Errorf("to be queued: %v, error %v; want the second round", due, err)
	}
	list, err := w.st.Robots(t.Context())
	if err != nil || len(list) != 1 {
		t.Fatalf("robots %v, error %v", list, err)
	}
	if res := b.post("/admin/robots", "action", "remove", "robot", strconv.FormatInt(list[0].ID, 10)); res.StatusCode != http.StatusSeeOther {
		t.Errorf("remove: %d", res.StatusCode)
	}
	if page := bodyOf(t, b.get("/history")); !strings.Contains(page, "添加机器人") || !strings.Contains(page, "删除机器人") || !strings.Contains(page, "重发通知") {
		t.Error("the history does not tell of the robot")
	}
}

// People set where their mail goes, the office for others as well.
func TestMailAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("office", landmark.RoleOffice, "")
	w.account("reporter-minzheng", landmark.RoleReporter, "minzheng")
	b := w.enter("reporter-minzheng")
	for _, bad := range []string{"nowhere", "a@b", "a b@c.cn", "a@c.cn\r\nBcc: x@y.cn", "<a@c.cn>", "a@c.cn,b@c.cn", strings.Repeat("a", 250) + "@c.cn"} {
		res := b.post("/account/email", "email", bad)
		if page := bodyOf(t, res); res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(page, "邮箱没有保存") {
			t.Errorf("%q: %d", bad, res.StatusCode)
		}
	}
	if res := b.post("/account/email", "email", " jia@example.gov.cn "); res.StatusCode != http.StatusSeeOther {
		t.Errorf("set: %d", res.StatusCode)
	}
	if page := bodyOf(t, b.get("/account")); !strings.Contains(page, `value="jia@example.gov.cn"`) {
		t.Error("the account does not show its address")
	}
	office := w.enter("office")
	if page := bodyOf(t, office.get("/admin/users/reporter-minzheng")); !strings.Contains(page, `value="jia@example.gov.cn"`) {
		t.Error("the office does not see the address")
	}
	if res := office.post("/admin/users/reporter-minzheng", "action", "email", "email", ""); res.StatusCode != http.StatusSeeOther {
		t.Errorf("clear: %d", res.StatusCode)
	}
	if a, err := w.st.Account(t.Context(), "reporter-minzheng"); err != nil || a.User.Email != "" {
		t.Errorf("address %q, error %v, want none", a.User.Email, err)
	}
}
