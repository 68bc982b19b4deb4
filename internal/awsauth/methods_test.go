// SPDX-License-Identifier: Apache-2.0

package awsauth

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/kinesistest"
)

const (
	writerARN = "arn:aws:iam::111122223333:role/writer"
	jwt       = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJvdGVsIn0."
)

// serveMemory serves h without sockets until the test is over, and gives what
// connects to it.
func serveMemory(t *testing.T, h http.Handler) func(context.Context) (net.Conn, error) {
	l := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	srv := &http.Server{Handler: h}
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { require.NoError(t, srv.Close()) })
	return func(ctx context.Context) (net.Conn, error) {
		client, server := net.Pipe()
		select {
		case l.conns <- server:
			return client, nil
		case <-l.closed:
			return refuseDial(ctx)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}
func (l *pipes) Close() error   { close(l.closed); return nil }
func (l *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// issuer hands out sessions of a role that its Kinesis knows, as the metadata
// service and the container endpoints do.
type issuer struct {
	srv    atomic.Pointer[kinesistest.Server] // nil: the instance has no role
	life   time.Duration
	broken atomic.Bool

	mu      sync.Mutex
	secrets []string // that were handed out
}

func newIssuer(srv *kinesistest.Server, life time.Duration) *issuer {
	i := &issuer{life: life}
	i.srv.Store(srv)
	return i
}

func (i *issuer) issue() (kinesistest.Credentials, error) {
	if i.broken.Load() {
		return kinesistest.Credentials{}, errors.New("broken")
	}
	c := i.srv.Load().IssueCredentials(writerARN, "i-0123456789abcdef0", i.life)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.secrets = append(i.secrets, c.SecretAccessKey, c.SessionToken)
	return c, nil
}

// startIMDS serves it on a loopback port, outside of any bubble: the SDK dials
// the metadata service itself.
func startIMDS(t *testing.T, i *issuer) (url string) {
	role := &kinesistest.InstanceMetadata{Region: "us-east-1", Role: "writer", Credentials: i.issue}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if i.srv.Load() == nil && strings.HasPrefix(r.URL.Path, "/latest/meta-data/iam/") {
			http.NotFound(w, r)
			return
		}
		role.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// container is the agent of ECS, or with a token that of EKS Pod Identity.
func (i *issuer) container(token string) http.Handler {
	return &kinesistest.ContainerCredentials{Token: token, Credentials: i.issue}
}

func TestMethods(t *testing.T) {
	const host = "kinesis.us-east-1.amazonaws.com"
	tests := []struct {
		name string
		// set changes options, environment, files and network of the test.
		set    func(t *testing.T, b *methodBench)
		method string
		arn    string // "" for the server's user
	}{
		{
			name:   "static",
			set:    func(_ *testing.T, b *methodBench) { withStatic(&b.o, b.srv) },
			method: "static keys",
		},
		{
			name: "session",
			set: func(_ *testing.T, b *methodBench) {
				b.o.AccessKeyID, b.o.SecretAccessKey, b.o.SessionToken = b.srv.IssueCredentials(writerARN, "ci", time.Hour).Static()
			},
			method: "static session keys",
			arn:    "arn:aws:sts::111122223333:assumed-role/writer/ci",
		},
		{
			name: "environment",
			set: func(t *testing.T, b *methodBench) {
				id, secret, _ := b.srv.Credentials().Static()
				t.Setenv("AWS_ACCESS_KEY_ID", id)
				t.Setenv("AWS_SECRET_ACCESS_KEY", secret)
			},
			method: "environment",
		},
		{
			name: "profile",
			set: func(t *testing.T, b *methodBench) {
				b.o.Profile = "shipper"
				// The profile that is asked for wins over the environment.
				t.Setenv("AWS_ACCESS_KEY_ID", "AKIAWRONGWRONGWRONG1")
				t.Setenv("AWS_SECRET_ACCESS_KEY", "SEKRITWRONG")
				b.credentialsFile(t, "shipper", b.srv.Credentials())
			},
			method: `profile "shipper"`,
		},
		{
			name:   "default profile",
			set:    func(t *testing.T, b *methodBench) { b.credentialsFile(t, "default", b.srv.Credentials()) },
			method: `profile "default"`,
		},
		{
			name: "AWS_PROFILE",
			set: func(t *testing.T, b *methodBench) {
				t.Setenv("AWS_PROFILE", "other")
				b.credentialsFile(t, "other", b.srv.Credentials())
			},
			method: `profile "other"`,
		},
		{
			name: "process",
			set: func(t *testing.T, b *methodBench) {
				c := b.srv.Credentials()
				out := filepath.Join(t.TempDir(), "out.json")
				writeFile(t, out, fmt.Sprintf(`{"Version":1,"AccessKeyId":%q,"SecretAccessKey":%q}`, c.AccessKeyID, c.SecretAccessKey))
				b.o.Profile = "vault"
				writeFile(t, b.config, "[profile vault]\ncredential_process = cat "+out+"\n")
			},
			method: `process of profile "vault"`,
		},
		{
			name: "web identity",
			set: func(t *testing.T, b *methodBench) {
				b.srv.SetRole(kinesistest.Role{ARN: writerARN, WebIdentityToken: jwt})
				file := filepath.Join(t.TempDir(), "token")
				writeFile(t, file, jwt)
				t.Setenv("AWS_WEB_IDENTITY_TOKEN_FILE", file)
				t.Setenv("AWS_ROLE_ARN", writerARN)
				t.Setenv("AWS_ROLE_SESSION_NAME", "pod-7")
			},
			method: "web identity",
			arn:    "arn:aws:sts::111122223333:assumed-role/writer/pod-7",
		},
		{
			name: "web identity of a profile",
			set: func(t *testing.T, b *methodBench) {
				b.srv.SetRole(kinesistest.Role{ARN: writerARN, WebIdentityToken: jwt})
				file := filepath.Join(t.TempDir(), "token")
				writeFile(t, file, jwt)
				b.o.Profile = "irsa"
				writeFile(t, b.config, "[profile irsa]\nrole_arn = "+writerARN+"\nrole_session_name = pod-8\nweb_identity_token_file = "+file+"\n")
			},
			method: `web identity of profile "irsa"`,
			arn:    "arn:aws:sts::111122223333:assumed-role/writer/pod-8",
		},
		{
			name: "ECS",
			set: func(t *testing.T, b *methodBench) {
				t.Setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/0123")
				b.hosts["169.254.170.2:80"] = newIssuer(b.srv, time.Hour).container("")
			},
			method: "container",
			arn:    "arn:aws:sts::111122223333:assumed-role/writer/i-0123456789abcdef0",
		},
		{
			name: "EKS Pod Identity",
			set: func(t *testing.T, b *methodBench) {
				file := filepath.Join(t.TempDir(), "eks-pod-identity-token")
				writeFile(t, file, jwt)
				t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials")
				t.Setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file)
				b.hosts["169.254.170.23:80"] = newIssuer(b.srv, time.Hour).container(jwt)
			},
			method: "container",
			arn:    "arn:aws:sts::111122223333:assumed-role/writer/i-0123456789abcdef0",
		},
		{
			name:   "instance role",
			set:    func(_ *testing.T, b *methodBench) { b.instance.srv.Store(b.srv) },
			method: "instance role",
			arn:    "arn:aws:sts::111122223333:assumed-role/writer/i-0123456789abcdef0",
		},
		{
			name: "assumed role",
			set: func(_ *testing.T, b *methodBench) {
				withStatic(&b.o, b.srv)
				b.srv.SetRole(kinesistest.Role{ARN: writerARN, ExternalID: "tenant-1"})
				b.o.RoleARN, b.o.ExternalID = writerARN, "tenant-1"
			},
			method: "assumed role " + writerARN + " via static keys",
			arn:    "arn:aws:sts::111122223333:assumed-role/writer/" + sessionName(),
		},
		{
			name: "assumed role via instance role",
			set: func(_ *testing.T, b *methodBench) {
				b.instance.srv.Store(b.srv)
				b.srv.SetRole(kinesistest.Role{ARN: writerARN})
				b.o.RoleARN = writerARN
			},
			method: "assumed role " + writerARN + " via instance role",
			arn:    "arn:aws:sts::111122223333:assumed-role/writer/" + sessionName(),
		},
		{
			name: "role of a profile",
			set: func(t *testing.T, b *methodBench) {
				b.srv.SetRole(kinesistest.Role{ARN: writerARN, ExternalID: "tenant-1"})
				b.credentialsFile(t, "base", b.srv.Credentials())
				b.o.Profile = "writer"
				writeFile(t, b.config, "[profile writer]\nrole_arn = "+writerARN+"\nexternal_id = tenant-1\nrole_session_name = box\nsource_profile = base\n")
			},
			method: "assumed role " + writerARN + ` of profile "writer" via profile "base"`,
			arn:    "arn:aws:sts::111122223333:assumed-role/writer/box",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			config, file := cleanEnv(t)
			instance := &issuer{life: 6 * time.Hour}
			t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", startIMDS(t, instance))
			synctest.Test(t, func(t *testing.T) {
				mb := &methodBench{srv: newServer(t), instance: instance, config: config, file: file, hosts: map[string]http.Handler{}}
				tt.set(t, mb)
				b := newBench(t, mb.srv, mb.o)
				for addr, h := range mb.hosts {
					b.net.hosts[addr] = serveMemory(t, h)
				}
				b.run().requireProven(tt.method, host)
				if tt.arn == "" {
					tt.arn = "arn:aws:iam::111122223333:user/otel"
				}
				require.Equal(t, tt.arn, b.info()["arn"])
				require.NoError(t, b.put(t.Context(), b.client(), "r"))
				require.Equal(t, 1, mb.srv.Stream("logs").Len())
				require.Empty(t, b.said())
			})
		})
	}
}

type methodBench struct {
	srv          *kinesistest.Server
	instance     *issuer
	imds         string // where instance is served
	o            Options
	config, file string
	hosts        map[string]http.Handler
}

func (b *methodBench) credentialsFile(t *testing.T, profile string, c kinesistest.Credentials) {
	writeCredentials(t, b.file, profile, c)
}

func writeCredentials(t *testing.T, file, profile string, c kinesistest.Credentials) {
	t.Helper()
	text := fmt.Sprintf("[%s]\naws_access_key_id = %s\naws_secret_access_key = %s\n", profile, c.AccessKeyID, c.SecretAccessKey)
	if c.SessionToken != "" {
		text += "aws_session_token = " + c.SessionToken + "\n"
	}
	writeFile(t, file, text)
}

func TestSessionNameIsWhatSTSAllows(t *testing.T) {
	name := sessionName()
	require.True(t, strings.HasPrefix(name, "amazonkinesis"))
	require.LessOrEqual(t, len(name), 64)
	require.False(t, notSessionName.MatchString(name))
}
