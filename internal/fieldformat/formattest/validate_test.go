// SPDX-License-Identifier: Apache-2.0

package formattest

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func validated(format, out string) []string {
	var found []string
	for _, err := range Validate(format, []byte(out)) {
		found = append(found, err.Error())
	}
	return found
}

// edit changes a JSON object: set puts a value (given as JSON) at a path, a
// value of "-" takes it away.
func edit(t *testing.T, object string, set map[string]string) string {
	t.Helper()
	v, err := decodeJSON([]byte(object))
	require.NoError(t, err)
	for path, value := range set {
		inner := v.(map[string]any)
		names := strings.Split(path, "/")
		for _, name := range names[:len(names)-1] {
			next, ok := inner[name].(map[string]any)
			if array, isArray := inner[name].([]any); isArray {
				next, ok = array[0].(map[string]any)
			}
			if !ok {
				next = map[string]any{}
				inner[name] = next
			}
			inner = next
		}
		last := names[len(names)-1]
		if value == "-" {
			delete(inner, last)
			continue
		}
		inner[last], err = decodeJSON([]byte(value))
		require.NoError(t, err, value)
	}
	out, err := json.Marshal(v)
	require.NoError(t, err)
	return string(out)
}

type violation struct {
	set  map[string]string
	want []string
}

func checkViolations(t *testing.T, format, good string, violations []violation) {
	t.Helper()
	assert.Empty(t, validated(format, good), "the good sample")
	for _, v := range violations {
		assert.Equal(t, v.want, validated(format, edit(t, good, v.set)), "%v", v.set)
	}
}

func TestValidateAnyJSON(t *testing.T) {
	for _, c := range []struct{ out, want string }{
		{`{"a":1,"a":2}`, `a: key is given twice`},
		{`{"a":{"b":1,"b":2}}`, `a.b: key is given twice`},
		{`[1]`, `want a JSON object, got array of 1`},
		{`"x"`, `want a JSON object, got string "x"`},
		{`{} {}`, `something stands behind the JSON value`},
		{`{"a":01}`, `invalid character '1' after object key:value pair`},
		{`{"a":NaN}`, `invalid character 'N' looking for beginning of value`},
		{`{"a":`, `EOF`},
		{"{\"a\":\n1}", `line break inside the record`},
		{"{\"a\":\"\xff\"}", `not valid UTF-8`},
	} {
		for _, format := range []string{"ecs", "cim", "asim", "csl", "ocsf", "udm"} {
			assert.Equal(t, []string{c.want}, validated(format, c.out), "%s %s", format, c.out)
		}
	}
	assert.Equal(t, []string{`unknown format "xml"`}, validated("xml", "{}"))
}

func TestValidateECS(t *testing.T) {
	const good = `{"@timestamp":"2026-03-14T09:26:53.589793238Z","ecs":{"version":"9.4.0"},"message":"m","tags":["a"],
		"labels":{"env":"prod","list":["a","b"]},"event":{"kind":"event","category":["network"],"type":["connection","allowed"],"duration":30000000000,"risk_score":1.5,"start":"2026-03-14T09:26:53Z"},
		"source":{"ip":"2001:db8::1","port":443,"mac":"00-1B-17-00-01-30","geo":{"location":{"lat":52.5,"lon":13.4}}},
		"dns":{"answers":[{"name":"a","data":"192.0.2.1","ttl":60}],"resolved_ip":["192.0.2.1"]},
		"process":{"args":["a"],"Ext":{"x":1},"hash":{"sha256":"` + sha256Hex + `"}},"tls":{"established":true},"winlog":{"event_data":{"a":1}},"http":{"response":{"status_code":200}}}`
	checkViolations(t, "ecs", strings.ReplaceAll(good, "\n", ""), []violation{
		{map[string]string{"@timestamp": "-"}, []string{`@timestamp: missing`}},
		{map[string]string{"@timestamp": `"2026-03-14T09:26:53+01:00"`}, []string{`@timestamp: want UTC, got string "2026-03-14T09:26:53+01:00"`}},
		{map[string]string{"@timestamp": `1773480413589`}, []string{`@timestamp: want UTC, got number 1773480413589`, `@timestamp: want date, got number 1773480413589`}},
		{map[string]string{"ecs/version": "-"}, []string{`ecs.version: missing`}},
		{map[string]string{"source/port": `"443"`}, []string{`source.port: want long, got string "443"`}},
		{map[string]string{"source/port": `443.5`}, []string{`source.port: want long, got number 443.5`}},
		{map[string]string{"source/port": `9223372036854775808`}, []string{`source.port: want long, got number 9223372036854775808`}},
		{map[string]string{"source/ip": `"2001:db8::1%eth0"`}, []string{`source.ip: want ip, got string "2001:db8::1%eth0"`}},
		{map[string]string{"source/ip": `["192.0.2.1"]`}, []string{`source.ip: want one ip, got array of 1`}},
		{map[string]string{"source/mac": `"00:1b:17:00:01:30"`}, []string{`source.mac: want text like ^[A-F0-9]{2}(-[A-F0-9]{2}){5,}$, got string "00:1b:17:00:01:30"`}},
		{map[string]string{"source/geo/location": `{"lat":91,"lon":0}`}, []string{`source.geo.location: want geo_point, got object of 2`}},
		{map[string]string{"source/colour": `"red"`}, []string{`source.colour: not an ECS field`}},
		{map[string]string{"Source": `1`}, []string{`Source: not an ECS field`}},
		{map[string]string{"@version": `"1"`}, []string{`@version: not an ECS field`}},
		{map[string]string{"source": `"192.0.2.1"`}, []string{`source: want an object, got string "192.0.2.1"`}},
		{map[string]string{"source.nat.ip": `"192.0.2.1"`}, []string{`source.nat.ip: dotted key, want nested objects`}},
		{map[string]string{"message": `null`}, []string{`message: null`}},
		{map[string]string{"message": `["a"]`}, []string{`message: want one match_only_text, got array of 1`}},
		{map[string]string{"tags": `"a"`}, []string{`tags: want an array, got string "a"`}},
		{map[string]string{"tags": `["a",1]`}, []string{`tags: want text, got number 1`}},
		{map[string]string{"labels/n": `1`}, []string{`labels.n: want text, got number 1`}},
		{map[string]string{"labels/a.b": `"x"`}, []string{`labels: key "a.b" is empty or has a dot`}},
		{map[string]string{"labels": `"x"`}, []string{`labels: want an object, got string "x"`}},
		{map[string]string{"event/category": `["network","fun"]`}, []string{`event.category: want one of ["api" "authentication" "configuration" "database" "driver" "email" "file" "host" "iam" "intrusion_detection" "library" "malware" "network" "package" "process" "registry" "session" "threat" "vulnerability" "web"], got string "fun"`}},
		{map[string]string{"event/type": `["connection","user"]`}, []string{`event.type: "user" goes with none of the categories ["network"]`}},
		{map[string]string{"event/risk_score": `"1.5"`}, []string{`event.risk_score: want float, got string "1.5"`}},
		{map[string]string{"tls/established": `"yes"`}, []string{`tls.established: want boolean, got string "yes"`}},
		{map[string]string{"event/start": `"yesterday"`}, []string{`event.start: want date, got string "yesterday"`}},
		{map[string]string{"dns/answers/ttl": `"60"`}, []string{`dns.answers.ttl: want long, got string "60"`}},
		{map[string]string{"dns/answers": `["192.0.2.1"]`}, []string{`dns.answers: want object, got string "192.0.2.1"`}},
		{map[string]string{"dns/answers/colour": `1`}, []string{`dns.answers.colour: not an ECS field`}},
		{map[string]string{"process/ext": `1`}, []string{`process.ext: not an ECS field`}},
		{map[string]string{"": `1`}, []string{`empty key`}},
	})
}

