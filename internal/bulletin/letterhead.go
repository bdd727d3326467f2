package bulletin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"landmark/internal/landmark"
	"landmark/internal/store"
)

// Letterhead is what a plan's papers carry, and the numbers the next would get
// if they were issued now.
type Letterhead struct {
	landmark.Letterhead
	Year     int
	Bulletin string // 共富通报〔2023〕3号
	Letter   string // empty where letters have no number
}

// Letterhead reads what a plan's papers carry.
func (s *Service) Letterhead(ctx context.Context, plan *landmark.Plan, now time.Time) (Letterhead, error) {
	head, err := s.store.Letterhead(ctx, plan)
	if err != nil {
		return Letterhead{}, err
	}
	out := Letterhead{Letterhead: head, Year: now.In(s.zone).Year()}
	used, letters := head.UsedIn(out.Year)
	n, err := s.store.NextBulletinNumber(ctx, plan.City, out.Year, used)
	if err != nil {
		return Letterhead{}, err
	}
	out.Bulletin = numbered(head.BulletinNumber, out.Year, n)
	if n, err = s.store.NextLetterNumber(ctx, plan.City, out.Year, letters); err != nil {
		return Letterhead{}, err
	}
	out.Letter = numbered(head.LetterNumber, out.Year, n)
	return out, nil
}

// numbered is a form of 发文字号 with its year and number.
func numbered(form string, year, number int) string {
	return resolve(form, map[string]string{"year": strconv.Itoa(year), "number": strconv.Itoa(number)})
}

// SetLetterhead sets what the papers of a plan carry from the next draft on. The
// error is Conflict unless h.Version is the one that holds, Invalid with its
// field for what cannot stand there. What is issued stays as it went out.
func (s *Service) SetLetterhead(ctx context.Context, u landmark.User, by landmark.Actor, slug string, h landmark.Letterhead, now time.Time) error {
	if !u.CanIssue() {
		return landmark.Errorf(landmark.Forbidden, "", "只有市府办可以改动发文设置")
	}
	h = h.Tidied()
	if err := h.Check(); err != nil {
		return err
	}
	h.UsedYear = now.In(s.zone).Year()
	return s.store.Tx(ctx, func(st *store.Store) error {
		r, err := st.Record(ctx, slug, time.Time{}, now, s.zone)
		if err != nil {
			return err
		}
		old, err := st.Letterhead(ctx, r.Plan)
		if err != nil {
			return err
		}
		before, after, err := letterheadChange(old, h)
		if err != nil {
			return err
		}
		if h.Version == old.Version && bytes.Equal(before, after) {
			return nil
		}
		if err := st.SaveLetterhead(ctx, r.Plan.ID, h, by, now); err != nil {
			return err
		}
		return st.AddHistory(ctx, landmark.HistoryEntry{At: now, Actor: by, Act: "letterhead.set", PlanID: r.Plan.ID, Object: r.Plan.Title, Before: before, After: after})
	})
}

// letterheadChange describes what changes, and only that.
func letterheadChange(old, h landmark.Letterhead) (before, after []byte, err error) {
	was, is := map[string]any{}, map[string]any{}
	oldBulletin, oldLetter := old.UsedIn(h.UsedYear)
	for _, f := range []struct {
		name    string
		was, is any
	}{
		{"org", old.Org, h.Org}, {"sign", old.Sign, h.Sign}, {"bulletin_number", old.BulletinNumber, h.BulletinNumber}, {"letter_number", old.LetterNumber, h.LetterNumber},
		{"bulletin_used", oldBulletin, h.BulletinUsed}, {"letter_used", oldLetter, h.LetterUsed}, {"addressee", old.Addressee, h.Addressee},
		{"copies", old.Copies, h.Copies}, {"printer", old.Printer, h.Printer}, {"contact", old.Contact, h.Contact},
	} {
		if f.was != f.is {
			was[f.name], is[f.name] = f.was, f.is
		}
	}
	if before, err = json.Marshal(was); err == nil {
		after, err = json.Marshal(is)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("describe letterhead: %w", err)
	}
	return before, after, nil
}
