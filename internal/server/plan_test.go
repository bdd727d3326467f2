package server_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"golang.org/x/net/html"

	"landmark/internal/landmark"
	"landmark/internal/sheet"
)

// Every link a page shows leads somewhere its reader may go.
func TestNoDeadLinks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("office", landmark.RoleOffice, "")
	w.account("viewer", landmark.RoleViewer, "")
	w.account("reporter", landmark.RoleReporter, "minzheng")
	for _, who := range []string{"office", "viewer", "reporter"} {
		b := w.enter(who)
		waiting, seen := []string{"/"}, map[string]bool{"/": true}
		pages := 0
		for len(waiting) > 0 {
			target := waiting[0]
			waiting = waiting[1:]
			res := b.get(target)
			if res.StatusCode == http.StatusSeeOther { // /reports leads on to the month
				res = b.get(res.Header.Get("Location"))
			}
			if res.StatusCode != http.StatusOK {
				t.Errorf("%s: a page leads to %s, which answers %d", who, target, res.StatusCode)
				continue
			}
			if !strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
				continue
			}
			pages++
			root, err := html.Parse(strings.NewReader(bodyOf(t, res)))
			if err != nil {
				t.Fatal(err)
			}
			for n := range root.Descendants() {
				if n.Type != html.ElementNode || n.Data != "a" && n.Data != "form" {
					continue
				}
				for _, a := range n.Attr {
					u, err := url.Parse(a.Val)
					if a.Key != "href" || err != nil || u.Path == "" || u.Host != "" {
						continue
					}
					// One address of each page is enough: queries are checked where they are made.
					if !seen[u.Path] {
						seen[u.Path] = true
						waiting = append(waiting, u.RequestURI())
					}
				}
			}
		}
		if pages < 50 { // ten projects, thirty indicators, their departments, the lists
			t.Errorf("%s reaches %d pages", who, pages)
		}
	}
}

