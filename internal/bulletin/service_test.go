package bulletin

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"landmark/internal/landmark"
	"landmark/internal/pgtest"
	"landmark/internal/reporting"
	"landmark/internal/store"
	"landmark/seeds"
)

var (
	office  = landmark.User{ID: 1, DisplayName: "办公室", Role: landmark.RoleOffice}
	clerk   = landmark.Actor{Name: "办公室", Role: landmark.RoleOffice}
	sender  = landmark.Actor{Name: "填报员", Role: landmark.RoleReporter}
	month9  = landmark.MonthOf(2023, 9)
	atIssue = moment(10, 15, 10)
)

// filled puts the fixture's plan and values into a database.
func filled(t *testing.T, st *store.Store) {
	t.Helper()
	r := record(t, atIssue)
	if err := st.InsertPlan(t.Context(), r.Plan, sender, moment(5, 31, 9)); err != nil {
		t.Fatal(err)
	}
	for m, at := range map[landmark.Month]time.Time{month9 - 1: moment(9, 4, 10), month9: moment(10, 4, 10)} {
		var list []reporting.ValueInput
		for _, ind := range r.Plan.Indicators() {
			if v, ok := r.Value(ind.ID, m); ok {
				in := reporting.ValueInput{Code: ind.Code, Step: v.Step, Reason: "已核对"}
				if v.Reason != "" {
					in.Reason = v.Reason
				}
				if v.Amount.Valid {
					in.Value = landmark.Entered(v.Amount.Decimal)
				}
				list = append(list, in)
			}
		}
		send(t, st, m, list, at)
	}
}

func send(t *testing.T, st *store.Store, m landmark.Month, list []reporting.ValueInput, at time.Time) {
	t.Helper()
	work := reporting.New(st, shanghai)
	sent, err := work.Import(t.Context(), sender, seeds.Slug, m, list, false, at)
	if err != nil {
		t.Fatal(err)
	}
	var seen []store.Seen
	for _, s := range sent {
		seen = append(seen, store.Seen{ReportID: s.ReportID, Revision: s.Revision})
	}
	if _, err := work.Approve(t.Context(), clerk, office, seen, at.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
}

// complete writes every reason and next step the draft lacks.
func complete(t *testing.T, s *Service, m landmark.Month, now time.Time) int {
	t.Helper()
	d, err := s.Draft(t.Context(), "", m, now)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, b := range d.Blocks {
		if b.Joined {
			texts[b.Key] = strings.NewReplacer(reasonPending, "前期手续较多", nextPending, "由{{"+b.Code+".lead}}加快推进").Replace(b.Template)
		} else {
			texts[b.Key] = b.Template
		}
	}
	version, err := s.Save(t.Context(), office, clerk, "", m, d.Version, texts, now)
	if err != nil {
		t.Fatal(err)
	}
	return version
}

func TestIssue(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	st := store.New(pgtest.DB(t))
	filled(t, st)
	s := New(st, shanghai)
	if _, faults, err := s.Issue(ctx, office, clerk, "", month9, AnyVersion, atIssue); landmark.KindOf(err) != landmark.Invalid || len(faults) == 0 {
		t.Fatalf("issue with reasons missing: error = %v with %d faults, want Invalid with some", err, len(faults))
	}
	version := complete(t, s, month9, atIssue)
	draft, err := s.Draft(ctx, "", month9, atIssue)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range draft.Blocks {
		if b.Edited && !b.Joined {
			t.Errorf("%s counts as edited, though its text is the draft's own", b.Key)
		}
	}
	if _, _, err := s.Issue(ctx, office, clerk, "", month9, version-1, atIssue); landmark.KindOf(err) != landmark.Conflict {
		t.Errorf("issue from an old draft: error = %v, want Conflict", err)
	}
	if _, _, err := s.Issue(ctx, landmark.User{Role: landmark.RoleViewer}, clerk, "", month9, version, atIssue); landmark.KindOf(err) != landmark.Forbidden {
		t.Errorf("issue by a viewer: error = %v, want Forbidden", err)
	}
	issued, faults, err := s.Issue(ctx, office, clerk, "", month9, version, atIssue)
	if err != nil {
		t.Fatalf("%v, faults %v", err, faults)
	}
	if issued.Issue.Number != 1 || issued.Issue.Year != 2023 {
		t.Errorf("the first issue is %d-%d, want 2023-1", issued.Issue.Year, issued.Issue.Number)
	}
	plan := draft.Record.Plan.ID
	file, err := s.File(ctx, plan, month9)
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(file); !bytes.Equal(sum[:], issued.SHA256) {
		t.Error("the file's hash is not the issue's")
	}
	var again bytes.Buffer
	if err := issued.WriteDOCX(&again); err != nil || !bytes.Equal(again.Bytes(), file) {
		t.Errorf("the frozen text gives another file (%v)", err)
	}

	// What comes after does not touch it, and appears in the next.
	ind := indicator(t, draft.Record, "3.1")
	send(t, st, month9, []reporting.ValueInput{{Code: ind.Code, Value: "13800", Reason: "重复统计"}}, moment(10, 20, 9))
	read, err := s.Issued(ctx, plan, month9)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(issued, read, cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })); diff != "" {
		t.Errorf("the issue read back differs (-issued +read):\n%s", diff)
	}
	if _, err := s.Draft(ctx, "", month9, moment(10, 21, 9)); landmark.KindOf(err) != landmark.Conflict {
		t.Errorf("draft of an issued month: error = %v, want Conflict", err)
	}
	next, err := s.Draft(ctx, "", month9+1, moment(11, 15, 9))
	if err != nil {
		t.Fatal(err)
	}
	if want := "结直肠癌筛查（卫健局）2023年9月数据由13820人更正为13800人（重复统计）。"; !strings.Contains(next.Text(), want) {
		t.Errorf("the next draft lacks %q:\n%s", want, next.Text())
	}
	if next.Issue.Number != 2 {
		t.Errorf("the next number is %d, want 2", next.Issue.Number)
	}
	list, err := s.List(ctx, plan, time.Time{})
	if err != nil || len(list) != 1 || list[0].Title != "关于2023年9月份共同富裕标志性成果进展情况的通报" {
		t.Errorf("list %v (%v)", list, err)
	}
	if list, err := s.List(ctx, plan, atIssue.Add(-time.Second)); err != nil || len(list) != 0 {
		t.Errorf("before the issue the list has %d (%v), want none", len(list), err)
	}
}

