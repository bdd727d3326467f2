package landmark

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/shopspring/decimal"
)

// CheckInput is what a department filled in for one indicator and month, and
// what it is held against. Whether the month is open and the indicator is the
// department's own is for others to see ([Record.Window], [User.CanReport]).
type CheckInput struct {
	Record    *Record
	Indicator *Indicator
	Month     Month

	Text     string // the amount as typed
	Step     string // qualitative: the step chosen
	Note     string
	Reason   string // why a figure that looks odd is right
	NoChange bool   // 无变化: the last value of this year stands

	// Others are the amounts typed for other indicators of the same form, by code.
	Others map[string]string
}

// The rules a finding can name.
const (
	RuleMissing     = "missing"      // nothing filled in though owed
	RuleNumber      = "number"       // not a number, or too many decimals
	RuleNegative    = "negative"     // below zero where that cannot be
	RuleRange       = "range"        // a share outside 0–100 %
	RuleBaseline    = "baseline"     // a cumulative total below its baseline
	RuleStep        = "step"         // no step of the list
	RuleNoChange    = "no_change"    // no earlier value to keep, or another one typed
	RuleFall        = "fall"         // a total that falls
	RuleJump        = "jump"         // more than ten times the value before
	RuleFarBeyond   = "far_beyond"   // more than twice the target
	RuleTurnsBehind = "turns_behind" // the light turns to behind or critical
	RuleHoldBroken  = "hold_broken"  // below what was to be held
	RuleRelation    = "relation"     // more than the indicator it is part of
)

// Finding is one thing a check found.
type Finding struct {
	Code    string // the indicator's
	Field   string // value, step or reason: where the sentence belongs
	Rule    string
	Soft    bool   // accepted with a reason in words
	Excused bool   // soft, and the reason is there
	Message string // Chinese, one sentence that names the indicator
}

// Blocks says whether the report cannot be submitted like this.
func (f Finding) Blocks() bool { return !f.Soft || !f.Excused }

// Blocking are the findings that stand in the way of submitting.
func Blocking(fs []Finding) []Finding {
	var out []Finding
	for _, f := range fs {
		if f.Blocks() {
			out = append(out, f)
		}
	}
	return out
}

// CheckReport holds what was filled in against the rules: first the hard ones,
// and if all of them are kept the soft ones. An empty form for a month that owes
// nothing has no findings.
func CheckReport(in CheckInput) []Finding {
	c := &checker{CheckInput: in}
	v, ok := c.value()
	if !ok {
		return c.findings
	}
	if in.Indicator.Kind != Qualitative {
		c.hard(v.Amount.Decimal)
	}
	if len(c.findings) == 0 {
		c.soft(v)
	}
	return c.findings
}

// FilledIn is the value that a report would stand for: what was typed or chosen,
// or with 无变化 the last value of this year. False if there is none or it cannot
// be read.
func (in CheckInput) FilledIn() (Value, bool) {
	return (&checker{CheckInput: in}).value()
}

type checker struct {
	CheckInput
	findings []Finding
}

func (c *checker) add(rule, field, format string, args ...any) {
	c.findings = append(c.findings, Finding{
		Code: c.Indicator.Code, Field: field, Rule: rule, Message: fmt.Sprintf(format, args...),
	})
}

func (c *checker) soften(rule, format string, args ...any) {
	f := Finding{Code: c.Indicator.Code, Field: "reason", Rule: rule, Soft: true, Excused: InWords(c.Reason)}
	f.Message = c.name() + fmt.Sprintf(format, args...)
	if !f.Excused {
		f.Message += ";数值属实请写明原因"
	}
	c.findings = append(c.findings, f)
}

func (c *checker) name() string { return Quoted(c.Indicator.Name) }

// value reads what was filled in. Where nothing usable was, it says so in a
// finding, unless nothing was owed either.
func (c *checker) value() (Value, bool) {
	ind := c.Indicator
	step, typed := strings.TrimSpace(c.Step), foldAmount(c.Text) != ""
	earlier, known := c.Record.Earlier(ind, c.Month)
	if c.NoChange {
		return c.unchanged(earlier, known)
	}
	if ind.Kind == Qualitative {
		switch _, ok := ind.Step(step); {
		case typed:
			c.add(RuleStep, "value", "%s是定性指标,请选择所处步骤,数字写在情况说明里", c.name())
		case step == "" && c.Record.Plan.Owes(ind, c.Month):
			c.add(RuleMissing, "step", "请选择%s%s所处步骤", c.name(), c.Month.Short())
		case step == "":
		case !ok:
			c.add(RuleStep, "step", "%s没有“%s”这一步,请从列出的步骤中选择", c.name(), clip(oneLine(step)))
		default:
			return Value{Month: c.Month, Step: step, Note: c.Note, Reason: c.Reason}, true
		}
		return Value{}, false
	}
	switch {
	case step != "":
		c.add(RuleStep, "step", "%s不是定性指标,请填数值", c.name())
		return Value{}, false
	case !typed && c.Record.Plan.Owes(ind, c.Month):
		c.add(RuleMissing, "value", "请填写%s%s", c.name(), c.asked())
		return Value{}, false
	case !typed:
		return Value{}, false
	}
	amount, err := ParseAmount(c.Text, ind)
	if err != nil {
		c.add(RuleNumber, "value", "%s", MessageOf(err))
		return Value{}, false
	}
	return Value{Month: c.Month, Amount: decimal.NewNullDecimal(amount), Note: c.Note, Reason: c.Reason}, true
}