func TestExports(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("viewer", landmark.RoleViewer, "")
	b := w.enter("viewer")
	res := b.get("/export/indicators.csv?month=2023-09")
	text := bodyOf(t, res)
	if !strings.HasPrefix(text, "\ufeff") || !strings.Contains(res.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("no byte order mark, or Content-Disposition %q", res.Header.Get("Content-Disposition"))
	}
	lines, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff"))).ReadAll()
	if err != nil || len(lines) != 31 {
		t.Fatalf("%d lines, %v, want a head and thirty", len(lines), err)
	}
	var rows []map[string]any
	if err := json.Unmarshal([]byte(bodyOf(t, b.get("/api/v1/indicators?month=2023-09"))), &rows); err != nil || len(rows) != 30 {
		t.Fatalf("API: %d rows, %v", len(rows), err)
	}
	for i, row := range rows {
		if len(row) != len(lines[0]) || row["code"] != lines[i+1][2] || row["explanation"] == "" {
			t.Errorf("row %d of the API does not match the file: %v", i, row)
		}
	}
	var doc struct {
		Components struct {
			Schemas map[string]struct{ Required []string }
		}
	}
	if err := json.Unmarshal([]byte(bodyOf(t, b.get("/api/v1/openapi.json"))), &doc); err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(doc.Components.Schemas["Indicator"].Required, ","), strings.Join(lines[0], ","); got != want {
		t.Errorf("openapi.json describes %s, want %s", got, want)
	}
	for query, size := range map[string]int{"": 9, "?paper=A4": 9, "?paper=a3": 8} {
		book := []byte(bodyOf(t, b.get("/export/matrix.xlsx"+query)))
		if _, err := sheet.ReadTableXLSX(bytes.NewReader(book)); err != nil {
			t.Errorf("/export/matrix.xlsx%s: %v", query, err)
		}
		f, err := excelize.OpenReader(bytes.NewReader(book))
		if err != nil {
			t.Fatal(err)
		}
		if page, err := f.GetPageLayout("总表"); err != nil || *page.Size != size || *page.Orientation != "landscape" {
			t.Errorf("%q: paper %d, %s (%v), want %d, landscape", query, *page.Size, *page.Orientation, err, size)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	if res := b.get("/export/matrix.xlsx?paper=B5"); res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(bodyOf(t, res), "纸张只有A4和A3") {
		t.Errorf("paper B5: %d, want 422 that says what there is", res.StatusCode)
	}
	if page := bodyOf(t, b.get("/matrix")); !strings.Contains(page, `href="/export/matrix.xlsx"`) || !strings.Contains(page, `href="/export/matrix.xlsx?paper=A3"`) {
		t.Error("the table's page does not offer both papers")
	}
	res = w.browser().get("/api/v1/indicators")
	var refused struct{ Status int }
	if err := json.Unmarshal([]byte(bodyOf(t, res)), &refused); err != nil || refused.Status != http.StatusUnauthorized {
		t.Errorf("API signed out: %v, %+v", err, refused)
	}
}

func TestHistoryIsOwnDepartments(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("office", landmark.RoleOffice, "")
	a := w.account("reporter-a", landmark.RoleReporter, "minzheng")
	other := w.account("reporter-b", landmark.RoleReporter, "jiaoyu")
	for _, u := range []landmark.User{a, other} {
		entry := landmark.HistoryEntry{At: start, Actor: landmark.ActorOf(u, "192.0.2.7", ""), Act: "report.submit", DepartmentID: u.DepartmentID, Object: "报送 " + u.Name}
		if err := w.st.AddHistory(t.Context(), entry); err != nil {
			t.Fatal(err)
		}
	}
	for who, want := range map[string][2]bool{"office": {true, true}, "reporter-a": {true, false}, "reporter-b": {false, true}} {
		page := bodyOf(t, w.enter(who).get("/history"))
		if got := [2]bool{strings.Contains(page, "报送 reporter-a"), strings.Contains(page, "报送 reporter-b")}; got != want {
			t.Errorf("%s sees %v, want %v", who, got, want)
		}
	}
	b := w.enter("office")
	for query, want := range map[string][2]bool{
		"?person=reporter-b":               {false, true},
		"?department=民政局":                  {true, false},
		"?act=report.submit":               {true, true},
		"?act=report.approve":              {false, false},
		"?as_of=2023-10-12T09:00":          {false, false},
		"?before=1":                        {false, false},
		"?month=2023-09":                   {false, false},
		"?indicator=4.1":                   {false, false},
		"?project=4&department=minzheng":   {false, false},
		"?person=' OR 1=1 --":              {false, false},
		"?department=minzheng&as_of=":      {true, false},
		"?department=minzheng&person=none": {false, false},
	} {
		res := b.get("/history" + strings.ReplaceAll(query, " ", "%20"))
		page := bodyOf(t, res)
		if got := [2]bool{strings.Contains(page, "报送 reporter-a"), strings.Contains(page, "报送 reporter-b")}; got != want || res.StatusCode != http.StatusOK {
			t.Errorf("%s: %d, shows %v, want %v", query, res.StatusCode, got, want)
		}
	}
	for query, want := range map[string]int{"?before=x": 400, "?indicator=99.9": 404, "?project=x": 404, "?department=none": 404, "?month=13": 400} {
		if res := b.get("/history" + query); res.StatusCode != want {
			t.Errorf("%s = %d, want %d", query, res.StatusCode, want)
		}
	}
}

// A list narrowed to what there is none of is refused, not shown empty.
func TestListsKnowTheirFilters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("viewer", landmark.RoleViewer, "")
	b := w.enter("viewer")
	for query, want := range map[string]int{
		"":                         http.StatusOK,
		"?project=":                http.StatusOK,
		"?project=4":               http.StatusOK,
		"?project=99":              http.StatusNotFound,
		"?project=x":               http.StatusNotFound,
		"?department=minzheng":     http.StatusOK,
		"?department=民政局":          http.StatusOK,
		"?department=nope":         http.StatusNotFound,
		"?state=changed":           http.StatusOK,
		"?state=zz":                http.StatusBadRequest,
		"?state=zz&project=99":     http.StatusNotFound,
		"?project=4&state=changed": http.StatusOK,
	} {
		for _, list := range []string{"/tasks", "/scenarios"} {
			if got := b.get(list + query).StatusCode; got != want {
				t.Errorf("%s%s: got %d, want %d", list, query, got, want)
			}
		}
	}
	if got := b.get("/tasks?state=done").StatusCode; got != http.StatusOK {
		t.Errorf("/tasks?state=done: got %d", got)
	}
}
