// SPDX-License-Identifier: Apache-2.0

package kinesistest

import (
	"bytes"
	"encoding/base64"
	"errors"
	"slices"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"
)

// putRequest is the input of PutRecords. Everything in it lies in the request's
// body or in buf, both of which are used again for other requests.
type putRequest struct {
	streamName string
	streamARN  string
	dryRun     bool
	entries    []entry
	given      bool   // Records is there, maybe empty
	buf        []byte // what had to be decoded
}

// entry is a record of a PutRecords request on its way through the service.
type entry struct {
	key      []byte
	data     []byte
	explicit string // ExplicitHashKey

	keyGiven, dataGiven, explicitGiven bool

	hash    hashKey
	id      string
	shard   *shard
	ordinal uint64
	code    string // ErrorCode; empty as long as nothing is wrong
	message string
}

func (r *putRequest) reset(bodyLen int) {
	clear(r.entries)
	r.entries = r.entries[:0]
	if cap(r.buf) < bodyLen {
		r.buf = make([]byte, 0, bodyLen+bodyLen/4)
	}
	*r = putRequest{entries: r.entries, buf: r.buf[:0]}
}

var errMalformed = errors.New("malformed request")

// parseJSON reads a PutRecords request in JSON. It takes what encoding/json
// would take, several times as fast: that is what lets one core serve a load
// test.
func (r *putRequest) parseJSON(body []byte) error {
	r.reset(len(body))
	s := scanner{b: body, buf: r.buf}
	defer func() { r.buf = s.buf }()
	err := s.object(func(name []byte) error {
		switch string(name) {
		case "StreamName":
			return s.optionalString(&r.streamName)
		case "StreamARN":
			return s.optionalString(&r.streamARN)
		case "DryRun":
			r.dryRun = false
			switch {
			case s.literal("true"):
				r.dryRun = true
				return nil
			case s.literal("false"), s.literal("null"):
				return nil
			}
			return errMalformed
		case "Records":
			if r.given { // the last one counts
				clear(r.entries)
				r.entries, r.given = r.entries[:0], false
			}
			if s.literal("null") {
				return nil
			}
			r.given = true
			return s.array(func() error { return r.parseEntry(&s) })
		}
		return s.skip(0)
	})
	if err != nil {
		return err
	}
	s.space()
	if s.i != len(s.b) {
		return errMalformed
	}
	return nil
}

func (r *putRequest) parseEntry(s *scanner) error {
	var e entry
	if s.literal("null") {
		r.entries = append(r.entries, e)
		return nil
	}
	err := s.object(func(name []byte) error {
		switch string(name) {
		case "Data":
			e.data, e.dataGiven = nil, false
			if s.literal("null") {
				return nil
			}
			e.dataGiven = true
			var err error
			e.data, err = s.blob()
			return err
		case "PartitionKey":
			e.key, e.keyGiven = nil, false
			if s.literal("null") {
				return nil
			}
			e.keyGiven = true
			var err error
			e.key, err = s.text()
			return err
		case "ExplicitHashKey":
			e.explicit, e.explicitGiven = "", false
			if s.literal("null") {
				return nil
			}
			e.explicitGiven = true
			return s.optionalString(&e.explicit)
		}
		return s.skip(0)
	})
	r.entries = append(r.entries, e)
	return err
}

// parseCBOR reads a PutRecords request in CBOR.
func (r *putRequest) parseCBOR(body []byte) error {
	r.reset(0)
	var in struct {
		StreamName *string
		StreamARN  *string
		DryRun     *bool
		Records    []struct {
			Data            []byte
			PartitionKey    *string
			ExplicitHashKey *string
		}
	}
	if err := cbor.Unmarshal(body, &in); err != nil {
		return errMalformed
	}
	if in.StreamName != nil {
		r.streamName = *in.StreamName
	}
	if in.StreamARN != nil {
		r.streamARN = *in.StreamARN
	}
	r.dryRun = in.DryRun != nil && *in.DryRun
	r.given = in.Records != nil
	for _, rec := range in.Records {
		e := entry{data: rec.Data, dataGiven: rec.Data != nil}
		if rec.PartitionKey != nil {
			e.key, e.keyGiven = []byte(*rec.PartitionKey), true
		}
		if rec.ExplicitHashKey != nil {
			e.explicit, e.explicitGiven = *rec.ExplicitHashKey, true
		}
		r.entries = append(r.entries, e)
	}
	return nil
}

