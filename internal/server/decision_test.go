package server_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"landmark/internal/landmark"
	"landmark/internal/reporting"
)

// submitted has 民政局's September submitted.
func submitted(t *testing.T, w *world) {
	t.Helper()
	wantStatus(t, w.enter("reporter").post(september, minzheng(reporting.NewKey())...), http.StatusSeeOther)
}

// ticked are the fields that name reports at the revision they stand at.
func (w *world) ticked(codes ...string) []string {
	w.t.Helper()
	var out []string
	for _, code := range codes {
		r := w.reportOf(code)
		out = append(out, "report", fmt.Sprint(r.ID), fmt.Sprintf("seen[%d]", r.ID), fmt.Sprint(r.Revision))
	}
	return out
}

func TestReviewApprovesManyAndReturnsOne(t *testing.T) {
	t.Parallel()
	w := reportWorld(t)
	submitted(t, w)
	office := w.enter("office")
	page := wantStatus(t, office.get("/review"), http.StatusOK)
	for _, want := range []string{"审核 2023年9月报送", "民政局", "证书10月集中核发", "部门说明原因", `action="/review/chase"`, "全部催报"} {
		if !strings.Contains(page, want) {
			t.Errorf("the queue does not show %s", want)
		}
	}
	page = wantStatus(t, office.post("/review", append([]string{"action", "return"}, w.ticked("4.2")...)...), http.StatusUnprocessableEntity)
	if !strings.Contains(page, `href="#reason-minzheng"`) || !strings.Contains(page, `id="reason-minzheng-e"`) {
		t.Error("a return without a reason is not refused beside its field")
	}
	if got := w.reportOf("4.2").State; got != landmark.StateSubmitted {
		t.Errorf("4.2 is %s after a refused return", got)
	}
	wantStatus(t, office.post("/review", append([]string{"action", "return", "reason", "请附<台账>"}, w.ticked("4.2")...)...), http.StatusSeeOther)
	wantStatus(t, office.post("/review?month=2023-09", append([]string{"action", "approve"}, w.ticked("4.1", "4.3", "4.4", "9.1", "9.2", "9.3")...)...), http.StatusSeeOther)
	for code, want := range map[string]landmark.State{"4.1": landmark.StateApproved, "9.3": landmark.StateApproved, "4.2": landmark.StateReturned} {
		if got := w.reportOf(code).State; got != want {
			t.Errorf("%s is %s, want %s", code, got, want)
		}
	}
	page = wantStatus(t, w.enter("reporter").get(september), http.StatusOK)
	for _, want := range []string{"请附&lt;台账&gt;", "退回 1 项", "correct=4.1"} {
		if !strings.Contains(page, want) {
			t.Errorf("the department's form does not show %s", want)
		}
	}
}

func TestReviewTwice(t *testing.T) {
	t.Parallel()
	w := reportWorld(t)
	w.account("office2", landmark.RoleOffice, "")
	submitted(t, w)
	one, two := w.enter("office"), w.enter("office2")
	form := append([]string{"action", "approve"}, w.ticked("4.2", "4.3")...)
	wantStatus(t, one.post("/review", form...), http.StatusSeeOther)
	wantStatus(t, one.post("/review", form...), http.StatusSeeOther) // a double click
	page := wantStatus(t, two.post("/review", form...), http.StatusConflict)
	if !strings.Contains(page, "已核定(office") {
		t.Errorf("the second reviewer is not told who was first: %s", textOf(t, page, "li"))
	}
	var lines int
	if err := w.db.QueryRow(t.Context(), "SELECT count(*) FROM history WHERE act = 'report.approve'").Scan(&lines); err != nil || lines != 2 {
		t.Errorf("%d approvals in the history (%v), want 2", lines, err)
	}
	// Approve and return at once: one of them.
	var wg sync.WaitGroup
	codes := make([]int, 2)
	for i, b := range []*browser{one, two} {
		fields := url.Values{"action": {"approve"}}
		if i == 1 {
			fields = url.Values{"action": {"return"}, "reason": {"请核对"}}
		}
		for j, pairs := 0, w.ticked("9.1"); j < len(pairs); j += 2 {
			fields.Add(pairs[j], pairs[j+1])
		}
		wg.Go(func() { codes[i] = b.send(http.MethodPost, "/review", fields.Encode()).StatusCode })
	}
	wg.Wait()
	if codes[0]+codes[1] != http.StatusSeeOther+http.StatusConflict {
		t.Errorf("approve and return at once: %v, want one 303 and one 409", codes)
	}
}

