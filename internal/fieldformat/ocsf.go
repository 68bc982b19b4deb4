// SPDX-License-Identifier: Apache-2.0

package fieldformat

import (
	"slices"
	"strings"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/jsontext"
)

// OCSFVersion is the version of the Open Cybersecurity Schema Framework that is written.
const OCSFVersion = "1.8.0"

// An ocsfClass is a class of OCSF as far as this package fills it.
type ocsfClass struct {
	uid      int64
	name     string
	category int64
	// attributes of the class beside those of the base event.
	attributes string
	// required: every group needs one of its attributes.
	required   []string
	activities map[activity]int64
}

var ocsfCategories = map[int64]string{0: "Uncategorized", 1: "System Activity", 2: "Findings", 3: "Identity & Access Management", 4: "Network Activity",
	6: "Application Activity"}

// Attributes that every class has, some of them with a profile.
const ocsfBase = "message metadata observables raw_data severity severity_id start_time end_time duration count status status_id status_code " +
	"status_detail time timezone_offset type_name type_uid unmapped activity_id activity_name category_name category_uid class_name class_uid " +
	"device actor cloud api action action_id disposition disposition_id attacks firewall_rule malware policy risk_score is_alert"

const ocsfNetwork = "src_endpoint dst_endpoint connection_info traffic tls app_name app_protocol_name "

var connectionActivities = map[activity]int64{actOpen: 1, actClose: 2, actReset: 3, actFail: 4, actRefuse: 5, actTraffic: 6}