const (
	md5Hex    = "44d88612fea8a8f36de82e1278abb02f"
	sha256Hex = "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"
)

func TestValidateCIM(t *testing.T) {
	const good = `{"_time":"2026-03-14T09:26:53.589Z","vendor_product":"Cisco ASA","tag":["network","communicate"],"action":"blocked","src":"192.0.2.1","src_port":443,"dest_port":22,"dest_ip":"192.0.2.2","bytes":0,"severity":"medium","custom_key":true,"list":["a",1]}`
	checkViolations(t, "cim", good, []violation{
		{map[string]string{"_time": "1773480413.589"}, nil},
		{map[string]string{"_time": "-"}, []string{`_time: missing`}},
		{map[string]string{"_time": `"noon"`}, []string{`_time: want RFC 3339 or epoch seconds, got string "noon"`}},
		{map[string]string{"vendor_product": "-"}, []string{`vendor_product: missing`}},
		{map[string]string{"action": `"deny"`}, []string{`action: want one of ["allowed" "blocked" "teardown" "flow"], got "deny"`}},
		{map[string]string{"dest_port": `"443"`}, []string{`dest_port: want number, got string "443"`}},
		{map[string]string{"src": `443`}, []string{`src: want string, got number 443`}},
		{map[string]string{"severity": `"error"`}, []string{`severity: want one of ["critical" "high" "medium" "low" "informational" "unknown"], got "error"`}},
		{map[string]string{"a.b": `1`}, []string{`a.b: not a field name of Splunk`}},
		{map[string]string{"_private": `1`}, []string{`_private: not a field name of Splunk`}},
		{map[string]string{"map": `{"a":1}`}, []string{`map: want a flat value, got object of 1`}},
		{map[string]string{"none": `null`}, []string{`none: want a flat value, got null`}},
		{map[string]string{"list": `[[1]]`}, []string{`list: want a flat list, got a list in it`}},
		{map[string]string{"tag": `["network","unheard"]`}, []string{`tag: ["network" "unheard"] are the tags of no dataset`}},
	})
}

