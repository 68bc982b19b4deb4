// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const testProbe = time.Second

func openGate(concurrency int) *gate {
	ready := make(chan struct{})
	close(ready)
	return newGate(concurrency, testProbe, ready)
}

// errOf picks the error of an enter.
func errOf(_ bool, err error) error { return err }

func isIdle(g *gate) bool {
	select {
	case <-g.idle:
		return true
	default:
		return false
	}
}

func TestGateWaitsUntilReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ready := make(chan struct{})
		g := newGate(2, testProbe, ready)
		var passed atomic.Int32
		var callers sync.WaitGroup
		for range 5 {
			callers.Go(func() {
				assert.NoError(t, errOf(g.enter(t.Context(), false)))
				passed.Add(1)
				time.Sleep(time.Second)
				g.leave(true)
			})
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.ErrorIs(t, errOf(g.enter(ctx, true)), context.DeadlineExceeded)
		require.Zero(t, passed.Load())
		close(ready)
		synctest.Wait()
		assert.EqualValues(t, 2, passed.Load())
		callers.Wait()
		g.close()
		assert.True(t, isIdle(g))
	})
}

// Random callers of both kinds, calls that fail in phases, callers that give up, and a close at a random moment.
func TestGateUnderRandomLoad(t *testing.T) {
	for seed := range uint64(60) {
		synctest.Test(t, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 3))
			size := 1 + rnd.IntN(12)
			g := openGate(size)
			var mu sync.Mutex
			random := func(n int) int {
				mu.Lock()
				defer mu.Unlock()
				return rnd.IntN(n)
			}
			var inFlight, most, passed, afterClose atomic.Int64
			var closed atomic.Bool
			begin := time.Now()
			var callers sync.WaitGroup
			for i := range 4 * size {
				callers.Go(func() {
					for {
						ctx, cancel := t.Context(), context.CancelFunc(func() {})
						if random(5) == 0 {
							ctx, cancel = context.WithTimeout(ctx, time.Duration(random(3000))*time.Millisecond)
						}
						wasClosed := closed.Load()
						_, err := g.enter(ctx, i == 0)
						if err == errClosed {
							cancel()
							return
						}
						if err != nil {
							require.ErrorIs(t, err, context.DeadlineExceeded)
							cancel()
							continue
						}
						if wasClosed {
							afterClose.Add(1)
						}
						passed.Add(1)
						if n := inFlight.Add(1); n > most.Load() {
							most.Store(n)
						}
						time.Sleep(time.Duration(random(400)) * time.Millisecond)
						inFlight.Add(-1)
						if random(10) == 0 {
							g.pass()
						} else {
							// Works for ten seconds, fails for ten.
							g.leave(time.Since(begin)/(10*time.Second)%2 == 0 || random(4) == 0)
						}
						cancel()
					}
				})
			}
			time.Sleep(time.Duration(random(60_000)) * time.Millisecond)
			closed.Store(true)
			g.close()
			callers.Wait()
			g.close() // twice is fine
			assert.True(t, isIdle(g))
			assert.Zero(t, g.inFlight)
			assert.Zero(t, afterClose.Load(), "calls that began after close")
			assert.LessOrEqual(t, most.Load(), int64(size))
			assert.Empty(t, g.returning)
			assert.Empty(t, g.fresh)
		})
	}
}

func TestGateIsIdleWhenTheLastCallEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := openGate(3)
		for range 3 {
			require.NoError(t, errOf(g.enter(t.Context(), false)))
		}
		var waiting sync.WaitGroup
		for i := range 4 {
			waiting.Go(func() { assert.ErrorIs(t, errOf(g.enter(t.Context(), i == 0)), errClosed) })
		}
		synctest.Wait()
		g.close()
		waiting.Wait()
		for range 3 {
			assert.False(t, isIdle(g))
			g.leave(true)
		}
		assert.True(t, isIdle(g))
		assert.ErrorIs(t, errOf(g.enter(t.Context(), true)), errClosed)
	})
}

