// SPDX-License-Identifier: Apache-2.0

package fieldformat

import "strings"

// A class is the kind of event that a record tells of. Every format has its own name for it: an OCSF class, an ASIM
// schema, a UDM event type, the tags of a CIM model. The tables are in the files of the formats.
type class int8

const (
	classGeneric class = iota
	classNet
	classDNS
	classHTTP
	classDHCP
	classSSH
	classFTP
	classRDP
	classSMB
	classTunnel
	classEmail
	classAuth
	classAccount
	classGroup
	classProcess
	classFile
	classRegKey
	classRegValue
	classModule
	classPackage
	classFinding
	classVuln
	classAPI
	classDB
	numClasses
)

// classNames are the names that fields.txt uses.
var classNames = [numClasses]string{"generic", "net", "dns", "http", "dhcp", "ssh", "ftp", "rdp", "smb", "tunnel", "email", "auth",
	"account", "group", "process", "file", "regkey", "regvalue", "module", "package", "finding", "vuln", "api", "db"}

// is tells whether the class goes by a name of fields.txt: its own, or endpoint.
func (c class) is(name string) bool {
	if name == "endpoint" {
		return c >= classProcess && c <= classModule
	}
	return classNames[c] == name
}

// An activity is what happened within a class.
type activity int8

const (
	actNone activity = iota
	actOpen
	actClose
	actReset
	actFail
	actRefuse
	actTraffic
	actQuery
	actResponse
	actCreate
	actRead
	actUpdate
	actDelete
	actRename
	actCopy
	actAttributes
	actStart
	actEnd
	actAccess
	actInject
	actLogon
	actLogoff
	actElevate
	actPasswordChange
	actPasswordReset
	actEnable
	actDisable
	actLock
	actUnlock
	actAddMember
	actRemoveMember
	actPermissions
	actSend
	actReceive
	actConnect
	actInstall
	actDiscover
	actOffer
	actRequest
	actDecline
	actAck
	actRenew
	actNak
	actRelease
	actInform
	actExpire
)

// known are the fields that the code itself looks at.
type known struct {
	timestamp, created, severity, level, message, id, action, category, typ, kind, outcome, reason, code, dataset, module, start, end                                                                                       int
	original, duration, name                                                                                                                                                                                                int
	sourceAddress, sourceIP, sourceDomain, sourcePort, sourceBytes, sourceUser, sourceMAC                                                                                                                                   int
	clientAddress, clientIP, clientDomain, clientMAC                                                                                                                                                                        int
	destAddress, destIP, destDomain, destPort, destBytes, destUser                                                                                                                                                          int
	serverAddress, serverIP, serverDomain                                                                                                                                                                                   int
	peerAddress, peerPort, localAddress, localPort                                                                                                                                                                          int
	hostName, hostHostname, hostIP, hostID, observerHostname, observerIP, observerName                                                                                                                                      int
	vendor, product, version, serviceName, serviceVersion                                                                                                                                                                   int
	networkBytes, networkProtocol, transport, direction                                                                                                                                                                     int
	userName, userID, userEmail, targetUser, effectiveUser, groupName, groupID                                                                                                                                              int
	dnsQuestion, dnsAnswers, dnsAnswerData, dnsType, dnsRCode                                                                                                                                                               int
	httpMethod, httpStatus, urlFull, urlOriginal, urlDomain, urlPath, urlQuery                                                                                                                                              int
	processName, processPath, processPID, processEntity, processCommand, processArgs, parentPID, parentName, parentPath                                                                                                     int
	fileName, filePath, regPath, regKey, regValue                                                                                                                                                                           int
	emailFrom, emailTo, emailSubject, emailDirection, softwareName, serial, tlsVersion, urlScheme, taskName, ruleName, ruleID, ruleUUID, vulnID, techniqueID, subtechniqueID, subtechniqueName, observerType, cloudProvider int
	dhcpType, dbName, dbQuery, resourceID, orchName, orchID, logonType, syslogSeverity, syslogHost, syslogMsgID, syslogProcID, syslogApp                                                                                    int
	ecsVersion, tags, traceID, spanID, logger, errorMessage, cloudService, iana, netType, dllName, packageName                                                                                                              int
}

