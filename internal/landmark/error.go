package landmark

import (
	"errors"
	"fmt"
)

// ErrorKind tells a program what went wrong; the message tells the person.
type ErrorKind string

// The kinds of errors a person can cause. An error without one is internal:
// it is logged and never shown.
const (
	Internal  ErrorKind = ""
	NotFound  ErrorKind = "not_found"
	Invalid   ErrorKind = "invalid"
	Conflict  ErrorKind = "conflict"
	Forbidden ErrorKind = "forbidden"
)

// Error is a mistake with a sentence in Chinese that says what to do about it.
type Error struct {
	Kind    ErrorKind
	Field   string // form field the sentence belongs beside; may be empty
	Message string
}

func (e *Error) Error() string { return e.Message }

// Errorf makes an error of a kind; the message is shown to people.
func Errorf(kind ErrorKind, field, format string, args ...any) error {
	return &Error{Kind: kind, Field: field, Message: fmt.Sprintf(format, args...)}
}

// KindOf is the kind of the first [Error] in err's chain, Internal if none.
func KindOf(err error) ErrorKind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}

// MessageOf is the sentence of the first [Error] in err's chain, empty if none.
func MessageOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Message
	}
	return ""
}
