// SPDX-License-Identifier: Apache-2.0

package putrecords

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

const (
	dialTimeout = 10 * time.Second
	// idleTimeout is shorter than the minute after which load balancers like
	// to close, so that a call seldom meets a connection that is being closed.
	idleTimeout = 50 * time.Second
	bufferSize  = 16 << 10
)

// newTransport returns an HTTP/1.1 transport that keeps one connection for
// each call that may be in flight. HTTP/2 would send all of them through one
// connection and its one flow-control window.
func newTransport(cfg Config) *http.Transport {
	n := max(cfg.Connections, 1)
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if cfg.TLS != nil {
		config = cfg.TLS.Clone()
	}
	config.NextProtos = []string{"http/1.1"}
	dial := cfg.DialContext
	if dial == nil {
		dial = (&net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second}).DialContext
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:               cfg.Proxy,
		DialContext:         dial,
		DialTLSContext:      (&tlsDialer{dial, config}).dial,
		TLSClientConfig:     config, // for connections through a proxy
		TLSHandshakeTimeout: dialTimeout,
		Protocols:           protocols,
		MaxIdleConns:        n,
		MaxIdleConnsPerHost: n,
		MaxConnsPerHost:     n,
		IdleConnTimeout:     idleTimeout,
		DisableCompression:  true,
		WriteBufferSize:     bufferSize,
		ReadBufferSize:      bufferSize,
	}
}

// sender is the HTTP client under the SDK. It gives the transport the request's
// body, and takes the SDK's hands off it.
type sender struct {
	transport *http.Transport
}

// Do sends one request of a call. It follows no redirects.
func (s *sender) Do(req *http.Request) (*http.Response, error) {
	c := callFrom(req.Context())
	c.sent = true
	req.Body = c.reader()
	// With GetBody the transport sends again by itself when an idle connection
	// turns out to be closed before anything was written to it.
	req.GetBody = func() (io.ReadCloser, error) { return c.reader(), nil }
	resp, err := s.transport.RoundTrip(req)
	c.sendErr = err
	return resp, err
}

func (c *call) reader() io.ReadCloser {
	r := &bodyReader{body: c.body}
	c.readers = append(c.readers, r)
	return r
}

// bodyReader reads a body once. Each call has its own, because net/http may
// read from it after the call has returned.
//
// Its Close does nothing. The SDK closes the body as soon as it has an answer,
// when net/http may not yet have made the last read that tells it the end; with
// a Close that ends the reading, net/http then breaks the connection, the
// answer is lost, and records that Kinesis took are sent again.
type bodyReader struct {
	body     []byte
	off      int
	started  atomic.Bool // there was a connection to write to
	finished atomic.Bool // body is not touched any more
}

func (r *bodyReader) Read(p []byte) (int, error) {
	if r.finished.Load() {
		return 0, io.EOF
	}
	r.started.Store(true)
	n := copy(p, r.body[r.off:])
	r.off += n
	if r.off == len(r.body) {
		r.finished.Store(true)
	}
	return n, nil
}

// writeRest writes up to n bytes of what has not been read yet, without a copy.
func (r *bodyReader) writeRest(w io.Writer, n int64) (int64, error) {
	if r.finished.Load() {
		return 0, nil
	}
	r.started.Store(true)
	rest := r.body[r.off:]
	rest = rest[:min(n, int64(len(rest)))]
	written, err := w.Write(rest)
	r.off += written
	if r.off == len(r.body) {
		r.finished.Store(true)
	}
	return int64(written), err
}

func (r *bodyReader) Close() error { return nil }
