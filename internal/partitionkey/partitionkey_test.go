// SPDX-License-Identifier: Apache-2.0

package partitionkey

import (
	"context"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

func TestKey(t *testing.T) {
	rl, sl, lr := record()
	tests := []struct {
		expr string
		want string
	}{
		{`resource.attributes["host.name"]`, "web-1"},
		{`log.attributes["tenant"]`, "acme"},
		{`  log.attributes["tenant"]  `, "acme"},
		{`scope.name`, "lib"},
		{`log.body`, "hello"},
		{`log.trace_id.string`, "0102030405060708090a0b0c0d0e0f10"},
		{`log.trace_id`, "0102030405060708090a0b0c0d0e0f10"},
		{`log.span_id`, "0102030405060708"},
		{`log.severity_number`, "9"},
		{`log.time`, "2026-01-02T03:04:05.000000006Z"},
		{`log.attributes["int"]`, "-7"},
		{`log.attributes["float"]`, "1.5"},
		{`log.attributes["bool"]`, "true"},
		{`log.attributes["bytes"]`, "00ff"},
		{`log.attributes["map"]`, `{"a":1,"b":[true,"x"]}`},
		{`log.attributes["slice"]`, `["x",2]`},
		{`log.attributes["map"]["a"]`, "1"},
		{`Concat([resource.attributes["host.name"], log.attributes["tenant"]], "/")`, "web-1/acme"},
		{`"static"`, "static"},
		{`"a\"b"`, `a"b`},
		{`log.attributes["latin1"]`, "caf\uFFFD"},
		{`log.attributes["long"]`, strings.Repeat("ü", 256)},
		{`SHA256("")`, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{`1 + 1`, "2"},

		// No key: the caller takes a random one.
		{`log.attributes["absent"]`, ""},
		{`log.attributes["empty"]`, ""},
		{`log.attributes["too long"]`, ""},
		{`resource.attributes["absent"]`, ""},
		{`log.attributes["int"]["a"]`, ""}, // OTTL fails to evaluate it
		{`nil`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.expr, func(t *testing.T) {
			e, err := Parse(tt.expr, componenttest.NewNopTelemetrySettings())
			require.NoError(t, err)
			assert.Equal(t, tt.want, e.Key(t.Context(), rl, sl, lr))
		})
	}
}

func TestKeyOfZeroID(t *testing.T) {
	rl, sl, _ := record()
	for _, expr := range []string{`log.trace_id`, `log.trace_id.string`, `log.span_id`, `log.span_id.string`} {
		e, err := Parse(expr, componenttest.NewNopTelemetrySettings())
		require.NoError(t, err)
		assert.Empty(t, e.Key(t.Context(), rl, sl, plog.NewLogRecord()), expr)
	}
}

func TestParseErrors(t *testing.T) {
	tests := []struct {
		expr string
		want string
	}{
		{``, `empty expression`},
		{" \t", `empty expression`},
		{`""`, `the text is no partition key: it must have 1 to 256 characters`},
		{`"` + strings.Repeat("x", 257) + `"`, `the text is no partition key: it must have 1 to 256 characters`},
		{`attributes["tenant"]`, `missing context name for path "attributes[tenant]", possibly valid options are: `},
		{`log.attribute["tenant"]`, `segment "attribute" from path "log.attribute[tenant]" is not a valid path`},
		{`Nope()`, `undefined function "Nope"`},
		{`log.attributes["tenant"`, `expression has invalid syntax at 1:24: (expected "]")`},
		{`set(log.body, "x")`, `must start with an uppercase letter`},
		{`two words`, `expression has invalid syntax at 1:10`},
	}
	for _, tt := range tests {
		t.Run(tt.expr, func(t *testing.T) {
			_, err := Parse(tt.expr, componenttest.NewNopTelemetrySettings())
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestUUID(t *testing.T) {
	e, err := Parse(" UUID() ", componenttest.NewNopTelemetrySettings())
	require.NoError(t, err)
	rl, sl, lr := record()
	form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	seen := map[string]bool{}
	for range 1000 {
		key := e.Key(t.Context(), rl, sl, lr)
		require.Regexp(t, form, key)
		require.False(t, seen[key])
		seen[key] = true
	}
}

func TestAppendKeyIsNeverEmpty(t *testing.T) {
	rl, sl, lr := record()
	for _, expr := range []string{`log.attributes["missing"]`, `resource.attributes["host.name"]`, `UUID()`} {
		e, err := Parse(expr, componenttest.NewNopTelemetrySettings())
		require.NoError(t, err)
		key := e.AppendKey([]byte("before "), t.Context(), rl, sl, lr)
		require.Equal(t, "before ", string(key[:7]))
		require.True(t, Valid(string(key[7:])), expr)
	}
}

func TestRandom(t *testing.T) {
	seen := map[string]bool{}
	count := map[byte]int{}
	for range 10_000 {
		key := string(appendRandom(nil))
		require.Len(t, key, 20)
		require.True(t, Valid(key))
		require.False(t, seen[key])
		seen[key] = true
		for i := range len(key) {
			count[key[i]]++
		}
	}
	require.Len(t, count, len(alphabet))
	for c, n := range count {
		// 200 000 characters in 64 classes: 3125 each, standard deviation 55.
		assert.InDelta(t, 3125, n, 500, "character %q", c)
	}
}

func TestValid(t *testing.T) {
	assert.True(t, Valid("x"))
	assert.True(t, Valid(strings.Repeat("\U0001F600", 256)))
	assert.False(t, Valid(""))
	assert.False(t, Valid(strings.Repeat("x", 257)))
	assert.False(t, Valid(strings.Repeat("\U0001F600", 257)))
	assert.False(t, Valid("\xff"))
}

func TestConcurrentKeys(t *testing.T) {
	e, err := Parse(`log.attributes["tenant"]`, componenttest.NewNopTelemetrySettings())
	require.NoError(t, err)
	rl, sl, lr := record()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 100 {
				if key := e.Key(context.Background(), rl, sl, lr); key != "acme" {
					t.Errorf("key %q", key)
				}
			}
		})
	}
	wg.Wait()
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{`log.attributes["tenant"]`, `"x"`, `UUID()`, `Concat([log.body, "x"], "/")`, `log.`, `"`, `nil`, `0x00`, `1 / 0`} {
		f.Add(seed)
	}
	rl, sl, lr := record()
	set := componenttest.NewNopTelemetrySettings()
	f.Fuzz(func(t *testing.T, expr string) {
		e, err := Parse(expr, set)
		if err != nil {
			return
		}
		if key := e.Key(t.Context(), rl, sl, lr); key != "" && !Valid(key) {
			t.Errorf("%q gives the key %q", expr, key)
		}
	})
}

func BenchmarkKey(b *testing.B) {
	rl, sl, lr := record()
	for _, expr := range []string{`"static"`, `UUID()`, `log.attributes["tenant"]`, `resource.attributes["host.name"]`, `log.trace_id.string`} {
		b.Run(expr, func(b *testing.B) {
			e, err := Parse(expr, componenttest.NewNopTelemetrySettings())
			require.NoError(b, err)
			b.ReportAllocs()
			var key []byte
			for b.Loop() {
				key = e.AppendKey(key[:0], context.Background(), rl, sl, lr)
			}
		})
	}
}

func BenchmarkRandom(b *testing.B) {
	b.ReportAllocs()
	var key []byte
	for b.Loop() {
		key = appendRandom(key[:0])
	}
}

func record() (plog.ResourceLogs, plog.ScopeLogs, plog.LogRecord) {
	rl := plog.NewLogs().ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("host.name", "web-1")
	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().SetName("lib")
	lr := sl.LogRecords().AppendEmpty()
	lr.SetTimestamp(pcommon.NewTimestampFromTime(time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)))
	lr.SetSeverityNumber(plog.SeverityNumberInfo)
	lr.SetTraceID([16]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
	lr.SetSpanID([8]byte{1, 2, 3, 4, 5, 6, 7, 8})
	lr.Body().SetStr("hello")
	attrs := lr.Attributes()
	attrs.PutStr("tenant", "acme")
	attrs.PutStr("empty", "")
	attrs.PutStr("latin1", "caf\xe9")
	attrs.PutStr("long", strings.Repeat("ü", MaxLength))
	attrs.PutStr("too long", strings.Repeat("ü", MaxLength+1))
	attrs.PutInt("int", -7)
	attrs.PutDouble("float", 1.5)
	attrs.PutBool("bool", true)
	attrs.PutEmptyBytes("bytes").FromRaw([]byte{0, 255})
	m := attrs.PutEmptyMap("map")
	list := m.PutEmptySlice("b")
	list.AppendEmpty().SetBool(true)
	list.AppendEmpty().SetStr("x")
	m.PutInt("a", 1)
	s := attrs.PutEmptySlice("slice")
	s.AppendEmpty().SetStr("x")
	s.AppendEmpty().SetInt(2)
	return rl, sl, lr
}
