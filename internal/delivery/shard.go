// SPDX-License-Identifier: Apache-2.0

package delivery

import "time"

// Limits of a shard, with which the cost of a record is weighed.
// Source: https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html
const (
	shardRecordsPerSecond = 1000
	shardBytesPerSecond   = 1 << 20
)

const (
	paceStep     = 250 * time.Millisecond // how often the pace of a full shard is adjusted
	paceSteps    = 4                      // how many steps are looked back
	paceHeadroom = 1.05                   // how much more than it takes a full shard is offered
	paceFall     = 0.7                    // the most that one step slows down by
	paceFloor    = 0.005                  // shares of a shard that are always offered: 5 records a second
	paceBurst    = 250 * time.Millisecond // how much unused allowance is kept
	paceAhead    = 4                      // how many times what it takes a shard is offered at most while the pace rises
	paceBeyond   = 1.08                   // what a step speeds up by beyond the limits of a shard
	fullFor      = 5 * time.Second        // how long after the last refusal a shard counts as full
)

// paceRises are the factors by which the steps speed up when a shard refuses nothing any more, one after the other. The
// last one goes on. From a tenth of a shard to the whole of it are six steps.
var paceRises = [...]float64{1.1, 1.25, 1.5, 2}

// cost is the share of one shard's capacity of one second that a record takes.
func cost(size int) float64 {
	return max(1.0/shardRecordsPerSecond, float64(size)/shardBytesPerSecond)
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

	stepAt time.Time          // when the current step began
	steps  int                // steps that have ended, at most paceSteps
	taken  [paceSteps]float64 // shares that it took in the last steps, the current one first
	rises  int                // steps that sped up since it last refused a record

	waiting queue // records that wait for room, first come first served
	hot     hotKeys
	logged  time.Time // when it was last logged as full
	told    bool      // it was logged as full since it is
}

// room reports whether the shard's allowance covers a record.
func (s *shard) room(size int, now time.Time) bool {
	s.advance(now)
	return s.tokens >= s.needs(size)
}

// roomAt returns about when room will be true.
func (s *shard) roomAt(size int, now time.Time) time.Time {
	s.advance(now)
	missing := max(0, s.needs(size)-s.tokens)
	return now.Add(time.Duration(missing / s.rate * float64(time.Second)))
}

// needs returns the allowance with which a record may go. One that costs more than a burst holds goes when the burst is
// whole, and is paid for afterwards.
func (s *shard) needs(size int) float64 { return min(cost(size), s.burst()) }

func (s *shard) burst() float64 { return s.rate * paceBurst.Seconds() }

// offer takes the cost of a record that is sent off the allowance.
func (s *shard) offer(size int) { s.tokens -= cost(size) }

// took learns that the shard took a record.
func (s *shard) took(size int, now time.Time) {
	s.advance(now)
	s.taken[0] += cost(size)
}

// refuse learns that the shard refused a record.
func (s *shard) refuse(now time.Time) {
	if !s.full {
		s.full, s.told = true, false
		s.rate, s.tokens, s.filled = 1, 0, now
		s.stepAt, s.steps, s.taken = now, 0, [paceSteps]float64{}
		s.hot = hotKeys{}
	}
	s.advance(now)
	s.refused, s.rises = now, 0
}

// advance fills the allowance and adjusts the pace.
func (s *shard) advance(now time.Time) {
	for now.Sub(s.stepAt) >= paceStep {
		s.stepAt = s.stepAt.Add(paceStep)
		s.fill(s.stepAt)
		s.adjust()
		copy(s.taken[1:], s.taken[:])
		s.taken[0] = 0
		if now.Sub(s.stepAt) > paceSteps*paceStep {
			// Nobody asked for long: nothing is to be learnt from that.
			s.stepAt, s.taken = now, [paceSteps]float64{}
		}
	}
	s.fill(now)
}

// adjust sets the pace at the end of a step.
//
// A shard that refuses records is full, so what it took is what it can take: the pace follows that, with a little
// headroom that notices more room. One that has not refused any for as long as the pace looks back, while records wait
// and some are taken, can take more: the pace feels its way up, and never far ahead of what is taken. When nothing is
// answered, as in an outage, nothing is learnt.
func (s *shard) adjust() {
	s.steps = min(s.steps+1, paceSteps)
	if s.steps < paceSteps {
		return // too early to tell how much it takes
	}
	var taken float64
	for _, t := range s.taken {
		taken += t
	}
	taken /= paceSteps * paceStep.Seconds()
	quiet := s.stepAt.Sub(s.refused)
	switch {
	case quiet <= paceStep:
		s.rate = max(paceFloor, taken*paceHeadroom, s.rate*paceFall)
	case quiet < paceSteps*paceStep || s.waiting.len() == 0:
		return
	case s.rate < 1:
		rise := paceRises[min(s.rises, len(paceRises)-1)]
		s.rate = max(s.rate, min(s.rate*rise, taken*paceAhead, 1))
		s.rises++
	default:
		// The limit on records and the one on bytes, each reached by other records, leave room beyond one cost.
		s.rate = max(s.rate, min(s.rate*paceBeyond, taken*paceAhead))
	}
}

func (s *shard) fill(to time.Time) {
	if elapsed := to.Sub(s.filled); elapsed > 0 {
		s.tokens = max(s.tokens, min(s.tokens+s.rate*elapsed.Seconds(), s.burst()))
		s.filled = to
	}
}

// relaxed reports whether the shard no longer has to be paced.
func (s *shard) relaxed(now time.Time) bool {
	return s.waiting.len() == 0 && now.Sub(s.refused) >= fullFor
}
