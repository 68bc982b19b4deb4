// SPDX-License-Identifier: Apache-2.0

package fieldformat

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"sync/atomic"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// A lesson watches one record being translated, to make a pattern of it (see pattern.go).
//
// What may differ between records of a pattern is not declared: it is observed. Every value that is read from the record
// carries its input. Whatever looks at the value says so by look, and then a record of the pattern must have the same value
// there. Code that only asks whether a value has a form says which by one of the guards below, and code that computes a value
// from others leaves a step, to be taken again for every record. So a rule that reads values by int, time, plain, word, same,
// test or convert need not know of lessons; one that reads the text or number of a val itself must call look, which
// TestValuesAreNotReadUnseen holds it to. An input that nothing claimed counts as looked at.
type lesson struct {
	values  []pcommon.Value // of the record, by the order of its shape
	inputs  []*input        // of the record, then of its values, then of the steps
	gaps    []gap
	line    int32 // slot of the first value of a line
	spoiled bool  // the output depends on something that no pattern holds, such as the time of day
}

// An input is where a value comes from: the record itself, one of its values, or a step.
type input struct {
	lesson  *lesson
	slot    int32
	claimed bool
	seen    bool
	guard   guard
	step    *step
	of      [2]*input // what the step starts from
}

// look notes that a value decided something, and with it what it was computed from.
func (in *input) look() {
	if in == nil || in.seen {
		return
	}
	in.seen = true
	if in.step != nil && in.step.op == opFingerprint {
		in.lesson.spoiled = true
	}
	in.of[0].look()
	in.of[1].look()
}

func (v *val) look() { v.in.look() }

// A guard is what a value must be like to pass as another did.
type guard struct {
	slot      int32
	ip4       bool // an IPv4 address
	unblanked bool // a text without blanks
	limited   bool // a text of at most so many bytes
	most      int
	ranged    bool // a number between these
	low, high int64
}

func (g *guard) set() bool { return g.ip4 || g.unblanked || g.limited || g.ranged }

func (g *guard) admits(s *slot) bool {
	switch {
	case g.ip4 && !isIPv4(s.str), g.unblanked && (s.str == "" || hasBlank(s.str)), g.limited && len(s.str) > g.most:
		return false
	}
	return !g.ranged || g.low <= s.num && s.num <= g.high
}

// takes is fitsAsIs with a guard: any value for which that holds goes the same way.
func (v *val) takes(k kind) bool {
	if !v.fitsAsIs(k) {
		return false
	}
	if v.in != nil {
		v.in.guard.add(k, v.in)
	}
	return true
}

func (g *guard) add(k kind, in *input) {
	switch k {
	case kindText, kindOne, kindLabelled, kindUserID, kindLoneName, kindInt, kindTime: // all that come here
	case kindIP, kindIP4:
		g.ip4 = true
	case kindHost, kindURL:
		g.unblanked = true
	case kindUint:
		g.between(0, math.MaxInt64)
	case kindPort:
		g.between(0, math.MaxUint16)
	case kindNat32:
		g.between(0, math.MaxInt32)
	case kindInt32:
		g.between(math.MinInt32, math.MaxInt32)
	default:
		in.look()
	}
}

func (g *guard) between(low, high int64) {
	if !g.ranged {
		g.ranged, g.low, g.high = true, low, high
		return
	}
	g.low, g.high = max(g.low, low), min(g.high, high)
}

// within tells whether a text is not longer than so many bytes. A longer one counts as looked at.
func (v *val) within(limit int) bool {
	if len(v.str) > limit {
		v.look()
		return false
	}
	if v.in != nil && (!v.in.guard.limited || limit < v.in.guard.most) {
		v.in.guard.limited, v.in.guard.most = true, limit
	}
	return true
}

// ---- steps

// A step computes a value from one or two others, or asks something of them.
type step struct {
	op   op
	a, b int32 // slots
	to   int32
	kind kind
	arg  string
	f    int
	test func(string) bool

	// What came of it in the lesson. A record for which anything else comes of it needs a translation.
	fit   fit
	typ   typ
	text  bool
	empty bool
	typA  typ // of what it starts from
	typB  typ
	guard guard
}

