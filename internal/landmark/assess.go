package landmark

import "github.com/shopspring/decimal"

// Assessment is the judgement on one indicator for one month with all it rests
// on. Absent figures are absent, never zero.
type Assessment struct {
	Indicator *Indicator
	Month     Month
	Light     Light     // what pages show: Computed, or the office's override
	Computed  Light     // what the rule says
	Override  *Override // in force this month, or nil

	// Value is what was judged: the month's own value or, between quarter ends
	// and in months that owe nothing, an earlier one of this year. Nil if none.
	Value *Value
	// Last is the last known value of this year where the month's own is missing
	// though due. It is shown beside unreported, marked with its month.
	Last *Value

	Target     Target
	Rule       LightRule
	Curved     bool                // the plan curve was the yardstick
	Completion Ratio               // printed completion rate v/t; flow and cumulative only
	Progress   Ratio               // what the light goes by
	Schedule   Ratio               // the share of the year's work due by then
	Expected   decimal.NullDecimal // the value due by then
	Gap        Ratio               // progress − schedule, negative is behind; only where a value was due
	Distance   decimal.NullDecimal // level and hold: value − target, in the unit
	Met        bool                // the target is reached (for hold: not broken)

	plan        *Plan // for the explanation
	owed, begun bool
}

// Explanation says in one Chinese sentence how the light came about.
func (a Assessment) Explanation() string { return a.explain(a.plan, a.owed, a.begun) }

// ValueMonth is the month of the value judged or last known, zero if none.
func (a Assessment) ValueMonth() Month {
	switch {
	case a.Value != nil:
		return a.Value.Month
	case a.Last != nil:
		return a.Last.Month
	default:
		return 0
	}
}

// Shown is the value pages print: the one judged, else the last known.
func (a Assessment) Shown() *Value {
	if a.Value != nil {
		return a.Value
	}
	return a.Last
}

// Stale says whether the value shown is of an earlier month.
func (a Assessment) Stale() bool { return a.Shown() != nil && a.Shown().Month != a.Month }

// Owes says whether ind owes a value for month m: its frequency asks for one and
// the plan was published by then.
func (p *Plan) Owes(ind *Indicator, m Month) bool {
	return m >= p.FirstMonth() && m <= p.LastMonth() && ind.Measured.OwedIn(m)
}

// Assess judges an indicator for a month.
func (r *Record) Assess(ind *Indicator, m Month) Assessment {
	a := Assessment{Indicator: ind, Month: m, Target: ind.TargetIn(m), Rule: r.Plan.Rule(m), plan: r.Plan}
	own, reported := r.Value(ind.ID, m)
	last, known := r.LastValue(ind.ID, m)
	owed := r.Plan.Owes(ind, m)
	begun := r.Today().Compare(m.LastDay()) >= 0
	a.owed, a.begun = owed, begun

	switch {
	case reported:
		a.Value = &own
	case known && owed:
		a.Last = &last
	case known:
		a.Value = &last
	}
	a.measure(r.Plan, owed)
	a.Computed = a.judge(owed, begun, r.Plan.lastOwed(ind, m))
	a.Light = a.Computed
	for _, o := range r.Overrides[ind.ID] {
		if !o.Withdrawn && o.From <= m && m <= o.Until {
			a.Override, a.Light = &o, o.Light
		}
	}
	return a
}

// lastOwed is the newest month up to m that owes a value, zero if none does.
func (p *Plan) lastOwed(ind *Indicator, m Month) Month {
	for ; m >= p.FirstMonth(); m-- {
		if p.Owes(ind, m) {
			return m
		}
	}
	return 0
}

// nextOwed is the first month from m on that owes a value, zero if none does.
func (p *Plan) nextOwed(ind *Indicator, m Month) Month {
	for ; m <= p.LastMonth(); m++ {
		if p.Owes(ind, m) {
			return m
		}
	}
	return 0
}

// yearShare is the share of the plan's year that is over at the end of month m.
func (p *Plan) yearShare(m Month) Ratio {
	months := int64(m-MonthOf(p.Year, 1)) + 1
	return Fraction(min(max(months, 0), 12), 12)
}

// judge is the table of lights. A value from before the last month that owed one
// is out of date: it stands beside the light and makes nothing done.
func (a *Assessment) judge(owed, begun bool, lastOwed Month) Light {
	ind := a.Indicator
	switch {
	case ind.Kind == KindUnknown:
		return NoLight
	case !owed:
		// Nothing is owed, so nothing can be late; a target already reached is.
		if a.Value != nil && a.Value.Month >= lastOwed && a.reached() {
			return Done
		}
		return NotDue
	case a.Value == nil && !begun:
		return NotDue
	case a.Value == nil:
		return Unreported
	case ind.Kind == Qualitative:
		step, ok := ind.Step(a.Value.Step)
		if !ok {
			return NoLight
		}
		if a.reached() {
			return Done
		}
		if step.Meaning == Done { // only the last step is the aim
			return OnTrack
		}
		return step.Meaning
	case !a.Target.Amount.Valid || !a.Value.Amount.Valid:
		return NoLight
	case a.reached():
		return Done
	case ind.Kind == Hold && a.Met:
		return OnTrack
	case ind.Kind == Hold:
		return Critical
	case !a.Gap.Present(): // a yearly allowance of nothing, exceeded
		return Critical
	default:
		return a.Rule.Judge(a.Gap)
	}
}

