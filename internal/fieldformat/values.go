// SPDX-License-Identifier: Apache-2.0

package fieldformat

import (
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/jsontext"
)

// A val is a value on its way through the pivot. Text is shared with the record, never copied.
type val struct {
	typ  typ
	text bool // a number, time or flag that is written as text
	num  int64
	str  string
	pv   pcommon.Value // lists and maps
	name string        // the name it came with; empty if it was derived
	in   *input        // where it comes from, while that is of interest: see lesson.go
}

type typ uint8

const (
	typNone typ = iota
	typStr
	typInt   // num
	typFloat // num holds the bits
	typBool  // num is 0 or 1
	typTime  // num is nanoseconds since 1970
	typList  // pv
	typMap   // pv
	typBytes // pv
	typRaw   // str is JSON
)

func strVal(s string) val { return val{typ: typStr, str: s} }
func intVal(n int64) val  { return val{typ: typInt, num: n} }
func timeVal(n int64) val { return val{typ: typTime, num: n} }
func boolVal(b bool) val {
	if b {
		return val{typ: typBool, num: 1}
	}
	return val{typ: typBool}
}
func floatVal(f float64) val  { return val{typ: typFloat, num: int64(math.Float64bits(f))} }
func (v *val) float() float64 { return math.Float64frombits(uint64(v.num)) }

// attr makes a val of an attribute. Nothing comes of an empty value or text.
func attr(v pcommon.Value, name string) val {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		if v.Str() == "" {
			return val{}
		}
		return val{typ: typStr, str: v.Str(), name: name}
	case pcommon.ValueTypeInt:
		return val{typ: typInt, num: v.Int(), name: name}
	case pcommon.ValueTypeDouble:
		return val{typ: typFloat, num: int64(math.Float64bits(v.Double())), name: name}
	case pcommon.ValueTypeBool:
		out := val{typ: typBool, name: name}
		if v.Bool() {
			out.num = 1
		}
		return out
	case pcommon.ValueTypeSlice:
		return val{typ: typList, pv: v, name: name}
	case pcommon.ValueTypeMap:
		return val{typ: typMap, pv: v, name: name}
	case pcommon.ValueTypeBytes:
		if v.Bytes().Len() == 0 {
			return val{}
		}
		return val{typ: typBytes, pv: v, name: name}
	}
	return val{}
}

// fitsAsIs tells the usual case that a value is in the form of a kind already.
func (v *val) fitsAsIs(k kind) bool {
	switch k {
	case kindText, kindOne, kindLabelled, kindUserID, kindLoneName:
		return v.typ == typStr
	case kindInt:
		return v.typ == typInt
	case kindUint:
		return v.typ == typInt && v.num >= 0
	case kindPort:
		return v.typ == typInt && uint64(v.num) <= math.MaxUint16
	case kindNat32:
		return v.typ == typInt && 0 <= v.num && v.num <= math.MaxInt32
	case kindInt32:
		return v.typ == typInt && math.MinInt32 <= v.num && v.num <= math.MaxInt32
	case kindIP, kindIP4:
		return v.typ == typStr && isIPv4(v.str)
	case kindHost, kindURL:
		return v.typ == typStr && v.str != "" && !hasBlank(v.str)
	case kindTime:
		return v.typ == typTime && v.num >= earliest
	}
	return false
}

func hasBlank(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' && (s[i] == ' ' || s[i] == '\t' || s[i] == '\n' || s[i] == '\r') {
			return true
		}
	}
	return false
}

// A kind says which values fit a place and how they are written there.
type kind uint8

