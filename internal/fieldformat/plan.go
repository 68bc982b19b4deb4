// SPDX-License-Identifier: Apache-2.0

package fieldformat

import (
	"slices"
	"strconv"
	"strings"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/jsontext"
)

// A plan says for one class of events where every field goes. Its leaves are the possible values of the output in the
// order of the output, so that writing is one walk over those that are set.
type plan struct {
	class  class
	leaves []leaf
	byPath map[string]int32
	spots  []int32   // by spot: its leaf, or -1
	places [][]place // by field
	rules  []rule
	top    map[string]span // the leaves below each name of the top level
	below  map[string]span // the leaves below each path of a branch, and each leaf itself
	both   []node          // names that can hold a value of their own or others below them
	kinds  []kind          // by leaf, kindNone if only code fills it

	// profiles are OCSF's, with the attributes that come with them.
	profiles []profile

	// limited are leaves of CEF and LEEF with a limit of length or a label.
	limited []limited

	// required are the objects that an OCSF class must have, one of each group.
	required [][]span
	// needs are what the event types of UDM must have, one of each group.
	needs map[string][][]span
	// nouns are the leaves that two nouns of UDM have in common.
	nouns map[[2]string][]sameLeaf
}

// A sameLeaf leads from a leaf of one noun to the same of another.
type sameLeaf struct{ from, to int32 }

type profile struct {
	name  string
	spans []span
}

type limited struct {
	leaf  int32
	limit int   // characters; 0 is none
	label int32 // -1 is none
	text  string
}

type leaf struct {
	path  string
	name  string  // last segment
	key   []byte  // its JSON: "name":
	chain []*node // from the outermost parent to the innermost
	list  bool    // an array of values
	// implied are values that must stand beside this one, such as the algorithm of a hash, unless something else is there.
	implied []implied
}

type implied struct {
	leaf  int32
	value val
}

// A node is an object or array between the root and a leaf.
type node struct {
	name     string
	key      string // which element of an array
	open     []byte
	close    byte
	children []*node
	leaf     int32   // -1 unless it is a leaf itself
	chain    []*node // from the outermost parent to this node
	list     bool
	span     span
}

// A span is a range of leaves, from lo to below hi.
type span struct{ lo, hi int32 }

// A place is where a field's value goes.
type place struct {
	leaf    int32
	kind    kind
	arg     string
	list    bool    // an array of values
	fan     []int32 // one leaf for each value of a list
	carried int32   // the field that takes the value along, or -1
}

// A rule is what an object needs to be valid.
type rule struct {
	span span
	any  []span // at least one
	all  []span // each
}

// fanWidth is how many values of a list are spread over elements of their own; a longer list goes to the bag as well.
const fanWidth = 8

// A layout says how a format's plans are made.
type layout struct {
	envelope []string                              // paths that the code fills, in its own numbering: see plan.leaves
	also     []string                              // paths that only a record in the format itself fills
	allowed  func(c class, path string) bool       // which alternative a class can take
	moved    func(c class, path string) string     // where a class has a place of the table
	implied  func(p *plan, path string) []constant // what must stand beside a path's last segment
	rules    map[string]need                       // by name of object
}

type constant struct {
	name  string
	value val
}

type need struct{ any, all []string }

