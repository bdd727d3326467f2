package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"landmark/internal/landmark"
)

// The channels a notice goes out by.
const (
	ChannelMail     = "mail"
	ChannelDingTalk = "dingtalk"
	ChannelWeCom    = "wecom"
)

// The states of a delivery.
const (
	DeliveryPending   = "pending"
	DeliveryDelivered = "delivered"
	DeliveryFailed    = "failed"
	DeliveryDropped   = "dropped" // no longer of use
)

// DeliveryStates are all of them.
var DeliveryStates = []string{DeliveryPending, DeliveryDelivered, DeliveryFailed, DeliveryDropped}

// RelayNotices makes out the deliveries of notices that have none yet: mail, if
// there is a server for it, to everybody a notice is for who gave an address;
// robots, if they may be used, of the department and of the office. The office's
// robots hear what is for the office, and every department's reminders. A notice is
// taken once, whoever asks at the same time. It returns how many were taken.
func (s *Store) RelayNotices(ctx context.Context, mail, robots bool, at time.Time) (int, error) {
	var n int
	err := s.db.QueryRow(ctx, `
		WITH fresh AS (
			SELECT id, department_id, audience, kind
			FROM notice
			WHERE relayed_at IS NULL
			ORDER BY id
			LIMIT 100
			FOR UPDATE SKIP LOCKED
		), taken AS (
			UPDATE notice SET relayed_at = $1 WHERE id IN (SELECT id FROM fresh)
		), mailed AS (
			INSERT INTO delivery (notice_id, channel, recipient, created_at, state_at)
			SELECT f.id, 'mail', lower(a.email), $1, $1
			FROM fresh f
			JOIN account a ON CASE f.audience
				WHEN 'office' THEN a.role = 'office'
				WHEN 'leader' THEN a.role = 'leader' AND a.department_id = f.department_id
				ELSE a.role IN ('reporter', 'leader') AND a.department_id = f.department_id END
			WHERE $2 AND a.email <> '' AND a.disabled_at IS NULL
			ON CONFLICT ON CONSTRAINT delivery_once_unique DO NOTHING
		), called AS (
			INSERT INTO delivery (notice_id, channel, recipient, robot_id, created_at, state_at)
			SELECT f.id, r.kind, r.id::text, r.id, $1, $1
			FROM fresh f
			JOIN robot r ON CASE
				WHEN r.department_id IS NULL THEN f.audience = 'office' OR f.kind IN ('open', 'due', 'late', 'chase')
				ELSE f.audience <> 'office' AND r.department_id = f.department_id END
			WHERE $3 AND r.removed_at IS NULL
			ON CONFLICT ON CONSTRAINT delivery_once_unique DO NOTHING
		)
		SELECT count(*) FROM fresh`, at, mail, robots).Scan(&n)
	return n, wrap(err, "relay notices")
}

// Due is a delivery that no job was made for yet.
type Due struct {
	ID      int64
	Round   int
	Channel string
}

// UnqueuedDeliveries are deliveries to make jobs for, oldest first.
func (s *Store) UnqueuedDeliveries(ctx context.Context, limit int) ([]Due, error) {
	rows, err := s.db.Query(ctx, `
		SELECT id, round, channel
		FROM delivery
		WHERE state = 'pending' AND queued_at IS NULL
		ORDER BY id
		LIMIT $1`, limit)
	if err != nil {
		return nil, wrap(err, "list deliveries to queue")
	}
	out, err := pgx.CollectRows(rows, pgx.RowToStructByName[Due])
	return out, wrap(err, "list deliveries to queue")
}

// MarkQueued records that deliveries have their jobs.
func (s *Store) MarkQueued(ctx context.Context, list []Due, at time.Time) error {
	ids, rounds := make([]int64, len(list)), make([]int32, len(list))
	for i, d := range list {
		ids[i], rounds[i] = d.ID, int32(d.Round)
	}
	_, err := s.db.Exec(ctx, `
		UPDATE delivery d
		SET queued_at = $3
		FROM unnest($1::bigint[], $2::int[]) AS t (id, round)
		WHERE d.id = t.id AND d.round = t.round AND d.queued_at IS NULL`, ids, rounds, at)
	return wrap(err, "mark %d deliveries as queued", len(list))
}

// Delivery is one notice on its way to one recipient.
type Delivery struct {
	ID        int64
	Notice    landmark.Notice
	Channel   string
	Recipient string // a mail address; a robot's number
	Robot     Robot  // of a robot's delivery
	State     string
	Round     int
	Attempts  int
	LastError string
	CreatedAt time.Time
	StateAt   time.Time
}

const deliveryColumns = noticeColumns + `, y.id AS delivery_id, y.channel, y.recipient, y.state, y.round, y.attempts, y.last_error, y.created_at AS delivery_at, y.state_at,
	r.id AS robot_id, r.name AS robot_name, r.kind AS robot_kind, r.url AS robot_url, r.secret AS robot_secret, r.removed_at AS robot_removed_at`

