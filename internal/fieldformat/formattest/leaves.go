// SPDX-License-Identifier: Apache-2.0

package formattest

import (
	"encoding/json"
	"math"
	"math/big"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// Leaf is one value of a record: not a map and not a list.
type Leaf struct {
	From string // attribute, body, resource, scope or record
	Path string // keys joined by dots; the elements of a list share its path
	Text string // as pcommon.Value.AsString writes it, bytes in base64
}

// AllLeaves lists what a marshaller must not lose of the one record: every
// value but empty ones and numbers that JSON cannot write (NaN, infinities),
// and the record's time, texts and ids. Where two sources name the same path
// only the winner's is listed: attributes win over a map body, that over the
// resource, that over the scope. Severity number, flags and observed time are
// left to the tests that know how a format shows them.
func AllLeaves(logs plog.Logs) []Leaf {
	resourceLogs := logs.ResourceLogs().At(0)
	scopeLogs := resourceLogs.ScopeLogs().At(0)
	record := scopeLogs.LogRecords().At(0)

	var leaves []Leaf
	won := map[string]bool{}
	add := func(from string, found []Leaf) {
		paths := map[string]bool{}
		for _, leaf := range found {
			if leaf.Text == "" || won[leaf.Path] {
				continue
			}
			leaf.From = from
			leaves = append(leaves, leaf)
			paths[leaf.Path] = true
		}
		for path := range paths {
			won[path] = true
		}
	}
	add("attribute", mapLeaves(nil, "", record.Attributes()))
	if record.Body().Type() == pcommon.ValueTypeMap {
		add("body", mapLeaves(nil, "", record.Body().Map()))
	} else {
		leaves = append(leaves, valueLeaves(nil, "body", record.Body())...)
	}
	add("resource", mapLeaves(nil, "", resourceLogs.Resource().Attributes()))
	add("scope", mapLeaves(nil, "", scopeLogs.Scope().Attributes()))

	for _, leaf := range []Leaf{
		{"scope", "name", scopeLogs.Scope().Name()},
		{"scope", "version", scopeLogs.Scope().Version()},
		{"record", "severity_text", record.SeverityText()},
		{"record", "trace_id", record.TraceID().String()},
		{"record", "span_id", record.SpanID().String()},
		{"record", "event_name", record.EventName()},
	} {
		if leaf.Text != "" {
			leaves = append(leaves, leaf)
		}
	}
	if record.Timestamp() != 0 {
		leaves = append(leaves, Leaf{"record", "time", record.Timestamp().AsTime().Format(time.RFC3339Nano)})
	}
	for i := range leaves {
		if leaves[i].From == "" {
			leaves[i].From = "body"
		}
	}
	return leaves
}

// Leaves returns the texts of AllLeaves.
func Leaves(logs plog.Logs) []string {
	var texts []string
	for _, leaf := range AllLeaves(logs) {
		texts = append(texts, leaf.Text)
	}
	return texts
}

func mapLeaves(leaves []Leaf, path string, m pcommon.Map) []Leaf {
	for key, v := range m.All() {
		leaves = valueLeaves(leaves, join(path, key), v)
	}
	return leaves
}

func valueLeaves(leaves []Leaf, path string, v pcommon.Value) []Leaf {
	switch v.Type() {
	case pcommon.ValueTypeEmpty:
	case pcommon.ValueTypeMap:
		leaves = mapLeaves(leaves, path, v.Map())
	case pcommon.ValueTypeSlice:
		for _, item := range v.Slice().All() {
			leaves = valueLeaves(leaves, path, item)
		}
	case pcommon.ValueTypeDouble:
		if math.IsNaN(v.Double()) || math.IsInf(v.Double(), 0) {
			break
		}
		leaves = append(leaves, Leaf{Path: path, Text: v.AsString()})
	default:
		if text := v.AsString(); text != "" {
			leaves = append(leaves, Leaf{Path: path, Text: text})
		}
	}
	return leaves
}

// Contains tells whether a marshalled record still holds a leaf, in whatever
// place and notation: letter case, blanks and punctuation do not count, the
// same number, address, instant (to the millisecond) or duration (in another
// unit) is the same leaf, and text inside of longer text counts from four
// characters on; shorter text has to be a word of its own. A value that a
// format replaces by a word of its enum is not found, nor is one of which only
// a part is left.
func Contains(format string, out []byte, leaf string) bool {
	return NewHolding(format, out).Has(leaf)
}

// Holding is a marshalled record taken apart, for many questions.
type Holding struct {
	texts  []string
	folded []string
	all    string
	words  map[string]bool
}

// NewHolding takes a marshalled record apart. One that cannot be parsed holds nothing.
func NewHolding(format string, out []byte) *Holding {
	h := &Holding{words: map[string]bool{}}
	switch format {
	case "cef":
		if c, err := ParseCEF(string(out)); err == nil {
			h.texts = append(h.texts, c.DeviceVendor, c.DeviceProduct, c.DeviceVersion, c.DeviceEventClassID, c.Name, c.Severity)
			for _, pair := range c.Extension {
				h.collect(pair.Value)
			}
		}
	case "leef":
		if l, err := ParseLEEF(string(out)); err == nil {
			h.texts = append(h.texts, l.Vendor, l.Product, l.ProductVersion, l.EventID)
			for _, pair := range l.Attributes {
				h.collect(pair.Value)
			}
		}
	default:
		if v, err := decodeJSON(out); err == nil {
			h.collect(v)
		}
	}
	for _, text := range h.texts {
		// a bag that is text escapes what would break it, and holds many values
		for plain := unescaper.Replace(text); plain != text; plain = unescaper.Replace(text) {
			h.texts = append(h.texts, plain)
			text = plain
		}
		for _, part := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ;=,[]{}\"", r) }) {
			if len(part) <= 40 && len(part) < len(text) {
				h.texts = append(h.texts, part)
			}
		}
	}
	for _, text := range h.texts {
		folded := fold(text)
		h.folded = append(h.folded, folded)
		h.words[folded] = true
		for _, word := range strings.FieldsFunc(text, func(r rune) bool { return fold(string(r)) == "" }) {
			h.words[fold(word)] = true
		}
	}
	h.all = strings.Join(h.folded, "\x00")
	return h
}

