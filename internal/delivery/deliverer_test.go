// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/accounting"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/putrecords"
)

// script answers the n-th call with the n-th answer, and all further calls with the last one.
func script(answers ...any) func(call) (putrecords.Answer, error) {
	return func(c call) (putrecords.Answer, error) {
		switch a := answers[min(c.n, len(answers)-1)].(type) {
		case putrecords.Answer:
			return a, nil
		case error:
			return putrecords.Answer{}, a
		default:
			panic(a)
		}
	}
}

func TestDelivers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var shown []string
		r := newRig(t, newFakeKinesis(script(taken)), func(c *Config) {
			c.Delivered = func(key string, data []byte) { shown = append(shown, fmt.Sprintf("%s=%s", key, data)) }
		})
		n, records := named(ownKey, numbers(0, 1234)...)
		assert.Equal(t, Result{Delivered: 1234}, r.deliver(t.Context(), n, records))
		require.Len(t, r.kinesis.made(), 3)
		assert.Len(t, r.kinesis.made()[0].data, 500)
		assert.Len(t, shown, 1234)
		assert.Equal(t, "key-7=7", shown[7])
		r.balanced()
		assert.Empty(t, r.reported())
	})
}

func TestNothingToDeliver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, ordered := range []bool{false, true} {
			r := newRig(t, newFakeKinesis(script(taken)), func(c *Config) { c.Ordered = ordered })
			n, records := named(ownKey)
			assert.Equal(t, Result{}, r.deliver(t.Context(), n, records))
			// All records of the batch are left out, and so the caller's to account for.
			assert.Equal(t, Result{}, r.deliver(t.Context(), 7, records))
			assert.Empty(t, r.kinesis.made())
		}
	})
}

