package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"landmark/internal/auth"
	"landmark/internal/landmark"
	"landmark/internal/reporting"
	"landmark/internal/server"
)

// contents are all rows of all tables but for what differs by chance from one
// world to the next.
func (w *world) contents() map[string][]string {
	w.t.Helper()
	ctx := w.t.Context()
	rows, err := w.db.Query(ctx, `SELECT tablename FROM pg_tables WHERE schemaname = 'public'
		AND tablename NOT IN ('session', 'sign_in_failure', 'submission_key', 'data_version', 'plan_edition') AND tablename NOT LIKE 'river%' AND tablename NOT LIKE 'schema%'`)
	if err != nil {
		w.t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		w.t.Fatal(err)
	}
	out := map[string][]string{}
	for _, table := range tables {
		rows, err := w.db.Query(ctx, `SELECT (to_jsonb(t) - ARRAY['request_id', 'password_hash', 'id', 'history_id', 'created_at'])::text FROM `+pgx.Identifier{table}.Sanitize()+` t ORDER BY 1`)
		if err != nil {
			w.t.Fatal(err)
		}
		if out[table], err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
			w.t.Fatal(err)
		}
	}
	return out
}

// columns are the names of all columns there are.
func (w *world) columns() []string {
	w.t.Helper()
	rows, err := w.db.Query(w.t.Context(), `SELECT DISTINCT column_name::text FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1`)
	if err != nil {
		w.t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		w.t.Fatal(err)
	}
	return names
}

