// SPDX-License-Identifier: Apache-2.0

package putrecords

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// readCBORAnswer reads all of b and reports every result to t. It takes any
// well-formed item of RFC 8949, as long as the members that count are of their
// type, and nothing else.
func readCBORAnswer(b []byte, t *tally) error {
	r := cborReader{b: b}
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
	if err == nil && r.i < len(b) {
		err = r.invalid()
	}
	return err
}

// cborReader is a cursor in a CBOR item.
type cborReader struct {
	b []byte
	i int
}

const (
	cborIndefinite = -1
	cborBreak      = 0xff
	cborNull       = 0xf6
	cborUndefined  = 0xf7
)

func (r *cborReader) invalid() error {
	if r.i >= len(r.b) {
		return fmt.Errorf("the answer breaks off after %d bytes", len(r.b))
	}
	return fmt.Errorf("the answer is not the CBOR expected at byte %d", r.i)
}

// head reads the head of an item: its major type, its additional information
// and its argument, which is cborIndefinite when the length is.
func (r *cborReader) head() (major, info byte, arg int64, err error) {
	if r.i >= len(r.b) {
		return 0, 0, 0, r.invalid()
	}
	c := r.b[r.i]
	major, info = c&0xe0, c&0x1f
	if info < 24 {
		r.i++
		return major, info, int64(info), nil
	}
	if info == 31 {
		if major == cborBytes || major == cborText || major == cborArray || major == cborMap {
			r.i++
			return major, info, cborIndefinite, nil
		}
		return 0, 0, 0, r.invalid()
	}
	if info > 27 {
		return 0, 0, 0, r.invalid()
	}
	n := 1 << (info - 24)
	if len(r.b)-r.i <= n {
		r.i = len(r.b)
		return 0, 0, 0, r.invalid()
	}
	var v uint64
	for _, c := range r.b[r.i+1 : r.i+1+n] {
		v = v<<8 | uint64(c)
	}
	if major == cborOther && info == 24 && v < 32 {
		return 0, 0, 0, r.invalid() // RFC 8949 section 3.3: not well-formed
	}
	r.i += 1 + n
	return major, info, int64(min(v, math.MaxInt64)), nil
}

// null passes null or undefined.
func (r *cborReader) null() bool {
	if r.i < len(r.b) && (r.b[r.i] == cborNull || r.b[r.i] == cborUndefined) {
		r.i++
		return true
	}
	return false
}

// more reports whether another element of an array or a map of n comes.
func (r *cborReader) more(done, n int64) (bool, error) {
	if n != cborIndefinite {
		return done < n, nil
	}
	if r.i >= len(r.b) {
		return false, r.invalid()
	}
	if r.b[r.i] == cborBreak {
		r.i++
		return false, nil
	}
	return true, nil
}

// object reads a map and calls member at each value that is not null. A name
// that is no text is passed with its value.
func (r *cborReader) object(member func(name []byte) error) error {
	return r.items(cborMap, func() error {
		var name []byte
		if r.i < len(r.b) && r.b[r.i]&0xe0 == cborText {
			var err error
			if name, err = r.text(); err != nil {
				return err
			}
		} else {
			if err := r.skip(0); err != nil {
				return err
			}
			return r.skip(0)
		}
		if r.null() {
			return nil
		}
		return member(name)
	})
}

// items reads an array or a map and calls item at each element or pair.
func (r *cborReader) items(kind byte, item func() error) error {
	from := r.i
	major, _, n, err := r.head()
	if err != nil {
		return err
	}
	if major != kind {
		r.i = from
		return r.invalid()
	}
	for done := int64(0); ; done++ {
		more, err := r.more(done, n)
		if err != nil || !more {
			return err
		}
		if err := item(); err != nil {
			return err
		}
	}
}

