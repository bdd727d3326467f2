package torture

import (
	"bufio"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// mailbox takes mail like a relay in the house, and keeps the messages' numbers.
type mailbox struct {
	ln  net.Listener
	mu  sync.Mutex
	got map[string]int // by Message-ID
}

func takeMail(t *testing.T) *mailbox {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &mailbox{ln: ln, got: map[string]int{}}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			all.Go(func() { defer c.Close(); m.serve(c) })
		}
	})
	t.Cleanup(func() { _ = ln.Close(); all.Wait() })
	return m
}

func (m *mailbox) url() string { return "smtp://" + m.ln.Addr().String() + "?tls=off" }

func (m *mailbox) serve(c net.Conn) {
	in := bufio.NewReader(c)
	say := func(line string) { _, _ = io.WriteString(c, line+"\r\n") }
	say("220 test")
	for {
		_ = c.SetDeadline(time.Now().Add(time.Minute))
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		verb, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch strings.ToUpper(verb) {
		case "EHLO":
			say("250-test\r\n250 SMTPUTF8")
		case "DATA":
			say("354 go on")
			id := ""
			for {
				line, err := in.ReadString('\n')
				if err != nil {
					return
				}
				if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok && id == "" && strings.EqualFold(name, "Message-ID") {
					id = strings.TrimSpace(value)
				}
				if line == ".\r\n" {
					break
				}
			}
			m.mu.Lock()
			m.got[id]++
			m.mu.Unlock()
			say("250 2.0.0 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

// delivered is P24: every form that was taken has one notice, and each notice one
// delivery to each recipient, written down as delivered. The mail itself may come
// twice under one number, where the program died before it knew; it never fails to
// come.
func delivered(t *testing.T, p *place, s *served, mail *mailbox, kills int) {
	t.Helper()
	ctx := t.Context()
	count := func(sql string) (n int) {
		t.Helper()
		if err := p.pool.QueryRow(ctx, sql).Scan(&n); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		return n
	}
	const open = `SELECT (SELECT count(*) FROM notice WHERE relayed_at IS NULL) + (SELECT count(*) FROM delivery WHERE state = 'pending')`
	least, fell := count(open), time.Now()
	for left := least; left > 0; left = count(open) {
		if left < least {
			least, fell = left, time.Now()
		}
		if time.Since(fell) > 2*time.Minute { // however many there are: they must go on
			t.Fatalf("P24: %d notices and deliveries are still open", left)
		}
		time.Sleep(200 * time.Millisecond)
		// What a killed program held is taken up after two minutes by whoever leads,
		// who is another after a quarter of one. Both are let pass.
		if count("SELECT count(*) FROM river_job WHERE kind = 'deliver' AND state IN ('available', 'pending', 'scheduled', 'retryable') AND scheduled_at < now()") == 0 &&
			count("SELECT count(*) FROM river_job WHERE kind = 'deliver' AND state = 'running'") > 0 {
			s.stop(syscall.SIGTERM)
			for _, sql := range []string{"UPDATE river_job SET attempted_at = attempted_at - interval '3 minutes' WHERE state = 'running'", "DELETE FROM river_leader"} {
				if _, err := p.pool.Exec(ctx, sql); err != nil {
					t.Fatal(err)
				}
			}
			s.start()
			s.up(t)
			time.Sleep(2 * time.Second)
		}
	}
	// One notice for each form taken: both its revisions are of one moment.
	forms := count(`SELECT count(DISTINCT (i.project_id, n.amount)) FROM report_revision n JOIN report r ON r.id = n.report_id JOIN indicator i ON i.id = r.indicator_id`)
	notices := count(`SELECT count(*) FROM notice WHERE kind = 'submitted'`)
	deliveries := count(`SELECT count(*) FROM delivery d JOIN notice n ON n.id = d.notice_id WHERE n.kind = 'submitted' AND d.state = 'delivered' AND d.channel = 'mail'`)
	mail.mu.Lock()
	defer mail.mu.Unlock()
	again := 0
	for _, n := range mail.got {
		again += n - 1
	}
	lost, doubled := max(0, forms-deliveries), max(0, deliveries-forms)
	t.Logf("P24 notices under the same kills | %d rounds | %d lost | %d doubled | %d forms, %d notices, %d deliveries, %d letters came, %d of them again under their number",
		kills, lost, doubled, forms, notices, deliveries, len(mail.got), again)
	if notices != forms || deliveries != forms || len(mail.got) != forms {
		t.Errorf("P24: %d forms have %d notices, %d deliveries and %d letters, want one each", forms, notices, deliveries, len(mail.got))
	}
	if again > 2*kills { // two at a time are under way
		t.Errorf("P24: %d letters came again, want at most what %d kills can cut off", again, kills)
	}
}
