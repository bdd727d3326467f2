package server_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"landmark/internal/reporting"
)

// approvedRows is every approved value as it stands, with who sent and who
// approved it, oldest first.
func (w *world) approvedRows() []string {
	w.t.Helper()
	rows, err := w.db.Query(w.t.Context(), `
		SELECT concat_ws(' ', i.code, v, n.amount, n.note, n.reason, (SELECT string_agg(e::text, ';' ORDER BY e.id) FROM report_event e WHERE e.report_id = v.report_id AND e.revision = v.revision))
		FROM approved_value v
		JOIN report_revision n ON n.report_id = v.report_id AND n.revision = v.revision
		JOIN report r ON r.id = v.report_id
		JOIN (SELECT i.id, j.number || '.' || i.position AS code FROM indicator i JOIN project j ON j.id = i.project_id) i ON i.id = r.indicator_id
		ORDER BY v.id`)
	if err != nil {
		w.t.Fatal(err)
	}
	var out []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			w.t.Fatal(err)
		}
		out = append(out, s)
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
	return out
}

// P7: no route that writes, tried by every role with every action it may know,
// changes a value that is approved: while it stands alone, while a correction of it
// waits, and after the month is locked. There is one way: a correction with a
// reason that somebody else in the office approves, and then the old value stands
// beside the new one.
func TestNoApprovedValueChangesSilently(t *testing.T) {
	t.Parallel()
	actions := []string{"", "save", "submit", "approve", "return", "sign", "target", "nature", "curve", "definition", "confirm", "override", "withdraw",
		"period", "extension", "adopt", "copy", "add", "alias", "rename", "issue", "codes", "resend", "delete"}
	tried := 0
	for _, state := range []string{"approved", "a correction waits", "locked"} {
		w := reportWorld(t)
		submitted(t, w)
		wantStatus(t, w.enter("office").post("/review?month=2023-09", append([]string{"action", "approve"}, w.ticked("4.1", "4.2", "4.3", "4.4")...)...), http.StatusSeeOther)
		switch state {
		case "a correction waits":
			wantStatus(t, w.enter("reporter").post(september, "action", "submit", "key", reporting.NewKey(), "value[4.2]", "35.9", "revision[4.2]", "1", "reason[4.2]", "台账重复计入3000人次"), http.StatusSeeOther)
		case "locked":
			w.clock.mu.Lock()
			w.clock.now = time.Date(2023, 10, 20, 9, 0, 0, 0, shanghai)
			w.clock.mu.Unlock()
		}
		var routes []string
		if err := chi.Walk(w.srv.Routes(), func(method, pattern string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
			if method != http.MethodGet && method != http.MethodHead {
				routes = append(routes, method+" "+pattern)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if len(routes) < 25 {
			t.Fatalf("only %d routes that write: the walk is wrong", len(routes))
		}
		before := w.approvedRows()
		if len(before) != 4 {
			t.Fatalf("%s: %d approved values, want 4", state, len(before))
		}
		for _, who := range []string{"viewer", "other", "leader", "reporter", "office"} {
			b := w.enter(who)
			for _, route := range routes {
				method, pattern, _ := strings.Cut(route, " ")
				path := strings.NewReplacer("{month}", "2023-09", "{code}", "4.2", "{department}", "minzheng", "{name}", "colleague").Replace(pattern)
				list := actions
				own := strings.HasPrefix(pattern, "/account") || strings.HasPrefix(pattern, "/log") || pattern == "/theme" || pattern == "/notices"
				if own || b.send(method, path, "").StatusCode == http.StatusForbidden { // refused before any action is looked at, or knows none
					list = actions[:2]
				}
				report := w.reportOf("4.2")
				for _, action := range list {
					form := url.Values{"action": {action}, "key": {reporting.NewKey()}, "month": {"2023-09"}, "from": {"2023-09"}, "plan": {"tongxiang-2023"},
						"value[4.2]": {"99.9"}, "revision[4.2]": {fmt.Sprint(report.Revision)}, "reason[4.2]": {"改一下"}, "note[4.2]": {"改一下"}, "nochange[4.1]": {"1"},
						"report": {fmt.Sprint(report.ID)}, fmt.Sprintf("seen[%d]", report.ID): {fmt.Sprint(report.Revision)}, "reason": {"改一下"},
						"department": {"minzheng"}, "code": {"4.2"}, "value": {"99.9"}, "amount": {"99.9"}, "baseline": {"99.9"}, "target": {"99.9"}, "light": {"done"},
						"until": {"2023-12"}, "document": {"1号"}, "name": {"colleague"}, "version": {"0"}}
					if !strings.HasPrefix(pattern, "/reports") {
						for name := range form {
							if strings.Contains(name, "[4.") {
								form.Del(name)
							}
						}
					}
					res := b.send(method, path, form.Encode())
					tried++
					if pattern == "/review" || strings.HasPrefix(pattern, "/reports") {
						report = w.reportOf("4.2")
					} else if action != list[len(list)-1] {
						continue
					}
					if pattern == "/logout" || pattern == "/account/password" || pattern == "/account/sessions/end" {
						b = w.enter(who)
					}
					after := w.approvedRows()
					for i, row := range before {
						if i >= len(after) || after[i] != row {
							t.Fatalf("%s: %s, %s %s action %q (%d) changed an approved value:\n%s\nwas\n%s", state, who, method, path, action, res.StatusCode, strings.Join(after, "\n"), row)
						}
					}
					if len(after) == len(before) {
						continue
					}
					// The one way.
					if pattern != "/review" || action != "approve" || who != "office" || len(after) != len(before)+1 || !strings.HasPrefix(after[len(before)], "4.2 ") ||
						!strings.Contains(after[len(before)], "台账重复计入") && !strings.Contains(after[len(before)], "改一下") {
						t.Fatalf("%s: %s, %s %s action %q (%d) approved\n%s", state, who, method, path, action, res.StatusCode, strings.Join(after[len(before):], "\n"))
					}
					before = after
				}
			}
			if got := w.enter("viewer").get("/indicators/4.2?month=2023-09"); got.StatusCode != http.StatusOK {
				t.Fatalf("the page afterwards: %d", got.StatusCode)
			}
		}
		if n := len(before); state == "a correction waits" && n == 4 {
			t.Error("no correction was ever approved: the one way is not shown")
		}
	}
	t.Logf("P7 approved values | %d rounds | 0 lost | 0 doubled | every route that writes, 5 accounts, 3 states", tried)
}