// scanner reads JSON from b. Strings that are not literal in b are put into
// buf; when that has to grow, those read before stay where they are.
type scanner struct {
	b   []byte
	i   int
	buf []byte
}

func (s *scanner) space() {
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ' ', '\t', '\n', '\r':
			s.i++
		default:
			return
		}
	}
}

// peek is the next byte that is not space, 0 at the end.
func (s *scanner) peek() byte {
	s.space()
	if s.i == len(s.b) {
		return 0
	}
	return s.b[s.i]
}

func (s *scanner) literal(word string) bool {
	s.space()
	if len(s.b)-s.i < len(word) || string(s.b[s.i:s.i+len(word)]) != word {
		return false
	}
	s.i += len(word)
	return true
}

// object reads an object; member reads the value of the named member.
func (s *scanner) object(member func(name []byte) error) error {
	return s.list('{', '}', func() error {
		if s.peek() != '"' {
			return errMalformed
		}
		name, err := s.text()
		if err != nil {
			return err
		}
		if s.peek() != ':' {
			return errMalformed
		}
		s.i++
		return member(name)
	})
}

func (s *scanner) array(element func() error) error {
	return s.list('[', ']', element)
}

func (s *scanner) list(first, last byte, element func() error) error {
	if s.peek() != first {
		return errMalformed
	}
	s.i++
	if s.peek() == last {
		s.i++
		return nil
	}
	for {
		if err := element(); err != nil {
			return err
		}
		switch s.peek() {
		case ',':
			s.i++
		case last:
			s.i++
			return nil
		default:
			return errMalformed
		}
	}
}

// raw reads a string without decoding it. Escaped says that it has escapes.
func (s *scanner) raw() (str []byte, escaped bool, err error) {
	if s.peek() != '"' {
		return nil, false, errMalformed
	}
	s.i++
	rest := s.b[s.i:]
	n := bytes.IndexByte(rest, '"')
	if n < 0 {
		return nil, false, errMalformed
	}
	if bytes.IndexByte(rest[:n], '\\') < 0 {
		s.i += n + 1
		return rest[:n], false, nil
	}
	for n = 0; n < len(rest) && rest[n] != '"'; n++ {
		if rest[n] == '\\' {
			n++
		}
	}
	if n >= len(rest) {
		return nil, false, errMalformed
	}
	s.i += n + 1
	return rest[:n], true, nil
}

// text reads a string of Unicode text.
func (s *scanner) text() ([]byte, error) {
	raw, escaped, err := s.raw()
	if err != nil {
		return nil, err
	}
	for _, c := range raw {
		if c < ' ' {
			return nil, errMalformed
		}
	}
	if !utf8.Valid(raw) {
		return nil, errMalformed
	}
	if !escaped {
		return raw, nil
	}
	return s.unescape(raw)
}

// optionalString reads a string that is kept, or null.
func (s *scanner) optionalString(to *string) error {
	*to = ""
	if s.literal("null") {
		return nil
	}
	text, err := s.text()
	*to = string(text)
	return err
}

// blob reads a string of base64.
func (s *scanner) blob() ([]byte, error) {
	raw, escaped, err := s.raw()
	if err != nil {
		return nil, err
	}
	if escaped { // some encoders write / as \/
		if raw, err = s.unescape(raw); err != nil {
			return nil, err
		}
	}
	from := len(s.buf)
	room := base64.StdEncoding.DecodedLen(len(raw))
	s.buf = slices.Grow(s.buf, room)
	out := s.buf[from : from+room]
	n, err := base64.StdEncoding.Decode(out, raw)
	// The decoder ignores line breaks, which JSON does not allow here.
	if err != nil || bytes.IndexByte(raw, '\n') >= 0 || bytes.IndexByte(raw, '\r') >= 0 {
		return nil, errMalformed
	}
	s.buf = s.buf[:from+n]
	return out[:n:n], nil
}

