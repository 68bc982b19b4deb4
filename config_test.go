// SPDX-License-Identifier: Apache-2.0

package amazonkinesisexporter

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/envprovider"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.opentelemetry.io/collector/confmap/provider/yamlprovider"
	"go.opentelemetry.io/collector/confmap/xconfmap"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/otelcol/otelcoltest"
	"gopkg.in/yaml.v3"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/metadata"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/postprocess"
)

const testSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

// loadTargets resolves a file as the collector does and returns its exporters by the name behind the slash.
func loadTargets(t testing.TB, file string) map[string]*confmap.Conf {
	t.Helper()
	resolver, err := confmap.NewResolver(confmap.ResolverSettings{
		URIs:              []string{file},
		ProviderFactories: []confmap.ProviderFactory{fileprovider.NewFactory(), envprovider.NewFactory(), yamlprovider.NewFactory()},
		DefaultScheme:     "env",
	})
	require.NoError(t, err)
	conf, err := resolver.Resolve(t.Context())
	require.NoError(t, err)
	require.NoError(t, resolver.Shutdown(t.Context()))
	exporters, err := conf.Sub("exporters")
	require.NoError(t, err)

	targets := map[string]*confmap.Conf{}
	for key := range exporters.ToStringMap() {
		var id component.ID
		require.NoError(t, id.UnmarshalText([]byte(key)))
		require.Equal(t, metadata.Type, id.Type())
		targets[id.Name()], err = exporters.Sub(key)
		require.NoError(t, err)
	}
	return targets
}

// load does with a target what the collector does.
func load(target *confmap.Conf) (*Config, error) {
	cfg := newDefaultConfig()
	if err := target.Unmarshal(cfg); err != nil {
		return cfg, err
	}
	return cfg, confmap.Validate(cfg)
}

