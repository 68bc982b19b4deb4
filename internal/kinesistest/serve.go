// SPDX-License-Identifier: Apache-2.0

package kinesistest

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"maps"
	"math/rand/v2"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	typeJSON = "application/x-amz-json-1.1"
	typeCBOR = "application/x-amz-cbor-1.1"
	typeForm = "application/x-www-form-urlencoded"

	targetPrefix = "Kinesis_20131202."

	serviceKinesis = "kinesis"
	serviceSTS     = "sts"

	// maxBody is a PutRecords request of 10 MiB in base64, and a little more.
	maxBody = 17 << 20
)

// call is a request on its way through the server.
type call struct {
	service     string // "": neither of the two
	op          string
	contentType string // of the answer
	requestID   string
	stream      string
	role        string // that is to be assumed
	user        Credentials
	form        map[string]string // of STS
	body        []byte
	put         *putRequest // of PutRecords, once it is parsed
	answer      []byte      // a buffer for the answer
	record      CallRecord
}

// answer is what goes back.
type answer struct {
	status      int
	contentType string
	body        []byte
	header      http.Header
	result      string // for the CallRecord; "": the status
}

// scratch is what a call needs and the next one can use again.
type scratch struct {
	body   []byte
	answer []byte
	put    putRequest
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// serve answers one request:
//
//	reset? → read → parse → faults → authenticate → carry out → faults → write
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	cut := s.enter()
	if cut == nil {
		panic(http.ErrAbortHandler)
	}
	defer s.leave()
	buf := scratches.Get().(*scratch)
	defer scratches.Put(buf)

	c := &call{requestID: requestID(), answer: buf.answer[:0], record: CallRecord{Time: time.Now()}}
	c.classify(r)
	done := func(result string) {
		c.record.Op, c.record.Stream, c.record.Result = c.op, c.stream, result
		c.record.Duration = time.Since(c.record.Time)
		s.stats.end(c.record)
	}
	abort := func(result string) {
		done(result)
		panic(http.ErrAbortHandler)
	}

	// The operation of Kinesis stands in the head, that of STS in the body.
	var seen Call
	begin := func() {
		seen = Call{N: s.stats.begin(c.op), Op: c.op, Header: r.Header}
		if s.faults.beforeBody(&seen) {
			reset(r)
			abort("reset")
		}
	}
	if c.service != serviceSTS {
		begin()
	}
	var err error
	buf.body, err = readBody(r, buf.body, maxBody)
	switch {
	case errors.Is(err, errTooLarge):
		s.write(w, c, answer{status: http.StatusRequestEntityTooLarge})
		done("413")
		return
	case err != nil:
		abort("body not received")
	}
	c.body = buf.body
	c.record.Bytes = len(c.body)

	malformed := c.parse(&buf.put)
	if c.service == serviceSTS {
		begin()
	}
	seen.Stream = c.stream
	if c.put != nil {
		c.record.Entries = len(c.put.entries)
		seen.Entries = s.entriesForFaults(c)
	}
	fate := s.faults.onCall(&seen)
	if !wait(fate.before, cut) {
		abort("cut off")
	}

	kind := noEffect
	if fate.end != nil {
		kind = fate.end.kind
	}
	var a answer
	switch kind {
	case effectRefuse:
		c.user = s.claimed(r) // for the words
		a = s.refuse(c, refusal{fate.end.status, fate.end.code, fate.end.message})
	case effectAnswer:
		a = answer{status: fate.end.status, body: fate.end.body, header: fate.end.header}
	case effectHang:
		select {
		case <-r.Context().Done():
		case <-cut:
		}
		abort("hung")
	default:
		a = s.carryOut(c, r, malformed, &seen)
		buf.answer = c.answer[:0]
	}
	if !wait(fate.after, cut) {
		abort("cut off")
	}

	switch kind {
	case effectLose:
		abort("lost")
	case effectHangTaken:
		select {
		case <-r.Context().Done():
		case <-cut:
		}
		abort("hung")
	case effectCut:
		n := fate.end.n
		if n < 0 {
			n += len(a.body)
		}
		n = max(0, min(n, len(a.body)-1))
		s.head(w, c, a)
		_, _ = w.Write(a.body[:n])
		_ = http.NewResponseController(w).Flush()
		abort("cut")
	case effectRewrite:
		a.body = fate.end.rewrite(slices.Clone(a.body))
		a.header = fate.end.header
	}
	s.write(w, c, a)
	if a.result == "" {
		a.result = strconv.Itoa(a.status)
	}
	done(a.result)
}

