// SPDX-License-Identifier: Apache-2.0

package fieldformat

import (
	"path"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/jsontext"
)

// A mark is what the presence of a name says about the format of a record.
type mark uint16

const (
	markClassUID mark = 1 << iota
	markCategory
	markTime
	markMetadata
	markUDM
	markECS
	markTimeGenerated
	markLogSeverity
	markSplunkTime
	markDevTime
	markCEFTime
	markCEFVendor
	markCEFProduct
	markOverride // of the class
)

var marks = map[string]mark{
	"class_uid": markClassUID, "category_uid": markCategory, "time": markTime, "metadata": markMetadata,
	"metadata.event_type": markUDM, "metadata.event_timestamp": markUDM,
	"@timestamp": markECS, "ecs.version": markECS, "TimeGenerated": markTimeGenerated, "LogSeverity": markLogSeverity,
	"_time": markSplunkTime, "devTime": markDevTime, "rt": markCEFTime, "deviceVendor": markCEFVendor, "deviceProduct": markCEFProduct,
	"ocsf.class_uid": markOverride, "udm.event_type": markOverride, "asim.schema": markOverride,
}

// marksLower are the marks by lower-case name: detection does not regard case.
var marksLower = func() map[string]mark {
	m := map[string]mark{}
	for name, k := range marks {
		m[strings.ToLower(name)] = k
	}
	return m
}()

// detect tells the format of a record by the names it uses, the most telling first.
func (m mark) detect() Format {
	switch {
	case m&markClassUID != 0 && m&(markTime|markCategory) != 0:
		return OCSF
	case m&markUDM != 0:
		return UDM
	case m&markECS != 0:
		return ECS
	case m&markTimeGenerated != 0 && m&markLogSeverity != 0:
		return CSL
	case m&markTimeGenerated != 0:
		return ASIM
	case m&markSplunkTime != 0:
		return CIM
	case m&markDevTime != 0:
		return LEEF
	case m&markCEFTime != 0, m&markCEFVendor != 0 && m&markCEFProduct != 0:
		return CEF
	}
	return none
}

// detectMap looks at the names of a map, nested or dotted.
func (e *Encoder) detectMap(m pcommon.Map) (found mark) {
	for name, v := range m.All() {
		if len(name) >= len(markLetters) || markLetters[len(name)]&(1<<(name0(name)&63)) == 0 {
			continue
		}
		k := fold(marksLower, name)
		if k == markClassUID {
			if a := e.attr(v, ""); !isClassUID(&a) {
				continue
			}
		}
		if k == markMetadata && v.Type() == pcommon.ValueTypeMap {
			for sub := range v.Map().All() {
				if strings.EqualFold(sub, "event_type") || strings.EqualFold(sub, "event_timestamp") {
					k = markUDM
				}
			}
		}
		found |= k
		if name == "ecs" && v.Type() == pcommon.ValueTypeMap {
			if _, ok := v.Map().Get("version"); ok {
				found |= markECS
			}
		}
	}
	return found
}

// isClassUID tells whether a value can be the uid of a class of OCSF or of its extensions.
func isClassUID(v *val) bool {
	n, ok := v.int()
	return ok && (n == 0 || 1000 < n && n < 9000 || 100000 < n && n < 1000000)
}

// markLetters are the first letters that a telling name of a length can have, as bits. Almost every other name is told
// apart by them.
var markLetters = func() (table [25]uint64) {
	for name := range marksLower {
		table[len(name)] |= 1 << (name0(name) & 63)
	}
	table[len("ecs")] |= 1 << ('e' & 63)
	return table
}()

func name0(name string) byte {
	if name == "" {
		return 0
	}
	return lowerByte(name[0])
}

// read fills the slots: attributes first, then the body, the resource and the fields of the record itself, because what
// comes first wins.
func (e *Encoder) read(r plog.LogRecord) {
	if n := int64(r.Timestamp()); n >= earliest { // else it is no time at all
		e.ev.time = val{typ: typTime, num: n, in: e.input(slotTime)}
	}
	if n := int64(r.ObservedTimestamp()); n >= earliest {
		e.ev.observed = val{typ: typTime, num: n, in: e.input(slotObserved)}
	}
	e.origin = ""
	e.shape = e.readAny(r.Attributes())
	e.origin = "body."
	e.readBody(r.Body())
	e.origin = "resource."
	for i := range e.resource {
		if s := &e.resource[i]; s.field >= 0 {
			e.store(s.field, s.val)
		} else {
			e.toBag(s.val)
		}
	}
	e.origin = "record."
	e.readRecord(r)
}

