// SPDX-License-Identifier: Apache-2.0

package fieldformat

import (
	"net/http"
	"strconv"
	"strings"
)

// Words that mean the same in every format. Lookups are by lower-case letters; what is not in a table is not forced
// into an enumeration but kept as it is in the bag.

// A direction of traffic, as every format says it. An empty word says that the format has none for it.
type direction struct {
	ecs, cim, asim, cef string
	id                  int64 // OCSF
	name, udm           string
}

var (
	inbound  = direction{"inbound", "inbound", "Inbound", "0", 1, "Inbound", "INBOUND"}
	outbound = direction{"outbound", "outbound", "Outbound", "1", 2, "Outbound", "OUTBOUND"}
	lateral  = direction{"internal", "", "Local", "", 3, "Lateral", ""}

	directions = map[string]*direction{
		"inbound": &inbound, "ingress": &inbound, "in": &inbound, "receive": &inbound, "incoming": &inbound,
		"outbound": &outbound, "egress": &outbound, "out": &outbound, "transmit": &outbound, "outgoing": &outbound,
		"internal": &lateral, "lateral": &lateral,
		"local":     {"internal", "", "Local", "", 4, "Local", ""},
		"external":  {"external", "", "External", "", 99, "external", ""},
		"listen":    {"", "", "Listen", "", 99, "listen", ""},
		"broadcast": {"", "", "", "", 99, "broadcast", "BROADCAST"},
		"unknown":   {"unknown", "", "NA", "", 0, "Unknown", "UNKNOWN_DIRECTION"},
		"na":        {"unknown", "", "NA", "", 0, "Unknown", "UNKNOWN_DIRECTION"},
	}
)

func directionOf(s string) *direction { return fold(directions, s) }

// fold looks a word up without regard to case and without an allocation.
func fold[T any](m map[string]T, s string) T {
	var buf [40]byte
	if s == "" || len(s) > len(buf) {
		var zero T
		return zero
	}
	if v, ok := m[s]; ok {
		return v
	}
	b := buf[:0]
	for i := range len(s) {
		b = append(b, lowerByte(s[i]))
	}
	return m[string(b)]
}

// An IP protocol by its IANA number.
type protocol struct {
	number int64
	name   string
	udm    string
}

var protocols = []protocol{
	{1, "icmp", "ICMP"}, {2, "igmp", "IGMP"}, {6, "tcp", "TCP"}, {17, "udp", "UDP"}, {41, "ipv6", "IP6IN4"}, {47, "gre", "GRE"},
	{50, "esp", "ESP"}, {51, "ah", ""}, {58, "ipv6-icmp", "ICMP6"}, {88, "eigrp", "EIGRP"}, {89, "ospf", ""},
	{97, "etherip", "ETHERIP"}, {103, "pim", "PIM"}, {112, "vrrp", "VRRP"}, {132, "sctp", "SCTP"},
}

// word is the protocol's name as a kind writes it, or empty.
func (p *protocol) word(k kind) string {
	switch {
	case p == nil:
		return ""
	case k == kindProtoUpper:
		return upperNames[p.name]
	case k == kindProtoUDM:
		return p.udm
	case k == kindProtoCIM && p.number != 1 && p.number != 6 && p.number != 17:
		return ""
	}
	return p.name
}

var protocolByName = func() map[string]*protocol {
	m := map[string]*protocol{}
	for i := range protocols {
		m[protocols[i].name] = &protocols[i]
		m[strconv.FormatInt(protocols[i].number, 10)] = &protocols[i]
	}
	m["icmp6"], m["icmpv6"] = m["58"], m["58"]
	return m
}()

// upperNames are the names in capitals, so that the usual ones need no copy.
var upperNames = func() map[string]string {
	m := map[string]string{}
	for _, p := range protocols {
		m[p.name] = strings.ToUpper(p.name)
	}
	for _, s := range []string{"http", "https", "dns", "ssh", "ftp", "smtp", "rdp", "smb", "tls", "ntp", "ldap", "snmp", "dhcp", "quic"} {
		m[s] = strings.ToUpper(s)
	}
	return m
}()

