package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"landmark/internal/landmark"
	"landmark/internal/sheet"
	"landmark/internal/store"
	"landmark/seeds"
)

type planCmd struct {
	Import planImport `cmd:"" help:"Bring in a plan from the office's table."`
	Export planExport `cmd:"" help:"Write a plan out."`
	List   planList   `cmd:"" help:"List the plans."`
}

type planImport struct {
	File      string `arg:"" help:"The table: text as in seeds, or .xlsx as the matrix export writes it; - for standard input (text)."`
	Details   string `placeholder:"FILE.csv" help:"What the table cannot say: code,kind,direction,unit,decimals,measured,steps,confirmed,curve."`
	Slug      string `help:"The plan's short name in addresses, like tongxiang-2023."`
	Title     string `help:"The plan's title."`
	Published string `placeholder:"DATE" help:"Day of publication, like 2023-05-31; its month is the first that owes reports."`
	Update    bool   `help:"The plan is there already: take over changed targets, baselines and details, as new dated versions."`
}

// Run brings a plan in, whole or not at all.
func (c planImport) Run(ctx context.Context, p *program) error {
	plan, err := c.read(ctx, p, nil)
	if err != nil {
		return err // before any database is opened: a broken file needs none
	}
	return p.withStore(ctx, func(st *store.Store) error {
		known, err := st.DepartmentNames(ctx)
		if err != nil {
			return err
		}
		if plan, err = c.read(ctx, p, directory(known)); err != nil {
			return err
		}
		now, err := present(ctx, p, st) // the machine's clock would carry a demo's along
		if err != nil {
			return err
		}
		if c.Update {
			return c.update(ctx, p, st, plan, now)
		}
		others, err := st.Plans(ctx)
		if err != nil {
			return err
		}
		if err := c.notAgain(ctx, p, st, plan, others); err != nil {
			return err
		}
		if err := inEnglish(st.InsertPlan(ctx, plan, operator, now), landmark.Conflict,
			"a plan %q is there already: add --update to take over changed figures, or choose another --slug", plan.Slug); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(p.stdout, "imported %s: %s, %d projects, %d indicators\n", plan.Slug, plan.Title, len(plan.Projects), len(plan.Indicators())); err != nil {
			return err
		}
		if len(others) == 0 || others[0].Year > plan.Year {
			return nil
		}
		_, err = fmt.Fprintf(p.stdout, "pages show %s from now on, as the newest plan; %s is a choice at the top of each page\n", plan.Slug, others[0].Slug)
		return err
	})
}

// update takes over what the files say of a plan that is there.
func (c planImport) update(ctx context.Context, p *program, st *store.Store, plan *landmark.Plan, now time.Time) error {
	if err := c.keepsHead(ctx, p, st, plan); err != nil {
		return err
	}
	changes, err := st.UpdatePlan(ctx, plan, operator, now)
	if err != nil {
		return inEnglish(err, landmark.NotFound, "no plan %q to update: landmark plan list shows what there is", plan.Slug)
	}
	if changes == 0 {
		_, err = fmt.Fprintf(p.stdout, "nothing to update: %s (%s) says all of this already\n", plan.Slug, plan.Title)
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "updated %s: %s; changes: %d\n", plan.Slug, plan.Title, changes)
	return err
}

// notAgain refuses a table that is there already where no short name was asked
// for: a second, empty plan would be what everybody's pages show.
func (c planImport) notAgain(ctx context.Context, p *program, st *store.Store, plan *landmark.Plan, others []store.PlanHead) error {
	if c.Slug != "" {
		return nil
	}
	var table bytes.Buffer
	if err := sheet.WriteTable(&table, sheet.FromPlan(plan, plan.LastMonth())); err != nil {
		return err
	}
	for _, other := range others {
		if other.Year != plan.Year {
			continue
		}
		r, err := st.Record(ctx, other.Slug, time.Time{}, time.Now(), p.zone)
		if err != nil {
			return err
		}
		var there bytes.Buffer
		if err := sheet.WriteTable(&there, sheet.FromPlan(r.Plan, r.Plan.LastMonth())); err != nil {
			return err
		}
		if bytes.Equal(table.Bytes(), there.Bytes()) {
			return fmt.Errorf("this table is there already as the plan %s: add --slug %s --update to take over details, or --slug with a new name for a second plan", other.Slug, other.Slug)
		}
	}
	return nil
}

// keepsHead refuses an update that would have to change what no update changes,
// and gives plan the title there is where none was asked for.
func (c planImport) keepsHead(ctx context.Context, p *program, st *store.Store, plan *landmark.Plan) error {
	old, err := st.Record(ctx, plan.Slug, time.Time{}, time.Now(), p.zone)
	if landmark.KindOf(err) == landmark.NotFound {
		return nil // UpdatePlan says so
	}
	if err != nil {
		return err
	}
	if c.Title != "" && c.Title != old.Plan.Title || c.Published != "" && plan.Published != old.Plan.Published {
		return fmt.Errorf("--update keeps the title %q and the day of publication %s: leave --title and --published out", old.Plan.Title, old.Plan.Published)
	}
	plan.Title = old.Plan.Title
	return nil
}

