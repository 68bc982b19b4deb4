// SPDX-License-Identifier: Apache-2.0

package putrecords

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/kinesistest"
)

// TestErrors answers one call with each error and holds what is made of it
// against what DESIGN says, in both protocols.
func TestErrors(t *testing.T) {
	type want struct {
		text        string
		code        string
		status      int
		class       Class
		credentials bool
		maybeTaken  bool
	}
	for _, tt := range []struct {
		name string
		do   kinesistest.Effect
		want want
	}{
		{"throttled", kinesistest.Answer(400, "ProvisionedThroughputExceededException", "Rate exceeded"), want{
			text: "Kinesis limits the rate: add shards or make the stream on-demand if this lasts (ProvisionedThroughputExceededException: Rate exceeded)",
			code: "ProvisionedThroughputExceededException", status: 400,
		}},
		{"limit", kinesistest.Answer(400, "LimitExceededException", "Rate exceeded for account"), want{
			text: "Kinesis limits the rate: add shards or make the stream on-demand if this lasts (LimitExceededException: Rate exceeded for account)",
			code: "LimitExceededException", status: 400,
		}},
		{"missing stream", kinesistest.Answer(400, "ResourceNotFoundException", "Stream logs under account 123456789012 not found."), want{
			text: "the stream was not found: create it, or correct `stream`, `region` or the credentials' account (ResourceNotFoundException: Stream logs under account 123456789012 not found.)",
			code: "ResourceNotFoundException", status: 400,
		}},
		{"stream being made", kinesistest.Answer(400, "ResourceInUseException", "Stream logs is not ACTIVE"), want{
			text: "the stream is not active: wait until it has been created (ResourceInUseException: Stream logs is not ACTIVE)",
			code: "ResourceInUseException", status: 400,
		}},
		{"no permission", kinesistest.Answer(400, "AccessDeniedException", "User: arn:aws:iam::123456789012:user/x is not authorized to perform: kinesis:PutRecords"), want{
			text: "the credentials may not write to the stream: allow kinesis:PutRecords on it (AccessDeniedException: User: arn:aws:iam::123456789012:user/x is not authorized to perform: kinesis:PutRecords)",
			code: "AccessDeniedException", status: 400,
		}},
		{"expired", kinesistest.Answer(400, "ExpiredTokenException", "The security token included in the request is expired"), want{
			text: "the credentials have expired: renew `key`, `secret` and `session`, or use a role (ExpiredTokenException: The security token included in the request is expired)",
			code: "ExpiredTokenException", status: 400, credentials: true,
		}},
		{"unknown key", kinesistest.Answer(400, "UnrecognizedClientException", "The security token included in the request is invalid."), want{
			text: "AWS does not know the credentials: correct `key`, `secret` and `session`, or the role (UnrecognizedClientException: The security token included in the request is invalid.)",
			code: "UnrecognizedClientException", status: 400, credentials: true,
		}},
		{"bad signature", kinesistest.Answer(400, "InvalidSignatureException", "The Canonical String for this request should have been 'POST\n/\n\nx-amz-security-token:SECRET'"), want{
			text: "AWS does not accept the signature: correct `secret`, or this machine's clock (InvalidSignatureException, HTTP 400)",
			code: "InvalidSignatureException", status: 400, credentials: true,
		}},
		{"not subscribed", kinesistest.Answer(400, "OptInRequired", "The AWS Access Key Id needs a subscription for the service"), want{
			text: "the AWS account may not use Kinesis here: enable the service or the region (OptInRequired: The AWS Access Key Id needs a subscription for the service)",
			code: "OptInRequired", status: 400,
		}},
		{"KMS throttled", kinesistest.Answer(400, "KMSThrottlingException", "slow down"), want{
			text: "KMS limits the rate for the stream's key: raise its request quota if this lasts (KMSThrottlingException: slow down)",
			code: "KMSThrottlingException", status: 400,
		}},
		{"KMS key disabled", kinesistest.Answer(400, "KMSDisabledException", "key is disabled"), want{
			text: "the stream's KMS key cannot be used: enable it, and allow kms:GenerateDataKey on it (KMSDisabledException: key is disabled)",
			code: "KMSDisabledException", status: 400,
		}},
		{"KMS denied", kinesistest.Answer(400, "KMSAccessDeniedException", "denied"), want{
			text: "the stream's KMS key cannot be used: enable it, and allow kms:GenerateDataKey on it (KMSAccessDeniedException: denied)",
			code: "KMSAccessDeniedException", status: 400,
		}},
		{"internal failure", kinesistest.Answer(500, "InternalFailure", ""), want{
			text: "Kinesis has a failure of its own (InternalFailure, HTTP 500)",
			code: "InternalFailure", status: 500,
		}},
		{"unavailable", kinesistest.Answer(503, "ServiceUnavailable", "try again"), want{
			text: "Kinesis has a failure of its own (ServiceUnavailable: try again)",
			code: "ServiceUnavailable", status: 503,
		}},
		{"something new", kinesistest.Answer(400, "BrandNewException", "who knows"), want{
			text: "Kinesis did not take the request (BrandNewException: who knows)",
			code: "BrandNewException", status: 400,
		}},
		{"invalid record", kinesistest.Answer(400, "InvalidArgumentException", "Invalid PartitionKey"), want{
			text: "Kinesis refuses the request (InvalidArgumentException: Invalid PartitionKey)",
			code: "InvalidArgumentException", status: 400, class: Refused,
		}},
		{"validation", kinesistest.Answer(400, "ValidationException", "1 validation error detected: Value 'x' at 'records.1.member.partitionKey' failed to satisfy constraint: Member must have length less than or equal to 256"), want{
			text: "Kinesis refuses the request (ValidationException: 1 validation error detected: Value 'x' at 'records.1.member.partitionKey' failed to satisfy constraint: Member must have length less than or equal to 256)",
			code: "ValidationException", status: 400, class: Refused,
		}},
		{"invalid stream", kinesistest.Answer(400, "ValidationException", "1 validation error detected: Value 'a b' at 'streamName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"), want{
			text: "Kinesis does not accept the stream: correct `stream` (ValidationException: 1 validation error detected: Value 'a b' at 'streamName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+)",
			code: "ValidationException", status: 400,
		}},
		{"invalid ARN", kinesistest.Answer(400, "InvalidArgumentException", "StreamARN does not match the endpoint's region"), want{
			text: "Kinesis does not accept the stream: correct `stream` (InvalidArgumentException: StreamARN does not match the endpoint's region)",
			code: "InvalidArgumentException", status: 400,
		}},
		{"too large", kinesistest.Answer(413, "RequestEntityTooLargeException", "too large"), want{
			text: "the request is larger than the endpoint takes (RequestEntityTooLargeException: too large)",
			code: "RequestEntityTooLargeException", status: 413, class: TooLarge,
		}},
		{"413 from AWS with another code", kinesistest.Answer(413, "LengthExceeded", "too large"), want{
			text: "the request is larger than the endpoint takes (LengthExceeded: too large)",
			code: "LengthExceeded", status: 413, class: TooLarge,
		}},
		{"413 from a proxy", kinesistest.HTML(413), want{
			text: "the request is larger than the endpoint takes (HTTPError, HTTP 413)", code: CodeHTTP, status: 413, class: TooLarge,
		}},
		{"429", kinesistest.HTML(429), want{text: "the endpoint limits the rate (HTTPError, HTTP 429)", code: CodeHTTP, status: 429}},
		{"403", kinesistest.HTML(403), want{
			text: "the endpoint does not answer as Kinesis does: correct `endpoint`, or look at the proxy (HTTPError, HTTP 403)", code: CodeHTTP, status: 403,
		}},
		{"500", kinesistest.HTML(500), want{
			text: "something between here and Kinesis fails, or Kinesis itself (HTTPError, HTTP 500)", code: CodeHTTP, status: 500, maybeTaken: true,
		}},
		{"502", kinesistest.HTML(502), want{
			text: "something between here and Kinesis fails, or Kinesis itself (HTTPError, HTTP 502)", code: CodeHTTP, status: 502, maybeTaken: true,
		}},
		{"503", kinesistest.HTML(503), want{
			text: "something between here and Kinesis fails, or Kinesis itself (HTTPError, HTTP 503)", code: CodeHTTP, status: 503,
		}},
		{"504", kinesistest.HTML(504), want{
			text: "something between here and Kinesis fails, or Kinesis itself (HTTPError, HTTP 504)", code: CodeHTTP, status: 504, maybeTaken: true,
		}},
		{"500 without a body", kinesistest.Raw(500, "", nil), want{
			text: "something between here and Kinesis fails, or Kinesis itself (HTTPError, HTTP 500)", code: CodeHTTP, status: 500, maybeTaken: true,
		}},
		{"redirect", kinesistest.Redirect("http://192.0.2.1/"), want{
			text: "the endpoint sends elsewhere, which is not followed: correct `endpoint` (HTTPError, HTTP 307)", code: CodeHTTP, status: 307,
		}},
		{"HTML with 200", kinesistest.HTML(200), want{
			text: "the answer was not a whole answer of Kinesis, something on the way may have cut or replaced it (MalformedAnswer: the answer is not JSON at byte 0)",
			code: CodeMalformed, status: 200, maybeTaken: true,
		}},
		{"empty 200", kinesistest.Raw(200, "", nil), want{
			text: "the answer was not a whole answer of Kinesis, something on the way may have cut or replaced it (MalformedAnswer: the answer is empty)",
			code: CodeMalformed, status: 200, maybeTaken: true,
		}},
		{"an answer to somebody else", kinesistest.Raw(200, "application/x-amz-json-1.1", []byte(`{"FailedRecordCount":0,"Records":[`+okResult+`]}`)), want{
			text: "the answer was not a whole answer of Kinesis, something on the way may have cut or replaced it (MalformedAnswer: the answer has 1 results for 3 records)",
			code: CodeMalformed, status: 200, maybeTaken: true,
		}},
		{"a broken connection", kinesistest.Cut(20), want{
			text: "the answer was not a whole answer of Kinesis, something on the way may have cut or replaced it (MalformedAnswer: read the answer: unexpected EOF)",
			code: CodeMalformed, status: 200, maybeTaken: true,
		}},
		{"a lost answer", kinesistest.Lose(), want{
			text: "the connection to Kinesis broke (ConnectionLost: EOF)", code: CodeConnection, maybeTaken: true,
		}},
	} {
		for _, protocol := range []Protocol{JSON, CBOR} {
			t.Run(tt.name+" "+string(protocol), func(t *testing.T) {
				srv := kinesistest.New(t, kinesistest.Config{Stream: testStream})
				c := newTestClient(t, srv, func(c *Config) { c.Protocol = protocol })
				srv.Fail(kinesistest.Fault{Times: 1, Do: tt.do})
				e := putError(t, c, 3)
				require.EqualError(t, e, tt.want.text)
				require.Equal(t, tt.want, want{e.Error(), e.Code, e.Status, e.Class, e.Credentials, e.MaybeTaken})
				require.NotContains(t, e.Error(), "SECRET")

				answer, err := put(t, c, 3)
				require.NoError(t, err, "the call after it")
				require.Zero(t, answer)
			})
		}
	}
}