func (s *scanner) unescape(raw []byte) ([]byte, error) {
	from := len(s.buf)
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			s.buf = append(s.buf, raw[i])
			continue
		}
		i++
		switch c := raw[i]; c {
		case '"', '\\', '/':
			s.buf = append(s.buf, c)
		case 'b':
			s.buf = append(s.buf, '\b')
		case 'f':
			s.buf = append(s.buf, '\f')
		case 'n':
			s.buf = append(s.buf, '\n')
		case 'r':
			s.buf = append(s.buf, '\r')
		case 't':
			s.buf = append(s.buf, '\t')
		case 'u':
			r, ok := hex4(raw[i+1:])
			if !ok {
				return nil, errMalformed
			}
			i += 4
			if utf16.IsSurrogate(r) {
				low := rune(-1)
				if i+2 < len(raw) && raw[i+1] == '\\' && raw[i+2] == 'u' {
					if l, ok := hex4(raw[i+3:]); ok {
						low = l
					}
				}
				if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
					i += 6
				}
			}
			s.buf = utf8.AppendRune(s.buf, r)
		default:
			return nil, errMalformed
		}
	}
	return s.buf[from:len(s.buf):len(s.buf)], nil
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range b[:4] {
		r <<= 4
		switch {
		case '0' <= c && c <= '9':
			r |= rune(c - '0')
		case 'a' <= c && c <= 'f':
			r |= rune(c - 'a' + 10)
		case 'A' <= c && c <= 'F':
			r |= rune(c - 'A' + 10)
		default:
			return 0, false
		}
	}
	return r, true
}

// skip reads a value that nobody asks for.
func (s *scanner) skip(depth int) error {
	if depth > 1000 {
		return errMalformed
	}
	switch c := s.peek(); c {
	case '{':
		return s.object(func([]byte) error { return s.skip(depth + 1) })
	case '[':
		return s.array(func() error { return s.skip(depth + 1) })
	case '"':
		_, err := s.text()
		return err
	default:
		if s.literal("true") || s.literal("false") || s.literal("null") {
			return nil
		}
		return s.number()
	}
}

func (s *scanner) number() error {
	digits := func() int {
		n := 0
		for s.i < len(s.b) && '0' <= s.b[s.i] && s.b[s.i] <= '9' {
			s.i++
			n++
		}
		return n
	}
	is := func(chars string) bool {
		if s.i < len(s.b) && bytes.IndexByte([]byte(chars), s.b[s.i]) >= 0 {
			s.i++
			return true
		}
		return false
	}
	is("-")
	from := s.i
	if n := digits(); n == 0 || n > 1 && s.b[from] == '0' {
		return errMalformed
	}
	if is(".") && digits() == 0 {
		return errMalformed
	}
	if is("eE") {
		is("+-")
		if digits() == 0 {
			return errMalformed
		}
	}
	return nil
}

// appendPutAnswer writes the answer to PutRecords in JSON.
func appendPutAnswer(b []byte, entries []entry, encrypted bool) []byte {
	b = append(b, '{')
	if encrypted {
		b = append(b, `"EncryptionType":"KMS",`...)
	}
	b = append(b, `"FailedRecordCount":`...)
	b = appendInt(b, countFailed(entries))
	b = append(b, `,"Records":[`...)
	for i := range entries {
		if i > 0 {
			b = append(b, ',')
		}
		e := &entries[i]
		if e.code == "" {
			b = append(b, `{"SequenceNumber":"`...)
			b = e.shard.appendSequenceNumber(b, e.ordinal)
			b = append(b, `","ShardId":"`...)
			b = append(b, e.shard.id...)
			b = append(b, `"}`...)
			continue
		}
		b = append(b, `{"ErrorCode":`...)
		b = appendJSONString(b, e.code)
		b = append(b, `,"ErrorMessage":`...)
		b = appendJSONString(b, e.message)
		b = append(b, '}')
	}
	return append(b, "]}"...)
}

// putAnswer is the answer to PutRecords for CBOR.
func putAnswer(entries []entry, encrypted bool) any {
	records := make([]map[string]string, len(entries))
	for i := range entries {
		e := &entries[i]
		if e.code == "" {
			records[i] = map[string]string{"SequenceNumber": e.shard.sequenceNumber(e.ordinal), "ShardId": e.shard.id}
		} else {
			records[i] = map[string]string{"ErrorCode": e.code, "ErrorMessage": e.message}
		}
	}
	answer := map[string]any{"FailedRecordCount": countFailed(entries), "Records": records}
	if encrypted {
		answer["EncryptionType"] = "KMS"
	}
	return answer
}

func countFailed(entries []entry) int {
	failed := 0
	for i := range entries {
		if entries[i].code != "" {
			failed++
		}
	}
	return failed
}
