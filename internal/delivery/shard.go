// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"cmp"
	"crypto/md5"
	"encoding/binary"
	"slices"
	"strings"
	"time"
)

// Limits of a shard, with which the cost of a record is weighed.
// Source: https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html
const (
	shardRecordsPerSecond = 1000
	shardBytesPerSecond   = 1 << 20
)

const (
	paceStep      = 250 * time.Millisecond // how often the pace of a full shard is adjusted
	paceSteps     = 4                      // how many steps the measured rate looks back
	paceHeadroom  = 1.05                   // how much more than it takes a full shard is offered
	paceFall      = 0.85                   // the most that one step slows down by
	paceRise      = 1.08                   // what a step without refusals speeds up by
	paceFloor     = 0.005                  // shares of a shard that are always offered: 5 records a second
	paceBurst     = 250 * time.Millisecond // how much unused allowance is kept
	fullFor       = 5 * time.Second        // how long after the last refusal a shard counts as full
	hotKeysCount  = 16                     // how many keys of a full shard are watched
	hotKeysMemory = 4096                   // records after which old ones count half
)

// cost is the share of one shard's capacity of one second that a record takes.
func cost(size int) float64 {
	return max(1.0/shardRecordsPerSecond, float64(size)/shardBytesPerSecond)
}

// hashOf returns the upper half of the MD5 of a partition key, by which Kinesis assigns records to shards.
func hashOf(key string) uint64 {
	sum := md5.Sum([]byte(key))
	return binary.BigEndian.Uint64(sum[:8])
}

// shard is what is known of one shard of the stream.
type shard struct {
	id     string
	lo, hi uint64 // hash keys that are known to lie in it, both inclusive

	full    bool      // it has refused records; what is sent to it is paced
	rate    float64   // shares of a shard's capacity that are offered in a second
	tokens  float64   // shares that may be offered now
	filled  time.Time // when tokens was brought up to date
	refused time.Time // when it last refused a record

	stepAt  time.Time          // when the current step began
	offered [paceSteps]float64 // shares offered in the last steps, the current one first
	denied  [paceSteps]float64 // shares of these that were refused
	logged  time.Time          // when it was last logged as full

	waiting queue // records that wait for room, first come first served
	hot     hotKeys
}

// room reports whether the shard's allowance covers a record.
func (s *shard) room(size int, now time.Time) bool {
	s.advance(now)
	// A record that costs more than a burst holds passes when the burst is whole, and is paid for afterwards.
	return s.tokens >= min(cost(size), s.burst())
}

// take takes the cost of a record off the allowance.
func (s *shard) take(size int) {
	c := cost(size)
	s.tokens -= c
	s.offered[0] += c
}

func (s *shard) burst() float64 {
	return s.rate * paceBurst.Seconds()
}

// refuse learns that the shard refused a record. paced says whether the record had passed admit.
func (s *shard) refuse(size int, paced bool, now time.Time) {
	if !s.full {
		s.full = true
		s.rate = 1
		s.tokens = 0
		s.filled = now
		s.stepAt = now
		s.offered, s.denied = [paceSteps]float64{}, [paceSteps]float64{}
		s.hot = hotKeys{}
	}
	s.advance(now)
	s.refused = now
	if paced {
		s.denied[0] += cost(size)
	}
}

// advance fills the allowance and adjusts the pace.
//
// A shard that refuses is full, so what it took is what it can take: the pace follows that, with a little headroom to
// notice more room. A shard that refuses nothing although records wait for it can take more.
func (s *shard) advance(now time.Time) {
	for now.Sub(s.stepAt) >= paceStep {
		s.fill(s.stepAt.Add(paceStep))
		s.stepAt = s.stepAt.Add(paceStep)
		s.adjust()
		copy(s.offered[1:], s.offered[:])
		copy(s.denied[1:], s.denied[:])
		s.offered[0], s.denied[0] = 0, 0
		if now.Sub(s.stepAt) > paceSteps*paceStep {
			// It was idle for long: nothing is to be learnt from that.
			s.stepAt = now
		}
	}
	s.fill(now)
}

func (s *shard) adjust() {
	if s.denied[0] > 0 {
		var taken float64
		for i := range s.offered {
			taken += s.offered[i] - s.denied[i]
		}
		taken /= paceSteps * paceStep.Seconds()
		s.rate = max(paceFloor, taken*paceHeadroom, s.rate*paceFall)
		return
	}
	if s.waiting.len() > 0 {
		s.rate *= paceRise
	}
}

