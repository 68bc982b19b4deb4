// SPDX-License-Identifier: Apache-2.0

package amazonkinesisexporter

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/xconfmap"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/postprocess"
	"github.com/otel-kinesis/amazonkinesisexporter/internal/schedule"
)

var _ confmap.Unmarshaler = (*Config)(nil)

// Unmarshal reads the user's keys over the defaults: flat keys and those of the vendor target's `properties` alike.
// Bare numbers are seconds where a duration is meant, and ${env:...} gives text keys the text of the variable.
//
// If anything cannot be read, the error names that and all that Validate finds wrong in the rest, a line for each.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	r := &configReader{given: map[string]bool{}, faulty: map[string]bool{}}
	r.special = map[string]func(scalar) (any, error){
		"interval":        readInterval,
		"event_id":        readEventID,
		"max_record_size": readSize,
	}
	for _, key := range []string{"key", "secret", "session", "profile", "role_arn", "external_id"} {
		r.special[key] = readIdentity(key)
	}
	raw := r.hoist(xconfmap.ToStringMapRaw(conf))
	r.takePipelineNames(raw)
	clean := r.readStruct("", fieldsOf(reflect.TypeFor[Config]()), raw)

	type plain Config // has no Unmarshal, which would end up here again
	if err := confmap.NewFromStringMap(clean).Unmarshal((*plain)(c)); err != nil {
		return errors.Join(r.mistakes.err(), fmt.Errorf("decode what was read: %w", err))
	}
	c.fill(r)
	if len(r.mistakes) == 0 {
		return nil
	}
	for _, m := range c.check() {
		// A key that was put aside is not missing.
		if r.unharmed(m.paths...) {
			r.mistakes = append(r.mistakes, m)
		}
	}
	if len(r.mistakes) == 1 {
		return r.mistakes.err()
	}
	// The collector puts words in front of it that would hide the first of them.
	return fmt.Errorf("%d mistakes:\n%w", len(r.mistakes), r.mistakes.err())
}

// hoist returns the map with the keys of `properties` beside the others, and with `debug.status` and the like written
// as the maps they stand for.
func (r *configReader) hoist(in map[string]any) map[string]any {
	out := maps.Clone(in)
	if out == nil {
		out = map[string]any{}
	}
	delete(out, "properties")
	properties := scalarOf(in["properties"])
	inner, ok := properties.value.(map[string]any)
	if !ok && properties.value != nil {
		r.fault("properties", "`properties` must be a map, not %s", properties.kind())
	}
	undot(r, out)
	inner = maps.Clone(inner)
	undot(r, inner)
	for _, key := range slices.Sorted(maps.Keys(inner)) {
		if _, both := out[key]; both {
			r.fault(key, "`%s` is set both at the top level and in `properties`: remove one of them", printable(key))
			delete(out, key)
			continue
		}
		out[key] = inner[key]
	}
	for path := range r.faulty { // set twice: neither is taken
		delete(out, path)
	}
	return out
}

// undot writes debug.status, as the vendor's tables name it, as the map that it stands for.
func undot(r *configReader, m map[string]any) {
	for _, key := range slices.Sorted(maps.Keys(m)) {
		name, dotted := strings.CutPrefix(key, "debug.")
		if !dotted {
			continue
		}
		v := m[key]
		delete(m, key)
		switch debug := scalarOf(m["debug"]).value.(type) {
		case nil:
			m["debug"] = map[string]any{name: v}
		case map[string]any:
			if _, both := debug[name]; both {
				r.fault("debug", "`%s` is set both with a dot and below `debug`: remove one of them", printable(key))
				continue
			}
			debug = maps.Clone(debug)
			debug[name] = v
			m["debug"] = debug
		}
	}
}