func TestValidConfigs(t *testing.T) {
	for name, value := range map[string]string{
		"NULL": "null", "TILDE": "~", "TRUE": "true", "FALSE": "false", "OCTAL": "0123", "EXPONENT": "12e4", "HEX": "0x1F",
		"DECIMAL": "1.10", "DATE": "2026-01-02", "SIZE": "512KiB", "DURATION": "90",
		"QUEUE":  "{num_consumers: 4, storage: file_storage}",
		"TARGET": "{region: us-east-1, stream: application-logs, properties: {debug: {status: true}, timeout: 5}}",
	} {
		t.Setenv(name, value)
	}
	require.NoError(t, os.Unsetenv("UNSET"))

	tests := map[string]func(*Config){
		"minimal": func(*Config) {},
		"nulls":   func(*Config) {},
		"flat": func(c *Config) {
			c.Name, c.Description, c.Type, c.Status = "flat", "All keys", "amazonkinesis", false
			c.Pipelines = []postprocess.Config{{
				Name:       "mask",
				ErrorMode:  ottl.PropagateError,
				Conditions: []string{"log.severity_number >= SEVERITY_NUMBER_INFO"},
				Drop:       []string{`log.body == "ping"`},
				Statements: []string{`delete_key(log.attributes, "password")`},
			}}
			c.Key, c.Secret, c.Session = "AKIAIOSFODNN7EXAMPLE", testSecret, "FwoGZXIvYXdzEBYaDH"
			c.RoleARN, c.ExternalID = "arn:aws-us-gov:iam::111122223333:role/path/kinesis-writer", "Example-Corp-1"
			c.Region = "us-gov-west-1"
			c.Endpoint = "https://vpce-0a1b2c3d.kinesis.us-gov-west-1.vpce.amazonaws.com:8443/path"
			c.STSEndpoint = "http://127.0.0.1:4566"
			c.AccountIDEndpointMode = "required"
			c.ProxyURL = "http://user:pass@proxy.example.com:3128"
			c.TLS.CAFile, c.TLS.InsecureSkipVerify, c.TLS.MinVersion = "/etc/ssl/ca.pem", true, "1.3"
			c.TLS.CipherSuites = []string{"TLS_AES_128_GCM_SHA256"}
			c.Stream = "arn:aws-us-gov:kinesis:us-gov-west-1:111122223333:stream/app.logs_1"
			c.PartitionKey, c.PartitionKeyFrom = "", `resource.attributes["host.name"]`
			c.MaxEvents, c.MaxRecordSize, c.Timeout = 100, 10<<20, 5*time.Second
			c.Protocol, c.Ordering, c.Oversize = "cbor", "key", "truncate"
			c.FieldFormat, c.Vendor, c.Product, c.Version, c.EventID = "OCSF", "Acme", "Wall", "1.10", "event_id"
			c.Interval, c.Cron, c.TimeZone = 24*time.Hour, "0 6-20/2 * * MON-FRI", "Europe/Berlin"
			c.Debug.Status, c.Debug.DontSendLogs = true, true
			c.QueueConfig.Get().QueueSize = 250_000
			setBatch(c, 100, 100)
		},
		"properties": func(c *Config) {
			c.Name, c.Status, c.MaxEvents = "nested", false, 100
			c.Debug.Status, c.Debug.DontSendLogs = true, true
			c.QueueConfig.Get().NumConsumers = 3
			setBatch(c, 100, 100)
		},
		"dotted": func(c *Config) {
			c.Debug.Status, c.Debug.DontSendLogs = true, true
		},
		"seconds": func(c *Config) {
			c.Timeout, c.Interval = 45*time.Second, 5*time.Minute
			c.TLS.ReloadInterval = time.Hour
			c.QueueConfig.Get().QueueSize = 250_000
			c.QueueConfig.Get().Batch.Get().FlushTimeout = 250 * time.Millisecond
			c.QueueConfig.Get().Batch.Get().Partition.IdleTimeout = 2 * time.Minute
			c.RetryConfig.InitialInterval, c.RetryConfig.MaxInterval, c.RetryConfig.MaxElapsedTime = 2*time.Second, 100*time.Second, 10*time.Minute
		},
		"environment": func(c *Config) {
			c.Name, c.Description = "null", "true"
			c.Key, c.Secret, c.Session = "0123", "12e4", "0x1F"
			c.Stream, c.PartitionKey = "0123", "~"
			c.FieldFormat, c.Vendor, c.Product, c.Version = "ecs", "1.10", "2026-01-02", "1.10-0123"
			c.MaxEvents, c.Timeout, c.Status, c.EventID = 123, 123*time.Second, false, "event_id"
			c.Oversize, c.MaxRecordSize, c.Interval = "truncate", 512<<10, 90*time.Second
			c.Debug.Status = true
			storage := component.MustNewID("file_storage")
			c.QueueConfig.Get().NumConsumers, c.QueueConfig.Get().StorageID = 4, &storage
			c.QueueConfig.Get().QueueSize = 1_000_000
			setBatch(c, 123, 123)
		},
		"environment_unset": func(*Config) {},
		"environment_target": func(c *Config) {
			c.Debug.Status, c.Timeout = true, 5*time.Second
		},
		"event_id":     func(c *Config) { c.EventID = "@id" },
		"event_id_off": func(*Config) {},
		"realtime":     func(c *Config) { c.QueueConfig.Get().BlockOnOverflow = true },
		"emulator": func(c *Config) {
			c.Region, c.Endpoint, c.Stream = "local", "http://[::1]:4568", "arn:aws:kinesis:local:000000000000:stream/logs"
		},
		"new_partition": func(c *Config) {
			c.Region, c.Stream = "eusc-de-east-1", "arn:aws-eusc:kinesis:eusc-de-east-1:111122223333:stream/logs"
		},
		"static_key_and_null_expression": func(c *Config) { c.PartitionKey = "tenant-1" },
		"size_unit":                      func(c *Config) { c.MaxRecordSize = 2621440 },
		"batch_max_events": func(c *Config) {
			c.MaxEvents = 100
			setBatch(c, 100, 100)
		},
		"batch_max_size":        func(c *Config) { setBatch(c, 100, 100) },
		"batch_larger_max_size": func(c *Config) { setBatch(c, 500, 2000) },
		"batch_no_max_size":     func(c *Config) { setBatch(c, 500, 0) },
		"batch_min_size":        func(c *Config) { setBatch(c, 1, 500) },
		"batch_off": func(c *Config) {
			c.QueueConfig.Get().Batch = configoptional.None[exporterhelper.BatchConfig]()
		},
		"queue_off": func(c *Config) {
			c.Ordering = "key"
			c.QueueConfig = configoptional.None[exporterhelper.QueueBatchConfig]()
		},
		"queue_small": func(c *Config) {
			c.QueueConfig.Get().QueueSize = 50
			setBatch(c, 50, 500)
		},
		"queue_bytes": func(c *Config) {
			c.QueueConfig.Get().Sizer, c.QueueConfig.Get().QueueSize = exporterhelper.RequestSizerTypeBytes, 64<<20
			c.QueueConfig.Get().Batch.Get().FlushTimeout = 2 * time.Second
		},
		"queue_bytes_batch": func(c *Config) {
			c.QueueConfig.Get().Sizer, c.QueueConfig.Get().QueueSize = exporterhelper.RequestSizerTypeBytes, 64<<20
			c.QueueConfig.Get().Batch.Get().Sizer = exporterhelper.RequestSizerTypeBytes
			setBatch(c, 1<<20, 4_000_000)
		},
		"batch_bytes": func(c *Config) {
			c.QueueConfig.Get().Batch.Get().Sizer = exporterhelper.RequestSizerTypeBytes
			setBatch(c, 1<<20, 1<<20)
		},
		"queue_requests": func(c *Config) {
			c.QueueConfig.Get().Sizer, c.QueueConfig.Get().QueueSize = exporterhelper.RequestSizerTypeRequests, 1000
			c.QueueConfig.Get().Batch.Get().FlushTimeout = 2 * time.Second
		},
		"queue_scheduled": func(c *Config) {
			c.Cron = "@hourly"
			c.QueueConfig.Get().QueueSize = 250_000
		},
		"queue_scheduled_storage": func(c *Config) {
			c.Interval = 15 * time.Minute
			storage := component.MustNewIDWithName("file_storage", "queue")
			c.QueueConfig.Get().StorageID = &storage
			c.QueueConfig.Get().QueueSize = 1_000_000
		},
		"retry_elapsed": func(c *Config) {
			c.RetryConfig.InitialInterval, c.RetryConfig.MaxInterval, c.RetryConfig.MaxElapsedTime = time.Second/2, time.Second/2, time.Second/2
		},
		"retry_initial": func(c *Config) {
			c.RetryConfig.InitialInterval, c.RetryConfig.MaxInterval = time.Minute, time.Minute
		},
		"retry_off": func(c *Config) { c.RetryConfig.Enabled = false },
	}

	targets := loadTargets(t, "testdata/config/valid.yaml")
	require.ElementsMatch(t, slices.Collect(maps.Keys(targets)), slices.Collect(maps.Keys(tests)))
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			want := newDefaultConfig()
			want.Region, want.Stream = "us-east-1", "application-logs"
			change(want)
			cfg, err := load(targets[name])
			require.NoError(t, err)
			assert.Equal(t, want, cfg)
		})
	}
}

