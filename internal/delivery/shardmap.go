// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"cmp"
	"crypto/md5"
	"encoding/binary"
	"slices"
)

// hashOf returns the upper half of the MD5 of a partition key, by which Kinesis assigns records to shards.
func hashOf(key string) uint64 {
	sum := md5.Sum([]byte(key))
	return binary.BigEndian.Uint64(sum[:8])
}

// shardMap knows which shards there are from the answers of Kinesis, without asking for them.
//
// Shards are disjoint ranges of hash keys. Every answer about a record says that its hash key lies in a shard, so a
// shard's known range grows with the answers and is never larger than the shard. Two ranges that overlap belong to
// different times: the stream was resharded in between, and the older shard is gone.
type shardMap struct {
	byID   map[string]*shard
	ranges []*shard // by lo; disjoint
}

func newShardMap() *shardMap {
	return &shardMap{byID: map[string]*shard{}}
}

// find returns the shard that is known to hold a hash key, or nil.
func (m *shardMap) find(hash uint64) *shard {
	if i := m.from(hash); i < len(m.ranges) && m.ranges[i].lo <= hash {
		return m.ranges[i]
	}
	return nil
}

// from returns the index of the first range that ends at a hash key or behind it.
func (m *shardMap) from(hash uint64) int {
	i, _ := slices.BinarySearchFunc(m.ranges, hash, func(s *shard, h uint64) int { return cmp.Compare(s.hi, h) })
	return i
}

// learn notes that a hash key lies in a shard. It returns the shard, nil if it is gone, and the shards that are now
// known to be gone.
func (m *shardMap) learn(id string, hash uint64) (s *shard, gone []*shard) {
	s = m.byID[id]
	lo, hi := hash, hash
	if s != nil {
		if s.lo <= hash && hash <= s.hi {
			return s, nil
		}
		lo, hi = min(s.lo, hash), max(s.hi, hash)
	}
	late := false // the answer was overtaken by a resharding
	for _, other := range m.ranges[m.from(lo):] {
		if other.lo > hi {
			break
		}
		switch {
		case other == s:
		case older(other.id, id):
			gone = append(gone, other)
		default:
			late = true
		}
	}
	if late && s != nil {
		gone = append(gone, s)
	}
	for _, g := range gone {
		m.remove(g)
	}
	switch {
	case late:
		return nil, gone
	case s == nil:
		s = &shard{id: id}
	default:
		m.remove(s)
	}
	s.lo, s.hi = lo, hi
	m.byID[id] = s
	m.ranges = slices.Insert(m.ranges, m.from(lo), s)
	return s, gone
}

func (m *shardMap) remove(s *shard) {
	delete(m.byID, s.id)
	i := m.from(s.lo)
	m.ranges = slices.Delete(m.ranges, i, i+1)
}

// older reports whether a shard was made before another one: Kinesis numbers them.
func older(a, b string) bool {
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) < 0
}
