package jobs_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"log/slog"
	"mime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/shopspring/decimal"

	"landmark/internal/jobs"
	"landmark/internal/landmark"
	"landmark/internal/notify"
	"landmark/internal/pgtest"
	"landmark/internal/reporting"
	"landmark/internal/store"
)

var (
	shanghai = time.FixedZone("CST", 8*3600)
	june     = landmark.MonthOf(2023, 6)
	// dueSoon is the first moment at which June's report is due in two days.
	dueSoon = time.Date(2023, 7, 3, 9, 0, 0, 0, shanghai)
)

const slug = "small-2023"

// town is a database with a small plan: 民政局 and 建设局 owe one count each.
type town struct {
	url    string
	pool   *pgxpool.Pool // as the program works, in the program's role
	store  *store.Store
	people map[string]landmark.User
}

func newTown(t testing.TB) *town {
	t.Helper()
	ctx := context.Background()
	w := &town{url: pgtest.URL(t), people: map[string]landmark.User{}}
	var err error
	if w.pool, err = store.Open(ctx, w.url); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.pool.Close)
	w.store = store.New(w.pool)
	jan := landmark.MonthOf(2023, 1)
	p := &landmark.Plan{Slug: slug, Title: "小方案", City: "桐乡市", Year: 2023, BaselineYear: 2022, Published: landmark.Date{Year: 2023, Month: 6, Day: 15},
		Columns: []string{"序号"}, Rules: []landmark.LightRule{landmark.DefaultRule(landmark.MonthOf(2023, 5))}}
	for i, name := range []string{"民政局", "建设局"} {
		n := strconv.Itoa(i + 1)
		project := &landmark.Project{Number: i + 1, Name: "项目" + n, Lead: landmark.Department{Slug: "d" + n, Name: name, Sort: i + 1}, LeadPrinted: name}
		ten, twenty := decimal.NewNullDecimal(decimal.NewFromInt(10)), decimal.NewNullDecimal(decimal.NewFromInt(20))
		project.Indicators = []*landmark.Indicator{{Project: project, Position: 1, Code: n + ".1", Printed: "食堂", Name: "食堂", Kind: landmark.Flow, Direction: landmark.Up, Unit: "个",
			Measured: landmark.Monthly, Confirmed: true, BaselineText: "10", Baseline: ten, Targets: []landmark.Target{{From: jan, Amount: twenty, Text: "20"}}}}
		p.Projects = append(p.Projects, project)
	}
	at := time.Date(2023, 6, 15, 9, 0, 0, 0, shanghai)
	if err := w.store.InsertPlan(ctx, p, landmark.Actor{Name: "命令行"}, at); err != nil {
		t.Fatal(err)
	}
	for name, role := range map[string]landmark.Role{"office": landmark.RoleOffice, "d1": landmark.RoleReporter, "d2": landmark.RoleReporter, "lead1": landmark.RoleLeader} {
		u := landmark.User{Name: name, DisplayName: name, Role: role}
		if role != landmark.RoleOffice {
			d, err := w.store.FindDepartment(ctx, "d"+name[len(name)-1:])
			if err != nil {
				t.Fatal(err)
			}
			u.Department, u.DepartmentID = d, d.ID
		}
		if u.ID, err = w.store.InsertAccount(ctx, store.Account{User: u, Hash: store.NoPassword}, at); err != nil {
			t.Fatal(err)
		}
		w.people[name] = u
	}
	return w
}

func (w *town) email(t testing.TB, name, address string) {
	t.Helper()
	if err := w.store.SetEmail(context.Background(), w.people[name].ID, address); err != nil {
		t.Fatal(err)
	}
}

func (w *town) robot(t testing.TB, r store.Robot) {
	t.Helper()
	if err := w.store.InsertRobot(context.Background(), r, landmark.Actor{Name: "office"}, dueSoon); err != nil {
		t.Fatal(err)
	}
}

