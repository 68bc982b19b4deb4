// SPDX-License-Identifier: Apache-2.0

package amazonkinesisexporter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exporterhelper/xexporterhelper"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/accounting"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/delivery"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/metadata"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/postprocess"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/schedule"
)

// kinesisExporter is the logs exporter. Records go this way:
//
//	ConsumeLogs ─▶ sending queue ─▶ batcher ─▶ push ─▶ encode ─▶ deliver
//	(this)         (the helper)                (this)  (encoder)  (delivery.Deliverer)
//
// push returns when every record of its batch is settled. The helper's retry has nothing to do but to tell a persistent
// queue at shutdown that it has to keep a batch.
type kinesisExporter struct {
	exporter.Logs // the helper's

	cfg       *Config
	set       exporter.Settings
	network   network
	telemetry *metadata.TelemetryBuilder
	ledger    *accounting.Ledger
	measured  []attribute.KeyValue // attributes of all measurements
	status    *statusReporter
	chain     *postprocess.Chain
	gate      *schedule.Gate // nil: what is queued is delivered at once
	encoders  sync.Pool

	nextExecution atomic.Int64 // seconds since 1970; 0: none

	connection *connection         // from start on
	deliverer  *delivery.Deliverer // from start on
	gauges     metric.Registration
}

func newLogs(set exporter.Settings, cfg *Config, network network) (exporter.Logs, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	if cfg.Name != "" {
		set.Logger = set.Logger.With(zap.String("target", cfg.Name))
	}
	measured := measurementAttributes(set, cfg)
	e := &kinesisExporter{
		cfg:       cfg,
		set:       set,
		network:   network,
		telemetry: telemetry,
		ledger:    accounting.New(telemetry, set.Logger, measured...),
		measured:  measured,
		status:    &statusReporter{},
	}
	e.ledger.DryRun = cfg.Debug.DontSendLogs
	encoder, err := newEncoder(cfg, e.ledger, set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	e.encoders.New = func() any { return encoder.clone() }
	if e.chain, err = postprocess.New(cfg.Pipelines, set.TelemetrySettings); err != nil {
		return nil, err
	}
	push := consumer.ConsumeLogsFunc(e.push)
	queueSettings := xexporterhelper.NewLogsQueueBatchSettings()
	if cfg.scheduled() {
		if e.gate, err = e.newGate(); err != nil {
			return nil, err
		}
		push = e.gate.Push(push)
		queueSettings = e.gate.Settings()
	}
	set.Logger = withoutHelperLosses(set.Logger)
	e.Logs, err = exporterhelper.NewLogs(context.Background(), set, cfg, push,
		exporterhelper.WithStart(e.startDelivery),
		// Waiting for a turn must not count against the timeout of a call, so calls have their own.
		exporterhelper.WithTimeout(exporterhelper.TimeoutConfig{Timeout: 0}),
		exporterhelper.WithRetry(keepAtShutdown()),
		xexporterhelper.WithQueueBatch(helperQueue(cfg), queueSettings),
	)
	if err != nil {
		return nil, err
	}
	return e, nil
}

// measurementAttributes tells the measurements of this exporter from those of another one.
func measurementAttributes(set exporter.Settings, cfg *Config) []attribute.KeyValue {
	return []attribute.KeyValue{attribute.String("exporter", set.ID.String()), attribute.String("stream", cfg.Stream)}
}

// newGate returns the gate between queue and batcher of a scheduled exporter.
func (e *kinesisExporter) newGate() (*schedule.Gate, error) {
	timetable := schedule.Every(e.cfg.Interval)
	if e.cfg.Cron != "" {
		var err error
		if timetable, err = schedule.ParseCron(e.cfg.Cron, e.cfg.TimeZone); err != nil {
			return nil, err
		}
	}
	measured := metric.WithAttributes(e.measured...)
	return schedule.New(timetable, persistent(e.cfg), e.set.Logger, schedule.Observer{
		Executed: func(x schedule.Execution) {
			ctx := context.Background()
			e.telemetry.ExporterAmazonkinesisExecutions.Add(ctx, 1, measured)
			e.telemetry.ExporterAmazonkinesisExecutionDuration.Record(ctx, x.Duration.Seconds(), measured)
			e.telemetry.ExporterAmazonkinesisExecutionRecords.Record(ctx, x.Records, measured)
		},
		Scheduled: func(next time.Time) { e.nextExecution.Store(next.Unix()) },
	}), nil
}

// keepAtShutdown configures the helper's retry, which sees an error of push only when the exporter shuts down or the
// sender gave up. It then waits for the shutdown, of which it tells a persistent queue.
func keepAtShutdown() configretry.BackOffConfig {
	retry := configretry.NewDefaultBackOffConfig()
	retry.MaxElapsedTime = 0
	return retry
}

const (
	// waitingBatches bounds how many batches may wait for their last records while others go on.
	waitingBatches = 200
	// waitingStored is that bound, for each call in flight, with a persistent queue: what is in hand when the collector
	// is killed is sent again.
	waitingStored = 4
	// orderedBatch is how many requests' worth of records are sorted by key at a time.
	orderedBatch = 10
)

// helperQueue returns the queue's configuration for the helper.
//
// num_consumers is the number of calls in flight, which the deliverer sees to. The helper gets a worker for each batch
// that may wait for the last of its records; without them a few records of a full shard would hold up everything.
// A single consumer and ordered records have a single worker, since several would overtake each other.
func helperQueue(cfg *Config) configoptional.Optional[exporterhelper.QueueBatchConfig] {
	if !cfg.QueueConfig.HasValue() {
		return cfg.QueueConfig
	}
	queue := *cfg.QueueConfig.Get()
	switch {
	case cfg.Ordering == orderingKey:
		queue.NumConsumers = 1
		if queue.Batch.HasValue() {
			batch := *queue.Batch.Get()
			if batch.Sizer == exporterhelper.RequestSizerTypeItems && batch.MaxSize == int64(cfg.MaxEvents) && batch.MinSize == batch.MaxSize {
				batch.MinSize *= orderedBatch
				batch.MaxSize *= orderedBatch
				queue.Batch = configoptional.Some(batch)
			}
		}
	case queue.NumConsumers > 1 && persistent(cfg):
		queue.NumConsumers *= waitingStored
	case queue.NumConsumers > 1:
		queue.NumConsumers = max(queue.NumConsumers, waitingBatches)
	}
	return configoptional.Some(queue)
}

// concurrency returns how many calls may be in flight.
func concurrency(cfg *Config) int {
	if !cfg.QueueConfig.HasValue() {
		return exporterhelper.NewDefaultQueueConfig().NumConsumers
	}
	return cfg.QueueConfig.Get().NumConsumers
}

func persistent(cfg *Config) bool {
	return cfg.QueueConfig.HasValue() && cfg.QueueConfig.Get().StorageID != nil
}

// senderWaits tells whether ConsumeLogs returns only when its records are settled.
func senderWaits(cfg *Config) bool {
	return !cfg.QueueConfig.HasValue() || cfg.QueueConfig.Get().WaitForResult
}

// Start implements component.Component.
func (e *kinesisExporter) Start(ctx context.Context, host component.Host) error {
	if persistent(e.cfg) {
		e.ledger.Restored(recordsInStorage(ctx, host, *e.cfg.QueueConfig.Get().StorageID, e.set.ID))
	}
	if err := e.Logs.Start(ctx, host); err != nil {
		return err
	}
	if e.gate != nil {
		e.warnOfSchedule()
		e.gate.Start()
	}
	return nil
}

func (e *kinesisExporter) warnOfSchedule() {
	if e.cfg.Cron != "" && e.cfg.Interval > 0 {
		e.set.Logger.Info("`cron` is set, so `interval` has no effect.")
	}
	if !persistent(e.cfg) {
		queue := e.cfg.QueueConfig.Get()
		e.set.Logger.Warn("Records wait in memory between executions: what waits is lost if the collector is killed, and what does not "+
			"fit is refused. Set `sending_queue::storage` to keep them on disk.",
			zap.Int64("queue_size", queue.QueueSize), zap.Stringer("sizer", &queue.Sizer))
	}
}

// startDelivery makes everything below the queue. It makes no network request: the collector starts whatever AWS says.
func (e *kinesisExporter) startDelivery(_ context.Context, host component.Host) error {
	e.status.host = host
	connection, err := newConnection(e.cfg, e.set, e.network, e.status.reportIdentity)
	if err != nil {
		return err
	}
	e.connection = connection
	client := delivery.Client(connection)
	if e.cfg.Debug.DontSendLogs {
		e.set.Logger.Warn("`debug.dont_send_logs` is on: records are processed and discarded, nothing is sent.")
		client = dryRun{client}
	}
	deliveryConfig := delivery.Config{
		Stream:             e.cfg.Stream,
		Concurrency:        concurrency(e.cfg),
		Retry:              e.cfg.RetryConfig,
		Ordered:            e.cfg.Ordering == orderingKey,
		Ready:              connection.ready(),
		Report:             e.status.reportDelivery,
		RefusedCredentials: connection.refusedCredentials,
	}
	if e.cfg.Debug.Status {
		deliveryConfig.Delivered = e.logRecord
	}
	e.deliverer = delivery.New(deliveryConfig, client, e.ledger, e.set.Logger)
	e.connection.start()
	return e.observe()
}

// logRecord is what `debug.status` adds for each record.
func (e *kinesisExporter) logRecord(key string, data []byte) {
	message := "Record delivered."
	if e.cfg.Debug.DontSendLogs {
		message = "Record processed, not sent."
	}
	e.set.Logger.Info(message, zap.String("partition_key", key), zap.Int("bytes", len(data)+len(key)), zap.ByteString("data", data))
}

// observe registers the gauges.
func (e *kinesisExporter) observe() (err error) {
	e.gauges, err = e.telemetry.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		with := func(more ...attribute.KeyValue) metric.MeasurementOption {
			return metric.WithAttributes(append(more, e.measured...)...)
		}
		if next := e.nextExecution.Load(); next > 0 {
			o.ObserveInt64(e.telemetry.ExporterAmazonkinesisNextExecution, next, with())
		}
		waiting, full := e.deliverer.Status()
		o.ObserveInt64(e.telemetry.ExporterAmazonkinesisWaitingRecords, int64(waiting), with())
		for _, shard := range full {
			id := attribute.String("shard", shard.ID)
			o.ObserveInt64(e.telemetry.ExporterAmazonkinesisShardWaitingRecords, int64(shard.Waiting), with(id))
			for _, hot := range shard.HotKeys {
				o.ObserveFloat64(e.telemetry.ExporterAmazonkinesisHotKeyShare, hot.Share, with(id, attribute.String("partition_key", hot.Key)))
			}
		}
		return nil
	}, e.telemetry.ExporterAmazonkinesisWaitingRecords, e.telemetry.ExporterAmazonkinesisShardWaitingRecords,
		e.telemetry.ExporterAmazonkinesisHotKeyShare, e.telemetry.ExporterAmazonkinesisNextExecution)
	return err
}