var unescaper = strings.NewReplacer(`\\`, `\`, `\n`, " ", `\r`, " ", `\t`, " ")

func (h *Holding) collect(v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range sortedKeys(v) {
			h.collect(v[key])
		}
	case []any:
		for _, item := range v {
			h.collect(item)
		}
	case json.Number:
		h.texts = append(h.texts, v.String())
	case bool:
		h.texts = append(h.texts, strconv.FormatBool(v))
	case string:
		h.texts = append(h.texts, v)
		// a bag that is text may hold JSON text; its escapes must not hide a value
		if begin := strings.IndexAny(v, "{["); begin >= 0 {
			if inner, err := decodeJSON([]byte(v[begin:])); err == nil {
				h.collect(inner)
			}
		}
	}
}

// Has tells whether the record holds a leaf, as Contains describes.
func (h *Holding) Has(leaf string) bool {
	folded := fold(leaf)
	switch {
	case strings.TrimFunc(leaf, blank) == "":
		return true // blanks and controls only
	case folded == "":
		return slices.ContainsFunc(h.texts, func(text string) bool { return strings.Contains(text, strings.TrimFunc(leaf, blank)) })
	case h.words[folded]:
		return true
	case len([]rune(folded)) >= 4 && strings.Contains(h.all, folded):
		return true
	case len(leaf) > len(folded) && slices.ContainsFunc(h.texts, func(text string) bool { return strings.Contains(text, leaf) }):
		return true // short, but with punctuation in it
	}
	return slices.ContainsFunc(h.texts, func(text string) bool { return same(leaf, text) })
}

func blank(r rune) bool {
	return unicode.IsSpace(r) || unicode.Is(unicode.C, r) || r == unicode.ReplacementChar
}

// fold keeps letters, digits and symbols that are no punctuation.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || unicode.IsPunct(r) || unicode.IsSpace(r) || unicode.Is(unicode.C, r) ||
			r < 0x80 && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, strings.ToValidUTF8(s, "\ufffd"))
}

// same compares values by what they mean.
func same(a, b string) bool {
	if x, err := netip.ParseAddr(strings.Trim(a, "[]")); err == nil {
		y, err := netip.ParseAddr(b)
		return err == nil && x.Unmap() == y.Unmap()
	}
	if x, ok := instant(a); ok {
		if y, ok := instant(b); ok && x == y {
			return true
		}
	}
	x, ok := new(big.Rat).SetString(strings.TrimSuffix(a, "s"))
	if !ok || len(a) > 40 {
		return false
	}
	y, ok := new(big.Rat).SetString(strings.TrimSuffix(b, "s"))
	if !ok || len(b) > 40 {
		return false
	}
	if x.Cmp(y) == 0 {
		return true
	}
	// durations: nanoseconds or seconds of the input in another unit, cut to its whole number
	for _, factor := range []int64{1e3, 1e6, 1e9} {
		shorter := new(big.Rat).Quo(x, big.NewRat(factor, 1))
		whole := new(big.Rat).SetInt(new(big.Int).Quo(shorter.Num(), shorter.Denom()))
		longer := new(big.Rat).Mul(x, big.NewRat(factor, 1))
		if x.Sign() != 0 && (y.Cmp(shorter) == 0 || y.Cmp(longer) == 0 || whole.Sign() != 0 && y.Cmp(whole) == 0) {
			return true
		}
	}
	return false
}

// instant reads RFC 3339 or an epoch number of thirteen digits, to the millisecond.
func instant(s string) (int64, bool) {
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t.UnixMilli(), true
	}
	if len(s) == 13 {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return n, true
		}
	}
	return 0, false
}
