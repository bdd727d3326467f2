package server_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"golang.org/x/net/html"
)

// mark stands in each hostile text, so that it is found again.
const mark = "x55"

// hostile are texts that would become something else than text where one was
// written into a page as it is.
var hostile = []string{
	`<x55>`, `"><x55>`, `'><x55>`, `" x55="1`, `' x55='1`, `" onfocus="x55()`, `' onfocus='x55()`, "` onfocus=x55()",
	`<script>x55()</script>`, `</script><script>x55()</script>`, `<img src=x onerror=x55()>`, `<svg/onload=x55()>`, `<svg><script>x55()</script>`,
	`</title><x55>`, `</textarea><x55>`, `</style><x55>`, `</option><x55>`, `--><x55>`, `]]><x55>`, `<!--x55`, `<a href="javascript:x55()">`, `javascript:x55()`,
	`data:text/html,<x55>`, `<iframe srcdoc="<x55>">`, `<base href=//x55/>`, `<meta http-equiv=refresh content=0;//x55>`, `<form action=//x55>`,
	`<details open ontoggle=x55()>`, `<math><x55>`, `&lt;x55&gt;`, `&#60;x55&#62;`, `\u003cx55\u003e`, `{{x55}}`, `<style>@import'//x55'</style>`,
}

// closed are the text columns whose content is not anybody's words: names for
// programs, closed lists, sums, and addresses that are checked. Every other one is
// filled with hostile texts, also one that is added after this was written.
var closed = []string{
	"account.email", "account.name", "account.password_hash", "account.role", "account_identity.issuer", "account_identity.subject",
	"delivery.channel", "delivery.recipient", "delivery.state", "department.slug", "evidence.media_type", "history_seal.algorithm",
	"indicator.code", "indicator_nature.direction", "indicator_nature.kind", "indicator_nature.measured", "light_override.light",
	"milestone.step", "notice.audience", "notice.kind", "notice.path", "password_history.password_hash", "plan.slug", "provider_sign_in.state_hash",
	"report.state", "report_event.state", "robot.kind", "robot.url", "scenario.code", "session.token_hash", "sign_in_failure.address", "sign_in_failure.name",
	"submission_key.answer", "submission_key.key", "task.code", "task_draft.state", "task_update.state",
	"report_revision.step", "approved_value.step", "report_draft.step", // of the indicator's own list
	"history.act", "history.role", "report_draft.value_text",
}

// poison puts a hostile text behind every text of the database.
func (w *world) poison() {
	w.t.Helper()
	ctx, owner := w.t.Context(), w.owner()
	rows, err := owner.Query(ctx, `
		SELECT table_name, column_name
		FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
		WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND data_type = 'text' AND is_generated = 'NEVER'
		AND table_name NOT LIKE 'river%' AND table_name NOT LIKE 'schema%'
		ORDER BY 1, 2`)
	if err != nil {
		w.t.Fatal(err)
	}
	type column struct{ TableName, ColumnName string }
	columns, err := pgx.CollectRows(rows, pgx.RowToStructByPos[column])
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := owner.Exec(ctx, "SET session_replication_role = replica"); err != nil { // past the triggers, as nobody of the program is
		w.t.Fatal(err)
	}
	open := 0
	for _, c := range columns {
		if slices.Contains(closed, c.TableName+"."+c.ColumnName) {
			continue
		}
		open++
		table, name := pgx.Identifier{c.TableName}.Sanitize(), pgx.Identifier{c.ColumnName}.Sanitize()
		// Each row gets the next of the texts; beginning with it every other time.
		sql := fmt.Sprintf(`WITH n AS (SELECT ctid AS at, row_number() OVER () + $2 AS i FROM %s)
			UPDATE %s SET %s = CASE WHEN i %% 2 = 0 THEN %s || ($1::text[])[1 + i %% cardinality($1::text[])] ELSE ($1::text[])[1 + i %% cardinality($1::text[])] || %s END
			FROM n WHERE n.at = %s.ctid`, table, table, name, name, name, table)
		_, err := owner.Exec(ctx, sql, hostile, open*7)
		if err != nil { // empty for some rows by rule
			_, err = owner.Exec(ctx, sql+" AND "+name+" <> ''", hostile, open*7)
		}
		if err != nil {
			w.t.Errorf("%s.%s: %v: say in the test why it cannot hold anybody's words", c.TableName, c.ColumnName, err)
		}
	}
	if open < 50 {
		w.t.Errorf("only %d columns were filled", open)
	}
	if _, err := owner.Exec(ctx, "UPDATE data_version SET writes = writes + 1"); err != nil { // kept pages are old now
		w.t.Fatal(err)
	}
}