const (
	kindNone kind = iota
	kindText
	kindInt
	kindInt32
	kindUint
	kindUint32
	kindFloat
	kindBool
	kindTime
	kindPort
	kindIP
	kindIP4
	kindIP6
	kindMAC
	kindHost
	kindShortName
	kindFQDN
	kindDNSDomain
	kindDomainType
	kindURL
	kindHash
	kindEmail
	kindUUID
	kindObject
	kindGeo
	kindGeoLat
	kindGeoLon
	kindJoin
	kindOne
	kindJSON
	kindText32
	kindText1024
	kindConst
	kindLabelled
	kindAssetID
	kindUserID
	kindSID
	kindNotSID
	kindUserName
	kindLoneName // of users without a domain
	kindUserType
	kindLoneType
	kindDomainedType
	kindIDType
	kindRisk
	kindHexID
	kindTimeZone
	kindSeconds
	kindMillis
	kindProtoDuration
	kindDirection
	kindDirCIM
	kindDirASIM
	kindDirCEF
	kindDirID
	kindDirName
	kindDirUDM
	kindTransport
	kindProtocolNumber
	kindProtoLower
	kindProtoUpper
	kindProtoNumber
	kindProtoUDM
	kindUpper
	kindLower
	kindAppUDM
	kindConnState
	kindIPVersion
	kindIPVersionASIM
	kindIPVersionID
	kindIPVersionBool
	kindOSType
	kindOSID
	kindOSName
	kindOSUDM
	kindDeviceType
	kindCloudUDM
	kindFileType
	kindFileTypeName
	kindPathType
	kindBigSize
	kindBigSizeLabel
	kindRegKey
	kindRegPath
	kindRegASIM
	kindRegID
	kindRegUDM
	kindDNSName
	kindQTypeName
	kindQTypeNumber
	kindQClassNumber
	kindRCodeName
	kindRCodeID
	kindRCodeOCSF
	kindOpCodeID
	kindDNSType
	kindDNSEvent
	kindDNSResponse
	kindDHCPUDM
	kindLogonType
	kindLogonASIM
	kindLogonID
	kindLogonName
	kindLogonUDM
	kindVulnSeverity
	kindCategory
	kindEventType
	kindEventKind
	kindOutcome
	kindRCodeIDText
	kindDeviceTypeName
	kindDBID
	kindDBName
	kindMillis32
	kindProtoCIM
	kindText64
	kindText256
	kindIPVersionName
	kindHiveCIM
	kindMethodCIM
	kindMD5
	kindSHA1
	kindSHA256
	kindSHA512
	kindAnswers
	kindEnum
	kindCapability
	kindHTTPStatus
	kindMethod
	kindRegCIM
	kindNat32
	kindThreatCategory
	numKinds
)

// kindNames are the kinds as fields.txt and ecs.txt write them.
var kindNames = map[string]kind{
	"text": kindText, "int": kindInt, "int32": kindInt32, "uint": kindUint, "uint32": kindUint32,
	"float": kindFloat, "bool": kindBool, "time": kindTime, "port": kindPort,
	"ip": kindIP, "ip4": kindIP4, "ip6": kindIP6, "mac": kindMAC,
	"host": kindHost, "shortname": kindShortName, "fqdn": kindFQDN, "dnsdomain": kindDNSDomain, "domaintype": kindDomainType,
	"url": kindURL, "hash": kindHash, "email": kindEmail, "uuid": kindUUID, "object": kindObject,
	"geo": kindGeo, "geo.lat": kindGeoLat, "geo.lon": kindGeoLon,
	"join": kindJoin, "one": kindOne, "json": kindJSON, "text32": kindText32, "text1024": kindText1024,
	"const": kindConst, "cs": kindLabelled, "assetid": kindAssetID,
	"userid": kindUserID, "sid": kindSID, "notsid": kindNotSID, "username": kindUserName, "usertype": kindUserType, "idtype": kindIDType,
	"risk": kindRisk, "hexid": kindHexID, "tz": kindTimeZone,
	"dur.s": kindSeconds, "dur.ms": kindMillis, "dur.proto": kindProtoDuration,
	"direction": kindDirection, "dir.cim": kindDirCIM, "dir.asim": kindDirASIM, "dir.cef": kindDirCEF,
	"dir.id": kindDirID, "dir.name": kindDirName, "dir.udm": kindDirUDM,
	"transport": kindTransport, "protonum": kindProtocolNumber, "proto.lower": kindProtoLower, "proto.upper": kindProtoUpper,
	"proto.num": kindProtoNumber, "proto.udm": kindProtoUDM, "upper": kindUpper, "lower": kindLower, "app.udm": kindAppUDM, "connstate": kindConnState,
	"ipver": kindIPVersion, "ipver.asim": kindIPVersionASIM, "ipver.id": kindIPVersionID, "ipver.bool": kindIPVersionBool,
	"ostype": kindOSType, "os.id": kindOSID, "os.name": kindOSName, "os.udm": kindOSUDM, "devtype": kindDeviceType, "cloud.udm": kindCloudUDM,
	"filetype": kindFileType, "filetype.name": kindFileTypeName, "pathtype": kindPathType,
	"bigsize": kindBigSize, "bigsizelabel": kindBigSizeLabel,
	"regkey": kindRegKey, "regpath": kindRegPath, "reg.asim": kindRegASIM, "reg.id": kindRegID, "reg.udm": kindRegUDM,
	"dnsname": kindDNSName, "qtype.name": kindQTypeName, "qtype.num": kindQTypeNumber,
	"qclass.num": kindQClassNumber, "rcode.name": kindRCodeName, "rcode.id": kindRCodeID, "rcode.ocsf": kindRCodeOCSF,
	"opcode.id": kindOpCodeID, "dnstype": kindDNSType, "dnsevent": kindDNSEvent, "dnsresponse": kindDNSResponse, "dhcp.udm": kindDHCPUDM,
	"logontype": kindLogonType, "logon.asim": kindLogonASIM, "logon.id": kindLogonID, "logon.name": kindLogonName, "logon.udm": kindLogonUDM,
	"vulnsev": kindVulnSeverity, "category": kindCategory, "evtype": kindEventType, "evkind": kindEventKind, "outcome": kindOutcome,
	"rcode.idtext": kindRCodeIDText, "devtype.name": kindDeviceTypeName, "db.id": kindDBID, "db.name": kindDBName, "dur.ms32": kindMillis32,
	"proto.cim": kindProtoCIM, "text64": kindText64, "text256": kindText256, "ipver.name": kindIPVersionName, "hive.cim": kindHiveCIM,
	"method.cim": kindMethodCIM, "md5": kindMD5, "sha1": kindSHA1, "sha256": kindSHA256, "sha512": kindSHA512, "answers": kindAnswers,
	"enum": kindEnum, "capability": kindCapability, "httpstatus": kindHTTPStatus, "method": kindMethod, "reg.cim": kindRegCIM, "nat32": kindNat32, "threatcat": kindThreatCategory,
}

