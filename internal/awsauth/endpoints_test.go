// SPDX-License-Identifier: Apache-2.0

package awsauth

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/kinesistest"
)

// TestEndpoints checks which hosts are asked, in order, and which is told.
func TestEndpoints(t *testing.T) {
	const (
		stsHost     = "sts.us-east-1.amazonaws.com:443"
		kinesisHost = "kinesis.us-east-1.amazonaws.com:443"
	)
	tests := []struct {
		name  string
		o     Options
		env   map[string]string
		file  string // the shared config file
		asked []string
		host  string
	}{
		{
			name:  "nothing set",
			asked: []string{stsHost, kinesisHost},
			host:  "kinesis.us-east-1.amazonaws.com",
		},
		{
			name:  "endpoint serves both and gets no dry run",
			o:     Options{Endpoint: "https://kinesis.test"},
			asked: []string{"kinesis.test:443"},
			host:  "kinesis.test",
		},
		{
			name:  "sts_endpoint",
			o:     Options{STSEndpoint: "https://kinesis.test"},
			asked: []string{"kinesis.test:443", kinesisHost},
			host:  "kinesis.us-east-1.amazonaws.com",
		},
		{
			name:  "sts_endpoint wins over all",
			o:     Options{Endpoint: "https://localhost", STSEndpoint: "https://kinesis.test"},
			env:   map[string]string{"AWS_ENDPOINT_URL_STS": "https://wrong.test", "AWS_ENDPOINT_URL_KINESIS": "https://wrong.test"},
			asked: []string{"kinesis.test:443"},
			host:  "localhost",
		},
		{
			name:  "AWS_ENDPOINT_URL_STS wins over endpoint",
			o:     Options{Endpoint: "https://localhost"},
			env:   map[string]string{"AWS_ENDPOINT_URL_STS": "https://kinesis.test"},
			asked: []string{"kinesis.test:443"},
			host:  "localhost",
		},
		{
			name:  "AWS_ENDPOINT_URL_KINESIS gets no dry run",
			env:   map[string]string{"AWS_ENDPOINT_URL_KINESIS": "https://kinesis.test"},
			asked: []string{stsHost},
			host:  "kinesis.test",
		},
		{
			name:  "AWS_ENDPOINT_URL is for both",
			env:   map[string]string{"AWS_ENDPOINT_URL": "https://kinesis.test"},
			asked: []string{"kinesis.test:443"},
			host:  "kinesis.test",
		},
		{
			name:  "configured endpoints ignored",
			env:   map[string]string{"AWS_ENDPOINT_URL": "https://kinesis.test", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
			asked: []string{stsHost, kinesisHost},
			host:  "kinesis.us-east-1.amazonaws.com",
		},
		{
			name:  "services section of a profile",
			file:  "[default]\nservices = here\n[services here]\nsts =\n  endpoint_url = https://kinesis.test\n",
			asked: []string{"kinesis.test:443", kinesisHost},
			host:  "kinesis.us-east-1.amazonaws.com",
		},
		{
			name:  "FIPS",
			o:     Options{UseFIPS: true},
			asked: []string{"sts-fips.us-east-1.amazonaws.com:443", "kinesis-fips.us-east-1.amazonaws.com:443"},
			host:  "kinesis-fips.us-east-1.amazonaws.com",
		},
		{
			name:  "FIPS of the environment",
			env:   map[string]string{"AWS_USE_FIPS_ENDPOINT": "true"},
			asked: []string{"sts-fips.us-east-1.amazonaws.com:443", "kinesis-fips.us-east-1.amazonaws.com:443"},
			host:  "kinesis-fips.us-east-1.amazonaws.com",
		},
		{
			name:  "dual-stack",
			o:     Options{UseDualStack: true},
			asked: []string{"sts.us-east-1.api.aws:443", "kinesis.us-east-1.api.aws:443"},
			host:  "kinesis.us-east-1.api.aws",
		},
		{
			name:  "dual-stack of a profile",
			file:  "[default]\nuse_dualstack_endpoint = true\n",
			asked: []string{"sts.us-east-1.api.aws:443", "kinesis.us-east-1.api.aws:443"},
			host:  "kinesis.us-east-1.api.aws",
		},
		{
			name:  "stream ARN does not change the host",
			o:     Options{Stream: "arn:aws:kinesis:us-east-1:111122223333:stream/logs"},
			asked: []string{stsHost, kinesisHost},
			host:  "kinesis.us-east-1.amazonaws.com",
		},
		{
			name:  "account in the host, with keys that do not know theirs",
			o:     Options{AccountIDEndpointMode: "required"},
			asked: []string{stsHost, "111122223333.data-kinesis.us-east-1.amazonaws.com:443"},
			host:  "111122223333.data-kinesis.us-east-1.amazonaws.com",
		},
		{
			name:  "account in the host, with FIPS",
			o:     Options{AccountIDEndpointMode: "preferred", UseFIPS: true},
			asked: []string{"sts-fips.us-east-1.amazonaws.com:443", "111122223333.data-kinesis-fips.us-east-1.amazonaws.com:443"},
			host:  "111122223333.data-kinesis-fips.us-east-1.amazonaws.com",
		},
		{
			name:  "account in the host only by our own setting",
			env:   map[string]string{"AWS_ACCOUNT_ID_ENDPOINT_MODE": "required"},
			asked: []string{stsHost, kinesisHost},
			host:  "kinesis.us-east-1.amazonaws.com",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			config, _ := cleanEnv(t)
			for key, value := range tt.env {
				t.Setenv(key, value)
			}
			writeFile(t, config, tt.file)
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(t, func(c *kinesistest.Config) { c.IgnoreDryRun = tt.o.Endpoint != "" })
				withStatic(&tt.o, srv)
				b := newBench(t, srv, tt.o).run()
				b.requireProven("static keys", tt.host)
				require.Equal(t, tt.asked, b.net.hostsAsked())
				require.Empty(t, b.said())
				require.Zero(t, srv.Stream("logs").Len())

				// The client of the delivery goes where was said, also with an
				// ARN, which has the SDK put the account into the host.
				var went string
				client := kinesis.New(b.client().Options(), func(o *kinesis.Options) {
					o.HTTPClient = doer(func(r *http.Request) (*http.Response, error) {
						went = r.URL.Host
						return srv.Client().Do(r)
					})
				})
				in := &kinesis.PutRecordsInput{Records: []types.PutRecordsRequestEntry{{Data: []byte("r"), PartitionKey: aws.String("k")}}}
				if b.auth.stream.arn != "" {
					in.StreamARN = &b.auth.stream.arn
				} else {
					in.StreamName = &b.auth.stream.name
				}
				_, err := client.PutRecords(t.Context(), in)
				require.NoError(t, err)
				require.Equal(t, tt.host, went)
				require.Equal(t, 1, srv.Stream("logs").Len())
			})
		})
	}
}

