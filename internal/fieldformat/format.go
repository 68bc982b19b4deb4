// SPDX-License-Identifier: Apache-2.0

// Package fieldformat writes log records in the formats that security products load as they are.
//
// Every record takes the same way:
//
//	read ──▶ pivot ──▶ classify ──▶ place ──▶ complete ──▶ append
//	any of the        flat ECS     what kind    the table     envelope,     one JSON object
//	eight formats,    names, one   of event     of fields     required      or one line,
//	OTel or ECS       slot each    it is        (fields.txt)  attributes    the rest in the bag
//
// Records like earlier ones take a shorter way: see pattern.go.
//
// What has no place in the target format goes into that format's own bag under its own name: nothing is lost.
// docs/field-formats.md says for each format what goes where.
package fieldformat

import (
	"fmt"
	"strings"
)

// Format is a target format.
type Format int

// The formats, with the version that is written.
const (
	ECS  Format = iota // Elastic Common Schema 9.4.0, nested JSON
	CIM                // Splunk Common Information Model 8.5, flat JSON
	ASIM               // Microsoft Sentinel Advanced Security Information Model, flat JSON
	CEF                // ArcSight Common Event Format 0.1 (standard v27), a line of text
	LEEF               // IBM QRadar Log Event Extended Format 2.0, a line of text
	CSL                // Microsoft Sentinel CommonSecurityLog table, flat JSON
	OCSF               // Open Cybersecurity Schema Framework 1.8.0, nested JSON
	UDM                // Google SecOps Unified Data Model, nested JSON
	numFormats
)

// none stands for records that are in none of the formats: OpenTelemetry or ECS names of attributes.
const none Format = -1

var formatNames = [numFormats]string{"ecs", "cim", "asim", "cef", "leef", "csl", "ocsf", "udm"}

// Parse returns the format of that name, in any case.
func Parse(name string) (Format, error) {
	for f, n := range formatNames {
		if strings.EqualFold(n, name) {
			return Format(f), nil
		}
	}
	return none, fmt.Errorf("unknown field format %q: write one of %s", name, strings.Join(formatNames[:], ", "))
}

// String returns the name in lower case.
func (f Format) String() string {
	if f < 0 || f >= numFormats {
		return "none"
	}
	return formatNames[f]
}

// Options are what an Encoder knows beside the record.
type Options struct {
	// Vendor, Product and Version name the device in headers and envelopes when the record does not name one.
	// A record names one by observer.vendor and so on, else by service.name and service.version.
	// Without either it is the OpenTelemetry Collector.
	Vendor, Product, Version string

	// EventID gives every record that has none an id where the format has a place for it. The id is the attribute
	// log.record.uid, else a hash of the record's content: equal records have equal ids, also after a restart.
	EventID bool

	// Warn takes a message on a fault of this package, for the log. It may be nil.
	Warn func(message string)
}