// appProtocols are the application protocols that UDM names.
var appProtocols = words("AFP AMQP BITCOIN COAP DCERPC DHCP DNP3 DNS FINGER FTP GOPHER GRPC H323 HTTP HTTPS IEC104 KRB5 LDAP LPD MODBUS " +
	"MQTT NETCONF NFS NIS NNTP NTP PTP QUIC RDP RIP RLOGIN RPC RTMP RTP RTSP SIP SMB SMTP SNMP SNTP SSH TOR WHOIS XMPP X400 X500")

var connStates = words("LISTENING ESTABLISHED TIME_WAIT CLOSE_WAIT CLOSED SYN_SENT SYN_RECEIVED FIN_WAIT1 FIN_WAIT2 LAST_ACK")

// words maps each word, in lower case, to itself.
func words(list string) map[string]string {
	m := map[string]string{}
	for _, w := range strings.Fields(list) {
		m[strings.ToLower(w)] = w
	}
	m["kerberos"] = m["krb5"]
	delete(m, "")
	return m
}

// ecsWord is the word of an enumeration of ECS for another word of the same meaning.
func ecsWord(s string) string {
	if strings.EqualFold(s, "darwin") {
		return "macos"
	}
	return s
}

// isCapability follows the pattern of ECS for capabilities of Linux: CAP_NET_ADMIN or a number.
func isCapability(s string) bool {
	digits := strings.Trim(s, "0123456789") == "" && s != ""
	name, ok := strings.CutPrefix(s, "CAP_")
	return digits || ok && name != "" && strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == ""
}

type system struct {
	id        int64
	name, udm string
}

var systems = map[string]*system{
	"windows": {100, "Windows", "WINDOWS"}, "linux": {200, "Linux", "LINUX"}, "darwin": {300, "macOS", "MAC"}, "macos": {300, "macOS", "MAC"},
	"android": {201, "Android", "ANDROID"}, "ios": {301, "iOS", "IOS"}, "solaris": {400, "Solaris", ""}, "aix": {401, "AIX", ""},
	"hpux": {402, "HP-UX", ""}, "unix": {99, "unix", ""}, "freebsd": {99, "freebsd", ""},
}

var deviceTypes = map[string]int64{
	"server": 1, "desktop": 2, "workstation": 2, "laptop": 3, "tablet": 4, "mobile": 5, "virtual": 6, "iot": 7, "browser": 8,
	"firewall": 9, "switch": 10, "hub": 11, "router": 12, "ids": 13, "ips": 14, "load balancer": 15,
}

var deviceTypeNames = map[int64]string{1: "Server", 2: "Desktop", 3: "Laptop", 4: "Tablet", 5: "Mobile", 6: "Virtual", 7: "IOT", 8: "Browser",
	9: "Firewall", 10: "Switch", 11: "Hub", 12: "Router", 13: "IDS", 14: "IPS", 15: "Load Balancer"}

// databases are OCSF's types of databases by the names of OpenTelemetry's db.system.name.
var databases = map[string]int64{
	"postgresql": 1, "mysql": 1, "mariadb": 1, "oracle.db": 1, "oracle": 1, "microsoft.sql_server": 1, "mssql": 1, "sqlite": 1, "ibm.db2": 1,
	"db2": 1, "mongodb": 6, "cassandra": 6, "redis": 6, "aws.dynamodb": 6, "dynamodb": 6, "couchdb": 6, "elasticsearch": 6, "opensearch": 6,
}

var databaseNames = map[int64]string{1: "Relational", 6: "NoSQL"}