// When is a single record sent again, and what becomes of it?
func TestWhatFailedIsSentAgain(t *testing.T) {
	const s = time.Second
	failed, throttled := entries("InternalFailure"), entries(codeThrottled)
	full := putrecords.Answer{Failed: 1, Results: []putrecords.Result{{ErrorCode: codeThrottled, ShardID: "shardId-000000000000"}}}
	for _, tt := range []struct {
		name    string
		config  func(*Config)
		answers []any
		at      []time.Duration // of the calls
		result  Result
		reason  string // why it was dropped
	}{
		{
			name:    "the first failure of an entry says nothing about the next attempt, the others do",
			answers: []any{failed, failed, failed, failed, failed, taken},
			at:      []time.Duration{0, linger, linger + s, linger + 2500*time.Millisecond, linger + 4750*time.Millisecond, linger + 8125*time.Millisecond},
			result:  Result{Delivered: 1},
		},
		{
			name:    "max_interval",
			config:  func(c *Config) { c.Retry.MaxInterval = 2 * s },
			answers: []any{failed, failed, failed, failed, failed, failed, taken},
			at:      []time.Duration{0, linger, linger + s, linger + 2500*time.Millisecond, linger + 4500*time.Millisecond, linger + 6500*time.Millisecond, linger + 8500*time.Millisecond},
			result:  Result{Delivered: 1},
		},
		{
			name:    "a multiplier of one",
			config:  func(c *Config) { c.Retry.Multiplier = 1 },
			answers: []any{errUnavailable, errUnavailable, taken}, // not a third: three failures in a row are an outage
			at:      []time.Duration{0, s, 2 * s},
			result:  Result{Delivered: 1},
		},
		{
			name:    "an interval of nearly nothing does not make a busy loop",
			config:  func(c *Config) { c.Retry.InitialInterval, c.Retry.MaxInterval = 1, 1 },
			answers: []any{failed, failed, taken},
			at:      []time.Duration{0, linger, 2 * linger},
			result:  Result{Delivered: 1},
		},
		{
			name:    "a call",
			answers: []any{errUnavailable, errUnavailable, taken},
			at:      []time.Duration{0, s, 2500 * time.Millisecond},
			result:  Result{Delivered: 1},
		},
		{
			name:    "an error of unknown kind",
			answers: []any{errOther, taken},
			at:      []time.Duration{0, s},
			result:  Result{Delivered: 1},
		},
		{
			name:    "a full shard is not the record's fault",
			answers: []any{full, full, failed, failed, taken},
			at:      []time.Duration{0, linger, 2 * linger, 3 * linger, 3*linger + s},
			result:  Result{Delivered: 1},
		},
		{
			name:    "a full shard that is not named, nor known",
			answers: []any{throttled, throttled, taken},
			at:      []time.Duration{0, linger, linger + s},
			result:  Result{Delivered: 1},
		},
		{
			name:    "max_elapsed_time of an entry",
			config:  func(c *Config) { c.Retry.MaxElapsedTime = 4 * s },
			answers: []any{failed},
			at:      []time.Duration{0, linger, linger + s, linger + 2500*time.Millisecond, linger + 4750*time.Millisecond},
			result:  Result{Dropped: 1},
			reason:  accounting.ReasonExhausted,
		},
		{
			name:    "max_elapsed_time of a call",
			config:  func(c *Config) { c.Retry.MaxElapsedTime = 2 * s },
			answers: []any{errUnavailable},
			at:      []time.Duration{0, s, 2500 * time.Millisecond},
			result:  Result{Dropped: 1},
			reason:  accounting.ReasonExhausted,
		},
		{
			name:    "an entry without retry",
			config:  func(c *Config) { c.Retry.Enabled = false },
			answers: []any{failed},
			at:      []time.Duration{0},
			result:  Result{Dropped: 1},
			reason:  "InternalFailure",
		},
		{
			name:    "a call without retry",
			config:  func(c *Config) { c.Retry.Enabled = false },
			answers: []any{errUnavailable},
			at:      []time.Duration{0},
			result:  Result{Dropped: 1},
			reason:  "ServiceUnavailable",
		},
		{
			name:    "an error of unknown kind without retry",
			config:  func(c *Config) { c.Retry.Enabled = false },
			answers: []any{errOther},
			at:      []time.Duration{0},
			result:  Result{Dropped: 1},
			reason:  putrecords.CodeClient,
		},
		{
			name:    "a refused record",
			answers: []any{errRefused},
			at:      []time.Duration{0},
			result:  Result{Dropped: 1},
			reason:  "InvalidArgumentException",
		},
		{
			name:    "a refused entry",
			answers: []any{entries("ValidationException")},
			at:      []time.Duration{0},
			result:  Result{Dropped: 1},
			reason:  "ValidationException",
		},
		{
			name:    "a record that is too large for what is in between",
			answers: []any{errTooLarge},
			at:      []time.Duration{0},
			result:  Result{Dropped: 1},
			reason:  "RequestEntityTooLarge",
		},
	} {
		for _, ordered := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, ordered %v", tt.name, ordered), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r := newRig(t, newFakeKinesis(script(tt.answers...)), func(c *Config) {
						c.Ordered = ordered
						if tt.config != nil {
							tt.config(c)
						}
					})
					n, records := named(ownKey, "record")
					assert.Equal(t, tt.result, r.deliver(t.Context(), n, records))
					var at []time.Duration
					for _, c := range r.kinesis.made() {
						assert.Equal(t, []string{"record"}, c.data)
						at = append(at, c.at.Round(time.Millisecond))
					}
					assert.Equal(t, tt.at, at)
					r.balanced()
					assert.EqualValues(t, tt.result.Delivered, r.sum("records", "outcome", "delivered"))
					if tt.reason != "" {
						assert.EqualValues(t, 1, r.sum("records", "outcome", "dropped", "reason", tt.reason))
					}
				})
			})
		}
	}
}

// In an outage records neither age by their attempts nor wait after its end.
func TestOutageCostsNoBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const outage = 5 * time.Minute
		r := newRig(t, newFakeKinesis(nil), nil)
		r.kinesis.answer = func(c call) (putrecords.Answer, error) {
			time.Sleep(10 * time.Millisecond)
			if c.at < outage {
				return taken, errUnavailable
			}
			return taken, nil
		}
		begin := time.Now()
		var batches sync.WaitGroup
		for i := range 50 {
			batches.Go(func() {
				n, records := named(ownKey, numbers(1000*i, 500)...)
				assert.Equal(t, Result{Delivered: 500}, r.deliver(t.Context(), n, records))
			})
		}
		batches.Wait()
		assert.Less(t, time.Since(begin), outage+2*time.Second)
		r.balanced()
		waiting, _ := r.Status()
		assert.Zero(t, waiting)
	})
}

