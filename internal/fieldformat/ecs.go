// SPDX-License-Identifier: Apache-2.0

package fieldformat

import (
	"maps"
	"math/bits"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/jsontext"
)

// ECSVersion is the release of the Elastic Common Schema that is written.
const ECSVersion = "9.4.0"

func init() {
	targets[ECS] = &target{
		layout: &layout{envelope: []string{"@timestamp", "ecs.version"}},
		time:   jsontext.AppendTime,
		begin:  func(e *Encoder) { e.fill(atTimestamp, e.eventTime()) },
		finish: finishECS,
		write:  writeECS,
	}
}

// ecsCategories are the categories of records that came in another format, which has other words for them.
var ecsCategories = [numClasses]string{classNet: "network", classDNS: "network", classHTTP: "web", classDHCP: "network", classSSH: "network",
	classFTP: "network", classRDP: "network", classSMB: "network", classTunnel: "network", classEmail: "email", classAuth: "authentication",
	classAccount: "iam", classGroup: "iam", classProcess: "process", classFile: "file", classRegKey: "registry", classRegValue: "registry",
	classModule: "library", classPackage: "package", classFinding: "intrusion_detection", classVuln: "vulnerability", classAPI: "api",
	classDB: "database"}

func finishECS(e *Encoder) bool {
	if e.shape != none && e.shape != ECS {
		if w := ecsCategories[e.ev.class]; w != "" && !e.has(e.table.known.category) {
			e.fill(atEventCategory, strVal(w))
		}
		if v := e.ev.verdict; v != nil && v.name != "" && !e.has(e.table.known.typ) && e.ev.class == classNet {
			e.fill(atNestedEventType, strVal(v.name))
		}
	}
	e.fill(atEcsVersion, strVal(ECSVersion))
	e.fitTypes()
	for i := range e.plan.both {
		n := &e.plan.both[i]
		below := span{n.leaf + 1, n.span.hi}
		if e.set.has(int(n.leaf)) && e.set.anyIn(below) {
			e.unset(below)
		}
	}
	return true
}

// ecsFitting are the values of event.type that go with a category.
var ecsFitting = func() (table [64]wordSet) {
	for category, list := range map[wordSet]wordSet{
		catApi:            typeAccess | typeAdmin | typeAllowed | typeChange | typeCreation | typeDeletion | typeDenied | typeEnd | typeInfo | typeStart | typeUser,
		catAuthentication: typeStart | typeEnd | typeInfo, catConfiguration: typeAccess | typeChange | typeCreation | typeDeletion | typeInfo,
		catDatabase: typeAccess | typeChange | typeInfo | typeError, catDriver: typeChange | typeEnd | typeInfo | typeStart, catEmail: typeInfo,
		catFile: typeAccess | typeChange | typeCreation | typeDeletion | typeInfo, catHost: typeAccess | typeChange | typeEnd | typeInfo | typeStart,
		catIam:                typeAdmin | typeChange | typeCreation | typeDeletion | typeGroup | typeInfo | typeUser,
		catIntrusionDetection: typeAllowed | typeDenied | typeInfo, catLibrary: typeStart, catMalware: typeInfo,
		catNetwork: typeAccess | typeAllowed | typeConnection | typeDenied | typeEnd | typeInfo | typeProtocol | typeStart,
		catPackage: typeAccess | typeChange | typeDeletion | typeInfo | typeInstallation | typeStart,
		catProcess: typeAccess | typeChange | typeEnd | typeInfo | typeStart, catRegistry: typeAccess | typeChange | typeCreation | typeDeletion,
		catSession: typeStart | typeEnd | typeInfo, catThreat: typeIndicator, catVulnerability: typeInfo, catWeb: typeAccess | typeError | typeInfo,
	} {
		table[bits.TrailingZeros64(uint64(category))] = list
	}
	return table
}()

// ecsTypes are the values of event.type that go with any of the categories.
func ecsTypes(set wordSet) (fitting wordSet) {
	for ; set != 0; set &= set - 1 {
		fitting |= ecsFitting[bits.TrailingZeros64(uint64(set))]
	}
	return fitting
}

