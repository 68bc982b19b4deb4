// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// shardModel is a shard of Kinesis: two buckets that hold one second's worth, of which others take a part.
type shardModel struct {
	capacity func(at time.Duration) float64 // share that is left for us
	window   bool                           // the budget is renewed at each full second instead of all the time

	at             time.Duration
	records, bytes float64
}

func (m *shardModel) accepts(at time.Duration, size int) bool {
	if m.window {
		if at.Truncate(time.Second) != m.at.Truncate(time.Second) {
			m.records, m.bytes = m.capacity(at)*shardRecordsPerSecond, m.capacity(at)*shardBytesPerSecond
		}
	} else {
		share := m.capacity(at) * (at - m.at).Seconds()
		m.records = min(shardRecordsPerSecond, m.records+share*shardRecordsPerSecond)
		m.bytes = min(shardBytesPerSecond, m.bytes+share*shardBytesPerSecond)
	}
	m.at = at
	if m.records < 1 || m.bytes < float64(size) {
		return false
	}
	m.records--
	m.bytes -= float64(size)
	return true
}

// pacingRun offers records without end to one shard in simulated time, as the dispatcher does.
type pacingRun struct {
	model   shardModel
	size    func() int
	latency func() time.Duration
	dead    func(at time.Duration) bool // whether all calls fail; may be nil

	// By tenth of a second.
	taken, puts []float64 // records that were taken, records that were sent
	share       []float64 // of the shard's capacity that was taken
}

// pacedCall is a request with records for the shard.
type pacedCall struct {
	arrives, answered time.Duration
	decided           bool
	sent              []int // sizes
	taken, refused    []int // of these
}

func (r *pacingRun) run(duration time.Duration) {
	const tick = 5 * time.Millisecond
	epoch := time.Unix(1_000_000, 0)
	s := &shard{id: "shardId-000000000000"}
	s.waiting.push(&waiting{}) // others always wait
	s.refuse(epoch)
	tenths := int(duration/tenth) + 1
	r.taken, r.puts, r.share = make([]float64, tenths), make([]float64, tenths), make([]float64, tenths)
	var calls []*pacedCall
	var collectAt time.Duration
	next := r.size()
	for at := time.Duration(0); at < duration; at += tick {
		now := epoch.Add(at)
		dead := r.dead != nil && r.dead(at)
		calls = slices.DeleteFunc(calls, func(c *pacedCall) bool {
			if !c.decided && c.arrives <= at {
				c.decided = true
				if !dead {
					r.decide(c, at)
				}
			}
			if c.answered > at {
				return false
			}
			for range c.refused {
				s.refuse(now)
			}
			for _, size := range c.taken {
				s.took(size, now)
			}
			return true
		})
		if at < collectAt {
			continue
		}
		c := &pacedCall{}
		for len(c.sent) < 500 && s.room(next, now) {
			s.offer(next)
			c.sent = append(c.sent, next)
			next = r.size()
		}
		switch {
		case dead:
			collectAt = at + time.Second // the gate lets one call pass
		case len(c.sent) < 500:
			collectAt = at + linger
		}
		if len(c.sent) > 0 {
			r.puts[at/tenth] += float64(len(c.sent))
			latency := r.latency()
			c.arrives, c.answered = at+latency/2, at+latency
			calls = append(calls, c)
		}
	}
}

// decide lets the shard take what it can of a call.
func (r *pacingRun) decide(c *pacedCall, at time.Duration) {
	for _, size := range c.sent {
		if !r.model.accepts(at, size) {
			c.refused = append(c.refused, size)
			continue
		}
		c.taken = append(c.taken, size)
		r.taken[at/tenth]++
		r.share[at/tenth] += cost(size)
	}
}

const tenth = 100 * time.Millisecond

// between sums up tenths of seconds.
func between(values []float64, from, to time.Duration) (sum float64) {
	for _, v := range values[from/tenth : to/tenth] {
		sum += v
	}
	return sum
}