func (w *town) submit(t testing.TB, name, value string, at time.Time) {
	t.Helper()
	u := w.people[name]
	text := value
	_, err := reporting.New(w.store, shanghai).Submit(context.Background(), landmark.ActorOf(u, "127.0.0.1", "test"), u,
		reporting.FormInput{Plan: slug, Month: june, Key: reporting.NewKey(), Indicators: map[string]reporting.Typed{name[1:] + ".1": {Value: &text}}}, at)
	if err != nil {
		t.Fatalf("submit: %v", err)
	}
}

// deliveries are all of them, oldest first.
func (w *town) deliveries(t testing.TB) []store.Delivery {
	t.Helper()
	list, err := w.store.Deliveries(context.Background(), store.DeliveryFilter{}, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for i, j := 0, len(list)-1; i < j; i, j = i+1, j-1 {
		list[i], list[j] = list[j], list[i]
	}
	return list
}

// config is that of a program whose clock begins at a moment now.
func (w *town) config(t testing.TB, at time.Time) jobs.Config {
	t.Helper()
	began := time.Now()
	robots, err := notify.NewRobots([]string{"127.0.0.1"}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return jobs.Config{Pool: w.pool, Store: w.store, Zone: shanghai, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), World: time.Now,
		Now: func() time.Time { return at.Add(time.Since(began)) }, BaseURL: "https://kanban.example.cn", Robots: robots,
		Tick: 200 * time.Millisecond, Relay: 50 * time.Millisecond, JobTime: 5 * time.Second, Rescue: 6 * time.Second,
		Backoff: func(int) time.Duration { return 10 * time.Millisecond }}
}

func mailer(t testing.TB, url string) *notify.Mailer {
	t.Helper()
	m, err := notify.NewMailer(notify.MailConfig{URL: url, From: "进展看板 <kanban@example.gov.cn>"})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// start runs the jobs until the test ends.
func start(t testing.TB, c jobs.Config) *jobs.Runner {
	t.Helper()
	r, err := jobs.Start(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := r.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return r
}

// eventually waits until a condition holds.
func eventually(t testing.TB, within time.Duration, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(within); !holds(); {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("after %s: %s", within, what)
		}
	}
}

// settled says whether there are n deliveries and none is on its way.
func (w *town) settled(t testing.TB, n int) func() bool {
	return func() bool {
		list := w.deliveries(t)
		for _, d := range list {
			if d.State == store.DeliveryPending {
				return false
			}
		}
		return len(list) == n
	}
}

// Reminders reach everybody they are for, by each way, once.
func TestReminderGoesOut(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	post := newMailServer(t, func(int, string) string { return taken })
	robots := newRobotServer(t, func(int, robotCall) string { return ok })
	w.email(t, "d1", "D1@example.gov.cn")
	w.email(t, "lead1", "d1@example.gov.cn") // one mailbox for two
	w.email(t, "office", "office@example.gov.cn")
	w.robot(t, store.Robot{Name: "民政群", Kind: "dingtalk", URL: robots.URL + "/robot/send?access_token=tok", Secret: "SECabc", Department: w.people["d1"].Department})
	w.robot(t, store.Robot{Name: "全市群", Kind: "wecom", URL: robots.URL + "/cgi-bin/webhook/send?key=k"})
	c := w.config(t, dueSoon)
	c.Mailer = mailer(t, post.url())
	start(t, c)
	eventually(t, 30*time.Second, "not all of 4 deliveries were made", w.settled(t, 4))

	var got []string
	for _, d := range w.deliveries(t) {
		got = append(got, strings.Join([]string{d.Notice.Department.Name, string(d.Notice.Kind), d.Channel, d.State, strconv.Itoa(d.Attempts)}, " "))
	}
	want := []string{"民政局 due mail delivered 1", "民政局 due dingtalk delivered 1", "民政局 due wecom delivered 1", "建设局 due wecom delivered 1"}
	less := func(a, b string) bool { return a < b }
	if diff := cmp.Diff(sorted(want, less), sorted(got, less)); diff != "" {
		t.Errorf("deliveries (-want +got):\n%s", diff)
	}
	mails := post.messages()
	if len(mails) != 1 || mails[0].To != "d1@example.gov.cn" {
		t.Fatalf("mail taken: %+v", mails)
	}
	head := mails[0].Message.Header
	subject, err := new(mime.WordDecoder).DecodeHeader(head.Get("Subject"))
	if err != nil || subject != "民政局6月报送7月5日截止" {
		t.Errorf("subject %q, error %v", subject, err)
	}
	if id := head.Get("Message-Id"); !strings.HasPrefix(id, "<delivery-") || !strings.HasSuffix(id, "@example.gov.cn>") {
		t.Errorf("message id %q", id)
	}
	if head.Get("Auto-Submitted") != "auto-generated" || !strings.Contains(head.Get("From"), "<kanban@example.gov.cn>") {
		t.Errorf("head %v", head)
	}
	for _, call := range robots.taken() {
		if call.Type != "text" || !strings.Contains(call.Text, "截止") || !strings.HasSuffix(call.Text, "https://kanban.example.cn/reports/2023-06?plan="+slug) {
			t.Errorf("a robot was told %+v", call)
		}
		switch {
		case call.Query["access_token"] != nil:
			stamp := call.Query["timestamp"][0]
			mac := hmac.New(sha256.New, []byte("SECabc"))
			mac.Write([]byte(stamp + "\nSECabc"))
			if sign := base64.StdEncoding.EncodeToString(mac.Sum(nil)); call.Query["sign"][0] != sign {
				t.Errorf("signature %q, want %q", call.Query["sign"][0], sign)
			}
			at, err := strconv.ParseInt(stamp, 10, 64)
			if d := time.Since(time.UnixMilli(at)); err != nil || d < 0 || d > time.Minute {
				t.Errorf("signed %s ago, error %v", d, err)
			}
		case call.Query["key"] == nil || call.Query["sign"] != nil:
			t.Errorf("a robot was called with %v", call.Query)
		}
	}
}

func sorted(list []string, less func(a, b string) bool) []string {
	out := append([]string(nil), list...)
	for i := range out {
		for j := i; j > 0 && less(out[j], out[j-1]); j-- {
			out[j], out[j-1] = out[j-1], out[j]
		}
	}
	return out
}

// What fails for reasons that pass is tried again until it is taken, once; what
// fails for good is not. Each try is written down.
func TestDeliveriesThatFail(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		channel  string
		answers  []string // the last one goes on
		state    string
		attempts int
		fault    string // in the last error
	}{
		{name: "robot down, dropping, busy, then well", channel: "dingtalk", answers: []string{"500", "drop", "429", `{"errcode":130101,"errmsg":"too fast"}`, "nonsense", ok},
			state: "delivered", attempts: 6},
		{name: "wrong signature", channel: "dingtalk", answers: []string{`{"errcode":310000,"errmsg":"sign not match"}`}, state: "failed", attempts: 1, fault: "310000"},
		{name: "unknown robot", channel: "wecom", answers: []string{`{"errcode":93000,"errmsg":"invalid webhook url"}`}, state: "failed", attempts: 1, fault: "93000"},
		{name: "redirect", channel: "wecom", answers: []string{"302"}, state: "failed", attempts: 1, fault: "302"},
		{name: "never well", channel: "wecom", answers: []string{"503"}, state: "failed", attempts: 12, fault: "503"},
		{name: "mail busy, dropping, then well", channel: "mail", answers: []string{"451 4.3.0 later", "", "421 4.3.2 later", taken}, state: "delivered", attempts: 4},
		{name: "no such mailbox", channel: "mail", answers: []string{"550 5.1.1 no such user"}, state: "failed", attempts: 1, fault: "550"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newTown(t)
			answer := func(n int) string { return test.answers[min(n, len(test.answers))-1] }
			c := w.config(t, dueSoon)
			c.World = func() time.Time { return time.Now() }
			count := 0
			var calls func() int
			if test.channel == "mail" {
				post := newMailServer(t, func(n int, _ string) string { return answer(n) })
				w.email(t, "d1", "d1@example.gov.cn")
				c.Mailer = mailer(t, post.url())
				calls = func() int { return len(post.messages()) }
			} else {
				robots := newRobotServer(t, func(n int, _ robotCall) string {
					if a := answer(n); a != "nonsense" {
						return a
					}
					return "{}"
				})
				w.robot(t, store.Robot{Name: "群", Kind: test.channel, URL: robots.URL + "/send", Department: w.people["d1"].Department})
				calls = func() int { return len(robots.taken()) }
			}
			start(t, c)
			eventually(t, 60*time.Second, "the delivery was not settled", w.settled(t, 1))
			d := w.deliveries(t)[0]
			if d.State != test.state || d.Attempts != test.attempts || !strings.Contains(d.LastError, test.fault) || test.state == "delivered" && d.LastError != "" {
				t.Errorf("%s after %d tries, last error %q; want %s after %d", d.State, d.Attempts, d.LastError, test.state, test.attempts)
			}
			if test.state == "delivered" {
				count = 1
			}
			if n := calls(); n != count {
				t.Errorf("taken %d times, want %d", n, count)
			}
			tries, err := w.store.Attempts(t.Context(), []int64{d.ID})
			if err != nil || len(tries[d.ID]) != test.attempts {
				t.Fatalf("%d tries written down, error %v; want %d", len(tries[d.ID]), err, test.attempts)
			}
			for i, a := range tries[d.ID] {
				if last := i == test.attempts-1; a.EndedAt.IsZero() || (a.Error == "") != (last && test.state == "delivered") {
					t.Errorf("try %d: %+v", i+1, a)
				}
				if strings.Contains(a.Error, "/send") {
					t.Errorf("try %d tells the robot's address: %s", i+1, a.Error)
				}
			}
		})
	}
}

