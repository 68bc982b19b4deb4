// SPDX-License-Identifier: Apache-2.0

// Package postprocess runs the key `pipelines`: OTTL statements on the records of one exporter, before they are marshalled.
package postprocess

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/contexts/ottllog"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/ottlfuncs"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"
)

type (
	transformContext = *ottllog.TransformContext
	condition        = ottl.Condition[transformContext]
	statement        = ottl.Statement[transformContext]
)

// Chain is the pipelines of an exporter, in order. It is safe for concurrent use. The nil Chain has no pipelines.
type Chain struct {
	pipelines []*pipeline
}

// pipeline is a parsed Config.
type pipeline struct {
	name       string
	mode       ottl.ErrorMode
	conditions []*condition
	drop       []*condition
	statements []*statement
	logger     *zap.Logger

	mu     sync.Mutex
	faults map[string]*fault // by source text
}

// fault is a condition or statement that fails in `error_mode: ignore`.
type fault struct {
	logged  time.Time
	records int // on which it has failed since
}

// quietPeriod is how long the errors of a condition or statement are not logged again: there can be one for each record.
const quietPeriod = time.Minute

// Result says which records are not to be delivered.
type Result struct {
	Filtered int   // records excluded by `drop`
	Failed   int   // records to drop because of an error, with `error_mode: propagate`
	Err      error // the first of these errors

	// Excluded tells whether a record is one of those, by its place in the logs, counted from 0 through all
	// resources and scopes. It is nil when there are none.
	Excluded func(ordinal int) bool
}

// New parses the pipelines: OTTL with the functions that the transform processor has for all signals. Its log functions
// ParseCEF, ParseCLF, ParseELF and ParseLEEF are not among them, because nobody else can import them. For an empty cfgs
// it returns nil, which is a valid Chain.
func New(cfgs []Config, set component.TelemetrySettings) (*Chain, error) {
	if len(cfgs) == 0 {
		return nil, nil
	}
	parser, err := ottllog.NewParser(ottlfuncs.StandardFuncs[transformContext](), set, ottllog.EnablePathContextNames())
	if err != nil {
		return nil, fmt.Errorf("create OTTL parser: %w", err)
	}
	c := &Chain{}
	var errs []error
	for i, cfg := range cfgs {
		p, err := parse(cfg, fmt.Sprintf("pipelines[%d]", i), parser, set.Logger)
		errs = append(errs, err)
		c.pipelines = append(c.pipelines, p)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return c, nil
}

func parse(cfg Config, key string, parser ottl.Parser[transformContext], logger *zap.Logger) (*pipeline, error) {
	p := &pipeline{name: cfg.Name, mode: cfg.ErrorMode, logger: logger, faults: map[string]*fault{}}
	if p.name == "" {
		p.name = key
	}
	var errs []error
	switch cfg.ErrorMode {
	case "":
		p.mode = ottl.IgnoreError
	case ottl.IgnoreError, ottl.SilentError, ottl.PropagateError:
	default:
		errs = append(errs, fmt.Errorf("`%s.error_mode` %q: write ignore, silent or propagate", key, cfg.ErrorMode))
	}
	if len(cfg.Statements) == 0 && len(cfg.Drop) == 0 {
		errs = append(errs, fmt.Errorf("`%s` does nothing: write `statements` or `drop`", key))
	}
	var err error
	p.conditions, err = parseAll(key+".conditions", cfg.Conditions, parser.ParseCondition)
	errs = append(errs, err)
	p.drop, err = parseAll(key+".drop", cfg.Drop, parser.ParseCondition)
	errs = append(errs, err)
	p.statements, err = parseAll(key+".statements", cfg.Statements, parser.ParseStatement)
	errs = append(errs, err)
	return p, errors.Join(errs...)
}

func parseAll[T any](key string, sources []string, parse func(string) (T, error)) ([]T, error) {
	var all []T
	var errs []error
	for i, source := range sources {
		parsed, err := parse(source)
		if err != nil {
			errs = append(errs, fmt.Errorf("`%s[%d]`: %w%s", key, i, err, hint(err)))
		}
		all = append(all, parsed)
	}
	return all, errors.Join(errs...)
}

// hint says what to write instead of functions that people look for here.
func hint(err error) string {
	_, name, found := strings.Cut(err.Error(), "undefined function \"")
	name, _, closed := strings.Cut(name, `"`)
	if !found || !closed {
		return ""
	}
	switch name {
	case "drop":
		return "; to exclude records, write their condition under `drop`"
	case "ParseCEF", "ParseCLF", "ParseELF", "ParseLEEF":
		return "; it belongs to the transform processor, which can stand before this exporter"
	}
	return ""
}

// Process runs the pipelines on the records of ld, one record after the other, and returns the logs to deliver, with
// all records in their places. It changes ld and returns it. If others see ld, which the collector marks as read-only, or
// if keep says that ld is needed as it is, to be sent or stored again, it changes and returns a copy.
func (c *Chain) Process(ctx context.Context, ld plog.Logs, keep bool) (plog.Logs, Result) {
	var res Result
	if c == nil {
		return ld, res
	}
	if keep || ld.IsReadOnly() {
		own := plog.NewLogs()
		ld.CopyTo(own)
		ld = own
	}
	var excluded []int
	ordinal := -1
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, record := range sl.LogRecords().All() {
				ordinal++
				deliver, err := c.run(ctx, rl, sl, record)
				if deliver {
					continue
				}
				excluded = append(excluded, ordinal)
				if err == nil {
					res.Filtered++
					continue
				}
				res.Failed++
				if res.Err == nil {
					res.Err = err
				}
			}
		}
	}
	if len(excluded) > 0 {
		res.Excluded = func(ordinal int) bool {
			_, found := slices.BinarySearch(excluded, ordinal)
			return found
		}
	}
	return ld, res
}

