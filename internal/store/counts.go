package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"landmark/internal/landmark"
)

// ReportCounts counts the reports of all plans and months by their state.
func (s *Store) ReportCounts(ctx context.Context) (map[landmark.State]int, error) {
	rows, err := s.db.Query(ctx, `SELECT state, count(*) AS n FROM report GROUP BY state`)
	if err != nil {
		return nil, wrap(err, "count reports")
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[struct {
		State string
		N     int
	}])
	out := map[landmark.State]int{}
	for _, r := range list {
		out[landmark.State(r.State)] = r.N
	}
	return out, wrap(err, "count reports")
}

// ChainState is how far the history has been taken into its chain.
type ChainState struct {
	Head     HistoryHead
	Unsealed int       // lines that wait
	Since    time.Time // the oldest of them was recorded; zero for none
}

// ChainState looks at the chain's two ends.
func (s *Store) ChainState(ctx context.Context) (c ChainState, err error) {
	if c.Head, err = s.HistoryHead(ctx); err != nil {
		return c, err
	}
	var since *time.Time
	err = s.db.QueryRow(ctx, `
		SELECT (SELECT count(*) FROM history_pending),
			(SELECT recorded_at FROM history WHERE id = (SELECT min(history_id) FROM history_pending))`).Scan(&c.Unsealed, &since)
	if since != nil {
		c.Since = *since
	}
	return c, wrap(err, "look at the history's chain")
}

// PoolUse is how much a pool of connections is used.
type PoolUse struct {
	Pool              string // "primary", "standby"
	Limit, Used, Idle int
	Waits             int64         // requests that found no connection free
	Waited            time.Duration // all of them together
}

// Pools is how much the pools are used at the moment.
func (p *Pair) Pools() []PoolUse {
	pools := []PoolUse{use("primary", p.primary.Stat())}
	if p.standby != nil {
		pools = append(pools, use("standby", p.standby.Stat()))
	}
	return pools
}

func use(name string, s *pgxpool.Stat) PoolUse {
	return PoolUse{Pool: name, Limit: int(s.MaxConns()), Used: int(s.AcquiredConns()), Idle: int(s.IdleConns()), Waits: s.EmptyAcquireCount(), Waited: s.EmptyAcquireWaitTime()}
}
