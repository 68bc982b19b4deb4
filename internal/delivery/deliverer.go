// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"errors"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"go.opentelemetry.io/collector/config/configretry"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/accounting"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/putrecords"
)

const (
	codeThrottled = "ProvisionedThroughputExceededException"
	// shortestProbe bounds how often an outage is probed, however short the retry interval is.
	shortestProbe = 100 * time.Millisecond
	// failingAfter is the number of calls that fail in a row before the delivery counts as failing. One is no news.
	failingAfter = 2
)

// Client makes PutRecords calls; it is a putrecords.Client.
type Client interface {
	NewRequest() *putrecords.Request
	Put(context.Context, *putrecords.Request) (putrecords.Answer, error)
}

// Config says how to deliver.
type Config struct {
	Stream      string                    // for logs
	Concurrency int                       // calls in flight
	Retry       configretry.BackOffConfig // what to do with a record that failed
	Ordered     bool                      // records of one key go one after the other
	Ready       <-chan struct{}           // closed when calls may be made

	// Report is called with the reason when calls begin to fail, and with nil when they work again.
	Report func(error)
	// RefusedCredentials is called when AWS refuses the credentials of a call.
	RefusedCredentials func(error)
	// Delivered is called for each record that Kinesis took. It may be nil.
	Delivered func(key string, data []byte)
}

// Record is one record of a batch.
type Record struct {
	Ordinal int    // place in the batch
	Data    []byte // at most 10 MiB with the key; valid until the next record is asked for
	Key     string // partition key, 1 to 256 characters; valid as long as Data
}

// Result says what became of a batch.
type Result struct {
	Delivered, Dropped int
	// Left are the ordinals of the records that are not settled and never will be, in ascending order: Deliver was
	// stopped before.
	Left []int
}

// Deliverer delivers batches. It is safe for concurrent use.
type Deliverer struct {
	cfg     Config
	client  Client
	ledger  *accounting.Ledger
	logger  *zap.Logger
	gate    *gate
	backlog *backlog
	senders sync.WaitGroup // the dispatcher and its calls
	window  *time.Timer    // closes the gate after Stop

	mu      sync.Mutex
	failing bool
	since   time.Time
}

// New returns a deliverer, to be ended with Stop and Close.
func New(cfg Config, client Client, ledger *accounting.Ledger, logger *zap.Logger) *Deliverer {
	d := &Deliverer{
		cfg:     cfg,
		client:  client,
		ledger:  ledger,
		logger:  logger,
		gate:    newGate(cfg.Concurrency, max(cfg.Retry.InitialInterval, shortestProbe), cfg.Ready),
		backlog: newBacklog(cfg.Ordered, cfg.Stream, logger),
	}
	d.senders.Go(d.dispatch)
	return d
}

// Deliver sends a batch of n records and returns when all are settled, when ctx is done, or when the deliverer has been
// stopped and no call is in flight any more. Ordinals that records leaves out are the caller's to account for.
func (d *Deliverer) Deliver(ctx context.Context, n int, records iter.Seq[Record]) Result {
	b := newBatch()
	var unseen int // ordinal from which on records were not asked for
	if d.cfg.Ordered {
		unseen = d.lineUp(b, n, records)
	} else {
		unseen = d.send(ctx, b, n, records)
	}
	b.sealed()

	select {
	case <-b.done:
	case <-d.gate.idle:
	case <-ctx.Done():
	}
	left := b.abandon()
	for ordinal := unseen; ordinal < n; ordinal++ {
		left = append(left, ordinal)
	}
	slices.Sort(left)
	return Result{Delivered: b.delivered, Dropped: b.dropped, Left: left}
}

// Stop lets calls begin for the time of window, and then none. Those in flight end by their own timeout.
func (d *Deliverer) Stop(window time.Duration) {
	if window <= 0 {
		d.gate.close()
		return
	}
	d.window = time.AfterFunc(window, d.gate.close)
}

// Close waits until nothing of the deliverer runs any more.
func (d *Deliverer) Close() {
	if d.window != nil {
		d.window.Stop()
	}
	d.gate.close()
	<-d.gate.idle
	d.senders.Wait()
}

// Status returns how many records wait, and the shards that are full.
func (d *Deliverer) Status() (waiting int, full []FullShard) {
	return d.backlog.status()
}

