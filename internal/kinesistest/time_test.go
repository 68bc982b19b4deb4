// SPDX-License-Identifier: Apache-2.0

package kinesistest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"
)

// bubble runs a test in simulated time, against a server in memory.
func bubble(t *testing.T, cfg Config, test func(t *testing.T, s *Server)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cfg.InMemory = true
		s, err := Start(cfg)
		require.NoError(t, err)
		defer s.Close()
		test(t, s)
	})
}

func TestShardLimits(t *testing.T) {
	bubble(t, Config{Stream: "logs", Shards: 2, Limits: true}, func(t *testing.T, s *Server) {
		client := kinesisClient(s)
		// key "a" is of the first shard, "b" of the second
		batch := func(key string, size int) []types.PutRecordsRequestEntry {
			records := make([]types.PutRecordsRequestEntry, 500)
			for i := range records {
				records[i] = record(key, strings.Repeat("x", size-1))
			}
			return records
		}
		send := func(key string, size int) (failed int) {
			out, err := client.PutRecords(t.Context(), put("logs", batch(key, size)...))
			require.NoError(t, err)
			for _, r := range out.Records {
				if r.ErrorCode != nil {
					require.Equal(t, "ProvisionedThroughputExceededException", *r.ErrorCode)
					require.Nil(t, r.ShardId)
					failed++
				}
			}
			require.EqualValues(t, failed, *out.FailedRecordCount)
			return failed
		}
		require.Equal(t, []int{0, 0, 500}, []int{send("a", 10), send("a", 10), send("a", 10)})
		out, err := client.PutRecords(t.Context(), put("logs", record("a", "x"), record("b", "x")))
		require.NoError(t, err)
		require.Equal(t, "Rate exceeded for shard shardId-000000000000 in stream logs under account 111122223333.", *out.Records[0].ErrorMessage)
		require.Equal(t, "shardId-000000000001", *out.Records[1].ShardId)

		time.Sleep(100 * time.Millisecond)
		require.Equal(t, 400, send("a", 10))
		time.Sleep(time.Hour)
		require.Equal(t, 500-204, send("a", 5120), "1 MiB is 204.8 records of 5 KiB, and no more than a second is saved up")
		require.Equal(t, 1000+1+100+204, s.Stream("logs").Len())
	})
}

func TestHangingCallInSimulatedTime(t *testing.T) {
	bubble(t, Config{Stream: "logs"}, func(t *testing.T, s *Server) {
		client := kinesisClient(s)
		s.Fail(Fault{Times: 1, Do: Hang()})
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		start := time.Now()
		_, err := client.PutRecords(ctx, put("logs", record("k", "x")))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 30*time.Second, time.Since(start))
		require.Zero(t, s.Stream("logs").Len())

		s.Fail(Fault{Times: 1, Do: HangTaken()})
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = client.PutRecords(ctx, put("logs", record("k", "x")))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 1, s.Stream("logs").Len())

		synctest.Wait()
		calls := s.Calls("PutRecords")
		require.Equal(t, "hung", calls[0].Result)
		require.Equal(t, 30*time.Second, calls[0].Duration)
		require.Equal(t, CallRecord{Time: calls[1].Time, Duration: time.Second, Op: "PutRecords", Stream: "logs",
			Entries: 1, Taken: 1, Bytes: calls[1].Bytes, Result: "hung"}, calls[1])
	})
}

func TestDelayInSimulatedTime(t *testing.T) {
	bubble(t, Config{Stream: "logs"}, func(t *testing.T, s *Server) {
		client := kinesisClient(s)
		s.Fail(Fault{Op: "*", Do: Delay(10*time.Second, 0)})
		s.Fail(Fault{Do: Delay(0, 5*time.Second)})
		start := time.Now()
		_, err := client.PutRecords(t.Context(), put("logs", record("k", "x")))
		require.NoError(t, err)
		require.Equal(t, 15*time.Second, time.Since(start))

		// A client that gives up does not stop the service.
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		_, err = client.PutRecords(ctx, put("logs", record("k", "x")))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 1, s.Stream("logs").Len())
		time.Sleep(7 * time.Second)
		synctest.Wait()
		require.Equal(t, 2, s.Stream("logs").Len())
	})
}

func TestFaultWindow(t *testing.T) {
	bubble(t, Config{Stream: "logs"}, func(t *testing.T, s *Server) {
		client := kinesisClient(s)
		s.Fail(Fault{After: time.Minute, For: time.Minute, Do: Refuse("KMSDisabledException")})
		var failed []int
		for i := range 13 {
			if _, err := client.PutRecords(t.Context(), put("logs", record("k", "x"))); err != nil {
				failed = append(failed, i*15)
			}
			time.Sleep(15 * time.Second)
		}
		require.Equal(t, []int{60, 75, 90, 105}, failed)
	})
}

func TestDownAndUp(t *testing.T) {
	t.Run("memory", func(t *testing.T) {
		bubble(t, Config{Stream: "logs"}, func(t *testing.T, s *Server) { downAndUp(t, s) })
	})
	t.Run("http", func(t *testing.T) { downAndUp(t, New(t, Config{Stream: "logs"})) })
	t.Run("https", func(t *testing.T) { downAndUp(t, New(t, Config{Stream: "logs", TLS: true})) })
}

func downAndUp(t *testing.T, s *Server) {
	client := kinesisClient(s)
	send := func() error {
		_, err := client.PutRecords(t.Context(), put("logs", record("k", "x")))
		return err
	}
	url := s.URL()
	require.NoError(t, send())
	s.Down()
	require.Error(t, send(), "on the connection that was open")
	require.ErrorContains(t, send(), "connection refused")
	s.Down()
	require.NoError(t, s.Up())
	require.NoError(t, s.Up())
	require.NoError(t, send())
	require.Equal(t, url, s.URL())

	// A call that is under way when the endpoint goes down is not carried out.
	s.Fail(Fault{Do: Delay(time.Hour, 0)})
	result := make(chan error)
	go func() { result <- send() }()
	for s.Stats().Requests["PutRecords"] < 3 {
		time.Sleep(time.Millisecond)
	}
	s.Down()
	require.Error(t, <-result)
	require.Equal(t, 2, s.Stream("logs").Len())
}

func TestCloseLetsHangingCallsGo(t *testing.T) {
	s, err := Start(Config{Stream: "logs"})
	require.NoError(t, err)
	s.Fail(Fault{Do: Hang()})
	client := kinesisClient(s)
	result := make(chan error)
	go func() {
		_, err := client.PutRecords(context.Background(), &kinesis.PutRecordsInput{})
		_, err2 := client.PutRecords(context.Background(), put("logs", record("k", "x")))
		result <- errors.Join(err, err2)
	}()
	for s.Stats().Requests["PutRecords"] < 1 {
		time.Sleep(time.Millisecond)
	}
	s.Close()
	require.Error(t, <-result)
	s.Close()
}
