// Package view is what people see: templ components with the structs they show.
// It may choose what to show by a field; it works out geometry and wording, and
// nothing of the plan's meaning, which internal/landmark decides.
package view

import (
	"net/url"
	"strings"
	"time"

	"landmark/internal/landmark"
)

// Page is what every page shows around its content. The server fills it; pages
// embed it.
type Page struct {
	Title string // without the product's name
	Body  string // class of the body: page-overview
	Wide  bool   // printed on landscape paper
	Path  string // of this page, without query
	Home  string // the program's address as people type it, for paper
	Query url.Values

	User  landmark.User
	Nav   []NavItem
	Plan  *landmark.Plan // nil on pages of no plan
	Plans []PlanChoice   // for the selector; one or none: no selector

	Month  landmark.Month
	Months []MonthChoice

	AsOf      *time.Time // set: the page shows an earlier moment
	ReadOnly  *time.Time // set: nothing can be saved for now; the moment of the newest change shown
	Demo      bool       // 演示数据
	PrintedAt time.Time  // now, in the city's zone
	Theme     string     // "", light or dark
	Flash     string     // said once, after a write
	Rule      landmark.LightRule
	RequestID string
	CanChase  bool
	Reminders []Reminder // from the office, not seen yet
	Hears     bool       // notices are written for people like the visitor
	Unseen    int        // notices they have not seen, 99 at most
	Blanks    *Blanks    // set: the page is made for many
}

// Blanks stand in a page that is made for many visitors where it speaks to one of
// them. What belongs there is filled in for each: a name, the components [Unseen]
// and [Reminders], and the [Moment] of printing.
type Blanks struct{ Name, Unseen, Reminders, Printed string }

// Reminder is a chase (催报) that somebody of the department has not seen yet.
type Reminder struct{ Say, Href string }

// NavItem is one link of the main navigation.
type NavItem struct {
	Label, Href string
	Star        bool
	Current     bool // this page
	Here        bool // a page below it
	Count       int  // waiting work; 0 shows none
}

// PlanChoice is a plan in the selector.
type PlanChoice struct{ Slug, Label string }

// MonthChoice is a month in the selector.
type MonthChoice struct {
	Month landmark.Month
	Note  string // 未到期
}

// ProductName stands in titles where no plan does.
const ProductName = "标志性成果进展看板"

// FullTitle is the text of the title element.
func (p Page) FullTitle() string {
	if p.Plan == nil {
		return p.Title + " · " + ProductName
	}
	return p.Title + " · " + p.Plan.Title
}

// Brand is the name in the head of the page, in two parts of which a phone shows
// the second.
func (p Page) Brand() (string, string) {
	if p.Plan == nil {
		return "标志性成果", "进展看板"
	}
	if before, after, ok := strings.Cut(p.Plan.Title, "十大标志性成果"); ok && after == "" {
		return strings.Replace(before, itoa(p.Plan.Year)+"年", "", 1), "十大标志性成果"
	}
	return p.Plan.Title, ""
}

// Who is the name in the head of the page: 民政局 · 填报员甲.
func (p Page) Who() string {
	switch {
	case p.User.Department.Name != "":
		return p.User.Department.Name + " · " + p.User.DisplayName
	case p.User.Role == landmark.RoleOffice:
		return "市府办 · " + p.User.DisplayName
	default:
		return p.User.DisplayName
	}
}

// PrintLine stands at the head of a printed page.
func (p Page) PrintLine() string {
	var parts []string
	if !p.Month.IsZero() {
		parts = append(parts, "截至"+p.Month.Chinese())
	}
	if p.AsOf != nil {
		parts = append(parts, "按"+Moment(*p.AsOf)+"的数据")
	}
	switch {
	case p.Blanks != nil:
		parts = append(parts, "打印 "+p.Blanks.Printed)
	case !p.PrintedAt.IsZero():
		parts = append(parts, "打印 "+Moment(p.PrintedAt))
	}
	if p.Demo {
		parts = append(parts, "演示数据")
	}
	return strings.Join(parts, " · ")
}

// With is this page's address with some of its query changed; an empty value
// takes a key away. Keys and values alternate.
func (p Page) With(pairs ...string) string { return p.link(p.Path, p.Query, pairs) }

// To is another page's address that keeps the plan, month and moment shown.
func (p Page) To(path string, pairs ...string) string {
	kept := url.Values{}
	for _, k := range []string{"plan", "month", "as_of"} {
		if v := p.Query.Get(k); v != "" {
			kept.Set(k, v)
		}
	}
	return p.link(path, kept, pairs)
}

func (Page) link(path string, query url.Values, pairs []string) string {
	q := url.Values{}
	for k, vs := range query {
		q[k] = vs
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			q.Del(pairs[i])
		} else {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// ProjectHref and IndicatorHref lead to a project's and an indicator's page.
func (p Page) ProjectHref(project *landmark.Project) string {
	return p.To("/projects/" + itoa(project.Number))
}

// IndicatorHref leads to an indicator's page.
func (p Page) IndicatorHref(ind *landmark.Indicator) string { return p.To("/indicators/" + ind.Code) }

// kept are the query values the month's form passes on.
func (p Page) kept() []pair {
	return p.pairs("plan", "as_of", "q", "sort", "status", "department", "project", "state")
}

// keptByPlan are those the plan's form passes on. The month is not among them:
// another year has other months.
func (p Page) keptByPlan() []pair { return p.pairs("as_of", "sort", "status") }

func (p Page) pairs(keys ...string) []pair {
	var out []pair
	for _, k := range keys {
		if v := p.Query.Get(k); v != "" {
			out = append(out, pair{k, v})
		}
	}
	return out
}

type pair struct{ Name, Value string }

func (p Page) isPlan(slug string) bool { return p.Plan != nil && p.Plan.Slug == slug }

func (p Page) bodyClass() string {
	if p.Wide {
		return p.Body + " land"
	}
	return p.Body
}
