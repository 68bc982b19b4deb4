// SPDX-License-Identifier: Apache-2.0

package kinesistest

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/require"
)

// failure is what the SDK makes of an answer: status, code and message.
func failure(t *testing.T, err error) string {
	t.Helper()
	var api smithy.APIError
	require.ErrorAs(t, err, &api)
	var response *smithyhttp.ResponseError
	require.ErrorAs(t, err, &response)
	return fmt.Sprintf("%d %s: %s", response.HTTPStatusCode(), api.ErrorCode(), api.ErrorMessage())
}

// readAll reads a shard from its beginning to its end, or to what is there now,
// and gives the ids of the children.
func readAll(t *testing.T, client *kinesis.Client, stream, shard string) (records []types.Record, children []string) {
	t.Helper()
	it, err := client.GetShardIterator(t.Context(), &kinesis.GetShardIteratorInput{
		StreamName: aws.String(stream), ShardId: aws.String(shard), ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
	})
	require.NoError(t, err)
	for next := it.ShardIterator; next != nil; {
		out, err := client.GetRecords(t.Context(), &kinesis.GetRecordsInput{ShardIterator: next, Limit: aws.Int32(2)})
		require.NoError(t, err)
		records = append(records, out.Records...)
		for _, c := range out.ChildShards {
			children = append(children, *c.ShardId)
		}
		if next = out.NextShardIterator; len(out.Records) == 0 {
			break
		}
	}
	return records, children
}

func TestOperations(t *testing.T) {
	s := New(t, Config{Encrypted: true})
	ctx, client := t.Context(), kinesisClient(s)

	_, err := client.CreateStream(ctx, &kinesis.CreateStreamInput{StreamName: aws.String("logs"), ShardCount: aws.Int32(3)})
	require.NoError(t, err)
	_, err = client.CreateStream(ctx, &kinesis.CreateStreamInput{StreamName: aws.String("logs"), ShardCount: aws.Int32(3)})
	require.Equal(t, "400 ResourceInUseException: Stream logs under account 111122223333 already exists.", failure(t, err))

	sum, err := client.DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{StreamName: aws.String("logs")})
	require.NoError(t, err)
	d := sum.StreamDescriptionSummary
	require.Equal(t, "arn:aws:kinesis:us-east-1:111122223333:stream/logs", *d.StreamARN)
	require.Equal(t, types.StreamStatusActive, d.StreamStatus)
	require.Equal(t, types.EncryptionTypeKms, d.EncryptionType)
	require.EqualValues(t, 3, *d.OpenShardCount)
	require.EqualValues(t, 1024, *d.MaxRecordSizeInKiB)
	require.WithinDuration(t, time.Now(), *d.StreamCreationTimestamp, time.Minute)

	var shards []types.Shard
	list := &kinesis.ListShardsInput{StreamName: aws.String("logs"), MaxResults: aws.Int32(2)}
	for {
		page, err := client.ListShards(ctx, list)
		require.NoError(t, err)
		shards = append(shards, page.Shards...)
		if page.NextToken == nil {
			break
		}
		list = &kinesis.ListShardsInput{NextToken: page.NextToken, MaxResults: aws.Int32(2)}
	}
	require.Len(t, shards, 3)
	require.Equal(t, "0", *shards[0].HashKeyRange.StartingHashKey)
	require.Equal(t, "340282366920938463463374607431768211455", *shards[2].HashKeyRange.EndingHashKey)
	for i, sh := range shards[1:] {
		end, _ := new(big.Int).SetString(*shards[i].HashKeyRange.EndingHashKey, 10)
		require.Equal(t, end.Add(end, big.NewInt(1)).String(), *sh.HashKeyRange.StartingHashKey)
	}

	one, err := client.PutRecord(ctx, &kinesis.PutRecordInput{StreamARN: d.StreamARN, PartitionKey: aws.String("k"), Data: []byte("1")})
	require.NoError(t, err)
	home := s.Stream("logs").ShardOf("k")
	require.Equal(t, home, *one.ShardId)
	require.Equal(t, types.EncryptionTypeKms, one.EncryptionType)
	out, err := client.PutRecords(ctx, put("logs", record("k", "2"), record("k", "3"), record("k", "4")))
	require.NoError(t, err)
	require.Equal(t, types.EncryptionTypeKms, out.EncryptionType)

	records, children := readAll(t, client, "logs", home)
	require.Len(t, records, 4)
	require.Empty(t, children)
	require.Equal(t, *one.SequenceNumber, *records[0].SequenceNumber)
	require.Equal(t, *out.Records[2].SequenceNumber, *records[3].SequenceNumber)
	require.Equal(t, "4", string(records[3].Data))

	from := func(kind types.ShardIteratorType, with func(*kinesis.GetShardIteratorInput)) []types.Record {
		in := &kinesis.GetShardIteratorInput{StreamName: aws.String("logs"), ShardId: aws.String(home), ShardIteratorType: kind}
		with(in)
		it, err := client.GetShardIterator(ctx, in)
		require.NoError(t, err)
		out, err := client.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: it.ShardIterator})
		require.NoError(t, err)
		require.NotNil(t, out.NextShardIterator)
		return out.Records
	}
	second := func(in *kinesis.GetShardIteratorInput) { in.StartingSequenceNumber = records[1].SequenceNumber }
	require.Len(t, from(types.ShardIteratorTypeAtSequenceNumber, second), 3)
	require.Len(t, from(types.ShardIteratorTypeAfterSequenceNumber, second), 2)
	require.Empty(t, from(types.ShardIteratorTypeLatest, func(*kinesis.GetShardIteratorInput) {}))
	require.Len(t, from(types.ShardIteratorTypeAtTimestamp, func(in *kinesis.GetShardIteratorInput) {
		in.Timestamp = aws.Time(time.Now().Add(-time.Hour))
	}), 4)
	require.Empty(t, from(types.ShardIteratorTypeAtTimestamp, func(in *kinesis.GetShardIteratorInput) {
		in.Timestamp = aws.Time(time.Now().Add(time.Hour))
	}))
}

