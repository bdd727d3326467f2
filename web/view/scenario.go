package view

import (
	"fmt"
	"slices"

	"landmark/internal/landmark"
)

// ScenarioItem is a showcase scenario as it stood at the end of a month.
type ScenarioItem struct {
	Scenario landmark.Scenario
	Project  *landmark.Project
	Steps    []MilestoneMark
	Stage    string // the furthest stage reached, empty if none
	Open     bool
	Changes  []string // what was reached in the month shown
}

// MilestoneMark is one of the four stages.
type MilestoneMark struct {
	Name    string
	Reached bool
	On      landmark.Date
	By      string
}

// NewScenarioItem gathers what a scenario had reached by the end of month m.
func NewScenarioItem(r *landmark.Record, p *landmark.Project, s landmark.Scenario, m landmark.Month) ScenarioItem {
	item := ScenarioItem{Scenario: s, Project: p, Open: r.Opened(s.ID, m)}
	reached := r.Reached(s.ID, m)
	for _, step := range landmark.MilestoneSteps {
		mark := MilestoneMark{Name: step}
		if i := slices.IndexFunc(reached, func(v landmark.Milestone) bool { return v.Step == step }); i >= 0 {
			mark.Reached, mark.On, mark.By = true, reached[i].ReachedOn, reached[i].RecordedBy
			item.Stage = step
			if mark.On.InMonth() == m {
				item.Changes = append(item.Changes, fmt.Sprintf("%s %s", mark.On.Short(), step))
			}
		}
		item.Steps = append(item.Steps, mark)
	}
	return item
}

// ScenariosPage is GET /scenarios.
type ScenariosPage struct {
	Page
	Groups  []ScenarioGroup
	Counts  []StateCount
	Summary string
	Filters Filters
}

// ScenarioGroup is a project's scenarios.
type ScenarioGroup struct {
	Project   *landmark.Project
	Scenarios []ScenarioItem
	Open, All int
}

// noStage is the filter for scenarios that have reached nothing.
const noStage = "未启动"

// NewScenariosPage lists the scenarios of the plan, narrowed by the address:
// project, department, and state (the furthest stage reached).
func NewScenariosPage(page Page, r *landmark.Record) ScenariosPage {
	page.Title, page.Body, page.Wide = "重点场景", "page-scenarios", true
	p := ScenariosPage{Page: page, Filters: newFilters(page, r.Plan)}
	stages := append([]string{noStage}, landmark.MilestoneSteps...)
	var states []Option
	for _, s := range stages {
		states = append(states, Option{Value: s, Text: s})
	}
	p.Filters.States = options(p.Filters.State, append(states, Option{Value: changedState, Text: page.Month.Short() + "有变化"}))
	counts := map[string]int{}
	for _, project := range r.Plan.Projects {
		if !p.Filters.takes(project) {
			continue
		}
		group := ScenarioGroup{Project: project}
		for _, s := range project.Scenarios {
			item := NewScenarioItem(r, project, s, page.Month)
			stage := item.Stage
			if stage == "" {
				stage = noStage
			}
			group.All++
			if item.Open {
				group.Open++
			}
			counts[""]++
			counts[stage]++
			if len(item.Changes) > 0 {
				counts[changedState]++
			}
			if f := p.Filters.State; f == "" || f == stage || f == changedState && len(item.Changes) > 0 {
				group.Scenarios = append(group.Scenarios, item)
			}
		}
		if len(group.Scenarios) > 0 {
			p.Groups = append(p.Groups, group)
		}
	}
	p.Counts = append(p.Counts, StateCount{Text: "全部", Count: counts[""], Href: page.With("state", ""), Current: p.Filters.State == ""})
	for _, s := range append(stages, changedState) {
		text := s
		if s == changedState {
			text = page.Month.Short() + "有变化"
		}
		p.Counts = append(p.Counts, StateCount{Text: text, Count: counts[s], Href: page.With("state", s), Current: p.Filters.State == s})
	}
	last := landmark.MilestoneSteps[len(landmark.MilestoneSteps)-1]
	p.Summary = fmt.Sprintf("共 %d 个,已开放 %d 个;%s有 %d 个更新。", counts[""], counts[last], page.Month.Short(), counts[changedState])
	return p
}
