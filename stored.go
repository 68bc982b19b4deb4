// SPDX-License-Identifier: Apache-2.0

package amazonkinesisexporter

import (
	"context"

	"google.golang.org/protobuf/encoding/protowire"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pipeline"
)

// What exporterhelper v0.164 keeps beside a persistent queue (queue/meta.proto). TestKeptRecordsAreCounted notices when
// another version does it in another way.
const (
	queueMetadataKey   = "qmv0"
	queueMetadataItems = 1 // field number of the number of records
)

// recordsInStorage returns how many records a persistent queue holds from a former run, 0 when that cannot be told. It is
// asked before the queue opens its storage, and only for the books: nothing else depends on it.
func recordsInStorage(ctx context.Context, host component.Host, storageID, exporterID component.ID) int64 {
	extension, ok := host.GetExtensions()[storageID].(storage.Extension)
	if !ok {
		return 0 // the queue will say so
	}
	client, err := extension.GetClient(ctx, component.KindExporter, exporterID, pipeline.SignalLogs.String())
	if err != nil {
		return 0
	}
	defer client.Close(ctx)
	metadata, err := client.Get(ctx, queueMetadataKey)
	if err != nil {
		return 0
	}
	for len(metadata) > 0 {
		field, wireType, n := protowire.ConsumeTag(metadata)
		if n < 0 {
			return 0
		}
		metadata = metadata[n:]
		if n = protowire.ConsumeFieldValue(field, wireType, metadata); n < 0 {
			return 0
		}
		if field == queueMetadataItems && wireType == protowire.Fixed64Type {
			records, _ := protowire.ConsumeFixed64(metadata)
			return int64(records)
		}
		metadata = metadata[n:]
	}
	return 0
}
