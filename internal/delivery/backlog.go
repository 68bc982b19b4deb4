// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"container/heap"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/putrecords"
)

const (
	// linger is how long a record waits for others to share its request.
	linger = 25 * time.Millisecond
	// fullLogPeriod is how often a full shard is logged.
	fullLogPeriod = time.Minute
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

	pacing atomic.Bool // whether any shard is full: the only thing that is looked at while all is well

	mu     sync.Mutex
	due    byDue
	behind map[string]*queue // by key; there is one for each key that has a record in due or on its way
	shards *shardMap
	full   []*shard
	laneAt time.Time // when the full shards are looked at next
	count  int       // of all that wait here
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
		b.count++
		if b.ordered {
			if behind, ok := b.behind[w.entry.Key()]; ok {
				behind.push(w)
				continue
			}
			b.behind[w.entry.Key()] = &queue{}
			heap.Push(&b.due, w)
			continue
		}
		if s := b.fullShard(w); s != nil {
			s.waiting.push(w)
			s.hot.add(w.entry.Key())
			continue
		}
		heap.Push(&b.due, w)
	}
	b.signal()
}

// comeBack adds records that were on their way and have to be sent again.
func (b *backlog) comeBack(records []*waiting) {
	b.mu.Lock()
	defer b.mu.Unlock()
	// From the last to the first, so that those for one shard are first in line in the order they had.
	for i := len(records) - 1; i >= 0; i-- {
		w := records[i]
		b.count++
		if s := b.fullShard(w); s != nil && !b.ordered {
			s.waiting.pushFront(w)
			continue
		}
		heap.Push(&b.due, w)
	}
	b.signal()
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
	if behind.len() == 0 {
		delete(b.behind, w.entry.Key())
		return
	}
	heap.Push(&b.due, behind.pop())
	b.signal()
}

func (b *backlog) signal() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// holds reports whether a new record has to wait because its shard is full and has no room or others wait for it.
// If not, and the shard is full, the record counts as offered to it.
func (b *backlog) holds(key string, size int, now time.Time) (hold, paced bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.shards.find(hashOf(key))
	if s == nil || !s.full {
		return false, false
	}
	if s.waiting.len() > 0 || !s.room(size, now) {
		return true, false
	}
	s.take(size)
	s.hot.add(key)
	return false, true
}

func (b *backlog) fullShard(w *waiting) *shard {
	if len(b.full) == 0 {
		return nil
	}
	if s := b.shards.find(w.keyHash()); s != nil && s.full {
		return s
	}
	return nil
}

// collect moves the records that may go now into a request, as many as fit, and returns them.
func (b *backlog) collect(req *putrecords.Request, now time.Time) []*waiting {
	b.mu.Lock()
	defer b.mu.Unlock()
	var taken []*waiting
	for len(b.due) > 0 && !b.due[0].due.After(now) {
		w := b.due[0]
		if w.batch.isAbandoned() {
			heap.Pop(&b.due)
			b.forget(w)
			continue
		}
		s := b.fullShard(w)
		w.paced = s != nil
		if s != nil && !b.ordered {
			heap.Pop(&b.due)
			s.waiting.push(w)
			continue
		}
		if s != nil && !s.room(w.entry.Size(), now) {
			w.due = now.Add(linger)
			heap.Fix(&b.due, 0)
			continue
		}
		if !req.AppendEntry(w.entry) {
			return taken
		}
		if s != nil {
			s.take(w.entry.Size())
			s.hot.add(w.entry.Key())
		}
		heap.Pop(&b.due)
		b.count--
		taken = append(taken, w)
	}
	for i := range b.full {
		s := b.full[i]
		for s.waiting.len() > 0 {
			w := s.waiting.front()
			if w.batch.isAbandoned() {
				b.forget(s.waiting.pop())
				continue
			}
			if !s.room(w.entry.Size(), now) {
				break
			}
			if !req.AppendEntry(w.entry) {
				// The next request begins with this shard.
				b.full = append(b.full[i:], b.full[:i]...)
				return taken
			}
			s.take(w.entry.Size())
			s.waiting.pop()
			b.count--
			w.paced = true
			taken = append(taken, w)
		}
	}
	// The request was not filled, so the shards have no room left. They get some with time.
	b.laneAt = now.Add(linger)
	return taken
}

// forget leaves out a record that nobody waits for any more.
func (b *backlog) forget(w *waiting) {
	b.count--
	if b.ordered {
		b.next(w)
	}
}

// nextAt returns when collect may find something, and false when nothing waits.
func (b *backlog) nextAt(now time.Time) (time.Time, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.relax(now)
	var at time.Time
	some := len(b.due) > 0
	if some {
		at = b.due[0].due
	}
	for _, s := range b.full {
		if s.waiting.len() > 0 && (!some || b.laneAt.Before(at)) {
			some, at = true, b.laneAt
		}
	}
	return at, some
}

// relax stops pacing the shards that have taken all there was for a while.
func (b *backlog) relax(now time.Time) {
	kept := b.full[:0]
	for _, s := range b.full {
		if s.relaxed(now) {
			s.full = false
			b.logger.Info("Shard takes all its records again.", zap.String("stream", b.stream), zap.String("shard", s.id))
			continue
		}
		kept = append(kept, s)
	}
	clear(b.full[len(kept):])
	b.full = kept
	b.pacing.Store(len(b.full) > 0)
}

// sighting is what an answer said of one record.
type sighting struct {
	key     string
	size    int
	shard   string // empty when the answer did not say
	refused bool   // because the shard was full
	paced   bool   // the record had waited for room
}

// learn takes note of where records went and of which shards refused some. It returns for each shard how many it
// refused.
func (b *backlog) learn(sightings []sighting, now time.Time) map[string]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	refusals := map[string]int{}
	for _, seen := range sightings {
		hash := hashOf(seen.key)
		var s *shard
		if seen.shard == "" {
			s = b.shards.find(hash)
		} else {
			var gone []*shard
			s, gone = b.shards.learn(seen.shard, hash)
			for _, g := range gone {
				b.disperse(g)
			}
		}
		if !seen.refused {
			continue
		}
		if s == nil {
			refusals[""]++
			continue
		}
		refusals[s.id]++
		if !s.full {
			b.full = append(b.full, s)
			b.pacing.Store(true)
		}
		s.refuse(seen.size, seen.paced, now)
		s.hot.add(seen.key)
	}
	for _, s := range b.full {
		if refusals[s.id] > 0 && (s.logged.IsZero() || now.Sub(s.logged) >= fullLogPeriod) {
			s.logged = now
			b.logger.Warn("Shard is full. Its records wait; those of other shards do not.",
				zap.String("stream", b.stream), zap.String("shard", s.id), zap.Int("records_waiting", s.waiting.len()),
				zap.Any("heaviest_partition_keys", s.hot.top(loggedKeys)))
		}
	}
	return refusals
}

// disperse lets the records of a shard that is gone find their new shards.
func (b *backlog) disperse(gone *shard) {
	for i, s := range b.full {
		if s == gone {
			b.full = append(b.full[:i:i], b.full[i+1:]...)
			break
		}
	}
	for gone.waiting.len() > 0 {
		heap.Push(&b.due, gone.waiting.pop())
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