// cimHives are the hives that the registry dataset names.
var cimHives = map[string]string{"hkey_current_config": "HKEY_CURRENT_CONFIG", "hkcc": "HKEY_CURRENT_CONFIG", "hkey_current_user": "HKEY_CURRENT_USER",
	"hkcu": "HKEY_CURRENT_USER"}

var clouds = map[string]string{
	"aws": "AMAZON_WEB_SERVICES", "gcp": "GOOGLE_CLOUD_PLATFORM", "azure": "MICROSOFT_AZURE",
	"amazon_web_services": "AMAZON_WEB_SERVICES", "google_cloud_platform": "GOOGLE_CLOUD_PLATFORM", "microsoft_azure": "MICROSOFT_AZURE",
}

var fileTypes = map[string]int64{
	"file": 1, "regular file": 1, "regular": 1, "dir": 2, "directory": 2, "folder": 2, "chardevice": 3, "blockdevice": 4, "socket": 5,
	"pipe": 6, "fifo": 6, "symlink": 7, "symbolic link": 7,
}

var fileTypeNames = map[int64]string{1: "Regular File", 2: "Folder", 3: "Character Device", 4: "Block Device", 5: "Local Socket", 6: "Named Pipe",
	7: "Symbolic Link"}

// A type of registry value.
type regType struct {
	asim string
	id   int64
	udm  string
}

var regTypes = map[string]*regType{
	"reg_none": {"Reg_None", 7, "NONE"}, "reg_sz": {"Reg_Sz", 10, "SZ"}, "reg_expand_sz": {"Reg_Expand_Sz", 4, "EXPAND_SZ"},
	"reg_binary": {"Reg_Binary", 1, "BINARY"}, "reg_dword": {"Reg_DWord", 2, "DWORD"}, "reg_multi_sz": {"Reg_Multi_Sz", 6, "MULTI_SZ"},
	"reg_qword": {"Reg_QWord", 8, "QWORD"}, "reg_link": {"", 5, "LINK"}, "reg_dword_big_endian": {"", 3, "DWORD_BIG_ENDIAN"},
}

// hives are the long names of the registry's roots.
var hives = map[string]string{
	"hklm": "HKEY_LOCAL_MACHINE", "hkcu": "HKEY_CURRENT_USER", "hkcr": "HKEY_CLASSES_ROOT", "hku": "HKEY_USERS", "hkcc": "HKEY_CURRENT_CONFIG",
}

// DNS parameters of IANA.
var (
	qtypes = map[string]int64{
		"a": 1, "ns": 2, "cname": 5, "soa": 6, "ptr": 12, "hinfo": 13, "mx": 15, "txt": 16, "aaaa": 28, "srv": 33, "naptr": 35, "ds": 43,
		"rrsig": 46, "nsec": 47, "dnskey": 48, "tlsa": 52, "svcb": 64, "https": 65, "ixfr": 251, "axfr": 252, "any": 255, "caa": 257,
	}
	qtypeNames = reverse(qtypes)
	qclasses   = map[string]int64{"in": 1, "ch": 3, "hs": 4, "none": 254, "any": 255, "c_internet": 1}
	rcodes     = map[string]int64{
		"noerror": 0, "formerr": 1, "servfail": 2, "nxdomain": 3, "notimp": 4, "refused": 5, "yxdomain": 6, "yxrrset": 7, "nxrrset": 8,
		"notauth": 9, "notzone": 10, "badsig": 16, "badvers": 16, "badkey": 17, "badtime": 18, "badmode": 19, "badname": 20, "badalg": 21,
		"badtrunc": 22, "badcookie": 23, "formerror": 1, "serverror": 2, "no error": 0,
	}
	rcodeNames = map[int64]string{0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED", 6: "YXDOMAIN",
		7: "YXRRSET", 8: "NXRRSET", 9: "NOTAUTH", 10: "NOTZONE"}
	rcodeOCSF = map[int64]string{0: "NoError", 1: "FormError", 2: "ServError", 3: "NXDomain", 4: "NotImp", 5: "Refused", 6: "YXDomain",
		7: "YXRRSet", 8: "NXRRSet", 9: "NotAuth", 10: "NotZone", 16: "BADSIG_VERS", 17: "BADKEY", 18: "BADTIME", 19: "BADMODE", 20: "BADNAME",
		21: "BADALG", 22: "BADTRUNC", 23: "BADCOOKIE"}
	opcodes = map[string]int64{"query": 0, "iquery": 1, "status": 2, "notify": 4, "update": 5}
)

