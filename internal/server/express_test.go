package server_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"landmark/internal/landmark"
)

// The short way of a kept page says, but for the request's number, what the long way
// says. A theme there is not is left to the long way.
func TestShortAndLongWayAnswerAlike(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("office", landmark.RoleOffice, "")
	w.account("guest", landmark.RoleViewer, "jiaotong")
	ask := func(b *browser, address string) (*http.Response, string) {
		res := b.get(address)
		body := bodyOf(t, res)
		res.Header.Del("X-Request-Id")
		return res, body
	}
	for _, name := range []string{"office", "guest"} {
		b := w.enter(name)
		for _, address := range append(keptPages, "/projects/99", "/?month=x", "/?plan=a&plan=b", "/history") {
			for _, accept := range []string{"", "gzip"} {
				b.header.Set("Accept-Encoding", accept)
				ask(b, address) // it is kept from here on
				short, page := ask(b, address)
				b.jar["landmark-theme"] = "none"
				long, want := ask(b, address)
				delete(b.jar, "landmark-theme")
				// An error page names its request.
				if short.StatusCode != long.StatusCode || short.StatusCode == http.StatusOK && page != want {
					t.Errorf("%s as %s, %q: %d and %d, or other bytes", address, name, accept, short.StatusCode, long.StatusCode)
				}
				if diff := cmp.Diff(long.Header, short.Header); diff != "" && short.StatusCode == http.StatusOK {
					t.Errorf("%s as %s, %q (-long +short):\n%s", address, name, accept, diff)
				}
			}
			b.header.Del("Accept-Encoding")
		}
	}
	// What the short way does not decide: who was signed out, or lost a right.
	b := w.enter("guest")
	ask(b, "/key")
	w.set(`UPDATE account SET must_change = true WHERE name = 'guest'`)
	if res, _ := ask(b, "/key"); res.StatusCode != http.StatusSeeOther || !strings.HasPrefix(res.Header.Get("Location"), "/account") {
		t.Errorf("a password that must be changed: %d to %q", res.StatusCode, res.Header.Get("Location"))
	}
	w.set(`UPDATE account SET must_change = false WHERE name = 'guest'; UPDATE session SET revoked_at = now()`)
	if res, _ := ask(b, "/key"); res.StatusCode != http.StatusSeeOther || !strings.HasPrefix(res.Header.Get("Location"), "/login") {
		t.Errorf("a session that was ended: %d to %q", res.StatusCode, res.Header.Get("Location"))
	}
}

// Kept pages over a real connection: one after the other, asked for before the
// answer to the one before, and between pages that are made.
func TestKeptPagesOverOneConnection(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("office", landmark.RoleOffice, "")
	b := w.enter("office")
	addresses := []string{"/", "/key", "/history", "/", "/matrix", "/healthz", "/screen", "/search?q=zzz", "/"}
	want := make([]string, len(addresses))
	for i, address := range addresses {
		b.get(address)
		want[i] = bodyOf(t, b.get(address))
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.srv.Run(ctx, ln) }()
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	var cookies []string
	for name, value := range b.jar {
		cookies = append(cookies, name+"="+value)
	}
	const rounds = 3
	go func() {
		for range rounds {
			for _, address := range addresses {
				_, _ = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nCookie: %s\r\n\r\n", address, strings.Join(cookies, "; "))
			}
		}
	}()
	in := bufio.NewReader(conn)
	for range rounds {
		for i, address := range addresses {
			res, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatal(err)
			}
			page, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			if res.StatusCode != http.StatusOK || string(page) != want[i] {
				t.Errorf("%s: %d, %d bytes, want %d", address, res.StatusCode, len(page), len(want[i]))
			}
		}
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
