package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"landmark/internal/landmark"
)

func TestSearchPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("viewer", landmark.RoleViewer, "")
	b := w.enter("viewer")
	for asked, want := range map[string][]string{
		"护理员":                   {`href="/indicators/4.1?month=2023-09"`, "<mark>护理员</mark>", "找到"},
		"lnst":                  {`href="/indicators/4.3?month=2023-09"`, "<mark>老年食堂</mark>", `#scenario-4-1"`},
		"10.1":                  {"<mark>10.1</mark>", "找到 1 条"},
		"mzj":                   {`href="/departments/minzheng?month=2023-09"`, "<mark>民政局</mark>"},
		"<b>不存在</b>":            {"没有找到", "&lt;b&gt;不存在&lt;/b&gt;"},
		"":                      {"可以搜"},
		"\xff":                  nil,
		strings.Repeat("长", 61): {"最多60个字"},
	} {
		res := b.get("/search?month=2023-09&q=" + url.QueryEscape(asked))
		page := bodyOf(t, res)
		status := http.StatusOK
		switch {
		case asked == "\xff":
			status = http.StatusBadRequest
		case len([]rune(asked)) > 60:
			status = http.StatusUnprocessableEntity
		}
		if res.StatusCode != status {
			t.Errorf("%q: %d, want %d", asked, res.StatusCode, status)
		}
		for _, s := range want {
			if !strings.Contains(page, s) {
				t.Errorf("%q: the page has no %s", asked, s)
			}
		}
	}
	if page := bodyOf(t, b.get("/key?month=2023-08")); !strings.Contains(page, `action="/search"`) || !strings.Contains(page, `<input type="hidden" name="month" value="2023-08">`) {
		t.Error("/key has no search that keeps the month")
	}
	if page := bodyOf(t, w.browser().get("/login")); strings.Contains(page, `action="/search"`) {
		t.Error("a visitor is offered the search")
	}
}