func newKnown(t *table) known {
	id := t.id
	return known{
		timestamp: id("@timestamp"), created: id("event.created"), severity: id("event.severity"), level: id("log.level"),
		message: id("message"), id: id("event.id"), action: id("event.action"), category: id("event.category"), typ: id("event.type"),
		kind: id("event.kind"), outcome: id("event.outcome"), reason: id("event.reason"), code: id("event.code"),
		dataset: id("event.dataset"), module: id("event.module"), start: id("event.start"), end: id("event.end"),
		original: id("event.original"), duration: id("event.duration"),
		sourceAddress: id("source.address"), sourceIP: id("source.ip"), sourceDomain: id("source.domain"), sourcePort: id("source.port"),
		sourceBytes: id("source.bytes"), sourceUser: id("source.user.name"), sourceMAC: id("source.mac"),
		clientAddress: id("client.address"), clientIP: id("client.ip"), clientDomain: id("client.domain"), clientMAC: id("client.mac"),
		destAddress: id("destination.address"), destIP: id("destination.ip"), destDomain: id("destination.domain"),
		destPort: id("destination.port"), destBytes: id("destination.bytes"), destUser: id("destination.user.name"),
		serverAddress: id("server.address"), serverIP: id("server.ip"), serverDomain: id("server.domain"),
		peerAddress: id("network.peer.address"), peerPort: id("network.peer.port"),
		localAddress: id("network.local.address"), localPort: id("network.local.port"),
		hostName: id("host.name"), hostHostname: id("host.hostname"), hostIP: id("host.ip"), hostID: id("host.id"),
		observerHostname: id("observer.hostname"), observerIP: id("observer.ip"), observerName: id("observer.name"),
		vendor: id("observer.vendor"), product: id("observer.product"), version: id("observer.version"),
		serviceName: id("service.name"), serviceVersion: id("service.version"),
		networkBytes: id("network.bytes"), networkProtocol: id("network.protocol"), transport: id("network.transport"),
		direction: id("network.direction"), iana: id("network.iana_number"), netType: id("network.type"),
		userName: id("user.name"), userID: id("user.id"), userEmail: id("user.email"), targetUser: id("user.target.name"),
		effectiveUser: id("user.effective.name"), groupName: id("group.name"), groupID: id("group.id"),
		dnsQuestion: id("dns.question.name"), dnsAnswers: id("dns.answers"), dnsAnswerData: id("dns.answers.data"),
		dnsType: id("dns.type"), dnsRCode: id("dns.response_code"),
		httpMethod: id("http.request.method"), httpStatus: id("http.response.status_code"), urlFull: id("url.full"),
		urlOriginal: id("url.original"), urlDomain: id("url.domain"), urlPath: id("url.path"), urlQuery: id("url.query"),
		processName: id("process.name"), processPath: id("process.executable"), processPID: id("process.pid"),
		processEntity: id("process.entity_id"), processCommand: id("process.command_line"), processArgs: id("process.args"),
		parentPID: id("process.parent.pid"), parentName: id("process.parent.name"), parentPath: id("process.parent.executable"),
		fileName: id("file.name"), filePath: id("file.path"), regPath: id("registry.path"), regKey: id("registry.key"), regValue: id("registry.value"),
		emailDirection: id("email.direction"), softwareName: id("threat.software.name"), serial: id("observer.serial_number"),
		tlsVersion: id("tls.version"), urlScheme: id("url.scheme"), taskName: id("winlog.event_data.TaskName"),
		emailFrom: id("email.from.address"), emailTo: id("email.to.address"), emailSubject: id("email.subject"),
		ruleName: id("rule.name"), ruleID: id("rule.id"), ruleUUID: id("rule.uuid"), vulnID: id("vulnerability.id"), techniqueID: id("threat.technique.id"),
		subtechniqueID: id("threat.technique.subtechnique.id"), subtechniqueName: id("threat.technique.subtechnique.name"), observerType: id("observer.type"), cloudProvider: id("cloud.provider"),
		dhcpType: id("dhcp.message_type"), dbName: id("db.namespace"), dbQuery: id("db.query.text"), resourceID: id("cloud.resource_id"),
		orchName: id("orchestrator.resource.name"), orchID: id("orchestrator.resource.id"), logonType: id("winlog.event_data.LogonType"),
		syslogSeverity: id("log.syslog.severity.code"), syslogHost: id("log.syslog.hostname"), syslogMsgID: id("log.syslog.msgid"),
		syslogProcID: id("log.syslog.procid"), syslogApp: id("log.syslog.appname"), ecsVersion: id("ecs.version"), tags: id("tags"),
		traceID: id("trace.id"), spanID: id("span.id"), logger: id("log.logger"), name: id("event.name"), errorMessage: id("error.message"),
		dllName: id("dll.name"), cloudService: id("cloud.service.name"), packageName: id("package.name"),
	}
}

