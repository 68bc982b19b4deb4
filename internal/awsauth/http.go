// SPDX-License-Identifier: Apache-2.0

package awsauth

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"golang.org/x/net/http/httpproxy"
)

// connectTimeout bounds reaching a host; a host that drops packets is found
// out within it.
const connectTimeout = 10 * time.Second

// NewHTTPClient is the client for requests to AWS. tlsConfig nil means the
// system's certificates, proxyURL "" the proxy of the environment. The SDK adds
// the certificates of AWS_CA_BUNDLE to it.
func NewHTTPClient(tlsConfig *tls.Config, proxyURL string) (*awshttp.BuildableClient, error) {
	proxy, err := Proxy(proxyURL)
	if err != nil {
		return nil, err
	}
	return awshttp.NewBuildableClient().
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = connectTimeout }).
		WithTransportOptions(func(tr *http.Transport) {
			tr.Proxy = proxy
			if tlsConfig != nil {
				tr.TLSClientConfig = tlsConfig.Clone()
				if tr.TLSClientConfig.MinVersion == 0 {
					tr.TLSClientConfig.MinVersion = tls.VersionTLS12
				}
			}
		}), nil
}

// Proxy chooses the proxy of a request: proxyURL (http, https or socks5), or
// what HTTPS_PROXY, HTTP_PROXY and NO_PROXY say now when it is "". Loopback and
// link-local addresses, where instances and containers get their credentials,
// are never asked through a proxy.
func Proxy(proxyURL string) (func(*http.Request) (*url.URL, error), error) {
	if proxyURL == "" {
		fromEnv := httpproxy.FromEnvironment().ProxyFunc()
		return func(r *http.Request) (*url.URL, error) {
			if isLocal(r.URL.Hostname()) {
				return nil, nil
			}
			return fromEnv(r.URL)
		}, nil
	}
	u, err := url.Parse(proxyURL)
	if err != nil {
		// The text of url.Parse would repeat the password.
		return nil, errors.New("`proxy_url` is not a URL: write it like http://proxy.example.com:3128")
	}
	switch u.Scheme {
	case "http", "https", "socks5", "socks5h":
	default:
		return nil, fmt.Errorf("`proxy_url` has the scheme %q: use http, https or socks5", u.Scheme)
	}
	if u.Host == "" {
		return nil, errors.New("`proxy_url` names no host: write it like http://proxy.example.com:3128")
	}
	return func(r *http.Request) (*url.URL, error) {
		if isLocal(r.URL.Hostname()) {
			return nil, nil
		}
		return u, nil
	}, nil
}

// noKeepAlives is for requests that are made once an hour: no connection, and
// no goroutine of one, outlives them.
func noKeepAlives(tr *http.Transport) { tr.DisableKeepAlives = true }

// checkURL says what is wrong with the endpoint in the given key.
func checkURL(key, raw string) error {
	if raw == "" {
		return nil
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return fmt.Errorf("`%s` must be an absolute URL such as https://kinesis.example.com", key)
	}
	return nil
}

// isPlain reports whether requests to rawURL cross a network unencrypted.
func isPlain(rawURL string) bool {
	u, err := url.Parse(rawURL)
	return err == nil && u.Scheme == "http" && !isLoopback(u.Hostname())
}

func isLoopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// imdsIPv6 holds the addresses of IMDS and EKS Pod Identity over IPv6, which are
// not link-local by their number.
var imdsIPv6 = netip.MustParsePrefix("fd00:ec2::/32")

func isLocal(host string) bool {
	if isLoopback(host) {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && (ip.IsLinkLocalUnicast() || imdsIPv6.Contains(ip))
}
