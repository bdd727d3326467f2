package reporting_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"landmark/internal/landmark"
	"landmark/internal/reporting"
	"landmark/internal/store"
)

// Of two reviewers who decide at once exactly one wins, every time, and the
// history has one line for each round.
func TestTwoReviewersAtOnce(t *testing.T) {
	t.Parallel()
	w := inDB(t)
	w.submit(t, "jia", juneForm(), july4)
	rounds := size(100, 500)
	for round := range rounds {
		at := july4.Add(time.Duration(round+1) * time.Minute)
		if round > 0 {
			by, u := w.who("jia")
			form, err := w.work.Form(t.Context(), u, reporting.FormInput{Plan: slug, Month: june}, at)
			if err != nil {
				t.Fatal(err)
			}
			in := reporting.FormInput{Plan: slug, Month: june, Indicators: map[string]reporting.Typed{
				"1.1": {Version: version(form, "1.1"), Value: ptr(fmt.Sprint(13 + round%5)), Reason: ptr(fmt.Sprintf("第%d次核对", round))}}}
			if _, err := w.work.Submit(t.Context(), by, u, in, at); err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
		}
		list := w.seen(t, "1.1")
		errs := make([]error, 2)
		var both sync.WaitGroup
		both.Go(func() {
			by, u := w.who("office")
			_, errs[0] = w.work.Approve(context.Background(), by, u, list, at)
		})
		both.Go(func() {
			by, u := w.who("office2")
			_, errs[1] = w.work.Return(context.Background(), by, u, list, "请核对", at)
		})
		both.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("round %d: approve error %v, return error %v; want exactly one", round, errs[0], errs[1])
		}
		for _, err := range errs {
			if err != nil && landmark.KindOf(err) != landmark.Conflict {
				t.Fatalf("round %d: the loser's error = %v, want Conflict", round, err)
			}
		}
	}
	decided := 0
	for _, act := range w.acts(t) {
		if act == "report.approve" || act == "report.return" {
			decided++
		}
	}
	if decided != rounds {
		t.Errorf("%d decisions in the history, want %d", decided, rounds)
	}
	t.Logf("P6 reviewers at once | %d rounds | 0 lost | 0 doubled", rounds)
}

// Two who decide on the same reports, named in opposite order, do not stop each
// other: one wins all, the other is told.
func TestDecideInOppositeOrder(t *testing.T) {
	t.Parallel()
	w := inDB(t)
	w.submit(t, "jia", juneForm(), july4)
	for round := range 20 {
		list := w.seen(t, "1.1", "1.2", "1.3")
		back := []store.Seen{list[2], list[1], list[0]}
		errs := make([]error, 2)
		var both sync.WaitGroup
		for i, l := range [][]store.Seen{list, back} {
			both.Go(func() {
				by, u := w.who([]string{"office", "office2"}[i])
				_, errs[i] = w.work.Return(context.Background(), by, u, l, "请核对", july4)
			})
		}
		both.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("round %d: errors %v and %v; want exactly one", round, errs[0], errs[1])
		}
		for _, err := range errs {
			if err != nil && landmark.KindOf(err) != landmark.Conflict {
				t.Fatalf("round %d: the loser's error = %v, want Conflict", round, err)
			}
		}
		// What came back is sent again as it is.
		if got := w.submit(t, "jia", reporting.FormInput{Plan: slug, Month: june}, july4).Sent; len(got) != 3 {
			t.Fatalf("round %d: sent %v again, want all three", round, got)
		}
	}
}