// takePipelineNames puts aside entries of `pipelines` that are names, of which a pasted vendor configuration has some.
func (r *configReader) takePipelineNames(raw map[string]any) {
	switch pipelines := scalarOf(raw["pipelines"]).value.(type) {
	case string:
		if err := postprocess.CheckRaw(pipelines); err != nil {
			r.fault("pipelines", "%s", err)
			delete(raw, "pipelines")
		}
	case []any:
		left := slices.Clone(pipelines)
		for i, entry := range pipelines {
			name, isName := scalarOf(entry).value.(string)
			if !isName {
				continue
			}
			// The others are checked where they are read.
			others := slices.Repeat([]any{map[string]any{}}, i)
			if err := postprocess.CheckRaw(append(others, name)); err != nil {
				r.fault(fmt.Sprintf("pipelines[%d]", i), "%s", err)
				left[i] = map[string]any{}
			}
		}
		raw["pipelines"] = left
	}
}

func readInterval(s scalar) (any, error) {
	if d, ok := s.value.(time.Duration); ok { // of a Conf that was marshalled
		return d, nil
	}
	text := s.text
	if !s.written {
		seconds, ok := readFloat(s)
		if !ok {
			return nil, fmt.Errorf("`interval` must be a number of seconds (300) or a duration (30s, 5m, 1h, 1d), not %s", s.kind())
		}
		text = strconv.FormatFloat(seconds, 'f', -1, 64)
	}
	return schedule.ParseInterval(text)
}

// readEventID reads a field's name, or true for the usual one.
func readEventID(s scalar) (any, error) {
	if on, ok := readBool(s); ok {
		if on {
			return defaultEventIDField, nil
		}
		return "", nil
	}
	if !s.written {
		return nil, fmt.Errorf("`event_id` must be true, false or the name of a field, not %s", s.kind())
	}
	return s.text, nil
}

// readIdentity reads a key that says who the exporter is to AWS. An empty one, mostly a variable that is not set, would
// make it somebody else without a word.
func readIdentity(key string) func(scalar) (any, error) {
	return func(s scalar) (any, error) {
		switch {
		case !s.written:
			return nil, fmt.Errorf("`%s` must be text%s", key, notText(s))
		case strings.TrimSpace(s.text) == "":
			return nil, fmt.Errorf("`%s` is empty: write it, set its variable, or leave the key out", key)
		default:
			return s.text, nil
		}
	}
}

var sizeUnits = []struct {
	name  string
	bytes float64
}{{"kib", 1 << 10}, {"mib", 1 << 20}, {"b", 1}}

// readSize reads a number of bytes, with or without a unit.
func readSize(s scalar) (any, error) {
	if n, ok := readInt(s); ok {
		return n, nil
	}
	text := strings.ToLower(strings.TrimSpace(s.text))
	for _, unit := range sizeUnits {
		if number, found := strings.CutSuffix(text, unit.name); found {
			n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
			if bytes := n * unit.bytes; err == nil && math.Abs(bytes) < 1<<53 {
				return int64(bytes), nil
			}
			break
		}
	}
	return nil, errors.New("`max_record_size` must be a number of bytes (1048576) or a size (1024KiB, 1MiB)")
}

// fill derives what the user left out from what the user gave, so that no default contradicts a key that is there, and
// checks the sections that the collector's helpers bring along, in words that name the keys.
func (c *Config) fill(r *configReader) {
	if r.given["partition_key_from"] && !r.given["partition_key"] {
		c.PartitionKey = ""
	}
	if queue := c.QueueConfig.Get(); queue != nil {
		c.fillQueue(r, queue)
		if batch := queue.Batch.Get(); batch != nil {
			c.fillBatch(r, queue, batch)
		}
	}
	c.fillRetry(r)
	c.checkTLS(r)
}

func (c *Config) fillQueue(r *configReader, queue *exporterhelper.QueueBatchConfig) {
	const section = "sending_queue::"
	if !r.given[section+"queue_size"] {
		switch queue.Sizer {
		case exporterhelper.RequestSizerTypeBytes:
			queue.QueueSize = defaultQueueBytes
		case exporterhelper.RequestSizerTypeRequests:
			queue.QueueSize = defaultQueueRequests
		default:
			switch {
			case !c.scheduled():
				queue.QueueSize = defaultQueueItems
			case queue.StorageID != nil:
				queue.QueueSize = persistentScheduledQueueItems
			default:
				queue.QueueSize = scheduledQueueItems
			}
		}
	}
	r.atLeast(section+"num_consumers", int64(queue.NumConsumers), 1)
	r.atLeast(section+"queue_size", queue.QueueSize, 1)
	if queue.WaitForResult && queue.StorageID != nil {
		r.fault(section+"wait_for_result", "`sending_queue::wait_for_result` is not possible with `sending_queue::storage`: remove one of them")
	}
}