// TestErrorsOfTheService makes sure that every error that Kinesis can answer is
// known, and that none of them drops records that can still be delivered.
func TestErrorsOfTheService(t *testing.T) {
	srv := kinesistest.New(t, kinesistest.Config{Stream: testStream})
	c := newTestClient(t, srv)
	for _, code := range kinesistest.KinesisErrors() {
		srv.Fail(kinesistest.Fault{Times: 1, Do: kinesistest.Refuse(code)})
		e := putError(t, c, 1)
		require.Equal(t, code, e.Code)
		require.False(t, e.MaybeTaken, code)
		switch code {
		case "InvalidArgumentException", "ValidationException", "SerializationException":
			require.Equal(t, Refused, e.Class, code)
		default:
			require.Equal(t, RetryLater, e.Class, code)
		}
	}
}

func TestErrorNamesInHeader(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("X-Amzn-ErrorType", "ExpiredTokenException:http://internal.amazon.com/coral/")
		w.WriteHeader(403)
		_, _ = io.WriteString(w, "<html>")
	}))
	defer srv.Close()
	c := NewClient(Config{Stream: testStream, AWS: aws.Config{Region: "us-east-1", BaseEndpoint: &srv.URL, Credentials: static{}}})
	defer c.Close()
	e := putError(t, c, 1)
	require.Equal(t, "ExpiredTokenException", e.Code)
	require.True(t, e.Credentials)
}