func setBatch(c *Config, minSize, maxSize int64) {
	c.QueueConfig.Get().Batch.Get().MinSize, c.QueueConfig.Get().Batch.Get().MaxSize = minSize, maxSize
}

// invalid.txt has a section for each target of invalid.yaml: its name behind ==, then the report, word for word.
func TestInvalidConfigs(t *testing.T) {
	t.Setenv("LONG_KEY", strings.Repeat("x", 257))
	text, err := os.ReadFile("testdata/config/invalid.txt")
	require.NoError(t, err)
	reports := map[string]string{}
	for _, section := range strings.Split(string(text), "\n== ")[1:] {
		name, report, _ := strings.Cut(section, "\n")
		reports[name] = strings.TrimSpace(report)
	}

	targets := loadTargets(t, "testdata/config/invalid.yaml")
	require.ElementsMatch(t, slices.Collect(maps.Keys(targets)), slices.Collect(maps.Keys(reports)))
	for name, target := range targets {
		t.Run(name, func(t *testing.T) {
			_, err := load(target)
			require.EqualError(t, err, reports[name])
			for _, secret := range []string{testSecret, "AKIAIOSFODNN7EXAMPLE", "123456789012", "FwoGZXIvYXdzEBYaDH", "hunter2", "K7MDENG"} {
				assert.NotContains(t, err.Error(), secret)
			}
			for line := range strings.Lines(err.Error()) {
				if !strings.HasPrefix(line, "decoding failed") && !strings.HasSuffix(line, "mistakes:\n") && line != "\n" {
					assert.Contains(t, line, "`", "a key in backquotes")
				}
			}
		})
	}
}

