// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/plog"

	amazonkinesisexporter "github.com/otel-kinesis/amazonkinesisexporter"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/benchlogs"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/kinesistest"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/putrecords"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/wirebench"
)

const (
	// perRequest is how many records come with one request of a receiver; those built on stanza make them so.
	perRequest = 100
	// requestsPerBatch fill a batch.
	requestsPerBatch = perBatch / perRequest
	// inHand is about how many records are offered and not settled yet. With a full queue all of them, and
	// the garbage collector's work on them, would fall out of the CPU's caches.
	inHand = 40 * perBatch
)

// wholePath compares the exporter, from a receiver's request to settled, with its parts.
func wholePath(sink *wirebench.Sink, slice time.Duration) wirebench.Group {
	raw, rich := benchlogs.Lines(perRequest), benchlogs.Rich(1, perRequest)
	return wirebench.Group{
		Name:  fmt.Sprintf("Whole path: requests of %d records in, queue, batch, encode, send, settle. Default configuration, TLS.", perRequest),
		Slice: slice,
		Open: func() ([]wirebench.Side, error) {
			load := wirebench.Load{RecordBytes: 256, PerCall: perBatch, Consumers: wirebench.Consumers}
			send := wirebench.Ours(sink, load, putrecords.JSON)
			send.Name = "send"
			receive := wirebench.Side{Name: "receive", PerCall: perBatch, Run: func(calls int) error {
				return receive(raw, calls*requestsPerBatch, func(plog.Logs) error { return nil })
			}}
			wholeRaw, err := throughExporter("whole raw", sink.Endpoint(0, 0), raw)
			if err != nil {
				return nil, err
			}
			wholeRich, err := throughExporter("whole rich", sink.Endpoint(0, 0), rich)
			if err != nil {
				return nil, err
			}
			return []wirebench.Side{receive, encodePlain("encode", benchlogs.Lines(perBatch), ""), send, wholeRaw, wholeRich}, nil
		},
		Rows: []wirebench.Row{
			{Name: "256 B, CPU against unmarshalling, encoding, sending alone", Unit: "×", Value: func(r wirebench.Round) float64 {
				return r["whole raw"].CPU / (r["receive"].CPU + r["encode"].CPU + r["send"].CPU)
			}},
			{Name: "256 B, allocations a record, above unmarshalling", Value: func(r wirebench.Round) float64 {
				return r["whole raw"].Allocs - r["receive"].Allocs
			}},
			wirebench.CPU("256 B, CPU a record", "whole raw"),
			wirebench.CPU("1 KB with 12 + 8 attributes, CPU a record", "whole rich"),
		},
	}
}

// farAway shows what the default configuration carries over a distance.
func farAway(sink *wirebench.Sink, slice time.Duration) wirebench.Group {
	return wirebench.Group{
		Name:  "Whole path, answers after 35 ms: 20 ms of way, 15 ms of service. Default configuration.",
		Slice: 4 * slice,
		Open: func() ([]wirebench.Side, error) {
			side, err := throughExporter("far", sink.Endpoint(0, 35*time.Millisecond), benchlogs.Lines(perRequest))
			return []wirebench.Side{side}, err
		},
		Rows: []wirebench.Row{{
			Name: "256 B records", Unit: "rec/s", AtLeast: 120_000,
			Value: func(r wirebench.Round) float64 { return 1e9 / r["far"].Wall },
		}},
	}
}

// receive makes requests as a receiver does, from the bytes that one comes in, and hands them over.
func receive(request plog.Logs, requests int, to func(plog.Logs) error) error {
	wire, err := (&plog.ProtoMarshaler{}).MarshalLogs(request)
	if err != nil {
		return err
	}
	for range requests {
		ld, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(wire)
		if err != nil {
			return err
		}
		if err := to(ld); err != nil {
			return err
		}
	}
	return nil
}

// throughExporter is a side that hands requests of perRequest records to an exporter and waits until they are settled.
func throughExporter(name, endpoint string, request plog.Logs) (wirebench.Side, error) {
	books := newBooks()
	logs, stop, err := startExporter(endpoint, books)
	if err != nil {
		return wirebench.Side{}, err
	}
	var offered, atMost int64 // records; before more than atMost are offered, some have to be delivered
	settle := func(until int64) error {
		for began := time.Now(); books.delivered() < until; time.Sleep(time.Millisecond) {
			if time.Since(began) > time.Minute {
				return errors.New("not all records are delivered after a minute")
			}
		}
		return nil
	}
	offer := func(ld plog.Logs) error {
		if offered >= atMost {
			if err := settle(offered - inHand/2); err != nil {
				return err
			}
			atMost = offered + inHand/2
		}
		offered += perRequest
		return logs.ConsumeLogs(context.Background(), ld)
	}
	return wirebench.Side{
		Name: name, PerCall: perBatch, Close: stop,
		Run: func(calls int) error {
			if err := receive(request, calls*requestsPerBatch, offer); err != nil {
				return err
			}
			return settle(offered)
		},
	}, nil
}

// startExporter starts an exporter with the default configuration and random keys. books may be nil.
func startExporter(endpoint string, books *books) (logs exporter.Logs, stop func(), err error) {
	// The endpoint answers PutRecords only, or not at all.
	sts, err := kinesistest.Start(kinesistest.Config{})
	if err != nil {
		return nil, nil, err
	}
	factory := amazonkinesisexporter.NewFactory()
	cfg := factory.CreateDefaultConfig().(*amazonkinesisexporter.Config)
	cfg.Region, cfg.Stream, cfg.Endpoint, cfg.STSEndpoint = sts.Region(), wirebench.Stream, endpoint, sts.URL()
	cfg.Key = configopaque.String(sts.Credentials().AccessKeyID)
	cfg.Secret = configopaque.String(sts.Credentials().SecretAccessKey)
	cfg.PartitionKey, cfg.PartitionKeyFrom = "", "UUID()"
	cfg.TLS.InsecureSkipVerify = true // the sink's certificate is its own

	set := exporter.Settings{
		ID:                component.NewID(factory.Type()),
		TelemetrySettings: componenttest.NewNopTelemetrySettings(),
	}
	if books != nil {
		set.MeterProvider = books.provider
	}
	if logs, err = factory.CreateLogs(context.Background(), set, cfg); err == nil {
		err = logs.Start(context.Background(), componenttest.NewNopHost())
	}
	if err != nil {
		sts.Close()
		return nil, nil, err
	}
	return logs, func() {
		_ = logs.Shutdown(context.Background())
		sts.Close()
	}, nil
}

// books reads the exporter's own metrics.
type books struct {
	reader   *sdkmetric.ManualReader
	provider *sdkmetric.MeterProvider
}

func newBooks() *books {
	reader := sdkmetric.NewManualReader()
	return &books{reader: reader, provider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))}
}

// delivered is the number of records that the exporter counts as delivered.
func (b *books) delivered() (n int64) {
	var all metricdata.ResourceMetrics
	if err := b.reader.Collect(context.Background(), &all); err != nil {
		panic(err) // the reader is neither shut down nor shared
	}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			sum, ok := m.Data.(metricdata.Sum[int64])
			if !ok || m.Name != "otelcol_exporter_amazonkinesis_records" {
				continue
			}
			for _, point := range sum.DataPoints {
				if outcome, _ := point.Attributes.Value("outcome"); outcome.AsString() == "delivered" {
					n += point.Value
				}
			}
		}
	}
	return n
}