func TestValidateASIM(t *testing.T) {
	const good = `{"TimeGenerated":"2026-03-14T09:26:53.5897932Z","EventSchema":"NetworkSession","EventSchemaVersion":"0.2.7","EventCount":1,"EventStartTime":"2026-03-14T09:26:23Z","EventEndTime":"2026-03-14T09:26:53Z","EventType":"NetworkSession","EventResult":"Success","EventSeverity":"Informational","EventProduct":"PAN-OS","EventVendor":"Palo Alto Networks","Dvc":"fw1.example.com","DvcFQDN":"fw1.example.com","DvcHostname":"fw1","DvcDomain":"example.com","DvcDomainType":"FQDN","DvcAction":"Allow","SrcIpAddr":"192.0.2.1","SrcPortNumber":443,"SrcMacAddr":"00:1b:17:00:01:30","SrcBytes":9223372036854775807,"SrcGeoLatitude":1.5,"TcpFlagsSyn":true,"SrcUsername":"EXAMPLE\\a","SrcUsernameType":"Windows","AdditionalFields":{"a":1}}`
	checkViolations(t, "asim", good, []violation{
		{map[string]string{"EventSchemaVersion": `"0.2.6"`}, nil},
		{map[string]string{"EventSchemaVersion": `"0.1"`}, []string{`EventSchemaVersion: want 0.2.7, got string "0.1"`}},
		{map[string]string{"EventSchema": `"Network"`, "SrcIpAddr": "-", "SrcPortNumber": "-", "SrcMacAddr": "-", "SrcBytes": "-", "SrcGeoLatitude": "-", "TcpFlagsSyn": "-", "SrcUsername": "-", "SrcUsernameType": "-"}, []string{`EventSchema: want a schema, got string "Network"`}},
		{map[string]string{"EventVendor": "-"}, []string{`EventVendor: missing`}},
		{map[string]string{"EventVendor": `""`}, []string{`EventVendor: empty`}},
		{map[string]string{"Dvc": "-", "EventCount": "-"}, []string{`Dvc: missing`, `EventCount: missing`}},
		{map[string]string{"TimeGenerated": `"2026-03-14T09:26:53.589793238Z"`}, []string{`TimeGenerated: want datetime, got string "2026-03-14T09:26:53.589793238Z"`}},
		{map[string]string{"SrcIp": `"192.0.2.1"`}, []string{`SrcIp: not a column of NetworkSession`}},
		{map[string]string{"ActorUsername": `"a"`}, []string{`ActorUsername: not a column of NetworkSession`}},
		{map[string]string{"Type": `"x"`}, []string{`Type: set by the service, not by a sender`}},
		{map[string]string{"TenantId": `"x"`}, []string{`TenantId: set by the service, not by a sender`}},
		{map[string]string{"EventType": `"allow"`}, []string{`EventType: want one of ["EndpointNetworkSession" "NetworkSession" "L2NetworkSession" "IDS" "Flow"], got string "allow"`}},
		{map[string]string{"EventResult": `"success"`}, []string{`EventResult: want one of ["Success" "Partial" "Failure" "NA"], got string "success"`}},
		{map[string]string{"SrcPortNumber": `"443"`}, []string{`SrcPortNumber: want int, got string "443"`}},
		{map[string]string{"SrcPortNumber": `70000`}, []string{`SrcPortNumber: want a port, got number 70000`}},
		{map[string]string{"SrcIpAddr": `"host"`}, []string{`SrcIpAddr: want ip, got string "host"`}},
		{map[string]string{"SrcMacAddr": `"00-1B-17-00-01-30"`}, []string{`SrcMacAddr: want mac, got string "00-1B-17-00-01-30"`}},
		{map[string]string{"DvcHostname": `"fw1.example.com"`}, []string{`DvcHostname: want hostname, got string "fw1.example.com"`}},
		{map[string]string{"DvcFQDN": `"fw1"`}, []string{`DvcFQDN: want fqdn, got string "fw1"`}},
		{map[string]string{"DvcDomainType": "-"}, []string{`DvcDomain: needs DvcDomainType`}},
		{map[string]string{"SrcUsernameType": "-"}, []string{`SrcUsername: needs SrcUsernameType`}},
		{map[string]string{"ThreatRiskLevel": "101"}, []string{`ThreatRiskLevel: want percent, got number 101`}},
		{map[string]string{"AdditionalFields": `"{}"`}, []string{`AdditionalFields: want dynamic, got string "{}"`}},
		{map[string]string{"EventSchema": `"RegistryEvent"`, "EventSchemaVersion": `"0.1.3"`, "EventType": `"RegistryValueSet"`, "DvcAction": "-", "SrcIpAddr": "-", "SrcPortNumber": "-", "SrcMacAddr": "-", "SrcBytes": "-", "SrcGeoLatitude": "-", "TcpFlagsSyn": "-", "SrcUsername": "-", "SrcUsernameType": "-"},
			[]string{`ActingProcessId: missing`, `ActorUsername: missing`, `ParentProcessId: missing`, `RegistryKey: missing`}},
	})
}

