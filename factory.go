// SPDX-License-Identifier: Apache-2.0

package amazonkinesisexporter

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/metadata"
)

// NewFactory returns the factory of the amazonkinesis exporter.
func NewFactory() exporter.Factory {
	return exporter.NewFactory(
		metadata.Type,
		func() component.Config { return newDefaultConfig() },
		exporter.WithLogs(createLogs, metadata.LogsStability),
	)
}

func createLogs(_ context.Context, set exporter.Settings, cfg component.Config) (exporter.Logs, error) {
	config := cfg.(*Config)
	if !config.Status {
		return newDiscarder(set, config)
	}
	return newLogs(set, config, network{})
}
