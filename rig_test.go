// SPDX-License-Identifier: Apache-2.0

package amazonkinesisexporter

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/kinesistest"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/metadata"
)

// rig is an exporter as the collector runs it, in front of a Kinesis in this process.
type rig struct {
	t         testing.TB
	server    *kinesistest.Server
	cfg       *Config
	exporter  exporter.Logs
	telemetry *componenttest.Telemetry
	logs      *observer.ObservedLogs
	host      *testHost
	accepted  int // records that ConsumeLogs has accepted
	sent      int // records that were made
}

const testStream = "logs"

// idOf finds the number that sendLogs put into a record's body.
func idOf(data []byte) string {
	_, rest, _ := bytes.Cut(data, []byte("#"))
	id, _, _ := bytes.Cut(rest, []byte("#"))
	return string(id)
}

// newServer returns an in-process Kinesis that works inside a synctest bubble.
func newServer(t testing.TB, edit func(*kinesistest.Config)) *kinesistest.Server {
	cfg := kinesistest.Config{InMemory: true, Stream: testStream, Shards: 4, ID: idOf, SkipSignatures: true}
	if edit != nil {
		edit(&cfg)
	}
	return kinesistest.New(t, cfg)
}

// newRig makes an exporter that is not started.
func newRig(t testing.TB, server *kinesistest.Server, edit func(*Config)) *rig {
	cfg := newDefaultConfig()
	cfg.Region, cfg.Stream, cfg.Endpoint = server.Region(), testStream, server.URL()
	cfg.Key, cfg.Secret = opaque(server.Credentials().AccessKeyID), opaque(server.Credentials().SecretAccessKey)
	cfg.PartitionKey, cfg.PartitionKeyFrom = "", "UUID()"
	if edit != nil {
		edit(cfg)
	}
	core, logs := observer.New(zapcore.DebugLevel)
	telemetry := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, telemetry.Shutdown(context.Background())) })
	set := exportertest.NewNopSettings(metadata.Type)
	set.ID = component.NewID(metadata.Type) // a persistent queue is found by it
	set.TelemetrySettings = telemetry.NewTelemetrySettings()
	set.Logger = zap.New(core)
	exp, err := newLogs(set, cfg, network{dial: server.DialContext})
	require.NoError(t, err)
	return &rig{t: t, server: server, cfg: cfg, exporter: exp, telemetry: telemetry, logs: logs, host: &testHost{}}
}

// startRig makes an exporter and starts it. It is shut down with the test unless the test does so.
func startRig(t testing.TB, server *kinesistest.Server, edit func(*Config)) *rig {
	r := newRig(t, server, edit)
	r.start()
	return r
}

func (r *rig) start() {
	require.NoError(r.t, r.exporter.Start(r.t.Context(), r.host))
}

func (r *rig) shutdown() {
	require.NoError(r.t, r.exporter.Shutdown(context.Background()))
}

// send makes n records in requests of the given size and hands them over.
func (r *rig) send(n, requestSize int) {
	for n > 0 {
		size := min(n, requestSize)
		n -= size
		require.NoError(r.t, r.try(size))
	}
}

// try hands over one request of n records, which count as sent whether they are accepted or not.
func (r *rig) try(n int) error {
	ld := numbered(r.sent, n)
	r.sent += n
	err := r.exporter.ConsumeLogs(r.t.Context(), ld)
	if err == nil {
		r.accepted += n
	}
	return err
}

// numbered returns n records numbered from first on, each of which names its number in its body.
func numbered(first, n int) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", "test")
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	records.EnsureCapacity(n)
	for i := range n {
		lr := records.AppendEmpty()
		lr.SetTimestamp(1_700_000_000_000_000_000)
		lr.Body().SetStr(fmt.Sprintf("#%06d#", first+i))
		lr.Attributes().PutStr("key", fmt.Sprintf("key-%d", (first+i)%100))
	}
	return ld
}

// ids are the ids of the records sent so far.
func (r *rig) ids() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range r.sent {
			if !yield(fmt.Sprintf("%06d", i)) {
				return
			}
		}
	}
}

func (r *rig) stream() *kinesistest.Stream { return r.server.Stream(testStream) }

// tally compares what was sent with what the stream has.
func (r *rig) tally() kinesistest.Tally { return r.stream().Tally(r.ids()) }

// sum adds up the points of a counter that have all the given attributes.
func (r *rig) sum(name string, attributes ...string) int64 {
	metric, err := r.telemetry.GetMetric("otelcol_exporter_amazonkinesis_" + name)
	if err != nil {
		return 0
	}
	var total int64
	for _, point := range metric.Data.(metricdata.Sum[int64]).DataPoints {
		matches := true
		for i := 0; i < len(attributes); i += 2 {
			value, _ := point.Attributes.Value(attributeKey(attributes[i]))
			matches = matches && value.AsString() == attributes[i+1]
		}
		if matches {
			total += point.Value
		}
	}
	return total
}

// balanced checks that every record that was accepted or restored is in the books with one outcome.
func (r *rig) balanced() {
	r.t.Helper()
	accepted := r.sum("accepted_records")
	outcomes := r.sum("records", "outcome", "delivered") + r.sum("records", "outcome", "dropped") + r.sum("records", "outcome", "returned")
	require.Equal(r.t, int64(r.accepted), accepted, "records accepted")
	require.Equal(r.t, accepted+r.sum("restored_records"), outcomes, "accepted + restored = delivered + dropped + returned")
}

// testHost is a host with extensions that remembers the component's status.
type testHost struct {
	extensions map[component.ID]component.Component

	mu     sync.Mutex
	events []*componentstatus.Event
}

func (h *testHost) GetExtensions() map[component.ID]component.Component { return h.extensions }

func (h *testHost) Report(event *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, event)
}

// statuses returns the statuses reported so far.
func (h *testHost) statuses() []componentstatus.Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []componentstatus.Status
	for _, e := range h.events {
		all = append(all, e.Status())
	}
	return all
}

func zapReason(reason string) zap.Field { return zap.String("reason", reason) }

func assertJSON(t testing.TB, data []byte) {
	t.Helper()
	require.True(t, json.Valid(data), "%s", data)
}
