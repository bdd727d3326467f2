package server

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"

	"landmark/internal/bulletin"
	"landmark/internal/landmark"
	"landmark/web/view"
)

// letterSections are the one part a letter has.
var letterSections = []bulletinSection{{bulletin.SectionHead, "催办函"}}

// letterOf reads the plan, the month and the department in the address of a
// letter, and the letter as it went out where it did.
func (s *Server) letterOf(r *http.Request) (rec *landmark.Record, m landmark.Month, department string, issued *bulletin.FrozenLetter, err error) {
	rec, m, q, err := s.bulletinMonth(r)
	if err != nil {
		return nil, 0, "", nil, err
	}
	if !q.asOf.IsZero() {
		return nil, 0, "", nil, landmark.Errorf(landmark.NotFound, "as_of", "催办函只看现在的,没有历史时点")
	}
	if department, err = pathParam(r, "department"); err != nil {
		return nil, 0, "", nil, err
	}
	switch l, err := s.bulletins.IssuedLetter(r.Context(), rec, m, department); {
	case err == nil:
		return rec, m, department, &l, nil
	case landmark.KindOf(err) != landmark.NotFound:
		return nil, 0, "", nil, err
	}
	return rec, m, department, nil, nil
}

// showLetter handles GET /bulletins/{month}/letters/{department}: the letter as it
// went out, or its draft.
func (s *Server) showLetter(w http.ResponseWriter, r *http.Request) error {
	rec, m, department, l, err := s.letterOf(r)
	if err != nil {
		return err
	}
	if l == nil {
		return s.answerLetter(w, r, http.StatusOK, department, draftForm{plan: rec.Plan.Slug, month: m})
	}
	page, err := s.letterPage(r, rec, l.Letter)
	if err != nil {
		return err
	}
	page.Issued = &view.BulletinStamp{Number: l.Number(), Title: l.Title, By: l.IssuedBy, At: l.IssuedAt.In(s.zone), AsOf: l.IssuedAt.In(s.zone), Hash: fmt.Sprintf("%x", l.SHA256)}
	return s.render(w, r, http.StatusOK, view.Bulletin(page))
}

func letterPath(m landmark.Month, d landmark.Department) string {
	return "/bulletins/" + m.String() + "/letters/" + url.PathEscape(d.Slug)
}

// letterPage is what draft and issue have in common.
func (s *Server) letterPage(r *http.Request, rec *landmark.Record, l bulletin.Letter) (view.BulletinPage, error) {
	p, err := s.page(r, rec, l.Month, "催办函")
	if err != nil {
		return view.BulletinPage{}, err
	}
	p.Path = letterPath(l.Month, l.Department)
	page := view.BulletinPage{File: p.To(p.Path+"/file", "month", "")}
	for _, para := range l.Paragraphs() {
		page.Paragraphs = append(page.Paragraphs, docParagraph(para))
	}
	return view.NewLetterPage(p, l.Department, page), nil
}

// answerLetter shows the draft of a letter with its self-check, and what was typed
// where the form was refused.
func (s *Server) answerLetter(w http.ResponseWriter, r *http.Request, status int, department string, f draftForm) error {
	d, err := s.bulletins.DraftLetter(r.Context(), f.plan, f.month, department, s.now())
	if err != nil {
		return err
	}
	page, err := s.letterPage(r, d.Record, d.Letter)
	if err != nil {
		return err
	}
	e := editor(f, letterSections, d.Blocks, d.Faults)
	e.Action, e.Version, e.SavedBy, e.SavedAt, e.Unused = page.To(page.Path, "month", ""), d.Version, d.SavedBy, d.SavedAt.In(s.zone), d.Unused
	e.Fine, e.Warning = "主送机关和每一项未报指标都已写明,文中数字与数据一致。", "印发后不能再改,同时记一次催报,对方下次登录时看到提醒。"
	e.Figures = docFigures(d.Figures)
	page.Editor = e
	return s.render(w, r, status, view.Bulletin(page))
}

// writeLetter handles POST /bulletins/{month}/letters/{department}: action save or
// issue, as with the bulletin.
func (s *Server) writeLetter(w http.ResponseWriter, r *http.Request) error {
	rec, m, department, l, err := s.letterOf(r)
	if err != nil {
		return err
	}
	f, action, err := readDraft(r, rec, m)
	if err != nil {
		return err
	}
	if l != nil {
		return landmark.Errorf(landmark.Conflict, "", "给%s的%s催办函已经印发", l.Department.Name, m.Chinese())
	}
	by, user := doer(r)
	here := r.URL.Path
	if plan := r.URL.Query().Get("plan"); plan != "" {
		here += "?plan=" + url.QueryEscape(plan)
	}
	saved, err := s.bulletins.SaveLetter(r.Context(), user, by, rec.Plan.Slug, m, department, f.version, f.texts, s.now())
	if err == nil && action == "save" {
		return s.redirect(w, r, here, "草稿已保存")
	}
	if err == nil {
		if _, _, err = s.bulletins.IssueLetter(r.Context(), user, by, rec.Plan.Slug, m, department, saved, s.now()); err == nil {
			return s.redirect(w, r, here, "催办函已印发,并记了一次催报")
		}
		if landmark.KindOf(err) == landmark.Invalid {
			return s.answerLetter(w, r, http.StatusUnprocessableEntity, department, draftForm{plan: f.plan, month: m, refused: landmark.MessageOf(err)})
		}
	}
	switch _, missing := s.bulletins.IssuedLetter(r.Context(), rec, m, department); {
	case landmark.KindOf(err) == landmark.Conflict && landmark.KindOf(missing) == landmark.NotFound:
		f.refused, f.stale = "草稿刚被别人改动过,您写的都还在,请对照后再保存", true
		return s.answerLetter(w, r, http.StatusConflict, department, f)
	case landmark.KindOf(err) == landmark.Invalid:
		if f.faults, err = faults(err); err != nil {
			return err
		}
		f.refused = "草稿没有保存:" + f.faults[0].Message
		return s.answerLetter(w, r, http.StatusUnprocessableEntity, department, f)
	default:
		return err
	}
}

// exportLetter handles GET /bulletins/{month}/letters/{department}/file: the file
// as issued, or the draft's.
func (s *Server) exportLetter(w http.ResponseWriter, r *http.Request) error {
	rec, m, department, l, err := s.letterOf(r)
	if err != nil {
		return err
	}
	if l != nil {
		file, err := s.bulletins.LetterFile(r.Context(), rec, m, department)
		if err != nil {
			return err
		}
		s.download(w, docxType, "letter-"+m.String()+"-"+l.Department.Slug+".docx", file)
		return nil
	}
	d, err := s.bulletins.DraftLetter(r.Context(), rec.Plan.Slug, m, department, s.now())
	if err != nil {
		return err
	}
	var file bytes.Buffer
	if err := d.WriteDOCX(&file); err != nil {
		return err
	}
	s.download(w, docxType, "letter-"+m.String()+"-"+d.Department.Slug+"-draft.docx", file.Bytes())
	return nil
}
