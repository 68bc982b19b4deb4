// SPDX-License-Identifier: Apache-2.0

package metadata

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/metric"

	"go.opentelemetry.io/collector/component"
)

// TelemetryBuilder holds the instruments of the component; documentation.md says what each means.
type TelemetryBuilder struct {
	meter metric.Meter

	ExporterAmazonkinesisAcceptedRecords     metric.Int64Counter
	ExporterAmazonkinesisRestoredRecords     metric.Int64Counter
	ExporterAmazonkinesisRecords             metric.Int64Counter
	ExporterAmazonkinesisBytes               metric.Int64Counter
	ExporterAmazonkinesisPossibleDuplicates  metric.Int64Counter
	ExporterAmazonkinesisRequests            metric.Int64Counter
	ExporterAmazonkinesisRequestDuration     metric.Float64Histogram
	ExporterAmazonkinesisRequestRecords      metric.Int64Histogram
	ExporterAmazonkinesisRequestSize         metric.Int64Histogram
	ExporterAmazonkinesisThrottledRecords    metric.Int64Counter
	ExporterAmazonkinesisWaitingRecords      metric.Int64ObservableGauge
	ExporterAmazonkinesisShardWaitingRecords metric.Int64ObservableGauge
	ExporterAmazonkinesisHotKeyShare         metric.Float64ObservableGauge
	ExporterAmazonkinesisExecutions          metric.Int64Counter
	ExporterAmazonkinesisExecutionDuration   metric.Float64Histogram
	ExporterAmazonkinesisExecutionRecords    metric.Int64Histogram
	ExporterAmazonkinesisNextExecution       metric.Int64ObservableGauge
}

