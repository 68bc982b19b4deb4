// SPDX-License-Identifier: Apache-2.0

package fieldformat

import (
	"slices"
	"strings"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/jsontext"
)

// udmType is a class and activity that a UDM event type stands for.
type udmType struct {
	class    class
	activity activity
}

// udmTypes are the event types by class and activity; actNone is for every other activity.
var udmTypes = [numClasses]map[activity]string{
	classNet: {actNone: "NETWORK_CONNECTION"}, classSSH: {actNone: "NETWORK_CONNECTION"}, classRDP: {actNone: "NETWORK_CONNECTION"},
	classSMB: {actNone: "NETWORK_CONNECTION"}, classTunnel: {actNone: "NETWORK_CONNECTION"}, classFTP: {actNone: "NETWORK_FTP"},
	classDNS: {actNone: "NETWORK_DNS"}, classHTTP: {actNone: "NETWORK_HTTP"}, classDHCP: {actNone: "NETWORK_DHCP"},
	classEmail: {actNone: "EMAIL_TRANSACTION"}, classAuth: {actNone: "USER_LOGIN", actLogoff: "USER_LOGOUT"},
	classAccount: {actNone: "USER_UNCATEGORIZED", actCreate: "USER_CREATION", actDelete: "USER_DELETION", actPasswordChange: "USER_CHANGE_PASSWORD",
		actPasswordReset: "USER_CHANGE_PASSWORD", actPermissions: "USER_CHANGE_PERMISSIONS"},
	classGroup: {actNone: "GROUP_UNCATEGORIZED", actCreate: "GROUP_CREATION", actDelete: "GROUP_DELETION", actAddMember: "GROUP_MODIFICATION",
		actRemoveMember: "GROUP_MODIFICATION", actUpdate: "GROUP_MODIFICATION"},
	classProcess: {actNone: "PROCESS_UNCATEGORIZED", actStart: "PROCESS_LAUNCH", actEnd: "PROCESS_TERMINATION", actAccess: "PROCESS_OPEN",
		actInject: "PROCESS_INJECTION"},
	classFile: {actNone: "FILE_UNCATEGORIZED", actCreate: "FILE_CREATION", actRead: "FILE_READ", actUpdate: "FILE_MODIFICATION",
		actDelete: "FILE_DELETION", actRename: "FILE_MOVE", actCopy: "FILE_COPY", actOpen: "FILE_OPEN", actAttributes: "FILE_MODIFICATION",
		actPermissions: "FILE_MODIFICATION"},
	classRegKey: {actNone: "REGISTRY_UNCATEGORIZED", actCreate: "REGISTRY_CREATION", actDelete: "REGISTRY_DELETION",
		actUpdate: "REGISTRY_MODIFICATION", actRename: "REGISTRY_MODIFICATION"},
	classRegValue: {actNone: "REGISTRY_UNCATEGORIZED", actCreate: "REGISTRY_CREATION", actDelete: "REGISTRY_DELETION",
		actUpdate: "REGISTRY_MODIFICATION", actRename: "REGISTRY_MODIFICATION"},
	classModule: {actNone: "PROCESS_MODULE_LOAD"}, classPackage: {actNone: "STATUS_UPDATE"}, classFinding: {actNone: "SCAN_UNCATEGORIZED"},
	classVuln: {actNone: "SCAN_VULN_HOST"},
	classAPI: {actNone: "USER_RESOURCE_ACCESS", actCreate: "USER_RESOURCE_CREATION", actUpdate: "USER_RESOURCE_UPDATE_CONTENT",
		actDelete: "USER_RESOURCE_DELETION", actPermissions: "USER_RESOURCE_UPDATE_PERMISSIONS"},
	classDB:      {actNone: "USER_RESOURCE_ACCESS"},
	classGeneric: {actNone: "GENERIC_EVENT"},
}

