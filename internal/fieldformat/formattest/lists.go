// SPDX-License-Identifier: Apache-2.0

package formattest

import (
	"embed"
	"strings"
)

//go:embed lists/*.tsv
var listFiles embed.FS

// eachLine calls f with the columns of every line of a list; there are always
// at least n of them.
func eachLine(file string, n int, f func(columns []string)) {
	data, err := listFiles.ReadFile("lists/" + file)
	if err != nil {
		panic(err)
	}
	for line := range strings.Lines(string(data)) {
		columns := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		for len(columns) < n {
			columns = append(columns, "")
		}
		f(columns)
	}
}

// words splits a list written as a|b|c; an empty one has no words.
func words(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, "|")
}
