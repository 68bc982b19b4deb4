// SPDX-License-Identifier: Apache-2.0

package fieldformat

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/jsontext"
)

// Records of one source differ in few values, and most of those only pass through: an address, a port, a count, the
// message. A pattern is the output of one record with gaps where such values stand. A record that is the same but for the
// values that go into the gaps is written by filling them.
//
// What may differ is not declared: it is observed. While a record is translated for a pattern, every value that was read
// from it carries a pointer to its input. Whatever looks at the value marks the input as seen, and then a record needs the
// same value there. Places that only ask for the form of a value note a guard instead. So a rule that comes to look at a
// value through convert, plain, word, same and the like needs to know nothing of patterns; one that reads the text or
// number of a val itself must call look.

// An input is a value of a record while a pattern is made of it: one of its times, its message or an attribute.
type input struct {
	seen      bool  // the value decided something, or was converted
	ip4       bool  // only an IPv4 address goes the same way
	unblanked bool  // only a text without blanks
	most      int   // only a text of so many bytes; 0 is any
	low, high int64 // only such a number
}

// The inputs that are not attributes, which come behind them.
const (
	inputTime = iota
	inputObserved
	inputBody
	inputAttributes
)

// look notes that a value was looked at. It does nothing for a value that is no input.
func (in *input) look() {
	if in != nil {
		in.seen = true
	}
}

// look notes that the text or number of a value decided something.
func (v *val) look() { v.in.look() }

// takes is fitsAsIs with a guard: any value for which that holds goes the same way.
func (v *val) takes(k kind) bool {
	if !v.fitsAsIs(k) {
		return false
	}
	if v.in != nil {
		v.in.guard(k)
	}
	return true
}

func (in *input) guard(k kind) {
	switch k {
	case kindIP, kindIP4:
		in.ip4 = true
	case kindHost, kindURL:
		in.unblanked = true
	case kindUint:
		in.low = max(in.low, 0)
	case kindPort:
		in.low, in.high = max(in.low, 0), min(in.high, 1<<16-1)
	case kindNat32:
		in.low, in.high = max(in.low, 0), min(in.high, 1<<31-1)
	case kindInt32:
		in.low, in.high = max(in.low, -1<<31), min(in.high, 1<<31-1)
	case kindText, kindInt, kindTime:
	default:
		in.seen = true
	}
}

// shorter guards a text that is not over a limit of bytes.
func (in *input) shorter(limit int) {
	if in != nil && (in.most == 0 || limit < in.most) {
		in.most = limit
	}
}

func (in *input) text(s string) bool {
	return s != "" && (in.most == 0 || len(s) <= in.most) && (!in.ip4 || isIPv4(s)) && (!in.unblanked || !hasBlank(s))
}

// A filler says how a value is written into its gap.
type filler uint8

const (
	fillJSON   filler = iota // text as a JSON string
	fillEscape               // text with the escapes of a line
	fillInt
	fillIntText // within quotes
	fillTime
)

// A gap is a piece of the output that belongs to an input, with what stands before it.
type gap struct {
	before  []byte
	input   int
	filler  filler
	escape  *escape
	from    int // in the output of the record that the pattern was made of
	through int
}

// A lesson is a record being translated for a pattern.
type lesson struct {
	inputs  []input
	gaps    []gap
	spoiled bool // the output depends on something that a pattern does not hold
	writing bool // what is appended now is the output
}

// A pattern is for records of one resource and scope.
type pattern struct {
	number              plog.SeverityNumber
	severity, eventName string
	time, observed      int64 // 0 is none
	body                string
	names               []string
	values              []pcommon.Value
	inputs              []input // by attribute behind the others
	gaps                []gap
	after               []byte
}

// maxPatterns is how many patterns an encoder keeps for a resource. Each attempt costs a comparison.
const maxPatterns = 8

// patterns are those of the resource and scope of the last records.
type patterns struct {
	resource pcommon.Resource
	scope    pcommon.InstrumentationScope
	all      []*pattern

	givenResource pcommon.Resource // those of the last Start
	givenScope    pcommon.InstrumentationScope

	last    int // the one that fitted last
	next    int // the one that is given up next
	wait    int // records until the next lesson
	pause   int // and how many that will be after it
	texts   []string
	numbers []int64
}

// Lessons are given ever less often while no record fits, and again more often when one does.
const maxPause = 256

