package bulletin

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"landmark/internal/landmark"
	"landmark/internal/store"
)

// maxText is how many characters a block may have.
const maxText = 4000

// Service drafts, edits and issues bulletins. Each change is one transaction.
type Service struct {
	store *store.Store
	zone  *time.Location
}

// New makes a service.
func New(st *store.Store, zone *time.Location) *Service { return &Service{store: st, zone: zone} }

// Drafted is a month's draft with what its page shows beside it.
type Drafted struct {
	Bulletin
	Record  *landmark.Record
	Faults  []Fault // none: it may be issued
	Version int     // of the office's texts; 0 before any
	SavedBy string
	SavedAt time.Time
}

// Frozen is an issued bulletin.
type Frozen struct {
	Bulletin
	Title    string
	Number   string // as it stands in the text: 共富通报〔2023〕3号
	SHA256   []byte // of its file
	IssuedBy string
	IssuedAt time.Time
}

// Draft drafts a month's bulletin of a plan from the data as they stand now. An
// empty slug is the newest plan. The error is Conflict where the month's is
// issued already.
func (s *Service) Draft(ctx context.Context, slug string, m landmark.Month, now time.Time) (Drafted, error) {
	d, _, err := draft(ctx, s.store, slug, m, now, s.zone)
	return d, err
}

func draft(ctx context.Context, st *store.Store, slug string, m landmark.Month, now time.Time, zone *time.Location) (Drafted, Input, error) {
	record, err := st.Record(ctx, slug, now, now, zone)
	if err != nil {
		return Drafted{}, Input{}, err
	}
	return draftOf(ctx, st, record, m, now)
}

func draftOf(ctx context.Context, st *store.Store, record *landmark.Record, m landmark.Month, now time.Time) (Drafted, Input, error) {
	plan := record.Plan
	if m < plan.FirstMonth() || m > plan.LastMonth() {
		return Drafted{}, Input{}, landmark.Errorf(landmark.NotFound, "month", "%s的通报只有%s到%s的", plan.Title, plan.FirstMonth().Chinese(), plan.LastMonth().Chinese())
	}
	switch _, err := st.BulletinIssue(ctx, plan.ID, m); {
	case err == nil:
		return Drafted{}, Input{}, landmark.Errorf(landmark.Conflict, "month", "%s的通报已经印发", m.Chinese())
	case landmark.KindOf(err) != landmark.NotFound:
		return Drafted{}, Input{}, err
	}
	saved, err := st.BulletinDraft(ctx, plan.ID, m)
	if err != nil {
		return Drafted{}, Input{}, err
	}
	in := Input{Board: record.Board(m), Date: landmark.DateOf(now.In(record.Zone)), Texts: saved.Texts}
	switch last, err := st.LastBulletinIssue(ctx, plan.ID); {
	case err == nil:
		frozen, err := thaw(last)
		if err != nil {
			return Drafted{}, Input{}, err
		}
		in.Previous = &frozen.Bulletin
	case landmark.KindOf(err) != landmark.NotFound:
		return Drafted{}, Input{}, err
	}
	if in.Letterhead, err = st.Letterhead(ctx, plan); err != nil {
		return Drafted{}, Input{}, err
	}
	used, _ := in.Letterhead.UsedIn(in.Date.Year)
	if in.Number, err = st.NextBulletinNumber(ctx, plan.City, in.Date.Year, used); err != nil {
		return Drafted{}, Input{}, err
	}
	head, err := st.HistoryHead(ctx)
	if err != nil {
		return Drafted{}, Input{}, err
	}
	if head.Seq > 0 {
		in.History = head.String()
	}
	b := Draft(in)
	return Drafted{Bulletin: b, Record: record, Faults: Check(b, in), Version: saved.Version, SavedBy: saved.SavedBy, SavedAt: saved.SavedAt}, in, nil
}

// Save puts the office's texts into a month's draft and returns its new version.
// Texts equal to what the program drafts are not kept, so that they go on
// following the data; keys no block has are passed over. The error is Conflict
// unless the draft is still at version, Invalid with the block's key as field
// for a text that is too long.
func (s *Service) Save(ctx context.Context, u landmark.User, by landmark.Actor, slug string, m landmark.Month, version int, texts map[string]string, now time.Time) (saved int, err error) {
	if !u.CanIssue() {
		return 0, landmark.Errorf(landmark.Forbidden, "", "只有市府办可以编写通报")
	}
	err = s.store.Tx(ctx, func(st *store.Store) error {
		d, in, err := draft(ctx, st, slug, m, now, s.zone)
		if err != nil {
			return err
		}
		kept := maps.Clone(in.Texts)
		in.Texts = nil
		if err := keep(kept, Draft(in).Blocks, texts); err != nil {
			return err
		}
		saved, err = st.SaveBulletinDraft(ctx, d.Record.Plan.ID, m, version, kept, by, now)
		return err
	})
	return saved, err
}

