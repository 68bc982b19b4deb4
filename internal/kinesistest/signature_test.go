// SPDX-License-Identifier: Apache-2.0

package kinesistest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/require"
)

// TestAuthentication tries the same mistakes with both services.
func TestAuthentication(t *testing.T) {
	const mismatch = "The request signature we calculated does not match the signature you provided. " +
		"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	const invalid, expired = "The security token included in the request is invalid.", "The security token included in the request is expired"
	session := Credentials{AccessKeyID: "ASIASESSION", SecretAccessKey: "s", SessionToken: "token"}
	over := session
	over.Expires = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

	for name, tt := range map[string]struct {
		known        Credentials
		used         [3]string
		region       string
		clock        time.Duration
		kinesis, sts string // "" means success
	}{
		"session":              {known: session, used: [3]string{"ASIASESSION", "s", "token"}},
		"unknown key":          {used: [3]string{"AKIANOBODY", "s", ""}, kinesis: "400 UnrecognizedClientException: " + invalid, sts: "403 InvalidClientTokenId: " + invalid},
		"wrong secret":         {used: [3]string{defaultKeyID, "s", ""}, kinesis: "400 InvalidSignatureException: " + mismatch, sts: "403 SignatureDoesNotMatch: " + mismatch},
		"token missing":        {known: session, used: [3]string{"ASIASESSION", "s", ""}, kinesis: "400 UnrecognizedClientException: " + invalid, sts: "403 InvalidClientTokenId: " + invalid},
		"token wrong":          {known: session, used: [3]string{"ASIASESSION", "s", "other"}, kinesis: "400 UnrecognizedClientException: " + invalid, sts: "403 InvalidClientTokenId: " + invalid},
		"token where none was": {used: [3]string{defaultKeyID, defaultSecretKey, "token"}, kinesis: "400 UnrecognizedClientException: " + invalid, sts: "403 InvalidClientTokenId: " + invalid},
		"session over":         {known: over, used: [3]string{"ASIASESSION", "s", "token"}, kinesis: "400 ExpiredTokenException: " + expired, sts: "403 ExpiredToken: " + expired},
		"other region": {used: [3]string{defaultKeyID, defaultSecretKey, ""}, region: "eu-west-1",
			kinesis: "400 InvalidSignatureException: Credential should be scoped to a valid region.",
			sts:     "403 SignatureDoesNotMatch: Credential should be scoped to a valid region."},
		"clock 4 minutes off": {used: [3]string{defaultKeyID, defaultSecretKey, ""}, clock: 4 * time.Minute},
		"clock slow": {used: [3]string{defaultKeyID, defaultSecretKey, ""}, clock: 6 * time.Minute,
			kinesis: "400 InvalidSignatureException: Signature expired: 20000101T000000Z is now earlier than 20000101T000100Z (20000101T000600Z - 5 min.)",
			sts:     "403 SignatureDoesNotMatch: Signature expired: 20000101T000000Z is now earlier than 20000101T000100Z (20000101T000600Z - 5 min.)"},
		"clock fast": {used: [3]string{defaultKeyID, defaultSecretKey, ""}, clock: -time.Hour,
			kinesis: "400 InvalidSignatureException: Signature not yet current: 20000101T000000Z is still later than 19991231T230500Z (19991231T230000Z + 5 min.)",
			sts:     "403 SignatureDoesNotMatch: Signature not yet current: 20000101T000000Z is still later than 19991231T230500Z (19991231T230000Z + 5 min.)"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, Config{Stream: "logs"}, func(t *testing.T, s *Server) {
				if tt.known.AccessKeyID != "" {
					s.SetCredentials(tt.known)
				}
				s.SetClock(tt.clock)
				if tt.region == "" {
					tt.region = s.Region()
				}
				creds := credentials.NewStaticCredentialsProvider(tt.used[0], tt.used[1], tt.used[2])
				check := func(want string, err error) {
					t.Helper()
					if want == "" {
						require.NoError(t, err)
						return
					}
					require.Equal(t, want, failure(t, err))
				}
				_, err := kinesisClient(s, func(o *kinesis.Options) { o.Credentials, o.Region = creds, tt.region }).
					PutRecords(t.Context(), put("logs", record("k", "x")))
				check(tt.kinesis, err)
				_, err = stsClient(s, func(o *sts.Options) { o.Credentials, o.Region = creds, tt.region }).GetCallerIdentity(t.Context(), nil)
				check(tt.sts, err)
				if tt.kinesis != "" {
					require.Zero(t, s.Stream("logs").Len())
				}
			})
		})
	}
}

