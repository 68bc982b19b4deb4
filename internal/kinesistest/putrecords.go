// SPDX-License-Identifier: Apache-2.0

package kinesistest

import (
	"bytes"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"
)

// The limits of PutRecords.
// Source: Kinesis Data Streams API Reference, PutRecords.
const (
	maxEntries      = 500
	maxRequestBytes = 10 << 20
	maxKeyLength    = 256 // Unicode characters
)

var (
	streamNamePattern = regexp.MustCompile(`^[a-zA-Z0-9_.-]+$`)
	hashKeyPattern    = regexp.MustCompile(`^(0|([1-9]\d{0,38}))$`)
)

// putRecords carries out PutRecords for a request that is well formed and
// signed by somebody known.
func (s *Server) putRecords(c *call, seen *Call) answer {
	put := c.put
	if r := s.validatePut(put); r != nil {
		return s.refuse(c, *r)
	}
	st, r := s.resolve(put.streamName, put.streamARN)
	if r != nil {
		return s.refuse(c, *r)
	}
	if put.dryRun && !s.cfg.IgnoreDryRun {
		if r := st.checkSizes(put.entries); r != nil {
			return s.refuse(c, *r)
		}
		return s.refuse(c, refusal{code: codeDryRun})
	}
	if seen.Entries != nil {
		s.faults.onEntries(seen, func(i int, do *Effect) {
			e := &put.entries[i]
			e.code = do.code
			e.message = s.fill(strings.ReplaceAll(do.message, "{shard}", e.shard.id), c)
		})
	}
	if r := s.take(st, put.entries); r != nil {
		return s.refuse(c, *r)
	}
	c.count(put.entries)
	if c.contentType == typeCBOR {
		return answer{status: http.StatusOK, contentType: typeCBOR, body: must(cbor.Marshal(putAnswer(put.entries, s.cfg.Encrypted)))}
	}
	c.answer = appendPutAnswer(c.answer, put.entries, s.cfg.Encrypted)
	return answer{status: http.StatusOK, contentType: typeJSON, body: c.answer}
}

// take puts valid entries into the stream, except those that have an error
// code already.
func (s *Server) take(st *Stream, entries []entry) *refusal {
	if r := st.checkSizes(entries); r != nil {
		return r
	}
	hashEntries(entries)
	if s.cfg.ID != nil {
		for i := range entries {
			entries[i].id = s.cfg.ID(entries[i].data)
		}
	}
	st.put(entries)
	return nil
}

func (c *call) count(entries []entry) {
	c.record.Failed = countFailed(entries)
	c.record.Taken = len(entries) - c.record.Failed
}

// hashEntries finds the place of each entry. Records of one key often come
// together.
func hashEntries(entries []entry) {
	for i := range entries {
		e := &entries[i]
		switch {
		case e.explicitGiven:
			e.hash, _ = parseHashKey(e.explicit)
		case i > 0 && !entries[i-1].explicitGiven && bytes.Equal(e.key, entries[i-1].key):
			e.hash = entries[i-1].hash
		default:
			e.hash = hashOf(e.key)
		}
	}
}

// validatePut checks what the service's model says about the members of a
// PutRecords request.
func (s *Server) validatePut(put *putRequest) *refusal {
	var v violations
	switch n := len(put.entries); {
	case !put.given:
		v.add("null", "records", "Member must not be null")
	case n == 0:
		v.add("'[]'", "records", "Member must have length greater than or equal to 1")
	case n > maxEntries:
		one := "com.amazonaws.kinesis.v20131202.PutRecordsRequestEntry@c965e310"
		v.add("'["+one+strings.Repeat(", "+one, n-1)+"]'", "records", "Member must have length less than or equal to 500")
	}
	if r := v.refusal(); r != nil {
		return r
	}
	return s.validateEntries(put.streamName, put.entries, "records.%d.member.")
}