// start forgets the patterns of another resource or scope.
func (p *patterns) start(resource pcommon.Resource, scope pcommon.InstrumentationScope) {
	p.givenResource, p.givenScope = resource, scope
	if len(p.all) > 0 && sameMap(p.resource.Attributes(), resource.Attributes()) && p.scope.Name() == scope.Name() &&
		p.scope.Version() == scope.Version() && sameMap(p.scope.Attributes(), scope.Attributes()) {
		return
	}
	p.all, p.last, p.next = p.all[:0], 0, 0
	p.wait, p.pause = 1, 1 // one record may be all there is of a resource
}

func sameMap(a, b pcommon.Map) bool {
	if a.Len() != b.Len() {
		return false
	}
	names := make([]string, 0, 16)
	values := make([]pcommon.Value, 0, 16)
	for name, v := range a.All() {
		names, values = append(names, name), append(values, v)
	}
	i := 0
	for name, v := range b.All() {
		if name != names[i] || !v.Equal(values[i]) {
			return false
		}
		i++
	}
	return true
}

// due tells whether a pattern shall be made of a record that fits none.
func (p *patterns) due() bool {
	if p.wait > 0 {
		p.wait--
		return false
	}
	p.pause = min(2*p.pause, maxPause)
	p.wait = p.pause
	return true
}

// fill writes a record by a pattern. It says false if none fits.
func (e *Encoder) fillPattern(dst []byte, r plog.LogRecord) ([]byte, bool) {
	p := &e.patterns
	if len(p.all) == 0 || r.Flags() != 0 || r.DroppedAttributesCount() != 0 || !r.TraceID().IsEmpty() || !r.SpanID().IsEmpty() {
		return dst, false
	}
	for n := range p.all {
		if n += p.last; n >= len(p.all) {
			n -= len(p.all)
		}
		if t := p.all[n]; p.fits(t, r) {
			p.last = n
			p.pause = max(p.pause/2, 1)
			p.wait = min(p.wait, p.pause)
			return e.write(dst, t), true
		}
	}
	return dst, false
}

// fits compares a record with a pattern, and takes down what goes into the gaps.
func (p *patterns) fits(t *pattern, r plog.LogRecord) bool {
	if r.SeverityNumber() != t.number || r.SeverityText() != t.severity || r.EventName() != t.eventName {
		return false
	}
	attributes := r.Attributes()
	if attributes.Len() != len(t.names) {
		return false
	}
	at, observed := datedAt(r.Timestamp()), datedAt(r.ObservedTimestamp())
	if in := &t.inputs[inputTime]; (at == 0) != (t.time == 0) || in.seen && at != t.time {
		return false
	}
	if in := &t.inputs[inputObserved]; (observed == 0) != (t.observed == 0) || in.seen && observed != t.observed {
		return false
	}
	p.texts = slices.Grow(p.texts[:0], len(t.inputs))[:len(t.inputs)]
	p.numbers = slices.Grow(p.numbers[:0], len(t.inputs))[:len(t.inputs)]
	p.numbers[inputTime], p.numbers[inputObserved] = at, observed
	i := 0
	for name, v := range attributes.All() {
		if name != t.names[i] || v.Type() != t.values[i].Type() {
			return false
		}
		in := &t.inputs[inputAttributes+i]
		switch v.Type() {
		case pcommon.ValueTypeStr:
			s := v.Str()
			if in.seen {
				if s != t.values[i].Str() {
					return false
				}
			} else if !in.text(s) {
				return false
			}
			p.texts[inputAttributes+i] = s
		case pcommon.ValueTypeInt:
			n := v.Int()
			if in.seen && n != t.values[i].Int() || n < in.low || n > in.high {
				return false
			}
			p.numbers[inputAttributes+i] = n
		default:
			if !v.Equal(t.values[i]) {
				return false
			}
		}
		i++
	}
	body := message(r.Body())
	if body == "" {
		if t.body != "" || r.Body().Type() != pcommon.ValueTypeEmpty {
			return false
		}
	} else if in := &t.inputs[inputBody]; t.body == "" || in.seen && body != t.body || !in.seen && !in.text(body) || isLine(body) {
		return false
	}
	p.texts[inputBody] = body
	return true
}

// datedAt is a time, or 0 if it is before all times that count.
func datedAt(t pcommon.Timestamp) int64 {
	if int64(t) < earliest {
		return 0
	}
	return int64(t)
}

func message(body pcommon.Value) string {
	if body.Type() != pcommon.ValueTypeStr {
		return ""
	}
	return body.Str()
}

// isLine tells whether a message may be a line of CEF or LEEF, which is read in parts.
func isLine(s string) bool { return strings.Contains(s[:min(len(s), 520)], "EF:") }

