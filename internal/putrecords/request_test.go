// SPDX-License-Identifier: Apache-2.0

package putrecords

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

const testARN = "arn:aws:kinesis:eu-central-1:123456789012:stream/logs"

func newTestRequest(p Protocol, stream string) *Request {
	return newRequest(p.wire(), newStreamRef(stream), MaxRecords)
}

func TestBodies(t *testing.T) {
	for _, tt := range []struct {
		name     string
		protocol Protocol
		stream   string
		want     string
	}{
		{"name", JSON, "logs", `{"Records":[{"Data":"b25l","PartitionKey":"a"},{"Data":"","PartitionKey":"\"\u0001é"}],"StreamName":"logs"}`},
		{"ARN", JSON, testARN, `{"Records":[{"Data":"b25l","PartitionKey":"a"},{"Data":"","PartitionKey":"\"\u0001é"}],"StreamARN":"` + testARN + `"}`},
		{"name", CBOR, "logs", "\xa2\x67Records\x82" +
			"\xa2\x64Data\x43one\x6cPartitionKey\x61a" + "\xa2\x64Data\x40\x6cPartitionKey\x64\"\x01é" +
			"\x6aStreamName\x64logs"},
		{"ARN", CBOR, testARN, "\xa2\x67Records\x82" +
			"\xa2\x64Data\x43one\x6cPartitionKey\x61a" + "\xa2\x64Data\x40\x6cPartitionKey\x64\"\x01é" +
			"\x69StreamARN\x78\x35" + testARN},
	} {
		t.Run(string(tt.protocol)+" "+tt.name, func(t *testing.T) {
			r := newTestRequest(tt.protocol, tt.stream)
			defer r.Release()
			require.True(t, r.Append([]byte("one"), "a"))
			require.True(t, r.Append(nil, "\"\x01é"))
			require.Equal(t, tt.want, string(r.seal()))
			require.Equal(t, tt.want, string(r.seal()), "sealed twice")
			require.Equal(t, 2, r.Len())
			require.Equal(t, len("one")+len("a")+len("\"\x01é"), r.Size())
			require.False(t, r.Append([]byte("late"), "b"), "what was sent once takes no more")
		})
	}
}

func TestRequestLimits(t *testing.T) {
	for _, protocol := range []Protocol{JSON, CBOR} {
		t.Run(string(protocol), func(t *testing.T) {
			t.Run("records", func(t *testing.T) {
				c := NewClient(Config{Stream: testStream, Protocol: protocol, MaxRecords: 3})
				r := c.NewRequest()
				defer r.Release()
				fill(t, r, 3)
				require.False(t, r.Append(nil, "k"))
				require.False(t, r.AppendEntry(r.Entry(0)))
				require.Equal(t, 3, r.Len())
			})
			t.Run("500 records unless the configuration says fewer", func(t *testing.T) {
				for _, n := range []int{0, -1, 501} {
					r := NewClient(Config{Stream: testStream, Protocol: protocol, MaxRecords: n}).NewRequest()
					fill(t, r, 500)
					require.False(t, r.Append(nil, "k"))
					r.Release()
				}
			})
			t.Run("bytes", func(t *testing.T) {
				r := newTestRequest(protocol, testStream)
				defer r.Release()
				require.True(t, r.Append(make([]byte, MaxBytes-10), "key"))
				require.False(t, r.Append([]byte("12345"), "key"), "11 bytes too many")
				require.Equal(t, MaxBytes-7, r.Size())
				e := newTestRequest(protocol, testStream)
				defer e.Release()
				require.True(t, e.Append([]byte("12345"), "key"))
				require.True(t, e.Append([]byte("1234"), "key"))
				require.False(t, r.AppendEntry(e.Entry(0)))
				require.True(t, r.AppendEntry(e.Entry(1)), "just full")
				require.Equal(t, MaxBytes, r.Size())
				require.True(t, r.Append(nil, ""))
				require.False(t, r.Append(nil, "k"))
				require.Equal(t, 3, r.Len())
				require.Equal(t, "key", r.Key(1))
			})
			t.Run("a record too large for any request", func(t *testing.T) {
				r := newTestRequest(protocol, testStream)
				defer r.Release()
				require.False(t, r.Append(make([]byte, MaxBytes), "k"))
				require.Zero(t, r.Len())
				require.Zero(t, r.Size())
			})
			t.Run("a key that grows when it is made valid", func(t *testing.T) {
				r := newTestRequest(protocol, testStream)
				defer r.Release()
				require.False(t, r.Append(make([]byte, MaxBytes-2), "\xff"), "U+FFFD has three bytes")
				require.True(t, r.Append(make([]byte, MaxBytes-3), "\xff"))
			})
		})
	}
}

