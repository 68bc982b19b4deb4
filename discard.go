// SPDX-License-Identifier: Apache-2.0

package amazonkinesisexporter

import (
	"context"

	"go.uber.org/zap"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/accounting"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/metadata"
)

// discarder is the exporter of a target that is switched off: it takes records and counts them.
type discarder struct {
	component.ShutdownFunc
	logger *zap.Logger
	ledger *accounting.Ledger
}

func newDiscarder(set exporter.Settings, cfg *Config) (exporter.Logs, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &discarder{logger: set.Logger, ledger: accounting.New(telemetry, set.Logger, measurementAttributes(set, cfg)...)}, nil
}

func (d *discarder) Start(context.Context, component.Host) error {
	d.logger.Warn("The target is disabled by `status: false`: records are accepted and discarded.")
	return nil
}

func (*discarder) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (d *discarder) ConsumeLogs(_ context.Context, ld plog.Logs) error {
	n := ld.LogRecordCount()
	d.ledger.Accepted(n)
	d.ledger.Discarded(n, accounting.ReasonDisabled)
	return nil
}
