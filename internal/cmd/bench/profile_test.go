// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestSharesOf reads stacks as go tool pprof prints them.
func TestSharesOf(t *testing.T) {
	shares, err := sharesOf([]byte(`File: bench
Type: cpu
Time: 2026-11-23 02:08:22 UTC
Duration: 16.76s, Total samples = 10.28s (61.34%)
-----------+-------------------------------------------------------
     600ms   crypto/internal/fips140/sha256.blockSHANI
             crypto/sha256.Sum256
             github.com/otel-kinesis/amazonkinesisexporter/internal/putrecords.bodyHash.HandleFinalize
             github.com/aws/smithy-go/middleware.decoratedHandler.Handle
             go.opentelemetry.io/collector/exporter/exporterhelper/internal.(*retrySender).Send
-----------+-------------------------------------------------------
       0.1s   context.WithValue (inline)
             github.com/aws/smithy-go/middleware.decoratedHandler.Handle
             go.opentelemetry.io/collector/exporter/exporterhelper/internal.(*retrySender).Send
-----------+-------------------------------------------------------
         1s   go.opentelemetry.io/otel/sdk/metric.(*ManualReader).Collect
             main.(*books).delivered
-----------+-------------------------------------------------------
     300ms   runtime.memmove
             github.com/otel-kinesis/amazonkinesisexporter.(*encoder).records.func1
`))
	require.NoError(t, err)
	got := map[string]float64{}
	for i, p := range parts {
		if shares[i] != 0 {
			got[p.name] = shares[i]
		}
	}
	assert.Equal(t, map[string]float64{
		"SHA-256 of the body": 60, "the SDK: endpoint, credentials, signature": 10, "deciding, waiting and settling": 30,
	}, got)

	_, err = sharesOf([]byte("nothing\n"))
	assert.EqualError(t, err, "go tool pprof printed no stacks")
}