// An issue carries the end of the history's chain of that moment, on paper and as
// a page. Noted from there, it shows a chain that was cut short afterwards.
func TestIssueWitnessesTheHistory(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	pool := pgtest.DB(t)
	st := store.New(pool)
	filled(t, st)
	s := New(st, shanghai)
	if d, err := s.Draft(ctx, "", month9, atIssue); err != nil || d.Annex.Note != "" {
		t.Errorf("before anything was sealed the draft says %q (%v)", d.Annex.Note, err)
	}
	draft, err := s.Draft(ctx, "", month9, atIssue)
	if err != nil {
		t.Fatal(err)
	}
	plan := draft.Record.Plan.ID
	version := complete(t, s, month9, atIssue)
	if _, err := st.Seal(ctx, 10_000, atIssue); err != nil {
		t.Fatal(err)
	}
	head, err := st.HistoryHead(ctx)
	if err != nil || head.Seq < 2 {
		t.Fatalf("head %v (%v)", head, err)
	}
	issued, faults, err := s.Issue(ctx, office, clerk, "", month9, version, atIssue)
	if err != nil {
		t.Fatalf("%v, faults %v", err, faults)
	}
	if want := "2023年10月15日10时00分操作记录的末号和校验值为" + head.String(); !strings.Contains(issued.Text(), want) {
		t.Errorf("the issue lacks %q:\n%s", want, issued.Text())
	}
	file, err := s.File(ctx, plan, month9)
	if err != nil || !strings.Contains(part(t, file, "word/document.xml"), head.String()) {
		t.Errorf("the file lacks %s (%v)", head, err)
	}
	if _, err := st.Seal(ctx, 10_000, atIssue); err != nil { // the issue's own line
		t.Fatal(err)
	}
	if _, _, err := st.VerifyHistory(ctx, head); err != nil {
		t.Errorf("a whole history is refused: %v", err)
	}
	if _, err := pool.Exec(ctx, `SET session_replication_role = replica;
		WITH gone AS (DELETE FROM history_seal WHERE seq >= `+fmt.Sprint(head.Seq)+` RETURNING history_id) DELETE FROM history WHERE id IN (SELECT history_id FROM gone)`); err != nil {
		t.Fatal(err)
	}
	if _, ok := errors.AsType[store.ChainFault](verify(ctx, st)); ok {
		t.Error("the cut shows without the noted head: the bulletin's is not needed")
	}
	if _, ok := errors.AsType[store.ChainFault](verify(ctx, st, head)); !ok {
		t.Error("a history cut short is not found by the head on the bulletin")
	}
}

