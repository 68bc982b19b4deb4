// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/putrecords"
)

// backlogRig drives a backlog through time, with shards that answer as a model says.
type backlogRig struct {
	*backlog
	t       *testing.T
	rnd     *rand.Rand
	client  Client
	now     time.Time
	stream  *streamModel
	batches []*batch
	flights []*shipment
	made    int
	here    map[*waiting]bool // all that is in the backlog
	way     map[*waiting]bool // all that is in flight
	out     map[*waiting]bool // all that is settled
	last    map[string]int    // by key: the number of the last record that was settled
}

func newBacklogRig(t *testing.T, ordered bool, seed uint64) *backlogRig {
	rnd := rand.New(rand.NewPCG(seed, 5))
	return &backlogRig{
		backlog: newBacklog(ordered, "logs", zap.NewNop()),
		t:       t,
		rnd:     rnd,
		client:  putrecords.NewClient(putrecords.Config{Stream: "logs", MaxRecords: 1 + rnd.IntN(50)}),
		now:     time.Unix(1_000_000, 0),
		stream:  newStreamModel(1 + rnd.IntN(6)),
		here:    map[*waiting]bool{},
		way:     map[*waiting]bool{},
		out:     map[*waiting]bool{},
		last:    map[string]int{},
	}
}

// records makes n records of one batch.
func (r *backlogRig) records(n int) (all []*waiting) {
	b := newBatch(n)
	r.batches = append(r.batches, b)
	b.add(n)
	req := r.client.NewRequest()
	defer func() { req.Release() }()
	for i := range n {
		key := fmt.Sprintf("key-%d", r.rnd.IntN(40))
		for !req.Append(make([]byte, r.rnd.IntN(3000)), key) {
			req.Release()
			req = r.client.NewRequest()
		}
		b.hold(i)
		all = append(all, &waiting{entry: req.Entry(req.Len() - 1), batch: b, ordinal: r.made})
		r.made++
	}
	return all
}

func (r *backlogRig) lineUpSome() {
	records := r.records(1 + r.rnd.IntN(30))
	for _, w := range records {
		r.here[w] = true
	}
	r.lineUp(records)
}

func (r *backlogRig) collectSome() {
	s := &shipment{req: r.client.NewRequest()}
	r.collect(s, putrecords.MaxRecords, r.now)
	require.Equal(r.t, s.req.Len(), len(s.refs))
	keys := map[string]bool{}
	for i, ref := range s.refs {
		w := ref.waited
		require.True(r.t, r.here[w], "a record is collected twice")
		require.False(r.t, w.batch.isAbandoned())
		require.Equal(r.t, w.entry.Key(), s.req.Key(i))
		delete(r.here, w)
		r.way[w] = true
		if r.ordered {
			require.False(r.t, keys[w.entry.Key()], "one record of a key at a time")
			keys[w.entry.Key()] = true
		}
	}
	if len(s.refs) > 0 {
		r.flights = append(r.flights, s)
	} else {
		s.req.Release()
	}
	// What is left out because nobody waits for it any more is gone.
	for w := range r.here {
		if w.batch.isAbandoned() {
			delete(r.here, w)
			r.out[w] = true // as far as anybody can tell; check counts them
		}
	}
}

// land answers a flight: each record is taken, refused by its shard or fails. late answers come from before a
// resharding.
func (r *backlogRig) land(fullShare, failShare int, late int) {
	if len(r.flights) == 0 {
		return
	}
	i := r.rnd.IntN(len(r.flights))
	s := r.flights[i]
	r.flights = append(r.flights[:i], r.flights[i+1:]...)
	if r.rnd.IntN(10) == 0 {
		r.learnTaken(s, r.now)
	}
	var again []*waiting
	var sightings []sighting
	for i, ref := range s.refs {
		w := ref.waited
		delete(r.way, w)
		seen := sighting{
			hash: w.keyHash(), key: s.req.Key(i), size: w.entry.Size(),
			shard: r.stream.holder(w.keyHash(), r.rnd.IntN(late+1)),
		}
		switch n := r.rnd.IntN(100); {
		case n < fullShare:
			seen.refused = true
			w.refused, w.failed, w.due = true, r.now, r.now.Add(linger)
			if r.rnd.IntN(20) == 0 {
				seen.shard = ""
			}
			again = append(again, w)
			sightings = append(sightings, seen)
		case n < fullShare+failShare:
			w.refused, w.failed, w.due = false, r.now, r.now.Add(time.Duration(r.rnd.IntN(2000))*time.Millisecond)
			again = append(again, w)
		default:
			sightings = append(sightings, seen)
			if r.ordered {
				key := w.entry.Key()
				require.Less(r.t, r.last[key], w.ordinal+1, "records of %s are in order", key)
				r.last[key] = w.ordinal + 1
			}
			r.out[w] = true
			r.settled(w)
		}
	}
	refusals := r.learn(sightings, r.now)
	total := 0
	for _, n := range refusals {
		total += n
	}
	refused := 0
	for _, seen := range sightings {
		if seen.refused {
			refused++
		}
	}
	require.Equal(r.t, refused, total)
	for _, w := range again {
		r.here[w] = true
	}
	r.comeBack(again)
	s.req.Release()
}