func TestReviewOfAnOlderRevision(t *testing.T) {
	t.Parallel()
	w := reportWorld(t)
	submitted(t, w)
	seen := w.ticked("4.2")
	b := w.enter("reporter")
	wantStatus(t, b.post(september, "key", reporting.NewKey(), "action", "submit", "value[4.2]", "36.4", "revision[4.2]", "1"), http.StatusSeeOther)
	wantStatus(t, w.enter("office").post("/review", append([]string{"action", "approve"}, seen...)...), http.StatusConflict)
	if got := w.reportOf("4.2"); got.State != landmark.StateSubmitted || got.Revision != 2 {
		t.Errorf("4.2 is %s at %d, want submitted at 2", got.State, got.Revision)
	}
}

func TestChase(t *testing.T) {
	t.Parallel()
	w := reportWorld(t)
	office := w.enter("office")
	chase := func() { // twice, as a double click does
		for range 2 {
			wantStatus(t, office.post("/review/chase", "month", "2023-09", "department", "minzheng", "department", "教育局"), http.StatusSeeOther)
		}
	}
	chase()
	w.clock.add(2 * time.Minute)
	chase()
	page := wantStatus(t, office.get("/review?month=2023-09"), http.StatusOK)
	if got := strings.Count(page, "已催 2 次"); got != 2 {
		t.Errorf("%d departments chased twice, want 2", got)
	}
	b := w.enter("reporter")
	if page := wantStatus(t, b.get("/"), http.StatusOK); strings.Count(page, "催报9月数据") != 2 {
		t.Error("the department's next visit does not show the chases")
	}
	if page := wantStatus(t, b.get(september), http.StatusOK); !strings.Contains(page, "催报9月数据") {
		t.Error("the form does not show the chases")
	}
	if page := wantStatus(t, b.get("/"), http.StatusOK); strings.Contains(page, "催报9月数据") {
		t.Error("chases seen are shown again")
	}
	wantStatus(t, office.post("/review/chase", "month", "2023-11", "department", "minzheng"), http.StatusUnprocessableEntity)
}

func TestSignOff(t *testing.T) {
	t.Parallel()
	w := reportWorld(t)
	if _, err := w.owner().Exec(t.Context(), "UPDATE department SET sign_off_required = true WHERE slug = 'minzheng'"); err != nil {
		t.Fatal(err)
	}
	w.account("leader2", landmark.RoleLeader, "jiaoyu")
	submitted(t, w)
	office, leader := w.enter("office"), w.enter("leader")
	approve := append([]string{"action", "approve"}, w.ticked("4.2")...)
	wantStatus(t, office.post("/review", approve...), http.StatusConflict)
	if page := wantStatus(t, office.get("/review"), http.StatusOK); !strings.Contains(page, "待部门负责人签核") || !strings.Contains(page, "1 待签核") {
		t.Error("the office does not see what waits for a signature")
	}
	wantStatus(t, w.enter("leader2").post("/signoff", append([]string{"action", "sign"}, w.ticked("4.2")...)...), http.StatusForbidden)
	if page := wantStatus(t, leader.get("/signoff"), http.StatusOK); !strings.Contains(page, "签核通过") || strings.Contains(page, "审核通过") {
		t.Error("the leader's page has the wrong buttons")
	}
	wantStatus(t, leader.post("/signoff", append([]string{"action", "return", "reason", "数字再核一遍"}, w.ticked("4.3")...)...), http.StatusSeeOther)
	wantStatus(t, leader.post("/signoff", append([]string{"action", "sign"}, w.ticked("4.2")...)...), http.StatusSeeOther)
	wantStatus(t, office.post("/review", approve...), http.StatusSeeOther)
	for code, want := range map[string]landmark.State{"4.2": landmark.StateApproved, "4.3": landmark.StateReturned, "4.4": landmark.StateSubmitted} {
		if got := w.reportOf(code).State; got != want {
			t.Errorf("%s is %s, want %s", code, got, want)
		}
	}
}

