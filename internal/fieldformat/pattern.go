// SPDX-License-Identifier: Apache-2.0

package fieldformat

import (
	"bytes"
	"hash/maphash"
	"strings"
	"sync/atomic"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// Records of one source have few shapes, and most of their values only pass through: addresses, ports, counts, names, the
// message. What a record is translated to depends on its shape, the few values that decide something, and for the others on
// their form. A pattern is the translation of one such record with gaps for the values that pass. A record that is the same
// in what decides is written by filling the gaps, at a fraction of the cost.
//
//	scan ──▶ shape ──▶ deciding values ──▶ pattern ──▶ guards, steps ──▶ fill
//	names    same names  same texts and     of the      addresses are     literal pieces
//	and      and types   numbers            library     addresses, …      and values in turn
//	values
//
// Whatever does not fit is translated. A lesson (lesson.go) finds out what decides, and a pattern has to prove itself: until a
// value has been seen to pass where it differs from the lesson's, a record in which it differs is translated as well and both
// have to be the same.

// A slot is a value of a record: of the record itself, of an attribute or the body, or what a step made of them.
type slot struct {
	str string
	num int64
	pv  pcommon.Value // of lists and bytes
}

// The slots of the record itself, which come first.
const (
	slotTime int32 = iota
	slotObserved
	slotTrace
	slotSpan
	firstValue
)

// The most that a pattern can have.
const (
	maxNodes = 256
	maxSteps = 64
)

// A pattern is for the records of one source that have one shape and the same deciding values. All but its proof is
// immutable.
type pattern struct {
	fixed    fixed
	deciding []int32
	decided  []slot // by the order of deciding
	guards   []guard
	steps    []step
	gaps     []gap
	after    []byte

	passing []passing
	tried   atomic.Bool // it has written a record, which was compared
	refuted atomic.Bool
}

// A passing value is one of the record that goes through the pattern.
type passing struct {
	slot   int32
	was    slot         // in the lesson
	proven *atomic.Bool // it was another, and what was written was right
}

// fixed is what always decides.
type fixed struct {
	number         plog.SeverityNumber
	flags          plog.LogRecordFlags
	dropped        uint32
	severity, name string
}

func fixedOf(r plog.LogRecord) fixed {
	return fixed{r.SeverityNumber(), r.Flags(), r.DroppedAttributesCount(), r.SeverityText(), r.EventName()}
}

func (f fixed) clone() fixed {
	f.severity, f.name = strings.Clone(f.severity), strings.Clone(f.name)
	return f
}

// patterns is what an encoder knows of the patterns of its source, and what it does with a record at a time.
type patterns struct {
	library *library  // nil: all records are translated
	source  *source   // of the last Start, nil while it has no patterns
	shape   *shape    // of the last record
	recent  [4]*shape // those of the last records, the last one first
	learner learner
	given   given // what Start was called with

	slots  []slot
	scans  []uint32 // by node: the scan that took it down last
	turn   uint32   // the number of the last scan
	missed uint64   // hash of what decides in a record of p.shape that has no pattern
	fills  int      // since the last check
	value  val      // the one that is being written
	differ []int32  // of the pattern's passing values, those that are to be proven
}

// checkEvery is how many records are filled until one is translated as well, to be sure.
const checkEvery = 4096

var seed = maphash.MakeSeed()

func mix(h, x uint64) uint64 {
	h = (h ^ x) * 0x9e3779b97f4a7c15
	return h ^ h>>29
}

// ---- find

// find returns the patterns that may be for what decides in the record that was scanned, and the hash of that.
func (p *patterns) find(s *shape, state *shapeState, f *fixed) ([]*pattern, uint64) {
	h := mix(s.hash, uint64(f.number)<<32^uint64(f.flags)^uint64(f.dropped)<<40)
	if f.severity != "" {
		h = mix(h, maphash.String(seed, f.severity))
	}
	if f.name != "" {
		h = mix(h, maphash.String(seed, f.name))
	}
	for _, d := range state.deciding {
		v := &p.slots[d]
		switch s.typeOf(d) {
		case pcommon.ValueTypeStr:
			h = mix(h, maphash.String(seed, v.str))
		case pcommon.ValueTypeSlice:
			for _, el := range v.pv.Slice().All() {
				switch el.Type() {
				case pcommon.ValueTypeStr:
					h = mix(h, maphash.String(seed, el.Str()))
				case pcommon.ValueTypeInt:
					h = mix(h, uint64(el.Int()))
				case pcommon.ValueTypeMap:
					h = mix(h, hashFlat(el.Map()))
				}
			}
		case pcommon.ValueTypeBytes:
		default:
			h = mix(h, uint64(v.num))
		}
	}
	return state.patterns[h], h
}

// decidedAlike tells whether what decides is the same as in the lesson.
func (p *patterns) decidedAlike(t *pattern, f *fixed) bool {
	if t.fixed != *f {
		return false
	}
	for i, d := range t.deciding {
		if !p.slots[d].equals(&t.decided[i], p.shape.typeOf(d)) {
			return false
		}
	}
	return true
}

// typeOf is the type of a slot of the record.
func (s *shape) typeOf(i int32) pcommon.ValueType {
	if i < firstValue {
		if i == slotTrace || i == slotSpan {
			return pcommon.ValueTypeStr
		}
		return pcommon.ValueTypeInt
	}
	return s.nodes[i-firstValue].typ
}

func (v *slot) equals(w *slot, typ pcommon.ValueType) bool {
	switch typ {
	case pcommon.ValueTypeStr:
		return v.str == w.str
	case pcommon.ValueTypeSlice, pcommon.ValueTypeBytes:
		return sameValue(v.pv, w.pv)
	}
	return v.num == w.num
}

// admits tells whether the values that pass have the forms that they need, and takes the pattern's steps.
func (e *Encoder) admits(t *pattern) bool {
	slots := e.patterns.slots
	for i := range t.guards {
		if g := &t.guards[i]; !g.admits(&slots[g.slot]) {
			return false
		}
	}
	for i := range t.steps {
		s := &t.steps[i]
		if s.op == opTest {
			if s.test(slots[s.a].str) != (s.fit == fitYes) {
				return false
			}
			continue
		}
		a := val{typ: s.typA, num: slots[s.a].num, str: slots[s.a].str}
		b := val{typ: s.typB, num: slots[s.b].num, str: slots[s.b].str}
		out, ok := s.run(e, &a, &b)
		if ok != s.fit || out.typ != s.typ || out.text != s.text || s.empty != (out.typ == typStr && out.str == "") ||
			out.typ == typFloat && !finite(out.float()) {
			return false
		}
		if slots[s.to].str, slots[s.to].num = out.str, out.num; s.guard.set() && !s.guard.admits(&slots[s.to]) {
			return false
		}
	}
	return true
}

// ---- fill

// byPattern appends a record by its pattern. The second result is false, and nothing is appended, if it has none.
func (e *Encoder) byPattern(dst []byte, r plog.LogRecord) ([]byte, bool) {
	p := &e.patterns
	f := fixedOf(r)
	for _, t := range e.match(r, &f) {
		if !p.decidedAlike(t, &f) || !e.admits(t) {
			continue
		}
		if t.refuted.Load() {
			return e.translate(dst, r), true
		}
		p.learner.hit()
		at := len(dst)
		dst = e.write(dst, t)
		p.findDiffering(t)
		if p.fills++; len(p.differ) == 0 && p.fills < checkEvery && t.tried.Load() {
			return dst, true
		}
		p.fills = 0
		return e.prove(dst, at, t), true
	}
	return dst, false
}

// match scans a record and finds the patterns that may be for it.
func (e *Encoder) match(r plog.LogRecord, f *fixed) []*pattern {
	p := &e.patterns
	p.missed = 0
	if p.source == nil {
		return nil
	}
	has := hasOf(r)
	if p.shape = e.recentShape(r, has); p.shape == nil {
		s := p.source.shape(e.hashShape(r, has))
		if s == nil || !e.scan(s, r, has) {
			return nil
		}
		p.shape = s
		copy(p.recent[1:], p.recent[:])
		p.recent[0] = s
	}
	e.record = r
	var all []*pattern
	all, p.missed = p.find(p.shape, p.shape.state.Load(), f)
	return all
}

// recentShape scans a record by the shapes of the last records, and returns the one that it has, or nil.
func (e *Encoder) recentShape(r plog.LogRecord, has uint8) *shape {
	recent := &e.patterns.recent
	for i, s := range recent {
		if s == nil {
			break
		}
		if e.scan(s, r, has) {
			copy(recent[1:i+1], recent[:i])
			recent[0] = s
			return s
		}
	}
	return nil
}

// write writes the values that were scanned into the gaps.
func (e *Encoder) write(dst []byte, t *pattern) []byte {
	slots, v := e.patterns.slots, &e.patterns.value
	for i := range t.gaps {
		g := &t.gaps[i]
		dst = append(dst, g.before...)
		v.typ, v.text, v.str, v.num = g.typ, g.text, slots[g.slot].str, slots[g.slot].num
		dst = g.write(e, dst, v)
	}
	return append(dst, t.after...)
}

// findDiffering finds the values that have not been seen to pass and are others than those of the lesson.
func (p *patterns) findDiffering(t *pattern) {
	p.differ = p.differ[:0]
	for i := range t.passing {
		v := &t.passing[i]
		if now := &p.slots[v.slot]; (now.num != v.was.num || now.str != v.was.str) && !v.proven.Load() {
			p.differ = append(p.differ, int32(i))
		}
	}
}

// prove translates a record that was filled. If that comes out otherwise, the pattern is not used again.
func (e *Encoder) prove(dst []byte, at int, t *pattern) []byte {
	filled := bytes.Clone(dst[at:])
	dst = e.translate(dst[:at], e.record)
	if !bytes.Equal(dst[at:], filled) {
		t.refuted.Store(true)
		if e.opts.Warn != nil {
			e.opts.Warn("A pattern wrote a record otherwise than its translation. The translation is used from now on; records that " +
				"were written before may be wrong. This is a fault of the exporter: please report it.")
		}
		return dst
	}
	t.tried.Store(true)
	for _, i := range e.patterns.differ {
		t.passing[i].proven.Store(true)
	}
	return dst
}