// readAny reads a map in whatever format it is, and returns that format.
func (e *Encoder) readAny(m pcommon.Map) Format {
	f := e.detectMap(m).detect()
	switch {
	case f == none:
		e.readMap(m, "", e.table.keys)
	case f == ECS:
		e.readMap(m, "", e.table.keys)
	case f == e.format:
		e.keepMap(m)
	default:
		e.hintClass(m, f)
		e.readForeign(m, "", f)
	}
	return f
}

// hintClass learns the class that a record names, on which the meaning of other names depends.
func (e *Encoder) hintClass(m pcommon.Map, f Format) {
	name := map[Format]string{OCSF: "class_uid", UDM: "metadata.event_type", ASIM: "EventSchema"}[f]
	if name == "" {
		return
	}
	v, ok := m.Get(name)
	if parent, sub, nested := strings.Cut(name, "."); !ok && nested {
		if outer, is := m.Get(parent); is && outer.Type() == pcommon.ValueTypeMap {
			v, ok = outer.Map().Get(sub)
		}
	}
	if ok {
		a := e.attr(v, name)
		e.hint(f, name, &a)
	}
}

// readMap reads names of ECS and OpenTelemetry, dotted or nested.
func (e *Encoder) readMap(m pcommon.Map, prefix string, keys map[string]key) {
	for name, v := range e.byName(m) {
		full := name
		if prefix != "" {
			full = e.dotted(prefix, name)
		}
		k, ok := keys[full]
		if ok && k.mark&markOverride != 0 && e.override(full, v) {
			continue
		}
		switch v.Type() {
		case pcommon.ValueTypeEmpty:
			continue
		case pcommon.ValueTypeMap:
			if v.Map().Len() > 0 && !(ok && k.field >= 0 && e.takesMap(k.field)) {
				e.readMap(v.Map(), full, keys)
				continue
			}
		case pcommon.ValueTypeSlice:
			if ok && k.field == e.table.known.dnsAnswers && !hasMaps(v.Slice()) {
				k.field = e.table.known.dnsAnswerData
			}
		}
		if ok && k.field >= 0 {
			e.store(k.field, e.attr(v, full))
		} else {
			e.toBag(e.attr(v, full))
		}
	}
}

func (e *Encoder) takesMap(f int) bool {
	k := e.table.fields[f].kind
	return k == kindObject && !e.table.prefix[e.table.fields[f].name] || k == kindGeo
}

func hasMaps(s pcommon.Slice) bool {
	return s.Len() > 0 && s.At(0).Type() == pcommon.ValueTypeMap
}

// dotted joins two names. For a resource the text must outlive the record.
func (e *Encoder) dotted(prefix, name string) string {
	if e.now {
		return prefix + "." + name
	}
	at := len(e.arena)
	e.arena = append(append(append(e.arena, prefix...), '.'), name...)
	return e.since(at)
}

// override takes a class that the record names itself. It says false, so that the value is kept, if the target is another
// format or does not have that class.
func (e *Encoder) override(name string, v pcommon.Value) bool {
	if e.now {
		return false
	}
	a := e.attr(v, name)
	a.look()
	switch {
	case name == "ocsf.class_uid" && e.format == OCSF:
		if n, ok := a.int(); ok {
			if c, known := ocsfClassOf[n]; known {
				e.ev.class, e.ev.override = c, a
				return true
			}
		}
	case name == "udm.event_type" && e.format == UDM && a.typ == typStr:
		if _, known := udmEvents[a.str]; known {
			e.ev.udmType, e.ev.override = a.str, a
			if ct, ok := udmClassOf[a.str]; ok {
				e.ev.class, e.ev.activity = ct.class, ct.activity
			}
			return true
		}
	case name == "asim.schema" && e.format == ASIM && a.typ == typStr:
		if s, known := asimSchemaOf[a.str]; known {
			e.ev.schema, e.ev.class, e.ev.override = a.str, s, a
			return true
		}
	}
	return false
}

// readBody reads the body: text of a known format, a map, or a message.
func (e *Encoder) readBody(b pcommon.Value) {
	k := &e.table.known
	switch b.Type() {
	case pcommon.ValueTypeEmpty:
	case pcommon.ValueTypeStr:
		v := e.attr(b, "message")
		if e.readLine(b.Str()) {
			return
		}
		e.store(k.message, v)
	case pcommon.ValueTypeMap:
		f := e.readAny(b.Map())
		if e.shape == none {
			e.shape = f
		}
	case pcommon.ValueTypeBytes:
		e.store(k.message, e.attr(b, "message"))
	default:
		at := len(e.arena)
		e.arena = jsontext.AppendValue(e.arena, b)
		e.store(k.message, val{typ: typStr, str: e.since(at), name: "message"})
	}
}