var ocsfClasses = [numClasses]ocsfClass{
	classGeneric: {uid: 0, name: "Base Event", category: 0},
	classNet:     {4001, "Network Activity", 4, ocsfNetwork + "url", []string{"src_endpoint dst_endpoint"}, connectionActivities},
	classDNS: {4003, "DNS Activity", 4, ocsfNetwork + "query answers rcode rcode_id", []string{"src_endpoint dst_endpoint"},
		map[activity]int64{actQuery: 1, actResponse: 2}},
	classHTTP: {4002, "HTTP Activity", 4, ocsfNetwork + "http_request http_response file trace", []string{"http_request http_response"}, nil},
	classDHCP: {4004, "DHCP Activity", 4, ocsfNetwork + "lease_dur transaction_uid", []string{"src_endpoint dst_endpoint"},
		map[activity]int64{actDiscover: 1, actOffer: 2, actRequest: 3, actDecline: 4, actAck: 5, actRenew: 5, actNak: 6, actRelease: 7, actInform: 8, actExpire: 9}},
	classSSH: {4007, "SSH Activity", 4, ocsfNetwork + "file", []string{"src_endpoint dst_endpoint"}, connectionActivities},
	classFTP: {4008, "FTP Activity", 4, ocsfNetwork + "file", []string{"src_endpoint dst_endpoint"},
		map[activity]int64{actCreate: 1, actUpdate: 1, actRead: 2, actDelete: 4, actRename: 5}},
	classRDP:    {4005, "RDP Activity", 4, ocsfNetwork + "file user", []string{"src_endpoint dst_endpoint"}, nil},
	classSMB:    {4006, "SMB Activity", 4, ocsfNetwork + "file", []string{"src_endpoint dst_endpoint"}, nil},
	classTunnel: {4014, "Tunnel Activity", 4, ocsfNetwork + "session user", []string{"connection_info session src_endpoint traffic"}, map[activity]int64{actOpen: 1, actClose: 2}},
	classEmail: {4009, "Email Activity", 4, "email direction direction_id src_endpoint dst_endpoint", []string{"email", "direction_id"},
		map[activity]int64{actSend: 1, actReceive: 2}},
	classAuth: {3002, "Authentication", 3, "user service dst_endpoint src_endpoint session logon_type logon_type_id http_request http_response",
		[]string{"user", "service dst_endpoint"}, map[activity]int64{actLogon: 1, actLogoff: 2, actElevate: 7}},
	classAccount: {3001, "Account Change", 3, "user src_endpoint http_request http_response", []string{"user"},
		map[activity]int64{actCreate: 1, actEnable: 2, actPasswordChange: 3, actPasswordReset: 4, actDisable: 5, actDelete: 6, actLock: 9, actUnlock: 12}},
	classGroup: {3006, "Group Management", 3, "group user src_endpoint http_request http_response", []string{"group"},
		map[activity]int64{actAddMember: 3, actRemoveMember: 4, actDelete: 5, actCreate: 6}},
	classProcess: {1007, "Process Activity", 1, "process exit_code", []string{"actor", "device", "process"},
		map[activity]int64{actStart: 1, actEnd: 2, actAccess: 3, actInject: 4}},
	classFile: {1001, "File System Activity", 1, "file", []string{"actor", "device", "file"},
		map[activity]int64{actCreate: 1, actRead: 2, actUpdate: 3, actDelete: 4, actRename: 5, actAttributes: 6, actPermissions: 7, actOpen: 14}},
	classRegKey: {201001, "Registry Key Activity", 1, "reg_key", []string{"actor", "device", "reg_key"},
		map[activity]int64{actCreate: 1, actRead: 2, actUpdate: 3, actDelete: 4, actRename: 5}},
	classRegValue: {201002, "Registry Value Activity", 1, "reg_value", []string{"actor", "device", "reg_value"},
		map[activity]int64{actRead: 1, actCreate: 2, actUpdate: 2, actDelete: 4}},
	classModule: {1005, "Module Activity", 1, "module", []string{"actor", "device", "module"}, map[activity]int64{actStart: 1, actEnd: 2}},
	classPackage: {6002, "Application Lifecycle", 6, "app", []string{"app"},
		map[activity]int64{actInstall: 1, actCreate: 1, actDelete: 2, actStart: 3, actEnd: 4, actEnable: 6, actDisable: 7, actUpdate: 8}},
	classFinding: {2004, "Detection Finding", 2, "finding_info evidences", []string{"finding_info"}, map[activity]int64{actCreate: 1}},
	classVuln:    {2002, "Vulnerability Finding", 2, "finding_info vulnerabilities", []string{"finding_info", "vulnerabilities"}, map[activity]int64{actCreate: 1}},
	classAPI: {6003, "API Activity", 6, "src_endpoint dst_endpoint http_request http_response resources trace", []string{"actor", "api", "src_endpoint"},
		map[activity]int64{actCreate: 1, actRead: 2, actUpdate: 3, actPermissions: 3, actDelete: 4}},
	classDB: {6005, "Datastore Activity", 6, "src_endpoint dst_endpoint database query_info type_id type", []string{"actor", "src_endpoint", "database"},
		map[activity]int64{actRead: 1, actUpdate: 2, actConnect: 3, actCreate: 6, actDelete: 7}},
}

// ocsfActivityNames are the captions of the activities, by class and id.
var ocsfActivityNames = func() map[int64][]string {
	connection := strings.Fields("Unknown Open Close Reset Fail Refuse Traffic Listen")
	return map[int64][]string{
		4001: connection, 4007: connection,
		4002: strings.Fields("Unknown Connect Delete Get Head Options Post Put Trace Patch"),
		4003: strings.Fields("Unknown Query Response"), 4004: strings.Fields("Unknown Discover Offer Request Decline Ack Nak Release Inform Expire"),
		4008: strings.Fields("Unknown Put Get Poll Delete Rename List"),
		4009: strings.Fields("Unknown Send Receive"), 4014: strings.Fields("Unknown Open Close Renew"),
		3002:   strings.Split("Unknown,Logon,Logoff,,,,,Account Switch", ","),
		3001:   strings.Split("Unknown,Create,Enable,Password Change,Password Reset,Disable,Delete,,,Lock,,,Unlock", ","),
		3006:   strings.Split("Unknown,,,Add User,Remove User,Delete,Create", ","),
		1007:   strings.Fields("Unknown Launch Terminate Open Inject"),
		1001:   strings.Split("Unknown,Create,Read,Update,Delete,Rename,Set Attributes,Set Security,,,,,,,Open", ","),
		201001: strings.Fields("Unknown Create Read Modify Delete Rename"), 201002: strings.Fields("Unknown Get Set Modify Delete"),
		1005: strings.Fields("Unknown Load Unload"), 6002: strings.Fields("Unknown Install Remove Start Stop Restart Enable Disable Update"),
		2004: strings.Fields("Unknown Create Update Close"), 2002: strings.Fields("Unknown Create Update Close"),
		6003: strings.Fields("Unknown Create Read Update Delete"),
		6005: strings.Fields("Unknown Read Update Connect Query Write Create Delete List"),
	}
}()

