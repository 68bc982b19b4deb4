// SPDX-License-Identifier: Apache-2.0

package postprocess

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl"
)

var update = flag.Bool("update", false, "write the golden files")

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

func nop() component.TelemetrySettings { return componenttest.NewNopTelemetrySettings() }

func load(t testing.TB, file string) []Config {
	t.Helper()
	conf, err := confmaptest.LoadConf(filepath.Join("testdata", file))
	require.NoError(t, err)
	require.NoError(t, CheckRaw(conf.Get("pipelines")))
	var cfg struct {
		Pipelines []Config `mapstructure:"pipelines"`
	}
	require.NoError(t, conf.Unmarshal(&cfg))
	return cfg.Pipelines
}

func records(t testing.TB) plog.Logs {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "records.json"))
	require.NoError(t, err)
	ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(raw)
	require.NoError(t, err)
	require.Equal(t, 4, ld.LogRecordCount())
	return ld
}

func text(t testing.TB, ld plog.Logs) string {
	t.Helper()
	raw, err := (&plog.JSONMarshaler{}).MarshalLogs(ld)
	require.NoError(t, err)
	var indented bytes.Buffer
	require.NoError(t, json.Indent(&indented, raw, "", "  "))
	return indented.String() + "\n"
}

// excluded lists the ordinals of the records that are not to be delivered.
func excluded(res Result) []int {
	if res.Excluded == nil {
		return nil
	}
	var all []int
	for i := range 4 {
		if res.Excluded(i) {
			all = append(all, i)
		}
	}
	return all
}

func TestProcess(t *testing.T) {
	const parseError = "pipeline \"strict\": " +
		"merge_maps(log.attributes, ParseJSON(log.attributes[\"json\"]), \"upsert\") where log.attributes[\"json\"] != nil: " +
		"error getting value in ottl.StandardPMapGetter[*github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/contexts/ottllog.TransformContext]: " +
		"invalid character 'b' looking for beginning of value"
	tests := []struct {
		name     string
		excluded []int
		failed   int
		err      string
	}{
		{name: "mask"},
		{name: "drop", excluded: []int{1}},
		{name: "order"},
		{name: "ignore"},
		{name: "propagate", excluded: []int{3}, failed: 1, err: parseError},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfgs := load(t, tt.name+".yaml")
			require.NoError(t, Validate(cfgs))
			chain, err := New(cfgs, nop())
			require.NoError(t, err)

			in := records(t)
			got, res := chain.Process(t.Context(), in, false)
			assert.Equal(t, tt.excluded, excluded(res))
			assert.Equal(t, tt.failed, res.Failed)
			assert.Equal(t, len(tt.excluded), res.Filtered+res.Failed)
			if tt.err == "" {
				assert.NoError(t, res.Err)
			} else {
				assert.EqualError(t, res.Err, tt.err)
			}
			assert.Equal(t, in, got, "what nobody else sees is changed in place")
			assert.Equal(t, 4, got.LogRecordCount())

			golden := filepath.Join("testdata", tt.name+".json")
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(text(t, got)), 0o600))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			assert.Equal(t, string(want), text(t, got))
		})
	}
}

// Logs that others see too are marked read-only by the collector.
func TestOthersSeeNoChange(t *testing.T) {
	for _, name := range []string{"mask", "drop", "order", "ignore", "propagate"} {
		t.Run(name, func(t *testing.T) {
			chain, err := New(load(t, name+".yaml"), nop())
			require.NoError(t, err)

			changed, _ := chain.Process(t.Context(), records(t), false)
			shared := records(t)
			shared.MarkReadOnly()
			kept := records(t)
			for range 2 { // what goes again is not processed twice
				for _, in := range []plog.Logs{shared, kept} {
					got, _ := chain.Process(t.Context(), in, true)
					assert.Equal(t, text(t, changed), text(t, got))
					assert.Equal(t, text(t, records(t)), text(t, in))
				}
			}
			got, _ := chain.Process(t.Context(), shared, false)
			assert.Equal(t, text(t, changed), text(t, got))
			assert.Equal(t, text(t, records(t)), text(t, shared))
		})
	}
}

