// SPDX-License-Identifier: Apache-2.0

package kinesistest

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// FuzzParseJSON holds the hand-written reader against encoding/json: what one
// takes the other takes, with the same result.
func FuzzParseJSON(f *testing.F) {
	for _, seed := range []string{
		`{"StreamName":"logs","Records":[{"Data":"eA==","PartitionKey":"k","ExplicitHashKey":"7"}],"DryRun":true,"StreamARN":"arn"}`,
		` { "Records" : [ { "Data" : "\u0065A\/\/" , "PartitionKey" : "\ud83d\ude00\n\\\"\ud800" } , null , {} ] , "x" : [ 1.5e-3 , -0 , { "y" : null } ] } `,
		`{"Records":null,"DryRun":null,"StreamName":null}`, `{"Records":[]}`, `{}`, `{"Records":[{"Data":null,"PartitionKey":null,"ExplicitHashKey":null}]}`,
		`{"Records":7}`, `{"Records":[7]}`, `{"DryRun":1}`, `{"a":01}`, `{"a":1.}`, `{"a":1e}`, `{"a":tru}`, `{"a"}`, `{,}`, `[]`, `null`, `{}{}`, `{"a":"`, `{"a":"\`, `{"a":"\u12"}`,
		`{"Records":[{"Data":"eA"}]}`, "{\"Records\":[{\"Data\":\"eA=\n=\"}]}", `{"Records":[{"Data":"eA=="}],"Records":[]}`, "{\"\xff\":1}", "{\"a\":\"\x01\"}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var got putRequest
		err := got.parseJSON(body)

		type record struct {
			Data            *[]byte
			PartitionKey    *string
			ExplicitHashKey *string
		}
		var want struct {
			StreamName string
			StreamARN  string
			DryRun     bool
			Records    []record
		}
		wantErr := json.Unmarshal(body, &want)
		switch {
		case strings.ContainsAny(string(body), "\r\n\\") && err != nil && wantErr == nil:
			// encoding/json lets line breaks in base64 pass, also as escapes.
			return
		case !utf8.Valid(body), strings.TrimSpace(string(body)) == "null": // which ours refuses
			return
		case seenDifferently(body):
			return
		case wantErr != nil:
			require.Error(t, err, "%v", wantErr)
			return
		}
		require.NoError(t, err)
		require.Equal(t, want.StreamName, got.streamName)
		require.Equal(t, want.StreamARN, got.streamARN)
		require.Equal(t, want.DryRun, got.dryRun)
		require.Equal(t, want.Records != nil, got.given)
		require.Len(t, got.entries, len(want.Records))
		for i, w := range want.Records {
			e := got.entries[i]
			require.Equal(t, []bool{w.Data != nil, w.PartitionKey != nil, w.ExplicitHashKey != nil}, []bool{e.dataGiven, e.keyGiven, e.explicitGiven})
			if w.Data != nil {
				require.Equal(t, string(*w.Data), string(e.data))
			}
			if w.PartitionKey != nil {
				require.Equal(t, *w.PartitionKey, string(e.key))
			}
			if w.ExplicitHashKey != nil {
				require.Equal(t, *w.ExplicitHashKey, e.explicit)
			}
		}
	})
}

// seenDifferently is true where the two readers differ by intent: member names
// are case sensitive for ours, and of members that are there twice it takes the
// last, where encoding/json merges them.
func seenDifferently(body []byte) bool {
	known := map[string]bool{}
	for _, name := range []string{"StreamName", "StreamARN", "DryRun", "Records", "Data", "PartitionKey", "ExplicitHashKey"} {
		known[name] = true
		known[strings.ToUpper(name)] = false
	}
	type level struct {
		object bool
		isName bool
		names  map[string]bool
	}
	stack := []*level{{}}
	d := json.NewDecoder(bytes.NewReader(body))
	for {
		token, err := d.Token()
		if err != nil {
			return false // no JSON: the two agree on that
		}
		top := stack[len(stack)-1]
		if name, ok := token.(string); ok && top.object && top.isName {
			upper := strings.ToUpper(name)
			if _, fold := known[upper]; fold && !known[name] || top.names[upper] {
				return true
			}
			top.names[upper] = true
			top.isName = false
			continue
		}
		top.isName = true
		switch token {
		case json.Delim('{'):
			stack = append(stack, &level{object: true, isName: true, names: map[string]bool{}})
		case json.Delim('['):
			stack = append(stack, &level{})
		case json.Delim('}'), json.Delim(']'):
			stack = stack[:len(stack)-1]
			stack[len(stack)-1].isName = true
		}
	}
}

func TestParseJSON(t *testing.T) {
	var r putRequest
	require.NoError(t, r.parseJSON([]byte(`{"Records":[{"Data":"\u0065A\/\/","PartitionKey":"\ud83d\ude00\n\\\"\ud800x"},{"Data":"eA==","Data":"eQ=="}],"StreamName":"s\u0041"}`)))
	require.Equal(t, "\U0001F600\n\\\"\uFFFDx", string(r.entries[0].key))
	require.Equal(t, "x\x0f\xff", string(r.entries[0].data))
	require.Equal(t, "y", string(r.entries[1].data))
	require.Equal(t, "sA", r.streamName)
	for _, bad := range []string{"{\"Records\":[{\"Data\":\"eA=\n=\"}]}", `{"Records":[{"Data":"eA=\n="}]}`, `null`, "{\"a\":\"\xff\"}", strings.Repeat(`{"a":`, 2000)} {
		require.ErrorIs(t, r.parseJSON([]byte(bad)), errMalformed, bad)
	}
}

func TestHashKey(t *testing.T) {
	for _, s := range []string{"0", "1", "18446744073709551615", "18446744073709551616", "340282366920938463463374607431768211455"} {
		h, ok := parseHashKey(s)
		require.True(t, ok)
		require.Equal(t, s, h.String())
		if s != "0" {
			require.Equal(t, h, h.prev().next())
			require.True(t, h.prev().less(h))
		}
	}
	for _, s := range []string{"", "x", "-1", "340282366920938463463374607431768211456", "999999999999999999999999999999999999999", "1000000000000000000000000000000000000000"} {
		_, ok := parseHashKey(s)
		require.False(t, ok, s)
	}
	// md5("a") = 0cc175b9c0f1b6a831c399e269772661
	require.Equal(t, hashKey{0x0cc175b9c0f1b6a8, 0x31c399e269772661}, hashOf([]byte("a")))
}
