// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exporterhelper/xexporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// destination takes records as the delivery engine does: push returns when all of them are settled.
type destination struct {
	took time.Duration // what each attempt takes
	stop chan struct{} // closed at shutdown
	// keep puts records back into the queue at shutdown, if it is persistent.
	keep func(context.Context, plog.Logs) error

	mu       sync.Mutex
	down     bool
	throttle int // so many attempts fail
	got      []request
}

type request struct {
	at      time.Time
	records []string
}

func (d *destination) push(ctx context.Context, ld plog.Logs) error {
	for {
		if d.keep != nil && d.stopped() {
			return d.keep(ctx, ld)
		}
		time.Sleep(d.took)
		if d.attempt(ld) {
			return nil
		}
		if d.stopped() && d.keep == nil {
			return errors.New("unreachable")
		}
		select {
		case <-time.After(time.Second):
		case <-d.stop:
		}
	}
}

func (d *destination) attempt(ld plog.Logs) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.throttle > 0 || d.down {
		d.throttle = max(0, d.throttle-1)
		return false
	}
	d.got = append(d.got, request{at: time.Now(), records: bodies(ld)})
	return true
}

func (d *destination) stopped() bool {
	select {
	case <-d.stop:
		return true
	default:
		return false
	}
}

func (d *destination) setDown(down bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.down = down
}

// requests returns what has come since the last call.
func (d *destination) requests() []request {
	synctest.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	got := d.got
	d.got = nil
	return got
}

// records returns the records that have come since the last call, sorted.
func (d *destination) records() []string {
	var all []string
	for _, r := range d.requests() {
		all = append(all, r.records...)
	}
	slices.Sort(all)
	return all
}

func bodies(ld plog.Logs) []string {
	var all []string
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				all = append(all, lr.Body().AsString())
			}
		}
	}
	return all
}

// numbered returns records whose bodies are the numbers from..from+n-1.
func numbered(from, n int) plog.Logs {
	ld := plog.NewLogs()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for i := range n {
		records.AppendEmpty().Body().SetStr(number(from + i))
	}
	return ld
}

func number(i int) string { return fmt.Sprintf("%06d", i) }

func numbers(from, n int) []string {
	var all []string
	for i := range n {
		all = append(all, number(from+i))
	}
	return all
}

// scheduled is an exporter as the component makes it: helper, gate, destination.
type scheduled struct {
	exporter.Logs
	*destination
	gate *Gate
	logs *observer.ObservedLogs

	mu       sync.Mutex
	executed []Execution
	next     []time.Time

	storage extension.Extension
}

type options struct {
	schedule  Schedule
	consumers int    // 1 if unset
	queueSize int64  // one million if unset
	storage   string // directory; empty for a queue in memory
	took      time.Duration
	throttle  int
	down      bool
}

const batchSize = 500

