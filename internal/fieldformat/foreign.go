// SPDX-License-Identifier: Apache-2.0

package fieldformat

import (
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// readAlso are names that a format's records use beside those of its column in the table: older and longer names, and
// those whose places the code fills. They lead to another name of the format or to a field.
var readAlso = [numFormats]map[string]string{
	CIM: {
		"_time": "@timestamp", "action": "event.action", "src": "source.address", "dest": "destination.address", "severity": "log.level",
		"user": "user.name", "category": "rule.category", "app": "network.protocol", "vendor_action": "event.action", "tag": "tags",
		"signature": "rule.name", "object": "orchestrator.resource.name",
	},
	ASIM: {
		"TimeGenerated": "@timestamp", "Src": "source.address", "Dst": "destination.address", "SrcIp": "source.ip", "DstIp": "destination.ip",
		"SourceIp": "source.ip", "DestinationIp": "destination.ip", "Dvc": "host.name", "EventResultDetails": "event.reason",
		"DvcAction": "event.action", "Operation": "event.action", "EventOriginalResultDetails": "error.message", "User": "user.name",
		"ActorUserEmail": "user.email", "Url": "url.full", "Object": "orchestrator.resource.name",
	},
	CEF: {
		"deviceVendor": "header.vendor", "deviceProduct": "header.product", "deviceVersion": "header.version", "rt": "@timestamp",
		"deviceEventClassId": "event.code", "header.classid": "event.code", "signatureId": "event.code", "name": "header.name",
		"outcome": "event.outcome", "deviceReceiptTime": "@timestamp", "c6a1": "dvc", "c6a2": "src", "c6a3": "dst",
		"sourceAddress": "src", "destinationAddress": "dst", "sourcePort": "spt", "destinationPort": "dpt", "sourceHostName": "shost",
		"destinationHostName": "dhost", "sourceUserName": "source.user.name", "destinationUserName": "destination.user.name",
		"sourceMacAddress": "smac", "destinationMacAddress": "dmac", "deviceAction": "act", "applicationProtocol": "app",
		"transportProtocol": "proto", "requestUrl": "request", "message": "msg", "deviceHostName": "dvchost", "deviceAddress": "dvc",
		"bytesIn": "in", "bytesOut": "out", "fileSize": "fsize", "filename": "fname", "networkUser": "user.name",
		"networkDirection": "deviceDirection", "header.severity": "event.severity", "severity": "event.severity", "suser": "source.user.name", "duser": "destination.user.name", "suid": "source.user.id",
		"duid": "destination.user.id", "sntdom": "source.user.domain", "dntdom": "destination.user.domain",
		"dvchost": "host.name", "dvc": "host.ip", "dvcmac": "host.mac", "deviceProcessName": "process.name", "cat": "event.dataset",
	},
	LEEF: {
		"devTime": "@timestamp", "header.eventid": "event.code", "resource": "host.name", "usrName": "user.name", "policy": "rule.name",
		"cat": "event.dataset", "srcAddr": "src", "dstAddr": "dst", "networkUser": "user.name", "netDir": "network.direction",
		"domain": "user.domain", "identHostName": "host.name",
		"identSrc": "host.ip", "sev": "event.severity", "action": "event.action", "act": "event.action", "reason": "event.reason", "direction": "network.direction",
	},
	CSL: {
		"TimeGenerated": "@timestamp", "EventOutcome": "event.outcome", "LogSeverity": "event.severity", "SourceIp": "SourceIP", "DestinationIp": "DestinationIP",
		"NetworkDirection": "CommunicationDirection", "NetworkUser": "user.name", "Computer": "host.name", "DeviceName": "host.name",
		"DeviceAddress": "host.ip", "DeviceMacAddress": "host.mac", "SourceUserName": "source.user.name",
		"DestinationUserName": "destination.user.name", "SourceUserID": "source.user.id", "DestinationUserID": "destination.user.id",
		"SourceNTDomain": "source.user.domain", "DestinationNTDomain": "destination.user.domain", "DeviceEventCategory": "event.dataset",
		"ProcessName": "process.name",
	},
	OCSF: {
		"time": "@timestamp", "metadata.original_event_uid": "event.id", "severity": "log.level", "activity_name": "event.action",
		"status": "event.outcome", "device.hostname": "host.name", "device.name": "host.name", "device.ip": "host.ip",
		"device.mac": "host.mac", "device.uid": "host.id", "user.name": "user.name", "user.uid": "user.id", "user.domain": "user.domain",
		"user.email_addr": "user.email", "actor.user.name": "user.name", "actor.user.uid": "user.id", "actor.user.domain": "user.domain",
		"metadata.event_code": "event.code", "email.reply_to": "email.reply_to.address",
	},
	UDM: {
		"metadata.event_timestamp": "@timestamp", "principal.hostname": "host.name", "principal.user.userid": "source.user.name",
		"target.user.userid": "destination.user.name", "principal.asset.hostname": "host.name",
	},
}

// readForeign reads a map in a format that is not the target. Names that the format does not have are read as names of
// ECS and OpenTelemetry.
func (e *Encoder) readForeign(m pcommon.Map, prefix string, f Format) {
	for name, v := range e.byName(m) {
		full := name
		if prefix != "" {
			full = e.dotted(prefix, name)
		} else if f == CEF || f == CSL || f == LEEF {
			if e.describes(m, name) {
				continue
			}
			full = e.customName(m, name)
		}
		switch v.Type() {
		case pcommon.ValueTypeEmpty:
		case pcommon.ValueTypeMap:
			if v.Map().Len() > 0 {
				e.readForeign(v.Map(), full, f)
				continue
			}
			e.toBag(e.attr(v, full))
		case pcommon.ValueTypeSlice:
			e.readForeignList(v, full, f)
		default:
			e.readName(f, full, e.attr(v, full))
		}
	}
}

// readForeignList reads an array: of values as they are, of objects the first as if it stood alone and the others under
// names with their number.
func (e *Encoder) readForeignList(v pcommon.Value, full string, f Format) {
	s := v.Slice()
	if !hasMaps(s) {
		e.readName(f, full, e.attr(v, full))
		return
	}
	for i, el := range s.All() {
		switch {
		case el.Type() != pcommon.ValueTypeMap:
			e.toBag(attr(el, e.dotted(full, strconv.Itoa(i))))
		case strings.HasSuffix(full, "hashes") && e.readHash(el.Map(), full, f):
		case i == 0:
			e.readForeign(el.Map(), full, f)
		default:
			e.toBag(attr(el, e.dotted(full, strconv.Itoa(i))))
		}
	}
}

// readHash reads a fingerprint of OCSF, whose algorithm says which field it is.
func (e *Encoder) readHash(m pcommon.Map, full string, f Format) bool {
	value, ok := m.Get("value")
	if !ok || f != OCSF || value.Type() != pcommon.ValueTypeStr {
		return false
	}
	algorithm := hashBySize[len(value.Str())]
	parent := "file.hash."
	if strings.Contains(full, "process") {
		parent = "process.hash."
	}
	id, ok := e.table.byName[parent+algorithm]
	if !ok {
		return false
	}
	e.store(id, attr(value, full))
	return true
}

// describes tells whether a name of a flat format says something about another value that is there, and is read with it:
// the label of a custom value, or the pattern of a time that needs none.
func (e *Encoder) describes(m pcommon.Map, name string) bool {
	if name == "devTimeFormat" {
		t, ok := m.Get("devTime")
		if !ok {
			return false
		}
		at := e.attr(t, "")
		_, fits := e.convert(kindTime, "", e.table.known.timestamp, &at)
		return fits == fitYes
	}
	base, ok := strings.CutSuffix(name, "Label")
	if !ok || !labelled(base) && !strings.HasPrefix(base, "c6a") {
		return false
	}
	_, ok = m.Get(base)
	if !ok {
		_, ok = m.Get("Field" + base)
	}
	return ok
}

// customName names a custom value by its label.
func (e *Encoder) customName(m pcommon.Map, name string) string {
	base := strings.TrimPrefix(name, "Field")
	if labelled(base) {
		if v, ok := m.Get(base + "Label"); ok && v.Type() == pcommon.ValueTypeStr && v.Str() != "" {
			label := e.attr(v, "")
			label.look()
			return e.labelName(label.str)
		}
	}
	return name
}

// hashNames are names of hashes whose length says which they are, with the fields that they belong to.
var hashNames = map[string]string{"fileHash": "file.hash.", "FileHash": "file.hash.", "file_hash": "file.hash.", "process_hash": "process.hash."}

var hashBySize = map[int]string{32: "md5", 40: "sha1", 64: "sha256", 128: "sha512"}

// readName takes one value of a record in the format f.
func (e *Encoder) readName(f Format, name string, v val) {
	e.hint(f, name, &v)
	switch {
	case f == OCSF && (e.ev.class == classAccount || e.ev.class == classGroup) && strings.HasPrefix(name, "user."): // whom the change is about
		name = ocsfTargets[name]
		if name == "" {
			e.toBag(v)
			return
		}
	case f == UDM && name == "principal.hostname" && classNet <= e.ev.class && e.ev.class <= classEmail: // one end of a connection
		name = "source.domain"
	case f == ASIM && name == "EventSubType" && e.ev.class != classDNS:
		name = "event.subtype"
		if e.ev.class == classAuth {
			name = "winlog.event_data.LogonType"
		}
	}
	if parent, ok := hashNames[name]; ok {
		v.look()
		id, known := -1, false
		if v.typ == typStr && isHex(v.str) {
			id, known = e.table.byName[parent+hashBySize[len(v.str)]]
		}
		if !known {
			e.toBag(v)
			return
		}
		e.store(id, v)
		return
	}
	id, ok := e.table.reader[f][name]
	if !ok {
		k, known := e.table.keys[name]
		if !known || k.field < 0 {
			e.toBag(v)
			return
		}
		id = k.field
	}
	e.adapt(f, id, &v)
	e.store(id, v)
}

// ocsfTargets are the fields of the user that a change of accounts or groups is about.
var ocsfTargets = map[string]string{"user.name": "user.target.name", "user.uid": "user.target.id", "user.domain": "user.target.domain",
	"user.email_addr": "user.target.email", "user.full_name": "user.target.full_name"}

// ocsfActivity is the activity behind a number of a class, the first of several.
func ocsfActivity(c class, id int64) activity {
	found := actNone
	for a, n := range ocsfClasses[c].activities {
		if n == id && (found == actNone || a < found) {
			found = a
		}
	}
	return found
}

// asimActivities are the activities behind an EventType.
var asimActivities = func() map[string]activity {
	m := map[string]activity{}
	for c := range asimTypes {
		for a, name := range asimTypes[c] {
			if old, taken := m[name]; a != actNone && (!taken || a < old) {
				m[name] = a
			}
		}
	}
	return m
}()

// adapt brings a value from the measure of its format to that of ECS.
func (e *Encoder) adapt(f Format, field int, v *val) {
	k := &e.table.known
	switch field {
	case k.direction, k.duration, k.netType, k.outcome, k.transport:
		v.look()
		v.in = nil
	}
	switch field {
	case k.direction:
		n, ok := v.int()
		switch {
		case v.typ == typStr && !ok:
			v.str = e.lower(v.str)
		case !ok:
		case f == CEF || f == CSL:
			if n == 0 || n == 1 {
				*v = val{typ: typStr, str: [...]string{"inbound", "outbound"}[n], name: "network.direction"}
			}
		case f == OCSF && n >= 0 && n <= 4:
			*v = val{typ: typStr, str: [...]string{"unknown", "inbound", "outbound", "lateral", "local"}[n], name: "network.direction"}
		}
	case k.duration:
		switch f {
		case OCSF, ASIM:
			if n, ok := v.int(); ok && n >= 0 && n < 1<<42 {
				*v = val{typ: typInt, num: n * 1e6, name: "event.duration"}
			}
		case CIM:
			if x, ok := v.toFloat(); ok == fitYes {
				s := x.float()
				if x.typ == typInt {
					s = float64(x.num)
				}
				if s >= 0 && s < 9e9 {
					*v = val{typ: typInt, num: int64(s * 1e9), name: "event.duration"}
				}
			}
		case UDM:
			if text, ok := strings.CutSuffix(v.str, "s"); ok && v.typ == typStr {
				t := strVal(text)
				if x, fits := t.toFloat(); fits == fitYes && x.float() >= 0 && x.float() < 9e9 {
					*v = val{typ: typInt, num: int64(x.float() * 1e9), name: "event.duration"}
				}
			}
		}
	case k.netType:
		if n, ok := v.int(); ok && (n == 4 || n == 6) {
			*v = val{typ: typStr, str: [...]string{4: "ipv4", 6: "ipv6"}[n], name: v.name}
		} else if v.typ == typStr {
			v.str = e.lower(v.str)
		}
	case k.outcome:
		if v.typ == typStr && f != none {
			if _, ok := outcomes[e.lower(v.str)]; ok {
				v.str = e.lower(v.str)
			}
		}
	case k.transport:
		if v.typ == typStr {
			v.str = e.lower(v.str)
		}
	}
}

// hints are the names that say more than a field can.
var hints = map[string]bool{"class_uid": true, "severity_id": true, "disposition": true, "action": true, "EventSchema": true, "EventSeverity": true,
	"EventResult": true, "severity": true, "header.severity": true, "LogSeverity": true, "sev": true, "metadata.event_type": true,
	"security_result.severity": true, "security_result.action": true, "status_id": true, "action_id": true, "disposition_id": true,
	"activity_id": true, "EventType": true, "vendor_product": true}

// hint learns from a name of a format what cannot be told by a field: class, severity, verdict.
func (e *Encoder) hint(f Format, name string, v *val) {
	if !hints[name] {
		return
	}
	v.look()
	switch f {
	case OCSF:
		switch name {
		case "class_uid":
			if n, ok := v.int(); ok {
				if c, known := ocsfClassOf[n]; known {
					e.ev.class = c
				}
			}
		case "severity_id":
			if n, ok := v.int(); ok && n >= 1 && n <= 6 {
				e.ev.severity = [...]severity{{1, 2, true}, {2, 3, true}, {3, 5, true}, {4, 8, true}, {5, 10, true}, {6, 10, true}}[n-1]
			}
		case "activity_id":
			if n, ok := v.int(); ok && e.ev.activity == actNone {
				e.ev.activity = ocsfActivity(e.ev.class, n)
			}
		case "status_id":
			switch n, _ := v.int(); n {
			case 1:
				e.derived(e.table.known.outcome, strVal("success"))
			case 2:
				e.derived(e.table.known.outcome, strVal("failure"))
			}
		case "action_id", "disposition_id":
			if n, ok := v.int(); ok && e.ev.verdict == nil {
				e.ev.verdict = map[string]map[int64]*verdict{"action_id": {1: &verdictAllow, 2: &verdictDeny},
					"disposition_id": {1: &verdictAllow, 2: &verdictDeny, 3: &verdictHold, 6: &verdictDrop, 19: &verdictAlert, 21: &verdictReset}}[name][n]
			}
		case "disposition", "action":
			if w := fold(verdicts, v.str); w != nil {
				e.ev.verdict = w
			}
		}
	case ASIM:
		switch name {
		case "EventSchema":
			if c, ok := asimSchemaOf[v.str]; ok && v.typ == typStr {
				e.ev.class, e.ev.schema = c, v.str
			}
		case "EventType":
			if a, ok := asimActivities[v.str]; ok && v.typ == typStr && e.ev.activity == actNone {
				e.ev.activity = a
			}
		case "EventSeverity":
			e.wordSeverity(v)
		case "EventResult":
			e.derived(e.table.known.outcome, strVal(strings.ToLower(v.str)))
		}
	case CIM:
		switch name {
		case "vendor_product":
			if vendor, product, ok := strings.Cut(v.str, " "); ok {
				e.derived(e.table.known.vendor, strVal(vendor))
				e.derived(e.table.known.product, strVal(product))
			} else {
				e.derived(e.table.known.product, strVal(v.str))
			}
		case "severity":
			e.wordSeverity(v)
		case "action":
			if o := fold(outcomes, v.str); o == outcomeSuccess || o == outcomeFailure {
				e.derived(e.table.known.outcome, *v)
			}
		}
	case CEF, CSL, LEEF:
		switch name {
		case "header.severity", "LogSeverity", "severity", "sev":
			if n, ok := v.int(); ok {
				e.ev.severity = severityOfScale(n)
			} else {
				e.wordSeverity(v)
			}
		}
	case UDM:
		switch name {
		case "metadata.event_type":
			if ct, ok := udmClassOf[v.str]; ok && v.typ == typStr {
				e.ev.class, e.ev.activity = ct.class, ct.activity
			}
		case "security_result.severity":
			e.wordSeverity(v)
		case "security_result.action":
			w, _ := e.plain(v)
			switch w {
			case "FAIL":
				e.derived(e.table.known.outcome, strVal("failure"))
			case "ALLOW", "BLOCK", "QUARANTINE":
				e.ev.verdict = fold(verdicts, w)
			}
		}
	}
}

func (e *Encoder) wordSeverity(v *val) {
	v.look()
	if s, ok := severityWords[e.lower(v.str)]; ok && v.typ == typStr {
		e.ev.severity = s
	}
}

// keepMap takes a map that is in the target format: its values are written as they are.
func (e *Encoder) keepMap(m pcommon.Map) {
	for name, v := range e.byName(m) {
		if name == "devTimeFormat" && e.format == LEEF && e.describes(m, name) {
			continue // devTime is written as a number, which needs no pattern
		}
		e.keep(e.attr(v, name))
	}
}

func (e *Encoder) keep(v val) {
	if v.typ == typNone {
		return
	}
	came := v.name
	if e.format == CEF {
		if short, ok := cefShort[came]; ok {
			v.name = short
		}
	}
	e.hint(e.format, v.name, &v)
	if v.name == "metadata" && v.typ == typMap {
		for name, sub := range v.pv.Map().All() {
			a := e.attr(sub, e.dotted("metadata", name))
			e.hint(e.format, a.name, &a)
		}
	}
	for i := range e.own {
		if e.own[i].name == v.name {
			if !e.own[i].same(&v) {
				v.name = came
				e.toBag(v)
			}
			return
		}
	}
	e.own = append(e.own, v)
}

// ---- lines

// readLine reads a text that is a line of CEF or LEEF. A syslog header may stand before it.
func (e *Encoder) readLine(body string) bool {
	l, ok := e.parseLine(body)
	if !ok {
		return false
	}
	if e.shape == none {
		e.shape = l.format
	}
	before := 0 // values of the line before the pairs
	if l.head != "" {
		e.toBag(val{typ: typStr, str: l.head, name: "syslog.header", in: e.lineInput(0)})
		before = 1
	}
	described := false
	if i := find(l.pairs, "devTime"); i >= 0 && l.format == LEEF {
		described = e.test(&val{typ: typStr, str: l.pairs[i].value, in: e.lineInput(before + i)}, isTime)
	}
	for i, p := range l.pairs {
		if p.value == "" || described && p.key == "devTimeFormat" {
			continue
		}
		v := val{typ: typStr, str: p.value, name: p.key, in: e.lineInput(before + i)}
		if l.format == e.format {
			e.keep(v)
		} else {
			e.readName(l.format, p.key, v)
		}
	}
	return true
}

func isTime(s string) bool {
	_, ok := parseTime(s)
	return ok
}

// A line is what a text says that is a line of CEF or LEEF.
type line struct {
	format Format
	head   string // the syslog header before it
	pairs  []pair // until the next line is parsed
}

// parseLine reads a line. It returns false if the text is none.
func (e *Encoder) parseLine(s string) (l line, ok bool) {
	mark := len(e.arena)
	var rest string
	switch l.head, rest, l.format = findLine(s); l.format {
	case CEF:
		l.pairs, ok = e.parseCEF(rest)
	case LEEF:
		l.pairs, ok = e.parseLEEF(rest)
	}
	if !ok {
		e.arena = e.arena[:mark]
	}
	return l, ok
}

func isLine(s string) bool {
	_, _, f := findLine(s)
	return f != none
}

// findLine finds where a line of CEF or LEEF begins: at the start or behind a syslog header.
func findLine(s string) (head, rest string, f Format) {
	for _, c := range []struct {
		mark   string
		format Format
	}{{"CEF:", CEF}, {"LEEF:", LEEF}} {
		i := strings.Index(s[:min(len(s), 512)], c.mark)
		if i < 0 || len(s) <= i+len(c.mark) || s[i+len(c.mark)] < '0' || s[i+len(c.mark)] > '9' {
			continue
		}
		if i > 0 && (s[i-1] != ' ' || !looksLikeSyslog(s)) {
			continue
		}
		return strings.TrimSuffix(s[:i], " "), s[i:], c.format
	}
	return "", "", none
}

// looksLikeSyslog tells a syslog header from a sentence: a priority, a date or a year comes first.
func looksLikeSyslog(s string) bool {
	if s[0] == '<' || '0' <= s[0] && s[0] <= '9' {
		return true
	}
	for _, month := range []string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"} {
		if strings.HasPrefix(s, month+" ") {
			return true
		}
	}
	return false
}

