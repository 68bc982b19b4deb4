// SPDX-License-Identifier: Apache-2.0

package fieldformat

import (
	"crypto/sha256"
	"encoding/hex"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/jsontext"
)

// An Encoder writes records in one format. It is not safe for concurrent use: every worker has its own.
type Encoder struct {
	format Format
	opts   Options
	table  *table
	target *target
	plans  *[numClasses]*plan

	patterns patterns
	lesson   *lesson // while a record is translated to make a pattern of it

	resource []stored // attributes of the resource and the scope, resolved once for many records
	resolved []stored // the memory for them, unless they are those of a source
	fromName string   // scope name and version
	fromVer  string
	source   pcommon.Map // of the resource, for ids
	scope    pcommon.Map // of the scope, likewise

	// What follows belongs to one record and is reused for the next.
	vals    []val // by field, where slots says so
	slots   bitset
	carrier bitset // user names that are written with their domain
	bag     []val  // what has no place, under its own name
	own     []val  // a record that is in the target format already: its values under their names there
	ev      event
	shape   Format // the format that the record came in, or none
	record  plog.LogRecord
	origin  string // where values come from now: prefix of those that lose against others
	now     bool   // values go to e.resource

	plan    *plan
	out     []val   // by leaf, where set says so
	from    []int32 // by leaf: the field it comes from, or -1
	set     bitset
	soft    bitset   // set by default only: whatever else comes replaces it
	placing int32    // the field that is being placed, or -1
	arena   []byte   // texts made for this record
	spans   []string // the keys of the bag that are written
	keys    map[string]bagKey

	scratch         []byte
	noted           val                 // a value that is written in another notation than it has
	members         []jsontext.Member   // of the maps that are being read
	pairs, labelled []pair              // of a line
	actions         map[string]activity // what names of actions were found to mean
}

// stored is a value that is put into every record of a resource.
type stored struct {
	field int // -1: it goes to the bag
	val   val
}

type bitset []uint64

func newBitset(n int) bitset    { return make(bitset, (n+63)/64) }
func (b bitset) has(i int) bool { return b[i>>6]&(1<<(i&63)) != 0 }
func (b bitset) add(i int)      { b[i>>6] |= 1 << (i & 63) }
func (b bitset) drop(i int)     { b[i>>6] &^= 1 << (i & 63) }

// anyIn tells whether a bit from s.lo to below s.hi is set.
func (b bitset) anyIn(s span) bool {
	for i := int(s.lo); i < int(s.hi); {
		w := b[i>>6] >> (i & 63)
		left := int(s.hi) - i
		if left < 64 {
			w &= 1<<left - 1
		}
		if w != 0 {
			return true
		}
		i = (i>>6 + 1) << 6
	}
	return false
}

// A target is what is peculiar to a format.
type target struct {
	layout *layout
	time   func(dst []byte, unixNano int64) []byte // how a time is written as a JSON value
	// begin fills the places that the record's fields must not take; finish those that are still empty and need not
	// be. finish returns false when the class needs something that the record does not have.
	begin  func(*Encoder)
	finish func(*Encoder) bool
	write  func(e *Encoder, dst []byte) []byte
}

var targets [numFormats]*target

// New returns an encoder for a format.
func New(f Format, o Options) *Encoder {
	t := loadTable()
	plans := &[numClasses]*plan{}
	most := 0
	for c := range numClasses {
		if f == ECS && c > 0 { // it has one shape for all classes
			plans[c] = plans[0]
			continue
		}
		plans[c] = compile(t, f, targets[f].layout, c)
		most = max(most, len(plans[c].leaves))
	}
	e := &Encoder{format: f, opts: o, table: t, target: targets[f], plans: plans}
	e.patterns.library = newLibrary()
	e.alloc(most)
	return e
}

func (e *Encoder) alloc(leaves int) {
	n := len(e.table.fields)
	e.vals, e.slots, e.carrier = make([]val, n), newBitset(n), newBitset(n)
	e.out, e.from, e.set, e.soft = make([]val, leaves), make([]int32, leaves), newBitset(leaves), newBitset(leaves)
	e.source, e.scope = pcommon.NewMap(), pcommon.NewMap()
	e.actions, e.keys = map[string]activity{}, map[string]bagKey{}
	e.patterns.learner.credit = mostCredit / 4
	e.patterns.given = given{resource: e.source, scope: e.scope}
}