// NewTelemetryBuilder makes the instruments.
func NewTelemetryBuilder(settings component.TelemetrySettings) (*TelemetryBuilder, error) {
	b := &TelemetryBuilder{meter: settings.MeterProvider.Meter(ScopeName)}
	var err, errs error
	b.ExporterAmazonkinesisAcceptedRecords, err = b.meter.Int64Counter("otelcol_exporter_amazonkinesis_accepted_records",
		metric.WithDescription("Number of records that the exporter has taken over. [Alpha]"), metric.WithUnit("{record}"))
	errs = errors.Join(errs, err)
	b.ExporterAmazonkinesisRestoredRecords, err = b.meter.Int64Counter("otelcol_exporter_amazonkinesis_restored_records",
		metric.WithDescription("Number of records that a persistent queue held from a former run when the exporter started. [Alpha]"), metric.WithUnit("{record}"))
	errs = errors.Join(errs, err)
	b.ExporterAmazonkinesisRecords, err = b.meter.Int64Counter("otelcol_exporter_amazonkinesis_records",
		metric.WithDescription("Number of records by outcome and reason. [Alpha]"), metric.WithUnit("{record}"))
	errs = errors.Join(errs, err)
	b.ExporterAmazonkinesisBytes, err = b.meter.Int64Counter("otelcol_exporter_amazonkinesis_bytes",
		metric.WithDescription("Bytes of data and partition keys in the records that Kinesis has taken. [Alpha]"), metric.WithUnit("By"))
	errs = errors.Join(errs, err)
	b.ExporterAmazonkinesisPossibleDuplicates, err = b.meter.Int64Counter("otelcol_exporter_amazonkinesis_possible_duplicates",
		metric.WithDescription("Number of records sent again although Kinesis may have taken them, because its answer was lost. [Alpha]"), metric.WithUnit("{record}"))
	errs = errors.Join(errs, err)
	b.ExporterAmazonkinesisRequests, err = b.meter.Int64Counter("otelcol_exporter_amazonkinesis_requests",
		metric.WithDescription("Number of PutRecords requests by result. [Alpha]"), metric.WithUnit("{request}"))
	errs = errors.Join(errs, err)
	b.ExporterAmazonkinesisRequestDuration, err = b.meter.Float64Histogram("otelcol_exporter_amazonkinesis_request_duration",
		metric.WithDescription("Time from the start of a PutRecords request to the end of its answer. [Alpha]"), metric.WithUnit("s"),
		metric.WithExplicitBucketBoundaries(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60))
	errs = errors.Join(errs, err)
	b.ExporterAmazonkinesisRequestRecords, err = b.meter.Int64Histogram("otelcol_exporter_amazonkinesis_request_records",
		metric.WithDescription("Number of records in a PutRecords request. [Alpha]"), metric.WithUnit("{record}"),
		metric.WithExplicitBucketBoundaries(1, 10, 50, 100, 250, 400, 494, 499, 500))
	errs = errors.Join(errs, err)
	b.ExporterAmazonkinesisRequestSize, err = b.meter.Int64Histogram("otelcol_exporter_amazonkinesis_request_size",
		metric.WithDescription("Bytes of data and partition keys in a PutRecords request. [Alpha]"), metric.WithUnit("By"),
		metric.WithExplicitBucketBoundaries(1<<10, 1<<13, 1<<16, 1<<18, 1<<19, 1<<20, 1<<21, 1<<22, 1<<23, 10<<20))
	errs = errors.Join(errs, err)
	b.ExporterAmazonkinesisThrottledRecords, err = b.meter.Int64Counter("otelcol_exporter_amazonkinesis_throttled_records",
		metric.WithDescription("Number of times a shard has refused a record because it was full. [Alpha]"), metric.WithUnit("{record}"))
	errs = errors.Join(errs, err)
	b.ExporterAmazonkinesisWaitingRecords, err = b.meter.Int64ObservableGauge("otelcol_exporter_amazonkinesis_waiting_records",
		metric.WithDescription("Number of records that wait for another attempt or for room in their shard. [Alpha]"), metric.WithUnit("{record}"))
	errs = errors.Join(errs, err)
	b.ExporterAmazonkinesisShardWaitingRecords, err = b.meter.Int64ObservableGauge("otelcol_exporter_amazonkinesis_shard_waiting_records",
		metric.WithDescription("Number of records that wait for room in a full shard. [Alpha]"), metric.WithUnit("{record}"))
	errs = errors.Join(errs, err)
	b.ExporterAmazonkinesisHotKeyShare, err = b.meter.Float64ObservableGauge("otelcol_exporter_amazonkinesis_hot_key_share",
		metric.WithDescription("Share of the heaviest partition keys in what is offered to a full shard. [Alpha]"), metric.WithUnit("1"))
	errs = errors.Join(errs, err)
	b.ExporterAmazonkinesisExecutions, err = b.meter.Int64Counter("otelcol_exporter_amazonkinesis_executions",
		metric.WithDescription("Number of completed scheduled executions. [Alpha]"), metric.WithUnit("{execution}"))
	errs = errors.Join(errs, err)
	b.ExporterAmazonkinesisExecutionDuration, err = b.meter.Float64Histogram("otelcol_exporter_amazonkinesis_execution_duration",
		metric.WithDescription("Time from the beginning of a scheduled execution until its last record was settled. [Alpha]"), metric.WithUnit("s"),
		metric.WithExplicitBucketBoundaries(0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600))
	errs = errors.Join(errs, err)
	b.ExporterAmazonkinesisExecutionRecords, err = b.meter.Int64Histogram("otelcol_exporter_amazonkinesis_execution_records",
		metric.WithDescription("Number of records that a scheduled execution settled. [Alpha]"), metric.WithUnit("{record}"),
		metric.WithExplicitBucketBoundaries(0, 10, 100, 1000, 10_000, 100_000, 1_000_000))
	errs = errors.Join(errs, err)
	b.ExporterAmazonkinesisNextExecution, err = b.meter.Int64ObservableGauge("otelcol_exporter_amazonkinesis_next_execution",
		metric.WithDescription("Time of the next scheduled execution in seconds since 1970. [Alpha]"), metric.WithUnit("s"))
	errs = errors.Join(errs, err)
	return b, errs
}

// RegisterCallback calls f at each collection; the observable instruments are to be observed there.
func (b *TelemetryBuilder) RegisterCallback(f func(context.Context, metric.Observer) error, instruments ...metric.Observable) (metric.Registration, error) {
	return b.meter.RegisterCallback(f, instruments...)
}