func TestNoPipelines(t *testing.T) {
	chain, err := New(nil, nop())
	require.NoError(t, err)
	require.Nil(t, chain)
	shared := records(t)
	shared.MarkReadOnly()
	got, res := chain.Process(t.Context(), shared, true)
	assert.Equal(t, shared, got, "nothing is copied")
	assert.Equal(t, Result{}, res)
	assert.Zero(t, testing.AllocsPerRun(10, func() { chain.Process(t.Context(), shared, true) }))
}

// The errors of a statement are logged at once, then once a minute with the number of records.
func TestIgnoredErrorsAreLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.InfoLevel)
		set := nop()
		set.Logger = zap.New(core)
		const statement = `set(log.attributes["n"], Hex(log.attributes))`
		chain, err := New([]Config{
			{Name: "numbers", Statements: []string{statement, `set(log.attributes["after"], true)`}},
			{Name: "quiet", ErrorMode: ottl.SilentError, Statements: []string{statement}},
		}, set)
		require.NoError(t, err)
		for range 91 { // seconds
			ld, res := chain.Process(t.Context(), records(t), false)
			require.Equal(t, Result{}, res)
			after, ok := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().Get("after")
			require.True(t, ok)
			require.True(t, after.Bool())
			time.Sleep(time.Second)
		}
		var counts []any
		for _, e := range logs.All() {
			assert.Equal(t, zap.WarnLevel, e.Level)
			assert.Equal(t, "A pipeline failed on records and went on with them.", e.Message)
			fields := e.ContextMap()
			assert.Equal(t, "numbers", fields["pipeline"])
			assert.Equal(t, statement, fields["ottl"])
			assert.Equal(t, "unsupported type: pcommon.Map", fields["error"])
			counts = append(counts, fields["records"])
		}
		assert.Equal(t, []any{int64(1), int64(3 + 59*4 + 1)}, counts)
	})
}

func TestErrors(t *testing.T) {
	tests := []struct {
		name string
		cfgs []Config
		err  string
	}{
		{
			"nothing to do", []Config{{Name: "idle", Conditions: []string{"true"}}},
			"`pipelines[0]` does nothing: write `statements` or `drop`",
		},
		{
			"error mode", []Config{{ErrorMode: "abort", Statements: []string{`set(log.body, "")`}}},
			"`pipelines[0].error_mode` \"abort\": write ignore, silent or propagate",
		},
		{
			"syntax, with its position", []Config{{Statements: []string{`set(log.body, "")`, `set(log.attributes["a"] "b")`}}},
			"`pipelines[0].statements[1]`: statement has invalid syntax at 1:25 near `\"b\")`: (expected \")\" Key*)",
		},
		{
			"condition", []Config{{Conditions: []string{`log.body = "x"`}, Drop: []string{"true"}}},
			"`pipelines[0].conditions[0]`: condition has invalid syntax at 1:10 near `= \"x\"`: (expected <opcomparison> Value)",
		},
		{
			"all faults at once", []Config{
				{Drop: []string{`log.body ==`}},
				{Statements: []string{`set(log.body)`, `sett(log.body, "")`}},
			},
			"`pipelines[0].drop[0]`: condition has invalid syntax at 1:12: (expected Field (\".\" Field)*)\n" +
				"`pipelines[1].statements[0]`: error while parsing arguments for call to \"set\": incorrect number of arguments. Expected: 2 Received: 1\n" +
				"`pipelines[1].statements[1]`: undefined function \"sett\"",
		},
		{
			"drop as a function", []Config{{Statements: []string{`drop() where log.body == ""`}}},
			"`pipelines[0].statements[0]`: undefined function \"drop\"; to exclude records, write their condition under `drop`",
		},
		{
			"function of the transform processor", []Config{{Statements: []string{`set(log.body, ParseCEF(log.body))`}}},
			"`pipelines[0].statements[0]`: error while parsing arguments for call to \"set\": invalid argument at position 1: " +
				"undefined function \"ParseCEF\"; it belongs to the transform processor, which can stand before this exporter",
		},
		{
			"pattern", []Config{{Statements: []string{`replace_pattern(log.body, "(", "")`}}},
			"`pipelines[0].statements[0]`: couldn't create function: the regex pattern supplied to replace_pattern '\"(\"' is not a valid pattern: " +
				"error parsing regexp: missing closing ): `(`",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.EqualError(t, Validate(tt.cfgs), tt.err)
			_, err := New(tt.cfgs, nop())
			require.EqualError(t, err, tt.err)
		})
	}

	err := Validate([]Config{{Statements: []string{`set(attributes["a"], "b")`}}})
	require.ErrorContains(t, err, "`pipelines[0].statements[0]`: ")
	require.ErrorContains(t, err, `missing context name for path "attributes[a]", possibly valid options are: `)
}