const deliveryTables = `delivery y
	JOIN notice n ON n.id = y.notice_id
	JOIN plan p ON p.id = n.plan_id
	JOIN department d ON d.id = n.department_id
	LEFT JOIN robot r ON r.id = y.robot_id`

type deliveryRow struct {
	noticeRow
	DeliveryID     int64
	Channel        string
	Recipient      string
	State          string
	Round          int
	Attempts       int
	LastError      string
	DeliveryAt     time.Time
	StateAt        time.Time
	RobotID        pgtype.Int8
	RobotName      pgtype.Text
	RobotKind      pgtype.Text
	RobotURL       pgtype.Text
	RobotSecret    pgtype.Text
	RobotRemovedAt pgtype.Timestamptz
}

func (r deliveryRow) delivery() Delivery {
	return Delivery{ID: r.DeliveryID, Notice: r.notice(), Channel: r.Channel, Recipient: r.Recipient, State: r.State, Round: r.Round,
		Attempts: r.Attempts, LastError: r.LastError, CreatedAt: r.DeliveryAt, StateAt: r.StateAt,
		Robot: Robot{ID: r.RobotID.Int64, Name: r.RobotName.String, Kind: r.RobotKind.String, URL: r.RobotURL.String, Secret: r.RobotSecret.String, Removed: r.RobotRemovedAt.Valid}}
}

// PendingDelivery reads a delivery that is still to be made in this round, and
// keeps others from it until the transaction ends. ok is false if there is none.
func (s *Store) PendingDelivery(ctx context.Context, deliveryID int64, round int) (d Delivery, ok bool, err error) {
	rows, err := s.db.Query(ctx, `
		SELECT `+deliveryColumns+`
		FROM `+deliveryTables+`
		WHERE y.id = $1 AND y.round = $2 AND y.state = 'pending'
		FOR UPDATE OF y`, deliveryID, round)
	if err != nil {
		return d, false, wrap(err, "read delivery %d", deliveryID)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[deliveryRow])
	if err != nil || len(list) == 0 {
		return d, false, wrap(err, "read delivery %d", deliveryID)
	}
	return list[0].delivery(), true, nil
}

// DropDelivery ends a delivery that is no longer of use, and says why.
func (s *Store) DropDelivery(ctx context.Context, deliveryID int64, why string, at time.Time) error {
	_, err := s.db.Exec(ctx, `
		UPDATE delivery SET state = 'dropped', last_error = $2, state_at = $3
		WHERE id = $1 AND state = 'pending'`, deliveryID, why, at)
	return wrap(err, "drop delivery %d", deliveryID)
}

// RobotCalls is how often a robot was called since a moment, and when first.
func (s *Store) RobotCalls(ctx context.Context, robotID int64, since time.Time) (n int, first time.Time, err error) {
	err = s.db.QueryRow(ctx, `
		SELECT count(*), coalesce(min(t.started_at), $2)
		FROM delivery_attempt t JOIN delivery y ON y.id = t.delivery_id
		WHERE y.robot_id = $1 AND t.started_at > $2`, robotID, since).Scan(&n, &first)
	return n, first, wrap(err, "count calls of robot %d", robotID)
}

// BeginAttempt records that a delivery is being tried, before it is: if the
// program is killed in between, the try is known. It returns the try's number.
func (s *Store) BeginAttempt(ctx context.Context, deliveryID int64, at time.Time) (int64, error) {
	var number int64
	err := s.db.QueryRow(ctx, `
		WITH counted AS (UPDATE delivery SET attempts = attempts + 1 WHERE id = $1)
		INSERT INTO delivery_attempt (delivery_id, started_at) VALUES ($1, $2)
		RETURNING id`, deliveryID, at).Scan(&number)
	return number, wrap(err, "begin delivery %d", deliveryID)
}

// EndAttempt records how a try ended: delivered without an error, else failed if
// it was the last one. Only the first end of a try counts.
func (s *Store) EndAttempt(ctx context.Context, attemptID, deliveryID int64, fault string, last bool, at time.Time) error {
	_, err := s.db.Exec(ctx, `
		WITH ended AS (
			UPDATE delivery_attempt SET ended_at = $5, error = $3
			WHERE id = $1 AND ended_at IS NULL
			RETURNING delivery_id
		)
		UPDATE delivery y
		SET last_error = $3, state_at = $5,
			state = CASE WHEN $3 = '' THEN 'delivered' WHEN $4 THEN 'failed' ELSE y.state END
		FROM ended e
		WHERE y.id = e.delivery_id AND y.id = $2 AND y.state = 'pending'`, attemptID, deliveryID, fault, last, at)
	return wrap(err, "end delivery %d", deliveryID)
}

