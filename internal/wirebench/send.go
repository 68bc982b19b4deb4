// SPDX-License-Identifier: Apache-2.0

package wirebench

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/putrecords"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/putrecords/fastbase64"
)

// Stream is the name that all sides send to.
const Stream = "wirebench"

// Load is what the send stage is measured with.
type Load struct {
	RecordBytes int           // size of each record
	PerCall     int           // records of each call
	Consumers   int           // calls at the same time; 1 when 0
	Delay       time.Duration // until the answer comes
}

// Records returns n records of size bytes, which are text as log lines are, and
// a key for each.
func Records(n, size int) (data [][]byte, keys []string) {
	rng := rand.New(rand.NewPCG(1, 2))
	const words = "error warn info GET POST /api/v1/orders 200 404 500 user=42 took=13ms connection closed by peer "
	data, keys = make([][]byte, n), make([]string, n)
	for i := range data {
		b := make([]byte, 0, size+len(words))
		for len(b) < size {
			from := rng.IntN(len(words) - 1)
			b = append(b, words[from:]...)
		}
		data[i] = b[:size:size]
		keys[i] = fmt.Sprintf("%016x", rng.Uint64())
	}
	return data, keys
}

// AWS is the configuration that all sides share.
func AWS(endpoint string) aws.Config {
	return aws.Config{
		Region:       "eu-central-1",
		BaseEndpoint: &endpoint,
		Credentials:  credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""),
	}
}

// spread makes calls calls with consumers goroutines. work is given the number
// of the goroutine.
func spread(calls, consumers int, work func(consumer int) error) error {
	consumers = max(consumers, 1)
	var wg sync.WaitGroup
	errs := make([]error, consumers)
	for c := range consumers {
		n := calls / consumers
		if c < calls%consumers {
			n++
		}
		wg.Go(func() {
			for range n {
				if err := work(c); err != nil {
					errs[c] = err
					return
				}
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// Ours is the send stage of this exporter.
func Ours(sink *Sink, l Load, protocol putrecords.Protocol) Side {
	data, keys := Records(l.PerCall, l.RecordBytes)
	client := putrecords.NewClient(putrecords.Config{
		Stream:      Stream,
		Protocol:    protocol,
		Timeout:     30 * time.Second,
		Connections: l.Consumers,
		AWS:         AWS(sink.Endpoint(l.PerCall, l.Delay)),
		TLS:         sink.TLS(),
		OnFallback:  func(err error) { panic(err) }, // it would be measured as what it is not
	})
	call := func(int) error {
		r := client.NewRequest()
		for i, d := range data {
			if !r.Append(d, keys[i]) {
				return errors.New("the records do not fit into a request")
			}
		}
		answer, err := client.Put(context.Background(), r)
		if err == nil && answer.Failed > 0 {
			err = fmt.Errorf("%d records failed", answer.Failed)
		}
		r.Release()
		return err
	}
	return Side{
		Name: string(protocol), PerCall: l.PerCall,
		Run:   func(calls int) error { return spread(calls, l.Consumers, call) },
		Close: client.Close,
	}
}

// Stock is the send stage written with the SDK as its examples use it.
func Stock(sink *Sink, l Load) Side {
	data, keys := Records(l.PerCall, l.RecordBytes)
	httpClient := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) { t.TLSClientConfig = sink.TLS() })
	cfg := AWS(sink.Endpoint(l.PerCall, l.Delay))
	cfg.HTTPClient = httpClient
	client := kinesis.NewFromConfig(cfg)
	call := func(int) error {
		entries := make([]types.PutRecordsRequestEntry, len(data))
		for i, d := range data {
			entries[i] = types.PutRecordsRequestEntry{Data: d, PartitionKey: aws.String(keys[i])}
		}
		out, err := client.PutRecords(context.Background(), &kinesis.PutRecordsInput{Records: entries, StreamName: aws.String(Stream)})
		if err != nil {
			return err
		}
		for _, r := range out.Records {
			if r.ErrorCode != nil {
				return errors.New(*r.ErrorCode)
			}
		}
		return nil
	}
	return Side{
		Name: "stock", PerCall: l.PerCall,
		Run:   func(calls int) error { return spread(calls, l.Consumers, call) },
		Close: func() { httpClient.GetTransport().CloseIdleConnections() },
	}
}

// Floor is one raw TLS socket for each consumer, that encodes the records,
// hashes and signs the body, writes it in one piece, reads the answer and looks
// whether a record failed. No client can do less.
func Floor(sink *Sink, l Load, protocol putrecords.Protocol) Side {
	data, keys := Records(l.PerCall, l.RecordBytes)
	consumers := max(l.Consumers, 1)
	sockets := make([]*socket, consumers)
	var opened error
	for i := range sockets {
		var err error
		if sockets[i], err = dial(sink, l, protocol); err != nil {
			opened = errors.Join(opened, err)
		}
	}
	call := func(c int) error { return sockets[c].put(data, keys) }
	return Side{
		Name: "floor " + string(protocol), PerCall: l.PerCall,
		Run: func(calls int) error {
			if opened != nil {
				return opened
			}
			return spread(calls, consumers, call)
		},
		Close: func() {
			for _, s := range sockets {
				if s != nil {
					s.conn.Close()
				}
			}
		},
	}
}

type socket struct {
	conn     *tls.Conn
	in       *bufio.Reader
	protocol putrecords.Protocol
	head     string // up to the signature
	out      []byte
	body     []byte
	answer   []byte
}

func dial(sink *Sink, l Load, protocol putrecords.Protocol) (*socket, error) {
	endpoint, err := url.Parse(sink.Endpoint(l.PerCall, l.Delay))
	if err != nil {
		return nil, err
	}
	conn, err := tls.Dial("tcp", endpoint.Host, sink.TLS())
	if err != nil {
		return nil, err
	}
	head := "POST " + endpoint.Path + " HTTP/1.1\r\nHost: " + endpoint.Host +
		"\r\nX-Amz-Target: Kinesis_20131202.PutRecords\r\nX-Amz-Date: 20260101T000000Z\r\n" +
		"User-Agent: " + strings.Repeat("floor ", 20) + "\r\nContent-Type: application/x-amz-" + string(protocol) + "-1.1\r\n" +
		"Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/eu-central-1/kinesis/aws4_request, SignedHeaders=host;x-amz-date;x-amz-target, Signature="
	return &socket{conn: conn, in: bufio.NewReaderSize(conn, 16<<10), protocol: protocol, head: head}, nil
}

func (s *socket) put(data [][]byte, keys []string) error {
	s.body = appendBody(s.body[:0], s.protocol, data, keys)
	hash := sha256.Sum256(s.body)
	mac := hmac.New(sha256.New, []byte("derived signing key"))
	mac.Write(hash[:])
	s.out = append(s.out[:0], s.head...)
	s.out = hex.AppendEncode(s.out, mac.Sum(nil))
	s.out = append(s.out, "\r\nContent-Length: "...)
	s.out = strconv.AppendInt(s.out, int64(len(s.body)), 10)
	s.out = append(s.out, "\r\n\r\n"...)
	s.out = append(s.out, s.body...)
	if _, err := s.conn.Write(s.out); err != nil {
		return err
	}
	length := 0
	for {
		line, err := s.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) <= 2 {
			break
		}
		if v, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(v))); err != nil {
				return err
			}
		}
	}
	if cap(s.answer) < length {
		s.answer = make([]byte, length)
	}
	s.answer = s.answer[:length]
	if _, err := io.ReadFull(s.in, s.answer); err != nil {
		return err
	}
	if bytes.Contains(s.answer, []byte("ErrorCode")) {
		return errors.New("a record failed")
	}
	return nil
}

