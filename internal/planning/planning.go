// Package planning is the office's upkeep of a plan: targets revised, kinds
// confirmed, plan curves, definitions and light rules, each dated, each with its
// history line, old months keeping what held for them.
package planning

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"landmark/internal/landmark"
	"landmark/internal/store"
)

// Service changes plans. Its methods ask whether the user may.
type Service struct {
	store *store.Store
	zone  *time.Location
}

// New makes a service.
func New(st *store.Store, zone *time.Location) *Service { return &Service{store: st, zone: zone} }

// limits of what people type, in characters.
const (
	maxBasis      = 200
	maxReason     = 500
	maxDefinition = 4000
)

var errNotOffice = landmark.Errorf(landmark.Forbidden, "", "只有市府办可以改动方案")

// change is one act of upkeep, run with the plan locked and its record read in
// the same transaction. Where before and after say the same nothing is written:
// a form sent twice has one effect.
type change struct {
	act       string
	seen      string // mark of the indicator the person looked at, empty: not asked
	indicator *landmark.Indicator
	month     landmark.Month
	object    string
	before    any
	after     any
	reason    string
	write     func(*store.Store) error
}

// do checks the user, reads the plan, lets prepare decide, and writes what it
// decided together with its history line.
func (s *Service) do(ctx context.Context, by landmark.Actor, u landmark.User, slug string, now time.Time, prepare func(*landmark.Record) (change, error)) error {
	if !u.CanEditPlan() {
		return errNotOffice
	}
	return s.store.Tx(ctx, func(st *store.Store) error {
		r, err := st.Record(ctx, slug, time.Time{}, now, s.zone)
		if err != nil {
			return err
		}
		if err := st.LockPlan(ctx, r.Plan.ID); err != nil {
			return err
		}
		if r, err = st.Record(ctx, slug, time.Time{}, now, s.zone); err != nil { // as it is under the lock
			return err
		}
		c, err := prepare(r)
		if err != nil {
			return err
		}
		before, err := json.Marshal(c.before)
		if err != nil {
			return fmt.Errorf("describe %s: %w", c.act, err)
		}
		after, err := json.Marshal(c.after)
		if err != nil {
			return fmt.Errorf("describe %s: %w", c.act, err)
		}
		switch {
		case bytes.Equal(before, after):
			return nil
		case c.seen != "" && c.seen != Mark(c.indicator):
			return landmark.Errorf(landmark.Conflict, "", "这项指标刚被别人改动过,请对照现在的内容,核对后再提交")
		}
		if err := c.write(st); err != nil {
			return err
		}
		e := landmark.HistoryEntry{At: now, Actor: by, Act: c.act, PlanID: r.Plan.ID, Month: c.month, Object: c.object, Before: before, After: after, Reason: c.reason}
		if c.indicator != nil {
			e.IndicatorID, e.ProjectID, e.DepartmentID = c.indicator.ID, c.indicator.Project.ID, c.indicator.Project.Lead.ID
			e.Object = c.indicator.Code + " " + c.indicator.Name
		}
		return st.AddHistory(ctx, e)
	})
}

// Mark tells whether what the office says of an indicator has changed: a form
// brings back the mark of what it was filled from.
func Mark(ind *landmark.Indicator) string {
	h := sha256.New()
	fmt.Fprintln(h, ind.Kind, ind.Direction, ind.Unit, ind.Decimals, ind.Measured, landmark.FormatSteps(ind.Steps), ind.Confirmed)
	for _, t := range ind.Targets {
		fmt.Fprintln(h, t.From, t.Text, t.Basis, t.RecordedAt.UnixMicro())
	}
	for _, c := range ind.Curves {
		fmt.Fprintln(h, c.From, landmark.FormatCurve(c.Points), c.Basis, c.RecordedAt.UnixMicro())
	}
	for _, d := range ind.Definitions {
		fmt.Fprintln(h, d.From, d.Text, d.RecordedAt.UnixMicro())
	}
	return hex.EncodeToString(h.Sum(nil)[:12])
}

// clean is what people typed without the characters nobody types, and with
// plain line ends.
func clean(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\r\n", "\n")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, s))
}

// line is clean for what stands on one line.
func line(s string) string { return strings.Join(strings.Fields(clean(s)), " ") }