type doer func(*http.Request) (*http.Response, error)

func (f doer) Do(r *http.Request) (*http.Response, error) { return f(r) }

// TestEndpointWithoutSTS is told apart from one that refuses the credentials.
func TestEndpointWithoutSTS(t *testing.T) {
	const warning = "WARN The endpoint does not speak STS, so nobody could be asked who the AWS credentials belong to; records are sent. Set `sts_endpoint` to have them checked."
	for name, mode := range map[string]kinesistest.STSMode{
		"kinesis-local": kinesistest.STSUnknownKinesisLocal,
		"kinesalite":    kinesistest.STSUnknownKinesalite,
		"VPC endpoint":  kinesistest.STSUnknownVPCEndpoint,
	} {
		t.Run(name, func(t *testing.T) {
			cleanEnv(t)
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(t, func(c *kinesistest.Config) { c.STS, c.IgnoreDryRun = mode, true })
				o := Options{Endpoint: "https://kinesis.test"}
				withStatic(&o, srv)
				b := newBench(t, srv, o).run()
				synctest.Wait()
				require.True(t, b.ready())
				require.Empty(t, b.said())
				require.Equal(t, []string{warning}, b.messages())
				require.Equal(t, map[string]any{
					"method": "static keys", "region": "us-east-1", "host": "kinesis.test", "asked": "https://kinesis.test",
				}, b.logs.All()[0].ContextMap())
				require.Zero(t, srv.Stream("logs").Len(), "no dry run was sent")
				require.NoError(t, b.put(t.Context(), b.client(), "r"))

				// A role needs an STS, and that is said too.
				o.RoleARN = writerARN
				b = newBench(t, srv, o).run()
				synctest.Wait()
				require.False(t, b.ready())
				require.Equal(t, []string{"kinesis.test does not speak STS, so no role can be assumed there: set `sts_endpoint`"}, b.said())
			})
		})
	}

	t.Run("one that refuses", func(t *testing.T) {
		cleanEnv(t)
		synctest.Test(t, func(t *testing.T) {
			srv := newServer(t)
			b := newBench(t, srv, Options{Endpoint: "https://kinesis.test", AccessKeyID: "AKIAWRONGWRONGWRONG1", SecretAccessKey: "SEKRIT"}).run()
			synctest.Wait()
			require.False(t, b.ready())
			require.Equal(t, []string{"the access key in `key` (it ends in \"ONG1\") does not exist or is not active (InvalidClientTokenId from STS): correct it"}, b.said())
		})
	})
}