// newPacingRun makes a run with records of about a size and answers after about a latency.
func newPacingRun(capacity func(time.Duration) float64, window bool, size int, latency time.Duration) *pacingRun {
	rnd := rand.New(rand.NewPCG(1, 2))
	return &pacingRun{
		model:   shardModel{capacity: capacity, window: window, at: -time.Second},
		size:    func() int { return size/2 + rnd.IntN(size) },
		latency: func() time.Duration { return latency * time.Duration(75+rnd.IntN(50)) / 100 },
	}
}

// A steady capacity is used, whoever else takes a part of the shard, however large the records are.
func TestPaceUsesWhatThereIs(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		share   float64
		size    int
		latency time.Duration
		window  bool    // the budget comes once a second
		puts    float64 // at most so many for each record
	}{
		{share: 1, size: 100, latency: 10 * ms, puts: 1.06},
		{share: 1, size: 100, latency: 60 * ms, puts: 1.06},
		{share: 1, size: 100, latency: 300 * ms, puts: 1.08},
		{share: 1, size: 100, latency: 1500 * ms, puts: 1.15},
		{share: 1, size: 100, latency: 60 * ms, window: true, puts: 1.06},
		{share: 1, size: 100, latency: 300 * ms, window: true, puts: 1.1},
		{share: 1, size: 5000, latency: 60 * ms, puts: 1.06},
		{share: 1, size: 5000, latency: 300 * ms, window: true, puts: 1.1},
		{share: 1, size: 50_000, latency: 60 * ms, puts: 1.08}, // 21 records a second
		{share: 1, size: 50_000, latency: 300 * ms, window: true, puts: 1.12},
		{share: 1, size: 200_000, latency: 60 * ms, puts: 1.2}, // 5 records a second
		{share: 0.5, size: 100, latency: 60 * ms, puts: 1.06},
		{share: 0.5, size: 5000, latency: 60 * ms, window: true, puts: 1.15},
		{share: 0.5, size: 50_000, latency: 60 * ms, puts: 1.2},
		{share: 0.1, size: 100, latency: 60 * ms, puts: 1.08},
		{share: 0.1, size: 5000, latency: 60 * ms, puts: 1.12},
		{share: 0.1, size: 50_000, latency: 60 * ms, puts: 1.7}, // 2 records a second
		{share: 0.02, size: 100, latency: 60 * ms, puts: 1.12},
		{share: 0.005, size: 100, latency: 60 * ms, puts: 1.5}, // 5 records a second
	} {
		t.Run(fmt.Sprintf("%v of a shard, %d bytes, %s, window %v", tt.share, tt.size, tt.latency, tt.window), func(t *testing.T) {
			r := newPacingRun(func(time.Duration) float64 { return tt.share }, tt.window, tt.size, tt.latency)
			r.run(60 * time.Second)
			used := between(r.share, 10*time.Second, 60*time.Second) / (50 * tt.share)
			puts := between(r.puts, 10*time.Second, 60*time.Second) / between(r.taken, 10*time.Second, 60*time.Second)
			early := between(r.share, 0, 10*time.Second) / (10 * tt.share)
			t.Logf("used %.1f %%, %.3f puts a record, used %.1f %% at first", 100*used, puts, 100*early)
			assert.Greater(t, used, 0.95)
			assert.Greater(t, early, 0.93, "in the first ten seconds")
			assert.Less(t, puts, tt.puts)
		})
	}
}