// TargetRevision is a new aim for the year by a document (目标调整).
type TargetRevision struct {
	Code    string
	Text    string // as the document prints it: a number, or words for a qualitative indicator
	From    landmark.Month
	Basis   string // document number
	BasisOn landmark.Date
	Seen    string // mark of the indicator the revision was made from, see [Mark]
}

// targetHistory is a target as the history tells of it.
type targetHistory struct {
	Text  string `json:"target"`
	From  string `json:"from"`
	Basis string `json:"basis,omitempty"`
	On    string `json:"on,omitempty"` // date of the document
}

func toldTarget(t landmark.Target) targetHistory {
	told := targetHistory{Text: t.Text, From: t.From.String(), Basis: t.Basis}
	if !t.BasisOn.IsZero() {
		told.On = t.BasisOn.String()
	}
	return told
}

// ReviseTarget sets a new target from a month on. Months before keep theirs.
func (s *Service) ReviseTarget(ctx context.Context, by landmark.Actor, u landmark.User, slug string, in TargetRevision, now time.Time) error {
	return s.do(ctx, by, u, slug, now, func(r *landmark.Record) (change, error) {
		ind, err := r.Plan.Indicator(in.Code)
		if err != nil {
			return change{}, err
		}
		t := landmark.Target{From: in.From, Text: line(in.Text), Basis: line(in.Basis), BasisOn: in.BasisOn}
		switch {
		case t.Text == "":
			return change{}, landmark.Errorf(landmark.Invalid, "target", "请填写新的目标值")
		case utf8.RuneCountInString(t.Text) > 100:
			return change{}, landmark.Errorf(landmark.Invalid, "target", "目标值最多100个字")
		case t.Basis == "":
			return change{}, landmark.Errorf(landmark.Invalid, "basis", "请填写调整依据的文号,例如“桐政办发〔2023〕12号”")
		case utf8.RuneCountInString(t.Basis) > maxBasis:
			return change{}, landmark.Errorf(landmark.Invalid, "basis", "依据最多%d个字", maxBasis)
		case t.BasisOn.IsZero():
			return change{}, landmark.Errorf(landmark.Invalid, "basis_on", "请填写文件日期")
		case t.BasisOn.Compare(landmark.DateOf(now.In(s.zone))) > 0:
			return change{}, landmark.Errorf(landmark.Invalid, "basis_on", "文件日期不能晚于今天")
		case t.BasisOn.Year < r.Plan.Year-1:
			return change{}, landmark.Errorf(landmark.Invalid, "basis_on", "文件日期早于%d年,请核对", r.Plan.Year-1)
		}
		if err := withinPlan(r.Plan, in.From); err != nil {
			return change{}, err
		}
		t.Amount = landmark.PrintedNumber(t.Text)
		if ind.Kind.Numeric() {
			if err := checkAmount(ind, "target", landmark.Quoted(ind.Name)+"的目标", t.Text, t.Amount); err != nil {
				return change{}, err
			}
		}
		if ind.Kind == landmark.Qualitative {
			if _, ok := ind.Step(t.Text); !ok {
				return change{}, landmark.Errorf(landmark.Invalid, "target", "定性指标的目标要是它的一个步骤")
			}
		}
		old := ind.TargetIn(in.From)
		return change{
			act: "target.revise", indicator: ind, seen: in.Seen, month: in.From, reason: t.Basis,
			before: toldTarget(old), after: toldTarget(t),
			write: func(st *store.Store) error { return st.AddTarget(ctx, ind.ID, t, by, now) },
		}, nil
	})
}

// checkAmount says what is wrong with a number the office plans with.
func checkAmount(ind *landmark.Indicator, field, what, text string, n decimal.NullDecimal) error {
	refuse := func(format string, args ...any) error {
		return landmark.Errorf(landmark.Invalid, field, "%s", what+fmt.Sprintf(format, args...))
	}
	if !n.Valid {
		return refuse("要填数字,例如 25.5")
	}
	sign := text[len(strings.TrimRight(text, "%％‰")):]
	switch d := n.Decimal; {
	case sign != "" && strings.ReplaceAll(sign, "％", "%") != ind.Unit:
		return refuse("的单位是%s,不要填成%s", unitOf(ind), sign)
	case d.IsNegative() && ind.Kind != landmark.Level:
		return refuse("不能是负数")
	case ind.Unit == "%" && ind.Kind != landmark.Flow && (d.IsNegative() || d.GreaterThan(decimal.NewFromInt(100))):
		return refuse("是百分比,要在0到100之间")
	case d.Abs().GreaterThanOrEqual(decimal.New(1, 15)):
		return refuse("数字太大,小数点前最多15位")
	case -d.Exponent() > 6:
		return refuse("最多6位小数")
	}
	return nil
}

