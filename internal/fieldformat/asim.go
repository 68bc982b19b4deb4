// SPDX-License-Identifier: Apache-2.0

package fieldformat

import (
	_ "embed"
	"maps"
	"slices"
	"strings"
)

//go:embed asim.txt
var asimText string

// asimColumns says which schemas have a column; "*" stands for all of them.
var asimColumns = func() map[string]map[string]bool {
	m := map[string]map[string]bool{}
	for _, line := range lines(asimText) {
		schemas, columns, _ := strings.Cut(line, " = ")
		for _, c := range strings.Fields(columns) {
			if m[c] == nil {
				m[c] = map[string]bool{}
			}
			for _, s := range strings.Fields(schemas) {
				m[c][s] = true
			}
		}
	}
	return m
}()

// An asimSchema is a schema with its version of mid 2026.
type asimSchema struct{ name, version string }

var (
	asimAudit   = asimSchema{"AuditEvent", "0.1.2"}
	asimNetwork = asimSchema{"NetworkSession", "0.2.7"}
	asimWeb     = asimSchema{"WebSession", "0.2.7"}
	asimUsers   = asimSchema{"UserManagement", "0.1.2"}

	asimSchemas = [numClasses]asimSchema{
		classGeneric: asimAudit, classNet: asimNetwork, classDNS: {"Dns", "0.1.7"}, classHTTP: asimWeb, classDHCP: {"DhcpEvent", "0.1.1"},
		classSSH: asimNetwork, classFTP: asimNetwork, classRDP: asimNetwork, classSMB: asimNetwork, classTunnel: asimNetwork,
		classEmail: asimAudit, classAuth: {"Authentication", "0.1.4"}, classAccount: asimUsers, classGroup: asimUsers,
		classProcess: {"ProcessEvent", "0.1.4"}, classFile: {"FileEvent", "0.2.2"}, classRegKey: {"RegistryEvent", "0.1.3"},
		classRegValue: {"RegistryEvent", "0.1.3"}, classModule: asimAudit, classPackage: asimAudit, classFinding: {"AlertEvent", "0.1"},
		classVuln: asimAudit, classAPI: asimAudit, classDB: asimAudit,
	}

	// asimSchemaOf finds the class of a schema that a record names.
	asimSchemaOf = map[string]class{"NetworkSession": classNet, "Dns": classDNS, "WebSession": classHTTP, "DhcpEvent": classDHCP,
		"Authentication": classAuth, "UserManagement": classAccount, "ProcessEvent": classProcess, "FileEvent": classFile,
		"RegistryEvent": classRegKey, "AlertEvent": classFinding, "AuditEvent": classAPI}
)

// asimTypes are the EventTypes by class and activity; actNone is for every other activity.
var asimTypes = [numClasses]map[activity]string{
	classNet: {actNone: "NetworkSession"}, classSSH: {actNone: "NetworkSession"}, classFTP: {actNone: "NetworkSession"},
	classRDP: {actNone: "NetworkSession"}, classSMB: {actNone: "NetworkSession"}, classTunnel: {actNone: "NetworkSession"},
	classDNS: {actNone: "Query"}, classHTTP: {actNone: "HTTPsession"},
	classDHCP: {actAck: "Assign", actRenew: "Renew", actRelease: "Release", actExpire: "Release"},
	classAuth: {actNone: "Logon", actLogoff: "Logoff", actElevate: "Elevate"},
	classAccount: {actNone: "UserModified", actCreate: "UserCreated", actDelete: "UserDeleted", actLock: "UserLocked", actUnlock: "UserUnlocked",
		actEnable: "UserEnabled", actDisable: "UserDisabled", actPasswordChange: "PasswordChanged", actPasswordReset: "PasswordReset", actRead: "UserRead"},
	classGroup: {actNone: "GroupModified", actCreate: "GroupCreated", actDelete: "GroupDeleted", actAddMember: "UserAddedToGroup",
		actRemoveMember: "UserRemovedFromGroup", actRead: "GroupRead"},
	classProcess: {actStart: "ProcessCreated", actEnd: "ProcessTerminated"},
	classFile: {actNone: "FileAccessed", actCreate: "FileCreated", actDelete: "FileDeleted", actUpdate: "FileModified", actRename: "FileRenamed",
		actCopy: "FileCopied", actAttributes: "FileModified", actPermissions: "FileModified"},
	classRegKey:   {actCreate: "RegistryKeyCreated", actDelete: "RegistryKeyDeleted", actRename: "RegistryKeyRenamed", actUpdate: "RegistryKeyCreated"},
	classRegValue: {actNone: "RegistryValueSet", actDelete: "RegistryValueDeleted"},
	classFinding:  {actNone: "Alert"},
}