// event is what is known of a record beside its fields.
type event struct {
	time     val // typNone if there is none
	observed val
	severity severity
	outcome  outcome
	verdict  *verdict
	class    class
	activity activity
	alert    bool
	override val      // the attribute that named a class
	was      class    // the class that lacked something, before the record became a generic one
	did      activity // and what happened there

	// What the record says of itself in the terms of one format; empty when it does not.
	udmType string
	schema  string
}

// has tells whether any of the fields is set.
func (e *Encoder) has(fields ...int) bool {
	for _, f := range fields {
		if e.slots.has(f) {
			return true
		}
	}
	return false
}

// word is the text of a field, or of the first of its values.
func (e *Encoder) word(f int) string {
	if !e.slots.has(f) {
		return ""
	}
	if v := &e.vals[f]; v.typ == typStr {
		v.look()
		return v.str
	}
	s, _ := e.plain(&e.vals[f])
	return s
}

// A set of the words of event.category or event.type.
type wordSet uint64

// The categories of ECS.
const (
	catNetwork wordSet = 1 << iota
	catWeb
	catEmail
	catAuthentication
	catSession
	catIam
	catProcess
	catFile
	catRegistry
	catIntrusionDetection
	catMalware
	catThreat
	catVulnerability
	catConfiguration
	catApi
	catDatabase
	catDriver
	catLibrary
	catPackage
	catHost
)

// The types of ECS.
const (
	typeAccess wordSet = 1 << iota
	typeAdmin
	typeAllowed
	typeChange
	typeConnection
	typeCreation
	typeDeletion
	typeDenied
	typeDevice
	typeEnd
	typeError
	typeGroup
	typeIndicator
	typeInfo
	typeInstallation
	typeProtocol
	typeStart
	typeUser
)

var (
	categories = map[string]wordSet{
		"network":             catNetwork,
		"web":                 catWeb,
		"email":               catEmail,
		"authentication":      catAuthentication,
		"session":             catSession,
		"iam":                 catIam,
		"process":             catProcess,
		"file":                catFile,
		"registry":            catRegistry,
		"intrusion_detection": catIntrusionDetection,
		"malware":             catMalware,
		"threat":              catThreat,
		"vulnerability":       catVulnerability,
		"configuration":       catConfiguration,
		"api":                 catApi,
		"database":            catDatabase,
		"driver":              catDriver,
		"library":             catLibrary,
		"package":             catPackage,
		"host":                catHost,
	}
	types = map[string]wordSet{
		"access":       typeAccess,
		"admin":        typeAdmin,
		"allowed":      typeAllowed,
		"change":       typeChange,
		"connection":   typeConnection,
		"creation":     typeCreation,
		"deletion":     typeDeletion,
		"denied":       typeDenied,
		"device":       typeDevice,
		"end":          typeEnd,
		"error":        typeError,
		"group":        typeGroup,
		"indicator":    typeIndicator,
		"info":         typeInfo,
		"installation": typeInstallation,
		"protocol":     typeProtocol,
		"start":        typeStart,
		"user":         typeUser,
	}
	eventKinds = map[string]wordSet{"alert": 1, "asset": 1, "enrichment": 1, "event": 1, "metric": 1, "state": 1, "pipeline_error": 1, "signal": 1}
)

// bits are the words of a list that a table knows.
func (e *Encoder) bits(table map[string]wordSet, f int) wordSet {
	if !e.slots.has(f) {
		return 0
	}
	v := &e.vals[f]
	if v.typ != typList {
		return fold(table, e.word(f))
	}
	var set wordSet
	for _, el := range v.pv.Slice().All() {
		a := attr(el, "")
		if a.typ == typStr {
			set |= fold(table, a.str)
		}
	}
	return set
}

