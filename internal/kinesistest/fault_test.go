// SPDX-License-Identifier: Apache-2.0

package kinesistest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"
)

// TestRefuse says what the SDK makes of each error. "UnknownError" stands where
// the service sends no message.
func TestRefuse(t *testing.T) {
	const key = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
	want := map[string]string{
		"InternalFailure":                        "500 InternalFailure: UnknownError",
		"InternalFailureException":               "500 InternalFailureException: Internal Service Failure",
		"ServiceUnavailable":                     "503 ServiceUnavailable: UnknownError",
		"ServiceUnavailableException":            "503 ServiceUnavailableException: UnknownError",
		"ThrottlingException":                    "400 ThrottlingException: Rate exceeded",
		"TooManyRequestsException":               "429 TooManyRequestsException: Too Many Requests",
		"ProvisionedThroughputExceededException": "400 ProvisionedThroughputExceededException: Rate exceeded for shard shardId-000000000000 in stream logs under account 111122223333.",
		"LimitExceededException":                 "400 LimitExceededException: Rate exceeded for stream logs under account 111122223333.",
		"KMSThrottlingException":                 "400 KMSThrottlingException: You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.",
		"KMSDisabledException":                   "400 KMSDisabledException: " + key + " is disabled.",
		"KMSInvalidStateException":               "400 KMSInvalidStateException: " + key + " is pending deletion.",
		"KMSAccessDeniedException":               "400 KMSAccessDeniedException: User: arn:aws:iam::111122223333:user/otel is not authorized to perform: kms:GenerateDataKey on resource: " + key + " because no identity-based policy allows the kms:GenerateDataKey action",
		"KMSNotFoundException":                   "400 KMSNotFoundException: Key '" + key + "' does not exist",
		"KMSOptInRequired":                       "400 KMSOptInRequired: The AWS Access Key Id needs a subscription for the service",
		"ResourceNotFoundException":              "400 ResourceNotFoundException: Stream logs under account 111122223333 not found.",
		"ResourceInUseException":                 "400 ResourceInUseException: Stream logs under account 111122223333 not ACTIVE, instead in state CREATING",
		"InvalidArgumentException":               "400 InvalidArgumentException: Invalid record in stream logs under account 111122223333.",
		"ValidationException":                    "400 ValidationException: 1 validation error detected: Value '' at 'records.1.member.partitionKey' failed to satisfy constraint: Member must have length greater than or equal to 1",
		"AccessDeniedException":                  "400 AccessDeniedException: User: arn:aws:iam::111122223333:user/otel is not authorized to perform: kinesis:PutRecords on resource: arn:aws:kinesis:us-east-1:111122223333:stream/logs because no identity-based policy allows the kinesis:PutRecords action",
		"ExpiredTokenException":                  "400 ExpiredTokenException: The security token included in the request is expired",
		"ExpiredToken":                           "400 ExpiredToken: The security token included in the request is expired",
		"UnrecognizedClientException":            "400 UnrecognizedClientException: The security token included in the request is invalid.",
		"InvalidClientTokenId":                   "403 InvalidClientTokenId: The security token included in the request is invalid.",
		"InvalidSignatureException":              "400 InvalidSignatureException: The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
		"IncompleteSignatureException":           "400 IncompleteSignatureException: Authorization header requires 'Signature' parameter. Authorization=AWS4-HMAC-SHA256",
		"IncompleteSignature":                    "400 IncompleteSignature: Authorization header requires 'Signature' parameter. Authorization=AWS4-HMAC-SHA256",
		"MissingAuthenticationTokenException":    "400 MissingAuthenticationTokenException: Missing Authentication Token",
		"RequestExpired":                         "400 RequestExpired: Request has expired.",
		"RequestTimeoutException":                "408 RequestTimeoutException: A timeout occurred while trying to communicate with the service",
		"OptInRequired":                          "403 OptInRequired: The AWS Access Key Id needs a subscription for the service",
		"NotAuthorized":                          "400 NotAuthorized: You do not have permission to perform this action.",
		"SerializationException":                 "400 SerializationException: UnknownError",
		"UnknownOperationException":              "400 UnknownOperationException: UnknownError",
		"DryRunOperationException":               "400 DryRunOperationException: The request was rejected because the DryRun parameter was specified.",
		"ExpiredIteratorException":               "400 ExpiredIteratorException: Iterator expired.",
	}
	s := New(t, Config{Stream: "logs"})
	client := kinesisClient(s)
	for _, code := range KinesisErrors() {
		remove := s.Fail(Fault{Do: Refuse(code)})
		_, err := client.PutRecords(t.Context(), put("logs", record("k", "x")))
		require.Equal(t, want[code], failure(t, err))
		remove()
		delete(want, code)
	}
	require.Empty(t, want)
	require.Zero(t, s.Stream("logs").Len())

	s.Fail(Fault{Do: Answer(418, "Teapot", "of {stream}")})
	_, err := client.PutRecords(t.Context(), put("logs", record("k", "x")))
	require.Equal(t, "418 Teapot: of logs", failure(t, err))
	require.PanicsWithValue(t, `kinesistest: no error "Nonsense" in Kinesis or STS`, func() { Refuse("Nonsense") })
	require.Panics(t, func() { s.Fail(Fault{}) })
}

