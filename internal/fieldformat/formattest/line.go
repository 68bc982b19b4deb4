// SPDX-License-Identifier: Apache-2.0

package formattest

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Pair is one attribute of a CEF or LEEF line, unescaped.
type Pair struct{ Key, Value string }

// checkLine says what no text line of a SIEM may hold.
func checkLine(line string) error {
	if !utf8.ValidString(line) {
		return errors.New("not valid UTF-8")
	}
	if strings.ContainsAny(line, "\r\n") {
		return errors.New("line break inside the line")
	}
	return nil
}

// pairsOf turns attributes into a map; a key that is given twice is an error.
func pairsOf(pairs []Pair) (map[string]string, error) {
	m := make(map[string]string, len(pairs))
	for _, pair := range pairs {
		if _, ok := m[pair.Key]; ok {
			return nil, fmt.Errorf("%s: key is given twice", pair.Key)
		}
		m[pair.Key] = pair.Value
	}
	return m, nil
}

// control tells whether a character breaks readers of lines; a tab does not.
func control(r rune) bool { return r < 0x20 && r != '\t' || r == 0x7f }