// parseKind reads a kind with an argument: "const.Other" is the constant Other.
func parseKind(text string) (kind, string) {
	if k, ok := kindNames[text]; ok {
		return k, ""
	}
	name, arg, _ := strings.Cut(text, ".")
	return kindOf(name), arg
}

func kindOf(name string) kind {
	k, ok := kindNames[name]
	if !ok {
		panic(fmt.Sprintf("fieldformat: unknown kind %q", name))
	}
	return k
}

// A fit says how a value sits in its place.
type fit uint8

const (
	fitNot  fit = iota // not at all: it goes to the bag
	fitYes             // nothing of it is lost
	fitPart            // some of it is lost: all of it goes to the bag as well
)

// convertValue is convert without regard to a lesson.
func (e *Encoder) convertValue(k kind, arg string, f int, v *val) (val, fit) {
	if v.typ == typList && k != kindObject && k != kindJoin && k != kindJSON && k != kindConst &&
		k != kindGeo && k != kindGeoLat && k != kindGeoLon {
		s := v.pv.Slice()
		if s.Len() == 0 {
			return val{}, fitNot
		}
		first := attr(s.At(0), v.name)
		out, ok := e.convert(k, arg, f, &first)
		if ok == fitYes && s.Len() > 1 {
			ok = fitPart
		}
		return out, ok
	}
	switch k {
	case kindText, kindLogonType, kindUserID, kindTransport, kindOSType, kindDirection, kindIPVersion, kindOne:
		return e.text(k, v)
	case kindInt, kindInt32, kindNat32, kindUint, kindUint32, kindPort, kindProtocolNumber:
		n, ok := v.int()
		if !ok || !inRange(k, n) {
			return val{}, fitNot
		}
		return val{typ: typInt, num: n, text: arg == "text"}, fitYes
	case kindFloat:
		return v.toFloat()
	case kindBool:
		return v.toBool()
	case kindTime:
		if n, ok := v.time(); ok {
			return timeVal(n), fitYes
		}
		return val{}, fitNot
	case kindObject:
		if e.isObject(e.table.fields[f].name, v) {
			return *v, fitYes
		}
		return val{}, fitNot
	case kindJSON:
		switch v.typ {
		case typList, typMap:
			return val{typ: v.typ, pv: v.pv, text: true}, fitYes
		}
		return e.text(k, v)
	case kindGeo:
		return e.toGeo(v)
	case kindGeoLat, kindGeoLon:
		lat, lon, ok := geo(v)
		switch {
		case !ok:
			return val{}, fitNot
		case k == kindGeoLat:
			return floatVal(lat), fitYes
		}
		return floatVal(lon), fitYes
	case kindConst:
		return strVal(arg), fitYes
	case kindSeconds, kindMillis, kindMillis32, kindProtoDuration:
		return e.duration(k, v)
	case kindJoin:
		return e.join(v)
	}
	if v.typ == typMap || v.typ == typBytes || v.typ == typFloat && k != kindRisk && k != kindHTTPStatus {
		return val{}, fitNot
	}
	return e.convertText(k, arg, f, v)
}

func (e *Encoder) text(k kind, v *val) (val, fit) {
	v.look()
	switch v.typ {
	case typStr:
		if k == kindDirection {
			switch d := directionOf(v.str); {
			case v.str == "ingress" || v.str == "egress":
			case d != nil && d.ecs != "":
				return strVal(d.ecs), fitYes
			default:
				return val{}, fitNot
			}
		}
		return val{typ: typStr, str: v.str}, fitYes
	case typInt, typFloat, typBool, typTime:
		if v.typ == typFloat && !finite(v.float()) || k == kindDirection || k == kindUserID && v.typ != typInt {
			return val{}, fitNot
		}
		return val{typ: v.typ, num: v.num, text: true}, fitYes
	case typBytes:
		if k == kindText || k == kindOne {
			return val{typ: typBytes, pv: v.pv}, fitYes
		}
	}
	return val{}, fitNot
}