func TestRefusalsAreHalved(t *testing.T) {
	for _, tt := range []struct {
		name     string
		poison   func(i int) bool
		n, calls int
		retry    bool
	}{
		{name: "one of 500", poison: func(i int) bool { return i == 321 }, n: 500, calls: 19, retry: true},
		{name: "one of 500, without retry", poison: func(i int) bool { return i == 499 }, n: 500, calls: 19},
		{name: "all", poison: func(int) bool { return true }, n: 7, calls: 13, retry: true},
		{name: "none of three", poison: func(int) bool { return false }, n: 3, calls: 1, retry: true},
		{name: "the first and the last", poison: func(i int) bool { return i == 0 || i == 99 }, n: 100, calls: 27, retry: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				arrived := map[string]int{}
				r := newRig(t, newFakeKinesis(nil), func(c *Config) { c.Retry.Enabled = tt.retry })
				data := numbers(0, tt.n)
				r.kinesis.answer = func(c call) (putrecords.Answer, error) {
					for i, d := range data {
						if tt.poison(i) && c.has(d) {
							return putrecords.Answer{}, errRefused
						}
					}
					for _, d := range c.data {
						arrived[d]++
					}
					return taken, nil
				}
				dropped := 0
				n, records := named(ownKey, data...)
				for i := range data {
					if tt.poison(i) {
						dropped++
					}
				}
				assert.Equal(t, Result{Delivered: tt.n - dropped, Dropped: dropped}, r.deliver(t.Context(), n, records))
				for i, d := range data {
					if tt.poison(i) {
						assert.Zero(t, arrived[d])
					} else {
						assert.Equal(t, 1, arrived[d])
					}
				}
				assert.LessOrEqual(t, len(r.kinesis.made()), tt.calls)
				r.balanced()
				assert.Empty(t, r.reported(), "somebody is there and answers")
			})
		})
	}
}

// A request that is refused in the last moment of the shutdown does not hang in all its parts.
func TestRefusalsAreNotHalvedAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const timeout = 30 * time.Second
		r := newRig(t, newFakeKinesis(nil), nil)
		r.kinesis.answer = func(c call) (putrecords.Answer, error) {
			time.Sleep(timeout)
			return putrecords.Answer{}, errRefused
		}
		n, records := named(ownKey, numbers(0, 500)...)
		result := make(chan Result, 1)
		go func() { result <- r.deliver(t.Context(), n, records) }()
		time.Sleep(time.Second)
		begin := time.Now()
		r.Stop(0)
		r.Close()
		assert.LessOrEqual(t, time.Since(begin), timeout)
		assert.Len(t, (<-result).Left, 500)
		assert.Len(t, r.kinesis.made(), 1)
		r.balanced()
	})
}

// When one half fails for another reason, the other half waits with it.
func TestHalvesStopAtAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, newFakeKinesis(script(errRefused, errTimeout, taken)), nil)
		n, records := named(ownKey, numbers(0, 100)...)
		assert.Equal(t, Result{Delivered: 100}, r.deliver(t.Context(), n, records))
		calls := r.kinesis.made()
		require.Len(t, calls, 4)
		assert.Equal(t, numbers(0, 50), calls[1].data)
		assert.ElementsMatch(t, numbers(50, 50), calls[2].data, "it was not sent, so it does not wait for a backoff")
		assert.Equal(t, linger, calls[2].at)
		assert.ElementsMatch(t, numbers(0, 50), calls[3].data)
		assert.Equal(t, time.Second, calls[3].at)
		assert.EqualValues(t, 50, r.sum("possible_duplicates"))
		r.balanced()
	})
}

