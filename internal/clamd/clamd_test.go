package clamd

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// scanner answers like clamd: answer is asked about the whole file. An empty answer
// hangs up, one of nil never answers.
func scanner(t *testing.T, network, address string, answer func(content []byte) *string) string {
	t.Helper()
	ln, err := new(net.ListenConfig).Listen(t.Context(), network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				in := bufio.NewReader(c)
				if command, err := in.ReadString(0); err != nil || command != "zINSTREAM\x00" {
					return
				}
				var content []byte
				for {
					var n uint32
					if binary.Read(in, binary.BigEndian, &n) != nil {
						return
					}
					if n == 0 {
						break
					}
					piece := make([]byte, n)
					if _, err := io.ReadFull(in, piece); err != nil {
						return
					}
					content = append(content, piece...)
				}
				said := answer(content)
				if said == nil {
					_, _ = io.Copy(io.Discard, c) // until the other side gives up
					return
				}
				_, _ = io.WriteString(c, *said)
			}()
		}
	}()
	return ln.Addr().String()
}

func TestScan(t *testing.T) {
	t.Parallel()
	big := bytes.Repeat([]byte("0123456789abcdef"), 10_000) // more than one piece
	for name, c := range map[string]struct {
		content []byte
		answer  string
		found   string
		fails   bool
	}{
		"clean":        {big, "stream: OK\x00", "", false},
		"empty":        {nil, "stream: OK\x00", "", false},
		"found":        {[]byte("EICAR"), "stream: Win.Test.EICAR_HDB-1 FOUND\x00", "Win.Test.EICAR_HDB-1", false},
		"too large":    {big, "INSTREAM size limit exceeded. ERROR\x00", "", true},
		"hangs up":     {big, "", "", true},
		"other answer": {big, "HTTP/1.1 400 Bad Request\r\n\r\n", "", true},
		"cut short":    {big, "stream: O", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer := func(content []byte) *string {
				if !bytes.Equal(content, c.content) {
					t.Errorf("%d bytes came, %d were sent", len(content), len(c.content))
				}
				return &c.answer
			}
			for _, where := range []string{scanner(t, "unix", filepath.Join(t.TempDir(), "s"), answer), scanner(t, "tcp", "127.0.0.1:0", answer)} {
				s, err := New(where)
				if err != nil {
					t.Fatal(err)
				}
				found, err := s.Scan(t.Context(), c.content)
				if found != c.found || (err != nil) != c.fails {
					t.Errorf("at %s: %q, %v; want %q, an error: %t", where, found, err, c.found, c.fails)
				}
			}
		})
	}
}

func TestScannerAway(t *testing.T) {
	t.Parallel()
	s, err := New(filepath.Join(t.TempDir(), "nobody"))
	if err != nil {
		t.Fatal(err)
	}
	if found, err := s.Scan(t.Context(), []byte("x")); err == nil {
		t.Errorf("nobody there: %q and no error", found)
	}
	// One that never answers is waited for no longer than the request.
	s, err = New(scanner(t, "tcp", "127.0.0.1:0", func([]byte) *string { return nil }))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if found, err := s.Scan(ctx, []byte("x")); err == nil || !strings.Contains(err.Error(), context.DeadlineExceeded.Error()) {
		t.Errorf("no answer: %q, %v; want the deadline", found, err)
	}
	for _, address := range []string{"", "clamd", "relative/path", ":3310", "host:"} {
		if _, err := New(address); err == nil {
			t.Errorf("New(%q) = no error", address)
		}
	}
}
