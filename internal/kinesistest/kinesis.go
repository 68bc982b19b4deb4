// SPDX-License-Identifier: Apache-2.0

package kinesistest

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sort"
	"strconv"
	"strings"
	"time"
)

// kinesis carries out a request for Kinesis, in the order of the real one:
// content type, operation, syntax, signature, constraints.
func (s *Server) kinesis(c *call, r *http.Request, malformed error, seen *Call) answer {
	if c.contentType != typeJSON && (c.contentType != typeCBOR || s.cfg.RefuseCBOR) {
		return unknownOperation
	}
	op, known := operations[c.op]
	if !known && c.put == nil {
		return s.refuse(c, refusal{code: codeUnknownOperation})
	}
	if c.contentType == typeCBOR && c.put == nil {
		return unknownOperation // only PutRecords is spoken in CBOR here
	}
	if malformed != nil || c.put == nil && !json.Valid(c.body) {
		return s.refuse(c, refusal{code: codeSerialization})
	}
	if s.cfg.SkipSignatures {
		c.user = s.Credentials()
	} else {
		user, refused := s.authenticate(r, c.body, serviceKinesis)
		if refused != nil {
			return s.refuse(c, *refused)
		}
		c.user = user
	}
	if c.put != nil {
		return s.putRecords(c, seen)
	}
	out, err := op(s, c)
	if err != nil {
		var refused refusal
		if !errors.As(err, &refused) {
			refused = refusal{code: "InternalFailure", message: err.Error()}
		}
		return s.refuse(c, refused)
	}
	a := answer{status: http.StatusOK, contentType: typeJSON}
	if out != nil {
		a.body = must(json.Marshal(out))
	}
	return a
}

// operations are those beside PutRecords.
var operations = map[string]func(s *Server, c *call) (any, error){
	"PutRecord":             operation((*Server).putRecord),
	"CreateStream":          operation((*Server).createStream),
	"DescribeStreamSummary": operation((*Server).describeStreamSummary),
	"ListShards":            operation((*Server).listShards),
	"GetShardIterator":      operation((*Server).getShardIterator),
	"GetRecords":            operation((*Server).getRecords),
	"SplitShard":            operation((*Server).splitShard),
	"MergeShards":           operation((*Server).mergeShards),
}

// operation reads the input of an operation from JSON.
func operation[In, Out any](do func(s *Server, c *call, in In) (Out, error)) func(s *Server, c *call) (any, error) {
	return func(s *Server, c *call) (any, error) {
		var in In
		if err := json.Unmarshal(c.body, &in); err != nil {
			return nil, refusal{code: codeSerialization}
		}
		return do(s, c, in)
	}
}

// streamRef is how the inputs name a stream.
type streamRef struct {
	StreamName string
	StreamARN  string
}

func (s *Server) find(c *call, ref streamRef) (*Stream, error) {
	c.stream = streamName(ref.StreamName, ref.StreamARN)
	st, r := s.resolve(ref.StreamName, ref.StreamARN)
	if r != nil {
		return nil, *r
	}
	return st, nil
}

type putRecordInput struct {
	streamRef
	Data            *[]byte
	PartitionKey    *string
	ExplicitHashKey *string
}

type putRecordOutput struct {
	EncryptionType string `json:",omitempty"`
	SequenceNumber string
	ShardId        string
}

// putRecord is a PutRecords of one record, whose error is the call's.
func (s *Server) putRecord(c *call, in putRecordInput) (*putRecordOutput, error) {
	var e entry
	if in.Data != nil {
		e.data, e.dataGiven = *in.Data, true
	}
	if in.PartitionKey != nil {
		e.key, e.keyGiven = []byte(*in.PartitionKey), true
	}
	if in.ExplicitHashKey != nil {
		e.explicit, e.explicitGiven = *in.ExplicitHashKey, true
	}
	c.stream = streamName(in.StreamName, in.StreamARN)
	c.record.Entries = 1
	entries := []entry{e}
	if r := s.validateEntries(in.StreamName, entries, ""); r != nil {
		return nil, *r
	}
	st, err := s.find(c, in.streamRef)
	if err != nil {
		return nil, err
	}
	if r := s.take(st, entries); r != nil {
		return nil, *r
	}
	c.count(entries)
	if entries[0].code != "" {
		return nil, refusal{code: entries[0].code, message: entries[0].message}
	}
	out := &putRecordOutput{SequenceNumber: entries[0].shard.sequenceNumber(entries[0].ordinal), ShardId: entries[0].shard.id}
	if s.cfg.Encrypted {
		out.EncryptionType = "KMS"
	}
	return out, nil
}

