// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	amazonkinesisexporter "github.com/otel-kinesis/amazonkinesisexporter"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/fieldformat"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/kinesistest"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/plainjson"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/putrecords"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/wirebench"
)

const perBatch = putrecords.MaxRecords

// richLogs returns a batch of records of about 1 KB with 12 attributes, and 8 of their resource.
func richLogs(resources int) plog.Logs {
	ld := plog.NewLogs()
	for r := range resources {
		rl := ld.ResourceLogs().AppendEmpty()
		for i := range 8 {
			rl.Resource().Attributes().PutStr(fmt.Sprintf("resource.attribute.%d", i), fmt.Sprintf("value-%d-of-resource-%d", i, r))
		}
		records := rl.ScopeLogs().AppendEmpty().LogRecords()
		for n := range perBatch / resources {
			lr := records.AppendEmpty()
			lr.SetTimestamp(pcommon.Timestamp(1_700_000_000_000_000_000 + n))
			lr.SetObservedTimestamp(pcommon.Timestamp(1_700_000_001_000_000_000 + n))
			lr.SetSeverityNumber(plog.SeverityNumberInfo)
			lr.SetSeverityText("INFO")
			lr.Body().SetStr(strings.Repeat("a line of an application's log ", 8))
			for i := range 9 {
				lr.Attributes().PutStr(fmt.Sprintf("attribute.%d", i), fmt.Sprintf("value-%d-of-record-%d", i, n))
			}
			lr.Attributes().PutInt("http.response.status_code", 200)
			lr.Attributes().PutInt("http.response.body.size", int64(n)*1000)
			lr.Attributes().PutDouble("duration", float64(n)/7)
		}
	}
	return ld
}

// rawLogs returns a batch of lines of text that make 256 bytes of data each.
func rawLogs() plog.Logs {
	ld := plog.NewLogs()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for n := range perBatch {
		lr := records.AppendEmpty()
		lr.SetObservedTimestamp(pcommon.Timestamp(1_700_000_000_000_000_000 + n))
		lr.Body().SetStr(strings.Repeat("a raw line of text ", 10) + ".")
	}
	return ld
}

// firewallLogs returns a batch of denied connections as a firewall reports them, in ECS names.
func firewallLogs() plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	for key, value := range map[string]string{
		"observer.vendor": "Example", "observer.product": "Wall", "observer.version": "11.1", "observer.hostname": "fw-01",
		"observer.ip": "198.51.100.1", "observer.type": "firewall", "cloud.region": "eu-west-1", "host.name": "fw-01",
	} {
		rl.Resource().Attributes().PutStr(key, value)
	}
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	for n := range perBatch {
		lr := records.AppendEmpty()
		lr.SetTimestamp(pcommon.Timestamp(1_700_000_000_000_000_000 + n))
		lr.SetSeverityNumber(plog.SeverityNumberWarn)
		lr.Body().SetStr("Deny tcp src outside:203.0.113.9/51514 dst inside:192.0.2.20/443 by access-group outside_in")
		a := lr.Attributes()
		a.PutStr("event.action", "denied")
		a.PutStr("event.category", "network")
		a.PutStr("event.type", "denied")
		a.PutStr("source.ip", "203.0.113.9")
		a.PutInt("source.port", int64(1024+n))
		a.PutStr("destination.ip", "192.0.2.20")
		a.PutInt("destination.port", 443)
		a.PutStr("network.transport", "tcp")
		a.PutStr("network.direction", "inbound")
		a.PutInt("network.bytes", int64(n)*64)
		a.PutStr("rule.name", "outside_in")
		a.PutStr("user.name", "ada")
	}
	return ld
}

// encode runs a batch through append, a function for each record.
func encode(name string, ld plog.Logs, start func(plog.ResourceLogs, plog.ScopeLogs), appendRecord func([]byte, plog.LogRecord) []byte) wirebench.Side {
	var data []byte
	return wirebench.Side{Name: name, PerCall: perBatch, Run: func(calls int) error {
		for range calls {
			for _, rl := range ld.ResourceLogs().All() {
				for _, sl := range rl.ScopeLogs().All() {
					start(rl, sl)
					for _, record := range sl.LogRecords().All() {
						data = appendRecord(data[:0], record)
					}
				}
			}
		}
		return nil
	}}
}

