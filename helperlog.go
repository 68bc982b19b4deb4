// SPDX-License-Identifier: Apache-2.0

package amazonkinesisexporter

import (
	"strings"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// withoutHelperLosses returns a logger for the helper that leaves out what it says of batches that fail: "Exporting
// failed. Will retry ..." and "Exporting failed. Dropping data." It knows only whole batches, says so for each, and the
// first is not even true here. The ledger logs each loss by reason, and the deliverer when delivery begins to fail.
func withoutHelperLosses(logger *zap.Logger) *zap.Logger {
	return logger.WithOptions(zap.WrapCore(func(core zapcore.Core) zapcore.Core { return lossFilter{core} }))
}

type lossFilter struct{ zapcore.Core }

func (f lossFilter) With(fields []zapcore.Field) zapcore.Core {
	return lossFilter{f.Core.With(fields)}
}

func (f lossFilter) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	for _, loss := range []string{"Exporting failed. Will retry", "Exporting failed. Dropping data."} {
		if strings.HasPrefix(entry.Message, loss) {
			return checked
		}
	}
	return f.Core.Check(entry, checked)
}