// send puts the records into requests of their own and sends these, one after the other. Those whose shard is full go
// into the backlog. It returns the ordinal from which on records were not asked for because no call may be made.
func (d *Deliverer) send(ctx context.Context, b *batch, n int, records iter.Seq[Record]) (unseen int) {
	unseen = n
	var s *shipment
	held := holder{client: d.client, batch: b}
	for r := range records {
		var paced bool
		if d.backlog.pacing.Load() {
			var hold bool
			if hold, paced = d.backlog.holds(r.Key, len(r.Data)+len(r.Key), time.Now()); hold {
				held.add(r)
				continue
			}
		}
		if s != nil && !s.req.Append(r.Data, r.Key) {
			d.put(ctx, s)
			s = nil
		}
		if s == nil {
			if err := d.gate.enter(ctx, false); err != nil {
				unseen = r.Ordinal
				break
			}
			s = d.newShipment()
			s.req.Append(r.Data, r.Key)
		}
		b.add(1)
		s.refs = append(s.refs, ref{batch: b, ordinal: r.Ordinal, paced: paced})
	}
	if waits := held.end(); len(waits) > 0 {
		d.backlog.lineUp(waits)
	}
	if s != nil {
		d.put(ctx, s)
	}
	return unseen
}

// lineUp puts all records into the backlog, which knows their order.
func (d *Deliverer) lineUp(b *batch, n int, records iter.Seq[Record]) (unseen int) {
	held := holder{client: d.client, batch: b}
	for r := range records {
		held.add(r)
	}
	d.backlog.lineUp(held.end())
	return n
}

// dispatch sends what waits in the backlog when its time has come.
func (d *Deliverer) dispatch() {
	ctx := context.Background()
	for {
		var alarm <-chan time.Time
		now := time.Now()
		at, some := d.backlog.nextAt(now)
		if some && at.After(now) {
			alarm = time.After(at.Sub(now))
		}
		if !some || alarm != nil {
			select {
			case <-alarm:
			case <-d.backlog.wake:
				continue
			case <-d.gate.closed:
				return
			}
		}
		if err := d.gate.enter(ctx, true); err != nil {
			return
		}
		s := d.newShipment()
		for _, w := range d.backlog.collect(s.req, time.Now()) {
			s.refs = append(s.refs, ref{batch: w.batch, ordinal: w.ordinal, paced: w.paced, waited: w})
		}
		if len(s.refs) == 0 {
			d.gate.pass()
			s.release()
			continue
		}
		d.senders.Go(func() { d.put(ctx, s) })
	}
}

// put makes the call for which the caller has entered the gate, settles what it settles, and leaves the gate.
func (d *Deliverer) put(ctx context.Context, s *shipment) {
	failed := d.call(ctx, s)
	s.release()
	d.report(d.gate.leave(failed == nil), failed)
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
	case errors.As(err, &problem) && problem.Class != putrecords.RetryLater && s.req.Len() == 1:
		d.drop(s.refs[0], problem.Code, err)
		return nil
	case problem != nil && problem.Class != putrecords.RetryLater:
		first, second := d.halve(s)
		err := errors.Join(d.call(ctx, first), d.call(ctx, second))
		first.release()
		second.release()
		return err
	default:
		d.unanswered(s, err)
		return err
	}
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
	d.ledger.Delivered(s.req.Len(), s.req.Size())
	d.show(s)
	for i := 0; i < len(s.refs); {
		r := s.refs[i]
		if r.waited != nil {
			d.settle(r, true)
			i++
			continue
		}
		n := 1
		for i+n < len(s.refs) && s.refs[i+n].waited == nil && s.refs[i+n].batch == r.batch {
			n++
		}
		r.batch.allDelivered(n)
		i += n
	}
}