var httpActivities = map[string]int64{"connect": 1, "delete": 2, "get": 3, "head": 4, "options": 5, "post": 6, "put": 7, "trace": 8, "patch": 9}

var ocsfClassOf = func() map[int64]class {
	m := map[int64]class{}
	for c := range ocsfClasses {
		m[ocsfClasses[c].uid] = class(c)
	}
	return m
}()

// ocsfProfiles name the profile that brings an attribute into a class.
var ocsfProfiles = map[string]string{"cloud": "cloud", "device": "host", "actor": "host", "api": "cloud", "trace": "trace", "action_id": "security_control",
	"disposition_id": "security_control", "attacks": "security_control", "firewall_rule": "security_control", "malware": "security_control",
	"policy": "security_control", "risk_score": "security_control", "is_alert": "security_control"}

// ocsfNative are attributes that these classes have without a profile.
var ocsfNative = map[string][]class{
	"device":     {classRDP, classTunnel, classProcess, classFile, classRegKey, classRegValue, classModule, classFinding, classVuln},
	"actor":      {classAuth, classAccount, classGroup, classProcess, classFile, classRegKey, classRegValue, classModule, classAPI, classDB},
	"api":        {classAPI},
	"malware":    {classFinding},
	"risk_score": {classFinding},
	"is_alert":   {classFinding},
	"policy":     {classAccount},
}

func ocsfAllowed(c class, path string) bool {
	top, _, _ := strings.Cut(path, ".")
	top, _, _ = strings.Cut(top, "[")
	for _, list := range [...]string{ocsfBase, ocsfClasses[c].attributes} {
		for a := range strings.FieldsSeq(list) {
			if a == top {
				return true
			}
		}
	}
	return false
}

// ocsfMoved puts what a finding was found in into its evidences.
func ocsfMoved(c class, path string) string {
	if c != classFinding {
		return path
	}
	switch top, _, _ := strings.Cut(path, "."); top {
	case "src_endpoint", "dst_endpoint", "connection_info", "email", "file", "url", "tls":
		return "evidences[]." + path
	}
	return path
}

// ocsfNeeds are what objects need to be valid.
var ocsfNeeds = map[string]need{
	"src_endpoint":      {any: endpointNames},
	"dst_endpoint":      {any: endpointNames},
	"proxy_endpoint":    {any: endpointNames},
	"device":            {any: []string{"ip", "uid", "name", "hostname", "instance_uid", "interface_name"}},
	"user":              {any: []string{"name", "uid"}},
	"owner":             {any: []string{"name", "uid"}},
	"groups":            {any: []string{"name", "uid"}},
	"group":             {any: []string{"name", "uid"}},
	"actor":             {any: []string{"process", "user", "session", "app_name", "invoked_by"}},
	"process":           {any: []string{"pid", "uid"}},
	"parent_process":    {any: []string{"pid", "uid"}},
	"file":              {all: []string{"name"}},
	"os":                {all: []string{"name"}},
	"location":          {any: []string{"city", "country", "region"}},
	"autonomous_system": {any: []string{"number", "name"}},
	"url":               {any: []string{"url_string", "path"}},
	"http_response":     {all: []string{"code"}},
	"query":             {all: []string{"hostname"}},
	"answers":           {all: []string{"rdata"}},
	"tls":               {all: []string{"version"}},
	"certificate":       {all: []string{"issuer", "serial_number"}},
	"fingerprints":      {all: []string{"value"}},
	"cloud":             {all: []string{"provider"}},
	"account":           {any: []string{"name", "uid"}},
	"api":               {all: []string{"operation"}},
	"service":           {any: []string{"name", "uid"}},
	"resources":         {any: []string{"name", "uid"}},
	"database":          {any: []string{"name", "uid"}},
	"container":         {any: []string{"name", "uid"}},
	"image":             {all: []string{"uid"}},
	"email":             {any: []string{"from", "to"}},
	"finding_info":      {all: []string{"uid"}},
	"analytic":          {any: []string{"name", "uid"}},
	"firewall_rule":     {any: []string{"name", "uid"}},
	"policy":            {any: []string{"name", "uid"}},
	"evidences":         {any: []string{"src_endpoint", "dst_endpoint", "connection_info", "email", "file", "url"}},
	"attacks":           {any: []string{"technique", "tactic", "sub_technique"}},
	"malware":           {any: []string{"name", "uid"}},
	"vulnerabilities":   {all: []string{"cve"}},
	"cve":               {all: []string{"uid"}},
	"cvss":              {all: []string{"base_score", "version"}},
	"reg_value":         {all: []string{"name", "path"}},
	"reg_key":           {all: []string{"path"}},
	"trace":             {all: []string{"uid"}},
	"app":               {any: []string{"name", "uid"}},
	"query_info":        {all: []string{"query_string"}},
	"reporter":          {any: []string{"name", "uid", "hostname", "ip"}},
}

