// SPDX-License-Identifier: Apache-2.0

package fieldformat

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/fieldformat/formattest"
)

// Values that rules tell apart, and others.
var (
	otherTexts = []string{"192.0.2.7", "198.51.100.250", "2001:db8::1", "a b", "host-1", "host.example.com", "tcp", "UDP", "allowed", "denied", "success",
		"failure", "network", "alert", "443", "-1", "x|y=z\\\n;,\"", "é\xff", "user@example.com", "dom\\user", "", "GET", "https://example.com/a?b=c",
		strings.Repeat("long ", 60), strings.Repeat("long ", 300), "CEF:0|a|b|c|d|e|5|src=192.0.2.1", "2026-03-14T09:27:01Z", "S-1-5-18", "inbound", "error"}
	otherNumbers = []int64{0, 1, -1, 5, 6, 17, 22, 53, 443, 65535, 65536, 1 << 31, 1<<53 + 1, -1 << 63, 1<<63 - 1, 1773480421004, 1773480421}
)

// alter makes another record of the same kind: one to three of its values are others.
func alter(r *rand.Rand, to plog.LogRecord) {
	for range 1 + r.IntN(3) {
		switch r.IntN(8) {
		case 0:
			to.SetTimestamp(pcommon.Timestamp(1e18 + r.Int64N(1e18)))
			if r.IntN(4) == 0 {
				to.SetTimestamp(pcommon.Timestamp(r.Int64N(earliest)))
			}
		case 1:
			to.SetObservedTimestamp(pcommon.Timestamp(1e18 + r.Int64N(1e18)))
		case 2:
			if to.Body().Type() == pcommon.ValueTypeStr {
				to.Body().SetStr(otherTexts[r.IntN(len(otherTexts))])
			}
		default:
			n := to.Attributes().Len()
			if n == 0 {
				continue
			}
			n = r.IntN(n)
			for _, v := range to.Attributes().All() {
				if n--; n >= 0 {
					continue
				}
				switch {
				case v.Type() == pcommon.ValueTypeStr && r.IntN(3) == 0:
					v.SetStr("text-" + string(rune('a'+r.IntN(26))))
				case v.Type() == pcommon.ValueTypeStr:
					v.SetStr(otherTexts[r.IntN(len(otherTexts))])
				case v.Type() == pcommon.ValueTypeInt && r.IntN(2) == 0:
					v.SetInt(r.Int64N(60000))
				case v.Type() == pcommon.ValueTypeInt:
					v.SetInt(otherNumbers[r.IntN(len(otherNumbers))])
				case v.Type() == pcommon.ValueTypeDouble:
					v.SetDouble(r.NormFloat64())
				case v.Type() == pcommon.ValueTypeBool:
					v.SetBool(!v.Bool())
				case v.Type() == pcommon.ValueTypeSlice && v.Slice().Len() > 0 && v.Slice().At(0).Type() == pcommon.ValueTypeStr:
					v.Slice().At(0).SetStr(otherTexts[r.IntN(len(otherTexts))])
				}
				break
			}
		}
	}
}

// checkPatterns writes records that are much alike with patterns and without. There must be no difference. It returns how
// many records were written by a pattern.
func checkPatterns(t *testing.T, with, without *Encoder, r *rand.Rand, base plog.Logs, n int) (filled int) {
	t.Helper()
	rl := base.ResourceLogs().At(0)
	sl := rl.ScopeLogs().At(0)
	with.Start(rl.Resource(), sl.Scope())
	without.Start(rl.Resource(), sl.Scope())
	record := plog.NewLogRecord()
	for i := range n {
		if i%4 < 2 {
			sl.LogRecords().At(0).CopyTo(record)
		}
		if i > 2 {
			alter(r, record)
		}
		if record.Timestamp() < earliest && record.ObservedTimestamp() < earliest { // it would be dated now
			record.SetObservedTimestamp(1771934399_123456789)
		}
		with.patterns.wait = 0 // every record that fits no pattern makes one
		if _, ok := with.fillPattern(nil, record); ok {
			filled++
		}
		got, err := with.AppendRecord(nil, record)
		require.NoError(t, err)
		if want := without.translate(nil, record); string(want) != string(got) {
			logs := plog.NewLogs()
			base.CopyTo(logs)
			record.CopyTo(logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0))
			input, _ := (&plog.JSONMarshaler{}).MarshalLogs(logs)
			require.Equal(t, string(want), string(got), "%s: from %s", with.format, input)
		}
	}
	return filled
}

func TestPatternsMakeNoDifference(t *testing.T) {
	rounds, seeds := 60, 150
	if testing.Short() {
		rounds, seeds = 20, 20
	}
	for f := range numFormats {
		t.Run(f.String(), func(t *testing.T) {
			r := rand.New(rand.NewPCG(uint64(f), 5))
			with, without := New(f, Options{}), New(f, Options{})
			filled := checkPatterns(t, with, without, r, firewall(), 10*rounds)
			assert.Greater(t, filled, rounds, "records of a firewall that fit a pattern")
			filled = 0
			for _, record := range formattest.Records() {
				filled += checkPatterns(t, with, without, r, record.Logs, rounds)
			}
			assert.Greater(t, filled, rounds, "records of the corpus that fit a pattern")
			for seed := range seeds {
				checkPatterns(t, with, without, r, formattest.Random(rand.New(rand.NewPCG(uint64(seed), 13))), rounds/2)
			}
		})
	}
}

// TestPatternOfAFirewall has values that only pass through, and one that decides.
func TestPatternOfAFirewall(t *testing.T) {
	for f := range numFormats {
		e := New(f, Options{})
		rl := firewall().ResourceLogs().At(0)
		record := rl.ScopeLogs().At(0).LogRecords().At(0)
		e.Start(rl.Resource(), rl.ScopeLogs().At(0).Scope())
		for range 4 {
			_, err := e.AppendRecord(nil, record)
			require.NoError(t, err)
		}
		record.SetTimestamp(1771934400_000000001)
		if f != UDM { // which looks at the message
			record.Body().SetStr("another \"message\"")
		}
		record.Attributes().PutStr("source.ip", "198.51.100.1")
		record.Attributes().PutInt("source.port", 40001)
		record.Attributes().PutInt("source.bytes", 77)
		_, ok := e.fillPattern(nil, record)
		assert.True(t, ok, f)

		record.Attributes().PutStr("source.ip", "fw.example.com")
		_, ok = e.fillPattern(nil, record)
		assert.False(t, ok, f)
		record.Attributes().PutStr("source.ip", "198.51.100.1")
		record.Attributes().PutStr("event.action", "allow")
		_, ok = e.fillPattern(nil, record)
		assert.False(t, ok, f)
	}
}

// TestPatternsOfResources alternates resources: none gets the values of another.
func TestPatternsOfResources(t *testing.T) {
	e, without := New(OCSF, Options{}), New(OCSF, Options{})
	one, other := firewall().ResourceLogs().At(0), firewall().ResourceLogs().At(0)
	other.Resource().Attributes().PutStr("host.name", "fw-edge-02")
	other.ScopeLogs().At(0).Scope().SetName("scope")
	for i := range 40 {
		rl := one
		if i/5%2 == 1 {
			rl = other
		}
		sl := rl.ScopeLogs().At(0)
		got, err := e.Append(nil, rl.Resource(), sl.Scope(), sl.LogRecords().At(0))
		require.NoError(t, err)
		without.Start(rl.Resource(), sl.Scope())
		assert.Equal(t, string(without.translate(nil, sl.LogRecords().At(0))), string(got))
	}
}