// classify finds out what kind of event the record tells of: by what it says of itself, by event.category and
// event.type, else by the fields that only one kind of event has.
func (e *Encoder) classify() {
	k := &e.table.known
	ev := &e.ev
	ev.outcome = fold(outcomes, e.word(k.outcome))
	typ := e.bits(types, k.typ)
	action := e.word(k.action)
	if ev.verdict == nil { // what a format says in its own terms is not overruled
		ev.verdict = fold(verdicts, action)
	}
	if ev.verdict == nil {
		switch {
		case typ&typeDenied != 0:
			ev.verdict = &verdictDeny
		case typ&typeAllowed != 0:
			ev.verdict = &verdictAllow
		}
	}
	kind := e.word(k.kind)
	ev.alert = kind == "alert" || kind == "signal"
	if ev.class == classGeneric {
		ev.class = e.findClass(e.bits(categories, k.category), typ)
	}
	if ev.activity == actNone {
		ev.activity = e.findActivity(typ, action)
	}
}

func (e *Encoder) findClass(cat, typ wordSet) class {
	k := &e.table.known
	in := func(c wordSet) bool { return cat&c != 0 }
	ends := e.bothEnds()
	switch {
	case in(catVulnerability), cat == 0 && e.has(k.vulnID):
		return classVuln
	case in(catIntrusionDetection), in(catMalware), in(catThreat), cat == 0 && e.has(k.softwareName), e.ev.alert && e.has(k.ruleName, k.ruleID, k.ruleUUID, k.techniqueID):
		return classFinding
	case in(catAuthentication), in(catSession) && e.has(k.userName, k.userID, k.targetUser):
		return classAuth
	case in(catIam):
		if typ&typeGroup != 0 || e.has(k.groupName, k.groupID) {
			return classGroup
		}
		return classAccount
	case in(catEmail), cat == 0 && e.has(k.emailFrom, k.emailTo):
		return classEmail
	case in(catRegistry), cat == 0 && e.has(k.regPath, k.regKey):
		if e.has(k.regValue) {
			return classRegValue
		}
		return classRegKey
	case in(catFile):
		return classFile
	case in(catDatabase):
		return classDB
	case in(catApi), in(catConfiguration):
		return classAPI
	case in(catDriver), in(catLibrary), cat == 0 && e.has(k.dllName):
		return classModule
	case in(catProcess):
		return classProcess
	case in(catPackage), cat == 0 && e.has(k.packageName):
		return classPackage
	case e.has(k.dnsQuestion):
		return classDNS
	case in(catWeb), (cat == 0 || in(catNetwork)) && e.has(k.httpMethod, k.httpStatus):
		return classHTTP
	case in(catNetwork), cat == 0 && ends:
		return e.networkClass()
	case cat != 0:
		return classGeneric
	case e.has(k.dbQuery):
		return classDB
	case e.has(k.processCommand) && e.has(k.processPID, k.processEntity) && e.has(k.parentPID, k.parentName, k.parentPath):
		return classProcess
	}
	return classGeneric
}

// separateDevice leaves a host out that only passed on what another device saw of the network: it goes to the bag, or its
// addresses would be taken for the device's.
func (e *Encoder) separateDevice() {
	k := &e.table.known
	if e.format == ECS || e.shape != none && e.shape != ECS || e.ev.class == classGeneric || e.ev.class > classEmail && e.ev.class != classFinding ||
		!e.has(k.observerHostname) || !e.has(k.hostName, k.hostHostname) {
		return
	}
	for _, f := range [...]int{k.hostName, k.hostHostname} {
		if e.has(f) && e.vals[f].same(&e.vals[k.observerHostname]) {
			return
		}
	}
	for _, f := range e.table.ofHost {
		if e.slots.has(f) {
			e.slots.drop(f)
			if v := e.vals[f]; v.name != "" {
				e.toBag(v)
			}
		}
	}
}

// bothEnds tells whether the record names both ends of a connection.
func (e *Encoder) bothEnds() bool {
	k := &e.table.known
	return e.has(k.sourceIP, k.sourceDomain, k.clientIP, k.clientDomain) && e.has(k.destIP, k.destDomain, k.serverIP, k.serverDomain)
}

