package reporting_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"landmark/internal/landmark"
	"landmark/internal/pgtest"
	"landmark/internal/reporting"
	"landmark/internal/store"
)

// A month from empty form to a correction of what was approved; every moment still
// shows what stood then, and each change has its one history line.
func TestLifeOfAMonth(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	w := inTx(t)
	by, jia := w.who("jia")
	office, reviewer := w.who("office")

	saved, err := w.work.Save(ctx, by, jia, reporting.FormInput{Plan: slug, Month: june, Indicators: map[string]reporting.Typed{"1.1": {Value: ptr("十二")}}}, july4)
	if err != nil {
		t.Fatal(err)
	}
	if saved.Versions["1.1"] != 1 || len(w.acts(t)) != 0 {
		t.Errorf("a saved draft has version %d and acts %v; want 1 and none", saved.Versions["1.1"], w.acts(t))
	}
	in := juneForm()
	in.Indicators["1.1"] = reporting.Typed{Version: 1, Value: ptr("12")}
	in.Tasks = map[string]reporting.TaskTyped{"1-1": {State: ptr("underway"), Note: ptr("已开工")}}
	sent := w.submit(t, "jia", in, july4)
	if diff := cmp.Diff([]string{"1.1", "1.2", "1.3"}, sent.Sent); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
	at := func(h int) time.Time { return july4.Add(time.Duration(h) * time.Hour) }
	if _, err := w.work.Approve(ctx, office, reviewer, w.seen(t, "1.2", "1.3"), at(1)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.work.Return(ctx, office, reviewer, w.seen(t, "1.1"), "请核对", at(2)); err != nil {
		t.Fatal(err)
	}
	// What came back is put right; what stands approved is in the form as well and
	// is no correction.
	again := juneForm()
	again.Indicators["1.1"] = reporting.Typed{Version: sent.Versions["1.1"], Value: ptr("13")}
	for _, code := range []string{"1.2", "1.3"} {
		typed := again.Indicators[code]
		typed.Version = sent.Versions[code]
		again.Indicators[code] = typed
	}
	resent := w.submit(t, "jia", again, at(3))
	if diff := cmp.Diff([]string{"1.1"}, resent.Sent); diff != "" {
		t.Errorf("sent again (-want +got):\n%s", diff)
	}
	if _, err := w.work.Approve(ctx, office, reviewer, w.seen(t, "1.1"), at(4)); err != nil {
		t.Fatal(err)
	}
	correction := reporting.FormInput{Plan: slug, Month: june, Indicators: map[string]reporting.Typed{"1.1": {Version: resent.Versions["1.1"], Value: ptr("14")}}}
	_, err = w.work.Submit(ctx, by, jia, correction, at(5))
	check, ok := errors.AsType[*reporting.CheckError](err)
	if !ok || len(check.Findings) != 1 || check.Findings[0].Rule != "correction" || check.Findings[0].Field != "reason" {
		t.Fatalf("correction without a reason: %v", err)
	}
	correction.Indicators["1.1"] = reporting.Typed{Version: check.Versions["1.1"], Reason: ptr("漏计一处")}
	corrected := w.submit(t, "jia", correction, at(6))
	if !slices.Equal(corrected.Corrections, []string{"1.1"}) {
		t.Errorf("corrections = %v, want 1.1", corrected.Corrections)
	}
	if v := w.report(t, "1.1"); !v.Correction || v.Amount.Decimal.String() != "14" {
		t.Errorf("report on its way = %+v, want a correction to 14", v)
	}
	if _, err := w.work.Approve(ctx, office, reviewer, w.seen(t, "1.1"), at(7)); err != nil {
		t.Fatal(err)
	}
	ind, _ := w.plan.Indicator("1.1")
	for h, want := range []string{"", "", "", "", "13", "13", "13", "14"} {
		r, err := w.store.Record(ctx, slug, at(h), at(9), shanghai)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if v, ok := r.Value(ind.ID, june); ok {
			got = v.Amount.Decimal.String()
		}
		if got != want {
			t.Errorf("approved value %d hours on = %q, want %q", h, got, want)
		}
	}
	want := []string{"report.submit", "report.submit", "report.submit", "task.update", "report.approve", "report.approve", "report.return", "report.submit",
		"report.approve", "report.correct", "report.approve"}
	if diff := cmp.Diff(want, w.acts(t)); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	var before, after, reason string
	if err := w.db.QueryRow(ctx, `SELECT before::text, after::text, reason FROM history WHERE act = 'report.correct'`).Scan(&before, &after, &reason); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(before, `"13"`) || !strings.Contains(after, `"14"`) || reason != "漏计一处" {
		t.Errorf("history of the correction: before %s, after %s, reason %q", before, after, reason)
	}
}

// From every state only the drawn arrows can be gone, whoever tries.
func TestOnlyDrawnArrows(t *testing.T) {
	t.Parallel()
	type state struct {
		name    string
		signOff bool
		path    []string
	}
	states := []state{
		{"submitted", false, nil},
		{"submitted to a leader", true, nil},
		{"signed", true, []string{"sign"}},
		{"approved", false, []string{"approve"}},
		{"approved after signing", true, []string{"sign", "approve"}},
		{"returned", false, []string{"return"}},
		{"returned by the leader", true, []string{"leader return"}},
	}
	allowed := map[string][]string{
		"submitted":              {"approve", "return", "submit"},
		"submitted to a leader":  {"sign", "return", "leader return", "submit"},
		"signed":                 {"approve", "return", "leader return", "submit"},
		"approved":               {"submit"},
		"approved after signing": {"submit"},
		"returned":               {"submit"},
		"returned by the leader": {"submit"},
	}
	for _, s := range states {
		for _, action := range []string{"submit", "sign", "approve", "return", "leader return"} {
			t.Run(s.name+"/"+action, func(t *testing.T) {
				t.Parallel()
				w := inTx(t)
				if err := w.store.RequireSignOff(t.Context(), w.people["jia"].DepartmentID, s.signOff); err != nil {
					t.Fatal(err)
				}
				w.submit(t, "jia", juneForm(), july4)
				for _, step := range s.path {
					if err := w.act(t, step, "1.1"); err != nil {
						t.Fatal(err)
					}
				}
				before := w.rows(t)
				err := w.act(t, action, "1.1")
				if slices.Contains(allowed[s.name], action) {
					if err != nil {
						t.Errorf("error = %v, want none", err)
					}
					return
				}
				if kind := landmark.KindOf(err); kind != landmark.Conflict && kind != landmark.Forbidden {
					t.Errorf("error = %v, want Conflict or Forbidden", err)
				}
				if diff := cmp.Diff(before, w.rows(t)); diff != "" {
					t.Errorf("something changed (-before +after):\n%s", diff)
				}
			})
		}
	}
}

// act does one thing to a report as the person whose part it is.
func (w *town) act(t testing.TB, action, code string) error {
	t.Helper()
	ctx, at := context.Background(), july4.Add(time.Hour)
	var err error
	switch action {
	case "submit":
		by, u := w.who("wu")
		form, ferr := w.work.Form(ctx, u, reporting.FormInput{Plan: slug, Month: june}, at)
		if ferr != nil {
			t.Fatal(ferr)
		}
		_, err = w.work.Submit(ctx, by, u, reporting.FormInput{Plan: slug, Month: june,
			Indicators: map[string]reporting.Typed{code: {Version: version(form, code), Value: ptr("15"), Reason: ptr("重新核对")}}}, at)
	case "sign":
		by, u := w.who("bing")
		_, err = w.work.SignOff(ctx, by, u, w.seen(t, code), at)
	case "approve":
		by, u := w.who("office")
		_, err = w.work.Approve(ctx, by, u, w.seen(t, code), at)
	case "return":
		by, u := w.who("office")
		_, err = w.work.Return(ctx, by, u, w.seen(t, code), "请核对", at)
	case "leader return":
		by, u := w.who("bing")
		_, err = w.work.Return(ctx, by, u, w.seen(t, code), "请核对", at)
	default:
		t.Fatalf("no action %q", action)
	}
	return err
}

func version(f reporting.Form, code string) int {
	for _, r := range f.Rows {
		if r.Indicator.Code == code {
			return r.Version
		}
	}
	return -1
}

// Nobody approves or signs what they sent themselves, also with another role.
func TestOwnReportsAreDecidedByOthers(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	w := inTx(t)
	w.submit(t, "jia", juneForm(), july4)
	u := w.people["jia"]
	u.Role, u.DepartmentID, u.Department = landmark.RoleOffice, 0, landmark.Department{}
	if _, err := w.work.Approve(ctx, landmark.ActorOf(u, "", ""), u, w.seen(t, "1.1"), july4); landmark.KindOf(err) != landmark.Forbidden {
		t.Errorf("approving one's own: error = %v, want Forbidden", err)
	}
	u = w.people["jia"]
	u.Role = landmark.RoleLeader
	if err := w.store.RequireSignOff(ctx, u.DepartmentID, true); err != nil {
		t.Fatal(err)
	}
	if _, err := w.work.SignOff(ctx, landmark.ActorOf(u, "", ""), u, w.seen(t, "1.1"), july4); landmark.KindOf(err) != landmark.Forbidden {
		t.Errorf("signing one's own: error = %v, want Forbidden", err)
	}
	if got := w.report(t, "1.1").State; got != landmark.StateSubmitted {
		t.Errorf("state = %s, want submitted", got)
	}
}

// A decision on several is all or nothing and names what stood in its way.
func TestDecideAllOrNothing(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	w := inTx(t)
	w.submit(t, "jia", juneForm(), july4)
	by, u := w.who("office")
	all := w.seen(t, "1.1", "1.2", "1.3")
	if err := w.act(t, "return", "1.2"); err != nil {
		t.Fatal(err)
	}
	_, err := w.work.Approve(ctx, by, u, all, july4.Add(2*time.Hour))
	if landmark.KindOf(err) != landmark.Conflict || !strings.Contains(landmark.MessageOf(err), "1.2 床位已退回(审核员乙,7月4日10:00)") || strings.Contains(landmark.MessageOf(err), "1.1") {
		t.Errorf("error = %v, want a Conflict that names 1.2 and only it", err)
	}
	for _, code := range []string{"1.1", "1.3"} {
		if got := w.report(t, code).State; got != landmark.StateSubmitted {
			t.Errorf("%s is %s, want submitted", code, got)
		}
	}
	if _, err := w.work.Approve(ctx, by, u, []store.Seen{{ReportID: 1 << 40}}, july4); landmark.KindOf(err) != landmark.NotFound {
		t.Errorf("approving what is not there: error = %v, want NotFound", err)
	}
}

// What belongs to others is refused, and nothing changes.
func TestOthersReports(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	w := inTx(t)
	w.submit(t, "jia", juneForm(), july4)
	for _, id := range []int64{w.people["jia"].DepartmentID, w.people["builder"].DepartmentID} {
		if err := w.store.RequireSignOff(ctx, id, true); err != nil {
			t.Fatal(err)
		}
	}
	before := w.rows(t)
	form := func(name string, in reporting.FormInput) error {
		by, u := w.who(name)
		_, errSave := w.work.Save(ctx, by, u, in, july4)
		_, errSubmit := w.work.Submit(ctx, by, u, in, july4)
		if (errSave == nil) != (errSubmit == nil) {
			t.Errorf("%s: save %v, submit %v", name, errSave, errSubmit)
		}
		return errSubmit
	}
	other := juneForm()
	other.DepartmentID = w.people["jia"].DepartmentID
	decide := func(name string) error {
		by, u := w.who(name)
		_, e1 := w.work.Approve(ctx, by, u, w.seen(t, "1.1"), july4)
		_, e2 := w.work.Return(ctx, by, u, w.seen(t, "1.1"), "退回", july4)
		_, e3 := w.work.SignOff(ctx, by, u, w.seen(t, "1.1"), july4)
		for _, err := range []error{e1, e2, e3} {
			if landmark.KindOf(err) != landmark.Forbidden {
				return err
			}
		}
		return e1
	}
	task := func(name, code, state string) error {
		by, u := w.who(name)
		return w.work.UpdateTasks(ctx, by, u, slug, june, []reporting.TaskSaid{{Code: code, State: landmark.TaskState(state), Note: "进展"}}, july4)
	}
	office := func(name string) error {
		by, u := w.who(name)
		_, chase := w.work.Chase(ctx, by, u, slug, []string{"minzheng"}, june, july4)
		for _, err := range []error{
			chase,
			w.work.SetPeriod(ctx, by, u, slug, landmark.DefaultPeriod(june), "理由", july4),
			w.work.Extend(ctx, by, u, slug, "minzheng", june, landmark.Date{Year: 2023, Month: 7, Day: 9}, "理由", july4),
			w.work.Override(ctx, by, u, slug, "1.1", landmark.Override{From: june, Until: june, Light: landmark.OnTrack, Reason: "理由"}, july4),
			w.work.WithdrawOverride(ctx, by, u, slug, 1, "理由", july4),
		} {
			if landmark.KindOf(err) != landmark.Forbidden {
				return err
			}
		}
		return landmark.Errorf(landmark.Forbidden, "", "全部拒绝")
	}
	for name, err := range map[string]error{
		"another department's indicator":  form("builder", juneForm()),
		"another department's form":       form("builder", other),
		"a leader's form":                 form("bing", juneForm()),
		"a viewer's form":                 form("viewer", juneForm()),
		"the office's form":               form("office", other),
		"a visitor's form":                form("nobody", other),
		"decided by a reporter":           decide("jia"),
		"decided by another's leader":     decide("buildlead"),
		"decided by a viewer":             decide("viewer"),
		"decided by a visitor":            decide("nobody"),
		"another department's task":       task("jia", "2-1", ""),
		"a state by one who supports":     task("builder", "1-1", "done"),
		"a task by a viewer":              task("viewer", "1-1", ""),
		"the office's work by a reporter": office("jia"),
		"the office's work by a leader":   office("bing"),
		"the office's work by a viewer":   office("viewer"),
		"the office's work by a visitor":  office("nobody"),
	} {
		if landmark.KindOf(err) != landmark.Forbidden {
			t.Errorf("%s: error = %v, want Forbidden", name, err)
		}
	}
	if diff := cmp.Diff(before, w.rows(t)); diff != "" {
		t.Errorf("something changed (-before +after):\n%s", diff)
	}
	if err := task("builder", "1-1", ""); err != nil {
		t.Errorf("a note by one who supports: %v", err)
	}
}

// A second correction may have the reason of the first, as long as its value is
// another; where only words change, the reason must say so.
func TestSameReasonTwice(t *testing.T) {
	t.Parallel()
	w := inTx(t)
	by := landmark.Actor{Name: "王五"}
	send := func(value, note, reason string) error {
		_, err := w.work.Import(t.Context(), by, slug, june, []reporting.ValueInput{{Code: "1.1", Value: value, Note: note, Reason: reason}}, true, july4)
		return err
	}
	for _, v := range []struct{ value, reason string }{{"12", ""}, {"13", "部门间数据比对"}, {"14", "部门间数据比对"}} {
		if err := send(v.value, "", v.reason); err != nil {
			t.Fatalf("%s because of %q: %v", v.value, v.reason, err)
		}
	}
	err := send("14", "数据来自民政一体化平台", "部门间数据比对")
	if check, ok := errors.AsType[*reporting.CheckError](err); !ok || len(check.Findings) != 1 || !strings.Contains(check.Findings[0].Message, "请写明这次改了什么") {
		t.Errorf("the same value for the same reason: %v, want to be told to say what changed", err)
	}
	if err := send("14", "数据来自民政一体化平台", "补充数据来源"); err != nil {
		t.Errorf("another note for a reason of its own: %v", err)
	}
	if err := send("15", "", ""); err == nil {
		t.Error("a correction without a reason is taken")
	}
}

// The history tells figures with the digits they were entered with.
func TestHistoryKeepsDigits(t *testing.T) {
	t.Parallel()
	pool, err := store.Open(t.Context(), pgtest.URL(t)) // as the program does: it is what keeps the digits
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	w := newTown(t, pool)
	if _, err := w.work.Import(t.Context(), landmark.Actor{Name: "王五"}, slug, june, []reporting.ValueInput{{Code: "1.4", Value: "12.50", Reason: "已核对"}}, true, july4); err != nil {
		t.Fatal(err)
	}
	rows, err := w.db.Query(t.Context(), `SELECT after->>'value' FROM history WHERE act LIKE 'report.%' ORDER BY id`)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"12.50", "12.50"}, got); diff != "" {
		t.Errorf("values in the history (-want +got):\n%s", diff)
	}
}
