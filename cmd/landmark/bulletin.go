package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"landmark/internal/bulletin"
	"landmark/internal/demo"
	"landmark/internal/landmark"
	"landmark/internal/store"
)

type bulletinCmd struct {
	Draft  bulletinDraft  `cmd:"" help:"Print a month's bulletin as it stands, with what the self-check finds; -o writes the .docx."`
	Issue  bulletinIssue  `cmd:"" help:"Freeze a month's bulletin: text, figures, file and number. Refused while the self-check finds faults."`
	Export bulletinExport `cmd:"" help:"Write an issued bulletin's .docx, byte for byte as it went out."`
}

// bulletinWhich is the bulletin a command is about.
type bulletinWhich struct {
	Month string `required:"" placeholder:"2023-09" help:"The month."`
	Plan  string `placeholder:"SLUG" help:"The plan; the newest if left out."`
	Out   string `short:"o" placeholder:"FILE.docx" help:"Where the file goes."`
}

// with runs f on the bulletins of an open database.
func (w bulletinWhich) with(ctx context.Context, p *program, f func(*bulletin.Service, *store.Store, landmark.Month, time.Time) error) error {
	m, err := landmark.ParseMonth(w.Month)
	if err != nil {
		return usageError{err}
	}
	return p.withStore(ctx, func(st *store.Store) error {
		now, err := present(ctx, p, st)
		if err != nil {
			return err
		}
		return f(bulletin.New(st, p.zone), st, m, now)
	})
}

// present is what time it is for a database: a demo's clock is not the
// machine's, and a command that wrote the machine's time into it would carry its
// clock along.
func present(ctx context.Context, p *program, st *store.Store) (time.Time, error) {
	h, err := st.Holdings(ctx)
	if err != nil || !h.Demo {
		return time.Now(), err
	}
	start, err := parseMoment(demo.Start, p.zone)
	if err != nil {
		return time.Time{}, fmt.Errorf("start of the demo: %w", err)
	}
	if h.LastAct.After(start) {
		start = h.LastAct.Add(time.Second)
	}
	return start, nil
}

// write puts a file where -o says.
func (w bulletinWhich) write(p *program, file []byte) error {
	if err := os.WriteFile(w.Out, file, 0o644); err != nil {
		return fmt.Errorf("cannot write %s: check the folder and the rights: %w", w.Out, errors.Unwrap(err))
	}
	_, err := fmt.Fprintf(p.stderr, "wrote %s\n", w.Out)
	return err
}

// clerk is who issues when a command is run: whoever has the database has the
// office's rights.
var clerk = landmark.User{Role: landmark.RoleOffice, DisplayName: operator.Name}

type bulletinDraft struct {
	bulletinWhich
	Set []string `placeholder:"KEY=TEXT" sep:"none" help:"Put a text in the place of a block's, like lagging.3.1.next=…; may be repeated. Keys stand in brackets in the faults."`
}

// Run drafts.
func (c bulletinDraft) Run(ctx context.Context, p *program) error {
	texts := map[string]string{}
	for _, s := range c.Set {
		key, text, ok := strings.Cut(s, "=")
		if !ok {
			return usageError{fmt.Errorf("--set %q: write it as KEY=TEXT", s)}
		}
		texts[key] = text
	}
	return c.with(ctx, p, func(s *bulletin.Service, _ *store.Store, m landmark.Month, now time.Time) error {
		d, err := s.Draft(ctx, c.Plan, m, now)
		if err != nil {
			return err
		}
		if len(texts) > 0 {
			for key := range texts {
				if _, ok := d.Block(key); !ok {
					return usageError{fmt.Errorf("--set: %s's bulletin has no block %q", m, key)}
				}
			}
			if _, err := s.Save(ctx, clerk, operator, c.Plan, m, d.Version, texts, now); err != nil {
				return err
			}
			if d, err = s.Draft(ctx, c.Plan, m, now); err != nil {
				return err
			}
		}
		tell(p, d.Faults)
		if c.Out == "" {
			_, err := fmt.Fprint(p.stdout, d.Text())
			return err
		}
		var file bytes.Buffer
		if err := d.WriteDOCX(&file); err != nil {
			return err
		}
		return c.write(p, file.Bytes())
	})
}

// tell lists what the self-check finds, a line each.
func tell(p *program, faults []bulletin.Fault) {
	for _, f := range faults {
		where := ""
		if f.Block != "" {
			where = " [" + f.Block + "]"
		}
		fmt.Fprintf(p.stderr, "%s: %s%s\n", f.Kind.Chinese(), oneLine(f.Message), where)
	}
}

type bulletinIssue struct{ bulletinWhich }

// Run issues.
func (c bulletinIssue) Run(ctx context.Context, p *program) error {
	return c.with(ctx, p, func(s *bulletin.Service, st *store.Store, m landmark.Month, now time.Time) error {
		issued, faults, err := s.Issue(ctx, clerk, operator, c.Plan, m, bulletin.AnyVersion, now)
		if err != nil {
			tell(p, faults)
			return err
		}
		if _, err := fmt.Fprintf(p.stdout, "〔%d〕%d号 %s sha256 %x\n", issued.Issue.Year, issued.Issue.Number, issued.Title, issued.SHA256); err != nil {
			return err
		}
		if c.Out == "" {
			return nil
		}
		return bulletinExport(c).export(ctx, p, s, st, m, now)
	})
}

type bulletinExport struct{ bulletinWhich }

// Run writes an issued bulletin's file.
func (c bulletinExport) Run(ctx context.Context, p *program) error {
	return c.with(ctx, p, func(s *bulletin.Service, st *store.Store, m landmark.Month, now time.Time) error {
		return c.export(ctx, p, s, st, m, now)
	})
}

func (c bulletinExport) export(ctx context.Context, p *program, s *bulletin.Service, st *store.Store, m landmark.Month, now time.Time) error {
	r, err := st.Record(ctx, c.Plan, now, now, p.zone)
	if err != nil {
		return err
	}
	file, err := s.File(ctx, r.Plan.ID, m)
	switch {
	case landmark.KindOf(err) == landmark.NotFound:
		return fmt.Errorf("%s's bulletin is not issued yet: landmark bulletin draft --month %s -o FILE.docx writes the draft", m, m)
	case err != nil:
		return err
	case c.Out == "":
		c.Out = "bulletin-" + m.String() + ".docx"
	}
	return c.write(p, file)
}
