// SPDX-License-Identifier: Apache-2.0

// Package awsauth finds the credentials that requests to Kinesis are signed
// with, proves them before the first record is sent, and says in one sentence
// what is wrong when they do not work.
//
//	Options ─▶ settings ─▶ source ─▶ Auth.Retrieve ─▶ signs every request
//	           (endpoints)  (keys)        ▲
//	                                      │ Refused: read everything again
//	           Auth.Run: GetCallerIdentity ─▶ Ready ─▶ PutRecords with DryRun
//
// Nothing in here fails the start of the collector except a setting that no
// change outside its configuration could mend.
package awsauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"go.uber.org/zap"
)

// Options say where credentials come from and where requests go.
type Options struct {
	// Static credentials. Without an access key the SDK's default chain is
	// asked: environment, web identity, shared config, container, instance role.
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string

	// Profile of the shared config files, "" for what AWS_PROFILE says.
	Profile string
	// RoleARN is a role to assume with whatever credentials there are.
	RoleARN    string
	ExternalID string

	Region string
	// Stream is a name or an ARN.
	Stream string

	// Endpoint and STSEndpoint are absolute URLs, "" for what the SDK's
	// environment and profile settings or AWS itself say.
	Endpoint    string
	STSEndpoint string
	// UseFIPS and UseDualStack, when false, leave the choice to the SDK's
	// environment and profile settings.
	UseFIPS      bool
	UseDualStack bool
	// AccountIDEndpointMode is disabled, preferred or required; "" is disabled.
	AccountIDEndpointMode string

	// HTTPClient makes the requests, see NewHTTPClient; nil is
	// NewHTTPClient(nil, "").
	HTTPClient *awshttp.BuildableClient
	Logger     *zap.Logger
	// Report is told of every change: why credentials do not work, or nil when
	// they work again. Calls come one at a time, from the goroutine of Run.
	Report func(error)
}

// Auth is the credentials of one exporter. It is safe for concurrent use.
type Auth struct {
	opts   Options
	stream stream
	http   *awshttp.BuildableClient

	// life ends with Run, and with it every request for credentials: the SDK
	// detaches those from the context of the request that needs them.
	life context.Context
	end  context.CancelFunc

	ready chan struct{} // closed when the identity is proven
	wake  chan struct{} // holds one request to check again

	settingsMu sync.Mutex
	settings   *settings // nil until the environment and the files could be read

	mu          sync.Mutex // guards everything below
	creds       aws.Credentials
	method      string
	have        bool
	refused     bool      // AWS refused creds
	refreshAt   time.Time // when to ask for new ones, zero: never
	fetching    *fetch
	fetchErr    error // of the last fetch, a *Failure
	failures    int   // fetches that failed in a row
	refusals    int   // fetches in a row that followed a refusal
	lastFetch   time.Time
	account     string // of the proven identity
	caller      string // its ARN
	lastFailure error  // of the last check
}

// New checks o and makes no request and reads no file. Its errors can be
// mended in the configuration only.
func New(o Options) (*Auth, error) {
	if o.Region == "" {
		return nil, errors.New("`region` is required")
	}
	switch o.AccountIDEndpointMode {
	case "":
		o.AccountIDEndpointMode = aws.AccountIDEndpointModeDisabled
	case aws.AccountIDEndpointModeDisabled, aws.AccountIDEndpointModePreferred, aws.AccountIDEndpointModeRequired:
	default:
		return nil, fmt.Errorf("`account_id_endpoint_mode` is %q: use disabled, preferred or required", o.AccountIDEndpointMode)
	}
	if err := checkURL("endpoint", o.Endpoint); err != nil {
		return nil, err
	}
	if err := checkURL("sts_endpoint", o.STSEndpoint); err != nil {
		return nil, err
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	if o.Report == nil {
		o.Report = func(error) {}
	}
	if o.HTTPClient == nil {
		client, err := NewHTTPClient(nil, "")
		if err != nil {
			return nil, err
		}
		o.HTTPClient = client
	}
	life, end := context.WithCancel(context.Background())
	return &Auth{
		opts:   o,
		stream: parseStream(o.Stream),
		http:   o.HTTPClient.WithTransportOptions(noKeepAlives),
		life:   life,
		end:    end,
		ready:  make(chan struct{}),
		wake:   make(chan struct{}, 1),
	}, nil
}

// Ready is closed once the identity is proven, or once it is known that the
// endpoint cannot tell it. Records wait for it.
func (a *Auth) Ready() <-chan struct{} { return a.ready }

// Wait returns nil once Ready is closed. When ctx or Run ends first, its error
// carries what was wrong at the last check.
func (a *Auth) Wait(ctx context.Context) error {
	select {
	case <-a.ready:
		return nil
	default:
	}
	var err error
	select {
	case <-a.ready:
		return nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-a.life.Done():
		err = errStopped
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.lastFailure != nil {
		return fmt.Errorf("%w: %w", a.lastFailure, err)
	}
	return fmt.Errorf("the AWS credentials are not proven yet: %w", err)
}

var errStopped = errors.New("the exporter is shutting down")

// Config is what to build a Kinesis client from, with kinesis.NewFromConfig:
// region, credentials, HTTP client with proxy and certificates, and the
// endpoint with all its variants. It reads the environment and the shared
// config files, but makes no request. Its error may pass: the files can be
// mended while the collector runs. After Ready it does not fail.
func (a *Auth) Config(ctx context.Context) (aws.Config, error) {
	s, err := a.loadSettings(ctx)
	if err != nil {
		return aws.Config{}, a.explain(err, nil)
	}
	cfg := s.cfg.Copy()
	cfg.Credentials = a
	return cfg, nil
}

// Transport is a copy of the HTTP transport in cfg, which Config gave: take from
// it the proxy and the certificates, those of AWS_CA_BUNDLE included.
func Transport(cfg aws.Config) *http.Transport { return client(cfg).GetTransport() }

// Explain turns an answer of Kinesis into a sentence for a person, where it is
// about credentials, permissions, the stream or its key. For every other error
// it is nil. The result wraps err.
func (a *Auth) Explain(err error) error {
	f := a.explain(err, a.current())
	if f.Kind == KindUnknown {
		return nil
	}
	return f
}

// current is the settings when they could be read, else nil.
func (a *Auth) current() *settings {
	a.settingsMu.Lock()
	defer a.settingsMu.Unlock()
	return a.settings
}
