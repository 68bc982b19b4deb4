// SPDX-License-Identifier: Apache-2.0

// Package benchlogs makes the records that benchmarks measure with, so that their figures can be compared.
package benchlogs

import (
	"fmt"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// Rich returns n records of about 1 KB with 12 attributes, and 8 of their resource.
func Rich(resources, n int) plog.Logs {
	ld := plog.NewLogs()
	for r := range resources {
		rl := ld.ResourceLogs().AppendEmpty()
		for i := range 8 {
			rl.Resource().Attributes().PutStr(fmt.Sprintf("resource.attribute.%d", i), fmt.Sprintf("value-%d-of-resource-%d", i, r))
		}
		records := rl.ScopeLogs().AppendEmpty().LogRecords()
		for n := range n / resources {
			lr := records.AppendEmpty()
			lr.SetTimestamp(pcommon.Timestamp(1_700_000_000_000_000_000 + n))
			lr.SetObservedTimestamp(pcommon.Timestamp(1_700_000_001_000_000_000 + n))
			lr.SetSeverityNumber(plog.SeverityNumberInfo)
			lr.SetSeverityText("INFO")
			lr.Body().SetStr(strings.Repeat("a line of an application's log ", 8))
			for i := range 9 {
				lr.Attributes().PutStr(fmt.Sprintf("attribute.%d", i), fmt.Sprintf("value-%d-of-record-%d", i, n))
			}
			lr.Attributes().PutInt("http.response.status_code", 200)
			lr.Attributes().PutInt("http.response.body.size", int64(n)*1000)
			lr.Attributes().PutDouble("duration", float64(n)/7)
		}
	}
	return ld
}

// Lines returns n lines of text that make 256 bytes of data each.
func Lines(n int) plog.Logs {
	ld := plog.NewLogs()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for i := range n {
		lr := records.AppendEmpty()
		lr.SetObservedTimestamp(pcommon.Timestamp(1_700_000_000_000_000_000 + i))
		lr.Body().SetStr(strings.Repeat("a raw line of text ", 10) + ".")
	}
	return ld
}

// Firewall returns n denied connections as a firewall reports them, in ECS names.
func Firewall(n int) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	for key, value := range map[string]string{
		"observer.vendor": "Example", "observer.product": "Wall", "observer.version": "11.1", "observer.hostname": "fw-01",
		"observer.ip": "198.51.100.1", "observer.type": "firewall", "cloud.region": "eu-west-1", "host.name": "fw-01",
	} {
		rl.Resource().Attributes().PutStr(key, value)
	}
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	for i := range n {
		lr := records.AppendEmpty()
		lr.SetTimestamp(pcommon.Timestamp(1_700_000_000_000_000_000 + i))
		lr.SetSeverityNumber(plog.SeverityNumberWarn)
		lr.Body().SetStr("Deny tcp src outside:203.0.113.9/51514 dst inside:192.0.2.20/443 by access-group outside_in")
		a := lr.Attributes()
		a.PutStr("event.action", "denied")
		a.PutStr("event.category", "network")
		a.PutStr("event.type", "denied")
		a.PutStr("source.ip", "203.0.113.9")
		a.PutInt("source.port", int64(1024+i))
		a.PutStr("destination.ip", "192.0.2.20")
		a.PutInt("destination.port", 443)
		a.PutStr("network.transport", "tcp")
		a.PutStr("network.direction", "inbound")
		a.PutInt("network.bytes", int64(i)*64)
		a.PutStr("rule.name", "outside_in")
		a.PutStr("user.name", "ada")
	}
	return ld
}