// TestEntries moves records through requests of both protocols and looks at
// them in each.
func TestEntries(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, from := range []Protocol{JSON, CBOR} {
		for _, to := range []Protocol{JSON, CBOR} {
			t.Run(string(from)+" to "+string(to), func(t *testing.T) {
				a := newTestRequest(from, testStream)
				var data [][]byte
				var keys []string
				for i := range 110 {
					data = append(data, randomBytes(rng, []int{0, 1, 2, 3, 23, 24, 255, 256, 65535, 65536, rng.IntN(2000)}[i%11]))
					keys = append(keys, randomKey(rng))
					require.True(t, a.Append(data[i], keys[i]))
				}
				var entries []Entry
				for i := range a.Len() {
					e := a.Entry(i)
					want := string([]rune(keys[i]))
					require.Equal(t, want, e.Key())
					require.Equal(t, want, a.Key(i))
					require.Equal(t, data[i], e.Data())
					require.Equal(t, data[i], a.Data(i))
					require.Equal(t, len(data[i])+len(want), e.Size())
					require.Equal(t, e.Size(), a.EntrySize(i))
					entries = append(entries, e)
				}
				want := bytes.Clone(a.seal())
				a.Release()
				// Entries must not share memory with what is filled now.
				other := newTestRequest(from, testStream)
				for range 110 {
					other.Append(bytes.Repeat([]byte{0xaa}, 3000), "zzzzzzzzzzzzzzzzzzzz")
				}
				defer other.Release()

				b := newTestRequest(to, testStream)
				defer b.Release()
				for _, e := range entries {
					require.True(t, b.AppendEntry(e))
				}
				read := readBodyJSON
				if to == CBOR {
					read = readBodyCBOR
				}
				got := read(t, b.seal())
				require.Len(t, got.Records, len(data))
				for i := range data {
					require.True(t, bytes.Equal(data[i], got.Records[i].Data))
					require.Equal(t, string([]rune(keys[i])), got.Records[i].PartitionKey)
				}
				if from == to {
					require.Equal(t, want, b.seal(), "the same bytes")
				}
			})
		}
	}
}

func TestEncodeAsKeepsKeysValid(t *testing.T) {
	r := newTestRequest(CBOR, testStream)
	defer r.Release()
	fill(t, r, 10)
	key := r.Key(7)
	r.lent = true
	old := r.seal()
	was := string(old)
	r.encodeAs(wireJSON)
	require.False(t, r.lent)
	other := newTestRequest(JSON, testStream)
	defer other.Release()
	for range 10 {
		other.Append([]byte("something else"), "something else")
	}
	require.Equal(t, "key 7", key)
	require.Equal(t, "key 7", r.Key(7))
	require.Equal(t, was, string(old), "a body that may still be read is not written")
	got := readBodyJSON(t, r.seal())
	require.Len(t, got.Records, 10)
	require.Equal(t, "record 7", string(got.Records[7].Data))
	require.Equal(t, "key 7", got.Records[7].PartitionKey)
	require.Equal(t, r.Size(), 10*len("record 0key 0"))
}

func TestReleaseKeepsOnlyWhatIsWorthIt(t *testing.T) {
	kept := func(lent bool, grow, used int) bool {
		r := newTestRequest(JSON, testStream)
		r.body = append(make([]byte, 0, grow), make([]byte, used)...)
		r.lent = lent
		body := r.pooled()
		return cap(body) > 0
	}
	require.True(t, kept(false, keptBody, 0), "a small one, unused")
	require.False(t, kept(false, keptBody+1, keptBody/8), "a large one that held little")
	require.True(t, kept(false, 8*keptBody, 2*keptBody), "a large one that was needed")
	require.False(t, kept(true, keptBody, 100), "one that may still be read")
}

