// SPDX-License-Identifier: Apache-2.0

package amazonkinesisexporter

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.uber.org/zap"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/fieldformat"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/metadata"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/partitionkey"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/plainjson"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/postprocess"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/schedule"
)

// Validate reports every mistake at once, a line for each, with the keys that it is about in backquotes and what to
// write. The sections `sending_queue`, `retry_on_failure` and `tls` validate themselves as well.
func (c *Config) Validate() error {
	return c.check().err()
}

func (c *Config) check() mistakes {
	var m mistakes
	if c.Type != "" && c.Type != metadata.Type.String() {
		m.add([]string{"type"}, "`type` is %q: here it must be %s, or left out", printable(c.Type), metadata.Type)
	}
	c.checkPipelines(&m)
	c.checkCredentials(&m)
	c.checkNetwork(&m)
	c.checkStream(&m)
	c.checkRecords(&m)
	c.checkSchedule(&m)
	c.checkOrdering(&m)
	return m
}

func (c *Config) checkPipelines(m *mistakes) {
	for _, err := range flatten(postprocess.Validate(c.Pipelines)) {
		path := "pipelines"
		if quoted := strings.SplitN(err.Error(), "`", 3); len(quoted) == 3 { // it begins with its key
			path = quoted[1]
		}
		m.add([]string{path}, "%s", err)
	}
}

// flatten returns the errors that err is joined of.
func flatten(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, err := range joined.Unwrap() {
		all = append(all, flatten(err)...)
	}
	return all
}

// redacted is what print-config writes in place of a secret.
var redacted, _ = configopaque.String("").MarshalText()

func (c *Config) checkCredentials(m *mistakes) {
	for _, secret := range []struct {
		key   string
		value configopaque.String
	}{{"key", c.Key}, {"secret", c.Secret}, {"session", c.Session}, {"external_id", c.ExternalID}, {"proxy_url", c.ProxyURL}} {
		switch value := string(secret.value); {
		case value == string(redacted):
			m.add([]string{secret.key}, "`%s` is %s, which stands for a secret in a printed configuration: write the secret itself, as ${env:NAME}", secret.key, redacted)
		case strings.ContainsFunc(value, func(c rune) bool { return unicode.IsSpace(c) || unicode.IsControl(c) }):
			m.add([]string{secret.key}, "`%s` has a space or a line break in it, perhaps from the file it was copied from: remove it", secret.key)
		}
	}
	switch {
	case c.Key != "" && c.Secret == "":
		m.add([]string{"key", "secret"}, "`secret` is missing: `key` needs it; without both, the environment's credentials are used")
	case c.Key == "" && c.Secret != "":
		m.add([]string{"key", "secret"}, "`key` is missing: `secret` needs it; without both, the environment's credentials are used")
	}
	if c.Session != "" && c.Key == "" && c.Secret == "" {
		m.add([]string{"session", "key", "secret"}, "`session` needs the `key` and `secret` that it was issued with")
	}
	if c.Profile != "" && (c.Key != "" || c.Secret != "") {
		m.add([]string{"profile", "key", "secret"}, "`profile` and `key` exclude each other: remove one of them")
	}
	if c.RoleARN != "" && !roleARN.MatchString(c.RoleARN) {
		m.add([]string{"role_arn"}, "`role_arn` is %q: write an ARN such as arn:aws:iam::111122223333:role/kinesis-writer", printable(c.RoleARN))
	}
	if c.ExternalID != "" {
		if c.RoleARN == "" {
			m.add([]string{"external_id", "role_arn"}, "`external_id` has no effect without `role_arn`: write the role that asks for it")
		}
		if len(c.ExternalID) < 2 || len(c.ExternalID) > 1224 { // limits of sts:AssumeRole
			m.add([]string{"external_id"}, "`external_id` must have 2 to 1224 characters")
		}
	}
}