func reverse(m map[string]int64) map[int64]string {
	out := map[int64]string{}
	for k, v := range m {
		out[v] = strings.ToUpper(k)
	}
	return out
}

var dhcpTypes = map[string]string{
	"discover": "DISCOVER", "offer": "OFFER", "request": "REQUEST", "decline": "DECLINE", "ack": "ACK", "assign": "ACK", "renew": "ACK",
	"nak": "NAK", "release": "RELEASE", "inform": "INFORM", "expire": "WIN_EXPIRED",
}

// A type of logon by its number in Windows.
type logon struct {
	id              int64
	asim, name, udm string
}

var logonTypes = func() map[string]*logon {
	m := map[string]*logon{}
	for _, l := range []struct {
		word string
		logon
	}{
		{"interactive", logon{2, "Interactive", "Interactive", "INTERACTIVE"}},
		{"network", logon{3, "Remote", "Network", "NETWORK"}},
		{"batch", logon{4, "Service", "Batch", "BATCH"}},
		{"service", logon{5, "Service", "OS Service", "SERVICE"}},
		{"unlock", logon{7, "Interactive", "Unlock", "UNLOCK"}},
		{"networkcleartext", logon{8, "Remote", "Network Cleartext", "NETWORK_CLEAR_TEXT"}},
		{"newcredentials", logon{9, "Interactive", "New Credentials", "NEW_CREDENTIALS"}},
		{"remoteinteractive", logon{10, "RemoteInteractive", "Remote Interactive", "REMOTE_INTERACTIVE"}},
		{"cachedinteractive", logon{11, "Interactive", "Cached Interactive", "CACHED_INTERACTIVE"}},
	} {
		m[l.word] = &l.logon
		m[strconv.FormatInt(l.id, 10)] = &l.logon
	}
	return m
}()