func verify(ctx context.Context, st *store.Store, noted ...store.HistoryHead) error {
	_, _, err := st.VerifyHistory(ctx, noted...)
	return err
}

func TestSaveBulletin(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	st := store.New(pgtest.DB(t))
	filled(t, st)
	s := New(st, shanghai)
	save := func(version int, key, text string) (int, error) {
		return s.Save(ctx, office, clerk, "", month9, version, map[string]string{key: text}, atIssue)
	}
	if _, err := save(0, "overall.extra", strings.Repeat("长", maxText+1)); landmark.KindOf(err) != landmark.Invalid {
		t.Errorf("a text too long: error = %v, want Invalid", err)
	}
	version, err := save(0, "overall.extra", "第一稿")
	if err != nil || version != 1 {
		t.Fatalf("first save: version %d, error %v", version, err)
	}
	for _, stale := range []int{0, 7} {
		if _, err := save(stale, "overall.extra", "另一稿"); landmark.KindOf(err) != landmark.Conflict {
			t.Errorf("save over version %d: error = %v, want Conflict", stale, err)
		}
	}
	if version, err = save(1, "no.such.block", "随便"); err != nil {
		t.Fatal(err)
	}
	if d, err := s.Draft(ctx, "", month9, atIssue); err != nil || d.Version != version || !strings.Contains(d.Text(), "第一稿") || len(d.Unused) != 0 {
		t.Errorf("the draft is at version %d with unused %v (%v)", d.Version, d.Unused, err)
	}
	if _, err := save(version, "overall.extra", ""); err != nil {
		t.Fatal(err)
	}
	d, err := s.Draft(ctx, "", month9, atIssue)
	if err != nil || strings.Contains(d.Text(), "第一稿") {
		t.Errorf("the text put back is still there (%v)", err)
	}
	if block, _ := d.Block("overall.extra"); block.Edited {
		t.Error("a text put back counts as edited")
	}
}

// Of several people who press the button at once one issues; numbers have no gap.
func TestIssueRace(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	st := store.New(pgtest.DB(t))
	filled(t, st)
	s := New(st, shanghai)
	months := []landmark.Month{month9, month9 - 1}
	for _, m := range months {
		complete(t, s, m, atIssue)
	}
	var wg sync.WaitGroup
	errs := make(chan error, 8)
	for i := range cap(errs) {
		wg.Go(func() {
			_, faults, err := s.Issue(context.WithoutCancel(ctx), office, clerk, "", months[i%2], AnyVersion, atIssue)
			if len(faults) > 0 {
				t.Errorf("faults %v", faults)
			}
			errs <- err
		})
	}
	wg.Wait()
	close(errs)
	issued := 0
	for err := range errs {
		switch {
		case err == nil:
			issued++
		case landmark.KindOf(err) != landmark.Conflict:
			t.Errorf("error = %v, want Conflict", err)
		}
	}
	r, err := st.Record(ctx, "", time.Time{}, atIssue, shanghai)
	if err != nil {
		t.Fatal(err)
	}
	list, err := s.List(ctx, r.Plan.ID, time.Time{})
	if err != nil || issued != 2 || len(list) != 2 || list[0].Issue.Number != 2 || list[1].Issue.Number != 1 {
		t.Errorf("%d issued, list %v (%v), want numbers 1 and 2", issued, list, err)
	}
}

func TestFrozenContentIsStable(t *testing.T) {
	t.Parallel()
	a, err := json.Marshal(Draft(september(t)))
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(Draft(september(t)))
	if err != nil || !bytes.Equal(a, b) {
		t.Errorf("the same bulletin freezes to other bytes (%v)", err)
	}
}