// A call is handed over to a caller that gives up, or while the gate is closed, in the same moment.
func TestGateGetsBackWhatNobodyTakes(t *testing.T) {
	for i := range 300 {
		g := openGate(1)
		require.NoError(t, errOf(g.enter(t.Context(), false)))
		ctx, cancel := context.WithCancel(t.Context())
		var caller sync.WaitGroup
		caller.Go(func() {
			if errOf(g.enter(ctx, i%2 == 0)) == nil {
				g.leave(true)
			}
		})
		for waits := false; !waits; runtime.Gosched() {
			g.mu.Lock()
			waits = len(g.fresh)+len(g.returning) > 0
			g.mu.Unlock()
		}
		g.mu.Lock()
		if i%3 == 0 {
			g.isClosed = true // as close does
			close(g.closed)
		} else {
			cancel()
		}
		for range 50 {
			runtime.Gosched() // the caller notices, and comes to the lock
		}
		g.give()
		g.mu.Unlock()
		caller.Wait()
		cancel()
		require.Zero(t, g.inFlight)
		g.close()
		<-g.idle
	}
}

// Neither the records that come back nor the new ones keep the others out, whoever asks more often.
func TestGateTakesTurns(t *testing.T) {
	for _, concurrency := range []int{1, 2, 10, 40} {
		t.Run(fmt.Sprint(concurrency), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := openGate(concurrency)
				var fresh, returning atomic.Int64
				var callers sync.WaitGroup
				for i := range 5 * concurrency {
					callers.Go(func() {
						isReturning := i < 2*concurrency
						for errOf(g.enter(t.Context(), isReturning)) == nil {
							if isReturning {
								returning.Add(1)
							} else {
								fresh.Add(1)
							}
							time.Sleep(50 * time.Millisecond)
							g.leave(true)
						}
					})
				}
				time.Sleep(time.Minute)
				g.close()
				callers.Wait()
				all := float64(fresh.Load() + returning.Load())
				assert.InDelta(t, 1200*concurrency, all, float64(2*concurrency), "all calls are used")
				assert.InDelta(t, 0.25, float64(returning.Load())/all, 0.05)
			})
		})
	}
}

func TestGateOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := openGate(1)
		require.NoError(t, errOf(g.enter(t.Context(), false)))
		var order []string
		var callers sync.WaitGroup
		enter := func(name string, returning bool) {
			callers.Go(func() {
				assert.NoError(t, errOf(g.enter(t.Context(), returning)))
				order = append(order, name)
				g.leave(true)
			})
			synctest.Wait()
		}
		enter("returning 1", true)
		enter("returning 2", true)
		enter("returning 3", true)
		for i := range 4 {
			enter(fmt.Sprint("fresh ", i+1), false)
		}
		g.leave(true)
		callers.Wait()
		assert.Equal(t, []string{"fresh 1", "fresh 2", "fresh 3", "returning 1", "fresh 4", "returning 2", "returning 3"}, order)
		g.close()
	})
}

// outageRig makes calls by many callers, as workers do, to a service that works or not.
type outageRig struct {
	gate  *gate
	works func() bool
	takes func() time.Duration // a call

	begin   time.Time
	mu      sync.Mutex
	calls   []time.Duration // when they began
	callers sync.WaitGroup
}

func (r *outageRig) start(t *testing.T, callers int) {
	r.begin = time.Now()
	for i := range callers {
		r.callers.Go(func() {
			for errOf(r.gate.enter(t.Context(), i == 0)) == nil {
				r.mu.Lock()
				r.calls = append(r.calls, time.Since(r.begin))
				r.mu.Unlock()
				time.Sleep(r.takes())
				r.gate.leave(r.works())
			}
		})
	}
}

// between returns when calls began in a part of the time.
func (r *outageRig) between(from, to time.Duration) (calls []time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, at := range r.calls {
		if from <= at && at < to {
			calls = append(calls, at)
		}
	}
	return calls
}

func TestGateProbesAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &outageRig{gate: openGate(10), takes: func() time.Duration { return 20 * time.Millisecond }}
		r.works = func() bool {
			at := time.Since(r.begin)
			return at < 10*time.Second || at >= 70*time.Second
		}
		r.start(t, 200)
		time.Sleep(80 * time.Second)
		r.gate.close()
		r.callers.Wait()

		assert.Len(t, r.between(0, 9*time.Second), 9*50*10, "before it")
		assert.Less(t, len(r.between(10*time.Second, 10100*time.Millisecond)), 20, "what was in flight, and what replaced it")
		probes := r.between(10500*time.Millisecond, 69*time.Second)
		for i := 1; i < len(probes); i++ {
			gap := probes[i] - probes[i-1]
			require.GreaterOrEqual(t, gap, 3*testProbe/4, "one probe in an interval")
			require.LessOrEqual(t, gap, 5*testProbe/4+20*time.Millisecond, "an interval begins when the last probe has failed")
		}
		// The first call that works lets all others pass in the same moment.
		after := r.between(70*time.Second, 72*time.Second)
		require.LessOrEqual(t, after[0], 70*time.Second+5*testProbe/4)
		assert.Len(t, r.between(after[0]+20*time.Millisecond, after[0]+40*time.Millisecond), 10)
		assert.Len(t, r.between(72*time.Second, 79*time.Second), 7*50*10, "at full rate again")
	})
}

// Calls that hang leave some for the probes, so that the end of the outage is noticed long before they end.
func TestGateProbesWhileCallsHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const timeout = 30 * time.Second
		r := &outageRig{gate: openGate(10)}
		outage := func() bool { at := time.Since(r.begin); return at >= 10*time.Second && at < 400*time.Second }
		r.takes = func() time.Duration {
			if outage() {
				return timeout
			}
			return 20 * time.Millisecond
		}
		// A call that began in the outage fails by its timeout, even when the outage is over by then.
		r.works = func() bool { return !outage() }
		r.start(t, 200)
		time.Sleep(420 * time.Second)
		r.gate.close()
		r.callers.Wait()

		// With nine of ten calls hanging the next probe is ten intervals of 1 s away, and a quarter more at the most. When
		// chance makes the tenth one early, that begins when the first of the ten ends, which is 8 s later at the most.
		const longest = 21 * time.Second
		probes := r.between(11*time.Second, 400*time.Second)
		for i := 1; i < len(probes); i++ {
			require.LessOrEqual(t, probes[i]-probes[i-1], longest)
		}
		after := r.between(400*time.Second, 420*time.Second)
		require.NotEmpty(t, after)
		t.Logf("%d probes, the first call after the outage after %s", len(probes), after[0]-400*time.Second)
		assert.LessOrEqual(t, after[0], 400*time.Second+longest)
	})
}

// The more calls hang, the later is the probe; but when they end after all, it is not late.
func TestGateBringsProbesForward(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &outageRig{gate: openGate(10)}
		ends := []time.Duration{0, 0, 0, 100, 100, 100, 100, 100, 100, 100} // of the first calls
		var n atomic.Int32
		r.takes = func() time.Duration {
			if i := int(n.Add(1)); i <= len(ends) {
				return time.Second + ends[i-1]*time.Millisecond
			}
			return 20 * time.Millisecond
		}
		r.works = func() bool { return time.Since(r.begin) > 1200*time.Millisecond }
		r.start(t, 200)
		time.Sleep(10 * time.Second)
		r.gate.close()
		r.callers.Wait()
		assert.LessOrEqual(t, r.between(1200*time.Millisecond, 10*time.Second)[0], 1100*time.Millisecond+5*testProbe/4)
	})
}

// A probe that was not made, because there was nothing to send, does not cost an interval.
func TestGateGivesAProbeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := openGate(10)
		for range outageAfter {
			require.NoError(t, errOf(g.enter(t.Context(), false)))
		}
		for i := range outageAfter {
			assert.Equal(t, i+1, g.leave(false))
		}
		require.True(t, g.inOutage())
		require.NoError(t, errOf(g.enter(t.Context(), true))) // waits for its interval
		g.pass()
		passed := time.Now()
		require.NoError(t, errOf(g.enter(t.Context(), false)))
		assert.Equal(t, passed, time.Now())
		g.leave(true)
		require.False(t, g.inOutage())
		g.close()
	})
}

// Failures count in a row: a success between them means that it is no outage.
func TestGateNeedsFailuresInARow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := openGate(1)
		for i := range 100 {
			require.NoError(t, errOf(g.enter(t.Context(), false)))
			g.leave(i%outageAfter == 0)
			require.False(t, g.inOutage())
		}
		g.close()
	})
}
