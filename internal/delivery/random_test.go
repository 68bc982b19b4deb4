// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/putrecords"
)

// hostileKinesis fails in every way there is, and notes what it has taken.
type hostileKinesis struct {
	mu      sync.Mutex
	rnd     *rand.Rand
	begin   time.Time
	stream  *streamModel
	buckets map[string]*shardModel
	share   float64 // of their real limits that shards take
	unhappy float64 // of all calls and entries
	outages [][2]time.Duration
	largest int                 // records that pass what is in between
	taken   map[string][]string // data by key, in order
	times   map[string]int      // how often each data was taken
	unsaid  int                 // records that were taken although the call failed
}

const poison = "poison"

func newHostileKinesis(rnd *rand.Rand) *hostileKinesis {
	h := &hostileKinesis{
		rnd:     rnd,
		begin:   time.Now(),
		stream:  newStreamModel(1 + rnd.IntN(5)),
		buckets: map[string]*shardModel{},
		share:   []float64{0.05, 0.3, 1}[rnd.IntN(3)],
		unhappy: []float64{0, 0.02, 0.1}[rnd.IntN(3)],
		largest: []int{500, 100, 3}[rnd.IntN(3)],
		taken:   map[string][]string{},
		times:   map[string]int{},
	}
	for at := time.Duration(0); rnd.IntN(3) > 0; {
		from := at + time.Duration(rnd.IntN(20_000))*time.Millisecond
		at = from + time.Duration(rnd.IntN(20_000))*time.Millisecond
		h.outages = append(h.outages, [2]time.Duration{from, at})
	}
	return h
}

func (h *hostileKinesis) answer(c call) (putrecords.Answer, error) {
	h.mu.Lock()
	latency := time.Duration(1+h.rnd.IntN(200)) * time.Millisecond
	unhappy := h.rnd.Float64() < h.unhappy
	way := h.rnd.IntN(7)
	h.mu.Unlock()
	time.Sleep(latency / 2)
	answer, err := h.decide(c, unhappy, way)
	time.Sleep(latency / 2)
	if err == errTimeout {
		time.Sleep(5 * time.Second)
	}
	return answer, err
}

func (h *hostileKinesis) decide(c call, unhappy bool, way int) (putrecords.Answer, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, outage := range h.outages {
		if outage[0] <= c.at && c.at < outage[1] {
			if way < 2 {
				return putrecords.Answer{}, errTimeout
			}
			return putrecords.Answer{}, errUnavailable
		}
	}
	if h.rnd.IntN(300) == 0 {
		h.stream.reshard(h.rnd)
	}
	switch {
	case len(c.data) > h.largest:
		return putrecords.Answer{}, errTooLarge
	case slices.ContainsFunc(c.data, func(d string) bool { return strings.HasPrefix(d, poison) }):
		return putrecords.Answer{}, errRefused
	case !unhappy:
		return each(c, h.take), nil
	case way == 0:
		return putrecords.Answer{}, errUnavailable
	case way == 1:
		return putrecords.Answer{}, errOther
	case way == 2:
		return putrecords.Answer{}, errCredentials
	case way == 3:
		return putrecords.Answer{}, errTimeout
	case way == 4:
		// The answer is lost after the records were taken.
		for i := range c.data {
			if h.take(c.data[i], c.keys[i]).ErrorCode == "" {
				h.unsaid++
			}
		}
		return putrecords.Answer{}, errTimeout
	case way == 5:
		// All entries fail.
		return each(c, func(_, _ string) putrecords.Result { return putrecords.Result{ErrorCode: "InternalFailure"} }), nil
	default:
		return each(c, func(data, key string) putrecords.Result {
			if h.rnd.IntN(4) == 0 {
				return putrecords.Result{ErrorCode: "InternalFailure", ErrorMessage: "Internal service failure."}
			}
			return h.take(data, key)
		}), nil
	}
}

// take lets a shard take a record or refuse it.
func (h *hostileKinesis) take(data, key string) putrecords.Result {
	id := h.stream.holder(hashOf(key), 0)
	bucket := h.buckets[id]
	if bucket == nil {
		bucket = &shardModel{capacity: func(time.Duration) float64 { return h.share }, at: time.Since(h.begin)}
		h.buckets[id] = bucket
	}
	if !bucket.accepts(time.Since(h.begin), len(data)+len(key)) {
		return putrecords.Result{ErrorCode: codeThrottled, ShardID: id}
	}
	h.taken[key] = append(h.taken[key], data)
	h.times[data]++
	return putrecords.Result{ShardID: id}
}

// Many workers, batches of all sizes, senders that give up, a shutdown at any moment, and everything fails: each record
// is settled exactly once, the books balance, nothing is delivered twice but what Kinesis could not say it took, what
// nobody else has is delivered, and with Ordered in order.
func TestEveryRecordIsSettledOnce(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { settledOnce(t, seed) })
		})
	}
}

