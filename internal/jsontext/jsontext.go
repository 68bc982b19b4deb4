// SPDX-License-Identifier: Apache-2.0

// Package jsontext appends JSON text (RFC 8259) to byte slices.
//
// Every function appends to dst and returns the extended slice, so that a whole record is written into one reused
// buffer without an allocation of its own.
package jsontext

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
	"unsafe"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

const hexDigits = "0123456789abcdef"

// plain marks the ASCII bytes that stand for themselves in a JSON string.
var plain = func() (t [utf8.RuneSelf]bool) {
	for c := range t {
		t[c] = c >= 0x20 && c != '"' && c != '\\' && c != 0x7f
	}
	return t
}()

// AppendString appends s as a JSON string with its quotes.
// Control characters are escaped; bytes that are not UTF-8 become U+FFFD, one for each.
func AppendString(dst []byte, s string) []byte {
	if plainPrefix(s) == len(s) {
		// One growth and one copy: this is where most of the time of a record goes.
		n := len(dst)
		dst = slices.Grow(dst, len(s)+2)[:n+len(s)+2]
		dst[n] = '"'
		copy(dst[n+1:], s)
		dst[len(dst)-1] = '"'
		return dst
	}
	dst = append(dst, '"')
	dst = AppendEscaped(dst, s)
	return append(dst, '"')
}

// AppendEscaped appends s as AppendString does, without the quotes.
func AppendEscaped(dst []byte, s string) []byte {
	for {
		n := plainPrefix(s)
		dst = append(dst, s[:n]...)
		if n == len(s) {
			return dst
		}
		if s = s[n:]; s[0] < utf8.RuneSelf {
			dst = appendEscape(dst, s[0])
			s = s[1:]
			continue
		}
		// Text in other scripts comes in runs.
		for len(s) > 0 && s[0] >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s)
			if r == utf8.RuneError && size == 1 {
				dst = append(dst, "\ufffd"...)
			} else {
				dst = append(dst, s[:size]...)
			}
			s = s[size:]
		}
	}
}

// plainPrefix returns the length of the longest beginning of s in which each byte is ASCII and stands for itself.
// It looks at eight bytes at a time.
func plainPrefix(s string) int {
	i := 0
	for ; i+8 <= len(s); i += 8 {
		if special(binary.LittleEndian.Uint64(unsafe.Slice(unsafe.StringData(s[i:]), 8))) {
			break
		}
	}
	for i < len(s) && s[i] < utf8.RuneSelf && plain[s[i]] {
		i++
	}
	return i
}

// special reports whether one of the eight bytes of w is a control character, a quote, a backslash or not ASCII.
// For bytes below 0x80, b-n borrows into the highest bit exactly where b < n, and x^c is 0 exactly where x is c.
func special(w uint64) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	control := w - ones*0x20
	quote := (w ^ ones*'"') - ones
	backslash := (w ^ ones*'\\') - ones
	del := (w ^ ones*0x7f) - ones
	return (w|control|quote|backslash|del)&highs != 0
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	default:
		return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
	}
}

// AppendFloat appends f in the shortest form that reads back as the same number.
// NaN and the infinities, which JSON does not have, become null.
func AppendFloat(dst []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(dst, "null"...)
	}
	// As ECMAScript and encoding/json: exponents only where plain digits would be long.
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(dst, f, format, -1, 64)
}

// AppendBase64 appends b as a JSON string in standard base64 (RFC 4648, section 4).
func AppendBase64(dst, b []byte) []byte {
	dst = append(dst, '"')
	dst = base64.StdEncoding.AppendEncode(dst, b)
	return append(dst, '"')
}

// AppendHex appends b as a JSON string of lower-case hexadecimal digits.
func AppendHex(dst, b []byte) []byte {
	dst = append(dst, '"')
	for _, c := range b {
		dst = append(dst, hexDigits[c>>4], hexDigits[c&0xf])
	}
	return append(dst, '"')
}

// AppendValue appends v: text, number, bool and null as they are, bytes as base64, maps and slices with all they hold.
func AppendValue(dst []byte, v pcommon.Value) []byte {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return AppendString(dst, v.Str())
	case pcommon.ValueTypeInt:
		return strconv.AppendInt(dst, v.Int(), 10)
	case pcommon.ValueTypeDouble:
		return AppendFloat(dst, v.Double())
	case pcommon.ValueTypeBool:
		return strconv.AppendBool(dst, v.Bool())
	case pcommon.ValueTypeBytes:
		return appendBytes(dst, v.Bytes())
	case pcommon.ValueTypeMap:
		return AppendMap(dst, v.Map())
	case pcommon.ValueTypeSlice:
		dst = append(dst, '[')
		for i, e := range v.Slice().All() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = AppendValue(dst, e)
		}
		return append(dst, ']')
	default:
		return append(dst, "null"...)
	}
}

// appendBytes is AppendBase64 without the copy that ByteSlice.AsRaw would make.
func appendBytes(dst []byte, b pcommon.ByteSlice) []byte {
	dst = append(dst, '"')
	var group [3]byte
	n := b.Len()
	for i := 0; i < n; i += 3 {
		k := 0
		for ; k < 3 && i+k < n; k++ {
			group[k] = b.At(i + k)
		}
		dst = base64.StdEncoding.AppendEncode(dst, group[:k])
	}
	return append(dst, '"')
}

// AppendMap appends m as an object, its keys in the order in which m holds them.
func AppendMap(dst []byte, m pcommon.Map) []byte {
	dst = append(dst, '{')
	first := true
	for k, v := range m.All() {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = AppendString(dst, k)
		dst = append(dst, ':')
		dst = AppendValue(dst, v)
	}
	return append(dst, '}')
}
