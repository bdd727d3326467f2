package reporting_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"landmark/internal/landmark"
	"landmark/internal/pgtest"
	"landmark/internal/reporting"
	"landmark/internal/store"
)

// BenchmarkSubmit sends a department's month, three values with checks, drafts and
// history, by 16 at once, each for a department of its own, month by month and
// then again with other values. The database is pgtest's, which does not wait for
// a disk.
func BenchmarkSubmit(b *testing.B) {
	pool, err := store.Open(b.Context(), pgtest.URL(b)) // as the program does
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(pool.Close)
	w := newTown(b, pool)
	const senders = 16
	people := make([]landmark.User, senders)
	plans := make([]string, senders)
	for i := range senders {
		p := smallPlan()
		p.Slug = fmt.Sprintf("bench-%d", i)
		for _, project := range p.Projects {
			project.Lead.Slug = fmt.Sprintf("%s-%d", project.Lead.Slug, i)
			project.Lead.Name = fmt.Sprintf("%s%d", project.Lead.Name, i)
		}
		p.Projects[0].Cooperating = nil
		if err := w.store.InsertPlan(b.Context(), p, landmark.Actor{Name: "命令行"}, importedAt); err != nil {
			b.Fatal(err)
		}
		plans[i] = p.Slug
		r, err := w.store.Record(b.Context(), p.Slug, time.Time{}, july4, shanghai)
		if err != nil {
			b.Fatal(err)
		}
		lead := r.Plan.Projects[0].Lead
		people[i] = landmark.User{Name: fmt.Sprintf("r%d", i), DisplayName: "填报员", Role: landmark.RoleReporter, DepartmentID: lead.ID, Department: lead}
		if people[i].ID, err = w.store.InsertAccount(b.Context(), store.Account{User: people[i], Hash: store.NoPassword, ChangedAt: importedAt}, importedAt); err != nil {
			b.Fatal(err)
		}
	}
	newYear := time.Date(2024, 1, 4, 9, 0, 0, 0, shanghai)
	b.ResetTimer()
	var next atomic.Int64
	var all sync.WaitGroup
	for i := range senders {
		all.Go(func() {
			months := make(map[landmark.Month]map[string]int)
			month := june - 1
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				if month++; month > landmark.MonthOf(2023, 11) { // December owes a yearly figure too
					month = june
				}
				versions := months[month]
				in := reporting.FormInput{Plan: plans[i], Month: month, Key: reporting.NewKey(), Indicators: map[string]reporting.Typed{}}
				for code, value := range map[string]int64{"1.1": 12 + n%8, "1.2": 110 + n%80} {
					in.Indicators[code] = reporting.Typed{Version: versions[code], Value: ptr(fmt.Sprint(value)), Reason: ptr("年终核对"), Note: ptr(fmt.Sprintf("第%d次", n))}
				}
				in.Indicators["1.3"] = reporting.Typed{Version: versions["1.3"], Step: ptr("推进中"), Reason: ptr("年终核对"), Note: ptr(fmt.Sprintf("第%d次", n))}
				receipt, err := w.work.Submit(context.Background(), landmark.ActorOf(people[i], "", ""), people[i], in, newYear)
				if err != nil || len(receipt.Sent) != 3 {
					b.Errorf("sent %v, error %v", receipt.Sent, err)
					return
				}
				months[month] = receipt.Versions
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "submissions/s")
}