func TestValidateCSL(t *testing.T) {
	const good = `{"TimeGenerated":"2026-03-14T09:26:53Z","DeviceVendor":"V","DeviceProduct":"P","DeviceVersion":"1","DeviceEventClassID":"0","Activity":"log","LogSeverity":"3","SourceIP":"2001:db8::1","SourcePort":443,"ReceivedBytes":9223372036854775807,"CommunicationDirection":"0","DeviceCustomString1":"r","DeviceCustomString1Label":"Rule","FieldDeviceCustomNumber1":5,"DeviceCustomNumber1Label":"n","SourceMACAddress":"00:1b:17:00:01:30","AdditionalExtensions":"a=b;c=d"}`
	checkViolations(t, "csl", good, []violation{
		{map[string]string{"LogSeverity": `"Very-High"`}, nil},
		{map[string]string{"Activity": "-"}, []string{`Activity: missing`}},
		{map[string]string{"Activity": `""`}, []string{`Activity: empty`}},
		{map[string]string{"SourceIp": `"192.0.2.1"`}, []string{`SourceIp: not a column of CommonSecurityLog`}},
		{map[string]string{"TenantId": `"x"`}, []string{`TenantId: set by the service, not by a sender`}},
		{map[string]string{"SourcePort": `"443"`}, []string{`SourcePort: want int, got string "443"`}},
		{map[string]string{"SourcePort": `-1`}, []string{`SourcePort: want a port, got number -1`}},
		{map[string]string{"FileSize": `4294967297`}, []string{`FileSize: want int, got number 4294967297`}},
		{map[string]string{"LogSeverity": `3`}, []string{`LogSeverity: want string, got number 3`}},
		{map[string]string{"LogSeverity": `"warn"`}, []string{`LogSeverity: want a CEF severity, got string "warn"`}},
		{map[string]string{"CommunicationDirection": `"inbound"`}, []string{`CommunicationDirection: want 0 or 1, got string "inbound"`}},
		{map[string]string{"SourceIP": `"name"`}, []string{`SourceIP: want an IP address, got string "name"`}},
		{map[string]string{"DeviceCustomIPv6Address2": `"192.0.2.1"`, "DeviceCustomIPv6Address2Label": `"x"`}, []string{`DeviceCustomIPv6Address2: want an IPv6 address, got string "192.0.2.1"`}},
		{map[string]string{"DeviceCustomString1Label": "-"}, []string{`DeviceCustomString1: field without its label DeviceCustomString1Label`}},
		{map[string]string{"FieldDeviceCustomNumber1": "-"}, []string{`DeviceCustomNumber1Label: label without its field`}},
		{map[string]string{"DeviceCustomNumber1Label": "-"}, []string{`FieldDeviceCustomNumber1: field without its label DeviceCustomNumber1Label`}},
		{map[string]string{"SourceMACAddress": `"00-1B-17-00-01-30"`}, []string{`SourceMACAddress: want a MAC address with colons, got string "00-1B-17-00-01-30"`}},
		{map[string]string{"EndTime": `"2026-03-14 09:26:53"`}, []string{`EndTime: want datetime, got string "2026-03-14 09:26:53"`}},
	})
}

func TestValidateOCSF(t *testing.T) {
	const good = `{"class_uid":4001,"class_name":"Network Activity","category_uid":4,"category_name":"Network Activity","activity_id":6,"activity_name":"Traffic","type_uid":400106,"type_name":"Network Activity: Traffic","severity_id":1,"severity":"Informational","time":1773480413589,"action_id":1,"disposition_id":1,"metadata":{"version":"1.8.0","profiles":["security_control","host"],"product":{"name":"PAN-OS"}},"src_endpoint":{"ip":"192.0.2.1","port":443,"mac":"00:1b:17:00:01:30"},"dst_endpoint":{"hostname":"a.example.com"},"connection_info":{"protocol_name":"tcp","protocol_num":6,"direction_id":1},"traffic":{"bytes":1},"observables":[{"name":"src_endpoint.ip","type_id":2,"value":"192.0.2.1"}],"unmapped":{"a":{"b":[1]}},"device":{"type_id":0,"hostname":"fw1"}}`
	checkViolations(t, "ocsf", good, []violation{
		{map[string]string{"class_uid": `4099`}, []string{`class_uid: want the uid of a class, got number 4099`}},
		{map[string]string{"class_uid": `"4001"`}, []string{`class_uid: want the uid of a class, got string "4001"`}},
		{map[string]string{"category_uid": `3`}, []string{`category_uid: want 4 of class network_activity, got 3`}},
		{map[string]string{"type_uid": `400101`}, []string{`type_uid: want 400106, got 400101`}},
		{map[string]string{"type_name": `"x"`}, []string{`type_name: want "Network Activity: Traffic", got string "x"`}},
		{map[string]string{"class_name": `"x"`}, []string{`class_name: want "Network Activity", got string "x"`}},
		{map[string]string{"category_name": `"x"`}, []string{`category_name: want "Network Activity", got string "x"`}},
		{map[string]string{"severity": `"info"`}, []string{`severity: want "Informational" for severity_id 1, got "info"`}},
		{map[string]string{"severity_id": `99`, "severity": `"odd"`}, nil},
		{map[string]string{"severity_id": `7`}, []string{`severity_id: number 7 is no value of the enum`}},
		{map[string]string{"time": "-"}, []string{`time: missing, network_activity requires it`}},
		{map[string]string{"time": "1773480413"}, []string{`time: want timestamp_t, got number 1773480413`}},
		{map[string]string{"time": "1773480413589793"}, []string{`time: want timestamp_t, got number 1773480413589793`}},
		{map[string]string{"time": `"2026-03-14T09:26:53Z"`}, []string{`time: want timestamp_t, got string "2026-03-14T09:26:53Z"`}},
		{map[string]string{"time_dt": `"2026-03-14T09:26:53Z"`}, []string{`time_dt: needs profile datetime in metadata.profiles`}},
		{map[string]string{"time_dt": `"2026-03-14T09:26:53Z"`, "metadata/profiles": `["security_control","host","datetime"]`}, nil},
		{map[string]string{"time_dt": `"noon"`, "metadata/profiles": `["security_control","host","datetime"]`}, []string{`time_dt: want datetime_t, got string "noon"`}},
		{map[string]string{"metadata/version": `"1.3.0"`}, []string{`metadata.version: want 1.8.0, got "1.3.0"`}},
		{map[string]string{"metadata/product": "-"}, []string{`metadata.product: missing, metadata requires it`}},
		{map[string]string{"metadata/product": "{}"}, []string{`metadata.product: product wants at least one of name, uid`}},
		{map[string]string{"metadata/profiles": `["host"]`}, []string{`action_id: needs profile security_control in metadata.profiles`, `disposition_id: needs profile security_control in metadata.profiles`}},
		{map[string]string{"metadata/profiles": `["security_control","host","fun"]`}, []string{`metadata.profiles: no profile "fun"`}},
		{map[string]string{"metadata/profiles": `["security_control","host","incident"]`}, []string{`metadata.profiles: class network_activity has no profile "incident"`}},
		{map[string]string{"metadata/profiles": `["security_control","host","cloud"]`}, []string{`cloud: missing, network_activity requires it`}},
		{map[string]string{"src_endpoint": "-", "dst_endpoint": "-"}, []string{`network_activity wants at least one of dst_endpoint, src_endpoint`}},
		{map[string]string{"src_endpoint": `{"port":443}`}, []string{`src_endpoint: network_endpoint wants at least one of ip, uid, name, hostname, svc_name, instance_uid, interface_uid, interface_name, domain`}},
		{map[string]string{"src_endpoint/port": `70000`}, []string{`src_endpoint.port: want port_t, got number 70000`}},
		{map[string]string{"src_endpoint/ip": `"x"`}, []string{`src_endpoint.ip: want ip_t, got string "x"`}},
		{map[string]string{"src_endpoint/mac": `"001b.1700.0130"`}, []string{`src_endpoint.mac: want mac_t, got string "001b.1700.0130"`}},
		{map[string]string{"src_endpoint/colour": `1`}, []string{`src_endpoint.colour: not an attribute of network_endpoint`}},
		{map[string]string{"colour": `1`}, []string{`colour: not an attribute of network_activity`}},
		{map[string]string{"connection_info/direction_id": `-`}, []string{`connection_info.direction_id: missing, network_connection_info requires it`}},
		{map[string]string{"device/type_id": `-`}, []string{`device.type_id: missing, device requires it`}},
		{map[string]string{"traffic/bytes": `"1"`}, []string{`traffic.bytes: want long_t, got string "1"`}},
		{map[string]string{"unmapped": `"x"`}, []string{`unmapped: want an object, got string "x"`}},
		{map[string]string{"observables": `{"type_id":2}`}, []string{`observables: want an array, got object of 1`}},
		{map[string]string{"malware": `[{"classification_ids":[1],"path":"/x","name":"n"}]`}, []string{`malware.path: deprecated`}},
	})
	// a class of an extension
	assert.Empty(t, validated("ocsf", `{"class_uid":201002,"category_uid":1,"activity_id":2,"type_uid":20100202,"severity_id":1,"time":1773480413589,"metadata":{"version":"1.8.0","profiles":["host"],"product":{"name":"Sysmon"}},"device":{"type_id":0,"hostname":"a"},"actor":{"process":{"pid":1}},"reg_value":{"name":"Updater","path":"HKLM\\Software"}}`))
}

