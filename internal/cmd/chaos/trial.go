// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"text/template"
	"time"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/kinesistest"
)

const (
	streamName = "chaos"
	// patience is how long a scenario may take.
	patience = 4 * time.Minute
	// lineSize is the length of a log line in bytes.
	lineSize = 220
)

// scenario is one fault and what must become of the records under it.
type scenario struct {
	name  string
	goal  string // beyond nothing lost and nothing twice
	alone bool   // has the machine to itself

	server     func(*kinesistest.Config)
	exporter   string // lines of the exporter's configuration
	queue      string // lines of its sending_queue
	keys       int    // number of partition keys; 0: each record a random one
	persistent bool   // the queue is on disk
	fsync      bool   // and flushed with each write

	mayDuplicate bool // drive judges how many
	mayLose      bool // drive judges which

	// drive makes the faults, writes the records and runs the collector until they have arrived.
	drive func(ctx context.Context, t *trial)
}

// result is what a scenario came to.
type result struct {
	sent, lost, duplicates int
	puts                   float64 // entries of requests for each record
	figures                []string
	missed                 []string // goals
}

// trial is a scenario that runs.
type trial struct {
	result
	scenario
	records   int
	dir       string
	collector string
	server    *kinesistest.Server
	process   *process
	metrics   string // address of the collector's own metrics
	input     *os.File
}

func (s scenario) perform(ctx context.Context, collector string, records int, keep bool) result {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	t := &trial{scenario: s, records: records, collector: collector}
	if err := t.setUp(); err != nil {
		t.miss("set up: %v", err)
		return t.result
	}
	defer t.tearDown(keep)
	s.drive(ctx, t)
	t.stop(syscall.SIGTERM)
	if ctx.Err() != nil {
		t.miss("not done after %s, or interrupted", patience)
	}
	t.judge()
	return t.result
}

func (t *trial) setUp() (err error) {
	if t.dir, err = os.MkdirTemp("", "kinesis-chaos-"); err != nil {
		return err
	}
	cfg := kinesistest.Config{Stream: streamName, Shards: 4, ID: idOf, DropData: true}
	if t.scenario.server != nil {
		t.scenario.server(&cfg)
	}
	if t.server, err = kinesistest.Start(cfg); err != nil {
		return err
	}
	if t.input, err = os.Create(filepath.Join(t.dir, "input.log")); err != nil {
		return err
	}
	if t.metrics, err = freeAddress(); err != nil {
		return err
	}
	return t.configure("collector.yaml", t.scenario.exporter)
}

func (t *trial) tearDown(keep bool) {
	t.stop(syscall.SIGKILL)
	t.server.Close()
	t.input.Close()
	if keep {
		fmt.Printf("  %s: see %s\n", t.name, t.dir)
		return
	}
	os.RemoveAll(t.dir)
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

var collectorConfig = template.Must(template.New("").Parse(`extensions:
  file_storage:
    directory: {{.Dir}}/state
    create_directory: true
    fsync: {{.Fsync}}
receivers:
  file_log:
    include: [{{.Dir}}/input.log]
    start_at: beginning
    poll_interval: 100ms
    include_file_name: false
    retry_on_failure: {enabled: true, max_elapsed_time: 0}
{{- if .Persistent}}
    storage: file_storage
{{- end}}
exporters:
  amazonkinesis:
    region: {{.Region}}
    stream: {{.Stream}}
    endpoint: {{.Endpoint}}
    key: {{.Key}}
    secret: {{.Secret}}
    partition_key_from: '{{.KeyFrom}}'
{{- range .Exporter}}
    {{.}}
{{- end}}
    sending_queue:
      enabled: true
{{- if .Persistent}}
      storage: file_storage
{{- end}}
{{- range .Queue}}
      {{.}}
{{- end}}
service:
  extensions: [file_storage]
  telemetry:
    logs: {level: info, encoding: json, output_paths: [{{.Dir}}/collector.log], error_output_paths: [{{.Dir}}/collector.log]}
    metrics:
      level: normal
      readers:
        - pull: {exporter: {prometheus: {host: {{.MetricsHost}}, port: {{.MetricsPort}}}}}
  pipelines:
    logs: {receivers: [file_log], exporters: [amazonkinesis]}
`))

// configure writes the collector's configuration.
func (t *trial) configure(name, exporter string) error {
	f, err := os.Create(filepath.Join(t.dir, name))
	if err != nil {
		return err
	}
	defer f.Close()
	keyFrom := "UUID()"
	if t.keys > 0 {
		keyFrom = `Split(log.body, " ")[1]`
	}
	host, port, _ := net.SplitHostPort(t.metrics)
	return collectorConfig.Execute(f, map[string]any{
		"Dir": t.dir, "Fsync": t.fsync, "Persistent": t.persistent,
		"Region": t.server.Region(), "Stream": streamName, "Endpoint": t.server.URL(),
		"Key": t.server.Credentials().AccessKeyID, "Secret": t.server.Credentials().SecretAccessKey,
		"KeyFrom": keyFrom, "Exporter": lines(exporter), "Queue": lines(t.queue),
		"MetricsHost": host, "MetricsPort": port,
	})
}

func lines(text string) []string {
	if text = strings.TrimSpace(text); text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// write appends n lines to the file that the collector reads.
func (t *trial) write(n int) { t.writeLines(n, t.line) }

func (t *trial) writeLines(n int, line func(i int) string) {
	w := bufio.NewWriterSize(t.input, 1<<16)
	for range n {
		fmt.Fprintln(w, line(t.sent))
		t.sent++
	}
	if err := w.Flush(); err != nil {
		t.miss("write: %v", err)
	}
}

// line is the i-th line: its id, its key, and text.
func (t *trial) line(i int) string {
	line := fmt.Sprintf("#%07d# key-%d GET /index.html ", i, i%max(t.keys, 1))
	return line + strings.Repeat(".", lineSize-len(line))
}

// writeAtRate appends n lines, so many a second.
func (t *trial) writeAtRate(ctx context.Context, n, perSecond int) {
	const step = 10 * time.Millisecond
	began := time.Now()
	for written := 0; written < n && ctx.Err() == nil; {
		due := min(n, int(time.Since(began).Seconds()*float64(perSecond)))
		t.write(due - written)
		written = due
		time.Sleep(step)
	}
}

// idOf finds the id of a line in a record's data.
func idOf(data []byte) string {
	_, rest, _ := bytes.Cut(data, []byte("#"))
	id, _, _ := bytes.Cut(rest, []byte("#"))
	return string(id)
}

func (t *trial) ids() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range t.sent {
			if !yield(fmt.Sprintf("%07d", i)) {
				return
			}
		}
	}
}

