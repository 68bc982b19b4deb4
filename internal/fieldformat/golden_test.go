// SPDX-License-Identifier: Apache-2.0

package fieldformat

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/fieldformat/formattest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// only is the one record of a corpus entry, with its resource and scope.
func encodeOnly(t testing.TB, e *Encoder, logs plog.Logs) []byte {
	t.Helper()
	resource := logs.ResourceLogs().At(0)
	scope := resource.ScopeLogs().At(0)
	out, err := e.Append(nil, resource.Resource(), scope.Scope(), scope.LogRecords().At(0))
	require.NoError(t, err)
	return out
}

// dated gives a record without any time one, so that its output can be compared.
func dated(logs plog.Logs) plog.Logs {
	r := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	if r.Timestamp() == 0 && r.ObservedTimestamp() == 0 {
		r.SetObservedTimestamp(1771934399_123456789)
	}
	return logs
}

// TestGolden holds the corpus in all formats against files that a person has read: testdata/golden, one file a record.
// "go test -run TestGolden -update" writes them.
func TestGolden(t *testing.T) {
	encoders := make([]*Encoder, numFormats)
	for f := range numFormats {
		encoders[f] = New(f, Options{})
	}
	for _, record := range formattest.Records() {
		t.Run(record.Name, func(t *testing.T) {
			var got bytes.Buffer
			for f := range numFormats {
				out := encodeOnly(t, encoders[f], dated(record.Logs))
				for _, problem := range formattest.Validate(f.String(), out) {
					t.Errorf("%s: %v", f, problem)
				}
				fmt.Fprintf(&got, "== %s\n", f)
				if out[0] == '{' {
					require.NoError(t, json.Indent(&got, out, "", "  "), "%s", out)
				} else {
					got.WriteString(strings.ReplaceAll(string(out), "\t", "\t→"))
				}
				got.WriteString("\n\n")
			}
			path := filepath.Join("testdata", "golden", record.Name+".txt")
			if *update {
				require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
				require.NoError(t, os.WriteFile(path, got.Bytes(), 0o644))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, string(want), got.String())
		})
	}
}

// translated are names whose values a format may replace by a word or number of an enumeration of its own, which says
// the same. All other values must be found as they came.
var translated = map[string]bool{
	"network.direction": true, "network.io.direction": true, "connection_info.direction": true, "direction": true, "CommunicationDirection": true, "email.direction": true,
	"network.iana_number": true, "network.transport": true, "Protocol": true, "connection_info.protocol_num": true,
	"dns.answers.type": true, "dns.answers.class": true, "dns.type": true, "dns.question.type": true, "dns.question.class": true, "cloud.provider": true,
	"os.type": true, "host.os.type": true, "registry.data.type": true, "winlog.event_data.LogonType": true,
}

// elsewhere are values that are there in another notation than formattest compares.
var elsewhere = map[string]bool{
	"event.end":            true, // seconds since 1970 as a date
	"rt":                   true, // a date in the notation of syslog
	"source.geo.location":  true, // one text as two numbers
	"registry.path":        true, // HKLM as HKEY_LOCAL_MACHINE
	"_time":                true, // a count of seconds as a date
	"devTime":              true,
	"TimeGenerated":        true,
	"time":                 true,
	"AdditionalExtensions": true, // escaped as part of AdditionalExtensions
}

// lineLeaves are the values of a body that is a line of CEF or LEEF.
func lineLeaves(text string) []string {
	if i := strings.Index(text, "CEF:"); i >= 0 {
		if line, err := formattest.ParseCEF(text[i:]); err == nil {
			leaves := []string{line.DeviceVendor, line.DeviceProduct, line.DeviceVersion, line.DeviceEventClassID, line.Name}
			for _, p := range line.Extension {
				if p.Key != "rt" && p.Key != "proto" && p.Key != "deviceDirection" && !strings.HasSuffix(p.Key, "Label") && p.Key != "start" && p.Key != "end" {
					leaves = append(leaves, p.Value)
				}
			}
			return leaves
		}
	}
	// A line that breaks the standard's rules of escaping, as some devices write it, is read by this package alone.
	if _, line, f := findLine(text); f == CEF {
		var leaves []string
		pairs, _ := New(ECS, Options{}).parseCEF(line)
		for _, p := range pairs {
			if p.key != "rt" && p.key != "proto" && p.key != "deviceDirection" {
				leaves = append(leaves, p.value)
			}
		}
		return leaves
	}
	if i := strings.Index(text, "LEEF:"); i >= 0 {
		if line, err := formattest.ParseLEEF(text[i:]); err == nil {
			leaves := []string{line.Vendor, line.Product, line.ProductVersion, line.EventID}
			for _, p := range line.Attributes {
				if p.Key != "devTime" && p.Key != "devTimeFormat" {
					leaves = append(leaves, p.Value)
				}
			}
			return leaves
		}
	}
	return nil
}

// TestNothingIsLost looks for every value of the corpus in every format.
func TestNothingIsLost(t *testing.T) {
	for f := range numFormats {
		e := New(f, Options{})
		for _, record := range formattest.Records() {
			out := encodeOnly(t, e, dated(record.Logs))
			held := formattest.NewHolding(f.String(), out)
			for _, leaf := range formattest.AllLeaves(record.Logs) {
				if translated[leaf.Path] || elsewhere[leaf.Path] || labelled(strings.TrimSuffix(leaf.Path, "Label")) && strings.HasSuffix(leaf.Path, "Label") {
					continue // a label is the name of its value
				}
				texts := []string{leaf.Text}
				if values := lineLeaves(leaf.Text); leaf.From == "body" && values != nil {
					texts = values
				}
				for _, text := range texts {
					if text != "" && !held.Has(text) {
						t.Errorf("%s in %s: %s %s is lost: %.80q", record.Name, f, leaf.From, leaf.Path, text)
					}
				}
			}
		}
	}
}
