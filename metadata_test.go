// SPDX-License-Identifier: Apache-2.0

package amazonkinesisexporter

import (
	"context"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/goleak"
	"gopkg.in/yaml.v3"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/metadata"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// declared is what this package needs of metadata.yaml.
type declared struct {
	Type   string `yaml:"type"`
	Status struct {
		Class     string              `yaml:"class"`
		Stability map[string][]string `yaml:"stability"`
	} `yaml:"status"`
	Attributes map[string]any `yaml:"attributes"`
	Telemetry  struct {
		Metrics map[string]declaredMetric `yaml:"metrics"`
	} `yaml:"telemetry"`
}

type declaredMetric struct {
	Stability   string       `yaml:"stability"`
	Description string       `yaml:"description"`
	Unit        string       `yaml:"unit"`
	Sum         *declaredOne `yaml:"sum"`
	Gauge       *declaredOne `yaml:"gauge"`
	Histogram   *declaredOne `yaml:"histogram"`
	Attributes  []string     `yaml:"attributes"`
}

type declaredOne struct {
	ValueType  string    `yaml:"value_type"`
	Monotonic  bool      `yaml:"monotonic"`
	Boundaries []float64 `yaml:"bucket_boundaries"`
}

func readMetadata(t *testing.T) declared {
	text, err := os.ReadFile("metadata.yaml")
	require.NoError(t, err)
	var d declared
	require.NoError(t, yaml.Unmarshal(text, &d))
	return d
}

func TestFactoryIsAsDeclared(t *testing.T) {
	d := readMetadata(t)
	factory := NewFactory()
	assert.Equal(t, d.Type, factory.Type().String())
	assert.Equal(t, "exporter", d.Status.Class)
	assert.Equal(t, map[string][]string{"alpha": {"logs"}}, d.Status.Stability)
	assert.Equal(t, component.StabilityLevelAlpha, factory.LogsStability())
	assert.Equal(t, component.StabilityLevelUndefined, factory.TracesStability())
	assert.Equal(t, component.StabilityLevelUndefined, factory.MetricsStability())
	assert.NoError(t, componenttest.CheckConfigStruct(factory.CreateDefaultConfig()))
}

// TestTelemetryIsAsDeclared holds the instruments against metadata.yaml and documentation.md.
func TestTelemetryIsAsDeclared(t *testing.T) {
	d := readMetadata(t)
	documentation, err := os.ReadFile("documentation.md")
	require.NoError(t, err)
	telemetry := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, telemetry.Shutdown(context.Background())) })
	builder, err := metadata.NewTelemetryBuilder(telemetry.NewTelemetrySettings())
	require.NoError(t, err)

	// Measure once with each instrument, so that all of them are collected.
	ctx := t.Context()
	var floats []metric.Float64Observable
	var ints []metric.Int64Observable
	var observables []metric.Observable
	fields := reflect.ValueOf(builder).Elem()
	for i := range fields.NumField() {
		if !fields.Type().Field(i).IsExported() {
			continue
		}
		switch instrument := fields.Field(i).Interface().(type) {
		case metric.Int64Counter:
			instrument.Add(ctx, 1)
		case metric.Int64Histogram:
			instrument.Record(ctx, 1)
		case metric.Float64Histogram:
			instrument.Record(ctx, 1)
		case metric.Int64Observable:
			ints = append(ints, instrument)
			observables = append(observables, instrument)
		case metric.Float64Observable:
			floats = append(floats, instrument)
			observables = append(observables, instrument)
		default:
			t.Fatalf("a field of the builder is a %T", instrument)
		}
	}
	_, err = builder.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		for _, instrument := range ints {
			o.ObserveInt64(instrument, 1)
		}
		for _, instrument := range floats {
			o.ObserveFloat64(instrument, 1)
		}
		return nil
	}, observables...)
	require.NoError(t, err)

	for name, want := range d.Telemetry.Metrics {
		got, err := telemetry.GetMetric("otelcol_" + name)
		require.NoError(t, err)
		assert.Equal(t, want.Description+" [Alpha]", got.Description, name)
		assert.Equal(t, want.Unit, got.Unit, name)
		assert.Equal(t, kindOf(want), kindOfData(t, got.Data), name)
		for _, attribute := range want.Attributes {
			assert.Contains(t, d.Attributes, attribute, name)
		}
		section := documentationOf(t, string(documentation), name)
		assert.Contains(t, section, want.Description+" [Alpha]")
		assert.Contains(t, section, "| "+want.Unit+" |")
		for _, attribute := range want.Attributes {
			if attribute != "exporter" && attribute != "stream" { // of all metrics
				assert.Contains(t, section, "| `"+attribute+"` |", name)
			}
		}
	}
	assert.Equal(t, len(d.Telemetry.Metrics), fields.NumField()-1, "instruments that metadata.yaml does not declare")
	assert.Equal(t, len(d.Telemetry.Metrics), strings.Count(string(documentation), "\n### "), "documented metrics")
}