type createStreamInput struct {
	StreamName string
	ShardCount *int
}

func (s *Server) createStream(c *call, in createStreamInput) (any, error) {
	c.stream = in.StreamName
	var v violations
	if in.StreamName == "" {
		v.add("null", "streamName", "Member must not be null")
	}
	v.streamName(in.StreamName)
	shards := 4 // of an on-demand stream, which is what it is without a count
	if in.ShardCount != nil {
		shards = *in.ShardCount
	}
	if shards < 1 {
		v.add(fmt.Sprintf("'%d'", shards), "shardCount", "Member must have value greater than or equal to 1")
	}
	if r := v.refusal(); r != nil {
		return nil, *r
	}
	if s.Stream(in.StreamName) != nil {
		return nil, refusal{code: "ResourceInUseException", message: "Stream " + in.StreamName + " under account " + s.cfg.Account + " already exists."}
	}
	s.CreateStream(in.StreamName, shards)
	return nil, nil
}

// seconds is a time as the JSON protocol has it.
type seconds time.Time

func (t seconds) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(time.Time(t).UnixMilli())/1000, 'f', 3, 64), nil
}

func (t *seconds) UnmarshalJSON(b []byte) error {
	f, err := strconv.ParseFloat(string(b), 64)
	*t = seconds(time.UnixMilli(int64(f * 1000)))
	return err
}

type streamSummary struct {
	ConsumerCount           int
	EncryptionType          string
	EnhancedMonitoring      []map[string][]string
	KeyId                   string `json:",omitempty"`
	MaxRecordSizeInKiB      int
	OpenShardCount          int
	RetentionPeriodHours    int
	StreamARN               string
	StreamCreationTimestamp seconds
	StreamModeDetails       map[string]string
	StreamName              string
	StreamStatus            string
}

func (s *Server) describeStreamSummary(c *call, in streamRef) (map[string]streamSummary, error) {
	st, err := s.find(c, in)
	if err != nil {
		return nil, err
	}
	sum := streamSummary{
		EncryptionType:          "NONE",
		EnhancedMonitoring:      []map[string][]string{{"ShardLevelMetrics": {}}},
		MaxRecordSizeInKiB:      st.maxRecordSize >> 10,
		RetentionPeriodHours:    24,
		StreamARN:               st.arn,
		StreamCreationTimestamp: seconds(st.created),
		StreamModeDetails:       map[string]string{"StreamMode": "PROVISIONED"},
		StreamName:              st.name,
		StreamStatus:            "ACTIVE",
	}
	if s.cfg.Encrypted {
		sum.EncryptionType, sum.KeyId = "KMS", s.cfg.kmsKeyARN()
	}
	for _, sh := range st.Shards() {
		if sh.Open {
			sum.OpenShardCount++
		}
	}
	return map[string]streamSummary{"StreamDescriptionSummary": sum}, nil
}

type hashRange struct{ EndingHashKey, StartingHashKey string }

type shardDescription struct {
	AdjacentParentShardId string `json:",omitempty"`
	HashKeyRange          hashRange
	ParentShardId         string `json:",omitempty"`
	SequenceNumberRange   struct {
		EndingSequenceNumber   string `json:",omitempty"`
		StartingSequenceNumber string
	}
	ShardId string
}

type listShardsInput struct {
	streamRef
	MaxResults            int
	NextToken             string
	ExclusiveStartShardId string
}

type listShardsOutput struct {
	NextToken string `json:",omitempty"`
	Shards    []shardDescription
}

