package landmark

import (
	"cmp"
	"slices"
)

// LightChange is a light that a change of plan would turn.
type LightChange struct {
	Indicator *Indicator
	Month     Month
	From, To  Light
}

// PreviewRule says which computed lights of the plan's months so far would turn
// if rule were adopted, in order of month and code. Overridden lights count too:
// their computed light stands beside them.
func (r *Record) PreviewRule(rule LightRule) []LightChange {
	changed := *r.Plan
	changed.Rules = withRule(r.Plan.Rules, rule)
	return r.preview(&changed)
}

// withRule is rules with one more; of two from the same month the new one holds.
func withRule(rules []LightRule, rule LightRule) []LightRule {
	out := slices.DeleteFunc(slices.Clone(rules), func(r LightRule) bool { return r.From == rule.From })
	out = append(out, rule)
	slices.SortFunc(out, func(a, b LightRule) int { return cmp.Compare(a.From, b.From) })
	return out
}

// preview compares every light so far under the plan as it is and as changed,
// which has the same indicators.
func (r *Record) preview(changed *Plan) []LightChange {
	after := *r
	after.Plan = changed
	var out []LightChange
	for _, m := range r.Plan.Months() {
		if m.LastDay().Compare(r.Today()) > 0 {
			break
		}
		for _, ind := range r.Plan.Indicators() {
			from, to := r.Assess(ind, m).Computed, after.Assess(ind, m).Computed
			if from != to {
				out = append(out, LightChange{Indicator: ind, Month: m, From: from, To: to})
			}
		}
	}
	return out
}
