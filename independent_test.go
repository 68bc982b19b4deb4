// SPDX-License-Identifier: Apache-2.0

package amazonkinesisexporter

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/metadata"
)

// independentServers are Kinesis servers that others wrote; make test starts them.
var independentServers = []struct{ name, endpointVariable string }{
	{"kinesis-local", "KINESIS_LOCAL_ENDPOINT"},
	{"kinesalite", "KINESALITE_ENDPOINT"},
}

// withoutKeepAlive leaves no connection behind.
var withoutKeepAlive = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// forEachIndependentServer runs a test against each server, with a stream of its own that is not there yet.
func forEachIndependentServer(t *testing.T, test func(t *testing.T, s *independentStream)) {
	for i, server := range independentServers {
		t.Run(server.name, func(t *testing.T) {
			endpoint := os.Getenv(server.endpointVariable)
			if endpoint == "" {
				t.Skipf("%s is not set: make test starts the server", server.endpointVariable)
			}
			test(t, &independentStream{
				name:     fmt.Sprintf("%s-%d-%d", strings.NewReplacer("/", "-", "_", "-").Replace(t.Name()), i, os.Getpid()),
				endpoint: endpoint,
				client: kinesis.New(kinesis.Options{
					Region:       "us-east-1",
					BaseEndpoint: aws.String(endpoint),
					Credentials:  credentials.NewStaticCredentialsProvider("test", "test", ""),
					HTTPClient:   withoutKeepAlive,
				}),
			})
		})
	}
}

func TestIndependentServersTakeEveryRecordOnce(t *testing.T) {
	for _, protocol := range []string{protocolJSON, protocolCBOR} {
		t.Run(protocol, func(t *testing.T) {
			forEachIndependentServer(t, func(t *testing.T, s *independentStream) {
				s.create(t, 3)
				exp := s.exporter(t, &testHost{}, func(cfg *Config) {
					cfg.Protocol = protocol
					// kinesalite cuts its answers in CBOR off after 16 KiB.
					cfg.MaxEvents = 100
					batch := cfg.QueueConfig.Get().Batch.Get()
					batch.MinSize, batch.MaxSize = 100, 100
				})
				// Several requests, and a part of one.
				for first := 0; first < 1250; first += 50 {
					require.NoError(t, exp.ConsumeLogs(t.Context(), numbered(first, 50)))
				}
				require.NoError(t, exp.Shutdown(context.Background()))

				arrived := map[string]int{}
				for _, r := range s.read(t) {
					var content struct {
						Body       string            `json:"body"`
						Attributes map[string]string `json:"attributes"`
					}
					require.NoError(t, json.Unmarshal(r.Data, &content))
					require.Equal(t, content.Attributes["key"], r.PartitionKey)
					arrived[content.Body]++
				}
				require.Len(t, arrived, 1250)
				for body, times := range arrived {
					require.Equal(t, 1, times, body)
				}
			})
		})
	}
}

func TestIndependentServersGetTheirStreamLater(t *testing.T) {
	forEachIndependentServer(t, func(t *testing.T, s *independentStream) {
		host := &testHost{}
		exp := s.exporter(t, host, nil)
		require.NoError(t, exp.ConsumeLogs(t.Context(), numbered(0, 10)))
		require.Eventually(t, func() bool {
			return slices.Contains(host.statuses(), componentstatus.StatusRecoverableError)
		}, time.Minute, 10*time.Millisecond)
		s.create(t, 1)
		require.Eventually(t, func() bool { return len(s.read(t)) == 10 }, time.Minute, 200*time.Millisecond)
		require.NoError(t, exp.Shutdown(context.Background()))
		require.Len(t, s.read(t), 10)
		require.Equal(t, componentstatus.StatusOK, host.statuses()[len(host.statuses())-1])
	})
}