func documentationOf(t *testing.T, documentation, name string) string {
	_, section, found := strings.Cut(documentation, "\n### otelcol_"+name+"\n")
	require.True(t, found, "documentation.md says nothing of %s", name)
	section, _, _ = strings.Cut(section, "\n### ")
	return section
}

func kindOf(m declaredMetric) string {
	switch {
	case m.Sum != nil:
		return fmt.Sprint("sum ", m.Sum.ValueType, " ", m.Sum.Monotonic)
	case m.Gauge != nil:
		return "gauge " + m.Gauge.ValueType
	default:
		return fmt.Sprint("histogram ", m.Histogram.Boundaries)
	}
}

func kindOfData(t *testing.T, data metricdata.Aggregation) string {
	switch data := data.(type) {
	case metricdata.Sum[int64]:
		return fmt.Sprint("sum int ", data.IsMonotonic)
	case metricdata.Gauge[int64]:
		return "gauge int"
	case metricdata.Gauge[float64]:
		return "gauge double"
	case metricdata.Histogram[int64]:
		return fmt.Sprint("histogram ", data.DataPoints[0].Bounds)
	case metricdata.Histogram[float64]:
		return fmt.Sprint("histogram ", data.DataPoints[0].Bounds)
	default:
		t.Fatalf("an instrument collects %T", data)
		return ""
	}
}

// TestLifecycle is the test that mdatagen generates for a component: create and shut down; start, consume, shut down.
func TestLifecycle(t *testing.T) {
	conf, err := confmaptest.LoadConf("metadata.yaml")
	require.NoError(t, err)
	sub, err := conf.Sub("tests::config")
	require.NoError(t, err)
	factory := NewFactory()
	cfg := factory.CreateDefaultConfig()
	require.NoError(t, sub.Unmarshal(&cfg))
	cfg.(*Config).Timeout = 1 // nothing is to be reached, so the shutdown need not wait for it

	created, err := factory.CreateLogs(t.Context(), exportertest.NewNopSettings(metadata.Type), cfg)
	require.NoError(t, err)
	require.NoError(t, created.Shutdown(t.Context()))

	started, err := factory.CreateLogs(t.Context(), exportertest.NewNopSettings(metadata.Type), cfg)
	require.NoError(t, err)
	require.NoError(t, started.Start(t.Context(), componenttest.NewNopHost()))
	ld := numbered(0, 1)
	ld.MarkReadOnly()
	require.NoError(t, started.ConsumeLogs(t.Context(), ld))
	require.NoError(t, started.Shutdown(t.Context()))
}

func TestSendingQueueIsConfiguredAsDeclared(t *testing.T) {
	field, found := reflect.TypeFor[Config]().FieldByName("QueueConfig")
	require.True(t, found)
	assert.Equal(t, reflect.TypeFor[configoptional.Optional[exporterhelper.QueueBatchConfig]](), field.Type)
	assert.Equal(t, "sending_queue", field.Tag.Get("mapstructure"))
}