// ConsumeLogs implements consumer.Logs. What it accepts is in the books until it has an outcome.
func (e *kinesisExporter) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	n := ld.LogRecordCount() // once accepted, ld belongs to the queue
	if err := e.enqueue(ctx, ld); err != nil {
		return err
	}
	if !senderWaits(e.cfg) {
		e.ledger.Accepted(n)
	}
	return nil
}

func (e *kinesisExporter) enqueue(ctx context.Context, ld plog.Logs) error {
	if e.gate != nil {
		return e.gate.Consume(ctx, ld, e.Logs.ConsumeLogs)
	}
	return e.Logs.ConsumeLogs(ctx, ld)
}

// push delivers one batch. An error carries the records that are not settled.
func (e *kinesisExporter) push(ctx context.Context, ld plog.Logs) error {
	n := ld.LogRecordCount()
	if senderWaits(e.cfg) {
		e.ledger.Accepted(n)
	}
	enc := e.encoders.Get().(*encoder)
	processed, excluded := e.postprocess(ctx, ld)
	e.ledger.Discarded(excluded.Filtered, accounting.ReasonFiltered)
	e.ledger.Dropped(excluded.Failed, accounting.ReasonPipeline, excluded.Err)
	enc.dropped = excluded.Failed
	result := e.deliverer.Deliver(ctx, n, enc.records(ctx, processed, excluded.Excluded))
	dropped := result.Dropped + enc.dropped
	e.encoders.Put(enc)
	left := result.Left
	if excluded.Excluded != nil {
		left = slices.DeleteFunc(left, excluded.Excluded)
	}

	switch {
	case len(left) > 0:
		return e.leave(ctx, ld, left)
	case result.Delivered == 0 && dropped > 0:
		return consumererror.NewPermanent(fmt.Errorf("all %d records of the batch were dropped", dropped))
	default:
		return nil
	}
}

