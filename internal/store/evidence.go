package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"landmark/internal/landmark"
)

// EvidenceFile is a piece of evidence (佐证材料) without its content.
type EvidenceFile struct {
	ID           int64
	DepartmentID int64
	Name         string
	MediaType    string
	Size         int // bytes
	SHA256       []byte
	UploadedBy   string
	UploadedAt   time.Time
}

const evidenceColumns = `e.id, e.department_id, e.name, e.media_type, e.size, e.sha256, e.uploaded_by, e.uploaded_at`

type evidenceRow struct {
	ID           int64
	DepartmentID int64
	Name         string
	MediaType    string
	Size         int
	SHA256       []byte `db:"sha256"`
	UploadedBy   string
	UploadedAt   time.Time
}

func (r evidenceRow) file() EvidenceFile { return EvidenceFile(r) }

// InsertEvidence keeps a file for good and returns its number.
func (s *Store) InsertEvidence(ctx context.Context, f EvidenceFile, content []byte, by landmark.Actor, at time.Time) (int64, error) {
	var n int64
	err := s.db.QueryRow(ctx, `
		INSERT INTO evidence (department_id, name, media_type, size, sha256, content, account_id, uploaded_by, uploaded_at)
		VALUES ($1, $2, $3, $4, sha256($5), $5, $6, $7, $8)
		RETURNING id`, f.DepartmentID, f.Name, f.MediaType, len(content), content, id(by.AccountID), by.Name, at).Scan(&n)
	return n, wrap(err, "keep evidence %q of department %d", f.Name, f.DepartmentID)
}

// Evidence reads a file without its content. It returns a NotFound error without
// such a file.
func (s *Store) Evidence(ctx context.Context, evidenceID int64) (EvidenceFile, error) {
	rows, err := s.db.Query(ctx, `SELECT `+evidenceColumns+` FROM evidence e WHERE e.id = $1`, evidenceID)
	if err != nil {
		return EvidenceFile{}, wrap(err, "read evidence %d", evidenceID)
	}
	r, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[evidenceRow])
	return r.file(), wrap(err, "read evidence %d", evidenceID)
}

// EvidenceContent reads what is in a file.
func (s *Store) EvidenceContent(ctx context.Context, evidenceID int64) ([]byte, error) {
	var content []byte
	err := s.db.QueryRow(ctx, `SELECT content FROM evidence WHERE id = $1`, evidenceID).Scan(&content)
	return content, wrap(err, "read the content of evidence %d", evidenceID)
}

// Sent is what a reviewer reads of a waiting report beyond its value.
type Sent struct {
	ReportID  int64
	AccountID int64 // who submitted it, 0 for the command line
	Findings  []string
	NoChange  bool
	Evidence  []EvidenceFile
}

// Waiting reads what reviewers need of a plan's reports on their way, all months.
func (s *Store) Waiting(ctx context.Context, planID int64) (map[int64]Sent, error) {
	b := &pgx.Batch{}
	out := map[int64]Sent{}
	type row struct {
		ReportID  int64
		AccountID pgtype.Int8
		Findings  []string
		NoChange  bool
	}
	const waiting = `
		FROM report r
		JOIN indicator i ON i.id = r.indicator_id
		JOIN project j ON j.id = i.project_id
		JOIN report_revision n ON n.report_id = r.id AND n.revision = r.revision`
	collect(b, `
		SELECT r.id AS report_id, n.account_id, n.findings, n.no_change`+waiting+`
		WHERE j.plan_id = $1 AND r.state IN ('submitted', 'signed')`, []any{planID}, func(r row) {
		out[r.ReportID] = Sent{ReportID: r.ReportID, AccountID: r.AccountID.Int64, Findings: r.Findings, NoChange: r.NoChange}
	})
	type fileRow struct {
		ReportID int64
		evidenceRow
	}
	collect(b, `
		SELECT r.id AS report_id, `+evidenceColumns+waiting+`
		JOIN revision_evidence x ON x.report_revision_id = n.id
		JOIN evidence e ON e.id = x.evidence_id
		WHERE j.plan_id = $1 AND r.state IN ('submitted', 'signed')
		ORDER BY r.id, e.id`, []any{planID}, func(r fileRow) {
		if v, ok := out[r.ReportID]; ok { // decided between the two statements otherwise
			v.Evidence = append(v.Evidence, r.file())
			out[r.ReportID] = v
		}
	})
	return out, wrap(s.db.SendBatch(ctx, b).Close(), "read reports waiting in plan %d", planID)
}
