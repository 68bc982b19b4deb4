// SPDX-License-Identifier: Apache-2.0

package fieldformat

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"
)

//go:embed fields.txt
var fieldsText string

//go:embed ecs.txt
var ecsText string

// A field of the pivot.
type field struct {
	name string
	kind kind
	list bool // ECS writes it as an array
	ecs  bool // ECS has it
	// values are those that ECS allows, by their lower-case letters; nil allows all.
	values map[string]string
	inECS  kind // what ECS itself takes, if that is more than the kind says
	cells  [numFormats]string
	// domain is the field that qualifies this one, user.domain of user.name, or -1.
	domain int
}

// A name under which a field may arrive.
type key struct {
	field int  // -1 for a name that only says something about the record
	mark  mark // what the presence of the name says
}

// table is all that is known of fields, built once.
type table struct {
	fields []field
	byName map[string]int
	keys   map[string]key             // OpenTelemetry and ECS names
	reader [numFormats]map[string]int // names of the other formats
	prefix map[string]bool            // parents of ECS fields: "source" of "source.ip"
	known  known
	ofHost []int // the fields of the host itself
}

var loadTable = sync.OnceValue(func() *table {
	t := &table{byName: map[string]int{}, keys: map[string]key{}, prefix: map[string]bool{}}
	official := readECS(ecsText)
	otel := map[string]int{}
	for _, line := range lines(fieldsText) {
		t.addRow(strings.Fields(line), official, otel)
	}
	for _, f := range official.order {
		if _, done := t.byName[f]; !done {
			k := official.kind[f]
			t.add(field{name: f, kind: k.kind, list: k.list, ecs: true})
		}
	}
	for name, values := range official.values {
		f := &t.fields[t.id(name)]
		if k, named := kindNames[values[0]]; named && len(values) == 1 {
			f.inECS = k
			continue
		}
		f.inECS = kindEnum
		f.values = map[string]string{}
		for _, v := range values {
			f.values[strings.ToLower(v)] = v
		}
	}
	for name, f := range otel { // an ECS name wins over the same name of OpenTelemetry
		if _, taken := t.keys[name]; !taken {
			t.keys[name] = key{field: f}
		}
	}
	for name, m := range marks {
		k, ok := t.keys[name]
		if !ok {
			k.field = -1
		}
		k.mark = m
		t.keys[name] = k
	}
	for i := range t.fields {
		f := &t.fields[i]
		f.domain = -1
		if strings.HasPrefix(f.name, "host.") {
			t.ofHost = append(t.ofHost, i)
		}
		if parent, ok := strings.CutSuffix(f.name, ".name"); ok {
			if d, ok := t.byName[parent+".domain"]; ok {
				f.domain = d
			}
		}
		for p := f.name; f.ecs; {
			i := strings.LastIndexByte(p, '.')
			if i < 0 {
				break
			}
			p = p[:i]
			t.prefix[p] = true
		}
	}
	for f := range numFormats {
		t.reader[f] = t.compileReader(f)
	}
	t.known = newKnown(t)
	return t
})

// lines returns the lines of a table that are neither empty nor comments.
func lines(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			out = append(out, line)
		}
	}
	return out
}

func (t *table) add(f field) int {
	id := len(t.fields)
	t.fields = append(t.fields, f)
	t.byName[f.name] = id
	t.keys[f.name] = key{field: id}
	return id
}

func (t *table) addRow(row []string, official *ecsFields, otel map[string]int) {
	f := field{name: row[0]}
	k, ok := official.kind[row[0]]
	f.kind, f.list, f.ecs = k.kind, k.list, ok
	if row[1] != "-" {
		f.kind = kindOf(row[1])
	}
	var aliases []string
	if rest, ok := strings.CutPrefix(f.name, "winlog.event_data."); ok { // as the receiver for Windows names it
		aliases = append(aliases, "event_data."+rest)
	}
	for _, cell := range row[2:] {
		format, text, _ := strings.Cut(cell, "=")
		if format == "otel" {
			aliases = append(aliases, strings.Split(text, ",")...)
			continue
		}
		if format == "ecs" {
			f.inECS = kindOf(text)
			continue
		}
		target, err := Parse(format)
		if err != nil {
			panic(fmt.Sprintf("fields.txt: %s: unknown column %q", row[0], format))
		}
		f.cells[target] = text
	}
	id := t.add(f)
	for _, a := range aliases {
		if _, taken := otel[a]; !taken {
			otel[a] = id
		}
	}
}