// TestEndings tries everything that ends a call but an error of the service, on
// every transport.
func TestEndings(t *testing.T) {
	each(t, Config{Stream: "logs"}, func(t *testing.T, cfg Config) {
		s := New(t, cfg)
		body := must(json.Marshal(map[string]any{"StreamName": "logs", "Records": []map[string]string{{"Data": "eA==", "PartitionKey": "k"}}}))
		for name, tt := range map[string]struct {
			do     Effect
			taken  int
			result string
			check  func(t *testing.T, w *http.Response, got string, err error)
		}{
			"lose":  {Lose(), 1, "lost", func(t *testing.T, _ *http.Response, _ string, err error) { require.Error(t, err) }},
			"reset": {Reset(), 0, "reset", func(t *testing.T, _ *http.Response, _ string, err error) { require.Error(t, err) }},
			"cut": {Cut(-1), 1, "cut", func(t *testing.T, w *http.Response, got string, err error) {
				require.Error(t, err)
				require.Equal(t, 200, w.StatusCode)
				require.True(t, strings.HasPrefix(got, `{"FailedRecordCount":0,`), got)
			}},
			"cut to the head": {Cut(0), 1, "cut", func(t *testing.T, w *http.Response, got string, err error) {
				require.Error(t, err)
				require.Empty(t, got)
			}},
			"empty": {Rewrite(func([]byte) []byte { return nil }), 1, "200", func(t *testing.T, w *http.Response, got string, err error) {
				require.NoError(t, err)
				require.Equal(t, 200, w.StatusCode)
				require.Empty(t, got)
			}},
			"garbled": {Rewrite(func(b []byte) []byte { return b[:20] }), 1, "200", func(t *testing.T, w *http.Response, got string, err error) {
				require.NoError(t, err)
				require.Equal(t, `{"FailedRecordCount"`, got)
			}},
			"gzip": {Gzip(), 1, "200", func(t *testing.T, w *http.Response, got string, err error) {
				require.NoError(t, err)
				require.True(t, w.Uncompressed)
				require.True(t, strings.HasSuffix(got, "}]}"))
			}},
			"HTML": {HTML(502), 0, "502", func(t *testing.T, w *http.Response, got string, err error) {
				require.NoError(t, err)
				require.Equal(t, "502 Bad Gateway", w.Status)
				require.Equal(t, "text/html", w.Header.Get("Content-Type"))
				require.Contains(t, got, "<h1>502 Bad Gateway</h1>")
			}},
			"raw": {Raw(200, "", nil), 0, "200", func(t *testing.T, w *http.Response, got string, err error) {
				require.NoError(t, err)
				require.Empty(t, w.Header.Get("Content-Type"))
				require.Empty(t, got)
			}},
			"redirect": {Redirect("https://elsewhere.example/"), 0, "307", func(t *testing.T, w *http.Response, got string, err error) {
				require.NoError(t, err)
				require.Equal(t, 307, w.StatusCode)
				require.Equal(t, "https://elsewhere.example/", w.Header.Get("Location"))
			}},
		} {
			t.Run(name, func(t *testing.T) {
				s.Stream("logs").Forget()
				s.Fail(Fault{Times: 1, Do: tt.do})
				client := s.Client()
				client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
				w, err := client.Do(signed(t, s, "kinesis", body, nil))
				var got []byte
				if err == nil {
					got, err = io.ReadAll(w.Body)
					w.Body.Close()
				}
				tt.check(t, w, string(got), err)
				require.Equal(t, tt.taken, s.Stream("logs").Len())
				require.Eventually(t, func() bool { return len(s.Calls("")) == s.Stats().Requests["PutRecords"] }, time.Minute, time.Millisecond)
				calls := s.Calls("PutRecords")
				require.Equal(t, tt.result, calls[len(calls)-1].Result)
				require.Equal(t, tt.taken, calls[len(calls)-1].Taken)

				// The next call finds everything in order.
				status, answer := exchange(t, s, signed(t, s, "kinesis", body, nil))
				require.Equal(t, 200, status, answer)
			})
		}
	})
}

