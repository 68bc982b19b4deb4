// SPDX-License-Identifier: Apache-2.0

package amazonkinesisexporter

import (
	"context"
	"fmt"
	"iter"
	"sort"
	"unicode/utf8"
	"unsafe"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/accounting"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/delivery"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/jsontext"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/partitionkey"
)

// encoder turns log records into Kinesis records: data and partition key, within the stream's limit.
// It is used by one goroutine at a time.
type encoder struct {
	marshaler marshaler
	ledger    *accounting.Ledger

	staticKey string             // when keyFrom is nil
	keyFrom   *partitionkey.Expr //
	maxSize   int                // bytes of data and key
	truncate  bool               // what to do with a record over maxSize

	dropped int    // records of the current batch
	data    []byte // of the current record
	keyData []byte // likewise, with keyFrom
}

func newEncoder(cfg *Config, ledger *accounting.Ledger, set component.TelemetrySettings) (*encoder, error) {
	m, err := newMarshaler(cfg, set.Logger)
	if err != nil {
		return nil, err
	}
	e := &encoder{
		marshaler: m,
		ledger:    ledger,
		staticKey: cfg.PartitionKey,
		maxSize:   cfg.MaxRecordSize,
		truncate:  cfg.Oversize == oversizeTruncate,
	}
	if cfg.PartitionKeyFrom != "" {
		if e.keyFrom, err = partitionkey.Parse(cfg.PartitionKeyFrom, set); err != nil {
			return nil, fmt.Errorf("`partition_key_from`: %w", err)
		}
	}
	return e, nil
}

// clone returns an encoder like this one for another goroutine.
func (e *encoder) clone() *encoder {
	other := *e
	other.marshaler, other.data, other.keyData = e.marshaler.clone(), nil, nil
	return &other
}

// records encodes the records of ld one after the other. Those that excluded names, and those that cannot be encoded,
// are left out and accounted for.
func (e *encoder) records(ctx context.Context, ld plog.Logs, excluded func(ordinal int) bool) iter.Seq[delivery.Record] {
	return func(yield func(delivery.Record) bool) {
		ordinal := -1
		for _, rl := range ld.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				e.marshaler.start(rl, sl)
				for _, record := range sl.LogRecords().All() {
					ordinal++
					if excluded != nil && excluded(ordinal) {
						continue
					}
					key := e.key(ctx, rl, sl, record)
					if !e.encode(record, len(key)) {
						continue
					}
					if !yield(delivery.Record{Ordinal: ordinal, Data: e.data, Key: key}) {
						return
					}
				}
			}
		}
	}
}

// key returns the record's partition key, which is valid until the next call.
func (e *encoder) key(ctx context.Context, rl plog.ResourceLogs, sl plog.ScopeLogs, record plog.LogRecord) string {
	if e.keyFrom == nil {
		return e.staticKey
	}
	e.keyData = e.keyFrom.AppendKey(e.keyData[:0], ctx, rl, sl, record)
	return unsafe.String(unsafe.SliceData(e.keyData), len(e.keyData))
}

// encode writes the record to e.data. It reports false for a record that it had to drop.
func (e *encoder) encode(record plog.LogRecord, keySize int) bool {
	var err error
	if e.data, err = e.marshaler.append(e.data[:0], record); err != nil {
		e.drop(accounting.ReasonEncoding, err)
		return false
	}
	size := len(e.data) + keySize
	if size <= e.maxSize {
		return true
	}
	if e.truncate && e.shorten(record, e.maxSize-keySize) {
		return true
	}
	e.drop(accounting.ReasonTooLarge, fmt.Errorf(
		"a record of %d bytes with its partition key is over `max_record_size` (%d): raise that and the stream's limit, or set `oversize: truncate`",
		size, e.maxSize))
	return false
}

func (e *encoder) drop(reason string, err error) {
	e.dropped++
	e.ledger.Dropped(1, reason, err)
}

const (
	// truncatedMark ends a text that was cut.
	truncatedMark = "…"
	// truncatedAttribute holds the size in bytes that the record's data had before it was cut.
	truncatedAttribute = "amazonkinesis.truncated_from"
	// notWorthCutting is the length in bytes of the texts that are left alone.
	notWorthCutting = 64
)

// shorten writes a copy of the record to e.data whose longest texts are cut until it has at most limit bytes.
// It reports false when that cannot be done, because the size is not in the texts of body and attributes.
func (e *encoder) shorten(record plog.LogRecord, limit int) bool {
	short := plog.NewLogRecord()
	record.CopyTo(short)
	short.Attributes().PutInt(truncatedAttribute, int64(len(e.data)))
	for {
		var err error
		if e.data, err = e.marshaler.append(e.data[:0], short); err != nil {
			return false
		}
		if len(e.data) <= limit {
			return true
		}
		texts := appendTexts(nil, short.Body())
		for _, v := range short.Attributes().All() {
			texts = appendTexts(texts, v)
		}
		if len(texts) == 0 {
			return false
		}
		length := commonLength(texts, len(e.data)-limit)
		for _, t := range texts {
			if t.length > length {
				cut(t.value, length)
			}
		}
	}
}

// text is a text or bytes value that is worth cutting.
type text struct {
	value  pcommon.Value
	length int     // in bytes
	weight float64 // bytes of data for each of these: escapes and base64 make more than one
}

// appendTexts appends the texts and bytes in v that are worth cutting.
func appendTexts(texts []text, v pcommon.Value) []text {
	length := 0
	switch v.Type() {
	case pcommon.ValueTypeStr:
		length = len(v.Str())
	case pcommon.ValueTypeBytes:
		length = v.Bytes().Len()
	case pcommon.ValueTypeMap:
		for _, e := range v.Map().All() {
			texts = appendTexts(texts, e)
		}
	case pcommon.ValueTypeSlice:
		for _, e := range v.Slice().All() {
			texts = appendTexts(texts, e)
		}
	}
	if length <= notWorthCutting {
		return texts
	}
	return append(texts, text{v, length, float64(len(jsontext.AppendValue(nil, v))) / float64(length)})
}

// commonLength returns the length to which all longer texts have to be cut so that so many bytes of data are saved,
// about: a text need not have the same weight everywhere. It is less than the longest.
func commonLength(texts []text, excess int) int {
	longest := 0
	for _, t := range texts {
		longest = max(longest, t.length)
	}
	steps := sort.Search(longest-notWorthCutting-1, func(steps int) bool {
		saved := 0.0
		for _, t := range texts {
			saved += float64(max(0, t.length-(longest-1-steps))) * t.weight
		}
		return saved >= float64(excess)
	})
	return longest - 1 - steps
}

// cut keeps the first bytes of a text or bytes value, so that it has at most n. A text is cut between two characters,
// and marked.
func cut(v pcommon.Value, n int) {
	if v.Type() == pcommon.ValueTypeBytes {
		v.Bytes().FromRaw(v.Bytes().AsRaw()[:n])
		return
	}
	text := v.Str()
	n -= len(truncatedMark)
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	v.SetStr(text[:n] + truncatedMark)
}
