// SPDX-License-Identifier: Apache-2.0

// Package accounting keeps the books of the records: each one accepted ends as delivered, dropped or returned.
//
//	accepted + restored = delivered + dropped + returned + still here
//
// The collector's own counters settle whole batches and cannot say what became of a record in one.
package accounting

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/metadata"
)

// Reasons for which records are dropped or returned, as they appear in metrics and logs.
// Those that Kinesis refuses or fails carry the error code of Kinesis instead.
const (
	ReasonTooLarge  = "too_large"         // over max_record_size, and not to be truncated
	ReasonEncoding  = "encoding"          // could not be written in the field format
	ReasonPipeline  = "pipeline"          // a post-processor pipeline with error_mode propagate failed
	ReasonFiltered  = "filtered"          // excluded by a post-processor pipeline
	ReasonExhausted = "retries_exhausted" // failed for longer than retry_on_failure::max_elapsed_time
	ReasonShutdown  = "shutdown"          // not delivered when the collector had to end
	ReasonCanceled  = "canceled"          // the sender gave up before the records were delivered
	ReasonDisabled  = "disabled"          // status: false
	ReasonDryRun    = "dry_run"           // debug::dont_send_logs: true
)

const (
	outcomeDelivered = "delivered"
	outcomeRetried   = "retried"
	outcomeDropped   = "dropped"
	outcomeReturned  = "returned"
)

// quietPeriod is how long a reason for drops is not logged again.
const quietPeriod = time.Minute

// Ledger counts records by outcome. It is safe for concurrent use.
type Ledger struct {
	// DryRun makes the books of an exporter that sends nothing: what it would have delivered is dropped as configured.
	DryRun bool

	telemetry  *metadata.TelemetryBuilder
	logger     *zap.Logger
	attributes []attribute.KeyValue // of all measurements

	accepted, restored, delivered, dropped, returned atomic.Int64

	options sync.Map // of [3]string (attribute, value, value) to metric.MeasurementOption

	mu     sync.Mutex
	losses map[string]*loss
}

// loss is what was dropped for one reason and not logged yet.
type loss struct {
	count  int64
	detail error
	timer  *time.Timer // runs during the quiet period
}

// Totals are the books at one moment, in records.
type Totals struct {
	Accepted, Restored, Delivered, Dropped, Returned int64
}

// Open returns how many records have no outcome yet.
func (t Totals) Open() int64 {
	return t.Accepted + t.Restored - t.Delivered - t.Dropped - t.Returned
}

// New opens the books. The attributes are those of all measurements; they tell exporters apart.
func New(telemetry *metadata.TelemetryBuilder, logger *zap.Logger, attributes ...attribute.KeyValue) *Ledger {
	return &Ledger{
		telemetry: telemetry,
		// Where in this code a loss was noticed tells its reader nothing.
		logger:     logger.WithOptions(zap.AddStacktrace(zap.FatalLevel)),
		attributes: attributes,
		losses:     map[string]*loss{},
	}
}

// Accepted records that n records were taken over.
func (l *Ledger) Accepted(n int) {
	if n > 0 {
		l.accepted.Add(int64(n))
		l.telemetry.ExporterAmazonkinesisAcceptedRecords.Add(context.Background(), int64(n), l.with("", "", ""))
	}
}

// Restored records that a persistent queue has n records that a former run of the exporter accepted.
func (l *Ledger) Restored(n int64) {
	if n > 0 {
		l.restored.Add(n)
		l.telemetry.ExporterAmazonkinesisRestoredRecords.Add(context.Background(), n, l.with("", "", ""))
	}
}

// Delivered records that Kinesis has taken n records of so many bytes of data and keys.
func (l *Ledger) Delivered(n, bytes int) {
	if l.DryRun {
		l.Discarded(n, ReasonDryRun)
		return
	}
	if n > 0 {
		l.delivered.Add(int64(n))
		l.telemetry.ExporterAmazonkinesisRecords.Add(context.Background(), int64(n), l.with("outcome", outcomeDelivered, ""))
		l.telemetry.ExporterAmazonkinesisBytes.Add(context.Background(), int64(bytes), l.with("", "", ""))
	}
}

// Retried records that n records have to be sent again. That is no outcome: a record may be counted many times.
func (l *Ledger) Retried(n int, reason string) {
	if n > 0 {
		l.telemetry.ExporterAmazonkinesisRecords.Add(context.Background(), int64(n), l.with("outcome", outcomeRetried, reason))
	}
}

