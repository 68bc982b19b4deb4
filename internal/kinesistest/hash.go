// SPDX-License-Identifier: Apache-2.0

package kinesistest

import (
	"crypto/md5"
	"math/big"
	"math/bits"
)

// hashKey is a point of the 128-bit space that the shards of a stream divide.
type hashKey struct{ hi, lo uint64 }

var maxHashKey = hashKey{^uint64(0), ^uint64(0)}

// hashOf is the hash key of a partition key: its MD5, big endian.
func hashOf(partitionKey []byte) hashKey {
	sum := md5.Sum(partitionKey)
	var h hashKey
	for i := range 8 {
		h.hi = h.hi<<8 | uint64(sum[i])
		h.lo = h.lo<<8 | uint64(sum[i+8])
	}
	return h
}

// parseHashKey reads a decimal hash key; it is false where the number is none
// or does not fit.
func parseHashKey(s string) (hashKey, bool) {
	var h hashKey
	if s == "" || len(s) > 39 {
		return h, false
	}
	for i := range len(s) {
		d := s[i] - '0'
		if d > 9 {
			return h, false
		}
		hiHi, hi := bits.Mul64(h.hi, 10)
		loHi, lo := bits.Mul64(h.lo, 10)
		lo, carry := bits.Add64(lo, uint64(d), 0)
		hi, over := bits.Add64(hi, loHi, carry)
		if hiHi != 0 || over != 0 {
			return h, false
		}
		h = hashKey{hi, lo}
	}
	return h, true
}

func (h hashKey) less(o hashKey) bool {
	return h.hi < o.hi || h.hi == o.hi && h.lo < o.lo
}

func (h hashKey) next() hashKey {
	lo, carry := bits.Add64(h.lo, 1, 0)
	return hashKey{h.hi + carry, lo}
}

func (h hashKey) prev() hashKey {
	lo, borrow := bits.Sub64(h.lo, 1, 0)
	return hashKey{h.hi - borrow, lo}
}

func (h hashKey) big() *big.Int {
	n := new(big.Int).SetUint64(h.hi)
	return n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(h.lo))
}

func (h hashKey) String() string { return h.big().String() }

// evenly gives the first hash key of each of n shards of the same size.
func evenly(n int) []hashKey {
	width := new(big.Int).Lsh(big.NewInt(1), 128)
	width.Div(width, big.NewInt(int64(n)))
	starts := make([]hashKey, n)
	mask := new(big.Int).SetUint64(^uint64(0))
	for i := range starts {
		at := new(big.Int).Mul(width, big.NewInt(int64(i)))
		starts[i] = hashKey{new(big.Int).Rsh(at, 64).Uint64(), new(big.Int).And(at, mask).Uint64()}
	}
	return starts
}