func TestResharding(t *testing.T) {
	s := New(t, Config{Stream: "logs", Shards: 2})
	ctx, client, st := t.Context(), kinesisClient(s), s.Stream("logs")
	keys := func(data string) []types.PutRecordsRequestEntry {
		var records []types.PutRecordsRequestEntry
		for i := range 40 {
			records = append(records, record(fmt.Sprint("key-", i), data))
		}
		return records
	}
	write := func(data string) (shards []string) {
		out, err := client.PutRecords(ctx, put("logs", keys(data)...))
		require.NoError(t, err)
		require.Zero(t, *out.FailedRecordCount)
		for _, r := range out.Records {
			if !slices.Contains(shards, *r.ShardId) {
				shards = append(shards, *r.ShardId)
			}
		}
		slices.Sort(shards)
		return shards
	}
	require.Equal(t, []string{"shardId-000000000000", "shardId-000000000001"}, write("1"))

	first := st.Shards()[0]
	half := new(big.Int)
	half.SetString(first.EndingHash, 10)
	half.Rsh(half, 1)
	_, err := client.SplitShard(ctx, &kinesis.SplitShardInput{StreamName: aws.String("logs"),
		ShardToSplit: aws.String(first.ID), NewStartingHashKey: aws.String(half.String())})
	require.NoError(t, err)
	require.Equal(t, []string{"shardId-000000000001", "shardId-000000000002", "shardId-000000000003"}, write("2"))
	_, children := readAll(t, client, "logs", first.ID)
	require.Equal(t, []string{"shardId-000000000002", "shardId-000000000003"}, children)

	_, err = client.MergeShards(ctx, &kinesis.MergeShardsInput{StreamName: aws.String("logs"),
		ShardToMerge: aws.String("shardId-000000000003"), AdjacentShardToMerge: aws.String("shardId-000000000001")})
	require.NoError(t, err)
	require.Equal(t, []string{"shardId-000000000002", "shardId-000000000004"}, write("3"))
	_, children = readAll(t, client, "logs", "shardId-000000000001")
	require.Equal(t, []string{"shardId-000000000004"}, children)
	require.NoError(t, st.Split("shardId-000000000004"))
	require.Equal(t, []string{"shardId-000000000002", "shardId-000000000005", "shardId-000000000006"}, write("4"))
	require.Equal(t, 160, st.Len())

	// Every key's records are in order over the generations of shards, and
	// sequence numbers increase.
	last := map[string]string{}
	for r := range st.Records() {
		require.Less(t, last[r.Key], r.SequenceNumber())
		last[r.Key] = r.SequenceNumber()
	}
	require.Zero(t, st.Disorder(func(id string) int { return int(id[0] - '0') }))

	refused := func(err error) string { return failure(t, err) }
	_, err = client.SplitShard(ctx, &kinesis.SplitShardInput{StreamName: aws.String("logs"), ShardToSplit: aws.String(first.ID), NewStartingHashKey: aws.String("7")})
	require.Equal(t, "400 ResourceInUseException: Shard shardId-000000000000 in stream logs under account 111122223333 has already been merged or split, and thus is not eligible for merging or splitting.", refused(err))
	_, err = client.SplitShard(ctx, &kinesis.SplitShardInput{StreamName: aws.String("logs"), ShardToSplit: aws.String("shardId-000000000002"), NewStartingHashKey: aws.String("0")})
	require.ErrorContains(t, err, "InvalidArgumentException: NewStartingHashKey 0 used in SplitShard() on shard shardId-000000000002")
	_, err = client.SplitShard(ctx, &kinesis.SplitShardInput{StreamName: aws.String("logs"), ShardToSplit: aws.String("shardId-000000000009"), NewStartingHashKey: aws.String("7")})
	require.Equal(t, "400 ResourceNotFoundException: Could not find shard shardId-000000000009 in stream logs under account 111122223333.", refused(err))
	_, err = client.MergeShards(ctx, &kinesis.MergeShardsInput{StreamName: aws.String("logs"),
		ShardToMerge: aws.String("shardId-000000000002"), AdjacentShardToMerge: aws.String("shardId-000000000006")})
	require.Equal(t, "400 InvalidArgumentException: Shards shardId-000000000002 and shardId-000000000006 in stream logs under account 111122223333 are not an adjacent pair of shards eligible for merging", refused(err))
}