// A pair is one value of a line. Fields of the header have keys that begin with "header.".
type pair struct{ key, value string }

// parseCEF reads a CEF line: seven fields of a header, each ended by a pipe, then key=value pairs.
func (e *Encoder) parseCEF(s string) ([]pair, bool) {
	names := [...]string{"header.cef", "header.vendor", "header.product", "header.version", "header.classid", "header.name", "header.severity"}
	pairs := e.pairs[:0]
	for _, name := range names {
		i := unescapedPipe(s)
		if i < 0 {
			return nil, false
		}
		if name != "header.cef" {
			pairs = append(pairs, pair{name, e.unescape(s[:i])})
		}
		s = s[i+1:]
	}
	return e.parseExtension(s, pairs), true
}

func unescapedPipe(s string) int {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '|':
			return i
		}
	}
	return -1
}

// parseExtension reads key=value pairs. A value ends where a blank and the next key begin. Text before the first key is
// kept under the key "extension". A custom field goes by its label.
func (e *Encoder) parseExtension(s string, pairs []pair) []pair {
	s = strings.TrimRight(s, "\r\n")
	key, from := "", 0
	flush := func(to int) {
		value := e.unescape(strings.TrimRight(s[from:max(from, to)], " "))
		switch {
		case key != "":
			pairs = append(pairs, pair{key, value})
		case strings.TrimSpace(value) != "":
			pairs = append(pairs, pair{"extension", strings.TrimSpace(value)})
		}
	}
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' {
			i++
			continue
		}
		if s[i] != '=' {
			continue
		}
		start := i
		for start > from && isKeyByte(s[start-1]) {
			start--
		}
		if start == i || start > 0 && (s[start-1] != ' ' || start < from) {
			continue // not a key: a bare = within a value
		}
		if start > 0 || key != "" {
			flush(start)
		}
		key, from = s[start:i], i+1
	}
	flush(len(s))
	e.pairs = pairs
	if e.format == CEF {
		return pairs
	}
	e.labelled = e.byLabel(e.labelled[:0], pairs)
	return e.labelled
}