// id returns the number of a field that the code knows by name.
func (t *table) id(name string) int {
	id, ok := t.byName[name]
	if !ok {
		panic("fieldformat: no field " + name)
	}
	return id
}

// ecsFields are the official fields with their types.
type ecsFields struct {
	order  []string
	kind   map[string]ecsKind
	values map[string][]string
}

type ecsKind struct {
	kind kind
	list bool
}

func readECS(text string) *ecsFields {
	e := &ecsFields{kind: map[string]ecsKind{}, values: map[string][]string{}}
	for _, line := range lines(text) {
		if names, values, ok := strings.Cut(line, " ~ "); ok {
			for _, name := range strings.Fields(names) {
				e.values[name] = strings.Split(values, "|")
			}
			continue
		}
		parents, leaves, _ := strings.Cut(line, " = ")
		for _, parent := range strings.Fields(parents) {
			for _, leaf := range strings.Fields(leaves) {
				leaf, typ, _ := strings.Cut(leaf, ":")
				name, list := strings.CutSuffix(leaf, "[]")
				if parent != "." {
					name = parent + "." + name
				}
				k := kindText
				if typ != "" {
					k = kindOf(typ)
				}
				e.order = append(e.order, name)
				e.kind[name] = ecsKind{k, list}
			}
		}
	}
	return e
}

// An alternative is one possible place in a cell of the table.
type alternative struct {
	classes   []string
	path      string
	kind      kind // kindNone: the field's own
	arg       string
	writeOnly bool
	carriedBy string // the field that takes this value along
}

// parseCell reads a cell: places, each a list of alternatives. The grammar is in fields.txt.
func parseCell(cell string) [][]alternative {
	var places [][]alternative
	for place := range strings.SplitSeq(cell, ",") {
		if place == "" {
			continue
		}
		var alts []alternative
		for text := range strings.SplitSeq(place, "|") {
			var a alternative
			if rest, ok := strings.CutPrefix(text, ">"); ok {
				a.writeOnly, text = true, rest
			}
			if classes, rest, ok := strings.Cut(text, ":"); ok {
				a.classes, text = strings.Split(classes, "+"), rest
			}
			if rest, ok := strings.CutPrefix(text, ">"); ok {
				a.writeOnly, text = true, rest
			}
			if rest, ok := strings.CutPrefix(text, "@"); ok {
				a.carriedBy = rest
			} else {
				path, k, override := strings.Cut(text, "!")
				a.path = path
				if override {
					a.kind, a.arg = parseKind(k)
				}
			}
			alts = append(alts, a)
		}
		places = append(places, alts)
	}
	return places
}

// compileReader turns the column of a format round: from its names to fields.
func (t *table) compileReader(f Format) map[string]int {
	names := map[string]int{}
	for id := range t.fields {
		for _, place := range parseCell(t.fields[id].cells[f]) {
			for _, a := range place {
				name := barePath(a.path)
				if _, taken := names[name]; name == "" || taken || a.writeOnly {
					continue
				}
				names[name] = id
			}
		}
	}
	for name, to := range readAlso[f] {
		if id, ok := t.byName[to]; ok { // a field goes before a name of the format that looks like one
			names[name] = id
			continue
		}
		if id, ok := names[to]; ok {
			names[name] = id
			continue
		}
		names[name] = t.id(to)
	}
	if f == CEF {
		for full, short := range cefShort {
			if _, taken := names[full]; !taken && names[short] != 0 {
				names[full] = names[short]
			}
		}
	}
	return names
}

// barePath is a path without the marks of arrays, as it is found in a record.
func barePath(path string) string {
	for {
		i := strings.IndexByte(path, '[')
		if i < 0 {
			return path
		}
		j := i + strings.IndexByte(path[i:], ']')
		if key := path[i+1 : j]; key != "" && key != "*" {
			return "" // hashes[md5] is found by its algorithm, not by its name
		}
		path = path[:i] + path[j+1:]
	}
}