// AnyVersion is the version of a caller that has not seen the draft, as the
// command line.
const AnyVersion = -1

// Issue freezes a month's bulletin: text, figures and file, with its number. It
// refuses while the self-check finds faults and returns them; the error is then
// Invalid. It is Conflict where the month is issued already or the draft is no
// longer at version. The figures are those of now, whatever a page showed.
func (s *Service) Issue(ctx context.Context, u landmark.User, by landmark.Actor, slug string, m landmark.Month, version int, now time.Time) (issued Frozen, faults []Fault, err error) {
	if !u.CanIssue() {
		return Frozen{}, nil, landmark.Errorf(landmark.Forbidden, "", "只有市府办可以印发通报")
	}
	err = s.store.Tx(ctx, func(st *store.Store) error {
		record, err := st.Record(ctx, slug, now, now, s.zone)
		if err != nil {
			return err
		}
		// Nothing is read before the lock but the plan, so that number and previous
		// issue are those of whoever came first.
		if err := st.LockBulletins(ctx, record.Plan.City); err != nil {
			return err
		}
		d, _, err := draftOf(ctx, st, record, m, now)
		if err != nil {
			return err
		}
		if version != AnyVersion && version != d.Version {
			return landmark.Errorf(landmark.Conflict, "", "通报稿刚被%s改动过,请看过再印发", d.SavedBy)
		}
		if faults = d.Faults; len(faults) > 0 {
			return landmark.Errorf(landmark.Invalid, "", "自查有%d处问题,改好才能印发:%s", len(faults), faults[0].Message)
		}
		var file bytes.Buffer
		if err := d.WriteDOCX(&file); err != nil {
			return err
		}
		content, err := json.Marshal(d.Bulletin)
		if err != nil {
			return fmt.Errorf("freeze bulletin %s: %w", m, err)
		}
		sum := sha256.Sum256(file.Bytes())
		number, _ := d.Block("issue")
		issued = Frozen{Bulletin: d.Bulletin, Title: d.Title(), Number: number.Text, SHA256: sum[:], IssuedBy: by.Name, IssuedAt: now}
		err = st.InsertBulletin(ctx, record.Plan.ID, store.BulletinIssue{
			Month: m, Year: d.Issue.Year, Number: d.Issue.Number, IssuedOn: d.Issue.Date, AsOf: d.Issue.AsOf, Title: issued.Title, Content: content,
			SHA256: sum[:], IssuedBy: by.Name, IssuedAt: now,
		}, file.Bytes(), by)
		if err != nil {
			return err
		}
		after, err := json.Marshal(map[string]any{"number": d.Issue.Number, "year": d.Issue.Year, "sha256": fmt.Sprintf("%x", sum)})
		if err != nil {
			return fmt.Errorf("describe bulletin %s: %w", m, err)
		}
		return st.AddHistory(ctx, landmark.HistoryEntry{
			At: now, Actor: by, Act: "bulletin.issue", PlanID: record.Plan.ID, Month: m, Object: issued.Title, After: after})
	})
	if err != nil {
		return Frozen{}, faults, err
	}
	return issued, nil, nil
}

// Issued reads a month's issued bulletin as it went out. The error is NotFound
// where there is none.
func (s *Service) Issued(ctx context.Context, planID int64, m landmark.Month) (Frozen, error) {
	row, err := s.store.BulletinIssue(ctx, planID, m)
	if err != nil {
		return Frozen{}, err
	}
	return thaw(row)
}

// List are the bulletins of a plan issued by asOf, newest first, without their
// text. The zero time is now.
func (s *Service) List(ctx context.Context, planID int64, asOf time.Time) ([]Frozen, error) {
	rows, err := s.store.BulletinIssues(ctx, planID, asOf)
	if err != nil {
		return nil, err
	}
	out := make([]Frozen, len(rows))
	for i, row := range rows {
		out[i] = frozen(row)
	}
	return out, nil
}

// File is the file of a month's issued bulletin, byte for byte as it went out.
func (s *Service) File(ctx context.Context, planID int64, m landmark.Month) ([]byte, error) {
	return s.store.BulletinFile(ctx, planID, m)
}

func frozen(row store.BulletinIssue) Frozen {
	return Frozen{
		Bulletin: Bulletin{Issue: Issue{Year: row.Year, Number: row.Number, Month: row.Month, Date: row.IssuedOn, AsOf: row.AsOf}},
		Title:    row.Title, Number: row.Printed, SHA256: row.SHA256, IssuedBy: row.IssuedBy, IssuedAt: row.IssuedAt,
	}
}

func thaw(row store.BulletinIssue) (Frozen, error) {
	f := frozen(row)
	issue := f.Issue
	if err := json.Unmarshal(row.Content, &f.Bulletin); err != nil {
		return Frozen{}, fmt.Errorf("read frozen bulletin %s: %w", row.Month, err)
	}
	f.Issue = issue
	return f, nil
}