// unchanged is the earlier value brought forward.
func (c *checker) unchanged(earlier Value, known bool) (Value, bool) {
	ind := c.Indicator
	switch amount, err := ParseAmount(c.Text, ind); {
	case !known:
		c.add(RuleNoChange, "value", "%s今年还没有报过数,不能选“无变化”,请填写%s", c.name(), c.asked())
		return Value{}, false
	case foldAmount(c.Text) != "" && (err != nil || !earlier.Amount.Valid || !amount.Equal(earlier.Amount.Decimal)),
		strings.TrimSpace(c.Step) != "" && strings.TrimSpace(c.Step) != earlier.Step:
		c.add(RuleNoChange, "value", "%s选了“无变化”,又填了与%s不同的内容,请只留一样", c.name(), earlier.Month.Short())
		return Value{}, false
	}
	return Value{Month: c.Month, Amount: earlier.Amount, Step: earlier.Step, Note: c.Note, Reason: c.Reason}, true
}

// asked is what the form asks for: 9月累计值.
func (c *checker) asked() string {
	switch c.Indicator.Kind {
	case Flow, Cumulative:
		return c.Month.Short() + "累计值"
	case Qualitative:
		return c.Month.Short() + "所处步骤"
	default:
		return c.Month.Short() + "值"
	}
}

// Earlier is the newest value of this year before month m that a department
// knows of: approved, or on its way to approval where none is approved yet.
func (r *Record) Earlier(ind *Indicator, m Month) (Value, bool) {
	last, known := r.LastValue(ind.ID, m-1)
	for _, rep := range r.Reports[ind.ID] {
		onTheWay := rep.State == StateSubmitted || rep.State == StateSigned
		if onTheWay && rep.Month < m && rep.Month > last.Month && rep.Month >= MonthOf(r.Plan.Year, 1) {
			last, known = Value{
				Month: rep.Month, Amount: rep.Amount, Step: rep.Step, Note: rep.Note, Reason: rep.Reason,
				Revision: rep.Revision, ReportedBy: rep.SubmittedBy, ReportedAt: rep.SubmittedAt,
			}, true
		}
	}
	return last, known
}

// hard adds what cannot be right whatever the reason.
func (c *checker) hard(v decimal.Decimal) {
	ind := c.Indicator
	switch {
	case v.IsNegative() && !ind.canBeNegative():
		c.add(RuleNegative, "value", "%s不能是负数", c.name())
	case ind.isShare() && (v.IsNegative() || v.GreaterThan(hundred)):
		c.add(RuleRange, "value", "%s是百分比,应在0到100之间", c.name())
	case ind.Kind == Cumulative && ind.Baseline.Valid && v.LessThan(ind.Baseline.Decimal):
		c.add(RuleBaseline, "value", "%s是历年累计数,不能少于%d年的 %s;只填当年新增请改填总数",
			c.name(), c.Record.Plan.BaselineYear, ind.Amount(ind.Baseline.Decimal))
	}
}

var (
	two     = decimal.New(2, 0)
	ten     = decimal.New(10, 0)
	hundred = decimal.New(100, 0)
)

// canBeNegative says whether a value below zero makes sense: never for a count,
// for a state only if it is a rate of growth in ‰ or was or shall be negative.
func (ind *Indicator) canBeNegative() bool {
	if ind.Kind == Flow || ind.Kind == Cumulative {
		return false
	}
	return ind.Unit == "‰" || ind.anyFigure(decimal.Decimal.IsNegative)
}

// isShare says whether a value is a share of a whole: in %, no yearly total
// (which may pass 100), and not aimed outside 0–100 by the plan itself.
func (ind *Indicator) isShare() bool {
	return ind.Unit == "%" && (ind.Kind == Level || ind.Kind == Hold || ind.Kind == Cumulative) &&
		!ind.anyFigure(func(d decimal.Decimal) bool { return d.IsNegative() || d.GreaterThan(hundred) })
}

