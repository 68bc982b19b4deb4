// SPDX-License-Identifier: Apache-2.0

package fieldformat

import (
	"encoding/hex"
	"hash/maphash"
	"iter"
	"math"
	"strings"
	"sync/atomic"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/jsontext"
)

// ---- order

// byName yields the values of a map by their names in order, so that what is made of a record does not depend on the order of
// its attributes: some receivers have them in another order each time. What is yielded must not be kept.
func (e *Encoder) byName(m pcommon.Map) iter.Seq2[string, pcommon.Value] {
	return func(yield func(string, pcommon.Value) bool) {
		from := len(e.members)
		e.members = jsontext.AppendMembers(e.members, m)
		for i, to := from, len(e.members); i < to; i++ { // what is within a value is put behind, and taken away again
			if !yield(e.members[i].Key, e.members[i].Value) {
				break
			}
		}
		e.members = e.members[:from]
	}
}

// ---- shape

// A shapeNode is a value in a shape: an attribute, what is nested in it, the body, or a value of a line.
type shapeNode struct {
	name  string
	typ   pcommon.ValueType
	empty bool   // a text without letters, which is like no value
	level *level // of a map: what is in it
}

// decides tells whether there is anything in the value that can decide.
func (n *shapeNode) decides() bool {
	return !n.empty && n.typ != pcommon.ValueTypeEmpty && n.typ != pcommon.ValueTypeMap
}

// A level is a map in a shape.
type level struct {
	names []string // in order
	nodes []int32  // of the names
	came  []int32  // where the names of the first record of the shape are found, one after the other
	table []int32  // by the hash of a name, then the next ones; -1 is nobody
}

// find returns where a name is, or -1.
func (l *level) find(name string) int32 {
	for i := hashName(name); ; i++ {
		at := l.table[int(i)&(len(l.table)-1)]
		if at < 0 || l.names[at] == name {
			return at
		}
	}
}

// hashName tells most names of a record apart.
func hashName(s string) uint32 {
	if s == "" {
		return 0
	}
	return uint32(len(s))*7 + uint32(s[len(s)-1])*31 + uint32(s[len(s)/2])*17 + uint32(s[0])
}

// A shape is what records have in common that have the same names with values of the same types.
type shape struct {
	has   uint8 // which of the slots of the record itself are set
	nodes []shapeNode
	top   *level // the attributes
	body  int    // index of the body in nodes
	line  Format // of the body, if it is a line, whose values follow it
	head  bool   // a syslog header is the first of them
	hash  uint64
	state atomic.Pointer[shapeState]
}

// shapeState is replaced as a whole, so that it is read without a lock.
type shapeState struct {
	deciding []int32               // slots that decided something in any lesson
	patterns map[uint64][]*pattern // by the hash of what decides; several if other values have other forms
}

// newShape finds the shape of a record. It returns nil if no record like it can have a pattern.
func (e *Encoder) newShape(r plog.LogRecord, has uint8) *shape {
	s := &shape{has: has, line: none, hash: e.hashShape(r, has)}
	s.state.Store(&shapeState{patterns: map[uint64][]*pattern{}})
	if s.top = e.newLevel(s, r.Attributes()); s.top == nil {
		return nil
	}
	s.body = len(s.nodes)
	if !e.addNode(s, "", r.Body()) {
		return nil
	}
	if body := r.Body(); body.Type() == pcommon.ValueTypeStr && isLine(body.Str()) {
		l, ok := e.parseLine(body.Str())
		if !ok {
			return nil
		}
		s.line, s.head = l.format, l.head != ""
		if s.head {
			s.nodes = append(s.nodes, shapeNode{typ: pcommon.ValueTypeStr})
		}
		for _, p := range l.pairs {
			s.nodes = append(s.nodes, shapeNode{name: strings.Clone(p.key), typ: pcommon.ValueTypeStr, empty: p.value == ""})
		}
	}
	if len(s.nodes) > maxNodes {
		return nil
	}
	return s
}

