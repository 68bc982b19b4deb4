// SPDX-License-Identifier: Apache-2.0

package amazonkinesisexporter

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/kinesistest"
)

// offer hands over records at a steady rate, in simulated time, until n are sent.
func (r *rig) offer(n, perSecond int) {
	const perRequest = 100
	for range n / perRequest {
		require.NoError(r.t, r.try(perRequest))
		time.Sleep(time.Second * perRequest / time.Duration(perSecond))
	}
}

func TestFullShardsAreUsedAndRetriesDoNotEatThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const shards, limit = 20, 20 * 1000
		server := newServer(t, func(c *kinesistest.Config) { c.Limits, c.Shards = true, shards })
		server.Fail(kinesistest.Fault{Do: kinesistest.Delay(10*time.Millisecond, 10*time.Millisecond)})
		r := startRig(t, server, func(c *Config) { c.QueueConfig.Get().QueueSize = 1_000_000 })
		begin := time.Now()
		r.offer(3*manyRecords, limit*3/2)
		require.Eventually(t, func() bool { return r.stream().Len() == r.sent }, time.Hour, 10*time.Millisecond)
		// The buckets of the shards are full at the beginning: a second's worth is free.
		capacity := limit*time.Since(begin).Seconds() + limit
		r.shutdown()

		tally := r.tally()
		assert.Zero(t, tally.Missing)
		assert.Zero(t, tally.Duplicates)
		used := float64(r.sent) / capacity
		puts := float64(server.Stats().Entries) / float64(r.sent)
		t.Logf("%.1f %% of the capacity used, %.3f puts a record", 100*used, puts)
		assert.Greater(t, used, 0.95)
		assert.Less(t, puts, 1.2)
		r.balanced()
	})
}

func TestHotKeyDoesNotHoldUpOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, func(c *kinesistest.Config) { c.Limits, c.Shards = true, 20 })
		r := startRig(t, server, func(c *Config) { c.PartitionKeyFrom = `log.attributes["host"]` })
		hot := "hot-host"
		hotShard := r.stream().ShardOf(hot)
		// 500 records a second for each healthy shard, and 5000 for the hot one.
		var healthy []string
		seen := map[string]bool{hotShard: true}
		for i := 0; len(healthy) < 19; i++ {
			host := fmt.Sprintf("host-%d", i)
			if shard := r.stream().ShardOf(host); !seen[shard] {
				seen[shard] = true
				healthy = append(healthy, host)
			}
		}
		const seconds = 6
		begin := time.Now()
		for range seconds * 100 {
			ld := numbered(r.sent, 50+95)
			records := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
			for i := range records.Len() {
				host := hot
				if i >= 50 {
					host = healthy[i%19]
				}
				records.At(i).Attributes().PutStr("host", host)
			}
			r.sent += records.Len()
			r.accepted += records.Len()
			require.NoError(t, r.exporter.ConsumeLogs(t.Context(), ld))
			time.Sleep(10 * time.Millisecond)
		}
		elapsed := time.Since(begin)
		time.Sleep(200 * time.Millisecond)
		var hotTaken, healthyTaken int
		for _, shard := range r.stream().Shards() {
			if shard.ID == hotShard {
				hotTaken = shard.Records
			} else {
				healthyTaken += shard.Records
			}
		}
		t.Logf("after %s: hot %d, healthy %d", elapsed, hotTaken, healthyTaken)
		assert.Greater(t, float64(healthyTaken), 0.95*seconds*100*95)
		assert.Greater(t, float64(hotTaken), 0.90*(seconds+1)*1000)

		metric, err := r.telemetry.GetMetric("otelcol_exporter_amazonkinesis_hot_key_share")
		require.NoError(t, err)
		assert.Contains(t, fmt.Sprint(metric.Data), hot)
		assert.Contains(t, fmt.Sprint(metric.Data), hotShard)
		warning := r.logs.FilterMessage("Shard is full. Its records wait; those of other shards do not.").All()
		require.Len(t, warning, 1)
		assert.Contains(t, fmt.Sprint(warning[0].ContextMap()), hot)

		require.Eventually(t, func() bool { return r.stream().Len() == r.sent }, time.Hour, 100*time.Millisecond)
		r.shutdown()
		assert.Zero(t, r.tally().Missing)
		assert.Zero(t, r.tally().Duplicates)
		r.balanced()
	})
}

func TestReshardingUnderLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, func(c *kinesistest.Config) { c.Limits, c.Shards = true, 2 })
		r := startRig(t, server, nil)
		done := make(chan struct{})
		go func() {
			defer close(done)
			r.offer(30_000, 3000)
		}()
		time.Sleep(2 * time.Second)
		require.NoError(t, r.stream().Split("shardId-000000000000"))
		time.Sleep(2 * time.Second)
		require.NoError(t, r.stream().Split("shardId-000000000001"))
		time.Sleep(2 * time.Second)
		require.NoError(t, r.stream().Merge("shardId-000000000002", "shardId-000000000003"))
		<-done
		require.Eventually(t, func() bool { return r.stream().Len() == r.sent }, time.Minute, 10*time.Millisecond)
		r.shutdown()
		assert.Zero(t, r.tally().Missing)
		assert.Zero(t, r.tally().Duplicates)
		r.balanced()
	})
}
