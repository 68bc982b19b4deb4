// SPDX-License-Identifier: Apache-2.0

package amazonkinesisexporter

import (
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/partitionkey"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/postprocess"
)

// Limits and defaults that the checks and newDefaultConfig share.
const (
	// maxEventsLimit is the number of records that PutRecords takes in one request.
	maxEventsLimit = 500
	// defaultMaxRecordSize is what a stream takes whose record size limit was never raised.
	defaultMaxRecordSize = 1 << 20
	// maxRecordSizeLimit is what a stream can be raised to.
	maxRecordSizeLimit = 10 << 20
	// minMaxRecordSize keeps a record's frame (timestamps, resource) from being over the limit by itself.
	minMaxRecordSize = 1 << 10
	// maxPartitionKey is the length of a partition key in Unicode characters.
	maxPartitionKey = partitionkey.MaxLength
	// defaultPartitionKey is the vendor target's default.
	defaultPartitionKey = "default"
	// defaultEventIDField is the field that `event_id: true` stands for in plain JSON.
	defaultEventIDField = "event_id"

	// defaultQueueItems bounds the queue when it delivers at once: ten seconds of ten thousand records a second.
	defaultQueueItems = 100_000
	// scheduledQueueItems bounds a queue in memory that waits for an execution.
	scheduledQueueItems = 250_000
	// persistentScheduledQueueItems bounds a queue on disk that waits for an execution.
	persistentScheduledQueueItems = 1_000_000
	// defaultQueueBytes is the default of a queue that is sized in bytes.
	defaultQueueBytes = 64 << 20
	// defaultQueueRequests is the default of a queue that is sized in requests.
	defaultQueueRequests = 1_000
	// waitingFlushTimeout is the default of `flush_timeout` when receivers wait for the result of each of their calls.
	waitingFlushTimeout = 20 * time.Millisecond
	// defaultBatchBytes is the default of batches that are sized in bytes.
	defaultBatchBytes = 1 << 20
)

// Values of Config.Ordering, Config.Oversize, Config.Protocol and Config.AccountIDEndpointMode.
const (
	orderingNone = "none"
	orderingKey  = "key"

	oversizeDrop     = "drop"
	oversizeTruncate = "truncate"

	protocolJSON = "json"
	protocolCBOR = "cbor"

	accountIDEndpointDisabled  = "disabled"
	accountIDEndpointPreferred = "preferred"
	accountIDEndpointRequired  = "required"
)

