// SPDX-License-Identifier: Apache-2.0

package amazonkinesisexporter

import (
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/plainjson"
)

// withIDs returns a copy of ld in which each record has an id as an attribute, from which encoders take it.
//
// It is for records that go through pipelines, which may give another result each time: ParseJSON has no order, UUID()
// and Now() are never the same. The id has to come from the record as it was.
func withIDs(ld plog.Logs) plog.Logs {
	own := plog.NewLogs()
	ld.CopyTo(own)
	encoder := plainjson.New("")
	for _, rl := range own.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			encoder.Start(rl, sl)
			for _, record := range sl.LogRecords().All() {
				if _, has := record.Attributes().Get(plainjson.RecordUID); !has {
					record.Attributes().PutStr(plainjson.RecordUID, encoder.ID(record))
				}
			}
		}
	}
	return own
}
