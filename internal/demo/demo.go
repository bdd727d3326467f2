// Package demo fills an empty plan with made-up reports for May to September
// 2023, through the same workflow as real ones and at the times they would have
// happened, so that every light, an override, a correction, a late and a missing
// department occur.
package demo

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"landmark/internal/landmark"
	"landmark/internal/planning"
	"landmark/internal/reporting"
	"landmark/internal/store"
)

// Start is where the demo's clock begins.
var Start = "2023-10-12T09:30"

// Account is one that a visitor may enter as.
type Account struct {
	Name, DisplayName string
	Role              landmark.Role
	Department        string // slug; empty for office and viewer
}

// Leads are the departments that lead a project, by slug.
var Leads = []string{"weijian", "jiaoyu", "minzheng", "nongye", "jianshe", "renshe", "xuanchuan", "jiaotong"}

// Accounts are one per role and lead department.
func Accounts() []Account {
	out := []Account{
		{Name: "office", DisplayName: "审核员乙", Role: landmark.RoleOffice},
		{Name: "viewer", DisplayName: "分管领导", Role: landmark.RoleViewer},
	}
	for _, slug := range Leads {
		out = append(out,
			Account{Name: "reporter-" + slug, DisplayName: "填报员甲", Role: landmark.RoleReporter, Department: slug},
			Account{Name: "leader-" + slug, DisplayName: "负责人丙", Role: landmark.RoleLeader, Department: slug})
	}
	return out
}

// teller puts the story into the database, act by act in the order of time.
type teller struct {
	ctx       context.Context
	store     *store.Store
	reporting *reporting.Service
	planning  *planning.Service
	zone      *time.Location
	slug      string
	plan      *landmark.Plan
	users     map[string]landmark.User // by account name
	acts      []act
}

// row is what a department fills in for one indicator.
type row struct {
	ind                 *landmark.Indicator
	value, note, reason string // a qualitative indicator's value is its step
}

// act is something done at a moment.
type act struct {
	at time.Time
	do func(at time.Time) error
}

// Fill tells the whole story. users are the demo's accounts by name; the plan
// must be the seed plan, without reports. Each of before is called ahead of
// every act with its moment.
func Fill(ctx context.Context, st *store.Store, slug string, users map[string]landmark.User, zone *time.Location, before ...func(next time.Time) error) error {
	t := &teller{ctx: ctx, store: st, reporting: reporting.New(st, zone), planning: planning.New(st, zone), zone: zone, slug: slug, users: users}
	r, err := st.Record(ctx, slug, time.Time{}, time.Date(2023, 5, 31, 12, 0, 0, 0, zone), zone)
	if err != nil {
		return err
	}
	t.plan = r.Plan
	if err := st.MarkDemo(ctx, t.plan.ID); err != nil {
		return err
	}
	t.office()
	for i, name := range months {
		m, err := landmark.ParseMonth(name)
		if err != nil {
			return fmt.Errorf("demo month: %w", err)
		}
		if err := t.month(i, m); err != nil {
			return err
		}
	}
	if err := t.progress(); err != nil {
		return err
	}
	t.corrections()
	slices.SortStableFunc(t.acts, func(a, b act) int { return cmp.Compare(a.at.UnixNano(), b.at.UnixNano()) })
	for _, a := range t.acts {
		for _, f := range before {
			if err := f(a.at); err != nil {
				return err
			}
		}
		if err := a.do(a.at); err != nil {
			return fmt.Errorf("demo at %s: %w", a.at.Format(time.DateTime), err)
		}
	}
	return nil
}

func (t *teller) add(at time.Time, do func(at time.Time) error) { t.acts = append(t.acts, act{at, do}) }

func (t *teller) at(month, day, hour, minute int) time.Time {
	return time.Date(2023, time.Month(month), day, hour, minute, 0, 0, t.zone)
}

func (t *teller) actor(name string) (landmark.User, landmark.Actor) {
	u := t.users[name]
	return u, landmark.ActorOf(u, "127.0.0.1", "demo")
}