// udmClassOf turns udmTypes round.
var udmClassOf = func() map[string]udmType {
	m := map[string]udmType{}
	for c := range udmTypes {
		for a, t := range udmTypes[c] {
			old, taken := m[t]
			if !taken || class(c) == old.class && a < old.activity {
				m[t] = udmType{class(c), a}
			}
		}
	}
	return m
}()

// udmEvents are the event types that a record may name, with what they need. Every group, separated by blanks, needs one
// of its paths, separated by bars; "principal" and "target" stand for anything that identifies a machine there.
var udmEvents = map[string]string{
	"EMAIL_TRANSACTION": "principal network.email", "EMAIL_UNCATEGORIZED": "principal",
	"FILE_CREATION": "principal target.file", "FILE_DELETION": "principal target.file", "FILE_MODIFICATION": "principal target.file",
	"FILE_READ": "principal target.file", "FILE_OPEN": "principal target.file", "FILE_COPY": "principal src.file target.file",
	"FILE_MOVE": "principal src.file target.file", "FILE_SYNC": "principal target.file", "FILE_UNCATEGORIZED": "principal target.file",
	"MUTEX_CREATION": "principal target.resource", "MUTEX_UNCATEGORIZED": "principal target.resource",
	"NETWORK_CONNECTION": "principal target network", "NETWORK_FLOW": "principal target", "NETWORK_FTP": "principal target network",
	"NETWORK_DHCP": "principal network.dhcp", "NETWORK_DNS": "principal network.dns", "NETWORK_SMTP": "principal network",
	"NETWORK_HTTP": "principal target target.url network.ip_protocol network.application_protocol", "NETWORK_UNCATEGORIZED": "principal",
	"PROCESS_LAUNCH": "principal target.process", "PROCESS_INJECTION": "principal target.process", "PROCESS_OPEN": "principal target.process",
	"PROCESS_TERMINATION": "principal target.process", "PROCESS_UNCATEGORIZED": "principal target.process",
	"PROCESS_MODULE_LOAD":          "principal principal.process target.process",
	"PROCESS_PRIVILEGE_ESCALATION": "principal principal.process principal.user",
	"REGISTRY_CREATION":            "principal target.registry.registry_key", "REGISTRY_MODIFICATION": "principal target.registry.registry_key",
	"REGISTRY_DELETION": "principal target.registry.registry_key", "REGISTRY_UNCATEGORIZED": "principal target.registry.registry_key",
	"SCAN_FILE": "target", "SCAN_HOST": "target", "SCAN_PROCESS": "target", "SCAN_NETWORK": "principal|target", "SCAN_UNCATEGORIZED": "principal|target|observer",
	"SCAN_VULN_HOST": "target extensions.vulns", "SCAN_VULN_NETWORK": "target extensions.vulns",
	"SCHEDULED_TASK_CREATION": "principal principal.user target.resource", "SCHEDULED_TASK_DELETION": "principal principal.user target.resource",
	"SETTING_CREATION": "principal target.resource", "SETTING_MODIFICATION": "principal target.resource", "SETTING_DELETION": "principal target.resource",
	"SERVICE_CREATION": "principal target.user target.process|target.application", "SERVICE_DELETION": "principal target.user target.process|target.application",
	"SERVICE_START": "principal target.user target.process|target.application", "SERVICE_STOP": "principal target.user target.process|target.application",
	"STATUS_HEARTBEAT": "principal", "STATUS_STARTUP": "principal", "STATUS_SHUTDOWN": "principal", "STATUS_UPDATE": "principal",
	"SYSTEM_AUDIT_LOG_WIPE": "principal principal.user", "SYSTEM_AUDIT_LOG_UNCATEGORIZED": "principal principal.user",
	"USER_CHANGE_PASSWORD": "target.user", "USER_CHANGE_PERMISSIONS": "target.user", "USER_COMMUNICATION": "principal.user",
	"USER_CREATION": "principal target.user", "USER_DELETION": "principal target.user", "USER_UNCATEGORIZED": "principal target.user",
	"GROUP_CREATION": "target.group", "GROUP_DELETION": "target.group", "GROUP_MODIFICATION": "target.group", "GROUP_UNCATEGORIZED": "target.group",
	"USER_LOGIN": "target.user extensions.auth principal|target", "USER_LOGOUT": "target.user extensions.auth principal|target",
	"USER_RESOURCE_ACCESS": "principal.user target.resource", "USER_RESOURCE_CREATION": "principal.user target.resource",
	"USER_RESOURCE_DELETION": "principal.user target.resource", "USER_RESOURCE_UPDATE_CONTENT": "principal.user target.resource",
	"USER_RESOURCE_UPDATE_PERMISSIONS": "principal.user target.resource", "GENERIC_EVENT": "",
}

