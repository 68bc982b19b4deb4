// SPDX-License-Identifier: Apache-2.0

package fieldformat

import (
	"math/bits"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The keys of the CEF dictionary 0.1 that a producer may write, each with the most characters it takes, and those that
// only a consumer sets. An own key must be none of them. (CEF implementation standard, version 27.)
const (
	cefProducerKeys = "act:63 app:31 c6a1 c6a2 c6a3 c6a4 cat:1023 cfp1 cfp2 cfp3 cfp4 cn1 cn2 cn3 cnt cs1:4000 cs2:4000 cs3:4000 cs4:4000 " +
		"cs5:4000 cs6:4000 destinationDnsDomain:255 destinationServiceName:1023 destinationTranslatedAddress destinationTranslatedPort " +
		"deviceCustomDate1 deviceCustomDate2 deviceDirection deviceDnsDomain:255 deviceExternalId:255 deviceFacility:1023 " +
		"deviceInboundInterface:128 deviceNtDomain:255 deviceOutboundInterface:128 devicePayloadId:128 deviceProcessName:1023 " +
		"deviceTranslatedAddress dhost:1023 dmac dntdom:255 dpid dpriv:1023 dproc:1023 dpt dst dtz:255 duid:1023 duser:1023 dvc " +
		"dvchost:100 dvcmac dvcpid end externalId:40 fileCreateTime fileHash:255 fileId:1023 fileModificationTime filePath:1023 " +
		"filePermission:1023 fileType:1023 flexDate1 flexNumber1 flexNumber2 flexString1:1023 flexString2:1023 fname:1023 fsize in " +
		"msg:1023 oldFileCreateTime oldFileHash:255 oldFileId:1023 oldFileModificationTime oldFileName:1023 oldFilePath:1023 " +
		"oldFilePermission:1023 oldFileSize oldFileType:1023 out outcome:63 proto:31 reason:1023 request:1023 " +
		"requestClientApplication:1023 requestContext:2048 requestCookies:1023 requestMethod:1023 rt shost:1023 smac sntdom:255 " +
		"sourceDnsDomain:255 sourceServiceName:1023 sourceTranslatedAddress sourceTranslatedPort spid spriv:1023 sproc:1023 spt src " +
		"start suid:1023 suser:1023 type header.vendor:63 header.product:63 header.version:31 header.classid:1023 header.name:512 header.severity"
	cefOtherKeys = "agentDnsDomain agentNtDomain agentTranslatedAddress agentTranslatedZoneExternalID agentTranslatedZoneURI agentZoneExternalID " +
		"agentZoneURI agt ahost aid amac art at atz av customerExternalID customerURI destinationTranslatedZoneExternalID " +
		"destinationTranslatedZoneURI destinationZoneExternalID destinationZoneURI deviceTranslatedZoneExternalID deviceTranslatedZoneURI " +
		"deviceZoneExternalID deviceZoneURI dlat dlong eventId rawEvent slat slong sourceTranslatedZoneExternalID sourceTranslatedZoneURI " +
		"sourceZoneExternalID sourceZoneURI agentTranslatedZoneKey agentZoneKey customerKey dTranslatedZoneKey deviceTranslatedZoneKey " +
		"deviceZoneKey dZoneKey frameworkName reportedDuration reportedResourceGroupName reportedResourceID reportedResourceName " +
		"reportedResourceType sTranslatedZoneKey sZoneKey threatActor threatAttackID"
	// What the dictionary calls its keys in full. An own key of such a name would be taken for the key.
	cefFullNames = "AgentTranslatedZoneKey AgentZoneKey CustomerKey DestinationTranslatedZoneKey DestinationZoneKey DeviceTranslatedZoneKey " +
		"DeviceZoneKey FrameworkName ReportedDuration ReportedResourceGroupName ReportedResourceID ReportedResourceName " +
		"ReportedResourceType SourceTranslatedZoneKey SourceZoneKey ThreatAttackID Threatactor agentAddress agentHostName agentId " +
		"agentMacAddress agentReceiptTime agentTimeZone agentType agentVersion applicationProtocol baseEventCount bytesIn " +
		"bytesOut destinationAddress destinationGeoLatitude destinationGeoLongitude destinationHostName destinationMacAddress " +
		"destinationNtDomain destinationPort destinationProcessId destinationProcessName destinationUserId destinationUserName " +
		"destinationUserPrivileges deviceAction deviceAddress deviceCustomFloatingPoint1 deviceCustomFloatingPoint2 " +
		"deviceCustomFloatingPoint3 deviceCustomFloatingPoint4 deviceCustomIPv6Address1 deviceCustomIPv6Address2 " +
		"deviceCustomIPv6Address3 deviceCustomIPv6Address4 deviceCustomNumber1 deviceCustomNumber2 deviceCustomNumber3 " +
		"deviceCustomString1 deviceCustomString2 deviceCustomString3 deviceCustomString4 deviceCustomString5 deviceCustomString6 " +
		"deviceEventCategory deviceHostName deviceMacAddress deviceProcessId deviceReceiptTime deviceTimeZone endTime " +
		"eventOutcome fileSize filename message requestUrl sourceAddress sourceGeoLatitude sourceGeoLongitude sourceHostName " +
		"sourceMacAddress sourceNtDomain sourcePort sourceProcessId sourceProcessName sourceUserId sourceUserName " +
		"sourceUserPrivileges startTime transportProtocol"
	cefLabelled = "c6a1 c6a2 c6a3 c6a4 cfp1 cfp2 cfp3 cfp4 cn1 cn2 cn3 cs1 cs2 cs3 cs4 cs5 cs6 deviceCustomDate1 deviceCustomDate2 flexDate1 " +
		"flexNumber1 flexNumber2 flexString1 flexString2"
)

// cefKeys maps every key of the dictionary to its limit; 0 is none.
var cefKeys = func() map[string]int {
	m := map[string]int{}
	for _, k := range strings.Fields(cefProducerKeys + " " + cefOtherKeys) {
		name, limit, _ := strings.Cut(k, ":")
		m[name], _ = strconv.Atoi(limit)
	}
	for _, k := range strings.Fields(cefLabelled) {
		m[k+"Label"] = 1023
		if strings.HasPrefix(k, "flex") {
			m[k+"Label"] = 128
		}
	}
	return m
}()

// cefKinds are the kinds of keys that no field of the pivot leads to.
var cefKinds = map[string]kind{"flexDate1": kindTime, "deviceCustomDate1": kindTime, "deviceCustomDate2": kindTime, "cn1": kindInt, "cn2": kindInt,
	"cn3": kindInt, "flexNumber1": kindInt, "flexNumber2": kindInt, "cfp1": kindFloat, "cfp2": kindFloat, "cfp3": kindFloat, "cfp4": kindFloat,
	"c6a1": kindIP6, "c6a2": kindIP6, "c6a3": kindIP6, "c6a4": kindIP6, "dpid": kindNat32, "type": kindNat32, "fileCreateTime": kindTime,
	"oldFileCreateTime": kindTime, "oldFileModificationTime": kindTime, "deviceTranslatedAddress": kindIP4}

// cefShort leads from the full names of keys, and from those of the fields of the header, to what is written.
var cefShort = func() map[string]string {
	m := map[string]string{}
	for pair := range strings.FieldsSeq("deviceVendor:header.vendor deviceProduct:header.product deviceVersion:header.version " +
		"deviceEventClassId:header.classid signatureId:header.classid name:header.name severity:header.severity " +
		"applicationProtocol:app baseEventCount:cnt bytesIn:in bytesOut:out destinationAddress:dst destinationHostName:dhost " +
		"destinationMacAddress:dmac destinationNtDomain:dntdom destinationPort:dpt destinationProcessId:dpid destinationProcessName:dproc " +
		"destinationUserId:duid destinationUserName:duser destinationUserPrivileges:dpriv deviceAction:act deviceAddress:dvc " +
		"deviceEventCategory:cat deviceHostName:dvchost deviceMacAddress:dvcmac deviceProcessId:dvcpid deviceReceiptTime:rt " +
		"deviceTimeZone:dtz endTime:end eventOutcome:outcome fileSize:fsize filename:fname message:msg requestUrl:request " +
		"sourceAddress:src sourceHostName:shost sourceMacAddress:smac sourceNtDomain:sntdom sourcePort:spt sourceProcessId:spid " +
		"sourceProcessName:sproc sourceUserId:suid sourceUserName:suser sourceUserPrivileges:spriv startTime:start transportProtocol:proto") {
		full, short, _ := strings.Cut(pair, ":")
		m[full] = short
	}
	return m
}()

// cefTaken are the names, in lower case, that an own key cannot have.
var cefTaken = func() map[string]bool {
	m := map[string]bool{}
	for k := range cefKeys {
		m[strings.ToLower(k)] = true
	}
	for k := range strings.FieldsSeq(cefFullNames) {
		m[strings.ToLower(k)] = true
		m[strings.ToLower(k)+"label"] = true
	}
	return m
}()

// cefLabels are the labels of the custom keys that fields.txt uses.
var cefLabels = map[string]string{"c6a1": "Device IPv6 Address", "c6a2": "Source IPv6 Address", "c6a3": "Destination IPv6 Address",
	"cs1": "Rule", "cs2": "Threat", "cs3": "CVE"}

func init() {
	envelope := []string{"header.vendor", "header.product", "header.version", "header.classid", "header.name", "header.severity", "rt", "cat"}
	for _, k := range strings.Fields(cefProducerKeys) {
		name, _, _ := strings.Cut(k, ":")
		envelope = append(envelope, name)
		if cefKeys[name+"Label"] != 0 {
			envelope = append(envelope, name+"Label")
		}
	}
	targets[CEF] = &target{layout: &layout{envelope: envelope}, time: millis, begin: beginCEF, finish: finishCEF, write: writeCEF}
}

// millis writes a time as milliseconds since 1970.
func millis(dst []byte, n int64) []byte {
	ms := n / 1e6
	if n < 0 && n%1e6 != 0 {
		ms--
	}
	return strconv.AppendInt(dst, ms, 10)
}

func beginCEF(e *Encoder) {
	e.keepOwn(atRt)
	k := &e.table.known
	e.fill(atRt, e.eventTime())
	if i := e.plan.at(atHeaderSeverity); e.set.has(int(i)) && !isCEFSeverity(&e.out[i]) {
		v := e.out[i]
		v.name = "header.severity"
		e.set.drop(int(i))
		e.toBag(v)
	}
	e.consumeSeverity()
	switch {
	case e.filled(atHeaderSeverity):
	case e.ev.severity.number < 0:
		e.fill(atHeaderSeverity, strVal("Unknown"))
	default:
		e.fill(atHeaderSeverity, intVal(int64(e.ev.severity.number)))
	}
	e.fillWords(atCat, k.category)
}

func finishCEF(e *Encoder) bool {
	e.fillHeader(atHeaderVendor, e.vendor(), defaultVendor)
	e.fillHeader(atHeaderProduct, e.product(), defaultProduct)
	e.fillHeader(atHeaderVersion, e.version(), defaultVersion)
	e.fillHeader(atHeaderClassid, e.eventID(), "log")
	e.fillHeader(atHeaderName, e.title(), "Log record")
	e.adopt()
	e.limit()
	return true
}

// limit shortens texts that are longer than their key takes, with the whole text in the bag, and adds labels.
func (e *Encoder) limit() {
	for i := range e.plan.limited {
		l := &e.plan.limited[i]
		if !e.set.has(int(l.leaf)) {
			if l.label >= 0 && e.set.has(int(l.label)) { // a label of nothing
				v := e.out[l.label]
				v.name = e.plan.leaves[l.label].path
				e.set.drop(int(l.label))
				e.toBag(v)
			}
			continue
		}
		if l.label >= 0 && !e.set.has(int(l.label)) && e.from[l.leaf] >= 0 {
			e.putText(l.label, l.text)
		}
		v := &e.out[l.leaf]
		if l.limit > 0 && v.typ == typStr && v.within(l.limit) {
			continue
		}
		if v.typ == typBytes {
			at := len(e.arena)
			e.arena = e.appendText(e.arena, v)
			*v = strVal(e.since(at))
		}
		if l.limit > 0 && v.typ == typStr && utf8.RuneCountInString(v.str) > l.limit {
			whole := *v
			whole.name = e.plan.leaves[l.leaf].path + ".full"
			e.toBag(whole)
			v.str = cut(strings.TrimLeftFunc(v.str, blank), l.limit)
		}
	}
}

func isCEFSeverity(v *val) bool {
	if n, ok := v.int(); ok {
		return n >= 0 && n <= 10
	}
	v.look()
	switch v.str {
	case "Unknown", "Low", "Medium", "High", "Very-High":
		return true
	}
	return false
}

// fillHeader fills a field of a header that must not be empty.
func (e *Encoder) fillHeader(s spot, text, otherwise string) {
	if isBlank(text) {
		text = otherwise
	}
	if i := e.plan.at(s); e.set.has(int(i)) && (e.out[i].typ != typStr || !e.test(&e.out[i], isBlank)) {
		return
	}
	e.force(s, strVal(text))
}

// isBlank tells whether nothing of a text is left to see when controls are blanks.
func isBlank(s string) bool {
	return strings.TrimFunc(s, blank) == ""
}

func blank(r rune) bool { return r <= ' ' || r == 0x7f || unicode.IsSpace(r) }

func writeCEF(e *Encoder, dst []byte) []byte {
	dst = append(dst, "CEF:0|"...)
	for _, s := range [...]spot{atHeaderVendor, atHeaderProduct, atHeaderVersion, atHeaderClassid, atHeaderName, atHeaderSeverity} {
		dst = e.emit(dst, &e.out[e.plan.at(s)], appendToCEFHeader)
		dst = append(dst, '|')
	}
	return e.appendPairs(dst, ' ', appendToExtension, cefTaken, nil)
}

// appendPairs writes the attributes of a CEF or LEEF line: the leaves but those of the header, then the bag, whose keys
// make way for those that are reserved or taken.
func (e *Encoder) appendPairs(dst []byte, separator byte, values writer, reserved map[string]bool, taken func(key string) bool) []byte {
	e.spans = e.spans[:0]
	first := true
	pair := func(key string, v *val) {
		if !first {
			dst = append(dst, separator)
		}
		first = false
		dst = append(append(dst, key...), '=')
		dst = e.emit(dst, v, values)
	}
	header := e.plan.top["header"]
	for w, word := range e.set {
		for ; word != 0; word &= word - 1 {
			i := w<<6 + bits.TrailingZeros64(word)
			if int32(i) < header.lo || int32(i) >= header.hi {
				pair(e.plan.leaves[i].path, &e.out[i])
			}
		}
	}
	for i := range e.bag {
		if v := &e.bag[i]; !v.holdsNothing() {
			pair(e.uniqueKey(e.bagKey(v.name, camel, reserved), taken), v)
		}
	}
	return dst
}

func appendToCEFHeader(e *Encoder, dst []byte, v *val) []byte {
	return e.appendEscaped(dst, v, escapeHeader)
}
func appendToExtension(e *Encoder, dst []byte, v *val) []byte {
	return e.appendEscaped(dst, v, escapeExtension)
}

// appendEscaped writes a value as text and escapes it.
func (e *Encoder) appendEscaped(dst []byte, v *val, escape *escape) []byte {
	v.look()
	switch v.typ {
	case typStr:
		return escape.append(dst, v.str)
	case typInt, typFloat, typBool:
		return v.appendPlain(dst)
	}
	at := len(e.arena)
	e.arena = e.appendText(e.arena, v)
	return escape.append(dst, e.since(at))
}

// An escape says what is written for each ASCII letter; nil writes the letter itself.
type escape [utf8.RuneSelf][]byte

// newEscape makes blanks of controls, and of the letters in the map what the map says.
func newEscape(special map[byte]string) *escape {
	var e escape
	for c := range e {
		if c < ' ' || c == 0x7f {
			e[c] = []byte(" ")
		}
	}
	for c, text := range special {
		e[c] = []byte(text)
	}
	return &e
}

var (
	// A field of a CEF header: backslash and pipe. A line break cannot be told.
	escapeHeader = newEscape(map[byte]string{'\\': `\\`, '|': `\|`})
	// A value of a CEF extension: backslash, equals sign and line breaks. A tab stays.
	escapeExtension = newEscape(map[byte]string{'\\': `\\`, '=': `\=`, '\n': `\n`, '\r': `\r`, '\t': "\t"})
	// LEEF has no escapes: what would break the line is replaced.
	replaceInHeader = newEscape(map[byte]string{'|': "_"})
	replaceInValue  = newEscape(nil)
)

// append writes a text with its escapes; what is not UTF-8 becomes U+FFFD.
func (e *escape) append(dst []byte, s string) []byte {
	start := 0
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if e[c] == nil {
				i++
				continue
			}
			dst = append(append(dst, s[start:i]...), e[c]...)
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			dst = append(append(dst, s[start:i]...), "\ufffd"...)
			start = i + 1
		}
		i += size
	}
	return append(dst, s[start:]...)
}
