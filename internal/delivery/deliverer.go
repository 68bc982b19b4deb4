// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"iter"
	"sync"
	"time"

	"go.uber.org/zap"

	"go.opentelemetry.io/collector/config/configretry"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/accounting"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/putrecords"
)

const (
	// shortestProbe bounds how often an outage is probed, however short the retry interval is.
	shortestProbe = 100 * time.Millisecond
	// failingAfter is the number of calls that fail in a row before the delivery counts as failing, and failingFor how
	// long ago the last one has worked by then. A few that fail among many that work are no news.
	failingAfter = 2
	failingFor   = time.Second
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
	Retry       configretry.BackOffConfig // what to do with a record that failed; intervals over 0 when it is enabled
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
	since   time.Time // when it began to fail
	worked  time.Time // when the last call worked
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
	b := newBatch(n)
	unseen := n // ordinal from which on records were not asked for
	if d.cfg.Ordered {
		d.lineUp(b, records)
	} else {
		unseen = d.send(ctx, b, records)
	}
	b.finish(1)

	select {
	case <-b.done:
	case <-d.gate.idle:
	case <-ctx.Done():
	}
	left := b.abandon()
	for ordinal := unseen; ordinal < n; ordinal++ {
		left = append(left, ordinal)
	}
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
func (d *Deliverer) send(ctx context.Context, b *batch, records iter.Seq[Record]) (unseen int) {
	unseen = b.n
	var s *shipment
	var probe bool // with s
	var pacer pacer
	held := holder{client: d.client, batch: b}
	for r := range records {
		var paced bool
		if d.backlog.pacing.Load() {
			var hold bool
			if hold, paced = pacer.holds(d.backlog, r); hold {
				held.add(r)
				continue
			}
		}
		if s != nil && (probe || !s.req.Append(r.Data, r.Key)) {
			d.putOwn(ctx, b, s, probe)
			s = nil
		}
		if s == nil {
			var err error
			if probe, err = d.gate.enter(ctx, false); err != nil {
				unseen = r.Ordinal
				break
			}
			s = d.newShipment()
			s.req.Append(r.Data, r.Key)
		}
		s.refs = append(s.refs, ref{batch: b, ordinal: r.Ordinal, paced: paced, hash: pacer.hash})
	}
	if waits := held.end(); len(waits) > 0 {
		d.backlog.lineUp(waits)
	}
	if s != nil {
		d.putOwn(ctx, b, s, probe)
	}
	return unseen
}

// putOwn sends new records of a batch. What waits goes along when there is room, unless it is a probe.
func (d *Deliverer) putOwn(ctx context.Context, b *batch, s *shipment, probe bool) {
	b.add(len(s.refs))
	if d.backlog.some.Load() && !probe {
		d.backlog.collect(s, putrecords.MaxRecords, time.Now())
	}
	d.put(ctx, s)
}

// pacer asks the backlog about the records of a batch. Most keys come several times in a row.
type pacer struct {
	key  []byte // of the last record
	hash uint64 // of key
}

func (p *pacer) holds(b *backlog, r Record) (hold, paced bool) {
	if string(p.key) != r.Key {
		p.key, p.hash = append(p.key[:0], r.Key...), hashOf(r.Key)
	}
	return b.holds(r.Key, p.hash, len(r.Data)+len(r.Key), time.Now())
}

// lineUp puts all records into the backlog, which knows their order.
func (d *Deliverer) lineUp(b *batch, records iter.Seq[Record]) {
	held := holder{client: d.client, batch: b}
	for r := range records {
		held.add(r)
	}
	d.backlog.lineUp(held.end())
}

// dispatch sends what waits in the backlog when its time has come.
func (d *Deliverer) dispatch() {
	ctx := context.Background()
	for {
		now := time.Now()
		at, some := d.backlog.nextAt(now)
		if !some || at.After(now) {
			var alarm <-chan time.Time
			if some {
				alarm = time.After(min(at.Sub(now), paceStep)) // since the pace may rise
			}
			select {
			case <-alarm:
			case <-d.backlog.wake:
			case <-d.gate.closed:
				return
			}
			continue
		}
		probe, err := d.gate.enter(ctx, true)
		if err != nil {
			return
		}
		s, most := d.newShipment(), putrecords.MaxRecords
		if probe {
			most = 1
		}
		d.backlog.collect(s, most, time.Now())
		if len(s.refs) == 0 {
			d.gate.pass()
			s.release()
			continue
		}
		d.senders.Go(func() { d.put(ctx, s) })
	}
}

// leave ends a call. It logs and reports when calls begin to fail and when they work again.
func (d *Deliverer) leave(err error) {
	d.mu.Lock() // also keeps the reports in the order in which the calls end
	defer d.mu.Unlock()
	failures := d.gate.leave(err == nil)
	now := time.Now()
	switch {
	case err == nil:
		d.worked = now
	case failures == 1:
		d.since = now
	}
	switch {
	case !d.failing && failures >= failingAfter && now.Sub(d.worked) >= failingFor:
		d.failing = true
		message := "Delivery fails; records wait and are sent again."
		if !d.cfg.Retry.Enabled {
			message = "Delivery fails; records are dropped, because `retry_on_failure` is off."
		}
		d.logger.Warn(message, zap.String("stream", d.cfg.Stream), zap.Error(err))
		d.cfg.Report(err)
	case d.failing && failures == 0:
		d.failing = false
		d.logger.Info("Delivery works again.", zap.String("stream", d.cfg.Stream), zap.Duration("after", now.Sub(d.since)))
		d.cfg.Report(nil)
	}
}
