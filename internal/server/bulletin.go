package server

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"landmark/internal/auth"
	"landmark/internal/bulletin"
	"landmark/internal/landmark"
	"landmark/web/view"
)

const docxType = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

// bulletinBody is how large a draft's form may be: each text as long as allowed.
const bulletinBody = 2 << 20

// showBulletins handles GET /bulletins.
func (s *Server) showBulletins(w http.ResponseWriter, r *http.Request) error {
	rec, month, err := s.record(r)
	if err != nil {
		return err
	}
	p, err := s.page(r, rec, month, "通报")
	if err != nil {
		return err
	}
	q, err := s.asked(r)
	if err != nil {
		return err
	}
	issued, err := s.bulletins.List(r.Context(), rec.Plan.ID, q.asOf)
	if err != nil {
		return err
	}
	list := view.BulletinsPage{Page: p, CanIssue: p.User.CanIssue() && q.asOf.IsZero()}
	if list.CanIssue {
		list.Settings = "/admin/letterhead?plan=" + url.QueryEscape(rec.Plan.Slug)
	}
	months := rec.Plan.Months()
	slices.Reverse(months)
	for _, m := range months {
		row := view.BulletinRow{Month: m, State: "待印发"}
		if m.LastDay().Compare(rec.Today()) >= 0 {
			row.State = "未到期"
		} else if list.CanIssue {
			row.Href = p.To("/bulletins/"+m.String(), "month", "")
		}
		for _, b := range issued {
			if b.Issue.Month == m {
				row.Issued = s.stamp(b)
				row.Href, row.File = p.To("/bulletins/"+m.String(), "month", ""), p.To("/bulletins/"+m.String()+"/file", "month", "")
			}
		}
		list.Rows = append(list.Rows, row)
	}
	return s.render(w, r, http.StatusOK, view.Bulletins(list))
}

func (s *Server) stamp(b bulletin.Frozen) *view.BulletinStamp {
	return &view.BulletinStamp{Number: b.Number, Title: b.Title, By: b.IssuedBy,
		At: b.IssuedAt.In(s.zone), AsOf: b.Issue.AsOf.In(s.zone), Hash: fmt.Sprintf("%x", b.SHA256)}
}

// bulletinMonth reads the month in the address of a bulletin with the plan it
// belongs to. The month shown is that one, whatever else was asked for.
func (s *Server) bulletinMonth(r *http.Request) (*landmark.Record, landmark.Month, question, error) {
	q, err := s.asked(r)
	if err != nil {
		return nil, 0, q, err
	}
	text, err := pathParam(r, "month")
	if err != nil {
		return nil, 0, q, err
	}
	m, err := landmark.ParseMonth(text)
	if err != nil {
		return nil, 0, q, landmark.Errorf(landmark.NotFound, "month", "%s", landmark.MessageOf(err))
	}
	rec, err := s.store.Record(r.Context(), q.plan, q.asOf, s.now(), s.zone)
	if err != nil {
		return nil, 0, q, err
	}
	if first, last := rec.Plan.FirstMonth(), rec.Plan.LastMonth(); m < first || m > last {
		return nil, 0, q, landmark.Errorf(landmark.NotFound, "month", "这个方案没有%s,只有%s到%s", m.Chinese(), first.Chinese(), last.Chinese())
	}
	return rec, m, q, nil
}

// issued reads a month's bulletin as issued by the moment asked about. The error
// is NotFound where it was not.
func (s *Server) issued(r *http.Request, rec *landmark.Record, m landmark.Month, q question) (bulletin.Frozen, error) {
	b, err := s.bulletins.Issued(r.Context(), rec.Plan.ID, m)
	if err != nil && landmark.KindOf(err) != landmark.NotFound {
		return b, err
	}
	if err != nil || !q.asOf.IsZero() && b.IssuedAt.After(q.asOf) {
		return b, landmark.Errorf(landmark.NotFound, "month", "%s的通报还没有印发", m.Chinese())
	}
	return b, nil
}

// mayDraft says whether the visitor sees the draft of a month not issued.
func mayDraft(r *http.Request, q question) bool {
	return auth.VisitFrom(r.Context()).User.CanIssue() && q.asOf.IsZero()
}

// showBulletin handles GET /bulletins/{month}: the issue for everybody, the
// draft for the office.
func (s *Server) showBulletin(w http.ResponseWriter, r *http.Request) error {
	rec, m, q, err := s.bulletinMonth(r)
	if err != nil {
		return err
	}
	b, err := s.issued(r, rec, m, q)
	if landmark.KindOf(err) == landmark.NotFound && mayDraft(r, q) {
		return s.answerDraft(w, r, http.StatusOK, draftForm{plan: q.plan, month: m})
	}
	if err != nil {
		return err
	}
	page, err := s.bulletinPage(r, rec, m, b.Bulletin)
	if err != nil {
		return err
	}
	page.Issued = s.stamp(b)
	return s.render(w, r, http.StatusOK, view.Bulletin(page))
}