// The office lets a delivery that failed start anew.
func TestRetryByTheOffice(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	robots := newRobotServer(t, func(n int, _ robotCall) string {
		if n == 1 {
			return `{"errcode":310000,"errmsg":"sign not match"}`
		}
		return ok
	})
	w.robot(t, store.Robot{Name: "群", Kind: "dingtalk", URL: robots.URL + "/send", Department: w.people["d1"].Department})
	start(t, w.config(t, dueSoon))
	eventually(t, 30*time.Second, "the delivery was not settled", w.settled(t, 1))
	d := w.deliveries(t)[0]
	if _, err := w.store.RetryDelivery(t.Context(), d.ID, time.Now()); err != nil {
		t.Fatal(err)
	}
	eventually(t, 30*time.Second, "the second round was not settled", func() bool { return w.deliveries(t)[0].State == "delivered" })
	if _, err := w.store.RetryDelivery(t.Context(), d.ID, time.Now()); landmark.KindOf(err) != landmark.Conflict {
		t.Errorf("retry of what was delivered: %v, want Conflict", err)
	}
	if n := len(robots.taken()); n != 1 {
		t.Errorf("taken %d times, want once", n)
	}
}

// A reminder on its way to a department that sends meanwhile is not sent any more.
func TestReminderStopsAfterSubmission(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	robots := newRobotServer(t, func(int, robotCall) string { return "503" })
	w.robot(t, store.Robot{Name: "群", Kind: "wecom", URL: robots.URL + "/send", Department: w.people["d1"].Department})
	c := w.config(t, dueSoon)
	c.Backoff = func(int) time.Duration { return 300 * time.Millisecond }
	start(t, c)
	eventually(t, 30*time.Second, "the reminder was not tried", func() bool { return robots.count() > 0 })
	w.submit(t, "d1", "12", dueSoon.Add(time.Minute))
	eventually(t, 30*time.Second, "the reminder was not dropped", func() bool {
		list := w.deliveries(t)
		return list[0].State == "dropped" && list[0].LastError == "已经报齐,不再发送"
	})
}