// reached says whether the year's aim is attained for good: hold and a yearly
// allowance can be broken until the year ends.
func (a *Assessment) reached() bool {
	ind := a.Indicator
	if a.Value == nil {
		return false
	}
	if ind.Kind == Qualitative {
		return len(ind.Steps) > 0 && ind.Steps[len(ind.Steps)-1].Name == a.Value.Step
	}
	untilYearEnd := ind.Kind == Hold || ind.Kind == Flow && ind.Direction == Down
	return a.Met && (!untilYearEnd || a.Value.Month.Number() == 12)
}

// measure works out every figure the judgement rests on.
func (a *Assessment) measure(p *Plan, owed bool) {
	ind, m := a.Indicator, a.Month
	if !ind.Kind.Numeric() || ind.Kind == KindUnknown || !a.Target.Amount.Valid {
		return
	}
	target := a.Target.Amount.Decimal
	if a.Value != nil && a.Value.Amount.Valid {
		v := a.Value.Amount.Decimal
		a.Met = v.Cmp(target) >= 0
		if ind.Direction == Down {
			a.Met = v.Cmp(target) <= 0
		}
		switch ind.Kind {
		case Flow, Cumulative:
			a.Completion = RatioOf(v, target)
		case Level, Hold:
			a.Distance = decimal.NewNullDecimal(v.Sub(target))
		}
	}
	if ind.Kind == Hold {
		return
	}
	a.Schedule = p.yearShare(m)
	base := ind.base()
	a.Expected = decimal.NewNullDecimal(base.Add(a.Schedule.Of(target.Sub(base), expectedPlaces)))
	if curve := ind.CurveIn(m); len(curve.Points) > 0 {
		planned := curve.at(m, base)
		if share := ind.progress(planned, target); share.Present() {
			a.Curved, a.Schedule, a.Expected = true, share, decimal.NewNullDecimal(planned)
		}
	}
	if a.Value == nil || !a.Value.Amount.Valid {
		return
	}
	a.Progress = ind.progress(a.Value.Amount.Decimal, target)
	if !owed { // a value carried on from an earlier month has no gap to this one
		return
	}
	a.Gap = a.Progress.Sub(a.Schedule)
	if ind.Kind == Flow && ind.Direction == Down {
		a.Gap = a.Gap.Neg() // an allowance: using less than its share is ahead
	}
}

// expectedPlaces is how exactly an expected value is kept; pages round further.
const expectedPlaces = 6

// at is the value planned for the end of month m: that of the last point up to
// then, and before the first one where the year began.
func (c Curve) at(m Month, base decimal.Decimal) decimal.Decimal {
	planned := base
	for _, point := range c.Points {
		if point.Month <= m {
			planned = point.Amount
		}
	}
	return planned
}

// base is where a year's path begins: zero for a flow, which restarts, and where
// the baseline is absent.
func (ind *Indicator) base() decimal.Decimal {
	if ind.Kind == Flow || !ind.Baseline.Valid {
		return decimal.Zero
	}
	return ind.Baseline.Decimal
}

// progress is the share of the year's way that value v has come, by kind.
//
// Cumulative and level go from the baseline to the target. Where the baseline is
// absent, equals the target or already lies beyond it there is no way to share
// out, and v/t serves (t/v where less is better). Where even that divides by
// zero, an aim reached is all of the way and one not reached is none of it; a
// yearly allowance of zero that is exceeded has no share at all.
func (ind *Indicator) progress(v, target decimal.Decimal) Ratio {
	down := ind.Direction == Down
	if ind.fromBaseline(target) {
		return RatioOf(v.Sub(ind.base()), target.Sub(ind.base()))
	}
	met := !down && v.Cmp(target) >= 0 || down && v.Cmp(target) <= 0
	num, den := v, target
	if down && ind.Kind != Flow {
		num, den = target, v
	}
	switch {
	case den.IsPositive():
		return RatioOf(num, den)
	case ind.Kind == Flow && down && !met:
		return Ratio{}
	case ind.Kind == Flow && down:
		return Fraction(0, 1)
	case met:
		return Fraction(1, 1)
	default:
		return Fraction(0, 1)
	}
}

// fromBaseline says whether progress is counted on the way from the baseline to
// the target, which must lie on its better side.
func (ind *Indicator) fromBaseline(target decimal.Decimal) bool {
	if ind.Kind == Flow || !ind.Baseline.Valid {
		return false
	}
	way := target.Cmp(ind.Baseline.Decimal)
	return ind.Direction == Down && way < 0 || ind.Direction != Down && way > 0
}

// ShownProgress is the progress of the value pages show, judged or last known;
// absent where there is none, and for hold and qualitative. It places a bar, it
// judges nothing.
func (a Assessment) ShownProgress() Ratio {
	v := a.Shown()
	if v == nil || !v.Amount.Valid || !a.Target.Amount.Valid {
		return Ratio{}
	}
	switch a.Indicator.Kind {
	case Flow, Cumulative, Level:
		return a.Indicator.progress(v.Amount.Decimal, a.Target.Amount.Decimal)
	case Hold:
		return RatioOf(v.Amount.Decimal, a.Target.Amount.Decimal)
	default:
		return Ratio{}
	}
}

// BaselineProgress is where the baseline lies on the same scale: at the start
// for cumulative and level, at its own place for a flow.
func (a Assessment) BaselineProgress() Ratio {
	ind := a.Indicator
	if !ind.Baseline.Valid || !a.Target.Amount.Valid {
		return Ratio{}
	}
	switch ind.Kind {
	case Flow:
		return RatioOf(ind.Baseline.Decimal, a.Target.Amount.Decimal)
	case Cumulative, Level:
		return ind.progress(ind.Baseline.Decimal, a.Target.Amount.Decimal)
	default:
		return Ratio{}
	}
}