func settledOnce(t *testing.T, seed uint64) {
	rnd := rand.New(rand.NewPCG(seed, 11))
	hostile := newHostileKinesis(rand.New(rand.NewPCG(seed, 12)))
	ordered := seed%2 == 0
	impatient := !ordered && seed%5 == 1 // some senders give up
	concurrency := []int{1, 2, 10, 40}[rnd.IntN(4)]
	shutdown := time.Duration(-1)
	if rnd.IntN(2) == 0 {
		shutdown = time.Duration(rnd.IntN(60_000)) * time.Millisecond
	}
	r := newRig(t, newFakeKinesis(hostile.answer), func(c *Config) {
		c.Concurrency, c.Ordered = concurrency, ordered
		c.Retry.RandomizationFactor = 0.5
	})

	// What the workers hand over: data that names worker and place, so that order can be checked.
	type handedOver struct {
		data   []string
		result Result
	}
	workers := 1 + rnd.IntN(200)
	perWorker := make([][]handedOver, workers)
	perBatch := 1 + rnd.IntN(max(1, 2000/workers))
	keys := 1 + rnd.IntN(50)
	for w := range perWorker {
		number := 0
		for range 1 + rnd.IntN(4) {
			var batch handedOver
			for range rnd.IntN(perBatch + 1) {
				name := fmt.Sprintf("%d/%06d/%d", w, number, rnd.IntN(keys))
				number++
				if rnd.IntN(200) == 0 {
					name = poison + name
				}
				batch.data = append(batch.data, name)
			}
			perWorker[w] = append(perWorker[w], batch)
		}
	}
	keyOf := func(data string) string { return data[strings.LastIndexByte(data, '/')+1:] }

	var all sync.WaitGroup
	for w := range perWorker {
		patience := time.Duration(rnd.IntN(30_000)) * time.Millisecond
		all.Go(func() {
			for i := range perWorker[w] {
				batch := &perWorker[w][i]
				ctx, cancel := t.Context(), context.CancelFunc(func() {})
				if impatient && w%3 == 0 {
					ctx, cancel = context.WithTimeout(ctx, patience)
				}
				n, records := named(func(i int) string { return keyOf(batch.data[i]) }, batch.data...)
				batch.result = r.deliver(ctx, n, records)
				cancel()
			}
		})
	}
	if shutdown >= 0 {
		time.Sleep(shutdown)
		window := time.Duration(rnd.IntN(3)) * 10 * time.Second
		begin := time.Now()
		r.Stop(window)
		all.Wait()
		r.Close()
		assert.LessOrEqual(t, time.Since(begin), window+6*time.Second, "no call takes longer than that")
	}
	all.Wait()
	if impatient {
		time.Sleep(10 * time.Minute) // until nothing is on its way any more
	}
	calls := len(r.kinesis.made())
	r.Close()
	require.Len(t, r.kinesis.made(), calls)

	var handed, left, dropped, delivered, duplicates, leftBehind int
	for w := range perWorker {
		for _, batch := range perWorker[w] {
			n := len(batch.data)
			result := batch.result
			handed += n
			left += len(result.Left)
			dropped += result.Dropped
			delivered += result.Delivered
			require.Equal(t, n, result.Delivered+result.Dropped+len(result.Left))
			require.True(t, slices.IsSorted(result.Left))
			require.Len(t, slices.Compact(slices.Clone(result.Left)), len(result.Left), "left twice")
			isLeft := map[int]bool{}
			for _, ordinal := range result.Left {
				isLeft[ordinal] = true
			}
			shouldDrop := 0
			for ordinal, data := range batch.data {
				times := hostile.times[data]
				switch {
				case strings.HasPrefix(data, poison):
					require.Zero(t, times)
					if !isLeft[ordinal] {
						shouldDrop++
					}
				case isLeft[ordinal]:
					leftBehind += times // it may have been taken and nobody could say so
				default:
					require.Positive(t, times, "%s is lost", data)
					duplicates += times - 1
				}
			}
			require.Equal(t, shouldDrop, result.Dropped)
		}
	}
	r.balanced()
	totals := r.ledger.Totals()
	t.Logf("%+v, %d throttled, %d calls, %d workers, %d concurrency, ordered %v, impatient %v, stopped after %s", totals, r.sum("throttled_records"), calls, workers, concurrency, ordered, impatient, shutdown)
	assert.EqualValues(t, handed, totals.Accepted)
	assert.EqualValues(t, left, totals.Returned)
	assert.EqualValues(t, dropped, totals.Dropped)
	assert.EqualValues(t, delivered, totals.Delivered)
	if shutdown < 0 && !impatient {
		assert.Zero(t, left)
	}
	// A record is there twice, or there although it was left, only if nobody said that it was taken or if its sender had
	// given up.
	possible := int(r.sum("possible_duplicates"))
	assert.LessOrEqual(t, duplicates+leftBehind, possible)
	if !impatient {
		assert.LessOrEqual(t, duplicates+leftBehind, hostile.unsaid)
	}
	assert.LessOrEqual(t, r.kinesis.mostAtOnce, concurrency)
	waiting, _ := r.Status()
	if shutdown < 0 {
		assert.Zero(t, waiting)
		assert.Empty(t, r.backlog.behind)
	}
	if ordered {
		for _, data := range hostile.taken {
			last := map[string]int{}
			for _, d := range data {
				parts := strings.Split(d, "/")
				number, err := strconv.Atoi(parts[1])
				require.NoError(t, err)
				require.GreaterOrEqual(t, number, last[parts[0]], "records of a key are in order")
				last[parts[0]] = number
			}
		}
	}
}