type static struct{ err error }

func (s static) Retrieve(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "SECRET", SessionToken: "SECRETTOKEN"}, s.err
}

// hanging are credentials whose source does not answer.
type hanging struct{}

func (hanging) Retrieve(ctx context.Context) (aws.Credentials, error) {
	<-ctx.Done()
	return aws.Credentials{}, ctx.Err()
}

func TestErrorsBeforeSending(t *testing.T) {
	srv := kinesistest.New(t, kinesistest.Config{Stream: testStream})
	t.Run("no credentials", func(t *testing.T) {
		c := newTestClient(t, srv, func(c *Config) { c.AWS.Credentials = static{errors.New("no role found")} })
		e := putError(t, c, 1)
		require.EqualError(t, e, "no credentials to sign with: give `key` and `secret`, or mend the role or the profile (NoCredentials: get identity: get credentials: no role found)")
		require.Equal(t, Error{Code: CodeCredentials, Message: e.Message, Credentials: true, text: e.text, err: e.err}, *e)
	})
	t.Run("credentials that do not come", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			srv := kinesistest.New(t, kinesistest.Config{Stream: testStream, InMemory: true})
			c := newTestClient(t, srv, func(c *Config) { c.AWS.Credentials = hanging{} })
			e := putError(t, c, 1)
			require.Equal(t, CodeCredentials, e.Code, e.Error())
			require.True(t, e.Credentials)
			require.False(t, e.MaybeTaken)
			require.ErrorIs(t, e, context.DeadlineExceeded)
		})
	})
	t.Run("a password in the endpoint", func(t *testing.T) {
		c := newTestClient(t, srv, func(c *Config) { c.AWS.BaseEndpoint = aws.String("http://user:SECRET@[::1") })
		e := putError(t, c, 1)
		require.Equal(t, CodeClient, e.Code)
		require.NotContains(t, e.Error(), "SECRET")
	})
	t.Run("no region", func(t *testing.T) {
		c := newTestClient(t, srv, func(c *Config) { c.AWS.Region, c.AWS.BaseEndpoint = "", nil })
		e := putError(t, c, 1)
		require.ErrorContains(t, e, "the request could not be made: look at `region` and `endpoint` (ClientError: ")
		require.Equal(t, RetryLater, e.Class)
		require.False(t, e.MaybeTaken)
		require.False(t, e.Credentials)
	})
	t.Run("nobody listens", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		addr := l.Addr().String()
		require.NoError(t, l.Close())
		c := newTestClient(t, srv, func(c *Config) { c.AWS.BaseEndpoint, c.DialContext = aws.String("http://"+addr), nil })
		e := putError(t, c, 1)
		require.EqualError(t, e, "cannot connect to Kinesis: check the network, `endpoint`, `region` and the proxy (ConnectFailed: dial tcp "+addr+": connect: connection refused)")
		require.False(t, e.MaybeTaken)
		var op *net.OpError
		require.ErrorAs(t, e, &op)
	})
	t.Run("an unknown certificate", func(t *testing.T) {
		srv := kinesistest.New(t, kinesistest.Config{Stream: testStream, TLS: true})
		e := putError(t, newTestClient(t, srv), 1)
		require.EqualError(t, e, "cannot connect to Kinesis: check the network, `endpoint`, `region` and the proxy (ConnectFailed: tls: failed to verify certificate: x509: certificate signed by unknown authority)")
		require.False(t, e.MaybeTaken)
	})
	t.Run("a proxy with a password", func(t *testing.T) {
		c := newTestClient(t, srv, func(c *Config) {
			c.AWS.BaseEndpoint = aws.String("https://kinesis.example.com")
			c.DialContext = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no route") }
			c.Proxy = func(*http.Request) (*url.URL, error) { return url.Parse("http://user:SECRET@proxy.example.com:3128") }
		})
		e := putError(t, c, 1)
		require.EqualError(t, e, "cannot connect to Kinesis: check the network, `endpoint`, `region` and the proxy (ConnectFailed: proxyconnect tcp: no route)")
	})
	t.Run("an empty request", func(t *testing.T) {
		answer, err := put(t, newTestClient(t, srv), 0)
		require.NoError(t, err)
		require.Zero(t, answer)
		require.Empty(t, srv.Calls("PutRecords"))
	})
}

