// SPDX-License-Identifier: Apache-2.0

package kinesistest

import (
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
)

// ConnectProxy is an HTTP proxy that leads every tunnel to one server, whatever
// host it is asked for. With it a client that trusts the server's CA can use
// the endpoints that the SDK derives from the region. Serve it with httptest,
// and close it after the clients.
type ConnectProxy struct {
	Server *Server

	mu    sync.Mutex
	hosts []string
}

// Hosts gives the host:port of every tunnel, in order.
func (p *ConnectProxy) Hosts() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.hosts)
}

func (p *ConnectProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect {
		http.Error(w, "only tunnels are served", http.StatusMethodNotAllowed)
		return
	}
	p.mu.Lock()
	p.hosts = append(p.hosts, r.Host)
	p.mu.Unlock()
	far, err := p.Server.DialContext(r.Context(), "tcp", r.Host)
	if err != nil {
		http.Error(w, "the server is down", http.StatusBadGateway)
		return
	}
	near, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		far.Close()
		return
	}
	_, _ = near.Write([]byte("HTTP/1.1 200 Connection established\r\n\r\n"))
	var ended sync.WaitGroup
	copyTo := func(to net.Conn, from io.Reader) {
		_, _ = io.Copy(to, from) // ends when either side does
		to.Close()
	}
	ended.Go(func() { copyTo(far, buffered) })
	ended.Go(func() { copyTo(near, far) })
	ended.Wait()
}