func (r *backlogRig) check() {
	t := r.t
	full := map[*shard]bool{}
	inLanes := map[*waiting]bool{}
	each := func(q *queue, f func(*waiting)) {
		for i := range q.len() {
			f(q.ring[(q.head+i)&(len(q.ring)-1)])
		}
	}
	for _, s := range r.full {
		require.False(t, full[s], "a full shard is listed twice")
		full[s] = true
		require.True(t, s.full)
		require.Same(t, s, r.shards.byID[s.id], "a full shard that is gone")
		each(&s.waiting, func(w *waiting) {
			require.False(t, inLanes[w])
			inLanes[w] = true
		})
	}
	for _, s := range r.shards.ranges {
		require.Equal(t, full[s], s.full)
		require.True(t, s.full || s.waiting.len() == 0, "records wait for a shard that nobody looks at")
	}
	for _, w := range r.due {
		require.False(t, inLanes[w])
		inLanes[w] = true
	}
	front := map[string]int{}
	for w := range inLanes {
		front[w.entry.Key()]++
	}
	for w := range r.way {
		front[w.entry.Key()]++
	}
	if r.ordered {
		for key, n := range front {
			require.Equal(t, 1, n, "records of %s that may go", key)
			_, ok := r.behind[key]
			require.True(t, ok)
		}
		for key, q := range r.behind {
			require.Equal(t, 1, front[key], "%s is stuck", key)
			if q != nil {
				each(q, func(w *waiting) { inLanes[w] = true })
			}
		}
	} else {
		require.Empty(t, r.behind)
	}
	for w := range r.here {
		require.True(t, inLanes[w], "a record is lost")
	}
	for w := range inLanes {
		require.True(t, r.here[w] || w.batch.isAbandoned(), "a record is here that should not be")
	}
	require.Equal(t, len(inLanes), r.count)
	require.Equal(t, r.count > 0, r.some.Load())
	require.Equal(t, len(r.full) > 0, r.pacing.Load())
	waiting, listed := r.status()
	require.Equal(t, r.count, waiting)
	require.Len(t, listed, len(r.full))
}

// Records come, go, fail, are refused and given up at random, while the stream is resharded and answers come late.
// None is lost, stuck or sent twice, and in the end all are out.
func TestBacklogUnderRandomUse(t *testing.T) {
	for _, ordered := range []bool{false, true} {
		t.Run(fmt.Sprintf("ordered %v", ordered), func(t *testing.T) {
			for seed := range uint64(25) {
				r := newBacklogRig(t, ordered, seed)
				late := r.rnd.IntN(3)
				for op := range 250 {
					r.now = r.now.Add(time.Duration(r.rnd.IntN(60)) * time.Millisecond)
					switch r.rnd.IntN(12) {
					case 0, 1:
						r.lineUpSome()
					case 2, 3, 4, 5:
						r.collectSome()
					case 6:
						r.stream.reshard(r.rnd)
					case 7:
						if len(r.batches) > 0 && r.rnd.IntN(10) == 0 {
							r.batches[r.rnd.IntN(len(r.batches))].abandon()
						}
					case 8:
						if !ordered {
							key := fmt.Sprintf("key-%d", r.rnd.IntN(40))
							hold, paced := r.holds(key, hashOf(key), 1000, r.now)
							require.False(t, hold && paced)
						}
					default:
						r.land(r.rnd.IntN(60), r.rnd.IntN(20), late)
					}
					if op%5 == 0 {
						r.check()
					}
				}
				// From now on all is well.
				for len(r.flights) > 0 {
					r.land(0, 0, 0)
				}
				r.check()
				for steps := 0; r.count > 0; steps++ {
					at, some := r.nextAt(r.now)
					require.True(t, some, "%d records wait and nobody looks at them", r.count)
					if at.After(r.now) {
						r.now = at
					}
					before := r.count
					r.collectSome()
					for len(r.flights) > 0 {
						r.land(0, 0, 0)
					}
					if steps%50 == 0 {
						r.check()
					}
					require.Less(t, steps, 20_000, "%d records wait, %d before", r.count, before)
				}
				require.Empty(t, r.here)
				require.Empty(t, r.behind)
				require.Len(t, r.out, r.made)
				_, some := r.nextAt(r.now.Add(time.Minute))
				require.False(t, some)
				require.Empty(t, r.full, "shards that take all are not paced for ever")
			}
		})
	}
}

// sight makes a sighting of a key in a shard.
func sight(key, shard string, refused bool) sighting {
	return sighting{hash: hashOf(key), key: key, size: 100, shard: shard, refused: refused}
}

func observed(ordered bool) (*backlog, *observer.ObservedLogs) {
	core, logs := observer.New(zap.DebugLevel)
	return newBacklog(ordered, "logs", zap.New(core)), logs
}