func TestCorrection(t *testing.T) {
	t.Parallel()
	w := reportWorld(t)
	submitted(t, w)
	office, b := w.enter("office"), w.enter("reporter")
	wantStatus(t, office.post("/review", append([]string{"action", "approve"}, w.ticked("4.2")...)...), http.StatusSeeOther)
	if page := wantStatus(t, b.get(september), http.StatusOK); strings.Contains(page, `name="value[4.2]"`) {
		t.Error("an approved value stands in a field without being asked for")
	}
	page := wantStatus(t, b.get(september+"?correct=4.2"), http.StatusOK)
	if !strings.Contains(page, `name="value[4.2]"`) || !strings.Contains(page, "更正的原因") {
		t.Error("the correction has no fields")
	}
	correct := []string{"action", "submit", "value[4.2]", "35.9", "revision[4.2]", "1"}
	page = wantStatus(t, b.post(september, append(correct, "key", keyOf(t, page))...), http.StatusUnprocessableEntity)
	if !strings.Contains(page, `id="i4-2-reason-e"`) {
		t.Error("a correction without a reason is not refused beside its field")
	}
	wantStatus(t, b.post(september, "action", "submit", "key", keyOf(t, page), "value[4.2]", "35.9", "revision[4.2]", "2", "reason[4.2]", "台账重复计入3000人次"), http.StatusSeeOther)
	w.clock.add(time.Minute)
	if page := wantStatus(t, w.enter("viewer").get("/indicators/4.2?month=2023-09"), http.StatusOK); strings.Contains(page, "35.9") || !strings.Contains(page, "36.2") {
		t.Error("readers see the correction before it is approved")
	}
	if page := wantStatus(t, office.get("/review?month=2023-09"), http.StatusOK); !strings.Contains(page, "更正:原核定值 36.2") {
		t.Error("the queue does not say what is corrected")
	}
	wantStatus(t, office.post("/review", append([]string{"action", "approve"}, w.ticked("4.2")...)...), http.StatusSeeOther)
	w.clock.add(time.Minute)
	if page := wantStatus(t, w.enter("viewer").get("/indicators/4.2?month=2023-09"), http.StatusOK); !strings.Contains(page, "35.9") {
		t.Error("the correction does not show after its approval")
	}
}

func TestCooperatingDepartment(t *testing.T) {
	t.Parallel()
	w := reportWorld(t)
	r := w.record()
	project, err := r.Plan.Project(4)
	if err != nil {
		t.Fatal(err)
	}
	helper := project.Cooperating[0].Department
	w.account("helper", landmark.RoleViewer, helper.Slug)
	submitted(t, w)
	b := w.enter("helper")
	page := wantStatus(t, b.get(september), http.StatusOK)
	for _, not := range []string{`name="value[4.2]"`, "36.2", `name="task_state[4-1]"`} {
		if strings.Contains(page, not) {
			t.Errorf("the cooperating department's form has %s", not)
		}
	}
	wantStatus(t, b.post(september, "key", keyOf(t, page), "action", "submit", "task_note[4-1]", "配合完成培训200人", "revision[4-1]", "0"), http.StatusSeeOther)
	if page := wantStatus(t, w.enter("viewer").get("/tasks?month=2023-09"), http.StatusOK); !strings.Contains(page, "配合完成培训200人") {
		t.Error("the note is not shown")
	}
	for _, form := range [][]string{{"action", "submit", "task_state[4-1]", "done"}, {"action", "save", "value[4.2]", "1"}} {
		wantStatus(t, b.post(september, form...), http.StatusForbidden)
	}
}
