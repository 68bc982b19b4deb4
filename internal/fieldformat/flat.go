// SPDX-License-Identifier: Apache-2.0

package fieldformat

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// What the flat formats, CIM, ASIM, CSL, CEF and LEEF, have in common.

// keepOwn puts the values of a record that is in the target format already into their places. A value that does not
// fit its place, or has none, goes to the bag. The spot is that of the time: a time of the record that says something else
// goes to the bag.
func (e *Encoder) keepOwn(timeSpot spot) {
	for i := range e.own {
		v := &e.own[i]
		leaf := e.plan.find(v.name)
		if leaf < 0 && e.keepBag(v) {
			continue
		}
		if leaf < 0 {
			e.toBag(*v)
			continue
		}
		if e.set.has(int(leaf)) {
			continue
		}
		if v.typ == typMap || v.typ == typList && !e.plan.leaves[leaf].list {
			e.toBag(*v)
			continue
		}
		out, ok := *v, fitYes
		k := e.kindAt(leaf)
		if special, ok := cefKinds[v.name]; ok && e.format == CEF {
			k = special
		}
		if leaf == e.plan.at(timeSpot) {
			k = kindTime
		}
		if k != kindNone {
			out, ok = e.convert(k, "", 0, v)
		}
		switch { // what a column of text takes
		case ok == fitNot:
		case k != kindNone || e.plan.kinds[leaf] == kindNone:
		case out.typ == typInt, out.typ == typBool:
			out.text = true
		case out.typ == typFloat:
			out.text = true
			if out.holdsNothing() {
				ok = fitNot
			}
		}
		if ok == fitNot {
			e.toBag(*v)
			continue
		}
		if e.plan.leaves[leaf].list && out.typ == typList {
			out.num = int64(kindText)
		}
		e.put(leaf, &out)
		if leaf == e.plan.at(timeSpot) {
			e.keepTime(&out)
		}
	}
}

// keepBag takes what is in the bag of a record that is in the target format back into the bag.
func (e *Encoder) keepBag(v *val) bool {
	switch {
	case e.format == ASIM && v.name == "AdditionalFields" && v.typ == typMap:
		for name, sub := range e.byName(v.pv.Map()) {
			e.toBag(e.attr(sub, name))
		}
		return true
	case e.format == CSL && v.name == "AdditionalExtensions" && v.typ == typStr:
		v.look()
		for rest := v.str; rest != ""; {
			var pair string
			pair, rest = cutSemicolon(rest)
			if name, value, ok := strings.Cut(pair, "="); ok && value != "" {
				e.toBag(val{typ: typStr, str: value, name: name})
			} else if pair != "" {
				e.toBag(val{typ: typStr, str: pair, name: v.name})
			}
		}
		return true
	}
	return false
}

// kindAt is the kind of a leaf whose values are checked when they arrive in the target format.
func (e *Encoder) kindAt(leaf int32) kind {
	switch k := e.plan.kinds[leaf]; k {
	case kindInt, kindInt32, kindNat32, kindUint, kindUint32, kindPort, kindFloat, kindBool, kindTime, kindIP, kindMAC, kindIP4, kindIP6:
		return k
	}
	return kindNone
}

// consume says that the text of a field is written by code, so that it does not go to the bag.
func (e *Encoder) consume(f int) {
	if !e.slots.has(f) {
		return
	}
	switch v := &e.vals[f]; v.typ {
	case typStr, typInt, typBool:
		v.name = ""
	case typList: // of which only the first was used
		if v.pv.Slice().Len() == 1 && v.pv.Slice().At(0).Type() == pcommon.ValueTypeStr {
			v.name = ""
		}
	}
}

// consumeSeverity says that the number in event.severity is that of the envelope.
func (e *Encoder) consumeSeverity() {
	k := &e.table.known
	if !e.has(k.severity) {
		return
	}
	v := &e.vals[k.severity]
	if n, ok := v.int(); ok && n > 0 && n == int64(e.ev.severity.number) || e.format == CSL && e.word(k.severity) == e.ev.severity.csl() {
		e.consume(k.severity)
	}
}

