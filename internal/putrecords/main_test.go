// SPDX-License-Identifier: Apache-2.0

package putrecords

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/schemas"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"
	smithyendpoints "github.com/aws/smithy-go/endpoints"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/aws/smithy-go/transport/http/protocol/awsjson"
	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/kinesistest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const testStream = "logs"

// newTestClient returns a client for a server, with what change changes.
func newTestClient(t testing.TB, srv *kinesistest.Server, change ...func(*Config)) *Client {
	t.Helper()
	cfg := Config{
		Stream:  testStream,
		Timeout: 10 * time.Second,
		AWS: aws.Config{
			Region:       srv.Region(),
			BaseEndpoint: aws.String(srv.URL()),
			Credentials:  credentials.NewStaticCredentialsProvider(srv.Credentials().Static()),
		},
		DialContext: srv.DialContext,
	}
	for _, f := range change {
		f(&cfg)
	}
	c := NewClient(cfg)
	t.Cleanup(c.Close)
	return c
}

// fill appends n records "record 0", "record 1" and so on, with keys "key 0" …
func fill(t testing.TB, r *Request, n int) {
	t.Helper()
	for i := range n {
		require.True(t, r.Append(fmt.Appendf(nil, "record %d", i), fmt.Sprintf("key %d", i)))
	}
}

func put(t testing.TB, c *Client, n int) (Answer, error) {
	t.Helper()
	r := c.NewRequest()
	defer r.Release()
	fill(t, r, n)
	return c.Put(context.Background(), r)
}

// putError makes a call that must fail.
func putError(t testing.TB, c *Client, n int) *Error {
	t.Helper()
	answer, err := put(t, c, n)
	require.Error(t, err)
	require.Zero(t, answer)
	var e *Error
	require.ErrorAs(t, err, &e)
	return e
}

// body is a request as somebody else reads it.
type body struct {
	Records []struct {
		Data         []byte
		PartitionKey string
	}
	StreamName, StreamARN string
}

func readBodyJSON(t testing.TB, b []byte) (out body) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	require.NoError(t, d.Decode(&out))
	return out
}

func readBodyCBOR(t testing.TB, b []byte) (out body) {
	t.Helper()
	mode, err := cbor.DecOptions{DupMapKey: cbor.DupMapKeyEnforcedAPF, ExtraReturnErrors: cbor.ExtraDecErrorUnknownField}.DecMode()
	require.NoError(t, err)
	require.NoError(t, mode.Unmarshal(b, &out))
	return out
}

// stockBody is the body that the SDK itself sends for the records.
func stockBody(t testing.TB, stream string, data [][]byte, keys []string) []byte {
	t.Helper()
	var sent []byte
	client := kinesis.New(kinesis.Options{
		Region:      "us-east-1",
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
		Retryer:     aws.NopRetryer{},

		EndpointResolverV2: anywhere{},
		HTTPClient: smithyhttp.ClientDoFunc(func(r *http.Request) (*http.Response, error) {
			var err error
			sent, err = io.ReadAll(r.Body)
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody}, err
		}),
	})
	in := &kinesis.PutRecordsInput{Records: []types.PutRecordsRequestEntry{}}
	if ref := newStreamRef(stream); ref.member == "StreamARN" {
		in.StreamARN = &stream
	} else {
		in.StreamName = &stream
	}
	for i, d := range data {
		in.Records = append(in.Records, types.PutRecordsRequestEntry{Data: append([]byte{}, d...), PartitionKey: &keys[i]})
	}
	_, err := client.PutRecords(context.Background(), in)
	require.NoError(t, err)
	return sent
}

// anywhere resolves every stream to the same endpoint.
type anywhere struct{}

func (anywhere) ResolveEndpoint(context.Context, kinesis.EndpointParameters) (smithyendpoints.Endpoint, error) {
	return smithyendpoints.Endpoint{URI: url.URL{Scheme: "http", Host: "localhost"}}, nil
}

// stockAnswer is what the SDK itself reads in the body of a 200.
func stockAnswer(b []byte) (*kinesis.PutRecordsOutput, error) {
	out := &kinesis.PutRecordsOutput{}
	err := awsjson.New11(schemas.Kinesis_20131202).DeserializeResponse(context.Background(),
		smithy.NewOperationSchema(schemas.PutRecords, schemas.PutRecordsInput, schemas.PutRecordsOutput), kinesis.TypeRegistry,
		&smithyhttp.Response{Response: &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(b))}}, out)
	return out, err
}
