// SPDX-License-Identifier: Apache-2.0

package formattest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// Random makes a record that no device would send: names that the formats know
// and names that nobody knows, with values of the right type, of the wrong
// type and out of range, dotted, nested and in lists. Equal generators make
// equal records.
func Random(r *rand.Rand) plog.Logs {
	logs := plog.NewLogs()
	resourceLogs := logs.ResourceLogs().AppendEmpty()
	scopeLogs := resourceLogs.ScopeLogs().AppendEmpty()
	record := scopeLogs.LogRecords().AppendEmpty()
	g := generator{r}

	g.fill(resourceLogs.Resource().Attributes(), r.IntN(6))
	if g.oneIn(3) {
		scopeLogs.Scope().SetName(pick(r, oddTexts))
		scopeLogs.Scope().SetVersion(pick(r, oddTexts))
	}
	if !g.oneIn(8) {
		// 2000 to 2100, where milliseconds cannot be taken for another unit
		record.SetTimestamp(pcommon.Timestamp(946684800e9 + r.Int64N(3155760000e9)))
	}
	if g.oneIn(2) {
		record.SetObservedTimestamp(record.Timestamp() + 1)
	}
	record.SetSeverityNumber(plog.SeverityNumber(r.IntN(26)))
	if g.oneIn(2) {
		record.SetSeverityText(pick(r, append([]string{"info", "WARN", "Critical", "emerg", "5"}, oddTexts...)))
	}
	if g.oneIn(4) {
		var trace pcommon.TraceID
		var span pcommon.SpanID
		for i := range trace {
			trace[i] = byte(r.Uint32())
		}
		for i := range span {
			span[i] = byte(r.Uint32())
		}
		record.SetTraceID(trace)
		record.SetSpanID(span)
		record.SetFlags(1)
	}
	if g.oneIn(6) {
		record.SetEventName(pick(r, oddTexts))
	}

	attributes := record.Attributes()
	if !g.oneIn(3) {
		g.classify(attributes)
	}
	g.fill(attributes, r.IntN(25))
	switch r.IntN(6) {
	case 0:
	case 1:
		g.fill(record.Body().SetEmptyMap(), r.IntN(12))
	case 2:
		g.value(record.Body(), "", 2)
	default:
		record.Body().SetStr(pick(r, oddTexts))
	}
	return logs
}

type generator struct{ *rand.Rand }

func (g generator) oneIn(n int) bool { return g.IntN(n) == 0 }

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// classify names a category with the fields that make it one.
func (g generator) classify(m pcommon.Map) {
	categories := sortedKeys(ecs().types)
	category := pick(g.Rand, categories)
	list := m.PutEmptySlice("event.category")
	list.AppendEmpty().SetStr(category)
	list = m.PutEmptySlice("event.type")
	list.AppendEmpty().SetStr(pick(g.Rand, ecs().types[category]))
	for _, field := range []string{"source.ip", "destination.ip", "source.port", "destination.port", "user.name", "user.id", "host.name", "event.action", "event.outcome", "observer.vendor", "observer.product"} {
		if g.oneIn(2) {
			g.value(m.PutEmpty(field), field, 1)
		}
	}
	prefix := map[string]string{
		"file": "file.", "process": "process.", "registry": "registry.", "web": "http.", "email": "email.",
		"network": "dns.", "malware": "threat.", "intrusion_detection": "threat.", "vulnerability": "vulnerability.",
		"iam": "user.target.", "database": "user.", "package": "package.", "authentication": "user.",
	}[category]
	for _, field := range known().ecs {
		if prefix != "" && strings.HasPrefix(field, prefix) && g.oneIn(12) {
			g.value(m.PutEmpty(field), field, 1)
		}
	}
}

// fill puts n values; a path is used once, be it dotted or nested.
func (g generator) fill(m pcommon.Map, n int) {
	used := map[string]bool{}
	for key := range m.All() {
		used[key] = true
	}
	for range n {
		name := g.name()
		if used[name] || slices.ContainsFunc(sortedKeys(used), func(path string) bool { return strings.HasPrefix(path, name+".") }) {
			continue
		}
		if first, _, nested := strings.Cut(name, "."); nested && g.oneIn(4) {
			if _, taken := m.Get(first); taken {
				continue
			}
			used[name], used[first] = true, true
			inner, names := m, strings.Split(name, ".")
			for _, part := range names[:len(names)-1] {
				inner = inner.PutEmptyMap(part)
			}
			g.value(inner.PutEmpty(names[len(names)-1]), name, 2)
			continue
		}
		used[name] = true
		g.value(m.PutEmpty(name), name, 2)
	}
}

type knownNames struct{ ecs, all []string }