// asimAudits are the EventTypes of AuditEvent, which every class without a schema of its own has.
var asimAudits = map[activity]string{actCreate: "Create", actRead: "Read", actOpen: "Read", actUpdate: "Set", actPermissions: "Set", actDelete: "Delete",
	actInstall: "Install", actEnable: "Enable", actDisable: "Disable", actStart: "Start", actEnd: "Stop"}

// asimMandatory are the columns that a schema needs beside those that every schema has.
var asimMandatory = map[string][]spot{
	"ProcessEvent":  {at("ActingProcessId"), at("ActorUsername"), at("TargetProcessCommandLine"), at("TargetProcessId"), at("TargetProcessName"), at("TargetUsername")},
	"FileEvent":     {at("ActorUsername"), at("TargetFilePath"), at("TargetFilePathType")},
	"RegistryEvent": {at("ActingProcessId"), at("ActorUsername"), at("ParentProcessId"), at("RegistryKey")},
	"DhcpEvent":     {at("SrcHostname"), at("SrcIpAddr"), at("SrcMacAddr")}, "Dns": {at("DnsQuery"), at("Src")},
	"UserManagement": {at("ActorUsername")}, "WebSession": {at("Dst"), at("Url")},
}

// asimDetails are the EventResultDetails that a schema allows, by lower-case letters.
var asimDetails = map[string]map[string]string{
	"Authentication": foldList("No such user or password|No such user|Incorrect password|Incorrect key|Account expired|Password expired|User locked|" +
		"User disabled|Logon violates policy|Session expired|MFA not satisfied|Other"),
	"NetworkSession": foldList("Failover|Invalid TCP|Invalid Tunnel|Maximum Retry|Reset|Routing issue|Simulation|Terminated|Timeout|Transient error|Unknown|NA"),
	"UserManagement": foldList("NotAuthorized|Other"),
}

// asimThreats are the ThreatCategories of AlertEvent.
var asimThreats = foldList("Malware|Ransomware|Trojan|Virus|Worm|Adware|Spyware|Rootkit|Cryptominor|Phishing|Spam|MaliciousUrl|Spoofing|" +
	"Security Policy Violation|Unknown")

func foldList(list string) map[string]string {
	m := map[string]string{}
	for w := range strings.SplitSeq(list, "|") {
		m[strings.ToLower(w)] = w
	}
	return m
}

func init() {
	targets[ASIM] = &target{
		layout: &layout{
			envelope: []string{"TimeGenerated", "EventSchema", "EventSchemaVersion", "EventType", "EventSubType", "EventResult", "EventResultDetails",
				"EventSeverity", "EventVendor", "EventProduct", "EventProductVersion", "EventCount", "EventStartTime", "EventEndTime", "EventUid",
				"EventOriginalType", "EventOriginalSubType", "EventOriginalSeverity", "Dvc", "Src", "Dst", "DvcAction", "DvcOriginalAction",
				"Object", "Operation", "TargetUsername", "TargetUsernameType", "ActorUsername", "ActorUsernameType"},
			also: slices.DeleteFunc(slices.Sorted(maps.Keys(asimColumns)), func(c string) bool { return c == "AdditionalFields" }),
			allowed: func(c class, path string) bool {
				s := asimColumns[path]
				return s["*"] || s[asimSchemas[c].name]
			},
		},
		time: ticks, begin: beginASIM, finish: finishASIM, write: func(e *Encoder, dst []byte) []byte {
			return append(e.appendBagObject(e.appendObject(dst), "AdditionalFields"), '}')
		},
	}
}