func isKeyByte(c byte) bool {
	l := lowerByte(c)
	return 'a' <= l && l <= 'z' || '0' <= l && l <= '9' || c == '_' || c == '.' || c == '-' || c == '[' || c == ']'
}

// labelled are keys that have a label of their own: the label is the name of the value.
func labelled(key string) bool {
	base := key
	for base != "" && '1' <= base[len(base)-1] && base[len(base)-1] <= '6' {
		base = base[:len(base)-1]
	}
	if len(base) == len(key) {
		return false
	}
	switch base {
	case "cs", "cn", "cfp", "deviceCustomDate", "flexString", "flexDate", "flexNumber",
		"DeviceCustomString", "DeviceCustomNumber", "DeviceCustomFloatingPoint", "DeviceCustomDate", "FlexString", "FlexDate", "FlexNumber":
		return true
	}
	return key == "c6a4"
}

// byLabel appends pairs with custom values named by their labels, without the labels.
func (e *Encoder) byLabel(out, pairs []pair) []pair {
	for _, p := range pairs {
		if base, ok := strings.CutSuffix(p.key, "Label"); ok && (labelled(base) || strings.HasPrefix(base, "c6a")) {
			if find(pairs, base) >= 0 {
				continue
			}
		}
		if labelled(p.key) {
			if j := find(pairs, p.key+"Label"); j >= 0 && pairs[j].value != "" {
				p.key = e.labelName(pairs[j].value)
			}
		}
		out = append(out, p)
	}
	return out
}