func TestValidateUDM(t *testing.T) {
	const good = `{"metadata":{"event_timestamp":"2026-03-14T09:26:53.589793Z","event_type":"NETWORK_CONNECTION","vendor_name":"V","product_name":"P"},"principal":{"ip":["192.0.2.1"],"port":443,"mac":["00:1b:17:00:01:30"],"user":{"userid":"a","windows_sid":"S-1-5-18"},"location":{"region_coordinates":{"latitude":1.5,"longitude":2}}},"target":{"ip":["192.0.2.2","2001:db8::1"],"process":{"file":{"md5":"` + md5Hex + `"}}},"network":{"ip_protocol":"TCP","direction":"OUTBOUND","sent_bytes":"18446744073709551615","received_bytes":1,"session_duration":"1.5s","ipv6":false},"security_result":[{"action":["ALLOW"],"severity":"LOW","risk_score":1.5}],"additional":{"a":{"b":1}}}`
	checkViolations(t, "udm", good, []violation{
		{map[string]string{"metadata/event_timestamp": "-"}, []string{`metadata.event_timestamp: missing`}},
		{map[string]string{"metadata/event_timestamp": "1773480413589793"}, []string{`metadata.event_timestamp: want google.protobuf.Timestamp, got number 1773480413589793`}},
		{map[string]string{"metadata/event_type": `"NETWORK"`}, []string{`metadata.event_type: want a name of Metadata.EventType, got string "NETWORK"`}},
		{map[string]string{"metadata/event_type": `"SCAN_PROCESS_BEHAVIORS"`}, []string{`metadata.event_type: SCAN_PROCESS_BEHAVIORS is deprecated in Metadata.EventType`}},
		{map[string]string{"metadata/vendor_name": `""`}, []string{`metadata.vendor_name: empty`}},
		{map[string]string{"metadata/product_version": `"` + strings.Repeat("1", 33) + `"`}, []string{`metadata.product_version: longer than 32 bytes: 33`}},
		{map[string]string{"metadata/colour": `1`}, []string{`metadata.colour: not a field of Metadata`}},
		{map[string]string{"metadata/productVersion": `"1"`}, []string{`metadata.productVersion: want the proto name, not lowerCamelCase`}},
		{map[string]string{"principal/ip": `"192.0.2.1"`}, []string{`principal.ip: want an array, got string "192.0.2.1"`}},
		{map[string]string{"principal/ip": `["192.0.2.1","192.0.2.3"]`}, []string{`principal.ip: at most one beside a port, got 2`}},
		{map[string]string{"principal/ip": `["x"]`}, []string{`principal.ip: want an IP address, got "x"`}},
		{map[string]string{"principal/port": `"443"`}, []string{`principal.port: want int32, got string "443"`, `principal.port: want a port, got string "443"`}},
		{map[string]string{"principal/mac": `["00-1B-17-00-01-30"]`}, []string{`principal.mac: want a MAC address with colons, got "00-1B-17-00-01-30"`}},
		{map[string]string{"principal/hostname": `["a"]`}, []string{`principal.hostname: want string, got array of 1`}},
		{map[string]string{"principal/email": `"a@example.com"`}, []string{`principal.email: principal never carries it`}},
		{map[string]string{"principal/asset_id": `"17"`}, []string{`principal.asset_id: want vendor:id, got string "17"`}},
		{map[string]string{"principal/user/windows_sid": `"akumar"`}, []string{`principal.user.windows_sid: want a SID, got string "akumar"`}},
		{map[string]string{"principal/user/groupid": `"g"`}, []string{`principal.user.groupid: deprecated`}},
		{map[string]string{"principal/location/region_coordinates": `"1,2"`}, []string{`principal.location.region_coordinates: want google.type.LatLng, got string "1,2"`}},
		{map[string]string{"target/process/file/md5": `"x"`}, []string{`target.process.file.md5: want 32 lower-case hexadecimal digits, got string "x"`}},
		{map[string]string{"network/ip_protocol": `"tcp"`}, []string{`network.ip_protocol: want a name of Network.IpProtocol, got string "tcp"`}},
		{map[string]string{"network/ip_protocol": `6`}, []string{`network.ip_protocol: want a name of Network.IpProtocol, got number 6`}},
		{map[string]string{"network/sent_bytes": `-1`}, []string{`network.sent_bytes: want uint64, got number -1`}},
		{map[string]string{"network/session_duration": `1.5`}, []string{`network.session_duration: want google.protobuf.Duration, got number 1.5`}},
		{map[string]string{"network/ipv6": `"true"`}, []string{`network.ipv6: want bool, got string "true"`}},
		{map[string]string{"security_result": `{"action":["ALLOW"]}`}, []string{`security_result: want an array, got object of 1`}},
		{map[string]string{"security_result/action": `"ALLOW"`}, []string{`security_result.action: want an array, got string "ALLOW"`}},
		{map[string]string{"additional": `"x"`}, []string{`additional: want google.protobuf.Struct, got string "x"`}},
		{map[string]string{"network": "-"}, []string{`NETWORK_CONNECTION requires network`}},
		{map[string]string{"target": `{"url":"x"}`}, []string{`NETWORK_CONNECTION requires target{machine}`}},
		{map[string]string{"principal": "-", "target": "-", "metadata/event_type": `"GENERIC_EVENT"`}, []string{`no noun: want one of principal, src, target, intermediary, observer, about`}},
		{map[string]string{"metadata/event_type": `"USER_LOGIN"`, "target/user": `{"userid":"a"}`}, []string{`USER_LOGIN requires extensions.auth`}},
		{map[string]string{"metadata/event_type": `"USER_LOGIN"`, "target/user": `{"userid":"a"}`, "extensions/auth": `{"type":"MACHINE"}`, "security_result/action": `["FAIL"]`}, []string{`security_result: a failed USER_LOGIN requires category AUTH_VIOLATION`}},
		{map[string]string{"metadata/event_type": `"USER_LOGIN"`, "target/user": `{"userid":"a"}`, "extensions/auth": `{"type":"MACHINE"}`, "security_result/action": `["FAIL"]`, "security_result/category": `["AUTH_VIOLATION"]`}, nil},
		{map[string]string{"colour": `1`}, []string{`colour: not a field of UDM`}},
	})
}