func (s *shard) fill(to time.Time) {
	if elapsed := to.Sub(s.filled); elapsed > 0 {
		s.tokens = min(s.tokens+s.rate*elapsed.Seconds(), max(s.burst(), s.tokens))
		s.filled = to
	}
}

// relaxed reports whether the shard no longer has to be paced.
func (s *shard) relaxed(now time.Time) bool {
	return s.full && s.waiting.len() == 0 && now.Sub(s.refused) >= fullFor
}

// shardMap knows which shards there are from the answers of Kinesis, without asking for them.
//
// Shards are disjoint ranges of hash keys. Every answer about a record says that its hash key lies in a shard, so a
// shard's known range grows with the answers. A range that runs into another one is younger or older than that: the
// stream was resharded, and the shard with the lower number is gone.
type shardMap struct {
	byID   map[string]*shard
	ranges []*shard // by lo; disjoint
}

func newShardMap() *shardMap {
	return &shardMap{byID: map[string]*shard{}}
}

// find returns the shard that is known to hold a hash key, or nil.
func (m *shardMap) find(hash uint64) *shard {
	i, exact := slices.BinarySearchFunc(m.ranges, hash, func(s *shard, h uint64) int { return cmp.Compare(s.lo, h) })
	if exact {
		return m.ranges[i]
	}
	if i > 0 && hash <= m.ranges[i-1].hi {
		return m.ranges[i-1]
	}
	return nil
}

// learn notes that a hash key lies in a shard. It returns the shard, and those that are gone because of it.
func (m *shardMap) learn(id string, hash uint64) (s *shard, gone []*shard) {
	s = m.byID[id]
	if s != nil && s.lo <= hash && hash <= s.hi {
		return s, nil
	}
	lo, hi := hash, hash
	if s != nil {
		lo, hi = min(s.lo, hash), max(s.hi, hash)
	}
	for _, other := range m.ranges {
		if other == s || other.hi < lo || other.lo > hi {
			continue
		}
		if other.id > id {
			// An answer that was overtaken by a resharding: id is the one that is gone.
			if s != nil {
				m.remove(s)
				gone = append(gone, s)
			}
			return other, gone
		}
		gone = append(gone, other)
	}
	for _, other := range gone {
		m.remove(other)
	}
	if s == nil {
		s = &shard{id: id}
		m.byID[id] = s
	} else {
		m.ranges = slices.DeleteFunc(m.ranges, func(r *shard) bool { return r == s })
	}
	s.lo, s.hi = lo, hi
	i, _ := slices.BinarySearchFunc(m.ranges, lo, func(r *shard, h uint64) int { return cmp.Compare(r.lo, h) })
	m.ranges = slices.Insert(m.ranges, i, s)
	return s, gone
}

func (m *shardMap) remove(s *shard) {
	delete(m.byID, s.id)
	m.ranges = slices.DeleteFunc(m.ranges, func(r *shard) bool { return r == s })
}

// hotKeys finds the heaviest keys of a shard with a few counters ("space saving", Metwally et al. 2005): a key that
// makes more than one part in hotKeysCount of the records is always among them.
type hotKeys struct {
	total  float64
	counts []HotKey
}

// HotKey is a partition key and its share of the records offered to a shard.
type HotKey struct {
	Key   string
	Share float64
}

// add counts one record. HotKey.Share holds counts in here.
func (h *hotKeys) add(key string) {
	h.total++
	if h.total > hotKeysMemory {
		h.total /= 2
		for i := range h.counts {
			h.counts[i].Share /= 2
		}
	}
	smallest := 0
	for i := range h.counts {
		if h.counts[i].Key == key {
			h.counts[i].Share++
			return
		}
		if h.counts[i].Share < h.counts[smallest].Share {
			smallest = i
		}
	}
	if len(h.counts) < hotKeysCount {
		h.counts = append(h.counts, HotKey{Key: strings.Clone(key), Share: 1})
		return
	}
	h.counts[smallest].Key = strings.Clone(key)
	h.counts[smallest].Share++
}

// top returns the n heaviest keys with their shares.
func (h *hotKeys) top(n int) []HotKey {
	keys := slices.Clone(h.counts)
	slices.SortFunc(keys, func(a, b HotKey) int { return cmp.Compare(b.Share, a.Share) })
	keys = keys[:min(n, len(keys))]
	for i := range keys {
		keys[i].Share /= h.total
	}
	return keys
}