// anyFigure says whether the baseline or any target is like that.
func (ind *Indicator) anyFigure(like func(decimal.Decimal) bool) bool {
	if ind.Baseline.Valid && like(ind.Baseline.Decimal) {
		return true
	}
	for _, t := range ind.Targets {
		if t.Amount.Valid && like(t.Amount.Decimal) {
			return true
		}
	}
	return false
}

// soft adds what is odd but may be right.
func (c *checker) soft(v Value) {
	if v.Amount.Valid {
		c.softAmount(v.Amount.Decimal)
	}
	c.softLight(v)
}

func (c *checker) softAmount(v decimal.Decimal) {
	ind := c.Indicator
	earlier, known := c.Record.Earlier(ind, c.Month)
	total := ind.Kind == Flow || ind.Kind == Cumulative
	if known && earlier.Amount.Valid {
		before := earlier.Amount.Decimal
		change := fmt.Sprintf("(%s → %s)", Grouped(Entered(before)), Grouped(Entered(v)))
		switch {
		case total && v.LessThan(before):
			c.soften(RuleFall, "%s累计比%s少 %s%s,累计数一般不会减少", c.Month.Short(), earlier.Month.Short(), ind.Difference(before.Sub(v)), change)
		case tenfold(v, before):
			c.soften(RuleJump, "%s值是%s的十倍以上%s,请核对单位和小数点", c.Month.Short(), earlier.Month.Short(), change)
		case !total && shrunk(v, before):
			c.soften(RuleJump, "%s值只有%s的十分之一或更少%s,请核对单位和小数点", c.Month.Short(), earlier.Month.Short(), change)
		}
	} else if b := ind.Baseline; b.Valid && (ind.Kind == Cumulative || ind.Kind == Level || ind.Kind == Hold) {
		change := fmt.Sprintf("(%s → %s)", Grouped(Entered(b.Decimal)), Grouped(Entered(v)))
		switch {
		case tenfold(v, b.Decimal):
			c.soften(RuleJump, "%s值是%d年的十倍以上%s,请核对单位和小数点", c.Month.Short(), c.Record.Plan.BaselineYear, change)
		case ind.Kind != Cumulative && shrunk(v, b.Decimal):
			c.soften(RuleJump, "%s值只有%d年的十分之一或更少%s,请核对单位和小数点", c.Month.Short(), c.Record.Plan.BaselineYear, change)
		}
	}
	if limit, ok := ind.farBeyond(c.Month); ok && v.GreaterThan(limit) {
		c.soften(RuleFarBeyond, "%s值 %s超过目标 %s的两倍,请核对单位和小数点",
			c.Month.Short(), ind.Amount(v), ind.Amount(ind.TargetIn(c.Month).Amount.Decimal))
	}
	for _, rel := range c.Record.Plan.Relations {
		c.relation(rel, v)
	}
}

// tenfold says whether v is more than ten times before; nothing is so of zero.
func tenfold(v, before decimal.Decimal) bool {
	return before.IsPositive() && v.GreaterThan(before.Mul(ten))
}

// shrunk says whether v is a tenth of before or less, as a point set one place
// too far makes it.
func shrunk(v, before decimal.Decimal) bool {
	return before.IsPositive() && v.Mul(ten).Cmp(before) <= 0
}

// farBeyond is twice the target. A level that shall fall may begin higher.
func (ind *Indicator) farBeyond(m Month) (decimal.Decimal, bool) {
	target := ind.TargetIn(m).Amount
	if !target.Valid || !target.Decimal.IsPositive() {
		return decimal.Decimal{}, false
	}
	limit := target.Decimal.Mul(two)
	if ind.Direction == Down && ind.Kind != Flow && ind.Baseline.Valid {
		limit = decimal.Max(limit, ind.Baseline.Decimal.Mul(two))
	}
	return limit, true
}

// relation holds the value against the indicator it must not exceed. Typed
// together the finding stands at the lower one, else at the one that was typed.
func (c *checker) relation(rel Relation, v decimal.Decimal) {
	lower := rel.Lower == c.Indicator.Code
	if !lower && rel.Upper != c.Indicator.Code {
		return
	}
	code := rel.Lower
	if lower {
		code = rel.Upper
	}
	other, err := c.Record.Plan.Indicator(code)
	if err != nil {
		return // a relation to an indicator the plan no longer has
	}
	typed := foldAmount(c.Others[code]) != ""
	if typed && !lower {
		return
	}
	amount, ok := c.otherAmount(other, typed)
	if !ok {
		return
	}
	switch {
	case lower && v.GreaterThan(amount):
		c.soften(RuleRelation, "的 %s大于%s的 %s,前者应包含在后者之内", c.Indicator.Amount(v), Quoted(other.Name), other.Amount(amount))
	case !lower && amount.GreaterThan(v):
		c.soften(RuleRelation, "的 %s小于%s的 %s,后者应包含在前者之内", c.Indicator.Amount(v), Quoted(other.Name), other.Amount(amount))
	}
}

