// SPDX-License-Identifier: Apache-2.0

package putrecords

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// Config is what a [Client] is made from.
type Config struct {
	// Stream is the name or the ARN of the stream.
	Stream string
	// Protocol is JSON when empty.
	Protocol Protocol
	// MaxRecords is the most records of one request, 1 to 500; 500 when 0.
	MaxRecords int
	// Timeout bounds each call, from getting credentials to the last byte of
	// the answer. 0 means that only the caller's context bounds it.
	Timeout time.Duration
	// Connections is how many calls are made at the same time: as many
	// connections are opened at most, and kept. 1 when 0.
	Connections int

	// AWS says which region, endpoint, credentials and application id to use.
	AWS aws.Config
	// Options are applied to the Kinesis client. HTTP client, retryer and
	// protocol are the package's own whatever they say.
	Options []func(*kinesis.Options)

	// TLS, Proxy and DialContext are as in http.Transport. All may be nil.
	TLS         *tls.Config
	Proxy       func(*http.Request) (*url.URL, error)
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)

	// OnFallback is called once when the endpoint refuses CBOR, with its
	// refusal. From then on everything is sent as JSON. May be nil.
	OnFallback func(error)
}

// Client makes PutRecords calls to one stream. It is safe for concurrent use.
type Client struct {
	kinesis    *kinesis.Client
	transport  *http.Transport
	input      *kinesis.PutRecordsInput
	stream     streamRef
	maxRecords int
	timeout    time.Duration
	onFallback func(error)

	wire atomic.Uint32 // what new requests are written in, a wire
}

// NewClient returns a client. Nothing is sent before the first Put.
func NewClient(cfg Config) *Client {
	c := &Client{
		transport:  newTransport(cfg),
		stream:     newStreamRef(cfg.Stream),
		maxRecords: cfg.MaxRecords,
		timeout:    cfg.Timeout,
		onFallback: cfg.OnFallback,
	}
	if c.maxRecords < 1 || c.maxRecords > MaxRecords {
		c.maxRecords = MaxRecords
	}
	c.wire.Store(uint32(cfg.Protocol.wire()))

	// The SDK looks at the input for the endpoint and for what is required;
	// the protocol sends the request's body instead.
	c.input = &kinesis.PutRecordsInput{Records: []types.PutRecordsRequestEntry{}}
	if c.stream.member == "StreamARN" {
		c.input.StreamARN = &c.stream.value
	} else {
		c.input.StreamName = &c.stream.value
	}

	options := append(cfg.Options[:len(cfg.Options):len(cfg.Options)], func(o *kinesis.Options) {
		o.HTTPClient = &sender{c.transport}
		o.Retryer = aws.NopRetryer{}
		o.RetryMaxAttempts = 0
		o.Protocol = newProtocol(o.Protocol)
		o.APIOptions = append(o.APIOptions, useBodyHash)
	})
	c.kinesis = kinesis.NewFromConfig(cfg.AWS, options...)
	return c
}

// NewRequest returns an empty request, to be given back with Release.
func (c *Client) NewRequest() *Request {
	return newRequest(wire(c.wire.Load()), c.stream, c.maxRecords)
}

// Put makes one call and waits for the answer. Nothing is sent a second time,
// except that a request which the endpoint refuses because it is CBOR is sent
// again as JSON. The error is nil or an [*Error].
//
// An empty request is not sent, and its answer says that nothing failed.
func (c *Client) Put(ctx context.Context, r *Request) (Answer, error) {
	if r.Len() == 0 {
		return Answer{}, nil
	}
	r.encodeAs(min(r.wire, wire(c.wire.Load()))) // JSON is the lower one
	answer, err := c.put(ctx, r)
	if err != nil && r.wire == wireCBOR && err.refusesCBOR() {
		if c.wire.CompareAndSwap(uint32(wireCBOR), uint32(wireJSON)) && c.onFallback != nil {
			c.onFallback(err)
		}
		r.encodeAs(wireJSON)
		answer, err = c.put(ctx, r)
	}
	if err != nil {
		return Answer{}, err
	}
	return answer, nil
}

func (c *Client) put(ctx context.Context, r *Request) (Answer, *Error) {
	call := &call{wire: r.wire, body: r.seal(), records: r.Len()}
	within := ctx
	if c.timeout > 0 {
		var cancel context.CancelFunc
		within, cancel = context.WithTimeout(ctx, c.timeout)
		defer cancel()
	}
	wasLent := r.lent
	r.lent = true
	_, err := c.kinesis.PutRecords(context.WithValue(within, callKey{}, call), c.input)
	r.lent = wasLent || !call.returned()
	if err != nil {
		return Answer{}, newError(ctx, call, c.timeout, err)
	}
	return call.answer, nil
}

// Close closes the connections that are not in use.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// call is one attempt of one Put, on its way through the SDK.
type call struct {
	wire    wire
	body    []byte
	records int

	readers   []*bodyReader // what net/http was given to read the body from
	sent      bool          // net/http was asked to send
	sendErr   error         // what net/http said instead of an answer
	answered  bool          // there is an HTTP answer
	complete  bool          // it is a 200 that was read to its end
	malformed error         // why a 200 is no answer to this request
	answer    Answer
}

type callKey struct{}

func callFrom(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	return c
}

// written reports whether the whole body may have left this process.
func (c *call) written() bool {
	for _, r := range c.readers {
		if r.finished.Load() {
			return true
		}
	}
	return false
}

// returned reports whether nobody reads the body any more. net/http may still
// do so after it has returned an error, and even an answer: so this takes both
// a 200 that was read to its end and a reader that came to its end.
func (c *call) returned() bool {
	return !c.sent || c.complete && len(c.readers) == 1 && c.readers[0].finished.Load()
}

// notConnected reports whether the call failed before there was a connection.
func (c *call) notConnected() bool {
	if c.sendErr == nil {
		return false
	}
	for _, r := range c.readers {
		if r.started.Load() {
			return false
		}
	}
	return true
}