func (c *Config) fillBatch(r *configReader, queue *exporterhelper.QueueBatchConfig, batch *exporterhelper.BatchConfig) {
	const (
		section = "sending_queue::batch::"
		minSize = section + "min_size"
		maxSize = section + "max_size"
	)
	// Records are what a request of PutRecords is full of, and they are cheap to count. Only sizes that were written
	// for a queue in bytes are taken for bytes.
	if !r.given[section+"sizer"] {
		batch.Sizer = exporterhelper.RequestSizerTypeItems
		if queue.Sizer == exporterhelper.RequestSizerTypeBytes && (r.given[minSize] || r.given[maxSize]) {
			batch.Sizer = exporterhelper.RequestSizerTypeBytes
		}
	}
	if batch.Sizer == exporterhelper.RequestSizerTypeRequests {
		r.fault(section+"sizer", "`sending_queue::batch::sizer` must be `items` or `bytes`")
	}

	full, source := int64(c.MaxEvents), "`max_events`"
	if full < 1 || full > maxEventsLimit { // which is reported
		full = maxEventsLimit
	}
	if batch.Sizer == exporterhelper.RequestSizerTypeBytes {
		full, source = defaultBatchBytes, "the default of `sending_queue::batch::max_size`"
	}
	if !r.given[maxSize] {
		batch.MaxSize = full
	}
	if !r.given[minSize] {
		batch.MinSize = full
		if batch.MaxSize > 0 {
			batch.MinSize = min(batch.MinSize, batch.MaxSize)
		}
		if batch.Sizer == queue.Sizer && queue.QueueSize > 0 {
			batch.MinSize = min(batch.MinSize, queue.QueueSize)
		}
	}

	r.atLeast(minSize, batch.MinSize, 0)
	r.atLeast(maxSize, batch.MaxSize, 0)
	switch {
	case !r.unharmed(minSize, maxSize) || batch.MaxSize == 0 || batch.MinSize <= batch.MaxSize:
	case r.given[maxSize]:
		r.faults([]string{minSize, maxSize}, "`sending_queue::batch::min_size` (%d) is larger than `sending_queue::batch::max_size` (%d): lower the one or raise the other",
			batch.MinSize, batch.MaxSize)
	default:
		r.faults([]string{minSize, maxSize}, "`sending_queue::batch::min_size` (%d) is larger than %s (%d), which limits a batch: lower it, or write `sending_queue::batch::max_size` too",
			batch.MinSize, source, full)
	}
	if batch.Sizer == queue.Sizer && batch.MinSize > queue.QueueSize && r.unharmed(minSize, "sending_queue::queue_size") {
		r.faults([]string{minSize, "sending_queue::queue_size"}, "`sending_queue::batch::min_size` (%d) is larger than `sending_queue::queue_size` (%d), which can never hold a batch: lower the one or raise the other",
			batch.MinSize, queue.QueueSize)
	}
	if queue.WaitForResult && !r.given[section+"flush_timeout"] {
		batch.FlushTimeout = waitingFlushTimeout
	}
	r.longerThanZero(section+"flush_timeout", batch.FlushTimeout)

	partition := batch.Partition
	r.atLeast(section+"partition::cache_size", int64(partition.CacheSize), 1)
	r.longerThanZero(section+"partition::idle_timeout", partition.IdleTimeout)
	seen := map[string]bool{}
	for _, key := range partition.MetadataKeys {
		if key = strings.ToLower(key); seen[key] {
			r.fault(section+"partition::metadata_keys", "`sending_queue::batch::partition::metadata_keys` has %q twice, in any case of letters: remove one of them", printable(key))
		}
		seen[key] = true
	}
}