// answered settles the records that were taken and sends the others back.
// It returns an error when none was taken for another reason than a full shard.
func (d *Deliverer) answered(s *shipment, answer putrecords.Answer) error {
	now := time.Now()
	var taken, takenBytes, throttled int
	var again []*waiting
	reasons := map[string]int{}
	sightings := make([]sighting, 0, len(answer.Results))
	var last putrecords.Result
	for i, result := range answer.Results {
		r := s.refs[i]
		size := s.req.EntrySize(i)
		full := result.ErrorCode == codeThrottled
		if full || result.ErrorCode == "" && result.ShardID != "" {
			sightings = append(sightings, sighting{
				key: s.req.Key(i), size: size, shard: result.ShardID, refused: full, paced: r.paced,
			})
		}
		if result.ErrorCode == "" {
			taken++
			takenBytes += size
			if d.cfg.Delivered != nil {
				d.cfg.Delivered(s.req.Key(i), s.req.Data(i))
			}
			d.settle(r, true)
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
		if w := d.again(s, i, result.ErrorCode, entryError(result), now); w != nil {
			again = append(again, w)
			reasons[result.ErrorCode]++
			w.due = now.Add(d.entryDelay(w, full && result.ShardID != ""))
		}
	}
	d.ledger.Delivered(taken, takenBytes)
	for reason, n := range reasons {
		d.ledger.Retried(n, reason)
	}
	for shard, n := range d.backlog.learn(sightings, now) {
		d.ledger.Throttled(n, shard)
	}
	d.backlog.comeBack(again)
	if taken == 0 && throttled == 0 && last.ErrorCode != "" {
		return entryError(last)
	}
	return nil
}

// refusesRecord tells the codes of an entry that say that the record itself is at fault, and would be again. Kinesis
// refuses a whole request for such a record; other implementations answer for the entry.
func refusesRecord(code string) bool {
	return code == "InvalidArgumentException" || code == "ValidationException"
}

func entryError(r putrecords.Result) error {
	if r.ErrorMessage == "" {
		return errors.New("kinesis failed the record: " + r.ErrorCode)
	}
	return errors.New("kinesis failed the record: " + r.ErrorCode + ": " + r.ErrorMessage)
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
	// They come back together, to fill one request again.
	var due time.Time
	var again []*waiting
	for i := range s.refs {
		w := d.again(s, i, code, err, now)
		if w == nil {
			continue
		}
		if due.IsZero() {
			due = now.Add(d.callDelay(w))
		}
		w.due = due
		again = append(again, w)
	}
	d.ledger.Retried(len(again), code)
	if maybeTaken {
		d.ledger.PossibleDuplicates(len(again))
	}
	d.backlog.comeBack(again)
}

// again turns the i-th record of a request into one that waits, or drops it when it may not be sent again.
func (d *Deliverer) again(s *shipment, i int, code string, err error, now time.Time) *waiting {
	r := s.refs[i]
	w := r.waited
	if w == nil {
		w = &waiting{entry: s.req.Entry(i), batch: r.batch, ordinal: r.ordinal}
		r.waited = w
		w.batch.hold(w.ordinal)
	}
	w.paced = r.paced
	w.attempts++
	if w.failed.IsZero() {
		w.failed = now
	}
	switch {
	case !d.cfg.Retry.Enabled:
		d.drop(r, code, err)
		return nil
	case d.cfg.Retry.MaxElapsedTime > 0 && now.Sub(w.failed) >= d.cfg.Retry.MaxElapsedTime:
		d.drop(r, accounting.ReasonExhausted, err)
		return nil
	default:
		return w
	}
}

// callDelay returns how long a record waits whose whole request failed. In an outage the gate sets the pace.
func (d *Deliverer) callDelay(w *waiting) time.Duration {
	if d.gate.inOutage() {
		return linger
	}
	return d.backoff(w.attempts)
}

// entryDelay returns how long a record waits that failed alone. The first failure says nothing about the next attempt,
// so it goes with the next request. What a full shard refused is paced by the shard.
func (d *Deliverer) entryDelay(w *waiting, paced bool) time.Duration {
	if paced || w.attempts == 1 {
		return linger
	}
	return d.backoff(w.attempts - 1)
}

// backoff returns how long to wait after so many failures.
func (d *Deliverer) backoff(failures int) time.Duration {
	c := d.cfg.Retry
	interval := float64(c.InitialInterval) * math.Pow(max(c.Multiplier, 1), float64(failures-1))
	if c.MaxInterval > 0 {
		interval = min(interval, float64(c.MaxInterval))
	}
	return time.Duration(interval * (1 + c.RandomizationFactor*(2*rand.Float64()-1)))
}

func (d *Deliverer) settle(r ref, delivered bool) {
	if r.waited != nil {
		d.backlog.settled(r.waited)
	}
	if !r.batch.settled(r.ordinal, delivered) && delivered {
		// The batch was given up while its record was on its way: whoever has it will send it again.
		d.ledger.PossibleDuplicates(1)
	}
}

func (d *Deliverer) drop(r ref, reason string, err error) {
	d.ledger.Dropped(1, reason, err)
	d.settle(r, false)
}

func (d *Deliverer) show(s *shipment) {
	if d.cfg.Delivered == nil {
		return
	}
	for i := range s.req.Len() {
		d.cfg.Delivered(s.req.Key(i), s.req.Data(i))
	}
}

// report logs and reports when calls begin to fail and when they work again, given how many failed in a row.
func (d *Deliverer) report(failures int, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case !d.failing && err != nil && failures >= failingAfter:
		d.failing, d.since = true, time.Now()
		d.logger.Warn("Delivery fails; records wait and are sent again.", zap.String("stream", d.cfg.Stream), zap.Error(err))
		d.cfg.Report(err)
	case d.failing && failures == 0:
		d.failing = false
		d.logger.Info("Delivery works again.", zap.String("stream", d.cfg.Stream), zap.Duration("after", time.Since(d.since)))
		d.cfg.Report(nil)
	}
}
