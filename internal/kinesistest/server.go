// SPDX-License-Identifier: Apache-2.0

package kinesistest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Config says what the server is. The zero value is a server on plain HTTP with
// one key pair and no stream.
type Config struct {
	Region  string // default us-east-1
	Account string // default 111122223333

	// The key pair that may do everything. The defaults are a long-term key.
	// More of them: [Server.SetCredentials], [Server.IssueCredentials].
	AccessKeyID, SecretAccessKey, SessionToken string

	// Roles may be assumed through STS. More of them: [Server.SetRole].
	Roles []Role

	// Stream, when it is given, exists from the start, with so many Shards
	// (default 1).
	Stream string
	Shards int

	// MaxRecordSize is the limit of a record's data and key in bytes, default
	// 1 MiB, at most 10 MiB, for all streams.
	MaxRecordSize int

	// Limits keeps the real rates of a shard: 1000 records and 1 MiB a second.
	Limits bool

	// Encrypted streams say so in their answers.
	Encrypted bool

	// ID finds in a record's data what the ledger knows it by. It must not keep
	// the data. Default: all of the data.
	ID func(data []byte) string

	// DropData keeps only ID and key of a record. GetRecords gives empty data.
	DropData bool

	// SkipSignatures takes every request for one of the key pair above.
	SkipSignatures bool

	// IgnoreDryRun writes the records of a dry run, as emulators do that do not
	// know the field.
	IgnoreDryRun bool

	// RefuseCBOR knows only JSON.
	RefuseCBOR bool

	// STS says how requests for STS are answered.
	STS STSMode

	// Addr is the loopback address to listen on, default 127.0.0.1:0.
	Addr string

	// TLS serves HTTPS with a certificate of a CA of its own, good for the
	// loopback addresses and for the names of AWS in Region.
	TLS bool

	// HTTP1Only does not offer HTTP/2, which TLS otherwise does as AWS does.
	HTTP1Only bool

	// InMemory serves pipes instead of sockets, for testing/synctest.
	InMemory bool
}

// STSMode says how a server answers requests for STS.
type STSMode int

const (
	// STSServed answers them.
	STSServed STSMode = iota
	// STSUnknownVPCEndpoint answers as an interface endpoint of Kinesis.
	STSUnknownVPCEndpoint
	// STSUnknownKinesisLocal answers as npm's kinesis-local 0.6.2.
	STSUnknownKinesisLocal
	// STSUnknownKinesalite answers as npm's kinesalite 3.3.3.
	STSUnknownKinesalite
)

const (
	defaultRegion    = "us-east-1"
	defaultAccount   = "111122223333"
	defaultKeyID     = "AKIAKINESISTEST00001"
	defaultSecretKey = "kinesistest/secret/key/of/the/default/user"

	maxRecordSizeDefault = 1 << 20
	maxRecordSizeLimit   = 10 << 20
)

func (c Config) userARN() string { return "arn:aws:iam::" + c.Account + ":user/otel" }

func (c Config) kmsKeyARN() string {
	return "arn:aws:kms:" + c.Region + ":" + c.Account + ":key/1234abcd-12ab-34cd-56ef-1234567890ab"
}

// Server is the running service.
type Server struct {
	cfg  Config
	http *http.Server
	ca   *authority // nil without TLS
	addr string     // host:port
	url  string

	mu       sync.Mutex
	streams  map[string]*Stream
	keys     map[string]Credentials
	roles    map[string]Role
	down     bool
	listener net.Listener
	conns    map[net.Conn]struct{}
	idle     *sync.Cond // a connection or a serving goroutine ended
	serving  int
	clients  []*http.Client
	clock    time.Duration // ahead of time.Now

	faults faults
	stats  stats

	cut  chan struct{} // closed when the endpoint goes down: no call may go on
	once sync.Once
}

