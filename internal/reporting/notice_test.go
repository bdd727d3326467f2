package reporting_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"landmark/internal/landmark"
	"landmark/internal/reporting"
)

// told are the notices for somebody, oldest first, as kind and title.
func (w *town) told(t testing.TB, name string) []string {
	t.Helper()
	list, err := w.store.Notices(context.Background(), w.people[name], 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for i := len(list) - 1; i >= 0; i-- {
		out = append(out, string(list[i].Kind)+" "+list[i].Title)
	}
	return out
}

func (w *town) remind(t testing.TB, at time.Time) int {
	t.Helper()
	n, err := w.work.Remind(context.Background(), at)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Each reminder comes once however often the clock is looked at, and stops for
// who has sent.
func TestRemindersOfAMonth(t *testing.T) {
	t.Parallel()
	w := inTx(t)
	day := func(month time.Month, d, hour int) time.Time {
		return time.Date(2023, month, d, hour, 0, 0, 0, shanghai)
	}
	// May was opened on the day the plan was published, and is over in June.
	w.remind(t, day(6, 16, 12))
	before := len(w.told(t, "jia"))
	for d := day(6, 29, 0); d.Before(day(7, 5, 0)); d = d.Add(time.Hour) {
		w.remind(t, d)
	}
	w.submit(t, "jia", juneForm(), day(7, 5, 10))
	for d := day(7, 5, 11); d.Before(day(7, 20, 0)); d = d.Add(time.Hour) {
		w.remind(t, d)
	}
	want := []string{"open 民政局6月报送已开放", "due 民政局6月报送7月5日截止"}
	if diff := cmp.Diff(want, w.told(t, "jia")[before:]); diff != "" {
		t.Errorf("民政局 sent in time (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(w.told(t, "jia"), w.told(t, "bing")); diff != "" {
		t.Errorf("the leader hears something else (-reporter +leader):\n%s", diff)
	}
	late := w.told(t, "builder")
	if got := late[len(late)-1]; got != "late 建设局6月报送已逾期" {
		t.Errorf("建设局 sent nothing and was told %q last", got)
	}
}

// Several programs that remind at once tell each department once.
func TestRemindersAtOnce(t *testing.T) {
	t.Parallel()
	w := inDB(t)
	at := time.Date(2023, 7, 3, 9, 0, 0, 0, shanghai)
	var wg sync.WaitGroup
	told := make([]int, 8)
	errs := make([]error, len(told))
	for i := range told {
		wg.Go(func() { told[i], errs[i] = w.work.Remind(context.Background(), at) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	sum := 0
	for _, n := range told {
		sum += n
	}
	if n := len(w.told(t, "jia")) + len(w.told(t, "builder")); sum != 2 || n != 2 {
		t.Errorf("%d reminders told by %v, %d kept; want one for each of two departments", sum, told, n)
	}
}

// What becomes of a report is told to who has to act or wants to know, once.
func TestNoticesOfAReport(t *testing.T) {
	t.Parallel()
	w := inTx(t)
	ctx := context.Background()
	form := juneForm()
	form.Key = reporting.NewKey()
	w.submit(t, "jia", form, july4)
	w.submit(t, "jia", form, july4) // the same form again
	if diff := cmp.Diff([]string{"submitted 民政局提交了6月报送"}, w.told(t, "office")); diff != "" {
		t.Errorf("the office was told (-want +got):\n%s", diff)
	}
	by, u := w.who("office")
	if _, err := w.work.Return(ctx, by, u, w.seen(t, "1.2"), "请核对", july4); err != nil {
		t.Fatal(err)
	}
	if _, err := w.work.Approve(ctx, by, u, w.seen(t, "1.1", "1.3"), july4); err != nil {
		t.Fatal(err)
	}
	if _, err := w.work.Approve(ctx, by, u, w.seen(t, "1.1"), july4); landmark.KindOf(err) != landmark.Conflict {
		t.Fatalf("approve again: %v", err)
	}
	if _, err := w.work.Chase(ctx, by, u, slug, []string{"jianshe"}, june, july4); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"returned 6月报送退回1项", "approved 6月报送已核定"}, w.told(t, "jia")); diff != "" {
		t.Errorf("民政局 was told (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"chase 市府办催报建设局6月数据"}, w.told(t, "builder")); diff != "" {
		t.Errorf("建设局 was told (-want +got):\n%s", diff)
	}
	if got := w.told(t, "viewer"); len(got) != 0 {
		t.Errorf("a viewer was told %v", got)
	}
}

// With a signature asked, the leader is told first and the office afterwards.
func TestNoticesOfASignature(t *testing.T) {
	t.Parallel()
	w := inTx(t)
	ctx := context.Background()
	if err := w.store.RequireSignOff(ctx, w.people["jia"].DepartmentID, true); err != nil {
		t.Fatal(err)
	}
	w.submit(t, "jia", juneForm(), july4)
	if got := w.told(t, "office"); len(got) != 0 {
		t.Errorf("the office was told %v before the signature", got)
	}
	if diff := cmp.Diff([]string{"submitted 民政局提交了6月报送"}, w.told(t, "bing")); diff != "" {
		t.Errorf("the leader was told (-want +got):\n%s", diff)
	}
	by, u := w.who("bing")
	if _, err := w.work.SignOff(ctx, by, u, w.seen(t, "1.1", "1.2", "1.3"), july4); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"signed 民政局签核了6月报送"}, w.told(t, "office")); diff != "" {
		t.Errorf("the office was told (-want +got):\n%s", diff)
	}
}

// A report that is not taken tells nobody, and one that cannot be told of is not taken.
func TestNoticeAndReportStandTogether(t *testing.T) {
	t.Parallel()
	w := inTx(t)
	ctx := context.Background()
	by, u := w.who("jia")
	bad := juneForm()
	bad.Indicators["1.1"] = reporting.Typed{Value: ptr("不是数")}
	if _, err := w.work.Submit(ctx, by, u, bad, july4); err == nil {
		t.Fatal("a bad form was taken")
	}
	if n := w.rows(t)["notice"]; n != 0 {
		t.Errorf("%d notices of a report that was refused", n)
	}
	if _, err := w.db.Exec(ctx, `ALTER TABLE notice ADD CONSTRAINT faulty CHECK (kind <> 'submitted')`); err != nil {
		t.Fatal(err)
	}
	if _, err := w.work.Submit(ctx, by, u, juneForm(), july4); err == nil {
		t.Error("a report was taken that could not be told of")
	}
	if n := w.rows(t)["report"]; n != 0 {
		t.Errorf("%d reports stand without their notice", n)
	}
}
