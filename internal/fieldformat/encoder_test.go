// SPDX-License-Identifier: Apache-2.0

package fieldformat

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/fieldformat/formattest"
)

// record reads one record in the notation of formattest, at a time of its own.
func record(t testing.TB, yaml string) plog.Logs {
	t.Helper()
	logs, err := formattest.ParseRecord([]byte("time: 2026-03-14T09:27:01.5Z\n" + strings.ReplaceAll(yaml, "\t", "  ")))
	require.NoError(t, err)
	return logs
}

// object encodes a record in a format that is JSON.
func object(t testing.TB, f Format, o Options, yaml string) map[string]any {
	t.Helper()
	var v map[string]any
	require.NoError(t, json.Unmarshal(encodeOnly(t, New(f, o), record(t, yaml)), &v))
	return v
}

// get follows a path through objects and the first elements of arrays.
func get(v any, path string) any {
	for name := range strings.SplitSeq(path, "/") {
		if list, ok := v.([]any); ok && len(list) > 0 {
			v = list[0]
		}
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return v
}

func TestParse(t *testing.T) {
	for f := range numFormats {
		for _, name := range []string{f.String(), strings.ToUpper(f.String()), strings.ToUpper(f.String()[:1]) + f.String()[1:]} {
			got, err := Parse(name)
			require.NoError(t, err)
			assert.Equal(t, f, got)
		}
	}
	_, err := Parse("syslog")
	assert.EqualError(t, err, `unknown field format "syslog": write one of ecs, cim, asim, cef, leef, csl, ocsf, udm`)
	assert.Equal(t, "none", none.String())
}

func TestDetection(t *testing.T) {
	e := New(ECS, Options{})
	for yaml, want := range map[string]Format{
		"attributes: {class_uid: 4001, time: 1}":                                   OCSF,
		"attributes: {class_uid: 4001, category_uid: 4, TimeGenerated: x}":         OCSF,
		"attributes: {CLASS_UID: 4001, Time: 1}":                                   OCSF,
		"attributes: {class_uid: 4001}":                                            none,
		"attributes: {class_uid: many, time: 1}":                                   none,
		"attributes: {time: 1}":                                                    none,
		"attributes: {metadata: {event_type: NETWORK_DNS}}":                        UDM,
		"attributes: {metadata.event_timestamp: 2026-01-01T00:00:00Z}":             UDM,
		"attributes: {metadata: {version: 1}}":                                     none,
		"attributes: {'@timestamp': 2026-01-01T00:00:00Z, _time: x}":               ECS,
		"attributes: {ecs: {version: 8.0.0}}":                                      ECS,
		"attributes: {TimeGenerated: x, LogSeverity: 3}":                           CSL,
		"attributes: {timegenerated: x, logseverity: 3}":                           CSL,
		"attributes: {TimeGenerated: x}":                                           ASIM,
		"attributes: {_time: 1}":                                                   CIM,
		"attributes: {devTime: 1, rt: 2}":                                          LEEF,
		"attributes: {rt: 2}":                                                      CEF,
		"attributes: {deviceVendor: a, deviceProduct: b}":                          CEF,
		"attributes: {deviceVendor: a}":                                            none,
		"attributes: {source.ip: 192.0.2.1}":                                       none,
		"body: {class_uid: 0, time: 1}":                                            OCSF,
		"body: 'CEF:0|a|b|c|d|e|5|src=192.0.2.1'":                                  CEF,
		"body: '<13>Mar 14 09:27:01 fw CEF:0|a|b|c|d|e|5|src=192.0.2.1'":           CEF,
		"body: 'a reader saw CEF:0|a|b|c|d|e|5|src=192.0.2.1'":                     none,
		"body: 'CEF:0|a|b|c|d|e'":                                                  none,
		"body: \"LEEF:1.0|a|b|c|d|src=192.0.2.1\"":                                 LEEF,
		"body: 'LEEF:2.0|a|b|c|d|^|src=192.0.2.1'":                                 LEEF,
		"body: 'LEEF:3.0|a|b|c|d|^|src=192.0.2.1'":                                 none,
		"{attributes: {source.ip: 192.0.2.1}, body: {_time: 1}}":                   CIM,
		"{attributes: {TimeGenerated: x}, body: 'CEF:0|a|b|c|d|e|5|dst=10.0.0.1'}": ASIM,
	} {
		if strings.HasPrefix(yaml, "{") { // two keys of a record in one line
			yaml = strings.TrimSuffix(strings.TrimPrefix(yaml, "{"), "}")
			yaml = strings.Replace(yaml, ", body:", "\nbody:", 1)
		}
		encodeOnly(t, e, record(t, yaml))
		assert.Equal(t, want, e.shape, yaml)
	}
}

func TestPrecedence(t *testing.T) {
	v := object(t, OCSF, Options{}, `
resource: {host.name: from-resource, service.name: shop}
attributes: {host.name: from-attribute, event.action: own}
body: {host.name: from-body, host.id: h1}
eventName: other
`)
	assert.Equal(t, "from-attribute", get(v, "device/hostname"))
	assert.Equal(t, "h1", get(v, "device/uid"))
	assert.Equal(t, "from-body", get(v, "unmapped/body.host.name"))
	assert.Equal(t, "from-resource", get(v, "unmapped/resource.host.name"))
	assert.Equal(t, "own", get(v, "metadata/event_code"))
	assert.Equal(t, "other", get(v, "message"))

	same := object(t, OCSF, Options{}, "{resource: {host.name: h}, attributes: {host: {name: h}}}"[1:len("{resource: {host.name: h}")]+"\nattributes: {host: {name: h}}")
	assert.Equal(t, "h", get(same, "device/hostname"))
	assert.Nil(t, get(same, "unmapped"), "what says the same is said once")
}

func TestDevice(t *testing.T) {
	for _, c := range []struct {
		yaml    string
		options Options
		want    string
	}{
		{"body: x", Options{}, "CEF:0|OpenTelemetry|Collector|0|"},
		{"resource: {service.name: shop, service.version: '1.2'}", Options{}, "CEF:0|OpenTelemetry|shop|1.2|"},
		{"resource: {service.name: shop, service.version: '1.2'}", Options{Vendor: "Acme", Product: "WAF", Version: "7"}, "CEF:0|Acme|WAF|7|"},
		{"attributes: {observer.vendor: Cisco, observer.product: ASA, observer.version: '9'}", Options{Vendor: "Acme", Product: "WAF", Version: "7"}, "CEF:0|Cisco|ASA|9|"},
		{"attributes: {observer.vendor: \"\\t \", observer.product: 'a|b\\c'}", Options{}, `CEF:0|OpenTelemetry|a\|b\\c|0|`},
	} {
		out := string(encodeOnly(t, New(CEF, c.options), record(t, c.yaml)))
		assert.True(t, strings.HasPrefix(out, c.want), "%s: %s", c.yaml, out)
	}
}

func TestEventID(t *testing.T) {
	places := map[Format]string{ECS: "event/id", CIM: "id", ASIM: "EventOriginalUid", CSL: "ExtID", OCSF: "metadata/uid", UDM: "metadata/product_log_id"}
	for f, place := range places {
		id, _ := get(object(t, f, Options{EventID: true}, "body: x"), place).(string)
		assert.Regexp(t, "^[0-9a-f]{32}$", id, f)
		assert.Equal(t, id, get(object(t, f, Options{EventID: true}, "body: x"), place), "%s: equal records", f)
		ids := map[any]string{id: "body: x"}
		for _, other := range []string{"body: y", "body: x\nseverity: 9", "body: x\nseverityText: '9'", "body: x\neventName: n",
			"body: x\nobserved: 2026-03-14T09:27:02.000000001Z", "body: x\nobserved: 2026-03-14T09:27:02.000000002Z", "body: x\nflags: 1",
			"body: x\nresource: {a: b}", "body: x\nattributes: {a: b}", "body: x\nscope: {attributes: {a: b}}",
			"body: x\nscope: {name: s}", "body: x\nscope: {version: s}", "body: x\ntraceId: 0102030405060708090a0b0c0d0e0f10",
			"body: x\nseverityText: ab", "body: x\nseverityText: a\neventName: b", "body: 'x{}'", "body: 1\nattributes: {a: 1}"} {
			another := get(object(t, f, Options{EventID: true}, other), place)
			assert.NotContains(t, ids, another, "%s: %s", f, other)
			ids[another] = other
		}
		assert.Equal(t, "u1", get(object(t, f, Options{EventID: true}, "attributes: {log.record.uid: u1}"), place))
		assert.Nil(t, get(object(t, f, Options{}, "body: x"), place))
	}
	for _, f := range []Format{CEF, LEEF} {
		assert.Regexp(t, "externalId=[0-9a-f]{32}", string(encodeOnly(t, New(f, Options{EventID: true}), record(t, "body: x"))))
	}
}

func TestSeverity(t *testing.T) {
	for yaml, want := range map[string]struct {
		cef, cim, asim string
		ocsf           float64
	}{
		"severity: 0":                      {"Unknown", "", "Informational", 0},
		"severity: 1":                      {"0", "informational", "Informational", 1},
		"severity: 9":                      {"3", "informational", "Informational", 1},
		"severity: 13":                     {"5", "medium", "Medium", 3},
		"severity: 17":                     {"7", "high", "High", 4},
		"severity: 24":                     {"10", "critical", "High", 6},
		"severityText: WARN":               {"5", "medium", "Medium", 3},
		"severity: 9\nseverityText: error": {"3", "informational", "Informational", 1},
		"severity: 9\nattributes: {event.severity: low}":      {"3", "low", "Low", 2},
		"severity: 9\nattributes: {log.level: Critical}":      {"10", "critical", "High", 5},
		"attributes: {event.severity: 8}":                     {"8", "high", "High", 4},
		"attributes: {event.severity: 73}":                    {"7", "high", "High", 4},
		"attributes: {log.syslog.severity.code: 3}":           {"7", "high", "High", 4},
		"attributes: {event.severity: -1}":                    {"Unknown", "", "Informational", 0},
		"body: 'CEF:0|a|b|c|d|e|9|'":                          {"9", "critical", "High", 5},
		"body: 'CEF:0|a|b|c|d|e|Low|'":                        {"Low", "low", "Low", 2},
		"body: \"LEEF:1.0|a|b|c|d|sev=6\"":                    {"6", "medium", "Medium", 3},
		"attributes: {TimeGenerated: x, EventSeverity: High}": {"8", "high", "High", 4},
	} {
		header := strings.Split(string(encodeOnly(t, New(CEF, Options{}), record(t, yaml))), "|")
		assert.Equal(t, want.cef, header[6], yaml)
		cim, _ := object(t, CIM, Options{}, yaml)["severity"].(string)
		assert.Equal(t, want.cim, cim, yaml)
		assert.Equal(t, want.asim, object(t, ASIM, Options{}, yaml)["EventSeverity"], yaml)
		assert.Equal(t, want.ocsf, object(t, OCSF, Options{}, yaml)["severity_id"], yaml)
	}
}

func TestClassification(t *testing.T) {
	for yaml, want := range map[string]struct {
		ocsf      float64
		udm, asim string
	}{
		"body: text": {0, "GENERIC_EVENT", "AuditEvent/Other"},
		"attributes: {source.ip: 192.0.2.1, destination.ip: 192.0.2.2, network.transport: tcp}":                                   {400106, "NETWORK_CONNECTION", "NetworkSession/NetworkSession"},
		"attributes: {client.address: 192.0.2.1, server.address: a.example, http.request.method: GET, url.path: /}":               {400203, "NETWORK_HTTP", "WebSession/WebServerSession"},
		"attributes: {dns.question.name: a.example, source.ip: 192.0.2.1}":                                                        {400301, "NETWORK_DNS", "Dns/Query"},
		"attributes: {dns.question.name: a.example}":                                                                              {0, "GENERIC_EVENT", "AuditEvent/Other"},
		"attributes: {event.category: authentication, user.name: u, host.name: h}":                                                {300201, "USER_LOGIN", "Authentication/Logon"},
		"attributes: {event.category: authentication, event.type: end, user.name: u, host.name: h}":                               {300202, "USER_LOGOUT", "Authentication/Logoff"},
		"attributes: {event.category: authentication, host.name: h}":                                                              {0, "GENERIC_EVENT", "Authentication/Logon"},
		"attributes: {event.category: file, event.type: deletion, user.name: u, host.name: h, file.path: /a/b}":                   {100104, "FILE_DELETION", "FileEvent/FileDeleted"},
		"attributes: {event.category: file, event.type: deletion, file.path: /a/b}":                                               {0, "GENERIC_EVENT", "AuditEvent/Delete"},
		"attributes: {event.category: registry, registry.path: 'HKLM\\a', registry.value: v, host.name: h, process.pid: 4}":       {20100200, "REGISTRY_UNCATEGORIZED", "AuditEvent/Other"},
		"attributes: {event.category: iam, event.action: user-created, user.name: a, user.target.name: b, host.name: h}":          {300101, "USER_CREATION", "UserManagement/UserCreated"},
		"attributes: {event.category: vulnerability, vulnerability.id: CVE-2026-1, host.name: h}":                                 {200201, "SCAN_VULN_HOST", "AuditEvent/Other"},
		"attributes: {event.kind: alert, rule.name: r, host.name: h}":                                                             {200401, "SCAN_UNCATEGORIZED", "AlertEvent/Alert"},
		"attributes: {ocsf.class_uid: 4007, udm.event_type: STATUS_HEARTBEAT, asim.schema: NetworkSession, source.ip: 192.0.2.1}": {400706, "STATUS_HEARTBEAT", "NetworkSession/NetworkSession"},
		"attributes: {ocsf.class_uid: 3002, udm.event_type: USER_LOGIN, asim.schema: Elsewhere}":                                  {0, "GENERIC_EVENT", "AuditEvent/Other"},
	} {
		assert.Equal(t, want.ocsf, object(t, OCSF, Options{}, yaml)["type_uid"], yaml)
		assert.Equal(t, want.udm, get(object(t, UDM, Options{}, yaml), "metadata/event_type"), yaml)
		v := object(t, ASIM, Options{}, yaml)
		assert.Equal(t, want.asim, v["EventSchema"].(string)+"/"+v["EventType"].(string), yaml)
	}
}

func TestValuesThatDoNotFit(t *testing.T) {
	v := object(t, ASIM, Options{}, `
attributes:
	source.ip: not-an-address
	source.port: 70000
	destination.ip: 192.0.2.1
	destination.port: "443"
	source.bytes: -1
	event.duration: 1500000
	network.direction: sideways
	dns.question.type: 28
`)
	assert.Equal(t, 443.0, v["DstPortNumber"])
	assert.Equal(t, 1.0, v["NetworkDuration"])
	assert.Equal(t, map[string]any{"source.ip": "not-an-address", "source.port": 70000.0, "source.bytes": -1.0, "event.duration": 1500000.0,
		"network.direction": "sideways", "dns.question.type": 28.0}, v["AdditionalFields"])
	assert.NotContains(t, v, "SrcIpAddr")
}

func TestEscaping(t *testing.T) {
	yaml := "attributes: {event.action: \"a|b=c\\\\d\\ne\\tf\\u0000g\", 'http.route': \"x=y\", ключ: v, src: raw}"
	cef := string(encodeOnly(t, New(CEF, Options{}), record(t, yaml)))
	assert.Contains(t, cef, `|a\|b=c\\d e f g|`)
	assert.Contains(t, cef, ` act=a|b\=c\\d\ne`+"\tf g ")
	assert.Contains(t, cef, ` httpRoute=x\=y src2=raw field=v`)
	leef := string(encodeOnly(t, New(LEEF, Options{}), record(t, yaml)))
	assert.Contains(t, leef, `|a_b=c\d e f g|x09|`)
	assert.Contains(t, leef, "\teventAction=a|b=c\\d e f g")
	csl := object(t, CSL, Options{}, `attributes: {a: 'x;y', b: 'C:\', c: 'p\;q', d: last}`)
	assert.Equal(t, `a=x\;y;b=C:\\;c=p\\\;q;d=last`, csl["AdditionalExtensions"])
}

// TestOwnExtensionsPass reads what writeCSL has written, and has to write it again.
func TestOwnExtensionsPass(t *testing.T) {
	logs := record(t, `attributes: {a: 'x;y', b: 'C:\', c: 'p\;q', d: '\\;', e: ';', f: last}`)
	written := objectOf(t, encodeOnly(t, New(CSL, Options{}), logs))["AdditionalExtensions"].(string)
	own := plog.NewLogs()
	r := own.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	r.SetTimestamp(1771934399_123456789)
	r.Attributes().PutStr("TimeGenerated", "2026-03-14T09:27:01Z")
	r.Attributes().PutStr("LogSeverity", "3")
	r.Attributes().PutStr("AdditionalExtensions", written)
	again := objectOf(t, encodeOnly(t, New(CSL, Options{}), own))["AdditionalExtensions"].(string)
	assert.True(t, strings.HasPrefix(again, written), "%s from %s", again, written)
}

func objectOf(t *testing.T, data []byte) (fields map[string]any) {
	t.Helper()
	require.NoError(t, json.Unmarshal(data, &fields))
	return fields
}

func TestSameFormatPasses(t *testing.T) {
	v := object(t, UDM, Options{}, `
resource: {host.name: h}
body:
	metadata: {event_type: NETWORK_CONNECTION, event_timestamp: 1773480421004512}
	principal: {ip: 192.0.2.1, port: "51234"}
	target: {ip: [192.0.2.2], own: {deep: [1, {a: b}]}}
`)
	assert.Equal(t, map[string]any{"event_type": "NETWORK_CONNECTION", "event_timestamp": "2026-03-14T09:27:01.004512Z",
		"vendor_name": "OpenTelemetry", "product_name": "Collector"}, v["metadata"])
	assert.Equal(t, map[string]any{"ip": []any{"192.0.2.1"}, "port": 51234.0}, v["principal"])
	assert.Equal(t, map[string]any{"deep": []any{1.0, map[string]any{"a": "b"}}}, get(v, "target/own"))
	assert.Equal(t, "h", get(v, "additional/host.name"))

	o := object(t, OCSF, Options{}, "body: {class_uid: 201001, activity_id: 4, time: 1773480421004, unmapped: {a: 1}, own: x}")
	assert.Equal(t, []any{1.0, 20100104.0, "x", 0.0}, []any{o["category_uid"], o["type_uid"], o["own"], o["severity_id"]})
	assert.Equal(t, 1.0, get(o, "unmapped/a"))

	cef := string(encodeOnly(t, New(CEF, Options{}), record(t, `body: 'CEF:0|a|b|c|d|e|Low|src=192.0.2.1 cs1=x cs1Label=Own own=1\=2 msg=a b '`)))
	assert.Equal(t, `CEF:0|a|b|c|d|e|Low|rt=1773480421500 cs1=x cs1Label=Own msg=a b src=192.0.2.1 own=1\=2`, cef)

	ecs := object(t, ECS, Options{}, "attributes: {'@timestamp': 2026-03-14T09:27:00Z, nginx.access.ms: 5, source: {custom: x, ip: 192.0.2.1}}")
	assert.Equal(t, "2026-03-14T09:27:00.000000000Z", ecs["@timestamp"])
	assert.Equal(t, 5.0, get(ecs, "nginx/access/ms"))
	assert.Equal(t, "x", get(ecs, "labels/source_custom"))
}

// TestStart holds records of one Start against each alone, and against those of a clone.
func TestStart(t *testing.T) {
	logs := record(t, "resource: {host: {name: h, os: {type: linux}}, a.b: 1}\nscope: {name: s, version: '1', attributes: {c: d}}\nbody: x")
	rl := logs.ResourceLogs().At(0)
	sl := rl.ScopeLogs().At(0)
	for f := range numFormats {
		e := New(f, Options{EventID: true})
		want := string(encodeOnly(t, e.Clone(), logs))
		e.Start(rl.Resource(), sl.Scope())
		for range 3 {
			out, err := e.AppendRecord([]byte("before"), sl.LogRecords().At(0))
			require.NoError(t, err)
			assert.Equal(t, "before"+want, string(out))
		}
		e.Start(pcommon.NewResource(), pcommon.NewInstrumentationScope())
		out, err := e.AppendRecord(nil, sl.LogRecords().At(0))
		require.NoError(t, err)
		assert.NotContains(t, string(out), "linux")
	}
}

// TestAllocations: a record costs none, be it written by a pattern or translated.
func TestAllocations(t *testing.T) {
	logs := firewall()
	rl := logs.ResourceLogs().At(0)
	sl := rl.ScopeLogs().At(0)
	for f := range numFormats {
		for _, library := range []*library{newLibrary(), nil} {
			e := New(f, Options{})
			e.patterns.library = library
			var buf []byte
			write := func() {
				e.Start(rl.Resource(), sl.Scope())
				buf, _ = e.AppendRecord(buf[:0], sl.LogRecords().At(0))
			}
			for range 3 {
				write()
			}
			assert.Zero(t, testing.AllocsPerRun(100, write), "%s, by a pattern: %t", f, library != nil)
		}
	}
}

func TestReadCEF(t *testing.T) {
	e := New(ECS, Options{})
	for line, want := range map[string][]pair{
		`CEF:0|v|p|1|id|n|5|`:                               {},
		`CEF:0|v|p|1|id|n|5|a=1 b=two words c=`:             {{"a", "1"}, {"b", "two words"}, {"c", ""}},
		`CEF:0|v|p|1|id|n|5|msg=x\=y \\ z\nw req=/?a=b&c=d`: {{"msg", "x=y \\ z\nw"}, {"req", "/?a=b&c=d"}},
		`CEF:0|v|p|1|id|n|5|cs1=deny all cs1Label=Rule`:     {{"rule.name", "deny all"}},
		`CEF:0|v|p|1|id|n|5|cs1=x cs1Label=My label cn1=7`:  {{"My label", "x"}, {"cn1", "7"}},
		`CEF:0|v|p|1|id|n|5|loose text a=1`:                 {{"extension", "loose text"}, {"a", "1"}},
		`CEF:0|v|p|1|id|n|5|ad.own_key[0]=1`:                {{"ad.own_key[0]", "1"}},
	} {
		e.reset()
		pairs, ok := e.parseCEF(line)
		require.True(t, ok, line)
		assert.Equal(t, want, append([]pair{}, pairs[6:]...), line)
	}
	_, ok := e.parseCEF(`CEF:0|v|p|1|id|n\|5|`)
	assert.False(t, ok)
}

func TestReadLEEF(t *testing.T) {
	e := New(ECS, Options{})
	for line, want := range map[string][]pair{
		"LEEF:1.0|v|p|1|id|a=1\tb=x=y\tloose":   {{"a", "1"}, {"b", "x=y"}, {"attribute", "loose"}},
		"LEEF:2.0|v|p|1|id|^|a=1^b=c\td":        {{"a", "1"}, {"b", "c\td"}},
		"LEEF:2.0|v|p|1|id|x5E|a=1^b=2":         {{"a", "1"}, {"b", "2"}},
		"LEEF:2.0|v|p|1|id||a=1\tb=2":           {{"a", "1"}, {"b", "2"}},
		"LEEF:2.0|v|p|1|id|a=1\tb=2|3":          {{"a", "1"}, {"b", "2|3"}},
		"LEEF:2.0|v|p|1|id|0x0009|a=1\tb=2\r\n": {{"a", "1"}, {"b", "2"}},
	} {
		pairs, ok := e.parseLEEF(line)
		require.True(t, ok, line)
		assert.Equal(t, want, pairs[4:], line)
	}
	_, ok := e.parseLEEF("LEEF:2.0|v|p|1")
	assert.False(t, ok)
}

// TestOwnNames: a name that the format itself has needs no number, if the value fits.
func TestOwnNames(t *testing.T) {
	yaml := "attributes: {src_ip: 192.0.2.1, action: blocked, src_port: '443', dest_port: many, outcome: success, dst: 192.0.2.7, src: raw, spid: -1, cs1: x, type: 17}"
	cim := object(t, CIM, Options{}, yaml)
	assert.Equal(t, []any{"192.0.2.1", "blocked", 443.0, "many", "success", "x"},
		[]any{cim["src_ip"], cim["action"], cim["src_port"], cim["dest_port2"], cim["outcome"], cim["cs1"]})
	cef := string(encodeOnly(t, New(CEF, Options{}), record(t, yaml)))
	for _, pair := range []string{" outcome=success", " dst=192.0.2.7", " src2=raw", " spid2=-1", " cs12=x", " type2=17"} {
		assert.Contains(t, cef+" ", pair+" ")
	}
	leef := string(encodeOnly(t, New(LEEF, Options{}), record(t, yaml)))
	assert.Contains(t, leef+"\t", "\tdst=192.0.2.7\t")

	full := "attributes: {rt: 1773480421004, deviceVendor: V, deviceProduct: P, deviceVersion: '1', signatureId: s, name: n, severity: '7', sourceAddress: 192.0.2.1, src: 192.0.2.9, cs1: x}"
	assert.Contains(t, string(encodeOnly(t, New(CEF, Options{}), record(t, full))), "CEF:0|V|P|1|s|n|7|rt=1773480421004 cs1=x src=192.0.2.1 src2=192.0.2.9")
}

// TestReadForeignNames: what a record of CEF, LEEF or CSL says by a label, a length or a place in the header.
func TestReadForeignNames(t *testing.T) {
	line := object(t, ECS, Options{}, "severity: 9\nbody: 'CEF:0|a|b|c|d|e|7|cs1=x cs2=T cs2Label=Threat Name cs3=mine cs3Label=Own fileHash=44d88612fea8a8f36de82e1278abb02f'")
	csl := object(t, ECS, Options{}, "attributes: {TimeGenerated: 2026-03-14T09:27:01Z, LogSeverity: 7, DeviceCustomString1: x, DeviceCustomString2: T, "+
		"DeviceCustomString2Label: Threat Name, DeviceCustomString3: mine, DeviceCustomString3Label: Own, FileHash: 44d88612fea8a8f36de82e1278abb02f}")
	for _, v := range []any{line, csl} {
		assert.Equal(t, 7.0, get(v, "event/severity"))
		assert.Equal(t, "T", get(v, "threat/software/name"))
		assert.Equal(t, "mine", get(v, "labels/Own"))
		assert.Equal(t, "44d88612fea8a8f36de82e1278abb02f", get(v, "file/hash/md5"))
		assert.Nil(t, get(v, "rule"), "a custom string without a label is no rule")
		assert.Nil(t, get(v, "process"))
	}
	assert.Equal(t, "9", get(line, "labels/otel_severity_number"))
	assert.Equal(t, "x", get(line, "labels/cs1"))

	for _, sev := range []string{"body: 'CEF:0|a|b|c|d|e|7|'", "body: \"LEEF:1.0|a|b|c|d|sev=7\"", "attributes: {devTime: 1773480421004, sev: 7}"} {
		leef := string(encodeOnly(t, New(LEEF, Options{}), record(t, sev)))
		assert.Equal(t, 1, strings.Count(leef, "=7"), leef)
	}
	for _, f := range []Format{ECS, LEEF, CIM} {
		for _, yaml := range []string{"body: \"LEEF:1.0|a|b|c|d|devTime=Mar 14 2026 12:31:44.901 UTC\\tdevTimeFormat=MMM dd yyyy HH:mm:ss.SSS z\"",
			"attributes: {devTime: Mar 14 2026 12:31:44.901 UTC, devTimeFormat: MMM dd yyyy HH:mm:ss.SSS z}"} {
			assert.NotContains(t, string(encodeOnly(t, New(f, Options{}), record(t, yaml))), "MMM", f)
		}
		assert.Contains(t, string(encodeOnly(t, New(f, Options{}), record(t, "body: \"LEEF:1.0|a|b|c|d|devTime=14/3/26\\tdevTimeFormat=d/M/yy\""))), "d/M/yy", f)
	}
}

// TestNoTime: a record without any time has that of its encoding.
func TestNoTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // whose clock begins with the year 2000
		logs := plog.NewLogs()
		logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr("x")
		for f, want := range map[Format]string{ECS: `"2000-01-01T00:00:00.000000000Z"`, CEF: "rt=946684800000 ", LEEF: "devTime=0946684800000\t", OCSF: `"time":946684800000,`} {
			assert.Contains(t, string(encodeOnly(t, New(f, Options{}), logs)), want, f)
		}
	})
}