type op uint8

const (
	opConvert op = iota
	opTest
	opSame
	opSum
	opBaseName
	opUserName
	opQuery
	opKeyOf
	opFingerprint
)

// pure are the kinds whose conversion depends on the value only, and whose values differ from record to record. The words of
// enumerations are not here: to compare them is cheaper.
var pure = func() (set [numKinds]bool) {
	for _, k := range [...]kind{kindText, kindOne, kindUserID, kindInt, kindInt32, kindNat32, kindUint, kindUint32, kindPort, kindFloat, kindTime,
		kindSeconds, kindMillis, kindMillis32, kindProtoDuration, kindIP, kindIP4, kindIP6, kindMAC, kindHost, kindURL, kindShortName, kindFQDN,
		kindDNSDomain, kindDomainType, kindHash, kindMD5, kindSHA1, kindSHA256, kindSHA512, kindEmail, kindUUID, kindText32, kindText64,
		kindText256, kindText1024, kindLabelled, kindSID, kindNotSID, kindRisk, kindHexID, kindBigSize, kindBigSizeLabel, kindDNSName,
		kindRegKey, kindRegPath, kindLoneName, kindLoneType, kindDomainedType} {
		set[k] = true
	}
	return set
}()

// run takes a step. It returns what comes of it, and how it fits.
func (s *step) run(e *Encoder, a, b *val) (val, fit) {
	switch s.op {
	case opConvert:
		return e.convertValue(s.kind, s.arg, s.f, a)
	case opTest:
		return val{}, fitIf(s.test(a.str))
	case opSame:
		return val{}, fitIf(a.same(b))
	case opSum:
		if a.num < 0 || b.num < 0 || a.num+b.num < 0 {
			return val{}, fitNot
		}
		return intVal(a.num + b.num), fitYes
	case opBaseName:
		return nonEmpty(baseName(a.str))
	case opUserName:
		return e.userName(a, b)
	case opQuery:
		path, _ := e.plain(a)
		query, _ := e.plain(b)
		at := len(e.arena)
		e.arena = append(append(append(e.arena, path...), '?'), strings.TrimPrefix(query, "?")...)
		return strVal(e.since(at)), fitYes
	case opKeyOf:
		key, ok := strings.CutSuffix(a.str, `\`+b.str)
		return when(ok && key != "", key)
	default:
		return strVal(e.fingerprint(e.record)), fitYes
	}
}

func fitIf(ok bool) fit {
	if ok {
		return fitYes
	}
	return fitNot
}

// take takes a step, and notes it if one of the values is of a lesson.
func (e *Encoder) take(s step, a, b *val) (val, fit) {
	if e.lesson == nil {
		return s.run(e, a, b)
	}
	return e.lesson.take(e, s, a, b)
}

func (l *lesson) take(e *Encoder, s step, a, b *val) (val, fit) {
	in := &input{lesson: l, slot: int32(len(l.inputs)), step: &s}
	var plain [2]val
	for i, v := range [...]*val{a, b} {
		if v == nil {
			continue
		}
		plain[i] = *v
		plain[i].in = nil
		in.of[i] = v.in
	}
	out, ok := s.run(e, &plain[0], &plain[1])
	switch {
	case a == nil: // of the whole record
	case in.of[0] == nil && in.of[1] == nil:
		return out, ok // of what all records have
	case b != nil && (in.of[0] == nil || in.of[1] == nil):
		a.look()
		b.look()
		return out, ok
	}
	if in.of[0] != nil {
		s.a = in.of[0].slot
	}
	if in.of[1] != nil {
		s.b = in.of[1].slot
	}
	s.fit, s.typ, s.text, s.empty = ok, out.typ, out.text, out.typ == typStr && out.str == ""
	s.typA, s.typB = plain[0].typ, plain[1].typ
	for _, old := range l.inputs {
		if old.step != nil && old.step.same(&s) {
			in = old
			break
		}
	}
	if in.slot == int32(len(l.inputs)) {
		l.inputs = append(l.inputs, in)
	}
	if ok != fitNot {
		out.in = in
	}
	return out, ok
}

// same tells whether two steps are one, which is not known of questions.
func (s *step) same(t *step) bool {
	return s.op == t.op && s.op != opTest && s.a == t.a && s.b == t.b && s.kind == t.kind && s.arg == t.arg && s.f == t.f
}

// convert brings a value into the form of a kind.
func (e *Encoder) convert(k kind, arg string, f int, v *val) (val, fit) {
	if v.in == nil || k == kindConst {
		return e.convertValue(k, arg, f, v)
	}
	switch d := e.domainOf(f); {
	case k == kindUserName && d == nil:
		k = kindLoneName
	case k == kindUserName && d.in != nil && v.typ != typFloat:
		return e.lesson.take(e, step{op: opUserName}, v, d)
	case k == kindUserType && d == nil:
		k = kindLoneType
	case k == kindUserType:
		k = kindDomainedType
	}
	if !pure[k] {
		v.look()
		return e.convertValue(k, arg, f, v)
	}
	if v.takes(k) || k == kindText && (v.typ == typInt || v.typ == typBool) {
		plain := *v
		plain.in = nil
		out, ok := e.convertValue(k, arg, f, &plain) // the same but for its notation
		out.in = v.in
		return out, ok
	}
	return e.lesson.take(e, step{op: opConvert, kind: k, arg: arg, f: f}, v, nil)
}

// domainOf is the value that qualifies a user's name, or nil.
func (e *Encoder) domainOf(f int) *val {
	if d := e.table.fields[f].domain; d >= 0 && e.slots.has(d) {
		return &e.vals[d]
	}
	return nil
}

// test asks something of a text that two texts may answer alike.
func (e *Encoder) test(v *val, ask func(string) bool) bool {
	if v.in == nil {
		return ask(v.str)
	}
	_, ok := e.lesson.take(e, step{op: opTest, test: ask}, v, nil)
	return ok == fitYes
}

// same tells whether two values say the same, so that one of them can go.
func (v *val) same(w *val) bool {
	if v.typ != w.typ {
		return false
	}
	if v.in != nil && w.in != nil {
		if v.in == w.in {
			return true
		}
		_, ok := v.in.lesson.take(nil, step{op: opSame}, v, w)
		return ok == fitYes
	}
	v.look()
	w.look()
	switch v.typ {
	case typStr, typRaw:
		return v.str == w.str
	case typList, typMap, typBytes:
		return v.pv.Equal(w.pv)
	}
	return v.num == w.num
}

// ---- from the record to its pattern

// newLesson readies a lesson for the record whose values were scanned.
func newLesson(s *shape, values []pcommon.Value) *lesson {
	l := &lesson{values: values, line: firstValue + int32(s.body) + 1}
	inputs := make([]input, int(firstValue)+len(s.nodes))
	for i := range inputs {
		inputs[i].lesson, inputs[i].slot = l, int32(i)
		l.inputs = append(l.inputs, &inputs[i])
	}
	return l
}

// attr makes a val of a value of the record.
func (e *Encoder) attr(v pcommon.Value, name string) val {
	a := attr(v, name)
	if e.lesson != nil && !e.now {
		e.lesson.claim(v, &a)
	}
	return a
}

// claim tells a val which input it is. Lists, maps and bytes are compared as a whole.
func (l *lesson) claim(v pcommon.Value, a *val) {
	i := slices.Index(l.values, v)
	if i < 0 {
		return // an element of a list, which counts as looked at
	}
	in := l.inputs[int(firstValue)+i]
	in.claimed = true
	switch a.typ {
	case typNone:
	case typMap:
		for _, el := range v.Map().All() {
			l.see(el)
		}
	case typList, typBytes:
		in.look()
	default:
		a.in = in
	}
}

// see notes that a value was looked at, with all that is in it.
func (l *lesson) see(v pcommon.Value) {
	if i := slices.Index(l.values, v); i >= 0 {
		l.inputs[int(firstValue)+i].look()
	}
	if v.Type() == pcommon.ValueTypeMap {
		for _, el := range v.Map().All() {
			l.see(el)
		}
	}
}

// input is an input of the record itself, or nil.
func (e *Encoder) input(slot int32) *input {
	if e.lesson == nil {
		return nil
	}
	in := e.lesson.inputs[slot]
	in.claimed = true
	return in
}

// lineInput is the input of a value of a line, or nil.
func (e *Encoder) lineInput(i int) *input {
	if e.lesson == nil {
		return nil
	}
	return e.input(e.lesson.line + int32(i))
}

// spoil says that no pattern can be made of the record.
func (e *Encoder) spoil() {
	if e.lesson != nil {
		e.lesson.spoiled = true
	}
}

// forget ends a lesson. No value of a later record may lead to its inputs.
func (e *Encoder) forget() {
	e.lesson = nil
	clear(e.vals)
	clear(e.out)
	clear(e.bag[:cap(e.bag)])
	clear(e.own[:cap(e.own)])
	e.ev = event{}
}

// A gap is a piece of the output that belongs to an input, with what stands before it.
type gap struct {
	before []byte
	slot   int32
	typ    typ
	text   bool
	write  writer
	from   int // where it was in the output of the lesson
	to     int
}

// A writer writes a value into the output, in the notation of its place.
type writer func(e *Encoder, dst []byte, v *val) []byte

// emit writes a value into the output itself, where it may become a gap.
func (e *Encoder) emit(dst []byte, v *val, write writer) []byte {
	if v.in == nil {
		return write(e, dst, v)
	}
	from, in := len(dst), v.in
	plain := *v
	plain.in = nil
	dst = write(e, dst, &plain)
	e.lesson.gaps = append(e.lesson.gaps, gap{slot: in.slot, typ: v.typ, text: v.text, write: write, from: from, to: len(dst)})
	return dst
}

// pattern makes a pattern of the record, which was scanned and whose translation out is. It returns nil if there can be none.
func (l *lesson) pattern(e *Encoder, s *shape, out []byte) *pattern {
	for i := range s.nodes {
		if in := l.inputs[int(firstValue)+i]; !in.claimed && s.nodes[i].decides() {
			in.look()
		}
	}
	steps := l.inputs[int(firstValue)+len(s.nodes):]
	if l.spoiled || len(steps) > maxSteps {
		return nil
	}
	t := &pattern{fixed: fixedOf(e.record).clone()}
	for i, in := range l.inputs[:int(firstValue)+len(s.nodes)] {
		at := int32(i)
		switch typ := s.typeOf(at); {
		case i >= int(firstValue) && !s.nodes[i-int(firstValue)].decides():
		case in.seen:
			t.deciding = append(t.deciding, at)
		default:
			t.passing = append(t.passing, passing{slot: at, was: e.patterns.slots[i].clone(typ), proven: &atomic.Bool{}})
			if in.guard.set() {
				in.guard.slot = at
				t.guards = append(t.guards, in.guard)
			}
		}
	}
	t.steps = variable(steps)
	out = bytes.Clone(out)
	at := 0
	for _, g := range l.gaps {
		if !l.inputs[g.slot].seen {
			g.before, at = out[at:g.from], g.to
			t.gaps = append(t.gaps, g)
		}
	}
	t.after = out[at:]
	return t
}

// variable are the steps that may come out differently for another record of the pattern, and those that they start from.
func variable(inputs []*input) []step {
	for _, in := range inputs {
		constant := func(in *input) bool { return in == nil || in.seen }
		if in.step.op != opFingerprint && constant(in.of[0]) && constant(in.of[1]) {
			in.seen = true
		}
	}
	needed := map[*input]bool{}
	for _, in := range slices.Backward(inputs) {
		if !in.seen || needed[in] {
			needed[in.of[0]], needed[in.of[1]], needed[in] = true, true, true
		}
	}
	var steps []step
	for _, in := range inputs {
		if needed[in] {
			in.step.to, in.step.guard = in.slot, in.guard
			steps = append(steps, *in.step)
		}
	}
	return steps
}

func (v *slot) clone(typ pcommon.ValueType) slot {
	c := slot{str: strings.Clone(v.str), num: v.num}
	if typ == pcommon.ValueTypeSlice || typ == pcommon.ValueTypeBytes {
		c.str, c.num, c.pv = "", 0, pcommon.NewValueEmpty()
		v.pv.CopyTo(c.pv)
	}
	return c
}
