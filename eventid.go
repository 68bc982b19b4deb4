// SPDX-License-Identifier: Apache-2.0

package amazonkinesisexporter

import (
	"crypto/sha256"
	"encoding/hex"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/plainjson"
)

// recordUID is the attribute of the semantic conventions that identifies a record. Encoders take their id from it.
const recordUID = "log.record.uid"

// withIDs returns a copy of ld in which each record has an id, made from its content if it had none.
//
// It is for records that go through pipelines, which may give another result each time: ParseJSON has no order, UUID()
// and Now() are never the same. The id has to come from the record as it was.
func withIDs(ld plog.Logs) plog.Logs {
	own := plog.NewLogs()
	ld.CopyTo(own)
	encoder := plainjson.New("")
	var data []byte
	for _, rl := range own.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			encoder.Start(rl, sl)
			for _, record := range sl.LogRecords().All() {
				if _, has := record.Attributes().Get(recordUID); has {
					continue
				}
				data = encoder.Append(data[:0], record)
				sum := sha256.Sum256(data)
				record.Attributes().PutStr(recordUID, hex.EncodeToString(sum[:16]))
			}
		}
	}
	return own
}