// Config is the configuration of one target: one Kinesis data stream and how records get there.
type Config struct {
	// Name of the target. Informative; shown in logs.
	Name string `mapstructure:"name,omitempty"`

	// Description of the target. Informative.
	Description string `mapstructure:"description,omitempty"`

	// Type of the target: when given, it must be "amazonkinesis".
	Type string `mapstructure:"type,omitempty"`

	// Status false disables the target: records are accepted and discarded.
	Status bool `mapstructure:"status"`

	// Pipelines are post-processors: OTTL statements that run on this exporter's own copy of the records.
	Pipelines []postprocess.Config `mapstructure:"pipelines,omitempty"`

	// Key is the id of a static AWS access key. Needs Secret.
	Key configopaque.String `mapstructure:"key,omitempty"`

	// Secret belongs to Key.
	Secret configopaque.String `mapstructure:"secret,omitempty"`

	// Session is the token of temporary credentials. Needs Key and Secret.
	Session configopaque.String `mapstructure:"session,omitempty"`

	// Profile of the AWS shared configuration. Excludes Key.
	Profile string `mapstructure:"profile,omitempty"`

	// RoleARN of a role that is assumed from whatever credentials there are.
	RoleARN string `mapstructure:"role_arn,omitempty"`

	// ExternalID that the role's trust policy asks for. Needs RoleARN.
	ExternalID configopaque.String `mapstructure:"external_id,omitempty"`

	// Region of the stream, such as "us-east-1". Required.
	Region string `mapstructure:"region"`

	// Endpoint is the URL of a Kinesis endpoint other than the region's.
	Endpoint string `mapstructure:"endpoint,omitempty"`

	// STSEndpoint is the URL that the identity is asked at.
	STSEndpoint string `mapstructure:"sts_endpoint,omitempty"`

	// UseFIPSEndpoint selects FIPS 140 endpoints. Excludes Endpoint.
	UseFIPSEndpoint bool `mapstructure:"use_fips_endpoint,omitempty"`

	// UseDualStackEndpoint selects endpoints that speak IPv4 and IPv6. Excludes Endpoint.
	UseDualStackEndpoint bool `mapstructure:"use_dualstack_endpoint,omitempty"`

	// AccountIDEndpointMode says whether requests go to a host name that carries the account id:
	// "disabled", "preferred" or "required".
	AccountIDEndpointMode string `mapstructure:"account_id_endpoint_mode"`

	// TLS settings for endpoints with a private CA or a client certificate.
	TLS configtls.ClientConfig `mapstructure:"tls,omitempty"`

	// ProxyURL is used instead of the environment's proxy. It may carry credentials, so it is opaque.
	ProxyURL configopaque.String `mapstructure:"proxy_url,omitempty"`

	// Stream is the name or the ARN of the stream. Required.
	Stream string `mapstructure:"stream"`

	// PartitionKey of every record; empty when PartitionKeyFrom is set.
	PartitionKey string `mapstructure:"partition_key,omitempty"`

	// PartitionKeyFrom is an OTTL value expression that gives each record its partition key.
	PartitionKeyFrom string `mapstructure:"partition_key_from,omitempty"`

	// MaxEvents is the number of records in one PutRecords request, 1 to 500.
	MaxEvents int `mapstructure:"max_events"`

	// MaxRecordSize is the limit of a record's data and partition key together, in bytes.
	MaxRecordSize int `mapstructure:"max_record_size"`

	// Timeout of one PutRecords call.
	Timeout time.Duration `mapstructure:"timeout"`

	// Protocol of PutRecords: "json" or "cbor".
	Protocol string `mapstructure:"protocol"`

	// Ordering "key" keeps records of one partition key in order whatever fails; "none" does not.
	Ordering string `mapstructure:"ordering"`

	// Oversize says what happens to a record over MaxRecordSize: "drop" or "truncate".
	Oversize string `mapstructure:"oversize"`

	// FieldFormat normalises records: ecs, cim, asim, cef, leef, csl, ocsf or udm, in any case. Empty: plain JSON.
	FieldFormat string `mapstructure:"field_format,omitempty"`

	// Vendor of the device in formats that need one, for records that name none.
	Vendor string `mapstructure:"vendor,omitempty"`

	// Product of the device in formats that need one, for records that name none.
	Product string `mapstructure:"product,omitempty"`

	// Version of the device in formats that need one, for records that name none.
	Version string `mapstructure:"version,omitempty"`

	// EventID names the field of plain JSON that holds the record's stable id; empty: no id.
	// In a FieldFormat the id goes where the format has a place for it.
	// In YAML it is also a boolean: true stands for "event_id".
	EventID string `mapstructure:"event_id,omitempty"`

	// Interval between two deliveries; up to a second: realtime.
	Interval time.Duration `mapstructure:"interval,omitempty"`

	// Cron is a schedule of five fields. It wins over Interval.
	Cron string `mapstructure:"cron,omitempty"`

	// TimeZone of Cron, an IANA name. Empty: local time.
	TimeZone string `mapstructure:"time_zone,omitempty"`

	// Debug options of the target.
	Debug DebugConfig `mapstructure:"debug"`

	// QueueConfig is exporterhelper's queue with its batcher.
	QueueConfig configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`

	// RetryConfig is exporterhelper's retry.
	RetryConfig configretry.BackOffConfig `mapstructure:"retry_on_failure"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// DebugConfig holds the target's debug options.
type DebugConfig struct {
	// Status true logs every record that is delivered.
	Status bool `mapstructure:"status"`

	// DontSendLogs true does everything but the PutRecords call.
	DontSendLogs bool `mapstructure:"dont_send_logs"`

	// prevent unkeyed literal initialization
	_ struct{}
}

var _ component.Config = (*Config)(nil)

// newDefaultConfig returns the configuration that a user's keys are read into.
func newDefaultConfig() *Config {
	batch := exporterhelper.NewDefaultBatchConfig()
	batch.FlushTimeout = time.Second
	batch.MinSize, batch.MaxSize = maxEventsLimit, maxEventsLimit

	queue := exporterhelper.NewDefaultQueueConfig()
	// Counted in records, so that its memory does not depend on how receivers cut their requests.
	queue.Sizer = exporterhelper.RequestSizerTypeItems
	queue.QueueSize = defaultQueueItems
	queue.Batch = configoptional.Some(batch)

	retry := configretry.NewDefaultBackOffConfig()
	// A shard's budget is renewed every second.
	retry.InitialInterval = time.Second
	// What can be retried is never dropped: a full queue pushes back instead.
	retry.MaxElapsedTime = 0

	return &Config{
		Status:                true,
		AccountIDEndpointMode: accountIDEndpointDisabled,
		PartitionKey:          defaultPartitionKey,
		MaxEvents:             maxEventsLimit,
		MaxRecordSize:         defaultMaxRecordSize,
		Timeout:               30 * time.Second,
		Protocol:              protocolJSON,
		Ordering:              orderingNone,
		Oversize:              oversizeDrop,
		QueueConfig:           configoptional.Some(queue),
		RetryConfig:           retry,
	}
}

// scheduled tells whether records wait for executions instead of being delivered at once.
func (c *Config) scheduled() bool {
	return c.Cron != "" || c.Interval > time.Second
}
