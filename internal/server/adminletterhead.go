package server

import (
	"net/http"

	"landmark/internal/landmark"
	"landmark/internal/store"
	"landmark/web/view"
)

// showLetterhead handles GET /admin/letterhead.
func (s *Server) showLetterhead(w http.ResponseWriter, r *http.Request) error {
	return s.answerLetterhead(w, r, http.StatusOK, view.Typed{})
}

func (s *Server) answerLetterhead(w http.ResponseWriter, r *http.Request, status int, typed view.Typed) error {
	rec, page, err := s.upkeep(r)
	if err != nil {
		return err
	}
	head, err := s.bulletins.Letterhead(r.Context(), rec.Plan, s.now())
	if err != nil {
		return err
	}
	past, err := s.past(r, store.HistoryFilter{PlanID: rec.Plan.ID, Act: "letterhead.set"})
	if err != nil {
		return err
	}
	shown := view.Letterhead{Letterhead: head.Letterhead, Year: head.Year, Next: head.Bulletin, NextLetter: head.Letter, Past: past}
	return s.render(w, r, status, view.Upkeeping(view.NewLetterheadPage(page, rec, shown, typed)))
}

// keepLetterhead handles POST /admin/letterhead.
func (s *Server) keepLetterhead(w http.ResponseWriter, r *http.Request) error {
	t := typedIn(r)
	if t.Form != "letterhead" {
		return unknownForm()
	}
	by, u := doer(r)
	h := landmark.Letterhead{
		Version: t.whole("version", "表单里没有设置的版本,请重新打开这一页"), Org: t.text("org"), Sign: t.text("sign"),
		BulletinNumber: t.text("bulletin_number"), LetterNumber: t.text("letter_number"),
		BulletinUsed: t.used("bulletin_used"), LetterUsed: t.used("letter_used"),
		Addressee: t.text("addressee"), Copies: t.text("copies"), Printer: t.text("printer"), Contact: t.text("contact"),
	}
	status := http.StatusUnprocessableEntity
	if len(t.Faults) == 0 {
		err := s.bulletins.SetLetterhead(r.Context(), u, by, t.planSlug, h, s.now())
		if err == nil {
			return s.redirect(w, r, t.withPlan("/admin/letterhead"), "发文设置已保存,下一份稿子起用")
		}
		if status, err = t.refused(err); err != nil {
			return err
		}
	}
	return s.answerLetterhead(w, r, status, t.Typed)
}

// used reads a number already taken; nothing is none.
func (t *typing) used(name string) int {
	if t.text(name) == "" {
		return 0
	}
	return t.whole(name, "已用到的号请写整数,例如 8")
}
