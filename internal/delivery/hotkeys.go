// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"cmp"
	"slices"
	"strings"
)

const (
	hotKeysCount  = 16   // how many keys of a full shard are watched
	hotKeysMemory = 4096 // records after which old ones count half
)

// hotKeys finds the heaviest keys of a shard with a few counters ("space saving", Metwally et al. 2005): a key that
// makes more than one part in hotKeysCount of the records is always among them.
type hotKeys struct {
	total  float64
	counts []HotKey // Share holds counts in here
}

// HotKey is a partition key and its share of the records offered to a shard.
type HotKey struct {
	Key   string
	Share float64
}

// add counts one record.
func (h *hotKeys) add(key string) {
	h.total++
	if h.total > hotKeysMemory {
		h.total /= 2
		for i := range h.counts {
			h.counts[i].Share /= 2
		}
	}
	smallest := 0
	for i := range h.counts {
		if h.counts[i].Key == key {
			h.counts[i].Share++
			return
		}
		if h.counts[i].Share < h.counts[smallest].Share {
			smallest = i
		}
	}
	if len(h.counts) < hotKeysCount {
		h.counts = append(h.counts, HotKey{Key: strings.Clone(key), Share: 1})
		return
	}
	h.counts[smallest].Key = strings.Clone(key)
	h.counts[smallest].Share++
}

// top returns the n heaviest keys with their shares.
func (h *hotKeys) top(n int) []HotKey {
	keys := slices.Clone(h.counts)
	slices.SortFunc(keys, func(a, b HotKey) int { return cmp.Compare(b.Share, a.Share) })
	keys = keys[:min(n, len(keys))]
	for i := range keys {
		keys[i].Share /= h.total
	}
	return keys
}