var endpointNames = []string{"ip", "uid", "name", "hostname", "interface_name", "domain"}

// ocsfImplied is what an object must also say when it says anything.
func ocsfImplied(p *plan, path string) []constant {
	name := path[strings.LastIndexByte(path, '.')+1:]
	switch name {
	case "device":
		return []constant{{"type_id", intVal(0)}}
	case "file":
		return []constant{{"type_id", intVal(0)}, {"name", val{}}}
	case "os":
		return []constant{{"type_id", intVal(0)}, {"name", val{}}}
	case "connection_info":
		return []constant{{"direction_id", intVal(0)}}
	case "analytic":
		return []constant{{"type_id", intVal(1)}}
	case "malware[]":
		return []constant{{"classification_ids", val{typ: typRaw, str: "[0]"}}}
	case "hashes[sha256]", "fingerprints[sha256]":
		return algorithm(3, "SHA-256")
	case "hashes[sha1]":
		return algorithm(2, "SHA-1")
	case "hashes[md5]":
		return algorithm(1, "MD5")
	case "hashes[sha512]":
		return algorithm(4, "SHA-512")
	case "ja3_hash", "ja3s_hash":
		return algorithm(1, "MD5")
	case "database":
		return []constant{{"type_id", intVal(0)}}
	}
	return nil
}

func algorithm(id int64, name string) []constant {
	return []constant{{"algorithm_id", intVal(id)}, {"algorithm", strVal(name)}}
}

func init() {
	targets[OCSF] = &target{
		layout: &layout{
			envelope: []string{"time", "class_uid", "class_name", "category_uid", "category_name", "activity_id", "activity_name", "type_uid",
				"type_name", "severity_id", "severity", "status_id", "status", "message", "metadata.version", "metadata.product.name",
				"metadata.product.vendor_name", "metadata.product.version", "metadata.profiles[]", "metadata.log_format", "action_id", "action",
				"disposition_id", "disposition", "is_alert", "actor.app_name", "finding_info.uid", "finding_info.title", "direction_id", "module.type",
				"app.name", "app.version", "type_id"},
			allowed: ocsfAllowed,
			moved:   ocsfMoved,
			implied: ocsfImplied,
			rules:   ocsfNeeds,
		},
		time: millis, begin: beginOCSF, finish: finishOCSF, write: writeOCSF,
	}
}

