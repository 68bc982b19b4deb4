// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// streamModel is a stream through all its reshardings.
type streamModel struct {
	made   int
	closed map[string]bool
	ranges map[string][2]uint64
	states [][]string // open shards by first hash key, before each resharding; the last one is now
}

func newStreamModel(shards int) *streamModel {
	m := &streamModel{closed: map[string]bool{}, ranges: map[string][2]uint64{}, states: [][]string{{}}}
	width := math.MaxUint64/uint64(shards) + 1
	for i := range uint64(shards) {
		hi := (i+1)*width - 1
		if int(i) == shards-1 {
			hi = math.MaxUint64
		}
		m.states[0] = append(m.states[0], m.open(i*width, hi))
	}
	return m
}

func (m *streamModel) open(lo, hi uint64) string {
	id := fmt.Sprintf("shardId-%012d", m.made)
	m.made++
	m.ranges[id] = [2]uint64{lo, hi}
	return id
}

func (m *streamModel) now() []string { return m.states[len(m.states)-1] }

// reshard splits or merges at random.
func (m *streamModel) reshard(rnd *rand.Rand) {
	next := slices.Clone(m.now())
	i := rnd.IntN(len(next))
	r := m.ranges[next[i]]
	if rnd.IntN(2) == 0 && i+1 < len(next) {
		m.closed[next[i]], m.closed[next[i+1]] = true, true
		next = slices.Replace(next, i, i+2, m.open(r[0], m.ranges[next[i+1]][1]))
	} else if r[0] < r[1] {
		m.closed[next[i]] = true
		at := r[0] + 1 + rnd.Uint64N(r[1]-r[0])
		next = slices.Replace(next, i, i+1, m.open(r[0], at-1), m.open(at, r[1]))
	}
	m.states = append(m.states, next)
}

// holder returns the shard that held a hash key so many reshardings ago.
func (m *streamModel) holder(hash uint64, ago int) string {
	for _, id := range m.states[max(0, len(m.states)-1-ago)] {
		if r := m.ranges[id]; r[0] <= hash && hash <= r[1] {
			return id
		}
	}
	panic("a hash key without a shard")
}

func checkShardMap(t *testing.T, sm *shardMap, m *streamModel) {
	require.Len(t, sm.byID, len(sm.ranges))
	for i, s := range sm.ranges {
		require.Same(t, s, sm.byID[s.id])
		require.LessOrEqual(t, s.lo, s.hi)
		if i > 0 {
			require.Less(t, sm.ranges[i-1].hi, s.lo, "ranges are disjoint and in order")
		}
		r := m.ranges[s.id]
		require.True(t, r[0] <= s.lo && s.hi <= r[1], "%s is known to hold %x-%x, it holds %x-%x", s.id, s.lo, s.hi, r[0], r[1])
	}
}

// Splits and merges in any order, with answers that come late by some of them.
func TestShardMapFollowsResharding(t *testing.T) {
	for seed := range uint64(80) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		m := newStreamModel(1 + rnd.IntN(8))
		sm := newShardMap()
		delay := rnd.IntN(4)
		// Few keys meet again and again, many fill the ranges; those at the edges are where mistakes show.
		hashes := make([]uint64, 5+rnd.IntN(200))
		for i := range hashes {
			hashes[i] = rnd.Uint64()
		}
		for range 600 {
			if rnd.IntN(40) == 0 {
				m.reshard(rnd)
			}
			hash := hashes[rnd.IntN(len(hashes))]
			if rnd.IntN(10) == 0 {
				r := m.ranges[m.now()[rnd.IntN(len(m.now()))]]
				hash = r[rnd.IntN(2)]
			}
			id := m.holder(hash, rnd.IntN(delay+1))
			s, gone := sm.learn(id, hash)
			checkShardMap(t, sm, m)
			if s == nil {
				require.True(t, m.closed[id], "%s is taken for gone", id)
				require.Nil(t, sm.byID[id])
			} else {
				require.Equal(t, id, s.id)
				require.Same(t, s, sm.find(hash))
			}
			for _, g := range gone {
				require.True(t, m.closed[g.id], "%s is taken for gone", g.id)
				require.NotSame(t, g, sm.byID[g.id])
			}
		}
		// When the stream stays as it is, the map becomes right: for every key that was seen since, wherever it lies.
		for _, id := range m.now() {
			for _, hash := range m.ranges[id] {
				s, _ := sm.learn(id, hash)
				require.Equal(t, id, s.id)
			}
		}
		checkShardMap(t, sm, m)
		require.Len(t, sm.ranges, len(m.now()), "nothing is left of shards that are gone")
		for range 100 {
			hash := rnd.Uint64()
			require.Equal(t, m.holder(hash, 0), sm.find(hash).id)
		}
	}
}

