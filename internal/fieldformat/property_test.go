// SPDX-License-Identifier: Apache-2.0

package fieldformat

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/fieldformat/formattest"
)

// checkRecord holds a record in a format against the official lists and looks for all that it must still contain.
func checkRecord(t *testing.T, e *Encoder, logs plog.Logs) {
	t.Helper()
	e.patterns.library = nil // what the translation leaves in the encoder is looked at
	out := encodeOnly(t, e, logs)
	var problems []error
	if len(e.own) == 0 { // a record in the target format is trusted: it passes as it came
		for _, p := range formattest.Validate(e.format.String(), out) {
			// An attribute that is named like a field of CIM is taken for that field.
			name, _, _ := strings.Cut(p.Error(), ":")
			if e.format != CIM || !slices.ContainsFunc(e.bag, func(v val) bool { return v.name == name }) {
				problems = append(problems, p)
			}
		}
	}
	held := formattest.NewHolding(e.format.String(), out)
	var lost []formattest.Leaf
	for _, leaf := range formattest.AllLeaves(logs) {
		if id, ok := e.table.keys[leaf.Path]; ok && id.field >= 0 && e.table.fields[id.field].kind == kindTime {
			continue // a count as a date
		}
		if !utf8.ValidString(leaf.Text) {
			continue // every bad byte is U+FFFD, which is not compared
		}
		if e.format == CSL && (strings.ContainsAny(leaf.Text, "\x00\x07\x1b") || leaf.Text == "1e-7") {
			continue // in another notation within JSON within the text of AdditionalExtensions
		}
		if (e.format == CEF || e.format == LEEF) && strings.ContainsFunc(leaf.Text, unicode.IsControl) {
			continue // which are blanks there
		}
		if e.format == CSL && held.Has(string(escapeSemicolons(nil, leaf.Text))) {
			continue
		}
		if _, _, line := findLine(leaf.Text); leaf.From == "body" && leaf.Path == "body" && line != none {
			continue // read as a line, in parts
		}
		if !translated[leaf.Path] && !elsewhere[leaf.Path] && lineLeaves(leaf.Text) == nil && !held.Has(leaf.Text) {
			lost = append(lost, leaf)
		}
	}
	if len(problems) == 0 && len(lost) == 0 {
		return
	}
	input, err := (&plog.JSONMarshaler{}).MarshalLogs(logs)
	require.NoError(t, err)
	for _, p := range problems {
		t.Errorf("%s: %v", e.format, p)
	}
	for _, leaf := range lost {
		t.Errorf("%s: %s %s is lost: %.80q", e.format, leaf.From, leaf.Path, leaf.Text)
	}
	t.Logf("from %s\nto %s", input, out)
}

// TestRandomRecords writes records that no device would send: the output is valid and nothing is lost. The encoders are
// used for all records in turn, so what one leaves behind would be seen in the next.
func TestRandomRecords(t *testing.T) {
	encoders := make([]*Encoder, numFormats)
	for f := range numFormats {
		encoders[f] = New(f, Options{})
	}
	n := 1000
	if testing.Short() {
		n = 100
	}
	for seed := range n {
		logs := formattest.Random(rand.New(rand.NewPCG(uint64(seed), 7)))
		for f := range numFormats {
			checkRecord(t, encoders[f], logs)
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		}
	}
}
