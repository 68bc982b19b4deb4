// SPDX-License-Identifier: Apache-2.0

// Package plainjson writes a log record as one JSON object with all of the OpenTelemetry log data model.
package plainjson

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/jsontext"
)

// RecordUID is the attribute of the semantic conventions that identifies a record.
const RecordUID = "log.record.uid"

// Fields are the names that a record's fields have, besides that of the id, in their order.
var Fields = []string{
	"timestamp", "observed_timestamp", "severity_number", "severity_text", "event_name", "body", "attributes",
	"trace_id", "span_id", "flags", "dropped_attributes_count", "scope", "resource", "schema_url",
}

// Encoder encodes records. Empty parts are left out. What all records of a scope share comes last in each, and is encoded
// once. An Encoder is used by one goroutine at a time.
type Encoder struct {
	eventID string // field of the stable id; empty: none
	hash    hash.Hash
	sum     []byte // of hash
	own     []byte // the fields of a record of which only the id is wanted, or that are not in order
	rl      plog.ResourceLogs
	sl      plog.ScopeLogs
	// identity is what shared is, with the keys of maps in order, once an id is wanted.
	identity   []byte
	identified bool

	timestamp, observed jsontext.Clock

	shared []byte // the fields of scope, resource and schema, each with its comma in front
}

// New returns an encoder. eventID names the field of the record's stable id; without a name there is none.
func New(eventID string) *Encoder {
	return &Encoder{eventID: eventID, hash: sha256.New(), identified: true}
}

// Clone returns an encoder like this one for another goroutine.
func (e *Encoder) Clone() *Encoder { return New(e.eventID) }

// Start says of which resource and scope the next records are.
func (e *Encoder) Start(rl plog.ResourceLogs, sl plog.ScopeLogs) {
	e.rl, e.sl, e.identified = rl, sl, false
	e.shared = appendShared(e.shared[:0], rl, sl, jsontext.AppendMap)
}

// appendShared appends the fields of scope, resource and schema.
func appendShared(dst []byte, rl plog.ResourceLogs, sl plog.ScopeLogs, appendMap func([]byte, pcommon.Map) []byte) []byte {
	dst = appendScope(dst, sl.Scope(), appendMap)
	if attributes := rl.Resource().Attributes(); attributes.Len() > 0 {
		dst = append(dst, `,"resource":`...)
		dst = appendMap(dst, attributes)
	}
	// The scope's schema is about the records, the resource's about the resource.
	schema := sl.SchemaUrl()
	if schema == "" {
		schema = rl.SchemaUrl()
	}
	if schema != "" {
		dst = append(dst, `,"schema_url":`...)
		dst = jsontext.AppendString(dst, schema)
	}
	return dst
}

func appendScope(dst []byte, scope pcommon.InstrumentationScope, appendMap func([]byte, pcommon.Map) []byte) []byte {
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
		dst = appendMap(dst, scope.Attributes())
	}
	return closeObject(dst, open)
}

// Append appends one record to dst.
func (e *Encoder) Append(dst []byte, record plog.LogRecord) []byte {
	open := len(dst)
	dst = e.appendFields(dst, record, false)
	if e.eventID != "" {
		dst = e.appendEventID(dst, open, record)
	}
	dst = append(dst, e.shared...)
	return closeObject(dst, open)
}

// ID returns the id that a record without a log.record.uid has wherever and whenever it is encoded: a hash of all its
// content. The order of attributes does not count: receivers that parse have them in another order each time.
func (e *Encoder) ID(record plog.LogRecord) string {
	e.own = e.appendFields(e.own[:0], record, true)
	return hex.EncodeToString(e.contentID(e.own))
}

// appendFields appends what is not shared with other records, each field with a comma in front, and if it is asked to, the
// keys of maps in order.
func (e *Encoder) appendFields(dst []byte, record plog.LogRecord, sorted bool) []byte {
	if t := record.Timestamp(); t != 0 {
		dst = append(dst, `,"timestamp":`...)
		dst = e.timestamp.AppendTime(dst, int64(t))
	}
	if t := record.ObservedTimestamp(); t != 0 {
		dst = append(dst, `,"observed_timestamp":`...)
		dst = e.observed.AppendTime(dst, int64(t))
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
		if sorted {
			dst = jsontext.AppendSorted(dst, body)
		} else {
			dst = jsontext.AppendValue(dst, body)
		}
	}
	if record.Attributes().Len() > 0 {
		dst = append(dst, `,"attributes":`...)
		if sorted {
			dst = jsontext.AppendSortedMap(dst, record.Attributes())
		} else {
			dst = jsontext.AppendMap(dst, record.Attributes())
		}
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
	return dst
}

// appendEventID appends the field of the id. The record's own fields lie in dst from open on.
func (e *Encoder) appendEventID(dst []byte, open int, record plog.LogRecord) []byte {
	own := dst[open:]
	dst = append(dst, ',')
	dst = jsontext.AppendString(dst, e.eventID)
	dst = append(dst, ':')
	if uid, given := record.Attributes().Get(RecordUID); given {
		return jsontext.AppendString(dst, uid.AsString())
	}
	if !jsontext.SortedMap(record.Attributes()) || !jsontext.Sorted(record.Body()) {
		e.own = e.appendFields(e.own[:0], record, true)
		own = e.own
	}
	return jsontext.AppendHex(dst, e.contentID(own))
}

// contentID returns a hash of a record's own fields and of those that it shares. It is valid until the next call.
func (e *Encoder) contentID(own []byte) []byte {
	if !e.identified {
		e.identity = appendShared(e.identity[:0], e.rl, e.sl, jsontext.AppendSortedMap)
		e.identified = true
	}
	// The length keeps apart what is the record's and what is shared.
	e.sum = binary.BigEndian.AppendUint64(e.sum[:0], uint64(len(own)))
	e.hash.Reset()
	e.hash.Write(e.sum)
	e.hash.Write(own)
	e.hash.Write(e.identity)
	e.sum = e.hash.Sum(e.sum[:0])
	return e.sum[:16]
}

// closeObject makes an object of the fields from open on, each of which was written with a comma in front.
func closeObject(dst []byte, open int) []byte {
	if len(dst) == open {
		return append(dst, "{}"...)
	}
	dst[open] = '{'
	return append(dst, '}')
}
