package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"landmark/internal/landmark"
	"landmark/internal/reporting"
	"landmark/internal/sheet"
	"landmark/internal/store"
)

type valuesCmd struct {
	Import valuesImport `cmd:"" help:"Bring in a month's reported values by indicator code."`
	Export valuesExport `cmd:"" help:"Write a month's indicators out, as /export/indicators.csv."`
}

type valuesImport struct {
	File    string `arg:"" help:"Columns code,value,step,note,reason; .csv or .xlsx, - for CSV from standard input."`
	Month   string `required:"" placeholder:"2023-09" help:"The month the values are of."`
	By      string `required:"" placeholder:"NAME" help:"Who reports: an account's name, or any other name to stand in the history."`
	Plan    string `placeholder:"SLUG" help:"Which plan; the newest if left out."`
	Approve bool   `help:"Approve the values as well. They are then under the name alone, not the account: nobody approves what their own account submitted."`
}

// maxBy bounds a name in the history, in characters.
const maxBy = 50

// Run submits the values, all or none.
func (c valuesImport) Run(ctx context.Context, p *program) error {
	month, err := landmark.ParseMonth(c.Month)
	if err != nil {
		return usageError{fmt.Errorf("--month %q is not a month: write it like 2023-09", c.Month)}
	}
	c.By = strings.TrimSpace(c.By)
	if n := utf8.RuneCountInString(c.By); n == 0 || n > maxBy || !utf8.ValidString(c.By) || strings.ContainsFunc(c.By, unicode.IsControl) {
		return usageError{fmt.Errorf("--by takes a name of 1 to %d characters", maxBy)}
	}
	text, err := c.bytes(p)
	if err != nil {
		return err // before any database is opened
	}
	return p.withStore(ctx, func(st *store.Store) error {
		now, err := present(ctx, p, st)
		if err != nil {
			return err
		}
		r, err := st.Record(ctx, c.Plan, time.Time{}, now, p.zone)
		if err != nil {
			return inEnglish(err, landmark.NotFound, "no plan %q: landmark plan list shows what there is", c.Plan)
		}
		by, err := c.actor(ctx, st)
		if err != nil {
			return err
		}
		read := sheet.ReadValues
		if strings.EqualFold(filepath.Ext(c.File), ".xlsx") {
			read = sheet.ReadValuesXLSX
		}
		rows, err := read(bytes.NewReader(text), r.Plan)
		faults, broken := errors.AsType[sheet.Faults](err)
		if err != nil && !broken {
			return err
		}
		var list []reporting.ValueInput
		lines := map[string]int{}
		for _, row := range rows {
			list = append(list, reporting.ValueInput{Code: row.Indicator.Code, Value: row.Value, Step: row.Step, Note: row.Note, Reason: row.Reason})
			lines[row.Indicator.Code] = row.Line
		}
		service := reporting.New(st, p.zone)
		if broken {
			return withFindings(faults, service.CheckImport(ctx, r.Plan.Slug, month, list, now), lines)
		}
		sent, err := service.Import(ctx, by, r.Plan.Slug, month, list, c.Approve, now)
		if err != nil {
			return withFindings(nil, err, lines)
		}
		verb := "submitted"
		if c.Approve {
			verb = "submitted and approved"
		}
		fmt.Fprintf(p.stdout, "%s %d values of %s by %s", verb, len(sent), month, by.Name)
		if same := len(list) - len(sent); same > 0 {
			fmt.Fprintf(p.stdout, "; %d say what is reported already and were left as they are", same)
		}
		_, err = fmt.Fprintln(p.stdout)
		return err
	})
}

// maxImport bounds a file; the readers have bounds of their own, below it.
const maxImport = 32 << 20

// bytes is the file's content.
func (c valuesImport) bytes(p *program) ([]byte, error) {
	if c.File == "-" {
		return whole(p.stdin, "standard input")
	}
	f, err := os.Open(c.File)
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: check the name and the rights: %w", c.File, errors.Unwrap(err))
	}
	defer f.Close()
	return whole(f, c.File)
}

