// SPDX-License-Identifier: Apache-2.0

package kinesistest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkPutRecords is what one client connection gets out of the server: a
// call of 500 records of 256 bytes, written as it was signed, its answer read.
// Client and server share the process, so the CPU time is that of both.
func BenchmarkPutRecords(b *testing.B) {
	for _, with := range []struct {
		name string
		cfg  Config
	}{
		{"keep", Config{}},
		{"drop", Config{DropData: true, ID: func(data []byte) string { return string(data[:10]) }}},
		{"unsigned", Config{SkipSignatures: true}},
		{"tls", Config{TLS: true, HTTP1Only: true}},
	} {
		b.Run(with.name, func(b *testing.B) {
			with.cfg.Stream, with.cfg.Shards = "logs", 16
			s := New(b, with.cfg)
			records := make([]map[string]any, 500)
			for i := range records {
				records[i] = map[string]any{"PartitionKey": fmt.Sprintf("host-%d", i), "Data": bytes.Repeat([]byte{byte(i)}, 256)}
			}
			r := signed(b, s, "kinesis", must(json.Marshal(map[string]any{"StreamName": "logs", "Records": records})), nil)
			var raw bytes.Buffer
			require.NoError(b, r.Write(&raw))
			conn := dialRaw(b, s)
			answers := bufio.NewReader(conn)
			b.ReportAllocs()
			for b.Loop() {
				_, err := conn.Write(raw.Bytes())
				require.NoError(b, err)
				w, err := http.ReadResponse(answers, r)
				require.NoError(b, err)
				_, err = io.Copy(io.Discard, w.Body)
				require.NoError(b, err)
				require.Equal(b, 200, w.StatusCode)
			}
			b.ReportMetric(float64(b.N*500)/b.Elapsed().Seconds(), "records/s")
			b.StopTimer()
			require.Equal(b, b.N*500, s.Stream("logs").Len())
		})
	}
}
