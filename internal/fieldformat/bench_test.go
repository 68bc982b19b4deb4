// SPDX-License-Identifier: Apache-2.0

package fieldformat

import (
	"testing"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/benchlogs"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/fieldformat/formattest"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/plainjson"
)

// firewall is a denied connection: twelve attributes under their ECS names, eight of the resource, a message.
func firewall() plog.Logs {
	logs := plog.NewLogs()
	rl := logs.ResourceLogs().AppendEmpty()
	res := rl.Resource().Attributes()
	for _, pair := range [][2]string{{"host.name", "fw-edge-01"}, {"host.id", "8d4f1c"}, {"service.name", "edge"}, {"service.version", "4.2.0"},
		{"os.type", "linux"}, {"cloud.provider", "aws"}, {"cloud.region", "eu-central-1"}, {"deployment.environment.name", "prod"}} {
		res.PutStr(pair[0], pair[1])
	}
	r := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	r.SetTimestamp(1771934399_123456789)
	r.SetObservedTimestamp(1771934400_000000000)
	r.SetSeverityNumber(plog.SeverityNumberInfo)
	r.Body().SetStr("Deny tcp src outside:203.0.113.45/51234 dst inside:10.1.2.3/443 by access-group outside_in")
	a := r.Attributes()
	a.PutEmptySlice("event.category").AppendEmpty().SetStr("network")
	a.PutEmptySlice("event.type").AppendEmpty().SetStr("denied")
	a.PutStr("event.action", "deny")
	a.PutStr("source.ip", "203.0.113.45")
	a.PutInt("source.port", 51234)
	a.PutStr("destination.ip", "10.1.2.3")
	a.PutInt("destination.port", 443)
	a.PutStr("network.transport", "tcp")
	a.PutStr("network.direction", "inbound")
	a.PutInt("source.bytes", 1234)
	a.PutStr("rule.name", "outside_in")
	a.PutStr("observer.vendor", "Cisco")
	return logs
}

// BenchmarkPlainJSON is what the cost of the formats is compared with.
func BenchmarkPlainJSON(b *testing.B) {
	e := plainjson.New("")
	benchmark(b, benchlogs.Firewall(500), e.Start, func(dst []byte, r plog.LogRecord) []byte { return e.Append(dst, r) })
}

// BenchmarkFirewall has varied records of a firewall, most of which patterns write.
func BenchmarkFirewall(b *testing.B) { benchmarkFormats(b, benchlogs.Firewall(500), true) }

// BenchmarkTranslation is what a record costs that has no pattern.
func BenchmarkTranslation(b *testing.B) { benchmarkFormats(b, benchlogs.Firewall(500), false) }

// BenchmarkStrange is what it costs to look for a pattern in vain.
func BenchmarkStrange(b *testing.B) { benchmarkFormats(b, benchlogs.Strange(500), true) }

func benchmarkFormats(b *testing.B, ld plog.Logs, patterns bool) {
	for f := range numFormats {
		b.Run(f.String(), func(b *testing.B) {
			e := New(f, Options{})
			if !patterns {
				e.patterns.library = nil
			}
			benchmark(b, ld, func(rl plog.ResourceLogs, sl plog.ScopeLogs) { e.Start(rl.Resource(), sl.Scope()) },
				func(dst []byte, r plog.LogRecord) []byte {
					dst, _ = e.AppendRecord(dst, r)
					return dst
				})
		})
	}
}

// benchmark writes a batch of records, and says what one costs.
func benchmark(b *testing.B, ld plog.Logs, start func(plog.ResourceLogs, plog.ScopeLogs), write func([]byte, plog.LogRecord) []byte) {
	rl := ld.ResourceLogs().At(0)
	sl := rl.ScopeLogs().At(0)
	var buf []byte
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		start(rl, sl)
		for _, r := range sl.LogRecords().All() {
			buf = write(buf[:0], r)
			n++
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/record")
}

// BenchmarkCorpus is the average record of the corpus.
func BenchmarkCorpus(b *testing.B) {
	records := formattest.Records()
	for f := range numFormats {
		b.Run(f.String(), func(b *testing.B) {
			e := New(f, Options{})
			var buf []byte
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				rl := records[i%len(records)].Logs.ResourceLogs().At(0)
				sl := rl.ScopeLogs().At(0)
				buf, _ = e.Append(buf[:0], rl.Resource(), sl.Scope(), sl.LogRecords().At(0))
				i++
			}
		})
	}
}

// BenchmarkNew is what a worker's first encoder costs; the others are clones.
func BenchmarkNew(b *testing.B) {
	for f := range numFormats {
		b.Run(f.String(), func(b *testing.B) {
			for b.Loop() {
				New(f, Options{})
			}
		})
	}
}
