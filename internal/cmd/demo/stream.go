// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// stream reads all shards of a Kinesis stream from their beginning.
type stream struct {
	client *kinesis.Client
	shards []*shard
}

type shard struct {
	types.Shard
	records  []record
	iterator *string
}

// record is what came back, and what a consumer makes of it.
type record struct {
	key  string
	data []byte

	Timestamp  time.Time `json:"timestamp"`
	Attributes struct {
		Line string `json:"log.record.original"`
		Host string `json:"host.name"`
	} `json:"attributes"`
}

// openStream waits until the stream is there, and stands at the beginning of its shards.
func openStream(ctx context.Context, endpoint, name string) (*stream, error) {
	client := kinesis.New(kinesis.Options{
		Region:       "us-east-1",
		BaseEndpoint: aws.String(endpoint),
		Credentials:  credentials.NewStaticCredentialsProvider("demo", "demo", ""),
	})
	wait := kinesis.NewStreamExistsWaiter(client, func(o *kinesis.StreamExistsWaiterOptions) { o.MinDelay = 100 * time.Millisecond })
	if err := wait.Wait(ctx, &kinesis.DescribeStreamInput{StreamName: &name}, time.Minute); err != nil {
		return nil, fmt.Errorf("wait for stream %q: %w", name, err)
	}
	list, err := client.ListShards(ctx, &kinesis.ListShardsInput{StreamName: &name})
	if err != nil {
		return nil, err
	}
	s := &stream{client: client}
	for _, sh := range list.Shards {
		out, err := client.GetShardIterator(ctx, &kinesis.GetShardIteratorInput{
			StreamName:        &name,
			ShardId:           sh.ShardId,
			ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
		})
		if err != nil {
			return nil, err
		}
		s.shards = append(s.shards, &shard{Shard: sh, iterator: out.ShardIterator})
	}
	return s, nil
}

// readNew reads every shard up to its tip.
func (s *stream) readNew(ctx context.Context) error {
	for _, sh := range s.shards {
		for {
			out, err := s.client.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: sh.iterator})
			if err != nil {
				return fmt.Errorf("read %s: %w", *sh.ShardId, err)
			}
			sh.iterator = out.NextShardIterator
			for _, r := range out.Records {
				rec := record{key: *r.PartitionKey, data: r.Data}
				if err := json.Unmarshal(r.Data, &rec); err != nil {
					return fmt.Errorf("record %s of %s is not the expected JSON: %w: %s", *r.SequenceNumber, *sh.ShardId, err, r.Data)
				}
				sh.records = append(sh.records, rec)
			}
			if len(out.Records) == 0 {
				break
			}
		}
	}
	return nil
}

func (s *stream) count() (n int) {
	for _, sh := range s.shards {
		n += len(sh.records)
	}
	return n
}

// check holds what arrived against what was written: each line once, with its time, under the key of its host.
func (s *stream) check(lines []string) error {
	arrived := make(map[string]int, len(lines))
	for _, line := range lines {
		arrived[line] = 0
	}
	var errs []error
	for _, sh := range s.shards {
		for _, r := range sh.records {
			line := r.Attributes.Line
			if _, ours := arrived[line]; !ours {
				errs = append(errs, fmt.Errorf("arrived, but nobody wrote it: %q", line))
				continue
			}
			arrived[line]++
			var written, host string
			fmt.Sscan(line, &written, &host)
			if r.key != host || r.Attributes.Host != host {
				errs = append(errs, fmt.Errorf("key %q, host.name %q: %q", r.key, r.Attributes.Host, line))
			}
			if got := r.Timestamp.Format("2006-01-02T15:04:05.000000Z"); got != written {
				errs = append(errs, fmt.Errorf("timestamp %s: %q", got, line))
			}
		}
	}
	missing, duplicate := 0, 0
	for line, n := range arrived {
		switch {
		case n == 0:
			missing++
			errs = append(errs, fmt.Errorf("missing: %q", line))
		case n > 1:
			duplicate++
			errs = append(errs, fmt.Errorf("%d times: %q", n, line))
		}
	}
	if len(errs) == 0 {
		return nil
	}
	total := len(errs)
	return fmt.Errorf("%d lines missing, %d more than once, %d mistakes in all, among them\n%w",
		missing, duplicate, total, errors.Join(errs[:min(total, 10)]...))
}
