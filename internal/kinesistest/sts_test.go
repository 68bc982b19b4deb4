// SPDX-License-Identifier: Apache-2.0

package kinesistest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/require"
)

const roleARN = "arn:aws:iam::111122223333:role/path/writer"

func TestAssumeRole(t *testing.T) {
	bubble(t, Config{Stream: "logs", Roles: []Role{{ARN: roleARN, ExternalID: "ext"}}}, func(t *testing.T, s *Server) {
		client := stsClient(s)
		in := &sts.AssumeRoleInput{RoleArn: aws.String(roleARN), RoleSessionName: aws.String("me"), DurationSeconds: aws.Int32(900)}
		denied := "403 AccessDenied: User: arn:aws:iam::111122223333:user/otel is not authorized to perform: sts:AssumeRole on resource: " + roleARN
		_, err := client.AssumeRole(t.Context(), in)
		require.Equal(t, denied, failure(t, err))
		in.ExternalId = aws.String("other")
		_, err = client.AssumeRole(t.Context(), in)
		require.Equal(t, denied, failure(t, err))
		in.ExternalId = aws.String("ext")
		out, err := client.AssumeRole(t.Context(), in)
		require.NoError(t, err)
		require.Equal(t, "arn:aws:sts::111122223333:assumed-role/writer/me", *out.AssumedRoleUser.Arn)
		require.Equal(t, "AROAKINESISTEST000001:me", *out.AssumedRoleUser.AssumedRoleId)
		require.Equal(t, 15*time.Minute, time.Until(*out.Credentials.Expiration))

		session := credentials.NewStaticCredentialsProvider(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken)
		who, err := stsClient(s, func(o *sts.Options) { o.Credentials = session }).GetCallerIdentity(t.Context(), nil)
		require.NoError(t, err)
		require.Equal(t, "arn:aws:sts::111122223333:assumed-role/writer/me", *who.Arn)
		writer := kinesisClient(s, func(o *kinesis.Options) { o.Credentials = session })
		_, err = writer.PutRecords(t.Context(), put("logs", record("k", "x")))
		require.NoError(t, err)

		s.Fail(Fault{Times: 1, Do: Refuse("AccessDeniedException")})
		_, err = writer.PutRecords(t.Context(), put("logs", record("k", "x")))
		require.ErrorContains(t, err, "User: arn:aws:sts::111122223333:assumed-role/writer/me is not authorized to perform: kinesis:PutRecords")

		time.Sleep(15 * time.Minute)
		_, err = writer.PutRecords(t.Context(), put("logs", record("k", "x")))
		require.ErrorContains(t, err, "ExpiredTokenException")

		in.DurationSeconds = aws.Int32(60)
		_, err = client.AssumeRole(t.Context(), in)
		require.ErrorContains(t, err, "ValidationError: 1 validation error detected: Value '60' at 'durationSeconds'")
		s.SetRole(Role{ARN: roleARN, Lifetime: time.Second})
		in.DurationSeconds = nil
		out, err = client.AssumeRole(t.Context(), in)
		require.NoError(t, err)
		require.Equal(t, time.Second, time.Until(*out.Credentials.Expiration))
		in.RoleArn = aws.String("arn:aws:iam::111122223333:role/nope")
		_, err = client.AssumeRole(t.Context(), in)
		require.ErrorContains(t, err, "AccessDenied")
	})
}

func TestWebIdentity(t *testing.T) {
	s := New(t, Config{Roles: []Role{{ARN: roleARN, WebIdentityToken: "jwt"}}})
	client := stsClient(s, func(o *sts.Options) { o.Credentials = aws.AnonymousCredentials{} })
	in := &sts.AssumeRoleWithWebIdentityInput{RoleArn: aws.String(roleARN), RoleSessionName: aws.String("pod"), WebIdentityToken: aws.String("jwt")}
	out, err := client.AssumeRoleWithWebIdentity(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, "arn:aws:sts::111122223333:assumed-role/writer/pod", *out.AssumedRoleUser.Arn)
	require.Equal(t, "system:serviceaccount:default:otel", *out.SubjectFromWebIdentityToken)
	in.WebIdentityToken = aws.String("other")
	_, err = client.AssumeRoleWithWebIdentity(t.Context(), in)
	require.ErrorContains(t, err, "InvalidIdentityToken: Couldn't retrieve verification key from your identity provider")
	in.RoleArn = aws.String("arn:aws:iam::111122223333:role/nope")
	_, err = client.AssumeRoleWithWebIdentity(t.Context(), in)
	require.Equal(t, "403 AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity", failure(t, err))
}

