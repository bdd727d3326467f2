// Package jobs does what must happen in time and once, whichever copy of the
// program is alive: departments are reminded, notices go out by mail and to
// robots, leftovers are swept. River keeps the jobs in the database and lets one
// copy hand out the timed ones; what was done is kept in rows of our own, unique
// by what they are about, so that a job that runs twice does nothing twice.
package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"

	"landmark/internal/notify"
	"landmark/internal/reporting"
	"landmark/internal/store"
)

// Config is what the jobs work with.
type Config struct {
	Pool  *pgxpool.Pool // may lead through a pooler: nothing listens
	Store *store.Store  // on Pool
	Zone  *time.Location
	Log   *slog.Logger

	// Now is what reminders go by: in a demo it is not the real time. World is the
	// real time, which retries and limits go by.
	Now, World func() time.Time

	// BaseURL is the program's address in messages.
	BaseURL string
	// Mailer and Robots carry notices out of the house; nil: not by this way. With
	// neither, notices stay in the list on the pages and may still go out later.
	Mailer *notify.Mailer
	Robots *notify.Robots

	// The times below are for tests; zero takes the usual ones.
	Tick    time.Duration                   // between looks at the clock, by default a minute
	Relay   time.Duration                   // between looks for what is to be sent, by default 2 seconds
	Backoff func(attempt int) time.Duration // from a failed try to the next
	JobTime time.Duration                   // a job may take, by default 30 seconds
	Rescue  time.Duration                   // after which a job of a killed program is taken up, by default 2 minutes
}

const (
	tries = 12 // of one delivery in one round: some nine hours
	// giveUp is when a delivery counts as failed that nothing works on any more.
	giveUp = 48 * time.Hour
	// Robots take 20 messages a minute, and then none for ten.
	robotCalls = 15
)

// usualBackoff waits a minute, then twice as long each time, two hours at most.
func usualBackoff(attempt int) time.Duration {
	return min(time.Minute<<min(attempt-1, 10), 2*time.Hour)
}

// Runner is the jobs at work.
type Runner struct {
	client  *river.Client[pgx.Tx]
	log     *slog.Logger
	stop    context.CancelFunc
	relayed chan struct{}
}

// Start begins to work. It goes on until Stop, whatever becomes of ctx.
func Start(ctx context.Context, c Config) (*Runner, error) {
	if c.Tick == 0 {
		c.Tick = time.Minute
	}
	if c.Relay == 0 {
		c.Relay = 2 * time.Second
	}
	if c.Backoff == nil {
		c.Backoff = usualBackoff
	}
	if c.JobTime == 0 {
		c.JobTime = 30 * time.Second
	}
	if c.Rescue == 0 {
		c.Rescue = 2 * time.Minute
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, &remindWorker{reporting: reporting.New(c.Store, c.Zone), now: c.Now, log: c.Log})
	river.AddWorker(workers, &sweepWorker{store: c.Store, now: c.Now, world: c.World, log: c.Log})
	river.AddWorker(workers, &deliverWorker{Config: c})
	hour := func(now time.Time) string { return now.In(c.Zone).Format("2006-01-02T15") }
	every := river.PeriodicInterval(c.Tick)
	client, err := river.NewClient(riverpgxv5.New(c.Pool), &river.Config{
		Logger:  c.Log,
		Workers: workers,
		Queues: map[string]river.QueueConfig{
			river.QueueDefault: {MaxWorkers: 1},
			queueMail:          {MaxWorkers: 2},
			queueRobot:         {MaxWorkers: 1},
		},
		// Whoever hands out the timed work looks at the clock often and inserts a job
		// that names the hour: it is taken once, however often that is, and an hour
		// missed for want of a living program is made up by the next.
		PeriodicJobs: []*river.PeriodicJob{
			river.NewPeriodicJob(every, func() (river.JobArgs, *river.InsertOpts) { return remindArgs{hour(c.Now())}, nil }, &river.PeriodicJobOpts{RunOnStart: true}),
			river.NewPeriodicJob(every, func() (river.JobArgs, *river.InsertOpts) { return sweepArgs{hour(c.World())}, nil }, &river.PeriodicJobOpts{RunOnStart: true}),
		},
		PollOnly:             true, // LISTEN does not pass a pooler in transaction mode
		JobTimeout:           c.JobTime,
		RescueStuckJobsAfter: c.Rescue,
		ReindexerSchedule:    river.NeverSchedule(), // our role does not own the tables
	})
	if err != nil {
		return nil, fmt.Errorf("timed work: %w", err)
	}
	if err := client.Start(context.WithoutCancel(ctx)); err != nil {
		return nil, fmt.Errorf("start timed work: %w", err)
	}
	relaying, stop := context.WithCancel(context.WithoutCancel(ctx))
	r := &Runner{client: client, log: c.Log, stop: stop, relayed: make(chan struct{})}
	go func() {
		defer close(r.relayed)
		if c.Mailer != nil || c.Robots != nil {
			r.relay(relaying, c)
		}
	}()
	return r, nil
}