// adopt puts values of the bag that are named as a key of the format is, and fit it, under that key. Keys that a label
// explains are left alone, and so are those that say how the line is written.
func (e *Encoder) adopt() {
	kept := e.bag[:0]
	for i := range e.bag {
		v := e.bag[i]
		leaf, known := e.plan.byPath[v.name]
		if !known || e.set.has(int(leaf)) || labelled(v.name) || strings.HasSuffix(v.name, "Label") || strings.HasPrefix(v.name, "c6a") ||
			notAdopted[v.name] || !e.adoptAt(leaf, &v) {
			kept = append(kept, v)
		}
	}
	e.bag = kept
}

// notAdopted are keys whose names mean other things elsewhere, or that have a meaning with others only.
var notAdopted = map[string]bool{"in": true, "out": true, "type": true, "sev": true, "devTimeFormat": true, "identHostName": true,
	"identNetBios": true, "identGrpName": true, "identMAC": true, "isLoginEvent": true, "isLogoutEvent": true}

func (e *Encoder) adoptAt(leaf int32, v *val) bool {
	k := e.plan.kinds[leaf]
	if special, ok := cefKinds[v.name]; ok && e.format == CEF {
		k = special
	}
	if v.typ == typList || v.typ == typMap {
		return false
	}
	if k == kindNone {
		if e.format == LEEF {
			return false // many of them take more than any text
		}
		k = kindText
	}
	out, ok := e.asNamed(k, v)
	return ok && e.put(leaf, &out)
}

// asNamed brings a value whose name the format has into the form of its place, if it says the same there.
func (e *Encoder) asNamed(k kind, v *val) (val, bool) {
	out, ok := e.convert(k, "", 0, v)
	if ok != fitYes {
		return val{}, false
	}
	switch k {
	case kindInt, kindInt32, kindNat32, kindUint, kindUint32, kindPort, kindFloat, kindBool, kindMAC, kindText:
		return out, true
	}
	return out, out.same(v)
}

// fillWords puts the words of a list into one text, unless the place is taken.
func (e *Encoder) fillWords(s spot, f int) {
	if !e.slots.has(f) || e.filled(s) || e.plan.at(s) < 0 {
		return
	}
	if v, ok := e.join(&e.vals[f]); ok == fitYes && v.str != "" {
		e.fill(s, v)
		e.vals[f].name = ""
	}
}

// eventID is what identifies the kind of event in headers that must name one.
func (e *Encoder) eventID() string {
	k := &e.table.known
	if e.ev.class == classFinding { // one id for each signature
		if id := firstOf(e.word(k.code), e.word(k.ruleID), e.word(k.ruleUUID), e.word(k.ruleName)); id != "" {
			return id
		}
	}
	return firstOf(e.word(k.code), e.word(k.action), e.word(k.name), e.word(k.dataset), "log")
}

// title is a short text on what happened in headers that must have one.
func (e *Encoder) title() string {
	k := &e.table.known
	switch name := e.word(k.name); {
	case name != "":
		return name
	case e.ev.class == classFinding && e.has(k.ruleName):
		return e.word(k.ruleName)
	case e.ev.class == classGeneric && e.has(k.action):
		return e.word(k.action)
	case e.ev.class == classAPI && e.bits(categories, k.category)&(catApi|catConfiguration) == catConfiguration:
		return "Configuration change"
	}
	return classTitles[e.ev.class]
}

var classTitles = [numClasses]string{"Log record", "Network connection", "DNS", "HTTP request", "DHCP", "SSH connection", "FTP connection",
	"RDP connection", "SMB connection", "Tunnel", "Mail", "Authentication", "Account change", "Group change", "Process", "File",
	"Registry key", "Registry value", "Module", "Package", "Finding", "Vulnerability", "API call", "Database access"}