// readRecord reads the fields of the record itself.
func (e *Encoder) readRecord(r plog.LogRecord) {
	k := &e.table.known
	if e.has(k.timestamp) {
		if at, ok := e.convert(kindTime, "", k.timestamp, &e.vals[k.timestamp]); ok == fitYes {
			e.keepTime(&at)
			e.ev.time = at
			e.slots.drop(k.timestamp)
		} else {
			v := e.vals[k.timestamp]
			e.slots.drop(k.timestamp)
			e.toBag(v)
		}
	}
	for _, f := range [...]int{k.syslogMsgID, k.syslogProcID, k.syslogApp, k.syslogHost} { // RFC 5424 writes - for nothing
		if v := e.vals[f]; e.has(f) && v.typ == typStr && e.test(&v, isNil) {
			e.slots.drop(f)
			e.toBag(v)
		}
	}
	e.derived(k.created, e.ev.observed)
	e.readSeverity(r)
	e.keepSeverityNumber(int32(r.SeverityNumber()))
	if r.EventName() != "" {
		if e.has(k.action) && e.word(k.action) != r.EventName() {
			e.store(e.table.known.name, val{typ: typStr, str: r.EventName(), name: "event.name"})
		} else {
			e.store(k.action, val{typ: typStr, str: r.EventName(), name: "event.action"})
			e.derived(k.name, strVal(r.EventName()))
		}
	}
	if id := r.TraceID(); !id.IsEmpty() {
		e.store(k.traceID, val{typ: typStr, str: e.hex(id[:]), name: "trace.id", in: e.input(slotTrace)})
	}
	if id := r.SpanID(); !id.IsEmpty() {
		e.store(k.spanID, val{typ: typStr, str: e.hex(id[:]), name: "span.id", in: e.input(slotSpan)})
	}
	if flags := r.Flags(); flags != 0 {
		e.toBag(val{typ: typInt, num: int64(flags), name: "trace_flags"})
	}
	if n := r.DroppedAttributesCount(); n != 0 {
		e.toBag(val{typ: typInt, num: int64(n), name: "otel.dropped_attributes_count"})
	}
	if e.fromName != "" {
		e.store(k.logger, val{typ: typStr, str: e.fromName, name: "otel.scope.name"})
	}
	if e.fromVer != "" {
		e.toBag(val{typ: typStr, str: e.fromVer, name: "otel.scope.version"})
	}
}

// keepTime keeps the record's own time if another one, which stands for it, says something else.
func (e *Encoder) keepTime(instead *val) {
	if t := e.ev.time; t.typ != typNone && !t.same(instead) {
		t.text, t.name = true, "otel.timestamp"
		e.toBag(t)
	}
}

// readSeverity settles the severity: a word that the source gave, else SeverityNumber, else a number that the source gave.
func (e *Encoder) readSeverity(r plog.LogRecord) {
	k := &e.table.known
	fromAttributes := e.has(k.level, k.severity)
	if t := r.SeverityText(); t != "" {
		e.store(k.level, val{typ: typStr, str: t, name: "log.level"})
	}
	if e.ev.severity.level != 0 || e.ev.severity.number >= 0 {
		return // a format's own severity
	}
	if e.has(k.severity) && e.vals[k.severity].typ == typStr {
		if s, ok := severityWords[e.lower(e.word(k.severity))]; ok {
			e.ev.severity = s
			if !e.has(k.level) {
				e.derived(k.level, strVal(e.word(k.severity)))
			}
			return
		}
	}
	if fromAttributes && e.has(k.level) {
		if s, ok := severityWords[e.lower(e.word(k.level))]; ok {
			e.ev.severity = s
			return
		}
	}
	if n := r.SeverityNumber(); n != 0 {
		e.ev.severity = severityOfNumber(int32(n))
		e.derived(k.severity, intVal(int64(n)))
		if !e.has(k.level) {
			e.derived(k.level, strVal(levelOf(int32(n))))
		}
		return
	}
	if e.has(k.severity) {
		if n, ok := e.vals[k.severity].int(); ok {
			if n > 10 && n <= 100 {
				n /= 10
			}
			e.ev.severity = severityOfScale(n)
			return
		}
	}
	if e.has(k.level) {
		if s, ok := severityWords[e.lower(e.word(k.level))]; ok {
			e.ev.severity = s
			return
		}
	}
	if e.has(k.syslogSeverity) {
		if n, ok := e.vals[k.syslogSeverity].int(); ok {
			e.ev.severity = severityOfSyslog(n)
		}
	}
}

// keepSeverityNumber keeps SeverityNumber where the source's own severity has won: as event.severity if both say the same,
// in the bag if they do not.
func (e *Encoder) keepSeverityNumber(n int32) {
	k := &e.table.known
	switch {
	case n == 0:
	case severityOfNumber(n).level != e.ev.severity.level:
		if own, ok := e.vals[k.severity].int(); !e.has(k.severity) || !ok || own != int64(n) {
			e.toBag(val{typ: typInt, num: int64(n), name: "otel.severity_number"})
		}
	case e.shape == none || e.shape == ECS:
		e.derived(k.severity, intVal(int64(n)))
	}
}

