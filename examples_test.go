// SPDX-License-Identifier: Apache-2.0

package amazonkinesisexporter

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/envprovider"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/metadata"
)

// exampleEnv is what a user has set before running the examples.
var exampleEnv = map[string]string{
	"AWS_REGION":          "eu-west-1",
	"KINESIS_STREAM":      "logs",
	"KINESIS_STREAM_ARN":  "arn:aws:kinesis:eu-west-1:111122223333:stream/logs",
	"KINESIS_ROLE_ARN":    "arn:aws:iam::111122223333:role/kinesis-writer",
	"KINESIS_EXTERNAL_ID": "0123",
	"KINESIS_KEY":         "AKIAIOSFODNN7EXAMPLE",
	"KINESIS_SECRET":      "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
}

// TestExamples loads every file of examples/, which are whole collector configurations.
func TestExamples(t *testing.T) {
	files, err := filepath.Glob("examples/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			require.NotZero(t, loadExample(t, file), "no amazonkinesis exporter in it")
			validateWithCollector(t, file)
		})
	}
}

var yamlBlock = regexp.MustCompile("(?ms)^( *)```yaml\n(.*?)^ *```$")

// TestDocumentedConfigurations loads every ```yaml block of the README and of docs/.
// A block is a collector configuration or some of its sections, the vendor's targets,
// or a Kubernetes manifest; anything else belongs into a ```text block.
func TestDocumentedConfigurations(t *testing.T) {
	var pages []string
	for _, pattern := range []string{"*.md", "docs/*.md", "examples/*.md"} {
		found, err := filepath.Glob(pattern)
		require.NoError(t, err)
		pages = append(pages, found...)
	}
	require.Contains(t, pages, "README.md")
	for _, page := range pages {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, at := range yamlBlock.FindAllSubmatchIndex(text, -1) {
			line := 1 + strings.Count(string(text[:at[0]]), "\n")
			indent, block := string(text[at[2]:at[3]]), string(text[at[4]:at[5]])
			t.Run(fmt.Sprintf("%s:%d", page, line), func(t *testing.T) {
				file := filepath.Join(t.TempDir(), "block.yaml")
				block := strings.ReplaceAll("\n"+block, "\n"+indent, "\n")
				require.NoError(t, os.WriteFile(file, []byte(block), 0o600))
				loadExample(t, file)
				if strings.Contains(block, "\nservice:") {
					validateWithCollector(t, file)
				}
			})
		}
	}
}

// loadExample loads all targets in a YAML file as the collector would, and returns how many there were.
func loadExample(t *testing.T, file string) (targets int) {
	for name, value := range exampleEnv {
		t.Setenv(name, value)
	}
	resolver, err := confmap.NewResolver(confmap.ResolverSettings{
		URIs:              []string{file},
		ProviderFactories: []confmap.ProviderFactory{fileprovider.NewFactory(), envprovider.NewFactory()},
		DefaultScheme:     "env",
	})
	require.NoError(t, err)
	conf, err := resolver.Resolve(context.Background())
	require.NoError(t, err)
	require.NoError(t, resolver.Shutdown(context.Background()))

	known := []string{
		"receivers", "processors", "exporters", "extensions", "connectors", "service",
		"targets", "apiVersion",
	}
	keys := slices.Collect(maps.Keys(conf.ToStringMap()))
	require.True(t, slices.ContainsFunc(keys, func(key string) bool { return slices.Contains(known, key) }),
		"starts with none of %v but with %v", known, keys)

	exporters, err := conf.Sub("exporters")
	require.NoError(t, err)
	for key := range exporters.ToStringMap() {
		var id component.ID
		require.NoError(t, id.UnmarshalText([]byte(key)))
		if id.Type() != metadata.Type {
			continue
		}
		target, err := exporters.Sub(key)
		require.NoError(t, err)
		requireValid(t, key, target)
		targets++
	}
	// The vendor's own form is a list of targets.
	list, _ := conf.Get("targets").([]any)
	for _, item := range list {
		target := confmap.NewFromStringMap(item.(map[string]any))
		requireValid(t, fmt.Sprint(target.Get("name")), target)
		targets++
	}
	return targets
}

func requireValid(t *testing.T, name string, target *confmap.Conf) {
	t.Helper()
	cfg := NewFactory().CreateDefaultConfig()
	require.NoError(t, target.Unmarshal(cfg), name)
	require.NoError(t, confmap.Validate(cfg), name)
}

// validateWithCollector asks the built collector, which knows the other components too.
func validateWithCollector(t *testing.T, file string) {
	binary := os.Getenv("OTELCOL")
	if binary == "" {
		t.Log("make test names the collector in OTELCOL; without it only the exporter's part was checked")
		return
	}
	out, err := exec.Command(binary, "validate", "--config", file).CombinedOutput()
	require.NoError(t, err, "%s", out)
}