// The same forms are sent in two worlds, in one of them with a field for every
// column of every table besides: both end the same.
func TestExtraFieldsChangeNothing(t *testing.T) {
	t.Parallel()
	type step struct {
		who, page, form string
		pairs           []string
	}
	steps := []step{
		{"office", "/admin/users/viewer", "update", []string{"display_name", "分管市长"}},
		{"office", "/admin/indicators/3.1", "target", []string{"target", "25000", "from", "2023-09", "basis", "桐政办发〔2023〕12号", "basis_on", "2023-08-20"}},
		{"office", "/admin/indicators/3.1", "definition", []string{"definition", "按常住人口", "from", "2023-09"}},
		{"office", "/admin/indicators/9.3", "nature", []string{"confirmed", "1", "reason", "民政局来函"}},
		{"office", "/admin/periods?edit=2023-10", "period", []string{"due", "2023-11-08", "grace", "2023-11-10", "reason", "系统切换"}},
		{"office", "/admin/periods?edit=2023-10", "extension", []string{"department", "minzheng", "month", "2023-10", "due", "2023-11-20", "reason", "系统升级"}},
		{"office", "/admin/departments", "add", []string{"name", "文旅局", "slug", "wenlv"}},
		{"office", "/admin/letterhead", "letterhead", []string{"org", "桐乡市人民政府办公室文件"}},
		{"office", "/admin/robots", "add", []string{"name", "群", "kind", "wecom", "url", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k"}},
		{"reporter", "/account", "", []string{"email", "a@example.cn"}},
		{"reporter", september, "", minzheng("")},
		{"office", "/review", "", []string{"action", "approve"}},
	}
	play := func(extra bool) (*world, map[string][]string) {
		w := reportWorld(t)
		names := w.columns()
		for _, s := range steps {
			b := w.enter(s.who)
			page := wantStatus(t, b.get(s.page), http.StatusOK)
			action, values := s.page, url.Values{}
			switch {
			case s.form != "":
				action, values = formOf(t, page, s.form)
			case s.page == "/account":
				action = "/account/email"
			case s.page == september:
				values.Set("key", keyOf(t, page))
			case s.page == "/review":
				for i, pairs := 0, w.ticked("4.1", "4.2"); i < len(pairs); i += 2 {
					values.Add(pairs[i], pairs[i+1])
				}
			}
			for i := 0; i+1 < len(s.pairs); i += 2 {
				if s.pairs[i+1] != "" {
					values.Set(s.pairs[i], s.pairs[i+1])
				}
			}
			if extra {
				for _, name := range names {
					// What the form itself may carry is not extra.
					if !values.Has(name) && !strings.Contains(page, `name="`+name+`"`) {
						values.Set(name, "1")
					}
				}
				values.Set("role", cmpOr(values.Get("role"), "office"))
			}
			if res := b.send(http.MethodPost, action, values.Encode()); res.StatusCode != http.StatusSeeOther {
				t.Errorf("%s %s with extra fields %t: %d\n%s", s.page, s.form, extra, res.StatusCode, textOf(t, bodyOf(t, res), "main"))
			}
		}
		return w, w.contents()
	}
	w, plain := play(false)
	_, stuffed := play(true)
	if n := len(w.columns()); n < 100 {
		t.Errorf("only %d columns were tried", n)
	}
	if diff := cmp.Diff(plain, stuffed); diff != "" {
		t.Errorf("extra fields changed something (-without +with):\n%s", diff)
	}
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// Any parameter that comes twice and means one thing is refused, in the address and
// in the body, by every route.
func TestRepeatedParametersEverywhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("office", landmark.RoleOffice, "")
	w.account("leader", landmark.RoleLeader, "minzheng")
	_, rows := readRights(t)
	before := w.fingerprint()
	for _, row := range rows {
		who := "office"
		if row.pattern == "/signoff" {
			who = "leader"
		}
		b := w.enter(who)
		sep := "?"
		if strings.Contains(row.path, "?") {
			sep = "&"
		}
		if row.method == http.MethodGet { // also where the page is kept by now
			b.get(row.path)
			if got := b.get(row.path + sep + "month=2023-09&month=2023-09").StatusCode; got != http.StatusBadRequest {
				t.Errorf("GET %s with a month twice: %d, want 400", row.path, got)
			}
		}
		if got := b.send(row.method, row.path+sep+"id=1&id=2", row.form).StatusCode; got != http.StatusBadRequest {
			t.Errorf("%s %s with id=1&id=2 in the address: %d, want 400", row.method, row.path, got)
		}
		if row.method == http.MethodPost {
			if got := b.send(row.method, row.path, row.form+"&id=1&id=2").StatusCode; got != http.StatusBadRequest {
				t.Errorf("%s %s with id=1&id=2 in the body: %d, want 400", row.method, row.path, got)
			}
		}
	}
	if diff := cmp.Diff(before, w.fingerprint()); diff != "" {
		t.Errorf("the database changed (-before +after):\n%s", diff)
	}
}

// Reading writes nothing: with every table made to refuse writes but those of
// sessions and failed sign-ins, each page is there as ever, twice.
func TestReadingWritesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("viewer", landmark.RoleViewer, "")
	w.account("reporter_a", landmark.RoleReporter, "minzheng")
	w.account("leader_a", landmark.RoleLeader, "minzheng")
	w.account("office", landmark.RoleOffice, "")
	owner := w.owner()
	if _, err := owner.Exec(t.Context(), `
		CREATE FUNCTION no_write() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a write to %', TG_TABLE_NAME; END $$;
		DO $$ DECLARE t text; BEGIN
			FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT IN ('session', 'sign_in_failure') LOOP
				EXECUTE format('CREATE TRIGGER no_write BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION no_write()', t);
			END LOOP;
		END $$`); err != nil {
		t.Fatal(err)
	}
	if _, err := w.db.Exec(t.Context(), "UPDATE account SET must_change = false"); err == nil {
		t.Fatal("the tables take writes: the test looks at nothing")
	}
	_, rows := readRights(t)
	read := 0
	for _, who := range []string{"visitor", "viewer", "reporter_a", "leader_a", "office"} {
		b := w.browser()
		if who != "visitor" {
			b = w.enter(who)
		}
		for _, row := range rows {
			if row.method != http.MethodGet {
				continue
			}
			for range 2 {
				read++
				if got := b.get(row.path).StatusCode; got != row.want[who] && !(row.pattern == "/evidence/{id}" && got == http.StatusNotFound) {
					t.Errorf("%s: GET %s = %d, want %d", who, row.path, got, row.want[who])
				}
			}
		}
	}
	t.Logf("%d pages were read", read)
}

// With its tables gone every route answers with a page of ours that tells nothing
// of them, and what needs them is not done.
func TestEveryRouteFailsPlainly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("office", landmark.RoleOffice, "")
	w.account("leader", landmark.RoleLeader, "minzheng")
	b, leader := w.enter("office"), w.enter("leader")
	if _, err := w.owner().Exec(t.Context(), `
		DO $$ DECLARE t text; BEGIN
			FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT IN ('session', 'account', 'department', 'data_version', 'schema_migrations') LOOP
				EXECUTE format('ALTER TABLE %I RENAME TO %I', t, 'gone_' || t);
			END LOOP;
		END $$`); err != nil {
		t.Fatal(err)
	}
	_, rows := readRights(t)
	failed := 0
	for _, row := range rows {
		by := b
		if row.pattern == "/signoff" {
			by = leader
		}
		res := by.send(row.method, row.path, row.form)
		page := bodyOf(t, res)
		if res.StatusCode >= http.StatusInternalServerError {
			failed++
			if id := res.Header.Get("X-Request-Id"); id == "" || !strings.Contains(page, id) {
				t.Errorf("%s %s = %d without its number %s", row.method, row.path, res.StatusCode, id)
			}
		}
		for _, leak := range []string{"gone_", "SQLSTATE", "42P01", "relation", "SELECT", ".go:", "pgx", "goroutine", "panic", "internal/", "/tmp"} {
			if strings.Contains(page, leak) && res.StatusCode >= 400 {
				t.Errorf("%s %s = %d shows %q", row.method, row.path, res.StatusCode, leak)
			}
		}
	}
	if failed < 50 {
		t.Errorf("only %d of %d requests failed: the test looks at little", failed, len(rows))
	}
}

