// SPDX-License-Identifier: Apache-2.0

package accounting

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"go.opentelemetry.io/collector/component/componenttest"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/metadata"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// books are a ledger whose metrics and logs can be read.
type books struct {
	*Ledger
	telemetry *componenttest.Telemetry
	logs      *observer.ObservedLogs
}

func newBooks(t testing.TB) *books {
	telemetry := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, telemetry.Shutdown(context.Background())) })
	builder, err := metadata.NewTelemetryBuilder(telemetry.NewTelemetrySettings())
	require.NoError(t, err)
	core, logs := observer.New(zap.DebugLevel)
	return &books{
		Ledger:    New(builder, zap.New(core), attribute.String("exporter", "amazonkinesis/test"), attribute.String("stream", "logs")),
		telemetry: telemetry,
		logs:      logs,
	}
}

// points returns the points of a counter, each written as its attributes but those that all have, and its value.
func (b *books) points(t testing.TB, name string) (points []string) {
	m, err := b.telemetry.GetMetric("otelcol_exporter_amazonkinesis_" + name)
	require.NoError(t, err)
	for _, p := range m.Data.(metricdata.Sum[int64]).DataPoints {
		var text string
		for _, a := range p.Attributes.ToSlice() {
			switch a.Key {
			case "exporter":
				require.Equal(t, "amazonkinesis/test", a.Value.AsString())
			case "stream":
				require.Equal(t, "logs", a.Value.AsString())
			default:
				text += fmt.Sprintf("%s=%s ", a.Key, a.Value.AsString())
			}
		}
		require.Equal(t, 2, p.Attributes.Len()-strings.Count(text, "="), "all have exporter and stream")
		points = append(points, fmt.Sprint(text, p.Value))
	}
	return points
}

func TestEachOutcomeIsCounted(t *testing.T) {
	b := newBooks(t)
	b.Accepted(100)
	b.Restored(20)
	b.Delivered(50, 5000)
	b.Delivered(10, 1000)
	b.Retried(7, "InternalFailure")
	b.Returned(3, ReasonShutdown)
	b.Dropped(2, ReasonTooLarge, errors.New("too large"))
	b.Discarded(4, ReasonFiltered)
	b.Throttled(6, "shardId-000000000003")
	b.PossibleDuplicates(5)
	b.Request("ok", time.Second, 60, 6000)
	b.Request("partial", time.Second, 40, 4000)
	b.Close()

	assert.Equal(t, Totals{Accepted: 100, Restored: 20, Delivered: 60, Dropped: 6, Returned: 3}, b.Totals())
	assert.EqualValues(t, 51, b.Totals().Open())
	assert.ElementsMatch(t, []string{"100"}, b.points(t, "accepted_records"))
	assert.ElementsMatch(t, []string{"20"}, b.points(t, "restored_records"))
	assert.ElementsMatch(t, []string{
		"outcome=delivered 60",
		"outcome=retried reason=InternalFailure 7",
		"outcome=returned reason=shutdown 3",
		"outcome=dropped reason=too_large 2",
		"outcome=dropped reason=filtered 4",
	}, b.points(t, "records"))
	assert.ElementsMatch(t, []string{"6000"}, b.points(t, "bytes"))
	assert.ElementsMatch(t, []string{"shard=shardId-000000000003 6"}, b.points(t, "throttled_records"))
	assert.ElementsMatch(t, []string{"5"}, b.points(t, "possible_duplicates"))
	assert.ElementsMatch(t, []string{"result=ok 1", "result=partial 1"}, b.points(t, "requests"))
	require.Len(t, b.logs.All(), 1, "what was configured is not worth a line")
}

// Nothing is no event: no series, no line.
func TestNothingIsNotCounted(t *testing.T) {
	b := newBooks(t)
	b.Accepted(0)
	b.Restored(0)
	b.Delivered(0, 0)
	b.Retried(0, "InternalFailure")
	b.Returned(0, ReasonShutdown)
	b.Dropped(0, ReasonTooLarge, errors.New("too large"))
	b.Discarded(0, ReasonFiltered)
	b.Throttled(0, "shardId-000000000003")
	b.PossibleDuplicates(0)
	b.Close()
	assert.Zero(t, b.Totals())
	assert.Zero(t, b.logs.Len())
	for _, name := range []string{"accepted_records", "restored_records", "records", "bytes", "throttled_records", "possible_duplicates"} {
		_, err := b.telemetry.GetMetric("otelcol_exporter_amazonkinesis_" + name)
		assert.Error(t, err, name)
	}
}

// What an exporter without calls would have delivered is dropped as configured, and no request was made.
func TestDryRun(t *testing.T) {
	b := newBooks(t)
	b.DryRun = true
	b.Accepted(10)
	b.Delivered(10, 1000)
	b.Request("ok", time.Second, 10, 1000)
	b.Close()
	assert.Equal(t, Totals{Accepted: 10, Dropped: 10}, b.Totals())
	assert.Equal(t, []string{"outcome=dropped reason=dry_run 10"}, b.points(t, "records"))
	_, err := b.telemetry.GetMetric("otelcol_exporter_amazonkinesis_requests")
	assert.Error(t, err)
	assert.Zero(t, b.logs.Len())
}