// bulletinPage is what draft and issue have in common.
func (s *Server) bulletinPage(r *http.Request, rec *landmark.Record, m landmark.Month, b bulletin.Bulletin) (view.BulletinPage, error) {
	p, err := s.page(r, rec, m, m.Chinese()+"通报")
	if err != nil {
		return view.BulletinPage{}, err
	}
	p.Path = "/bulletins/" + m.String()
	page := view.BulletinPage{File: p.To(p.Path+"/file", "month", ""), Annex: view.DocTable{Title: b.Annex.Title, Head: b.Annex.Head, Note: b.Annex.Note}}
	for _, para := range b.Paragraphs() {
		if shown := docParagraph(para); para.Style.Imprint() {
			page.Imprint = append(page.Imprint, shown)
		} else {
			page.Paragraphs = append(page.Paragraphs, shown)
		}
	}
	for _, row := range b.Annex.Rows {
		page.Annex.Rows = append(page.Annex.Rows, view.DocRow{Light: row.Light, Cells: row.Cells})
	}
	if p.User.CanIssue() && p.AsOf == nil {
		letters, err := s.bulletins.Letters(r.Context(), rec.Plan.Slug, m, s.now())
		if err != nil {
			return view.BulletinPage{}, err
		}
		for _, l := range letters {
			link := view.DocLetter{Department: l.Department.Name, Missing: l.Missing, Href: p.To(p.Path+"/letters/"+url.PathEscape(l.Department.Slug), "month", "")}
			if l.Issued != nil {
				link.Issued = view.Moment(l.Issued.IssuedAt.In(s.zone))
			}
			page.Letters = append(page.Letters, link)
		}
	}
	return view.NewBulletinPage(p, page), nil
}

func docParagraph(p bulletin.Paragraph) view.DocParagraph {
	return view.DocParagraph{Style: string(p.Style), Lines: strings.Split(p.Text, "\n")}
}

// draftForm is a draft's form as it came, to be shown again when it is refused.
type draftForm struct {
	plan    string
	month   landmark.Month
	version int
	texts   map[string]string // as typed, by block; nil at the first visit
	refused string
	stale   bool         // somebody else saved first
	faults  []view.Fault // of single texts; the field is the block's key
}

type bulletinSection struct {
	section bulletin.Section
	name    string
}

var bulletinSections = []bulletinSection{
	{bulletin.SectionHead, "文头与引言"}, {bulletin.SectionOverall, "总体情况"}, {bulletin.SectionGood, "进展较好的指标"}, {bulletin.SectionLagging, "滞后的指标"},
	{bulletin.SectionDiscipline, "报送情况"}, {bulletin.SectionNext, "下一步工作要求"}, {bulletin.SectionCorrections, "上期通报以来的更正"}, {bulletin.SectionFoot, "附件、落款与版记"},
}

// editor is the form around a draft's blocks: with the faults of the self-check
// and, where the form was refused, what was typed.
func editor(f draftForm, sections []bulletinSection, blocks []bulletin.Block, faults []bulletin.Fault) *view.BulletinEditor {
	e := &view.BulletinEditor{Refused: f.refused}
	wrong := map[string][]string{}
	for _, fault := range f.faults {
		wrong[fault.Field] = append(wrong[fault.Field], fault.Message)
	}
	for _, fault := range faults {
		shown := view.Fault{Message: fault.Kind.Chinese() + ":" + fault.Message}
		if slices.ContainsFunc(blocks, func(b bulletin.Block) bool { return b.Key == fault.Block }) {
			shown.Field = view.BulletinBlock{Key: fault.Block}.Field()
			wrong[fault.Block] = append(wrong[fault.Block], fault.Message)
		}
		e.Faults = append(e.Faults, shown)
	}
	for _, section := range sections {
		part := view.BulletinSection{Name: section.name, Open: len(sections) == 1}
		for _, b := range blocks {
			if b.Section != section.section {
				continue
			}
			block := view.BulletinBlock{Key: b.Key, Label: b.Label, Before: b.Prefix + b.Lead, Template: b.Template, Text: b.Text, Edited: b.Edited, Faults: wrong[b.Key]}
			if typed, ok := f.texts[b.Key]; ok {
				if f.stale && strings.TrimSpace(typed) != b.Template {
					block.Other = b.Template
				}
				block.Template = typed
			}
			part.Open = part.Open || len(block.Faults) > 0 || block.Other != ""
			part.Blocks = append(part.Blocks, block)
		}
		if len(part.Blocks) > 0 {
			e.Sections = append(e.Sections, part)
		}
	}
	return e
}

func docFigures(figures map[string]string) []view.DocFigure {
	var out []view.DocFigure
	for _, name := range slices.Sorted(maps.Keys(figures)) {
		out = append(out, view.DocFigure{Name: name, Text: figures[name]})
	}
	return out
}