// newLevel adds the values of a map to a shape. It returns nil if a name is there twice.
func (e *Encoder) newLevel(s *shape, m pcommon.Map) *level {
	size := 8
	for size < 2*m.Len() {
		size *= 2
	}
	l := &level{table: make([]int32, size)}
	for i := range l.table {
		l.table[i] = -1
	}
	for name, v := range e.byName(m) {
		if l.find(name) >= 0 {
			return nil
		}
		at := int32(len(l.names))
		i := int(hashName(name)) & (size - 1)
		for l.table[i] >= 0 {
			i = (i + 1) & (size - 1)
		}
		l.table[i] = at
		l.names, l.nodes = append(l.names, strings.Clone(name)), append(l.nodes, int32(len(s.nodes)))
		if !e.addNode(s, l.names[at], v) {
			return nil
		}
	}
	for name := range m.All() {
		l.came = append(l.came, l.find(name))
	}
	return l
}

func (e *Encoder) addNode(s *shape, name string, v pcommon.Value) bool {
	n := shapeNode{name: name, typ: v.Type()}
	switch n.typ {
	case pcommon.ValueTypeStr:
		n.empty = v.Str() == ""
	case pcommon.ValueTypeBytes:
		n.empty = v.Bytes().Len() == 0
	}
	at := len(s.nodes)
	s.nodes = append(s.nodes, n)
	if n.typ == pcommon.ValueTypeMap {
		l := e.newLevel(s, v.Map())
		s.nodes[at].level = l
		return l != nil
	}
	return true
}

// hashShape is the hash of the shape that a record has.
func (e *Encoder) hashShape(r plog.LogRecord, has uint8) uint64 {
	body := r.Body()
	h := mix(mix(uint64(has), hashMap(r.Attributes())), hashValue("", body))
	if body.Type() != pcommon.ValueTypeStr || !isLine(body.Str()) {
		return h
	}
	l, _ := e.parseLine(body.Str())
	h = mix(h, uint64(l.format))
	if l.head != "" {
		h = mix(h, 1)
	}
	for _, p := range l.pairs {
		h = mix(h, maphash.String(seed, p.key))
		if p.value == "" {
			h = mix(h, 1)
		}
	}
	return h
}

// hashMap is a sum, so that the order of names does not matter.
func hashMap(m pcommon.Map) (h uint64) {
	for name, v := range m.All() {
		h += hashValue(name, v)
	}
	return mix(h, uint64(m.Len()))
}

func hashValue(name string, v pcommon.Value) uint64 {
	h := mix(maphash.String(seed, name), uint64(v.Type()))
	switch v.Type() {
	case pcommon.ValueTypeStr:
		if v.Str() == "" {
			h = mix(h, 1)
		}
	case pcommon.ValueTypeBytes:
		if v.Bytes().Len() == 0 {
			h = mix(h, 1)
		}
	case pcommon.ValueTypeMap:
		h = mix(h, hashMap(v.Map()))
	}
	return h
}

// valuesOf collects the values of a map in the order of a shape.
func (e *Encoder) valuesOf(values []pcommon.Value, m pcommon.Map) []pcommon.Value {
	for _, v := range e.byName(m) {
		values = append(values, v)
		if v.Type() == pcommon.ValueTypeMap {
			values = e.valuesOf(values, v.Map())
		}
	}
	return values
}

// ---- scan

// hasOf tells which of the slots of the record itself are set. Times before all that count are none.
func hasOf(r plog.LogRecord) (has uint8) {
	if int64(r.Timestamp()) >= earliest {
		has |= 1 << slotTime
	}
	if int64(r.ObservedTimestamp()) >= earliest {
		has |= 1 << slotObserved
	}
	if !r.TraceID().IsEmpty() {
		has |= 1 << slotTrace
	}
	if !r.SpanID().IsEmpty() {
		has |= 1 << slotSpan
	}
	return has
}

// scan takes down the values of a record. It returns false if the record is not of the shape.
func (e *Encoder) scan(s *shape, r plog.LogRecord, has uint8) bool {
	p := &e.patterns
	if has != s.has || r.Attributes().Len() != len(s.top.names) {
		return false
	}
	e.arena = e.arena[:0]
	if n := int(firstValue) + len(s.nodes) + maxSteps; len(p.slots) < n {
		p.slots, p.scans = make([]slot, n), make([]uint32, n)
	}
	p.turn++
	p.slots[slotTime].num, p.slots[slotObserved].num = int64(r.Timestamp()), int64(r.ObservedTimestamp())
	if has&(1<<slotTrace) != 0 {
		id := r.TraceID()
		p.slots[slotTrace].str = e.hex(id[:])
	}
	if has&(1<<slotSpan) != 0 {
		id := r.SpanID()
		p.slots[slotSpan].str = e.hex(id[:])
	}
	if !p.scanMap(s, s.top, r.Attributes()) || !p.scanValue(s, int32(s.body), r.Body()) {
		return false
	}
	return s.nodes[s.body].typ != pcommon.ValueTypeStr || e.scanLine(s, r.Body().Str())
}