// Also where a kept page is answered, before the layers that recover, a panic ends in
// a page of ours.
func TestPanicBeforeTheLayers(t *testing.T) {
	t.Parallel()
	var boom atomic.Bool
	w := newWorld(t, func(c *server.Config) {
		c.Now = func() time.Time {
			if boom.CompareAndSwap(true, false) {
				panic("SELECT secret FROM account")
			}
			return start
		}
		c.Deadline = time.Minute // the first pages are slow on a busy machine, and not what is tried
	})
	w.account("office", landmark.RoleOffice, "")
	b := w.enter("office")
	for range 2 {
		wantStatus(t, b.get("/key"), http.StatusOK)
	}
	boom.Store(true)
	res := b.get("/key")
	page := wantStatus(t, res, http.StatusInternalServerError)
	plainError(t, "/key", page)
	if id := res.Header.Get("X-Request-Id"); id == "" || !strings.Contains(page, id) || !strings.Contains(w.log.String(), "SELECT secret") {
		t.Errorf("number %q is not on the page, or the log does not tell why", id)
	}
	if res.Header.Get("Content-Security-Policy") == "" || res.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("the page lacks its headers: %v", res.Header)
	}
	wantStatus(t, b.get("/key"), http.StatusOK)
}

// A password that somebody else gave is of use for a day.
func TestGivenPasswordEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	given, err := w.auth.Add(t.Context(), operator, auth.NewAccount{Name: "new", Role: landmark.RoleViewer})
	if err != nil {
		t.Fatal(err)
	}
	w.clock.add(auth.GivenLife - time.Minute)
	if res := w.browser().post("/login", "name", "new", "password", given); res.StatusCode != http.StatusSeeOther {
		t.Errorf("within a day: %d, want 303", res.StatusCode)
	}
	w.clock.add(2 * time.Minute)
	res := w.browser().post("/login", "name", "new", "password", given)
	if page := bodyOf(t, res); res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(page, "初始密码超过24小时没有使用") {
		t.Errorf("after a day: %d, want 422 that says why", res.StatusCode)
	}
	if page := bodyOf(t, w.browser().post("/login", "name", "new", "password", "a wrong password")); strings.Contains(page, "初始密码") {
		t.Error("who does not know the password learns of it")
	}
	next, err := w.auth.SetPassword(t.Context(), operator, "new", "")
	if err != nil {
		t.Fatal(err)
	}
	w.clock.add(time.Hour)
	if res := w.browser().post("/login", "name", "new", "password", next); res.StatusCode != http.StatusSeeOther {
		t.Errorf("a new one: %d, want 303", res.StatusCode)
	}
}