func TestResetIsAReset(t *testing.T) {
	s := New(t, Config{Stream: "logs"})
	s.Fail(Fault{Do: Reset()})
	conn, err := s.DialContext(t.Context(), "tcp", "anywhere:80")
	require.NoError(t, err)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: %sPutRecords\r\nContent-Length: 1000000\r\n\r\n{", targetPrefix)
	require.NoError(t, err)
	_, err = io.ReadAll(conn)
	require.ErrorIs(t, err, syscall.ECONNRESET)

	_, err = kinesisClient(s).PutRecords(t.Context(), put("logs", record("k", strings.Repeat("x", 1<<20-1))))
	require.Error(t, err)
	require.Zero(t, s.Stream("logs").Len())
	for _, c := range s.Calls("PutRecords") {
		require.Equal(t, CallRecord{Time: c.Time, Duration: c.Duration, Op: "PutRecords", Result: "reset"}, c)
	}
}

func TestEntryFaults(t *testing.T) {
	s := New(t, Config{Stream: "logs", Shards: 4})
	client, st := kinesisClient(s), s.Stream("logs")
	all := []types.PutRecordsRequestEntry{record("a", "1"), record("b", "2"), record("a", "poison"), record("a", "3")}
	codes := func() string {
		out, err := client.PutRecords(t.Context(), put("logs", all...))
		require.NoError(t, err)
		var codes []string
		failed := 0
		for _, r := range out.Records {
			code := aws.ToString(r.ErrorCode)
			if code != "" {
				failed++
				code += ": " + *r.ErrorMessage
				require.Nil(t, r.SequenceNumber)
			}
			codes = append(codes, code)
		}
		require.EqualValues(t, failed, *out.FailedRecordCount)
		return strings.Join(codes, "|")
	}
	const throttled = "ProvisionedThroughputExceededException: Rate exceeded for shard shardId-000000000000 in stream logs under account 111122223333."
	const internal = "InternalFailure: Internal Service Failure."

	require.Equal(t, "|||", codes())
	remove := s.Fail(Fault{Do: ThrottleEntry(), IfEntry: func(e Entry) bool { return e.Key == "a" }})
	require.Equal(t, throttled+"||"+throttled+"|"+throttled, codes())
	remove()
	remove()
	require.Equal(t, "|||", codes())

	remove = s.Fail(Fault{Do: FailEntry("InternalFailure"), IfEntry: func(e Entry) bool { return e.ShardID == st.ShardOf("b") }})
	require.Equal(t, "|"+internal+"||", codes())
	remove()
	remove = s.Fail(Fault{Times: 2, Do: FailEntry("SomethingNew")})
	require.Equal(t, "SomethingNew: |SomethingNew: ||", codes())
	require.Equal(t, "|||", codes())
	remove()
	remove = s.Fail(Fault{Do: FailEntry("InternalFailure"), If: func(c Call) bool { return c.N == 8 && len(c.Entries) == 4 && c.Stream == "logs" }})
	require.Equal(t, "|||", codes())
	require.Equal(t, strings.Join([]string{internal, internal, internal, internal}, "|"), codes())
	remove()

	// A poison record fails its whole request.
	before := st.Len()
	s.Fail(Fault{Do: Refuse("InvalidArgumentException"), IfEntry: func(e Entry) bool { return bytes.Equal(e.Data, []byte("poison")) }})
	_, err := client.PutRecords(t.Context(), put("logs", all...))
	require.Equal(t, "400 InvalidArgumentException: Invalid record in stream logs under account 111122223333.", failure(t, err))
	all = all[:2]
	require.Equal(t, "|", codes())
	require.Equal(t, before+2, st.Len())
}

func TestShareAndTimes(t *testing.T) {
	count := func(f Fault) (struck int) {
		s := New(t, Config{Stream: "logs", SkipSignatures: true})
		s.CreateStream("other", 1)
		client := kinesisClient(s)
		s.Fail(f)
		for range 400 {
			if _, err := client.PutRecords(t.Context(), put("logs", record("k", "x"))); err != nil {
				struck++
			}
		}
		return struck
	}
	some := count(Fault{Share: 0.2, Seed: 7, Do: Refuse("InternalFailure")})
	require.InDelta(t, 80, some, 30)
	require.Equal(t, some, count(Fault{Share: 0.2, Seed: 7, Do: Refuse("InternalFailure")}), "the seed decides")
	require.Equal(t, 3, count(Fault{Share: 0.2, Times: 3, Do: Refuse("InternalFailure")}))
	require.Zero(t, count(Fault{Stream: "other", Do: Refuse("InternalFailure")}))
	require.Zero(t, count(Fault{Op: "PutRecord", Do: Refuse("InternalFailure")}))
	require.Equal(t, 400, count(Fault{Op: "*", Do: Refuse("InternalFailure")}))
	require.Zero(t, count(Fault{After: time.Hour, Do: Refuse("InternalFailure")}))

	s := New(t, Config{Stream: "logs"})
	s.Fail(Fault{Share: 0.05, Seed: 1, Do: FailEntry("InternalFailure")})
	many := make([]types.PutRecordsRequestEntry, 500)
	for i := range many {
		many[i] = record("k", "x")
	}
	failed := 0
	for range 20 {
		out, err := kinesisClient(s).PutRecords(t.Context(), put("logs", many...))
		require.NoError(t, err)
		failed += int(*out.FailedRecordCount)
	}
	require.InDelta(t, 500, failed, 100)
}

// TestFaultsChangeUnderLoad is for the race detector.
func TestFaultsChangeUnderLoad(t *testing.T) {
	s := New(t, Config{Stream: "logs", Shards: 2, Limits: true})
	client := kinesisClient(s)
	var senders sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	for range 4 {
		senders.Go(func() {
			for ctx.Err() == nil {
				_, _ = client.PutRecords(ctx, put("logs", record("a", "x"), record("b", "y")))
			}
		})
	}
	calls := 0
	for range 20 {
		removes := []func(){
			s.Fail(Fault{Share: 0.5, Do: FailEntry("InternalFailure"), If: func(Call) bool { calls++; return true }}),
			s.Fail(Fault{Share: 0.1, Do: Lose()}),
			s.Fail(Fault{Share: 0.1, Do: Delay(time.Millisecond, time.Millisecond)}),
		}
		require.NoError(t, s.Stream("logs").Split(s.Stream("logs").ShardOf("a")))
		s.Stats()
		s.Calls("")
		s.Stream("logs").Tally(func(func(string) bool) {})
		for _, remove := range removes {
			remove()
		}
	}
	stop()
	senders.Wait()
}

func TestOtherOperationsFail(t *testing.T) {
	s := New(t, Config{Stream: "logs"})
	s.Fail(Fault{Op: "DescribeStreamSummary", Do: Refuse("AccessDeniedException")})
	_, err := kinesisClient(s).DescribeStreamSummary(t.Context(), &kinesis.DescribeStreamSummaryInput{StreamName: aws.String("logs")})
	require.ErrorContains(t, err, "is not authorized to perform: kinesis:DescribeStreamSummary on resource")
}

func TestCBOR(t *testing.T) {
	s := New(t, Config{Stream: "logs", Shards: 2, Encrypted: true})
	type entry struct {
		Data            []byte
		PartitionKey    string
		ExplicitHashKey *string `cbor:",omitempty"`
	}
	send := func(records ...entry) (status int, answer map[string]any) {
		body := must(cbor.Marshal(map[string]any{"StreamName": "logs", "Records": records}))
		w, err := s.Client().Do(signed(t, s, "kinesis", body, func(r *http.Request) { r.Header.Set("Content-Type", typeCBOR) }))
		require.NoError(t, err)
		defer w.Body.Close()
		require.Equal(t, typeCBOR, w.Header.Get("Content-Type"))
		require.NoError(t, cbor.NewDecoder(w.Body).Decode(&answer))
		return w.StatusCode, answer
	}
	s.Fail(Fault{Do: ThrottleEntry(), IfEntry: func(e Entry) bool { return e.Key == "b" }})
	status, answer := send(entry{[]byte("\x00\xff"), "a", nil}, entry{nil, "a", aws.String("0")}, entry{[]byte{}, "b", nil})
	require.Equal(t, 400, status)
	require.Equal(t, "1 validation error detected: Value null at 'records.2.member.data' failed to satisfy constraint: Member must not be null", answer["message"])
	status, answer = send(entry{[]byte("\x00\xff"), "a", nil}, entry{[]byte("y"), "a", aws.String(maxHashKey.String())}, entry{[]byte{}, "b", nil})
	require.Equal(t, 200, status)
	require.EqualValues(t, 1, answer["FailedRecordCount"])
	require.Equal(t, "KMS", answer["EncryptionType"])
	records := answer["Records"].([]any)
	require.Equal(t, "shardId-000000000000", records[0].(map[any]any)["ShardId"])
	require.Equal(t, "shardId-000000000001", records[1].(map[any]any)["ShardId"])
	require.Equal(t, map[any]any{"ErrorCode": "ProvisionedThroughputExceededException",
		"ErrorMessage": "Rate exceeded for shard shardId-000000000001 in stream logs under account 111122223333."}, records[2])
	var data []string
	for r := range s.Stream("logs").Records() {
		data = append(data, string(r.Data))
	}
	require.Equal(t, []string{"\x00\xff", "y"}, data)

	s.Fail(Fault{Do: Refuse("AccessDeniedException")})
	status, answer = send(entry{[]byte("x"), "a", nil})
	require.Equal(t, 400, status)
	require.Contains(t, answer["Message"], "is not authorized to perform: kinesis:PutRecords")
}

func TestClientGivesUpWhileHanging(t *testing.T) {
	each(t, Config{Stream: "logs"}, func(t *testing.T, cfg Config) {
		s := New(t, cfg)
		s.Fail(Fault{Do: Hang()})
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error)
		go func() {
			_, err := kinesisClient(s).PutRecords(ctx, put("logs", record("k", "x")))
			result <- err
		}()
		for s.Stats().Requests["PutRecords"] == 0 {
			time.Sleep(time.Millisecond)
		}
		cancel()
		require.True(t, errors.Is(<-result, context.Canceled))
		require.Eventually(t, func() bool { return len(s.Calls("")) == 1 }, time.Minute, time.Millisecond)
		require.Equal(t, "hung", s.Calls("")[0].Result)
	})
}
