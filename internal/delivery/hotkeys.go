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
	hotKeyShare   = 0.05 // from which share on a key is worth naming: below it the keys spread, and there are too few shards
)

// hotKeys finds the heaviest keys of a shard with a few counters ("space saving", Metwally et al. 2005): a key that
// makes more than one part in hotKeysCount of the records is always among them.
type hotKeys struct {
	total  float64
	counts []keyCount
}

// keyCount is how many records had a key, and how many of them may have had another one, whose counter it took over.
type keyCount struct {
	key          string
	count, error float64
}

// HotKey is a partition key and its share of the records offered to a shard.
type HotKey struct {
	Key   string  `json:"partition_key"`
	Share float64 `json:"share"`
}

// add counts one record.
func (h *hotKeys) add(key string) {
	h.total++
	if h.total > hotKeysMemory {
		h.total /= 2
		for i := range h.counts {
			h.counts[i].count /= 2
			h.counts[i].error /= 2
		}
	}
	smallest := 0
	for i := range h.counts {
		if h.counts[i].key == key {
			h.counts[i].count++
			return
		}
		if h.counts[i].count < h.counts[smallest].count {
			smallest = i
		}
	}
	if len(h.counts) < hotKeysCount {
		h.counts = append(h.counts, keyCount{key: strings.Clone(key), count: 1})
		return
	}
	taken := h.counts[smallest].count
	h.counts[smallest] = keyCount{key: strings.Clone(key), count: taken + 1, error: taken}
}

// top returns the n heaviest keys with their shares at least, as far as these are worth naming.
func (h *hotKeys) top(n int) []HotKey {
	var keys []HotKey
	for _, c := range h.counts {
		sure := c.count - c.error
		if share := sure / h.total; sure > 1 && share >= hotKeyShare { // a random key comes once
			keys = append(keys, HotKey{Key: c.key, Share: min(share, 1)})
		}
	}
	slices.SortFunc(keys, func(a, b HotKey) int { return cmp.Compare(b.Share, a.Share) })
	return keys[:min(n, len(keys))]
}
