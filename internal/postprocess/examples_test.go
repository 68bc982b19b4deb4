// SPDX-License-Identifier: Apache-2.0

package postprocess

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/envprovider"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.opentelemetry.io/collector/pdata/plog"
)

// pipelinesOf reads the pipelines of an exporter in a collector configuration, as the collector does.
func pipelinesOf(t *testing.T, file, exporter string) *Chain {
	t.Helper()
	t.Setenv("AWS_REGION", "eu-west-1")
	t.Setenv("KINESIS_STREAM", "logs")
	resolver, err := confmap.NewResolver(confmap.ResolverSettings{
		URIs:              []string{file},
		ProviderFactories: []confmap.ProviderFactory{fileprovider.NewFactory(), envprovider.NewFactory()},
		DefaultScheme:     "env",
	})
	require.NoError(t, err)
	conf, err := resolver.Resolve(t.Context())
	require.NoError(t, err)
	require.NoError(t, resolver.Shutdown(t.Context()))
	conf, err = conf.Sub("exporters::" + exporter)
	require.NoError(t, err)
	require.NoError(t, CheckRaw(conf.Get("pipelines")))
	var cfg struct {
		Pipelines []Config `mapstructure:"pipelines"`
	}
	require.NoError(t, conf.Unmarshal(&cfg, confmap.WithIgnoreUnused()))
	require.NotEmpty(t, cfg.Pipelines)
	chain, err := New(cfg.Pipelines, nop())
	require.NoError(t, err)
	return chain
}

// one runs a chain on one record and returns its body and attributes, or nothing if it is not to be delivered.
func one(t *testing.T, chain *Chain, severity plog.SeverityNumber, body any) (string, map[string]any) {
	t.Helper()
	ld := plog.NewLogs()
	lr := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	lr.SetSeverityNumber(severity)
	require.NoError(t, lr.Body().FromRaw(body))
	_, res := chain.Process(t.Context(), ld, false)
	require.NoError(t, res.Err)
	if res.Filtered > 0 {
		return "", nil
	}
	return lr.Body().AsString(), lr.Attributes().AsRaw()
}

func TestExample(t *testing.T) {
	chain := pipelinesOf(t, "../../examples/pipelines.yaml", "amazonkinesis/shared")
	tests := []struct {
		severity   plog.SeverityNumber
		in         any
		body       string
		attributes map[string]any
	}{
		{plog.SeverityNumberDebug, "noise", "", nil},
		{plog.SeverityNumberInfo, "GET /health 200", "", nil},
		{
			plog.SeverityNumberUnspecified, "user ada password: hunter2, ok",
			`user ada password: "***", ok`, map[string]any{"environment": "production"},
		},
		{
			plog.SeverityNumberInfo, `{"user": "ada", "api_Token": "4711"}`,
			`{"user": "ada", "api_Token": "***"}`, map[string]any{"environment": "production", "user": "ada", "api_Token": "***"},
		},
		{
			plog.SeverityNumberInfo, `{"user": "ada", "auth": {"password": {"old": "a", "new": "b"}}, "tokens": ["x", "y"]}`,
			`{"user": "ada", "auth": {"password": "***"}, "tokens": "***"}`,
			map[string]any{"environment": "production", "user": "ada", "auth": map[string]any{"password": "***"}, "tokens": "***"},
		},
		{plog.SeverityNumberInfo, "{ no json", "{ no json", map[string]any{"environment": "production"}},
		{plog.SeverityNumberInfo, map[string]any{"msg": "x"}, `{"msg":"x"}`, map[string]any{"environment": "production"}},
	}
	for _, tt := range tests {
		body, attributes := one(t, chain, tt.severity, tt.in)
		assert.Equal(t, tt.body, body)
		assert.Equal(t, tt.attributes, attributes)
	}
}

var yamlBlock = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$")

func TestDocumentedPipelines(t *testing.T) {
	page, err := os.ReadFile("../../docs/pipelines.md")
	require.NoError(t, err)
	blocks := yamlBlock.FindAllSubmatch(page, -1)
	require.Len(t, blocks, 1)
	file := filepath.Join(t.TempDir(), "block.yaml")
	require.NoError(t, os.WriteFile(file, blocks[0][1], 0o600))
	chain := pipelinesOf(t, file, "amazonkinesis")

	body, attributes := one(t, chain, plog.SeverityNumberWarn, "retry CONN=4711")
	assert.Equal(t, "retry CONN=***", body)
	assert.Equal(t, map[string]any{"environment": "production"}, attributes)
	for _, dropped := range []string{"GET /health", "GET /healthz 200"} {
		body, _ = one(t, chain, plog.SeverityNumberInfo, dropped)
		assert.Empty(t, body)
	}
	body, _ = one(t, chain, plog.SeverityNumberDebug, "noise")
	assert.Empty(t, body)
}