// udmOfHost are the event types whose principal is the host, if the record names no other.
var udmOfHost = func() map[string]bool {
	m := map[string]bool{}
	for name, needs := range udmEvents {
		m[name] = slices.Contains(strings.Fields(needs), "principal")
	}
	return m
}()

// A udmNoun is one of the parties of an event, and what identifies the machine that it is.
type udmNoun struct {
	hostname, ip, mac, port spot
	machine                 []spot
}

var udmNouns = map[string]*udmNoun{"principal": newNoun("principal"), "target": newNoun("target"), "observer": newNoun("observer")}

func newNoun(name string) *udmNoun {
	n := &udmNoun{at(name + ".hostname"), at(name + ".ip"), at(name + ".mac"), at(name + ".port"), nil}
	n.machine = []spot{n.hostname, n.ip, n.mac, at(name + ".asset.asset_id"), at(name + ".asset.product_object_id")}
	return n
}

func init() {
	targets[UDM] = &target{
		layout: &layout{envelope: []string{"metadata.event_timestamp", "metadata.event_type", "metadata.vendor_name", "metadata.product_name",
			"metadata.product_version", "metadata.product_event_type", "metadata.description", "metadata.collected_timestamp",
			"principal.hostname", "principal.ip[]", "principal.application", "src.hostname", "target.hostname", "target.ip[]", "target.url",
			"target.application", "observer.hostname", "observer.application", "network.ip_protocol", "network.application_protocol",
			"network.direction", "network.http.method", "network.dhcp.opcode", "network.dhcp.type", "network.dhcp.ciaddr", "network.dns.response", "extensions.auth.type", "extensions.auth.mechanism[]", "security_result[].severity",
			"security_result[].action[]", "security_result[].category[]", "security_result[].alert_state"}},
		time: func(dst []byte, n int64) []byte {
			return append(jsontext.AppendTimeText(append(dst, '"'), n, 6), '"')
		},
		begin: beginUDM, finish: finishUDM, write: writeUDM,
	}
}

func beginUDM(e *Encoder) {
	if len(e.own) > 0 {
		return
	}
	k := &e.table.known
	e.fill(atMetadataEventTimestamp, e.eventTime())
	if w := e.ev.severity.udm(); w != "" {
		e.fill(atSecurityResultSeverity, strVal(w))
	}
	e.udmAction()
	switch e.ev.class {
	case classAuth:
		if e.ev.outcome == outcomeFailure || e.denied() {
			e.fill(atSecurityResultCategory, strVal("AUTH_VIOLATION"))
		}
		e.fill(atExtensionsAuthType, strVal(e.authType()))
	case classFinding:
		if e.ev.alert {
			e.fill(atSecurityResultAlertState, strVal("ALERTING"))
		}
		if e.bits(categories, k.category)&catMalware != 0 {
			e.fill(atSecurityResultCategory, strVal("SOFTWARE_MALICIOUS"))
		}
	case classDHCP:
		if w := udmDHCP[e.ev.activity]; w != "" && !e.has(k.dhcpType) {
			e.fill(atNetworkDhcpType, strVal(w))
		}
		switch e.ev.activity {
		case actDiscover, actRequest, actDecline, actRelease, actInform:
			e.fill(atNetworkDhcpOpcode, strVal("BOOTREQUEST"))
		case actOffer, actAck, actNak:
			e.fill(atNetworkDhcpOpcode, strVal("BOOTREPLY"))
		}
	}
}