// Clone returns an encoder for another worker. It shares the tables and the patterns.
func (e *Encoder) Clone() *Encoder {
	c := &Encoder{format: e.format, opts: e.opts, table: e.table, target: e.target, plans: e.plans}
	c.patterns.library = e.patterns.library
	c.alloc(len(e.out))
	return c
}

// Start names the resource and scope of the records that follow, so that their attributes are resolved once.
// Both must stay as they are until the next Start.
func (e *Encoder) Start(resource pcommon.Resource, scope pcommon.InstrumentationScope) {
	e.source, e.scope = resource.Attributes(), scope.Attributes()
	e.fromName, e.fromVer = scope.Name(), scope.Version()
	if e.patterns.start(given{resource: e.source, scope: e.scope, name: e.fromName, version: e.fromVer}) {
		e.resource = e.patterns.source.attributes
		return
	}
	e.resolved = e.resolve(e.resolved[:0], e.source, e.scope)
	e.resource = e.resolved
}

// resolve appends the attributes of a resource and scope as they are put into every record.
func (e *Encoder) resolve(dst []stored, resource, scope pcommon.Map) []stored {
	e.resource, e.now = dst, true
	e.readMap(resource, "", e.table.keys)
	e.readMap(scope, "", e.table.keys)
	e.now = false
	return e.resource
}

// Append appends the record, encoded, to dst: a JSON object or a line, without a line break at its end.
// Records of one resource and scope in a row are cheaper with one Start and AppendRecord for each.
func (e *Encoder) Append(dst []byte, resource pcommon.Resource, scope pcommon.InstrumentationScope, record plog.LogRecord) ([]byte, error) {
	e.Start(resource, scope)
	return e.AppendRecord(dst, record)
}

// AppendRecord appends a record of the resource and scope that Start named. It cannot fail today; the error is there for
// formats that can refuse a record.
func (e *Encoder) AppendRecord(dst []byte, record plog.LogRecord) ([]byte, error) {
	p := &e.patterns
	switch {
	case p.library == nil:
		return e.translate(dst, record), nil
	case p.learner.skip > 0:
		p.learner.skip--
		return e.translate(dst, record), nil
	}
	if out, ok := e.byPattern(dst, record); ok {
		return out, nil
	}
	return e.translateAndLearn(dst, record), nil
}

// translate appends a record by way of the pivot.
func (e *Encoder) translate(dst []byte, record plog.LogRecord) []byte {
	e.reset()
	e.record = record
	e.read(record)
	e.derive()
	e.classify()
	e.separateDevice()
	if e.opts.EventID && !e.slots.has(e.table.known.id) {
		e.derived(e.table.known.id, e.recordID())
	}
	loose := len(e.bag)
	for {
		e.plan = e.plans[e.ev.class]
		clear(e.set)
		clear(e.soft)
		clear(e.carrier)
		e.placing = -1
		e.target.begin(e)
		e.placeAll()
		if e.target.finish(e) || e.ev.class == classGeneric {
			break
		}
		e.fallBack()
		e.bag = e.bag[:loose]
		e.toBag(e.ev.override)
	}
	return e.target.write(e, dst)
}

func (e *Encoder) reset() {
	clear(e.slots)
	e.bag, e.own, e.arena = e.bag[:0], e.own[:0], e.arena[:0]
	e.shape = none
	e.ev = event{severity: unknownSeverity}
}

// since is the text written to the arena from a mark on. The arena is written only at its end while the text lives, so
// the text needs no copy; when the arena grows, the text keeps the memory it is in.
func (e *Encoder) since(mark int) string {
	return textOf(e.arena[mark:])
}