func (c *Config) fillRetry(r *configReader) {
	const (
		section         = "retry_on_failure::"
		initialInterval = section + "initial_interval"
		maxInterval     = section + "max_interval"
		maxElapsedTime  = section + "max_elapsed_time"
	)
	retry := &c.RetryConfig
	if !r.given[maxInterval] {
		if retry.MaxElapsedTime > 0 {
			retry.MaxInterval = min(retry.MaxInterval, retry.MaxElapsedTime)
		}
		if r.given[initialInterval] {
			retry.MaxInterval = max(retry.MaxInterval, retry.InitialInterval)
		}
	}
	if !r.given[initialInterval] && retry.MaxInterval > 0 {
		retry.InitialInterval = min(retry.InitialInterval, retry.MaxInterval)
	}

	r.longerThanZero(initialInterval, retry.InitialInterval)
	r.longerThanZero(maxInterval, retry.MaxInterval)
	if retry.MaxElapsedTime < 0 {
		r.fault(maxElapsedTime, "`retry_on_failure::max_elapsed_time` must not be negative: 0 retries without end")
	}
	if retry.Multiplier < 1 {
		r.fault(section+"multiplier", "`retry_on_failure::multiplier` must be at least 1")
	}
	if retry.RandomizationFactor < 0 || retry.RandomizationFactor > 1 {
		r.fault(section+"randomization_factor", "`retry_on_failure::randomization_factor` must be from 0 to 1")
	}
	if retry.InitialInterval > retry.MaxInterval && r.unharmed(initialInterval, maxInterval) {
		r.faults([]string{initialInterval, maxInterval}, "`retry_on_failure::initial_interval` (%s) is longer than `retry_on_failure::max_interval` (%s): lower the one or raise the other",
			retry.InitialInterval, retry.MaxInterval)
	}
	if retry.MaxElapsedTime > 0 && retry.MaxElapsedTime < retry.MaxInterval && r.unharmed(maxInterval, maxElapsedTime) {
		r.faults([]string{maxInterval, maxElapsedTime}, "`retry_on_failure::max_elapsed_time` (%s) is shorter than `retry_on_failure::max_interval` (%s): raise the one or lower the other",
			retry.MaxElapsedTime, retry.MaxInterval)
	}
}

func (c *Config) checkTLS(r *configReader) {
	tls := &c.TLS
	if tls.Insecure {
		r.fault("tls::insecure", "`tls::insecure` has no effect here: write an http:// URL as `endpoint`, or `tls::insecure_skip_verify` to take any certificate")
	}
	for _, twice := range []struct {
		name      string
		file, pem bool
	}{
		{"ca", tls.CAFile != "", tls.CAPem != ""},
		{"cert", tls.CertFile != "", tls.CertPem != ""},
		{"key", tls.KeyFile != "", tls.KeyPem != ""},
	} {
		if twice.file && twice.pem {
			file, pem := "tls::"+twice.name+"_file", "tls::"+twice.name+"_pem"
			r.faults([]string{file, pem}, "`%s` and `%s` exclude each other: remove one of them", file, pem)
		}
	}
	cert, key := tls.CertFile != "" || tls.CertPem != "", tls.KeyFile != "" || tls.KeyPem != ""
	switch {
	case cert && !key && r.unharmed("tls::key_file", "tls::key_pem"):
		r.fault("tls::key_file", "`tls::key_file` is missing: the client certificate needs its key, here or as `tls::key_pem`")
	case key && !cert && r.unharmed("tls::cert_file", "tls::cert_pem"):
		r.fault("tls::cert_file", "`tls::cert_file` is missing: the client key needs its certificate, here or as `tls::cert_pem`")
	}
	if err := tls.Validate(); err != nil && r.unharmed("tls") { // versions
		r.fault("tls", "`tls`: %s", err)
	}
}

// faults is fault for a relation of several keys, none of which is wrong by itself.
func (r *configReader) faults(paths []string, format string, args ...any) {
	for _, path := range paths {
		r.faulty[path] = true
	}
	r.mistakes.add(paths, format, args...)
}

func (r *configReader) atLeast(path string, n, least int64) {
	if n < least && r.unharmed(path) {
		r.fault(path, "`%s` must be at least %d, not %d", path, least, n)
	}
}

func (r *configReader) longerThanZero(path string, d time.Duration) {
	if d <= 0 && r.unharmed(path) {
		r.fault(path, "`%s` must be longer than 0, not %s", path, d)
	}
}