// convertWord handles the kinds that translate a word.
func (e *Encoder) convertWord(k kind, s string, f int, v *val) (val, fit) {
	switch k {
	case kindDirCIM, kindDirASIM, kindDirCEF, kindDirID, kindDirName, kindDirUDM:
		d := directionOf(s)
		if d == nil {
			return val{}, fitNot
		}
		switch k {
		case kindDirCIM:
			return nonEmpty(d.cim)
		case kindDirASIM:
			return nonEmpty(d.asim)
		case kindDirCEF:
			return nonEmpty(d.cef)
		case kindDirUDM:
			return nonEmpty(d.udm)
		case kindDirName:
			return nonEmpty(d.name)
		}
		return intVal(d.id), fitYes
	case kindProtoLower, kindProtoUpper, kindProtoNumber, kindProtoUDM, kindProtoCIM:
		return e.protocol(k, s, v)
	case kindAppUDM:
		return nonEmpty(fold(appProtocols, s))
	case kindConnState:
		return nonEmpty(fold(connStates, s))
	case kindIPVersionASIM, kindIPVersionID, kindIPVersionBool, kindIPVersionName:
		var six bool
		switch s {
		case "ipv4", "IPv4", "4":
		case "ipv6", "IPv6", "6":
			six = true
		default:
			return val{}, fitNot
		}
		switch {
		case k == kindIPVersionBool:
			return boolVal(six), fitYes
		case k == kindIPVersionName && six:
			return strVal("Internet Protocol version 6 (IPv6)"), fitYes
		case k == kindIPVersionName:
			return strVal("Internet Protocol version 4 (IPv4)"), fitYes
		case k == kindIPVersionID && six:
			return intVal(6), fitYes
		case k == kindIPVersionID:
			return intVal(4), fitYes
		case six:
			return strVal("IPv6"), fitYes
		}
		return strVal("IPv4"), fitYes
	case kindOSID, kindOSName, kindOSUDM:
		o := fold(systems, s)
		switch {
		case o == nil:
			return val{}, fitNot
		case k == kindOSID:
			return intVal(o.id), fitYes
		case k == kindOSName:
			return strVal(o.name), fitYes
		}
		return nonEmpty(o.udm)
	case kindDeviceType, kindDeviceTypeName:
		return byID(deviceTypes, deviceTypeNames, s, k == kindDeviceTypeName)
	case kindDBID, kindDBName:
		return byID(databases, databaseNames, s, k == kindDBName)
	case kindEnum:
		return nonEmpty(fold(e.table.fields[f].values, ecsWord(s)))
	case kindThreatCategory:
		return nonEmpty(fold(asimThreats, s))
	case kindCapability:
		return when(isCapability(s), s)
	case kindHTTPStatus:
		n, ok := v.int()
		return val{typ: typInt, num: n, text: true}, map[bool]fit{true: fitYes}[ok && http.StatusText(int(n)) != "" && n >= 100 && n != 103 && n != 418 && n != 421 && n != 425 && n != 451]
	case kindMethod:
		return when(fold(httpActivities, s) != 0, e.upper(s))
	case kindRegCIM:
		return when(fold(regTypes, s) != nil, e.upper(s))
	case kindHiveCIM:
		return nonEmpty(fold(cimHives, s))
	case kindMethodCIM:
		return when(fold(httpActivities, s) != 0 && !strings.EqualFold(s, "patch"), e.upper(s))
	case kindCloudUDM:
		return nonEmpty(fold(clouds, s))
	case kindFileType, kindFileTypeName:
		return byID(fileTypes, fileTypeNames, s, k == kindFileTypeName)
	case kindPathType:
		return pathType(s)
	case kindRegKey, kindRegPath:
		return e.registryKey(s)
	case kindRegASIM, kindRegID, kindRegUDM:
		r := fold(regTypes, s)
		switch {
		case r == nil:
			return val{}, fitNot
		case k == kindRegASIM:
			return nonEmpty(r.asim)
		case k == kindRegUDM:
			return nonEmpty(r.udm)
		}
		return intVal(r.id), fitYes
	case kindDNSName:
		return nonEmpty(strings.TrimSuffix(s, "."))
	case kindQTypeName, kindQTypeNumber:
		n, known := int64(0), false
		if n, known = v.int(); !known {
			n = fold(qtypes, s)
			known = n != 0
		}
		if k == kindQTypeNumber {
			if !known || n < 0 || n > 65535 {
				return val{}, fitNot
			}
			return intVal(n), fitYes
		}
		if name, ok := qtypeNames[n]; known && ok {
			return strVal(name), fitYes
		}
		return strVal(s), fitYes
	case kindQClassNumber:
		if n, ok := v.int(); ok && n >= 0 && n <= 65535 {
			return intVal(n), fitYes
		}
		return number(fold(qclasses, s))
	case kindRCodeName, kindRCodeID, kindRCodeOCSF, kindRCodeIDText:
		return rcode(k, s, v)
	case kindOpCodeID:
		if n, ok := v.int(); ok && n >= 0 && n < 16 {
			return intVal(n), fitYes
		}
		if n := fold(opcodes, s); n != 0 || strings.EqualFold(s, "query") {
			return intVal(n), fitYes
		}
		return val{}, fitNot
	case kindDNSType, kindDNSEvent, kindDNSResponse:
		response := strings.EqualFold(s, "answer") || strings.EqualFold(s, "response")
		if !response && !strings.EqualFold(s, "query") && !strings.EqualFold(s, "request") {
			return val{}, fitNot
		}
		switch {
		case k == kindDNSResponse:
			return boolVal(response), fitYes
		case k == kindDNSType && response:
			return strVal("Response"), fitYes
		case k == kindDNSType:
			return strVal("Query"), fitYes
		case response:
			return strVal("response"), fitYes
		}
		return strVal("request"), fitYes
	case kindDHCPUDM:
		return nonEmpty(fold(dhcpTypes, s))
	case kindLogonASIM, kindLogonID, kindLogonName, kindLogonUDM:
		l := fold(logonTypes, s)
		if l == nil {
			return val{}, fitNot
		}
		switch k {
		case kindLogonASIM:
			return strVal(l.asim), fitYes
		case kindLogonName:
			return strVal(l.name), fitYes
		case kindLogonUDM:
			return strVal(l.udm), fitYes
		}
		return intVal(l.id), fitYes
	case kindCategory, kindEventType, kindEventKind:
		table := map[kind]map[string]wordSet{kindCategory: categories, kindEventType: types, kindEventKind: eventKinds}[k]
		return when(fold(table, s) != 0, e.lower(s))
	case kindOutcome:
		switch fold(outcomes, s) {
		case outcomeSuccess:
			return strVal("success"), fitYes
		case outcomeFailure:
			return strVal("failure"), fitYes
		case outcomeUnknown:
			return strVal("unknown"), fitYes
		}
		return val{}, fitNot
	case kindVulnSeverity:
		switch u := e.upper(s); u {
		case "LOW", "MEDIUM", "HIGH", "CRITICAL":
			return strVal(u), fitYes
		}
		return val{}, fitNot
	}
	return val{}, fitNot
}

