// SPDX-License-Identifier: Apache-2.0

// Package metadata holds what metadata.yaml declares, in the form that mdatagen gives it.
// A test of the component holds one against the other.
package metadata

import "go.opentelemetry.io/collector/component"

var (
	// Type is the component's type in configurations.
	Type = component.MustNewType("amazonkinesis")
	// ScopeName is the instrumentation scope of the component's telemetry.
	ScopeName = "github.com/otel-kinesis/amazonkinesisexporter"
)

// LogsStability is the stability of the logs signal.
const LogsStability = component.StabilityLevelAlpha
