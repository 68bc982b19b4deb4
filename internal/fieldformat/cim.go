// SPDX-License-Identifier: Apache-2.0

package fieldformat

import (
	_ "embed"
	"slices"
	"strings"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/jsontext"
)

//go:embed cim.txt
var cimText string

// cimTypes are the types of the fields that a model declares.
var cimTypes = func() map[string][]string {
	m := map[string][]string{}
	for _, line := range lines(cimText) {
		types, names, _ := strings.Cut(line, " = ")
		for name := range strings.FieldsSeq(names) {
			m[name] = strings.Fields(types)
		}
	}
	return m
}()

func init() {
	targets[CIM] = &target{
		layout: &layout{envelope: []string{"_time", "vendor_product", "tag[]", "action", "vendor_action", "severity", "severity_id", "status",
			"result", "change_type", "object_category", "ids_type", "message_type"}},
		time:   jsontext.AppendTime,
		begin:  beginCIM,
		finish: finishCIM,
		write:  writeCIM,
	}
}

// cimTags are the tags by which a data model finds its events.
var cimTags = [numClasses][]string{
	classNet: {"network", "communicate"}, classSSH: {"network", "communicate"}, classFTP: {"network", "communicate"},
	classRDP: {"network", "communicate"}, classSMB: {"network", "communicate"}, classTunnel: {"network", "session", "vpn"},
	classDNS: {"network", "resolution", "dns"}, classHTTP: {"web"}, classDHCP: {"network", "session", "dhcp"}, classEmail: {"email"},
	classAuth: {"authentication"}, classAccount: {"change", "account"}, classGroup: {"change", "account"},
	classProcess: {"process", "report"}, classFile: {"endpoint", "filesystem"}, classRegKey: {"endpoint", "registry"},
	classRegValue: {"endpoint", "registry"}, classFinding: {"ids", "attack"}, classVuln: {"vulnerability", "report"},
	classAPI: {"change"}, classDB: {"database"}, classPackage: {"update", "status"},
}

// cimChanges are the actions of the models for endpoints and changes.
var cimChanges = map[activity]string{
	actCreate: "created", actDelete: "deleted", actUpdate: "modified", actRename: "modified", actAttributes: "modified", actCopy: "created",
	actRead: "read", actOpen: "read", actStart: "started", actEnd: "stopped", actPermissions: "acl_modified", actEnable: "modified",
	actDisable: "modified", actLock: "lockout", actUnlock: "modified", actPasswordChange: "modified", actPasswordReset: "modified",
	actAddMember: "modified", actRemoveMember: "modified", actInstall: "created",
}

func beginCIM(e *Encoder) {
	e.keepOwn(atTime)
	k := &e.table.known
	e.fill(atTime, e.eventTime())
	e.fill(atVendorProduct, strVal(e.vendorProduct()))
	e.consume(k.vendor)
	e.consume(k.product)
	e.tags()
	e.cimAction()
	if w := e.ev.severity.cim(); w != "" {
		e.fill(atSeverity, strVal(w))
	}
	if e.ev.class == classDNS && !e.has(k.dnsType) && e.ev.activity != actNone {
		e.fill(atMessageType, strVal(map[bool]string{true: "Response", false: "Query"}[e.ev.activity == actResponse]))
	}
	switch e.ev.class {
	case classFinding:
		kind := "host"
		if e.has(k.sourceIP, k.clientIP) && e.has(k.destIP, k.serverIP) {
			kind = "network"
		} else if e.has(k.emailFrom, k.emailTo) {
			kind = "application"
		}
		e.fill(atIdsType, strVal(kind))
	case classFile:
		e.fill(atObjectCategory, strVal("file"))
	case classRegKey, classRegValue:
		e.fill(atObjectCategory, strVal("registry"))
	case classAccount:
		e.fill(atObjectCategory, strVal("user"))
		e.fill(atChangeType, strVal("account"))
	case classGroup:
		e.fill(atObjectCategory, strVal("group"))
		e.fill(atChangeType, strVal("account"))
	}
}

func (s severity) cim() string {
	return [...]string{"", "informational", "low", "medium", "high", "critical", "critical"}[s.level]
}

// vendorProduct is vendor and product in one, without saying the vendor twice.
func (e *Encoder) vendorProduct() string {
	vendor, product := e.vendor(), e.product()
	if strings.HasPrefix(product, vendor) {
		return product
	}
	at := len(e.arena)
	e.arena = append(append(append(e.arena, vendor...), ' '), product...)
	return e.since(at)
}

// tags writes the tags of the model and behind them those of the record.
func (e *Encoder) tags() {
	model := cimTags[e.ev.class]
	k := &e.table.known
	if e.ev.class == classFinding && e.bits(categories, k.category)&catMalware != 0 {
		model = []string{"malware", "attack"}
	}
	if len(model) == 0 || e.filled(atTag) {
		return // tags of no model would be read as a model's
	}
	at := len(e.arena)
	b := e.arena
	for i, t := range model {
		if i > 0 {
			b = append(b, ',')
		}
		b = jsontext.AppendString(b, t)
	}
	if e.has(k.tags) {
		switch v := &e.vals[k.tags]; v.typ {
		case typStr:
			b = e.appendJSON(append(b, ','), v)
			e.consume(k.tags)
		case typList:
			for _, el := range v.pv.Slice().All() {
				a := attr(el, "")
				if s, ok := e.text(kindText, &a); ok == fitYes {
					b = e.appendJSON(append(b, ','), &s)
				}
			}
			e.vals[k.tags].name = ""
		}
	}
	e.arena = b
	e.fill(atTag, val{typ: typRaw, str: e.since(at)})
}