// office is what the city office does of itself: the flu season's plan curve, the
// National Day week, an override, a reminder.
func (t *teller) office() {
	u, by := t.actor("office")
	curve := func(code string, points ...string) func(time.Time) error {
		return func(at time.Time) error {
			in := planning.CurvePlan{Code: code, From: landmark.MonthOf(2023, 5), Basis: "年度工作计划"}
			for i := 0; i+1 < len(points); i += 2 {
				m, err := landmark.ParseMonth(points[i])
				if err != nil {
					return err
				}
				in.Points = append(in.Points, landmark.CurvePoint{Month: m, Amount: decimal.RequireFromString(points[i+1])})
			}
			return t.planning.SetCurve(t.ctx, by, u, t.slug, in, at)
		}
	}
	t.add(t.at(6, 1, 9, 0), curve("2.1", "2023-08", "1350", "2023-09", "4590"))
	t.add(t.at(9, 25, 10, 0), func(at time.Time) error {
		return t.reporting.SetPeriod(t.ctx, by, u, t.slug, landmark.Period{
			Month: landmark.MonthOf(2023, 9), Opens: landmark.Date{Year: 2023, Month: 9, Day: 30}, Due: landmark.Date{Year: 2023, Month: 10, Day: 10},
			Grace: landmark.Date{Year: 2023, Month: 10, Day: 12}, Lock: landmark.Date{Year: 2023, Month: 10, Day: 18},
		}, "国庆假期顺延", at)
	})
	t.add(t.at(10, 11, 16, 20), func(at time.Time) error {
		return t.reporting.Override(t.ctx, by, u, t.slug, "3.2", landmark.Override{
			From: landmark.MonthOf(2023, 9), Until: landmark.MonthOf(2023, 10), Light: landmark.OnTrack,
			Reason: "接种季10月才开始,9月下旬到货后当周即接种3500人,按接种计划推进",
		}, at)
	})
	t.add(t.at(10, 11, 9, 5), func(at time.Time) error {
		_, err := t.reporting.Chase(t.ctx, by, u, t.slug, []string{"renshe"}, landmark.MonthOf(2023, 9), at)
		return err
	})
}

// month is one month's submissions and reviews, department by department.
func (t *teller) month(i int, m landmark.Month) error {
	last := m == landmark.MonthOf(2023, 9)
	next := m + 1
	for minute, slug := range Leads {
		var list []row
		for _, ind := range t.plan.Indicators() {
			if ind.Project.Lead.Slug != slug || values[ind.Code][i] == "" {
				continue
			}
			list = append(list, row{ind: ind, value: values[ind.Code][i], note: notes[ind.Code][m.String()]})
		}
		if len(list) == 0 || last && missing[slug] {
			continue
		}
		day := submitted[slug]
		if last && septemberDays[slug] != 0 {
			day = septemberDays[slug]
		}
		if d := lateDays[slug][m.String()]; d != 0 {
			day = d
		}
		sent := t.at(next.Number(), day, 9+minute%6, 5+7*minute)
		if last && slug == "minzheng" {
			t.returned(m, list, sent)
			continue
		}
		t.send("reporter-"+slug, m, list, sent)
		if !(last && waiting[slug]) {
			reviewed := sent.Add(26*time.Hour + time.Duration(minute)*time.Minute)
			if last && slug == "jianshe" {
				reviewed = t.at(10, 11, 17, 40)
			}
			t.approve(m, list, reviewed)
		}
	}
	return nil
}

// send submits a department's month as its reporter does on the form, with reasons
// where the checks ask for one.
func (t *teller) send(account string, m landmark.Month, list []row, at time.Time) {
	u, by := t.actor(account)
	t.add(at, func(at time.Time) error {
		in := reporting.FormInput{Plan: t.slug, Month: m, Indicators: map[string]reporting.Typed{}}
		for _, v := range list {
			typed := reporting.Typed{Note: &v.note, Reason: &v.reason}
			if v.ind.Kind == landmark.Qualitative {
				typed.Step = &v.value
			} else {
				typed.Value = &v.value
			}
			in.Indicators[v.ind.Code] = typed
		}
		form, err := t.reporting.Filled(t.ctx, u, in, at)
		if err != nil {
			return err
		}
		for _, r := range form.Rows {
			typed, sent := in.Indicators[r.Indicator.Code]
			if !sent {
				continue
			}
			typed.Version = r.Version
			if slices.ContainsFunc(r.Findings, func(f landmark.Finding) bool { return f.Soft && !f.Excused }) {
				reason := cmp.Or(reasons[r.Indicator.Code], fallback)
				typed.Reason = &reason
			}
			in.Indicators[r.Indicator.Code] = typed
		}
		_, err = t.reporting.Submit(t.ctx, by, u, in, at)
		return err
	})
}

