// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.uber.org/zap"

	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configretry"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/accounting"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/metadata"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/putrecords"
)

// instantKinesis answers at once and looks at nothing.
type instantKinesis struct {
	*putrecords.Client
	answer func(*putrecords.Request) (putrecords.Answer, error)
}

func (k *instantKinesis) Put(_ context.Context, req *putrecords.Request) (putrecords.Answer, error) {
	return k.answer(req)
}

const benchBatch = 500

// benchRecords makes batches of records of 300 bytes, with a key each out of so many.
func benchRecords(keys int) iter.Seq[Record] {
	data := make([]byte, 300)
	names := make([]string, keys)
	for i := range names {
		names[i] = fmt.Sprintf("host-%d.example.com", i)
	}
	return func(yield func(Record) bool) {
		for i := range benchBatch {
			if !yield(Record{Ordinal: i, Data: data, Key: names[i%keys]}) {
				return
			}
		}
	}
}

func newBenchDeliverer(b *testing.B, edit func(*Config), answer func(*putrecords.Request) (putrecords.Answer, error)) *Deliverer {
	telemetry := componenttest.NewTelemetry()
	builder, err := metadata.NewTelemetryBuilder(telemetry.NewTelemetrySettings())
	require.NoError(b, err)
	ready := make(chan struct{})
	close(ready)
	cfg := Config{Stream: "logs", Concurrency: 10, Ready: ready, Retry: configretry.NewDefaultBackOffConfig(), Report: func(error) {}}
	if edit != nil {
		edit(&cfg)
	}
	ledger := accounting.New(builder, zap.NewNop(), attribute.String("stream", "logs"))
	d := New(cfg, &instantKinesis{putrecords.NewClient(putrecords.Config{Stream: "logs"}), answer}, ledger, zap.NewNop())
	b.Cleanup(func() {
		d.Close()
		ledger.Close()
		require.NoError(b, telemetry.Shutdown(context.Background()))
	})
	return d
}

// perRecord reports time, allocations and memory for each record instead of each batch.
func perRecord(b *testing.B, deliver func()) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for b.Loop() {
		deliver()
	}
	runtime.ReadMemStats(&after)
	records := float64(b.N) * benchBatch
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/records, "ns/record")
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/records, "allocs/record")
	b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/records, "B/record")
	b.ReportMetric(0, "ns/op")
}

func BenchmarkDeliver(b *testing.B) {
	fine := func(*putrecords.Request) (putrecords.Answer, error) { return putrecords.Answer{}, nil }
	b.Run("all is well", func(b *testing.B) {
		d := newBenchDeliverer(b, nil, fine)
		records := benchRecords(100)
		perRecord(b, func() { d.Deliver(b.Context(), benchBatch, records) })
	})
	b.Run("a full shard elsewhere", func(b *testing.B) {
		d := newBenchDeliverer(b, nil, fine)
		d.backlog.learn([]sighting{sight("nobody's", "shardId-1", true)}, time.Now().Add(time.Hour))
		records := benchRecords(100)
		perRecord(b, func() { d.Deliver(b.Context(), benchBatch, records) })
	})
	b.Run("a full shard elsewhere, one key", func(b *testing.B) {
		d := newBenchDeliverer(b, nil, fine)
		d.backlog.learn([]sighting{sight("nobody's", "shardId-1", true)}, time.Now().Add(time.Hour))
		records := benchRecords(1)
		perRecord(b, func() { d.Deliver(b.Context(), benchBatch, records) })
	})
	b.Run("ordered", func(b *testing.B) {
		d := newBenchDeliverer(b, func(c *Config) { c.Ordered = true }, fine)
		records := benchRecords(100)
		perRecord(b, func() { d.Deliver(b.Context(), benchBatch, records) })
	})
	// What comes back waits for a moment, so of these only the memory says something.
	soon := func(c *Config) { c.Retry.InitialInterval, c.Retry.MaxInterval = 1, 1 }
	b.Run("one of a hundred entries fails", func(b *testing.B) {
		n := 0
		results := make([]putrecords.Result, benchBatch)
		d := newBenchDeliverer(b, soon, func(req *putrecords.Request) (putrecords.Answer, error) {
			a := putrecords.Answer{Results: results[:req.Len()]}
			for i := range a.Results {
				a.Results[i] = putrecords.Result{ShardID: "shardId-000000000000"}
				if n++; n%100 == 0 {
					a.Results[i] = putrecords.Result{ErrorCode: "InternalFailure"}
					a.Failed++
				}
			}
			return a, nil
		})
		records := benchRecords(100)
		perRecord(b, func() { d.Deliver(b.Context(), benchBatch, records) })
	})
	b.Run("every call fails once", func(b *testing.B) {
		n := 0
		d := newBenchDeliverer(b, soon, func(*putrecords.Request) (putrecords.Answer, error) {
			if n++; n%2 == 1 {
				return putrecords.Answer{}, errUnavailable
			}
			return putrecords.Answer{}, nil
		})
		records := benchRecords(100)
		perRecord(b, func() { d.Deliver(b.Context(), benchBatch, records) })
	})
}