// Something on the way, such as a proxy that looks for attacks, fails each call that has a certain record, with an error
// that others get as well. The record waits, but neither its neighbours nor those that come later.
func TestFailingRecordHarmsNobodyElse(t *testing.T) {
	for _, busy := range []bool{false, true} {
		t.Run(fmt.Sprintf("busy %v", busy), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				arrived := map[string]int{}
				r := newRig(t, newFakeKinesis(nil), nil)
				r.kinesis.answer = func(c call) (putrecords.Answer, error) {
					time.Sleep(20 * time.Millisecond)
					if c.has("123") {
						return putrecords.Answer{}, errUnavailable
					}
					mu.Lock()
					defer mu.Unlock()
					for _, d := range c.data {
						arrived[d]++
					}
					return taken, nil
				}
				ctx, cancel := context.WithCancel(t.Context())
				var senders sync.WaitGroup
				senders.Go(func() {
					n, records := named(ownKey, numbers(0, 500)...)
					assert.Equal(t, Result{Delivered: 499, Left: []int{123}}, r.deliver(ctx, n, records))
				})
				if busy {
					senders.Go(func() {
						for i := 0; ctx.Err() == nil; i++ {
							n, records := named(ownKey, fmt.Sprint("other ", i))
							assert.Equal(t, Result{Delivered: 1}, r.deliver(t.Context(), n, records))
							time.Sleep(100 * time.Millisecond)
						}
					})
				}
				time.Sleep(5 * time.Minute)
				mu.Lock()
				for i := range 500 {
					if i != 123 {
						assert.Equal(t, 1, arrived[fmt.Sprint(i)], "record %d", i)
					}
				}
				mu.Unlock()
				time.Sleep(time.Hour)
				// Those that come later are not held up either.
				begin := time.Now()
				n, records := named(ownKey, numbers(1000, 500)...)
				assert.Equal(t, Result{Delivered: 500}, r.deliver(t.Context(), n, records))
				assert.Less(t, time.Since(begin), 10*time.Second)
				cancel()
				senders.Wait()
				time.Sleep(time.Minute)
				r.balanced()
			})
		})
	}
}

// In an outage each probe holds one record: that is all that can come twice because of it.
func TestProbesAreSmall(t *testing.T) {
	for _, ordered := range []bool{false, true} {
		t.Run(fmt.Sprintf("ordered %v", ordered), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, newFakeKinesis(nil), func(c *Config) { c.Ordered, c.Concurrency = ordered, 4 })
				r.kinesis.answer = func(c call) (putrecords.Answer, error) {
					if c.at < time.Minute {
						return putrecords.Answer{}, errTimeout
					}
					return taken, nil
				}
				var senders sync.WaitGroup
				for i := range 20 {
					senders.Go(func() {
						n, records := named(ownKey, numbers(500*i, 500)...)
						assert.Equal(t, Result{Delivered: 500}, r.deliver(t.Context(), n, records))
					})
				}
				time.Sleep(5 * time.Second)
				began := len(r.kinesis.made())
				senders.Wait()
				seen := map[string]bool{}
				for _, c := range r.kinesis.made()[began:] {
					if c.at < time.Minute {
						require.Len(t, c.data, 1)
						seen[c.data[0]] = true
					}
				}
				assert.Greater(t, len(seen), 40, "not always the same one, it may be the cause")
				assert.LessOrEqual(t, r.sum("possible_duplicates"), int64(6*500+100))
				r.balanced()
			})
		})
	}
}

func TestRefusedCredentialsAreToldOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []error
		r := newRig(t, newFakeKinesis(script(errCredentials, taken)), func(c *Config) {
			c.RefusedCredentials = func(err error) { told = append(told, err) }
		})
		n, records := named(ownKey, "record")
		assert.Equal(t, Result{Delivered: 1}, r.deliver(t.Context(), n, records))
		assert.Equal(t, []error{errCredentials}, told)
	})
}

// A sender gives up while its record is on its way for the second time. The record is the sender's again, and has no
// other outcome in the books, whatever becomes of it.
func TestGivenUpRecordsHaveOneOutcome(t *testing.T) {
	for _, tt := range []struct {
		name       string
		answer     any
		duplicates int
	}{
		{name: "delivered", answer: taken, duplicates: 1},
		{name: "dropped", answer: errRefused},
		{name: "sent again", answer: errUnavailable},
	} {
		for _, ordered := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, ordered %v", tt.name, ordered), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r := newRig(t, newFakeKinesis(nil), func(c *Config) { c.Ordered = ordered })
					first := script(entries("", "InternalFailure"), tt.answer)
					r.kinesis.answer = func(c call) (putrecords.Answer, error) {
						if c.n > 0 {
							time.Sleep(10 * time.Second)
						}
						return first(c)
					}
					ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
					defer cancel()
					n, records := named(ownKey, "a", "b")
					// What the caller asks for, and what nobody does.
					assert.Equal(t, Result{Delivered: 1, Left: []int{1}}, r.deliver(ctx, n, records))
					time.Sleep(time.Minute)
					r.balanced()
					assert.Equal(t, accounting.Totals{Accepted: 2, Delivered: 1, Returned: 1}, r.ledger.Totals())
					assert.EqualValues(t, tt.duplicates, r.sum("possible_duplicates"))
					assert.Len(t, r.kinesis.made(), 2, "what nobody waits for is not sent again")
					waiting, _ := r.Status()
					assert.Zero(t, waiting)
					// The key is not stuck.
					n, records = named(func(int) string { return "key-1" }, "c")
					r.kinesis.answer = script(taken)
					assert.Equal(t, Result{Delivered: 1}, r.deliver(t.Context(), n, records))
				})
			})
		}
	}
}