// TestAttribution: a value stands with the party that it is of, or in the bag.
func TestAttribution(t *testing.T) {
	const logon = "attributes: {event.category: authentication, event.outcome: success, user.name: u, host.name: h, host.os.name: Debian, source.ip: 192.0.2.1, process.pid: 7, process.parent.pid: 6"
	const database = "attributes: {event.category: database, event.action: SELECT, user.name: u, host.name: db, service.name: postgresql, db.namespace: crm, source.ip: 192.0.2.1, process.pid: 7, db.query.text: SELECT 1}"
	const web = "attributes: {event.category: web, http.request.method: GET, url.path: /, source.ip: 192.0.2.1, destination.ip: 192.0.2.2, container.name: nginx, cloud.region: eu}"
	const dns = "attributes: {dns.question.name: a.example, source.ip: 192.0.2.1, dns.answers: [192.0.2.9]}"
	const guid = "attributes: {event.category: iam, event.action: user-created, user.name: a, user.id: 0c5ee8c8-4a8e-4d2a-9c1b-0d3e1d6b7a90, user.target.name: b, observer.vendor: "
	const dhcp = "attributes: {event.category: network, network.protocol: dhcp, source.ip: 192.0.2.9, client.ip: 192.0.2.9, dhcpv4.option.message_type: "
	const attack = "attributes: {event.kind: alert, rule.name: r, host.name: h, threat.technique.id: [T1, T2], threat.technique.subtechnique.id: "
	for _, c := range []struct {
		format           Format
		yaml, path, want string
	}{
		{UDM, logon + "}", "target/process/pid", "7"},
		{UDM, logon + "}", "target/process/parent_process/pid", "6"},
		{UDM, logon + "}", "target/asset/platform_software/platform_version", "Debian"},
		{UDM, logon + "}", "principal/process", "<nil>"},
		{UDM, logon + "}", "observer", "<nil>"},
		{UDM, logon + ", observer.type: vpn}", "extensions/auth/type", "VPN"},
		{UDM, database, "principal/hostname", "<nil>"},
		{UDM, database, "target/hostname", "db"},
		{UDM, database, "target/process/pid", "7"},
		{UDM, database, "additional/db.query.text", "SELECT 1"},
		{ASIM, database, "Dst", "db"},
		{UDM, web, "principal/resource", "<nil>"},
		{UDM, web, "additional/container.name", "nginx"},
		{UDM, web, "principal/location", "<nil>"},
		{UDM, web, "target/location/name", "eu"},
		{UDM, "attributes: {process.pid: true}", "additional/process.pid", "true"},
		{ASIM, dns, "EventResult", "Success"},
		{ASIM, dns, "EventSubType", "response"},
		{ASIM, dns, "EventResultDetails", "NOERROR"},
		{ASIM, guid + "Okta}", "ActorUserIdType", "Other"},
		{ASIM, guid + "Microsoft}", "ActorUserIdType", "AADID"},
		{ASIM, "attributes: {event.category: configuration, event.action: RunInstances, cloud.instance.id: i-1, observer.product: CloudTrail}", "Dvc", "CloudTrail"},
		{ASIM, "attributes: {event.category: configuration, event.action: RunInstances, cloud.instance.id: i-1, observer.product: CloudTrail}", "Object", "i-1"},
		{UDM, dhcp + "ACK}", "network/dhcp/type", "ACK"},
		{UDM, dhcp + "ACK}", "network/dhcp/ciaddr", "<nil>"},
		{UDM, dhcp + "ACK}", "network/dhcp/yiaddr", "192.0.2.9"},
		{UDM, "attributes: {event.category: malware, file.path: /a, host.name: h, rule.name: r}", "metadata/event_type", "SCAN_FILE"},
		{UDM, "attributes: {event.category: [email, threat], email.from.address: a@b.example, source.ip: 192.0.2.1, rule.name: r}", "metadata/event_type", "EMAIL_TRANSACTION"},
		{UDM, attack + "[T1.001]}", "security_result/attack_details/techniques/subtechnique_id", "T1.001"},
		{OCSF, "attributes: {event.category: malware, rule.name: r, source.ip: 192.0.2.1, file.path: /a/b}", "evidences/src_endpoint/ip", "192.0.2.1"},
		{OCSF, "attributes: {event.category: malware, rule.name: r, source.ip: 192.0.2.1, file.path: /a/b}", "evidences/file/name", "b"},
		{OCSF, "attributes: {event.category: malware, rule.name: r, network.transport: tcp}", "evidences/connection_info/protocol_num", "6"},
		{OCSF, "attributes: {event.category: malware, rule.name: r, source.port: 1}", "unmapped/source.port", "1"},
		{OCSF, attack + "[T1.001, T2.002]}", "attacks/sub_technique/uid", "T1.001"},
		{OCSF, attack + "[T2.002]}", "attacks/sub_technique", "<nil>"},
		{OCSF, attack + "[T2.002]}", "unmapped/threat.technique.subtechnique.id", "[T2.002]"},
	} {
		assert.Equal(t, c.want, fmt.Sprint(get(object(t, c.format, Options{}, c.yaml), c.path)), "%s %s: %s", c.format, c.path, c.yaml)
	}
}

