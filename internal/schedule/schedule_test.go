// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseInterval(t *testing.T) {
	const hint = "; write seconds (300) or a duration (30s, 5m, 1h, 1d)"
	tests := []struct {
		in   string
		want time.Duration
		err  string
	}{
		{in: ""},
		{in: " "},
		{in: "0"},
		{in: "1"},
		{in: "1s"},
		{in: "0.2"},
		{in: "999ms"},
		{in: "500us"},
		{in: "0d"},
		{in: "2", want: 2 * time.Second},
		{in: "1.5", want: 1500 * time.Millisecond},
		{in: "300", want: 5 * time.Minute},
		{in: "30s", want: 30 * time.Second},
		{in: " 5m ", want: 5 * time.Minute},
		{in: "1h", want: time.Hour},
		{in: "1h30m", want: 90 * time.Minute},
		{in: "1d", want: 24 * time.Hour},
		{in: "1d12h", want: 36 * time.Hour},
		{in: "often", err: "invalid `interval` \"often\": not a number of seconds and not a duration" + hint},
		{in: "5 m", err: "invalid `interval` \"5 m\": not a number of seconds and not a duration" + hint},
		{in: "1d-1h", err: "invalid `interval` \"1d-1h\": not a number of seconds and not a duration" + hint},
		{in: "1h1d", err: "invalid `interval` \"1h1d\": not a number of seconds and not a duration" + hint},
		{in: "-1d", err: "invalid `interval` \"-1d\": not a number of seconds and not a duration" + hint},
		{in: "1w", err: "invalid `interval` \"1w\": not a number of seconds and not a duration" + hint},
		{in: "Inf", err: "invalid `interval` \"Inf\": not a number of seconds and not a duration" + hint},
		{in: "1.2.3", err: "invalid `interval` \"1.2.3\": not a number of seconds and not a duration" + hint},
		{in: "99999999999", err: "invalid `interval` \"99999999999\": longer than 292 years" + hint},
		{in: "106751d24h", err: "invalid `interval` \"106751d24h\": longer than 292 years" + hint},
		{in: "4000000000d", err: "invalid `interval` \"4000000000d\": longer than 292 years" + hint},
		{in: "-5", err: "invalid `interval` \"-5\": must not be negative; write 0 for realtime delivery"},
		{in: "-5m", err: "invalid `interval` \"-5m\": must not be negative; write 0 for realtime delivery"},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			got, err := ParseInterval(tt.in)
			if tt.err != "" {
				require.EqualError(t, err, tt.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestEvery(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s := Every(5 * time.Minute)
	assert.Equal(t, start, s.First(start), "the first execution is due at once")
	assert.Equal(t, start.Add(7*time.Minute), s.Next(start.Add(2*time.Minute)), "the interval begins at the end of an execution")
	assert.Equal(t, "every 5m0s", s.String())
}

func TestParseCronErrors(t *testing.T) {
	tests := []struct {
		expr, zone, err string
	}{
		{"", "", "invalid `cron`: empty; write five fields: minute, hour, day of month, month, day of week"},
		{"  ", "", "invalid `cron`: empty; write five fields: minute, hour, day of month, month, day of week"},
		{"* * * *", "", "invalid `cron` \"* * * *\": 4 fields; write five: minute, hour, day of month, month, day of week"},
		{"0 * * * * *", "", "invalid `cron` \"0 * * * * *\": 6 fields; write five (minute, hour, day of month, month, day of week), without seconds and year"},
		{"TZ=UTC 0 * * * *", "", "invalid `cron` \"TZ=UTC 0 * * * *\": write the time zone into `time_zone`"},
		{"CRON_TZ=UTC", "", "invalid `cron` \"CRON_TZ=UTC\": write the time zone into `time_zone`"},
		{"@every 5m", "", "invalid `cron` \"@every 5m\": write `interval` instead of @every"},
		{"@reboot", "", "invalid `cron` \"@reboot\": @reboot is not a time; `interval` begins with an execution at once"},
		{"@often", "", "invalid `cron` \"@often\": unrecognized descriptor: @often"},
		{"61 * * * *", "", "invalid `cron` \"61 * * * *\": end of range (61) above maximum (59): 61"},
		{"* * * * 7", "", "invalid `cron` \"* * * * 7\": end of range (7) above maximum (6): 7"},
		{"*/0 * * * *", "", "invalid `cron` \"*/0 * * * *\": step of range should be a positive number: */0"},
		{"* * * FOO *", "", "invalid `cron` \"* * * FOO *\": failed to parse int from FOO: strconv.Atoi: parsing \"FOO\": invalid syntax"},
		{"0 0 30 2 *", "", "invalid `cron` \"0 0 30 2 *\": there is no such date"},
		{", * * * *", "", "invalid `cron` \", * * * *\": there is no such date"},
		{"* * * * *", "Berlin", "invalid `time_zone` \"Berlin\": write an IANA name such as Europe/Berlin or UTC, or leave it out for the host's zone"},
		{"* * * * *", "../etc/passwd", "invalid `time_zone` \"../etc/passwd\": write an IANA name such as Europe/Berlin or UTC, or leave it out for the host's zone"},
	}
	for _, tt := range tests {
		t.Run(tt.expr+tt.zone, func(t *testing.T) {
			_, err := ParseCron(tt.expr, tt.zone)
			require.EqualError(t, err, tt.err)
		})
	}
}

func TestCronNext(t *testing.T) {
	const layout = "2006-01-02 15:04 MST"
	tests := []struct {
		name, expr, zone string
		from             time.Time
		want             []string
	}{
		{
			name: "every minute", expr: "* * * * *", zone: "UTC",
			from: time.Date(2026, 5, 1, 10, 0, 30, 0, time.UTC),
			want: []string{"2026-05-01 10:01 UTC", "2026-05-01 10:02 UTC"},
		},
		{
			name: "a matching time itself is over", expr: "0 10 * * *", zone: "UTC",
			from: time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC),
			want: []string{"2026-05-02 10:00 UTC"},
		},
		{
			name: "lists, ranges, steps", expr: "5,10 8-9 */15 * *", zone: "UTC",
			from: time.Date(2026, 5, 1, 8, 6, 0, 0, time.UTC),
			want: []string{"2026-05-01 08:10 UTC", "2026-05-01 09:05 UTC", "2026-05-01 09:10 UTC", "2026-05-16 08:05 UTC"},
		},
		{
			name: "names", expr: "0 6 * jan,Jul MON-fri", zone: "UTC",
			from: time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC),
			want: []string{"2026-07-01 06:00 UTC", "2026-07-02 06:00 UTC", "2026-07-03 06:00 UTC", "2026-07-06 06:00 UTC"},
		},
		{
			name: "day of month or day of week", expr: "0 0 13 * FRI", zone: "UTC",
			from: time.Date(2026, 5, 11, 0, 0, 0, 0, time.UTC),
			want: []string{"2026-05-13 00:00 UTC", "2026-05-15 00:00 UTC"},
		},
		{
			name: "hourly", expr: "@hourly", zone: "UTC",
			from: time.Date(2026, 5, 1, 10, 30, 0, 0, time.UTC),
			want: []string{"2026-05-01 11:00 UTC", "2026-05-01 12:00 UTC"},
		},
		{
			name: "daily at local midnight", expr: "@daily", zone: "America/New_York",
			from: time.Date(2026, 5, 1, 10, 30, 0, 0, time.UTC),
			want: []string{"2026-05-02 00:00 EDT"},
		},
		{
			name: "leap day after a century without one", expr: "0 0 29 2 *", zone: "UTC",
			from: time.Date(2096, 3, 1, 0, 0, 0, 0, time.UTC),
			want: []string{"2104-02-29 00:00 UTC"},
		},
		{
			name: "the clock goes forward: a time that it skips has no execution", expr: "30 2 * * *", zone: "Europe/Berlin",
			from: time.Date(2026, 3, 28, 12, 0, 0, 0, time.UTC),
			want: []string{"2026-03-30 02:30 CEST", "2026-03-31 02:30 CEST"},
		},
		{
			name: "the clock goes forward: the hour before and after", expr: "30 * * * *", zone: "Europe/Berlin",
			from: time.Date(2026, 3, 29, 0, 0, 0, 0, time.UTC),
			want: []string{"2026-03-29 01:30 CET", "2026-03-29 03:30 CEST"},
		},
		{
			name: "the clock goes forward: other times stay at their local hour", expr: "0 6 * * *", zone: "Europe/Berlin",
			from: time.Date(2026, 3, 28, 0, 0, 0, 0, time.UTC),
			want: []string{"2026-03-28 06:00 CET", "2026-03-29 06:00 CEST", "2026-03-30 06:00 CEST"},
		},
		{
			name: "the clock goes back: a time that comes twice has two", expr: "30 2 * * *", zone: "Europe/Berlin",
			from: time.Date(2026, 10, 24, 12, 0, 0, 0, time.UTC),
			want: []string{"2026-10-25 02:30 CEST", "2026-10-25 02:30 CET", "2026-10-26 02:30 CET"},
		},
		{
			name: "the clock goes back: other times stay at their local hour", expr: "0 6 * * *", zone: "Europe/Berlin",
			from: time.Date(2026, 10, 24, 12, 0, 0, 0, time.UTC),
			want: []string{"2026-10-25 06:00 CET", "2026-10-26 06:00 CET"},
		},
		{
			name: "the clock goes back: hourly goes on hourly", expr: "@hourly", zone: "America/New_York",
			from: time.Date(2026, 11, 1, 4, 30, 0, 0, time.UTC),
			want: []string{"2026-11-01 01:00 EDT", "2026-11-01 01:00 EST", "2026-11-01 02:00 EST"},
		},
		{
			name: "midnight that does not exist", expr: "0 0 * * *", zone: "America/Santiago",
			from: time.Date(2026, 9, 5, 12, 0, 0, 0, time.UTC),
			want: []string{"2026-09-07 00:00 -03"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := ParseCron(tt.expr, tt.zone)
			require.NoError(t, err)
			var got []string
			at := s.First(tt.from)
			for range tt.want {
				got = append(got, at.Format(layout))
				at = s.Next(at)
			}
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestCronInLocalZone(t *testing.T) {
	s, err := ParseCron("0 3 * * *", "")
	require.NoError(t, err)
	next := s.Next(time.Now().UTC())
	assert.Equal(t, time.Local, next.Location())
	assert.Equal(t, 3, next.Hour())
	assert.Equal(t, `cron "0 3 * * *" in Local`, s.String())
}

func FuzzParseInterval(f *testing.F) {
	for _, seed := range []string{"", "1", "300", "1.5", "1d12h", "-5m", "106751d24h", "1e9", "9223372036s"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseInterval(s)
		if err != nil {
			assert.Zero(t, d)
			return
		}
		assert.True(t, d == 0 || d > time.Second, "%s", d)
	})
}

func FuzzParseCron(f *testing.F) {
	for _, seed := range []string{"* * * * *", "0 6 * jan,Jul MON-fri", "@hourly", "30 2 29 2 *", "TZ=UTC", "*/0 ? * * *", ", * * * *", "1-60/2 * * * *"} {
		f.Add(seed)
	}
	from := time.Date(2026, 3, 28, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, expr string) {
		s, err := ParseCron(expr, "Europe/Berlin")
		if err == nil {
			assert.True(t, s.Next(from).After(from))
		}
	})
}