// The same form sent many times at once has one effect, and every sender gets the
// same receipt.
func TestSameKeyAtOnce(t *testing.T) {
	t.Parallel()
	w := inDB(t)
	in := juneForm()
	in.Key = reporting.NewKey()
	in.Tasks = map[string]reporting.TaskTyped{"1-1": {Note: ptr("已开工")}}
	in.Indicators["1.1"] = reporting.Typed{Value: ptr("12"), Files: []reporting.Upload{{Name: "清单.pdf", Content: []byte("%PDF-1.7 清单")}}}
	const senders = 20
	receipts, errs := make([]reporting.Receipt, senders), make([]error, senders)
	var all sync.WaitGroup
	for i := range senders {
		all.Go(func() {
			by, u := w.who("jia")
			receipts[i], errs[i] = w.work.Submit(context.Background(), by, u, in, july4)
		})
	}
	all.Wait()
	fresh := 0
	for i := range senders {
		if errs[i] != nil {
			t.Fatal(errs[i])
		}
		if !receipts[i].Replayed {
			fresh++
		}
		receipts[i].Replayed = false
		if diff := cmp.Diff(receipts[0], receipts[i]); diff != "" {
			t.Errorf("receipts differ (-first +%d):\n%s", i, diff)
		}
	}
	if fresh != 1 {
		t.Errorf("%d of %d took effect, want 1", fresh, senders)
	}
	want := map[string]int{"report_revision": 3, "report_event": 3, "task_update": 1, "evidence": 1, "revision_evidence": 1, "submission_key": 1}
	got := w.rows(t)
	for table, n := range want {
		if got[table] != n {
			t.Errorf("%s has %d rows, want %d", table, got[table], n)
		}
	}
	var replays int
	if err := w.db.QueryRow(t.Context(), `SELECT replays FROM submission_key`).Scan(&replays); err != nil {
		t.Fatal(err)
	}
	if replays != senders-1 {
		t.Errorf("replays = %d, want %d", replays, senders-1)
	}
	in.Indicators["1.2"] = reporting.Typed{Value: ptr("120")}
	by, u := w.who("jia")
	if _, err := w.work.Submit(t.Context(), by, u, in, july4); landmark.KindOf(err) != landmark.Invalid {
		t.Errorf("same key, another body: error = %v, want Invalid", err)
	}
	if diff := cmp.Diff(got, w.rows(t)); diff != "" {
		t.Errorf("another body changed something (-before +after):\n%s", diff)
	}
	// The key is the account's own.
	by, u = w.who("wu")
	if _, err := w.work.Save(t.Context(), by, u, reporting.FormInput{Plan: slug, Month: june, Key: in.Key}, july4); err != nil {
		t.Errorf("the same key of another account: %v", err)
	}
}

// Of many who save one row at once, from the same state, exactly one wins each
// time; the others are shown both versions and overwrite nothing.
func TestEditorsAtOnce(t *testing.T) {
	t.Parallel()
	w := inDB(t)
	rounds := size(200, 5000)
	for round := range rounds {
		editors := 2 + round%7
		errs := make([]error, editors)
		var all sync.WaitGroup
		for i := range editors {
			all.Go(func() {
				by, u := w.who([]string{"jia", "wu"}[i%2])
				_, errs[i] = w.work.Save(context.Background(), by, u, reporting.FormInput{Plan: slug, Month: june, Indicators: map[string]reporting.Typed{
					"1.1": {Version: round, Value: ptr(fmt.Sprintf("%d-%d", round, i))}}}, july4)
			})
		}
		all.Wait()
		winner := -1
		for i, err := range errs {
			if err == nil && winner >= 0 {
				t.Fatalf("round %d: %d and %d both saved", round, winner, i)
			}
			if err == nil {
				winner = i
			}
		}
		if winner < 0 {
			t.Fatalf("round %d: nobody saved: %v", round, errs)
		}
		for i, err := range errs {
			stale, ok := errors.AsType[*reporting.StaleError](err)
			if i == winner {
				continue
			}
			if !ok || len(stale.Rows) != 1 {
				t.Fatalf("round %d: editor %d got %v, want a StaleError", round, i, err)
			}
			row := stale.Rows[0]
			if row.Theirs.Value != fmt.Sprintf("%d-%d", round, winner) || row.Mine.Value != fmt.Sprintf("%d-%d", round, i) || row.Version != round+1 {
				t.Fatalf("round %d: stale row %+v, want theirs of %d and mine of %d", round, row, winner, i)
			}
		}
	}
	t.Logf("P6 editors at once | %d rounds | 0 lost | 0 doubled", rounds)
}

// size is n in CI and m with FULL=1, for make torture.
func size(n, m int) int {
	if os.Getenv("FULL") == "1" {
		return m
	}
	return n
}