func start(t *testing.T, o options) *scheduled {
	t.Helper()
	core, logs := observer.New(zap.InfoLevel)
	s := &scheduled{
		destination: &destination{took: o.took, throttle: o.throttle, down: o.down, stop: make(chan struct{})},
		logs:        logs,
	}
	s.gate = New(o.schedule, o.storage != "", zap.New(core), Observer{
		Executed: func(e Execution) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.executed = append(s.executed, e)
		},
		Scheduled: func(next time.Time) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.next = append(s.next, next)
		},
	})

	host := hostWith{}
	queue := exporterhelper.NewDefaultQueueConfig()
	queue.Sizer, queue.QueueSize = exporterhelper.RequestSizerTypeItems, 1_000_000
	if o.queueSize > 0 {
		queue.QueueSize = o.queueSize
	}
	queue.NumConsumers = max(1, o.consumers)
	batch := exporterhelper.NewDefaultBatchConfig()
	batch.MinSize, batch.MaxSize, batch.FlushTimeout = batchSize, batchSize, time.Second
	queue.Batch = configoptional.Some(batch)
	if o.storage != "" {
		factory := filestorage.NewFactory()
		cfg := factory.CreateDefaultConfig().(*filestorage.Config)
		cfg.Directory = o.storage
		id := component.NewID(factory.Type())
		set := extensiontest.NewNopSettings(factory.Type())
		set.ID = id
		var err error
		s.storage, err = factory.Create(context.Background(), set, cfg)
		require.NoError(t, err)
		require.NoError(t, s.storage.Start(context.Background(), componenttest.NewNopHost()))
		host[id] = s.storage
		queue.StorageID = &id
	}
	retry := configretry.NewDefaultBackOffConfig()
	retry.MaxElapsedTime = 0

	set := exportertest.NewNopSettings(component.MustNewType("amazonkinesis"))
	set.ID = component.MustNewID("amazonkinesis")
	helper, err := exporterhelper.NewLogs(context.Background(), set, struct{}{}, s.gate.Push(s.push),
		exporterhelper.WithTimeout(exporterhelper.TimeoutConfig{}),
		exporterhelper.WithRetry(retry),
		xexporterhelper.WithQueueBatch(configoptional.Some(queue), s.gate.Settings()))
	require.NoError(t, err)
	s.Logs = helper
	if o.storage != "" {
		s.keep = helper.ConsumeLogs
	}
	require.NoError(t, helper.Start(context.Background(), host))
	s.gate.Start()
	synctest.Wait() // an execution that is due at once has begun
	return s
}

type hostWith map[component.ID]component.Component

func (h hostWith) GetExtensions() map[component.ID]component.Component { return h }

func (s *scheduled) consume(t *testing.T, ld plog.Logs) {
	t.Helper()
	require.NoError(t, s.gate.Consume(t.Context(), ld, s.ConsumeLogs))
}

// shutdown does what the component does, in its order.
func (s *scheduled) shutdown(t *testing.T) {
	t.Helper()
	close(s.stop)
	s.gate.Release()
	require.NoError(t, s.Logs.Shutdown(context.Background()))
	if s.storage != nil {
		require.NoError(t, s.storage.Shutdown(context.Background()))
	}
}

func (s *scheduled) executions() []Execution {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.executed)
}

func hourly(t *testing.T) Schedule {
	s, err := ParseCron("@hourly", "UTC")
	require.NoError(t, err)
	return s
}

// In a synctest bubble the clock starts at midnight UTC, 2000-01-01.

func TestInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		s := start(t, options{schedule: Every(5 * time.Minute), took: 10 * time.Second})
		synctest.Wait()
		assert.Equal(t, []Execution{{Begin: begin}}, s.executions(), "the first execution is due at once")

		for i := range 12 {
			s.consume(t, numbered(i*100, 100))
		}
		time.Sleep(5*time.Minute - time.Nanosecond)
		assert.Empty(t, s.requests(), "records wait for the execution")

		time.Sleep(time.Hour / 2)
		var sizes []int
		var at []time.Duration
		for _, r := range s.requests() {
			sizes = append(sizes, len(r.records))
			at = append(at, r.at.Sub(begin))
		}
		assert.Equal(t, []int{500, 500, 200}, sizes, "requests are full")
		assert.Equal(t, []time.Duration{310 * time.Second, 320 * time.Second, 330 * time.Second}, at)

		got := s.executions()
		require.Len(t, got, 7)
		assert.Equal(t, Execution{Begin: begin.Add(5 * time.Minute), Duration: 30 * time.Second, Records: 1200}, got[1])
		assert.Equal(t, Execution{Begin: begin.Add(10*time.Minute + 30*time.Second)}, got[2],
			"the interval begins at the end of the execution")
		s.shutdown(t)
	})
}

