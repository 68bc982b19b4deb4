// SPDX-License-Identifier: Apache-2.0

package wirebench

import (
	"fmt"
	"time"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/putrecords"
)

// SendGoals compares the send stage with the stock SDK and with the floor.
func SendGoals(sink *Sink, slice time.Duration) Group {
	l := Load{RecordBytes: 256, PerCall: 500, Consumers: 10}
	return Group{
		Name:  "Send stage: encoded records in, answer settled. 256 B records, 500 a call, TLS.",
		Slice: slice,
		Open: func() ([]Side, error) {
			return []Side{
				Stock(sink, l),
				Ours(sink, l, putrecords.JSON), Floor(sink, l, putrecords.JSON),
				Ours(sink, l, putrecords.CBOR), Floor(sink, l, putrecords.CBOR),
			}, nil
		},
		Rows: []Row{
			{Name: "JSON, CPU against the stock SDK", Unit: "×", AtMost: 0.45, Value: CPURatio("json", "stock")},
			{Name: "JSON, CPU against the floor", Unit: "×", AtMost: 1.25, Value: CPURatio("json", "floor json")},
			{Name: "CBOR, CPU against the stock SDK", Unit: "×", Value: CPURatio("cbor", "stock")},
			{Name: "CBOR, CPU against the floor", Unit: "×", AtMost: 1.4, Value: CPURatio("cbor", "floor cbor")},
			{Name: "JSON, allocations a record, send alone", AtMost: 0.65, Value: func(r Round) float64 { return r["json"].Allocs }},
			{Name: "JSON, garbage a record, send alone", Unit: "B", AtMost: 120, Value: func(r Round) float64 { return r["json"].Bytes }},
			{Name: "stock SDK, allocations a record", Value: func(r Round) float64 { return r["stock"].Allocs }},
			{Name: "stock SDK, garbage a record", Unit: "B", Value: func(r Round) float64 { return r["stock"].Bytes }},
			cpu("stock SDK, CPU a record", "stock"),
			cpu("JSON, CPU a record", "json"),
			cpu("CBOR, CPU a record", "cbor"),
			cpu("floor JSON, CPU a record", "floor json"),
			cpu("floor CBOR, CPU a record", "floor cbor"),
		},
	}
}

func cpu(name, side string) Row {
	return Row{Name: name, Unit: "µs", Value: func(r Round) float64 { return r[side].CPU / 1e3 }}
}

// ByCallSize shows what a record costs when calls hold fewer of them.
func ByCallSize(sink *Sink, slice time.Duration) Group {
	return sweep(slice, "JSON by records a call. 256 B records, TLS. CPU a record.",
		[]int{500, 100, 20, 1}, func(n int) string { return fmt.Sprintf("%d records a call", n) },
		func(n int) Side { return Ours(sink, Load{RecordBytes: 256, PerCall: n}, putrecords.JSON) })
}

// ByRecordSize shows what a record costs as it grows.
func ByRecordSize(sink *Sink, slice time.Duration) Group {
	g := sweep(slice, "JSON by size of the records. Up to 500 a call, TLS.",
		[]int{256, 1 << 10, 4 << 10, 16 << 10, 64 << 10}, func(n int) string { return fmt.Sprintf("records of %d B", n) },
		func(n int) Side {
			return Ours(sink, Load{RecordBytes: n, PerCall: min(500, putrecords.MaxBytes/(n+16))}, putrecords.JSON)
		})
	for i, size := range []float64{256, 1 << 10, 4 << 10, 16 << 10, 64 << 10} {
		of := g.Rows[i].Value
		g.Rows = append(g.Rows, Row{
			Name: fmt.Sprintf("records of %.0f B, CPU a KiB", size), Unit: "µs",
			Value: func(r Round) float64 { return of(r) / size * 1024 },
		})
	}
	return g
}

// ByConsumers shows what a record costs when more calls are made at once.
func ByConsumers(sink *Sink, slice time.Duration) Group {
	return sweep(slice, "JSON by consumers. 256 B records, 500 a call, TLS. CPU a record.",
		[]int{1, 4, 10, 20, 40}, func(n int) string { return fmt.Sprintf("%d consumers", n) },
		func(n int) Side {
			return Ours(sink, Load{RecordBytes: 256, PerCall: 500, Consumers: n}, putrecords.JSON)
		})
}

// Far shows how many records pass when the answers take their time: 20 ms of
// way and 15 ms of service.
func Far(sink *Sink, slice time.Duration) Group {
	const way = 35 * time.Millisecond
	g := sweep(slice, "JSON, answers after 35 ms (20 ms of way, 15 ms of service). 256 B records, 500 a call, TLS.",
		[]int{1, 10, 20, 40}, func(n int) string { return fmt.Sprintf("%d consumers", n) },
		func(n int) Side {
			return Ours(sink, Load{RecordBytes: 256, PerCall: 500, Consumers: n, Delay: way}, putrecords.JSON)
		})
	for i := range g.Rows {
		name := g.Rows[i].Name
		g.Rows[i].Unit = "rec/s"
		g.Rows[i].Value = func(r Round) float64 { return 1e9 / r[name].Wall }
	}
	return g
}

// sweep is a group with one side and one row of CPU time for each value.
func sweep(slice time.Duration, name string, values []int, label func(int) string, side func(int) Side) Group {
	g := Group{Name: name, Slice: slice}
	for _, v := range values {
		g.Rows = append(g.Rows, cpu(label(v), label(v)))
	}
	g.Open = func() ([]Side, error) {
		var sides []Side
		for _, v := range values {
			s := side(v)
			s.Name = label(v)
			sides = append(sides, s)
		}
		return sides, nil
	}
	return g
}
