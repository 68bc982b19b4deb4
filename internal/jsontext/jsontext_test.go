// SPDX-License-Identifier: Apache-2.0

package jsontext

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

func TestAppendString(t *testing.T) {
	for in, want := range map[string]string{
		"":                   `""`,
		"plain ASCII / text": `"plain ASCII / text"`,
		"\"quoted\" and \\":  `"\"quoted\" and \\"`,
		"a\nb\rc\td\x00\x1f": `"a\nb\rc\td\u0000\u001f"`,
		"del \x7f":           `"del \u007f"`,
		"grüße 日本 🙂":         `"grüße 日本 🙂"`,
		"bad \xff\xfe bytes": "\"bad \ufffd\ufffd bytes\"",
		"cut \xe6\x97":       "\"cut \ufffd\ufffd\"",
		"kept \ufffd":        "\"kept \ufffd\"",
		"\u2028":             "\"\u2028\"",
	} {
		assert.Equal(t, want, string(AppendString(nil, in)))
	}
}

// TestAppendStringEverywhere puts every byte at every place of texts around the sizes of the words that are looked at
// together, appends to something, and holds the result against an encoder that knows nothing of words.
func TestAppendStringEverywhere(t *testing.T) {
	const text, prefix = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN", "before"
	used := bytes.Repeat([]byte{'#'}, 300)
	for n := range len(text) + 1 {
		for at := range n {
			for c := range 256 {
				in := text[:at] + string([]byte{byte(c)}) + text[at+1:n]
				want := prefix + slowString(in)
				if got := string(AppendString(append(used[:0], prefix...), in)); got != want {
					t.Fatalf("%q became %s, not %s", in, got, want)
				}
			}
		}
	}
}

func slowString(s string) string {
	out := `"`
	for _, r := range s { // what is not UTF-8 comes as U+FFFD
		switch {
		case r == '"' || r == '\\':
			out += `\` + string(r)
		case r == '\n':
			out += `\n`
		case r == '\r':
			out += `\r`
		case r == '\t':
			out += `\t`
		case r < 0x20 || r == 0x7f:
			out += fmt.Sprintf(`\u%04x`, r)
		default:
			out += string(r)
		}
	}
	return out + `"`
}

func FuzzAppendString(f *testing.F) {
	f.Add("text")
	f.Add("\xff\"\\\u2028\x00")
	f.Fuzz(func(t *testing.T, s string) {
		var got string
		require.NoError(t, json.Unmarshal(AppendString(nil, s), &got))
		require.Equal(t, string([]rune(s)), got)
	})
}

func TestAppendFloat(t *testing.T) {
	for _, f := range []float64{0, math.Copysign(0, -1), 1, -1.5, 0.1, 1e20, 1e21, 1e-6, 1e-7, math.MaxFloat64, math.SmallestNonzeroFloat64} {
		var got float64
		require.NoError(t, json.Unmarshal(AppendFloat(nil, f), &got))
		assert.Equal(t, f, got)
	}
	for _, f := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		assert.Equal(t, "null", string(AppendFloat(nil, f)))
	}
}

func TestAppendTime(t *testing.T) {
	const layout = "2006-01-02T15:04:05.000000000Z"
	times := []int64{0, 1, -1, math.MaxInt64, math.MinInt64, time.Date(2024, 2, 29, 23, 59, 59, 999999999, time.UTC).UnixNano()}
	r := rand.New(rand.NewPCG(1, 2))
	for range 30_000 {
		times = append(times, int64(r.Uint64()))
	}
	var clock Clock
	for _, n := range times {
		want := time.Unix(0, n).UTC().Format(layout)
		require.Equal(t, want, string(AppendTimeText(nil, n, 9)))
		for _, near := range []int64{n, n ^ 1, n ^ 1<<29, n ^ 1<<31} { // mostly in the same second
			require.Equal(t, time.Unix(0, near).UTC().Format(`"`+layout+`"`), string(clock.AppendTime(nil, near)))
		}
	}
	assert.Equal(t, `"1970-01-01T00:00:00.000000007Z"`, string(AppendTime(nil, 7)))
	assert.Equal(t, "1970-01-01T00:00:01.234Z", string(AppendTimeText(nil, 1_234_999_999, 3)))
	assert.Equal(t, "1970-01-01T00:00:01Z", string(AppendTimeText(nil, 1_999_999_999, 0)))
}

func TestAppendValue(t *testing.T) {
	v := pcommon.NewValueMap()
	m := v.Map()
	m.PutStr("text", "a")
	m.PutInt("big", math.MaxInt64)
	m.PutInt("small", math.MinInt64)
	m.PutDouble("half", 0.5)
	m.PutDouble("nan", math.NaN())
	m.PutBool("yes", true)
	m.PutEmpty("nothing")
	m.PutEmptyMap("map").PutEmptySlice("empty")
	s := m.PutEmptySlice("slice")
	s.AppendEmpty().SetInt(1)
	s.AppendEmpty().SetStr("two")
	assert.Equal(t, `{"text":"a","big":9223372036854775807,"small":-9223372036854775808,"half":0.5,"nan":null,"yes":true,`+
		`"nothing":null,"map":{"empty":[]},"slice":[1,"two"]}`, string(AppendValue(nil, v)))
}

func TestAppendBytes(t *testing.T) {
	for n := range 20 {
		raw := []byte(strings.Repeat("\x00\xff7", 7))[:n]
		want := `"` + base64.StdEncoding.EncodeToString(raw) + `"`
		v := pcommon.NewValueBytes()
		v.Bytes().FromRaw(raw)
		assert.Equal(t, want, string(AppendValue(nil, v)))
	}
	assert.Equal(t, `"00ff10"`, string(AppendHex(nil, []byte{0, 255, 16})))
}

func BenchmarkAppendTime(b *testing.B) {
	var buf []byte
	n := time.Now().UnixNano()
	for b.Loop() {
		buf = AppendTime(buf[:0], n)
	}
}

func BenchmarkAppendString(b *testing.B) {
	var buf []byte
	s := strings.Repeat("a plain log line of text ", 10)
	b.SetBytes(int64(len(s)))
	for b.Loop() {
		buf = AppendString(buf[:0], s)
	}
}

// TestAppendMapEverywhere puts what is not plain into key and value of a member.
func TestAppendMapEverywhere(t *testing.T) {
	for _, key := range []string{"", "k", "a longer key of a member", "qu\"ote", "a key with a \n line"} {
		for _, value := range []string{"", "v", "a longer value of a member", "\xff", "a value with a \\ in it", "grüße"} {
			m := pcommon.NewMap()
			m.PutStr("before", "x")
			m.PutStr(key, value)
			m.PutStr("after", "y")
			require.Equal(t, `{"before":"x",`+slowString(key)+":"+slowString(value)+`,"after":"y"}`, string(AppendMap(nil, m)))
		}
	}
}
