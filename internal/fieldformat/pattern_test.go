// SPDX-License-Identifier: Apache-2.0

package fieldformat

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/fieldformat/formattest"
)

// Values that rules tell apart, and others.
var (
	otherTexts = []string{"192.0.2.7", "198.51.100.250", "2001:db8::1", "::ffff:192.0.2.1", "a b", " ", "host-1", "host.example.com", "tcp", "UDP", "allowed",
		"denied", "success", "failure", "network", "alert", "443", "-1", "007", "1e3", "x|y=z\\\n;,\"", "ends\\", "é\xff", "user@example.com", "dom\\user", "",
		"GET", "https://example.com/a?b=c", strings.Repeat("long ", 60), strings.Repeat("long ", 300), strings.Repeat("長", 200),
		"CEF:0|a|b|c|d|e|5|src=192.0.2.1", "<1>LEEF:1.0|a|b|c|d|src=192.0.2.1", "2026-03-14T09:27:01Z", "2026-03-14T09:27:01.5+02:00", "S-1-5-18", "inbound",
		"error", "/usr/bin/ssh", "C:\\Windows\\cmd.exe", "/", "dir/", "00:1B:44:11:3a:b7", "001b.4411.3ab7", "d41d8cd98f00b204e9800998ecf8427e",
		"0x3e7", "ACME:1", "8d4f1c3a-0000-4000-8000-000000000000", "true", "NaN", "1773480421", "example.com.", "HKLM\\Software\\X"}
	otherNumbers = []int64{0, 1, -1, 5, 6, 17, 22, 53, 443, 65535, 65536, 1 << 31, 1<<53 + 1, -1 << 63, 1<<63 - 1, 1773480421004, 1773480421, 1500000000}
)

// alter makes another record of the same kind: one to three of its values are others.
func alter(r *rand.Rand, to plog.LogRecord) {
	for range 1 + r.IntN(3) {
		switch r.IntN(12) {
		case 0:
			to.SetTimestamp(pcommon.Timestamp(1e18 + r.Int64N(1e18)))
			if r.IntN(4) == 0 {
				to.SetTimestamp(pcommon.Timestamp(r.Int64N(earliest)))
			}
		case 1:
			to.SetObservedTimestamp(pcommon.Timestamp(1e18 + r.Int64N(1e18)))
		case 2:
			alterValue(r, to.Body())
		case 3:
			to.SetTraceID(pcommon.TraceID{byte(r.IntN(3)), byte(r.IntN(256))})
			to.SetSpanID(pcommon.SpanID{byte(r.IntN(3)), byte(r.IntN(256))})
		case 4:
			to.SetFlags(plog.LogRecordFlags(r.IntN(2)))
			to.SetSeverityNumber(plog.SeverityNumber(r.IntN(25)))
		default:
			alterOne(r, to.Attributes())
		}
	}
}

func alterOne(r *rand.Rand, m pcommon.Map) {
	if m.Len() == 0 {
		return
	}
	n := r.IntN(m.Len())
	for _, v := range m.All() {
		if n == 0 {
			alterValue(r, v)
			return
		}
		n--
	}
}

// alike is another text of the same form: every digit becomes a one or two, every letter x, y or z.
func alike(r *rand.Rand, s string) string {
	b := []byte(s)
	for i, c := range b {
		switch {
		case '0' <= c && c <= '9':
			b[i] = '1' + byte(r.IntN(2))
		case 'a' <= c && c <= 'z' && r.IntN(2) == 0:
			b[i] = 'x' + byte(r.IntN(3))
		}
	}
	return string(b)
}

// lineAlike is another line with the same keys.
func lineAlike(r *rand.Rand, s string) string {
	start := strings.IndexByte(s, '=') + 1
	separator := " "
	for _, c := range []string{"\t", "^"} {
		if strings.Contains(s[start:], c) {
			separator = c
		}
	}
	pieces := strings.SplitAfter(s[start:], separator)
	for i, piece := range pieces {
		key, value, ok := strings.Cut(piece, "=")
		switch {
		case r.IntN(4) > 0:
		case ok:
			pieces[i] = key + "=" + alike(r, value)
		default:
			pieces[i] = alike(r, piece)
		}
	}
	return s[:start] + strings.Join(pieces, "")
}

