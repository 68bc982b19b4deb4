// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/kinesistest"
)

// shardRate is how many records a shard takes in a second.
const shardRate = 1000

func scenarios() []scenario {
	all := []scenario{
		{
			name:  "5 % of entries InternalFailure",
			goal:  "at most 1.06 puts a record",
			drive: withFaults(kinesistest.Fault{Share: 0.05, Do: kinesistest.FailEntry("InternalFailure")}),
		},
		{
			name:   "20 shards, offered 1.5 times what they take",
			goal:   "at least 95 % of the capacity used",
			alone:  true,
			server: func(c *kinesistest.Config) { c.Limits, c.Shards = true, 20 },
			queue:  "block_on_overflow: true",
			drive:  fullStream,
		},
		{
			name:   "one key at 5 times its shard's limit, 19 healthy shards",
			goal:   "healthy at least 95 %, hot at least 90 % of the limit, named",
			alone:  true,
			server: func(c *kinesistest.Config) { c.Limits, c.Shards = true, 20 },
			keys:   1,
			drive:  hotKey,
		},
		{
			name:   "resharding under load",
			server: func(c *kinesistest.Config) { c.Limits, c.Shards = true, 8 },
			drive:  resharding,
		},
		{
			name: "5 % of calls 500, 503, 429, HTML, LimitExceeded, KMSThrottling each",
			drive: withFaults(
				kinesistest.Fault{Share: 0.05, Seed: 1, Do: kinesistest.Refuse("InternalFailure")},
				kinesistest.Fault{Share: 0.05, Seed: 2, Do: kinesistest.Refuse("ServiceUnavailable")},
				kinesistest.Fault{Share: 0.05, Seed: 3, Do: kinesistest.Answer(429, "TooManyRequestsException", "Slow down.")},
				kinesistest.Fault{Share: 0.05, Seed: 4, Do: kinesistest.HTML(502)},
				kinesistest.Fault{Share: 0.05, Seed: 5, Do: kinesistest.Refuse("LimitExceededException")},
				kinesistest.Fault{Share: 0.05, Seed: 6, Do: kinesistest.Refuse("KMSThrottlingException")},
			),
		},
		{
			name:     "connections reset, slow answers, hanging calls",
			exporter: "timeout: 2",
			drive: withFaults(
				kinesistest.Fault{Share: 0.05, Seed: 1, Do: kinesistest.Reset()},
				kinesistest.Fault{Share: 0.20, Seed: 2, Do: kinesistest.Delay(200*time.Millisecond, 0)},
				kinesistest.Fault{Share: 0.02, Seed: 3, Do: kinesistest.Hang()},
			),
		},
		{
			name:         "5 % of answers lost after the records were taken",
			goal:         "duplicates only of those calls, counted as possible duplicates",
			mayDuplicate: true,
			drive:        lostAnswers,
		},
		{
			name:  "60 s of outage within the queue",
			goal:  "full rate within 2 s after",
			drive: outage(time.Minute, kinesistest.Refuse("ServiceUnavailable")),
		},
		{
			name:  "outage longer than the queue, block_on_overflow",
			queue: "queue_size: 10000\nblock_on_overflow: true",
			drive: outage(20*time.Second, kinesistest.Refuse("ServiceUnavailable")),
		},
		{
			name:  "outage longer than the queue, the receiver is told",
			queue: "queue_size: 10000",
			drive: outage(20*time.Second, kinesistest.Refuse("ServiceUnavailable")),
		},
		{name: "expired credentials for a minute", drive: outage(time.Minute, kinesistest.Refuse("ExpiredTokenException"))},
		{name: "KMS key disabled for a minute", drive: outage(time.Minute, kinesistest.Refuse("KMSDisabledException"))},
		{
			name:   "missing stream that appears after a minute",
			server: func(c *kinesistest.Config) { c.Stream = "" },
			drive:  missingStream,
		},
		{
			name:       "SIGKILL three times, file_storage with fsync",
			goal:       "duplicates only of what was in hand: 40 batches each time",
			persistent: true, fsync: true, mayDuplicate: true,
			queue: "block_on_overflow: true",
			drive: killed,
		},
		{
			name:     "a poison record in every batch",
			goal:     "only it is dropped",
			exporter: "max_record_size: 2048",
			mayLose:  true,
			drive:    poison,
		},
		{
			name:     "oversize: truncate",
			exporter: "max_record_size: 2048\noversize: truncate",
			drive:    oversize,
		},
		{
			name:     "ordering: key, 5 % of entries and of calls fail",
			goal:     "each key in order",
			exporter: "ordering: key",
			keys:     1000,
			drive: ordered(
				kinesistest.Fault{Share: 0.05, Seed: 1, Do: kinesistest.FailEntry("InternalFailure")},
				kinesistest.Fault{Share: 0.05, Seed: 2, Do: kinesistest.Refuse("InternalFailure")},
			),
		},
	}
	all = append(all, scenario{
		name:       "interval: 3s, SIGTERM between two executions, file_storage",
		goal:       "full requests, the rest after the restart",
		exporter:   "interval: 3s",
		persistent: true,
		drive:      scheduled,
	})
	for _, during := range []struct {
		name  string
		fault kinesistest.Fault
	}{
		{"failing entries", kinesistest.Fault{Share: 0.05, Do: kinesistest.FailEntry("InternalFailure")}},
		{"an outage", kinesistest.Fault{Do: kinesistest.Refuse("ServiceUnavailable")}},
		{"hanging calls", kinesistest.Fault{Do: kinesistest.Hang()}},
		{"expired credentials", kinesistest.Fault{Do: kinesistest.Refuse("ExpiredTokenException")}},
	} {
		all = append(all, scenario{
			name:       "SIGTERM during " + during.name + ", file_storage",
			goal:       "shutdown within 2 timeouts, says what it kept",
			exporter:   "timeout: 5",
			persistent: true,
			queue:      "block_on_overflow: true",
			drive:      terminated(during.fault),
		})
	}
	return append(all, scenario{
		name:       "SIGTERM with full shards, file_storage",
		goal:       "shutdown within 2 timeouts, says what it kept",
		exporter:   "timeout: 5",
		server:     func(c *kinesistest.Config) { c.Limits, c.Shards = true, 20 },
		persistent: true,
		queue:      "block_on_overflow: true",
		drive:      terminated(kinesistest.Fault{Do: kinesistest.Delay(time.Millisecond, 0)}),
	})
}

