package server_test

import (
	"net/http"
	"strings"
	"testing"

	"landmark/internal/landmark"
)

// Who asks for a second file while the first is made is told to wait, and so is
// the third person; pages are served all the time.
func TestCostlyRoutesWaitTheirTurn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mine := w.account("viewer", landmark.RoleViewer, "")
	w.account("office", landmark.RoleOffice, "")
	viewer, office := w.enter("viewer"), w.enter("office")
	files := []string{"/export/indicators.csv", "/export/indicators.xlsx", "/export/matrix.txt", "/export/matrix.xlsx"}
	refused := func(b *browser, address string) {
		t.Helper()
		res := b.get(address)
		if res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") == "" || !strings.Contains(bodyOf(t, res), "请等上一个完成") {
			t.Errorf("%s: %d, Retry-After %q", address, res.StatusCode, res.Header.Get("Retry-After"))
		}
	}
	leave := w.srv.Hold(mine.ID)
	for _, address := range files {
		refused(viewer, address)
		if res := office.get(address); res.StatusCode != http.StatusOK {
			t.Errorf("somebody else asks for %s: %d, want 200", address, res.StatusCode)
		}
	}
	leaveToo := w.srv.Hold(-1)
	for _, address := range append(files, "/export/reports.xlsx?month=2023-09&department=minzheng", "/bulletins/2023-09/file", "/bulletins/2023-09/letters/minzheng/file") {
		refused(office, address)
	}
	if res := office.post("/reports/2023-09/sheet"); res.StatusCode != http.StatusTooManyRequests {
		t.Errorf("a third file is read: %d, want 429", res.StatusCode)
	}
	if res := viewer.get("/matrix"); res.StatusCode != http.StatusOK {
		t.Errorf("a page meanwhile: %d, want 200", res.StatusCode)
	}
	leave()
	leaveToo()
	for _, address := range files {
		if res := viewer.get(address); res.StatusCode != http.StatusOK {
			t.Errorf("%s afterwards: %d, want 200", address, res.StatusCode)
		}
	}
}
