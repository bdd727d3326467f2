// Package notify carries notices to where people read: by mail, and to the group
// robots of DingTalk and WeCom. It tells failures that may pass from those that
// stay. Whom to tell, and when to try again, is not its matter.
package notify

import (
	"errors"
	"time"
	"unicode/utf8"
)

// Message is what is sent.
type Message struct {
	// ID is the same whenever the same message is sent again, after a failure or
	// because nobody knows whether it arrived. Mail carries it, so that a mailbox
	// can tell.
	ID    string
	Title string
	Body  string
	Link  string // page to go on from, with the program's address
	At    time.Time
}

// failure is a try that failed, in words for the office's log. It never holds the
// address of a robot, which is a secret.
type failure struct {
	say   string
	lasts bool // trying again is of no use
	cause error
}

func (f *failure) Error() string { return f.say }
func (f *failure) Unwrap() error { return f.cause }

// Lasts says whether an error of this package's stays: the address is wrong, the
// signature is, the message was refused.
func Lasts(err error) bool {
	f, ok := errors.AsType[*failure](err)
	return ok && f.lasts
}

// cut shortens a text to at most n bytes, between two characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	const more = "…"
	for n -= len(more); n > 0 && !utf8.RuneStart(s[n]); {
		n--
	}
	return s[:n] + more
}