func TestPutRecordsRefuses(t *testing.T) {
	s := New(t, Config{Stream: "logs", Shards: 2, MaxRecordSize: 2 << 20})
	s.CreateStream("other", 1)
	many := make([]types.PutRecordsRequestEntry, 501)
	for i := range many {
		many[i] = record("k", "")
	}
	big := make([]types.PutRecordsRequestEntry, 6)
	for i := range big {
		big[i] = record("kk", strings.Repeat("x", 2<<20-2))
	}
	for name, tt := range map[string]struct {
		in   *kinesis.PutRecordsInput
		want string
	}{
		"no stream": {put("nope", record("k", "x")), "400 ResourceNotFoundException: Stream nope under account 111122223333 not found."},
		"other account": {&kinesis.PutRecordsInput{StreamARN: aws.String("arn:aws:kinesis:us-east-1:999999999999:stream/logs"), Records: []types.PutRecordsRequestEntry{record("k", "x")}},
			"400 ResourceNotFoundException: Stream logs under account 111122223333 not found."},
		"name and other ARN": {&kinesis.PutRecordsInput{StreamName: aws.String("logs"), StreamARN: aws.String(s.Stream("other").ARN()), Records: []types.PutRecordsRequestEntry{record("k", "x")}},
			"400 InvalidArgumentException: StreamName logs does not match StreamARN arn:aws:kinesis:us-east-1:111122223333:stream/other."},
		"neither": {&kinesis.PutRecordsInput{Records: []types.PutRecordsRequestEntry{record("k", "x")}}, "400 InvalidArgumentException: Either StreamName or StreamARN should be provided."},
		"empty records": {&kinesis.PutRecordsInput{StreamName: aws.String("logs"), Records: []types.PutRecordsRequestEntry{}},
			"400 ValidationException: 1 validation error detected: Value '[]' at 'records' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		"501 records": {put("logs", many...), "400 ValidationException: 1 validation error detected: Value '[" +
			strings.Repeat("com.amazonaws.kinesis.v20131202.PutRecordsRequestEntry@c965e310, ", 500) + "com.amazonaws.kinesis.v20131202.PutRecordsRequestEntry@c965e310" +
			"]' at 'records' failed to satisfy constraint: Member must have length less than or equal to 500"},
		"stream name": {put("lo gs", record("k", "x")),
			"400 ValidationException: 1 validation error detected: Value 'lo gs' at 'streamName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"},
		"empty and long key": {put("logs", record("", "x"), record(strings.Repeat("é", 257), "x"), record(strings.Repeat("é", 256), "x")),
			"400 ValidationException: 2 validation errors detected: Value '' at 'records.1.member.partitionKey' failed to satisfy constraint: Member must have length greater than or equal to 1; " +
				"Value '" + strings.Repeat("é", 257) + "' at 'records.2.member.partitionKey' failed to satisfy constraint: Member must have length less than or equal to 256"},
		"hash key": {put("logs", types.PutRecordsRequestEntry{PartitionKey: aws.String("k"), Data: []byte{1}, ExplicitHashKey: aws.String("01")}),
			`400 ValidationException: 1 validation error detected: Value '01' at 'records.1.member.explicitHashKey' failed to satisfy constraint: Member must satisfy regular expression pattern: 0|([1-9]\d{0,38})`},
		"hash key range": {put("logs", types.PutRecordsRequestEntry{PartitionKey: aws.String("k"), Data: []byte{1}, ExplicitHashKey: aws.String("340282366920938463463374607431768211456")}),
			"400 InvalidArgumentException: Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was 340282366920938463463374607431768211456"},
		"record size": {put("logs", record("k", "x"), record("kk", strings.Repeat("x", 2<<20-1))),
			"400 InvalidArgumentException: Record 2 has 2097153 bytes of data and partition key, more than the maximum record size of 2048 KiB of stream logs under account 111122223333."},
		"request size": {put("logs", big...), "400 InvalidArgumentException: Records size exceeds 10 MB limit"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := kinesisClient(s).PutRecords(t.Context(), tt.in)
			require.Equal(t, tt.want, failure(t, err))
		})
	}
	require.Zero(t, s.Stream("logs").Len())

	// Right up to the limits everything is taken.
	out, err := kinesisClient(s).PutRecords(t.Context(), put("logs", big[:5]...))
	require.NoError(t, err)
	require.Zero(t, *out.FailedRecordCount)
	_, err = kinesisClient(s).PutRecords(t.Context(), put("logs", many[:500]...))
	require.NoError(t, err)
	_, err = kinesisClient(s).PutRecords(t.Context(), put("logs",
		types.PutRecordsRequestEntry{PartitionKey: aws.String("k"), Data: []byte{1}, ExplicitHashKey: aws.String("0")},
		types.PutRecordsRequestEntry{PartitionKey: aws.String("k"), Data: []byte{1}, ExplicitHashKey: aws.String(maxHashKey.String())}))
	require.NoError(t, err)
	require.Equal(t, 507, s.Stream("logs").Len())

	_, err = kinesisClient(s).PutRecords(t.Context(), put("logs", record("k", strings.Repeat("x", 11<<20))))
	require.Equal(t, "400 ValidationException: 1 validation error detected: Value 'java.nio.HeapByteBuffer[pos=0 lim=11534336 cap=11534336]' at 'records.1.member.data' failed to satisfy constraint: Member must have length less than or equal to 10485760", failure(t, err))
	_, err = kinesisClient(s).PutRecords(t.Context(), put("logs", record("k", strings.Repeat("x", 13<<20))))
	var response *smithyhttp.ResponseError
	require.ErrorAs(t, err, &response)
	require.Equal(t, 413, response.HTTPStatusCode())

	_, err = Start(Config{MaxRecordSize: 11 << 20})
	require.EqualError(t, err, "MaxRecordSize 11534336 is over the 10485760 bytes that a record may have")
}