// udmDHCP are the types of messages by what they do.
var udmDHCP = map[activity]string{actDiscover: "DISCOVER", actOffer: "OFFER", actRequest: "REQUEST", actDecline: "DECLINE", actAck: "ACK",
	actRenew: "ACK", actNak: "NAK", actRelease: "RELEASE", actInform: "INFORM", actExpire: "WIN_EXPIRED"}

func (s severity) udm() string {
	return [...]string{"", "INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL", "CRITICAL"}[s.level]
}

func (e *Encoder) authType() string {
	k := &e.table.known
	switch d := e.word(k.dataset); {
	case strings.Contains(d, "vpn"), strings.Contains(e.lower(e.word(k.action)), "vpn"), e.word(k.networkProtocol) == "vpn", strings.Contains(e.lower(e.word(k.observerType)), "vpn"):
		return "VPN"
	case e.has(k.hostName, k.hostHostname, k.logonType):
		return "MACHINE"
	}
	return "AUTHTYPE_UNSPECIFIED"
}

func (e *Encoder) activityIn(list ...activity) bool { return slices.Contains(list, e.ev.activity) }

func (e *Encoder) udmAction() {
	place := atSecurityResultAction
	switch {
	case e.ev.verdict != nil && e.ev.verdict.udm != "":
		e.fill(place, strVal(e.ev.verdict.udm))
	case e.ev.outcome == outcomeSuccess:
		e.fill(place, strVal("ALLOW"))
	case e.ev.outcome == outcomeFailure:
		e.fill(place, strVal("FAIL"))
	}
}

func finishUDM(e *Encoder) bool {
	if len(e.own) > 0 {
		return true
	}
	if e.ev.class == classHTTP {
		e.udmHTTP()
	}
	if e.ev.class == classDNS {
		e.fill(atNetworkApplicationProtocol, strVal("DNS"))
	}
	if e.ev.class == classDHCP {
		e.fill(atNetworkApplicationProtocol, strVal("DHCP"))
		// An address that is being given out is not yet the client's own.
		if c, y := e.plan.at(atNetworkDhcpCiaddr), e.plan.at(atNetworkDhcpYiaddr); c >= 0 && y >= 0 && e.set.has(int(c)) && e.set.has(int(y)) &&
			e.activityIn(actOffer, actAck) && e.out[c].same(&e.out[y]) {
			e.set.drop(int(c))
		}
		// What a client asks or gives back is its own address.
		if c, y := e.plan.at(atNetworkDhcpCiaddr), e.plan.at(atNetworkDhcpYiaddr); c >= 0 && y >= 0 && e.set.has(int(y)) &&
			e.activityIn(actRequest, actDecline, actRelease, actInform, actExpire) && e.put(c, &e.out[y]) {
			e.set.drop(int(y))
		}
	}
	if e.ev.class == classDNS && e.ev.activity != actNone {
		e.fill(atNetworkDnsResponse, boolVal(e.ev.activity == actResponse))
	}
	e.separateHost()
	if e.ev.class == classEmail {
		e.fill(atNetworkApplicationProtocol, strVal("SMTP"))
	}
	name := e.ev.udmType
	if name == "" {
		m := udmTypes[e.ev.class]
		if name = m[e.ev.activity]; name == "" {
			name = m[actNone]
		}
		if e.ev.class == classFinding {
			name = e.udmFinding()
		}
	}
	if e.needsHost(name) || !e.machine("principal") && e.hardIn(e.plan.below["principal.process"]) {
		e.hostAs("principal") // where its process runs, for one
	}
	if strings.HasPrefix(name, "SCAN_") {
		e.hostAs("target")
	}
	if general := udmTypes[e.ev.class][actNone]; e.ev.udmType == "" && !e.satisfies(name) {
		name = general
	}
	if !e.satisfies(name) && e.ev.udmType == "" && classNet <= e.ev.class && e.ev.class <= classTunnel && e.machine("principal") && e.machine("target") {
		name = "NETWORK_UNCATEGORIZED"
	}
	if !e.satisfies(name) {
		if e.ev.udmType == "" {
			if e.ev.class != classGeneric {
				return false
			}
		}
		if e.ev.udmType != "" {
			e.toBag(e.ev.override)
		}
		name = "GENERIC_EVENT"
	}
	e.fill(atMetadataEventType, strVal(name))
	e.fill(atMetadataVendorName, strVal(cut(e.valid(e.vendor()), 256)))
	e.fill(atNestedMetadataProductName, strVal(cut(e.valid(e.product()), 256)))
	if v := e.version(); v != "" {
		e.fill(atNestedMetadataProductVersion, strVal(cut(e.valid(v), 32)))
	}
	if !e.anyNoun() {
		e.fill(atObserverApplication, strVal(e.product()))
	}
	e.onlyOneAddress("principal")
	e.onlyOneAddress("target")
	return true
}