func (s *Server) listShards(c *call, in listShardsInput) (*listShardsOutput, error) {
	after := in.ExclusiveStartShardId
	if in.NextToken != "" {
		if in.StreamName != "" || in.StreamARN != "" {
			return nil, refusal{code: codeInvalidArgument, message: "NextToken and StreamName cannot be provided together."}
		}
		plain, _ := base64.StdEncoding.DecodeString(in.NextToken)
		in.StreamName, after, _ = strings.Cut(string(plain), "/")
	}
	st, err := s.find(c, in.streamRef)
	if err != nil {
		return nil, err
	}
	setDefault(&in.MaxResults, 1000)
	st.mu.Lock()
	defer st.mu.Unlock()
	out := &listShardsOutput{Shards: []shardDescription{}}
	for _, sh := range st.shards {
		if sh.id <= after {
			continue
		}
		if len(out.Shards) == in.MaxResults {
			out.NextToken = base64.StdEncoding.EncodeToString([]byte(st.name + "/" + out.Shards[len(out.Shards)-1].ShardId))
			break
		}
		d := shardDescription{
			AdjacentParentShardId: st.idAt(sh.adjacent), ParentShardId: st.idAt(sh.parent), ShardId: sh.id,
			HashKeyRange: hashRange{EndingHashKey: sh.end.String(), StartingHashKey: sh.start.String()},
		}
		d.SequenceNumberRange.StartingSequenceNumber = sh.sequenceNumber(0)
		if sh.closed {
			d.SequenceNumberRange.EndingSequenceNumber = sh.sequenceNumber(sh.last() + 1)
		}
		out.Shards = append(out.Shards, d)
	}
	return out, nil
}

// iterator is a place in a shard: the ordinal of the next record. Its text is
// what clients pass round.
type iterator struct {
	Stream string
	Shard  int
	Next   uint64
	Made   time.Time
}

const iteratorLifetime = 5 * time.Minute

func (it iterator) String() string {
	it.Made = time.Now()
	return base64.StdEncoding.EncodeToString(must(json.Marshal(it)))
}

type getShardIteratorInput struct {
	streamRef
	ShardId                string
	ShardIteratorType      string
	StartingSequenceNumber string
	Timestamp              seconds
}