// cimAction translates what happened into the model's words. The source's own word goes to vendor_action, unless it is
// the same.
func (e *Encoder) cimAction() {
	k := &e.table.known
	word := ""
	switch e.ev.class {
	case classAuth:
		word = map[outcome]string{outcomeSuccess: "success", outcomeFailure: "failure"}[e.ev.outcome]
		if word != "" && e.has(k.outcome) {
			e.consume(k.outcome)
		}
	case classFile, classRegKey, classRegValue, classAccount, classGroup, classAPI:
		word = cimChanges[e.ev.activity]
	case classProcess:
		word = "allowed"
		if e.ev.verdict != nil && e.ev.verdict.cim != "" {
			word = e.ev.verdict.cim
		}
	case classDHCP, classTunnel:
		switch e.ev.activity {
		case actAck, actRenew, actOpen:
			word = "started"
		case actRelease, actExpire, actClose:
			word = "ended"
		case actNak, actDecline, actRefuse:
			word = "blocked"
		}
	case classEmail:
		if e.ev.verdict != nil && e.ev.verdict.cim == "blocked" {
			word = "blocked"
		} else if e.ev.outcome == outcomeSuccess {
			word = "delivered"
		}
	default:
		if e.ev.verdict != nil {
			word = e.ev.verdict.cim
		}
	}
	if word == "" && e.ev.class <= classTunnel && e.ev.activity == actClose {
		word = "teardown"
	}
	if e.has(k.action) {
		switch {
		case word == "" && e.ev.class == classHTTP || e.ev.class == classGeneric || e.ev.class == classDB:
			e.fill(atAction, strVal(e.word(k.action)))
			e.consume(k.action)
		case e.word(k.action) != word:
			e.fill(atVendorAction, strVal(e.word(k.action)))
			e.consume(k.action)
		default:
			e.consume(k.action)
		}
	}
	if word != "" {
		e.fill(atAction, strVal(word))
	}
	if e.has(k.outcome) && e.vals[k.outcome].name != "" {
		switch e.ev.outcome {
		case outcomeSuccess, outcomeFailure:
			if e.ev.class != classPackage && e.ev.class != classHTTP && !(e.ev.class == classGeneric && e.has(k.httpStatus)) {
				e.fill(atStatus, strVal(e.word(k.outcome)))
				e.consume(k.outcome)
			}
		}
	}
}

func finishCIM(e *Encoder) bool {
	e.fillFrom(atDest, atDestIp, atDestDns, atUrlDomain)
	e.fillFrom(atNestedSrc, atSrcIp, atSrcDns)
	e.fillFrom(atNestedDvc, atDvcIp)
	if e.ev.class == classHTTP { // the server that writes the log
		e.fillFrom(atDest, atNestedDvc)
	}
	return true
}

// fillFrom fills a place with what stands in the first of others.
func (e *Encoder) fillFrom(s spot, from ...spot) {
	if e.plan.at(s) < 0 || e.filled(s) {
		return
	}
	for _, f := range from {
		if i := e.plan.at(f); i >= 0 && e.set.has(int(i)) {
			e.fill(s, e.out[i])
			return
		}
	}
}

// writeCIM ends with the bag as further keys, with underscores for dots. A key that a model declares takes a value of the
// model's type only; other values go under the key with a number.
func writeCIM(e *Encoder, dst []byte) []byte {
	dst = e.appendObject(dst)
	e.spans = e.spans[:0]
	for i := range e.bag {
		v := &e.bag[i]
		if v.notNumber() {
			continue
		}
		e.noted = e.flatten(v)
		flat := &e.noted
		key := e.uniqueKey(e.bagKey(v.name, underscored, nil), func(key string) bool {
			if leaf, known := e.plan.byPath[key]; known {
				if e.set.has(int(leaf)) {
					return true
				}
				if k := e.plan.kinds[leaf]; k != kindText && k != kindNone && !flat.text {
					out, ok := e.asNamed(k, flat)
					if !ok {
						return true
					}
					*flat = out
				}
			}
			types, declared := cimTypes[key]
			return declared && !cimFits(types, flat)
		})
		dst = append(append(append(comma(dst), '"'), key...), '"', ':')
		if types, declared := cimTypes[key]; declared && flat.typ == typInt && !slices.Contains(types, "number") {
			flat.text = true
		}
		dst = e.emit(dst, flat, (*Encoder).appendJSON)
	}
	return append(dst, '}')
}

// flatten turns what is not flat into JSON text: Splunk's fields hold values and lists of values.
func (e *Encoder) flatten(v *val) val {
	out := *v
	switch v.typ {
	case typMap:
		out.text = true
	case typList:
		for _, el := range v.pv.Slice().All() {
			switch a := attr(el, ""); a.typ {
			case typMap, typList, typNone:
				out.text = true
			case typFloat:
				out.text = out.text || !finite(a.float())
			}
		}
	}
	return out
}

func cimFits(types []string, v *val) bool {
	for _, t := range types {
		switch t {
		case "string":
			if v.typ == typStr || v.typ == typInt || v.typ == typBytes || (v.typ == typMap || v.typ == typList) && v.text {
				return true
			}
		case "number":
			if v.typ == typInt || v.typ == typFloat {
				return true
			}
		case "boolean":
			if v.typ == typBool {
				return true
			}
		case "timestamp":
			if v.typ == typTime {
				return true
			}
		}
	}
	return false
}
