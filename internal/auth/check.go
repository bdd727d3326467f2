package auth

import (
	"context"
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
}

// question is one statement and the requests that wait for it.
type question struct {
	ctx    context.Context // of the first request, without its end: it says which database is asked
	hashes map[string]struct{}
	done   chan struct{} // closed when the rest is there

	version  store.Version
	visitors map[string]store.Visitor
	err      error
}

const (
	// Two questions at a time: while one's answer is read, the next is on its way.
	maxAsking    = 2
	checkTimeout = 3 * time.Second
)

func newChecks(c Config) *checks {
	return &checks{store: c.Store, log: c.Log, ends: map[string]time.Time{}}
}

// visitor is who a session belongs to, if it was not ended, and the data's
// version, both as of a moment after the call. When the session ends includes
// uses that are not stored yet.
func (c *checks) visitor(ctx context.Context, tokenHash string) (store.Visitor, bool, store.Version, error) {
	l := &c.lanes[0]
	if _, standby := store.ReadsStandby(ctx); standby {
		l = &c.lanes[1]
	}
	c.mu.Lock()
	if l.next == nil {
		l.next = &question{ctx: context.WithoutCancel(ctx), hashes: map[string]struct{}{}, done: make(chan struct{})}
	}
	q, end := l.next, c.ends[tokenHash] // taken before the question: what is stored after it was not lost
	q.hashes[tokenHash] = struct{}{}
	if l.asking < maxAsking {
		l.asking++
		go c.ask(l)
	}
	c.mu.Unlock()

	select {
	case <-q.done:
	case <-ctx.Done():
		return store.Visitor{}, false, store.Version{}, ctx.Err()
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
		l.next = nil // from here on others go into the next
		c.mu.Unlock()
		c.answer(q)
	}
}

func (c *checks) answer(q *question) {
	defer close(q.done)
	hashes := make([]string, 0, len(q.hashes))
	for h := range q.hashes {
		hashes = append(hashes, h)
	}
	// Of no request's own: one that leaves must not take the others with it.
	ctx, cancel := context.WithTimeout(q.ctx, checkTimeout)
	defer cancel()
	q.version, q.visitors, q.err = c.store.Visitors(ctx, hashes)
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