func TestCron(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		weekdays, err := ParseCron("30 6 * * MON-FRI", "Europe/Berlin")
		require.NoError(t, err)
		s := start(t, options{schedule: weekdays})
		s.consume(t, numbered(0, 10))

		monday := begin.AddDate(0, 0, 2).Add(5*time.Hour + 30*time.Minute) // 06:30 in Berlin
		time.Sleep(monday.Sub(begin) - time.Nanosecond)
		assert.Empty(t, s.requests())
		time.Sleep(2 * time.Second)
		assert.Equal(t, numbers(0, 10), s.records())
		require.Len(t, s.executions(), 1)
		assert.True(t, s.executions()[0].Begin.Equal(monday))

		s.mu.Lock()
		assert.Len(t, s.next, 2)
		assert.True(t, s.next[0].Equal(monday))
		assert.True(t, s.next[1].Equal(monday.AddDate(0, 0, 1)))
		s.mu.Unlock()
		s.shutdown(t)
	})
}

// The night in which Berlin's clock goes forward, and the one in which it goes back.
func TestCronAcrossDaylightSaving(t *testing.T) {
	tests := []struct {
		name, expr string
		from       time.Time
		want       []string // UTC
	}{
		{
			"forward", "30 2,3 * * *", time.Date(2026, 3, 28, 12, 0, 0, 0, time.UTC),
			[]string{"29 01:30", "30 00:30", "30 01:30"},
		},
		{
			"back", "30 2 * * *", time.Date(2026, 10, 24, 12, 0, 0, 0, time.UTC),
			[]string{"25 00:30", "25 01:30", "26 01:30"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				nights, err := ParseCron(tt.expr, "Europe/Berlin")
				require.NoError(t, err)
				time.Sleep(time.Until(tt.from))
				s := start(t, options{schedule: nights})
				time.Sleep(48 * time.Hour)
				var got []string
				for _, e := range s.executions() {
					got = append(got, e.Begin.UTC().Format("02 15:04"))
				}
				assert.Equal(t, tt.want, got[:3])
				s.shutdown(t)
			})
		})
	}
}

// What comes while an execution runs waits for the next one, however many consumers the queue has.
func TestExecutionDeliversWhatTheQueueHeld(t *testing.T) {
	for _, consumers := range []int{1, 2, 10, 200} {
		for _, storage := range []string{"", t.TempDir()} {
			t.Run(fmt.Sprintf("%d consumers, storage %t", consumers, storage != ""), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := start(t, options{schedule: hourly(t), consumers: consumers, took: 100 * time.Millisecond, storage: storage})
					for i := range 1200 {
						s.consume(t, numbered(i, 1))
					}
					time.Sleep(time.Hour - time.Nanosecond)
					assert.Empty(t, s.requests())
					time.Sleep(time.Nanosecond)
					synctest.Wait()       // the execution has begun
					for i := range 1000 { // a steady inflow for longer than it lasts
						s.consume(t, numbered(10_000+i, 1))
						time.Sleep(10 * time.Millisecond)
					}
					time.Sleep(time.Minute)
					assert.Equal(t, numbers(0, 1200), s.records())
					require.Len(t, s.executions(), 1)
					assert.EqualValues(t, 1200, s.executions()[0].Records)

					time.Sleep(time.Hour)
					assert.Equal(t, numbers(10_000, 1000), s.records())
					require.Len(t, s.executions(), 2)
					assert.EqualValues(t, 1000, s.executions()[1].Records)
					s.shutdown(t)
				})
			})
		}
	}
}

func TestOneConsumerKeepsTheOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, options{schedule: hourly(t), took: time.Second})
		for i := range 1100 {
			s.consume(t, numbered(i, 1))
		}
		time.Sleep(time.Hour + time.Minute)
		var got []string
		for _, r := range s.requests() {
			got = append(got, r.records...)
		}
		assert.Equal(t, numbers(0, 1100), got)
		s.shutdown(t)
	})
}

