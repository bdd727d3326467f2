package server_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"landmark/internal/landmark"
	"landmark/internal/reporting"
	"landmark/internal/store"
)

// A wall asks every few seconds; it is sent a page only when there is news.
func TestScreenIsSentOnlyWhenItChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	office := w.account("office", landmark.RoleOffice, "")
	reporter := w.account("reporter", landmark.RoleReporter, "weijian")
	b := w.enter("office")
	res := b.get("/screen?month=2023-09")
	page := wantStatus(t, res, http.StatusOK)
	tag := res.Header.Get("Etag")
	if tag == "" || res.Header.Get("Cache-Control") != "private, no-cache" || res.Header.Get("Refresh") != "" || !strings.Contains(page, `http-equiv="refresh" content="5"`) {
		t.Fatalf("tag %q, %v", tag, res.Header)
	}
	b.header.Set("If-None-Match", tag)
	again := func() (int, string) {
		res := b.get("/screen?month=2023-09")
		return res.StatusCode, bodyOf(t, res)
	}
	w.clock.add(3 * time.Second)
	if status, body := again(); status != http.StatusNotModified || body != "" {
		t.Errorf("nothing new: %d with %d bytes, want 304", status, len(body))
	}
	service := reporting.New(w.st, shanghai)
	sent, err := service.Import(t.Context(), landmark.ActorOf(reporter, "", ""), "", landmark.MonthOf(2023, 9), []reporting.ValueInput{{Code: "3.1", Value: "13820", Reason: "筛查进度放缓"}}, false, w.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := service.Approve(t.Context(), landmark.ActorOf(office, "", ""), office, []store.Seen{{ReportID: sent[0].ReportID, Revision: 1}}, w.clock.Now()); err != nil {
		t.Fatal(err)
	}
	if status, body := again(); status != http.StatusOK || !strings.Contains(body, "13820") {
		t.Errorf("after an approval: %d, or the value is missing", status)
	}
}