// results reads the array Records.
func (r *cborReader) results(t *tally) error {
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
	return r.items(cborArray, func() error {
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
func (r *cborReader) usual(e *entry) bool {
	const (
		first  = "\xa2\x6eSequenceNumber\x78" // a text whose length is in the next byte
		second = "\x67ShardId"
	)
	b := r.b[r.i:]
	if len(b) <= len(first) || string(b[:len(first)]) != first {
		return false
	}
	n := int(b[len(first)])
	sequence := b[len(first)+1:]
	if len(sequence) <= n+len(second) || string(sequence[n:n+len(second)]) != second {
		return false
	}
	m := int(sequence[n+len(second)]) - cborText // a length below 24
	shard := sequence[n+len(second)+1:]
	if m < 0 || m >= 24 || len(shard) < m {
		return false
	}
	e.sequence, e.shard = sequence[:n], shard[:m]
	r.i += len(first) + 1 + n + len(second) + 1 + m
	return true
}

// count reads FailedRecordCount.
func (r *cborReader) count(t *tally) error {
	from := r.i
	major, _, n, err := r.head()
	if err != nil {
		return err
	}
	if major != cborUint && major != cborNint || n > math.MaxInt32 {
		r.i = from
		return errors.New("FailedRecordCount is not an integer")
	}
	if major == cborNint {
		n = -1 - n
	}
	t.hasCount, t.count = true, n
	return nil
}

// text reads a text string. In one piece it is a part of the answer itself.
func (r *cborReader) text() ([]byte, error) {
	from := r.i
	major, _, n, err := r.head()
	if err != nil {
		return nil, err
	}
	if major != cborText {
		r.i = from
		return nil, r.invalid()
	}
	return r.chunks(cborText, n)
}

// chunks reads the content of a string of n bytes, or of its chunks.
func (r *cborReader) chunks(kind byte, n int64) ([]byte, error) {
	if n != cborIndefinite {
		if n > int64(len(r.b)-r.i) {
			r.i = len(r.b)
			return nil, r.invalid()
		}
		r.i += int(n)
		return r.b[r.i-int(n) : r.i], nil
	}
	var all []byte
	for {
		more, err := r.more(0, n)
		if err != nil || !more {
			return all, err
		}
		from := r.i
		major, _, n, err := r.head()
		if err != nil {
			return nil, err
		}
		if major != kind || n == cborIndefinite {
			r.i = from
			return nil, r.invalid()
		}
		chunk, err := r.chunks(kind, n)
		if err != nil {
			return nil, err
		}
		all = append(all, chunk...)
	}
}

// skip passes any item.
func (r *cborReader) skip(depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("the answer is nested deeper than %d levels", maxDepth)
	}
	from := r.i
	major, _, n, err := r.head()
	if err != nil {
		return err
	}
	next := func() error { return r.skip(depth + 1) }
	switch major {
	case cborBytes, cborText:
		_, err = r.chunks(major, n)
		return err
	case cborArray:
		r.i = from
		return r.items(cborArray, next)
	case cborMap:
		r.i = from
		return r.items(cborMap, func() error { return errors.Join(next(), next()) })
	case cborTag:
		return next()
	}
	return nil // numbers and simple values are all head
}

// cborErrorAsJSON turns the error that an endpoint answers in CBOR into the
// JSON that the SDK reads. Anything else is returned as it is.
func cborErrorAsJSON(b []byte) []byte {
	if len(b) == 0 || b[0]&0xe0 != cborMap {
		return b
	}
	members := map[string]string{}
	r := cborReader{b: b}
	err := r.object(func(name []byte) error {
		if r.i < len(b) && b[r.i]&0xe0 != cborText {
			return r.skip(0)
		}
		text, err := r.text()
		members[string(name)] = string(bytes.ToValidUTF8(text, []byte("\uFFFD")))
		return err
	})
	if err != nil {
		return b
	}
	text, err := json.Marshal(members)
	if err != nil {
		return b
	}
	return text
}
