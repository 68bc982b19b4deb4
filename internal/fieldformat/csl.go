// SPDX-License-Identifier: Apache-2.0

package fieldformat

import (
	"strconv"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/jsontext"
)

func init() {
	targets[CSL] = &target{
		layout: &layout{envelope: []string{"TimeGenerated", "ReceiptTime", "DeviceVendor", "DeviceProduct", "DeviceVersion",
			"DeviceEventClassID", "Activity", "LogSeverity", "OriginalLogSeverity", "DeviceEventCategory", "DeviceCustomString1",
			"DeviceCustomString1Label", "DeviceCustomString2", "DeviceCustomString2Label", "DeviceCustomString3", "DeviceCustomString3Label",
			"DeviceCustomNumber1Label", "FieldDeviceCustomNumber1"}},
		time:   ticks,
		begin:  beginCSL,
		finish: finishCSL,
		write:  writeCSL,
	}
}

// ticks writes a time with the seven decimals that a column of type datetime keeps.
func ticks(dst []byte, n int64) []byte {
	return append(jsontext.AppendTimeText(append(dst, '"'), n, 7), '"')
}

func beginCSL(e *Encoder) {
	e.keepOwn(atTimeGenerated)
	k := &e.table.known
	e.fill(atTimeGenerated, timeVal(e.eventTime()))
	e.fill(atReceiptTime, timeVal(e.eventTime()))
	e.consumeSeverity()
	e.fill(atLogSeverity, strVal(e.ev.severity.csl()))
	if e.has(k.level) && e.ev.severity.level != 0 {
		if v, ok := e.convert(kindText, "", k.level, &e.vals[k.level]); ok == fitYes {
			e.fill(atOriginalLogSeverity, v)
			e.consume(k.level)
		}
	}
	e.fillWords(atDeviceEventCategory, k.category)
}

func finishCSL(e *Encoder) bool {
	e.fillHeader(atDeviceVendor, e.vendor(), defaultVendor)
	e.fillHeader(atDeviceProduct, e.product(), defaultProduct)
	e.fill(atDeviceVersion, strVal(e.version()))
	e.fillHeader(atDeviceEventClassID, e.eventID(), "log")
	e.fillHeader(atActivity, e.title(), "Log record")
	e.limit()
	return true
}

// csl is the severity as a CEF header has it: a word where the source gave one.
func (s severity) csl() string {
	switch {
	case s.number < 0:
		return "Unknown"
	case s.word && s.level >= 2:
		return [...]string{"Low", "Medium", "High", "Very-High", "Very-High"}[s.level-2]
	}
	return strconv.Itoa(int(s.number))
}

// writeCSL ends with AdditionalExtensions: key=value joined by semicolons. A backslash stands before a semicolon within a
// value; backslashes that would then be misread, before a semicolon and at the end of a value, are doubled.
func writeCSL(e *Encoder, dst []byte) []byte {
	dst = e.appendObject(dst)
	if len(e.bag) == 0 {
		return append(dst, '}')
	}
	at := len(e.arena)
	text := e.arena
	for i := range e.bag {
		v := &e.bag[i]
		if v.typ == typFloat && !finite(v.float()) {
			continue
		}
		if len(text) > at {
			text = append(text, ';')
		}
		for j := range len(v.name) {
			c := v.name[j]
			if c == '=' || c == ';' {
				c = '_'
			}
			text = append(text, c)
		}
		text = append(text, '=')
		switch v.typ {
		case typStr:
			text = escapeSemicolons(text, v.str)
		case typInt, typFloat, typBool:
			text = v.appendPlain(text)
		default:
			e.scratch = e.appendText(e.scratch[:0], v)
			text = escapeSemicolons(text, e.scratch)
		}
	}
	e.arena = text
	if len(text) > at {
		dst = append(comma(dst), `"AdditionalExtensions":`...)
		dst = jsontext.AppendString(dst, e.since(at))
	}
	return append(dst, '}')
}

func escapeSemicolons[T string | []byte](dst []byte, s T) []byte {
	run := 0 // of backslashes
	for i := range len(s) {
		switch s[i] {
		case '\\':
			run++
		case ';':
			dst = append(repeat(dst, '\\', run), '\\')
			run = 0
		default:
			run = 0
		}
		dst = append(dst, s[i])
	}
	return repeat(dst, '\\', run)
}

func repeat(dst []byte, c byte, n int) []byte {
	for range n {
		dst = append(dst, c)
	}
	return dst
}