// Stop lets jobs under way finish until ctx ends, and then breaks them off: they
// are taken up again by whoever lives.
func (r *Runner) Stop(ctx context.Context) error {
	r.stop()
	<-r.relayed
	err := r.client.Stop(ctx)
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		err = r.client.StopAndCancel(last)
	}
	if err != nil {
		return fmt.Errorf("stop timed work: %w", err)
	}
	return nil
}

// once is for jobs whose arguments name all that tells them apart: the same never
// comes twice while its row is kept, whatever became of it.
func once(queue string) river.InsertOpts {
	return river.InsertOpts{Queue: queue, MaxAttempts: tries, UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: rivertype.JobStates()}}
}

// remindArgs is a look at what departments owe, in one hour of the city's clock.
type remindArgs struct {
	Hour string `json:"hour"`
}

// Kind implements [river.JobArgs].
func (remindArgs) Kind() string { return "remind" }

// InsertOpts implements [river.JobArgsWithInsertOpts].
func (remindArgs) InsertOpts() river.InsertOpts { return once(river.QueueDefault) }

type remindWorker struct {
	river.WorkerDefaults[remindArgs]
	reporting *reporting.Service
	now       func() time.Time
	log       *slog.Logger
}

// Work implements [river.Worker].
func (w *remindWorker) Work(ctx context.Context, job *river.Job[remindArgs]) error {
	told, err := w.reporting.Remind(ctx, w.now())
	if err != nil {
		return err
	}
	if told > 0 {
		w.log.InfoContext(ctx, "reminded departments", "hour", job.Args.Hour, "reminders", told)
	}
	return nil
}

// NextRetry implements [river.Worker]: the next hour comes soon anyway.
func (w *remindWorker) NextRetry(*river.Job[remindArgs]) time.Time {
	return time.Now().Add(time.Minute)
}

// sweepArgs is a sweep in one hour of the real clock.
type sweepArgs struct {
	Hour string `json:"hour"`
}

// Kind implements [river.JobArgs].
func (sweepArgs) Kind() string { return "sweep" }

// InsertOpts implements [river.JobArgsWithInsertOpts].
func (sweepArgs) InsertOpts() river.InsertOpts { return once(river.QueueDefault) }

type sweepWorker struct {
	river.WorkerDefaults[sweepArgs]
	store *store.Store
	now   func() time.Time // sessions and forms go by this one
	world func() time.Time
	log   *slog.Logger
}

const (
	// signInLife is how long ended sessions and failed sign-ins are kept: no request
	// of theirs is under way any more.
	signInLife = 24 * time.Hour
	// keyLife is how long a form's key is kept: nobody sends a form again that has
	// been open for longer.
	keyLife = 90 * 24 * time.Hour
)

// Work implements [river.Worker].
func (w *sweepWorker) Work(ctx context.Context, _ *river.Job[sweepArgs]) error {
	now := w.world()
	n, err := w.store.GiveUpDeliveries(ctx, now.Add(-giveUp), "两天没有送达,不再自动重试", now)
	if err != nil {
		return err
	}
	if n > 0 {
		w.log.WarnContext(ctx, "deliveries given up", "deliveries", n)
	}
	if err := w.store.SweepSignIns(ctx, w.now().Add(-signInLife)); err != nil {
		return err
	}
	return w.store.SweepKeys(ctx, w.now().Add(-keyLife))
}
