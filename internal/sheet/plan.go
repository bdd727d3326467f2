package sheet

import (
	"fmt"
	"regexp"
	"strings"

	"landmark/internal/landmark"
)

// Options are what [BuildPlan] needs besides the table. All may be left out.
type Options struct {
	Title       string        // by default from the table's year
	Slug        string        // by default from the table's year
	City        string        // by default what the title begins with: 桐乡市
	Published   landmark.Date // by default the first day of the table's year
	Departments Directory     // departments known already, with their other names
}

var cityForm = regexp.MustCompile(`^[^0-9\s]{1,10}?[市县区州盟旗]`)

// BuildPlan makes a plan of a table and what a person says of its indicators.
// The plan has no ids yet. Printed texts are kept as they are; numbers, names,
// tasks, scenarios and departments are read out of them. A detail for a code the
// table does not have is a fault ([Faults], with the details file's lines).
func BuildPlan(t *Table, details Details, opts Options) (*landmark.Plan, error) {
	plan := &landmark.Plan{
		Slug: opts.Slug, Title: opts.Title, City: opts.City,
		Year: t.Year, BaselineYear: t.BaselineYear, Published: opts.Published, Columns: t.Columns,
	}
	if plan.Title == "" {
		plan.Title = fmt.Sprintf("%d年标志性成果", t.Year)
	}
	if plan.Slug == "" {
		plan.Slug = fmt.Sprintf("plan-%d", t.Year)
	}
	if !slugForm.MatchString(plan.Slug) || len(plan.Slug) > maxSlug {
		return nil, landmark.Errorf(landmark.Invalid, "slug", "方案简称“%s”只能用小写字母、数字和“-”,最多%d个", plan.Slug, maxSlug)
	}
	if plan.City == "" {
		plan.City = cityForm.FindString(plan.Title)
	}
	if plan.Published.IsZero() {
		plan.Published = landmark.Date{Year: t.Year, Month: 1, Day: 1}
	}
	if plan.FirstMonth() > plan.LastMonth() {
		return nil, landmark.Errorf(landmark.Invalid, "published", "公布日期%s晚于方案年度%d年", plan.Published, t.Year)
	}
	plan.Rules = []landmark.LightRule{landmark.DefaultRule(plan.FirstMonth())}

	departments := newRegister(opts.Departments)
	var faults Faults
	for _, row := range t.Projects {
		p := buildProject(row, plan, departments)
		seen := map[string]string{}
		for _, c := range p.Cooperating {
			if other, twice := seen[c.Department.Name]; twice {
				faults.add(row.Line, colCooperating+1, "%s与%s是同一个单位,写了两次", quote(c.Printed), quote(other))
			}
			seen[c.Department.Name] = c.Printed
		}
		plan.Projects = append(plan.Projects, p)
	}
	if err := faults.orNil(); err != nil {
		return nil, err
	}
	if err := applyDetails(plan, details); err != nil {
		return nil, err
	}
	return plan, nil
}

func buildProject(row TableProject, plan *landmark.Plan, departments *register) *landmark.Project {
	p := &landmark.Project{
		Number: row.Number, Name: row.Name, Lead: departments.department(row.Lead), LeadPrinted: row.Lead,
		TasksText: row.Tasks, ScenariosText: row.Scenarios, CooperatingText: row.Cooperating,
	}
	for i, r := range row.Indicators {
		p.Indicators = append(p.Indicators, buildIndicator(r, p, i+1, plan))
	}
	position := 0
	for _, piece := range SplitTasks(row.Tasks) {
		if !piece.Lead {
			position++
		}
		p.Tasks = append(p.Tasks, landmark.Task{
			Number: piece.Number, Lead: piece.Lead, Text: piece.Text, Code: fmt.Sprintf("%d-%d", row.Number, position),
		})
	}
	for i, piece := range SplitScenarios(row.Scenarios) {
		p.Scenarios = append(p.Scenarios, landmark.Scenario{Code: fmt.Sprintf("%d-%d", row.Number, i+1), Name: piece.Text})
	}
	for _, piece := range SplitDepartments(row.Cooperating) {
		p.Cooperating = append(p.Cooperating, landmark.Cooperation{
			Department: departments.department(piece.Text), Printed: piece.Text,
		})
	}
	return p
}