func alterValue(r *rand.Rand, v pcommon.Value) {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		switch {
		case r.IntN(3) > 0 && isLine(v.Str()):
			v.SetStr(lineAlike(r, v.Str()))
		case r.IntN(3) > 0:
			v.SetStr(alike(r, v.Str()))
		default:
			v.SetStr(otherTexts[r.IntN(len(otherTexts))])
		}
	case pcommon.ValueTypeInt:
		if r.IntN(3) > 0 {
			v.SetInt(r.Int64N(60000))
		} else {
			v.SetInt(otherNumbers[r.IntN(len(otherNumbers))])
		}
	case pcommon.ValueTypeDouble:
		v.SetDouble(r.NormFloat64())
	case pcommon.ValueTypeBool:
		v.SetBool(!v.Bool())
	case pcommon.ValueTypeMap:
		alterOne(r, v.Map())
	case pcommon.ValueTypeBytes:
		v.Bytes().Append(byte(r.IntN(256)))
	case pcommon.ValueTypeSlice:
		if v.Slice().Len() > 0 {
			alterValue(r, v.Slice().At(0))
		}
	}
}

// trust takes a pattern for proven.
func trust(t *pattern) {
	t.tried.Store(true)
	for i := range t.passing {
		t.passing[i].proven.Store(true)
	}
}

// learn makes a pattern of a record if it has none, and trusts it at once: what it writes is compared here.
func learn(e *Encoder, record plog.LogRecord) {
	for range 2 {
		e.patterns.learner = learner{credit: mostCredit, seen: e.patterns.learner.seen}
		if _, ok := e.byPattern(nil, record); ok {
			break
		}
		e.translateAndLearn(nil, record)
	}
	f := fixedOf(record)
	for _, t := range e.match(record, &f) {
		trust(t)
	}
	e.patterns.fills = 0
}

// checkPatterns writes records that are much alike with patterns and without. There must be no difference. It returns how
// many of them a pattern wrote.
func checkPatterns(t *testing.T, with, without *Encoder, r *rand.Rand, base plog.Logs, n int) (filled int) {
	t.Helper()
	rl := base.ResourceLogs().At(0)
	sl := rl.ScopeLogs().At(0)
	without.Start(rl.Resource(), sl.Scope())
	record := plog.NewLogRecord()
	for i := range n {
		if i%8 < 2 {
			sl.LogRecords().At(0).CopyTo(record)
		}
		if i > 2 {
			alter(r, record)
		}
		if record.Timestamp() < earliest && record.ObservedTimestamp() < earliest { // it would be dated now
			record.SetObservedTimestamp(1771934399_123456789)
		}
		with.Start(rl.Resource(), sl.Scope())
		if got, ok := with.byPattern(nil, record); ok {
			filled++
			if want := without.translate(nil, record); string(want) != string(got) {
				logs := plog.NewLogs()
				base.CopyTo(logs)
				record.CopyTo(logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0))
				input, _ := (&plog.JSONMarshaler{}).MarshalLogs(logs)
				require.Equal(t, string(want), string(got), "%s: from %s", with.format, input)
			}
		}
		learn(with, record)
	}
	return filled
}

func TestPatternsMakeNoDifference(t *testing.T) {
	rounds, seeds := 64, 80
	if testing.Short() {
		rounds, seeds = 24, 20
	}
	for f := range numFormats {
		t.Run(f.String(), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(uint64(f), 5))
			complain := func(message string) { t.Error(message) }
			with, without := New(f, Options{EventID: f%2 == 0, Warn: complain}), New(f, Options{EventID: f%2 == 0})
			filled := checkPatterns(t, with, without, r, firewall(), 10*rounds)
			assert.Greater(t, filled, 2*rounds, "records of a firewall that a pattern wrote")
			filled = 0
			for _, record := range formattest.Records() {
				filled += checkPatterns(t, with, without, r, record.Logs, rounds)
			}
			t.Logf("patterns wrote %d of %d records of the corpus", filled, rounds*len(formattest.Records()))
			assert.Greater(t, filled, rounds*len(formattest.Records())/4, "records of the corpus that a pattern wrote")
			for seed := range seeds {
				checkPatterns(t, with, without, r, formattest.Random(rand.New(rand.NewPCG(uint64(seed), 13))), rounds/2)
			}
		})
	}
}

// TestPatternOfAFirewall has values that pass, one that decides, and one of another form.
func TestPatternOfAFirewall(t *testing.T) {
	for f := range numFormats {
		e := New(f, Options{})
		rl := firewall().ResourceLogs().At(0)
		record := rl.ScopeLogs().At(0).LogRecords().At(0)
		e.Start(rl.Resource(), rl.ScopeLogs().At(0).Scope())
		learn(e, record)
		byPattern := func() bool {
			_, ok := e.byPattern(nil, record)
			return ok
		}
		record.SetTimestamp(1771934400_000000001)
		record.Body().SetStr("another \"message\"")
		record.Attributes().PutStr("source.ip", "198.51.100.1")
		record.Attributes().PutInt("source.port", 40001)
		record.Attributes().PutInt("source.bytes", 77)
		record.Attributes().PutStr("rule.name", "other")
		assert.True(t, byPattern(), f)

		record.Attributes().PutStr("source.ip", "fw.example.com")
		assert.False(t, byPattern(), f)
		record.Attributes().PutStr("source.ip", "198.51.100.1")
		record.Attributes().PutStr("event.action", "allow")
		assert.False(t, byPattern(), f)
		record.Attributes().PutStr("event.action", "deny")
		assert.True(t, byPattern(), f)
		record.Attributes().PutStr("another", "attribute")
		assert.False(t, byPattern(), f)
	}
}

