package server_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"landmark/internal/landmark"
	"landmark/internal/store"
)

// sent puts reports of September into the queue, as a department's reporter would.
func (w *world) sent(by landmark.User, values map[string]string) map[string]int64 {
	w.t.Helper()
	r, err := w.st.Record(w.t.Context(), "", time.Time{}, w.clock.Now(), shanghai)
	if err != nil {
		w.t.Fatal(err)
	}
	var list []store.Submission
	codes := map[int64]string{}
	for code, value := range values {
		ind, err := r.Plan.Indicator(code)
		if err != nil {
			w.t.Fatal(err)
		}
		codes[ind.ID] = code
		was := r.Report(ind.ID, landmark.MonthOf(2023, 9))
		list = append(list, store.Submission{IndicatorID: ind.ID, Month: landmark.MonthOf(2023, 9), Revision: was.Revision, State: was.State,
			Amount: decimal.NewNullDecimal(decimal.RequireFromString(value)), Reason: "核对后更正"})
	}
	submitted, err := w.st.Submit(w.t.Context(), list, landmark.ActorOf(by, "192.0.2.1", "test"), w.clock.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	ids := map[string]int64{}
	for _, s := range submitted {
		ids[codes[s.IndicatorID]] = s.ReportID
	}
	return ids
}

func (w *world) value(code string) string {
	w.t.Helper()
	r, err := w.st.Record(w.t.Context(), "", time.Time{}, w.clock.Now(), shanghai)
	if err != nil {
		w.t.Fatal(err)
	}
	ind, err := r.Plan.Indicator(code)
	if err != nil {
		w.t.Fatal(err)
	}
	v, ok := r.Value(ind.ID, landmark.MonthOf(2023, 9))
	if !ok {
		return ""
	}
	return v.Amount.Decimal.String()
}

func TestReview(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("office", landmark.RoleOffice, "")
	reporter := w.account("reporter-minzheng", landmark.RoleReporter, "minzheng")
	ids := w.sent(reporter, map[string]string{"4.1": "25.31", "4.2": "36.2", "4.3": "2"})
	b := w.enter("office")
	id := func(code string) string { return strconv.FormatInt(ids[code], 10) }

	page := bodyOf(t, b.get("/review?month=2023-09"))
	for _, want := range []string{"民政局", "每万名老人拥有持证护理员", "25.31", "核对后更正", `name="report" value="` + id("4.2") + `"`, "人社局", "催报", "8 个牵头部门", "农业农村局、交通运输局本月不用报"} {
		if !strings.Contains(page, want) {
			t.Errorf("the queue does not show %q", want)
		}
	}
	// Returning asks for a reason; what was typed and the queue are kept.
	res := b.post("/review", "action", "return", "report", id("4.3"), "department", "minzheng", "month", "2023-09", "reason", "  ")
	if page := bodyOf(t, res); res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(page, "请写明为什么退回") || !strings.Contains(page, "errsum") {
		t.Errorf("return without a reason: %d", res.StatusCode)
	}
	res = b.post("/review", "action", "return", "report", id("4.3"), "department", "minzheng", "month", "2023-09", "reason", "请附验收单")
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/review?month=2023-09" {
		t.Errorf("return: %d %s", res.StatusCode, res.Header.Get("Location"))
	}
	if res := b.post("/review", "action", "approve", "report", id("4.1"), "report", id("4.2"), "seen["+id("4.1")+"]", "1", "month", "2023-09"); res.StatusCode != http.StatusSeeOther {
		t.Errorf("approve two: %d", res.StatusCode)
	}
	if got := w.value("4.1") + " " + w.value("4.2") + " " + w.value("4.3"); got != "25.31 36.2 " {
		t.Errorf("values after the review: %q", got)
	}
	// Approved already, seen at an older revision, unknown, not a number: nothing changes.
	w.sent(reporter, map[string]string{"4.2": "36.4"})
	for _, c := range []struct {
		pairs []string
		want  int
	}{
		{[]string{"action", "approve", "report", id("4.1")}, http.StatusConflict},
		{[]string{"action", "approve", "report", id("4.2"), "seen[" + id("4.2") + "]", "1"}, http.StatusConflict},
		{[]string{"action", "approve", "report", id("4.2"), "report", id("4.1")}, http.StatusConflict}, // all or none
		{[]string{"action", "approve"}, http.StatusUnprocessableEntity},
		{[]string{"action", "approve", "report", "x"}, http.StatusBadRequest},
		{[]string{"action", "approve", "report", "-1"}, http.StatusBadRequest},
		{[]string{"action", "approve", "report", id("4.2"), "seen[" + id("4.2") + "]", "y"}, http.StatusBadRequest},
		{[]string{"action", "delete", "report", id("4.2")}, http.StatusBadRequest},
	} {
		if res := b.post("/review", c.pairs...); res.StatusCode != c.want {
			t.Errorf("POST /review %v = %d, want %d", c.pairs, res.StatusCode, c.want)
		}
	}
	if got := w.value("4.2"); got != "36.2" {
		t.Errorf("4.2 is %s after refused approvals, want 36.2", got)
	}
}

