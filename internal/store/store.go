// Package store is all of the program's SQL: rows to domain values and back,
// constraint names to domain errors, and transactions.
package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/shopspring/decimal"

	"landmark/internal/landmark"
)

// DB is what a store works on: a pool, a connection or a transaction.
type DB interface {
	Begin(ctx context.Context) (pgx.Tx, error)
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// Store reads and writes the database. Its methods take the current time as an
// argument where they need one.
type Store struct {
	db       DB
	outlines *outlines // of the plans last read, shared by all that came of one New
	memory   *memory   // what requests of one version share, likewise
}

// New makes a store on db.
func New(db DB) *Store {
	return &Store{db: db, outlines: &outlines{kept: map[string]*outline{}}, memory: &memory{}}
}

// on is the store working in a transaction.
func (s *Store) on(tx pgx.Tx) *Store { return &Store{db: tx, outlines: s.outlines, memory: s.memory} }

// appRole is what the program works as, so that the database refuses what no
// part of the program may do. See migrations/000006.
const appRole = "landmark_app"

// Open connects to the database at url. Connections work as landmark_app where
// that role is to be had, with time limits on every statement.
func Open(ctx context.Context, url string) (*pgxpool.Pool, error) {
	pool, err := openPool(ctx, url, false, false, nil)
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	return pool, nil
}

// openPool makes a pool; see [Addresses] for pooled. readOnly refuses writes even
// where the server would take them: a standby may have become a primary.
func openPool(ctx context.Context, url string, pooled, readOnly bool, tracer pgx.QueryTracer) (*pgxpool.Pool, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	cfg.ConnConfig.Tracer = tracer
	if cfg.ConnConfig.ConnectTimeout == 0 {
		cfg.ConnConfig.ConnectTimeout = 2 * time.Second
	}
	if pooled {
		// Statements are described once and sent whole each time. Unlike with the mode
		// "exec", which knows no types, figures keep the digits they were entered with.
		cfg.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	}
	cfg.MinConns = 1
	cfg.MaxConnLifetime, cfg.MaxConnLifetimeJitter = 30*time.Minute, 5*time.Minute
	cfg.PingTimeout = 2 * time.Second
	cfg.AfterConnect = func(ctx context.Context, c *pgx.Conn) error {
		numeric := &pgtype.Type{Name: "numeric", OID: pgtype.NumericOID, Codec: enteredNumeric{}}
		c.TypeMap().RegisterType(numeric)
		c.TypeMap().RegisterType(&pgtype.Type{Name: "_numeric", OID: pgtype.NumericArrayOID, Codec: &pgtype.ArrayCodec{ElementType: numeric}})
		if pooled { // the role has its limits and its rights by itself, see CheckPooled
			return nil
		}
		// SET, not start-up parameters: a pooler in between refuses those.
		_, err := c.Exec(ctx, `SET statement_timeout = '5s'; SET lock_timeout = '2s'; SET jit = off; SET random_page_cost = 1.1;
			SET idle_in_transaction_session_timeout = '10s'; SET client_connection_check_interval = '5s'`)
		if err != nil {
			return fmt.Errorf("set time limits: %w", err)
		}
		if readOnly {
			if _, err := c.Exec(ctx, "SET default_transaction_read_only = on"); err != nil {
				return fmt.Errorf("refuse writes: %w", err)
			}
		}
		var may bool
		err = c.QueryRow(ctx, `SELECT coalesce((SELECT pg_has_role(oid, 'MEMBER') FROM pg_roles WHERE rolname = $1), false)`, appRole).Scan(&may)
		if err != nil {
			return fmt.Errorf("look for role %s: %w", appRole, err)
		}
		if may {
			if _, err := c.Exec(ctx, "SET ROLE "+appRole); err != nil {
				return fmt.Errorf("work as role %s: %w", appRole, err)
			}
		}
		return nil
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	return pool, nil
}

// enteredNumeric carries figures as text, with the digits they were entered with:
// 82.80 stays 82.80. The zeros at the end are lost in pgx's binary form, and in
// what decimal gives a driver.
type enteredNumeric struct{ pgtype.NumericCodec }

// PreferredFormat implements [pgtype.Codec].
func (enteredNumeric) PreferredFormat() int16 { return pgtype.TextFormatCode }

// FormatSupported implements [pgtype.Codec]. An array would else be sent in the
// binary form.
func (enteredNumeric) FormatSupported(format int16) bool { return format == pgtype.TextFormatCode }

// PlanEncode implements [pgtype.Codec].
func (c enteredNumeric) PlanEncode(m *pgtype.Map, oid uint32, format int16, value any) pgtype.EncodePlan {
	switch value.(type) {
	case decimal.Decimal, decimal.NullDecimal:
		if format == pgtype.TextFormatCode {
			return encodeEntered{}
		}
	}
	return c.NumericCodec.PlanEncode(m, oid, format, value)
}

type encodeEntered struct{}

// Encode implements [pgtype.EncodePlan].
func (encodeEntered) Encode(value any, buf []byte) ([]byte, error) {
	switch d := value.(type) {
	case decimal.NullDecimal:
		if !d.Valid {
			return nil, nil // NULL
		}
		return append(buf, landmark.Entered(d.Decimal)...), nil
	case decimal.Decimal:
		return append(buf, landmark.Entered(d)...), nil
	default:
		return nil, fmt.Errorf("no figure: %T", value)
	}
}

// Tx runs f in one transaction: all of its writes stand or none does.
func (s *Store) Tx(ctx context.Context, f func(*Store) error) error {
	err := pgx.BeginFunc(ctx, s.db, func(tx pgx.Tx) error { return f(s.on(tx)) })
	return wrap(err, "transaction")
}

// Ping asks whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	return wrap(s.db.QueryRow(ctx, "SELECT 1").Scan(&one), "ping")
}

// ErrStale is the Conflict error of a change made from an older state than the
// one that stands now. Reading anew may show how to go on.
var ErrStale = landmark.Errorf(landmark.Conflict, "", "这条记录刚被别人改动过,请刷新后再试")

// wrap adds the operation to an error and turns what the database refused into
// the domain's own kinds. It passes nil and domain errors' kinds through.
func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	op := fmt.Sprintf(format, args...)
	if errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("%s: %w", op, landmark.Errorf(landmark.NotFound, "", "没有找到这条记录"))
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		if known, ok := refusals[pg.ConstraintName]; ok {
			return fmt.Errorf("%s: %w: %w", op, known, err)
		}
	}
	return fmt.Errorf("%s: %w", op, err)
}