func TestDryRun(t *testing.T) {
	for _, ignored := range []bool{false, true} {
		s := New(t, Config{Stream: "logs", IgnoreDryRun: ignored})
		in := put("logs", record("k", "x"))
		in.DryRun = aws.Bool(true)
		_, err := kinesisClient(s).PutRecords(t.Context(), in)
		if ignored {
			require.NoError(t, err)
			require.Equal(t, 1, s.Stream("logs").Len())
			continue
		}
		var dry *types.DryRunOperationException
		require.ErrorAs(t, err, &dry)
		require.Equal(t, "400 DryRunOperationException: The request was rejected because the DryRun parameter was specified.", failure(t, err))
		require.Zero(t, s.Stream("logs").Len())
		in.StreamName = aws.String("nope")
		_, err = kinesisClient(s).PutRecords(t.Context(), in)
		var missing *types.ResourceNotFoundException
		require.ErrorAs(t, err, &missing)
	}
}

func TestLedger(t *testing.T) {
	s := New(t, Config{Stream: "logs", Shards: 2, DropData: true, ID: func(data []byte) string {
		id, _, _ := strings.Cut(string(data), " ")
		return id
	}})
	client, st := kinesisClient(s), s.Stream("logs")
	send := func(records ...types.PutRecordsRequestEntry) {
		_, err := client.PutRecords(t.Context(), put("logs", records...))
		require.NoError(t, err)
	}
	send(record("a", "1 one"), record("b", "3 three"), record("a", "2 two"))
	send(record("b", "1 one"), record("b", "4 four"), record("b", "2 again"), record("b", "5 five"), record("x", "77 unknown"))
	require.Equal(t, Tally{
		Records: 8, Distinct: 6, Duplicates: 2, Missing: 1, Unknown: 1,
		MissingIDs: []string{"6"}, DuplicateIDs: []string{"1", "2"}, UnknownIDs: []string{"77"},
	}, st.Tally(slices.Values([]string{"1", "2", "3", "4", "5", "6", "6"})))
	for r := range st.Records() {
		require.Nil(t, r.Data)
	}
	position := func(id string) int { return len(id)*100 + int(id[0]) }
	require.Zero(t, st.Disorder(position), "duplicates are no disorder")
	send(record("b", "0 late"), record("a", "9 fine"))
	require.Equal(t, 1, st.Disorder(position))

	stats := s.Stats()
	require.Equal(t, map[string]int{"PutRecords": 3}, stats.Requests)
	require.Equal(t, []int{10, 10, 0, 1}, []int{stats.Entries, stats.Taken, stats.Failed, stats.Connections})
	require.Greater(t, stats.BytesIn, int64(1000))
	require.Greater(t, stats.BytesOut, int64(1000))
	calls := s.Calls("PutRecords")
	require.Equal(t, 5, calls[1].Taken)
	require.Equal(t, "200", calls[1].Result)
	require.Empty(t, s.Calls("GetRecords"))

	st.Forget()
	require.Zero(t, st.Len())
	send(record("a", "1 one"))
	records, _ := readAll(t, client, "logs", st.ShardOf("a"))
	require.Len(t, records, 1)
}