var (
	linkAttributes = []string{"href", "src", "action", "formaction", "poster", "data", "xlink:href", "cite", "background"}
	strayElements  = []string{mark, "iframe", "base", "object", "embed", "math", "style", "plaintext", "frame", "frameset", "applet", "marquee", "audio", "video"}
)

// onlyText says what of a page a text has made into more than text.
func onlyText(page string) (found []string) {
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		return []string{err.Error()}
	}
	for n := range root.Descendants() {
		if n.Type == html.CommentNode && strings.Contains(n.Data, mark) {
			found = append(found, "a comment: "+n.Data)
		}
		if n.Type != html.ElementNode {
			continue
		}
		if slices.Contains(strayElements, n.Data) {
			found = append(found, "an element "+n.Data)
		}
		if n.Data == "script" && n.FirstChild != nil {
			found = append(found, "a script with content")
		}
		for _, a := range n.Attr {
			name := strings.TrimPrefix(a.Namespace+":"+a.Key, ":")
			switch {
			case strings.HasPrefix(a.Key, "on"), a.Key == "style", a.Key == "srcdoc", strings.Contains(a.Key, mark):
				found = append(found, fmt.Sprintf("an attribute %s of %s", name, n.Data))
			case a.Key == "http-equiv":
				found = append(found, "a meta that acts: "+a.Val)
			case slices.Contains(linkAttributes, name):
				u, err := url.Parse(a.Val)
				if err != nil || u.Scheme != "" || u.Host != "" || strings.HasPrefix(a.Val, `\`) {
					found = append(found, fmt.Sprintf("%s of %s leads to %q", name, n.Data, a.Val))
				}
			}
		}
	}
	return found
}

var digits = regexp.MustCompile(`[0-9]+`)

// walker goes where a page's links lead and fills in its forms.
type walker struct {
	b     *browser
	who   string
	each  int                 // visits of one shape at most
	seen  map[string]int      // visits by the shape of an address
	forms map[string]bool     // sent, by shape
	texts map[string]struct{} // hostile ones that were shown
	pages int
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// look checks an answer and gives its page.
func (k *walker) look(what string, res *http.Response) string {
	t := k.b.w.t
	page := bodyOf(t, res)
	if res.StatusCode >= http.StatusInternalServerError {
		t.Errorf("%s: %s = %d", k.who, what, res.StatusCode)
	}
	if !strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
		return ""
	}
	k.pages++
	for _, f := range onlyText(page) {
		t.Errorf("%s: %s: %s", k.who, what, f)
	}
	shown := html.UnescapeString(page)
	for _, h := range hostile {
		if strings.Contains(shown, h) {
			k.texts[h] = struct{}{}
		}
	}
	return page
}

// walk visits up to most pages from addresses on.
func (k *walker) walk(most int, addresses ...string) {
	t := k.b.w.t
	for len(addresses) > 0 && k.pages < most {
		at := addresses[0]
		addresses = addresses[1:]
		u, err := url.Parse(at)
		if err != nil {
			t.Errorf("%s: link %q: %v", k.who, at, err)
			continue
		}
		u.Fragment = ""
		shape := digits.ReplaceAllString(u.Path, "0") + "?" + strings.Join(slices.Sorted(maps.Keys(u.Query())), "&")
		if k.seen[shape] >= k.each || strings.HasPrefix(u.Path, "/export/") || strings.HasPrefix(u.Path, "/static/") || strings.HasSuffix(u.Path, "/file") {
			continue
		}
		k.seen[shape]++
		page := k.look(at, k.b.get(u.RequestURI()))
		root, err := html.Parse(strings.NewReader(page))
		if err != nil {
			t.Fatal(err)
		}
		for n := range root.Descendants() {
			if n.Data == "a" && n.Type == html.ElementNode {
				if to, err := u.Parse(attribute(n, "href")); err == nil && to.Path != "" {
					addresses = append(addresses, to.RequestURI())
				}
			}
			if n.Data == "form" && strings.EqualFold(attribute(n, "method"), "post") {
				k.send(u, n)
			}
		}
	}
}

// send fills every field for words of a form with a hostile text, leaves the rest
// as it is, and looks at the answer and where it leads.
func (k *walker) send(from *url.URL, form *html.Node) {
	to, err := from.Parse(attribute(form, "action"))
	if err != nil || slices.Contains([]string{"/logout", "/login", "/login/demo", "/account/sessions/end", "/account/password", "/theme"}, to.Path) {
		return
	}
	values := url.Values{}
	shape := to.Path
	words := 0
	for n := range form.Descendants() {
		name := attribute(n, "name")
		if name == "" || n.Type != html.ElementNode {
			continue
		}
		shape += " " + digits.ReplaceAllString(name, "0")
		kind := attribute(n, "type")
		switch {
		case n.Data == "textarea", n.Data == "input" && slices.Contains([]string{"", "text", "search", "email", "url", "tel", "password"}, kind):
			values.Set(name, hostile[(len(shape)+words)%len(hostile)])
			words++
		case n.Data == "input" && kind == "hidden", n.Data == "button" && !values.Has(name):
			values.Set(name, attribute(n, "value"))
			shape += "=" + digits.ReplaceAllString(attribute(n, "value"), "0")
		case n.Data == "select":
			for o := range n.Descendants() {
				if o.Data == "option" && !values.Has(name) {
					values.Set(name, attribute(o, "value"))
				}
			}
		}
	}
	if key := values.Get("key"); key != "" {
		shape = strings.ReplaceAll(shape, digits.ReplaceAllString(key, "0"), "KEY")
	}
	if words == 0 || k.forms[shape] || strings.Contains(shape, "disable") {
		return
	}
	k.forms[shape] = true
	res := k.b.send(http.MethodPost, to.RequestURI(), values.Encode())
	k.look("POST "+to.Path+" "+values.Get("action"), res)
	if there := res.Header.Get("Location"); there != "" {
		k.look(there+" after POST "+to.Path, k.b.get(there))
	}
}

// Whatever stands in the database or is typed into a form is text on every page,
// for everybody, and nothing else: no element, no attribute, no address.
func TestHostileTextStaysText(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fillDemo()
	w.poison()
	texts, forms, pages := map[string]struct{}{}, map[string]bool{}, 0
	for _, who := range []string{"viewer", "leader-minzheng", "reporter-minzheng", "office"} {
		each := 1
		if who == "office" {
			each = 2
		}
		k := &walker{b: w.enter(who), who: who, each: each, seen: map[string]int{}, forms: map[string]bool{}, texts: texts}
		k.walk(400, "/", "/history", "/reports/2023-09", "/notices", "/signoff", "/review", "/admin", "/account", "/screen", "/bulletins/2023-09",
			"/bulletins/2023-09/letters/minzheng", "/admin/notices", "/admin/robots", "/admin/letterhead")
		for i, h := range hostile {
			q := url.QueryEscape(h)
			for _, address := range []string{"/search?q=" + q, "/tasks?department=" + q, "/history?person=" + q, "/?sort=" + q, "/?month=" + q, "/?plan=" + q, "/?as_of=" + q,
				"/indicators/" + url.PathEscape(h), "/departments/" + url.PathEscape(h), "/no/" + url.PathEscape(h)} {
				if (i+len(address))%4 == 0 { // each text somewhere, each place with several
					k.look(address, k.b.get(address))
				}
			}
		}
		t.Logf("%s: %d pages, %d forms", who, k.pages, len(k.forms))
		maps.Copy(forms, k.forms)
		pages += k.pages
	}
	visitor := &walker{b: w.browser(), who: "visitor", texts: texts}
	for i, h := range hostile {
		visitor.b.address = fmt.Sprintf("192.0.2.%d:1", i+1)
		visitor.look("/login?next=", visitor.b.get("/login?next="+url.QueryEscape(h)))
		visitor.look("POST /login", visitor.b.post("/login", "name", h, "password", h, "next", h))
	}
	// The texts were really there, and forms really sent.
	for _, h := range hostile {
		if _, ok := texts[h]; !ok {
			t.Errorf("%q was shown on no page: the test looks at nothing", h)
		}
	}
	if len(forms) < 15 || pages < 150 {
		t.Errorf("only %d forms and %d pages", len(forms), pages)
	}
}

// The check itself finds what it is for.
func TestHostileTextIsNoticed(t *testing.T) {
	t.Parallel()
	for page, want := range map[string]bool{
		`<p>&lt;x55&gt; &#34; onfocus</p><a href="/key?a=b#c">x</a><script src="/static/app.js"></script><input value="&#34; x55=&#34;1">`: false,
		`<p><x55></p>`: true, `<input value="" x55="1">`: true, `<input value="" onfocus="x55()">`: true, `<script>x55()</script>`: true,
		`<a href="javascript:x55()">x</a>`: true, `<form action=//x55></form>`: true, `<svg><a xlink:href="data:x">x</a></svg>`: true, `<p style="x">`: true, `<!--x55-->`: true,
	} {
		if got := len(onlyText(page)) > 0; got != want {
			t.Errorf("%s: noticed %t, want %t", page, got, want)
		}
	}
}