// postprocess runs the pipelines. What is not settled in the end has to be as it came, since it goes through them again.
func (e *kinesisExporter) postprocess(ctx context.Context, ld plog.Logs) (plog.Logs, postprocess.Result) {
	if e.chain != nil && e.cfg.EventID != "" {
		return e.chain.Process(ctx, withIDs(ld), false)
	}
	return e.chain.Process(ctx, ld, persistent(e.cfg) || senderWaits(e.cfg))
}

var (
	errShutdown = errors.New("the exporter shuts down before the records are delivered")
	errCanceled = errors.New("the sender gave up before the records were delivered")
)

// leave accounts for the records of a batch that are not settled when Deliver returns.
//
// A persistent queue can keep whole requests of a receiver only, of which others may be delivered already. So the
// records go back into the queue as a new request, and the old ones are done. Shutdown accounts for them, with all that
// the queue holds: until it has stopped, one may come here twice.
func (e *kinesisExporter) leave(ctx context.Context, ld plog.Logs, left []int) error {
	switch {
	case senderWaits(e.cfg):
		reason, err := accounting.ReasonShutdown, errShutdown
		if ctx.Err() != nil {
			reason, err = accounting.ReasonCanceled, errCanceled
		}
		e.ledger.Returned(len(left), reason)
		return consumererror.NewLogs(err, pick(ld, left))
	case persistent(e.cfg):
		within, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if err := e.Logs.ConsumeLogs(within, pick(ld, left)); err == nil {
			return nil
		}
		// There is no room for them: the queue keeps all that its requests held, and sends the rest twice.
		e.ledger.PossibleDuplicates(ld.LogRecordCount() - len(left))
		return consumererror.NewLogs(errShutdown, pick(ld, left))
	default:
		e.ledger.Dropped(len(left), accounting.ReasonShutdown, errShutdown)
		return consumererror.NewLogs(errShutdown, pick(ld, left))
	}
}