// withFaults sends all records while faults happen.
func withFaults(faults ...kinesistest.Fault) func(context.Context, *trial) {
	return func(ctx context.Context, t *trial) {
		for _, f := range faults {
			t.server.Fail(f)
		}
		t.write(t.records)
		began := time.Now()
		t.start()
		t.awaitAll(ctx)
		t.figure("%.1f s", time.Since(began).Seconds())
		if strings.Contains(t.goal, "1.06") {
			puts := float64(t.server.Stats().Entries) / float64(t.sent)
			t.want(puts <= 1.06, "%.3f puts a record", puts)
		}
	}
}

func fullStream(ctx context.Context, t *trial) {
	const shards = 20
	t.start()
	t.write(1) // which the clock waits for
	t.await(ctx, func() bool { return t.arrived() > 0 })
	began := time.Now()
	n := 3 * t.records // long enough for a steady state
	t.writeAtRate(ctx, n, shards*shardRate*3/2)
	t.awaitAll(ctx)
	// The shards begin with the allowance of a second.
	capacity := shards * shardRate * (time.Since(began).Seconds() + 1)
	used := float64(t.sent) / capacity
	t.want(used >= 0.95, "%.1f %% of the capacity", 100*used)
}

func hotKey(ctx context.Context, t *trial) {
	const seconds, hotRate, healthyRate = 8, 5 * shardRate, 500
	const hot = "the-hot-key"
	// One key for each of the other shards.
	hotShard := t.stream().ShardOf(hot)
	taken := map[string]bool{hotShard: true}
	var healthy []string
	for i := 0; len(healthy) < 19; i++ {
		key := fmt.Sprint("key-", i)
		if shard := t.stream().ShardOf(key); !taken[shard] {
			taken[shard] = true
			healthy = append(healthy, key)
		}
	}
	t.start()
	t.await(ctx, func() bool { return t.server.Stats().Requests["GetCallerIdentity"] > 0 })

	// Each hundredth of a second: 50 of the hot key, 5 of each healthy one.
	line := func(i int) string {
		key, in := hot, i%(hotRate/100+healthyRate/100*19)
		if in >= hotRate/100 {
			key = healthy[in%19]
		}
		return fmt.Sprintf("#%07d# %s %s", i, key, strings.Repeat(".", 100))
	}
	began := time.Now()
	for written := 0; written < seconds*100 && ctx.Err() == nil; written++ {
		t.writeLines(hotRate/100+healthyRate/100*19, line)
		if ahead := time.Duration(written)*10*time.Millisecond - time.Since(began); ahead > 0 {
			time.Sleep(ahead)
		}
	}
	sleep(ctx, time.Second) // what was read last is batched for up to a second
	elapsed := time.Since(began).Seconds()
	var hotTaken, healthyTaken float64
	for _, shard := range t.stream().Shards() {
		if shard.ID == hotShard {
			hotTaken = float64(shard.Records)
		} else {
			healthyTaken += float64(shard.Records)
		}
	}
	share := healthyTaken / (seconds * healthyRate * 19)
	t.want(share >= 0.95, "healthy %.1f %%", 100*share)
	share = hotTaken / (shardRate * (elapsed + 1))
	t.want(share >= 0.90, "hot %.1f %%", 100*share)

	named := t.metric("hot_key_share", `shard="`+hotShard+`"`, `partition_key="`+hot+`"`)
	t.want(named > 0.9, "metric names the key with %.0f %%", 100*named)
	warning, err := t.logged("Shard is full. Its records wait; those of other shards do not.")
	t.want(err == nil && warning["shard"] == hotShard && strings.Contains(fmt.Sprint(warning), hot), "log names shard and key")
	t.awaitAll(ctx)
}

