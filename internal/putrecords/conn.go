// SPDX-License-Identifier: Apache-2.0

package putrecords

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"sync"
)

// tlsDialer opens TLS connections that write a body as it lies in memory and
// with few system calls. net/http would copy it piece by piece through a fresh
// buffer, and crypto/tls makes one system call for each 16 KiB.
type tlsDialer struct {
	raw    func(ctx context.Context, network, addr string) (net.Conn, error)
	config *tls.Config
}

func (d *tlsDialer) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	raw, err := d.raw(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	config := d.config
	if config.ServerName == "" {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			raw.Close()
			return nil, err
		}
		config = config.Clone()
		config.ServerName = host
	}
	c := &tlsConn{out: &gatherer{Conn: raw}}
	c.Conn = tls.Client(c.out, config)
	if err := c.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, err
	}
	return c, nil
}

// tlsConn is a TLS connection that net/http's write loop writes to.
type tlsConn struct {
	*tls.Conn
	out *gatherer
}

// Write writes p and sends it. It reports 0 bytes when nothing at all has left:
// net/http then takes another connection by itself.
func (c *tlsConn) Write(p []byte) (int, error) {
	c.out.gather()
	n, err := c.Conn.Write(p)
	sent, flushErr := c.out.flush()
	if err == nil {
		err = flushErr
	}
	if err != nil && !sent {
		n = 0
	}
	return n, err
}

// ReadFrom writes what r has and sends it. net/http calls it with the part of
// the body that did not fit beside the header.
func (c *tlsConn) ReadFrom(r io.Reader) (int64, error) {
	if limited, ok := r.(*io.LimitedReader); ok {
		if body, ok := limited.R.(*bodyReader); ok {
			n, err := body.writeRest(c, limited.N)
			limited.N -= n
			return n, err
		}
	}
	return io.Copy(struct{ io.Writer }{c}, r)
}

// gatherer is the connection under the TLS connection. Between gather and flush
// it joins what is written to it into larger writes. The lock is for what TLS
// writes on its own account while it reads.
type gatherer struct {
	net.Conn
	mu        sync.Mutex
	gathering bool
	sent      bool // since gather
	buf       []byte
}

// gatherSize is what one write to the network takes at most.
const gatherSize = 64 << 10

func (g *gatherer) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.gathering {
		return g.Conn.Write(p)
	}
	if g.buf == nil {
		g.buf = make([]byte, 0, gatherSize)
	}
	if len(g.buf)+len(p) > cap(g.buf) {
		if err := g.send(); err != nil {
			return 0, err
		}
	}
	g.buf = append(g.buf, p...)
	return len(p), nil
}

func (g *gatherer) gather() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.gathering, g.sent = true, false
}

// flush sends what was gathered. It reports whether anything was sent since
// gather, here or before.
func (g *gatherer) flush() (sent bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.gathering = false
	err = g.send()
	return g.sent, err
}

func (g *gatherer) send() error {
	if len(g.buf) == 0 {
		return nil
	}
	n, err := g.Conn.Write(g.buf)
	g.sent = g.sent || n > 0
	g.buf = g.buf[:0]
	return err
}