// TestClockSkewIsCorrected shows that the Date of an answer is what the SDK
// needs to mend its own clock.
func TestClockSkewIsCorrected(t *testing.T) {
	bubble(t, Config{Stream: "logs"}, func(t *testing.T, s *Server) {
		s.SetClock(time.Hour)
		client := kinesisClient(s, func(o *kinesis.Options) { o.Retryer = retry.NewStandard() })
		_, err := client.PutRecords(t.Context(), put("logs", record("k", "x")))
		require.NoError(t, err)
		require.Equal(t, 2, s.Stats().Requests["PutRecords"])
	})
}

func TestRemovedAndRotatedCredentials(t *testing.T) {
	s := New(t, Config{Stream: "logs"})
	client := kinesisClient(s)
	send := func() error {
		_, err := client.PutRecords(t.Context(), put("logs", record("k", "x")))
		return err
	}
	require.NoError(t, send())
	creds := s.Credentials()
	s.RemoveCredentials(creds.AccessKeyID)
	require.ErrorContains(t, send(), "UnrecognizedClientException")
	s.SetCredentials(creds)
	require.NoError(t, send())
	creds.SecretAccessKey = "rotated"
	s.SetCredentials(creds)
	require.ErrorContains(t, send(), "InvalidSignatureException")
}

// signed makes a request that the SDK's signer has signed.
func signed(t testing.TB, s *Server, service string, body []byte, change func(*http.Request)) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL(), bytes.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", typeJSON)
	r.Header.Set("X-Amz-Target", targetPrefix+"PutRecords")
	if change != nil {
		change(r)
	}
	creds, err := credentials.NewStaticCredentialsProvider(s.Credentials().Static()).Retrieve(t.Context())
	require.NoError(t, err)
	sum := sha256.Sum256(body)
	require.NoError(t, v4.NewSigner().SignHTTP(t.Context(), creds, r, hex.EncodeToString(sum[:]), service, s.Region(), time.Now()))
	return r
}

// exchange gives status and body of the answer.
func exchange(t *testing.T, s *Server, r *http.Request) (int, string) {
	t.Helper()
	w, err := s.Client().Do(r)
	require.NoError(t, err)
	defer w.Body.Close()
	body, err := io.ReadAll(w.Body)
	require.NoError(t, err)
	require.NotEmpty(t, w.Header["X-Amzn-Requestid"])
	return w.StatusCode, string(body)
}

func TestSignatureOfUnusualRequests(t *testing.T) {
	s := New(t, Config{Stream: "logs"})
	body := []byte(`{"StreamName":"logs","Records":[{"Data":"eA==","PartitionKey":"k"}]}`)
	for name, change := range map[string]func(*http.Request){
		"plain":            nil,
		"path":             func(r *http.Request) { r.URL.Path = "/some path/é+%2F~" },
		"query":            func(r *http.Request) { r.URL.RawQuery = "b=2&a=%20x+y&a=1&c" },
		"spaces in header": func(r *http.Request) { r.Header.Set("X-Amz-Meta", "  a   b  c ") },
		"header twice":     func(r *http.Request) { r.Header["X-Amz-Meta"] = []string{"b", "a"} },
		"security header":  func(r *http.Request) { r.Header.Set("User-Agent", "x"); r.Host = "kinesis.us-east-1.amazonaws.com" },
		"chunked": func(r *http.Request) {
			r.ContentLength = -1
			r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			status, answer := exchange(t, s, signed(t, s, "kinesis", body, change))
			require.Equal(t, 200, status, answer)
		})
	}
}