func unitOf(ind *landmark.Indicator) string {
	if ind.Unit == "" {
		return "空的"
	}
	return ind.Unit
}

// withinPlan refuses a month of effect outside the plan's year.
func withinPlan(p *landmark.Plan, m landmark.Month) error {
	if m < landmark.MonthOf(p.Year, 1) || m > p.LastMonth() {
		return landmark.Errorf(landmark.Invalid, "from", "生效月份要在%d年1月到12月之间", p.Year)
	}
	return nil
}

// Nature is what kind of figure an indicator is.
type Nature struct {
	Code      string
	Kind      landmark.Kind
	Direction landmark.Direction
	Unit      string
	Decimals  int
	Measured  landmark.Frequency
	Steps     []landmark.Step
	Confirmed bool
	Reason    string
	Seen      string // mark of the indicator it was said of, see [Mark]
}

// natureHistory is a nature as the history tells of it.
type natureHistory struct {
	Kind      string   `json:"kind"`
	Direction string   `json:"direction"`
	Unit      string   `json:"unit"`
	Decimals  int      `json:"decimals"`
	Measured  string   `json:"measured"`
	Steps     []string `json:"steps,omitempty"`
	Confirmed bool     `json:"confirmed"`
}

func toldNature(ind *landmark.Indicator) natureHistory {
	told := natureHistory{Kind: ind.Kind.Chinese(), Direction: ind.Direction.Chinese(), Unit: ind.Unit, Decimals: ind.Decimals,
		Measured: ind.Measured.Chinese(), Confirmed: ind.Confirmed}
	for _, s := range ind.Steps {
		told.Steps = append(told.Steps, s.Name+"("+s.Meaning.Chinese()+")")
	}
	return told
}

// SetNature says what kind of figure an indicator is, for all its months, and
// whether its department confirmed that.
func (s *Service) SetNature(ctx context.Context, by landmark.Actor, u landmark.User, slug string, in Nature, now time.Time) error {
	return s.do(ctx, by, u, slug, now, func(r *landmark.Record) (change, error) {
		ind, err := r.Plan.Indicator(in.Code)
		if err != nil {
			return change{}, err
		}
		in.Unit, in.Reason = line(in.Unit), clean(in.Reason)
		if err := in.check(r, ind); err != nil {
			return change{}, err
		}
		next := *ind
		next.Kind, next.Direction, next.Unit, next.Decimals = in.Kind, in.Direction, in.Unit, in.Decimals
		next.Measured, next.Steps, next.Confirmed = in.Measured, in.Steps, in.Confirmed
		return change{
			act: "indicator.nature", indicator: ind, seen: in.Seen, reason: in.Reason,
			before: toldNature(ind), after: toldNature(&next),
			write: func(st *store.Store) error { return st.AddNature(ctx, &next, in.Reason, by, now) },
		}, nil
	})
}

