// SPDX-License-Identifier: Apache-2.0

package formattest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
)

type udmField struct {
	kind       string
	repeated   bool
	mapping    bool
	deprecated bool
	oneof      string
}

type udmList struct {
	messages map[string]map[string]udmField // by message and proto name
	enums    map[string]map[string]bool     // values; true when deprecated
}

var udm = sync.OnceValue(func() udmList {
	list := udmList{map[string]map[string]udmField{}, map[string]map[string]bool{}}
	var fields map[string]udmField
	eachLine("udm.tsv", 4, func(c []string) {
		switch c[0] {
		case "#message":
			fields = map[string]udmField{}
			list.messages[c[1]] = fields
		case "#enum":
			values := map[string]bool{}
			for _, value := range words(c[2]) {
				name, deprecated := strings.CutSuffix(value, "!")
				values[name] = deprecated
			}
			list.enums[c[1]] = values
		default:
			fields[c[0]] = udmField{
				kind: c[1], repeated: strings.Contains(c[2], "R"), mapping: strings.Contains(c[2], "M"),
				deprecated: strings.Contains(c[2], "D"), oneof: c[3],
			}
		}
	})
	return list
})

// machine stands for any of the ways to name a machine in a noun.
var udmMachine = []string{
	"hostname", "ip", "mac", "asset_id", "port",
	"asset.hostname", "asset.asset_id", "asset.ip", "asset.mac", "asset.product_object_id",
}

// udmNeeds: what an event type requires, by the usage guide; {machine} is any
// of udmMachine, a|b either of two.
var udmNeeds = func() map[string][]string {
	needs := map[string][]string{}
	for types, paths := range map[string]string{
		"EMAIL_TRANSACTION": "principal{machine} network.email",
		"FILE_CREATION FILE_DELETION FILE_MODIFICATION FILE_READ FILE_OPEN": "principal{machine} target.file",
		"FILE_COPY FILE_MOVE": "principal{machine} src.file target.file",
		"MUTEX_CREATION":      "principal{machine} target.resource",
		"NETWORK_CONNECTION":  "principal{machine} target{machine} network",
		"NETWORK_HTTP":        "target{machine} target.url network.ip_protocol network.application_protocol",
		"NETWORK_DNS":         "principal{machine} network.dns",
		"NETWORK_DHCP":        "principal{machine} network.dhcp",
		"PROCESS_LAUNCH PROCESS_INJECTION PROCESS_OPEN PROCESS_TERMINATION PROCESS_UNCATEGORIZED": "principal{machine} target.process",
		"PROCESS_MODULE_LOAD":                                       "principal{machine} principal.process target.process",
		"PROCESS_PRIVILEGE_ESCALATION":                              "principal{machine} principal.process principal.user",
		"REGISTRY_CREATION REGISTRY_MODIFICATION REGISTRY_DELETION": "principal{machine} target.registry.registry_key",
		"SCAN_FILE SCAN_HOST SCAN_PROCESS":                          "target{machine}",
		"SCAN_VULN_HOST SCAN_VULN_NETWORK":                          "target{machine} extensions.vulns",
		"SCHEDULED_TASK_CREATION SCHEDULED_TASK_DELETION SCHEDULED_TASK_DISABLE SCHEDULED_TASK_ENABLE SCHEDULED_TASK_MODIFICATION SCHEDULED_TASK_UNCATEGORIZED": "principal{machine} principal.user target.resource",
		"SETTING_UNCATEGORIZED SETTING_CREATION SETTING_MODIFICATION SETTING_DELETION":                                                                          "principal{machine} target.resource",
		"SERVICE_UNSPECIFIED SERVICE_CREATION SERVICE_DELETION SERVICE_START SERVICE_STOP":                                                                      "principal{machine} target.user target.process|target.application",
		"STATUS_HEARTBEAT STATUS_STARTUP STATUS_SHUTDOWN STATUS_UPDATE":                                                                                         "principal{machine}",
		"SYSTEM_AUDIT_LOG_UNCATEGORIZED SYSTEM_AUDIT_LOG_WIPE":                                                                                                  "principal{machine} principal.user",
		"USER_CHANGE_PASSWORD USER_CHANGE_PERMISSIONS":                                                                                                          "target.user",
		"USER_COMMUNICATION":                             "principal.user",
		"USER_CREATION USER_DELETION USER_UNCATEGORIZED": "principal{machine} target.user",
		"USER_LOGIN USER_LOGOUT":                         "target.user extensions.auth",
		"USER_RESOURCE_ACCESS USER_RESOURCE_CREATION USER_RESOURCE_DELETION USER_RESOURCE_UPDATE_CONTENT USER_RESOURCE_UPDATE_PERMISSIONS": "principal.user target.resource",
	} {
		for _, eventType := range strings.Fields(types) {
			needs[eventType] = strings.Fields(paths)
		}
	}
	return needs
}()