func TestSTSFaults(t *testing.T) {
	s := New(t, Config{Stream: "logs"})
	for code, text := range stsErrors {
		remove := s.Fail(Fault{Op: "GetCallerIdentity", Do: Refuse(code)})
		_, err := stsClient(s).GetCallerIdentity(t.Context(), nil)
		require.Contains(t, failure(t, err), code+": ")
		require.Contains(t, failure(t, err), text.message[:min(len(text.message), 5)])
		_, err = kinesisClient(s).PutRecords(t.Context(), put("logs", record("k", "x")))
		require.NoError(t, err)
		remove()
	}
	require.Equal(t, sortedKeys(stsErrors), STSErrors())

	s.Fail(Fault{Op: "GetCallerIdentity", Times: 1, Do: Refuse("AccessDenied")})
	_, err := stsClient(s).GetCallerIdentity(t.Context(), nil)
	require.Equal(t, "403 AccessDenied: User: arn:aws:iam::111122223333:user/otel is not authorized to perform: sts:GetCallerIdentity on resource: ", failure(t, err))
	s.Fail(Fault{Op: "GetCallerIdentity", Times: 1, Do: Reset()})
	_, err = stsClient(s).GetCallerIdentity(t.Context(), nil)
	require.ErrorContains(t, err, "connection reset by peer")
	s.Fail(Fault{Op: "*", Times: 1, Do: HTML(503)})
	_, err = stsClient(s).GetCallerIdentity(t.Context(), nil)
	require.ErrorContains(t, err, "StatusCode: 503")
	_, err = stsClient(s).GetSessionToken(t.Context(), nil)
	require.Equal(t, "400 InvalidAction: Could not find operation GetSessionToken for version 2011-06-15", failure(t, err))
}

// TestEndpointsWithoutSTS holds the answers against those that the emulators
// gave: kinesis-local 0.6.2 a 404 with text/plain, kinesalite 3.3.3 a 403
// without a content type.
func TestEndpointsWithoutSTS(t *testing.T) {
	for mode, want := range map[STSMode]string{
		STSUnknownVPCEndpoint:  "StatusCode: 404",
		STSUnknownKinesisLocal: "StatusCode: 404",
		STSUnknownKinesalite:   "StatusCode: 403",
	} {
		s := New(t, Config{Stream: "logs", STS: mode})
		_, err := stsClient(s).GetCallerIdentity(t.Context(), nil)
		require.ErrorContains(t, err, want)
		_, err = kinesisClient(s).PutRecords(t.Context(), put("logs", record("k", "x")))
		require.NoError(t, err)
	}
}

// defaultChain loads the SDK's default chain from an environment that holds
// nothing but what is given.
func defaultChain(t *testing.T, env map[string]string) aws.CredentialsProvider {
	t.Helper()
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE",
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_EC2_METADATA_DISABLED"} {
		t.Setenv(name, "")
	}
	none := filepath.Join(t.TempDir(), "none")
	t.Setenv("AWS_CONFIG_FILE", none)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", none)
	for name, value := range env {
		t.Setenv(name, value)
	}
	cfg, err := config.LoadDefaultConfig(t.Context(), config.WithRegion("us-east-1"))
	require.NoError(t, err)
	return cfg.Credentials
}

func TestInstanceMetadata(t *testing.T) {
	s := New(t, Config{Stream: "logs"})
	failing := false
	imds := httptest.NewServer(&InstanceMetadata{Role: "node", Region: "eu-central-1", Credentials: func() (Credentials, error) {
		if failing {
			return Credentials{}, errors.New("no")
		}
		return s.IssueCredentials("arn:aws:iam::111122223333:role/node", "i-0123456789abcdef0", 6*time.Hour), nil
	}})
	defer imds.Close()
	chain := defaultChain(t, map[string]string{"AWS_EC2_METADATA_SERVICE_ENDPOINT": imds.URL})
	got, err := chain.Retrieve(t.Context())
	require.NoError(t, err)
	require.Equal(t, "EC2RoleProvider", got.Source)
	who, err := stsClient(s, func(o *sts.Options) { o.Credentials = chain }).GetCallerIdentity(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, "arn:aws:sts::111122223333:assumed-role/node/i-0123456789abcdef0", *who.Arn)

	for path, want := range map[string]int{"/latest/meta-data/iam/security-credentials/": 401, "/latest/api/token": 405} {
		w, err := imds.Client().Get(imds.URL + path)
		require.NoError(t, err)
		w.Body.Close()
		require.Equal(t, want, w.StatusCode)
	}
	ask := func(method, path, header, value string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), method, imds.URL+path, nil)
		require.NoError(t, err)
		r.Header.Set(header, value)
		w, err := imds.Client().Do(r)
		require.NoError(t, err)
		defer w.Body.Close()
		body, err := io.ReadAll(w.Body)
		require.NoError(t, err)
		return w.StatusCode, string(body)
	}
	status, _ := ask(http.MethodPut, "/latest/api/token", metadataTTL, "0")
	require.Equal(t, 400, status)
	status, token := ask(http.MethodPut, "/latest/api/token", metadataTTL, "60")
	require.Equal(t, 200, status)
	for path, want := range map[string]string{
		"/latest/meta-data/placement/region":           "200 eu-central-1",
		"/latest/dynamic/instance-identity/document":   `200 {"instanceId":"i-0123456789abcdef0","region":"eu-central-1","version":"2017-09-30"}`,
		"/latest/meta-data/iam/security-credentials":   "200 node",
		"/latest/meta-data/iam/security-credentials/x": "404 Not Found\n",
	} {
		status, body := ask(http.MethodGet, path, metadataToken, token)
		require.Equal(t, want, fmt.Sprint(status, " ", body))
	}
	failing = true
	status, _ = ask(http.MethodGet, "/latest/meta-data/iam/security-credentials/node", metadataToken, token)
	require.Equal(t, 500, status)
}

