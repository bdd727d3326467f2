package server

import (
	"container/list"
	"context"
	"errors"
	"sync"

	"landmark/internal/landmark"
	"landmark/internal/store"
)

// pageCache holds what was made from one version of the data, within a budget of
// bytes. A newer version empties it: nothing in it is ever older than the check of
// the request it is given to.
//
// What is made begins to read after the check that named its version, so it may
// know of more than that version, never of less.
type pageCache struct {
	budget int

	mu      sync.Mutex
	version store.Version
	used    int
	entries map[pageKey]*list.Element // of *pageEntry
	order   *list.List                // the last used in front
	making  map[pageKey]*making
}

// pageKey is all that a kept page depends on besides the data.
type pageKey struct {
	path, query string // as asked
	role        string
	department  int64  // what is seen of its reports, and waits for it
	theme       string // as the server writes it into the page
	day         landmark.Date
	minute      int   // of the day, from 1; 0 where the page does not show it
	account     int64 // for what is of one person alone
	plan        int64
}

// kept is something in the cache.
type kept interface{ size() int }

type pageEntry struct {
	key  pageKey
	made kept
	size int
}

// making is something being made, for all who ask for it meanwhile.
type making struct {
	version store.Version
	done    chan struct{} // closed when the rest is there
	made    kept
	err     error
}

// entryOverhead is about what an entry takes besides its bytes.
const entryOverhead = 512

func newPageCache(budget int) *pageCache {
	c := &pageCache{budget: budget}
	c.empty(store.Version{})
	return c
}

func (c *pageCache) empty(v store.Version) {
	c.version, c.used = v, 0
	c.entries, c.order, c.making = map[pageKey]*list.Element{}, list.New(), map[pageKey]*making{}
}

var errNotMade = errors.New("making the page was given up")

// get is what stands under key in version v of the data or a newer one, made by
// the first who asks. f gives nil for what is not to be kept; all who asked get
// that nil.
func (c *pageCache) get(ctx context.Context, key pageKey, v store.Version, f func() (kept, error)) (kept, error) {
	c.mu.Lock()
	if v.Place != c.version.Place || v.Writes > c.version.Writes {
		c.empty(v)
	}
	if e, ok := c.entries[key]; ok {
		c.order.MoveToFront(e)
		made := e.Value.(*pageEntry).made
		c.mu.Unlock()
		return made, nil
	}
	if m, ok := c.making[key]; ok {
		c.mu.Unlock()
		select {
		case <-m.done:
			return m.made, m.err
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	m := &making{version: c.version, done: make(chan struct{}), err: errNotMade} // the error stands if f panics
	c.making[key] = m
	c.mu.Unlock()

	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.making[key] == m { // else the data has changed, and others are at it
			delete(c.making, key)
			if m.err == nil && m.made != nil {
				c.add(key, m.made)
			}
		}
		close(m.done)
	}()
	m.made, m.err = f()
	return m.made, m.err
}

// peek is what get would give without making anything; nil if it is not there.
func (c *pageCache) peek(key pageKey, v store.Version) kept {
	c.mu.Lock()
	defer c.mu.Unlock()
	if v.Place != c.version.Place || v.Writes > c.version.Writes {
		return nil
	}
	e, ok := c.entries[key]
	if !ok {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*pageEntry).made
}

// add makes room and puts something in.
func (c *pageCache) add(key pageKey, made kept) {
	size := made.size() + len(key.path) + len(key.query) + entryOverhead
	if size > c.budget {
		return
	}
	for c.used+size > c.budget {
		last := c.order.Back()
		e := c.order.Remove(last).(*pageEntry)
		delete(c.entries, e.key)
		c.used -= e.size
	}
	c.entries[key] = c.order.PushFront(&pageEntry{key, made, size})
	c.used += size
}

// bytes is how much is kept.
func (c *pageCache) bytes() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.used
}