func (s *Server) getShardIterator(c *call, in getShardIteratorInput) (map[string]string, error) {
	st, err := s.find(c, in.streamRef)
	if err != nil {
		return nil, err
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	sh := st.byID(in.ShardId)
	if sh == nil {
		return nil, refusal{code: codeNotFound, message: "Shard " + in.ShardId + " in stream " + st.name + " under account " + st.account + " does not exist"}
	}
	it := iterator{Stream: st.name, Shard: sh.index, Next: sh.trimmed + 1}
	switch in.ShardIteratorType {
	case "TRIM_HORIZON":
	case "LATEST":
		it.Next = sh.last() + 1
	case "AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER":
		n, ok := sh.ordinal(in.StartingSequenceNumber)
		if !ok {
			return nil, refusal{code: codeInvalidArgument, message: "StartingSequenceNumber " + in.StartingSequenceNumber +
				" used in GetShardIterator on shard " + sh.id + " in stream " + st.name + " under account " + st.account + " is invalid."}
		}
		it.Next = n
		if in.ShardIteratorType == "AFTER_SEQUENCE_NUMBER" {
			it.Next++
		}
	case "AT_TIMESTAMP":
		at := time.Time(in.Timestamp)
		i := sort.Search(len(sh.records), func(i int) bool { return !sh.records[i].at.Before(at) })
		it.Next = sh.trimmed + uint64(i) + 1
	default:
		var v violations
		v.add("'"+in.ShardIteratorType+"'", "shardIteratorType", "Member must satisfy enum value set: "+
			"[AFTER_SEQUENCE_NUMBER, LATEST, AT_TIMESTAMP, AT_SEQUENCE_NUMBER, TRIM_HORIZON]")
		return nil, *v.refusal()
	}
	return map[string]string{"ShardIterator": it.String()}, nil
}

type getRecordsInput struct {
	ShardIterator string
	Limit         int
}

type gotRecord struct {
	ApproximateArrivalTimestamp seconds
	Data                        []byte
	EncryptionType              string `json:",omitempty"`
	PartitionKey                string
	SequenceNumber              string
}

type childShard struct {
	HashKeyRange hashRange
	ParentShards []string
	ShardId      string
}

type getRecordsOutput struct {
	ChildShards        []childShard `json:",omitempty"`
	MillisBehindLatest int64
	NextShardIterator  string `json:",omitempty"`
	Records            []gotRecord
}

// The limits of one GetRecords.
const (
	maxGetRecords = 10000
	maxGetBytes   = 10 << 20
)

func (s *Server) getRecords(c *call, in getRecordsInput) (*getRecordsOutput, error) {
	var it iterator
	plain, err := base64.StdEncoding.DecodeString(in.ShardIterator)
	if err != nil || json.Unmarshal(plain, &it) != nil {
		return nil, refusal{code: codeInvalidArgument, message: "Invalid ShardIterator."}
	}
	c.stream = it.Stream
	if age := time.Since(it.Made); age > iteratorLifetime {
		return nil, refusal{code: "ExpiredIteratorException", message: "Iterator expired. The iterator was created at time " +
			it.Made.UTC().Format(time.RFC1123) + " while right now it is " + time.Now().UTC().Format(time.RFC1123) +
			" which is further in the future than the tolerated delay of 300000 milliseconds."}
	}
	st, err := s.find(c, streamRef{StreamName: it.Stream})
	if err != nil {
		return nil, err
	}
	if in.Limit < 0 || in.Limit > maxGetRecords {
		var v violations
		v.add(fmt.Sprintf("'%d'", in.Limit), "limit", "Member must have value less than or equal to 10000")
		return nil, *v.refusal()
	}
	setDefault(&in.Limit, maxGetRecords)

	st.mu.Lock()
	defer st.mu.Unlock()
	if it.Shard < 0 || it.Shard >= len(st.shards) {
		return nil, refusal{code: codeInvalidArgument, message: "Invalid ShardIterator."}
	}
	sh := st.shards[it.Shard]
	it.Next = max(it.Next, sh.trimmed+1)
	out := &getRecordsOutput{Records: []gotRecord{}}
	for size := 0; it.Next <= sh.last() && len(out.Records) < in.Limit; it.Next++ {
		r := sh.records[it.Next-sh.trimmed-1]
		if size += len(r.data) + len(r.key); size > maxGetBytes && len(out.Records) > 0 {
			break
		}
		got := gotRecord{
			ApproximateArrivalTimestamp: seconds(r.at), Data: r.data, PartitionKey: r.key,
			SequenceNumber: sh.sequenceNumber(it.Next),
		}
		if got.Data == nil {
			got.Data = []byte{}
		}
		if s.cfg.Encrypted {
			got.EncryptionType = "KMS"
		}
		out.Records = append(out.Records, got)
	}
	if it.Next <= sh.last() {
		out.MillisBehindLatest = time.Since(sh.records[it.Next-sh.trimmed-1].at).Milliseconds()
	}
	if !sh.closed || it.Next <= sh.last() {
		out.NextShardIterator = it.String()
		return out, nil
	}
	for _, child := range st.shards {
		if child.parent == sh.index || child.adjacent == sh.index {
			parents := []string{st.idAt(child.parent)}
			if child.adjacent >= 0 {
				parents = append(parents, st.idAt(child.adjacent))
			}
			out.ChildShards = append(out.ChildShards, childShard{
				HashKeyRange: hashRange{EndingHashKey: child.end.String(), StartingHashKey: child.start.String()},
				ParentShards: parents, ShardId: child.id,
			})
		}
	}
	return out, nil
}

type splitShardInput struct {
	streamRef
	ShardToSplit       string
	NewStartingHashKey string
}

func (s *Server) splitShard(c *call, in splitShardInput) (any, error) {
	st, err := s.find(c, in.streamRef)
	if err != nil {
		return nil, err
	}
	at, ok := parseHashKey(in.NewStartingHashKey)
	if !ok {
		var v violations
		v.add("'"+in.NewStartingHashKey+"'", "newStartingHashKey", `Member must satisfy regular expression pattern: 0|([1-9]\d{0,38})`)
		return nil, *v.refusal()
	}
	return nil, st.splitAt(in.ShardToSplit, at)
}

type mergeShardsInput struct {
	streamRef
	ShardToMerge         string
	AdjacentShardToMerge string
}

func (s *Server) mergeShards(c *call, in mergeShardsInput) (any, error) {
	st, err := s.find(c, in.streamRef)
	if err != nil {
		return nil, err
	}
	return nil, st.Merge(in.ShardToMerge, in.AdjacentShardToMerge)
}