// separateHost keeps the host that a record is from apart from another machine that the record names as its source: one noun
// is one machine.
func (e *Encoder) separateHost() {
	k := &e.table.known
	move := func(from, to string) {
		for _, p := range e.plan.nouns[[2]string{from, to}] {
			i := int(p.from)
			if !e.set.has(i) || e.from[i] < 0 || !strings.HasPrefix(e.table.fields[e.from[i]].name, "host.") {
				continue
			}
			e.placing = e.from[i]
			if !e.put(p.to, &e.out[i]) {
				e.toBag(e.vals[e.from[i]])
			}
			e.placing = -1
			e.set.drop(i)
		}
	}
	remote := e.has(k.sourceIP, k.sourceDomain, k.clientIP, k.clientDomain)
	switch c := e.ev.class; {
	case remote && c.is("endpoint"):
		move("principal", "target")
	case remote && (c == classGeneric || c == classAPI || c == classAccount || c == classGroup):
		move("principal", "observer")
	case c == classVuln && e.has(k.destIP, k.destDomain):
		move("target", "observer")
	}
}

// udmFinding is what a finding is about: a mail, a connection, a file, else anything.
func (e *Encoder) udmFinding() string {
	switch {
	case e.bits(categories, e.table.known.category)&catEmail != 0 && e.satisfies("EMAIL_TRANSACTION"):
		return "EMAIL_TRANSACTION"
	case e.machine("principal") && e.machine("target") && e.hardIn(e.plan.top["network"]):
		return "NETWORK_CONNECTION"
	case e.bits(categories, e.table.known.category)&catMalware != 0 && e.has(e.table.known.filePath, e.table.known.fileName):
		return "SCAN_FILE"
	}
	return "SCAN_UNCATEGORIZED"
}

// udmHTTP fills what an HTTP event must have from what an access log leaves out because it goes without saying.
func (e *Encoder) udmHTTP() {
	k := &e.table.known
	e.fill(atNetworkIpProtocol, strVal("TCP"))
	if !e.filled(atNetworkApplicationProtocol) {
		p := "HTTP"
		if e.firstWord(isHTTPS, k.urlFull, k.urlOriginal) || e.has(k.tlsVersion) || e.word(k.urlScheme) == "https" {
			p = "HTTPS"
		}
		e.fill(atNetworkApplicationProtocol, strVal(p))
	}
	if !e.machine("target") {
		if e.has(k.hostName) {
			if v, ok := e.convert(kindHost, "", k.hostName, &e.vals[k.hostName]); ok == fitYes {
				e.fill(atNestedTargetHostname, v)
			}
		}
	}
	if v := e.plan.at(atTargetUrl); !e.set.has(int(v)) && e.has(k.urlPath) {
		if path, ok := e.convert(kindText, "", k.urlPath, &e.vals[k.urlPath]); ok == fitYes {
			e.fill(atTargetUrl, path)
		}
	}
}