// A failed record is tried again in the execution, which ends when it is settled.
func TestFailuresAreRetriedWithinTheExecution(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		s := start(t, options{schedule: Every(time.Hour), throttle: 5})
		s.consume(t, numbered(0, 500))
		time.Sleep(time.Hour + 5*time.Second)
		require.Len(t, s.requests(), 1)
		got := s.executions()
		require.Len(t, got, 2)
		assert.Equal(t, Execution{Begin: begin.Add(time.Hour), Duration: 5 * time.Second, Records: 500}, got[1])
		s.mu.Lock()
		assert.Equal(t, begin.Add(2*time.Hour+5*time.Second), s.next[2])
		s.mu.Unlock()
		s.shutdown(t)
	})
}

func TestTimesWithinAnExecutionAreSkipped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		s := start(t, options{schedule: hourly(t), down: true})
		s.consume(t, numbered(0, 10))
		time.Sleep(3*time.Hour + 30*time.Minute) // the times of 02:00 and 03:00 pass
		s.consume(t, numbered(10, 10))
		assert.Empty(t, s.executions())
		s.setDown(false)
		time.Sleep(time.Minute)
		assert.Equal(t, numbers(0, 10), s.records())
		time.Sleep(time.Hour)
		assert.Equal(t, numbers(10, 10), s.records())
		got := s.executions()
		require.Len(t, got, 2)
		assert.Equal(t, begin.Add(time.Hour), got[0].Begin)
		assert.Equal(t, begin.Add(4*time.Hour), got[1].Begin)
		s.shutdown(t)
	})
}

func TestFullQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, options{schedule: hourly(t), queueSize: 100})
		for i := range 10 {
			s.consume(t, numbered(i*10, 10))
		}
		err := s.gate.Consume(t.Context(), numbered(100, 10), s.ConsumeLogs)
		require.ErrorIs(t, err, exporterhelper.ErrQueueIsFull)
		time.Sleep(time.Hour + time.Minute)
		assert.Equal(t, numbers(0, 100), s.records())
		require.Len(t, s.executions(), 1, "what was refused is not waited for")
		s.consume(t, numbered(100, 10))
		time.Sleep(time.Hour)
		assert.Equal(t, numbers(100, 10), s.records())
		s.shutdown(t)
	})
}

func TestLogLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, options{schedule: Every(time.Hour), took: 2 * time.Second})
		begin := time.Now()
		synctest.Wait()
		s.consume(t, numbered(0, 500))
		time.Sleep(2 * time.Hour)
		s.consume(t, numbered(0, 500))
		time.Sleep(3 * time.Second) // into the third execution
		synctest.Wait()
		s.shutdown(t)

		type line struct {
			message string
			fields  map[string]any
		}
		var got []line
		for _, e := range s.logs.All() {
			assert.Equal(t, zap.InfoLevel, e.Level)
			got = append(got, line{e.Message, e.ContextMap()})
		}
		const ended = "Scheduled execution has ended."
		assert.Equal(t, []line{
			{"Delivery is scheduled: records wait in the sending queue until an execution is due.",
				map[string]any{"schedule": "every 1h0m0s", "first": begin}},
			{ended, map[string]any{"records": int64(0), "duration": time.Duration(0), "next": begin.Add(time.Hour)}},
			{ended, map[string]any{"records": int64(500), "duration": 2 * time.Second, "next": begin.Add(2*time.Hour + 2*time.Second)}},
			{"Scheduled execution was cut short by the shutdown.",
				map[string]any{"records": int64(0), "duration": time.Second}},
		}, got)
	})
}

