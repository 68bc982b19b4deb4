// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"container/heap"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

const (
	// linger is how long a record waits for others to share its request.
	linger = 25 * time.Millisecond
	// fullLogPeriod is how often a full shard is logged, and fullLogLines how many of them, since a stream can have
	// thousands.
	fullLogPeriod = time.Minute
	fullLogLines  = 10
	// loggedKeys is how many of the heaviest keys logs and metrics name.
	loggedKeys = 3
)

// backlog holds the records that wait and knows which of them may go now.
//
//	             ┌─ due:    waits for its time, the next one first ─────────────┐
//	a record ────┼─ shard:  waits for room in its full shard, in turn ──────────┼─▶ collect
//	             └─ behind: waits for the one of its key that is on its way ────┘   (ordered only)
type backlog struct {
	ordered bool
	stream  string
	logger  *zap.Logger
	wake    chan struct{} // signals that a record came in; holds one

	// Whether any shard is full, and whether any record waits: all that is looked at while all is well.
	pacing, some atomic.Bool

	mu      sync.Mutex
	due     byDue
	behind  map[string]*queue // by key; there is one for each key that has a record in due, in a shard or on its way
	shards  *shardMap
	full    []*shard
	lanesAt time.Time // when the records of full shards are looked at next
	count   int       // of all that wait here

	logPeriod time.Time // when the current period of fullLogPeriod began
	logLines  int       // lines about full shards in it
}

func newBacklog(ordered bool, stream string, logger *zap.Logger) *backlog {
	return &backlog{
		ordered: ordered,
		stream:  stream,
		logger:  logger,
		wake:    make(chan struct{}, 1),
		behind:  map[string]*queue{},
		shards:  newShardMap(),
	}
}

// lineUp adds records that have not been tried before, in their order.
func (b *backlog) lineUp(records []*waiting) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, w := range records {
		if b.ordered {
			if behind, ok := b.behind[w.entry.Key()]; ok {
				if behind == nil {
					behind = &queue{}
					b.behind[w.entry.Key()] = behind
				}
				behind.push(w)
				continue
			}
			b.behind[w.entry.Key()] = nil
		}
		b.place(w)
	}
	b.counted(len(records))
	b.signal()
}

// comeBack adds records that were on their way and have to be sent again.
func (b *backlog) comeBack(records []*waiting) {
	b.mu.Lock()
	defer b.mu.Unlock()
	// From the last to the first, so that those for one shard are first in line in the order they had.
	for _, w := range slices.Backward(records) {
		if s := b.fullShard(w); s != nil && w.refused {
			s.waiting.pushFront(w)
			continue
		}
		heap.Push(&b.due, w)
	}
	b.counted(len(records))
	b.signal()
}

// place puts a record where it has to wait: for its full shard, or until it is due.
func (b *backlog) place(w *waiting) {
	s := b.fullShard(w)
	if s == nil {
		heap.Push(&b.due, w)
		return
	}
	s.hot.add(w.entry.Key())
	if w.failed.IsZero() {
		s.waiting.push(w)
	} else {
		s.waiting.pushFront(w) // those behind it are younger
	}
}

// settled says that a record that was on its way is delivered or dropped. The next one of its key may go.
func (b *backlog) settled(w *waiting) {
	if !b.ordered {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.next(w)
}

func (b *backlog) next(w *waiting) {
	behind := b.behind[w.entry.Key()]
	if behind == nil || behind.len() == 0 {
		delete(b.behind, w.entry.Key())
		return
	}
	b.place(behind.pop())
	b.signal()
}

// counted says that so many records have come, or gone when it is negative.
func (b *backlog) counted(n int) {
	b.count += n
	b.some.Store(b.count > 0)
}

func (b *backlog) signal() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// holds reports whether a new record has to wait because its shard is full and has no room or others wait for it.
// If not, and the shard is full, the record counts as offered to it.
func (b *backlog) holds(key string, hash uint64, size int, now time.Time) (hold, paced bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.shards.find(hash)
	if s == nil || !s.full {
		return false, false
	}
	if s.waiting.len() > 0 || !s.room(size, now) {
		return true, false
	}
	s.offer(size)
	s.hot.add(key)
	return false, true
}

// fullShard returns the shard of a record if it is full, else nil.
func (b *backlog) fullShard(w *waiting) *shard {
	if len(b.full) == 0 {
		return nil
	}
	if s := b.shards.find(w.keyHash()); s != nil && s.full {
		return s
	}
	return nil
}

// collect moves the records that may go now into a shipment, as many as fit until it holds so many.
func (b *backlog) collect(to *shipment, most int, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.due) > 0 && !b.due[0].due.After(now) {
		w := b.due[0]
		switch {
		case w.batch.isAbandoned():
			heap.Pop(&b.due)
			b.forget(w)
		case b.fullShard(w) != nil:
			heap.Pop(&b.due)
			b.place(w)
		case len(to.refs) < most && to.addWaiting(w, false):
			heap.Pop(&b.due)
			b.counted(-1)
		default:
			return
		}
	}
	for i, s := range b.full {
		for s.waiting.len() > 0 {
			w := s.waiting.front()
			if w.batch.isAbandoned() {
				s.waiting.pop()
				b.forget(w)
				continue
			}
			if !s.room(w.entry.Size(), now) {
				break
			}
			if len(to.refs) == most || !to.addWaiting(w, true) {
				// The next shipment begins with this shard.
				b.full = append(b.full[i:len(b.full):len(b.full)], b.full[:i]...)
				return
			}
			s.waiting.pop()
			s.offer(w.entry.Size())
			b.counted(-1)
		}
	}
	// There was room for more, so nothing may go before the shards get room, with time.
	b.lanesAt = now.Add(linger)
}