func resharding(ctx context.Context, t *trial) {
	t.start()
	go func() {
		reshard := func(err error) {
			if err != nil {
				t.miss("reshard: %v", err)
			}
			sleep(ctx, 1500*time.Millisecond)
		}
		sleep(ctx, 2*time.Second)
		reshard(t.stream().Split("shardId-000000000000"))
		reshard(t.stream().Split("shardId-000000000003"))
		reshard(t.stream().Merge("shardId-000000000001", "shardId-000000000002"))
		reshard(t.stream().Split("shardId-000000000005"))
	}()
	t.writeAtRate(ctx, t.records, 9*shardRate)
	t.awaitAll(ctx)
}

func lostAnswers(ctx context.Context, t *trial) {
	t.server.Fail(kinesistest.Fault{Share: 0.05, Do: kinesistest.Lose()})
	t.write(t.records)
	t.start()
	t.await(ctx, func() bool {
		return t.arrived() >= t.sent && t.metric("records", `outcome="delivered"`) >= float64(t.sent)
	})
	counted := t.metric("possible_duplicates")
	actual := t.stream().Tally(t.ids()).Duplicates
	t.want(actual > 0 && int(counted) == actual, "%d counted as possible duplicates, %d are", int(counted), actual)
}

// outage lets calls fail for a while, from the start on.
func outage(lasting time.Duration, effect kinesistest.Effect) func(context.Context, *trial) {
	return func(ctx context.Context, t *trial) {
		mend := t.server.Fail(kinesistest.Fault{Do: effect})
		t.write(t.records)
		t.start()
		sleep(ctx, lasting)
		if arrived := t.arrived(); arrived > 0 {
			t.miss("%d records arrived during the outage", arrived)
		}
		mend()
		mended := time.Now()
		// A full rate is five full requests, not just the one that found the stream mended.
		t.await(ctx, func() bool { return t.arrived() >= 5*500 })
		t.want(time.Since(mended) < 2*time.Second, "full rate after %.1f s", time.Since(mended).Seconds())
		t.awaitAll(ctx)
		t.figure("all after %.1f s", time.Since(mended).Seconds())
	}
}

func missingStream(ctx context.Context, t *trial) {
	t.write(t.records)
	t.start()
	sleep(ctx, time.Minute)
	t.server.CreateStream(streamName, 4)
	created := time.Now()
	t.awaitAll(ctx)
	t.figure("all after %.1f s", time.Since(created).Seconds())
}