// isObject tells whether a value can stand where ECS has an object or an array of objects: everything in it is a field
// that ECS has there, of the right type.
func (e *Encoder) isObject(name string, v *val) bool {
	switch v.typ {
	case typMap:
		if !e.table.prefix[name] {
			return true // anything goes
		}
		for sub, el := range v.pv.Map().All() {
			sub = e.dotted(name, sub)
			a := attr(el, "")
			id, ok := e.table.byName[sub]
			if !ok {
				if a.typ != typMap || !e.table.prefix[sub] || !e.isObject(sub, &a) {
					return false
				}
				continue
			}
			f := &e.table.fields[id]
			k := f.kind
			if f.inECS != kindNone {
				k = f.inECS
			}
			if f.list || !a.fitsAsIs(k) {
				return false
			}
		}
		return true
	case typList:
		for _, el := range v.pv.Slice().All() {
			a := attr(el, "")
			if a.typ != typMap || !e.isObject(name, &a) {
				return false
			}
		}
		return v.pv.Slice().Len() > 0
	}
	return false
}

// convertText handles the kinds that look at the letters of a value.
func (e *Encoder) convertText(k kind, arg string, f int, v *val) (val, fit) {
	s, ok := e.plain(v)
	if !ok {
		return val{}, fitNot
	}
	switch k {
	case kindIP:
		return when(isIP(s), s)
	case kindIP4:
		return when(isIPv4(s), s)
	case kindIP6:
		return when(!isIPv4(s) && isIP(s), s)
	case kindMAC:
		return e.mac(s)
	case kindLower:
		return strVal(e.lower(s)), fitYes
	case kindHost, kindURL, kindUpper:
		if k == kindUpper {
			return strVal(e.upper(s)), fitYes
		}
		return when(s != "" && !hasBlank(s), s)
	case kindShortName:
		return shortName(s)
	case kindFQDN:
		return when(isFQDN(s), s)
	case kindDNSDomain:
		_, domain, _ := strings.Cut(s, ".")
		return when(isFQDN(s), domain)
	case kindDomainType:
		return when(isFQDN(s), "FQDN")
	case kindHash:
		return when(isHex(s), s)
	case kindMD5, kindSHA1, kindSHA256, kindSHA512:
		size := map[kind]int{kindMD5: 32, kindSHA1: 40, kindSHA256: 64, kindSHA512: 128}[k]
		return when(len(s) == size && isHex(s), e.lower(s))
	case kindEmail:
		return when(isEmail(s), s)
	case kindUUID:
		return when(isUUID(s), s)
	case kindText32, kindText64, kindText256, kindText1024:
		limit := map[kind]int{kindText32: 32, kindText64: 64, kindText256: 256, kindText1024: 1024}[k]
		s = e.valid(s)
		if len(s) <= limit {
			return strVal(s), fitYes
		}
		return strVal(cut(s, limit)), fitPart
	case kindLabelled:
		return strVal(s), fitYes
	case kindAssetID:
		if i := strings.IndexByte(s, ':'); s == "" || i > 0 && i < len(s)-1 {
			return nonEmpty(s) // vendor:id already
		}
		at := len(e.arena)
		for _, c := range []byte(e.vendor()) {
			if c == ':' {
				c = '_'
			}
			e.arena = append(e.arena, c)
		}
		e.arena = append(append(e.arena, ':'), s...)
		return strVal(e.since(at)), fitYes
	case kindSID:
		return when(isSID(s), s)
	case kindNotSID:
		return when(s != "" && !isSID(s), s)
	case kindUserName:
		if d := e.domainOf(f); d != nil {
			return e.userName(v, d)
		}
		return nonEmpty(s)
	case kindLoneName:
		return nonEmpty(s)
	case kindUserType:
		return when(s != "", userNameType(s, e.domainOf(f) != nil))
	case kindLoneType, kindDomainedType:
		return when(s != "", userNameType(s, k == kindDomainedType))
	case kindIDType:
		if arg == "alert" { // AlertEvent has words of its own
			switch {
			case isSID(s):
				return strVal("SID"), fitYes
			case isUUID(s):
				return strVal("GUID"), fitYes
			}
			return strVal("Other"), fitYes
		}
		t := userIDType(s)
		if t == "AADID" && !e.ofMicrosoft() {
			t = "Other" // a GUID of someone else
		}
		return when(s != "", t)
	case kindRisk:
		n, ok := v.int()
		if !ok || n < 0 || n > 100 {
			return val{}, fitNot
		}
		return intVal(n), fitYes
	case kindHexID:
		n, ok := v.int()
		if v.typ == typStr && strings.HasPrefix(s, "0x") {
			return strVal(s), fitYes
		}
		if !ok || n < 0 {
			return val{}, fitNot
		}
		at := len(e.arena)
		e.arena = strconv.AppendInt(append(e.arena, "0x"...), n, 16)
		return strVal(e.since(at)), fitYes
	case kindTimeZone:
		if m, ok := minutesEast(s); ok {
			return intVal(m), fitYes
		}
		return val{}, fitNot
	case kindBigSize, kindBigSizeLabel:
		n, ok := v.int()
		switch {
		case !ok || n <= math.MaxInt32:
			return val{}, fitNot
		case k == kindBigSizeLabel:
			return strVal("FileSize"), fitYes
		}
		return intVal(n), fitYes
	}
	return e.convertWord(k, s, f, v)
}