// A sender that gives up before its turn gets back what was not sent.
func TestGivenUpBeforeItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, newFakeKinesis(nil), func(c *Config) { c.Concurrency = 1 })
		r.kinesis.answer = func(call) (putrecords.Answer, error) {
			time.Sleep(time.Minute)
			return taken, nil
		}
		go func() {
			n, records := named(ownKey, "first")
			assert.Equal(t, Result{Delivered: 1}, r.deliver(t.Context(), n, records))
		}()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		n, records := named(ownKey, numbers(0, 3)...)
		assert.Equal(t, Result{Left: []int{0, 1, 2}}, r.deliver(ctx, n, records))
		time.Sleep(2 * time.Minute)
		r.balanced()
		assert.Len(t, r.kinesis.made(), 1)
	})
}

func TestStop(t *testing.T) {
	for _, ordered := range []bool{false, true} {
		t.Run(fmt.Sprintf("never ready, ordered %v", ordered), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, newFakeKinesis(script(taken)), func(c *Config) { c.Ready, c.Ordered = make(chan struct{}), ordered })
				var shutdown sync.WaitGroup
				shutdown.Go(func() {
					time.Sleep(time.Minute)
					r.Stop(10 * time.Second)
					time.Sleep(20 * time.Second)
					r.Close()
				})
				begin := time.Now()
				n, records := named(ownKey, "a", "b")
				assert.Equal(t, Result{Left: []int{0, 1}}, r.deliver(t.Context(), n, records))
				assert.Equal(t, 70*time.Second, time.Since(begin))
				assert.Empty(t, r.kinesis.made())
				assert.Equal(t, Result{Left: []int{0, 1}}, r.deliver(t.Context(), n, records), "after the end")
				shutdown.Wait()
				r.balanced()
			})
		})
		t.Run(fmt.Sprintf("calls begin within the window, ordered %v", ordered), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, newFakeKinesis(nil), func(c *Config) { c.Ordered, c.Concurrency = ordered, 1 })
				r.kinesis.answer = func(call) (putrecords.Answer, error) {
					time.Sleep(4 * time.Second)
					return taken, nil
				}
				n, records := named(ownKey, numbers(0, 5000)...)
				r.Stop(10 * time.Second)
				begin := time.Now()
				result := r.deliver(t.Context(), n, records)
				assert.Equal(t, 12*time.Second, time.Since(begin), "the last call began after 8 s and took 4")
				assert.Equal(t, 1500, result.Delivered)
				assert.Len(t, result.Left, 3500)
				assert.True(t, slices.IsSorted(result.Left))
				r.Close()
				r.balanced()
			})
		})
	}
}