// Shutdown implements component.Component. It takes at most twice the timeout of a call, whatever the queue holds:
// what is in a queue in memory is delivered as far as calls begin within one timeout, and these end within another;
// what a persistent queue holds stays there.
func (e *kinesisExporter) Shutdown(ctx context.Context) error {
	if e.deliverer == nil {
		return e.Logs.Shutdown(ctx)
	}
	begin := time.Now()
	window := e.cfg.Timeout
	if persistent(e.cfg) && e.cfg.Ordering != orderingKey {
		window = 0
	}
	e.deliverer.Stop(window)
	if e.gate != nil {
		e.gate.Release()
	}
	err := e.Logs.Shutdown(ctx)
	e.deliverer.Close()
	e.connection.stop()
	e.ledger.Close()
	if e.gauges != nil {
		err = errors.Join(err, e.gauges.Unregister())
	}
	totals := e.ledger.Totals()
	kept := totals.Returned + totals.Open()
	if persistent(e.cfg) {
		e.ledger.Returned(int(totals.Open()), accounting.ReasonShutdown)
	}
	e.set.Logger.Info("Exporter has shut down.",
		zap.String("stream", e.cfg.Stream),
		zap.Int64("records_accepted", totals.Accepted),
		zap.Int64("records_restored", totals.Restored),
		zap.Int64("records_delivered", totals.Delivered),
		zap.Int64("records_kept", kept),
		zap.Int64("records_dropped", totals.Dropped),
		zap.Duration("duration", time.Since(begin)))
	return err
}

// pick copies the records with the given ordinals, which ascend, out of ld.
func pick(ld plog.Logs, ordinals []int) plog.Logs {
	picked := plog.NewLogs()
	ordinal := 0
	for _, rl := range ld.ResourceLogs().All() {
		var toResource plog.ResourceLogs
		newResource := true
		for _, sl := range rl.ScopeLogs().All() {
			var toScope plog.ScopeLogs
			newScope := true
			for _, record := range sl.LogRecords().All() {
				if len(ordinals) == 0 {
					return picked
				}
				ordinal++
				if ordinal-1 != ordinals[0] {
					continue
				}
				ordinals = ordinals[1:]
				if newResource {
					newResource = false
					toResource = picked.ResourceLogs().AppendEmpty()
					rl.Resource().CopyTo(toResource.Resource())
					toResource.SetSchemaUrl(rl.SchemaUrl())
				}
				if newScope {
					newScope = false
					toScope = toResource.ScopeLogs().AppendEmpty()
					sl.Scope().CopyTo(toScope.Scope())
					toScope.SetSchemaUrl(sl.SchemaUrl())
				}
				record.CopyTo(toScope.LogRecords().AppendEmpty())
			}
		}
	}
	return picked
}
