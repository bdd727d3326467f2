package torture

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"landmark/internal/pgtest"
)

// P11: what a reader is shown is of one moment, while ten people approve. A
// department's two indicators are always reported alike and approved with one
// action, so on every page the one must show what the other does, and the two sums
// must be equal. What a page says of all must be what its rows say.
func TestSumsUnderApprovals(t *testing.T) {
	p := prepare(t, pgtest.URL(t))
	s := serve(t, binary(t, false), "DATABASE_URL="+p.url)
	s.up(t)
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	const approvers, readers = 10, 5
	offices := make([]*client, reviewers)
	for i := range offices {
		offices[i] = newClient(t, s, fmt.Sprintf("office%d", i+1), i+1)
		offices[i].signIn(t.Context())
	}
	as := func(c *client) *client { // the same person in another window
		return &client{t: t, base: c.base, name: c.name, http: &http.Client{Timeout: 20 * time.Second, CheckRedirect: c.http.CheckRedirect}, jar: map[string]string{"landmark": c.jar["landmark"]}, from: c.from, refusals: &s.refusals, taken: &s.taken}
	}
	var all sync.WaitGroup
	var approved, read, later, mixed, moved atomic.Int64
	for i := range approvers {
		reporter := newClient(t, s, fmt.Sprintf("reporter%d", i+1), i+1)
		reporter.signIn(t.Context())
		office := as(offices[i%reviewers])
		var history []sent
		all.Go(func() { reporter.report(ctx, t.Context(), p.month, 100*time.Millisecond, &history) })
		all.Go(func() {
			for ctx.Err() == nil {
				form := url.Values{"action": {"approve"}, "month": {p.month.String()}, "plan": {"torture"}}
				rows, err := p.pool.Query(ctx, `SELECT r.id, r.revision FROM report r JOIN indicator i ON i.id = r.indicator_id JOIN project j ON j.id = i.project_id
					WHERE j.number = $1 AND r.state = 'submitted'`, reporter.number)
				if err != nil {
					return
				}
				var id, revision int64
				if _, err := pgx.ForEachRow(rows, []any{&id, &revision}, func() error {
					form.Add("report", strconv.FormatInt(id, 10))
					form.Set(fmt.Sprintf("seen[%d]", id), strconv.FormatInt(revision, 10)) // as the page shows it
					return nil
				}); err != nil || len(form["report"]) != 2 {
					time.Sleep(5 * time.Millisecond)
					continue
				}
				if res, _, err := office.do(ctx, http.MethodPost, "/review", "application/x-www-form-urlencoded", []byte(form.Encode())); err == nil && res.StatusCode == http.StatusSeeOther {
					approved.Add(1)
				}
			}
		})
	}
	for i := range readers {
		reader := as(offices[i%reviewers])
		var last string
		all.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				path := []string{"/api/v1/indicators?month=", "/?month=", "/export/indicators.csv?month="}[n%3] + p.month.String()
				res, page, err := reader.do(ctx, http.MethodGet, path, "", nil)
				switch {
				case err != nil: // the time is over
					continue
				case res.StatusCode == http.StatusServiceUnavailable: // told to come again: shows nothing
					later.Add(1)
					continue
				case res.StatusCode != http.StatusOK:
					t.Errorf("GET %s: %d %s", path, res.StatusCode, said(page))
					return
				}
				rows, err := shown(n%3, page)
				if err != nil {
					t.Errorf("GET %s: %v", path, err)
					return
				}
				if len(rows) != 2*reporters {
					t.Errorf("GET %s shows %d indicators, want %d", path, len(rows), 2*reporters)
					return
				}
				read.Add(1)
				var sums [2]int
				for i := 1; i <= reporters; i++ {
					a, b := rows[fmt.Sprintf("%d.1", i)], rows[fmt.Sprintf("%d.2", i)]
					if a != b {
						mixed.Add(1)
						t.Errorf("GET %s: indicator %d.1 shows %q and %d.2 %q, which were never approved apart", path, i, a, i, b)
					}
					for k, v := range []string{a, b} {
						n, _ := strconv.Atoi(v) // nothing reported yet
						sums[k] += n
					}
				}
				if sums[0] != sums[1] {
					t.Errorf("GET %s: sums %d and %d", path, sums[0], sums[1])
				}
				if now := fmt.Sprint(sums[0]); now != last {
					last = now
					moved.Add(1)
				}
			}
		})
	}
	time.Sleep(time.Duration(size(8, 60)) * time.Second)
	for ctx.Err() == nil && (approved.Load() < approvers || moved.Load() < readers) { // a busy machine takes longer to show anything
		time.Sleep(100 * time.Millisecond)
	}
	stop()
	all.Wait()
	// In the end readers see what the database holds.
	var want int
	if err := p.pool.QueryRow(t.Context(), `
		SELECT coalesce(sum(n.amount), 0)::int FROM report r JOIN indicator i ON i.id = r.indicator_id AND i.position = 1
		JOIN report_revision n ON n.report_id = r.id AND n.revision = r.approved_revision`).Scan(&want); err != nil {
		t.Fatal(err)
	}
	_, page, err := as(offices[0]).do(t.Context(), http.MethodGet, "/?month="+p.month.String(), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := shown(1, page)
	if err != nil {
		t.Fatal(err)
	}
	got := 0
	for i := 1; i <= reporters; i++ {
		n, _ := strconv.Atoi(rows[fmt.Sprintf("%d.1", i)])
		got += n
	}
	if got != want {
		t.Errorf("the page sums to %d, the database to %d", got, want)
	}
	t.Logf("P11 sums under approvals | %d pages | %d mixed | %d told to come again, %d approvals of ten people, sums seen to move %d times", read.Load(), mixed.Load(), later.Load(), approved.Load(), moved.Load())
	if approved.Load() < approvers || moved.Load() < readers {
		t.Errorf("%d approvals, sums moved %d times: nothing is shown", approved.Load(), moved.Load())
	}
}

var (
	rowOnPage   = regexp.MustCompile(`(?s)<tr[^>]*>.*?</tr>`)
	codeOnPage  = regexp.MustCompile(`href="/indicators/(\d+\.\d+)`)
	valueOnPage = regexp.MustCompile(`class="c-val[^>]*>([0-9][0-9,]*)</td>`)
)

// shown are the values by code of the API's answer (0), the overview (1) or the
// table for spreadsheets (2).
func shown(kind int, body []byte) (map[string]string, error) {
	out := map[string]string{}
	switch kind {
	case 0:
		var list []struct {
			Code  string
			Value any
		}
		in := json.NewDecoder(bytes.NewReader(body))
		in.UseNumber()
		if err := in.Decode(&list); err != nil {
			return nil, fmt.Errorf("%w in %.200s", err, body)
		}
		for _, i := range list {
			out[i.Code] = ""
			if i.Value != nil {
				out[i.Code] = fmt.Sprint(i.Value)
			}
		}
	case 1:
		for _, row := range rowOnPage.FindAll(body, -1) {
			if m := codeOnPage.FindSubmatch(row); m != nil {
				v := valueOnPage.FindSubmatch(row)
				if v == nil {
					out[string(m[1])] = ""
					continue
				}
				out[string(m[1])] = strings.ReplaceAll(string(v[1]), ",", "")
			}
		}
	default:
		rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(body, []byte("\ufeff")))).ReadAll()
		if err != nil {
			return nil, err
		}
		code, value := -1, -1
		for i, name := range rows[0] {
			switch name {
			case "code":
				code = i
			case "value":
				value = i
			}
		}
		for _, row := range rows[1:] {
			out[row[code]] = row[value]
		}
	}
	return out, nil
}
