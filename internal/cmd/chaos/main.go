// SPDX-License-Identifier: Apache-2.0

// Command chaos runs the built collector through every fault that Kinesis, the network and the operator can bring, and
// counts at the receiver what became of each record. It prints a table and fails when a goal is missed.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"text/tabwriter"
	"time"
)

// together is how many scenarios run at the same time, of those that mostly wait.
const together = 4

func main() {
	collector := flag.String("collector", "dist/otelcol-amazonkinesis", "collector binary")
	records := flag.Int("records", 100_000, "records of each scenario")
	only := flag.String("run", "", "regular expression: only the scenarios whose name matches")
	keep := flag.Bool("keep", false, "keep the folders of the scenarios, with configuration and logs")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	failed, err := run(ctx, *collector, *records, *only, *keep)
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
	if failed > 0 {
		os.Exit(1)
	}
}

func run(ctx context.Context, collector string, records int, only string, keep bool) (failed int, err error) {
	pattern, err := regexp.Compile(only)
	if err != nil {
		return 0, err
	}
	if _, err := os.Stat(collector); err != nil {
		return 0, fmt.Errorf("the collector is not built, run make collector: %w", err)
	}
	chosen := slices.DeleteFunc(scenarios(), func(s scenario) bool { return !pattern.MatchString(s.name) })
	began := time.Now()
	fmt.Printf("%d scenarios, %d records each unless said otherwise.\n", len(chosen), records)

	results := make([]result, len(chosen))
	perform := func(i int) {
		results[i] = chosen[i].perform(ctx, collector, records, keep)
		fmt.Printf("  %s: %s\n", chosen[i].name, cmp.Or(strings.Join(results[i].missed, "; "), "ok"))
	}
	// Those that measure a rate have the machine to themselves.
	for i, s := range chosen {
		if s.alone {
			perform(i)
		}
	}
	var running sync.WaitGroup
	turns := make(chan struct{}, together)
	for i, s := range chosen {
		if s.alone {
			continue
		}
		turns <- struct{}{}
		running.Go(func() {
			perform(i)
			<-turns
		})
	}
	running.Wait()

	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\nfault\tsent\tlost\tduplicates\tputs a record\tfigures\tgoal\t")
	for i, s := range chosen {
		r := results[i]
		verdict := "ok"
		if len(r.missed) > 0 {
			failed++
			verdict = "MISSED: " + strings.Join(r.missed, "; ")
		}
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%.3f\t%s\t%s\t%s\n",
			s.name, r.sent, r.lost, r.duplicates, r.puts, strings.Join(r.figures, ", "), s.goal, verdict)
	}
	table.Flush()
	fmt.Printf("\n%d passed, %d failed\n", len(chosen)-failed, failed)
	fmt.Printf("That took %s.\n", time.Since(began).Round(time.Second))
	return failed, ctx.Err()
}