func (in Nature) check(r *landmark.Record, ind *landmark.Indicator) error {
	known := func(field, what string, ok bool) error {
		if !ok {
			return landmark.Errorf(landmark.Invalid, field, "请在列出的%s里选一项", what)
		}
		return nil
	}
	kind, measured := false, false
	for _, k := range landmark.Kinds {
		kind = kind || k == in.Kind
	}
	for _, f := range landmark.Frequencies {
		measured = measured || f == in.Measured
	}
	for _, err := range []error{
		known("kind", "指标性质", kind), known("measured", "报送频次", measured), known("direction", "方向", in.Direction == landmark.Up || in.Direction == landmark.Down),
	} {
		if err != nil {
			return err
		}
	}
	switch {
	case in.Decimals < 0 || in.Decimals > 6:
		return landmark.Errorf(landmark.Invalid, "decimals", "小数位数在0到6之间")
	case utf8.RuneCountInString(in.Unit) > 20:
		return landmark.Errorf(landmark.Invalid, "unit", "计量单位最多20个字")
	case utf8.RuneCountInString(in.Reason) > maxReason:
		return landmark.Errorf(landmark.Invalid, "reason", "理由最多%d个字", maxReason)
	case in.Kind == landmark.Qualitative && len(in.Steps) < 2:
		return landmark.Errorf(landmark.Invalid, "steps", "定性指标至少要有两个步骤,用“|”隔开,例如“未启动|推进中|到位”")
	case in.Kind != landmark.Qualitative && len(in.Steps) > 0:
		return landmark.Errorf(landmark.Invalid, "steps", "只有定性指标才填步骤")
	}
	// Values said so far must still mean something.
	for _, v := range r.Values[ind.ID] {
		if in.Kind == landmark.Qualitative && v.Amount.Valid || in.Kind != landmark.Qualitative && v.Step != "" {
			return landmark.Errorf(landmark.Conflict, "kind", "%s已有核定值,不能在数字指标和定性指标之间改", v.Month.Chinese())
		}
		if v.Amount.Valid && v.Amount.Decimal.Round(int32(in.Decimals)).Cmp(v.Amount.Decimal) != 0 {
			return landmark.Errorf(landmark.Conflict, "decimals", "%s的核定值%s的小数位数更多", v.Month.Chinese(), v.Amount.Decimal)
		}
		if v.Step != "" {
			found := false
			for _, step := range in.Steps {
				found = found || step.Name == v.Step
			}
			if !found {
				return landmark.Errorf(landmark.Conflict, "steps", "%s已核定为“%s”,步骤里要保留它", v.Month.Chinese(), v.Step)
			}
		}
	}
	return nil
}

// CurvePlan is a plan curve to be entered.
type CurvePlan struct {
	Code   string
	From   landmark.Month
	Points []landmark.CurvePoint // ascending; none: back to equal months
	Basis  string
	Seen   string // mark of the indicator it was planned for, see [Mark]
}

// curveHistory is a curve as the history tells of it.
type curveHistory struct {
	Points []string `json:"curve"`
	Basis  string   `json:"basis,omitempty"`
}

func toldCurve(c landmark.Curve) curveHistory {
	told := curveHistory{Points: []string{}, Basis: c.Basis}
	for _, p := range c.Points {
		told.Points = append(told.Points, p.Month.Short()+landmark.Entered(p.Amount))
	}
	return told
}

// SetCurve sets the planned path of an indicator from a month on.
func (s *Service) SetCurve(ctx context.Context, by landmark.Actor, u landmark.User, slug string, in CurvePlan, now time.Time) error {
	return s.do(ctx, by, u, slug, now, func(r *landmark.Record) (change, error) {
		ind, err := r.Plan.Indicator(in.Code)
		if err != nil {
			return change{}, err
		}
		in.Basis = line(in.Basis)
		switch {
		case ind.Kind != landmark.Flow && ind.Kind != landmark.Cumulative && ind.Kind != landmark.Level:
			return change{}, landmark.Errorf(landmark.Invalid, "curve", "%s类指标不用计划曲线", ind.Kind.Chinese())
		case utf8.RuneCountInString(in.Basis) > maxBasis:
			return change{}, landmark.Errorf(landmark.Invalid, "basis", "依据最多%d个字", maxBasis)
		}
		if err := withinPlan(r.Plan, in.From); err != nil {
			return change{}, err
		}
		for i, p := range in.Points {
			if p.Month < landmark.MonthOf(r.Plan.Year, 1) || p.Month > r.Plan.LastMonth() {
				return change{}, landmark.Errorf(landmark.Invalid, "curve", "计划曲线里的%s不在%d年", p.Month.Chinese(), r.Plan.Year)
			}
			if i > 0 && p.Month <= in.Points[i-1].Month {
				return change{}, landmark.Errorf(landmark.Invalid, "curve", "计划曲线的月份要从前到后,每月一个数")
			}
			if err := checkAmount(ind, "point["+p.Month.String()+"]", p.Month.Short()+"的计划值", "", decimal.NewNullDecimal(p.Amount)); err != nil {
				return change{}, err
			}
		}
		c := landmark.Curve{From: in.From, Points: in.Points, Basis: in.Basis}
		old := ind.CurveIn(in.From)
		return change{
			act: "curve.set", indicator: ind, seen: in.Seen, month: in.From, reason: c.Basis,
			before: toldCurve(old), after: toldCurve(c),
			write: func(st *store.Store) error { return st.AddCurve(ctx, ind.ID, c, by, now) },
		}, nil
	})
}