// TestTimeouts lets calls hang in simulated time.
func TestTimeouts(t *testing.T) {
	const timeout = 7 * time.Second
	for _, tt := range []struct {
		name  string
		fault kinesistest.Effect
		code  string
		text  string
		maybe bool
	}{
		{"hanging", kinesistest.Hang(), CodeTimeout, "Kinesis did not answer within 7s: look at the network, or raise `timeout`", true},
		{"taken, and hanging", kinesistest.HangTaken(), CodeTimeout, "Kinesis did not answer within 7s: look at the network, or raise `timeout`", true},
		{"slow", kinesistest.Delay(8*time.Second, 0), CodeTimeout, "Kinesis did not answer within 7s: look at the network, or raise `timeout`", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := kinesistest.New(t, kinesistest.Config{Stream: testStream, InMemory: true})
				c := newTestClient(t, srv, func(c *Config) { c.Timeout = timeout })
				srv.Fail(kinesistest.Fault{Times: 1, Do: tt.fault})
				start := time.Now()
				e := putError(t, c, 3)
				require.Equal(t, timeout, time.Since(start))
				require.EqualError(t, e, tt.text)
				require.Equal(t, tt.code, e.Code)
				require.Equal(t, RetryLater, e.Class)
				require.Equal(t, tt.maybe, e.MaybeTaken)
				_, err := put(t, c, 3)
				require.NoError(t, err)
			})
		})
	}
	t.Run("canceled", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			srv := kinesistest.New(t, kinesistest.Config{Stream: testStream, InMemory: true})
			c := newTestClient(t, srv)
			srv.Fail(kinesistest.Fault{Do: kinesistest.Hang()})
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			r := c.NewRequest()
			defer r.Release()
			fill(t, r, 1)
			_, err := c.Put(ctx, r)
			require.EqualError(t, err, "the call was given up")
			var e *Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, CodeCanceled, e.Code)
			require.True(t, e.MaybeTaken, "it was sent")
			require.ErrorIs(t, err, context.DeadlineExceeded)

			_, err = c.Put(ctx, r)
			require.EqualError(t, err, "the call was given up")
			require.ErrorAs(t, err, &e)
			require.False(t, e.MaybeTaken, "it was not sent")
		})
	})
	t.Run("no connection", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			srv := kinesistest.New(t, kinesistest.Config{Stream: testStream, InMemory: true})
			c := newTestClient(t, srv, func(c *Config) {
				c.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
					<-ctx.Done()
					return nil, ctx.Err()
				}
			})
			e := putError(t, c, 1)
			require.Equal(t, CodeConnect, e.Code)
			require.False(t, e.MaybeTaken)
		})
	})
	t.Run("the body is not taken", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			here, there := net.Pipe()
			defer there.Close()
			go func() { _, _ = there.Read(make([]byte, 4<<10)) }() // the head, perhaps a bit more
			c := NewClient(Config{
				Stream: testStream, Timeout: time.Second,
				AWS:         aws.Config{Region: "us-east-1", BaseEndpoint: aws.String("http://kinesis.example.com"), Credentials: static{}},
				DialContext: func(context.Context, string, string) (net.Conn, error) { return here, nil },
			})
			defer c.Close()
			r := c.NewRequest()
			defer r.Release()
			require.True(t, r.Append(make([]byte, 100<<10), "key"))
			_, err := c.Put(t.Context(), r)
			var e *Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, CodeTimeout, e.Code)
			require.False(t, e.MaybeTaken, "half a request cannot be taken")
		})
	})
}

