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
	"time"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/wirebench"
)

func main() {
	wirebench.ServeIfSink()
	rounds := flag.Int("rounds", 5, "rounds that each group is measured for, one after the other")
	slice := flag.Duration("slice", 250*time.Millisecond, "about how long each side runs in each round")
	flag.Parse()
	met, err := run(*rounds, *slice)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	if !met {
		os.Exit(1)
	}
}

func run(rounds int, slice time.Duration) (met bool, err error) {
	sink, err := wirebench.StartSink()
	if err != nil {
		return false, err
	}
	defer sink.Close()

	// A collector has a heap. Without one the collector of garbage would run
	// after every few calls, and make the SDK look worse than it is.
	heap := make([]byte, 64<<20)
	defer runtime.KeepAlive(heap)

	// Every table of the benchmark. A new one is a group of sides and rows.
	groups := []wirebench.Group{
		wirebench.SendGoals(sink, slice),
		wirebench.SendAlone(sink, slice),
		encoding(slice),
		formats(slice),
		wholePath(sink, slice),
		farAway(sink, slice),
		wirebench.ByCallSize(sink, slice),
		wirebench.ByRecordSize(sink, slice),
		wirebench.ByConsumers(sink, slice),
		wirebench.Far(sink, slice),
	}

	fmt.Printf("%s, %d CPUs. Median of %d interleaved rounds, then the lowest and the highest one.\n",
		runtime.Version(), runtime.NumCPU(), rounds)
	met = true
	for _, g := range groups {
		results, err := g.Measure(rounds)
		if err != nil {
			return false, err
		}
		wirebench.Print(os.Stdout, g.Name, results)
		for _, r := range results {
			met = met && r.Met()
		}
	}
	return met, nil
}
