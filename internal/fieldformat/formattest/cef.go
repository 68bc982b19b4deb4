// SPDX-License-Identifier: Apache-2.0

package formattest

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// CEF is a parsed line, everything unescaped.
type CEF struct {
	Version                                                              int
	DeviceVendor, DeviceProduct, DeviceVersion, DeviceEventClassID, Name string
	Severity                                                             string
	Extension                                                            []Pair
}

// Get returns the value of an extension key.
func (c CEF) Get(key string) (string, bool) {
	for _, pair := range c.Extension {
		if pair.Key == key {
			return pair.Value, true
		}
	}
	return "", false
}

// ParseCEF reads a line that begins with "CEF:", as the implementation
// standard describes it, and refuses what a reader would have to guess.
func ParseCEF(line string) (CEF, error) {
	var c CEF
	if err := checkLine(line); err != nil {
		return c, err
	}
	rest, ok := strings.CutPrefix(line, "CEF:")
	if !ok {
		return c, errors.New(`does not begin with "CEF:"`)
	}
	var header [7]string
	for i := range header {
		end := unescapedPipe(rest)
		if end < 0 {
			return c, fmt.Errorf("header has %d fields, want 7", i)
		}
		value, err := unescape(rest[:end], `\|`)
		if err != nil {
			return c, fmt.Errorf("header field %d: %w", i+1, err)
		}
		header[i], rest = value, rest[end+1:]
	}
	version, err := strconv.Atoi(header[0])
	if err != nil {
		return c, fmt.Errorf("version: %w", err)
	}
	c = CEF{version, header[1], header[2], header[3], header[4], header[5], header[6], nil}
	c.Extension, err = parseExtension(rest)
	return c, err
}

func unescapedPipe(s string) int {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '|':
			return i
		}
	}
	return -1
}

