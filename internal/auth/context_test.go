package auth_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"landmark/internal/auth"
)

// signInContext is the context a handler has behind Load.
func signInContext(t *testing.T, a *auth.Auth) (ctx context.Context) {
	t.Helper()
	h := a.Load(func(_ http.ResponseWriter, _ *http.Request, err error) { t.Error(err) })(
		http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { ctx = r.Context() }))
	r := httptest.NewRequestWithContext(auth.WithVisit(t.Context(), &auth.Visit{Address: "192.0.2.7"}), http.MethodGet, "/", nil)
	h.ServeHTTP(httptest.NewRecorder(), r)
	return ctx
}
