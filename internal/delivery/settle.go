// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"time"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/accounting"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/putrecords"
)

const (
	codeThrottled = "ProvisionedThroughputExceededException"
	// partAfter is the number of calls that fail with a record while others work after which the record parts from half
	// of its neighbours: the failure may be for one of them, such as a text that a proxy does not let pass.
	partAfter = 2
)

// put makes the call for which the caller has entered the gate, settles what it settles, and leaves the gate.
func (d *Deliverer) put(ctx context.Context, s *shipment) {
	err := d.call(ctx, s)
	s.release()
	d.leave(err)
}

// call makes one call, or several smaller ones where something in the request is refused.
// It returns the error of a call that Kinesis did not answer as it should.
func (d *Deliverer) call(ctx context.Context, s *shipment) error {
	start := time.Now()
	// A call is not broken off when the sender gives up: whether its records were taken would be unknown.
	answer, err := d.client.Put(context.WithoutCancel(ctx), s.req)
	d.ledger.Request(resultOf(answer, err), time.Since(start), s.req.Len(), s.req.Size())

	var problem *putrecords.Error
	switch {
	case err == nil && answer.Failed == 0:
		d.delivered(s)
		return nil
	case err == nil:
		return d.answered(s, answer)
	case !errors.As(err, &problem) || problem.Class == putrecords.RetryLater:
		d.unanswered(s, err)
		return err
	case s.req.Len() == 1:
		d.drop(s.refs[0], problem.Code, err)
		return nil
	default:
		return d.callHalves(ctx, s, problem.Code)
	}
}

// callHalves sends the records of a refused request in two. When that fails, or no more calls may be made, what was not
// sent goes back.
func (d *Deliverer) callHalves(ctx context.Context, s *shipment, code string) (err error) {
	for _, half := range d.halve(s) {
		if err == nil && !d.gate.over() {
			err = d.call(ctx, half)
		} else {
			d.putBack(half, code)
		}
		half.release()
	}
	return err
}

func resultOf(answer putrecords.Answer, err error) string {
	var problem *putrecords.Error
	switch {
	case errors.As(err, &problem):
		return problem.Code
	case err != nil:
		return putrecords.CodeClient
	case answer.Failed > 0:
		return "partial"
	default:
		return "ok"
	}
}

// delivered settles a request of which every record was taken.
func (d *Deliverer) delivered(s *shipment) {
	taken, bytes, paced := s.req.Len(), s.req.Size(), false
	fresh := s.fresh()
	if fresh > 0 {
		s.refs[0].batch.settledFresh(fresh)
	}
	for i, r := range s.refs {
		if i >= fresh && !d.settle(r, true) {
			taken--
			bytes -= s.req.EntrySize(i)
		}
		paced = paced || r.paced
		d.show(s, i)
	}
	if paced {
		d.backlog.learnTaken(s, time.Now())
	}
	d.ledger.Delivered(taken, bytes)
	s.finish(func(int) bool { return true })
}

// answered settles the records that were taken and sends the others back.
// It returns an error when none was taken for another reason than a full shard.
func (d *Deliverer) answered(s *shipment, answer putrecords.Answer) error {
	now := time.Now()
	var taken, bytes, throttled int
	again := make([]*waiting, 0, answer.Failed)
	slab := make(slab, answer.Failed)
	reasons := map[string]int{}
	sightings := make([]sighting, 0, len(answer.Results))
	var last putrecords.Result
	for i, result := range answer.Results {
		r := s.refs[i]
		full := result.ErrorCode == codeThrottled
		if full || result.ErrorCode == "" && result.ShardID != "" {
			sightings = append(sightings, sighting{
				key: s.req.Key(i), hash: s.hash(i), size: s.req.EntrySize(i), shard: result.ShardID, refused: full,
			})
		}
		if result.ErrorCode == "" {
			if d.settle(r, true) {
				taken++
				bytes += s.req.EntrySize(i)
			}
			d.show(s, i)
			continue
		}
		if refusesRecord(result.ErrorCode) {
			d.drop(r, result.ErrorCode, entryError(result))
			continue
		}
		last = result
		if full {
			throttled++
		}
		w := d.again(s, i, &slab, result.ErrorCode, entryError(result), now)
		if w == nil {
			continue
		}
		again = append(again, w)
		reasons[result.ErrorCode]++
		if w.refused = full && result.ShardID != ""; w.refused {
			w.due = now.Add(linger) // unless its shard knows better
		} else {
			w.attempts++
			w.due = now.Add(d.entryDelay(w.attempts))
		}
	}
	d.ledger.Delivered(taken, bytes)
	for reason, n := range reasons {
		d.ledger.Retried(n, reason)
	}
	for shard, n := range d.backlog.learn(sightings, now) {
		d.ledger.Throttled(n, shard)
	}
	d.backlog.comeBack(again)
	s.finish(func(i int) bool { return answer.Results[i].ErrorCode == "" })
	if len(answer.Results) == answer.Failed && throttled == 0 && last.ErrorCode != "" {
		return entryError(last)
	}
	return nil
}

