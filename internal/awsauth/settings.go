// SPDX-License-Identifier: Apache-2.0

package awsauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	smithyendpoints "github.com/aws/smithy-go/endpoints"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"
	"go.uber.org/zap"
)

// settings is everything but the credentials that the options, the environment
// and the shared config files say. Once read they stay.
type settings struct {
	cfg    aws.Config // without credentials
	env    config.EnvConfig
	shared config.SharedConfig

	// stsURL is where the identity is asked for, "" for STS of the region, and
	// stsFromEndpoint that only `endpoint` named it: it may be no STS at all.
	stsURL          string
	stsFromEndpoint bool
	// kinesisURL is the custom endpoint, "" for Kinesis of the region.
	kinesisURL string

	identity *sts.Client     // asks for the identity; keeps the clock's correction
	kinesis  *kinesis.Client // asks for the permission
}

// loadSettings reads them unless that was done.
func (a *Auth) loadSettings(ctx context.Context) (*settings, error) {
	a.settingsMu.Lock()
	defer a.settingsMu.Unlock()
	if a.settings != nil {
		return a.settings, nil
	}
	cfg, err := config.LoadDefaultConfig(ctx, a.loadOptions(a.opts.HTTPClient,
		config.WithCredentialsProvider(aws.AnonymousCredentials{}))...)
	if err != nil {
		return nil, &loadError{err}
	}
	s := &settings{}
	for _, source := range cfg.ConfigSources {
		switch source := source.(type) {
		case config.EnvConfig:
			s.env = source
		case config.SharedConfig:
			s.shared = source
		}
	}
	cfg.Credentials = nil
	cfg.AccountIDEndpointMode = aws.AccountIDEndpointMode(a.opts.AccountIDEndpointMode)

	s.stsURL = a.opts.STSEndpoint
	if s.stsURL == "" {
		s.stsURL = aws.ToString(sts.NewFromConfig(cfg).Options().BaseEndpoint)
	}
	if s.stsURL == "" && a.opts.Endpoint != "" {
		s.stsURL, s.stsFromEndpoint = a.opts.Endpoint, true
	}
	s.kinesisURL = a.opts.Endpoint
	if s.kinesisURL == "" {
		s.kinesisURL = aws.ToString(kinesis.NewFromConfig(cfg).Options().BaseEndpoint)
	}

	cfg.ServiceOptions = append(cfg.ServiceOptions, func(_ string, o any) {
		switch o := o.(type) {
		case *sts.Options:
			o.HTTPSignerV4 = &signer{}
		case *kinesis.Options:
			o.HTTPSignerV4 = &signer{}
			if s.kinesisURL != "" {
				o.BaseEndpoint = &s.kinesisURL
			}
			if o.AccountIDEndpointMode == aws.AccountIDEndpointModeDisabled {
				o.EndpointResolverV2 = regional{kinesis.NewDefaultEndpointResolverV2()}
			}
		}
	})
	s.cfg = cfg

	proof := cfg.Copy()
	proof.HTTPClient = client(cfg).WithTransportOptions(noKeepAlives)
	proof.Credentials = a
	// Run repeats what fails; a second loop inside it would only hide why.
	proof.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	s.identity = s.stsClient(proof, s.stsURL)
	s.kinesis = kinesis.NewFromConfig(proof)

	// A region, or a mixture of settings, that has no endpoint shows here; which
	// account it will be does not matter.
	if _, err := s.kinesisHost(ctx, "000000000000"); err != nil {
		return nil, &loadError{err}
	}
	a.settings = s
	a.warnPlain(s)
	return s, nil
}