func beginOCSF(e *Encoder) {
	if len(e.own) > 0 {
		return
	}
	e.fill(atNestedTime, e.eventTime())
	k := &e.table.known
	if v := e.ev.verdict; v != nil && v.disposition != 0 {
		e.fill(atActionId, intVal(v.action))
		e.fill(atAction, strVal(e.captionOr(ocsfActions, v.action, k.action)))
		e.fill(atDispositionId, intVal(v.disposition))
		e.fill(atDisposition, strVal(e.captionOr(dispositions, v.disposition, k.action)))
	}
	if e.ev.outcome != outcomeNone && e.ev.class != classFinding && e.ev.class != classVuln {
		id := map[outcome]int64{outcomeUnknown: 0, outcomeSuccess: 1, outcomeFailure: 2}[e.ev.outcome]
		e.fill(atStatusId, intVal(id))
		e.fill(atStatus, strVal([...]string{"Unknown", "Success", "Failure"}[id]))
		e.consume(k.outcome)
	}
	if e.ev.alert {
		e.fill(atIsAlert, boolVal(true))
	}
	if e.ev.class == classPackage && e.has(k.packageName) {
		e.consume(k.packageName)
		if v, ok := e.table.byName["package.version"]; ok {
			e.consume(v)
		}
	}
	if e.ev.class == classFinding || e.ev.class == classVuln {
		e.fill(atFindingInfoUid, e.uid())
		e.fill(atFindingInfoTitle, strVal(firstOf(e.word(k.ruleName), e.word(k.vulnID), e.word(k.message), classTitles[e.ev.class])))
	}
}

func (e *Encoder) captionOr(captions map[int64]string, id int64, f int) string {
	if id == 99 {
		return firstOf(e.word(f), captions[id])
	}
	return captions[id]
}

func finishOCSF(e *Encoder) bool {
	if len(e.own) > 0 {
		return true
	}
	k := &e.table.known
	c := &ocsfClasses[e.ev.class]
	e.ocsfExtras()
	e.applyRules()
	for _, group := range e.plan.required {
		ok := false
		for _, s := range group {
			ok = ok || e.hardIn(s)
		}
		if !ok {
			return false
		}
	}
	e.fill(atClassUid, intVal(c.uid))
	e.fill(atClassName, strVal(c.name))
	e.fill(atCategoryUid, intVal(c.category))
	e.fill(atCategoryName, strVal(ocsfCategories[c.category]))
	id := c.activities[e.ev.activity]
	switch {
	case e.ev.class == classHTTP:
		id = fold(httpActivities, e.word(k.httpMethod))
		if id == 0 && e.has(k.httpMethod) {
			id = 99
		}
	case e.ev.class == classDB && id == 0 && e.has(k.dbQuery):
		id = 4
	case id == 0 && e.ev.activity != actNone && e.ev.class != classGeneric:
		id = 99
	}
	caption := ""
	if names := ocsfActivityNames[c.uid]; id < int64(len(names)) {
		caption = names[id]
	}
	switch {
	case id == 99:
		caption = firstOf(e.word(k.action), e.word(k.httpMethod), "Other")
	case caption == "":
		caption = "Unknown"
	}
	e.fill(atActivityId, intVal(id))
	e.fill(atActivityName, strVal(caption))
	e.fill(atTypeUid, intVal(c.uid*100+id))
	at := len(e.arena)
	if id == 99 {
		caption = "Other"
	}
	e.arena = append(append(append(e.arena, c.name...), ": "...), caption...)
	e.fill(atTypeName, strVal(e.since(at)))
	e.fill(atSeverityId, intVal(int64(e.ev.severity.level)))
	e.fill(atSeverity, strVal([...]string{"Unknown", "Informational", "Low", "Medium", "High", "Critical", "Fatal"}[e.ev.severity.level]))
	e.fill(atMetadataVersion, strVal(OCSFVersion))
	e.fill(atMetadataProductName, strVal(e.product()))
	e.fill(atMetadataProductVendorName, strVal(e.vendor()))
	if v := e.version(); v != "" {
		e.fill(atMetadataProductVersion, strVal(v))
	}
	if e.shape == CEF || e.shape == LEEF {
		e.fill(atMetadataLogFormat, strVal(e.shape.String()))
	}
	e.profiles()
	return true
}

