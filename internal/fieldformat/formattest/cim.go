// SPDX-License-Identifier: Apache-2.0

package formattest

import (
	"regexp"
	"slices"
	"strings"
	"sync"
)

type cimField struct {
	kind   string
	values []string
}

type cimDataset struct {
	model, name, parent string
	tags                []string
	fields              map[string]cimField
}

type cimList struct {
	datasets map[string]*cimDataset // by model and name
	kinds    map[string][]string    // field: its types in all models
}

var cim = sync.OnceValue(func() cimList {
	list := cimList{map[string]*cimDataset{}, map[string][]string{}}
	var current *cimDataset
	eachLine("cim.tsv", 5, func(c []string) {
		if c[0] == "#dataset" {
			current = &cimDataset{model: c[1], name: c[2], parent: c[3], tags: words(c[4]), fields: map[string]cimField{}}
			list.datasets[c[1]+"."+c[2]] = current
			return
		}
		current.fields[c[0]] = cimField{c[1], words(c[2])}
		if !slices.Contains(list.kinds[c[0]], c[1]) {
			list.kinds[c[0]] = append(list.kinds[c[0]], c[1])
		}
	})
	return list
})

var cimSeverity = []string{"critical", "high", "medium", "low", "informational", "unknown"}

// A Splunk field name is made of letters, digits and underscores; one that
// begins with an underscore is Splunk's own.
var cimKey = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{M}\p{N}_]*$`)

func validateCIM(p *problems, event map[string]any) {
	switch v, ok := event["_time"]; {
	case !ok:
		p.add("_time", "missing")
	case !isTime(v, 9) && !isNumber(v):
		p.add("_time", "want RFC 3339 or epoch seconds, got %s", describe(v))
	}
	if textAt(event, "vendor_product") == "" {
		p.add("vendor_product", "missing")
	}

	list := cim()
	tags := texts(event["tag"])
	for _, key := range sortedKeys(event) {
		v := event[key]
		if key == "_time" {
			continue
		}
		if !cimKey.MatchString(key) {
			p.add(key, "not a field name of Splunk")
			continue
		}
		items, isArray := v.([]any)
		if !isArray {
			items = []any{v}
		}
		for _, item := range items {
			if item == nil || isObject(item) {
				p.add(key, "want a flat value, got %s", describe(item))
				continue
			}
			if _, nested := item.([]any); nested {
				p.add(key, "want a flat list, got a list in it")
				continue
			}
			if kinds, declared := list.kinds[key]; declared && !slices.ContainsFunc(kinds, func(kind string) bool { return isCIM(kind, item) }) {
				p.add(key, "want %s, got %s", strings.Join(kinds, " or "), describe(item))
			}
		}
	}
	if s := textAt(event, "severity"); s != "" && !slices.Contains(cimSeverity, s) {
		p.add("severity", "want one of %q, got %q", cimSeverity, s)
	}
	if len(tags) == 0 {
		return
	}
	datasets := cimDatasets(tags)
	if len(datasets) == 0 {
		p.add("tag", "%q are the tags of no dataset", tags)
	}
	for _, key := range sortedKeys(event) {
		expected, open := cimExpected(datasets, key)
		if open || expected == nil {
			continue
		}
		for _, s := range texts(event[key]) {
			if !slices.Contains(expected, s) {
				p.add(key, "want one of %q, got %q", expected, s)
			}
		}
	}
}

// cimDatasets are those whose own and inherited tags the event all has.
func cimDatasets(tags []string) []*cimDataset {
	var found []*cimDataset
	for _, key := range sortedKeys(cim().datasets) {
		d, tagged, fits := cim().datasets[key], false, true
		for a := d; a != nil; a = cim().datasets[a.model+"."+a.parent] {
			for _, tag := range a.tags {
				tagged = true
				fits = fits && slices.Contains(tags, tag)
			}
		}
		if tagged && fits {
			found = append(found, d)
		}
	}
	return found
}

// cimExpected joins the values that the datasets expect for a field; the field
// is open when one of them declares it without any.
func cimExpected(datasets []*cimDataset, field string) (expected []string, open bool) {
	for _, d := range datasets {
		for d != nil {
			if f, ok := d.fields[field]; ok {
				if f.values == nil {
					open = true
				}
				for _, v := range f.values {
					if !slices.Contains(expected, v) {
						expected = append(expected, v)
					}
				}
				break
			}
			d = cim().datasets[d.model+"."+d.parent]
		}
	}
	return expected, open
}

func isCIM(kind string, v any) bool {
	switch kind {
	case "number":
		return isNumber(v)
	case "boolean":
		return isBool(v) || v == "true" || v == "false" || v == "1" || v == "0"
	case "timestamp":
		return isTime(v, 9) || isNumber(v)
	}
	return isString(v)
}
