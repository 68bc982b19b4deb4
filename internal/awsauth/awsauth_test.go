// SPDX-License-Identifier: Apache-2.0

package awsauth

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/kinesistest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// cleanEnv leaves nothing of this machine's AWS settings, and gives the paths
// of the shared config files, which do not exist.
func cleanEnv(t *testing.T) (configFile, credentialsFile string) {
	t.Helper()
	for _, kv := range os.Environ() {
		key, _, _ := strings.Cut(kv, "=")
		if strings.HasPrefix(key, "AWS_") || strings.HasSuffix(strings.ToUpper(key), "_PROXY") {
			t.Setenv(key, "") // restores it afterwards
			require.NoError(t, os.Unsetenv(key))
		}
	}
	home := t.TempDir()
	t.Setenv("HOME", home)
	configFile, credentialsFile = filepath.Join(home, "config"), filepath.Join(home, "credentials")
	t.Setenv("AWS_CONFIG_FILE", configFile)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", credentialsFile)
	// The SDK has its own dialer for the metadata service; nobody listens here.
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1")
	return configFile, credentialsFile
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

// bench is one Auth against a Kinesis and an STS that have the host names of
// AWS, in a synctest bubble.
type bench struct {
	t    *testing.T
	srv  *kinesistest.Server
	auth *Auth
	logs *observer.ObservedLogs
	net  *network
	stop func()

	mu      sync.Mutex
	reports []string // "ok" for recovery
}

// network leads every address to the server except those in hosts.
type network struct {
	srv   *kinesistest.Server
	hosts map[string]func(context.Context) (net.Conn, error)

	mu    sync.Mutex
	asked []string
}

func (n *network) dial(ctx context.Context, netw, addr string) (net.Conn, error) {
	n.mu.Lock()
	n.asked = append(n.asked, addr)
	n.mu.Unlock()
	if dial, ok := n.hosts[addr]; ok {
		return dial(ctx)
	}
	return n.srv.DialContext(ctx, netw, addr)
}

// hostsAsked are the addresses in order, each once.
func (n *network) hostsAsked() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	seen := map[string]bool{}
	var hosts []string
	for _, addr := range n.asked {
		if !seen[addr] {
			seen[addr] = true
			hosts = append(hosts, addr)
		}
	}
	return hosts
}

// refuseDial is a host where nobody listens.
func refuseDial(context.Context) (net.Conn, error) {
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: fmt.Errorf("connection refused")}
}

// newServer is an in-memory server with TLS and the stream "logs".
func newServer(t *testing.T, change ...func(*kinesistest.Config)) *kinesistest.Server {
	cfg := kinesistest.Config{Stream: "logs", InMemory: true, TLS: true}
	for _, c := range change {
		c(&cfg)
	}
	return kinesistest.New(t, cfg)
}

// withStatic fills in the server's key pair.
func withStatic(o *Options, srv *kinesistest.Server) {
	o.AccessKeyID, o.SecretAccessKey, o.SessionToken = srv.Credentials().Static()
}

// newBench makes the Auth; run starts it.
func newBench(t *testing.T, srv *kinesistest.Server, o Options) *bench {
	t.Helper()
	core, logs := observer.New(zapcore.DebugLevel)
	b := &bench{t: t, srv: srv, logs: logs, net: &network{srv: srv, hosts: map[string]func(context.Context) (net.Conn, error){}}}
	o.Region = "us-east-1"
	if o.Stream == "" {
		o.Stream = "logs"
	}
	o.Logger = zap.New(core)
	o.Report = func(err error) {
		b.mu.Lock()
		defer b.mu.Unlock()
		if err == nil {
			b.reports = append(b.reports, "ok")
			return
		}
		b.reports = append(b.reports, err.Error())
	}
	client, err := NewHTTPClient(&tls.Config{RootCAs: srv.CertPool()}, "")
	require.NoError(t, err)
	o.HTTPClient = client.WithTransportOptions(func(tr *http.Transport) { tr.DialContext = b.net.dial })
	b.auth, err = New(o)
	require.NoError(t, err)
	return b
}

func (b *bench) run() *bench {
	ctx, cancel := context.WithCancel(b.t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { b.auth.Run(ctx) })
	b.stop = sync.OnceFunc(func() { cancel(); wg.Wait() })
	b.t.Cleanup(func() {
		b.stop()
		b.noSecrets()
	})
	return b
}

// secrets are parts of all the secrets in these tests.
var secrets = []string{
	"kinesistest/secret", "SEKRIT", "TOKN", "eyJ", "IQoJ", "AKIA", "ASIA",
}

// noSecrets looks for secrets in everything that was said.
func (b *bench) noSecrets() {
	hidden := append([]string{b.auth.opts.SecretAccessKey, b.auth.opts.SessionToken, b.auth.creds.SecretAccessKey, b.auth.creds.SessionToken}, secrets...)
	said := b.said()
	for _, entry := range b.logs.All() {
		said = append(said, entry.Message, fmt.Sprint(entry.ContextMap()))
	}
	for _, text := range said {
		for _, secret := range hidden {
			if secret != "" && strings.Contains(text, secret) {
				b.t.Errorf("the secret %q was told: %s", secret, text)
			}
		}
	}
}

func (b *bench) said() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.reports...)
}

func (b *bench) ready() bool {
	select {
	case <-b.auth.Ready():
		return true
	default:
		return false
	}
}

