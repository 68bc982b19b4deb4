// SPDX-License-Identifier: Apache-2.0

package putrecords

import (
	"errors"
	"fmt"
	"strings"
	"sync"
)

// Answer is what Kinesis said to a request that it answered with 200.
type Answer struct {
	// Failed is the number of records that were not taken.
	Failed int
	// Results has one result for each record of the request, in order. It is
	// nil when Failed is 0: every record was taken.
	Results []Result
}

// Result says what became of one record.
type Result struct {
	// ShardID is the shard that took the record, or the shard that a
	// throttled record was meant for, as far as the message names it.
	ShardID string
	// ErrorCode is empty when the record was taken.
	ErrorCode string
	// ErrorMessage is the service's explanation, for logs.
	ErrorMessage string
}

var (
	errNoAnswer  = errors.New("the answer is empty")
	errVague     = errors.New("a result says neither that its record was taken nor that it failed")
	errNegative  = errors.New("FailedRecordCount is negative")
	errNoRecords = errors.New("the answer has no results")
)

// parseAnswer reads the body of a 200 to a request of that many records. An
// answer that is no valid one is an error: nothing of it may be believed.
//
// The answer is read once to see that it is whole, valid, and without errors,
// which most are. Only otherwise its results are worth keeping.
func parseAnswer(body []byte, records int) (Answer, error) {
	t := tally{records: records}
	if err := t.read(body); err != nil {
		return Answer{}, err
	}
	if t.failed == 0 {
		return Answer{}, nil
	}
	t = tally{records: records, results: make([]Result, records), strings: internPool.Get().(*interned)}
	err := t.read(body)
	internPool.Put(t.strings)
	if err != nil {
		return Answer{}, err
	}
	return Answer{Failed: t.failed, Results: t.results}, nil
}

// tally is what the readers of the two protocols report to.
type tally struct {
	records int // of the request

	seen     int // results
	failed   int // results with an error
	vague    bool
	hasCount bool  // FailedRecordCount was given
	count    int64 // its value

	results []Result // to be filled, or nil
	strings *interned
}

// read reads a body in the protocol that it is in, and checks what it says.
func (t *tally) read(body []byte) error {
	var err error
	switch {
	case len(body) == 0:
		return errNoAnswer
	case body[0]&0xe0 == cborMap:
		err = readCBORAnswer(body, t)
	default:
		err = readJSONAnswer(body, t)
	}
	switch {
	case err != nil:
		return err
	case t.seen == 0:
		return errNoRecords
	case t.seen != t.records:
		return fmt.Errorf("the answer has %d results for %d records", t.seen, t.records)
	case t.vague:
		return errVague
	case t.hasCount && t.count < 0:
		return errNegative
	case t.hasCount && t.count > int64(t.failed):
		// The other way round the results are believed: they say which.
		return fmt.Errorf("the answer counts %d failed records and shows %d", t.count, t.failed)
	}
	return nil
}

// entry is one element of Records. Members that were absent or null are empty.
type entry struct {
	shard, sequence, code, message []byte
}

// member returns where the text of a member goes, or nil for one that does not matter.
func (e *entry) member(name []byte) *[]byte {
	switch string(name) {
	case "ShardId":
		return &e.shard
	case "SequenceNumber":
		return &e.sequence
	case "ErrorCode":
		return &e.code
	case "ErrorMessage":
		return &e.message
	default:
		return nil
	}
}

// result takes the next result.
func (t *tally) result(e *entry) {
	i := t.seen
	t.seen++
	switch {
	case len(e.code) > 0:
		t.failed++
	case len(e.sequence) == 0:
		t.vague = true
	}
	if i >= len(t.results) {
		return
	}
	r := &t.results[i]
	r.ShardID = t.strings.string(e.shard)
	r.ErrorCode = t.strings.string(e.code)
	if r.ErrorCode == "" {
		return
	}
	r.ErrorMessage = t.strings.string(e.message)
	if r.ShardID == "" {
		r.ShardID = shardIn(r.ErrorMessage)
	}
}

// shardIn finds the shard in a message such as "Rate exceeded for shard
// shardId-000000000003 in stream logs under account 123456789012."
func shardIn(message string) string {
	const prefix = "shardId-"
	from := strings.Index(message, prefix)
	if from < 0 {
		return ""
	}
	to := from + len(prefix)
	for to < len(message) && '0' <= message[to] && message[to] <= '9' {
		to++
	}
	if to == from+len(prefix) {
		return ""
	}
	return message[from:to]
}

// interned hands out one string for all equal ones, since the answers of a
// stream name the same few shards and errors over and over.
type interned struct {
	seen map[string]string
}

// internMost bounds how many strings are kept for later answers.
const internMost = 4096

var internPool = sync.Pool{New: func() any { return &interned{seen: map[string]string{}} }}

func (t *interned) string(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if s, ok := t.seen[string(b)]; ok {
		return s
	}
	if len(t.seen) >= internMost {
		clear(t.seen)
	}
	s := strings.ToValidUTF8(string(b), "\uFFFD")
	t.seen[string(b)] = s
	return s
}
