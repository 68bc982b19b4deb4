// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReport(t *testing.T) {
	for _, tt := range []struct {
		name   string
		events string
		out    string
		count  tally
	}{
		{
			name: "passed tests are counted and their output is dropped",
			events: `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Output":"PASS\n"}
{"Action":"output","Package":"p","Output":"ok  \tp\t0.1s\n"}
{"Action":"pass","Package":"p"}
`,
			out:   "ok  \tp\t0.1s\n",
			count: tally{passed: 1},
		},
		{
			name: "a failed test shows its output and is counted once",
			events: `{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:7: wrong\n"}
{"Action":"output","Package":"p","Test":"TestB","Output":"fine\n"}
{"Action":"fail","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p","Test":"TestB"}
{"Action":"output","Package":"p","Output":"FAIL\tp\t0.1s\n"}
{"Action":"fail","Package":"p"}
`,
			out:   "    a_test.go:7: wrong\nFAIL\tp\t0.1s\n",
			count: tally{passed: 1, failed: 1},
		},
		{
			name: "a skipped test says why",
			events: `{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:7: node is not installed\n"}
{"Action":"skip","Package":"p","Test":"TestA"}
`,
			out:   "skipped: p TestA\n    a_test.go:7: node is not installed\n",
			count: tally{skipped: 1},
		},
		{
			name: "a package that does not build is a failure",
			events: `{"ImportPath":"p","Action":"build-output","Output":"p/a.go:3:1: syntax error\n"}
{"ImportPath":"p","Action":"build-fail"}
{"Action":"output","Package":"p","Output":"FAIL\tp [build failed]\n"}
{"Action":"fail","Package":"p"}
`,
			out:   "p/a.go:3:1: syntax error\nFAIL\tp [build failed]\n",
			count: tally{failed: 1},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			count, err := report(strings.NewReader(tt.events), &out)
			require.NoError(t, err)
			require.Equal(t, tt.out, out.String())
			require.Equal(t, tt.count, count)
		})
	}
}