// loadOptions are the SDK's, as far as our options decide.
func (a *Auth) loadOptions(client *awshttp.BuildableClient, more ...func(*config.LoadOptions) error) []func(*config.LoadOptions) error {
	opts := []func(*config.LoadOptions) error{
		config.WithRegion(a.opts.Region),
		config.WithHTTPClient(client.WithTransportOptions(ownRoots)),
		// The SDK's own lines may quote what was signed.
		config.WithLogger(logging.Nop{}),
	}
	if a.opts.Profile != "" {
		opts = append(opts, config.WithSharedConfigProfile(a.opts.Profile))
	}
	if a.opts.UseFIPS {
		opts = append(opts, config.WithUseFIPSEndpoint(aws.FIPSEndpointStateEnabled))
	}
	if a.opts.UseDualStack {
		opts = append(opts, config.WithUseDualStackEndpoint(aws.DualStackEndpointStateEnabled))
	}
	return append(opts, more...)
}

// ownRoots keeps the SDK from adding AWS_CA_BUNDLE to a pool that is in use.
func ownRoots(tr *http.Transport) {
	if tr.TLSClientConfig != nil && tr.TLSClientConfig.RootCAs != nil {
		tr.TLSClientConfig.RootCAs = tr.TLSClientConfig.RootCAs.Clone()
	}
}

// client is the HTTP client of cfg, which the SDK may have given certificates.
func client(cfg aws.Config) *awshttp.BuildableClient {
	return cfg.HTTPClient.(*awshttp.BuildableClient)
}

func (s *settings) stsClient(cfg aws.Config, baseURL string) *sts.Client {
	return sts.NewFromConfig(cfg, func(o *sts.Options) {
		if baseURL != "" {
			o.BaseEndpoint = &baseURL
		}
	})
}

// roleURL is the STS for credentials: like the one for the identity, but an
// `endpoint` that belongs to AWS, such as a VPC endpoint of Kinesis, is never
// an STS, and without its credentials nothing could be asked at all.
func (s *settings) roleURL() string {
	if s.stsFromEndpoint && isAWS(s.stsURL) {
		return ""
	}
	return s.stsURL
}

func isAWS(rawURL string) bool {
	u, err := url.Parse(rawURL)
	if err != nil {
		return false
	}
	host := u.Hostname()
	for _, suffix := range []string{".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".amazonaws.eu"} {
		if strings.HasSuffix(host, suffix) {
			return true
		}
	}
	return false
}

// source makes the provider of fresh credentials: static ones, or those of the
// SDK's default chain, and the role on top. The environment and the files are
// read again each time, nothing is requested yet.
func (a *Auth) source(ctx context.Context, s *settings) (aws.CredentialsProvider, string, error) {
	cfg := s.cfg.Copy()
	cfg.HTTPClient = client(s.cfg).WithTransportOptions(noKeepAlives)
	cfg.APIOptions = append(cfg.APIOptions, a.endWithLife)

	var provider aws.CredentialsProvider
	var method string
	if a.opts.AccessKeyID != "" {
		provider = credentials.NewStaticCredentialsProvider(a.opts.AccessKeyID, a.opts.SecretAccessKey, a.opts.SessionToken)
		method = "static keys"
		if a.opts.SessionToken != "" {
			method = "static session keys"
		}
	} else {
		unsigned := s.stsClient(cfg, s.roleURL())
		chain, err := config.LoadDefaultConfig(ctx, a.loadOptions(a.http,
			config.WithAPIOptions([]func(*middleware.Stack) error{a.endWithLife}),
			config.WithWebIdentityRoleCredentialOptions(func(o *stscreds.WebIdentityRoleOptions) {
				o.Client = unsigned
			}),
			config.WithAssumeRoleCredentialOptions(func(o *stscreds.AssumeRoleOptions) {
				// The SDK calls this once without a client, to look at the rest.
				if c, ok := o.Client.(*sts.Client); ok && s.roleURL() != "" {
					o.Client = sts.New(c.Options(), func(o *sts.Options) { o.BaseEndpoint = aws.String(s.roleURL()) })
				}
				if o.Duration == 0 {
					o.Duration = roleDuration
				}
			}),
			config.WithEndpointCredentialOptions(func(o *endpointcreds.Options) {
				// The SDK's default would send this through the environment's proxy.
				o.HTTPClient = a.http
			}))...)
		if err != nil {
			return nil, "", &loadError{err}
		}
		provider = chain.Credentials
		var shared config.SharedConfig
		for _, source := range chain.ConfigSources {
			if c, ok := source.(config.SharedConfig); ok {
				shared = c
			}
		}
		method = chainMethod(provider, shared)
	}
	if a.opts.RoleARN == "" {
		return provider, method, nil
	}
	cfg.Credentials = aws.NewCredentialsCache(provider)
	role := stscreds.NewAssumeRoleProvider(s.stsClient(cfg, s.roleURL()), a.opts.RoleARN, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = sessionName()
		o.Duration = roleDuration
		if a.opts.ExternalID != "" {
			o.ExternalID = &a.opts.ExternalID
		}
	})
	return role, fmt.Sprintf("assumed role %s via %s", a.opts.RoleARN, method), nil
}