func TestShardMap(t *testing.T) {
	type answer struct {
		id   string
		hash uint64
		gone string // ids, each with a blank behind it
		late bool
	}
	const p, a, b, merged = "shardId-000000000000", "shardId-000000000001", "shardId-000000000002", "shardId-000000000003"
	for _, tt := range []struct {
		name    string
		answers []answer
		find    map[uint64]string
	}{
		{
			name:    "nothing is known beyond what was seen",
			answers: []answer{{id: p, hash: 50}, {id: p, hash: 60}},
			find:    map[uint64]string{49: "", 50: p, 55: p, 60: p, 61: ""},
		},
		{
			name:    "a split",
			answers: []answer{{id: p, hash: 10}, {id: p, hash: 90}, {id: a, hash: 30, gone: p + " "}, {id: b, hash: 70}},
			find:    map[uint64]string{10: "", 30: a, 50: "", 70: b},
		},
		{
			name:    "an answer from before a split, for a key that the younger shard is known to have",
			answers: []answer{{id: a, hash: 30}, {id: a, hash: 40}, {id: p, hash: 35, late: true}},
			find:    map[uint64]string{35: a},
		},
		{
			name: "answers from before a split, to both sides of what is known of the younger shard",
			answers: []answer{
				{id: a, hash: 30},
				{id: p, hash: 5},
				{id: p, hash: 90, gone: p + " ", late: true},
			},
			find: map[uint64]string{5: "", 30: a, 90: ""},
		},
		{
			name: "a range that runs over an older and into a younger shard is gone, and so is the older one",
			answers: []answer{
				{id: p, hash: 20},
				{id: merged, hash: 40},
				{id: b, hash: 10},
				{id: b, hash: 60, gone: p + " " + b + " ", late: true},
			},
			find: map[uint64]string{10: "", 20: "", 40: merged, 60: ""},
		},
		{
			name: "a merge",
			answers: []answer{
				{id: a, hash: 10}, {id: a, hash: 40}, {id: b, hash: 60}, {id: b, hash: 90},
				{id: merged, hash: 20, gone: a + " "}, {id: merged, hash: 95, gone: b + " "},
			},
			find: map[uint64]string{20: merged, 60: merged, 95: merged, 10: ""},
		},
		{
			name:    "a shard of one key",
			answers: []answer{{id: a, hash: 49}, {id: b, hash: 50}, {id: merged, hash: 51}, {id: b, hash: 50}, {id: a, hash: 1}},
			find:    map[uint64]string{1: a, 49: a, 50: b, 51: merged},
		},
		{
			name:    "the ends of the ring",
			answers: []answer{{id: a, hash: 0}, {id: b, hash: math.MaxUint64}},
			find:    map[uint64]string{0: a, math.MaxUint64: b, 1: ""},
		},
		{
			name:    "numbers beyond twelve digits",
			answers: []answer{{id: "shardId-999999999999", hash: 1}, {id: "shardId-1000000000000", hash: 1, gone: "shardId-999999999999 "}},
			find:    map[uint64]string{1: "shardId-1000000000000"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sm := newShardMap()
			for _, answer := range tt.answers {
				s, gone := sm.learn(answer.id, answer.hash)
				var ids string
				for _, g := range gone {
					ids += g.id + " "
				}
				assert.Equal(t, answer.gone, ids)
				if assert.Equal(t, answer.late, s == nil, answer) && s != nil {
					assert.Equal(t, answer.id, s.id)
				}
			}
			for hash, want := range tt.find {
				got := ""
				if s := sm.find(hash); s != nil {
					got = s.id
				}
				assert.Equal(t, want, got, "%d", hash)
			}
		})
	}
}

// The hash key of a partition key is its MD5 as a number, of which the map looks at the upper half.
func TestHashOf(t *testing.T) {
	assert.Equal(t, uint64(0xd41d8cd98f00b204), hashOf(""))
	assert.Equal(t, uint64(0x900150983cd24fb0), hashOf("abc"))
}

func BenchmarkShardMapLearn(b *testing.B) {
	const shards = 5000
	m := newStreamModel(shards)
	rnd := rand.New(rand.NewPCG(1, 1))
	type sighting struct {
		hash uint64
		id   string
	}
	seen := make([]sighting, 1<<16)
	width := math.MaxUint64/uint64(shards) + 1
	for i := range seen {
		hash := rnd.Uint64()
		seen[i] = sighting{hash, m.now()[hash/width]}
	}
	sm := newShardMap()
	for i := 0; b.Loop(); i++ {
		sm.learn(seen[i%len(seen)].id, seen[i%len(seen)].hash)
	}
}