func (t *trial) stream() *kinesistest.Stream { return t.server.Stream(streamName) }

func (t *trial) arrived() int {
	if s := t.stream(); s != nil {
		return s.Len()
	}
	return 0
}

// awaitAll waits until every line has arrived, however often.
func (t *trial) awaitAll(ctx context.Context) {
	t.await(ctx, func() bool { return t.arrived() >= t.sent })
	for ctx.Err() == nil && t.stream().Tally(t.ids()).Missing > 0 {
		sleep(ctx, time.Second) // some came twice, and others are still under way
	}
}

func (t *trial) await(ctx context.Context, done func() bool) {
	for !done() {
		select {
		case <-ctx.Done():
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// process is a collector that runs.
type process struct {
	cmd  *exec.Cmd
	done chan error
}

func (t *trial) start() {
	cmd := exec.Command(t.collector, "--config", filepath.Join(t.dir, "collector.yaml"))
	cmd.Env = []string{"HOME=" + t.dir, "PATH=" + os.Getenv("PATH")}
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.miss("start the collector: %v", err)
		return
	}
	t.process = &process{cmd: cmd, done: make(chan error, 1)}
	go func(p *process) {
		err := p.cmd.Wait()
		if err != nil && output.Len() > 0 {
			err = fmt.Errorf("%w: %s", err, output.String())
		}
		p.done <- err
	}(t.process)
}

// stop ends the collector and returns how long that took.
func (t *trial) stop(signal syscall.Signal) time.Duration {
	if t.process == nil {
		return 0
	}
	began := time.Now()
	_ = t.process.cmd.Process.Signal(signal)
	select {
	case err := <-t.process.done:
		if err != nil && signal != syscall.SIGKILL {
			t.miss("the collector: %v", err)
		}
	case <-time.After(2 * time.Minute):
		t.miss("the collector did not end")
		_ = t.process.cmd.Process.Kill()
		<-t.process.done
	}
	t.process = nil
	return time.Since(began)
}

// logged returns the last line of the collector's log with that message.
func (t *trial) logged(message string) (map[string]any, error) {
	text, err := os.ReadFile(filepath.Join(t.dir, "collector.log"))
	if err != nil {
		return nil, err
	}
	var last map[string]any
	for line := range bytes.Lines(text) {
		var fields map[string]any
		if json.Unmarshal(line, &fields) == nil && fields["msg"] == message {
			last = fields
		}
	}
	if last == nil {
		return nil, errors.New("the log does not say: " + message)
	}
	return last, nil
}

// metric adds up the samples of one of the exporter's metrics whose labels contain all of the given texts.
func (t *trial) metric(name string, labels ...string) float64 {
	resp, err := http.Get("http://" + t.metrics + "/metrics")
	if err != nil {
		t.miss("metrics: %v", err)
		return 0
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.miss("metrics: %v", err)
		return 0
	}
	var sum float64
	sample := regexp.MustCompile(`(?m)^otelcol_exporter_amazonkinesis_` + name + `[a-z_]*\{(.*)\} (\S+)$`)
	for _, m := range sample.FindAllStringSubmatch(string(text), -1) {
		matches := true
		for _, label := range labels {
			matches = matches && strings.Contains(m[1], label)
		}
		if value, err := strconv.ParseFloat(m[2], 64); matches && err == nil {
			sum += value
		}
	}
	return sum
}

func (t *trial) miss(format string, args ...any) {
	t.missed = append(t.missed, fmt.Sprintf(format, args...))
}

func (t *trial) figure(format string, args ...any) {
	t.figures = append(t.figures, fmt.Sprintf(format, args...))
}

// want notes a figure and misses the goal when it does not hold.
func (t *trial) want(holds bool, format string, args ...any) {
	t.figure(format, args...)
	if !holds {
		t.miss(format, args...)
	}
}

// judge compares what arrived with what was sent.
func (t *trial) judge() {
	stream := t.stream()
	if stream == nil {
		t.miss("there is no stream")
		return
	}
	tally := stream.Tally(t.ids())
	t.lost, t.duplicates = tally.Missing, tally.Duplicates
	t.puts = float64(t.server.Stats().Entries) / float64(max(t.sent, 1))
	if t.lost > 0 && !t.mayLose {
		t.miss("%d lost, such as %v", t.lost, tally.MissingIDs)
	}
	if tally.Duplicates > 0 && !t.mayDuplicate {
		t.miss("%d duplicates, such as %v", tally.Duplicates, tally.DuplicateIDs)
	}
	if tally.Unknown > 0 {
		t.miss("%d records that nobody sent, such as %v", tally.Unknown, tally.UnknownIDs)
	}
}
