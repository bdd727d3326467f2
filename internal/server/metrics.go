package server

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"landmark/internal/landmark"
	"landmark/internal/store"
)

// workCounts counts what the database holds when the monitoring asks. While it
// does not answer there are no such counts, rather than zeros.
type workCounts struct {
	store *store.Store
	now   func() time.Time // which the history goes by

	mu      sync.Mutex
	reports map[landmark.State]int
	counted time.Time
}

// countEvery keeps the monitoring from reading all reports with each of its visits.
const countEvery = time.Minute

var (
	jobsDesc        = prometheus.NewDesc("landmark_jobs", "Jobs kept, by state.", []string{"state"}, nil)
	deliveriesDesc  = prometheus.NewDesc("landmark_deliveries", "Notices on their way to a recipient, by state.", []string{"state"}, nil)
	unrelayedDesc   = prometheus.NewDesc("landmark_notices_unrelayed", "Notices that no deliveries were made out for yet.", nil, nil)
	reportsDesc     = prometheus.NewDesc("landmark_reports", "Reports of all plans and months, by state.", []string{"state"}, nil)
	sealedDesc      = prometheus.NewDesc("landmark_history_sealed_lines", "Length of the history's chain.", nil, nil)
	sealedAgeDesc   = prometheus.NewDesc("landmark_history_head_age_seconds", "Since the chain's newest line was sealed.", nil, nil)
	unsealedDesc    = prometheus.NewDesc("landmark_history_unsealed_lines", "Lines of the history that are not in the chain yet.", nil, nil)
	unsealedAgeDesc = prometheus.NewDesc("landmark_history_unsealed_age_seconds", "How long the oldest line waits to be sealed; more than 60 is an alarm.", nil, nil)
)

// Describe implements [prometheus.Collector].
func (*workCounts) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{jobsDesc, deliveriesDesc, unrelayedDesc, reportsDesc, sealedDesc, sealedAgeDesc, unsealedDesc, unsealedAgeDesc} {
		to <- d
	}
}

// Collect implements [prometheus.Collector].
func (c *workCounts) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	if counts, err := c.store.WorkCounts(ctx); err == nil {
		for state, n := range counts.Jobs {
			gauge(jobsDesc, float64(n), state)
		}
		for _, state := range store.DeliveryStates { // all of them: an alarm on "failed" wants a zero
			gauge(deliveriesDesc, float64(counts.Deliveries[state]), state)
		}
		gauge(unrelayedDesc, float64(counts.Unrelayed))
	}
	if chain, err := c.store.ChainState(ctx); err == nil {
		since := func(at time.Time) float64 {
			if at.IsZero() {
				return 0
			}
			return max(0, c.now().Sub(at).Seconds())
		}
		gauge(sealedDesc, float64(chain.Head.Seq))
		gauge(sealedAgeDesc, since(chain.Head.SealedAt))
		gauge(unsealedDesc, float64(chain.Unsealed))
		gauge(unsealedAgeDesc, since(chain.Since))
	}
	if reports, err := c.reportCounts(ctx); err == nil {
		for _, state := range []landmark.State{landmark.StateSubmitted, landmark.StateSigned, landmark.StateApproved, landmark.StateReturned} {
			gauge(reportsDesc, float64(reports[state]), string(state))
		}
	}
}

func (c *workCounts) reportCounts(ctx context.Context) (map[landmark.State]int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reports != nil && time.Since(c.counted) < countEvery {
		return c.reports, nil
	}
	reports, err := c.store.ReportCounts(ctx)
	if err == nil {
		c.reports, c.counted = reports, time.Now()
	}
	return reports, err
}

// poolUse tells how much the pools of connections are used.
type poolUse struct{ pair *store.Pair }

var (
	clockDesc      = prometheus.NewDesc("landmark_database_clock_ahead_seconds", "How far the database's clock, which counts, is ahead of this machine's.", nil, nil)
	poolLimitDesc  = prometheus.NewDesc("landmark_db_pool_limit", "Connections the pool may have.", []string{"pool"}, nil)
	poolUsedDesc   = prometheus.NewDesc("landmark_db_pool_used", "Connections at work.", []string{"pool"}, nil)
	poolIdleDesc   = prometheus.NewDesc("landmark_db_pool_idle", "Connections that wait for work.", []string{"pool"}, nil)
	poolWaitsDesc  = prometheus.NewDesc("landmark_db_pool_waits_total", "Requests that found no connection free.", []string{"pool"}, nil)
	poolWaitedDesc = prometheus.NewDesc("landmark_db_pool_waited_seconds_total", "Time that requests waited for a connection.", []string{"pool"}, nil)
)

// Describe implements [prometheus.Collector].
func (poolUse) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{clockDesc, poolLimitDesc, poolUsedDesc, poolIdleDesc, poolWaitsDesc, poolWaitedDesc} {
		to <- d
	}
}

// Collect implements [prometheus.Collector].
func (c poolUse) Collect(to chan<- prometheus.Metric) {
	to <- prometheus.MustNewConstMetric(clockDesc, prometheus.GaugeValue, c.pair.Ahead().Seconds())
	for _, u := range c.pair.Pools() {
		to <- prometheus.MustNewConstMetric(poolLimitDesc, prometheus.GaugeValue, float64(u.Limit), u.Pool)
		to <- prometheus.MustNewConstMetric(poolUsedDesc, prometheus.GaugeValue, float64(u.Used), u.Pool)
		to <- prometheus.MustNewConstMetric(poolIdleDesc, prometheus.GaugeValue, float64(u.Idle), u.Pool)
		to <- prometheus.MustNewConstMetric(poolWaitsDesc, prometheus.CounterValue, float64(u.Waits), u.Pool)
		to <- prometheus.MustNewConstMetric(poolWaitedDesc, prometheus.CounterValue, u.Waited.Seconds(), u.Pool)
	}
}