// refusals are the constraints a person can run into, and what to tell them.
var refusals = map[string]error{
	"account_name_unique":              landmark.Errorf(landmark.Invalid, "name", "这个账号名已经有人用了,请换一个"),
	"account_name_form_check":          landmark.Errorf(landmark.Invalid, "name", "账号名用小写字母、数字、点、横线,以字母或数字开头,最多64个字"),
	"account_role_department_check":    landmark.Errorf(landmark.Invalid, "department", "填报员和部门负责人要选定部门,市府办账号不选部门"),
	"account_email_form_check":         landmark.Errorf(landmark.Invalid, "email", "邮箱写得不对,要像 name@example.gov.cn"),
	"robot_name_unique":                landmark.Errorf(landmark.Invalid, "name", "已经有同名的机器人,请换一个名称"),
	"account_identity_pkey":            landmark.Errorf(landmark.Invalid, "subject", "这个编号已经关联到一个账号了"),
	"department_slug_unique":           landmark.Errorf(landmark.Invalid, "slug", "这个部门代码已经有了,请换一个"),
	"department_name_unique":           landmark.Errorf(landmark.Invalid, "name", "已经有同名的部门"),
	"plan_slug_unique":                 landmark.Errorf(landmark.Conflict, "slug", "已经有同一代号的年度方案"),
	"light_rule_order_check":           landmark.Errorf(landmark.Invalid, "red_line", "红线点数要大于容差点数,两个都在0到100之间"),
	"report_revision_correction_check": landmark.Errorf(landmark.Conflict, "", "有的指标刚被核定,改动要作为更正提交并写明原因,请刷新后再试"),
	"light_override_withdrawn_once":    landmark.Errorf(landmark.Conflict, "", "这条改判已经撤销过了"),
	"bulletin_issue_month_unique":      landmark.Errorf(landmark.Conflict, "", "这个月的通报已经印发,不能再印发一次"),
	"bulletin_issue_number_unique":     landmark.Errorf(landmark.Conflict, "", "这个通报文号刚被占用,请再试一次"),
	"letter_issue_department_unique":   landmark.Errorf(landmark.Conflict, "", "给这个单位的催办函已经印发,不能再印发一次"),
	"letter_issue_number_unique":       landmark.Errorf(landmark.Conflict, "", "这个催办函文号刚被占用,请再试一次"),
}

// A month is stored as the date of its first day.
func monthDate(m landmark.Month) pgtype.Date {
	return pgtype.Date{Time: m.FirstDay().Time(time.UTC), Valid: !m.IsZero()}
}

func dateMonth(d pgtype.Date) landmark.Month {
	if !d.Valid {
		return 0
	}
	return landmark.MonthOf(d.Time.Year(), int(d.Time.Month()))
}

func dayDate(d landmark.Date) pgtype.Date {
	return pgtype.Date{Time: d.Time(time.UTC), Valid: !d.IsZero()}
}

func dateDay(d pgtype.Date) landmark.Date {
	if !d.Valid {
		return landmark.Date{}
	}
	return landmark.DateOf(d.Time)
}

// moment is the bound of an as-of read: the zero time is no bound at all, so
// that two programs whose clocks differ see the same present.
func moment(asOf time.Time) pgtype.Timestamptz {
	if asOf.IsZero() {
		return pgtype.Timestamptz{InfinityModifier: pgtype.Infinity, Valid: true}
	}
	return pgtype.Timestamptz{Time: asOf, Valid: true}
}

// id is a foreign key that may be absent.
func id(n int64) pgtype.Int8 { return pgtype.Int8{Int64: n, Valid: n != 0} }
