package view

import (
	"bytes"
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/a-h/templ"

	"landmark/internal/landmark"
)

// madePages are all pages of this file's subjects in many states, by name.
func madePages() map[string]templ.Component {
	full, empty := madeRecord(), emptyRecord(madePlan())
	out := map[string]templ.Component{}
	for _, ind := range full.Plan.Indicators() {
		out["indicator-"+ind.Code] = Indicator(NewIndicatorPage(madePage(full, 9, "/indicators/"+ind.Code), full, ind))
	}
	for _, month := range []int{5, 7, 8, 12} {
		for _, code := range []string{"2.1", "3.1", "3.3", "4.1", "5.1", "6.2"} {
			out["indicator-"+code+"-"+itoa(month)] = Indicator(NewIndicatorPage(madePage(full, month, "/indicators/"+code), full, mustIndicator(full.Plan, code)))
		}
	}
	for _, code := range []string{"1.2", "4.1", "5.1", "9.2"} {
		out["indicator-"+code+"-empty"] = Indicator(NewIndicatorPage(madePage(empty, 9, "/indicators/"+code), empty, mustIndicator(empty.Plan, code)))
	}
	viewer := madePage(full, 8, "/indicators/2.1")
	viewer.User = landmark.User{ID: 2, Name: "viewer", DisplayName: "查阅员", Role: landmark.RoleViewer}
	out["indicator-viewer"] = Indicator(NewIndicatorPage(viewer, full, mustIndicator(full.Plan, "2.1")))
	return out
}

func render(t *testing.T, c templ.Component) string {
	t.Helper()
	var b bytes.Buffer
	if err := c.Render(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPagesAreSound(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("LANDMARK_PAGES") // where to leave the pages for looking at
	for name, page := range madePages() {
		html := render(t, page)
		if dir != "" {
			if err := os.WriteFile(filepath.Join(dir, name+".html"), []byte(html), 0o644); err != nil {
				t.Error(err)
			}
		}
		for _, fault := range faults(html) {
			t.Errorf("%s: %s", name, fault)
		}
	}
}

// faults reads a page as a browser with little patience would: every element
// closed, one h1, every id once, every reference met, nothing inline.
func faults(html string) []string {
	var out []string
	dec := xml.NewDecoder(strings.NewReader(html))
	dec.Strict, dec.AutoClose, dec.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var open []string
	ids, refs, heads := map[string]bool{}, map[string]string{}, 0
	for {
		token, err := dec.RawToken()
		if err == io.EOF {
			break
		}
		if err != nil {
			return append(out, err.Error())
		}
		switch e := token.(type) {
		case xml.StartElement:
			if e.Name.Local == "h1" {
				heads++
			}
			for _, a := range e.Attr {
				switch {
				case a.Name.Local == "id" && ids[a.Value]:
					out = append(out, "id "+a.Value+" stands twice")
				case a.Name.Local == "id":
					ids[a.Value] = true
				case a.Name.Local == "style" || strings.HasPrefix(a.Name.Local, "on"):
					out = append(out, "inline attribute "+a.Name.Local+" on "+e.Name.Local)
				case a.Name.Local == "aria-labelledby" || a.Name.Local == "aria-describedby" || a.Name.Local == "for":
					for _, id := range strings.Fields(a.Value) {
						refs[id] = a.Name.Local
					}
				}
			}
			if !void[e.Name.Local] {
				open = append(open, e.Name.Local)
			}
		case xml.EndElement:
			if void[e.Name.Local] {
				continue
			}
			if len(open) == 0 || open[len(open)-1] != e.Name.Local {
				return append(out, "</"+e.Name.Local+"> closes nothing of "+strings.Join(open, ">"))
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		out = append(out, "left open: "+strings.Join(open, ">"))
	}
	if heads != 1 {
		out = append(out, "has "+itoa(heads)+" h1")
	}
	for id, by := range refs {
		if !ids[id] {
			out = append(out, by+" points to nothing: "+id)
		}
	}
	for _, bad := range []string{"%!", "NaN", "&lt;nil&gt;", "0001年", "1月1日 00:00"} {
		if strings.Contains(html, bad) {
			out = append(out, "says "+bad)
		}
	}
	return out
}

var void = map[string]bool{"meta": true, "link": true, "input": true, "br": true, "col": true, "hr": true, "img": true}
