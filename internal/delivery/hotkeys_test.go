// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHotKeysAreFound(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	var h hotKeys
	for range 50_000 {
		switch n := rnd.IntN(100); {
		case n < 40:
			h.add("hottest")
		case n < 60:
			h.add("hot")
		case n < 70:
			h.add("warm")
		default:
			h.add(fmt.Sprint(rnd.IntN(1_000_000)))
		}
	}
	top := h.top(3)
	require.Len(t, top, 3)
	for i, want := range []HotKey{{"hottest", 0.40}, {"hot", 0.20}, {"warm", 0.10}} {
		assert.Equal(t, want.Key, top[i].Key)
		assert.InDelta(t, want.Share, top[i].Share, 0.03)
	}
	assert.Len(t, h.counts, hotKeysCount, "it does not grow with the keys")
}

func TestRandomKeysAreNotHot(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	var h hotKeys
	for i := range 20_000 {
		h.add(fmt.Sprint(rnd.Uint64()))
		require.Empty(t, h.top(3), "after %d records", i)
	}
}

func TestHotKeysForget(t *testing.T) {
	var h hotKeys
	for range 100_000 {
		h.add("yesterday")
	}
	for range 20_000 {
		h.add("today")
	}
	top := h.top(1)
	assert.Equal(t, "today", top[0].Key)
	assert.Greater(t, top[0].Share, 0.9)
}

func TestHotKeysOfFew(t *testing.T) {
	var h hotKeys
	assert.Empty(t, h.top(3))
	h.add("a")
	assert.Empty(t, h.top(3), "one record says nothing")
	h.add("a")
	assert.Equal(t, []HotKey{{"a", 1}}, h.top(3))
	h.top(3)[0].Key = "changed"
	assert.Equal(t, "a", h.top(3)[0].Key)
}