// What the office sets is in the next drafts and in nothing that has gone out.
func TestLetterhead(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	st := store.New(pgtest.DB(t))
	filled(t, st)
	s := New(st, shanghai)
	version := complete(t, s, month9-1, moment(9, 15, 10))
	first, faults, err := s.Issue(ctx, office, clerk, "", month9-1, version, moment(9, 15, 10))
	if err != nil {
		t.Fatalf("%v, faults %v", err, faults)
	}
	draft, err := s.Draft(ctx, "", month9, atIssue)
	if err != nil {
		t.Fatal(err)
	}
	plan := draft.Record.Plan
	file, err := s.File(ctx, plan.ID, month9-1)
	if err != nil {
		t.Fatal(err)
	}

	head, err := s.Letterhead(ctx, plan, atIssue)
	if err != nil || head.Bulletin != "共富通报〔2023〕2号" || head.Version != 0 {
		t.Fatalf("before any setting: number %q, version %d (%v)", head.Bulletin, head.Version, err)
	}
	set := head.Letterhead
	set.Org, set.BulletinNumber, set.BulletinUsed, set.Copies = "中共桐乡市委办公室文件", "桐政办通〔2023〕{n}号", 11, "市委办公室，市人大办"
	if err := s.SetLetterhead(ctx, landmark.User{Role: landmark.RoleReporter}, sender, "", set, atIssue); landmark.KindOf(err) != landmark.Forbidden {
		t.Errorf("by a reporter: error = %v, want Forbidden", err)
	}
	if err := s.SetLetterhead(ctx, office, clerk, "", set, atIssue); err != nil {
		t.Fatal(err)
	}
	for _, stale := range []int{0, 2} {
		set.Version = stale
		if err := s.SetLetterhead(ctx, office, clerk, "", set, atIssue); landmark.KindOf(err) != landmark.Conflict {
			t.Errorf("over version %d: error = %v, want Conflict", stale, err)
		}
	}
	lines, err := st.History(ctx, store.HistoryFilter{PlanID: plan.ID, Act: "letterhead.set"}, 10)
	if err != nil || len(lines) != 1 || !strings.Contains(string(lines[0].After), `"bulletin_used":11`) || strings.Contains(string(lines[0].After), "printer") {
		t.Errorf("history %v (%v), want one entry with what changed", lines, err)
	}

	draft, err = s.Draft(ctx, "", month9, atIssue)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"中共桐乡市委办公室文件\n桐政办通〔2023〕12号\n", "\n抄送：市委办公室，市人大办。\n桐乡市人民政府办公室\t2023年10月15日印发\n"} {
		if !strings.Contains(draft.Text(), want) {
			t.Errorf("the draft lacks %q:\n%s", want, draft.Text())
		}
	}
	now, err := s.Issued(ctx, plan.ID, month9-1)
	if err != nil || now.Text() != first.Text() || strings.Contains(now.Text(), "桐政办通") {
		t.Errorf("the issued bulletin moved with the setting (%v)", err)
	}
	if again, err := s.File(ctx, plan.ID, month9-1); err != nil || !bytes.Equal(file, again) {
		t.Errorf("the issued file moved with the setting (%v)", err)
	}

	// Numbers go on where they are, and begin anew with the year.
	version = complete(t, s, month9, atIssue)
	if b, _, err := s.Issue(ctx, office, clerk, "", month9, version, atIssue); err != nil || b.Issue.Number != 12 {
		t.Errorf("issued as number %d (%v), want 12", b.Issue.Number, err)
	}
	if head, err = s.Letterhead(ctx, plan, atIssue); err != nil || head.Bulletin != "桐政办通〔2023〕13号" {
		t.Errorf("the next is %s (%v), want 13", head.Bulletin, err)
	}
	if head, err = s.Letterhead(ctx, plan, time.Date(2024, 1, 15, 9, 0, 0, 0, shanghai)); err != nil || head.Bulletin != "桐政办通〔2024〕1号" {
		t.Errorf("the next year's first is %s (%v)", head.Bulletin, err)
	}

	// The city's next plan has the same letterhead and goes on with its numbers; of
	// another city's nothing is taken.
	for _, c := range []struct{ slug, city, want string }{{"tongxiang-2024", plan.City, "桐政办通〔2023〕13号"}, {"haining-2024", "海宁市", "共富通报〔2023〕1号"}} {
		next := record(t, atIssue).Plan
		next.Slug, next.City = c.slug, c.city
		if err := st.InsertPlan(ctx, next, sender, atIssue); err != nil {
			t.Fatal(err)
		}
		r, err := st.Record(ctx, c.slug, time.Time{}, atIssue, shanghai)
		if err != nil {
			t.Fatal(err)
		}
		if head, err := s.Letterhead(ctx, r.Plan, atIssue); err != nil || head.Bulletin != c.want || head.Version != 0 {
			t.Errorf("%s: next number %q at version %d (%v), want %s", c.slug, head.Bulletin, head.Version, err, c.want)
		}
	}
}
