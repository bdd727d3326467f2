package server_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"landmark/internal/landmark"
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
