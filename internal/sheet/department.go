package sheet

import (
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/mozillazg/go-pinyin"

	"landmark/internal/landmark"
)

// DepartmentEntry is what a directory of departments says of one: its slug and
// the other names it is printed under.
type DepartmentEntry struct {
	landmark.Department
	Aliases []string // 桐城委(桐城集团)
}

// Directory are the departments known before a table is read. A name it lacks
// becomes a department of its own: whether two printed names are one body is
// for a person to say.
type Directory []DepartmentEntry

var (
	slugForm       = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	departmentCols = []string{"name", "slug", "sort", "collective", "aliases"}
)

// ReadDepartments reads a directory from CSV: name, slug, sort, collective
// (yes or no) and aliases parted by "|". All faults are listed ([Faults]).
func ReadDepartments(r io.Reader) (Directory, error) {
	l, faults, err := readList(r, departmentCols[:2], departmentCols[2:])
	if err != nil {
		return nil, err
	}
	if l == nil {
		return nil, faults.orNil()
	}
	var out Directory
	names, slugs := map[string]int{}, map[string]int{}
	for i, row := range l.rows {
		e := DepartmentEntry{Department: landmark.Department{Sort: i + 1}}
		var at int
		e.Name, at = l.cell(row, "name")
		claim := func(name string, at int) {
			if first, twice := names[name]; twice {
				faults.add(row.line, at, "名称%s在第%d行已有", quote(name), first)
			}
			names[name] = row.line
		}
		if e.Name == "" {
			faults.add(row.line, at, "单位名称是空的")
		}
		claim(e.Name, at)
		e.Slug, at = l.cell(row, "slug")
		if !slugForm.MatchString(e.Slug) {
			faults.add(row.line, at, "简称%s只能用小写字母、数字和“-”", quote(e.Slug))
		} else if first, twice := slugs[e.Slug]; twice {
			faults.add(row.line, at, "简称%s在第%d行已有", quote(e.Slug), first)
		}
		slugs[e.Slug] = row.line
		if text, at := l.cell(row, "sort"); text != "" {
			if e.Sort, err = strconv.Atoi(text); err != nil {
				faults.add(row.line, at, "排序应是整数,现在是%s", quote(text))
			}
		}
		text, at := l.cell(row, "collective")
		if e.Collective, err = parseYes(text, false); err != nil {
			faults.add(row.line, at, "%s", err)
		}
		text, at = l.cell(row, "aliases")
		for alias := range strings.SplitSeq(text, "|") {
			if alias = strings.TrimSpace(alias); alias != "" {
				claim(alias, at)
				e.Aliases = append(e.Aliases, alias)
			}
		}
		out = append(out, e)
	}
	return out, faults.orNil()
}

// parseYes reads a yes or no; an empty cell means otherwise.
func parseYes(text string, otherwise bool) (bool, error) {
	switch strings.ToLower(text) {
	case "":
		return otherwise, nil
	case "yes", "是":
		return true, nil
	case "no", "否":
		return false, nil
	default:
		return false, fmt.Errorf("应写 yes 或 no,现在是%s", quote(text))
	}
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// register gives each printed name its department while a plan is built.
type register struct {
	byName map[string]*landmark.Department
	slugs  map[string]bool
	again  map[string]int // the last number behind a slug, so that the next is found at once
	next   int            // sort of the next new department
}

func newRegister(dir Directory) *register {
	g := &register{byName: map[string]*landmark.Department{}, slugs: map[string]bool{}, again: map[string]int{}, next: 1}
	for _, e := range dir {
		g.slugs[e.Slug] = true
		g.next = max(g.next, e.Sort+1)
		for _, name := range append([]string{e.Name}, e.Aliases...) {
			g.byName[name] = &e.Department
		}
	}
	return g
}

// department is the one printed as name; an unknown name is entered behind all
// known ones, in the order of first appearance.
func (g *register) department(name string) landmark.Department {
	name = strings.TrimSpace(name)
	if d, ok := g.byName[name]; ok {
		return *d
	}
	d := &landmark.Department{Name: name, Slug: g.slug(name), Sort: g.next, Collective: collective(name)}
	g.next++
	g.byName[name] = d
	return *d
}

// collective says whether a name means all towns and subdistricts together, as
// 各镇街道 does.
func collective(name string) bool {
	return strings.HasPrefix(name, "各") || strings.HasPrefix(name, "全市各")
}

// slug makes a department's name in addresses: its pinyin without the closing
// 局 or 部, numbered where it is taken.
func (g *register) slug(name string) string {
	short := name
	for _, end := range []string{"局", "部"} {
		if s, ok := strings.CutSuffix(name, end); ok && len([]rune(s)) >= 2 {
			short = s
		}
	}
	base := Slug(short)
	if base == "" {
		base = "department"
	}
	slug := base
	for g.slugs[slug] {
		g.again[base]++
		slug = fmt.Sprintf("%s-%d", base, g.again[base]+1)
	}
	g.slugs[slug] = true
	return slug
}

// maxSlug bounds a slug; a longer one is cut.
const maxSlug = 40

// Slug spells a Chinese name in letters for addresses: 文广旅体 is wenguanglvti.
// Marks part words with "-". Empty if nothing can be spelled.
func Slug(name string) string {
	args := pinyin.NewArgs()
	args.Fallback = func(r rune, _ pinyin.Args) []string {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			return []string{string(r)}
		case r >= 'A' && r <= 'Z':
			return []string{string(r - 'A' + 'a')}
		default:
			return []string{"-"}
		}
	}
	var b strings.Builder
	for _, reading := range pinyin.Pinyin(name, args) {
		s := strings.ReplaceAll(reading[0], "ü", "v")
		if s == "-" && (b.Len() == 0 || strings.HasSuffix(b.String(), "-")) {
			continue
		}
		if b.Len()+len(s) > maxSlug {
			break
		}
		b.WriteString(s)
	}
	return strings.Trim(b.String(), "-")
}