var known = sync.OnceValue(func() knownNames {
	var k knownNames
	for field := range ecs().fields {
		if field != "@timestamp" && field != "ecs.version" {
			k.ecs = append(k.ecs, field)
		}
	}
	slices.Sort(k.ecs)
	k.all = append(k.all, otelNames...)
	k.all = append(k.all, sortedKeys(cef().keys)...)
	k.all = append(k.all, sortedKeys(leefKeys())...)
	k.all = append(k.all, sortedKeys(cslColumns())...)
	k.all = append(k.all, sortedKeys(cim().kinds)...)
	for _, schema := range sortedKeys(asim()) {
		k.all = append(k.all, sortedKeys(asim()[schema].columns)...)
	}
	return k
})

func (g generator) name() string {
	switch g.IntN(10) {
	case 0, 1, 2, 3:
		return pick(g.Rand, known().ecs)
	case 4, 5:
		return pick(g.Rand, known().all)
	case 6:
		return pick(g.Rand, otelNames)
	case 7:
		return pick(g.Rand, oddNames)
	}
	return fmt.Sprintf("own%c%s%d", pick(g.Rand, []rune("._-/ :")), pick(g.Rand, []string{"a", "B", "é", "a.b"}), g.IntN(50))
}

// value sets a value that often fits the field, and often does not.
func (g generator) value(v pcommon.Value, field string, depth int) {
	if f, ok := ecs().fields[field]; ok && !g.oneIn(4) {
		if f.array && !g.oneIn(4) {
			list := v.SetEmptySlice()
			for range 1 + g.IntN(3) {
				g.fitting(list.AppendEmpty(), field, f)
			}
			return
		}
		g.fitting(v, field, f)
		return
	}
	switch n := g.IntN(12); {
	case n < 5:
		v.SetStr(pick(g.Rand, oddTexts))
	case n < 7:
		v.SetInt(pick(g.Rand, oddInts))
	case n == 7:
		v.SetDouble(pick(g.Rand, oddFloats))
	case n == 8:
		v.SetBool(g.oneIn(2))
	case n == 9 && depth > 0:
		m := v.SetEmptyMap()
		for i := range g.IntN(4) {
			g.value(m.PutEmpty(fmt.Sprintf("%s%d", pick(g.Rand, []string{"k", "key ", "ключ", "x"}), i)), "", depth-1)
		}
	case n == 10 && depth > 0:
		list := v.SetEmptySlice()
		for range g.IntN(4) {
			g.value(list.AppendEmpty(), "", depth-1)
		}
	case n == 11:
		v.SetEmptyBytes().FromRaw([]byte(pick(g.Rand, oddTexts)))
	}
}

func (g generator) fitting(v pcommon.Value, field string, f ecsField) {
	switch f.kind {
	case "long", "integer":
		switch {
		case strings.HasSuffix(field, "port"):
			v.SetInt(int64(g.IntN(65536)))
		case g.oneIn(4):
			v.SetInt(pick(g.Rand, oddInts))
		default:
			v.SetInt(int64(g.IntN(100000)))
		}
	case "float", "double", "scaled_float":
		v.SetDouble(float64(g.IntN(1000)) / 8)
	case "boolean":
		v.SetBool(g.oneIn(2))
	case "date":
		v.SetStr(fmt.Sprintf("20%02d-%02d-%02dT%02d:%02d:%02d.%03dZ", 10+g.IntN(30), 1+g.IntN(12), 1+g.IntN(28), g.IntN(24), g.IntN(60), g.IntN(60), g.IntN(1000)))
	case "ip":
		if g.oneIn(3) {
			v.SetStr(fmt.Sprintf("2001:db8::%x:%x", 1+g.IntN(0xfffe), 1+g.IntN(0xfffe)))
		} else {
			v.SetStr(fmt.Sprintf("192.0.2.%d", g.IntN(256)))
		}
	case "geo_point":
		m := v.SetEmptyMap()
		m.PutDouble("lat", float64(g.IntN(180)-90))
		m.PutDouble("lon", float64(g.IntN(360)-180))
	case "object", "nested", "flattened":
		g.value(v.SetEmptyMap().PutEmpty("inner"), "", 1)
	default:
		switch {
		case f.values != nil:
			v.SetStr(pick(g.Rand, f.values))
		case strings.HasSuffix(field, ".mac"):
			v.SetStr(fmt.Sprintf("00-1B-17-%02X-%02X-%02X", g.IntN(256), g.IntN(256), g.IntN(256)))
		case strings.HasSuffix(field, "sha256"):
			v.SetStr(fmt.Sprintf("%016x%016x%016x%016x", g.Uint64(), g.Uint64(), g.Uint64(), g.Uint64()))
		case strings.HasSuffix(field, "sha1"):
			v.SetStr(fmt.Sprintf("%016x%016x%08x", g.Uint64(), g.Uint64(), g.Uint32()))
		case strings.HasSuffix(field, "md5"):
			v.SetStr(fmt.Sprintf("%016x%016x", g.Uint64(), g.Uint64()))
		case g.oneIn(5):
			v.SetStr(pick(g.Rand, oddTexts))
		default:
			v.SetStr(fmt.Sprintf("text-%d", g.IntN(1e6)))
		}
	}
}