// roleDuration is the longest session that every role allows, and the longest
// that a role assumed from another role can have.
const roleDuration = time.Hour

// sessionName tells in CloudTrail which host assumed the role.
func sessionName() string {
	host, err := os.Hostname()
	if err != nil {
		return "amazonkinesis"
	}
	name := "amazonkinesis-" + notSessionName.ReplaceAllString(host, "-")
	return name[:min(len(name), 64)]
}

var notSessionName = regexp.MustCompile(`[^\w+=,.@-]`)

const methodInstance = "instance role"

// chainMethod names the method of authentication that the SDK's default chain
// settled for.
func chainMethod(provider aws.CredentialsProvider, shared config.SharedConfig) string {
	method := "SDK default chain"
	profile := fmt.Sprintf("profile %q", shared.Profile)
	trail, ok := provider.(aws.CredentialProviderSource)
	if !ok {
		return method
	}
	for _, source := range trail.ProviderSources() {
		switch source {
		case aws.CredentialSourceEnvVars:
			method = "environment"
		case aws.CredentialSourceEnvVarsSTSWebIDToken:
			method = "web identity"
		case aws.CredentialSourceProfileSTSWebIDToken:
			method = "web identity of " + profile
		case aws.CredentialSourceProfile:
			method = profile
			if shared.SourceProfileName != "" {
				method = fmt.Sprintf("profile %q", shared.SourceProfileName)
			}
		case aws.CredentialSourceProcess:
			method = "process of " + profile
		case aws.CredentialSourceSSO, aws.CredentialSourceSSOLegacy:
			method = "SSO session of " + profile
		case aws.CredentialSourceLogin:
			method = "login session of " + profile
		case aws.CredentialSourceHTTP:
			method = "container"
		case aws.CredentialSourceIMDS:
			method = methodInstance
		case aws.CredentialSourceSTSAssumeRole:
			method = fmt.Sprintf("assumed role %s of %s via %s", shared.RoleARN, profile, method)
		}
	}
	return method
}

// endWithLife ends an operation when Run ends.
func (a *Auth) endWithLife(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("awsauth.EndWithLife",
		func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (
			middleware.InitializeOutput, middleware.Metadata, error,
		) {
			// Never cancelled at return: a caller may still read the body.
			ctx, cancel := context.WithCancel(ctx)
			stop := context.AfterFunc(a.life, cancel)
			defer stop()
			return next.HandleInitialize(ctx, in)
		}), middleware.Before)
}

// regional keeps the account out of the host name: without it the SDK goes to
// ACCOUNT.data-kinesis.REGION as soon as credentials or an ARN name an account.
type regional struct{ kinesis.EndpointResolverV2 }

func (r regional) ResolveEndpoint(ctx context.Context, p kinesis.EndpointParameters) (smithyendpoints.Endpoint, error) {
	p.AccountId, p.StreamARN = nil, nil
	return r.EndpointResolverV2.ResolveEndpoint(ctx, p)
}

