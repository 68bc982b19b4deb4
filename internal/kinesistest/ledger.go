// SPDX-License-Identifier: Apache-2.0

package kinesistest

import (
	"iter"
	"time"
)

// Record is a record that a stream has taken.
type Record struct {
	ShardID string
	Key     string
	Data    []byte // nil with Config.DropData; not to be changed
	ID      string // what Config.ID made of the data, else the data
	Arrived time.Time

	shard   *shard
	ordinal uint64
}

// SequenceNumber is the number that the answer to PutRecords gave.
func (r Record) SequenceNumber() string { return r.shard.sequenceNumber(r.ordinal) }

// Shard describes a shard of a stream.
type Shard struct {
	ID                       string
	ParentID, AdjacentID     string // "" for those that the stream began with
	StartingHash, EndingHash string
	Open                     bool
	Records                  int   // taken so far
	Bytes                    int64 // of data and keys
}

// Shards describes all shards, parents before their children.
func (st *Stream) Shards() []Shard {
	st.mu.Lock()
	defer st.mu.Unlock()
	shards := make([]Shard, len(st.shards))
	for i, sh := range st.shards {
		shards[i] = Shard{
			ID: sh.id, ParentID: st.idAt(sh.parent), AdjacentID: st.idAt(sh.adjacent),
			StartingHash: sh.start.String(), EndingHash: sh.end.String(),
			Open: !sh.closed, Records: len(sh.records), Bytes: sh.bytes,
		}
	}
	return shards
}

func (st *Stream) idAt(index int) string {
	if index < 0 {
		return ""
	}
	return st.shards[index].id
}

// Len is the number of records in the ledger.
func (st *Stream) Len() int {
	st.mu.Lock()
	defer st.mu.Unlock()
	n := 0
	for _, sh := range st.shards {
		n += len(sh.records)
	}
	return n
}

// ShardOf is the open shard that records of the partition key go to.
func (st *Stream) ShardOf(key string) string {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.shardFor(hashOf([]byte(key))).id
}

// Records yields what has been taken so far, shard by shard, parents before
// their children, and within a shard in order of the sequence numbers. So the
// records of one key come in the order in which they were taken.
func (st *Stream) Records() iter.Seq[Record] {
	return func(yield func(Record) bool) {
		st.mu.Lock()
		type part struct {
			sh      *shard
			trimmed uint64
			records []stored
		}
		parts := make([]part, len(st.shards))
		for i, sh := range st.shards {
			// Records are only ever appended: the slice seen now stays as it is.
			parts[i] = part{sh, sh.trimmed, sh.records}
		}
		st.mu.Unlock()
		for _, p := range parts {
			for i, r := range p.records {
				id := r.id
				if id == "" {
					id = string(r.data)
				}
				rec := Record{
					ShardID: p.sh.id, Key: r.key, Data: r.data, ID: id, Arrived: r.at,
					shard: p.sh, ordinal: p.trimmed + uint64(i) + 1,
				}
				if !yield(rec) {
					return
				}
			}
		}
	}
}

// Forget empties the ledger. Sequence numbers go on.
func (st *Stream) Forget() {
	st.mu.Lock()
	defer st.mu.Unlock()
	for _, sh := range st.shards {
		sh.trimmed = sh.last()
		sh.records = nil
		sh.bytes = 0
	}
}

// Tally compares what was taken with what was sent.
type Tally struct {
	Records    int // in the ledger
	Distinct   int // different ids in the ledger
	Duplicates int // records whose id was there before
	Missing    int // ids that were sent and are not in the ledger
	Unknown    int // different ids that nobody sent

	// At most ten of each, for the failure message of a test.
	MissingIDs, DuplicateIDs, UnknownIDs []string
}

// Tally compares the ledger with the ids that were sent; an id that is given
// twice counts once.
func (st *Stream) Tally(sent iter.Seq[string]) Tally {
	const examples = 10
	var t Tally
	seen := make(map[string]struct{})
	for r := range st.Records() {
		t.Records++
		if _, ok := seen[r.ID]; ok {
			t.Duplicates++
			if len(t.DuplicateIDs) < examples {
				t.DuplicateIDs = append(t.DuplicateIDs, r.ID)
			}
			continue
		}
		seen[r.ID] = struct{}{}
	}
	t.Distinct = len(seen)
	wanted := make(map[string]struct{}, len(seen))
	for id := range sent {
		if _, again := wanted[id]; again {
			continue
		}
		wanted[id] = struct{}{}
		if _, ok := seen[id]; !ok {
			t.Missing++
			if len(t.MissingIDs) < examples {
				t.MissingIDs = append(t.MissingIDs, id)
			}
		}
	}
	for id := range seen {
		if _, ok := wanted[id]; !ok {
			t.Unknown++
			if len(t.UnknownIDs) < examples {
				t.UnknownIDs = append(t.UnknownIDs, id)
			}
		}
	}
	return t
}

// Disorder counts, within each partition key, the records that were taken after
// one that was sent later. Position says where in the order of sending a record
// stands. Only the first arrival of an id counts: a duplicate is not a disorder.
func (st *Stream) Disorder(position func(id string) int) int {
	disorder := 0
	newest := make(map[string]int)
	seen := make(map[string]struct{})
	for r := range st.Records() {
		if _, again := seen[r.ID]; again {
			continue
		}
		seen[r.ID] = struct{}{}
		at := position(r.ID)
		if last, ok := newest[r.Key]; ok && at < last {
			disorder++
			continue
		}
		newest[r.Key] = at
	}
	return disorder
}
