// SPDX-License-Identifier: Apache-2.0

// Command bench measures what records cost on their way to Kinesis, here and
// now, and prints it beside the goals. Ratios are comparable between machines,
// microseconds are not. It ends with status 1 when a goal is missed.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/wirebench"
)

func main() {
	wirebench.ServeIfSink()
	serveIfOutage()
	rounds := flag.Int("rounds", 5, "rounds that each group is measured for, one after the other")
	slice := flag.Duration("slice", 250*time.Millisecond, "about how long each side runs in each round")
	only := flag.String("only", "", "leave out the groups whose name does not contain this text")
	flag.Parse()
	met, err := run(*rounds, *slice, *only)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	if !met {
		os.Exit(1)
	}
}

func run(rounds int, slice time.Duration, only string) (met bool, err error) {
	sink, err := wirebench.StartSink()
	if err != nil {
		return false, err
	}
	defer sink.Close()
	away, err := startOutage() // it has nothing to do, all the time
	if err != nil {
		return false, err
	}
	defer away.close()

	// A collector has a heap: 15 to 18 MiB live in this exporter at 120 000
	// records a second, and its other parts. Without one the collector of
	// garbage would run after every few calls, and make the SDK look worse than
	// it is; with a larger one hardly ever, which no side would owe to itself.
	heap := make([]byte, 32<<20)
	defer runtime.KeepAlive(heap)

	// Every table of the benchmark. A new one is a group of sides and rows.
	groups := []wirebench.Group{
		wirebench.SendGoals(sink, 2*slice), // its goals are close
		encoding(slice),
		formats(slice),
		wholePath(sink, slice),
		farAway(sink, slice),
		wirebench.ByCallSize(sink, slice),
		wirebench.ByRecordSize(sink, slice),
		wirebench.ByConsumers(sink, slice),
	}

	fmt.Printf("%s, %d CPUs. Median of %d interleaved rounds, then the lowest and the highest one.\n",
		runtime.Version(), runtime.NumCPU(), rounds)
	met = true
	report := func(name string, results []wirebench.Result) {
		wirebench.Print(os.Stdout, name, results)
		for _, r := range results {
			met = met && r.Met()
		}
	}
	for _, g := range groups {
		if !strings.Contains(g.Name, only) {
			continue
		}
		results, err := g.Measure(rounds)
		if err != nil {
			return false, err
		}
		report(g.Name, results)
	}
	if only == "" {
		name, results, err := timeShares(sink, slice)
		if err != nil {
			return false, err
		}
		report(name, results)
		if name, results, err = away.results(); err != nil {
			return false, err
		}
		report(name, results)
	}
	return met, nil
}
