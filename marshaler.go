// SPDX-License-Identifier: Apache-2.0

package amazonkinesisexporter

import (
	"fmt"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/fieldformat"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/plainjson"
)

// marshaler turns log records into the data of Kinesis records. It is used by one goroutine at a time.
type marshaler interface {
	// start says of which resource and scope the next records are.
	start(plog.ResourceLogs, plog.ScopeLogs)
	// append appends the data of one record to dst.
	append(dst []byte, record plog.LogRecord) ([]byte, error)
	// clone returns a marshaler like this one for another goroutine.
	clone() marshaler
}

// newMarshaler returns the marshaler that the configuration asks for.
func newMarshaler(cfg *Config, logger *zap.Logger) (marshaler, error) {
	if cfg.FieldFormat == "" {
		return plainMarshaler{plainjson.New(cfg.EventID)}, nil
	}
	format, err := fieldformat.Parse(cfg.FieldFormat)
	if err != nil {
		return nil, fmt.Errorf("`field_format`: %w", err)
	}
	return formatMarshaler{fieldformat.New(format, fieldformat.Options{
		Vendor:  cfg.Vendor,
		Product: cfg.Product,
		Version: cfg.Version,
		EventID: cfg.EventID != "",
		Warn:    func(message string) { logger.Error(message, zap.Stringer("field_format", format)) },
	})}, nil
}

// plainMarshaler writes a record as plain JSON.
type plainMarshaler struct{ encoder *plainjson.Encoder }

func (m plainMarshaler) start(rl plog.ResourceLogs, sl plog.ScopeLogs) { m.encoder.Start(rl, sl) }

func (m plainMarshaler) append(dst []byte, record plog.LogRecord) ([]byte, error) {
	return m.encoder.Append(dst, record), nil
}

func (m plainMarshaler) clone() marshaler { return plainMarshaler{m.encoder.Clone()} }

// formatMarshaler writes a record in one of the field formats.
type formatMarshaler struct{ encoder *fieldformat.Encoder }

func (m formatMarshaler) start(rl plog.ResourceLogs, sl plog.ScopeLogs) {
	m.encoder.Start(rl.Resource(), sl.Scope())
}

func (m formatMarshaler) append(dst []byte, record plog.LogRecord) ([]byte, error) {
	return m.encoder.AppendRecord(dst, record)
}

func (m formatMarshaler) clone() marshaler { return formatMarshaler{m.encoder.Clone()} }