// terminated ends the collector politely while a fault lasts, and starts another one without the fault.
func terminated(fault kinesistest.Fault) func(context.Context, *trial) {
	return func(ctx context.Context, t *trial) {
		mend := t.server.Fail(fault)
		t.start()
		t.await(ctx, func() bool { return t.server.Stats().Requests["GetCallerIdentity"] > 0 })
		t.write(t.records)
		sleep(ctx, 1500*time.Millisecond)
		const timeout = 5 * time.Second // as configured
		took := t.stop(syscall.SIGTERM)
		t.want(took <= 2*timeout, "ended in %.1f s", took.Seconds())
		ended, err := t.logged("Exporter has shut down.")
		if err != nil {
			t.miss("%v", err)
			return
		}
		delivered, kept := ended["records_delivered"].(float64), ended["records_kept"].(float64)
		accepted, dropped := ended["records_accepted"].(float64), ended["records_dropped"].(float64)
		t.want(int(delivered) == t.arrived() && delivered+kept == accepted && dropped == 0,
			"%.0f delivered, %.0f kept", delivered, kept)
		mend()
		t.start()
		t.awaitAll(ctx)
	}
}

// scheduled ends the collector while records wait for the next execution, and starts another one.
func scheduled(ctx context.Context, t *trial) {
	t.start()
	t.await(ctx, func() bool { return t.server.Stats().Requests["GetCallerIdentity"] > 0 })
	t.write(t.records / 2)
	t.awaitAll(ctx)
	full, calls := 0, t.server.Calls("PutRecords")
	for _, call := range calls {
		if call.Entries == 500 {
			full++
		}
	}
	// An execution ends with what is left, so one call of each may be small.
	t.want(float64(full) >= 0.9*float64(len(calls)), "%d of %d requests are full", full, len(calls))

	before := t.arrived()
	t.write(t.records / 2)
	sleep(ctx, time.Second)
	t.stop(syscall.SIGTERM)
	t.figure("%d of %d delivered before the restart", t.arrived()-before, t.records/2)
	t.start()
	t.awaitAll(ctx)
}

func killed(ctx context.Context, t *trial) {
	t.server.Fail(kinesistest.Fault{Do: kinesistest.Delay(50*time.Millisecond, 0)})
	t.write(t.records)
	for range 3 {
		before := t.arrived()
		t.start()
		t.await(ctx, func() bool { return t.arrived() > before+t.records/10 })
		t.stop(syscall.SIGKILL)
	}
	t.start()
	t.awaitAll(ctx)
	// What the queue had given out when the process died, and what the receiver had not noted as read.
	const inHand = 40 * 500
	duplicates := t.stream().Tally(t.ids()).Duplicates
	t.want(duplicates <= 3*inHand, "%d duplicates", duplicates)
}

func poison(ctx context.Context, t *trial) {
	const each = 400 // records
	poisoned := func(id string) bool {
		i, err := strconv.Atoi(id)
		return err == nil && i%each == 0
	}
	large := func(i int) bool { return i%each == each/2 }
	t.server.Fail(kinesistest.Fault{
		IfEntry: func(e kinesistest.Entry) bool { return poisoned(idOf(e.Data)) },
		Do:      kinesistest.Refuse("InvalidArgumentException"),
	})
	n := t.records / 4 // each poisoned batch takes some twenty calls
	t.writeLines(n, func(i int) string {
		if large(i) {
			return t.line(i) + strings.Repeat("x", 3000)
		}
		return t.line(i)
	})
	bad := (n + each - 1) / each // from the first line on
	big := (n + each/2 - 1) / each
	want := n - bad - big
	t.start()
	t.await(ctx, func() bool { return t.arrived() >= want })
	sleep(ctx, time.Second)
	refused := t.metric("records", `outcome="dropped"`, `reason="InvalidArgumentException"`)
	oversize := t.metric("records", `outcome="dropped"`, `reason="too_large"`)
	t.want(t.arrived() == want && refused == float64(bad) && oversize == float64(big),
		"%.0f poison and %.0f large ones dropped, %d of %d others arrived", refused, oversize, t.arrived(), want)
}

func oversize(ctx context.Context, t *trial) {
	t.writeLines(t.records/4, func(i int) string {
		if i%100 == 0 {
			return t.line(i) + strings.Repeat("äx\"", 3000)
		}
		return t.line(i)
	})
	t.start()
	t.awaitAll(ctx)
}

// ordered counts the records that came after a later one of their key.
func ordered(faults ...kinesistest.Fault) func(context.Context, *trial) {
	return func(ctx context.Context, t *trial) {
		t.records /= 4 // a record of a key takes a call of its own
		withFaults(faults...)(ctx, t)
		disorder := t.stream().Disorder(func(id string) int {
			i, err := strconv.Atoi(id)
			if err != nil {
				t.miss("id %q", id)
			}
			return i
		})
		t.want(disorder == 0, "%d out of order", disorder)
	}
}
