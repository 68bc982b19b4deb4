// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"sync"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/putrecords"
)

// shipment is a request and whose records it carries.
type shipment struct {
	req  *putrecords.Request
	refs []ref // one for each record of req, in order; those of a batch that are sent for the first time come first
}

// ref says whose a record in a request is.
type ref struct {
	batch   *batch
	ordinal int
	waited  *waiting // nil when it is sent for the first time
	paced   bool     // it passed the pace of its full shard
	hash    uint64   // of its key, when it is paced
}

var shipments = sync.Pool{New: func() any { return new(shipment) }}

func (d *Deliverer) newShipment() *shipment {
	s := shipments.Get().(*shipment)
	s.req = d.client.NewRequest()
	return s
}

func (s *shipment) release() {
	s.req.Release()
	clear(s.refs)
	s.req, s.refs = nil, s.refs[:0]
	shipments.Put(s)
}

// addWaiting adds a record that waited. It reports false when it does not fit.
func (s *shipment) addWaiting(w *waiting, paced bool) bool {
	if !s.req.AppendEntry(w.entry) {
		return false
	}
	s.refs = append(s.refs, ref{batch: w.batch, ordinal: w.ordinal, waited: w, paced: paced, hash: w.hash})
	return true
}

// fresh returns how many records are sent for the first time, which are all of one batch.
func (s *shipment) fresh() int {
	n := 0
	for n < len(s.refs) && s.refs[n].waited == nil {
		n++
	}
	return n
}

// wait turns the i-th record into a waiting one, if it is none already.
func (s *shipment) wait(i int, slab *slab) *waiting {
	r := &s.refs[i]
	if r.waited == nil {
		w := slab.next()
		w.entry, w.batch, w.ordinal = s.req.Entry(i), r.batch, r.ordinal
		r.batch.hold(r.ordinal)
		r.waited = w
	}
	return r.waited
}

// hash returns the hash of the key of the i-th record.
func (s *shipment) hash(i int) uint64 {
	switch r := s.refs[i]; {
	case r.paced:
		return r.hash
	case r.waited != nil:
		return r.waited.keyHash()
	default:
		return hashOf(s.req.Key(i))
	}
}

// finish tells the batches of the records for which settled is true that these are in the books.
func (s *shipment) finish(settled func(i int) bool) {
	for i := 0; i < len(s.refs); {
		b, n := s.refs[i].batch, 0
		for ; i < len(s.refs) && s.refs[i].batch == b; i++ {
			if settled(i) {
				n++
			}
		}
		if n > 0 {
			b.finish(n)
		}
	}
}

// halve splits a shipment into two.
func (d *Deliverer) halve(s *shipment) [2]*shipment {
	halves := [2]*shipment{d.newShipment(), d.newShipment()}
	for i, r := range s.refs {
		to := halves[i*2/len(s.refs)]
		to.req.AppendEntry(s.req.Entry(i))
		to.refs = append(to.refs, r)
	}
	return halves
}

// holder turns records into waiting ones.
type holder struct {
	client Client
	batch  *batch
	req    *putrecords.Request // encodes them
	from   []int               // ordinals of those in req
	held   []*waiting
}

func (h *holder) add(r Record) {
	if h.req == nil {
		h.req = h.client.NewRequest()
	}
	if !h.req.Append(r.Data, r.Key) {
		h.flush()
		h.req = h.client.NewRequest()
		h.req.Append(r.Data, r.Key)
	}
	h.from = append(h.from, r.Ordinal)
}

func (h *holder) flush() {
	h.batch.add(len(h.from))
	slab := make(slab, len(h.from))
	for i, ordinal := range h.from {
		h.batch.hold(ordinal)
		w := slab.next()
		w.entry, w.batch, w.ordinal = h.req.Entry(i), h.batch, ordinal
		h.held = append(h.held, w)
	}
	h.from = h.from[:0]
	h.req.Release()
	h.req = nil
}

// end returns all records that were added.
func (h *holder) end() []*waiting {
	if h.req != nil {
		h.flush()
	}
	return h.held
}