// head writes status and headers of an answer.
func (s *Server) head(w http.ResponseWriter, c *call, a answer) {
	h := w.Header()
	maps.Copy(h, a.header)
	h.Set("Date", s.now().Format(http.TimeFormat))
	h["x-amzn-RequestId"] = []string{c.requestID}
	if c.service != serviceSTS {
		h["x-amz-id-2"] = []string{extendedID()}
	}
	if a.contentType != "" {
		h.Set("Content-Type", a.contentType)
	} else if h.Get("Content-Type") == "" {
		h["Content-Type"] = nil // net/http would guess one
	}
	h.Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
}

func (s *Server) write(w http.ResponseWriter, c *call, a answer) {
	s.head(w, c, a)
	_, _ = w.Write(a.body) // a client that is gone is no concern of the service
}

// classify says which operation of which service a request is for.
func (c *call) classify(r *http.Request) {
	contentType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	target := r.Header.Get("X-Amz-Target")
	switch {
	case r.Method == http.MethodPost && target != "":
		c.contentType = contentType
		c.service = serviceKinesis
		c.op = strings.TrimPrefix(target, targetPrefix)
		if c.op == target {
			c.op = ""
		}
	case r.Method == http.MethodPost && contentType == typeForm:
		c.service = serviceSTS
		c.contentType = "text/xml"
	}
}

// parse reads as much of the body as faults need to know.
func (c *call) parse(put *putRequest) error {
	switch {
	case c.service == serviceSTS:
		return c.parseForm()
	case c.op == "PutRecords" && c.contentType == typeCBOR:
		c.put = put
		if err := put.parseCBOR(c.body); err != nil {
			return err
		}
	case c.op == "PutRecords":
		c.put = put
		if err := put.parseJSON(c.body); err != nil {
			return err
		}
	default:
		return nil
	}
	c.stream = streamName(put.streamName, put.streamARN)
	return nil
}

// streamName is the name of the stream that a request means.
func streamName(name, arn string) string {
	if name != "" {
		return name
	}
	_, name, _ = strings.Cut(arn, ":stream/")
	return name
}

// entriesForFaults shows the entries of a PutRecords call to the faults, if any
// of them wants to see them.
func (s *Server) entriesForFaults(c *call) []Entry {
	if !slices.ContainsFunc(s.faults.list(), func(f *activeFault) bool {
		return f.If != nil || f.IfEntry != nil || f.Do.kind == effectEntry
	}) {
		return nil
	}
	hashEntries(c.put.entries)
	if st := s.Stream(c.stream); st != nil {
		st.assign(c.put.entries)
	}
	entries := make([]Entry, len(c.put.entries))
	for i := range entries {
		e := &c.put.entries[i]
		entries[i] = Entry{Key: string(e.key), Data: e.data}
		if e.shard != nil {
			entries[i].ShardID = e.shard.id
		}
	}
	return entries
}

// carryOut does what the request asks for.
func (s *Server) carryOut(c *call, r *http.Request, malformed error, seen *Call) answer {
	switch c.service {
	case serviceKinesis:
		return s.kinesis(c, r, malformed, seen)
	case serviceSTS:
		return s.sts(c, r, malformed)
	}
	return forbidden
}

// forbidden is how the service answers what is neither a target nor a form.
var forbidden = answer{status: http.StatusForbidden, body: []byte(
	"<AccessDeniedException>\n  <Message>Unable to determine service/operation name to be authorized</Message>\n</AccessDeniedException>\n")}

// unknownOperation is how it answers a content type that it does not know.
var unknownOperation = answer{status: http.StatusNotFound, body: []byte("<UnknownOperationException/>\n")}

func requestID() string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], rand.Uint64())
	binary.BigEndian.PutUint64(b[8:], rand.Uint64())
	h := make([]byte, 0, 36)
	for i, part := range [][]byte{b[:4], b[4:6], b[6:8], b[8:10], b[10:]} {
		if i > 0 {
			h = append(h, '-')
		}
		h = hex.AppendEncode(h, part)
	}
	return string(h)
}

func extendedID() string {
	var b [72]byte
	for i := 0; i < len(b); i += 8 {
		binary.BigEndian.PutUint64(b[i:], rand.Uint64())
	}
	return base64.StdEncoding.EncodeToString(b[:])
}

func compress(body []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(body) // a Buffer takes everything
	_ = z.Close()
	return b.Bytes()
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
