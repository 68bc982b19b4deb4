// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// outageAfter is the number of calls that fail in a row, with no success between them, after which all calls wait
// but one at a time that probes the stream.
const outageAfter = 3

// freshTurns is how many calls are handed to callers with new records before a caller with returning ones gets one.
const freshTurns = 3

// errClosed says that no more calls are made, because the exporter shuts down.
var errClosed = errors.New("shutting down")

// gate decides who may make a call, and when.
//
//   - Nobody passes before ready is closed, that is before the credentials are proven.
//   - At most so many calls are in flight. While callers with new records wait, those with returning records get a part
//     of the calls only: most of what returns goes along with what is new.
//   - While all calls fail, one call for each probe interval passes. The first success lets everybody pass at once, so
//     an outage ends within one interval, and what waits outside is not even encoded. When probes hang, the intervals
//     grow, so that there is always a call left for the next probe.
//   - Once the gate is closed nobody passes.
type gate struct {
	ready <-chan struct{}
	size  int           // calls that may be in flight
	probe time.Duration // mean time between two probes in an outage

	mu        sync.Mutex
	inFlight  int             // calls
	returning []chan struct{} // callers with returning records that wait for a call to end, first come first served
	fresh     []chan struct{} // callers with new records, likewise
	turn      int             // calls handed to callers with new records since the last one to others
	failures  int             // calls that failed since the last success
	outage    bool            // failures reached outageAfter
	probeAt   time.Time       // when the next probe may pass
	resumed   chan struct{}   // closed when the outage ends
	isClosed  bool
	closed    chan struct{}
	idle      chan struct{} // closed when the gate is closed and no call is in flight
}

func newGate(concurrency int, probe time.Duration, ready <-chan struct{}) *gate {
	return &gate{
		ready:   ready,
		probe:   probe,
		size:    concurrency,
		resumed: make(chan struct{}),
		closed:  make(chan struct{}),
		idle:    make(chan struct{}),
	}
}

// enter waits until the caller may make one call, which it has to end with leave or pass. A probe should hold a single
// record: that is all that it can cost, or deliver twice, and the next one holds another, should that one be the cause.
func (g *gate) enter(ctx context.Context, returning bool) (probe bool, err error) {
	select {
	case <-g.ready:
	case <-g.closed:
		return false, errClosed
	case <-ctx.Done():
		return false, ctx.Err()
	}
	for {
		turn := g.try(returning)
		switch {
		case turn.err != nil:
			return false, turn.err
		case turn.wait > 0:
			err = g.awaitProbe(ctx, turn)
		case turn.slot != nil:
			if err = g.awaitSlot(ctx, turn.slot); err == nil && g.mayGo() {
				return false, nil
			}
		default:
			return turn.probe, nil
		}
		if err != nil {
			return false, err
		}
	}
}

// mayGo reports whether a caller to whom a call was handed over may make it. When an outage has begun in the meantime
// or the gate was closed, the call goes to the next in line.
func (g *gate) mayGo() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.outage || g.isClosed {
		g.give()
		return false
	}
	return true
}

// turn says what a caller may do, or what it has to wait for before it tries again.
type turn struct {
	probe   bool            // it may make a call that probes an outage
	slot    chan struct{}   // wait for a call to be handed over; closed then
	wait    time.Duration   // wait so long for the next probe
	resumed <-chan struct{} // or until the outage ends
	err     error           // it may not wait
}

// try begins a call when it can.
func (g *gate) try(returning bool) turn {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.isClosed:
		return turn{err: errClosed}
	case g.outage:
		if wait := time.Until(g.probeAt); wait > 0 {
			return turn{wait: min(wait, g.probe), resumed: g.resumed} // since the probe may be brought forward
		}
		if g.inFlight == g.size {
			// All calls hang. One of them ends within its timeout.
			return turn{wait: g.probe, resumed: g.resumed}
		}
		g.inFlight++
		g.probeLater()
		return turn{probe: true}
	case g.inFlight < g.size:
		g.inFlight++
		return turn{}
	}
	slot := make(chan struct{})
	if returning {
		g.returning = append(g.returning, slot)
	} else {
		g.fresh = append(g.fresh, slot)
	}
	return turn{slot: slot}
}

func (g *gate) awaitProbe(ctx context.Context, t turn) error {
	timer := time.NewTimer(t.wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.resumed:
	case <-g.closed:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// awaitSlot waits until slot is closed, which hands one call over.
func (g *gate) awaitSlot(ctx context.Context, slot chan struct{}) error {
	var err error
	select {
	case <-slot:
		return nil
	case <-g.closed:
		err = errClosed
	case <-ctx.Done():
		err = ctx.Err()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-slot: // it was handed over in the same moment
		g.give()
	default:
		isSlot := func(c chan struct{}) bool { return c == slot }
		g.returning = slices.DeleteFunc(g.returning, isSlot)
		g.fresh = slices.DeleteFunc(g.fresh, isSlot)
	}
	return err
}

// leave ends a call that succeeded or failed as a whole. It returns how many calls in a row have failed now.
func (g *gate) leave(success bool) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if success {
		g.failures = 0
		if g.outage {
			g.outage = false
			close(g.resumed)
			g.resumed = make(chan struct{})
		}
	} else {
		g.failures++
		if g.failures >= outageAfter {
			g.outage = true
		}
	}
	g.give()
	if g.outage {
		g.probeLater()
	}
	return g.failures
}

// probeLater sets the time of the next probe. The fewer calls are left, the longer it takes. Callers hold mu.
func (g *gate) probeLater() {
	left := max(g.size-g.inFlight, 1)
	g.probeAt = time.Now().Add(jitter(g.probe * time.Duration(g.size) / time.Duration(left)))
}

func (g *gate) inOutage() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.outage
}

// over reports whether no more calls are made.
func (g *gate) over() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.isClosed
}

// pass ends a call that was not made. If it was a probe, another one may be made at once.
func (g *gate) pass() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.probeAt = time.Time{}
	g.give()
}

// give hands the caller's call to the next in line. Callers hold mu.
func (g *gate) give() {
	var next chan struct{}
	switch {
	case g.isClosed:
	case len(g.returning) > 0 && (g.turn >= freshTurns || len(g.fresh) == 0):
		next, g.returning, g.turn = g.returning[0], g.returning[1:], 0
	case len(g.fresh) > 0:
		next, g.fresh, g.turn = g.fresh[0], g.fresh[1:], g.turn+1
	}
	if next != nil {
		close(next)
		return
	}
	g.inFlight--
	if g.isClosed && g.inFlight == 0 {
		close(g.idle)
	}
}

// close lets nobody pass any more. The channel idle is closed when the calls in flight have ended.
func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.isClosed {
		return
	}
	g.isClosed = true
	close(g.closed)
	if g.inFlight == 0 {
		close(g.idle)
	}
}

// jitter spreads d by a quarter in both directions, so that a fleet does not move in step.
func jitter(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.75 + rand.Float64()/2))
}