// A VPC endpoint of Kinesis is no STS: roles are assumed where the SDK would.
func TestRolesBesideAVPCEndpoint(t *testing.T) {
	cleanEnv(t)
	token := filepath.Join(t.TempDir(), "token")
	writeFile(t, token, jwt)
	t.Setenv("AWS_WEB_IDENTITY_TOKEN_FILE", token)
	t.Setenv("AWS_ROLE_ARN", writerARN)
	synctest.Test(t, func(t *testing.T) {
		const vpce = "vpce-0a1b2c3d4e5f-abcdefgh.kinesis.us-east-1.vpce.amazonaws.com"
		srv := newServer(t)
		srv.SetRole(kinesistest.Role{ARN: writerARN, WebIdentityToken: jwt})
		b := newBench(t, srv, Options{Endpoint: "https://" + vpce})
		// The certificate of the test does not name it.
		b.auth.http = b.auth.http.WithTransportOptions(func(tr *http.Transport) { tr.TLSClientConfig.InsecureSkipVerify = true })
		b.auth.opts.HTTPClient = b.auth.http
		b.run()
		synctest.Wait()
		require.True(t, b.ready(), "%q", b.said())
		require.Equal(t, []string{"sts.us-east-1.amazonaws.com:443", vpce + ":443"}, b.net.hostsAsked())
	})
}

func TestPlainEndpointIsWarnedAboutOnce(t *testing.T) {
	for endpoint, want := range map[string][]string{
		"http://kinesis.test":      {"The endpoint is plain HTTP on another machine: records are sent unencrypted; use an https URL."},
		"http://127.0.0.1:4567":    nil,
		"http://localhost:4567":    nil,
		"http://[::1]:4567":        nil,
		"https://kinesis.test:443": nil,
	} {
		t.Run(endpoint, func(t *testing.T) {
			cleanEnv(t)
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(t)
				o := Options{Endpoint: endpoint}
				withStatic(&o, srv)
				b := newBench(t, srv, o)
				defer b.auth.end()
				for range 3 {
					_, err := b.auth.Config(t.Context())
					require.NoError(t, err)
				}
				var got []string
				for _, e := range b.logs.All() {
					got = append(got, e.Message)
				}
				require.Equal(t, want, got)
			})
		})
	}
}

func TestProxy(t *testing.T) {
	cleanEnv(t)
	ask := func(t *testing.T, proxyURL, target string) string {
		t.Helper()
		proxy, err := Proxy(proxyURL)
		require.NoError(t, err)
		u, err := url.Parse(target)
		require.NoError(t, err)
		got, err := proxy(&http.Request{URL: u})
		require.NoError(t, err)
		if got == nil {
			return ""
		}
		return got.String()
	}
	const target = "https://kinesis.us-east-1.amazonaws.com/"
	require.Equal(t, "", ask(t, "", target))
	for _, p := range []string{"http://proxy:3128", "https://proxy:3129", "socks5://proxy:1080"} {
		require.Equal(t, p, ask(t, p, target))
	}
	local := []string{
		"http://169.254.169.254/latest/", "http://[fd00:ec2::254]/latest/", "http://169.254.170.2/v2/credentials",
		"http://169.254.170.23/v1/credentials", "http://[fd00:ec2::23]/v1/credentials", "http://localhost:4567/", "http://127.0.0.1/",
	}
	for _, target := range local {
		require.Equal(t, "", ask(t, "http://proxy:3128", target), target)
	}

	// The environment of now, not the one that net/http has remembered.
	t.Setenv("HTTPS_PROXY", "http://env-proxy:3128")
	t.Setenv("HTTP_PROXY", "http://env-proxy:3128")
	require.Equal(t, "http://env-proxy:3128", ask(t, "", target))
	for _, target := range local {
		require.Equal(t, "", ask(t, "", target), target)
	}
	t.Setenv("NO_PROXY", ".amazonaws.com")
	require.Equal(t, "", ask(t, "", target))
	require.Equal(t, "http://proxy:3128", ask(t, "http://proxy:3128", target), "proxy_url stands above the environment")

	for bad, want := range map[string]string{
		"ftp://proxy:21":           "`proxy_url` has the scheme \"ftp\": use http, https or socks5",
		"http://":                  "`proxy_url` names no host: write it like http://proxy.example.com:3128",
		"http://me:SEKRIT@pro xy/": "`proxy_url` is not a URL: write it like http://proxy.example.com:3128",
	} {
		_, err := Proxy(bad)
		require.EqualError(t, err, want)
	}
}