// approve lets the office approve what was sent, whatever its report ids are.
func (t *teller) approve(m landmark.Month, list []row, at time.Time) {
	u, by := t.actor("office")
	t.add(at, func(at time.Time) error {
		seen, err := t.waiting(m, list, at)
		if err != nil {
			return err
		}
		_, err = t.reporting.Approve(t.ctx, by, u, seen, at)
		return err
	})
}

func (t *teller) waiting(m landmark.Month, list []row, at time.Time) ([]store.Seen, error) {
	r, err := t.store.Record(t.ctx, t.slug, time.Time{}, at, t.zone)
	if err != nil {
		return nil, err
	}
	var seen []store.Seen
	for _, v := range list {
		report := r.Report(v.ind.ID, m)
		if report.State == landmark.StateSubmitted || report.State == landmark.StateSigned {
			seen = append(seen, store.Seen{ReportID: report.ID, Revision: report.Revision})
		}
	}
	return seen, nil
}

// returned is 民政局's September: 9.3 was first sent lower than in August, came
// back, and was put right.
func (t *teller) returned(m landmark.Month, list []row, at time.Time) {
	u, by := t.actor("office")
	first := slices.Clone(list)
	var again []row
	for i, v := range list {
		if v.ind.Code == "9.3" {
			first[i].value, first[i].reason = "64", "两处综合体复核未通过,暂不计入"
			v.reason = "已核对:复核未通过的两处不在8月数内,9月新评8处"
			again = append(again, v)
		}
	}
	t.send("reporter-minzheng", m, first, at)
	t.add(t.at(10, 10, 9, 40), func(at time.Time) error {
		seen, err := t.waiting(m, again, at)
		if err != nil {
			return err
		}
		_, err = t.reporting.Return(t.ctx, by, u, seen, "累计数比8月少,复核未通过的应在评定当月说明;请核对后重报", at)
		return err
	})
	t.send("reporter-minzheng", m, again, t.at(10, 10, 15, 20))
	t.approve(m, list, t.at(10, 11, 15, 20))
}

// progress is what departments say of tasks and scenarios.
func (t *teller) progress() error {
	for _, s := range taskSteps {
		m, err := landmark.ParseMonth(s.month)
		if err != nil {
			return fmt.Errorf("demo task %s: %w", s.code, err)
		}
		project, _, err := t.plan.Task(s.code)
		if err != nil {
			return fmt.Errorf("demo: %w", err)
		}
		u, by := t.actor("reporter-" + project.Lead.Slug)
		day := 3
		if m == landmark.MonthOf(2023, 9) {
			day = 9
		}
		t.add(t.at((m+1).Number(), day, 8, 40), func(at time.Time) error {
			return t.reporting.UpdateTasks(t.ctx, by, u, t.slug, m, []reporting.TaskSaid{{Code: s.code, State: landmark.TaskState(s.state), Note: s.note}}, at)
		})
	}
	for _, s := range milestoneSteps {
		on, err := landmark.ParseDate(s.day)
		if err != nil {
			return fmt.Errorf("demo scenario %s: %w", s.code, err)
		}
		project, _, err := t.plan.Scenario(s.code)
		if err != nil {
			return fmt.Errorf("demo: %w", err)
		}
		u, by := t.actor("reporter-" + project.Lead.Slug)
		at := on.AddDays(1).Time(t.zone).Add(10 * time.Hour)
		if first := t.at(6, 2, 10, 0); at.Before(first) { // the plan was published on 31 May
			at = first
		}
		t.add(at, func(at time.Time) error {
			return t.reporting.Reach(t.ctx, by, u, t.slug, s.code, s.step, on, at)
		})
	}
	return nil
}

// corrections: in August 民政局 found that June's figure of 4.1 held two
// certificates twice.
func (t *teller) corrections() {
	june := landmark.MonthOf(2023, 6)
	var list []row
	for _, ind := range t.plan.Indicators() {
		if ind.Code == "4.1" {
			list = append(list, row{ind: ind, value: "25.18", reason: "核对证书清单,2名护理员重复计算,由25.20更正为25.18"})
		}
	}
	t.send("reporter-minzheng", june, list, t.at(8, 21, 14, 10))
	t.approve(june, list, t.at(8, 22, 9, 15))
}