// A record that the server refuses for its size must not take its neighbours along,
// also when max_record_size says more than the stream takes.
func TestIndependentServersRefuseOneRecord(t *testing.T) {
	forEachIndependentServer(t, func(t *testing.T, s *independentStream) {
		s.create(t, 2)
		exp := s.exporter(t, &testHost{}, func(cfg *Config) {
			cfg.MaxRecordSize = maxRecordSizeLimit
		})
		ld := numbered(0, 9)
		huge := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(4)
		huge.Body().SetStr(strings.Repeat("x", defaultMaxRecordSize+1))
		require.NoError(t, exp.ConsumeLogs(t.Context(), ld))
		require.NoError(t, exp.Shutdown(context.Background()))

		records := s.read(t)
		require.Len(t, records, 8)
		for _, r := range records {
			require.Less(t, len(r.Data), 1000)
		}
	})
}

type independentStream struct {
	name     string
	endpoint string
	client   *kinesis.Client
}

func (s *independentStream) create(t *testing.T, shards int32) {
	_, err := s.client.CreateStream(t.Context(), &kinesis.CreateStreamInput{StreamName: &s.name, ShardCount: &shards})
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := s.client.DeleteStream(context.Background(), &kinesis.DeleteStreamInput{StreamName: &s.name})
		require.NoError(t, err)
	})
	exists := kinesis.NewStreamExistsWaiter(s.client, func(o *kinesis.StreamExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = 50*time.Millisecond, 200*time.Millisecond
	})
	require.NoError(t, exists.Wait(t.Context(), &kinesis.DescribeStreamInput{StreamName: &s.name}, time.Minute))
}

// exporter starts an exporter to the stream, made by the factory as the collector does it.
func (s *independentStream) exporter(t *testing.T, host component.Host, edit func(*Config)) exporter.Logs {
	cfg := newDefaultConfig()
	cfg.Region, cfg.Endpoint, cfg.Stream = "us-east-1", s.endpoint, s.name
	cfg.Key, cfg.Secret = "test", "test"
	cfg.PartitionKey, cfg.PartitionKeyFrom = "", `log.attributes["key"]`
	if edit != nil {
		edit(cfg)
	}
	exp, err := NewFactory().CreateLogs(t.Context(), exportertest.NewNopSettings(metadata.Type), cfg)
	require.NoError(t, err)
	require.NoError(t, exp.Start(t.Context(), host))
	return exp
}

// read returns everything in the stream.
func (s *independentStream) read(t *testing.T) (records []storedRecord) {
	list, err := s.client.ListShards(t.Context(), &kinesis.ListShardsInput{StreamName: &s.name})
	require.NoError(t, err)
	for _, shard := range list.Shards {
		it, err := s.client.GetShardIterator(t.Context(), &kinesis.GetShardIteratorInput{
			StreamName:        &s.name,
			ShardId:           shard.ShardId,
			ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
		})
		require.NoError(t, err)
		for next := *it.ShardIterator; ; {
			out := s.getRecords(t, next)
			if len(out.Records) == 0 {
				break
			}
			records = append(records, out.Records...)
			next = out.NextShardIterator
		}
	}
	return records
}

type storedRecords struct {
	Records           []storedRecord
	NextShardIterator string
}

type storedRecord struct {
	Data         storedData
	PartitionKey string
}

// getRecords is a call without the SDK, which cannot read what kinesalite makes of records that came in CBOR.
func (s *independentStream) getRecords(t *testing.T, iterator string) (out storedRecords) {
	body := fmt.Sprintf(`{"ShardIterator":%q}`, iterator)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.endpoint, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	req.Header.Set("X-Amz-Target", "Kinesis_20131202.GetRecords")
	// Neither server checks signatures, but both want to see one.
	req.Header.Set("X-Amz-Date", time.Now().UTC().Format("20060102T150405Z"))
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260314/us-east-1/kinesis/aws4_request, SignedHeaders=host, Signature=0")
	resp, err := withoutKeepAlive.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode, "%s", answer)
	require.NoError(t, json.Unmarshal(answer, &out))
	return out
}

// storedData is base64 text, or a Node.js buffer as JSON where kinesalite has got bytes in CBOR.
type storedData []byte

func (d *storedData) UnmarshalJSON(text []byte) error {
	var buffer struct{ Data []uint16 } // not bytes, which would be read from base64
	if json.Unmarshal(text, &buffer) == nil {
		for _, b := range buffer.Data {
			*d = append(*d, byte(b))
		}
		return nil
	}
	return json.Unmarshal(text, (*[]byte)(d))
}
