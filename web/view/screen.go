package view

import (
	"fmt"
	"time"

	"landmark/internal/landmark"
)

// ScreenPage is GET /screen, the wall display: all indicators on one screen of
// 1920×1080, and larger ones in proportion.
type ScreenPage struct {
	Page
	Heading  string
	Schedule string
	PlanX    string
	ShowGoal bool
	Projects []ScreenProject
	Blocks   []ScreenBlock // critical, behind
	Missing  *ScreenMissing
	Stars    ScreenStars
	Calm     []LightCount // on track, done, not due, not judged
	AsOfText string       // when the newest figure was approved
}

// ScreenProject is a project's rows.
type ScreenProject struct {
	Project *landmark.Project
	Rows    []ScreenRow
}

// ScreenRow is an indicator.
type ScreenRow struct {
	A      landmark.Assessment
	Bullet Bullet
	Value  string
	Words  bool // the value is words, across two columns
	Goal   string
}

// ScreenBlock lists the indicators of a light that asks for somebody.
type ScreenBlock struct {
	Light landmark.Light
	Rows  []ScreenTrouble
	Count int
	More  int // left out for want of room
}

// ScreenTrouble is a line of a block.
type ScreenTrouble struct {
	A   landmark.Assessment
	Gap string
}

// ScreenMissing are the departments whose values are missing.
type ScreenMissing struct {
	Count       int
	Departments []TallyDepartment
	More        int
}

// ScreenStars is the line on the key indicators.
type ScreenStars struct{ All, Well, Trouble, Other int }

// The side has room for so many lines when all three lists stand there; a list
// that does not leaves the room of its head.
const (
	screenLines    = 9
	screenHeadRoom = 2
	screenAtLeast  = 2
)

// allot shares lines out among lists: a little for each, the rest to the first
// that need it. A list that is cut gives one of its lines to say so.
func allot(lines int, wants ...int) []int {
	rooms := make([]int, len(wants))
	for i, want := range wants {
		if want == 0 {
			lines += screenHeadRoom
		}
		rooms[i] = min(want, screenAtLeast)
		lines -= rooms[i]
	}
	for i, want := range wants {
		more := max(min(want-rooms[i], lines), 0)
		rooms[i] += more
		lines -= more
		if rooms[i] < want {
			rooms[i]--
		}
	}
	return rooms
}

// screenGap is how far behind an indicator is; one that must hold has no schedule.
func screenGap(a landmark.Assessment) string {
	if a.Indicator.Kind == landmark.Hold && !a.Met {
		return "跌破"
	}
	return Points(a.Gap)
}

// NewScreenPage lays a judged month out for the wall.
func NewScreenPage(page Page, board landmark.Board) ScreenPage {
	r, m := board.Record, board.Month
	page.Title, page.Body, page.Theme = "大屏", "page-screen", "dark"
	share := landmark.Fraction(int64(m.Number()), 12)
	plan, _ := wideScale.clip(share.Percent(4))
	p := ScreenPage{
		Page: page, Heading: r.Plan.Title, Schedule: Percent(share, 0), PlanX: pc(wideScale.place(plan)), ShowGoal: m.Number() < 11,
		AsOfText: "还没有核定值",
	}
	if at := newestApproval(r, m); !at.IsZero() {
		p.AsOfText = "数据更新于 " + Clock(at.In(r.Zone))
	}
	for _, pb := range board.Projects {
		sp := ScreenProject{Project: pb.Project}
		for _, a := range pb.Assessments {
			sp.Rows = append(sp.Rows, screenRow(a))
		}
		p.Projects = append(p.Projects, sp)
	}
	missing := unreportedBy(r, board)
	troubled := landmark.TroubleFirst(board.Assessments())
	rooms := allot(screenLines, board.Counts[landmark.Critical], board.Counts[landmark.Behind], len(missing))
	for i, l := range []landmark.Light{landmark.Critical, landmark.Behind} {
		if board.Counts[l] == 0 {
			continue
		}
		block := ScreenBlock{Light: l, Count: board.Counts[l]}
		for _, a := range troubled {
			if a.Light == l && len(block.Rows) < rooms[i] {
				block.Rows = append(block.Rows, ScreenTrouble{a, screenGap(a)})
			}
		}
		block.More = block.Count - len(block.Rows)
		p.Blocks = append(p.Blocks, block)
	}
	if n := board.Counts[landmark.Unreported]; n > 0 {
		shown := missing[:rooms[2]]
		p.Missing = &ScreenMissing{Count: n, Departments: shown, More: len(missing) - len(shown)}
	}
	for _, a := range board.Key() {
		p.Stars.All++
		switch {
		case a.Light.Trouble():
			p.Stars.Trouble++
		case a.Light.Judged():
			p.Stars.Well++
		default:
			p.Stars.Other++
		}
	}
	for _, l := range []landmark.Light{landmark.OnTrack, landmark.Done, landmark.NotDue, landmark.NoLight} {
		if n := board.Counts[l]; n > 0 {
			p.Calm = append(p.Calm, LightCount{l, n})
		}
	}
	return p
}

func screenRow(a landmark.Assessment) ScreenRow {
	row := ScreenRow{A: a, Bullet: NewBullet(a, false, true), Value: ValueText(a.Shown()), Goal: "/ " + TargetText(a.Target)}
	row.Words = a.Indicator.Kind == landmark.Qualitative
	return row
}

// wallTime is when the wall was drawn.
func wallTime(p Page) time.Time { return p.PrintedAt }

func moreText(n int, what string) string { return fmt.Sprintf("另有 %d %s", n, what) }
