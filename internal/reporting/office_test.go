package reporting_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"landmark/internal/landmark"
	"landmark/internal/reporting"
)

func day(m, d int) landmark.Date { return landmark.Date{Year: 2023, Month: m, Day: d} }

// The office moves a month's dates, gives one department more time, and each is
// told in the history with its reason.
func TestPeriodAndExtension(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	w := inTx(t)
	by, u := w.who("office")
	period := landmark.Period{Month: june, Opens: day(6, 30), Due: day(7, 6), Grace: day(7, 8), Lock: day(7, 20)}
	if err := w.work.SetPeriod(ctx, by, u, slug, period, "  系统切换 ", july4); err != nil {
		t.Fatal(err)
	}
	if err := w.work.Extend(ctx, by, u, slug, "minzheng", june, day(7, 12), "数据晚两天出", july4); err != nil {
		t.Fatal(err)
	}
	r := w.record(t, july4)
	welfare, building := w.people["jia"].DepartmentID, w.people["builder"].DepartmentID
	if diff := cmp.Diff(period, r.Period(june)); diff != "" {
		t.Errorf("period (-want +got):\n%s", diff)
	}
	if r.DueFor(welfare, june) != day(7, 12) || r.DueFor(building, june) != day(7, 6) {
		t.Errorf("due %v and %v, want 12 July and 6 July", r.DueFor(welfare, june), r.DueFor(building, june))
	}
	for name, err := range map[string]error{
		"due before it opens":        w.work.SetPeriod(ctx, by, u, slug, landmark.Period{Month: june, Opens: day(6, 30), Due: day(6, 29), Grace: day(7, 8), Lock: day(7, 20)}, "理由", july4),
		"lock before grace":          w.work.SetPeriod(ctx, by, u, slug, landmark.Period{Month: june, Opens: day(6, 30), Due: day(7, 5), Grace: day(7, 8), Lock: day(7, 7)}, "理由", july4),
		"a month that is not owed":   w.work.SetPeriod(ctx, by, u, slug, landmark.DefaultPeriod(june-3), "理由", july4),
		"no reason":                  w.work.SetPeriod(ctx, by, u, slug, period, " \n", july4),
		"a long reason":              w.work.SetPeriod(ctx, by, u, slug, period, strings.Repeat("长", 501), july4),
		"an extension that is none":  w.work.Extend(ctx, by, u, slug, "minzheng", june, day(7, 12), "理由", july4),
		"an extension of no month":   w.work.Extend(ctx, by, u, slug, "minzheng", june-3, day(7, 12), "理由", july4),
		"an extension for no reason": w.work.Extend(ctx, by, u, slug, "minzheng", june, day(7, 20), "", july4),
	} {
		if landmark.KindOf(err) != landmark.Invalid {
			t.Errorf("%s: error = %v, want Invalid", name, err)
		}
	}
	if diff := cmp.Diff([]string{"period.set", "extension.grant"}, w.acts(t)); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	var reason string
	if err := w.db.QueryRow(ctx, `SELECT reason FROM period`).Scan(&reason); err != nil || reason != "系统切换" {
		t.Errorf("reason = %q, %v", reason, err)
	}
}

