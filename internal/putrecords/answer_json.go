// SPDX-License-Identifier: Apache-2.0

package putrecords

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
)

// readJSONAnswer reads all of b and reports every result to t. It takes what
// RFC 8259 allows and nothing more: an answer that was cut, or that something on
// the way replaced, must not pass for one of Kinesis.
func readJSONAnswer(b []byte, t *tally) error {
	r := jsonReader{b: b}
	r.space()
	err := r.object(func(name []byte) error {
		switch string(name) {
		case "Records":
			return r.results(t)
		case "FailedRecordCount":
			return r.count(t)
		case "EncryptionType":
			_, err := r.text()
			return err
		}
		return r.skip(0)
	})
	if err != nil {
		return err
	}
	r.space()
	if r.i < len(r.b) {
		return r.invalid()
	}
	return nil
}

// jsonReader is a cursor in a JSON text. Its methods begin at a value, without
// white space before it, and stop right after it.
type jsonReader struct {
	b []byte
	i int
}

// maxDepth bounds how deep what nobody knows may be nested.
const maxDepth = 1000

func (r *jsonReader) invalid() error {
	if r.i >= len(r.b) {
		return fmt.Errorf("the answer breaks off after %d bytes", len(r.b))
	}
	return fmt.Errorf("the answer is not JSON at byte %d", r.i)
}

func (r *jsonReader) space() {
	for r.i < len(r.b) {
		switch r.b[r.i] {
		case ' ', '\t', '\n', '\r':
			r.i++
		default:
			return
		}
	}
}

// at reports whether c is next, and passes it.
func (r *jsonReader) at(c byte) bool {
	if r.i < len(r.b) && r.b[r.i] == c {
		r.i++
		return true
	}
	return false
}

func (r *jsonReader) null() bool {
	if bytes.HasPrefix(r.b[r.i:], []byte("null")) {
		r.i += len("null")
		return true
	}
	return false
}

// object reads an object and calls member at each value that is not null.
func (r *jsonReader) object(member func(name []byte) error) error {
	if !r.at('{') {
		return r.invalid()
	}
	r.space()
	if r.at('}') {
		return nil
	}
	for {
		r.space()
		name, err := r.string()
		if err != nil {
			return err
		}
		r.space()
		if !r.at(':') {
			return r.invalid()
		}
		r.space()
		if !r.null() {
			if err := member(name); err != nil {
				return err
			}
		}
		r.space()
		if r.at('}') {
			return nil
		}
		if !r.at(',') {
			return r.invalid()
		}
	}
}

// array reads an array and calls element at each value.
func (r *jsonReader) array(element func() error) error {
	if !r.at('[') {
		return r.invalid()
	}
	r.space()
	if r.at(']') {
		return nil
	}
	for {
		r.space()
		if err := element(); err != nil {
			return err
		}
		r.space()
		if r.at(']') {
			return nil
		}
		if !r.at(',') {
			return r.invalid()
		}
	}
}

// results reads the array Records.
func (r *jsonReader) results(t *tally) error {
	// As in the SDK the last of several wins, which no service sends.
	t.seen, t.failed, t.vague = 0, 0, false
	var e entry
	member := func(name []byte) error {
		to := e.member(name)
		if to == nil {
			return r.skip(0)
		}
		text, err := r.text()
		*to = text
		return err
	}
	return r.array(func() error {
		e = entry{}
		if !r.usual(&e) && !r.null() {
			if err := r.object(member); err != nil {
				return err
			}
		}
		t.result(&e)
		return nil
	})
}

// usual reads a result that looks as they nearly all do, or reads nothing.
func (r *jsonReader) usual(e *entry) bool {
	const (
		first  = `{"SequenceNumber":"`
		second = `","ShardId":"`
		prefix = "shardId-"
		last   = `"}`
	)
	b := r.b[r.i:]
	if len(b) < len(first) || string(b[:len(first)]) != first {
		return false
	}
	sequence := b[len(first):]
	n := digits(sequence)
	rest := sequence[n:]
	if len(rest) < len(second)+len(prefix) || string(rest[:len(second)]) != second || string(rest[len(second):len(second)+len(prefix)]) != prefix {
		return false
	}
	shard := rest[len(second):]
	m := len(prefix) + digits(shard[len(prefix):])
	if len(shard) < m+len(last) || string(shard[m:m+len(last)]) != last {
		return false
	}
	e.sequence, e.shard = sequence[:n], shard[:m]
	r.i += len(first) + n + len(second) + m + len(last)
	return true
}