// ocsfExtras fills what a class needs from what is known otherwise.
func (e *Encoder) ocsfExtras() {
	k := &e.table.known
	switch e.ev.class {
	case classAuth:
		if !e.named(endpointSpots[:]) {
			if e.has(k.hostName) {
				if v, ok := e.convert(kindHost, "", k.hostName, &e.vals[k.hostName]); ok == fitYes {
					e.fill(atDstEndpointHostname, v)
				}
			}
			if e.has(k.hostIP) {
				if v, ok := e.convert(kindIP, "", k.hostIP, &e.vals[k.hostIP]); ok != fitNot {
					e.fill(atDstEndpointIp, v)
				}
			}
			if !e.named(endpointSpots[:]) && e.has(k.observerHostname) { // a gateway that people log on to
				if v, ok := e.convert(kindHost, "", k.observerHostname, &e.vals[k.observerHostname]); ok == fitYes {
					e.fill(atDstEndpointHostname, v)
				}
			}
		}
	case classEmail:
		e.fill(atDirectionId, intVal(0))
		e.soft.drop(int(e.plan.at(atDirectionId)))
	case classFile, classRegKey, classRegValue, classProcess, classModule:
		// A process without an id is no process in OCSF, but it is an application.
		name := k.processName
		if e.ev.class == classProcess {
			name = k.parentName
		}
		if e.has(name) && !e.filled(atActorProcessPid) && !e.filled(atActorProcessUid) {
			e.fill(atActorAppName, strVal(e.word(name)))
		}
	case classAPI, classDB:
		if !e.filled(atActorUserName) && !e.filled(atActorUserUid) {
			if name := firstOf(e.word(k.processName), e.word(e.table.known.serviceName)); name != "" {
				e.fill(atActorAppName, strVal(name))
			}
		}
	}
	if e.ev.class == classModule && e.has(e.table.known.dllName) {
		e.fill(atModuleType, strVal("library"))
	}
	if e.ev.class == classPackage {
		if name := e.word(e.table.known.packageName); name != "" {
			e.fill(atAppName, strVal(name))
			if v, ok := e.table.byName["package.version"]; ok && e.has(v) {
				e.fill(atAppVersion, strVal(e.word(v)))
			}
		}
	}
	if e.ev.class == classDB {
		e.fill(atTypeId, intVal(1))
	}
	if d := e.plan.top["device"]; e.has(k.serial) && e.plan.at(atDeviceUid) >= 0 && !e.named(deviceSpots[:]) && d.hi > d.lo {
		if v, ok := e.convert(kindText, "", k.serial, &e.vals[k.serial]); ok == fitYes {
			e.fill(atDeviceUid, v)
		}
	}
	for i := range ocsfFiles {
		e.nameFile(&ocsfFiles[i])
	}
	// An operating system must have a name; its type is one.
	if n := e.plan.at(atDeviceOsName); n >= 0 && e.set.has(int(n)) && e.out[n].typ == typNone {
		e.set.drop(int(n))
		e.soft.drop(int(n))
		if t := e.plan.at(atDeviceOsType); t >= 0 && e.set.has(int(t)) {
			e.put(n, &e.out[t])
		}
	}
}

// deviceSpots are those that make a device one.
var deviceSpots = [...]spot{at("device.ip"), at("device.uid"), at("device.name"), at("device.hostname"), at("device.instance_uid")}

// endpointSpots are those that make an endpoint one.
var endpointSpots = [...]spot{at("dst_endpoint.ip"), at("dst_endpoint.hostname"), at("dst_endpoint.name"), at("dst_endpoint.uid"), at("dst_endpoint.domain")}

// named tells whether any of the spots is filled.
func (e *Encoder) named(spots []spot) bool { return slices.ContainsFunc(spots, e.filled) }

// A file must have a name: the last segment of its path, or the name of the process that it is of.
type ocsfFile struct{ path, name, process spot }

var ocsfFiles = [...]ocsfFile{
	{at("file.path"), at("file.name"), at("file.name")},
	{at("evidences[].file.path"), at("evidences[].file.name"), at("evidences[].file.name")},
	{at("process.file.path"), at("process.file.name"), at("process.name")},
	{at("actor.process.file.path"), at("actor.process.file.name"), at("actor.process.name")},
	{at("actor.process.parent_process.file.path"), at("actor.process.parent_process.file.name"), at("actor.process.parent_process.name")},
}

