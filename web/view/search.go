package view

import (
	"fmt"
	"unicode/utf8"

	"landmark/internal/landmark"
)

// SearchPage is GET /search.
type SearchPage struct {
	Page
	Asked  string
	Fault  string // why it could not be searched for
	Groups []SearchGroup
	Sub    string // 找到 5 条
}

// SearchGroup is what was found of one sort.
type SearchGroup struct {
	ID, Title string
	Hits      []SearchHit
}

// SearchHit is one thing found.
type SearchHit struct {
	Href      string
	Code      string // 4.1, empty for departments
	CodeFound bool
	Parts     []SearchPart
	Sub       string // what it belongs to
	Star      bool
	Light     *landmark.Light
	Task      *landmark.TaskState
}

// SearchPart is a piece of a text, marked where it was asked for.
type SearchPart struct {
	Text   string
	Marked bool
}

// NewSearchPage lays out what a search found in a judged month.
func NewSearchPage(page Page, board landmark.Board, asked string, found landmark.FoundAll) SearchPage {
	page.Title, page.Body = "搜索", "page-search"
	if asked != "" {
		page.Title = "搜索:" + asked
	}
	p := SearchPage{Page: page, Asked: asked}
	lights := map[*landmark.Indicator]landmark.Light{}
	projects := map[*landmark.Project]landmark.Light{}
	for _, pb := range board.Projects {
		projects[pb.Project] = pb.Light
		for _, a := range pb.Assessments {
			lights[a.Indicator] = a.Light
		}
	}
	group := func(id, title string, list []landmark.Found, lay func(landmark.Found) SearchHit) {
		g := SearchGroup{ID: id, Title: title}
		for _, f := range list {
			hit := lay(f)
			hit.CodeFound = f.Code
			if hit.Parts == nil {
				hit.Parts = searchParts(f)
			}
			g.Hits = append(g.Hits, hit)
		}
		if len(g.Hits) > 0 {
			p.Groups = append(p.Groups, g)
		}
	}
	label := func(project *landmark.Project) string {
		return fmt.Sprintf("%d %s · %s牵头", project.Number, project.Name, project.Lead.Name)
	}
	group("s-projects", "标志性成果", found.Projects, func(f landmark.Found) SearchHit {
		light := projects[f.Project]
		return SearchHit{Href: page.ProjectHref(f.Project), Code: itoa(f.Project.Number), Sub: f.Project.Lead.Name + "牵头", Light: &light}
	})
	group("s-indicators", "指标", found.Indicators, func(f landmark.Found) SearchHit {
		light := lights[f.Indicator]
		return SearchHit{Href: page.IndicatorHref(f.Indicator), Code: f.Indicator.Code, Sub: label(f.Project), Star: f.Indicator.Key, Light: &light}
	})
	group("s-tasks", "重点任务", found.Tasks, func(f landmark.Found) SearchHit {
		hit := SearchHit{Href: page.ProjectHref(f.Project), Code: f.Task.Code, Sub: label(f.Project), Parts: excerpt(searchParts(f))}
		if !f.Task.Lead { // the sentence before the tasks has no state and no place of its own
			state := board.Record.TaskStateIn(f.Task.ID, board.Month)
			hit.Task, hit.Href = &state, hit.Href+"#task-"+f.Task.Code
		}
		return hit
	})
	group("s-scenarios", "重点场景", found.Scenarios, func(f landmark.Found) SearchHit {
		return SearchHit{Href: page.ProjectHref(f.Project) + "#scenario-" + f.Scenario.Code, Code: f.Scenario.Code, Sub: label(f.Project)}
	})
	group("s-departments", "单位", found.Departments, func(f landmark.Found) SearchHit {
		hit := SearchHit{Href: page.To("/departments/" + f.Department.Slug)}
		led := len(board.Record.Plan.Led(f.Department.ID))
		switch {
		case f.Text != f.Department.Name:
			hit.Sub = "即" + f.Department.Name
		case led > 0:
			hit.Sub = fmt.Sprintf("牵头 %d 个项目", led)
		default:
			hit.Sub = "配合单位"
		}
		return hit
	})
	switch n := found.Count(); {
	case asked == "":
		p.Sub = "可以搜标志性成果、指标、重点任务、重点场景和单位。"
	case n == 0:
		p.Sub = "没有找到。换个说法试试,或者少写几个字。"
	default:
		p.Sub = fmt.Sprintf("找到 %d 条。", n)
	}
	return p
}

// searchParts cuts a text at its marks.
func searchParts(f landmark.Found) []SearchPart {
	var out []SearchPart
	at := 0
	add := func(to int, marked bool) {
		if to > at {
			out = append(out, SearchPart{f.Text[at:to], marked})
			at = to
		}
	}
	for _, m := range f.Marks {
		add(m.From, false)
		add(m.To, true)
	}
	add(len(f.Text), false)
	return out
}

// Long texts are shown around what was found in them.
const (
	excerptWhole = 90 // runes up to which a text is shown whole
	excerptNear  = 24 // runes kept beside a mark
)

// excerpt shortens the unmarked parts of a long text, and the text where nothing
// is marked.
func excerpt(parts []SearchPart) []SearchPart {
	all := 0
	for _, p := range parts {
		all += utf8.RuneCountInString(p.Text)
	}
	if all <= excerptWhole {
		return parts
	}
	out := make([]SearchPart, len(parts))
	for i, p := range parts {
		out[i] = p
		r := []rune(p.Text)
		first, last := i == 0, i == len(parts)-1
		switch {
		case p.Marked:
		case first && last && len(r) > excerptWhole:
			out[i].Text = string(r[:excerptWhole]) + "…"
		case first && len(r) > excerptNear:
			out[i].Text = "…" + string(r[len(r)-excerptNear:])
		case last && len(r) > excerptNear:
			out[i].Text = string(r[:excerptNear]) + "…"
		case !first && !last && len(r) > 2*excerptNear:
			out[i].Text = string(r[:excerptNear]) + "…" + string(r[len(r)-excerptNear:])
		}
	}
	return out
}
