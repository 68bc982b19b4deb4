// SPDX-License-Identifier: Apache-2.0

package localkinesis

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// npmWith lays out a folder as npm does, with the given program in kinesalite's place.
func npmWith(t *testing.T, program string) string {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node is not installed")
	}
	npm := t.TempDir()
	pkg := filepath.Join(npm, "node_modules", "kinesalite")
	require.NoError(t, os.MkdirAll(pkg, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(pkg, "cli.js"), []byte(program), 0o600))
	preload, err := os.ReadFile("loopback.cjs")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(npm, "loopback.cjs"), preload, 0o600))
	return npm
}

func TestServerAnswersUntilStopped(t *testing.T) {
	npm := npmWith(t, `
		const server = require('http').createServer((_, res) => res.end(server.address().address));
		server.listen(Number(process.argv[3]));`)

	s, err := StartKinesalite(t.Context(), npm)
	require.NoError(t, err)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(s.Endpoint)
	require.NoError(t, err)
	address := make([]byte, 32)
	n, _ := resp.Body.Read(address)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, "127.0.0.1", string(address[:n]), "bound to loopback only")

	s.Stop()
	_, err = client.Get(s.Endpoint)
	require.ErrorContains(t, err, "connection refused")
}

func TestServerThatEndsAtOnceIsAnError(t *testing.T) {
	npm := npmWith(t, `console.error("no room left"); process.exit(3)`)

	_, err := StartKinesalite(t.Context(), npm)
	require.EqualError(t, err, "start kinesalite: it ended with exit status 3: no room left")
}