func TestSignatureRefuses(t *testing.T) {
	s := New(t, Config{Stream: "logs"})
	body := []byte(`{"StreamName":"logs","Records":[{"Data":"eA==","PartitionKey":"k"}]}`)
	for name, tt := range map[string]struct {
		change func(r *http.Request) // after signing
		want   string
	}{
		"no authorization": {func(r *http.Request) { r.Header.Del("Authorization") }, `{"__type":"MissingAuthenticationTokenException","message":"Missing Authentication Token"}`},
		"nothing in it": {func(r *http.Request) { r.Header.Set("Authorization", "AWS4-HMAC-SHA256") },
			`{"__type":"IncompleteSignatureException","message":"Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. Authorization=AWS4-HMAC-SHA256"}`},
		"algorithm": {func(r *http.Request) { r.Header.Set("Authorization", "Basic eDp5") },
			`{"__type":"IncompleteSignatureException","message":"Unsupported AWS 'algorithm': 'Basic'. Authorization=Basic eDp5"}`},
		"no date": {func(r *http.Request) {
			r.Header.Del("X-Amz-Date")
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=s")
		},
			`{"__type":"IncompleteSignatureException","message":"Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=s"}`},
		"scope": {func(r *http.Request) {
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=s")
		},
			`{"__type":"IncompleteSignatureException","message":"Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'a/b'"}`},
		"date":   {func(r *http.Request) { r.Header.Set("X-Amz-Date", "today") }, `{"__type":"IncompleteSignatureException","message":"Date must be in ISO-8601 'basic format'. Got 'today'. See http://en.wikipedia.org/wiki/ISO_8601"}`},
		"target": {func(r *http.Request) { r.Header.Set("X-Amz-Target", targetPrefix+"ListShards") }, mismatchBody},
		"body": {func(r *http.Request) {
			r.Body = io.NopCloser(bytes.NewReader(bytes.Replace(body, []byte("eA"), []byte("eB"), 1)))
		}, mismatchBody},
		"service": {nil, `{"__type":"InvalidSignatureException","message":"Credential should be scoped to correct service: 'kinesis'."}`},
		"no host": {func(r *http.Request) {
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+defaultKeyID+"/"+r.Header.Get("X-Amz-Date")[:8]+"/us-east-1/kinesis/aws4_request, SignedHeaders=x-amz-date, Signature=s")
		},
			`{"__type":"InvalidSignatureException","message":"'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."}`},
	} {
		t.Run(name, func(t *testing.T) {
			service := "kinesis"
			if tt.change == nil {
				service = "firehose"
			}
			r := signed(t, s, service, body, nil)
			if tt.change != nil {
				tt.change(r)
			}
			status, answer := exchange(t, s, r)
			require.Equal(t, 400, status)
			require.JSONEq(t, tt.want, answer)
		})
	}
	require.Zero(t, s.Stream("logs").Len())
}

const mismatchBody = `{"__type":"InvalidSignatureException","message":"The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."}`

// TestShapeless tries what is no request for either service.
func TestShapeless(t *testing.T) {
	s := New(t, Config{Stream: "logs", RefuseCBOR: true})
	unknown, forbidden := "<UnknownOperationException/>\n", "<AccessDeniedException>\n  <Message>Unable to determine service/operation name to be authorized</Message>\n</AccessDeniedException>\n"
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	for name, tt := range map[string]struct {
		body   string
		change func(*http.Request)
		status int
		want   string
	}{
		"GET":                    {"", func(r *http.Request) { r.Method = http.MethodGet }, 403, forbidden},
		"no target":              {"{}", func(r *http.Request) { r.Header.Del("X-Amz-Target") }, 403, forbidden},
		"content type":           {"{}", header("Content-Type", "text/plain"), 404, unknown},
		"CBOR to an old one":     {"\xa0", header("Content-Type", typeCBOR), 404, unknown},
		"unknown operation":      {"{}", header("X-Amz-Target", targetPrefix+"Nope"), 400, `{"__type":"UnknownOperationException"}`},
		"unknown service":        {"{}", header("X-Amz-Target", "Firehose_20150804.PutRecords"), 400, `{"__type":"UnknownOperationException"}`},
		"no JSON":                {"{", nil, 400, `{"__type":"SerializationException"}`},
		"no JSON elsewhere":      {"{", header("X-Amz-Target", targetPrefix+"ListShards"), 400, `{"__type":"SerializationException"}`},
		"other type":             {`{"StreamName":7}`, header("X-Amz-Target", targetPrefix+"ListShards"), 400, `{"__type":"SerializationException"}`},
		"records missing":        {`{"StreamName":"logs"}`, nil, 400, `{"__type":"ValidationException","message":"1 validation error detected: Value null at 'records' failed to satisfy constraint: Member must not be null"}`},
		"members missing":        {`{"StreamName":"logs","Records":[{}]}`, nil, 400, `{"__type":"ValidationException","message":"2 validation errors detected: Value null at 'records.1.member.partitionKey' failed to satisfy constraint: Member must not be null; Value null at 'records.1.member.data' failed to satisfy constraint: Member must not be null"}`},
		"unknown members are no": {`{"StreamName":"logs","Records":[{"PartitionKey":"k","Data":"","Extra":[{"a":-1.5e3}]}],"More":null}`, nil, 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := signed(t, s, "kinesis", []byte(tt.body), tt.change)
			status, body := exchange(t, s, r)
			require.Equal(t, tt.status, status)
			if tt.want != "" {
				require.Equal(t, tt.want, body)
			}
		})
	}
}

func TestSkipSignatures(t *testing.T) {
	s := New(t, Config{Stream: "logs", SkipSignatures: true})
	nobody := credentials.NewStaticCredentialsProvider("AKIANOBODY", "x", "")
	_, err := kinesisClient(s, func(o *kinesis.Options) { o.Credentials = nobody }).PutRecords(t.Context(), put("logs", record("k", "x")))
	require.NoError(t, err)
	out, err := stsClient(s, func(o *sts.Options) { o.Credentials = nobody }).GetCallerIdentity(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, s.Credentials().ARN, aws.ToString(out.Arn))
}
