// SPDX-License-Identifier: Apache-2.0

package putrecords

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// counting counts what is written to the network.
type counting struct {
	net.Conn
	writes []int
}

func (c *counting) Write(p []byte) (int, error) {
	c.writes = append(c.writes, len(p))
	return c.Conn.Write(p)
}

// TestTLSConn writes in the ways of net/http and looks at what arrives, and in
// how many pieces it left.
func TestTLSConn(t *testing.T) {
	srv := httptest.NewUnstartedServer(nil)
	srv.StartTLS()
	defer srv.Close()
	here, there := net.Pipe()
	defer there.Close()
	server := tls.Server(there, srv.TLS)
	arrived := make(chan []byte)
	go func() {
		b, _ := io.ReadAll(server)
		arrived <- b
	}()

	count := &counting{Conn: here}
	c := &tlsConn{out: &gatherer{Conn: count}}
	c.Conn = tls.Client(c.out, &tls.Config{RootCAs: srv.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs, ServerName: "example.com"})
	require.NoError(t, c.Handshake())
	count.writes = nil

	body := bytes.Repeat([]byte("0123456789abcdef"), 20<<10) // 320 KiB
	reader := &bodyReader{body: body}
	n, err := reader.Read(make([]byte, 1000))
	require.NoError(t, err)
	require.Equal(t, 1000, n)
	limited := &io.LimitedReader{R: reader, N: int64(len(body) - 1000)}
	copied, err := c.ReadFrom(limited)
	require.NoError(t, err)
	require.Equal(t, int64(len(body)-1000), copied)
	require.Zero(t, limited.N, "as io.Copy would leave it")
	require.True(t, reader.finished.Load())
	require.LessOrEqual(t, len(count.writes), 8, "%v", count.writes)

	copied, err = c.ReadFrom(strings.NewReader("anything else"))
	require.NoError(t, err)
	require.Equal(t, int64(len("anything else")), copied)
	n, err = c.Write([]byte("!"))
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.NoError(t, c.Close())
	require.Equal(t, string(body[1000:])+"anything else!", string(<-arrived))
}