// Start starts a server. It must be closed.
func Start(cfg Config) (*Server, error) {
	setDefault(&cfg.Region, defaultRegion)
	setDefault(&cfg.Account, defaultAccount)
	setDefault(&cfg.Addr, "127.0.0.1:0")
	setDefault(&cfg.AccessKeyID, defaultKeyID)
	setDefault(&cfg.SecretAccessKey, defaultSecretKey)
	setDefault(&cfg.Shards, 1)
	setDefault(&cfg.MaxRecordSize, maxRecordSizeDefault)
	if cfg.MaxRecordSize > maxRecordSizeLimit {
		return nil, fmt.Errorf("MaxRecordSize %d is over the %d bytes that a record may have", cfg.MaxRecordSize, maxRecordSizeLimit)
	}
	if cfg.Shards < 0 {
		return nil, fmt.Errorf("%d Shards", cfg.Shards)
	}

	s := &Server{
		cfg:     cfg,
		streams: make(map[string]*Stream),
		keys:    make(map[string]Credentials),
		roles:   make(map[string]Role),
		conns:   make(map[net.Conn]struct{}),
	}
	s.idle = sync.NewCond(&s.mu)
	s.stats.init()
	s.SetCredentials(Credentials{
		AccessKeyID: cfg.AccessKeyID, SecretAccessKey: cfg.SecretAccessKey, SessionToken: cfg.SessionToken,
		ARN: cfg.userARN(), UserID: "AIDAKINESISTEST000001",
	})
	for _, role := range cfg.Roles {
		s.SetRole(role)
	}
	if cfg.Stream != "" {
		s.CreateStream(cfg.Stream, cfg.Shards)
	}

	s.http = &http.Server{
		Handler:     http.HandlerFunc(s.serve),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) },
		ConnState:   s.connState,
		ErrorLog:    log.New(errorLog{}, "kinesistest: ", 0),
		Protocols:   new(http.Protocols),
	}
	s.http.Protocols.SetHTTP1(true)
	s.http.Protocols.SetHTTP2(cfg.TLS && !cfg.HTTP1Only)
	if cfg.TLS {
		var err error
		if s.ca, err = newAuthority(cfg.Region, cfg.Account); err != nil {
			return nil, err
		}
		s.http.TLSConfig = &tls.Config{Certificates: []tls.Certificate{s.ca.leaf}, MinVersion: tls.VersionTLS12}
	}
	if err := s.listen(cfg.Addr); err != nil {
		return nil, err
	}
	return s, nil
}

func setDefault[T comparable](v *T, value T) {
	var zero T
	if *v == zero {
		*v = value
	}
}

// New starts a server that is closed when the test is over.
func New(tb testing.TB, cfg Config) *Server {
	tb.Helper()
	s, err := Start(cfg)
	if err != nil {
		tb.Fatalf("start kinesistest: %v", err)
	}
	tb.Cleanup(s.Close)
	return s
}

// listen opens the listener and serves it.
func (s *Server) listen(addr string) error {
	var l net.Listener
	if s.cfg.InMemory {
		l = newPipeListener()
		addr = "kinesis.test:80"
		if s.cfg.TLS {
			addr = "kinesis.test:443"
		}
	} else {
		var err error
		if l, err = net.Listen("tcp", addr); err != nil {
			return err
		}
		addr = l.Addr().String()
		if ip := l.Addr().(*net.TCPAddr).IP; !ip.IsLoopback() {
			l.Close()
			return fmt.Errorf("listen on %s: only loopback addresses are served", addr)
		}
	}
	scheme := "http"
	if s.cfg.TLS {
		scheme = "https"
	}

	s.mu.Lock()
	s.listener, s.down, s.cut = l, false, make(chan struct{})
	s.addr, s.url = addr, scheme+"://"+addr
	s.serving++
	s.mu.Unlock()
	counted := countingListener{Listener: l, stats: &s.stats}
	go func() {
		if s.cfg.TLS {
			_ = s.http.ServeTLS(counted, "", "") // ends with the listener
		} else {
			_ = s.http.Serve(counted)
		}
		s.leave()
	}()
	return nil
}

type connKey struct{}

func (s *Server) connState(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch state {
	case http.StateNew:
		s.conns[c] = struct{}{}
		if s.down { // accepted while the listener was being closed
			transport(c).Close()
		}
	case http.StateClosed, http.StateHijacked:
		delete(s.conns, c)
		s.idle.Broadcast()
	}
}

// Close ends the server: connections are closed, calls that hang are let go.
// It returns when all is over.
func (s *Server) Close() {
	s.once.Do(func() {
		s.Down()
		s.http.Close()
		s.mu.Lock()
		clients := s.clients
		s.mu.Unlock()
		for _, c := range clients {
			c.CloseIdleConnections()
		}
	})
}

// Down takes the endpoint off the net: connections are closed, new ones
// refused, until Up; calls that are under way are not carried out. Streams and
// faults stay.
func (s *Server) Down() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.down {
		s.down = true
		close(s.cut)
		s.listener.Close()
	}
	for c := range s.conns {
		transport(c).Close()
	}
	for s.serving > 0 || len(s.conns) > 0 {
		s.idle.Wait()
	}
}

