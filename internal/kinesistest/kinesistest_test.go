// SPDX-License-Identifier: Apache-2.0

package kinesistest

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patientClient keeps the SDK from closing a request's body while net/http may
// still be reading it, which costs a connection now and then, and the answer.
type patientClient struct{ *http.Client }

func (c patientClient) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r.Body = io.NopCloser(r.Body)
	}
	return c.Client.Do(r)
}

// kinesisClient is the stock client, without its retries.
func kinesisClient(s *Server, with ...func(*kinesis.Options)) *kinesis.Client {
	return kinesis.New(kinesis.Options{
		Region:       s.Region(),
		BaseEndpoint: aws.String(s.URL()),
		Credentials:  credentials.NewStaticCredentialsProvider(s.Credentials().Static()),
		HTTPClient:   patientClient{s.Client()},
		Retryer:      aws.NopRetryer{},
	}, with...)
}

func stsClient(s *Server, with ...func(*sts.Options)) *sts.Client {
	return sts.New(sts.Options{
		Region:       s.Region(),
		BaseEndpoint: aws.String(s.URL()),
		Credentials:  credentials.NewStaticCredentialsProvider(s.Credentials().Static()),
		HTTPClient:   patientClient{s.Client()},
		Retryer:      aws.NopRetryer{},
	}, with...)
}

func record(key, data string) types.PutRecordsRequestEntry {
	return types.PutRecordsRequestEntry{PartitionKey: aws.String(key), Data: []byte(data)}
}

func put(stream string, records ...types.PutRecordsRequestEntry) *kinesis.PutRecordsInput {
	return &kinesis.PutRecordsInput{StreamName: aws.String(stream), Records: records}
}

// each runs a test over every transport.
func each(t *testing.T, cfg Config, test func(t *testing.T, cfg Config)) {
	for name, with := range map[string]func(*Config){
		"http":       func(*Config) {},
		"https":      func(c *Config) { c.TLS, c.HTTP1Only = true, true },
		"http2":      func(c *Config) { c.TLS = true },
		"memory":     func(c *Config) { c.InMemory = true },
		"memory tls": func(c *Config) { c.InMemory, c.TLS = true, true },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := cfg
			with(&cfg)
			test(t, cfg)
		})
	}
}

func TestPutRecords(t *testing.T) {
	each(t, Config{Stream: "logs", Shards: 4}, func(t *testing.T, cfg Config) {
		s := New(t, cfg)
		out, err := kinesisClient(s).PutRecords(t.Context(), put("logs", record("a", "first"), record("b", "second"), record("a", "")))
		require.NoError(t, err)
		require.Zero(t, *out.FailedRecordCount)
		var got []string
		for r := range s.Stream("logs").Records() {
			got = append(got, r.ShardID+" "+r.Key+" "+string(r.Data))
			require.WithinDuration(t, time.Now(), r.Arrived, time.Minute)
		}
		// md5("a") = 0cc1…, md5("b") = 92eb…
		require.Equal(t, []string{"shardId-000000000000 a first", "shardId-000000000000 a ", "shardId-000000000002 b second"}, got)
		require.Equal(t, "shardId-000000000002", *out.Records[1].ShardId)
		require.Len(t, *out.Records[1].SequenceNumber, 56)
		require.Less(t, *out.Records[0].SequenceNumber, *out.Records[2].SequenceNumber)
	})
}

func TestGetCallerIdentity(t *testing.T) {
	each(t, Config{}, func(t *testing.T, cfg Config) {
		s := New(t, cfg)
		out, err := stsClient(s).GetCallerIdentity(t.Context(), nil)
		require.NoError(t, err)
		require.Equal(t, "arn:aws:iam::111122223333:user/otel", *out.Arn)
		require.Equal(t, "111122223333", *out.Account)
		require.Equal(t, "AIDAKINESISTEST000001", *out.UserId)
	})
}

// proxyClient goes through a proxy and trusts the server's CA.
func proxyClient(s *Server, proxy string) *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.Proxy = http.ProxyURL(must(url.Parse(proxy)))
	t.TLSClientConfig = &tls.Config{RootCAs: s.CertPool(), MinVersion: tls.VersionTLS12}
	return &http.Client{Transport: t}
}

// dialRaw is a connection without a client on top.
func dialRaw(tb testing.TB, s *Server) net.Conn {
	tb.Helper()
	conn, err := s.DialContext(tb.Context(), "tcp", "")
	require.NoError(tb, err)
	if s.ca != nil {
		conn = tls.Client(conn, &tls.Config{RootCAs: s.CertPool(), ServerName: "localhost", MinVersion: tls.VersionTLS12})
	}
	tb.Cleanup(func() { conn.Close() })
	return conn
}
