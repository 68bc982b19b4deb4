// SPDX-License-Identifier: Apache-2.0

package kinesistest

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"sync"
	"time"
)

// The rates of one shard, as documented in the quotas of Kinesis Data Streams.
const (
	shardRecordsPerSecond = 1000
	shardBytesPerSecond   = 1 << 20
)

// Stream is a stream and the ledger of what it has taken.
type Stream struct {
	name, arn     string
	account       string
	created       time.Time
	maxRecordSize int
	limits        bool
	dropData      bool

	mu     sync.Mutex
	shards []*shard // all that ever were, by index
	open   []*shard // those that take records, by first hash key
}

type shard struct {
	index            int
	id               string
	start, end       hashKey
	parent, adjacent int // index, -1: none
	closed           bool
	prefix           string // of its sequence numbers

	trimmed uint64 // records that Forget took out
	records []stored
	bytes   int64
	bucket  bucket
}

// stored is a record as the ledger keeps it. Its ordinal in the shard, counted
// from 1, follows from its place.
type stored struct {
	key  string
	id   string
	data []byte
	at   time.Time
}

func newStream(name, arn, account string, shards, maxRecordSize int, limits, dropData bool) *Stream {
	st := &Stream{
		name: name, arn: arn, account: account, created: time.Now(),
		maxRecordSize: maxRecordSize, limits: limits, dropData: dropData,
	}
	starts := evenly(shards)
	for i, start := range starts {
		end := maxHashKey
		if i+1 < len(starts) {
			end = starts[i+1].prev()
		}
		st.add(start, end, -1, -1)
	}
	return st
}

// add opens a shard. The caller holds mu, or nobody else has the stream yet.
func (st *Stream) add(start, end hashKey, parent, adjacent int) *shard {
	now := time.Now()
	sh := &shard{
		index: len(st.shards),
		id:    fmt.Sprintf("shardId-%012d", len(st.shards)),
		start: start, end: end, parent: parent, adjacent: adjacent,
		// Sequence numbers have 56 digits. A later shard's are greater, so that
		// a child's follow its parents'.
		prefix: fmt.Sprintf("49%014d%020d", now.UnixMilli(), len(st.shards)+1),
		bucket: newBucket(now),
	}
	st.shards = append(st.shards, sh)
	st.open = append(st.open, sh)
	sort.Slice(st.open, func(i, j int) bool { return st.open[i].start.less(st.open[j].start) })
	return sh
}

func (st *Stream) closeShard(sh *shard) {
	sh.closed = true
	st.open = slices.DeleteFunc(st.open, func(o *shard) bool { return o == sh })
}

// shardFor is the open shard that h belongs to. The caller holds mu.
func (st *Stream) shardFor(h hashKey) *shard {
	i := sort.Search(len(st.open), func(i int) bool { return h.less(st.open[i].start) })
	return st.open[i-1]
}

func (st *Stream) byID(id string) *shard {
	for _, sh := range st.shards {
		if sh.id == id {
			return sh
		}
	}
	return nil
}

// Name is the stream's name, ARN its Amazon resource name.
func (st *Stream) Name() string { return st.name }

// ARN is the stream's Amazon resource name.
func (st *Stream) ARN() string { return st.arn }

// assign tells each entry the shard it would go to now.
func (st *Stream) assign(entries []entry) {
	st.mu.Lock()
	defer st.mu.Unlock()
	for i := range entries {
		entries[i].shard = st.shardFor(entries[i].hash)
	}
}

// put takes the entries that have no error yet, in order, and notes in each
// entry its shard and its ordinal or, where the shard is full, the error.
func (st *Stream) put(entries []entry) {
	st.mu.Lock()
	defer st.mu.Unlock()
	now := time.Now()
	keyBytes, dataBytes := 0, 0
	for i := range entries {
		e := &entries[i]
		e.shard = st.shardFor(e.hash)
		if e.code != "" {
			continue
		}
		if st.limits && !e.shard.bucket.take(now, len(e.data)+len(e.key)) {
			e.code = codeThroughput
			e.message = st.throughputMessage(e.shard.id)
			continue
		}
		keyBytes += len(e.key)
		dataBytes += len(e.data)
	}

	// The entries lie in a buffer that is used again: what is taken is copied,
	// all keys and all data of a call into one allocation each.
	keys := make([]byte, 0, keyBytes)
	var data []byte
	if !st.dropData {
		data = make([]byte, 0, dataBytes)
	}
	for i := range entries {
		if entries[i].code == "" {
			keys = append(keys, entries[i].key...)
		}
	}
	names := string(keys)
	for i := range entries {
		e := &entries[i]
		if e.code != "" {
			continue
		}
		r := stored{key: names[:len(e.key)], id: e.id, at: now}
		names = names[len(e.key):]
		if !st.dropData {
			from := len(data)
			data = append(data, e.data...)
			r.data = data[from:len(data):len(data)]
		}
		sh := e.shard
		sh.records = append(sh.records, r)
		sh.bytes += int64(len(e.data) + len(e.key))
		e.ordinal = sh.last()
	}
}

