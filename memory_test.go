// SPDX-License-Identifier: Apache-2.0

package amazonkinesisexporter

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/kinesistest"
)

// TestMemoryIsFlatInAnOutage fills the queue while the stream is away, and compares what is reachable at the beginning
// of the outage with what is ten minutes later.
func TestMemoryIsFlatInAnOutage(t *testing.T) {
	for _, fault := range []struct {
		name string
		do   kinesistest.Effect
	}{
		{"refused", kinesistest.Refuse("ServiceUnavailable")},
		{"reset", kinesistest.Reset()},
		{"hangs", kinesistest.Hang()},
		{"throttled", kinesistest.FailEntry("ProvisionedThroughputExceededException")},
	} {
		t.Run(fault.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const queued = 20_000
				server := newServer(t, nil)
				mend := server.Fail(kinesistest.Fault{Do: fault.do})
				r := startRig(t, server, func(c *Config) { c.QueueConfig.Get().QueueSize = queued })
				for r.try(100) == nil {
				}
				assert.Equal(t, queued, r.accepted)
				time.Sleep(10 * time.Second)
				before := reachable()
				time.Sleep(10 * time.Minute)
				after := reachable()
				t.Logf("%.1f MiB, then %.1f MiB", before, after)
				assert.Less(t, after, before+1.5, "MiB; the server notes each call")

				mend()
				require.Eventually(t, func() bool { return r.stream().Len() == queued }, time.Hour, time.Second)
				r.shutdown()
			})
		})
	}
}

// reachable is how much memory is in use, in MiB.
func reachable() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / (1 << 20)
}
