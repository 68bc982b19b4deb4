// SPDX-License-Identifier: Apache-2.0

// Command demo ships a log file through the built collector to a local Kinesis and reads everything back.
// It fails unless every line has arrived exactly once. What it starts is gone when it ends.
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/localkinesis"
)

const (
	streamName = "demo"
	shardCount = 4
	// patience is how long nothing may arrive before the demo gives up.
	patience = 30 * time.Second
)

//go:embed collector.yaml
var collectorConfig []byte

func main() {
	collector := flag.String("collector", "dist/otelcol-amazonkinesis", "collector binary")
	npm := flag.String("npm", ".build/npm", "folder that the npm packages are installed in")
	lines := flag.Int("lines", 4000, "log lines to ship")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *collector, *npm, *lines); err != nil {
		if ctx.Err() != nil {
			err = errors.New("interrupted")
		}
		fmt.Fprintln(os.Stderr, "demo failed:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, collector, npm string, n int) (err error) {
	began := time.Now()
	dir, err := os.MkdirTemp("", "kinesis-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)

	say("Starting kinesis-local with the stream %q of %d shards ...", streamName, shardCount)
	server, err := localkinesis.StartKinesisLocal(ctx, npm, fmt.Sprintf("%s:%d", streamName, shardCount))
	if err != nil {
		return err
	}
	defer server.Stop()
	stream, err := openStream(ctx, server.Endpoint, streamName)
	if err != nil {
		return err
	}
	if len(stream.shards) != shardCount {
		return fmt.Errorf("the stream has %d shards instead of %d", len(stream.shards), shardCount)
	}

	lines := logLines(n)
	say("Writing a log file of %d lines ...", n)
	logFile := filepath.Join(dir, "messages.log")
	if err := os.WriteFile(logFile, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		return err
	}

	say("Starting the collector: file_log -> transform -> amazonkinesis at %s ...", server.Endpoint)
	col, err := startCollector(ctx, collector, dir,
		"DEMO_LOG_FILE="+logFile, "DEMO_ENDPOINT="+server.Endpoint, "DEMO_STREAM="+streamName)
	if err != nil {
		return err
	}
	defer func() {
		if stopErr := col.stop(); stopErr != nil && ctx.Err() == nil {
			err = errors.Join(err, stopErr)
		}
		if err != nil && ctx.Err() == nil {
			err = fmt.Errorf("%w\nThe collector said at last:\n%s", err, col.lastWords())
		}
	}()

	if err := waitForRecords(ctx, stream, col, n); err != nil {
		return err
	}
	say("Stopping the collector, which delivers what it still holds ...")
	if err := col.stop(); err != nil {
		return err
	}
	if err := stream.readNew(ctx); err != nil {
		return err
	}
	printShards(os.Stdout, stream)
	if err := stream.check(lines); err != nil {
		return err
	}
	say("All %d lines arrived exactly once, in %.1f s.", n, time.Since(began).Seconds())
	return nil
}

func say(format string, args ...any) { fmt.Printf(format+"\n", args...) }

// waitForRecords reads the stream until n records have arrived.
func waitForRecords(ctx context.Context, s *stream, col *collector, n int) error {
	lastNew, lastSaid := time.Now(), time.Now()
	for before := 0; before < n; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-col.exited:
			return errors.New("the collector has ended by itself")
		case <-time.After(250 * time.Millisecond):
		}
		if err := s.readNew(ctx); err != nil {
			return err
		}
		now := s.count()
		switch {
		case now > before:
			lastNew = time.Now()
		case time.Since(lastNew) > patience:
			return fmt.Errorf("%d of %d records have arrived, and none in the last %s", now, n, patience)
		}
		before = now
		if time.Since(lastSaid) > 2*time.Second || now >= n {
			lastSaid = time.Now()
			say("  %5d of %d records have arrived.", now, n)
		}
	}
	return nil
}

// printShards shows per shard what arrived, and the first record of each.
func printShards(w io.Writer, s *stream) {
	fmt.Fprintln(w)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "shard\trecords\tKiB\tpartition keys")
	for _, sh := range s.shards {
		size := 0
		keys := map[string]bool{}
		for _, r := range sh.records {
			size += len(r.data)
			keys[r.key] = true
		}
		fmt.Fprintf(table, "%s\t%d\t%d\t%s\n", *sh.ShardId, len(sh.records), size>>10,
			strings.Join(slices.Sorted(maps.Keys(keys)), " "))
	}
	table.Flush()
	fmt.Fprintln(w)
	for _, sh := range s.shards {
		if len(sh.records) > 0 {
			fmt.Fprintf(w, "%s, key %s:\n  %s\n", *sh.ShardId, sh.records[0].key, sh.records[0].data)
		}
	}
	fmt.Fprintln(w)
}

// collector is a running collector.
type collector struct {
	cmd     *exec.Cmd
	logFile string
	exited  chan struct{}
	err     error // of the process; read only after exited
}

func startCollector(ctx context.Context, binary, dir string, env ...string) (*collector, error) {
	configFile := filepath.Join(dir, "collector.yaml")
	if err := os.WriteFile(configFile, collectorConfig, 0o600); err != nil {
		return nil, err
	}
	c := &collector{logFile: filepath.Join(dir, "collector.log"), exited: make(chan struct{})}
	log, err := os.Create(c.logFile)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the collector has its own handle
	c.cmd = exec.CommandContext(ctx, binary, "--config", configFile)
	c.cmd.Env = append(os.Environ(), env...)
	c.cmd.Stdout, c.cmd.Stderr = log, log
	c.cmd.Cancel = func() error { return c.cmd.Process.Signal(syscall.SIGTERM) }
	c.cmd.WaitDelay = 10 * time.Second
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the collector: %w", err)
	}
	go func() {
		c.err = c.cmd.Wait()
		close(c.exited)
	}()
	return c, nil
}

// stop ends the collector as a service manager does, and returns when it is gone. It may be called twice.
func (c *collector) stop() error {
	_ = c.cmd.Process.Signal(syscall.SIGTERM) // fails only if it is gone already
	select {
	case <-c.exited:
	case <-time.After(patience):
		_ = c.cmd.Process.Kill()
		<-c.exited
		return fmt.Errorf("the collector did not stop within %s", patience)
	}
	if c.err != nil {
		return fmt.Errorf("the collector ended with: %w", c.err)
	}
	return nil
}

// lastWords returns the end of the collector's log.
func (c *collector) lastWords() string {
	log, err := os.ReadFile(c.logFile)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(log)), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}