func TestVendorExamples(t *testing.T) {
	static := func(c *Config) {
		c.Key, c.Secret, c.Region = "AKIAIOSFODNN7EXAMPLE", testSecret, "us-east-1"
	}
	tests := map[string]func(*Config){
		"basic_kinesis": func(c *Config) { static(c); c.Stream = "application-logs" },
		"iam_kinesis":   func(c *Config) { c.Region, c.Stream = "us-east-1", "application-logs" },
		"distributed_kinesis": func(c *Config) {
			static(c)
			c.Stream, c.PartitionKey = "distributed-logs", "server-01"
		},
		"high_volume_kinesis": func(c *Config) {
			static(c)
			c.Stream, c.PartitionKey, c.MaxEvents, c.Timeout = "high-volume-logs", "load-balanced", 500, time.Minute
		},
		"temp_creds_kinesis": func(c *Config) {
			c.Key, c.Secret = "ASIATEMP1234567890AB", "tempSecretKeyExample1234567890"
			c.Session, c.Region, c.Stream = "FwoGZXIvYXdzEBYaDH...temporary-session-token", "us-west-2", "temporary-logs"
		},
		"normalized_kinesis": func(c *Config) {
			static(c)
			c.Stream, c.FieldFormat = "normalized-logs", "cim"
		},
		"eu_kinesis": func(c *Config) {
			static(c)
			c.Region, c.Stream, c.PartitionKey = "eu-west-1", "eu-application-logs", "eu-server"
		},
		"scheduled_kinesis": func(c *Config) {
			static(c)
			c.Stream, c.Interval = "scheduled-logs", 5*time.Minute
			c.QueueConfig.Get().QueueSize = 250_000
		},
		"debug_kinesis": func(c *Config) {
			static(c)
			c.Stream, c.Debug.Status, c.Debug.DontSendLogs = "test-logs", true, true
		},
		"local_kinesis": func(c *Config) {
			c.Key, c.Secret, c.Region = "test", "test", "us-east-1"
			c.Endpoint, c.Stream = "http://localhost:4566", "local-test-stream"
		},
		"reliable_kinesis": nil,
	}
	targets := loadTargets(t, "testdata/config/vendor.yaml")
	require.ElementsMatch(t, slices.Collect(maps.Keys(targets)), slices.Collect(maps.Keys(tests)))
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			cfg, err := load(targets[name])
			if change == nil {
				require.ErrorContains(t, err, "`pipelines[0]` is the name \"checkpoint\": here a persistent queue does that; "+
					"remove the name and write `storage: file_storage` under `sending_queue`, with the file_storage extension")
				return
			}
			require.NoError(t, err)
			want := newDefaultConfig()
			want.Name, want.Type = name, "amazonkinesis"
			change(want)
			assert.Equal(t, want, cfg)
		})
	}
}

func TestDefaultConfig(t *testing.T) {
	require.NoError(t, componenttest.CheckConfigStruct(newDefaultConfig()))

	cfg := newDefaultConfig()
	require.NoError(t, confmap.New().Unmarshal(cfg))
	assert.Equal(t, newDefaultConfig(), cfg, "nothing written, nothing changed")

	cfg.Region, cfg.Stream = "us-east-1", "logs"
	require.NoError(t, confmap.Validate(cfg))

	queue := cfg.QueueConfig.Get()
	assert.Equal(t, exporterhelper.RequestSizerTypeItems, queue.Sizer)
	assert.EqualValues(t, 100_000, queue.QueueSize)
	assert.Equal(t, 10, queue.NumConsumers)
	assert.False(t, queue.BlockOnOverflow)
	assert.Equal(t, exporterhelper.RequestSizerTypeItems, queue.Batch.Get().Sizer)
	assert.EqualValues(t, 500, queue.Batch.Get().MinSize)
	assert.EqualValues(t, 500, queue.Batch.Get().MaxSize)
	assert.Equal(t, time.Second, queue.Batch.Get().FlushTimeout)
	assert.True(t, cfg.RetryConfig.Enabled)
	assert.Equal(t, time.Second, cfg.RetryConfig.InitialInterval)
	assert.Equal(t, 30*time.Second, cfg.RetryConfig.MaxInterval)
	assert.InDelta(t, 1.5, cfg.RetryConfig.Multiplier, 0)
	assert.InDelta(t, 0.5, cfg.RetryConfig.RandomizationFactor, 0)
	assert.Zero(t, cfg.RetryConfig.MaxElapsedTime)
}

