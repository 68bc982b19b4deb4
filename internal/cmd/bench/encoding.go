// SPDX-License-Identifier: Apache-2.0

package main

import (
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/benchlogs"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/fieldformat"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/plainjson"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/putrecords"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/wirebench"
)

// perBatch is how many records each batch has: a full request.
const perBatch = putrecords.MaxRecords

// encode runs a batch through append, a function for each record.
func encode(name string, ld plog.Logs, start func(plog.ResourceLogs, plog.ScopeLogs), appendRecord func([]byte, plog.LogRecord) []byte) wirebench.Side {
	var data []byte
	return wirebench.Side{Name: name, PerCall: perBatch, Run: func(calls int) error {
		for range calls {
			// Without iterators, whose few allocations would be counted as the encoder's.
			for r := range ld.ResourceLogs().Len() {
				rl := ld.ResourceLogs().At(r)
				for s := range rl.ScopeLogs().Len() {
					sl := rl.ScopeLogs().At(s)
					start(rl, sl)
					for i := range sl.LogRecords().Len() {
						data = appendRecord(data[:0], sl.LogRecords().At(i))
					}
				}
			}
		}
		return nil
	}}
}

func encodePlain(name string, ld plog.Logs, eventID string) wirebench.Side {
	e := plainjson.New(eventID)
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

// encoding compares plain JSON with OTLP, and shows what resources and ids cost.
func encoding(slice time.Duration) wirebench.Group {
	return wirebench.Group{
		Name:  "Encoding: plain JSON, records of 1 KB with 12 + 8 attributes.",
		Slice: slice,
		Open: func() ([]wirebench.Side, error) {
			return []wirebench.Side{
				encodePlain("rich", benchlogs.Rich(1, perBatch), ""), encodeProto("proto", benchlogs.Rich(1, perBatch)), encodePlain("raw", benchlogs.Lines(perBatch), ""),
				encodePlain("16 resources", benchlogs.Rich(16, perBatch), ""), encodePlain("event_id", benchlogs.Rich(1, perBatch), "event_id"),
			}, nil
		},
		Rows: []wirebench.Row{
			{Name: "CPU against plog.ProtoMarshaler, whole batch", Unit: "×", AtMost: 1.1, Value: wirebench.CPURatio("rich", "proto")},
			{Name: "allocations a record", AtMost: 0.01, Value: func(r wirebench.Round) float64 { return r["rich"].Allocs }},
			{Name: "16 resources a batch, against 1", Unit: "×", AtMost: 1.5, Value: wirebench.CPURatio("16 resources", "rich")},
			{Name: "with event_id, against without", Unit: "×", Value: wirebench.CPURatio("event_id", "rich")},
			wirebench.CPU("CPU a record", "rich"),
			wirebench.CPU("CPU a record, a line of 256 B", "raw"),
		},
	}
}

// formats compares the field formats with plain JSON on a typical record, and on records of which no two have the same names,
// which no pattern fits.
func formats(slice time.Duration) wirebench.Group {
	g := wirebench.Group{Name: "Encoding: field formats, varied records of a firewall with 12 + 8 attributes.", Slice: slice}
	names := []string{"ecs", "cim", "asim", "cef", "leef", "csl", "ocsf", "udm"}
	for _, name := range names {
		g.Rows = append(g.Rows, wirebench.Row{
			Name: name + ", CPU against plain JSON", Unit: "×", AtMost: 4, Value: wirebench.CPURatio(name, "plain"),
		})
	}
	g.Rows = append(g.Rows, wirebench.Row{
		Name: "allocations a record, at the most", AtMost: 0.01,
		Value: func(r wirebench.Round) (most float64) {
			for _, name := range names {
				most = max(most, r[name].Allocs)
			}
			return most
		},
	})
	for _, name := range names {
		g.Rows = append(g.Rows, wirebench.CPU(name+", CPU a record of names never seen before", name+", strange"))
	}
	for _, name := range names {
		g.Rows = append(g.Rows, wirebench.CPU(name+", CPU a line of CEF", name+", line"))
	}
	for _, name := range names {
		g.Rows = append(g.Rows, wirebench.CPU(name+", CPU a record, attributes in any order", name+", shuffled"))
	}
	g.Rows = append(g.Rows, wirebench.CPU("plain JSON, CPU a record", "plain"))
	g.Open = func() ([]wirebench.Side, error) {
		sides := []wirebench.Side{encodePlain("plain", benchlogs.Firewall(perBatch), "")}
		for _, name := range names {
			for suffix, ld := range map[string]plog.Logs{"": benchlogs.Firewall(perBatch), ", strange": benchlogs.Strange(perBatch),
				", line": benchlogs.CEF(perBatch), ", shuffled": benchlogs.Shuffled(perBatch)} {
				side, err := encodeFormat(name, suffix, ld)
				if err != nil {
					return nil, err
				}
				sides = append(sides, side)
			}
		}
		return sides, nil
	}
	return g
}

func encodeFormat(name, suffix string, ld plog.Logs) (wirebench.Side, error) {
	format, err := fieldformat.Parse(name)
	if err != nil {
		return wirebench.Side{}, err
	}
	e := fieldformat.New(format, fieldformat.Options{})
	return encode(name+suffix, ld,
		func(rl plog.ResourceLogs, sl plog.ScopeLogs) { e.Start(rl.Resource(), sl.Scope()) },
		func(dst []byte, record plog.LogRecord) []byte {
			dst, err := e.AppendRecord(dst, record)
			if err != nil {
				panic(err)
			}
			return dst
		}), nil
}
