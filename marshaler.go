// SPDX-License-Identifier: Apache-2.0

package amazonkinesisexporter

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/fieldformat"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/jsontext"
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
func newMarshaler(cfg *Config) (marshaler, error) {
	if cfg.FieldFormat == "" {
		return newJSONMarshaler(cfg.EventID), nil
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
	})}, nil
}

// formatMarshaler writes a record in one of the field formats.
type formatMarshaler struct{ encoder *fieldformat.Encoder }

func (m formatMarshaler) start(rl plog.ResourceLogs, sl plog.ScopeLogs) {
	m.encoder.Start(rl.Resource(), sl.Scope())
}

func (m formatMarshaler) append(dst []byte, record plog.LogRecord) ([]byte, error) {
	return m.encoder.AppendRecord(dst, record)
}

func (m formatMarshaler) clone() marshaler { return formatMarshaler{m.encoder.Clone()} }

// recordUID is the attribute of the semantic conventions that identifies a record.
const recordUID = "log.record.uid"

// jsonMarshaler writes a record as one JSON object with all of the OpenTelemetry log data model.
// Empty parts are left out. What all records of a scope share comes last, and is encoded once.
type jsonMarshaler struct {
	eventID string // field of the stable id; empty: none
	hash    hash.Hash
	sum     []byte // of hash

	shared []byte // the fields of scope, resource and schema, each with its comma in front
}

func newJSONMarshaler(eventID string) *jsonMarshaler {
	m := &jsonMarshaler{eventID: eventID}
	if eventID != "" {
		m.hash = sha256.New()
	}
	return m
}

func (m *jsonMarshaler) clone() marshaler { return newJSONMarshaler(m.eventID) }

func (m *jsonMarshaler) start(rl plog.ResourceLogs, sl plog.ScopeLogs) {
	m.shared = appendScope(m.shared[:0], sl.Scope())
	if attributes := rl.Resource().Attributes(); attributes.Len() > 0 {
		m.shared = append(m.shared, `,"resource":`...)
		m.shared = jsontext.AppendMap(m.shared, attributes)
	}
	// The scope's schema is about the records, the resource's about the resource.
	schema := sl.SchemaUrl()
	if schema == "" {
		schema = rl.SchemaUrl()
	}
	if schema != "" {
		m.shared = append(m.shared, `,"schema_url":`...)
		m.shared = jsontext.AppendString(m.shared, schema)
	}
}

func appendScope(dst []byte, scope pcommon.InstrumentationScope) []byte {
	if scope.Name() == "" && scope.Version() == "" && scope.Attributes().Len() == 0 {
		return dst
	}
	dst = append(dst, `,"scope":`...)
	open := len(dst)
	if scope.Name() != "" {
		dst = append(dst, `,"name":`...)
		dst = jsontext.AppendString(dst, scope.Name())
	}
	if scope.Version() != "" {
		dst = append(dst, `,"version":`...)
		dst = jsontext.AppendString(dst, scope.Version())
	}
	if scope.Attributes().Len() > 0 {
		dst = append(dst, `,"attributes":`...)
		dst = jsontext.AppendMap(dst, scope.Attributes())
	}
	return closeObject(dst, open)
}

func (m *jsonMarshaler) append(dst []byte, record plog.LogRecord) ([]byte, error) {
	open := len(dst)
	if t := record.Timestamp(); t != 0 {
		dst = append(dst, `,"timestamp":`...)
		dst = jsontext.AppendTime(dst, int64(t))
	}
	if t := record.ObservedTimestamp(); t != 0 {
		dst = append(dst, `,"observed_timestamp":`...)
		dst = jsontext.AppendTime(dst, int64(t))
	}
	if n := record.SeverityNumber(); n != plog.SeverityNumberUnspecified {
		dst = append(dst, `,"severity_number":`...)
		dst = strconv.AppendInt(dst, int64(n), 10)
	}
	if s := record.SeverityText(); s != "" {
		dst = append(dst, `,"severity_text":`...)
		dst = jsontext.AppendString(dst, s)
	}
	if s := record.EventName(); s != "" {
		dst = append(dst, `,"event_name":`...)
		dst = jsontext.AppendString(dst, s)
	}
	if body := record.Body(); body.Type() != pcommon.ValueTypeEmpty {
		dst = append(dst, `,"body":`...)
		dst = jsontext.AppendValue(dst, body)
	}
	if record.Attributes().Len() > 0 {
		dst = append(dst, `,"attributes":`...)
		dst = jsontext.AppendMap(dst, record.Attributes())
	}
	if id := record.TraceID(); !id.IsEmpty() {
		dst = append(dst, `,"trace_id":`...)
		dst = jsontext.AppendHex(dst, id[:])
	}
	if id := record.SpanID(); !id.IsEmpty() {
		dst = append(dst, `,"span_id":`...)
		dst = jsontext.AppendHex(dst, id[:])
	}
	if flags := record.Flags(); flags != 0 {
		dst = append(dst, `,"flags":`...)
		dst = strconv.AppendUint(dst, uint64(flags), 10)
	}
	if n := record.DroppedAttributesCount(); n != 0 {
		dst = append(dst, `,"dropped_attributes_count":`...)
		dst = strconv.AppendUint(dst, uint64(n), 10)
	}
	if m.eventID != "" {
		dst = m.appendEventID(dst, open, record)
	}
	dst = append(dst, m.shared...)
	return closeObject(dst, open), nil
}

// appendEventID appends an id that the record has wherever and whenever it is encoded: its log.record.uid, else a hash
// of all its content, of which dst holds what is not shared from open on.
func (m *jsonMarshaler) appendEventID(dst []byte, open int, record plog.LogRecord) []byte {
	uid, given := record.Attributes().Get(recordUID)
	if !given {
		// The length keeps apart what is the record's and what is shared.
		m.sum = binary.BigEndian.AppendUint64(m.sum[:0], uint64(len(dst)-open))
		m.hash.Reset()
		m.hash.Write(m.sum)
		m.hash.Write(dst[open:])
		m.hash.Write(m.shared)
		m.sum = m.hash.Sum(m.sum[:0])
	}
	dst = append(dst, ',')
	dst = jsontext.AppendString(dst, m.eventID)
	dst = append(dst, ':')
	if given {
		return jsontext.AppendString(dst, uid.AsString())
	}
	return jsontext.AppendHex(dst, m.sum[:16])
}

// closeObject makes an object of the fields from open on, each of which was written with a comma in front.
func closeObject(dst []byte, open int) []byte {
	if len(dst) == open {
		return append(dst, "{}"...)
	}
	dst[open] = '{'
	return append(dst, '}')
}
