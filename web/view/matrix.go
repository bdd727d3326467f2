package view

import (
	"fmt"
	"strings"

	"landmark/internal/landmark"
)

// MatrixPage is GET /matrix: the table as the city knows it, its wording
// untouched.
type MatrixPage struct {
	Page
	Columns  []string // nine, as printed
	Projects []MatrixProject
	Sub      string
	Files    []Link
}

// MatrixProject is a project's rows, which share seven of the nine cells.
type MatrixProject struct {
	Project *landmark.Project
	Rows    []MatrixRow
	Lead    string   // sentence before the tasks
	Tasks   []string // as printed, with number and closing mark
}

// MatrixRow is an indicator: name, baseline and target as printed, or the target
// that holds in the month shown since the office revised it.
type MatrixRow struct {
	Indicator      *landmark.Indicator
	Name           string // printed, without the ★ that is drawn
	Baseline, Goal string
	Revised        string // since when, and what was printed; empty: nothing was revised
}

// matrixColumns are the heads for a plan that was made without a printed table.
func matrixColumns(p *landmark.Plan) []string {
	if len(p.Columns) == 9 {
		return p.Columns
	}
	return []string{"序号", "标志性成果", "牵头单位", "指标名称", fmt.Sprintf("%d年实际值", p.BaselineYear), fmt.Sprintf("%d年目标值", p.Year), "重点任务", "拟打造的重点场景", "配合单位"}
}

// NewMatrixPage lays the plan's table out for the month shown.
func NewMatrixPage(page Page, plan *landmark.Plan) MatrixPage {
	page.Title, page.Body, page.Wide = "总表", "page-matrix", true
	p := MatrixPage{Page: page, Columns: matrixColumns(plan), Files: []Link{
		{"下载 Excel(A4)", page.To("/export/matrix.xlsx")}, {"下载 Excel(A3)", page.To("/export/matrix.xlsx", "paper", "A3")}, {"下载文本", page.To("/export/matrix.txt")}}}
	p.Sub = fmt.Sprintf("年度任务总表 · %d 个项目,%d 项指标", len(plan.Projects), len(plan.Indicators()))
	for _, project := range plan.Projects {
		mp := MatrixProject{Project: project}
		for _, ind := range project.Indicators {
			name := ind.Printed
			if ind.Key {
				name = trimStar(name)
			}
			row := MatrixRow{ind, name, ind.BaselineText, ind.TargetIn(page.Month).Text, ""}
			if printed := ind.Targets[0].Text; row.Goal != printed {
				row.Revised = fmt.Sprintf("%s起,原%s", ind.TargetIn(page.Month).From.Short(), printed)
			}
			mp.Rows = append(mp.Rows, row)
		}
		for _, t := range project.Tasks {
			if t.Lead {
				mp.Lead = t.Text
			} else {
				mp.Tasks = append(mp.Tasks, t.Text)
			}
		}
		p.Projects = append(p.Projects, mp)
	}
	return p
}

// trimStar takes the ★ off a printed name; the page draws it.
func trimStar(printed string) string { return strings.TrimPrefix(printed, "★") }
