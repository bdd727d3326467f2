package server_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"landmark/internal/demo"
	"landmark/internal/landmark"
	"landmark/internal/pgtest"
	"landmark/internal/server"
	"landmark/internal/store"
)

// BenchmarkPage answers with each page of the demo: from what is kept, and made for
// every request. Both ask the database who the visitor is. Pages of work are made
// for every request in any case; kept, they share what others read of the record.
func BenchmarkPage(b *testing.B) {
	db, err := store.Open(b.Context(), pgtest.URL(b))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(db.Close)
	st := store.New(db)
	if err := st.InsertPlan(b.Context(), seedPlan(b), operator, start.AddDate(0, -4, 0)); err != nil {
		b.Fatal(err)
	}
	users := map[string]landmark.User{}
	for _, a := range demo.Accounts() {
		u := landmark.User{Name: a.Name, DisplayName: a.Name, Role: a.Role}
		if a.Department != "" {
			if u.Department, err = st.FindDepartment(b.Context(), a.Department); err != nil {
				b.Fatal(err)
			}
			u.DepartmentID = u.Department.ID
		}
		if u.ID, err = st.InsertAccount(b.Context(), store.Account{User: u, Hash: store.NoPassword, Demo: true}, start); err != nil {
			b.Fatal(err)
		}
		users[a.Name] = u
	}
	if err := demo.Fill(b.Context(), st, "tongxiang-2023", users, shanghai); err != nil {
		b.Fatal(err)
	}
	for _, way := range []struct {
		name  string
		cache int
	}{{"kept", 0}, {"made", -1}} {
		srv, err := server.New(server.Config{Store: st, Now: func() time.Time { return start }, Zone: shanghai, Demo: true, PageCache: way.cache, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			b.Fatal(err)
		}
		send := func(method, address, body, cookie string) *httptest.ResponseRecorder {
			r := httptest.NewRequestWithContext(b.Context(), method, "http://127.0.0.1:8080"+address, strings.NewReader(body))
			r.Header.Set("Origin", "http://127.0.0.1:8080")
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Accept-Encoding", "gzip")
			r.Header.Set("Cookie", cookie)
			rec := httptest.NewRecorder()
			srv.Handler().ServeHTTP(rec, r)
			return rec
		}
		enter := func(name string) string {
			cookie, _, _ := strings.Cut(send(http.MethodPost, "/login/demo", "account="+name, "").Header().Get("Set-Cookie"), ";")
			return cookie
		}
		office, reporter := enter("office"), enter("reporter-minzheng")
		for _, address := range []string{"/", "/key", "/projects/4", "/indicators/4.1", "/matrix", "/screen", "/departments", "/tasks", "/scenarios", "/review?month=2023-09", "/reports/2023-09"} {
			cookie := office
			if strings.HasPrefix(address, "/reports/") {
				cookie = reporter
			}
			b.Run(way.name+address, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if rec := send(http.MethodGet, address, "", cookie); rec.Code != http.StatusOK {
						b.Fatalf("GET %s = %d", address, rec.Code)
					}
				}
			})
		}
	}
}
