// SPDX-License-Identifier: Apache-2.0

package plainjson

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/benchlogs"
)

var update = flag.Bool("update", false, "write golden files anew")

// marshal returns the data of all records, a line for each.
func marshal(t testing.TB, e *Encoder, ld plog.Logs) string {
	var out strings.Builder
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			e.Start(rl, sl)
			for _, record := range sl.LogRecords().All() {
				data := e.Append(nil, record)
				require.True(t, json.Valid(data), "%s", data)
				out.Write(data)
				out.WriteByte('\n')
			}
		}
	}
	return out.String()
}

// everything has one record with all fields, one with next to nothing, and bodies of all types.
func everything() plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.SetSchemaUrl("https://opentelemetry.io/schemas/1.40.0")
	rl.Resource().Attributes().PutStr("host.name", "fw-01")
	rl.Resource().Attributes().PutInt("process.pid", 4711)
	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().SetName("syslog")
	sl.Scope().SetVersion("1.2.3")
	sl.Scope().Attributes().PutBool("verified", true)
	lr := sl.LogRecords().AppendEmpty()
	lr.SetTimestamp(1_700_000_000_123_456_789)
	lr.SetObservedTimestamp(1_700_000_001_000_000_000)
	lr.SetSeverityNumber(plog.SeverityNumberWarn2)
	lr.SetSeverityText("warning")
	lr.SetEventName("connection.denied")
	lr.Body().SetStr("denied \"tcp\"\n\tfrom 192.0.2.7 \x00\x1f \xff grüße 日本 🙂")
	a := lr.Attributes()
	a.PutStr("source.ip", "2001:db8::1")
	a.PutInt("largest", math.MaxInt64)
	a.PutInt("smallest", math.MinInt64)
	a.PutDouble("ratio", 0.1)
	a.PutDouble("huge", 1e300)
	a.PutDouble("nan", math.NaN())
	a.PutDouble("infinite", math.Inf(-1))
	a.PutEmpty("nothing")
	a.PutEmptyBytes("raw").FromRaw([]byte{0, 1, 254, 255})
	tags := a.PutEmptySlice("tags")
	tags.AppendEmpty().SetStr("a")
	tags.AppendEmpty().SetEmptyMap().PutBool("deep", false)
	lr.SetTraceID(pcommon.TraceID{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 255})
	lr.SetSpanID(pcommon.SpanID{255, 2, 3, 4, 5, 6, 7, 8})
	lr.SetFlags(plog.DefaultLogRecordFlags.WithIsSampled(true))
	lr.SetDroppedAttributesCount(2)

	sl.LogRecords().AppendEmpty().Body().SetStr("same resource and scope")

	own := rl.ScopeLogs().AppendEmpty()
	own.SetSchemaUrl("https://opentelemetry.io/schemas/1.41.0")
	own.LogRecords().AppendEmpty().Body().SetInt(-1)

	bare := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty()
	bare.LogRecords().AppendEmpty() // nothing at all
	bare.LogRecords().AppendEmpty().Body().SetDouble(-2.5)
	bare.LogRecords().AppendEmpty().Body().SetBool(true)
	bare.LogRecords().AppendEmpty().Body().SetStr("")
	bare.LogRecords().AppendEmpty().Body().SetEmptyBytes().FromRaw([]byte("bytes"))
	m := bare.LogRecords().AppendEmpty().Body().SetEmptyMap()
	m.PutStr("user", "ada")
	m.PutEmptyMap("empty")
	bare.LogRecords().AppendEmpty().Body().SetEmptySlice().AppendEmpty().SetInt(1)
	return ld
}

func TestPlainJSON(t *testing.T) {
	ld := everything()
	ld.MarkReadOnly()
	for name, eventID := range map[string]string{"plain": "", "plain_event_id": "event_id"} {
		t.Run(name, func(t *testing.T) {
			golden(t, filepath.Join("testdata", name+".jsonl"), marshal(t, New(eventID), ld))
		})
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

// Every field that a record can have is one of Fields, and in their order.
func TestFields(t *testing.T) {
	ld := everything()
	rl := ld.ResourceLogs().At(0)
	sl := rl.ScopeLogs().At(0)
	e := New("")
	e.Start(rl, sl)
	decoder := json.NewDecoder(bytes.NewReader(e.Append(nil, sl.LogRecords().At(0))))
	_, err := decoder.Token() // the brace
	require.NoError(t, err)
	var names []string
	for decoder.More() {
		name, err := decoder.Token()
		require.NoError(t, err)
		names = append(names, name.(string))
		var value json.RawMessage
		require.NoError(t, decoder.Decode(&value))
	}
	assert.Equal(t, Fields, names)
}

func TestIDIsTheOneThatIsWritten(t *testing.T) {
	e := New("event_id")
	for _, rl := range everything().ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			e.Start(rl, sl)
			for _, record := range sl.LogRecords().All() {
				id := e.ID(record)
				assert.Contains(t, string(e.Append(nil, record)), `"event_id":"`+id+`"`)
			}
		}
	}
}

