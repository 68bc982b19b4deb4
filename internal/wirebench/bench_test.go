// SPDX-License-Identifier: Apache-2.0

package wirebench

import (
	"os"
	"testing"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/putrecords"
)

func TestMain(m *testing.M) {
	ServeIfSink()
	os.Exit(m.Run())
}

// BenchmarkSend is the send stage: one iteration is one call. The CPU time of a
// record is reported beside the wall time, since the server runs in parallel.
func BenchmarkSend(b *testing.B) {
	sink, err := StartSink()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = sink.Close() })
	l := Load{RecordBytes: 256, PerCall: 500, Consumers: Consumers}
	for _, open := range []func() Side{
		func() Side { return Stock(sink, l) },
		func() Side { return Ours(sink, l, putrecords.JSON) },
		func() Side { return Floor(sink, l, putrecords.JSON) },
		func() Side { return Ours(sink, l, putrecords.CBOR) },
		func() Side { return Floor(sink, l, putrecords.CBOR) },
	} {
		s := open()
		b.Run(s.Name, func(b *testing.B) {
			if err := s.Run(10); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			before := cpuTime()
			b.ResetTimer()
			if err := s.Run(b.N); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(cpuTime()-before)/float64(b.N*s.PerCall), "cpu-ns/record")
		})
		s.Close()
	}
}
