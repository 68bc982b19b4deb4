// SPDX-License-Identifier: Apache-2.0

package amazonkinesisexporter

import (
	"context"
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/kinesistest"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/postprocess"
)

func TestScheduledDelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		r := startRig(t, server, func(c *Config) { c.Interval = 10 * time.Minute })
		time.Sleep(time.Minute) // the first execution finds nothing
		r.send(2750, 100)
		time.Sleep(8 * time.Minute)
		assert.Zero(t, r.stream().Len(), "records wait")
		server.Fail(kinesistest.Fault{Times: 3, Do: kinesistest.Refuse("InternalFailure")})
		time.Sleep(2 * time.Minute)
		assert.Equal(t, 2750, r.stream().Len(), "failed requests are sent again within the execution")
		assert.Equal(t, int64(2), r.sum("executions"))
		r.send(10, 10)
		r.shutdown()
		assert.Equal(t, 2760, r.stream().Len(), "a memory queue is delivered at shutdown")
		assert.Zero(t, r.tally().Duplicates)
		full := 0
		for _, call := range server.Calls("PutRecords") {
			if call.Entries == 500 {
				full++
			}
		}
		assert.GreaterOrEqual(t, full, 5, "full requests")
		r.balanced()
	})
}

func TestScheduledPersistentQueueKeepsItsRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 3000
		dir := t.TempDir()
		server := newServer(t, nil)
		edit := func(c *Config) {
			persistentQueue(c)
			c.Interval = time.Hour
		}
		first := newRig(t, server, edit)
		stop := first.withStorage(dir)
		first.start()
		time.Sleep(time.Minute)
		first.send(n, 100)
		time.Sleep(time.Minute)
		begin := time.Now()
		first.shutdown()
		first.balanced()
		stop()
		assert.Less(t, time.Since(begin), time.Second)
		assert.Zero(t, first.stream().Len())
		delivered, kept, dropped := first.outcome()
		assert.Equal(t, [3]int64{0, n, 0}, [3]int64{delivered, kept, dropped})

		second := newRig(t, server, edit)
		stop = second.withStorage(dir)
		second.start()
		time.Sleep(time.Minute)
		assert.Equal(t, n, second.stream().Len(), "the first execution delivers what was kept")
		second.shutdown()
		second.balanced()
		stop()
		assert.Zero(t, first.tally().Missing)
		assert.Zero(t, first.tally().Duplicates)
	})
}

func TestPipelinesRunOnceOnTheExportersOwnRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		server.Fail(kinesistest.Fault{Share: 0.5, Do: kinesistest.FailEntry("InternalFailure")})
		r := startRig(t, server, func(c *Config) {
			c.Pipelines = []postprocess.Config{{
				Statements: []string{
					`set(log.attributes["runs"], Concat([log.attributes["runs"], "x"], ""))`,
					`delete_key(log.attributes, "key")`,
				},
				Drop: []string{`IsMatch(log.body, "#0000[0-4]")`},
			}}
		})
		ld := numbered(0, 200)
		ld.MarkReadOnly()
		require.NoError(t, r.exporter.ConsumeLogs(context.Background(), ld))
		r.sent, r.accepted = 200, 200
		r.shutdown()
		_, untouched := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().Get("runs")
		assert.False(t, untouched)
		assert.Equal(t, 150, r.stream().Len())
		for record := range r.stream().Records() {
			assert.Contains(t, string(record.Data), `"attributes":{"runs":"<nil>x"}`)
		}
		assert.Equal(t, int64(50), r.sum("records", "outcome", "dropped", "reason", "filtered"))
		r.balanced()
	})
}

// TestEventIDsComeFromTheRecordAsItWas runs pipelines that give another result each time.
func TestEventIDsComeFromTheRecordAsItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ids := map[string]int{}
		for range 2 {
			server := newServer(t, nil)
			r := startRig(t, server, func(c *Config) {
				c.EventID = "event_id"
				c.Pipelines = []postprocess.Config{{Statements: []string{`set(log.attributes["random"], UUID())`}}}
			})
			r.send(100, 100)
			r.shutdown()
			for record := range r.stream().Records() {
				var fields struct {
					EventID string `json:"event_id"`
				}
				require.NoError(t, json.Unmarshal(record.Data, &fields))
				ids[fields.EventID]++
			}
		}
		assert.Len(t, ids, 100)
		for id, n := range ids {
			assert.Equal(t, 2, n, id)
		}
	})
}