// udmLimits are in bytes.
var udmLimits = map[string]int{
	"metadata.description": 1024, "metadata.product_event_type": 64, "metadata.product_log_id": 256,
	"metadata.vendor_name": 256, "metadata.product_name": 256, "metadata.product_version": 32,
}

var udmNouns = []string{"principal", "src", "target", "intermediary", "observer", "about"}

func validateUDM(p *problems, event map[string]any) {
	checkUDMMessage(p, "", "UDM", event)

	for _, path := range []string{"metadata.event_timestamp", "metadata.event_type", "metadata.vendor_name", "metadata.product_name"} {
		if v, ok := at(event, path); !ok {
			p.add(path, "missing")
		} else if v == "" {
			p.add(path, "empty")
		}
	}
	for _, path := range sortedKeys(udmLimits) {
		if s := textAt(event, path); len(s) > udmLimits[path] {
			p.add(path, "longer than %d bytes: %d", udmLimits[path], len(s))
		}
	}
	if !slices.ContainsFunc(udmNouns, func(noun string) bool { return filled(event[noun]) }) {
		p.add("", "no noun: want one of %s", strings.Join(udmNouns, ", "))
	}
	for _, path := range []string{"principal.email", "principal.file", "principal.registry"} {
		if _, ok := at(event, path); ok {
			p.add(path, "principal never carries it")
		}
	}
	for _, noun := range udmNouns {
		nouns, isArray := event[noun].([]any)
		if !isArray {
			nouns = []any{event[noun]}
		}
		for _, v := range nouns {
			checkUDMNoun(p, noun, v)
		}
	}

	eventType := textAt(event, "metadata.event_type")
	for _, need := range udmNeeds[eventType] {
		met := false
		for _, path := range words(need) {
			met = met || udmHas(event, path)
		}
		if !met {
			p.add("", "%s requires %s", eventType, need)
		}
	}
	switch eventType {
	case "EMAIL_TRANSACTION":
		if _, ok := at(event, "target.email"); ok {
			p.add("target.email", "not in EMAIL_TRANSACTION")
		}
	case "USER_LOGIN":
		_, principal := event["principal"]
		if !principal && !udmHas(event, "target{machine}") {
			p.add("", "USER_LOGIN without principal requires target{machine}")
		}
		results, _ := event["security_result"].([]any)
		failed, violation := false, false
		for _, r := range results {
			result, _ := r.(map[string]any)
			actions, categories := texts(result["action"]), texts(result["category"])
			failed = failed || slices.Contains(actions, "FAIL") || slices.Contains(actions, "BLOCK")
			violation = violation || slices.Contains(categories, "AUTH_VIOLATION")
		}
		if failed && !violation {
			p.add("security_result", "a failed USER_LOGIN requires category AUTH_VIOLATION")
		}
	}
}

func filled(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case string:
		return v != ""
	case map[string]any:
		return len(v) > 0
	case []any:
		return slices.ContainsFunc(v, filled)
	}
	return true
}

func udmHas(event map[string]any, path string) bool {
	if noun, ok := strings.CutSuffix(path, "{machine}"); ok {
		return slices.ContainsFunc(udmMachine, func(name string) bool {
			v, ok := at(event, noun+"."+name)
			return ok && filled(v)
		})
	}
	v, ok := at(event, path)
	return ok && filled(v)
}

func checkUDMNoun(p *problems, path string, v any) {
	noun, ok := v.(map[string]any)
	if !ok {
		return
	}
	if _, ok := noun["port"]; ok {
		for _, name := range []string{"ip", "mac"} {
			if array, _ := noun[name].([]any); len(array) > 1 {
				p.add(path+"."+name, "at most one beside a port, got %d", len(array))
			}
		}
	}
	for _, name := range []string{"port", "nat_port"} {
		if v, ok := noun[name]; ok && !isPort(v) {
			p.add(path+"."+name, "want a port, got %s", describe(v))
		}
	}
	for _, name := range []string{"ip", "nat_ip", "asset.ip"} {
		v, _ := at(noun, name)
		for _, s := range texts(v) {
			if !isIP(s) {
				p.add(path+"."+name, "want an IP address, got %q", s)
			}
		}
	}
	for _, name := range []string{"mac", "asset.mac"} {
		v, _ := at(noun, name)
		for _, s := range texts(v) {
			if !colonMAC.MatchString(s) {
				p.add(path+"."+name, "want a MAC address with colons, got %q", s)
			}
		}
	}
	for _, name := range []string{"asset_id", "asset.asset_id", "process.product_specific_process_id", "process.parent_process.product_specific_process_id"} {
		if v, ok := at(noun, name); ok {
			if vendor, id, ok := strings.Cut(fmt.Sprint(v), ":"); !ok || vendor == "" || id == "" {
				p.add(path+"."+name, "want vendor:id, got %s", describe(v))
			}
		}
	}
	for _, name := range []string{"user.windows_sid"} {
		if v, ok := at(noun, name); ok && !windowsSID.MatchString(fmt.Sprint(v)) {
			p.add(path+"."+name, "want a SID, got %s", describe(v))
		}
	}
	for prefix, length := range map[string]int{"md5": 32, "sha1": 40, "sha256": 64} {
		for _, file := range []string{"file.", "process.file.", "process.parent_process.file."} {
			v, ok := at(noun, file+prefix)
			if s, _ := v.(string); ok && (len(s) != length || !lowerHex.MatchString(s)) {
				p.add(path+"."+file+prefix, "want %d lower-case hexadecimal digits, got %s", length, describe(v))
			}
		}
	}
}

