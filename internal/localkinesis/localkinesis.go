// SPDX-License-Identifier: Apache-2.0

// Package localkinesis runs the two Kinesis servers that npm has: kinesis-local and kinesalite.
// Others wrote them, so they catch what our own in-process Kinesis shares with us as a mistake.
//
// Neither serves STS. kinesis-local answers entry by entry and knows records of 10 MiB,
// but takes a few hundred records a second; kinesalite is faster, and older.
package localkinesis

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// Both servers refuse streams beyond their shard limit; tests make many streams.
const shardLimit = "1000"

// startTimeout is what a busy machine may need to load one of the servers.
const startTimeout = time.Minute

// Server is a running Kinesis on the loopback interface.
type Server struct {
	// Endpoint is the base URL of the API over plain HTTP.
	Endpoint string

	name   string
	cmd    *exec.Cmd
	output bytes.Buffer  // of both pipes; read only after exited
	exited chan struct{} // closed when the process is gone
}

// StartKinesisLocal starts kinesis-local with the given streams ("name:shards", comma-separated, may be empty).
// npm is the folder that its package.json was installed in. The server ends with ctx or by Stop.
func StartKinesisLocal(ctx context.Context, npm, streams string) (*Server, error) {
	ports, err := freePorts(2)
	if err != nil {
		return nil, err
	}
	env := []string{
		"KINESIS_MOCK_PLAIN_PORT=" + ports[0],
		"KINESIS_MOCK_TLS_PORT=" + ports[1],
		"SHARD_LIMIT=" + shardLimit,
		"LOG_LEVEL=ERROR",
	}
	if streams != "" { // which it refuses
		env = append(env, "INITIALIZE_STREAMS="+streams)
	}
	// It looks for its certificate in the working directory.
	return start(ctx, npm, filepath.Join("node_modules", "kinesis-local"), ports[0], []string{"main.js"}, env...)
}

// StartKinesalite starts kinesalite, which has no streams at first.
// npm is the folder that its package.json was installed in. The server ends with ctx or by Stop.
func StartKinesalite(ctx context.Context, npm string) (*Server, error) {
	ports, err := freePorts(1)
	if err != nil {
		return nil, err
	}
	return start(ctx, npm, filepath.Join("node_modules", "kinesalite"), ports[0],
		[]string{"cli.js", "--port", ports[0], "--shardLimit", shardLimit, "--createStreamMs", "50"})
}

func start(ctx context.Context, npm, pkg, port string, args []string, env ...string) (*Server, error) {
	npm, err := filepath.Abs(npm)
	if err != nil {
		return nil, err
	}
	s := &Server{
		Endpoint: "http://127.0.0.1:" + port,
		name:     filepath.Base(pkg),
		exited:   make(chan struct{}),
	}
	s.cmd = exec.CommandContext(ctx, "node", append([]string{"--require", filepath.Join(npm, "loopback.cjs")}, args...)...)
	s.cmd.Dir = filepath.Join(npm, pkg)
	s.cmd.Env = append(os.Environ(), env...)
	s.cmd.Stdout = &s.output
	s.cmd.Stderr = &s.output
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", s.name, err)
	}
	go func() {
		_ = s.cmd.Wait() // a killed process always says so
		close(s.exited)
	}()
	if err := s.waitReady(ctx); err != nil {
		s.Stop()
		return nil, fmt.Errorf("start %s: %w: %s", s.name, err, bytes.TrimSpace(s.output.Bytes()))
	}
	return s, nil
}

// waitReady returns once the server answers, whatever it answers.
func (s *Server) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	// Its own transport: an idle connection in the default one would outlive the server.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Endpoint, nil)
		if err != nil {
			return err
		}
		if resp, err := client.Do(req); err == nil {
			return resp.Body.Close()
		}
		select {
		case <-s.exited:
			return fmt.Errorf("it ended with %s", s.cmd.ProcessState)
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Stop ends the server and returns when it is gone. What it held is lost.
func (s *Server) Stop() {
	_ = s.cmd.Process.Kill() // fails only if it is gone already
	<-s.exited
}

// freePorts returns ports of the loopback interface that nobody listens on at the moment.
func freePorts(n int) ([]string, error) {
	ports := make([]string, n)
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		defer l.Close() // held until all are found, so that they differ
		ports[i] = strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}
