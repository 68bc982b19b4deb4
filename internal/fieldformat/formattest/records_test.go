// SPDX-License-Identifier: Apache-2.0

package formattest

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

func only(t *testing.T, logs plog.Logs) plog.LogRecord {
	t.Helper()
	require.Equal(t, 1, logs.LogRecordCount())
	return logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
}

func find(t *testing.T, name string) plog.LogRecord {
	t.Helper()
	for _, r := range Records() {
		if r.Name == name {
			return only(t, r.Logs)
		}
	}
	t.Fatalf("no record %q", name)
	return plog.LogRecord{}
}

func TestRecordsLoad(t *testing.T) {
	records := Records()
	assert.GreaterOrEqual(t, len(records), 45)
	kinds := map[pcommon.ValueType]bool{}
	for _, r := range records {
		kinds[only(t, r.Logs).Body().Type()] = true
	}
	assert.Len(t, kinds, 7, "kinds of body: empty, text, bool, int, bytes, array, map")
}

func TestRecordsKeepTypes(t *testing.T) {
	attributes := find(t, "odd-wrong-types").Attributes()
	for key, want := range map[string]any{
		"source.port":         "443",
		"destination.port":    int64(70000),
		"destination.bytes":   12.0,
		"process.pid":         true,
		"http.request.method": map[string]any{"not": "text"},
		"destination.ip":      []any{"192.0.2.6", "192.0.2.7"},
	} {
		v, ok := attributes.Get(key)
		require.True(t, ok, key)
		assert.Equal(t, want, v.AsRaw(), key)
	}

	deep := find(t, "odd-deep-nesting").Attributes()
	v, _ := deep.Get("nothing")
	assert.Equal(t, pcommon.ValueTypeEmpty, v.Type())
	v, _ = deep.Get("bin")
	assert.Equal(t, []byte{0xde, 0xad, 0xbe, 0xef}, v.AsRaw())

	assert.False(t, utf8.ValidString(find(t, "odd-invalid-utf8").Body().Str()))
	assert.Equal(t, "2026-03-14T09:26:53.589793238Z",
		find(t, "firewall-allow-ecs").Timestamp().AsTime().Format("2006-01-02T15:04:05.999999999Z07:00"))
	assert.Contains(t, find(t, "firewall-allow-leef1").Body().Str(), "\t")
	assert.Len(t, find(t, "odd-long-text").Body().Str(), 400*len("0123456789abcdef é😀 "))
}

// Addresses and names of the corpus are those reserved for documentation,
// private use or this machine.
func TestRecordsNameNobody(t *testing.T) {
	files, err := recordFiles.ReadDir("records")
	require.NoError(t, err)
	for _, file := range files {
		data, err := recordFiles.ReadFile("records/" + file.Name())
		require.NoError(t, err)
		for _, word := range strings.Fields(string(data)) {
			word = strings.Trim(word, `"',;[]{}()<>`)
			if addr, err := netip.ParseAddr(word); err == nil {
				assert.True(t, documented(addr), "%s: %s", file.Name(), word)
			}
		}
	}
}

func TestParseRecordErrors(t *testing.T) {
	for _, c := range []struct{ yaml, want string }{
		{"bodies: x", `"bodies": unknown key`},
		{"attributes: {a: 1, a: 2}", `"attributes": line 1: "a" is given twice`},
		{"attributes: 5", `"attributes": line 1: want a mapping`},
		{"traceId: abcd", `"traceId": want 16 bytes, got 2`},
		{"body: !other x", `"body": line 1: unknown type !other`},
		{"time: noon", `"time": parsing time "noon" as "2006-01-02T15:04:05.999999999Z07:00": cannot parse "noon" as "2006"`},
		{"scope: {nom: x}", `"scope": "nom": unknown key`},
	} {
		_, err := ParseRecord([]byte(c.yaml))
		assert.EqualError(t, err, c.want, c.yaml)
	}
}

var documentationPrefixes = []netip.Prefix{
	netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("2001:db8::/32"),
}

func documented(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	return addr.IsPrivate() || addr.IsLoopback() || addr.IsLinkLocalUnicast() ||
		slices.ContainsFunc(documentationPrefixes, func(p netip.Prefix) bool { return p.Contains(addr) })
}

func withoutSyslogHeader(record plog.LogRecord, begin string) string {
	line := record.Body().Str()
	return line[strings.Index(line, begin):]
}
