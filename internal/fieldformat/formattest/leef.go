// SPDX-License-Identifier: Apache-2.0

package formattest

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// LEEF is a parsed line. LEEF has no escaping: the values are as written.
type LEEF struct {
	Version                                  string // 1.0 or 2.0
	Vendor, Product, ProductVersion, EventID string
	Delimiter                                rune
	Attributes                               []Pair
}

// Get returns the value of an attribute.
func (l LEEF) Get(key string) (string, bool) {
	for _, pair := range l.Attributes {
		if pair.Key == key {
			return pair.Value, true
		}
	}
	return "", false
}

// ParseLEEF reads a line that begins with "LEEF:1.0|" or "LEEF:2.0|". A 2.0
// line without delimiter field, as some senders write it, is read as
// delimited by tabs.
func ParseLEEF(line string) (LEEF, error) {
	l := LEEF{Delimiter: '\t'}
	if err := checkLine(line); err != nil {
		return l, err
	}
	rest, ok := strings.CutPrefix(line, "LEEF:")
	if !ok {
		return l, errors.New(`does not begin with "LEEF:"`)
	}
	header := strings.SplitN(rest, "|", 6)
	if len(header) < 6 {
		return l, fmt.Errorf("header has %d fields, want 5", len(header)-1)
	}
	l.Version, l.Vendor, l.Product, l.ProductVersion, l.EventID = header[0], header[1], header[2], header[3], header[4]
	attributes := header[5]
	switch l.Version {
	case "1.0":
	case "2.0":
		if field, behind, ok := strings.Cut(attributes, "|"); ok && !strings.Contains(field, "=") {
			delimiter, err := parseDelimiter(field)
			if err != nil {
				return l, err
			}
			l.Delimiter, attributes = delimiter, behind
		}
	default:
		return l, fmt.Errorf("version %q, want 1.0 or 2.0", l.Version)
	}
	if attributes == "" {
		return l, nil
	}
	for _, piece := range strings.Split(attributes, string(l.Delimiter)) {
		key, value, ok := strings.Cut(piece, "=")
		if !ok || key == "" {
			return l, fmt.Errorf("attribute %q is no key=value", piece)
		}
		l.Attributes = append(l.Attributes, Pair{key, value})
	}
	_, err := pairsOf(l.Attributes)
	return l, err
}

// parseDelimiter reads one character or its code as x or 0x and hex digits;
// nothing means tab.
func parseDelimiter(field string) (rune, error) {
	if field == "" {
		return '\t', nil
	}
	if r, n := utf8.DecodeRuneInString(field); n == len(field) {
		return r, nil
	}
	digits := strings.TrimPrefix(strings.TrimPrefix(field, "0"), "x")
	n, err := strconv.ParseUint(digits, 16, 16)
	if err != nil || len(digits) > 4 || !strings.Contains(field, "x") {
		return 0, fmt.Errorf("delimiter %q is neither a character nor a code", field)
	}
	return rune(n), nil
}

type leefKey struct {
	kind, limit string
	reserved    bool
}

var leefKeys = sync.OnceValue(func() map[string]leefKey {
	keys := map[string]leefKey{}
	eachLine("leef.tsv", 4, func(c []string) { keys[c[0]] = leefKey{c[1], c[2], c[3] == "reserved"} })
	return keys
})

var leefKeyword = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+./-]*$`)

func validateLEEF(p *problems, out []byte) {
	l, err := ParseLEEF(string(out))
	if err != nil {
		p.add("", "%v", err)
		return
	}
	for _, f := range []struct{ name, value string }{
		{"vendor", l.Vendor}, {"product", l.Product}, {"productVersion", l.ProductVersion}, {"eventId", l.EventID},
	} {
		if strings.TrimSpace(f.value) == "" {
			p.add(f.name, "empty")
		}
		if strings.ContainsFunc(f.value, control) || strings.Contains(f.value, "\t") {
			p.add(f.name, "control character")
		}
	}
	if n := utf8.RuneCountInString(l.EventID); n > 255 {
		p.add("eventId", "longer than 255 characters: %d", n)
	}
	if l.Version == "2.0" && !leefSixFields.Match(out) {
		p.add("delimiter", "missing")
	}

	known := map[string]string{}
	for key := range leefKeys() {
		known[strings.ToLower(key)] = key
	}
	values, _ := pairsOf(l.Attributes)
	for _, pair := range l.Attributes {
		key, value := pair.Key, pair.Value
		if strings.ContainsFunc(value, control) {
			p.add(key, "control character")
		}
		k, ok := leefKeys()[key]
		switch {
		case !ok && !alphanumeric.MatchString(key):
			p.add(key, "own key is not alphanumeric")
		case !ok:
			if name, taken := known[strings.ToLower(key)]; taken {
				p.add(key, "own key is a name of predefined key %s", name)
			}
		case k.reserved:
			p.add(key, "reserved")
		case !isLEEF(k, value):
			p.add(key, "want %s %s, got %q", k.kind, k.limit, value)
		case strings.HasPrefix(key, "ident") && key != "identSrc":
			if _, ok := values["identSrc"]; !ok {
				p.add(key, "counts only together with identSrc")
			}
		}
	}
	switch devTime, ok := values["devTime"]; {
	case !ok:
		p.add("devTime", "missing")
	case epoch.MatchString(devTime):
	default:
		if _, ok := values["devTimeFormat"]; !ok {
			p.add("devTime", "want 10 or 13 digits or devTimeFormat, got %q", devTime)
		}
	}
}

var (
	epoch         = regexp.MustCompile(`^(\d{10}|\d{13})$`)
	leefSixFields = regexp.MustCompile(`^LEEF:2\.0\|([^|]*\|){4}(.|0?x[0-9A-Fa-f]{1,4})?\|`)
)

func isLEEF(k leefKey, s string) bool {
	switch k.kind {
	case "integer":
		switch {
		case k.limit == "1-10":
			return inRange(s, 1, 10)
		case strings.Contains(k.limit, "65535"):
			return inRange(s, 0, 65535)
		}
		return inRange(s, 0, 1<<63-1)
	case "integer_or_keyword":
		return inRange(s, 0, 255) || leefKeyword.MatchString(s)
	case "ip_address":
		return isIP(s)
	case "mac_address":
		return colonMAC.MatchString(s)
	case "string":
		longest, err := strconv.Atoi(k.limit)
		return err != nil || utf8.RuneCountInString(s) <= longest
	}
	return true
}
