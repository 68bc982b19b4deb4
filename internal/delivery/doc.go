// SPDX-License-Identifier: Apache-2.0

// Package delivery sees that every record of a batch is delivered, or says why not.
//
//	Deliver ──▶ gate ──▶ fill a request ──▶ PutRecords ──▶ settle      a batch on its way, in its caller's goroutine
//	  │          ▲            ▲                 │
//	  │          │            │ room is left    │ records that failed, were refused by a full shard,
//	  │       collect ────────┘                 │ or whose whole request failed
//	  │          │                              ▼
//	  └──────▶ backlog ◀──────────────────── come back                the dispatcher's goroutine
//	  records whose shard is full
//
// Deliver returns when all records of its batch are settled. A record that has to be sent again leaves its request and
// waits in the backlog, where records of all batches are regrouped into full requests, or go along with new records. So
// no request in flight waits for a backoff, and a full shard holds up only the records that are meant for it.
package delivery