// when is a text that fits under a condition.
func when(ok bool, s string) (val, fit) {
	if !ok {
		return val{}, fitNot
	}
	return strVal(s), fitYes
}

// plain is the value as text; of numbers a copy in the arena.
func (e *Encoder) plain(v *val) (string, bool) {
	v.look()
	at := len(e.arena)
	switch v.typ {
	case typStr:
		return v.str, true
	case typInt:
		e.arena = strconv.AppendInt(e.arena, v.num, 10)
	case typFloat:
		e.arena = jsontext.AppendFloat(e.arena, v.float())
	case typBool:
		e.arena = strconv.AppendBool(e.arena, v.num != 0)
	case typTime:
		e.arena = jsontext.AppendTimeText(e.arena, v.num, 9)
	case typList:
		if s := v.pv.Slice(); s.Len() > 0 {
			first := attr(s.At(0), "")
			if first.typ != typList {
				return e.plain(&first)
			}
		}
		return "", false
	default:
		return "", false
	}
	return e.since(at), true
}

// join makes one text of a list, its elements separated by blanks.
func (e *Encoder) join(v *val) (val, fit) {
	if v.typ != typList {
		s, ok := e.plain(v)
		return when(ok, s)
	}
	at := len(e.arena)
	for i, el := range v.pv.Slice().All() {
		if i > 0 {
			e.arena = append(e.arena, ' ')
		}
		switch el.Type() {
		case pcommon.ValueTypeStr:
			e.arena = append(e.arena, el.Str()...)
		default:
			e.arena = jsontext.AppendValue(e.arena, el)
		}
	}
	return strVal(e.since(at)), fitYes
}

func (e *Encoder) upper(s string) string {
	at := len(e.arena)
	for i := range len(s) {
		c := s[i]
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		e.arena = append(e.arena, c)
	}
	return e.since(at)
}

func (e *Encoder) lower(s string) string {
	for i := range len(s) {
		if c := s[i]; 'A' <= c && c <= 'Z' {
			at := len(e.arena)
			for i := range len(s) {
				e.arena = append(e.arena, lowerByte(s[i]))
			}
			return e.since(at)
		}
	}
	return s
}

func lowerByte(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// ---- numbers

// int is the value as a whole number, if it is one: text of digits and floats without a fraction count.
func (v *val) int() (int64, bool) {
	v.look()
	switch v.typ {
	case typInt:
		return v.num, true
	case typFloat:
		f := v.float()
		n := int64(f)
		return n, f == math.Trunc(f) && math.Abs(f) < 1<<53
	case typStr:
		if len(v.str) == 0 || len(v.str) > 20 || !(v.str[0] == '-' || '0' <= v.str[0] && v.str[0] <= '9') {
			return 0, false
		}
		n, err := strconv.ParseInt(v.str, 10, 64)
		return n, err == nil
	}
	return 0, false
}

func inRange(k kind, n int64) bool {
	switch k {
	case kindPort:
		return 0 <= n && n <= math.MaxUint16
	case kindInt32:
		return math.MinInt32 <= n && n <= math.MaxInt32
	case kindNat32:
		return 0 <= n && n <= math.MaxInt32
	case kindUint32:
		return 0 <= n && n <= math.MaxUint32
	case kindUint:
		return n >= 0
	case kindProtocolNumber:
		return 0 <= n && n <= 255
	}
	return true
}

func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }

func (v *val) toFloat() (val, fit) {
	v.look()
	switch v.typ {
	case typInt:
		return intVal(v.num), fitYes
	case typFloat:
		if finite(v.float()) {
			return *v, fitYes
		}
	case typStr:
		if f, err := strconv.ParseFloat(v.str, 64); err == nil && finite(f) && !strings.ContainsAny(v.str, "xXpP_") {
			return floatVal(f), fitYes
		}
	}
	return val{}, fitNot
}