// Up brings the endpoint back where it was.
func (s *Server) Up() error {
	s.mu.Lock()
	down, addr := s.down, s.addr
	s.mu.Unlock()
	if !down {
		return nil
	}
	return s.listen(addr)
}

// URL is the endpoint of Kinesis and of STS. An InMemory one can only be
// reached through DialContext.
func (s *Server) URL() string { return s.url }

// Region is the region that requests must be signed for.
func (s *Server) Region() string { return s.cfg.Region }

// Account is the account that all resources belong to.
func (s *Server) Account() string { return s.cfg.Account }

// DialContext connects to the server, whatever address is asked for.
func (s *Server) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	s.mu.Lock()
	l, addr := s.listener, s.addr
	s.mu.Unlock()
	if p, ok := l.(*pipeListener); ok {
		return p.dial(ctx)
	}
	var d net.Dialer
	return d.DialContext(ctx, "tcp", addr)
}

// Client is a client whose every request goes to this server and that trusts
// its CA. Its idle connections are closed with the server.
func (s *Server) Client() *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.Proxy = nil
	t.DialContext = s.DialContext
	if s.ca != nil {
		t.TLSClientConfig = &tls.Config{RootCAs: s.ca.pool, MinVersion: tls.VersionTLS12}
	}
	c := &http.Client{Transport: t}
	s.mu.Lock()
	s.clients = append(s.clients, c)
	s.mu.Unlock()
	return c
}

// CertPool holds the CA of a TLS server.
func (s *Server) CertPool() *x509.CertPool { return s.ca.pool }

// CAPEM is the certificate of the CA of a TLS server.
func (s *Server) CAPEM() []byte { return s.ca.pem }

// WriteCA writes the certificate of the CA of a TLS server to a file, as
// `ca_file` settings want it.
func (s *Server) WriteCA(path string) error { return os.WriteFile(path, s.ca.pem, 0o600) }

// CreateStream makes a stream, or returns the one that is there.
func (s *Server) CreateStream(name string, shards int) *Stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st := s.streams[name]; st != nil {
		return st
	}
	st := newStream(name, s.streamARN(name), s.cfg.Account, shards, s.cfg.MaxRecordSize, s.cfg.Limits, s.cfg.DropData)
	s.streams[name] = st
	return st
}

// DeleteStream removes a stream and its ledger.
func (s *Server) DeleteStream(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.streams, name)
}

// Stream is the stream of that name, nil if there is none.
func (s *Server) Stream(name string) *Stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.streams[name]
}

func (s *Server) streamARN(name string) string {
	return "arn:aws:kinesis:" + s.cfg.Region + ":" + s.cfg.Account + ":stream/" + name
}

// Credentials are the key pair of the Config.
func (s *Server) Credentials() Credentials {
	c, _ := s.credentials(s.cfg.AccessKeyID)
	return c
}

// SetCredentials makes a key pair known, or changes one: its secret, its
// session token or its end.
func (s *Server) SetCredentials(c Credentials) {
	if c.ARN == "" {
		c.ARN = s.cfg.userARN()
	}
	if c.UserID == "" {
		c.UserID = "AIDAKINESISTEST000001"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[c.AccessKeyID] = c
}

// RemoveCredentials makes a key pair unknown, as when a key is deactivated.
func (s *Server) RemoveCredentials(accessKeyID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.keys, accessKeyID)
}

func (s *Server) credentials(accessKeyID string) (Credentials, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.keys[accessKeyID]
	return c, ok
}

// SetClock moves the server's clock ahead of time.Now, or behind it. It is the
// clock of signatures and of the Date header.
func (s *Server) SetClock(ahead time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock = ahead
}

func (s *Server) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Add(s.clock).UTC()
}

// enter counts a call in. It is nil when the endpoint is down.
func (s *Server) enter() (cut <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return nil
	}
	s.serving++
	return s.cut
}

func (s *Server) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serving--
	s.idle.Broadcast()
}

// wait sleeps; it is false when it was cut short.
func wait(d time.Duration, cut <-chan struct{}) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-cut:
		return false
	}
}

// Stats counts what happened since the start.
type Stats struct {
	Connections int            // opened
	BytesIn     int64          // on the wire, without TLS where the server has it
	BytesOut    int64          //
	Requests    map[string]int // by operation
	Entries     int            // of PutRecords requests that reached a stream
	Taken       int            // of them, now in the ledger
	Failed      int            // of them, answered with an error code
}