func TestTimes(t *testing.T) {
	const want = 1773480421_000000000
	for _, s := range []string{"2026-03-14T09:27:01Z", "2026-03-14T10:27:01+01:00", "2026-03-14T09:27:01.000000000Z", "2026-03-14 09:27:01",
		"1773480421", "1773480421000", "1773480421000000", "1773480421000000000", "1773480421.0", "Mar 14 2026 09:27:01", "Mar 14 2026 09:27:01.000 UTC"} {
		v := strVal(s)
		n, ok := v.time()
		assert.True(t, ok, s)
		assert.Equal(t, int64(want), n, s)
	}
	for _, s := range []string{"", "yesterday", "2026-02-30T00:00:00Z", "12", "9999999999999999999", "-1773480421", "1e300", "2026-03-14T25:00:00Z", "9999-01-01T00:00:00Z"} {
		v := strVal(s)
		_, ok := v.time()
		assert.False(t, ok, s)
	}
}

func TestAddresses(t *testing.T) {
	for s, want := range map[string]bool{"192.0.2.1": true, "255.255.255.255": true, "256.0.0.1": false, "1.2.3": false, "01.2.3.4": false, "1.2.3.4.": false,
		"::1": true, "2001:db8::57": true, "::ffff:192.0.2.1": true, "fe80::1%eth0": false, "a:b": false, ":": false, "name.example": false, "": false} {
		assert.Equal(t, want, isIP(s), s)
	}
	e := New(CEF, Options{})
	for in, want := range map[string]string{"00-15-5D-01-0A-10": "00:15:5d:01:0a:10", "0015.5d01.0a10": "00:15:5d:01:0a:10", "00155d010a10": "00:15:5d:01:0a:10",
		"00:15:5d:01:0a": "", "00:15:5d:01:0a:1g": "", "0:0155d010a10": "", "00:15:5d:01:0a:10:": ""} {
		v, _ := e.mac(in)
		assert.Equal(t, want, v.str, in)
	}
}