// What print-config prints loads again, apart from secrets, and from sizers and sections that are off, which the
// collector's own types leave out.
func TestMarshalRoundTrip(t *testing.T) {
	t.Setenv("QUEUE", "{}")
	t.Setenv("TARGET", "{region: us-east-1, stream: s}")
	targets := loadTargets(t, "testdata/config/valid.yaml")
	for _, name := range []string{"minimal", "flat", "seconds", "queue_small", "queue_scheduled_storage", "event_id", "emulator"} {
		t.Run(name, func(t *testing.T) {
			cfg, err := load(targets[name])
			require.NoError(t, err)
			cfg.Key, cfg.Secret, cfg.Session, cfg.ExternalID, cfg.ProxyURL = "", "", "", "", ""
			printed, text := printConfig(t, cfg)

			again, err := load(printed)
			require.NoError(t, err)
			assert.Equal(t, cfg, again)

			var fromText map[string]any
			require.NoError(t, yaml.Unmarshal([]byte(text), &fromText))
			again, err = load(confmap.NewFromStringMap(fromText))
			require.NoError(t, err)
			_, textAgain := printConfig(t, again)
			assert.Equal(t, text, textAgain)
		})
	}
}

// printConfig is what the collector's print-config does.
func printConfig(t *testing.T, cfg *Config) (*confmap.Conf, string) {
	t.Helper()
	printed := confmap.New()
	require.NoError(t, printed.Marshal(cfg))
	text, err := yaml.Marshal(printed.ToStringMap())
	require.NoError(t, err)
	return printed, string(text)
}

func TestSecretsStayOut(t *testing.T) {
	cfg := newDefaultConfig()
	secrets := []string{"AKIAIOSFODNN7EXAMPLE", testSecret, "FwoGZXIvYXdzEBYaDH", "Example-Corp", "hunter2"}
	for i, field := range []*configopaque.String{&cfg.Key, &cfg.Secret, &cfg.Session, &cfg.ExternalID, &cfg.ProxyURL} {
		*field = configopaque.String(secrets[i])
	}
	printed := confmap.New()
	require.NoError(t, printed.Marshal(cfg))
	err := cfg.Validate() // neither region nor stream, and no URL
	require.Error(t, err)
	for _, text := range []string{
		fmt.Sprint(printed.ToStringMap()), err.Error(),
		fmt.Sprintf("%v %+v %#v", cfg, cfg, cfg), fmt.Sprintf("%v %+v %#v", *cfg, *cfg, *cfg),
	} {
		for _, secret := range secrets {
			assert.NotContains(t, text, secret)
		}
	}

	// print-config --mode=unredacted is asked for them.
	unredacted := confmap.New()
	require.NoError(t, unredacted.Marshal(cfg, xconfmap.WithUnredacted()))
	assert.Contains(t, fmt.Sprint(unredacted.ToStringMap()), testSecret)
}

// leaf is a key that has a value rather than keys below it.
type leaf struct {
	path string
	t    reflect.Type
}

func leaves(path string, t reflect.Type) []leaf {
	if section, ok := optionalOf(t); ok {
		return append(leaves(path, section), leaf{join(path, "enabled"), reflect.TypeFor[bool]()})
	}
	isText := reflect.PointerTo(t).Implements(reflect.TypeFor[interface{ UnmarshalText([]byte) error }]())
	if t.Kind() != reflect.Struct || isText {
		return []leaf{{path, t}}
	}
	var all []leaf
	for _, f := range fieldsOf(t) {
		all = append(all, leaves(join(path, f.name), f.t)...)
	}
	return all
}

