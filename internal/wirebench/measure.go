// SPDX-License-Identifier: Apache-2.0

package wirebench

import (
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Side is one way to do a piece of work, ready to run.
type Side struct {
	Name    string
	PerCall int                   // units, mostly records, that one call of Run(1) does
	Run     func(calls int) error // do the work
	Close   func()                // may be nil
}

// Usage is what a side took in one round, for each unit.
type Usage struct {
	CPU    float64 // nanoseconds of this process, garbage collection included
	Wall   float64 // nanoseconds
	Allocs float64
	Bytes  float64 // of garbage
}

// Round holds what each side took in one round, by its name.
type Round map[string]Usage

// Row is one line of the table: a figure that is computed for each round.
type Row struct {
	Name  string
	Unit  string // "×" for ratios
	Value func(Round) float64
	// AtMost or AtLeast is the goal, when it is not 0.
	AtMost, AtLeast float64
}

// Group is rows and the sides they are computed from. In each round all sides
// run one after the other, so that a machine that wanders takes all along.
type Group struct {
	Name  string
	Open  func() ([]Side, error)
	Slice time.Duration // how long each side runs in each round, about
	Rows  []Row
}

// Result is one row, measured.
type Result struct {
	Row
	Values []float64 // one for each round
}

// Median of the rounds.
func (r Result) Median() float64 { return median(r.Values) }

// Met reports whether the median meets the goal. A row without a goal is met.
func (r Result) Met() bool {
	m := r.Median()
	return (r.AtMost == 0 || m <= r.AtMost) && (r.AtLeast == 0 || m >= r.AtLeast)
}

// CPURatio is the CPU time of one side as a share of another's.
func CPURatio(of, to string) func(Round) float64 {
	return func(r Round) float64 { return r[of].CPU / r[to].CPU }
}

// Measure runs a group for a number of rounds.
func (g Group) Measure(rounds int) ([]Result, error) {
	sides, err := g.Open()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", g.Name, err)
	}
	defer func() {
		for _, s := range sides {
			if s.Close != nil {
				s.Close()
			}
		}
	}()
	calls := make([]int, len(sides))
	for i, s := range sides {
		if calls[i], err = s.warmUp(g.Slice); err != nil {
			return nil, fmt.Errorf("%s, %s: %w", g.Name, s.Name, err)
		}
	}
	results := make([]Result, len(g.Rows))
	for i, row := range g.Rows {
		results[i].Row = row
	}
	for range rounds {
		round := Round{}
		for i, s := range sides {
			if round[s.Name], err = s.measure(calls[i]); err != nil {
				return nil, fmt.Errorf("%s, %s: %w", g.Name, s.Name, err)
			}
		}
		for i, row := range g.Rows {
			results[i].Values = append(results[i].Values, row.Value(round))
		}
	}
	return results, nil
}

// warmUp opens connections and fills pools, and finds how many calls take
// about as long as a slice.
func (s Side) warmUp(slice time.Duration) (calls int, err error) {
	for calls = 1; ; calls *= 2 {
		start := time.Now()
		if err := s.Run(calls); err != nil {
			return 0, err
		}
		if took := time.Since(start); took > slice/4 {
			return max(1, int(float64(calls)*float64(slice)/float64(took))), nil
		}
	}
}

func (s Side) measure(calls int) (Usage, error) {
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start, cpu := time.Now(), cpuTime()
	err := s.Run(calls)
	cpu, wall := cpuTime()-cpu, time.Since(start)
	runtime.ReadMemStats(&after)
	units := float64(calls * s.PerCall)
	return Usage{
		CPU:    float64(cpu) / units,
		Wall:   float64(wall) / units,
		Allocs: float64(after.Mallocs-before.Mallocs) / units,
		Bytes:  float64(after.TotalAlloc-before.TotalAlloc) / units,
	}, err
}

// cpuTime is the CPU time that this process has used, without its children.
func cpuTime() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		panic(err) // it fails for bad arguments only
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	v := slices.Sorted(slices.Values(values))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// Print writes the results of a group as lines of a table: the median, the
// lowest and the highest round where there are several, the goal, and whether
// it was met.
func Print(w io.Writer, group string, results []Result) {
	fmt.Fprintf(w, "\n%s\n", group)
	for _, r := range results {
		goal := ""
		switch {
		case r.AtMost != 0:
			goal = "at most " + number(r.AtMost)
		case r.AtLeast != 0:
			goal = "at least " + number(r.AtLeast)
		}
		verdict := ""
		if goal != "" {
			if verdict = "met"; !r.Met() {
				verdict = "MISSED"
			}
		}
		spread := ""
		if len(r.Values) > 1 {
			spread = number(slices.Min(r.Values)) + " … " + number(slices.Max(r.Values))
		}
		line := fmt.Sprintf("  %-58s %9s %-8s %-19s %-17s %s", r.Name, number(r.Median()), r.Unit, spread, goal, verdict)
		fmt.Fprintln(w, strings.TrimRight(line, " "))
	}
}

func number(v float64) string {
	switch {
	case math.Abs(v) >= 1000:
		return fmt.Sprintf("%.0f", v)
	case math.Abs(v) >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}