// compile makes the plan of a class. The leaves of the envelope come first in rank, not necessarily in order.
func compile(t *table, f Format, l *layout, c class) *plan {
	p := &plan{class: c, byPath: map[string]int32{}, below: map[string]span{}, places: make([][]place, len(t.fields)), top: map[string]span{}}
	type pending struct {
		field int
		alt   alternative
	}
	var todo []pending
	root := &node{leaf: -1}
	for _, path := range l.envelope {
		if l.allowed == nil || l.allowed(c, path) {
			root.insert(path)
		}
	}
	for id := range t.fields {
		for _, alts := range t.alternatives(id, f) {
			for _, a := range alts {
				if l.moved != nil {
					a.path = l.moved(c, a.path)
				}
				if !a.fits(c) || (a.path != "" && l.allowed != nil && !l.allowed(c, a.path)) {
					continue
				}
				if a.path != "" {
					for _, path := range fanOut(a.path) {
						root.insert(path)
					}
				}
				todo = append(todo, pending{id, a})
				break
			}
		}
	}
	for _, path := range l.also {
		if l.allowed == nil || l.allowed(c, path) {
			root.insert(path)
		}
	}
	if l.implied != nil {
		p.insertImplied(root, "", l)
	}
	p.number(root, nil, "")
	for _, n := range root.children {
		p.top[n.name] = n.span
	}
	p.spots = make([]int32, len(spotPaths))
	for i, path := range spotPaths {
		p.spots[i] = p.find(path)
	}
	p.kinds = make([]kind, len(p.leaves))
	for _, d := range todo {
		pl := place{leaf: -1, carried: -1, kind: d.alt.kind, arg: d.alt.arg}
		if pl.kind == kindNone {
			pl.kind = t.fields[d.field].kind
		}
		if d.alt.carriedBy != "" {
			pl.carried = int32(t.id(d.alt.carriedBy))
		} else {
			paths := fanOut(d.alt.path)
			pl.leaf = p.byPath[paths[0]]
			pl.list = p.leaves[pl.leaf].list
			if len(paths) > 1 {
				for _, path := range paths {
					pl.fan = append(pl.fan, p.byPath[path])
				}
			}
		}
		p.places[d.field] = append(p.places[d.field], pl)
		if pl.leaf >= 0 && p.kinds[pl.leaf] == kindNone && pl.kind != kindAnswers {
			p.kinds[pl.leaf] = pl.kind
			for _, leaf := range pl.fan {
				p.kinds[leaf] = pl.kind
			}
		}
	}
	if f == CEF || f == LEEF || f == CSL {
		limits := map[Format]map[string]int{CEF: cefKeys, LEEF: leefLimited}[f]
		for i := range p.leaves {
			name := p.leaves[i].path
			l := limited{leaf: int32(i), limit: limits[name], label: -1}
			if f != LEEF {
				l.label, l.text = p.find(strings.TrimPrefix(name, "Field")+"Label"), cefLabels[name]
			}
			if l.text == "" {
				l.text = name
			}
			if l.limit > 0 || l.label >= 0 {
				p.limited = append(p.limited, l)
			}
		}
	}
	p.compileRules(root, l)
	if l.implied != nil {
		p.linkImplied(l)
	}
	if f == OCSF {
		p.compileProfiles()
		for _, group := range ocsfClasses[c].required {
			var any []span
			for name := range strings.FieldsSeq(group) {
				if s, ok := p.top[name]; ok {
					any = append(any, s)
				}
			}
			p.required = append(p.required, any)
		}
	}
	if f == UDM {
		p.compileNeeds()
		p.nouns = map[[2]string][]sameLeaf{}
		for _, nouns := range [...][2]string{{"principal", "target"}, {"principal", "observer"}, {"target", "observer"}} {
			for i := range p.leaves {
				if rest, ok := strings.CutPrefix(p.leaves[i].path, nouns[0]+"."); ok {
					if to := p.find(nouns[1] + "." + rest); to >= 0 {
						p.nouns[nouns] = append(p.nouns[nouns], sameLeaf{int32(i), to})
					}
				}
			}
		}
	}
	return p
}

// alternatives returns the cell of a field, which for ECS is the field itself.
func (t *table) alternatives(id int, f Format) [][]alternative {
	if f != ECS {
		return parseCell(t.fields[id].cells[f])
	}
	if !t.fields[id].ecs {
		return nil
	}
	path := t.fields[id].name
	for i := strings.IndexByte(path, '.'); i >= 0; {
		if parent, ok := t.byName[barePath(path[:i])]; ok && t.fields[parent].list && t.fields[parent].kind == kindObject {
			elements := "[]"
			if ecsSpread[t.fields[parent].name] {
				elements = "[*]"
			}
			path = path[:i] + elements + path[i:]
			i += len(elements)
		}
		next := strings.IndexByte(path[i+1:], '.')
		if next < 0 {
			break
		}
		i += 1 + next
	}
	if t.fields[id].list {
		path += "[]"
	}
	return [][]alternative{{{path: path, kind: t.fields[id].inECS}}}
}

// ecsSpread are the arrays of objects in ECS whose fields arrive as lists, one value for each element.
var ecsSpread = map[string]bool{"dns.answers": true, "email.attachments": true}

func (a *alternative) fits(c class) bool {
	return len(a.classes) == 0 || slices.ContainsFunc(a.classes, c.is)
}

// fanOut returns the paths of a[*]: one for each element.
func fanOut(path string) []string {
	before, after, ok := strings.Cut(path, "[*]")
	if !ok {
		return []string{path}
	}
	paths := make([]string, fanWidth)
	for i := range paths {
		paths[i] = before + "[" + strconv.Itoa(i) + "]" + after
	}
	return paths
}

// insert adds a path to the tree and leaves it alone if it is there.
func (n *node) insert(path string) {
	segments := strings.Split(path, ".")
	for i, segment := range segments {
		name, elem, array := strings.Cut(segment, "[")
		n = n.child(name, "")
		switch {
		case !array:
		case elem == "]" && i == len(segments)-1:
			n.list = true
		default:
			n.close = ']'
			n = n.child("", strings.TrimSuffix(elem, "]"))
		}
	}
	n.leaf = 0
}

func (n *node) child(name, key string) *node {
	for _, c := range n.children {
		if c.name == name && c.key == key {
			return c
		}
	}
	c := &node{name: name, key: key, leaf: -1, close: '}'}
	n.children = append(n.children, c)
	return c
}