func TestShutdownOfMemoryQueue(t *testing.T) {
	for _, consumers := range []int{1, 200} {
		t.Run(fmt.Sprintf("between executions, %d consumers", consumers), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, options{schedule: hourly(t), consumers: consumers})
				for i := range 130 {
					s.consume(t, numbered(i*10, 10))
				}
				time.Sleep(time.Minute)
				begin := time.Now()
				s.shutdown(t)
				assert.Equal(t, numbers(0, 1300), s.records())
				assert.Less(t, time.Since(begin), 2*time.Second)
			})
		})
		t.Run(fmt.Sprintf("in an execution, %d consumers", consumers), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, options{schedule: hourly(t), consumers: consumers, took: time.Second})
				s.consume(t, numbered(0, 2500))
				time.Sleep(time.Hour + 500*time.Millisecond)
				s.consume(t, numbered(2500, 700))
				s.shutdown(t)
				assert.Equal(t, numbers(0, 3200), s.records())
			})
		})
		t.Run(fmt.Sprintf("backend down between executions, %d consumers", consumers), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, options{schedule: hourly(t), consumers: consumers, down: true})
				s.consume(t, numbered(0, 1300))
				time.Sleep(time.Minute)
				begin := time.Now()
				s.shutdown(t)
				assert.Less(t, time.Since(begin), 10*time.Second)
			})
		})
		t.Run(fmt.Sprintf("backend down in an execution, %d consumers", consumers), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, options{schedule: hourly(t), consumers: consumers, down: true})
				s.consume(t, numbered(0, 1300))
				time.Sleep(time.Hour + time.Minute)
				begin := time.Now()
				s.shutdown(t)
				assert.Less(t, time.Since(begin), 10*time.Second)
			})
		})
	}
}

func TestRestartOfPersistentQueue(t *testing.T) {
	for _, consumers := range []int{1, 200} {
		t.Run(fmt.Sprintf("%d consumers", consumers), func(t *testing.T) {
			t.Run("between executions", func(t *testing.T) {
				dir := t.TempDir()
				synctest.Test(t, func(t *testing.T) {
					s := start(t, options{schedule: hourly(t), storage: dir, consumers: consumers})
					for i := range 130 {
						s.consume(t, numbered(i*10, 10))
					}
					time.Sleep(time.Minute)
					begin := time.Now()
					s.shutdown(t)
					assert.Empty(t, s.records(), "a persistent queue is kept")
					assert.Less(t, time.Since(begin), 2*time.Second)

					s = start(t, options{schedule: hourly(t), storage: dir, consumers: consumers})
					s.consume(t, numbered(1300, 10))
					time.Sleep(58 * time.Minute)
					assert.Empty(t, s.records())
					time.Sleep(2 * time.Minute)
					assert.Equal(t, numbers(0, 1310), s.records())
					require.Len(t, s.executions(), 1)
					assert.EqualValues(t, 1310, s.executions()[0].Records)
					s.shutdown(t)
				})
			})
			t.Run("in an execution", func(t *testing.T) {
				dir := t.TempDir()
				synctest.Test(t, func(t *testing.T) {
					s := start(t, options{schedule: hourly(t), storage: dir, consumers: consumers, took: time.Second})
					for i := range 50 {
						s.consume(t, numbered(i*100, 70)) // which the batches of 500 cut
						s.consume(t, numbered(i*100+70, 30))
					}
					time.Sleep(time.Hour + 1500*time.Millisecond)
					for i := range 10 {
						s.consume(t, numbered(5000+i*100, 100))
					}
					s.shutdown(t)
					before := s.records()

					s = start(t, options{schedule: hourly(t), storage: dir, consumers: consumers})
					time.Sleep(2 * time.Hour)
					all := append(before, s.records()...)
					slices.Sort(all)
					assert.Equal(t, numbers(0, 6000), all, "each record once")
					s.shutdown(t)
				})
			})
			t.Run("backend down in an execution", func(t *testing.T) {
				dir := t.TempDir()
				synctest.Test(t, func(t *testing.T) {
					s := start(t, options{schedule: hourly(t), storage: dir, consumers: consumers, down: true})
					for i := range 50 {
						s.consume(t, numbered(i*100, 100))
					}
					time.Sleep(time.Hour + time.Minute)
					s.consume(t, numbered(5000, 1000))
					begin := time.Now()
					s.shutdown(t)
					assert.Less(t, time.Since(begin), 10*time.Second)

					s = start(t, options{schedule: hourly(t), storage: dir, consumers: consumers})
					time.Sleep(2 * time.Hour)
					assert.Equal(t, numbers(0, 6000), s.records(), "nothing lost, each record once")
					s.shutdown(t)
				})
			})
			t.Run("killed", func(t *testing.T) {
				dir, copied := t.TempDir(), t.TempDir()
				synctest.Test(t, func(t *testing.T) {
					s := start(t, options{schedule: hourly(t), storage: dir, consumers: consumers})
					for i := range 50 {
						s.consume(t, numbered(i*100, 100))
					}
					time.Sleep(time.Minute)
					synctest.Wait()
					require.NoError(t, os.CopyFS(filepath.Join(copied, "queue"), os.DirFS(dir))) // what a kill would leave
					s.shutdown(t)

					s = start(t, options{schedule: hourly(t), storage: filepath.Join(copied, "queue"), consumers: consumers})
					time.Sleep(time.Hour)
					assert.Equal(t, numbers(0, 5000), s.records())
					s.shutdown(t)
				})
			})
			t.Run("steady inflow cannot keep the first execution open", func(t *testing.T) {
				dir := t.TempDir()
				synctest.Test(t, func(t *testing.T) {
					s := start(t, options{schedule: hourly(t), storage: dir, consumers: consumers})
					for i := range 100 {
						s.consume(t, numbered(i*10, 10))
					}
					s.shutdown(t)

					s = start(t, options{schedule: Every(time.Hour), storage: dir, consumers: consumers, took: 100 * time.Millisecond})
					for i := range 3000 {
						time.Sleep(10 * time.Millisecond)
						s.consume(t, numbered(1000+i, 1))
					}
					time.Sleep(10 * time.Minute)
					assert.Equal(t, numbers(0, 1000), s.records())
					require.Len(t, s.executions(), 1)
					assert.EqualValues(t, 1000, s.executions()[0].Records)
					time.Sleep(time.Hour)
					assert.Equal(t, numbers(1000, 3000), s.records())
					s.shutdown(t)
				})
			})
		})
	}
}