// fitTypes takes values out of event.type that go with none of the categories. The list as it came goes to labels.
func (e *Encoder) fitTypes() {
	k := &e.table.known
	leaf := e.plan.at(atNestedEventType)
	if !e.has(k.category) || !e.set.has(int(leaf)) || !e.filled(atEventCategory) {
		return
	}
	fitting := ecsTypes(e.bits(categories, k.category))
	have := e.bits(types, k.typ)
	if have&^fitting == 0 {
		return
	}
	if v := e.vals[k.typ]; v.name != "" {
		e.toBag(v)
	}
	e.set.drop(int(leaf))
	at := len(e.arena)
	for _, name := range slices.Sorted(maps.Keys(types)) {
		if have&fitting&types[name] != 0 {
			if len(e.arena) > at {
				e.arena = append(e.arena, ',')
			}
			e.arena = jsontext.AppendString(e.arena, name)
		}
	}
	if len(e.arena) > at {
		e.put(leaf, &val{typ: typRaw, str: e.since(at)})
	}
}

// unset moves what stands in a range of leaves to the bag.
func (e *Encoder) unset(s span) {
	for i := int(s.lo); i < int(s.hi); i++ {
		if !e.set.has(i) {
			continue
		}
		e.set.drop(i)
		if e.soft.has(i) {
			e.soft.drop(i)
			continue
		}
		if f := e.from[i]; f >= 0 && e.vals[f].name != "" {
			e.toBag(e.vals[f])
		}
	}
}

// writeECS ends with the custom fields of a record that was in ECS, and with labels.
func writeECS(e *Encoder, dst []byte) []byte {
	dst = e.appendObject(dst)
	var custom *tree
	e.spans = e.spans[:0]
	labels := false
	for i := range e.bag {
		v := &e.bag[i]
		if v.notNumber() {
			continue
		}
		if e.shape == ECS && e.custom(v.name) {
			if custom == nil {
				custom = &tree{value: val{typ: typMap}}
			}
			if custom.insert(v.name, *v) {
				continue
			}
		}
		if !labels {
			dst = append(comma(dst), `"labels":{`...)
			labels = true
		}
		key := e.uniqueKey(e.bagKey(strings.TrimPrefix(v.name, "labels."), dotless, nil), nil)
		dst = append(jsontext.AppendString(comma(dst), key), ':')
		dst = e.appendLabel(dst, v)
	}
	if labels {
		dst = append(dst, '}')
	}
	if custom != nil {
		for _, c := range custom.children {
			dst = append(jsontext.AppendString(comma(dst), c.name), ':')
			dst = e.appendTree(dst, c)
		}
	}
	return append(dst, '}')
}

// custom tells whether a name is outside of what ECS names or may come to name: its first segment is no parent of ECS.
func (e *Encoder) custom(name string) bool {
	top, _, _ := strings.Cut(name, ".")
	if top == "" || top[0] == '@' || top == "labels" || e.table.prefix[strings.ToLower(top)] || strings.Contains(name, "..") || strings.HasSuffix(name, ".") {
		return false
	}
	_, field := e.table.byName[top]
	return !field && strings.TrimSpace(top) != ""
}

// appendLabel writes a value as the keyword, or array of keywords, that labels take.
func (e *Encoder) appendLabel(dst []byte, v *val) []byte {
	if v.typ == typList && v.pv.Slice().Len() > 0 {
		dst = append(dst, '[')
		for _, el := range v.pv.Slice().All() {
			a := attr(el, "")
			if el.Type() == pcommon.ValueTypeEmpty || a.holdsNothing() {
				continue
			}
			dst = e.appendLabel1(comma(dst), &a)
		}
		return append(dst, ']')
	}
	return e.appendLabel1(dst, v)
}

func (e *Encoder) appendLabel1(dst []byte, v *val) []byte {
	switch {
	case v.notNumber():
		return append(dst, "null"...)
	case v.typ == typStr, v.typ == typTime:
		return e.emit(dst, v, (*Encoder).appendJSON)
	case v.typ == typInt, v.typ == typFloat, v.typ == typBool:
		e.noted = *v
		e.noted.text = true
		return e.emit(dst, &e.noted, (*Encoder).appendJSON)
	}
	at := len(e.arena)
	e.arena = e.appendText(e.arena, v)
	return jsontext.AppendString(dst, strings.Trim(e.since(at), `"`))
}