func beginASIM(e *Encoder) {
	k := &e.table.known
	schema := asimSchemas[e.ev.class]
	var eventType string
	// An alert on a connection keeps its addresses only as a network session: AlertEvent has no columns for them.
	if e.ev.class == classFinding && e.ev.schema == "" && e.has(k.sourceIP, k.clientIP) && e.has(k.destIP, k.serverIP) {
		e.plan = e.plans[classNet]
		schema, eventType = asimNetwork, "IDS"
	}
	if e.ev.class == classRegKey && e.has(k.regValue) {
		e.plan = e.plans[classRegValue]
		eventType = asimTypes[classRegValue][e.ev.activity]
		if eventType == "" {
			eventType = asimTypes[classRegValue][actNone]
		}
	}
	if eventType == "" {
		eventType = e.asimType()
	}
	e.keepOwn(atTimeGenerated)
	if e.ev.outcome == outcomeSuccess || e.ev.outcome == outcomeFailure { // EventResult says so
		e.consume(k.outcome)
	}
	e.fill(atTimeGenerated, e.eventTime())
	e.fill(atEventSchema, strVal(schema.name))
	e.fill(atEventSchemaVersion, strVal(schema.version))
	if eventType != "" {
		e.fill(atEventType, strVal(eventType))
	}
	e.originals()
	e.asimAction()
	e.asimDetails(schema.name)
	e.fill(atEventSeverity, strVal(e.asimSeverity()))
	if e.ev.class == classDNS && e.ev.activity == actQuery {
		e.fill(atEventSubType, strVal("request"))
	}
	if e.ev.class == classDNS && e.ev.activity == actResponse {
		e.fill(atEventSubType, strVal("response"))
	}
	if schema == asimNetwork && e.ev.class != classFinding {
		switch e.ev.activity {
		case actOpen:
			e.fill(atEventSubType, strVal("Start"))
		case actClose:
			e.fill(atEventSubType, strVal("End"))
		}
	}
}

func (e *Encoder) asimType() string {
	k := &e.table.known
	if e.ev.class == classHTTP && !e.firstWord(namesScheme, k.urlFull, k.urlOriginal) {
		return "WebServerSession" // a server writes the path, a proxy the whole URL
	}
	m := asimTypes[e.ev.class]
	if e.ev.class == classGeneric && e.ev.was != classGeneric { // an event that lacks what its schema needs is an audit event of the same kind
		if t, ok := asimAudits[e.ev.did]; ok {
			return t
		}
	}
	if m == nil {
		if e.ev.class == classVuln { // nothing was created but a report
			return "Other"
		}
		if t, ok := asimAudits[e.ev.activity]; ok {
			return t
		}
		return "Other"
	}
	if t, ok := m[e.ev.activity]; ok {
		return t
	}
	return m[actNone]
}

func namesScheme(url string) bool { return strings.Contains(url, "://") }

// originals keeps the source's own words for what happened: a code and an action, or one of them.
func (e *Encoder) originals() {
	k := &e.table.known
	if !e.has(k.action) {
		return
	}
	place := atEventOriginalType
	if e.has(k.code) {
		place = atEventOriginalSubType
	}
	if v, ok := e.convert(kindText, "", k.action, &e.vals[k.action]); ok == fitYes && !e.filled(place) {
		e.fill(place, v)
		e.consume(k.action)
	}
}

// asimAction fills DvcAction, an enumeration, and keeps the source's word beside it.
func (e *Encoder) asimAction() {
	v := e.ev.verdict
	if v == nil || v.asim == "" || e.ev.class > classTunnel && e.ev.class != classFinding {
		return
	}
	e.fill(atDvcAction, strVal(v.asim))
	if action := e.word(e.table.known.action); fold(verdicts, action) != nil {
		e.fill(atDvcOriginalAction, strVal(action))
	}
}

func (e *Encoder) asimDetails(schema string) {
	k := &e.table.known
	if w := fold(asimDetails[schema], e.word(k.reason)); w != "" {
		e.fill(atEventResultDetails, strVal(w))
	}
	if e.ev.class == classDNS && !e.has(k.dnsRCode) {
		details := "NA"
		if e.answered() {
			details = "NOERROR"
		}
		e.fill(atEventResultDetails, strVal(details))
	}
}

// answered tells whether a response of DNS has an answer, so that it cannot be an error.
func (e *Encoder) answered() bool {
	return e.ev.activity == actResponse && e.has(e.table.known.dnsAnswers, e.table.known.dnsAnswerData)
}

func (e *Encoder) denied() bool {
	v := e.ev.verdict
	return v != nil && (v.name == "denied")
}

func (e *Encoder) asimSeverity() string {
	switch l := e.ev.severity.level; {
	case l >= 4:
		return "High"
	case l == 3:
		return "Medium"
	case l == 2, l == 0 && e.denied():
		return "Low"
	}
	return "Informational"
}