// A healthy shard is not slowed down by a full one, behind an endpoint that is slow, whatever num_consumers is.
func TestSlowEndpointWithAHotKey(t *testing.T) {
	for _, tt := range []struct {
		concurrency int
		latency     time.Duration
		healthy     int // records a second that are offered to healthy shards
		hot         int // and to the one that takes 1000
	}{
		{concurrency: 2, latency: 20 * time.Millisecond, healthy: 9000, hot: 5000},
		{concurrency: 2, latency: 100 * time.Millisecond, healthy: 3000, hot: 3000},
		{concurrency: 10, latency: 100 * time.Millisecond, healthy: 9000, hot: 5000},
		{concurrency: 10, latency: 300 * time.Millisecond, healthy: 8000, hot: 4000},
		{concurrency: 40, latency: 300 * time.Millisecond, healthy: 9000, hot: 5000},
	} {
		t.Run(fmt.Sprintf("%d consumers, %s", tt.concurrency, tt.latency), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const seconds = 6 // after which all workers wait for the hot key
				var mu sync.Mutex
				hotShard := shardModel{capacity: func(time.Duration) float64 { return 1 }}
				byKey := map[string]int{}
				r := newRig(t, newFakeKinesis(nil), func(c *Config) { c.Concurrency = tt.concurrency })
				r.kinesis.answer = func(c call) (putrecords.Answer, error) {
					time.Sleep(tt.latency / 2)
					mu.Lock()
					answer := each(c, func(data, key string) putrecords.Result {
						if key == "hot" {
							if !hotShard.accepts(time.Since(r.kinesis.begin), len(data)) {
								return putrecords.Result{ErrorCode: codeThrottled, ShardID: "shardId-000000000000"}
							}
							byKey[key]++
							return putrecords.Result{ShardID: "shardId-000000000000"}
						}
						byKey["healthy"]++
						return putrecords.Result{ShardID: "shardId-000000000001"}
					})
					mu.Unlock()
					time.Sleep(tt.latency / 2)
					return answer, nil
				}
				// As the helper does it: a queue that cuts batches, and 200 workers.
				batches := make(chan []string, 1000)
				ctx, cancel := context.WithCancel(t.Context())
				var workers sync.WaitGroup
				for range 200 {
					workers.Go(func() {
						for keys := range batches {
							n, records := named(func(i int) string { return keys[i] }, keys...)
							r.deliver(ctx, n, records)
						}
					})
				}
				const perBatch = 500
				all := tt.healthy + tt.hot
				for range seconds * all / perBatch {
					keys := make([]string, perBatch)
					for i := range keys {
						keys[i] = "healthy"
						if i*tt.hot/all != (i+1)*tt.hot/all {
							keys[i] = "hot"
						}
					}
					batches <- keys
					time.Sleep(time.Second * perBatch / time.Duration(all))
				}
				close(batches)
				mu.Lock()
				healthy, hot := byKey["healthy"], byKey["hot"]
				mu.Unlock()
				t.Logf("healthy %.1f %%, hot %.1f %%, %d calls", 100*float64(healthy)/float64(tt.healthy*seconds), float64(hot)/10/seconds, len(r.kinesis.made()))
				assert.Greater(t, float64(healthy), 0.95*float64(tt.healthy*seconds))
				assert.Greater(t, float64(hot), 0.90*1000*seconds)
				cancel()
				workers.Wait()
			})
		})
	}
}

// Records for a full shard are offered as the shard takes them, whichever way they go, and whatever else fails.
func TestFullShardIsPaced(t *testing.T) {
	for _, ordered := range []bool{false, true} {
		for _, failing := range []int{0, 10} { // per cent of the entries
			t.Run(fmt.Sprintf("ordered %v, %d %% fail", ordered, failing), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var mu sync.Mutex
					shard := shardModel{capacity: func(time.Duration) float64 { return 1 }}
					took, puts, failed := 0, 0, 0
					random := rand.New(rand.NewPCG(1, 2))
					r := newRig(t, newFakeKinesis(nil), func(c *Config) { c.Ordered = ordered })
					r.kinesis.answer = func(c call) (putrecords.Answer, error) {
						time.Sleep(10 * time.Millisecond)
						mu.Lock()
						answer := each(c, func(data, _ string) putrecords.Result {
							puts++
							// Not in turn: the turns of a record that comes back would be the same again and again.
							if random.IntN(100) < failing {
								failed++
								return putrecords.Result{ErrorCode: "InternalFailure"}
							}
							if !shard.accepts(time.Since(r.kinesis.begin), len(data)) {
								return putrecords.Result{ErrorCode: codeThrottled, ShardID: "shardId-000000000000"}
							}
							took++
							return putrecords.Result{ShardID: "shardId-000000000000"}
						})
						mu.Unlock()
						time.Sleep(10 * time.Millisecond)
						return answer, nil
					}
					ctx, cancel := context.WithCancel(t.Context())
					var workers sync.WaitGroup
					for w := range 20 {
						workers.Go(func() {
							for i := 0; ctx.Err() == nil; i++ {
								n, records := named(func(int) string { return fmt.Sprint(w, " ", i%7) }, numbers(0, 300)...)
								if ordered {
									n, records = named(func(i int) string { return fmt.Sprint(w, " ", i) }, numbers(0, 300)...)
								}
								r.deliver(ctx, n, records)
							}
						})
					}
					// What is on its way when the shard gets full is not paced.
					time.Sleep(3 * time.Second)
					mu.Lock()
					took, puts, failed = 0, 0, 0
					mu.Unlock()
					const seconds = 20
					time.Sleep(seconds * time.Second)
					mu.Lock()
					used, putsEach := float64(took)/1000/seconds, float64(puts-failed)/float64(took)
					mu.Unlock()
					cancel()
					workers.Wait()
					t.Logf("used %.1f %%, %.3f puts a record that did not fail", 100*used, putsEach)
					assert.Greater(t, used, 0.95)
					assert.Less(t, putsEach, 1.1)
				})
			})
		}
	}
}

