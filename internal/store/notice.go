package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"landmark/internal/landmark"
)

// InsertNotices adds notices that are not there yet and says how many were new:
// whoever else adds the same, at the same time or after a restart, adds nothing.
func (s *Store) InsertNotices(ctx context.Context, list []landmark.Notice, at time.Time) (int, error) {
	tag, err := s.db.Exec(ctx, insertNotices, noticeArgs(list, at)...)
	return int(tag.RowsAffected()), wrap(err, "insert %d notices", len(list))
}

// AddNotices adds notices, as [Store.InsertNotices] does.
func (c *Changes) AddNotices(list []landmark.Notice, at time.Time) {
	c.queue(anyNumber, insertNotices, noticeArgs(list, at)...)
}

const insertNotices = `
	INSERT INTO notice (plan_id, month, department_id, audience, kind, cause, title, body, path, created_at)
	SELECT plan_id, month, department_id, audience, kind, cause, title, body, path, $10
	FROM unnest($1::bigint[], $2::date[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[])
		AS t (plan_id, month, department_id, audience, kind, cause, title, body, path)
	ORDER BY plan_id, month, department_id, kind, cause
	ON CONFLICT ON CONSTRAINT notice_once_unique DO NOTHING`

func noticeArgs(list []landmark.Notice, at time.Time) []any {
	n := len(list)
	plans, months, departments := make([]int64, n), make([]pgtype.Date, n), make([]int64, n)
	audiences, kinds, causes, titles, bodies, paths := make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	for i, v := range list {
		plans[i], months[i], departments[i] = v.PlanID, monthDate(v.Month), v.Department.ID
		audiences[i], kinds[i], causes[i] = string(v.Audience), string(v.Kind), v.Cause
		titles[i], bodies[i], paths[i] = v.Title, v.Body, v.Path
	}
	return []any{plans, months, departments, audiences, kinds, causes, titles, bodies, paths, at}
}

// heard says in SQL what [landmark.User.Hears] says: n is the notice, $1 the
// user's role and $2 their department.
const heard = `CASE n.audience
	WHEN 'office' THEN $1 = 'office'
	WHEN 'leader' THEN $1 = 'leader' AND n.department_id = $2
	ELSE $1 IN ('reporter', 'leader') AND n.department_id = $2 END`

// noticeColumns are read into a noticeRow; n is the notice, p its plan, d its department.
const noticeColumns = `n.id, n.plan_id, p.slug AS plan, n.month, n.department_id, d.slug AS department_slug, d.name AS department_name,
	n.audience, n.kind, n.cause, n.title, n.body, n.path, n.created_at`

type noticeRow struct {
	ID             int64
	PlanID         int64
	Plan           string
	Month          pgtype.Date
	DepartmentID   int64
	DepartmentSlug string
	DepartmentName string
	Audience       string
	Kind           string
	Cause          string
	Title          string
	Body           string
	Path           string
	CreatedAt      time.Time
}

func (r noticeRow) notice() landmark.Notice {
	return landmark.Notice{ID: r.ID, PlanID: r.PlanID, Plan: r.Plan, Month: dateMonth(r.Month),
		Department: landmark.Department{ID: r.DepartmentID, Slug: r.DepartmentSlug, Name: r.DepartmentName},
		Audience:   landmark.Audience(r.Audience), Kind: landmark.NoticeKind(r.Kind), Cause: r.Cause,
		Title: r.Title, Body: r.Body, Path: r.Path, At: r.CreatedAt}
}

// Notices are those for a user, newest first: at most limit of them, from before
// the one numbered before, 0 for the newest.
func (s *Store) Notices(ctx context.Context, u landmark.User, before int64, limit int) ([]landmark.Notice, error) {
	rows, err := s.db.Query(ctx, `
		SELECT `+noticeColumns+`, EXISTS (SELECT FROM notice_seen s WHERE s.notice_id = n.id AND s.account_id = $3) AS seen
		FROM notice n
		JOIN plan p ON p.id = n.plan_id
		JOIN department d ON d.id = n.department_id
		WHERE `+heard+` AND ($4 = 0 OR n.id < $4)
		ORDER BY n.id DESC
		LIMIT $5`, string(u.Role), id(u.DepartmentID), u.ID, before, limit)
	if err != nil {
		return nil, wrap(err, "list notices for account %d", u.ID)
	}
	out, err := pgx.CollectRows(rows, func(c pgx.CollectableRow) (landmark.Notice, error) {
		r, err := pgx.RowToStructByName[struct {
			noticeRow
			Seen bool
		}](c)
		n := r.notice()
		n.Seen = r.Seen
		return n, err
	})
	return out, wrap(err, "list notices for account %d", u.ID)
}

// UnseenNotices is how many notices for a user they have not seen, 99 at most.
func (s *Store) UnseenNotices(ctx context.Context, u landmark.User) (int, error) {
	type key struct {
		role                      landmark.Role
		department, unseenAccount int64
	}
	return remember(ctx, s, key{u.Role, u.DepartmentID, u.ID}, listWeight, func() (n int, err error) {
		err = s.db.QueryRow(ctx, `
			SELECT count(*) FROM (
				SELECT FROM notice n
				WHERE `+heard+` AND NOT EXISTS (SELECT FROM notice_seen s WHERE s.notice_id = n.id AND s.account_id = $3)
				LIMIT 99
			) AS unseen`, string(u.Role), id(u.DepartmentID), u.ID).Scan(&n)
		return n, wrap(err, "count notices for account %d", u.ID)
	})
}

// SeeNotices records that a user has seen all notices for them up to the one
// numbered upTo, or, with only set, that one alone. A second look changes nothing.
func (s *Store) SeeNotices(ctx context.Context, u landmark.User, upTo int64, only bool, at time.Time) error {
	_, err := s.db.Exec(ctx, `
		INSERT INTO notice_seen (notice_id, account_id, seen_at)
		SELECT n.id, $3, $6 FROM notice n
		WHERE `+heard+` AND n.id <= $4 AND (NOT $5 OR n.id = $4)
		ON CONFLICT DO NOTHING`, string(u.Role), id(u.DepartmentID), u.ID, upTo, only, at)
	return wrap(err, "see notices of account %d", u.ID)
}