// run reports whether the record is to be delivered; if not because of an error, it returns that.
func (c *Chain) run(ctx context.Context, rl plog.ResourceLogs, sl plog.ScopeLogs, record plog.LogRecord) (deliver bool, err error) {
	tc := ottllog.NewTransformContext(rl, sl, record)
	defer tc.Close()
	for _, p := range c.pipelines {
		if deliver, err := p.run(ctx, tc); !deliver {
			return false, err
		}
	}
	return true, nil
}

func (p *pipeline) run(ctx context.Context, tc transformContext) (deliver bool, err error) {
	if len(p.conditions) > 0 {
		selected, err := p.anyOf(ctx, tc, p.conditions)
		if err != nil || !selected {
			return err == nil, err
		}
	}
	dropped, err := p.anyOf(ctx, tc, p.drop)
	if err != nil || dropped {
		return false, err
	}
	for _, s := range p.statements {
		if _, _, err := s.Execute(ctx, tc); err != nil {
			if err := p.failed(s, err); err != nil {
				return false, err
			}
		}
	}
	return true, nil
}

// anyOf evaluates conditions until one holds. One that fails does not hold.
func (p *pipeline) anyOf(ctx context.Context, tc transformContext, conditions []*condition) (bool, error) {
	for _, c := range conditions {
		holds, err := c.Eval(ctx, tc)
		if err != nil {
			if err := p.failed(c, err); err != nil {
				return false, err
			}
		} else if holds {
			return true, nil
		}
	}
	return false, nil
}

// failed does with an error what the error mode says. It returns the error if the record has to be dropped for it.
func (p *pipeline) failed(source fmt.Stringer, err error) error {
	switch p.mode {
	case ottl.PropagateError:
		return fmt.Errorf("pipeline %q: %s: %w", p.name, source, err)
	case ottl.IgnoreError:
		p.log(source.String(), err)
	}
	return nil
}

func (p *pipeline) log(source string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.faults[source]
	if f == nil {
		f = &fault{}
		p.faults[source] = f
	}
	f.records++
	if now := time.Now(); f.logged.IsZero() || now.Sub(f.logged) >= quietPeriod {
		p.logger.Warn("A pipeline failed on records and went on with them.", zap.String("pipeline", p.name),
			zap.String("ottl", source), zap.Int("records", f.records), zap.Error(err))
		f.logged, f.records = now, 0
	}
}