// TestEverythingGoesThroughTheProxy but the metadata service.
func TestEverythingGoesThroughTheProxy(t *testing.T) {
	cleanEnv(t)
	instance := &issuer{life: 6 * time.Hour}
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", startIMDS(t, instance))
	srv := kinesistest.New(t, kinesistest.Config{Stream: "logs", TLS: true})
	instance.srv.Store(srv)
	srv.SetRole(kinesistest.Role{ARN: writerARN})
	proxy := &kinesistest.ConnectProxy{Server: srv}
	listener := httptest.NewServer(proxy)
	defer listener.Close()

	client, err := NewHTTPClient(&tls.Config{RootCAs: srv.CertPool()}, listener.URL)
	require.NoError(t, err)
	a, err := New(Options{Region: "us-east-1", Stream: "logs", RoleARN: writerARN, HTTPClient: client})
	require.NoError(t, err)
	asked := make(chan struct{})
	seen := sync.OnceFunc(func() { close(asked) })
	srv.Fail(kinesistest.Fault{If: func(kinesistest.Call) bool { seen(); return false }, Do: kinesistest.Reset()})
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { a.Run(ctx) })
	require.NoError(t, a.Wait(t.Context()))
	<-asked // the dry run
	cancel()
	wg.Wait()
	require.Equal(t, []string{
		"sts.us-east-1.amazonaws.com:443", "sts.us-east-1.amazonaws.com:443", "kinesis.us-east-1.amazonaws.com:443",
	}, proxy.Hosts())
}

func TestCABundle(t *testing.T) {
	config, _ := cleanEnv(t)
	srv := kinesistest.New(t, kinesistest.Config{TLS: true})
	other := httptest.NewTLSServer(http.NotFoundHandler())
	defer other.Close()
	bundle := filepath.Join(filepath.Dir(config), "ca.pem")
	require.NoError(t, srv.WriteCA(bundle))

	get := func(a *Auth, url string) error {
		cfg, err := a.Config(t.Context())
		require.NoError(t, err)
		tr := Transport(cfg)
		defer tr.CloseIdleConnections()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		require.NoError(t, err)
		resp, err := tr.RoundTrip(req)
		if err == nil {
			resp.Body.Close()
		}
		return err
	}
	a, err := New(Options{Region: "us-east-1", AccessKeyID: "AKID", SecretAccessKey: "SEKRIT"})
	require.NoError(t, err)
	require.ErrorContains(t, get(a, srv.URL()), "certificate signed by unknown authority")

	t.Setenv("AWS_CA_BUNDLE", bundle)
	pool := other.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	client, err := NewHTTPClient(&tls.Config{RootCAs: pool}, "")
	require.NoError(t, err)
	a, err = New(Options{Region: "us-east-1", AccessKeyID: "AKID", SecretAccessKey: "SEKRIT", HTTPClient: client})
	require.NoError(t, err)
	require.NoError(t, get(a, srv.URL()))
	require.NoError(t, get(a, other.URL))
	require.Equal(t, uint16(tls.VersionTLS12), client.GetTransport().TLSClientConfig.MinVersion)

	// A bundle that is not there is waited for like a missing profile.
	t.Setenv("AWS_CA_BUNDLE", bundle+".missing")
	a, err = New(Options{Region: "us-east-1", AccessKeyID: "AKID", SecretAccessKey: "SEKRIT"})
	require.NoError(t, err)
	_, err = a.Config(t.Context())
	require.EqualError(t, err, bundle+".missing cannot be read (no such file or directory): mend it, it is read again")
}

func TestUntrustedCertificate(t *testing.T) {
	cleanEnv(t)
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		o := Options{}
		withStatic(&o, srv)
		b := newBench(t, srv, o)
		b.auth.opts.HTTPClient = b.auth.opts.HTTPClient.WithTransportOptions(func(tr *http.Transport) { tr.TLSClientConfig.RootCAs = nil })
		b.run()
		synctest.Wait()
		require.Equal(t, []string{"STS cannot be reached at sts.us-east-1.amazonaws.com (tls: failed to verify certificate: x509: certificate signed by unknown authority): give its certificate authority with `tls::ca_file`"}, b.said())
	})
}