func isHTTPS(url string) bool { return strings.HasPrefix(url, "https:") }

// needsHost tells whether the principal of an event type is the host if nobody else is named.
func (e *Encoder) needsHost(name string) bool {
	return udmOfHost[name] && !e.machine("principal")
}

// hostAs makes the host the principal or target of an event that names none.
func (e *Encoder) hostAs(name string) {
	k, noun := &e.table.known, udmNouns[name]
	if e.machine(name) {
		return
	}
	for _, f := range [...]int{k.hostName, k.hostHostname, k.observerHostname} {
		if e.has(f) {
			if v, ok := e.convert(kindText, "", f, &e.vals[f]); ok == fitYes {
				e.fill(noun.hostname, v)
				return
			}
		}
	}
	for _, f := range [...]int{k.hostIP, k.observerIP} {
		if e.has(f) {
			if v, ok := e.convert(kindIP, "", f, &e.vals[f]); ok != fitNot {
				e.fill(noun.ip, v)
				return
			}
		}
	}
}

// machine tells whether a noun identifies a machine.
func (e *Encoder) machine(noun string) bool {
	for _, s := range udmNouns[noun].machine {
		if e.filled(s) {
			return true
		}
	}
	return false
}

// satisfies tells whether the record has what an event type needs.
func (e *Encoder) satisfies(event string) bool {
	for _, group := range e.plan.needs[event] {
		ok := false
		for _, s := range group {
			ok = ok || e.set.anyIn(s)
		}
		if !ok {
			return false
		}
	}
	return true
}

func (e *Encoder) anyNoun() bool {
	for _, noun := range [...]string{"principal", "src", "target", "intermediary", "observer", "about"} {
		if s, ok := e.plan.top[noun]; ok && e.set.anyIn(s) {
			return true
		}
	}
	return false
}

// onlyOneAddress keeps the first of several addresses of a noun that has a port: more would be ambiguous.
func (e *Encoder) onlyOneAddress(noun string) {
	n := udmNouns[noun]
	if !e.filled(n.port) {
		return
	}
	for _, s := range [...]spot{n.ip, n.mac} {
		i := e.plan.at(s)
		if i < 0 || !e.set.has(int(i)) {
			continue
		}
		v := &e.out[i]
		if v.typ != typList || v.pv.Slice().Len() < 2 {
			continue
		}
		if f := e.from[i]; f >= 0 {
			e.toBag(e.vals[f])
		}
		first := attr(v.pv.Slice().At(0), "")
		if out, ok := e.convert(e.plan.kinds[i], "", 0, &first); ok == fitYes {
			*v = out
		}
	}
}

func writeUDM(e *Encoder, dst []byte) []byte {
	if len(e.own) > 0 {
		return e.writeOwn(dst, completeUDM, "additional")
	}
	return append(e.appendBagObject(e.appendObject(dst), "additional"), '}')
}

// completeUDM adds what a record that is in UDM already may lack.
func completeUDM(e *Encoder, t *tree) {
	if n := t.get("metadata.event_timestamp"); n != nil {
		if at, ok := n.value.time(); ok {
			n.value = timeVal(at)
		}
	}
	t.complete("metadata.event_timestamp", e.eventTime())
	t.complete("metadata.event_type", strVal("GENERIC_EVENT"))
	t.complete("metadata.vendor_name", strVal(e.vendor()))
	t.complete("metadata.product_name", strVal(e.product()))
	for _, noun := range [...]string{"principal", "src", "target", "intermediary", "observer", "about"} {
		if t.get(noun) != nil {
			return
		}
	}
	t.complete("observer.application", strVal(e.product()))
}
