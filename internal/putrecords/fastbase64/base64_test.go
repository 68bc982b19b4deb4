// SPDX-License-Identifier: Apache-2.0

package fastbase64

import (
	"encoding/base64"
	"math/rand/v2"
	"testing"
)

func FuzzAppend(f *testing.F) {
	rng := rand.New(rand.NewPCG(1, 1))
	for n := range 70 {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		f.Add("head", b)
	}
	f.Fuzz(func(t *testing.T, head string, src []byte) {
		want := head + base64.StdEncoding.EncodeToString(src)
		if got := string(Append([]byte(head), src)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		roomy := append(make([]byte, 0, len(want)+100), head...)
		if got := string(Append(roomy, src)); got != want {
			t.Errorf("with room to spare got %q, want %q", got, want)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	src := make([]byte, 1024)
	for i := range src {
		src[i] = byte(i * 7)
	}
	dst := make([]byte, 0, 2048)
	b.Run("ours", func(b *testing.B) {
		b.SetBytes(int64(len(src)))
		for b.Loop() {
			dst = Append(dst[:0], src)
		}
	})
	b.Run("encoding/base64", func(b *testing.B) {
		b.SetBytes(int64(len(src)))
		for b.Loop() {
			dst = base64.StdEncoding.AppendEncode(dst[:0], src)
		}
	})
}