var (
	roleARN = regexp.MustCompile(`^arn:[a-z0-9-]+:iam::[0-9]{12}:role/[\w+=,.@/-]+$`)
	// awsRegion is what regions of all partitions look like: us-east-1, us-gov-west-1, eusc-de-east-1.
	awsRegion = regexp.MustCompile(`^[a-z]{2,5}(-[a-z]+)+-[0-9]+$`)
	// anyRegion is what servers that are not AWS's may call theirs. It becomes part of the signature.
	anyRegion  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]*$`)
	streamName = regexp.MustCompile(`^[a-zA-Z0-9_.-]{1,128}$`)
	streamARN  = regexp.MustCompile(`^arn:[a-z0-9-]+:kinesis:([A-Za-z0-9-]+):[0-9]{12}:stream/[a-zA-Z0-9_.-]{1,128}$`)
	eventID    = regexp.MustCompile(`^[A-Za-z_@][A-Za-z0-9_.@-]{0,127}$`)
)

func (c *Config) checkNetwork(m *mistakes) {
	switch valid := awsRegion; {
	case c.Region == "":
		m.add([]string{"region"}, "`region` is required: write the AWS region of the stream, such as us-east-1")
	default:
		if c.Endpoint != "" {
			valid = anyRegion
		}
		if !valid.MatchString(c.Region) {
			m.add([]string{"region"}, "`region` is %q: write an AWS region such as us-east-1", printable(c.Region))
		}
	}
	checkURL(m, "endpoint", c.Endpoint, "http://localhost:4566")
	checkURL(m, "sts_endpoint", c.STSEndpoint, "https://sts.us-east-1.amazonaws.com")
	c.checkProxy(m)
	if c.Endpoint != "" {
		if c.UseFIPSEndpoint {
			m.add([]string{"use_fips_endpoint", "endpoint"}, "`use_fips_endpoint` and `endpoint` exclude each other: remove one of them; an `endpoint` can name a FIPS host itself")
		}
		if c.UseDualStackEndpoint {
			m.add([]string{"use_dualstack_endpoint", "endpoint"}, "`use_dualstack_endpoint` and `endpoint` exclude each other: remove one of them; an `endpoint` can name a dual-stack host itself")
		}
	}
	oneOf(m, "account_id_endpoint_mode", c.AccountIDEndpointMode, accountIDEndpointDisabled, accountIDEndpointPreferred, accountIDEndpointRequired)
	oneOf(m, "protocol", c.Protocol, protocolJSON, protocolCBOR)
	if c.Timeout <= 0 {
		m.add([]string{"timeout"}, "`timeout` must be longer than 0, not %s: write seconds (30) or a duration (30s)", c.Timeout)
	}
}

// checkURL checks a URL of an AWS service. No message repeats it, because people put passwords into URLs.
func checkURL(m *mistakes, key, value, example string) {
	if value == "" {
		return
	}
	u, err := url.Parse(value)
	switch {
	case err != nil || !isHTTP(u.Scheme) || !validHost(u):
		m.add([]string{key}, "`%s` must be an absolute URL that begins with http:// or https://, such as %s", key, example)
	case u.User != nil:
		m.add([]string{key}, "`%s` must not have a user name or password in it: write credentials as `key` and `secret`", key)
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		m.add([]string{key}, "`%s` must not have a query or fragment: leave out what follows the path", key)
	}
}

func (c *Config) checkProxy(m *mistakes) {
	if c.ProxyURL == "" || string(c.ProxyURL) == string(redacted) {
		return
	}
	u, err := url.Parse(string(c.ProxyURL))
	if err != nil || !validHost(u) || !isHTTP(u.Scheme) && u.Scheme != "socks5" && u.Scheme != "socks5h" {
		m.add([]string{"proxy_url"}, "`proxy_url` must be an absolute URL that begins with http://, https:// or socks5://, such as http://proxy.example.com:3128")
	}
}

func isHTTP(scheme string) bool {
	return scheme == "http" || scheme == "https"
}

func validHost(u *url.URL) bool {
	if u.Hostname() == "" {
		return false
	}
	port, err := strconv.Atoi(u.Port())
	return u.Port() == "" && !strings.HasSuffix(u.Host, ":") || err == nil && port > 0 && port < 1<<16
}

func (c *Config) checkStream(m *mistakes) {
	stream := []string{"stream"}
	switch {
	case c.Stream == "":
		m.add(stream, "`stream` is required: write the name or the ARN of the data stream")
	case strings.HasPrefix(c.Stream, "arn:"):
		parts := streamARN.FindStringSubmatch(c.Stream)
		if parts == nil {
			m.add(stream, "`stream` is %q: the ARN of a data stream looks like arn:aws:kinesis:us-east-1:111122223333:stream/NAME", printable(c.Stream))
		} else if region := parts[1]; region != c.Region && c.Region != "" {
			m.add([]string{"stream", "region"}, "`stream` is in the region %s, but `region` is %s: write the same region", region, printable(c.Region))
		}
	case !streamName.MatchString(c.Stream):
		m.add(stream, "`stream` is %q: a name has 1 to 128 letters, digits, dots, hyphens and underscores", printable(c.Stream))
	}
}

func (c *Config) checkRecords(m *mistakes) {
	switch {
	case c.PartitionKey != "" && c.PartitionKeyFrom != "":
		m.add([]string{"partition_key", "partition_key_from"}, "`partition_key` and `partition_key_from` exclude each other: remove one of them")
	case c.PartitionKeyFrom != "":
		if _, err := partitionkey.Parse(c.PartitionKeyFrom, component.TelemetrySettings{Logger: zap.NewNop()}); err != nil {
			m.add([]string{"partition_key_from"}, "`partition_key_from`: %s", err)
		}
	case c.PartitionKey == "":
		m.add([]string{"partition_key", "partition_key_from"}, "`partition_key` is empty: write 1 to %d characters, or leave the key out for %q", maxPartitionKey, defaultPartitionKey)
	case !partitionkey.Valid(c.PartitionKey):
		m.add([]string{"partition_key"}, "`partition_key` has %d characters: Kinesis takes 1 to %d", utf8.RuneCountInString(c.PartitionKey), maxPartitionKey)
	}
	if c.MaxEvents < 1 || c.MaxEvents > maxEventsLimit {
		m.add([]string{"max_events"}, "`max_events` is %d: Kinesis takes 1 to %d records in a request", c.MaxEvents, maxEventsLimit)
	}
	if c.MaxRecordSize < minMaxRecordSize || c.MaxRecordSize > maxRecordSizeLimit {
		m.add([]string{"max_record_size"}, "`max_record_size` is %d: write %d (1KiB) to %d (10MiB) bytes", c.MaxRecordSize, minMaxRecordSize, maxRecordSizeLimit)
	}
	oneOf(m, "oversize", c.Oversize, oversizeDrop, oversizeTruncate)

	if c.FieldFormat != "" {
		if _, err := fieldformat.Parse(c.FieldFormat); err != nil {
			m.add([]string{"field_format"}, "`field_format`: %s", err)
		}
	} else {
		for _, device := range []struct{ key, value string }{{"vendor", c.Vendor}, {"product", c.Product}, {"version", c.Version}} {
			if device.value != "" {
				m.add([]string{device.key, "field_format"}, "`%s` has no effect without `field_format`: remove it or write a format", device.key)
			}
		}
	}
	switch {
	case c.EventID == "":
	case !eventID.MatchString(c.EventID):
		m.add([]string{"event_id"}, "`event_id` is %q: write true, or the name of a field in letters, digits, dots, hyphens and underscores", printable(c.EventID))
	case c.FieldFormat != "" && c.EventID != defaultEventIDField:
		m.add([]string{"event_id", "field_format"}, "`event_id` takes a name only without `field_format`: write true, and the id goes where the format has a place for it")
	case slices.Contains(plainjson.Fields, c.EventID):
		m.add([]string{"event_id"}, "`event_id` is %q, which every record has already: write another name", c.EventID)
	}
}

func (c *Config) checkSchedule(m *mistakes) {
	if c.Interval < 0 {
		m.add([]string{"interval"}, "`interval` must not be negative: write 0 for realtime delivery")
	}
	if c.TimeZone != "" {
		if c.Cron == "" {
			m.add([]string{"time_zone", "cron"}, "`time_zone` has no effect without `cron`: remove it or write a cron expression")
		}
		if _, err := schedule.ParseCron("@daily", c.TimeZone); err != nil {
			m.add([]string{"time_zone"}, "%s", err)
		}
	}
	if c.Cron != "" {
		if _, err := schedule.ParseCron(c.Cron, ""); err != nil {
			m.add([]string{"cron"}, "%s", err)
		}
	}
	if !c.scheduled() {
		return
	}

	key := "interval"
	if c.Cron != "" {
		key = "cron"
	}
	refuse := func(path, why string) {
		m.add([]string{key, path}, "`%s` %s", key, why)
	}
	queue := c.QueueConfig.Get()
	if queue == nil {
		refuse("sending_queue", "needs the `sending_queue`, where records wait for an execution: turn it on")
		return
	}
	if queue.BlockOnOverflow {
		refuse("sending_queue::block_on_overflow", "cannot go with `sending_queue::block_on_overflow`: a full queue would stop the receivers until the next execution, and a shutdown would wait for it; remove it")
	}
	if queue.WaitForResult {
		refuse("sending_queue::wait_for_result", "cannot go with `sending_queue::wait_for_result`: receivers would wait for the next execution; remove it")
	}
	batch := queue.Batch.Get()
	if batch == nil {
		refuse("sending_queue::batch", "needs `sending_queue::batch`, which an execution fills requests with: turn it on")
		return
	}
	if len(batch.Partition.MetadataKeys) > 0 {
		refuse("sending_queue::batch::partition::metadata_keys", "cannot go with `sending_queue::batch::partition::metadata_keys`: an execution delivers the queue as a whole; remove them")
	}
}

func (c *Config) checkOrdering(m *mistakes) {
	oneOf(m, "ordering", c.Ordering, orderingNone, orderingKey)
	if c.Ordering != orderingKey || !c.QueueConfig.HasValue() {
		return
	}
	if batch := c.QueueConfig.Get().Batch.Get(); batch != nil && len(batch.Partition.MetadataKeys) > 0 {
		m.add([]string{"ordering", "sending_queue::batch::partition::metadata_keys"},
			"`ordering: key` cannot go with `sending_queue::batch::partition::metadata_keys`: records of a key could be in several batches at a time; remove one of them")
	}
}

// oneOf checks an enumeration. Empty is never meant: the default is a value.
func oneOf(m *mistakes, key, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		m.add([]string{key}, "`%s` is %q: write %s", key, printable(value), list(allowed, "or"))
	}
}