// Reporters who submit the same month at once from the same state: one report,
// one revision.
func TestSubmittersAtOnce(t *testing.T) {
	t.Parallel()
	w := inDB(t)
	const senders = 8
	errs := make([]error, senders)
	var all sync.WaitGroup
	for i := range senders {
		all.Go(func() {
			by, u := w.who([]string{"jia", "wu"}[i%2])
			in := juneForm()
			in.Indicators["1.1"] = reporting.Typed{Value: ptr(fmt.Sprint(11 + i))}
			_, errs[i] = w.work.Submit(context.Background(), by, u, in, july4)
		})
	}
	all.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if landmark.KindOf(err) != landmark.Conflict {
			t.Errorf("error = %v, want Conflict", err)
		}
	}
	if got := w.rows(t); won != 1 || got["report_revision"] != 3 || got["history"]-1 != 3 {
		t.Errorf("%d won, %d revisions, %d history lines; want 1, 3, 3", won, got["report_revision"], got["history"]-1)
	}
}

// Whatever write of a change fails, nothing of the change remains: the database is
// made to refuse the first write, then the second, and so on to the last.
func TestEveryWriteOrNone(t *testing.T) {
	t.Parallel()
	full := juneForm()
	full.Key = reporting.NewKey()
	full.Tasks = map[string]reporting.TaskTyped{"1-1": {State: ptr("underway"), Note: ptr("已开工")}}
	full.Indicators["1.1"] = reporting.Typed{Value: ptr("12"), Files: []reporting.Upload{{Name: "清单.pdf", Content: []byte("%PDF-1.7 清单")}}}
	for _, c := range []struct {
		name   string
		before func(*town, testing.TB)
		do     func(*town) error
		writes int // at least
	}{
		{"submit", nil, func(w *town) error {
			by, u := w.who("jia")
			_, err := w.work.Submit(context.Background(), by, u, full, july4)
			return err
		}, 12},
		{"save", nil, func(w *town) error {
			by, u := w.who("jia")
			_, err := w.work.Save(context.Background(), by, u, full, july4)
			return err
		}, 6},
		{"approve", func(w *town, t testing.TB) { w.submit(t, "jia", juneForm(), july4) }, func(w *town) error {
			by, u := w.who("office")
			var list []store.Seen
			for _, code := range []string{"1.1", "1.2"} {
				ind, _ := w.plan.Indicator(code)
				r, err := w.store.Record(context.Background(), slug, time.Time{}, july4, shanghai)
				if err != nil {
					return err
				}
				list = append(list, store.Seen{ReportID: r.Report(ind.ID, june).ID})
			}
			_, err := w.work.Approve(context.Background(), by, u, list, july4)
			return err
		}, 4},
		{"import", nil, func(w *town) error {
			_, err := w.work.Import(context.Background(), landmark.Actor{Name: "填报员甲"}, slug, june, []reporting.ValueInput{{Code: "1.1", Value: "12"}, {Code: "2.1", Value: "11"}}, true, july4)
			return err
		}, 9},
		{"override", nil, func(w *town) error {
			by, u := w.who("office")
			return w.work.Override(context.Background(), by, u, slug, "1.1", landmark.Override{From: june, Until: june, Light: landmark.OnTrack, Reason: "另有安排"}, july4)
		}, 2},
		{"period", nil, func(w *town) error {
			by, u := w.who("office")
			return w.work.SetPeriod(context.Background(), by, u, slug, landmark.DefaultPeriod(june), "国庆假期顺延", july4)
		}, 2},
		{"task", nil, func(w *town) error {
			by, u := w.who("jia")
			return w.work.UpdateTasks(context.Background(), by, u, slug, june, []reporting.TaskSaid{{Code: "1-1", Note: "已开工"}}, july4)
		}, 2},
		{"milestone", nil, func(w *town) error {
			by, u := w.who("jia")
			return w.work.Reach(context.Background(), by, u, slug, "1-1", "选址", landmark.Date{Year: 2023, Month: 6, Day: 3}, july4)
		}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := inDB(t)
			if c.before != nil {
				c.before(w, t)
			}
			w.faulty(t)
			before := w.rows(t)
			for k := 1; ; k++ {
				if _, err := w.db.Exec(t.Context(), `UPDATE fault SET at = $1; `, k); err != nil {
					t.Fatal(err)
				}
				if _, err := w.db.Exec(t.Context(), `ALTER SEQUENCE fault_count RESTART`); err != nil {
					t.Fatal(err)
				}
				err := c.do(w)
				if err == nil {
					if k <= c.writes {
						t.Errorf("%d writes, want at least %d: the fault is not made", k-1, c.writes)
					}
					if diff := cmp.Diff(before, w.rows(t)); diff == "" {
						t.Error("the change left no row at all")
					}
					return
				}
				if landmark.KindOf(err) != landmark.Internal {
					t.Fatalf("write %d: error = %v, want an internal one", k, err)
				}
				if diff := cmp.Diff(before, w.rows(t)); diff != "" {
					t.Fatalf("write %d failed and something remains (-before +after):\n%s", k, diff)
				}
			}
		})
	}
}

