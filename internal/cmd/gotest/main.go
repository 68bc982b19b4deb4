// SPDX-License-Identifier: Apache-2.0

// Command gotest is `go test` with two independent Kinesis servers beside it.
//
//	gotest -npm DIR -- [arguments of go test]
//
// The tests find the servers in KINESIS_LOCAL_ENDPOINT and KINESALITE_ENDPOINT.
// It prints a line per package, the output of failed tests, every skipped test with its reason,
// and at last how many passed and failed. The servers are gone when it ends.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/localkinesis"
)

func main() {
	npm := flag.String("npm", ".build/npm", "folder that the npm packages are installed in")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *npm, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "gotest:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, npm string, args []string) error {
	kinesisLocal, err := localkinesis.StartKinesisLocal(ctx, npm, "")
	if err != nil {
		return err
	}
	defer kinesisLocal.Stop()
	kinesalite, err := localkinesis.StartKinesalite(ctx, npm)
	if err != nil {
		return err
	}
	defer kinesalite.Stop()

	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-json"}, args...)...)
	cmd.Env = append(os.Environ(),
		"KINESIS_LOCAL_ENDPOINT="+kinesisLocal.Endpoint,
		"KINESALITE_ENDPOINT="+kinesalite.Endpoint,
	)
	// go test hands an interrupt on to the test binaries; a kill would leave them behind.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.Stderr = os.Stderr
	events, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	count, err := report(events, os.Stdout)
	if err := errors.Join(err, cmd.Wait()); err != nil {
		count.failed = max(count.failed, 1) // go test itself may have failed, with no test to blame
		fmt.Println(count)
		return err
	}
	if count.passed == 0 {
		return errors.New("no test was run")
	}
	fmt.Println(count)
	return nil
}

// event is what `go test -json` writes on each line, see `go doc test2json`.
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
}

// tally counts tests and subtests, and packages that failed outside of a test.
type tally struct{ passed, failed, skipped int }

func (t tally) String() string {
	return fmt.Sprintf("%d passed, %d failed, %d skipped", t.passed, t.failed, t.skipped)
}

// report writes to out what a person wants to see of events, and counts.
func report(events io.Reader, out io.Writer) (tally, error) {
	var count tally
	failedBefore := map[string]bool{} // packages with a failed test
	output := map[string]string{}     // of the tests that are running, by package and test

	lines := bufio.NewReader(events)
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return count, nil
		}
		if err != nil {
			return count, err
		}
		var e event
		if err := json.Unmarshal(line, &e); err != nil {
			return count, fmt.Errorf("read the output of go test: %w: %s", err, line)
		}
		test := e.Package + " " + e.Test
		switch e.Action {
		case "output":
			if e.Test != "" {
				output[test] += e.Output
			} else if !quiet(e.Output) {
				fmt.Fprint(out, e.Output)
			}
		case "build-output":
			fmt.Fprint(out, e.Output)
		case "pass":
			if e.Test != "" {
				count.passed++
			}
			delete(output, test)
		case "skip":
			if e.Test != "" {
				count.skipped++
				fmt.Fprintf(out, "skipped: %s\n%s", test, output[test])
			}
			delete(output, test)
		case "fail":
			if e.Test != "" || !failedBefore[e.Package] {
				count.failed++
			}
			failedBefore[e.Package] = true
			fmt.Fprint(out, output[test])
			delete(output, test)
		}
	}
}

// quiet tells the lines about a package that say nothing: the verdict stands in its ok or FAIL line.
func quiet(line string) bool {
	return line == "PASS\n" || line == "FAIL\n" || strings.Contains(line, "[no test files]")
}
