package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

// A database on another machine is spoken to over a wire that checks it, or over
// one that is plain in so many words.
func TestWireToTheDatabase(t *testing.T) {
	t.Parallel()
	for dsn, want := range map[string]string{
		"postgres:///landmark?host=/var/run/postgresql":            "taken",
		"postgres:///landmark?host=/run/pg&sslmode=require":        "taken",
		"postgres://u:geheim@127.0.0.1/landmark":                   "taken",
		"postgres://u:geheim@[::1]/landmark?sslmode=prefer":        "taken",
		"postgres://u:geheim@localhost/landmark?sslmode=require":   "taken",
		"postgres://u:geheim@db.example.cn/l?sslmode=verify-full":  "taken",
		"postgres://u:geheim@10.0.0.5/l?sslmode=disable":           "warned",
		"postgres://u:geheim@10.0.0.5/l":                           "refused",
		"postgres://u:geheim@10.0.0.5/l?sslmode=allow":             "refused",
		"postgres://u:geheim@10.0.0.5/l?sslmode=prefer":            "refused",
		"postgres://u:geheim@db.example.cn/l?sslmode=require":      "refused",
		"postgres://u:geheim@db.example.cn/l?sslmode=verify-ca":    "refused",
		"postgres://u:geheim@127.0.0.1,10.0.0.5/l?sslmode=require": "refused",
		"host=10.0.0.5 user=u password=geheim sslmode=require":     "refused",
		"host=127.0.0.1 user=u password=geheim":                    "taken",
	} {
		var log bytes.Buffer
		p := &program{log: slog.New(slog.NewTextHandler(&log, nil))}
		err := p.checkWire(t.Context(), dsn, "DATABASE_URL")
		got := "taken"
		switch {
		case err != nil:
			got = "refused"
			if !strings.Contains(err.Error(), "sslmode=verify-full") {
				t.Errorf("%s: %q does not say what to do", dsn, err)
			}
		case log.Len() > 0:
			got = "warned"
		}
		if got != want {
			t.Errorf("%s: %s, want %s", dsn, got, want)
		}
		if err != nil && strings.Contains(err.Error(), "geheim") || strings.Contains(log.String(), "geheim") {
			t.Errorf("%s: the password is shown", dsn)
		}
	}
	const require = "postgres://u:geheim@192.0.2.1/landmark?sslmode=require"
	for _, args := range [][]string{
		{"serve", "--listen", "127.0.0.1:0", "--database-url", require},
		{"serve", "--listen", "127.0.0.1:0", "--database-url", "postgres://u@127.0.0.1:1/l", "--database-url-direct", require},
		{"user", "list", "--database-url", require},
	} {
		var out, errs bytes.Buffer
		if status := run(t.Context(), args, strings.NewReader(""), &out, &errs); status != exitUsage || strings.Count(errs.String(), "\n") != 1 || strings.Contains(errs.String(), "geheim") {
			t.Errorf("%v: status %d, %q; want 2 and one line without the password", args, status, &errs)
		}
	}
}