func encodePlain(name string, ld plog.Logs) wirebench.Side {
	e := plainjson.New("")
	return encode(name, ld, e.Start, e.Append)
}

func encodeProto(name string, ld plog.Logs) wirebench.Side {
	return wirebench.Side{Name: name, PerCall: perBatch, Run: func(calls int) error {
		for range calls {
			if _, err := (&plog.ProtoMarshaler{}).MarshalLogs(ld); err != nil {
				return err
			}
		}
		return nil
	}}
}

func cpu(name, side string) wirebench.Row {
	return wirebench.Row{Name: name, Unit: "µs", Value: func(r wirebench.Round) float64 { return r[side].CPU / 1e3 }}
}

// encoding compares plain JSON with OTLP, and shows what resources cost.
func encoding(slice time.Duration) wirebench.Group {
	g := wirebench.Group{
		Name:  "Encoding: plain JSON, records of 1 KB with 12 + 8 attributes.",
		Slice: slice,
		Open: func() ([]wirebench.Side, error) {
			return []wirebench.Side{
				encodePlain("rich", richLogs(1)), encodeProto("rich proto", richLogs(1)), encodePlain("raw", rawLogs()),
				encodePlain("4 resources", richLogs(4)), encodePlain("16 resources", richLogs(16)),
			}, nil
		},
		Rows: []wirebench.Row{
			{Name: "CPU against plog.ProtoMarshaler, whole batch", Unit: "×", AtMost: 1.1, Value: wirebench.CPURatio("rich", "rich proto")},
			{Name: "allocations a record", AtMost: 0.01, Value: func(r wirebench.Round) float64 { return r["rich"].Allocs }},
			cpu("CPU a record", "rich"),
			cpu("CPU a record of 256 B, a line of text", "raw"),
			{Name: "4 resources a batch, against 1", Unit: "×", Value: wirebench.CPURatio("4 resources", "rich")},
			{Name: "16 resources a batch, against 1", Unit: "×", Value: wirebench.CPURatio("16 resources", "rich")},
		},
	}
	return g
}

// formats compares the field formats with plain JSON on a typical record.
func formats(slice time.Duration) wirebench.Group {
	g := wirebench.Group{Name: "Encoding: field formats, a firewall's record with 12 + 8 attributes.", Slice: slice}
	names := []string{"ecs", "cim", "asim", "cef", "leef", "csl", "ocsf", "udm"}
	for _, name := range names {
		g.Rows = append(g.Rows, wirebench.Row{
			Name: name + ", CPU against plain JSON", Unit: "×", AtMost: 4, Value: wirebench.CPURatio(name, "plain"),
		}, wirebench.Row{
			Name: name + ", allocations a record", Value: func(r wirebench.Round) float64 { return r[name].Allocs },
		})
	}
	g.Open = func() ([]wirebench.Side, error) {
		sides := []wirebench.Side{encodePlain("plain", firewallLogs())}
		for _, name := range names {
			format, err := fieldformat.Parse(name)
			if err != nil {
				return nil, err
			}
			e := fieldformat.New(format, fieldformat.Options{})
			sides = append(sides, encode(name, firewallLogs(),
				func(rl plog.ResourceLogs, sl plog.ScopeLogs) { e.Start(rl.Resource(), sl.Scope()) },
				func(dst []byte, record plog.LogRecord) []byte {
					dst, err = e.AppendRecord(dst, record)
					if err != nil {
						panic(err)
					}
					return dst
				}))
		}
		return sides, nil
	}
	return g
}

