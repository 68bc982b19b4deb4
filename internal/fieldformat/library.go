// SPDX-License-Identifier: Apache-2.0

package fieldformat

import (
	"hash/maphash"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// A library holds the patterns of an exporter. Its encoders share it.
type library struct {
	mu      sync.RWMutex
	sources map[uint64]*source
	size    int // bytes, about

	// edition changes when all patterns are given up.
	edition atomic.Int64
}

// maxLibrary is how many bytes all patterns of an exporter may take, about. When they would take more, they are given up:
// what is still of use is soon learnt again.
const maxLibrary = 8 << 20

// maxAlike is how many patterns there may be for the same deciding values.
const maxAlike = 6

// A source is a resource and scope that records are of.
type source struct {
	edition    int64
	resource   ownMap
	scope      ownMap
	name       string
	version    string
	attributes []stored // as Start would resolve them

	mu     sync.RWMutex
	shapes map[uint64]*shape
}

func newLibrary() *library { return &library{sources: map[uint64]*source{}} }

// given is what Start was called with.
type given struct {
	resource, scope pcommon.Map
	name, version   string
	hash            uint64
}

// start finds the source that Start was called with. It returns false if no patterns of it are known.
func (p *patterns) start(g given) bool {
	if p.library == nil {
		return false
	}
	if p.source != nil && p.source.edition == p.library.edition.Load() && p.source.is(&g) {
		g.hash = p.given.hash
		p.given = g
		return true
	}
	g.hash = hashGiven(&g)
	p.given, p.shape = g, nil
	clear(p.recent[:])
	p.source = p.library.source(&g)
	return p.source != nil
}

func hashGiven(g *given) uint64 {
	return mix(mix(hashFlat(g.resource), hashFlat(g.scope)), mix(maphash.String(seed, g.name), maphash.String(seed, g.version)))
}

// hashFlat hashes the names of a map, and those of its values that are texts or numbers, in any order.
func hashFlat(m pcommon.Map) (h uint64) {
	for name, v := range m.All() {
		one := maphash.String(seed, name)
		switch v.Type() {
		case pcommon.ValueTypeStr:
			one = mix(one, maphash.String(seed, v.Str()))
		case pcommon.ValueTypeInt:
			one = mix(one, uint64(v.Int()))
		}
		h += mix(one, 1)
	}
	return h
}

// is tells whether the source is the one that Start was called with.
func (s *source) is(g *given) bool {
	return s.name == g.name && s.version == g.version && s.resource.is(g.resource) && s.scope.is(g.scope)
}

// An ownMap is a copy of the attributes of a resource or scope, in their order.
type ownMap struct {
	names  []string
	values []pcommon.Value
}

func copyMap(m pcommon.Map) (pcommon.Map, ownMap) {
	c, own := pcommon.NewMap(), ownMap{}
	m.CopyTo(c)
	for name, v := range c.All() {
		own.names, own.values = append(own.names, name), append(own.values, v)
	}
	return c, own
}

// is tells whether another map has the same values, in whatever order. Names are there once.
func (o *ownMap) is(m pcommon.Map) bool {
	if m.Len() != len(o.names) {
		return false
	}
	i, ordered := 0, true
	for name, v := range m.All() {
		if name != o.names[i] {
			ordered = false
			break
		}
		if !sameValue(v, o.values[i]) {
			return false
		}
		i++
	}
	if ordered {
		return true
	}
	for i, name := range o.names {
		if v, ok := m.Get(name); !ok || !sameValue(v, o.values[i]) {
			return false
		}
	}
	return true
}

// size is about how many bytes the map takes.
func (o *ownMap) size() (n int) {
	for i, v := range o.values {
		n += 128 + len(o.names[i])
		switch v.Type() {
		case pcommon.ValueTypeStr:
			n += len(v.Str())
		case pcommon.ValueTypeMap, pcommon.ValueTypeSlice, pcommon.ValueTypeBytes:
			n += len(v.AsString())
		}
	}
	return n
}

// once tells whether no name is there twice.
func (o *ownMap) once() bool {
	seen := map[string]bool{}
	for _, name := range o.names {
		if seen[name] {
			return false
		}
		seen[name] = true
	}
	return true
}

// source finds what is known of a resource and scope, or nil.
func (l *library) source(g *given) *source {
	l.mu.RLock()
	s := l.sources[g.hash]
	l.mu.RUnlock()
	if s == nil || !s.is(g) {
		return nil
	}
	return s
}

// addSource makes a source of what Start was called with, unless another encoder has. It returns nil if nothing can be known
// again by it.
func (l *library) addSource(e *Encoder, g *given) *source {
	s := &source{name: strings.Clone(g.name), version: strings.Clone(g.version), shapes: map[uint64]*shape{}}
	var resource, scope pcommon.Map
	resource, s.resource = copyMap(g.resource)
	scope, s.scope = copyMap(g.scope)
	if !s.resource.once() || !s.scope.once() || !s.is(g) {
		return nil
	}
	s.attributes = slices.Clip(e.resolve(nil, resource, scope))
	l.mu.Lock()
	defer l.mu.Unlock()
	if old := l.sources[g.hash]; old != nil && old.is(g) {
		return old
	}
	s.edition = l.edition.Load()
	l.sources[g.hash] = s
	l.grow(1024 + s.resource.size() + s.scope.size() + 128*len(s.attributes))
	return s
}

// grow counts bytes, and gives all patterns up when they are too many. l.mu is held.
func (l *library) grow(bytes int) {
	if l.size += bytes; l.size > maxLibrary {
		l.size = 0
		clear(l.sources)
		l.edition.Add(1)
	}
}

// shape finds the shape of that hash, or nil.
func (s *source) shape(hash uint64) *shape {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.shapes[hash]
}

// add puts a pattern into its shape. Patterns that were made while less was known to decide are given up: they would not be
// found any more.
func (l *library) add(s *source, sh *shape, t *pattern, find func(*shapeState) uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shapes[sh.hash] == nil {
		s.shapes[sh.hash] = sh
	}
	old := sh.state.Load()
	state := &shapeState{deciding: old.deciding, patterns: map[uint64][]*pattern{}}
	for _, d := range t.deciding {
		if !slices.Contains(state.deciding, d) {
			state.deciding = append(slices.Clone(state.deciding), d)
		}
	}
	if len(state.deciding) == len(old.deciding) {
		state.patterns = maps.Clone(old.patterns)
	}
	h := find(state)
	alike := state.patterns[h] // the first that were met are likely those that are met most
	state.patterns[h] = append(slices.Clone(alike[:min(len(alike), maxAlike-1)]), t)
	sh.state.Store(state)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.grow(t.size() + 64*len(sh.nodes))
}

func (t *pattern) size() int {
	n := 512 + len(t.after) + 128*len(t.gaps) + 128*len(t.steps) + 64*len(t.guards) + 48*(len(t.deciding)+len(t.passing))
	for i := range t.gaps {
		n += len(t.gaps[i].before)
	}
	for i := range t.passing {
		n += len(t.passing[i].was.str)
	}
	for i := range t.decided {
		n += len(t.decided[i].str)
		if pv := t.decided[i].pv; pv != (pcommon.Value{}) {
			n += 2 * len(pv.AsString())
		}
	}
	return n
}

// ---- when a lesson is worth it

// A learner decides which records become lessons. A lesson costs a few translations, so it is given to a record whose like
// was seen before, and only as often as the patterns that there are save more than it costs.
type learner struct {
	seen   [64][4]uint64 // hashes of records without a pattern, the last four of each remainder
	credit int
	misses int // in a row
	skip   int // records that are translated without a look for a pattern
}

const (
	lessonCost   = 8    // in records that were filled
	mostCredit   = 1024 // which 128 lessons use up
	freeLesson   = 256  // every so many misses one lesson is free
	missesToSkip = 64   // in a row, after which most records are translated at once
	mostSkipped  = 15
)

// hit notes a record that was filled.
func (l *learner) hit() {
	l.credit = min(l.credit+1, mostCredit)
	l.misses = 0
}

// miss notes a record without a pattern, and tells whether it shall be a lesson.
func (l *learner) miss(hash uint64) bool {
	l.misses++
	if l.misses > missesToSkip {
		l.skip = mostSkipped
	}
	if last := &l.seen[hash%uint64(len(l.seen))]; !slices.Contains(last[:], hash) {
		copy(last[1:], last[:3])
		last[0] = hash
		return false
	}
	switch {
	case l.credit >= lessonCost:
		l.credit -= lessonCost
	case l.misses%freeLesson != 0:
		return false
	}
	return true
}

// translateAndLearn translates a record that has no pattern, and makes one of it if that is worth it.
func (e *Encoder) translateAndLearn(dst []byte, r plog.LogRecord) []byte {
	p := &e.patterns
	has := hasOf(r)
	hash := p.missed
	if p.shape == nil {
		hash = mix(p.given.hash, e.hashShape(r, has))
	}
	if !p.learner.miss(hash) {
		return e.translate(dst, r)
	}
	if p.source != nil && p.source.edition != p.library.edition.Load() { // it was given up
		p.source, p.shape = nil, nil
		clear(p.recent[:])
	}
	s := p.shape
	if s == nil {
		if s = e.newShape(r, has); s == nil {
			return e.translate(dst, r)
		}
	}
	values := e.valuesOf(nil, r.Attributes())
	values = append(values, r.Body())
	if r.Body().Type() == pcommon.ValueTypeMap {
		values = e.valuesOf(values, r.Body().Map())
	}
	e.lesson = newLesson(s, values)
	at := len(dst)
	dst = e.translate(dst, r)
	l := e.lesson
	e.forget()
	if !e.scan(s, r, has) { // again: what was made of the record is gone
		return dst
	}
	for i := range l.gaps {
		l.gaps[i].from -= at
		l.gaps[i].to -= at
	}
	t := l.pattern(e, s, dst[at:])
	if t == nil {
		return dst
	}
	if p.source == nil {
		if p.source = p.library.addSource(e, &p.given); p.source == nil {
			return dst
		}
		e.resource = p.source.attributes
	}
	p.library.add(p.source, s, t, func(state *shapeState) uint64 {
		t.deciding, t.decided = state.deciding, nil
		for _, d := range t.deciding {
			t.decided = append(t.decided, p.slots[d].clone(s.typeOf(d)))
		}
		f := fixedOf(r)
		_, h := p.find(s, state, &f)
		return h
	})
	return dst
}