// only is the only pattern that there is.
func only(t *testing.T, l *library) *pattern {
	t.Helper()
	require.Len(t, l.sources, 1)
	for _, s := range l.sources {
		require.Len(t, s.shapes, 1)
		for _, sh := range s.shapes {
			require.Len(t, sh.state.Load().patterns, 1)
			for _, p := range sh.state.Load().patterns {
				require.Len(t, p, 1)
				return p[0]
			}
		}
	}
	return nil
}

// TestAWrongPatternIsFoundOut breaks a pattern. The record that shows it is written right, and so are all that follow.
func TestAWrongPatternIsFoundOut(t *testing.T) {
	for name, proven := range map[string]bool{"new": false, "in use": true} {
		t.Run(name, func(t *testing.T) {
			var said []string
			e := New(ECS, Options{Warn: func(message string) { said = append(said, message) }})
			rl := firewall().ResourceLogs().At(0)
			record := rl.ScopeLogs().At(0).LogRecords().At(0)
			e.Start(rl.Resource(), rl.ScopeLogs().At(0).Scope())
			for range 2 {
				e.translateAndLearn(nil, record)
			}
			p := only(t, e.patterns.library)
			p.after = append([]byte("broken"), p.after...)
			if proven {
				trust(p)
				e.patterns.fills = checkEvery - 1
			}
			record.Attributes().PutInt("source.port", 40001)
			want := string(e.translate(nil, record))
			for range 3 {
				got, err := e.AppendRecord(nil, record)
				require.NoError(t, err)
				assert.Equal(t, want, string(got))
			}
			assert.Len(t, said, 1)
			assert.NotContains(t, strings.Join(said, ""), "203.0.113")
		})
	}
}

// TestAPatternIsProvenByUse: a value that the pattern has not been seen to pass makes the record be translated as well.
func TestAPatternIsProvenByUse(t *testing.T) {
	e := New(OCSF, Options{})
	rl := firewall().ResourceLogs().At(0)
	record := rl.ScopeLogs().At(0).LogRecords().At(0)
	e.Start(rl.Resource(), rl.ScopeLogs().At(0).Scope())
	for range 2 {
		e.translateAndLearn(nil, record)
	}
	p := only(t, e.patterns.library)
	write := func() (differing bool) {
		require.NotNil(t, e.match(record, &p.fixed))
		e.patterns.findDiffering(p)
		differing = len(e.patterns.differ) > 0
		_, ok := e.byPattern(nil, record)
		require.True(t, ok)
		return differing
	}
	assert.False(t, write(), "the record of the lesson")
	record.Attributes().PutInt("source.port", 40001)
	assert.True(t, write(), "another port")
	record.Attributes().PutInt("source.port", 40002)
	assert.False(t, write(), "ports are proven")
	record.Attributes().PutStr("source.ip", "198.51.100.1")
	assert.True(t, write(), "another address")
}

// TestEachOfManyValuesIsProven has more values than a word has bits.
func TestEachOfManyValuesIsProven(t *testing.T) {
	w := newTwins(CEF)
	w.record.Attributes().Clear()
	for i := range 100 {
		w.record.Attributes().PutInt(fmt.Sprint("number", i), 1)
	}
	for range 3 {
		w.write(t, "the record of the lesson")
	}
	p := only(t, w.with.patterns.library)
	for i := range 100 {
		w.record.Attributes().PutInt(fmt.Sprint("number", i), 2)
		require.NotNil(t, w.with.match(w.record, &p.fixed))
		w.with.patterns.findDiffering(p)
		require.Len(t, w.with.patterns.differ, 1, i)
		w.write(t, i)
	}
}

// TestSyslogFieldsPass: what differs between processes does not decide, but nothing does.
func TestSyslogFieldsPass(t *testing.T) {
	w := newTwins(ASIM)
	w.rl.Resource().Attributes().Clear() // whose host would be compared with hostname
	w.start(w.rl)
	for _, name := range []string{"proc_id", "appname", "msg_id", "hostname"} {
		w.record.Attributes().PutStr(name, "one")
		for range 3 {
			w.write(t, name)
		}
		w.record.Attributes().PutStr(name, "other")
		_, ok := w.with.byPattern(nil, w.record)
		assert.True(t, ok, name)
		w.record.Attributes().PutStr(name, "-")
		_, ok = w.with.byPattern(nil, w.record)
		assert.False(t, ok, name)
		w.write(t, name)
		w.record.Attributes().PutStr(name, "one")
	}
}

