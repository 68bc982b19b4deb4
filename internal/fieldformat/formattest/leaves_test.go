// SPDX-License-Identifier: Apache-2.0

package formattest

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

func TestLeaves(t *testing.T) {
	logs, err := ParseRecord([]byte(`
resource: {host.name: lost, service.name: svc}
scope: {name: lib, attributes: {team: a}}
time: 2026-03-17T12:00:00.5Z
severityText: WARN
traceId: 0102030405060708090a0b0c0d0e0f10
attributes: {host: {name: won}, list: [1, [2.5, true]], none: null, empty: "", map: {}, nan: .nan, bin: !!binary 3q2+7w==}
body: {host.name: lost, other: 5}
`))
	require.NoError(t, err)
	assert.Equal(t, []Leaf{
		{"attribute", "host.name", "won"}, {"attribute", "list", "1"}, {"attribute", "list", "2.5"}, {"attribute", "list", "true"},
		{"attribute", "bin", "3q2+7w=="}, {"body", "other", "5"}, {"resource", "service.name", "svc"}, {"scope", "team", "a"},
		{"scope", "name", "lib"}, {"record", "severity_text", "WARN"}, {"record", "trace_id", "0102030405060708090a0b0c0d0e0f10"},
		{"record", "time", "2026-03-17T12:00:00.5Z"},
	}, AllLeaves(logs))

	logs, err = ParseRecord([]byte(`body: [a, {b: c}]`))
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "c"}, Leaves(logs))
}

func TestContains(t *testing.T) {
	const object = `{"a":["192.0.2.1","2001:db8::1"],"t":1773748980123,"n":9007199254740993,"d":"1.5s","ms":30000,"sec":9730,"part":0.0142,"u":"EXAMPLE\\akumar","mac":"00:1b:17:00:01:30",
		"bag":"k=v;json={\"x\":\"a \\\"b\\\" \\u003cc\\u003e\"}","action":"Allow","port":80,"text":"line one line two","back":"\\","e":"😀"}`
	const cefLine = `CEF:0|v\|w|p|1|0|log|3|msg=a\=b C:\\x ownKey=5`
	const leefLine = "LEEF:2.0|v|p|1|e|x09|devTime=1773748980123\tmsg=a=b  c"
	for _, c := range []struct {
		format, out, leaf string
		want              bool
	}{
		{"ecs", object, "192.0.2.1", true},
		{"ecs", object, "192.0.2.2", false},
		{"ecs", object, "::ffff:192.0.2.1", true},
		{"ecs", object, "2001:DB8:0:0:0:0:0:1", true},
		{"ecs", object, "2026-03-17T12:03:00.123456Z", true},
		{"ecs", object, "2026-03-17T12:03:00.124Z", false},
		{"ecs", object, "9007199254740993", true},
		{"ecs", object, "9007199254740992", false},
		{"ecs", object, "1500000000", true},
		{"ecs", object, "30000000000", true},
		{"ecs", object, "9730000000000", true},
		{"ecs", object, "14200000", true},
		{"ecs", object, "30s", true},
		{"ecs", object, "31000000000", false},
		{"ecs", object, "akumar", true},
		{"ecs", object, "akuma r", true},
		{"ecs", object, "EXAMPLE", true},
		{"ecs", object, "00-1B-17-00-01-30", true},
		{"ecs", object, `a "b" <c>`, true},
		{"ecs", object, "allow", true},
		{"ecs", object, "8", false},
		{"ecs", object, "80", true},
		{"ecs", object, "80.0", true},
		{"ecs", object, "line one\nline two", true},
		{"ecs", object, "line one line three", false},
		{"ecs", object, `\`, true},
		{"ecs", object, `|`, false},
		{"ecs", object, " \x00", true},
		{"ecs", object, "😀", true},
		{"ecs", object, "🙁", false},
		{"ecs", `{"a":`, "a", false},
		{"csl", `{"AdditionalExtensions":"a=two\\nlines;b=0.0000001;c=x\\\\y"}`, "two\nlines", true},
		{"csl", `{"AdditionalExtensions":"a=two\\nlines;b=0.0000001"}`, "1e-7", true},
		{"csl", `{"AdditionalExtensions":"a=two\\nlines;b=0.0000001"}`, "1e-6", false},
		{"cef", cefLine, "a=b", true},
		{"cef", cefLine, `C:\x`, true},
		{"cef", cefLine, "v|w", true},
		{"cef", cefLine, "6", false},
		{"leef", leefLine, "a=b\tc", true},
		{"leef", leefLine, "a=b d", false},
		{"leef", leefLine, "2026-03-17T12:03:00.123Z", true},
	} {
		assert.Equal(t, c.want, Contains(c.format, []byte(c.out), c.leaf), "%s %q", c.format, c.leaf)
	}
}

func TestRandom(t *testing.T) {
	var marshal plog.JSONMarshaler
	kinds := map[pcommon.ValueType]bool{}
	for seed := range uint64(200) {
		first := Random(rand.New(rand.NewPCG(seed, 0)))
		second := Random(rand.New(rand.NewPCG(seed, 0)))
		a, err := marshal.MarshalLogs(first)
		require.NoError(t, err)
		b, err := marshal.MarshalLogs(second)
		require.NoError(t, err)
		require.Equal(t, string(a), string(b))
		record := only(t, first)
		kinds[record.Body().Type()] = true
		for _, v := range record.Attributes().All() {
			kinds[v.Type()] = true
		}
	}
	assert.Len(t, kinds, 8)
}

// The records of the corpus that claim to be in a format are.
func TestRecordsInAFormat(t *testing.T) {
	for name, format := range map[string]string{
		"shape-ocsf-map-body": "ocsf", "shape-udm-map-body": "udm", "shape-ecs-map-body": "ecs", "shape-cim-map-body": "cim",
	} {
		out, err := json.Marshal(find(t, name).Body().Map().AsRaw())
		require.NoError(t, err)
		assert.Empty(t, validated(format, string(out)), name)
	}
	for name, format := range map[string]string{"shape-asim-attributes": "asim", "shape-csl-attributes": "csl"} {
		out, err := json.Marshal(find(t, name).Attributes().AsRaw())
		require.NoError(t, err)
		assert.Empty(t, validated(format, string(out)), name)
	}
	for _, name := range []string{"firewall-allow-paloalto-cef", "firewall-deny-fortinet-cef"} {
		assert.Empty(t, validated("cef", withoutSyslogHeader(find(t, name), "CEF:")), name)
	}
	// real exporters write underscores into keys, which the standard does not know
	assert.Equal(t, []string{`"layer_name" before an equals sign is no key; is the sign in a value escaped?`},
		validated("cef", find(t, "firewall-drop-checkpoint-cef").Body().Str()))
	for _, name := range []string{"firewall-allow-leef1", "firewall-deny-leef2"} {
		assert.Empty(t, validated("leef", withoutSyslogHeader(find(t, name), "LEEF:")), name)
	}
}
