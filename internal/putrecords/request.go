// SPDX-License-Identifier: Apache-2.0

// Package putrecords makes one PutRecords call at the speed of the wire: a
// [Request] is a body that is filled, written once and used again, a [Client]
// sends it, and an [Answer] or an [*Error] says what became of each record.
//
// The package knows the limits and the protocol of Kinesis and nothing of
// logs, queues or retries.
package putrecords

import (
	"slices"
	"sync"
	"unicode/utf8"
	"unsafe"
)

// Limits of the service.
// Source: https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html
const (
	// MaxRecords is the most records that one request may hold.
	MaxRecords = 500
	// MaxBytes is the most bytes of data and partition keys, before any
	// encoding, that one request may hold.
	MaxBytes = 10 << 20
	// MaxKeyLength is the longest partition key, in Unicode characters. An
	// empty key is not allowed either. Callers keep this limit.
	MaxKeyLength = 256
)

// keptBody is the size in bytes up to which a body is always worth keeping in
// the pool. A larger one is kept only by those who fill it.
const keptBody = 1 << 20

// Request is the body of one PutRecords request. It is filled by one goroutine
// with Append and AppendEntry, sent with [Client.Put], once or again after an
// error, and given back with Release. It must not be touched afterwards.
//
// Requests come from [Client.NewRequest].
type Request struct {
	wire       wire
	stream     streamRef
	maxRecords int

	body    []byte   // head space, then the records as they go over the wire
	records []record // where each record lies in body
	keys    []byte   // the partition keys, one after the other
	size    int      // bytes of data and keys as Kinesis counts them

	sealed []byte // the whole body once it has been sent, else nil
	lent   bool   // somebody may still read body: it must not be written again
}

// record says where one record lies in its request.
type record struct {
	start, end       int32 // in Request.body
	keyStart, keyEnd int32 // in Request.keys
	size             int32 // bytes of data and key
}

var requests = sync.Pool{New: func() any { return new(Request) }}

func newRequest(w wire, s streamRef, maxRecords int) *Request {
	r := requests.Get().(*Request)
	r.wire, r.stream, r.maxRecords = w, s, maxRecords
	r.body = append(r.body[:0], zeroHead[:]...)
	return r
}

// Append adds a record. It reports false, and adds nothing, when the request
// holds its number of records already, when data and key would take it over
// [MaxBytes], or when it has been sent. Neither data nor key is kept, so the
// key may lie in a buffer that is used again. Each byte of the key that is not
// UTF-8 becomes U+FFFD.
func (r *Request) Append(data []byte, key string) bool {
	plain := isPlain(key)
	if !plain {
		key = valid(key)
	}
	size := len(data) + len(key)
	if !r.room(size) {
		return false
	}
	start := r.begin(r.wire.bound(len(data), len(key)))
	r.body = r.wire.appendRecord(r.body, data, key, plain)
	r.end(start, key, size)
	return true
}

// AppendEntry adds a record that was copied out of another request. It reports
// false under the same conditions as Append.
func (r *Request) AppendEntry(e Entry) bool {
	if e.wire != r.wire {
		return r.Append(e.Data(), e.key)
	}
	if !r.room(e.size) {
		return false
	}
	start := r.begin(len(e.encoded) + 1)
	r.body = append(r.body, e.encoded...)
	r.end(start, e.key, e.size)
	return true
}

// room reports whether one more record may come, of size bytes with its key.
func (r *Request) room(size int) bool {
	return len(r.records) < r.maxRecords && r.size+size <= MaxBytes && r.sealed == nil
}

// begin makes room for n bytes, separates the next record from the one before,
// and returns where it starts.
func (r *Request) begin(n int) int {
	if need := len(r.body) + n + tailRoom; need > cap(r.body) {
		// Doubling wastes fewer copies than append's growth, and a body that
		// has grown once is used again.
		r.body = slices.Grow(r.body, max(n+tailRoom, min(2*cap(r.body), need+4<<20)-len(r.body)))
	}
	if len(r.records) > 0 {
		r.body = r.wire.appendSeparator(r.body)
	}
	return len(r.body)
}

func (r *Request) end(start int, key string, size int) {
	keyStart := len(r.keys)
	r.keys = append(r.keys, key...)
	r.size += size
	r.records = append(r.records, record{
		start: int32(start), end: int32(len(r.body)),
		keyStart: int32(keyStart), keyEnd: int32(len(r.keys)),
		size: int32(size),
	})
}

