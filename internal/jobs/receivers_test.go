package jobs_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"strings"
	"sync"
	"testing"
)

// mailServer takes mail like a relay in the house, and answers a message as told.
type mailServer struct {
	ln     net.Listener
	answer func(n int, to string) string // to the n-th message: a reply, or "" to hang up

	mu   sync.Mutex
	n    int
	got  []received // taken
	open map[net.Conn]bool
}

// received is a message that was taken.
type received struct {
	To      string
	Message *mail.Message
	Body    string
}

const taken = "250 2.0.0 taken"

func newMailServer(t testing.TB, answer func(n int, to string) string) *mailServer {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &mailServer{ln: ln, answer: answer, open: map[net.Conn]bool{}}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.open[c] = true
			s.mu.Unlock()
			serving.Go(func() { s.serve(c) })
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		s.mu.Lock()
		for c := range s.open {
			_ = c.Close()
		}
		s.mu.Unlock()
		serving.Wait()
	})
	return s
}

func (s *mailServer) url() string { return "smtp://" + s.ln.Addr().String() + "?tls=off" }

func (s *mailServer) messages() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]received(nil), s.got...)
}

func (s *mailServer) serve(c net.Conn) {
	defer func() {
		s.mu.Lock()
		delete(s.open, c)
		s.mu.Unlock()
		_ = c.Close()
	}()
	in := bufio.NewReader(c)
	say := func(line string) { _, _ = io.WriteString(c, line+"\r\n") }
	say("220 test")
	to := ""
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch strings.ToUpper(verb) {
		case "EHLO":
			say("250-test\r\n250 SMTPUTF8")
		case "RCPT":
			to = strings.TrimSuffix(strings.TrimPrefix(strings.Fields(rest)[0], "TO:<"), ">")
			say("250 ok")
		case "DATA":
			say("354 go on")
			var text strings.Builder
			for {
				line, err := in.ReadString('\n')
				if err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
				text.WriteString(strings.TrimPrefix(line, "."))
			}
			s.mu.Lock()
			s.n++
			n := s.n
			s.mu.Unlock()
			reply := s.answer(n, to)
			if reply == "" {
				return
			}
			if strings.HasPrefix(reply, "250") {
				m, err := mail.ReadMessage(strings.NewReader(text.String()))
				if err != nil {
					say("554 unreadable")
					continue
				}
				body, _ := io.ReadAll(m.Body)
				s.mu.Lock()
				s.got = append(s.got, received{To: to, Message: m, Body: string(body)})
				s.mu.Unlock()
			}
			say(reply)
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

// robotServer takes what robots are told, and answers as told.
type robotServer struct {
	*httptest.Server
	mu    sync.Mutex
	n     int
	calls []robotCall // answered as taken
}

type robotCall struct {
	Delivery string
	Query    map[string][]string
	Type     string
	Text     string
}

const ok = `{"errcode":0,"errmsg":"ok"}`

// newRobotServer answers the n-th call: a body with 200, a status in digits, or
// "drop" to hang up.
func newRobotServer(t testing.TB, answer func(n int, call robotCall) string) *robotServer {
	t.Helper()
	s := &robotServer{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			Type string `json:"msgtype"`
			Text struct {
				Content string `json:"content"`
			} `json:"text"`
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json; charset=utf-8" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		call := robotCall{Delivery: r.Header.Get("X-Landmark-Delivery"), Query: r.URL.Query(), Type: body.Type, Text: body.Text.Content}
		s.mu.Lock()
		s.n++
		n := s.n
		s.mu.Unlock()
		reply := answer(n, call)
		if reply == ok {
			s.mu.Lock()
			s.calls = append(s.calls, call)
			s.mu.Unlock()
		}
		switch {
		case reply == "drop":
			panic(http.ErrAbortHandler)
		case strings.HasPrefix(reply, "{"):
			_, _ = io.WriteString(w, reply)
		default:
			var status int
			_, _ = fmt.Sscan(reply, &status)
			if status/100 == 3 {
				w.Header().Set("Location", "http://127.0.0.1:1/elsewhere")
			}
			w.WriteHeader(status)
		}
	}))
	t.Cleanup(s.Server.Close)
	return s
}

func (s *robotServer) taken() []robotCall {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]robotCall(nil), s.calls...)
}

func (s *robotServer) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.n
}
