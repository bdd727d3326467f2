package auth

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"landmark/internal/store"
)

// checks asks the database who visitors are, for every request anew. Requests
// that come while a question is under way are asked about together in the next:
// a busy server asks hundreds of times a second and not ten thousand, and no
// answer is older than the request it is for.
type checks struct {
	store *store.Store
	pair  *store.Pair // nil: the primary is not watched
	log   *slog.Logger

	mu    sync.Mutex
	lanes [2]lane // of the primary, and of the standby while that is read

	ends     map[string]time.Time // of sessions in use, not stored yet
	touching bool                 // ends are being stored
}

// lane is where requests to one database wait.
type lane struct {
	next   *question // what arrived since the last question was sent
	asking int       // questions under way

	sent    time.Time // when the last question was
	crowded bool      // many waited for it
}

// question is one statement and the requests that wait for it.
type question struct {
	ctx    context.Context // of the first request, without its end: it says which database is asked; ends when the answer is too late
	end    context.CancelFunc
	hashes map[string]struct{}
	asked  int           // requests that wait
	done   chan struct{} // closed when the rest is there

	version  store.Version
	visitors map[string]visitor
	err      error
}

// visitor is who a session belongs to, with what it holds, read once for all who ask.
type visitor struct {
	store.Visitor
	content content
	unread  error // why content could not be read
}

const (
	// Two questions at a time: while one's answer is read, the next is on its way.
	maxAsking = 2
	// From a question's first request to its answer, also while it waits to be sent. A
	// request that gets none still has time to say so within three seconds.
	checkTimeout = 2500 * time.Millisecond

	// Where more than a few wait for one answer, the next question waits for more to
	// come: it costs the database the same for one and for a hundred.
	gatherFor  = time.Millisecond
	gatherFrom = 8
)

func newChecks(c Config) *checks {
	return &checks{store: c.Store, pair: c.Pair, log: c.Log, ends: map[string]time.Time{}}
}

// visitor is who a session belongs to, if it was not ended, and the data's
// version, both as of a moment after the call. When the session ends includes
// uses that are not stored yet.
func (c *checks) visitor(ctx context.Context, tokenHash string) (visitor, bool, store.Version, error) {
	l := &c.lanes[0]
	if _, standby := store.ReadsStandby(ctx); standby {
		l = &c.lanes[1]
	}
	c.mu.Lock()
	if l.next == nil {
		// Of no request's own: one that leaves must not take the others with it.
		until, end := context.WithTimeout(context.WithoutCancel(ctx), checkTimeout)
		l.next = &question{ctx: until, end: end, hashes: map[string]struct{}{}, done: make(chan struct{})}
	}
	q, end := l.next, c.ends[tokenHash] // taken before the question: what is stored after it was not lost
	q.hashes[tokenHash] = struct{}{}
	q.asked++
	if l.asking < maxAsking {
		l.asking++
		go c.ask(l)
	}
	c.mu.Unlock()

	select {
	case <-q.done:
	case <-ctx.Done():
		return visitor{}, false, store.Version{}, context.Cause(ctx)
	case <-q.ctx.Done(): // or the answer has just come
		select {
		case <-q.done:
		default:
			return visitor{}, false, store.Version{}, context.Cause(q.ctx)
		}
	}
	v, ok := q.visitors[tokenHash]
	if end.After(v.Session.ExpiresAt) {
		v.Session.ExpiresAt = end
	}
	return v, ok, q.version, q.err
}

// ask sends a lane's questions until nobody waits.
func (c *checks) ask(l *lane) {
	for {
		c.mu.Lock()
		q := l.next
		if q == nil {
			l.asking--
			c.mu.Unlock()
			return
		}
		if wait := gatherFor - time.Since(l.sent); wait > 0 && l.crowded {
			c.mu.Unlock()
			time.Sleep(wait)
			c.mu.Lock()
			if q = l.next; q == nil { // another sent it meanwhile
				c.mu.Unlock()
				continue
			}
		}
		l.next, l.sent, l.crowded = nil, time.Now(), q.asked >= gatherFrom // from here on others go into the next
		c.mu.Unlock()
		c.answer(q)
	}
}

func (c *checks) answer(q *question) {
	defer q.end()
	defer close(q.done)
	hashes := make([]string, 0, len(q.hashes))
	for h := range q.hashes {
		hashes = append(hashes, h)
	}
	ctx := q.ctx
	if _, standby := store.ReadsStandby(ctx); c.pair != nil && !standby { // what hangs is given up when the primary goes
		var leave context.CancelFunc
		ctx, leave = c.pair.While(ctx)
		defer leave()
	}
	var found map[string]store.Visitor
	q.version, found, q.err = c.store.Visitors(ctx, hashes)
	if q.err != nil && ctx.Err() != nil { // given up, which is no fault of those who asked: say why
		q.err = fmt.Errorf("read %d sessions: %w", len(hashes), context.Cause(ctx))
	}
	q.visitors = make(map[string]visitor, len(found))
	for hash, v := range found {
		one := visitor{Visitor: v}
		if err := json.Unmarshal(v.Session.Data, &one.content); err != nil {
			one.unread = fmt.Errorf("read session: %w", err)
		}
		q.visitors[hash] = one
	}
}

// touch has a session's end moved, soon and without the request waiting for it.
// A session that was ended meanwhile stays so: only living ones are moved.
func (c *checks) touch(tokenHash string, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ends[tokenHash] = until
	if !c.touching {
		c.touching = true
		go c.storeEnds()
	}
}

// storeEnds writes until nothing is left. What cannot be written is left to the
// next use of those sessions.
func (c *checks) storeEnds() {
	for {
		c.mu.Lock()
		ends := make(map[string]time.Time, len(c.ends))
		for h, until := range c.ends {
			ends[h] = until
		}
		if len(ends) == 0 {
			c.touching = false
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()

		ctx, cancel := context.WithTimeout(context.Background(), checkTimeout)
		err := c.store.ExtendSessions(ctx, ends)
		cancel()
		if err != nil {
			c.log.Warn("extend sessions", "sessions", len(ends), "error", err)
		}
		c.mu.Lock()
		for h, until := range ends {
			if c.ends[h].Equal(until) { // not moved again meanwhile
				delete(c.ends, h)
			}
		}
		c.mu.Unlock()
	}
}
