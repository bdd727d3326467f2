package view

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"landmark/internal/landmark"
)

// ReviewPage is what waits to be decided: by the office, or by a department's
// leader who signs first.
type ReviewPage struct {
	Page
	SignOff   bool // the leader's page: signs instead of approving
	Heading   string
	Sub       string
	Waiting   []ReviewDepartment
	Unsigned  []string // departments whose leader has still to sign
	Elsewhere []ReviewMonth
	Missing   []ReviewMissing
	Passed    []ReviewPassed
	Faults    []Fault
	Title2    string // of the error summary
	Reason    string // as typed, when refused
	Of        string // slug of the department whose form was refused
}

// ReviewDepartment is what one department sent.
type ReviewDepartment struct {
	Department landmark.Department
	Meta       string
	Attention  int
	Open       bool
	Items      []ReviewItem
}

// ReviewItem is one report that waits.
type ReviewItem struct {
	ReportID  int64
	Revision  int
	A         landmark.Assessment // the judgement if it is approved
	Bullet    Bullet
	Was       string // length of the part of the bar that was there before
	Before    string
	Value     string
	Change    string // +3.8, 未变, empty if nothing compares
	Unchanged bool
	Flags     []string
	Note      string
	Reason    string
	Findings  []string
	Evidence  []ReviewFile
	Own       bool
}

// ReviewFile is a file that goes with a report.
type ReviewFile struct {
	ID   int64
	Name string
	Size string
}

// ReviewMonth is another month with reports that wait.
type ReviewMonth struct {
	Month landmark.Month
	Count int
}

// ReviewMissing is a department that still owes.
type ReviewMissing struct {
	Department landmark.Department
	Meta       string
	Late       string
	Chased     string
}

// ReviewPassed is a department that is through.
type ReviewPassed struct {
	Department landmark.Department
	Meta       string
}

// ReviewInput is one report of a queue, as the workflow gives it.
type ReviewInput struct {
	Indicator *landmark.Indicator
	Report    landmark.Report
	Before    *landmark.Value
	Approved  *landmark.Value
	Change    decimal.NullDecimal
	Unchanged int
	NoChange  bool
	Would     landmark.Assessment
	Findings  []string
	Evidence  []ReviewFile
	Own       bool
}

// NewReviewItem lays a report out for a decision.
func NewReviewItem(in ReviewInput) ReviewItem {
	item := ReviewItem{
		ReportID: in.Report.ID, Revision: in.Report.Revision, A: in.Would, Bullet: NewBullet(in.Would, false, true),
		Before: "—", Note: in.Report.Note, Reason: in.Report.Reason, Findings: in.Findings, Evidence: in.Evidence, Own: in.Own,
	}
	value := landmark.Value{Amount: in.Report.Amount, Step: in.Report.Step}
	item.Value = ValueText(&value)
	if in.Before != nil {
		item.Before = ValueText(in.Before)
		switch {
		case in.Before.Step != "":
			item.Unchanged = in.Before.Step == in.Report.Step
		case in.Change.Valid:
			item.Unchanged = in.Change.Decimal.IsZero()
			if item.Change = Number(in.Change.Decimal); in.Change.Decimal.IsPositive() {
				item.Change = "+" + item.Change
			}
		}
		if item.Unchanged {
			item.Change = "未变"
		}
		was := in.Would
		was.Value = in.Before
		if progress := was.ShownProgress(); progress.Present() && item.Bullet.Bar != "" && in.Indicator.Kind != landmark.Hold {
			p, _ := wideScale.clip(progress.Percent(4))
			now, _ := wideScale.clip(in.Would.ShownProgress().Percent(4))
			if p.IsPositive() && p.LessThan(now) {
				item.Was = wideScale.width(p)
			}
		}
	}
	switch {
	case in.Report.Correction && in.Approved != nil:
		item.Flags = append(item.Flags, "更正:已核定 "+ValueText(in.Approved))
	case in.Report.Correction:
		item.Flags = append(item.Flags, "更正")
	}
	if in.Unchanged > 2 {
		item.Flags = append(item.Flags, fmt.Sprintf("连续 %d 个月未变", in.Unchanged))
	}
	if in.NoChange {
		item.Flags = append(item.Flags, "按“无变化”报")
	}
	if in.Own {
		item.Flags = append(item.Flags, "您自己提交的,要由别人审核")
	}
	return item
}

// ProjectNumbers names projects by number: 项目 4、9.
func ProjectNumbers(projects []*landmark.Project) string {
	numbers := make([]string, len(projects))
	for i, p := range projects {
		numbers[i] = itoa(p.Number)
	}
	return "项目 " + strings.Join(numbers, "、")
}

// FileSize prints a file's size: 42 KB, 1.3 MB.
func FileSize(bytes int) string {
	const kb, mb = 1 << 10, 1 << 20
	switch {
	case bytes >= mb:
		return decimal.NewFromInt(int64(bytes)).DivRound(decimal.NewFromInt(mb), 1).String() + " MB"
	case bytes >= kb:
		return itoa(bytes/kb) + " KB"
	default:
		return itoa(bytes) + " 字节"
	}
}

// SentLine is who sent a month and when.
func SentLine(at time.Time, by string, zone *time.Location) string {
	return Clock(at.In(zone)) + " " + by + "报"
}

func (p ReviewPage) action() string {
	if p.SignOff {
		return "/signoff"
	}
	return "/review"
}

func (p ReviewPage) lastMonth() string { return (p.Month - 1).Short() }

func (p ReviewPage) reasonOf(d landmark.Department) string {
	if p.Of == d.Slug {
		return p.Reason
	}
	return ""
}

func (p ReviewPage) faultOf(d landmark.Department) string {
	if p.Of == d.Slug {
		return FaultOf(p.Faults, "reason")
	}
	return ""
}

func waitingWord(p ReviewPage) string {
	if p.SignOff {
		return "待签核"
	}
	return "待审核"
}

func id64(n int64) string { return strconv.FormatInt(n, 10) }
