// SPDX-License-Identifier: Apache-2.0

// Package benchlogs makes the records that benchmarks measure with, so that their figures can be compared.
package benchlogs

import (
	"fmt"
	"math/rand/v2"
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

// Firewall returns n connections as a firewall reports them, in ECS names: allowed and denied, of a few protocols, rules and
// users, between any addresses and ports.
func Firewall(n int) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	for _, pair := range [][2]string{
		{"observer.vendor", "Example"}, {"observer.product", "Wall"}, {"observer.version", "11.1"}, {"observer.hostname", "fw-01"},
		{"observer.ip", "198.51.100.1"}, {"observer.type", "firewall"}, {"cloud.region", "eu-west-1"}, {"host.name", "fw-01"},
	} {
		rl.Resource().Attributes().PutStr(pair[0], pair[1])
	}
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	r := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		lr := records.AppendEmpty()
		lr.SetTimestamp(pcommon.Timestamp(1_700_000_000_000_000_000 + i*7_654_321))
		lr.SetSeverityNumber(plog.SeverityNumberInfo)
		action, kind := "allowed", "allowed"
		if r.IntN(4) == 0 {
			action, kind = "denied", "denied"
			lr.SetSeverityNumber(plog.SeverityNumberWarn)
		}
		transport := [...]string{"tcp", "tcp", "tcp", "udp", "icmp"}[r.IntN(5)]
		source, destination := address(r), address(r)
		sourcePort, destinationPort := 1024+r.IntN(64000), [...]int{443, 53, 80, 22, 3389, 8443}[r.IntN(6)]
		lr.Body().SetStr(fmt.Sprintf("%s %s src outside:%s/%d dst inside:%s/%d", action, transport, source, sourcePort, destination, destinationPort))
		a := lr.Attributes()
		a.PutStr("event.action", action)
		a.PutStr("event.category", "network")
		a.PutStr("event.type", kind)
		a.PutStr("source.ip", source)
		a.PutInt("source.port", int64(sourcePort))
		a.PutStr("destination.ip", destination)
		a.PutInt("destination.port", int64(destinationPort))
		a.PutStr("network.transport", transport)
		a.PutStr("network.direction", [...]string{"inbound", "outbound"}[r.IntN(2)])
		a.PutInt("network.bytes", r.Int64N(1<<20))
		a.PutStr("rule.name", fmt.Sprintf("rule-%d", r.IntN(40)))
		a.PutStr("user.name", fmt.Sprintf("user%d", r.IntN(500)))
	}
	return ld
}

// Shuffled returns the records of Firewall with their attributes in another order each, as receivers have them that parse.
func Shuffled(n int) plog.Logs {
	ld := Firewall(n)
	r := rand.New(rand.NewPCG(3, 4))
	for _, lr := range ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
		var names []string
		for name := range lr.Attributes().All() {
			names = append(names, name)
		}
		r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		shuffled := pcommon.NewMap()
		for _, name := range names {
			v, _ := lr.Attributes().Get(name)
			v.CopyTo(shuffled.PutEmpty(name))
		}
		shuffled.MoveTo(lr.Attributes())
	}
	return ld
}

// address is one of ten an IPv6 address.
func address(r *rand.Rand) string {
	if r.IntN(10) == 0 {
		return fmt.Sprintf("2001:db8::%x:%x", 1+r.IntN(65535), 1+r.IntN(65535))
	}
	return fmt.Sprintf("%d.%d.%d.%d", 1+r.IntN(223), r.IntN(256), r.IntN(256), r.IntN(256))
}

// CEF returns n connections as a firewall sends them by syslog, in the Common Event Format.
func CEF(n int) plog.Logs {
	ld := plog.NewLogs()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	r := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		lr := records.AppendEmpty()
		lr.SetObservedTimestamp(pcommon.Timestamp(1_700_000_000_000_000_000 + i))
		lr.Body().SetStr(fmt.Sprintf("<189>Mar 14 09:27:01 fw CEF:0|Example|Wall|11.1|end|TRAFFIC|3|rt=%d src=%s spt=%d dst=%s dpt=443 proto=TCP "+
			"act=%s in=%d out=%d cs1=rule-%d cs1Label=Rule app=ssl suser=user%d cat=end dvchost=fw-01", 1_700_000_000_000+i, address(r),
			1024+r.IntN(64000), address(r), [...]string{"allow", "deny"}[r.IntN(2)], r.IntN(1<<20), r.IntN(1<<16), r.IntN(40), r.IntN(500)))
	}
	return ld
}

// Strange returns the records of Firewall, each with an attribute of a name that no other has.
func Strange(n int) plog.Logs {
	ld := Firewall(n)
	for i, lr := range ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
		lr.Attributes().PutBool(fmt.Sprintf("flag.%d", i), true)
	}
	return ld
}