func (st *Stream) throughputMessage(shardID string) string {
	return "Rate exceeded for shard " + shardID + " in stream " + st.name + " under account " + st.account + "."
}

// last is the ordinal of the newest record, 0 before the first.
func (sh *shard) last() uint64 { return sh.trimmed + uint64(len(sh.records)) }

// appendSequenceNumber writes the sequence number of the n-th record.
func (sh *shard) appendSequenceNumber(b []byte, n uint64) []byte {
	b = append(b, sh.prefix...)
	var digits [20]byte
	for i := len(digits) - 1; i >= 0; i-- {
		digits[i] = byte('0' + n%10)
		n /= 10
	}
	return append(b, digits[:]...)
}

func (sh *shard) sequenceNumber(n uint64) string {
	return string(sh.appendSequenceNumber(make([]byte, 0, 56), n))
}

// ordinal is the inverse of sequenceNumber.
func (sh *shard) ordinal(seq string) (uint64, bool) {
	if len(seq) != len(sh.prefix)+20 || seq[:len(sh.prefix)] != sh.prefix {
		return 0, false
	}
	n, err := strconv.ParseUint(seq[len(sh.prefix):], 10, 64)
	return n, err == nil
}

// bucket holds what a shard may still take: at most one second of its rates.
type bucket struct {
	at      time.Time
	records float64
	bytes   float64
}

func newBucket(now time.Time) bucket {
	return bucket{at: now, records: shardRecordsPerSecond, bytes: shardBytesPerSecond}
}

// take lets a record of that size pass or not. A record larger than a second's
// worth passes when the bucket is full, and is paid for afterwards.
func (b *bucket) take(now time.Time, size int) bool {
	if d := now.Sub(b.at).Seconds(); d > 0 {
		b.at = now
		b.records = min(shardRecordsPerSecond, b.records+d*shardRecordsPerSecond)
		b.bytes = min(shardBytesPerSecond, b.bytes+d*shardBytesPerSecond)
	}
	// Half a unit makes up for the rounding of the sums above.
	if b.records < 1-1e-6 || b.bytes+0.5 < min(float64(size), shardBytesPerSecond) {
		return false
	}
	b.records--
	b.bytes -= float64(size)
	return true
}

// Split divides an open shard in the middle of its range: the shard is closed,
// two children go on. It is what SplitShard does, at once.
func (st *Stream) Split(shardID string) error {
	st.mu.Lock()
	sh := st.byID(shardID)
	st.mu.Unlock()
	if sh == nil {
		return fmt.Errorf("stream %s has no shard %q", st.name, shardID)
	}
	return st.splitAt(shardID, middle(sh.start, sh.end).next())
}

func middle(a, b hashKey) hashKey {
	sum := a.big()
	sum.Add(sum, b.big())
	sum.Rsh(sum, 1)
	h, _ := parseHashKey(sum.String())
	return h
}

// splitAt closes a shard; at is the first hash key of the second child.
func (st *Stream) splitAt(shardID string, at hashKey) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	sh := st.byID(shardID)
	if err := st.mayReshard(shardID, sh); err != nil {
		return err
	}
	if !sh.start.less(at) || sh.end.less(at) {
		return refusal{code: codeInvalidArgument, message: "NewStartingHashKey " + at.String() +
			" used in SplitShard() on shard " + shardID + " in stream " + st.name + " under account " + st.account +
			" is not both greater than one plus the shard's StartingHashKey " + sh.start.String() +
			" and less than the shard's EndingHashKey " + sh.end.String() + "."}
	}
	st.closeShard(sh)
	st.add(sh.start, at.prev(), sh.index, -1)
	st.add(at, sh.end, sh.index, -1)
	return nil
}

// mayReshard says why a shard cannot be split or merged.
func (st *Stream) mayReshard(id string, sh *shard) error {
	switch {
	case sh == nil:
		return refusal{code: codeNotFound, message: "Could not find shard " + id +
			" in stream " + st.name + " under account " + st.account + "."}
	case sh.closed:
		return refusal{code: "ResourceInUseException", message: "Shard " + id + " in stream " + st.name +
			" under account " + st.account + " has already been merged or split, and thus is not eligible for merging or splitting."}
	}
	return nil
}

// Merge closes two open shards that are neighbours; one child goes on. It is
// what MergeShards does, at once.
func (st *Stream) Merge(shardID, adjacentID string) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	a, b := st.byID(shardID), st.byID(adjacentID)
	for i, sh := range []*shard{a, b} {
		if err := st.mayReshard([]string{shardID, adjacentID}[i], sh); err != nil {
			return err
		}
	}
	low, high := a, b
	if high.start.less(low.start) {
		low, high = high, low
	}
	if low == high || low.end.next() != high.start {
		return refusal{code: codeInvalidArgument, message: "Shards " + shardID + " and " + adjacentID +
			" in stream " + st.name + " under account " + st.account + " are not an adjacent pair of shards eligible for merging"}
	}
	st.closeShard(a)
	st.closeShard(b)
	st.add(low.start, high.end, a.index, b.index)
	return nil
}