// Every key takes its value from a variable, and the value is the one that is written.
func TestEveryKeyFromEnvironment(t *testing.T) {
	special := map[string]string{
		"type": "amazonkinesis", "key": "012", "secret": "1e3", "region": "us-east-1", "stream": "0123", "cron": "@daily",
		"pipelines": `[{name: "0x1", statements: ["set(log.body, 1)"]}]`,
		"status":    "false", "sending_queue::enabled": "false", "sending_queue::batch::enabled": "false", "retry_on_failure::enabled": "false",
		"retry_on_failure::randomization_factor": "0.25",
		"sending_queue::sizer":                   "bytes",
		"sending_queue::batch::sizer":            "bytes",
		"sending_queue::storage":                 "file_storage/0",
		"retry_on_failure::multiplier":           "2",
	}
	values := map[reflect.Kind]string{
		reflect.String: "0123", reflect.Bool: "true", reflect.Int: "7", reflect.Int64: "7", reflect.Float64: "0.5", reflect.Slice: "[a, b]",
	}
	for _, leaf := range leaves("", reflect.TypeFor[Config]()) {
		t.Run(leaf.path, func(t *testing.T) {
			value, ok := special[leaf.path]
			if !ok {
				value, ok = values[leaf.t.Kind()]
			}
			require.True(t, ok, "a value for a %s", leaf.t)
			t.Setenv("VALUE", value)

			names := strings.Split(leaf.path, confmap.KeyDelimiter)
			nest := func(v any) map[string]any {
				for i := len(names) - 1; i > 0; i-- {
					v = map[string]any{names[i]: v}
				}
				return map[string]any{names[0]: v}
			}
			text, err := yaml.Marshal(map[string]any{"exporters": map[string]any{"amazonkinesis": nest("${env:VALUE}")}})
			require.NoError(t, err)
			file := t.TempDir() + "/config.yaml"
			require.NoError(t, os.WriteFile(file, text, 0o600))
			fromEnv := newDefaultConfig()
			envErr := loadTargets(t, file)[""].Unmarshal(fromEnv)

			// The same, written out: text in quotes, everything else as YAML has it.
			var written any = value
			if k := leaf.t.Kind(); k != reflect.String && k != reflect.Pointer && leaf.path != "sending_queue::sizer" && leaf.path != "sending_queue::batch::sizer" {
				require.NoError(t, yaml.Unmarshal([]byte(value), &written))
			}
			plain := newDefaultConfig()
			plainErr := confmap.NewFromStringMap(nest(written)).Unmarshal(plain)

			assert.Equal(t, plain, fromEnv)
			assert.Equal(t, plainErr, envErr)
			if envErr != nil { // of a relation to other keys, never of the type
				assert.NotContains(t, envErr.Error(), "`"+leaf.path+"` must be")
			}
			if leaf.path != "tls::insecure" {
				assert.NotEqual(t, newDefaultConfig(), fromEnv, "the value has arrived")
			}
		})
	}
}

func TestEveryKeyIsDocumented(t *testing.T) {
	page, err := os.ReadFile("docs/configuration.md")
	require.NoError(t, err)
	for _, leaf := range leaves("", reflect.TypeFor[Config]()) {
		section, rest, nested := strings.Cut(leaf.path, confmap.KeyDelimiter)
		switch {
		case section == "tls": // the collector's documentation is linked
			assert.Contains(t, string(page), "| `tls` |")
		case section == "debug":
			assert.Contains(t, string(page), "| `debug."+rest+"` |")
		case nested:
			assert.Contains(t, string(page), "| `"+rest+"` |")
		default:
			assert.Regexp(t, "(?m)^\\|[^|]*`"+leaf.path+"`[^|]*\\|", string(page))
		}
	}
}

func TestCollectorLoadsConfig(t *testing.T) {
	t.Setenv("STREAM", "0123")
	t.Setenv("SECRET", testSecret)
	factories, err := otelcoltest.NopFactories()
	require.NoError(t, err)
	factories.Exporters[metadata.Type] = NewFactory()

	cfg, err := otelcoltest.LoadConfigAndValidate("testdata/config/collector.yaml", factories)
	require.NoError(t, err)
	first := cfg.Exporters[component.NewID(metadata.Type)].(*Config)
	assert.Equal(t, "0123", first.Stream)
	second := cfg.Exporters[component.NewIDWithName(metadata.Type, "vendor")].(*Config)
	assert.Equal(t, configopaque.String(testSecret), second.Secret)
	assert.Equal(t, time.Minute, second.Timeout)

	_, err = otelcoltest.LoadConfigAndValidate("testdata/config/collector_mistakes.yaml", factories)
	require.ErrorContains(t, err, "5 mistakes:\n")
	_, report, found := strings.Cut(err.Error(), "'exporters' ")
	require.True(t, found)
	page, readErr := os.ReadFile("docs/configuration.md")
	require.NoError(t, readErr)
	assert.Contains(t, string(page), "'exporters' "+report+"\n```", "the report that the documentation shows")
	assert.NotContains(t, err.Error(), testSecret)
}

