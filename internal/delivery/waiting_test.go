// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"container/heap"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestQueueIsADoubleEndedQueue(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	for range 20 {
		var q queue
		var model []*waiting
		for op := range 2000 {
			// Phases of growing and shrinking, so that the ring wraps, grows and empties.
			growing := op/150%2 == 0
			w := &waiting{ordinal: op}
			switch {
			case rnd.IntN(3) == 0 == growing && len(model) > 0:
				require.Same(t, model[0], q.front())
				require.Same(t, model[0], q.pop())
				model = model[1:]
			case rnd.IntN(2) == 0:
				q.push(w)
				model = append(model, w)
			default:
				q.pushFront(w)
				model = slices.Insert(slices.Clone(model), 0, w)
			}
			require.Equal(t, len(model), q.len())
			if len(model) == 0 {
				require.Nil(t, q.ring, "an empty queue holds no memory")
			} else {
				require.LessOrEqual(t, q.len(), len(q.ring))
				require.Zero(t, len(q.ring)&(len(q.ring)-1), "a power of two")
			}
		}
		held := 0
		for _, w := range q.ring {
			if w != nil {
				held++
			}
		}
		require.Equal(t, len(model), held, "what was popped is not held")
		for _, w := range model {
			require.Same(t, w, q.pop())
		}
	}
}

func TestDueInOrder(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	epoch := time.Unix(0, 0)
	var h byDue
	for range 1000 {
		heap.Push(&h, &waiting{due: epoch.Add(time.Duration(rnd.IntN(100)))})
	}
	var last time.Time
	for h.Len() > 0 {
		w := heap.Pop(&h).(*waiting)
		require.False(t, w.due.Before(last))
		last = w.due
	}
}
