// SPDX-License-Identifier: Apache-2.0

package fieldformat

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/fieldformat/formattest"
)

// TestDocumentedOutput holds the examples of docs/field-formats.md against what is written; -update writes them anew.
func TestDocumentedOutput(t *testing.T) {
	const path = "../../docs/field-formats.md"
	doc, err := os.ReadFile(path)
	require.NoError(t, err)
	records := map[string]formattest.Record{}
	for _, r := range formattest.Records() {
		records[r.Name] = r
	}
	examples := regexp.MustCompile("(?s)<!-- output: (\\S+) (\\S+) -->\n```\\w+\n(.*?)\n```").FindAllSubmatch(doc, -1)
	require.Len(t, examples, 22)
	for _, example := range examples {
		name, format := string(example[1]), string(example[2])
		f, err := Parse(format)
		require.NoError(t, err)
		record, ok := records[name]
		require.True(t, ok, name)
		out := encodeOnly(t, New(f, Options{}), record.Logs)
		if out[0] == '{' {
			var indented bytes.Buffer
			require.NoError(t, json.Indent(&indented, out, "", "  "))
			out = indented.Bytes()
		}
		if *update {
			doc = bytes.Replace(doc, example[0], bytes.Replace(example[0], example[3], out, 1), 1)
			continue
		}
		assert.Equal(t, string(example[3]), string(out), "%s in %s", name, format)
	}
	if *update {
		require.NoError(t, os.WriteFile(path, doc, 0o644))
	}
}