// scanMap takes down the values of a map, which has as many as the level.
func (p *patterns) scanMap(s *shape, l *level, m pcommon.Map) bool {
	i := 0
	for name, v := range m.All() {
		at := l.came[i]
		if i++; l.names[at] != name {
			if at = l.find(name); at < 0 {
				return false
			}
		}
		if !p.scanValue(s, l.nodes[at], v) {
			return false
		}
	}
	return true
}

// scanValue takes down a value. It returns false if the value is of another type, or its name was there before.
func (p *patterns) scanValue(s *shape, node int32, v pcommon.Value) bool {
	n, to := &s.nodes[node], &p.slots[firstValue+node]
	if n.typ != v.Type() || p.scans[node] == p.turn {
		return false
	}
	p.scans[node] = p.turn
	switch n.typ {
	case pcommon.ValueTypeStr:
		to.str, to.num = v.Str(), 0
		return n.empty == (to.str == "")
	case pcommon.ValueTypeInt:
		to.str, to.num = "", v.Int()
	case pcommon.ValueTypeDouble:
		to.str, to.num = "", int64(math.Float64bits(v.Double()))
		return finite(v.Double())
	case pcommon.ValueTypeBool:
		to.str, to.num = "", boolVal(v.Bool()).num
	case pcommon.ValueTypeMap:
		*to = slot{}
		m := v.Map()
		return m.Len() == len(n.level.names) && p.scanMap(s, n.level, m)
	case pcommon.ValueTypeBytes:
		*to = slot{pv: v}
		return n.empty == (v.Bytes().Len() == 0)
	case pcommon.ValueTypeSlice:
		*to = slot{pv: v}
	default:
		*to = slot{}
	}
	return true
}

// scanLine takes down the values of a line, if the body shall be one.
func (e *Encoder) scanLine(s *shape, body string) bool {
	if s.line == none {
		return !isLine(body)
	}
	l, ok := e.parseLine(body)
	if !ok || l.format != s.line || s.head != (l.head != "") {
		return false
	}
	slots, i := e.patterns.slots[firstValue:], s.body+1
	if s.head {
		slots[i].str, slots[i].num = l.head, 0
		i++
	}
	for _, p := range l.pairs {
		if i >= len(s.nodes) || s.nodes[i].name != p.key || s.nodes[i].empty != (p.value == "") {
			return false
		}
		slots[i].str, slots[i].num = p.value, 0
		i++
	}
	return i == len(s.nodes)
}

func (e *Encoder) hex(b []byte) string {
	at := len(e.arena)
	e.arena = hex.AppendEncode(e.arena, b)
	return e.since(at)
}

// sameValue tells whether two values are the same in everything, the order of names in maps included. pcommon's Equal is
// more generous.
func sameValue(a, b pcommon.Value) bool {
	if a.Type() != b.Type() {
		return false
	}
	switch a.Type() {
	case pcommon.ValueTypeDouble:
		return math.Float64bits(a.Double()) == math.Float64bits(b.Double())
	case pcommon.ValueTypeSlice:
		x, y := a.Slice(), b.Slice()
		if x.Len() != y.Len() {
			return false
		}
		for i := range x.Len() {
			if !sameValue(x.At(i), y.At(i)) {
				return false
			}
		}
		return true
	case pcommon.ValueTypeMap:
		if a.Map().Len() != b.Map().Len() {
			return false
		}
		next, stop := iter.Pull2(b.Map().All())
		defer stop()
		for name, v := range a.Map().All() {
			other, w, ok := next()
			if !ok || other != name || !sameValue(v, w) {
				return false
			}
		}
		return true
	}
	return a.Equal(b)
}
