// SPDX-License-Identifier: Apache-2.0

package delivery

import "sync"

// batch is what one call of Deliver brings, settled as one.
// A record of it is either still with the caller of Deliver, in a request in flight, waiting, or settled.
type batch struct {
	mu        sync.Mutex
	open      int          // records not settled, and one more while Deliver still adds some
	waiting   map[int]bool // ordinals of those that wait; nil as long as nothing has failed
	delivered int
	dropped   int
	abandoned bool
	done      chan struct{} // closed when open is 0
}

func newBatch() *batch {
	return &batch{open: 1, done: make(chan struct{})}
}

// add says that n more records belong to the batch.
func (b *batch) add(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open += n
}

// sealed says that all records have been added.
func (b *batch) sealed() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.settle(1)
}

func (b *batch) settle(n int) {
	b.open -= n
	if b.open == 0 {
		close(b.done)
	}
}

// hold says that a record waits.
func (b *batch) hold(ordinal int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.waiting == nil {
		b.waiting = map[int]bool{}
	}
	b.waiting[ordinal] = true
}

// settled says that one record was delivered or dropped. It reports false for a batch that was abandoned,
// to which nothing can happen any more.
func (b *batch) settled(ordinal int, delivered bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.abandoned {
		return false
	}
	delete(b.waiting, ordinal)
	if delivered {
		b.delivered++
	} else {
		b.dropped++
	}
	b.settle(1)
	return true
}

// allDelivered says that n records, none of which ever waited, were delivered.
func (b *batch) allDelivered(n int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.abandoned {
		return false
	}
	b.delivered += n
	b.settle(n)
	return true
}

// abandon ends the batch as it is and returns the ordinals of the records that wait, in no order.
func (b *batch) abandon() []int {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.abandoned = true
	left := make([]int, 0, len(b.waiting))
	for ordinal := range b.waiting {
		left = append(left, ordinal)
	}
	return left
}

func (b *batch) isAbandoned() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.abandoned
}
