// SPDX-License-Identifier: Apache-2.0

package putrecords

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
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

var shardInMessage = regexp.MustCompile(`shardId-[0-9]+`)

func parseAnswer(b []byte, records int) (Answer, error) {
	if len(bytes.TrimSpace(b)) == 0 {
		return Answer{}, errNoAnswer
	}
	var a struct {
		FailedRecordCount int
		Records           []struct{ ShardId, SequenceNumber, ErrorCode, ErrorMessage string }
	}
	if err := json.Unmarshal(b, &a); err != nil {
		return Answer{}, err
	}
	if len(a.Records) != records {
		return Answer{}, fmt.Errorf("%d results for %d records", len(a.Records), records)
	}
	out := Answer{}
	results := make([]Result, records)
	for i, r := range a.Records {
		results[i] = Result{r.ShardId, r.ErrorCode, r.ErrorMessage}
		if r.ErrorCode != "" {
			out.Failed++
			if r.ShardId == "" {
				results[i].ShardID = shardInMessage.FindString(r.ErrorMessage)
			}
		} else if r.SequenceNumber == "" {
			return Answer{}, errors.New("a result is neither success nor failure")
		}
	}
	if a.FailedRecordCount > out.Failed {
		return Answer{}, fmt.Errorf("FailedRecordCount is %d, but %d records have an error", a.FailedRecordCount, out.Failed)
	}
	if out.Failed > 0 {
		out.Results = results
	}
	return out, nil
}
