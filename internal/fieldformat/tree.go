// SPDX-License-Identifier: Apache-2.0

package fieldformat

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/jsontext"
)

// A tree is a record that arrived in the nested format it leaves in. It is written as it came; what its envelope lacks is
// added. Records that need translation never see a tree.
type tree struct {
	name     string
	value    val // typMap for a branch
	children []*tree
}

// get finds a node by its path.
func (t *tree) get(path string) *tree {
	for name := range strings.SplitSeq(path, ".") {
		if t = t.child(name); t == nil {
			return nil
		}
	}
	return t
}

func (t *tree) child(name string) *tree {
	for _, c := range t.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

// complete adds a value unless something is there.
func (t *tree) complete(path string, v val) { t.insert(path, v) }

// insert puts a value under a dotted path. It returns false if another value is in the way.
func (t *tree) insert(path string, v val) bool {
	for {
		name, rest, more := strings.Cut(path, ".")
		c := t.child(name)
		if !more {
			if c != nil {
				return false
			}
			t.children = append(t.children, &tree{name: name, value: v})
			return true
		}
		switch {
		case c == nil:
			c = &tree{name: name, value: val{typ: typMap}}
			t.children = append(t.children, c)
		case c.value.typ != typMap:
			return false
		}
		t, path = c, rest
	}
}

// add puts a value of the record under its name: dotted names and maps become branches.
func (e *Encoder) add(t *tree, path string, v val) {
	if v.typ == typMap {
		m := v.pv.Map()
		if c := t.get(path); c == nil {
			if !t.insert(path, val{typ: typMap}) {
				e.toBag(v)
				return
			}
		} else if c.value.typ != typMap {
			e.toBag(v)
			return
		}
		branch := t.get(path)
		for name, sub := range e.byName(m) {
			e.addNamed(branch, name, path, sub)
		}
		return
	}
	if !t.insert(path, e.coerce(path, v)) {
		v.name = path
		e.toBag(v)
	}
}

// addNamed adds a value of a nested map, whose names may contain dots that mean nothing.
func (e *Encoder) addNamed(t *tree, name, path string, v pcommon.Value) {
	full := path + "." + name
	a := e.attr(v, full)
	if a.typ == typNone {
		return
	}
	if t.child(name) != nil {
		e.toBag(a)
		return
	}
	if a.typ != typMap {
		t.children = append(t.children, &tree{name: name, value: e.coerce(full, a)})
		return
	}
	branch := &tree{name: name, value: val{typ: typMap}}
	t.children = append(t.children, branch)
	for sub, w := range e.byName(v.Map()) {
		e.addNamed(branch, sub, full, w)
	}
}

// coerce brings a value into the type that its place has, if the table knows the place and the value fits.
func (e *Encoder) coerce(path string, v val) val {
	leaf := e.plan.find(path)
	if leaf < 0 {
		return v
	}
	if k := e.kindAt(leaf); k != kindNone && v.typ != typList {
		if out, ok := e.convert(k, "", 0, &v); ok == fitYes {
			v = out
		}
	}
	if e.plan.leaves[leaf].list && v.typ != typList {
		at := len(e.arena)
		e.arena = append(e.arena, '[')
		e.arena = e.appendJSON(e.arena, &v)
		e.arena = append(e.arena, ']')
		return val{typ: typRaw, str: e.since(at)}
	}
	return v
}

// writeOwn writes a record that was in the target format, completed. Everything else that is known of it goes to the bag.
func (e *Encoder) writeOwn(dst []byte, complete func(*Encoder, *tree), bag string) []byte {
	root := &tree{value: val{typ: typMap}}
	for i := range e.own {
		e.add(root, e.own[i].name, e.own[i])
	}
	complete(e, root)
	for w, word := range e.slots {
		for b := range 64 {
			if f := w<<6 + b; word&(1<<b) != 0 && e.vals[f].name != "" {
				e.toBag(e.vals[f])
			}
		}
	}
	for i := range e.bag {
		holder := root.child(bag)
		if holder == nil {
			holder = &tree{name: bag, value: val{typ: typMap}}
			root.children = append(root.children, holder)
		}
		if holder.value.typ != typMap { // not an object: beside it there is no place
			holder = &tree{name: bag + "_2", value: val{typ: typMap}}
			root.children = append(root.children, holder)
			bag += "_2"
		}
		v := e.bag[i]
		for holder.child(v.name) != nil {
			v.name += "_2"
		}
		holder.children = append(holder.children, &tree{name: v.name, value: v})
	}
	return e.appendTree(dst, root)
}

func (e *Encoder) appendTree(dst []byte, t *tree) []byte {
	if t.value.typ != typMap || t.children == nil && t.value.pv != (pcommon.Value{}) {
		return e.emit(dst, &t.value, (*Encoder).appendJSON)
	}
	dst = append(dst, '{')
	for _, c := range t.children {
		dst = append(jsontext.AppendString(comma(dst), c.name), ':')
		dst = e.appendTree(dst, c)
	}
	return append(dst, '}')
}