// GiveUpDeliveries ends deliveries queued before a moment that nothing works on any
// more, and returns how many there were.
func (s *Store) GiveUpDeliveries(ctx context.Context, before time.Time, why string, at time.Time) (int, error) {
	tag, err := s.db.Exec(ctx, `
		UPDATE delivery SET state = 'failed', last_error = $2, state_at = $3
		WHERE state = 'pending' AND queued_at < $1`, before, why, at)
	return int(tag.RowsAffected()), wrap(err, "give up deliveries")
}

// RetryDelivery lets a delivery that failed start anew. The error is a Conflict
// if it is not one that failed.
func (s *Store) RetryDelivery(ctx context.Context, deliveryID int64, at time.Time) (Delivery, error) {
	tag, err := s.db.Exec(ctx, `
		UPDATE delivery SET state = 'pending', round = round + 1, queued_at = NULL, state_at = $2
		WHERE id = $1 AND state = 'failed'`, deliveryID, at)
	if err != nil {
		return Delivery{}, wrap(err, "retry delivery %d", deliveryID)
	}
	if tag.RowsAffected() != 1 {
		return Delivery{}, wrap(landmark.Errorf(landmark.Conflict, "", "这条发送不在失败状态,不用重发,请刷新后再看"), "retry delivery %d", deliveryID)
	}
	rows, err := s.db.Query(ctx, `SELECT `+deliveryColumns+` FROM `+deliveryTables+` WHERE y.id = $1`, deliveryID)
	if err != nil {
		return Delivery{}, wrap(err, "retry delivery %d", deliveryID)
	}
	r, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[deliveryRow])
	return r.delivery(), wrap(err, "retry delivery %d", deliveryID)
}

// DeliveryFilter narrows a list of deliveries. Zero values do not.
type DeliveryFilter struct {
	State, Channel string
	DepartmentID   int64
	Kind           landmark.NoticeKind
	Before         int64 // older than this one
}

// Deliveries lists deliveries, newest first.
func (s *Store) Deliveries(ctx context.Context, f DeliveryFilter, limit int) ([]Delivery, error) {
	rows, err := s.db.Query(ctx, `
		SELECT `+deliveryColumns+`
		FROM `+deliveryTables+`
		WHERE ($1 = '' OR y.state = $1) AND ($2 = '' OR y.channel = $2) AND ($3 = 0 OR n.department_id = $3) AND ($4 = '' OR n.kind = $4)
			AND ($5 = 0 OR y.id < $5)
		ORDER BY y.id DESC
		LIMIT $6`, f.State, f.Channel, f.DepartmentID, string(f.Kind), f.Before, limit)
	if err != nil {
		return nil, wrap(err, "list deliveries")
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[deliveryRow])
	if err != nil {
		return nil, wrap(err, "list deliveries")
	}
	out := make([]Delivery, len(list))
	for i, r := range list {
		out[i] = r.delivery()
	}
	return out, nil
}

// Attempt is one try of a delivery.
type Attempt struct {
	DeliveryID int64
	StartedAt  time.Time
	EndedAt    time.Time // zero: cut off
	Error      string
}

// Attempts are the tries of deliveries, in order.
func (s *Store) Attempts(ctx context.Context, deliveries []int64) (map[int64][]Attempt, error) {
	rows, err := s.db.Query(ctx, `
		SELECT delivery_id, started_at, coalesce(ended_at, '0001-01-01 00:00:00+00') AS ended_at, error
		FROM delivery_attempt
		WHERE delivery_id = ANY($1)
		ORDER BY id`, deliveries)
	if err != nil {
		return nil, wrap(err, "list attempts")
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[Attempt])
	if err != nil {
		return nil, wrap(err, "list attempts")
	}
	out := map[int64][]Attempt{}
	for _, a := range list {
		if a.EndedAt.Year() <= 1 {
			a.EndedAt = time.Time{}
		}
		out[a.DeliveryID] = append(out[a.DeliveryID], a)
	}
	return out, nil
}

// WorkCounts is how much timed work there is, for monitoring.
type WorkCounts struct {
	Jobs       map[string]int // by state
	Deliveries map[string]int // by state
	Unrelayed  int            // notices that deliveries were not made out for
}

// WorkCounts counts jobs, deliveries and notices.
func (s *Store) WorkCounts(ctx context.Context) (WorkCounts, error) {
	out := WorkCounts{Jobs: map[string]int{}, Deliveries: map[string]int{}}
	rows, err := s.db.Query(ctx, `
		SELECT 'job' AS what, state::text AS state, count(*) AS n FROM river_job GROUP BY state
		UNION ALL
		SELECT 'delivery', state, count(*) FROM delivery GROUP BY state
		UNION ALL
		SELECT 'notice', '', count(*) FROM notice WHERE relayed_at IS NULL`)
	if err != nil {
		return out, wrap(err, "count jobs")
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[struct {
		What, State string
		N           int
	}])
	for _, r := range list {
		switch r.What {
		case "job":
			out.Jobs[r.State] = r.N
		case "delivery":
			out.Deliveries[r.State] = r.N
		default:
			out.Unrelayed = r.N
		}
	}
	return out, wrap(err, "count jobs")
}