// Scope is a statistical scope (口径) to be written.
type Scope struct {
	Code string
	From landmark.Month
	Text string
	Seen string // mark of the indicator it was written for, see [Mark]
}

// Define writes the statistical scope of an indicator from a month on.
func (s *Service) Define(ctx context.Context, by landmark.Actor, u landmark.User, slug string, in Scope, now time.Time) error {
	text := clean(in.Text)
	return s.do(ctx, by, u, slug, now, func(r *landmark.Record) (change, error) {
		ind, err := r.Plan.Indicator(in.Code)
		if err != nil {
			return change{}, err
		}
		switch {
		case text == "":
			return change{}, landmark.Errorf(landmark.Invalid, "definition", "请写明统计口径")
		case utf8.RuneCountInString(text) > maxDefinition:
			return change{}, landmark.Errorf(landmark.Invalid, "definition", "口径最多%d个字", maxDefinition)
		}
		if err := withinPlan(r.Plan, in.From); err != nil {
			return change{}, err
		}
		return change{
			act: "definition.set", indicator: ind, seen: in.Seen, month: in.From, before: ind.DefinitionIn(in.From).Text, after: text,
			write: func(st *store.Store) error {
				return st.AddDefinition(ctx, ind.ID, landmark.Definition{From: in.From, Text: text}, by, now)
			},
		}, nil
	})
}

// SetRule adopts a light rule from a month on. expected is how many lights the
// preview said would turn: if it no longer holds, the rule is not adopted and a
// Conflict error asks to look again.
func (s *Service) SetRule(ctx context.Context, by landmark.Actor, u landmark.User, slug string, rule landmark.LightRule, reason string, expected int, now time.Time) error {
	reason = clean(reason)
	return s.do(ctx, by, u, slug, now, func(r *landmark.Record) (change, error) {
		if err := CheckRule(r.Plan, rule, reason); err != nil {
			return change{}, err
		}
		old := r.Plan.Rule(rule.From)
		if n := len(r.PreviewRule(rule)); n != expected && old != rule {
			return change{}, landmark.Errorf(landmark.Conflict, "", "预览之后数据有变,现在会改变%d个状态,请重新预览再确认", n)
		}
		return change{
			act: "rule.set", month: rule.From, object: "判定规则", reason: reason,
			before: ruleHistory{old.From.String(), old.Tolerance, old.RedLine}, after: ruleHistory{rule.From.String(), rule.Tolerance, rule.RedLine},
			write: func(st *store.Store) error { return st.AddRule(ctx, r.Plan.ID, rule, reason, by, now) },
		}, nil
	})
}

type ruleHistory struct {
	From      string `json:"from"`
	Tolerance int    `json:"tolerance"`
	RedLine   int    `json:"red_line"`
}

// CheckRule says what is wrong with a rule and the reason for it, in one sentence.
func CheckRule(p *landmark.Plan, rule landmark.LightRule, reason string) error {
	if err := CheckPoints(p, rule); err != nil {
		return err
	}
	switch {
	case reason == "":
		return landmark.Errorf(landmark.Invalid, "reason", "请写明为什么调整规则")
	case utf8.RuneCountInString(reason) > maxReason:
		return landmark.Errorf(landmark.Invalid, "reason", "理由最多%d个字", maxReason)
	}
	return nil
}

// CheckPoints says what is wrong with a rule itself, before a reason is given.
func CheckPoints(p *landmark.Plan, rule landmark.LightRule) error {
	switch {
	case rule.Tolerance < 0 || rule.Tolerance > 99:
		return landmark.Errorf(landmark.Invalid, "tolerance", "容差点数在0到99之间")
	case rule.RedLine <= rule.Tolerance || rule.RedLine > 100:
		return landmark.Errorf(landmark.Invalid, "red_line", "红线点数要大于容差点数,最多100")
	case rule.From < p.FirstMonth() || rule.From > p.LastMonth():
		return landmark.Errorf(landmark.Invalid, "from", "生效月份要在%s到%s之间", p.FirstMonth().Chinese(), p.LastMonth().Chinese())
	}
	return nil
}