// Another producer takes its part of the shard and leaves it again.
func TestPaceFollowsTheCapacity(t *testing.T) {
	shares := []float64{1, 0.3, 0.8, 0.1, 1, 0.02, 0.5}
	const phase = 15 * time.Second
	capacity := func(at time.Duration) float64 { return shares[min(int(at/phase), len(shares)-1)] }
	for _, tt := range []struct {
		size    int
		latency time.Duration
		window  bool
		used    float64       // at least so much of the capacity
		reached time.Duration // full use at the latest
	}{
		{size: 300, latency: 10 * time.Millisecond, used: 0.97, reached: 2 * time.Second},
		{size: 300, latency: 60 * time.Millisecond, used: 0.97, reached: 2100 * time.Millisecond},
		{size: 300, latency: 300 * time.Millisecond, used: 0.95, reached: 3 * time.Second},
		{size: 3000, latency: 60 * time.Millisecond, used: 0.97, reached: 2 * time.Second},
		// A bucket lends what it saved while the pace still rises; a budget that comes once a second does not.
		{size: 300, latency: 60 * time.Millisecond, window: true, used: 0.9, reached: 2500 * time.Millisecond},
	} {
		t.Run(fmt.Sprintf("%d bytes, %s, window %v", tt.size, tt.latency, tt.window), func(t *testing.T) {
			r := newPacingRun(capacity, tt.window, tt.size, tt.latency)
			r.run(time.Duration(len(shares)) * phase)
			var used, offered, puts, records float64
			for i, share := range shares {
				begin, end := time.Duration(i)*phase, time.Duration(i+1)*phase
				// What the bucket holds from the phase before is no part of this one's capacity.
				used += min(between(r.share, begin, end), share*phase.Seconds())
				offered += share * phase.Seconds()
				steady := begin + phase/3
				puts += between(r.puts, steady, end)
				records += between(r.taken, steady, end)
				reached := begin
				for between(r.share, reached, reached+time.Second) < 0.95*share {
					reached += tenth
				}
				t.Logf("%v of the shard: reached after %s", share, reached-begin)
				assert.LessOrEqual(t, reached-begin, tt.reached)
			}
			t.Logf("used %.1f %%, %.3f puts a record in steady state", 100*used/offered, puts/records)
			assert.Greater(t, used/offered, tt.used)
			assert.Less(t, puts/records, 1.1)
		})
	}
}

// Nothing is learnt from an outage: neither that the shard takes nothing, nor that it takes all.
func TestPaceOutlivesAnOutage(t *testing.T) {
	r := newPacingRun(func(time.Duration) float64 { return 1 }, false, 300, 60*time.Millisecond)
	r.dead = func(at time.Duration) bool { return at >= 10*time.Second && at < 70*time.Second }
	r.run(90 * time.Second)
	after := between(r.share, 71*time.Second, 81*time.Second) / 10
	puts := between(r.puts, 70*time.Second, 80*time.Second) / between(r.taken, 70*time.Second, 80*time.Second)
	t.Logf("used %.1f %%, %.3f puts a record", 100*after, puts)
	assert.Greater(t, after, 0.95)
	assert.Less(t, puts, 1.15)
}

// One refusal of a shard that has taken little, because there was little, does not stop what comes next.
func TestPaceFallsStepByStep(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	s := &shard{}
	s.refuse(now)
	for range 40 {
		now = now.Add(100 * time.Millisecond)
		s.took(1000, now)
	}
	require.Equal(t, 1.0, s.rate)
	s.refuse(now)
	s.advance(now.Add(paceStep))
	assert.Equal(t, paceFall, s.rate)
	s.advance(now.Add(time.Minute))
	assert.Equal(t, paceFall, s.rate, "nobody asked")
}

// What a shard takes says nothing about what it could take when no more is offered.
func TestPaceRisesOnlyWhileRecordsWait(t *testing.T) {
	for _, wait := range []bool{false, true} {
		now := time.Unix(1_000_000, 0)
		s := &shard{}
		s.refuse(now)
		s.rate = 0.2
		if wait {
			s.waiting.push(&waiting{})
		}
		for range 200 {
			now = now.Add(10 * time.Millisecond)
			s.took(2000, now)
		}
		assert.Equal(t, wait, s.rate > 0.2, s.rate)
	}
}

// A record that costs more than is kept goes nevertheless, and is paid for.
func TestPaceOfLargeRecords(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	s := &shard{}
	s.refuse(now)
	const size = 5 << 20 // five seconds of a shard
	for range 3 {
		at := s.roomAt(size, now)
		assert.False(t, s.room(size, at.Add(-time.Millisecond)))
		now = at.Add(time.Microsecond)
		require.True(t, s.room(size, now))
		s.offer(size)
	}
	assert.InDelta(t, 10.25, now.Sub(time.Unix(1_000_000, 0)).Seconds(), 0.01)
}
