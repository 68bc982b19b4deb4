// SPDX-License-Identifier: Apache-2.0

package putrecords

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

const (
	// maxAnswer is more than any answer of Kinesis: 500 entries with long
	// messages take some 200 KB.
	maxAnswer = 32 << 20
	// maxErrorAnswer bounds what is read of an error, which may be a web page.
	maxErrorAnswer = 1 << 20
)

// protocol puts the body of a [Request] on the wire and reads the answer. All
// else, errors among it, stays the SDK's.
type protocol struct {
	smithyhttp.ClientProtocol // the SDK's JSON
}

func newProtocol(stock smithyhttp.ClientProtocol) *protocol { return &protocol{stock} }

// SerializeRequest implements smithyhttp.ClientProtocol. The records are in the
// call's body, not in the input; [sender] adds the body when all is signed, so
// that the SDK neither copies nor closes it.
func (*protocol) SerializeRequest(ctx context.Context, _ *smithy.OperationSchema, _ smithy.Serializable, req *smithyhttp.Request) error {
	c := callFrom(ctx)
	req.Method = http.MethodPost
	req.URL.Path = "/"
	req.Header.Set("X-Amz-Target", "Kinesis_20131202.PutRecords")
	req.Header.Set("Content-Type", c.wire.contentType())
	req.ContentLength = int64(len(c.body))
	return nil
}

// bodyHash tells the signer the hash of the call's body.
type bodyHash struct{}

// ID implements middleware.FinalizeMiddleware. It takes the place of the SDK's.
func (bodyHash) ID() string { return (*v4.ComputePayloadSHA256)(nil).ID() }

// HandleFinalize implements middleware.FinalizeMiddleware.
func (bodyHash) HandleFinalize(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
	hash := sha256.Sum256(callFrom(ctx).body)
	return next.HandleFinalize(v4.SetPayloadHash(ctx, hex.EncodeToString(hash[:])), in)
}

// useBodyHash puts bodyHash into an operation.
func useBodyHash(stack *middleware.Stack) error {
	_, err := stack.Finalize.Swap(bodyHash{}.ID(), bodyHash{})
	return err
}

// DeserializeResponse implements smithyhttp.ClientProtocol. The answer goes
// into the call, not into out.
func (p *protocol) DeserializeResponse(ctx context.Context, schema *smithy.OperationSchema, types *smithy.TypeRegistry, resp *smithyhttp.Response, out smithy.Deserializable) error {
	c := callFrom(ctx)
	c.answered = true
	buf := answerBuffers.Get().(*bytes.Buffer)
	defer func() {
		if buf.Cap() <= keptBody {
			buf.Reset()
			answerBuffers.Put(buf)
		}
	}()

	ok := resp.StatusCode >= 200 && resp.StatusCode < 300
	most := int64(maxAnswer)
	if !ok {
		most = maxErrorAnswer
	}
	err := readBody(buf, resp, most)
	// The SDK drains what it closes, which for an answer without end takes for
	// ever: it gets only what was read.
	left := &replay{Closer: resp.Body}
	resp.Body = left
	if !ok {
		// An error that cannot be read is judged by its status.
		left.Reset(errorAsJSON(resp, buf.Bytes()))
		defer left.Reset(nil)
		return p.ClientProtocol.DeserializeResponse(ctx, schema, types, resp, out)
	}
	if err == nil {
		c.complete = true
		c.answer, err = parseAnswer(buf.Bytes(), c.records)
	}
	c.malformed = err
	return err
}

var answerBuffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// readBody reads the body of an answer to its end, and unpacks it: nobody asks
// for compression, but a proxy may bring it.
func readBody(buf *bytes.Buffer, resp *smithyhttp.Response, most int64) error {
	if n := resp.ContentLength; n > 0 && n <= keptBody {
		buf.Grow(int(n) + bytes.MinRead)
	}
	n, err := buf.ReadFrom(io.LimitReader(resp.Body, most+1))
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if n > most {
		return fmt.Errorf("the answer is longer than %d bytes", most)
	}
	switch enc := resp.Header.Get("Content-Encoding"); {
	case enc == "" || strings.EqualFold(enc, "identity"):
		return nil
	case !strings.EqualFold(enc, "gzip"):
		return fmt.Errorf("the answer has the Content-Encoding %q", enc)
	}
	packed := bytes.Clone(buf.Bytes())
	buf.Reset()
	unpack, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return fmt.Errorf("unpack the answer: %w", err)
	}
	n, err = buf.ReadFrom(io.LimitReader(unpack, most+1))
	if err != nil {
		return fmt.Errorf("unpack the answer: %w", err)
	}
	if n > most {
		return fmt.Errorf("the answer is longer than %d bytes", most)
	}
	return nil
}

// replay is the body of an answer that was read already.
type replay struct {
	bytes.Reader
	io.Closer
}

// errorAsJSON is the body of an error as the SDK can read it. Where it is not,
// but a header names the error, that is all that is said.
func errorAsJSON(resp *smithyhttp.Response, body []byte) []byte {
	body = cborErrorAsJSON(body)
	if resp.Header.Get("X-Amzn-ErrorType") != "" && !json.Valid(body) {
		return []byte("{}")
	}
	return body
}