// answerDraft shows a month's draft with its self-check, and what was typed
// where the form was refused.
func (s *Server) answerDraft(w http.ResponseWriter, r *http.Request, status int, f draftForm) error {
	d, err := s.bulletins.Draft(r.Context(), f.plan, f.month, s.now())
	if err != nil {
		return err
	}
	page, err := s.bulletinPage(r, d.Record, f.month, d.Bulletin)
	if err != nil {
		return err
	}
	e := editor(f, bulletinSections, d.Blocks, d.Faults)
	e.Action, e.Version, e.SavedBy, e.SavedAt, e.Unused = page.To(page.Path, "month", ""), d.Version, d.SavedBy, d.SavedAt.In(s.zone), d.Unused
	e.Fine, e.Warning = "分组相加等于总数,占比合计 100.0%,滞后指标和漏报单位都已点名,文中数据与核定数据一致。", "印发后不能再改。"
	e.Figures = docFigures(d.Figures)
	page.Editor = e
	return s.render(w, r, status, view.Bulletin(page))
}

// readDraft reads the form of a draft: what is typed, and whether to save or to
// issue it.
func readDraft(r *http.Request, rec *landmark.Record, m landmark.Month) (f draftForm, action string, err error) {
	version, err := strconv.Atoi(r.PostFormValue("version"))
	if err != nil || version < 0 {
		return f, "", problem(http.StatusBadRequest, "表单里没有草稿的版本,请重新打开这一页")
	}
	if action = r.PostFormValue("action"); action != "save" && action != "issue" {
		return f, "", problem(http.StatusBadRequest, "只能保存草稿或印发")
	}
	f = draftForm{plan: rec.Plan.Slug, month: m, version: version, texts: map[string]string{}}
	for name, values := range r.PostForm {
		if key, ok := strings.CutPrefix(name, "text["); ok && strings.HasSuffix(key, "]") {
			f.texts[strings.TrimSuffix(key, "]")] = values[0]
		}
	}
	return f, action, nil
}

// writeBulletin handles POST /bulletins/{month}: action save or issue. Issuing
// saves first, so that what is typed is what goes out.
func (s *Server) writeBulletin(w http.ResponseWriter, r *http.Request) error {
	rec, m, q, err := s.bulletinMonth(r)
	if err != nil {
		return err
	}
	f, action, err := readDraft(r, rec, m)
	if err != nil {
		return err
	}
	v := auth.VisitFrom(r.Context())
	user, by := v.User, v.Actor()
	here := "/bulletins/" + m.String()
	if q.plan != "" {
		here += "?plan=" + url.QueryEscape(q.plan)
	}
	saved, err := s.bulletins.Save(r.Context(), user, by, rec.Plan.Slug, m, f.version, f.texts, s.now())
	if err == nil && action == "save" {
		return s.redirect(w, r, here, "草稿已保存")
	}
	if err == nil {
		if _, _, err = s.bulletins.Issue(r.Context(), user, by, rec.Plan.Slug, m, saved, s.now()); err == nil {
			return s.redirect(w, r, here, m.Chinese()+"的通报已印发")
		}
		if landmark.KindOf(err) == landmark.Invalid { // saved, and the self-check says what is left
			return s.answerDraft(w, r, http.StatusUnprocessableEntity, draftForm{plan: f.plan, month: m, refused: landmark.MessageOf(err)})
		}
	}
	switch _, missing := s.bulletins.Issued(r.Context(), rec.Plan.ID, m); {
	case landmark.KindOf(err) == landmark.Conflict && landmark.KindOf(missing) == landmark.NotFound:
		f.refused, f.stale = "草稿刚被别人改动过,您写的都还在,请对照后再保存", true
		return s.answerDraft(w, r, http.StatusConflict, f)
	case landmark.KindOf(err) == landmark.Invalid:
		if f.faults, err = faults(err); err != nil {
			return err
		}
		f.refused = "草稿没有保存:" + f.faults[0].Message
		return s.answerDraft(w, r, http.StatusUnprocessableEntity, f)
	default:
		return err
	}
}

// exportBulletin handles GET /bulletins/{month}/file: the file as issued, or
// for the office the draft's.
func (s *Server) exportBulletin(w http.ResponseWriter, r *http.Request) error {
	rec, m, q, err := s.bulletinMonth(r)
	if err != nil {
		return err
	}
	_, err = s.issued(r, rec, m, q)
	if landmark.KindOf(err) == landmark.NotFound && mayDraft(r, q) {
		d, err := s.bulletins.Draft(r.Context(), rec.Plan.Slug, m, s.now())
		if err != nil {
			return err
		}
		var file bytes.Buffer
		if err := d.WriteDOCX(&file); err != nil {
			return err
		}
		s.download(w, docxType, "bulletin-"+m.String()+"-draft.docx", file.Bytes())
		return nil
	}
	if err != nil {
		return err
	}
	file, err := s.bulletins.File(r.Context(), rec.Plan.ID, m)
	if err != nil {
		return err
	}
	s.download(w, docxType, "bulletin-"+m.String()+".docx", file)
	return nil
}