// Len is the number of records.
func (r *Request) Len() int { return len(r.records) }

// Size is the number of bytes of data and partition keys, as Kinesis counts
// them against its limits.
func (r *Request) Size() int { return r.size }

// Key returns the partition key of the i-th record. It is valid until Release:
// strings.Clone it to keep it.
func (r *Request) Key(i int) string {
	rec := &r.records[i]
	if rec.keyStart == rec.keyEnd {
		return ""
	}
	return unsafe.String(&r.keys[rec.keyStart], int(rec.keyEnd-rec.keyStart))
}

// EntrySize returns the bytes of data and key of the i-th record.
func (r *Request) EntrySize(i int) int { return int(r.records[i].size) }

// Entry copies the i-th record out, to be sent again in another request with
// the same bytes and the same key. The copy shares nothing with the request.
func (r *Request) Entry(i int) Entry {
	rec := &r.records[i]
	n := int(rec.end - rec.start)
	b := make([]byte, n+int(rec.keyEnd-rec.keyStart))
	copy(b, r.body[rec.start:rec.end])
	copy(b[n:], r.keys[rec.keyStart:rec.keyEnd])
	e := Entry{wire: r.wire, encoded: b[:n:n], size: int(rec.size)}
	if len(b) > n {
		e.key = unsafe.String(&b[n], len(b)-n)
	}
	return e
}

// Data decodes the data of the i-th record into a new slice.
func (r *Request) Data(i int) []byte {
	rec := &r.records[i]
	return r.wire.data(r.body[rec.start:rec.end], int(rec.size-(rec.keyEnd-rec.keyStart)))
}

// Release gives the request back. Its memory is used again, so neither the
// request nor what Key returned may be touched any more.
func (r *Request) Release() {
	*r = Request{body: r.pooled(), records: r.records[:0], keys: r.keys[:0]}
	requests.Put(r)
}

// pooled is the body if it may be written again, which takes that nobody can be
// reading it, and if it is not much larger than what it held: one burst of large
// records must not hold its memory for good.
func (r *Request) pooled() []byte {
	if r.lent || cap(r.body) > keptBody && cap(r.body) > 4*len(r.body) {
		return nil
	}
	return r.body[:0]
}

// seal completes the body. It returns the same bytes each time.
func (r *Request) seal() []byte {
	if r.sealed == nil {
		r.body, r.sealed = r.wire.seal(r.body, r.stream, len(r.records))
	}
	return r.sealed
}

// encodeAs encodes the records anew for another protocol. The old body is left
// as it is, since it may still be read.
func (r *Request) encodeAs(w wire) {
	if r.wire == w {
		return
	}
	to := newRequest(w, r.stream, r.maxRecords)
	for i := range r.records {
		to.Append(r.Data(i), r.Key(i))
	}
	// The keys are the same, and what Key returned stays valid.
	r.keys, to.keys = to.keys, r.keys
	*r, *to = *to, *r
	to.Release()
}

// Entry is one encoded record, taken out of a [Request] by [Request.Entry].
// The zero Entry is not a record.
type Entry struct {
	wire    wire
	encoded []byte
	key     string
	size    int
}

// Key is the partition key.
func (e Entry) Key() string { return e.key }

// Size is the number of bytes of data and key.
func (e Entry) Size() int { return e.size }

// Data decodes the data into a new slice.
func (e Entry) Data() []byte { return e.wire.data(e.encoded, e.size-len(e.key)) }

// isPlain reports whether s is the same in every encoding: printable ASCII
// without quotes and backslashes, as nearly all keys are.
func isPlain(s string) bool {
	for ; len(s) >= 8; s = s[8:] {
		if !arePlain(uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56) { // one load
			return false
		}
	}
	for i := range len(s) {
		if c := s[i]; c-0x20 >= 0x5f || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// arePlain is isPlain for eight bytes. For bytes below 0x80, b-n borrows into
// the highest bit exactly where b < n, and what a borrow spoils lies above a
// byte that is not plain anyway.
func arePlain(w uint64) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	control, quote, backslash, del := w-ones*0x20, (w^ones*'"')-ones, (w^ones*'\\')-ones, w+ones
	return (w|control|quote|backslash|del)&highs == 0
}

// valid is s with each byte that is not UTF-8 replaced.
func valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	b := make([]byte, 0, 2*len(s))
	for _, c := range s {
		b = utf8.AppendRune(b, c)
	}
	return string(b)
}
