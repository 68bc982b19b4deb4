// SPDX-License-Identifier: Apache-2.0

package formattest

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync"
)

type asimColumn struct {
	kind      string
	logical   string // ip mac hostname fqdn guid md5 sha1 … percent hex version, or service
	mandatory bool
	values    []string
}

type asimSchema struct {
	version string
	columns map[string]asimColumn
}

var asim = sync.OnceValue(func() map[string]asimSchema {
	schemas := map[string]asimSchema{}
	var columns map[string]asimColumn
	eachLine("asim.tsv", 5, func(c []string) {
		if c[0] == "#schema" {
			columns = map[string]asimColumn{}
			for name, column := range schemas["Common"].columns {
				columns[name] = column
			}
			schemas[c[1]] = asimSchema{c[2], columns}
			return
		}
		columns[c[0]] = asimColumn{c[1], c[2], c[3] == "M", words(c[4])}
	})
	return schemas
})

// Before the documentation of mid 2026 these versions were current; parsers
// and vendors still write them.
var asimOlder = map[string][]string{
	"NetworkSession": {"0.2.6"},
	"WebSession":     {"0.2.6"},
	"Authentication": {"0.1.3"},
	"FileEvent":      {"0.2.1"},
	"RegistryEvent":  {"0.1.2"},
}

var asimPatterns = map[string]*regexp.Regexp{
	"mac":      colonMAC,
	"hostname": regexp.MustCompile(`^[A-Za-z0-9_-]{1,63}$`),
	"fqdn":     regexp.MustCompile(`^[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})+\.?$|^[^\\]+\\[^\\]+$`),
	"guid":     regexp.MustCompile(`^\{?[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}?$`),
	"md5":      regexp.MustCompile(`^[0-9A-Fa-f]{32}$`),
	"sha1":     regexp.MustCompile(`^[0-9A-Fa-f]{40}$`),
	"sha256":   regexp.MustCompile(`^[0-9A-Fa-f]{64}$`),
	"sha512":   regexp.MustCompile(`^[0-9A-Fa-f]{128}$`),
	"hex":      regexp.MustCompile(`^(0x)?[0-9A-Fa-f]+$`),
	"version":  regexp.MustCompile(`^\d+\.\d+(\.\d+)?$`),
}

func validateASIM(p *problems, event map[string]any) {
	name := textAt(event, "EventSchema")
	schema, ok := asim()[name]
	if !ok || name == "Common" {
		p.add("EventSchema", "want a schema, got %s", describe(event["EventSchema"]))
		schema = asim()["Common"]
	} else if v := event["EventSchemaVersion"]; v != schema.version && !slices.Contains(asimOlder[name], textAt(event, "EventSchemaVersion")) {
		p.add("EventSchemaVersion", "want %s, got %s", schema.version, describe(v))
	}

	for _, name := range sortedKeys(schema.columns) {
		column := schema.columns[name]
		if v, ok := event[name]; column.mandatory && !ok {
			p.add(name, "missing")
		} else if column.mandatory && v == "" {
			p.add(name, "empty")
		}
		// a type column tells how to read the column beside it
		if _, ok := event[name]; ok && column.logical != "service" {
			companion := name + "Type"
			if c, known := schema.columns[companion]; known && c.values != nil && kindColumn(name) {
				if _, ok := event[companion]; !ok {
					p.add(name, "needs %s", companion)
				}
			}
		}
	}
	for _, name := range sortedKeys(event) {
		v := event[name]
		column, ok := schema.columns[name]
		switch {
		case !ok:
			p.add(name, "not a column of %s", textAt(event, "EventSchema"))
		case column.logical == "service":
			p.add(name, "set by the service, not by a sender")
		case !isKusto(column.kind, v):
			p.add(name, "want %s, got %s", column.kind, describe(v))
		case column.values != nil && !slices.Contains(column.values, v.(string)):
			p.add(name, "want one of %q, got %s", column.values, describe(v))
		case !isLogical(column.logical, v):
			p.add(name, "want %s, got %s", column.logical, describe(v))
		case strings.HasSuffix(name, "PortNumber") && !isPort(v):
			p.add(name, "want a port, got %s", describe(v))
		}
	}
}

// kindColumn tells whether the column is one whose …Type column is
// conditional on it (and not, say, EventType on Event).
func kindColumn(name string) bool {
	for _, suffix := range []string{"Domain", "DvcId", "UserId", "Username", "FilePath"} {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	return false
}

func isLogical(kind string, v any) bool {
	s, _ := v.(string)
	switch kind {
	case "":
		return true
	case "ip":
		_, err := netip.ParseAddr(s)
		return err == nil
	case "percent":
		return isInt(v, 0, 100)
	}
	return asimPatterns[kind].MatchString(s)
}
