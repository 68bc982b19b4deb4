// SPDX-License-Identifier: Apache-2.0

package fieldformat

import (
	"slices"
	"strings"
)

// The attributes that LEEF predefines (LEEF version 2 guide). An own key must be none of them.
const leefPredefined = "cat devTime devTimeFormat proto sev src dst srcPort dstPort srcPreNAT dstPreNAT srcPostNAT dstPostNAT usrName srcMAC dstMAC " +
	"srcPreNATPort dstPreNATPort srcPostNATPort dstPostNATPort identSrc identHostName identNetBios identGrpName identMAC vSrc vSrcName " +
	"accountName srcBytes dstBytes srcPackets dstPackets totalPackets role realm policy resource url groupID domain isLoginEvent " +
	"isLogoutEvent identSecondlp calLanguage calCountryOrRegion"

// leefKeys are the predefined names in lower case: an own key must not look like one.
var leefKeys = func() map[string]bool {
	m := map[string]bool{}
	for _, k := range strings.Fields(leefPredefined) {
		m[strings.ToLower(k)] = true
	}
	return m
}()

// leefLimited are the attributes of at most 255 characters.
var leefLimited = map[string]int{"usrName": 255, "identHostName": 255, "identNetBios": 255, "identGrpName": 255, "vSrcName": 255,
	"accountName": 255, "header.eventid": 255}

func init() {
	targets[LEEF] = &target{
		layout: &layout{envelope: append([]string{"header.vendor", "header.product", "header.version", "header.eventid", "devTime", "sev", "cat"},
			strings.Fields(leefPredefined)...)},
		time: thirteenDigits, begin: beginLEEF, finish: finishLEEF, write: writeLEEF,
	}
}

// thirteenDigits writes milliseconds as LEEF knows them without being told a format.
func thirteenDigits(dst []byte, n int64) []byte {
	at := len(dst)
	dst = millis(dst, n)
	for len(dst)-at < 13 {
		dst = slices.Insert(dst, at, '0')
	}
	return dst
}

func beginLEEF(e *Encoder) {
	e.keepOwn(atDevTime)
	e.fill(atDevTime, e.eventTime())
	e.consumeSeverity()
	if n := e.ev.severity.number; n >= 0 {
		e.fill(atSev, intVal(int64(max(n, 1))))
	}
	e.fillWords(atCat, e.table.known.category)
}

func finishLEEF(e *Encoder) bool {
	e.fillHeader(atHeaderVendor, e.vendor(), defaultVendor)
	e.fillHeader(atHeaderProduct, e.product(), defaultProduct)
	e.fillHeader(atHeaderVersion, e.version(), defaultVersion)
	e.fillHeader(atHeaderEventid, e.eventID(), "log")
	e.adopt()
	e.limit()
	for _, s := range [...]spot{atHeaderVendor, atHeaderProduct, atHeaderVersion, atHeaderEventid} {
		if i := e.plan.at(s); e.from[i] >= 0 && e.out[i].typ == typStr && e.test(&e.out[i], breaksLine) {
			e.toBag(e.vals[e.from[i]]) // what the header cannot say
		}
	}
	return true
}

func breaksLine(s string) bool { return strings.ContainsAny(s, "|\t\r\n") }

func appendToLEEFHeader(e *Encoder, dst []byte, v *val) []byte {
	return e.appendEscaped(dst, v, replaceInHeader)
}
func appendToLEEF(e *Encoder, dst []byte, v *val) []byte {
	return e.appendEscaped(dst, v, replaceInValue)
}

// writeLEEF writes a line of LEEF 2.0. The format has no escapes: what would break the line becomes a blank.
func writeLEEF(e *Encoder, dst []byte) []byte {
	dst = append(dst, "LEEF:2.0|"...)
	for _, s := range [...]spot{atHeaderVendor, atHeaderProduct, atHeaderVersion, atHeaderEventid} {
		dst = e.emit(dst, &e.out[e.plan.at(s)], appendToLEEFHeader)
		dst = append(dst, '|')
	}
	dst = append(dst, "x09|"...)
	taken := func(key string) bool {
		i, known := e.plan.byPath[key]
		return known && e.set.has(int(i))
	}
	return e.appendPairs(dst, '\t', appendToLEEF, leefKeys, taken)
}
