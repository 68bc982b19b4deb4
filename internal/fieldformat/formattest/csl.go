// SPDX-License-Identifier: Apache-2.0

package formattest

import (
	"net/netip"
	"slices"
	"strings"
	"sync"
)

type column struct {
	kind    string
	service bool // set by the service, never by a sender
}

var cslColumns = sync.OnceValue(func() map[string]column {
	columns := map[string]column{}
	eachLine("csl.tsv", 3, func(c []string) { columns[c[0]] = column{c[1], c[2] == "service"} })
	return columns
})

var cslRequired = []string{
	"TimeGenerated", "DeviceVendor", "DeviceProduct", "DeviceEventClassID", "Activity", "LogSeverity",
}

var cslPorts = []string{"SourcePort", "DestinationPort", "SourceTranslatedPort", "DestinationTranslatedPort"}

func validateCSL(p *problems, event map[string]any) {
	for _, name := range cslRequired {
		if v, ok := event[name]; !ok {
			p.add(name, "missing")
		} else if v == "" {
			p.add(name, "empty")
		}
	}
	for _, name := range sortedKeys(event) {
		v := event[name]
		column, ok := cslColumns()[name]
		switch {
		case !ok:
			p.add(name, "not a column of CommonSecurityLog")
		case column.service:
			p.add(name, "set by the service, not by a sender")
		case !isKusto(column.kind, v):
			p.add(name, "want %s, got %s", column.kind, describe(v))
		case slices.Contains(cslPorts, name) && !isPort(v):
			p.add(name, "want a port, got %s", describe(v))
		case strings.HasPrefix(name, "DeviceCustomIPv6Address") && !strings.HasSuffix(name, "Label"):
			if addr, err := netip.ParseAddr(v.(string)); err != nil || !addr.Is6() {
				p.add(name, "want an IPv6 address, got %s", describe(v))
			}
		case slices.Contains([]string{"SourceIP", "DestinationIP", "DeviceAddress", "SourceTranslatedAddress", "DestinationTranslatedAddress", "DeviceTranslatedAddress"}, name):
			if !isIP(v.(string)) {
				p.add(name, "want an IP address, got %s", describe(v))
			}
		case strings.HasSuffix(name, "MACAddress") || name == "DeviceMacAddress":
			if !colonMAC.MatchString(v.(string)) {
				p.add(name, "want a MAC address with colons, got %s", describe(v))
			}
		case name == "CommunicationDirection" && v != "0" && v != "1":
			p.add(name, "want 0 or 1, got %s", describe(v))
		case name == "LogSeverity" && !cefSeverity(v.(string)):
			p.add(name, "want a CEF severity, got %s", describe(v))
		}
	}
	for _, name := range sortedKeys(event) {
		base, isLabel := strings.CutSuffix(name, "Label")
		if isLabel {
			// DeviceCustomNumber1 was superseded by FieldDeviceCustomNumber1; the label is shared
			_, plain := event[base]
			_, field := event["Field"+base]
			if !plain && !field {
				p.add(name, "label without its field")
			}
			continue
		}
		label := strings.TrimPrefix(name, "Field") + "Label"
		if _, paired := cslColumns()[label]; paired {
			if _, ok := event[label]; !ok {
				p.add(name, "field without its label %s", label)
			}
		}
	}
}

// isKusto tells whether a JSON value fits a column type of Log Analytics.
func isKusto(kind string, v any) bool {
	switch kind {
	case "string":
		return isString(v)
	case "int":
		return isInt32(v)
	case "long":
		return isInt64(v)
	case "real":
		return isNumber(v)
	case "bool":
		return isBool(v)
	case "datetime":
		return isTime(v, 7) && isUTC(v)
	case "dynamic":
		_, isArray := v.([]any)
		return isObject(v) || isArray
	}
	return false
}