func (v *val) toBool() (val, fit) {
	v.look()
	switch v.typ {
	case typBool:
		return *v, fitYes
	case typStr:
		switch v.str {
		case "true", "True", "TRUE":
			return boolVal(true), fitYes
		case "false", "False", "FALSE":
			return boolVal(false), fitYes
		}
	}
	return val{}, fitNot
}

// duration turns nanoseconds, as ECS counts, into what others count.
func (e *Encoder) duration(k kind, v *val) (val, fit) {
	n, ok := v.int()
	if !ok || n < 0 {
		return val{}, fitNot
	}
	switch k {
	case kindSeconds:
		return floatVal(float64(n) / 1e9), fitYes
	case kindMillis, kindMillis32:
		ms := n / 1e6
		if k == kindMillis32 && ms > math.MaxInt32 {
			return val{}, fitNot
		}
		if n%1e6 != 0 {
			return intVal(ms), fitPart
		}
		return intVal(ms), fitYes
	}
	at := len(e.arena)
	e.arena = strconv.AppendInt(e.arena, n/1e9, 10)
	if frac := n % 1e9; frac != 0 {
		e.arena = append(e.arena, '.')
		digits := strconv.Itoa(int(1e9 + frac))[1:]
		e.arena = append(e.arena, digits...)
	}
	e.arena = append(e.arena, 's')
	return strVal(e.since(at)), fitYes
}

// ---- time

// time reads a time: RFC 3339 and its relatives, the dates of CEF and syslog, or a count of seconds, milliseconds,
// microseconds or nanoseconds since 1970, told apart by size.
func (v *val) time() (int64, bool) {
	v.look()
	switch v.typ {
	case typTime:
		return v.num, v.num >= earliest
	case typInt:
		return epoch(v.num)
	case typFloat:
		f := v.float()
		if !finite(f) || f < earliest/1e9 || f >= 1e11 {
			n, ok := v.int()
			if !ok {
				return 0, false
			}
			return epoch(n)
		}
		return int64(math.Round(f*1e6)) * 1e3, f < math.MaxInt64/1_000_000_000
	case typStr:
		return parseTime(v.str)
	}
	return 0, false
}

// earliest is the first time that is taken for one, in 1973: smaller numbers are rather something else.
const earliest = 1e17

func epoch(n int64) (int64, bool) {
	switch {
	case n < earliest/1e9:
		return 0, false
	case n < 1e11:
		return n * 1e9, n <= math.MaxInt64/1_000_000_000
	case n < 1e14:
		return n * 1e6, n <= math.MaxInt64/1_000_000
	case n < 1e17:
		return n * 1e3, n <= math.MaxInt64/1_000
	}
	return n, true
}

var timeLayouts = []string{
	time.RFC3339Nano,
	"2006-01-02T15:04:05.999999999",
	"2006-01-02T15:04:05.999999999Z0700",
	"2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05.999999999",
	"Jan _2 2006 15:04:05.999999999 MST",
	"Jan _2 2006 15:04:05.999999999",
}

func parseTime(s string) (int64, bool) {
	if len(s) < 10 || len(s) > 48 {
		return 0, false
	}
	if n, ok := parseRFC3339(s); ok {
		return n, true
	}
	if c := s[0]; '0' <= c && c <= '9' {
		v := val{typ: typStr, str: s}
		if n, ok := v.int(); ok {
			return epoch(n)
		}
		if f, fits := v.toFloat(); fits == fitYes {
			return f.time()
		}
	} else if c < 'A' || c > 'Z' {
		return 0, false
	}
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			if y := t.Year(); y < 1973 || y > 2261 {
				return 0, false
			}
			return t.UnixNano(), t.UnixNano() >= earliest
		}
	}
	return 0, false
}

// parseRFC3339 reads the common form in UTC without the cost of time.Parse: 2006-01-02T15:04:05[.fraction]Z.
func parseRFC3339(s string) (int64, bool) {
	if len(s) < 20 || len(s) > 30 || s[len(s)-1] != 'Z' || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' {
		return 0, false
	}
	num := func(i, j int) int {
		n := 0
		for ; i < j; i++ {
			if s[i] < '0' || s[i] > '9' {
				return -1 << 20
			}
			n = n*10 + int(s[i]-'0')
		}
		return n
	}
	year, month, day, hour, minute, second := num(0, 4), num(5, 7), num(8, 10), num(11, 13), num(14, 16), num(17, 19)
	if year < 1973 || year > 2261 || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59 {
		return 0, false
	}
	nanos := 0
	if frac := len(s) - 21; s[19] == '.' && frac > 0 {
		nanos = num(20, len(s)-1)
		for ; frac < 9; frac++ {
			nanos *= 10
		}
	} else if len(s) != 20 {
		return 0, false
	}
	if nanos < 0 {
		return 0, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, nanos, time.UTC)
	return t.UnixNano(), t.Day() == day && t.UnixNano() >= earliest
}