// appendBody appends the bytes that a putrecords.Client sends for the records,
// whose keys need no escaping.
func appendBody(b []byte, protocol putrecords.Protocol, data [][]byte, keys []string) []byte {
	if protocol == putrecords.CBOR {
		b = append(b, "\xa2\x67Records"...)
		b = appendHead(b, 4, len(data))
		for i, d := range data {
			b = append(b, "\xa2\x64Data"...)
			b = append(appendHead(b, 2, len(d)), d...)
			b = append(b, "\x6cPartitionKey"...)
			b = append(appendHead(b, 3, len(keys[i])), keys[i]...)
		}
		b = append(b, "\x6aStreamName"...)
		return append(appendHead(b, 3, len(Stream)), Stream...)
	}
	b = append(b, `{"Records":[`...)
	for i, d := range data {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"Data":"`...)
		b = fastbase64.Append(b, d)
		b = append(b, `","PartitionKey":"`...)
		b = append(b, keys[i]...)
		b = append(b, `"}`...)
	}
	b = append(b, `],"StreamName":"`...)
	b = append(b, Stream...)
	return append(b, `"}`...)
}

// appendHead appends the head of a CBOR item.
func appendHead(b []byte, major byte, n int) []byte {
	switch major <<= 5; {
	case n < 24:
		return append(b, major|byte(n))
	case n < 1<<8:
		return append(b, major|24, byte(n))
	case n < 1<<16:
		return append(b, major|25, byte(n>>8), byte(n))
	default:
		return append(b, major|26, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
}
