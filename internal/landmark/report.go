package landmark

import (
	"time"

	"github.com/shopspring/decimal"
)

// State is where a month's report of one indicator stands.
type State string

// A report begins as a draft, is submitted by the department's reporter, signed
// by its leader where the department asks for that, and approved or returned by
// the office. A correction of an approved value goes the same way again.
const (
	StateNone      State = ""
	StateDraft     State = "draft"
	StateSubmitted State = "submitted"
	StateSigned    State = "signed"
	StateApproved  State = "approved"
	StateReturned  State = "returned"
)

// Chinese is the state on pages.
func (s State) Chinese() string {
	switch s {
	case StateDraft:
		return "草稿"
	case StateSubmitted:
		return "已提交"
	case StateSigned:
		return "已签核"
	case StateApproved:
		return "已核定"
	case StateReturned:
		return "已退回"
	default:
		return "未填报"
	}
}

// Report is the month's report of one indicator, as far as it has come.
type Report struct {
	ID               int64
	IndicatorID      int64
	Month            Month
	State            State
	Revision         int  // of the newest revision that left draft, from 1
	Correction       bool // the newest revision asks to replace an approved value
	Amount           decimal.NullDecimal
	Step             string
	Note             string
	Reason           string
	ReturnedFor      string // the office's reason, when returned
	SubmittedBy      string
	SubmittedAt      time.Time
	FirstSubmittedAt time.Time // late is counted by this one
	StateAt          time.Time
	StateBy          string
}