func TestParseCEF(t *testing.T) {
	c, err := ParseCEF(`CEF:0|Ven\|dor\\x|P=1|1.0|100|two words|10|src=192.0.2.1 msg=a b\=c | \\ \n d cs1=x y  cs1Label=Rule empty= end=1773480413589`)
	require.NoError(t, err)
	assert.Equal(t, CEF{0, `Ven|dor\x`, "P=1", "1.0", "100", "two words", "10", []Pair{
		{"src", "192.0.2.1"}, {"msg", "a b=c | \\ \n d"}, {"cs1", "x y "}, {"cs1Label", "Rule"}, {"empty", ""}, {"end", "1773480413589"},
	}}, c)
	c, err = ParseCEF("CEF:0|v|p|1|0|log|3|")
	require.NoError(t, err)
	assert.Empty(t, c.Extension)

	const header = "CEF:0|v|p|1|0|log|3|"
	for _, e := range []struct{ line, want string }{
		{"<13>CEF:0|v|p|1|0|log|3|", `does not begin with "CEF:"`},
		{"CEF:0|v|p|1|0|log|3", "header has 6 fields, want 7"},
		{`CEF:0|v\|p|1|0|log|3|`, "header has 6 fields, want 7"},
		{`CEF:0|v\=|p|1|0|log|3|`, `header field 2: backslash before '='`},
		{"CEF:x|v|p|1|0|log|3|", `version: strconv.Atoi: parsing "x": invalid syntax`},
		{header + "msg=a=b", `"msg=a" before an equals sign is no key; is the sign in a value escaped?`},
		{header + "msg=q a-b=c", `"a-b" before an equals sign is no key; is the sign in a value escaped?`},
		{header + `msg=C:\temp`, `msg: backslash before 't'`},
		{header + `msg=a\|b`, `msg: backslash before '|'`},
		{header + `msg=a\`, `msg: backslash at the end`},
		{header + "just words", "extension does not begin with a key"},
		{header + "words src=1", "extension does not begin with a key"},
		{header + "src=1 src=2", "src: key is given twice"},
		{header + "msg=a\nb", "line break inside the line"},
		{header + "msg=\xff", "not valid UTF-8"},
	} {
		_, err := ParseCEF(e.line)
		assert.EqualError(t, err, e.want, e.line)
	}
}

func TestValidateCEF(t *testing.T) {
	const good = "CEF:0|Palo Alto Networks|PAN-OS|11.1.4|end|allow|Low|"
	for _, c := range []struct {
		line string
		want []string
	}{
		{good, nil},
		{good + `rt=1773480413589 src=192.0.2.1 spt=443 c6a3=2001:db8::1 c6a3Label=Destination IPv6 Address cs1=a cs1Label=Rule smac=00:1b:17:00:01:30 in=5 cfp1=1.5 cfp1Label=f ExampleOwnKey=x deviceDirection=1 msg=a\nb	c end=Mar 14 2026 09:26:53.589 UTC`, nil},
		{"CEF:1|v|p|1|0|log|3|threatAttackID=T1071", nil},
		{"CEF:2|v|p|1|0|log|3|", []string{"version: want 0 or 1, got 2"}},
		{"CEF:0||p|1| |log|3|", []string{"deviceVendor: empty", "deviceEventClassId: empty"}},
		{"CEF:0|v|p|" + strings.Repeat("1", 32) + "|0|log|3|", []string{"deviceVersion: longer than 31 characters: 32"}},
		{"CEF:0|v\tw|p|1|0|log|3|", []string{"deviceVendor: control character"}},
		{"CEF:0|v|p|1|0|log|11|", []string{`severity: want 0..10 or a word, got "11"`}},
		{"CEF:0|v|p|1|0|log|low|", []string{`severity: want 0..10 or a word, got "low"`}},
		{good + "src=2001:db8::1", []string{`src: want ipv4_address, got "2001:db8::1"`}},
		{good + "c6a2=192.0.2.1 c6a2Label=x", []string{`c6a2: want ipv6_address, got "192.0.2.1"`}},
		{good + "spt=70000", []string{`spt: out of range: "70000"`}},
		{good + "spt=x", []string{`spt: want integer, got "x"`}},
		{good + "in=4294967296", []string{`in: want integer, got "4294967296"`}},
		{good + "cn1=9223372036854775807 cn1Label=n", nil},
		{good + "rt=1773480413", []string{`rt: want timestamp, got "1773480413"`}},
		{good + "smac=00-1B-17-00-01-30", []string{`smac: want mac_address, got "00-1B-17-00-01-30"`}},
		{good + "deviceDirection=inbound", []string{`deviceDirection: want integer, got "inbound"`}},
		{good + "deviceDirection=2", []string{`deviceDirection: out of range: "2"`}},
		{good + "type=4", []string{`type: out of range: "4"`}},
		{good + "act=" + strings.Repeat("a", 64), []string{"act: longer than 63 characters: 64"}},
		{good + "cs1=a", []string{"cs1: field without its label"}},
		{good + "cs1Label=a", []string{"cs1Label: label without its field"}},
		{good + "cs1=a cs1Label=x cs2=b cs2Label=x", []string{`cs2Label: same label as cs1Label: "x"`}},
		{good + "rawEvent=x", []string{"rawEvent: set by the receiving system, not by a sender"}},
		{good + "threatAttackID=T1071", []string{"threatAttackID: dictionary 1.2 needs CEF:1"}},
		{good + "sourceAddress=192.0.2.1", []string{"sourceAddress: own key is a name of dictionary key src"}},
		{good + "SRC=192.0.2.1", []string{"SRC: own key is a name of dictionary key src"}},
		{good + "msg=a\x07b", []string{"msg: control character"}},
		{good + "msg=a=b", []string{`"msg=a" before an equals sign is no key; is the sign in a value escaped?`}},
	} {
		assert.Equal(t, c.want, validated("cef", c.line), c.line)
	}
}

func TestParseLEEF(t *testing.T) {
	l, err := ParseLEEF("LEEF:2.0|V|P|1|E|^|a=b=c^d=\\x|y^e=")
	require.NoError(t, err)
	assert.Equal(t, LEEF{"2.0", "V", "P", "1", "E", '^', []Pair{{"a", "b=c"}, {"d", `\x|y`}, {"e", ""}}}, l)
	for _, line := range []string{
		"LEEF:1.0|V|P|1|E|a=1\tb=2", "LEEF:2.0|V|P|1|E|x09|a=1\tb=2", "LEEF:2.0|V|P|1|E|0x09|a=1\tb=2",
		"LEEF:2.0|V|P|1|E||a=1\tb=2", "LEEF:2.0|V|P|1|E|\t|a=1\tb=2", "LEEF:2.0|V|P|1|E|a=1\tb=2", "LEEF:2.0|V|P|1|E|xa6|a=1¦b=2",
	} {
		l, err := ParseLEEF(line)
		require.NoError(t, err, line)
		assert.Equal(t, []Pair{{"a", "1"}, {"b", "2"}}, l.Attributes, line)
	}
	for _, e := range []struct{ line, want string }{
		{"x LEEF:1.0|V|P|1|E|", `does not begin with "LEEF:"`},
		{"LEEF:1.0|V|P|1|E", "header has 4 fields, want 5"},
		{"LEEF:3.0|V|P|1|E|", `version "3.0", want 1.0 or 2.0`},
		{"LEEF:2.0|V|P|1|E|xyz|a=1", `delimiter "xyz" is neither a character nor a code`},
		{"LEEF:2.0|V|P|1|E|x09|a=1\tb", `attribute "b" is no key=value`},
		{"LEEF:2.0|V|P|1|E|x09|a=1\t=b", `attribute "=b" is no key=value`},
		{"LEEF:2.0|V|P|1|E|x09|a=1\ta=2", "a: key is given twice"},
		{"LEEF:2.0|V|P|1|E|x09|a=1\r", "line break inside the line"},
	} {
		_, err := ParseLEEF(e.line)
		assert.EqualError(t, err, e.want, e.line)
	}
}

func TestValidateLEEF(t *testing.T) {
	const good = "LEEF:2.0|V|P|1|E|x09|devTime=1773480413589"
	for _, c := range []struct {
		line string
		want []string
	}{
		{good + "\tsev=1\tproto=TCP\tsrc=2001:db8::1\tsrcPort=443\tsrcMAC=00:1b:17:00:01:30\tidentSrc=192.0.2.1\tidentHostName=h\town=a=b", nil},
		{"LEEF:1.0|V|P|1|E|devTime=Mar 14 2026 09:26:53\tdevTimeFormat=MMM dd yyyy HH:mm:ss", nil},
		{"LEEF:2.0|V|P|1|E|devTime=1773480413589", []string{"delimiter: missing"}},
		{"LEEF:1.0||P|1| |devTime=1773480413", []string{"vendor: empty", "eventId: empty"}},
		{"LEEF:1.0|V\tW|P|1|E|devTime=1773480413", []string{"vendor: control character"}},
		{"LEEF:1.0|V|P|1|" + strings.Repeat("e", 256) + "|devTime=1773480413", []string{"eventId: longer than 255 characters: 256"}},
		{"LEEF:1.0|V|P|1|E|", []string{"devTime: missing"}},
		{"LEEF:1.0|V|P|1|E|devTime=Mar 14 2026 09:26:53", []string{`devTime: want 10 or 13 digits or devTimeFormat, got "Mar 14 2026 09:26:53"`}},
		{good + "\tsev=0", []string{`sev: want integer 1-10, got "0"`}},
		{good + "\tsrcPort=70000", []string{`srcPort: want integer 0 - 65535, got "70000"`}},
		{good + "\tsrcBytes=-1", []string{`srcBytes: want integer , got "-1"`}},
		{good + "\tsrc=host", []string{`src: want ip_address , got "host"`}},
		{good + "\tproto=300", []string{`proto: want integer_or_keyword , got "300"`}},
		{good + "\tdstMAC=00-1B-17-00-01-30", []string{`dstMAC: want mac_address , got "00-1B-17-00-01-30"`}},
		{good + "\tusrName=" + strings.Repeat("u", 256), []string{`usrName: want string 255, got "` + strings.Repeat("u", 256) + `"`}},
		{good + "\tisLoginEvent=true", []string{"isLoginEvent: reserved"}},
		{good + "\tidentHostName=h", []string{"identHostName: counts only together with identSrc"}},
		{good + "\tmy.key=1", []string{"my.key: own key is not alphanumeric"}},
		{good + "\tSRC=192.0.2.1", []string{"SRC: own key is a name of predefined key src"}},
		{good + "\town=a\x00b", []string{"own: control character"}},
	} {
		assert.Equal(t, c.want, validated("leef", c.line), c.line)
	}
}

func TestListsAreWhole(t *testing.T) {
	assert.Len(t, ecs().fields, 2605)
	assert.Len(t, cef().keys, 181)
	assert.Len(t, leefKeys(), 45)
	assert.Len(t, cslColumns(), 163)
	assert.Len(t, asim(), 13) // twelve event schemas and Common
	assert.Len(t, cim().datasets, 141)
	assert.Len(t, ocsf().classes, 83)
	assert.Len(t, ocsf().objects, 181)
	for _, shape := range ocsf().classes {
		for name, a := range shape.attributes {
			assert.NotEmpty(t, a.kind, "%s %s", shape.name, name)
			if a.object {
				assert.Contains(t, ocsf().objects, a.kind, "%s %s", shape.name, name)
			} else {
				assert.Contains(t, ocsf().types, a.kind, "%s %s", shape.name, name)
			}
		}
	}
	builtIn := map[string]bool{}
	for _, name := range []string{"string", "bool", "int32", "uint32", "int64", "uint64", "float", "double", "bytes", "google.protobuf.Timestamp", "google.protobuf.Duration", "google.protobuf.Struct", "google.type.LatLng", "google.type.Interval"} {
		builtIn[name] = true
	}
	for message, fields := range udm().messages {
		for name, field := range fields {
			_, isMessage := udm().messages[field.kind]
			_, isEnum := udm().enums[field.kind]
			assert.True(t, builtIn[field.kind] || isMessage || isEnum, "%s.%s %s", message, name, field.kind)
		}
	}
	for eventType := range udmNeeds {
		assert.Contains(t, udm().enums["Metadata.EventType"], eventType)
	}
	for name, version := range map[string]string{"NetworkSession": "0.2.7", "AuditEvent": "0.1.2", "Dns": "0.1.7"} {
		assert.Equal(t, version, asim()[name].version)
	}
}
