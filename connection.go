// SPDX-License-Identifier: Apache-2.0

package amazonkinesisexporter

import (
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"

	"go.uber.org/zap"

	"go.opentelemetry.io/collector/exporter"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/awsauth"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/delivery"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/putrecords"
)

// network is how calls leave the process; the zero value is the machine's own network.
type network struct {
	dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// connection is the way to AWS: proven credentials, and PutRecords calls that are signed with them.
type connection struct {
	cfg     putrecords.Config
	auth    *awsauth.Auth
	draft   *putrecords.Client // makes requests before the settings of the environment are known
	client  atomic.Pointer[putrecords.Client]
	connect sync.Mutex

	stopRun context.CancelFunc
	running sync.WaitGroup
}

func newConnection(cfg *Config, set exporter.Settings, network network, report func(error)) (*connection, error) {
	tlsConfig, err := cfg.TLS.LoadTLSConfig(context.Background())
	if err != nil {
		return nil, err
	}
	httpClient, err := awsauth.NewHTTPClient(tlsConfig, string(cfg.ProxyURL))
	if err != nil {
		return nil, err
	}
	if network.dial != nil {
		httpClient = httpClient.WithTransportOptions(func(t *http.Transport) { t.DialContext = network.dial })
	}
	auth, err := awsauth.New(awsauth.Options{
		AccessKeyID:           string(cfg.Key),
		SecretAccessKey:       string(cfg.Secret),
		SessionToken:          string(cfg.Session),
		Profile:               cfg.Profile,
		RoleARN:               cfg.RoleARN,
		ExternalID:            string(cfg.ExternalID),
		Region:                cfg.Region,
		Stream:                cfg.Stream,
		Endpoint:              cfg.Endpoint,
		STSEndpoint:           cfg.STSEndpoint,
		UseFIPS:               cfg.UseFIPSEndpoint,
		UseDualStack:          cfg.UseDualStackEndpoint,
		AccountIDEndpointMode: cfg.AccountIDEndpointMode,
		HTTPClient:            httpClient,
		Logger:                set.Logger,
		Report:                report,
	})
	if err != nil {
		return nil, err
	}
	c := &connection{
		auth: auth,
		cfg: putrecords.Config{
			Stream:      cfg.Stream,
			Protocol:    putrecords.Protocol(cfg.Protocol),
			MaxRecords:  cfg.MaxEvents,
			Timeout:     cfg.Timeout,
			Connections: concurrency(cfg),
			DialContext: network.dial,
			OnFallback: func(err error) {
				set.Logger.Warn("The endpoint refuses `protocol: cbor`; records are sent as JSON from now on.", zap.Error(err))
			},
		},
	}
	c.draft = putrecords.NewClient(c.cfg)
	return c, nil
}

// start begins to prove the credentials.
func (c *connection) start() {
	ctx, cancel := context.WithCancel(context.Background())
	c.stopRun = cancel
	c.running.Go(func() { c.auth.Run(ctx) })
}

func (c *connection) stop() {
	c.stopRun()
	c.running.Wait()
	if client := c.client.Load(); client != nil {
		client.Close()
	}
}

// ready is closed when the credentials are proven.
func (c *connection) ready() <-chan struct{} { return c.auth.Ready() }

// refusedCredentials has the credentials renewed that AWS refused.
func (c *connection) refusedCredentials(err error) { c.auth.Refused(err) }

// NewRequest implements delivery.Client.
func (c *connection) NewRequest() *putrecords.Request {
	if client := c.client.Load(); client != nil {
		return client.NewRequest()
	}
	return c.draft.NewRequest()
}

// Put implements delivery.Client.
func (c *connection) Put(ctx context.Context, req *putrecords.Request) (putrecords.Answer, error) {
	client, err := c.connected(ctx)
	if err != nil {
		return putrecords.Answer{}, err
	}
	answer, err := client.Put(ctx, req)
	if err != nil {
		if explained := c.auth.Explain(err); explained != nil {
			err = explained
		}
	}
	return answer, err
}

// connected returns the client, which is made when the settings of the environment could be read.
func (c *connection) connected(ctx context.Context) (*putrecords.Client, error) {
	if client := c.client.Load(); client != nil {
		return client, nil
	}
	c.connect.Lock()
	defer c.connect.Unlock()
	if client := c.client.Load(); client != nil {
		return client, nil
	}
	awsConfig, err := c.auth.Config(ctx)
	if err != nil {
		return nil, err
	}
	cfg := c.cfg
	cfg.AWS = awsConfig
	transport := awsauth.Transport(awsConfig)
	cfg.TLS, cfg.Proxy = transport.TLSClientConfig, transport.Proxy
	client := putrecords.NewClient(cfg)
	c.client.Store(client)
	return client, nil
}

// dryRun is a client that sends nothing.
type dryRun struct{ delivery.Client }

func (dryRun) Put(context.Context, *putrecords.Request) (putrecords.Answer, error) {
	return putrecords.Answer{}, nil
}
