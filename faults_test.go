// SPDX-License-Identifier: Apache-2.0

package amazonkinesisexporter

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"

	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/kinesistest"
)

func opaque(s string) configopaque.String { return configopaque.String(s) }

func attributeKey(s string) attribute.Key { return attribute.Key(s) }

// manyRecords is enough for shares of faults to show.
const manyRecords = 100_000

func TestDelivers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, func(c *kinesistest.Config) { c.SkipSignatures = false })
		r := startRig(t, server, nil)
		r.send(1234, 10)
		r.shutdown()

		tally := r.tally()
		assert.Equal(t, 1234, tally.Distinct)
		assert.Zero(t, tally.Duplicates)
		assert.Equal(t, int64(1234), r.sum("records", "outcome", "delivered"))
		assert.Equal(t, int64(3), r.sum("requests"))
		r.balanced()
	})
}

func TestFaults(t *testing.T) {
	const n = 20_000
	for _, tt := range []struct {
		name   string
		faults []kinesistest.Fault
		server func(*kinesistest.Config)
		config func(*Config)
		check  func(t *testing.T, r *rig, tally kinesistest.Tally)
	}{
		{
			name:   "5 % of entries fail",
			faults: []kinesistest.Fault{{Share: 0.05, Do: kinesistest.FailEntry("InternalFailure")}},
		},
		{
			name:   "5 % of entries fail and cbor",
			faults: []kinesistest.Fault{{Share: 0.05, Do: kinesistest.FailEntry("InternalFailure")}},
			config: func(c *Config) { c.Protocol = protocolCBOR },
		},
		{
			name: "5 % of calls fail",
			faults: []kinesistest.Fault{
				{Share: 0.05, Seed: 1, Do: kinesistest.Refuse("InternalFailure")},
				{Share: 0.05, Seed: 2, Do: kinesistest.Refuse("ServiceUnavailable")},
				{Share: 0.05, Seed: 3, Do: kinesistest.Answer(429, "TooManyRequestsException", "slow down")},
				{Share: 0.05, Seed: 4, Do: kinesistest.Refuse("LimitExceededException")},
				{Share: 0.05, Seed: 5, Do: kinesistest.Refuse("KMSThrottlingException")},
				{Share: 0.05, Seed: 6, Do: kinesistest.Reset()},
			},
		},
		{
			name:   "answers lost",
			faults: []kinesistest.Fault{{Share: 0.05, Do: kinesistest.Lose()}},
			check: func(t *testing.T, r *rig, tally kinesistest.Tally) {
				assert.Positive(t, tally.Duplicates)
				assert.Equal(t, int64(tally.Duplicates), r.sum("possible_duplicates"))
			},
		},
		{
			name:   "calls hang",
			faults: []kinesistest.Fault{{Share: 0.05, Do: kinesistest.Hang()}},
		},
		{
			name:   "an outage of a minute",
			faults: []kinesistest.Fault{{For: time.Minute, Do: kinesistest.Refuse("ServiceUnavailable")}},
		},
		{
			name:   "full shards",
			server: func(c *kinesistest.Config) { c.Limits = true },
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newServer(t, tt.server)
				for _, f := range tt.faults {
					server.Fail(f)
				}
				r := startRig(t, server, tt.config)
				r.send(n, 100)
				require.Eventually(t, func() bool { return r.sum("records", "outcome", "delivered") == n },
					10*time.Minute, time.Second, "everything is delivered in the end")
				r.shutdown()

				tally := r.tally()
				assert.Zero(t, tally.Missing, tally.MissingIDs)
				if tt.check != nil {
					tt.check(t, r, tally)
				} else {
					assert.Zero(t, tally.Duplicates, tally.DuplicateIDs)
				}
				r.balanced()
			})
		})
	}
}

func TestOutageLongerThanTheQueue(t *testing.T) {
	for name, block := range map[string]bool{"the sender waits": true, "the sender is told": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const n = 5000
				server := newServer(t, nil)
				server.Fail(kinesistest.Fault{For: time.Minute, Do: kinesistest.Refuse("ServiceUnavailable")})
				r := startRig(t, server, func(c *Config) {
					c.QueueConfig.Get().QueueSize = 1000
					c.QueueConfig.Get().BlockOnOverflow = block
				})
				refused := 0
				for sent := 0; sent < n; {
					ld := numbered(sent, 100)
					if err := r.exporter.ConsumeLogs(t.Context(), ld); err != nil {
						require.ErrorIs(t, err, exporterhelper.ErrQueueIsFull)
						refused++
						time.Sleep(time.Second)
						continue
					}
					sent += 100
					r.sent, r.accepted = sent, sent
				}
				r.shutdown()
				assert.Equal(t, block, refused == 0)
				assert.Zero(t, r.tally().Missing)
				assert.Zero(t, r.tally().Duplicates)
				r.balanced()
			})
		})
	}
}

// TestFullRateRightAfterAnOutage looks at the two seconds after an outage of a minute.
func TestFullRateRightAfterAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		mend := server.Fail(kinesistest.Fault{Do: kinesistest.Refuse("ServiceUnavailable")})
		server.Fail(kinesistest.Fault{Do: kinesistest.Delay(20*time.Millisecond, 0)})
		r := startRig(t, server, nil)
		r.send(90_000, 100)
		time.Sleep(time.Minute)
		probes := len(server.Calls("PutRecords"))
		assert.Less(t, probes, 100, "an outage is probed, not hammered")
		waiting, _ := r.exporter.(*kinesisExporter).deliverer.Status()
		assert.LessOrEqual(t, waiting, (10+3)*500, "what waits in the queue is not encoded")
		mend()
		time.Sleep(2 * time.Second)
		before := r.stream().Len()
		time.Sleep(100 * time.Millisecond)
		// Ten calls of 500 records in each 20 ms, if there is still so much.
		assert.True(t, r.stream().Len() == r.sent || r.stream().Len()-before >= 20_000, "%d, then %d", before, r.stream().Len())
		r.shutdown()
		assert.Zero(t, r.tally().Missing)
		assert.Zero(t, r.tally().Duplicates)
	})
}

func TestStatusFollowsAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, nil)
		server.Fail(kinesistest.Fault{For: 10 * time.Second, Do: kinesistest.Refuse("ResourceNotFoundException")})
		r := startRig(t, server, nil)
		r.send(1000, 100)
		time.Sleep(time.Minute)
		r.shutdown()
		assert.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError, componentstatus.StatusOK}, r.host.statuses())
		assert.Len(t, r.logs.FilterMessage("Delivery fails; records wait and are sent again.").All(), 1)
		assert.Len(t, r.logs.FilterMessage("Delivery works again.").All(), 1)
	})
}
