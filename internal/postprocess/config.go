// SPDX-License-Identifier: Apache-2.0

package postprocess

import (
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.uber.org/zap"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl"
)

// Config is one entry of `pipelines`. Conditions and statements are OTTL in the log context, with the
// context's name in every path: log.attributes["x"], resource.attributes["x"], scope.name.
type Config struct {
	// Name is for logs and errors.
	Name string `mapstructure:"name,omitempty"`

	// ErrorMode says what becomes of a record on which a condition or statement fails, as in the transform
	// processor: `ignore`, the default, goes on with the next statement and logs the error, `silent` does not
	// log it, `propagate` drops the record.
	ErrorMode ottl.ErrorMode `mapstructure:"error_mode,omitempty"`

	// Conditions select the records that the pipeline works on: those for which one of them holds.
	// Without conditions it works on all.
	Conditions []string `mapstructure:"conditions,omitempty"`

	// Drop excludes, of the records selected, those for which one of these conditions holds.
	// They are not delivered and see no statement and no later pipeline.
	Drop []string `mapstructure:"drop,omitempty"`

	// Statements run one after the other on the records selected.
	Statements []string `mapstructure:"statements,omitempty"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// CheckRaw checks the value of `pipelines` as it stands in the configuration, before it is decoded: a pasted vendor
// configuration has names of pipelines there, and the decoder's message could not say what to write instead.
func CheckRaw(pipelines any) error {
	switch v := pipelines.(type) {
	case nil:
		return nil
	case []any:
		for i, entry := range v {
			if err := checkEntry(fmt.Sprintf("pipelines[%d]", i), entry); err != nil {
				return err
			}
		}
		return nil
	case string:
		return checkEntry("pipelines", v)
	default:
		return fmt.Errorf("`pipelines` must be a list: write `- statements: [...]` below it")
	}
}

func checkEntry(key string, entry any) error {
	switch v := entry.(type) {
	case map[string]any:
		return nil
	case string:
		if v == "checkpoint" {
			return fmt.Errorf("`%s` is the name %q: here a persistent queue does that; remove the name "+
				"and write `storage: file_storage` under `sending_queue`, with the file_storage extension", key, v)
		}
		return fmt.Errorf("`%s` is the name %q: pipelines are written out here; write `- name: %s` "+
			"with OTTL `statements`, such as `statements: ['set(log.attributes[\"environment\"], \"production\")']`", key, v, v)
	default:
		return fmt.Errorf("`%s` must be a map with `statements` or `drop`", key)
	}
}

// Validate checks the pipelines. The error has a line for each fault, with its key and OTTL's own message.
func Validate(cfgs []Config) error {
	_, err := New(cfgs, component.TelemetrySettings{Logger: zap.NewNop()})
	return err
}