// A robot that was removed hears nothing more, nor does a department's robot of
// the office's matters; one that hears much is not called more than it takes.
func TestRobotsAreSparedAndRemoved(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	robots := newRobotServer(t, func(int, robotCall) string { return ok })
	w.robot(t, store.Robot{Name: "全市群", Kind: "wecom", URL: robots.URL + "/office"})
	w.robot(t, store.Robot{Name: "民政群", Kind: "wecom", URL: robots.URL + "/d1", Department: w.people["d1"].Department})
	list, err := w.store.Robots(t.Context())
	if err != nil || len(list) != 2 || list[0].Name != "全市群" {
		t.Fatalf("robots %+v, error %v", list, err)
	}
	if _, err := w.store.RemoveRobot(t.Context(), list[1].ID, time.Now()); err != nil {
		t.Fatal(err)
	}
	// The office's robot takes 15 calls in a minute, the rest wait.
	plans, err := w.store.Plans(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var notices []landmark.Notice
	for i := range 21 {
		notices = append(notices, landmark.Notice{PlanID: plans[0].ID, Month: june, Department: w.people["d1"].Department, Audience: landmark.ForOffice,
			Kind: landmark.NoticeSubmitted, Cause: strconv.Itoa(i), Title: "民政局提交了6月报送", Body: "一项。", Path: "/review?month=2023-06"})
	}
	if _, err := w.store.InsertNotices(t.Context(), notices, dueSoon); err != nil {
		t.Fatal(err)
	}
	start(t, w.config(t, dueSoon.Add(-72*time.Hour-time.Hour))) // before June is open
	eventually(t, 60*time.Second, "15 calls were not made", func() bool { return len(robots.taken()) >= 15 })
	eventually(t, 10*time.Second, "the others do not wait", func() bool {
		counts, err := w.store.WorkCounts(context.Background())
		return err == nil && counts.Jobs["scheduled"] == 6 && counts.Jobs["running"] == 0
	})
	if n := robots.count(); n != 15 {
		t.Errorf("the robot was called %d times within a minute, want 15", n)
	}
	for _, call := range robots.taken() {
		if !strings.Contains(call.Text, "/review?month=2023-06") {
			t.Errorf("the office's robot was told %q", call.Text)
		}
	}
}

// Without a mail server and robots nothing leaves the house, and the list on the
// pages is filled all the same.
func TestListAlone(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.email(t, "d1", "d1@example.gov.cn")
	c := w.config(t, dueSoon)
	c.Robots = nil
	start(t, c)
	eventually(t, 30*time.Second, "d1 was not reminded", func() bool {
		list, err := w.store.Notices(context.Background(), w.people["d1"], 0, 10)
		return err == nil && len(list) == 1
	})
	if n := len(w.deliveries(t)); n != 0 {
		t.Errorf("%d deliveries", n)
	}
}

// A program told to stop finishes the message it is sending.
func TestStopFinishesWhatIsSent(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	called, release := make(chan struct{}, 10), make(chan struct{})
	robots := newRobotServer(t, func(int, robotCall) string { called <- struct{}{}; <-release; return ok })
	w.robot(t, store.Robot{Name: "群", Kind: "wecom", URL: robots.URL + "/send", Department: w.people["d1"].Department})
	r, err := jobs.Start(t.Context(), w.config(t, dueSoon))
	if err != nil {
		t.Fatal(err)
	}
	<-called
	stopped := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		stopped <- r.Stop(ctx)
	}()
	close(release)
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	if list := w.deliveries(t); len(list) != 1 || list[0].State != "delivered" || list[0].Attempts != 1 {
		t.Errorf("after the stop: %+v", list)
	}
}

// Old keys of forms are swept, young ones are not.
func TestSweep(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	for i, age := range []int{91, 89} {
		if _, err := w.pool.Exec(t.Context(), `INSERT INTO submission_key (account_id, key, body_sha256, answer, created_at) VALUES ($1, $2, '', '', $3)`,
			w.people["d1"].ID, strings.Repeat(strconv.Itoa(i), 16), dueSoon.Add(-time.Duration(age)*24*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	c := w.config(t, dueSoon)
	c.Robots = nil
	start(t, c)
	eventually(t, 30*time.Second, "one key was not swept", func() bool {
		var n int
		return w.pool.QueryRow(context.Background(), "SELECT count(*) FROM submission_key").Scan(&n) == nil && n == 1
	})
}