func levelOf(n int32) string {
	if n < 1 || n > 24 {
		return ""
	}
	return [...]string{"trace", "debug", "info", "warn", "error", "fatal"}[(n-1)/4]
}

// derive fills fields that follow from others, for formats that have places for the parts.
func (e *Encoder) derive() {
	k := &e.table.known
	e.address(k.sourceAddress, k.sourceIP, k.sourceDomain)
	e.address(k.clientAddress, k.clientIP, k.clientDomain)
	e.address(k.destAddress, k.destIP, k.destDomain)
	e.address(k.serverAddress, k.serverIP, k.serverDomain)
	if !e.has(k.sourceIP, k.sourceDomain, k.clientIP, k.clientDomain) {
		e.rename(k.peerAddress, k.sourceIP)
		e.rename(k.peerPort, k.sourcePort)
	}
	if !e.has(k.destIP, k.destDomain, k.serverIP, k.serverDomain) {
		e.rename(k.localAddress, k.destIP)
		e.rename(k.localPort, k.destPort)
	}
	if e.has(k.filePath) && !e.has(k.fileName) {
		e.derived(k.fileName, e.baseName(&e.vals[k.filePath]))
	}
	if e.has(k.processPath) && !e.has(k.processName) {
		e.derived(k.processName, e.baseName(&e.vals[k.processPath]))
	}
	if e.has(k.sourceBytes) && e.has(k.destBytes) && !e.has(k.networkBytes) {
		a, ok1 := e.convert(kindUint, "", k.sourceBytes, &e.vals[k.sourceBytes])
		b, ok2 := e.convert(kindUint, "", k.destBytes, &e.vals[k.destBytes])
		if ok1 == fitYes && ok2 == fitYes {
			if sum, ok := e.take(step{op: opSum}, &a, &b); ok == fitYes {
				e.derived(k.networkBytes, sum)
			}
		}
	}
	if e.format != ECS && e.has(k.urlPath) && e.has(k.urlQuery) && !e.has(k.urlFull, k.urlOriginal) {
		path, ok1 := e.convert(kindText, "", k.urlPath, &e.vals[k.urlPath])
		query, ok2 := e.convert(kindText, "", k.urlQuery, &e.vals[k.urlQuery])
		if ok1 == fitYes && ok2 == fitYes {
			original, _ := e.take(step{op: opQuery}, &path, &query)
			e.derived(k.urlOriginal, original)
		}
	}
}

// address splits an address, which may be a name, an IP address or the path of a socket.
// In formats other than ECS the address is then told by its parts.
func (e *Encoder) address(from, ip, domain int) {
	if !e.has(from) {
		return
	}
	v := e.vals[from]
	part := domain
	if v.typ != typStr {
		return
	}
	if e.test(&v, bracketed) { // an IPv6 address as in a URL
		v.look()
		v.str, v.in = v.str[1:len(v.str)-1], nil
	}
	if e.test(&v, isIP) {
		part = ip
	}
	if e.format == ECS {
		if !e.has(ip, domain) {
			e.derived(part, v)
		}
		return
	}
	e.slots.drop(from)
	e.origin = ""
	if e.has(part) && e.vals[part].same(&v) {
		return
	}
	if e.has(part) {
		e.toBag(v)
		return
	}
	e.store(part, v)
}

func isNil(s string) bool { return s == "-" }

func bracketed(s string) bool {
	return len(s) > 2 && s[0] == '[' && s[len(s)-1] == ']' && isIP(s[1:len(s)-1])
}

// rename moves a value to another field, whose place it takes.
func (e *Encoder) rename(from, to int) {
	if e.has(from) && !e.has(to) {
		v := e.vals[from]
		if _, ok := e.convert(e.table.fields[to].kind, "", to, &v); ok != fitYes {
			return
		}
		e.slots.drop(from)
		e.slots.add(to)
		e.vals[to] = v
	}
}

// baseName is the last segment of a path, if it has one.
func (e *Encoder) baseName(path *val) val {
	if path.typ != typStr {
		s, _ := e.plain(path)
		return strVal(baseName(s))
	}
	name, _ := e.take(step{op: opBaseName}, path, nil)
	return name
}

// baseName is the last segment of a path of either kind.
func baseName(s string) string {
	if i := strings.LastIndexByte(s, '\\'); i >= 0 {
		return s[i+1:]
	}
	if strings.HasSuffix(s, "/") || s == "" {
		return ""
	}
	return path.Base(s)
}
