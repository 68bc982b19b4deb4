// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBatchIsDoneWhenAllIsSettled(t *testing.T) {
	b := newBatch(5)
	b.add(3)
	b.settledFresh(2)
	b.finish(2)
	b.hold(130 % 5)
	require.True(t, b.settled(0, false))
	b.finish(1)
	select {
	case <-b.done:
		t.Fatal("Deliver still adds records")
	default:
	}
	b.finish(1)
	<-b.done
	assert.Equal(t, 2, b.delivered)
	assert.Equal(t, 1, b.dropped)
	assert.Empty(t, b.abandon())
}

func TestBatchLeavesWhatWaits(t *testing.T) {
	b := newBatch(200)
	b.add(200)
	for _, ordinal := range []int{199, 0, 63, 64, 65, 128, 7} {
		b.hold(ordinal)
	}
	require.True(t, b.settled(64, true))
	assert.Equal(t, []int{0, 7, 63, 65, 128, 199}, b.abandon())
	assert.False(t, b.settled(63, true))
	assert.False(t, b.settled(7, false))
	assert.Equal(t, 1, b.delivered)
	assert.Zero(t, b.dropped)
}

// Each record of a batch is either settled or left, whoever is faster.
func TestBatchUnderRandomInterleavings(t *testing.T) {
	for seed := range uint64(150) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		n := 1 + rnd.IntN(300)
		b := newBatch(n)
		b.add(n)
		var settled sync.Map
		var count atomic.Int64
		var all sync.WaitGroup
		ordinals := rnd.Perm(n)
		for _, ordinal := range ordinals {
			b.hold(ordinal) // by the time of abandon every record that is not settled waits
		}
		for part := range slices.Chunk(ordinals, 1+n/4) {
			all.Go(func() {
				for _, ordinal := range part {
					if b.settled(ordinal, ordinal%3 > 0) {
						settled.Store(ordinal, true)
						count.Add(1)
					}
					b.finish(1)
				}
			})
		}
		var left []int
		all.Go(func() {
			if seed%3 > 0 {
				b.finish(1)
				<-b.done
			}
			left = b.abandon()
		})
		all.Wait()
		assert.True(t, slices.IsSorted(left))
		for _, ordinal := range left {
			_, twice := settled.Load(ordinal)
			require.False(t, twice, "record %d is settled and left", ordinal)
		}
		require.Equal(t, n, len(left)+int(count.Load()))
		require.Equal(t, int(count.Load()), b.delivered+b.dropped)
		if seed%3 > 0 {
			require.Empty(t, left)
		}
	}
}