// byID is the number of a word in an enumeration, or the caption of that number. A word that the enumeration lacks is 99,
// Other, and its own caption.
func byID(ids map[string]int64, captions map[int64]string, s string, caption bool) (val, fit) {
	n := fold(ids, s)
	switch {
	case n == 0 && caption:
		return strVal(s), fitYes
	case n == 0:
		return intVal(99), fitYes
	case caption:
		return strVal(captions[n]), fitYes
	}
	return intVal(n), fitYes
}

func nonEmpty(s string) (val, fit) { return when(s != "", s) }

func number(n int64) (val, fit) {
	if n == 0 {
		return val{}, fitNot
	}
	return intVal(n), fitYes
}

func (e *Encoder) protocol(k kind, s string, v *val) (val, fit) {
	p := fold(protocolByName, s)
	switch k {
	case kindProtoNumber:
		if p != nil {
			return intVal(p.number), fitYes
		}
		if n, ok := v.int(); ok && inRange(kindProtocolNumber, n) {
			return intVal(n), fitYes
		}
		return val{}, fitNot
	case kindProtoCIM:
		if p == nil || p.number != 1 && p.number != 6 && p.number != 17 {
			return val{}, fitNot
		}
		return strVal(p.name), fitYes
	case kindProtoUDM:
		if p == nil {
			return val{}, fitNot
		}
		return nonEmpty(p.udm)
	}
	if p != nil {
		s = p.name
	} else if _, numeric := v.int(); numeric {
		return val{}, fitNot // a number that has no name here
	}
	if k == kindProtoLower {
		return strVal(e.lower(s)), fitYes
	}
	if u, ok := upperNames[s]; ok {
		return strVal(u), fitYes
	}
	return when(isKeyword(s), e.upper(s))
}

// isKeyword tells whether a protocol's name is one: a letter, then letters, digits and a few signs.
func isKeyword(s string) bool {
	for i := range len(s) {
		c := lowerByte(s[i])
		if !('a' <= c && c <= 'z' || i > 0 && ('0' <= c && c <= '9' || strings.IndexByte("+./-", c) >= 0)) {
			return false
		}
	}
	return s != ""
}

