// SPDX-License-Identifier: Apache-2.0

package kinesistest

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Fault says which calls go wrong and how. Conditions that are not given always
// hold; those that are given must all hold.
type Fault struct {
	// Op is the operation, default PutRecords. "*" means all, STS's too.
	Op     string
	Stream string // by name

	// If decides on a call. IfEntry decides on the records of a PutRecords
	// call: an effect on entries strikes those it is true for, any other effect
	// strikes a call that has at least one such record. Neither is called from
	// two goroutines at once.
	If      func(Call) bool
	IfEntry func(Entry) bool

	// Share of the calls that are struck or, for an effect on entries, of the
	// entries; 0 means all. The choice is random and follows from Seed and the
	// order of the calls.
	Share float64
	Seed  uint64

	// Times is how many calls, or entries, are struck at most; 0: no limit.
	Times int

	// After and For make a window of time, counted from Fail. For 0: no end.
	After, For time.Duration

	// Do is what becomes of the call or the entry.
	Do Effect
}

// Call is what a Fault's If sees of a call.
type Call struct {
	N       int // counts the calls of this operation, from 1
	Op      string
	Stream  string  // by name; "" before the body is read
	Entries []Entry // of PutRecords and PutRecord; nil before the body is read
	Header  http.Header
}

// Entry is what a Fault sees of a record in a PutRecords request.
type Entry struct {
	Key     string
	Data    []byte // not to be kept
	ShardID string // where it would go now
}

// Effect is what a fault does. Of all faults that strike a call the first
// effect, in order of Fail, that says how the call ends, does; delays add up.
type Effect struct {
	kind    effectKind
	code    string
	message string
	status  int
	body    []byte
	header  http.Header
	n       int
	rewrite func([]byte) []byte
	before  time.Duration
	after   time.Duration
}

type effectKind int

const (
	noEffect     effectKind = iota
	effectDelay             // before the call is carried out, and after
	effectReset             // instead of reading the body
	effectAnswer            // instead of carrying it out, verbatim
	effectRefuse            // instead of carrying it out, as an error of the service
	effectHang              // instead of carrying it out
	effectLose              // after it was carried out
	effectHangTaken
	effectCut
	effectRewrite
	effectEntry // an error code for one entry
)

// Refuse answers with an error of the service: its real status and words. It
// panics when the code is not one of [KinesisErrors] or [STSErrors]; then use
// [Answer].
func Refuse(code string) Effect {
	_, kinesis := kinesisErrors[code]
	_, sts := stsErrors[code]
	if !kinesis && !sts {
		panic(fmt.Sprintf("kinesistest: no error %q in Kinesis or STS", code))
	}
	return Effect{kind: effectRefuse, code: code}
}

// Answer answers with any error code, status and message, in the protocol of
// the request.
func Answer(status int, code, message string) Effect {
	return Effect{kind: effectRefuse, status: status, code: code, message: message}
}

// Raw answers with just these bytes, and the call is not carried out.
func Raw(status int, contentType string, body []byte) Effect {
	h := http.Header{}
	if contentType != "" {
		h.Set("Content-Type", contentType)
	}
	return Effect{kind: effectAnswer, status: status, header: h, body: body}
}

// HTML answers as a proxy or a load balancer does that cannot reach the service.
func HTML(status int) Effect {
	text := fmt.Sprintf("%d %s", status, http.StatusText(status))
	return Raw(status, "text/html", []byte("<html>\r\n<head><title>"+text+"</title></head>\r\n<body>\r\n<center><h1>"+
		text+"</h1></center>\r\n</body>\r\n</html>\r\n"))
}

// Redirect sends the client elsewhere, with status 307.
func Redirect(url string) Effect {
	return Effect{kind: effectAnswer, status: http.StatusTemporaryRedirect, header: http.Header{"Location": {url}}}
}

// Reset resets the connection when the head of the request has been read and
// nothing of its body. Such a fault cannot see the stream or the entries.
func Reset() Effect { return Effect{kind: effectReset} }

// Lose carries the call out and closes the connection instead of answering.
func Lose() Effect { return Effect{kind: effectLose} }

// Hang reads the request and does nothing, until the client gives up.
func Hang() Effect { return Effect{kind: effectHang} }

// HangTaken carries the call out and never answers.
func HangTaken() Effect { return Effect{kind: effectHangTaken} }

// Cut carries the call out, sends the head and so many bytes of the body of the
// answer and closes the connection. Negative: so many bytes less than all.
func Cut(n int) Effect { return Effect{kind: effectCut, n: n} }

// Rewrite carries the call out and sends, well framed, what f makes of the body
// of the answer.
func Rewrite(f func(body []byte) []byte) Effect { return Effect{kind: effectRewrite, rewrite: f} }

