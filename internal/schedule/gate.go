// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	"context"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter/exporterhelper/xexporterhelper"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"
)

// Gate keeps requests in the sending queue of an exporterhelper exporter until an
// execution is due. It stands between the queue and the batcher:
//
//	ConsumeLogs ─▶ sending queue ─▶ GetKey ─▶ batcher ─▶ retry ─▶ push
//	  stamps                        waits                         settles
//
// What is accepted gets a stamp, a number that only grows. An execution sets the mark
// to the newest stamp; what is stamped up to the mark passes, the rest waits. So an
// execution delivers exactly what the queue held when it began, whatever comes in
// meanwhile. It ends when all of that is settled, and only then is the next one due.
//
// The stamp travels as client metadata of the request, which a persistent queue stores
// with the data. It names the run of the exporter: what a persistent queue has from
// a run before has no stamp of this run and belongs to the first execution.
//
// The wait is where the helper asks the queue's partitioner for a key: the request is in
// no batch yet, and no timeout, retry or span has begun. Each consumer of the queue holds
// one request while it waits, and requests stay in order if there is only one.
//
// The queue must have batching and neither block_on_overflow nor wait_for_result: with
// these, ConsumeLogs would wait for the next execution, the shutdown of the receivers for
// ConsumeLogs, and the shutdown of the exporter, which opens the gate, for the receivers.
type Gate struct {
	schedule   Schedule
	persistent bool
	logger     *zap.Logger
	observer   Observer
	run        string // prefix of this run's stamps

	// accepting makes stamping and queueing one step: stamps are in the queue's order.
	// It is taken before mu.
	accepting sync.Mutex

	// mu guards everything declared below.
	mu       sync.Mutex
	opened   *sync.Cond // mark or released has changed
	begun    bool       // there was an execution
	mark     uint64     // what is stamped up to it may pass
	newest   uint64     // the last stamp given
	released bool

	accepted int64     // records of this run put into the queue
	passed   int64     // records of this run let through
	restored int64     // records of runs before let through
	settled  int64     // records whose push has returned
	moved    time.Time // of the last record that passed or was settled

	current *execution    // nil between executions
	ended   chan struct{} // receives when current becomes nil

	stop chan struct{}
	done chan struct{}
}

// execution is one delivery of what the queue holds.
type execution struct {
	begin   time.Time
	settled int64 // Gate.settled at the beginning
	due     int64 // it is through when Gate.passed has come this far
	// unknown says that the queue may hold records from before this run. There is no
	// count of them, so it takes a pause to tell that they are all through.
	unknown bool
}

// pause is the time without a record after which the queue holds nothing more that is due.
// Between two records of a queue there is one read from its storage.
const pause = time.Second

// Execution is what Observer learns about an execution that has ended.
type Execution struct {
	Begin    time.Time
	Duration time.Duration // until the last record was settled
	Records  int64         // delivered or dropped
}

// Observer is told what a Gate does. Functions may be nil. They must not call the Gate.
type Observer struct {
	Executed  func(Execution)      // an execution has ended
	Scheduled func(next time.Time) // the time of the next one is known
}

// New returns a gate that is closed until Start. persistent says that the sending queue has a storage.
func New(schedule Schedule, persistent bool, logger *zap.Logger, observer Observer) *Gate {
	g := &Gate{
		schedule:   schedule,
		persistent: persistent,
		logger:     logger,
		observer:   observer,
		run:        strconv.FormatUint(rand.Uint64(), 36) + "/",
		ended:      make(chan struct{}, 1),
		stop:       make(chan struct{}),
	}
	g.opened = sync.NewCond(&g.mu)
	return g
}

// Settings returns the queue's settings with the gate in them, for xexporterhelper.WithQueueBatch.
func (g *Gate) Settings() xexporterhelper.QueueBatchSettings {
	set := xexporterhelper.NewLogsQueueBatchSettings()
	set.Partitioner = g
	return set
}

// Consume gives ld to enqueue, the helper's ConsumeLogs, with a stamp.
func (g *Gate) Consume(ctx context.Context, ld plog.Logs, enqueue consumer.ConsumeLogsFunc) error {
	g.accepting.Lock()
	defer g.accepting.Unlock()

	g.mu.Lock()
	g.newest++
	stamp := g.newest
	g.mu.Unlock()

	n := ld.LogRecordCount() // once accepted, ld belongs to the queue
	if err := enqueue(g.stamp(ctx, stamp), ld); err != nil {
		return err
	}
	g.mu.Lock()
	g.accepted += int64(n)
	g.mu.Unlock()
	return nil
}

// stampKey is the key of the client metadata that carries the stamp.
const stampKey = "amazonkinesis.schedule.stamp"

func (g *Gate) stamp(ctx context.Context, stamp uint64) context.Context {
	info := client.FromContext(ctx)
	metadata := map[string][]string{stampKey: {g.run + strconv.FormatUint(stamp, 10)}}
	for key := range info.Metadata.Keys() {
		if key != stampKey {
			metadata[key] = info.Metadata.Get(key)
		}
	}
	info.Metadata = client.NewMetadata(metadata)
	return client.NewContext(ctx, info)
}