// Each thing that is tried in vain, and each that matters, leaves its line; every
// line has a known form; no line holds a secret.
func TestLogTellsWhatWasTried(t *testing.T) {
	t.Parallel()
	w := reportWorld(t)
	w.member("zhou", secret, landmark.RoleViewer)
	var secrets []string
	lines := func() []map[string]any {
		var out []map[string]any
		for line := range strings.Lines(w.log.String()) {
			var v map[string]any
			if err := json.Unmarshal([]byte(line), &v); err != nil {
				t.Fatalf("%v in line %q", err, line)
			}
			out = append(out, v)
		}
		return out
	}
	// tells runs something and wants a line with these fields since.
	tells := func(name, msg string, fields map[string]any, do func()) {
		t.Helper()
		n := len(lines())
		do()
		var since []string
		for _, v := range lines()[n:] {
			fits := v["msg"] == msg
			for k, want := range fields {
				fits = fits && fmt.Sprint(v[k]) == fmt.Sprint(want)
			}
			if fits {
				return
			}
			b, _ := json.Marshal(v)
			since = append(since, string(b))
		}
		t.Errorf("%s: no line %q with %v, but\n%s", name, msg, fields, strings.Join(since, "\n"))
	}
	warn := func(status int) map[string]any { return map[string]any{"level": "WARN", "status": status} }
	b := w.browser()
	tells("a wrong password", "sign-in refused", map[string]any{"level": "WARN", "name": "zhou", "address": "192.0.2.7"}, func() { b.post("/login", "name", "zhou", "password", "wrong-horse-77") })
	tells("a name that is not there", "sign-in refused", map[string]any{"name": "nobody"}, func() { b.post("/login", "name", "nobody", "password", "wrong-horse-78") })
	tells("too many", "sign-in throttled", map[string]any{"level": "WARN", "name": "li"}, func() {
		for range 6 {
			b.post("/login", "name", "li", "password", "wrong-horse-79")
		}
	})
	tells("in", "signed in", map[string]any{"level": "INFO", "account": "zhou"}, func() { b.post("/login", "name", "zhou", "password", secret) })
	secrets = append(secrets, secret, "wrong-horse", b.jar["landmark"])
	tells("not allowed", "refused", warn(403), func() { b.get("/review") })
	tells("not allowed to write", "refused", warn(403), func() { b.post("/admin/users", "action", "add", "name", "x") })
	reporter := w.enter("reporter")
	secrets = append(secrets, reporter.jar["landmark"])
	tells("another department's form", "refused", warn(403), func() { reporter.get(september + "?department=jiaoyu") })
	tells("another department's history", "refused", warn(403), func() { reporter.get("/history?department=jiaoyu") })
	tells("an indicator of others", "refused", warn(403), func() {
		reporter.post(september, "key", reporting.NewKey(), "action", "save", "value[3.1]", "1", "revision[3.1]", "0")
	})
	tells("a file that is not theirs", "refused", map[string]any{"status": 404}, func() { reporter.get("/evidence/1") })
	tells("another site", "refused", warn(403), func() {
		b.header.Set("Origin", "http://other.cn")
		b.post("/logout")
		b.header.Del("Origin")
	})
	tells("neither header", "refused", warn(403), func() {
		b.header["Origin"] = nil
		b.post("/logout")
		delete(b.header, "Origin")
	})
	tells("a parameter twice", "refused", map[string]any{"status": 400}, func() { b.get("/?month=2023-09&month=2023-08") })
	tells("too large", "refused", map[string]any{"status": 413}, func() { b.post("/account/email", "email", strings.Repeat("a", 100<<10)) })
	tells("no such page", "request", map[string]any{"status": 404, "route": "none"}, func() { b.get("/.git/config") })
	tells("a form that is refused", "request", map[string]any{"status": 422}, func() { reporter.post("/account/email", "email", "nowhere") })
	w.set("UPDATE account SET disabled_at = now() WHERE name = 'colleague'")
	tells("a shut account", "sign-in refused", map[string]any{"name": "colleague"}, func() { w.browser().post("/login", "name", "colleague", "password", secret) })
	tells("out", "signed out", map[string]any{"account": "zhou"}, func() { b.post("/logout") })
	tells("an error of ours", "refused", map[string]any{"level": "ERROR", "status": 500}, func() {
		if _, err := w.owner().Exec(t.Context(), "ALTER TABLE letterhead RENAME TO gone"); err != nil {
			t.Fatal(err)
		}
		w.enter("office").get("/admin/letterhead")
	})

	want := map[string][]string{
		"request":           {"request", "method", "route", "path", "status", "bytes", "ms", "user", "address"},
		"refused":           {"request", "user", "address", "status", "error"},
		"signed in":         {"request", "user", "account", "address", "provider"},
		"signed out":        {"request", "user", "account", "address"},
		"sign-in refused":   {"request", "name", "address"},
		"sign-in throttled": {"request", "name", "address"},
	}
	for _, v := range lines() {
		at, err := time.Parse(time.RFC3339Nano, fmt.Sprint(v["time"]))
		if err != nil || at.IsZero() {
			t.Errorf("time %v: %v", v["time"], err)
		}
		if level := fmt.Sprint(v["level"]); !slices.Contains([]string{"DEBUG", "INFO", "WARN", "ERROR"}, level) {
			t.Errorf("level %q", level)
		}
		fields, known := want[fmt.Sprint(v["msg"])]
		if !known {
			t.Errorf("a line of unknown form: %v", v)
		}
		for _, f := range fields {
			if _, there := v[f]; !there {
				t.Errorf("%v: no %s in %v", v["msg"], f, v)
			}
		}
	}
	for _, s := range secrets {
		if s == "" || strings.Contains(w.log.String(), s) || strings.Contains(w.log.String(), url.QueryEscape(s)) {
			t.Errorf("the log holds the secret %q", s)
		}
	}
}
