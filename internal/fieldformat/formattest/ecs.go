// SPDX-License-Identifier: Apache-2.0

package formattest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
)

type ecsField struct {
	kind    string
	array   bool
	values  []string
	pattern *regexp.Regexp
}

type ecsList struct {
	fields map[string]ecsField
	groups map[string]bool     // paths that hold fields: source, source.nat
	types  map[string][]string // event.category: event.type values that go with it
}

var ecs = sync.OnceValue(func() ecsList {
	list := ecsList{map[string]ecsField{}, map[string]bool{}, map[string][]string{}}
	eachLine("ecs.tsv", 4, func(c []string) {
		f := ecsField{kind: c[1], array: c[2] == "A"}
		switch {
		case strings.HasPrefix(c[3], "="):
			f.values = words(c[3][1:])
		case strings.HasPrefix(c[3], "~"):
			f.pattern = regexp.MustCompile(c[3][1:])
		}
		list.fields[c[0]] = f
		for i := strings.LastIndexByte(c[0], '.'); i > 0; i = strings.LastIndexByte(c[0][:i], '.') {
			list.groups[c[0][:i]] = true
		}
	})
	eachLine("ecs-categorization.tsv", 2, func(c []string) { list.types[c[0]] = words(c[1]) })
	return list
})

var ecsVersion = regexp.MustCompile(`^\d+\.\d+\.\d+$`)

// validateECS wants nested objects. Fields that ECS does not name may only
// stand under a top-level name of their own, under a capitalised name, or as
// text in labels.
func validateECS(p *problems, event map[string]any) {
	if v, ok := event["@timestamp"]; !ok {
		p.add("@timestamp", "missing")
	} else if !isUTC(v) {
		p.add("@timestamp", "want UTC, got %s", describe(v))
	}
	if v, ok := at(event, "ecs.version"); !ok {
		p.add("ecs.version", "missing")
	} else if s, _ := v.(string); !ecsVersion.MatchString(s) {
		p.add("ecs.version", "want a version, got %s", describe(v))
	}
	checkECSObject(p, "", event)

	var fitting []string
	categories, _ := at(event, "event.category")
	for _, category := range texts(categories) {
		fitting = append(fitting, ecs().types[category]...)
	}
	if kinds, _ := at(event, "event.type"); len(fitting) > 0 {
		for _, kind := range texts(kinds) {
			if !slices.Contains(fitting, kind) {
				p.add("event.type", "%q goes with none of the categories %q", kind, texts(categories))
			}
		}
	}
}

func checkECSObject(p *problems, path string, object map[string]any) {
	list := ecs()
	for _, key := range sortedKeys(object) {
		v, here := object[key], join(path, key)
		field, known := list.fields[here]
		if strings.TrimSpace(key) == "" {
			p.add(path, "empty key")
			continue
		}
		if strings.Contains(key, ".") {
			p.add(here, "dotted key, want nested objects")
			continue
		}
		switch {
		case v == nil:
			p.add(here, "null")
		case here == "labels":
			checkLabels(p, v)
		case known:
			checkECSField(p, here, field, v)
		case list.groups[here]:
			if inner, ok := v.(map[string]any); ok {
				checkECSObject(p, here, inner)
			} else {
				p.add(here, "want an object, got %s", describe(v))
			}
		case path == "" && key[0] != '@' && !list.groups[strings.ToLower(key)]:
			// a name of its own
		case path != "" && unicode.IsUpper(rune(key[0])):
			// capitalised names never become ECS fields
		default:
			p.add(here, "not an ECS field")
		}
	}
}

func checkLabels(p *problems, v any) {
	labels, ok := v.(map[string]any)
	if !ok {
		p.add("labels", "want an object, got %s", describe(v))
		return
	}
	for _, key := range sortedKeys(labels) {
		if key == "" || strings.Contains(key, ".") {
			p.add("labels", "key %q is empty or has a dot", key)
		}
		if array, ok := labels[key].([]any); ok && len(texts(array)) == len(array) {
			continue
		}
		if !isString(labels[key]) {
			p.add("labels."+key, "want text, got %s", describe(labels[key]))
		}
	}
}

func checkECSField(p *problems, path string, field ecsField, v any) {
	items, isArray := v.([]any)
	structured := field.kind == "object" || field.kind == "nested" || field.kind == "flattened"
	switch {
	case isArray && !field.array && !structured:
		p.add(path, "want one %s, got %s", field.kind, describe(v))
		return
	case !isArray && field.array:
		p.add(path, "want an array, got %s", describe(v))
		return
	case !isArray:
		items = []any{v}
	}
	for _, item := range items {
		if err := checkECSValue(p, path, field, item); err != "" {
			p.add(path, "want %s, got %s", err, describe(item))
		}
	}
}

// checkECSValue returns what was wanted when the value does not fit.
func checkECSValue(p *problems, path string, field ecsField, v any) string {
	fits := false
	switch field.kind {
	case "keyword", "constant_keyword", "wildcard", "match_only_text":
		s, ok := v.(string)
		if !ok {
			return "text"
		}
		if field.values != nil && !slices.Contains(field.values, s) {
			return fmt.Sprintf("one of %q", field.values)
		}
		if field.pattern != nil && !field.pattern.MatchString(s) {
			return "text like " + field.pattern.String()
		}
		return ""
	case "date":
		fits = isTime(v, 9)
	case "long":
		fits = isInt64(v)
	case "integer":
		fits = isInt32(v)
	case "float", "double", "scaled_float":
		fits = isNumber(v)
	case "boolean":
		fits = isBool(v)
	case "ip":
		s, ok := v.(string)
		fits = ok && isIP(s)
	case "geo_point":
		point, ok := v.(map[string]any)
		fits = ok && len(point) == 2 && within(point["lat"], 90) && within(point["lon"], 180)
	case "flattened":
		fits = isObject(v)
	case "object", "nested":
		object, ok := v.(map[string]any)
		if fits = ok; ok && ecs().groups[path] {
			checkECSObject(p, path, object)
		}
	}
	if fits {
		return ""
	}
	return field.kind
}

func within(v any, limit float64) bool {
	if !isNumber(v) {
		return false
	}
	f, _ := number(v)
	return -limit <= f && f <= limit
}