// fallBack finds another class for an event that lacks what its class needs: a connection if both ends are known, else
// a generic event.
func (e *Encoder) fallBack() {
	was, did := e.ev.class, e.ev.activity
	e.ev.class, e.ev.activity = classGeneric, actNone
	// A mail that lacks what its class needs would fall back to itself.
	if network := e.networkClass(); was > classTunnel && network != was && e.bothEnds() && e.ev.schema == "" {
		e.ev.class = network
		e.ev.activity = e.findActivity(e.bits(types, e.table.known.typ), e.word(e.table.known.action))
	}
	e.ev.was, e.ev.did = was, did
}

func (e *Encoder) networkClass() class {
	k := &e.table.known
	if e.has(k.dhcpType) {
		return classDHCP
	}
	switch dataset := e.word(k.dataset); {
	case strings.HasSuffix(dataset, "dns"):
		return classDNS
	case strings.HasSuffix(dataset, "dhcp"):
		return classDHCP
	}
	switch p := e.lower(e.word(k.networkProtocol)); p {
	case "dns":
		return classDNS
	case "http", "https":
		if e.has(k.urlFull, k.urlOriginal, k.urlPath, k.httpMethod) {
			return classHTTP
		}
	case "dhcp", "bootp":
		return classDHCP
	case "ssh":
		return classSSH
	case "ftp":
		return classFTP
	case "rdp":
		return classRDP
	case "smb", "cifs":
		return classSMB
	case "smtp":
		if e.has(k.emailFrom, k.emailTo) {
			return classEmail
		}
	}
	return classNet
}

// actionWords are activities that names of actions contain, in the order in which they are looked for.
var actionWords = []struct {
	word string
	act  activity
}{
	{"password_reset", actPasswordReset}, {"password-reset", actPasswordReset}, {"reset-password", actPasswordReset}, {"passwordreset", actPasswordReset},
	{"password", actPasswordChange},
	{"unlock", actUnlock}, {"lock", actLock}, {"enable", actEnable}, {"disable", actDisable},
	{"add-member", actAddMember}, {"added-member", actAddMember}, {"added-to", actAddMember}, {"add_member", actAddMember}, {"memberadded", actAddMember}, {"addeduser", actAddMember}, {"added-user-to", actAddMember}, {"addusertogroup", actAddMember},
	{"remove-member", actRemoveMember}, {"removed-from", actRemoveMember}, {"remove_member", actRemoveMember}, {"removed-member", actRemoveMember}, {"removeuserfromgroup", actRemoveMember},
	{"rename", actRename}, {"move", actRename}, {"copy", actCopy}, {"copied", actCopy}, {"attribute", actAttributes}, {"permission", actPermissions},
	{"inject", actInject},
	{"logoff", actLogoff}, {"log-off", actLogoff}, {"logged-off", actLogoff}, {"logout", actLogoff}, {"logged-out", actLogoff}, {"disconnect", actLogoff},
	{"elevat", actElevate}, {"sudo", actElevate},
	{"create", actCreate}, {"creat", actCreate}, {"delete", actDelete}, {"deletion", actDelete}, {"remove", actDelete},
	{"update", actUpdate}, {"modif", actUpdate}, {"patch", actUpdate}, {"put", actUpdate}, {"set", actUpdate}, {"change", actUpdate}, {"write", actUpdate},
	{"install", actInstall},
	{"get", actRead}, {"list", actRead}, {"describe", actRead}, {"read", actRead}, {"watch", actRead}, {"open", actOpen}, {"access", actRead}, {"select", actRead},
	{"terminat", actEnd}, {"stop", actEnd}, {"exit", actEnd}, {"exec", actStart}, {"start", actStart}, {"launch", actStart},
	{"insert", actUpdate}, {"drop", actDelete}, {"alter", actUpdate}, {"connect", actConnect},
	{"upload", actCreate}, {"stor", actCreate}, {"download", actRead}, {"retr", actRead},
}

// rememberedActions is how many actions an encoder keeps in mind. A device has tens of them.
const rememberedActions = 1024

// actionOf finds the activity in the name of an action.
func (e *Encoder) actionOf(action string) activity {
	if a, ok := e.actions[action]; ok {
		return a
	}
	found := actNone
	lower := e.lower(action)
	for _, w := range actionWords {
		if strings.Contains(lower, w.word) {
			found = w.act
			break
		}
	}
	if len(e.actions) < rememberedActions && len(action) < 256 {
		e.actions[strings.Clone(action)] = found
	}
	return found
}