// Gzip carries the call out and compresses the answer.
func Gzip() Effect {
	return Effect{kind: effectRewrite, rewrite: compress, header: http.Header{"Content-Encoding": {"gzip"}}}
}

// Delay makes a call slow, before it is carried out (the service takes its
// time) and after (the answer is under way). As with the real service a client
// that has given up does not stop it.
func Delay(before, after time.Duration) Effect {
	return Effect{kind: effectDelay, before: before, after: after}
}

// FailEntry answers single entries with an error code, and does not take them.
func FailEntry(code string) Effect {
	message := ""
	switch code {
	case "InternalFailure":
		message = "Internal Service Failure."
	case codeThroughput:
		message = kinesisErrors[codeThroughput].message
	}
	return Effect{kind: effectEntry, code: code, message: message}
}

// ThrottleEntry answers single entries as a full shard does.
func ThrottleEntry() Effect { return FailEntry(codeThroughput) }

// Fail puts a fault into force. Remove ends it; it may be called at any time.
func (s *Server) Fail(f Fault) (remove func()) {
	if f.Do.kind == noEffect {
		panic("kinesistest: a Fault without Do")
	}
	setDefault(&f.Op, "PutRecords")
	a := &activeFault{Fault: f, from: time.Now().Add(f.After), random: rand.New(rand.NewPCG(f.Seed, 0x5eed))}
	if f.For > 0 {
		a.until = a.from.Add(f.For)
	}
	s.faults.change(func(all []*activeFault) []*activeFault { return append(all, a) })
	return func() {
		s.faults.change(func(all []*activeFault) []*activeFault {
			return slices.DeleteFunc(all, func(o *activeFault) bool { return o == a })
		})
	}
}

// faults are those in force, in the order of Fail.
type faults struct {
	mu  sync.Mutex
	all atomic.Pointer[[]*activeFault]
}

func (fs *faults) change(f func([]*activeFault) []*activeFault) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	all := f(slices.Clone(fs.list()))
	fs.all.Store(&all)
}

func (fs *faults) list() []*activeFault {
	if p := fs.all.Load(); p != nil {
		return *p
	}
	return nil
}

type activeFault struct {
	Fault
	from, until time.Time

	mu     sync.Mutex
	random *rand.Rand
	struck int
}

// matches says whether the fault is about such calls at all. The caller holds mu.
func (f *activeFault) matches(c *Call, now time.Time) bool {
	return (f.Op == "*" || f.Op == c.Op) &&
		(f.Stream == "" || f.Stream == c.Stream) &&
		!now.Before(f.from) && (f.until.IsZero() || now.Before(f.until)) &&
		(f.If == nil || f.If(*c))
}

// strikes draws whether this one, of those that match, is struck.
func (f *activeFault) strikes() bool {
	if f.Times > 0 && f.struck >= f.Times || f.Share > 0 && f.random.Float64() >= f.Share {
		return false
	}
	f.struck++
	return true
}

func (f *activeFault) strikesCall(c *Call, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.matches(c, now) &&
		(f.IfEntry == nil || slices.ContainsFunc(c.Entries, f.IfEntry)) &&
		f.strikes()
}

func (f *activeFault) strikesEntries(c *Call, now time.Time, strike func(i int)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.matches(c, now) {
		return
	}
	for i := range c.Entries {
		if (f.IfEntry == nil || f.IfEntry(c.Entries[i])) && f.strikes() {
			strike(i)
		}
	}
}

// verdict is what all faults together make of a call.
type verdict struct {
	before, after time.Duration
	end           *Effect // nil: carry it out and answer
}

// beforeBody says whether the call is reset at once.
func (fs *faults) beforeBody(c *Call) bool {
	now := time.Now()
	for _, f := range fs.list() {
		if f.Do.kind == effectReset && f.strikesCall(c, now) {
			return true
		}
	}
	return false
}

// onCall judges a call whose body has been read. Faults that end a call and
// come after the one that does are not used up by it.
func (fs *faults) onCall(c *Call) verdict {
	var v verdict
	now := time.Now()
	for _, f := range fs.list() {
		switch f.Do.kind {
		case effectReset, effectEntry:
		case effectDelay:
			if f.strikesCall(c, now) {
				v.before += f.Do.before
				v.after += f.Do.after
			}
		default:
			if v.end == nil && f.strikesCall(c, now) {
				v.end = &f.Do
			}
		}
	}
	return v
}

// onEntries judges the entries of a call that is carried out.
func (fs *faults) onEntries(c *Call, strike func(i int, do *Effect)) {
	now := time.Now()
	for _, f := range fs.list() {
		if f.Do.kind == effectEntry {
			f.strikesEntries(c, now, func(i int) { strike(i, &f.Do) })
		}
	}
}