func TestExpiredIterator(t *testing.T) {
	bubble(t, Config{Stream: "logs"}, func(t *testing.T, s *Server) {
		client := kinesisClient(s)
		it, err := client.GetShardIterator(t.Context(), &kinesis.GetShardIteratorInput{
			StreamName: aws.String("logs"), ShardId: aws.String("shardId-000000000000"), ShardIteratorType: types.ShardIteratorTypeLatest})
		require.NoError(t, err)
		time.Sleep(6 * time.Minute)
		_, err = client.GetRecords(t.Context(), &kinesis.GetRecordsInput{ShardIterator: it.ShardIterator})
		var expired *types.ExpiredIteratorException
		require.ErrorAs(t, err, &expired)
		_, err = client.GetRecords(t.Context(), &kinesis.GetRecordsInput{ShardIterator: aws.String("AAAA")})
		require.Equal(t, "400 InvalidArgumentException: Invalid ShardIterator.", failure(t, err))
	})
}

func TestPutRecordThrottled(t *testing.T) {
	bubble(t, Config{Stream: "logs", Limits: true, MaxRecordSize: 10 << 20}, func(t *testing.T, s *Server) {
		client := kinesisClient(s)
		one := func(size int) error {
			_, err := client.PutRecord(t.Context(), &kinesis.PutRecordInput{
				StreamName: aws.String("logs"), PartitionKey: aws.String("k"), Data: make([]byte, size)})
			return err
		}
		require.NoError(t, one(3<<20-1), "a record over a second's worth passes a full bucket")
		err := one(1)
		var throttled *types.ProvisionedThroughputExceededException
		require.True(t, errors.As(err, &throttled))
		require.Equal(t, "400 ProvisionedThroughputExceededException: Rate exceeded for shard shardId-000000000000 in stream logs under account 111122223333.", failure(t, err))
		time.Sleep(2*time.Second - time.Millisecond)
		require.Error(t, one(1000), "and is paid for afterwards")
		time.Sleep(2 * time.Millisecond)
		require.NoError(t, one(1000))
	})
}
