// SPDX-License-Identifier: Apache-2.0

package amazonkinesisexporter

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/accounting"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/metadata"
)

func TestShorten(t *testing.T) {
	const limit = 10_000
	attributes := func(n, length int, text string) func(plog.LogRecord) {
		return func(r plog.LogRecord) {
			for i := range n {
				r.Attributes().PutStr(fmt.Sprint("a", i), strings.Repeat(text, length/len(text)))
			}
		}
	}
	for _, tt := range []struct {
		name  string
		make  func(plog.LogRecord)
		least int // bytes that are kept
		check func(t *testing.T, body string, attributes map[string]any)
	}{
		{
			name: "the body, and nothing else",
			make: func(r plog.LogRecord) {
				r.Body().SetStr(strings.Repeat("x", 100_000))
				r.Attributes().PutStr("kept", strings.Repeat("y", 4000))
			},
			least: limit - 2,
			check: func(t *testing.T, body string, attributes map[string]any) {
				assert.True(t, strings.HasSuffix(body, "xxx…"))
				assert.Len(t, attributes["kept"], 4000)
			},
		},
		{
			name: "two texts of about the same length, to the same length",
			make: func(r plog.LogRecord) {
				r.Body().SetStr(strings.Repeat("x", 12_000))
				r.Attributes().PutStr("long", strings.Repeat("y", 11_000))
				r.Attributes().PutStr("kept", strings.Repeat("z", 1000))
			},
			least: limit - 4,
			check: func(t *testing.T, body string, attributes map[string]any) {
				assert.Len(t, attributes["long"], len(body))
				assert.Len(t, attributes["kept"], 1000)
			},
		},
		{name: "many texts", make: attributes(100, 1000, "x"), least: limit - 200},
		{name: "many short texts", make: attributes(120, 100, "x"), least: limit - 250},
		{name: "what is escaped", make: attributes(3, 20_000, "\x01"), least: limit - 50},
		{name: "characters of several bytes", make: attributes(3, 20_000, "日本"), least: limit - 50},
		{
			name:  "escapes first",
			make:  func(r plog.LogRecord) { r.Body().SetStr(strings.Repeat("\x01", 1000) + strings.Repeat("x", 50_000)) },
			least: limit - 50,
		},
		{
			name:  "escapes last",
			make:  func(r plog.LogRecord) { r.Body().SetStr(strings.Repeat("x", 8000) + strings.Repeat("\x01", 50_000)) },
			least: 1500, // the end weighs more than the text on average, so too much of it is cut
		},
		{
			name: "in maps and slices",
			make: func(r plog.LogRecord) {
				slice := r.Body().SetEmptyMap().PutEmptySlice("slice")
				for range 20 {
					slice.AppendEmpty().SetStr(strings.Repeat("x", 1000))
				}
				r.Attributes().PutEmptyBytes("bytes").FromRaw(make([]byte, 9000))
			},
			least: limit - 50,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := newTestEncoder(t, limit)
			data, ok := e.encodeOne(tt.make)
			require.True(t, ok)
			assert.LessOrEqual(t, len(data), limit)
			assert.GreaterOrEqual(t, len(data), tt.least, "no more is cut than needed")
			var record struct {
				Body       any            `json:"body"`
				Attributes map[string]any `json:"attributes"`
			}
			require.NoError(t, json.Unmarshal(data, &record))
			assert.Contains(t, record.Attributes, truncatedAttribute)
			assert.NotContains(t, string(data), "\uFFFD")
			if tt.check != nil {
				body, _ := record.Body.(string)
				tt.check(t, body, record.Attributes)
			}
		})
	}
}

func TestShortenGivesUp(t *testing.T) {
	e := newTestEncoder(t, 10_000)
	_, ok := e.encodeOne(func(r plog.LogRecord) {
		for i := range 2000 {
			r.Attributes().PutInt(fmt.Sprint("attribute", i), int64(i))
		}
		r.Body().SetStr(strings.Repeat("x", 1000))
	})
	assert.False(t, ok)
	assert.EqualValues(t, 1, e.ledger.Totals().Dropped)
}

// testEncoder encodes single records.
type testEncoder struct {
	*encoder
	t testing.TB
}

func newTestEncoder(t testing.TB, limit int) testEncoder {
	set := exportertest.NewNopSettings(metadata.Type)
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	require.NoError(t, err)
	cfg := newDefaultConfig()
	cfg.Oversize, cfg.MaxRecordSize = oversizeTruncate, limit
	e, err := newEncoder(cfg, accounting.New(telemetry, zap.NewNop()), set.TelemetrySettings)
	require.NoError(t, err)
	return testEncoder{e, t}
}

func (e testEncoder) encodeOne(fill func(plog.LogRecord)) ([]byte, bool) {
	rl := plog.NewLogs().ResourceLogs().AppendEmpty()
	sl := rl.ScopeLogs().AppendEmpty()
	record := sl.LogRecords().AppendEmpty()
	fill(record)
	e.marshaler.start(rl, sl)
	ok := e.encode(record, 0)
	return e.data, ok
}

// A record of thousands of texts is cut in a few steps.
func BenchmarkShorten(b *testing.B) {
	for _, texts := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprint(texts), func(b *testing.B) {
			e := newTestEncoder(b, 1<<20)
			for b.Loop() {
				_, ok := e.encodeOne(func(r plog.LogRecord) {
					for i := range texts {
						r.Attributes().PutStr(fmt.Sprint("attribute", i), strings.Repeat("x", 1_600_000/texts))
					}
				})
				require.True(b, ok)
			}
		})
	}
}
