package view

import (
	"strings"
	"testing"

	"github.com/a-h/templ"

	"landmark/internal/landmark"
)

// madeBulletins are the list, an issue and a draft with every kind of trouble.
func madeBulletins(r *landmark.Record) map[string]templ.Component {
	stamp := &BulletinStamp{Number: "〔2023〕1号", Title: "关于2023年8月份共同富裕标志性成果进展情况的通报", By: "办公室", At: r.AsOf, AsOf: r.AsOf, Hash: strings.Repeat("ab", 32)}
	document := BulletinPage{
		File:       "/bulletins/2023-09/file",
		Paragraphs: []DocParagraph{{"org", []string{"桐乡市人民政府办公室"}}, {"title", []string{"关于2023年9月份", "情况的通报"}}, {"heading", []string{"一、总体情况"}}, {"body", []string{"<b>截至9月底</b>"}}},
		Annex:      DocTable{Title: "情况表", Head: []string{"编号", "标志性成果"}, Rows: []DocRow{{landmark.Critical, []string{"1.1", "桐享 优育"}}}},
		Letters:    []DocLetter{{Department: "民政局", Missing: 1, Href: "/bulletins/2023-09/letters/minzheng"}},
	}
	issued, draft, sound := document, document, document
	issued.Issued, issued.Letters = stamp, nil
	draft.Editor = &BulletinEditor{
		Action: "/bulletins/2023-09", Version: 3, SavedBy: "办公室", SavedAt: r.AsOf, Refused: "草稿刚被别人改动过", Unused: []string{"lagging.3.1"},
		Faults: []Fault{{Field: "t-overall", Message: "手写数字"}, {Message: "占比"}}, Figures: []DocFigure{{"total", "30"}},
		Sections: []BulletinSection{{Name: "总体情况", Open: true, Blocks: []BulletinBlock{
			{Key: "overall", Label: "总体情况", Template: "共{{total}}项</textarea>", Text: "共30项</textarea>", Edited: true, Other: "共{{total}}项", Faults: []string{"手写数字"}},
			{Key: "overall.extra", Label: "补充段落"}}}},
	}
	sound.Editor = &BulletinEditor{Action: "/bulletins/2023-09"}
	page := func() Page { return madePage(r, 9, "/bulletins/2023-09") }
	return map[string]templ.Component{
		"bulletin-issued": Bulletin(NewBulletinPage(page(), issued)),
		"bulletin-draft":  Bulletin(NewBulletinPage(page(), draft)),
		"bulletin-sound":  Bulletin(NewBulletinPage(page(), sound)),
		"bulletins": Bulletins(BulletinsPage{Page: madePage(r, 9, "/bulletins"), Rows: []BulletinRow{
			{Month: landmark.MonthOf(2023, 9), State: "待印发", Href: "/bulletins/2023-09"}, {Month: landmark.MonthOf(2023, 8), Issued: stamp, Href: "/bulletins/2023-08", File: "/bulletins/2023-08/file"}}}),
	}
}

func TestBulletinPages(t *testing.T) {
	t.Parallel()
	pages := madeBulletins(madeRecord())
	draft, issued := render(t, pages["bulletin-draft"]), render(t, pages["bulletin-issued"])
	for _, want := range []string{`href="#t-overall"`, `id="t-overall"`, `name="text[overall]"`, "共{{total}}项&lt;/textarea&gt;", "刚才别人保存的是", `role="alert"`, `name="version" value="3"`} {
		if !strings.Contains(draft, want) {
			t.Errorf("the draft lacks %s", want)
		}
	}
	if !strings.Contains(issued, "&lt;b&gt;截至9月底") || strings.Contains(issued, "<textarea") || !strings.Contains(issued, "abab") {
		t.Error("the issue is not frozen, not escaped or lacks its hash")
	}
	if sound := render(t, pages["bulletin-sound"]); !strings.Contains(sound, "没有问题,可以印发") {
		t.Error("a sound draft does not say so")
	}
}
