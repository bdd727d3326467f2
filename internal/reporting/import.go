package reporting

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"landmark/internal/landmark"
	"landmark/internal/store"
)

// ValueInput is one reported value by its indicator's code, as typed.
type ValueInput struct {
	Code, Value, Step, Note, Reason string
}

// Import submits a list of a month's values by name, as the command line does,
// through the same checks as a form: every row is checked before any is taken. The
// rows may be of several departments and need not be all that is owed. Rows that
// say what is on its way or approved already are left as they are. With approve
// the values are signed and approved as well, also those on their way, in the same
// transaction. It returns a *CheckError that lists all that is wrong, and otherwise
// what was sent or approved.
func (s *Service) Import(ctx context.Context, by landmark.Actor, planSlug string, m landmark.Month, list []ValueInput, approve bool, now time.Time) (sent []store.Submitted, err error) {
	how := importSubmit
	if approve {
		how = importApprove
	}
	for attempt := 1; ; attempt++ {
		sent, err = s.importOnce(ctx, by, planSlug, m, list, how, now)
		if attempt == attempts || !errors.Is(err, store.ErrStale) {
			return sent, err
		}
	}
}

// CheckImport says what Import would refuse in a list, and takes nothing: for a
// list with other faults, so that all are told at once.
func (s *Service) CheckImport(ctx context.Context, planSlug string, m landmark.Month, list []ValueInput, now time.Time) error {
	_, err := s.importOnce(ctx, landmark.Actor{}, planSlug, m, list, importCheck, now)
	return err
}

// importMode is how far an import goes.
type importMode int

const (
	importCheck importMode = iota
	importSubmit
	importApprove
)

func (s *Service) importOnce(ctx context.Context, by landmark.Actor, planSlug string, m landmark.Month, list []ValueInput, how importMode, now time.Time) (sent []store.Submitted, err error) {
	err = s.tx(ctx, func(st *store.Store) error {
		r, err := st.Record(ctx, planSlug, time.Time{}, now, s.zone)
		if err != nil {
			return err
		}
		inputs, err := byDepartment(r, m, list)
		if err != nil {
			return err
		}
		var findings []landmark.Finding
		var submissions []store.Submission
		var sheets []*sheet
		var batches []batch
		var waiting []store.Submitted // sent before, with the values of the list
		signed := map[int64]bool{}
		for _, in := range inputs {
			f, err := newSheet(r, in.DepartmentID, m)
			if err != nil {
				return err
			}
			if err := f.load(ctx, st, true); err != nil {
				return err
			}
			findings = append(findings, in.unkeepable()...)
			f.mine, f.tasks = true, nil
			f.only(in)
			b := f.batch()
			if b.refusal != nil && len(f.rows) > 0 && f.record.Window(f.department.ID, m) == landmark.NotOpen {
				return f.notOpen("没有收下任何数值,请在开放后再导入")
			}
			findings = append(findings, b.findings...)
			submissions = append(submissions, f.submissions(b)...)
			for _, r := range f.rows {
				if p := r.report; how == importApprove && b.settled[r.ind.ID] && p.State != landmark.StateApproved {
					waiting = append(waiting, store.Submitted{ReportID: p.ID, IndicatorID: p.IndicatorID, Month: p.Month, Revision: p.Revision, Correction: p.Correction})
					signed[p.ID] = p.State == landmark.StateSigned
				}
			}
			sheets, batches = append(sheets, f), append(batches, b)
		}
		if len(findings) > 0 {
			return &CheckError{Findings: findings}
		}
		if how == importCheck {
			return nil
		}
		if len(submissions)+len(waiting) == 0 {
			return landmark.Errorf(landmark.Invalid, "", "没有需要提交的改动:各行都和已报的一样")
		}
		var changes store.Changes
		for i, f := range sheets {
			if err := f.keep(ctx, st, &changes, by, batches[i], now); err != nil {
				return err
			}
		}
		if err := st.Apply(ctx, &changes); err != nil {
			return err
		}
		if sent, err = submit(ctx, st, r, by, submissions, now); err != nil || how != importApprove {
			return err
		}
		sent = append(sent, waiting...)
		return approveAll(ctx, st, r, by, sent, signed, now)
	})
	return sent, err
}

// byDepartment sorts values into the forms they would stand in.
func byDepartment(r *landmark.Record, m landmark.Month, list []ValueInput) ([]FormInput, error) {
	var out []FormInput
	at := map[int64]int{}
	for _, v := range list {
		ind, err := r.Plan.Indicator(v.Code)
		if err != nil {
			return nil, err
		}
		lead := ind.Project.Lead.ID
		i, ok := at[lead]
		if !ok {
			i = len(out)
			at[lead] = i
			out = append(out, FormInput{Month: m, DepartmentID: lead, Indicators: map[string]Typed{}})
		}
		if _, twice := out[i].Indicators[v.Code]; twice {
			return nil, landmark.Errorf(landmark.Invalid, "code", "指标%s写了两次", v.Code)
		}
		out[i].Indicators[v.Code] = Typed{Value: &v.Value, Step: &v.Step, Note: &v.Note, Reason: &v.Reason}
	}
	for i := range out {
		out[i] = out[i].clean()
	}
	return out, nil
}

// only narrows a sheet to the rows of a list. A draft that somebody is working on
// stays as it is: the list stands beside it, not over it.
func (f *sheet) only(in FormInput) {
	var rows []*row
	for _, r := range f.rows {
		if _, ok := in.Indicators[r.ind.Code]; !ok {
			continue
		}
		if r.draft.Open {
			r.apart = true
		}
		r.saved, r.now = Fields{}, Fields{}
		rows = append(rows, r)
	}
	f.rows = rows
	f.lay(in)
}

// submissions are what a batch sends, in the form's order.
func (f *sheet) submissions(b batch) []store.Submission {
	var out []store.Submission
	for _, r := range b.rows {
		v := b.values[r.ind.ID]
		sub := store.Submission{IndicatorID: r.ind.ID, Month: f.month, Amount: v.Amount, Step: v.Step, Note: strings.TrimSpace(v.Note), Reason: strings.TrimSpace(v.Reason),
			NoChange: b.noChange[r.ind.ID], Correction: b.correct[r.ind.ID], Findings: b.soft[r.ind.ID], Revision: r.report.Revision, State: r.report.State}
		for _, e := range r.keep {
			sub.Evidence = append(sub.Evidence, e.ID)
		}
		out = append(out, sub)
	}
	return out
}

// approveAll signs and approves what was sent; signed says which reports are signed
// already.
func approveAll(ctx context.Context, st *store.Store, r *landmark.Record, by landmark.Actor, sent []store.Submitted, signed map[int64]bool, now time.Time) error {
	leads := map[int64]landmark.Department{}
	for _, ind := range r.Plan.Indicators() {
		leads[ind.ID] = ind.Project.Lead
	}
	var sign, all []store.Seen
	for _, v := range sent {
		seen := store.Seen{ReportID: v.ReportID, Revision: v.Revision}
		all = append(all, seen)
		if leads[v.IndicatorID].SignOffRequired && !signed[v.ReportID] {
			sign = append(sign, seen)
		}
	}
	if len(sign) > 0 {
		if _, err := move(ctx, st, by, sign, landmark.StateSigned, "report.sign", "", 0, now); err != nil {
			return fmt.Errorf("sign imported values: %w", err)
		}
	}
	if _, err := move(ctx, st, by, all, landmark.StateApproved, "report.approve", "", 0, now); err != nil {
		return fmt.Errorf("approve imported values: %w", err)
	}
	return nil
}