func minutesEast(s string) (int64, bool) {
	if s == "Z" || s == "UTC" || s == "GMT" {
		return 0, true
	}
	if len(s) != 6 && len(s) != 5 || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	h, err1 := strconv.Atoi(s[1:3])
	m, err2 := strconv.Atoi(s[len(s)-2:])
	if err1 != nil || err2 != nil || h < 0 || h > 18 || m < 0 || m > 59 || len(s) == 6 && s[3] != ':' {
		return 0, false
	}
	n := int64(h*60 + m)
	if s[0] == '-' {
		n = -n
	}
	return n, true
}

// ---- addresses and names

func isIP(s string) bool {
	if isIPv4(s) {
		return true
	}
	if len(s) < 2 || len(s) > 45 || !strings.Contains(s, ":") || strings.Contains(s, "%") {
		return false
	}
	for i := range len(s) {
		if c := lowerByte(s[i]); !('0' <= c && c <= '9' || 'a' <= c && c <= 'f' || c == ':' || c == '.') {
			return false
		}
	}
	_, err := netip.ParseAddr(s)
	return err == nil
}

func isIPv4(s string) bool {
	if len(s) < 7 || len(s) > 15 {
		return false
	}
	part, digits, dots := 0, 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case '0' <= c && c <= '9':
			if digits > 0 && part == 0 {
				return false
			}
			part = part*10 + int(c-'0')
			digits++
			if part > 255 || digits > 3 {
				return false
			}
		case c == '.' && digits > 0:
			dots++
			part, digits = 0, 0
		default:
			return false
		}
	}
	return dots == 3 && digits > 0
}

// macDigits returns the twelve digits of a MAC address in any notation.
func macDigits(s string) (out [12]byte, ok bool) {
	n := 0
	for i := range len(s) {
		switch c := lowerByte(s[i]); {
		case '0' <= c && c <= '9' || 'a' <= c && c <= 'f':
			if n == 12 {
				return out, false
			}
			out[n] = c
			n++
		case (c == ':' || c == '-') && n > 0 && n%2 == 0 && i < len(s)-1, c == '.' && n > 0 && n%4 == 0 && i < len(s)-1:
		default:
			return out, false
		}
	}
	return out, n == 12
}

// mac writes a MAC address as its format does: ECS upper case with hyphens, all others with colons.
func (e *Encoder) mac(s string) (val, fit) {
	digits, ok := macDigits(s)
	if !ok {
		return val{}, fitNot
	}
	at := len(e.arena)
	for i, c := range digits {
		switch {
		case e.format == ECS && i > 0 && i%2 == 0:
			e.arena = append(e.arena, '-')
		case i > 0 && i%2 == 0:
			e.arena = append(e.arena, ':')
		}
		if e.format == ECS && c >= 'a' {
			c -= 'a' - 'A'
		}
		e.arena = append(e.arena, c)
	}
	return strVal(e.since(at)), fitYes
}

func shortName(s string) (val, fit) {
	if isIP(s) {
		return val{}, fitNot
	}
	label, _, _ := strings.Cut(s, ".")
	if label == "" || len(label) > 63 {
		return val{}, fitNot
	}
	for i := range len(label) {
		if c := lowerByte(label[i]); !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
			return val{}, fitNot
		}
	}
	return strVal(label), fitYes
}

// isFQDN tells whether a name has several labels of letters, digits, hyphens and underscores.
func isFQDN(s string) bool {
	label, dots := 0, 0
	for i := range len(s) {
		switch c := lowerByte(s[i]); {
		case c == '.' && label > 0:
			label = 0
			dots++
		case ('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_') && label < 63:
			label++
		default:
			return false
		}
	}
	return dots > 0 && (label > 0 || dots > 1) && !isIPv4(s)
}

func isHex(s string) bool {
	switch len(s) {
	case 32, 40, 64, 96, 128:
	default:
		return false
	}
	for i := range len(s) {
		if c := lowerByte(s[i]); !('0' <= c && c <= '9' || 'a' <= c && c <= 'f') {
			return false
		}
	}
	return true
}

// isEmail follows the pattern of OCSF's email_t.
func isEmail(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	if !ok || local == "" {
		return false
	}
	for i := range len(local) {
		if c := lowerByte(local[i]); !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || strings.IndexByte("!#$%&'*+-/=?^_`{|}~.", c) >= 0) {
			return false
		}
	}
	dot := strings.IndexByte(domain, '.')
	if dot <= 0 || dot == len(domain)-1 {
		return false
	}
	for i := range len(domain) {
		if c := lowerByte(domain[i]); !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '.') {
			return false
		}
	}
	return true
}