// A storage that loses a request must not hold up the schedule.
func TestLostRequestEndsWithAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, options{schedule: hourly(t)})
		lost := func(context.Context, plog.Logs) error { return nil }
		require.NoError(t, s.gate.Consume(t.Context(), numbered(0, 10), lost))
		s.consume(t, numbered(10, 500))
		time.Sleep(time.Hour + 10*time.Second)
		assert.Equal(t, numbers(10, 500), s.records())
		require.Len(t, s.executions(), 1)
		assert.EqualValues(t, 500, s.executions()[0].Records)
		s.shutdown(t)
	})
}

func TestReleaseWithoutStart(t *testing.T) {
	g := New(Every(time.Hour), false, zap.NewNop(), Observer{})
	g.Release()
	g.Release()
}

func TestClientMetadataIsKept(t *testing.T) {
	g := New(Every(time.Hour), false, zap.NewNop(), Observer{})
	ctx := client.NewContext(t.Context(), client.Info{Metadata: client.NewMetadata(map[string][]string{
		"tenant": {"a", "b"},
		stampKey: {"another run/7"},
	})})
	_, ours := g.stampOf(ctx)
	assert.False(t, ours)
	err := g.Consume(ctx, numbered(0, 1), func(ctx context.Context, _ plog.Logs) error {
		assert.Equal(t, []string{"a", "b"}, client.FromContext(ctx).Metadata.Get("tenant"))
		stamp, ours := g.stampOf(ctx)
		assert.True(t, ours)
		assert.EqualValues(t, 1, stamp)
		return nil
	})
	require.NoError(t, err)
}
