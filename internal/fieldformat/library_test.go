// SPDX-License-Identifier: Apache-2.0

package fieldformat

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// twins are an encoder with patterns and one without, started with the resource of a firewall.
type twins struct {
	with, without *Encoder
	rl            plog.ResourceLogs
	record        plog.LogRecord
}

func newTwins(f Format) *twins {
	rl := firewall().ResourceLogs().At(0)
	w := &twins{New(f, Options{}), New(f, Options{}), rl, rl.ScopeLogs().At(0).LogRecords().At(0)}
	w.without.patterns.library = nil
	w.start(rl)
	return w
}

func (w *twins) start(rl plog.ResourceLogs) {
	for _, e := range []*Encoder{w.with, w.without} {
		e.Start(rl.Resource(), rl.ScopeLogs().At(0).Scope())
	}
}

// write writes the record, which both must do alike.
func (w *twins) write(t *testing.T, what any) {
	t.Helper()
	got, err := w.with.AppendRecord(nil, w.record)
	require.NoError(t, err)
	assert.Equal(t, string(w.without.translate(nil, w.record)), string(got), what)
}

// pairs makes a map of names and numbers, a name twice if it is there twice: "a1 b5".
func pairs(t *testing.T, text string) pcommon.Value {
	t.Helper()
	var values []string
	for _, p := range strings.Fields(text) {
		values = append(values, fmt.Sprintf(`{"key":"%c","value":{"intValue":"%c"}}`, p[0], p[1]))
	}
	ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs([]byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"kvlistValue":{"values":[` +
		strings.Join(values, ",") + `]}}}]}]}]}`))
	require.NoError(t, err)
	return ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body()
}

// TestListsAreComparedStrictly has lists that pcommon says are equal, and that are written differently.
func TestListsAreComparedStrictly(t *testing.T) {
	zero, minusZero := pcommon.NewValueDouble(0), pcommon.NewValueDouble(math.Copysign(0, -1))
	for i, c := range [][2]pcommon.Value{{pairs(t, "a1 b5"), pairs(t, "a1 a1")}, {pairs(t, "a1 b2"), pairs(t, "b2 a1")}, {zero, minusZero}} {
		w := newTwins(OCSF)
		for _, v := range []pcommon.Value{c[0], c[0], c[0], c[1]} {
			v.CopyTo(w.record.Attributes().PutEmptySlice("my.list").AppendEmpty())
			w.write(t, i)
		}
	}
}

func TestResourcesAreComparedStrictly(t *testing.T) {
	w := newTwins(OCSF)
	for _, text := range []string{"a1 a1", "a1 a1", "a1 a1", "a1 b5", "a1 b5"} {
		pairs(t, text).CopyTo(w.rl.Resource().Attributes().PutEmpty("x"))
		w.start(w.rl)
		w.write(t, text)
	}
}

func TestUserNameThatIsNoText(t *testing.T) {
	w := newTwins(ASIM)
	w.record.Attributes().PutDouble("user.name", 10)
	w.record.Attributes().PutStr("user.domain", "dom")
	for i := range 4 {
		w.write(t, i)
	}
}

// TestOrderDoesNotMatter has attributes in another order each time, as some receivers have them.
func TestOrderDoesNotMatter(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	shuffled := func(m pcommon.Map) pcommon.Map {
		names := make([]string, 0, m.Len())
		for name := range m.All() {
			names = append(names, name)
		}
		r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		out := pcommon.NewMap()
		for _, name := range names {
			v, _ := m.Get(name)
			v.CopyTo(out.PutEmpty(name))
		}
		return out
	}
	for f := range numFormats {
		w := newTwins(f)
		w.record.Attributes().PutEmptyMap("nested").PutStr("b", "1")
		v, _ := w.record.Attributes().Get("nested")
		v.Map().PutStr("a", "2")
		want := string(w.without.translate(nil, w.record))
		filled := 0
		for range 40 {
			shuffled(v.Map()).CopyTo(v.Map())
			shuffled(w.record.Attributes()).CopyTo(w.record.Attributes())
			shuffled(w.rl.Resource().Attributes()).CopyTo(w.rl.Resource().Attributes())
			v, _ = w.record.Attributes().Get("nested")
			w.start(w.rl)
			fixed := fixedOf(w.record)
			if len(w.with.match(w.record, &fixed)) > 0 {
				filled++
			}
			got, err := w.with.AppendRecord(nil, w.record)
			require.NoError(t, err)
			require.Equal(t, want, string(got), f)
			require.Equal(t, want, string(w.without.translate(nil, w.record)), f)
		}
		assert.Equal(t, 38, filled, f)
		assert.Len(t, w.with.patterns.library.sources, 1)
	}
}

// TestProofIsOfTheValue alternates shapes: what one left in a slot says nothing of another's values.
func TestProofIsOfTheValue(t *testing.T) {
	w := newTwins(CIM)
	w.record.Attributes().Clear()
	w.record.Attributes().PutInt("my.number", 1)
	other := plog.NewLogRecord()
	w.record.CopyTo(other)
	other.Attributes().Clear()
	other.Attributes().PutStr("my.text", "text")
	for _, record := range []plog.LogRecord{w.record, w.record, other, other, other, w.record} {
		_, err := w.with.AppendRecord(nil, record)
		require.NoError(t, err)
	}
	fixed := fixedOf(w.record)
	w.record.Attributes().PutInt("my.number", 2)
	w.with.patterns.findDiffering(w.with.match(w.record, &fixed)[0])
	assert.Len(t, w.with.patterns.differ, 1, "my.number was never seen to differ")
}

func TestMapsDoNotDecide(t *testing.T) {
	w := newTwins(OCSF)
	w.record.Attributes().Clear()
	w.record.Attributes().PutInt("class_uid", 4001)
	w.record.Attributes().PutInt("time", 1771934399123)
	w.record.Attributes().PutEmptyMap("metadata").PutEmptyMap("product").PutStr("name", "x")
	other := plog.NewLogRecord()
	w.record.CopyTo(other)
	other.Attributes().Clear()
	for i := range 6 {
		other.Attributes().PutInt(fmt.Sprint("n", i), 7)
	}
	learn(w.with, w.record)
	learn(w.with, other)
	_, ok := w.with.byPattern(nil, w.record)
	assert.True(t, ok)
}

func TestEmptyBytesAreOfAnotherShape(t *testing.T) {
	w := newTwins(CIM)
	raw := w.record.Attributes().PutEmptyBytes("raw")
	learn(w.with, w.record)
	raw.FromRaw([]byte("x"))
	learn(w.with, w.record)
	_, ok := w.with.byPattern(nil, w.record)
	assert.True(t, ok)
}

// TestOtherSourcesAreLeftAlone has a resource that is not known again, and one with many attributes.
func TestOtherSourcesAreLeftAlone(t *testing.T) {
	w := newTwins(CIM)
	nan, many := plog.NewResourceLogs(), plog.NewResourceLogs()
	nan.ScopeLogs().AppendEmpty()
	many.ScopeLogs().AppendEmpty()
	pairs(t, "a1 a1").CopyTo(nan.Resource().Attributes().PutEmpty("twice"))
	for i := range 100 {
		many.Resource().Attributes().PutInt(fmt.Sprint("label", i), 1)
	}
	for range 1000 {
		w.start(w.rl)
		for range 10 {
			_, err := w.with.AppendRecord(nil, w.record)
			require.NoError(t, err)
		}
		for _, other := range []plog.ResourceLogs{nan, many} {
			w.start(other)
			_, err := w.with.AppendRecord(nil, w.record)
			require.NoError(t, err)
		}
	}
	assert.Zero(t, w.with.patterns.library.edition.Load())
	assert.LessOrEqual(t, len(w.with.patterns.library.sources), 3)
}

func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// TestLibraryCountsWhatItHolds has large resources, and one batch that never ends.
func TestLibraryCountsWhatItHolds(t *testing.T) {
	t.Run("resources", func(t *testing.T) {
		w := newTwins(CIM)
		before := heap()
		for i := range 1000 {
			big := plog.NewResourceLogs()
			big.ScopeLogs().AppendEmpty()
			big.Resource().Attributes().PutStr("text", fmt.Sprint(i)+strings.Repeat("x", 100<<10))
			w.start(big)
			w.with.patterns.learner.credit = mostCredit
			for range 3 {
				_, err := w.with.AppendRecord(nil, w.record)
				require.NoError(t, err)
			}
		}
		assert.Less(t, heap()-before, 3*maxLibrary)
		runtime.KeepAlive(w)
	})
	t.Run("one batch", func(t *testing.T) {
		w := newTwins(CIM)
		w.record.Body().SetStr(strings.Repeat("x", 2000))
		before := heap()
		for i := range 10000 {
			w.record.Attributes().PutStr("event.action", fmt.Sprint("x", i))
			w.with.patterns.learner = learner{credit: mostCredit, seen: w.with.patterns.learner.seen}
			for range 2 {
				_, err := w.with.AppendRecord(nil, w.record)
				require.NoError(t, err)
			}
		}
		assert.Less(t, heap()-before, 3*maxLibrary)
		runtime.KeepAlive(w)
	})
}

// TestWithoutStart writes records of nobody.
func TestWithoutStart(t *testing.T) {
	e := New(CIM, Options{})
	for range 3 {
		_, err := e.AppendRecord(nil, newTwins(CIM).record)
		require.NoError(t, err)
	}
}
