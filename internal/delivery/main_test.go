// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configretry"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/accounting"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/metadata"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/putrecords"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// call is what a fakeKinesis is asked.
type call struct {
	n    int // of the call, from 0 on
	at   time.Duration
	data []string
	keys []string
}

func (c call) has(data string) bool { return slices.Contains(c.data, data) }

// fakeKinesis is a Client that answers as a function says.
type fakeKinesis struct {
	requests *putrecords.Client
	answer   func(call) (putrecords.Answer, error)

	mu         sync.Mutex
	begin      time.Time
	calls      []call
	inFlight   int
	mostAtOnce int
}

func newFakeKinesis(answer func(call) (putrecords.Answer, error)) *fakeKinesis {
	return &fakeKinesis{
		requests: putrecords.NewClient(putrecords.Config{Stream: "logs"}),
		answer:   answer,
		begin:    time.Now(),
	}
}

func (f *fakeKinesis) NewRequest() *putrecords.Request { return f.requests.NewRequest() }

func (f *fakeKinesis) Put(_ context.Context, req *putrecords.Request) (putrecords.Answer, error) {
	f.mu.Lock()
	c := call{n: len(f.calls), at: time.Since(f.begin)}
	for i := range req.Len() {
		c.data = append(c.data, string(req.Data(i)))
		c.keys = append(c.keys, string([]byte(req.Key(i))))
	}
	f.calls = append(f.calls, c)
	f.inFlight++
	f.mostAtOnce = max(f.mostAtOnce, f.inFlight)
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.inFlight--
	}()
	return f.answer(c)
}

// made returns the calls that were made so far.
func (f *fakeKinesis) made() []call {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[:len(f.calls):len(f.calls)]
}

// Answers of a fakeKinesis.

var taken = putrecords.Answer{}

// entries answers with one error code for each record, empty for those that are taken.
func entries(codes ...string) putrecords.Answer {
	var a putrecords.Answer
	for _, code := range codes {
		r := putrecords.Result{ErrorCode: code}
		if code != "" {
			a.Failed++
		}
		a.Results = append(a.Results, r)
	}
	return a
}

// each answers with what result says of each record.
func each(c call, result func(data, key string) putrecords.Result) putrecords.Answer {
	var a putrecords.Answer
	for i := range c.data {
		r := result(c.data[i], c.keys[i])
		if r.ErrorCode != "" {
			a.Failed++
		}
		a.Results = append(a.Results, r)
	}
	if a.Failed == 0 {
		return taken
	}
	return a
}

var (
	errUnavailable = &putrecords.Error{Code: "ServiceUnavailable"}
	errTimeout     = &putrecords.Error{Code: putrecords.CodeTimeout, MaybeTaken: true}
	errRefused     = &putrecords.Error{Code: "InvalidArgumentException", Class: putrecords.Refused}
	errTooLarge    = &putrecords.Error{Code: "RequestEntityTooLarge", Class: putrecords.TooLarge}
	errCredentials = &putrecords.Error{Code: "ExpiredTokenException", Credentials: true}
	errOther       = errors.New("something else")
)

// rig is a Deliverer with what it needs.
type rig struct {
	*Deliverer
	t         testing.TB
	kinesis   *fakeKinesis
	ledger    *accounting.Ledger
	logs      *observer.ObservedLogs
	telemetry *componenttest.Telemetry

	mu      sync.Mutex
	reports []error
}

func newRig(t testing.TB, kinesis *fakeKinesis, edit func(*Config)) *rig {
	telemetry := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, telemetry.Shutdown(context.Background())) })
	builder, err := metadata.NewTelemetryBuilder(telemetry.NewTelemetrySettings())
	require.NoError(t, err)
	core, logs := observer.New(zapcore.DebugLevel)
	logger := zap.New(core)
	ready := make(chan struct{})
	close(ready)
	retry := configretry.NewDefaultBackOffConfig()
	retry.InitialInterval, retry.MaxElapsedTime, retry.RandomizationFactor = time.Second, 0, 0
	r := &rig{t: t, kinesis: kinesis, ledger: accounting.New(builder, logger, attribute.String("stream", "logs")), logs: logs, telemetry: telemetry}
	cfg := Config{
		Stream:      "logs",
		Concurrency: 10,
		Retry:       retry,
		Ready:       ready,
		Report: func(err error) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.reports = append(r.reports, err)
		},
	}
	if edit != nil {
		edit(&cfg)
	}
	r.Deliverer = New(cfg, kinesis, r.ledger, logger)
	t.Cleanup(func() {
		r.Close()
		r.ledger.Close()
	})
	return r
}

// deliver hands over records and accounts for what is left.
func (r *rig) deliver(ctx context.Context, n int, records iter.Seq[Record]) Result {
	r.ledger.Accepted(n)
	result := r.Deliver(ctx, n, records)
	r.ledger.Returned(len(result.Left), "left")
	return result
}

// sum adds up a counter, or its points with one attribute.
func (r *rig) sum(name string, attributes ...string) (total int64) {
	metric, err := r.telemetry.GetMetric("otelcol_exporter_amazonkinesis_" + name)
	if err != nil {
		return 0 // never counted
	}
	for _, point := range metric.Data.(metricdata.Sum[int64]).DataPoints {
		matches := true
		for i := 0; i < len(attributes); i += 2 {
			value, _ := point.Attributes.Value(attribute.Key(attributes[i]))
			matches = matches && value.AsString() == attributes[i+1]
		}
		if matches {
			total += point.Value
		}
	}
	return total
}

// reported returns what was reported so far.
func (r *rig) reported() []error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.reports)
}

// balanced checks that each record that was handed over has one outcome in the books.
func (r *rig) balanced() {
	r.t.Helper()
	totals := r.ledger.Totals()
	require.Zero(r.t, totals.Open(), "%+v", totals)
}

// named makes records out of data, each with a key. They lie in buffers that are used again, as the encoder's do.
func named(key func(i int) string, data ...string) (int, iter.Seq[Record]) {
	return len(data), func(yield func(Record) bool) {
		var dataBuffer, keyBuffer []byte
		for i, d := range data {
			dataBuffer = append(dataBuffer[:0], d...)
			keyBuffer = append(keyBuffer[:0], key(i)...)
			if !yield(Record{Ordinal: i, Data: dataBuffer, Key: unsafe.String(unsafe.SliceData(keyBuffer), len(keyBuffer))}) {
				return
			}
		}
	}
}

func ownKey(i int) string { return fmt.Sprintf("key-%d", i) }

// numbers returns n texts, "first", "first+1" and so on.
func numbers(first, n int) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprint(first+i))
	}
	return all
}