// FuzzRequest holds what is written against the SDK's own serialiser, and CBOR
// against a decoder that is not ours.
func FuzzRequest(f *testing.F) {
	rng := rand.New(rand.NewPCG(5, 6))
	f.Add([]byte(nil), "", []byte("x"), "default", "logs")
	f.Add([]byte{0, 1, 2}, "\xff\xfe", []byte("{\"a\":1}"), "\u2028\u2029<>&\x7f\x00\"\\", testARN)
	f.Add([]byte("y"), strings.Repeat("é", 256), randomBytes(rng, 70000), "\xed\xa0\x80 \xf4\x90\x80\x80", "a")
	for range 20 {
		f.Add(randomBytes(rng, rng.IntN(300)), randomKey(rng), randomBytes(rng, rng.IntN(300)), randomKey(rng), testStream)
	}
	f.Fuzz(func(t *testing.T, d1 []byte, k1 string, d2 []byte, k2 string, stream string) {
		if !utf8.ValidString(stream) {
			return // names of streams are checked where they are configured
		}
		data, keys := [][]byte{d1, d2}, []string{k1, k2}
		want := readBodyJSON(t, stockBody(t, stream, data, keys))

		for _, protocol := range []Protocol{JSON, CBOR} {
			r := newTestRequest(protocol, stream)
			for i := range data {
				if !r.Append(data[i], keys[i]) {
					t.Fatalf("%s: two records do not fit", protocol)
				}
			}
			var got body
			if protocol == CBOR {
				got = readBodyCBOR(t, r.seal())
			} else {
				got = readBodyJSON(t, r.seal())
			}
			for i := range data {
				// nil and empty are the same data.
				got.Records[i].Data = append([]byte{}, got.Records[i].Data...)
				if e := r.Entry(i); e.Key() != want.Records[i].PartitionKey || !bytes.Equal(e.Data(), data[i]) || e.Size() != len(data[i])+len(e.Key()) {
					t.Errorf("%s: entry %d is %q of %d bytes with data %q", protocol, i, e.Key(), e.Size(), e.Data())
				}
			}
			if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
				t.Errorf("%s says\n%q, the SDK\n%q", protocol, got, want)
			}
			r.Release()
		}
	})
}

func randomBytes(rng *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// randomKey returns keys of all sorts: plain ones, ones to escape, ones that
// are not UTF-8.
func randomKey(rng *rand.Rand) string {
	n := rng.IntN(40)
	switch rng.IntN(4) {
	case 0:
		return string(randomBytes(rng, n))
	case 1:
		var b []rune
		for range n {
			b = append(b, rune(rng.IntN(utf8.MaxRune+1)))
		}
		return string(b)
	case 2:
		b := randomBytes(rng, n)
		for i := range b {
			b[i] &= 0x7f
		}
		return string(b)
	default:
		return fmt.Sprintf("host-%d.example.com", rng.IntN(1000))
	}
}

func BenchmarkAppend(b *testing.B) {
	data := randomBytes(rand.New(rand.NewPCG(1, 1)), 256)
	for _, p := range []Protocol{JSON, CBOR} {
		b.Run(string(p), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(MaxRecords * len(data)))
			for b.Loop() {
				r := newTestRequest(p, testStream)
				for range MaxRecords {
					r.Append(data, "0123456789abcdef")
				}
				r.Release()
			}
		})
	}
}

// TestIsPlain puts every byte at every place of keys around the size of the
// words that are looked at together.
func TestIsPlain(t *testing.T) {
	const key = "0123456789abcdefghijklmno"
	for n := range len(key) + 1 {
		require.True(t, isPlain(key[:n]))
		for at := range n {
			for c := range 256 {
				plain := c >= 0x20 && c < 0x7f && c != '"' && c != '\\'
				require.Equal(t, plain, isPlain(key[:at]+string([]byte{byte(c)})+key[at+1:n]), "%#x at %d", c, at)
			}
		}
	}
}
