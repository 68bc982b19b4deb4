// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"math/bits"
	"sync"
)

// batch is what one call of Deliver brings, settled as one.
// A record of it is either still with the caller of Deliver, in a request in flight, waiting, or settled.
type batch struct {
	n    int           // records
	done chan struct{} // closed when open is 0

	mu        sync.Mutex
	open      int      // records added and not finished, and one more while Deliver still adds some
	waiting   []uint64 // a bit for each record: has it waited and is it not settled; nil as long as nothing has failed
	delivered int
	dropped   int
	abandoned bool
}

func newBatch(n int) *batch {
	return &batch{n: n, open: 1, done: make(chan struct{})}
}

// add says that n more records belong to the batch.
func (b *batch) add(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open += n
}

// hold says that a record waits.
func (b *batch) hold(ordinal int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.waiting == nil {
		b.waiting = make([]uint64, (b.n+63)/64)
	}
	b.waiting[ordinal/64] |= 1 << (ordinal % 64)
}

// settled says that one record was delivered or dropped. It reports false for a batch that was abandoned, whose records
// are somebody else's. Either way finish has to follow.
func (b *batch) settled(ordinal int, delivered bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.abandoned {
		return false
	}
	if b.waiting != nil {
		b.waiting[ordinal/64] &^= 1 << (ordinal % 64)
	}
	if delivered {
		b.delivered++
	} else {
		b.dropped++
	}
	return true
}

// settledFresh says that n records that never waited, and so can be nobody else's, were delivered.
func (b *batch) settledFresh(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.delivered += n
}

// finish says that n records that were added are settled and in the books.
func (b *batch) finish(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open -= n
	if b.open == 0 {
		close(b.done)
	}
}

// abandon ends the batch as it is. It returns the ordinals of the records that wait, in ascending order.
func (b *batch) abandon() (left []int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.abandoned = true
	for i, word := range b.waiting {
		for ; word != 0; word &= word - 1 {
			left = append(left, i*64+bits.TrailingZeros64(word))
		}
	}
	return left
}

func (b *batch) isAbandoned() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.abandoned
}
