// SPDX-License-Identifier: Apache-2.0

// Package schedule delivers records at set times instead of at once: it reads
// the keys `interval`, `cron` and `time_zone`, and keeps records in the sending
// queue until an execution is due.
package schedule

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // `time_zone` must work in images that have no time zone database

	"github.com/robfig/cron/v3"
)

// Schedule says when executions are due.
type Schedule interface {
	// First returns when the first execution of an exporter started at start is due.
	First(start time.Time) time.Time

	// Next returns when the execution is due that follows one which ended at end.
	Next(end time.Time) time.Time

	// String is for the log: "every 5m0s", `cron "0 * * * *" in Europe/Berlin`.
	String() string
}

// realtime is the longest `interval` that means delivery without a schedule.
const realtime = time.Second

// ParseInterval reads the key `interval`: a bare number is seconds, otherwise
// Go's duration syntax with d for 24 hours in front ("30s", "5m", "1h30m", "1d12h").
// It returns 0 for realtime delivery, which is meant by the empty string and by
// anything up to one second.
func ParseInterval(s string) (time.Duration, error) {
	text := strings.TrimSpace(s)
	if text == "" {
		return 0, nil
	}
	d, err := parseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("invalid `interval` %q: %w; write seconds (300) or a duration (30s, 5m, 1h, 1d)", s, err)
	}
	if d < 0 {
		return 0, fmt.Errorf("invalid `interval` %q: must not be negative; write 0 for realtime delivery", s)
	}
	if d <= realtime {
		return 0, nil
	}
	return d, nil
}

var (
	errNotDuration = errors.New("not a number of seconds and not a duration")
	errTooLong     = errors.New("longer than 292 years")
)

func parseDuration(text string) (time.Duration, error) {
	// Only digits, so that "Inf", "0x10" and "1e9" are no numbers here.
	if strings.Trim(text, "+-.0123456789") == "" {
		seconds, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return 0, errNotDuration
		}
		return ofUnits(seconds, time.Second)
	}

	days, rest, found := strings.Cut(text, "d")
	if !found {
		return parseGoDuration(text)
	}
	n, err := strconv.ParseUint(days, 10, 32)
	if err != nil {
		return 0, errNotDuration
	}
	total, err := ofUnits(float64(n), 24*time.Hour)
	if err != nil || rest == "" {
		return total, err
	}
	if strings.ContainsAny(rest[:1], "+-") {
		return 0, errNotDuration
	}
	d, err := parseGoDuration(rest)
	if err != nil {
		return 0, err
	}
	if total > math.MaxInt64-d {
		return 0, errTooLong
	}
	return total + d, nil
}

func parseGoDuration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, errNotDuration // Go's own message repeats the text and speaks of "time:"
	}
	return d, nil
}

func ofUnits(n float64, unit time.Duration) (time.Duration, error) {
	ns := n * float64(unit)
	if math.Abs(ns) >= math.MaxInt64 {
		return 0, errTooLong
	}
	return time.Duration(ns), nil
}

// Every returns a schedule whose first execution is due at once and each other
// one interval after the one before has ended.
func Every(interval time.Duration) Schedule {
	return every(interval)
}

type every time.Duration

func (every) First(start time.Time) time.Time { return start }
func (e every) Next(end time.Time) time.Time  { return end.Add(time.Duration(e)) }
func (e every) String() string                { return "every " + time.Duration(e).String() }

// fiveFields is the format of crontab(5), with the descriptors @hourly and the like.
var fiveFields = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)

// ParseCron reads the keys `cron` and `time_zone`. timeZone is an IANA name; the
// empty string is the host's zone.
//
// The result follows github.com/robfig/cron: a time that the clock skips when
// daylight saving begins has no execution that day, one that comes twice when it
// ends has two.
func ParseCron(expr, timeZone string) (Schedule, error) {
	location := time.Local
	if timeZone != "" {
		var err error
		if location, err = time.LoadLocation(timeZone); err != nil {
			return nil, fmt.Errorf("invalid `time_zone` %q: write an IANA name such as Europe/Berlin or UTC, or leave it out for the host's zone", timeZone)
		}
	}

	text := strings.TrimSpace(expr)
	fields := strings.Fields(text)
	switch {
	case len(fields) == 0:
		return nil, errors.New("invalid `cron`: empty; write five fields: minute, hour, day of month, month, day of week")
	case strings.HasPrefix(text, "TZ=") || strings.HasPrefix(text, "CRON_TZ="):
		return nil, fmt.Errorf("invalid `cron` %q: write the time zone into `time_zone`", expr)
	case strings.HasPrefix(text, "@every"):
		return nil, fmt.Errorf("invalid `cron` %q: write `interval` instead of @every", expr)
	case strings.HasPrefix(text, "@reboot"):
		return nil, fmt.Errorf("invalid `cron` %q: @reboot is not a time; `interval` begins with an execution at once", expr)
	case !strings.HasPrefix(text, "@") && len(fields) > 5:
		return nil, fmt.Errorf("invalid `cron` %q: %d fields; write five (minute, hour, day of month, month, day of week), without seconds and year", expr, len(fields))
	case !strings.HasPrefix(text, "@") && len(fields) < 5:
		return nil, fmt.Errorf("invalid `cron` %q: %d fields; write five: minute, hour, day of month, month, day of week", expr, len(fields))
	}

	times, err := fiveFields.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("invalid `cron` %q: %w", expr, err)
	}
	s := crontab{text: text, times: times, location: location}
	if s.Next(time.Now()).IsZero() {
		return nil, fmt.Errorf("invalid `cron` %q: there is no such date", expr)
	}
	return s, nil
}

type crontab struct {
	text     string
	times    cron.Schedule
	location *time.Location
}

func (c crontab) First(start time.Time) time.Time { return c.Next(start) }

func (c crontab) Next(end time.Time) time.Time {
	end = end.In(c.location)
	if next := c.times.Next(end); !next.IsZero() {
		return next
	}
	// The library looks five years ahead; leap days can be eight years apart.
	return c.times.Next(end.AddDate(4, 0, 0))
}

func (c crontab) String() string {
	return fmt.Sprintf("cron %q in %s", c.text, c.location)
}