// Whoever refuses records is there and answers, whether it refuses the request or the entry.
func TestRefusedRecordsAreNoOutage(t *testing.T) {
	for _, answer := range []any{errRefused, entries("InvalidArgumentException")} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, newFakeKinesis(script(answer)), nil)
			for range 5 {
				n, records := named(ownKey, "record")
				require.Equal(t, Result{Dropped: 1}, r.deliver(t.Context(), n, records))
			}
			assert.False(t, r.gate.inOutage())
			assert.Empty(t, r.reported())
			assert.Zero(t, r.kinesis.made()[4].at)
		})
	}
}

// Another producer leaves the shard. What it takes now is offered within a few seconds, although no answer says so: when
// all records of a request are taken, the answer names no shards.
func TestFullShardRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const alone = 10 * time.Second
		var mu sync.Mutex
		shard := shardModel{capacity: func(at time.Duration) float64 {
			if at < alone {
				return 0.1
			}
			return 1
		}}
		took := 0
		r := newRig(t, newFakeKinesis(nil), nil)
		r.kinesis.answer = func(c call) (putrecords.Answer, error) {
			time.Sleep(20 * time.Millisecond)
			mu.Lock()
			defer mu.Unlock()
			return each(c, func(data, _ string) putrecords.Result {
				if !shard.accepts(time.Since(r.kinesis.begin), len(data)) {
					return putrecords.Result{ErrorCode: codeThrottled, ShardID: "shardId-000000000000"}
				}
				took++
				return putrecords.Result{ShardID: "shardId-000000000000"}
			}), nil
		}
		ctx, cancel := context.WithCancel(t.Context())
		var workers sync.WaitGroup
		for range 20 {
			workers.Go(func() {
				for ctx.Err() == nil {
					n, records := named(ownKey, numbers(0, 300)...)
					r.deliver(ctx, n, records)
				}
			})
		}
		time.Sleep(alone + 2500*time.Millisecond)
		mu.Lock()
		took = 0
		mu.Unlock()
		time.Sleep(5 * time.Second)
		mu.Lock()
		assert.Greater(t, took, 4750)
		mu.Unlock()
		cancel()
		workers.Wait()
	})
}

func TestStatusIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, newFakeKinesis(nil), nil)
		fails := func(time.Duration, int) bool { return false }
		r.kinesis.answer = func(c call) (putrecords.Answer, error) {
			time.Sleep(20 * time.Millisecond)
			if fails(time.Since(r.kinesis.begin), c.n) {
				return putrecords.Answer{}, fmt.Errorf("call %d: %w", c.n, errUnavailable)
			}
			return taken, nil
		}
		send := func(d time.Duration) {
			var senders sync.WaitGroup
			end := time.Now().Add(d)
			for range 20 {
				senders.Go(func() {
					for time.Now().Before(end) {
						n, records := named(ownKey, "record")
						r.deliver(t.Context(), n, records)
					}
				})
			}
			senders.Wait()
		}
		send(10 * time.Second)
		require.Empty(t, r.reported())
		// Every third call fails: that is no outage, and the log stays quiet.
		fails = func(_ time.Duration, n int) bool { return n%3 == 0 }
		send(time.Minute)
		require.Empty(t, r.reported())
		require.Zero(t, r.logs.Len())
		// All that is in flight fails at once, and works again: neither.
		blip := time.Since(r.kinesis.begin)
		fails = func(at time.Duration, _ int) bool { return at < blip+50*time.Millisecond }
		send(10 * time.Second)
		require.Empty(t, r.reported())
		// An outage.
		outage := time.Since(r.kinesis.begin)
		fails = func(at time.Duration, _ int) bool { return at < outage+30*time.Second }
		go send(60 * time.Second)
		time.Sleep(5 * time.Second)
		require.Len(t, r.reported(), 1)
		require.ErrorIs(t, r.reported()[0], errUnavailable)
		time.Sleep(20 * time.Second)
		require.Len(t, r.reported(), 1)
		time.Sleep(10 * time.Second)
		require.Len(t, r.reported(), 2)
		require.NoError(t, r.reported()[1])
		time.Sleep(40 * time.Second)
		assert.Equal(t, 1, r.logs.FilterMessage("Delivery fails; records wait and are sent again.").Len())
		assert.Equal(t, 1, r.logs.FilterMessage("Delivery works again.").Len())
		assert.Equal(t, 2, r.logs.Len())
		r.balanced()
	})
}