func rcode(k kind, s string, v *val) (val, fit) {
	n, ok := v.int()
	if !ok {
		n = fold(rcodes, s)
		ok = n != 0 || strings.EqualFold(s, "noerror") || strings.EqualFold(s, "no error")
	}
	if !ok || n < 0 || n > 23 {
		return val{}, fitNot
	}
	switch k {
	case kindRCodeName:
		if name, known := rcodeNames[n]; known {
			return strVal(name), fitYes
		}
		return val{}, fitNot
	case kindRCodeOCSF:
		return nonEmpty(rcodeOCSF[n])
	}
	if _, known := rcodeOCSF[n]; !known {
		return val{}, fitNot
	}
	return val{typ: typInt, num: n, text: k == kindRCodeIDText}, fitYes
}

// pathType is ASIM's TargetFilePathType.
func pathType(s string) (val, fit) {
	switch {
	case len(s) > 2 && s[1] == ':' && (s[2] == '\\' || s[2] == '/'):
		return strVal("Windows Local"), fitYes
	case strings.HasPrefix(s, `\\`):
		return strVal("Windows Share"), fitYes
	case strings.HasPrefix(s, "/"):
		return strVal("Unix"), fitYes
	case strings.Contains(s, "://"):
		return strVal("URL"), fitYes
	case !strings.ContainsAny(s, `\/`):
		return strVal("FileNameOnly"), fitYes
	}
	return val{}, fitNot
}