// A configuration made in Go, without Unmarshal, is checked by Validate.
func TestValidateWithoutUnmarshal(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"interval", func(c *Config) { c.Interval = -1 }, "`interval` must not be negative: write 0 for realtime delivery"},
		{"timeout", func(c *Config) { c.Timeout = -1 }, "`timeout` must be longer than 0, not -1ns: write seconds (30) or a duration (30s)"},
		{"max_events", func(c *Config) { c.MaxEvents = 0 }, "`max_events` is 0: Kinesis takes 1 to 500 records in a request"},
		{"max_record_size", func(c *Config) { c.MaxRecordSize = 1023 }, "`max_record_size` is 1023: write 1024 (1KiB) to 10485760 (10MiB) bytes"},
		{"partition keys", func(c *Config) { c.PartitionKeyFrom = "UUID()" }, "`partition_key` and `partition_key_from` exclude each other: remove one of them"},
		{"protocol", func(c *Config) { c.Protocol = "" }, "`protocol` is \"\": write `json` or `cbor`"},
		{"pipelines", func(c *Config) { c.Pipelines = []postprocess.Config{{}} }, "`pipelines[0]` does nothing: write `statements` or `drop`"},
		{
			"queue", func(c *Config) { c.QueueConfig.Get().NumConsumers = 0 },
			"sending_queue: `num_consumers` must be positive",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := newDefaultConfig()
			cfg.Region, cfg.Stream = "us-east-1", "logs"
			tt.change(cfg)
			require.EqualError(t, confmap.Validate(cfg), tt.want)
		})
	}
}

func TestNearest(t *testing.T) {
	known := names(fieldsOf(reflect.TypeFor[Config]()))
	for name, want := range map[string]string{
		"straem": "stream", "Stream": "stream", "partitionKey": "partition_key", "partition-key": "partition_key",
		"max_event": "max_events", "time_out": "timeout", "time-zone": "time_zone", "end_point": "endpoint",
		"sending_que": "sending_queue", "retry": "retry_on_failure", "x": "", "aws": "", "encoding": "",
		strings.Repeat("stream", 50): "",
	} {
		assert.Equal(t, want, nearest(name, known), name)
	}
}

// secretKeys are the keys that may hold a secret, rightly or not.
var secretKeys = []string{"key", "secret", "session", "external_id", "proxy_url", "endpoint", "sts_endpoint"}

const fuzzSecret = "k9Qz-the-secret-7Wv"

// Whatever the file says, there is no panic, no secret in a message, and a key in every report.
func FuzzUnmarshal(f *testing.F) {
	for _, file := range []string{"valid", "invalid", "vendor"} {
		text, err := os.ReadFile("testdata/config/" + file + ".yaml")
		require.NoError(f, err)
		var all struct{ Exporters map[string]any }
		require.NoError(f, yaml.Unmarshal(text, &all))
		for _, target := range all.Exporters {
			seed, err := yaml.Marshal(target)
			require.NoError(f, err)
			f.Add(string(seed))
		}
	}
	for _, seed := range []string{
		"secret: " + fuzzSecret, "secret: [" + fuzzSecret + "]", "key: {" + fuzzSecret + ": 1}", "session: {a: " + fuzzSecret + "}",
		"proxy_url: http://u:" + fuzzSecret + "@%zz", "endpoint: http://" + fuzzSecret + "@x", "sts_endpoint: ://" + fuzzSecret + ":" + fuzzSecret + "@/",
		"external_id: [[" + fuzzSecret + "]]", "properties: {secret: {x: " + fuzzSecret + "}, key: 1}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		retrieved, err := confmap.NewRetrievedFromYAML([]byte(text))
		if err != nil {
			return
		}
		if conf, err := retrieved.AsConf(); err == nil {
			requireSound(t, conf)
		}
	})
}

