package planning

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"landmark/internal/landmark"
	"landmark/internal/store"
)

// NextPlan is what a person says of a new year's plan copied from an old one.
type NextPlan struct {
	From      string // slug of the plan copied
	Slug      string
	Title     string
	Published landmark.Date
}

// Copy makes the next year's plan from an old one: the same projects, tasks,
// scenarios, departments and natures. Each baseline is the old plan's December
// value where one is approved, else absent; each target is the old one, to be
// revised. Kinds are to be confirmed anew.
func (s *Service) Copy(ctx context.Context, by landmark.Actor, u landmark.User, in NextPlan, now time.Time) error {
	if !u.CanEditPlan() {
		return errNotOffice
	}
	in.Title = line(in.Title)
	switch {
	case in.Title == "":
		return landmark.Errorf(landmark.Invalid, "title", "请填写新方案的标题")
	case utf8.RuneCountInString(in.Title) > 100:
		return landmark.Errorf(landmark.Invalid, "title", "标题最多100个字")
	}
	if _, err := landmark.ParseSlug(in.Slug); err != nil {
		return landmark.Errorf(landmark.Invalid, "slug", "方案代号用小写字母、数字和横线,例如“tongxiang-2024”")
	}
	r, err := s.store.Record(ctx, in.From, time.Time{}, now, s.zone)
	if err != nil {
		return err
	}
	next, err := nextYear(r, in)
	if err != nil {
		return err
	}
	return s.store.InsertPlan(ctx, next, by, now)
}

func nextYear(r *landmark.Record, in NextPlan) (*landmark.Plan, error) {
	old := r.Plan
	year := old.Year + 1
	if in.Published.Year != year {
		return nil, landmark.Errorf(landmark.Invalid, "published", "公布日期要在%d年内", year)
	}
	next := &landmark.Plan{
		Slug: in.Slug, Title: in.Title, City: old.City, Year: year, BaselineYear: old.Year, Published: in.Published, Demo: old.Demo,
		Relations: old.Relations, Rules: []landmark.LightRule{old.Rule(old.LastMonth())},
	}
	next.Rules[0].From = in.Published.InMonth()
	for _, c := range old.Columns {
		c = strings.ReplaceAll(c, strconv.Itoa(old.Year)+"年", strconv.Itoa(year)+"年")
		next.Columns = append(next.Columns, strings.ReplaceAll(c, strconv.Itoa(old.BaselineYear)+"年", strconv.Itoa(old.Year)+"年"))
	}
	for _, p := range old.Projects {
		project := &landmark.Project{
			Number: p.Number, Name: p.Name, Lead: p.Lead, LeadPrinted: p.LeadPrinted, Cooperating: p.Cooperating, Tasks: p.Tasks, Scenarios: p.Scenarios,
			TasksText: p.TasksText, ScenariosText: p.ScenariosText, CooperatingText: p.CooperatingText,
		}
		for _, ind := range p.Indicators {
			project.Indicators = append(project.Indicators, nextIndicator(r, project, ind, year))
		}
		next.Projects = append(next.Projects, project)
	}
	return next, nil
}

func nextIndicator(r *landmark.Record, project *landmark.Project, ind *landmark.Indicator, year int) *landmark.Indicator {
	t := ind.TargetIn(r.Plan.LastMonth())
	out := &landmark.Indicator{
		Project: project, Code: ind.Code, Position: ind.Position, Printed: ind.Printed, Name: ind.Name, Key: ind.Key,
		Kind: ind.Kind, Direction: ind.Direction, Unit: ind.Unit, Decimals: ind.Decimals, Measured: ind.Measured, Steps: ind.Steps,
		BaselineText: "/", Targets: []landmark.Target{{From: landmark.MonthOf(year, 1), Amount: t.Amount, Text: t.Text}},
	}
	if v, ok := r.Value(ind.ID, r.Plan.LastMonth()); ok {
		switch {
		case v.Amount.Valid:
			out.Baseline, out.BaselineText = decimal.NewNullDecimal(v.Amount.Decimal), printed(ind, v.Amount.Decimal)
		case v.Step != "":
			out.BaselineText = v.Step
		}
	}
	return out
}

// printed writes a value as the table would: with the sign of a rate.
func printed(ind *landmark.Indicator, d decimal.Decimal) string {
	if ind.Unit == "‰" || ind.Unit == "%" && !strings.HasSuffix(ind.Printed, "(%)") {
		return fmt.Sprintf("%s%s", d, ind.Unit)
	}
	return d.String()
}

