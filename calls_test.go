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

// feed hands over requests whose sizes take turns, as fast as the queue takes them, until n records are sent.
func (r *rig) feed(n int, requestSizes ...int) {
	for i := 0; r.sent < n; i++ {
		size := min(requestSizes[i%len(requestSizes)], n-r.sent)
		for r.exporter.ConsumeLogs(r.t.Context(), numbered(r.sent, size)) != nil {
			time.Sleep(time.Millisecond) // the queue is full
		}
		r.sent += size
		r.accepted += size
	}
}

// TestCallsAreFullUnderLoad holds the default configuration to full requests, however receivers cut theirs. What a
// record costs depends on that more than on anything else.
func TestCallsAreFullUnderLoad(t *testing.T) {
	const n, full = 40_250, 500
	for _, requestSizes := range [][]int{{1}, {100}, {501}, {1, 499, 130, 2, 3000, 64}} {
		t.Run(fmt.Sprint(requestSizes), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newServer(t, nil)
				server.Fail(kinesistest.Fault{Do: kinesistest.Delay(10*time.Millisecond, 10*time.Millisecond)})
				r := startRig(t, server, nil)
				r.feed(n, requestSizes...)
				require.Eventually(t, func() bool { return r.stream().Len() == n }, time.Minute, time.Millisecond)
				r.shutdown()

				partial := map[int]int{}
				for _, call := range server.Calls("PutRecords") {
					if call.Taken != full {
						partial[call.Taken]++
					}
				}
				assert.Equal(t, map[int]int{n % full: 1}, partial, "calls that are not full, by their records")
				assert.Zero(t, r.tally().Duplicates)
				r.balanced()
			})
		})
	}
}

// TestDefaultsReachFar sends to a stream whose answers take 20 ms of way and 15 ms of service.
func TestDefaultsReachFar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 200_000
		server := newServer(t, nil)
		server.Fail(kinesistest.Fault{Do: kinesistest.Delay(15*time.Millisecond, 20*time.Millisecond)})
		r := startRig(t, server, nil)
		begin := time.Now()
		r.feed(n, 100)
		require.Eventually(t, func() bool { return r.stream().Len() == n }, time.Minute, time.Millisecond)
		rate := n / time.Since(begin).Seconds()
		r.shutdown()

		t.Logf("%.0f records a second", rate)
		assert.GreaterOrEqual(t, rate, 120_000.0)
		const identityCheck = 1
		assert.LessOrEqual(t, server.Stats().Connections, concurrency(r.cfg)+identityCheck)
	})
}
