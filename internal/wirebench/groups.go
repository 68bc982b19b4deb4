// SPDX-License-Identifier: Apache-2.0

package wirebench

import (
	"fmt"
	"time"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/putrecords"
)

// Consumers is how many calls the exporter makes at once unless it is told
// otherwise. The goals hold for it.
const Consumers = 10

// SendGoals compares the send stage with the stock SDK and with the floor.
func SendGoals(sink *Sink, slice time.Duration) Group {
	g := send(sink, slice, Consumers)
	g.Name = fmt.Sprintf("Send stage: encoded records in, answer settled. 256 B records, 500 a call, TLS, %d consumers.", Consumers)
	g.Rows = []Row{
		{Name: "JSON, CPU against the stock SDK", Unit: "×", AtMost: 0.45, Value: CPURatio("json", "stock")},
		{Name: "JSON, CPU against the floor", Unit: "×", AtMost: 1.25, Value: CPURatio("json", "floor json")},
		{Name: "CBOR, CPU against the stock SDK", Unit: "×", Value: CPURatio("cbor", "stock")},
		{Name: "CBOR, CPU against the floor", Unit: "×", AtMost: 1.4, Value: CPURatio("cbor", "floor cbor")},
		{Name: "JSON, allocations a record", AtMost: 0.65, Value: func(r Round) float64 { return r["json"].Allocs }},
		{Name: "JSON, garbage a record", Unit: "B", AtMost: 120, Value: func(r Round) float64 { return r["json"].Bytes }},
		{Name: "stock SDK, allocations a record", Value: func(r Round) float64 { return r["stock"].Allocs }},
		{Name: "stock SDK, garbage a record", Unit: "B", Value: func(r Round) float64 { return r["stock"].Bytes }},
		cpu("stock SDK, CPU a record", "stock"),
		cpu("JSON, CPU a record", "json"),
		cpu("floor JSON, CPU a record", "floor json"),
		cpu("CBOR, CPU a record", "cbor"),
		cpu("floor CBOR, CPU a record", "floor cbor"),
	}
	return g
}

// SendAlone is SendGoals with one call at a time. On an idle machine waking
// net/http's goroutines for each call then costs more than most of the call.
func SendAlone(sink *Sink, slice time.Duration) Group {
	g := send(sink, slice, 1)
	g.Name = "The same with one consumer."
	g.Rows = []Row{
		{Name: "JSON, CPU against the stock SDK", Unit: "×", Value: CPURatio("json", "stock")},
		{Name: "JSON, CPU against the floor", Unit: "×", Value: CPURatio("json", "floor json")},
		{Name: "CBOR, CPU against the floor", Unit: "×", Value: CPURatio("cbor", "floor cbor")},
	}
	return g
}

func send(sink *Sink, slice time.Duration, consumers int) Group {
	l := Load{RecordBytes: 256, PerCall: 500, Consumers: consumers}
	return Group{
		Slice: slice,
		Open: func() ([]Side, error) {
			return []Side{
				Stock(sink, l),
				Ours(sink, l, putrecords.JSON), Floor(sink, l, putrecords.JSON),
				Ours(sink, l, putrecords.CBOR), Floor(sink, l, putrecords.CBOR),
			}, nil
		},
	}
}

// cpu is a row of a side's CPU time.
func cpu(name, side string) Row {
	return Row{Name: name, Unit: "µs", Value: func(r Round) float64 { return r[side].CPU / 1e3 }}
}

// ByCallSize shows what a record costs when calls hold fewer of them.
func ByCallSize(sink *Sink, slice time.Duration) Group {
	var points []point
	for _, n := range []int{500, 100, 20, 1} {
		points = append(points, point{fmt.Sprintf("%d records a call", n), Load{RecordBytes: 256, PerCall: n, Consumers: Consumers}})
	}
	return againstStock(sink, slice, "JSON by records a call. 256 B records.", points)
}

// ByRecordSize shows what a record costs as it grows.
func ByRecordSize(sink *Sink, slice time.Duration) Group {
	var points []point
	for _, n := range []int{256, 1 << 10, 4 << 10, 16 << 10, 64 << 10} {
		perCall := min(putrecords.MaxRecords, putrecords.MaxBytes/(n+64))
		points = append(points, point{fmt.Sprintf("records of %d B, %d a call", n, perCall), Load{RecordBytes: n, PerCall: perCall, Consumers: Consumers}})
	}
	g := againstStock(sink, slice, "JSON by size of the records, as many a call as fit.", points)
	for _, p := range points {
		g.Rows = append(g.Rows, Row{
			Name: p.name + ", CPU a KiB", Unit: "µs",
			Value: func(r Round) float64 { return r[p.name].CPU / 1e3 / float64(p.load.RecordBytes) * 1024 },
		})
	}
	return g
}

// point is one place in a sweep.
type point struct {
	name string
	load Load
}

// againstStock has, for each point, the CPU time of a record and its share of
// the stock SDK's.
func againstStock(sink *Sink, slice time.Duration, name string, points []point) Group {
	g := Group{Name: name, Slice: slice}
	for _, p := range points {
		g.Rows = append(g.Rows,
			cpu(p.name+", CPU a record", p.name),
			Row{Name: p.name + ", against the stock SDK", Unit: "×", Value: CPURatio(p.name, "stock, "+p.name)})
	}
	g.Open = func() ([]Side, error) {
		var sides []Side
		for _, p := range points {
			ours, stock := Ours(sink, p.load, putrecords.JSON), Stock(sink, p.load)
			ours.Name, stock.Name = p.name, "stock, "+p.name
			sides = append(sides, ours, stock)
		}
		return sides, nil
	}
	return g
}

// ByConsumers shows what a record costs when more calls are made at once.
func ByConsumers(sink *Sink, slice time.Duration) Group {
	return byConsumers(sink, slice, "JSON by consumers. 256 B records, 500 a call. CPU a record.", 0, []int{1, 4, 10, 20, 40},
		func(side string) Row { return cpu(side, side) })
}

// Far shows how many records pass when the answers take their time.
func Far(sink *Sink, slice time.Duration) Group {
	return byConsumers(sink, slice, "JSON, answers after 35 ms: 20 ms of way, 15 ms of service. 256 B records, 500 a call.",
		35*time.Millisecond, []int{1, Consumers, 20, 40},
		func(side string) Row {
			return Row{Name: side, Unit: "rec/s", Value: func(r Round) float64 { return 1e9 / r[side].Wall }}
		})
}

func byConsumers(sink *Sink, slice time.Duration, name string, delay time.Duration, consumers []int, row func(side string) Row) Group {
	g := Group{Name: name, Slice: slice}
	label := func(n int) string { return fmt.Sprintf("%d consumers", n) }
	for _, n := range consumers {
		g.Rows = append(g.Rows, row(label(n)))
	}
	g.Open = func() ([]Side, error) {
		var sides []Side
		for _, n := range consumers {
			s := Ours(sink, Load{RecordBytes: 256, PerCall: 500, Consumers: n, Delay: delay}, putrecords.JSON)
			s.Name = label(n)
			sides = append(sides, s)
		}
		return sides, nil
	}
	return g
}
