// SPDX-License-Identifier: Apache-2.0

package fieldformat

import (
	"strconv"
	"strings"

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
	e.fill(atTimeGenerated, e.eventTime())
	e.fill(atReceiptTime, e.eventTime())
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
	open := false
	for i := range e.bag {
		v := &e.bag[i]
		if v.notNumber() {
			continue
		}
		if open {
			dst = append(dst, ';')
		} else {
			dst = append(comma(dst), `"AdditionalExtensions":"`...)
			open = true
		}
		e.scratch = e.scratch[:0]
		for j := range len(v.name) {
			c := v.name[j]
			if c == '=' || c == ';' {
				c = '_'
			}
			e.scratch = append(e.scratch, c)
		}
		dst = append(jsontext.AppendEscaped(dst, textOf(e.scratch)), '=')
		dst = e.emit(dst, v, appendToExtensions)
	}
	if open {
		dst = append(dst, '"')
	}
	return append(dst, '}')
}

// appendToExtensions writes a value of AdditionalExtensions, which is itself a JSON string.
func appendToExtensions(e *Encoder, dst []byte, v *val) []byte {
	v.look()
	switch v.typ {
	case typInt, typFloat, typBool:
		return v.appendPlain(dst)
	case typStr:
		if strings.IndexByte(v.str, ';') < 0 && !strings.HasSuffix(v.str, `\`) {
			return jsontext.AppendEscaped(dst, v.str)
		}
		e.scratch = escapeSemicolons(e.scratch[:0], v.str)
	default:
		at := len(e.arena)
		e.arena = e.appendText(e.arena, v)
		e.scratch = escapeSemicolons(e.scratch[:0], e.since(at))
	}
	return jsontext.AppendEscaped(dst, textOf(e.scratch))
}

// cutSemicolon cuts a text at its first semicolon that has no backslash before it, and undoes the escapes of what stands
// before.
func cutSemicolon(s string) (before, after string) {
	var b []byte
	for i := 0; i < len(s); i++ {
		run := i
		for run < len(s) && s[run] == '\\' {
			run++
		}
		n := run - i // of backslashes
		switch {
		case run == len(s) || s[run] == ';': // they stand for half as many, and the last of an odd number for the semicolon
			b = repeat(b, '\\', n/2)
			if n%2 == 0 {
				return string(b), s[min(run+1, len(s)):]
			}
			if run < len(s) {
				b = append(b, ';')
			}
		default:
			b = append(repeat(b, '\\', n), s[run])
		}
		i = run
	}
	return string(b), ""
}

func escapeSemicolons(dst []byte, s string) []byte {
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