// AddDepartment adds a department.
func (s *Service) AddDepartment(ctx context.Context, by landmark.Actor, u landmark.User, d landmark.Department, now time.Time) error {
	if !u.CanEditPlan() {
		return errNotOffice
	}
	d.Name = line(d.Name)
	if d.Name == "" || utf8.RuneCountInString(d.Name) > 40 {
		return landmark.Errorf(landmark.Invalid, "name", "请填写部门名称,最多40个字")
	}
	if _, err := landmark.ParseSlug(d.Slug); err != nil {
		return landmark.Errorf(landmark.Invalid, "slug", "部门代码用小写字母、数字和横线,例如“minzheng”")
	}
	return s.store.Tx(ctx, func(st *store.Store) error {
		// A department is also found under its printed names, which must stay its own.
		for field, name := range map[string]string{"name": d.Name, "slug": d.Slug} {
			switch other, err := st.FindDepartment(ctx, name); {
			case err == nil:
				return landmark.Errorf(landmark.Invalid, field, "“%s”已经是%s的名称或代码,请换一个", name, other.Name)
			case landmark.KindOf(err) != landmark.NotFound:
				return err
			}
		}
		if err := st.InsertDepartment(ctx, &d); err != nil {
			return err
		}
		return st.AddHistory(ctx, landmark.HistoryEntry{At: now, Actor: by, Act: "department.add", DepartmentID: d.ID, Object: d.Name})
	})
}

// RequireSignOff sets whether a department's leader signs its reports before
// they reach the office.
func (s *Service) RequireSignOff(ctx context.Context, by landmark.Actor, u landmark.User, slug string, required bool, now time.Time) error {
	if !u.CanEditPlan() {
		return errNotOffice
	}
	return s.store.Tx(ctx, func(st *store.Store) error {
		d, err := st.FindDepartment(ctx, slug)
		if err != nil {
			return err
		}
		if d.SignOffRequired == required {
			return nil // a form sent twice has one effect
		}
		if err := st.RequireSignOff(ctx, d.ID, required); err != nil {
			return err
		}
		word := func(on bool) []byte {
			if on {
				return []byte(`"要签核"`)
			}
			return []byte(`"不要签核"`)
		}
		return st.AddHistory(ctx, landmark.HistoryEntry{At: now, Actor: by, Act: "department.sign_off", DepartmentID: d.ID, Object: d.Name,
			Before: word(d.SignOffRequired), After: word(required)})
	})
}

// AddAlias adds another name a department is printed under, by which a table to
// come finds it. The name must not be any department's already; the same again
// has no effect.
func (s *Service) AddAlias(ctx context.Context, by landmark.Actor, u landmark.User, slug, printed string, now time.Time) error {
	if !u.CanEditPlan() {
		return errNotOffice
	}
	printed = line(printed)
	if printed == "" || utf8.RuneCountInString(printed) > 40 {
		return landmark.Errorf(landmark.Invalid, "printed", "请填写另外印作的名称,最多40个字")
	}
	return s.store.Tx(ctx, func(st *store.Store) error {
		d, err := st.FindDepartment(ctx, slug)
		switch {
		case landmark.KindOf(err) == landmark.NotFound:
			return landmark.Errorf(landmark.Invalid, "department", "没有这个部门,请在列出的里选一个")
		case err != nil:
			return err
		}
		switch other, err := st.FindDepartment(ctx, printed); {
		case err == nil && other.ID == d.ID && printed != d.Name && printed != d.Slug:
			return nil
		case err == nil:
			return landmark.Errorf(landmark.Invalid, "printed", "“%s”已经是%s的名称或代码,请核对", printed, other.Name)
		case landmark.KindOf(err) != landmark.NotFound:
			return err
		}
		if err := st.InsertAlias(ctx, d.ID, printed); err != nil {
			return err
		}
		after, err := json.Marshal(printed)
		if err != nil {
			return fmt.Errorf("describe alias: %w", err)
		}
		return st.AddHistory(ctx, landmark.HistoryEntry{At: now, Actor: by, Act: "department.alias", DepartmentID: d.ID, Object: d.Name, After: after})
	})
}

// RemoveAlias takes back a name that AddAlias added by mistake. What a plan has
// printed stays as it is.
func (s *Service) RemoveAlias(ctx context.Context, by landmark.Actor, u landmark.User, printed string, now time.Time) error {
	if !u.CanEditPlan() {
		return errNotOffice
	}
	return s.store.Tx(ctx, func(st *store.Store) error {
		d, err := st.DeleteAlias(ctx, printed)
		switch {
		case landmark.KindOf(err) == landmark.NotFound:
			return landmark.Errorf(landmark.Invalid, "alias", "请选择要去掉的别名")
		case err != nil:
			return err
		}
		before, err := json.Marshal(printed)
		if err != nil {
			return fmt.Errorf("describe alias: %w", err)
		}
		return st.AddHistory(ctx, landmark.HistoryEntry{At: now, Actor: by, Act: "department.unalias", DepartmentID: d.ID, Object: d.Name, Before: before})
	})
}
