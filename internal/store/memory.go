package store

import (
	"context"
	"sync"
)

// SeenAt says that ctx's request found the data at version v when it began: what
// it reads need not be read anew while that version stands. Not for a request that
// writes and reads what it wrote.
func SeenAt(ctx context.Context, v Version) context.Context {
	return context.WithValue(ctx, seenAtKey{}, v)
}

type seenAtKey struct{}

// memory keeps what was read at one version of the data, the newest heard of. It
// holds only what that version counts, see migrations/000017, and whoever is given
// something of it alters nothing.
//
// What is read begins to be read after its request heard of the version, so it may
// know of more than that version, never of less.
type memory struct {
	mu      sync.Mutex
	version Version
	kept    map[any]weighed
	weight  int
}

type weighed struct {
	value  any
	weight int
}

// Weights are KiB, about: of a plan's record, of a short list, and of all that is kept.
const (
	recordWeight = 300
	listWeight   = 2
	memoryBudget = 8 << 10
)

// remember gives what stands under key at the version of ctx's request, read by
// read if nothing does. In a transaction, on a standby and for a request that knows
// no version it always reads.
func remember[T any](ctx context.Context, s *Store, key any, weight int, read func() (T, error)) (T, error) {
	v, _ := ctx.Value(seenAtKey{}).(Version)
	_, pool := s.db.(beginner)
	if _, standby := ReadsStandby(ctx); v == (Version{}) || !pool || standby {
		return read()
	}
	if kept, ok := s.memory.get(v, key); ok {
		return kept.(T), nil
	}
	value, err := read()
	if err == nil {
		s.memory.put(v, key, weighed{value, weight})
	}
	return value, err
}

func (m *memory) get(v Version, key any) (any, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	// What a newer version holds serves an older one too.
	if m.version.Place != v.Place || m.version.Writes < v.Writes {
		return nil, false
	}
	k, ok := m.kept[key]
	return k.value, ok
}

func (m *memory) put(v Version, key any, k weighed) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.version.Place != v.Place || m.version.Writes < v.Writes:
		m.version, m.kept, m.weight = v, map[any]weighed{}, 0
	case m.version.Writes > v.Writes:
		return // read for an older one
	}
	m.weight += k.weight - m.kept[key].weight
	m.kept[key] = k
	for other, o := range m.kept { // any one makes room
		if m.weight <= memoryBudget {
			break
		}
		if other != key {
			delete(m.kept, other)
			m.weight -= o.weight
		}
	}
}
