// SPDX-License-Identifier: Apache-2.0

package putrecords

import (
	"encoding/base64"
	"encoding/binary"
	"strings"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/putrecords/fastbase64"
)

// Protocol names what requests and answers are written in.
type Protocol string

// The protocols of the Kinesis endpoints.
const (
	// JSON is the documented protocol, application/x-amz-json-1.1.
	JSON Protocol = "json"
	// CBOR is application/x-amz-cbor-1.1, which the AWS SDK for Java uses.
	// It carries the records as they are, without base64. Experimental.
	CBOR Protocol = "cbor"
)

// wire is how a PutRecords body is written.
type wire uint8

const (
	wireJSON wire = iota
	wireCBOR
)

func (p Protocol) wire() wire {
	if p == CBOR {
		return wireCBOR
	}
	return wireJSON
}

func (w wire) contentType() string {
	if w == wireCBOR {
		return "application/x-amz-cbor-1.1"
	}
	return "application/x-amz-json-1.1"
}

// streamRef is the stream as the request names it: by ARN or by name.
type streamRef struct {
	member string // "StreamARN" or "StreamName"
	value  string
}

func newStreamRef(stream string) streamRef {
	if strings.HasPrefix(stream, "arn:") {
		return streamRef{"StreamARN", stream}
	}
	return streamRef{"StreamName", stream}
}

const (
	jsonHead  = `{"Records":[`
	jsonData  = `{"Data":"`
	jsonKey   = `","PartitionKey":`
	cborHead  = "\xa2\x67Records" // a map of two members: the first is an array whose length follows
	cborData  = "\xa2\x64Data"
	cborKey   = "\x6cPartitionKey"
	tailRoom  = 2300 // the longest tail: a stream ARN is at most 2048 bytes long
	headBytes = 12   // both heads fit, with the length of the array
)

// zeroHead is the space that every body begins with. The head is written there
// last, because in CBOR it holds the number of records.
var zeroHead [headBytes]byte

// bound is the most bytes that a record takes with its separator.
func (w wire) bound(data, key int) int {
	if w == wireCBOR {
		return len(cborData) + 5 + data + len(cborKey) + 5 + key
	}
	return 1 + len(jsonData) + base64.StdEncoding.EncodedLen(data) + len(jsonKey) + 2 + 6*key + 1
}

func (w wire) appendSeparator(b []byte) []byte {
	if w == wireCBOR {
		return b
	}
	return append(b, ',')
}

// appendRecord appends a record whose key is UTF-8. A plain key is one that
// needs no escaping.
func (w wire) appendRecord(b, data []byte, key string, plain bool) []byte {
	if w == wireCBOR {
		b = append(b, cborData...)
		b = appendCBORHead(b, cborBytes, len(data))
		b = append(b, data...)
		b = append(b, cborKey...)
		b = appendCBORHead(b, cborText, len(key))
		return append(b, key...)
	}
	b = append(b, jsonData...)
	b = fastbase64.Append(b, data)
	b = append(b, jsonKey...)
	if !plain {
		return append(appendJSONString(b, key), '}')
	}
	b = append(b, '"')
	b = append(b, key...)
	return append(b, '"', '}')
}

// data is the inverse of appendRecord for the data, which is n bytes long.
func (w wire) data(encoded []byte, n int) []byte {
	out := make([]byte, n)
	if w == wireCBOR {
		copy(out, encoded[len(cborData)+cborHeadLen(n):])
		return out
	}
	text := encoded[len(jsonData):]
	// The package wrote this text itself: it cannot fail.
	_, _ = base64.StdEncoding.Decode(out, text[:base64.StdEncoding.EncodedLen(n)])
	return out
}

// seal writes the tail and the head. It returns the buffer and the body in it.
func (w wire) seal(b []byte, s streamRef, records int) (buf, body []byte) {
	if w == wireCBOR {
		b = appendCBORHead(b, cborText, len(s.member))
		b = append(b, s.member...)
		b = appendCBORHead(b, cborText, len(s.value))
		b = append(b, s.value...)
		var head [headBytes]byte
		h := appendCBORHead(append(head[:0], cborHead...), cborArray, records)
		start := headBytes - len(h)
		copy(b[start:], h)
		return b, b[start:]
	}
	b = append(b, `],"`...)
	b = append(b, s.member...)
	b = append(b, `":`...)
	b = appendJSONString(b, s.value)
	b = append(b, '}')
	copy(b, jsonHead)
	return b, b
}

// Major types of CBOR, RFC 8949 section 3.1.
const (
	cborUint  = 0 << 5
	cborNint  = 1 << 5
	cborBytes = 2 << 5
	cborText  = 3 << 5
	cborArray = 4 << 5
	cborMap   = 5 << 5
	cborTag   = 6 << 5
	cborOther = 7 << 5
)

// appendCBORHead appends the head of a data item in its shortest form.
func appendCBORHead(b []byte, major byte, n int) []byte {
	switch {
	case n < 24:
		return append(b, major|byte(n))
	case n < 1<<8:
		return append(b, major|24, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, major|25), uint16(n))
	default:
		return binary.BigEndian.AppendUint32(append(b, major|26), uint32(n))
	}
}

func cborHeadLen(n int) int {
	switch {
	case n < 24:
		return 1
	case n < 1<<8:
		return 2
	case n < 1<<16:
		return 3
	default:
		return 5
	}
}

// appendJSONString appends s, which is valid UTF-8, as a JSON string.
func appendJSONString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	from := 0
	for i := range len(s) {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[from:i]...)
		from = i + 1
		if c == '"' || c == '\\' {
			b = append(b, '\\', c)
		} else {
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(append(b, s[from:]...), '"')
}