func TestCheckRaw(t *testing.T) {
	pipeline := map[string]any{"statements": []any{"x"}}
	tests := []struct {
		raw any
		err string
	}{
		{raw: nil},
		{raw: []any{}},
		{raw: []any{pipeline, pipeline}},
		{
			raw: []any{"checkpoint"},
			err: "`pipelines[0]` is the name \"checkpoint\": here a persistent queue does that; remove the name and write " +
				"`storage: file_storage` under `sending_queue`, with the file_storage extension",
		},
		{
			raw: "checkpoint",
			err: "`pipelines` is the name \"checkpoint\": here a persistent queue does that; remove the name and write " +
				"`storage: file_storage` under `sending_queue`, with the file_storage extension",
		},
		{
			raw: []any{pipeline, "enrich"},
			err: "`pipelines[1]` is the name \"enrich\": pipelines are written out here; write `- name: enrich` with OTTL `statements`, " +
				"such as `statements: ['set(log.attributes[\"environment\"], \"production\")']`",
		},
		{raw: []any{7}, err: "`pipelines[0]` must be a map with `statements` or `drop`"},
		{raw: []any{nil}, err: "`pipelines[0]` must be a map with `statements` or `drop`"},
		{raw: pipeline, err: "`pipelines` must be a list: write `- statements: [...]` below it"},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.raw), func(t *testing.T) {
			if tt.err == "" {
				require.NoError(t, CheckRaw(tt.raw))
				return
			}
			require.EqualError(t, CheckRaw(tt.raw), tt.err)
		})
	}
}

func BenchmarkProcess(b *testing.B) {
	batch := func() plog.Logs {
		ld := plog.NewLogs()
		rl := ld.ResourceLogs().AppendEmpty()
		rl.Resource().Attributes().PutStr("service.name", "checkout")
		logs := rl.ScopeLogs().AppendEmpty().LogRecords()
		for i := range 500 {
			lr := logs.AppendEmpty()
			lr.SetSeverityNumber(plog.SeverityNumberInfo)
			lr.Body().SetStr("GET /login CONN=4711 200")
			lr.Attributes().PutStr("user", "ada")
			lr.Attributes().PutInt("i", int64(i))
		}
		return ld
	}
	cases := []struct {
		name string
		cfgs []Config
	}{
		{"unset", nil},
		{"drop nothing", []Config{{Drop: []string{`log.severity_number < SEVERITY_NUMBER_INFO`}}}},
		{"set", []Config{{Statements: []string{`set(log.attributes["environment"], "production")`}}}},
		{"documented example", load(b, "mask.yaml")},
	}
	for _, c := range cases {
		b.Run(c.name, func(b *testing.B) {
			chain, err := New(c.cfgs, nop())
			require.NoError(b, err)
			ld := batch()
			b.ReportAllocs()
			for b.Loop() {
				chain.Process(b.Context(), ld, false)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/500, "ns/record")
		})
	}
}
