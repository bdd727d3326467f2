package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"landmark/internal/landmark"
)

// Robot is a group robot of DingTalk or WeCom. Its address and secret let anybody
// write to the group: they are shown to nobody.
type Robot struct {
	ID         int64
	Name       string
	Kind       string // ChannelDingTalk or ChannelWeCom
	URL        string
	Secret     string
	Department landmark.Department // the zero one: the office's
	Removed    bool
	RecordedBy string
	RecordedAt time.Time
}

// Robots lists the robots in use, the office's first.
func (s *Store) Robots(ctx context.Context) ([]Robot, error) {
	rows, err := s.db.Query(ctx, `
		SELECT r.id, r.name, r.kind, r.url, r.secret, coalesce(d.id, 0) AS department_id, coalesce(d.slug, '') AS department_slug,
			coalesce(d.name, '') AS department_name, r.recorded_by, r.recorded_at
		FROM robot r LEFT JOIN department d ON d.id = r.department_id
		WHERE r.removed_at IS NULL
		ORDER BY d.sort NULLS FIRST, r.name`)
	if err != nil {
		return nil, wrap(err, "list robots")
	}
	type row struct {
		ID             int64
		Name           string
		Kind           string
		URL            string
		Secret         string
		DepartmentID   int64
		DepartmentSlug string
		DepartmentName string
		RecordedBy     string
		RecordedAt     time.Time
	}
	out, err := pgx.CollectRows(rows, func(c pgx.CollectableRow) (Robot, error) {
		r, err := pgx.RowToStructByName[row](c)
		return Robot{ID: r.ID, Name: r.Name, Kind: r.Kind, URL: r.URL, Secret: r.Secret,
			Department: landmark.Department{ID: r.DepartmentID, Slug: r.DepartmentSlug, Name: r.DepartmentName},
			RecordedBy: r.RecordedBy, RecordedAt: r.RecordedAt}, err
	})
	return out, wrap(err, "list robots")
}

// InsertRobot adds a robot. It returns an Invalid error for a name in use.
func (s *Store) InsertRobot(ctx context.Context, r Robot, by landmark.Actor, at time.Time) error {
	_, err := s.db.Exec(ctx, `
		INSERT INTO robot (name, kind, url, secret, department_id, recorded_by, recorded_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`, r.Name, r.Kind, r.URL, r.Secret, id(r.Department.ID), by.Name, at)
	return wrap(err, "insert robot %q", r.Name)
}

// RemoveRobot takes a robot out of use and returns its name. What was still on
// its way to it is not sent. The error is NotFound.
func (s *Store) RemoveRobot(ctx context.Context, robotID int64, at time.Time) (string, error) {
	var name string
	err := s.db.QueryRow(ctx, `
		UPDATE robot SET removed_at = $2
		WHERE id = $1 AND removed_at IS NULL
		RETURNING name`, robotID, at).Scan(&name)
	return name, wrap(err, "remove robot %d", robotID)
}

// SetEmail sets where an account's mail goes; empty is nowhere.
func (s *Store) SetEmail(ctx context.Context, accountID int64, email string) error {
	_, err := s.db.Exec(ctx, `UPDATE account SET email = $2 WHERE id = $1`, accountID, email)
	return wrap(err, "set mail address of account %d", accountID)
}

// SweepKeys forgets the keys of forms sent before a moment: no browser shows them
// any more. Drafts stay: there is one for each indicator and month at most.
func (s *Store) SweepKeys(ctx context.Context, before time.Time) error {
	_, err := s.db.Exec(ctx, `DELETE FROM submission_key WHERE created_at < $1`, before)
	return wrap(err, "sweep keys of forms")
}
