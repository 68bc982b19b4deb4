// SPDX-License-Identifier: Apache-2.0

package formattest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Validate holds one marshalled record against the official schema of its
// format (ecs cim asim cef leef csl ocsf udm) and returns everything that is
// wrong with it, in the order of the fields' names.
func Validate(format string, out []byte) []error {
	validate, ok := map[string]func(*problems, []byte){
		"ecs":  inObject(validateECS),
		"cim":  inObject(validateCIM),
		"asim": inObject(validateASIM),
		"csl":  inObject(validateCSL),
		"ocsf": inObject(validateOCSF),
		"udm":  inObject(validateUDM),
		"cef":  validateCEF,
		"leef": validateLEEF,
	}[format]
	if !ok {
		return []error{fmt.Errorf("unknown format %q", format)}
	}
	var p problems
	switch {
	case !utf8.Valid(out):
		p.add("", "not valid UTF-8")
	case bytes.ContainsAny(out, "\r\n"):
		p.add("", "line break inside the record")
	default:
		validate(&p, out)
	}
	return p
}

// problems collects what is wrong.
type problems []error

func (p *problems) add(path, format string, args ...any) {
	if path != "" {
		format = "%s: " + format
		args = slices.Insert(args, 0, any(path))
	}
	*p = append(*p, fmt.Errorf(format, args...))
}

func inObject(validate func(*problems, map[string]any)) func(*problems, []byte) {
	return func(p *problems, out []byte) {
		v, err := decodeJSON(out)
		if err != nil {
			p.add("", "%v", err)
			return
		}
		object, ok := v.(map[string]any)
		if !ok {
			p.add("", "want a JSON object, got %s", describe(v))
			return
		}
		validate(p, object)
	}
}

// decodeJSON reads one JSON text and nothing behind it. Numbers stay as they
// are written; a key that is given twice is an error.
func decodeJSON(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	v, err := decodeValue(d, "")
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something stands behind the JSON value")
	}
	return v, nil
}

func decodeValue(d *json.Decoder, path string) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		object := map[string]any{}
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return nil, err
			}
			name := key.(string)
			if _, ok := object[name]; ok {
				return nil, fmt.Errorf("%s: key is given twice", join(path, name))
			}
			if object[name], err = decodeValue(d, join(path, name)); err != nil {
				return nil, err
			}
		}
		_, err := d.Token()
		return object, err
	case json.Delim('['):
		array := []any{}
		for d.More() {
			v, err := decodeValue(d, path)
			if err != nil {
				return nil, err
			}
			array = append(array, v)
		}
		_, err := d.Token()
		return array, err
	}
	return token, nil
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// at follows a dotted path through nested objects.
func at(object map[string]any, path string) (any, bool) {
	name, rest, nested := strings.Cut(path, ".")
	v, ok := object[name]
	if !ok || !nested {
		return v, ok
	}
	inner, ok := v.(map[string]any)
	if !ok {
		return nil, false
	}
	return at(inner, rest)
}

func textAt(object map[string]any, path string) string {
	v, _ := at(object, path)
	s, _ := v.(string)
	return s
}

// texts returns the strings of a string or of an array.
func texts(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var s []string
		for _, item := range v {
			s = append(s, texts(item)...)
		}
		return s
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// describe names a value in an error text.
func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		if len(v) > 60 {
			v = v[:60] + "…"
		}
		return fmt.Sprintf("string %q", v)
	case json.Number:
		return "number " + v.String()
	case bool:
		return fmt.Sprintf("boolean %t", v)
	case []any:
		return fmt.Sprintf("array of %d", len(v))
	case map[string]any:
		return fmt.Sprintf("object of %d", len(v))
	}
	return fmt.Sprintf("%T", v)
}

func isString(v any) bool { _, ok := v.(string); return ok }
func isObject(v any) bool { _, ok := v.(map[string]any); return ok }
func isBool(v any) bool   { _, ok := v.(bool); return ok }

// isInt tells whether v is a number without fraction or exponent in [low, high].
func isInt(v any, low, high int64) bool {
	n, ok := v.(json.Number)
	if !ok {
		return false
	}
	i, err := strconv.ParseInt(n.String(), 10, 64)
	return err == nil && low <= i && i <= high
}

func isInt32(v any) bool { return isInt(v, math.MinInt32, math.MaxInt32) }
func isInt64(v any) bool { return isInt(v, math.MinInt64, math.MaxInt64) }
func isPort(v any) bool  { return isInt(v, 0, 65535) }

func isUint(v any, bits int) bool {
	n, ok := v.(json.Number)
	if !ok {
		return false
	}
	_, err := strconv.ParseUint(n.String(), 10, bits)
	return err == nil
}

func isNumber(v any) bool {
	n, ok := v.(json.Number)
	if !ok {
		return false
	}
	f, err := n.Float64()
	return err == nil && !math.IsInf(f, 0)
}

// isTime tells whether v is RFC 3339 text with at most digits decimals.
func isTime(v any, digits int) bool {
	s, ok := v.(string)
	if !ok {
		return false
	}
	if _, err := time.Parse(time.RFC3339Nano, s); err != nil || strings.Contains(s, ",") {
		return false
	}
	_, fraction, _ := strings.Cut(s, ".")
	return len(fraction)-len(strings.TrimLeft(fraction, "0123456789")) <= digits
}

func isUTC(v any) bool { s, ok := v.(string); return ok && strings.HasSuffix(s, "Z") }

// isEpochMilli tells whether v can be a time in milliseconds: from 1973 to
// 2286, where no count of seconds, microseconds or nanoseconds of our days lies.
func isEpochMilli(v any) bool { return isInt(v, 1e11, 1e13-1) }

func isIP(s string) bool {
	addr, err := netip.ParseAddr(s)
	return err == nil && addr.Zone() == ""
}

var (
	colonMAC     = regexp.MustCompile(`^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$`)
	alphanumeric = regexp.MustCompile(`^[A-Za-z0-9]+$`)
)

func number(v any) (float64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	f, err := n.Float64()
	return f, err == nil
}
