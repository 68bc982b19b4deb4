// SPDX-License-Identifier: Apache-2.0

// Package wirebench measures what putting records into Kinesis costs the
// client: ours, the stock SDK and a bare socket, against a server in a process
// of its own, so that the CPU time of this process is the client's alone.
package wirebench

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// sinkEnv tells a process that it is the server.
const sinkEnv = "WIREBENCH_SINK"

// Sink is a server that takes PutRecords requests over TLS and HTTP/1.1, does
// as little as it can, and answers that every record was taken.
type Sink struct {
	addr  string
	roots *x509.CertPool
	stdin io.Closer
	cmd   *exec.Cmd
}

type sinkHello struct {
	Addr string
	Cert []byte
}

// ServeIfSink turns this process into a sink when StartSink started it, and
// never returns then. Call it first thing in main or TestMain.
func ServeIfSink() {
	if os.Getenv(sinkEnv) == "" {
		return
	}
	if err := serveSink(); err != nil {
		fmt.Fprintln(os.Stderr, "wirebench sink:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// StartSink starts this program again as a sink. It ends with Close, and when
// this process ends.
func StartSink() (*Sink, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), sinkEnv+"=1")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the sink: %w", err)
	}
	s := &Sink{stdin: stdin, cmd: cmd, roots: x509.NewCertPool()}
	var hello sinkHello
	if err := json.NewDecoder(stdout).Decode(&hello); err != nil {
		return nil, errors.Join(fmt.Errorf("the sink did not start: %w", err), s.Close())
	}
	cert, err := x509.ParseCertificate(hello.Cert)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.addr = hello.Addr
	s.roots.AddCert(cert)
	return s, nil
}

// Close ends the sink.
func (s *Sink) Close() error {
	_ = s.stdin.Close()
	return s.cmd.Wait()
}

// Endpoint is the URL to send requests of n records to; with n 0 the sink counts
// them, which takes it a while and JSON. Each answer is held back for delay,
// which stands for the way there and back and the service.
func (s *Sink) Endpoint(n int, delay time.Duration) string {
	return fmt.Sprintf("https://%s/%d/%d", s.addr, n, delay.Milliseconds())
}

// TLS is what a client needs to trust the sink.
func (s *Sink) TLS() *tls.Config { return &tls.Config{RootCAs: s.roots, MinVersion: tls.VersionTLS12} }

func serveSink() error {
	cert, err := selfSigned()
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	hello := sinkHello{Addr: l.Addr().String(), Cert: cert.Certificate[0]}
	if err := json.NewEncoder(os.Stdout).Encode(hello); err != nil {
		return err
	}
	go func() {
		config := &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"http/1.1"}, MinVersion: tls.VersionTLS12}
		var answers sync.Map
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_ = serveConn(tls.Server(conn, config), &answers)
			}()
		}
	}()
	// The parent holds the other end: it is closed when the parent ends.
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// serveConn answers requests until the client closes the connection.
func serveConn(conn *tls.Conn, answers *sync.Map) error {
	in := bufio.NewReaderSize(conn, 64<<10)
	var body []byte
	for {
		path, length, isCBOR, err := readHead(in)
		if err != nil {
			return err
		}
		var n, delay int
		if _, err := fmt.Sscanf(path, "/%d/%d", &n, &delay); err != nil {
			return err
		}
		if n > 0 {
			_, err = in.Discard(length)
		} else {
			body = slices.Grow(body[:0], length)[:length]
			_, err = io.ReadFull(in, body)
			n = bytes.Count(body, []byte(`"PartitionKey":`)) // in the data it would be in base64
		}
		if err != nil {
			return err
		}
		time.Sleep(time.Duration(delay) * time.Millisecond)
		key := [2]any{n, isCBOR}
		answer, ok := answers.Load(key)
		if !ok {
			answer, _ = answers.LoadOrStore(key, httpAnswer(n, isCBOR))
		}
		if _, err := conn.Write(answer.([]byte)); err != nil {
			return err
		}
	}
}

func readHead(in *bufio.Reader) (path string, length int, isCBOR bool, err error) {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return "", 0, false, err
	}
	fields := bytes.Fields(line)
	if len(fields) != 3 {
		return "", 0, false, fmt.Errorf("not a request line: %q", line)
	}
	path = string(fields[1])
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return "", 0, false, err
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			return path, length, isCBOR, nil
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch strings.ToLower(string(name)) {
		case "content-length":
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return "", 0, false, err
			}
		case "content-type":
			isCBOR = bytes.Contains(value, []byte("cbor"))
		}
	}
}

// AnswerBody is a Kinesis answer that says that n records were taken, of the
// size and shape of the real ones.
func AnswerBody(n int, isCBOR bool) []byte {
	type result struct{ SequenceNumber, ShardId string }
	answer := struct {
		EncryptionType    string
		FailedRecordCount int
		Records           []result
	}{"KMS", 0, make([]result, n)}
	for i := range answer.Records {
		answer.Records[i] = result{fmt.Sprintf("4959338271490256608559%034d", i), fmt.Sprintf("shardId-%012d", i%20)}
	}
	marshal := json.Marshal
	if isCBOR {
		marshal = cbor.Marshal
	}
	b, err := marshal(answer)
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	return b
}

func httpAnswer(n int, isCBOR bool) []byte {
	contentType := "application/x-amz-json-1.1"
	if isCBOR {
		contentType = "application/x-amz-cbor-1.1"
	}
	body := AnswerBody(n, isCBOR)
	head := fmt.Sprintf("HTTP/1.1 200 OK\r\n"+
		"x-amzn-RequestId: d1c5a3f0-2b0e-4f5e-9c1a-1f2e3d4c5b6a\r\n"+
		"x-amz-id-2: pQk7h0T4vW2y8Zr1sD5fG6hJ3kL9mN0bV7cX4zA1qW2eR5tY8uI6oP3aS0dF9gH2\r\n"+
		"Date: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n",
		time.Now().UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"), contentType, len(body))
	return append([]byte(head), body...)
}

func selfSigned() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "wirebench"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:         true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}