// whole reads a bounded file to its end: one that is longer is refused, for a list
// cut short would look like a whole one.
func whole(r io.Reader, name string) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxImport+1))
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", name, err)
	}
	if len(b) > maxImport {
		return nil, fmt.Errorf("%s is larger than %d MB, which is the most that is taken: check that it is the right file", name, maxImport>>20)
	}
	return b, nil
}

// actor is who stands in the history: the account of that name, else the name as
// it is.
func (c valuesImport) actor(ctx context.Context, st *store.Store) (landmark.Actor, error) {
	account, err := st.Account(ctx, c.By)
	switch {
	case landmark.KindOf(err) == landmark.NotFound:
		return landmark.Actor{Name: c.By}, nil
	case err != nil:
		return landmark.Actor{}, err
	case account.User.Disabled:
		return landmark.Actor{}, fmt.Errorf("the account %q is disabled: name another with --by", c.By)
	}
	by := landmark.ActorOf(account.User, "", "")
	if by.Name == "" {
		by.Name = account.User.Name
	}
	if c.Approve {
		by.AccountID = 0
	}
	return by, nil
}

// withFindings lists what the rules say beside a file's own faults, by line.
func withFindings(faults sheet.Faults, err error, lines map[string]int) error {
	check, ok := errors.AsType[*reporting.CheckError](err)
	if !ok && err != nil {
		return err
	}
	if ok {
		for _, f := range check.Findings {
			faults = append(faults, sheet.Fault{Line: lines[f.Code], Message: f.Message})
		}
	}
	slices.SortStableFunc(faults, func(a, b sheet.Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return faults
}

type valuesExport struct {
	Month string `placeholder:"2023-09" help:"The month; the newest that is due if left out."`
	AsOf  string `name:"as-of" placeholder:"TIME" help:"As it stood at a moment, like 2023-10-12T09:30; now if left out."`
	Plan  string `placeholder:"SLUG" help:"Which plan; the newest if left out."`
	Out   string `short:"o" placeholder:"FILE" help:"Where to; standard output if left out."`
}

// Run writes one row per indicator, as the office sees them.
func (c valuesExport) Run(ctx context.Context, p *program) error {
	var month landmark.Month
	var at time.Time
	var err error
	if c.Month != "" {
		if month, err = landmark.ParseMonth(c.Month); err != nil {
			return usageError{fmt.Errorf("--month %q is not a month: write it like 2023-09", c.Month)}
		}
	}
	if c.AsOf != "" {
		if at, err = parseMoment(c.AsOf, p.zone); err != nil {
			return usageError{fmt.Errorf("--as-of %q is not a moment: write it like 2023-10-12T09:30", c.AsOf)}
		}
	}
	return p.withStore(ctx, func(st *store.Store) error {
		now, err := present(ctx, p, st)
		if err != nil {
			return err
		}
		if at.After(now) && at.After(time.Now()) { // a running demo's clock is ahead of what is written
			return usageError{fmt.Errorf("--as-of %s has not come yet", c.AsOf)}
		}
		r, err := st.Record(ctx, c.Plan, at, now, p.zone)
		if err != nil {
			switch {
			case c.AsOf != "" && c.Plan == "":
				return inEnglish(err, landmark.NotFound, "no plan was there yet at %s: name a later moment", c.AsOf)
			case c.AsOf != "":
				return inEnglish(err, landmark.NotFound, "no plan %q, or not yet at %s", c.Plan, c.AsOf)
			}
			return inEnglish(err, landmark.NotFound, "no plan %q: landmark plan list shows what there is", c.Plan)
		}
		if month.IsZero() {
			month = r.NewestDue()
		}
		if first, last := landmark.MonthOf(r.Plan.Year, 1), r.Plan.LastMonth(); month < first || month > last {
			return fmt.Errorf("the plan %s has no month %s, only %s to %s", r.Plan.Slug, month, first, last)
		}
		return p.output(c.Out, func(w io.Writer) error { return sheet.WriteIndicatorsCSV(w, r.Board(month)) })
	})
}