// labelName finds the field behind a usual label.
func (e *Encoder) labelName(label string) string {
	switch e.lower(label) {
	case "rule", "rule name", "rulename", "rule_name":
		return "rule.name"
	case "threat", "threat name", "threatname", "virus", "virus name", "virusname", "malware", "malware name":
		return "threat.software.name"
	case "cve", "cve id":
		return "vulnerability.id"
	}
	return label
}

func find(pairs []pair, key string) int {
	for i := range pairs {
		if pairs[i].key == key {
			return i
		}
	}
	return -1
}

// unescape undoes the escapes of CEF: a backslash before a backslash, a pipe, an equals sign, n or r.
func (e *Encoder) unescape(s string) string {
	i := strings.IndexByte(s, '\\')
	if i < 0 {
		return s
	}
	at := len(e.arena)
	e.arena = append(e.arena, s[:i]...)
	for ; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			switch s[i+1] {
			case '\\', '|', '=':
				i++
			case 'n':
				e.arena = append(e.arena, '\n')
				i++
				continue
			case 'r':
				e.arena = append(e.arena, '\r')
				i++
				continue
			}
		}
		e.arena = append(e.arena, s[i])
	}
	return e.since(at)
}

// parseLEEF reads a LEEF line, version 1.0 or 2.0. A line of version 2.0 may lack the field that names the delimiter.
func (e *Encoder) parseLEEF(s string) ([]pair, bool) {
	s = strings.TrimRight(s, "\r\n")
	version, rest, ok := strings.Cut(strings.TrimPrefix(s, "LEEF:"), "|")
	if !ok || version != "1.0" && version != "2.0" {
		return nil, false
	}
	pairs := e.pairs[:0]
	for _, name := range [...]string{"header.vendor", "header.product", "header.version", "header.eventid"} {
		field, after, ok := strings.Cut(rest, "|")
		if !ok {
			return nil, false
		}
		pairs = append(pairs, pair{name, field})
		rest = after
	}
	delimiter := "\t"
	if version[0] == '2' {
		if field, after, ok := strings.Cut(rest, "|"); ok {
			if d, ok := delimiterOf(field); ok {
				delimiter, rest = d, after
			}
		}
	}
	for piece := range strings.SplitSeq(rest, delimiter) {
		key, value, ok := strings.Cut(piece, "=")
		key = strings.TrimSpace(key)
		switch {
		case ok && key != "":
			pairs = append(pairs, pair{key, value})
		case strings.TrimSpace(piece) != "":
			pairs = append(pairs, pair{"attribute", piece})
		}
	}
	e.pairs = pairs
	return pairs, true
}

// delimiterOf reads the sixth field of a LEEF 2.0 header: one character, or its code as x09 or 0x09.
func delimiterOf(field string) (string, bool) {
	switch {
	case field == "":
		return "\t", true
	case len([]rune(field)) == 1:
		return field, true
	}
	hex, ok := strings.CutPrefix(field, "0x")
	if !ok {
		hex, ok = strings.CutPrefix(field, "x")
	}
	if !ok || len(hex) > 4 {
		return "", false
	}
	n, err := strconv.ParseUint(hex, 16, 16)
	if err != nil || n == 0 {
		return "", false
	}
	return string(rune(n)), true
}
