package bulletin

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
	"unicode/utf8"

	"landmark/internal/landmark"
	"landmark/internal/store"
)

// LetterState is where the letter to a department stands for a month.
type LetterState struct {
	Department landmark.Department
	Missing    int           // how many indicators, now
	Issued     *FrozenLetter // without its text; nil: not yet
}

// DraftedLetter is the draft of a chase letter with what its page shows beside it.
type DraftedLetter struct {
	Letter
	Record  *landmark.Record
	Faults  []Fault
	Version int // of the office's texts; 0 before any
	SavedBy string
	SavedAt time.Time
}

// FrozenLetter is a chase letter as it went out.
type FrozenLetter struct {
	Letter
	Year     int
	Serial   int // within the year; 0: letters had no number
	Title    string
	SHA256   []byte
	IssuedBy string
	IssuedAt time.Time
}

// Letters are the month's chase letters: those that went out, and those to
// departments that owe reports now, in the plan's order.
func (s *Service) Letters(ctx context.Context, slug string, m landmark.Month, now time.Time) ([]LetterState, error) {
	r, err := s.store.Record(ctx, slug, now, now, s.zone)
	if err != nil {
		return nil, err
	}
	rows, err := s.store.LetterIssues(ctx, r.Plan.ID, m)
	if err != nil {
		return nil, err
	}
	var out []LetterState
	for _, d := range r.Disciplines(m) {
		l := LetterState{Department: d.Department, Missing: d.Missing}
		if i := slices.IndexFunc(rows, func(row store.LetterIssue) bool { return row.DepartmentID == d.Department.ID }); i >= 0 {
			f := frozenLetter(rows[i], d.Department)
			l.Issued = &f
		}
		if l.Issued != nil || l.Missing > 0 {
			out = append(out, l)
		}
	}
	return out, nil
}

// DraftLetter drafts the letter to a department, named by its slug or name, from
// the data as they stand now. The error is NotFound where it owes nothing, and
// Conflict where the letter went out already.
func (s *Service) DraftLetter(ctx context.Context, slug string, m landmark.Month, department string, now time.Time) (DraftedLetter, error) {
	r, err := s.store.Record(ctx, slug, now, now, s.zone)
	if err != nil {
		return DraftedLetter{}, err
	}
	d, _, err := s.draftLetter(ctx, s.store, r, m, department, now)
	return d, err
}

func (s *Service) draftLetter(ctx context.Context, st *store.Store, r *landmark.Record, m landmark.Month, department string, now time.Time) (DraftedLetter, Input, error) {
	owing, err := chased(r, m, department)
	if err != nil {
		return DraftedLetter{}, Input{}, err
	}
	switch _, err := st.LetterIssue(ctx, r.Plan.ID, owing.Department.ID, m); {
	case err == nil:
		return DraftedLetter{}, Input{}, landmark.Errorf(landmark.Conflict, "department", "给%s的%s催办函已经印发", owing.Department.Name, m.Chinese())
	case landmark.KindOf(err) != landmark.NotFound:
		return DraftedLetter{}, Input{}, err
	}
	if owing.Missing == 0 {
		return DraftedLetter{}, Input{}, landmark.Errorf(landmark.NotFound, "department", "%s%s没有漏报,不用催办", owing.Department.Name, m.Chinese())
	}
	saved, err := st.LetterDraft(ctx, r.Plan.ID, owing.Department.ID, m)
	if err != nil {
		return DraftedLetter{}, Input{}, err
	}
	in := Input{Board: r.Board(m), Date: landmark.DateOf(now.In(s.zone)), Texts: saved.Texts}
	if in.Letterhead, err = st.Letterhead(ctx, r.Plan); err != nil {
		return DraftedLetter{}, Input{}, err
	}
	_, used := in.Letterhead.UsedIn(in.Date.Year)
	if in.Number, err = st.NextLetterNumber(ctx, r.Plan.City, in.Date.Year, used); err != nil {
		return DraftedLetter{}, Input{}, err
	}
	l := draftLetter(in, owing)
	return DraftedLetter{Letter: l, Record: r, Faults: CheckLetter(l, in), Version: saved.Version, SavedBy: saved.SavedBy, SavedAt: saved.SavedAt}, in, nil
}

// chased finds a department that leads a project, by its slug or name, and how it
// kept the month's dates.
func chased(r *landmark.Record, m landmark.Month, department string) (landmark.Discipline, error) {
	if m < r.Plan.FirstMonth() || m > r.Plan.LastMonth() {
		return landmark.Discipline{}, landmark.Errorf(landmark.NotFound, "month", "%s没有%s", r.Plan.Title, m.Chinese())
	}
	all := r.Disciplines(m)
	i := slices.IndexFunc(all, func(d landmark.Discipline) bool {
		return d.Department.Slug == department || d.Department.Name == department
	})
	if i < 0 {
		return landmark.Discipline{}, landmark.Errorf(landmark.NotFound, "department", "没有这个牵头单位")
	}
	return all[i], nil
}

// SaveLetter puts the office's texts into the draft of a letter and returns its
// new version, as Save does for the bulletin.
func (s *Service) SaveLetter(ctx context.Context, u landmark.User, by landmark.Actor, slug string, m landmark.Month, department string, version int, texts map[string]string, now time.Time) (saved int, err error) {
	if !u.CanIssue() {
		return 0, landmark.Errorf(landmark.Forbidden, "", "只有市府办可以编写催办函")
	}
	err = s.store.Tx(ctx, func(st *store.Store) error {
		r, err := st.Record(ctx, slug, now, now, s.zone)
		if err != nil {
			return err
		}
		d, in, err := s.draftLetter(ctx, st, r, m, department, now)
		if err != nil {
			return err
		}
		owing, err := chased(r, m, department)
		if err != nil {
			return err
		}
		kept := maps.Clone(in.Texts)
		in.Texts = nil
		if err := keep(kept, draftLetter(in, owing).Blocks, texts); err != nil {
			return err
		}
		saved, err = st.SaveLetterDraft(ctx, r.Plan.ID, d.Department.ID, m, version, kept, by, now)
		return err
	})
	return saved, err
}