// Nothing happens of which the history could not be told: while it takes no line,
// no act of anybody changes anything (P9).
func TestNoActWithoutItsLine(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := inDB(t)
	w.submit(t, "jia", juneForm(), july4)
	if _, err := w.db.Exec(ctx, `
		CREATE FUNCTION no_line() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the history takes nothing'; END $$;
		CREATE TRIGGER no_line BEFORE INSERT ON history FOR EACH STATEMENT EXECUTE FUNCTION no_line()`); err != nil {
		t.Fatal(err)
	}
	late := time.Date(2023, 7, 9, 9, 0, 0, 0, shanghai)
	list := w.seen(t, "1.1", "1.2")
	acts := map[string]func(n int) error{
		"submit": func(n int) error {
			by, u := w.who("builder")
			_, err := w.work.Submit(ctx, by, u, reporting.FormInput{Plan: slug, Month: june, Key: reporting.NewKey(), Indicators: map[string]reporting.Typed{"2.1": {Value: ptr(fmt.Sprint(11 + n%8))}}}, july4)
			return err
		},
		"replace": func(n int) error {
			by, u := w.who("jia")
			_, err := w.work.Submit(ctx, by, u, reporting.FormInput{Plan: slug, Month: june, Indicators: map[string]reporting.Typed{"1.1": {Version: 1, Value: ptr(fmt.Sprint(13 + n%5)), Reason: ptr("核对后更正")}}}, july4)
			return err
		},
		"approve": func(int) error {
			by, u := w.who("office")
			_, err := w.work.Approve(ctx, by, u, list, july4)
			return err
		},
		"return": func(int) error {
			by, u := w.who("office2")
			_, err := w.work.Return(ctx, by, u, list, "请核对", july4)
			return err
		},
		"chase": func(int) error {
			by, u := w.who("office")
			_, err := w.work.Chase(ctx, by, u, slug, []string{"jianshe"}, june, late)
			return err
		},
		"override": func(int) error {
			by, u := w.who("office")
			return w.work.Override(ctx, by, u, slug, "1.1", landmark.Override{From: june, Until: june, Light: landmark.OnTrack, Reason: "另有安排"}, july4)
		},
		"period": func(int) error {
			by, u := w.who("office")
			return w.work.SetPeriod(ctx, by, u, slug, landmark.DefaultPeriod(june), "国庆假期顺延", july4)
		},
		"task": func(n int) error {
			by, u := w.who("jia")
			return w.work.UpdateTasks(ctx, by, u, slug, june, []reporting.TaskSaid{{Code: "1-1", Note: fmt.Sprint("已开工", n)}}, july4)
		},
		"milestone": func(int) error {
			by, u := w.who("jia")
			return w.work.Reach(ctx, by, u, slug, "1-1", "选址", landmark.Date{Year: 2023, Month: 6, Day: 3}, july4)
		},
		"import": func(n int) error {
			_, err := w.work.Import(ctx, landmark.Actor{Name: "命令行"}, slug, june, []reporting.ValueInput{{Code: "2.1", Value: fmt.Sprint(11 + n%8)}}, true, july4)
			return err
		},
	}
	before := w.rows(t)
	rounds := 0
	for n := range 10 {
		for name, act := range acts {
			rounds++
			if err := act(n); err == nil || landmark.KindOf(err) != landmark.Internal {
				t.Errorf("%s while the history takes nothing: error = %v, want an internal one", name, err)
			}
			if diff := cmp.Diff(before, w.rows(t)); diff != "" {
				t.Fatalf("%s remains without its line (-before +after):\n%s", name, diff)
			}
		}
	}
	// And the acts are ones that do something, once there is a history again.
	if _, err := w.db.Exec(ctx, `DROP TRIGGER no_line ON history`); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"chase", "submit", "override", "period", "task", "milestone", "approve"} {
		before := w.rows(t)
		if err := acts[name](1); err != nil {
			t.Errorf("%s with a history: %v", name, err)
		}
		if w.rows(t)["history"] <= before["history"] {
			t.Errorf("%s leaves no line", name)
		}
	}
	t.Logf("P9 no act without its line | %d rounds | 0 lost | 0 doubled", rounds)
}

