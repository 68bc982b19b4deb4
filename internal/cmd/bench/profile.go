// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime/pprof"
	"slices"
	"strings"
	"time"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/benchlogs"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/wirebench"
)

// part is a part of the whole path as a CPU profile shows it. A sample counts for the part that marks the innermost of
// its functions that any part marks.
type part struct {
	name    string
	mark    *regexp.Regexp // of functions
	atLeast bool           // it has to be done, however the rest is written
}

var parts = []part{
	{"garbage collection, mostly of what was unmarshalled", regexp.MustCompile(`^runtime\.(gc|bgsweep|bgscavenge)`), true},
	{"unmarshalling, which is the receiver's", regexp.MustCompile(`\.UnmarshalLogs$`), true},
	{"encoding to JSON", regexp.MustCompile(`internal/(plainjson|jsontext)`), true},
	{"base64", regexp.MustCompile(`internal/putrecords/fastbase64`), true},
	{"SHA-256 of the body", regexp.MustCompile(`^crypto/sha256\.Sum256`), true},
	{"TLS", regexp.MustCompile(`aes/gcm|chacha20|^crypto/tls`), true},
	{"system calls", regexp.MustCompile(`^(internal/runtime/)?syscall`), true},
	{"HTTP", regexp.MustCompile(`^net/http|internal/putrecords\.\(\*(sender|tlsConn|gatherer|bodyReader)\)`), true},
	{"the SDK: endpoint, credentials, signature", regexp.MustCompile(`aws-sdk-go|smithy-go|internal/putrecords\.(bodyHash|\(\*protocol\))`), true},
	{"reading the answer", regexp.MustCompile(`internal/putrecords\.(parseAnswer|readBody|digits|\(\*jsonReader\))`), true},
	{"filling the request", regexp.MustCompile(`internal/putrecords\.`), false},
	{"partition keys", regexp.MustCompile(`internal/partitionkey`), false},
	{"metrics", regexp.MustCompile(`internal/accounting|otel/sdk/metric`), false},
	{"deciding, waiting and settling", regexp.MustCompile(`amazonkinesisexporter(/internal/|\.)`), false},
	{"queue and batches, which are the collector's", regexp.MustCompile(`exporterhelper`), false},
	{"Go's scheduler", regexp.MustCompile(`^runtime\.(schedule|mcall|mstart)`), false},
	{"anything else", nil, false},
}

// own marks the functions of the benchmark that are measured with the rest.
var own = regexp.MustCompile(`\.\(\*books\)\.`)

// timeShares shows where the CPU time of the whole path goes.
func timeShares(sink *wirebench.Sink, slice time.Duration) (name string, results []wirebench.Result, err error) {
	side, err := throughExporter("profiled", sink.Endpoint(0, 0), benchlogs.Lines(perRequest))
	if err != nil {
		return "", nil, err
	}
	defer side.Close()
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return "", nil, err
	}
	defer os.RemoveAll(dir)
	f, err := os.Create(dir + "/cpu.pprof")
	if err != nil {
		return "", nil, err
	}
	defer f.Close()
	if err := pprof.StartCPUProfile(f); err != nil {
		return "", nil, err
	}
	for began := time.Now(); time.Since(began) < 30*slice && err == nil; {
		err = side.Run(100)
	}
	pprof.StopCPUProfile()
	if err != nil {
		return "", nil, err
	}
	exe, err := os.Executable()
	if err != nil {
		return "", nil, err
	}
	traces, err := exec.Command("go", "tool", "pprof", "-traces", exe, f.Name()).Output()
	if err != nil {
		return "", nil, fmt.Errorf("go tool pprof: %w", err)
	}
	shares, err := sharesOf(traces)
	if err != nil {
		return "", nil, err
	}
	most := 0.0
	for i, p := range parts {
		if !p.atLeast {
			most = max(most, shares[i])
		}
		results = append(results, wirebench.Result{Row: wirebench.Row{Name: p.name, Unit: "%"}, Values: []float64{shares[i]}})
	}
	results = append(results, wirebench.Result{
		Row:    wirebench.Row{Name: "the largest part that could be left out", Unit: "%", AtMost: 5},
		Values: []float64{most},
	})
	return "Whole path: where its CPU time goes. 256 B lines.", results, nil
}

// sharesOf reads the stacks that pprof prints with -traces. It returns the share of each part, in percent of all but the
// benchmark's own.
//
// A stack begins behind a line of dashes with its time and its innermost function; the functions around it follow, one a
// line.
func sharesOf(traces []byte) ([]float64, error) {
	times := make([]time.Duration, len(parts))
	var total, current time.Duration
	var stack []string
	count := func() {
		if !slices.ContainsFunc(stack, own.MatchString) {
			total += current
			times[partOf(stack)] += current
		}
	}
	for lines := bufio.NewScanner(bytes.NewReader(traces)); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		if strings.HasPrefix(line, "-----") {
			count()
			stack, current = nil, 0
			continue
		}
		if first, function, ok := strings.Cut(line, " "); ok && len(stack) == 0 {
			took, err := time.ParseDuration(first)
			if err != nil {
				continue // the head of the report
			}
			current, line = took, strings.TrimSpace(function)
		}
		if current > 0 {
			stack = append(stack, line)
		}
	}
	count()
	if total == 0 {
		return nil, errors.New("go tool pprof printed no stacks")
	}
	shares := make([]float64, len(parts))
	for i, t := range times {
		shares[i] = 100 * float64(t) / float64(total)
	}
	return shares, nil
}

// partOf returns the index of the part that a stack, the innermost function first, counts for.
func partOf(stack []string) int {
	rest := len(parts) - 1
	for _, function := range stack {
		for i, p := range parts[:rest] {
			if p.mark.MatchString(function) {
				return i
			}
		}
	}
	return rest
}