func (e *Encoder) nameFile(f *ocsfFile) {
	n := e.plan.at(f.name)
	if n < 0 || !e.set.has(int(n)) || e.out[n].typ != typNone {
		return
	}
	e.set.drop(int(n))
	e.soft.drop(int(n))
	name := val{}
	if p := e.plan.at(f.path); p >= 0 && e.set.has(int(p)) && e.out[p].typ == typStr {
		name = e.baseName(&e.out[p])
	}
	if name.typ != typNone {
		e.put(n, &name)
	} else if p := e.plan.at(f.process); p >= 0 && p != n && e.set.has(int(p)) {
		e.put(n, &e.out[p])
	}
}

// hardIn tells whether a range holds anything but defaults.
func (e *Encoder) hardIn(s span) bool {
	for i := int(s.lo); i < int(s.hi); {
		w := (e.set[i>>6] &^ e.soft[i>>6]) >> (i & 63)
		if left := int(s.hi) - i; left < 64 {
			w &= 1<<left - 1
		}
		if w != 0 {
			return true
		}
		i = (i>>6 + 1) << 6
	}
	return false
}

// applyRules removes objects that lack what they need. Their values go to the bag.
func (e *Encoder) applyRules() {
	for i := range e.plan.rules {
		r := &e.plan.rules[i]
		if !e.set.anyIn(r.span) {
			continue
		}
		ok := e.hardIn(r.span)
		if ok && len(r.any) > 0 {
			ok = false
			for _, s := range r.any {
				ok = ok || e.hardIn(s)
			}
		}
		for _, s := range r.all {
			ok = ok && e.hardIn(s)
		}
		if !ok {
			e.unset(r.span)
		}
	}
}

// profiles names the profiles whose attributes are there.
func (e *Encoder) profiles() {
	at := len(e.arena)
	b := e.arena
	for i := range e.plan.profiles {
		p := &e.plan.profiles[i]
		for _, s := range p.spans {
			if e.set.anyIn(s) {
				if len(b) > at {
					b = append(b, ',')
				}
				b = jsontext.AppendString(b, p.name)
				break
			}
		}
	}
	e.arena = b
	if len(b) > at {
		e.fill(atMetadataProfiles, val{typ: typRaw, str: e.since(at)})
	}
}

func writeOCSF(e *Encoder, dst []byte) []byte {
	if len(e.own) > 0 {
		return e.writeOwn(dst, completeOCSF, "unmapped")
	}
	return append(e.appendBagObject(e.appendObject(dst), "unmapped"), '}')
}

// completeOCSF adds what a record that is in OCSF already may lack.
func completeOCSF(e *Encoder, t *tree) {
	number := func(path string) (int64, bool) {
		if n := t.get(path); n != nil && n.value.typ != typNone {
			return n.value.int()
		}
		return 0, false
	}
	uid, _ := number("class_uid")
	t.complete("time", e.eventTime())
	t.complete("activity_id", intVal(0))
	activity, _ := number("activity_id")
	category := uid / 1000
	if uid >= 100000 {
		category = uid / 1000 % 100 // of an extension: 201001 is category 1
	}
	t.complete("category_uid", intVal(category))
	t.complete("type_uid", intVal(uid*100+activity))
	t.complete("severity_id", intVal(int64(e.ev.severity.level)))
	t.complete("metadata.version", strVal(OCSFVersion))
	if t.get("metadata.product") == nil {
		t.complete("metadata.product.name", strVal(e.product()))
		t.complete("metadata.product.vendor_name", strVal(e.vendor()))
	}
	if n := t.get("time"); n.value.typ == typStr {
		if ms, ok := n.value.time(); ok {
			n.value = timeVal(ms)
		}
	}
	if c, ok := ocsfClassOf[uid]; ok && t.get("class_name") == nil {
		t.complete("class_name", strVal(ocsfClasses[c].name))
	}
}