// info is the fields of the last line that tells the identity.
func (b *bench) info() map[string]any {
	b.t.Helper()
	lines := b.logs.FilterMessage("AWS credentials are proven.").All()
	require.NotEmpty(b.t, lines)
	return lines[len(lines)-1].ContextMap()
}

// messages are the log lines as text, in order.
func (b *bench) messages() []string {
	var lines []string
	for _, e := range b.logs.All() {
		lines = append(lines, e.Level.CapitalString()+" "+e.Message)
	}
	return lines
}

// put sends one record as the delivery does it: it waits, and on a refusal
// tells and tries again a second later.
func (b *bench) put(ctx context.Context, client *kinesis.Client, data string) error {
	if err := b.auth.Wait(ctx); err != nil {
		return err
	}
	for {
		_, err := client.PutRecords(ctx, &kinesis.PutRecordsInput{
			StreamName: aws.String("logs"),
			Records:    []types.PutRecordsRequestEntry{{Data: []byte(data), PartitionKey: aws.String(data)}},
		}, func(o *kinesis.Options) { o.Retryer = aws.NopRetryer{} })
		if err == nil {
			return nil
		}
		b.auth.Refused(err)
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w, last: %w", ctx.Err(), err)
		case <-time.After(time.Second):
		}
	}
}

func (b *bench) client() *kinesis.Client {
	b.t.Helper()
	cfg, err := b.auth.Config(b.t.Context())
	require.NoError(b.t, err)
	return kinesis.NewFromConfig(cfg, func(o *kinesis.Options) { o.HTTPClient = b.srv.Client() })
}

// requirePolitely fails unless all went as it should: identity first, nothing
// written.
func (b *bench) requireProven(method, host string) {
	b.t.Helper()
	synctest.Wait()
	require.True(b.t, b.ready(), "%q", b.said())
	require.Equal(b.t, method, b.info()["method"])
	require.Equal(b.t, host, b.info()["host"])
	require.Equal(b.t, b.srv.Account(), b.info()["account"])
	require.Equal(b.t, "us-east-1", b.info()["region"])
}

func TestNewRefusesWhatOnlyTheConfigurationCanMend(t *testing.T) {
	cleanEnv(t)
	for _, tt := range []struct {
		o    Options
		want string
	}{
		{Options{}, "`region` is required"},
		{Options{Region: "us-east-1", AccountIDEndpointMode: "always"}, "`account_id_endpoint_mode` is \"always\": use disabled, preferred or required"},
		{Options{Region: "us-east-1", Endpoint: "localhost:4567"}, "`endpoint` must be an absolute URL such as https://kinesis.example.com"},
		{Options{Region: "us-east-1", Endpoint: "ftp://localhost"}, "`endpoint` must be an absolute URL such as https://kinesis.example.com"},
		{Options{Region: "us-east-1", STSEndpoint: "https://"}, "`sts_endpoint` must be an absolute URL such as https://kinesis.example.com"},
	} {
		_, err := New(tt.o)
		require.EqualError(t, err, tt.want)
	}
}

func TestIdentityBeforeAnyRecord(t *testing.T) {
	cleanEnv(t)
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		o := Options{}
		withStatic(&o, srv)
		b := newBench(t, srv, o).run()
		b.requireProven("static keys", "kinesis.us-east-1.amazonaws.com")
		require.Equal(t, "arn:aws:iam::111122223333:user/otel", b.info()["arn"])

		var ops []string
		for _, c := range srv.Calls("") {
			ops = append(ops, c.Op+" "+c.Result)
		}
		require.Equal(t, []string{"GetCallerIdentity 200", "PutRecords 400 DryRunOperationException"}, ops)
		require.Zero(t, srv.Stream("logs").Len())
		require.Equal(t, []string{"INFO AWS credentials are proven."}, b.messages())
		require.Empty(t, b.said())
		require.Equal(t, []string{"sts.us-east-1.amazonaws.com:443", "kinesis.us-east-1.amazonaws.com:443"}, b.net.hostsAsked())

		// Nothing more is asked while all is well.
		time.Sleep(24 * time.Hour)
		require.Len(t, srv.Calls(""), 2)
		b.stop()
	})
}

func TestStopAtOnce(t *testing.T) {
	cleanEnv(t)
	for name, fault := range map[string]kinesistest.Fault{
		"STS hangs":        {Op: "GetCallerIdentity", Do: kinesistest.Hang()},
		"Kinesis hangs":    {Op: "PutRecords", Do: kinesistest.Hang()},
		"AssumeRole hangs": {Op: "AssumeRole", Do: kinesistest.Hang()},
		"between checks":   {Op: "GetCallerIdentity", Do: kinesistest.Refuse("Throttling")},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(t)
				o := Options{}
				withStatic(&o, srv)
				if fault.Op == "AssumeRole" {
					o.RoleARN = "arn:aws:iam::111122223333:role/writer"
				}
				srv.Fail(fault)
				b := newBench(t, srv, o).run()
				wait := make(chan error, 1)
				go func() { wait <- b.auth.Wait(context.Background()) }()
				time.Sleep(5 * time.Second)
				synctest.Wait()
				before := time.Now()
				b.stop()
				if fault.Op != "PutRecords" {
					require.ErrorContains(t, <-wait, "the exporter is shutting down")
				} else {
					require.NoError(t, <-wait)
				}
				require.Equal(t, before, time.Now())
			})
		})
	}
}