// textOf is a text that lives as long as its bytes stay as they are.
func textOf(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// store puts a value into the slot of its field. What is there already wins; another value goes to the bag.
func (e *Encoder) store(f int, v val) {
	if v.typ == typNone {
		return
	}
	if e.now {
		e.resource = append(e.resource, stored{f, v})
		return
	}
	if !e.slots.has(f) {
		e.slots.add(f)
		e.vals[f] = v
		return
	}
	if e.vals[f].same(&v) {
		if e.vals[f].name == "" { // it was derived, and now it is the record's own
			e.vals[f].name = v.name
		}
		return
	}
	v.name = e.origin + v.name
	e.toBag(v)
}

// derived sets a field that follows from others, if it is not set. It is written where there is a place for it, never
// in the bag.
func (e *Encoder) derived(f int, v val) {
	if v.typ != typNone && !e.slots.has(f) {
		v.name = ""
		e.slots.add(f)
		e.vals[f] = v
	}
}

// toBag keeps a value that has no place. Of two with one name and the same value one is enough.
func (e *Encoder) toBag(v val) {
	if v.typ == typNone {
		return
	}
	if e.now {
		e.resource = append(e.resource, stored{-1, v})
		return
	}
	for {
		clash := false
		for i := range e.bag {
			if e.bag[i].name == v.name {
				if e.bag[i].same(&v) {
					return
				}
				clash = true
				break
			}
		}
		if !clash {
			break
		}
		v.name += "_2"
	}
	e.bag = append(e.bag, v)
}

// placeAll puts every field where the plan says, in the order of the table.
func (e *Encoder) placeAll() {
	for w, word := range e.slots {
		for ; word != 0; word &= word - 1 {
			e.place(w<<6 + bits.TrailingZeros64(word))
		}
	}
	e.placing = -1
}

func (e *Encoder) place(f int) {
	v := &e.vals[f]
	e.placing = int32(f)
	result := fitNot
	for i := range e.plan.places[f] {
		p := &e.plan.places[f][i]
		if got := e.try(p, f, v); got == fitYes || got == fitPart && result == fitNot {
			result = got
		}
	}
	if result != fitYes && v.name != "" {
		e.toBag(*v)
	}
}

func (e *Encoder) try(p *place, f int, v *val) fit {
	switch {
	case p.carried >= 0:
		if e.carrier.has(int(p.carried)) && !e.carriesOwn(int(p.carried)) {
			if _, ok := e.plain(v); ok {
				return fitYes
			}
		}
		return fitNot
	case p.fan != nil:
		return e.fan(p, f, v)
	case p.list:
		return e.list(p, f, v)
	}
	if v.takes(p.kind) {
		if !e.put(p.leaf, v) {
			return fitNot
		}
		return fitYes
	}
	if v.typ == typStr { // the words that most records have
		switch p.kind {
		case kindIP6:
			if v.takes(kindIP4) {
				return fitNot
			}
		case kindProtoLower, kindProtoUpper, kindProtoUDM, kindProtoCIM:
			v.look()
			if w := protocolByName[v.str].word(p.kind); w != "" {
				if !e.putText(p.leaf, w) {
					return fitNot
				}
				return fitYes
			}
		}
	}
	if k := &e.table.known; f == k.regPath && (p.kind == kindRegKey || p.kind == kindRegPath) && e.has(k.regValue) && v.typ == typStr {
		if value := &e.vals[k.regValue]; value.typ == typStr { // a place for the key alone
			if key, ok := e.take(step{op: opKeyOf}, v, value); ok == fitYes {
				e.noted = key
				v = &e.noted
			}
		}
	}
	out, ok := e.convert(p.kind, p.arg, f, v)
	if ok == fitNot || !e.put(p.leaf, &out) {
		return fitNot
	}
	if p.kind == kindUserName {
		e.carrier.add(f)
	}
	switch p.kind { // these say something about the value and are not the value
	case kindDomainType, kindUserType, kindIDType, kindConst, kindPathType, kindBigSizeLabel, kindDNSDomain, kindIPVersionBool, kindIPVersionID,
		kindDBID, kindDBName, kindLogonASIM, kindDeviceType, kindFileType, kindRCodeID:
		return fitNot
	case kindShortName:
		if e.testPlain(v, hasDot) {
			return fitNot
		}
	}
	return ok
}

func hasDot(s string) bool { return strings.IndexByte(s, '.') >= 0 }

// carriesOwn tells whether a user name names its domain itself, so that it cannot take another along.
func (e *Encoder) carriesOwn(f int) bool { return e.testPlain(&e.vals[f], namesDomain) }

func namesDomain(user string) bool { return user == "" || strings.ContainsAny(user, `\@`) }

// firstWord asks something of the first of some fields that is set.
func (e *Encoder) firstWord(ask func(string) bool, fields ...int) bool {
	for _, f := range fields {
		if e.has(f) {
			return e.testPlain(&e.vals[f], ask)
		}
	}
	return false
}

// testPlain asks something of a value as text; a list or object is as no text.
func (e *Encoder) testPlain(v *val, ask func(string) bool) bool {
	if v.typ == typStr {
		return e.test(v, ask)
	}
	s, _ := e.plain(v)
	return ask(s)
}

// list puts a value into an array of values, if every one of them fits.
func (e *Encoder) list(p *place, f int, v *val) fit {
	if v.typ != typList {
		out, ok := e.convert(p.kind, p.arg, f, v)
		if ok == fitNot || !e.put(p.leaf, &out) {
			return fitNot
		}
		return ok
	}
	s := v.pv.Slice()
	if s.Len() == 0 {
		return fitNot
	}
	for _, el := range s.All() {
		a := attr(el, "")
		if a.fitsAsIs(p.kind) {
			continue
		}
		if _, ok := e.convert(p.kind, p.arg, f, &a); ok != fitYes || a.typ == typList {
			return fitNot
		}
	}
	out := *v
	out.num = int64(p.kind)
	if !e.put(p.leaf, &out) {
		return fitNot
	}
	return fitYes
}

// fan puts each value of a list into an element of its own.
func (e *Encoder) fan(p *place, f int, v *val) fit {
	if v.typ != typList {
		out, ok := e.convert(p.kind, p.arg, f, v)
		if ok == fitNot || !e.put(p.fan[0], &out) {
			return fitNot
		}
		return ok
	}
	s := v.pv.Slice()
	if s.Len() == 0 {
		return fitNot
	}
	if p.kind == kindAnswers {
		return e.answers(p, f, s)
	}
	if k := &e.table.known; (f == k.subtechniqueID || f == k.subtechniqueName) && !e.subtechniquesAlign() {
		return fitNot
	}
	for _, leaf := range p.fan { // elements are of one source, or their parts would not belong together
		if e.set.has(int(leaf)) {
			return e.among(p, s)
		}
	}
	result := fitYes
	for i, el := range s.All() {
		if i == len(p.fan) {
			return fitPart
		}
		a := attr(el, "")
		out, ok := e.convert(p.kind, p.arg, f, &a)
		if ok == fitNot || !e.put(p.fan[i], &out) {
			result = fitPart
		}
	}
	return result
}

// subtechniquesAlign tells whether each sub-technique belongs to the technique that stands at the same place of its list.
func (e *Encoder) subtechniquesAlign() bool {
	k := &e.table.known
	if !e.has(k.techniqueID) {
		return true
	}
	texts := func(f int) []string {
		v := &e.vals[f]
		if !e.has(f) || v.typ != typList {
			return []string{e.word(f)}
		}
		var list []string
		for _, el := range v.pv.Slice().All() {
			list = append(list, el.AsString())
		}
		return list
	}
	techniques := texts(k.techniqueID)
	for i, sub := range texts(k.subtechniqueID) {
		if i >= len(techniques) || !strings.HasPrefix(sub, techniques[i]+".") {
			return false
		}
	}
	return true
}

// among tells whether every value of a list stands in an element already.
func (e *Encoder) among(p *place, s pcommon.Slice) fit {
	for _, el := range s.All() {
		a := attr(el, "")
		if !slices.ContainsFunc(p.fan, func(leaf int32) bool { return e.set.has(int(leaf)) && e.out[leaf].same(&a) }) {
			return fitNot
		}
	}
	return fitYes
}

// answers puts DNS answers, each an object, into elements of their own. What an element has no place for goes to the bag
// with the whole list.
func (e *Encoder) answers(p *place, f int, s pcommon.Slice) fit {
	if !hasMaps(s) {
		return fitNot
	}
	result := fitYes
	for i, el := range s.All() {
		if i == len(p.fan) || el.Type() != pcommon.ValueTypeMap {
			return fitPart
		}
		base := e.plan.leaves[p.fan[i]].path
		base = base[:strings.LastIndexByte(base, '.')]
		for name, v := range el.Map().All() {
			if name == "data" {
				name = "rdata"
			}
			leaf := e.plan.find(e.dotted(base, name))
			if leaf < 0 && name == "rdata" {
				leaf = e.plan.find(e.dotted(base, "data"))
			}
			a := attr(v, "")
			if leaf < 0 || a.typ == typList {
				result = fitPart
				continue
			}
			if out, ok := e.convert(e.plan.kinds[leaf], "", f, &a); ok != fitYes || !e.put(leaf, &out) {
				result = fitPart
			}
		}
	}
	return result
}

// put sets a leaf. It returns false if something else is there.
func (e *Encoder) put(leaf int32, v *val) bool {
	i := int(leaf)
	if i < 0 || v.typ == typNone || v.typ == typStr && v.str == "" {
		return false
	}
	if e.set.has(i) && !e.soft.has(i) {
		return e.out[i].same(v)
	}
	e.out[i], e.from[i] = *v, e.placing
	e.set.add(i)
	e.soft.drop(i)
	for _, d := range e.plan.leaves[i].implied {
		if !e.set.has(int(d.leaf)) {
			e.out[d.leaf], e.from[d.leaf] = d.value, -1
			e.set.add(int(d.leaf))
			e.soft.add(int(d.leaf))
		}
	}
	return true
}

func (e *Encoder) putText(leaf int32, s string) bool { return e.put(leaf, &val{typ: typStr, str: s}) }

// fill sets a spot that is still empty.
func (e *Encoder) fill(s spot, v val) {
	if i := e.plan.spots[s]; i >= 0 && !e.set.has(int(i)) {
		e.put(i, &v)
	}
}

// force sets a spot whatever is there.
func (e *Encoder) force(s spot, v val) {
	if i := e.plan.spots[s]; i >= 0 {
		e.set.drop(int(i))
		e.put(i, &v)
	}
}

func (e *Encoder) filled(s spot) bool {
	i := e.plan.spots[s]
	return i >= 0 && e.set.has(int(i))
}

// ---- what every envelope needs

// The names of a device that a record does not name.
const (
	defaultVendor  = "OpenTelemetry"
	defaultProduct = "Collector"
	defaultVersion = "0"
)

func (e *Encoder) vendor() string {
	return firstOf(e.word(e.table.known.vendor), e.opts.Vendor, defaultVendor)
}

func (e *Encoder) product() string {
	k := &e.table.known
	return firstOf(e.word(k.product), e.opts.Product, e.word(k.module), e.word(k.serviceName), defaultProduct)
}

func (e *Encoder) version() string {
	k := &e.table.known
	if v := firstOf(e.word(k.version), e.opts.Version); v != "" {
		return v
	}
	if !e.has(k.product, k.module) && e.opts.Product == "" {
		return e.word(k.serviceVersion)
	}
	return ""
}

func firstOf(texts ...string) string {
	for _, s := range texts {
		if s != "" {
			return s
		}
	}
	return ""
}

// eventTime is the time of the event, else the time it was observed, else now.
func (e *Encoder) eventTime() val {
	switch {
	case e.ev.time.typ != typNone:
		return e.ev.time
	case e.ev.observed.typ != typNone:
		return e.ev.observed
	}
	e.spoil()
	return timeVal(time.Now().UnixNano())
}

// recordID is an id that equal records share, and no others.
func (e *Encoder) recordID() val {
	id, _ := e.take(step{op: opFingerprint}, nil, nil)
	return id
}

// fingerprint is 128 bits of a hash over all of the record's content with its resource and scope, as in plain JSON. The time
// at which it was observed counts: equal lines that come one after the other differ in nothing else. Texts are quoted and
// numbers end in a blank, so that no field runs into the next.
func (e *Encoder) fingerprint(r plog.LogRecord) string {
	at := len(e.arena)
	b := jsontext.AppendSortedMap(e.arena, e.source)
	b = jsontext.AppendString(jsontext.AppendString(b, e.fromName), e.fromVer)
	b = jsontext.AppendSortedMap(b, e.scope)
	for _, n := range [...]uint64{uint64(r.Timestamp()), uint64(r.ObservedTimestamp()), uint64(r.SeverityNumber()), uint64(r.Flags())} {
		b = append(strconv.AppendUint(b, n, 10), ' ')
	}
	b = jsontext.AppendString(jsontext.AppendString(b, r.SeverityText()), r.EventName())
	trace, span := r.TraceID(), r.SpanID()
	b = append(append(b, trace[:]...), span[:]...)
	b = append(jsontext.AppendSorted(b, r.Body()), ' ')
	b = jsontext.AppendSortedMap(b, r.Attributes())
	sum := sha256.Sum256(b[at:])
	e.arena = hex.AppendEncode(b[:at], sum[:16])
	return e.since(at)
}