// digits is how many bytes from the start of b on are decimal digits.
func digits(b []byte) int {
	const highs, zeros, sixes = 0xf0f0f0f0f0f0f0f0, 0x3030303030303030, 0x0606060606060606
	i := 0
	for ; len(b)-i >= 8; i += 8 {
		// The high half of a digit's byte is 3, and stays so when 6 is added.
		v := binary.LittleEndian.Uint64(b[i:])
		if (v&highs^zeros)|((v+sixes)&highs^zeros) != 0 {
			break
		}
	}
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	return i
}

// count reads FailedRecordCount, a 32-bit integer.
func (r *jsonReader) count(t *tally) error {
	from := r.i
	if err := r.number(); err != nil {
		return err
	}
	var n int64
	if err := json.Unmarshal(r.b[from:r.i], &n); err != nil || n > math.MaxInt32 || n < math.MinInt32 {
		return fmt.Errorf("FailedRecordCount is not an integer: %s", line(string(r.b[from:r.i])))
	}
	t.hasCount, t.count = true, n
	return nil
}

// text reads a string that was expected.
func (r *jsonReader) text() ([]byte, error) {
	if r.i < len(r.b) && r.b[r.i] != '"' {
		return nil, fmt.Errorf("the answer has something else at byte %d than the text that belongs there", r.i)
	}
	return r.string()
}

// string reads a string. Without escapes it is a part of the answer itself.
func (r *jsonReader) string() ([]byte, error) {
	from := r.i
	if !r.at('"') {
		return nil, r.invalid()
	}
	escaped := false
	for {
		r.i += plainLen(r.b[r.i:])
		if r.i >= len(r.b) {
			return nil, r.invalid()
		}
		switch c := r.b[r.i]; {
		case c == '"':
			r.i++
			if !escaped {
				return r.b[from+1 : r.i-1], nil
			}
			var s string
			if err := json.Unmarshal(r.b[from:r.i], &s); err != nil {
				r.i = from
				return nil, r.invalid()
			}
			return []byte(s), nil
		case c == '\\':
			escaped = true
			r.i += min(2, len(r.b)-r.i)
		case c < 0x20:
			return nil, r.invalid()
		default:
			r.i++
		}
	}
}

// plainLen is how many bytes from the start of b on are neither a quote nor a
// backslash nor a control character.
func plainLen(b []byte) int {
	const (
		ones  = 0x0101010101010101
		highs = 0x8080808080808080
	)
	i := 0
	for ; len(b)-i >= 8; i += 8 {
		v := binary.LittleEndian.Uint64(b[i:])
		quote, slash := v^(ones*'"'), v^(ones*'\\')
		// A byte of 0 in quote or slash, or one below 0x20 in v, sets its
		// high bit here. Bytes after it may be set wrongly, never before.
		if ((quote-ones)&^quote|(slash-ones)&^slash|(v-ones*0x20)&^v)&highs != 0 {
			break
		}
	}
	for i < len(b) && b[i] != '"' && b[i] != '\\' && b[i] >= 0x20 {
		i++
	}
	return i
}

// skip passes any value.
func (r *jsonReader) skip(depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("the answer is nested deeper than %d levels", maxDepth)
	}
	if r.i >= len(r.b) {
		return r.invalid()
	}
	literal := func(s string) error {
		if !bytes.HasPrefix(r.b[r.i:], []byte(s)) {
			return r.invalid()
		}
		r.i += len(s)
		return nil
	}
	switch r.b[r.i] {
	case '{':
		return r.object(func([]byte) error { return r.skip(depth + 1) })
	case '[':
		return r.array(func() error { return r.skip(depth + 1) })
	case '"':
		_, err := r.string()
		return err
	case 't':
		return literal("true")
	case 'f':
		return literal("false")
	case 'n':
		return literal("null")
	default:
		return r.number()
	}
}

// number passes a number, RFC 8259 section 6.
func (r *jsonReader) number() error {
	digits := func() bool {
		from := r.i
		for r.i < len(r.b) && '0' <= r.b[r.i] && r.b[r.i] <= '9' {
			r.i++
		}
		return r.i > from
	}
	r.at('-')
	if !r.at('0') && !digits() {
		return r.invalid()
	}
	if r.at('.') && !digits() {
		return r.invalid()
	}
	if r.at('e') || r.at('E') {
		if !r.at('+') {
			r.at('-')
		}
		if !digits() {
			return r.invalid()
		}
	}
	return nil
}
