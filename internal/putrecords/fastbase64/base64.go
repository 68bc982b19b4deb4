// SPDX-License-Identifier: Apache-2.0

// Package fastbase64 encodes standard base64 several times faster than
// encoding/base64, in which it was a fifth of what sending a record costs.
package fastbase64

import (
	"encoding/base64"
	"encoding/binary"
	"slices"
)

// pairs holds, for each 12 bits of input, the two characters they become, the
// first one in the low byte. With it, 6 bytes of input take four look-ups in
// 8 KiB and one store.
var pairs = func() (t [1 << 12]uint16) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for i := range t {
		t[i] = uint16(alphabet[i>>6]) | uint16(alphabet[i&63])<<8
	}
	return t
}()

// Append appends the base64 encoding of src, with padding, to dst.
func Append(dst, src []byte) []byte {
	n := base64.StdEncoding.EncodedLen(len(src))
	dst = slices.Grow(dst, n)
	out := dst[len(dst) : len(dst)+n]
	// Eight bytes are read for the six that are used, hence the bound.
	for len(src) >= 8 && len(out) >= 8 {
		v := binary.BigEndian.Uint64(src)
		binary.LittleEndian.PutUint64(out,
			uint64(pairs[v>>52])|
				uint64(pairs[v>>40&0xfff])<<16|
				uint64(pairs[v>>28&0xfff])<<32|
				uint64(pairs[v>>16&0xfff])<<48)
		src, out = src[6:], out[8:]
	}
	base64.StdEncoding.Encode(out, src)
	return dst[:len(dst)+n]
}