// otherAmount is what another indicator stands at this month: as typed in the
// same form, else as last reported.
func (c *checker) otherAmount(other *Indicator, typed bool) (decimal.Decimal, bool) {
	if typed {
		amount, err := ParseAmount(c.Others[other.Code], other)
		return amount, err == nil
	}
	last, ok := c.Record.Earlier(other, c.Month+1)
	return last.Amount.Decimal, ok && last.Amount.Valid
}

// softLight asks for a reason where the value turns the light to trouble.
func (c *checker) softLight(v Value) {
	ind := c.Indicator
	now := c.Record.with(ind, v).Assess(ind, c.Month)
	if now.Computed != Behind && now.Computed != Critical {
		return
	}
	if ind.Kind == Hold {
		if now.Distance.Valid {
			bound := "低于"
			if ind.Direction == Down {
				bound = "高于"
			}
			c.soften(RuleHoldBroken, "%s值 %s,%s应保持的 %s", c.Month.Short(), ind.Amount(v.Amount.Decimal), bound, ind.Amount(now.Target.Amount.Decimal))
		}
		return
	}
	if earlier, known := c.Record.Earlier(ind, c.Month); known {
		before := c.Record.with(ind, earlier).Assess(ind, earlier.Month).Computed
		if (before == Behind || before == Critical) && now.Computed.Severity() <= before.Severity() {
			return
		}
	}
	switch {
	case ind.Kind == Qualitative:
		c.soften(RuleTurnsBehind, "处在“%s”,将判为%s", v.Step, now.Computed.Chinese())
	case !now.Gap.Present():
		c.soften(RuleTurnsBehind, "按此数将判为%s,已超出全年限额", now.Computed.Chinese())
	default:
		c.soften(RuleTurnsBehind, "按此数将判为%s,比应达进度慢 %s 个百分点",
			now.Computed.Chinese(), percent(now.Gap.Neg(), int64(now.Rule.Tolerance), int64(now.Rule.RedLine)))
	}
}

// with is the record as if v were approved.
func (r *Record) with(ind *Indicator, v Value) *Record {
	after := *r
	after.Values = map[int64][]Value{ind.ID: {v}}
	for _, known := range r.Values[ind.ID] {
		if known.Month != v.Month {
			after.Values[ind.ID] = append(after.Values[ind.ID], known)
		}
	}
	return &after
}

// With is the assessment of an indicator as if v were approved for its month: the
// light a draft would get.
func (r *Record) With(ind *Indicator, v Value) Assessment { return r.with(ind, v).Assess(ind, v.Month) }

// InWords says whether a reason says something: at least two letters (a Chinese
// character is one) or figures, not figures alone.
func InWords(reason string) bool {
	letters, figures := 0, 0
	for _, r := range reason {
		switch {
		case unicode.IsLetter(r):
			letters++
		case unicode.IsNumber(r):
			figures++
		}
	}
	return letters > 0 && letters+figures >= 2
}

// Window is whether a month's reports are taken.
type Window string

// The windows of a month.
const (
	NotOpen Window = "not_open" // before the cut-off, or no month of the plan
	Open    Window = "open"     // in time
	Late    Window = "late"     // after the due date: still accepted, counted late
	Locked  Window = "locked"   // corrections only, by request
)

// Chinese is the window on pages.
func (w Window) Chinese() string {
	switch w {
	case Open:
		return "填报中"
	case Late:
		return "已逾期,仍可补报"
	case Locked:
		return "已锁定"
	default:
		return "未开放"
	}
}

// Accepts says whether a first report is still taken.
func (w Window) Accepts() bool { return w == Open || w == Late }

// Window is where a month stands for a department on the day the record shows. An
// extension keeps it open past the lock. Between the end of grace and the lock a
// report is taken all the same; [Record.InGrace] tells the two apart.
func (r *Record) Window(departmentID int64, m Month) Window {
	period, today := r.Period(m), r.Today()
	switch {
	case m < r.Plan.FirstMonth() || m > r.Plan.LastMonth() || today.Compare(period.Opens) < 0:
		return NotOpen
	case today.Compare(r.DueFor(departmentID, m)) <= 0:
		return Open
	case today.Compare(period.Lock) <= 0:
		return Late
	default:
		return Locked
	}
}

// InGrace says whether a month is past due for a department but within the days
// of grace.
func (r *Record) InGrace(departmentID int64, m Month) bool {
	return r.Window(departmentID, m) == Late && r.Today().Compare(r.Period(m).Grace) <= 0
}