// validateEntries checks a stream's name and records; where in the request the
// n-th record, counted from 1, stands is said by path.
func (s *Server) validateEntries(streamName string, entries []entry, path string) *refusal {
	var v violations
	v.streamName(streamName)
	for i := range entries {
		v.entry(path, i+1, &entries[i])
	}
	if r := v.refusal(); r != nil {
		return r
	}
	for i := range entries {
		if e := &entries[i]; e.explicitGiven {
			if _, ok := parseHashKey(e.explicit); !ok {
				return &refusal{code: codeInvalidArgument, message: "Invalid ExplicitHashKey. " +
					"ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was " + e.explicit}
			}
		}
	}
	return nil
}

// violations are the constraints of the model that a request breaks, in the
// words of the service.
type violations []string

func (v *violations) add(value, member, constraint string) {
	*v = append(*v, "Value "+value+" at '"+member+"' failed to satisfy constraint: "+constraint)
}

func (v *violations) streamName(name string) {
	if name == "" {
		return // may be given by its ARN
	}
	if len(name) > 128 {
		v.add("'"+name+"'", "streamName", "Member must have length less than or equal to 128")
	}
	if !streamNamePattern.MatchString(name) {
		v.add("'"+name+"'", "streamName", "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+")
	}
}

// entry checks the n-th record.
func (v *violations) entry(path string, n int, e *entry) {
	member := func(name string) string {
		if path == "" {
			return name
		}
		return fmt.Sprintf(path+"%s", n, name)
	}
	switch {
	case !e.keyGiven:
		v.add("null", member("partitionKey"), "Member must not be null")
	case len(e.key) == 0:
		v.add("''", member("partitionKey"), "Member must have length greater than or equal to 1")
	case len(e.key) > maxKeyLength && utf8.RuneCount(e.key) > maxKeyLength:
		v.add("'"+string(e.key)+"'", member("partitionKey"), "Member must have length less than or equal to 256")
	}
	if e.explicitGiven && !hashKeyPattern.MatchString(e.explicit) {
		v.add("'"+e.explicit+"'", member("explicitHashKey"), `Member must satisfy regular expression pattern: 0|([1-9]\d{0,38})`)
	}
	switch n := len(e.data); {
	case !e.dataGiven:
		v.add("null", member("data"), "Member must not be null")
	case n > maxRecordSizeLimit:
		v.add(fmt.Sprintf("'java.nio.HeapByteBuffer[pos=0 lim=%d cap=%d]'", n, n), member("data"), "Member must have length less than or equal to 10485760")
	}
}

func (v violations) refusal() *refusal {
	if len(v) == 0 {
		return nil
	}
	errors := "errors"
	if len(v) == 1 {
		errors = "error"
	}
	return &refusal{code: codeValidation, message: fmt.Sprintf("%d validation %s detected: %s", len(v), errors, strings.Join(v, "; "))}
}

// checkSizes keeps the limits in bytes of a record and of a request. The words
// for a record over its stream's limit are ours: the API reference has only the
// code.
func (st *Stream) checkSizes(entries []entry) *refusal {
	total := 0
	for i := range entries {
		size := len(entries[i].data) + len(entries[i].key)
		if size > st.maxRecordSize {
			return &refusal{code: codeInvalidArgument, message: fmt.Sprintf(
				"Record %d has %d bytes of data and partition key, more than the maximum record size of %d KiB of stream %s under account %s.",
				i+1, size, st.maxRecordSize>>10, st.name, st.account)}
		}
		total += size
	}
	if total > maxRequestBytes {
		return &refusal{code: codeInvalidArgument, message: "Records size exceeds 10 MB limit"}
	}
	return nil
}

// resolve finds the stream that a request names.
func (s *Server) resolve(name, arn string) (*Stream, *refusal) {
	if name == "" && arn == "" {
		return nil, &refusal{code: codeInvalidArgument, message: "Either StreamName or StreamARN should be provided."}
	}
	if arn != "" {
		if name != "" && s.streamARN(name) != arn {
			return nil, &refusal{code: codeInvalidArgument, message: "StreamName " + name + " does not match StreamARN " + arn + "."}
		}
		name = streamName("", arn)
	}
	st := s.Stream(name)
	if st == nil || arn != "" && st.arn != arn {
		return nil, &refusal{code: codeNotFound, message: "Stream " + name + " under account " + s.cfg.Account + " not found."}
	}
	return st, nil
}