func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := lowerByte(s[i])
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if !('0' <= c && c <= '9' || 'a' <= c && c <= 'f') {
			return false
		}
	}
	return true
}

func isSID(s string) bool {
	return len(s) > 6 && (s[0] == 'S' || s[0] == 's') && s[1] == '-' && s[2] == '1' && s[3] == '-'
}

// userName is the name of a user with its domain, unless it names one itself.
func (e *Encoder) userName(user, domain *val) (val, fit) {
	name, _ := e.plain(user)
	d, ok := e.plain(domain)
	if !ok || d == "" || namesDomain(name) {
		return nonEmpty(name)
	}
	at := len(e.arena)
	e.arena = append(append(append(e.arena, d...), '\\'), name...)
	return strVal(e.since(at)), fitYes
}

func userNameType(s string, domain bool) string {
	switch {
	case strings.Contains(s, "@"):
		return "UPN"
	case strings.Contains(s, `\`) || domain:
		return "Windows"
	case strings.HasPrefix(s, "CN=") || strings.HasPrefix(s, "cn="):
		return "DN"
	}
	return "Simple"
}

func userIDType(s string) string {
	switch {
	case isSID(s):
		return "SID"
	case isUUID(s):
		return "AADID"
	case strings.HasPrefix(s, "arn:aws") || strings.HasPrefix(s, "AIDA") || strings.HasPrefix(s, "AROA"):
		return "AWSId"
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return "Other"
		}
	}
	return "UID"
}

// valid writes U+FFFD for every byte that is not UTF-8, so that a length can be told.
func (e *Encoder) valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	at := len(e.arena)
	for _, r := range s { // a bad byte is a RuneError of its own
		e.arena = utf8.AppendRune(e.arena, r)
	}
	return e.since(at)
}

// cut shortens a text to so many bytes at most, between two runes.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	end := limit
	for end > 0 && end > limit-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	if !utf8.RuneStart(s[end]) {
		end = limit // that is no UTF-8 anyway
	}
	return s[:end]
}

// geo reads a point: {"lat":…, "lon":…}, [lon, lat] or "lat,lon".
func geo(v *val) (lat, lon float64, ok bool) {
	v.look()
	num := func(v pcommon.Value, exists bool) float64 {
		if !exists {
			return math.NaN()
		}
		a := attr(v, "")
		f, fits := a.toFloat()
		switch {
		case fits != fitYes:
			return math.NaN()
		case f.typ == typInt:
			return float64(f.num)
		}
		return f.float()
	}
	switch v.typ {
	case typMap:
		m := v.pv.Map()
		lat, lon = num(m.Get("lat")), num(m.Get("lon"))
		if m.Len() != 2 {
			return 0, 0, false
		}
	case typList:
		s := v.pv.Slice()
		if s.Len() != 2 {
			return 0, 0, false
		}
		lat, lon = num(s.At(1), true), num(s.At(0), true)
	case typStr:
		a, b, found := strings.Cut(v.str, ",")
		if !found {
			return 0, 0, false
		}
		x, y := strVal(strings.TrimSpace(a)), strVal(strings.TrimSpace(b))
		fx, ok1 := x.toFloat()
		fy, ok2 := y.toFloat()
		if ok1 != fitYes || ok2 != fitYes {
			return 0, 0, false
		}
		lat, lon = fx.float(), fy.float()
	default:
		return 0, 0, false
	}
	return lat, lon, math.Abs(lat) <= 90 && math.Abs(lon) <= 180
}

// toGeo writes a point as the object that every reader of geo_point knows.
func (e *Encoder) toGeo(v *val) (val, fit) {
	lat, lon, ok := geo(v)
	if !ok {
		return val{}, fitNot
	}
	at := len(e.arena)
	e.arena = jsontext.AppendFloat(append(e.arena, `{"lat":`...), lat)
	e.arena = append(jsontext.AppendFloat(append(e.arena, `,"lon":`...), lon), '}')
	return val{typ: typRaw, str: e.since(at)}, fitYes
}

// ofMicrosoft tells whether a record comes from a product of Microsoft, whose user ids that are GUIDs are those of Entra.
func (e *Encoder) ofMicrosoft() bool {
	k := &e.table.known
	for _, s := range [...]string{e.vendor(), e.product(), e.word(k.cloudProvider), e.word(k.dataset)} {
		s = e.lower(s)
		if strings.Contains(s, "microsoft") || strings.Contains(s, "azure") || strings.Contains(s, "entra") || strings.HasPrefix(s, "o365") {
			return true
		}
	}
	return false
}
