// SPDX-License-Identifier: Apache-2.0

package fieldformat

import (
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/jsontext"
)

// ---- JSON

// appendObject writes the leaves that are set as one JSON object, without its closing brace, so that a bag can follow.
func (e *Encoder) appendObject(dst []byte) []byte {
	dst = append(dst, '{')
	var open []*node
	for w, word := range e.set {
		for ; word != 0; word &= word - 1 {
			i := w<<6 + bits.TrailingZeros64(word)
			l := &e.plan.leaves[i]
			if len(open) == len(l.chain) && (len(open) == 0 || open[len(open)-1] == l.chain[len(open)-1]) { // the same parent
				dst = comma(dst)
			} else {
				common := 0
				for common < len(open) && common < len(l.chain) && open[common] == l.chain[common] {
					common++
				}
				for d := len(open) - 1; d >= common; d-- {
					dst = append(dst, open[d].close)
				}
				dst = comma(dst)
				for _, n := range l.chain[common:] {
					dst = append(dst, n.open...)
				}
				open = l.chain
			}
			dst = append(dst, l.key...)
			if l.list {
				dst = e.appendList(dst, i)
			} else {
				dst = e.emit(dst, &e.out[i], (*Encoder).appendJSON)
			}
		}
	}
	for d := len(open) - 1; d >= 0; d-- {
		dst = append(dst, open[d].close)
	}
	return dst
}

// comma separates from what stands before, if anything does.
func comma(dst []byte) []byte {
	if c := dst[len(dst)-1]; c == '{' || c == '[' {
		return dst
	}
	return append(dst, ',')
}

func (e *Encoder) appendJSON(dst []byte, v *val) []byte {
	v.look()
	switch v.typ {
	case typStr:
		return jsontext.AppendString(dst, v.str)
	case typRaw:
		return append(dst, v.str...)
	case typTime:
		if v.text {
			return append(shortTime(append(dst, '"'), v.num), '"')
		}
		return e.target.time(dst, v.num)
	case typList, typMap:
		if v.text {
			at := len(e.arena)
			e.arena = jsontext.AppendValue(e.arena, v.pv)
			return jsontext.AppendString(dst, e.since(at))
		}
		return jsontext.AppendValue(dst, v.pv)
	case typBytes:
		return jsontext.AppendValue(dst, v.pv)
	case typInt, typFloat, typBool:
		if v.text {
			dst = append(dst, '"')
			dst = v.appendPlain(dst)
			return append(dst, '"')
		}
		return v.appendPlain(dst)
	}
	return append(dst, "null"...)
}

// shortTime writes a time in RFC 3339 with no more decimals than it has.
func shortTime(dst []byte, n int64) []byte {
	decimals := 9
	for decimals > 0 && n%10 == 0 {
		n /= 10
		decimals--
	}
	for i := decimals; i < 9; i++ {
		n *= 10
	}
	return jsontext.AppendTimeText(dst, n, decimals)
}

// appendPlain writes a number or flag.
func (v *val) appendPlain(dst []byte) []byte {
	v.look()
	switch v.typ {
	case typInt:
		return strconv.AppendInt(dst, v.num, 10)
	case typFloat:
		return jsontext.AppendFloat(dst, v.float())
	}
	return strconv.AppendBool(dst, v.num != 0)
}

// appendList writes an array of values, one value as an array of one.
func (e *Encoder) appendList(dst []byte, leaf int) []byte {
	v, f := &e.out[leaf], max(int(e.from[leaf]), 0)
	dst = append(dst, '[')
	if v.typ != typList {
		dst = e.emit(dst, v, (*Encoder).appendJSON)
		return append(dst, ']')
	}
	for _, el := range v.pv.Slice().All() {
		if kind(v.num) == kindText && el.Type() == pcommon.ValueTypeStr {
			dst = jsontext.AppendString(comma(dst), el.Str())
			continue
		}
		a := attr(el, "")
		out, ok := e.convert(kind(v.num), "", f, &a)
		if ok == fitNot {
			continue
		}
		dst = comma(dst)
		dst = e.appendJSON(dst, &out)
	}
	return append(dst, ']')
}

// appendBagObject writes the bag as an object under a key, behind what stands before. Names stay as they are.
func (e *Encoder) appendBagObject(dst []byte, key string) []byte {
	if len(e.bag) == 0 {
		return dst
	}
	dst = comma(dst)
	dst = append(jsontext.AppendString(dst, key), ':', '{')
	for i := range e.bag {
		dst = comma(dst)
		dst = append(jsontext.AppendString(dst, e.bag[i].name), ':')
		dst = e.emit(dst, &e.bag[i], (*Encoder).appendJSON)
	}
	return append(dst, '}')
}