// lossLine is what a line says of drops.
type lossLine struct {
	at      time.Duration
	records int64
	reason  string
	err     string
}

func (b *books) losses(t testing.TB, begin time.Time) (lines []lossLine) {
	for _, line := range b.logs.FilterMessage("Records dropped.").All() {
		fields := line.ContextMap()
		require.Equal(t, zap.ErrorLevel, line.Level)
		lines = append(lines, lossLine{line.Time.Sub(begin), fields["records"].(int64), fields["reason"].(string), fields["error"].(string)})
	}
	return lines
}

func TestLossesAreLoggedOnceAMinuteForEachReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBooks(t)
		begin := time.Now()
		// For three minutes and a half one reason every second and another one every 40.
		for second := range 210 {
			b.Dropped(2, ReasonTooLarge, fmt.Errorf("second %d", second))
			if second%40 == 5 {
				b.Dropped(1, ReasonEncoding, fmt.Errorf("second %d", second))
			}
			time.Sleep(time.Second)
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		const s = time.Second
		lines := b.losses(t, begin)
		// In the second of a line it is chance whether that second's records are on it, so they are added up.
		byReason := map[string][]lossLine{}
		for _, line := range lines {
			byReason[line.reason] = append(byReason[line.reason], line)
		}
		for reason, want := range map[string]struct {
			at    []time.Duration
			total int64
		}{
			ReasonTooLarge: {[]time.Duration{0, 60 * s, 120 * s, 180 * s, 240 * s}, 420},
			ReasonEncoding: {[]time.Duration{5 * s, 65 * s, 125 * s, 185 * s, 245 * s}, 6},
		} {
			var at []time.Duration
			var total int64
			for _, line := range byReason[reason] {
				at = append(at, line.at)
				total += line.records
			}
			assert.Equal(t, want.at, at, reason)
			assert.Equal(t, want.total, total, "each loss is on one line")
		}
		assert.Equal(t, lossLine{0, 2, ReasonTooLarge, "second 0"}, byReason[ReasonTooLarge][0])
		assert.Equal(t, "second 209", byReason[ReasonTooLarge][4].err, "the last error")

		// After a quiet time the next one is logged at once again.
		later := time.Since(begin)
		b.Dropped(7, ReasonTooLarge, errors.New("later"))
		all := b.losses(t, begin)
		require.Len(t, all, len(lines)+1)
		assert.Equal(t, lossLine{later, 7, ReasonTooLarge, "later"}, all[len(all)-1])
		b.Close()
		assert.Len(t, b.losses(t, begin), len(all))
	})
}

func TestCloseLogsWhatWasHeldBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBooks(t)
		begin := time.Now()
		b.Dropped(1, ReasonShutdown, errors.New("first"))
		b.Dropped(5, ReasonShutdown, errors.New("second"))
		b.Dropped(4, ReasonShutdown, errors.New("third"))
		b.Close()
		want := []lossLine{{0, 1, ReasonShutdown, "first"}, {0, 9, ReasonShutdown, "third"}}
		assert.Equal(t, want, b.losses(t, begin))
		b.Close()
		time.Sleep(time.Hour)
		assert.Equal(t, want, b.losses(t, begin), "and nothing goes on")
	})
}

// Many count at the same time, also through the ends of quiet periods and the close.
func TestManyCountAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBooks(t)
		var all sync.WaitGroup
		const workers, rounds = 20, 200
		for w := range workers {
			all.Go(func() {
				rnd := rand.New(rand.NewPCG(uint64(w), 1))
				for range rounds {
					b.Accepted(3)
					b.Delivered(1, 100)
					b.Dropped(1, fmt.Sprint("reason ", rnd.IntN(4)), errors.New("gone"))
					b.Returned(1, ReasonCanceled)
					// As many outcomes as accepted records at most, whenever somebody looks.
					totals := b.Totals()
					assert.GreaterOrEqual(t, totals.Open(), int64(0), "%+v", totals)
					time.Sleep(time.Duration(rnd.IntN(2000)) * time.Millisecond)
				}
			})
		}
		all.Wait()
		b.Close()
		assert.Equal(t, Totals{Accepted: 3 * workers * rounds, Delivered: workers * rounds, Dropped: workers * rounds, Returned: workers * rounds}, b.Totals())
		assert.Zero(t, b.Totals().Open())
		var logged int64
		for _, line := range b.losses(t, time.Now()) {
			logged += line.records
		}
		assert.EqualValues(t, workers*rounds, logged, "each loss is on one line")
	})
}

func BenchmarkRequest(b *testing.B) {
	l := newBooks(b)
	b.ReportAllocs()
	for b.Loop() {
		l.Request("ok", time.Millisecond, 500, 100_000)
		l.Delivered(500, 100_000)
	}
}