// CallRecord says what became of one call.
type CallRecord struct {
	Time     time.Time     // when its head was read
	Duration time.Duration // until it was answered or given up
	Op       string
	Stream   string
	Entries  int // in a PutRecords request
	Taken    int // of them, now in the ledger
	Failed   int // of them, that got an error code
	Bytes    int // of the body

	// Result is the status and, for errors, the code: "200",
	// "400 KMSThrottlingException". What a fault did instead of an answer:
	// "reset", "lost", "hung", "cut".
	Result string
}

type stats struct {
	connections       atomic.Int64
	bytesIn, bytesOut atomic.Int64

	mu       sync.Mutex
	requests map[string]int
	entries  int
	taken    int
	failed   int
	calls    []CallRecord
}

func (st *stats) init() { st.requests = make(map[string]int) }

func (st *stats) begin(op string) int {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.requests[op]++
	return st.requests[op]
}

func (st *stats) end(r CallRecord) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.entries += r.Taken + r.Failed
	st.taken += r.Taken
	st.failed += r.Failed
	st.calls = append(st.calls, r)
}

// Stats counts what happened since the start.
func (s *Server) Stats() Stats {
	st := &s.stats
	st.mu.Lock()
	defer st.mu.Unlock()
	return Stats{
		Connections: int(st.connections.Load()),
		BytesIn:     st.bytesIn.Load(), BytesOut: st.bytesOut.Load(),
		Requests: maps.Clone(st.requests),
		Entries:  st.entries, Taken: st.taken, Failed: st.failed,
	}
}

// Calls gives the calls that are over, in that order; of one operation, or of
// all when op is "".
func (s *Server) Calls(op string) []CallRecord {
	s.stats.mu.Lock()
	defer s.stats.mu.Unlock()
	if op == "" {
		return slices.Clone(s.stats.calls)
	}
	var calls []CallRecord
	for _, c := range s.stats.calls {
		if c.Op == op {
			calls = append(calls, c)
		}
	}
	return calls
}

// errorLog passes on what net/http has to say, without the handshakes that fail
// because a test wants them to.
type errorLog struct{}

func (errorLog) Write(line []byte) (int, error) {
	if !strings.Contains(string(line), "TLS handshake error") {
		return os.Stderr.Write(line)
	}
	return len(line), nil
}

// countingListener counts connections and their bytes.
type countingListener struct {
	net.Listener
	stats *stats
}

func (l countingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.stats.connections.Add(1)
	return &countingConn{Conn: c, stats: l.stats}, nil
}

type countingConn struct {
	net.Conn
	stats *stats
}

func (c *countingConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.stats.bytesIn.Add(int64(n))
	return n, err
}

func (c *countingConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.stats.bytesOut.Add(int64(n))
	return n, err
}

// transport is what is below TLS, where there is TLS: closing that needs nothing
// of the peer.
func transport(c net.Conn) net.Conn {
	if t, ok := c.(*tls.Conn); ok {
		return t.NetConn()
	}
	return c
}

// reset closes the connection of a request so that the client sees a reset.
func reset(r *http.Request) {
	c := transport(r.Context().Value(connKey{}).(net.Conn))
	if tcp, ok := c.(*countingConn).Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	c.Close()
}

// pipeListener gives connections that are pipes.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *pipeListener) dial(ctx context.Context) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.closed:
		return nil, &net.OpError{Op: "dial", Net: "pipe", Addr: l.Addr(), Err: errRefused}
	case <-ctx.Done():
		return nil, &net.OpError{Op: "dial", Net: "pipe", Addr: l.Addr(), Err: ctx.Err()}
	}
}

var errRefused = errors.New("connection refused")

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }

// readBody reads all of a request into b, which it may replace.
func readBody(r *http.Request, b []byte, limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		return b, errTooLarge
	}
	if n := r.ContentLength; n >= 0 {
		if int64(cap(b)) < n {
			b = make([]byte, n)
		}
		b = b[:n]
		_, err := io.ReadFull(r.Body, b)
		return b, err
	}
	b = b[:0]
	body := io.LimitReader(r.Body, limit+1)
	for {
		if len(b) == cap(b) {
			b = slices.Grow(b, 4096)
		}
		n, err := body.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if int64(len(b)) > limit {
			return b, errTooLarge
		}
		if err == io.EOF {
			return b, nil
		}
		if err != nil {
			return b, err
		}
	}
}

var errTooLarge = errors.New("request too large")