// write writes the record that p.fits took down.
func (e *Encoder) write(dst []byte, t *pattern) []byte {
	p := &e.patterns
	for i := range t.gaps {
		g := &t.gaps[i]
		dst = append(dst, g.before...)
		switch g.filler {
		case fillJSON:
			dst = jsontext.AppendString(dst, p.texts[g.input])
		case fillEscape:
			dst = g.escape.append(dst, p.texts[g.input])
		case fillInt:
			dst = strconv.AppendInt(dst, p.numbers[g.input], 10)
		case fillIntText:
			dst = append(strconv.AppendInt(append(dst, '"'), p.numbers[g.input], 10), '"')
		case fillTime:
			dst = e.target.time(dst, p.numbers[g.input])
		}
	}
	return append(dst, t.after...)
}

// ---- lessons

// begin readies a lesson for a record, if a pattern can be made of it.
func (e *Encoder) beginLesson(r plog.LogRecord) *lesson {
	body := r.Body()
	if e.opts.EventID || r.Flags() != 0 || r.DroppedAttributesCount() != 0 || !r.TraceID().IsEmpty() || !r.SpanID().IsEmpty() ||
		body.Type() != pcommon.ValueTypeEmpty && (message(body) == "" || isLine(message(body))) {
		return nil
	}
	l := &lesson{inputs: make([]input, inputAttributes+r.Attributes().Len())}
	for i := range l.inputs {
		l.inputs[i].low, l.inputs[i].high = -1<<63, 1<<63-1
	}
	return l
}

// spoil says that no pattern can be made of the record.
func (e *Encoder) spoil() {
	if e.lesson != nil {
		e.lesson.spoiled = true
	}
}

// input is the input of a lesson, or nil.
func (e *Encoder) input(i int) *input {
	if e.lesson == nil {
		return nil
	}
	return &e.lesson.inputs[i]
}

// appendInput writes a value and remembers where, if it goes into a gap.
func (e *Encoder) appendInput(dst []byte, v *val, escape *escape) []byte {
	plain := *v
	plain.in = nil
	from := len(dst)
	if escape != nil {
		dst = e.appendEscaped(dst, &plain, escape)
	} else {
		dst = e.appendJSON(dst, &plain)
	}
	g := gap{escape: escape, from: from, through: len(dst)}
	switch {
	case v.typ == typStr && escape != nil:
		g.filler = fillEscape
	case v.typ == typStr:
		g.filler = fillJSON
	case v.typ == typInt && v.text && escape == nil:
		g.filler = fillIntText
	case v.typ == typInt:
		g.filler = fillInt
	case v.typ == typTime && !v.text:
		g.filler = fillTime
	default:
		v.look()
		return dst
	}
	l := e.lesson
	if l == nil || !l.writing {
		v.look()
		return dst
	}
	for i := range l.inputs {
		if v.in == &l.inputs[i] {
			g.input = i
		}
	}
	l.gaps = append(l.gaps, g)
	return dst
}

// endLesson makes a pattern of the record, whose output out is.
func (e *Encoder) endLesson(r plog.LogRecord, out []byte) {
	l := e.lesson
	e.lesson = nil
	if l.spoiled || len(e.own) > 0 || e.shape != none {
		return
	}
	t := &pattern{number: r.SeverityNumber(), severity: strings.Clone(r.SeverityText()), eventName: strings.Clone(r.EventName()),
		time: datedAt(r.Timestamp()), observed: datedAt(r.ObservedTimestamp()), body: strings.Clone(message(r.Body())), inputs: l.inputs}
	for name, v := range r.Attributes().All() {
		own := pcommon.NewValueEmpty()
		v.CopyTo(own)
		t.names, t.values = append(t.names, strings.Clone(name)), append(t.values, own)
	}
	out = slices.Clone(out)
	at := 0
	for _, g := range l.gaps {
		if t.inputs[g.input].seen {
			continue
		}
		g.before = out[at:g.from]
		at = g.through
		t.gaps = append(t.gaps, g)
	}
	t.after = out[at:]
	p := &e.patterns
	if !p.fits(t, r) || !bytes.Equal(e.write(nil, t), out) {
		return
	}
	if len(p.all) < maxPatterns {
		if len(p.all) == 0 {
			p.resource, p.scope = pcommon.NewResource(), pcommon.NewInstrumentationScope()
			p.givenResource.CopyTo(p.resource)
			p.givenScope.CopyTo(p.scope)
		}
		p.last = len(p.all)
		p.all = append(p.all, t)
		return
	}
	p.last = p.next
	p.all[p.next] = t
	p.next = (p.next + 1) % maxPatterns
}