// The same for keys that exist with values of every kind, which texts seldom get to. Each pair of bytes chooses a key
// and a value.
func FuzzKeysAndValues(f *testing.F) {
	keys := []string{
		"", "straem", "properties", "debug", "debug.status", "debug.", "tls", "pipelines", "sending_queue", "sending_queue::batch",
		"sending_queue::batch::partition", "retry_on_failure", "sending_queue::batch::partition::metadata_keys::0", "a b\n", "properties::stream",
		"properties::properties", "properties::debug.status", "secret::a",
	}
	for _, leaf := range leaves("", reflect.TypeFor[Config]()) {
		keys = append(keys, leaf.path)
	}
	values := []any{
		nil, true, false, 0, 1, -1, 500, 1 << 40, uint64(1 << 63), 0.5, 1e300, math.NaN(), math.Inf(-1), "", " ", "true", "0123", "1e3", "30s",
		"1d", "-5m", "99999999999h", "us-east-1", "logs", "amazonkinesis", "arn:aws:kinesis:us-east-1:111122223333:stream/logs", "http://localhost:4566",
		"bytes", "requests", "file_storage/q", "key", "ecs", "* * * * *", "Europe/Berlin", "UUID()", "checkpoint", "1MiB", "[REDACTED]", "\x00\xff",
		[]any{}, []any{nil}, []any{"a", 1, map[string]any{}}, []any{map[string]any{"statements": []any{"set(log.body, 1)", true}}},
		map[string]any{}, map[string]any{"enabled": false}, map[string]any{"stream": "logs"}, []any(nil),
		time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), time.Minute,
		xconfmap.ExpandedValue{Value: 83, Original: "0123"}, xconfmap.ExpandedValue{Value: nil, Original: ""}, xconfmap.ExpandedValue{Value: true, Original: "true"},
		xconfmap.ExpandedValue{Value: []any{"a"}, Original: "[a]"}, xconfmap.ExpandedValue{Value: map[string]any{"a": 1}, Original: "{a: 1}"},
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		seed := make([]byte, 2+2*random.IntN(12))
		for i := range seed {
			seed[i] = byte(random.Uint32())
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, choices []byte) {
		conf := confmap.NewFromStringMap(map[string]any{"region": "us-east-1", "stream": "logs"})
		for i := 0; i+1 < len(choices) && i < 64; i += 2 {
			key, value := keys[int(choices[i])%len(keys)], values[int(choices[i+1])%len(values)]
			if slices.Contains(secretKeys, key) && choices[i+1] >= 128 {
				value = []any{fuzzSecret, []any{fuzzSecret}, map[string]any{fuzzSecret: 1}, "://u:" + fuzzSecret + "@h"}[choices[i+1]%4]
			}
			names := strings.Split(key, confmap.KeyDelimiter)
			for j := len(names) - 1; j > 0; j-- {
				value = map[string]any{names[j]: value}
			}
			if conf.Merge(confmap.NewFromStringMap(map[string]any{names[0]: value})) != nil {
				return
			}
		}
		requireSound(t, conf)
	})
}

// requireSound loads a target and checks what holds for all of them.
func requireSound(t *testing.T, conf *confmap.Conf) {
	cfg, err := load(conf)
	if err == nil {
		again := newDefaultConfig()
		require.NoError(t, conf.Unmarshal(again))
		require.Equal(t, cfg, again)

		printed, text := printConfig(t, cfg)
		queue := cfg.QueueConfig.Get()
		whole := queue != nil && queue.Sizer == exporterhelper.RequestSizerTypeItems && queue.Batch.HasValue() &&
			queue.Batch.Get().Sizer == exporterhelper.RequestSizerTypeItems
		if whole && cfg.Key == "" && cfg.ExternalID == "" && cfg.ProxyURL == "" && cfg.TLS.CAPem == "" && cfg.TLS.CertPem == "" {
			again, err = load(printed)
			require.NoError(t, err, "what print-config prints")
			_, textAgain := printConfig(t, again)
			require.Equal(t, text, textAgain)
		}
		return
	}
	require.NotContains(t, err.Error(), "decode what was read", "the reader let pass what confmap refuses")
	require.Contains(t, err.Error(), "`", "a key in backquotes")
	// A secret that stands nowhere but below keys for secrets must not be in the report.
	raw := conf.ToStringMap()
	inner, _ := raw["properties"].(map[string]any)
	for _, key := range secretKeys {
		delete(raw, key)
		delete(inner, key)
	}
	if !strings.Contains(fmt.Sprint(raw), fuzzSecret) {
		require.NotContains(t, err.Error(), fuzzSecret)
	}
}
