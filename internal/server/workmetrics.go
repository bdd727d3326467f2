package server

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"landmark/internal/store"
)

// workCounts counts timed work when the monitoring asks. While the database does
// not answer there are no such counts, rather than zeros.
type workCounts struct{ store *store.Store }

var (
	jobsDesc       = prometheus.NewDesc("landmark_jobs", "Jobs kept, by state.", []string{"state"}, nil)
	deliveriesDesc = prometheus.NewDesc("landmark_deliveries", "Notices on their way to a recipient, by state.", []string{"state"}, nil)
	unrelayedDesc  = prometheus.NewDesc("landmark_notices_unrelayed", "Notices that no deliveries were made out for yet.", nil, nil)
)

// Describe implements [prometheus.Collector].
func (workCounts) Describe(to chan<- *prometheus.Desc) {
	to <- jobsDesc
	to <- deliveriesDesc
	to <- unrelayedDesc
}

// Collect implements [prometheus.Collector].
func (c workCounts) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	counts, err := c.store.WorkCounts(ctx)
	if err != nil {
		return
	}
	for state, n := range counts.Jobs {
		to <- prometheus.MustNewConstMetric(jobsDesc, prometheus.GaugeValue, float64(n), state)
	}
	for _, state := range store.DeliveryStates { // all of them: an alarm on "failed" wants a zero
		to <- prometheus.MustNewConstMetric(deliveriesDesc, prometheus.GaugeValue, float64(counts.Deliveries[state]), state)
	}
	to <- prometheus.MustNewConstMetric(unrelayedDesc, prometheus.GaugeValue, float64(counts.Unrelayed))
}