// forget leaves out a record that nobody waits for any more.
func (b *backlog) forget(w *waiting) {
	b.counted(-1)
	if b.ordered {
		b.next(w)
	}
}

// nextAt returns when collect may find something, and false when nothing waits.
func (b *backlog) nextAt(now time.Time) (at time.Time, some bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.relax(now)
	if some = len(b.due) > 0; some {
		at = b.due[0].due
	}
	for _, s := range b.full {
		if s.waiting.len() == 0 {
			continue
		}
		room := s.roomAt(s.waiting.front().entry.Size(), now)
		if room.Before(b.lanesAt) {
			room = b.lanesAt
		}
		if !some || room.Before(at) {
			some, at = true, room
		}
	}
	return at, some
}

// relax stops pacing the shards that have taken all there was for a while.
func (b *backlog) relax(now time.Time) {
	b.full = slices.DeleteFunc(b.full, func(s *shard) bool {
		if !s.relaxed(now) {
			return false
		}
		s.full = false
		if s.told {
			b.logger.Info("Shard takes all its records again.", zap.String("stream", b.stream), zap.String("shard", s.id))
		}
		return true
	})
	b.pacing.Store(len(b.full) > 0)
}

// sighting is what an answer said of one record.
type sighting struct {
	hash    uint64 // of key
	key     string
	size    int
	shard   string // empty when the answer did not say
	refused bool   // because the shard was full; else it was taken
}

// learn takes note of where records went and of which shards refused some. It returns for each shard how many it
// refused.
func (b *backlog) learn(sightings []sighting, now time.Time) (refusals map[string]int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, seen := range sightings {
		s, id := b.shards.find(seen.hash), seen.shard
		if id != "" {
			var gone []*shard
			s, gone = b.shards.learn(id, seen.hash)
			for _, g := range gone {
				b.disperse(g)
			}
		} else if s != nil {
			id = s.id
		}
		if seen.refused {
			if refusals == nil {
				refusals = map[string]int{}
			}
			refusals[id]++
		}
		switch {
		case s == nil:
		case seen.refused:
			if !s.full {
				b.full = append(b.full, s)
				b.pacing.Store(true)
				b.lanesAt = now.Add(linger)
			}
			s.refuse(now)
			s.hot.add(seen.key)
		case s.full:
			s.took(seen.size, now)
		}
	}
	if len(refusals) > 0 {
		b.logFull(refusals, now)
	}
	return refusals
}

// learnTaken takes note of records that passed the pace of their shard and were taken, with all others of the request.
func (b *backlog) learnTaken(s *shipment, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, r := range s.refs {
		if !r.paced {
			continue
		}
		if at := b.shards.find(r.hash); at != nil && at.full {
			at.took(s.req.EntrySize(i), now)
		}
	}
}

// logFull logs the shards that have refused records, at most once in a period each, and not all of them when there are
// many.
func (b *backlog) logFull(refusals map[string]int, now time.Time) {
	if now.Sub(b.logPeriod) >= fullLogPeriod {
		b.logPeriod, b.logLines = now, 0
	}
	for _, s := range b.full {
		if b.logLines == fullLogLines {
			return
		}
		if refusals[s.id] == 0 || !s.logged.IsZero() && now.Sub(s.logged) < fullLogPeriod {
			continue
		}
		b.logLines++
		s.logged, s.told = now, true
		b.logger.Warn("Shard is full. Its records wait; those of other shards do not.",
			zap.String("stream", b.stream), zap.String("shard", s.id),
			zap.Any("heaviest_partition_keys", s.hot.top(loggedKeys)))
	}
}

// disperse lets the records of a shard that is gone find their new shards.
func (b *backlog) disperse(gone *shard) {
	if !gone.full {
		return
	}
	gone.full = false
	b.full = slices.DeleteFunc(b.full, func(s *shard) bool { return s == gone })
	b.pacing.Store(len(b.full) > 0)
	for gone.waiting.len() > 0 {
		b.place(gone.waiting.pop())
	}
}

// FullShard describes a shard that has refused records lately.
type FullShard struct {
	ID      string
	Waiting int      // records
	HotKeys []HotKey // the heaviest partition keys among its records
}

// status returns how many records wait, and the full shards.
func (b *backlog) status() (waiting int, full []FullShard) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.full {
		full = append(full, FullShard{ID: s.id, Waiting: s.waiting.len(), HotKeys: s.hot.top(loggedKeys)})
	}
	return b.count, full
}