// faulty makes the database refuse the write whose number stands in table fault.
func (w *town) faulty(t testing.TB) {
	t.Helper()
	ctx := context.Background()
	if _, err := w.db.Exec(ctx, `
		CREATE TABLE fault (at int);
		INSERT INTO fault VALUES (0);
		CREATE SEQUENCE fault_count;
		CREATE FUNCTION make_fault() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN
			IF nextval('fault_count') = (SELECT at FROM fault) THEN
				RAISE EXCEPTION 'made to fail at %', TG_TABLE_NAME;
			END IF;
			RETURN NULL;
		END $$`); err != nil {
		t.Fatal(err)
	}
	for _, table := range append([]string{"history_pending"}, tables...) {
		if _, err := w.db.Exec(ctx, `CREATE TRIGGER make_fault AFTER INSERT OR UPDATE OR DELETE ON `+pgx.Identifier{table}.Sanitize()+` FOR EACH STATEMENT EXECUTE FUNCTION make_fault()`); err != nil {
			t.Fatal(err)
		}
	}
}

// A form's days of scenarios are of one piece with it: taken once with its key,
// however often and at once it comes, and not at all where the form is refused.
func TestMilestonesWithTheForm(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	w := inDB(t)
	by, u := w.who("jia")
	in := juneForm()
	in.Key = reporting.NewKey()
	in.Milestones = []reporting.MilestoneTyped{{Scenario: "1-1", Step: "选址", On: "2023-06-03"}, {Scenario: "1-1", Step: "建设", On: "2023-06-20"}}
	wrong := in
	wrong.Milestones = append([]reporting.MilestoneTyped{{Scenario: "1-1", Step: "验收", On: "2023-12-01"}}, in.Milestones...)
	var refused *reporting.CheckError
	if _, err := w.work.Submit(ctx, by, u, wrong, july4); !errors.As(err, &refused) || len(refused.Findings) != 1 || refused.Findings[0].Field != "milestone_3" {
		t.Fatalf("a day to come: error %v, want one finding at milestone_3", err)
	}
	if got := w.rows(t); got["milestone"] != 0 || got["report"] != 0 || got["report_draft"] != 3 {
		t.Errorf("after the refusal %d milestones, %d reports and %d drafts, want none, none and 3", got["milestone"], got["report"], got["report_draft"])
	}
	for code, typed := range in.Indicators { // as the page shown again would send it
		typed.Version = 1
		in.Indicators[code] = typed
	}
	const senders = 8
	receipts, errs := make([]reporting.Receipt, senders), make([]error, senders)
	var all sync.WaitGroup
	for i := range senders {
		all.Go(func() { receipts[i], errs[i] = w.work.Submit(context.Background(), by, u, in, july4) })
	}
	all.Wait()
	replayed := 0
	for i, err := range errs {
		if err != nil || receipts[i].Milestones != 2 {
			t.Errorf("sender %d: %d milestones, error %v", i, receipts[i].Milestones, err)
		}
		if receipts[i].Replayed {
			replayed++
		}
	}
	if got := w.rows(t)["milestone"]; got != 2 || replayed != senders-1 {
		t.Errorf("%d milestones and %d replays, want 2 and %d", got, replayed, senders-1)
	}
	// Without a key the same days at once stand once as well.
	var again sync.WaitGroup
	for i := range senders {
		again.Go(func() {
			_, errs[i] = w.work.Save(context.Background(), by, u, reporting.FormInput{Plan: slug, Month: june,
				Milestones: []reporting.MilestoneTyped{{Scenario: "1-1", Step: "验收", On: "2023-07-02"}}}, july4)
		})
	}
	again.Wait()
	for i, err := range errs {
		if err != nil {
			t.Errorf("sender %d without a key: %v", i, err)
		}
	}
	if got := w.rows(t)["milestone"]; got != 3 {
		t.Errorf("%d milestones, want 3", got)
	}
	if _, err := w.work.Save(ctx, by, u, reporting.FormInput{Plan: slug, Month: june, Milestones: []reporting.MilestoneTyped{{Scenario: "1-1", Step: "验收"}}}, july4); err != nil {
		t.Fatal(err)
	}
	// A key with other days is another form.
	in.Milestones = in.Milestones[:1]
	if _, err := w.work.Submit(ctx, by, u, in, july4); landmark.KindOf(err) != landmark.Invalid {
		t.Errorf("the key with other days: %v, want Invalid", err)
	}
	acts := map[string]int{}
	for _, act := range w.acts(t) {
		acts[act]++
	}
	if acts["milestone.reach"] != 3 || acts["milestone.withdraw"] != 1 {
		t.Errorf("history: %v, want 3 milestones reached and 1 withdrawn", acts)
	}
	// The history line fails: nothing of the form stands.
	before := w.rows(t)
	if _, err := w.db.Exec(ctx, `CREATE FUNCTION fail_milestone() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN IF NEW.act = 'milestone.reach' THEN RAISE EXCEPTION 'no room'; END IF; RETURN NEW; END $$;
		CREATE TRIGGER fail_milestone BEFORE INSERT ON history FOR EACH ROW EXECUTE FUNCTION fail_milestone()`); err != nil {
		t.Fatal(err)
	}
	late := reporting.FormInput{Plan: slug, Month: june, Key: reporting.NewKey(), Milestones: []reporting.MilestoneTyped{{Scenario: "1-1", Step: "开放", On: "2023-07-03"}},
		Indicators: map[string]reporting.Typed{"1.1": {Version: 2, Value: ptr("13")}}}
	if _, err := w.work.Save(ctx, by, u, late, july4); err == nil {
		t.Error("saved though its history could not be written")
	}
	if diff := cmp.Diff(before, w.rows(t)); diff != "" {
		t.Errorf("left behind (-before +after):\n%s", diff)
	}
}