// otelNames are of the semantic conventions and of common receivers.
var otelNames = []string{
	"service.name", "service.version", "service.namespace", "service.instance.id", "host.name", "host.id", "host.arch",
	"os.type", "os.description", "k8s.pod.name", "k8s.namespace.name", "k8s.cluster.name", "k8s.node.name",
	"container.id", "container.name", "container.image.name", "container.image.tags", "cloud.provider", "cloud.region", "cloud.account.id",
	"client.address", "client.port", "server.address", "server.port", "network.peer.address", "network.peer.port",
	"network.transport", "network.type", "network.protocol.name", "network.protocol.version", "network.io.direction",
	"http.request.method", "http.response.status_code", "http.route", "http.request.body.size", "http.response.body.size",
	"url.full", "url.path", "url.query", "url.scheme", "user_agent.original", "user.name", "user.id", "user.email", "user.roles", "enduser.id",
	"exception.type", "exception.message", "exception.stacktrace", "error.type", "process.pid", "process.executable.name",
	"process.executable.path", "process.command_line", "process.command_args", "process.parent_pid", "process.owner",
	"file.path", "file.name", "file.size", "dns.question.name", "dns.answers", "db.system.name", "db.query.text", "db.namespace",
	"rpc.method", "session.id", "thread.id", "log.file.path", "log.record.uid", "log.record.original", "security_rule.name", "event.name",
}

// oddNames clash with names of the formats or cannot be a name in them.
var oddNames = []string{
	"", " ", ".", "a..b", ".a", "a.", "with blank", "tab\tkey", "new\nline", "pipe|key", "equals=key", "back\\slash", "ünï.cödé", "日本",
	"emoji😀", "UPPER.Case", "SRC", "Source.IP", "sourceAddress", "labels", "labels.x", "tags", "message", "additional", "unmapped",
	"AdditionalFields", "AdditionalExtensions", "metadata", "time", "_time", "_raw", "class_uid", "@metadata", "host", "source", "event",
	"Type", "TenantId", "devTime", "rt", "cs1", "cs1Label", "123", "0", "-", "null", "ocsf.class_uid", "udm.event_type", "asim.schema",
	"\xff\xfe", strings.Repeat("long.", 60) + "key",
}

var oddTexts = []string{
	"", " ", "a", "plain text", "two\nlines", "carriage\r\nreturn", "tab\there", "pipe|pipe", "a=b", "key=value other=value", `back\slash`, `C:\`, `\`, `\\`, `\n`,
	`"quoted"`, "'single'", "<tag>&amp;", "ünïcödé", "日本語", "😀 emoji", "e\u0301", "\u200bzero\ufeff", "\x00nul", "\x07bell\x1b[31m", "\x7f", "\u0085\u2028",
	"\xff\xfe", "cut \xf0\x9f\x98", "443", "70000", "-1", "1e3", "0x1a", "3.0", "true", "null", "NaN", "192.0.2.17", "2001:db8::17", "::ffff:192.0.2.17", "fe80::1%eth0",
	"[2001:db8::5]", "host.example.com", "HOST-1", "user@example.com", `EXAMPLE\user`, "S-1-5-21-1-2-3-1001", "00:1b:17:00:01:30", "001b.1700.0130",
	"2026-03-17T12:00:00Z", "2026-03-17T12:00:00.123456789+01:00", "Mar 17 2026 12:00:00", "1773748980", "1773748980123",
	`{"json":"text","n":1}`, `[1,2]`, "CEF:0|a|b|c|d|e|5|src=192.0.2.1", "LEEF:1.0|a|b|c|d|src=192.0.2.1", "tcp", "TCP", "inbound", "allow", "deny", "success", "failure",
	"GET", "/path?x=1|2", "https://example.com/a?b=c&d=e", "44d88612fea8a8f36de82e1278abb02f", "^", "^=|\t", "x09", strings.Repeat("long text ", 300), strings.Repeat("é", 700),
}

var oddInts = []int64{0, 1, -1, 6, 17, 80, 443, 65535, 65536, 70000, math.MaxInt32, math.MaxInt32 + 1, math.MinInt32, 1 << 53, 1<<53 + 1, math.MaxInt64, math.MinInt64, 1773748980, 1773748980123, 1773748980123456789}

var oddFloats = []float64{0, math.Copysign(0, -1), 0.1, 1.5, -2.5, 3, 1e21, 1e-7, math.MaxFloat64, math.SmallestNonzeroFloat64, math.NaN(), math.Inf(1), math.Inf(-1)}