// ---- names of the bag in formats whose names have fewer letters

// A bagKey is the key that a name of the bag gets, if nothing else has it.
type bagKey struct {
	key   string
	taken bool // by the format itself
}

// rememberedKeys is how many names an encoder keeps in mind. Records of one source have few.
const rememberedKeys = 4096

// bagKey makes a key of a name: letters says which letters it keeps, reserved which keys belong to the format.
func (e *Encoder) bagKey(name string, letters func(dst []byte, name string) []byte, reserved map[string]bool) bagKey {
	if k, ok := e.keys[name]; ok {
		return k
	}
	k := bagKey{key: string(letters(nil, name))}
	k.taken = reserved[strings.ToLower(k.key)]
	if len(e.keys) < rememberedKeys && len(name) < 256 {
		e.keys[strings.Clone(name)] = k
	}
	return k
}

// uniqueKey adds a number to a key that is taken, until none has it.
func (e *Encoder) uniqueKey(k bagKey, taken func(key string) bool) string {
	key := k.key
	for n := 2; k.taken || taken != nil && taken(key) || slices.Contains(e.spans, key); n++ {
		k.taken = false
		at := len(e.arena)
		e.arena = strconv.AppendInt(append(e.arena, k.key...), int64(n), 10)
		key = e.since(at)
	}
	e.spans = append(e.spans, key)
	return key
}

// underscored keeps letters, digits and underscores, and writes an underscore for everything else.
func underscored(dst []byte, name string) []byte {
	at := len(dst)
	for _, r := range strings.TrimLeft(name, "_") {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
			dst = append(dst, byte(r))
		case len(dst) > at:
			dst = append(dst, '_')
		}
	}
	if len(dst) == at {
		dst = append(dst, "field"...)
	}
	return dst
}

// dotless writes underscores for dots and leaves all other letters alone.
func dotless(dst []byte, name string) []byte {
	if name == "" {
		return append(dst, '_')
	}
	for i := range len(name) {
		if name[i] == '.' {
			dst = append(dst, '_')
		} else {
			dst = append(dst, name[i])
		}
	}
	return dst
}

// camel keeps ASCII letters and digits; a letter behind anything else becomes a capital: http.route is httpRoute.
func camel(dst []byte, name string) []byte {
	at := len(dst)
	raise := false
	for i := range len(name) {
		c := name[i]
		switch l := lowerByte(c); {
		case 'a' <= l && l <= 'z':
			if raise && 'a' <= c && c <= 'z' {
				c -= 'a' - 'A'
			}
			dst, raise = append(dst, c), false
		case '0' <= c && c <= '9':
			dst, raise = append(dst, c), false
		default:
			raise = len(dst) > at
		}
	}
	if len(dst) == at {
		dst = append(dst, "field"...)
	}
	return dst
}

// ---- text

// appendText writes a value as text without any escape: lists and maps as JSON.
func (e *Encoder) appendText(dst []byte, v *val) []byte {
	v.look()
	switch v.typ {
	case typNone:
		return dst
	case typStr, typRaw:
		return append(dst, v.str...)
	case typTime:
		if v.text {
			return shortTime(dst, v.num)
		}
		return e.target.time(dst, v.num)
	case typInt, typFloat, typBool:
		return v.appendPlain(dst)
	case typBytes:
		b := jsontext.AppendValue(nil, v.pv)
		return append(dst, strings.Trim(string(b), `"`)...)
	}
	if v.typ == typList {
		return e.appendWords(dst, v.pv.Slice())
	}
	return jsontext.AppendValue(dst, v.pv)
}

// appendWords writes a list as text: its values joined by commas, or as JSON if that would be ambiguous.
func (e *Encoder) appendWords(dst []byte, s pcommon.Slice) []byte {
	at := len(dst)
	for i, el := range s.All() {
		a := attr(el, "")
		switch a.typ {
		case typInt, typBool:
		case typStr:
			if s.Len() > 1 && strings.IndexByte(a.str, ',') >= 0 {
				return jsontext.AppendSlice(dst[:at], s)
			}
		default:
			return jsontext.AppendSlice(dst[:at], s)
		}
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = e.appendText(dst, &a)
	}
	return dst
}

// holdsNothing tells whether a value has no text: a float that is not a number. Records of a pattern have none of these.
func (v *val) holdsNothing() bool {
	return v.notNumber() || v.typ == typStr && v.str == ""
}

// notNumber tells whether a value is infinite or no number at all. Records of a pattern have none of these.
func (v *val) notNumber() bool { return v.typ == typFloat && !finite(v.float()) }
