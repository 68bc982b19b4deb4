// SPDX-License-Identifier: Apache-2.0

// Package partitionkey gives records their Kinesis partition keys: from an OTTL
// value expression, or at random.
package partitionkey

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/contexts/ottllog"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/ottlfuncs"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl"
)

// MaxLength of a partition key in Unicode characters, by the API reference of PutRecords.
const MaxLength = 256

// Valid tells whether Kinesis takes key: 1 to MaxLength Unicode characters.
func Valid(key string) bool {
	// Most keys are short: no character takes less than a byte.
	return key != "" && (len(key) <= MaxLength || utf8.RuneCountInString(key) <= MaxLength) && utf8.ValidString(key)
}

// Expr is a parsed `partition_key_from`. It is safe for concurrent use.
type Expr struct {
	// static is the key of an expression that is a text literal, "" for all others.
	static string
	// uuid is set for UUID() alone, which needs neither a record nor cryptographic randomness.
	uuid  bool
	value *ottl.ValueExpression[*ottllog.TransformContext]
}

// Parse reads an OTTL value expression in the log context, with the standard converters of the
// transform processor: log.attributes["x"], resource.attributes["x"], log.trace_id.string, UUID(), Concat(...).
// A fault is reported in OTTL's own words, with line and column.
func Parse(expr string, set component.TelemetrySettings) (*Expr, error) {
	text := strings.TrimSpace(expr)
	if text == "" {
		return nil, errors.New("empty expression")
	}
	parser, err := ottllog.NewParser(ottlfuncs.StandardConverters[*ottllog.TransformContext](), set, ottllog.EnablePathContextNames())
	if err != nil {
		return nil, fmt.Errorf("create OTTL parser: %w", err)
	}
	value, err := parser.ParseValueExpression(text)
	if err != nil {
		return nil, err
	}
	e := &Expr{uuid: text == "UUID()", value: value}
	if _, err := strconv.Unquote(text); err == nil && text[0] == '"' {
		rl := plog.NewResourceLogs()
		sl := rl.ScopeLogs().AppendEmpty()
		e.static = e.Key(context.Background(), rl, sl, sl.LogRecords().AppendEmpty())
		if e.static == "" {
			return nil, fmt.Errorf("the text is no partition key: it must have 1 to %d characters", MaxLength)
		}
	}
	return e, nil
}

// What log.trace_id.string and log.span_id.string are on records without a trace. Taken for keys,
// they would send all those records to one shard.
const (
	noTraceID = "00000000000000000000000000000000"
	noSpanID  = "0000000000000000"
)

// AppendKey appends the key of a record to dst: what Key returns, or a random key where that is none.
func (e *Expr) AppendKey(dst []byte, ctx context.Context, rl plog.ResourceLogs, sl plog.ScopeLogs, lr plog.LogRecord) []byte {
	if e.uuid {
		return appendUUID(dst)
	}
	if key := e.Key(ctx, rl, sl, lr); key != "" {
		return append(dst, key...)
	}
	return appendRandom(dst)
}

// Key evaluates the expression on a record. It returns "" where that gives no key: the value is
// absent, empty or a zero trace or span id, longer than MaxLength, or cannot be computed. The caller
// then takes a random key.
//
// Numbers, booleans, times, maps and slices become the text that pdata gives them, bytes and ids become hex,
// and what is not UTF-8 is replaced as it would be on the wire.
func (e *Expr) Key(ctx context.Context, rl plog.ResourceLogs, sl plog.ScopeLogs, lr plog.LogRecord) string {
	if e.static != "" {
		return e.static
	}
	if e.uuid {
		return string(appendUUID(nil))
	}
	tc := ottllog.NewTransformContext(rl, sl, lr)
	v, err := e.value.Eval(ctx, tc)
	key := ""
	if err == nil {
		key = text(v) // before Close, because v may live in the context
	}
	tc.Close()
	if key == noTraceID || key == noSpanID {
		return ""
	}
	if !Valid(key) {
		key = strings.ToValidUTF8(key, "\uFFFD")
		if !Valid(key) {
			return ""
		}
	}
	return key
}

// text of a value that an OTTL getter or converter returns.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	case []byte:
		return hex.EncodeToString(v)
	case pcommon.TraceID:
		return v.String()
	case pcommon.SpanID:
		return v.String()
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	case pcommon.Value:
		if v.Type() == pcommon.ValueTypeBytes {
			return hex.EncodeToString(v.Bytes().AsRaw())
		}
		return v.AsString()
	case pcommon.ByteSlice:
		return hex.EncodeToString(v.AsRaw())
	case pcommon.Map:
		return rawText(v.AsRaw())
	case pcommon.Slice:
		return rawText(v.AsRaw())
	case map[string]any, []any:
		return rawText(v)
	case fmt.Stringer:
		return v.String()
	default:
		return fmt.Sprint(v)
	}
}

// rawText is the JSON of a map or slice, with sorted keys, so that equal values give equal keys.
func rawText(raw any) string {
	v := pcommon.NewValueEmpty()
	if v.FromRaw(raw) != nil {
		return fmt.Sprint(raw)
	}
	return v.AsString()
}

// alphabet of random keys: 64 characters, so that each takes six bits.
const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz-"

// appendRandom appends a key of 20 characters, random enough to spread over shards, and cheap.
func appendRandom(dst []byte) []byte {
	for range 2 {
		bits := rand.Uint64()
		for range 10 {
			dst = append(dst, alphabet[bits&63])
			bits >>= 6
		}
	}
	return dst
}

// appendUUID appends a version 4 UUID. It spreads records, so it need not be unpredictable.
func appendUUID(dst []byte) []byte {
	var id [16]byte
	binary.BigEndian.PutUint64(id[:8], rand.Uint64()&^(0xF<<12)|4<<12) // version
	binary.BigEndian.PutUint64(id[8:], rand.Uint64()&^(3<<62)|2<<62)   // variant
	dst = hex.AppendEncode(dst, id[:4])
	for _, group := range [][]byte{id[4:6], id[6:8], id[8:10], id[10:]} {
		dst = append(dst, '-')
		dst = hex.AppendEncode(dst, group)
	}
	return dst
}