// An exporter that has been idle says at the second failure that nothing works.
func TestStatusAfterAnIdleTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, newFakeKinesis(script(taken, errUnavailable, errUnavailable, errUnavailable, taken)), nil)
		n, records := named(ownKey, "record")
		r.deliver(t.Context(), n, records)
		time.Sleep(time.Hour)
		r.deliver(t.Context(), n, records)
		assert.Equal(t, []error{errUnavailable, nil}, r.reported())
	})
}

// The same entry failing again and again is a failure of the delivery when nothing else works, but not when a shard is
// full.
func TestStatusOfFailingEntries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failed := entries("InternalFailure")
		failed.Results[0].ErrorMessage = "Internal service failure."
		r := newRig(t, newFakeKinesis(script(failed, failed, taken)), nil)
		n, records := named(ownKey, "record")
		r.deliver(t.Context(), n, records)
		require.Len(t, r.reported(), 2)
		assert.EqualError(t, r.reported()[0], "kinesis failed the record: InternalFailure: Internal service failure.")

		full := putrecords.Answer{Failed: 1, Results: []putrecords.Result{{ErrorCode: codeThrottled, ShardID: "shardId-000000000000"}}}
		r = newRig(t, newFakeKinesis(script(full, full, full, full, full, taken)), nil)
		r.deliver(t.Context(), n, records)
		assert.Empty(t, r.reported())
		assert.EqualValues(t, 5, r.sum("throttled_records", "shard", "shardId-000000000000"))
	})
}

// What comes back fills requests with what comes back from others.
func TestReturningRecordsShareRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var failed sync.Map
		r := newRig(t, newFakeKinesis(nil), nil)
		r.kinesis.answer = func(c call) (putrecords.Answer, error) {
			return each(c, func(data, _ string) putrecords.Result {
				if _, again := failed.LoadOrStore(data, true); !again && strings.HasSuffix(data, "7") {
					return putrecords.Result{ErrorCode: "InternalFailure"}
				}
				return putrecords.Result{}
			}), nil
		}
		var batches sync.WaitGroup
		for i := range 20 {
			batches.Go(func() {
				n, records := named(ownKey, numbers(500*i, 500)...)
				assert.Equal(t, Result{Delivered: 500}, r.deliver(t.Context(), n, records))
			})
		}
		batches.Wait()
		calls := r.kinesis.made()
		require.Len(t, calls, 22)
		assert.Len(t, calls[20].data, 500)
		assert.Len(t, calls[21].data, 500)
		r.balanced()
	})
}

// What comes back goes along with what is new, when that leaves room.
func TestReturningRecordsGoAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, newFakeKinesis(script(entries("InternalFailure"), taken)), func(c *Config) { c.Concurrency = 1 })
		var batches sync.WaitGroup
		batches.Go(func() {
			n, records := named(ownKey, "old")
			assert.Equal(t, Result{Delivered: 1}, r.deliver(t.Context(), n, records))
		})
		synctest.Wait()
		require.NoError(t, errOf(r.gate.enter(t.Context(), false))) // all that comes now has to wait
		for i := range 3 {
			batches.Go(func() {
				n, records := named(ownKey, fmt.Sprint("new ", i))
				assert.Equal(t, Result{Delivered: 1}, r.deliver(t.Context(), n, records))
			})
		}
		time.Sleep(time.Second)
		r.gate.pass()
		batches.Wait()
		calls := r.kinesis.made()
		require.Len(t, calls, 4)
		assert.Contains(t, calls[1].data, "old")
		assert.Len(t, calls[1].data, 2)
		r.balanced()
	})
}