// refusesRecord tells the codes of an entry that say that the record itself is at fault, and would be again. Kinesis
// refuses a whole request for such a record; other implementations answer for the entry.
func refusesRecord(code string) bool {
	return code == "InvalidArgumentException" || code == "ValidationException"
}

// entryError is the answer for a record that was not taken, as an error. Its text is only made where it is read.
type entryError putrecords.Result

func (e entryError) Error() string {
	if e.ErrorMessage == "" {
		return "kinesis failed the record: " + e.ErrorCode
	}
	return "kinesis failed the record: " + e.ErrorCode + ": " + e.ErrorMessage
}

// unanswered sends back all records of a request that failed as a whole.
func (d *Deliverer) unanswered(s *shipment, err error) {
	now := time.Now()
	var problem *putrecords.Error
	maybeTaken := false
	if errors.As(err, &problem) {
		maybeTaken = problem.MaybeTaken
		if problem.Credentials && d.cfg.RefusedCredentials != nil {
			d.cfg.RefusedCredentials(err)
		}
	}
	code := resultOf(putrecords.Answer{}, err)
	outage := d.gate.inOutage()
	again := make([]*waiting, 0, len(s.refs))
	slab := make(slab, len(s.refs))
	var delay time.Duration // the same for all, so that they fill one request again
	for i := range s.refs {
		w := d.again(s, i, &slab, code, err, now)
		if w == nil {
			continue
		}
		w.attempts++
		switch {
		case delay > 0:
		case outage:
			delay = linger // the gate sets the pace
		default:
			delay = d.backoff(w.attempts)
		}
		w.due, w.refused = now.Add(delay), false
		if !outage && w.attempts >= partAfter && i > (len(s.refs)-1)/2 {
			w.due = w.due.Add(delay)
		}
		again = append(again, w)
	}
	d.ledger.Retried(len(again), code)
	if maybeTaken {
		d.ledger.PossibleDuplicates(len(again))
	}
	d.backlog.comeBack(again)
}

// putBack sends back all records of a shipment that was not sent, because of a refusal that may not have been for them.
func (d *Deliverer) putBack(s *shipment, code string) {
	due := time.Now().Add(linger)
	again := make([]*waiting, len(s.refs))
	slab := make(slab, len(s.refs))
	for i := range s.refs {
		again[i] = s.wait(i, &slab)
		again[i].due, again[i].refused = due, false
	}
	d.ledger.Retried(len(again), code)
	d.backlog.comeBack(again)
}

// again turns the i-th record of a request into one that waits, or drops it when it may not be sent again.
func (d *Deliverer) again(s *shipment, i int, slab *slab, code string, err error, now time.Time) *waiting {
	if !d.cfg.Retry.Enabled {
		d.drop(s.refs[i], code, err)
		return nil
	}
	w := s.wait(i, slab)
	if w.failed.IsZero() {
		w.failed = now
	}
	if limit := d.cfg.Retry.MaxElapsedTime; limit > 0 && now.Sub(w.failed) >= limit {
		d.drop(s.refs[i], accounting.ReasonExhausted, err)
		return nil
	}
	return w
}

// entryDelay returns how long a record waits that failed alone for the n-th time. The first failure says nothing about
// the next attempt, so it goes with the next request.
func (d *Deliverer) entryDelay(n int) time.Duration {
	if n == 1 {
		return linger
	}
	return d.backoff(n - 1)
}

// backoff returns how long to wait after n failures.
func (d *Deliverer) backoff(n int) time.Duration {
	c := d.cfg.Retry
	interval := min(float64(c.InitialInterval)*math.Pow(max(c.Multiplier, 1), float64(n-1)), float64(c.MaxInterval))
	return max(linger, time.Duration(interval*(1+c.RandomizationFactor*(2*rand.Float64()-1))))
}

// settle gives a record its outcome. It reports false when the batch was given up while the record was on its way: it is
// in the books already, and whoever has it will send it again. Either way finish of the batch has to follow, when the
// outcome is in the books.
func (d *Deliverer) settle(r ref, delivered bool) bool {
	if r.waited != nil {
		d.backlog.settled(r.waited)
	}
	if r.batch.settled(r.ordinal, delivered) {
		return true
	}
	if delivered {
		d.ledger.PossibleDuplicates(1)
	}
	return false
}

func (d *Deliverer) drop(r ref, reason string, err error) {
	if d.settle(r, false) {
		d.ledger.Dropped(1, reason, err)
	}
	r.batch.finish(1)
}

func (d *Deliverer) show(s *shipment, i int) {
	if d.cfg.Delivered != nil {
		d.cfg.Delivered(s.req.Key(i), s.req.Data(i))
	}
}