// Returned records that n records went back to where they came from: a persistent queue or a waiting sender.
func (l *Ledger) Returned(n int, reason string) {
	if n > 0 {
		l.returned.Add(int64(n))
		l.telemetry.ExporterAmazonkinesisRecords.Add(context.Background(), int64(n), l.with("outcome", outcomeReturned, reason))
	}
}

// Dropped records that n records are lost, and logs it, at most once a minute for each reason.
func (l *Ledger) Dropped(n int, reason string, detail error) {
	if n <= 0 {
		return
	}
	l.Discarded(n, reason)

	l.mu.Lock()
	defer l.mu.Unlock()
	lost := l.losses[reason]
	if lost == nil {
		lost = &loss{}
		l.losses[reason] = lost
	}
	lost.count += int64(n)
	lost.detail = detail
	if lost.timer == nil {
		l.logLoss(reason, lost)
		lost.timer = time.AfterFunc(quietPeriod, func() { l.endQuiet(reason) })
	}
}

// Discarded records that n records were dropped as configured, which is not worth a line in the log.
func (l *Ledger) Discarded(n int, reason string) {
	if n > 0 {
		l.dropped.Add(int64(n))
		l.telemetry.ExporterAmazonkinesisRecords.Add(context.Background(), int64(n), l.with("outcome", outcomeDropped, reason))
	}
}

func (l *Ledger) endQuiet(reason string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	lost := l.losses[reason]
	if lost == nil || lost.timer == nil {
		return
	}
	if lost.count == 0 {
		lost.timer = nil
		return
	}
	l.logLoss(reason, lost)
	lost.timer = time.AfterFunc(quietPeriod, func() { l.endQuiet(reason) })
}

func (l *Ledger) logLoss(reason string, lost *loss) {
	l.logger.Error("Records dropped.", zap.Int64("records", lost.count), zap.String("reason", reason), zap.Error(lost.detail))
	lost.count = 0
}

// PossibleDuplicates records that n records are sent again although Kinesis may have taken them.
func (l *Ledger) PossibleDuplicates(n int) {
	if n > 0 {
		l.telemetry.ExporterAmazonkinesisPossibleDuplicates.Add(context.Background(), int64(n), l.with("", "", ""))
	}
}

// Request records one PutRecords request. The result is ok, partial or the error code.
func (l *Ledger) Request(result string, duration time.Duration, records, bytes int) {
	if l.DryRun {
		return
	}
	ctx := context.Background()
	l.telemetry.ExporterAmazonkinesisRequests.Add(ctx, 1, l.with("result", result, ""))
	l.telemetry.ExporterAmazonkinesisRequestDuration.Record(ctx, duration.Seconds(), l.with("", "", ""))
	l.telemetry.ExporterAmazonkinesisRequestRecords.Record(ctx, int64(records), l.with("", "", ""))
	l.telemetry.ExporterAmazonkinesisRequestSize.Record(ctx, int64(bytes), l.with("", "", ""))
}

// Throttled records that a shard was full and refused n records.
func (l *Ledger) Throttled(n int, shard string) {
	if n > 0 {
		l.telemetry.ExporterAmazonkinesisThrottledRecords.Add(context.Background(), int64(n), l.with("shard", shard, ""))
	}
}

// Totals returns the books as they are now.
func (l *Ledger) Totals() Totals {
	// The outcomes are read before what they are the outcome of, so that Open is never negative.
	t := Totals{Delivered: l.delivered.Load(), Dropped: l.dropped.Load(), Returned: l.returned.Load()}
	t.Accepted, t.Restored = l.accepted.Load(), l.restored.Load()
	return t
}

// Close logs the drops that the quiet periods held back.
func (l *Ledger) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for reason, lost := range l.losses {
		if lost.timer != nil {
			lost.timer.Stop()
			lost.timer = nil
		}
		if lost.count > 0 {
			l.logLoss(reason, lost)
		}
	}
}

// with returns the attributes of a measurement: those of all, and name=value and reason where they are given.
func (l *Ledger) with(name, value, reason string) metric.MeasurementOption {
	key := [3]string{name, value, reason}
	if option, ok := l.options.Load(key); ok {
		return option.(metric.MeasurementOption)
	}
	attributes := slices.Clone(l.attributes)
	if name != "" {
		attributes = append(attributes, attribute.String(name, value))
	}
	if reason != "" {
		attributes = append(attributes, attribute.String("reason", reason))
	}
	option := metric.WithAttributeSet(attribute.NewSet(attributes...))
	l.options.Store(key, option)
	return option
}
