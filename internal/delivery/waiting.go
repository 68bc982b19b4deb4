// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"time"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/putrecords"
)

// waiting is a record that waits: for another attempt, for room in its shard, or for its turn among those of its key.
type waiting struct {
	entry    putrecords.Entry
	batch    *batch
	ordinal  int       // in its batch
	attempts int       // that have failed, but for those that a full shard refused
	failed   time.Time // first failure, zero before
	due      time.Time // not to be sent before
	refused  bool      // by its full shard, in the last attempt
	hashed   bool      // hash is known
	hash     uint64    // of the key
}

// keyHash returns the hash of the record's key, computed once.
func (w *waiting) keyHash() uint64 {
	if !w.hashed {
		w.hash, w.hashed = hashOf(w.entry.Key()), true
	}
	return w.hash
}

// slab makes waiting records out of one piece of memory.
type slab []waiting

func (s *slab) next() *waiting {
	w := &(*s)[0]
	*s = (*s)[1:]
	return w
}

// queue is a double-ended queue of waiting records.
type queue struct {
	ring []*waiting // its length is a power of two, or 0
	head int
	n    int
}

func (q *queue) len() int { return q.n }

func (q *queue) front() *waiting { return q.ring[q.head] }

func (q *queue) push(w *waiting) {
	q.grow()
	q.ring[(q.head+q.n)&(len(q.ring)-1)] = w
	q.n++
}

func (q *queue) pushFront(w *waiting) {
	q.grow()
	q.head = (q.head - 1) & (len(q.ring) - 1)
	q.ring[q.head] = w
	q.n++
}

func (q *queue) pop() *waiting {
	w := q.ring[q.head]
	q.ring[q.head] = nil
	q.head = (q.head + 1) & (len(q.ring) - 1)
	q.n--
	if q.n == 0 {
		*q = queue{} // a burst must not hold its memory for good
	}
	return w
}

func (q *queue) grow() {
	if q.n < len(q.ring) {
		return
	}
	ring := make([]*waiting, max(8, 2*len(q.ring)))
	for i := range q.n {
		ring[i] = q.ring[(q.head+i)&(len(q.ring)-1)]
	}
	q.ring, q.head = ring, 0
}

// byDue is a heap of waiting records, the next one due first.
type byDue []*waiting

func (h byDue) Len() int           { return len(h) }
func (h byDue) Less(i, j int) bool { return h[i].due.Before(h[j].due) }
func (h byDue) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *byDue) Push(x any)        { *h = append(*h, x.(*waiting)) }
func (h *byDue) Pop() any {
	old := *h
	w := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return w
}