// number gives the leaves below n their numbers, in the order of the output.
func (p *plan) number(n *node, chain []*node, path string) {
	n.span.lo = int32(len(p.leaves))
	if n.leaf >= 0 && n.name != "" {
		n.leaf = int32(len(p.leaves))
		l := leaf{path: path, name: n.name, key: append(jsontext.AppendString(nil, n.name), ':'), list: n.list}
		if len(chain) > 1 { // without the leaf itself
			parent := chain[len(chain)-2]
			if parent.chain == nil {
				parent.chain = slices.Clone(chain[:len(chain)-1])
			}
			l.chain = parent.chain
		}
		if n.list {
			p.byPath[path+"[]"] = n.leaf
		}
		p.byPath[path] = n.leaf
		p.leaves = append(p.leaves, l)
		defer func() {
			if len(n.children) > 0 {
				p.both = append(p.both, *n)
			}
		}()
	}
	switch {
	case n.name == "" && n.key == "":
		n.open = []byte("{")
	case n.name == "":
		n.open = []byte("{")
	case n.close == ']':
		n.open = append(jsontext.AppendString(nil, n.name), ':', '[')
	default:
		n.open = append(jsontext.AppendString(nil, n.name), ':', '{')
	}
	for _, c := range n.children {
		sub := c.name
		switch {
		case c.name == "":
			sub = path + "[" + c.key + "]"
		case path != "":
			sub = path + "." + c.name
		}
		p.number(c, append(chain, c), sub)
	}
	n.span.hi = int32(len(p.leaves))
	p.below[path] = n.span
}

// insertImplied adds the leaves that must stand beside others.
func (p *plan) insertImplied(n *node, path string, l *layout) {
	for _, c := range slices.Clone(n.children) {
		sub := c.name
		switch {
		case c.name == "":
			sub = path + "[" + c.key + "]"
		case path != "":
			sub = path + "." + c.name
		}
		if len(c.children) > 0 {
			for _, k := range l.implied(p, sub) {
				c.child(k.name, "").leaf = 0
			}
			p.insertImplied(c, sub, l)
		}
	}
}

// linkImplied tells every leaf what it implies: what the objects around it need.
func (p *plan) linkImplied(l *layout) {
	for i := range p.leaves {
		path := p.leaves[i].path
		for end := len(path); ; {
			end = strings.LastIndexAny(path[:end], ".[")
			if end < 0 {
				break
			}
			parent := path[:end]
			if path[end] == '[' {
				j := strings.IndexByte(path[end:], ']')
				parent = path[:end+j+1]
			}
			for _, k := range l.implied(p, parent) {
				if id, ok := p.byPath[parent+"."+k.name]; ok && int(id) != i {
					p.leaves[i].implied = append(p.leaves[i].implied, implied{id, k.value})
				}
			}
		}
	}
}

// compileRules collects what the objects of the tree need, innermost first.
func (p *plan) compileRules(n *node, l *layout) {
	for _, c := range n.children {
		p.compileRules(c, l)
		if len(c.children) == 0 {
			continue
		}
		name := c.name
		if name == "" {
			name = n.name
		} else if c.close == ']' {
			continue // each element has its own
		}
		want, ok := l.rules[name]
		if !ok {
			continue
		}
		r := rule{span: c.span}
		for _, s := range c.children {
			if slices.Contains(want.any, s.name) {
				r.any = append(r.any, s.span)
			}
			if slices.Contains(want.all, s.name) {
				r.all = append(r.all, s.span)
			}
		}
		if len(want.any) > 0 && len(r.any) == 0 || len(r.all) < len(want.all) {
			r.any = []span{{}} // cannot be filled in this class: an empty span holds nothing
		}
		p.rules = append(p.rules, r)
	}
}

// find returns the leaf of a path or -1. It looks a name up: for records there are spots.
func (p *plan) find(path string) int32 {
	if id, ok := p.byPath[path]; ok {
		return id
	}
	return -1
}

// at returns the leaf of a spot or -1.
func (p *plan) at(s spot) int32 { return p.spots[s] }

func (p *plan) compileProfiles() {
	spans := map[string][]span{}
	for name, s := range p.top {
		if profile, ok := ocsfProfiles[name]; ok && !slices.Contains(ocsfNative[name], p.class) {
			spans[profile] = append(spans[profile], s)
		}
	}
	for i := range p.leaves {
		if strings.Contains(p.leaves[i].path, ".container.") {
			spans["container"] = append(spans["container"], span{int32(i), int32(i) + 1})
		}
	}
	for _, name := range [...]string{"cloud", "host", "security_control", "trace", "container"} {
		if len(spans[name]) > 0 {
			p.profiles = append(p.profiles, profile{name, spans[name]})
		}
	}
}

func (p *plan) compileNeeds() {
	p.needs = map[string][][]span{}
	for event, groups := range udmEvents {
		var needs [][]span
		for group := range strings.FieldsSeq(groups) {
			var any []span
			for path := range strings.SplitSeq(group, "|") {
				if noun, ok := udmNouns[path]; ok {
					for _, s := range noun.machine {
						if i := p.at(s); i >= 0 {
							any = append(any, span{i, i + 1})
						}
					}
				} else if s, ok := p.below[path]; ok {
					any = append(any, s)
				}
			}
			needs = append(needs, any)
		}
		p.needs[event] = needs
	}
}
