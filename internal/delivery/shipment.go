// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"sync"

	"github.com/otel-kinesis/amazonkinesisexporter/internal/putrecords"
)

// shipment is a request and whose records it carries.
type shipment struct {
	req  *putrecords.Request
	refs []ref // one for each record of req, in order
}

// ref says whose a record in a request is.
type ref struct {
	batch   *batch
	ordinal int
	paced   bool     // it passed the pace of its full shard
	waited  *waiting // nil when it is sent for the first time
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

// halve splits a shipment into two.
func (d *Deliverer) halve(s *shipment) (first, second *shipment) {
	first, second = d.newShipment(), d.newShipment()
	half := len(s.refs) / 2
	for i, r := range s.refs {
		to := first
		if i >= half {
			to = second
		}
		to.req.AppendEntry(s.req.Entry(i))
		to.refs = append(to.refs, r)
	}
	return first, second
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
	for i, ordinal := range h.from {
		h.batch.add(1)
		h.batch.hold(ordinal)
		h.held = append(h.held, &waiting{entry: h.req.Entry(i), batch: h.batch, ordinal: ordinal})
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