func buildIndicator(row TableIndicator, p *landmark.Project, position int, plan *landmark.Plan) *landmark.Indicator {
	ind := &landmark.Indicator{
		Project: p, Code: fmt.Sprintf("%d.%d", p.Number, position), Position: position, Printed: row.Printed,
		Direction: landmark.Up, Measured: landmark.Monthly,
		BaselineText: row.Baseline, Baseline: landmark.PrintedNumber(row.Baseline),
	}
	ind.Name, ind.Unit, ind.Key = landmark.SplitName(row.Printed)
	target := landmark.Target{
		From: landmark.MonthOf(plan.Year, 1), Text: row.Target, Amount: landmark.PrintedNumber(row.Target),
	}
	ind.Targets = []landmark.Target{target}
	if ind.Unit == "" {
		ind.Unit = printedSign(row.Target + row.Baseline)
	}
	for _, n := range []struct {
		valid    bool
		exponent int32
	}{{ind.Baseline.Valid, ind.Baseline.Decimal.Exponent()}, {target.Amount.Valid, target.Amount.Decimal.Exponent()}} {
		if n.valid {
			ind.Decimals = min(max(ind.Decimals, int(-n.exponent)), maxDecimals)
		}
	}
	return ind
}

// printedSign is the sign a printed figure carries: % or ‰.
func printedSign(text string) string {
	for _, sign := range []string{"%", "‰"} {
		if strings.Contains(text, sign) {
			return sign
		}
	}
	return ""
}

// applyDetails adds what a person says of the indicators.
func applyDetails(plan *landmark.Plan, details Details) error {
	var faults Faults
	for _, code := range details.codes() {
		d := details[code]
		ind, err := plan.Indicator(code)
		if err != nil {
			faults.add(d.Line, 1, "%s", message(err))
			continue
		}
		ind.Kind, ind.Direction, ind.Measured = d.Kind, d.Direction, d.Measured
		ind.Steps, ind.Confirmed = d.Steps, d.Confirmed
		if d.Unit != "" {
			ind.Unit = d.Unit
		}
		if d.Decimals >= 0 {
			ind.Decimals = d.Decimals
		}
		for _, point := range d.Curve {
			if point.Month.Year() != plan.Year {
				faults.add(d.Line, 9, "计划曲线的%s不在方案年度%d年", point.Month.Chinese(), plan.Year)
			}
		}
		if len(d.Curve) > 0 {
			ind.Curves = []landmark.Curve{{From: landmark.MonthOf(plan.Year, 1), Points: d.Curve}}
		}
		if d.NotAbove == "" {
			continue
		}
		if _, err := plan.Indicator(d.NotAbove); err != nil {
			faults.add(d.Line, len(detailsCols), "%s", message(err))
			continue
		}
		plan.Relations = append(plan.Relations, landmark.Relation{Lower: code, Upper: d.NotAbove})
	}
	return faults.orNil()
}

// FromPlan is a plan's table as printed, with the targets that hold in month m:
// until the office revises one, the table is the one that was brought in.
func FromPlan(p *landmark.Plan, m landmark.Month) *Table {
	t := &Table{Columns: p.Columns, BaselineYear: p.BaselineYear, Year: p.Year}
	for _, project := range p.Projects {
		row := TableProject{
			Number: project.Number, Name: project.Name, Lead: project.LeadPrinted,
			Tasks: project.TasksText, Scenarios: project.ScenariosText, Cooperating: project.CooperatingText,
		}
		for _, ind := range project.Indicators {
			row.Indicators = append(row.Indicators, TableIndicator{
				Printed: ind.Printed, Baseline: ind.BaselineText, Target: ind.TargetIn(m).Text,
			})
		}
		t.Projects = append(t.Projects, row)
	}
	return t
}
