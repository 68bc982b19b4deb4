// SPDX-License-Identifier: Apache-2.0

package wirebench

import (
	"fmt"
	"time"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/putrecords"
)

const (
	// Consumers is how many calls the exporter makes at once unless it is told
	// otherwise. The goals hold for it.
	Consumers = 10

	// noCliff is how much more a record, a byte or a call may cost at the far
	// end of a sweep than where the goals are measured.
	noCliff = 1.5
)

// SendGoals compares the send stage with the stock SDK and with the floor.
func SendGoals(sink *Sink, slice time.Duration) Group {
	l := Load{RecordBytes: 256, PerCall: 500, Consumers: Consumers}
	return Group{
		Name:  fmt.Sprintf("Send stage: encoded records in, answer settled. 256 B records, 500 a call, TLS, %d consumers.", Consumers),
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
			{Name: "CBOR, CPU against the floor", Unit: "×", AtMost: 1.4, Value: CPURatio("cbor", "floor cbor")},
			{Name: "CBOR, CPU against JSON", Unit: "×", Value: CPURatio("cbor", "json")},
			{Name: "JSON, allocations a record", AtMost: 0.65, Value: func(r Round) float64 { return r["json"].Allocs }},
			{Name: "JSON, garbage a record", Unit: "B", AtMost: 120, Value: func(r Round) float64 { return r["json"].Bytes }},
			{Name: "stock SDK, garbage a record", Unit: "B", Value: func(r Round) float64 { return r["stock"].Bytes }},
			CPU("stock SDK, CPU a record", "stock"),
			CPU("JSON, CPU a record", "json"),
		},
	}
}

// CPU is a row of a side's CPU time.
func CPU(name, side string) Row {
	return Row{Name: name, Unit: "µs", Value: func(r Round) float64 { return r[side].CPU / 1e3 }}
}

// ByCallSize shows what a record costs when calls hold fewer of them.
func ByCallSize(sink *Sink, slice time.Duration) Group {
	g := Group{Name: "Send stage by records a call. JSON, 256 B records.", Slice: slice}
	sizes := []int{500, 100, 20, 1}
	label := func(n int) string { return fmt.Sprintf("%d a call", n) }
	for _, n := range sizes {
		g.Rows = append(g.Rows,
			CPU(label(n)+", CPU a record", label(n)),
			Row{Name: label(n) + ", against the stock SDK", Unit: "×", Value: CPURatio(label(n), "stock "+label(n))})
	}
	g.Open = func() ([]Side, error) {
		var sides []Side
		for _, n := range sizes {
			l := Load{RecordBytes: 256, PerCall: n, Consumers: Consumers}
			ours, stock := Ours(sink, l, putrecords.JSON), Stock(sink, l)
			ours.Name, stock.Name = label(n), "stock "+label(n)
			sides = append(sides, ours, stock)
		}
		return sides, nil
	}
	return g
}

// ByRecordSize shows what a byte costs as records grow. What a call costs is
// shared by the bytes, of which a call has the most from 1 KiB on.
func ByRecordSize(sink *Sink, slice time.Duration) Group {
	g := Group{Name: "Send stage by size of the records. JSON, as many a call as fit.", Slice: slice}
	const reference = 1 << 10
	sizes := []int{256, reference, 4 << 10, 16 << 10, 64 << 10}
	label := func(n int) string { return fmt.Sprintf("%d B", n) }
	perKiB := func(r Round, n int) float64 { return r[label(n)].CPU / float64(n) * 1024 }
	for _, n := range sizes {
		g.Rows = append(g.Rows, Row{
			Name: label(n) + ", CPU a KiB", Unit: "µs",
			Value: func(r Round) float64 { return perKiB(r, n) / 1e3 },
		})
	}
	largest := sizes[len(sizes)-1]
	g.Rows = append(g.Rows, Row{
		Name: fmt.Sprintf("%d B against %d B, CPU a KiB", largest, reference), Unit: "×", AtMost: noCliff,
		Value: func(r Round) float64 { return perKiB(r, largest) / perKiB(r, reference) },
	})
	g.Open = func() ([]Side, error) {
		var sides []Side
		for _, n := range sizes {
			perCall := min(putrecords.MaxRecords, putrecords.MaxBytes/(n+64))
			s := Ours(sink, Load{RecordBytes: n, PerCall: perCall, Consumers: Consumers}, putrecords.JSON)
			s.Name = label(n)
			sides = append(sides, s)
		}
		return sides, nil
	}
	return g
}

// ByConsumers shows what a record costs when more calls are made at once.
func ByConsumers(sink *Sink, slice time.Duration) Group {
	g := Group{Name: "Send stage by consumers. JSON, 256 B records, 500 a call.", Slice: slice}
	numbers := []int{1, 4, Consumers, 20, 40}
	label := func(n int) string { return fmt.Sprintf("%d consumers", n) }
	for _, n := range numbers {
		g.Rows = append(g.Rows, CPU(label(n)+", CPU a record", label(n)))
	}
	most := numbers[len(numbers)-1]
	g.Rows = append(g.Rows, Row{
		Name: fmt.Sprintf("%d against %s", most, label(Consumers)), Unit: "×", AtMost: noCliff,
		Value: CPURatio(label(most), label(Consumers)),
	})
	g.Open = func() ([]Side, error) {
		var sides []Side
		for _, n := range numbers {
			s := Ours(sink, Load{RecordBytes: 256, PerCall: 500, Consumers: n}, putrecords.JSON)
			s.Name = label(n)
			sides = append(sides, s)
		}
		return sides, nil
	}
	return g
}