// wholePath compares the exporter, from pdata to settled, with its parts.
func wholePath(sink *wirebench.Sink, slice time.Duration) wirebench.Group {
	return wirebench.Group{
		Name:  "Whole path: pdata in, queue, batch, encode, send, settle. Default configuration, TLS.",
		Slice: slice,
		Open: func() ([]wirebench.Side, error) {
			load := wirebench.Load{RecordBytes: 256, PerCall: perBatch, Consumers: wirebench.Consumers}
			send := wirebench.Ours(sink, load, putrecords.JSON)
			send.Name = "send"
			rawWhole, err := throughExporter("whole raw", sink.Endpoint(perBatch, 0), rawLogs())
			if err != nil {
				return nil, err
			}
			richWhole, err := throughExporter("whole rich", sink.Endpoint(perBatch, 0), richLogs(1))
			if err != nil {
				return nil, err
			}
			return []wirebench.Side{send, encodePlain("encode", rawLogs()), rawWhole, richWhole}, nil
		},
		Rows: []wirebench.Row{
			{Name: "256 B, CPU against encoding plus sending alone", Unit: "×", Value: func(r wirebench.Round) float64 {
				return r["whole raw"].CPU / (r["encode"].CPU + r["send"].CPU)
			}},
			cpu("256 B, CPU a record", "whole raw"),
			cpu("1 KB with 12 + 8 attributes, CPU a record", "whole rich"),
			{Name: "256 B, allocations a record", Value: func(r wirebench.Round) float64 { return r["whole raw"].Allocs }},
			{Name: "256 B, garbage a record", Unit: "B", Value: func(r wirebench.Round) float64 { return r["whole raw"].Bytes }},
		},
	}
}

// farAway shows what the default configuration carries over a distance.
func farAway(sink *wirebench.Sink, slice time.Duration) wirebench.Group {
	return wirebench.Group{
		Name:  "Whole path, answers after 35 ms: 20 ms of way, 15 ms of service. Default configuration.",
		Slice: 4 * slice,
		Open: func() ([]wirebench.Side, error) {
			side, err := throughExporter("far", sink.Endpoint(perBatch, 35*time.Millisecond), rawLogs())
			return []wirebench.Side{side}, err
		},
		Rows: []wirebench.Row{{
			Name: "256 B records", Unit: "rec/s", AtLeast: 120_000,
			Value: func(r wirebench.Round) float64 { return 1e9 / r["far"].Wall },
		}},
	}
}

// throughExporter is a side that hands batches to an exporter and waits until they are settled.
func throughExporter(name, endpoint string, ld plog.Logs) (wirebench.Side, error) {
	// The sink answers PutRecords only.
	sts, err := kinesistest.Start(kinesistest.Config{})
	if err != nil {
		return wirebench.Side{}, err
	}
	factory := amazonkinesisexporter.NewFactory()
	cfg := factory.CreateDefaultConfig().(*amazonkinesisexporter.Config)
	cfg.Region, cfg.Stream, cfg.Endpoint, cfg.STSEndpoint = sts.Region(), wirebench.Stream, endpoint, sts.URL()
	cfg.Key = configopaque.String(sts.Credentials().AccessKeyID)
	cfg.Secret = configopaque.String(sts.Credentials().SecretAccessKey)
	cfg.PartitionKey, cfg.PartitionKeyFrom = "", "UUID()"
	cfg.TLS.InsecureSkipVerify = true // the sink's certificate is its own

	books := newBooks()
	set := exporter.Settings{
		ID:                component.NewID(factory.Type()),
		TelemetrySettings: componenttest.NewNopTelemetrySettings(),
	}
	set.MeterProvider = books.provider
	logs, err := factory.CreateLogs(context.Background(), set, cfg)
	if err != nil {
		return wirebench.Side{}, err
	}
	if err := logs.Start(context.Background(), componenttest.NewNopHost()); err != nil {
		return wirebench.Side{}, err
	}
	ld.MarkReadOnly()
	return wirebench.Side{
		Name: name, PerCall: perBatch,
		Run: func(calls int) error {
			until := books.delivered() + int64(calls*perBatch)
			for range calls {
				for logs.ConsumeLogs(context.Background(), ld) != nil {
					time.Sleep(time.Millisecond) // the queue is full
				}
			}
			for began := time.Now(); books.delivered() < until; time.Sleep(2 * time.Millisecond) {
				if time.Since(began) > time.Minute {
					return errors.New("not all records are delivered after a minute")
				}
			}
			return nil
		},
		Close: func() {
			_ = logs.Shutdown(context.Background())
			sts.Close()
		},
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
