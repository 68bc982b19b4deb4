// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLogLinesDiffer(t *testing.T) {
	lines := logLines(4000)
	seen := map[string]bool{}
	for _, line := range lines {
		require.False(t, seen[line], line)
		require.NotContains(t, line, "\n")
		seen[line] = true
	}
	require.Equal(t, lines, logLines(4000), "the same on every run")
}

func TestCheck(t *testing.T) {
	lines := logLines(3)
	arrive := func(line string) record {
		fields := strings.Fields(line)
		r := record{key: fields[1]}
		r.Attributes.Line, r.Attributes.Host = line, fields[1]
		var err error
		r.Timestamp, err = time.Parse(time.RFC3339, fields[0])
		require.NoError(t, err)
		return r
	}
	wrongKey, wrongTime := arrive(lines[2]), arrive(lines[2])
	wrongKey.key = "other"
	wrongTime.Timestamp = wrongTime.Timestamp.Add(time.Second)

	for _, tt := range []struct {
		name    string
		records []record
		err     string
	}{
		{"all once", []record{arrive(lines[2]), arrive(lines[0]), arrive(lines[1])}, ""},
		{"one missing", []record{arrive(lines[0]), arrive(lines[1])}, "1 lines missing, 0 more than once, 1 mistakes"},
		{"one twice", []record{arrive(lines[0]), arrive(lines[1]), arrive(lines[2]), arrive(lines[1])}, "0 lines missing, 1 more than once, 1 mistakes"},
		{"one changed", []record{arrive(lines[0]), arrive(lines[1]), arrive(lines[2] + "!")}, "1 lines missing, 0 more than once, 2 mistakes"},
		{"wrong key", []record{arrive(lines[0]), arrive(lines[1]), wrongKey}, `key "other", host.name "`},
		{"wrong time", []record{arrive(lines[0]), arrive(lines[1]), wrongTime}, "timestamp 2026-"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &stream{shards: []*shard{{records: tt.records}, {}}}
			err := s.check(lines)
			if tt.err == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.err)
		})
	}
}