// stampOf returns the stamp that ctx carries, or false when it is not from this run.
func (g *Gate) stampOf(ctx context.Context) (uint64, bool) {
	values := client.FromContext(ctx).Metadata.Get(stampKey)
	if len(values) != 1 {
		return 0, false
	}
	digits, ok := strings.CutPrefix(values[0], g.run)
	if !ok {
		return 0, false
	}
	stamp, err := strconv.ParseUint(digits, 10, 64)
	return stamp, err == nil
}

// GetKey implements the helper's Partitioner. All records are in one partition; what matters is the wait.
func (g *Gate) GetKey(ctx context.Context, req xexporterhelper.Request) string {
	stamp, ours := g.stampOf(ctx)
	n := int64(req.ItemsCount())

	g.mu.Lock()
	defer g.mu.Unlock()
	for !g.released && (!g.begun || stamp > g.mark) {
		g.opened.Wait()
	}
	g.moved = time.Now()
	if ours {
		g.passed += n
	} else {
		g.restored += n
	}
	return ""
}

// Push returns push, the helper's pusher, with the count of what is settled. push must return
// when all records that it was given are delivered or dropped; it may leave some only at shutdown.
func (g *Gate) Push(push consumer.ConsumeLogsFunc) consumer.ConsumeLogsFunc {
	return func(ctx context.Context, ld plog.Logs) error {
		n := ld.LogRecordCount()
		err := push(ctx, ld)
		g.settle(int64(n))
		return err
	}
}

func (g *Gate) settle(n int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.settled += n
	g.moved = time.Now()
	g.endIfDone()
}

// Start begins with the executions. It is called after the helper's Start.
func (g *Gate) Start() {
	g.done = make(chan struct{})
	first := g.schedule.First(time.Now())
	g.logger.Info("Delivery is scheduled: records wait in the sending queue until an execution is due.",
		zap.Stringer("schedule", g.schedule), zap.Time("first", first))
	go g.loop(first)
}

// Release ends the schedule and lets everything pass. It is called before the helper's Shutdown, which waits for
// the queue's consumers and has a queue in memory delivered whole. Of a persistent queue only what the
// consumers have in hand comes; push has to leave that to the queue.
func (g *Gate) Release() {
	g.mu.Lock()
	first := !g.released
	if first {
		g.released = true
		g.opened.Broadcast()
		close(g.stop)
	}
	g.mu.Unlock()
	if first && g.done != nil {
		<-g.done
	}
}

// longestSleep bounds a timer, which follows no clock change and no suspension of the host.
const longestSleep = time.Minute

func (g *Gate) loop(next time.Time) {
	defer close(g.done)
	for {
		if g.observer.Scheduled != nil {
			g.observer.Scheduled(next)
		}
		for wait := time.Until(next); wait > 0; wait = time.Until(next) {
			select {
			case <-time.After(min(wait, longestSleep)):
			case <-g.stop:
				return
			}
		}
		ran, ok := g.execute()
		if !ok {
			return
		}
		next = g.schedule.Next(time.Now())
		g.logger.Info("Scheduled execution has ended.", zap.Int64("records", ran.Records),
			zap.Duration("duration", ran.Duration), zap.Time("next", next))
		if g.observer.Executed != nil {
			g.observer.Executed(ran)
		}
	}
}

// execute lets through what the queue holds and waits until it is settled, or reports false at shutdown.
func (g *Gate) execute() (Execution, bool) {
	e := g.begin()
	for {
		select {
		case <-g.ended:
			g.mu.Lock()
			defer g.mu.Unlock()
			ran := Execution{Begin: e.begin, Records: g.settled - e.settled}
			if ran.Records > 0 {
				ran.Duration = g.moved.Sub(e.begin)
			}
			return ran, true
		case <-time.After(pause):
			g.mu.Lock()
			g.endIfDone()
			g.mu.Unlock()
		case <-g.stop:
			g.mu.Lock()
			defer g.mu.Unlock()
			g.logger.Info("Scheduled execution was cut short by the shutdown.",
				zap.Int64("records", g.settled-e.settled), zap.Duration("duration", time.Since(e.begin)))
			return Execution{}, false
		}
	}
}

func (g *Gate) begin() *execution {
	g.accepting.Lock()
	defer g.accepting.Unlock()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.moved = time.Now()
	e := &execution{
		begin:   g.moved,
		settled: g.settled,
		due:     g.accepted,
		unknown: g.persistent && !g.begun,
	}
	g.current = e
	g.mark = g.newest
	g.begun = true
	g.opened.Broadcast()
	g.endIfDone()
	return e
}

// endIfDone ends the execution when everything that it let through is settled and nothing more is to come.
// Counted records that do not come were lost with their storage; the pause keeps them from holding up the schedule.
func (g *Gate) endIfDone() {
	e := g.current
	if e == nil || g.settled < g.passed+g.restored {
		return
	}
	counted := !e.unknown && g.passed >= e.due
	if !counted && time.Since(g.moved) < pause {
		return
	}
	g.current = nil
	g.ended <- struct{}{}
}