func TestContainerCredentials(t *testing.T) {
	s := New(t, Config{Stream: "logs"})
	handler := &ContainerCredentials{Token: "secret-token", RoleARN: roleARN, Credentials: func() (Credentials, error) {
		return s.IssueCredentials(roleARN, "task", time.Hour), nil
	}}
	endpoint := httptest.NewServer(handler)
	defer endpoint.Close()

	chain := defaultChain(t, map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": endpoint.URL, "AWS_CONTAINER_AUTHORIZATION_TOKEN": "secret-token"})
	_, err := kinesisClient(s, func(o *kinesis.Options) { o.Credentials = chain }).PutRecords(t.Context(), put("logs", record("k", "x")))
	require.NoError(t, err)

	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte("secret-token"), 0o600))
	handler.AccountID = "111122223333"
	chain = defaultChain(t, map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": endpoint.URL, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": file})
	creds, err := chain.Retrieve(t.Context())
	require.NoError(t, err)
	require.Equal(t, "111122223333", creds.AccountID)
	require.True(t, creds.CanExpire)

	t.Setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "")
	chain = defaultChain(t, map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": endpoint.URL, "AWS_CONTAINER_AUTHORIZATION_TOKEN": "wrong", "AWS_MAX_ATTEMPTS": "1"})
	_, err = chain.Retrieve(t.Context())
	require.ErrorContains(t, err, "AccessDeniedException")
	handler.Credentials = func() (Credentials, error) { return Credentials{}, errors.New("no") }
	chain = defaultChain(t, map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": endpoint.URL, "AWS_CONTAINER_AUTHORIZATION_TOKEN": "secret-token", "AWS_MAX_ATTEMPTS": "1"})
	_, err = chain.Retrieve(t.Context())
	require.ErrorContains(t, err, "InternalServerException")
}

// TestConnectProxy uses the endpoints that the SDK derives by itself.
func TestConnectProxy(t *testing.T) {
	s := New(t, Config{Stream: "logs", TLS: true, Region: "eu-west-1"})
	proxy := &ConnectProxy{Server: s}
	front := httptest.NewServer(proxy)
	defer front.Close()
	client := proxyClient(s, front.URL)
	defer client.CloseIdleConnections()

	plain := func(o *kinesis.Options) { o.BaseEndpoint, o.HTTPClient = nil, client }
	_, err := kinesisClient(s, plain).PutRecords(t.Context(), put("logs", record("k", "x")))
	require.NoError(t, err)
	_, err = kinesisClient(s, plain, func(o *kinesis.Options) { o.EndpointOptions.UseFIPSEndpoint = aws.FIPSEndpointStateEnabled }).
		PutRecords(t.Context(), &kinesis.PutRecordsInput{StreamARN: aws.String(s.Stream("logs").ARN()), Records: put("", record("k", "x")).Records})
	require.NoError(t, err)
	_, err = stsClient(s, func(o *sts.Options) { o.BaseEndpoint, o.HTTPClient = nil, client }).GetCallerIdentity(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, []string{
		"kinesis.eu-west-1.amazonaws.com:443", "111122223333.data-kinesis-fips.eu-west-1.amazonaws.com:443", "sts.eu-west-1.amazonaws.com:443",
	}, proxy.Hosts())

	s.Down()
	_, err = stsClient(s, func(o *sts.Options) { o.BaseEndpoint, o.HTTPClient = nil, client }).GetCallerIdentity(t.Context(), nil)
	require.Error(t, err)
}