func TestFullShardsAreLogged(t *testing.T) {
	b, logs := observed(false)
	now := time.Unix(1_000_000, 0)
	for second := range 150 {
		at := now.Add(time.Duration(second) * time.Second)
		b.learn([]sighting{sight("a", "shardId-1", true), sight("a", "shardId-1", true), sight("b", "shardId-2", false)}, at)
		b.nextAt(at)
	}
	lines := logs.FilterMessage("Shard is full. Its records wait; those of other shards do not.").All()
	require.Len(t, lines, 3, "once a minute")
	assert.Equal(t, map[string]any{
		"stream": "logs", "shard": "shardId-1", "heaviest_partition_keys": []HotKey{{"a", 1}},
	}, lines[0].ContextMap())
	require.Empty(t, logs.FilterMessage("Shard takes all its records again.").All())
	b.nextAt(now.Add(200 * time.Second))
	b.nextAt(now.Add(300 * time.Second))
	assert.Len(t, logs.FilterMessage("Shard takes all its records again.").All(), 1)
}

func TestThousandsOfFullShardsDoNotFloodTheLog(t *testing.T) {
	b, logs := observed(false)
	now := time.Unix(1_000_000, 0)
	var sightings []sighting
	for i := range 3000 {
		sightings = append(sightings, sight(fmt.Sprint(i), fmt.Sprintf("shardId-%012d", i), true))
	}
	for second := range 60 {
		refusals := b.learn(sightings, now.Add(time.Duration(second)*time.Second))
		require.Len(t, refusals, 3000)
		require.Equal(t, 1, refusals["shardId-000000000017"])
	}
	assert.Equal(t, fullLogLines, logs.Len())
	b.learn(sightings, now.Add(time.Minute))
	assert.Equal(t, 2*fullLogLines, logs.Len())
	b.nextAt(now.Add(2 * time.Minute))
	assert.LessOrEqual(t, logs.Len(), 4*fullLogLines, "and neither does the end of it")
	_, full := b.status()
	assert.Empty(t, full)
}

// New records of a full shard pass as far as it has room, and never before those that wait.
func TestNewRecordsOfAFullShard(t *testing.T) {
	b, _ := observed(false)
	now := time.Unix(1_000_000, 0)
	b.learn([]sighting{sight("a", "shardId-1", true), sight("b", "shardId-2", false)}, now)
	holds := func(key string) (hold, paced bool) { return b.holds(key, hashOf(key), 100, now) }
	hold, paced := holds("b")
	assert.False(t, hold || paced, "its shard is not full")
	hold, paced = holds("c")
	assert.False(t, hold || paced, "its shard is not known")
	hold, _ = holds("a")
	assert.True(t, hold, "no room yet")
	now = now.Add(10 * time.Millisecond) // room for ten
	for range 10 {
		hold, paced = holds("a")
		require.True(t, !hold && paced)
	}
	hold, _ = holds("a")
	require.True(t, hold)
	now = now.Add(time.Second)
	b.full[0].waiting.push(&waiting{})
	hold, _ = holds("a")
	require.True(t, hold, "others wait")
}

// Keys lie in a buffer that is used again: each is looked at as it is now.
func TestPacerLooksAtEachKey(t *testing.T) {
	b, _ := observed(false)
	now := time.Now()
	b.learn([]sighting{sight("full", "shardId-1", true), sight("fine", "shardId-2", false)}, now.Add(time.Hour))
	var p pacer
	for range 3 {
		for _, key := range []string{"full", "full", "fine", "fine", "else"} {
			_, records := named(func(int) string { return key }, "data")
			for r := range records {
				hold, paced := p.holds(b, r)
				require.False(t, paced)
				require.Equal(t, key == "full", hold)
				require.Equal(t, hashOf(key), p.hash)
			}
		}
	}
	key := []byte("fine")
	for _, text := range []string{"fine", "full", "fine"} {
		copy(key, text)
		hold, _ := p.holds(b, Record{Key: unsafe.String(&key[0], len(key))})
		require.Equal(t, text == "full", hold)
	}
}

// Of an outdated shard nothing is learnt but that it is gone, and its refusal still counts.
func TestRefusalByAShardThatIsGone(t *testing.T) {
	b, _ := observed(false)
	now := time.Unix(1_000_000, 0)
	b.learn([]sighting{sight("a", "shardId-000000000002", false)}, now)
	assert.Equal(t, map[string]int{"shardId-000000000001": 1}, b.learn([]sighting{sight("a", "shardId-000000000001", true)}, now))
	_, full := b.status()
	assert.Empty(t, full)
	// An answer that names no shard is about the one that is known to have the key.
	assert.Equal(t, map[string]int{"shardId-000000000002": 1, "": 1}, b.learn([]sighting{sight("a", "", true), sight("b", "", true)}, now))
	_, full = b.status()
	require.Len(t, full, 1)
	assert.Equal(t, "shardId-000000000002", full[0].ID)
}