// registryKey writes the hive in its long form.
func (e *Encoder) registryKey(s string) (val, fit) {
	hive, rest, ok := strings.Cut(s, `\`)
	long := fold(hives, hive)
	if !ok || long == "" {
		return nonEmpty(s)
	}
	at := len(e.arena)
	e.arena = append(append(append(e.arena, long...), '\\'), rest...)
	return strVal(e.since(at)), fitYes
}

// ---- severity

// A severity on the scale of OCSF, and the number on the CEF scale from 0 to 10 that stands for it.
type severity struct {
	level  int8 // 0 unknown, 1 informational, 2 low, 3 medium, 4 high, 5 critical, 6 fatal
	number int8 // -1 unknown
	word   bool // it was a word, so formats that have words write one
}

var unknownSeverity = severity{0, -1, false}

var severityWords = map[string]severity{
	"informational": {1, 2, true}, "information": {1, 2, true}, "info": {1, 2, true}, "notice": {1, 2, true}, "verbose": {1, 1, true},
	"debug": {1, 1, true}, "trace": {1, 0, true},
	"low": {2, 3, true}, "medium": {3, 5, true}, "moderate": {3, 5, true}, "warning": {3, 5, true}, "warn": {3, 5, true},
	"high": {4, 8, true}, "error": {4, 8, true}, "err": {4, 8, true},
	"critical": {5, 10, true}, "crit": {5, 10, true}, "very-high": {5, 10, true}, "severe": {5, 10, true},
	"fatal": {6, 10, true}, "emergency": {6, 10, true}, "emerg": {6, 10, true}, "panic": {6, 10, true}, "alert": {6, 10, true},
	"unknown": {0, -1, true},
}

// severityOfNumber reads a SeverityNumber of OpenTelemetry.
func severityOfNumber(n int32) severity {
	switch {
	case n < 1 || n > 24:
		return unknownSeverity
	case n <= 4:
		return severity{1, 0, false}
	case n <= 8:
		return severity{1, 1, false}
	case n <= 12:
		return severity{1, 3, false}
	case n <= 16:
		return severity{3, 5, false}
	case n <= 20:
		return severity{4, 7, false}
	}
	return severity{6, 10, false}
}

// severityOfScale reads a number on the scale of CEF and LEEF, 0 to 10.
func severityOfScale(n int64) severity {
	switch {
	case n < 0 || n > 10:
		return unknownSeverity
	case n <= 3:
		return severity{2, int8(n), false}
	case n <= 6:
		return severity{3, int8(n), false}
	case n <= 8:
		return severity{4, int8(n), false}
	}
	return severity{5, int8(n), false}
}

// severityOfSyslog reads a severity of RFC 5424, 0 to 7.
func severityOfSyslog(n int64) severity {
	if n < 0 || n > 7 {
		return unknownSeverity
	}
	return severityOfNumber([...]int32{21, 19, 18, 17, 13, 10, 9, 5}[n])
}

// ---- outcome and action

type outcome int8

const (
	outcomeNone outcome = iota
	outcomeUnknown
	outcomeSuccess
	outcomeFailure
)

var outcomes = map[string]outcome{
	"success": outcomeSuccess, "succeeded": outcomeSuccess, "successful": outcomeSuccess, "ok": outcomeSuccess,
	"failure": outcomeFailure, "failed": outcomeFailure, "fail": outcomeFailure, "error": outcomeFailure,
	"unknown": outcomeUnknown, "na": outcomeUnknown, "partial": outcomeUnknown,
}

// verdict is what a device did with what it saw.
type verdict struct {
	name        string // of ECS event.type: allowed or denied
	cim         string
	asim        string
	disposition int64 // OCSF
	action      int64 // OCSF
	udm         string
}

var (
	verdictAllow = verdict{"allowed", "allowed", "Allow", 1, 1, "ALLOW"}
	verdictDeny  = verdict{"denied", "blocked", "Deny", 2, 2, "BLOCK"}
	verdictDrop  = verdict{"denied", "blocked", "Drop", 6, 2, "BLOCK"}
	verdictReset = verdict{"denied", "blocked", "Reset", 21, 2, "BLOCK"}
	verdictHold  = verdict{"", "blocked", "", 3, 2, "QUARANTINE"}
	verdictAlert = verdict{"", "", "", 19, 3, ""}
	verdictClose = verdict{"", "teardown", "", 0, 0, ""}

	verdicts = map[string]*verdict{
		"allow": &verdictAllow, "allowed": &verdictAllow, "permit": &verdictAllow, "permitted": &verdictAllow, "accept": &verdictAllow,
		"accepted": &verdictAllow, "pass": &verdictAllow, "passed": &verdictAllow,
		"deny": &verdictDeny, "denied": &verdictDeny, "block": &verdictDeny, "blocked": &verdictDeny, "reject": &verdictDeny,
		"rejected": &verdictDeny, "refuse": &verdictDeny, "refused": &verdictDeny,
		"drop": &verdictDrop, "dropped": &verdictDrop, "discard": &verdictDrop,
		"reset": &verdictReset, "rst": &verdictReset,
		"reset-client": {"denied", "blocked", "Reset Source", 21, 2, "BLOCK"}, "reset source": {"denied", "blocked", "Reset Source", 21, 2, "BLOCK"},
		"reset-server": {"denied", "blocked", "Reset Destination", 21, 2, "BLOCK"}, "reset destination": {"denied", "blocked", "Reset Destination", 21, 2, "BLOCK"},
		"encrypt": {"", "", "Encrypt", 99, 99, ""}, "decrypt": {"", "", "Decrypt", 99, 99, ""},
		"quarantine": &verdictHold, "quarantined": &verdictHold,
		"alert": &verdictAlert, "detected": &verdictAlert, "detect": &verdictAlert,
		"close": &verdictClose, "end": &verdictClose, "teardown": &verdictClose,
	}

	dispositions = map[int64]string{1: "Allowed", 2: "Blocked", 3: "Quarantined", 6: "Dropped", 19: "Alert", 21: "Reset", 99: "Other"}
	ocsfActions  = map[int64]string{1: "Allowed", 2: "Denied", 3: "Observed", 99: "Other"}
)
