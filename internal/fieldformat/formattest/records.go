// SPDX-License-Identifier: Apache-2.0

package formattest

import (
	"embed"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"gopkg.in/yaml.v3"
)

//go:embed records/*.yaml
var recordFiles embed.FS

// Record is one input of the corpus: exactly one log record with its resource
// and scope.
type Record struct {
	Name string // file name without its ending
	Logs plog.Logs
}

// Records reads the corpus, sorted by name. Every call returns fresh copies.
//
// A file of records/ has these keys, all optional: resource (attributes),
// scope (name, version, attributes), time and observed (RFC 3339 with up to
// nine decimals), severity (0..24), severityText, traceId, spanId (hex),
// flags, eventName, body, attributes. Values have the type that YAML gives
// them, except that dates stay text. `!!binary` makes bytes, `!raw` makes text
// whose characters below U+0100 are single bytes (so it may be no UTF-8), and
// `!repeat [text, n]` makes long text.
func Records() []Record {
	names, err := fs.Glob(recordFiles, "records/*.yaml")
	if err != nil {
		panic(err)
	}
	records := make([]Record, 0, len(names))
	for _, name := range names {
		data, err := recordFiles.ReadFile(name)
		if err != nil {
			panic(err)
		}
		logs, err := ParseRecord(data)
		if err != nil {
			panic(fmt.Errorf("%s: %w", name, err))
		}
		name = strings.TrimSuffix(strings.TrimPrefix(name, "records/"), ".yaml")
		records = append(records, Record{Name: name, Logs: logs})
	}
	return records
}

// ParseRecord reads one record in the form that Records describes.
func ParseRecord(data []byte) (plog.Logs, error) {
	logs := plog.NewLogs()
	resourceLogs := logs.ResourceLogs().AppendEmpty()
	scopeLogs := resourceLogs.ScopeLogs().AppendEmpty()
	record := scopeLogs.LogRecords().AppendEmpty()

	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		return logs, err
	}
	if len(document.Content) != 1 {
		return logs, fmt.Errorf("want one YAML document")
	}
	return logs, eachPair(document.Content[0], func(key string, value *yaml.Node) error {
		switch key {
		case "resource":
			return setMap(resourceLogs.Resource().Attributes(), value)
		case "scope":
			return setScope(scopeLogs.Scope(), value)
		case "attributes":
			return setMap(record.Attributes(), value)
		case "body":
			return setValue(record.Body(), value)
		case "time":
			t, err := timestamp(value)
			record.SetTimestamp(t)
			return err
		case "observed":
			t, err := timestamp(value)
			record.SetObservedTimestamp(t)
			return err
		case "severity":
			n, err := strconv.ParseInt(value.Value, 10, 32)
			record.SetSeverityNumber(plog.SeverityNumber(n))
			return err
		case "severityText":
			record.SetSeverityText(value.Value)
			return nil
		case "eventName":
			record.SetEventName(value.Value)
			return nil
		case "flags":
			n, err := strconv.ParseUint(value.Value, 10, 32)
			record.SetFlags(plog.LogRecordFlags(n))
			return err
		case "traceId":
			var id pcommon.TraceID
			err := decodeHex(id[:], value.Value)
			record.SetTraceID(id)
			return err
		case "spanId":
			var id pcommon.SpanID
			err := decodeHex(id[:], value.Value)
			record.SetSpanID(id)
			return err
		}
		return fmt.Errorf("unknown key")
	})
}

func setScope(scope pcommon.InstrumentationScope, node *yaml.Node) error {
	return eachPair(node, func(key string, value *yaml.Node) error {
		switch key {
		case "name":
			scope.SetName(value.Value)
		case "version":
			scope.SetVersion(value.Value)
		case "attributes":
			return setMap(scope.Attributes(), value)
		default:
			return fmt.Errorf("unknown key")
		}
		return nil
	})
}

func timestamp(node *yaml.Node) (pcommon.Timestamp, error) {
	t, err := time.Parse(time.RFC3339Nano, node.Value)
	return pcommon.NewTimestampFromTime(t), err
}

func decodeHex(to []byte, text string) error {
	b, err := hex.DecodeString(text)
	if err != nil {
		return err
	}
	if copy(to, b) != len(to) || len(b) != len(to) {
		return fmt.Errorf("want %d bytes, got %d", len(to), len(b))
	}
	return nil
}

// eachPair calls f for the pairs of a mapping in their order; a key given twice is an error.
func eachPair(node *yaml.Node, f func(key string, value *yaml.Node) error) error {
	if node.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: want a mapping", node.Line)
	}
	seen := make(map[string]bool, len(node.Content)/2)
	for i := 0; i < len(node.Content); i += 2 {
		key := node.Content[i].Value
		if seen[key] {
			return fmt.Errorf("line %d: %q is given twice", node.Content[i].Line, key)
		}
		seen[key] = true
		if err := f(key, node.Content[i+1]); err != nil {
			return fmt.Errorf("%q: %w", key, err)
		}
	}
	return nil
}

func setMap(m pcommon.Map, node *yaml.Node) error {
	return eachPair(node, func(key string, value *yaml.Node) error {
		return setValue(m.PutEmpty(key), value)
	})
}

func setValue(v pcommon.Value, node *yaml.Node) error {
	switch node.ShortTag() {
	case "!!str", "!!timestamp":
		v.SetStr(node.Value)
	case "!!null":
		// the empty value
	case "!!bool":
		var b bool
		if err := node.Decode(&b); err != nil {
			return err
		}
		v.SetBool(b)
	case "!!int":
		var n int64
		if err := node.Decode(&n); err != nil {
			return err
		}
		v.SetInt(n)
	case "!!float":
		var f float64
		if err := node.Decode(&f); err != nil {
			return err
		}
		v.SetDouble(f)
	case "!!binary":
		b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(node.Value))
		if err != nil {
			return err
		}
		v.SetEmptyBytes().FromRaw(b)
	case "!!map":
		return setMap(v.SetEmptyMap(), node)
	case "!!seq":
		s := v.SetEmptySlice()
		for _, item := range node.Content {
			if err := setValue(s.AppendEmpty(), item); err != nil {
				return err
			}
		}
	case "!raw":
		var b []byte
		for _, r := range node.Value {
			if r < 0x100 {
				b = append(b, byte(r))
			} else {
				b = append(b, string(r)...)
			}
		}
		v.SetStr(string(b))
	case "!repeat":
		if len(node.Content) != 2 {
			return fmt.Errorf("line %d: want [text, times]", node.Line)
		}
		n, err := strconv.Atoi(node.Content[1].Value)
		if err != nil {
			return err
		}
		v.SetStr(strings.Repeat(node.Content[0].Value, n))
	default:
		return fmt.Errorf("line %d: unknown type %s", node.Line, node.ShortTag())
	}
	return nil
}