// signer signs as the SDK does, but not with what the SDK has cached for an
// access key whose secret was wrong and has been mended since.
type signer struct {
	mu     sync.Mutex
	secret string
	v4     *v4.Signer
}

func (s *signer) SignHTTP(ctx context.Context, creds aws.Credentials, r *http.Request, payloadHash, service, region string, at time.Time, optFns ...func(*v4.SignerOptions)) error {
	s.mu.Lock()
	if s.v4 == nil || s.secret != creds.SecretAccessKey {
		s.secret, s.v4 = creds.SecretAccessKey, v4.NewSigner()
	}
	sign := s.v4
	s.mu.Unlock()
	return sign.SignHTTP(ctx, creds, r, payloadHash, service, region, at, optFns...)
}

// kinesisHost is the host that records go to.
func (s *settings) kinesisHost(ctx context.Context, account string) (string, error) {
	o := s.kinesis.Options()
	p := kinesis.EndpointParameters{
		Region:                &o.Region,
		Endpoint:              o.BaseEndpoint,
		UseFIPS:               aws.Bool(o.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled),
		UseDualStack:          aws.Bool(o.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled),
		AccountIdEndpointMode: aws.String(string(o.AccountIDEndpointMode)),
		OperationType:         aws.String("data"),
	}
	if account != "" {
		p.AccountId = &account
	}
	e, err := o.EndpointResolverV2.ResolveEndpoint(ctx, p)
	if err != nil {
		return "", fmt.Errorf("no Kinesis endpoint: %w", err)
	}
	return e.URI.Host, nil
}

// stsHost is the host that operations of STS are sent to; role says whether for
// credentials or for the identity.
func (s *settings) stsHost(role bool) string {
	o := s.identity.Options()
	if role {
		o = s.stsClient(s.cfg, s.roleURL()).Options()
	}
	e, err := o.EndpointResolverV2.ResolveEndpoint(context.Background(), sts.EndpointParameters{
		Region:       &o.Region,
		Endpoint:     o.BaseEndpoint,
		UseFIPS:      aws.Bool(o.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled),
		UseDualStack: aws.Bool(o.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled),
	})
	if err != nil {
		return "STS"
	}
	return e.URI.Host
}

func (a *Auth) warnPlain(s *settings) {
	for _, e := range []struct{ what, url string }{
		{"records are", s.kinesisURL},
		{"identity checks are", s.stsURL},
	} {
		if isPlain(e.url) && !(s.stsFromEndpoint && e.what != "records are") {
			a.opts.Logger.Warn("The endpoint is plain HTTP on another machine: "+e.what+" sent unencrypted; use an https URL.",
				zap.String("endpoint", e.url))
		}
	}
}

// loadError is a failure to read the environment or the shared config files.
type loadError struct{ err error }

func (e *loadError) Error() string { return "load AWS settings: " + e.err.Error() }
func (e *loadError) Unwrap() error { return e.err }

// stream is the stream by name and, when it was given, by ARN.
type stream struct{ name, arn string }

func parseStream(s string) stream {
	if parsed, err := arn.Parse(s); err == nil {
		return stream{name: strings.TrimPrefix(parsed.Resource, "stream/"), arn: s}
	}
	return stream{name: s}
}

// streamARN is the ARN for a policy statement, with the partition and account
// of the caller's ARN.
func (a *Auth) streamARN(caller string) string {
	if a.stream.arn != "" {
		return a.stream.arn
	}
	partition, account := "aws", "ACCOUNT_ID"
	if parts := strings.SplitN(caller, ":", 6); len(parts) == 6 {
		partition, account = parts[1], parts[4]
	}
	return fmt.Sprintf("arn:%s:kinesis:%s:%s:stream/%s", partition, a.opts.Region, account, a.stream.name)
}

var errNoKeys = errors.New("the source of credentials gave none")
