package jobs

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/riverqueue/river"

	"landmark/internal/notify"
	"landmark/internal/store"
)

const (
	queueMail  = "mail"
	queueRobot = "robot"
)

// relay makes out deliveries for new notices and jobs for new deliveries, until
// ctx ends. Each copy of the program does: rows are taken once, and jobs are
// unique, so being killed between two steps loses and doubles nothing.
func (r *Runner) relay(ctx context.Context, c Config) {
	tick := time.NewTicker(c.Relay)
	defer tick.Stop()
	failing := false
	for {
		err := r.relayOnce(ctx, c)
		switch {
		case err != nil && ctx.Err() == nil && !failing: // said once, not every two seconds of an outage
			r.log.ErrorContext(ctx, "relay notices", "error", err)
		case err == nil && failing:
			r.log.InfoContext(ctx, "notices are relayed again")
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (r *Runner) relayOnce(ctx context.Context, c Config) error {
	const batch = 200
	for {
		if n, err := c.Store.RelayNotices(ctx, c.Mailer != nil, c.Robots != nil, c.World()); err != nil {
			return err
		} else if n == 0 {
			break
		}
	}
	for {
		list, err := c.Store.UnqueuedDeliveries(ctx, batch)
		if err != nil || len(list) == 0 {
			return err
		}
		jobs := make([]river.InsertManyParams, len(list))
		for i, d := range list {
			jobs[i] = river.InsertManyParams{Args: deliverArgs{Delivery: d.ID, Round: d.Round, Channel: d.Channel}}
		}
		if _, err := r.client.InsertMany(ctx, jobs); err != nil {
			return fmt.Errorf("insert %d jobs: %w", len(jobs), err)
		}
		if err := c.Store.MarkQueued(ctx, list, c.World()); err != nil {
			return err
		}
	}
}

// deliverArgs is one delivery, in one round: the office may try anew.
type deliverArgs struct {
	Delivery int64  `json:"delivery"`
	Round    int    `json:"round"`
	Channel  string `json:"channel"`
}

// Kind implements [river.JobArgs].
func (deliverArgs) Kind() string { return "deliver" }

// InsertOpts implements [river.JobArgsWithInsertOpts].
func (a deliverArgs) InsertOpts() river.InsertOpts {
	if a.Channel == store.ChannelMail {
		return once(queueMail)
	}
	return once(queueRobot)
}

type deliverWorker struct {
	river.WorkerDefaults[deliverArgs]
	Config
}

// NextRetry implements [river.Worker].
func (w *deliverWorker) NextRetry(job *river.Job[deliverArgs]) time.Time {
	return time.Now().Add(w.Backoff(job.Attempt))
}

// Work implements [river.Worker]. A try is written down before it is made and
// after it was. A program killed in between leaves open whether the message
// arrived: it is sent again under the same number.
func (w *deliverWorker) Work(ctx context.Context, job *river.Job[deliverArgs]) error {
	d, attempt, wait, err := w.begin(ctx, job.Args)
	switch {
	case err != nil:
		return err
	case wait > 0:
		return river.JobSnooze(wait)
	case attempt == 0:
		return nil // delivered, dropped or begun anew
	}
	sent := w.send(ctx, d)
	last := sent != nil && (notify.Lasts(sent) || job.Attempt >= job.MaxAttempts)
	if err := w.end(ctx, attempt, d.ID, sent, last); err != nil {
		return err
	}
	log := w.Log.With("delivery", d.ID, "notice", d.Notice.ID, "channel", d.Channel, "attempt", job.Attempt)
	switch {
	case sent == nil:
		log.InfoContext(ctx, "notice delivered")
	case last:
		log.WarnContext(ctx, "notice not delivered", "error", sent)
		return river.JobCancel(sent)
	}
	return sent
}

// begin decides in one transaction whether the message still goes out, and writes
// the try down. Without a try there is nothing to do, or one has to wait.
func (w *deliverWorker) begin(ctx context.Context, a deliverArgs) (d store.Delivery, attempt int64, wait time.Duration, err error) {
	now := w.World()
	err = w.Store.Tx(ctx, func(st *store.Store) error {
		attempt, wait = 0, 0
		var ok bool
		if d, ok, err = st.PendingDelivery(ctx, a.Delivery, a.Round); err != nil || !ok {
			return err
		}
		if why, err := w.useless(ctx, st, d); err != nil || why != "" {
			if err != nil {
				return err
			}
			return st.DropDelivery(ctx, d.ID, why, now)
		}
		if d.Robot.ID != 0 {
			calls, first, err := st.RobotCalls(ctx, d.Robot.ID, now.Add(-time.Minute))
			if err != nil {
				return err
			}
			if calls >= robotCalls {
				wait = max(first.Add(time.Minute).Sub(now), time.Second)
				return nil
			}
		}
		attempt, err = st.BeginAttempt(ctx, d.ID, now)
		return err
	})
	return d, attempt, wait, err
}

// useless says why a message need not go out any more, if that is so: what it asks
// for has come in, the way it would go is gone.
func (w *deliverWorker) useless(ctx context.Context, st *store.Store, d store.Delivery) (string, error) {
	switch {
	case d.Channel == store.ChannelMail && w.Mailer == nil:
		return "没有设置邮件服务器", nil
	case d.Channel != store.ChannelMail && w.Robots == nil:
		return "没有启用机器人", nil
	case d.Robot.Removed:
		return "机器人已经删除", nil
	case !d.Notice.Kind.Asks():
		return "", nil
	}
	r, err := st.Record(ctx, d.Notice.Plan, time.Time{}, w.Now(), w.Zone)
	if err != nil {
		return "", err
	}
	if len(r.Owed(d.Notice.Department.ID, d.Notice.Month)) == 0 {
		return "已经报齐,不再发送", nil
	}
	return "", nil
}

func (w *deliverWorker) send(ctx context.Context, d store.Delivery) error {
	m := notify.Message{ID: "delivery-" + strconv.FormatInt(d.ID, 10), Title: d.Notice.Title, Body: d.Notice.Body,
		Link: strings.TrimSuffix(w.BaseURL, "/") + d.Notice.Href(), At: d.Notice.At.In(w.Zone)}
	if d.Channel == store.ChannelMail {
		return w.Mailer.Send(ctx, d.Recipient, m)
	}
	return w.Robots.Send(ctx, notify.Robot{Kind: d.Robot.Kind, URL: d.Robot.URL, Secret: d.Robot.Secret}, m)
}

// end writes down how a try ended, also when the program is told to stop, and for
// a while against a database that is away: what was sent should be known.
func (w *deliverWorker) end(ctx context.Context, attempt, delivery int64, sent error, last bool) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	fault := ""
	if sent != nil {
		fault = sent.Error()
	}
	for {
		err := w.Store.EndAttempt(ctx, attempt, delivery, fault, last, w.World())
		if err == nil || !store.Unavailable(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(200 * time.Millisecond):
		}
	}
}
