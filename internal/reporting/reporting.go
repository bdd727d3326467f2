// Package reporting is the month's workflow: departments fill in and submit,
// leaders sign off, the office approves or returns, and approved values are
// corrected. Each operation is one transaction with its history lines, asks
// whether the user may, and takes the time as an argument.
package reporting

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"landmark/internal/landmark"
	"landmark/internal/store"
)

// Service runs the workflow.
type Service struct {
	store   *store.Store
	zone    *time.Location
	scanner Scanner // nil: files are not looked at
}

// Scanner looks for viruses in a file. It gives the name of what it found, empty
// where that is nothing.
type Scanner interface {
	Scan(ctx context.Context, content []byte) (found string, err error)
}

// New makes a service.
func New(st *store.Store, zone *time.Location) *Service { return &Service{store: st, zone: zone} }

// ScanWith has every file looked at before it is taken. It is called before the
// service is used.
func (s *Service) ScanWith(scanner Scanner) { s.scanner = scanner }

// attempts is how often a change is tried before it is given up.
const attempts = 4

// tx runs f in a transaction, anew if the database gave it up for another one.
func (s *Service) tx(ctx context.Context, f func(*store.Store) error) error {
	for attempt := 1; ; attempt++ {
		err := s.store.Tx(ctx, f)
		if attempt == attempts || !store.Retryable(err) {
			return err
		}
	}
}

// said is a value as the history tells of it.
type said struct {
	Value    string `json:"value,omitempty"`
	Step     string `json:"step,omitempty"`
	State    string `json:"state,omitempty"`
	Revision int    `json:"revision,omitempty"`
}

func describe(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("describe %T: %v", v, err)) // our own plain structs
	}
	return b
}

func text(d decimal.NullDecimal) string {
	if !d.Valid {
		return ""
	}
	return landmark.Entered(d.Decimal)
}

// submit sends entries that were checked, with their history. st is in a transaction.
func submit(ctx context.Context, st *store.Store, r *landmark.Record, by landmark.Actor, list []store.Submission, now time.Time) ([]store.Submitted, error) {
	sent, err := st.Submit(ctx, list, by, now)
	if err != nil {
		return nil, err
	}
	return sent, st.AddHistory(ctx, submitLines(r, by, list, now)...)
}

// submitLines are the history of submissions, if they are taken: the store refuses
// those made for another state than r's.
func submitLines(r *landmark.Record, by landmark.Actor, list []store.Submission, now time.Time) []landmark.HistoryEntry {
	indicators := map[int64]*landmark.Indicator{}
	for _, ind := range r.Plan.Indicators() {
		indicators[ind.ID] = ind
	}
	entries := make([]landmark.HistoryEntry, len(list))
	for i, in := range list {
		ind := indicators[in.IndicatorID]
		e := landmark.HistoryEntry{
			At: now, Actor: by, Act: "report.submit", PlanID: r.Plan.ID, ProjectID: ind.Project.ID, DepartmentID: ind.Project.Lead.ID,
			IndicatorID: ind.ID, Month: in.Month, Object: ind.Code + " " + ind.Name, Reason: in.Reason,
			After: describe(said{Value: text(in.Amount), Step: in.Step, State: string(landmark.StateSubmitted), Revision: in.Revision + 1}),
		}
		old, approved := r.Value(ind.ID, in.Month)
		if approved {
			e.Before = describe(said{Value: text(old.Amount), Step: old.Step, State: string(landmark.StateApproved), Revision: old.Revision})
		}
		if approved || in.Correction {
			e.Act = "report.correct"
		}
		entries[i] = e
	}
	return entries
}

// move changes states with their history lines. st is in a transaction.
func move(ctx context.Context, st *store.Store, by landmark.Actor, list []store.Seen, to landmark.State, act, reason string, departmentID int64, now time.Time) ([]store.Moved, error) {
	moved, err := st.Move(ctx, list, to, reason, departmentID, by, now)
	if err != nil {
		return nil, err
	}
	entries := make([]landmark.HistoryEntry, len(moved))
	for i, v := range moved {
		entries[i] = landmark.HistoryEntry{
			At: now, Actor: by, Act: act, PlanID: v.PlanID, ProjectID: v.ProjectID, DepartmentID: v.DepartmentID, IndicatorID: v.IndicatorID,
			Month: v.Month, Object: v.Code + " " + v.Name, Reason: reason,
			After: describe(said{Value: text(v.Amount), Step: v.Step, State: string(to), Revision: v.Revision}),
		}
		if v.Previous.Valid || v.PreviousStep != "" {
			entries[i].Before = describe(said{Value: text(v.Previous), Step: v.PreviousStep, State: string(landmark.StateApproved)})
		}
	}
	return moved, st.AddHistory(ctx, entries...)
}