func TestChaseFromTheOverview(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("office", landmark.RoleOffice, "")
	b := w.enter("office")
	if page := bodyOf(t, b.get("/")); !strings.Contains(page, `action="/review/chase"`) {
		t.Error("the overview has no button to chase with")
	}
	b.header.Set("Referer", "http://127.0.0.1:8080/?month=2023-09")
	res := b.post("/review/chase", "plan", "tongxiang-2023", "month", "2023-09", "department", "renshe")
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/?month=2023-09" {
		t.Errorf("chase: %d %s", res.StatusCode, res.Header.Get("Location"))
	}
	if page := bodyOf(t, b.get("/review?month=2023-09")); !strings.Contains(page, "已催 1 次") {
		t.Error("the queue does not count the reminder")
	}
	b.post("/review/chase", "plan", "tongxiang-2023", "month", "2023-09", "department", "renshe", "department", "jianshe")
	page := bodyOf(t, b.get("/review?month=2023-09"))
	if !strings.Contains(page, "已催报建设局;人社局一分钟内已经催报过,没有重复发送") {
		t.Error("the one that was reminded a moment ago is not told from the one reminded now")
	}
	if strings.Contains(page, "已催 2 次") {
		t.Error("the same reminder is counted twice")
	}
}

func TestSignOffBeforeReview(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("office", landmark.RoleOffice, "")
	w.account("leader-minzheng", landmark.RoleLeader, "minzheng")
	reporter := w.account("reporter-minzheng", landmark.RoleReporter, "minzheng")
	if err := w.st.RequireSignOff(t.Context(), reporter.DepartmentID, true); err != nil {
		t.Fatal(err)
	}
	id := strconv.FormatInt(w.sent(reporter, map[string]string{"4.1": "25.31"})["4.1"], 10)
	office, leader := w.enter("office"), w.enter("leader-minzheng")
	if res := office.post("/review", "action", "approve", "report", id); res.StatusCode != http.StatusConflict {
		t.Errorf("approve before the leader signed: %d, want 409", res.StatusCode)
	}
	if page := bodyOf(t, leader.get("/signoff?month=2023-09")); !strings.Contains(page, "25.31") {
		t.Error("the leader does not see what waits")
	}
	if res := leader.post("/signoff", "action", "sign", "report", id); res.StatusCode != http.StatusSeeOther {
		t.Errorf("sign: %d", res.StatusCode)
	}
	if res := office.post("/review", "action", "approve", "report", id); res.StatusCode != http.StatusSeeOther {
		t.Errorf("approve after the leader signed: %d", res.StatusCode)
	}
	if got := w.value("4.1"); got != "25.31" {
		t.Errorf("4.1 = %q, want 25.31", got)
	}
}