func (e *Encoder) findActivity(typ wordSet, action string) activity {
	k := &e.table.known
	in := func(t wordSet) bool { return typ&t != 0 }
	byAction := func() activity { return e.actionOf(action) }
	byType := func() activity {
		switch {
		case in(typeCreation):
			return actCreate
		case in(typeDeletion):
			return actDelete
		case in(typeChange):
			return actUpdate
		case in(typeAccess):
			return actRead
		case in(typeStart):
			return actStart
		case in(typeEnd):
			return actEnd
		case in(typeInstallation):
			return actInstall
		}
		return actNone
	}
	switch e.ev.class {
	case classNet, classSSH, classRDP, classSMB, classTunnel:
		return e.networkActivity(in)
	case classDNS:
		switch t := e.lower(e.word(k.dnsType)); {
		case t == "answer", t == "response", t == "" && e.has(k.dnsRCode, k.dnsAnswers, k.dnsAnswerData):
			return actResponse
		case t == "query", t == "request", t == "" && e.has(k.dnsQuestion):
			return actQuery
		}
		return actNone
	case classDHCP:
		if t := e.word(k.dhcpType); t != "" {
			return dhcpActivities[e.lower(t)]
		}
		lower := e.lower(action)
		for _, w := range [...]string{"discover", "offer", "request", "decline", "renew", "release", "inform", "expire", "nak", "ack", "assign"} {
			if strings.Contains(lower, w) {
				return dhcpActivities[w]
			}
		}
		return actNone
	case classAuth:
		switch a := byAction(); {
		case in(typeEnd), a == actLogoff:
			return actLogoff
		case a == actElevate:
			return actElevate
		}
		return actLogon
	case classFTP:
		if a := byAction(); a == actCreate || a == actRead || a == actUpdate || a == actDelete || a == actRename {
			return a
		}
		return e.networkActivity(in)
	case classEmail:
		d := directionOf(firstOf(e.word(k.direction), e.word(k.emailDirection)))
		if d != nil && d.id == 1 {
			return actReceive
		}
		if d != nil && d.id == 2 {
			return actSend
		}
		return actNone
	case classGroup, classAccount:
		switch a := byAction(); a {
		case actAddMember, actRemoveMember, actPasswordChange, actPasswordReset, actEnable, actDisable, actLock, actUnlock:
			return a
		}
		if a := byType(); a != actNone {
			return a
		}
		return byAction()
	case classFile:
		switch a := byAction(); a {
		case actRename, actCopy, actAttributes, actOpen:
			return a
		}
		if a := byType(); a != actNone {
			return a
		}
		return byAction()
	case classProcess:
		switch a := byType(); a {
		case actStart, actCreate:
			return actStart
		case actEnd, actDelete:
			return actEnd
		case actRead:
			return actAccess
		}
		switch a := byAction(); a {
		case actCreate, actStart:
			return actStart
		case actEnd, actDelete:
			return actEnd
		case actInject:
			return actInject
		case actOpen, actRead:
			return actAccess
		}
		if e.has(k.processCommand) && action == "" {
			return actStart
		}
		return actNone
	case classRegKey, classRegValue:
		if a := byAction(); a == actRename {
			return a
		}
		if a := byType(); a != actNone {
			return a
		}
		return byAction()
	case classModule:
		if in(typeEnd) {
			return actEnd
		}
		return actStart
	case classFinding, classVuln:
		return actCreate
	case classAPI, classDB, classPackage:
		if a := byType(); a != actNone && a != actStart && a != actEnd {
			return a
		}
		return byAction()
	}
	return actNone
}

var dhcpActivities = map[string]activity{
	"discover": actDiscover, "offer": actOffer, "request": actRequest, "decline": actDecline, "ack": actAck, "assign": actAck,
	"renew": actRenew, "nak": actNak, "release": actRelease, "inform": actInform, "expire": actExpire,
}

func (e *Encoder) networkActivity(in func(wordSet) bool) activity {
	v := e.ev.verdict
	switch {
	case v != nil && v.disposition == 21:
		return actReset
	case v != nil && v.name == "denied":
		return actRefuse
	case in(typeEnd), v == &verdictClose:
		return actClose
	case in(typeStart):
		return actOpen
	case in(typeDenied):
		return actRefuse
	case e.ev.outcome == outcomeFailure:
		return actFail
	}
	return actTraffic
}