// Of reviewers who chase the same departments at once, each department is reminded
// once, and again after a while; the one who came second is told.
func TestChaseAtOnce(t *testing.T) {
	t.Parallel()
	w := inDB(t)
	late := time.Date(2023, 7, 7, 9, 0, 0, 0, shanghai)
	const rounds, reviewers = 10, 6
	for round := range rounds {
		at := late.Add(time.Duration(round) * 2 * time.Minute)
		chased, errs := make([]reporting.Chased, reviewers), make([]error, reviewers)
		var all sync.WaitGroup
		for i := range reviewers {
			all.Go(func() {
				by, u := w.who([]string{"office", "office2"}[i%2])
				names := [][]string{{"minzheng", "jianshe"}, {"建设局", "民政局", "民政局"}}[i%2]
				chased[i], errs[i] = w.work.Chase(context.Background(), by, u, slug, names, june, at.Add(time.Duration(i)*time.Second))
			})
		}
		all.Wait()
		sent, already := 0, 0
		for i, err := range errs {
			if err != nil {
				t.Fatalf("round %d, reviewer %d: %v", round, i, err)
			}
			sent, already = sent+len(chased[i].Sent), already+len(chased[i].Already)
		}
		if sent != 2 || already != 2*reviewers-2 {
			t.Errorf("round %d: %d reminders sent and %d not repeated, want 2 and %d", round, sent, already, 2*reviewers-2)
		}
		if got := w.rows(t)["chase"]; got != 2*(round+1) {
			t.Fatalf("round %d: %d reminders in all, want %d", round, got, 2*(round+1))
		}
	}
	lines := 0
	for _, act := range w.acts(t) {
		if act == "chase.send" {
			lines++
		}
	}
	if lines != 2*rounds {
		t.Errorf("%d lines in the history, want %d", lines, 2*rounds)
	}
	// One of several who needs no reminder, and none is sent.
	w.submit(t, "jia", juneForm(), late)
	by, u := w.who("office")
	if _, err := w.work.Chase(t.Context(), by, u, slug, []string{"jianshe", "minzheng"}, june, late.Add(time.Hour)); landmark.KindOf(err) != landmark.Conflict {
		t.Errorf("one of two has sent all: %v, want Conflict", err)
	}
	if got := w.rows(t)["chase"]; got != 2*rounds {
		t.Errorf("%d reminders after a refusal, want %d", got, 2*rounds)
	}
}