func TestBlamesStream(t *testing.T) {
	for message, want := range map[string]bool{
		"1 validation error detected: Value 'a b' at 'streamName' failed to satisfy constraint: Member must satisfy":                           true,
		"2 validation errors detected: Value '' at 'records.1.member.partitionKey' failed; Value 'a b' at 'streamARN' failed to satisfy":       true,
		"1 validation error detected: Value 'the streamName' at 'records.2.member.partitionKey' failed to satisfy constraint":                  false,
		"1 validation error detected: Value '[]' at 'records' failed to satisfy constraint: Member must have length less than or equal to 500": false,
		"Stream ARN is not valid.":         true,
		"Invalid StreamName":               true,
		"":                                 false,
		"Record exceeds the maximum size":  false,
		"Records size exceeds 10 MB limit": false,
	} {
		require.Equal(t, want, blamesStream(message), message)
	}
}

func TestLine(t *testing.T) {
	require.Equal(t, "a b c", line(" a\r\n\tb\x00\xff c "))
	require.Equal(t, strings.Repeat("é", 200)+"…", line(strings.Repeat("é", 1000)))
	require.Equal(t, "x"+strings.Repeat("é", 199)+"…", line("x"+strings.Repeat("é", 1000)))
	require.Equal(t, "", line(""))
	require.Equal(t, "parse https://host/a@b: no", line("parse https://user:p@ss@host/a@b: no"))
}

func ExampleError() {
	fmt.Println(&Error{Code: "KMSDisabledException", Message: "arn:… is disabled.", text: "the stream's KMS key cannot be used"})
	// Output: the stream's KMS key cannot be used (KMSDisabledException: arn:… is disabled.)
}