// asimResult is Success, Failure or NA.
func (e *Encoder) asimResult() string {
	k := &e.table.known
	switch e.ev.outcome {
	case outcomeSuccess:
		return "Success"
	case outcomeFailure:
		return "Failure"
	}
	switch e.ev.class {
	case classDNS:
		if !e.has(k.dnsRCode) {
			if e.answered() {
				return "Success"
			}
			return "NA"
		}
		switch n, ok := e.convert(kindRCodeID, "", k.dnsRCode, &e.vals[k.dnsRCode]); {
		case ok != fitYes:
			return "NA"
		case n.num != 0:
			return "Failure"
		}
		return "Success"
	case classHTTP:
		if e.has(k.httpStatus) {
			if n, ok := e.vals[k.httpStatus].int(); ok && n >= 400 {
				return "Failure"
			}
		}
		if e.denied() {
			return "Failure"
		}
		return "Success"
	case classNet, classSSH, classFTP, classRDP, classSMB, classTunnel:
		if e.denied() {
			return "Failure"
		}
		return "Success"
	case classFinding:
		if e.plan.class == classNet && e.denied() {
			return "Failure"
		}
		return "Success"
	case classFile, classProcess, classRegKey, classRegValue, classDHCP:
		if e.ev.outcome == outcomeUnknown {
			return "NA"
		}
		return "Success"
	}
	return "NA"
}

func finishASIM(e *Encoder) bool {
	if !e.filled(atEventType) {
		return false // something that the schema does not know, such as an offer of DHCP
	}
	e.fill(atEventResult, strVal(e.asimResult()))
	e.fill(atEventVendor, strVal(e.vendor()))
	e.fill(atEventProduct, strVal(e.product()))
	e.fill(atEventProductVersion, strVal(e.version()))
	e.fill(atEventCount, intVal(1))
	e.fill(atEventStartTime, e.eventTime())
	e.fill(atEventEndTime, e.eventTime())
	if e.ev.class == classFinding && e.plan.class == classFinding && !e.filled(atEventUid) {
		e.fill(atEventUid, e.uid())
	}
	// Who a new process runs as is the one who started it, when only one of them is known.
	if e.ev.class == classProcess {
		e.fillFrom(atTargetUsername, atActorUsername)
		e.fillFrom(atTargetUsernameType, atActorUsernameType)
		e.fillFrom(atActorUsername, atTargetUsername)
		e.fillFrom(atActorUsernameType, atTargetUsernameType)
	}
	e.fillFrom(atSrc, atSrcIpAddr, atSrcFQDN, atSrcHostname, atSrcDvcId)
	e.fillFrom(atDst, atDstIpAddr, atTargetIpAddr, atDstFQDN, atTargetFQDN, atDstHostname, atTargetHostname, atHttpHost, atDstDvcId)
	if e.ev.class == classHTTP || e.ev.class == classDB {
		e.fillFrom(atDst, atDvcFQDN, atDvcHostname, atDvcIpAddr) // the server that writes the log
	}
	e.fillFrom(atDst, atTargetAppName)
	e.fillFrom(atDvc, atDvcFQDN, atDvcHostname, atDvcIpAddr, atDvcId)
	e.fill(atDvc, strVal(e.product()))
	if e.ev.class != classGeneric {
		for _, column := range asimMandatory[asimSchemas[e.plan.class].name] {
			if !e.filled(column) {
				return false
			}
		}
	}
	if asimSchemas[e.plan.class] == asimAudit {
		e.auditObject()
	}
	return true
}

// auditObject fills the two columns that an audit event needs: what was done, and to what.
func (e *Encoder) auditObject() {
	k := &e.table.known
	e.fill(atOperation, strVal(firstOf(e.word(k.action), e.word(k.code), e.word(k.dataset), "Log")))
	e.fillFrom(atObject, atObjectId)
	e.fill(atObject, strVal(firstOf(e.word(k.regPath), e.word(k.regKey), e.word(k.filePath), e.word(k.fileName), e.word(k.processPath),
		e.word(k.processName), e.word(k.urlFull), e.word(k.urlPath), e.word(k.dnsQuestion), e.word(k.targetUser), e.word(k.dbName),
		e.word(k.packageName), e.word(k.vulnID), e.word(k.emailSubject), e.word(k.cloudService), e.word(k.serviceName), e.word(k.hostName), e.product())))
}

// uid is the id of the record, else a hash over its message and time.
func (e *Encoder) uid() val {
	if id := e.table.known.id; e.has(id) {
		if v, ok := e.convert(kindText, "", id, &e.vals[id]); ok == fitYes {
			return v
		}
	}
	return e.recordID()
}
