// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/benchlogs"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/wirebench"
)

// outageEnv tells a process that it is the exporter of an outage.
const outageEnv = "BENCH_OUTAGE"

// outage is an exporter in a process of its own, whose queue is full and whose backend is away.
type outage struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	out   *bufio.Scanner
	begin memory
}

// memory is what an outage holds at one moment.
type memory struct {
	Queued int     // bytes of data in the queue
	Peak   float64 // MiB that were resident at the most so far
	Live   float64 // MiB that were reachable
}

// startOutage starts this program again as an outage, which ends with close and when this process ends.
func startOutage() (*outage, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	o := &outage{cmd: exec.Command(exe)}
	o.cmd.Env = append(os.Environ(), outageEnv+"=1")
	o.cmd.Stderr = os.Stderr
	if o.stdin, err = o.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := o.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	o.out = bufio.NewScanner(stdout)
	if err := o.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the outage: %w", err)
	}
	if o.begin, err = o.measure(); err != nil {
		return nil, errors.Join(err, o.close())
	}
	return o, nil
}

// measure waits until the queue is full.
func (o *outage) measure() (m memory, err error) {
	if _, err := io.WriteString(o.stdin, "\n"); err != nil {
		return m, err
	}
	if !o.out.Scan() {
		return m, errors.Join(errors.New("the outage has ended"), o.out.Err())
	}
	return m, json.Unmarshal(o.out.Bytes(), &m)
}

func (o *outage) close() error {
	_ = o.stdin.Close()
	return o.cmd.Wait()
}

// results compares now with the beginning.
func (o *outage) results() (name string, results []wirebench.Result, err error) {
	now, err := o.measure()
	if err != nil {
		return "", nil, err
	}
	const goalBase, goalFactor = 40, 3.5 // MiB, and of the bytes queued
	queued := float64(o.begin.Queued) / (1 << 20)
	return fmt.Sprintf("Backend away, queue full: %.1f MiB of lines of 256 B, as long as all of the above took.", queued), []wirebench.Result{
		{Row: wirebench.Row{Name: "resident memory, peak", Unit: "MiB", AtMost: goalBase + goalFactor*queued}, Values: []float64{now.Peak}},
		{Row: wirebench.Row{Name: "reachable memory, against the beginning", Unit: "×", AtMost: 1.03}, Values: []float64{now.Live / o.begin.Live}},
	}, nil
}

// serveIfOutage turns this process into an outage when startOutage started it, and never returns then.
func serveIfOutage() {
	if os.Getenv(outageEnv) == "" {
		return
	}
	if err := serveOutage(); err != nil {
		fmt.Fprintln(os.Stderr, "bench outage:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func serveOutage() error {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	closed.Close()
	logs, stop, err := startExporter("http://"+closed.Addr().String(), nil)
	if err != nil {
		return err
	}
	defer stop()

	var m memory
	full := errors.New("the queue is full")
	err = receive(benchlogs.Lines(perRequest), 1<<20, func(ld plog.Logs) error {
		if logs.ConsumeLogs(context.Background(), ld) != nil {
			return full
		}
		m.Queued += perRequest * 256
		return nil
	})
	if !errors.Is(err, full) {
		return errors.Join(errors.New("the queue does not fill up"), err)
	}
	time.Sleep(3 * time.Second) // the first calls fail, and what they held comes back

	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		m.Peak = peakResident()
		runtime.GC()
		var heap runtime.MemStats
		runtime.ReadMemStats(&heap)
		m.Live = float64(heap.HeapAlloc) / (1 << 20)
		if err := json.NewEncoder(os.Stdout).Encode(m); err != nil {
			return err
		}
	}
	return nil
}

// peakResident is the most memory, in MiB, that was resident in this process.
func peakResident() float64 {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		panic(err) // it fails for bad arguments only
	}
	unit := 1 << 10
	if runtime.GOOS == "darwin" {
		unit = 1
	}
	return float64(r.Maxrss) * float64(unit) / (1 << 20)
}
