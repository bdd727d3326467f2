package landmark

import (
	"encoding/json"
	"time"
)

// Actor is who does something, and from where.
type Actor struct {
	AccountID int64 // 0 for the command line and for the program itself
	Name      string
	Role      Role
	Address   string
	RequestID string
}

// ActorOf is a signed-in user acting from an address.
func ActorOf(u User, address, requestID string) Actor {
	return Actor{AccountID: u.ID, Name: u.DisplayName, Role: u.Role, Address: address, RequestID: requestID}
}

// HistoryEntry is one line of what happened: append-only, never edited.
type HistoryEntry struct {
	ID           int64
	At           time.Time
	Actor        Actor
	Act          string // subject and deed: report.submit, target.revise
	PlanID       int64
	ProjectID    int64
	DepartmentID int64
	IndicatorID  int64
	Month        Month
	Object       string // what it was done to, in Chinese
	Before       json.RawMessage
	After        json.RawMessage
	Reason       string
}
