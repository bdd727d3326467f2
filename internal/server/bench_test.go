package server_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"landmark/internal/landmark"
	"landmark/internal/pgtest"
	"landmark/internal/server"
	"landmark/internal/store"
)

// BenchmarkPage answers with each page: from what is kept, and made for every
// request. Both ask the database who the visitor is.
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
	account := store.Account{User: landmark.User{Name: "office", DisplayName: "甲", Role: landmark.RoleOffice}, Hash: store.NoPassword, Demo: true}
	if _, err := st.InsertAccount(b.Context(), account, start); err != nil {
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
		cookie, _, _ := strings.Cut(send(http.MethodPost, "/login/demo", "account=office", "").Header().Get("Set-Cookie"), ";")
		for _, address := range []string{"/", "/key", "/projects/4", "/indicators/4.1", "/matrix", "/screen", "/departments", "/tasks", "/scenarios"} {
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