var (
	windowsSID  = regexp.MustCompile(`^S-1(-\d+)+$`)
	lowerHex    = regexp.MustCompile(`^[0-9a-f]+$`)
	snake       = regexp.MustCompile(`_([a-z0-9])`)
	udmDuration = regexp.MustCompile(`^-?\d+(\.\d{1,9})?s$`)
)

// lowerCamel is proto's JSON name of a field.
func lowerCamel(name string) string {
	return snake.ReplaceAllStringFunc(name, func(s string) string { return strings.ToUpper(s[1:]) })
}

func checkUDMMessage(p *problems, path, message string, object map[string]any) {
	fields := udm().messages[message]
	chosen := map[string]string{}
	for _, key := range sortedKeys(object) {
		v, here := object[key], join(path, key)
		field, ok := fields[key]
		if !ok {
			for name := range fields {
				if lowerCamel(name) == key {
					ok = true
				}
			}
			if ok {
				p.add(here, "want the proto name, not lowerCamelCase")
			} else {
				p.add(here, "not a field of %s", message)
			}
			continue
		}
		if field.deprecated {
			p.add(here, "deprecated")
		}
		if other, ok := chosen[field.oneof]; ok && field.oneof != "" {
			p.add(here, "only one of %s and %s", other, key)
		}
		chosen[field.oneof] = key
		switch {
		case field.mapping:
			entries, ok := v.(map[string]any)
			if !ok {
				p.add(here, "want an object, got %s", describe(v))
			}
			for _, name := range sortedKeys(entries) {
				checkUDMValue(p, join(here, name), field.kind, entries[name])
			}
		case field.repeated:
			array, ok := v.([]any)
			if !ok {
				p.add(here, "want an array, got %s", describe(v))
			}
			for _, item := range array {
				checkUDMValue(p, here, field.kind, item)
			}
		default:
			checkUDMValue(p, here, field.kind, v)
		}
	}
}

func checkUDMValue(p *problems, path, kind string, v any) {
	object, isObject := v.(map[string]any)
	s, isText := v.(string)
	fits := false
	switch kind {
	case "string":
		fits = isText
	case "bool":
		fits = isBool(v)
	case "int32":
		fits = isInt32(v)
	case "uint32":
		fits = isUint(v, 32)
	case "int64":
		// proto JSON writes 64-bit numbers as text and reads both
		fits = isInt64(v) || isText && isInt64(json.Number(s))
	case "uint64":
		fits = isUint(v, 64) || isText && isUint(json.Number(s), 64)
	case "float", "double":
		fits = isNumber(v)
	case "bytes":
		_, err := base64.StdEncoding.DecodeString(s)
		fits = isText && err == nil
	case "google.protobuf.Timestamp":
		fits = isTime(v, 9)
	case "google.protobuf.Duration":
		fits = isText && udmDuration.MatchString(s)
	case "google.protobuf.Struct":
		fits = isObject
	case "google.type.LatLng":
		fits = isObject && within(object["latitude"], 90) && within(object["longitude"], 180) && len(object) == 2
	case "google.type.Interval":
		fits = isObject
		for name, t := range object {
			fits = fits && (name == "start_time" || name == "end_time") && isTime(t, 9)
		}
	default:
		if values, ok := udm().enums[kind]; ok {
			deprecated, known := values[s]
			if isText && known {
				if deprecated {
					p.add(path, "%s is deprecated in %s", s, kind)
				}
				return
			}
			p.add(path, "want a name of %s, got %s", kind, describe(v))
			return
		}
		if isObject {
			checkUDMMessage(p, path, kind, object)
			return
		}
	}
	if !fits {
		p.add(path, "want %s, got %s", kind, describe(v))
	}
}
