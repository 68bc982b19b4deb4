// SPDX-License-Identifier: Apache-2.0

package fieldformat

import (
	"math/rand/v2"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/fieldformat/formattest"
)

// FuzzRecord adds an attribute and a body to a random record.
func FuzzRecord(f *testing.F) {
	f.Add(uint64(1), "source.ip", "192.0.2.1", "text")
	f.Add(uint64(2), "event.action", "\x00|=\\\n", "CEF:0|a|b|c|d|e|5|src=192.0.2.1 msg=a\\=b c\\\\ d\\n cs1Label=Rule cs1=x")
	f.Add(uint64(3), "", "\xff\xfe", "LEEF:2.0|a|b|c|d|^|src=192.0.2.1^devTime=1773480421004^sev=7")
	f.Add(uint64(4), "a.b..c.", strings.Repeat("長", 700), "<13>Mar  1 00:00:00 host CEF:0|a\\|b||c|d|e|Unknown|")
	f.Add(uint64(5), "labels.x", "é", "LEEF:1.0|a|b|c|d|usrName=x\tx=")
	f.Add(uint64(6), "_", "-0", "\t")
	encoders := make([]*Encoder, numFormats)
	for format := range numFormats {
		encoders[format] = New(format, Options{EventID: format%2 == 0})
	}
	f.Fuzz(func(t *testing.T, seed uint64, name, value, body string) {
		logs := formattest.Random(rand.New(rand.NewPCG(seed, 11)))
		r := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
		r.Attributes().PutStr(name, value)
		if body != "" {
			r.Body().SetStr(body)
		}
		for _, e := range encoders {
			checkRecord(t, e, logs)
		}
	})
}

// FuzzLine reads a body as a line of CEF or LEEF and writes it in every format. What the strict reader of formattest
// understands must come out of CEF and LEEF again.
func FuzzLine(f *testing.F) {
	for _, record := range formattest.Records() {
		body := record.Logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body().AsString()
		if _, _, format := findLine(body); format != none {
			f.Add(body)
		}
	}
	f.Add("CEF:0|||||||")
	f.Add("CEF:0|a|b|c|d|e|5|=")
	f.Add("CEF:0|a|b|c|d|e|5|a==b c=d= e")
	f.Add("CEF:0|a|b|c|d|e|5|cs1Label=cs1 cs1= cs2=x cs2Label=")
	f.Add("LEEF:2.0|a|b|c|d|x7C|a=1|b=2")
	f.Add("LEEF:2.0|a|b|c|d|0x09|a=1\tb=2")
	f.Add("LEEF:2.0|a|b|c|d|a=1\tb=2|3")
	encoders := make([]*Encoder, numFormats)
	for format := range numFormats {
		encoders[format] = New(format, Options{})
	}
	f.Fuzz(func(t *testing.T, line string) {
		logs := plog.NewLogs()
		r := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		r.SetTimestamp(1773480421004512000)
		r.Body().SetStr(line)
		for _, e := range encoders {
			out := encodeOnly(t, e, logs)
			if len(e.own) > 0 {
				continue
			}
			for _, problem := range formattest.Validate(e.format.String(), out) {
				t.Errorf("%s: %v\n%s", e.format, problem, out)
			}
		}
	})
}