// unescape takes away the backslash before each of the characters in set; n
// and r in the set stand for line breaks.
func unescape(s, set string) (string, error) {
	if !strings.Contains(s, `\`) {
		return s, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch {
		case i == len(s):
			return "", errors.New(`backslash at the end`)
		case strings.IndexByte(set, s[i]) < 0:
			return "", fmt.Errorf(`backslash before %q`, s[i])
		case s[i] == 'n':
			b.WriteByte('\n')
		case s[i] == 'r':
			b.WriteByte('\r')
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), nil
}

// parseExtension: a key ends at an equals sign without backslash and begins
// after the blank before it, where the value before it ends.
func parseExtension(s string) ([]Pair, error) {
	if strings.Trim(s, " ") == "" {
		return nil, nil
	}
	type mark struct{ start, equals int }
	var marks []mark
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '=':
			start := strings.LastIndexByte(s[:i], ' ') + 1
			if !alphanumeric.MatchString(s[start:i]) {
				return nil, fmt.Errorf("%q before an equals sign is no key; is the sign in a value escaped?", s[start:i])
			}
			marks = append(marks, mark{start, i})
		}
	}
	if len(marks) == 0 || marks[0].start != 0 {
		return nil, fmt.Errorf("extension does not begin with a key")
	}
	var pairs []Pair
	for i, m := range marks {
		end := len(s)
		if i+1 < len(marks) {
			end = marks[i+1].start - 1
		}
		value, err := unescape(s[m.equals+1:max(end, m.equals+1)], `\=nr`)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s[m.start:m.equals], err)
		}
		pairs = append(pairs, Pair{s[m.start:m.equals], value})
	}
	if _, err := pairsOf(pairs); err != nil {
		return nil, err
	}
	return pairs, nil
}

type cefKey struct {
	fullName, kind string
	longest        int
	consumer       bool // set by the receiving system only
	since          string
}

type cefList struct {
	keys  map[string]cefKey
	names map[string]string // key by lower-cased key or full name
}

var cef = sync.OnceValue(func() cefList {
	list := cefList{map[string]cefKey{}, map[string]string{}}
	eachLine("cef.tsv", 6, func(c []string) {
		longest, _ := strconv.Atoi(c[3])
		list.keys[c[0]] = cefKey{c[1], c[2], longest, c[4] == "consumer", c[5]}
		list.names[strings.ToLower(c[1])] = c[0]
	})
	for key := range list.keys {
		list.names[strings.ToLower(key)] = key
	}
	return list
})

func cefSeverity(s string) bool {
	if n, err := strconv.Atoi(s); err == nil {
		return 0 <= n && n <= 10
	}
	return slices.Contains([]string{"Unknown", "Low", "Medium", "High", "Very-High"}, s)
}

func validateCEF(p *problems, out []byte) {
	c, err := ParseCEF(string(out))
	if err != nil {
		p.add("", "%v", err)
		return
	}
	if c.Version != 0 && c.Version != 1 {
		p.add("version", "want 0 or 1, got %d", c.Version)
	}
	for _, f := range []struct {
		name, value string
		longest     int
	}{
		{"deviceVendor", c.DeviceVendor, 63}, {"deviceProduct", c.DeviceProduct, 63}, {"deviceVersion", c.DeviceVersion, 31},
		{"deviceEventClassId", c.DeviceEventClassID, 1023}, {"name", c.Name, 512},
	} {
		if strings.TrimSpace(f.value) == "" {
			p.add(f.name, "empty")
		}
		if n := utf8.RuneCountInString(f.value); n > f.longest {
			p.add(f.name, "longer than %d characters: %d", f.longest, n)
		}
		if strings.ContainsFunc(f.value, control) || strings.Contains(f.value, "\t") {
			p.add(f.name, "control character")
		}
	}
	if !cefSeverity(c.Severity) {
		p.add("severity", "want 0..10 or a word, got %q", c.Severity)
	}

	values, _ := pairsOf(c.Extension)
	labels := map[string]string{}
	for _, pair := range c.Extension {
		key, value := pair.Key, pair.Value
		if strings.ContainsFunc(strings.NewReplacer("\n", "", "\r", "").Replace(value), control) {
			p.add(key, "control character")
		}
		k, ok := cef().keys[key]
		if !ok {
			if name, taken := cef().names[strings.ToLower(key)]; taken {
				p.add(key, "own key is a name of dictionary key %s", name)
			}
			continue
		}
		switch {
		case k.consumer:
			p.add(key, "set by the receiving system, not by a sender")
		case k.since > "1" && c.Version < 1:
			p.add(key, "dictionary %s needs CEF:1", k.since)
		case !isCEF(k.kind, value):
			p.add(key, "want %s, got %q", k.kind, value)
		case k.longest > 0 && k.kind == "string" && utf8.RuneCountInString(value) > k.longest:
			p.add(key, "longer than %d characters: %d", k.longest, utf8.RuneCountInString(value))
		case key == "deviceDirection" && value != "0" && value != "1",
			key == "type" && !slices.Contains([]string{"0", "1", "2", "3"}, value),
			slices.Contains([]string{"spt", "dpt", "sourceTranslatedPort", "destinationTranslatedPort"}, key) && !inRange(value, 0, 65535),
			slices.Contains([]string{"in", "out", "cnt", "fsize", "oldFileSize", "spid", "dpid", "dvcpid"}, key) && !inRange(value, 0, 1<<31-1):
			p.add(key, "out of range: %q", value)
		}
		if base, isLabel := strings.CutSuffix(key, "Label"); isLabel {
			if _, ok := values[base]; !ok {
				p.add(key, "label without its field")
			}
			if other, ok := labels[value]; ok {
				p.add(key, "same label as %s: %q", other, value)
			}
			labels[value] = key
		} else if _, paired := cef().keys[key+"Label"]; paired {
			if _, ok := values[key+"Label"]; !ok {
				p.add(key, "field without its label")
			}
		}
	}
}

func inRange(s string, low, high int64) bool {
	n, err := strconv.ParseInt(s, 10, 64)
	return err == nil && low <= n && n <= high
}

var cefDates = []string{
	"Jan 02 2006 15:04:05", "Jan 02 2006 15:04:05.000", "Jan 02 2006 15:04:05 MST", "Jan 02 2006 15:04:05.000 MST",
	"Jan 02 15:04:05", "Jan 02 15:04:05.000", "Jan 02 15:04:05 MST", "Jan 02 15:04:05.000 MST",
}

func isCEF(kind, s string) bool {
	switch kind {
	case "integer":
		return inRange(s, -1<<31, 1<<31-1)
	case "long":
		return inRange(s, -1<<63, 1<<63-1)
	case "double":
		_, err := strconv.ParseFloat(s, 64)
		return err == nil && !strings.ContainsAny(s, "nNxX")
	case "ipv4_address":
		addr, err := netip.ParseAddr(s)
		return err == nil && addr.Is4()
	case "ipv6_address":
		addr, err := netip.ParseAddr(s)
		return err == nil && addr.Is6() && addr.Zone() == ""
	case "ip_address":
		return isIP(s)
	case "mac_address":
		return colonMAC.MatchString(s)
	case "timestamp":
		if inRange(s, 1e11, 1e13-1) {
			return true
		}
		return slices.ContainsFunc(cefDates, func(layout string) bool {
			_, err := time.Parse(layout, s)
			return err == nil
		})
	}
	return true
}