// keep puts into kept those texts that differ from what is drafted.
func keep(kept map[string]string, drafted []Block, texts map[string]string) error {
	for _, block := range drafted {
		text, ok := texts[block.Key]
		if !ok {
			continue
		}
		if text = tidy(text); utf8.RuneCountInString(text) > maxText {
			return landmark.Errorf(landmark.Invalid, block.Key, "“%s”最多%d个字", block.Label, maxText)
		}
		if text == block.Template {
			delete(kept, block.Key)
		} else {
			kept[block.Key] = text
		}
	}
	return nil
}

// IssueLetter freezes the letter to a department: text, figures and file, with
// its number, and records that the department was chased for the month. It
// refuses as Issue does.
func (s *Service) IssueLetter(ctx context.Context, u landmark.User, by landmark.Actor, slug string, m landmark.Month, department string, version int, now time.Time) (issued FrozenLetter, faults []Fault, err error) {
	if !u.CanIssue() {
		return FrozenLetter{}, nil, landmark.Errorf(landmark.Forbidden, "", "只有市府办可以印发催办函")
	}
	err = s.store.Tx(ctx, func(st *store.Store) error {
		r, err := st.Record(ctx, slug, now, now, s.zone)
		if err != nil {
			return err
		}
		if err := st.LockBulletins(ctx, r.Plan.City); err != nil {
			return err
		}
		d, in, err := s.draftLetter(ctx, st, r, m, department, now)
		if err != nil {
			return err
		}
		if version != AnyVersion && version != d.Version {
			return landmark.Errorf(landmark.Conflict, "", "催办函稿刚被%s改动过,请看过再印发", d.SavedBy)
		}
		if faults = d.Faults; len(faults) > 0 {
			return landmark.Errorf(landmark.Invalid, "", "自查有%d处问题,改好才能印发:%s", len(faults), faults[0].Message)
		}
		var file bytes.Buffer
		if err := d.WriteDOCX(&file); err != nil {
			return err
		}
		content, err := json.Marshal(d.Letter)
		if err != nil {
			return fmt.Errorf("freeze letter to %s for %s: %w", d.Department.Slug, m, err)
		}
		serial := 0
		if _, ok := d.Block("issue"); ok {
			serial = in.Number
		}
		sum := sha256.Sum256(file.Bytes())
		issued = FrozenLetter{Letter: d.Letter, Year: in.Date.Year, Serial: serial, Title: d.Title(), SHA256: sum[:], IssuedBy: by.Name, IssuedAt: now}
		err = st.InsertLetter(ctx, r.Plan.ID, store.LetterIssue{
			DepartmentID: d.Department.ID, Month: m, Year: in.Date.Year, Number: serial, IssuedOn: in.Date, Title: issued.Title, Content: content,
			SHA256: sum[:], IssuedBy: by.Name, IssuedAt: now,
		}, file.Bytes(), by)
		if err != nil {
			return err
		}
		// A letter reminds, whatever was sent before it.
		if _, err := st.Chase(ctx, r.Plan.ID, d.Department.ID, m, now, by, now); err != nil {
			return err
		}
		after, err := json.Marshal(map[string]any{"number": serial, "year": in.Date.Year, "sha256": fmt.Sprintf("%x", sum)})
		if err != nil {
			return fmt.Errorf("describe letter to %s for %s: %w", d.Department.Slug, m, err)
		}
		for _, e := range []landmark.HistoryEntry{{Act: "letter.issue", Object: issued.Title, After: after}, {Act: "chase.send", Object: d.Department.Name, Reason: "印发催办函"}} {
			e.At, e.Actor, e.PlanID, e.DepartmentID, e.Month = now, by, r.Plan.ID, d.Department.ID, m
			if err := st.AddHistory(ctx, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return FrozenLetter{}, faults, err
	}
	return issued, nil, nil
}

// IssuedLetter reads the letter to a department as it went out. The error is
// NotFound where none did.
func (s *Service) IssuedLetter(ctx context.Context, r *landmark.Record, m landmark.Month, department string) (FrozenLetter, error) {
	owing, err := chased(r, m, department)
	if err != nil {
		return FrozenLetter{}, err
	}
	row, err := s.store.LetterIssue(ctx, r.Plan.ID, owing.Department.ID, m)
	if err != nil {
		return FrozenLetter{}, err
	}
	f := frozenLetter(row, owing.Department)
	if err := json.Unmarshal(row.Content, &f.Letter); err != nil {
		return FrozenLetter{}, fmt.Errorf("read frozen letter to %s for %s: %w", owing.Department.Slug, m, err)
	}
	return f, nil
}

// LetterFile is the file of a letter, byte for byte as it went out.
func (s *Service) LetterFile(ctx context.Context, r *landmark.Record, m landmark.Month, department string) ([]byte, error) {
	owing, err := chased(r, m, department)
	if err != nil {
		return nil, err
	}
	return s.store.LetterFile(ctx, r.Plan.ID, owing.Department.ID, m)
}

func frozenLetter(row store.LetterIssue, d landmark.Department) FrozenLetter {
	return FrozenLetter{
		Letter: Letter{Department: d, Month: row.Month}, Year: row.Year, Serial: row.Number,
		Title: row.Title, SHA256: row.SHA256, IssuedBy: row.IssuedBy, IssuedAt: row.IssuedAt,
	}
}
