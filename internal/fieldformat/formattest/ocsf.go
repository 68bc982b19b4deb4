// SPDX-License-Identifier: Apache-2.0

package formattest

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

type ocsfType struct {
	base      string
	longest   int
	low, high int64 // when high > 0
	pattern   *regexp.Regexp
}

type ocsfAttribute struct {
	kind        string // name of a type or, when object is set, of an object
	array       bool
	object      bool
	deprecated  bool
	requirement byte   // R C O
	profile     string // only there when this profile is listed
	caption     string // attribute that carries the enum's caption
	enum        map[string]string
}

// ocsfShape is a class or an object.
type ocsfShape struct {
	name, caption string
	uid, category int64
	profiles      []string
	atLeastOne    []string
	justOne       []string
	attributes    map[string]ocsfAttribute
}

type ocsfList struct {
	version    string
	types      map[string]ocsfType
	classes    map[int64]*ocsfShape
	objects    map[string]*ocsfShape
	categories map[int64]string
	profiles   map[string]bool
}

var ocsf = sync.OnceValue(func() ocsfList {
	list := ocsfList{
		types: map[string]ocsfType{}, classes: map[int64]*ocsfShape{}, objects: map[string]*ocsfShape{},
		categories: map[int64]string{}, profiles: map[string]bool{},
	}
	dictionary, shared := map[string]ocsfAttribute{}, map[string]ocsfAttribute{}
	var shape *ocsfShape
	section := ""
	attribute := func(c []string) ocsfAttribute {
		a := dictionary[c[0]]
		a.requirement, a.profile = c[1][0], c[2]
		a.deprecated = a.deprecated || strings.HasSuffix(c[1], "D")
		if c[3] != "" {
			a.kind = c[3]
		}
		if c[4] != "" {
			a.enum = captions(c[4])
		}
		return a
	}
	eachLine("ocsf.tsv", 7, func(c []string) {
		switch c[0] {
		case "#version":
			list.version = c[1]
		case "#category":
			list.categories[integer(c[1])] = c[2]
		case "#type":
			list.types[c[1]] = newOCSFType(c)
		case "#attributes", "#shared":
			section = c[0]
		case "#class", "#object":
			section = c[0]
			shape = newOCSFShape(c)
			for _, profile := range shape.profiles {
				list.profiles[profile] = true
			}
			if section == "#object" {
				list.objects[shape.name] = shape
				return
			}
			list.classes[shape.uid] = shape
			for name, a := range shared {
				shape.attributes[name] = a
			}
		case "#without":
			for _, name := range strings.Split(c[1], ",") {
				delete(shape.attributes, name)
			}
		default:
			switch section {
			case "#attributes":
				dictionary[c[0]] = ocsfAttribute{
					kind: c[1], array: strings.Contains(c[2], "A"), object: strings.Contains(c[2], "O"),
					deprecated: strings.Contains(c[2], "D"), caption: c[3], enum: captions(c[4]),
				}
			case "#shared":
				shared[c[0]] = attribute(c)
			default:
				shape.attributes[c[0]] = attribute(c)
			}
		}
	})
	return list
})

func newOCSFType(c []string) ocsfType {
	t := ocsfType{base: c[2]}
	t.longest, _ = strconv.Atoi(c[3])
	if low, high, ok := strings.Cut(c[4], ".."); ok {
		t.low, t.high = integer(low), integer(high)
	}
	if c[5] != "" {
		t.pattern = regexp.MustCompile(c[5])
	}
	return t
}

func newOCSFShape(c []string) *ocsfShape {
	shape := &ocsfShape{
		name: c[1], uid: integer(c[2]), caption: c[3], category: integer(c[4]),
		attributes: map[string]ocsfAttribute{},
	}
	if c[5] != "" {
		shape.profiles = strings.Split(c[5], ",")
	}
	for _, constraint := range strings.Split(c[6], ";") {
		switch kind, names, _ := strings.Cut(constraint, "="); kind {
		case "at_least_one":
			shape.atLeastOne = strings.Split(names, ",")
		case "just_one":
			shape.justOne = strings.Split(names, ",")
		}
	}
	return shape
}

func captions(s string) map[string]string {
	if s == "" {
		return nil
	}
	enum := map[string]string{}
	for _, word := range words(s) {
		value, caption, _ := strings.Cut(word, "=")
		enum[value] = caption
	}
	return enum
}

func integer(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}

func intAt(object map[string]any, name string) (int64, bool) {
	n, ok := object[name].(json.Number)
	if !ok {
		return 0, false
	}
	i, err := strconv.ParseInt(n.String(), 10, 64)
	return i, err == nil
}

func validateOCSF(p *problems, event map[string]any) {
	list := ocsf()
	uid, ok := intAt(event, "class_uid")
	class, known := list.classes[uid]
	if !ok || !known {
		p.add("class_uid", "want the uid of a class, got %s", describe(event["class_uid"]))
		return
	}
	if v, ok := intAt(event, "category_uid"); ok && v != class.category {
		p.add("category_uid", "want %d of class %s, got %d", class.category, class.name, v)
	}
	if activity, ok := intAt(event, "activity_id"); ok {
		if v, ok := intAt(event, "type_uid"); ok && v != uid*100+activity {
			p.add("type_uid", "want %d, got %d", uid*100+activity, v)
		}
		name := class.attributes["activity_id"].enum[fmt.Sprint(activity)]
		if s, ok := event["type_name"]; ok && activity != 99 && s != class.caption+": "+name {
			p.add("type_name", "want %q, got %s", class.caption+": "+name, describe(s))
		}
	}
	if s, ok := event["class_name"]; ok && s != class.caption {
		p.add("class_name", "want %q, got %s", class.caption, describe(s))
	}
	if s, ok := event["category_name"]; ok && s != list.categories[class.category] && class.category != 0 {
		p.add("category_name", "want %q, got %s", list.categories[class.category], describe(s))
	}
	if s := textAt(event, "metadata.version"); s != "" && s != list.version {
		p.add("metadata.version", "want %s, got %q", list.version, s)
	}
	listed, _ := at(event, "metadata.profiles")
	profiles := texts(listed)
	for _, profile := range profiles {
		if !list.profiles[profile] {
			p.add("metadata.profiles", "no profile %q", profile)
		} else if !slices.Contains(class.profiles, profile) && !innerProfile(profile) {
			p.add("metadata.profiles", "class %s has no profile %q", class.name, profile)
		}
	}
	checkOCSFShape(p, "", class, event, profiles)
}