// read makes a plan of the files. Standard input can be read once, so its bytes
// are kept.
func (c *planImport) read(_ context.Context, p *program, known sheet.Directory) (*landmark.Plan, error) {
	open := func(name string) (io.ReadCloser, error) {
		f, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("cannot read %s: check the name and the rights: %w", name, errors.Unwrap(err))
		}
		return f, nil
	}
	var table *sheet.Table
	switch {
	case c.File == "-":
		b, err := whole(p.stdin, "standard input")
		if err != nil {
			return nil, err
		}
		p.stdin = bytes.NewReader(b)
		if table, err = sheet.ReadTable(bytes.NewReader(b)); err != nil {
			return nil, err
		}
	default:
		f, err := open(c.File)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		read := sheet.ReadTable
		if strings.EqualFold(filepath.Ext(c.File), ".xlsx") {
			read = sheet.ReadTableXLSX
		}
		if table, err = read(f); err != nil {
			return nil, err
		}
	}
	var details sheet.Details
	if c.Details != "" {
		f, err := open(c.Details)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		if details, err = sheet.ReadDetails(f); err != nil {
			return nil, err
		}
	}
	options := sheet.Options{Title: c.Title, Slug: c.Slug, Departments: known}
	if c.Published != "" {
		day, err := landmark.ParseDate(c.Published)
		if err != nil {
			return nil, usageError{fmt.Errorf("--published %q is not a day: write it like 2023-05-31", c.Published)}
		}
		options.Published = day
	}
	return sheet.BuildPlan(table, details, options)
}

// directory turns the departments in the database into what a table is read by.
func directory(known []store.DepartmentNames) sheet.Directory {
	var out sheet.Directory
	for _, d := range known {
		out = append(out, sheet.DepartmentEntry{Department: d.Department, Aliases: d.Aliases})
	}
	return out
}

// seedPlan is the plan the program brings along, read through the same path as
// any office's.
func seedPlan() (*landmark.Plan, error) {
	table, err := sheet.ReadTable(bytes.NewReader(seeds.Table))
	if err != nil {
		return nil, fmt.Errorf("seed table: %w", err)
	}
	details, err := sheet.ReadDetails(bytes.NewReader(seeds.Details))
	if err != nil {
		return nil, fmt.Errorf("seed details: %w", err)
	}
	departments, err := sheet.ReadDepartments(bytes.NewReader(seeds.Departments))
	if err != nil {
		return nil, fmt.Errorf("seed departments: %w", err)
	}
	published, err := landmark.ParseDate(seeds.Published)
	if err != nil {
		return nil, fmt.Errorf("seed publication day: %w", err)
	}
	return sheet.BuildPlan(table, details, sheet.Options{
		Title: seeds.Title, Slug: seeds.Slug, Published: published, Departments: departments,
	})
}

type planExport struct {
	Plan   string `placeholder:"SLUG" help:"Which plan; the newest if left out."`
	Format string `enum:"text,xlsx,details" default:"text" help:"text (as in seeds), xlsx or details."`
	Paper  string `enum:"A3,A4" default:"A3" help:"What the xlsx is set up to be printed on: A3 or A4, landscape."`
	Out    string `short:"o" placeholder:"FILE" help:"Where to; standard output if left out."`
}

// Run writes a plan out.
func (c planExport) Run(ctx context.Context, p *program) error {
	return p.withStore(ctx, func(st *store.Store) error {
		r, err := st.Record(ctx, c.Plan, time.Time{}, time.Now(), p.zone)
		if err != nil {
			return inEnglish(err, landmark.NotFound, "no plan %q: landmark plan list shows what there is", c.Plan)
		}
		return p.output(c.Out, func(w io.Writer) error {
			switch c.Format {
			case "details":
				return sheet.WriteDetails(w, r.Plan)
			case "xlsx":
				paper := sheet.A3
				if c.Paper == "A4" {
					paper = sheet.A4
				}
				return sheet.WriteMatrixXLSX(w, r.Plan, r.Plan.LastMonth(), paper)
			default:
				return sheet.WriteTable(w, sheet.FromPlan(r.Plan, r.Plan.LastMonth()))
			}
		})
	})
}

// target is the file that name means, links followed, and whether it is to be
// replaced whole: a device or a pipe is written to, never renamed over.
func target(name string) (file string, replace bool, err error) {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real
	}
	info, err := os.Stat(name)
	switch {
	case err != nil: // not there yet; what else may be wrong shows when it is made
		return name, true, nil
	case info.IsDir():
		return name, false, fmt.Errorf("cannot write %s: it is a folder: name a file in it", name)
	default:
		return name, info.Mode().IsRegular(), nil
	}
}

// output writes to a file, which appears only once it is whole, or to standard
// output.
func (p *program) output(name string, write func(io.Writer) error) (err error) {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	if name == "" || name == "-" {
		_, err := p.stdout.Write(b.Bytes())
		return err
	}
	name, replace, err := target(name)
	if err != nil {
		return err
	}
	if !replace {
		if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
			return fmt.Errorf("cannot write %s: check the rights: %w", name, errors.Unwrap(err))
		}
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".landmark-*")
	if err != nil {
		return fmt.Errorf("cannot write %s: check the folder and the rights: %w", name, errors.Unwrap(err))
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if _, err := f.Write(b.Bytes()); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", name, err), f.Close())
	}
	if err := errors.Join(f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := os.Rename(f.Name(), name); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

type planList struct{}

// Run lists the plans.
func (planList) Run(ctx context.Context, p *program) error {
	return p.withStore(ctx, func(st *store.Store) error {
		plans, err := st.Plans(ctx)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "SLUG\tYEAR\tPROJECTS\tINDICATORS\tTITLE")
		for _, h := range plans {
			fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%s\n", h.Slug, h.Year, h.Projects, h.Indicators, h.Title)
		}
		return w.Flush()
	})
}
