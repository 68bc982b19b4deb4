// SPDX-License-Identifier: Apache-2.0

package fieldformat

import (
	"testing"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/fieldformat/formattest"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/jsontext"
)

// firewall is the record that the speed of formats is measured with: a denied connection, twelve attributes under their
// ECS names, eight of the resource, a message.
func firewall() plog.Logs {
	logs := plog.NewLogs()
	rl := logs.ResourceLogs().AppendEmpty()
	res := rl.Resource().Attributes()
	for k, v := range map[string]string{"host.name": "fw-edge-01", "host.id": "8d4f1c", "service.name": "edge", "service.version": "4.2.0",
		"os.type": "linux", "cloud.provider": "aws", "cloud.region": "eu-central-1", "deployment.environment.name": "prod"} {
		res.PutStr(k, v)
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

// plainJSON writes the record as the exporter's own JSON marshaller does in essence: every name and value once.
func plainJSON(dst []byte, logs plog.Logs) []byte {
	rl := logs.ResourceLogs().At(0)
	r := rl.ScopeLogs().At(0).LogRecords().At(0)
	dst = append(dst, `{"timestamp":`...)
	dst = jsontext.AppendTime(dst, int64(r.Timestamp()))
	dst = append(dst, `,"observed":`...)
	dst = jsontext.AppendTime(dst, int64(r.ObservedTimestamp()))
	dst = append(dst, `,"body":`...)
	dst = jsontext.AppendValue(dst, r.Body())
	dst = append(dst, `,"attributes":`...)
	dst = jsontext.AppendMap(dst, r.Attributes())
	dst = append(dst, `,"resource":`...)
	dst = jsontext.AppendMap(dst, rl.Resource().Attributes())
	return append(dst, '}')
}

func BenchmarkPlainJSON(b *testing.B) {
	logs := firewall()
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = plainJSON(buf[:0], logs)
	}
	b.SetBytes(int64(len(buf)))
}

// BenchmarkFirewall is one record of a batch of one resource in every format.
func BenchmarkFirewall(b *testing.B) {
	for f := range numFormats {
		b.Run(f.String(), func(b *testing.B) { benchmark(b, f, firewall()) })
	}
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

func benchmark(b *testing.B, f Format, logs plog.Logs) {
	rl := logs.ResourceLogs().At(0)
	sl := rl.ScopeLogs().At(0)
	r := sl.LogRecords().At(0)
	e := New(f, Options{})
	e.Start(rl.Resource(), sl.Scope())
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = e.AppendRecord(buf[:0], r)
	}
	b.SetBytes(int64(len(buf)))
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