// innerProfile tells whether an object brings the profile: container, say,
// comes with device and process, not with a class.
func innerProfile(profile string) bool {
	for _, object := range ocsf().objects {
		if slices.Contains(object.profiles, profile) {
			return true
		}
	}
	return false
}

func checkOCSFShape(p *problems, path string, shape *ocsfShape, object map[string]any, profiles []string) {
	for _, name := range sortedKeys(shape.attributes) {
		a := shape.attributes[name]
		if a.requirement != 'R' || a.profile != "" && !slices.Contains(profiles, a.profile) {
			continue
		}
		if v, ok := object[name]; !ok {
			p.add(join(path, name), "missing, %s requires it", shape.name)
		} else if v == "" {
			p.add(join(path, name), "empty, %s requires it", shape.name)
		}
	}
	present := func(name string) bool { _, ok := at(object, name); return ok }
	if shape.atLeastOne != nil && !slices.ContainsFunc(shape.atLeastOne, present) {
		p.add(path, "%s wants at least one of %s", shape.name, strings.Join(shape.atLeastOne, ", "))
	}
	if shape.justOne != nil {
		n := 0
		for _, name := range shape.justOne {
			if present(name) {
				n++
			}
		}
		if n != 1 {
			p.add(path, "%s wants just one of %s, got %d", shape.name, strings.Join(shape.justOne, ", "), n)
		}
	}
	for _, name := range sortedKeys(object) {
		v, here := object[name], join(path, name)
		a, ok := shape.attributes[name]
		if !ok {
			a, ok = datetimeSibling(shape, name)
		}
		switch {
		case !ok:
			p.add(here, "not an attribute of %s", shape.name)
		case a.deprecated:
			p.add(here, "deprecated")
		case a.profile != "" && !slices.Contains(profiles, a.profile):
			p.add(here, "needs profile %s in metadata.profiles", a.profile)
		default:
			checkOCSFAttribute(p, here, a, v, profiles)
			if a.caption != "" {
				checkCaption(p, path, a, name, object)
			}
		}
	}
}

// datetimeSibling: profile datetime adds text beside every timestamp.
func datetimeSibling(shape *ocsfShape, name string) (ocsfAttribute, bool) {
	base, ok := strings.CutSuffix(name, "_dt")
	a, known := shape.attributes[base]
	if !ok || !known || a.kind != "timestamp_t" {
		return ocsfAttribute{}, false
	}
	a.kind, a.profile = "datetime_t", "datetime"
	return a, true
}

// checkCaption: the caption beside an id is that of the enum, unless the id is
// 99 and the caption the source's own word.
func checkCaption(p *problems, path string, a ocsfAttribute, name string, object map[string]any) {
	id, isInt := intAt(object, name)
	caption, isText := object[a.caption].(string)
	if want, ok := a.enum[fmt.Sprint(id)]; isInt && isText && ok && id != 99 && caption != want {
		p.add(join(path, a.caption), "want %q for %s %d, got %q", want, name, id, caption)
	}
}

func checkOCSFAttribute(p *problems, path string, a ocsfAttribute, v any, profiles []string) {
	items := []any{v}
	if a.array {
		array, ok := v.([]any)
		if !ok {
			p.add(path, "want an array, got %s", describe(v))
			return
		}
		items = array
	}
	for _, item := range items {
		switch {
		case a.object:
			object, ok := item.(map[string]any)
			if !ok {
				p.add(path, "want an object, got %s", describe(item))
			} else if shape := ocsf().objects[a.kind]; len(shape.attributes) > 0 {
				checkOCSFShape(p, path, shape, object, profiles)
			}
		case a.kind == "json_t":
		case !isOCSF(a.kind, item):
			p.add(path, "want %s, got %s", a.kind, describe(item))
		case a.enum != nil:
			if _, ok := a.enum[fmt.Sprint(item)]; !ok {
				p.add(path, "%s is no value of the enum", describe(item))
			}
		}
	}
}

func isOCSF(kind string, v any) bool {
	t := ocsf().types[kind]
	base := kind
	if t.base != "" {
		base = t.base
	}
	switch base {
	case "boolean_t":
		return isBool(v)
	case "integer_t":
		return isInt32(v) && (t.high == 0 || isInt(v, t.low, t.high))
	case "long_t":
		return isInt64(v) && (kind != "timestamp_t" || isEpochMilli(v))
	case "float_t":
		return isNumber(v)
	}
	s, ok := v.(string)
	switch {
	case !ok:
		return false
	case kind == "ip_t":
		return isIP(s)
	case kind == "subnet_t":
		_, err := netip.ParsePrefix(s)
		return err == nil
	case t.longest > 0 && utf8.RuneCountInString(s) > t.longest:
		return false
	}
	return t.pattern == nil || t.pattern.MatchString(s)
}