// Late is what was first sent late, whatever is sent, approved or granted after.
func TestLateOnceAndForEver(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	w := inTx(t)
	late := time.Date(2023, 7, 6, 0, 0, 0, 0, shanghai)
	w.submit(t, "jia", juneForm(), late)
	by, u := w.who("office")
	if err := w.work.Extend(ctx, by, u, slug, "minzheng", june, day(7, 12), "事后补办", late.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := w.act(t, "approve", "1.1"); err != nil {
		t.Fatal(err)
	}
	welfare := w.people["jia"].Department
	if got := w.record(t, late.AddDate(0, 1, 0)).Discipline(welfare, june); got.Late != 3 || got.Received != 3 {
		t.Errorf("discipline = %d late of %d, want 3 of 3", got.Late, got.Received)
	}
}

// A date moved afterwards re-judges nobody, in either direction: neither now nor
// on a page that shows the time before.
func TestMovedDateJudgesNothingPast(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	w := inTx(t)
	by, u := w.who("office")
	welfare, building := w.people["jia"].Department, w.people["builder"].Department
	at := func(d, hour int) time.Time { return time.Date(2023, 7, d, hour, 0, 0, 0, shanghai) }
	move := func(due, lock landmark.Date, when time.Time) {
		t.Helper()
		p := landmark.Period{Month: june, Opens: day(6, 30), Due: due, Grace: due, Lock: lock}
		if err := w.work.SetPeriod(ctx, by, u, slug, p, "顺延", when); err != nil {
			t.Fatal(err)
		}
	}
	w.submit(t, "jia", juneForm(), at(6, 9)) // a day late
	move(day(7, 12), day(7, 15), at(7, 9))
	if got := w.record(t, at(11, 9)).Discipline(building, june); got.Missing != 0 || got.Awaited != 1 {
		t.Errorf("before the new date: %d missing, %d awaited, want 0 and 1", got.Missing, got.Awaited)
	}
	w.submit(t, "builder", reporting.FormInput{Plan: slug, Month: june, Indicators: map[string]reporting.Typed{"2.1": {Value: ptr("12")}}}, at(12, 23))
	move(day(7, 3), day(7, 15), at(13, 9))
	for _, when := range []time.Time{at(13, 10), at(20, 9), at(31, 9)} {
		r := w.record(t, when)
		if got := r.Discipline(welfare, june); got.Late != 3 || got.Received != 3 {
			t.Errorf("%s: %d late of %d, want 3 of 3: they were late by the date that held", when, got.Late, got.Received)
		}
		if got := r.Discipline(building, june); got.Late != 0 || got.Received != 1 {
			t.Errorf("%s: %d late of %d, want none of 1: it was in time by the date that held", when, got.Late, got.Received)
		}
	}
	move(day(7, 30), day(7, 31), at(20, 10)) // after the lock
	then, err := w.store.Record(ctx, slug, at(6, 10), at(25, 9), shanghai)
	if err != nil {
		t.Fatal(err)
	}
	if got := then.Discipline(building, june); got.Missing != 1 {
		t.Errorf("as of 6 July %d are missing, want the 1 that was", got.Missing)
	}
}

// Once a month is locked, what is missing stays missing until it is sent, however
// the dates are moved to open the month again.
func TestMovedDateExcusesNothingMissing(t *testing.T) {
	t.Parallel()
	w := inTx(t)
	by, u := w.who("office")
	reopened := landmark.Period{Month: june, Opens: day(6, 30), Due: day(7, 25), Grace: day(7, 25), Lock: day(7, 31)}
	if err := w.work.SetPeriod(t.Context(), by, u, slug, reopened, "重新开放", time.Date(2023, 7, 16, 0, 0, 0, 0, shanghai)); err != nil {
		t.Fatal(err)
	}
	r := w.record(t, time.Date(2023, 7, 17, 9, 0, 0, 0, shanghai))
	welfare := w.people["jia"].Department
	if got := r.Discipline(welfare, june); got.Missing != 3 || got.Awaited != 0 {
		t.Errorf("%d missing, %d awaited, want 3 and none", got.Missing, got.Awaited)
	}
	if got := r.Window(welfare.ID, june); got != landmark.Open {
		t.Errorf("the month is %s, want it open again", got.Chinese())
	}
}

// The due day counts to its end.
func TestInTimeToTheLastSecond(t *testing.T) {
	t.Parallel()
	w := inTx(t)
	w.submit(t, "jia", juneForm(), time.Date(2023, 7, 5, 23, 59, 59, 0, shanghai))
	if got := w.record(t, july4.AddDate(0, 1, 0)).Discipline(w.people["jia"].Department, june); got.Late != 0 || got.Received != 3 {
		t.Errorf("a second before midnight: %d late of %d, want none of 3", got.Late, got.Received)
	}
}

func TestOverride(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	w := inTx(t)
	by, u := w.who("office")
	ind, _ := w.plan.Indicator("1.1")
	set := func(o landmark.Override) error { return w.work.Override(ctx, by, u, slug, "1.1", o, july4) }
	if err := set(landmark.Override{From: june, Until: june + 1, Light: landmark.OnTrack, Reason: "另有安排"}); err != nil {
		t.Fatal(err)
	}
	a := w.record(t, july4).Assess(ind, june)
	if a.Light != landmark.OnTrack || a.Computed != landmark.Unreported || a.Override == nil {
		t.Errorf("light %s, computed %s", a.Light, a.Computed)
	}
	if a := w.record(t, july4).Assess(ind, june+2); a.Override != nil {
		t.Error("the override outlives its month")
	}
	for name, o := range map[string]landmark.Override{
		"no reason":          {From: june, Until: june, Light: landmark.OnTrack, Reason: " "},
		"no such light":      {From: june, Until: june, Light: landmark.Unreported, Reason: "理由"},
		"the wrong way":      {From: june, Until: june - 1, Light: landmark.OnTrack, Reason: "理由"},
		"beyond the plan":    {From: june, Until: june + 12, Light: landmark.OnTrack, Reason: "理由"},
		"reason with no end": {From: june, Until: june, Light: landmark.OnTrack, Reason: strings.Repeat("长", 501)},
	} {
		if err := set(o); landmark.KindOf(err) != landmark.Invalid {
			t.Errorf("%s: error = %v, want Invalid", name, err)
		}
	}
	withdraw := func() error { return w.work.WithdrawOverride(ctx, by, u, slug, a.Override.ID, "不再需要", july4) }
	if err := withdraw(); err != nil {
		t.Fatal(err)
	}
	if a := w.record(t, july4).Assess(ind, june); a.Light != landmark.Unreported {
		t.Errorf("light after withdrawing = %s, want unreported", a.Light)
	}
	if diff := cmp.Diff([]string{"override.set", "override.withdraw"}, w.acts(t)); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	if err := withdraw(); landmark.KindOf(err) != landmark.Conflict {
		t.Errorf("withdrawing twice: error = %v, want Conflict", err)
	}
	if err := w.work.WithdrawOverride(ctx, by, u, slug, 1<<40, "", july4); landmark.KindOf(err) != landmark.NotFound {
		t.Errorf("withdrawing nothing: error = %v, want NotFound", err)
	}
}

func TestMilestones(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	w := inTx(t)
	by, u := w.who("jia")
	reach := func(step string, on landmark.Date) error {
		return w.work.Reach(ctx, by, u, slug, "1-1", step, on, july4)
	}
	for range 2 { // the second says nothing new
		if err := reach("选址", day(6, 3)); err != nil {
			t.Fatal(err)
		}
	}
	for name, err := range map[string]error{
		"in the future": reach("建设", day(7, 5)),
		"no day":        reach("建设", landmark.Date{}),
		"no such stage": reach("封顶", day(7, 1)),
	} {
		if landmark.KindOf(err) != landmark.Invalid {
			t.Errorf("%s: error = %v, want Invalid", name, err)
		}
	}
	other, builder := w.who("builder")
	if err := w.work.Reach(ctx, other, builder, slug, "1-1", "建设", day(7, 1), july4); landmark.KindOf(err) != landmark.Forbidden {
		t.Errorf("another department: error = %v, want Forbidden", err)
	}
	if err := w.work.Unreach(ctx, by, u, slug, "1-1", "验收", july4); landmark.KindOf(err) != landmark.Conflict {
		t.Errorf("taking back what was never said: error = %v, want Conflict", err)
	}
	if err := w.work.Unreach(ctx, by, u, slug, "1-1", "选址", july4); err != nil {
		t.Fatal(err)
	}
	_, scenario, _ := w.plan.Scenario("1-1")
	if got := w.record(t, july4).Reached(scenario.ID, june); len(got) != 0 {
		t.Errorf("reached = %v, want nothing", got)
	}
	if diff := cmp.Diff([]string{"milestone.reach", "milestone.withdraw"}, w.acts(t)); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
}

func TestTaskUpdates(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	w := inTx(t)
	by, u := w.who("jia")
	say := func(m landmark.Month, at time.Time, said ...reporting.TaskSaid) error {
		return w.work.UpdateTasks(ctx, by, u, slug, m, said, at)
	}
	if err := say(june, july4, reporting.TaskSaid{Code: "1-1", State: landmark.TaskDone, Note: " 已完成 "}, reporting.TaskSaid{Code: "1-2", State: landmark.TaskUnderway}); err != nil {
		t.Fatal(err)
	}
	_, task, _ := w.plan.Task("1-1")
	if r := w.record(t, july4); r.TaskStateIn(task.ID, june) != landmark.TaskDone || r.Updates[task.ID][0].Note != "已完成" {
		t.Errorf("task 1-1 stands at %s, %+v", r.TaskStateIn(task.ID, june), r.Updates[task.ID])
	}
	for name, err := range map[string]error{
		"nothing said":    say(june, july4, reporting.TaskSaid{Code: "1-1", Note: " "}),
		"no such state":   say(june, july4, reporting.TaskSaid{Code: "1-1", State: "unheard"}),
		"a long note":     say(june, july4, reporting.TaskSaid{Code: "1-1", Note: strings.Repeat("长", 4001)}),
		"a month to come": say(june+2, july4, reporting.TaskSaid{Code: "1-1", Note: "进展"}),
		"a locked month":  say(june, july4.AddDate(0, 0, 14), reporting.TaskSaid{Code: "1-1", Note: "进展"}),
	} {
		if landmark.KindOf(err) != landmark.Invalid {
			t.Errorf("%s: error = %v, want Invalid", name, err)
		}
	}
	if err := say(june, july4, reporting.TaskSaid{Code: "9-9", Note: "进展"}); landmark.KindOf(err) != landmark.NotFound {
		t.Errorf("no such task: error = %v, want NotFound", err)
	}
	if n := w.rows(t)["task_update"]; n != 2 || len(w.acts(t)) != 2 {
		t.Errorf("%d updates and %v, want 2 and 2", n, w.acts(t))
	}
}

// A list goes through the checks of a form; all of its rows or none.
func TestImport(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	w := inTx(t)
	by := landmark.Actor{Name: "王五"}
	list := []reporting.ValueInput{{Code: "1.1", Value: "12"}, {Code: "1.3", Step: "推进中", Note: "已进场"}, {Code: "2.1", Value: "4"}}
	before := w.rows(t)
	_, err := w.work.Import(ctx, by, slug, june, append(slices.Clone(list), reporting.ValueInput{Code: "1.2", Value: "-3"}), true, july4)
	check, ok := errors.AsType[*reporting.CheckError](err)
	if !ok {
		t.Fatalf("error = %v, want a CheckError", err)
	}
	if diff := cmp.Diff([]string{"1.2 value negative", "2.1 reason turns_behind"}, rules(check.Findings)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	for name, bad := range map[string][]reporting.ValueInput{
		"a code twice":   {{Code: "1.1", Value: "12"}, {Code: "1.1", Value: "13"}},
		"a blank row":    {{Code: "1.1"}},
		"nothing at all": {},
	} {
		if _, err := w.work.Import(ctx, by, slug, june, bad, false, july4); landmark.KindOf(err) != landmark.Invalid {
			t.Errorf("%s: error = %v, want Invalid", name, err)
		}
	}
	if _, err := w.work.Import(ctx, by, slug, june, []reporting.ValueInput{{Code: "9.9", Value: "1"}}, false, july4); landmark.KindOf(err) != landmark.NotFound {
		t.Errorf("no such code: error = %v, want NotFound", err)
	}
	_, err = w.work.Import(ctx, by, slug, june, list, false, july4.AddDate(0, 0, -6))
	if want := "2023年6月的报送2023年6月30日才开放,没有收下任何数值,请在开放后再导入"; landmark.KindOf(err) != landmark.Invalid || landmark.MessageOf(err) != want {
		t.Errorf("before the month opens: error = %v, want %q", err, want)
	}
	if diff := cmp.Diff(before, w.rows(t)); diff != "" {
		t.Errorf("a refused list changed something (-before +after):\n%s", diff)
	}

	// Somebody is working on 1.1 in the browser: that stays.
	jiaBy, jia := w.who("jia")
	if _, err := w.work.Save(ctx, jiaBy, jia, reporting.FormInput{Plan: slug, Month: june, Indicators: map[string]reporting.Typed{"1.1": {Value: ptr("99")}}}, july4); err != nil {
		t.Fatal(err)
	}
	if err := w.store.RequireSignOff(ctx, jia.DepartmentID, true); err != nil {
		t.Fatal(err)
	}
	list[2].Reason = "下半年集中建设"
	sent, err := w.work.Import(ctx, by, slug, june, list, true, july4)
	if err != nil || len(sent) != 3 {
		t.Fatalf("sent %v, error %v", sent, err)
	}
	for _, code := range []string{"1.1", "1.3", "2.1"} {
		if got := w.report(t, code); got.State != landmark.StateApproved || got.SubmittedBy != "王五" {
			t.Errorf("%s is %s by %s, want approved by 王五", code, got.State, got.SubmittedBy)
		}
	}
	if got := rowOf(t, w.form(t, "jia", reporting.FormInput{}, july4), "1.1").Fields.Value; got != "99" {
		t.Errorf("the draft in the browser = %q, want 99", got)
	}
	want := []string{"report.submit", "report.submit", "report.submit", "report.sign", "report.sign", "report.approve", "report.approve", "report.approve"}
	if diff := cmp.Diff(want, w.acts(t)); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	// The same list again says nothing new; another value is a correction.
	if _, err := w.work.Import(ctx, by, slug, june, list, true, july4); landmark.KindOf(err) != landmark.Invalid {
		t.Errorf("the same again: error = %v, want Invalid", err)
	}
	list[0].Value, list[0].Reason = "13", "漏计一处"
	sent, err = w.work.Import(ctx, by, slug, june, list, false, july4)
	if err != nil || len(sent) != 1 || !sent[0].Correction {
		t.Errorf("correction sent %v, error %v", sent, err)
	}
	// Sent but not approved yet, the same list approves it.
	sent, err = w.work.Import(ctx, by, slug, june, list, true, july4)
	if got := w.report(t, "1.1"); err != nil || len(sent) != 1 || got.State != landmark.StateApproved || got.Revision != 2 {
		t.Errorf("approved %v, error %v; 1.1 is %s at revision %d, want approved at 2", sent, err, got.State, got.Revision)
	}
	if _, err := w.work.Import(ctx, by, slug, june, list, true, july4); landmark.KindOf(err) != landmark.Invalid {
		t.Errorf("approved once more: error = %v, want Invalid", err)
	}
}
