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
	"math/bits"
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
	// Nearly all text is plain. This is where most of the time of a record goes.
	n := len(dst)
	dst = room(dst, len(s)+2)[:n+len(s)+2]
	dst[n] = '"'
	if done := copyPlain(dst[n+1:], s); done < len(s) {
		return append(AppendEscaped(dst[:n+1+done], s[done:]), '"')
	}
	dst[len(dst)-1] = '"'
	return dst
}

// appendTextMember appends a member whose value is text, as most are: with one look for room.
func appendTextMember(dst []byte, key, s string) []byte {
	n, colon := len(dst), len(dst)+len(key)+2
	end := colon + 1 + len(s) + 2
	text := room(dst, end-n)[:end]
	if copyPlain(text[n+1:], key) < len(key) || copyPlain(text[colon+2:], s) < len(s) {
		return AppendString(append(AppendString(dst, key), ':'), s)
	}
	text[n] = '"'
	text[colon-1] = '"'
	text[colon] = ':'
	text[colon+1] = '"'
	text[end-1] = '"'
	return text
}

// AppendEscaped appends s as AppendString does, without the quotes.
func AppendEscaped(dst []byte, s string) []byte {
	for {
		n := len(dst)
		dst = room(dst, len(s))[:n+len(s)]
		done := copyPlain(dst[n:], s)
		if dst = dst[:n+done]; done == len(s) {
			return dst
		}
		if s = s[done:]; s[0] < utf8.RuneSelf {
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

// room returns dst with room for n more bytes. It is small enough to be inlined.
func room(dst []byte, n int) []byte {
	if cap(dst)-len(dst) < n {
		return slices.Grow(dst, n)
	}
	return dst
}

// copyPlain copies the longest beginning of s in which each byte is ASCII and stands for itself to dst, which is at
// least as long as s, and returns its length. What it leaves in dst behind that is of no meaning.
//
// It takes eight bytes at a time; the last eight of a text may overlap with those before.
func copyPlain(dst []byte, s string) int {
	if len(s) < 8 {
		return copyPlainShort(dst, s)
	}
	// Without checks of bounds, which cost more than what they guard here: every access is to eight bytes from i on,
	// with i <= last.
	last := len(s) - 8
	to, from := unsafe.Pointer(unsafe.SliceData(dst[:len(s)])), unsafe.Pointer(unsafe.StringData(s))
	for i := 0; i < last; i += 8 {
		if marks := copySpecial(unsafe.Add(to, i), unsafe.Add(from, i)); marks != 0 {
			return i + bits.TrailingZeros64(marks)/8
		}
	}
	if marks := copySpecial(unsafe.Add(to, last), unsafe.Add(from, last)); marks != 0 {
		return last + bits.TrailingZeros64(marks)/8
	}
	return len(s)
}

// copyPlainShort is copyPlain for less than eight bytes.
func copyPlainShort(dst []byte, s string) int {
	for i := range len(s) {
		c := s[i]
		if c >= utf8.RuneSelf || !plain[c] {
			return i
		}
		dst[i] = c
	}
	return len(s)
}

// copySpecial copies eight bytes and returns what special says of them.
func copySpecial(to, from unsafe.Pointer) uint64 {
	w := binary.LittleEndian.Uint64((*[8]byte)(from)[:])
	binary.LittleEndian.PutUint64((*[8]byte)(to)[:], w)
	return special(w)
}

// special marks the highest bit of each of the eight bytes of w that is a control character, a quote, a backslash, a
// delete or not ASCII. The lowest mark is right; those above it may be false.
//
// For bytes below 0x80, b-n borrows into the highest bit exactly where b < n. Flipping 0x02 moves the quote to 0x20,
// just above the control characters, which stay below, and nothing else there.
func special(w uint64) uint64 {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	controlOrQuote := (w ^ ones*0x02) - ones*0x21
	backslash := (w ^ ones*'\\') - ones
	del := w + ones
	return (w | controlOrQuote | backslash | del) & highs
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
	// Most values are text: this finds it without finding out the type first.
	if s := v.Str(); s != "" {
		return AppendString(dst, s)
	}
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return append(dst, `""`...)
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
		return AppendSlice(dst, v.Slice())
	default:
		return append(dst, "null"...)
	}
}

// AppendSlice appends s as an array.
func AppendSlice(dst []byte, s pcommon.Slice) []byte { return appendSlice(dst, s, AppendValue) }

func appendSlice(dst []byte, s pcommon.Slice, appendElement func([]byte, pcommon.Value) []byte) []byte {
	dst = append(dst, '[')
	for i, el := range s.All() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendElement(dst, el)
	}
	return append(dst, ']')
}

// appendBytes appends b as a JSON string in standard base64 (RFC 4648, section 4), without the copy that AsRaw would make.
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
		if s := v.Str(); s != "" {
			dst = appendTextMember(dst, k, s)
			continue
		}
		dst = append(AppendString(dst, k), ':')
		dst = AppendValue(dst, v)
	}
	return append(dst, '}')
}