// TestPatternsOfResources alternates resources: none gets the values of another.
func TestPatternsOfResources(t *testing.T) {
	e, without := New(OCSF, Options{}), New(OCSF, Options{})
	without.patterns.library = nil
	one, other := firewall().ResourceLogs().At(0), firewall().ResourceLogs().At(0)
	other.Resource().Attributes().PutStr("host.name", "fw-edge-02")
	other.ScopeLogs().At(0).Scope().SetName("scope")
	for i := range 60 {
		rl := one
		if i/5%2 == 1 {
			rl = other
		}
		sl := rl.ScopeLogs().At(0)
		sl.LogRecords().At(0).Attributes().PutInt("source.port", int64(i))
		if i == 40 { // the same, of another batch
			again := plog.NewLogs()
			one.CopyTo(again.ResourceLogs().AppendEmpty())
			one = again.ResourceLogs().At(0)
		}
		got, err := e.Append(nil, rl.Resource(), sl.Scope(), sl.LogRecords().At(0))
		require.NoError(t, err)
		want, err := without.Append(nil, rl.Resource(), sl.Scope(), sl.LogRecords().At(0))
		require.NoError(t, err)
		assert.Equal(t, string(want), string(got))
	}
	assert.Len(t, e.patterns.library.sources, 2)
}

// TestLibraryIsBounded sends records of ever new sources.
func TestLibraryIsBounded(t *testing.T) {
	e := New(UDM, Options{})
	rl := firewall().ResourceLogs().At(0)
	sl := rl.ScopeLogs().At(0)
	for i := 0; e.patterns.library.edition.Load() < 2; i++ {
		rl.Resource().Attributes().PutInt("host.id", int64(i))
		e.Start(rl.Resource(), sl.Scope())
		e.patterns.learner.credit = mostCredit
		for range 3 {
			_, err := e.AppendRecord(nil, sl.LogRecords().At(0))
			require.NoError(t, err)
		}
		require.LessOrEqual(t, e.patterns.library.size, maxLibrary)
		require.LessOrEqual(t, len(e.patterns.library.sources), 1<<12)
	}
}

// TestLessonsAreSeldom: records of which no two are alike are hardly ever made patterns of.
func TestLessonsAreSeldom(t *testing.T) {
	e := New(CIM, Options{})
	rl := firewall().ResourceLogs().At(0)
	sl := rl.ScopeLogs().At(0)
	e.Start(rl.Resource(), sl.Scope())
	record := plog.NewLogRecord()
	for i := range 2000 {
		sl.LogRecords().At(0).CopyTo(record)
		record.Attributes().PutStr("event.action", fmt.Sprintf("action-%d", i))
		record.Attributes().PutStr(fmt.Sprintf("name.%d", i), "value")
		_, err := e.AppendRecord(nil, record)
		require.NoError(t, err)
	}
	assert.Empty(t, e.patterns.library.sources)
	assert.Greater(t, e.patterns.learner.misses, missesToSkip, "most of them are not even compared")
	assert.Less(t, e.patterns.learner.misses, 300, "most of them are not even compared")
}

// TestClonesShareTheirPatterns has workers write records of a few sources at the same time.
func TestClonesShareTheirPatterns(t *testing.T) {
	first := New(ASIM, Options{Warn: func(message string) { t.Error(message) }})
	want := map[string]bool{}
	logs := make([]plog.Logs, 12)
	for i := range logs {
		logs[i] = firewall()
		rl := logs[i].ResourceLogs().At(0)
		rl.Resource().Attributes().PutInt("host.id", int64(i%3))
		rl.ScopeLogs().At(0).LogRecords().At(0).Attributes().PutInt("source.port", int64(i))
		want[string(encodeOnly(t, New(ASIM, Options{}), logs[i]))] = true
	}
	var workers sync.WaitGroup
	for range 4 {
		e := first.Clone()
		workers.Go(func() {
			for i := range 600 {
				got := string(encodeOnly(t, e, logs[i%len(logs)]))
				assert.True(t, want[got], got)
			}
		})
	}
	workers.Wait()
	assert.Len(t, first.patterns.library.sources, 3)
}

// FuzzPattern compares records that patterns wrote with their translations.
func FuzzPattern(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(seed, "source.user.name", "user")
	}
	f.Fuzz(func(t *testing.T, seed uint64, name, value string) {
		r := rand.New(rand.NewPCG(seed, 17))
		logs := formattest.Random(r)
		if records := formattest.Records(); seed%2 == 0 {
			records[r.IntN(len(records))].Logs.CopyTo(logs)
		}
		logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().PutStr(name, value)
		format := Format(r.IntN(int(numFormats)))
		checkPatterns(t, New(format, Options{}), New(format, Options{}), r, logs, 24)
	})
}
