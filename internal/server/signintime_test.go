//go:build measure

package server_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"landmark/internal/landmark"
	"landmark/internal/server"
	"landmark/internal/store"
)

// How long a refusal takes does not tell whether there is such an account. By hand,
// as a busy machine measures itself: go test -tags measure. What costs time is compared for every
// kind of name in [auth.TestEverySignInCostsTheSame].
func TestSignInTakesTheSameTime(t *testing.T) {
	w := newWorld(t, func(c *server.Config) {
		c.Hashing = argon2id.Params{} // as the program's
		c.SignIn = store.SignInLimits{Window: time.Minute, PerAccount: 1 << 20, PerAddress: 1 << 20}
	})
	w.member("zhou", secret, landmark.RoleViewer)
	w.member("gone", secret, landmark.RoleViewer)
	if err := w.auth.SetDisabled(t.Context(), operator, "gone", true); err != nil {
		t.Fatal(err)
	}
	took := map[string][]time.Duration{}
	names := []string{"zhou", "nobody", "gone"}
	for i := range 210 {
		for j := range names {
			name := names[(i+j)%len(names)]
			began := time.Now()
			if res := w.browser().post("/login", "name", name, "password", "a wrong password"); res.StatusCode != http.StatusUnprocessableEntity {
				t.Fatalf("%s: %d", name, res.StatusCode)
			}
			if i >= 10 { // warm
				took[name] = append(took[name], time.Since(began))
			}
		}
	}
	median := func(name string) float64 {
		slices.Sort(took[name])
		return took[name][len(took[name])/2].Seconds()
	}
	known := median("zhou")
	for _, name := range names {
		m := median(name)
		t.Logf("%s: median of %d refusals %.1f ms", name, len(took[name]), 1000*m)
		if m < known*0.9 || m > known*1.1 {
			t.Errorf("%s: median %.1f ms, for an account that exists %.1f ms: more than a tenth apart", name, 1000*m, 1000*known)
		}
	}
}
