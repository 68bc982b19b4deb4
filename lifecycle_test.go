// SPDX-License-Identifier: Apache-2.0

package amazonkinesisexporter

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/extensiontest"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/kinesistest"
)

var storageID = component.MustNewID("file_storage")

// withStorage starts a file_storage in dir and returns what stops it.
func (r *rig) withStorage(dir string) (stop func()) {
	factory := filestorage.NewFactory()
	cfg := factory.CreateDefaultConfig().(*filestorage.Config)
	cfg.Directory = dir
	storage, err := factory.Create(r.t.Context(), extensiontest.NewNopSettings(factory.Type()), cfg)
	require.NoError(r.t, err)
	require.NoError(r.t, storage.Start(r.t.Context(), componenttest.NewNopHost()))
	r.host.extensions = map[component.ID]component.Component{storageID: storage}
	return func() { require.NoError(r.t, storage.Shutdown(context.Background())) }
}

func persistentQueue(c *Config) { c.QueueConfig.Get().StorageID = &storageID }

// outcome reads the line that an exporter logs when it has shut down.
func (r *rig) outcome() (delivered, kept, dropped int64) {
	lines := r.logs.FilterMessage("Exporter has shut down.").All()
	require.Len(r.t, lines, 1)
	fields := lines[0].ContextMap()
	return fields["records_delivered"].(int64), fields["records_kept"].(int64), fields["records_dropped"].(int64)
}

func TestPersistentQueueOutlivesAnOutageAndARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 20_000
		dir := t.TempDir()
		server := newServer(t, nil)
		mend := server.Fail(kinesistest.Fault{Do: kinesistest.Refuse("ServiceUnavailable")})

		first := newRig(t, server, persistentQueue)
		stop := first.withStorage(dir)
		first.start()
		first.send(n, 130)
		time.Sleep(30 * time.Second)
		begin := time.Now()
		first.shutdown()
		first.balanced()
		stop()
		assert.LessOrEqual(t, time.Since(begin), 2*first.cfg.Timeout)
		delivered, kept, dropped := first.outcome()
		assert.Equal(t, [3]int64{0, n, 0}, [3]int64{delivered, kept, dropped})

		mend()
		second := newRig(t, server, persistentQueue)
		stop = second.withStorage(dir)
		second.start()
		require.Eventually(t, func() bool { return second.stream().Len() == n }, time.Hour, time.Second)
		second.shutdown()
		second.balanced()
		stop()
		assert.Zero(t, first.tally().Missing)
		assert.Zero(t, first.tally().Duplicates)
	})
}

func TestKeptRecordsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		server := newServer(t, nil)
		mend := server.Fail(kinesistest.Fault{Do: kinesistest.Refuse("ServiceUnavailable")})
		var kept []int64
		for run := range 3 {
			r := newRig(t, server, persistentQueue)
			stop := r.withStorage(dir)
			r.start()
			r.send(1000, 130)
			time.Sleep(10 * time.Second)
			if run == 2 {
				mend()
				time.Sleep(10 * time.Second)
			}
			r.shutdown()
			r.balanced()
			stop()
			_, k, _ := r.outcome()
			kept = append(kept, k)
		}
		assert.Equal(t, []int64{1000, 2000, 0}, kept)
	})
}

func TestTerminationInTheMiddleOfFaults(t *testing.T) {
	for _, tt := range []struct {
		name   string
		fault  kinesistest.Fault
		server func(*kinesistest.Config)
	}{
		{name: "entries fail", fault: kinesistest.Fault{Share: 0.3, Do: kinesistest.FailEntry("InternalFailure")}},
		{name: "calls fail", fault: kinesistest.Fault{Share: 0.5, Do: kinesistest.Refuse("InternalFailure")}},
		{name: "calls hang", fault: kinesistest.Fault{Do: kinesistest.Hang()}},
		{
			name:   "full shards",
			server: func(c *kinesistest.Config) { c.Limits = true },
			fault:  kinesistest.Fault{Do: kinesistest.Delay(5*time.Millisecond, 0)},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const n = 30_000
				dir := t.TempDir()
				server := newServer(t, tt.server)
				mend := server.Fail(tt.fault)
				first := newRig(t, server, persistentQueue)
				stop := first.withStorage(dir)
				first.start()
				first.send(n, 130)
				time.Sleep(1500 * time.Millisecond)
				begin := time.Now()
				first.shutdown()
				first.balanced()
				stop()
				assert.LessOrEqual(t, time.Since(begin), 2*first.cfg.Timeout)
				delivered, kept, dropped := first.outcome()
				assert.Equal(t, int64(first.stream().Len()), delivered)
				assert.Equal(t, int64(n), delivered+kept)
				assert.Zero(t, dropped)
				require.Positive(t, kept)

				mend()
				second := newRig(t, server, persistentQueue)
				stop = second.withStorage(dir)
				second.start()
				time.Sleep(time.Minute)
				second.shutdown()
				second.balanced()
				stop()
				assert.Zero(t, first.tally().Missing)
				assert.Zero(t, first.tally().Duplicates)
			})
		})
	}
}

func TestMemoryQueueIsDeliveredAtShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		server.Fail(kinesistest.Fault{Share: 0.1, Do: kinesistest.FailEntry("InternalFailure")})
		r := startRig(t, server, nil)
		r.send(20_000, 100)
		r.shutdown()
		assert.Zero(t, r.tally().Missing)
		assert.Zero(t, r.tally().Duplicates)
		r.balanced()
	})
}

func TestShutdownIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		server.Fail(kinesistest.Fault{Do: kinesistest.Hang()})
		r := startRig(t, server, nil)
		r.send(50_000, 100)
		time.Sleep(time.Second)
		begin := time.Now()
		r.shutdown()
		assert.LessOrEqual(t, time.Since(begin), 2*r.cfg.Timeout)
		delivered, kept, dropped := r.outcome()
		assert.Equal(t, [3]int64{0, 0, 50_000}, [3]int64{delivered, kept, dropped})
		r.balanced()
	})
}

func TestPoisonHarmsNobodyElse(t *testing.T) {
	poison := func(data []byte) bool { return strings.HasSuffix(idOf(data), "00") }
	synctest.Test(t, func(t *testing.T) {
		const n = 5000
		server := newServer(t, nil)
		server.Fail(kinesistest.Fault{
			IfEntry: func(e kinesistest.Entry) bool { return poison(e.Data) },
			Do:      kinesistest.Refuse("InvalidArgumentException"),
		})
		r := startRig(t, server, nil)
		r.send(n, 100)
		big := numbered(n, 1)
		big.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body().SetStr(strings.Repeat("x", 1<<20))
		require.NoError(t, r.exporter.ConsumeLogs(t.Context(), big))
		r.accepted++
		r.shutdown()

		tally := r.tally()
		assert.Equal(t, n/100, tally.Missing)
		assert.Zero(t, tally.Duplicates)
		assert.Equal(t, int64(n/100), r.sum("records", "outcome", "dropped", "reason", "InvalidArgumentException"))
		assert.Equal(t, int64(1), r.sum("records", "outcome", "dropped", "reason", "too_large"))
		r.balanced()
		assert.Len(t, r.logs.FilterMessage("Records dropped.").FilterField(zapReason("InvalidArgumentException")).All(), 2,
			"one line at once, and one with the rest")
	})
}

func TestOversizeTruncate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		r := startRig(t, server, func(c *Config) { c.Oversize, c.MaxRecordSize = oversizeTruncate, 2000 })
		ld := numbered(0, 2)
		records := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
		records.At(0).Body().SetStr("#000000#" + strings.Repeat("ü\n", 5000))
		records.At(1).Attributes().PutStr("long", strings.Repeat("x", 5000))
		r.sent, r.accepted = 2, 2
		require.NoError(t, r.exporter.ConsumeLogs(t.Context(), ld))
		r.shutdown()
		assert.Zero(t, r.tally().Missing)
		for record := range r.stream().Records() {
			assert.LessOrEqual(t, len(record.Data)+len(record.Key), 2000)
			assert.Contains(t, string(record.Data), `"amazonkinesis.truncated_from":`)
			assert.Contains(t, string(record.Data), "…")
			assertJSON(t, record.Data)
		}
		r.balanced()
	})
}

func TestOrderingByKey(t *testing.T) {
	for _, tt := range []struct {
		name   string
		fault  kinesistest.Fault
		server func(*kinesistest.Config)
	}{
		{name: "entries fail", fault: kinesistest.Fault{Share: 0.05, Do: kinesistest.FailEntry("InternalFailure")}},
		{name: "calls fail", fault: kinesistest.Fault{Share: 0.05, Do: kinesistest.Refuse("InternalFailure")}},
		{name: "connections break", fault: kinesistest.Fault{Share: 0.05, Do: kinesistest.Reset()}},
		{name: "answers lost", fault: kinesistest.Fault{Share: 0.05, Do: kinesistest.Lose()}},
		{name: "outage", fault: kinesistest.Fault{For: time.Minute, Do: kinesistest.Refuse("ServiceUnavailable")}},
		{
			name:   "full shards",
			server: func(c *kinesistest.Config) { c.Limits = true },
			fault:  kinesistest.Fault{Do: kinesistest.Delay(time.Millisecond, 0)},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const n = 20_000
				server := newServer(t, tt.server)
				server.Fail(tt.fault)
				r := startRig(t, server, func(c *Config) {
					c.Ordering = orderingKey
					c.PartitionKeyFrom = `log.attributes["key"]`
				})
				r.send(n, 130)
				require.Eventually(t, func() bool { return r.sum("records", "outcome", "delivered") == n }, time.Hour, time.Second)
				r.shutdown()
				assert.Zero(t, r.tally().Missing)
				position := func(id string) int { p, err := strconv.Atoi(id); require.NoError(t, err); return p }
				assert.Zero(t, r.stream().Disorder(position))
				r.balanced()
			})
		})
	}
}

func TestOneConsumerKeepsOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		r := startRig(t, server, func(c *Config) {
			c.QueueConfig.Get().NumConsumers = 1
			c.PartitionKeyFrom = `log.attributes["key"]`
		})
		r.send(10_000, 130)
		r.shutdown()
		assert.Zero(t, r.tally().Missing)
		position := func(id string) int { p, _ := strconv.Atoi(id); return p }
		assert.Zero(t, r.stream().Disorder(position))
	})
}

func TestDryRunSendsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		r := startRig(t, server, func(c *Config) { c.Debug.DontSendLogs, c.Debug.Status = true, true })
		r.send(10, 10)
		r.shutdown()
		assert.Zero(t, r.stream().Len())
		assert.Equal(t, int64(10), r.sum("records", "outcome", "dropped", "reason", "dry_run"))
		lines := r.logs.FilterMessage("Record processed, not sent.").All()
		require.Len(t, lines, 10)
		assert.Contains(t, fmt.Sprint(lines[0].ContextMap()["data"]), "#000000#")
		r.balanced()
	})
}