func TestEventID(t *testing.T) {
	id := func(ld plog.Logs) string {
		var fields map[string]any
		require.NoError(t, json.Unmarshal([]byte(marshal(t, New("event_id"), ld)), &fields))
		return fields["event_id"].(string)
	}
	change := map[string]func(plog.Logs){
		"body":      func(ld plog.Logs) { firstRecord(ld).Body().SetStr("other") },
		"timestamp": func(ld plog.Logs) { firstRecord(ld).SetTimestamp(1) },
		"attribute": func(ld plog.Logs) { firstRecord(ld).Attributes().PutStr("x", "y") },
		"resource":  func(ld plog.Logs) { ld.ResourceLogs().At(0).Resource().Attributes().PutStr("x", "y") },
		"scope":     func(ld plog.Logs) { ld.ResourceLogs().At(0).ScopeLogs().At(0).Scope().SetName("other") },
	}
	first := id(one())
	assert.Len(t, first, 32)
	assert.Equal(t, first, id(one()), "the same for the same record")
	for name, change := range change {
		ld := one()
		change(ld)
		assert.NotEqual(t, first, id(ld), name)
	}
	given := one()
	firstRecord(given).Attributes().PutStr("log.record.uid", "01J0000")
	assert.Equal(t, "01J0000", id(given))
}

func one() plog.Logs {
	ld := plog.NewLogs()
	sl := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty()
	sl.LogRecords().AppendEmpty().Body().SetStr("a line")
	return ld
}

func firstRecord(ld plog.Logs) plog.LogRecord {
	return ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
}

// TestEventIDRegardsNoOrder has the same attributes in another order.
func TestEventIDRegardsNoOrder(t *testing.T) {
	ids := map[string]bool{}
	for _, names := range [][]string{{"a", "b", "c"}, {"c", "a", "b"}, {"b", "c", "a"}} {
		ld := plog.NewLogs()
		rl := ld.ResourceLogs().AppendEmpty()
		sl := rl.ScopeLogs().AppendEmpty()
		record := sl.LogRecords().AppendEmpty()
		inBody := record.Body().SetEmptyMap().PutEmptySlice("list").AppendEmpty().SetEmptyMap()
		for _, m := range []pcommon.Map{rl.Resource().Attributes(), sl.Scope().Attributes(), record.Attributes(), inBody, record.Attributes().PutEmptyMap("m")} {
			for _, name := range names {
				m.PutStr(name, "value of "+name)
			}
		}
		e := New("event_id")
		e.Start(rl, sl)
		id := e.ID(record)
		ids[id] = true
		assert.Contains(t, string(e.Append(nil, record)), `"event_id":"`+id+`"`)
	}
	assert.Len(t, ids, 1)
}

// BenchmarkEncode is to be read against BenchmarkProto: the cost of plain JSON against that of OTLP.
func BenchmarkEncode(b *testing.B) {
	for _, resources := range []int{1, 4, 16} {
		b.Run(fmt.Sprintf("rich/resources=%d", resources), func(b *testing.B) {
			benchmarkEncoder(b, New(""), benchlogs.Rich(resources, 500))
		})
	}
	b.Run("rich/event_id", func(b *testing.B) { benchmarkEncoder(b, New("event_id"), benchlogs.Rich(1, 500)) })
	b.Run("raw", func(b *testing.B) { benchmarkEncoder(b, New(""), benchlogs.Lines(500)) })
}

func benchmarkEncoder(b *testing.B, e *Encoder, ld plog.Logs) {
	var data []byte
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		for _, rl := range ld.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				e.Start(rl, sl)
				for _, record := range sl.LogRecords().All() {
					data = e.Append(data[:0], record)
					n++
				}
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/record")
	b.ReportMetric(float64(len(data)), "B/record")
}

func BenchmarkProto(b *testing.B) {
	for name, ld := range map[string]plog.Logs{"rich": benchlogs.Rich(1, 500), "raw": benchlogs.Lines(500)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				_, _ = (&plog.ProtoMarshaler{}).MarshalLogs(ld)
				n += 500
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/record")
		})
	}
}
