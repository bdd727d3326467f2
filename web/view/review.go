package view

import (
	"fmt"
	"strings"

	"github.com/shopspring/decimal"

	"landmark/internal/landmark"
)

// ReviewPage is GET /review for the office and GET /signoff for a department's
// leader: what waits to be decided, and who has still to send.
type ReviewPage struct {
	Page
	Heading    string
	Sub        string
	Action     string // where decisions go
	SignOff    bool   // the leader's page
	Empty      string // what is said where nothing waits
	FaultTitle string
	Faults     []Fault
	Bar        []DepartmentCount
	Cards      []ReviewCard
	Unsigned   []ReviewCard // sent, and waiting for their leader's signature
	All        []ReviewSeen // what one action can approve
	Elsewhere  []Link       // other months in which something waits
	Missing    []MissRow
	MissNote   string // 2 个部门,5 项
	Passed     []PassRow
	Chase      []Field // hidden fields of a reminder
}

// DepartmentCount is how many departments are how far.
type DepartmentCount struct {
	Key, Icon, Text string
	Count           int
}

// ReviewSeen is a report at the revision the page shows.
type ReviewSeen struct{ ID, Revision string }

// SeenName is the name of the field that says which revision was seen.
func (s ReviewSeen) SeenName() string { return "seen[" + s.ID + "]" }

// Field is a hidden field of a form.
type Field struct{ Name, Value string }

// ReviewCard is what one department sent.
type ReviewCard struct {
	Department landmark.Department
	Open       bool
	Meta       string
	Flags      int
	Rows       []ReviewRow
	Reason     string // as typed
	Fault      string // of the reason
	Approve    string // the button; empty: it can only be returned
	Value      string // of the button: approve or sign
}

// Notes are the rows that say something in words.
func (c ReviewCard) Notes() []ReviewRow {
	var out []ReviewRow
	for _, r := range c.Rows {
		if r.Note != "" {
			out = append(out, r)
		}
	}
	return out
}

// ReviewRow is one report that waits.
type ReviewRow struct {
	ReviewSeen
	A       landmark.Assessment // the judgement if it is approved
	Was     string
	Now     string
	Change  string // empty: unchanged
	Same    bool
	Bullet  Bullet
	Flags   []string
	Note    string
	Files   []ReportFile
	Checked bool
	Own     bool // the visitor sent it: somebody else decides
}

// NewReviewRow lays a report out: a is the judgement if it is approved, before the
// newest value of the year before its month, change the difference.
func NewReviewRow(a landmark.Assessment, before *landmark.Value, change decimal.NullDecimal) ReviewRow {
	r := ReviewRow{A: a, Was: ValueText(before), Now: ValueText(a.Value), Bullet: NewBullet(a, false, true)}
	switch {
	case before != nil && before.Step != "" && a.Value != nil:
		r.Same = before.Step == a.Value.Step
		if !r.Same {
			r.Change = "有变化"
		}
	case change.Valid && change.Decimal.IsZero():
		r.Same = true
	case change.Valid && change.Decimal.IsPositive():
		r.Change = "+" + landmark.Entered(change.Decimal)
	case change.Valid:
		r.Change = Minus(landmark.Entered(change.Decimal))
	}
	r.Bullet.since(a, before)
	return r
}

// since draws what stood before the month pale, and the month's gain full.
func (b *Bullet) since(a landmark.Assessment, before *landmark.Value) {
	b.Base, b.BaseOver = "", false
	if b.Bar == "" || before == nil || !before.Amount.Valid {
		return
	}
	earlier := a
	earlier.Value, earlier.Last = before, nil
	was, now := earlier.ShownProgress(), a.ShownProgress()
	if !was.Present() || !now.Present() || was.Sign() <= 0 || was.Cmp(now) > 0 {
		return
	}
	s := wideScale
	from, _ := s.clip(was.Percent(4))
	to, _ := s.clip(now.Percent(4))
	b.Was, b.BarX, b.Bar = s.width(from), pc(s.place(from)), s.width(to.Sub(from))
}

// MissRow is a department that has not sent all it owes.
type MissRow struct {
	Department landmark.Department
	Sub        string
	Late       string // 逾期 1 天
	Chased     string // 已催 1 次
}

// PassRow is a department that is through.
type PassRow struct {
	Department landmark.Department
	Sub        string
}

// fileLabel is a file's name without its ending, which is said but not shown.
func fileLabel(name string) (string, string) {
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		return name[:i], name[i:]
	}
	return name, ""
}

func reviewCaption(p ReviewPage, c ReviewCard) string {
	return fmt.Sprintf("%s%s报送与此前对比", c.Department.Name, p.Month.Short())
}
